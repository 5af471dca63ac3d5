"""What an arriving file is to the reports in force: a new one, a version, corrected rows, or undecidable.

What belongs here: comparing what a file is about with what the active reports of its form and year are
about (`relate`). What does not: recognising the file (`inbox_places`), where it lies and what is written
down about it (`inbox`), and putting corrected rows in their place (`partial`).

Nothing here looks at a file's time: the caller asks in the order in which files arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from htx_pipeline.ingest.inbox_places import Place
from htx_pipeline.ingest.partial import PARTIAL_BELOW

SAME_REPORT_SHARE: Final = PARTIAL_BELOW
"""Two files of one form and year are versions of one report from this share of common rows (Jaccard)."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a file is to the reports in force.

    Attributes
    ----------
    code:
        Its fate (`inbox_ledger.TEXTS`).
    parts:
        What the sentences of that fate name.
    replaces:
        Entries of the ledger whose place the file takes.
    corrects:
        The entry of the report of which the file holds corrected rows.
    """

    code: str
    parts: tuple[object, ...] = ()
    replaces: tuple[dict[str, Any], ...] = ()
    corrects: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Rival:
    """An active report of the same form that shares a year with the file.

    Attributes
    ----------
    entry, shared, share:
        Its entry, how many things both are about, and their Jaccard share.
    holds_all:
        Whether it is about all that the file is about.
    has_other_years:
        Whether it holds years that the file does not: the file can then not take its place.
    is_held:
        Whether the file is about all that it is about, in all its years.
    """

    entry: dict[str, Any]
    shared: int
    share: float
    holds_all: bool
    has_other_years: bool
    is_held: bool


def relate(place: Place, active: Sequence[dict[str, Any]]) -> Relation:
    """Return what a file is to the reports in force.

    Parameters
    ----------
    place:
        Where the file belongs and what its rows are about.
    active:
        Entries of the ledger in force, oldest first (`inbox_ledger.active`).

    Returns
    -------
    Relation
        A file that says it is a correction never takes the place of rows that it does not restate, and
        waits (``correction_early``) where no report holds any of its rows. A file that holds every row
        of smaller reports, and more, takes their place (``fuller_version``).
    """
    rivals = _rivals(place, active)
    if place.is_single:
        return _relate_single(place, rivals, active)
    best = max(rivals, key=lambda r: (r.share, r.entry["entry"]), default=None)
    if best is None or not best.shared:
        return _first(place)
    if best.share < SAME_REPORT_SHARE or best.has_other_years:
        return _relate_apart(place, [r for r in rivals if r.shared])
    if place.is_correction and best.holds_all and not best.is_held:
        return _corrects(place, best.entry)
    replaced = [best, *(r for r in rivals if r.is_held and r.shared and r is not best)]
    names = "», «".join(r.entry["file"] for r in replaced)
    return Relation("newer_version", (names,), tuple(r.entry for r in replaced))


def _relate_apart(place: Place, touched: Sequence[_Rival]) -> Relation:
    """Compare with reports that share rows with the file and are no version of it."""
    names = "; ".join(f"«{r.entry['file']}»" for r in touched)
    whole = [r for r in touched if r.holds_all]
    if whole and len(touched) == 1:
        return _corrects(place, whole[0].entry)
    if whole:
        return Relation("correction_of_several", (len(place.row_keys), names))
    if not place.is_correction and all(r.is_held for r in touched):
        more = len(set(place.row_keys).difference(*(r.entry["row_keys"] for r in touched)))
        return Relation("fuller_version", (names, more), tuple(r.entry for r in touched))
    first = touched[0]
    others = len(place.row_keys) - first.shared
    return Relation("overlapping_report", (first.entry["file"], first.shared, others))


def _relate_single(
    place: Place, rivals: Sequence[_Rival], active: Sequence[dict[str, Any]]
) -> Relation:
    """Where the mapping reads one file, whatever lies there is its earlier version."""
    there = [r for r in active if r["placed_at"] == place.path]
    mine = [r for r in rivals if there and r.entry is there[0]]
    is_part = bool(mine) and mine[0].shared > 0 and mine[0].holds_all
    if is_part and (
        mine[0].share < SAME_REPORT_SHARE or (place.is_correction and not mine[0].is_held)
    ):
        of = len(mine[0].entry["row_keys"])
        return Relation("correction_without_room", (there[0]["file"], len(place.row_keys), of))
    if place.is_correction and not any(r.shared for r in mine):
        return _first(place)
    if there:
        return Relation("newer_version", (there[0]["file"],), (there[0],))
    return _first(place)


def _first(place: Place) -> Relation:
    if place.is_correction:
        return Relation("correction_early", (len(place.row_keys), "; ".join(place.periods)))
    return Relation("new_report")


def _corrects(place: Place, entry: dict[str, Any]) -> Relation:
    return Relation("partial_correction", (entry["file"], len(place.row_keys)), corrects=entry)


def _rivals(place: Place, active: Sequence[dict[str, Any]]) -> list[_Rival]:
    keys, ids = set(place.row_keys), "; ".join(place.mapping_ids)
    rivals = []
    for row in active:
        if row["corrects"] is not None or row["mapping_ids"] != ids:
            continue
        years = set(row["periods"].split("; "))
        if not years & set(place.periods):
            continue
        theirs = set(row["row_keys"] or ())
        both, either = len(keys & theirs), len(keys | theirs)
        others = not years <= set(place.periods)
        rivals.append(
            _Rival(
                row, both, both / either if either else 0.0, holds_all=both == len(keys), has_other_years=others, is_held=both == len(theirs) and not others,
            )
        )  # fmt: skip
    return rivals
