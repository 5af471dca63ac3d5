"""One column of cells to one typed series: the step between a sheet and a canonical table.

What belongs here: choosing the parser by the canonical column's type, and applying a mapping's rule
(values, extract, unit, conventions). What does not: finding the column in a sheet (`ingest.read`) or
parsing numbers, dates and text (`ingest.numbers`, `ingest.dates`, `ingest.encodings`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.ingest import dates, grid, number_units, numbers
from htx_pipeline.ingest.grid import Cells
from htx_pipeline.ingest.mapping import ColumnRule, UnitRule
from htx_pipeline.ingest.number_units import parse_unit
from htx_pipeline.ingest.personal import without_personal_numbers
from htx_pipeline.ingest.value_notes import empty_notes, join_notes, note_rows
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
    >>> from datetime import date
    >>> [cell_text(v) for v in (42.0, 0.1, date(2024, 6, 1), "  ", True)]
    ['42', '0.1', '2024-06-01', None, 'TRUE']
    """
    text = grid.cell_text(value)
    return (text.strip() or None) if text is not None else None


def texts(cells: Sequence[Any] | Cells) -> pl.Series:
    """Return the cells as a String series; blanks alone are null.

    Examples
    --------
    >>> texts([42.0, " x ", ""]).to_list()
    ['42', 'x', None]
    """
    return Cells.of(cells).text


def _parse_number(
    cells: Cells,
    column: Column,
    rule: ColumnRule,
    *,
    units: dict[str, UnitRule],
    stated: str | None,
    heading: str = "",
) -> ParsedColumn:
    as_integer = column.dtype.is_integer()
    unit = rule.unit if rule.unit is not None else stated
    foreign = units.get(unit) if unit is not None else None
    target = column.unit if column.unit is not None else None
    if foreign is not None or target is None:
        source_unit, target = None, None
    else:
        source_unit = unit if unit is not None else target
    typed = cells.numbers
    text = cells.text_not_numbers
    exact = as_integer and foreign is None
    from_typed = numbers.typed_numbers(
        typed, unit=source_unit, target_unit=target, as_integer=exact
    )
    values, notes = from_typed.values, [from_typed.notes]
    remarks: list[tuple[str, str, str]] = []
    if text.null_count() < len(text):
        from_text = numbers.parse_numbers(
            text, convention=rule.number, unit=source_unit, target_unit=target, as_integer=exact
        )
        values = values.zip_with(values.is_not_null(), from_text.values)
        notes.append(from_text.notes)
        if from_text.is_ambiguous:
            remarks.append(("ambiguous_convention", from_text.reason_vi, from_text.reason_en))
    if foreign is not None:
        values = (values.cast(pl.Float64) * foreign.factor).cast(pl.Float64)
        values = values.round().cast(pl.Int64) if as_integer else values
    if target == "share" and source_unit is not None and parse_unit(source_unit).exponent == -2:
        notes.append(_small_percents(values))
    is_monthly = (
        foreign is None
        and column.unit == "VND"
        and any(number_units.is_monthly(text) for text in (unit or "", heading))
    )
    if is_monthly:
        values = values * 12
    remarks += _period_and_unit_remarks(
        column, unit, heading, is_monthly=is_monthly, is_filled=values.null_count() < len(values)
    )
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
    return ParsedColumn(values.cast(column.dtype), join_notes(notes), tuple(remarks))


def _small_percents(values: pl.Series) -> pl.DataFrame:
    """Note the cells of a column in percent that may have been meant as shares: 0.85 beside 85."""
    is_small = ((values > 0) & (values <= 0.01)).fill_null(value=False)
    return note_rows(
        pl.DataFrame({"index": is_small.arg_true().cast(pl.UInt32)}),
        code="percent_or_share",
        detail_vi="Cột tính theo phần trăm nhưng ô ghi số không quá 1: đọc là phần trăm; có thể người nhập ghi theo tỷ lệ (0,85 = 85%).",
        detail_en="The column is in percent and the cell is at most 1: read as percent; perhaps a share was meant (0.85 = 85%).",
    )


def _stated_unit(column: Column, heading: str, sheet_unit: str | None) -> str | None:
    """Return the unit in the heading; for money, else the one stated above the table."""
    unit = number_units.unit_of_heading(heading)
    if unit is None and sheet_unit is not None and column.unit == "VND":
        parts = re.split(r"[,;]|\bvà\b", sheet_unit)
        above = (number_units.unit_of_heading(f"ĐVT: {part}") for part in parts)
        return next((u for u in above if u is not None and u.endswith("VND")), None)
    return unit


