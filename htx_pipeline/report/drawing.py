"""The drawing board: shipped fonts, colours, shapes, and text that is measured before it is set.

What belongs here: what every picture shares. What does not: any one picture (`charts`, `chain`).
Imported by drawing code only; matplotlib is loaded inside functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

WIDTH_IN: Final = 6.3
"""Width of every picture: the text width of an A4 page with the margins of Decree 30/2020 (160 mm)."""

FONTS: Final = Path(__file__).parent / "fonts"
INK: Final = "#1a1a1a"
MUTED: Final = "#5f6670"
FAINT: Final = "#d9dde2"
PALE: Final = "#f3f5f7"

OKABE_ITO: Final = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442",
)  # fmt: skip
HATCHES: Final = ("", "////", "||||", "\\\\\\\\", "xxxx", "----", "++++")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
LEVEL_INKS: Final = ("#d6e6f2", "#9cc3de", "#4c93c3", "#0b4f80")
LEVEL_HATCHES: Final = ("", "////", "", "")
OTHER: Final = "#9aa3ad"


@cache
def _font_file(weight: int) -> Path:
    return FONTS / {400: "BeVietnamPro-Regular.ttf", 600: "BeVietnamPro-SemiBold.ttf"}[weight]


@cache
def font_of(size: float, weight: int = 400) -> Any:
    """Return the shipped font, never one that happens to be installed."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(
        family="Be Vietnam Pro", weight=weight, size=size, fname=str(_font_file(weight))
    )


class Board:
    """A picture to draw on in inches from the top left corner.

    It takes the place of matplotlib's axes, whose ticks, limits and clipping no picture here needs and
    whose making and drawing cost as much as a small picture.
    """

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.figure: Any = Figure(figsize=(WIDTH_IN, height), dpi=100, facecolor="white")
        down = Affine2D().translate(0, -height).scale(1, -1)
        self.transData: Any = down + self.figure.dpi_scale_trans

    def add_artist(self, artist: Any) -> None:
        """Draw an artist in inches, unless it has a transform of its own."""
        if not artist.is_transform_set():
            artist.set_transform(self.transData)
        self.figure.add_artist(artist)

    def text(self, x: float, y: float, words: str, **look: Any) -> None:
        """Write in inches."""
        self.figure.text(x, y, words, transform=self.transData, **look)


def canvas(height: float) -> tuple[Any, Board]:
    """Return a figure and the board to draw on it."""
    board = Board(height)
    return board.figure, board


@cache
def _advance(words: str, weight: int) -> float:
    """Return the advance width of *words* in inches at 100 points."""
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        words, font_of(100, weight), ismath=False
    )
    return float(width) / 72


def width_of(words: str, font: Any) -> float:
    """Return the width of *words* in inches."""
    return _advance(words, int(font.get_weight())) * float(font.get_size_in_points()) / 100


def wrap(words: str, font: Any, width: float, lines: int) -> list[str]:
    """Break *words* into at most *lines* lines of *width* inches; the last ends in … when cut."""
    out: list[str] = []
    rest = [w for w in words.split(" ") if w]
    while rest:
        line = rest.pop(0)
        while rest and width_of(f"{line} {rest[0]}", font) <= width:
            line += f" {rest.pop(0)}"
        out.append(line)
        if len(out) == lines and rest:
            out[-1] = f"{line} …"
            break
    for i, line in enumerate(out):
        if width_of(line, font) > width:
            while len(line) > 2 and width_of(f"{line}…", font) > width:
                line = line[:-1]  # noqa: PLW2901
            out[i] = f"{line}…"
    return out or [""]


def write(axes: Any, x: float, y: float, words: str, font: Any, **more: Any) -> None:
    """Write *words* literally: a dollar sign is a dollar sign."""
    axes.text(x, y, words, fontproperties=font, parse_math=False, **more)


def stamp(axes: Any, height: float, mark: str) -> None:
    if mark:
        write(
            axes, WIDTH_IN - 0.04, height - 0.05, mark, font_of(9, 600), color="#9b1c1c", ha="right", va="bottom"
        )  # fmt: skip


@cache
def _group_class() -> Any:
    from matplotlib.artist import Artist

    class Group(Artist):
        """Artists that are one part of an SVG, under one id."""

        def __init__(self, parts: Sequence[Any]) -> None:
            super().__init__()
            self.parts = list(parts)

        def draw(self, renderer: Any) -> None:
            renderer.open_group("part", gid=self.get_gid())
            for part in self.parts:
                part.draw(renderer)
            renderer.close_group("part")

    return Group


def add_group(axes: Any, gid: str, parts: Sequence[Any], *, zorder: float = 1) -> None:
    """Draw *parts* as one element of the SVG named *gid*, so that it can be pointed at as one."""
    for part in parts:
        part.set_figure(axes.figure)
        if not part.is_transform_set():
            part.set_transform(axes.transData)
    whole = _group_class()(parts)
    whole.set_gid(gid)
    whole.set_zorder(zorder)
    axes.figure.add_artist(whole)


def put(axes: Any, artist: Any) -> None:
    """Draw an artist in inches; nothing is measured, as limits are fixed."""
    axes.add_artist(artist)


def line(axes: Any, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    """Draw a line or, with a marker, points; see `put`."""
    from matplotlib.lines import Line2D

    put(axes, Line2D(xs, ys, **look))


def hit_area(axes: Any, box: tuple[float, float, float, float], gid: str) -> None:
    """Lay an unseen rectangle (x, y, width, height) named *gid* over a part, to be pointed at."""
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    put(axes, Rectangle((x, y), width, height, facecolor="white", edgecolor="none", alpha=0, zorder=9, gid=gid)
    )  # fmt: skip


def style_of(index: int) -> tuple[str, str]:
    if index < len(OKABE_ITO):
        return OKABE_ITO[index], MARKERS[index]
    return OTHER, MARKERS[index % len(MARKERS)]


def write_lines(
    axes: Any, at: tuple[float, float], lines: Sequence[str], font: Any, align: str
) -> None:
    """Write lines centred on a height."""
    x, y = at
    step = font.get_size_in_points() / 72 * 1.2
    for i, line in enumerate(lines):
        write(
            axes,
            x,
            y + (i - (len(lines) - 1) / 2) * step,
            line,
            font,
            color=INK,
            ha=align,
            va="center_baseline",
        )


def legend_places(names: Sequence[str]) -> list[tuple[float, int]]:
    """Return (x, row) of each legend entry, wrapping at the picture's width."""
    font, places = font_of(9), []
    x, row = 0.06, 0
    for name in names:
        need = 0.36 + width_of(name, font) + 0.18
        if x > 0.06 and x + need > WIDTH_IN:
            x, row = 0.06, row + 1
        places.append((x, row))
        x += need
    return places
