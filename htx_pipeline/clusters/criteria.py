"""Which legal tests a cluster passes, test by test, each with its threshold and whether that is verified.

What belongs here: "cụm" in plans is no legal term, so a detected community is held against the tests
that exist: industry cluster (Decree 80/2021 Art. 23), hi-tech farming zone (Decision 66/2015), and the
plan's own words (a path from producer over processor to off-taker). What does not: thresholds
(`htx_pipeline.reference.thresholds`).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.clusters.inside import KEY, null_sum, with_clusters
from htx_pipeline.clusters.stages import cluster_stages
from htx_pipeline.ingest.dates import reporting_period
from htx_pipeline.reference.admin_units.tables import admin_units
from htx_pipeline.reference.products import products
from htx_pipeline.reference.thresholds import thresholds

CRITERIA_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "cluster_id": pl.String(),
    "criterion": pl.String(),
    "label_vi": pl.String(),
    "label_en": pl.String(),
    "value": pl.Float64(),
    "comparator": pl.String(),
    "threshold": pl.Float64(),
    "value_unit": pl.String(),
    "is_passed": pl.Boolean(),
    "reason": pl.String(),
    "document": pl.String(),
    "article": pl.String(),
    "is_verified": pl.Boolean(),
}
"""Columns of `cluster_criteria`."""

_HUB_TYPES: Final = ("enterprise", "htx", "lhhtx")

_PLAN: Final = {
    "has_processing": (
        "Có khâu sơ chế, chế biến trong cụm", "Processing is present in the cluster",
        "Nghị định 98/2018/NĐ-CP", "Điều 3",
    ),
    "has_path": (
        "Có đường liên kết từ sản xuất qua chế biến đến tiêu thụ",
        "There is a path from producer over processor to off-taker",
        "Nghị định 98/2018/NĐ-CP", "Điều 3, khoản 2",
    ),
}  # fmt: skip


def cluster_criteria(
    nodes: pl.DataFrame,
    edges: pl.DataFrame | pl.LazyFrame,
    communities: pl.DataFrame,
    *,
    evidence: str = "signed",
    min_hub_partners: int = 2,
) -> pl.DataFrame:
    """Hold each cluster against each legal test in force at the end of its period.

    * ``hub_present``: an enterprise, cooperative or union in the cluster has linkages with at least
      ``min_hub_partners`` others in it, none known to lack consumption. The decision asks for a hub
      that signs chain contracts; the number of partners is ours.
    * ``n_enterprises``: enterprises in the cluster (legal type), at least ten.
    * ``within_one_province``: all members with a known commune lie in one province of that day's
      list; undefined when no commune is known (``place_not_stated``) or only some are and these agree
      (``place_partly_stated``).
    * ``has_support_org``: an organisation of another kind (institute, school, association) takes part.
      Linkages rarely name them, so absence is undefined (``not_recorded``), not a failure.
    * ``area``: area under the linkages of the cluster's main product, where the decision sets a
      minimum for its group; ``area_not_stated`` when no linkage states one.
    * ``has_processing``: the stage is present (`cluster_stages`).
    * ``has_path``: for one product, goods pass from a producer in the cluster, directly or over
      others in it, to a processor in it, and on to another buyer inside or outside; or one linkage
      in it covers production, processing and consumption (forms 1 and 5).

    Parameters
    ----------
    nodes, edges, communities:
        The tables `graph/nodes`, `graph/edges`, `graph/communities`.
    evidence:
        Weakest level that counts.
    min_hub_partners:
        Partners inside the cluster that make an organisation a hub.

    Returns
    -------
    DataFrame
        `CRITERIA_SCHEMA`, one row per cluster and criterion. ``is_passed`` null where undefined,
        with the reason. ``is_verified`` false: the threshold was not read in the document.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.clusters.detect import communities
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a", "p"],
    ...     "buyer_id": ["p", "c"], "product_code": ["coffee"] * 2, "evidence": ["active"] * 2, "has_processing": [True, False]}))
    >>> edges = network.edges(links)
    >>> made = cluster_criteria(network.nodes(TABLES["organisations"].empty(), edges), edges, communities(edges))
    >>> made.filter(pl.col("criterion") == "has_path")["is_passed"].item()
    True
    """
    parts = [pl.DataFrame(schema=CRITERIA_SCHEMA)]
    crossing = with_clusters(edges, communities, evidence=evidence)
    values = _values(nodes, crossing, communities, min_hub_partners=min_hub_partners)
    stage = cluster_stages(nodes, edges, communities, evidence=evidence)
    processing = (
        stage.filter(pl.col("stage") == "processing")
        .group_by(KEY)
        .agg(pl.col("is_present").any().alias("has_processing"))
    )
    paths = _paths(nodes, crossing, communities)
    values = values.join(processing, on=KEY, how="left").join(paths, on=KEY, how="left")
    for period in values["period"].unique().sort():
        last = reporting_period(int(period))[1]
        rows = values.filter(pl.col("period") == period)
        parts += [*_legal(rows, last), *_areas(rows, crossing, last)]
        for criterion, (vi, en, document, article) in _PLAN.items():
            passed = pl.col(criterion).fill_null(False)
            parts.append(
                rows.select(
                    *KEY, pl.lit(criterion).alias("criterion"), pl.lit(vi).alias("label_vi"),
                    pl.lit(en).alias("label_en"), passed.cast(pl.Float64).alias("value"),
                    pl.lit(">=").alias("comparator"), pl.lit(1.0).alias("threshold"),
                    pl.lit("yes_no").alias("value_unit"), passed.alias("is_passed"),
                    pl.lit(document).alias("document"), pl.lit(article).alias("article"),
                    pl.lit(True).alias("is_verified"),
                )
            )  # fmt: skip
    made = pl.concat(parts, how="diagonal")
    return made.select(pl.col(c).cast(t) for c, t in CRITERIA_SCHEMA.items()).sort(
        *KEY, "criterion"
    )


_LEGAL: Final = {
    "qd66.zone.hub_present": ("hub_present", "n_hubs"),
    "nd80.cluster.n_enterprises": ("n_enterprises", "n_enterprises"),
    "nd80.cluster.has_support_org": ("has_support_org", "n_support"),
    "qd66.zone.within_one_province": ("within_one_province", "n_provinces"),
}


def _passes(value: pl.Expr, comparator: str, threshold: float) -> pl.Expr:
    return {">=": value >= threshold, "<=": value <= threshold, ">": value > threshold, "<": value < threshold}[comparator]  # fmt: skip


def _legal(rows: pl.DataFrame, day: date) -> list[pl.DataFrame]:
    parts = []
    for t in thresholds(on=day).filter(pl.col("threshold_id").is_in(list(_LEGAL))).iter_rows(named=True):  # fmt: skip
        criterion, column = _LEGAL[t["threshold_id"]]
        reason = pl.lit(None, dtype=pl.String)
        if criterion == "has_support_org":
            reason = pl.when(pl.col("n_support") == 0).then(pl.lit("not_recorded"))
        elif criterion == "within_one_province":
            reason = (
                pl.when(pl.col("n_placed") == 0)
                .then(pl.lit("place_not_stated"))
                .when((pl.col("n_placed") < pl.col("n_members")) & (pl.col("n_provinces") == 1))
                .then(pl.lit("place_partly_stated"))
            )
        parts.append(_judged(rows, t, criterion, pl.col(column).cast(pl.Float64), reason))
    return parts


def _judged(
    rows: pl.DataFrame, t: dict[str, Any], criterion: str, value: pl.Expr, reason: pl.Expr
) -> pl.DataFrame:
    return rows.select(
        *KEY, pl.lit(criterion).alias("criterion"), pl.lit(t["label_vi"]).alias("label_vi"),
        pl.lit(t["label_en"]).alias("label_en"), value.alias("value"),
        pl.lit(t["comparator"]).alias("comparator"), pl.lit(t["value"]).alias("threshold"),
        pl.lit(t["value_unit"]).alias("value_unit"), reason.alias("reason"),
        pl.lit(t["document"]).alias("document"), pl.lit(t["article"]).alias("article"),
        pl.lit(t["is_verified"]).alias("is_verified"),
    ).with_columns(
        pl.when(pl.col("reason").is_null())
        .then(_passes(pl.col("value"), t["comparator"], t["value"]))
        .alias("is_passed")
    )  # fmt: skip


def _areas(rows: pl.DataFrame, crossing: pl.LazyFrame, day: date) -> list[pl.DataFrame]:
    """Judge the area of each cluster's main product where a minimum is set for it or its group."""
    minima = thresholds(on=day).filter(pl.col("subject").str.starts_with("hi_tech_zone_area."))
    groups = dict(products().select("code", "group").iter_rows())
    by_subject = {
        t["subject"].removeprefix("hi_tech_zone_area."): t for t in minima.iter_rows(named=True)
    }
    parts = []
    inside = crossing.drop_nulls("cluster_id")
    areas = (
        inside.group_by(*KEY, "product_code")
        .agg(pl.col("n_linkages").sum(), null_sum("area_ha", is_float=True).alias("_area"))
        .collect()
    )
    main = (
        areas.join(rows.select(KEY), on=KEY, how="semi")
        .sort(*KEY, "_area", "n_linkages", "product_code", descending=[False, False, True, True, False], nulls_last=True)
        .group_by(KEY, maintain_order=True)
        .first()
    )  # fmt: skip
    for product in main["product_code"].unique().sort():
        t = by_subject.get(product) or by_subject.get(groups.get(product, ""))
        if t is None:
            continue
        reason = pl.when(pl.col("_area").is_null()).then(pl.lit("area_not_stated"))
        chosen = main.filter(pl.col("product_code") == product)
        parts.append(_judged(chosen, t, "area", pl.col("_area"), reason))
    return parts


