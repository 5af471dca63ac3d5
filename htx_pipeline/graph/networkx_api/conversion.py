"""Conversion from NetworkX and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.rows import Rows


def convert_from_nx(
    graph: Any,
    *,
    edge_attrs: Mapping[str, Any] | None = None,
    preserve_edge_attrs: bool | Mapping[str, Any] = False,
    **_: Any,
) -> CSRGraph:
    """Return a NetworkX graph as a `CSRGraph` with the same order of nodes and neighbours.

    Parallel edges of a multigraph become one with the sum of their weights. Node attributes stay
    behind, and so do edge attributes that are not numbers on every edge.

    Raises
    ------
    NotImplementedError
        An attribute asked for is not a number on some edge.

    Examples
    --------
    >>> convert_from_nx(nx.path_graph(3)).number_of_edges()
    2
    """
    if isinstance(graph, CSRGraph):
        return graph
    labels = list(graph)
    place = {label: row for row, label in enumerate(labels)}
    n = len(labels)
    lengths = np.fromiter((len(near) for near in graph._adj.values()), np.int64, count=n)
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(lengths, out=indptr[1:])
    indices = np.fromiter(
        (place[v] for near in graph._adj.values() for v in near), np.int32, count=int(indptr[-1])
    )
    tail = np.repeat(np.arange(n, dtype=np.int32), lengths)
    wanted = dict(edge_attrs or {})
    strict = preserve_edge_attrs is not True
    if not strict:
        cells = (data for near in graph._adj.values() for data in near.values())
        if graph.is_multigraph():
            cells = (data for parallel in cells for data in parallel.values())
        wanted = dict.fromkeys(sorted({str(key) for data in cells for key in data}), None)
    values = {}
    for name, default in wanted.items():
        column = _edge_values(graph, name, default)
        if column is not None:
            values[name] = column
        elif strict:
            raise NotImplementedError(f"edge attribute {name!r} is not a number everywhere")
    directed = graph.is_directed()
    edge = None
    if not directed:
        ahead = tail <= indices
        edge = np.empty(len(indices), dtype=np.int64)
        edge[ahead] = np.arange(int(ahead.sum()))
        forth = np.flatnonzero(ahead & (tail != indices))
        back = np.flatnonzero(~ahead)
        key_forth = tail[forth].astype(np.int64) * n + indices[forth]
        key_back = indices[back].astype(np.int64) * n + tail[back]
        edge[back[np.argsort(key_back)]] = edge[forth[np.argsort(key_forth)]]
        values = {name: column[ahead] for name, column in values.items()}
        tail, head = tail[ahead], indices[ahead]
    else:
        head = indices
    return CSRGraph(
        node_table=pl.DataFrame(),
        link_table=pl.DataFrame(),
        rows=Rows(indptr, indices, edge),
        edge_source=tail,
        edge_target=head,
        link_ptr=None,
        directed=directed,
        weight=None,
        labels=labels,
        attributes=values,
        graph=graph.graph,
        is_sorted=False,
    )


def _edge_values(graph: Any, name: str, default: Any) -> NDArray[Any] | None:
    """Return one number per neighbour slot, int64 where all are whole; None if some is no number."""
    cells = (data for near in graph._adj.values() for data in near.values())
    found: list[Any]
    if graph.is_multigraph():
        found = [[data.get(name, default) for data in parallel.values()] for parallel in cells]
        kinds = {type(value) for several in found for value in several}
    else:
        found = [data.get(name, default) for data in cells]
        kinds = set(map(type, found))
    if not kinds <= {int, float, bool, np.float64, np.int64, np.int32, np.float32}:
        return None
    if graph.is_multigraph():
        found = [sum(several) for several in found]
    whole = all(issubclass(kind, int | np.integer) for kind in kinds)
    try:
        return np.array(found, dtype=np.int64 if whole else np.float64)
    except OverflowError:
        return None


def convert_to_nx(result: Any, **_: Any) -> Any:
    """Return a `CSRGraph` as a NetworkX graph, and anything else as it is.

    Examples
    --------
    >>> convert_to_nx(convert_from_nx(nx.path_graph(3))).edges
    EdgeView([(0, 1), (1, 2)])
    """
    return result.to_networkx() if isinstance(result, CSRGraph) else result


def frozen_copy(graph: Any) -> Any:
    """Return the NetworkX copy that is kept with a graph."""
    if not isinstance(graph, CSRGraph):
        return graph
    kept = graph.__dict__.get("_networkx")
    if kept is None:
        kept = graph.__dict__["_networkx"] = nx.freeze(graph.to_networkx())
    return kept
