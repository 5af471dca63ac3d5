"""Stated totals against the sum of their parts.

What belongs here: which rows a total or subtotal may stand for, the numbers of a column in its own
convention, and the comparison. What does not: finding out which rows are totals (`ingest.layout`).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from htx_pipeline.ingest.layout_model import Layout, RowKind, Table, layout_note
from htx_pipeline.ingest.layout_words import fold, is_of_which
from htx_pipeline.ingest.notes import Note

_NOT_SUMMED: Final = re.compile(
    r"%|ty le|ti le|binh quan|trung binh|nang suat|don gia|gia ban|nam thanh lap|dien thoai|ma so|"
    r"^ma\b|average|mean|rate|ratio|share|per |price|phone|year|toa do|kinh do|vi do|xep loai|diem"
)


def check_totals(layout: Layout, *, conventions: Mapping[int, str] | None = None) -> list[Note]:
    """Compare stated totals and subtotals with the sum of their parts, column by column.

    Parameters
    ----------
    layout:
        What `understand` returned.
    conventions:
        Column -> number convention, where a mapping fixes it; else decided from the whole column.

    Returns
    -------
    list of Note
        ``total_mismatch`` (warning), one per cell, naming the stated and the computed number.

    Notes
    -----
    A total agrees if it equals the sum of the table's data rows or of its subtotals; a subtotal if
    it equals the sum of the data rows of its section, written above or below it, with or without
    hidden rows. Whole numbers must agree exactly; others within the rounding of their last digit.
    Text is read in the convention of its column (`ingest.numbers`); where nothing settles it and only
    the other reading adds up, the note says so. A sum with a part that is no number is not checked, and
    neither are columns whose heading says rate, average, price, yield, year or code.

    Examples
    --------
    >>> from htx_pipeline.ingest.layout import understand
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> text = "STT;Tên HTX;Vốn\\n1;Sa Thầy;12\\n2;Đăk Hà;30\\n;Tổng cộng;43\\n"
    >>> layout = understand(open_bytes(text.encode(), name="a.csv").sheets[0])
    >>> note = check_totals(layout)[0]
    >>> note.cell, note.reason_en
    ('C4', 'The stated total is 43, but its parts add up to 42.')
    """
    notes: list[Note] = []
    if RowKind.TOTAL not in layout.kinds and RowKind.SUBTOTAL not in layout.kinds:
        return notes
    for table in layout.tables:
        sums = _Sums(layout, table)
        if not sums.stated:
            continue
        columns = {
            col: _Figures.of(
                layout,
                col,
                heading,
                rows=sums.rows,
                convention=(conventions or {}).get(col, "auto"),
                unit_above=table.unit or layout.unit,
            )
            for col, heading in table.headings.items()
            if col != table.row_number_col
            and not _NOT_SUMMED.search(fold(heading))
            and _has_figure(layout, col, sums.stated)
        }
        for row in sums.stated:
            parts = sums.parts(row)
            for col, figures in columns.items():
                notes += _check_cell(layout, row, col, parts, figures)
    return notes


def _has_figure(layout: Layout, col: int, rows: Sequence[int]) -> bool:
    """Return whether a cell of these rows may be a number: a column of names is not read for its total."""
    import numpy as np

    cells = layout.sheet.grid.column(col - 1).take(np.asarray(rows, dtype=np.int64) - 1)
    return any(any(map(str.isdigit, text)) for text in cells.full_text.drop_nulls())


@dataclass(frozen=True)
class _Figures:
    """The numbers of one column by row, 0-based: None where there is none, NaN where text is none."""

    values: dict[int, float]
    other: dict[int, float] | None
    """The other reading of the column's separators, where nothing settles it."""

    @staticmethod
    def of(
        layout: Layout,
        col: int,
        heading: str,
        *,
        rows: Sequence[int],
        convention: str,
        unit_above: str | None,
    ) -> _Figures:
        import numpy as np

        from htx_pipeline.ingest.number_units import unit_of_heading
        from htx_pipeline.ingest.numbers import parse_numbers

        cells = layout.sheet.grid.column(col - 1).take(np.asarray(rows, dtype=np.int64) - 1)
        text = cells.text_not_numbers
        if text.null_count() == len(text):
            found = zip(rows, cells.numbers.to_list(), strict=True)
            return _Figures({r: v for r, v in found if v is not None}, None)
        unit = unit_of_heading(heading)
        if unit is None and unit_above is not None:
            unit = unit_of_heading(f"ĐVT: {unit_above}")
        # Bare numbers are in the column's unit, and so is what "2,5 tỷ" comes to.
        read = parse_numbers(text, convention=convention, unit=unit, target_unit=unit)
        marks = set(
            read.notes.filter(read.notes["code"].is_in(["empty_mark", "said_none"]))["index"]
        )

        def by_row(parsed: list[float | None]) -> dict[int, float]:
            out: dict[int, float] = {}
            every = zip(rows, cells.numbers.to_list(), text.to_list(), parsed, strict=True)
            for i, (row, typed, written, value) in enumerate(every):
                if typed is not None:
                    out[row] = typed
                elif written is not None and i not in marks:
                    out[row] = math.nan if value is None else value
            return out

        other = read.alternative
        return _Figures(
            by_row(read.values.to_list()), by_row(other.to_list()) if other is not None else None
        )


