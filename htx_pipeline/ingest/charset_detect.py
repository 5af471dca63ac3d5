"""Which charset a column of Vietnamese text is in: by the name of its font, else by its syllables.

What belongs here: the character test with its confidence, and fonts of old charsets. What does not:
converting (`charset_convert`), and deciding about single cells (`encodings`).

How a charset is recognised without a font. The distinct words of a column that hold a suspicious
character are read both ways: as they stand, and converted. A word *speaks for* a charset when only
the converted form is a Vietnamese syllable, *against* it when only the unconverted one is; where
neither is, it is *foreign*. The confidence is

    (for - against) / (for + against + foreign + 1)

and a column is converted above 0.5, which takes two words at least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.ingest.charset_convert import LEGACY, UNICODE_VIETNAMESE, convert
from htx_pipeline.ingest.syllables import MICRO_UNITS, is_syllable
from htx_pipeline.reference import charsets

CONVERT_ABOVE: Final = 0.5
"""Confidence above which a column is converted without a font name or a mapping saying so."""

_SAMPLE: Final = 4000
"""Distinct cells the character test looks at, taken evenly over the sorted distinct cells."""
_SUSPICIOUS: Final = "[\u0080-\u00ff\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
_COMBINING: Final = "[\u0300-\u036f]"
_VIQR_STRONG: Final = r"(?i)[aeo]\^|[ou]\+|a\(|[aeiouy][`'~?][a-z]|\bdd[aeiouy]|[aeiouy]\.[a-z]"


@dataclass(frozen=True)
class Detection:
    """What a column is written in.

    Attributes
    ----------
    charset:
        "plain", "decomposed" or one of `LEGACY`.
    confidence:
        0..1; see the module. 0.95 and more when font names say so and the text does not object.
    evidence_vi, evidence_en:
        Why, in one sentence.
    n_unrecoverable:
        Cells that hold a syllable which cannot be Vietnamese after conversion, as when ư was lost.
    """

    charset: str
    confidence: float
    evidence_vi: str
    evidence_en: str
    n_unrecoverable: int = 0


WORD: Final = r"[^\s,;:!?()\[\]{}\"/\\–—_.…0-9-]+"
VIQR_WORD: Final = r"[^\s,;:!\"/\\_0-9-]+"


def font_charset(font: str | None) -> tuple[str, bool] | None:
    """Return (charset, shows capitals) that a font name implies, or None.

    Examples
    --------
    >>> font_charset(".VnTimeH"), font_charset("VNI-Times"), font_charset("Times New Roman")
    (('tcvn3', True), ('vni', False), None)
    """
    if not font:
        return None
    for pattern, charset, is_capitals in charsets.FONT_CHARSETS:
        flags = 0 if is_capitals else re.IGNORECASE
        text = font.strip()
        if is_capitals:
            text = text[:3].lower() + text[3:]
        if re.search(pattern, text, flags):
            return charset, is_capitals
    return None


@dataclass(frozen=True)
class Tally:
    """Distinct words for and against a charset, and foreign to it."""

    spoken_for: int
    against: int
    foreign: int
    sample: str
    word: str = ""

    @property
    def confidence(self) -> float:
        total = self.spoken_for + self.against + self.foreign + 1
        return max(0.0, (self.spoken_for - self.against) / total)


def distinct_words(cells: Iterable[str]) -> list[str]:
    """Distinct words with a suspicious character and an ASCII letter, sorted."""
    found: set[str] = set()
    for cell in cells:
        found.update(re.findall(WORD, cell))
    return sorted(
        w
        for w in found
        if re.search("[A-Za-z]", w) and re.search(_SUSPICIOUS, w) and w not in MICRO_UNITS
    )


def _viqr_words(cells: Iterable[str]) -> list[str]:
    found: set[str] = set()
    for cell in cells:
        found.update(re.findall(VIQR_WORD, cell))
    return sorted(w for w in found if re.search(r"(?i)[aeiouy][`'~?.^(+]|dd", w))


def convert_words(words: Sequence[str], charset: str) -> list[str]:
    if not words:
        return []
    return convert(pl.Series(words, dtype=pl.String), charset=charset).to_list()


def as_seen(word: str, charset: str) -> str:
    """The word as another reader would take it: in VIQR a final point may just be a point."""
    return word.rstrip(".?'") if charset == "viqr" else word


def _tally(words: Sequence[str], charset: str) -> Tally:
    counts = [0, 0, 0]
    sample = word = ""
    for before, after in zip(words, convert_words(words, charset), strict=True):
        was, now = is_syllable(as_seen(before, charset)), is_syllable(after)
        if now and not was:
            counts[0] += 1
            sample, word = sample or f"“{before}” → “{after}”", word or before
        elif was and not now:
            counts[1] += 1
        elif not was:
            counts[2] += 1
    return Tally(counts[0], counts[1], counts[2], sample, word)


def _sample(distinct: pl.Series) -> list[str]:
    cells = distinct.sort()
    if len(cells) <= _SAMPLE:
        return [str(c) for c in cells]
    step = len(cells) / _SAMPLE
    return [str(cells[int(i * step)]) for i in range(_SAMPLE)]


def by_characters(series: pl.Series) -> tuple[Detection, Tally | None]:
    """Recognise the charset from the words of the column; the tally when one word alone hints."""
    text = series.drop_nulls()
    has_letters = text.str.contains(UNICODE_VIETNAMESE)
    unsure = text.filter(~has_letters)
    is_suspicious = unsure.str.contains(_SUSPICIOUS)
    n_combining = int(text.str.contains(_COMBINING).sum())
    words = distinct_words(_sample(unsure.filter(is_suspicious).unique()))
    tallies: dict[str, Tally] = {
        name: _tally(words, name) for name in LEGACY if name != "viqr" and words
    }
    ascii_cells = unsure.filter(~is_suspicious)
    if bool(ascii_cells.str.contains(_VIQR_STRONG).any()):
        cells = _sample(ascii_cells.unique())
        tallies["viqr"] = _tally(_viqr_words(cells), "viqr")
    best = max(
        tallies, key=lambda name: (tallies[name].confidence, -LEGACY.index(name)), default=""
    )
    if best and tallies[best].confidence > CONVERT_ABOVE:
        tally = tallies[best]
        label = next(c.label for c in charsets.CHARSETS if c.name == best)
        found = Detection(
            best,
            round(tally.confidence, 3),
            f"{tally.spoken_for} từ chỉ đọc được theo {label}, ví dụ {tally.sample}; "
            f"{tally.against} từ ngược lại.",
            f"{tally.spoken_for} words are Vietnamese only as {label}, such as {tally.sample}; "
            f"{tally.against} speak against it.",
        )
        return found, None
    doubt = tallies[best].confidence if best else 0.0
    if n_combining:
        found = Detection(
            "decomposed",
            1.0,
            f"{n_combining} ô có dấu thanh tách rời khỏi chữ (Unicode tổ hợp).",
            f"{n_combining} cells have tone marks apart from their letters.",
        )
        return found, None
    found = Detection(
        "plain",
        round(1.0 - doubt, 3),
        "Văn bản đã là Unicode." if not doubt else "Không đủ bằng chứng về bảng mã cũ.",
        "The text is Unicode." if not doubt else "Too little evidence for a legacy charset.",
    )
    return found, tallies[best] if doubt == CONVERT_ABOVE else None


def fonts_of(series: pl.Series, fonts: str | Sequence[str | None] | pl.Series | None) -> pl.Series:
    """One font name per cell."""
    if fonts is None or isinstance(fonts, str):
        return pl.Series("font", [fonts], dtype=pl.String).new_from_index(0, len(series))
    made = pl.Series("font", list(fonts), dtype=pl.String)
    if len(made) != len(series):
        raise ValueError(f"{len(made)} font names for {len(series)} cells")
    return made


def font_table(fonts: pl.Series) -> pl.DataFrame:
    """Distinct font → charset and capitals, for fonts that imply one."""
    rows = []
    for font in fonts.drop_nulls().unique().sort():
        implied = font_charset(str(font))
        if implied is not None:
            rows.append({"font": font, "charset": implied[0], "is_capitals": implied[1]})
    return pl.DataFrame(
        rows, schema={"font": pl.String, "charset": pl.String, "is_capitals": pl.Boolean}
    )


def one_row_per_word(frame: pl.DataFrame, column: str, word: str) -> pl.DataFrame:
    """One row per word of a column."""
    words = pl.col(column).str.extract_all(word).alias("word")
    return frame.select(pl.col(column), words).explode("word").drop_nulls("word")
