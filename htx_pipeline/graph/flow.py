"""Maximum flow and minimum cut between two nodes.

What belongs here: capacities (infinite ones too) of a graph as arcs, the flow per edge, the cut.
What does not: the search for augmenting paths (`htx_pipeline.graph.kernels.residual`), NetworkX's
dictionaries (`htx_pipeline.graph.backend`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph
from htx_pipeline.graph.rows import rows_unsorted

_EXACT: Final = 2.0**53


class Flow(NamedTuple):
    """A maximum flow's value, the mask of the source's side of a minimum cut, and the flow per edge.

    Between the ends of an undirected edge a negative flow runs from target to source.
    """

    value: float
    side: NDArray[np.bool_]
    edge: NDArray[np.float64]


def maximum_flow(graph: CSRGraph, source: int, target: int, capacity: str | None = WEIGHT) -> Flow:
    """Return a maximum flow and a minimum cut (Dinic 1970).

    The side of the cut is the smallest: what can still be reached from the source. Flows are 64-bit
    floats, in which whole capacities stay exact up to 2**53.

    Raises
    ------
    InputError
        Source and target are the same, a capacity is negative, whole capacities are too large to add
        up exactly (code ``graph_flow_exact``), or a path of infinite capacity joins the two (code
        ``graph_unbounded``).

    Examples
    --------
    Two mills of capacity 3 and 4 stand between a farm that sells 5 and a port.

    >>> graph = CSRGraph.from_arrays(
    ...     np.array([0, 1, 1, 2, 3]), np.array([1, 2, 3, 4, 4]), weight=np.array([5, 3, 4, 3, 4])
    ... )
    >>> maximum_flow(graph, 0, 4).value
    5.0
    """
    from htx_pipeline.graph.kernels import residual

    values = graph.weights(capacity)
    if source == target:
        raise InputError("Source and target of a flow are the same.", code="graph_flow_ends")
    if (values < 0).any():
        raise InputError("A capacity is negative.", code="graph_flow_capacity")
    room = values.astype(np.float64)
    endless = np.isinf(room)
    if endless.any():
        _refuse_endless_path(graph, endless, source, target)
        # No finite cut is larger than all finite capacities together.
        room[endless] = room[~endless].sum() + 1
    if values.dtype.kind == "i" and room.sum() >= _EXACT:
        raise InputError("Whole capacities add up to 2**53 or more.", code="graph_flow_exact")
    n = len(graph)
    # Edge e is arc 2e, and arc 2e + 1 against it.
    free = np.zeros(2 * len(room))
    free[::2] = room
    if not graph.is_directed():
        free[1::2] = room
    back = free[1::2].copy()
    tail = np.column_stack([graph.edge_source, graph.edge_target]).ravel()
    head = np.column_stack([graph.edge_target, graph.edge_source]).ravel()
    rows = rows_unsorted(tail, head, n)
    assert rows.edge is not None
    level = np.empty(n, dtype=np.int32)
    sent = np.zeros(len(room))
    value = residual.augment(
        rows.indptr,
        rows.indices,
        rows.edge,
        free,
        int(source),
        int(target),
        level,
        np.empty(n, dtype=np.int64),
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int64),
        sent,
    )
    return Flow(float(value), level >= 0, np.clip(sent, -back, room))


def _refuse_endless_path(
    graph: CSRGraph, endless: NDArray[np.bool_], source: int, target: int
) -> None:
    from htx_pipeline.graph.kernels import structure, traverse

    kept = graph.out.weights(endless)
    indptr = structure.kept_ptr(graph.out.indptr, kept)
    start = np.array([source], dtype=np.int64)
    _, hops = traverse.levels(indptr, graph.out.indices[kept], start, len(graph) + 1)
    if hops[target] >= 0:
        raise InputError("A path of infinite capacity joins the two.", code="graph_unbounded")


def flow_rows(graph: CSRGraph, flow: Flow) -> tuple[Any, NDArray[np.float64]]:
    """Return the graph's outgoing rows and the flow along each slot (0 where it runs the other way)."""
    rows = graph.out
    along = rows.weights(flow.edge)
    if not graph.is_directed():
        source = np.repeat(np.arange(len(graph), dtype=np.int32), np.diff(rows.indptr))
        against = source != rows.weights(graph.edge_source)
        along = np.where(against, -along, along)
    return rows, np.maximum(along, 0.0)
