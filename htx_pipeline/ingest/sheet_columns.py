"""Where the columns of a mapping stand in a sheet, and which of its tables is meant.

What belongs here: from a sheet's layout to the headings, rows and unit that a mapping reads, one table of
several side by side included. What does not: what the rows of a sheet are (`ingest.layout`) and reading
the columns (`ingest.sheet`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

import polars as pl

from htx_pipeline.ingest._scan import column_letters, column_number
from htx_pipeline.ingest.charset_convert import convert
from htx_pipeline.ingest.columns import normal
from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.layout_model import Layout, layout_note
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.workbook_sheet import Sheet

_UNIT_AT_END: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


@dataclass(frozen=True)
class MappedPart:
    """The part of a sheet that a mapping reads; columns and rows are 1-based."""

    headings: dict[int, str]
    header_rows: tuple[int, ...]
    data_rows: tuple[int, ...]
    unit: str | None
    charset: str = "plain"

    def column(self, wanted: Sequence[str]) -> int | None:
        """Return the first column whose heading is wanted, also where a mapping copied the old charset."""
        at = find_column(self.headings, wanted)
        if at is None and self.charset != "plain":
            names = pl.Series(wanted, dtype=pl.String)
            at = find_column(self.headings, convert(names, charset=self.charset).to_list())
        return at


@dataclass(frozen=True)
class Located:
    """Where the columns of a mapping stand in a sheet.

    Attributes
    ----------
    columns:
        Canonical column → 1-based column of the sheet; columns without a heading are left out.
    header_rows, data_rows:
        1-based rows of the headings and of the records.
    """

    columns: dict[str, int]
    header_rows: tuple[int, ...]
    data_rows: tuple[int, ...]


def locate_columns(sheet: Sheet, mapping: Mapping) -> Located:
    """Return where in *sheet* the reader takes the columns of *mapping* from.

    Examples
    --------
    >>> from htx_pipeline.ingest.mapping import ColumnRule, PeriodRule
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> sheet = open_bytes("Tên HTX;Doanh thu\\nA;1\\nB;2\\n".encode(), name="a.csv").sheets[0]
    >>> mapping = Mapping(id="m", table="cooperative_reports", files=("a.csv",), period=PeriodRule(constant="2025"),
    ...                   columns={"revenue_vnd": ColumnRule(source="Doanh thu")})
    >>> locate_columns(sheet, mapping).columns
    {'revenue_vnd': 2}
    """
    mapped = mapped_part(mapped_layout(sheet, mapping), mapping, sheet.charset)
    found = {name: mapped.column(rule.headings) for name, rule in mapping.columns.items()}
    return Located(
        {k: v for k, v in found.items() if v is not None}, mapped.header_rows, mapped.data_rows
    )


def has_columns(sheet: Sheet, mapping: Mapping) -> bool:
    """Say whether a sheet has every heading that a mapping needs, and rows below.

    Examples
    --------
    >>> from htx_pipeline.ingest.mapping import ColumnRule, PeriodRule
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> mapping = Mapping(id="m", table="cooperative_reports", files=("a.csv",), period=PeriodRule(constant="2025"),
    ...                   columns={"revenue_vnd": ColumnRule(source="Doanh thu")})
    >>> [has_columns(open_bytes(text.encode(), name="a.csv").sheets[0], mapping) for text in ("Tên;Doanh thu\\nA;1\\nB;2\\n", "Tên;Vốn\\nA;1\\nB;2\\n")]
    [True, False]
    """
    found = locate_columns(sheet, mapping)
    needed = {name for name, rule in mapping.columns.items() if not rule.is_optional}
    return bool(found.data_rows) and needed <= set(found.columns)


def mapped_layout(sheet: Sheet, mapping: Mapping) -> Layout:
    wanted = [h for rule in mapping.columns.values() for h in rule.headings]
    rows = None if mapping.header_rows == "auto" else mapping.header_rows
    if mapping.sheet.columns is not None:
        first, last = map(column_number, mapping.sheet.columns.split(":"))
        sheet = sheet.narrowed(first, last)
    layout = understand(sheet, expected_headings=wanted, header_rows=rows)
    block = _own_block(layout, mapping) if mapping.sheet.columns is None else None
    if block is None:
        return layout
    alone = understand(sheet.narrowed(*block), expected_headings=wanted, header_rows=rows)
    return replace(alone, notes=(*alone.notes, _one_of_several(sheet, layout, block)))


def _own_block(layout: Layout, mapping: Mapping) -> tuple[int, int] | None:
    """Return the columns of the one table, of several side by side, that has all wanted headings."""
    starts = sorted({n for note in layout.notes if (n := _block_start(note)) is not None})
    tables = [t for t in layout.tables if t.headings]
    if not starts or len(tables) != 1:
        return None
    headings = tables[0].headings
    bounds = [min(headings), *starts, max(headings) + 1]
    needed = [r.headings for r in mapping.columns.values() if not r.is_optional]
    fitting = [
        (first, max(c for c in headings if c < after))
        for first, after in pairwise(bounds)
        if all(
            find_column({c: h for c, h in headings.items() if first <= c < after}, wanted)
            for wanted in needed
        )
    ]
    return fitting[0] if len(fitting) == 1 else None


def _block_start(note: Note) -> int | None:
    letters = re.match(r"[A-Z]+", note.cell or "") if note.code == "tables_side_by_side" else None
    return column_number(letters[0]) if letters else None


def _one_of_several(sheet: Sheet, layout: Layout, block: tuple[int, int]) -> Note:
    letters = ":".join(column_letters(c) for c in block)
    return layout_note(
        sheet, "one_table_of_several", "info",
        f"Tables stand side by side; only the one in columns {letters} has the headings that are wanted, and it is read alone.",
        f"Có nhiều bảng đặt cạnh nhau; chỉ đọc bảng ở các cột {letters}, là bảng có đủ tiêu đề cần đọc.",
        remedy_en="If the columns beyond belong to it too, leave no empty column between them.",
        remedy_vi="Nếu các cột còn lại cùng thuộc bảng này thì không để cột trống ở giữa.",
        row=layout.tables[0].header_rows[-1] if layout.tables[0].header_rows else None,
    )  # fmt: skip


def mapped_part(layout: Layout, mapping: Mapping, charset: str) -> MappedPart:
    """Return the tables of the sheet that have the wanted headings, as one; else the first."""
    needed = [r.headings for r in mapping.columns.values() if not r.is_optional]
    parts = [
        (t, MappedPart(t.headings, t.header_rows, t.data_rows, t.unit or layout.unit, charset))
        for t in layout.tables
    ]
    fitting = [t for t, p in parts if all(p.column(h) is not None for h in needed)]
    chosen = [t for t in fitting if t.headings == fitting[0].headings] or list(layout.tables[:1])
    if not chosen:
        return MappedPart({}, (), (), layout.unit, charset)
    rows = chosen[0].data_rows + tuple(r for t in chosen[1:] for r in t.data_rows)
    unit = chosen[0].unit or layout.unit
    return MappedPart(chosen[0].headings, chosen[0].header_rows, rows, unit, charset)


def find_column(headings: dict[int, str], wanted: Sequence[str]) -> int | None:
    """Return the first column whose heading is one of *wanted*, in their order of preference.

    A heading is compared whole, without a bracketed unit at its end (also where that is all of its last
    level), and by its last level.

    Examples
    --------
    >>> find_column({1: "STT", 2: "Kết quả / Doanh thu (triệu đồng)"}, ["Tổng doanh thu", "Doanh thu"])
    2
    """
    forms = _forms(tuple(headings.items()))
    for heading in wanted:
        target = normal(heading)
        for form in forms:
            hits = [n for n, key in form.items() if key == target]
            if hits:
                return min(hits)
    return None


@lru_cache(maxsize=64)
def _forms(headings: tuple[tuple[int, str], ...]) -> list[dict[int, str]]:
    """Return the headings as they are compared: whole, without a unit, by the last level, and that without a unit."""
    whole = {n: key for n, text in headings if (key := normal(text))}
    last = {n: normal(key.rsplit(" / ", 1)[-1]) for n, key in whole.items()}
    bare = {n: normal(_UNIT_AT_END.sub("", key).rstrip(" /")) for n, key in whole.items()}
    return [whole, bare, last, {n: normal(_UNIT_AT_END.sub("", key)) for n, key in last.items()}]