def _values(
    nodes: pl.DataFrame,
    crossing: pl.LazyFrame,
    communities: pl.DataFrame,
    *,
    min_hub_partners: int,
) -> pl.DataFrame:
    units = admin_units(level="commune").select(
        pl.col("version").alias("admin_version"),
        pl.col("code").alias("admin_code"),
        "province_code",
    )
    members = communities.join(nodes, on=["period", "org_id"], how="left").join(
        units, on=["admin_version", "admin_code"], how="left"
    )
    kind = pl.col("legal_type")
    counted = members.group_by(KEY).agg(
        pl.len().alias("n_members"),
        (kind == "enterprise").fill_null(False).sum().alias("n_enterprises"),
        (kind == "other").fill_null(False).sum().alias("n_support"),
        pl.col("province_code").drop_nulls().n_unique().alias("n_provinces"),
        pl.col("province_code").count().alias("n_placed"),
    )
    chain = crossing.drop_nulls("cluster_id").filter(
        ~pl.col("is_self_loop"), pl.col("has_consumption").fill_null(True)
    )
    ends = pl.concat(
        [
            chain.select(*KEY, pl.col("supplier_id").alias("org_id"), pl.col("buyer_id").alias("_other")),
            chain.select(*KEY, pl.col("buyer_id").alias("org_id"), pl.col("supplier_id").alias("_other")),
        ]
    )  # fmt: skip
    hubs = (
        ends.unique()
        .group_by(*KEY, "org_id")
        .agg(pl.len().alias("_partners"))
        .filter(pl.col("_partners") >= min_hub_partners)
        .collect()
        .join(nodes.select("period", "org_id", "legal_type"), on=["period", "org_id"], how="left")
        .filter(pl.col("legal_type").is_in(_HUB_TYPES))
        .group_by(KEY)
        .agg(pl.len().alias("n_hubs"))
    )
    return counted.join(hubs, on=KEY, how="left").with_columns(pl.col("n_hubs").fill_null(0))


