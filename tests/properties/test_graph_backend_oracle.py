"""The backend against NetworkX itself, on random graphs with ties, loops, isolates and huge weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from htx_pipeline.graph import arrays
from htx_pipeline.graph.backend import backend_interface
from htx_pipeline.graph.backend_info import FUNCTIONS, get_info
from htx_pipeline.graph.csr import CSRGraph

WEIGHTS = st.sampled_from([0, 1, 1, 1, 2, 3, 10**15, 0.1, 0.2, 0.30000000000000004])


@st.composite
def graphs(draw: Any, *, directed: bool | None = None, loops: bool = True) -> CSRGraph:
    """A `CSRGraph` of 1 to 9 nodes from a frame, some of them isolated."""
    n = draw(st.integers(1, 9))
    one_way = draw(st.booleans()) if directed is None else directed
    names = [f"n{i}" for i in range(n)]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names), WEIGHTS)
    rows = draw(st.lists(pairs, max_size=25))
    if not loops:
        rows = [row for row in rows if row[0] != row[1]]
    frame = pl.DataFrame(
        {
            "supplier_id": [row[0] for row in rows],
            "buyer_id": [row[1] for row in rows],
            "value": [float(row[2]) for row in rows],
        },
        schema={"supplier_id": pl.String, "buyer_id": pl.String, "value": pl.Float64},
    )
    nodes = pl.DataFrame({"org_id": names})
    return CSRGraph.from_frame(
        frame, nodes, keys=(), sums=("value",), weight="value", directed=one_way
    )


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a call returns, generators as sorted lists, or the kind of exception."""
    try:
        result = function(*args, **kwargs)
        if not isinstance(result, dict | list | tuple | set | float | int | bool):
            result = list(result)
    except (nx.NetworkXException, ZeroDivisionError) as error:
        return type(error)
    return result


def same(ours: Any, theirs: Any) -> bool:
    """Equal up to the order of sets and 1e-9 in numbers."""
    if isinstance(theirs, type):
        return bool(ours is theirs)
    if isinstance(theirs, dict):
        return set(ours) == set(theirs) and all(same(ours[k], theirs[k]) for k in theirs)
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], set | frozenset):
        return sorted(map(sorted, ours)) == sorted(map(sorted, theirs))
    if isinstance(theirs, float | int):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)
    return bool(ours == theirs)


BOTH = (
    "closeness_centrality",
    "degree_centrality",
    "harmonic_centrality",
    "number_of_isolates",
    "pagerank",
    "betweenness_centrality",
    "is_directed_acyclic_graph",
)
DIRECTED = (
    "in_degree_centrality",
    "is_strongly_connected",
    "is_weakly_connected",
    "number_strongly_connected_components",
    "number_weakly_connected_components",
    "out_degree_centrality",
    "overall_reciprocity",
    "reciprocity",
    "strongly_connected_components",
    "topological_generations",
    "weakly_connected_components",
)
UNDIRECTED = (
    "biconnected_components",
    "bridges",
    "connected_components",
    "has_bridges",
    "is_biconnected",
    "is_connected",
    "number_connected_components",
    "triangles",
)


@settings(max_examples=50, deadline=None)
@given(graph=graphs())
def test_functions_of_any_graph_agree_with_networkx(graph: CSRGraph) -> None:
    other = graph.to_networkx()
    for name in BOTH:
        function = getattr(nx, name)
        assert same(outcome(function, graph), outcome(function, other)), name


@settings(max_examples=50, deadline=None)
@given(graph=graphs(directed=True))
def test_functions_of_directed_graphs_agree_with_networkx(graph: CSRGraph) -> None:
    other = graph.to_networkx()
    for name in DIRECTED:
        function = getattr(nx, name)
        assert same(outcome(function, graph), outcome(function, other)), name


