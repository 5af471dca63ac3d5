"""A small network whose clusters, stages, shares and legal tests can be told by hand."""

from __future__ import annotations

import random

import polars as pl
import pytest

from htx_pipeline.clusters import describe, detect
from htx_pipeline.clusters.criteria import cluster_criteria
from htx_pipeline.graph import network
from htx_pipeline.metrics import chain, change, completeness
from htx_pipeline.metrics.history import lineage
from htx_pipeline.schemas import TABLES

LINKS = [
    # coffee round processor P: two growers, P sells on to trader T
    ("h1", "P", "coffee", "executed", 100, 80), ("h2", "P", "coffee", "signed", 300, None), ("P", "T", "coffee", "executed", 500, 500),
    # cassava: one grower, one buyer that neither processes nor sells on
    ("h3", "B", "cassava", "active", 50, None),
]  # fmt: skip


def _frames(*, values: bool = True) -> dict[str, pl.DataFrame]:
    rows = [
        {"period": "2024", "supplier_id": s, "buyer_id": b, "product_code": p, "evidence": e,
         "contracted_value_vnd": c if values else None, "paid_value_vnd": d if values else None,
         "contracted_tonnes": c / 10, "area_ha": 200.0 if p == "coffee" else None,
         "has_processing": b == "P", "source_id": f"f{p}:s:{i}"}
        for i, (s, b, p, e, c, d) in enumerate(LINKS)
    ]  # fmt: skip
    schema = {"contracted_value_vnd": pl.Int64, "paid_value_vnd": pl.Int64}
    edges = network.edges(
        TABLES["linkages"].conform(
            pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
        )
    )
    kinds = {
        "h1": "htx",
        "h2": "htx",
        "h3": "htx",
        "P": "enterprise",
        "T": "enterprise",
        "B": "enterprise",
    }
    place = {"h1": "Đăk Hà", "h2": "Đăk Hà", "P": "Kon Tum", "h3": "Sa Thầy"}
    organisations = TABLES["organisations"].conform(
        pl.DataFrame([{"period": "2024", "org_id": o, "name": f"Tên {o}", "legal_type": t, "locality": place.get(o),
                       "is_registered": True, "source_id": f"r:s:{o}"} for o, t in kinds.items()], infer_schema_length=None)
    )  # fmt: skip
    reports = TABLES["cooperative_reports"].conform(
        pl.DataFrame(
            {
                "period": ["2024"],
                "org_id": ["h1"],
                "official_members": [12],
                "revenue_vnd": [900],
                "source_id": ["b:s:1"],
            }
        )
    )
    nodes = network.nodes(organisations, edges)
    return {
        "nodes": nodes,
        "edges": edges,
        "communities": detect.communities(edges),
        "reports": reports,
    }


def _cluster_of(frames: dict[str, pl.DataFrame], org_id: str) -> str:
    return str(frames["communities"].filter(pl.col("org_id") == org_id)["cluster_id"].item())


def test_a_cluster_says_what_it_is_made_of() -> None:
    f = _frames()
    table = describe.clusters(**f)
    assert table.height == 2
    row = table.filter(pl.col("cluster_id") == _cluster_of(f, "P")).row(0, named=True)
    assert row["cluster_name_vi"] == "Cụm liên kết cà phê (không rõ loại) – Đăk Hà"
    assert row["cluster_name_en"] == "Coffee (kind not stated) cluster, Đăk Hà"
    assert (
        row["n_organisations"],
        row["n_cooperatives"],
        row["n_enterprises"],
        row["n_other"],
    ) == (4, 2, 2, 0)
    assert row["localities"] == ["Đăk Hà", "Kon Tum"]
    assert (row["official_members"], row["n_members_stated"]) == (12, 1)
    assert row["weight_basis"] == "paid_value"
    assert row["executed_share"] == pytest.approx(600 / 900)
    assert (row["largest_buyer_id"], row["largest_buyer_share"]) == ("T", pytest.approx(500 / 580))
    assert [t["org_id"] for t in row["top_enterprises"]] == ["P", "T"]
    assert row["top_enterprises"][0]["value_vnd"] == 580
    assert row["stages_present"] == ["production", "processing", "consumption"]
    assert row["stages_missing"] == ["inputs"]
    assert (row["n_source_rows"], row["n_source_files"]) == (3, 1)
    assert row["inside_share"] == 1


