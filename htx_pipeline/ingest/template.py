"""Templates we issue: written from the schemas, and read back without a mapping.

What belongs here: the workbook of one table and one reporting year (`write_template`), the marker
that lets a filled one be read (`mapping_of_template`), and the message when it is of another version.
What does not: the sentences of the workbook (`ingest.template_texts`) and reading rows (`ingest.read`).

The marker only says which table, year and money unit a file is of; the mapping is built from today's
schemas. A file whose columns are not today's is refused with the differences, never read half.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import mapping as source_mapping
from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.formula_text import safe_text
from htx_pipeline.ingest.template_texts import GRAINS, GUIDANCE, TITLES, UNITS_VI
from htx_pipeline.schemas import TABLES, Column, Table, structural_rules
from htx_pipeline.settings import PERIODS

if TYPE_CHECKING:
    import polars as pl

    from htx_pipeline.ingest.workbook import Workbook

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

_MARK: Final = "htx-template"
_ID: Final = re.compile(r"^template_([a-z_]+)_(\d{4})_(million|dong)$")
_NEWEST_DATE: Final = date(2099, 12, 31)
_OLDEST_DATE: Final = date(1945, 1, 1)
_MAX_ROWS: Final = 20_000


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
    text = json.dumps(_described(table), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _described(table: Table) -> list[dict[str, Any]]:
    """Return what a sender meets of each column; kept in the marker, to name differences later."""
    return [
        {
            "name": c.name, "label": c.label_vi, "type": str(c.dtype), "unit": c.unit, "required": c.required,
            "codes": [[x.code, x.label_vi] for x in c.codes], "limits": [c.minimum, c.maximum, c.max_length, c.pattern],
        }
        for c in asked_columns(table)
    ]  # fmt: skip


# --- reading back -----------------------------------------------------------------------------


def template_mapping(
    template: str, *, period: str, money: Money = "million"
) -> source_mapping.Mapping:
    """Return the mapping that reads a filled template; it depends on the three arguments alone.

    Examples
    --------
    >>> found = template_mapping("linkages", period="2025")
    >>> found.id, found.period.constants, found.columns["paid_value_vnd"].unit
    ('template_linkages_2025_million', ('2025',), 'million VND')
    """
    table = _table_of(template)
    _check_period(period)
    rules: dict[str, source_mapping.ColumnRule] = {}
    for c in asked_columns(table):
        unit = {"million": "million VND", "dong": "VND"}[money] if c.unit == "VND" else None
        unit_vi = _unit_vi(c, money)
        rules[c.name] = source_mapping.ColumnRule(
            source=f"{_heading(c)} / ({unit_vi})" if unit_vi else _heading(c),
            unit=unit,
            date="dmy" if _kind(c) == "date" else "auto",
        )
    return source_mapping.Mapping(
        id=f"template_{template.replace('-', '_')}_{period}_{money}", table=table.name,
        label_vi=f"{TITLES[table.name][0].capitalize()} (biểu mẫu {period})", label_en=f"{TITLES[table.name][1]} (template {period})",
        files=("*.xlsx",), sheet=source_mapping.SheetRule(name=DATA_SHEET), header_rows=(HEADING_ROW, HEADING_ROW + 1),
        period=source_mapping.PeriodRule(constant=period), columns=rules,
    )  # fmt: skip


def mapping_named(
    mapping_id: str, mappings: Mapping[str, source_mapping.Mapping]
) -> source_mapping.Mapping:
    """Return the mapping of that id: one of the given, else the one of a template.

    Examples
    --------
    >>> mapping_named("template_plan_2024_dong", {}).table
    'plan_targets'
    """
    if mapping_id in mappings:
        return mappings[mapping_id]
    found = _ID.match(mapping_id)
    names = {t.replace("-", "_"): t for t in TEMPLATES}
    if found is None or found[1] not in names:
        raise KeyError(mapping_id)
    return template_mapping(
        names[found[1]], period=found[2], money="million" if found[3] == "million" else "dong"
    )


def mapping_of_template(path: Path) -> source_mapping.Mapping | None:
    """Return the mapping of a template we issued, or None for any other file.

    Raises
    ------
    InputError
        ``template_outdated``: its columns are not those of today's template (the differences are
        named); ``template_damaged``: the marker was altered. And what `open_workbook` raises.
    """
    from htx_pipeline.ingest.workbook import open_workbook

    return mapping_of_workbook(open_workbook(path))


def mapping_of_workbook(book: Workbook) -> source_mapping.Mapping | None:
    """Do what `mapping_of_template` does, on an open workbook."""
    found = recognise(book)
    if found is None:
        return None
    if found.error is not None:
        raise found.error
    return found.mapping


@dataclass(frozen=True)
class Recognised:
    """A filled template: the mapping it belongs to, and why it cannot be read when it cannot."""

    mapping: source_mapping.Mapping | None
    error: InputError | None = None


def recognise(book: Workbook) -> Recognised | None:
    """Return what an open workbook is as a template of ours; None when it is none.

    A template of another version still names its mapping, so that the refusal belongs to a table.
    """
    sheet = next(
        (s for s in book.sheets if s.name == MARKER_SHEET and s.visibility != "visible"), None
    )
    if sheet is None:
        return None
    cells = {str(row[0]): str(row[1]) for row in sheet.rows if len(row) > 1 and row[0] != ""}
    if cells.get("mark") != _MARK:
        return None
    template, period = cells.get("template", ""), cells.get("period", "")
    money: Money = "dong" if cells.get("money") == "dong" else "million"
    if template not in TEMPLATES or period not in PERIODS:
        return Recognised(None, _damaged(book, f"template {template!r}, period {period!r}"))
    mapping = template_mapping(template, period=period, money=money)
    table = TABLES[mapping.table]
    if cells.get("format") == str(FORMAT) and cells.get("schema") == schema_hash(table):
        return Recognised(mapping)
    try:
        columns = json.loads(cells.get("columns", ""))
        vi, en = _differences(columns, table)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        return Recognised(
            mapping, _damaged(book, f"its list of columns cannot be read ({type(exc).__name__})")
        )
    return Recognised(
        mapping,
        InputError(
            "The file was filled in on a template of another version.", where=f"{book.info.name} (template {template}, {period})",
            why="; ".join(en) or "the layout of templates changed",
            remedy=f"Send today's template (htx template {template} --period {period}) and have the data copied into it.",
            what_vi=f"Tệp dùng biểu mẫu của phiên bản khác: {'; '.join(vi) or 'bố cục biểu mẫu đã thay đổi'}.",
            remedy_vi="Đề nghị chép số liệu sang biểu mẫu mới nhất rồi gửi lại.", code="template_outdated",
        ),
    )  # fmt: skip


def _damaged(book: Workbook, why: str) -> InputError:
    return InputError(
        "The hidden marker of the template was altered.", where=book.info.name, why=why,
        remedy="Copy the data into a fresh template, or read the file through a source mapping.",
        what_vi="Biểu mẫu đã bị thay đổi nên không nhận ra được.",
        remedy_vi="Đề nghị chép số liệu sang biểu mẫu mới được cấp rồi gửi lại.", code="template_damaged",
    )  # fmt: skip


def _differences(then: list[dict[str, Any]], table: Table) -> tuple[list[str], list[str]]:
    """Say what the template of a file asks for otherwise than today's, in Vietnamese and English."""
    old = {str(c["name"]): c for c in then}
    new = {str(c["name"]): c for c in _described(table)}
    vi: list[str] = []
    en: list[str] = []
    for name in (n for n in new if n not in old):
        vi.append(f"thiếu cột «{new[name]['label']}»")
        en.append(f"column {name} is new")
    for name in (n for n in old if n not in new):
        vi.append(f"cột «{old[name].get('label', name)}» không còn dùng")
        en.append(f"column {name} is no longer asked for")
    words = {
        "label": ("tiêu đề", "heading"), "type": ("kiểu dữ liệu", "type"), "unit": ("đơn vị tính", "unit"),
        "required": ("tính bắt buộc", "being required"), "codes": ("danh mục", "code list"), "limits": ("giới hạn", "limits"),
    }  # fmt: skip
    for name in (n for n in new if n in old):
        changed = [k for k in words if old[name].get(k) != new[name][k]]
        if changed:
            vi.append(f"cột «{new[name]['label']}» đổi {', '.join(words[k][0] for k in changed)}")
            en.append(f"column {name} has another {', '.join(words[k][1] for k in changed)}")
    if not vi and list(old) != list(new):
        vi.append("thứ tự cột đã thay đổi")
        en.append("the order of columns changed")
    return vi, en


