"""Who has not reported: expected units against what arrived."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from htx_pipeline.metrics.reporting import (
    LOCALITY_SCHEMA,
    REASONS,
    REQUIRED_FIGURES,
    ROSTER_SCHEMA,
    STATUSES,
    missing_that_reported_before,
    reporting_roster,
    roster_localities,
)
from htx_pipeline.reference.deadlines import DEADLINES, deadline_of
from htx_pipeline.schemas import TABLES
from htx_pipeline.settings import PERIODS

FIGURES = dict.fromkeys(REQUIRED_FIGURES, 1)


def units(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {
        "period": "2024",
        "legal_type": "htx",
        "status": "active",
        "is_registered": True,
        "locality": "Đăk Hà",
        "registered_on": date(2015, 5, 1),
    }
    made = [{**base, "name": f"HTX {r['org_id']}", **r} for r in rows]
    return TABLES["organisations"].conform(pl.DataFrame(made, infer_schema_length=None))


def sent(*rows: dict[str, Any], period: str = "2024") -> pl.DataFrame:
    base = {
        "period": period,
        "reported_on": date(2024, 12, 10),
        "source_file": "a.xlsx",
        "source_sheet": "S",
        **FIGURES,
    }
    made = [{**base, "source_id": f"x:{i}", "source_row": i, **r} for i, r in enumerate(rows, 8)]
    return TABLES["cooperative_reports"].conform(pl.DataFrame(made, infer_schema_length=None))


NONE = TABLES["cooperative_reports"].empty()


def one(unit: dict[str, Any], report: dict[str, Any] | None, **how: Any) -> dict[str, Any]:
    reports = NONE if report is None else sent({"org_id": "a", **report})
    return reporting_roster(units({"org_id": "a", **unit}), reports, period="2024", **how).row(
        0, named=True
    )


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ({"status": "dissolved"}, "dissolved"),
        ({"dissolved_on": date(2024, 12, 14)}, "dissolved"),
        ({"status": "suspended"}, "suspended"),
        ({"registered_on": date(2023, 12, 16)}, "younger_than_period"),
        ({"registered_on": date(2025, 3, 1)}, "younger_than_period"),
    ],
)
def test_a_unit_that_need_not_report_is_not_missing(unit: dict[str, Any], reason: str) -> None:
    found = one(unit, None)
    assert (found["status"], found["reason"], found["is_expected"]) == (
        "not_expected",
        reason,
        False,
    )


@pytest.mark.parametrize(
    "unit",
    [
        {},
        {"status": None},
        {"status": "unknown"},
        {"status": "dissolving"},
        {"registered_on": None},
        {"registered_on": date(2023, 12, 15)},
        {"dissolved_on": date(2024, 12, 15)},
        {"legal_type": "lhhtx"},
    ],
)
def test_everybody_else_in_the_register_is_missing_without_a_report(unit: dict[str, Any]) -> None:
    found = one(unit, None)
    assert (found["status"], found["reason"], found["is_expected"]) == (
        "missing",
        "no_report",
        True,
    )
    assert found["source_file"] is None


@pytest.mark.parametrize(
    "unit",
    [
        {"legal_type": "enterprise"},
        {"legal_type": "tht"},
        {"is_registered": False},
        {"period": "2023"},
    ],
)
def test_who_does_not_report_is_not_on_the_roster(unit: dict[str, Any]) -> None:
    assert reporting_roster(units({"org_id": "a", **unit}), NONE, period="2024").is_empty()


@pytest.mark.parametrize(
    ("report", "status", "days"),
    [
        ({"reported_on": date(2024, 12, 15)}, "on_time", None),
        ({"reported_on": date(2024, 12, 16)}, "late", 1),
        ({"reported_on": date(2025, 1, 14)}, "late", 30),
        ({"reported_on": None}, "undated", None),
        ({"revenue_vnd": None}, "partial", None),
        ({"revenue_vnd": None, "reported_on": date(2024, 12, 20)}, "partial", 5),
        ({"profit_before_tax_vnd": 0}, "on_time", None),
    ],
)
def test_a_report_is_on_time_late_undated_or_partial(
    report: dict[str, Any], status: str, days: int | None
) -> None:
    found = one({}, report)
    assert (found["status"], found["days_late"]) == (status, days)
    assert (found["source_file"], found["source_row"]) == ("a.xlsx", 8)


def test_the_missing_figures_are_named() -> None:
    found = one({}, {"official_members": None, "total_capital_vnd": None})
    assert found["missing_figures"] == "official_members; total_capital_vnd"
    assert one({}, {"official_members": None}, required=["revenue_vnd"])["status"] == "on_time"


def test_a_report_that_was_rejected_has_come_and_is_partial() -> None:
    known = units({"org_id": "a"}, {"org_id": "b"})
    rejected = sent({"org_id": "a"}, {"org_id": "b"})
    roster = reporting_roster(known, sent({"org_id": "b"}), rejected=rejected, period="2024")
    assert roster.select("org_id", "status", "reason").rows() == [
        ("a", "partial", "rejected"),
        ("b", "on_time", None),
    ]


def test_arrival_counts_where_the_report_states_no_date() -> None:
    received = pl.DataFrame(
        {"source_file": ["a.xlsx", "a.xlsx"], "received_on": [date(2025, 1, 4), date(2024, 12, 25)]}
    )
    assert one({}, {"reported_on": None}, received=received)["days_late"] == 10
    assert one({}, {"reported_on": date(2024, 12, 1)}, received=received)["status"] == "on_time"


def test_a_unit_that_need_not_report_and_did_keeps_the_status_of_its_report() -> None:
    found = one({"registered_on": date(2024, 3, 1)}, {"reported_on": date(2024, 12, 20)})
    assert (found["status"], found["is_expected"]) == ("late", False)


def test_the_deadline_may_be_given_and_is_otherwise_the_legal_one() -> None:
    report = {"reported_on": date(2025, 1, 10)}
    assert one({}, report)["due_on"] == date(2024, 12, 15)
    assert one({}, report, deadline=date(2025, 1, 15))["status"] == "on_time"
    assert deadline_of("2017").on("2017") == date(2018, 1, 15)
    assert all(deadline_of(p).on(p) > date(int(p), 12, 14) for p in PERIODS)
    assert all(d.source_address for d in DEADLINES)


def test_a_silent_reporter_of_the_year_before_is_found_and_a_first_year_knows_nothing() -> None:
    known = units(
        {"org_id": "a"}, {"org_id": "b"}, {"org_id": "c", "status": "dissolved"}, {"org_id": "d"}
    )
    before = sent({"org_id": "a"}, {"org_id": "c"}, {"org_id": "d"}, period="2023")
    roster = reporting_roster(known, sent({"org_id": "d"}), before, period="2024")
    assert missing_that_reported_before(roster)["org_id"].to_list() == ["a"]
    for nothing in (None, NONE):
        first = reporting_roster(known, sent({"org_id": "d"}), nothing, period="2024")
        assert first["has_reported_before"].is_null().all()
        assert missing_that_reported_before(first).is_empty()


def test_reports_of_other_periods_do_not_count() -> None:
    known = units({"org_id": "a"})
    both = pl.concat([sent({"org_id": "a"}, period="2023"), NONE])
    assert reporting_roster(known, both, both, period="2024")["status"].to_list() == ["missing"]


def large(n: int = 60) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    places = ["Đăk Hà", "Kon Rẫy", None]
    states = ["active", "suspended", "dissolved", "dissolving", None]
    known = units(
        *(
            {"org_id": f"o{i:02}", "locality": places[i % 3], "status": states[i % 5]}
            for i in range(n)
        )
    )
    reports = sent(
        *(
            {
                "org_id": f"o{i:02}",
                "reported_on": date(2024, 12, 1 + i % 30),
                "revenue_vnd": None if i % 7 == 0 else 5,
            }
            for i in range(0, n, 2)
        )
    )
    return known, reports, sent(*({"org_id": f"o{i:02}"} for i in range(0, n, 3)), period="2023")


def test_localities_add_up_to_the_roster() -> None:
    known, reports, before = large()
    roster = reporting_roster(known, reports, before, period="2024")
    places = roster_localities(roster)
    assert places["locality"].to_list() == ["Kon Rẫy", "unknown", "Đăk Hà"]
    assert places["n_registered"].sum() == roster.height == known.height
    for status in STATUSES:
        assert places[f"n_{status.code}"].sum() == (roster["status"] == status.code).sum()
    parts = [f"n_{s.code}" for s in STATUSES]
    assert (
        places.select(pl.sum_horizontal(parts)).to_series().to_list()
        == places["n_registered"].to_list()
    )
    came = (
        places["n_registered"]
        - places["n_missing"]
        - places["n_not_expected"]
        - places["n_unexpected_reports"]
    )
    assert (places["reported_share"] * places["n_expected"]).round(9).to_list() == [
        float(c) for c in came
    ]
    assert places["n_missing_reported_before"].sum() == missing_that_reported_before(roster).height


def test_a_share_of_nobody_is_null() -> None:
    places = roster_localities(
        reporting_roster(units({"org_id": "a", "status": "dissolved"}), NONE, period="2024")
    )
    assert places.select("n_expected", "reported_share", "on_time_share").row(0) == (0, None, None)


def test_the_roster_does_not_depend_on_the_order_of_rows() -> None:
    known, reports, before = large()
    once = reporting_roster(known, reports, before, period="2024")
    again = reporting_roster(
        known.sample(fraction=1, shuffle=True, seed=1),
        reports.reverse(),
        before.reverse(),
        period="2024",
    )
    assert once.equals(again)


def test_the_columns_are_those_documented_and_every_reason_has_words() -> None:
    known, reports, before = large()
    roster = reporting_roster(known, reports, before, period="2024")
    assert dict(roster.schema) == ROSTER_SCHEMA
    assert dict(roster_localities(roster).schema) == LOCALITY_SCHEMA
    told = roster.filter(pl.col("reason").is_not_null())
    assert set(told["reason"]) <= {r.code for r in REASONS}
    assert told["reason_vi"].null_count() == told["reason_en"].null_count() == 0
    assert roster.filter(pl.col("reason").is_null())["status"].unique().to_list() == ["on_time"]