def _paths(nodes: pl.DataFrame, crossing: pl.LazyFrame, communities: pl.DataFrame) -> pl.DataFrame:
    """Say which clusters have a path producer to processor to another buyer, product by product."""
    rows = crossing.filter(pl.col("supplier_id") != pl.col("buyer_id"))
    inside = rows.filter(pl.col("cluster_id").is_not_null())
    covers = pl.col("has_production") & pl.col("has_processing") & pl.col("has_consumption")
    found = [inside.filter(covers).select(KEY).unique().collect()]
    cells = inside.select("period", "product_code").unique().collect()
    for period, product in cells.sort("period", "product_code").iter_rows():
        is_cell = (pl.col("period") == period) & pl.col("product_code").eq_missing(pl.lit(product))
        own = nodes.filter(pl.col("period") == period)
        onward = rows.filter(is_cell).select(pl.col("supplier_id").alias("org_id")).unique()
        reached = _reached(inside.filter(is_cell).select("supplier_id", "buyer_id").collect(), own)
        mills = reached.join(
            own.filter(pl.col("stage") == "processing"), on="org_id", how="semi"
        ).join(onward.collect(), on="org_id", how="semi")
        place = communities.filter(pl.col("period") == period)
        found.append(place.join(mills, on="org_id", how="semi").select(KEY).unique())
    return (
        communities.select(KEY)
        .unique()
        .join(
            pl.concat(found).unique().with_columns(pl.lit(True).alias("has_path")),
            on=KEY,
            how="left",
        )
        .with_columns(pl.col("has_path").fill_null(False))
    )


def _reached(links: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Return who is led to, by one linkage or several, from an organisation of the stage production."""
    from htx_pipeline.graph.csr import CSRGraph
    from htx_pipeline.graph.kernels import traverse

    graph = CSRGraph.from_frame(links, keys=(), sums=(), dates=())
    ids = graph.ids.alias("org_id").to_frame()
    stage = ids.join(
        nodes.select("org_id", "stage"), on="org_id", how="left", maintain_order="left"
    )
    makes = (stage["stage"] == "production").fill_null(False).to_numpy()
    reached = traverse.reach(graph.out.indptr, graph.out.indices, makes)
    ahead = np.zeros(len(graph), dtype=bool)
    ahead[graph.edge_target[reached[graph.edge_source]]] = True
    return ids.filter(pl.Series(ahead))
