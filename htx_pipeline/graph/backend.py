"""The NetworkX backend: ``nx.pagerank(csr_graph)`` on arrays, everything else by conversion.

What belongs here: NetworkX's conventions (labels, dicts, generators, exceptions, scaling) around
`htx_pipeline.graph.arrays` and `htx_pipeline.graph.leiden`, conversion both ways, and the object
NetworkX dispatches to.
What does not: algorithms.

A function named in `backend_info.FUNCTIONS` runs on the arrays of a `CSRGraph`, or of a NetworkX graph
converted because ``backend="htx"`` or ``nx.config.backend_priority`` asks for it. Any other NetworkX
function called with a `CSRGraph` runs in NetworkX on a converted, frozen copy (kept with the graph);
one that would change its input is refused, because a `CSRGraph` does not change.
"""

# ruff: noqa: N803, PLR0917
from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

import networkx as nx
import numpy as np
import polars as pl
from networkx.utils import not_implemented_for, py_random_state
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays, leiden
from htx_pipeline.graph.arrays import UnsupportedError
from htx_pipeline.graph.backend_info import FUNCTIONS
from htx_pipeline.graph.csr import CSRGraph, Rows

Label = Hashable
F = TypeVar("F", bound=Callable[..., Any])

_SUMMED_MULTIGRAPHS = frozenset({"leiden_communities", "pagerank"})
"""Functions for which parallel edges are as good as one edge with the sum of their weights."""


# ---------------------------------------------------------------------- conversion


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


def _frozen_copy(graph: Any) -> Any:
    """Return the NetworkX copy that is kept with a graph."""
    if not isinstance(graph, CSRGraph):
        return graph
    kept = graph.__dict__.get("_networkx")
    if kept is None:
        kept = graph.__dict__["_networkx"] = nx.freeze(graph.to_networkx())
    return kept


# ---------------------------------------------------------------------- helpers


def _labels(graph: CSRGraph, rows: NDArray[Any]) -> list[Any]:
    names = graph.labels
    return [names[row] for row in rows.tolist()]


def _by_node(graph: CSRGraph, values: NDArray[Any]) -> dict[Any, Any]:
    return dict(zip(graph.labels, values.tolist(), strict=True))


def _groups(graph: CSRGraph, label: NDArray[Any], count: int) -> Iterator[set[Any]]:
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label, minlength=count))[:-1]
    for rows in np.split(order, ends) if count else ():
        yield set(_labels(graph, rows))


def _row(graph: CSRGraph, label: Label, *, what: str = "Source") -> int:
    if label not in graph:
        raise nx.NodeNotFound(f"{what} {label} is not in G")
    return graph.index(label)


def _numbers(graph: CSRGraph, weight: str | None, values: NDArray[Any]) -> list[Any]:
    """Return distances as whole numbers where the weights are whole."""
    if graph.weights(weight).dtype.kind == "i":
        return list(map(int, values.tolist()))
    return list(values.tolist())


def _undirected_only(function: F) -> F:
    return cast(F, not_implemented_for("directed")(function))


def _directed_only(function: F) -> F:
    return cast(F, not_implemented_for("undirected")(function))


def _seeded(function: F) -> F:
    return cast(F, py_random_state("seed")(function))


# ---------------------------------------------------------------------- components


@_undirected_only
def connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return _groups(G, *arrays.weak_components(G))


@_undirected_only
def number_connected_components(G: CSRGraph) -> int:
    return arrays.weak_components(G)[1]


@_undirected_only
def is_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.weak_components)


@_undirected_only
def node_connected_component(G: CSRGraph, n: Label) -> set[Any]:
    return set(_labels(G, arrays.distances(G, G.index(n))[0]))


@_directed_only
def weakly_connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return _groups(G, *arrays.weak_components(G))


@_directed_only
def number_weakly_connected_components(G: CSRGraph) -> int:
    return arrays.weak_components(G)[1]


@_directed_only
def is_weakly_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.weak_components)


