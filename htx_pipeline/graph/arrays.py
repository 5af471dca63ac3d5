"""Measures of a graph as arrays in the order of its node table.

What belongs here: one function per algorithm, `CSRGraph` in, NumPy arrays out, on SciPy, igraph or a
kernel of ours, whichever is fastest.
What does not: NetworkX's conventions (`htx_pipeline.graph.backend`), communities
(`htx_pipeline.graph.leiden`), positions and risk (`htx_pipeline.graph.position`,
`htx_pipeline.graph.esri`), tables and units (`htx_pipeline.metrics`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph
from htx_pipeline.graph.rows import Rows

Direction = Literal["out", "in"]


class UnsupportedError(NotImplementedError):
    """This input cannot be treated here; NetworkX's own implementation can."""


def _rows_of(graph: CSRGraph, direction: Direction) -> Rows:
    return graph.out if direction == "out" else graph.into


def weak_components(graph: CSRGraph) -> tuple[NDArray[np.int32], int]:
    """Return (component of each node, number), components numbered by their smallest node.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([1, 3]), np.array([0, 2]), n=5)
    >>> weak_components(graph)
    (array([0, 0, 1, 1, 2], dtype=int32), 3)
    """
    from htx_pipeline.graph.kernels import traverse

    label, count = traverse.components(len(graph), graph.edge_source, graph.edge_target)
    return label, int(count)


def strong_components(graph: CSRGraph) -> tuple[NDArray[np.int32], int]:
    """Return (strong component of each node, number), sinks first.

    A component's number is larger than that of every component it leads to.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([0, 1, 1]), np.array([1, 0, 2]))
    >>> strong_components(graph)
    (array([1, 1, 0], dtype=int32), 2)
    """
    from htx_pipeline.graph.kernels import cuts

    label, count = cuts.strong(graph.out.indptr, graph.out.indices)
    return label, int(count)


def out_degree(graph: CSRGraph) -> NDArray[np.int64]:
    """Return the number of edges leaving each node (a self-loop counts 1)."""
    return np.diff(graph.out.indptr)


def in_degree(graph: CSRGraph) -> NDArray[np.int64]:
    """Return the number of edges entering each node (a self-loop counts 1)."""
    if not graph.is_directed():
        return out_degree(graph)
    return np.bincount(graph.edge_target, minlength=len(graph))


def degree(graph: CSRGraph) -> NDArray[np.int64]:
    """Return the number of edge ends at each node (a self-loop counts 2)."""
    ends = np.bincount(graph.edge_source, minlength=len(graph))
    return ends + np.bincount(graph.edge_target, minlength=len(graph))


def strength(
    graph: CSRGraph, weight: str | None = WEIGHT, *, direction: Direction = "out"
) -> NDArray[np.float64]:
    """Return the sum of the weights of the edges leaving (or entering) each node."""
    ends = graph.edge_source if direction == "out" else graph.edge_target
    values = graph.weights(weight).astype(np.float64, copy=False)
    total = np.bincount(ends, weights=values, minlength=len(graph))
    if not graph.is_directed():
        other = graph.edge_source != graph.edge_target
        ends = graph.edge_target if direction == "out" else graph.edge_source
        total += np.bincount(ends[other], weights=values[other], minlength=len(graph))
    return total.astype(np.float64, copy=False)


class DepthFirst(NamedTuple):
    """A depth-first search of the undirected structure; see `kernels.cuts.depth_first`."""

    order: NDArray[np.int32]
    number: NDArray[np.int32]
    parent: NDArray[np.int32]
    low: NDArray[np.int32]


def depth_first(graph: CSRGraph) -> DepthFirst:
    """Return the depth-first numbering that cut points, bridges and blocks share."""
    from htx_pipeline.graph.kernels import cuts

    return DepthFirst(*cuts.depth_first(*graph.both_ways))


def articulation_points(graph: CSRGraph) -> NDArray[np.bool_]:
    """Return the mask of nodes whose loss splits their weak component.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([0, 1]), np.array([1, 2]))
    >>> articulation_points(graph)
    array([False,  True, False])
    """
    from htx_pipeline.graph.kernels import cuts

    mask: NDArray[np.bool_] = cuts.articulation(*depth_first(graph))
    return mask


def bridges(graph: CSRGraph) -> NDArray[np.bool_]:
    """Return the mask over edges whose loss splits their weak component.

    Of two edges in opposite directions neither is a bridge's only strand; both are marked, because
    the pair of organisations is joined by nothing else.
    """
    found = depth_first(graph)
    parent, number, low = found.parent, found.number, found.low
    source, target = graph.edge_source, graph.edge_target

    def above(child: NDArray[np.int32], top: NDArray[np.int32]) -> Any:
        return (parent[child] == top) & (low[child] > number[top])

    mask: NDArray[np.bool_] = above(target, source) | above(source, target)
    return mask


