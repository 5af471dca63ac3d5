"""Product chains: the code list, and which product a written name means.

What belongs here: reading `data/products.toml` and matching names to its codes. What does not: what
a product is worth, or which chains a province has (that is data).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl

from htx_pipeline.textfold import without_marks

_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")

PRODUCT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "code": pl.String(),
    "label_vi": pl.String(),
    "label_en": pl.String(),
    "group": pl.String(),
    "is_perennial": pl.Boolean(),
    "is_eudr": pl.Boolean(),
    "chain": pl.String(),
    "chain_area_ha": pl.Float64(),
    "aliases": pl.List(pl.String()),
    "source": pl.String(),
    "source_address": pl.String(),
    "is_verified": pl.Boolean(),
}
"""Columns of the product list."""

UNSPECIFIED: Final = "unspecified"
"""Code of a row that names no product."""

OTHER: Final = "other"
"""Code of a product that is named and not in the list."""


@cache
def _raw() -> dict[str, Any]:
    text = (
        resources.files("htx_pipeline.reference").joinpath("data/products.toml").read_text("utf-8")
    )
    return tomllib.loads(text)


def products() -> pl.DataFrame:
    """Return the product list, in the file's order.

    Returns
    -------
    DataFrame
        ``code``, ``label_vi``, ``label_en``, ``group``, ``is_perennial`` (cycle of a year or more),
        ``is_eudr`` (Annex I of Regulation (EU) 2023/1115), ``chain`` (``nine_chains``, ``key``,
        ``other``), ``chain_area_ha`` (ha planned for the chain), ``aliases``, ``source``,
        ``source_address``, ``is_verified``.

    Examples
    --------
    >>> products().filter(pl.col("chain") == "nine_chains").height
    9
    """
    raw = _raw()
    rows = []
    for item in raw["products"]:
        source = raw["sources"][item["source"]]
        rows.append(
            {
                **item,
                "source": source["document"],
                "source_address": source["address"],
                "is_verified": source["verified"],
            }
        )
    return pl.DataFrame(rows, schema=PRODUCT_SCHEMA)


def product_labels(language: str = "vi") -> dict[str, str]:
    """Return code → label in Vietnamese ("vi") or English ("en").

    Examples
    --------
    >>> product_labels("en")["cassava"]
    'Cassava'
    """
    return {
        p["code"]: p["label_vi" if language == "vi" else "label_en"] for p in _raw()["products"]
    }


def _written_key(text: str) -> str:
    """Lower case, one space between words, the tone mark of each word at its end (hòa = hoà)."""
    words = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text).lower()).split()
    out = []
    for word in words:
        letters = unicodedata.normalize("NFD", word)
        tone = "".join(c for c in letters if c in _TONES)
        rest = unicodedata.normalize("NFC", "".join(c for c in letters if c not in _TONES))
        out.append(rest + tone)
    return " ".join(out)


def _bare_key(written: str) -> str:
    """Return the key without any diacritics."""
    return without_marks(written)


@cache
def _alias_codes() -> tuple[dict[str, str], dict[str, str]]:
    """Return name → code as written, and without diacritics where that is still one product."""
    raw = _raw()
    written: dict[str, str] = {_written_key(phrase): "" for phrase in raw["not_products"]}
    for p in raw["products"]:
        for name in (p["label_vi"], p["label_en"], p["code"].replace("_", " "), *p["aliases"]):
            key = _written_key(name)
            if written.setdefault(key, p["code"]) != p["code"]:
                raise ValueError(f"products.toml gives the name {name!r} to two products")
    meanings: dict[str, set[str]] = {}
    for key, code in written.items():
        meanings.setdefault(_bare_key(key), set()).add(code)
    bare = {key: next(iter(codes)) for key, codes in meanings.items() if len(codes) == 1}
    return written, bare


def match(names: pl.Series) -> pl.DataFrame:
    """Say which product each written name means.

    Case, punctuation and the place of the tone mark do not count; diacritics do ("bò" is cattle,
    "bơ" avocado), except in a text written without any, where a name that could mean two products
    means none. A name is compared first as a whole, then by the names of products that occur in it
    as whole words, of which a longer one hides those inside it ("cà phê chè" hides "cà phê").

    Parameters
    ----------
    names:
        Names as written.

    Returns
    -------
    DataFrame
        One row per input row: ``product_name``, ``product_code`` and ``match_note``: ``exact``,
        ``contains`` (the name stands inside the text), ``several`` (more than one product is named;
        the first one written is taken), ``unknown`` (code ``other``), ``missing`` (code
        ``unspecified``).

    Examples
    --------
    >>> match(pl.Series(["Cà phê vối", "CÀ PHÊ CHÈ hữu cơ Đăk Choong", "điện gió", None])).rows()[1:]
    [('CÀ PHÊ CHÈ hữu cơ Đăk Choong', 'coffee_arabica', 'contains'), ('điện gió', 'other', 'unknown'), (None, 'unspecified', 'missing')]
    """
    frame = names.cast(pl.String).alias("product_name").to_frame()
    distinct = frame.unique()
    found = [_match_one(name) for name in distinct["product_name"]]
    distinct = distinct.with_columns(
        pl.Series("product_code", [code for code, _ in found], dtype=pl.String),
        pl.Series("match_note", [note for _, note in found], dtype=pl.String),
    )
    return frame.join(
        distinct, on="product_name", how="left", nulls_equal=True, maintain_order="left"
    )


def _match_one(name: str | None) -> tuple[str, str]:
    key = _written_key(name or "")
    if not key:
        return UNSPECIFIED, "missing"
    written, bare = _alias_codes()
    codes = written if _bare_key(key) != key else bare
    if codes.get(key):
        return codes[key], "exact"
    words = key.split(" ")
    longest = max(phrase.count(" ") + 1 for phrase in codes)
    hits: list[str] = []
    start = 0
    while start < len(words):
        for length in range(min(longest, len(words) - start), 0, -1):
            code = codes.get(" ".join(words[start : start + length]))
            if code is not None and code not in (OTHER, UNSPECIFIED):
                hits.append(code)
                start += length
                break
        else:
            start += 1
    distinct = [code for code in dict.fromkeys(hits) if code]
    if not distinct:
        return OTHER, "unknown"
    return distinct[0], "contains" if len(distinct) == 1 else "several"
