"""What the workbook says beside its tables: which sheet answers what, where each line comes from, what a
column means.

What belongs here: questions, the columns of sources, the dictionary. What does not: laying out the
sheets of tables (`workbook`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from htx_pipeline.report.blocks import Field, Page, Report, Table
from htx_pipeline.report.trace import Item, figures_of, line_rows, shorten
from htx_pipeline.schemas import TABLES

FIRST: Final = "Cần bảng nào"
DICTIONARY: Final = "Từ điển"

SOURCE_FIELDS: Final = (
    Field(key="_line_id", label="Mã dòng", kind="code"),
    Field(key="_files", label="Tệp nguồn"),
    Field(key="_sheets", label="Trang tính nguồn"),
    Field(key="_rows", label="Dòng nguồn"),
)

QUESTIONS: Final[Mapping[str, str]] = {
    "Mức độ liên kết": "Bao nhiêu phần trăm hợp tác xã có liên kết, theo từng cách hiểu?",
    "Theo địa bàn": "Huyện nào có nhiều hợp tác xã, liên kết đến đâu, đứng thứ mấy?",
    "Theo xã phường": "Xã, phường hiện nay có bao nhiêu hợp tác xã, liên kết đến đâu?",
    "Theo sản phẩm": "Sản phẩm nào có nhiều liên kết và giá trị lớn nhất?",
    "Sản phẩm theo địa bàn": "Mỗi địa bàn liên kết sản phẩm gì, với giá trị bao nhiêu?",
    "Cụm liên kết": "Có những cụm liên kết nào, lớn đến đâu, thiếu công đoạn gì?",
    "Thành viên cụm": "Ai ở trong từng cụm?",
    "Bên mua của cụm": "Cụm phụ thuộc vào bên mua nào?",
    "Công đoạn của cụm": "Cụm có và thiếu công đoạn nào?",
    "Dòng theo công đoạn": "Sản phẩm đi từ công đoạn nào sang công đoạn nào, đã thực hiện bao nhiêu?",
    "Tiến độ kế hoạch": "Kết quả cách mục tiêu kế hoạch bao xa?",
    "Chỉ tiêu chung": "Một chỉ tiêu của tỉnh là bao nhiêu, trên mẫu số nào?",
    "Dòng vào và ra": "Bao nhiêu dòng số liệu được nhận, giữ lại, bị loại?",
    "Kết quả kiểm tra": "Số liệu sai ở đâu và sửa thế nào?",
    "Tình hình báo cáo": "Địa bàn nào gửi báo cáo đủ, đúng hạn?",
    "Chưa báo cáo": "Đơn vị nào chưa gửi báo cáo?",
    "Chưa tính được": "Nội dung nào chưa tính được, cần bổ sung gì?",
    "Tệp nguồn": "Số liệu lấy từ tệp nào, mã kiểm tra là gì?",
    "HTX theo địa bàn": "Hợp tác xã nào trên địa bàn đã liên kết đến mức nào?",
    "Nhiệm vụ của cơ quan": "Cơ quan chủ trì nhiệm vụ nào, đến đâu?",
}
"""What a reader wants to know, by sheet."""

ROWS_SHOWN: Final = 240
"""Characters of row ranges in a cell; `htx trace` shows all."""


def question_of(sheet: str, title: str) -> str:
    """Return the question that a sheet answers; its title where none is known."""
    return QUESTIONS.get(sheet, title)


def line_sources(report: Report) -> dict[str, dict[str, str]]:
    """Return id and source of each line of each table: ``page/table/line`` → columns of `SOURCE_FIELDS`.

    In a public edition the files and how many rows of each, nothing more.
    """
    if report.frames is None:
        return {}
    found = {}
    is_public = report.settings.is_public
    for page in report.pages:
        cells: dict[str, list[Item]] = {}
        for item in figures_of(page):
            if item.kind == "cell" and not (is_public and item.is_hidden):
                cells.setdefault(item.id.rpartition("/")[0], []).append(item)
        for table in page.tables:
            for name, row in zip(table.names, table.rows, strict=True):
                line = f"{page.id}/{table.id}/{name}"
                # A line of words alone has the rows of its whole table.
                words = Item(id=line, page=page.id, kind="cell", label="", value="", scope=table, line=row)  # fmt: skip
                found[line] = _line_source(line, line_rows(report, cells.get(line, [words])), is_public=is_public)  # fmt: skip
    return found


def _line_source(
    line: str, entries: Sequence[Mapping[str, Any]], *, is_public: bool
) -> dict[str, str]:
    files = [f"{e['file']} ({e['n']} dòng)" for e in entries]
    shown = [] if is_public else entries
    return {
        "_line_id": line,
        "_files": "; ".join(dict.fromkeys(files)),
        "_sheets": "; ".join(dict.fromkeys(e["sheet"] or "" for e in shown)),
        "_rows": " | ".join(shorten(e["rows"], ROWS_SHOWN) for e in shown if e["rows"]),
    }


def write_dictionary(
    sheet: Any, sheets: Mapping[str, Sequence[tuple[Page, Table]]], style: Any
) -> None:
    """Write what each column of each sheet means: heading, name in ids, unit, meaning, legal source."""
    known = {c.name: c for t in TABLES.values() for c in t.columns}
    headings = (
        "Trang tính",
        "Cột",
        "Tên cột trong mã",
        "Đơn vị",
        "Nghĩa",
        "Ô trống nghĩa là",
        "Căn cứ",
    )
    for j, words in enumerate(headings):
        sheet.write_string(0, j, words, style.head)
    line = 0
    for name, entries in sheets.items():
        fields = {f.key: f for _, t in entries for f in t.all_fields}
        for field in fields.values():
            line += 1
            column = known.get(field.key)
            unit = (
                "đồng"
                if field.kind == "money"
                else "phần trăm"
                if field.kind == "share"
                else field.unit
            )
            meaning = column.label_vi if column else field.label
            law = getattr(column, "source", None) if column else None
            for j, words in enumerate(
                (name, field.label, field.key, unit, meaning, field.why_null, law or "")
            ):
                sheet.write_string(line, j, str(words), style.wrap)
    sheet.autofilter(0, 0, line, len(headings) - 1)
    sheet.freeze_panes(1, 0)
    for j, width in enumerate((24, 34, 24, 12, 44, 40, 30)):
        sheet.set_column(j, j, width)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
