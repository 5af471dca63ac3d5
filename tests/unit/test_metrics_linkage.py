"""Forms, evidence levels, coverage and the official rates under each of their denominators."""

from __future__ import annotations

from datetime import date
from itertools import product

import polars as pl
import pytest

from htx_pipeline.graph import network
from htx_pipeline.metrics import indicators, linkage, localities, plan, rates
from htx_pipeline.reference.targets import targets
from htx_pipeline.schemas import TABLES

FLAGS = ["has_inputs", "has_production", "has_processing", "has_consumption"]
FORMS = {
    "IPXC": 1, "IC": 2, "PC": 3, "IPC": 4, "PXC": 5, "IXC": 6, "XC": 7,
}  # fmt: skip
"""Decree 98/2018 Art. 4."""


def _form(flags: list[bool | None]) -> int | None:
    frame = pl.DataFrame([flags], schema=dict.fromkeys(FLAGS, pl.Boolean), orient="row")
    form: int | None = linkage.nd98_form(frame)["nd98_form"].item()
    return form


def test_the_seven_forms_are_exactly_the_decrees() -> None:
    for flags in product([True, False], repeat=4):
        letters = "".join(x for x, is_on in zip("IPXC", flags, strict=True) if is_on)
        assert _form(list(flags)) == FORMS.get(letters)


def test_an_unknown_flag_leaves_the_form_unknown() -> None:
    for flags in product([True, False, None], repeat=4):
        if None in flags:
            assert _form(list(flags)) is None


def test_a_form_already_there_is_derived_anew() -> None:
    frame = pl.DataFrame(
        [[True, False, False, False, 2]], schema=[*FLAGS, "nd98_form"], orient="row"
    )
    assert linkage.nd98_form(frame)["nd98_form"].item() is None


_NOTHING = {
    "status": None,
    "signed_on": None,
    "starts_on": None,
    "ends_on": None,
    "delivered_tonnes": None,
    "paid_value_vnd": None,
}
_SCHEMA = {
    "status": pl.String,
    "signed_on": pl.Date,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
    "delivered_tonnes": pl.Float64,
    "paid_value_vnd": pl.Int64,
}


@pytest.mark.parametrize(
    ("columns", "level"),
    [
        ({}, "planned"),
        ({"delivered_tonnes": 0.0, "paid_value_vnd": 0}, "planned"),
        (
            {"status": "planned", "starts_on": date(2024, 1, 1), "ends_on": date(2026, 1, 1)},
            "planned",
        ),
        ({"status": "planned", "delivered_tonnes": 1.0}, "executed"),
        ({"status": "signed"}, "signed"),
        ({"signed_on": date(2019, 1, 1)}, "signed"),
        ({"signed_on": date(2024, 3, 1)}, "active"),  # begins in the year, no end stated
        ({"status": "completed"}, "signed"),
        ({"status": "active"}, "active"),
        (
            {"status": "signed", "starts_on": date(2023, 1, 1), "ends_on": date(2023, 12, 14)},
            "signed",
        ),
        (
            {"status": "signed", "starts_on": date(2023, 1, 1), "ends_on": date(2023, 12, 15)},
            "active",
        ),
        (
            {"status": "signed", "starts_on": date(2024, 12, 14), "ends_on": date(2027, 1, 1)},
            "active",
        ),
        (
            {"status": "signed", "starts_on": date(2024, 12, 15), "ends_on": date(2027, 1, 1)},
            "signed",
        ),
        (
            {"status": "terminated", "starts_on": date(2024, 1, 1), "ends_on": date(2026, 1, 1)},
            "signed",
        ),
        ({"status": "terminated", "paid_value_vnd": 1}, "executed"),
    ],
)
def test_the_strongest_evidence_counts(columns: dict[str, object], level: str) -> None:
    frame = pl.DataFrame([{**_NOTHING, **columns}], schema=_SCHEMA)
    assert linkage.evidence(frame, period="2024")["evidence"].item() == level


