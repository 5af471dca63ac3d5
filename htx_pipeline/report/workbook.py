"""Every number of the pages in one XLSX file, with its source line.

What belongs here: one sheet for each kind of table, raw values, Vietnamese headings.
What does not: choosing or computing figures (`model`).

Text is written as text (never as a formula, number or link, whatever it looks like); the creation date
is the data's, so the same report gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Field, Hidden, Page, Report, Table
from htx_pipeline.report.workbook_words import (
    DICTIONARY,
    FIRST,
    SOURCE_FIELDS,
    line_sources,
    question_of,
    write_dictionary,
)

FORMATS: Final[dict[str, str]] = {
    "count": "#,##0",
    "money": "#,##0",
    "share": "0.0%",
    "ha": "#,##0.0",
    "tonnes": "#,##0.0",
    "number": "#,##0.00",
    "date": "dd/mm/yyyy",
}
LONGEST_NAME: Final = 31
RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")
"""How text begins that a spreadsheet might take for a formula once it is copied or saved as CSV."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """One line of the first sheet."""

    sheet: str
    question: str
    title: str
    rows: int
    caution: str
    source: str


def write_workbook(report: Report) -> bytes:
    """Return the workbook of *report* as bytes.

    Sheets: "Cần bảng nào" (question → sheet, what to beware of), one for each kind of table, "Từ điển".
    Each line names its figures' id and its source files, sheets and rows; see `trace`. Tables of the same kind
    from several clusters share a sheet, with the cluster's name and code in front.
    """
    import xlsxwriter

    options = report.settings
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        },
    )
    made: datetime = options.timestamp.replace(tzinfo=None)
    book.set_properties({"title": report.overview.title, "subject": report.overview.subtitle, "author": options.title, "created": made})  # fmt: skip
    book.set_size(2400, 1400)
    style = _Styles(book)
    mark = text.SYNTHETIC_MARK if options.is_synthetic else ""

    sheets: dict[str, list[tuple[Page, Table]]] = {}
    for page in report.pages:
        for table in page.tables:
            entries = sheets.setdefault(table.sheet, [])
            if not any(p is page and t.id == table.id for p, t in entries):
                entries.append((page, table))

    contents = book.add_worksheet(FIRST)
    listing: list[_Listed] = []
    lines = line_sources(report)
    for name, entries in sheets.items():
        rows = _sheet(book, name, entries, style=style, mark=mark, report=report, lines=lines)
        table = entries[0][1]
        title = table.title if len(entries) == 1 else _kind(entries)
        caution = next((n for n in table.notes if "Bảng in" not in n), "")
        listing.append(
            _Listed(name, question_of(name, title), title, rows, caution, table.source.line)
        )
    write_dictionary(book.add_worksheet(DICTIONARY), sheets, style)
    _contents(contents, listing, style, mark, report)
    book.close()
    return buffer.getvalue()


def _kind(entries: Sequence[tuple[Page, Table]]) -> str:
    clusters = sum(p.cluster_id is not None for p, _ in entries)
    return (
        f"{entries[0][1].sheet} ({text.number(clusters)} cụm)" if clusters else entries[0][1].sheet
    )


class _Styles:
    def __init__(self, book: Any) -> None:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
        self.title = book.add_format({**base, "bold": True, "font_size": 14})
        self.note = book.add_format({**base, "italic": True, "font_color": "#4B5563"})
        self.mark = book.add_format({**base, "bold": True, "font_color": "#9B1C1C"})
        self.head = book.add_format({**base, "bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#EEF3F7", "top": 2, "bottom": 1})  # fmt: skip
        self.text = book.add_format({**base, "num_format": "@"})
        self.quoted = book.add_format({**base, "num_format": "@", "quote_prefix": True})
        self.wrap = book.add_format({**base, "num_format": "@", "text_wrap": True, "indent": 1})
        self.link = book.add_format({**base, "font_color": "#0B4F80", "underline": 1})
        self.null = book.add_format({**base, "align": "right", "font_color": "#4B5563"})
        self.kinds = {k: book.add_format({**base, "num_format": f}) for k, f in FORMATS.items()}
        self.totals = {
            k: book.add_format({**base, "num_format": f, "bold": True, "top": 1}) for k, f in FORMATS.items()
        }  # fmt: skip
        self.total_text = book.add_format({**base, "num_format": "@", "bold": True, "top": 1})


def _sheet(
    book: Any,
    name: str,
    entries: Sequence[tuple[Page, Table]],
    *,
    style: _Styles,
    mark: str,
    report: Report,
    lines: Mapping[str, Mapping[str, str]],
) -> int:
    sheet = book.add_worksheet(name[:LONGEST_NAME])
    stacked = len({p.id for p, _ in entries}) > 1
    fields = [*_fields(entries), *SOURCE_FIELDS]
    lead = [Field(key="_scope", label="Phạm vi", width=2.0), Field(key="_id", label="Mã cụm", kind="code", width=1.2)] if stacked else []  # fmt: skip
    columns = [*lead, *fields]
    title = _kind(entries) if stacked else entries[0][1].title
    sheet.write_string(0, 0, f"{title} – kỳ {report.period}", style.title)
    line = 1
    if mark:
        sheet.write_string(line, 0, mark, style.mark)
        line += 1
    notes = list(dict.fromkeys(n for _, t in entries for n in t.footnotes if "Bảng in " not in n))
    ids = list(
        dict.fromkeys(f"{p.id}/{f.id}" for p, t in entries for f in p.figures if f.data is t)
    )
    charts = [f"Số liệu của hình: {text.listing(ids, most=4, of='hình')}"] if ids else []
    for note in [
        entries[0][1].source.line if not stacked else _joint_source(entries, report),
        *charts,
        *notes,
        "Mã của một số liệu: «Mã dòng»/tên cột trong trang «Từ điển»; tra dòng nguồn bằng lệnh htx trace",
    ]:
        sheet.write_string(line, 0, note, style.note)
        line += 1
    line += 1
    head = line
    for j, field in enumerate(columns):
        sheet.write_string(head, j, field.full_heading, style.head)
    rows = 0
    longest = [len(f.full_heading) for f in columns]
    for page, table in entries:
        for key, own in zip(table.names, table.rows, strict=True):
            line += 1
            rows += 1
            row = {**own, **lines.get(f"{page.id}/{table.id}/{key}", {})}
            scope = {
                "_scope": page.summary.get("name", report.settings.whole_label),
                "_id": page.cluster_id or "–",
            }
            _row(
                sheet,
                line,
                columns,
                {**scope, **row} if stacked else row,
                style=style,
                longest=longest,
            )
    if not stacked and entries[0][1].total:
        line += 1
        _row(sheet, line, columns, entries[0][1].total, style=style, longest=longest, total=True)
    if rows:
        sheet.autofilter(head, 0, head + rows, len(columns) - 1)
    sheet.freeze_panes(head + 1, 0)
    for j, field in enumerate(columns):
        width = min(52, max(10, longest[j] * (1.05 if not field.is_number else 0.62) + 2))
        sheet.set_column(j, j, width if field not in SOURCE_FIELDS else 24)
    # The printed sheet ends before the sources of its lines; on the screen they follow.
    sheet.print_area(0, 0, line, max(len(columns) - len(SOURCE_FIELDS) - 1, 0))
    sheet.set_row(head, 48)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    if mark:
        sheet.set_header(f"&C{mark}")
    sheet.set_footer("&C&P / &N")
    return rows


def _joint_source(entries: Sequence[tuple[Page, Table]], report: Report) -> str:
    count = len({t.source.line for _, t in entries})
    if count == 1:
        return entries[0][1].source.line
    return (
        f"Nguồn: các dòng số liệu đứng sau từng phạm vi, xem trang «Tệp nguồn» và báo cáo PDF của cụm; "
        f"kỳ {report.period}."
    )


def _fields(entries: Sequence[tuple[Page, Table]]) -> list[Field]:
    """Return the fields of all tables of a sheet, in order of first appearance."""
    fields: dict[str, Field] = {}
    for _, table in entries:
        for field in (*table.fields, *table.more):
            fields.setdefault(field.key, field)
    return list(fields.values())


def _row(
    sheet: Any,
    line: int,
    columns: Sequence[Field],
    row: Mapping[str, Any],
    *,
    style: _Styles,
    longest: list[int],
    total: bool = False,
) -> None:
    formats = style.totals if total else style.kinds
    words = style.total_text if total else style.text
    for j, field in enumerate(columns):
        value = row.get(field.key)
        if isinstance(value, Hidden):
            sheet.write_string(line, j, _withheld(field, value), style.null)
        elif value is None or value == "":
            if not total:
                sheet.write_string(line, j, text.NULL_MARK, style.null)
        elif field.kind == "date" and isinstance(value, date):
            sheet.write_datetime(line, j, value, formats["date"])
        elif field.is_number and isinstance(value, int | float):
            sheet.write_number(
                line,
                j,
                value,
                formats[
                    "count" if field.kind == "number" and isinstance(value, int) else field.kind
                ],
            )
            longest[j] = max(longest[j], len(field.show(value)))
        else:
            shown = str(value)
            own = words if not shown.startswith(RISKY) else style.quoted
            sheet.write_string(line, j, shown[:32_767], own)
            longest[j] = max(longest[j], len(shown))


def _withheld(field: Field, value: Hidden) -> str:
    """Return what stands for a withheld value: its class of size, money in đồng."""
    if not value.has_class:
        return text.HIDDEN_MARK
    if field.kind == "money":
        return f"{value.words(scale=1e9)} {text.UNITS['vi'][0]}"
    return value.words()


def _contents(
    sheet: Any,
    listing: Sequence[_Listed],
    style: _Styles,
    mark: str,
    report: Report,
) -> None:
    sheet.write_string(0, 0, report.overview.title, style.title)
    sheet.write_string(
        1,
        0,
        f"{report.overview.subtitle}; số liệu đến ngày {text.day(report.settings.as_of)}",
        style.note,
    )
    line = 2
    for words in (report.settings.kind_label, *([mark] if mark else [])):
        sheet.write_string(line, 0, words, style.mark)
        line += 1
    for words in (
        f"“{text.NULL_MARK}”: không có số liệu; không phải số 0. “{text.HIDDEN_MARK}”: không công bố, vì từ số này suy ra "
        "được số liệu của một vài đơn vị. Số nêu thành khoảng (“1–5 tỷ đồng”: từ 1 đến dưới 5) cũng vì lý do ấy.",
        "Tiền ghi bằng đồng, tỷ lệ ghi bằng phần trăm, diện tích bằng ha, khối lượng bằng tấn.",
    ):
        sheet.write_string(line, 0, words, style.note)
        line += 1
    line += 1
    headings = ("Cần biết gì?", "Trang tính", "Nội dung", "Số dòng", "Lưu ý khi dùng", "Nguồn")
    for j, words in enumerate(headings):
        sheet.write_string(line, j, words, style.head)
    head = line
    for one in listing:
        line += 1
        quoted = one.sheet[:LONGEST_NAME].replace("'", "''")
        sheet.write_string(line, 0, one.question, style.wrap)
        sheet.write_url(line, 1, f"internal:'{quoted}'!A1", style.link, one.sheet)
        sheet.write_string(line, 2, one.title, style.wrap)
        sheet.write_number(line, 3, one.rows, style.kinds["count"])
        sheet.write_string(line, 4, one.caution, style.wrap)
        sheet.write_string(line, 5, one.source, style.wrap)
        texts = (one.question, one.title, one.caution, one.source)
        sheet.set_row(
            line,
            15 * max(-(-len(t) // w) for t, w in zip(texts, (40, 40, 48, 56), strict=True)) + 2,
        )
    sheet.autofilter(head, 0, line, len(headings) - 1)
    sheet.freeze_panes(head + 1, 2)
    for j, width in enumerate((44, 24, 44, 9, 52, 60)):
        sheet.set_column(j, j, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