def _check_cell(
    layout: Layout, row: int, col: int, candidates: Sequence[Sequence[int]], figures: _Figures
) -> list[Note]:
    stated = figures.values.get(row)
    if stated is None or math.isnan(stated):
        return []
    computed = _agreement(figures.values, stated, candidates)
    if computed is None:
        return []
    other = figures.other
    fits_other = other is not None and _agreement(other, other[row], candidates) is None
    more_en = " They add up with the separators read the other way." if fits_other else ""
    more_vi = " Đọc dấu phân cách theo cách kia thì cộng đúng." if fits_other else ""
    return [
        layout_note(
            layout.sheet,
            "total_mismatch",
            "warning",
            f"The stated total is {_show(stated)}, but its parts add up to {_show(computed)}.{more_en}",
            f"Số tổng ghi là {_show(stated, vi=True)}, nhưng các thành phần cộng lại là "
            f"{_show(computed, vi=True)}.{more_vi}",
            remedy_en="Check the total and the rows above it.",
            remedy_vi="Đề nghị kiểm tra lại số tổng và các dòng thành phần.",
            row=row,
            col=col,
            raw=str(layout.sheet.cell(row, col)),
        )
    ]


def _agreement(
    values: dict[int, float], stated: float, candidates: Sequence[Sequence[int]]
) -> float | None:
    """Return the first sum when none of the candidates adds up; None when one does or none is known."""
    first: float | None = None
    for rows in candidates:
        numbers = [values[r] for r in rows if r in values]
        total = math.fsum(numbers) if numbers else math.nan
        if math.isnan(total):
            continue
        if total == stated or abs(total - stated) <= _tolerance([*numbers, stated]):
            return None
        first = total if first is None else first
    return first


class _Sums:
    """Which rows a stated sum may stand for."""

    def __init__(self, layout: Layout, table: Table) -> None:
        self.kinds = layout.kinds
        self.table = table
        hidden = (r for r, kind in layout.hidden_kinds.items() if kind == RowKind.DATA)
        shown = table.data_rows
        within = [r for r in hidden if table.first_row <= r <= table.last_row]
        # A total may have been taken over rows that were hidden afterwards.
        self.readings = [shown, *([tuple(sorted([*shown, *within]))] if within else [])]
        inside = range(table.first_row, table.last_row + 1)
        named = [
            (r, kind)
            for r, kind in zip(
                inside, self.kinds[table.first_row - 1 : table.last_row], strict=True
            )
            if kind is not RowKind.DATA
        ]
        self.subtotals = [
            r for r, kind in named if kind == RowKind.SUBTOTAL and not _is_of_which(layout, r)
        ]
        totals = [r for r, kind in named if kind == RowKind.TOTAL]
        self.stated = sorted([*totals, *self.subtotals])
        self.rows = sorted({*(r for rows in self.readings for r in rows), *self.stated})
        # A grand total reaches to the next grand total, a subtotal to any other edge.
        self.total_edges = totals
        self.edges = sorted([*self.stated, *(r for r, kind in named if kind == RowKind.SECTION)])

    def parts(self, row: int) -> list[Sequence[int]]:
        """Return the sets of rows a stated sum may stand for, the likeliest first."""
        is_total = self.kinds[row - 1] == RowKind.TOTAL
        edges = self.total_edges if is_total else self.edges
        at = bisect_right(edges, row)
        low = edges[at - 2] if at >= 2 else 0
        high = edges[at] if at < len(edges) else self.table.last_row + 1
        options: list[Sequence[int]] = []
        for data in self.readings:
            middle = bisect_right(data, row)
            above = data[bisect_right(data, low) : middle]
            below = data[middle : bisect_right(data, high - 1)]
            near = [below, above] if row in self.table.sections else [above, below]
            options += [data, self.subtotals, *near] if is_total else near
        return [rows for rows in options if rows]


def _is_of_which(layout: Layout, row: int) -> bool:
    return any(isinstance(v, str) and is_of_which(v) for v in layout.sheet.rows[row - 1][:4])


def _tolerance(values: Iterable[float]) -> float:
    numbers = list(values)
    if all(v.is_integer() for v in numbers):
        return 0.0
    digits = max(len(f"{v:.6f}".rstrip("0").split(".")[1]) for v in numbers)
    return 0.5 * 10.0**-digits * len(numbers) + 1e-9 * max(map(abs, numbers))


def _show(value: float, *, vi: bool = False) -> str:
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    if vi:
        return text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    return text
