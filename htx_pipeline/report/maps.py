"""Maps: communes filled by how many organisations they hold, processors, insets, a scale bar.

What belongs here: the ink. What does not: what is shown (`map_spec`), where names find room
(`labelling`).

Without shapes a commune is a disc. Hatching means that nothing is known of a commune; white, that there
is nobody to count. Shape and colour of a processor's mark tell its product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from htx_pipeline.report.drawing import (
    INK,
    MUTED,
    WIDTH_IN,
    Board,
    canvas,
    font_of,
    line,
    put,
    stamp,
    style_of,
    width_of,
    wrap,
    write,
)
from htx_pipeline.report.labelling import Box, Name, Place, line_of, place_names

FILLS: Final = ("#dceaf5", "#a9cde6", "#6aaad3", "#3a86bd")
"""Light to dark; a name in black can be read on each."""
GROUND: Final = "#ffffff"
BEYOND: Final = "#eef0f2"
BORDER: Final = "#8b949e"
HATCH: Final = "////"
RADII: Final = (0.055, 0.075, 0.095, 0.115)
MAKER: Final = 0.13
NUDGES: Final = ((0, 0), (0, -0.12), (0, 0.12), (-0.16, 0), (0.16, 0), (-0.16, -0.12), (0.16, 0.12),
                 (-0.16, 0.12), (0.16, -0.12))  # fmt: skip
"""Where a processor's mark goes, in inches off its point, when another mark stands there."""
LINE: Final = 0.155
SIDE: Final = 1.85
"""Width of the column beside the map, in inches."""
BARS_KM: Final = (1, 2, 5, 10, 20, 50, 100, 200)

To = Callable[[Any, Any], tuple[Any, Any]]
"""From the description's units to inches; numbers or arrays."""


def draw_map(spec: Mapping[str, Any]) -> Board:
    """Draw a map from its description, see `map_spec.map_figure`."""
    width, tall = spec["size"]
    panel = Box(0.02, 0.02, 0.02 + width, 0.02 + tall)
    to = _fit(spec["view"], panel)
    named = map_names(spec, to, panel)
    side = _side(spec, sum(p is None for p in named[1]))
    height = max(tall + 0.04, side[-1][0] if side else 0.0) + (0.18 if spec.get("mark") else 0.0)
    axes = canvas(height)
    _draw_ground(axes, spec, to)
    _draw_names(axes, spec, to, named)
    _frame(axes, panel)
    if _is_beside(spec):
        _draw_locator(axes, spec, panel.right + 0.1, 0.02, wide=WIDTH_IN - SIDE - panel.right - 0.1)
    for top, draw in side:
        if draw is not None:
            draw(axes, WIDTH_IN - SIDE + 0.08, top)
    stamp(axes, height, spec.get("mark", ""))
    return axes


def _fit(view: Sequence[float], panel: Box) -> To:
    """Return the way from the description's units to inches: one scale, in the middle of the panel."""
    west, south, east, north = view
    scale = min((panel.right - panel.left) / (east - west), (panel.bottom - panel.top) / (north - south))  # fmt: skip
    x0 = (panel.left + panel.right - (east - west) * scale) / 2
    y0 = (panel.top + panel.bottom + (north - south) * scale) / 2
    return lambda x, y: (x0 + (x - west) * scale, y0 - (y - south) * scale)


# --------------------------------------------------------------------------- the map


def _draw_ground(axes: Any, spec: Mapping[str, Any], to: To) -> None:
    from matplotlib.patches import Circle

    for ring in spec["hull"]:
        _patch(axes, [ring], to, facecolor="#f1f6fa", edgecolor=FILLS[2], linewidth=0.8, linestyle=(0, (4, 2)))  # fmt: skip
    # What lies beyond and cannot be asked is one shape.
    beyond = [c for c in spec["communes"] if c["level"] is None and not c["is_own"]]
    _patch(axes, [r for c in beyond for r in c["rings"]], to, **_look(None, is_own=False))
    asked = (c for c in spec["communes"] if c["level"] is not None or c["is_own"])
    for one in sorted(asked, key=lambda c: (c["level"] is not None, c["gid"])):
        _patch(axes, one["rings"], to, gid=one["gid"], **_look(one["level"], is_own=one["is_own"]))
    for one in sorted(spec["dots"], key=lambda d: (-1 if d["level"] is None else d["level"], d["gid"])):  # fmt: skip
        look = _look(one["level"], is_own=one["is_own"])
        radius = RADII[one["level"]] if one["level"] is not None and one["level"] >= 0 else 0.035
        if one["level"] is None:
            look["facecolor"] = "#c9ced4" if one["is_own"] else BEYOND
        put(axes, Circle(to(*one["at"]), radius, gid=one["gid"], zorder=2, **look))
    _draw_makers(axes, spec, to)


