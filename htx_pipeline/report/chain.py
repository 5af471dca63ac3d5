"""The chain by stage: a layered flow picture.

What belongs here: inking stages, flows that skip stages, losses and unknown ends. What does not: where they
stand (`chain_layout`), which flows there are (`htx_pipeline.metrics.chain`), numbers and words (`model`).

Stages stand in columns from left to right. A flow that skips a stage is led past it in a lane of its
own; what is lost or unknown ends in a named grey node below the last column (or begins in one below
the first). In each band what is executed is solid and comes first; what is signed and not executed is
pale and hatched; both keep their width from node to node. A stage nobody fills is a dashed box. What
flows within one stage or backward is not drawn but stated under the picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from htx_pipeline.report.chain_layout import (
    BOX,
    LEAST,
    LINE,
    NODE_WIDTH,
    Flow,
    Layout,
    amount_of,
    connect,
    heads_of,
    stand,
)
from htx_pipeline.report.drawing import (
    INK,
    MUTED,
    OKABE_ITO,
    OTHER,
    PALE,
    WIDTH_IN,
    Board,
    add_group,
    canvas,
    font_of,
    legend_places,
    put,
    stamp,
    width_of,
    wrap,
    write,
    write_lines,
)
from htx_pipeline.report.lettering import Align

HATCH: Final = "//////"
"""What is signed and not executed."""


def draw_chain(spec: Mapping[str, Any]) -> Board:
    """Draw the flows of one scope by stage.

    ``spec``: ``stages`` (id, label, n; ``why`` a stage without organisations is there all the same),
    ``ends`` (id → label), ``products`` (code, label; largest first), ``flows`` (from, to, product,
    amount, executed: null where not known), ``scale``, ``unit`` and ``decimals`` of amounts, ``words``,
    ``lang``, ``mark``.
    """
    products = [(p["code"], p["label"]) for p in spec["products"]]
    layout = connect(spec)
    keys = _keys(layout, products, spec)
    legend_height = 0.06 + 0.22 * (keys[-1].row + 1) if keys else 0.0
    heads = heads_of(layout, spec)
    top = legend_height + 0.14 + LINE * max(len(names) + len(under) for names, under in heads)
    stand(layout, spec, top=top, body=1.75 if len(layout.nodes) > 3 else 1.3)
    foot = 0.1 + (0.2 if spec.get("mark") or layout.undrawn else 0.0)
    notes = _undrawn(layout, spec)
    foot += 0.17 * (len(notes) - 1) if notes else 0.0
    axes = canvas(layout.bottom + foot)
    for key in keys:
        _fill(axes, (key.x, 0.06 + 0.22 * key.row, 0.26, 0.13), key.ink)
        y = 0.06 + 0.22 * key.row + 0.065
        write(axes, key.x + 0.32, y, key.words, font_of(9), color=INK, va="center_baseline")
    _draw_heads(axes, layout, spec, heads, top=top, legend_height=legend_height)
    styles = {code: i for i, (code, _) in enumerate(products[: len(OKABE_ITO)])}
    _draw_flows(axes, layout, styles, spec)
    _draw_nodes(axes, layout, spec)
    for i, note in enumerate(reversed(notes)):
        y = layout.bottom + foot - 0.05 - 0.17 * i
        write(axes, 0.06, y, note, font_of(9), color=MUTED, va="bottom")
    stamp(axes, layout.bottom + foot, spec.get("mark", ""))
    return axes


def _undrawn(layout: Layout, spec: Mapping[str, Any]) -> list[str]:
    if not layout.undrawn:
        return []
    words = spec["words"]["undrawn"].format(amount=amount_of(layout.undrawn, spec))
    mark = width_of(spec["mark"], font_of(9, 600)) + 0.3 if spec.get("mark") else 0.0
    return wrap(words, font_of(9), WIDTH_IN - 0.1 - mark, 3)


@dataclass(frozen=True)
class _Ink:
    """How an area is filled."""

    color: str
    is_solid: bool = True


@dataclass(frozen=True)
class _Key:
    """One entry of the legend."""

    words: str
    ink: _Ink
    x: float
    row: int


def _ink(style: int | None, *, is_solid: bool = True) -> _Ink:
    if style is None or style >= len(OKABE_ITO):
        return _Ink(OTHER, is_solid)
    return _Ink(OKABE_ITO[style], is_solid)


def _keys(
    layout: Layout, products: Sequence[tuple[str, str]], spec: Mapping[str, Any]
) -> list[_Key]:
    """Return the legend: products where there are several, then what solid and pale mean.

    Products past the palette share one colour.
    """
    named: list[tuple[str, _Ink]] = []
    if len(products) > 1:
        named += [(label, _ink(i)) for i, (_, label) in enumerate(products[: len(OKABE_ITO)])]
    if len(products) > len(OKABE_ITO):
        named.append((spec["words"]["other"], _ink(None)))
    first = [_Key(n, ink, *at) for (n, ink), at in zip(named, legend_places([n for n, _ in named]), strict=True)]  # fmt: skip
    meaning: list[tuple[str, _Ink]] = []
    if any(f.executed is not None for f in layout.flows):
        plain = _ink(0) if len(products) == 1 else _Ink(MUTED)
        meaning = [
            (spec["words"]["executed"], plain),
            (spec["words"]["not_executed"], _Ink(plain.color, is_solid=False)),
        ]
        if any(not f.product for f in layout.flows):
            meaning.append((spec["words"]["ends"], _Ink(PALE)))
    row = first[-1].row + 1 if first else 0
    places = legend_places([n for n, _ in meaning])
    return first + [
        _Key(n, ink, x, row + r) for (n, ink), (x, r) in zip(meaning, places, strict=True)
    ]


def _style(ink: _Ink) -> dict[str, Any]:
    if ink.color == PALE:
        return {"facecolor": "#d3d8de", "edgecolor": "none", "linewidth": 0}
    if ink.is_solid:
        return {"facecolor": ink.color, "edgecolor": "white", "linewidth": 0, "alpha": 0.78}
    # Not see-through: an SVG would make the lines of the hatching as pale as the ground.
    return {"facecolor": _pale(ink.color), "edgecolor": ink.color, "linewidth": 0, "hatch": HATCH}


def _pale(color: str) -> str:
    """Return a sixth of a colour on white.

    Examples
    --------
    >>> _pale("#000000"), _pale("#ffffff")
    ('#d5d5d5', '#ffffff')
    """
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{255 - (255 - part) // 6:02x}" for part in parts)


def _fill(axes: Any, box: tuple[float, float, float, float], ink: _Ink) -> None:
    put(axes, _box(box, ink))


def _box(box: tuple[float, float, float, float], ink: _Ink) -> Any:
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    return Rectangle((x, y), width, height, **_style(ink))


def _draw_heads(
    axes: Any,
    layout: Layout,
    spec: Mapping[str, Any],
    heads: Sequence[tuple[list[str], list[str]]],
    *,
    top: float,
    legend_height: float,
) -> None:
    """Write each stage's name, organisations and amount above its column; box the empty ones."""
    from matplotlib.patches import FancyBboxPatch

    last = len(spec["stages"]) - 1
    for i, (s, (lines, under)) in enumerate(zip(spec["stages"], heads, strict=True)):
        align: Align = "center"
        if i == 0:
            x, align = layout.xs[i], "left"
        elif i == last and layout.n_columns == last + 1:
            x, align = layout.xs[i] + NODE_WIDTH, "right"
        else:
            x = layout.xs[i] + NODE_WIDTH / 2
        node = layout.nodes.get(s["id"])
        is_absent = node is None and not s["n"] and not s.get("why")
        for j, line in enumerate((*lines, *under)):
            is_name = j < len(lines)
            write(
                axes, x, legend_height + 0.04 + j * LINE, line, font_of(9, 600 if is_name else 400),
                color=INK if is_name and not is_absent else MUTED, ha=align, va="top",
            )  # fmt: skip
        if node is None:
            put(axes, FancyBboxPatch(
                    (layout.xs[i], top), NODE_WIDTH, BOX, boxstyle="round,pad=0,rounding_size=0.03",
                    facecolor="white" if is_absent else PALE, edgecolor=OTHER, linewidth=0.9, linestyle=(0, (3, 2)),
                )
            )  # fmt: skip


