"""Edges in the hands of SciPy, igraph and NetworkX.

What belongs here: making the objects of other libraries from arrays and tables.
What does not: what a graph is (`htx_pipeline.graph.csr`); conversion from NetworkX, which is the
backend's (`htx_pipeline.graph.networkx_api.conversion`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.rows import Rows


def to_scipy(rows: Rows, values: NDArray[Any]) -> Any:
    """Return a ``scipy.sparse.csr_array`` of rows and one value per slot, without copying them."""
    from scipy.sparse import csr_array

    n = len(rows.indptr) - 1
    small = len(rows.indices) < np.iinfo(np.int32).max
    indptr = rows.indptr.astype(np.int32 if small else np.int64)
    return csr_array((values, rows.indices, indptr), shape=(n, n))


def to_igraph(
    labels: Sequence[Hashable],
    source: NDArray[np.int32],
    target: NDArray[np.int32],
    *,
    weights: NDArray[Any] | None,
    directed: bool,
) -> Any:
    """Return an ``igraph.Graph`` with vertex attribute ``name`` and edge attribute ``weight``."""
    try:
        import igraph
    except ImportError as error:
        raise InputError(
            "igraph is not installed.", remedy="pip install igraph", code="graph_igraph"
        ) from error

    ends = np.column_stack([source, target])
    out = igraph.Graph(n=len(labels), edges=ends, directed=directed)
    out.vs["name"] = list(labels)
    if weights is not None:
        out.es["weight"] = weights.tolist()
    return out


def to_networkx(
    labels: Sequence[Hashable],
    nodes: pl.DataFrame,
    edges: pl.DataFrame,
    *,
    directed: bool,
    multigraph: bool,
    attributes: Mapping[str, Any],
) -> Any:
    """Return a NetworkX graph; null attributes of nodes and edges are left out.

    ``source`` and ``target`` of ``edges`` are row numbers of ``labels`` and of ``nodes``; every other
    column is an attribute.
    """
    import networkx as nx

    kinds: ModuleType = nx
    name = ("Multi" if multigraph else "") + ("DiGraph" if directed else "Graph")
    out = getattr(kinds, name)()
    out.graph.update(attributes)
    for label, row in zip(labels, _cells(nodes, len(labels)), strict=True):
        out.add_node(label, **row)
    ends = zip(edges["source"].to_list(), edges["target"].to_list(), strict=True)
    rows = _cells(edges.drop("source", "target"), edges.height)
    out.add_edges_from((labels[u], labels[v], row) for (u, v), row in zip(ends, rows, strict=True))
    return out


def _cells(table: pl.DataFrame, height: int) -> Iterator[dict[str, Any]]:
    """Yield the known values of each row."""
    if table.width == 0:
        yield from ({} for _ in range(height))
        return
    for row in table.iter_rows(named=True):
        yield {name: value for name, value in row.items() if value is not None}
