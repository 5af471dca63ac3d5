"""Shortest paths and flows."""

# ruff: noqa: N803
from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays
from htx_pipeline.graph.arrays import UnsupportedError
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.flow import Flow, flow_rows
from htx_pipeline.graph.flow import maximum_flow as _maximum_flow
from htx_pipeline.graph.networkx_api.labels import (
    Label,
    labels_of,
    numbers,
    row_of,
)


def single_source_shortest_path_length(
    G: CSRGraph,
    source: Label,
    cutoff: float | None = None,
) -> dict[Any, int]:
    return _hops(G, row_of(G, source), cutoff, "out")


def single_target_shortest_path_length(
    G: CSRGraph,
    target: Label,
    cutoff: float | None = None,
) -> dict[Any, int]:
    return _hops(G, row_of(G, target, what="Target"), cutoff, "in")


def _hops(
    graph: CSRGraph, row: int, cutoff: float | None, direction: arrays.Direction
) -> dict[Any, int]:
    limit = None if cutoff is None or math.isinf(cutoff) else math.ceil(cutoff)
    order, hops = arrays.distances(graph, row, direction=direction, cutoff=limit)
    return dict(zip(labels_of(graph, order), hops[order].tolist(), strict=True))


def has_path(G: CSRGraph, source: Label, target: Label) -> bool:
    start = row_of(G, source)
    end = row_of(G, target, what="Target")
    return bool(arrays.distances(G, start)[1][end] >= 0)


def descendants(G: CSRGraph, source: Label) -> set[Any]:
    return _beyond(G, source, "out")


def ancestors(G: CSRGraph, source: Label) -> set[Any]:
    return _beyond(G, source, "in")


def _beyond(graph: CSRGraph, source: Label, direction: arrays.Direction) -> set[Any]:
    if source not in graph:
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    order, _ = arrays.distances(graph, graph.index(source), direction=direction)
    return set(labels_of(graph, order[1:]))


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
    lengths = numbers(graph, weight, found.distance[found.order])
    return dict(zip(labels_of(graph, found.order), lengths, strict=True))


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
    return numbers(G, weight, found.distance[[end]])[0]


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
        length = numbers(G, weight, found.distance[[end]])[0]
        return length, [labels[row] for row in reversed(way)]
    lengths = numbers(G, weight, found.distance[found.order])
    names = labels_of(G, found.order)
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
            return _hops(G, row_of(G, label), None, direction)
        return _weighted(G, label, None, weight, direction)

    if source is None:
        if target is None:
            return ((label, lengths(label, "out")) for label in G.labels)
        return lengths(target, "in")
    if target is None:
        return lengths(source, "out")
    if weight is not None:
        return dijkstra_path_length(G, source, target, weight)
    start, end = row_of(G, source), row_of(G, target, what="Target")
    hops = int(arrays.distances(G, start)[1][end])
    if hops < 0:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return hops


def _flow(graph: CSRGraph, source: Label, target: Label, capacity: str) -> Flow:
    for label, what in ((source, "source"), (target, "sink")):
        if label not in graph:
            raise nx.NetworkXError(f"node {label} not in graph ({what})")
    if source == target:
        raise nx.NetworkXError("source and sink are the same node")
    try:
        return _maximum_flow(graph, graph.index(source), graph.index(target), capacity)
    except InputError as error:
        if error.code == "graph_unbounded":
            raise nx.NetworkXUnbounded("Infinite capacity path, flow unbounded above.") from error
        raise UnsupportedError(error.what) from error


def maximum_flow(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> tuple[Any, dict[Any, dict[Any, Any]]]:
    found = _flow(flowG, _s, _t, capacity)
    rows, along = flow_rows(flowG, found)
    names = labels_of(flowG, rows.indices)
    flows = numbers(flowG, capacity, along)
    ends = rows.indptr.tolist()
    return numbers(flowG, capacity, np.array([found.value]))[0], {
        label: dict(zip(names[begin:end], flows[begin:end], strict=True))
        for label, begin, end in zip(flowG.labels, ends, ends[1:], strict=False)
    }


def maximum_flow_value(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> Any:
    value = _flow(flowG, _s, _t, capacity).value
    return numbers(flowG, capacity, np.array([value]))[0]


def minimum_cut_value(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> Any:
    value = _flow(flowG, _s, _t, capacity).value
    return numbers(flowG, capacity, np.array([value]))[0]


def minimum_cut(
    flowG: CSRGraph,
    _s: Label,
    _t: Label,
    capacity: str = "capacity",
    flow_func: Any = None,
    **kwargs: Any,
) -> tuple[Any, tuple[set[Any], set[Any]]]:
    value, side, _ = _flow(flowG, _s, _t, capacity)
    return numbers(flowG, capacity, np.array([value]))[0], (
        set(labels_of(flowG, np.flatnonzero(side))),
        set(labels_of(flowG, np.flatnonzero(~side))),
    )
