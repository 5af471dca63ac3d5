"""The truth: a seeded synthetic province, as canonical tables over reporting years.

What belongs here: drawing organisations, linkages, reports and the rest so that they fit the margins
of `facts`. What does not: files, forms and mistakes (`write`, `mess`).

Every part draws from its own random stream, named, so that adding a draw to one part leaves the
others as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.sample.actors import draw_enterprises, draw_growers, organisation_rows
from htx_pipeline.sample.contracts import draw_linkages
from htx_pipeline.sample.facts import KNOWN_PERIODS
from htx_pipeline.sample.yearbook import (
    draw_commendations,
    draw_plan_targets,
    draw_plan_tasks,
    draw_regional_accounts,
    draw_reports,
    draw_trainings,
)
from htx_pipeline.schemas import PROVENANCE, TABLES


@dataclass(frozen=True)
class SampleProvince:
    """The clean synthetic province: one frame per canonical table, each conforming to its schema.

    Attributes
    ----------
    seed, periods:
        What it was made from.
    organisations, cooperative_reports, linkages, trainings, commendations, plan_targets, plan_tasks, \
regional_accounts:
        The truth, before forms and mess. Ids of organisations without a tax code, and linkage ids,
        are the sample's own.
    """

    seed: int
    periods: tuple[str, ...]
    organisations: pl.DataFrame
    cooperative_reports: pl.DataFrame
    linkages: pl.DataFrame
    trainings: pl.DataFrame
    commendations: pl.DataFrame
    plan_targets: pl.DataFrame
    plan_tasks: pl.DataFrame
    regional_accounts: pl.DataFrame

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the frames by table name."""
        return {name: getattr(self, name) for name in TABLES}


def _check_arguments(periods: Sequence[str], sizes: Mapping[str, int]) -> None:
    if (
        not periods
        or sorted(set(periods)) != list(periods)
        or not set(periods) <= set(KNOWN_PERIODS)
    ):
        raise InputError(
            "The sample province is made for reporting years 2023, 2024 and 2025, in order.",
            where=f"periods={tuple(periods)!r}",
            remedy="Name some of 2023, 2024, 2025, each once, in order.",
            code="sample_periods",
        )
    for name, least in (("n_cooperatives", 40), ("n_enterprises", 40), ("n_linkages", 200)):
        if sizes[name] < least:
            raise InputError(
                "The sample province would be too small to hold its nine chains.",
                where=f"{name}={sizes[name]}",
                remedy=f"Use at least {least}.",
                code="sample_size",
            )


def generate(
    *,
    seed: int = 20,
    periods: Sequence[str] = KNOWN_PERIODS,
    n_cooperatives: int = 240,
    n_enterprises: int = 150,
    n_linkages: int = 1_500,
) -> SampleProvince:
    """Draw the province.

    Parameters
    ----------
    seed:
        Same seed, same frames.
    periods:
        Reporting years, some of 2023, 2024, 2025. The first two are written with the units before 1
        July 2025 (102 communes in 10 districts), 2025 with the 40 units after.
    n_cooperatives:
        Cooperatives registered in the first year; the register then grows by about 5 % a year net.
    n_enterprises:
        Enterprises and household businesses that trade in what the cooperatives grow.
    n_linkages:
        Linkages in each year.

    Returns
    -------
    SampleProvince
        One frame per canonical table (`htx_pipeline.schemas.TABLES`), sorted by its key.

    Raises
    ------
    InputError
        A year the sample has no form for, or too few organisations or linkages.

    Examples
    --------
    >>> province = generate(periods=("2023",))
    >>> province.linkages.height
    1500
    """
    periods = tuple(periods)
    _check_arguments(
        periods,
        {
            "n_cooperatives": n_cooperatives,
            "n_enterprises": n_enterprises,
            "n_linkages": n_linkages,
        },
    )
    growers = draw_growers(seed, periods, n_cooperatives)
    traders = draw_enterprises(seed, periods, n_enterprises)
    orgs = growers + traders
    linkage_rows = draw_linkages(seed, periods, orgs, n_linkages)
    report_rows = draw_reports(seed, periods, growers, linkage_rows)
    rows = {
        "organisations": organisation_rows(periods, orgs),
        "cooperative_reports": report_rows,
        "linkages": linkage_rows,
        "trainings": draw_trainings(seed, periods, growers),
        "commendations": draw_commendations(seed, periods, growers),
        "plan_targets": draw_plan_targets(periods),
        "plan_tasks": draw_plan_tasks(seed, periods),
        "regional_accounts": draw_regional_accounts(periods, report_rows),
    }
    frames = {}
    for name, records in rows.items():
        table = TABLES[name]
        provenance = {c.name for c in PROVENANCE}
        schema = {k: v for k, v in table.schema.items() if k not in provenance}
        frame = pl.DataFrame([{k: r.get(k) for k in schema} for r in records], schema=schema)
        frame = frame.sort(table.key if "period" in table.key else ("period", *table.key))
        frame = frame.with_columns(
            source_file=pl.lit("sample"),
            source_sheet=pl.lit(name),
            source_row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            source_id=pl.format("sample:{}:{}", pl.lit(name), pl.int_range(1, pl.len() + 1)),
        )
        frames[name] = table.conform(frame)
    return SampleProvince(seed=seed, periods=periods, **frames)
