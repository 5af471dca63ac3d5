"""Positions in the network: undefined ones first, textbook networks, and NetworkX as the oracle."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.metrics.position import POSITION_SCHEMA, bridges, positions
from htx_pipeline.schemas import TABLES

STAGES = ["production", "collection", "processing", "consumption", None]


def edges_of(links, **columns) -> pl.DataFrame:
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "executed", **columns}
    frame = pl.DataFrame(
        [(s, b, v) for s, b, v in links],
        schema={"supplier_id": pl.String, "buyer_id": pl.String, "paid_value_vnd": pl.Int64},
        orient="row",
    ).with_columns(**{k: pl.lit(v) for k, v in fixed.items()})
    return network.edges(TABLES["linkages"].conform(frame))


def nodes_of(**stages: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        [{"period": "2024", "org_id": o, "stage": s} for o, s in stages.items()],
        schema={"period": pl.String, "org_id": pl.String, "stage": pl.String},
    )


def row(frame: pl.DataFrame, org: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col("org_id") == org, named=True)


def random_trade(seed: int, n: int = 24, m: int = 60):
    rng = np.random.default_rng(seed)
    pairs = {tuple(pair) for pair in rng.integers(0, n, (m, 2)).tolist()}
    links = [(f"o{u:02}", f"o{v:02}", int(rng.integers(1, 99))) for u, v in sorted(pairs) if u != v]
    names = sorted({x for s, b, _ in links for x in (s, b)})
    stages = {o: STAGES[int(i)] for o, i in zip(names, rng.integers(0, 5, len(names)), strict=True)}
    digraph = nx.DiGraph()
    digraph.add_weighted_edges_from(links)
    return links, stages, digraph


def test_an_organisation_without_linkages_has_no_position_rather_than_position_zero() -> None:
    made = positions(edges_of([("a", "b", 1)]), nodes_of(a=None, b=None, alone=None))
    alone = row(made, "alone")
    assert alone["reason"] == "no_linkage"
    assert alone["n_edges"] == 0
    for name in ("upstreamness", "steps_before", "betweenness_share", "is_articulation", "core_number", "is_broker", "is_on_full_chain"):  # fmt: skip
        assert alone[name] is None


def test_selling_to_itself_is_no_linkage() -> None:
    made = positions(edges_of([("a", "a", 9), ("b", "c", 1)]), nodes_of(a=None, b=None, c=None))
    assert row(made, "a")["reason"] == "no_linkage"


def test_a_closed_ring_has_no_distance_to_final_use_and_says_so() -> None:
    made = positions(edges_of([("x", "a", 1), ("a", "b", 1), ("b", "a", 1)]), nodes_of(a=None, b=None, x=None))  # fmt: skip
    assert row(made, "x")["upstreamness"] is None
    assert {row(made, o)["upstreamness_reason"] for o in "abx"} == {"closed_ring"}
    assert row(made, "x")["downstreamness"] == 1.0
    assert [row(made, o)["is_in_ring"] for o in "abx"] == [True, True, False]
    assert [row(made, o)["longest_chain_steps"] for o in "abx"] == [1, 1, 1]


def test_unstated_value_is_not_taken_for_final_use() -> None:
    links = [("a", "b", 5), ("a", "d", 5), ("b", "c", None), ("d", "c", 4)]
    made = positions(edges_of(links), nodes_of(a=None, b=None, c=None, d=None))
    assert row(made, "b")["upstreamness_reason"] == "value_not_stated"
    assert row(made, "a")["upstreamness_reason"] == "value_not_stated"
    assert row(made, "d")["upstreamness"] == 2.0
    assert row(made, "b")["n_edges_without_value"] == 1


def test_two_organisations_have_no_betweenness() -> None:
    made = positions(edges_of([("a", "b", 1)]), nodes_of(a=None, b=None))
    assert made["betweenness_share"].to_list() == [None, None]
    assert made["betweenness_reason"].to_list() == ["too_few_organisations"] * 2


def test_too_few_sources_for_an_error_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        positions(edges_of([("a", "b", 1)]), nodes_of(a=None), betweenness_sources=3)


def test_no_linkages_at_all_give_rows_of_nothing_with_the_same_columns() -> None:
    made = positions(network.edges(TABLES["linkages"].empty()), nodes_of(a="production"))
    assert made.schema == pl.Schema(POSITION_SCHEMA)
    assert made["reason"].to_list() == ["no_linkage"]


def test_florentine_families_betweenness_as_published() -> None:
    """Padgett & Ansell's marriages: Medici 0.522, Guadagni 0.255 (every marriage taken both ways)."""
    families = nx.florentine_families_graph()
    links = [(a, b, 1) for u, v in families.edges for a, b in ((u, v), (v, u))]
    made = positions(edges_of(links), nodes_of(**dict.fromkeys(families, None)))
    assert row(made, "Medici")["betweenness_share"] == pytest.approx(0.521978, abs=1e-6)
    assert row(made, "Guadagni")["betweenness_share"] == pytest.approx(0.254579, abs=1e-6)
    cut = set(made.filter("is_articulation")["org_id"])
    assert cut == {"Medici", "Guadagni", "Albizzi", "Salviati"}


