"""Drawing: a plain description of a picture in, the same SVG and PNG bytes out, every time.

What belongs here: layout and ink. What does not: numbers, words and sources, which come ready in the
description (`model`); this module formats nothing but axis ticks.

Run as ``python -m htx_pipeline.report.figures`` it draws the descriptions given on standard input
into a folder: the workers of `render_all` are such processes.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import text

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

@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn figure."""

    svg: bytes
    png: bytes


def picture_key(spec: Mapping[str, Any]) -> str:
    """Return the content key of a description: same key, same bytes.

    Examples
    --------
    >>> picture_key({"kind": "bars", "a": 1}) == picture_key({"a": 1, "kind": "bars"})
    True
    """
    words = json.dumps(spec, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((_salt() + words).encode()).hexdigest()[:24]


@cache
def _salt() -> str:
    """Return what else decides the bytes of a drawing: this module and matplotlib's version."""
    from importlib.metadata import version

    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return f"{code}:{version('matplotlib')}:"


@cache
def _font_file(weight: int) -> Path:
    return FONTS / {400: "BeVietnamPro-Regular.ttf", 600: "BeVietnamPro-SemiBold.ttf"}[weight]


def _font(size: float, weight: int = 400) -> Any:
    """Return the shipped font, never one that happens to be installed."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(
        family="Be Vietnam Pro", weight=weight, size=size, fname=str(_font_file(weight))
    )


def _canvas(height: float) -> tuple[Any, Any]:
    """Return a figure and axes whose data units are inches from the top left corner."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height), dpi=100)
    figure.patch.set_facecolor("white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH_IN)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def _width(words: str, font: Any) -> float:
    """Return the width of *words* in inches."""
    from matplotlib.textpath import TextPath

    if not words.strip():
        return 0.0
    return float(TextPath((0, 0), words, prop=font).get_extents().width) / 72


def _wrap(words: str, font: Any, width: float, lines: int) -> list[str]:
    """Break *words* into at most *lines* lines of *width* inches; the last ends in … when cut."""
    out: list[str] = []
    rest = [w for w in words.split(" ") if w]
    while rest:
        line = rest.pop(0)
        while rest and _width(f"{line} {rest[0]}", font) <= width:
            line += f" {rest.pop(0)}"
        out.append(line)
        if len(out) == lines and rest:
            out[-1] = f"{line} …"
            break
    for i, line in enumerate(out):
        if _width(line, font) > width:
            while len(line) > 2 and _width(f"{line}…", font) > width:
                line = line[:-1]  # noqa: PLW2901
            out[i] = f"{line}…"
    return out or [""]


def _text(axes: Any, x: float, y: float, words: str, font: Any, **more: Any) -> None:
    """Write *words* literally: a dollar sign is a dollar sign."""
    axes.text(x, y, words, fontproperties=font, parse_math=False, **more)


def _stamp(axes: Any, height: float, mark: str) -> None:
    if mark:
        _text(
            axes, WIDTH_IN - 0.04, height - 0.05, mark, _font(7.5, 600), color="#9b1c1c", ha="right", va="bottom"
        )  # fmt: skip


# --------------------------------------------------------------------------- bars


def _bars(spec: Mapping[str, Any]) -> Any:
    """Nested horizontal bars: each bar's levels from the widest (light) to the narrowest (dark)."""
    bars: Sequence[Mapping[str, Any]] = spec["bars"]
    series: Sequence[str] = spec["series"]
    inks = LEVEL_INKS[-len(series) :] if len(series) > 1 else LEVEL_INKS[2:3]
    hatches = LEVEL_HATCHES[: len(series)] if len(series) > 1 else ("",)
    legend = len(series) > 1
    name_font, value_font, small = _font(9), _font(9, 600), _font(8)
    longest = max(_width(b["label"], name_font) for b in bars) + 0.15
    left = min(2.3, longest)
    pitch, top = (0.27 if longest <= left else 0.38), 0.1
    legend_height = 0.0
    if legend:
        legend_height = 0.22 * ((len(series) + 1) // 2) + 0.1
    height = top + legend_height + pitch * len(bars) + 0.32 + (0.14 if spec.get("mark") else 0)
    figure, axes = _canvas(height)
    right = WIDTH_IN - max(_width(b["text"], value_font) for b in bars) - 0.12
    widest = max((s or 0) for b in bars for s in b["shares"])
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25) if widest / s <= 5 or s == 0.25)
    limit = min(1.0, step * -(-widest // step)) or step
    scale = (right - left) / limit
    y0 = top + legend_height
    bottom = y0 + pitch * len(bars)
    tick = 0.0
    while tick <= limit + 1e-9:
        x = left + tick * scale
        axes.plot([x, x], [y0, bottom], color=FAINT, linewidth=0.6, zorder=0)
        _text(axes, x, bottom + 0.06, text.share(tick, 0), small, color=MUTED, ha="center", va="top")
        tick += step
    from matplotlib.patches import Rectangle

    for i, bar in enumerate(bars):
        y = y0 + i * pitch
        for level, share in enumerate(bar["shares"]):
            if not share:
                continue
            axes.add_patch(
                Rectangle(
                    (left, y + pitch / 2 - 0.09), min(share, limit) * scale, 0.18, facecolor=inks[level],
                    edgecolor="white" if hatches[level] else "none", hatch=hatches[level], linewidth=0,
                )
            )  # fmt: skip
        label = _wrap(bar["label"], name_font, left - 0.12, 2)
        _lines(axes, left - 0.08, y + pitch / 2, label, name_font, "right")
        _text(axes, WIDTH_IN - 0.04, y + pitch / 2, bar["text"], value_font, color=INK, ha="right", va="center_baseline")
    axes.plot([left, left], [y0, bottom], color=MUTED, linewidth=0.8)
    if legend:
        for level, name in enumerate(series):
            x = 0.06 + (level % 2) * WIDTH_IN * 0.42
            y = top + (level // 2) * 0.22
            axes.add_patch(
                Rectangle((x, y), 0.22, 0.12, facecolor=inks[level], edgecolor="white" if hatches[level] else "none",
                          hatch=hatches[level], linewidth=0)
            )  # fmt: skip
            _text(axes, x + 0.3, y + 0.06, name, _font(8.5), color=INK, va="center_baseline")
    _stamp(axes, height, spec.get("mark", ""))
    return figure


# --------------------------------------------------------------------------- dots


def _dots(spec: Mapping[str, Any]) -> Any:
    """One point for each cluster on a 0–100 % line; shape and colour by commodity."""
    points: Sequence[Mapping[str, Any]] = spec["points"]
    name_font, value_font, small = _font(9), _font(8.5), _font(8)
    codes = list(dict.fromkeys(p["product"] for p in points))
    names = {p["product"]: p["product_label"] for p in points}
    style = {c: i for i, c in enumerate(codes)}
    left, right = 2.35, 4.15
    pitch = 0.36
    legend_rows = _flow_legend([names[c] for c in codes])
    top = 0.08 + 0.22 * legend_rows[-1][1] + 0.26
    height = top + pitch * len(points) + 0.32 + (0.14 if spec.get("mark") else 0)
    figure, axes = _canvas(height)
    for code, (x, row) in zip(codes, legend_rows, strict=True):
        ink, marker = _style(style[code])
        axes.plot([x + 0.08], [0.14 + 0.22 * row], marker=marker, color=ink, markersize=7,
                  markeredgecolor=INK, markeredgewidth=0.6, linestyle="none")  # fmt: skip
        _text(axes, x + 0.2, 0.14 + 0.22 * row, names[code], _font(8.5), color=INK, va="center_baseline")
    bottom = top + pitch * len(points)
    for tick in (0, 0.25, 0.5, 0.75, 1.0):
        x = left + tick * (right - left)
        axes.plot([x, x], [top, bottom], color=FAINT, linewidth=0.6, zorder=0)
        _text(axes, x, bottom + 0.06, text.share(tick, 0), small, color=MUTED, ha="center", va="top")
    for i, p in enumerate(points):
        y = top + (i + 0.5) * pitch
        x = left + p["share"] * (right - left)
        ink, marker = _style(style[p["product"]])
        axes.plot([left, x], [y, y], color=OTHER, linewidth=1.2, zorder=1)
        axes.plot([x], [y], marker=marker, color=ink, markersize=7.5, markeredgecolor=INK,
                  markeredgewidth=0.6, linestyle="none", zorder=2)  # fmt: skip
        _lines(axes, left - 0.1, y, _wrap(p["label"], name_font, left - 0.16, 2), name_font, "right")
        _lines(axes, right + 0.14, y, _wrap(p["text"], value_font, WIDTH_IN - right - 0.2, 2), value_font, "left")
    _stamp(axes, height, spec.get("mark", ""))
    return figure


def _style(index: int) -> tuple[str, str]:
    if index < len(OKABE_ITO):
        return OKABE_ITO[index], MARKERS[index]
    return OTHER, MARKERS[index % len(MARKERS)]


def _lines(axes: Any, x: float, y: float, lines: Sequence[str], font: Any, align: str, color: str = INK) -> None:
    step = font.get_size_in_points() / 72 * 1.2
    for i, line in enumerate(lines):
        _text(axes, x, y + (i - (len(lines) - 1) / 2) * step, line, font, color=color, ha=align, va="center_baseline")


def _flow_legend(names: Sequence[str]) -> list[tuple[float, int]]:
    """Return (x, row) of each legend entry, wrapping at the picture's width."""
    font, places = _font(8.5), []
    x, row = 0.06, 0
    for name in names:
        need = 0.36 + _width(name, font) + 0.18
        if x > 0.06 and x + need > WIDTH_IN:
            x, row = 0.06, row + 1
        places.append((x, row))
        x += need
    return places


# --------------------------------------------------------------------------- chain


@dataclass
class _Slot:
    """A share of a column's height: a node, or a flow passing through."""

    column: int
    size: float
    y: float = 0.0
    filled_in: float = 0.0
    filled_out: float = 0.0


def _chain(spec: Mapping[str, Any]) -> Any:
    """Flows by stage, left to right; loss and unknown are named nodes below, absent stages are dashed."""
    from matplotlib.patches import FancyBboxPatch, Rectangle

    stages: Sequence[Mapping[str, Any]] = spec["stages"]
    ends: Mapping[str, str] = spec["ends"]
    column = {s["id"]: i for i, s in enumerate(stages)}
    last = len(stages) - 1
    codes = [p["code"] for p in spec["products"]]
    names = {p["code"]: p["label"] for p in spec["products"]}
    named = codes[: len(OKABE_ITO)]
    shown = {c: i for i, c in enumerate(named)}

    def place(end: str, source: bool) -> tuple[str, int]:
        if end in column:
            return end, column[end]
        return (f"{end}-in", 0) if source else (end, last)

    flows, back = [], 0.0
    for f in spec["flows"]:
        if not f["amount"]:
            continue
        a, ca = place(f["from"], True)
        b, cb = place(f["to"], False)
        if b in ends and ca == last and a != b:
            cb = last + 1
        if cb <= ca:
            back += f["amount"]
            continue
        flows.append((a, ca, b, cb, f["product"], float(f["amount"])))
    n_columns = max([last, *(f[3] for f in flows)]) + 1
    rank = {c: i for i, c in enumerate(codes)}
    flows.sort(key=lambda f: (f[1], f[3], rank.get(f[4], 99), f[0], f[2]))

    sizes: dict[str, list[float]] = {}
    at: dict[str, int] = {}
    for a, ca, b, cb, _, amount in flows:
        sizes.setdefault(a, [0.0, 0.0])[1] += amount
        sizes.setdefault(b, [0.0, 0.0])[0] += amount
        at[a], at[b] = ca, cb
    nodes = {name: _Slot(at[name], max(size)) for name, size in sizes.items()}
    passing: dict[tuple[int, int], _Slot] = {}
    for i, (_, ca, _, cb, _, amount) in enumerate(flows):
        for c in range(ca + 1, cb):
            passing[(i, c)] = _Slot(c, amount)

    legend = _flow_legend([names[c] for c in named] + (["Sản phẩm khác"] if len(codes) > len(named) else []))
    legend_height = 0.06 + 0.22 * (legend[-1][1] + 1) if len(codes) > 1 else 0.0
    head = 0.74
    body = 1.75 if len(nodes) > 3 else 1.3
    foot = 0.1 + (0.2 if spec.get("mark") else 0.0) + (0.2 if back else 0.0)
    top = legend_height + head
    label_font, small, strong = _font(8.5, 600), _font(8), _font(8.5)

    gap = 0.24
    node_width = 0.16
    margin = 0.1
    pitch = (WIDTH_IN - 2 * margin - node_width) / max(1, n_columns - 1)
    xs = [margin + i * pitch for i in range(n_columns)]

    columns: list[list[tuple[str, _Slot]]] = [[] for _ in range(n_columns)]
    for s in stages:
        if s["id"] in nodes:
            columns[column[s["id"]]].append(("node", nodes[s["id"]]))
    for (i, c), slot in sorted(passing.items(), key=lambda kv: (kv[0][1], kv[0][0])):
        columns[c].append(("pass", slot))
        del i
    for end in (*ends, *(f"{e}-in" for e in ends)):
        if end in nodes:
            columns[nodes[end].column].append(("node", nodes[end]))
    unit = math.inf
    for slots in columns:
        kinds = [kind for kind, _ in slots]
        gaps = sum(not (a == b == "pass") for a, b in itertools.pairwise(kinds))
        load = math.fsum(slot.size for _, slot in slots)
        if load:
            unit = min(unit, max(0.4, body - gap * gaps) / load)
    lowest = top + 0.5
    for slots in columns:
        y, previous = top, ""
        for kind, slot in slots:
            if previous and not (kind == previous == "pass"):
                y += gap
            slot.y = y
            y += max(slot.size * unit, 0.02)
            previous = kind
        lowest = max(lowest, y)
    height = lowest + foot
    figure, axes = _canvas(height)

    if len(codes) > 1:
        for i, (x, row) in enumerate(legend):
            ink = OKABE_ITO[i] if i < len(named) else OTHER
            hatch = HATCHES[i] if i < len(named) else ""
            y = 0.06 + 0.22 * row
            axes.add_patch(Rectangle((x, y), 0.26, 0.13, facecolor=ink, alpha=0.62, edgecolor="white", hatch=hatch, linewidth=0))
            label = names[named[i]] if i < len(named) else "Sản phẩm khác"
            _text(axes, x + 0.32, y + 0.065, label, _font(8.5), color=INK, va="center_baseline")

    def amount_of(size: float) -> str:
        decimals = 0 if spec["unit"] == "liên kết" else 1
        return f"{text.number(size / spec['scale'], decimals)} {spec['unit']}"

    for i, s in enumerate(stages):
        x = xs[i] + node_width / 2
        align = "left" if i == 0 else "right" if i == last and n_columns == last + 1 else "center"
        x = xs[i] if align == "left" else xs[i] + node_width if align == "right" else x
        lines = _wrap(s["label"], label_font, pitch * 0.68, 3)
        absent = s["id"] not in nodes and not s["n"]
        for j, line in enumerate(lines):
            _text(axes, x, legend_height + 0.06 + j * 0.15, line, label_font, color=MUTED if absent else INK, ha=align, va="top")
        count = f"{text.number(s['n'])} tổ chức" if s["n"] else "chưa có" if absent else ""
        under = [count, amount_of(nodes[s["id"]].size)] if s["id"] in nodes else [count]
        for j, line in enumerate(under, start=len(lines)):
            _text(axes, x, legend_height + 0.06 + j * 0.15, line, small, color=MUTED, ha=align, va="top")
        if s["id"] not in nodes:
            axes.add_patch(
                FancyBboxPatch((xs[i], top), node_width, 0.4, boxstyle="round,pad=0,rounding_size=0.03",
                               facecolor="white" if absent else PALE, edgecolor=OTHER, linewidth=0.9,
                               linestyle=(0, (3, 2)))
            )  # fmt: skip

    chains = [
        [nodes[a], *(passing[(i, c)] for c in range(ca + 1, cb)), nodes[b]]
        for i, (a, ca, b, cb, _, _) in enumerate(flows)
    ]
    leaves, lands = [0.0] * len(flows), [0.0] * len(flows)
    for i in sorted(range(len(flows)), key=lambda i: (chains[i][1].y, i)):
        leaves[i] = chains[i][0].y + chains[i][0].filled_out
        chains[i][0].filled_out += flows[i][5] * unit
    for i in sorted(range(len(flows)), key=lambda i: (chains[i][-2].y, leaves[i], i)):
        lands[i] = chains[i][-1].y + chains[i][-1].filled_in
        chains[i][-1].filled_in += flows[i][5] * unit
    for i, (a, ca, b, _, product, amount) in enumerate(flows):
        lost = b in ends or a.removesuffix("-in") in ends
        known = product in shown and not lost
        ink = OKABE_ITO[shown[product]] if known else OTHER
        hatch = HATCHES[shown[product]] if known else ""
        y_from, thick = leaves[i], amount * unit
        for step, slot in enumerate(chains[i][1:], start=1):
            final = step == len(chains[i]) - 1
            y_to = lands[i] if final else slot.y
            x_to = xs[ca + step] if final else xs[ca + step] + node_width
            _ribbon(axes, xs[ca + step - 1] + node_width, y_from, xs[ca + step], y_to, thick, ink=ink, hatch=hatch)
            if not final:
                axes.add_patch(
                    Rectangle((xs[ca + step], y_to), x_to - xs[ca + step], thick, facecolor=ink, alpha=0.62,
                              edgecolor="white", hatch=hatch, linewidth=0)
                )  # fmt: skip
            y_from = y_to

    for name, slot in sorted(nodes.items()):
        x, tall = xs[slot.column], max(slot.size * unit, 0.02)
        is_end = name not in column
        axes.add_patch(Rectangle((x, slot.y), node_width, tall, facecolor=OTHER if is_end else INK, edgecolor="none", zorder=3))
        if is_end:
            to_left = slot.column == n_columns - 1
            words = f"{ends[name.removesuffix('-in')]}\n{amount_of(slot.size)}"
            _text(
                axes, x + (-0.07 if to_left else node_width + 0.07), slot.y + tall / 2, words, strong, color=INK,
                ha="right" if to_left else "left", va="center", zorder=5, linespacing=1.15, multialignment="right" if to_left else "left",
                bbox={"facecolor": "white", "alpha": 0.82, "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip
    if back:
        note = f"Không vẽ: {text.number(back / spec['scale'], 1)} {spec['unit']} trong cùng công đoạn hoặc đi ngược chuỗi"
        _text(axes, 0.06, height - 0.22 - (0.14 if spec.get("mark") else 0), note, small, color=MUTED, va="bottom")
    _stamp(axes, height, spec.get("mark", ""))
    return figure


def _ribbon(axes: Any, x0: float, y0: float, x1: float, y1: float, thick: float, *, ink: str, hatch: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    mid = (x0 + x1) / 2
    points = [
        (x0, y0), (mid, y0), (mid, y1), (x1, y1), (x1, y1 + thick), (mid, y1 + thick), (mid, y0 + thick),
        (x0, y0 + thick), (x0, y0),
    ]  # fmt: skip
    codes = [Outline.MOVETO, *[Outline.CURVE4] * 3, Outline.LINETO, *[Outline.CURVE4] * 3, Outline.CLOSEPOLY]
    axes.add_patch(PathPatch(Outline(points, codes), facecolor=ink, alpha=0.62, edgecolor="white", hatch=hatch, linewidth=0, zorder=1))


# --------------------------------------------------------------------------- out

KINDS: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {"bars": _bars, "dots": _dots, "chain": _chain}


def render(spec: Mapping[str, Any]) -> Picture:
    """Draw one description.

    Parameters
    ----------
    spec:
        ``kind`` (bars, dots, chain) and what that kind needs, all of it plain JSON values.

    Returns
    -------
    Picture
        SVG with text kept as text in the shipped font, and PNG at 200 dots an inch.

    Examples
    --------
    >>> bar = {"label": "Huyện A", "shares": [0.5], "text": "50,0%"}
    >>> render({"kind": "bars", "bars": [bar], "series": ["Tỷ lệ"]}).svg[:5]
    b'<?xml'
    """
    import matplotlib as mpl

    with mpl.rc_context(
        {
            "svg.hashsalt": "htx", "svg.fonttype": "none", "path.simplify": False, "hatch.linewidth": 0.7,
            "text.usetex": False, "axes.unicode_minus": True,
        }
    ):  # fmt: skip
        figure = KINDS[spec["kind"]](spec)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=200, metadata={"Software": None})
    return Picture(svg.getvalue(), png.getvalue())


def render_all(
    specs: Mapping[str, Mapping[str, Any]],
    *,
    cache_dir: Path | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Picture]:
    """Draw many descriptions, each content once; drawings found in *cache_dir* are not redrawn.

    Parameters
    ----------
    specs:
        Figure id → description.
    cache_dir:
        Folder of drawings by content key; a temporary one when None.
    workers:
        Processes; only used for a dozen drawings or more. The bytes do not depend on it.
    progress:
        Called with (drawn, to draw).
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = cache_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        keys = {name: picture_key(spec) for name, spec in specs.items()}
        wanted = {keys[n]: specs[n] for n in sorted(specs)}
        todo = [k for k in sorted(wanted) if not _cached(folder, k)]
        if len(todo) >= 12 and workers > 1:
            _in_processes({k: wanted[k] for k in todo}, folder, workers)
            if progress:
                progress(len(todo), len(todo))
        else:
            for done, key in enumerate(todo, start=1):
                _store(folder, key, render(wanted[key]))
                if progress:
                    progress(done, len(todo))
        drawn = {k: _load(folder, k) for k in wanted}
    return {name: drawn[key] for name, key in keys.items()}


def _cached(folder: Path, key: str) -> bool:
    return (folder / f"{key}.svg").exists() and (folder / f"{key}.png").exists()


def _load(folder: Path, key: str) -> Picture:
    return Picture((folder / f"{key}.svg").read_bytes(), (folder / f"{key}.png").read_bytes())


def _store(folder: Path, key: str, picture: Picture) -> None:
    for suffix, data in (("svg", picture.svg), ("png", picture.png)):
        handle, name = tempfile.mkstemp(dir=folder, prefix=".drawing-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(folder / f"{key}.{suffix}")


def _in_processes(specs: Mapping[str, Mapping[str, Any]], folder: Path, workers: int) -> None:
    """Draw in fresh interpreters: no fork after threads, no re-import of the caller's main module."""
    keys = sorted(specs)
    running = []
    for i in range(min(workers, len(keys))):
        work = json.dumps({k: specs[k] for k in keys[i::workers]}, ensure_ascii=False)
        process = subprocess.Popen(
            [sys.executable, "-m", "htx_pipeline.report.figures", str(folder)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        running.append((process, work.encode()))
    for process, work in running:
        if process.stdin:
            process.stdin.write(work)
            process.stdin.close()
            process.stdin = None
    for process, _ in running:
        _, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"a drawing process failed:\n{errors.decode(errors='replace')}")


def main() -> None:
    """Draw the descriptions on standard input (key → description) into the folder named first."""
    folder = Path(sys.argv[1])
    for key, spec in json.load(sys.stdin.buffer).items():
        _store(folder, key, render(spec))


if __name__ == "__main__":
    main()
