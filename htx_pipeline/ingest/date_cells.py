"""The cells of a column of dates, taken apart: day, month, year as they stand, and what else a cell says.

What belongs here: from text to its parts with the kind of each cell. What does not: which part is the day
(`date_order`) and which date it is (`date_values`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.ingest.names import ascii_lower

_TWO_DIGIT_PIVOT: Final = 50
"""Two-digit years below this are 20yy, from it on 19yy: the first cooperatives date from 1955."""
YEARS: Final = (1800, 2199)
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


def parts_of(distinct: pl.DataFrame) -> pl.DataFrame:
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


def full_year(value: pl.Expr, text: pl.Expr) -> pl.Expr:
    century = pl.when(value < _TWO_DIGIT_PIVOT).then(2000).otherwise(1900)
    return (
        pl.when(text.str.len_bytes() == 2)
        .then(value + century)
        .when(text.str.len_bytes() == 4)
        .then(value)
    )
