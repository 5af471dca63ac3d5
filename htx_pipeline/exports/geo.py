"""GeoJSON (RFC 7946): organisations, communes, localities and clusters, each where its place is known.

What belongs here: features, their geometry or its absence, counted. What does not: maps for reports
(`htx_pipeline.report`), which unit an address means (`htx_pipeline.reference.places`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.exports.base import (
    Exported,
    ExportOptions,
    Frames,
    json_bytes,
    json_value,
    need,
    rows_by_id,
)

NEEDS: Final = ("core/organisations", "metrics/clusters")
MEMBERS: Final = "metrics/cluster_members"
"""Who belongs to a cluster; disclosure control takes it out."""

DECIMALS: Final = 6
"""Decimals of a coordinate: a tenth of a metre."""

STATED: Final = "stated"
COMMUNE: Final = "commune"
LOCALITY: Final = "locality"
"""How precisely a place is known: as its source states it, by its commune, by its old district."""

Placed = Mapping[str, tuple[str, list[float]]]
"""Organisation → how precisely its place is known, [longitude, latitude]."""

_PROVENANCE: Final = ("source_file", "source_sheet", "source_row")


def write_geojson(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``organisations``, ``communes``, ``clusters`` and, of what is measured, ``localities`` and ``commune_measures``.

    An organisation is a point where it states its coordinates (WGS 84, longitude first;
    ``location_precision``: ``stated``), else the point of the commune of today that it lies in
    (``commune``: good for counting by place, not for finding a door); nowhere where its commune is unknown,
    or was split and nothing says into which part it fell. A commune in
    force since 1 July 2025 is its polygon in ``options.boundaries_file``, else a point inside it
    (``place_basis``: ``boundary`` or ``point``); an older one has no geometry. A cluster is the points of
    its members, each once, as precise as the least precise of them; where its members are withheld, one point
    in each of its localities (``locality``), which says no more than its list of localities. A locality is its
    communes of today: their polygons made one, else their points. A feature without a known place has a null
    geometry: it can be joined by its code.

    Of frames that disclosure control let through, the figures are those it let through: a figure that it
    withheld is null here, and a table or column that it took out is absent.

    Parameters
    ----------
    frames:
        `core/organisations`, `metrics/clusters`; where there are, `metrics/cluster_members`,
        `metrics/localities`, `metrics/communes`.
    options:
        Names, date, boundaries.

    Returns
    -------
    Exported
        Counts per file: features, and those without a geometry; ``impossible_coordinates``;
        ``organisations_at_commune``, placed by their commune alone.
    """
    shapes: Mapping[str, Any] = {}
    if options.boundaries_file is not None:
        from htx_pipeline.report.boundaries import read_boundaries

        shapes = read_boundaries(options.boundaries_file, code_property=options.boundaries_code)
    organisations, clusters = (need(frames, k) for k in NEEDS)
    stated, impossible = _points(organisations)
    by_commune = {i: at for i, at in _commune_of(organisations).items() if i not in stated}
    placed = {i: (STATED, at) for i, at in stated.items()}
    placed |= {i: (COMMUNE, at) for i, at in by_commune.items()}
    counts: dict[str, int] = {
        "impossible_coordinates": impossible,
        "organisations_at_commune": len(by_commune),
    }
    files: dict[str, bytes] = {}
    districts = _districts(organisations)
    made: dict[str, Iterable[dict[str, Any]]] = {
        "organisations": _organisations(organisations, placed),
        "communes": _communes(organisations, shapes),
        "clusters": _clusters(clusters, frames[MEMBERS], placed) if MEMBERS in frames else _clusters_at_localities(clusters, districts),
    }  # fmt: skip
    if "metrics/localities" in frames:
        made["localities"] = _localities(frames["metrics/localities"], districts, shapes)
    if "metrics/communes" in frames:
        made["commune_measures"] = _commune_measures(frames["metrics/communes"], shapes)
    for name, features in made.items():
        held = list(features)
        without = sum(f["geometry"] is None for f in held)
        counts |= {f"{name}_features": len(held), f"{name}_without_geometry": without}
        content = {
            "type": "FeatureCollection", "name": name, "title": options.title_line,
            "dated": options.as_of.isoformat(), "n_without_geometry": without, "features": held,
        }  # fmt: skip
        files[f"{name}.geojson"] = json_bytes(content, name=f"{name}.geojson")
    return Exported(files, counts)


