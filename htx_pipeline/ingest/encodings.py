"""Vietnamese text in legacy encodings: recognised, converted to NFC, damage reported.

What belongs here: telling a legacy charset from good text by font name or by syllables, converting
a column, and saying what cannot be recovered. What does not: the tables themselves
(`htx_pipeline.reference.charsets`), reading fonts from a workbook, keeping the raw value.

How a charset is recognised without a font. The distinct words of a column that hold a suspicious
character are read both ways: as they stand, and converted. A word *speaks for* a charset when only
the converted form is a Vietnamese syllable, *against* it when only the unconverted one is; where
neither is, it is *foreign*. The confidence is

    (for - against) / (for + against + foreign + 1)

and a column is converted above 0.5, which takes two words at least. A single word that speaks for a
charset is left as it stands, with a note. Words that are syllables both ways say nothing. In a column
so recognised, each cell keeps its text where its own words speak against conversion.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.value_notes import empty_notes, join_notes, note_rows
from htx_pipeline.reference import charsets

LEGACY: Final = ("tcvn3", "vni", "cp1258", "utf8_as_cp1252", "viqr")
"""Charsets that are converted by table, in the order in which ties are decided."""

CONVERT_ABOVE: Final = 0.5
"""Confidence above which a column is converted without a font name or a mapping saying so."""

_SAMPLE: Final = 4000
"""Distinct cells the character test looks at, taken evenly over the sorted distinct cells."""

_UNICODE_VIETNAMESE: Final = "[ĂăĐđĨĩŨũƠơƯư\u1ea0-\u1ef9]"
_SUSPICIOUS: Final = "[\u0080-\u00ff\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
_MAY_CHANGE: Final = (
    "[^\u0000-\u00cf\u00d1-\u00ef\u00f1-\u02ff\u1ea0-\u1ef9\u2010-\u205e\u20a0-\u20bf]"
)
"""What NFC could change, and Ð and ð; everything else in these ranges is composed already."""
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


@dataclass(frozen=True)
class TextResult:
    """A column in Unicode NFC, with notes (`value_notes.NOTE_SCHEMA`) and how it was recognised."""

    values: pl.Series
    notes: pl.DataFrame
    detection: Detection


# --- syllables -------------------------------------------------------------------------------

_ONSET: Final = "ngh|ng|nh|gh|gi|kh|ch|ph|qu|th|tr|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x"
_OPEN: Final = (
    "oai|oay|uây|uyu|iêu|yêu|oao|oeo|ươi|ươu|uôi|uya|uêu"
    "|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|oa|oe|oi|ôi|ơi|oo|ua|uê|ui|uơ|uy|ưa|ưi|ưu"
    "|a|e|ê|i|o|ô|ơ|u|ư|y"
)
_CLOSED: Final = {
    "m": "uyê|iê|yê|uô|ươ|oa|oă|oe|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "n": "uyê|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "ng": "iê|yê|uô|ươ|oa|oă|uâ|oo|a|ă|â|e|o|ô|u|ư",
    "nh": "oa|uê|uy|a|ê|i|y",
    "p": "iê|yê|ươ|oa|oă|uâ|uy|a|ă|â|e|ê|i|o|ô|ơ|u",
    "t": "uyê|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "c": "iê|yê|uô|ươ|oa|oă|oo|uâ|a|ă|â|e|o|ô|u|ư",
    "ch": "oa|uê|uy|a|ê|i|y",
    "k": "a|ă|e|ê|i|o|ô|u",  # Central Highlands names: Đăk, Ngọk, Pék
}
_SYLLABLE: Final = re.compile(
    rf"(?P<onset>{_ONSET})?(?:(?P<open>{_OPEN})|"
    + "|".join(f"(?P<n_{coda}>{nuclei})(?P<{coda}>{coda})" for coda, nuclei in _CLOSED.items())
    + ")"
)
_TONE_MARKS: Final = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
_STOPS: Final = ("p", "t", "c", "ch")
_WORD: Final = r"[^\s,;:!?()\[\]{}\"/\\–—_.…0-9-]+"
_VIQR_WORD: Final = r"[^\s,;:!\"/\\_0-9-]+"
_MICRO_UNITS: Final = frozenset({"µm", "µg", "µl", "µL", "µs", "µmol"})
_LOWER_ABBREVIATIONS: Final = frozenset(
    {"kg", "km", "cm", "mm", "dm", "ml", "gr", "gs", "ts", "ths", "tp", "tr", "tx", "tt", "nn"}
    | {"ptnt", "vnd", "tnhh", "htx", "ubnd", "đ", "d", "m", "g", "h", "l", "t", "s", "x", "k", "p"}
)


@lru_cache(maxsize=1 << 16)
def is_syllable(word: str) -> bool:
    """Whether a word is spelt as a Vietnamese syllable.

    One tone at most, on a vowel that carries it in either style (hoà, hòa); a stop at the end takes
    sắc or nặng; all lower, all upper, or a capital first, as no font mixes them otherwise.

    Examples
    --------
    >>> [is_syllable(w) for w in ("phường", "phờng", "ViÖt", "xaõ", "Đăk", "Coopérative")]
    [True, False, False, False, True, False]
    """
    if not (word.islower() or word.isupper() or (word[:1].isupper() and word[1:].islower())):
        return False
    bare, tones = "", []
    for letter in unicodedata.normalize("NFC", word.lower()):
        marks = unicodedata.normalize("NFD", letter)
        tone = [c for c in marks if c in _TONE_MARKS]
        tones += [(len(bare), c) for c in tone]
        bare += unicodedata.normalize("NFC", "".join(c for c in marks if c not in _TONE_MARKS))
    match = _SYLLABLE.fullmatch(bare)
    if match is None or len(tones) > 1:
        return False
    coda = next((c for c in _CLOSED if match.group(c) is not None), "")
    if coda in _STOPS and (not tones or tones[0][1] not in ("\u0301", "\u0323")):
        return False
    if not tones:
        return True
    start = match.end("onset") if match.group("onset") else 0
    nucleus = match.group(f"n_{coda}") if coda else match.group("open")
    at = tones[0][0] - start
    return at < 0 or at in _tone_places(nucleus, is_closed=bool(coda))


def _tone_places(nucleus: str, *, is_closed: bool) -> tuple[int, ...]:
    """Positions in the vowels that may carry the tone."""
    marked = [i for i, c in enumerate(nucleus) if c in "ăâêôơư"]
    if marked:
        return (marked[-1],)
    if is_closed:
        return (len(nucleus) - 1,)
    if len(nucleus) == 3:
        return (1,)
    return (0, 1) if nucleus in ("oa", "oe", "uy") else (0,)


# --- conversion ------------------------------------------------------------------------------


@cache
def _patterns(charset: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    table = charsets.table(charset)
    return tuple(table), tuple(table.values())


def convert(series: pl.Series, *, charset: str) -> pl.Series:
    """Convert every cell from a charset to Unicode NFC, without judging whether it should be.

    Cells that hold Vietnamese letters no legacy text can hold (ă as U+0103, ệ, …) are already
    Unicode and are only normalised.

    Examples
    --------
    >>> convert(pl.Series(["Céng hoµ x· héi", "Hợp tác xã"]), charset="tcvn3").to_list()
    ['Cộng hoà xã hội', 'Hợp tác xã']
    """
    _known_charset(charset)
    frame = pl.DataFrame({"text": series.cast(pl.String)})
    text = pl.col("text")
    converted = text
    if charset in LEGACY:
        seen, letters = _patterns(charset)
        table = text.str.replace_many(list(seen), list(letters), leftmost=True)
        converted = pl.when(text.str.contains(_UNICODE_VIETNAMESE)).then(text).otherwise(table)
    nfc = converted.str.normalize("NFC")
    return frame.select(nfc.alias(series.name)).to_series()


def _known_charset(charset: str) -> None:
    names = [c.name for c in charsets.CHARSETS]
    if charset not in names:
        raise InputError(
            f"Unknown charset “{charset}”.",
            remedy=f"Use one of {', '.join(names)}, or auto.",
            code="unknown_charset",
        )


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


# --- recognition -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tally:
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


def _words(cells: Iterable[str]) -> list[str]:
    """Distinct words with a suspicious character and an ASCII letter, sorted."""
    found: set[str] = set()
    for cell in cells:
        found.update(re.findall(_WORD, cell))
    return sorted(
        w
        for w in found
        if re.search("[A-Za-z]", w) and re.search(_SUSPICIOUS, w) and w not in _MICRO_UNITS
    )


def _viqr_words(cells: Iterable[str]) -> list[str]:
    found: set[str] = set()
    for cell in cells:
        found.update(re.findall(_VIQR_WORD, cell))
    return sorted(w for w in found if re.search(r"(?i)[aeiouy][`'~?.^(+]|dd", w))


def _convert_words(words: Sequence[str], charset: str) -> list[str]:
    if not words:
        return []
    return convert(pl.Series(words, dtype=pl.String), charset=charset).to_list()


def _as_seen(word: str, charset: str) -> str:
    """The word as another reader would take it: in VIQR a final point may just be a point."""
    return word.rstrip(".?'") if charset == "viqr" else word


def _tally(words: Sequence[str], charset: str) -> _Tally:
    counts = [0, 0, 0]
    sample = word = ""
    for before, after in zip(words, _convert_words(words, charset), strict=True):
        was, now = is_syllable(_as_seen(before, charset)), is_syllable(after)
        if now and not was:
            counts[0] += 1
            sample, word = sample or f"“{before}” → “{after}”", word or before
        elif was and not now:
            counts[1] += 1
        elif not was:
            counts[2] += 1
    return _Tally(counts[0], counts[1], counts[2], sample, word)


def _sample(distinct: pl.Series) -> list[str]:
    cells = distinct.sort()
    if len(cells) <= _SAMPLE:
        return [str(c) for c in cells]
    step = len(cells) / _SAMPLE
    return [str(cells[int(i * step)]) for i in range(_SAMPLE)]


def _by_characters(series: pl.Series) -> tuple[Detection, _Tally | None]:
    """Recognise the charset from the words of the column; the tally when one word alone hints."""
    text = series.drop_nulls()
    has_letters = text.str.contains(_UNICODE_VIETNAMESE)
    unsure = text.filter(~has_letters)
    is_suspicious = unsure.str.contains(_SUSPICIOUS)
    n_combining = int(text.str.contains(_COMBINING).sum())
    words = _words(_sample(unsure.filter(is_suspicious).unique()))
    tallies: dict[str, _Tally] = {
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


def _fonts(series: pl.Series, fonts: str | Sequence[str | None] | pl.Series | None) -> pl.Series:
    """One font name per cell."""
    if fonts is None or isinstance(fonts, str):
        return pl.Series("font", [fonts], dtype=pl.String).new_from_index(0, len(series))
    made = pl.Series("font", list(fonts), dtype=pl.String)
    if len(made) != len(series):
        raise ValueError(f"{len(made)} font names for {len(series)} cells")
    return made


def _font_table(fonts: pl.Series) -> pl.DataFrame:
    """Distinct font → charset and capitals, for fonts that imply one."""
    rows = []
    for font in fonts.drop_nulls().unique().sort():
        implied = font_charset(str(font))
        if implied is not None:
            rows.append({"font": font, "charset": implied[0], "is_capitals": implied[1]})
    return pl.DataFrame(
        rows, schema={"font": pl.String, "charset": pl.String, "is_capitals": pl.Boolean}
    )


def detect(
    series: pl.Series, *, font_names: str | Sequence[str | None] | pl.Series | None = None
) -> Detection:
    """Say what a column is written in, by its fonts if they tell, else by its words.

    Parameters
    ----------
    series:
        String series.
    font_names:
        Font of the column, or of each cell.

    Examples
    --------
    >>> detect(pl.Series(["Céng hoµ x· héi chñ nghÜa ViÖt Nam"])).charset
    'tcvn3'
    >>> detect(pl.Series(["Société coopérative", "Hợp tác xã"])).charset
    'plain'
    """
    return to_unicode(series, font_names=font_names).detection


def to_unicode(
    series: pl.Series,
    *,
    charset: str = "auto",
    font_names: str | Sequence[str | None] | pl.Series | None = None,
    known_names: Sequence[str] = (),
) -> TextResult:
    """Bring a text column to Unicode NFC.

    Parameters
    ----------
    series:
        String series; the caller keeps it as the raw value.
    charset:
        "auto", or a name of `charsets.CHARSETS` fixed by a source mapping.
    font_names:
        Font of the column, or of each cell. A `.Vn…H` font shows capitals, so they are returned.
    known_names:
        Names (places, organisations) offered as candidates where ư was lost; never filled in.

    Examples
    --------
    >>> result = to_unicode(pl.Series(["QuyÕt ®Þnh cña Bé trëng"]), known_names=["Bộ trưởng"])
    >>> result.values[0], result.notes["code"].to_list()
    ('Quyết định của Bộ trởng', ['encoding_unrecoverable'])
    """
    text = series.cast(pl.String)
    fonts = (
        _font_table(_fonts(text, font_names))
        if font_names is not None
        else _font_table(pl.Series([], dtype=pl.String))
    )
    hint: _Tally | None = None
    if charset == "auto":
        guess, hint = _by_characters(text)
    else:
        _known_charset(charset)
        guess = Detection(
            charset,
            1.0,
            "Bảng mã được khai báo trong tệp ánh xạ nguồn.",
            "The charset is fixed by the source mapping.",
        )
    if guess.charset == "plain" and not fonts.height:
        values, notes = _plain(text)
        return TextResult(values, join_notes([notes, _hinted(text, hint)]), guess)

    cells = pl.DataFrame(
        {
            "index": pl.arange(0, len(text), eager=True, dtype=pl.UInt32),
            "text": text,
            "font": _fonts(text, font_names),
        }
    ).drop_nulls("text")
    cells = cells.join(fonts, on="font", how="left", maintain_order="left").with_columns(
        by_font=pl.col("charset").is_not_null(),
        is_capitals=pl.col("is_capitals").fill_null(value=False),
        charset=pl.coalesce("charset", pl.lit(guess.charset)),
    )
    is_forced = charset != "auto"
    if is_forced:
        cells = cells.with_columns(charset=pl.lit(charset))
    pieces: list[pl.DataFrame] = []
    said_all: list[pl.DataFrame] = []
    for name in (*LEGACY, "decomposed", "plain"):
        part = cells.filter(pl.col("charset") == name)
        if not part.height:
            continue
        if name in LEGACY:
            done, said = _convert_cells(part, name, is_forced=is_forced, known_names=known_names)
        else:
            values, said = _plain(part.get_column("text"))
            done = part.with_columns(value=values)
            said = said.with_columns(
                index=part.get_column("index").gather(said.get_column("index"))
            )
        pieces.append(done.select("index", "value"))
        said_all.append(said)
    joined = (
        pl.concat(pieces)
        if pieces
        else pl.DataFrame(schema={"index": pl.UInt32, "value": pl.String})
    )
    blank = pl.Series(series.name, [None], dtype=pl.String).new_from_index(0, len(text))
    values = blank.scatter(joined.get_column("index"), joined.get_column("value"))
    all_notes = join_notes(said_all)
    n_lost = (
        all_notes.filter(pl.col("code") == "encoding_unrecoverable").get_column("index").n_unique()
    )
    return TextResult(values, all_notes, _with_fonts(guess, cells, n_lost, is_forced=is_forced))


def _hinted(text: pl.Series, hint: _Tally | None) -> pl.DataFrame:
    """A note on the cells with the one word that looks like a legacy charset."""
    if hint is None:
        return empty_notes()
    hits = pl.DataFrame({"text": text}).with_row_index("index")
    return note_rows(
        hits.filter(pl.col("text").str.contains(hint.word, literal=True)),
        code="encoding_uncertain",
        detail_vi=f"Có thể là bảng mã cũ: {hint.sample}; một từ chưa đủ bằng chứng, giữ nguyên.",
        detail_en=f"It may be a legacy charset: {hint.sample}; one word is too little, left as it is.",
    )


def _with_fonts(
    guess: Detection, cells: pl.DataFrame, n_lost: int, *, is_forced: bool
) -> Detection:
    """The detection of the whole column, after the fonts had their say."""
    by_font = cells.filter("by_font")
    if is_forced or not by_font.height:
        return Detection(
            guess.charset, guess.confidence, guess.evidence_vi, guess.evidence_en, n_lost
        )
    counts = by_font.group_by("charset").len().sort("len", "charset", descending=[True, False])
    name = str(counts.get_column("charset")[0])
    font = str(by_font.filter(pl.col("charset") == name).get_column("font").min())
    agrees = guess.charset == name
    objects = guess.charset not in (name, "plain", "decomposed")
    confidence = 0.99 if agrees else 0.6 if objects else 0.95
    n = int(counts.get_column("len")[0])
    return Detection(
        name,
        confidence,
        f"Phông chữ “{font}” ({n} ô)"
        + (f"; nhưng các từ giống {guess.charset}." if objects else "."),
        f"Font “{font}” ({n} cells)"
        + (f"; but the words look like {guess.charset}." if objects else "."),
        n_lost,
    )


def _plain(text: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """NFC, and the Icelandic Ð that stands for Đ in Vietnamese text put right and noted."""
    if not bool(text.str.contains(_MAY_CHANGE).any()):
        return text, empty_notes()
    frame = pl.DataFrame({"text": text}).with_row_index("index")
    nfc = pl.col("text").str.normalize("NFC")
    is_eth = pl.col("text").str.contains(r"Ð|ð")
    frame = frame.with_columns(is_eth=is_eth, nfc=nfc)
    hits = frame.filter("is_eth")
    notes = empty_notes()
    if hits.height:
        mended = pl.col("nfc").str.replace_many(["Ð", "ð"], ["Đ", "đ"])
        frame = frame.with_columns(nfc=pl.when("is_eth").then(mended).otherwise(pl.col("nfc")))
        notes = note_rows(
            hits,
            code="encoding_uncertain",
            detail_vi="Chữ Ð (U+00D0) được đọc là Đ (U+0110).",
            detail_en="Ð (U+00D0) was read as Đ (U+0110).",
        )
    return frame.get_column("nfc").alias(text.name), notes


def _convert_cells(
    part: pl.DataFrame, name: str, *, is_forced: bool, known_names: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert the cells of one charset, each one only where its words do not object."""
    distinct = part.select("text").unique(maintain_order=True)
    after = convert(distinct.get_column("text"), charset=name)
    distinct = distinct.with_columns(after=after)
    changed = distinct.filter(pl.col("text").str.normalize("NFC") != pl.col("after"))
    verdicts = _verdicts(changed, name)
    distinct = distinct.join(verdicts, on="text", how="left", maintain_order="left").with_columns(
        pl.col("balance").fill_null(0)
    )
    objects = pl.lit(value=False) if is_forced else pl.col("balance") < 0
    distinct = distinct.with_columns(is_kept=objects).with_columns(
        value=pl.when("is_kept").then(pl.col("text").str.normalize("NFC")).otherwise("after")
    )
    distinct = _damage(distinct, name, known_names)
    cells = part.join(distinct, on="text", how="left", maintain_order="left").with_columns(
        value=pl.when(pl.col("is_capitals") & ~pl.col("is_kept"))
        .then(pl.col("value").str.to_uppercase())
        .otherwise("value")
    )
    label = next(c.label for c in charsets.CHARSETS if c.name == name)
    vi = pl.format("“{}” không chuyển được sang Unicode.", "lost")
    en = pl.format("“{}” could not be converted.", "lost")
    if name == "tcvn3":
        vi = pl.format(
            "“{}” không phải là tiếng Việt: có thể chữ ư (mã U+00AD) đã bị mất{}.",
            "lost",
            pl.col("candidates_vi").fill_null(""),
        )
        en = pl.format(
            "“{}” is no Vietnamese syllable: the letter ư (U+00AD) may have been lost{}.",
            "lost",
            pl.col("candidates_en").fill_null(""),
        )
    notes = [
        note_rows(
            cells.filter("is_kept"),
            code="encoding_uncertain",
            detail_vi=f"Cột dùng {label} nhưng ô này đã là Unicode; giữ nguyên.",
            detail_en=f"The column is in {label}, but this cell is Unicode already; left as it is.",
        ),
        *(
            note_rows(
                cells.filter(pl.col("lost").is_not_null() & (pl.col("is_sure") == is_sure)),
                code="encoding_unrecoverable" if is_sure else "encoding_uncertain",
                detail_vi=vi,
                detail_en=en,
            )
            for is_sure in (True, False)
        ),
        note_rows(
            cells.filter(pl.col("may_have_lost") & pl.col("lost").is_null()),
            code="encoding_uncertain",
            detail_vi="Trong cột này chữ ư đã bị mất; ô này có thể cũng thiếu ư (ơ ↔ ươ).",
            detail_en="In this column ư was lost; this cell may lack one too (ơ for ươ).",
        ),
    ]
    return cells, join_notes(notes)


