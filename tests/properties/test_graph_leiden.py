"""Leiden: same communities for the same links, connected, and as good as igraph's."""

from __future__ import annotations

import os
import subprocess
import sys

import igraph
import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.leiden import by_size, leiden, modularity
from htx_pipeline.graph.networkx_api.conversion import convert_from_nx


def planted(seed: int, *, groups: int = 30, size: int = 40) -> CSRGraph:
    """Groups of unequal density with noise between them."""
    rng = np.random.default_rng(seed)
    n = groups * size
    inside = rng.integers(0, groups, 5 * n)
    source = inside * size + rng.integers(0, size, 5 * n)
    target = inside * size + rng.integers(0, size, 5 * n)
    noise = rng.integers(0, n, (2, 2 * n))
    return CSRGraph.from_arrays(
        np.concatenate([source, noise[0]]),
        np.concatenate([target, noise[1]]),
        n=n,
        weight=rng.integers(1, 100, 7 * n),
    )


def test_negative_weights_are_refused() -> None:
    graph = CSRGraph.from_arrays(np.array([0]), np.array([1]), weight=np.array([-1]))
    with pytest.raises(InputError) as caught:
        leiden(graph)
    assert caught.value.code == "leiden_negative_weight"


def test_without_weight_everyone_is_alone_and_modularity_is_undefined() -> None:
    for graph in (
        CSRGraph.from_arrays(np.array([], int), np.array([], int), n=3),
        CSRGraph.from_arrays(np.array([0]), np.array([1]), n=3, weight=np.array([0])),
    ):
        found = leiden(graph)
        assert found.membership.tolist() == [0, 1, 2]
        assert np.isnan(found.modularity)


def test_communities_are_numbered_by_size_then_smallest_node() -> None:
    source, target = np.array([5, 5, 6, 0, 3]), np.array([6, 7, 7, 1, 4])
    assert leiden(CSRGraph.from_arrays(source, target)).membership.tolist() == [
        *(1, 1, 3, 2, 2, 0, 0, 0)
    ]
    assert by_size(np.array([2, 2, 1, 1]))[0].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_modularity_is_at_least_0_999_of_igraphs_at_its_convergence(seed: int) -> None:
    graph = planted(seed)
    indptr, indices, weights = graph.undirected()
    source = np.repeat(np.arange(len(graph)), np.diff(indptr))
    once = source <= indices
    other = igraph.Graph(n=len(graph), edges=np.column_stack([source[once], indices[once]]))
    theirs = other.community_leiden(
        objective_function="modularity", weights=weights[once].tolist(), n_iterations=-1
    )
    found = leiden(graph, seed=seed)
    assert found.modularity >= 0.999 * modularity(graph, np.array(theirs.membership))
    assert found.modularity == pytest.approx(modularity(graph, found.membership))


def test_modularity_is_networkxs() -> None:
    graph = convert_from_nx(nx.karate_club_graph(), edge_attrs={"weight": 1})
    found = leiden(graph, seed=3)
    sets = [set(np.flatnonzero(found.membership == c)) for c in range(found.communities)]
    for resolution in (0.5, 1.0, 2.0):
        assert modularity(graph, found.membership, resolution=resolution) == pytest.approx(
            nx.community.modularity(nx.karate_club_graph(), sets, resolution=resolution)
        )


def test_a_higher_resolution_gives_more_communities() -> None:
    graph = planted(1)
    counts = [leiden(graph, resolution=r).communities for r in (0.2, 1.0, 8.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


@settings(max_examples=40, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from([0, 1, 1, 2, 10**15])),
        min_size=1,
        max_size=40,
    ),
    seed=st.integers(0, 9),
    shuffle=st.integers(0, 9),
)
def test_rows_in_another_order_give_the_same_connected_communities(
    pairs: list[tuple[int, int, int]], seed: int, shuffle: int
) -> None:
    frame = pl.DataFrame(
        {
            "supplier_id": [f"o{u:02d}" for u, _, _ in pairs],
            "buyer_id": [f"o{v:02d}" for _, v, _ in pairs],
            "value": [w for _, _, w in pairs],
        }
    )
    options = {"keys": (), "sums": ("value",), "weight": "value"}
    graph = CSRGraph.from_frame(frame, **options)
    other = CSRGraph.from_frame(frame.sample(fraction=1, shuffle=True, seed=shuffle), **options)
    found = leiden(graph, seed=seed)
    assert found.membership.tolist() == leiden(other, seed=seed).membership.tolist()
    positive = graph.where(pl.col("value") > 0).to_networkx().to_undirected()
    for community in range(found.communities):
        members = [graph.labels[i] for i in np.flatnonzero(found.membership == community)]
        assert nx.is_connected(positive.subgraph(members))


def test_another_hash_seed_gives_the_same_communities() -> None:
    program = (
        "import numpy as np, polars as pl\n"
        "from htx_pipeline.graph.csr import CSRGraph\n"
        "from htx_pipeline.graph.leiden import leiden\n"
        "rng = np.random.default_rng(0)\n"
        "ids = pl.Series([f'o{i:03d}' for i in range(200)])\n"
        "f = pl.DataFrame({'supplier_id': ids.gather(rng.integers(0, 200, 900)),"
        " 'buyer_id': ids.gather(rng.integers(0, 200, 900)), 'v': rng.random(900)})\n"
        "g = CSRGraph.from_frame(f, keys=(), sums=('v',), weight='v')\n"
        "print(leiden(g).membership.tolist(), g.weights().sum().hex())\n"
    )
    seen = set()
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "POLARS_MAX_THREADS": hash_seed}
        if hash_seed == "0":
            del environment["POLARS_MAX_THREADS"]
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
