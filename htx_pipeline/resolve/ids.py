"""Ids that come from content: the same organisation gets the same id in every run and every period.

What belongs here: how an id is made. What does not: matching names that are written differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl


def content_hash(parts: Sequence[str | None], *, length: int = 12) -> str:
    """Return a short, stable hash of *parts*; None and "" differ, and so do ("ab", "c") and ("a", "bc").

    Examples
    --------
    >>> content_hash(["a", None]) == content_hash(["a", ""])
    False
    """
    packed = "\x1f".join("\x00" if p is None else p for p in parts)
    return hashlib.blake2b(packed.encode("utf-8"), digest_size=16).hexdigest()[:length]


def content_ids(
    frame: pl.DataFrame, columns: Sequence[str], *, prefix: str, length: int = 12
) -> pl.Series:
    """Return one id per row, hashed from the text of *columns*.

    Examples
    --------
    >>> ids = content_ids(pl.DataFrame({"name": ["a", "b", "a"]}), ["name"], prefix="x-")
    >>> ids[0] == ids[2], ids[0] == ids[1]
    (True, False)
    """
    if frame.is_empty():
        return pl.Series(prefix, [], dtype=pl.String)
    text = frame.select(pl.col(c).cast(pl.String) for c in columns)
    unique = text.unique(maintain_order=True)
    ids = [prefix + content_hash(row, length=length) for row in unique.iter_rows()]
    keyed = unique.with_columns(pl.Series("_id", ids))
    return text.join(keyed, on=list(columns), how="left", nulls_equal=True, maintain_order="left")[
        "_id"
    ]
