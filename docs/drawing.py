"""Small pictures as SVG text: networks, bars, steps; the same input gives the same bytes.

What belongs here: shapes and their placement in whole pixels. What does not: what is drawn
(`pictures`). No plotting library: its version would show in the bytes, and a picture here is a few
lines of text that a reviewer can read in a diff.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

INK: Final = "#1f2933"
MUTED: Final = "#66717d"
FILL: Final = {
    "htx": "#b7e0c4",
    "firm": "#c9d8f0",
    "hot": "#f6c9a8",
    "cold": "#e8ebee",
    "gone": "#ffffff",
}
"""Fill by kind: cooperative (circle), enterprise (square), the one spoken of, background, absent."""
_FONT: Final = 'font-family="Be Vietnam Pro, Noto Sans, sans-serif" font-size="13"'

Place = tuple[int, int]


def text(x: int, y: int, said: str, *, anchor: str = "middle", colour: str = INK, is_bold: bool = False) -> str:  # fmt: skip
    """Return one line of text."""
    weight = ' font-weight="600"' if is_bold else ""
    # A white rim keeps words readable where a line runs behind them.
    rim = 'paint-order="stroke" stroke="#ffffff" stroke-width="3"'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" {rim}{weight}>{escape(said)}</text>'


def page(width: int, height: int, parts: Sequence[str], *, title: str) -> str:
    """Wrap shapes into a picture with a title that screen readers speak."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" {_FONT}>'
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
    tip += f'<path d="M0 0 L8 4 L0 8 z" fill="{INK}"/></marker>'
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    body = "\n".join([f"<title>{escape(title)}</title>", f"<defs>{tip}</defs>", ground, *parts])
    return f"{head}\n{body}\n</svg>\n"


def _toward(a: Place, b: Place, gap: int) -> Place:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1.0)
    return round(a[0] + dx / length * gap), round(a[1] + dy / length * gap)


def arrow(a: Place, b: Place, label: str = "", *, is_dashed: bool = False, is_plain: bool = False, width: int = 2) -> str:  # fmt: skip
    """Return an arrow between the rims of two nodes, with a label beside its middle."""
    start, end = _toward(a, b, 20), _toward(b, a, 22)
    dash = ' stroke-dasharray="5 4"' if is_dashed else ""
    tip = "" if is_plain else ' marker-end="url(#tip)"'
    line = f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="{INK}" stroke-width="{width}"{dash}{tip}/>'
    if not label:
        return line
    x, y = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
    is_level = abs(end[1] - start[1]) < 12
    said = text(x, y - 6, label) if is_level else text(x + 6, y - 4, label, anchor="start")
    return line + said


def node(at: Place, name: str, *, kind: str = "firm", below: Sequence[str] = ()) -> str:
    """Return a node: a circle for a cooperative, else a square; what is said of it stands below."""
    x, y = at
    stroke = MUTED if kind == "gone" else INK
    look = f'fill="{FILL[kind]}" stroke="{stroke}" stroke-width="1.5"'
    if kind == "gone":
        look += ' stroke-dasharray="4 3"'
    shape = f'<rect x="{x - 16}" y="{y - 16}" width="32" height="32" rx="4" {look}/>'
    if kind == "htx":
        shape = f'<circle cx="{x}" cy="{y}" r="17" {look}/>'
    parts = [shape, text(x, y + 34, name, is_bold=True)]
    parts += [text(x, y + 50 + 16 * i, line, colour=MUTED) for i, line in enumerate(below)]
    return "".join(parts)


def network(
    places: Mapping[str, Place],
    links: Sequence[tuple[str, str, str]],
    *,
    title: str,
    size: tuple[int, int],
    kinds: Mapping[str, str] | None = None,
    below: Mapping[str, Sequence[str]] | None = None,
    dashed: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
    notes: Sequence[tuple[int, int, str]] = (),
    is_plain: bool = False,
) -> str:
    """Draw nodes at places, links between them with labels, and lines below the nodes."""
    kinds, below, names = kinds or {}, below or {}, names or {}
    parts = [
        arrow(places[a], places[b], label, is_dashed=(a, b) in dashed, is_plain=is_plain)
        for a, b, label in links
    ]
    parts += [
        node(at, names.get(n, n), kind=kinds.get(n, "firm"), below=below.get(n, ()))
        for n, at in places.items()
    ]
    parts += [text(x, y, said, anchor="start", colour=MUTED) for x, y, said in notes]
    return page(*size, parts, title=title)


