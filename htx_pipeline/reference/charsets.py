"""Legacy Vietnamese charsets as facts: which characters stand for which letter.

What belongs here: the tables, each with its source, and the names of the fonts that imply them.
What does not: recognising and converting text (`ingest.charset_detect`, `ingest.charset_convert`).

A table maps what a reader sees when legacy bytes are taken for Western text (windows-1252 or
Latin-1) to the Unicode letter meant.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True)
class Charset:
    """A legacy charset: its name for readers, where its table is from, and whether it was checked."""

    name: str
    label: str
    source: str
    verified: bool


CHARSETS: Final = (
    Charset(
        "tcvn3",
        "TCVN3 (ABC)",
        "TCVN 5712:1993; compared code by code with GNU libc iconv “TCVN” and with the table of "
        "vietnamese-conversion 2.0.0 (MIT)",
        True,
    ),
    Charset(
        "vni",
        "VNI Windows",
        "Table of vietnamese-conversion 2.0.0 (MIT), but for ỷ, ỹ, Ỷ, Ỹ, where it gives ë and ì (ì "
        "already stands for ì); yû and yõ as in the VNI table of xvnkb",
        True,
    ),
    Charset("viqr", "VIQR", "RFC 1456 (1993)", True),
    Charset(
        "cp1258",
        "windows-1258 read as windows-1252",
        "Unicode Consortium, CP1258.TXT; compared with Python's cp1258 codec",
        True,
    ),
    Charset(
        "utf8_as_cp1252",
        "UTF-8 read as windows-1252",
        "computed from the windows-1252 and UTF-8 codecs",
        True,
    ),
    Charset("decomposed", "Unicode, decomposed", "Unicode Standard Annex 15", True),
    Charset("plain", "Unicode", "", True),
)
"""Every charset `encodings` knows, in the order in which ties are decided."""

VOWELS: Final = "aăâeêioôơuưy"
"""Base vowels of Vietnamese, lower case."""

TONES: Final = {
    "grave": "\u0300",
    "hook": "\u0309",
    "tilde": "\u0303",
    "acute": "\u0301",
    "dot": "\u0323",
}
"""Combining tone marks: huyền, hỏi, ngã, sắc, nặng."""

VIETNAMESE_LETTERS: Final = (
    "".join(
        form
        for vowel in VOWELS
        for mark in ("", *TONES.values())
        for form in (
            unicodedata.normalize("NFC", vowel + mark),
            unicodedata.normalize("NFC", vowel + mark).upper(),
        )
        if form not in "aeiouyAEIOUY"
    )
    + "đĐ"
)
"""The 134 letters of Vietnamese that are not ASCII."""

_TCVN3_LOWER: Final = {
    "à": 0xB5, "ả": 0xB6, "ã": 0xB7, "á": 0xB8, "ạ": 0xB9,
    "ă": 0xA8, "ằ": 0xBB, "ẳ": 0xBC, "ẵ": 0xBD, "ắ": 0xBE, "ặ": 0xC6,
    "â": 0xA9, "ầ": 0xC7, "ẩ": 0xC8, "ẫ": 0xC9, "ấ": 0xCA, "ậ": 0xCB,
    "đ": 0xAE,
    "è": 0xCC, "ẻ": 0xCE, "ẽ": 0xCF, "é": 0xD0, "ẹ": 0xD1,
    "ê": 0xAA, "ề": 0xD2, "ể": 0xD3, "ễ": 0xD4, "ế": 0xD5, "ệ": 0xD6,
    "ì": 0xD7, "ỉ": 0xD8, "ĩ": 0xDC, "í": 0xDD, "ị": 0xDE,
    "ò": 0xDF, "ỏ": 0xE1, "õ": 0xE2, "ó": 0xE3, "ọ": 0xE4,
    "ô": 0xAB, "ồ": 0xE5, "ổ": 0xE6, "ỗ": 0xE7, "ố": 0xE8, "ộ": 0xE9,
    "ơ": 0xAC, "ờ": 0xEA, "ở": 0xEB, "ỡ": 0xEC, "ớ": 0xED, "ợ": 0xEE,
    "ù": 0xEF, "ủ": 0xF1, "ũ": 0xF2, "ú": 0xF3, "ụ": 0xF4,
    "ư": 0xAD, "ừ": 0xF5, "ử": 0xF6, "ữ": 0xF7, "ứ": 0xF8, "ự": 0xF9,
    "ỳ": 0xFA, "ỷ": 0xFB, "ỹ": 0xFC, "ý": 0xFD, "ỵ": 0xFE,
}  # fmt: skip
_TCVN3_CAPITAL: Final = {
    "Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7,
    # The capitals with a tone that the standard has and the .Vn fonts lack.
    "Ằ": 0xAF, "Ẳ": 0xBA, "Ẵ": 0xBF, "Ắ": 0xC0, "Ầ": 0xC1, "Ẩ": 0xC2, "Ẫ": 0xC3, "Ấ": 0xC4,
    "Ề": 0xC5, "Ể": 0xCD, "Ễ": 0xD9, "Ế": 0xDA, "Ồ": 0xDB, "Ổ": 0xE0, "Ỗ": 0xF0, "Ố": 0xFF,
    "À": 0x80, "Ả": 0x81, "Ã": 0x82, "Á": 0x83, "Ạ": 0x84, "Ặ": 0x85, "Ậ": 0x86, "È": 0x87,
    "Ẻ": 0x88, "Ẽ": 0x89, "É": 0x8A, "Ẹ": 0x8B, "Ệ": 0x8C, "Ì": 0x8D, "Ỉ": 0x8E, "Ĩ": 0x8F,
    "Í": 0x90, "Ị": 0x91, "Ò": 0x92, "Ỏ": 0x93, "Õ": 0x94, "Ó": 0x95, "Ọ": 0x96, "Ộ": 0x97,
    "Ờ": 0x98, "Ở": 0x99, "Ỡ": 0x9A, "Ớ": 0x9B, "Ợ": 0x9C, "Ù": 0x9D, "Ủ": 0x9E, "Ũ": 0x9F,
}  # fmt: skip
LOST_IN_TCVN3: Final = "\u00ad"
"""TCVN3's ư is the soft hyphen, an invisible character that text extraction often deletes."""