def _draw_flows(
    axes: Any, layout: Layout, styles: Mapping[str, int], spec: Mapping[str, Any]
) -> None:
    """Ink the ribbons; at each node they leave and land in the order of their other ends."""
    names = {p["code"]: p["label"] for p in spec["products"]}
    paths = [layout.path(i) for i in range(len(layout.flows))]
    leaves, lands = [0.0] * len(paths), [0.0] * len(paths)
    for i in sorted(range(len(paths)), key=lambda i: (paths[i][1].y, i)):
        node = paths[i][0]
        leaves[i] = node.y + node.filled_out
        node.filled_out += layout.flows[i].amount * layout.unit
    for i in sorted(range(len(paths)), key=lambda i: (paths[i][-2].y, leaves[i], i)):
        node = paths[i][-1]
        lands[i] = node.y + node.filled_in
        node.filled_in += layout.flows[i].amount * layout.unit
    for i, flow in enumerate(layout.flows):
        is_lost = not flow.product
        thick = flow.amount * layout.unit
        solid = thick if flow.executed is None else min(thick, flow.executed * layout.unit)
        parts: list[Any] = []
        for start, height, is_solid in ((0.0, solid, True), (solid, thick - solid, False)):
            if height <= 0:
                continue
            ink = _Ink(PALE) if is_lost else _ink(styles.get(flow.product), is_solid=is_solid)
            stops = [(layout.xs[flow.first] + NODE_WIDTH, leaves[i] + start)]
            for slot in paths[i][1:-1]:
                lane = layout.xs[slot.column]
                stops += [(lane, slot.y + start), (lane + NODE_WIDTH, slot.y + start)]
            stops.append((layout.xs[flow.last], lands[i] + start))
            parts.append(_ribbon(stops, height, ink))
        add_group(axes, flow.gid, parts)
        if flow.product and len(spec["products"]) > 1:
            ys = [leaves[i], *(slot.y for slot in paths[i][1:-1]), lands[i]]
            _name_band(axes, layout, flow, ys, names[flow.product])


