"""What a template is: its sheets and rows, the columns it asks for, its deadline, its version.

What belongs here: what writing a template (`template_write`) and reading a filled one (`template`) must
agree on. What does not: either of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, timedelta
from typing import Any, Final, Literal

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.template_texts import unit_words
from htx_pipeline.schemas import TABLES, Column, Table
from htx_pipeline.settings import PERIODS

Money = Literal["million", "dong"]

TEMPLATES: Final[dict[str, str]] = {t.template: t.name for t in TABLES.values() if t.template}
"""Name of a template (``cooperative-report``, …) → canonical table."""

FORMAT: Final = 1
"""Layout of a template: sheets, rows, marker. Raised when a filled template of before could not be read."""

DATA_SHEET: Final = "SỐ LIỆU"
HELP_SHEET: Final = "HƯỚNG DẪN"
LIST_SHEET: Final = "_danh_muc"
MARKER_SHEET: Final = "_htx_mau"
ORGANISATION_SHEET: Final = "DANH SÁCH HTX"

FEEDBACK_SHEETS: Final = ("LỖI CẦN SỬA", "DANH SÁCH LỖI", "THAY ĐỔI")
"""Sheets that `htx feedback` adds to a sender's workbook; they hold no data and are never read."""

HEADING_ROW: Final = 6
FIRST_ROW: Final = 9
"""Heading in row 6, units in row 7, column numbers in row 8, data from row 9."""

MARK: Final = "htx-template"
"""First cell of the hidden marker."""


def asked_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns a template asks the sender for.

    Examples
    --------
    >>> [c.name for c in asked_columns(TABLES["trainings"])][:3]
    ['tax_code', 'name', 'course']
    """
    return tuple(c for c in table.own_columns if c.asked)


def reporting_year(period: str) -> tuple[date, date]:
    """Return the first and last day of a reporting year.

    Examples
    --------
    >>> [d.isoformat() for d in reporting_year("2025")]
    ['2024-12-15', '2025-12-14']
    """
    year = int(period)
    return date(year - 1, 12, 15), date(year, 12, 14)


def deadline(period: str, *, days: int = 0) -> date:
    """Return the day a report is due: the day after the reporting year, plus *days*.

    Examples
    --------
    >>> deadline("2025").isoformat(), deadline("2025", days=10).isoformat()
    ('2025-12-15', '2025-12-25')
    """
    return reporting_year(period)[1] + timedelta(days=1 + days)


def schema_hash(table: Table) -> str:
    """Return 16 hex digits that change when what a template asks for changes.

    Examples
    --------
    >>> len(schema_hash(TABLES["linkages"]))
    16
    """
    text = json.dumps(described(table), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def described(table: Table) -> list[dict[str, Any]]:
    """Return what a sender meets of each column; kept in the marker, to name differences later."""
    return [
        {
            "name": c.name, "label": c.label_vi, "type": str(c.dtype), "unit": c.unit, "required": c.required,
            "codes": [[x.code, x.label_vi] for x in c.codes], "limits": [c.minimum, c.maximum, c.max_length, c.pattern],
        }
        for c in asked_columns(table)
    ]  # fmt: skip


def table_of(template: str) -> Table:
    """Return the canonical table of a template, by the name of the template."""
    if template not in TEMPLATES:
        raise InputError(
            f"There is no template {template!r}.", remedy=f"Use one of: {', '.join(TEMPLATES)}.",
            what_vi=f"Không có biểu mẫu «{template}».", remedy_vi=f"Chọn một trong: {', '.join(TEMPLATES)}.", code="template_name",
        )  # fmt: skip
    return TABLES[TEMPLATES[template]]


def check_period(period: str) -> None:
    """Refuse a reporting year that is none."""
    if period not in PERIODS:
        raise InputError(
            f"{period!r} is not a reporting year.", remedy=f"Use a year from {PERIODS[0]} to {PERIODS[-1]}.",
            what_vi=f"«{period}» không phải là kỳ báo cáo.", remedy_vi=f"Nhập năm từ {PERIODS[0]} đến {PERIODS[-1]}.", code="period_name",
        )  # fmt: skip


def unit_vi(column: Column, money: Money) -> str:
    """Return the unit as the template writes it; empty when there is none."""
    unit = "million VND" if column.unit == "VND" and money == "million" else column.unit
    return unit_words(unit) if unit else ""


def heading_of(column: Column) -> str:
    """Return the heading of a column in the template: both languages, (*) where it must be filled in."""
    return f"{column.label_vi}{' (*)' if column.required else ''}\n{column.label_en}"


def entered_as(column: Column) -> str:
    """Return how a column is entered: flag, code, tax, date, money, whole, amount or text."""
    import polars as pl

    tests = {
        "flag": column.dtype == pl.Boolean,
        "code": bool(choices_of(column)),
        "tax": column.name == "tax_code" or column.name.endswith("_tax_code"),
        "date": column.dtype == pl.Date,
        "money": column.unit == "VND",
        "whole": column.dtype.is_integer(),
        "amount": column.dtype.is_numeric(),
    }
    return next((kind for kind, holds in tests.items() if holds), "text")


def choices_of(column: Column) -> tuple[str, ...]:
    """Return what a dropdown offers: labels of the codes, or the branches of a plain pattern."""
    if column.codes:
        return tuple(c.label_vi for c in column.codes)
    found = re.fullmatch(r"\^\(([^()\[\]{}.*+?\\^$]+)\)\$", column.pattern or "")
    return tuple(found[1].split("|")) if found else ()