_VNI_TONES: Final = {"grave": "ø", "hook": "û", "tilde": "õ", "acute": "ù", "dot": "ï"}
_VNI_CIRCUMFLEX: Final = {
    "": "â",
    "grave": "à",
    "hook": "å",
    "tilde": "ã",
    "acute": "á",
    "dot": "ä",
}
_VNI_BREVE: Final = {"": "ê", "grave": "è", "hook": "ú", "tilde": "ü", "acute": "é", "dot": "ë"}
_VNI_SINGLE: Final = {
    "ì": "ì", "ỉ": "æ", "ĩ": "ó", "í": "í", "ị": "ò", "ỵ": "î", "ơ": "ô", "ư": "ö", "đ": "ñ",
}  # fmt: skip

_VIQR_TONES: Final = {"grave": "`", "hook": "?", "tilde": "~", "acute": "'", "dot": "."}
_VIQR_VOWELS: Final = {"ă": "a(", "â": "a^", "ê": "e^", "ô": "o^", "ơ": "o+", "ư": "u+"}

_CP1258_LETTERS: Final = {
    "Ă": 0xC3, "ă": 0xE3, "Đ": 0xD0, "đ": 0xF0, "Ơ": 0xD5, "ơ": 0xF5, "Ư": 0xDD, "ư": 0xFD,
}  # fmt: skip
_CP1258_MARKS: Final = {"grave": 0xCC, "hook": 0xD2, "tilde": 0xDE, "acute": 0xEC, "dot": 0xF2}