def _points(organisations: pl.DataFrame) -> tuple[dict[str, list[float]], int]:
    """Return id → [longitude, latitude], and how many stated coordinates are none on earth."""
    if not {"longitude", "latitude"} <= set(organisations.columns):
        return {}, 0  # disclosure control took them out
    stated = organisations.filter(
        pl.col("longitude").is_not_null() & pl.col("latitude").is_not_null()
    )
    possible = stated.filter(
        pl.col("longitude").is_between(-180, 180) & pl.col("latitude").is_between(-90, 90)
    )
    places = {
        i: [round(x, DECIMALS), round(y, DECIMALS)]
        for i, x, y in possible.select("org_id", "longitude", "latitude").rows()
    }
    return places, stated.height - possible.height


def _commune_of(organisations: pl.DataFrame) -> dict[str, list[float]]:
    """Return id → [longitude, latitude] of a point in the commune of today."""
    from htx_pipeline.metrics.communes import current_communes
    from htx_pipeline.reference.admin_units.points import commune_points

    points = commune_points()
    found = current_communes(organisations).select("org_id", "commune_code").rows()
    return {
        i: [round(points[code].longitude, DECIMALS), round(points[code].latitude, DECIMALS)]
        for i, code in found
        if code in points
    }


def _feature(key: str, geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature", "id": key, "geometry": geometry,
        "properties": {k: json_value(v) for k, v in properties.items()},
    }  # fmt: skip


def _organisations(frame: pl.DataFrame, placed: Placed) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(
        frame.drop("longitude", "latitude", *_PROVENANCE, strict=False), "org_id"
    ):
        precision, at = placed.get(row["org_id"], (None, None))
        point = None if at is None else {"type": "Point", "coordinates": at}
        yield _feature(row["org_id"], point, {**row, "location_precision": precision})


