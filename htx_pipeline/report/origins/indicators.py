"""Indicators, targets and tasks: numerator over denominator, held against what a plan sets.

What belongs here: the rows of each measure of `htx_pipeline.metrics.indicators`, and of its target. What
does not: the totals that they divide (`places`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.metrics.indicators import all_measures
from htx_pipeline.metrics.linkage import UNKNOWN
from htx_pipeline.metrics.rates import Measure
from htx_pipeline.reference.targets import target_lines
from htx_pipeline.report.origins.model import Formula, Origin, Part
from htx_pipeline.report.origins.places import WHOLE, Scope, income, left_out, total_parts
from htx_pipeline.report.origins.rows import TableRows, Year

TARGETS: Final = "reference/targets"
TARGETS_FILE: Final = "htx_pipeline/reference/data/targets.toml"


@cache
def measures() -> Mapping[tuple[str, str, str | None], Measure]:
    """Return the measures by (indicator, denominator, evidence)."""
    return {(m.indicator, m.denominator, m.evidence): m for m in all_measures()}


def scope_of(locality: str | None, *, whole: str = "province") -> Scope:
    """Return the scope of a row of `metrics/indicators`."""
    if locality in ("province", whole):
        return WHOLE
    return Scope("locality", None if locality == UNKNOWN else locality)


def indicator(
    year: Year, scope: Scope, code: str, denominator: str, evidence: str | None, *, what: str = "value"
) -> Origin | None:  # fmt: skip
    """Return what an indicator is made of: its value, its ``numerator``, ``denominator`` or ``n``.

    None where there is no such measure.
    """
    m = measures().get((code, denominator, evidence))
    if m is None:
        return None
    name = f"{code} / {denominator}" + (f" / {evidence}" if evidence else "")
    made = f"{m.numerator} ÷ {m.total}" if m.total else m.numerator
    through = ("metrics/indicators", f"metrics/indicators: {name} = {made}")
    tables = [t for t in m.source_tables.split("+") if t != "reference"]
    rejected = left_out(year, scope, *tables)
    if what == "n":
        return Origin(total_parts(year, scope, m.n, "counted"), "value", through=through, rejected=rejected)  # fmt: skip
    if what == "denominator":
        return Origin(total_parts(year, scope, m.total or m.numerator, "counted"), "value", through=through, rejected=rejected)  # fmt: skip
    if m.numerator in ("member_income_vnd", "worker_income_vnd"):
        who = m.numerator.removesuffix("_income_vnd")
        return Origin(income(year, scope, who), "ratio", through=through, rejected=rejected)
    if m.total is None or what == "numerator":
        return Origin(total_parts(year, scope, m.numerator, "counted"), "value", through=through, rejected=rejected)  # fmt: skip
    parts = (
        *total_parts(year, scope, m.numerator, "numerator"),
        *total_parts(year, scope, m.total, "denominator"),
    )
    return Origin(parts, "ratio", through=through, rejected=rejected)


def held_evidence(code: str, denominator: str, *, evidence: str = "active") -> str | None:
    """Return the level at which `metrics/plan_progress` holds an indicator against a target."""
    return evidence if (code, denominator, evidence) in measures() else None


# --------------------------------------------------------------------------- targets


def reference_targets(year: Year) -> TableRows:
    """Return the targets of resolutions and plans that come with the package, with their lines in its file."""
    return year.keep(TARGETS, lambda: TableRows(TARGETS, _reference_targets()))  # type: ignore[no-any-return]


def _reference_targets() -> pl.DataFrame:
    line = pl.col("line")
    return target_lines().with_columns(
        source_file=pl.lit(TARGETS_FILE), source_sheet=pl.lit("[[targets]]"), source_row=line,
        source_id=pl.format("reference:targets:{}", line),
    )  # fmt: skip


def target(year: Year, document: str, code: str, denominator: str, by: int) -> Part | None:
    """Return the row that sets a target: the plan's own, else the entry of the reference list."""
    for table in (year.table("plan_targets"), reference_targets(year)):
        if not table.height:
            continue
        at = table.where(
            table.by("indicator", code), table.array("document") == document,
            table.array("denominator") == denominator, table.array("target_year") == by,
        )  # fmt: skip
        if len(at):
            return Part("taken_off", table.set(at[:1]), "sum", "value")
    return None


def progress(year: Year, ident: str, column: str) -> Origin | None:
    """Return what a column of a line of plan progress is made of: ``target``, ``actual``, ``gap``.

    Parameters
    ----------
    ident:
        "document|indicator|denominator|year", the line's name for good.
    """
    document, code, denominator, by = ident.rsplit("|", 3)
    goal = target(year, document, code, denominator, int(by))
    if goal is None and column in ("target", "gap"):
        return Origin(why="no_row", through=("metrics/plan_progress",))
    if goal is not None and column == "target":
        own = Part("counted", goal.rows, "sum", "value")
        return Origin((own,), "value", through=("metrics/plan_progress",))
    made = indicator(year, WHOLE, code, denominator, held_evidence(code, denominator))
    return against(made, goal) if column == "gap" else made


def against(made: Origin | None, goal: Part | None) -> Origin | None:
    """Return how far a figure is from its target."""
    if made is None or goal is None:
        return None
    formula: Formula = "ratio_difference" if made.formula == "ratio" else "difference"
    through = (*made.through, "metrics/plan_progress")
    return Origin((*made.parts, goal), formula, through=through, rejected=made.rejected)


# --------------------------------------------------------------------------- tasks


def tasks(year: Year, column: str, *tests: Any) -> Origin:
    """Return what a column of tasks is made of: a count, a status, or the mean progress."""
    table = year.table("plan_tasks")
    at = table.where(table.all, *tests)
    through = ("core/plan_tasks",)
    if column in ("progress", "progress_share"):
        at = table.where(at, table.stated("progress_share"))
        rows = table.set(at)
        return Origin((Part("numerator", rows, "sum", "progress_share"), Part("denominator", rows, "rows")), "ratio", through=through)  # fmt: skip
    return Origin((Part("counted", table.set(at), "rows"),), "value", through=through)


def task_tests(year: Year, **wanted: Any) -> tuple[Any, ...]:
    """Return tests for tasks with these values."""
    table = year.table("plan_tasks")
    return tuple(table.array(k) == v for k, v in wanted.items())


def overdue(year: Year, today: Any) -> Any:
    """Return which tasks are past their deadline, and neither done nor already reported late."""
    table = year.table("plan_tasks")
    due, status = table.array("due_on").tolist(), table.array("status").tolist()
    return np.array([d is not None and d < today and s not in ("done", "late") for d, s in zip(due, status, strict=True)], dtype=bool)  # fmt: skip
