"""The linkages of a cluster: which lie inside it, and what they weigh.

What belongs here: what the tables of clusters share. What does not: the tables (`describe`, `stages`,
`criteria`).

A cluster's linkages are those with both ends in it, at the evidence level given. Everything stays lazy, so
that each table reads only the columns it adds up.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.graph.network import at_least, basis_value, basis_weight, value_bases

KEY: Final = ["period", "cluster_id"]

_DIGITS: Final = 12


def null_sum(column: str, *, is_float: bool = False) -> pl.Expr:
    """Add up, null when nothing is stated; floats in ascending order, so that the row order cannot show.

    Examples
    --------
    >>> pl.DataFrame({"x": [None, 2]}).select(null_sum("x")).item()
    2
    """
    # As a list: the optimizer takes a sort before a sum away, as if floats added up the same in any order.
    added = pl.col(column).implode().list.sort().list.sum() if is_float else pl.col(column).sum()
    return pl.when(pl.col(column).count() > 0).then(added).alias(column)


def part_of(top: str | pl.Expr, bottom: str | pl.Expr) -> pl.Expr:
    """Divide, to twelve digits: of a table of one row Polars multiplies by the reciprocal, 1e-16 away.

    Examples
    --------
    >>> pl.DataFrame({"x": [7425], "y": [7425]}).select(part_of("x", "y")).item()
    1.0
    """
    over, under = (pl.col(of) if isinstance(of, str) else of for of in (top, bottom))
    return (over / under).round(_DIGITS)


def with_clusters(
    edges: pl.DataFrame | pl.LazyFrame, communities: pl.DataFrame, *, evidence: str
) -> pl.LazyFrame:
    """Add ``cluster_id_supplier``, ``cluster_id_buyer`` and ``cluster_id``, null where they are two."""
    rows = at_least(edges.lazy(), evidence=evidence)
    own = communities.lazy().select("period", "org_id", "cluster_id")
    for end in ("supplier", "buyer"):
        ends = own.rename({"org_id": f"{end}_id", "cluster_id": f"cluster_id_{end}"})
        rows = rows.join(ends, on=["period", f"{end}_id"], how="left")
    own_cluster = pl.col("cluster_id_supplier")
    return rows.with_columns(
        pl.when(own_cluster == pl.col("cluster_id_buyer")).then(own_cluster).alias("cluster_id")
    )


def inside_of(
    crossing: pl.LazyFrame, *, min_stated_share: float = 0.5
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Return the linkages inside clusters with ``weight_basis``, ``_value`` and ``_weight``, and the bases."""
    rows = crossing.filter(pl.col("cluster_id").is_not_null())
    bases = value_bases(
        rows, by=("period", "cluster_id"), min_stated_share=min_stated_share
    ).collect()
    weighted = rows.join(bases.lazy(), on=KEY, how="left").with_columns(
        basis_value(pl.col("weight_basis")).alias("_value"),
        basis_weight(pl.col("weight_basis")).alias("_weight"),
    )
    return weighted, bases
