"""What the templates say to the person who fills them in: titles, guidance, units.

What belongs here: handing out `template_texts.toml`. What does not: what is said about one column, its
meaning and example among it, which comes from `schemas/`, and writing workbooks (`template_write`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def _words() -> dict[str, Any]:
    path = resources.files("htx_pipeline.ingest").joinpath("template_texts.toml")
    return tomllib.loads(path.read_text("utf-8"))


def title_of(table: str) -> tuple[str, str]:
    """Return the title of a table's template, in Vietnamese and in English.

    Examples
    --------
    >>> title_of("trainings")[1]
    "Training of cooperatives' staff and members"
    """
    mine = _words()["tables"][table]
    return mine["title_vi"], mine["title_en"]


def grain_of(table: str) -> str:
    """Return what one row of a table's template is, in Vietnamese.

    Examples
    --------
    >>> grain_of("organisations")
    'một tổ chức'
    """
    return str(_words()["tables"][table]["grain_vi"])


def guidance() -> tuple[str, ...]:
    """Return the lines of the instruction sheet; they name {sheet}, {first_row}, {grain}, {deadline}."""
    return tuple(_words()["guidance"])


def unit_words(unit: str) -> str:
    """Return how a template writes a unit; the unit itself where no other word is known.

    Examples
    --------
    >>> unit_words("million VND"), unit_words("mm")
    ('triệu đồng', 'mm')
    """
    return str(_words()["units_vi"].get(unit, unit))


def tables() -> frozenset[str]:
    """Return the tables that have a title."""
    return frozenset(_words()["tables"])
