"""Dragged cells: text whose number counts up by one from row to row.

What belongs here: recognising a spreadsheet's fill handle in a column of otherwise equal text
("… Suppliers - 2021", "… - 2022", "… - 2023"). What does not: plain index columns (1, 2, 3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

MIN_RUN: Final = 12
"""Rows that must count up in a row before it is called dragging."""

_LAST_NUMBER: Final = re.compile(r"^(.*?\D)?(\d{1,9})(\D*)$", re.DOTALL)


@dataclass(frozen=True)
class DraggedRun:
    """Positions *start* to *stop* (inclusive) whose numbers run from *first* to *last*."""

    start: int
    stop: int
    first: int
    last: int
    text: str


def _parts(value: Any) -> tuple[str, int, str] | None:
    """Return what stands before, in and after the last number of a text with words; else None."""
    if type(value) is not str or not value:
        return None
    found = _LAST_NUMBER.match(value)
    if found is None:
        return None
    before, after = found.group(1) or "", found.group(3)
    words = re.sub(r"[\W\d_]+", "", before + after)
    return (before, int(found.group(2)), after) if len(words) >= 3 else None


def _follows(before: tuple[str, int, str] | None, now: tuple[str, int, str] | None) -> bool:
    if before is None or now is None:
        return False
    return now[0] == before[0] and now[2] == before[2] and now[1] == before[1] + 1


def dragged_runs(cells: Sequence[Any]) -> list[DraggedRun]:
    """Return runs of at least `MIN_RUN` cells with the same words and a number that grows by one.

    Cells that are a bare number are passed over: an index column is no mistake.

    Examples
    --------
    >>> cells = [f"Suppliers - {2021 + i}" for i in range(20)]
    >>> dragged_runs(cells)[0].last
    2040
    >>> dragged_runs(list(range(100)))
    []
    """
    # A run of MIN_RUN rows holds two neighbours at one of these places.
    places = range(0, len(cells) - 1, MIN_RUN // 2)
    if not any(_follows(_parts(cells[i]), _parts(cells[i + 1])) for i in places):
        return []
    runs: list[DraggedRun] = []
    start = 0
    before: tuple[str, int, str] | None = None

    def close(stop: int) -> None:
        if before is not None and stop - start + 1 >= MIN_RUN:
            runs.append(
                DraggedRun(start, stop, before[1] - (stop - start), before[1], str(cells[start]))
            )

    for i, value in enumerate(cells):
        now = _parts(value)
        continues = _follows(before, now)
        if not continues:
            close(i - 1)
            start = i
        before = now
    close(len(cells) - 1)
    return runs
