"""One column of cells to one typed series: the step between a sheet and a canonical table.

What belongs here: choosing the parser by the canonical column's type, and applying a mapping's rule
(values, extract, unit, conventions). What does not: finding the column in a sheet (`ingest.read`) or
parsing numbers, dates and text (`ingest.numbers`, `ingest.dates`, `ingest.encodings`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl

from htx_pipeline.ingest import dates, numbers
from htx_pipeline.ingest.mapping import ColumnRule, UnitRule
from htx_pipeline.ingest.value_notes import empty_notes, join_notes, note_rows
from htx_pipeline.ingest.workbook import cell_text as workbook_text
from htx_pipeline.schemas.base import Column

_TRUE: Final = frozenset(
    {"x", "có", "co", "yes", "y", "true", "đúng", "1", "✓", "✔", "v", "oui", "vrai"}
)
_FALSE: Final = frozenset(
    {"không", "khong", "no", "n", "false", "sai", "0", "-", "–", "—", "non", "faux"}
)


@dataclass(frozen=True)
class ParsedColumn:
    """A typed series, the notes about its cells, and what was decided for the column as a whole."""

    values: pl.Series
    notes: pl.DataFrame
    remarks: tuple[tuple[str, str, str], ...] = ()
    """(rule, reason_vi, reason_en) for the column as a whole."""


def normal(text: str) -> str:
    """Return *text* for comparing headings and codes: NFC, one space, no case, no outer punctuation.

    Examples
    --------
    >>> normal("  Doanh  thu\\n(triệu đồng) ")
    'doanh thu (triệu đồng)'
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip(" .:*").casefold()


def cell_text(value: Any) -> str | None:
    """Return a cell as text without loss: 42 not 42.0, dates as ISO, empty as None.

    Examples
    --------
    >>> [cell_text(v) for v in (42.0, 0.1, dt.date(2024, 6, 1), "  ", True)]
    ['42', '0.1', '2024-06-01', None, 'TRUE']
    """
    text = workbook_text(value)
    return (text.strip() or None) if text is not None else None


def texts(cells: Sequence[Any]) -> pl.Series:
    """Return the cells as a String series."""
    return pl.Series("cells", [cell_text(v) for v in cells], dtype=pl.String)


def _number_cells(cells: Sequence[Any]) -> tuple[pl.Series, pl.Series]:
    """Split cells into those that are numbers in the workbook and those that are text."""
    typed = [
        float(v) if isinstance(v, int | float | Decimal) and not isinstance(v, bool) else None
        for v in cells
    ]
    text = [None if t is not None else cell_text(v) for v, t in zip(cells, typed, strict=True)]
    return pl.Series("cells", typed, dtype=pl.Float64), pl.Series("cells", text, dtype=pl.String)


def _parse_number(
    cells: Sequence[Any],
    column: Column,
    rule: ColumnRule,
    *,
    units: dict[str, UnitRule],
    stated: str | None,
) -> ParsedColumn:
    as_integer = column.dtype.is_integer()
    unit = rule.unit if rule.unit is not None else stated
    foreign = units.get(unit) if unit is not None else None
    target = column.unit if column.unit is not None else None
    if foreign is not None or target is None:
        source_unit, target = None, None
    else:
        source_unit = unit if unit is not None else target
    typed, text = _number_cells(cells)
    exact = as_integer and foreign is None
    from_typed = numbers.typed_numbers(
        typed, unit=source_unit, target_unit=target, as_integer=exact
    )
    from_text = numbers.parse_numbers(
        text, convention=rule.number, unit=source_unit, target_unit=target, as_integer=exact
    )
    values = from_typed.values.zip_with(from_typed.values.is_not_null(), from_text.values)
    if foreign is not None:
        values = (values.cast(pl.Float64) * foreign.factor).cast(pl.Float64)
        values = values.round().cast(pl.Int64) if as_integer else values
    remarks: list[tuple[str, str, str]] = []
    if from_text.is_ambiguous:
        remarks.append(("ambiguous_convention", from_text.reason_vi, from_text.reason_en))
    if foreign is not None and rule.unit is not None:
        known_vi = "" if foreign.is_verified else " (chưa xác minh)"
        known_en = "" if foreign.is_verified else " (unverified)"
        remarks.append(
            (
                "converted_unit",
                f"Quy đổi 1 {rule.unit} = {foreign.factor:g} {foreign.unit}{known_vi}: {foreign.note}",
                f"Converted at 1 {rule.unit} = {foreign.factor:g} {foreign.unit}{known_en}: {foreign.note}",
            )
        )
    return ParsedColumn(
        values.cast(column.dtype), join_notes([from_typed.notes, from_text.notes]), tuple(remarks)
    )


def _stated_unit(column: Column, heading: str, sheet_unit: str | None) -> str | None:
    """Return the unit in the heading; for money, else the one stated above the table."""
    unit = numbers.unit_of_heading(heading)
    if unit is None and sheet_unit is not None and column.unit == "VND":
        above = numbers.unit_of_heading(f"ĐVT: {sheet_unit}")
        return above if above is not None and above.endswith("VND") else None
    return unit


