"""What became of clusters and localities over the years: the same members followed back, and matches.

What belongs here: the tables `metrics/cluster_history` and `metrics/locality_history`, measured year
by year for the clusters and localities of one period. What does not: how two periods differ in total
(`change`), finding clusters (`htx_pipeline.clusters.detect`).

Built on `htx_pipeline.clusters.counts`, what a cluster's own row is made of: Polars.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.clusters.counts import composition, executed_share, sums
from htx_pipeline.clusters.inside import KEY, with_clusters
from htx_pipeline.reference.thresholds import threshold

LINEAGES: Final[dict[str, tuple[str, str]]] = {
    "continued": ("Tiếp tục", "continued"),
    "merged": ("Hợp nhất", "merged"),
    "split": ("Tách ra", "split"),
    "regrouped": ("Sắp xếp lại từ các cụm trước", "regrouped"),
    "born": ("Mới hình thành", "born"),
    "gone": ("Không còn", "gone"),
}
"""What a cluster is to an earlier year: code → label in Vietnamese, in English."""

CLUSTER_HISTORY_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "cluster_id": pl.String(),
    "year": pl.String(),
    "n_organisations": pl.Int64(),
    "n_cooperatives": pl.Int64(),
    "n_linkages": pl.Int64(),
    "contracted_value_vnd": pl.Int64(),
    "paid_value_vnd": pl.Int64(),
    "executed_share": pl.Float64(),
    "executed_share_basis": pl.String(),
    "delivered_tonnes": pl.Float64(),
    "n_member_income": pl.Int64(),
    "member_income_vnd": pl.Float64(),
    "matched_cluster_id": pl.String(),
    "jaccard": pl.Float64(),
    "lineage": pl.String(),
}
"""Columns of `metrics/cluster_history`."""

LOCALITY_HISTORY_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "locality": pl.String(),
    "year": pl.String(),
    "n_cooperatives": pl.Int64(),
    "n_linked_signed": pl.Int64(),
    "n_linked_executed": pl.Int64(),
    "contracted_value_vnd": pl.Int64(),
    "paid_value_vnd": pl.Int64(),
    "revenue_vnd": pl.Int64(),
    "n_reported": pl.Int64(),
    "reported_share": pl.Float64(),
}
"""Columns of `metrics/locality_history`."""


def min_match_jaccard() -> float:
    """Return the least Jaccard index at which clusters of two years match (reference data).

    Examples
    --------
    >>> 0 < min_match_jaccard() < 0.5
    True
    """
    return float(threshold("greene2010.min_jaccard")["value"])


def lineage(
    before: pl.DataFrame, after: pl.DataFrame, *, min_jaccard: float | None = None
) -> pl.DataFrame:
    """Match the clusters of two years, and say what became of each.

    Two clusters match where the Jaccard index of their members, ``|A ∩ B| / |A ∪ B|``, is at least
    ``min_jaccard``. A later cluster that matches several is ``merged``; one whose match also matches
    other later clusters, ``split``; with one match of its own it ``continued``. Without a match it is
    ``regrouped`` where at least half of its members were in clusters before, else ``born``. An
    earlier cluster that matches none is ``gone``. Members, not names or places, make a cluster the
    same: a search for communities may cut an unchanged network differently the next year.

    Parameters
    ----------
    before, after:
        Communities of one year each: ``org_id``, ``cluster_id``.
    min_jaccard:
        0..1; `min_match_jaccard` when None. At 0.5 or more nothing can merge or split.

    Returns
    -------
    DataFrame
        ``cluster_id``, ``matched_cluster_id`` (the best match: highest index, larger overlap, smaller
        id), ``jaccard`` (of the best overlap, even below the threshold; 0 where no member is
        shared), ``lineage``. A row for each later cluster, and for each earlier one that is gone.

    References
    ----------
    Greene, Doyle, Cunningham 2010, doi:10.1109/ASONAM.2010.17.

    Examples
    --------
    >>> def of(**clusters):
    ...     return pl.DataFrame([(m, c) for c, members in clusters.items() for m in members], schema=["org_id", "cluster_id"], orient="row")
    >>> lineage(of(a="uvw", b="xyz"), of(c="uvwxyz", d="k")).rows()
    [('c', 'a', 0.5, 'merged'), ('d', None, 0.0, 'born')]
    """
    least = min_match_jaccard() if min_jaccard is None else min_jaccard
    overlap = (
        before.select("org_id", pl.col("cluster_id").alias("_before"))
        .join(after.select("org_id", pl.col("cluster_id").alias("cluster_id")), on="org_id")
        .group_by("_before", "cluster_id")
        .agg(pl.len().alias("_common"))
    )
    for name, frame in (("_before", before), ("cluster_id", after)):
        sizes = frame.group_by(pl.col("cluster_id").alias(name)).agg(pl.len().alias(f"_n{name}"))
        overlap = overlap.join(sizes, on=name)
    union = pl.col("_n_before") + pl.col("_ncluster_id") - pl.col("_common")
    overlap = overlap.with_columns((pl.col("_common") / union).alias("jaccard"))
    matches = overlap.filter(pl.col("jaccard") >= least).with_columns(
        pl.len().over("cluster_id").alias("_n_earlier"), pl.len().over("_before").alias("_n_later")
    )
    best = (
        overlap.sort("cluster_id", "jaccard", "_common", "_before", descending=[False, True, True, False])
        .unique("cluster_id", keep="first", maintain_order=True)
        .select("cluster_id", "jaccard", "_before")
    )  # fmt: skip
    kinds = matches.group_by("cluster_id").agg(
        pl.col("_n_earlier").first(), pl.col("_n_later").max()
    )
    is_matched = pl.col("_n_earlier").is_not_null()
    had_cluster = pl.col("org_id").is_in(before["org_id"].unique().implode())
    later = (
        after.group_by("cluster_id")
        .agg(had_cluster.mean().alias("_had_cluster"))
        .join(best, on="cluster_id", how="left")
        .join(kinds, on="cluster_id", how="left")
        .select(
            "cluster_id",
            pl.when(is_matched).then(pl.col("_before")).alias("matched_cluster_id"),
            pl.col("jaccard").fill_null(0.0),
            pl.when(~is_matched & (pl.col("_had_cluster") >= 0.5))
            .then(pl.lit("regrouped"))
            .when(~is_matched)
            .then(pl.lit("born"))
            .when(pl.col("_n_earlier") > 1)
            .then(pl.lit("merged"))
            .when(pl.col("_n_later") > 1)
            .then(pl.lit("split"))
            .otherwise(pl.lit("continued"))
            .alias("lineage"),
        )
    )
    gone = (
        before.select("cluster_id")
        .unique()
        .join(matches, left_on="cluster_id", right_on="_before", how="anti")
        .join(
            overlap.group_by("_before").agg(pl.col("jaccard").max()),
            left_on="cluster_id", right_on="_before", how="left",
        )
        .select(
            "cluster_id", pl.lit(None, dtype=pl.String).alias("matched_cluster_id"),
            pl.col("jaccard").fill_null(0.0), pl.lit("gone").alias("lineage"),
        )
    )  # fmt: skip
    return pl.concat([later, gone]).sort("cluster_id", "lineage")


def cluster_history(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    reports: pl.DataFrame,
    *,
    period: str,
    min_jaccard: float | None = None,
    min_disclosure_count: int = 3,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
    """Measure the clusters of a period in each year up to it: the same members followed back.

    The members of a cluster of ``period`` are looked up in each earlier year and measured there by
    the definitions of `htx_pipeline.clusters.describe.clusters`, so that a row differs from the next
    by what its members did, not by who is counted. How that year's own clusters relate to it stands
    beside: see `lineage`. A cluster of an earlier year that is ``gone`` has a row of that year under
    its own id, measured with its own members.

    * ``n_organisations``, ``n_cooperatives`` (``htx`` alone): members found in that year's `graph/nodes`.
    * ``n_linkages``, values and tonnes: of linkages with both ends among the members, at ``evidence``
      or stronger. 0 where the year has linkages and these have none; null where the year has no
      linkages at all, or none of theirs states the amount.
    * ``member_income_vnd``: VND per member and year, the cooperatives' means weighted by official
      members, over the ``n_member_income`` that state both; null where these are fewer than
      ``min_disclosure_count``.

    Parameters
    ----------
    nodes, edges, communities, reports:
        `graph/nodes`, `graph/edges`, `graph/communities`, `core/cooperative_reports` of every year up
        to ``period``, stacked; later ones are ignored.
    period:
        The period whose clusters are followed.
    min_jaccard:
        See `lineage`.
    min_disclosure_count:
        Fewest cooperatives behind a published mean of incomes.
    evidence:
        Weakest evidence level that counts.
    min_stated_share:
        See `network.value_bases`.

    Returns
    -------
    DataFrame
        `CLUSTER_HISTORY_SCHEMA`, sorted; key (``period``, ``cluster_id``, ``year``). In the row of
        the period itself the match is the cluster itself and ``lineage`` null, as in a year without clusters.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.clusters.detect import communities
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024", "2025", "2025"], "supplier_id": ["a", "a", "c"],
    ...     "buyer_id": ["b"] * 3, "product_code": ["coffee"] * 3, "evidence": ["active"] * 3, "contracted_value_vnd": [5, 7, 2]}))
    >>> edges = network.edges(links)
    >>> nodes = network.nodes(TABLES["organisations"].empty(), edges)
    >>> made = cluster_history(nodes, edges, communities(edges), TABLES["cooperative_reports"].empty(), period="2025")
    >>> made.select("year", "n_organisations", "contracted_value_vnd", "lineage").rows()
    [('2024', 2, 5, 'continued'), ('2025', 3, 9, None)]
    """
    own = communities.filter(pl.col("period") == period).select("org_id", "cluster_id")
    years = sorted(y for y in set(nodes["period"]) if y <= period)
    if own.is_empty() or not years:
        return pl.DataFrame(schema=CLUSTER_HISTORY_SCHEMA)
    matched, measured = [], []
    # Year by year, so that only one year's linkages are held at a time.
    for year in years:
        is_then = pl.col("period") == year
        then = communities.filter(is_then).select("org_id", "cluster_id")
        found = _matched(then, own, is_same_year=year == period, min_jaccard=min_jaccard)
        matched.append(found.select(pl.lit(year).alias("year"), pl.all()))
        lost = then.join(found.filter(pl.col("lineage") == "gone"), on="cluster_id", how="semi")
        for members in (own,) if lost.is_empty() else (own, lost):
            present = members.join(nodes.filter(is_then), on="org_id", how="semi")
            groups = present.select(pl.lit(year).alias("period"), pl.all())
            measured.append(
                _measured(
                    nodes.filter(is_then),
                    edges.lazy().filter(is_then),
                    groups,
                    reports.filter(is_then),
                    evidence=evidence,
                    min_stated_share=min_stated_share,
                    min_disclosure_count=min_disclosure_count,
                )
            )
    made = pl.concat(matched).join(pl.concat(measured), on=["year", "cluster_id"], how="left")
    has_links = pl.col("year").is_in(_years(edges))
    has_none = has_links & pl.col("n_linkages").is_null()
    amounts = ("n_linkages", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes")
    return (
        made.with_columns(
            pl.lit(period).alias("period"),
            pl.col("n_organisations", "n_cooperatives", "n_member_income").fill_null(0),
            *(pl.when(has_none).then(0).otherwise(pl.col(c)).alias(c) for c in amounts),
        )
        .select(pl.col(c).cast(t) for c, t in CLUSTER_HISTORY_SCHEMA.items())
        .sort("period", "cluster_id", "year")
    )


def _years(edges: pl.DataFrame | pl.LazyFrame) -> list[str]:
    return edges.lazy().select("period").unique().collect()["period"].sort().to_list()


def _matched(
    then: pl.DataFrame, own: pl.DataFrame, *, is_same_year: bool, min_jaccard: float | None
) -> pl.DataFrame:
    """Match with a year's clusters; with themselves in their own year; with none where it has none."""
    if not is_same_year and not then.is_empty():
        return lineage(then, own, min_jaccard=min_jaccard)
    itself = pl.col("cluster_id") if is_same_year else pl.lit(None, dtype=pl.String)
    return (
        own.select("cluster_id")
        .unique()
        .with_columns(
            itself.alias("matched_cluster_id"),
            pl.lit(1.0 if is_same_year else None, dtype=pl.Float64).alias("jaccard"),
            pl.lit(None, dtype=pl.String).alias("lineage"),
        )
    )


