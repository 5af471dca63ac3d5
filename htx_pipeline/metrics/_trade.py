"""What the measures of the network share: each period's trade as one weighted graph.

What belongs here: from `graph/edges` to a `CSRGraph` on one value basis. What does not: measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.network import at_least, basis_value, value_bases

DIGITS: Final = 12
"""Decimals kept of shares and positions, so that the order of additions cannot show."""


class Trade(NamedTuple):
    """The linkages of one period between different organisations.

    ``graph`` has one link per pair and product, weighing ``trade`` (VND, or linkages on the basis
    ``links``); ``rows`` are the edges behind it with ``trade`` (0 where not stated) and ``n_stated`` (1 where it is).
    """

    period: str
    basis: str
    graph: CSRGraph
    rows: pl.DataFrame

    def known(self, columns: pl.DataFrame, name: str) -> list[Any]:
        """Return a column of the period's nodes in the order of the graph; null where unlisted."""
        own = columns.filter(pl.col("period") == self.period).select("org_id", name)
        ids = self.graph.ids.alias("org_id").to_frame()
        return ids.join(own, on="org_id", how="left", maintain_order="left")[name].to_list()


def trades(
    edges: pl.DataFrame | pl.LazyFrame, *, evidence: str, min_stated_share: float = 0.5
) -> Iterator[Trade]:
    """Yield the trade of each period that has any, in order; self-loops are no trade."""
    all_rows = at_least(edges.lazy(), evidence=evidence)
    bases = value_bases(all_rows, min_stated_share=min_stated_share).collect()
    between = all_rows.filter(pl.col("supplier_id") != pl.col("buyer_id"))
    for period, basis in bases.iter_rows():
        is_links = basis == "links"
        value = pl.col("n_linkages") if is_links else basis_value(pl.lit(basis))
        part = (
            between.filter(pl.col("period") == period)
            .select(
                "supplier_id", "buyer_id", "product_code", "n_linkages",
                value.fill_null(0).alias("trade"), value.is_not_null().cast(pl.Int64).alias("n_stated"),
            )
            .collect()
        )  # fmt: skip
        if part.is_empty():
            continue
        graph = CSRGraph.from_frame(
            part,
            keys=("product_code",),
            sums=("trade", "n_linkages", "n_stated"),
            dates=(),
            weight="trade",
        )
        yield Trade(str(period), str(basis), graph, part)


def tidy(values: NDArray[np.float64], *, digits: int = DIGITS) -> pl.Series:
    """Round and turn NaN into null."""
    return pl.Series(np.round(values, digits)).fill_nan(None)
