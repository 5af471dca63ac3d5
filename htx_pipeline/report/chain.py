"""The chain by stage: a layered flow picture.

What belongs here: placing stages, flows that skip stages, losses and unknown ends, and inking them.
What does not: which flows there are (`htx_pipeline.metrics.chain`), numbers and words (`model`).

Stages stand in columns from left to right. A flow that skips a stage is led past it in a lane of its
own; what is lost or unknown ends in a named grey node below the last column (or begins in one below
the first). A stage nobody fills is a dashed box. What flows within one stage or backward is not drawn
but stated under the picture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.drawing import (
    HATCHES,
    INK,
    MUTED,
    OKABE_ITO,
    OTHER,
    PALE,
    WIDTH_IN,
    canvas,
    font_of,
    legend_places,
    stamp,
    wrap,
    write,
)

GAP: Final = 0.24
NODE_WIDTH: Final = 0.16
MARGIN: Final = 0.1
HEAD: Final = 0.74
LEAST: Final = 0.02
BOX: Final = 0.4


@dataclass
class _Slot:
    """A share of a column's height: a node, or the lane of a flow passing through."""

    column: int
    size: float
    is_node: bool
    y: float = 0.0
    filled_in: float = 0.0
    filled_out: float = 0.0


@dataclass(frozen=True)
class _Flow:
    source: str
    first: int
    target: str
    last: int
    product: str
    amount: float


@dataclass
class _Layout:
    """Where everything stands, in inches from the top left corner."""

    flows: list[_Flow]
    nodes: dict[str, _Slot]
    lanes: dict[tuple[int, int], _Slot]
    n_columns: int
    undrawn: float
    unit: float = 1.0
    bottom: float = 0.0
    xs: list[float] = field(default_factory=list)
    pitch: float = 1.0

    def path(self, i: int) -> list[_Slot]:
        """Return the slots that flow *i* goes through."""
        f = self.flows[i]
        lanes = [self.lanes[i, c] for c in range(f.first + 1, f.last)]
        return [self.nodes[f.source], *lanes, self.nodes[f.target]]


def draw_chain(spec: Mapping[str, Any]) -> Any:
    """Draw the flows of one scope by stage.

    ``spec``: ``stages`` (id, label, n; ``why`` a stage without organisations is there all the same), ``ends`` (id → label), ``products`` (code, label; largest
    first), ``flows`` (from, to, product, amount), ``scale`` and ``unit`` of amounts, ``mark``.
    """
    products = [(p["code"], p["label"]) for p in spec["products"]]
    legend = _legend(products)
    legend_height = 0.06 + 0.22 * (legend[-1][3] + 1) if len(products) > 1 else 0.0
    layout = _connect(spec)
    top = legend_height + HEAD
    _stand(layout, spec, top=top, body=1.75 if len(layout.nodes) > 3 else 1.3)
    foot = 0.1 + (0.2 if spec.get("mark") else 0.0) + (0.2 if layout.undrawn else 0.0)
    figure, axes = canvas(layout.bottom + foot)
    if len(products) > 1:
        _draw_legend(axes, legend)
    _draw_heads(axes, layout, spec, top=top, legend_height=legend_height)
    _draw_flows(
        axes,
        layout,
        {code: i for i, (code, _) in enumerate(products[: len(OKABE_ITO)])},
        set(spec["ends"]),
    )
    _draw_nodes(axes, layout, spec)
    if layout.undrawn:
        note = f"Không vẽ: {_amount(layout.undrawn, spec)} trong cùng công đoạn hoặc đi ngược chuỗi"
        y = layout.bottom + foot - 0.22 - (0.14 if spec.get("mark") else 0)
        write(axes, 0.06, y, note, font_of(8), color=MUTED, va="bottom")
    stamp(axes, layout.bottom + foot, spec.get("mark", ""))
    return figure


def _amount(size: float, spec: Mapping[str, Any]) -> str:
    decimals = 0 if spec["unit"] == "liên kết" else 1
    return f"{text.number(size / spec['scale'], decimals)} {spec['unit']}"


