"""The stages of a cluster's chains: the table `metrics/cluster_stages`.

What belongs here: which stages a cluster has for each product, and what they move. What does not: the
cluster in one row (`describe`), stages of localities (`htx_pipeline.metrics.completeness`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.clusters.inside import KEY, inside_of, null_sum, with_clusters
from htx_pipeline.reference.stages import stages

STAGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "cluster_id": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "n_organisations": pl.Int64(),
    "value_in_vnd": pl.Int64(),
    "value_out_vnd": pl.Int64(),
    "weight_basis": pl.String(),
    "delivered_tonnes": pl.Float64(),
    "is_present": pl.Boolean(),
    "presence_basis": pl.String(),
    "is_named_by_decree": pl.Boolean(),
}
"""Columns of `metrics/cluster_stages`."""


def cluster_stages(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
    """Say, for each product of a cluster, which stages of the chain are present.

    A stage is present when an organisation of that stage handles the product inside the cluster, or
    a linkage inside it covers the stage (its flag); ``presence_basis`` says which: ``organisation``,
    ``linkage``, ``both``.

    Returns
    -------
    DataFrame
        `STAGE_SCHEMA`: five rows (one a stage) for each period, cluster and product. Value and
        tonnes are those of linkages whose buyer (in) or seller (out) stands at the stage;
        ``delivered_tonnes`` is what the stage's organisations delivered.
    """
    rows, _ = inside_of(
        with_clusters(edges, communities, evidence=evidence), min_stated_share=min_stated_share
    )
    stage_of = nodes.lazy().select("period", "org_id", "stage")
    product = [*KEY, "product_code"]
    rows = rows.join(
        stage_of.rename({"org_id": "supplier_id", "stage": "_from"}),
        on=["period", "supplier_id"],
        how="left",
    ).join(
        stage_of.rename({"org_id": "buyer_id", "stage": "_to"}),
        on=["period", "buyer_id"],
        how="left",
    )

    grid = (
        rows.select(*product, "weight_basis")
        .unique()
        .collect()
        .join(
            stages().select(pl.col("code").alias("stage"), "rank", "is_named_by_decree"),
            how="cross",
        )
    )
    flag_of = dict(stages().drop_nulls("flag").select("flag", "code").iter_rows())
    flags = (
        rows.group_by(product)
        .agg(pl.col(flag).any() for flag in flag_of)
        .collect()
        .unpivot(index=product, variable_name="stage", value_name="_flag")
        .filter("_flag")
        .with_columns(pl.col("stage").replace_strict(flag_of, return_dtype=pl.String))
    )
    ends = pl.concat(
        [
            rows.select(
                *product, pl.col("supplier_id").alias("org_id"), pl.col("_from").alias("stage")
            ),
            rows.select(*product, pl.col("buyer_id").alias("org_id"), pl.col("_to").alias("stage")),
        ]
    )
    who = (
        ends.unique()
        .group_by(*product, "stage")
        .agg(pl.len().cast(pl.Int64).alias("n_organisations"))
        .collect()
    )
    out = (
        rows.group_by(*product, pl.col("_from").alias("stage"))
        .agg(null_sum("_value").alias("value_out_vnd"), null_sum("delivered_tonnes", is_float=True))
        .collect()
    )
    into = (
        rows.group_by(*product, pl.col("_to").alias("stage"))
        .agg(null_sum("_value").alias("value_in_vnd"))
        .collect()
    )
    cell = [*product, "stage"]
    frame = (
        grid.join(who, on=cell, how="left", nulls_equal=True)
        .join(out, on=cell, how="left", nulls_equal=True)
        .join(into, on=cell, how="left", nulls_equal=True)
        .join(flags, on=cell, how="left", nulls_equal=True)
        .with_columns(pl.col("n_organisations").fill_null(0), pl.col("_flag").fill_null(False))
    )
    by_node = pl.col("n_organisations") > 0
    return (
        frame.with_columns(
            (by_node | pl.col("_flag")).alias("is_present"),
            pl.when(by_node & pl.col("_flag"))
            .then(pl.lit("both"))
            .when(by_node)
            .then(pl.lit("organisation"))
            .when(pl.col("_flag"))
            .then(pl.lit("linkage"))
            .alias("presence_basis"),
        )
        .sort(*product, "rank")
        .select(pl.col(c).cast(t) for c, t in STAGE_SCHEMA.items())
    )
