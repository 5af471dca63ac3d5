"""The words of a picture: measured, written into its SVG as text and inked into its PNG.

What belongs here: the shipped font, widths, anchors, and both ways of setting a word. What does not:
where words stand (`charts`, `chain`, `trends`, `maps`), shapes (`drawing`).

matplotlib would lay every string out four times, hinted, twice for each format: that is more than half
of what a picture costs. Here a word is measured and inked once for a process, whichever pictures have
it. Words lie on top of all shapes, and take no click from what is below them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from xml.sax.saxutils import escape

from htx_pipeline.report.wordml import clean

FONTS: Final = Path(__file__).parent / "fonts"
FAMILY: Final = "Be Vietnam Pro"
PAPER: Final = "Tinos"
"""A family whose letters are as wide as those of Times New Roman, in which Word files are set."""
FILES: Final = {
    (FAMILY, 400): "BeVietnamPro-Regular.ttf", (FAMILY, 600): "BeVietnamPro-SemiBold.ttf",
    (PAPER, 400): "Tinos-Regular.ttf", (PAPER, 600): "Tinos-Bold.ttf",
}  # fmt: skip
ASCENT: Final = 1.0
DESCENT: Final = 0.265
"""Above and below the base line, as parts of the size: what the font says of itself."""
POINTS: Final = 72
"""Points in an inch."""

Align = Literal["left", "center", "right"]
Stand = Literal["baseline", "center_baseline", "top", "bottom"]
_ANCHORS: Final = {"left": "start", "center": "middle", "right": "end"}
_DOWN: Final = {"baseline": 0.0, "center_baseline": ASCENT / 2, "top": ASCENT, "bottom": -DESCENT}


class Font(NamedTuple):
    """A shipped font in one size (points) and weight."""

    size: float
    weight: int = 400
    family: str = FAMILY


class Line(NamedTuple):
    """A line of text whose anchor stands at (x, y), in inches from the top left; y is the base line."""

    x: float
    y: float
    words: str
    font: Font
    color: str
    align: Align


def line_at(
    x: float, y: float, words: str, font: Font, *, color: str, align: Align, stand: Stand
) -> Line:
    """Return a line of text in composed letters, its base line found from how it stands at *y*.

    Examples
    --------
    >>> line_at(1, 1, "Đăk Hà", Font(9), color="#000000", align="left", stand="top").y
    1.125
    """
    down = _DOWN[stand] * font.size / POINTS
    return Line(x, y + down, unicodedata.normalize("NFC", clean(words)), font, color, align)


# --------------------------------------------------------------------------- widths


def width_of(words: str, font: Font) -> float:
    """Return the width of *words* in inches."""
    parts = words.split(" ")
    width = sum(_advance(p, font.weight, font.family) for p in parts if p)
    width += (len(parts) - 1) * _blank(font.weight, font.family)
    return width * font.size / 100


@cache
def _face(weight: int, family: str = FAMILY) -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(FONTS / FILES[family, weight]))


def rough_width(words: str, weight: int, family: str) -> float:
    """Return the width of *words* in inches at one point, letter by letter: fast, and without kerning.

    A letter that the font does not have is as wide as an M.

    Examples
    --------
    >>> round(rough_width("HTX Đăk Hà", 400, PAPER) / width_of("HTX Đăk Hà", Font(1.0, 400, PAPER)), 1)
    1.0
    """
    return sum(_letter(c, weight, family) for c in unicodedata.normalize("NFC", words))


@cache
def _letter(letter: str, weight: int, family: str) -> float:
    from matplotlib.ft2font import LoadFlags

    face = _face(weight, family)
    known = letter if ord(letter) in _letters(family) else "M"
    face.set_size(100, POINTS)
    glyph = face.load_char(ord(known), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 65536 / POINTS / 100


@cache
def _letters(family: str) -> frozenset[int]:
    return frozenset(_face(400, family).get_charmap())


def _set(face: Any, words: str) -> None:
    from matplotlib.ft2font import LoadFlags

    face.set_text(words, 0.0, flags=LoadFlags.NO_HINTING)


@lru_cache(maxsize=20_000)
def _advance(word: str, weight: int, family: str = FAMILY) -> float:
    """Return the advance width of a word in inches at 100 points."""
    face = _face(weight, family)
    face.set_size(100, POINTS)
    _set(face, word)
    width, _ = face.get_width_height()
    return float(width) / 64 / POINTS


@cache
def _blank(weight: int, family: str = FAMILY) -> float:
    return _advance("n n", weight, family) - 2 * _advance("n", weight, family)


# --------------------------------------------------------------------------- SVG


def with_words(svg: str, lines: Sequence[Line]) -> str:
    """Return an SVG with its words before its end, as text in the shipped font.

    Examples
    --------
    >>> one = Line(1, 0.5, "a < b", Font(9), "#1a1a1a", "center")
    >>> print(with_words("<svg></svg>", [one]))
    <svg><g style="font-family: 'Be Vietnam Pro'" pointer-events="none">
    <text style="font-size: 9px; text-anchor: middle; fill: #1a1a1a" x="72" y="36">a &lt; b</text>
    </g>
    </svg>
    """
    if not lines:
        return svg
    head, end, tail = svg.rpartition("</svg>")
    text = "\n".join(_element(one) for one in lines)
    return f'{head}<g style="font-family: \'{FAMILY}\'" pointer-events="none">\n{text}\n</g>\n{end}{tail}'


def _element(one: Line) -> str:
    weight = f"font-weight: {one.font.weight}; " if one.font.weight != 400 else ""
    style = f"{weight}font-size: {one.font.size:g}px; text-anchor: {_ANCHORS[one.align]}; fill: {one.color}"
    x, y = round(one.x * POINTS, 2), round(one.y * POINTS, 2)
    return f'<text style="{style}" x="{x:g}" y="{y:g}">{escape(one.words)}</text>'


# --------------------------------------------------------------------------- PNG


def ink(image: Any, lines: Iterable[Line], dpi: int) -> None:
    """Write lines onto a Pillow image of so many dots an inch."""
    for one in lines:
        font = one.font
        x = (
            one.x
            - {"left": 0.0, "center": 0.5, "right": 1.0}[one.align] * width_of(one.words, font)
        ) * dpi
        base = round(one.y * dpi)
        blank = _blank(font.weight) * font.size / 100 * dpi
        for word in one.words.split(" "):
            if word:
                mask, left, top = _mask(word, font, dpi)
                image.paste(one.color, (round(x) + left, base + top), mask)
                x += _advance(word, font.weight) * font.size / 100 * dpi
            x += blank


@lru_cache(maxsize=20_000)
def _mask(word: str, font: Font, dpi: int) -> tuple[Any, int, int]:
    """Return the ink of a word, and its upper left corner from the start of its base line in dots."""
    import numpy as np
    from PIL import Image

    face = _face(font.weight)
    face.set_size(font.size, dpi)
    _set(face, word)
    face.draw_glyphs_to_bitmap(antialiased=True)
    mask = Image.fromarray(np.array(face.get_image()))
    left, _ = face.get_bitmap_offset()
    _, height = face.get_width_height()
    # The bitmap's first row is the whole dot above the highest letter.
    return mask, -(-left // 64), -((height - face.get_descent()) // 64) - 1
