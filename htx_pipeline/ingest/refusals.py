"""Why a file is refused: each reason with its remedy, in English and Vietnamese.

What belongs here: the words of every refusal and the error made of them. What does not: deciding that a
file is refused (`guard`, the readers).
"""

from __future__ import annotations

from typing import Final

from htx_pipeline.errors import InputError

SAVE_AS_XLSX: Final = (
    "Open it in Excel or LibreOffice, save it as .xlsx and send that file.",
    "Đề nghị mở tệp bằng Excel hoặc LibreOffice, lưu lại dưới dạng .xlsx rồi gửi lại.",
)
_SEND_AGAIN: Final = (
    "Ask the sender to send the file again.",
    "Đề nghị đơn vị gửi lại tệp.",
)
_ASK_ORIGIN: Final = (
    "Do not open it. Ask the sender how the file was made and for a fresh export.",
    "Không mở tệp này. Đề nghị đơn vị cho biết cách tạo tệp và gửi bản xuất mới.",
)
_SMALLER: Final = (
    "Delete unused rows, columns and sheets, or split the file by locality, and send it again.",
    "Đề nghị xoá các dòng, cột, trang tính không dùng hoặc tách tệp theo địa bàn rồi gửi lại.",
)

_REFUSALS: Final[dict[str, tuple[str, str, tuple[str, str]]]] = {
    "not_found": (
        "There is no such file.",
        "Không tìm thấy tệp.",
        ("Check the path.", "Đề nghị kiểm tra lại đường dẫn."),
    ),
    "not_a_file": (
        "This is not an ordinary file.",
        "Đây không phải là tệp thông thường.",
        ("Give the file itself.", "Đề nghị chọn đúng tệp cần nhập."),
    ),
    "not_readable": (
        "The file cannot be read.",
        "Không đọc được tệp.",
        ("Check the file's permissions.", "Đề nghị kiểm tra quyền truy cập tệp."),
    ),
    "symlink": (
        "The file is a link to another place and is not followed.",
        "Tệp là liên kết trỏ đến nơi khác nên không được mở.",
        ("Put the file itself in the folder.", "Đề nghị đặt chính tệp đó vào thư mục."),
    ),
    "empty_file": ("The file is empty.", "Tệp rỗng.", _SEND_AGAIN),
    "file_too_large": ("The file is too large.", "Tệp quá lớn.", _SMALLER),
    "sheet_too_large": ("A sheet is too large to read.", "Trang tính quá lớn.", _SMALLER),
    "too_many_sheets": ("The workbook has too many sheets.", "Quá nhiều trang tính.", _SMALLER),
    "zip_bomb": (
        "The file unpacks to far more than an ordinary workbook.",
        "Tệp khi giải nén lớn bất thường.",
        _ASK_ORIGIN,
    ),
    "unsafe_zip_name": (
        "The container holds a part whose name points outside it.",
        "Bên trong tệp có thành phần mang tên trỏ ra ngoài tệp.",
        _ASK_ORIGIN,
    ),
    "xml_dtd": (
        "The file declares XML entities, which a spreadsheet never does.",
        "Tệp khai báo thực thể XML, điều không có trong bảng tính thông thường.",
        _ASK_ORIGIN,
    ),
    "encrypted": (
        "The file is protected by a password.",
        "Tệp được đặt mật khẩu.",
        (
            "Take the password away (Excel: File, Info, Protect Workbook), save it and send it again.",
            "Đề nghị bỏ mật khẩu (Excel: Tệp → Thông tin → Bảo vệ sổ làm việc), lưu rồi gửi lại tệp.",
        ),
    ),
    "damaged": (
        "The file is damaged or was cut off.",
        "Tệp bị hỏng hoặc bị cắt giữa chừng.",
        _SEND_AGAIN,
    ),
    "reader_failed": (
        "Reading the file takes too much memory or time, or makes the reader break off.",
        "Tệp làm chương trình đọc dừng đột ngột hoặc cần quá nhiều bộ nhớ, thời gian.",
        (
            "Open it in Excel or LibreOffice, save it as .xlsx and send that file; if it cannot be opened there "
            "either, ask the sender how it was made.",
            "Đề nghị mở tệp bằng Excel hoặc LibreOffice, lưu lại dưới dạng .xlsx rồi gửi lại; nếu vẫn không mở "
            "được, đề nghị đơn vị cho biết cách tạo tệp.",
        ),
    ),
    "unsupported_kind": (
        "The file is not a workbook or a CSV.",
        "Tệp không phải là bảng tính hoặc tệp CSV.",
        SAVE_AS_XLSX,
    ),
    "old_workbook": (
        "The file is a workbook of Excel 5.0/95 or older, a kind that is not read.",
        "Tệp là bảng tính Excel 5.0/95 hoặc cũ hơn; hệ thống không đọc loại tệp này.",
        SAVE_AS_XLSX,
    ),
    "xml_workbook": (
        "The file is an XML spreadsheet in one piece (Excel 2003 or flat OpenDocument), a kind that is not read.",
        "Tệp là bảng tính dạng XML một tệp (XML Spreadsheet 2003 hoặc .fods); hệ thống không đọc loại tệp này.",
        SAVE_AS_XLSX,
    ),
    "not_text": (
        "The file is neither a workbook nor readable text.",
        "Tệp không phải là bảng tính, cũng không phải văn bản đọc được.",
        SAVE_AS_XLSX,
    ),
}

REFUSAL_CODES: Final = tuple(sorted(_REFUSALS))
"""Codes of the `InputError`s raised by `guard.check_file` and `workbook.open_workbook`."""


def refuse(code: str, *, where: str, why: str = "") -> InputError:
    """Return the `InputError` of a known refusal, in English and Vietnamese.

    Examples
    --------
    >>> refuse("encrypted", where="a.xlsx").code
    'encrypted'
    """
    what, what_vi, (remedy, remedy_vi) = _REFUSALS[code]
    return InputError(
        what,
        where=where,
        why=why,
        remedy=remedy,
        what_vi=what_vi,
        remedy_vi=remedy_vi,
        code=code,
    )
