"""The synthetic truth: fitted, whole, nobody's, and the same for the same seed."""

from __future__ import annotations

import re

import polars as pl
import pytest
from stdnum.vn import mst

from htx_pipeline.errors import InputError
from htx_pipeline.sample import SampleProvince, fit, generate
from htx_pipeline.sample.facts import (
    CHAINS,
    DISTRICT_WEIGHTS,
    KNOWN_PERIODS,
    MARGINS,
    SOURCES,
    places,
)
from htx_pipeline.schemas import TABLES


@pytest.fixture(scope="module")
def province() -> SampleProvince:
    return generate()


@pytest.mark.parametrize("periods", [(), ("2022",), ("2024", "2023"), ("2023", "2023")])
def test_a_year_without_a_form_or_out_of_order_is_refused(periods: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        generate(periods=periods)
    assert caught.value.code == "sample_periods"


@pytest.mark.parametrize(
    "size", [{"n_cooperatives": 39}, {"n_enterprises": 10}, {"n_linkages": 20}]
)
def test_a_province_too_small_for_its_chains_is_refused(size: dict[str, int]) -> None:
    with pytest.raises(InputError) as caught:
        generate(**size)  # type: ignore[arg-type]
    assert caught.value.code == "sample_size"


@pytest.mark.parametrize("seed", [20, 1, 7])
def test_the_margins_of_any_seed_keep_the_stated_tolerance(seed: int) -> None:
    """Published figures, tolerance and source stand beside each other in `facts.MARGINS`."""
    measured = fit(generate(seed=seed))
    assert measured.height == 28
    outside = measured.filter(~pl.col("is_within")).select(
        "margin", "period", "sample", "low", "high"
    )
    assert outside.is_empty(), outside


def test_each_chain_keeps_its_published_area(province: SampleProvince) -> None:
    """skhcn.kontum.gov.vn, nine chains; tolerance 1 % plus the rounding of rows, first year."""
    area = dict(
        province.linkages.filter(pl.col("period") == "2023", pl.col("evidence") != "planned")
        .group_by("product_code")
        .agg(pl.col("area_ha").sum())
        .iter_rows()
    )
    assert set(area) == {c.code for c in CHAINS}
    for chain in CHAINS:
        assert area[chain.code] == pytest.approx(chain.area_ha, rel=0.01)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_has_its_columns_codes_key_and_no_missing_value(
    province: SampleProvince, name: str
) -> None:
    table, frame = TABLES[name], province.tables[name]
    assert dict(frame.schema) == table.schema
    assert frame.height > 0
    key = list(dict.fromkeys(("period", *table.key)))
    assert frame.select(key).is_unique().all()
    for column in table.columns:
        values = frame[column.name].drop_nulls()
        if column.required:
            assert frame[column.name].null_count() == 0, column.name
        if column.codes:
            assert set(values) <= {c.code for c in column.codes}, column.name
        if column.pattern and not values.is_empty():
            assert values.str.contains(column.pattern).all(), column.name
        if column.minimum is not None and not values.is_empty():
            assert values.min() >= column.minimum, column.name  # type: ignore[operator]
        if column.maximum is not None and not values.is_empty():
            assert values.max() <= column.maximum, column.name  # type: ignore[operator]


def test_every_report_and_linkage_names_a_registered_organisation(province: SampleProvince) -> None:
    known = province.organisations.select("period", "org_id")
    for frame, column in (
        (province.cooperative_reports, "org_id"),
        (province.linkages, "supplier_id"),
        (province.linkages, "buyer_id"),
        (province.trainings, "org_id"),
        (province.commendations, "org_id"),
    ):
        lost = frame.select("period", org_id=column).join(
            known, on=["period", "org_id"], how="anti"
        )
        assert lost.is_empty()


def test_nobody_is_his_own_buyer(province: SampleProvince) -> None:
    assert province.linkages.filter(pl.col("supplier_id") == pl.col("buyer_id")).is_empty()


def test_only_what_was_executed_was_delivered_or_paid_and_never_more_than_signed_for(
    province: SampleProvince,
) -> None:
    links = province.linkages
    executed = links.filter(pl.col("evidence") == "executed")
    assert executed["paid_value_vnd"].null_count() == 0
    assert (
        links.filter(pl.col("evidence") != "executed")["paid_value_vnd"].null_count()
        == links.height - executed.height
    )
    assert executed.filter(pl.col("paid_value_vnd") > pl.col("contracted_value_vnd")).is_empty()
    assert executed.filter(
        pl.col("delivered_tonnes") > pl.col("contracted_tonnes") + 0.05
    ).is_empty()
    assert executed["contracted_value_vnd"].sum() < links["contracted_value_vnd"].sum()


def test_a_cooperative_sells_no_more_than_its_revenue(province: SampleProvince) -> None:
    sold = province.linkages.group_by("period", org_id="supplier_id").agg(
        paid=pl.col("paid_value_vnd").sum()
    )
    held = province.cooperative_reports.join(sold, on=["period", "org_id"]).filter(
        pl.col("paid") > pl.col("revenue_vnd")
    )
    assert held.is_empty()


def test_a_trader_passes_on_no_more_of_a_product_than_came_in(province: SampleProvince) -> None:
    traders = (
        province.organisations.filter(pl.col("vsic_code") == "4620")
        .select("period", "org_id")
        .unique()
    )
    keys = ["period", "org_id", "product_code"]
    came = province.linkages.group_by("period", "product_code", org_id="buyer_id").agg(
        came=pl.col("delivered_tonnes").sum()
    )
    left = province.linkages.group_by("period", "product_code", org_id="supplier_id").agg(
        left=pl.col("delivered_tonnes").sum()
    )
    both = (
        left.join(traders, on=["period", "org_id"], how="semi")
        .join(came, on=keys, how="left")
        .filter(pl.col("left") > 0)
    )
    assert both.height > 50
    assert both.filter(pl.col("left") > pl.col("came").fill_null(0)).is_empty()


def test_a_few_buyers_dominate_each_product(province: SampleProvince) -> None:
    """The largest of a dozen or more buyers takes at least twice an even share."""
    value = (
        province.linkages.filter(
            pl.col("period") == "2024", pl.col("supplier_id").str.starts_with("6199")
        )
        .group_by("product_code", "buyer_id")
        .agg(value=pl.col("contracted_value_vnd").sum())
    )
    top = value.group_by("product_code").agg(
        share=pl.col("value").max() / pl.col("value").sum(), buyers=pl.len()
    )
    assert top.filter(pl.col("share") * pl.col("buyers") < 2).is_empty()


def test_larger_cooperatives_are_likelier_to_deliver(province: SampleProvince) -> None:
    year = pl.col("period") == "2024"
    sellers = (
        province.linkages.filter(year, pl.col("evidence") == "executed")
        .select(org_id="supplier_id")
        .unique()
    )
    reports = province.cooperative_reports.filter(year)
    with_sales = reports.join(sellers, on="org_id", how="semi")["official_members"].median()
    without = reports.join(sellers, on="org_id", how="anti")["official_members"].median()
    assert with_sales > without  # type: ignore[operator]


def test_supported_projects_run_five_years_for_perennials_and_three_for_annuals(
    province: SampleProvince,
) -> None:
    perennial = [c.code for c in CHAINS if c.is_perennial]
    years = province.linkages.filter(pl.col("instrument") == "project").with_columns(
        years=(pl.col("ends_on").dt.year() - pl.col("starts_on").dt.year()),
        wanted=pl.when(pl.col("product_code").is_in(perennial)).then(5).otherwise(3),
    )
    assert years.height > 100
    assert years.filter(pl.col("years") != pl.col("wanted")).is_empty()


def test_cooperatives_enter_and_leave_between_years(province: SampleProvince) -> None:
    htx = province.organisations.filter(pl.col("legal_type") == "htx")
    ids = {p: set(htx.filter(pl.col("period") == p)["org_id"]) for p in KNOWN_PERIODS}
    assert ids["2024"] - ids["2023"]
    assert ids["2024"] - ids["2025"]
    dissolved = set(
        htx.filter(pl.col("status") == "dissolved", pl.col("period") == "2024")["org_id"]
    )
    assert ids["2024"] - ids["2025"] == dissolved


def test_places_are_old_before_july_2025_and_new_after_and_stay_in_their_district(
    province: SampleProvince,
) -> None:
    old = {p.old_code: p for p in places()}
    new = {p.new_code: p for p in places()}
    for period, book, attribute in (
        ("2023", old, "old_name"),
        ("2024", old, "old_name"),
        ("2025", new, "new_name"),
    ):
        placed = province.organisations.filter(
            pl.col("period") == period, pl.col("admin_code").is_not_null()
        )
        for code, name, locality in placed.select(
            "admin_code", "place_name", "locality"
        ).iter_rows():
            assert getattr(book[code], attribute) == name
            assert book[code].district == locality
    moves = province.organisations.group_by("org_id").agg(pl.col("locality").n_unique())
    assert moves["locality"].max() == 1
    assert set(DISTRICT_WEIGHTS) == {p.district_code for p in places()}


def test_tax_codes_are_valid_unique_and_from_numbers_no_office_has_issued(
    province: SampleProvince,
) -> None:
    codes = (
        province.organisations.filter(pl.col("tax_code").is_not_null())
        .select("tax_code", "org_id", "name")
        .unique()
    )
    assert codes["tax_code"].is_unique().all()
    assert all(mst.is_valid(c) for c in codes["tax_code"])
    assert (codes["tax_code"].str.slice(2, 2) == "99").all()


def test_names_are_unique_within_a_year(province: SampleProvince) -> None:
    assert province.organisations.select("period", "name").is_unique().all()


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(
    province: SampleProvince,
) -> None:
    again, other = generate(), generate(seed=21)
    for name in TABLES:
        assert province.tables[name].equals(again.tables[name])
    assert not province.linkages.equals(other.linkages)


@pytest.mark.parametrize("periods", [("2025",), ("2023", "2025")])
def test_any_of_the_years_can_be_made_alone(periods: tuple[str, ...]) -> None:
    made = generate(periods=periods, n_cooperatives=60, n_enterprises=60, n_linkages=300)
    counts = made.linkages.group_by("period").len().sort("period")
    assert counts.rows() == [(p, 300) for p in periods]
    assert set(made.organisations["period"]) == set(periods)


def test_every_margin_names_a_source_that_can_be_looked_up() -> None:
    for margin in MARGINS:
        keys = re.findall(r"\bS\d+[a-e]?\b", margin.source)
        assert keys or "." in margin.source, margin
        assert set(keys) <= set(SOURCES), margin
        assert margin.low <= margin.high