@settings(max_examples=50, deadline=None)
@given(graph=graphs(directed=False))
def test_functions_of_undirected_graphs_agree_with_networkx(graph: CSRGraph) -> None:
    other = graph.to_networkx()
    for name in UNDIRECTED:
        function = getattr(nx, name)
        ours, theirs = outcome(function, graph), outcome(function, other)
        if name == "bridges" and isinstance(theirs, list):
            ours, theirs = [set(edge) for edge in ours], [set(edge) for edge in theirs]
        assert same(ours, theirs), name
    assert set(outcome(nx.articulation_points, graph)) == set(nx.articulation_points(other))


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), data=st.data())
def test_shortest_paths_agree_with_networkx_ties_included(
    graph: CSRGraph, data: st.DataObject
) -> None:
    other = graph.to_networkx()
    a, b = data.draw(st.sampled_from(graph.labels)), data.draw(st.sampled_from(graph.labels))
    cutoff = data.draw(st.sampled_from([None, 0, 1, 2.5]))
    for weight in ("weight", None):
        one = outcome(nx.single_source_dijkstra, graph, a, weight=weight, cutoff=cutoff)
        two = outcome(nx.single_source_dijkstra, other, a, weight=weight, cutoff=cutoff)
        assert one == two
        for call in (nx.shortest_path_length, nx.dijkstra_path_length, nx.dijkstra_path):
            assert outcome(call, graph, a, b, weight=weight) == outcome(
                call, other, a, b, weight=weight
            )
    assert nx.single_source_shortest_path_length(graph, a, cutoff) == (
        nx.single_source_shortest_path_length(other, a, cutoff)
    )
    assert nx.has_path(graph, a, b) == nx.has_path(other, a, b)
    assert nx.descendants(graph, a) == nx.descendants(other, a)
    assert nx.ancestors(graph, a) == nx.ancestors(other, a)
    assert dict(nx.shortest_path_length(graph)) == dict(nx.shortest_path_length(other))


@settings(max_examples=40, deadline=None)
@given(graph=graphs(loops=False))
def test_core_numbers_agree_with_networkx(graph: CSRGraph) -> None:
    assert nx.core_number(graph) == nx.core_number(graph.to_networkx())


@settings(max_examples=40, deadline=None)
@given(graph=graphs(), k=st.integers(1, 9), normalized=st.booleans(), endpoints=st.booleans())
def test_sampled_betweenness_draws_and_scales_as_networkx_does(
    graph: CSRGraph, k: int, normalized: bool, endpoints: bool
) -> None:
    assume(k <= len(graph))
    options = {"k": k, "normalized": normalized, "endpoints": endpoints, "seed": 7}
    ours = nx.betweenness_centrality(graph, **options)
    theirs = nx.betweenness_centrality(graph.to_networkx(), **options)
    assert np.allclose(
        list(ours.values()), list(theirs.values()), rtol=1e-9, atol=1e-12, equal_nan=True
    )


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), k=st.sampled_from([None, 1, 2, 5]), endpoints=st.booleans())
def test_betweenness_by_weight_treats_ties_and_weights_of_zero_as_networkx_does(
    graph: CSRGraph, k: int | None, endpoints: bool
) -> None:
    assume(k is None or k <= len(graph))
    options = {"k": k, "weight": "weight", "endpoints": endpoints, "seed": 3}
    ours = nx.betweenness_centrality(graph, **options)
    theirs = nx.betweenness_centrality(graph.to_networkx(), **options)
    assert np.allclose(
        list(ours.values()), list(theirs.values()), rtol=1e-9, atol=1e-12, equal_nan=True
    )


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), data=st.data())
def test_a_flow_keeps_within_capacities_and_is_conserved(
    graph: CSRGraph, data: st.DataObject
) -> None:
    assume(len(graph) > 1)
    s, t = data.draw(st.permutations(graph.labels))[:2]
    other = graph.to_networkx()
    value, flow = nx.maximum_flow(graph, s, t, capacity="weight")
    assert {u: set(near) for u, near in flow.items()} == {u: set(other[u]) for u in other}
    left = dict.fromkeys(graph.labels, 0.0)
    for u, near in flow.items():
        for v, carried in near.items():
            assert 0 <= carried <= other[u][v]["weight"]
            left[u] -= carried
            left[v] += carried
    scale = max(1.0, value)
    assert left.pop(s) == pytest.approx(-value, abs=1e-9 * scale)
    assert left.pop(t) == pytest.approx(value, abs=1e-9 * scale)
    assert list(left.values()) == pytest.approx([0.0] * len(left), abs=1e-9 * scale)
    assert value == pytest.approx(nx.maximum_flow_value(other, s, t, capacity="weight"), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), data=st.data())
