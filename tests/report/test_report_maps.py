"""Maps: whom they count and where, boundaries that do not fit, names that do not touch, islands at sea."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.reference.admin_units.points import commune_points
from htx_pipeline.reference.places import LATEST, admin_units
from htx_pipeline.report import maps
from htx_pipeline.report.boundaries import read_boundaries
from htx_pipeline.report.figures import render
from htx_pipeline.report.frames import Frames
from htx_pipeline.report.geography import geography_of
from htx_pipeline.report.labelling import Box, Name, place_names
from htx_pipeline.report.model import _Pages
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.schemas import TABLES

KON_TUM = ("23500", "23504", "23510", "23512", "23515", "23401", "23430", "23473")


def square(code: str, *, size: float = 0.1, x: float | None = None, y: float | None = None) -> dict:
    """Return a feature around the commune's point."""
    east, north = commune_points()[code] if x is None or y is None else (x, y)
    ring = [[east - size, north - size], [east + size, north - size], [east + size, north + size], [east - size, north + size], [east - size, north - size]]  # fmt: skip
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}  # fmt: skip


def write(path: Path, features: list[dict]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def frames(codes: dict[str, int], *, version: str = LATEST, reports: bool = True) -> dict:
    """Return a province: so many cooperatives in each commune, a mill in the first, all linked to it."""
    rows = [
        {"org_id": f"{code}{i:05d}", "legal_type": "htx", "name": f"HTX {code} {i}", "admin_code": code, "admin_version": version}
        for code, n in codes.items() for i in range(n)
    ]  # fmt: skip
    rows.append({"org_id": "mill", "legal_type": "enterprise", "name": "Nhà máy", "admin_code": next(iter(codes)), "admin_version": version})  # fmt: skip
    links = [{"linkage_id": r["org_id"], "supplier_id": r["org_id"], "buyer_id": "mill", "product_code": "cassava", "evidence": "signed"} for r in rows[:-1]]  # fmt: skip
    made = {
        "core/organisations": TABLES["organisations"].conform(pl.DataFrame([{"period": "2025", **r} for r in rows])),
        "core/linkages": TABLES["linkages"].conform(pl.DataFrame([{"period": "2025", **r} for r in links])),
        "metrics/cluster_members": pl.DataFrame([{"period": "2025", "cluster_id": "c-1", "stage": "processing" if r["org_id"] == "mill" else "production", **r} for r in rows]),
    }  # fmt: skip
    if reports:
        sent = [{"period": "2025", "org_id": r["org_id"]} for r in rows[:-1]]
        made["core/cooperative_reports"] = TABLES["cooperative_reports"].conform(pl.DataFrame(sent))
    return made


def pages(made: dict, **options: object) -> _Pages:
    chosen = ReportOptions(title="Tỉnh mẫu", as_of=date(2025, 12, 15), **options)
    return _Pages(Frames(made, period="2025"), chosen, None)


# --------------------------------------------------------------------------- boundaries


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("not json", "boundaries_invalid"),
        ("[]", "boundaries_invalid"),
        ('{"type": "Feature"}', "boundaries_invalid"),
        ('{"type": "FeatureCollection", "features": []}', "boundaries_invalid"),
        ('{"type": "Topology", "objects": {}, "arcs": []}', "boundaries_invalid"),
    ],
)
def test_a_file_that_holds_no_boundaries_is_a_clear_error(
    tmp_path: Path, content: str, code: str
) -> None:
    path = tmp_path / "x.geojson"
    path.write_text(content)
    with pytest.raises(InputError) as raised:
        read_boundaries(path)
    assert raised.value.code == code
    assert str(path) in raised.value.where
    assert raised.value.remedy


def test_an_absent_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="boundaries_file"):
        read_boundaries(tmp_path / "none.geojson")


def test_a_property_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path / "x.geojson", [square("23500")])
    with pytest.raises(InputError, match=r"no property 'ma_xa'[\s\S]*properties present: code"):
        read_boundaries(path, code_property="ma_xa")


def test_codes_of_older_communes_are_refused_even_where_some_are_used_again(tmp_path: Path) -> None:
    old = [square("23500"), square("23503", x=107.9, y=14.6)]
    with pytest.raises(InputError, match=r"1 of 2 codes, for example 23503"):
        read_boundaries(write(tmp_path / "old.geojson", old))


def test_metres_and_lines_are_refused(tmp_path: Path) -> None:
    metres = write(tmp_path / "m.geojson", [square("23500", x=550_000.0, y=1_590_000.0)])
    with pytest.raises(InputError, match="EPSG:4326"):
        read_boundaries(metres)
    line = {**square("23500"), "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    with pytest.raises(InputError, match="its type is LineString"):
        read_boundaries(write(tmp_path / "l.geojson", [line]))


def test_boundaries_of_another_province_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "hanoi.geojson", [square("00004")])
    with pytest.raises(InputError, match="has no commune of the province"):
        pages(frames({"23500": 2}), boundaries_file=path).map_figure("province", "p")