@_directed_only
def strongly_connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return _groups(G, *arrays.strong_components(G))


@_directed_only
def number_strongly_connected_components(G: CSRGraph) -> int:
    return arrays.strong_components(G)[1]


@_directed_only
def is_strongly_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.strong_components)


def _is_one(graph: CSRGraph, components: Callable[[CSRGraph], tuple[Any, int]]) -> bool:
    if len(graph) == 0:
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return components(graph)[1] == 1


# ---------------------------------------------------------------------- cuts and cores


@_undirected_only
def articulation_points(G: CSRGraph) -> Iterator[Any]:
    return iter(_labels(G, np.flatnonzero(arrays.articulation_points(G))))


@_undirected_only
def biconnected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return (set(_labels(G, rows)) for rows in arrays.blocks(G))


@_undirected_only
def is_biconnected(G: CSRGraph) -> bool:
    found = arrays.blocks(G)
    return len(found) == 1 and len(found[0]) == len(G)


@_undirected_only
def bridges(G: CSRGraph, root: Label = None) -> Iterator[tuple[Any, Any]]:
    edges = np.flatnonzero(arrays.bridges(G))
    ends = zip(_labels(G, G.edge_source[edges]), _labels(G, G.edge_target[edges]), strict=True)
    return iter(ends)


@_undirected_only
def has_bridges(G: CSRGraph, root: Label = None) -> bool:
    return bool(arrays.bridges(G).any())


def core_number(G: CSRGraph) -> dict[Any, int]:
    if (G.edge_source == G.edge_target).any():
        raise nx.NetworkXNotImplemented(
            "Input graph has self loops which is not permitted; "
            "Consider using G.remove_edges_from(nx.selfloop_edges(G))."
        )
    return _by_node(G, arrays.core_numbers(G))


@_undirected_only
def triangles(G: CSRGraph, nodes: Any = None) -> Any:
    counts = _by_node(G, arrays.triangles(G))
    if nodes is None:
        return counts
    if nodes in G:
        return counts[nodes]
    return {label: counts[label] for label in nodes if label in counts}


# ---------------------------------------------------------------------- degrees


def _degree_share(graph: CSRGraph, degree: NDArray[np.int64]) -> dict[Any, Any]:
    if len(graph) <= 1:
        return dict.fromkeys(graph.labels, 1)
    return _by_node(graph, degree * (1.0 / (len(graph) - 1.0)))


def degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.degree(G))


@_directed_only
def in_degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.in_degree(G))


@_directed_only
def out_degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.out_degree(G))


def isolates(G: CSRGraph) -> Iterator[Any]:
    return iter(_labels(G, np.flatnonzero(arrays.degree(G) == 0)))


def number_of_isolates(G: CSRGraph) -> int:
    return int((arrays.degree(G) == 0).sum())


@_directed_only
def reciprocity(G: CSRGraph, nodes: Any = None) -> Any:
    return overall_reciprocity(G)


@_directed_only
def overall_reciprocity(G: CSRGraph) -> float:
    edges = G.number_of_edges()
    if edges == 0:
        raise nx.NetworkXError("Not defined for empty graphs")
    loops = int((G.edge_source == G.edge_target).sum())
    pairs = len(G.neighbours[1]) // 2 + loops
    return (edges - pairs) * 2 / edges


# ---------------------------------------------------------------------- centrality


def pagerank(
    G: CSRGraph,
    alpha: float = 0.85,
    personalization: Mapping[Any, float] | None = None,
    max_iter: int = 100,
    tol: float = 1e-6,
    nstart: Mapping[Any, float] | None = None,
    weight: str | None = "weight",
    dangling: Mapping[Any, float] | None = None,
) -> dict[Any, float]:
    if len(G) == 0:
        return {}

    def shares(given: Mapping[Any, float] | None) -> NDArray[np.float64] | None:
        if given is None:
            return None
        values = np.array([given.get(label, 0) for label in G.labels], dtype=np.float64)
        total = values.sum()
        if total == 0 and given is personalization:
            raise ZeroDivisionError
        return np.asarray(values / total)

    ranks = arrays.pagerank(
        G,
        weight,
        alpha=alpha,
        personalization=shares(personalization),
        start=shares(nstart),
        dangling=shares(dangling),
        max_iter=max_iter,
        tol=tol,
    )
    if ranks is None:
        raise nx.PowerIterationFailedConvergence(max_iter)
    return _by_node(G, ranks)


