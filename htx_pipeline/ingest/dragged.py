"""Dragged cells: text whose number counts up by one from row to row.

What belongs here: recognising a spreadsheet's fill handle in a column of otherwise equal text
("… Suppliers - 2021", "… - 2022", "… - 2023"). What does not: plain index columns (1, 2, 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from htx_pipeline.ingest.grid import TEXT, Cells
from htx_pipeline.reference.thresholds import own_choice

_BEFORE: Final = r"^((?s:.*?[^0-9])?)[0-9]{1,9}[^0-9]*$"
_NUMBER: Final = r"([0-9]{1,9})[^0-9]*$"
_AFTER: Final = r"[0-9]([^0-9]*)$"
_NO_WORD: Final = r"[^\p{L}]+"


@dataclass(frozen=True)
class DraggedRun:
    """Positions *start* to *stop* (inclusive) whose numbers run from *first* to *last*."""

    start: int
    stop: int
    first: int
    last: int
    text: str


def dragged_runs(cells: Sequence[Any] | Cells) -> list[DraggedRun]:
    """Return runs of at least ``own.dragged_run`` (`reference.thresholds`) cells with the same words and a number that grows by one.

    Cells that are a bare number are passed over: an index column is no mistake.

    Examples
    --------
    >>> cells = [f"Suppliers - {2021 + i}" for i in range(20)]
    >>> dragged_runs(cells)[0].last
    2040
    >>> dragged_runs(list(range(100)))
    []
    """
    column, least = Cells.of(cells), int(own_choice("dragged_run"))
    if len(column) < least or not (column.kinds == TEXT).any():
        return []
    text = column.words
    # A run of that many rows holds two neighbours at one of these places.
    places = pl.int_range(0, len(text) - 1, least // 2, eager=True)
    if not _follows(text.gather(places), text.gather(places + 1)).any():
        return []
    follows = _follows(text.slice(0, len(text) - 1), text.slice(1))
    steps = pl.DataFrame({"at": pl.int_range(1, len(text), eager=True), "is_next": follows})
    runs = (
        steps.with_columns(run=pl.col("is_next").rle_id())
        .filter("is_next")
        .group_by("run", maintain_order=True)
        .agg(start=pl.col("at").min() - 1, stop=pl.col("at").max())
        .filter(pl.col("stop") - pl.col("start") + 1 >= least)
    )
    found = []
    for start, stop in runs.select("start", "stop").iter_rows():
        first = int(text.slice(start, 1).str.extract(_NUMBER)[0])
        found.append(DraggedRun(start, stop, first, first + stop - start, text[start]))
    return found


def _follows(before: pl.Series, after: pl.Series) -> pl.Series:
    """Return where the text has the words of the one before and its last number plus one."""
    pairs = pl.DataFrame({"a": before, "b": after})
    number = {which: pl.col(which).str.extract(_NUMBER).cast(pl.Int64) for which in ("a", "b")}
    counts_up = pairs.select((number["a"] + 1 == number["b"]).fill_null(value=False)).to_series()
    if not counts_up.any():
        return counts_up
    parts = pairs.filter(counts_up).select(
        same=(pl.col("a").str.extract(_BEFORE) == pl.col("b").str.extract(_BEFORE))
        & (pl.col("a").str.extract(_AFTER) == pl.col("b").str.extract(_AFTER)),
        words=pl.col("b").str.replace(r"[0-9]{1,9}([^0-9]*)$", "$1").str.replace_all(_NO_WORD, ""),
    )
    found = parts.select(pl.col("same") & (pl.col("words").str.len_chars() >= 3)).to_series()
    return counts_up.scatter(counts_up.arg_true(), found.fill_null(value=False))