def _name_band(axes: Any, layout: Layout, flow: Flow, ys: Sequence[float], name: str) -> None:
    """Write the product on its band where a stretch of it is thick and level enough.

    With the order of the legend it tells products apart in grey.
    """
    name = name.split(" (", maxsplit=1)[0]
    thick, width = flow.amount * layout.unit, width_of(name, font_of(9)) + 0.12
    stretch = layout.pitch - NODE_WIDTH
    if thick < LINE + 0.02 or width > stretch:
        return
    part = width / stretch
    drift = part * part * (3 - 2 * part)
    for j, (before, after) in enumerate(itertools.pairwise(ys)):
        if thick - LINE >= 2 * abs(after - before) * drift:
            x = layout.xs[flow.first + j] + NODE_WIDTH + 0.06
            write(axes, x, before + thick / 2, name, font_of(9), va="center_baseline", ground=0.8)
            return


def _draw_nodes(axes: Any, layout: Layout, spec: Mapping[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    stages = {s["id"] for s in spec["stages"]}
    for name, slot in sorted(layout.nodes.items()):
        x, tall = layout.xs[slot.column], max(slot.size * layout.unit, LEAST)
        is_end = name not in stages
        put(axes, Rectangle((x, slot.y), NODE_WIDTH, tall, facecolor=OTHER if is_end else INK, edgecolor="none", zorder=3,
                      gid=f"node-{name}")
        )  # fmt: skip
        if not is_end:
            continue
        on_right = slot.column == layout.n_columns - 1
        lines = (spec["ends"][name.removesuffix("-in")], amount_of(slot.size, spec))
        at = (x - 0.07 if on_right else x + NODE_WIDTH + 0.07, slot.y + tall / 2)
        write_lines(axes, at, lines, font_of(9), "right" if on_right else "left", ground=0.82)


def _ribbon(stops: Sequence[tuple[float, float]], thick: float, ink: _Ink) -> Any:
    """Return a band under *stops*: curved from column to column, straight through a lane."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    below = [(x, y + thick) for x, y in reversed(stops)]
    points, codes = [stops[0]], [Path.MOVETO]
    for side in (stops, below):
        if side is below:
            points.append(below[0])
            codes.append(Path.LINETO)
        for i, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(side)):
            if i % 2:
                points.append((x1, y1))
                codes.append(Path.LINETO)
            else:
                mid = (x0 + x1) / 2
                points += [(mid, y0), (mid, y1), (x1, y1)]
                codes += [Path.CURVE4] * 3
    points.append(stops[0])
    codes.append(Path.CLOSEPOLY)
    return PathPatch(Path(points, codes), **_style(ink))
