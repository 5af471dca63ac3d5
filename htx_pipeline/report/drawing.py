"""The drawing board: colours, shapes, and text that is measured before it is set.

What belongs here: what every picture shares. What does not: any one picture (`charts`, `chain`), the
setting of words (`lettering`).
Imported by drawing code only; matplotlib is loaded inside functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from htx_pipeline.report.lettering import (
    FONTS,
    POINTS,
    Align,
    Font,
    Line,
    Stand,
    line_at,
    width_of,
)

__all__ = ["FONTS", "width_of"]

WIDTH_IN: Final = 6.3
"""Width of every picture: the text width of an A4 page with the margins of Decree 30/2020 (160 mm)."""

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
def font_of(size: float, weight: int = 400) -> Font:
    """Return the shipped font, never one that happens to be installed."""
    return Font(size, weight)


class Board:
    """A picture to draw on in inches from the top left corner.

    It takes the place of matplotlib's axes, whose ticks, limits and clipping no picture here needs and
    whose making and drawing cost as much as a small picture. Words are kept beside the figure, in
    ``lines``, and set by `lettering`.
    """

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.figure: Any = Figure(figsize=(WIDTH_IN, height), dpi=100, facecolor="white")
        down = Affine2D().translate(0, -height).scale(1, -1)
        self.transData: Any = down + self.figure.dpi_scale_trans
        self.lines: list[Line] = []

    def add_artist(self, artist: Any) -> None:
        """Draw an artist in inches, unless it has a transform of its own."""
        if not artist.is_transform_set():
            artist.set_transform(self.transData)
        self.figure.add_artist(artist)


def canvas(height: float) -> Board:
    """Return a board to draw on."""
    return Board(height)


def wrap(words: str, font: Font, width: float, lines: int) -> list[str]:
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


def write(
    axes: Board,
    x: float,
    y: float,
    words: str,
    font: Font,
    *,
    color: str = INK,
    ha: Align = "left",
    va: Stand = "baseline",
    ground: float | None = None,
) -> None:
    """Write *words* literally: a dollar sign is a dollar sign.

    ``ground``: how much a white box behind the words covers what is under it (0..1).
    """
    line = line_at(x, y, words, font, color=color, align=ha, stand=va)
    axes.lines.append(line)
    if ground is not None:
        _lay_ground(axes, [line], ground)


def stamp(axes: Board, height: float, mark: str) -> None:
    if mark:
        write(
            axes, WIDTH_IN - 0.04, height - 0.05, mark, font_of(9, 600), color="#9b1c1c", ha="right", va="bottom",
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


def add_group(axes: Board, gid: str, parts: Sequence[Any], *, zorder: float = 1) -> None:
    """Draw *parts* as one element of the SVG named *gid*, so that it can be pointed at as one."""
    for part in parts:
        part.set_figure(axes.figure)
        if not part.is_transform_set():
            part.set_transform(axes.transData)
    whole = _group_class()(parts)
    whole.set_gid(gid)
    whole.set_zorder(zorder)
    axes.figure.add_artist(whole)


def put(axes: Board, artist: Any) -> None:
    """Draw an artist in inches; nothing is measured, as limits are fixed."""
    axes.add_artist(artist)


def line(axes: Board, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    """Draw a line or, with a marker, points; see `put`."""
    from matplotlib.lines import Line2D

    put(axes, Line2D(xs, ys, **look))


def hit_area(axes: Board, box: tuple[float, float, float, float], gid: str) -> None:
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
    axes: Board,
    at: tuple[float, float],
    lines: Sequence[str],
    font: Font,
    align: Align,
    *,
    ground: float | None = None,
) -> None:
    """Write lines centred on a height; see `write`."""
    x, y = at
    step = font.size / POINTS * 1.2
    first = len(axes.lines)
    for i, words in enumerate(lines):
        middle = y + (i - (len(lines) - 1) / 2) * step
        write(axes, x, middle, words, font, ha=align, va="center_baseline")
    if ground is not None:
        _lay_ground(axes, axes.lines[first:], ground)


def _lay_ground(axes: Board, lines: Sequence[Line], alpha: float) -> None:
    """Lay a white box behind lines that stand below each other."""
    from matplotlib.patches import Rectangle

    size = lines[0].font.size / POINTS
    width = max(width_of(one.words, one.font) for one in lines)
    left = lines[0].x - {"left": 0.0, "center": 0.5, "right": 1.0}[lines[0].align] * width
    top, bottom = lines[0].y - size, lines[-1].y + 0.27 * size
    box = Rectangle((left - 0.02, top), width + 0.04, bottom - top, facecolor="white", edgecolor="none",
                    alpha=alpha, zorder=5)  # fmt: skip
    put(axes, box)


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
