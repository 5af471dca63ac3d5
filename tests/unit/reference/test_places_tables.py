"""Versions, units and links: complete, dated, keyed by (code, version)."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.reference.places import (
    VERSIONS,
    admin_links,
    admin_units,
    decided,
    old_district_of,
    old_districts,
    version_for,
    versions,
)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: admin_units(version="2023"), "unknown_admin_version"),
        (lambda: admin_units(level="hamlet"), "unknown_level"),
        (lambda: admin_units(province="99"), "unknown_province"),
        (lambda: admin_links(from_version="2024", to_version="now"), "unknown_admin_version"),
        (lambda: old_district_of("00000", "2024"), "unknown_admin_code"),
        (lambda: old_district_of("23503", "2026-04-30"), "unknown_admin_code"),
    ],
)
def test_what_does_not_exist_is_an_error(call: object, code: str) -> None:
    with pytest.raises(InputError) as error:
        call()  # type: ignore[operator]
    assert error.value.code == code


def test_counts_of_units_are_the_official_ones() -> None:
    counts = admin_units().group_by("version", "level").len().sort("version", "level").rows()
    assert counts == [
        ("2024", "commune", 10035),
        ("2024", "district", 696),
        ("2024", "province", 63),
        ("2025-07-01", "commune", 3321),
        ("2025-07-01", "province", 34),
        ("2026-04-30", "commune", 3321),
        ("2026-04-30", "province", 34),
    ]


def test_code_and_version_are_the_key() -> None:
    assert not admin_units().select("version", "code").is_duplicated().any()
    assert admin_units().select("code").is_duplicated().any()


def test_every_unit_has_kind_name_and_parents() -> None:
    units = admin_units()
    required = ["kind", "name", "full_name", "province_code"]
    assert units.select(required).null_count().row(0) == (0, 0, 0, 0)
    old = units.filter(pl.col("version") == "2024", pl.col("level") != "province")
    assert old["district_code"].null_count() == 0
    for version in VERSIONS:
        here = units.filter(pl.col("version") == version)
        provinces = here.filter(pl.col("level") == "province")["code"]
        assert set(here["province_code"]) == set(provinces)


def test_versions_follow_each_other_without_gap() -> None:
    rows = versions().select("valid_from", "valid_to").rows()
    assert rows[0][0] is None
    assert rows[-1][1] is None
    for (_, end), (start, _) in itertools.pairwise(rows):
        assert (start - end).days == 1


@pytest.mark.parametrize(
    ("day", "version"),
    [
        (date(2019, 1, 1), "2024"),
        (date(2025, 6, 30), "2024"),
        (date(2025, 7, 1), "2025-07-01"),
        (date(2026, 4, 29), "2025-07-01"),
        (date(2026, 4, 30), "2026-04-30"),
        (date(2030, 1, 1), "2026-04-30"),
    ],
)
def test_a_day_has_its_version(day: date, version: str) -> None:
    assert version_for(day) == version


def test_april_2026_made_a_city_and_ten_wards_under_the_same_codes() -> None:
    before, after = (
        admin_units(version=v).select("code", "full_name", "kind") for v in VERSIONS[1:]
    )
    changed = before.join(after, on="code", suffix="_after").filter(
        pl.col("full_name") != pl.col("full_name_after")
    )
    assert set(before["code"]) == set(after["code"])
    pairs = changed.group_by("kind", "kind_after").len().sort("kind").rows()
    assert pairs == [("tỉnh", "thành phố", 1), ("xã", "phường", 10)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_unit_has_a_link_and_every_link_two_units(version: str) -> None:
    for other in VERSIONS:
        links = admin_links(from_version=version, to_version=other)
        for column, here in (("from_code", version), ("to_code", other)):
            units = admin_units(version=here).filter(pl.col("level") != "district")
            extra = set(links[column]) - set(units["code"])
            assert set(units["code"]) <= set(links[column])
            districts = set(admin_units(version="2024", level="district")["code"])
            assert extra <= (districts if here == "2024" else set())


@pytest.mark.parametrize(("start", "end"), [(a, b) for a in VERSIONS for b in VERSIONS])
def test_known_weights_of_a_unit_add_up_to_one(start: str, end: str) -> None:
    links = admin_links(from_version=start, to_version=end)
    for column in ("weight", "population_weight"):
        stated = links.filter(pl.col(column).is_not_null().all().over("from_code"))
        totals = stated.group_by("from_code").agg(pl.col(column).sum())
        assert totals.filter(pl.col(column) != 1).is_empty()
    single = links.filter(pl.col("n_targets") == 1)
    assert single["is_weight_known"].all()
    assert set(single["relation"]) == {"whole"}


def test_links_backwards_are_links_forwards_turned_round() -> None:
    forward = admin_links(from_version="2024", to_version="2026-04-30")
    back = admin_links(from_version="2026-04-30", to_version="2024")
    assert set(forward.select("from_code", "to_code").rows()) == set(
        back.select("to_code", "from_code").rows()
    )


def test_a_split_commune_has_no_invented_weight() -> None:
    links = admin_links(from_version="2024", to_version="2026-04-30")
    split = links.filter(pl.col("n_targets") > 1)
    assert split["from_code"].n_unique() > 400
    assert set(split["relation"]) == {"part"}
    known = split.filter("is_weight_known")
    assert set(known["from_code"]) == {"18796"}  # Kỳ Lợi: all the land to one, people to three
    assert known.sort("weight")["weight"].to_list() == [0.0, 0.0, 1.0]


def test_where_all_the_people_went_to_one_unit_that_is_recorded() -> None:
    links = admin_links(from_version="2024", to_version="2026-04-30")
    dang_xa = links.filter(pl.col("from_code") == "00556").select("to_code", "population_weight")
    assert dang_xa.rows() == [("00541", 0.0), ("00562", 1.0)]


def test_a_commune_in_several_old_districts_is_flagged_not_assigned() -> None:
    districts = old_districts("2026-04-30")
    several = districts.filter(~pl.col("is_exact"))
    assert several["district_code"].null_count() == several.height > 0
    assert several["candidates"].list.len().min() == 2
    code = several["code"][0]
    found = old_district_of(code, "2026-04-30")
    assert found.code is None
    assert len(found.candidates) > 1


def test_areas_are_positive_or_not_stated() -> None:
    areas = admin_units(version="2026-04-30", level="commune")["area_km2"]
    assert areas.drop_nulls().min() > 0
    total = admin_units(version="2026-04-30", level="commune", province="51")["area_km2"].sum()
    assert total == pytest.approx(14832.53, abs=0.1)


def test_every_decision_has_a_reason_with_an_explanation() -> None:
    frame = decided()
    assert (
        frame.select("reason", "explanation_en", "explanation_vi").null_count().row(0) == (0,) * 3
    )


def test_importing_places_reads_no_data() -> None:
    program = (
        "import polars as pl, sys\n"
        "def refuse(*a, **k): raise SystemExit('read at import')\n"
        "pl.read_csv = refuse\n"
        "import htx_pipeline.reference.places\n"
        "heavy = {'great_expectations', 'dagster', 'matplotlib', 'vietnamadminunits', 'pandas'}\n"
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