def test_numbers_without_leading_zeros_and_parts_of_one_commune_are_joined(tmp_path: Path) -> None:
    one = square("00004")
    one["properties"]["code"] = 4
    two = square("00004", size=0.05, x=106.5, y=21.0)
    found = read_boundaries(write(tmp_path / "x.geojson", [one, two]))
    assert list(found) == ["00004"]
    assert found["00004"].geom_type == "MultiPolygon"


def test_topojson_gives_the_shapes_of_the_same_geojson(tmp_path: Path) -> None:
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.01, 0.01], "translate": [107.0, 14.0]},
        # Two squares that share an edge: the second walks it backward.
        "arcs": [[[10, 0], [0, 10]], [[10, 10], [-10, 0], [0, -10], [10, 0]], [[10, 0], [10, 0], [0, 10], [-10, 0]]],
        "objects": {
            "xa": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]], "properties": {"ma": "23500"}},
                    {"type": "MultiPolygon", "arcs": [[[2, -1]]], "properties": {"ma": "23504"}},
                ],
            }
        },
    }  # fmt: skip
    path = tmp_path / "x.topojson"
    path.write_text(json.dumps(topology))
    found = read_boundaries(path, code_property="ma")
    assert {c: tuple(round(v, 6) for v in g.bounds) for c, g in found.items()} == {
        "23500": (107.0, 14.0, 107.1, 14.1), "23504": (107.1, 14.0, 107.2, 14.1),
    }  # fmt: skip
    assert all(g.area == pytest.approx(0.01) for g in found.values())


def test_a_shapefile_gives_its_shapes_and_half_of_one_is_a_clear_error(tmp_path: Path) -> None:
    import shapefile

    with shapefile.Writer(str(tmp_path / "xa.shp")) as made:
        made.field("code", "C", 5)
        made.poly([[[107.0, 14.0], [107.0, 14.1], [107.1, 14.1], [107.1, 14.0], [107.0, 14.0]]])
        made.record("23500")
    assert read_boundaries(tmp_path / "xa.shp")["23500"].bounds == (107.0, 14.0, 107.1, 14.1)
    (tmp_path / "xa.shp").write_bytes(b"x" * 50)
    with pytest.raises(InputError, match="shapefile cannot be read"):
        read_boundaries(tmp_path / "xa.shp")


def test_the_real_boundaries_hold_every_point(shared_data: Path) -> None:
    import shapely

    shapes = read_boundaries(
        shared_data / "boundaries" / "communes_51_quang_ngai_simplified_0.002.geojson"
    )
    own = admin_units(version=LATEST, level="commune", province="51")["code"].to_list()
    assert sorted(shapes) == sorted(own)
    assert [c for c in own if not shapes[c].contains(shapely.Point(*commune_points()[c]))] == []


# --------------------------------------------------------------------------- where organisations are


def test_every_commune_in_force_has_a_point_in_the_country() -> None:
    points = commune_points()
    assert set(points) == set(admin_units(version=LATEST, level="commune")["code"])
    assert len(set(points.values())) == len(points)
    assert all(102 < p.longitude < 115 and 8 < p.latitude < 24 for p in points.values())


def test_old_communes_are_counted_where_they_lie_today() -> None:
    # 23503 (Xã Đăk Pxi of 2024) is part of the 23504 of today; the old 23504 too.
    made = frames({"23503": 2, "23504": 3}, version="2024")
    figure = pages(made).map_figure("c-1", "p")
    assert [(r["code"], r["n"]) for r in figure.data.rows] == [("23504", 6)]


def test_what_lies_far_at_sea_is_kept_in_a_box_of_its_own() -> None:
    for province, far in (("56", "22736"), ("48", "20333")):
        codes = admin_units(version=LATEST, level="commune", province=province)["code"].to_list()
        home = [c for c in codes if c != far][:6]
        made = frames(dict.fromkeys(home, 2))
        geography = geography_of(Frames(made, period="2025"))
        assert geography.far == (far,)
        figure = pages(made).map_figure("province", "p")
        name = admin_units(version=LATEST, level="commune").filter(pl.col("code") == far)["full_name"].item()  # fmt: skip
        assert [i["label"] for i in figure.spec["islands"]] == [name]
        assert name.split()[-1] in render(figure.spec).svg.decode()
        west, south, east, north = figure.spec["view"]
        assert (east - west) / 100 < 400
        assert (north - south) / 100 < 400


