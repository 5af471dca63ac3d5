"""The date each cell stands for in the order chosen, how precise it is, and the notes of each cell.

What belongs here: years of two digits, months and years alone, serial numbers, dates that cannot be, and
dates that have another reading. What does not: taking a cell apart (`date_cells`) and the choice of the
order (`date_order`).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from htx_pipeline.ingest.date_cells import YEARS, full_year
from htx_pipeline.ingest.date_order import begins_with_year, has_two_orders
from htx_pipeline.ingest.value_notes import note_rows, notes_where

SERIALS: Final = (1, 2_958_465)
"""Serial numbers Excel knows: up to 31/12/9999."""


def excel_serial_to_date(serials: pl.Series, *, excel_1904: bool = False) -> pl.Series:
    """Turn Excel serial numbers into dates; the time of day is dropped.

    Excel believes that 1900 was a leap year: serial 60 is 29/02/1900, a day that never was (null
    here), and serials below it are one day further on than the ones above.

    Examples
    --------
    >>> excel_serial_to_date(pl.Series([59, 60, 61, 45275])).to_list()[0]
    datetime.date(1900, 2, 28)
    """
    frame = pl.DataFrame({"serial": serials.cast(pl.Float64, strict=False).floor()})
    serial = pl.col("serial")
    low = 0 if excel_1904 else SERIALS[0]
    in_range = serial.is_between(low, SERIALS[1] - (1462 if excel_1904 else 0))
    days = pl.when(in_range).then(serial).cast(pl.Int64)
    if excel_1904:
        offset = days + (dt.date(1904, 1, 1) - dt.date(1970, 1, 1)).days
    else:
        epoch = (dt.date(1899, 12, 30) - dt.date(1970, 1, 1)).days
        offset = pl.when(days < 60).then(days + epoch + 1).when(days > 60).then(days + epoch)
    return frame.select(offset.cast(pl.Int32).cast(pl.Date).alias(serials.name)).to_series()


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """A date, null where there is no such day."""
    last = (
        pl.when(month.is_in([4, 6, 9, 11]))
        .then(30)
        .when(month != 2)
        .then(31)
        .when((year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)))
        .then(29)
        .otherwise(28)
    )
    fine = year.is_between(*YEARS) & month.is_between(1, 12) & (day >= 1) & (day <= last)
    return pl.when(fine).then(
        pl.date(
            pl.when(fine).then(year).otherwise(2000),
            pl.when(fine).then(month).otherwise(1),
            pl.when(fine).then(day).otherwise(1),
        )
    )


def read_cells(parts: pl.DataFrame, order: str, *, excel_1904: bool) -> pl.DataFrame:
    """Read each distinct cell in the given order: value, precision, what to say about it."""
    a, b, c, form = pl.col("a"), pl.col("b"), pl.col("c"), pl.col("form")
    a_text, c_text, eight = pl.col("a_text"), pl.col("c_text"), pl.col("eight")
    serial = excel_serial_to_date(
        parts.get_column("serial").cast(pl.Float64), excel_1904=excel_1904
    )
    is_month = form.is_in(["month_year", "month_short", "year_month", "name_year"])
    frame = parts.with_columns(
        serial_date=serial,
        year_last=full_year(c, c_text),
        year_front=full_year(a, a_text),
        is_year_first=(form == "numeric") & begins_with_year(),
        is_open_order=(form == "numeric") & ~begins_with_year(),
        # Eight digits: a year in front if the rest can be month and day.
        is_front_eight=eight.str.contains(r"^(?:1[89]|2[01])[0-9]{2}(?:0[1-9]|1[0-2])"),
    )
    places = {"dmy": (c, b, a), "mdy": (c, a, b), "ymd": (a, b, c)}
    year, month, day = places[order]
    year = pl.col("year_front") if order == "ymd" else pl.col("year_last")
    one = pl.lit(1, dtype=pl.Int32)

    def digits(start: int, length: int) -> pl.Expr:
        return eight.str.slice(start, length).cast(pl.Int32, strict=False)

    def chosen(open_order: pl.Expr, year_first: pl.Expr, front: pl.Expr, back: pl.Expr,
               other: pl.Expr) -> pl.Expr:  # fmt: skip
        return (
            pl.when("is_open_order")
            .then(open_order)
            .when("is_year_first")
            .then(year_first)
            .when(form == "eight")
            .then(pl.when("is_front_eight").then(front).otherwise(back))
            .otherwise(other)
        )

    written = pl.when(form == "year").then(c).otherwise("year_last")
    frame = frame.with_columns(
        y=chosen(year, pl.col("year_front"), digits(0, 4), digits(4, 4), written),
        m=chosen(
            month, b, digits(4, 2), digits(2, 2), pl.when(form == "year").then(one).otherwise(b)
        ),
        d=chosen(
            day,
            c,
            digits(6, 2),
            digits(0, 2),
            pl.when(is_month | (form == "year")).then(one).otherwise(a),
        ),
    )
    other = next(name for name in ("dmy", "mdy") if name != order)
    _, other_month, other_day = places[other]
    front_fits = pl.col("is_open_order") & (a > 31)
    frame = frame.with_columns(
        first=_date(pl.col("y"), pl.col("m"), pl.col("d")),
        y2=pl.when(front_fits).then("year_front").otherwise("year_last"),
        m2=pl.when(front_fits).then(b).otherwise(other_month),
        d2=pl.when(front_fits).then(c).otherwise(other_day),
    )
    frame = frame.with_columns(
        first=pl.coalesce("first", "serial_date"),
        fallback=pl.when("is_open_order").then(_date(pl.col("y2"), pl.col("m2"), pl.col("d2"))),
    )
    frame = frame.with_columns(
        value=pl.coalesce("first", "fallback"),
        is_swapped=pl.col("first").is_null() & pl.col("fallback").is_not_null(),
    )
    got = pl.col("value").is_not_null()
    says_nothing = form.is_in(["blank", "empty_mark", "open_ended", "quarter_only", "not_a_date"])
    year_written = (
        pl.when((form == "numeric") & (begins_with_year() | (order == "ymd")))
        .then(a_text)
        .otherwise(c_text)
    )
    return frame.select(
        "text",
        "value",
        "form",
        "is_swapped",
        precision=pl.when(got).then(
            pl.when(is_month)
            .then(pl.lit("month"))
            .when(form == "year")
            .then(pl.lit("year"))
            .otherwise(pl.lit("day"))
        ),
        is_short_year=got & (year_written.str.len_bytes() <= 2),
        is_unsure=(form == "numeric") & ~begins_with_year() & has_two_orders(),
        failed=pl.when(~got & ~says_nothing).then(
            pl.when(pl.col("has_bad_name"))
            .then(pl.lit("not_a_date"))
            .otherwise(pl.lit("impossible_date"))
        ),
    )


def _december(text: str) -> pl.Expr:
    """The addition to a note about a bare month: December is in two reporting years."""
    return pl.when(pl.col("value").dt.month() == 12).then(pl.lit(f"; {text}")).otherwise(pl.lit(""))


def cell_notes(cells: pl.DataFrame) -> pl.DataFrame:
    form, text = pl.col("form"), pl.col("text").str.strip_chars()
    got = pl.col("value").is_not_null()
    shown = pl.col("value").dt.strftime("%d/%m/%Y")
    table: list[tuple[str, pl.Expr, str | pl.Expr, str | pl.Expr]] = [
        (
            "not_a_date",
            (form == "not_a_date") | (pl.col("failed") == "not_a_date"),
            "Ô không phải là ngày tháng.",
            "The cell is not a date.",
        ),
        (
            "impossible_date",
            pl.col("failed") == "impossible_date",
            pl.format("“{}”: không có ngày này.", text),
            pl.format("“{}”: there is no such day.", text),
        ),
        (
            "quarter_only",
            form == "quarter_only",
            "Ô chỉ ghi quý.",
            "The cell gives only a quarter.",
        ),
        (
            "empty_mark",
            form == "empty_mark",
            "Ô ghi dấu gạch hoặc “không”: hiểu là không có ngày.",
            "The cell holds a dash or “none”: read as no date.",
        ),
        (
            "open_ended",
            form == "open_ended",
            "Ô ghi không có thời hạn hoặc đến nay: để trống ngày.",
            "The cell says without end or until now: no date.",
        ),
        (
            "two_digit_year",
            pl.col("is_short_year"),
            pl.format("“{}”: năm ghi hai chữ số, đọc là {}.", text, shown),
            pl.format("“{}”: a two-digit year, read as {}.", text, shown),
        ),
        (
            "undelimited_date",
            got & (form == "eight"),
            pl.format("“{}” không có dấu phân cách, đọc là {}.", text, shown),
            pl.format("“{}” has no separators, read as {}.", text, shown),
        ),
        (
            "month_only",
            got & (pl.col("precision") == "month"),
            pl.format(
                "Ô chỉ ghi tháng: lấy ngày {}{}.",
                shown,
                _december("tháng 12 thuộc hai năm báo cáo"),
            ),
            pl.format(
                "The cell gives only a month: {} was taken{}.",
                shown,
                _december("December lies in two reporting years"),
            ),
        ),
        (
            "year_only",
            got & (pl.col("precision") == "year"),
            pl.format("Ô chỉ ghi năm: lấy ngày {}.", shown),
            pl.format("The cell gives only a year: {} was taken.", shown),
        ),
        (
            "excel_serial",
            got & (form == "serial"),
            pl.format("“{}” là số thứ tự ngày của Excel: {}.", text, shown),
            pl.format("“{}” is an Excel serial number: {}.", text, shown),
        ),
        (
            "date_order_conflict",
            got & pl.col("is_swapped"),
            pl.format("“{}” viết khác thứ tự của cột, đọc là {}.", text, shown),
            pl.format("“{}” is not in the column's order, read as {}.", text, shown),
        ),
    ]
    return notes_where(cells, table)


def ambiguity_note(cells: pl.DataFrame, swapped: pl.DataFrame) -> pl.DataFrame:
    """One note for the column, at its first cell with two readings."""
    unsure = cells.filter("is_unsure")
    first = unsure.head(1)
    other = swapped.join(first.select("index"), on="index", how="semi")
    text = str(first.get_column("text")[0]).strip()
    one = f"{first.get_column('value')[0]:%d/%m/%Y}"
    two = f"{other.get_column('value')[0]:%d/%m/%Y}"
    return note_rows(
        first,
        code="ambiguous_date_order",
        detail_vi=f"“{text}” đọc là {one}; cũng có thể là {two} ({unsure.height} ô như vậy).",
        detail_en=f"“{text}” was read as {one}; it may be {two} ({unsure.height} such cells).",
    )
