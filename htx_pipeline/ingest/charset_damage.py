"""What a conversion to Unicode cannot bring back: letters that were lost before the file was made.

What belongs here: the cells in which a letter is missing (ư kept as a soft hyphen and then deleted), with
what may have stood there. What does not: converting (`charset_convert`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import polars as pl

from htx_pipeline.ingest.charset_detect import WORD, one_row_per_word
from htx_pipeline.ingest.syllables import LOWER_ABBREVIATIONS, ONSET, TONE_MARKS


def lost_letters(distinct: pl.DataFrame, name: str, known_names: Sequence[str]) -> pl.DataFrame:
    """Find syllables that cannot be, after conversion, and candidates from the known names.

    ``lost`` is the first such word of a cell. Where the column still holds soft hyphens they were
    not deleted, so ``is_sure`` is false: the word may be a name from the highlands (Lơng, Khơng).
    ``may_have_lost`` marks words that are syllables with and without ư, in a column that lost it.
    """
    legacy = distinct.filter((pl.col("text") != pl.col("value")) & ~pl.col("is_kept"))
    words = one_row_per_word(legacy, "value", WORD)
    table = pl.DataFrame({"word": words.get_column("word").unique().sort()}).with_columns(
        is_damaged=pl.col("word").map_elements(lambda w: _is_damaged(w, name), pl.Boolean),
        may_lack=pl.col("word").map_elements(_may_lack_u, pl.Boolean),
    )
    words = words.join(table, on="word", how="left", maintain_order="left")
    per_cell = words.group_by("value", maintain_order=True).agg(
        lost=pl.col("word").filter("is_damaged").first(), may_lack=pl.any("may_lack")
    )
    has_soft_hyphen = bool(distinct.get_column("text").str.contains("\u00ad", literal=True).any())
    lost_any = bool(per_cell.get_column("lost").is_not_null().any())
    is_suspect = name == "tcvn3" and lost_any and not has_soft_hyphen
    hints = _candidates(per_cell, known_names)
    return (
        distinct.join(per_cell, on="value", how="left", maintain_order="left")
        .join(hints, on="value", how="left", maintain_order="left")
        .with_columns(
            may_have_lost=pl.col("may_lack").fill_null(value=False) & is_suspect,
            is_sure=pl.lit(name != "tcvn3" or not has_soft_hyphen),
        )
    )


def _candidates(per_cell: pl.DataFrame, known_names: Sequence[str]) -> pl.DataFrame:
    """Value → at most three known names that the cell would hold had ư not been lost."""
    by_word: dict[str, list[tuple[str, str]]] = {}
    for known in sorted({unicodedata.normalize("NFC", n) for n in known_names}):
        if "ư" in known:
            without = known.replace("ư", "").lower()
            for word in without.split():
                by_word.setdefault(word, []).append((without, known))
    rows = []
    for value, lost in per_cell.select("value", "lost").drop_nulls().iter_rows():
        text = value.lower()
        found = [known for without, known in by_word.get(lost.lower(), []) if without in text]
        if found:
            shown = ", ".join(f"“{f}”" for f in found[:3])
            rows.append((value, f"; có thể là {shown}", f"; it may be {shown}"))
    return pl.DataFrame(
        rows,
        schema={"value": pl.String, "candidates_vi": pl.String, "candidates_en": pl.String},
        orient="row",
    )


def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.lower())
    return unicodedata.normalize("NFC", "".join(c for c in letters if c not in TONE_MARKS))


@cache
def _is_damaged(word: str, name: str) -> bool:
    """Whether a converted word shows that a letter is missing or was not converted."""
    if not word:
        return False
    if name != "tcvn3":
        return bool(re.search("[\u0080-\u00bf×÷Ëëþÿ]", word)) and bool(re.search("[A-Za-z]", word))
    bare = _bare(word)
    if not re.fullmatch("[a-zăâđêôơư]+", bare):
        return False
    if re.fullmatch(rf"(?:{ONSET})?ơ(?:ng|c|u)", bare):
        return True
    no_vowel = re.fullmatch(
        rf"(?:{ONSET})(?:ng|c|m|n|t|i|a|u)?", bare
    ) is not None and not re.search("[aăâeêioôơuưy]", bare)
    return no_vowel and not word.isupper() and bare not in LOWER_ABBREVIATIONS


@cache
def _may_lack_u(word: str) -> bool:
    return re.fullmatch(rf"(?:{ONSET})?ơ(?:i|m|n|p|t)", _bare(word)) is not None if word else False
