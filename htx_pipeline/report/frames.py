"""Reading the frames a report is built from, and saying where their rows came from.

What belongs here: access by key, in one canonical order, with absent columns as null; source lines
computed from provenance columns.
What does not: words about what the figures mean (`model`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.report.blocks import Source
from htx_pipeline.report.text import Lang
from htx_pipeline.report.words import Words

EXPECTED: Final[dict[str, tuple[str, ...]]] = {
    "core/organisations": ("org_id", "name", "legal_type"),
    "core/cooperative_reports": ("org_id",),
    "core/linkages": ("supplier_id", "buyer_id"),
    "metrics/clusters": ("cluster_id",),
    "metrics/cluster_members": ("cluster_id", "org_id"),
    "metrics/cluster_stages": ("cluster_id", "stage"),
    "metrics/chain_flows": ("scope", "from_stage", "to_stage"),
    "metrics/localities": ("locality",),
    "metrics/indicators": ("indicator",),
    "metrics/plan_progress": ("indicator",),
    "metrics/reporting_roster": ("org_id", "status"),
    "metrics/reporting_roster_localities": ("locality",),
    "metrics/communes": ("commune_code",),
    "metrics/standing_changes": ("subject", "subject_id", "change"),
    "metrics/chain_stages": ("locality", "product_code", "stage"),
    "core/plan_tasks": ("task", "department"),
}
"""Columns without which a frame cannot be used; others may be absent and print as null."""

EARLIER: Final = "earlier/"
"""How the key of an earlier year's frame begins ("earlier/2024/core/linkages"): read by `origins` alone."""

Row = dict[str, Any]


class Frames:
    """The frames of one period, by key ("metrics/clusters"); a frame that is absent reads as empty.

    Parameters
    ----------
    frames:
        Frames by key; rows of other periods are left out, but for keys that begin with `EARLIER`.
    period:
        The reporting year.
    """

    def __init__(self, frames: Mapping[str, pl.DataFrame], *, period: str) -> None:
        self._frames: dict[str, pl.DataFrame] = {}
        self._rows: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        self._shared: dict[str, Any] = {}
        self._files: dict[tuple[str, int], tuple[pl.Expr | None, list[tuple[str, int]]]] = {}
        self.period = period
        for key in sorted(frames):
            frame = frames[key]
            missing = [c for c in EXPECTED.get(key, ()) if c not in frame.columns]
            if missing:
                raise InputError(
                    f"The table {key} has no column {missing[0]!r}, which the report needs.",
                    where=key,
                    why=f"columns present: {', '.join(frame.columns) or 'none'}",
                    remedy="Materialize the table again with this version of the package.",
                    code="report_columns",
                )
            if "period" in frame.columns and not key.startswith(EARLIER):
                frame = frame.filter(pl.col("period") == period)
            self._frames[key] = frame

    def has(self, key: str) -> bool:
        """Return whether the frame is there and has rows in the period."""
        return key in self._frames and self._frames[key].height > 0

    def is_given(self, key: str) -> bool:
        """Return whether the frame is there, with rows or without."""
        return key in self._frames

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what *make* made of these frames the first time *name* was asked for."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def keys_ending(self, suffix: str) -> list[str]:
        """Return the keys that end with *suffix*, in order."""
        return [key for key in self._frames if key.endswith(suffix)]

    def frame(self, key: str, *columns: str) -> pl.DataFrame:
        """Return the frame with at least *columns* (null where absent); empty when it is absent."""
        frame = self._frames.get(key, pl.DataFrame())
        for name in columns:
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None).alias(name))
        return frame

    def files_of(self, key: str, only: pl.Expr | None) -> list[tuple[str, int]]:
        """Return (source file, rows) of the rows of a core table that count, see `file_counts`.

        Blocks of one page ask with the same expression: its answer is kept with it.
        """
        asked = (key, id(only))
        if asked not in self._files:
            frame = self.frame(key)
            if only is not None and frame.height:
                frame = frame.filter(only)
            self._files[asked] = (only, file_counts(frame))
        return self._files[asked][1]

    def rows(self, key: str, *columns: str) -> list[Row]:
        """Return the rows of a frame as dicts with at least *columns*, in canonical order.

        Only these columns are read, all when none is named. The rows are shared between callers,
        which do not change them.
        """
        if not self.has(key):
            return []
        if (key, columns) in self._rows:
            return self._rows[key, columns]
        frame = self.frame(key, *columns)
        if columns:
            frame = frame.select(list(dict.fromkeys((*EXPECTED.get(key, ()), *columns))))
        rows = frame.to_dicts()
        self._rows[key, columns] = sorted(rows, key=_canonical)
        return self._rows[key, columns]


def _canonical(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a total order of rows that does not depend on their order in the frame."""
    return tuple(f"{name}={row[name]!r}" for name in sorted(row))


def by(rows: Iterable[Row], *keys: str, descending: Sequence[str] = ()) -> list[Row]:
    """Sort rows by named columns, nulls last, numbers in *descending* from large to small.

    Examples
    --------
    >>> [r["a"] for r in by([{"a": 1}, {"a": None}, {"a": 3}], "a", descending=["a"])]
    [3, 1, None]
    """

    def order(row: Row) -> tuple[Any, ...]:
        return tuple((row.get(k) is None, _rank(row.get(k), reverse=k in descending)) for k in keys)

    return sorted(rows, key=order)


def _rank(value: Any, *, reverse: bool) -> Any:
    if value is None:
        return 0
    return -value if reverse else value


def file_counts(frame: pl.DataFrame) -> list[tuple[str, int]]:
    """Return (source file, rows) of a core table, most rows first, then by name.

    Examples
    --------
    >>> file_counts(pl.DataFrame({"source_file": ["b.csv", "a.csv", "b.csv"]}))
    [('b.csv', 2), ('a.csv', 1)]
    """
    if frame.height == 0 or "source_file" not in frame.columns:
        return []
    counted = frame.filter(pl.col("source_file").is_not_null()).group_by("source_file").len()
    return sorted(counted.iter_rows(), key=lambda item: (-item[1], item[0]))


def source_of(
    frames: Frames,
    tables: Iterable[str],
    *,
    measure: str,
    only: Mapping[str, pl.Expr] | None = None,
    through: Sequence[str] = (),
    most: int = 3,
    lang: Lang = "vi",
) -> Source:
    """Return the source of a block; its line is computed from the core rows behind it.

    Parameters
    ----------
    tables:
        Names of core tables ("linkages").
    measure:
        What is counted and how, in a few words.
    only:
        Per table, which rows count; all rows where absent.
    through:
        Tables between the core tables and the page, in order.
    most:
        Files named; the rest are counted.
    lang:
        Language of the line.
    """
    w = Words(lang)
    counts: dict[str, int] = {}
    names = tuple(tables)
    for name in names:
        for file, rows in frames.files_of(f"core/{name}", (only or {}).get(name)):
            counts[file] = counts.get(file, 0) + rows
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{file} ({w.count('row', rows)})" for file, rows in ranked[:most]]
    if len(ranked) > most:
        rest = sum(rows for _, rows in ranked[most:])
        left = w.count("other_file", len(ranked) - most)
        named.append(f"{left} ({w.count('row', rest)})")
    files = ", ".join(named) or w("source.none")
    return Source(
        line=w("source.line", files=files, period=frames.period, measure=measure),
        tables=names, only=dict(only or {}), through=tuple(through),
    )  # fmt: skip
