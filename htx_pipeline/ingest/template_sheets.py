"""The sheets of a template, one by one: data, lists, organisations, help, marker.

What belongs here: formats, headings, dropdowns and input rules, the help page, drawn from the schemas.
What does not: putting the sheets together (`template_write`), and their sentences (`template_texts`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from htx_pipeline.errors import InputError
from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.formula_text import safe_text
from htx_pipeline.ingest.template_form import (
    DATA_SHEET,
    FIRST_ROW,
    FORMAT,
    HEADING_ROW,
    HELP_SHEET,
    LIST_SHEET,
    MARK,
    ORGANISATION_SHEET,
    Money,
    asked_columns,
    choices_of,
    described,
    entered_as,
    reporting_year,
    schema_hash,
    unit_vi,
)
from htx_pipeline.ingest.template_styles import Styles
from htx_pipeline.ingest.template_texts import grain_of, guidance, title_of
from htx_pipeline.schemas import Column, Table, structural_rules

if TYPE_CHECKING:
    import polars as pl

_NEWEST_DATE: Final = date(2099, 12, 31)
_OLDEST_DATE: Final = date(1945, 1, 1)


@dataclass(frozen=True)
class Form:
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
        return unit_vi(column, self.money)


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
    longest = max((len(x) for x in choices_of(column)), default=0)
    return min(max(_WIDTHS[entered_as(column)], longest + 4), 34)


def data_sheet(ws: Any, sheet: Form, style: Styles, ranges: dict[str, str], names: int) -> None:
    """Write the sheet that is filled in."""
    columns = sheet.columns
    title, title_en = title_of(sheet.table.name)
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


def _cell_format(column: Column, sheet: Form, style: Styles) -> Any:
    kind = entered_as(column)
    if column.name.endswith("_year"):
        return style.by_kind["text"] if kind == "text" else style.by_kind["number"]
    return style.by_kind["million" if kind == "money" and sheet.money == "million" else kind]


def _print_setup(ws: Any, sheet: Form, *, wide: bool) -> None:
    ws.set_landscape()
    ws.set_paper(8)
    ws.fit_to_pages(2 if wide else 1, 0)
    ws.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    ws.repeat_rows(HEADING_ROW - 1, FIRST_ROW - 2)
    if wide:
        ws.repeat_columns(0, 3)
    ws.set_footer(f"&L&8{title_of(sheet.table.name)[0]} – {sheet.period}&R&8Trang &P/&N")


def _limited(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _entry_rule(c: Column, sheet: Form, ranges: dict[str, str], names: int) -> dict[str, Any]:
    """Return the data validation of a column: the structural rule, in Excel's terms."""
    texts = {
        str(r["meta"]["rule_id"]).rsplit(".", 1)[-1]: r["meta"]
        for r in structural_rules(sheet.table)
        if str(r["meta"]["rule_id"]).split(".")[1] == c.name
    }
    cell = f"{column_letters(sheet.columns.index(c) + 2)}{FIRST_ROW}"
    unit = sheet.unit(c)
    kind = entered_as(c)
    stop = "stop" if c.limit_action == "reject" else "warning"
    rule: dict[str, Any] = {
        "ignore_blank": True,
        "error_type": "stop",
        "error_title": "Số liệu chưa đúng",
    }
    hint = ""
    match kind:
        case "flag" | "code":
            choices = ("Có", "Không") if kind == "flag" else choices_of(c)
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


def list_sheet(ws: Any, sheet: Form) -> dict[str, str]:
    """Write the dropdown values; return column name → range."""
    lists = {c.name: choices_of(c) for c in sheet.columns if entered_as(c) == "code"}
    lists["flag"] = ("Có", "Không")
    ranges = {}
    for at, (name, values) in enumerate(lists.items()):
        ws.write_string(0, at, name)
        for row, value in enumerate(values, 1):
            ws.write_string(row, at, value)
        letter = column_letters(at + 1)
        ranges[name] = f"='{LIST_SHEET}'!${letter}$2:${letter}${len(values) + 1}"
    return ranges


def organisation_sheet(ws: Any, style: Styles, organisations: pl.DataFrame) -> int:
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


def help_sheet(ws: Any, sheet: Form, style: Styles) -> None:
    """Write the sheet that says how to fill in the other."""
    title, _ = title_of(sheet.table.name)
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
        "grain": grain_of(sheet.table.name),
        "deadline": f"{sheet.due:%d/%m/%Y}",
    }
    row = 3
    for number, line in enumerate(guidance(), 1):
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


def _example(c: Column, example: str, sheet: Form) -> str:
    """Write an example as a Vietnamese sheet shows it; money examples are in million đồng."""
    if not example or entered_as(c) not in {"money", "whole", "amount"} or c.name.endswith("_year"):
        return example
    value = float(example) * (1_000_000 if c.unit == "VND" and sheet.money == "dong" else 1)
    text = f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def _how_to_enter(c: Column, sheet: Form) -> str:
    match entered_as(c):
        case "flag":
            return "Chọn: Có, Không."
        case "code":
            return f"Chọn: {', '.join(choices_of(c))}."
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


def marker_sheet(ws: Any, sheet: Form) -> None:
    """Write what lets a filled template be recognised."""
    facts = {
        "mark": MARK, "format": str(FORMAT), "template": sheet.template, "table": sheet.table.name, "period": sheet.period,
        "money": sheet.money, "schema": schema_hash(sheet.table),
        "columns": json.dumps(described(sheet.table), ensure_ascii=False, sort_keys=True),
    }  # fmt: skip
    for row, (key, value) in enumerate(facts.items()):
        ws.write_string(row, 0, key)
        ws.write_string(row, 1, value)