def _connect(spec: Mapping[str, Any]) -> _Layout:
    """Turn flows between stages into nodes, lanes and flows between columns."""
    column = {s["id"]: i for i, s in enumerate(spec["stages"])}
    last = len(column) - 1
    rank = {p["code"]: i for i, p in enumerate(spec["products"])}
    sums: dict[tuple[str, int, str, int, str], float] = {}
    undrawn = 0.0
    for f in spec["flows"]:
        if not f["amount"]:
            continue
        source = f["from"] if f["from"] in column else f"{f['from']}-in"
        first, final = column.get(source, 0), column.get(f["to"], last)
        if f["to"] not in column and first == last:
            final = last + 1
        if source not in column and final == 0:
            first = -1
        if final <= first or (first, final) == (-1, 0):
            undrawn += f["amount"]
            continue
        is_stage_to_stage = f["from"] in column and f["to"] in column
        key = (source, first, f["to"], final, f["product"] if is_stage_to_stage else "")
        sums[key] = sums.get(key, 0.0) + float(f["amount"])
    flows = [_Flow(*key, amount) for key, amount in sums.items()]
    # What is lost or unknown goes below what is known, in one band for all products.
    flows.sort(
        key=lambda f: (not f.product, f.first, f.last, rank.get(f.product, 99), f.source, f.target)
    )
    into: dict[str, float] = {}
    out: dict[str, float] = {}
    at: dict[str, int] = {}
    for f in flows:
        out[f.source] = out.get(f.source, 0.0) + f.amount
        into[f.target] = into.get(f.target, 0.0) + f.amount
        at[f.source], at[f.target] = f.first, f.last
    nodes = {n: _Slot(at[n], max(into.get(n, 0.0), out.get(n, 0.0)), True) for n in at}
    lanes = {
        (i, c): _Slot(c, f.amount, False)
        for i, f in enumerate(flows)
        for c in range(f.first + 1, f.last)
    }
    return _Layout(flows, nodes, lanes, max([last, *(f.last for f in flows)]) + 1, undrawn)


def _stand(layout: _Layout, spec: Mapping[str, Any], *, top: float, body: float) -> None:
    """Give every slot its place; one scale for all columns."""
    ends = [*spec["ends"], *(f"{e}-in" for e in spec["ends"])]
    columns: list[list[_Slot]] = [[] for _ in range(layout.n_columns)]
    for s in spec["stages"]:
        if s["id"] in layout.nodes:
            columns[layout.nodes[s["id"]].column].append(layout.nodes[s["id"]])
    for _, slot in sorted(layout.lanes.items(), key=lambda item: (item[0][1], item[0][0])):
        columns[slot.column].append(slot)
    for name in ends:
        if name in layout.nodes:
            columns[layout.nodes[name].column].append(layout.nodes[name])
    # A box for an absent stage takes the head of its column; lanes pass below it.
    filled = {i for i, s in enumerate(spec["stages"]) if s["id"] in layout.nodes}
    heads = [0.0 if c in filled or not slots else BOX + GAP / 2 for c, slots in enumerate(columns)]
    unit = math.inf
    for slots, head in zip(columns, heads, strict=True):
        gaps = sum(a.is_node or b.is_node for a, b in itertools.pairwise(slots))
        load = math.fsum(slot.size for slot in slots)
        if load:
            unit = min(unit, max(0.4, body - GAP * gaps - head) / load)
    layout.unit = 1.0 if math.isinf(unit) else unit
    layout.bottom = top + 0.5
    for slots, head in zip(columns, heads, strict=True):
        y = top + head
        for i, slot in enumerate(slots):
            if i and (slot.is_node or slots[i - 1].is_node):
                y += GAP
            slot.y = y
            y += max(slot.size * layout.unit, LEAST)
        layout.bottom = max(layout.bottom, y)
    layout.pitch = (WIDTH_IN - 2 * MARGIN - NODE_WIDTH) / max(1, layout.n_columns - 1)
    layout.xs = [MARGIN + i * layout.pitch for i in range(layout.n_columns)]


def _legend(products: Sequence[tuple[str, str]]) -> list[tuple[str, int, float, int]]:
    """Return (label, style, x, row) of each legend entry; styles past the palette share one."""
    names = [label for _, label in products[: len(OKABE_ITO)]]
    if len(products) > len(OKABE_ITO):
        names.append("Sản phẩm khác")
    return [
        (name, i, *place)
        for i, (name, place) in enumerate(zip(names, legend_places(names), strict=True))
    ]


def _ink(style: int | None) -> tuple[str, str]:
    if style is None or style >= len(OKABE_ITO):
        return OTHER, ""
    return OKABE_ITO[style], HATCHES[style]


def _draw_legend(axes: Any, legend: Sequence[tuple[str, int, float, int]]) -> None:
    for name, style, x, row in legend:
        y = 0.06 + 0.22 * row
        _fill(axes, (x, y, 0.26, 0.13), _ink(style))
        write(axes, x + 0.32, y + 0.065, name, font_of(8.5), color=INK, va="center_baseline")


