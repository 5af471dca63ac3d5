"""Placing names on a map so that none lies on another.

What belongs here: rectangles and where they find room. What does not: fonts and ink (`maps`).

Greedy: names are placed in the order given, each at the first of its candidate places that is free;
near places first, then, with a line to the point, farther ones. A name that finds no place is left out
whole, never cut; the caller says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

ANGLES: Final = (0, 180, 90, 270, 45, 135, 315, 225)
"""Degrees from the point, right first; y grows downward."""
RINGS: Final = (0.0, 0.12, 0.26, 0.42, 0.6)
"""How much farther than next to the point each round looks, in inches."""


class Box(NamedTuple):
    """A rectangle in inches: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box, gap: float = 0.0) -> bool:
        """Return whether two rectangles come closer than *gap*."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def within(self, other: Box) -> bool:
        """Return whether this lies inside *other*."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.top <= self.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Name:
    """What is to be placed: text of a size, at a point with a mark of some radius around it.

    ``is_free``: nothing stands on the point, so the text may.
    """

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.05
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands, and whether a line leads to its point."""

    box: Box
    is_led: bool


def place_names(
    names: Sequence[Name], *, obstacles: Iterable[Box] = (), bounds: Box, gap: float = 0.02
) -> list[Place | None]:
    """Return a place for each name, None where there is no room.

    Examples
    --------
    >>> a, b = Name(1, 1, 0.5, 0.15), Name(1, 1, 0.5, 0.15)
    >>> one, two = place_names([a, b], bounds=Box(0, 0, 4, 4))
    >>> one.box.meets(two.box)
    False
    """
    taken = list(obstacles)
    found: list[Place | None] = []
    for name in names:
        place = next((p for p in _candidates(name) if _is_free(p, name, taken, bounds, gap)), None)
        found.append(place)
        if place:
            taken.append(place.box)
            taken += _line(place, name) if place.is_led else []
    return found


def _is_free(place: Place, name: Name, taken: Sequence[Box], bounds: Box, gap: float) -> bool:
    if not place.box.within(bounds) or any(place.box.meets(t, gap) for t in taken):
        return False
    if not place.is_led:
        return True
    own = Box(name.x, name.y, name.x, name.y)
    others = [t for t in taken if not t.meets(own)]
    return not any(step.meets(t) for step in _line(place, name) for t in others)


def line_of(place: Place, name: Name) -> tuple[float, float, float, float]:
    """Return the line from a point to its name: x, y, x, y."""
    box = place.box
    x, y = min(max(name.x, box.left), box.right), min(max(name.y, box.top), box.bottom)
    return name.x, name.y, x, y


def _line(place: Place, name: Name) -> list[Box]:
    """Return the line to a point as small squares, the ends left out."""
    x0, y0, x1, y1 = line_of(place, name)
    steps = max(2, round(math.hypot(x1 - x0, y1 - y0) / 0.04))
    at = [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(1, steps)]
    return [Box(x - 0.012, y - 0.012, x + 0.012, y + 0.012) for x, y in at]


def _candidates(name: Name) -> Iterable[Place]:
    if name.is_free:
        yield Place(_around(name, name.x, name.y), False)
    for ring in RINGS:
        for angle in ANGLES:
            cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            away = name.radius + 0.03 + ring
            x = name.x + cos * (away + name.width / 2)
            y = name.y + sin * (away + name.height / 2)
            yield Place(_around(name, x, y), ring > RINGS[1])


def _around(name: Name, x: float, y: float) -> Box:
    return Box(x - name.width / 2, y - name.height / 2, x + name.width / 2, y + name.height / 2)
