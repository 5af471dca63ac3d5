"""The long table of indicators: every province and locality figure under its own denominator.

What belongs here: putting the measures of `linkage` and the plain counts and means together, once.
What does not: formulas of their own; comparing with targets (`plan`).
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from htx_pipeline.metrics._tabular import Native, enter, leave
from htx_pipeline.metrics.linkage import totals
from htx_pipeline.metrics.rates import (
    Measure,
    coverage_measures,
    execution_measures,
    measure_frame,
    official_measures,
)


def count_measures() -> tuple[Measure, ...]:
    """Return the counts, sums and means that plans set targets for."""
    org, told = "organisations", "cooperative_reports"
    return (
        Measure("n_cooperatives", "none", "n_cooperatives", None, "organisation", "n_cooperatives", org),
        Measure("n_active_cooperatives", "none", "n_active", None, "organisation", "n_cooperatives", org),
        Measure("n_agricultural_cooperatives", "none", "n_agricultural", None, "organisation", "n_vsic", org),
        Measure("n_cooperative_groups", "none", "n_cooperative_groups", None, "organisation", "n_cooperative_groups", org),
        Measure("n_unions", "none", "n_unions", None, "organisation", "n_unions", org),
        Measure("active_share", "all_htx", "n_active", "n_cooperatives", "share", "n_cooperatives", org, is_count_share=True),
        Measure("reporting_share", "all_htx", "n_reported", "n_cooperatives", "share", "n_cooperatives",
                f"{org}+{told}", is_count_share=True),
        Measure("official_members", "none", "official_members", None, "person", "n_members_stated", told),
        Measure("members_per_cooperative", "reporting_htx", "official_members", "n_members_stated", "person",
                "n_members_stated", told),
        Measure("revenue_vnd", "none", "revenue_vnd", None, "VND", "n_revenue_stated", told),
        Measure("revenue_per_cooperative_vnd", "none", "revenue_vnd", "n_revenue_stated", "VND", "n_revenue_stated", told),
        Measure("member_income_vnd", "none", "member_income_vnd", None, "VND", "n_member_income", told),
        Measure("worker_income_vnd", "none", "worker_income_vnd", None, "VND", "n_worker_income", told),
        Measure("managers_college_share", "managers", "managers_college", "managers", "share", "n_reported", told),
        Measure("n_high_tech", "none", "n_high_tech", None, "organisation", "n_high_tech_stated", told),
        Measure("n_high_tech_claimed", "none", "n_high_tech_claimed", None, "organisation", "n_high_tech_stated", told),
        Measure("high_tech_share", "all_htx", "n_high_tech", "n_cooperatives", "share", "n_cooperatives",
                f"{org}+{told}", is_count_share=True),
        Measure("contracted_value_vnd", "none", "contracted_value_vnd_signed", None, "VND", "n_linkages_signed",
                "linkages", evidence="signed", needs_links=True),
        Measure("paid_value_vnd", "none", "paid_value_vnd", None, "VND", "n_linkages", "linkages", needs_links=True),
        Measure("delivered_tonnes", "none", "delivered_tonnes", None, "tonnes", "n_linkages", "linkages", needs_links=True),
        Measure("n_linkages", "none", "n_linkages", None, "linkage", "n_linkages", "linkages"),
    )  # fmt: skip


def all_measures() -> Sequence[Measure]:
    """Return every measure of the long table."""
    return (
        *count_measures(),
        *coverage_measures(),
        *official_measures(),
        *execution_measures(),
    )


def from_totals(summed: Native, *, min_disclosure_count: int = 3) -> Native:
    """Compute every indicator for every locality and for the whole (locality ``province``).

    A figure that is not defined has a null value and a ``reason``
    (`htx_pipeline.metrics.rates.measure_frame`); a mean of incomes over fewer than
    ``min_disclosure_count`` cooperatives is withheld (``withheld_few``).

    Parameters
    ----------
    summed:
        The frame that `htx_pipeline.metrics.linkage.totals` returns for `core/organisations`,
        `core/cooperative_reports` and `graph/edges`; on a lazy engine, materialised.
    min_disclosure_count:
        Fewest cooperatives behind a published mean of incomes.

    Returns
    -------
    frame
        `htx_pipeline.metrics.rates.INDICATOR_COLUMNS`; key (period, locality, indicator,
        denominator, evidence).

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> from htx_pipeline.metrics.linkage import totals
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame(
    ...     {"period": ["2024"], "org_id": ["a"], "legal_type": ["htx"]}))
    >>> summed = totals(organisations, TABLES["cooperative_reports"].empty(), edges(TABLES["linkages"].empty()))
    >>> made = from_totals(summed)
    >>> made.filter(pl.col("indicator") == "chain_linked_share")["reason"].unique().to_list()
    ['no_linkages']
    """
    rows = measure_frame(enter(summed), all_measures())
    is_income = nw.col("indicator").is_in(["member_income_vnd", "worker_income_vnd"])
    withheld = nw.col("is_defined") & is_income & (nw.col("n") < min_disclosure_count)
    rows = rows.with_columns(
        nw.when(~withheld).then(nw.col("value")).alias("value"),
        nw.when(~withheld).then(nw.col("numerator")).alias("numerator"),
        nw.when(withheld).then(nw.lit("withheld_few")).otherwise(nw.col("reason")).alias("reason"),
        (nw.col("is_defined") & ~withheld).alias("is_defined"),
    )
    made = rows.sort("period", "locality", "indicator", "denominator", "evidence")
    return leave(made, like=summed)  # type: ignore[no-any-return]


def indicators(
    organisations: Native, reports: Native, edges: Native, *, min_disclosure_count: int = 3
) -> Native:
    """Add up (`linkage.totals`), then compute every indicator (`from_totals`).

    For Polars. On another engine call the two yourself with the totals stored between them: left
    lazy, they would be worked out anew for each measure.

    Parameters
    ----------
    organisations, reports, edges:
        The tables `core/organisations`, `core/cooperative_reports`, `graph/edges`.
    min_disclosure_count:
        Fewest cooperatives behind a published mean of incomes.

    Returns
    -------
    frame
        As `from_totals`.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> empty = TABLES["organisations"].empty(), TABLES["cooperative_reports"].empty()
    >>> indicators(*empty, edges(TABLES["linkages"].empty())).height
    0
    """
    summed = totals(organisations, reports, edges)
    return from_totals(summed, min_disclosure_count=min_disclosure_count)
