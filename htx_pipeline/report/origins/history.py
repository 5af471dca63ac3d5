"""Figures of years before: points of trends, and both sides of what changed.

What belongs here: the rows of the year that a point stands for. What does not: the rows of this year's
figures (`places`, `clusters`), matching clusters of two years (`htx_pipeline.metrics.history`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from htx_pipeline.report.origins import clusters, indicators
from htx_pipeline.report.origins.model import Origin, Part, value
from htx_pipeline.report.origins.places import WHOLE, Scope, total_parts
from htx_pipeline.report.origins.rows import Year

OTHER_YEAR: Final = Origin(why="other_year")

Years = Callable[[str], Year]


def cluster_point(year: Year, now: Year, ident: str, key: str) -> Origin | None:
    """Return a point of a cluster's trend: this year's members, in the year of the point."""
    if not year.has_rows:
        return OTHER_YEAR
    ids = now.keep(("members", ident), lambda: _members(now, ident))
    through = ("graph/edges", clusters.LEIDEN, f"metrics/cluster_history: thành viên của cụm kỳ {now.period}, số liệu kỳ {year.period}")  # fmt: skip
    if key == "income":
        made = clusters.member_income(year, ident, ids)
        return Origin(made.parts, made.formula, through=through)
    if key in ("organisations", "cooperatives"):
        register = year.organisations
        members = year.of_organisations(sorted(ids))
        is_counted = (
            register.array("is_htx") if key == "cooperatives" else register.stated("org_id")
        )
        return value(register, register.where(members, is_counted), "rows", through=through)
    return _followed(year, now, ident, key, through=through)


def _followed(
    year: Year, now: Year, ident: str, key: str, *, through: tuple[str, ...]
) -> Origin | None:
    """Return a point that is made of the linkages among the members."""
    columns = {"contracted": "contracted_value_vnd", "paid": "paid_value_vnd", "linkages": "n_linkages"}  # fmt: skip
    ids = now.keep(("members", ident), lambda: _members(now, ident))
    table = year.linkages
    own = year.keep(("followed", ident), lambda: _between(year, ids))
    if key == "executed":
        basis = _basis(now, ident, year.period)
        return clusters.executed(year, own, "" if basis == "links" else "contracted_value_vnd", through=through)  # fmt: skip
    if key not in columns:
        return None
    column = columns[key]
    if column == "n_linkages":
        return value(table, own, "rows", through=through)
    at = table.where(own, table.stated(column))
    # A year with linkages of which none is theirs: 0, counted over no row.
    return value(table, at, "sum", column, through=through) if len(own) else value(table, own, "rows", through=through)  # fmt: skip


def _members(year: Year, ident: str) -> frozenset[str]:
    return frozenset(o for o, c in year.cluster_of.items() if c == ident)


def _between(year: Year, ids: frozenset[str]) -> Any:
    table = year.linkages
    sells, buys = (table.having(f"{end}_id", sorted(ids)) for end in ("supplier", "buyer"))
    at = np.intersect1d(sells, buys).astype(np.int32)
    return table.where(at, table.array("rank") >= 2)


def _basis(now: Year, ident: str, year: str) -> str | None:
    rows = now.keep("bases", lambda: {(r["cluster_id"], str(r["year"])): r["executed_share_basis"] for r in now.frame("metrics/cluster_history", "cluster_id", "year", "executed_share_basis").to_dicts()})  # fmt: skip
    return rows.get((ident, year))  # type: ignore[no-any-return]


PLACE_POINTS: Final = {
    "n_cooperatives": ("n_cooperatives", None),
    "linked_share": ("n_linked_signed", "n_cooperatives"),
    "executed_share": ("n_linked_executed", "n_cooperatives"),
    "contracted_value_vnd": ("contracted_value_vnd_signed", None),
    "paid_value_vnd": ("paid_value_vnd", None),
    "reported_share": ("n_reported", "n_cooperatives"),
}


def place_point(year: Year, scope: Scope, key: str) -> Origin | None:
    """Return a point of a place's trend: the figure of that year, from that year's rows."""
    if key not in PLACE_POINTS:
        return None
    if not year.has_rows:
        return OTHER_YEAR
    through = ("metrics/localities", f"metrics/locality_history: số liệu kỳ {year.period}")
    part, whole = PLACE_POINTS[key]
    if whole is None:
        return Origin(total_parts(year, scope, part, "counted"), "value", through=through)
    return Origin(
        (*total_parts(year, scope, part, "numerator"), *total_parts(year, scope, whole, "denominator")), "ratio", through=through
    )  # fmt: skip


def change(years: Years, now: Year, row: dict[str, Any], side: str) -> Origin | None:  # fmt: skip
    """Return one side of a change, ``before`` or ``after``.

    Parameters
    ----------
    row:
        The row of `metrics/standing_changes`.
    """
    year = now if side == "after" else years(row["previous_period"])
    if not year.has_rows:
        return OTHER_YEAR
    made = _change(year, now, row)
    if made is None:
        return None
    return Origin(made.parts, made.formula, made.why, (*made.through, "metrics/standing_changes"), made.rejected)  # fmt: skip


def _change(year: Year, now: Year, row: dict[str, Any]) -> Origin | None:
    ident, measure = row["subject_id"], row["measure"]
    if row["subject"] == "locality":
        level = measure.removeprefix("linked_").removesuffix("_share")
        scope = Scope("locality", ident)
        parts = (*total_parts(year, scope, f"n_linked_{level}", "numerator"), *total_parts(year, scope, "n_cooperatives", "denominator"))  # fmt: skip
        return Origin(parts, "ratio", through=("metrics/localities",))
    if row["subject"] == "indicator":
        _, code, denominator, _ = ident.rsplit("|", 3)
        return indicators.indicator(year, WHOLE, code, denominator, indicators.held_evidence(code, denominator))  # fmt: skip
    if row["subject"] == "task":
        task, _, locality = ident.rpartition("|")
        return indicators.tasks(year, "progress_share", *indicators.task_tests(year, task=task, locality=locality))  # fmt: skip
    if row["subject"] == "cluster":
        return _cluster(year, ident if year is now else _match(now, year, ident), measure)
    return _cooperative(year, ident, measure)


def _cluster(year: Year, ident: str | None, measure: str) -> Origin | None:
    if ident is None:
        return None
    if measure in ("paid_value_vnd", "contracted_value_vnd", "largest_buyer_share"):
        return clusters.cluster(year, ident, measure)
    rows = year.linkages.set(clusters.linkages_of(year, ident))
    return Origin((Part("evidence", rows),), why="model", through=clusters.INSIDE)


def _cooperative(year: Year, org: str, measure: str) -> Origin:
    table = year.linkages
    both = np.union1d(table.by("supplier_id", org), table.by("buyer_id", org)).astype(np.int32)
    both = table.where(both, table.array("is_between"))
    own = Part("evidence", year.organisations.set(year.of_organisations([org])))
    if measure == "evidence_level":
        if not len(both):
            return Origin((Part("counted", table.set(both), "rows"), own), "value")
        return Origin((Part("counted", table.set(both), "max", "rank"), own), "value")
    sent = Part("counted", year.reports.set(year.reports.by("org_id", org)), "rows")
    return Origin((sent, own), "value", through=("metrics/reporting_roster",))


def _match(now: Year, before: Year, ident: str) -> str | None:
    rows = now.keep("matches", lambda: {(r["cluster_id"], str(r["year"])): r["matched_cluster_id"] for r in now.frame("metrics/cluster_history", "cluster_id", "year", "matched_cluster_id").to_dicts()})  # fmt: skip
    return rows.get((ident, before.period))  # type: ignore[no-any-return]


def changed(now: Year, subject: str, kind: str) -> Origin:
    """Return the rows of what changed in one way, to be counted by eye: the rows it stands on this year."""
    rows = [r for r in changes(now).values() if r["subject"] == subject and r["change"] == kind]
    register, table = now.organisations, now.linkages
    ids = [r["subject_id"] for r in rows]
    parts: list[Part] = []
    if subject == "cooperative":
        parts.append(Part("evidence", register.set(now.of_organisations(ids))))
    elif subject == "cluster":
        parts.append(Part("evidence", table.set(table.having("home", ids))))
    elif subject == "locality":
        parts.append(Part("evidence", register.set(register.having("locality", ids))))
    elif subject == "task":
        tasks = now.table("plan_tasks")
        names = {tuple(i.rsplit("|", 1)) for i in ids}
        at = [(t, p) in names for t, p in zip(tasks.array("task").tolist(), tasks.array("locality").tolist(), strict=True)]  # fmt: skip
        parts.append(Part("evidence", tasks.set(tasks.all[at] if tasks.height else tasks.all)))
    return Origin(tuple(parts), why="changes", through=("metrics/standing_changes",))


def changes(now: Year) -> dict[str, dict[str, Any]]:
    """Return the rows of `metrics/standing_changes` by the name of their line."""
    wanted = ("previous_period", "subject", "subject_id", "measure", "change")
    return now.keep("changes", lambda: {  # type: ignore[no-any-return]
        "|".join((r["subject"], r["subject_id"], r["measure"])): r for r in now.frame("metrics/standing_changes", *wanted).to_dicts()
    })  # fmt: skip