def _table_of(template: str) -> Table:
    if template not in TEMPLATES:
        raise InputError(
            f"There is no template {template!r}.", remedy=f"Use one of: {', '.join(TEMPLATES)}.",
            what_vi=f"Không có biểu mẫu «{template}».", remedy_vi=f"Chọn một trong: {', '.join(TEMPLATES)}.", code="template_name",
        )  # fmt: skip
    return TABLES[TEMPLATES[template]]


def _check_period(period: str) -> None:
    if period not in PERIODS:
        raise InputError(
            f"{period!r} is not a reporting year.", remedy=f"Use a year from {PERIODS[0]} to {PERIODS[-1]}.",
            what_vi=f"«{period}» không phải là kỳ báo cáo.", remedy_vi=f"Nhập năm từ {PERIODS[0]} đến {PERIODS[-1]}.", code="period_name",
        )  # fmt: skip


# --- writing ----------------------------------------------------------------------------------


def _kind(column: Column) -> str:
    """Return how a column is entered: flag, code, tax, date, money, whole, amount or text."""
    import polars as pl

    tests = {
        "flag": column.dtype == pl.Boolean,
        "code": bool(_choices(column)),
        "tax": column.name == "tax_code" or column.name.endswith("_tax_code"),
        "date": column.dtype == pl.Date,
        "money": column.unit == "VND",
        "whole": column.dtype.is_integer(),
        "amount": column.dtype.is_numeric(),
    }
    return next((kind for kind, holds in tests.items() if holds), "text")


