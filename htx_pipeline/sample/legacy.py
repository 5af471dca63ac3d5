"""Text as old programs wrote it: TCVN3 (ABC) fonts and code page 1258.

What belongs here: encoding for the sample's files. What does not: decoding, which is the reader's.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from types import MappingProxyType
from typing import Final

_PLAIN: Final = (
    "à\u00b5 á\u00b8 ả\u00b6 ã\u00b7 ạ\u00b9 ă\u00a8 ằ\u00bb ắ\u00be ẳ\u00bc ẵ\u00bd ặ\u00c6 "
    "â\u00a9 ầ\u00c7 ấ\u00ca ẩ\u00c8 ẫ\u00c9 ậ\u00cb è\u00cc é\u00d0 ẻ\u00ce ẽ\u00cf ẹ\u00d1 "
    "ê\u00aa ề\u00d2 ế\u00d5 ể\u00d3 ễ\u00d4 ệ\u00d6 ì\u00d7 í\u00dd ỉ\u00d8 ĩ\u00dc ị\u00de "
    "ò\u00df ó\u00e3 ỏ\u00e1 õ\u00e2 ọ\u00e4 ô\u00ab ồ\u00e5 ố\u00e8 ổ\u00e6 ỗ\u00e7 ộ\u00e9 "
    "ơ\u00ac ờ\u00ea ớ\u00ed ở\u00eb ỡ\u00ec ợ\u00ee ù\u00ef ú\u00f3 ủ\u00f1 ũ\u00f2 ụ\u00f4 "
    "ư\u00ad ừ\u00f5 ứ\u00f8 ử\u00f6 ữ\u00f7 ự\u00f9 ỳ\u00fa ý\u00fd ỷ\u00fb ỹ\u00fc ỵ\u00fe "
    "đ\u00ae Đ\u00a7 Ă\u00a1 Â\u00a2 Ê\u00a3 Ô\u00a4 Ơ\u00a5 Ư\u00a6"
)
_TCVN3: Final = MappingProxyType({pair[0]: pair[1] for pair in _PLAIN.split(" ")})
_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")


def to_tcvn3(text: str) -> str:
    """Return *text* as a TCVN3 font shows it in a Unicode cell (`.VnTime`).

    Raises
    ------
    ValueError
        A capital letter with a tone has no code in TCVN3 (it needs another font).

    Examples
    --------
    >>> to_tcvn3("Độc lập - Tự do")
    '§éc lËp - Tù do'
    """
    out = []
    for ch in unicodedata.normalize("NFC", text):
        if ch in _TCVN3:
            out.append(_TCVN3[ch])
        elif ch.isascii():
            out.append(ch)
        else:
            raise ValueError(f"TCVN3 has no code for {ch!r}")
    return "".join(out)


def to_cp1258(text: str) -> bytes:
    """Encode as Windows code page 1258: letters composed, tone marks apart, as Windows wrote it.

    Examples
    --------
    >>> import unicodedata
    >>> unicodedata.normalize("NFC", to_cp1258("Tổ hợp tác").decode("cp1258"))
    'Tổ hợp tác'
    """
    return b"".join(map(_cp1258, unicodedata.normalize("NFC", text)))


@cache
def _cp1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(p for p in parts if p in _TONES)
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in _TONES))
        return (base + tone).encode("cp1258")
