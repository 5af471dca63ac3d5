"""What a cluster is: its members, products, stages, value, largest buyer, and its name.

What belongs here: the tables `metrics/clusters` and `metrics/cluster_members`. What does not: finding
clusters (`detect`), their linkages (`inside`), what is counted and added up (`counts`), stages (`stages`) and names (`naming`), legal tests
(`criteria`).

A cluster's linkages are those with both ends in it, at the evidence level given (default: signed or
stronger). Every share of a cluster is computed on one basis, stated in ``weight_basis``.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.clusters.counts import composition, executed_share, is_execution_told, sums
from htx_pipeline.clusters.inside import KEY, inside_of, null_sum, part_of, with_clusters
from htx_pipeline.clusters.naming import named
from htx_pipeline.clusters.stages import cluster_stages
from htx_pipeline.graph.network import COOPERATIVE_TYPES, basis_weight
from htx_pipeline.reference.stages import STAGES, decree_stages

TOP: Final = pl.List(
    pl.Struct(
        {
            "org_id": pl.String(),
            "name": pl.String(),
            "value_vnd": pl.Int64(),
            "n_linkages": pl.Int64(),
            "share": pl.Float64(),
        }
    )
)

CLUSTER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "cluster_id": pl.String(),
    "cluster_name_vi": pl.String(),
    "cluster_name_en": pl.String(),
    "n_organisations": pl.Int64(),
    "n_cooperatives": pl.Int64(),
    "n_unions": pl.Int64(),
    "n_cooperative_groups": pl.Int64(),
    "n_enterprises": pl.Int64(),
    "n_other": pl.Int64(),
    "localities": pl.List(pl.String()),
    "n_localities": pl.Int64(),
    "main_locality": pl.String(),
    "official_members": pl.Int64(),
    "n_members_stated": pl.Int64(),
    "products": pl.List(pl.String()),
    "main_product": pl.String(),
    "stages_present": pl.List(pl.String()),
    "stages_missing": pl.List(pl.String()),
    "n_linkages": pl.Int64(),
    "n_linkages_executed": pl.Int64(),
    "n_linkages_outside": pl.Int64(),
    "contracted_value_vnd": pl.Int64(),
    "paid_value_vnd": pl.Int64(),
    "n_contracted_value": pl.Int64(),
    "n_paid_value": pl.Int64(),
    "delivered_tonnes": pl.Float64(),
    "executed_share": pl.Float64(),
    "executed_share_basis": pl.String(),
    "weight_basis": pl.String(),
    "inside_share": pl.Float64(),
    "largest_buyer_id": pl.String(),
    "largest_buyer_name": pl.String(),
    "largest_buyer_share": pl.Float64(),
    "top_enterprises": TOP,
    "area_ha": pl.Float64(),
    "households": pl.Int64(),
    "n_source_rows": pl.Int64(),
    "n_source_files": pl.Int64(),
    "notes": pl.List(pl.String()),
}
"""Columns of `metrics/clusters`."""

MEMBER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "cluster_id": pl.String(),
    "org_id": pl.String(),
    "name": pl.String(),
    "legal_type": pl.String(),
    "stage": pl.String(),
    "is_stage_conflict": pl.Boolean(),
    "locality": pl.String(),
    "n_linkages": pl.Int64(),
    "value_in_vnd": pl.Int64(),
    "value_out_vnd": pl.Int64(),
    "weight_basis": pl.String(),
    "official_members": pl.Int64(),
    "revenue_vnd": pl.Int64(),
    "source_ids": pl.List(pl.String()),
}
"""Columns of `metrics/cluster_members`."""


def cluster_members(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    reports: pl.DataFrame,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
    """List the organisations of each cluster with what they do in it.

    Parameters
    ----------
    nodes, edges, communities:
        The tables `graph/nodes`, `graph/edges`, `graph/communities`.
    reports:
        The table `core/cooperative_reports`.
    evidence:
        Weakest evidence level that counts.
    min_stated_share:
        See `network.value_bases`.

    Returns
    -------
    DataFrame
        `MEMBER_SCHEMA`, sorted by cluster and id. Values are those of linkages inside the cluster on
        its ``weight_basis``, null where none states one. ``source_ids``: the rows of the register,
        the report and the linkages behind the row.
    """
    rows, bases = inside_of(
        with_clusters(edges, communities, evidence=evidence), min_stated_share=min_stated_share
    )

    def side(own: str, value: str) -> pl.DataFrame:
        return (
            rows.group_by(*KEY, pl.col(own).alias("org_id"))
            .agg(
                null_sum("_value").alias(value),
                pl.col("n_linkages").sum().alias(f"_n_{value}"),
                pl.col("n_linkages").filter(pl.col("is_self_loop")).sum().alias("_n_loops"),
                pl.col("source_ids").list.explode().alias(f"_sources_{value}"),
            )
            .collect()
        )

    key = [*KEY, "org_id"]
    out = side("supplier_id", "value_out_vnd")
    into = side("buyer_id", "value_in_vnd").drop("_n_loops")
    told = reports.select(
        "period", "org_id", "official_members", "revenue_vnd", pl.col("source_id").alias("_report")
    )
    empty = pl.lit([], dtype=pl.List(pl.String()))
    return (
        communities.join(nodes, on=["period", "org_id"], how="left", validate="1:1")
        .join(out, on=key, how="left")
        .join(into, on=key, how="left")
        .join(bases, on=KEY, how="left")
        .join(told, on=["period", "org_id"], how="left")
        .drop("value_in_vnd", "value_out_vnd")
        .rename({"value_in_vnd_right": "value_in_vnd", "value_out_vnd_right": "value_out_vnd"})
        .with_columns(
            (
                pl.col("_n_value_out_vnd").fill_null(0)
                + pl.col("_n_value_in_vnd").fill_null(0)
                - pl.col("_n_loops").fill_null(0)
            ).alias("n_linkages"),
            pl.concat_list(
                pl.col("_sources_value_out_vnd").fill_null(empty),
                pl.col("_sources_value_in_vnd").fill_null(empty),
                pl.concat_list("source_id", "_report"),
            )
            .list.drop_nulls()
            .list.unique()
            .list.sort()
            .alias("source_ids"),
        )
        .select(pl.col(c).cast(t) for c, t in MEMBER_SCHEMA.items())
        .sort(*KEY, "org_id")
    )


def clusters(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    reports: pl.DataFrame,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
    n_top: int = 5,
) -> pl.DataFrame:
    """Describe each cluster in one row.

    * ``n_cooperatives``, ``n_unions``, ``n_cooperative_groups``: members by legal type, ``htx``, ``lhhtx``
      and ``tht``: the law knows all three and counts each by itself (Law on Cooperatives 17/2023/QH15);
      with ``n_enterprises`` and ``n_other`` they add up to ``n_organisations``.
    * ``executed_share``: of the contracted value of the cluster's linkages, the part under linkages
      that were executed (delivered or paid), 0..1; of their number where fewer than
      ``min_stated_share`` of them state a value (``executed_share_basis``). Null where no linkage
      says anything of deliveries or payments: then execution is unknown, not zero.
    * ``largest_buyer_share``, ``top_enterprises``: on ``weight_basis``, self-loops left out; null
      when nobody buys. Ties go to the smaller id.
    * ``inside_share``: weight of the linkages inside, of all linkages of the members, on the basis
      of the cluster.
    * ``stages_missing``: stages the decree names (collection is not one) present for no product.
    * ``notes``: ``no_cooperative`` where none of the three is a member; ``no_values``, ``execution_not_stated``, ``values_partly_stated``, ``stage_conflict``,
      ``no_enterprise``, ``locality_unknown``.

    Parameters
    ----------
    nodes, edges, communities, reports:
        The tables `graph/nodes`, `graph/edges`, `graph/communities`, `core/cooperative_reports`.
    evidence:
        Weakest evidence level that counts.
    min_stated_share:
        See `network.value_bases`.
    n_top:
        Number of enterprises listed.

    Returns
    -------
    DataFrame
        `CLUSTER_SCHEMA`, sorted by period and cluster.
    """
    crossing = with_clusters(edges, communities, evidence=evidence)
    inside, bases = inside_of(crossing, min_stated_share=min_stated_share)
    frame = (
        composition(nodes, communities, reports)
        .join(bases, on=KEY, how="left")
        .join(sums(inside, pl.col("_weight").sum()), on=KEY, how="left", validate="1:1")
        .join(_sources(inside), on=KEY, how="left")
        .join(_main(inside, "product_code", "main_product"), on=KEY, how="left")
        .join(_main_locality(nodes, communities, inside), on=KEY, how="left")
        .join(_buyers(inside, nodes), on=KEY, how="left")
        .join(_enterprises(inside, nodes, n_top=n_top), on=KEY, how="left")
        .join(
            _stage_lists(nodes, edges, communities, evidence, min_stated_share), on=KEY, how="left"
        )
        .join(_outside(crossing, bases), on=KEY, how="left")
    )
    everything = pl.col("_weight") + pl.col("_weight_outside").fill_null(0)
    has_values = pl.col("weight_basis") != "links"
    stated = pl.min_horizontal("n_contracted_value", "n_linkages")
    frame = frame.with_columns(
        *executed_share(min_stated_share),
        pl.when(everything > 0).then(part_of("_weight", everything)).alias("inside_share"),
        pl.col("n_linkages_outside", "n_source_rows", "n_source_files").fill_null(0),
        pl.concat_list(
            pl.when(~has_values).then(pl.lit("no_values")),
            pl.when(has_values & (stated < pl.col("n_linkages"))).then(
                pl.lit("values_partly_stated")
            ),
            pl.when(~is_execution_told()).then(pl.lit("execution_not_stated")),
            pl.when(pl.col("_n_conflicts") > 0).then(pl.lit("stage_conflict")),
            pl.when(
                pl.sum_horizontal("n_cooperatives", "n_unions", "n_cooperative_groups") == 0
            ).then(pl.lit("no_cooperative")),
            pl.when(pl.col("n_enterprises") == 0).then(pl.lit("no_enterprise")),
            pl.when(pl.col("main_locality").is_null()).then(pl.lit("locality_unknown")),
        )
        .list.drop_nulls()
        .alias("notes"),
    )
    return named(frame).select(pl.col(c).cast(t) for c, t in CLUSTER_SCHEMA.items()).sort(KEY)


def _sources(inside: pl.LazyFrame) -> pl.DataFrame:
    """Count the rows and files behind each cluster's linkages."""
    rows = (
        inside.select(*KEY, pl.col("source_ids").alias("_row"))
        .explode("_row")
        .drop_nulls()
        .unique()
    )
    first = pl.col("_row").str.split(":").list.first()
    return (
        rows.group_by(KEY)
        .agg(pl.len().alias("n_source_rows"), first.n_unique().alias("n_source_files"))
        .collect()
    )


