"""What changed since the period before, and ranks that do not pretend to know more than they do."""

from __future__ import annotations

import polars as pl
import pytest

from htx_pipeline.graph.network import edges as edges_of
from htx_pipeline.metrics.communes import communes, current_communes
from htx_pipeline.metrics.localities import localities
from htx_pipeline.metrics.ranking import careful_ranks
from htx_pipeline.metrics.standing import STANDING_SCHEMA, standing_changes
from htx_pipeline.schemas import TABLES


def organisations(*rows: tuple[str, str, str], **more: list) -> pl.DataFrame:
    """Return cooperatives from (period, id, locality)."""
    periods, ids, places = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {"period": periods, "org_id": ids, "name": [f"HTX {i}" for i in ids], "legal_type": ["htx"] * len(ids),
         "locality": places, **more}
    )  # fmt: skip
    return TABLES["organisations"].conform(frame)


def linkages(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    """Return edges from (period, seller, buyer, evidence)."""
    periods, sellers, buyers, levels = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {"period": periods, "linkage_id": [f"L{i}" for i in range(len(rows))], "supplier_id": sellers, "buyer_id": buyers,
         "product_code": ["coffee_robusta"] * len(rows), "evidence": levels, "has_consumption": [True] * len(rows)}
    )  # fmt: skip
    return edges_of(TABLES["linkages"].conform(frame))


def said(changes: pl.DataFrame) -> set[tuple[str, str, str]]:
    return set(changes.select("subject", "subject_id", "change").rows())


def test_without_an_earlier_period_nothing_has_changed() -> None:
    frames = {"core/organisations": organisations(("2024", "a", "X"))}
    made = standing_changes(frames, period="2024")
    assert made.is_empty()
    assert dict(made.schema) == STANDING_SCHEMA


def test_a_cooperative_that_comes_goes_climbs_or_falls_is_named_once() -> None:
    frames = {
        "core/organisations": organisations(
            *(("2023", i, "X") for i in "abcd"), *(("2024", i, "X") for i in "bcde")
        ),
        "graph/edges": linkages(
            ("2023", "b", "c", "signed"), ("2023", "d", "c", "executed"), ("2024", "b", "c", "executed")
        ),
    }  # fmt: skip
    made = standing_changes(frames, period="2024")
    assert said(made) == {
        ("cooperative", "a", "gone"), ("cooperative", "e", "new"), ("cooperative", "b", "improved"),
        ("cooperative", "d", "worse"),
    }  # fmt: skip
    fallen = made.filter(pl.col("subject_id") == "d").row(0, named=True)
    assert (fallen["before"], fallen["after"], fallen["unit"]) == (4.0, 0.0, "evidence_level")


def test_the_period_compared_with_is_the_latest_earlier_one() -> None:
    frames = {
        "core/organisations": organisations(("2022", "a", "X"), ("2023", "b", "X"), ("2025", "b", "X"))
    }  # fmt: skip
    made = standing_changes(frames, period="2025")
    assert made.is_empty()


def test_who_reported_before_and_is_silent_now_is_flagged_and_the_always_silent_is_not() -> None:
    roster = pl.DataFrame(
        {"period": ["2024"] * 3, "org_id": ["a", "b", "c"], "name": ["A", "B", "C"], "locality": ["X"] * 3,
         "status": ["missing", "missing", "on_time"], "has_reported_before": [True, False, True]}
    )  # fmt: skip
    frames = {
        "core/organisations": organisations(*((p, i, "X") for p in ("2023", "2024") for i in "abc")),
        "metrics/reporting_roster": roster,
    }  # fmt: skip
    assert said(standing_changes(frames, period="2024")) == {("cooperative", "a", "newly_flagged")}


def cluster(period: str, cluster_id: str, paid: int, buyer: float, missing: list[str]) -> dict:
    return {
        "period": period, "cluster_id": cluster_id, "cluster_name_vi": f"Cụm {cluster_id}", "paid_value_vnd": paid,
        "contracted_value_vnd": paid, "largest_buyer_share": buyer, "stages_missing": missing,
    }  # fmt: skip


def test_a_cluster_is_followed_by_its_members_not_by_its_id() -> None:
    communities = pl.DataFrame(
        {"period": ["2023"] * 4 + ["2024"] * 5, "org_id": list("abxy") + list("abcpq"),
         "cluster_id": ["k1", "k1", "k2", "k2", "k9", "k9", "k9", "k8", "k8"]}
    )  # fmt: skip
    clusters = pl.DataFrame(
        [cluster("2023", "k1", 100, 0.4, []), cluster("2023", "k2", 50, 0.4, []),
         cluster("2024", "k9", 150, 0.6, ["processing"]), cluster("2024", "k8", 10, 0.2, [])]
    )  # fmt: skip
    frames = {
        "core/organisations": organisations(("2023", "a", "X"), ("2024", "a", "X")),
        "graph/communities": communities,
        "metrics/clusters": clusters,
    }
    made = standing_changes(frames, period="2024").filter(pl.col("subject") == "cluster")
    assert set(made.select("subject_id", "change", "measure").rows()) == {
        ("k9", "improved", "paid_value_vnd"), ("k9", "newly_flagged", "largest_buyer_share"),
        ("k9", "newly_flagged", "stages_missing"), ("k8", "new", "cluster"), ("k2", "gone", "cluster"),
    }  # fmt: skip


