"""What the rows of a sheet are: titles, headings, data, totals, notes, signatures.

What belongs here: finding the tables of a sheet, their headings (also merged over several rows),
and a kind for every row, so that nothing is taken for data that is not and nothing is dropped
unsaid. What does not: which column means what (the mapping), how text becomes numbers, dates or
Unicode, and whether stated totals add up (`ingest.totals`).

The rule in doubt: a row stays data, with a note. Row numbers are the sheet's own, from 1.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from htx_pipeline.ingest._scan import Range, a1, column_letters
from htx_pipeline.ingest.grid import TEXT
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.unicode_view import charset_label, unicode_view
from htx_pipeline.textfold import without_marks

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Cell
    from htx_pipeline.ingest.workbook import Sheet


class RowKind(StrEnum):
    """What a row is. Only ``DATA`` rows are read as records."""

    BLANK = "blank"
    TITLE = "title"
    UNIT_LINE = "unit_line"
    HEADING = "heading"
    INDEX = "index"
    DATA = "data"
    SECTION = "section"
    SUBTOTAL = "subtotal"
    TOTAL = "total"
    NOTE = "note"
    SIGNATURE = "signature"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Table:
    """One table of a sheet; rows and columns are 1-based.

    Parameters
    ----------
    header_rows:
        Rows of the heading, top to bottom; empty where none was found.
    headings:
        Column -> heading, the levels joined by ``" / "``.
    index_row:
        The row that numbers the columns ("1, 2, 3…"), or None.
    first_row, last_row:
        From the first row after the heading to the last row that is not note or signature.
    data_rows:
        The rows to read.
    row_number_col:
        The column of row numbers (STT), or None.
    unit:
        The unit stated above the table ("triệu đồng"), or None.
    title:
        The text above the table, lines joined by a blank.
    sections:
        Section row -> its text ("I. Huyện Sa Thầy"); includes section rows that state a subtotal.
    """

    header_rows: tuple[int, ...]
    headings: dict[int, str]
    index_row: int | None
    first_row: int
    last_row: int
    data_rows: tuple[int, ...]
    row_number_col: int | None
    unit: str | None
    title: str
    sections: dict[int, str]

    @property
    def n_cols(self) -> int:
        """The last column with a heading."""
        return max(self.headings, default=0)

    def section_of(self, row: int) -> str | None:
        """Return the text of the section a row stands in, or None."""
        starts = sorted(self.sections)
        at = bisect_right(starts, row)
        return self.sections[starts[at - 1]] if at else None


@dataclass(frozen=True)
class Layout:
    """What was understood of a sheet.

    ``kinds[i]`` is the kind of row ``i + 1``; their counts add up to the sheet's rows.
    ``hidden_kinds`` says what a hidden row would have been.
    """

    sheet: Sheet = field(repr=False)
    kinds: tuple[RowKind, ...] = field(repr=False)
    tables: tuple[Table, ...]
    notes: tuple[Note, ...] = field(repr=False)
    hidden_kinds: dict[int, RowKind] = field(repr=False, default_factory=dict)
    main: int = 0

    @property
    def table(self) -> Table | None:
        """The table to read: the one that holds most expected headings, then most data rows."""
        return self.tables[self.main] if self.tables else None

    @property
    def headings(self) -> dict[int, str]:
        """Column -> heading of `table`; empty where no heading row was found."""
        table = self.table
        return dict(table.headings) if table and table.header_rows else {}

    @property
    def header_rows(self) -> tuple[int, ...]:
        """Heading rows of `table`."""
        return self.table.header_rows if self.table else ()

    @property
    def data_rows(self) -> tuple[int, ...]:
        """Data rows of `table` and of every other table of the sheet with the same headings."""
        table = self.table
        if table is None:
            return ()
        key = _heading_key(table)
        same = [t.data_rows for t in self.tables if t is table or _heading_key(t) == key]
        if len(same) == 1:
            return same[0]
        return tuple(sorted(row for rows in same for row in rows))

    @property
    def counts(self) -> dict[str, int]:
        """Rows per kind, in the order of `RowKind`; the sum is the number of rows."""
        seen = Counter(self.kinds)
        return {kind.value: seen[kind] for kind in RowKind if seen[kind]}

    @property
    def unit(self) -> str | None:
        """The first unit stated on the sheet."""
        return next((t.unit for t in self.tables if t.unit), None)

    def rows(self, kind: RowKind) -> tuple[int, ...]:
        """Return the row numbers of one kind."""
        return tuple(i for i, k in enumerate(self.kinds, 1) if k == kind)


def _heading_key(table: Table) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((c, fold(text)) for c, text in table.headings.items()))


# --- words ------------------------------------------------------------------------------------


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
    return bool(_OF_WHICH.match(_words(text)))


def _words(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


# Totals with tone marks: "tổng công ty" (a corporation) and "cộng đồng" (a community) are no totals.
# Spelling as typed in TCVN3 (tæng céng) and VNI (toång coäng) is known too.
_TOTAL: Final = re.compile(
    r"(?:tổng\s*cộng|tổng\s*số|tổng|cộng|toàn\s+(?:tỉnh|huyện|xã|thành\s+phố|ngành|quốc)|cả\s+nước"
    r"|tæng\s*céng|tæng\s*sè|céng|toång\s*coäng|toång\s*soá|coäng"
    r"|tong\s*cong|tong\s*so|cong|tong"
    r"|(?:grand\s+|sub[\s-]?)?totals?|sum|total\s+g[ée]n[ée]ral|sous[\s-]total)"
    r"(?![\w])"
    r"(?!\s+(?:công\s+ty|cong\s+ty|ty\b|giám|giam|đội|doi|đồng|dong|hòa|hoà|hoa|tác|tac|hợp\s+tác|"
    r"nghiệp|nghiep|nghệ|nghe|nhân|nhan|an\b|trình|trinh|cục|cuc|kho\b|energies|quality))"
)
_GRAND: Final = re.compile(
    r"tổng|toàn|cả nước|tæng|toång|tong|grand|^totals?$|total g[ée]n", re.IGNORECASE
)
_SUBTOTAL: Final = re.compile(r"sub[\s-]?total|sous[\s-]total|cộng (?:i|v|x|[a-z]\b|mục|phần|nhóm)")
_OF_WHICH: Final = re.compile(r"trong đó|trong ®ã|trong ñoù|trong do\b|of which|dont\b")
_NOTE: Final = re.compile(
    r"(?:ghi\s*chú|ghi\s*chó|ghi\s*chuù|ghi\s*chu|lưu\s*ý|l\u00adu\s*ý|chú\s*thích|chú\s*giải|nguồn|"
    r"notes?|remarks?|sources?|nb|n\.b\.)\s*[:(.\-]|^\(?\*+\)?|^\(\d\)\s+\D|^(?:ghi chú|notes?|nguồn)$"
)
_SIGNATURE: Final = re.compile(
    r"người\s+lập|lập\s+biểu|lập\s+bảng|thủ\s+trưởng|giám\s+đốc|chủ\s+tịch|phó\s+chủ|kế\s+toán|"
    r"nơi\s+nhận|xác\s+nhận\s+của|ký\s+tên|ký,|\(ký|đóng\s+dấu|họ\s+và\s+tên\)|ghi\s+rõ\s+họ|"
    r"^tm\.|^kt\.|^tuq\.|^tl\.|^-?\s*như\s+trên|^-?\s*lưu\s*:|"
    r"ngày\s*[\d.…_]*\s*tháng\s*[\d.…_]*\s*năm|"
    r"ng­êi lëp|ngöôøi laäp|nguoi lap|thu truong don vi|noi nhan|"
    r"prepared\s+by|approved\s+by|signature|director|chairman|le\s+directeur|fait\s+à"
)
_UNIT_LINE: Final = re.compile(
    r"(?:đvt|đ\.v\.t|đơn\s*vị\s*tính|đơn\s*vị|dvt|don\s*vi\s*tinh|®vt|®¬n\s*vþ\s*týnh|ñvt|"
    r"units?|unité)\s*[:：]\s*(.+?)\s*\)?$"
)
_UNIT_WORDS: Final = re.compile(
    r"đồng|tấn|kg|ha\b|người|hộ|htx|con|%|m2|m3|lít|tỷ|triệu|nghìn|dong|tonne|usd|vnd|hectare"
)
_TITLE: Final = re.compile(
    r"cộng\s+h[oò][aàà]\s+xã\s+hội|độc\s+lập|^ubnd|^ủy\s+ban|^uỷ\s+ban|^hđnd|^báo\s+cáo|^biểu|^phụ\s+lục|"
    r"^mẫu|^\(?kèm\s+theo|^kính\s+gửi|^số\s*:|^danh\s+sách|^tổng\s+hợp|^bảng\s+|:$|[.…_]{5,}|^céng hoµ x"
)
_ROW_NUMBER_HEADING: Final = frozenset(
    {"stt", "tt", "so tt", "s tt", "s.t.t", "so thu tu", "no", "no.", "#", "n°", "nº", "sl no"}
)
_HEADING_WORDS: Final = re.compile(
    r"^(?:stt|tt|so tt|#|no\.?|ten\b|ma\b|ma so|so\b|dia chi|ghi chu|ho va ten|ngay|nam\b|loai|tinh\b|"
    r"huyen|xa\b|don vi|dien thoai|email|gia tri|san luong|dien tich|doanh thu|von\b|chi tieu|"
    r"noi dung|san pham|name|code|id\b|date|type|address|region|total|amount|unit|year|nom\b|"
    r"source|departement|nature|denomination|t.n\b|m.\b)"
)
_NUMBERED: Final = re.compile(
    r"^(?:[IVXL]{1,6}|[A-ZĐ]|\d{1,2}(?:\.\d{1,2}){0,2})\s*[.)/:\-]\s*\S|^(?:Phần|Mục|Nhóm)\s"
)
_ROMAN: Final = re.compile(r"^\(?(?:[IVXL]{1,6}|[A-ZĐ])\)?[.)]?$")
_ARABIC: Final = re.compile(r"^\(?\d{1,6}(?:\.\d{1,3})*\)?[.)]?$")
_PLACE: Final = re.compile(
    r"^(?:huyện|xã|thành phố|tp\.?|thị xã|thị trấn|tỉnh|quận|phường|khu vực|vùng|lĩnh vực|nhóm|loại|"
    r"phần|khối|cụm|district|province|region|sector)\b"
)
_NUMBER_TEXT: Final = re.compile(
    r"^[\s(+\-−]*[\d][\d.,\s]*(?:%|\)|đ|₫|vnđ|đồng|tỷ|triệu|ha|tấn|kg)?\s*$", re.IGNORECASE
)
_DATE_TEXT: Final = re.compile(r"^\d{1,4}[/.\-]\d{1,2}(?:[/.\-]\d{1,4})?$")
_NUMERIC_TYPES: Final = (int, float, dt.date, dt.time, dt.timedelta)
_CLOSE: Final = 200


def _is_number(value: Cell) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER_TEXT.match(value) or _DATE_TEXT.match(value))
    return isinstance(value, _NUMERIC_TYPES)


def _is_year(value: Cell) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    text = f"{value:g}" if isinstance(value, float) else str(value).strip()
    return len(text) == 4 and text.isdigit() and 1990 <= int(text) <= 2100


def _filled(row: Sequence[Cell]) -> list[tuple[int, Cell]]:
    """Return (0-based column, value) of the cells that hold more than blanks."""
    return [(c, v) for c, v in enumerate(row) if v != "" and not (type(v) is str and not v.strip())]


def _is_index_row(row: Sequence[Cell]) -> bool:
    """Say whether a row numbers the columns: 1 2 3 …, (1) (2) …, A B 1 2 …, # 1 2 …"""
    cells = _filled(row)
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