def _main(inside: pl.LazyFrame, column: str, alias: str) -> pl.DataFrame:
    """Return the value of a column with most weight, then most linkages, then first by name."""
    return (
        inside.group_by(*KEY, column)
        .agg(pl.col("_weight").sum(), pl.col("n_linkages").sum())
        .sort(*KEY, "_weight", "n_linkages", column, descending=[False, False, True, True, False])
        .group_by(KEY, maintain_order=True)
        .agg(pl.col(column).first().alias(alias))
        .collect()
    )


def _main_locality(
    nodes: pl.DataFrame, communities: pl.DataFrame, inside: pl.LazyFrame
) -> pl.DataFrame:
    """Return the locality with most cooperatives, then most weight sold, then first by name."""
    sold = (
        inside.group_by("period", pl.col("supplier_id").alias("org_id"))
        .agg(pl.col("_weight").sum())
        .collect()
    )
    return (
        communities.join(nodes, on=["period", "org_id"], how="left")
        .join(sold, on=["period", "org_id"], how="left")
        .drop_nulls("locality")
        .group_by(*KEY, "locality")
        .agg(
            pl.col("legal_type").is_in(COOPERATIVE_TYPES).sum().alias("_n"),
            pl.col("_weight").sum(),
        )
        .sort(*KEY, "_n", "_weight", "locality", descending=[False, False, True, True, False])
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("locality").first().alias("main_locality"))
    )


