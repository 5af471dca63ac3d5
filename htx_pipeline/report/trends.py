"""Years side by side: one small picture for each measure, each with its own unit and scale.

What belongs here: what a series of years is (`Trend`) and the ink. What does not: where its numbers
come from (`builder`), comparing years in words (`cluster`).

A year without a value is a gap with a cross on the base line, never a zero and never joined over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from htx_pipeline.report.drawing import (
    FAINT,
    INK,
    MUTED,
    OKABE_ITO,
    WIDTH_IN,
    Board,
    canvas,
    font_of,
    hit_area,
    line,
    stamp,
    width_of,
    wrap,
    write,
    write_lines,
)

TrendKind = Literal["money", "count", "share", "tonnes", "ha", "number"]

COLUMNS: Final = 3
GUTTER: Final = 0.22
LINE: Final = 0.15
"""Height of a line of 9-point text."""
PLOT: Final = 0.62


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One measure over years.

    ``kind`` is that of a `blocks.Field`: money in đồng, shares 0..1. ``unit`` is printed where the
    kind does not say it ("hợp tác xã"). A null value is a year without one; ``note`` says what a
    reader must know about the series.
    """

    label: str
    kind: TrendKind
    points: tuple[tuple[str, float | None], ...]
    note: str = ""
    unit: str = ""
    key: str = ""


def draw_trends(spec: Mapping[str, Any]) -> Board:
    """Draw small multiples.

    ``spec``: ``panels`` (``gid``, ``label``, ``unit``, ``points``: ``year``, ``value``, ``text``),
    ``gap`` (what the cross means, when there is one), ``mark``.
    """
    panels: Sequence[Mapping[str, Any]] = spec["panels"]
    columns = min(COLUMNS, len(panels))
    width = (WIDTH_IN - GUTTER * (columns - 1)) / columns
    strong, plain = font_of(9, 600), font_of(9)
    titles = [wrap(p["label"], strong, width - 0.05, 3) for p in panels]
    rows = -(-len(panels) // columns)
    heads = [
        LINE * max(len(t) for t in titles[r * columns : (r + 1) * columns]) for r in range(rows)
    ]
    body = LINE + 0.3 + PLOT + 0.06 + LINE + 0.2
    has_gap = any(point["value"] is None for p in panels for point in p["points"])
    foot = 0.2 if has_gap or spec.get("mark") else 0.0
    height = sum(heads) + body * rows + foot
    axes = canvas(height)
    top = 0.02
    for row in range(rows):
        for i in range(row * columns, min((row + 1) * columns, len(panels))):
            x = (i % columns) * (width + GUTTER)
            y = top + heads[row]
            write_lines(axes, (x + 0.02, y - LINE * len(titles[i]) / 2), titles[i], strong, "left")
            write(
                axes,
                x + 0.02,
                y + LINE / 2,
                panels[i]["unit"],
                plain,
                color=MUTED,
                va="center_baseline",
            )
            _draw_panel(axes, panels[i]["points"], (x, y + LINE + 0.3, width, PLOT))
            hit_area(axes, (x, top, width, heads[row] + body - 0.1), panels[i]["gid"])
        top += heads[row] + body
    if has_gap:
        y = height - 0.12
        line(
            axes,
            [0.09],
            [y],
            marker="x",
            color=MUTED,
            markersize=5,
            markeredgewidth=1.2,
            linestyle="none",
        )
        write(axes, 0.2, y, spec["gap"], plain, color=MUTED, va="center_baseline")
    stamp(axes, height, spec.get("mark", ""))
    return axes


def _draw_panel(
    axes: Any, points: Sequence[Mapping[str, Any]], box: tuple[float, float, float, float]
) -> None:
    """Draw one series; the last value is bold, the others plain where they find room."""
    x, y, width, height = box
    strong, plain = font_of(9, 600), font_of(9)
    base = y + height
    known = [p["value"] for p in points if p["value"] is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    scale = height / (high - low) if high > low else 0.0
    zero = base + low * scale
    pad = 0.34
    step = (width - 2 * pad) / max(1, len(points) - 1)
    xs = [x + pad + i * step if len(points) > 1 else x + width / 2 for i in range(len(points))]
    line(axes, [x + 0.04, x + width - 0.04], [zero, zero], color=FAINT, linewidth=0.9, zorder=0)
    run: list[tuple[float, float]] = []
    last = max((i for i, p in enumerate(points) if p["value"] is not None), default=-1)
    taken = -1.0
    for i, point in enumerate(points):
        write(axes, xs[i], base + 0.06, point["year"], plain, color=MUTED, ha="center", va="top")
        if point["value"] is None:
            _join(axes, run)
            run = []
            line(
                axes,
                [xs[i]],
                [zero],
                marker="x",
                color=MUTED,
                markersize=5,
                markeredgewidth=1.2,
                linestyle="none",
            )
            continue
        at = (xs[i], zero - point["value"] * scale)
        run.append(at)
        font = strong if i == last else plain
        half = width_of(point["text"], font) / 2
        centre = min(max(at[0] + _aside(points, i, half), x + half + 0.01), x + width - half - 0.01)
        room = xs[-1] if i == last else centre + half
        if i == last or (
            centre - half > taken and _clear(points, last, right=room, at=xs[-1], edge=x + width)
        ):
            write(axes, centre, at[1] - 0.07, point["text"], font, color=INK if i == last else MUTED,
                  ha="center", va="bottom")  # fmt: skip
            taken = centre + half + 0.05
        line(axes, [at[0]], [at[1]], marker="o" if i == last else ".", color=OKABE_ITO[0],
                  markersize=6 if i == last else 7, markeredgecolor="white", markeredgewidth=0.6,
                  linestyle="none", zorder=3)  # fmt: skip
    _join(axes, run)


def _aside(points: Sequence[Mapping[str, Any]], i: int, half: float) -> float:
    """Return how far a label moves to keep off a line that rises out of its point."""
    own = points[i]["value"]
    before = points[i - 1]["value"] if i else None
    after = points[i + 1]["value"] if i + 1 < len(points) else None
    rises_after = after is not None and after > own
    rises_before = before is not None and before > own
    return 0.6 * half * (rises_before - rises_after)


def _clear(
    points: Sequence[Mapping[str, Any]], last: int, *, right: float, at: float, edge: float
) -> bool:
    """Return whether a label that ends at *right* keeps clear of the last, bold one."""
    half = width_of(points[last]["text"], font_of(9, 600)) / 2
    return right + 0.05 < min(at, edge - half - 0.01) - half


def _join(axes: Any, run: Sequence[tuple[float, float]]) -> None:
    if len(run) > 1:
        line(
            axes,
            [x for x, _ in run],
            [y for _, y in run],
            color=OKABE_ITO[0],
            linewidth=1.8,
            zorder=2,
        )
