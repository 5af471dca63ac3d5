"""Spellings of administrative units: keys for matching, prefixes, and the index of every spelling.

What belongs here: what may differ between two spellings of one name. What does not: deciding which unit
is meant (``resolve``). The keys are for matching only; names are stored as published.

The seam: ``_fold`` and ``_loose`` take and return an expression and are called nowhere else than in
``_with_keys``; a shared folding function can take their place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from htx_pipeline.reference.admin_units.tables import (
    KINDS,
    VERSIONS,
    _old_communes,
    _units,
    aliases,
)

TIERS: Final = ("exact", "folded", "loose")
_WORDS_OF_KIND: Final = {
    "thị trấn": r"thị trấn|thi tran|tt|t\.t",
    "thị xã": r"thị xã|thi xa|tx|t\.x",
    "thành phố": r"thành phố|thanh pho|tp|t\.p",
    "đặc khu": r"đặc khu|dac khu|đk|đ\.k",
    "phường": r"phường|phuong|p",
    "xã": r"xã|xa|x",
    "huyện": r"huyện|huyen|h",
    "quận": r"quận|quan|q",
    "tỉnh": r"tỉnh|tinh|t",
}
_LEVELS_OF_KIND: Final = {
    "thị trấn": ("commune",),
    "đặc khu": ("commune",),
    "phường": ("commune",),
    "xã": ("commune",),
    "thị xã": ("district",),
    "huyện": ("district",),
    "quận": ("district",),
    "thành phố": ("district", "province"),
    "tỉnh": ("province",),
}
_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_ROMAN: Final = dict(
    zip(
        ["ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv", "xv"],
        (2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 15),
        strict=True,
    )
)


def _tidy(text: pl.Expr) -> pl.Expr:
    """NFC, lower case, single spaces, plain apostrophes; the "exact" tier compares this."""
    return (
        text.str.normalize("NFC")
        .str.to_lowercase()
        .str.replace_all("[’‘`´]", "'")
        .str.replace_all(r"[\s\u00a0]+", " ")
        .str.strip_chars(" ,;")
    )


def _fold(text: pl.Expr) -> pl.Expr:
    """Key in which only spelling habits are gone: tone-mark position (hoà/hòa), spaces, hyphens and
    apostrophes, leading zeros and roman numbers. Letters and tones still count."""
    return _squeeze(_even(text))


def _loose(text: pl.Expr) -> pl.Expr:
    """Key without any diacritics, and with the spellings of the Central Highlands made one:
    Đắk/Đăk/Đak, Ngọk/Ngọc/Ngok; y and i where they alone carry the syllable (Quý/Quí, Sỹ/Sĩ)."""
    plain = _even(text).str.replace_all(r"\p{M}", "").str.replace_all("đ", "d")
    return _squeeze(
        plain.str.replace_all(r"\b(qu|[bcdghklmnpqrstvx]{1,3})y\b", "${1}i").str.replace_all(
            "ngok", "ngoc"
        )
    )


def _even(text: pl.Expr) -> pl.Expr:
    """Decomposed words with the tone last in each syllable, and plain numbers."""
    moved = (
        _tidy(text)
        .str.normalize("NFD")
        .str.replace_all(rf"([{_TONES}])([\p{{L}}\u0302\u0306\u031b]+)", "${2}${1}")
        .str.replace_all(r"\b0+(\d)", "${1}")
    )
    for roman, number in _ROMAN.items():
        moved = moved.str.replace(rf"(^|\s){roman}$", f"${{1}}{number}")
    single = moved.str.contains("^[ivx]$")
    return pl.when(single).then(moved.replace({"i": "1", "v": "5", "x": "10"})).otherwise(moved)


def _squeeze(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[\s'\-–.,]", "")


@lru_cache(maxsize=1)
def island_codes() -> list[str]:
    return sorted(c for c in _old_communes()["code"] if len(c) == 3)


@lru_cache(maxsize=4)
def named_units(level: str) -> pl.DataFrame:
    """Units of a level; at commune level also the island districts that had no communes."""
    wanted = pl.col("level") == level
    if level == "commune":
        wanted |= pl.col("code").is_in(island_codes())
    return _units().filter(wanted)


@lru_cache(maxsize=4)
def spelling_index(level: str) -> pl.DataFrame:
    """Every spelling of every unit of a level: (tier, key) → (version, unit, kind, alias or not)."""
    units = named_units(level)
    named = units.select(
        "version", unit="code", kind="kind", text="full_name", is_alias=pl.lit(False)
    )
    other = aliases().select("code", first="version", text="full_name")
    later = {v: VERSIONS[i:] if i else VERSIONS[:1] for i, v in enumerate(VERSIONS)}
    other = other.with_columns(
        version=pl.col("first").replace_strict(later, return_dtype=pl.List(pl.String))
    )
    spelt = (
        other.explode("version")
        .join(units.select("version", "code", "kind"), on=["version", "code"])
        .select("version", unit="code", kind="kind", text="text", is_alias=pl.lit(True))
    )
    every = pl.concat([named, spelt])
    kinds = "|".join(KINDS)
    bare = _tidy(pl.col("text")).str.replace(rf"^({kinds}) ", "")
    return (
        _with_keys(every.with_columns(bare=bare), ["version", "unit", "kind", "is_alias"])
        .sort("version", "unit", "tier", "is_alias", "key")
        .unique(["version", "unit", "tier", "key"], keep="first", maintain_order=True)
    )


def read_names(written: pl.DataFrame, level: str) -> pl.DataFrame:
    """Two readings of each text, as it stands and without its prefix, in three tiers of keys.

    Columns ``q``, ``kind`` (null: none written), ``tier``, ``key``.
    """
    tidy = _tidy(pl.col("text"))
    rows = [written.select("q", kind=pl.lit(None, pl.String), bare=tidy)]
    for kind, words in _WORDS_OF_KIND.items():
        if level not in _LEVELS_OF_KIND[kind] and not (level == "commune" and kind == "huyện"):
            continue
        pattern = rf"^(?:{words})(?:[. ]+(.+)|(\d+))$"
        rows.append(
            written.select(
                "q",
                kind=pl.lit(kind),
                bare=pl.coalesce(tidy.str.extract(pattern, g) for g in (1, 2)),
            ).filter(pl.col("bare").is_not_null())
        )
    keyed = _with_keys(pl.concat(rows), ["q", "kind"])
    return keyed.filter(pl.col("key") != "")


def _with_keys(frame: pl.DataFrame, index: list[str]) -> pl.DataFrame:
    """One row per tier (0 exact, 1 folded, 2 loose) with the key of the column ``bare``."""
    bare = pl.col("bare")
    number = dict(zip(TIERS, range(3), strict=True))
    return (
        frame.with_columns(exact=bare, folded=_fold(bare), loose=_loose(bare))
        .unpivot(on=list(TIERS), index=index, variable_name="tier", value_name="key")
        .with_columns(pl.col("tier").replace_strict(number, return_dtype=pl.Int8))
    )
