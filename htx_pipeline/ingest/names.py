"""Keys for matching Vietnamese names: never for display, never stored in place of a name.

What belongs here: the documented equivalences (tone-mark position, spelling variants of Central
Highlands names, case, punctuation, legal-form words) as pure functions on a series or expression.
What does not: deciding that two names are one organisation or place (`htx_pipeline.resolve`).

Two names with one key are candidates, not the same thing. What each key cannot tell apart:

=====================  ============================================================================
`fold`                 case; punctuation and spacing; hoà/hòa; Mỹ/Mĩ, Lý/Lí and the like;
                       Đắk/Đăk, Ngọk/Ngọc, Pờ Y/Bờ Y; Ð/Đ; H'Drai/HDrai
`fold` stripped        also every tone and letter mark: Hòa, Hoa, Hóa; Đa, Da
`fold_org`             also the legal form and, after it, words for the trade: "HTX Nông nghiệp Đăk
                       Hà", "HTX Dịch vụ Đăk Hà" and "Công ty TNHH Đăk Hà" have one key
=====================  ============================================================================
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import polars as pl

_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_LETTER_MARKS: Final = "\u0302\u0306\u031b"
_DROPPED: Final = ("'", "’", "‘", "ʼ", "`", "´", "\u00ad", "\u200b", "\u200c", "\u200d", "\ufeff")

SPELLINGS: Final = (
    ("đắk", "đăk", "GSO writes Đắk, the province Đăk"),
    ("ngọk", "ngọc", "both spellings in the lists of communes of Kon Tum"),
    ("pờ y", "bờ y", "the commune Pờ Y is Bờ Y since 01/07/2025; the border gate always was"),
)
"""Spelling → spelling it is matched as, and why. Whole words, compared without case."""

_ORG_FORMS: Final = (
    "liên hiệp hợp tác xã", "liên hiệp htx", "lhhtx", "hợp tác xã", "htx", "tổ hợp tác", "tht",
    "công ty trách nhiệm hữu hạn một thành viên",
    "công ty trách nhiệm hữu hạn hai thành viên trở lên",
    "công ty trách nhiệm hữu hạn", "công ty tnhh một thành viên", "công ty tnhh 1 thành viên",
    "công ty tnhh hai thành viên trở lên", "công ty tnhh mtv", "công ty tnhh 1tv", "công ty tnhh",
    "cty tnhh một thành viên", "cty tnhh mtv", "cty tnhh", "tnhh mtv", "tnhh",
    "công ty cổ phần", "công ty cp", "cty cổ phần", "cty cp", "ctcp", "công ty hợp danh",
    "công ty", "cty", "doanh nghiệp tư nhân", "dntn", "doanh nghiệp", "hộ kinh doanh", "hkd",
    "chi nhánh", "société coopérative avec conseil d'administration",
    "société coopérative simplifiée", "société coopérative", "societe cooperative", "ste coop",
    "sté coop", "union des sociétés coopératives", "scoops", "coop-ca", "sca", "the",
)  # fmt: skip
_ORG_TRADES: Final = (
    "nông nghiệp", "nông lâm nghiệp", "nông lâm", "nông sản", "nn", "dịch vụ", "dv", "dvnn", "nndv",
    "sản xuất", "sx", "thương mại", "tm", "tmdv", "tổng hợp", "kinh doanh", "kd", "kinh tế",
    "đầu tư", "xuất nhập khẩu", "xnk", "và", "agricole", "agri", "des producteurs",
)  # fmt: skip
_ORG_ENDINGS: Final = (
    "joint stock company", "jsc", "company limited", "co ltd", "limited", "ltd", "plc", "llp",
    "llc", "inc", "corporation", "corp", "company", "gmbh", "s a r l", "sarl", "s a", "sa", "ag",
    "n v", "nv", "b v", "bv", "scoops", "coop ca", "cic",
)  # fmt: skip


def ascii_lower(text: pl.Expr) -> pl.Expr:
    """Lower case, compatibility forms resolved, every diacritic dropped, đ as d, ₫ as d.

    Examples
    --------
    >>> pl.select(ascii_lower(pl.lit("2,5 TỶ Đồng"))).item()
    '2,5 ty dong'
    """
    return (
        text.str.normalize("NFKD")
        .str.replace_all(r"[\p{M}\p{Cf}]", "")
        .str.to_lowercase()
        .str.replace_all(r"[đ₫]", "d")
    )


def fold_expr(text: pl.Expr, *, strip_diacritics: bool = False) -> pl.Expr:
    """`fold` as an expression.

    Examples
    --------
    >>> pl.select(fold_expr(pl.lit("Ia H'Drai"))).item()
    'ia hdrai'
    """
    key = (
        text.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_many(["ð", *_DROPPED], ["đ", *[""] * len(_DROPPED)])
        .str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ")
        .str.strip_chars()
    )
    for written, meant, _ in SPELLINGS:
        key = key.str.replace_all(rf"\b{written}\b", meant)
    # The tone goes to the end of its word: both styles of placing it give one key.
    letters, apart = _tone_table()
    key = key.str.replace_many(list(letters), list(apart))
    key = key.str.replace_all(rf"([{_TONES}])([\p{{L}}{_LETTER_MARKS}]+)", "$2$1")
    key = key.str.replace_all(rf"\b([hklmst])y([{_TONES}]?)\b", "${1}i$2")
    return ascii_lower(key) if strip_diacritics else key.str.normalize("NFC")


@cache
def _tone_table() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Letter with a tone → letter without it, then the combining tone."""
    table = {
        unicodedata.normalize("NFC", vowel + tone): vowel + tone
        for vowel in "aăâeêioôơuưy"
        for tone in _TONES
    }
    return tuple(table), tuple(table.values())


