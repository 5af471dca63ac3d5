"""Bars and dots: shares compared side by side.

What belongs here: these two pictures. What does not: flows (`chain`), numbers and words (`model`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from htx_pipeline.report import text
from htx_pipeline.report.drawing import (
    FAINT,
    INK,
    LEVEL_HATCHES,
    LEVEL_INKS,
    MUTED,
    OTHER,
    WIDTH_IN,
    Board,
    canvas,
    font_of,
    legend_places,
    line,
    put,
    stamp,
    style_of,
    width_of,
    wrap,
    write,
    write_lines,
)


def draw_bars(spec: Mapping[str, Any]) -> Board:
    """Nested horizontal bars: each bar's levels from the widest (light) to the narrowest (dark)."""
    bars: Sequence[Mapping[str, Any]] = spec["bars"]
    series: Sequence[str] = spec["series"]
    levels: Sequence[int] = spec["levels"]
    inks = [LEVEL_INKS[i] for i in levels]
    hatches = [LEVEL_HATCHES[i] for i in levels]
    legend = len(series) > 1
    name_font, value_font, small = font_of(9), font_of(9, 600), font_of(9)
    longest = max(width_of(b["label"], name_font) for b in bars) + 0.15
    left = min(2.3, longest)
    pitch, top = (0.27 if longest <= left else 0.38), 0.1
    legend_height = 0.0
    if legend:
        legend_height = 0.22 * ((len(series) + 1) // 2) + 0.1
    height = top + legend_height + pitch * len(bars) + 0.32 + (0.14 if spec.get("mark") else 0)
    axes = canvas(height)
    right = WIDTH_IN - max(width_of(b["text"], value_font) for b in bars) - 0.12
    widest = max((s or 0) for b in bars for s in b["shares"])
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if widest / s <= 5 or s == 0.25)
    limit = min(1.0, step * -(-widest // step)) or step
    scale = (right - left) / limit
    y0 = top + legend_height
    bottom = y0 + pitch * len(bars)
    tick = 0.0
    while tick <= limit + 1e-9:
        x = left + tick * scale
        line(axes, [x, x], [y0, bottom], color=FAINT, linewidth=0.6, zorder=0)
        write(
            axes, x, bottom + 0.06, text.share(tick, 0), small, color=MUTED, ha="center", va="top"
        )
        tick += step
    from matplotlib.patches import Rectangle

    for i, bar in enumerate(bars):
        y = y0 + i * pitch
        for level, share in enumerate(bar["shares"]):
            if not share:
                continue
            put(axes, Rectangle(
                    (left, y + pitch / 2 - 0.09), min(share, limit) * scale, 0.18, facecolor=inks[level],
                    edgecolor="white" if hatches[level] else "none", hatch=hatches[level], linewidth=0,
                )
            )  # fmt: skip
        label = wrap(bar["label"], name_font, left - 0.12, 2)
        write_lines(axes, (left - 0.08, y + pitch / 2), label, name_font, "right")
        write(
            axes,
            WIDTH_IN - 0.04,
            y + pitch / 2,
            bar["text"],
            value_font,
            color=INK,
            ha="right",
            va="center_baseline",
        )
    line(axes, [left, left], [y0, bottom], color=MUTED, linewidth=0.8)
    if legend:
        for level, name in enumerate(series):
            x = 0.06 + (level % 2) * WIDTH_IN * 0.42
            y = top + (level // 2) * 0.22
            put(axes, Rectangle((x, y), 0.22, 0.12, facecolor=inks[level], edgecolor="white" if hatches[level] else "none",
                          hatch=hatches[level], linewidth=0)
            )  # fmt: skip
            write(axes, x + 0.3, y + 0.06, name, font_of(9), color=INK, va="center_baseline")
    stamp(axes, height, spec.get("mark", ""))
    return axes


# --------------------------------------------------------------------------- dots


def draw_dots(spec: Mapping[str, Any]) -> Board:
    """One point for each cluster on a 0–100 % line; shape and colour by commodity."""
    points: Sequence[Mapping[str, Any]] = spec["points"]
    name_font, value_font, small = font_of(9), font_of(9), font_of(9)
    codes = list(dict.fromkeys(p["product"] for p in points))
    names = {p["product"]: p["product_label"] for p in points}
    style = {c: i for i, c in enumerate(codes)}
    left, right = 2.35, 4.15
    pitch = 0.36
    legend_rows = legend_places([names[c] for c in codes])
    top = 0.08 + 0.22 * legend_rows[-1][1] + 0.26
    height = top + pitch * len(points) + 0.32 + (0.14 if spec.get("mark") else 0)
    axes = canvas(height)
    for code, (x, row) in zip(codes, legend_rows, strict=True):
        ink, marker = style_of(style[code])
        line(axes, [x + 0.08], [0.14 + 0.22 * row], marker=marker, color=ink, markersize=7,
                  markeredgecolor=INK, markeredgewidth=0.6, linestyle="none")  # fmt: skip
        write(
            axes,
            x + 0.2,
            0.14 + 0.22 * row,
            names[code],
            font_of(9),
            color=INK,
            va="center_baseline",
        )
    bottom = top + pitch * len(points)
    for tick in (0, 0.25, 0.5, 0.75, 1.0):
        x = left + tick * (right - left)
        line(axes, [x, x], [top, bottom], color=FAINT, linewidth=0.6, zorder=0)
        write(
            axes, x, bottom + 0.06, text.share(tick, 0), small, color=MUTED, ha="center", va="top"
        )
    for i, p in enumerate(points):
        y = top + (i + 0.5) * pitch
        x = left + p["share"] * (right - left)
        ink, marker = style_of(style[p["product"]])
        line(axes, [left, x], [y, y], color=OTHER, linewidth=1.2, zorder=1)
        line(axes, [x], [y], marker=marker, color=ink, markersize=7.5, markeredgecolor=INK,
                  markeredgewidth=0.6, linestyle="none", zorder=2)  # fmt: skip
        write_lines(
            axes, (left - 0.1, y), wrap(p["label"], name_font, left - 0.16, 2), name_font, "right"
        )
        write_lines(
            axes,
            (right + 0.14, y),
            wrap(p["text"], value_font, WIDTH_IN - right - 0.2, 2),
            value_font,
            "left",
        )
    stamp(axes, height, spec.get("mark", ""))
    return axes
