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
    runs: list[DraggedRun] = []
    start = 0
    before: tuple[str, int, str] | None = None

    def close(stop: int) -> None:
        if before is not None and stop - start + 1 >= MIN_RUN:
            runs.append(
                DraggedRun(start, stop, before[1] - (stop - start), before[1], str(cells[start]))
            )

    for i, value in enumerate(cells):
        now: tuple[str, int, str] | None = None
        if type(value) is str and value and value[-1:].strip():
            found = _LAST_NUMBER.match(value)
            words = (
                re.sub(r"[\W\d_]+", "", (found.group(1) or "") + found.group(3)) if found else ""
            )
            if found and len(words) >= 3:
                now = (found.group(1) or "", int(found.group(2)), found.group(3))
        continues = (
            now is not None
            and before is not None
            and now[0] == before[0]
            and now[2] == before[2]
            and now[1] == before[1] + 1
        )
        if not continues:
            close(i - 1)
            start = i
        before = now
    close(len(cells) - 1)
    return runs