def fold(series: pl.Series, *, strip_diacritics: bool = False) -> pl.Series:
    """Key of a name for matching; null stays null, a name without letters gives "".

    Parameters
    ----------
    series:
        Names, in any Unicode normal form.
    strip_diacritics:
        Also drop tones and letter marks, for lists written without them.

    Examples
    --------
    >>> a, b = fold(pl.Series(["Xã  ĐẮK HOÀ", "xã Đăk Hòa"])).to_list()
    >>> a == b
    True
    >>> fold(pl.Series(["Đắk Hòa"]), strip_diacritics=True).to_list()
    ['dak hoa']
    """
    frame = pl.DataFrame({"name": series.cast(pl.String)})
    distinct = frame.unique(maintain_order=True)
    distinct = distinct.with_columns(
        key=fold_expr(pl.col("name"), strip_diacritics=strip_diacritics)
    )
    joined = frame.join(distinct, on="name", how="left", maintain_order="left")
    return joined.get_column("key").alias(series.name)


@cache
def _org_patterns(strip_diacritics: bool) -> tuple[str, str]:
    def alternatives(phrases: tuple[str, ...]) -> str:
        keys = fold(pl.Series(phrases), strip_diacritics=strip_diacritics).unique().to_list()
        return "|".join(re.escape(k) for k in sorted(keys, key=lambda k: (-len(k), k)))

    forms, trades = alternatives(_ORG_FORMS), alternatives(_ORG_TRADES)
    start = rf"^(?:(?:{forms})\s+)+(?:(?:{trades})\s+)*(?:(?:{forms})\s+)*"
    end = rf"(?:\s+(?:{alternatives(_ORG_ENDINGS)}))+$"
    return start, end


def fold_org(series: pl.Series, *, strip_diacritics: bool = False) -> pl.Series:
    """Key of an organisation's name without its legal form; see the module for what is lost.

    A name that is nothing but form and trade ("HTX Nông nghiệp") keeps its `fold` key.

    Examples
    --------
    >>> names = ["HTX NN Dịch vụ Sáu Nhung", "Hợp tác xã Sáu Nhung", "Công ty TNHH MTV Sáu Nhung"]
    >>> fold_org(pl.Series(names)).n_unique()
    1
    >>> fold_org(pl.Series(["Barry Callebaut AG", "Suma Wholefoods Limited"])).to_list()
    ['barry callebaut', 'suma wholefoods']
    """
    start, end = _org_patterns(strip_diacritics)
    frame = pl.DataFrame({"key": fold(series, strip_diacritics=strip_diacritics)})
    short = pl.col("key").str.replace(end, "").str.replace(start, "").str.strip_chars()
    kept = pl.when(short == "").then(pl.col("key")).otherwise(short)
    return frame.select(kept.alias(series.name)).to_series()