def blocks(graph: CSRGraph) -> list[NDArray[np.int64]]:
    """Return the nodes of each biconnected component of two or more nodes."""
    from htx_pipeline.graph.kernels import cuts

    found = depth_first(graph)
    block, count = cuts.blocks(*found)
    if count == 0:
        return []
    child = np.flatnonzero(block >= 0)
    group = np.concatenate([block[child], block[child]])
    member = np.concatenate([child, found.parent[child]])
    pairs = np.unique(np.column_stack([group, member]), axis=0)
    return np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(1, count)))


def core_numbers(graph: CSRGraph) -> NDArray[np.int64]:
    """Return the largest k for which each node is in the k-core; in and out edges both count.

    Self-loops are left out.
    """
    from htx_pipeline.graph.kernels import cuts, structure

    if graph.is_directed():
        kept = graph.edge_source != graph.edge_target
        tail = np.concatenate([graph.edge_source[kept], graph.edge_target[kept]])
        head = np.concatenate([graph.edge_target[kept], graph.edge_source[kept]])
        indptr = np.zeros(len(graph) + 1, dtype=np.int64)
        np.cumsum(np.bincount(tail, minlength=len(graph)), out=indptr[1:])
        indices, _ = structure.place(indptr, tail, head)
    else:
        indptr, indices = graph.neighbours
    core = np.diff(indptr)
    cuts.peel(indptr, indices, core)
    return core


def triangles(graph: CSRGraph) -> NDArray[np.int64]:
    """Return the number of triangles at each node of the undirected structure."""
    from htx_pipeline.graph.kernels import cuts

    count: NDArray[np.int64] = cuts.triangles(*graph.neighbours)
    return count


def closed_pairs(graph: CSRGraph) -> NDArray[np.int64]:
    """Return, for each node j, the number of pairs (i, k) with edges i to j, j to k and i to k.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([0, 0, 1]), np.array([1, 2, 2]))
    >>> closed_pairs(graph).tolist()
    [0, 1, 0]
    """
    from htx_pipeline.graph.kernels import structure

    out, into = graph.out, graph.into
    found: NDArray[np.int64]
    found = structure.closed_pairs(out.indptr, out.indices, into.indptr, into.indices)
    return found


def largest_parts(
    graph: CSRGraph, order: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (nodes, weight within) of the largest weak component after each count of exits.

    One pass over the edges, nodes being put back in reverse (Newman & Ziff 2001,
    doi:10.1103/PhysRevE.64.016706). Of components of one size the one with the smallest row counts.

    Parameters
    ----------
    order:
        All nodes in the order in which they leave.
    counts:
        How many have left at each step, ascending.

    Raises
    ------
    InputError
        The weights are not whole numbers.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([0, 1, 2]), np.array([1, 2, 3]))
    >>> largest_parts(graph, np.array([1, 0, 2, 3]), np.array([0, 1, 4]))
    (array([4, 2, 0]), array([3, 1, 0]))
    """
    from htx_pipeline.graph.kernels import structure, traverse

    n, steps = len(graph), len(counts)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    leaves = np.searchsorted(counts, place, side="right").astype(np.int64)
    # The last step at which both ends of an edge are there; some edges are never there.
    last = np.minimum(leaves[graph.edge_source], leaves[graph.edge_target]) - 1
    ptr = np.zeros(steps + 2, dtype=np.int64)
    np.cumsum(np.bincount(last + 1, minlength=steps + 1), out=ptr[1:])
    _, edge = structure.place(ptr, (last + 1).astype(np.int32), graph.edge_target)
    weight = graph.weights()
    if weight.dtype.kind != "i":
        raise InputError(
            "Weights must be whole numbers, so that their sums are exact.", code="graph_weight"
        )
    size, within = traverse.giants(
        graph.edge_source, graph.edge_target, weight, edge, ptr[1:].copy(), leaves, steps
    )
    return size, within


def pagerank(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    alpha: float = 0.85,
    personalization: NDArray[np.float64] | None = None,
    start: NDArray[np.float64] | None = None,
    dangling: NDArray[np.float64] | None = None,
    max_iter: int = 100,
    tol: float = 1e-6,
) -> NDArray[np.float64] | None:
    """Return PageRank (Page et al. 1999), or None when ``max_iter`` steps were not enough.

    The steps, and the test ``|x - x'|₁ < n·tol``, are NetworkX's.
    """
    from htx_pipeline.graph.kernels import flows

    n = len(graph)
    if n == 0:
        return np.empty(0)
    values = graph.weights(weight).astype(np.float64, copy=False)
    tail, head = graph.edge_source, graph.edge_target
    if not graph.is_directed():
        tail = np.repeat(np.arange(n, dtype=np.int32), np.diff(graph.out.indptr))
        head, values = graph.out.indices, graph.out.weights(values)
    x = np.full(n, 1.0 / n) if start is None else start.astype(np.float64)
    home = np.full(n, 1.0 / n) if personalization is None else personalization
    sink = home if dangling is None else dangling
    steps = flows.pagerank(
        *(tail, head, values, sink, home, float(alpha), float(n * tol), int(max_iter)),
        *(x, np.empty(n), np.zeros(n), np.empty(len(values))),
    )
    return x if steps > 0 else None


def distances(
    graph: CSRGraph,
    source: int,
    *,
    direction: Direction = "out",
    cutoff: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (nodes reached, nearest first; hops to every node, -1 where none lead)."""
    from htx_pipeline.graph.kernels import traverse

    rows = _rows_of(graph, direction)
    limit = len(graph) + 1 if cutoff is None else cutoff
    start = np.array([source], dtype=np.int64)
    order, hops = traverse.levels(rows.indptr, rows.indices, start, limit)
    return order, hops