def _province() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Ten cooperatives: a–f rated good (a, b, c linked), g–j weak (g linked); i, j not agricultural."""
    names = list("abcdefghij")
    organisations = pl.DataFrame(
        {
            "period": "2024", "org_id": [*names, "E"], "legal_type": ["htx"] * 10 + ["enterprise"],
            "status": "active", "locality": ["X"] * 5 + ["Y"] * 5 + [None],
            "vsic_code": ["0126"] * 8 + ["4632"] * 2 + [None],
        }
    )  # fmt: skip
    reports = pl.DataFrame(
        {"period": "2024", "org_id": names, "rating": ["tot"] * 3 + ["kha"] * 3 + ["yeu"] * 4,
         "official_members": list(range(1, 11)), "member_income_vnd": [10] * 10}
    )  # fmt: skip
    rows = [("a", "E", "executed", True), ("b", "E", "active", None), ("c", "d", "signed", True), ("g", "E", "active", True),
            ("h", "E", "active", False), ("i", "i", "executed", True)]  # fmt: skip
    linkages = pl.DataFrame(
        [
            {"period": "2024", "supplier_id": s, "buyer_id": b, "evidence": e, "has_consumption": c, "product_code": "coffee",
             "contracted_value_vnd": 100, "paid_value_vnd": 60 if e == "executed" else None}
            for s, b, e, c in rows
        ]
    )  # fmt: skip
    edges = network.edges(TABLES["linkages"].conform(linkages))
    return (
        TABLES["organisations"].conform(organisations),
        TABLES["cooperative_reports"].conform(reports),
        edges,
    )


def _figure(
    made: pl.DataFrame,
    indicator: str,
    denominator: str,
    evidence: str | None,
    locality: str = "province",
) -> tuple[float, float, float]:
    row = made.filter(
        pl.col("indicator") == indicator, pl.col("denominator") == denominator,
        pl.col("evidence").eq_missing(pl.lit(evidence)), pl.col("locality") == locality,
    )  # fmt: skip
    assert row.height == 1
    numerator, denominator_value, value = row.select("numerator", "denominator_value", "value").row(
        0
    )
    return numerator, denominator_value, value


def test_the_nested_and_the_flat_fifty_percent_differ_and_both_stand() -> None:
    made = rates.official_rates(linkage.totals(*_province()))
    # In force or stronger, with consumption not denied: a, b and g; of them rated good: a, b.
    assert _figure(made, "chain_linked_share", "all_htx", "active") == (3, 10, 0.3)
    assert _figure(made, "chain_linked_share", "rated_good_fair", "active") == (2, 6, 2 / 6)
    assert _figure(made, "chain_linked_good_fair_share", "all_htx", "active") == (2, 10, 0.2)
    good = _figure(made, "rated_good_fair_share", "rated", None)
    assert good == (6, 10, 0.6)
    assert _figure(made, "chain_linked_good_fair_share", "all_htx", "active")[2] == pytest.approx(
        0.6 * 2 / 6
    )


def test_the_three_linked_rates_are_different_indicators() -> None:
    made = rates.official_rates(linkage.totals(*_province()))
    # Signed or stronger: c sells to d, a cooperative: both are in the chain, c sells, nobody to an enterprise.
    assert _figure(made, "chain_linked_share", "all_htx", "signed")[:2] == (5, 10)
    assert _figure(made, "offtake_share", "agricultural_htx", "signed")[:2] == (4, 8)
    assert _figure(made, "enterprise_linked_share", "agricultural_htx", "signed")[:2] == (3, 8)


def test_a_contract_without_consumption_and_a_self_loop_do_not_make_a_chain_linkage() -> None:
    people = linkage.participation(*_province()[::2])
    levels = {r["org_id"]: (r["level"], r["chain_level"]) for r in people.iter_rows(named=True)}
    assert levels["h"] == (3, 0)
    assert levels["i"] == (0, 0)


def test_levels_are_cumulative_and_localities_add_up_to_the_whole() -> None:
    frames = _province()
    summed = linkage.totals(*frames)
    whole = summed.filter(pl.col("locality") == "province").row(0, named=True)
    parts = summed.filter(pl.col("locality") != "province")
    for name, value in whole.items():
        if (name.startswith("n_") and not name.endswith("_in_period")) or name in (
            "official_members",
            "paid_value_vnd",
            "contracted_value_vnd_signed",
        ):
            assert parts[name].sum() == value, name
    counts = [whole[f"n_linked_{level}"] for level in linkage.LEVELS]
    assert counts == sorted(counts, reverse=True)
    places = localities.localities(*frames)
    assert set(places["locality"]) == {"X", "Y", "unknown"}
    assert places["n_cooperatives"].sum() == 10


def test_a_mean_income_of_too_few_is_withheld_and_of_enough_is_weighted() -> None:
    organisations, reports, edges = _province()
    reports = reports.with_columns(
        member_income_vnd=pl.when(pl.col("org_id").is_in(["a", "b", "f"])).then(
            pl.Series([10, 40, *[0] * 3, 99, *[0] * 4])
        )
    )
    made = {
        r["locality"]: r
        for r in localities.localities(
            organisations, reports, edges, min_disclosure_count=2
        ).iter_rows(named=True)
    }
    assert made["X"]["member_income_vnd"] == pytest.approx((10 * 1 + 40 * 2) / 3)
    assert made["Y"]["member_income_vnd"] is None
    assert made["Y"]["n_member_income"] == 1
    table = indicators.indicators(organisations, reports, edges, min_disclosure_count=2)
    withheld = table.filter(
        pl.col("indicator") == "member_income_vnd", pl.col("locality") == "Y"
    ).row(0, named=True)
    assert (withheld["value"], withheld["numerator"], withheld["reason"]) == (
        None,
        None,
        "withheld_few",
    )


def test_a_source_that_says_nothing_of_deliveries_has_no_executed_rate() -> None:
    organisations, reports, edges = _province()
    silent = edges.with_columns(n_paid_value=pl.lit(0), paid_value_vnd=pl.lit(None, dtype=pl.Int64))
    made = rates.coverage(linkage.totals(organisations, reports, silent))
    executed = made.filter(pl.col("evidence") == "executed", pl.col("indicator") == "linked_share")
    assert set(executed["reason"]) == {"execution_not_stated"}
    assert executed["value"].null_count() == executed.height
    assert (
        localities.localities(organisations, reports, silent)["n_linked_executed"].null_count() == 3
    )


def test_paid_over_contracted_uses_linkages_that_state_both() -> None:
    made = rates.execution(linkage.totals(*_province()))
    assert _figure(
        made, "paid_over_contracted", "contracted_value_of_linkages_stating_both", None
    ) == (120, 200, 0.6)
    assert _figure(made, "executed_linkages_share", "signed_linkages", None) == (2, 6, 2 / 6)


def test_every_indicator_has_one_row_per_key_and_none_is_infinite() -> None:
    made = indicators.indicators(*_province())
    key = ["period", "locality", "indicator", "denominator", "evidence"]
    assert made.select(key).is_unique().all()
    assert made.filter(pl.col("value").is_infinite() | pl.col("value").is_nan()).is_empty()
    assert (made["is_defined"] == made["value"].is_not_null()).all()
    assert (made["is_defined"] == made["reason"].is_null()).all()
    shares = made.filter(pl.col("value_low").is_not_null())
    assert (
        (shares["value_low"] <= shares["value"]) & (shares["value"] <= shares["value_high"])
    ).all()


def test_a_national_total_is_no_yardstick_but_a_share_is() -> None:
    made = plan.plan_progress(targets(), indicators.indicators(*_province()))
    fifty = made.filter(pl.col("indicator") == "chain_linked_share", pl.col("target_year") == 2030)
    by_denominator = {r["denominator"]: r for r in fifty.iter_rows(named=True)}
    assert by_denominator["all_htx"]["gap"] == pytest.approx(0.3 - 0.5)
    assert by_denominator["rated_good_fair"]["gap"] == pytest.approx(2 / 6 - 0.5)
    assert by_denominator["all_htx"]["is_verified"] is False
    total = made.filter(pl.col("indicator") == "n_cooperatives").row(0, named=True)
    assert (total["is_comparable"], total["reason"], total["gap"], total["is_met"]) == (
        False,
        "national_total",
        None,
        None,
    )
    assert total["actual_value"] == 10
    missing = made.filter(pl.col("indicator") == "population_share").row(0, named=True)
    assert missing["reason"] == "indicator_not_computed"


@pytest.mark.parametrize(
    ("comparator", "actual", "is_met"),
    [(">", 0.5, False), (">=", 0.5, True), ("<=", 0.5, True), ("<=", 0.6, False), ("~", 0.4, False), (None, 0.5, True), ("=", 0.7, True)],
)  # fmt: skip
def test_a_target_is_met_by_its_own_comparator(
    comparator: str | None, actual: float, is_met: bool
) -> None:
    target = pl.DataFrame(
        {"authority": ["UBND"], "document": ["KH"], "indicator": ["x_share"], "denominator": ["d"], "target_year": [2024],
         "comparator": [comparator], "value": [0.5], "value_unit": ["share"]}, schema_overrides={"comparator": pl.String}
    )  # fmt: skip
    figures = pl.DataFrame(
        {"period": ["2024"], "locality": ["province"], "indicator": ["x_share"], "evidence": [None], "denominator": ["d"],
         "value": [actual], "value_low": [None], "value_high": [None], "value_unit": ["share"], "n": [5], "is_defined": [True], "reason": [None]}
    )  # fmt: skip
    assert plan.plan_progress(target, figures)["is_met"].item() is is_met


def test_targets_and_figures_in_different_units_are_not_compared() -> None:
    target = pl.DataFrame(
        {"authority": ["UBND"], "document": ["KH"], "indicator": ["linked_share"], "denominator": ["all_htx"], "target_year": [2024],
         "comparator": [">="], "value": [50.0], "value_unit": ["percent"]}
    )  # fmt: skip
    made = plan.plan_progress(target, indicators.indicators(*_province()))
    assert made.select("reason", "gap").row(0) == ("unit_differs", None)
