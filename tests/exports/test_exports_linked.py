"""GeoJSON, JSON-LD and EPCIS: places, triples, events."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from itertools import pairwise

import polars as pl
import pytest
import shapely

from htx_pipeline.exports import epcis, essglobal, geo
from htx_pipeline.reference.admin_units.points import commune_points
from htx_pipeline.reference.places import LATEST, admin_links, old_districts
from htx_pipeline.schemas import TABLES

# rdflib 7.6 warns of a class that its own JSON-LD parser uses.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

BASE = "https://htx.example.org/id/"


def collections(made) -> dict[str, dict]:
    return {n.removesuffix(".geojson"): json.loads(d) for n, d in made.files.items()}


def test_a_feature_without_a_known_place_has_a_null_geometry_and_is_counted(frames, options):
    made = geo.write_geojson(frames, options)
    found = collections(made)["organisations"]
    placed = {f["id"]: f["geometry"] for f in found["features"]}
    # 2 lacks its longitude, 3 lies nowhere on earth: both are in a commune that is known.
    point = commune_points()["23284"]
    by_commune = {
        "type": "Point",
        "coordinates": [round(point.longitude, 6), round(point.latitude, 6)],
    }
    assert placed == {**dict.fromkeys("4567"), "1": {"type": "Point", "coordinates": [108.0, 14.35]}, "2": by_commune, "3": by_commune}  # fmt: skip
    precision = {f["id"]: f["properties"]["location_precision"] for f in found["features"]}
    assert precision == {**dict.fromkeys("4567"), "1": "stated", "2": "commune", "3": "commune"}
    assert made.counts["organisations_without_geometry"] == found["n_without_geometry"] == 4
    assert made.counts["organisations_at_commune"] == 2
    assert made.counts["impossible_coordinates"] == 1


def test_an_old_commune_leads_to_the_one_it_became_and_a_split_one_nowhere(frames, options):
    links = admin_links(from_version="2024", to_version=LATEST)
    parts = links.group_by("from_code").agg(pl.col("to_code").sort(), n=pl.len())
    whole, split = (
        parts.filter(pl.col("n") == 1, pl.col("to_code").list.first().is_in(list(commune_points())))
        .sort("from_code")
        .row(0, named=True),
        parts.filter(pl.col("n") > 1).sort("from_code").row(0, named=True),
    )
    at = pl.col("org_id")
    organisations = frames["core/organisations"].with_columns(
        pl.when(at == "4").then(pl.lit(whole["from_code"])).when(at == "5").then(pl.lit(split["from_code"])).otherwise("admin_code").alias("admin_code"),
        pl.when(at.is_in(["4", "5"])).then(pl.lit("2024")).otherwise("admin_version").alias("admin_version"),
    )  # fmt: skip
    found = collections(geo.write_geojson({**frames, "core/organisations": organisations}, options))["organisations"]  # fmt: skip
    by_id = {f["id"]: f for f in found["features"]}
    point = commune_points()[whole["to_code"][0]]
    assert by_id["4"]["geometry"]["coordinates"] == [round(point.longitude, 6), round(point.latitude, 6)]  # fmt: skip
    assert by_id["4"]["properties"]["location_precision"] == "commune"
    assert by_id["5"]["geometry"] is None
    assert by_id["5"]["properties"]["location_precision"] is None


def test_features_are_as_rfc_7946_asks(frames, options):
    for name, found in collections(geo.write_geojson(frames, options)).items():
        assert found["type"] == "FeatureCollection"
        assert "crs" not in found
        ids = [f["id"] for f in found["features"]]
        assert len(set(ids)) == len(ids) == len(found["features"]), name
        for f in found["features"]:
            assert set(f) == {"type", "id", "geometry", "properties"}
            assert f["type"] == "Feature"


def test_a_commune_is_named_by_code_and_version_and_counts_its_organisations(frames, options):
    found = collections(geo.write_geojson(frames, options))["communes"]
    by_id = {f["id"]: f["properties"] for f in found["features"]}
    assert by_id["23504@2025-07-01"]["full_name"] == "Xã Đăk Pxi"
    assert by_id["23284@2025-07-01"]["n_organisations"] == 2
    assert by_id["23284@2025-07-01"]["n_enterprise"] == 1


def test_a_commune_of_today_is_a_point_inside_it_and_one_of_before_is_nowhere(frames, options):
    old = pl.when(pl.col("org_id") == "1").then(pl.lit("2024")).otherwise("admin_version")
    organisations = frames["core/organisations"].with_columns(old.alias("admin_version"))
    made = geo.write_geojson({**frames, "core/organisations": organisations}, options)
    found = {f["id"]: f for f in collections(made)["communes"]["features"]}
    assert found["23504@2024"]["geometry"] is None
    assert found["23504@2024"]["properties"]["full_name"] == "Xã Đăk Long"
    today = found["23284@2025-07-01"]
    assert today["properties"]["place_basis"] == "point"
    longitude, latitude = today["geometry"]["coordinates"]
    assert 107 < longitude < 109
    assert 13 < latitude < 16
    assert made.counts["communes_without_geometry"] == 1


def test_a_boundary_given_is_wound_against_the_clock(frames, options, tmp_path):
    clockwise = [[[108, 14], [108, 15], [109, 15], [109, 14], [108, 14]]]
    given = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"ma": "23504"}, "geometry": {"type": "Polygon", "coordinates": clockwise}}]}  # fmt: skip
    path = tmp_path / "xa.geojson"
    path.write_text(json.dumps(given), encoding="utf-8")
    more = options.model_copy(update={"boundaries_file": path, "boundaries_code": "ma"})
    found = {f["id"]: f for f in collections(geo.write_geojson(frames, more))["communes"]["features"]}  # fmt: skip
    bounded = found["23504@2025-07-01"]
    assert bounded["properties"]["place_basis"] == "boundary"
    (ring,) = bounded["geometry"]["coordinates"]
    assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2 == 1
    assert found["23284@2025-07-01"]["properties"]["place_basis"] == "point"


def test_a_cluster_lies_where_its_placed_members_lie(frames, options):
    point = commune_points()["23284"]
    (cluster,) = collections(geo.write_geojson(frames, options))["clusters"]["features"]
    assert cluster["geometry"] == {
        "type": "MultiPoint",
        "coordinates": [[108.0, 14.35], [round(point.longitude, 6), round(point.latitude, 6)]],
    }
    assert cluster["properties"]["n_members_with_place"] == 2
    assert cluster["properties"]["location_precision"] == "commune"
    assert cluster["properties"]["products"] == ["coffee", "rice"]


def graph_of(frames, options):
    rdflib = pytest.importorskip("rdflib")
    data = essglobal.write_jsonld(frames, options).files["organisations.jsonld"]
    return rdflib, rdflib.Graph().parse(data=data.decode(), format="json-ld")


def measured(frames) -> dict[str, pl.DataFrame]:
    """Return the frames with two localities and two communes measured."""
    rows = {
        "period": "2025",
        "locality": ["Huyện Đăk Hà", "Thành phố Kon Tum", "Ngoài tỉnh"],
        "n_cooperatives": [4, 9, 1],
        "revenue_vnd": [7, None, 5],
    }
    communes = {
        "period": "2025",
        "commune_code": ["23284", "23293", None],
        "n_cooperatives": [1, 8, 2],
        "n_reported": [None, 7, 1],
    }
    return {**frames, "metrics/localities": pl.DataFrame(rows), "metrics/communes": pl.DataFrame(communes)}  # fmt: skip


def test_a_locality_is_the_communes_of_today_that_it_became(frames, options, tmp_path):
    made = collections(geo.write_geojson(measured(frames), options))
    found = {f["id"]: f for f in made["localities"]["features"]}
    assert found["Ngoài tỉnh"]["geometry"] is None
    assert made["localities"]["n_without_geometry"] == 1
    point = commune_points()["23284"]
    own = found["Thành phố Kon Tum"]
    assert [round(point.longitude, 6), round(point.latitude, 6)] in own["geometry"]["coordinates"]
    assert own["properties"]["place_basis"] == "point"
    assert own["properties"]["revenue_vnd"] is None, "unknown is null, not nought"
    codes = list(geo._districts(frames["core/organisations"])["Thành phố Kon Tum"])
    assert len(codes) == len(own["geometry"]["coordinates"]) > 1
    squares = [
        {"type": "Feature", "properties": {"code": c}, "geometry": {"type": "Polygon", "coordinates": [[[i, 0], [i + 1, 0], [i + 1, 1], [i, 1], [i, 0]]]}}
        for i, c in enumerate(codes)
    ]  # fmt: skip
    file = tmp_path / "boundaries.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": squares}))
    shaped = collections(geo.write_geojson(measured(frames), options.model_copy(update={"boundaries_file": file})))  # fmt: skip
    whole = next(f for f in shaped["localities"]["features"] if f["id"] == "Thành phố Kon Tum")
    assert whole["properties"]["place_basis"] == "boundary"
    assert shapely.from_geojson(json.dumps(whole["geometry"])).area == pytest.approx(len(codes))


def test_a_commune_that_is_measured_keeps_a_withheld_figure_null(frames, options):
    made = collections(geo.write_geojson(measured(frames), options))["commune_measures"]
    found = {f["id"]: f for f in made["features"]}
    assert found["23284"]["geometry"]["type"] == "Point"
    assert found["23284"]["properties"]["n_reported"] is None
    assert found["unknown"]["geometry"] is None


def test_a_name_that_districts_of_several_provinces_bear_means_the_one_where_organisations_lie(
    frames,
):
    names = old_districts(LATEST).filter(pl.col("district_full_name").is_not_null())
    shared = names.group_by("district_full_name").agg(pl.col("district_code").n_unique()).filter(pl.col("district_code") > 1)  # fmt: skip
    assert shared.height, "Huyện Châu Thành and others"
    found = geo._districts(frames["core/organisations"])
    name = shared.sort("district_full_name")["district_full_name"][0]
    assert name not in found
    homes = names.filter(pl.col("district_full_name") == name).sort("code")
    one = homes.filter(pl.col("code").is_in(list(commune_points())))["code"][0]
    there = frames["core/organisations"].with_columns(admin_code=pl.lit(one), admin_version=pl.lit(LATEST))  # fmt: skip
    district = homes.filter(pl.col("code") == one)["district_code"].item()
    assert set(geo._districts(there)[name]) <= set(homes.filter(pl.col("district_code") == district)["code"])  # fmt: skip


def test_without_its_members_a_cluster_lies_in_its_localities_and_nothing_says_where_members_are(
    frames, options
):
    named = frames["metrics/clusters"].with_columns(localities=pl.Series([["Huyện Đăk Hà", "Ngoài tỉnh"]] * frames["metrics/clusters"].height))  # fmt: skip
    withheld = {k: f for k, f in frames.items() if k != "metrics/cluster_members"} | {"metrics/clusters": named}  # fmt: skip
    found = collections(geo.write_geojson(withheld, options))["clusters"]["features"]
    for feature in found:
        (point,) = feature["geometry"]["coordinates"]
        assert feature["properties"]["location_precision"] == "locality"
        assert "n_members_with_place" not in feature["properties"]
        assert point in [[round(p.longitude, 6), round(p.latitude, 6)] for p in map(commune_points().get, geo._districts(frames["core/organisations"])["Huyện Đăk Hà"])]  # fmt: skip


def test_the_expected_triples_are_there_and_no_context_is_fetched(frames, options, monkeypatch):
    import socket

    def refuse(*_a, **_k):
        raise AssertionError("a request")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    rdflib, graph = graph_of(frames, options)
    ess = rdflib.Namespace("http://purl.org/essglobal/vocab/")
    schema, org = rdflib.Namespace("https://schema.org/"), rdflib.Namespace("http://www.w3.org/ns/org#")  # fmt: skip
    party = {k: rdflib.URIRef(f"{BASE}party/{k}") for k in "1234567"}
    initiatives = {str(s)[-1] for s in graph.subjects(rdflib.RDF.type, ess.SSEInitiative)}
    assert initiatives == {"1", "3", "4", "6"}  # two cooperatives, a union, a group; no enterprise
    wanted = [
        (party["1"], schema.name, rdflib.Literal("HTX Nông nghiệp Sáu Nhung", lang="vi")),
        (party["6"], schema.name, rdflib.Literal("HTX Đắk Tô", lang="vi")),
        (party["1"], ess.legalForm, rdflib.URIRef("http://purl.org/essglobal/standard/legal-form/L2")),
        (party["4"], ess.legalForm, rdflib.URIRef("http://purl.org/essglobal/standard/legal-form/L1")),
        (party["3"], ess.organisationalStructure, rdflib.URIRef("http://purl.org/essglobal/standard/organisational-structure/OS110")),
        (party["1"], ess.totalOfMembers, rdflib.Literal(40)),
        (party["1"], schema.taxID, rdflib.Literal("0100109106")),
        (party["1"], schema.foundingDate, rdflib.Literal(date(2008, 10, 1))),
        (party["1"], ess.hasProductOrService, rdflib.URIRef(f"{BASE}class/coffee")),
        (rdflib.URIRef(f"{BASE}class/coffee"), rdflib.RDF.type, ess.ProductOrService),
        (rdflib.URIRef(f"{BASE}class/coffee"), schema.name, rdflib.Literal("Cà phê (không rõ loại)", lang="vi")),
        (party["1"], org.linkedTo, party["2"]),
        (party["2"], org.linkedTo, party["1"]),
        (party["2"], rdflib.RDF.type, org.FormalOrganization),
        (rdflib.URIRef(f"{BASE}party/1/address"), rdflib.RDF.type, ess.Address),
    ]  # fmt: skip
    missing = [t for t in wanted if t not in graph]
    assert missing == []
    assert (party["5"], org.linkedTo, party["6"]) not in graph  # only planned
    assert (party["2"], ess.legalForm, None) not in graph


def test_every_essglobal_term_used_is_one_of_the_vocabulary(frames, options):
    _, graph = graph_of(frames, options)
    known = {
        "SSEInitiative", "Address", "ProductOrService", "legalForm", "organisationalStructure", "totalOfMembers",
        "hasAddress", "hasProductOrService",
    }  # fmt: skip
    used = {str(x).rsplit("/", 1)[1] for t in graph for x in t if str(x).startswith("http://purl.org/essglobal/vocab/")}  # fmt: skip
    assert used == known


def test_no_organisation_at_all_is_still_a_document(empty, options):
    _, graph = graph_of(empty, options)
    assert len(graph) > 0
    assert essglobal.write_jsonld(empty, options).counts == {"organisations": 0, "initiatives": 0}


def document(frames, options) -> dict:
    return json.loads(epcis.write_epcis(frames, options).files["deliveries.epcis.jsonld"])


def test_only_a_delivered_quantity_makes_an_event(frames, options):
    made = epcis.write_epcis(frames, options)
    assert made.counts == {"events": 2, "linkages_without_quantity": 3, "dated_by_linkage_end": 1}
    events = document(frames, options)["epcisBody"]["eventList"]
    assert [e["quantityList"][0] for e in events] == [
        {"epcClass": f"{BASE}class/coffee", "quantity": 12.5, "uom": "TNE"},
        {"epcClass": f"{BASE}class/rice", "quantity": 3.0, "uom": "TNE"},
    ]
    assert events[0]["sourceList"] == [{"type": "possessing_party", "source": f"{BASE}party/1"}]
    assert events[0]["destinationList"] == [{"type": "possessing_party", "destination": f"{BASE}party/2"}]  # fmt: skip


def test_an_event_is_dated_by_the_last_possible_day_and_says_so(frames, options):
    first, second = document(frames, options)["epcisBody"]["eventList"]
    assert (first["eventTime"], first["htx:timeBasis"]) == ("2025-11-06T23:59:59+07:00", "linkage_end")  # fmt: skip
    assert (second["eventTime"], second["htx:timeBasis"]) == ("2025-12-14T23:59:59+07:00", "period_end")  # fmt: skip
    assert epcis.last_day("2025", date(2024, 12, 14)) == (date(2025, 12, 14), "period_end")


# What the EPCIS 2.0 JSON schema asks of an object event, written out here: the schema is fetched from
# ref.gs1.org by those who use it, and a test makes no request.
EVENT_FIELDS = {
    "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration", "certificationInfo", "epcList",
    "quantityList", "action", "bizStep", "disposition", "persistentDisposition", "readPoint", "bizLocation",
    "bizTransactionList", "sourceList", "destinationList", "sensorElementList", "ilmd",
}  # fmt: skip
URI = re.compile(r"^[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+$", re.IGNORECASE)


def test_the_document_has_the_fields_and_forms_that_epcis_2_asks_for(frames, options):
    made = document(frames, options)
    assert {"@context", "type", "schemaVersion", "creationDate", "epcisBody"} <= set(made)
    assert (made["type"], made["schemaVersion"]) == ("EPCISDocument", "2.0")
    assert datetime.fromisoformat(made["creationDate"]).tzinfo is not None
    prefixes = {k for c in made["@context"] if isinstance(c, dict) for k in c}
    for event in made["epcisBody"]["eventList"]:
        own = set(event) - EVENT_FIELDS
        assert {n.split(":")[0] for n in own} <= prefixes
        assert event["type"] == "ObjectEvent"
        assert event["action"] == "OBSERVE"
        assert re.fullmatch(r"[+-]((0\d|1[0-3]):[0-5]\d|14:00)", event["eventTimeZoneOffset"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        assert event["bizStep"] == "receiving"
        for element in event["quantityList"]:
            assert set(element) == {"epcClass", "quantity", "uom"}
            assert URI.match(element["epcClass"])
            assert re.fullmatch("[A-Z0-9]{2,3}", element["uom"])
        for element in (*event["sourceList"], *event["destinationList"]):
            assert element["type"] in {"owning_party", "possessing_party", "location"}
            assert all(URI.match(v) for k, v in element.items() if k != "type")
        assert URI.match(event["eventID"])
    elements = [e for v in made["epcisHeader"]["epcisMasterData"]["vocabularyList"] for e in v["vocabularyElementList"]]  # fmt: skip
    named = {e["id"]: e["attributes"][0]["attribute"] for e in elements}
    assert named[f"{BASE}party/1"] == "HTX Nông nghiệp Sáu Nhung"
    assert named[f"{BASE}class/coffee"] == "Cà phê (không rõ loại)"


def test_event_ids_stay_and_differ(frames, options):
    ids = [e["eventID"] for e in document(frames, options)["epcisBody"]["eventList"]]
    shuffled = {**frames, "core/linkages": frames["core/linkages"].reverse()}
    assert [e["eventID"] for e in document(shuffled, options)["epcisBody"]["eventList"]] == ids
    assert len(set(ids)) == 2
    other = options.model_copy(update={"base_uri": "https://a.vn/"})
    assert not {e["eventID"] for e in document(frames, other)["epcisBody"]["eventList"]} & set(ids)


def test_no_delivery_at_all_is_a_document_without_events(empty, options):
    assert document(empty, options)["epcisBody"]["eventList"] == []


def test_an_id_with_strange_characters_is_still_one_address(frames, options):
    strange = pl.lit('x y"<>/é')
    frame = frames["core/linkages"].with_columns(supplier_id=strange)
    more = {**frames, "core/linkages": TABLES["linkages"].conform(frame)}
    source = document(more, options)["epcisBody"]["eventList"][0]["sourceList"][0]["source"]
    assert source == f"{BASE}party/x%20y%22%3C%3E%2F%C3%A9"
