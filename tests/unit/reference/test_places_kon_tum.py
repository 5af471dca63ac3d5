"""Former Kon Tum: 102 old communes, 40 new ones, every code reused. Typed from the published table."""

from __future__ import annotations

import polars as pl
import pytest

from htx_pipeline.reference.places import (
    admin_links,
    admin_units,
    convert,
    old_district_of,
    old_districts,
)

# new code | new full name | km2 | old district | old communes (name, code)
CROSSWALK = """
23284|Phường Đăk Cấm|66.33|608|Phường Duy Tân 23284;Phường Ngô Mây 23296;Xã Đăk Cấm 23311
23293|Phường Kon Tum|19.14|608|Phường Quang Trung 23281;Phường Quyết Thắng 23287;Phường Trường Chinh 23290;Phường Thắng Lợi 23293;Phường Thống Nhất 23299
23302|Phường Đăk Bla|14.98|608|Phường Lê Lợi 23302;Phường Nguyễn Trãi 23305;Phường Trần Hưng Đạo 23308
23317|Xã Ngọk Bay|62.09|608|Xã Kroong 23314;Xã Ngọk Bay 23317;Xã Vinh Quang 23320
23326|Xã Ia Chim|115.49|608|Xã Ia Chim 23326;Xã Đăk Năng 23327;Xã Đoàn Kết 23329
23332|Xã Đăk Rơ Wa|157.98|608|Xã Đăk Blà 23323;Xã Chư Hreng 23332;Xã Đăk Rơ Wa 23335;Xã Hòa Bình 23338
23341|Xã Đăk Pék|182.72|610|Thị trấn Đăk Glei 23341;Xã Đăk Pék 23353
23344|Xã Đăk Plô|433.41|610|Xã Đăk Blô 23344;Xã Đăk Man 23347;Xã Đăk Nhoong 23350
23356|Xã Xốp|265.86|610|Xã Đăk Choong 23356;Xã Xốp 23359
23365|Xã Ngọc Linh|180.35|610|Xã Mường Hoong 23362;Xã Ngọc Linh 23365
23368|Xã Đăk Long|280.50|610|Xã Đăk Long 23368
23374|Xã Đăk Môn|150.80|610|Xã Đăk Kroong 23371;Xã Đăk Môn 23374
23377|Xã Bờ Y|242.11|611|Thị trấn Plei Kần 23377;Xã Đăk Xú 23389;Xã Pờ Y 23395
23383|Xã Dục Nông|321.99|611|Xã Đăk Ang 23380;Xã Đăk Dục 23383;Xã Đăk Nông 23386
23392|Xã Sa Loong|275.26|611|Xã Đăk Kan 23392;Xã Sa Loong 23398
23401|Xã Đăk Tô|218.38|612|Thị trấn Đăk Tô 23401;Xã Tân Cảnh 23437;Xã Diên Bình 23440;Xã Pô Kô 23443
23416|Xã Đăk Sao|172.29|617|Xã Đăk Na 23407;Xã Đăk Sao 23416
23419|Xã Đăk Tờ Kan|131.84|617|Xã Đăk Rơ Ông 23417;Xã Đăk Tờ Kan 23419
23425|Xã Tu Mơ Rông|152.13|617|Xã Tu Mơ Rông 23422;Xã Đăk Hà 23425
23428|Xã Ngọk Tụ|160.97|612|Xã Đăk Rơ Nga 23427;Xã Ngọk Tụ 23428
23430|Xã Kon Đào|129.34|612|Xã Đăk Trăm 23430;Xã Văn Lem 23431;Xã Kon Đào 23434
23446|Xã Măng Ri|401.18|617|Xã Ngọk Lây 23404;Xã Măng Ri 23410;Xã Ngọk Yêu 23413;Xã Tê Xăng 23446;Xã Văn Xuôi 23449
23455|Xã Măng Bút|417.53|613|Xã Đăk Nên 23452;Xã Đăk Ring 23455;Xã Măng Bút 23458
23473|Xã Măng Đen|396.93|613|Xã Đăk Tăng 23461;Xã Măng Cành 23470;Thị trấn Măng Đen 23473
23476|Xã Kon Plông|556.80|613|Xã Ngọc Tem 23464;Xã Pờ Ê 23467;Xã Hiếu 23476
23479|Xã Đăk Rve|212.54|614|Thị trấn Đăk Rve 23479;Xã Đăk Pne 23491
23485|Xã Đăk Kôi|450.48|614|Xã Đăk Kôi 23482;Xã Đăk Tơ Lung 23485
23497|Xã Kon Braih|250.89|614|Xã Đăk Ruồng 23488;Xã Đăk Tờ Re 23494;Xã Tân Lập 23497
23500|Xã Đăk Hà|104.08|615|Thị trấn Đăk Hà 23500;Xã Hà Mòn 23521;Xã Đăk La 23524
23504|Xã Đăk Pxi|325.35|615|Xã Đăk Pxi 23503;Xã Đăk Long 23504
23510|Xã Đăk Ui|132.52|615|Xã Đăk Ui 23509;Xã Đăk Ngọk 23510
23512|Xã Đăk Mar|112.79|615|Xã Đăk Hring 23506;Xã Đăk Mar 23512
23515|Xã Ngọk Réo|170.29|615|Xã Ngọk Wang 23515;Xã Ngọk Réo 23518
23527|Xã Sa Thầy|137.89|616|Thị trấn Sa Thầy 23527;Xã Sa Nhơn 23533;Xã Sa Sơn 23539
23530|Xã Rờ Kơi|298.29|616|Xã Rờ Kơi 23530
23534|Xã Sa Bình|140.32|616|Xã Hơ Moong 23534;Xã Sa Nghĩa 23542;Xã Sa Bình 23545
23535|Xã Ia Đal|218.11|618|Xã Ia Đal 23535
23536|Xã Mô Rai|583.92|616|Xã Mô Rai 23536
23538|Xã Ia Tơi|762.10|618|Xã Ia Dom 23537;Xã Ia Tơi 23538
23548|Xã Ya Ly|271.31|616|Xã Ya Xiêr 23548;Xã Ya Tăng 23551;Xã Ya Ly 23554
"""