def _choices(column: Column) -> tuple[str, ...]:
    """Return what a dropdown offers: labels of the codes, or the branches of a plain pattern."""
    if column.codes:
        return tuple(c.label_vi for c in column.codes)
    found = re.fullmatch(r"\^\(([^()\[\]{}.*+?\\^$]+)\)\$", column.pattern or "")
    return tuple(found[1].split("|")) if found else ()


def _heading(column: Column) -> str:
    return f"{column.label_vi}{' (*)' if column.required else ''}\n{column.label_en}"


@dataclass(frozen=True)
class _Sheet:
    """What every part of the writing needs."""

    table: Table
    template: str
    period: str
    money: Money
    last_row: int
    due: date

    @property
    def columns(self) -> tuple[Column, ...]:
        return asked_columns(self.table)

    def unit(self, column: Column) -> str:
        """Return the unit as the template writes it; empty when there is none."""
        return _unit_vi(column, self.money)


def _unit_vi(column: Column, money: Money) -> str:
    unit = "million VND" if column.unit == "VND" and money == "million" else column.unit
    return UNITS_VI.get(unit, unit) if unit else ""


def write_template(
    template: str,
    path: Path,
    *,
    period: str,
    organisations: pl.DataFrame | None = None,
    rows: int = 300,
    money: Money = "million",
    days: int = 0,
) -> Path:
    """Write the template of one table and one reporting year.

    Parameters
    ----------
    template:
        One of `TEMPLATES`: ``registry``, ``cooperative-report``, ``linkages``, ``training``, ``plan``.
    path:
        The .xlsx to write.
    period:
        Reporting year.
    organisations:
        Offered as a list to choose names from (columns ``name``, and where there ``tax_code``,
        ``register_number``, ``place_name``, ``legal_type``), for example ``core/organisations`` of the
        year before. No row is filled in beforehand: a row nobody filled must not pass for a report.
    rows:
        Rows to fill in, 1 to 20,000.
    money:
        Money in million đồng or in đồng.
    days:
        Days added to the deadline, 15 December of the period.

    Raises
    ------
    InputError
        No such template or reporting year; too many rows; the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> made = write_template("training", Path(tempfile.mkdtemp()) / "a.xlsx", period="2025")
    >>> mapping_of_template(made).table
    'trainings'
    """
    content = template_bytes(
        template, period=period, organisations=organisations, rows=rows, money=money, days=days
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        raise InputError(
            "The template could not be written.",
            where=str(path),
            why=str(exc),
            remedy="Choose another place.",
            code="write_failed",
        ) from exc
    return path


def template_bytes(
    template: str,
    *,
    period: str,
    organisations: pl.DataFrame | None = None,
    rows: int = 300,
    money: Money = "million",
    days: int = 0,
) -> bytes:
    """Return what `write_template` writes. Same arguments, same bytes."""
    import xlsxwriter

    table = _table_of(template)
    _check_period(period)
    if not 1 <= rows <= _MAX_ROWS:
        raise InputError(
            f"{rows} rows are not possible.",
            where="rows",
            remedy=f"Use 1 to {_MAX_ROWS:,} rows.",
            code="template_rows",
        )
    sheet = _Sheet(
        table, template, period, money, FIRST_ROW + rows - 1, deadline(period, days=days)
    )
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    start = reporting_year(period)[0]
    book.set_properties(
        {
            "title": f"{TITLES[table.name][0]} – {period}", "subject": f"Biểu mẫu {template}", "author": "htx_pipeline",
            "created": datetime(start.year, start.month, start.day),  # noqa: DTZ001
        }
    )  # fmt: skip
    book.set_size(2400, 1400)
    style = _Styles(book)
    data = book.add_worksheet(DATA_SHEET)
    guide = book.add_worksheet(HELP_SHEET)
    names = (
        _organisation_sheet(book.add_worksheet(ORGANISATION_SHEET), style, organisations)
        if organisations is not None
        else 0
    )
    lists = book.add_worksheet(LIST_SHEET)
    marker = book.add_worksheet(MARKER_SHEET)
    ranges = _list_sheet(lists, sheet)
    _data_sheet(data, sheet, style, ranges, names)
    _help_sheet(guide, sheet, style)
    _marker_sheet(marker, sheet)
    lists.very_hidden()
    marker.very_hidden()
    data.activate()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        book.close()
    return buffer.getvalue()


class _Styles:
    """The formats of a template: one serif-free face, three quiet fills."""

    def __init__(self, book: Any) -> None:
        base = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}
        head = {
            **base,
            "bold": True,
            "text_wrap": True,
            "align": "center",
            "border": 1,
            "border_color": "#8EA4BC",
        }
        cell = {**base, "locked": False, "border": 1, "border_color": "#C9D3DE"}

        def add(**given: Any) -> Any:
            return book.add_format({**base, **given})

        self.title = add(bold=True, font_size=14, font_color="#1F3864")
        self.subtitle = add(font_size=10, font_color="#5A6675", italic=True)
        self.line = add()
        self.bold = add(bold=True)
        self.due = add(bold=True, font_color="#9C2A10")
        self.entry = add(locked=False, bottom=1, bottom_color="#8EA4BC", bg_color="#FFFDF2")
        self.label_run = book.add_format({**base, "bold": True})
        self.star_run = book.add_format({**base, "bold": True, "font_color": "#C00000"})
        self.english_run = book.add_format(
            {**base, "font_size": 8, "font_color": "#5A6675", "italic": True}
        )
        self.heading = book.add_format({**head, "bg_color": "#DCE6F1"})
        self.heading_required = book.add_format({**head, "bg_color": "#FBE5C8"})
        self.unit = book.add_format(
            {**head, "bold": False, "italic": True, "font_size": 9, "bg_color": "#EEF3F8"}
        )
        self.index = book.add_format(
            {**head, "bold": False, "font_size": 8, "font_color": "#5A6675", "bg_color": "#F6F8FB"}
        )
        self.missing = book.add_format({"bg_color": "#F8D3D3"})
        self.by_kind = {
            "text": book.add_format({**cell, "num_format": "@", "text_wrap": True}),
            "tax": book.add_format({**cell, "num_format": "@", "align": "center"}),
            "code": book.add_format({**cell, "num_format": "@"}),
            "flag": book.add_format({**cell, "num_format": "@", "align": "center"}),
            "date": book.add_format({**cell, "num_format": "dd/mm/yyyy", "align": "center"}),
            "whole": book.add_format({**cell, "num_format": "#,##0"}),
            "money": book.add_format({**cell, "num_format": "#,##0"}),
            "million": book.add_format({**cell, "num_format": "#,##0.0"}),
            "amount": book.add_format({**cell, "num_format": "#,##0.00"}),
            "number": book.add_format({**cell, "align": "center", "font_color": "#5A6675"}),
        }
        self.help_head = book.add_format({**head, "bg_color": "#DCE6F1"})
        help_cell = {
            **base,
            "text_wrap": True,
            "valign": "top",
            "border": 1,
            "border_color": "#C9D3DE",
        }
        self.help_cell = book.add_format(help_cell)
        self.help_center = book.add_format({**help_cell, "align": "center"})
        self.help_required = book.add_format(
            {**help_cell, "align": "center", "bold": True, "font_color": "#9C2A10"}
        )
        self.help_example = book.add_format({**help_cell, "font_color": "#1F4E9E"})
        self.help_small = book.add_format({**help_cell, "font_size": 8, "font_color": "#5A6675"})
        self.wrap = add(text_wrap=True, valign="top")


