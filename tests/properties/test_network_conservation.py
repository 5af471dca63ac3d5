"""The network neither gains nor loses: value, mass and rows in the edges are those of the linkages."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.clusters import describe, detect
from htx_pipeline.graph import network
from htx_pipeline.metrics import chain
from htx_pipeline.schemas import TABLES

_IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
_ROW = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["2023", "2024"]),
        "supplier_id": _IDS,
        "buyer_id": _IDS,
        "product_code": st.sampled_from(["coffee", "rice"]),
        "evidence": st.sampled_from(network.EVIDENCE),
        "contracted_value_vnd": st.none() | st.integers(0, 2**53),
        "paid_value_vnd": st.none() | st.integers(0, 2**53),
        "contracted_tonnes": st.none() | st.floats(0, 1e6).map(lambda x: round(x, 3)),
        "delivered_tonnes": st.none() | st.floats(0, 1e6).map(lambda x: round(x, 3)),
        "area_ha": st.none() | st.floats(0, 1e4).map(lambda x: round(x, 2)),
        "households": st.none() | st.integers(0, 10_000),
        "has_processing": st.none() | st.booleans(),
        "has_consumption": st.none() | st.booleans(),
        "signed_on": st.none() | st.dates(date(2020, 1, 1), date(2024, 12, 1)),
    }
)
_ROWS = st.lists(_ROW, min_size=1, max_size=25)


def _linkages(rows: list[dict[str, object]]) -> pl.DataFrame:
    table = TABLES["linkages"]
    schema = {k: table.schema[k] for k in rows[0]}
    frame = pl.DataFrame(rows, schema=schema)
    return table.conform(
        frame.with_columns(
            source_id=pl.format("f:s:{}", pl.int_range(pl.len())),
            linkage_id=pl.format("l{}", pl.int_range(pl.len())),
        )
    )


@settings(max_examples=80, deadline=None)
@given(_ROWS)
def test_value_mass_and_rows_add_up_per_product_and_period(rows: list[dict[str, object]]) -> None:
    linkages = _linkages(rows)
    edges = network.edges(linkages)
    by = ["period", "product_code"]
    exact = ["contracted_value_vnd", "paid_value_vnd", "households"]
    floats = ["contracted_tonnes", "delivered_tonnes", "area_ha"]
    left = edges.group_by(by).agg(pl.col(*exact, *floats, "n_linkages").sum()).sort(by)
    right = (
        linkages.group_by(by)
        .agg(pl.col(*exact, *floats).sum(), pl.len().alias("n_linkages"))
        .sort(by)
    )
    for column in exact:
        assert left[column].equals(right[column])
    for column in floats:
        assert ((left[column] - right[column]).abs() <= 1e-9 * (1 + right[column])).all()
    assert left["n_linkages"].to_list() == right["n_linkages"].to_list()
    stated = linkages.group_by(by).agg(pl.col("paid_value_vnd").count()).sort(by)
    assert (
        edges.group_by(by).agg(pl.col("n_paid_value").sum()).sort(by)["n_paid_value"].to_list()
        == stated["paid_value_vnd"].to_list()
    )
    every = sorted(s for part in edges["source_ids"].to_list() for s in part)
    assert every == sorted(linkages["source_id"])
    assert edges.select(network.EDGE_KEY).is_unique().all()


@settings(max_examples=40, deadline=None)
@given(_ROWS, st.randoms(use_true_random=False))
def test_row_order_changes_nothing_down_to_the_clusters(
    rows: list[dict[str, object]], random: object
) -> None:
    linkages = _linkages(rows)
    shuffled = linkages.sample(fraction=1, shuffle=True, seed=random.randrange(10**6))  # type: ignore[attr-defined]
    made = []
    for frame in (linkages, shuffled):
        edges = network.edges(frame)
        nodes = network.nodes(TABLES["organisations"].empty(), edges)
        communities = detect.communities(edges)
        reports = TABLES["cooperative_reports"].empty()
        made.append(
            (
                edges, nodes, detect.components(edges), communities,
                describe.clusters(nodes, edges, communities, reports),
                describe.cluster_members(nodes, edges, communities, reports),
                describe.cluster_stages(nodes, edges, communities),
                chain.chain_flows(edges, nodes, communities),
            )
        )  # fmt: skip
    for one, other in zip(*made, strict=True):
        assert one.equals(other)


@settings(max_examples=60, deadline=None)
@given(_ROWS)
def test_flows_hold_the_whole_network_and_balance_at_every_stage(
    rows: list[dict[str, object]],
) -> None:
    edges = network.edges(_linkages(rows))
    nodes = network.nodes(TABLES["organisations"].empty(), edges)
    flows = chain.chain_flows(edges, nodes)
    kept = network.at_least(edges, evidence="signed")
    recorded = flows.filter(pl.col("kind") == "recorded")
    assert recorded["n_linkages"].sum() == kept["n_linkages"].sum()
    basis = dict(network.value_bases(kept).rows())
    value = sum(
        (
            row["paid_value_vnd"]
            if basis[row["period"]] == "paid_value"
            else row["contracted_value_vnd"]
        )
        or 0
        for row in kept.iter_rows(named=True)
        if basis[row["period"]] != "links"
    )
    assert recorded["value_vnd"].sum() == value
    balance = chain.stage_balance(flows).filter(pl.col("stage").is_in(chain.BALANCED))
    assert (balance["value_in_vnd"] == balance["value_out_vnd"]).all()
    assert ((balance["tonnes_in"] - balance["tonnes_out"]).abs() <= 1e-3).all()
    assert (flows["value_vnd"].drop_nulls() >= 0).all()


@settings(max_examples=40, deadline=None)
@given(_ROWS)
def test_values_in_another_unit_give_the_same_clusters_and_shares(
    rows: list[dict[str, object]],
) -> None:
    small = [
        {
            **row,
            **{
                c: None if row[c] is None else int(row[c]) % 10**9
                for c in ("paid_value_vnd", "contracted_value_vnd")
            },
        }  # type: ignore[call-overload]
        for row in rows
    ]
    linkages = _linkages(small)
    thousandfold = linkages.with_columns(pl.col("paid_value_vnd", "contracted_value_vnd") * 1000)
    made = []
    for frame in (linkages, thousandfold):
        edges = network.edges(frame)
        nodes = network.nodes(TABLES["organisations"].empty(), edges)
        communities = detect.communities(edges)
        table = describe.clusters(nodes, edges, communities, TABLES["cooperative_reports"].empty())
        made.append(
            table.select(
                "cluster_id",
                "executed_share",
                "largest_buyer_id",
                "largest_buyer_share",
                "inside_share",
            )
        )
    assert made[0].equals(made[1])


@settings(max_examples=40, deadline=None)
@given(_ROWS)
def test_components_and_clusters_hold_each_linked_organisation_once(
    rows: list[dict[str, object]],
) -> None:
    edges = network.edges(_linkages(rows))
    components, communities = detect.components(edges), detect.communities(edges)
    for frame in (components, communities):
        assert frame.select("period", "org_id").is_unique().all()
    within = communities.join(components, on=["period", "org_id"])
    assert within.height == communities.height
    # Every community lies inside one component.
    assert (
        within.group_by("period", "cluster_id").agg(pl.col("component_id").n_unique())[
            "component_id"
        ]
        == 1
    ).all()
