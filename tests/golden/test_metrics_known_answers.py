"""Measures against textbook answers, published tables, and slow plain versions."""

from __future__ import annotations

import math
from collections import defaultdict

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.clusters.detect import partition
from htx_pipeline.metrics import _tabular, completeness, concentration


def _edges(shares: list[float]) -> pl.DataFrame:
    n = len(shares)
    return pl.DataFrame(
        {
            "period": ["2024"] * n, "product_code": ["p"] * n, "supplier_id": [f"s{i}" for i in range(n)],
            "buyer_id": [f"b{i}" for i in range(n)], "evidence": ["signed"] * n,
            "contracted_value_vnd": shares,
        },
        schema_overrides={"contracted_value_vnd": pl.Float64},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "hhi"),
    [
        (
            [30, 30, 20, 20],
            0.26,
        ),  # US merger guidelines' own example: 30² + 30² + 20² + 20² = 2,600
        ([1, 1, 1, 1, 1], 0.2),
        ([7], 1.0),
    ],
)
def test_hhi_of_the_merger_guidelines(shares: list[float], hhi: float) -> None:
    made = concentration.concentration(_edges(shares)).row(0, named=True)
    assert made["hhi"] == pytest.approx(hhi, abs=1e-12)
    assert made["effective_number"] == pytest.approx(1 / hhi, rel=1e-9)
    assert made["largest_share"] == pytest.approx(max(shares) / sum(shares), abs=1e-12)


def test_concentration_is_undefined_not_zero_when_nobody_states_a_weight() -> None:
    made = concentration.concentration(_edges([None, None])).row(0, named=True)  # type: ignore[list-item]
    assert (made["hhi"], made["largest_share"], made["reason"]) == (None, None, "weight_not_stated")
    assert made["n_edges_without_weight"] == 2
    zero = concentration.concentration(_edges([0, 0])).row(0, named=True)
    assert (zero["hhi"], zero["effective_number"], zero["reason"]) == (None, None, "weight_zero")


@pytest.mark.parametrize("factor", [1_000, 1_000_000])
def test_another_unit_leaves_shares_unchanged(factor: int) -> None:
    one = concentration.concentration(_edges([3, 5, 11]))
    other = concentration.concentration(_edges([3 * factor, 5 * factor, 11 * factor]))
    assert one.drop("total").equals(other.drop("total"))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_as_published(k: int, n: int, low: float, high: float) -> None:
    frame = _tabular.enter(pl.DataFrame({"k": [k], "n": [n]}))
    found = frame.select(
        _tabular.wilson("k", "n", upper=False).alias("low"), _tabular.wilson("k", "n", upper=True).alias("high")
    ).collect()  # fmt: skip
    assert found["low"][0] == pytest.approx(low, abs=5e-5)
    assert found["high"][0] == pytest.approx(high, abs=5e-5)


def test_theil_of_four_incomes_by_hand() -> None:
    frame = pl.DataFrame(
        {"period": ["t"] * 4, "locality": ["x", "y", "x", "y"], "revenue_vnd": [1, 1, 3, 3]}
    )
    made = concentration.theil(frame).row(0, named=True)
    assert made["theil"] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), abs=1e-12)
    assert made["between"] == 0  # both places have mean 2
    everything = frame.with_columns(revenue_vnd=pl.Series([0, 0, 0, 8]))
    assert concentration.theil(everything)["theil"][0] == pytest.approx(math.log(4), abs=1e-12)


@pytest.mark.parametrize(
    ("values", "reason"),
    [([None, None], "not_stated"), ([-1, 2], "negative_values"), ([0, 0], "total_zero")],
)
def test_theil_is_undefined_with_a_reason(values: list[int | None], reason: str) -> None:
    frame = pl.DataFrame(
        {"period": "t", "locality": "x", "revenue_vnd": values},
        schema_overrides={"revenue_vnd": pl.Int64},
    )
    made = concentration.theil(frame).row(0, named=True)
    assert (made["theil"], made["within"], made["reason"]) == (None, None, reason)


def _slow_gamma(plants: list[tuple[str, str, float]], industry: str) -> float:
    """Ellison & Glaeser's (5), by loops."""
    everything = sum(s for _, _, s in plants)
    own = [(a, s) for i, a, s in plants if i == industry]
    total = sum(s for _, s in own)
    areas = sorted({a for _, a, _ in plants})
    x = {a: sum(s for _, b, s in plants if b == a) / everything for a in areas}
    share = {a: sum(s for b, s in own if b == a) / total for a in areas}
    g = sum((share[a] - x[a]) ** 2 for a in areas)
    h = sum((s / total) ** 2 for _, s in own)
    spread = 1 - sum(v * v for v in x.values())
    return (g - spread * h) / (spread * (1 - h))


_PLANTS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(1, 50).map(float)),
    min_size=3,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(_PLANTS)