def _measured(
    nodes: pl.DataFrame,
    edges: pl.LazyFrame,
    groups: pl.DataFrame,
    reports: pl.DataFrame,
    *,
    evidence: str,
    min_stated_share: float,
    min_disclosure_count: int,
) -> pl.DataFrame:
    """Measure groups of organisations in one year as if they were its clusters."""
    inside = with_clusters(edges, groups, evidence=evidence).filter(
        pl.col("cluster_id").is_not_null()
    )
    described = (
        composition(nodes, groups, reports)
        .join(sums(inside), on=KEY, how="left", validate="1:1")
        .with_columns(executed_share(min_stated_share))
    )
    weight, income = pl.col("official_members"), pl.col("member_income_vnd")
    told = (
        groups.join(
            reports.select("period", "org_id", "official_members", "member_income_vnd"),
            on=["period", "org_id"],
        )
        .filter(weight > 0, income.is_not_null())
        .group_by(KEY)
        .agg(
            pl.len().alias("n_member_income"),
            ((weight * income).sum() / weight.sum()).alias("member_income_vnd"),
        )
        .with_columns(
            pl.when(pl.col("n_member_income") >= min_disclosure_count).then("member_income_vnd")
        )
    )
    return (
        described.join(told, on=KEY, how="left")
        .rename({"period": "year"})
        .select(
            "year", "cluster_id", "n_organisations", "n_cooperatives", "n_linkages",
            "contracted_value_vnd", "paid_value_vnd", "executed_share", "executed_share_basis",
            "delivered_tonnes", "n_member_income", "member_income_vnd",
        )
    )  # fmt: skip