FONT_CHARSETS: Final = (
    (r"^\.vn.*H$", "tcvn3", True),
    (r"^\.vn", "tcvn3", False),
    (r"^vni[- ]", "vni", False),
)
"""Font name pattern → charset, and whether the font shows lower-case codes as capitals (.VnTimeH).
The final H is upper case; the rest of the name is compared without case."""


def _toned(vowel: str, tone: str) -> str:
    return unicodedata.normalize("NFC", vowel + TONES[tone])


@cache
def table(charset: str) -> dict[str, str]:
    """Return seen sequence → letter for a charset; longer sequences first, then by code point.

    Examples
    --------
    >>> table("tcvn3")["\\u00ad"], table("vni")["yû"], table("viqr")["o+`"]
    ('ư', 'ỷ', 'ờ')
    """
    makers = {
        "tcvn3": _tcvn3,
        "vni": _vni,
        "viqr": _viqr,
        "cp1258": _cp1258,
        "utf8_as_cp1252": _utf8_as_cp1252,
    }
    made = makers[charset]()
    return dict(sorted(made.items(), key=lambda item: (-len(item[0]), item[0])))


def _tcvn3() -> dict[str, str]:
    codes = {chr(code): letter for letter, code in (_TCVN3_LOWER | _TCVN3_CAPITAL).items()}
    # Converters that know no capitals font write a capital with tone as capital + small letter.
    for letter, code in _TCVN3_LOWER.items():
        base = unicodedata.normalize("NFD", letter)
        plain = unicodedata.normalize("NFC", "".join(c for c in base if c not in TONES.values()))
        if plain != letter:
            head = plain.upper()
            seen = head if head.isascii() else chr(_TCVN3_CAPITAL[head])
            codes[seen + chr(code)] = letter.upper()
    return codes


def _vni() -> dict[str, str]:
    lower: dict[str, str] = {seen: letter for letter, seen in _VNI_SINGLE.items()}
    for tone, mark in _VNI_TONES.items():
        for vowel, base in (
            ("a", "a"),
            ("e", "e"),
            ("o", "o"),
            ("u", "u"),
            ("y", "y"),
            ("ơ", "ô"),
            ("ư", "ö"),
        ):
            if (vowel, tone) != ("y", "dot"):
                lower[base + mark] = _toned(vowel, tone)
    for base, vowel in (("a", "â"), ("e", "ê"), ("o", "ô")):
        for tone, mark in _VNI_CIRCUMFLEX.items():
            lower[base + mark] = _toned(vowel, tone) if tone else vowel
    for tone, mark in _VNI_BREVE.items():
        lower["a" + mark] = _toned("ă", tone) if tone else "ă"
    both = dict(lower)
    for seen, letter in lower.items():
        both[seen.upper()] = letter.upper()
        if len(seen) == 2:
            both[seen[0].upper() + seen[1]] = letter.upper()
    return both


def _viqr() -> dict[str, str]:
    lower: dict[str, str] = {"dd": "đ"}
    for vowel in VOWELS:
        base = _VIQR_VOWELS.get(vowel, vowel)
        if base != vowel:
            lower[base] = vowel
        for tone, mark in _VIQR_TONES.items():
            lower[base + mark] = _toned(vowel, tone)
    both = dict(lower)
    for seen, letter in lower.items():
        both[seen.upper()] = letter.upper()
    return both | {"Dd": "Đ", "dD": "Đ"} | {f"\\{mark}": mark for mark in "`?~'.(^+"}


def _cp1258() -> dict[str, str]:
    codes = {chr(code): letter for letter, code in _CP1258_LETTERS.items()}
    return codes | {chr(code): TONES[tone] for tone, code in _CP1258_MARKS.items()}


def _utf8_as_cp1252() -> dict[str, str]:
    codes: dict[str, str] = {}
    for letter in VIETNAMESE_LETTERS:
        data = letter.encode()
        codes[data.decode("latin-1")] = letter
        codes["".join(_cp1252(byte) for byte in data)] = letter
    return codes


def _cp1252(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)