def _fill(axes: Any, box: tuple[float, float, float, float], ink: tuple[str, str]) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    axes.add_patch(
        Rectangle((x, y), width, height, facecolor=ink[0], alpha=0.62, edgecolor="white", hatch=ink[1], linewidth=0)
    )  # fmt: skip


def _draw_heads(
    axes: Any, layout: _Layout, spec: Mapping[str, Any], *, top: float, legend_height: float
) -> None:
    """Write each stage's name, organisations and amount above its column; box the empty ones."""
    from matplotlib.patches import FancyBboxPatch

    strong, small = font_of(8.5, 600), font_of(8)
    last = len(spec["stages"]) - 1
    for i, s in enumerate(spec["stages"]):
        if i == 0:
            x, align = layout.xs[i], "left"
        elif i == last and layout.n_columns == last + 1:
            x, align = layout.xs[i] + NODE_WIDTH, "right"
        else:
            x, align = layout.xs[i] + NODE_WIDTH / 2, "center"
        node = layout.nodes.get(s["id"])
        is_absent = node is None and not s["n"] and not s.get("why")
        lines = wrap(s["label"], strong, layout.pitch * 0.68, 3)
        under = [f"{text.number(s['n'])} tổ chức" if s["n"] else s.get("why") or "chưa có"]
        if node:
            under.append(_amount(node.size, spec))
        for j, words in enumerate((*lines, *under)):
            is_name = j < len(lines)
            write(
                axes, x, legend_height + 0.06 + j * 0.15, words, strong if is_name else small,
                color=INK if is_name and not is_absent else MUTED, ha=align, va="top",
            )  # fmt: skip
        if node is None:
            axes.add_patch(
                FancyBboxPatch(
                    (layout.xs[i], top), NODE_WIDTH, BOX, boxstyle="round,pad=0,rounding_size=0.03",
                    facecolor="white" if is_absent else PALE, edgecolor=OTHER, linewidth=0.9, linestyle=(0, (3, 2)),
                )
            )  # fmt: skip


def _draw_flows(axes: Any, layout: _Layout, styles: Mapping[str, int], ends: set[str]) -> None:
    """Ink the ribbons; at each node they leave and land in the order of their other ends."""
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
        is_lost = flow.target in ends or flow.source.removesuffix("-in") in ends
        ink = _ink(None if is_lost else styles.get(flow.product))
        thick = flow.amount * layout.unit
        x, y = layout.xs[flow.first] + NODE_WIDTH, leaves[i]
        for slot in paths[i][1:-1]:
            lane = layout.xs[slot.column]
            _ribbon(axes, (x, y), (lane, slot.y), thick, ink)
            _fill(axes, (lane, slot.y, NODE_WIDTH, thick), ink)
            x, y = lane + NODE_WIDTH, slot.y
        _ribbon(axes, (x, y), (layout.xs[flow.last], lands[i]), thick, ink)


def _draw_nodes(axes: Any, layout: _Layout, spec: Mapping[str, Any]) -> None:
    from matplotlib.patches import Rectangle

    stages = {s["id"] for s in spec["stages"]}
    for name, slot in sorted(layout.nodes.items()):
        x, tall = layout.xs[slot.column], max(slot.size * layout.unit, LEAST)
        is_end = name not in stages
        axes.add_patch(
            Rectangle((x, slot.y), NODE_WIDTH, tall, facecolor=OTHER if is_end else INK, edgecolor="none", zorder=3)
        )  # fmt: skip
        if not is_end:
            continue
        on_right = slot.column == layout.n_columns - 1
        words = f"{spec['ends'][name.removesuffix('-in')]}\n{_amount(slot.size, spec)}"
        write(
            axes, x - 0.07 if on_right else x + NODE_WIDTH + 0.07, slot.y + tall / 2, words, font_of(8.5),
            color=INK, ha="right" if on_right else "left", va="center", zorder=5, linespacing=1.15,
            multialignment="right" if on_right else "left",
            bbox={"facecolor": "white", "alpha": 0.82, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _ribbon(
    axes: Any,
    start: tuple[float, float],
    end: tuple[float, float],
    thick: float,
    ink: tuple[str, str],
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = start, end
    mid = (x0 + x1) / 2
    points = [
        (x0, y0), (mid, y0), (mid, y1), (x1, y1), (x1, y1 + thick), (mid, y1 + thick), (mid, y0 + thick),
        (x0, y0 + thick), (x0, y0),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(
        PathPatch(Path(points, codes), facecolor=ink[0], alpha=0.62, edgecolor="white", hatch=ink[1], linewidth=0, zorder=1)
    )  # fmt: skip