def _communes(organisations: pl.DataFrame, shapes: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    from htx_pipeline.reference.places import VERSIONS, admin_units

    of_type = {f"n_{t}": (pl.col("legal_type") == t).sum().cast(pl.Int64) for t in ("htx", "lhhtx", "tht", "enterprise")}  # fmt: skip
    found = (
        organisations.filter(pl.col("admin_code").is_not_null())
        .group_by("admin_code", "admin_version")
        .agg(n_organisations=pl.len().cast(pl.Int64), **of_type)
    )
    names = admin_units(level="commune").select(
        pl.col("code").alias("admin_code"),
        pl.col("version").alias("admin_version"),
        "full_name",
        "district_2024_code",
        "province_code",
        "area_km2",
    )
    named = found.join(names, on=["admin_code", "admin_version"], how="left")
    for row in rows_by_id(named, "admin_version", "admin_code"):
        # The same code meant a smaller commune before.
        is_old = row["admin_version"] == VERSIONS[0]
        basis, place = (None, None) if is_old else _place(row["admin_code"], shapes)
        key = f"{row['admin_code']}@{row['admin_version']}"
        yield _feature(key, place, {**row, "place_basis": basis})


def _place(code: str, shapes: Mapping[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """Return where a commune of today is, and from what that is known."""
    from htx_pipeline.reference.admin_units.points import commune_points

    if code in shapes:
        return "boundary", _wound(shapes[code])
    point = commune_points().get(code)
    if point is None:
        return None, None
    return "point", {"type": "Point", "coordinates": [point.longitude, point.latitude]}


def _wound(area: Any) -> dict[str, Any]:
    """Return a polygon as GeoJSON, wound as the RFC asks: outer rings against the clock."""
    import shapely
    from shapely.geometry import mapping

    turned = shapely.orient_polygons(area, exterior_cw=False)
    return dict(_listed(mapping(turned)))


def _listed(value: Any) -> Any:
    """Return shapely's tuples as the lists that JSON has, coordinates rounded."""
    if isinstance(value, Mapping):
        return {k: _listed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(v) for v in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def _clusters(
    clusters: pl.DataFrame, members: pl.DataFrame, placed: Placed
) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(clusters, "cluster_id"):
        own = members.filter(pl.col("cluster_id") == row["cluster_id"])["org_id"].to_list()
        known = [placed[i] for i in own if i in placed]
        # Members of one commune share its point.
        points = [list(p) for p in sorted({(x, y) for _, (x, y) in known})]
        place = {"type": "MultiPoint", "coordinates": points} if points else None
        precision = {basis for basis, _ in known}
        told = {
            "n_members_with_place": len(known),
            "location_precision": COMMUNE if COMMUNE in precision else STATED if known else None,
        }
        yield _feature(row["cluster_id"], place, {**row, **told})


def _clusters_at_localities(
    clusters: pl.DataFrame, districts: Mapping[str, Sequence[str]]
) -> Iterable[dict[str, Any]]:
    at = {name: _middle(codes) for name, codes in districts.items()}
    for row in rows_by_id(clusters, "cluster_id"):
        points = [at[name] for name in sorted(row.get("localities") or ()) if name in at]
        place = {"type": "MultiPoint", "coordinates": points} if points else None
        yield _feature(row["cluster_id"], place, {**row, "location_precision": LOCALITY if points else None})  # fmt: skip


def _localities(
    frame: pl.DataFrame, districts: Mapping[str, Sequence[str]], shapes: Mapping[str, Any]
) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(frame, "locality"):
        basis, place = _whole(districts.get(row["locality"], ()), shapes)
        yield _feature(row["locality"], place, {**row, "place_basis": basis})


def _commune_measures(frame: pl.DataFrame, shapes: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(frame, "commune_code"):
        code = row["commune_code"]
        basis, place = (None, None) if code is None else _place(code, shapes)
        yield _feature(code or "unknown", place, {**row, "place_basis": basis})


def _districts(organisations: pl.DataFrame) -> dict[str, list[str]]:
    """Return the name of an old district → its communes of today that have a point.

    A name that several districts bear means the one in a province where organisations lie; with two of
    those it means none.
    """
    from htx_pipeline.metrics.communes import current_communes
    from htx_pipeline.reference.admin_units.points import commune_points
    from htx_pipeline.reference.admin_units.tables import LATEST, admin_units, old_districts

    province = admin_units(level="commune", version=LATEST).select("code", "province_code")
    known = old_districts(LATEST).filter(
        pl.col("district_full_name").is_not_null(), pl.col("code").is_in(list(commune_points()))
    ).join(province, on="code", how="left")  # fmt: skip
    at = current_communes(organisations).select(code="commune_code").join(known, on="code", how="semi")  # fmt: skip
    here = province.join(at, on="code", how="semi")["province_code"].unique().to_list()
    bearers = pl.col("district_code").n_unique().over("district_full_name")
    near = known.filter((bearers == 1) | pl.col("province_code").is_in(here)).filter(bearers == 1)
    made = near.sort("code").group_by("district_full_name", maintain_order=True).agg("code")
    return dict(made.iter_rows())


def _middle(codes: Iterable[str]) -> list[float]:
    """Return the commune's point nearest to the mean of all; of equals the first code's."""
    from htx_pipeline.reference.admin_units.points import commune_points

    held = [commune_points()[c] for c in codes]
    x, y = (sum(getattr(p, side) for p in held) / len(held) for side in ("longitude", "latitude"))
    best = min(held, key=lambda p: (p.longitude - x) ** 2 + (p.latitude - y) ** 2)
    return [round(best.longitude, DECIMALS), round(best.latitude, DECIMALS)]


def _whole(codes: Iterable[str], shapes: Mapping[str, Any]) -> tuple[str | None, dict[str, Any] | None]:  # fmt: skip
    """Return where a locality is: the polygons of its communes as one, else their points."""
    from htx_pipeline.reference.admin_units.points import commune_points

    own = sorted(codes)
    if not own:
        return None, None
    if all(c in shapes for c in own):
        import shapely

        return "boundary", _wound(shapely.union_all([shapes[c] for c in own]))
    held = [commune_points()[c] for c in own]
    at = [[round(p.longitude, DECIMALS), round(p.latitude, DECIMALS)] for p in held]
    return "point", {"type": "MultiPoint", "coordinates": at}
