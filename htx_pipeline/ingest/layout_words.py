"""The words by which rows of Vietnamese forms are told apart, and what a cell looks like.

What belongs here: patterns of titles, headings, totals, notes, signatures, units, and tests of one cell or
row. What does not: deciding about a row in its place (`layout_heads`, `layout`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from htx_pipeline.ingest.number_units import unit_of_heading
from htx_pipeline.textfold import without_marks

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Cell


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Return text without tone marks, case and repeated blanks, for comparing headings only.

    Examples
    --------
    >>> fold("  Địa chỉ\\n(xã) ")
    'dia chi (xa)'
    """
    return " ".join(without_marks(text).casefold().split())


def is_of_which(text: str) -> bool:
    """Return whether a label begins a part of the row above ("trong đó"), which no total counts again.

    Examples
    --------
    >>> is_of_which("Trong đó: nữ"), is_of_which("Tổng cộng")
    (True, False)
    """
    return bool(OF_WHICH.match(plain_words(text)))


def plain_words(text: str) -> str:
    """Return a text in lower case and NFC, with single blanks."""
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


# Totals with tone marks: "tổng công ty" (a corporation) and "cộng đồng" (a community) are no totals.
# Spelling as typed in TCVN3 (tæng céng) and VNI (toång coäng) is known too.
TOTAL: Final = re.compile(
    r"(?:tổng\s*cộng|tổng\s*số|tổng|cộng|toàn\s+(?:tỉnh|huyện|xã|thành\s+phố|ngành|quốc)|cả\s+nước"
    r"|tæng\s*céng|tæng\s*sè|céng|toång\s*coäng|toång\s*soá|coäng"
    r"|tong\s*cong|tong\s*so|cong|tong"
    r"|(?:grand\s+|sub[\s-]?)?totals?|sum|total\s+g[ée]n[ée]ral|sous[\s-]total)"
    r"(?![\w])"
    r"(?!\s+(?:công\s+ty|cong\s+ty|ty\b|giám|giam|đội|doi|đồng|dong|hòa|hoà|hoa|tác|tac|hợp\s+tác|"
    r"nghiệp|nghiep|nghệ|nghe|nhân|nhan|an\b|trình|trinh|cục|cuc|kho\b|energies|quality))"
)
GRAND: Final = re.compile(
    r"tổng|toàn|cả nước|tæng|toång|tong|grand|^totals?$|total g[ée]n", re.IGNORECASE
)
SUBTOTAL: Final = re.compile(r"sub[\s-]?total|sous[\s-]total|cộng (?:i|v|x|[a-z]\b|mục|phần|nhóm)")
OF_WHICH: Final = re.compile(r"trong đó|trong ®ã|trong ñoù|trong do\b|of which|dont\b")
NOTE: Final = re.compile(
    r"(?:ghi\s*chú|ghi\s*chó|ghi\s*chuù|ghi\s*chu|lưu\s*ý|l\u00adu\s*ý|chú\s*thích|chú\s*giải|nguồn|"
    r"notes?|remarks?|sources?|nb|n\.b\.)\s*[:(.\-]|^\(?\*+\)?|^\(\d\)\s+\D|^(?:ghi chú|notes?|nguồn)$"
)
SIGNATURE: Final = re.compile(
    r"người\s+lập|lập\s+biểu|lập\s+bảng|thủ\s+trưởng|giám\s+đốc|chủ\s+tịch|phó\s+chủ|kế\s+toán|"
    r"nơi\s+nhận|xác\s+nhận\s+của|ký\s+tên|ký,|\(ký|đóng\s+dấu|họ\s+và\s+tên\)|ghi\s+rõ\s+họ|"
    r"^tm\.|^kt\.|^tuq\.|^tl\.|^-?\s*như\s+trên|^-?\s*lưu\s*:|"
    r"ngày\s*[\d.…_]*\s*tháng\s*[\d.…_]*\s*năm|"
    r"ng­êi lëp|ngöôøi laäp|nguoi lap|thu truong don vi|noi nhan|"
    r"prepared\s+by|approved\s+by|signature|director|chairman|le\s+directeur|fait\s+à"
)
UNIT_LINE: Final = re.compile(
    r"(?:đvt|đ\.v\.t|đơn\s*vị\s*tính|đơn\s*vị|dvt|don\s*vi\s*tinh|®vt|®¬n\s*vþ\s*týnh|ñvt|"
    r"units?|unité)\s*[:：]\s*(.+?)\s*\)?$"
)
_UNIT_WORDS: Final = re.compile(
    r"đồng|tấn|kg|ha\b|người|hộ|htx|con|%|m2|m3|lít|tỷ|triệu|nghìn|dong|tonne|usd|vnd|hectare"
)
TITLE: Final = re.compile(
    r"cộng\s+h[oò][aàà]\s+xã\s+hội|độc\s+lập|^ubnd|^ủy\s+ban|^uỷ\s+ban|^hđnd|^báo\s+cáo|^biểu|^phụ\s+lục|"
    r"^mẫu|^\(?kèm\s+theo|^kính\s+gửi|^số\s*:|^danh\s+sách|^tổng\s+hợp|^bảng\s+|:$|[.…_]{5,}|^céng hoµ x"
)
ROW_NUMBER_HEADING: Final = frozenset(
    {"stt", "tt", "so tt", "s tt", "s.t.t", "so thu tu", "no", "no.", "#", "n°", "nº", "sl no"}
)
HEADING_WORDS: Final = re.compile(
    r"^(?:stt|tt|so tt|#|no\.?|ten\b|ma\b|ma so|so\b|dia chi|ghi chu|ho va ten|ngay|nam\b|loai|tinh\b|"
    r"huyen|xa\b|don vi|dien thoai|email|gia tri|san luong|dien tich|doanh thu|von\b|chi tieu|"
    r"noi dung|san pham|name|code|id\b|date|type|address|region|total|amount|unit|year|nom\b|"
    r"source|departement|nature|denomination|t.n\b|m.\b)"
)
NUMBERED: Final = re.compile(
    r"^(?:[IVXL]{1,6}|[A-ZĐ]|\d{1,2}(?:\.\d{1,2}){0,2})\s*[.)/:\-]\s*\S|^(?:Phần|Mục|Nhóm)\s"
)
ROMAN: Final = re.compile(r"^\(?(?:[IVXL]{1,6}|[A-ZĐ])\)?[.)]?$")
ARABIC: Final = re.compile(r"^\(?\d{1,6}(?:\.\d{1,3})*\)?[.)]?$")
PLACE: Final = re.compile(
    r"^(?:huyện|xã|thành phố|tp\.?|thị xã|thị trấn|tỉnh|quận|phường|khu vực|vùng|lĩnh vực|nhóm|loại|"
    r"phần|khối|cụm|district|province|region|sector)\b"
)
_NUMBER_TEXT: Final = re.compile(
    r"^[\s(+\-−]*[\d][\d.,\s]*(?:%|\)|đ|₫|vnđ|đồng|tỷ|triệu|ha|tấn|kg)?\s*$", re.IGNORECASE
)
_DATE_TEXT: Final = re.compile(r"^\d{1,4}[/.\-]\d{1,2}(?:[/.\-]\d{1,4})?$")
_NUMERIC_TYPES: Final = (int, float, dt.date, dt.time, dt.timedelta)
CLOSE: Final = 200


