"""What readers met in a file and dealt with, as notes, and notes as findings.

What belongs here: the shape of a note, and the notes that follow from the guard's scan (macros, links,
formulas, error cells). What does not: refusals (`refusals`), and what a sheet means (`layout`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from htx_pipeline.findings import findings
from htx_pipeline.ingest._scan import SheetFacts, a1
from htx_pipeline.ingest.refusals import SAVE_AS_XLSX

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Note:
    """Something a reader met and dealt with; the file is still used.

    ``row`` and ``cell`` are the sheet's own (1-based row, A1 address); ``count`` says how many
    cells or rows the note stands for.
    """

    code: str
    severity: Literal["error", "warning", "info"]
    reason_en: str
    reason_vi: str
    remedy_en: str = ""
    remedy_vi: str = ""
    sheet: str | None = None
    row: int | None = None
    cell: str | None = None
    raw: str | None = None
    count: int = 1


def notes_to_findings(
    notes: Iterable[Note], *, source_file: str, table: str | None = None
) -> pl.DataFrame:
    """Return notes as a findings frame (`htx_pipeline.findings`).

    Examples
    --------
    >>> note = Note("macros_not_run", "info", "Macros are not run.", "Không chạy macro.")
    >>> notes_to_findings([note], source_file="a.xlsm")["rule_id"].to_list()
    ['macros_not_run']
    """
    return findings(
        {
            "rule_id": note.code,
            "severity": note.severity,
            "table": table,
            "source_file": source_file,
            "source_sheet": note.sheet,
            "source_row": note.row,
            "source_cell": note.cell,
            "raw_value": note.raw,
            "reason_vi": note.reason_vi,
            "reason_en": note.reason_en,
            "remedy_vi": note.remedy_vi or None,
            "remedy_en": note.remedy_en or None,
        }
        for note in notes
    )


MACROS: Final = Note(
    "macros_not_run",
    "info",
    "The workbook carries macros. They are never run; the stored values are read.",
    "Tệp có chứa macro. Hệ thống không chạy macro, chỉ đọc giá trị đã lưu.",
)
FORMULAS_UNSEEN: Final = Note(
    "formulas_unseen",
    "info",
    "The formulas of a binary workbook are not looked at; their stored values are read.",
    "Công thức trong tệp nhị phân (.xlsb) không được xem xét; hệ thống đọc giá trị đã lưu.",
    "Save as .xlsx next time.",
    "Lần sau nên lưu tệp dưới dạng .xlsx.",
)
WEB_PAGE: Final = Note(
    "web_page_read",
    "info",
    "The file is a web page under a workbook's name; the text of its tables is read.",
    "Tệp là trang web mang tên bảng tính; hệ thống đọc phần chữ trong các bảng của trang.",
    *SAVE_AS_XLSX,
)
LINKS: Final = Note(
    "external_links",
    "warning",
    "The workbook is linked to other files. The links are not followed; stored values are read.",
    "Tệp có liên kết tới tệp khác. Hệ thống không mở liên kết, chỉ đọc giá trị đã lưu.",
    "Replace linked cells by their values.",
    "Đề nghị thay các ô liên kết bằng giá trị.",
)
DDE: Final = Note(
    "formula_starts_program",
    "error",
    "The workbook holds a DDE link, which can start a program. It is not followed.",
    "Tệp có liên kết DDE, có thể khởi chạy chương trình. Hệ thống không mở liên kết này.",
    "Remove the link and send the file again.",
    "Đề nghị gỡ bỏ liên kết rồi gửi lại tệp.",
)


def content_notes(sheets: Iterable[SheetFacts]) -> list[Note]:
    """Return the notes about formulas that start programs, formulas without a value, and error cells."""
    notes: list[Note] = []
    for sheet in sheets:
        for row, col, text in sheet.programs[:20]:
            notes.append(
                Note(
                    "formula_starts_program",
                    "error",
                    "The formula would start a program or fetch data. It is not calculated; only "
                    "the stored value is read.",
                    "Công thức có thể khởi chạy chương trình hoặc tải dữ liệu từ ngoài. Hệ thống "
                    "không tính công thức, chỉ đọc giá trị đã lưu.",
                    "Replace the formula by its value.",
                    "Đề nghị thay công thức bằng giá trị.",
                    sheet=sheet.name,
                    row=row,
                    cell=a1(row, col),
                    raw=text[:200],
                )
            )
        if sheet.formulas_without_value:
            row, col = sheet.formulas_without_value[0]
            count = sheet.n_formulas_without_value
            notes.append(
                Note(
                    "formula_without_value",
                    "warning",
                    f"{count} formula cell(s) carry no stored value, first {a1(row, col)}; "
                    "they are read as empty.",
                    f"{count} ô công thức không có giá trị lưu sẵn, ô đầu tiên {a1(row, col)}; "
                    "được đọc là ô trống.",
                    "Open the file in Excel, let it calculate, save it and send it again.",
                    "Đề nghị mở tệp bằng Excel để tính lại, lưu và gửi lại.",
                    sheet=sheet.name,
                    row=row,
                    cell=a1(row, col),
                    count=count,
                )
            )
        if sheet.errors:
            (row, col), text = next(iter(sheet.errors.items()))
            notes.append(
                Note(
                    "error_value",
                    "warning",
                    f"{len(sheet.errors)} cell(s) hold an Excel error, first {text} in "
                    f"{a1(row, col)}; the text of the error is kept.",
                    f"{len(sheet.errors)} ô chứa lỗi Excel, ô đầu tiên là {text} tại "
                    f"{a1(row, col)}; hệ thống giữ nguyên chữ báo lỗi.",
                    "Mend the formula or type the value.",
                    "Đề nghị sửa công thức hoặc nhập giá trị.",
                    sheet=sheet.name,
                    row=row,
                    cell=a1(row, col),
                    raw=text,
                    count=len(sheet.errors),
                )
            )
    return notes