@_seeded
def betweenness_centrality(
    G: CSRGraph,
    k: int | None = None,
    normalized: bool = True,
    weight: str | None = None,
    endpoints: bool = False,
    seed: Any = None,
) -> dict[Any, float]:
    n = len(G)
    sampled = None
    if k is not None and k != n:
        sampled = np.array(seed.sample(range(n), k), dtype=np.int64)
    total = arrays.betweenness(G, sources=sampled, endpoints=endpoints)
    return _by_node(G, _rescaled(total, G.is_directed(), normalized, endpoints, sampled))


def _rescaled(
    total: NDArray[np.float64],
    directed: bool,
    normalized: bool,
    endpoints: bool,
    sampled: NDArray[np.int64] | None,
) -> NDArray[np.float64]:
    """Scale raw betweenness as NetworkX 3.6 does."""
    pairs = len(total) if endpoints else len(total) - 1
    if pairs < 2:
        return total
    sources = pairs if sampled is None else len(sampled)
    half = 1 if directed else 2

    def scale(count: int) -> float:
        return 1 / (count * (pairs - 1)) if normalized else pairs / (count * half)

    scaled = total * scale(sources)
    if sampled is not None and not endpoints:
        # A sampled source is a source in one draw fewer than the others.
        scaled[sampled] = total[sampled] * (scale(sources - 1) if sources > 1 else math.nan)
    return scaled


def closeness_centrality(
    G: CSRGraph,
    u: Label = None,
    distance: str | None = None,
    wf_improved: bool = True,
) -> Any:
    n = len(G)
    if u is not None and u not in G:
        raise nx.NodeNotFound(f"Source {u} is not in G")
    rows = None if u is None else np.array([G.index(u)], dtype=np.int64)
    reached, hops, _ = arrays.distance_sums(G, sources=rows, direction="in")
    others = (reached - 1).astype(np.float64)
    defined = (hops > 0) & (n > 1)
    closeness = np.divide(others, hops, out=np.zeros(len(hops)), where=defined)
    if wf_improved and n > 1:
        closeness *= others / (n - 1)
    return _by_node(G, closeness) if u is None else float(closeness[0])


def harmonic_centrality(
    G: CSRGraph,
    nbunch: Any = None,
    distance: str | None = None,
    sources: Any = None,
) -> dict[Any, float]:
    return _by_node(G, arrays.distance_sums(G, direction="in").inverse)


# ---------------------------------------------------------------------- paths


def single_source_shortest_path_length(
    G: CSRGraph,
    source: Label,
    cutoff: float | None = None,
) -> dict[Any, int]:
    return _hops(G, _row(G, source), cutoff, "out")


def single_target_shortest_path_length(
    G: CSRGraph,
    target: Label,
    cutoff: float | None = None,
) -> dict[Any, int]:
    return _hops(G, _row(G, target, what="Target"), cutoff, "in")


def _hops(
    graph: CSRGraph, row: int, cutoff: float | None, direction: arrays.Direction
) -> dict[Any, int]:
    limit = None if cutoff is None or math.isinf(cutoff) else math.floor(cutoff)
    order, hops = arrays.distances(graph, row, direction=direction, cutoff=limit)
    return dict(zip(_labels(graph, order), hops[order].tolist(), strict=True))


def has_path(G: CSRGraph, source: Label, target: Label) -> bool:
    start = _row(G, source)
    end = _row(G, target, what="Target")
    return bool(arrays.distances(G, start)[1][end] >= 0)