def _look(level: int | None, *, is_own: bool) -> dict[str, Any]:
    if level is None:
        return {"facecolor": GROUND if is_own else BEYOND, "edgecolor": BORDER, "linewidth": 0.5}
    if level < 0:
        return {"facecolor": GROUND, "edgecolor": BORDER, "linewidth": 0.5, "hatch": HATCH}
    return {"facecolor": FILLS[level], "edgecolor": "#41505e", "linewidth": 0.7}


def _patch(axes: Any, rings: Sequence[Sequence[int]], to: To, **look: Any) -> None:
    import numpy as np
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not rings:
        return
    whole = np.array([v for ring in rings for v in ring], dtype=float).reshape(-1, 2)
    corners = np.empty_like(whole)
    corners[:, 0], corners[:, 1] = to(whole[:, 0], whole[:, 1])
    # To a hundredth of a point, which is how an SVG then has it.
    corners = np.round(corners * 7200) / 7200
    codes = np.full(len(whole), Path.LINETO, dtype=Path.code_type)
    ends = np.cumsum([len(ring) // 2 for ring in rings])
    codes[ends - 1] = Path.CLOSEPOLY
    codes[np.concatenate(([0], ends[:-1]))] = Path.MOVETO
    put(axes, PathPatch(Path(corners, codes), zorder=1, **look))


def _maker_places(spec: Mapping[str, Any], to: To) -> list[tuple[Mapping[str, Any], float, float]]:
    """Return where each processor's mark stands: side by side on the point, or beside its disc."""
    discs = {tuple(d["at"]): RADII[d["level"]] for d in _members(spec)}
    groups: dict[tuple[int, ...], list[Mapping[str, Any]]] = {}
    for m in spec["makers"]:
        groups.setdefault(tuple(m["at"]), []).append(m)
    found = []
    taken: list[Box] = []
    for at, own in groups.items():
        x, y = to(*at)
        widths = [_maker_width(m) for m in own]
        left = x + discs[at] + 0.01 if at in discs else x - sum(widths) / 2
        rows = [
            (left + dx, y + dy, Box(left + dx, y + dy - MAKER / 2, left + dx + sum(widths), y + dy + MAKER / 2))
            for dx, dy in NUDGES
        ]  # fmt: skip
        left, y, box = next((r for r in rows if not any(r[2].meets(t) for t in taken)), rows[0])
        taken.append(box)
        for m, wide in zip(own, widths, strict=True):
            found.append((m, left + MAKER / 2, y))
            left += wide
    return found


def _members(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [d for d in spec["dots"] if d["level"] is not None and d["level"] >= 0]


def _maker_width(maker: Mapping[str, Any]) -> float:
    return MAKER + (width_of(f"×{maker['n']}", font_of(9)) + 0.04 if maker["n"] > 1 else 0.03)


def _draw_makers(axes: Any, spec: Mapping[str, Any], to: To) -> None:
    for m, x, y in _maker_places(spec, to):
        _maker(axes, x, y, m["style"])
        if m["n"] > 1:
            write(axes, x + MAKER / 2, y, f"×{m['n']}", font_of(9), color=INK, va="center_baseline")  # fmt: skip


def _maker(axes: Any, x: float, y: float, style: int) -> None:
    ink, marker = style_of(style)
    line(axes, [x], [y], marker=marker, color=ink, markersize=7.5, markeredgecolor=INK, markeredgewidth=0.8,
              linestyle="none", zorder=5)  # fmt: skip


def map_names(
    spec: Mapping[str, Any], to: To, panel: Box
) -> tuple[list[Name], list[Place | None], Box]:
    """Return the names, their places, and the box of the scale bar, which they keep off."""
    obstacles = [
        Box(x - MAKER / 2, y - MAKER / 2, x - MAKER / 2 + _maker_width(m), y + MAKER / 2)
        for m, x, y in _maker_places(spec, to)
    ]
    bar = _bar_box(spec, to, panel, obstacles)
    obstacles.append(bar)
    on_point = {tuple(m["at"]) for m in spec["makers"]}
    radii = {tuple(d["at"]): RADII[d["level"]] for d in _members(spec)}
    for at, radius in radii.items():
        x, y = to(*at)
        half = radius * 0.75
        obstacles.append(Box(x - half, y - half, x + half, y + half))
    names = []
    for n in spec["names"]:
        x, y = to(*n["at"])
        at = tuple(n["at"])
        radius = radii.get(at, MAKER / 2 if at in on_point else 0.0)
        wide = width_of(n["words"], font_of(9))
        names.append(Name(x, y, wide, LINE, radius, is_free=n["is_free"] and at not in on_point))
    inner = Box(panel.left + 0.04, panel.top + 0.03, panel.right - 0.04, panel.bottom - 0.03)
    return names, place_names(names, obstacles=obstacles, bounds=inner), bar


def _draw_names(
    axes: Any, spec: Mapping[str, Any], to: To, named: tuple[list[Name], list[Place | None], Box]
) -> None:
    from matplotlib.patches import Rectangle

    names, places, bar = named
    for n, name, place in zip(spec["names"], names, places, strict=True):
        if place is None:
            continue
        box = place.box
        if place.is_led:
            x0, y0, x1, y1 = line_of(place, name)
            line(axes, [x0, x1], [y0, y1], color=INK, linewidth=0.6, zorder=4)
        put(axes, Rectangle((box.left - 0.01, box.top + 0.01), name.width + 0.02, LINE - 0.02, facecolor="white",
                                 alpha=0.62, edgecolor="none", zorder=6))  # fmt: skip
        write(axes, (box.left + box.right) / 2, (box.top + box.bottom) / 2, n["words"], font_of(9), color=INK,
              ha="center", va="center_baseline")  # fmt: skip
    _draw_bar(axes, spec, to, bar)


def _bar_length(to: To) -> tuple[int, float]:
    """Return the longest whole length that fits, in kilometres and inches."""
    per_km = to(100, 0)[0] - to(0, 0)[0]
    km = max([k for k in BARS_KM if k * per_km <= 0.85] or [BARS_KM[0]])
    return km, km * per_km


def _bar_box(spec: Mapping[str, Any], to: To, panel: Box, marks: Sequence[Box]) -> Box:
    """Return the corner for the scale bar: the one with least under it, the lower left first."""
    import numpy as np

    km, long = _bar_length(to)
    wide = long + 0.26 + width_of(f"{km} {spec['words']['km']}", font_of(9))
    corners = [
        Box(x, y, x + wide, y + 0.24)
        for y in (panel.bottom - 0.24, panel.top)
        for x in (panel.left, panel.right - wide)
    ]
    rings = [np.array(r, dtype=float).reshape(-1, 2) for c in spec["communes"] if c["is_own"] for r in c["rings"]]  # fmt: skip
    rings.append(np.array([d["at"] for d in _members(spec)], dtype=float).reshape(-1, 2))
    across, down = to(*np.concatenate(rings).T)

    def load(corner: Box) -> int:
        inside = (across > corner.left - 0.1) & (across < corner.right + 0.1)
        inside &= (down > corner.top - 0.1) & (down < corner.bottom + 0.1)
        return int(inside.sum()) + 1000 * sum(corner.meets(m) for m in marks)

    return min(corners, key=load)


def _draw_bar(axes: Any, spec: Mapping[str, Any], to: To, box: Box) -> None:
    from matplotlib.patches import Rectangle

    km, long = _bar_length(to)
    put(axes, Rectangle((box.left, box.top), box.right - box.left, box.bottom - box.top, facecolor="white",
                             alpha=0.85, edgecolor="none", zorder=6))  # fmt: skip
    x, y = box.left + 0.1, box.top + 0.12
    for part, ink in ((0, INK), (0.5, "white")):
        put(axes, Rectangle((x + part * long, y - 0.03), long / 2, 0.05, facecolor=ink, edgecolor=INK,
                                 linewidth=0.7, zorder=7))  # fmt: skip
    write(axes, x + long + 0.06, y, f"{km} {spec['words']['km']}", font_of(9), color=INK, va="center_baseline")  # fmt: skip


def _frame(axes: Any, box: Box) -> None:
    from matplotlib.patches import Rectangle

    put(axes, Rectangle((box.left, box.top), box.right - box.left, box.bottom - box.top, facecolor="none",
                             edgecolor=BORDER, linewidth=0.9, zorder=8))  # fmt: skip


# --------------------------------------------------------------------------- beside the map

Draw = Callable[[Any, float, float], None]


def _side(spec: Mapping[str, Any], unplaced: int) -> list[tuple[float, Draw | None]]:
    """Return what stands beside the map, from the top down, each with its height; the last is the end."""
    parts: list[tuple[float, Draw]] = []
    if spec["locator"] and not _is_beside(spec):
        parts.append((1.42, lambda axes, x, y: _draw_locator(axes, spec, x, y, wide=SIDE - 0.12)))
    islands = spec["islands"]
    parts += [(_island_height(i), _island(i)) for i in islands]
    parts += _legend(spec, int(spec["n_unnamed"]) + unplaced)
    placed: list[tuple[float, Draw | None]] = []
    top = 0.02
    for height, draw in parts:
        placed.append((top, draw))
        top += height
    return [*placed, (top, None)]


def _is_beside(spec: Mapping[str, Any]) -> bool:
    """Return whether the inset stands between map and key, not above the key."""
    return bool(spec["locator"]) and bool(spec.get("is_low"))


def _draw_locator(axes: Any, spec: Mapping[str, Any], x: float, y: float, *, wide: float) -> None:
    from matplotlib.patches import Rectangle

    locator = spec["locator"]
    write(axes, x, y + LINE / 2, spec["words"]["locator"], font_of(9, 600), color=INK, va="center_baseline")  # fmt: skip
    panel = Box(x, y + LINE + 0.03, x + wide, y + 1.34)
    to = _fit(locator["bounds"], Box(panel.left + 0.05, panel.top + 0.05, panel.right - 0.05, panel.bottom - 0.05))  # fmt: skip
    _patch(axes, locator["outline"], to, facecolor=BEYOND, edgecolor=BORDER, linewidth=0.7)
    _patch(axes, locator["area"], to, facecolor=FILLS[1], edgecolor=BORDER, linewidth=0.5)
    dots = [to(*d) for d in locator["dots"]]
    if dots:
        line(axes, [d[0] for d in dots], [d[1] for d in dots], marker="o", markersize=2.2, color="#9aa3ad", linestyle="none")  # fmt: skip
    west, south, east, north = locator["view"]
    (left, bottom), (right, top) = to(west, south), to(east, north)
    left, right = max(left, panel.left), min(right, panel.right)
    top, bottom = max(top, panel.top), min(bottom, panel.bottom)
    put(axes, Rectangle((left, top), right - left, bottom - top, facecolor="none", edgecolor="#D55E00",
                             linewidth=1.4, zorder=3))  # fmt: skip


def _island_height(island: Mapping[str, Any]) -> float:
    return 0.52 + LINE * len(wrap(island["label"], font_of(9), SIDE - 0.2, 3))


def _island(island: Mapping[str, Any]) -> Draw:
    """Return the drawing of one island group in a dashed box under its name."""

    def draw(axes: Any, x: float, y: float) -> None:
        from matplotlib.patches import Rectangle

        lines = wrap(island["label"], font_of(9), SIDE - 0.2, 3)
        for i, words in enumerate(lines):
            write(axes, x, y + LINE * (i + 0.5), words, font_of(9), color=INK, va="center_baseline")
        top = y + LINE * len(lines) + 0.03
        panel = Box(x, top, x + SIDE - 0.12, top + 0.4)
        put(axes, Rectangle((panel.left, panel.top), panel.right - panel.left, 0.4, facecolor="none",
                                 edgecolor=BORDER, linewidth=0.9, linestyle=(0, (4, 2))))  # fmt: skip
        rings = island["rings"]
        look = _look(island["level"], is_own=True)
        if rings:
            xs = [v for r in rings for v in r[::2]]
            ys = [v for r in rings for v in r[1::2]]
            to = _fit((min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1), Box(panel.left + 0.05, panel.top + 0.05, panel.right - 0.05, panel.bottom - 0.05))  # fmt: skip
            _patch(axes, rings, to, gid=island["gid"], **{**look, "linewidth": 0.9})
        else:
            from matplotlib.patches import Circle

            centre = ((panel.left + panel.right) / 2, top + 0.2)
            put(axes, Circle(centre, 0.06, gid=island["gid"], **look))

    return draw


def _legend(spec: Mapping[str, Any], missing: int) -> list[tuple[float, Draw]]:
    words = spec["words"]
    is_filled = bool(spec["communes"])
    parts: list[tuple[float, Draw]] = [(0.2, _heading(words["level"]))]
    classes = [
        _swatch(label, _look(i, is_own=True), RADII[i], is_box=is_filled)
        for i, label in enumerate(spec["levels"])
    ]
    step = 2 if spec.get("is_low") else 1
    parts += [(0.19, _abreast(classes[i : i + step])) for i in range(0, len(classes), step)]
    shown = [*spec["communes"], *spec["dots"]]
    if any(c["level"] is None and c["is_own"] for c in shown):
        look = _look(None, is_own=True)
        if not is_filled:
            look["facecolor"] = "#c9ced4"
        parts.append((0.19, _swatch(words["none"], look, 0.035, is_box=is_filled)))
    if any(c["level"] == -1 for c in shown):
        parts.append((0.19, _swatch(words["no_data"], _look(-1, is_own=True), 0.05, is_box=is_filled)))  # fmt: skip
    if spec["maker_key"]:
        parts.append((0.06, _nothing))
        parts.append((0.2, _heading(words["makers"])))
        for key in spec["maker_key"]:
            lines = wrap(key["label"], font_of(9), SIDE - 0.5, 2)
            parts.append((0.04 + LINE * len(lines), _maker_entry(key["style"], lines)))
    if missing:
        lines = wrap(words["unnamed"].format(n=missing), font_of(9), SIDE - 0.15, 3)
        parts.append((0.16 + LINE * len(lines), _lines(lines)))
    return parts


def _abreast(entries: Sequence[Draw]) -> Draw:
    """Return short entries of a key side by side."""

    def draw(axes: Any, x: float, y: float) -> None:
        for i, entry in enumerate(entries):
            entry(axes, x + 0.8 * i, y)

    return draw


def _nothing(axes: Any, x: float, y: float) -> None:
    """Leave room."""


def _heading(words: str) -> Draw:
    return lambda axes, x, y: write(axes, x, y + 0.09, words, font_of(9, 600), color=INK, va="center_baseline")  # fmt: skip


def _lines(lines: Sequence[str]) -> Draw:
    def draw(axes: Any, x: float, y: float) -> None:
        for i, words in enumerate(lines):
            write(axes, x, y + 0.08 + LINE * (i + 0.5), words, font_of(9), color=MUTED, va="center_baseline")  # fmt: skip

    return draw


def _swatch(words: str, look: Mapping[str, Any], radius: float, *, is_box: bool) -> Draw:
    def draw(axes: Any, x: float, y: float) -> None:
        from matplotlib.patches import Circle, Rectangle

        mark: Any = (
            Rectangle((x, y + 0.02), 0.26, 0.14, **look)
            if is_box
            else Circle((x + 0.13, y + 0.09), radius, **look)
        )
        put(axes, mark)
        write(axes, x + 0.34, y + 0.09, words, font_of(9), color=INK, va="center_baseline")

    return draw


def _maker_entry(style: int, lines: Sequence[str]) -> Draw:
    def draw(axes: Any, x: float, y: float) -> None:
        _maker(axes, x + 0.13, y + 0.09, style)
        for i, words in enumerate(lines):
            write(axes, x + 0.34, y + 0.09 + LINE * i, words, font_of(9), color=INK, va="center_baseline")  # fmt: skip

    return draw