ROWS = [line.split("|") for line in CROSSWALK.strip().splitlines()]
OLD = [
    (old.rsplit(" ", 1)[1], old.rsplit(" ", 1)[0], new, district)
    for new, _, _, district, communes in ROWS
    for old in communes.split(";")
]
NEW_VERSIONS = ["2025-07-01", "2026-04-30"]


def names(version: str) -> dict[str, str]:
    units = admin_units(version=version, level="commune", province_2024="62")
    return dict(units.select("code", "full_name").iter_rows())


def test_the_typed_table_has_the_published_size() -> None:
    assert (len(ROWS), len(OLD)) == (40, 102)


def test_old_communes_have_their_names_and_districts() -> None:
    units = admin_units(version="2024", level="commune", province="62")
    found = set(units.select("code", "full_name", "district_code").iter_rows())
    assert found == {(code, name, district) for code, name, _, district in OLD}


@pytest.mark.parametrize("version", NEW_VERSIONS)
def test_new_communes_have_their_names_and_areas(version: str) -> None:
    units = admin_units(version=version, level="commune", province_2024="62")
    found = {c: (n, a) for c, n, a in units.select("code", "full_name", "area_km2").iter_rows()}
    assert found == {
        code: (name, pytest.approx(float(area), abs=0.006)) for code, name, area, _, _ in ROWS
    }
    assert units["area_km2"].sum() == pytest.approx(9677.28, abs=0.01)


@pytest.mark.parametrize("version", NEW_VERSIONS)
def test_every_old_commune_lies_whole_in_its_new_one(version: str) -> None:
    frame = pl.DataFrame({"code": [code for code, *_ in OLD], "members": range(102)})
    found = convert(frame, code="code", from_version="2024", to_version=version, values=["members"])
    assert found["to_code"].to_list() == [new for _, _, new, _ in OLD]
    assert found["relation"].unique().to_list() == ["whole"]
    assert found["weight"].unique().to_list() == [1.0]
    assert found["members"].equals(frame["members"])


@pytest.mark.parametrize("version", NEW_VERSIONS)
def test_old_districts_continue_exactly(version: str) -> None:
    for code, _, _, district, _ in ROWS:
        assert old_district_of(code, version)[0::2] == (district, True)
    codes = {row[0] for row in ROWS}
    assert old_districts(version).filter(pl.col("code").is_in(codes))["is_exact"].all()


def test_codes_are_reused_as_often_as_counted() -> None:
    old, new = names("2024"), names("2026-04-30")
    short = {
        version: dict(
            admin_units(version=version, level="commune", province_2024="62")
            .select("code", "name")
            .iter_rows()
        )
        for version in ("2024", "2026-04-30")
    }
    links = admin_links(from_version="2026-04-30", to_version="2024").filter(
        pl.col("from_code").is_in(list(new))
    )
    larger = set(links.filter(pl.col("n_targets") > 1)["from_code"])
    assert set(new) <= set(old)
    assert len(larger) == 36
    assert sum(old[c] != new[c] for c in new) == 27
    assert sum(short["2024"][c] != short["2026-04-30"][c] for c in new) == 22


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("23500", "Thị trấn Đăk Hà", "Xã Đăk Hà"),
        ("23504", "Xã Đăk Long", "Xã Đăk Pxi"),
        ("23425", "Xã Đăk Hà", "Xã Tu Mơ Rông"),
        ("23392", "Xã Đăk Kan", "Xã Sa Loong"),
    ],
)
def test_a_reused_code_names_another_unit(code: str, before: str, after: str) -> None:
    assert (names("2024")[code], names("2026-04-30")[code]) == (before, after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("Xã Đăk Hà", {"23425"}, {"23500"}), ("Xã Đăk Long", {"23368", "23504"}, {"23368"})],
)
def test_two_names_moved(name: str, before: set[str], after: set[str]) -> None:
    for version, codes in (("2024", before), ("2026-04-30", after)):
        assert {c for c, n in names(version).items() if n == name} == codes


def test_code_51_means_another_province_after_the_reform() -> None:
    assert admin_units(version="2024", level="commune", province="51").height == 170
    new = admin_units(version="2026-04-30", level="commune", province="51")
    assert new["kind"].value_counts().sort("kind").rows() == [
        ("phường", 9),
        ("xã", 86),
        ("đặc khu", 1),
    ]
    links = admin_links(from_version="2024", to_version="2026-04-30")
    into = links.filter(pl.col("to_code") == "51")
    assert into["from_code"].to_list() == ["51", "62"]
    province = admin_units(version="2026-04-30", level="province", province="51")
    assert province["province_2024_code"].to_list() == [None]


def test_pushing_new_communes_back_is_not_answered_for_36_of_40() -> None:
    frame = pl.DataFrame({"code": [row[0] for row in ROWS], "members": [100] * 40})
    found = convert(
        frame, code="code", from_version="2026-04-30", to_version="2024", values=["members"]
    )
    assert found.height == 102
    certain = found.filter("is_weight_known")
    assert certain["members"].to_list() == [100] * 4
    assert found.filter(~pl.col("is_weight_known"))["members"].null_count() == 98