def _period_and_unit_remarks(
    column: Column, unit: str | None, heading: str, *, is_monthly: bool, is_filled: bool
) -> list[tuple[str, str, str]]:
    """Say where a money column is turned from months into a year, or states no unit that is known."""
    if column.unit != "VND" or not is_filled:
        return []
    if is_monthly:
        return [
            (
                "monthly_to_yearly",
                "Tiêu đề ghi số liệu theo tháng; đã nhân 12 thành số của cả năm.",
                "The heading states an amount per month; it was multiplied by 12.",
            )
        ]
    if unit is not None:
        return []
    return [
        (
            "unit_not_stated",
            f"Không thấy đơn vị tính đã biết ở tiêu đề «{heading}» hay phía trên bảng; tạm đọc là đồng.",
            f"Neither the heading “{heading}” nor a line above the table states a known unit; read as đồng.",
        )
    ]


def _parse_date(cells: Cells, rule: ColumnRule) -> ParsedColumn:
    known = cells.dates
    is_known = known.is_not_null()
    rest = (
        known.cast(pl.String).clear(len(cells))
        if is_known.all()
        else cells.text.set(is_known, None)
    )
    parsed = dates.parse_dates(rest, convention=rule.date)
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


def _parse_code(cells: Cells, column: Column, rule: ColumnRule) -> ParsedColumn:
    raw = _extract(texts(cells), rule)
    table = {normal(c.code): c.code for c in column.codes}
    table |= {normal(c.label_en): c.code for c in column.codes}
    table |= {normal(c.label_vi): c.code for c in column.codes}
    table |= {normal(k): v for k, v in rule.values.items()}
    blank = rule.values.get("")

    def code(value: str) -> str:
        return table.get(normal(value), rule.other if rule.other is not None else value)

    codes = _by_distinct(raw, code, pl.String())
    if blank is not None:
        codes = codes.fill_null(blank)
    return ParsedColumn(codes, empty_notes())


def _by_distinct(raw: pl.Series, meaning: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
    """Return what each text means, asked once for every distinct text."""
    distinct = raw.drop_nulls().unique(maintain_order=True)
    meant = pl.Series([meaning(v) for v in distinct], dtype=dtype)
    return raw.replace_strict(distinct, meant, default=None, return_dtype=dtype)


def _parse_boolean(cells: Cells, rule: ColumnRule) -> ParsedColumn:
    table: dict[str, bool] = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
    table |= {normal(k): v.casefold() in {"true", "1", "yes"} for k, v in rule.values.items()}
    blank = rule.values.get("")
    raw = _extract(texts(cells), rule)
    out = _by_distinct(raw, lambda v: table.get(normal(v)), pl.Boolean())
    if blank is not None:
        out = out.zip_with(
            raw.is_not_null(), _constant(blank.casefold() in {"true", "1", "yes"}, len(raw))
        )
    out = cells.flags.zip_with(cells.flags.is_not_null(), out)
    bad = pl.DataFrame({"index": (raw.is_not_null() & out.is_null()).arg_true().cast(pl.UInt32)})
    notes = note_rows(
        bad,
        code="not_yes_or_no",
        detail_vi="Không hiểu là có hay không.",
        detail_en="Neither yes nor no.",
    )
    return ParsedColumn(out.alias("cells"), notes)


def _constant(value: Any, length: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, length)


def _parse_text(cells: Cells, rule: ColumnRule) -> ParsedColumn:
    values = texts(cells)
    values = values.str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars()
    values = _extract(values, rule)
    if rule.values:
        table = {normal(k): v for k, v in rule.values.items()}
        values = _by_distinct(values, lambda v: table.get(normal(v), v), pl.String())
    values = values.set((values == "").fill_null(value=False), None).alias("cells")
    values, is_personal = without_personal_numbers(values)
    notes = note_rows(
        pl.DataFrame({"index": is_personal.arg_true().cast(pl.UInt32)}),
        code="personal_data_removed",
        detail_vi="Đã bỏ số điện thoại, email hoặc số định danh cá nhân khỏi nội dung ô.",
        detail_en="A phone number, e-mail address or personal number was taken out of the text.",
    )
    return ParsedColumn(values, notes)


def parse_column(
    cells: Sequence[Any] | Cells,
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
        A column of a `grid.Grid`, or Python cells: str, int, float, bool, date, datetime or None.
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
    cells = Cells.of(cells)
    if rule.fill_down:
        there = cells.text.is_not_null().to_numpy()
        last = np.maximum.accumulate(np.where(there, np.arange(len(cells)), -1))
        start = int((last < 0).sum())
        filled = len(cells) - start - int(there.sum())
        cells = Cells.of([None] * start).joined(cells.take(last[start:]))
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
        return _parse_number(cells, column, rule, units=units, stated=stated, heading=heading)
    if column.dtype == pl.Date:
        return _parse_date(cells, rule)
    if column.codes:
        return _parse_code(cells, column, rule)
    return _parse_text(cells, rule)
