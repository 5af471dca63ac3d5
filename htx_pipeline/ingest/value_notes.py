"""Notes: what the value parsers have to say about single cells of a column.

What belongs here: the shape of a note (position, code, detail) and the register of codes with their
severity and remedy, shared by numbers, dates, text and ids. What does not: cell addresses and file
names, which only the reader knows; it turns notes into findings (`htx_pipeline.findings`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

NOTE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "index": pl.UInt32(),
    "code": pl.String(),
    "detail_vi": pl.String(),
    "detail_en": pl.String(),
}
"""``index`` is the position in the parsed series; ``code`` is a key of `NOTE_CODES`."""


@dataclass(frozen=True)
class NoteCode:
    """Severity, lasting meaning and remedy of one code.

    Examples
    --------
    >>> NOTE_CODES["not_a_number"].severity
    'error'
    """

    severity: str
    keeps_value: bool
    remedy_vi: str
    remedy_en: str


_NUMBER_VI = "Nhập lại ô này bằng chữ số, đúng đơn vị của cột."
_NUMBER_EN = "Enter this cell again in digits, in the unit of the column."
_DATE_VI = "Nhập lại ngày theo dạng ngày/tháng/năm, ví dụ 15/12/2024."
_DATE_EN = "Enter the date again as day/month/year, for example 15/12/2024."
_NONE_VI = "Không cần sửa; nếu muốn ghi số 0 thì nhập 0."
_NONE_EN = "Nothing to mend; write 0 if zero is meant."
_CHECK_VI = "Kiểm tra lại giá trị đã đọc; nếu sai thì nhập lại ô này."
_CHECK_EN = "Check the value that was read; if it is wrong, enter the cell again."
_CONVENTION_VI = (
    "Viết thống nhất cả cột (1.234.567,89) hoặc khai báo quy ước trong tệp ánh xạ nguồn."
)
_CONVENTION_EN = "Write the whole column one way, or fix the convention in the source mapping."
_TAX_VI = "Đối chiếu mã số thuế với giấy chứng nhận đăng ký và nhập lại dưới dạng văn bản."
_TAX_EN = "Compare the tax code with the registration certificate and enter it again as text."

NOTE_CODES: Final[dict[str, NoteCode]] = {
    # numbers
    "not_a_number": NoteCode("error", False, _NUMBER_VI, _NUMBER_EN),
    "range_not_number": NoteCode(
        "error",
        False,
        "Nhập một số duy nhất thay cho khoảng giá trị.",
        "Enter one number instead of a range.",
    ),
    "excel_error": NoteCode(
        "error",
        False,
        "Sửa công thức trong ô rồi gửi lại.",
        "Mend the formula of the cell and send the file again.",
    ),
    "formula_text": NoteCode(
        "error",
        False,
        "Thay công thức bằng kết quả của công thức.",
        "Replace the formula by its result.",
    ),
    "unknown_unit": NoteCode(
        "error",
        False,
        "Bỏ phần chữ trong ô, chỉ nhập số theo đơn vị của cột.",
        "Remove the words; enter the number alone in the unit of the column.",
    ),
    "local_unit": NoteCode(
        "error",
        False,
        "Quy đổi sang héc-ta (ha) rồi nhập lại; sào, công, mẫu khác nhau giữa các vùng.",
        "Convert to hectares and enter again; sào, công and mẫu differ between regions.",
    ),
    "foreign_currency": NoteCode(
        "error",
        False,
        "Quy đổi sang đồng Việt Nam rồi nhập lại.",
        "Convert to Vietnamese đồng and enter again.",
    ),
    "unit_mismatch": NoteCode("error", False, _NUMBER_VI, _NUMBER_EN),
    "not_whole": NoteCode(
        "error",
        False,
        "Cột này đếm người, hộ hoặc đơn vị: nhập số nguyên.",
        "This column counts people, households or units: enter a whole number.",
    ),
    "too_large": NoteCode("error", False, _NUMBER_VI, _NUMBER_EN),
    "approximate_number": NoteCode(
        "warning",
        True,
        "Nhập số liệu chính xác, bỏ chữ “khoảng”, “trên”, “gần”…",
        "Enter the exact figure without “about”, “over”, “nearly”…",
    ),
    "unit_differs": NoteCode("warning", True, _CHECK_VI, _CHECK_EN),
    "footnote_mark": NoteCode(
        "warning",
        True,
        "Bỏ ký hiệu chú thích (¹, (1), *) khỏi ô số liệu, ghi chú ở cột riêng.",
        "Remove the footnote mark (¹, (1), *) from the cell; use a column for remarks.",
    ),
    "ambiguous_convention": NoteCode("warning", True, _CONVENTION_VI, _CONVENTION_EN),
    "convention_conflict": NoteCode("warning", True, _CONVENTION_VI, _CONVENTION_EN),
    "rounded": NoteCode("info", True, _CHECK_VI, _CHECK_EN),
    "unit_in_cell": NoteCode("info", True, _CHECK_VI, _CHECK_EN),
    "negative_in_parentheses": NoteCode("info", True, _CHECK_VI, _CHECK_EN),
    "scientific": NoteCode(
        "warning",
        True,
        "Định dạng cột là số (không phải dạng khoa học) để không mất chữ số.",
        "Format the column as a number, not scientific, so that no digit is lost.",
    ),
    "empty_mark": NoteCode("info", False, _NONE_VI, _NONE_EN),
    "said_none": NoteCode("info", False, _NONE_VI, _NONE_EN),
    # dates
    "not_a_date": NoteCode("error", False, _DATE_VI, _DATE_EN),
    "impossible_date": NoteCode("error", False, _DATE_VI, _DATE_EN),
    "quarter_only": NoteCode("error", False, _DATE_VI, _DATE_EN),
    "two_digit_year": NoteCode("warning", True, _DATE_VI, _DATE_EN),
    "undelimited_date": NoteCode("warning", True, _DATE_VI, _DATE_EN),
    "month_only": NoteCode("info", True, _DATE_VI, _DATE_EN),
    "year_only": NoteCode("info", True, _DATE_VI, _DATE_EN),
    "excel_serial": NoteCode("info", True, _CHECK_VI, _CHECK_EN),
    "open_ended": NoteCode(
        "info",
        False,
        "Không cần sửa: ô được hiểu là chưa có ngày kết thúc.",
        "Nothing to mend: read as having no end date.",
    ),
    "ambiguous_date_order": NoteCode("warning", True, _DATE_VI, _DATE_EN),
    "date_order_conflict": NoteCode("warning", True, _DATE_VI, _DATE_EN),
    # text
    "encoding_unrecoverable": NoteCode(
        "warning",
        True,
        "Mở tệp gốc bằng phông chữ cũ và gõ lại ô này bằng Unicode.",
        "Type this cell again in Unicode from the original document.",
    ),
    "encoding_uncertain": NoteCode("warning", True, _CHECK_VI, _CHECK_EN),
    "personal_data_removed": NoteCode(
        "warning",
        True,
        "Không ghi số điện thoại, email, số định danh cá nhân vào ô này.",
        "Do not write phone numbers, e-mail addresses or personal numbers into this cell.",
    ),
    # yes or no
    "not_yes_or_no": NoteCode(
        "error", False, "Ghi «x» hoặc «có», «không».", "Write “x” or “yes”, “no”."
    ),
    "percent_or_share": NoteCode(
        "warning",
        True,
        "Ghi thống nhất cả cột theo phần trăm (85 hoặc 85%), không lẫn với 0,85.",
        "Write the whole column in percent (85 or 85%), not mixed with 0.85.",
    ),
    # tax codes
    "tax_code_invalid": NoteCode("error", False, _TAX_VI, _TAX_EN),
    "tax_code_check_digit": NoteCode("error", True, _TAX_VI, _TAX_EN),
    "tax_code_zero_restored": NoteCode("warning", True, _TAX_VI, _TAX_EN),
    "tax_code_from_number": NoteCode("warning", True, _TAX_VI, _TAX_EN),
    "tax_code_branch": NoteCode(
        "info",
        True,
        "Mã 13 số là mã của đơn vị phụ thuộc; kiểm tra xem có đúng đơn vị báo cáo không.",
        "A 13-digit code is a branch; check that the branch is the one reporting.",
    ),
    "tax_code_personal_id": NoteCode(
        "error",
        False,
        "Xóa số định danh cá nhân khỏi ô; để trống nếu không có mã số thuế.",
        "Remove the personal number from the cell; leave it empty if there is no tax code.",
    ),
    # plausibility
    "unit_jump": NoteCode(
        "warning",
        True,
        "Kiểm tra đơn vị tính (đồng, nghìn đồng, triệu đồng) và dấu phân cách của số này.",
        "Check the unit (đồng, thousand, million) and the separators of this figure.",
    ),
    "peer_outlier": NoteCode("warning", True, _CHECK_VI, _CHECK_EN),
    "part_exceeds_whole": NoteCode("warning", True, _CHECK_VI, _CHECK_EN),
    # definitions
    "mixed_definition": NoteCode(
        "warning",
        True,
        "Tách riêng cột thành viên và cột người lao động.",
        "Give members and workers in separate columns.",
    ),
}
"""Every code a value parser may give. ``keeps_value`` says whether a value came out of the cell."""


def empty_notes() -> pl.DataFrame:
    """Return a notes frame with no rows.

    Examples
    --------
    >>> empty_notes().columns
    ['index', 'code', 'detail_vi', 'detail_en']
    """
    return pl.DataFrame(schema=NOTE_SCHEMA)


def join_notes(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Join notes in the order of position, then code.

    Examples
    --------
    >>> join_notes([empty_notes(), empty_notes()]).height
    0
    """
    parts = [frame for frame in frames if frame.height]
    if not parts:
        return empty_notes()
    return pl.concat(parts).sort("index", "code", "detail_en", maintain_order=True)


