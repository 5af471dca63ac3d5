"""The shipped facts against the published lists: every disagreement is listed and decided."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.reference.admin_units import audit, build
from htx_pipeline.reference.places import admin_links, admin_units, decided

ROOT = Path(__file__).parents[3]
ADMIN = ROOT.parent / "shared" / "data" / "admin"
RAW = "official_conversion_table_2025-07-01_raw.csv"
TIDY = "official_conversion_table_2025-07-01_tidy.csv"

needs_lists = pytest.mark.skipif(
    not (ADMIN / TIDY).exists(),
    reason="the published lists (../shared/data/admin) are not beside this checkout",
)
needs_base = pytest.mark.skipif(
    build.base_folder() is None, reason=f"{build.BASE_DISTRIBUTION} is not installed"
)


def published(file: str, **options: object) -> pl.DataFrame:
    return pl.read_csv(ADMIN / file, infer_schema=False, **options)  # type: ignore[arg-type]


def keys(frame: pl.DataFrame) -> set[tuple[str, ...]]:
    text = frame.select(pl.col(c).fill_null("") for c in audit.DISAGREEMENT_KEY)
    return set(text.iter_rows())


def conversion_table() -> pl.DataFrame:
    table = published(TIDY)
    return table.select(audit.clean(c) for c in table.columns)


@needs_lists
@needs_base
def test_the_listed_disagreements_are_the_ones_the_sources_have() -> None:
    folder = build.base_folder()
    assert folder is not None
    found = audit.disagreements(
        build.read_base(folder),
        conversion_table=published(TIDY),
        communes_2025_01=published("legacy_gso_communes_2025-01-04.csv"),
        communes_2026=published("current_2026-04-30_communes_3321.csv"),
        provinces_2026=published("current_2026-04-30_provinces_34.csv"),
    )
    listed = decided()
    assert keys(found) == keys(listed)
    assert not listed.select(audit.DISAGREEMENT_KEY).is_duplicated().any()


@needs_base
def test_the_shipped_tables_are_what_the_base_and_the_decisions_make() -> None:
    folder = build.base_folder()
    assert folder is not None
    for name, frame in build.build(build.read_base(folder)).items():
        assert frame.write_csv() == (build.DATA / name).read_text(encoding="utf-8"), name


@needs_base
def test_a_decision_that_no_longer_fits_fails_loudly(tmp_path: Path) -> None:
    folder = build.base_folder()
    assert folder is not None
    for file in build.DATA.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "split_notes.csv").open("a", encoding="utf-8") as notes:
        notes.write("99999,00004,some,none\n")
    with pytest.raises(build.InputError) as error:
        build.build(build.read_base(folder), data=tmp_path)
    assert error.value.code == "stale_decision"


@needs_lists
def test_every_official_pair_is_a_link_but_for_three_misprinted_rows() -> None:
    table = conversion_table().filter(pl.col("old_commune_code").is_not_null())
    official = set(table.select("old_commune_code", "new_commune_code").iter_rows())
    links = admin_links(from_version="2024", to_version="2025-07-01")
    links = links.filter(pl.col("from_code").str.len_chars() == 5)
    ours = set(links.select("from_code", "to_code").iter_rows())
    misprinted = {("00553", "00562"), ("01615", "01648"), ("02485", "02494")}
    assert official - ours == misprinted
    assert ours - official == {("00556", "00562"), ("01651", "01648"), ("02482", "02494")}


@needs_lists
def test_a_part_that_moved_is_a_part_here_and_a_whole_a_whole() -> None:
    table = conversion_table().filter(pl.col("old_commune_code").is_not_null())
    links = admin_links(from_version="2024", to_version="2025-07-01")
    both = table.join(
        links,
        left_on=["old_commune_code", "new_commune_code"],
        right_on=["from_code", "to_code"],
    )
    is_part = pl.col("note").str.contains("một phần")
    odd = both.filter(is_part != (pl.col("relation") == "part"))
    # 18796: "all of the area", yet people went to two other units as well
    assert set(odd["old_commune_code"]) <= {"18796"}
    people = both.filter(pl.col("note").str.contains("toàn bộ dân số"))
    assert people["population_weight"].is_in([1.0, None]).all()
    assert (people["population_weight"] == 1.0).sum() > 50


@needs_lists
def test_the_raw_table_says_the_same_as_the_tidy_one() -> None:
    cells = published(RAW, skip_rows=2, has_header=False)
    _, _, new, _, old, *_ = cells.columns
    raw = cells.select(new=pl.col(new).str.strip_chars(), old=pl.col(old).str.strip_chars())
    raw = raw.filter(pl.col("new").is_not_null() & (pl.col("new") != "")).with_columns(
        pl.col("old").replace("", None)
    )
    tidy = conversion_table().select(new="new_commune_code", old="old_commune_code")
    assert raw.sort("new", "old").equals(tidy.sort("new", "old"))


@needs_lists
def test_the_units_in_force_are_those_of_the_current_list() -> None:
    current = published("current_2026-04-30_communes_3321.csv")
    theirs = {
        (c, p, n.casefold())
        for c, p, n in current.select(
            "commune_code", "province_code", audit.clean("full_name")
        ).iter_rows()
    }
    units = admin_units(version="2026-04-30", level="commune")
    ours = {
        (c, p, n.casefold())
        for c, p, n in units.select("code", "province_code", "full_name").iter_rows()
    }
    reasons = {
        r["code"]: r["reason"]
        for r in decided()
        .filter(pl.col("topic").is_in(["name_2026", "code_2026"]))
        .iter_rows(named=True)
    }
    for code, _, _ in ours ^ theirs:
        assert reasons[code] in {"tone_mark_position", "code_in_one_source"}


@pytest.mark.parametrize(
    ("topic", "code", "reason"),
    [
        ("parent_2024", "27691", "province_misprint"),
        ("parent_2024", "30781", "province_misprint"),
        ("commune_2025", "24496", "lost_tone_mark"),
        ("uncoded_part", "536", "district_without_communes"),
        ("uncoded_part", "376", "territory_without_unit"),
        ("link", "25462", "same_name_in_new_province"),
        ("link", "09013", "base_missing_link"),
        ("link", "01651", "code_misprint"),
        ("code_2026", "06978", "code_in_one_source"),
    ],
)
def test_the_known_errors_of_the_sources_are_decided(topic: str, code: str, reason: str) -> None:
    rows = decided().filter(pl.col("topic") == topic, pl.col("code") == code)
    assert rows["reason"].unique().to_list() == [reason]


def test_decided_errors_are_right_in_the_shipped_units() -> None:
    units = admin_units()
    tan_an = units.filter(pl.col("code") == "27691", pl.col("version") == "2024")
    assert tan_an.select("district_code", "province_code").row(0) == ("794", "80")
    ea_kly = units.filter(pl.col("code") == "24496", pl.col("version") == "2025-07-01")
    assert ea_kly["full_name"].to_list() == ["Xã Ea Kly"]
    assert units.filter(
        ~pl.col("full_name").str.normalize("NFC").eq(pl.col("full_name"))
    ).is_empty()


def test_disagreements_are_found_and_none_is_invented() -> None:
    base = audit.BaseTables(
        provinces_2024=pl.DataFrame({"code": ["01"], "full_name": ["Tỉnh A"]}),
        provinces_2025=pl.DataFrame({"code": ["01"], "full_name": ["Tỉnh A"]}),
        districts_2024=pl.DataFrame(
            {"code": ["001"], "province_code": ["01"], "full_name": ["Huyện B"]}
        ),
        communes_2024=pl.DataFrame(
            {
                "code": ["00001", "00002"],
                "district_code": ["001", "001"],
                "full_name": ["Xã C", "Xã D"],
            }
        ),
        communes_2025=pl.DataFrame(
            {"code": ["00001"], "province_code": ["01"], "full_name": ["Xã C"], "area_km2": [1.0]}
        ),
        links=pl.DataFrame({"from_code": ["00001", "00002"], "to_code": ["00001", "00001"]}),
    )
    same = {
        "new_province_code": ["01", "01"],
        "new_province": ["Tỉnh A", "Tỉnh A"],
        "new_commune_code": ["00001", "00001"],
        "new_commune": ["Xã C", "Xã  C "],
        "old_commune_code": ["00001", "00002"],
        "old_commune": ["Xã C", "Xã D"],
        "note": ["Nhập toàn bộ", "Nhập toàn bộ"],
        "old_district_code": ["001", "001"],
        "old_district": ["Huyện B", "Huyện B"],
        "old_province_code": ["01", "01"],
        "old_province": ["Tỉnh A", "Tỉnh A"],
    }
    lists = {
        "communes_2025_01": pl.DataFrame(
            {"Mã QH": ["001", "001"], "Mã PX": ["00001", "00002"], "Phường Xã": ["Xã C", "Xã D"]}
        ),
        "communes_2026": pl.DataFrame(
            {"commune_code": ["00001"], "full_name": ["Xã C"], "province_code": ["01"]}
        ),
        "provinces_2026": pl.DataFrame({"province_code": ["01"], "full_name": ["Tỉnh A"]}),
    }
    assert audit.disagreements(base, conversion_table=pl.DataFrame(same), **lists).is_empty()
    wrong = {**same, "old_commune": ["Xã C", "Xã Đ"], "old_province_code": ["01", "02"]}
    wrong["new_commune_code"] = ["00001", "00009"]
    found = audit.disagreements(base, conversion_table=pl.DataFrame(wrong), **lists)
    assert {(r["topic"], r["code"]) for r in found.iter_rows(named=True)} == {
        ("commune_2024", "00002"),
        ("commune_2025", "00009"),
        ("link", "00002"),
        ("parent_2024", "00002"),
        ("province_2024", "02"),
    }
