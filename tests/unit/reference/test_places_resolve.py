"""A written place becomes (code, version), a status and candidates: never one silent answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.reference.places import NOTES, STATUSES, resolve_place, resolve_places

BEFORE = date(2024, 12, 31)
AFTER = date(2026, 8, 1)


def place(name: str | None = None, code: str | None = None, **given: Any) -> dict[str, Any]:
    given.setdefault("as_of", AFTER)
    return resolve_place(name=name, code=code, **given)


def key(found: dict[str, Any]) -> tuple[str | None, str | None, str]:
    return found["admin_code"], found["admin_version"], found["place_status"]


def codes(found: dict[str, Any]) -> list[str]:
    return [c["code"] for c in found["candidates"]]


# ---- what must not be answered ------------------------------------------------------------------


def test_nonsense_is_unknown_and_names_no_unit() -> None:
    found = place("Xã Không Có Thật", province="Kon Tum")
    assert key(found) == (None, None, "unknown")
    assert found["candidates"] == []


def test_a_row_without_name_and_code_is_unknown() -> None:
    frame = pl.DataFrame({"xa": [None, "", "  "]}, schema={"xa": pl.String})
    found = resolve_places(frame, name="xa", as_of=AFTER)
    assert found["place_status"].to_list() == ["unknown"] * 3


def test_a_row_without_a_date_is_unknown() -> None:
    frame = pl.DataFrame(
        {"xa": ["Xã Sa Loong"], "ngay": [None]}, schema_overrides={"ngay": pl.Date}
    )
    assert resolve_places(frame, name="xa", as_of="ngay")["place_status"].to_list() == ["unknown"]


def test_a_name_that_many_communes_bear_is_ambiguous_with_all_of_them() -> None:
    found = place("Xã Hòa Bình")
    assert key(found) == (None, None, "ambiguous")
    assert len(found["candidates"]) > 1
    assert {c["version"] for c in found["candidates"]} == {"2026-04-30"}


def test_a_short_name_shared_by_a_town_and_a_commune_is_ambiguous() -> None:
    found = place("Đăk Hà", province="Kon Tum", as_of=BEFORE)
    assert key(found) == (None, None, "ambiguous")
    assert codes(found) == ["23425", "23500"]


def test_a_district_name_in_the_commune_column_is_no_commune() -> None:
    assert key(place("Huyện Đăk Hà", province="Kon Tum", as_of=BEFORE))[2] == "unknown"


def test_a_code_and_a_name_that_fit_no_unit_together_are_a_conflict() -> None:
    found = place("Xã Măng Đen", code="23530")
    assert key(found) == (None, None, "code_name_conflict")
    assert codes(found) == ["23473", "23530"]


def test_an_unknown_code_is_not_covered_up_by_a_good_name() -> None:
    found = place("Xã Măng Đen", code="99999", province="Kon Tum")
    assert key(found) == (None, None, "code_name_conflict")
    assert "code_unknown" in found["place_notes"]


def test_a_code_abolished_before_the_reform_says_so() -> None:
    found = place(code="03751")
    assert key(found) == (None, None, "unknown")
    assert found["place_notes"] == ["code_abolished"]


def test_a_name_in_another_district_is_not_taken() -> None:
    found = place("Xã Măng Đen", district="Sa Thầy", province="Kon Tum")
    assert key(found) == (None, None, "ambiguous")
    assert "district_mismatch" in found["place_notes"]


def test_a_code_in_another_province_is_a_conflict() -> None:
    found = place(code="23530", province="Gia Lai")
    assert key(found) == (None, None, "code_name_conflict")
    assert found["place_notes"] == ["province_mismatch"]


def test_a_province_nobody_knows_is_noted() -> None:
    found = place("Xã Rờ Kơi", province="Atlantis")
    assert key(found)[2] == "exact_name"
    assert found["place_notes"] == ["province_unknown"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "no_place_column"),
        ({"name": "nope"}, "no_column"),
        ({"code": "share"}, "place_not_text"),
        ({"name": "xa", "as_of": "xa"}, "not_a_date"),
        ({"name": "xa", "level": "village"}, "unknown_level"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: dict[str, Any], code: str) -> None:
    frame = pl.DataFrame({"xa": ["Xã Rờ Kơi"], "share": [0.5]})
    with pytest.raises(InputError) as error:
        resolve_places(frame, **{"as_of": AFTER, **arguments})
    assert error.value.code == code


# ---- codes ---------------------------------------------------------------------------------------


def test_a_code_means_the_unit_of_its_date() -> None:
    before, after = (place(code="23504", as_of=day) for day in (BEFORE, AFTER))
    assert key(before) == ("23504", "2024", "exact_code")
    assert key(after) == ("23504", "2026-04-30", "exact_code")
    assert before["candidates"][0]["full_name"] == "Xã Đăk Long"
    assert after["candidates"][0]["full_name"] == "Xã Đăk Pxi"
    assert before["place_notes"] == after["place_notes"] == ["code_reused"]


def test_an_old_code_after_the_reform_lists_its_successor() -> None:
    found = place(code="23503")
    assert key(found) == ("23503", "2024", "code_of_other_version")
    assert found["candidates"] == [
        {"code": "23504", "version": "2026-04-30", "weight": 1.0, "full_name": "Xã Đăk Pxi"}
    ]


def test_a_split_commune_lists_every_part_and_guesses_no_share() -> None:
    found = place(code="00157")
    assert key(found) == ("00157", "2024", "code_of_other_version")
    assert len(found["candidates"]) > 1
    assert {c["weight"] for c in found["candidates"]} == {None}
    assert found["place_notes"] == ["one_to_many"]


def test_lost_leading_zeros_are_restored_and_noted() -> None:
    frame = pl.DataFrame({"ma": [4, 23530]})
    found = resolve_places(frame, code="ma", as_of=AFTER)
    assert found["admin_code"].to_list() == ["00004", "23530"]
    assert "code_padded" in found["place_notes"][0].to_list()
    assert "code_padded" not in found["place_notes"][1].to_list()


def test_a_code_of_another_official_list_is_translated() -> None:
    found = place("Phường 14", code="26935", as_of=BEFORE)
    assert key(found) == ("26929", "2024", "exact_code")
    assert found["place_notes"] == ["code_alias"]


def test_code_and_name_of_the_other_version_are_that_unit_and_what_it_is_now() -> None:
    found = place("Xã Đăk Long", code="23504")
    assert key(found) == ("23504", "2024", "name_of_other_version")
    assert codes(found) == ["23504"]
    assert found["candidates"][0]["full_name"] == "Xã Đăk Pxi"


def test_the_new_name_under_an_old_date_is_the_new_unit() -> None:
    found = place("Xã Đăk Hà", code="23500", as_of=BEFORE)
    assert key(found) == ("23500", "2025-07-01", "name_of_other_version")
    assert codes(found) == ["23500", "23521", "23524"]
    assert found["place_notes"] == ["one_to_many"]


def test_an_island_district_without_communes_stands_for_itself() -> None:
    found = place("Huyện Lý Sơn", province="Quảng Ngãi", as_of=BEFORE)
    assert key(found) == ("536", "2024", "exact_name")
    now = place("Huyện Lý Sơn", province="Quảng Ngãi")
    assert codes(now) == ["21548"]
    assert key(place(code="536", as_of=BEFORE)) == ("536", "2024", "exact_code")


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "Xã Đăk Rơ Wa",
        "xã đăk rơ wa",
        "  Xã  Đăk Rơ Wa ",
        "Đăk Rơ Wa",
        "X. Đăk Rơ Wa",
        "X.Đăk Rơ Wa",
        "Xa\u0303 Đa\u0306k Rơ Wa",
    ],
)
def test_case_spaces_prefixes_and_decomposed_letters_do_not_matter(written: str) -> None:
    found = place(written, province="Kon Tum", as_of=BEFORE)
    assert key(found) == ("23335", "2024", "exact_name")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Xã Đắk Rơ Wa", "23335"),  # the statistics office's Đắk
        ("Xã Đak Rơ Wa", "23335"),
        ("Xa Dak Ro Wa", "23335"),
        ("Xã Ngọc Bay", "23317"),  # Ngọk
        ("Xã Ngok Réo", "23518"),
        ("Xã Bờ Y", "23395"),  # Pờ Y
        ("Xã Hoà Bình", "23338"),  # tone mark on the other vowel
        ("Xã Ya Ly", "23554"),
    ],
)
def test_other_spellings_are_folded_and_say_so(written: str, code: str) -> None:
    found = place(written, province="Kon Tum", as_of=BEFORE)
    assert found["admin_code"] == code
    assert found["place_status"] == ("exact_name" if code == "23554" else "folded_name")


def test_a_word_that_only_resembles_a_name_is_not_folded_into_it() -> None:
    found = place("Xã Ia Ly", province="Kon Tum", as_of=BEFORE)
    assert key(found) == (None, None, "ambiguous")
    assert "province_mismatch" in found["place_notes"]
    assert "23554" not in codes(found)


@pytest.mark.parametrize("written", ["P. Duy Tân", "p.Duy Tân", "Phường Duy Tân", "P Duy Tân"])
def test_wards_and_towns_may_be_abbreviated(written: str) -> None:
    assert place(written, province="62", as_of=BEFORE)["admin_code"] == "23284"


@pytest.mark.parametrize(
    "written", ["TT Măng Đen", "TT. Măng Đen", "Thị trấn Măng Đen", "T.T Măng Đen"]
)
def test_towns_may_be_abbreviated(written: str) -> None:
    assert key(place(written, province="Kon Tum", as_of=BEFORE)) == ("23473", "2024", "exact_name")


@pytest.mark.parametrize("written", ["Phường 4", "P.4", "P4", "Phường 04", "Phường IV"])
def test_numbered_wards_are_found_however_the_number_is_written(written: str) -> None:
    found = place(written, province="Tây Ninh", district="Thành phố Tây Ninh", as_of=BEFORE)
    assert found["admin_code"] == "25462"


def test_another_kind_is_taken_only_with_a_note() -> None:
    found = place("Phường Rờ Kơi", province="Kon Tum", as_of=BEFORE)
    assert key(found) == ("23530", "2024", "folded_name")
    assert found["place_notes"] == ["kind_differs"]


def test_a_town_that_became_a_commune_is_the_old_town() -> None:
    found = place("Thị trấn Đăk Hà", province="Kon Tum")
    assert key(found) == ("23500", "2024", "name_of_other_version")
    assert codes(found) == ["23500"]


def test_a_commune_that_vanished_leads_to_its_successor() -> None:
    found = place("Xã Vinh Quang", district="TP Kon Tum")
    assert key(found) == ("23320", "2024", "name_of_other_version")
    assert [(c["code"], c["weight"]) for c in found["candidates"]] == [("23317", 1.0)]


@pytest.mark.parametrize(
    ("name", "district", "before", "after"),
    [("Xã Đăk Hà", "Tu Mơ Rông", "23425", "23500"), ("Xã Đăk Long", "Đăk Hà", "23504", "23368")],
)
def test_a_name_that_moved_follows_its_date_and_warns(
    name: str, district: str, before: str, after: str
) -> None:
    old = place(name, district=district, province="Kon Tum", as_of=BEFORE)
    assert key(old) == (before, "2024", "exact_name")
    found = place(name, province="Quảng Ngãi")
    assert key(found) == (after, "2026-04-30", "exact_name")
    assert "name_moved" in found["place_notes"]


def test_a_moved_name_beside_the_former_province_is_not_decided() -> None:
    found = place("Xã Đăk Hà", province="Kon Tum")
    assert key(found) == (None, None, "ambiguous")
    assert codes(found) == ["23425", "23500"]


def test_a_former_district_tells_which_commune_of_a_moved_name_is_meant() -> None:
    glei = place("Xã Đăk Long", district="Huyện Đăk Glei", province="Kon Tum", as_of=BEFORE)
    ha = place("Xã Đăk Long", district="H. Đăk Hà", province="Kon Tum", as_of=BEFORE)
    assert (glei["admin_code"], ha["admin_code"]) == ("23368", "23504")


def test_a_former_district_narrows_new_communes() -> None:
    assert key(place("Xã Hòa Bình"))[2] == "ambiguous"
    found = place("Đăk Pxi", district="Đăk Hà", province="Tỉnh Quảng Ngãi")
    assert key(found) == ("23504", "2026-04-30", "exact_name")


def test_the_new_province_beside_an_old_commune_is_noted() -> None:
    found = place("Xã Vinh Quang", district="Kon Tum", province="Quảng Ngãi", as_of=BEFORE)
    assert key(found) == ("23320", "2024", "exact_name")
    assert found["place_notes"] == ["province_of_other_version"]


def test_the_new_province_beside_a_moved_name_is_ambiguous() -> None:
    found = place("Xã Đăk Hà", province="Quảng Ngãi", as_of=BEFORE)
    assert found["place_status"] == "ambiguous"
    assert {"23425", "23500"} <= set(codes(found))


def test_units_of_two_dates_in_one_table_are_told_apart() -> None:
    frame = pl.DataFrame(
        {"xa": ["Xã Đăk Hà"] * 2, "tinh": ["Kon Tum", "Quảng Ngãi"], "ngay": [BEFORE, AFTER]}
    )
    found = resolve_places(frame, name="xa", province="tinh", as_of="ngay")
    assert found["admin_code"].to_list() == ["23425", "23500"]


def test_districts_and_provinces_resolve_at_their_level() -> None:
    district = place("H. Sa Thầy", province="Kon Tum", as_of=BEFORE, level="district")
    assert key(district) == ("616", "2024", "exact_name")
    assert key(place("H. Sa Thầy", level="district"))[:2] == ("616", "2024")
    province = place("Kon Tum", level="province")
    assert key(province) == ("62", "2024", "name_of_other_version")
    assert codes(province) == ["51"]
    assert key(place("TP. Đồng Nai", level="province")) == ("75", "2026-04-30", "exact_name")


def test_code_51_changed_its_meaning() -> None:
    for day, version in ((BEFORE, "2024"), (AFTER, "2026-04-30")):
        found = place(code="51", as_of=day, level="province")
        assert key(found) == ("51", version, "exact_code")
        assert found["place_notes"] == ["code_reused"]


# ---- shape ---------------------------------------------------------------------------------------


def test_rows_keep_their_order_columns_and_number_whatever_the_shuffle() -> None:
    frame = pl.DataFrame(
        {
            "n": range(6),
            "xa": ["Xã Hòa Bình", None, "Đăk Hà", "Xã Rờ Kơi", "zzz", "Xã Rờ Kơi"],
            "tinh": ["Kon Tum", "Kon Tum", "Kon Tum", None, None, None],
        }
    )
    found = resolve_places(frame, name="xa", province="tinh", as_of=AFTER)
    assert found.select(frame.columns).equals(frame)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    again = resolve_places(shuffled, name="xa", province="tinh", as_of=AFTER).sort("n")
    assert again.equals(found)


def test_every_status_and_note_is_documented() -> None:
    frame = pl.DataFrame(
        {
            "xa": ["Xã Hòa Bình", "Đăk Hà", "zzz", "Xã Đăk Long", "P4", "Xã Măng Đen"],
            "ma": [None, None, "1", "23504", None, "23530"],
        }
    )
    found = resolve_places(frame, name="xa", code="ma", as_of=BEFORE)
    assert set(found["place_status"]) <= set(STATUSES)
    assert set(found["place_notes"].explode().drop_nulls()) <= set(NOTES)


def test_an_empty_table_gives_an_empty_table() -> None:
    frame = pl.DataFrame(schema={"xa": pl.String})
    found = resolve_places(frame, name="xa", as_of=AFTER)
    assert found.height == 0
    assert found.columns[-1] == "place_notes"


@pytest.mark.parametrize("day", [BEFORE, date(2025, 12, 1), AFTER])
def test_every_unit_is_found_by_its_own_name_and_code(day: date) -> None:
    from htx_pipeline.reference.places import admin_units, version_for

    units = admin_units(version=version_for(day), level="commune").select("code", "full_name")
    found = resolve_places(units, name="full_name", code="code", as_of=day)
    assert found.filter(
        (pl.col("admin_code") != pl.col("code")) | (pl.col("place_status") != "exact_code")
    ).is_empty()


def test_every_commune_is_found_by_name_district_and_province_or_is_a_known_namesake() -> None:
    from htx_pipeline.reference.places import admin_units

    units = admin_units(version="2024", level="commune").select(
        "code", "full_name", "district_code", "province_code"
    )
    found = resolve_places(
        units, name="full_name", district="district_code", province="province_code", as_of=BEFORE
    )
    wrong = found.filter((pl.col("admin_code") != pl.col("code")).fill_null(True))
    assert wrong["code"].to_list() == []
