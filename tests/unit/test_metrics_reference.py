"""Products, targets and thresholds: the lists hold together and say where they come from."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from htx_pipeline.metrics.indicators import all_measures
from htx_pipeline.reference import products, stages, targets, thresholds


@pytest.mark.parametrize(
    ("written", "code", "note"),
    [
        ("Cà phê vối", "coffee_robusta", "exact"),
        ("CÀ  PHÊ CHÈ (Đăk Choong)", "coffee_arabica", "contains"),
        ("ca phe voi", "coffee_robusta", "exact"),
        ("Sắn (mì)", "cassava", "contains"),
        ("bò", "cattle", "exact"),
        ("bơ", "fruit", "exact"),
        ("bo", "other", "unknown"),  # without marks it may be cattle or avocado
        ("tiêu thụ cà phê", "coffee", "contains"),  # "tiêu" alone is pepper
        ("hồ tiêu", "pepper", "exact"),
        ("mía, sắn", "sugarcane", "several"),
        ("điện mặt trời", "other", "unknown"),
        ("  ", "unspecified", "missing"),
        (None, "unspecified", "missing"),
        ("passion_fruit", "passion_fruit", "exact"),
        ("Mủ cao su", "rubber", "exact"),
    ],
)
def test_a_written_name_finds_its_product(written: str | None, code: str, note: str) -> None:
    made = products.match(pl.Series([written], dtype=pl.String))
    assert made.select("product_code", "match_note").row(0) == (code, note)


def test_the_place_of_the_tone_mark_does_not_count() -> None:
    names = pl.Series(["hoa quả", "Hòa", "Hoà"])
    assert products.match(names)["product_code"][1] == products.match(names)["product_code"][2]


def test_matching_keeps_rows_and_order() -> None:
    names = pl.Series(["mía", None, "sắn", "mía"])
    assert products.match(names)["product_code"].to_list() == [
        "sugarcane",
        "unspecified",
        "cassava",
        "sugarcane",
    ]
    assert products.match(names.clear()).is_empty()


def test_the_nine_chains_cover_the_hectares_of_the_source() -> None:
    nine = products.products().filter(pl.col("chain") == "nine_chains")
    assert nine.height == 9
    assert nine["chain_area_ha"].sum() == 6_150


def test_every_alias_finds_its_own_product() -> None:
    table = products.products()
    pairs = table.select("code", pl.col("aliases").alias("alias")).explode("alias")
    assert products.match(pairs["alias"])["product_code"].to_list() == pairs["code"].to_list()


def test_eudr_covers_coffee_rubber_wood_and_not_cassava_or_ginseng() -> None:
    flags = dict(products.products().select("code", "is_eudr").iter_rows())
    assert all(
        flags[c] for c in ("coffee_robusta", "coffee_arabica", "rubber", "wood", "cocoa", "cattle")
    )
    assert not any(flags[c] for c in ("cassava", "sugarcane", "ginseng", "macadamia", "fruit"))


def test_stages_are_in_order_and_the_decree_names_four() -> None:
    assert tuple(stages.stages()["code"]) == stages.STAGES
    assert "collection" not in stages.decree_stages()


def test_both_readings_of_the_fifty_percent_are_targets() -> None:
    fifty = targets.targets().filter(
        pl.col("indicator") == "chain_linked_share", pl.col("target_year") == 2030
    )
    readings = {
        (r["denominator"], r["reading"], r["is_verified"]) for r in fifty.iter_rows(named=True)
    }
    assert readings == {("rated_good_fair", "nested", True), ("all_htx", "flat", False)}
    # 45,000 × 60 % × 50 % against 45,000 × 50 %
    total = targets.targets().filter(
        pl.col("indicator") == "n_cooperatives", pl.col("target_year") == 2030
    )["value"][0]
    assert (total * 0.6 * 0.5, total * 0.5) == (13_500, 22_500)


def test_targets_are_unique_and_sourced() -> None:
    table = targets.targets()
    assert table.select("document", "indicator", "denominator", "target_year").is_unique().all()
    assert (
        table.select("authority", "document", "source_address", "value", "comparator")
        .null_count()
        .row(0)
        == (0,) * 5
    )
    shares = table.filter(pl.col("value_unit") == "share")["value"]
    assert shares.is_between(0, 1).all()


def test_a_target_meets_an_indicator_of_its_name_and_unit_or_is_known_to_have_none() -> None:
    computed = {(m.indicator, m.denominator): m.value_unit for m in all_measures()}
    without = set()
    for row in targets.targets().iter_rows(named=True):
        unit = computed.get((row["indicator"], row["denominator"]))
        if unit is None:
            without.add(row["indicator"])
        else:
            assert unit == row["value_unit"]
    assert without == {
        "group_members", "n_union_members", "population_share", "effective_share", "chain_linked_share", "n_model_cooperatives",
        "household_share", "managers_trained_share", "linked_value_share",
    }  # fmt: skip


def test_a_threshold_applies_from_its_day_to_the_day_before_it_ends() -> None:
    def scale(day: date) -> set[str]:
        rows = thresholds.thresholds(on=day).filter(pl.col("subject").str.starts_with("scale"))
        return {s.split(".")[0] for s in rows["subject"]}

    assert scale(date(2024, 10, 31)) == {"scale_2020"}
    assert scale(date(2024, 11, 1)) == {"scale"}
    assert scale(date(2019, 1, 1)) == set()


def test_what_was_not_read_in_the_document_is_marked() -> None:
    table = thresholds.thresholds()
    assert table["threshold_id"].is_unique().all()
    areas = table.filter(pl.col("subject").str.starts_with("hi_tech_zone_area"))
    assert not areas["is_verified"].any()
    assert thresholds.threshold("nd80.cluster.n_enterprises")["is_verified"] is True
    with pytest.raises(KeyError, match="no threshold"):
        thresholds.threshold("nd80.cluster.n_enterprise")