def descendants(G: CSRGraph, source: Label) -> set[Any]:
    return _beyond(G, source, "out")


def ancestors(G: CSRGraph, source: Label) -> set[Any]:
    return _beyond(G, source, "in")


def _beyond(graph: CSRGraph, source: Label, direction: arrays.Direction) -> set[Any]:
    if source not in graph:
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    order, _ = arrays.distances(graph, graph.index(source), direction=direction)
    return set(_labels(graph, order[1:]))


def single_source_dijkstra_path_length(
    G: CSRGraph,
    source: Label,
    cutoff: float | None = None,
    weight: str | None = "weight",
) -> dict[Any, Any]:
    return _weighted(G, source, cutoff, weight, "out")


def _weighted(
    graph: CSRGraph,
    source: Label,
    cutoff: float | None,
    weight: str | None,
    direction: arrays.Direction,
) -> dict[Any, Any]:
    if source not in graph:
        raise nx.NodeNotFound(f"Node {source} not found in graph")
    found = arrays.shortest_paths(
        graph,
        graph.index(source),
        weight,
        cutoff=np.inf if cutoff is None else cutoff,
        direction=direction,
    )
    lengths = _numbers(graph, weight, found.distance[found.order])
    return dict(zip(_labels(graph, found.order), lengths, strict=True))


def dijkstra_path_length(
    G: CSRGraph,
    source: Label,
    target: Label,
    weight: str | None = "weight",
) -> Any:
    if source not in G:
        raise nx.NodeNotFound(f"Node {source} not found in graph")
    if source == target:
        return 0
    end = G.index(target) if target in G else -1
    found = arrays.shortest_paths(G, G.index(source), weight, target=end)
    if end < 0 or np.isinf(found.distance[end]):
        raise nx.NetworkXNoPath(f"Node {target} not reachable from {source}")
    return _numbers(G, weight, found.distance[[end]])[0]


def dijkstra_path(
    G: CSRGraph,
    source: Label,
    target: Label,
    weight: str | None = "weight",
) -> list[Any]:
    path: list[Any] = single_source_dijkstra(G, source, target=target, weight=weight)[1]
    return path


def single_source_dijkstra_path(
    G: CSRGraph,
    source: Label,
    cutoff: float | None = None,
    weight: str | None = "weight",
) -> dict[Any, list[Any]]:
    paths: dict[Any, list[Any]] = single_source_dijkstra(G, source, cutoff=cutoff, weight=weight)[1]
    return paths


def single_source_dijkstra(
    G: CSRGraph,
    source: Label,
    target: Label = None,
    cutoff: float | None = None,
    weight: str | None = "weight",
) -> tuple[Any, Any]:
    if source not in G:
        raise nx.NodeNotFound(f"Node {source} not found in graph")
    if target == source:
        return 0, [target]
    end = G.index(target) if target is not None and target in G else -1
    found = arrays.shortest_paths(
        G, G.index(source), weight, target=end, cutoff=np.inf if cutoff is None else cutoff
    )
    labels = G.labels
    if target is not None:
        if end < 0 or np.isinf(found.distance[end]):
            raise nx.NetworkXNoPath(f"No path to {target}.")
        way = [end]
        while (up := int(found.parent[way[-1]])) >= 0:
            way.append(up)
        length = _numbers(G, weight, found.distance[[end]])[0]
        return length, [labels[row] for row in reversed(way)]
    lengths = _numbers(G, weight, found.distance[found.order])
    names = _labels(G, found.order)
    paths: dict[Any, list[Any]] = {}
    for name, up in zip(names, found.parent[found.order].tolist(), strict=True):
        paths[name] = [name] if up < 0 else [*paths[labels[up]], name]
    return dict(zip(names, lengths, strict=True)), paths


