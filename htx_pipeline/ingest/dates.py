"""Dates as senders write them, and the reporting year they fall in.

What belongs here: the order of day and month of a whole column, the reading of each cell, how
precise it is, and Excel serial numbers. What does not: whether a date is allowed (in the future,
before the registration): those are rules in `expectations/`.

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
from htx_pipeline.ingest.names import ascii_lower
from htx_pipeline.ingest.value_notes import join_notes, note_rows, notes_where

ORDERS: Final = ("auto", "dmy", "mdy", "ymd")
PRECISIONS: Final = ("day", "month", "year")

_TWO_DIGIT_PIVOT: Final = 50
"""Two-digit years below this are 20yy, from it on 19yy: the first cooperatives date from 1955."""
_YEARS: Final = (1800, 2199)
_SERIALS: Final = (1, 2_958_465)
"""Serial numbers Excel knows: up to 31/12/9999."""
_TEXT_SERIALS: Final = (10_000, 99_999)
"""Serials believed in text cells: five digits, 18/05/1927 to 13/10/2173. Fewer may be a year."""

_MONTHS: Final = {
    "jan": 1, "january": 1, "janvier": 1, "feb": 2, "february": 2, "fevrier": 2,
    "mar": 3, "march": 3, "mars": 3, "apr": 4, "april": 4, "avril": 4, "may": 5, "mai": 5,
    "jun": 6, "june": 6, "juin": 6, "jul": 7, "july": 7, "juillet": 7, "aug": 8, "august": 8,
    "aout": 8, "sep": 9, "sept": 9, "september": 9, "septembre": 9, "oct": 10, "october": 10,
    "octobre": 10, "nov": 11, "november": 11, "novembre": 11, "dec": 12, "december": 12,
    "decembre": 12,
}  # fmt: skip
_TIME: Final = (
    r"(?:[ t][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[ap]m)?(?:z|[+-][0-9:]+)?)?"
)
_EMPTY: Final = (
    r"^(?:[-–—_.…/\\]+|x|n/?a|null|nan|nat|none|khong|khong co|chua|chua co|chua ro|khong ro"
    r"|chua co so lieu)$"
)
_OPEN: Final = (
    r"^(?:den nay|hien nay|nay|vo thoi han|khong thoi han|khong xac dinh(?: thoi han)?"
    r"|dang thuc hien|lau dai)$"
)


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
    parts = _parts(distinct)
    counts = frame.group_by("text", maintain_order=True).len().select("text", n="len")
    choice = _decide(parts.join(counts, on="text", maintain_order="left"), convention)
    read = _read(parts, choice.convention, excel_1904=excel_1904)
    cells = frame.join(read, on="text", how="left", maintain_order="left")

    def scatter(rows: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.Series:
        blank = pl.Series(raw.name, [None], dtype=dtype).new_from_index(0, len(raw))
        return blank.scatter(rows.get_column("index"), rows.get_column(column))

    alternative = None
    notes = [_notes(cells)]
    if choice.is_ambiguous:
        other = "mdy" if choice.convention != "mdy" else "dmy"
        again = _read(parts, other, excel_1904=excel_1904)
        swapped = frame.join(again, on="text", how="left", maintain_order="left")
        alternative = scatter(swapped, "value", pl.Date())
        notes.append(_ambiguity_note(cells, swapped))
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
    low = 0 if excel_1904 else _SERIALS[0]
    in_range = serial.is_between(low, _SERIALS[1] - (1462 if excel_1904 else 0))
    days = pl.when(in_range).then(serial).cast(pl.Int64)
    if excel_1904:
        offset = days + (dt.date(1904, 1, 1) - dt.date(1970, 1, 1)).days
    else:
        epoch = (dt.date(1899, 12, 30) - dt.date(1970, 1, 1)).days
        offset = pl.when(days < 60).then(days + epoch + 1).when(days > 60).then(days + epoch)
    return frame.select(offset.cast(pl.Int32).cast(pl.Date).alias(serials.name)).to_series()


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


# --- taking cells apart ----------------------------------------------------------------------


def _parts(distinct: pl.DataFrame) -> pl.DataFrame:
    """Give each distinct cell a ``form`` and its parts a, b, c in the order written."""
    frame = distinct.with_columns(
        folded=ascii_lower(pl.col("text"))
        .str.replace(r"^\s*'", "")
        .str.replace_all(r"[−‐‑–—]", "-")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(" ,;")
    )
    folded = pl.col("folded")
    numeric = folded.str.extract_groups(
        r"^(?:ngay )?(?P<a>[0-9]{1,4}) ?[/.\-] ?(?P<b>[0-9]{1,2}) ?[/.\-] ?(?P<c>[0-9]{1,4})"
        rf"{_TIME}$"
    )
    words = folded.str.extract_groups(
        r"^(?:[^0-9]*, ?)?(?:ngay ?)?(?P<a>[0-9]{1,2}) ?(?:thang|/|th) ?(?P<b>[0-9]{1,2})"
        r",? ?(?:nam|/) ?(?P<c>[0-9]{2,4})$"
    )
    month_year = folded.str.extract_groups(
        r"^(?:thang|th\.?|t)? ?(?P<b>[0-9]{1,2}) ?(?:/|-|\.|nam|,)? ?(?:nam )?(?P<c>[0-9]{4})$"
    )
    month_short = folded.str.extract_groups(
        r"^(?:thang|th\.?|t) ?(?P<b>[0-9]{1,2}) ?(?:/|-|nam) ?(?P<c>[0-9]{2})$"
    )
    year_month = folded.str.extract_groups(r"^(?P<c>[0-9]{4}) ?[/\-.] ?(?P<b>[0-9]{1,2})$")
    day_name = folded.str.extract_groups(
        r"^(?P<a>[0-9]{1,2})(?:st|nd|rd|th|er)?[ \-]+(?P<m>[a-z]{3,9})\.?,?[ \-]+(?P<c>[0-9]{2,4})$"
    )
    name_day = folded.str.extract_groups(
        r"^(?P<m>[a-z]{3,9})\.? (?P<a>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<c>[0-9]{4})$"
    )
    name_year = folded.str.extract_groups(r"^(?P<m>[a-z]{3,9})\.?[ \-]+(?P<c>[0-9]{2,4})$")
    frame = frame.with_columns(
        numeric=numeric,
        words=words,
        month_year=month_year,
        month_short=month_short,
        year_month=year_month,
        day_name=day_name,
        name_day=name_day,
        name_year=name_year,
        eight=folded.str.extract(r"^([0-9]{8})$"),
        year=folded.str.extract(r"^(?:nam )?([0-9]{4})(?:\.0+)?$"),
        serial=folded.str.extract(r"^([0-9]{5}(?:\.[0-9]+)?)$"),
    )

    def has(struct: str) -> pl.Expr:
        return pl.col(struct).struct.field("c").is_not_null()

    form = (
        pl.when(folded == "")
        .then(pl.lit("blank"))
        .when(folded.str.contains(_EMPTY))
        .then(pl.lit("empty_mark"))
        .when(folded.str.contains(_OPEN))
        .then(pl.lit("open_ended"))
        .when(has("numeric"))
        .then(pl.lit("numeric"))
        .when(has("words"))
        .then(pl.lit("words"))
        .when(pl.col("year").is_not_null())
        .then(pl.lit("year"))
        .when(pl.col("serial").is_not_null())
        .then(pl.lit("serial"))
        .when(pl.col("eight").is_not_null())
        .then(pl.lit("eight"))
        .when(folded.str.contains(r"^(?:quy|q) ?(?:[1-4]|i{1,3}|iv)(?:[ /,.\-]|$)"))
        .then(pl.lit("quarter_only"))
        .when(has("month_year"))
        .then(pl.lit("month_year"))
        .when(has("month_short"))
        .then(pl.lit("month_short"))
        .when(has("year_month"))
        .then(pl.lit("year_month"))
        .when(has("day_name"))
        .then(pl.lit("day_name"))
        .when(has("name_day"))
        .then(pl.lit("name_day"))
        .when(has("name_year"))
        .then(pl.lit("name_year"))
        .otherwise(pl.lit("not_a_date"))
    )
    frame = frame.with_columns(form=form)

    def pick(field: str, *structs: str) -> pl.Expr:
        return pl.coalesce(
            pl.when(pl.col("form") == s).then(pl.col(s).struct.field(field)) for s in structs
        )

    month_name = pick("m", "day_name", "name_day", "name_year").replace_strict(
        list(_MONTHS), list(_MONTHS.values()), default=None, return_dtype=pl.Int32
    )
    year_text = pick(
        "c",
        "numeric",
        "words",
        "month_year",
        "month_short",
        "year_month",
        "day_name",
        "name_day",
        "name_year",
    )
    first = pick("a", "numeric", "words", "day_name", "name_day")
    second = pick("b", "numeric", "words", "month_year", "month_short", "year_month")
    return frame.select(
        "text",
        "form",
        "eight",
        "serial",
        a_text=first,
        c_text=year_text,
        a=first.cast(pl.Int32, strict=False),
        b=pl.coalesce(second.cast(pl.Int32, strict=False), month_name),
        c=pl.coalesce(year_text, pl.when(pl.col("form") == "year").then("year")).cast(
            pl.Int32, strict=False
        ),
        has_bad_name=pl.col("form").is_in(["day_name", "name_day", "name_year"])
        & month_name.is_null(),
    )


@dataclass(frozen=True)
class _Choice:
    convention: str
    is_ambiguous: bool
    reason_vi: str
    reason_en: str


def _is_year_first() -> pl.Expr:
    return pl.col("a_text").str.len_bytes() >= 3


def _is_unsure() -> pl.Expr:
    """Both orders of day and month give a date, and not the same one."""
    year = _full_year(pl.col("c"), pl.col("c_text"))
    months = pl.col("a").is_between(1, 12) & pl.col("b").is_between(1, 12)
    return months & (pl.col("a") != pl.col("b")) & year.is_between(*_YEARS).fill_null(value=False)


def _decide(parts: pl.DataFrame, convention: str) -> _Choice:
    numeric = parts.filter((pl.col("form") == "numeric") & ~_is_year_first())
    if convention != "auto":
        return _Choice(
            convention,
            False,
            "Thứ tự ngày, tháng được khai báo trong tệp ánh xạ nguồn.",
            "The order of day and month is fixed by the source mapping.",
        )
    a, b, c = pl.col("a"), pl.col("b"), pl.col("c")
    short = pl.col("c_text").str.len_bytes() <= 2
    evidence = {
        "dmy": numeric.filter((a > 12) & (a <= 31) & (b <= 12)),
        "mdy": numeric.filter((b > 12) & (b <= 31) & (a <= 12)),
        "ymd": numeric.filter(short & (a > 31) & (b <= 12) & (c <= 31)),
    }
    count = {name: int(frame.get_column("n").sum()) for name, frame in evidence.items()}
    unsure = numeric.filter(_is_unsure())
    used = max(("dmy", "mdy", "ymd"), key=lambda name: count[name])
    if not count[used]:
        n_first = int(parts.filter(pl.col("form") == "numeric").get_column("n").sum())
        n_first -= int(numeric.get_column("n").sum())
        if not unsure.height:
            order = "ymd" if n_first and not numeric.height else "dmy"
            return _Choice(
                order,
                False,
                "Không ô nào có hai cách đọc.",
                "No cell has two readings.",
            )
        sample = str(unsure.get_column("text").min())
        return _Choice(
            "dmy",
            True,
            f"Không ô nào cho biết “{sample}” là ngày/tháng hay tháng/ngày; "
            "tạm đọc ngày/tháng/năm.",
            f"No cell settles the order in “{sample}”; read as day/month/year.",
        )
    total = sum(count.values())
    sample = str(evidence[used].get_column("text").min())
    vi = f"{count[used]} ô chỉ đọc được theo một thứ tự, ví dụ “{sample}”"
    en = f"{count[used]} cells can be read in one order only, such as “{sample}”"
    if total > count[used]:
        vi += f"; {total - count[used]} ô viết theo thứ tự khác"
        en += f"; {total - count[used]} cells are in another order"
    return _Choice(used, total > count[used] and unsure.height > 0, vi + ".", en + ".")


# --- reading them ----------------------------------------------------------------------------


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
    fine = year.is_between(*_YEARS) & month.is_between(1, 12) & (day >= 1) & (day <= last)
    return pl.when(fine).then(
        pl.date(
            pl.when(fine).then(year).otherwise(2000),
            pl.when(fine).then(month).otherwise(1),
            pl.when(fine).then(day).otherwise(1),
        )
    )


def _full_year(value: pl.Expr, text: pl.Expr) -> pl.Expr:
    century = pl.when(value < _TWO_DIGIT_PIVOT).then(2000).otherwise(1900)
    return (
        pl.when(text.str.len_bytes() == 2)
        .then(value + century)
        .when(text.str.len_bytes() == 4)
        .then(value)
    )


def _read(parts: pl.DataFrame, order: str, *, excel_1904: bool) -> pl.DataFrame:
    """Read each distinct cell in the given order: value, precision, what to say about it."""
    a, b, c, form = pl.col("a"), pl.col("b"), pl.col("c"), pl.col("form")
    a_text, c_text, eight = pl.col("a_text"), pl.col("c_text"), pl.col("eight")
    serial = excel_serial_to_date(
        parts.get_column("serial").cast(pl.Float64), excel_1904=excel_1904
    )
    is_month = form.is_in(["month_year", "month_short", "year_month", "name_year"])
    frame = parts.with_columns(
        serial_date=serial,
        year_last=_full_year(c, c_text),
        year_front=_full_year(a, a_text),
        is_year_first=(form == "numeric") & _is_year_first(),
        is_open_order=(form == "numeric") & ~_is_year_first(),
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
        pl.when((form == "numeric") & (_is_year_first() | (order == "ymd")))
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
        is_unsure=(form == "numeric") & ~_is_year_first() & _is_unsure(),
        failed=pl.when(~got & ~says_nothing).then(
            pl.when(pl.col("has_bad_name"))
            .then(pl.lit("not_a_date"))
            .otherwise(pl.lit("impossible_date"))
        ),
    )


def _december(text: str) -> pl.Expr:
    """The addition to a note about a bare month: December is in two reporting years."""
    return pl.when(pl.col("value").dt.month() == 12).then(pl.lit(f"; {text}")).otherwise(pl.lit(""))


def _notes(cells: pl.DataFrame) -> pl.DataFrame:
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


def _ambiguity_note(cells: pl.DataFrame, swapped: pl.DataFrame) -> pl.DataFrame:
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
