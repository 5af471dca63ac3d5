"""Components, cuts and cores, degrees, order."""

# ruff: noqa: N803
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.networkx_api.labels import (
    Label,
    by_node,
    directed_only,
    groups,
    labels_of,
    undirected_only,
)


@undirected_only
def connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return groups(G, *arrays.weak_components(G))


@undirected_only
def number_connected_components(G: CSRGraph) -> int:
    return arrays.weak_components(G)[1]


@undirected_only
def is_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.weak_components)


@undirected_only
def node_connected_component(G: CSRGraph, n: Label) -> set[Any]:
    return set(labels_of(G, arrays.distances(G, G.index(n))[0]))


@directed_only
def weakly_connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return groups(G, *arrays.weak_components(G))


@directed_only
def number_weakly_connected_components(G: CSRGraph) -> int:
    return arrays.weak_components(G)[1]


@directed_only
def is_weakly_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.weak_components)


@directed_only
def strongly_connected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return groups(G, *arrays.strong_components(G))


@directed_only
def number_strongly_connected_components(G: CSRGraph) -> int:
    return arrays.strong_components(G)[1]


@directed_only
def is_strongly_connected(G: CSRGraph) -> bool:
    return _is_one(G, arrays.strong_components)


def _is_one(graph: CSRGraph, components: Callable[[CSRGraph], tuple[Any, int]]) -> bool:
    if len(graph) == 0:
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return components(graph)[1] == 1


@undirected_only
def articulation_points(G: CSRGraph) -> Iterator[Any]:
    return iter(labels_of(G, np.flatnonzero(arrays.articulation_points(G))))


@undirected_only
def biconnected_components(G: CSRGraph) -> Iterator[set[Any]]:
    return (set(labels_of(G, rows)) for rows in arrays.blocks(G))


@undirected_only
def is_biconnected(G: CSRGraph) -> bool:
    found = arrays.blocks(G)
    return len(found) == 1 and len(found[0]) == len(G)


@undirected_only
def bridges(G: CSRGraph, root: Label = None) -> Iterator[tuple[Any, Any]]:
    edges = np.flatnonzero(arrays.bridges(G))
    ends = zip(labels_of(G, G.edge_source[edges]), labels_of(G, G.edge_target[edges]), strict=True)
    return iter(ends)


@undirected_only
def has_bridges(G: CSRGraph, root: Label = None) -> bool:
    return bool(arrays.bridges(G).any())


def core_number(G: CSRGraph) -> dict[Any, int]:
    if (G.edge_source == G.edge_target).any():
        raise nx.NetworkXNotImplemented(
            "Input graph has self loops which is not permitted; "
            "Consider using G.remove_edges_from(nx.selfloop_edges(G))."
        )
    return by_node(G, arrays.core_numbers(G))


@undirected_only
def triangles(G: CSRGraph, nodes: Any = None) -> Any:
    counts = by_node(G, arrays.triangles(G))
    if nodes is None:
        return counts
    if nodes in G:
        return counts[nodes]
    return {label: counts[label] for label in nodes if label in counts}


def _degree_share(graph: CSRGraph, degree: NDArray[np.int64]) -> dict[Any, Any]:
    if len(graph) <= 1:
        return dict.fromkeys(graph.labels, 1)
    return by_node(graph, degree * (1.0 / (len(graph) - 1.0)))


def degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.degree(G))


@directed_only
def in_degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.in_degree(G))


@directed_only
def out_degree_centrality(G: CSRGraph) -> dict[Any, Any]:
    return _degree_share(G, arrays.out_degree(G))


def isolates(G: CSRGraph) -> Iterator[Any]:
    return iter(labels_of(G, np.flatnonzero(arrays.degree(G) == 0)))


def number_of_isolates(G: CSRGraph) -> int:
    return int((arrays.degree(G) == 0).sum())


@directed_only
def reciprocity(G: CSRGraph, nodes: Any = None) -> Any:
    return overall_reciprocity(G)


@directed_only
def overall_reciprocity(G: CSRGraph) -> float:
    edges = G.number_of_edges()
    if edges == 0:
        raise nx.NetworkXError("Not defined for empty graphs")
    loops = int((G.edge_source == G.edge_target).sum())
    pairs = len(G.neighbours[1]) // 2 + loops
    return (edges - pairs) * 2 / edges


def topological_generations(G: CSRGraph) -> Iterator[list[Any]]:
    if not G.is_directed():
        raise nx.NetworkXError("Topological sort not defined on undirected graphs.")
    order, level = arrays.generations(G)
    starts = np.flatnonzero(np.diff(level[order])) + 1
    for rows in np.split(order, starts) if len(order) else ():
        yield labels_of(G, rows)
    if len(order) < len(G):
        raise nx.NetworkXUnfeasible("Graph contains a cycle or graph changed during iteration")


def is_directed_acyclic_graph(G: CSRGraph) -> bool:
    return G.is_directed() and len(arrays.generations(G)[0]) == len(G)
