"""Personal data in workbooks: columns that are never read, and numbers taken out of texts that are.

What belongs here: which headings announce personal data of a person (Law 91/2025/QH15 on personal data
protection, Art. 2), and finding phone numbers, e-mail addresses and personal numbers inside a text. What
does not: tax codes and register numbers, which are of organisations (`resolve.ids`).
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from htx_pipeline.textfold import without_marks

_KINDS: Final = (
    ("số định danh cá nhân", "personal number", r"cccd|cmnd|cmtnd|cmt\b|can cuoc|chung minh|dinh danh ca nhan|ho chieu|passport"),
    ("số điện thoại", "phone number", r"dien thoai|\bs?dt\b|\bdtdd\b|di dong|\btel\b|phone|zalo|so lien he"),
    ("địa chỉ email", "e-mail address", r"e-?mail|thu dien tu"),
    ("ngày sinh", "date of birth", r"(?:ngay|nam|thang nam) sinh|\bdob\b|birth"),
    ("tài khoản ngân hàng", "bank account", r"so tai khoan|\bstk\b|bank account"),
    ("họ tên cá nhân", "name of a person", r"ho (?:va |, )?ten|nguoi dai dien|ten (?:giam doc|chu tich|ke toan|nguoi)|^(?:giam doc|chu nhiem)(?: htx)?$"),
)  # fmt: skip
_PERSONAL: Final = tuple((vi, en, re.compile(pattern)) for vi, en, pattern in _KINDS)

_WORDS: Final = r"(?i:đ\.?t(?:dđ)?|sđt|đt|điện thoại|dien thoai|tel|phone|di động|liên hệ|zalo|cccd|cmnd|cmt|căn cước)"
_NUMBERS: Final = (
    rf"[\s,;:\-–]*[(\[]?\s*(?:\b{_WORDS}\b[^0-9+]{{0,15}}\+?[0-9](?:[ .\-]?[0-9]){{7,12}}"
    r"|[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+)\s*[)\]]?"
)
"""A number counts after a word that says what it is: ten digits alone may be a tax code."""
_LONG_OR_MAIL: Final = r"[^0-9 .\-][^0-9]*[0-9](?:[ .\-]?[0-9]){7}|@"
"""What every text with such a number holds; quick to look for."""


def personal_kind(heading: str) -> tuple[str, str] | None:
    """Return what personal data a heading announces, in Vietnamese and English; None where none.

    Examples
    --------
    >>> personal_kind("Số CCCD của Giám đốc"), personal_kind("Thông tin / Số điện thoại")
    (('số định danh cá nhân', 'personal number'), ('số điện thoại', 'phone number'))
    >>> personal_kind("Mã số thuế"), personal_kind("Số lao động"), personal_kind("Tên hợp tác xã")
    (None, None, None)
    """
    folded = " ".join(without_marks(heading).lower().split())
    for text in (folded.rsplit(" / ", 1)[-1], folded):
        for vi, en, pattern in _PERSONAL:
            if pattern.search(text):
                return vi, en
    return None


def without_personal_numbers(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Take phone numbers, e-mail addresses and personal numbers out of texts.

    Parameters
    ----------
    values:
        Texts; nulls stay.

    Returns
    -------
    polars.Series, polars.Series
        The texts without them and the brackets around them, null where nothing is left; and where one was
        taken out (boolean, no nulls).

    Examples
    --------
    >>> texts = pl.Series(["HTX Sao Mai (ĐT: 0905 123 456)", "HTX 6100123457", "a@b.vn", None])
    >>> without_personal_numbers(texts)[0].to_list()
    ['HTX Sao Mai', 'HTX 6100123457', None, None]
    """
    may_hold = values.str.contains(_LONG_OR_MAIL).fill_null(value=False)
    if not may_hold.any():
        return values, may_hold
    at = may_hold.arg_true()
    suspects = values.gather(at)
    is_met = suspects.str.contains(_NUMBERS)
    left = suspects.str.replace_all(_NUMBERS, "").str.strip_chars()
    cleaned = suspects.zip_with(~is_met, left.set(left == "", None))
    none = pl.repeat(value=False, n=len(values), eager=True, dtype=pl.Boolean)
    return values.scatter(at, cleaned), none.scatter(at, is_met)