_WIDTHS: Final = {
    "text": 20,
    "tax": 17,
    "code": 19,
    "flag": 11,
    "date": 13,
    "whole": 12,
    "money": 14,
    "amount": 12,
}


def _width(column: Column) -> int:
    if column.name in {
        "name",
        "supplier_name",
        "buyer_name",
        "course",
        "document",
        "indicator_vi",
        "authority",
    }:
        return 34
    longest = max((len(x) for x in _choices(column)), default=0)
    return min(max(_WIDTHS[_kind(column)], longest + 4), 34)


def _data_sheet(ws: Any, sheet: _Sheet, style: _Styles, ranges: dict[str, str], names: int) -> None:
    columns = sheet.columns
    title, title_en = TITLES[sheet.table.name]
    start, end = reporting_year(sheet.period)
    last_col = len(columns)
    ws.set_row(0, 24)
    ws.write_string(0, 0, title, style.title)
    ws.write_string(1, 0, f"{title_en} – reporting year {sheet.period}", style.subtitle)
    ws.write_string(
        2,
        0,
        f"Kỳ báo cáo năm {sheet.period}: từ ngày {start:%d/%m/%Y} đến ngày {end:%d/%m/%Y}",
        style.bold,
    )
    ws.write_string(
        3,
        0,
        f"Hạn gửi: trước ngày {sheet.due:%d/%m/%Y}. Cột có dấu (*) là bắt buộc. Xem trang «{HELP_SHEET}» trước khi nhập.",
        style.due,
    )
    ws.write_string(4, 0, "Đơn vị báo cáo", style.bold)
    ws.write_blank(4, 1, None, style.line)
    ws.merge_range(4, 2, 4, 3, "", style.entry)
    head = HEADING_ROW - 1
    ws.set_row(head, _heading_height(columns))
    ws.set_row(head + 1, 16)
    ws.set_row(head + 2, 13)
    ws.set_column(0, 0, 6)
    ws.write_string(head, 0, "STT", style.heading)
    ws.write_string(head + 1, 0, "", style.unit)
    ws.write_string(head + 2, 0, "A", style.index)
    for at, c in enumerate(columns, 1):
        ws.set_column(at, at, _width(c))
        runs: list[Any] = [style.label_run, c.label_vi]
        if c.required:
            runs += [style.star_run, " (*)"]
        runs += [
            style.english_run,
            f"\n{c.label_en}",
            style.heading_required if c.required else style.heading,
        ]
        ws.write_rich_string(head, at, *runs)
        unit = sheet.unit(c)
        ws.write_string(head + 1, at, f"({unit})" if unit else "", style.unit)
        ws.write_string(head + 2, at, str(at), style.index)
    formats = [style.by_kind["number"]] + [_cell_format(c, sheet, style) for c in columns]
    for row in range(FIRST_ROW - 1, sheet.last_row):
        for at, form in enumerate(formats):
            ws.write_blank(row, at, None, form)
    for at, c in enumerate(columns, 1):
        ws.data_validation(
            FIRST_ROW - 1, at, sheet.last_row - 1, at, _entry_rule(c, sheet, ranges, names)
        )
        if c.required:
            first, last = column_letters(2), column_letters(last_col + 1)
            empty = f"AND(COUNTA(${first}{FIRST_ROW}:${last}{FIRST_ROW})>0,ISBLANK({column_letters(at + 1)}{FIRST_ROW}))"
            ws.conditional_format(
                FIRST_ROW - 1,
                at,
                sheet.last_row - 1,
                at,
                {"type": "formula", "criteria": f"={empty}", "format": style.missing},
            )
    names_at = [i for i, c in enumerate(columns, 1) if c.name in {"name", "document"}] or [0]
    ws.freeze_panes(FIRST_ROW - 1, names_at[0] + 1 if names_at[0] <= 4 else 1)
    ws.protect(
        "",
        {
            "format_columns": True,
            "format_rows": True,
            "format_cells": False,
            "sort": True,
            "autofilter": True,
            "insert_rows": False,
        },
    )
    _print_setup(ws, sheet, wide=sum(_width(c) for c in columns) > 330)


