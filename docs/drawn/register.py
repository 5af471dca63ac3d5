"""Which picture draws which measures, and how numbers are written in pictures.

What belongs here: the register and what every family of pictures needs. What does not: any picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import polars as pl


class Picture(NamedTuple):
    """A picture: its file's name, the measures whose numbers it shows, and how it is drawn."""

    name: str
    measures: tuple[Callable[..., Any], ...]
    draw: Callable[[], str]


PICTURES: Final[dict[str, Picture]] = {}
"""Every picture by name; filled as the modules of this folder are imported."""


def picture(*measures: Callable[..., Any]) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register a picture of these measures under its function's name.

    The measures are called while it is drawn: a test listens, and holds every number of the picture and
    of its caption against what they were given and what they gave back.
    """

    def register(draw: Callable[[], str]) -> Callable[[], str]:
        name = draw.__name__.removesuffix("_picture")
        PICTURES[name] = Picture(name, measures, draw)
        return draw

    return register


def column_of(frame: pl.DataFrame, column: str, key: str = "org_id") -> dict[str, Any]:
    """Return a column as key → value."""
    return dict(frame.select(key, column).iter_rows())


def short(value: float, digits: int = 2) -> str:
    """Write a number with as few digits as say it."""
    return f"{round(value, digits):g}"


def percent(value: float) -> str:
    """Write a share in percent."""
    return f"{round(value * 100)} %"