def bars(
    rows: Sequence[tuple[str, float, str]],
    *,
    title: str,
    scale: float | None = None,
    width: int = 560,
    whiskers: Mapping[int, tuple[float, float]] | None = None,
    line_at: tuple[float, str] | None = None,
    kinds: Mapping[int, str] | None = None,
) -> str:
    """Draw horizontal bars: (label, value, what is written at its end), none below 0."""
    left, right, step = 190, 110, 30
    top = scale if scale is not None else max((v for _, v, _ in rows), default=1.0)
    room = width - left - right

    def at(value: float) -> int:
        return left + round(room * value / top) if top > 0 else left

    parts = []
    for i, (label, value, said) in enumerate(rows):
        y = 16 + step * i
        fill = FILL[(kinds or {}).get(i, "firm")]
        parts.append(text(left - 10, y + 15, label, anchor="end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{max(at(value) - left, 1)}" height="20" fill="{fill}" stroke="{INK}" stroke-width="1"/>')  # fmt: skip
        end = at(value)
        if whiskers and i in whiskers:
            low, high = (at(v) for v in whiskers[i])
            parts.append(f'<path d="M{low} {y + 10} H{high} M{low} {y + 5} V{y + 15} M{high} {y + 5} V{y + 15}" stroke="{INK}" stroke-width="1.5" fill="none"/>')  # fmt: skip
            end = max(end, high)
        parts.append(text(end + 8, y + 15, said, anchor="start", colour=MUTED))
    height = 16 + step * len(rows) + (24 if line_at else 8)
    if line_at:
        x = at(line_at[0])
        parts.append(f'<line x1="{x}" y1="8" x2="{x}" y2="{height - 22}" stroke="{MUTED}" stroke-dasharray="4 3"/>')  # fmt: skip
        parts.append(text(x, height - 8, line_at[1], colour=MUTED))
    return page(width, height, parts, title=title)


def steps(rows: Sequence[tuple[str, float, float]], *, title: str, width: int = 560) -> str:
    """Draw a waterfall: (label, from, to) in order, each change standing where the last one ended."""
    top = max(max(a, b) for _, a, b in rows)
    column, base = (width - 20) // len(rows), 170
    parts = []
    for i, (label, a, b) in enumerate(rows):
        x = 14 + column * i
        high, low = max(a, b), min(a, b)
        y, h = base - round(140 * high / top), max(round(140 * (high - low) / top), 1)
        is_total = i in (0, len(rows) - 1)
        fill = FILL["cold"] if is_total else FILL["htx"] if b > a else FILL["hot"]
        parts.append(f'<rect x="{x}" y="{y}" width="{column - 12}" height="{h}" fill="{fill}" stroke="{INK}" stroke-width="1"/>')  # fmt: skip
        said = f"{b:g}" if is_total else f"{b - a:+g}".replace("-", "−")
        parts.append(text(x + (column - 12) // 2, y - 6, said))
        parts.append(text(x + (column - 12) // 2, base + 18, label, colour=MUTED))
    return page(width, base + 30, parts, title=title)


def grid(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[bool | None], str]],
    *,
    title: str,
    width: int = 560,
    left: int = 150,
    right: int = 150,
) -> str:
    """Draw a table of full, empty and unknown dots with a remark at the end of each row."""
    step = (width - left - right) // max(len(columns), 1)
    parts = [text(left + step * j + step // 2, 18, c, colour=MUTED) for j, c in enumerate(columns)]
    for i, (label, cells, remark) in enumerate(rows):
        y = 42 + 26 * i
        parts.append(text(left - 10, y + 5, label, anchor="end"))
        for j, cell in enumerate(cells):
            x = left + step * j + step // 2
            fill = FILL["cold"] if cell is None else INK if cell else FILL["gone"]
            parts.append(f'<circle cx="{x}" cy="{y}" r="7" fill="{fill}" stroke="{INK}"/>')
            if cell is None:
                parts.append(text(x, y + 5, "?"))
        parts.append(text(width - right + 5, y + 5, remark, anchor="start", colour=MUTED))
    return page(width, 42 + 26 * len(rows), parts, title=title)
