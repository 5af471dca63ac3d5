"""What is called a gap of a cluster, and what to do about it: dated, sourced data.

What belongs here: reading `data/actions.toml`, and finding the plan's task that an action falls
under. What does not: finding the gaps (`htx_pipeline.report.gaps`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

WHOLE: Final = ("Toàn tỉnh", "toàn tỉnh")
"""How a plan names the whole province as the place of a task."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about one kind of gap.

    ``rank``: its place in the list, the most pressing first. ``source_vi``, ``source_en``: what the
    action rests on; ``is_verified``: that was read in the document.
    """

    gap: str
    rank: int
    action_vi: str
    action_en: str
    task_indicators: tuple[str, ...]
    task_keywords: tuple[str, ...]
    source_vi: str
    source_en: str
    is_own: bool
    valid_from: date
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """From which value on a figure is called a gap."""

    limit_id: str
    comparator: str
    value: float
    value_unit: str
    note_vi: str
    note_en: str
    is_verified: bool

    def is_reached(self, value: float | None) -> bool:
        """Return whether *value* is on the gap's side; never where it is undefined.

        Examples
        --------
        >>> limits()["executed_share"].is_reached(0.3), limits()["executed_share"].is_reached(None)
        (True, False)
        """
        if value is None:
            return False
        return {
            "<": value < self.value,
            "<=": value <= self.value,
            ">": value > self.value,
            ">=": value >= self.value,
        }[self.comparator]


@cache
def _raw() -> dict[str, Any]:
    path = resources.files("htx_pipeline.reference").joinpath("data/actions.toml")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def actions() -> Mapping[str, Action]:
    """Return gap → action, the most pressing first.

    Examples
    --------
    >>> actions()["one_buyer"].is_verified
    False
    """
    raw = _raw()
    found = {}
    for rank, item in enumerate(raw["actions"]):
        source = raw["sources"][item["source"]]
        found[item["gap"]] = Action(
            gap=item["gap"], rank=rank, action_vi=item["action_vi"], action_en=item["action_en"],
            task_indicators=tuple(item["task_indicators"]), task_keywords=tuple(item["task_keywords"]),
            source_vi=source["document_vi"], source_en=source["document_en"], is_own=item["source"] == "own",
            valid_from=source["valid_from"], is_verified=source["verified"],
        )  # fmt: skip
    return found


@cache
def limits() -> Mapping[str, Limit]:
    """Return the limits by id.

    Examples
    --------
    >>> limits()["largest_buyer_share"].value
    0.5
    """
    raw = _raw()
    return {
        item["limit_id"]: Limit(
            limit_id=item["limit_id"], comparator=item["comparator"], value=float(item["value"]),
            value_unit=item["value_unit"], note_vi=item["note_vi"], note_en=item["note_en"],
            is_verified=raw["sources"][item["source"]]["verified"],
        )
        for item in raw["limits"]
    }  # fmt: skip


def _key(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).casefold().split())


def task_for(
    action: Action, tasks: Iterable[Mapping[str, Any]], *, locality: str | None
) -> Mapping[str, Any] | None:
    """Return the task of the plan that *action* falls under; None where none fits.

    A task fits by its indicator, in the order of the action's list, else by a keyword in its text
    (whole words, accents count). Of those that fit equally well, the one for *locality* comes before
    that for the whole province, then the smaller number. A task for another place never fits.

    Parameters
    ----------
    action:
        What is to be done.
    tasks:
        Rows of `core/plan_tasks`: ``task_number``, ``task``, ``department``, ``locality``,
        ``indicator``, ``document``. Rows without a department name nobody and are left out.
    locality:
        Where the cluster mainly is.

    Examples
    --------
    >>> rows = [{"task_number": "5", "task": "Hỗ trợ chế biến", "department": "Sở A", "locality": "Toàn tỉnh", "indicator": None}]
    >>> task_for(actions()["stage_missing.processing"], rows, locality="Huyện X")["department"]
    'Sở A'
    >>> task_for(actions()["not_reported"], rows, locality="Huyện X") is None
    True
    """
    best: tuple[tuple[Any, ...], Mapping[str, Any]] | None = None
    for task in tasks:
        place = task.get("locality")
        is_whole = place is None or place in WHOLE
        if not task.get("department") or not (is_whole or place == locality):
            continue
        words = _key(str(task.get("task") or ""))
        keywords = [
            i
            for i, k in enumerate(action.task_keywords)
            if re.search(rf"(?<!\w){re.escape(_key(k))}(?!\w)", words)
        ]
        if task.get("indicator") in action.task_indicators:
            fit = (0, action.task_indicators.index(str(task["indicator"])))
        elif keywords:
            fit = (1, keywords[0])
        else:
            continue
        number = str(task.get("task_number") or "")
        order = (*fit, is_whole, len(number), number, str(task.get("task") or ""))
        if best is None or order < best[0]:
            best = (order, task)
    return best[1] if best else None