def _buyers(inside: pl.LazyFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    rows = (
        inside.filter(~pl.col("is_self_loop"))
        .group_by(*KEY, "buyer_id")
        .agg(pl.col("_weight").sum(), pl.col("n_linkages").sum())
        .collect()
    )
    names = nodes.select("period", pl.col("org_id").alias("buyer_id"), "name")
    total = rows.group_by(KEY).agg(pl.col("_weight").sum().alias("_total"))
    return (
        rows.join(total, on=KEY, how="left")
        .filter(pl.col("_total") > 0)
        .with_columns(part_of("_weight", "_total").alias("largest_buyer_share"))
        .sort(
            *KEY, "_weight", "n_linkages", "buyer_id", descending=[False, False, True, True, False]
        )
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("buyer_id", "largest_buyer_share").first())
        .join(names, on=["period", "buyer_id"], how="left")
        .rename({"buyer_id": "largest_buyer_id", "name": "largest_buyer_name"})
    )


def _enterprises(inside: pl.LazyFrame, nodes: pl.DataFrame, *, n_top: int) -> pl.DataFrame:
    """List the enterprises with most weight through them, bought and sold."""
    rows = inside.filter(~pl.col("is_self_loop"))
    total = rows.group_by(KEY).agg(pl.col("_weight").sum().alias("_total")).collect()
    sides = [
        rows.group_by(*KEY, pl.col(end).alias("org_id"))
        .agg(null_sum("_value"), pl.col("_weight", "n_linkages").sum())
        .collect()
        for end in ("supplier_id", "buyer_id")
    ]
    ends = pl.concat(sides)
    firms = nodes.filter(pl.col("legal_type") == "enterprise").select("period", "org_id", "name")
    ranked = (
        ends.join(firms, on=["period", "org_id"], how="inner")
        .group_by(*KEY, "org_id", "name")
        .agg(null_sum("_value").alias("value_vnd"), pl.col("_weight", "n_linkages").sum())
        .join(total, on=KEY, how="left")
        .with_columns(
            pl.when(pl.col("_total") > 0).then(part_of("_weight", "_total")).alias("share")
        )
        .sort(*KEY, "_weight", "n_linkages", "org_id", descending=[False, False, True, True, False])
    )
    return ranked.group_by(KEY, maintain_order=True).agg(
        pl.struct("org_id", "name", "value_vnd", "n_linkages", "share")
        .head(n_top)
        .alias("top_enterprises")
    )