def locality_history(localities: pl.DataFrame, *, period: str) -> pl.DataFrame:
    """Set the localities of each year up to a period side by side.

    Parameters
    ----------
    localities:
        `metrics/localities` of every year up to ``period``, stacked; later ones are ignored.
    period:
        The period the history is told from.

    Returns
    -------
    DataFrame
        `LOCALITY_HISTORY_SCHEMA`: a row for each locality that any year has and each year, so that a
        line drawn over the years shows its gaps; null where the locality is not in that year's table.
        ``reported_share`` = ``n_reported`` / ``n_cooperatives``, null without cooperatives.

    Examples
    --------
    >>> rows = {"period": ["2024", "2025"], "locality": ["X", "Y"], "n_cooperatives": [4, 2], "n_reported": [3, 2],
    ...     "n_linked_signed": [1, 1], "n_linked_executed": [1, 0], "contracted_value_vnd": [9, 8], "paid_value_vnd": [9, None],
    ...     "revenue_vnd": [50, 60]}
    >>> locality_history(pl.DataFrame(rows), period="2025").select("locality", "year", "reported_share").rows()
    [('X', '2024', 0.75), ('X', '2025', None), ('Y', '2024', None), ('Y', '2025', 1.0)]
    """
    rows = localities.filter(pl.col("period") <= period).rename({"period": "year"})
    grid = rows.select("locality").unique().join(rows.select("year").unique(), how="cross")
    has_any = pl.col("n_cooperatives") > 0
    return (
        grid.join(rows, on=["locality", "year"], how="left")
        .with_columns(
            pl.lit(period).alias("period"),
            pl.when(has_any)
            .then(pl.col("n_reported") / pl.col("n_cooperatives"))
            .alias("reported_share"),
        )
        .select(pl.col(c).cast(t) for c, t in LOCALITY_HISTORY_SCHEMA.items())
        .sort("period", "locality", "year")
    )
