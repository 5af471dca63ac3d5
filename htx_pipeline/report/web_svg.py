"""Drawings as markup of an HTML page: the same picture in a third of the bytes and half the elements.

What belongs here: taking out of matplotlib's SVG what a browser does not need, and keeping the ids of
several pictures on one page apart. What does not: drawing (`figures`), what a click on a part does
(`assets/report.js`).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

FAMILY: Final = "'Be Vietnam Pro'"
SVG: Final = "http://www.w3.org/2000/svg"
HREF: Final = "{http://www.w3.org/1999/xlink}href"
POINTS: Final = {"M": 1, "L": 1, "Q": 2, "C": 3}
"""Points of a path's commands, as matplotlib writes them: absolute, "Z" beside them."""

USUAL: Final = frozenset(
    {"stroke-linejoin: miter", "text-anchor: start", f"font-family: {FAMILY}", ""}
)
_PART: Final = re.compile(r"[MLQCZz]|-?[\d.]+(?:e-?\d+)?")
_NOT_RINGS: Final = re.compile(r"^[^M]|[QCZeE,]|z\s*[^M\s]")
"""What a path of straight lines as matplotlib writes it, each begun anew, does not have."""
_POINTER: Final = re.compile(r"url\(#([^)]+)\)")


def inline_svg(
    svg: bytes, *, prefix: str, kept: frozenset[str] = frozenset(), classes: str = "s"
) -> Any:
    r"""Return an SVG as markup for an HTML page.

    Parameters
    ----------
    svg:
        The drawing as matplotlib writes it.
    prefix:
        Put before every id that stays, with a hyphen, so that no two pictures share one.
    kept:
        Ids that stay though nothing in the picture points at them.
    classes:
        Put before the names of styles; no two pictures of a page may have the same.

    Returns
    -------
    markupsafe.Markup
        The ``svg`` element: coordinates to a tenth of a point, a thirtieth of a millimetre.

    Examples
    --------
    >>> inline_svg(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><g id="a"><g id="b">'
    ...            b'<path d="M 1 1 L 3.04 1 L 3.04 2.5 z" style="fill: #fff"/></g></g></svg>',
    ...            prefix="p", kept=frozenset({"a"}))
    Markup('<svg aria-hidden="true" focusable="false" font-family="\'Be Vietnam Pro\'"><g id="p-a"><path d="m1 1h2v1.5z" style="fill:#fff" /></g></svg>')
    """
    from markupsafe import Markup

    root = ET.fromstring(svg)  # noqa: S314 - it reads what this package drew
    used = kept | set(_pointed_at(root))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _brief(element, prefix, used)
    _flatten(root)
    _share_styles(root, classes)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
    first = {"aria-hidden": "true", "focusable": "false", "font-family": FAMILY}
    root.attrib = first | {k: v for k, v in root.attrib.items() if k != "version"}
    # What ElementTree writes is escaped.
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704


