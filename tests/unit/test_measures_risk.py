"""Risk: undefined cases first, hand-worked cascades, and taking organisations out one by one."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.metrics.risk import percolation, single_points, systemic_risk
from htx_pipeline.schemas import TABLES


def edges_of(links, **columns) -> pl.DataFrame:
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "executed", **columns}
    frame = pl.DataFrame(
        [tuple(link) for link in links],
        schema={"supplier_id": pl.String, "buyer_id": pl.String, "paid_value_vnd": pl.Int64},
        orient="row",
    ).with_columns(**{k: pl.lit(v) for k, v in fixed.items()})
    return network.edges(TABLES["linkages"].conform(frame))


def nodes_of(**stages: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        [{"period": "2024", "org_id": o, "stage": s} for o, s in stages.items()],
        schema={"period": pl.String, "org_id": pl.String, "stage": pl.String},
    )


def reports_of(**told: tuple[int | None, int | None]) -> pl.DataFrame:
    rows = [
        {"period": "2024", "org_id": o, "member_income_vnd": i, "official_members": m}
        for o, (i, m) in told.items()
    ]
    return TABLES["cooperative_reports"].conform(pl.DataFrame(rows, infer_schema_length=None))


def row(frame: pl.DataFrame, org: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col("org_id") == org, named=True)


CHAIN = [("htx1", "mill", 30), ("htx2", "mill", 10), ("mill", "shop", 60)]
STAGES = {"htx1": "production", "htx2": "production", "mill": "processing", "shop": "consumption"}


def test_no_linkage_is_no_risk_figure_rather_than_no_risk() -> None:
    made = systemic_risk(edges_of(CHAIN), nodes_of(**STAGES, alone=None))
    assert row(made, "alone")["reason"] == "no_linkage"
    assert row(made, "alone")["esri_leontief"] is None


def test_linkages_of_unstated_value_have_a_reason() -> None:
    made = systemic_risk(edges_of([*CHAIN, ("x", "y", None)]), nodes_of(**STAGES, x=None, y=None))
    assert row(made, "x")["reason"] == "value_not_stated"
    assert (row(made, "x")["esri_linear"], row(made, "x")["esri_rank"]) == (None, None)
    assert made["esri_rank"].drop_nulls().sort().to_list() == [1, 2, 3, 4]


def test_income_nobody_states_is_not_a_loss_of_zero() -> None:
    for reports in (None, reports_of(htx1=(None, 50))):
        made = systemic_risk(edges_of(CHAIN), nodes_of(**STAGES), reports)
        assert made["member_income_loss_vnd"].null_count() == made.height
        assert set(made["income_reason"]) == {"income_not_stated"}


def test_cascade_worked_by_hand() -> None:
    """Output is 30 + 10 + 60 = 100. A failing farm takes σ·(its part of 40) of the mill's output along.

    σ = min(1, sales / what is left of the sector): htx1 min(1, 30/10) = 1, htx2 min(1, 10/30) = 1/3.
    The mill's own fall is a lack of inputs, so nothing runs back up to the other farm.
    """
    made = systemic_risk(edges_of(CHAIN), nodes_of(**STAGES))
    assert row(made, "htx1")["esri_leontief"] == pytest.approx(0.30 + 0.60 * 1 * 30 / 40, abs=1e-6)
    assert row(made, "htx2")["esri_leontief"] == pytest.approx(0.10 + 0.60 / 3 * 10 / 40, abs=1e-6)
    assert row(made, "mill")["esri_leontief"] == 1.0
    assert row(made, "shop")["esri_leontief"] == 1.0


def test_income_at_risk_is_share_of_trade_lost_times_income_times_members() -> None:
    reports = reports_of(htx1=(50_000_000, 20), htx2=(40_000_000, 10))
    made = systemic_risk(edges_of(CHAIN), nodes_of(**STAGES), reports)
    assert row(made, "mill")["member_income_loss_vnd"] == 50_000_000 * 20 + 40_000_000 * 10
    assert row(made, "mill")["member_income_loss_share"] == 1.0
    assert row(made, "htx2")["member_income_loss_vnd"] == 40_000_000 * 10
    # A buyer of half of htx1's output takes half of its members' income along.
    half = edges_of([("htx1", "a", 50), ("htx1", "b", 50)])
    made = systemic_risk(half, nodes_of(htx1="production", a=None, b=None), reports)
    assert row(made, "a")["member_income_loss_vnd"] == 500_000_000


def test_linear_production_never_loses_more_than_leontief() -> None:
    edges, nodes = random_market(2)
    made = systemic_risk(edges, nodes)
    gap = made["esri_leontief"] - made["esri_linear"]
    assert gap.min() >= -1e-6
    assert gap.max() > 0.001


def random_market(seed: int):
    rng = np.random.default_rng(seed)
    stages = ["production"] * 20 + ["collection"] * 5 + ["processing"] * 5 + ["consumption"] * 5
    links = {}
    for u in range(30):
        for v in rng.choice(np.arange(u + 1, 35), size=min(2, 34 - u), replace=False).tolist():
            links[f"o{u:02}", f"o{v:02}"] = int(rng.integers(1, 10**6))
    edges = edges_of([(u, v, w) for (u, v), w in links.items()])
    return edges, nodes_of(**{f"o{i:02}": s for i, s in enumerate(stages)})


def test_row_order_and_unit_do_not_show() -> None:
    edges, nodes = random_market(4)
    reports = reports_of(o01=(10_000_000, 30), o02=(20_000_000, 12))
    made = systemic_risk(edges, nodes, reports)
    mixed = [f.sample(fraction=1, shuffle=True, seed=3) for f in (edges, nodes, reports)]
    assert systemic_risk(*mixed).equals(made)
    thousand = edges.with_columns(pl.col("paid_value_vnd") * 1_000)
    other = systemic_risk(thousand, nodes, reports)
    assert np.allclose(other["esri_leontief"], made["esri_leontief"], atol=1e-8)
    assert single_points(thousand)["disconnected_share"].equals(
        single_points(edges)["disconnected_share"]
    )
    assert percolation(mixed[0]).equals(percolation(edges))


def test_estimates_say_that_they_are_and_bound_the_index() -> None:
    edges, nodes = random_market(5)
    reports = reports_of(o01=(10_000_000, 30), o02=(20_000_000, 12))
    exact = systemic_risk(edges, nodes, reports)
    made = systemic_risk(edges, nodes, reports, exact_up_to=1)
    assert made.height == exact.height
    for name in ("esri_leontief", "esri_linear", "member_income_loss_share"):
        assert (made[f"{name}_low"] <= made[name]).all()
        assert (made[name] <= made[f"{name}_high"]).all()
        assert (made[f"{name}_low"] <= exact[name] + 1e-3).all()
        assert (made[f"{name}_high"] >= exact[name] - 1e-3).all()
        assert exact[f"{name}_low"].equals(exact[name].alias(f"{name}_low"))
        assert exact[name].null_count() == 0


def big_ring(n: int = 120) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Traders who sell to one another in a ring, and one grower each."""
    links = [(f"t{i:03}", f"t{(i + 1) % n:03}", 100 + i) for i in range(n)]
    links += [(f"t{i:03}", "shop", 50) for i in range(0, n, 9)]
    links += [(f"g{i:03}", f"t{i:03}", 10 + i) for i in range(n)]
    stages = {f"t{i:03}": "collection" for i in range(n)} | {
        f"g{i:03}": "production" for i in range(n)
    }
    return edges_of(links), nodes_of(**stages, shop="consumption")


