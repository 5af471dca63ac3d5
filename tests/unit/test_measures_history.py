"""Clusters and localities through the years: lineages by hand, members followed back, what is withheld."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from htx_pipeline.clusters import describe
from htx_pipeline.graph import network
from htx_pipeline.metrics.history import (
    CLUSTER_HISTORY_SCHEMA,
    LINEAGES,
    cluster_history,
    lineage,
    locality_history,
)
from htx_pipeline.schemas import TABLES


def clusters(**members: str) -> pl.DataFrame:
    rows = [(m, c) for c, names in members.items() for m in names]
    return pl.DataFrame(rows, schema={"org_id": pl.String, "cluster_id": pl.String}, orient="row")


def labels(made: pl.DataFrame) -> dict[str, Any]:
    return {c: (m, k) for c, m, k in made.select("cluster_id", "matched_cluster_id", "lineage").iter_rows()}  # fmt: skip


def test_every_lineage_is_told_apart() -> None:
    before = clusters(same="abcd", left="ef", right="gh", whole="ijkl", lost="mn", cut="opqrstuv")
    after = clusters(
        SAME="abcdx", BOTH="efgh", ONE="ij", TWO="kl", NEW="yz", MIXED="orm", REST="pqst3456"
    )
    made = lineage(before, after, min_jaccard=0.3)
    assert labels(made) == {
        "SAME": ("same", "continued"),
        "BOTH": ("left", "merged"),
        "ONE": ("whole", "split"),
        "TWO": ("whole", "split"),
        "NEW": (None, "born"),
        "MIXED": (None, "regrouped"),
        "REST": ("cut", "continued"),
        "lost": (None, "gone"),
    }
    assert set(made["lineage"]) == set(LINEAGES)
    jaccard = dict(made.select("cluster_id", "jaccard").iter_rows())
    assert jaccard == pytest.approx({"SAME": 0.8, "BOTH": 0.5, "ONE": 0.5, "TWO": 0.5, "NEW": 0.0,
                                     "MIXED": 0.25, "REST": 4 / 12, "lost": 0.25})  # fmt: skip


def test_no_match_is_made_below_the_threshold_and_the_overlap_is_still_told() -> None:
    made = lineage(clusters(a="uvwx"), clusters(b="uyz1"), min_jaccard=0.3)
    assert labels(made) == {"b": (None, "born"), "a": (None, "gone")}
    assert set(made["jaccard"]) == {1 / 7}
    assert labels(lineage(clusters(a="uvwx"), clusters(b="uyz1"), min_jaccard=1 / 7))["b"] == (
        "a",
        "continued",
    )


def test_neither_row_order_nor_the_ids_of_clusters_change_a_lineage() -> None:
    before, after = clusters(a="abcd", b="efgh"), clusters(c="abce", d="dfgh", e="xy")
    made = lineage(before, after)
    assert lineage(before.reverse(), after.sample(fraction=1, shuffle=True, seed=3)).equals(made)
    names = {"a": "z9", "b": "a1", "c": "m", "d": "b", "e": "q"}
    renamed = lineage(
        before.with_columns(pl.col("cluster_id").replace(names)),
        after.with_columns(pl.col("cluster_id").replace(names)),
    )
    again = made.with_columns(pl.col("cluster_id", "matched_cluster_id").replace(names))
    assert renamed.equals(again.sort("cluster_id", "lineage"))


# Two years: a cluster of three that was two, one that is gone, and one whose members had no linkage.
LINKS = [
    ("2024", "a", "x", "executed", 10, 8),
    ("2024", "p", "q", "signed", 99, None),
    ("2024", "a", "q", "planned", 500, None),
    ("2025", "a", "x", "executed", 20, 30),
    ("2025", "b", "x", "signed", 20, None),
    ("2025", "m", "n", "signed", 7, None),
]
MEMBERS = {
    "2024": {"a": "c-old", "x": "c-old", "p": "c-gone", "q": "c-gone"},
    "2025": {"a": "c-now", "b": "c-now", "x": "c-now", "m": "c-new", "n": "c-new"},
}


def world(
    scale: int = 1, organisations: str = "abxmnpq"
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    table = pl.DataFrame(
        [(*r[:4], r[4] * scale, None if r[5] is None else r[5] * scale) for r in LINKS],
        schema=["period", "supplier_id", "buyer_id", "evidence", "contracted_value_vnd", "paid_value_vnd"],
        orient="row",
    ).with_columns(pl.lit("coffee").alias("product_code"))  # fmt: skip
    edges = network.edges(TABLES["linkages"].conform(table))
    known = [
        (y, o, "htx" if o in "abmnp" else "enterprise")
        for y in ("2024", "2025")
        for o in organisations
    ]
    register = pl.DataFrame(known, schema=["period", "org_id", "legal_type"], orient="row")  # fmt: skip
    nodes = network.nodes(TABLES["organisations"].conform(register), edges)
    rows = [(y, o, c) for y, of in MEMBERS.items() for o, c in of.items()]
    communities = pl.DataFrame(rows, schema=["period", "org_id", "cluster_id"], orient="row")
    return nodes, edges, communities


def reports(*rows: tuple[str, str, int | None, int | None]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, orient="row",
        schema={"period": pl.String, "org_id": pl.String, "official_members": pl.Int64, "member_income_vnd": pl.Int64},
    )  # fmt: skip
    return TABLES["cooperative_reports"].conform(frame)


NO_REPORTS = reports()


def test_members_are_followed_back_and_gone_clusters_are_measured_by_their_own() -> None:
    made = cluster_history(*world(), NO_REPORTS, period="2025", min_jaccard=0.3)
    columns = ["cluster_id", "year", "n_organisations", "n_cooperatives", "n_linkages", "contracted_value_vnd",
               "paid_value_vnd", "executed_share", "matched_cluster_id", "lineage"]  # fmt: skip
    assert made.select(columns).rows() == [
        ("c-gone", "2024", 2, 1, 1, 99, None, None, None, "gone"),
        ("c-new", "2024", 2, 2, 0, 0, 0, None, None, "born"),
        ("c-new", "2025", 2, 2, 1, 7, None, None, "c-new", None),
        ("c-now", "2024", 3, 2, 1, 10, 8, 1.0, "c-old", "continued"),
        ("c-now", "2025", 3, 2, 2, 40, 30, 0.5, "c-now", None),
    ]
    assert made.schema == CLUSTER_HISTORY_SCHEMA


def test_an_organisation_not_known_in_a_year_is_not_counted_there() -> None:
    made = cluster_history(*world(organisations="axpq"), NO_REPORTS, period="2025")
    counted = made.filter(pl.col("cluster_id").is_in(["c-now", "c-new"]))
    assert counted.select("cluster_id", "year", "n_organisations").rows() == [
        ("c-new", "2024", 0), ("c-new", "2025", 2), ("c-now", "2024", 2), ("c-now", "2025", 3),
    ]  # fmt: skip


def test_later_years_are_not_looked_at() -> None:
    nodes, edges, communities = world()
    made = cluster_history(nodes, edges, communities, NO_REPORTS, period="2024")
    upto = [f.filter(pl.col("period") == "2024") for f in (nodes, edges, communities)]
    assert made.equals(cluster_history(*upto, NO_REPORTS, period="2024"))
    assert set(made["year"]) == {"2024"}


def test_the_row_of_the_period_says_what_the_table_of_clusters_says() -> None:
    nodes, edges, communities = world()
    made = cluster_history(nodes, edges, communities, NO_REPORTS, period="2025")
    table = describe.clusters(nodes, edges, communities, NO_REPORTS)
    both = made.filter(pl.col("year") == "2025").join(table, on=["period", "cluster_id"])
    assert both.height == 2
    for column in ("n_organisations", "n_cooperatives", "n_linkages", "contracted_value_vnd", "executed_share"):  # fmt: skip
        assert both[column].to_list() == both[f"{column}_right"].to_list()


def test_a_year_without_linkages_has_null_not_zero() -> None:
    nodes, edges, communities = world()
    later = [f.filter(pl.col("period") == "2025") for f in (edges, communities)]
    made = cluster_history(nodes, *later, NO_REPORTS, period="2025")
    then = made.filter(pl.col("year") == "2024")
    assert set(then["n_organisations"]) == {2, 3}
    for column in (
        "n_linkages",
        "contracted_value_vnd",
        "delivered_tonnes",
        "executed_share",
        "jaccard",
        "lineage",
    ):
        assert then[column].null_count() == then.height == 2


def test_an_income_of_too_few_cooperatives_is_withheld_and_the_mean_weighs_members() -> None:
    told = reports(("2025", "a", 10, 30), ("2025", "b", 30, 50), ("2025", "x", None, 70))
    for least, expected in ((2, 45.0), (3, None)):
        made = cluster_history(*world(), told, period="2025", min_disclosure_count=least)
        row = made.filter(pl.col("cluster_id") == "c-now", pl.col("year") == "2025")
        assert row.select("n_member_income", "member_income_vnd").row(0) == (2, expected)


def test_other_units_of_money_leave_shares_and_lineages_as_they_are() -> None:
    one, thousand = (cluster_history(*world(s), NO_REPORTS, period="2025") for s in (1, 1000))
    for column in ("executed_share", "jaccard", "lineage", "n_linkages"):
        assert one[column].to_list() == thousand[column].to_list()
    assert (one["contracted_value_vnd"] * 1000).to_list() == thousand["contracted_value_vnd"].to_list()  # fmt: skip


def test_row_order_changes_nothing_in_a_history() -> None:
    nodes, edges, communities = world()
    made = cluster_history(nodes, edges, communities, NO_REPORTS, period="2025")
    again = cluster_history(
        nodes.reverse(), edges.reverse(), communities.reverse(), NO_REPORTS, period="2025"
    )
    assert again.equals(made)


def test_a_period_without_clusters_has_no_history() -> None:
    nodes, edges, communities = world()
    made = cluster_history(nodes, edges, communities.clear(), NO_REPORTS, period="2025")
    assert made.is_empty()
    assert made.schema == CLUSTER_HISTORY_SCHEMA


def test_a_locality_has_a_row_in_each_year_and_the_years_add_up() -> None:
    rows = pl.DataFrame(
        [("2024", "X", 4, 3, 1, 0, 10, 5, 50), ("2025", "X", 4, 4, 2, 1, 20, None, 60), ("2025", "Y", 0, 0, 0, 0, None, None, None),
         ("2026", "X", 9, 9, 9, 9, 9, 9, 9)],
        schema=["period", "locality", "n_cooperatives", "n_reported", "n_linked_signed", "n_linked_executed",
                "contracted_value_vnd", "paid_value_vnd", "revenue_vnd"],
        orient="row",
    )  # fmt: skip
    made = locality_history(rows, period="2025")
    assert made.select("locality", "year", "n_cooperatives", "reported_share").rows() == [
        ("X", "2024", 4, 0.75), ("X", "2025", 4, 1.0), ("Y", "2024", None, None), ("Y", "2025", 0, None),
    ]  # fmt: skip
    by_year = dict(made.group_by("year").agg(pl.col("contracted_value_vnd").sum()).iter_rows())
    assert by_year == {"2024": 10, "2025": 20}