def test_flow_values_agree_and_the_cut_is_worth_as_much(
    graph: CSRGraph, data: st.DataObject
) -> None:
    assume(len(graph) > 1)
    s, t = data.draw(st.permutations(graph.labels))[:2]
    other = graph.to_networkx()
    value = nx.maximum_flow_value(other, s, t, capacity="weight")
    assert nx.maximum_flow_value(graph, s, t, capacity="weight") == pytest.approx(value, rel=1e-9)
    found, (left, right) = nx.minimum_cut(graph, s, t, capacity="weight")
    assert found == pytest.approx(value, rel=1e-9)
    assert (s in left, t in right, left | right, left & right) == (
        True,
        True,
        set(graph.labels),
        set(),
    )
    across = sum(
        d["weight"]
        for u, v, d in other.edges(data=True)
        if (u in left and v in right) or (not graph.is_directed() and v in left and u in right)
    )
    assert across == pytest.approx(value, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 99))
def test_renaming_the_nodes_renames_the_answers(graph: CSRGraph, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(graph.labels).tolist()
    names = dict(zip(graph.labels, order, strict=True))
    table = graph.edge_table
    renamed = CSRGraph.from_frame(
        pl.DataFrame(
            {
                "supplier_id": [names[graph.labels[u]] for u in table["source"]],
                "buyer_id": [names[graph.labels[v]] for v in table["target"]],
                "value": table["value"],
            },
            schema_overrides={"supplier_id": pl.String, "buyer_id": pl.String},
        ),
        pl.DataFrame({"org_id": sorted(names.values())}),
        keys=(),
        sums=("value",),
        weight="value",
        directed=graph.is_directed(),
    )
    for measure in (
        arrays.betweenness,
        arrays.articulation_points,
        arrays.pagerank,
        arrays.triangles,
    ):
        before = dict(zip(graph.labels, measure(graph).tolist(), strict=True))
        after = dict(zip(renamed.labels, measure(renamed).tolist(), strict=True))
        assert {names[k]: v for k, v in before.items()} == pytest.approx(after, rel=1e-9)


def test_a_function_that_changes_its_input_is_refused() -> None:
    graph = CSRGraph.from_arrays(np.array([0]), np.array([1]))
    with pytest.raises(NotImplementedError):
        nx.set_node_attributes(graph, 1, "colour")


def test_what_the_backend_does_not_claim_converts() -> None:
    graph = CSRGraph.from_arrays(np.array([0, 1, 2]), np.array([1, 2, 0]))
    assert "average_clustering" not in FUNCTIONS
    assert nx.average_clustering(graph) == nx.average_clustering(graph.to_networkx())
    assert sorted(nx.ego_graph(graph, "0")) == ["0", "1"]
    assert nx.community.louvain_communities(graph, seed=1) == (
        nx.community.louvain_communities(graph.to_networkx(), seed=1)
    )


def test_asking_for_the_backend_by_name_is_honest_about_what_it_lacks() -> None:
    graph = nx.path_graph(4)
    assert nx.pagerank(graph, backend="htx") == pytest.approx(nx.pagerank(graph))
    with pytest.raises(NotImplementedError):
        nx.average_clustering(graph, backend="htx")


def test_whole_numbers_too_large_for_floats_stay_exact() -> None:
    big = 2**53 + 1
    graph = CSRGraph.from_arrays(np.array([0, 1]), np.array([1, 2]), weight=np.array([big, 2]))
    assert nx.dijkstra_path_length(graph, "0", "2") == big + 2
    joined = CSRGraph.from_arrays(
        np.array([0, 0]), np.array([1, 1]), weight=np.array([big, 2], dtype=np.int64)
    )
    assert nx.maximum_flow_value(joined, "0", "1", capacity="weight") == big + 2


def test_every_claimed_function_exists_and_gets_documented() -> None:
    for name in FUNCTIONS:
        assert callable(getattr(backend_interface, name))
        assert "htx" in nx.utils.backends._registered_algorithms[name].backends
    assert set(get_info()["functions"]) == set(FUNCTIONS)