def test_without_values_shares_count_links_and_say_so() -> None:
    f = _frames(values=False)
    row = (
        describe.clusters(**f)
        .filter(pl.col("cluster_id") == _cluster_of(f, "P"))
        .row(0, named=True)
    )
    assert row["weight_basis"] == "links"
    assert (row["contracted_value_vnd"], row["paid_value_vnd"]) == (None, None)
    assert row["executed_share"] is None  # nothing is said of deliveries or payments
    assert {"no_values", "execution_not_stated"} <= set(row["notes"])
    assert (row["largest_buyer_id"], row["largest_buyer_share"]) == ("P", pytest.approx(2 / 3))


def test_members_carry_value_in_the_cluster_and_their_rows() -> None:
    f = _frames()
    rows = {r["org_id"]: r for r in describe.cluster_members(**f).iter_rows(named=True)}
    assert (rows["P"]["value_in_vnd"], rows["P"]["value_out_vnd"], rows["P"]["n_linkages"]) == (
        80,
        500,
        3,
    )
    assert rows["h2"]["value_out_vnd"] is None
    assert rows["h1"]["source_ids"] == ["b:s:1", "fcoffee:s:0", "r:s:h1"]


def test_members_of_the_clusters_are_those_of_the_communities() -> None:
    f = _frames()
    table, members = describe.clusters(**f), describe.cluster_members(**f)
    assert members.height == f["communities"].height == table["n_organisations"].sum()
    kinds = ("n_cooperatives", "n_unions", "n_cooperative_groups", "n_enterprises", "n_other")
    assert sum(table.select(kinds).sum().row(0)) == members.height


def test_cooperatives_unions_and_groups_are_counted_apart() -> None:
    f = _frames()
    for kind, counted in (
        ("htx", (2, 0, 0, 0)),
        ("lhhtx", (1, 1, 0, 0)),
        ("tht", (1, 0, 1, 0)),
        (None, (1, 0, 0, 1)),
    ):
        nodes = f["nodes"].with_columns(
            pl.when(pl.col("org_id") == "h1")
            .then(pl.lit(kind, dtype=pl.String))
            .otherwise("legal_type")
            .alias("legal_type")
        )
        row = (
            describe.clusters(**{**f, "nodes": nodes})
            .filter(pl.col("cluster_id") == _cluster_of(f, "P"))
            .row(0, named=True)
        )
        assert (
            row["n_cooperatives"],
            row["n_unions"],
            row["n_cooperative_groups"],
            row["n_other"],
        ) == counted
        assert row["n_enterprises"] == 2
        assert "no_cooperative" not in row["notes"]


def test_only_a_cluster_without_any_of_the_three_is_said_to_have_no_cooperative() -> None:
    f = _frames()
    for kind, is_said in (("tht", False), ("household_business", True)):
        nodes = f["nodes"].with_columns(
            pl.when(pl.col("legal_type") == "enterprise")
            .then("legal_type")
            .otherwise(pl.lit(kind))
            .alias("legal_type")
        )
        row = (
            describe.clusters(**{**f, "nodes": nodes})
            .filter(pl.col("cluster_id") == _cluster_of(f, "P"))
            .row(0, named=True)
        )
        assert ("no_cooperative" in row["notes"]) is is_said


def test_two_clusters_of_one_name_are_told_apart() -> None:
    links = pl.DataFrame(
        {
            "period": "2024",
            "supplier_id": ["a", "c"],
            "buyer_id": ["b", "d"],
            "product_code": "cocoa",
            "evidence": "active",
        }
    )
    edges = network.edges(TABLES["linkages"].conform(links))
    nodes = network.nodes(TABLES["organisations"].empty(), edges)
    table = describe.clusters(
        nodes, edges, detect.communities(edges), TABLES["cooperative_reports"].empty()
    )
    assert table["cluster_name_vi"].n_unique() == 2
    assert table["cluster_name_en"].n_unique() == 2