def test_ellison_glaeser_equals_the_plain_formula(plants: list[tuple[str, str, float]]) -> None:
    frame = pl.DataFrame(plants, schema=["product_code", "locality", "size"], orient="row")
    made = concentration.ellison_glaeser(frame.with_columns(period=pl.lit("t")))
    for row in made.iter_rows(named=True):
        if row["is_defined"]:
            assert row["gamma"] == pytest.approx(_slow_gamma(plants, row["product_code"]), abs=1e-8)
        else:
            assert row["gamma"] is None
            assert row["reason"] in {"too_few", "one_plant", "one_area"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "y", None]), st.integers(0, 10**12)),
        min_size=1,
        max_size=30,
    )
)
def test_theil_splits_into_parts_that_add_up(rows: list[tuple[str | None, int]]) -> None:
    frame = pl.DataFrame(
        rows, schema={"locality": pl.String, "revenue_vnd": pl.Int64}, orient="row"
    )
    made = concentration.theil(frame.with_columns(period=pl.lit("t"))).row(0, named=True)
    if made["theil"] is None:
        assert made["reason"] == "total_zero"
        return
    total, n = sum(v for _, v in rows), len(rows)
    within = 0.0
    groups = defaultdict(list)
    for place, v in rows:
        groups[place].append(v)
    for values in groups.values():
        y = sum(values)
        within += sum(v / total * math.log(v / y * len(values)) for v in values if v)
    assert made["within"] == pytest.approx(within, abs=1e-9)
    assert made["between"] + made["within"] == pytest.approx(made["theil"], abs=1e-9)
    assert -1e-9 <= made["theil"] <= math.log(n) + 1e-9


def test_location_quotient_withholds_small_places() -> None:
    frame = pl.DataFrame(
        {
            "period": "t",
            "product_code": ["a", "b", "a"],
            "locality": ["x", "x", "tiny"],
            "n": [20, 20, 1],
        }
    )
    made = {
        r["locality"]: r
        for r in concentration.location_quotient(frame)
        .filter(product_code="a")
        .iter_rows(named=True)
    }
    assert made["tiny"]["value"] is None
    assert made["tiny"]["reason"] == "too_few"
    assert made["x"]["value"] == pytest.approx((20 / 40) / (21 / 41))
    assert made["x"]["value_low"] < made["x"]["value"] < made["x"]["value_high"]


CLRS = [
    ("s", "v1", 16), ("s", "v2", 13), ("v1", "v3", 12), ("v2", "v1", 4), ("v2", "v4", 14),
    ("v3", "v2", 9), ("v3", "t", 20), ("v4", "v3", 7), ("v4", "t", 4),
]  # fmt: skip
"""Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, figure 26.1."""


def test_the_network_of_clrs_carries_23_and_is_cut_where_the_book_says() -> None:
    flow, cut = completeness.minimum_cut(CLRS, source="s", sink="t")
    assert flow == 23
    assert cut == [("v1", "v3"), ("v4", "t"), ("v4", "v3")]


@pytest.mark.parametrize("seed", range(20))
def test_the_cut_is_the_one_nearest_the_source_and_as_wide_as_the_flow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 9, (2, 30)).tolist()
    arcs = [
        (str(u), str(v), w)
        for u, v, w in zip(*ends, rng.integers(0, 6, 30).tolist(), strict=True)
        if u != v
    ]
    flow, cut = completeness.minimum_cut(arcs, source="0", sink="8")
    graph = nx.DiGraph()
    graph.add_nodes_from(["0", "8"])
    for u, v, w in arcs:
        known = graph.get_edge_data(u, v, {"capacity": 0})["capacity"]
        graph.add_edge(u, v, capacity=known + w)
    assert flow == nx.maximum_flow_value(graph, "0", "8")
    assert flow == sum(graph.edges[arc]["capacity"] for arc in cut)
    residual = nx.algorithms.flow.preflow_push(graph, "0", "8")
    open_arcs = nx.DiGraph(
        (u, v) for u, v, a in residual.edges(data=True) if a["capacity"] > a["flow"]
    )
    open_arcs.add_node("0")
    near = {"0", *nx.descendants(open_arcs, "0")}
    wanted = [
        (u, v)
        for u, v, a in graph.edges(data=True)
        if u in near and v not in near and a["capacity"] > 0
    ]
    assert cut == sorted(wanted)


def test_no_path_no_flow() -> None:
    assert completeness.minimum_cut([("s", "a", 5), ("b", "t", 5)], source="s", sink="t")[0] == 0


def test_leiden_reaches_the_best_known_modularity_of_the_karate_club() -> None:
    graph = nx.karate_club_graph()
    a, b = np.array(graph.edges).T
    found = partition(34, a, b, np.ones(len(a)), resolution=1.0, seed=20)
    groups = [set(np.flatnonzero(found == c)) for c in np.unique(found)]
    # 0.4198 is the maximum (Brandes et al. 2008, doi:10.1109/TKDE.2007.190689).
    assert nx.community.modularity(graph, groups, weight=None) == pytest.approx(0.4198, abs=5e-5)
