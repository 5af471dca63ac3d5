"""What NetworkX is told about the ``htx`` backend when it is imported.

What belongs here: the names the backend answers to, as plain data. NetworkX calls `get_info` on
every ``import networkx``, so nothing heavier than the standard library may be imported here.
What does not: the algorithms (`htx_pipeline.graph.backend`).
"""

from __future__ import annotations

from typing import Any, Final

_BY_NODE = "Components come in the order of their smallest node."
_HOPS = "By hops; with a weight NetworkX's own implementation runs."

FUNCTIONS: Final[dict[str, str]] = {
    "ancestors": "",
    "articulation_points": "In the order of the nodes.",
    "betweenness_centrality": "",
    "biconnected_components": "",
    "bridges": "With a root NetworkX's own implementation runs.",
    "closeness_centrality": _HOPS,
    "connected_components": _BY_NODE,
    "core_number": "",
    "degree_centrality": "",
    "descendants": "",
    "dijkstra_path": "",
    "dijkstra_path_length": "",
    "harmonic_centrality": _HOPS,
    "has_bridges": "",
    "has_path": "",
    "in_degree_centrality": "",
    "is_biconnected": "",
    "is_connected": "",
    "is_directed_acyclic_graph": "",
    "is_strongly_connected": "",
    "is_weakly_connected": "",
    "isolates": "",
    "leiden_communities": "Ties go to the smaller community number; max_level limits the rounds.",
    "maximum_flow": "One of the maximum flows; with a flow_func NetworkX's own implementation runs.",
    "maximum_flow_value": "With a flow_func NetworkX's own implementation runs.",
    "minimum_cut": "One of the minimum cuts; with a flow_func NetworkX's own implementation runs.",
    "minimum_cut_value": "With a flow_func NetworkX's own implementation runs.",
    "node_connected_component": "",
    "number_connected_components": "",
    "number_of_isolates": "",
    "number_strongly_connected_components": "",
    "number_weakly_connected_components": "",
    "out_degree_centrality": "",
    "overall_reciprocity": "",
    "pagerank": "",
    "reciprocity": "Of the whole graph; for nodes NetworkX's own implementation runs.",
    "shortest_path_length": "",
    "single_source_dijkstra": "",
    "single_source_dijkstra_path": "",
    "single_source_dijkstra_path_length": "",
    "single_source_shortest_path_length": "",
    "single_target_shortest_path_length": "",
    "strongly_connected_components": "",
    "topological_generations": "",
    "triangles": "",
    "weakly_connected_components": _BY_NODE,
}
"""Dispatch name → what differs from NetworkX, in one sentence (empty when nothing does)."""


def get_info() -> dict[str, Any]:
    """Return the metadata of the entry point ``networkx.backend_info``.

    Examples
    --------
    >>> get_info()["backend_name"]
    'htx'
    """
    return {
        "backend_name": "htx",
        "project": "htx_pipeline",
        "package": "htx_pipeline",
        "short_summary": "Compressed sparse row arrays, built straight from a Polars frame.",
        "functions": {
            name: {"additional_docs": note} if note else {} for name, note in FUNCTIONS.items()
        },
    }
