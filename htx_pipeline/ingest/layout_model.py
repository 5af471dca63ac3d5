"""What was understood of a sheet: kinds of rows, tables, notes.

What belongs here: the answer of `layout.understand`. What does not: finding it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from htx_pipeline.ingest._scan import a1
from htx_pipeline.ingest.layout_words import fold
from htx_pipeline.ingest.notes import Note

if TYPE_CHECKING:
    from htx_pipeline.ingest.workbook_sheet import Sheet


class RowKind(StrEnum):
    """What a row is. Only ``DATA`` rows are read as records."""

    BLANK = "blank"
    TITLE = "title"
    UNIT_LINE = "unit_line"
    HEADING = "heading"
    INDEX = "index"
    DATA = "data"
    SECTION = "section"
    SUBTOTAL = "subtotal"
    TOTAL = "total"
    NOTE = "note"
    SIGNATURE = "signature"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Table:
    """One table of a sheet; rows and columns are 1-based.

    Parameters
    ----------
    header_rows:
        Rows of the heading, top to bottom; empty where none was found.
    headings:
        Column -> heading, the levels joined by ``" / "``.
    index_row:
        The row that numbers the columns ("1, 2, 3…"), or None.
    first_row, last_row:
        From the first row after the heading to the last row that is not note or signature.
    data_rows:
        The rows to read.
    row_number_col:
        The column of row numbers (STT), or None.
    unit:
        The unit stated above the table ("triệu đồng"), or None.
    title:
        The text above the table, lines joined by a blank.
    sections:
        Section row -> its text ("I. Huyện Sa Thầy"); includes section rows that state a subtotal.
    """

    header_rows: tuple[int, ...]
    headings: dict[int, str]
    index_row: int | None
    first_row: int
    last_row: int
    data_rows: tuple[int, ...]
    row_number_col: int | None
    unit: str | None
    title: str
    sections: dict[int, str]

    @property
    def n_cols(self) -> int:
        """The last column with a heading."""
        return max(self.headings, default=0)

    def section_of(self, row: int) -> str | None:
        """Return the text of the section a row stands in, or None."""
        starts = sorted(self.sections)
        at = bisect_right(starts, row)
        return self.sections[starts[at - 1]] if at else None


@dataclass(frozen=True)
class Layout:
    """What was understood of a sheet.

    ``kinds[i]`` is the kind of row ``i + 1``; their counts add up to the sheet's rows.
    ``hidden_kinds`` says what a hidden row would have been.
    """

    sheet: Sheet = field(repr=False)
    kinds: tuple[RowKind, ...] = field(repr=False)
    tables: tuple[Table, ...]
    notes: tuple[Note, ...] = field(repr=False)
    hidden_kinds: dict[int, RowKind] = field(repr=False, default_factory=dict)
    main: int = 0

    @property
    def table(self) -> Table | None:
        """The table to read: the one that holds most expected headings, then most data rows."""
        return self.tables[self.main] if self.tables else None

    @property
    def headings(self) -> dict[int, str]:
        """Column -> heading of `table`; empty where no heading row was found."""
        table = self.table
        return dict(table.headings) if table and table.header_rows else {}

    @property
    def header_rows(self) -> tuple[int, ...]:
        """Heading rows of `table`."""
        return self.table.header_rows if self.table else ()

    @property
    def data_rows(self) -> tuple[int, ...]:
        """Data rows of `table` and of every other table of the sheet with the same headings."""
        table = self.table
        if table is None:
            return ()
        key = heading_key(table)
        same = [t.data_rows for t in self.tables if t is table or heading_key(t) == key]
        if len(same) == 1:
            return same[0]
        return tuple(sorted(row for rows in same for row in rows))

    @property
    def counts(self) -> dict[str, int]:
        """Rows per kind, in the order of `RowKind`; the sum is the number of rows."""
        seen = Counter(self.kinds)
        return {kind.value: seen[kind] for kind in RowKind if seen[kind]}

    @property
    def unit(self) -> str | None:
        """The first unit stated on the sheet."""
        return next((t.unit for t in self.tables if t.unit), None)

    def rows(self, kind: RowKind) -> tuple[int, ...]:
        """Return the row numbers of one kind."""
        return tuple(i for i, k in enumerate(self.kinds, 1) if k == kind)


def heading_key(table: Table) -> tuple[tuple[int, str], ...]:
    """Return what tables with the same headings have in common."""
    return tuple(sorted((c, fold(text)) for c, text in table.headings.items()))


def layout_note(
    sheet: Sheet,
    code: str,
    severity: str,
    reason_en: str,
    reason_vi: str,
    *,
    remedy_en: str = "",
    remedy_vi: str = "",
    row: int | None = None,
    col: int | None = None,
    raw: str | None = None,
    count: int = 1,
) -> Note:
    return Note(
        code,
        severity,  # type: ignore[arg-type]
        reason_en,
        reason_vi,
        remedy_en,
        remedy_vi,
        sheet=sheet.name,
        row=row,
        cell=a1(row, col) if row and col else None,
        raw=raw,
        count=count,
    )
