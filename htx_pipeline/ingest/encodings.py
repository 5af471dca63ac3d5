"""A column of Vietnamese text in Unicode: converted where it is in an old charset, damage reported.

What belongs here: deciding about a column and each of its cells, and the notes of both. What does not:
telling the charset (`charset_detect`), the conversion itself (`charset_convert`) and its tables
(`htx_pipeline.reference.charsets`), reading fonts from a workbook, keeping the raw value.

A single word that speaks for a charset is left as it stands, with a note. Words that are syllables both
ways say nothing. In a column recognised as one charset, each cell keeps its text where its own words speak
against conversion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.ingest.charset_convert import LEGACY, convert, known_charset
from htx_pipeline.ingest.charset_damage import lost_letters
from htx_pipeline.ingest.charset_detect import (
    VIQR_WORD,
    WORD,
    Detection,
    Tally,
    as_seen,
    by_characters,
    convert_words,
    distinct_words,
    font_table,
    fonts_of,
    one_row_per_word,
)
from htx_pipeline.ingest.syllables import is_syllable
from htx_pipeline.ingest.value_notes import empty_notes, join_notes, note_rows
from htx_pipeline.reference import charsets

_MAY_CHANGE: Final = (
    "[^\u0000-\u00cf\u00d1-\u00ef\u00f1-\u02ff\u1ea0-\u1ef9\u2010-\u205e\u20a0-\u20bf]"
)
"""What NFC could change, and Ð and ð; everything else in these ranges is composed already."""


@dataclass(frozen=True)
class TextResult:
    """A column in Unicode NFC, with notes (`value_notes.NOTE_SCHEMA`) and how it was recognised."""

    values: pl.Series
    notes: pl.DataFrame
    detection: Detection


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
        font_table(fonts_of(text, font_names))
        if font_names is not None
        else font_table(pl.Series([], dtype=pl.String))
    )
    hint: Tally | None = None
    if charset == "auto":
        guess, hint = by_characters(text)
    else:
        known_charset(charset)
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
            "font": fonts_of(text, font_names),
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


def _hinted(text: pl.Series, hint: Tally | None) -> pl.DataFrame:
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
    distinct = lost_letters(distinct, name, known_names)
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
    words = one_row_per_word(changed, "text", VIQR_WORD if name == "viqr" else WORD)
    distinct = [str(w) for w in words.get_column("word").unique().sort()]
    if name != "viqr":
        distinct = distinct_words(distinct)
    score = [
        int(is_syllable(after)) - int(is_syllable(as_seen(before, name)))
        for before, after in zip(distinct, convert_words(distinct, name), strict=True)
    ]
    scores = pl.DataFrame(
        {"word": distinct, "score": score}, schema={"word": pl.String, "score": pl.Int64}
    )
    return words.join(scores, on="word", how="inner").group_by("text").agg(balance=pl.sum("score"))