def _heading_height(columns: Iterable[Column]) -> float:
    lines = max(
        -(-int(len(c.label_vi) * 1.15 + 4) // _width(c))
        + 0.8 * -(-int(len(c.label_en) * 0.95 + 2) // _width(c))
        for c in columns
    )
    return min(13 * lines + 6, 110)


def _cell_format(column: Column, sheet: _Sheet, style: _Styles) -> Any:
    kind = _kind(column)
    if column.name.endswith("_year"):
        return style.by_kind["text"] if kind == "text" else style.by_kind["number"]
    return style.by_kind["million" if kind == "money" and sheet.money == "million" else kind]


def _print_setup(ws: Any, sheet: _Sheet, *, wide: bool) -> None:
    ws.set_landscape()
    ws.set_paper(8)
    ws.fit_to_pages(2 if wide else 1, 0)
    ws.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    ws.repeat_rows(HEADING_ROW - 1, FIRST_ROW - 2)
    if wide:
        ws.repeat_columns(0, 3)
    ws.set_footer(f"&L&8{TITLES[sheet.table.name][0]} – {sheet.period}&R&8Trang &P/&N")


def _limited(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _entry_rule(c: Column, sheet: _Sheet, ranges: dict[str, str], names: int) -> dict[str, Any]:
    """Return the data validation of a column: the structural rule, in Excel's terms."""
    texts = {
        str(r["meta"]["rule_id"]).rsplit(".", 1)[-1]: r["meta"]
        for r in structural_rules(sheet.table)
        if str(r["meta"]["rule_id"]).split(".")[1] == c.name
    }
    cell = f"{column_letters(sheet.columns.index(c) + 2)}{FIRST_ROW}"
    unit = sheet.unit(c)
    kind = _kind(c)
    stop = "stop" if c.limit_action == "reject" else "warning"
    rule: dict[str, Any] = {
        "ignore_blank": True,
        "error_type": "stop",
        "error_title": "Số liệu chưa đúng",
    }
    hint = ""
    match kind:
        case "flag" | "code":
            choices = ("Có", "Không") if kind == "flag" else _choices(c)
            rule |= {"validate": "list", "source": ranges["flag" if kind == "flag" else c.name]}
            message = f"«{c.label_vi}»: chọn một trong: {', '.join(choices)}."
        case "tax":
            digits = f'SUBSTITUTE({cell},"-","")'
            rule |= {
                "validate": "custom", "error_type": "warning",
                "value": f"=AND(OR(LEN({digits})=10,LEN({digits})=13),ISNUMBER(VALUE({digits})))",
            }  # fmt: skip
            message = f"«{c.label_vi}» gồm 10 chữ số, hoặc 13 chữ số với đơn vị phụ thuộc. Giữ số 0 ở đầu. Vẫn nhập?"
            hint = "10 hoặc 13 chữ số, giữ số 0 ở đầu."
        case "date":
            rule |= {
                "validate": "date",
                "criteria": "between",
                "minimum": _OLDEST_DATE,
                "maximum": _NEWEST_DATE,
            }
            message = (
                f"«{c.label_vi}»: nhập ngày theo dạng ngày/tháng/năm, ví dụ {sheet.due:%d/%m/%Y}."
            )
            hint = f"Ngày/tháng/năm, ví dụ {sheet.due:%d/%m/%Y}."
        case "whole" | "money" | "amount":
            whole = kind == "whole" or (kind == "money" and sheet.money == "dong")
            low, high = c.minimum, c.maximum
            rule |= {"validate": "integer" if whole else "decimal", "error_type": stop}
            if low is None and high is None:
                rule |= {"criteria": "between", "minimum": -1e15, "maximum": 1e15}
            elif low is not None and high is not None:
                rule |= {"criteria": "between", "minimum": low, "maximum": high}
            else:
                rule |= (
                    {"criteria": ">=", "value": low}
                    if low is not None
                    else {"criteria": "<=", "value": high}
                )
            span = "" if low is None else f" từ {low:,.0f}".replace(",", ".")
            span += "" if high is None else f" đến {high:,.0f}".replace(",", ".")
            what = "số nguyên" if whole else "số"
            message = f"«{c.label_vi}»: chỉ nhập {what}{span}{f', đơn vị tính: {unit}' if unit else ''}. Không ghi kèm chữ."
            hint = f"Đơn vị tính: {unit}." if kind == "money" else ""
        case _:
            limit = c.max_length or 1000
            rule |= {"validate": "length", "criteria": "<=", "value": limit}
            message = (
                texts["length"]["reason_vi"]
                if "length" in texts
                else f"«{c.label_vi}» quá dài (tối đa {limit} ký tự)."
            )
            if (
                names
                and c.name in {"name", "supplier_name", "buyer_name"}
                and sheet.template != "registry"
            ):
                source = f"='{ORGANISATION_SHEET}'!$A$4:$A${names + 3}"
                rule = {
                    "ignore_blank": True, "validate": "list", "source": source, "error_type": "information",
                    "error_title": "Tên chưa có trong danh sách",
                }  # fmt: skip
                message = f"Tên này chưa có trong trang «{ORGANISATION_SHEET}». Vẫn được nhận nếu đúng tên đã đăng ký."
    rule["error_message"] = _limited(message, 255)
    if hint:
        rule |= {"input_title": _limited(c.label_vi, 32), "input_message": _limited(hint, 255)}
    return rule


def _list_sheet(ws: Any, sheet: _Sheet) -> dict[str, str]:
    """Write the dropdown values; return column name → range."""
    lists = {c.name: _choices(c) for c in sheet.columns if _kind(c) == "code"}
    lists["flag"] = ("Có", "Không")
    ranges = {}
    for at, (name, values) in enumerate(lists.items()):
        ws.write_string(0, at, name)
        for row, value in enumerate(values, 1):
            ws.write_string(row, at, value)
        letter = column_letters(at + 1)
        ranges[name] = f"='{LIST_SHEET}'!${letter}$2:${letter}${len(values) + 1}"
    return ranges


def _organisation_sheet(ws: Any, style: _Styles, organisations: pl.DataFrame) -> int:
    """Write the list of known organisations, for copying and for the dropdown; return their number."""
    import polars as pl

    shown = {
        "name": "Tên tổ chức",
        "tax_code": "Mã số thuế",
        "register_number": "Số đăng ký",
        "place_name": "Xã, phường, thị trấn",
    }
    if "name" not in organisations.columns:
        raise InputError(
            "The table of organisations has no column “name”.", where=", ".join(organisations.columns),
            remedy="Give core/organisations of a period.", code="template_organisations",
        )  # fmt: skip
    there = [c for c in shown if c in organisations.columns]
    frame = (
        organisations.select(pl.col(there).cast(pl.String))
        .filter(pl.col("name").is_not_null())
        .unique()
        .sort(there)
    )
    ws.write_string(0, 0, "DANH SÁCH TỔ CHỨC ĐÃ BIẾT", style.title)
    ws.write_string(
        1,
        0,
        "Dùng để chọn hoặc chép tên, mã số sang trang nhập số liệu; không cần sửa trang này.",
        style.subtitle,
    )
    for at, name in enumerate(there):
        ws.set_column(at, at, (44, 18, 20, 26)[at])
        ws.write_string(2, at, shown[name], style.help_head)
    for row, values in enumerate(frame.iter_rows(), 3):
        for at, value in enumerate(values):
            ws.write_string(row, at, safe_text(value) if value is not None else "", style.help_cell)
    ws.freeze_panes(3, 1)
    ws.protect("", {"format_columns": True, "autofilter": True, "sort": True})
    return frame.height


def _help_sheet(ws: Any, sheet: _Sheet, style: _Styles) -> None:
    title, _ = TITLES[sheet.table.name]
    ws.hide_gridlines(2)
    for at, width in enumerate((6, 6, 30, 46, 13, 11, 30, 34, 28)):
        ws.set_column(at, at, width)
    ws.set_row(0, 24)
    ws.write_string(0, 0, f"HƯỚNG DẪN NHẬP BIỂU: {title}", style.title)
    ws.write_string(
        1, 0, f"Kỳ báo cáo năm {sheet.period} – hạn gửi: trước ngày {sheet.due:%d/%m/%Y}", style.due
    )
    facts = {
        "sheet": DATA_SHEET,
        "first_row": FIRST_ROW,
        "grain": GRAINS[sheet.table.name],
        "deadline": f"{sheet.due:%d/%m/%Y}",
    }
    row = 3
    for number, line in enumerate(GUIDANCE, 1):
        ws.write_string(row, 0, f"{number}.", style.bold)
        ws.merge_range(row, 1, row, 7, line.format_map(facts), style.wrap)
        row += 1
    row += 1
    headings = (
        "STT", "Cột", "Tên cột", "Ý nghĩa", "Đơn vị tính", "Bắt buộc", "Cách nhập", "Căn cứ", "Ví dụ",
    )  # fmt: skip
    ws.set_row(row, 22)
    for at, text in enumerate(headings):
        ws.write_string(row, at, text, style.help_head)
    ws.repeat_rows(row)
    for number, c in enumerate(sheet.columns, 1):
        row += 1
        how = _how_to_enter(c, sheet)
        lines = max(
            -(-len(c.meaning_vi) // 44),
            -(-len(c.label_vi) // 28) + 1,
            -(-len(how) // 28),
            -(-len(c.source) // 32),
            -(-len(c.example) // 26),
        )
        ws.set_row(row, 13.5 * lines + 4)
        ws.write_number(row, 0, number, style.help_center)
        ws.write_string(row, 1, column_letters(number + 1), style.help_center)
        ws.write_rich_string(
            row,
            2,
            style.label_run,
            c.label_vi,
            style.english_run,
            f"\n{c.label_en}",
            style.help_cell,
        )
        ws.write_string(row, 3, c.meaning_vi, style.help_cell)
        ws.write_string(row, 4, sheet.unit(c), style.help_center)
        ws.write_string(row, 5, "Bắt buộc" if c.required else "", style.help_required)
        ws.write_string(row, 6, how, style.help_cell)
        ws.write_string(
            row, 7, c.source.replace("(unverified)", "(chưa đối chiếu)"), style.help_small
        )
        ws.write_string(row, 8, _example(c, c.example, sheet), style.help_example)
    ws.write_string(
        row + 2,
        0,
        f"Căn cứ chung: {sheet.table.source}" if sheet.table.source else "",
        style.subtitle,
    )
    ws.set_landscape()
    ws.set_paper(9)
    ws.fit_to_pages(1, 0)
    ws.set_footer("&R&8Trang &P/&N")
    ws.protect("", {"format_columns": True, "format_rows": True})


def _example(c: Column, example: str, sheet: _Sheet) -> str:
    """Write an example as a Vietnamese sheet shows it; money examples are in million đồng."""
    if not example or _kind(c) not in {"money", "whole", "amount"} or c.name.endswith("_year"):
        return example
    value = float(example) * (1_000_000 if c.unit == "VND" and sheet.money == "dong" else 1)
    text = f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def _how_to_enter(c: Column, sheet: _Sheet) -> str:
    match _kind(c):
        case "flag":
            return "Chọn: Có, Không."
        case "code":
            return f"Chọn: {', '.join(_choices(c))}."
        case "tax":
            return "10 hoặc 13 chữ số, dạng văn bản."
        case "date":
            return "Ngày/tháng/năm."
        case "text":
            return f"Chữ, tối đa {c.max_length} ký tự." if c.max_length else "Chữ."
        case kind:
            whole = kind == "whole" or (kind == "money" and sheet.money == "dong")
            low = "" if c.minimum is None else f" từ {c.minimum:g}"
            high = "" if c.maximum is None else f" đến {c.maximum:,.0f}".replace(",", ".")
            more = " trở lên" if low and not high else ""
            return f"{'Số nguyên' if whole else 'Số'}{low}{high}{more}."


def _marker_sheet(ws: Any, sheet: _Sheet) -> None:
    facts = {
        "mark": _MARK, "format": str(FORMAT), "template": sheet.template, "table": sheet.table.name, "period": sheet.period,
        "money": sheet.money, "schema": schema_hash(sheet.table),
        "columns": json.dumps(_described(sheet.table), ensure_ascii=False, sort_keys=True),
    }  # fmt: skip
    for row, (key, value) in enumerate(facts.items()):
        ws.write_string(row, 0, key)
        ws.write_string(row, 1, value)
