"""Where everything of a chain picture stands, in inches: stages, lanes, flows, and the words above stages.

What belongs here: turning flows into columns, slots and lanes on one scale, breaking words to the room
there is. What does not: ink (`chain`), which flows there are (`htx_pipeline.metrics.chain`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.drawing import WIDTH_IN, font_of, width_of, wrap

GAP: Final = 0.24
NODE_WIDTH: Final = 0.16
MARGIN: Final = 0.1
LEAST: Final = 0.02
BOX: Final = 0.4
LINE: Final = 0.155
"""Height of a line of 9-point text."""
CLEAR: Final = 0.08
"""Least room between the words above two stages."""
MOST_LINES: Final = 6
"""Lines of one label above a stage."""


@dataclass
class Slot:
    """A share of a column's height: a node, or the lane of a flow passing through."""

    column: int
    size: float
    is_node: bool
    y: float = 0.0
    filled_in: float = 0.0
    filled_out: float = 0.0


@dataclass(frozen=True)
class Flow:
    source: str
    first: int
    target: str
    last: int
    product: str
    amount: float
    executed: float | None = None

    @property
    def gid(self) -> str:
        """Return the name of its element in the SVG."""
        return flow_gid(self.source.removesuffix("-in"), self.target, self.product)


def flow_gid(source: str, target: str, product: str) -> str:
    """Return the name of a band in the SVG; bands to or from an unknown end hold all products.

    Examples
    --------
    >>> flow_gid("production", "processing", "coffee"), flow_gid("processing", "loss", "")
    ('flow-production-processing-coffee', 'flow-processing-loss-all')
    """
    return f"flow-{source}-{target}-{product or 'all'}"


@dataclass
class Layout:
    """Where everything stands, in inches from the top left corner."""

    flows: list[Flow]
    nodes: dict[str, Slot]
    lanes: dict[tuple[int, int], Slot]
    n_columns: int
    undrawn: float
    unit: float = 1.0
    bottom: float = 0.0
    xs: list[float] = field(default_factory=list)
    pitch: float = 1.0

    def path(self, i: int) -> list[Slot]:
        """Return the slots that flow *i* goes through."""
        f = self.flows[i]
        lanes = [self.lanes[i, c] for c in range(f.first + 1, f.last)]
        return [self.nodes[f.source], *lanes, self.nodes[f.target]]


def amount_of(size: float, spec: Mapping[str, Any]) -> str:
    return (
        f"{text.number(size / spec['scale'], spec['decimals'], lang=spec['lang'])} {spec['unit']}"
    )


def connect(spec: Mapping[str, Any]) -> Layout:
    """Turn flows between stages into nodes, lanes and flows between columns."""
    column = {s["id"]: i for i, s in enumerate(spec["stages"])}
    last = len(column) - 1
    rank = {p["code"]: i for i, p in enumerate(spec["products"])}
    sums: dict[tuple[str, int, str, int, str], float] = {}
    executed: dict[tuple[str, int, str, int, str], float] = {}
    undrawn = 0.0
    held = [f for f in spec["flows"] if f["amount"]]
    # An end has one place: behind the last stage where that stage loses to it too.
    after = {f["to"] for f in held if f["to"] not in column and column.get(f["from"]) == last}
    for f in held:
        source = f["from"] if f["from"] in column else f"{f['from']}-in"
        first, final = column.get(source, 0), column.get(f["to"], last)
        if f["to"] in after:
            final = last + 1
        if source not in column and final == 0:
            first = -1
        if final <= first or (first, final) == (-1, 0):
            undrawn += f["amount"]
            continue
        is_stage_to_stage = f["from"] in column and f["to"] in column
        key = (source, first, f["to"], final, f["product"] if is_stage_to_stage else "")
        sums[key] = sums.get(key, 0.0) + float(f["amount"])
        if is_stage_to_stage and f["executed"] is not None:
            executed[key] = executed.get(key, 0.0) + float(f["executed"])
    flows = [Flow(*key, amount, executed.get(key)) for key, amount in sums.items()]
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
    nodes = {n: Slot(at[n], max(into.get(n, 0.0), out.get(n, 0.0)), True) for n in at}
    lanes = {
        (i, c): Slot(c, f.amount, False)
        for i, f in enumerate(flows)
        for c in range(f.first + 1, f.last)
    }
    return Layout(flows, nodes, lanes, max([last, *(f.last for f in flows)]) + 1, undrawn)


def stand(layout: Layout, spec: Mapping[str, Any], *, top: float, body: float) -> None:
    """Give every slot its place; one scale for all columns."""
    ends = [*spec["ends"], *(f"{e}-in" for e in spec["ends"])]
    columns: list[list[Slot]] = [[] for _ in range(layout.n_columns)]
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


def heads_of(layout: Layout, spec: Mapping[str, Any]) -> list[tuple[list[str], list[str]]]:
    """Return what stands above each stage: its name, then its organisations and amount.

    Every line is broken between words to the room that its neighbours leave; none is cut.
    """
    words = spec["words"]
    names: list[str] = []
    below: list[list[str]] = []
    for s in spec["stages"]:
        people = f"{text.number(s['n'], lang=spec['lang'])} {words['organisations']}"
        under = [people if s["n"] else s.get("why") or words["absent"]]
        node = layout.nodes.get(s["id"])
        if node:
            under.append(amount_of(node.size, spec))
        names.append(s["label"])
        below.append(under)
    heads: list[tuple[list[str], list[str]]] = [([], [])] * len(names)
    for i, room in _rooms(
        layout, [_widest(*told) for told in zip(names, below, strict=True)], heads
    ):
        under = [line for words in below[i] for line in wrap(words, font_of(9), room, MOST_LINES)]
        heads[i] = (wrap(names[i], font_of(9, 600), room, MOST_LINES), under)
    return heads


def _widest(label: str, under: Sequence[str]) -> float:
    """Return the width of the widest word above a stage, in inches."""
    return _width([label.split(" "), [w for words in under for w in words.split(" ")]])


def _width(lines: Sequence[Sequence[str]]) -> float:
    """Return the width of the widest line: names are bold, what stands under them is not."""
    bold, plain = lines
    wide = [width_of(w, font_of(9, 600)) for w in bold] + [width_of(w, font_of(9)) for w in plain]
    return max(wide, default=0.0)


def _rooms(
    layout: Layout, least: Sequence[float], heads: Sequence[Sequence[Sequence[str]]]
) -> Iterator[tuple[int, float]]:
    """Yield each stage with how wide the words above it may be, none narrower than its widest word.

    The words of the first stage begin at its node's left edge, those of a last one at the margin end at its
    right edge; all others are about the middle. The two at the margins come last: they get what their
    neighbours in *heads*, broken into lines by then, leave.
    """
    pitch = (WIDTH_IN - 2 * MARGIN - NODE_WIDTH) / max(1, layout.n_columns - 1)
    last = len(least) - 1
    ends = {0: 1} | ({last: last - 1} if layout.n_columns == len(least) else {})
    reach = pitch + NODE_WIDTH / 2 - CLEAR
    rooms = [max(0.92 * pitch, need) for need in least]
    for end, beside in ends.items():
        rooms[beside] = max(least[beside], min(rooms[beside], 2 * (reach - least[end])))
    yield from ((i, room) for i, room in enumerate(rooms) if i not in ends)
    for end, beside in ends.items():
        yield end, max(least[end], reach - _width(heads[beside]) / 2)