def shortest_path_length(
    G: CSRGraph,
    source: Label = None,
    target: Label = None,
    weight: str | None = None,
    method: str = "dijkstra",
) -> Any:
    if method not in ("dijkstra", "bellman-ford"):
        raise ValueError(f"method not supported: {method}")

    def lengths(label: Label, direction: arrays.Direction) -> dict[Any, Any]:
        if weight is None:
            return _hops(G, _row(G, label), None, direction)
        return _weighted(G, label, None, weight, direction)

    if source is None:
        if target is None:
            return ((label, lengths(label, "out")) for label in G.labels)
        return lengths(target, "in")
    if target is None:
        return lengths(source, "out")
    if weight is not None:
        return dijkstra_path_length(G, source, target, weight)
    start, end = _row(G, source), _row(G, target, what="Target")
    hops = int(arrays.distances(G, start)[1][end])
    if hops < 0:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return hops


# ---------------------------------------------------------------------- order


def topological_generations(G: CSRGraph) -> Iterator[list[Any]]:
    if not G.is_directed():
        raise nx.NetworkXError("Topological sort not defined on undirected graphs.")
    order, level = arrays.generations(G)
    starts = np.flatnonzero(np.diff(level[order])) + 1
    for rows in np.split(order, starts) if len(order) else ():
        yield _labels(G, rows)
    if len(order) < len(G):
        raise nx.NetworkXUnfeasible("Graph contains a cycle or graph changed during iteration")


def is_directed_acyclic_graph(G: CSRGraph) -> bool:
    return G.is_directed() and len(arrays.generations(G)[0]) == len(G)


# ---------------------------------------------------------------------- flow


def _flow(graph: CSRGraph, source: Label, target: Label, capacity: str) -> arrays.Flow:
    for label, what in ((source, "source"), (target, "sink")):
        if label not in graph:
            raise nx.NetworkXError(f"node {label} not in graph ({what})")
    if source == target:
        raise nx.NetworkXError("source and sink are the same node")
    try:
        return arrays.maximum_flow(graph, graph.index(source), graph.index(target), capacity)
    except InputError as error:
        if error.code == "graph_unbounded":
            raise nx.NetworkXUnbounded("Infinite capacity path, flow unbounded above.") from error
        raise UnsupportedError(error.what) from error