def note_rows(
    frame: pl.DataFrame, *, code: str, detail_vi: str | pl.Expr, detail_en: str | pl.Expr
) -> pl.DataFrame:
    """Give every row of a frame with an ``index`` column the same code.

    Examples
    --------
    >>> cells = pl.DataFrame({"index": [4]}, schema={"index": pl.UInt32})
    >>> note_rows(cells, code="not_a_number", detail_vi="a", detail_en="b").row(0)
    (4, 'not_a_number', 'a', 'b')
    """
    if code not in NOTE_CODES:
        raise KeyError(f"not a registered note code: {code}")
    if not frame.height:
        return empty_notes()
    vi = pl.lit(detail_vi) if isinstance(detail_vi, str) else detail_vi
    en = pl.lit(detail_en) if isinstance(detail_en, str) else detail_en
    return frame.select(
        pl.col("index").cast(pl.UInt32),
        pl.lit(code).alias("code"),
        vi.cast(pl.String).alias("detail_vi"),
        en.cast(pl.String).alias("detail_en"),
    )


def notes_where(
    frame: pl.DataFrame, table: Iterable[tuple[str, pl.Expr, str | pl.Expr, str | pl.Expr]]
) -> pl.DataFrame:
    """Give rows of a frame with an ``index`` column the codes whose condition they meet.

    Parameters
    ----------
    frame:
        The cells.
    table:
        Code, condition, detail in Vietnamese, detail in English.

    Examples
    --------
    >>> cells = pl.DataFrame({"index": [4, 5], "n": [1, 2]})
    >>> notes_where(cells, [("not_a_number", pl.col("n") > 1, "a", "b")])["index"].to_list()
    [5]
    """
    rows = list(table)
    if not frame.height:
        return empty_notes()
    met = frame.select(which.alias(str(i)) for i, (_, which, _, _) in enumerate(rows))
    found = [
        note_rows(frame.filter(met.to_series(i)), code=code, detail_vi=vi, detail_en=en)
        for i, (code, _, vi, en) in enumerate(rows)
        if met.to_series(i).any()
    ]
    return join_notes(found)