def _parse_date(cells: Sequence[Any], rule: ColumnRule) -> ParsedColumn:
    typed = [
        v.date() if isinstance(v, dt.datetime) else v if isinstance(v, dt.date) else None
        for v in cells
    ]
    rest = [None if t is not None else cell_text(v) for v, t in zip(cells, typed, strict=True)]
    parsed = dates.parse_dates(pl.Series("cells", rest, dtype=pl.String), convention=rule.date)
    known = pl.Series("cells", typed, dtype=pl.Date)
    remarks = (
        (
            (
                "ambiguous_date_order",
                "Có ngày đọc được theo hai cách (ngày/tháng, tháng/ngày).",
                "Some dates have two readings (day/month, month/day).",
            ),
        )
        if parsed.is_ambiguous
        else ()
    )
    return ParsedColumn(known.zip_with(known.is_not_null(), parsed.values), parsed.notes, remarks)


def _extract(values: pl.Series, rule: ColumnRule) -> pl.Series:
    return values.str.extract(rule.extract, 1).str.strip_chars() if rule.extract else values


def _parse_code(cells: Sequence[Any], column: Column, rule: ColumnRule) -> ParsedColumn:
    raw = _extract(texts(cells), rule)
    table = {normal(c.code): c.code for c in column.codes}
    table |= {normal(c.label_en): c.code for c in column.codes}
    table |= {normal(c.label_vi): c.code for c in column.codes}
    table |= {normal(k): v for k, v in rule.values.items()}
    blank = rule.values.get("")
    codes = [
        blank if v is None else table.get(normal(v), rule.other if rule.other is not None else v)
        for v in raw.to_list()
    ]
    return ParsedColumn(pl.Series("cells", codes, dtype=pl.String), empty_notes())


def _parse_boolean(cells: Sequence[Any], rule: ColumnRule) -> ParsedColumn:
    table: dict[str, bool] = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
    table |= {normal(k): v.casefold() in {"true", "1", "yes"} for k, v in rule.values.items()}
    blank = rule.values.get("")
    blank_value = None if blank is None else blank.casefold() in {"true", "1", "yes"}
    raw = _extract(texts(cells), rule).to_list()
    out = [
        v if isinstance(v, bool) else blank_value if r is None else table.get(normal(r))
        for v, r in zip(cells, raw, strict=True)
    ]
    bad = pl.DataFrame(
        {
            "index": [
                i
                for i, (r, o) in enumerate(zip(raw, out, strict=True))
                if r is not None and o is None
            ]
        },
        schema={"index": pl.UInt32},
    )
    notes = note_rows(
        bad,
        code="not_yes_or_no",
        detail_vi="Không hiểu là có hay không.",
        detail_en="Neither yes nor no.",
    )
    return ParsedColumn(pl.Series("cells", out, dtype=pl.Boolean), notes)


def _parse_text(cells: Sequence[Any], rule: ColumnRule) -> ParsedColumn:
    values = texts(cells)
    values = values.str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars()
    values = _extract(values, rule)
    if rule.values:
        table = {normal(k): v for k, v in rule.values.items()}
        values = pl.Series(
            "cells",
            [None if v is None else table.get(normal(v), v) for v in values.to_list()],
            dtype=pl.String,
        )
    values = values.set(values == "", None)
    return ParsedColumn(values, empty_notes())


def parse_column(
    cells: Sequence[Any],
    column: Column,
    rule: ColumnRule,
    *,
    units: dict[str, UnitRule],
    heading: str,
    sheet_unit: str | None = None,
) -> ParsedColumn:
    """Parse the cells of one sheet column into the canonical column's type.

    Parameters
    ----------
    cells:
        Python cells: str, int, float, bool, date, datetime or None.
    column, rule:
        The canonical column and the mapping's rule for it.
    units:
        Units the mapping defines.
    heading:
        The heading as written; a unit in it counts when the rule names none.
    sheet_unit:
        The unit stated above the table ("triệu đồng"); counts for money when neither names one.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> column = TABLES["cooperative_reports"]["revenue_vnd"]
    >>> rule = ColumnRule(source="Doanh thu", unit="million VND")
    >>> parse_column([1500, "2,5 tỷ", None], column, rule, units={}, heading="Doanh thu").values.to_list()
    [1500000000, 2500000000, None]
    """
    if rule.fill_down:
        given = sum(cell_text(v) is not None for v in cells)
        cells = _fill_down(cells)
        filled = sum(cell_text(v) is not None for v in cells) - given
        parsed = parse_column(
            cells,
            column,
            rule.model_copy(update={"fill_down": False}),
            units=units,
            heading=heading,
            sheet_unit=sheet_unit,
        )
        remark = (
            "filled_down",
            f"{filled} ô trống (ô gộp) lấy theo giá trị của dòng trên.",
            f"{filled} empty (merged) cells take the value above.",
        )
        return ParsedColumn(
            parsed.values, parsed.notes, (*parsed.remarks, *([remark] if filled else []))
        )
    if column.dtype == pl.Boolean:
        return _parse_boolean(cells, rule)
    if column.dtype.is_numeric():
        stated = _stated_unit(column, heading, sheet_unit)
        return _parse_number(cells, column, rule, units=units, stated=stated)
    if column.dtype == pl.Date:
        return _parse_date(cells, rule)
    if column.codes:
        return _parse_code(cells, column, rule)
    return _parse_text(cells, rule)


def _fill_down(cells: Sequence[Any]) -> list[Any]:
    filled: list[Any] = []
    last: Any = None
    for value in cells:
        if cell_text(value) is not None:
            last = value
        filled.append(last)
    return filled