def is_number(value: Cell) -> bool:
    """Say whether a cell holds a number or a date, typed or as text."""
    if isinstance(value, str):
        return bool(_NUMBER_TEXT.match(value) or _DATE_TEXT.match(value))
    return isinstance(value, _NUMERIC_TYPES)


def states_unit(text: str) -> bool:
    """Say whether what follows "ĐVT:" is a unit, also one in short ("tr.đ").

    Examples
    --------
    >>> states_unit("tr.đ"), states_unit("UBND xã Đăk Mar")
    (True, False)
    """
    return bool(_UNIT_WORDS.search(text)) or unit_of_heading(f"ĐVT: {text}") is not None


def is_year(value: Cell) -> bool:
    """Say whether a cell holds a year, as headings do."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    text = f"{value:g}" if isinstance(value, float) else str(value).strip()
    return len(text) == 4 and text.isdigit() and 1990 <= int(text) <= 2100


def filled_cells(row: Sequence[Cell]) -> list[tuple[int, Cell]]:
    """Return (0-based column, value) of the cells that hold more than blanks."""
    return [(c, v) for c, v in enumerate(row) if v != "" and not (type(v) is str and not v.strip())]


def is_index_row(row: Sequence[Cell]) -> bool:
    """Say whether a row numbers the columns: 1 2 3 …, (1) (2) …, A B 1 2 …, # 1 2 …"""
    cells = filled_cells(row)
    if len(cells) < 3:
        return False
    numbers: list[int] = []
    letters = 0
    for _, value in cells:
        if isinstance(value, (bool, dt.date, dt.time, dt.timedelta)):
            return False
        if isinstance(value, (int, float)):
            if value != int(value):
                return False
            numbers.append(int(value))
            continue
        text = value.strip().strip("()[]").strip()
        # "(5)=(3)+(4)" and "5=3+4" number a computed column.
        text = re.split(r"\)?\s*=", text)[0].strip("() ")
        if text.isascii() and text.isdigit() and len(text) <= 3:
            numbers.append(int(text))
        elif len(text) == 1 and (text.isalpha() or text == "#") and not numbers:
            letters += 1
        elif re.fullmatch(r"\d{1,2}[a-z]", text):
            continue
        else:
            return False
    if len(numbers) < 2:
        return letters >= 4 and len(numbers) == 0
    steps = [b - a for a, b in pairwise(numbers)]
    return (
        numbers[0] in (0, 1, 2)
        and all(step in (1, 2) for step in steps)
        and sum(step == 2 for step in steps) <= max(1, len(steps) // 5)
    )


TOTAL_START: Final = r"^[ \t\n]*[TtCcGgSsΣ]"
