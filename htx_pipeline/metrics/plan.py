"""How far the province is from what plans set, indicator by indicator and denominator by denominator.

What belongs here: joining targets to figures, and saying when the two cannot be compared. What does
not: the targets (`htx_pipeline.reference.targets`, `core/plan_targets`), the figures (`indicators`).

A few dozen targets against a table of the province's figures: Polars.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.metrics.linkage import WHOLE
from htx_pipeline.reference.targets import national_authorities

PROGRESS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "authority": pl.String(),
    "document": pl.String(),
    "scope": pl.String(),
    "indicator": pl.String(),
    "indicator_vi": pl.String(),
    "denominator": pl.String(),
    "evidence": pl.String(),
    "target_year": pl.Int64(),
    "comparator": pl.String(),
    "target_value": pl.Float64(),
    "actual_value": pl.Float64(),
    "actual_low": pl.Float64(),
    "actual_high": pl.Float64(),
    "gap": pl.Float64(),
    "value_unit": pl.String(),
    "n": pl.Int64(),
    "is_met": pl.Boolean(),
    "is_comparable": pl.Boolean(),
    "reason": pl.String(),
    "is_verified": pl.Boolean(),
    "source_address": pl.String(),
}
"""Columns of `metrics/plan_progress`."""


def plan_progress(
    targets: pl.DataFrame, indicators: pl.DataFrame, *, evidence: str = "active"
) -> pl.DataFrame:
    """Hold the figures of the whole province against targets with the same name and denominator.

    ``gap`` = actual − target, in the target's unit (shares as 0..1), and ``is_met`` by the target's
    comparator ("~" is read as at least). Both are null where the two cannot be compared, for the
    first of these reasons: ``national_total`` (a count or an amount set for the nation),
    ``indicator_not_computed`` (no figure with this name and denominator), ``unit_differs``, or the
    reason why the figure itself is undefined.

    Parameters
    ----------
    targets:
        `htx_pipeline.reference.targets.targets()`, or the table `core/plan_targets`, or both joined
        diagonally. Without a column ``scope``, or where it is null, the authority decides.
    indicators:
        The table `metrics/indicators`; only the locality ``province`` is used.
    evidence:
        Evidence level at which a figure that has one is held against the target: a valid linkage is
        one in force.

    Returns
    -------
    DataFrame
        `PROGRESS_SCHEMA`; one row per period of the figures and target. Targets with a ``period`` of
        their own meet only that period.

    Examples
    --------
    >>> targets = pl.DataFrame({"authority": ["UBND tỉnh"], "document": ["KH 1"], "indicator": ["active_share"],
    ...     "denominator": ["all_htx"], "target_year": [2025], "comparator": [">="], "value": [0.9], "value_unit": ["share"]})
    >>> figures = pl.DataFrame({"period": ["2024"], "locality": ["province"], "indicator": ["active_share"],
    ...     "evidence": [None], "denominator": ["all_htx"], "value": [0.75], "value_low": [0.6], "value_high": [0.9],
    ...     "value_unit": ["share"], "n": [40], "is_defined": [True], "reason": [None]})
    >>> plan_progress(targets, figures).select("gap", "is_met", "is_comparable").rows()
    [(-0.15000000000000002, False, True)]
    """
    wanted = {
        "authority": pl.String, "scope": pl.String, "indicator_vi": pl.String,
        "is_verified": pl.Boolean, "source_address": pl.String, "period": pl.String,
    }  # fmt: skip
    rows = targets.with_columns(
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in wanted.items()
        if name not in targets.columns
    ).rename({"value": "target_value", "period": "_target_period"})
    national = pl.col("authority").is_in(sorted(national_authorities()))
    rows = rows.with_columns(
        pl.coalesce(
            "scope", pl.when(national).then(pl.lit("national")).otherwise(pl.lit("province"))
        ),
        pl.col("is_verified").fill_null(False),
    )
    periods = indicators.select("period").unique()
    rows = rows.join(periods, how="cross").filter(
        pl.col("_target_period").is_null() | (pl.col("_target_period") == pl.col("period"))
    )
    figures = indicators.filter(
        pl.col("locality") == WHOLE,
        pl.col("evidence").is_null() | (pl.col("evidence") == evidence),
    ).select(
        "period", "indicator", "denominator", "evidence", pl.col("value").alias("_actual"),
        "value_low", "value_high", pl.col("value_unit").alias("_unit"), "n", "is_defined",
        pl.col("reason").alias("_reason"), pl.lit(True).alias("_is_computed"),
    )  # fmt: skip
    joined = rows.join(figures, on=["period", "indicator", "denominator"], how="left")
    # The same figure may be had with and without an evidence level: the one with a level counts.
    joined = joined.sort("evidence", nulls_last=True).unique(
        [
            "period",
            "document",
            "indicator",
            "denominator",
            "target_year",
            "comparator",
            "target_value",
        ],
        keep="first",
        maintain_order=True,
    )
    is_total = ~pl.col("value_unit").is_in(["share", "ratio"]) & (pl.col("denominator") == "none")
    is_mean = pl.col("indicator").str.contains("_per_|_income_")
    reason = (
        pl.when((pl.col("scope") == "national") & is_total & ~is_mean)
        .then(pl.lit("national_total"))
        .when(pl.col("_is_computed").is_null())
        .then(pl.lit("indicator_not_computed"))
        .when(pl.col("_unit") != pl.col("value_unit"))
        .then(pl.lit("unit_differs"))
        .when(~pl.col("is_defined"))
        .then(pl.col("_reason"))
    )
    joined = joined.with_columns(reason.alias("reason")).with_columns(
        pl.col("reason").is_null().alias("is_comparable")
    )
    ok = pl.col("is_comparable")
    actual, target = pl.col("_actual"), pl.col("target_value")
    met = (
        pl.when(pl.col("comparator") == ">")
        .then(actual > target)
        .when(pl.col("comparator") == "<=")
        .then(actual <= target)
        .otherwise(actual >= target)
    )
    return (
        joined.with_columns(
            # A figure that exists is shown even where it cannot be held against the target.
            actual.alias("actual_value"),
            pl.col("value_low").alias("actual_low"),
            pl.col("value_high").alias("actual_high"),
            pl.when(ok).then(actual - target).alias("gap"),
            pl.when(ok).then(met).alias("is_met"),
        )
        .select(pl.col(c).cast(t) for c, t in PROGRESS_SCHEMA.items())
        .sort("period", "target_year", "indicator", "denominator", "document")
    )