def _lengths(graph: CSRGraph, weight: str | None) -> NDArray[np.float64]:
    """Return weights as floats whose sums along a path are exact where the weights are whole."""
    values = graph.weights(weight)
    if values.dtype.kind == "i" and values.astype(np.float64).sum() >= 2**53:
        raise UnsupportedError("whole-number distances above 2**53")
    return values.astype(np.float64, copy=False)


class ShortestPaths(NamedTuple):
    """Nodes reached in the order of their distance, distances (inf), and parents (-1)."""

    order: NDArray[np.int64]
    distance: NDArray[np.float64]
    parent: NDArray[np.int64]


def shortest_paths(
    graph: CSRGraph,
    source: int,
    weight: str | None = WEIGHT,
    *,
    target: int = -1,
    cutoff: float = np.inf,
    direction: Direction = "out",
) -> ShortestPaths:
    """Return the shortest paths from one node by weight (Dijkstra), up to a target or a cutoff.

    Of equally short ways the one found first stays, as in NetworkX.

    Raises
    ------
    UnsupportedError
        A weight is negative, or whole-number weights are too large to add up exactly.
    """
    from htx_pipeline.graph.kernels import weighted

    values = _lengths(graph, weight)
    rows = _rows_of(graph, direction)
    found = ShortestPaths(
        *weighted.dijkstra(
            rows.indptr, rows.indices, rows.weights(values), source, target, float(cutoff)
        )
    )
    if len(found.order) == 0:
        raise UnsupportedError("negative weights")
    return found


def betweenness(
    graph: CSRGraph,
    *,
    weight: str | None = None,
    sources: NDArray[np.int64] | None = None,
    endpoints: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the unscaled betweenness of each node from all or some sources, by hops or by a weight.

    Brandes (2001), doi:10.1080/0022250X.2001.9990249. Each ordered pair (source, target) counts. Ways
    are equally long where their sums of weights are equal as floats, as in NetworkX.

    Raises
    ------
    UnsupportedError
        A weight is negative or infinite, or whole-number weights are too large to add up exactly.
    """
    from htx_pipeline.graph.kernels import parallel, traverse, weighted

    if sources is None:
        sources = parallel.every(len(graph))
    rows = graph.out
    if weight is None:

        def run(some: NDArray[Any]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = traverse.betweenness(
                rows.indptr, rows.indices, some, endpoints
            )
            return found
    else:
        lengths = rows.weights(_lengths(graph, weight))
        if len(lengths) and not (lengths.min() >= 0 and np.isfinite(lengths).all()):
            raise UnsupportedError("negative or infinite weights")

        def run(some: NDArray[Any]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = weighted.betweenness(
                rows.indptr, rows.indices, lengths, some, endpoints
            )
            return found

    total = np.zeros(len(graph))
    for part in parallel.pieces(
        run,
        sources,
        piece=256,
        workers=workers,
        progress=progress,
    ):
        total += part
    return total


class DistanceSums(NamedTuple):
    """Per source: nodes reached (itself included), sum of hops, sum of 1/hops."""

    reached: NDArray[np.int64]
    hops: NDArray[np.int64]
    inverse: NDArray[np.float64]


def distance_sums(
    graph: CSRGraph,
    *,
    sources: NDArray[np.int64] | None = None,
    direction: Direction = "in",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DistanceSums:
    """Return what closeness and harmonic centrality are made of, by hops."""
    from htx_pipeline.graph.kernels import parallel, traverse

    rows = _rows_of(graph, direction)
    if sources is None:
        sources = parallel.every(len(graph))
    parts = list(
        parallel.pieces(
            lambda some: traverse.distance_sums(rows.indptr, rows.indices, some),
            sources,
            piece=256,
            workers=workers,
            progress=progress,
        )
    )
    if not parts:
        return DistanceSums(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return DistanceSums(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def generations(graph: CSRGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (topological order, longest way from a source); level -1 within or behind a cycle."""
    from htx_pipeline.graph.kernels import traverse

    order, level = traverse.generations(graph.out.indptr, graph.out.indices)
    return order, level