def maximum_flow_value(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> Any:
    return _flow(flowG, _s, _t, capacity).value


def minimum_cut_value(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> Any:
    return _flow(flowG, _s, _t, capacity).value


def minimum_cut(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> tuple[Any, tuple[set[Any], set[Any]]]:
    value, side = _flow(flowG, _s, _t, capacity)
    return value, (
        set(_labels(flowG, np.flatnonzero(side))),
        set(_labels(flowG, np.flatnonzero(~side))),
    )


# ---------------------------------------------------------------------- communities


@_undirected_only
@_seeded
def leiden_communities(
    G: CSRGraph,
    weight: str | None = "weight",
    resolution: float = 1,
    max_level: int | None = None,
    seed: Any = None,
) -> list[set[Any]]:
    """Return communities as NetworkX does; ``max_level`` limits the rounds.

    NetworkX has no Leiden of its own: this is what ``nx.community.leiden_communities`` runs.
    """
    if max_level is not None and max_level <= 0:
        raise ValueError("max_level argument must be a positive integer or None")
    found = leiden.leiden(
        G,
        weight,
        resolution=resolution,
        seed=seed.getrandbits(32),
        max_rounds=20 if max_level is None else max_level,
    )
    return _sets(G.labels, found)


def _sets(labels: Iterable[Any], found: leiden.Communities) -> list[set[Any]]:
    sets: list[set[Any]] = [set() for _ in range(found.communities)]
    for label, number in zip(labels, found.membership.tolist(), strict=True):
        sets[number].add(label)
    return sets


# ---------------------------------------------------------------------- the interface

_ONLY_DEFAULTS: dict[str, dict[str, tuple[int, Any]]] = {
    "betweenness_centrality": {"weight": (3, None)},
    "bridges": {"root": (1, None)},
    "closeness_centrality": {"distance": (2, None)},
    "harmonic_centrality": {"nbunch": (1, None), "distance": (2, None), "sources": (3, None)},
    "has_bridges": {"root": (1, None)},
    "maximum_flow_value": {"flow_func": (4, None)},
    "minimum_cut": {"flow_func": (4, None)},
    "minimum_cut_value": {"flow_func": (4, None)},
    "reciprocity": {"nodes": (1, None)},
    "shortest_path_length": {"method": (4, "dijkstra")},
}
"""Arguments for which only the default runs on arrays: name → (position, default)."""


def _arguments(args: Iterable[Any], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _native(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
    """Return whether a call runs on arrays, or why not."""
    if name not in FUNCTIONS:
        return f"{name} is not among the functions that run on arrays"
    for argument, (position, default) in _ONLY_DEFAULTS.get(name, {}).items():
        given = args[position] if len(args) > position else kwargs.get(argument, default)
        if given is not default and given != default:
            return f"{argument} is not {default!r}"
    weight = kwargs.get("weight")
    if callable(weight) or any(callable(value) for value in args[1:]):
        return "the weight is a function"
    if name.endswith("_flow_value") or name.startswith("minimum_cut"):
        unknown = set(kwargs) - {"flowG", "_s", "_t", "capacity", "flow_func"}
        if unknown:
            return f"unknown arguments {sorted(unknown)}"
    graph = args[0] if args else next(iter(kwargs.values()), None)
    if (
        graph is not None
        and hasattr(graph, "is_multigraph")
        and graph.is_multigraph()
        and name not in _SUMMED_MULTIGRAPHS
    ):
        return "the graph is a multigraph"
    return True


class BackendInterface:
    """What NetworkX loads from the entry point ``networkx.backends``.

    Every NetworkX function is an attribute: those in `FUNCTIONS` run on arrays, the others convert.
    """

    convert_from_nx = staticmethod(convert_from_nx)
    convert_to_nx = staticmethod(convert_to_nx)

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Return whether this backend takes a call, or why not.

        It takes NetworkX's graphs only for what runs on arrays, and a `CSRGraph` for everything
        that does not change its input.
        """
        native = _native(name, args, kwargs)
        if native is True:
            return True
        if not any(isinstance(value, CSRGraph) for value in _arguments(args, kwargs)):
            return native
        function = _dispatchable(name)
        assert function is not None
        if function._will_call_mutate_input(args, kwargs):
            return "a CSRGraph does not change; convert it with to_networkx()"
        if "networkx" not in function.backends:
            return native
        return True

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Return whether converting a NetworkX graph pays: not for what only reads degrees."""
        if name in ("degree_centrality", "in_degree_centrality", "out_degree_centrality"):
            return "counting degrees costs less than converting"
        return True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the implementation of a NetworkX function."""
        function = None if name.endswith("__new__") else _dispatchable(name)
        if function is None:
            raise AttributeError(name)
        on_arrays = _ON_ARRAYS.get(name)

        def run(*args: Any, **kwargs: Any) -> Any:
            if on_arrays is not None and _native(name, args, kwargs) is True:
                try:
                    return on_arrays(*args, **kwargs)
                except UnsupportedError:
                    if "networkx" not in function.backends:
                        raise
            return function.orig_func(
                *(_converted(value) for value in args),
                **{key: _converted(value) for key, value in kwargs.items()},
            )

        return run


def _dispatchable(name: str) -> Any:
    """Return NetworkX's dispatchable of this name, without the decorators around it."""
    function = nx.utils.backends._registered_algorithms.get(name)
    while not isinstance(function, nx.utils.backends._dispatchable | None):
        function = function.__wrapped__
    return function


def _converted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_frozen_copy(item) for item in value) if _has_graph(value) else value
    return _frozen_copy(value)


def _has_graph(values: Iterable[Any]) -> bool:
    return any(isinstance(item, CSRGraph) for item in values)


_ON_ARRAYS: dict[str, Callable[..., Any]] = {
    name: globals()[name] for name in FUNCTIONS if name in globals()
}

backend_interface = BackendInterface()