def test_a_commune_is_hatched_only_where_nothing_is_known_of_it(tmp_path: Path) -> None:
    made = frames({"23500": 3, "23473": 1, "23401": 1, "23504": 1, "23510": 1})
    # The one of 23510 is not in the cluster; the one of 23504 neither, and sent no report.
    made["metrics/cluster_members"] = made["metrics/cluster_members"].filter(
        pl.col("admin_code").is_in(["23500", "23473", "23401"])
    )
    made["core/cooperative_reports"] = made["core/cooperative_reports"].filter(
        ~pl.col("org_id").str.starts_with("23504")
    )
    path = write(tmp_path / "x.geojson", [square(c, size=0.04) for c in KON_TUM])
    spec = pages(made, boundaries_file=path).map_figure("c-1", "p").spec
    levels = {c["gid"]: c["level"] for c in spec["communes"]}
    assert levels["commune-23473"] == 0
    assert levels["commune-23504"] == -1
    assert levels["commune-23510"] is None
    assert "chưa có số liệu" in render(spec).svg.decode()


def test_without_places_there_is_no_map() -> None:
    made = frames({"23500": 2})
    made["core/organisations"] = made["core/organisations"].with_columns(
        pl.lit(None, pl.String).alias("admin_code")
    )
    assert pages(made).map_figure("province", "p") is None


def test_organisations_without_a_commune_are_counted_under_the_map() -> None:
    made = frames({"23500": 3, "23504": 1})
    made["core/organisations"] = made["core/organisations"].with_columns(
        pl.when(pl.col("org_id") == "2350400000").then(None).otherwise("admin_code").alias("admin_code")
    )  # fmt: skip
    figure = pages(made).map_figure("c-1", "p")
    assert any(n.startswith("1 tổ chức ngoài tỉnh hoặc chưa rõ xã") for n in figure.notes)
    assert sum(r["n"] for r in figure.data.rows) == 4


# --------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("n", [1, 12, 40])
@pytest.mark.parametrize("has_shapes", [False, True])
def test_names_lie_neither_on_each_other_nor_outside_nor_cut(
    tmp_path: Path, n: int, has_shapes: bool
) -> None:
    codes = admin_units(version=LATEST, level="commune", province_2024="62")["code"].to_list()[:n]
    path = write(tmp_path / "x.geojson", [square(c, size=0.03) for c in codes])
    made = frames({c: 1 + i % 7 for i, c in enumerate(codes)})
    options = {"boundaries_file": path} if has_shapes else {}
    spec = pages(made, **options).map_figure("c-1", "p").spec
    panel = Box(0.02, 0.02, 0.02 + spec["size"][0], 0.02 + spec["size"][1])
    _, places, bar = maps.map_names(spec, maps._fit(spec["view"], panel), panel)
    boxes = [p.box for p in places if p]
    assert boxes
    assert all(not a.meets(b) for a, b in itertools.combinations([*boxes, bar], 2))
    assert all(b.within(panel) for b in boxes)
    svg = render(spec).svg.decode()
    assert "…" not in svg
    for name, place in zip(spec["names"], places, strict=True):
        assert (name["words"] in svg) == (place is not None)
    missing = spec["n_unnamed"] + sum(p is None for p in places)
    assert (f"{missing} xã không ghi tên" in svg) == (missing > 0)


def test_a_name_without_room_is_left_out_whole() -> None:
    crowd = [Name(1, 1, 0.9, 0.15) for _ in range(60)]
    places = place_names(crowd, bounds=Box(0, 0, 2, 2))
    kept = [p.box for p in places if p]
    assert 0 < len(kept) < len(crowd)
    assert all(not a.meets(b) for a, b in itertools.combinations(kept, 2))


def test_every_part_that_can_be_asked_is_in_the_picture() -> None:
    figure = pages(frames(dict.fromkeys(KON_TUM, 2))).map_figure("province", "p")
    ids = set(re.findall(r'id="([^"]+)"', render(figure.spec).svg.decode()))
    asked = {m["gid"] for m in figure.spec["marks"] if m["gid"].removeprefix("commune-") in KON_TUM}
    assert asked == {f"commune-{c}" for c in KON_TUM}
    assert asked <= ids
    assert len(re.findall(r'id="commune-', render(figure.spec).svg.decode())) == len(
        {i for i in ids if i.startswith("commune-")}
    )


def test_a_map_is_the_same_bytes_whatever_the_order_of_rows_and_the_form_of_letters() -> None:
    made = frames(dict.fromkeys(KON_TUM, 3))
    mixed = {k: f.sample(fraction=1, shuffle=True, seed=7) for k, f in made.items()}
    one, two = (pages(m).map_figure("c-1", "p") for m in (made, mixed))
    assert one.spec == two.spec
    assert render(one.spec) == render(two.spec)
    apart = json.loads(unicodedata.normalize("NFD", json.dumps(one.spec, ensure_ascii=False)))
    # A letter taken apart is drawn from the same font; a glyph not found would be a warning.
    assert render(apart).svg


def test_english_pages_have_english_words() -> None:
    made = frames(dict.fromkeys(KON_TUM, 3))
    chosen = ReportOptions(title="x", as_of=date(2025, 12, 15))
    figure = _Pages(Frames(made, period="2025"), chosen, None, lang="en").map_figure("c-1", "p-en")
    svg = render(figure.spec).svg.decode()
    assert "Members" in svg
    assert "Thành viên" not in svg
