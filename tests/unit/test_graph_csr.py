"""The CSR graph: same numbers as the frame, in every view, in memory and on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph

LINKS = pl.DataFrame(
    {
        "supplier_id": ["h1", "h1", "h2", "mill", "mill", "loop"],
        "buyer_id": ["mill", "mill", "mill", "port", "h1", "loop"],
        "evidence": ["signed", "executed", "signed", "executed", "executed", "signed"],
        "product_code": ["rice"] * 6,
        "paid_value_vnd": [3, 4, 5, 20, 2, 7],
        "delivered_tonnes": [1.5, None, None, 2.5, 1.0, 0.5],
    }
)
NODES = pl.DataFrame({"org_id": ["alone", "h1"], "legal_type": ["tht", "htx"]})


@pytest.fixture
def graph() -> CSRGraph:
    return CSRGraph.from_frame(LINKS, NODES, weight="paid_value_vnd")


def test_an_unknown_weight_is_refused(graph: CSRGraph) -> None:
    with pytest.raises(InputError) as caught:
        graph.attribute("weight_of_the_moon")
    assert caught.value.code == "graph_missing_column"


def test_edges_without_a_known_value_are_not_taken_for_zero(graph: CSRGraph) -> None:
    assert np.isnan(graph.attribute("delivered_tonnes")).sum() == 1
    with pytest.raises(InputError, match="1 edges"):
        graph.weights("delivered_tonnes")


def test_parallel_links_are_one_edge_with_their_sum(graph: CSRGraph) -> None:
    assert graph.labels == ["alone", "h1", "h2", "loop", "mill", "port"]
    table = graph.edge_table
    edges = {
        (graph.labels[u], graph.labels[v]): w
        for u, v, w in table.select("source", "target", "paid_value_vnd").iter_rows()
    }
    assert edges == {
        ("h1", "mill"): 7,
        ("h2", "mill"): 5,
        ("loop", "loop"): 7,
        ("mill", "h1"): 2,
        ("mill", "port"): 20,
    }
    assert graph.links_of("h1", "mill")["paid_value_vnd"].to_list() == [4, 3]
    assert table["delivered_tonnes"].to_list() == [1.5, None, 0.5, 1.0, 2.5]


def test_value_is_conserved_from_frame_to_every_form(graph: CSRGraph) -> None:
    total = LINKS["paid_value_vnd"].sum()
    assert graph.weights().sum() == total
    assert graph.to_scipy().sum() == total
    assert sum(graph.to_igraph().es["weight"]) == total
    assert graph.to_networkx().size("weight") == total
    assert graph.to_networkx(multigraph=True).size("paid_value_vnd") == total
    assert graph.reversed().weights().sum() == total


def test_scipy_shares_the_arrays(graph: CSRGraph) -> None:
    whole = graph.where(pl.col("evidence") == "executed")
    matrix = whole.to_scipy()
    assert np.shares_memory(matrix.indices, whole.out.indices)
    assert np.shares_memory(matrix.data, whole.attribute("paid_value_vnd"))


def test_the_undirected_projection_adds_both_directions_and_keeps_loops_once(
    graph: CSRGraph,
) -> None:
    indptr, indices, weights = graph.undirected()
    found = {
        (graph.labels[u], graph.labels[int(indices[s])]): weights[s]
        for u in range(len(graph))
        for s in range(indptr[u], indptr[u + 1])
    }
    assert found[("h1", "mill")] == found[("mill", "h1")] == 9
    assert found[("loop", "loop")] == 7
    assert len(found) == 7
    assert graph.neighbours[0][-1] == 6


def test_a_layer_keeps_the_row_numbers(graph: CSRGraph) -> None:
    layer = graph.where(pl.col("evidence") == "executed")
    assert layer.labels == graph.labels
    assert layer.weights().tolist() == [4, 2, 20]
    small = graph.where(pl.col("evidence") == "executed", drop_isolated=True)
    assert small.labels == ["h1", "mill", "port"]


def test_ids_are_looked_up_one_by_one_and_in_bulk(graph: CSRGraph) -> None:
    assert graph.index("mill") == 4
    assert "nobody" not in graph
    with pytest.raises(KeyError):
        graph.index("nobody")
    assert graph.indices_of(pl.Series(["port", "nobody", None, "alone"])).to_list() == [
        5,
        None,
        None,
        0,
    ]


def test_a_saved_graph_is_mapped_and_equal(graph: CSRGraph, tmp_path: Path) -> None:
    graph.save(tmp_path / "g")
    graph.save(tmp_path / "g")  # replaces the first
    read = CSRGraph.open(tmp_path / "g")
    assert isinstance(read.out.indices, np.memmap)
    assert read.node_table.equals(graph.node_table)
    assert read.link_table.equals(graph.link_table)
    assert read.weights().tolist() == graph.weights().tolist()
    assert read.undirected()[2].tolist() == graph.undirected()[2].tolist()
    assert nx.pagerank(read) == nx.pagerank(graph)
    assert [path.name for path in tmp_path.iterdir()] == ["g"]


def test_workers_read_one_mapped_graph_and_find_what_the_parent_finds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = CSRGraph.from_arrays(
        *rng.integers(0, 3_000, (2, 20_000)), weight=rng.integers(1, 9, 20_000)
    )
    graph.save(tmp_path / "g")
    program = (
        "import sys, numpy as np\n"
        "from htx_pipeline.graph import arrays\n"
        "from htx_pipeline.graph.csr import CSRGraph\n"
        "g = CSRGraph.open(sys.argv[1])\n"
        "kept = [g.out.indptr, g.out.indices, g.edge_source, g.edge_target]\n"
        "assert all(isinstance(a, np.memmap) and not a.flags.writeable for a in kept)\n"
        "begin, end = int(sys.argv[2]), int(sys.argv[3])\n"
        "print(arrays.pagerank(g).sum().hex(), arrays.betweenness(g, sources=np.arange(begin, end))"
        ".sum().hex())\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "g"), str(begin), str(begin + 20)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for begin in (0, 20)
    ]
    found = [worker.communicate()[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    rank = arrays.pagerank(graph)
    assert rank is not None
    for begin, (ranks, between) in zip((0, 20), found, strict=True):
        assert ranks == rank.sum().hex()
        mine = arrays.betweenness(graph, sources=np.arange(begin, begin + 20))
        assert between == mine.sum().hex()


def test_what_is_no_saved_graph_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a saved graph"):
        CSRGraph.open(tmp_path)
    (tmp_path / "graph.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="format 99"):
        CSRGraph.open(tmp_path)


def test_networkx_gets_every_attribute_but_nulls(graph: CSRGraph) -> None:
    other = graph.to_networkx()
    assert dict(other.nodes(data=True))["h1"] == {"legal_type": "htx"}
    assert other["h2"]["mill"] == {"paid_value_vnd": 5, "n_links": 1, "weight": 5}


def test_an_empty_graph_is_a_graph() -> None:
    graph = CSRGraph.from_frame(LINKS.clear(), weight="paid_value_vnd")
    assert (len(graph), graph.number_of_edges()) == (0, 0)
    assert graph.undirected()[1].tolist() == []
    assert graph.to_networkx().number_of_nodes() == 0
