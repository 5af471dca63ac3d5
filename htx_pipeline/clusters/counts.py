"""What is counted and added up of a cluster: who is in it, and its linkages.

What belongs here: the counts and sums that a cluster's row (`describe`) and its history
(`htx_pipeline.metrics.history`) share, so that both mean the same. What does not: names, buyers, stages,
sources.
"""

from __future__ import annotations

import polars as pl

from htx_pipeline.clusters.inside import KEY, null_sum, part_of


def composition(
    nodes: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame
) -> pl.DataFrame:
    """Count the members of each cluster by kind, their localities and their own members."""
    members = communities.join(nodes, on=["period", "org_id"], how="left").join(
        reports.select("period", "org_id", "official_members"), on=["period", "org_id"], how="left"
    )
    kinds = {
        "n_cooperatives": "htx",
        "n_unions": "lhhtx",
        "n_cooperative_groups": "tht",
        "n_enterprises": "enterprise",
    }
    is_kind = {name: (pl.col("legal_type") == k).fill_null(False) for name, k in kinds.items()}
    by_size = (
        members.drop_nulls("locality")
        .group_by(*KEY, "locality")
        .len()
        .sort(*KEY, "len", "locality", descending=[False, False, True, False])
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("locality").alias("localities"))
    )
    counted = members.group_by(KEY).agg(
        pl.len().alias("n_organisations"),
        *(is_one.sum().alias(name) for name, is_one in is_kind.items()),
        (~pl.any_horizontal(*is_kind.values())).sum().alias("n_other"),
        null_sum("official_members"),
        pl.col("official_members").count().alias("n_members_stated"),
        pl.col("is_stage_conflict").fill_null(False).sum().alias("_n_conflicts"),
    )
    return counted.join(by_size, on=KEY, how="left").with_columns(
        pl.col("localities").fill_null(pl.lit([], dtype=pl.List(pl.String()))),
        pl.col("localities").list.len().fill_null(0).alias("n_localities"),
    )


def sums(inside: pl.LazyFrame, *more: pl.Expr) -> pl.DataFrame:
    """Add up the linkages inside each cluster (`htx_pipeline.clusters.inside`), in one pass; more sums may be asked for."""
    executed = pl.col("evidence") == "executed"
    return (
        inside.group_by(KEY)
        .agg(
            pl.col("n_linkages").sum(),
            pl.col("n_linkages").filter(executed).sum().alias("n_linkages_executed"),
            null_sum("contracted_value_vnd"),
            null_sum("paid_value_vnd"),
            pl.col("n_contracted_value", "n_paid_value").sum(),
            pl.col("n_delivered_tonnes").sum().alias("_n_delivered"),
            null_sum("delivered_tonnes", is_float=True),
            null_sum("area_ha", is_float=True),
            null_sum("households"),
            pl.col("contracted_value_vnd").filter(executed).sum().alias("_contracted_executed"),
            pl.col("product_code").unique().sort().alias("products"),
            *more,
        )
        .collect()
    )


def is_execution_told() -> pl.Expr:
    """Whether any linkage of a row of `sums` says anything of deliveries or payments."""
    return (pl.col("n_paid_value") > 0) | (pl.col("_n_delivered") > 0)


def executed_share(min_stated_share: float) -> tuple[pl.Expr, pl.Expr]:
    """Return ``executed_share`` and ``executed_share_basis`` of a row of `sums`; see `describe.clusters`."""
    is_told = is_execution_told()
    by_value = (pl.col("contracted_value_vnd") > 0) & (
        pl.col("n_contracted_value") >= min_stated_share * pl.col("n_linkages")
    )
    return (
        pl.when(by_value & is_told)
        .then(part_of("_contracted_executed", "contracted_value_vnd"))
        .when(is_told)
        .then(part_of("n_linkages_executed", "n_linkages"))
        .alias("executed_share"),
        pl.when(by_value & is_told)
        .then(pl.lit("contracted_value"))
        .when(is_told)
        .then(pl.lit("links"))
        .alias("executed_share_basis"),
    )