def test_an_id_follows_from_the_members_alone() -> None:
    f = _frames()
    one = f["communities"]
    later = f["edges"].with_columns(
        period=pl.lit("2025"), paid_value_vnd=pl.col("paid_value_vnd") * 2
    )
    assert set(detect.communities(later)["cluster_id"]) == set(one["cluster_id"])
    assert one["cluster_id"].str.contains(r"^c-[0-9a-f]{10}$").all()
    assert detect.components(f["edges"])["component_id"].str.contains(r"^w-[0-9a-f]{10}$").all()


def test_the_search_leaves_pythons_random_state_alone() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    detect.communities(_frames()["edges"])
    assert random.random() == expected


def test_planned_linkages_make_no_community() -> None:
    planned = _frames()["edges"].with_columns(evidence=pl.lit("planned"))
    assert detect.communities(planned).is_empty()
    assert detect.communities(planned, evidence="planned").height == 6


def _criterion(
    name: str, cluster: str = "P", frames: dict[str, pl.DataFrame] | None = None
) -> dict[str, object]:
    f = frames or _frames()
    made = cluster_criteria(f["nodes"], f["edges"], f["communities"])
    return made.filter(
        pl.col("cluster_id") == _cluster_of(f, cluster), pl.col("criterion") == name
    ).row(0, named=True)


def test_a_path_from_producer_over_processor_to_buyer_is_found_or_missed() -> None:
    assert _criterion("has_path", "P")["is_passed"] is True
    assert _criterion("has_path", "B")["is_passed"] is False
    f = _frames()
    f["edges"] = f["edges"].filter(pl.col("supplier_id") != "P")  # the processor no longer sells
    f["communities"] = f["communities"].filter(pl.col("org_id") != "T")
    assert _criterion("has_path", "P", f)["is_passed"] is False


def test_legal_tests_carry_threshold_source_and_standing() -> None:
    few = _criterion("n_enterprises")
    assert (few["is_passed"], few["value"], few["threshold"], few["is_verified"]) == (
        False,
        2.0,
        10.0,
        True,
    )
    assert few["document"] == "Nghị định 80/2021/NĐ-CP"
    assert _criterion("hub_present")["is_passed"] is True
    assert _criterion("hub_present", "B")["is_passed"] is False
    area = _criterion("area")
    assert (area["value"], area["threshold"], area["is_passed"], area["is_verified"]) == (
        600.0,
        300.0,
        True,
        False,
    )


def test_what_the_data_cannot_show_is_undefined_not_failed() -> None:
    support = _criterion("has_support_org")
    assert (support["is_passed"], support["reason"]) == (None, "not_recorded")
    province = _criterion("within_one_province")
    assert (province["is_passed"], province["reason"]) == (None, "place_not_stated")


def test_one_province_is_judged_by_versioned_codes() -> None:
    f = _frames()
    # The two codes lie in former Kon Tum and in old Quảng Ngãi: two provinces before July 2025, one after.
    for version, provinces in (("2024", 2.0), ("2025-07-01", 1.0)):
        nodes = f["nodes"].with_columns(
            admin_version=pl.lit(version),
            admin_code=pl.when(pl.col("stage") == "production")
            .then(pl.lit("23500"))
            .otherwise(pl.lit("21172")),
        )
        made = _criterion("within_one_province", "P", {**f, "nodes": nodes})
        assert (made["value"], made["is_passed"]) == (provinces, provinces == 1.0)