def test_who_stands_outside_large_rings_is_exact_at_any_size() -> None:
    edges, nodes = big_ring()
    exact = systemic_risk(edges, nodes)
    made = systemic_risk(edges, nodes, exact_up_to=1, confidence=0.5)
    growers = pl.col("org_id").str.starts_with("g") | (pl.col("org_id") == "shop")
    assert made.filter(growers)["is_exact"].all()
    for name in ("esri_leontief", "esri_linear"):
        of_growers = [f.filter(growers)[name].to_numpy() for f in (made, exact)]
        assert of_growers[0] == pytest.approx(of_growers[1], abs=1e-5)
        assert made.filter(growers)[f"{name}_high"].equals(
            made.filter(growers)[name].alias(f"{name}_high")
        )


@pytest.mark.parametrize("seed", range(6))
def test_single_points_agree_with_taking_each_organisation_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    digraph = nx.DiGraph()
    for u, v in rng.integers(0, 30, (36, 2)).tolist():
        if u != v:
            digraph.add_edge(f"o{u:02}", f"o{v:02}", w=int(rng.integers(0, 50)))
    made = single_points(edges_of([(u, v, d["w"]) for u, v, d in digraph.edges(data=True)]), min_share=0.0)  # fmt: skip
    total = digraph.size("w")
    both = digraph.to_undirected(as_view=True)
    assert set(made["org_id"]) == set(nx.articulation_points(digraph.to_undirected(), backend="networkx"))  # fmt: skip
    for r in made.iter_rows(named=True):
        org = r["org_id"]
        component = nx.node_connected_component(both, org)
        rest = digraph.subgraph(component - {org})
        parts = sorted(
            (digraph.subgraph(c).size("w"), len(c)) for c in nx.weakly_connected_components(rest)
        )
        own = digraph.in_degree(org, "w") + digraph.out_degree(org, "w")
        cut_trade = sum(p[0] for p in parts[:-1])
        assert (r["n_component"], r["n_parts"]) == (len(component), len(parts))
        assert (r["n_cut_off"], r["own_trade"], r["cut_off_trade"]) == (sum(p[1] for p in parts[:-1]), own, cut_trade)  # fmt: skip
        assert r["disconnected_share"] == pytest.approx((own + cut_trade) / total, abs=1e-9)


