"""A graph in the hands of SciPy, igraph and NetworkX.

What belongs here: conversion to the objects of other libraries.
What does not: conversion from NetworkX, which is the backend's (`htx_pipeline.graph.convert_networkx`).
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.graph.build import NODE_ID

if TYPE_CHECKING:
    from htx_pipeline.graph.csr import CSRGraph

WEIGHT = "weight"


def to_scipy(graph: CSRGraph, weight: str | None) -> Any:
    """Return a ``scipy.sparse.csr_array``; column numbers and weights are not copied.

    Its arrays are read-only (they are the graph's); copy it for what writes in place.
    """
    from scipy.sparse import csr_array

    n = len(graph)
    values = graph.out.weights(graph.weights(weight))
    small = len(graph.out.indices) < np.iinfo(np.int32).max
    indptr = graph.out.indptr.astype(np.int32 if small else np.int64)
    return csr_array((values, graph.out.indices, indptr), shape=(n, n))


def to_igraph(graph: CSRGraph, weight: str | None) -> Any:
    """Return an ``igraph.Graph`` with vertex attribute ``name`` and edge attribute ``weight``."""
    try:
        import igraph
    except ImportError as error:
        raise InputError(
            "igraph is not installed.", remedy="pip install igraph", code="graph_igraph"
        ) from error

    ends = np.column_stack([graph.edge_source, graph.edge_target])
    out = igraph.Graph(n=len(graph), edges=ends, directed=graph.is_directed())
    out.vs["name"] = list(graph.labels)
    if weight is not None:
        out.es["weight"] = graph.weights(weight).tolist()
    return out


def to_networkx(graph: CSRGraph, *, multigraph: bool) -> Any:
    """Return a NetworkX graph with every attribute; null attributes are left out.

    Edges carry their own attributes and, where the graph has a weight, ``weight``. With
    ``multigraph`` each link is an edge of its own.
    """
    import networkx as nx

    kinds: ModuleType = nx
    name = ("Multi" if multigraph else "") + ("DiGraph" if graph.is_directed() else "Graph")
    out = getattr(kinds, name)()
    out.graph.update(graph.graph)
    table = graph.node_table.drop(NODE_ID, strict=False)
    for label, row in zip(
        graph.labels,
        table.iter_rows(named=True) if table.width else ({} for _ in range(len(graph))),
        strict=True,
    ):
        out.add_node(label, **{k: v for k, v in row.items() if v is not None})
    labels = graph.labels
    edges = graph.link_table if multigraph else graph.edge_table
    ends = zip(edges["source"].to_list(), edges["target"].to_list(), strict=True)
    rest = edges.drop("source", "target")
    if graph.weight is not None and WEIGHT not in rest.columns:
        rest = rest.with_columns(pl.col(graph.weight).alias(WEIGHT))
    rows = rest.iter_rows(named=True) if rest.width else ({} for _ in range(edges.height))
    out.add_edges_from(
        (labels[u], labels[v], {k: x for k, x in row.items() if x is not None})
        for (u, v), row in zip(ends, rows, strict=True)
    )
    return out