def _stage_lists(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    evidence: str,
    min_stated_share: float,
) -> pl.DataFrame:
    table = cluster_stages(
        nodes, edges, communities, evidence=evidence, min_stated_share=min_stated_share
    )
    present = (
        table.filter("is_present").group_by(KEY).agg(pl.col("stage").unique().alias("_present"))
    )

    def ordered(wanted: tuple[str, ...], *, is_in: bool) -> pl.Expr:
        has = pl.col("_present").list
        return pl.concat_list(
            pl.when(has.contains(s) if is_in else ~has.contains(s)).then(pl.lit(s)) for s in wanted
        ).list.drop_nulls()

    found = table.select(KEY).unique().join(present, on=KEY, how="left")
    found = found.with_columns(pl.col("_present").fill_null(pl.lit([], dtype=pl.List(pl.String()))))
    return found.select(
        *KEY,
        ordered(STAGES, is_in=True).alias("stages_present"),
        ordered(decree_stages(), is_in=False).alias("stages_missing"),
    )


def _outside(crossing: pl.LazyFrame, bases: pl.DataFrame) -> pl.DataFrame:
    """Add up, for each cluster, the linkages of its members with organisations outside it."""
    parts = []
    for side in ("supplier", "buyer"):
        rows = crossing.filter(pl.col("cluster_id").is_null()).drop("cluster_id")
        own = rows.rename({f"cluster_id_{side}": "cluster_id"})
        own = own.join(bases.lazy(), on=KEY, how="left").drop_nulls("weight_basis")
        weight = basis_weight(pl.col("weight_basis"))
        parts.append(
            own.group_by(KEY)
            .agg(weight.sum().alias("_weight_outside"), pl.col("n_linkages").sum())
            .collect()
        )
    return (
        pl.concat(parts)
        .group_by(KEY)
        .agg(
            pl.col("_weight_outside").sum(), pl.col("n_linkages").sum().alias("n_linkages_outside")
        )
    )