def test_stages_of_a_chain_in_a_locality_say_what_comes_from_elsewhere() -> None:
    f = _frames()
    made = completeness.chain_stages(f["edges"], f["nodes"])
    here = {
        r["stage"]: r
        for r in made.filter(
            pl.col("locality") == "Đăk Hà", pl.col("product_code") == "coffee"
        ).iter_rows(named=True)
    }
    assert here["production"]["presence_basis"] == "organisation"
    assert (here["processing"]["presence_basis"], here["processing"]["is_served_from_outside"]) == (
        "linkage",
        True,
    )
    assert here["inputs"]["is_present"] is False


def test_the_bottleneck_is_where_the_linkages_are_narrowest() -> None:
    f = _frames()
    made = {
        r["product_code"]: r
        for r in completeness.bottlenecks(f["edges"], f["nodes"]).iter_rows(named=True)
    }
    coffee = made["coffee"]
    assert (coffee["supply"], coffee["demand"], coffee["max_flow"]) == (40.0, 50.0, 40.0)
    assert (coffee["from_stage"], coffee["to_stage"], coffee["n_cut_edges"]) == (
        "production",
        "processing",
        2,
    )
    limit = pl.DataFrame(
        {"period": ["2024"], "org_id": ["P"], "product_code": ["coffee"], "capacity_tonnes": [15.0]}
    )
    narrow = (
        completeness.bottlenecks(f["edges"], f["nodes"], capacities=limit)
        .filter(pl.col("product_code") == "coffee")
        .row(0, named=True)
    )
    assert (narrow["max_flow"], narrow["from_stage"], narrow["to_stage"]) == (
        15.0,
        "processing",
        "processing",
    )
    capacity = completeness.processing_capacity(f["edges"], f["nodes"], limit).filter(
        pl.col("product_code") == "coffee"
    )
    assert capacity["capacity_share"].item() == pytest.approx(15 / 40)


def test_a_chain_without_quantities_has_no_bottleneck_and_says_why() -> None:
    f = _frames()
    silent = f["edges"].with_columns(contracted_tonnes=pl.lit(None, dtype=pl.Float64))
    made = completeness.bottlenecks(silent, f["nodes"])
    assert set(made["reason"]) == {"quantity_not_stated"}
    assert made["max_flow"].null_count() == 2


def test_nothing_in_nothing_out() -> None:
    f = _frames()
    empty = {k: v.clear() for k, v in f.items()}
    assert describe.clusters(**empty).schema == pl.Schema(describe.CLUSTER_SCHEMA)
    assert describe.cluster_members(**empty).is_empty()
    assert describe.cluster_stages(empty["nodes"], empty["edges"], empty["communities"]).is_empty()
    assert cluster_criteria(empty["nodes"], empty["edges"], empty["communities"]).is_empty()
    assert chain.chain_flows(empty["edges"], empty["nodes"], empty["communities"]).is_empty()
    assert completeness.chain_stages(empty["edges"], empty["nodes"]).is_empty()
    assert completeness.bottlenecks(empty["edges"], empty["nodes"]).is_empty()
    assert completeness.processing_capacity(empty["edges"], empty["nodes"]).is_empty()
    assert lineage(empty["communities"], f["communities"])["jaccard"].sum() == 0


def test_decomposition_adds_up_and_keeps_late_reporting_apart() -> None:
    def year(rows: list[tuple[str, int | None]]) -> pl.DataFrame:
        return pl.DataFrame(
            {"supplier_id": "a", "buyer_id": [b for b, _ in rows], "product_code": "p", "evidence": "signed", "contracted_value_vnd": [v for _, v in rows]},
            schema_overrides={"contracted_value_vnd": pl.Int64},
        )  # fmt: skip

    made = change.decomposition(
        year([("v", 1), ("x", 10), ("y", None), ("z", 9)]),
        year([("v", 6), ("x", 4), ("y", 7), ("w", 5)]),
    ).row(0, named=True)
    assert (made["entry"], made["exit"], made["more"], made["less"], made["reporting"]) == (
        5,
        -9,
        5,
        -6,
        7,
    )
    assert (
        made["before"] + sum(made[k] for k in ("entry", "exit", "more", "less", "reporting"))
        == made["after"]
    )
    assert made["change"] == made["after"] - made["before"]