def _pointed_at(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in (HREF, "href"):
                yield value.removeprefix("#")
            else:
                yield from _POINTER.findall(value)


def _brief(element: ET.Element, prefix: str, used: frozenset[str]) -> None:
    """Shorten the attributes of one element in place, and lay its white space off."""
    if not (element.text or "").strip():
        element.text = None
    element.tail = element.tail if (element.tail or "").strip() else None
    made: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "id":
            if value in used:
                made["id"] = f"{prefix}-{value}"
        elif name in (HREF, "href"):
            made["href"] = f"#{prefix}-{value.removeprefix('#')}"
        elif name == "d":
            made["d"] = relative(value)
        elif name == "style":
            parts = (part.strip() for part in value.split(";"))
            brief = ";".join(p.replace(": ", ":", 1) for p in parts if p not in USUAL)
            if brief:
                made["style"] = _POINTER.sub(rf"url(#{prefix}-\1)", brief)
        elif name in ("x", "y") and _is_number(value):
            made[name] = _tenths(round(float(value) * 10))
        elif not (name == "transform" and re.fullmatch(r"rotate\(-?0(\.0*)? .*\)", value)):
            made[name] = _POINTER.sub(rf"url(#{prefix}-\1)", value)
    element.attrib = made
    if element.tag == f"{{{SVG}}}path" and (round_ := as_circle(made.get("d", ""))):
        element.tag = f"{{{SVG}}}circle"
        del made["d"]
        element.attrib = round_ | made


def _is_number(words: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", words) is not None


def _flatten(root: ET.Element) -> None:
    """Take out groups that say nothing, and put what they hold in their place."""
    group = f"{{{SVG}}}g"
    for parent in list(root.iter()):
        while any(c.tag == group and not c.attrib for c in parent):
            held = [c if c.tag != group or c.attrib else list(c) for c in parent]
            parent[:] = [e for h in held for e in (h if isinstance(h, list) else [h])]


def _share_styles(root: ET.Element, classes: str) -> None:
    """Give styles that several elements have a name of their own."""
    number = Counter(e.attrib["style"] for e in root.iter() if "style" in e.attrib)
    names = {
        style: f"{classes}{i}" for i, style in enumerate(s for s, n in number.items() if n > 1)
    }
    if not names:
        return
    for element in root.iter():
        style = element.attrib.get("style")
        if style in names:
            del element.attrib["style"]
            element.attrib["class"] = names[style]
    sheet = ET.Element(f"{{{SVG}}}style")
    sheet.text = "".join(f".{name}{{{style}}}" for style, name in names.items())
    root.insert(0, sheet)


@lru_cache(maxsize=10_000)
def _tenths(n: int) -> str:
    """Return *n* tenths in as few characters as SVG allows.

    Examples
    --------
    >>> [_tenths(n) for n in (15, 20, -5, 0)]
    ['1.5', '2', '-.5', '0']
    """
    sign, whole, rest = "-" if n < 0 else "", *divmod(abs(n), 10)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole or ''}.{rest}"


def _joined(numbers: list[int]) -> str:
    """Return numbers of tenths with no blank that is not needed."""
    return " ".join(_tenths(n) for n in numbers).replace(" -", "-")


def relative(d: str) -> str:
    """Return a path of absolute commands in tenths, each step from where the last one ended.

    Points are rounded before they are taken from each other, so that errors do not add up. Commands
    other than M, L, Q, C and Z leave the path as it is.

    Examples
    --------
    >>> relative("M 10 10 L 12.54 10 L 12.54 9.0 L 0 0 z")
    'm10 10h2.5v-1l-12.5-9z'
    >>> relative("M 0 0 A 1 1 0 0 0 2 2")
    'M 0 0 A 1 1 0 0 0 2 2'
    """
    if re.search(r"[^MLQCZz\d.eE\s,-]", d):
        return d
    if not _NOT_RINGS.search(d):
        return _rings(d)
    made: list[str] = []
    at = start = (0, 0)
    last = command = ""
    parts = iter(_PART.findall(d))
    for part in parts:
        if part in "Zz":
            made.append("z")
            at, last = start, "z"
            continue
        if part in POINTS:
            command, first = part, next(parts)
        else:
            command, first = ("L" if command == "M" else command), part
        flat = [first, *(next(parts) for _ in range(2 * POINTS[command] - 1))]
        whole = [round(float(v) * 10) for v in flat]
        steps = [v - at[i % 2] for i, v in enumerate(whole)]
        at = (whole[-2], whole[-1])
        if command == "M":
            start = at
        name, numbers = command.lower(), steps
        if command == "L" and 0 in steps:
            name, numbers = ("h", steps[:1]) if steps[1] == 0 else ("v", steps[1:])
        words = _joined(numbers)
        gap = "" if name != last or words.startswith("-") else " "
        made.append(f"{'' if name == last and name != 'm' else name}{gap}{words}")
        last = name
    return "".join(made)


def _rings(d: str) -> str:
    """Return what `relative` makes of a path of straight lines: the borders of a map have most points.

    Examples
    --------
    >>> _rings("M 1 1 L 2 1 L 2 1.5 z M 5 5 L 5 6 L 4 4")
    'm1 1h1v.5zm4 4v1l-1-2'
    """
    made: list[str] = []
    x = y = 0
    for ring in d.split("M")[1:]:
        whole = [round(float(v) * 10) for v in ring.replace("L", " ").rstrip("zZ\n ").split()]
        made.append("m" + _joined([whole[0] - x, whole[1] - y]))
        start = x, y = whole[0], whole[1]
        last = "m"
        for at_x, at_y in zip(whole[2::2], whole[3::2], strict=True):
            if at_y == y:
                name, words = "h", _tenths(at_x - x)
            elif at_x == x:
                name, words = "v", _tenths(at_y - y)
            else:
                down = _tenths(at_y - y)
                name, words = "l", f"{_tenths(at_x - x)}{'' if down[0] == '-' else ' '}{down}"
            if name != last:
                made.append(name)
            elif words[0] != "-":
                made.append(" ")
            made.append(words)
            x, y, last = at_x, at_y, name
        if "z" in ring:
            made.append("z")
            x, y = start
    return "".join(made)


def as_circle(d: str) -> dict[str, str] | None:
    """Return centre and radius of a path that `relative` made of a circle; None for any other path.

    matplotlib draws a circle as eight curves between points on it; as an element of its own it takes a
    fifth of the bytes.

    Examples
    --------
    >>> as_circle("m0 0h2v1z") is None
    True
    """
    if not re.fullmatch(r"m[^a-z]+c[^a-z]+z", d):
        return None
    numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", d)]
    if len(numbers) != 2 + 8 * 6:
        return None
    x, y = numbers[:2]
    points = [(x, y)]
    for i in range(8):
        dx, dy = numbers[2 + 6 * i + 4 : 2 + 6 * i + 6]
        x, y = x + dx, y + dy
        points.append((x, y))
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    cx, cy, r = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, (max(xs) - min(xs)) / 2
    if any(abs(((px - cx) ** 2 + (py - cy) ** 2) ** 0.5 - r) > 0.15 for px, py in points):
        return None
    return {
        "cx": _tenths(round(cx * 10)),
        "cy": _tenths(round(cy * 10)),
        "r": _tenths(round(r * 10)),
    }