def test_a_ring_has_no_single_point_and_a_threshold_outside_0_1_is_refused() -> None:
    ring = edges_of([("a", "b", 1), ("b", "c", 1), ("c", "a", 1)])
    assert single_points(ring, min_share=0).is_empty()
    with pytest.raises(InputError, match="not between"):
        single_points(ring, min_share=5)


@pytest.mark.parametrize("strategy", ["largest_trade", "most_partners"])
def test_percolation_agrees_with_networkx(strategy: str) -> None:
    edges, _ = random_market(6)
    digraph = nx.DiGraph()
    for r in edges.iter_rows(named=True):
        digraph.add_edge(r["supplier_id"], r["buyer_id"], w=r["paid_value_vnd"])
    made = percolation(edges, strategies=[strategy], up_to=1.0, steps=35)
    score = digraph.degree(weight="w" if strategy == "largest_trade" else None)
    order = sorted(digraph, key=lambda o: (-score[o], o))
    for r in made.iter_rows(named=True):
        rest = digraph.subgraph(order[r["n_removed"] :])
        sizes = [len(c) for c in nx.weakly_connected_components(rest)]
        assert r["giant_share"] == pytest.approx(max(sizes, default=0) / len(digraph), abs=1e-9)
    assert made["giant_share"].to_list() == sorted(made["giant_share"], reverse=True)
    assert made["giant_trade_share"][0] == 1.0
    assert made.row(-1, named=True)["giant_share"] == 0.0


def test_a_hub_survives_random_exit_longer_than_targeted_exit() -> None:
    hub = edges_of([(f"c{i:02}", "hub", 1) for i in range(40)])
    made = percolation(hub, up_to=0.1, steps=4, seed=1)
    at = made.filter(pl.col("n_removed") == 4)
    shares = dict(at.select("strategy", "giant_share").rows())
    assert shares["largest_trade"] == pytest.approx(1 / 41)
    assert shares["random"] > 0.7
    assert made.equals(percolation(hub, up_to=0.1, steps=4, seed=1))
    random = at.filter(pl.col("strategy") == "random").row(0, named=True)
    assert random["giant_share_min"] <= random["giant_share"] <= random["giant_share_max"]


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(InputError, match="Unknown choice"):
        percolation(edges_of(CHAIN), strategies=["lightning"])
