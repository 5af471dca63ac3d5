"""Rates: coverage, execution, and the official rates of linkage, each under its denominators.

What belongs here: how an indicator is made from the sums of `htx_pipeline.metrics.linkage.totals`, with its
interval, or the reason why it is undefined. What does not: the sums (`linkage`), counts that plans set targets
for (`indicators`), comparison with targets (`plan`).

All functions take any engine Narwhals knows (Polars eager and lazy, DuckDB, PySpark) and return the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw

from htx_pipeline.metrics._tabular import (
    Native,
    enter,
    leave,
    pin,
    stack,
    wilson,
)
from htx_pipeline.metrics.linkage import LEVELS

INDICATOR_COLUMNS: Final = (
    "period", "locality", "indicator", "evidence", "denominator", "numerator", "denominator_value",
    "value", "value_low", "value_high", "value_unit", "n", "is_defined", "reason", "source_tables",
)  # fmt: skip
"""Columns of a frame of indicators."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How an indicator is made from a row of `totals`.

    Parameters
    ----------
    indicator, denominator:
        Codes; together with the evidence level they name the figure.
    numerator, total:
        Columns of `totals`; ``total`` None makes the numerator itself the value.
    value_unit:
        ``share``, ``organisation``, ``person``, ``VND``, …
    n:
        Column that counts what the figure rests on.
    source_tables:
        Tables it is computed from, joined by "+".
    evidence:
        Evidence level, or None.
    is_count_share:
        Numerator and denominator count the same things, one inside the other: Wilson's interval.
    needs_links, needs_execution:
        Undefined where the period has no linkages, or none that says anything of deliveries.
    """

    indicator: str
    denominator: str
    numerator: str
    total: str | None
    value_unit: str
    n: str
    source_tables: str
    evidence: str | None = None
    is_count_share: bool = False
    needs_links: bool = False
    needs_execution: bool = False


def measure_frame(summed: nw.LazyFrame[Any], measures: Sequence[Measure]) -> nw.LazyFrame[Any]:
    """Turn rows of `totals` into one row per measure, with value, interval, and reason if undefined.

    Reasons, first that applies: ``no_linkages`` (the period has none, so "0 %" would be false),
    ``execution_not_stated`` (no linkage of the period says anything of deliveries or payments),
    ``not_stated`` (nobody states the numerator), ``denominator_not_stated``, ``denominator_zero``.
    """
    summed, parts = pin(summed), []
    for m in measures:
        top = nw.col(m.numerator)
        bottom = nw.lit(1) if m.total is None else nw.col(m.total)
        reason: nw.Expr = nw.when(bottom == 0).then(nw.lit("denominator_zero"))
        reason = nw.when(bottom.is_null()).then(nw.lit("denominator_not_stated")).otherwise(reason)
        reason = nw.when(top.is_null()).then(nw.lit("not_stated")).otherwise(reason)
        if m.needs_execution:
            silent = nw.col("n_execution_stated_in_period") == 0
            reason = nw.when(silent).then(nw.lit("execution_not_stated")).otherwise(reason)
        if m.needs_links:
            absent = nw.col("n_linkages_in_period") == 0
            reason = nw.when(absent).then(nw.lit("no_linkages")).otherwise(reason)
        frame = summed.with_columns(
            reason.alias("reason"),
            top.cast(nw.Float64).alias("numerator"),
            (nw.lit(None, dtype=nw.Float64) if m.total is None else bottom.cast(nw.Float64)).alias("denominator_value"),
            bottom.cast(nw.Float64).alias("_bottom"),
        )  # fmt: skip
        is_defined = nw.col("reason").is_null()
        value = nw.when(is_defined).then(nw.col("numerator") / nw.col("_bottom"))
        nothing = nw.lit(None, dtype=nw.Float64)
        parts.append(
            frame.select(
                "period", "locality",
                nw.lit(m.indicator).alias("indicator"),
                nw.lit(m.evidence, dtype=nw.String).alias("evidence"),
                nw.lit(m.denominator).alias("denominator"),
                "numerator", "denominator_value",
                value.alias("value"),
                (nw.when(is_defined).then(wilson("numerator", "_bottom", upper=False))
                 if m.is_count_share else nothing).alias("value_low"),
                (nw.when(is_defined).then(wilson("numerator", "_bottom", upper=True))
                 if m.is_count_share else nothing).alias("value_high"),
                nw.lit(m.value_unit).alias("value_unit"),
                nw.col(m.n).cast(nw.Int64).alias("n"),
                is_defined.alias("is_defined"),
                "reason",
                nw.lit(m.source_tables).alias("source_tables"),
            )
        )  # fmt: skip
    return stack(parts)


def coverage_measures() -> tuple[Measure, ...]:
    """Return the measures of `coverage`."""
    made = []
    both, told = "organisations+linkages", "organisations+linkages+cooperative_reports"
    for level in LEVELS:
        links: dict[str, Any] = {
            "evidence": level,
            "needs_links": True,
            "needs_execution": level == "executed",
        }
        made += [
            Measure("linked_share", "all_htx", f"n_linked_{level}", "n_cooperatives", "share",
                    "n_cooperatives", both, is_count_share=True, **links),
            Measure("linked_share", "active_htx", f"n_active_linked_{level}", "n_active", "share",
                    "n_active", both, is_count_share=True, **links),
            Measure("linked_members_share", "members_of_reporting_htx", f"members_linked_{level}",
                    "official_members", "share", "n_members_stated", told, **links),
            Measure("linked_revenue_share", "revenue_of_reporting_htx", f"revenue_linked_{level}",
                    "revenue_vnd", "share", "n_revenue_stated", told, **links),
            Measure("linked_area_share", "area_of_all_linkages", f"area_ha_{level}", "area_ha_planned",
                    "share", "n_linkages", "linkages", **links),
            Measure("linked_output_share", "output_of_all_linkages", f"contracted_tonnes_{level}",
                    "contracted_tonnes_planned", "share", "n_linkages", "linkages", **links),
            Measure("linked_value_share", "value_of_all_linkages", f"contracted_value_vnd_{level}",
                    "contracted_value_vnd_planned", "share", "n_linkages", "linkages", **links),
            Measure("linked_area_ha", "none", f"area_ha_{level}", None, "ha", "n_linkages", "linkages", **links),
            Measure("linked_households", "none", f"households_{level}", None, "household",
                    "n_linkages", "linkages", **links),
        ]  # fmt: skip
    return tuple(made)


def official_measures() -> tuple[Measure, ...]:
    """Return the measures of `official_rates`."""
    told = "organisations+linkages+cooperative_reports"
    both = "organisations+linkages"
    made = [
        Measure("rated_good_fair_share", "rated", "n_good_fair", "n_rated", "share", "n_rated",
                "cooperative_reports", is_count_share=True),
        Measure("rated_good_fair_share", "all_htx", "n_good_fair", "n_cooperatives", "share", "n_cooperatives",
                "organisations+cooperative_reports", is_count_share=True),
        Measure("rated_good_fair_share", "agricultural_htx", "n_agricultural_good_fair", "n_agricultural_rated",
                "share", "n_agricultural_rated", "organisations+cooperative_reports", is_count_share=True),
    ]  # fmt: skip
    for level in LEVELS:
        links: dict[str, Any] = {
            "evidence": level,
            "needs_links": True,
            "needs_execution": level == "executed",
        }
        made += [
            Measure("chain_linked_share", "rated_good_fair", f"n_good_fair_chain_{level}", "n_good_fair",
                    "share", "n_good_fair", told, is_count_share=True, **links),
            Measure("chain_linked_share", "all_htx", f"n_chain_{level}", "n_cooperatives", "share",
                    "n_cooperatives", both, is_count_share=True, **links),
            Measure("chain_linked_good_fair_share", "all_htx", f"n_good_fair_chain_{level}", "n_cooperatives",
                    "share", "n_cooperatives", told, is_count_share=True, **links),
            Measure("offtake_share", "agricultural_htx", f"n_offtake_{level}", "n_agricultural", "share",
                    "n_agricultural", both, is_count_share=True, **links),
            Measure("enterprise_linked_share", "agricultural_htx", f"n_enterprise_linked_{level}",
                    "n_agricultural", "share", "n_agricultural", both, is_count_share=True, **links),
        ]  # fmt: skip
    return tuple(made)


def execution_measures() -> tuple[Measure, ...]:
    """Return the measures of `execution`."""
    links: dict[str, Any] = {"needs_links": True, "needs_execution": True}
    return (
        Measure("executed_linkages_share", "signed_linkages", "n_linkages_executed", "n_linkages_signed",
                "share", "n_linkages_signed", "linkages", is_count_share=True, **links),
        Measure("executed_value_share", "signed_value", "contracted_value_vnd_executed", "contracted_value_vnd_signed",
                "share", "n_linkages_signed", "linkages", **links),
        Measure("paid_over_contracted", "contracted_value_of_linkages_stating_both", "paid_value_of_both",
                "contracted_value_of_both", "ratio", "n_linkages", "linkages", **links),
        Measure("delivered_over_contracted", "contracted_tonnes_of_linkages_stating_both",
                "delivered_tonnes_of_both", "contracted_tonnes_of_both", "ratio", "n_linkages", "linkages", **links),
    )  # fmt: skip


def measured(summed: Native, measures: Sequence[Measure]) -> Native:
    """Compute measures from the frame that `totals` returns, sorted.

    On a lazy engine, hand in a materialised table: each measure reads it once.
    """
    made = measure_frame(enter(summed), measures).sort(
        "period", "locality", "indicator", "denominator", "evidence"
    )
    return leave(made, like=summed)  # type: ignore[no-any-return]


def coverage(summed: Native) -> Native:
    """How much of the sector is linked, at each evidence level (that level or a stronger one).

    By count of cooperatives (of all, of active), by their official members and revenue (of those
    that report them), and by area, contracted output and contracted value of the linkages (of all
    linkages, planned ones too: the tables hold no area or output of unlinked cooperatives, so this
    says how firm the linkages are, not how much of the province they reach).

    Formula: value = numerator / denominator_value. Counts carry Wilson's 95 % interval, which reads
    the cooperatives as draws: it says how much a share of few cooperatives could move by chance.

    Parameters
    ----------
    summed:
        The frame that `totals` returns.

    Returns
    -------
    frame
        `INDICATOR_COLUMNS`, one row per period, locality (and ``province``), measure and level.

    References
    ----------
    Wilson 1927, doi:10.2307/2276774.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.metrics.linkage import totals
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame(
    ...     {"period": ["2024"] * 3, "org_id": ["a", "b", "c"], "legal_type": ["htx", "htx", "enterprise"]}))
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"], "supplier_id": ["a"],
    ...     "buyer_id": ["c"], "product_code": ["coffee"], "evidence": ["active"]}))
    >>> made = coverage(totals(organisations, TABLES["cooperative_reports"].empty(), edges(links)))
    >>> made.filter(pl.col("indicator") == "linked_share", pl.col("denominator") == "all_htx",
    ...     pl.col("locality") == "province").select("evidence", "value", "reason").rows()
    [('active', 0.5, None), ('executed', None, 'execution_not_stated'), ('planned', 0.5, None), ('signed', 0.5, None)]
    """
    return measured(summed, coverage_measures())


def official_rates(summed: Native) -> Native:
    """Compute the official rates, each under each of its denominators.

    Three official "linked" rates stand side by side and are different indicators:

    * ``chain_linked_share`` of ``all_htx``: all cooperatives in chain linkage (the alliance of
      cooperatives' 13 %); the **flat** reading of "50 %" in NQ 20-NQ/TW. Of ``rated_good_fair``: the
      **nested** reading, which is what the Vietnamese says ("trong đó").
      ``chain_linked_good_fair_share`` of ``all_htx`` is the product of the two nested shares.
    * ``offtake_share`` of ``agricultural_htx``: those that sell under a linkage (about 25 %).
    * ``enterprise_linked_share`` of ``agricultural_htx``: those that sell to an enterprise under a
      linkage (30 % in NQ 106/NQ-CP, 50 % in the restructuring resolution of 2022).

    A cooperative is agricultural by its VSIC code (section A, or salt); without codes the two last
    are undefined. Ratings are self-assessed, and participation in chains is at most 4 of their 100
    points: a good rating says nothing of linkage.

    Parameters
    ----------
    summed:
        The frame that `totals` returns.

    Returns
    -------
    frame
        `INDICATOR_COLUMNS`.

    References
    ----------
    Nghị quyết 20-NQ/TW (16/6/2022); Nghị quyết 09/NQ-CP (2/2/2023); Nghị quyết 106/NQ-CP (18/7/2023);
    Thông tư 01/2020/TT-BKHĐT.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.metrics.linkage import totals
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame({"period": ["2024"] * 3, "org_id": ["a", "b", "c"],
    ...     "legal_type": ["htx", "htx", "enterprise"], "vsic_code": ["0126", "0119", "4632"]}))
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a"] * 2,
    ...     "buyer_id": ["c"] * 2, "product_code": ["coffee", "rice"], "evidence": ["executed", "signed"],
    ...     "contracted_value_vnd": [300, 100], "paid_value_vnd": [270, None]}))
    >>> made = official_rates(totals(organisations, TABLES["cooperative_reports"].empty(), edges(links)))
    >>> made.filter(pl.col("locality") == "province", pl.col("evidence") == "signed").select(
    ...     "indicator", "denominator", "value", "reason").rows()[1:3]
    [('chain_linked_share', 'all_htx', 0.5, None), ('chain_linked_share', 'rated_good_fair', None, 'denominator_zero')]
    """
    return measured(summed, official_measures())


def execution(summed: Native) -> Native:
    """How much of what was signed was carried out.

    ``executed_linkages_share`` counts linkages; ``executed_value_share`` is contracted value under
    executed linkages over contracted value signed (0..1); ``paid_over_contracted`` and
    ``delivered_over_contracted`` compare the two amounts of linkages that state both, and may exceed
    1. Where several linkages make one edge, all of them must state both.

    Parameters
    ----------
    summed:
        The frame that `totals` returns.

    Returns
    -------
    frame
        `INDICATOR_COLUMNS`.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.metrics.linkage import totals
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame({"period": ["2024"] * 3, "org_id": ["a", "b", "c"],
    ...     "legal_type": ["htx", "htx", "enterprise"], "vsic_code": ["0126", "0119", "4632"]}))
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a"] * 2,
    ...     "buyer_id": ["c"] * 2, "product_code": ["coffee", "rice"], "evidence": ["executed", "signed"],
    ...     "contracted_value_vnd": [300, 100], "paid_value_vnd": [270, None]}))
    >>> made = execution(totals(organisations, TABLES["cooperative_reports"].empty(), edges(links)))
    >>> made.filter(pl.col("locality") == "province").select("indicator", "value", "reason").rows()[1:]
    [('executed_linkages_share', 0.5, None), ('executed_value_share', 0.75, None), ('paid_over_contracted', 0.9, None)]
    """
    return measured(summed, execution_measures())
