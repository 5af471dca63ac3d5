"""Dates as senders write them, and the reporting year they fall in.

What belongs here: the way through a column of dates: its cells taken apart (`date_cells`), the order of day
and month of the whole column (`date_order`), the date of each cell (`date_values`); the reporting year of a
date. What does not: whether a date is allowed (in the future, before the registration): those are rules
in `expectations/`.

The order of a column ("dmy", "mdy", "ymd") is decided by evidence: a first part above 12 says dmy,
a second part above 12 says mdy; the majority wins, a draw and no evidence go to dmy, the order of
Vietnamese documents. Cells that can only be read the other way are read that way and flagged.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.date_cells import parts_of
from htx_pipeline.ingest.date_order import decide_order
from htx_pipeline.ingest.date_values import ambiguity_note, cell_notes, read_cells
from htx_pipeline.ingest.value_notes import join_notes

ORDERS: Final = ("auto", "dmy", "mdy", "ymd")
PRECISIONS: Final = ("day", "month", "year")


@dataclass(frozen=True)
class DateResult:
    """A parsed column.

    Attributes
    ----------
    values:
        Date; null where there is none. A month stands for its first day, a year for 1 January.
    precision:
        "day", "month", "year", null where there is no value.
    notes:
        `value_notes.NOTE_SCHEMA`.
    convention:
        "dmy", "mdy" or "ymd" as used.
    is_ambiguous:
        Whether some cells have two readings and nothing in the column settles them.
    alternative:
        Values in the other order when ambiguous, else None.
    reason_vi, reason_en:
        Why the order was chosen.
    """

    values: pl.Series
    precision: pl.Series
    notes: pl.DataFrame
    convention: str
    is_ambiguous: bool
    alternative: pl.Series | None
    reason_vi: str
    reason_en: str


def parse_dates(
    raw: pl.Series, *, convention: str = "auto", excel_1904: bool = False
) -> DateResult:
    """Parse a text column of dates.

    Parameters
    ----------
    raw:
        String series.
    convention:
        "auto" decides the order of day and month from the column; "dmy", "mdy", "ymd" fix it.
    excel_1904:
        Whether serial numbers count from 1904 (workbooks from old Macs).

    Examples
    --------
    >>> cells = pl.Series(["15/12/2023", "tháng 6/2024", "45275", "2019", "31/02/2024"])
    >>> result = parse_dates(cells)
    >>> [str(v) for v in result.values]
    ['2023-12-15', '2024-06-01', '2023-12-15', '2019-01-01', 'None']
    >>> result.precision.to_list()
    ['day', 'month', 'day', 'year', None]
    """
    if convention not in ORDERS:
        raise InputError(
            f"Unknown date order “{convention}”.",
            remedy=f"Use one of {', '.join(ORDERS)}.",
            code="unknown_convention",
        )
    if raw.dtype == pl.Null:
        raw = raw.cast(pl.String)
    if raw.dtype != pl.String:
        raise TypeError(f"parse_dates reads text, not {raw.dtype}; use excel_serial_to_date")
    index = pl.arange(0, len(raw), eager=True, dtype=pl.UInt32)
    frame = pl.DataFrame({"index": index, "text": raw}).drop_nulls("text")
    distinct = frame.select("text").unique(maintain_order=True)
    parts = parts_of(distinct)
    counts = frame.group_by("text", maintain_order=True).len().select("text", n="len")
    choice = decide_order(parts.join(counts, on="text", maintain_order="left"), convention)
    read = read_cells(parts, choice.convention, excel_1904=excel_1904)
    cells = frame.join(read, on="text", how="left", maintain_order="left")

    def scatter(rows: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.Series:
        blank = pl.Series(raw.name, [None], dtype=dtype).new_from_index(0, len(raw))
        return blank.scatter(rows.get_column("index"), rows.get_column(column))

    alternative = None
    notes = [cell_notes(cells)]
    if choice.is_ambiguous:
        other = "mdy" if choice.convention != "mdy" else "dmy"
        again = read_cells(parts, other, excel_1904=excel_1904)
        swapped = frame.join(again, on="text", how="left", maintain_order="left")
        alternative = scatter(swapped, "value", pl.Date())
        notes.append(ambiguity_note(cells, swapped))
    return DateResult(
        values=scatter(cells, "value", pl.Date()),
        precision=scatter(cells, "precision", pl.String()),
        notes=join_notes(notes),
        convention=choice.convention,
        is_ambiguous=choice.is_ambiguous,
        alternative=alternative,
        reason_vi=choice.reason_vi,
        reason_en=choice.reason_en,
    )


def reporting_year(date: dt.date) -> int:
    """Return the reporting year of a date: 15 December of the year before to 14 December.

    Source: Thông tư 09/2024/TT-BKHĐT, annual report of cooperatives.

    Examples
    --------
    >>> reporting_year(dt.date(2024, 12, 14)), reporting_year(dt.date(2024, 12, 15))
    (2024, 2025)
    """
    return date.year + int((date.month, date.day) >= (12, 15))


def reporting_year_expr(column: pl.Expr) -> pl.Expr:
    """`reporting_year` of a date column, Int32.

    Examples
    --------
    >>> pl.select(reporting_year_expr(pl.lit(dt.date(2024, 12, 15)))).item()
    2025
    """
    starts = (column.dt.month() == 12) & (column.dt.day() >= 15)
    return column.dt.year() + starts.cast(pl.Int32)


def reporting_period(year: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a reporting year.

    Examples
    --------
    >>> reporting_period(2025)
    (datetime.date(2024, 12, 15), datetime.date(2025, 12, 14))
    """
    return dt.date(year - 1, 12, 15), dt.date(year, 12, 14)
