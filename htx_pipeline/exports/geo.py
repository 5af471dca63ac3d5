"""GeoJSON (RFC 7946): organisations, communes and clusters, each where its place is known.

What belongs here: features, their geometry or its absence, counted. What does not: maps for reports
(`htx_pipeline.report`), which unit an address means (`htx_pipeline.reference.places`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

NEEDS: Final = ("core/organisations", "metrics/clusters", "metrics/cluster_members")

DECIMALS: Final = 6
"""Decimals of a coordinate: a tenth of a metre."""

_PROVENANCE: Final = ("source_file", "source_sheet", "source_row")


def write_geojson(
    frames: Frames,
    options: ExportOptions,
    *,
    boundaries: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
) -> Exported:
    """Return ``organisations.geojson``, ``communes.geojson``, ``clusters.geojson``.

    An organisation is a point where it states its coordinates (WGS 84, longitude first); a commune has
    the polygon given for it; a cluster the points of its members. A feature without a known place has a
    null geometry: it can be joined by its code. Nothing is placed by guess.

    Parameters
    ----------
    frames:
        `core/organisations`, `metrics/clusters`, `metrics/cluster_members`.
    options:
        Names and date.
    boundaries:
        (commune code, version of the list of units) → GeoJSON polygon or multipolygon in WGS 84.

    Returns
    -------
    Exported
        Counts per file: features, and those without a geometry; ``impossible_coordinates``.
    """
    organisations, clusters, members = (need(frames, k) for k in NEEDS)
    placed, impossible = _points(organisations)
    counts: dict[str, int] = {"impossible_coordinates": impossible}
    files: dict[str, bytes] = {}
    for name, features in (
        ("organisations", _organisations(organisations, placed)),
        ("communes", _communes(organisations, boundaries or {})),
        ("clusters", _clusters(clusters, members, placed)),
    ):
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


def _feature(key: str, geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature", "id": key, "geometry": geometry,
        "properties": {k: json_value(v) for k, v in properties.items()},
    }  # fmt: skip


def _organisations(
    frame: pl.DataFrame, placed: Mapping[str, list[float]]
) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(frame.drop("longitude", "latitude", *_PROVENANCE), "org_id"):
        at = placed.get(row["org_id"])
        point = None if at is None else {"type": "Point", "coordinates": at}
        yield _feature(row["org_id"], point, row)


def _communes(
    organisations: pl.DataFrame, boundaries: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    from htx_pipeline.reference.places import admin_units

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
        key = (row["admin_code"], row["admin_version"])
        yield _feature("@".join(key), _wound(boundaries.get(key)), row)


def _wound(geometry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a polygon wound as the RFC asks (outer rings against the clock), or None."""
    if geometry is None:
        return None
    import shapely
    from shapely.geometry import mapping, shape

    area = shapely.orient_polygons(shape(geometry), exterior_cw=False)
    turned = shapely.set_precision(area, 10**-DECIMALS, mode="pointwise")
    return dict(_listed(mapping(turned)))


def _listed(value: Any) -> Any:
    """Return shapely's tuples as the lists that JSON has, coordinates rounded."""
    if isinstance(value, Mapping):
        return {k: _listed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(v) for v in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def _clusters(
    clusters: pl.DataFrame, members: pl.DataFrame, placed: Mapping[str, list[float]]
) -> Iterable[dict[str, Any]]:
    for row in rows_by_id(clusters, "cluster_id"):
        own = members.filter(pl.col("cluster_id") == row["cluster_id"])["org_id"].to_list()
        points = sorted(placed[i] for i in own if i in placed)
        place = {"type": "MultiPoint", "coordinates": points} if points else None
        yield _feature(row["cluster_id"], place, {**row, "n_members_with_place": len(points)})
