"""Text tables and tables of web pages as sheets, with the notes on how they were decoded.

What belongs here: from the bytes of such a file to a sheet. What does not: decoding itself (`csv_text`)
and taking tables of a page apart (`html_table`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from htx_pipeline.ingest import csv_text, html_table
from htx_pipeline.ingest._scan import SheetFacts
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.refusals import refuse

if TYPE_CHECKING:
    pass
from htx_pipeline.ingest.workbook_sheet import Sheet, Source


def csv_sheet(table: csv_text.TextTable, stem: str) -> Sheet:
    facts = SheetFacts(stem, rows=len(table.rows), cols=table.n_cols)
    source = Source(b"", stem, 0)
    return Sheet(stem, "visible", facts, source, rows=table.rows, width=table.n_cols)


def html_sheet(content: bytes, name: str, encoding: str | None, max_cells: int) -> Sheet:
    decoded = csv_text.decode(
        content, name=name, encoding=encoding or html_table.stated_charset(content)
    )
    try:
        rows = html_table.table_rows(decoded.text, max_cells=max_cells)
    except html_table.TooManyCells:
        raise refuse("sheet_too_large", where=name) from None
    width = len(rows[0]) if rows else 0
    stem = Path(name).stem
    facts = SheetFacts(stem, rows=len(rows), cols=width)
    return Sheet(stem, "visible", facts, Source(b"", stem, 0), rows=rows, width=width)


def csv_notes(table: csv_text.TextTable) -> list[Note]:
    notes: list[Note] = []
    decoded = table.decoded
    if decoded.encoding not in ("utf-8", "utf-8-sig"):
        legacy = f", letters in {decoded.legacy.upper()}" if decoded.legacy else ""
        legacy_vi = f", chữ theo bảng mã {decoded.legacy.upper()}" if decoded.legacy else ""
        notes.append(
            Note(
                "text_encoding",
                "info" if decoded.confidence >= 0.9 else "warning",
                f"Read as {decoded.encoding}{legacy} (confidence {decoded.confidence:.2f}).",
                f"Đã đọc theo {decoded.encoding}{legacy_vi} (độ tin cậy {decoded.confidence:.2f}).",
                "Save as CSV UTF-8 to leave no doubt.",
                "Nên lưu tệp dạng CSV UTF-8 để tránh nhầm lẫn.",
            )
        )
    if table.n_ragged:
        record, width = table.ragged[0]
        notes.append(
            Note(
                "ragged_rows",
                "warning",
                f"{table.n_ragged} record(s) have another number of fields than the rest, first "
                f"record {record} with {width}.",
                f"{table.n_ragged} bản ghi có số cột khác các bản ghi còn lại, đầu tiên là bản ghi "
                f"{record} với {width} cột.",
                "Check separators and quotation marks in these records.",
                "Đề nghị kiểm tra dấu phân cách và dấu ngoặc kép ở các bản ghi này.",
                row=record,
                count=table.n_ragged,
            )
        )
    if table.nul_bytes:
        notes.append(
            Note(
                "nul_bytes",
                "warning",
                f"{table.nul_bytes} NUL character(s) were dropped.",
                f"Đã bỏ {table.nul_bytes} ký tự NUL.",
                "Export the file again.",
                "Đề nghị xuất lại tệp.",
                count=table.nul_bytes,
            )
        )
    if table.unclosed_quote_line is not None:
        notes.append(
            Note(
                "unclosed_quote",
                "warning",
                f"A quotation mark from line {table.unclosed_quote_line} on is never closed; the "
                "rest is read line by line, without quoting.",
                f"Dấu ngoặc kép từ dòng {table.unclosed_quote_line} không được đóng; phần còn "
                "lại được đọc theo từng dòng, bỏ qua dấu ngoặc kép.",
                "Close the quotation mark.",
                "Đề nghị đóng dấu ngoặc kép.",
                row=table.unclosed_quote_line,
            )
        )
    return notes