# --- finding headings -------------------------------------------------------------------------


@dataclass
class _Head:
    rows: list[int]
    index_row: int | None
    headings: dict[int, str]


class _Reader:
    """Classifies one sheet; rows are 0-based inside."""

    def __init__(
        self, sheet: Sheet, expected: Sequence[str], header_rows: Sequence[int] | None
    ) -> None:
        self.sheet = sheet
        self.cells = sheet.rows
        self.expected = {fold(e) for e in expected}
        self.n = len(self.cells)
        self.fixed = sorted(r - 1 for r in header_rows) if header_rows else []
        self.width = sheet.n_cols
        self.hidden = {r - 1 for r in sheet.hidden_rows}
        self.merged_at: dict[int, list[Range]] = {}
        for r1, c1, r2, c2 in sheet.merged:
            for r in range(r1 - 1, min(r2, r1 + 10)):
                self.merged_at.setdefault(r, []).append((r1 - 1, c1 - 1, r2 - 1, c2 - 1))
        self.fill = sheet.grid.fill
        self.kinds: list[RowKind | None] = [None] * self.n
        self.notes: list[Note] = []
        self.tables: list[Table] = []

    # Small facts about a row.

    def filled(self, r: int) -> list[tuple[int, Cell]]:
        return _filled(self.cells[r])

    def is_blank(self, r: int) -> bool:
        return self.fill[r] == 0 or not self.filled(r)

    def coverage(self, r: int) -> set[int]:
        """Columns filled, counting merged cells over their whole width and height."""
        columns = {c for c, _ in self.filled(r)}
        for r1, c1, _, c2 in self.merged_at.get(r, ()):
            if c1 < self.width and self.cells[r1][c1] != "":
                columns.update(range(c1, min(c2 + 1, self.width)))
        return columns

    def usual_width(self, start: int, stop: int) -> int:
        counts = sorted(f for f in self.fill[start : min(stop, start + 300)] if f > 1)
        return counts[int(0.8 * (len(counts) - 1))] if counts else 0

    def head_score(self, r: int, usual: int) -> float:  # noqa: PLR0911
        cells = self.filled(r)
        if not cells or r in self.hidden:
            return 0.0
        texts = [v for _, v in cells if isinstance(v, str) and not _is_number(v)]
        others = [v for _, v in cells if not isinstance(v, str) or _is_number(v)]
        if any(not _is_year(v) for v in others) or not texts:
            return 0.0
        if len(cells) < 2 and not any(fold(t) in self.expected for t in texts):
            return 0.0
        if len(cells) <= 3 and any(_TITLE.search(_words(t)) for t in texts):
            return 0.0
        if max(map(len, texts)) > 300 or _TOTAL.match(_words(texts[0])):
            return 0.0
        folded = [fold(t) for t in texts]
        width = len(self.coverage(r))
        if width < 0.5 * usual and not any(f in self.expected for f in folded):
            return 0.0
        score = min(width / max(usual, 1), 1.0)
        score += 0.6 * sum(bool(_HEADING_WORDS.match(f)) for f in folded) / len(folded)
        score += 2.0 * sum(f in self.expected for f in folded) / len(folded)
        score += 0.3 * len(set(folded)) / len(folded)
        score += 0.3 * any(f in _ROW_NUMBER_HEADING for f in folded)
        score += 0.5 * self.contrast(r, [c for c, v in cells if isinstance(v, str)])
        return score - 0.5 * sum(len(t) > 80 for t in texts) / len(texts)

    def contrast(self, r: int, columns: list[int]) -> float:
        """Share of these columns whose cells further down are numbers, unlike this row's."""
        below = [row for row in self.cells[r + 1 : r + 12] if sum(v != "" for v in row) >= 2][:8]
        if not below or not columns:
            return 0.0
        hits = 0
        for c in columns:
            values = [row[c] for row in below if row[c] != ""]
            hits += bool(values) and sum(map(_is_number, values)) > len(values) / 2
        return hits / len(columns)

    def find_head(self, start: int, stop: int, *, strict: bool = False) -> _Head | None:
        """Find the heading of the next table between two rows."""
        window = range(start, min(stop, start + 80))
        usual = self.usual_width(start, stop)
        for r in window:
            if r not in self.hidden and self.fill[r] >= 3 and _is_index_row(self.cells[r]):
                rows = self.extend_up(r - 1, start)
                if rows:
                    return self.head(rows, r)
        best, best_score = -1, 0.0
        first = -1
        for r in window:
            score = self.head_score(r, usual)
            if score <= 0:
                continue
            if first < 0:
                first = r
            score -= 0.05 * (r - first)
            if score > best_score + 1e-9:
                best, best_score = r, score
        if best < 0 or best_score < (1.3 if strict else 0.8):
            return None
        rows = self.extend_down(self.extend_up(best, start) or [best], stop)
        after = next((r for r in range(rows[-1] + 1, min(rows[-1] + 3, stop)) if self.fill[r]), -1)
        index = after if after >= 0 and _is_index_row(self.cells[after]) else None
        return self.head(rows, index)

    def extend_up(self, bottom: int, start: int) -> list[int]:
        """Return the heading rows that end at *bottom*, going up while rows belong to it."""
        if bottom < start or self.is_blank(bottom):
            return []
        rows = [bottom]
        below = {c for c, _ in self.filled(bottom)}
        for r in range(bottom - 1, max(start, bottom - 5) - 1, -1):
            cells = self.filled(r)
            texts = [v for _, v in cells if isinstance(v, str)]
            numbers = [v for _, v in cells if not isinstance(v, str) or _is_number(v)]
            if not cells or r in self.hidden or any(not _is_year(v) for v in numbers):
                break
            words = [_words(t) for t in texts]
            if any(_UNIT_LINE.search(w) for w in words):
                break
            down = any(r2 > r for _, _, r2, _ in self.spans(r))
            if len(cells) == 1:
                # A lone text is a title, unless it is merged over part of the columns below it
                # or tied to them by a cell merged downwards.
                column = cells[0][0]
                across = self.across(r, column)
                partial = column > min(below, default=0) and 1 < across < len(below)
                if not (partial or down):
                    break
            elif not self.fits_above(r, below) or (
                len(cells) <= 3 and any(_TITLE.search(w) for w in words) and not down
            ):
                break
            rows.insert(0, r)
            below |= self.coverage(r)
        return rows

    def fits_above(self, r: int, below: set[int]) -> bool:
        """Say whether a row's cells stand over the columns of the rows below as groups do."""
        columns = [c for c, _ in self.filled(r)]
        return sum(c in below or self.across(r, c) > 1 for c in columns) >= 0.6 * len(
            columns
        ) or any(r2 > r for _, _, r2, _ in self.spans(r))

    def extend_down(self, rows: list[int], stop: int) -> list[int]:
        """Add rows below that hold the lower level of the headings, or units in brackets."""
        while rows[-1] + 1 < stop and len(rows) < 6:
            r = rows[-1] + 1
            cells = self.filled(r)
            if not cells or r in self.hidden or any(not isinstance(v, str) for _, v in cells):
                break
            texts = [str(v) for _, v in cells]
            tied = any(r2 >= r and r1 <= rows[-1] for r1, _, r2, _ in self.spans(rows[-1]))
            units = all(re.fullmatch(r"\(.{1,30}\)", t.strip()) for t in texts)
            if any(_is_number(t) for t in texts) or _is_index_row(self.cells[r]):
                break
            top = {c for c, _ in self.filled(rows[-1])}
            gaps = len(cells) >= 2 and all(
                c not in top or self.across(rows[-1], c) > 1 or self.open_right(rows[-1], c)
                for c, _ in cells
            )
            opened = len(top) < len(self.coverage(rows[-1]) | {c for c, _ in cells})
            if not (tied or units or (gaps and opened and cells[0][0] > min(top))):
                break
            rows.append(r)
        return rows

    def spans(self, r: int) -> list[Range]:
        return self.merged_at.get(r, [])

    def across(self, r: int, c: int) -> int:
        for r1, c1, _, c2 in self.spans(r):
            if r1 == r and c1 == c:
                return c2 - c1 + 1
        return 1

    def open_right(self, r: int, c: int) -> bool:
        return c + 1 < self.width and self.cells[r][c + 1] == ""

    def head(  # noqa: PLR0912
        self, rows: list[int], index: int | None
    ) -> _Head:
        """Flatten the heading rows: levels joined by " / ", merged cells filled."""
        levels: list[dict[int, str]] = []
        for depth, r in enumerate(rows):
            level: dict[int, str] = {}
            for c, value in self.filled(r):
                text = f"{value:g}" if isinstance(value, float) else str(value)
                level[c] = " ".join(text.split())
            is_last = depth == len(rows) - 1
            ranges = [m for m in self.spans(r) if m[0] == r]
            for _, c1, _, c2 in ranges:
                if c1 in level:
                    for c in range(c1 + 1, min(c2 + 1, self.width)):
                        level.setdefault(c, level[c1])
            if not is_last and not any(c2 > c1 for _, c1, _, c2 in ranges):
                # Without merged cells a group's name stands over its first column only.
                lower = {c for x in rows[depth + 1 :] for c, _ in self.filled(x)}
                name = ""
                for c in range(self.width):
                    if c in level:
                        name = level[c] if c in lower else ""
                    elif name and c in lower:
                        level[c] = name
                    else:
                        name = ""
            levels.append(level)
        headings: dict[int, str] = {}
        for c in range(self.width):
            parts: list[str] = []
            for level in levels:
                if c in level and (not parts or fold(parts[-1]) != fold(level[c])):
                    parts.append(level[c])
            if parts:
                headings[c] = " / ".join(parts)
        return _Head(rows, index, self.trim(headings, rows[-1]))

    def trim(self, headings: dict[int, str], last: int) -> dict[int, str]:
        """Leave out texts beside the table: after an empty column, with nothing underneath."""
        columns = sorted(headings)
        for at, c in enumerate(columns[1:], 1):
            if c - columns[at - 1] > 1:
                tail = columns[at:]
                used = any(row[t] != "" for row in self.cells[last + 1 : last + 200] for t in tail)
                if not used:
                    for t in tail:
                        self.notes.append(
                            layout_note(
                                self.sheet,
                                "side_note",
                                "info",
                                "Text beside the table is not taken for a heading.",
                                "Chữ nằm ngoài bảng, không được coi là tiêu đề cột.",
                                row=last + 1,
                                col=t + 1,
                                raw=headings[t],
                            )
                        )
                    return {c: headings[c] for c in columns[:at]}
        return headings

    # --- the body -----------------------------------------------------------------------------

    def run(self) -> Layout:
        start = 0
        if self.fixed and self.fixed[0] >= 0 and self.fixed[-1] < self.n:
            after = self.fixed[-1] + 1
            index = after if after < self.n and _is_index_row(self.cells[after]) else None
            start = self.table(self.head(self.fixed, index), 0)
        while start < self.n and len(self.tables) < 50:
            head = self.find_head(start, self.n, strict=bool(self.tables))
            if head is None:
                break
            start = self.table(head, start)
        self.rest(start)
        return self.finish()

    def table(self, head: _Head, start: int) -> int:
        """Classify one table from *start*; return the row the next search begins at."""
        for r in head.rows:
            self.kinds[r] = RowKind.HEADING
        if head.index_row is not None:
            self.kinds[head.index_row] = RowKind.INDEX
        title, unit = self.before(start, head.rows[0])
        body = max([*head.rows, head.index_row if head.index_row is not None else -1]) + 1
        number_col = self.row_number_col(head, body)
        stop = self.body(head, body, number_col)
        kinds = self.kinds
        self.note_side_by_side(head, body, stop)
        data = [r + 1 for r in range(body, stop) if kinds[r] is RowKind.DATA]
        if self.hidden:
            data = [r for r in data if r - 1 not in self.hidden]
        others = (
            range(body, stop) if len(data) < stop - body else ()  # all are data
        )
        sections = {
            r + 1: self.label_text(r)
            for r in others
            if kinds[r] is RowKind.SECTION
            or (kinds[r] is RowKind.SUBTOTAL and not self.is_total_text(r))
        }
        last = next(
            (
                r
                for r in range(stop - 1, body - 1, -1)
                if kinds[r] not in (RowKind.BLANK, RowKind.NOTE, RowKind.SIGNATURE)
            ),
            body - 1,
        )
        self.tables.append(
            Table(
                header_rows=tuple(r + 1 for r in head.rows),
                headings={c + 1: text for c, text in head.headings.items()},
                index_row=None if head.index_row is None else head.index_row + 1,
                first_row=body + 1,
                last_row=last + 1,
                data_rows=tuple(data),
                row_number_col=None if number_col is None else number_col + 1,
                unit=unit,
                title=title,
                sections=sections,
            )
        )
        return stop

    def note_side_by_side(self, head: _Head, body: int, stop: int) -> None:
        """Say where an empty column parts the headings: perhaps two tables side by side."""
        columns = sorted(head.headings)
        kinds = self.sheet.grid.kinds
        for at in range(2, len(columns) - 1):
            left, right = columns[at - 1], columns[at]
            if right - left < 2 or kinds[left + 1 : right, head.rows[0] : stop].any():
                continue
            if not kinds[right:, body:stop].any():
                continue
            letters = [column_letters(c + 1) for c in (columns[0], left, right, columns[-1])]
            first, second = f"{letters[0]}:{letters[1]}", f"{letters[2]}:{letters[3]}"
            self.notes.append(
                layout_note(
                    self.sheet,
                    "tables_side_by_side",
                    "warning",
                    f"An empty column parts {first} from {second}: perhaps two tables side by side. "
                    "They are read as one.",
                    f"Một cột trống ngăn {first} với {second}: có thể là hai bảng đặt cạnh nhau. "
                    "Hệ thống đọc như một bảng.",
                    remedy_en=f'If they are two, give each a mapping with `sheet.columns` ("{second}").',
                    remedy_vi=f"Nếu là hai bảng, khai báo tệp ánh xạ riêng với sheet.columns ({second}), "
                    "hoặc đặt mỗi bảng ở một trang tính.",
                    row=head.rows[-1] + 1,
                    col=right + 1,
                    raw=head.headings[right],
                )
            )

    def before(self, start: int, stop: int) -> tuple[str, str | None]:
        """Classify the rows above a heading; return title and unit."""
        title: list[str] = []
        unit: str | None = None
        for r in range(start, stop):
            if self.kinds[r] is not None:
                continue
            cells = self.filled(r)
            texts = [str(v).strip() for _, v in cells]
            if not cells:
                self.kinds[r] = RowKind.BLANK
                continue
            found = next((m for t in texts if (m := _UNIT_LINE.search(_words(t)))), None)
            if found and _UNIT_WORDS.search(found[1]) and len(found[1]) < 60:
                unit = unit or found[1].strip(" .)")
                if len(cells) <= 2:
                    self.kinds[r] = RowKind.UNIT_LINE
                    continue
            if self.tables and _SIGNATURE.search(_words(texts[0])):
                self.kinds[r] = RowKind.SIGNATURE
                continue
            self.kinds[r] = RowKind.TITLE
            title += texts
            if any(not isinstance(v, str) for _, v in cells) and len(cells) > 2:
                self.note_rows(
                    "row_above_heading",
                    [r],
                    "A row with numbers stands above the heading; it is not read.",
                    "Có dòng số liệu nằm phía trên tiêu đề cột nên không được đọc.",
                )
        return " ".join(title), unit

    def row_number_col(self, head: _Head, body: int) -> int | None:
        for c in sorted(head.headings)[:3]:
            if fold(head.headings[c]).split(" / ")[-1] in _ROW_NUMBER_HEADING or fold(
                head.headings[c]
            ).split(" / ")[0] in ("stt", "tt"):
                return c
        return None

    def body(self, head: _Head, body: int, number_col: int | None) -> int:
        """Classify the rows below a heading; return where the table ends."""
        columns = sorted(head.headings)
        sparse_below = max(2, max(self.usual_width(body, self.n), 1) // 2)
        looked_at = self.needing_look(
            body, self.cells[head.rows[-1]][columns[0]] if columns else "", sparse_below
        )
        repeat = {
            c: v for r in head.rows for c, v in self.filled(r) if isinstance(v, str) and len(v) > 1
        }
        ended = False  # a signature or closing note was met
        unsure: list[int] = []
        empty_numbered: list[int] = []
        blanks = 0
        stop = self.n
        done = body
        for r in looked_at:
            if r > done:
                self.kinds[done:r] = [RowKind.DATA] * (r - done)
                blanks = 0
            done = r + 1
            count = self.fill[r]
            if count == 0 or self.is_blank(r):
                self.kinds[r] = RowKind.BLANK
                blanks += 1
                continue
            alone = blanks or ended or (r > body and self.fill[r - 1] == 1)
            if alone and self.starts_table(r, repeat):
                stop = self.rewind(r, body, unsure)
                break
            kind = self.kind_of(r, number_col, columns, repeat, ended)
            if kind is None:
                kind = RowKind.DATA
                unsure.append(r)
            if kind == RowKind.BLANK:
                empty_numbered.append(r)
            if kind == RowKind.SIGNATURE or (kind == RowKind.NOTE and blanks):
                ended = True
            elif kind == RowKind.DATA:
                ended = False
            blanks = 0
            self.kinds[r] = kind
        self.note_rows(
            "unsure_row_kept",
            unsure,
            "It is not certain that this is a record; it is kept as data.",
            "Chưa chắc chắn đây là dòng số liệu; hệ thống giữ lại như số liệu.",
            severity="warning",
        )
        self.note_rows(
            "numbered_empty_rows",
            empty_numbered,
            "Rows with a running number and nothing else count as blank.",
            "Dòng chỉ có số thứ tự, không có nội dung, được coi là dòng trống.",
        )
        return stop

    def needing_look(self, body: int, first_text: Cell, sparse: int) -> list[int]:
        """Return the rows from *body* on that may be something else than data.

        Rows near both ends, sparse rows, and dense rows that begin with a total's word or repeat the
        heading.
        """
        import numpy as np

        grid = self.sheet.grid
        fill = np.asarray(self.fill)
        look = fill <= sparse
        look[: body + _CLOSE] = True
        look[max(self.n - _CLOSE, 0) :] = True
        starts = grid.strings.str.contains(_TOTAL_START)
        if isinstance(first_text, str) and first_text:
            starts |= grid.strings == first_text
        if len(starts):
            marked = starts.to_numpy()
            for col in range(min(4, grid.n_cols)):
                cells = grid.column(col)
                is_text = cells.kinds == TEXT
                places = np.where(is_text, cells.values, 0).astype(np.int64)
                look |= is_text & marked[places]
        rows: list[int] = (np.flatnonzero(look[body:]) + body).tolist()
        return rows

    def starts_table(self, r: int, repeat: dict[int, str]) -> bool:
        """Say whether another table's heading begins at this row."""
        if r in self.hidden:
            return False
        cells = self.filled(r)
        texts = [v for _, v in cells if isinstance(v, str)]
        if len(texts) < 3 or len(texts) < len(cells):
            return False
        if sum(repeat.get(c) == v for c, v in cells) >= 0.6 * len(cells):
            return False
        return any(fold(t) in _ROW_NUMBER_HEADING for t in texts[:2]) or any(
            _is_index_row(self.cells[x]) for x in range(r + 1, min(r + 4, self.n))
        )

    def rewind(self, r: int, body: int, unsure: list[int]) -> int:
        """Give lone texts directly above a further table back to it, as its title."""
        start = r
        while start - 1 > body:
            kind = self.kinds[start - 1]
            loose = kind == RowKind.DATA and start - 1 in unsure
            if not loose and kind not in (RowKind.BLANK, RowKind.SECTION, RowKind.NOTE):
                break
            start -= 1
            if loose:
                unsure.remove(start)
            if kind != RowKind.BLANK:
                self.kinds[start] = None
        return start if any(self.kinds[x] is None for x in range(start, r)) else r

    def kind_of(  # noqa: PLR0911, PLR0912
        self,
        r: int,
        number_col: int | None,
        columns: list[int],
        repeat: dict[int, str],
        ended: bool,
    ) -> RowKind | None:
        """Return the kind of a filled body row; None for data that might be something else."""
        cells = self.filled(r)
        texts = [(c, v.strip()) for c, v in cells if isinstance(v, str)]
        numbers = [c for c, v in cells if _is_number(v)]
        if len(cells) >= 2 and sum(repeat.get(c) == v for c, v in cells) >= 0.6 * len(cells):
            return RowKind.HEADING
        if _is_index_row(self.cells[r]) and len(cells) >= 0.6 * len(columns) and len(columns) > 3:
            follows = r > 0 and self.kinds[r - 1] == RowKind.HEADING
            if follows:
                return RowKind.INDEX
        number = self.cells[r][number_col] if number_col is not None else ""
        number_text = f"{number:g}" if isinstance(number, float) else str(number).strip()
        is_numbered = bool(number_col is not None and _ARABIC.match(number_text))
        outside = all(c not in columns for c, _ in cells)
        if is_numbered:
            return RowKind.BLANK if len(cells) == 1 else RowKind.DATA
        label = next(((c, t) for c, t in texts if c != number_col or not _ROMAN.match(t)), None)
        values = [c for c in numbers if c != number_col and (label is None or c > label[0])]
        if label is not None:
            words = _words(label[1])
            early = label[0] <= columns[min(3, len(columns) - 1)] if columns else True
            if early and _TOTAL.match(words):
                # Several texts beside the word: a record that happens to begin with it.
                others = [t for c, t in texts if c > label[0] and len(t) > 2 and not _is_number(t)]
                return self.total_kind(r, words) if len(others) < 2 else None
            if early and _OF_WHICH.match(words):
                return RowKind.SUBTOTAL if values else RowKind.SECTION
            texts_only = not values and all(not _is_number(v) for _, v in cells)
            sparse = len(cells) <= 4 or len(cells) <= 0.3 * len(columns)
            near_end = texts_only or ended or r >= self.n - 40
            signs = [bool(_SIGNATURE.search(_words(t))) for _, t in texts]
            # A row that fills the columns is a record, though a word of it signs elsewhere.
            is_record = len(cells) >= 0.7 * len(columns) and not all(signs)
            if sparse and near_end and any(signs) and not is_record:
                return RowKind.SIGNATURE
            if len(cells) <= 2 and texts_only and _NOTE.search(words):
                return RowKind.NOTE
            if len(cells) == 1 and texts_only and len(label[1]) > 150:
                return RowKind.NOTE
            if ended and texts_only and len(cells) <= 4:
                return RowKind.SIGNATURE if self.after_signature(r) else RowKind.NOTE
        if number_col is not None and _ROMAN.match(number_text):
            if values:
                return RowKind.SUBTOTAL
            return RowKind.SECTION
        if outside:
            return RowKind.NOTE
        if label is not None and len(texts) == len(cells) == 1 and len(columns) > 2:
            return self.lone_text(r, label[0], label[1], columns, number_col)
        if (
            not texts
            and number_col is None
            and len(columns) > 3
            and len(numbers) >= 0.5 * len(columns)
        ):
            return None if all(c in numbers for c, _ in cells) else RowKind.DATA
        return RowKind.DATA

    def lone_text(
        self, r: int, c: int, text: str, columns: list[int], number_col: int | None
    ) -> RowKind | None:
        """Decide on a row with one text and nothing else."""
        words = _words(text)
        if _NOTE.search(words):
            return RowKind.NOTE
        first_two = columns[:2] if number_col is None else columns[:3]
        if c not in first_two:
            return None
        followed = any(
            self.fill[x] >= 2 for x in range(r + 1, min(r + 4, self.n)) if x not in self.hidden
        )
        marked = (
            self.across(r, c) > 1
            or (text.isupper() and len(text) > 2)
            or bool(_NUMBERED.match(text))
            or bool(_PLACE.match(words))
            or text.endswith(":")
        )
        if marked and followed:
            return RowKind.SECTION
        if marked and _UNIT_LINE.search(words):
            return RowKind.UNIT_LINE
        return None

    def after_signature(self, r: int) -> bool:
        for x in range(r - 1, max(r - 12, -1), -1):
            if self.kinds[x] == RowKind.SIGNATURE:
                return True
            if self.kinds[x] in (RowKind.DATA, RowKind.TOTAL):
                return False
        return False

    def total_kind(self, r: int, words: str) -> RowKind:
        if _SUBTOTAL.search(words):
            return RowKind.SUBTOTAL
        return RowKind.TOTAL if _GRAND.search(words) else RowKind.SUBTOTAL

    def is_total_text(self, r: int) -> bool:
        return any(
            _TOTAL.match(_words(v)) or is_of_which(v)
            for _, v in self.filled(r)
            if isinstance(v, str)
        )

    def label_text(self, r: int) -> str:
        texts = [" ".join(v.split()) for _, v in self.filled(r) if isinstance(v, str)]
        return (
            ". ".join(texts[:2]) if texts and _ROMAN.match(texts[0]) else texts[0] if texts else ""
        )

    # --- the end ------------------------------------------------------------------------------

    def rest(self, start: int) -> None:
        """Rows that belong to no table: blank, note, signature, or data without a heading."""
        loose: list[int] = []
        for r in range(start, self.n):
            if self.kinds[r] is not None:
                continue
            if self.is_blank(r):
                self.kinds[r] = RowKind.BLANK
            elif self.tables:
                words = " ".join(_words(str(v)) for _, v in self.filled(r))
                is_signature = _SIGNATURE.search(words)
                self.kinds[r] = RowKind.SIGNATURE if is_signature else RowKind.NOTE
            else:
                loose.append(r)
        if not loose:
            return
        if max(self.fill[r] for r in loose) <= 1 or self.width <= 1:
            for r in loose:
                self.kinds[r] = RowKind.NOTE
            return
        for r in loose:
            self.kinds[r] = RowKind.DATA
        self.notes.append(
            layout_note(
                self.sheet,
                "no_heading_found",
                "warning",
                "No heading row was recognised; every filled row is kept as data.",
                "Không nhận ra dòng tiêu đề cột; mọi dòng có nội dung được giữ như số liệu.",
                remedy_en="Name the heading rows in the mapping (header_rows).",
                remedy_vi="Khai báo dòng tiêu đề trong tệp ánh xạ (header_rows).",
                row=loose[0] + 1,
            )
        )
        rows = [r for r in loose if r not in self.hidden]
        self.tables.append(
            Table(
                (),
                {c: column_letters(c) for c in range(1, self.width + 1)},
                None,
                loose[0] + 1,
                loose[-1] + 1,
                tuple(r + 1 for r in rows),
                None,
                None,
                "",
                {},
            )
        )

    def finish(self) -> Layout:
        hidden_kinds: dict[int, RowKind] = {}
        kinds = [kind or RowKind.BLANK for kind in self.kinds]
        for r in sorted(self.hidden):
            if r < self.n and kinds[r] != RowKind.BLANK:
                hidden_kinds[r + 1] = kinds[r]
                kinds[r] = RowKind.HIDDEN
        hidden_data = [r - 1 for r, k in hidden_kinds.items() if k == RowKind.DATA]
        self.note_rows(
            "hidden_rows_not_read",
            hidden_data,
            "Hidden rows that look like data are not read.",
            "Dòng bị ẩn có vẻ là số liệu nhưng không được đọc.",
            severity="warning",
            remedy=(
                "Show the rows if they are meant, delete them if not.",
                "Đề nghị bỏ ẩn nếu là số liệu cần báo cáo, hoặc xoá nếu không dùng.",
            ),
        )
        if self.sheet.visibility != "visible" and any(k == RowKind.DATA for k in kinds):
            self.notes.append(
                layout_note(
                    self.sheet,
                    "hidden_sheet",
                    "info",
                    "The sheet is hidden; it is read only if the mapping names it.",
                    "Trang tính bị ẩn; chỉ được đọc khi tệp ánh xạ nêu tên.",
                )
            )
        main = max(
            range(len(self.tables)),
            key=lambda i: (self.matches(self.tables[i]), len(self.tables[i].data_rows), -i),
            default=0,
        )
        if self.fixed and self.tables:
            main = 0
        layout = Layout(
            self.sheet, tuple(kinds), tuple(self.tables), tuple(self.notes), hidden_kinds, main
        )
        read = set(layout.data_rows) if len(self.tables) > 1 else set()
        for table in self.tables if read else ():
            left = [r - 1 for r in table.data_rows if r not in read]
            self.note_rows(
                "table_not_read",
                left,
                "The sheet holds a further table with other headings; it is not read together "
                "with the main one.",
                "Trang tính có thêm bảng khác tiêu đề; bảng này không được đọc cùng bảng chính.",
                severity="warning",
                remedy=(
                    "Give it a mapping of its own (header_rows).",
                    "Khai báo tệp ánh xạ riêng cho bảng này (header_rows).",
                ),
            )
        return replace(layout, notes=tuple(self.notes))

    def matches(self, table: Table) -> int:
        parts = {fold(p) for text in table.headings.values() for p in (text, *text.split(" / "))}
        return len(parts & self.expected)

    def note_rows(
        self,
        code: str,
        rows: list[int],
        reason_en: str,
        reason_vi: str,
        *,
        severity: str = "info",
        remedy: tuple[str, str] = ("", ""),
    ) -> None:
        """One note for a set of rows, naming the first ones."""
        if not rows:
            return
        listed = ", ".join(str(r + 1) for r in rows[:10]) + ("…" if len(rows) > 10 else "")
        self.notes.append(
            layout_note(
                self.sheet,
                code,
                severity,
                f"{reason_en} Rows: {listed} ({len(rows)}).",
                f"{reason_vi} Dòng: {listed} ({len(rows)}).",
                remedy_en=remedy[0],
                remedy_vi=remedy[1],
                row=rows[0] + 1,
                count=len(rows),
            )
        )


_TOTAL_START: Final = r"^[ \t\n]*[TtCcGgSsΣ]"


def layout_note(
    sheet: Sheet,
    code: str,
    severity: str,
    reason_en: str,
    reason_vi: str,
    *,
    remedy_en: str = "",
    remedy_vi: str = "",
    row: int | None = None,
    col: int | None = None,
    raw: str | None = None,
    count: int = 1,
) -> Note:
    return Note(
        code,
        severity,  # type: ignore[arg-type]
        reason_en,
        reason_vi,
        remedy_en,
        remedy_vi,
        sheet=sheet.name,
        row=row,
        cell=a1(row, col) if row and col else None,
        raw=raw,
        count=count,
    )


def understand(
    sheet: Sheet,
    *,
    expected_headings: Sequence[str] | None = None,
    header_rows: Sequence[int] | None = None,
) -> Layout:
    """Say what every row of a sheet is and where its tables are.

    Parameters
    ----------
    sheet:
        An opened sheet.
    expected_headings:
        Headings the reader hopes for; a row that holds them is preferred as the heading.
    header_rows:
        Heading rows fixed by a mapping (1-based); found out when left out.

    Returns
    -------
    Layout
        A kind for every row; tables top to bottom; notes on every choice that may matter. Headings
        and units are in Unicode whatever the charset of the sheet, and so is ``Layout.sheet``.

    Notes
    -----
    Tables that stand side by side are read as one, with a note; `Sheet.narrowed` looks at one of them.
    A heading is looked for in the first 80 rows of
    the part of the sheet that is still unread.

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> text = "BÁO CÁO;;\\nSTT;Tên HTX;Vốn\\n1;Sa Thầy;12\\n2;Đăk Hà;30\\n;Tổng cộng;42\\n"
    >>> layout = understand(open_bytes(text.encode(), name="a.csv").sheets[0])
    >>> [kind.value for kind in layout.kinds]
    ['title', 'heading', 'data', 'data', 'total']
    >>> layout.tables[0].headings
    {1: 'STT', 2: 'Tên HTX', 3: 'Vốn'}
    """
    reader = _Reader(unicode_view(sheet), expected_headings or (), header_rows)
    if sheet.charset != "plain":
        label = charset_label(sheet.charset)
        reader.notes.append(
            layout_note(
                sheet,
                "sheet_charset",
                "info",
                f"The text is in {label}; headings and notes were read as Unicode.",
                f"Chữ trong trang theo bảng mã {label}; tiêu đề, ghi chú được đọc theo Unicode.",
                remedy_en="Save the file with a Unicode font (Times New Roman) next time.",
                remedy_vi="Lần sau đề nghị dùng phông Unicode (Times New Roman).",
            )
        )
    return reader.run()
