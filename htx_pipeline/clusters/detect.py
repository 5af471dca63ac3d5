"""Components and communities of the network, with ids that come from their members.

What belongs here: which organisations hang together, and which form a community. What does not:
what a cluster is made of (`describe`), which legal tests it passes (`criteria`), what became of it
over the years (`htx_pipeline.metrics.change`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from htx_pipeline.graph.build import CanonicalEdges, canonical_edges
from htx_pipeline.graph.network import at_least, basis_value, value_bases
from htx_pipeline.graph.numbering import NODE_ID
from htx_pipeline.resolve.ids import content_hash

MEMBER_SCHEMA = {"period": pl.String(), "org_id": pl.String()}


def _with_ids(frame: pl.DataFrame, *, column: str, prefix: str) -> pl.DataFrame:
    """Turn the group numbers of one period into ids hashed from the sorted members."""
    grouped = frame.group_by("_group").agg(pl.col("org_id").sort())
    ids = pl.Series(
        column, [prefix + content_hash(m, length=10) for m in grouped["org_id"]], pl.String
    )
    return frame.join(grouped.select("_group").with_columns(ids), on="_group", how="left")


def _per_period(
    edge_rows: pl.LazyFrame,
    find: Callable[[pl.LazyFrame, str], pl.DataFrame],
    *,
    column: str,
    prefix: str,
) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={**MEMBER_SCHEMA, column: pl.String()})]
    periods = edge_rows.select("period").unique().collect()["period"].sort()
    for period in periods:
        found = find(edge_rows.filter(pl.col("period") == period), period)
        named = _with_ids(found, column=column, prefix=prefix)
        parts.append(named.select(pl.lit(period).alias("period"), "org_id", column))
    return pl.concat(parts).sort("period", "org_id")


def _pairs(rows: pl.DataFrame) -> CanonicalEdges:
    """Return sorted ids and one row per pair, the smaller id first."""
    return canonical_edges(rows, keys=(), sums=("_value", "n_linkages"), dates=(), directed=False)


def _grouped(pairs: CanonicalEdges, groups: np.ndarray[Any, Any]) -> pl.DataFrame:
    ids = pairs.nodes[NODE_ID].alias("org_id")
    return pl.DataFrame([ids, pl.Series("_group", groups, dtype=pl.Int64)])


def components(edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Find the weakly connected components of each period's network, every evidence level counted.

    Parameters
    ----------
    edge_rows:
        The table `graph/edges`.

    Returns
    -------
    DataFrame
        ``period``, ``org_id``, ``component_id`` ("w-" and 10 hex digits of a hash of the sorted
        members). Organisations without an edge are in no component.

    Examples
    --------
    >>> rows = pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a", "c"], "buyer_id": ["b", "d"],
    ...     "n_linkages": [1, 1]})
    >>> components(rows)["component_id"].n_unique()
    2
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def find(rows: pl.LazyFrame, _period: str) -> pl.DataFrame:
        ends = rows.select("supplier_id", "buyer_id", "n_linkages", pl.lit(0).alias("_value"))
        pairs = _pairs(ends.collect())
        a, b = (pairs.edges[end].to_numpy() for end in ("source", "target"))
        n = pairs.nodes.height
        matrix = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
        _, groups = connected_components(matrix, directed=False)
        return _grouped(pairs, groups)

    return _per_period(edge_rows.lazy(), find, column="component_id", prefix="w-")


def partition(
    n: int,
    a: np.ndarray[Any, Any],
    b: np.ndarray[Any, Any],
    weight: np.ndarray[Any, Any],
    *,
    resolution: float,
    seed: int,
) -> np.ndarray[Any, Any]:
    """Return the Leiden community of each of *n* nodes (see `htx_pipeline.graph.leiden`).

    Deterministic for the same pairs, in any order, and seed.

    References
    ----------
    Modularity with resolution: Reichardt, Bornholdt 2006, doi:10.1103/PhysRevE.74.016110.

    Examples
    --------
    >>> two = partition(4, np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([9.0, 9.0, 1.0]), resolution=1.0, seed=1)
    >>> bool(two[0] == two[1]), bool(two[1] == two[2])
    (True, False)
    """
    from htx_pipeline.graph.csr import CSRGraph
    from htx_pipeline.graph.leiden import leiden

    graph = CSRGraph.from_arrays(a, b, n=n, weight=weight, directed=False)
    found = leiden(graph, resolution=resolution, seed=seed)
    return found.membership.astype(np.int64)


def communities(
    edge_rows: pl.DataFrame | pl.LazyFrame,
    *,
    resolution: float = 1.0,
    seed: int = 20,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
    """Find the communities of each period's network by the Leiden method.

    Links count in both directions, added up per pair, weighted by value on the period's basis
    (`network.value_bases`): the value paid, else contracted; else the number of linkages. On a value
    basis a pair that states no value, or none yet, weighs as much as the smallest pair that does: it
    holds two organisations together and never outweighs a stated one. Multiplying all values by a
    constant changes nothing. Self-loops are left out; an organisation with no other link is in no
    community.

    Parameters
    ----------
    edge_rows:
        The table `graph/edges`.
    resolution:
        Higher means smaller communities.
    seed:
        Seed of the search.
    evidence:
        Weakest evidence level that counts; planned linkages are no network yet.
    min_stated_share:
        See `network.value_bases`.

    Returns
    -------
    DataFrame
        ``period``, ``org_id``, ``cluster_id``: "c-" and 10 hex digits of a hash of the sorted
        members, so the same members have the same id in every run and period.

    Notes
    -----
    Modularity has a resolution limit: communities smaller than about the square root of twice the
    network's weight may be merged (Fortunato, Barthélemy 2007, doi:10.1073/pnas.0605965104).

    Examples
    --------
    >>> rows = pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a", "c"], "buyer_id": ["b", "d"],
    ...     "evidence": ["active"] * 2, "n_linkages": [1, 1], "paid_value_vnd": [None, None],
    ...     "contracted_value_vnd": [None, None], "n_paid_value": [0, 0], "n_contracted_value": [0, 0]},
    ...     schema_overrides={"paid_value_vnd": pl.Int64, "contracted_value_vnd": pl.Int64})
    >>> communities(rows)["cluster_id"].n_unique()
    2
    """
    kept = at_least(edge_rows.lazy(), evidence=evidence).filter(
        pl.col("supplier_id") != pl.col("buyer_id")
    )
    bases = dict(value_bases(kept, min_stated_share=min_stated_share).collect().iter_rows())

    def find(rows: pl.LazyFrame, period: str) -> pl.DataFrame:
        basis = bases[period]
        value = pl.lit(0) if basis == "links" else basis_value(pl.lit(basis)).fill_null(0)
        found = _pairs(
            rows.select("supplier_id", "buyer_id", "n_linkages", value.alias("_value")).collect()
        )
        pairs = found.edges
        if basis == "links":
            weight = pairs["n_linkages"].cast(pl.Float64)
        else:
            floor = pairs.filter(pl.col("_value") > 0)["_value"].min()
            weight = pairs.select(pl.max_horizontal("_value", pl.lit(floor)))["_value"].cast(
                pl.Float64
            )
        shares = weight.to_numpy() / float(np.sort(weight.to_numpy()).sum())
        a, b = (pairs[end].to_numpy() for end in ("source", "target"))
        n = found.nodes.height
        groups = partition(n, a, b, shares, resolution=resolution, seed=seed)
        return _grouped(found, groups)

    return _per_period(kept, find, column="cluster_id", prefix="c-")