def _verdicts(changed: pl.DataFrame, name: str) -> pl.DataFrame:
    """Text → words for minus words against the conversion."""
    words = _exploded(changed, "text", _VIQR_WORD if name == "viqr" else _WORD)
    distinct = [str(w) for w in words.get_column("word").unique().sort()]
    if name != "viqr":
        distinct = _words(distinct)
    score = [
        int(is_syllable(after)) - int(is_syllable(_as_seen(before, name)))
        for before, after in zip(distinct, _convert_words(distinct, name), strict=True)
    ]
    scores = pl.DataFrame(
        {"word": distinct, "score": score}, schema={"word": pl.String, "score": pl.Int64}
    )
    return words.join(scores, on="word", how="inner").group_by("text").agg(balance=pl.sum("score"))


def _exploded(frame: pl.DataFrame, column: str, word: str) -> pl.DataFrame:
    """One row per word of a column."""
    words = pl.col(column).str.extract_all(word).alias("word")
    return frame.select(pl.col(column), words).explode("word").drop_nulls("word")


def _damage(distinct: pl.DataFrame, name: str, known_names: Sequence[str]) -> pl.DataFrame:
    """Find syllables that cannot be, after conversion, and candidates from the known names.

    ``lost`` is the first such word of a cell. Where the column still holds soft hyphens they were
    not deleted, so ``is_sure`` is false: the word may be a name from the highlands (Lơng, Khơng).
    ``may_have_lost`` marks words that are syllables with and without ư, in a column that lost it.
    """
    legacy = distinct.filter((pl.col("text") != pl.col("value")) & ~pl.col("is_kept"))
    words = _exploded(legacy, "value", _WORD)
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
    return unicodedata.normalize("NFC", "".join(c for c in letters if c not in _TONE_MARKS))


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
    if re.fullmatch(rf"(?:{_ONSET})?ơ(?:ng|c|u)", bare):
        return True
    no_vowel = re.fullmatch(
        rf"(?:{_ONSET})(?:ng|c|m|n|t|i|a|u)?", bare
    ) is not None and not re.search("[aăâeêioôơuưy]", bare)
    return no_vowel and not word.isupper() and bare not in _LOWER_ABBREVIATIONS


@cache
def _may_lack_u(word: str) -> bool:
    return re.fullmatch(rf"(?:{_ONSET})?ơ(?:i|m|n|p|t)", _bare(word)) is not None if word else False
