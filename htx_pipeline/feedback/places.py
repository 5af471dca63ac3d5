"""Findings to cells: where in the sender's file each one is shown.

What belongs here: the sheet, row and column of a finding, in the sender's own counting, and the
order findings are told in. What does not: reading the file or drawing anything.

Named rules: a finding with a cell stands in that cell; with a row and a column, in the column the
mapping reads it from (a derived id stands at the name it was derived from); with a row alone, in the
row's first filled cell; with a column alone, in its heading; with neither, on top of the list.
That a value is missing is not told of a cell whose value is told to be unreadable, nor of an id derived
from a cell that is told to be empty: one mistake of the sender is one line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.ingest._scan import a1, column_number
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.sheet_columns import Located, locate_columns
from htx_pipeline.ingest.template_form import FEEDBACK_SHEETS
from htx_pipeline.ingest.workbook import Workbook
from htx_pipeline.ingest.workbook_sheet import Sheet
from htx_pipeline.schemas import TABLES

ORDER: Final = ("critical", "error", "warning", "info")
_ADDRESS: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_MISSING: Final = ".required"
_STANDS_FOR: Final = {
    "org_id": ("name",), "admin_code": ("place_name", "district_name"), "locality": ("district_name", "place_name"),
    "linkage_id": ("contract_number", "supplier_name"), "evidence": ("status",), "period": ("reported_on", "signed_on", "starts_on"),
}  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """One finding, where it is shown. ``sheet`` is None for the file as a whole; rows count from 1.

    ``also`` holds further columns of the row, for a rule about several columns.
    """

    severity: str
    rule_id: str
    reason: str
    remedy: str
    value: str
    column: str
    sheet: str | None = None
    row: int | None = None
    col: int | None = None
    also: tuple[int, ...] = ()

    @property
    def cell(self) -> str:
        """The A1 address; empty when there is none."""
        return a1(self.row, self.col) if self.row is not None and self.col is not None else ""


def place(
    findings: pl.DataFrame, book: Workbook | None, mappings: Sequence[Mapping] = ()
) -> list[Remark]:
    """Return the findings of one file with their cells, in the order they are told.

    Parameters
    ----------
    findings:
        `htx_pipeline.findings.FINDING_SCHEMA`, of one file.
    book:
        The file; None when it cannot be opened (everything is then about the file as a whole).
    mappings:
        What reads the file; without them, columns are known from findings that name their cell.

    Returns
    -------
    list of Remark
        Sorted: the file as a whole first, then severity, sheet, row, column, rule, reason; without repeats.
    """
    sheets = (
        {s.name: s for s in book.sheets if s.name not in FEEDBACK_SHEETS}
        if book is not None
        else {}
    )
    if book is not None and book.info.kind == "csv" and book.sheets:
        sheets = {"csv": book.sheets[0]}
    known = _Columns(sheets, mappings, findings)
    rank = {name: i for i, name in enumerate(sheets)}
    seen: dict[Remark, bool] = {}
    for f in findings.iter_rows(named=True):
        remark = _remark(f, sheets, known)
        seen[remark] = known.is_derived(remark.sheet or "", f["table"] or "", f["column"] or "")
    return sorted(
        _told_once(seen),
        key=lambda r: (
            r.sheet is not None, ORDER.index(r.severity), rank.get(r.sheet or "", -1), r.row or 0, r.col or 0, r.rule_id, r.reason, r.value,
        ),
    )  # fmt: skip


def _told_once(remarks: dict[Remark, bool]) -> list[Remark]:
    """Leave out what another remark about the same cell tells already; *remarks* says which are derived."""
    missing = {r for r in remarks if r.rule_id.endswith(_MISSING) and r.cell}
    unread = {
        (r.sheet, r.cell, r.column): ORDER.index(r.severity)
        for r in sorted(remarks, key=lambda r: -ORDER.index(r.severity))
        if r.cell and r not in missing
    }
    empty = {(r.sheet, r.cell) for r in missing if not remarks[r]}

    def is_told(r: Remark) -> bool:
        worst = unread.get((r.sheet, r.cell, r.column), len(ORDER))
        return worst <= ORDER.index(r.severity) or (remarks[r] and (r.sheet, r.cell) in empty)

    return [r for r in remarks if r not in missing or not is_told(r)]


class _Columns:
    """Which column of a sheet a canonical column is read from."""

    def __init__(
        self, sheets: dict[str, Sheet], mappings: Sequence[Mapping], findings: pl.DataFrame
    ) -> None:
        self.sheets = sheets
        self.mappings = mappings
        self.located: dict[tuple[str, str], list[Located]] = {}
        self.told: dict[tuple[str, str, str], int] = {}
        named = findings.filter(
            pl.col("source_cell").is_not_null() & pl.col("column").is_not_null()
        )
        for table, sheet, column, cell in named.select(
            "table", "source_sheet", "column", "source_cell"
        ).iter_rows():
            found = _ADDRESS.fullmatch(cell)
            if found is not None:
                self.told.setdefault((table, sheet, column), column_number(found[1]))

    def of(self, sheet: str, table: str) -> list[Located]:
        key = (sheet, table)
        if key not in self.located:
            mine = [m for m in self.mappings if m.table == table]
            self.located[key] = (
                [locate_columns(self.sheets[sheet], m) for m in mine]
                if sheet in self.sheets
                else []
            )
        return self.located[key]

    def find(self, sheet: str, table: str, column: str) -> int | None:
        for name in (column, *_stand_ins(column)):
            if (table, sheet, name) in self.told:
                return self.told[table, sheet, name]
            for located in self.of(sheet, table):
                if name in located.columns:
                    return located.columns[name]
        return None

    def is_derived(self, sheet: str, table: str, column: str) -> bool:
        """Say whether a column is made from another one of the sheet."""
        return (table, sheet, column) not in self.told and not any(
            column in located.columns for located in self.of(sheet, table)
        )

    def heading_row(self, sheet: str, table: str) -> int | None:
        return next((max(x.header_rows) for x in self.of(sheet, table) if x.header_rows), None)


def _stand_ins(column: str) -> tuple[str, ...]:
    if column in _STANDS_FOR:
        return _STANDS_FOR[column]
    stem = re.sub(r"_(?:id|code)$", "", column)
    return (f"{stem}_name",) if stem != column else ()


def _remark(f: dict[str, object], sheets: dict[str, Sheet], known: _Columns) -> Remark:
    def text(name: str) -> str:
        return str(f[name]) if f[name] is not None else ""

    table, columns = text("table"), [c.strip() for c in text("column").split(",") if c.strip()]
    labels = {c.name: c.label_vi for c in TABLES[table].columns} if table in TABLES else {}
    label = ", ".join(labels.get(c, c) for c in columns)
    what = (text("severity") if text("severity") in ORDER else "info", text("rule_id"), text("reason_vi") or text("reason_en"),
            text("remedy_vi") or text("remedy_en"), text("raw_value"), label)  # fmt: skip
    name = text("source_sheet")
    if name not in sheets and "csv" in sheets and name:
        name = "csv"
    sheet = sheets.get(name)
    if sheet is None:
        return Remark(*what)
    address = _ADDRESS.fullmatch(text("source_cell"))
    if address is not None:
        return Remark(*what, name, int(address[2]), column_number(address[1]))
    row = f["source_row"]
    found = [at for c in columns if (at := known.find(name, table, c)) is not None]
    at = found[0] if found else None
    if isinstance(row, int) and row >= 1:
        return Remark(
            *what, name, row, at or _first_filled(sheet, row), tuple(dict.fromkeys(found[1:]))
        )
    if at is not None:
        heading = known.heading_row(name, table)
        return Remark(*what, name, heading, at if heading is not None else None)
    return Remark(*what, name)


def _first_filled(sheet: Sheet, row: int) -> int:
    cells = sheet.rows[row - 1] if row <= sheet.n_rows else []
    return next((c for c, v in enumerate(cells, 1) if v not in ("", None)), 1)