def test_chain_of_antras_and_chor_counts_steps() -> None:
    made = positions(edges_of([("a", "b", 7), ("b", "c", 7), ("c", "d", 7)]), nodes_of(a=None, b=None, c=None, d=None))  # fmt: skip
    assert made["upstreamness"].to_list() == [4.0, 3.0, 2.0, 1.0]
    assert made["downstreamness"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert made["longest_chain_steps"].to_list() == [3, 3, 3, 3]


@pytest.mark.parametrize("seed", range(6))
def test_positions_agree_with_networkx_and_slow_plain_versions(seed: int) -> None:
    links, stages, digraph = random_trade(seed)
    made = positions(edges_of(links), nodes_of(**stages))
    both = digraph.to_undirected()
    between = nx.betweenness_centrality(digraph, normalized=True, backend="networkx")
    core = nx.core_number(both, backend="networkx")
    cuts = set(nx.articulation_points(both, backend="networkx"))
    condensed = nx.condensation(digraph)
    longest = {n: max(len(p) - 1 for p in _walks_from(condensed.reverse(), n)) for n in condensed}
    for org in digraph:
        mine = row(made, org)
        assert mine["betweenness_share"] == pytest.approx(between[org], abs=1e-12)
        assert mine["core_number"] == core[org]
        assert mine["is_articulation"] == (org in cuts)
        assert mine["steps_before"] == longest[condensed.graph["mapping"][org]]
        pairs = [
            (i, k) for i, k in product(digraph.predecessors(org), digraph.successors(org))
            if i != k and not digraph.has_edge(i, k)
        ]  # fmt: skip
        assert (mine["n_brokered_pairs"], mine["is_broker"]) == (len(pairs), bool(pairs))
        assert mine["is_on_full_chain"] == _on_chain(digraph, stages, org)
        if mine["upstreamness"] is not None:
            sold = sum(d["weight"] for _, _, d in digraph.out_edges(org, data=True))
            expected = 1 + sum(
                d["weight"] / sold * row(made, v)["upstreamness"]
                for _, v, d in digraph.out_edges(org, data=True)
            )
            assert mine["upstreamness"] == pytest.approx(expected, abs=1e-8)
        else:
            ends = {v for v in digraph if digraph.out_degree(v) == 0}
            reached = {org} | nx.descendants(digraph, org)
            assert any(not ({v} | nx.descendants(digraph, v)) & ends for v in reached)


def _walks_from(dag: nx.DiGraph, start: int):
    following = list(dag.successors(start))
    if not following:
        yield [start]
    for nxt in following:
        for walk in _walks_from(dag, nxt):
            yield [start, *walk]


def _on_chain(digraph: nx.DiGraph, stages: dict[str, str | None], org: str) -> bool | None:
    """Every triple of organisations by name; unknown stages are tried as each."""
    below = {v: nx.descendants(digraph, v) for v in digraph}
    onto = {v: below[v] | {v} for v in digraph}

    def found(fits) -> bool:
        for p, x, c in product(digraph, repeat=3):
            if fits(p, "production") and fits(x, "processing") and fits(c, "consumption"):
                in_order = x in after(p) and c in after(x)
                if in_order and ((org in onto[p] and x in onto[org]) or (org in onto[x] and c in onto[org])):  # fmt: skip
                    return True
        return False

    def after(v):
        return {w for u in digraph.successors(v) for w in onto[u]}

    if found(lambda v, s: stages[v] == s):
        return True
    return None if found(lambda v, s: stages[v] in (s, None)) else False


@pytest.mark.parametrize("seed", range(4))
def test_bridges_agree_with_networkx_and_with_cutting_them(seed: int) -> None:
    links, _, digraph = random_trade(seed, n=26, m=30)
    both = digraph.to_undirected()
    made = bridges(edges_of(links))
    mine = {frozenset(p) for p in made.select("supplier_id", "buyer_id").rows()}
    assert mine == {frozenset(p) for p in nx.bridges(both, backend="networkx")}
    assert made.height > 0
    for r in made.iter_rows(named=True):
        cut = both.copy()
        cut.remove_edge(r["supplier_id"], r["buyer_id"])
        sides = [len(nx.node_connected_component(cut, r[c])) for c in ("supplier_id", "buyer_id")]
        assert (min(sides), sum(sides)) == (r["n_cut_off"], r["n_component"])


def test_row_order_and_unit_do_not_show() -> None:
    links, stages, _ = random_trade(3)
    edges, nodes = edges_of(links), nodes_of(**stages)
    made = positions(edges, nodes)
    shuffled = edges.sample(fraction=1, shuffle=True, seed=1), nodes.sample(fraction=1, shuffle=True, seed=2)  # fmt: skip
    assert positions(*shuffled).equals(made)
    thousand = edges.with_columns(pl.col("paid_value_vnd") * 1_000)
    assert positions(thousand, nodes).equals(made)


def test_sampled_betweenness_is_repeatable_and_within_its_error() -> None:
    links, stages, _ = random_trade(8, n=400, m=900)
    edges, nodes = edges_of(links), nodes_of(**stages)
    options = {"betweenness_exact_up_to": 10, "betweenness_sources": 160}
    made = positions(edges, nodes, seed=5, **options)
    assert made.equals(positions(edges, nodes, seed=5, **options))
    exact = positions(edges, nodes)["betweenness_share"].to_numpy()
    error = made["betweenness_error"].to_numpy()
    off = np.abs(made["betweenness_share"].to_numpy() - exact)
    wide = error > 0
    assert wide.sum() > 100
    assert np.mean(off[wide] <= 3 * error[wide]) > 0.9
    assert made["betweenness_share"].sum() == pytest.approx(exact.sum(), rel=0.2)


def test_a_chain_counts_only_within_one_product() -> None:
    one = edges_of([("farm", "mill", 1)], product_code="coffee")
    other = edges_of([("mill", "shop", 1)], product_code="tea")
    nodes = nodes_of(farm="production", mill="processing", shop="consumption")
    assert positions(pl.concat([one, other]), nodes)["is_on_full_chain"].to_list() == [False] * 3
    same = edges_of([("mill", "shop", 1)], product_code="coffee")
    made = positions(pl.concat([one, same]), nodes)
    assert made["full_chain_products"].to_list() == [["coffee"]] * 3