def test_a_small_difference_of_value_is_neither_better_nor_worse() -> None:
    communities = pl.DataFrame(
        {"period": ["2023", "2024"], "org_id": ["a", "a"], "cluster_id": ["k1", "k2"]}
    )
    frames = {
        "core/organisations": organisations(("2023", "a", "X"), ("2024", "a", "X")),
        "graph/communities": communities,
        "metrics/clusters": pl.DataFrame(
            [cluster("2023", "k1", 100, 0.6, []), cluster("2024", "k2", 109, 0.6, [])]
        ),
    }
    assert standing_changes(frames, period="2024").is_empty()


def test_tasks_are_followed_by_wording_and_place() -> None:
    tasks = pl.DataFrame(
        {"period": ["2023", "2023", "2024", "2024"], "document": ["KH 23", "KH 23", "KH 24", "KH 24"],
         "task_number": ["1", "2", "7", "8"], "task": ["Đào tạo", "Củng cố", "Đào tạo", "Củng cố"], "locality": ["X"] * 4,
         "status": ["in_progress", "in_progress", "done", "late"], "progress_share": [0.2, 0.4, 1.0, 0.3]}
    )  # fmt: skip
    frames = {
        "core/organisations": organisations(("2023", "a", "X"), ("2024", "a", "X")),
        "core/plan_tasks": tasks,
    }
    made = standing_changes(frames, period="2024")
    assert set(made.select("label", "change").rows()) == {
        ("Đào tạo", "improved"),
        ("Củng cố", "newly_flagged"),
    }


def test_shuffled_rows_say_the_same() -> None:
    frames = {
        "core/organisations": organisations(
            *(("2023", i, "X") for i in "abcd"), *(("2024", i, "Y") for i in "bcdef")
        ),
        "graph/edges": linkages(("2023", "b", "c", "signed"), ("2024", "b", "c", "executed"), ("2024", "d", "c", "active")),
    }  # fmt: skip
    mixed = {k: f.sample(fraction=1, shuffle=True, seed=3) for k, f in frames.items()}
    assert standing_changes(mixed, period="2024").equals(standing_changes(frames, period="2024"))


# ------------------------------------------------------------------ ranks


def test_a_small_locality_does_not_lead_by_luck() -> None:
    frame = pl.DataFrame(
        {"place": ["big", "tiny", "low"], "low": [0.55, 0.2, 0.01], "high": [0.65, 1.0, 0.1],
         "n": [100, 1, 80], "n_known": [100, 1, 80]}
    )  # fmt: skip
    made = careful_ranks(frame, low="low", high="high", n="n", n_known="n_known")
    assert made.select("place", "rank_best", "rank_worst").rows() == [
        ("big", 1, 2),
        ("tiny", 1, 2),
        ("low", 3, 3),
    ]


def test_a_locality_that_misses_much_is_not_ranked_and_does_not_push_others() -> None:
    frame = pl.DataFrame({"low": [0.9, 0.5], "high": [1.0, 0.6], "n": [10, 10], "n_known": [2, 10]})
    made = careful_ranks(frame, low="low", high="high", n="n", n_known="n_known")
    assert made["rank_best"].to_list() == [None, 1]
    assert made["rank_reason"].to_list() == ["too_much_missing", None]
    assert made["missing_share"][0] == pytest.approx(0.8)


def test_nothing_to_rank_gives_no_rank() -> None:
    frame = pl.DataFrame(
        {"low": [None, 0.1], "high": [None, 0.4], "n": [0, 5], "n_known": [0, 5]},
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )
    made = careful_ranks(frame, low="low", high="high", n="n", n_known="n_known")
    assert made.select("rank_best", "rank_worst", "missing_share", "rank_reason").rows() == [
        (None, None, None, "not_defined"),
        (1, 1, 0.0, None),
    ]


# ------------------------------------------------------------------ communes


def test_old_and_new_codes_of_one_place_meet_in_one_commune() -> None:
    """23504 is Xã Đăk Long in 2024 and Xã Đăk Pxi, which holds both old communes, from July 2025."""
    rows = organisations(
        *(("2025", i, "Huyện Đăk Hà") for i in "abcd"),
        admin_code=["23503", "23504", "23504", None],
        admin_version=["2024", "2024", "2026-04-30", None],
    )
    assert current_communes(rows)["commune_code"].to_list() == ["23504", "23504", "23504", None]


def test_a_split_commune_is_not_guessed() -> None:
    from htx_pipeline.reference.admin_units.tables import admin_links

    links = admin_links(from_version="2024", to_version="2026-04-30")
    split = links.filter(pl.len().over("from_code") > 1)["from_code"].sort()[0]
    rows = organisations(("2024", "a", "X"), admin_code=[split], admin_version=["2024"])
    assert current_communes(rows)["commune_code"].to_list() == [None]
    made = communes(
        rows, TABLES["cooperative_reports"].empty(), edges_of(TABLES["linkages"].empty())
    )
    assert made.select("commune_code", "n_cooperatives").rows() == [(None, 1)]


def test_communes_add_up_to_the_localities() -> None:
    rows = organisations(
        *(("2024", i, "Huyện Đăk Hà") for i in "abc"), ("2024", "d", "Thành phố Kon Tum"),
        admin_code=["23503", "23500", "23521", "23281"], admin_version=["2024"] * 4,
    )  # fmt: skip
    links = linkages(("2024", "a", "b", "executed"), ("2024", "d", "c", "signed"))
    reports = TABLES["cooperative_reports"].empty()
    small, large = communes(rows, reports, links), localities(rows, reports, links)
    by_district = (
        small.group_by("locality")
        .agg(pl.col("n_cooperatives", "n_linked_signed", "n_linkages").sum())
        .sort("locality")
    )
    assert (
        by_district.rows()
        == large.select("locality", "n_cooperatives", "n_linked_signed", "n_linkages").rows()
    )
