"""How long a Word document will be, and how tightly to set one that is to stay short.

What belongs here: ways to set a document, and its length as Word will break it, estimated from the widths
of its words. What does not: writing it (`docx`). Word itself is not asked: it is not there when a report is
written.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from htx_pipeline.report.blocks import Block, Facts, Figure, Page, Prose, Table
from htx_pipeline.report.figures import Picture
from htx_pipeline.report.lettering import PAPER, rough_width
from htx_pipeline.report.wordpack import TEXT_MM

LEADING: Final = 1.15
"""Height of a line, as a part of the size of its letters."""
POINTS_PER_MM: Final = 72 / 25.4
SHEET_MM: Final = 257.0
"""Height of the text on a sheet."""
HEAD_PT: Final = 150.0
"""Height of heading, title and rule on the first sheet; with the official heading 90 more."""
OFFICIAL_PT: Final = 90.0
SIGNATURE_PT: Final = 75.0
CELL_PT: Final = 1.9
"""Above and below the words of a cell, with its line."""
SIDE_MM: Final = 2.0
"""Left and right of the words of a cell."""
MARGIN: Final = 0.12
"""Sheets kept free: what is kept together leaves room at the foot of a sheet."""


@dataclass(frozen=True, slots=True)
class WordFit:
    """One way to set a document.

    ``rows``: most lines of a long table; ``few``: of one that is short anyway; ``size``, ``small``: points in
    tables of at most six columns and in wider ones; ``picture_mm``: width of pictures.
    """

    size: float = 10.0
    small: float = 9.5
    picture_mm: float = 155.0
    rows: int | None = None
    few: int | None = None
    body: float = 13.0

    def cut(self, table: Table) -> Table:
        """Return *table* with the lines that are printed in this setting."""
        if table.page_rows is None or self.rows is None:
            return table
        most = self.rows if table.page_rows > 8 or self.few is None else self.few
        return replace(table, page_rows=min(table.page_rows, most))

    def size_of(self, table: Table) -> float:
        """Return the size of letters in a table, in points."""
        return self.size if len(table.fields) <= 6 else self.small


LONG: Final = WordFit()
"""A document that may be as long as it is."""
SHORT: Final = (
    WordFit(size=9.5, small=9.0, picture_mm=142.0, rows=8),
    WordFit(size=9.0, small=9.0, picture_mm=134.0, rows=7),
    WordFit(size=9.0, small=9.0, picture_mm=126.0, rows=6, few=6),
    WordFit(size=9.0, small=9.0, picture_mm=120.0, rows=5, few=5),
    WordFit(size=9.0, small=9.0, picture_mm=120.0, rows=4, few=4),
    WordFit(size=9.0, small=9.0, picture_mm=112.0, rows=3, few=3),
)  # fmt: skip
"""Ways to set a document that is to stay short, in the order in which they are tried; no letter below 9 points."""


def fit_of(page: Page, pictures: Mapping[str, Picture], *, is_official: bool) -> WordFit:
    """Return the loosest setting in which a page keeps to its sheets; the tightest where none does."""
    if page.most_pages is None:
        return LONG
    most = page.most_pages - MARGIN
    return next(
        (f for f in SHORT if sheets_of(page, pictures, f, is_official=is_official) <= most), SHORT[-1]
    )  # fmt: skip


def sheets_of(
    page: Page, pictures: Mapping[str, Picture], fit: WordFit, *, is_official: bool
) -> float:
    """Return how many sheets a page fills, in parts of a sheet."""
    height = HEAD_PT + _lines(page.title, 14, TEXT_MM, bold=True) * 14 * LEADING
    height += OFFICIAL_PT + SIGNATURE_PT if is_official else 0.0
    blocks = [b for s in page.sections for b in s.blocks]
    for section in page.sections:
        height += _lines(section.title, 13, TEXT_MM, bold=True) * 13 * LEADING + 11
        for block in section.blocks:
            height += _block(block, pictures, fit)
            if block.source and (block is blocks[-1] or not page.has_one_source_line):
                height += _small(block.source.line)
    return height / POINTS_PER_MM / SHEET_MM


def _block(block: Block, pictures: Mapping[str, Picture], fit: WordFit) -> float:
    match block:
        case Facts():
            return _facts(block)
        case Prose():
            size = 11.0 if block.is_small else fit.body
            width = TEXT_MM - (6.3 if block.is_list else 0.0)
            words = [
                f"{lead}{said}" + ("" if block.is_list else " " * 9) for lead, said in block.parts
            ]
            return sum(_lines(w, size, width) * size * LEADING + 3 for w in words)
        case Table():
            return _table(fit.cut(block), fit)
        case Figure():
            wide, tall = _size(pictures[block.id].png)
            notes = _small(" ".join(block.notes)) if block.notes else 0.0
            return _caption(block.title) + fit.picture_mm * POINTS_PER_MM * tall / wide + 6 + notes


def _facts(facts: Facts) -> float:
    n = len(facts.items)
    columns = 3 if n > 4 else max(1, n)
    wide = TEXT_MM / columns - 4
    tiles = [
        sum(
            _lines(words, size, wide, bold=size == 14) * size * LEADING
            for words, size in ((f.label, 9.0), (f.value, 14.0), (f.change, 9.0), (f.detail, 9.0))
            if words
        )
        for f in facts.items
    ]
    rows = [max(tiles[i : i + columns]) + 6 for i in range(0, n, columns)]
    return sum(rows) + (sum(_small(n) for n in facts.notes) or 4)


def _table(table: Table, fit: WordFit) -> float:
    size, whole = fit.size_of(table), sum(f.width for f in table.fields)
    widths = [TEXT_MM * f.width / whole - SIDE_MM for f in table.fields]
    rows = [[f.show(r.get(f.key)) for f in table.fields] for r in table.printed]
    heads = [f.heading for f in table.fields]
    tall = max(_lines(h, size, w, bold=True) for h, w in zip(heads, widths, strict=True))
    for row in rows:
        tall += max(_lines(c, size, w) for c, w in zip(row, widths, strict=True))
    n = len(rows) + 1
    if table.total:
        tall, n = tall + 1, n + 1
    foot = _small(" ".join(table.footnotes)) if table.footnotes else 4
    return _caption(table.title) + tall * size * LEADING + n * CELL_PT + foot


def _caption(words: str) -> float:
    return _lines(f"Bảng 10. {words}", 11, TEXT_MM, bold=True) * 11 * LEADING + 9


def _small(words: str) -> float:
    return _lines(words, 9, TEXT_MM) * 9 * LEADING + 2


def _lines(words: str, size: float, wide_mm: float, *, bold: bool = False) -> int:
    """Return on how many lines words stand, broken between words; a longer word is broken inside."""
    weight = 600 if bold else 400
    room, blank = wide_mm / 25.4 / size, _width(" ", weight)
    lines, at = 1, 0.0
    for word in words.split(" "):
        wide = _width(word, weight)
        if at and at + blank + wide > room:
            lines, at = lines + 1, 0.0
        at += wide + (blank if at else 0.0)
        while at > room:
            lines, at = lines + 1, at - room
    return lines


@lru_cache(maxsize=20_000)
def _width(word: str, weight: int) -> float:
    """Return the width of a word in inches at one point."""
    return rough_width(word, weight, PAPER)


def _size(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG file, in its pixels."""
    wide, tall = struct.unpack(">II", png[16:24])
    return wide, tall
