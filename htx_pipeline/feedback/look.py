"""How severities look and what the sender is told: symbols, fills, borders, sentences.

What belongs here: every colour and standing sentence of a returned workbook, and making text safe to
write. What does not: where anything is written.
"""

from __future__ import annotations

import datetime as dt
import re
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from htx_pipeline.ingest.formula_text import safe_text
from htx_pipeline.ingest.template_form import FEEDBACK_SHEETS

if TYPE_CHECKING:
    from openpyxl.styles import Border, PatternFill

LIST_NAME, FULL_NAME, CHANGES_NAME = FEEDBACK_SHEETS
AUTHOR: Final = "Kiểm tra số liệu"
FACE: Final = "Arial"


@dataclass(frozen=True)
class Look:
    """One severity: a symbol and a word beside the colour, and a border that shows without colour."""

    symbol: str
    word: str
    plural: str
    fill: str
    line: str
    border: str


LOOKS: Final[dict[str, Look]] = {
    "critical": Look("✗", "LỖI", "Lỗi nghiêm trọng: không đọc được số liệu", "FFF4B5B5", "FFB00020", "thick"),
    "error": Look("✗", "LỖI", "Lỗi: dòng hoặc ô không được nhận", "FFF4B5B5", "FFB00020", "thick"),
    "warning": Look("▲", "CẢNH BÁO", "Cảnh báo: đã nhận, đề nghị kiểm tra lại", "FFFFE598", "FF9A6A00", "mediumDashed"),
    "info": Look("○", "LƯU Ý", "Lưu ý: cách hệ thống đã hiểu số liệu", "FFD9EAF6", "FF2F75B5", "dotted"),
}  # fmt: skip
FILLS: Final = frozenset(look.fill for look in LOOKS.values())

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LONGEST: Final = 32_000


def clean(text: str, limit: int = LONGEST) -> str:
    """Return text that a workbook can hold and no program takes for a formula.

    Examples
    --------
    >>> clean("=1+1\\x00"), clean("Xã Sa Thầy", limit=5)
    ("'=1+1", 'Xã S…')
    """
    text = _ILLEGAL.sub("", text)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return safe_text(text)


@cache
def fill_of(severity: str) -> PatternFill:
    """Return the fill of a severity."""
    from openpyxl.styles import PatternFill

    return PatternFill("solid", fgColor=LOOKS[severity].fill)


@cache
def border_of(severity: str) -> Border:
    """Return the border of a severity: thick, dashed or dotted."""
    from openpyxl.styles import Border, Side

    side = Side(style=LOOKS[severity].border, color=LOOKS[severity].line)
    return Border(left=side, right=side, top=side, bottom=side)


def put(ws: Any, row: int, col: int, value: str | int | float | None, **style: Any) -> Any:
    """Write one cell of ours: text stays text whatever it looks like."""
    cell = ws.cell(row, col)
    if isinstance(value, str):
        cell.value = clean(value)
        cell.data_type = "s"
    else:
        cell.value = value
    if style:
        dress(cell, **style)
    return cell


def dress(cell: Any, **style: Any) -> None:
    """Give a cell font, fill, border and the like; equal dress on equal cells is worked out once a workbook."""
    book = cell.parent.parent
    known: dict[Any, Any] = book.__dict__.setdefault("_htx_dresses", {})
    key = (tuple(cell._style or ()), *((name, id(given)) for name, given in style.items()))
    if key not in known:
        for name, given in style.items():
            setattr(cell, name, given)
        known[key] = (copy(cell._style), style)  # the dress is kept, so that its id stays its own
    cell._style = copy(known[key][0])


def fit_to_width(ws: Any) -> None:
    """Print a sheet on A4 across, as wide as one page."""
    ws.page_setup.orientation = "landscape"
    ws.page_setup.paperSize = 9
    ws.page_setup.fitToWidth = 1
    ws.page_setup.fitToHeight = 0
    ws.sheet_properties.pageSetUpPr.fitToPage = True


def link(ws: Any, row: int, col: int, sheet: str, address: str) -> None:
    """Link one of our cells to a cell of the workbook."""
    from openpyxl.worksheet.hyperlink import Hyperlink

    quoted = sheet.replace("'", "''")
    cell = ws.cell(row, col)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!{address}")


def resubmit_lines(due: dt.date, *, is_copy: bool) -> tuple[str, ...]:
    """Return how to mend and send again, as numbered sentences."""
    first = (
        "Sửa trong tệp gốc của đơn vị, theo địa chỉ ô ghi dưới đây (trang tra cứu trong tệp này chỉ chép giá trị)."
        if is_copy
        else "Sửa trực tiếp vào các ô được tô màu trong tệp này; đưa chuột vào ô để xem ghi chú. Bấm vào cột «Ô» để đến ô cần sửa."
    )
    last = (
        "Lưu và gửi lại tệp gốc đã sửa, giữ nguyên tên tệp"
        if is_copy
        else "Không cần xóa trang này, màu nền và ghi chú. Lưu tệp .xlsx và gửi lại"
    )
    return (
        first,
        "Nếu số liệu đã đúng thì giữ nguyên và ghi rõ khi gửi lại; mục «LƯU Ý» không bắt buộc phải sửa.",
        f"{last} trước ngày {due:%d/%m/%Y}. Bản gửi lại thay thế toàn bộ số liệu của bản trước.",
    )
