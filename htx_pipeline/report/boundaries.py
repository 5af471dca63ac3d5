"""Boundaries of communes from a file somebody gives: GeoJSON, TopoJSON or a shapefile.

What belongs here: reading the file, checking that it holds communes of today in degrees, and saying
clearly when it does not. What does not: drawing (`maps`), and any boundary shipped with the package:
there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.errors import InputError
from htx_pipeline.reference.places import LATEST, admin_units

REPROJECT: Final = "Reproject the file to WGS 84 (EPSG:4326), degrees of longitude and latitude."
SHAPELESS: Final = ("Polygon", "MultiPolygon")


def read_boundaries(path: Path, *, code_property: str = "code") -> Mapping[str, Any]:
    """Return the shape of each commune of a file.

    Parameters
    ----------
    path:
        ``.geojson``/``.json`` (GeoJSON or TopoJSON), ``.topojson`` or ``.shp``; WGS 84.
    code_property:
        The property that holds the commune's code; numbers that lost their leading zeros are mended.

    Returns
    -------
    Mapping
        Code → shapely polygon or multipolygon, in degrees, by code.

    Raises
    ------
    InputError
        When the file is absent, is of another format or level, has no such property, or its codes are
        not those of communes in force since 1 July 2025.
    """
    if not path.is_file():
        raise InputError(
            "The file of boundaries is not there.", where=str(path),
            remedy="Correct the setting boundaries_file, or leave it out: maps then show points.",
            code="boundaries_missing",
        )  # fmt: skip
    stat = path.stat()
    return _read(path, code_property, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _read(path: Path, code_property: str, _changed: int, _size: int) -> Mapping[str, Any]:
    import shapely
    from shapely.geometry import shape

    parts: dict[str, list[Any]] = {}
    for number, (properties, geometry) in enumerate(_features(path), start=1):
        where = f"{path}, feature {number}"
        if code_property not in properties:
            raise InputError(
                f"A boundary has no property {code_property!r}.", where=where,
                why=f"properties present: {', '.join(sorted(properties)) or 'none'}",
                remedy="Name the property that holds the commune's code in the setting boundaries_code.",
                code="boundaries_property",
            )  # fmt: skip
        if geometry is None or geometry.get("type") not in SHAPELESS:
            raise InputError(
                "A boundary is not a polygon.", where=where,
                why=f"its type is {geometry.get('type') if geometry else 'null'}",
                remedy="Give a file of polygons, one or more for each commune.",
                code="boundaries_invalid",
            )  # fmt: skip
        code = _code(properties[code_property])
        parts.setdefault(code, []).append(_polygons(shape(geometry)))
    _check_codes(path, list(parts))
    found = {code: shapely.union_all(parts[code]) for code in sorted(parts)}
    west, south, east, north = shapely.total_bounds(list(found.values()))
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            "The boundaries are not in degrees.", where=str(path),
            why=f"coordinates run from {west:g}, {south:g} to {east:g}, {north:g}",
            remedy=REPROJECT, code="boundaries_projection",
        )  # fmt: skip
    return found


def _code(value: Any) -> str:
    """Return a commune's code as five digits.

    Examples
    --------
    >>> _code(97), _code("23500"), _code(23500.0)
    ('00097', '23500', '23500')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value if value is not None else "").strip().zfill(5)


def _polygons(geometry: Any) -> Any:
    """Return the area of a geometry: made valid, lines and points dropped."""
    import shapely

    if geometry.is_valid:
        return geometry
    mended = shapely.make_valid(geometry)
    areas = [g for g in shapely.get_parts(mended) if g.geom_type in SHAPELESS]
    return shapely.union_all(areas)


def _check_codes(path: Path, codes: Sequence[str]) -> None:
    if not codes:
        raise InputError(
            "The file of boundaries has no boundary in it.", where=str(path),
            remedy="Give a file of commune polygons.", code="boundaries_invalid",
        )  # fmt: skip
    known = set(admin_units(version=LATEST, level="commune")["code"])
    unknown = sorted(set(codes) - known)
    if unknown:
        raise InputError(
            "The file of boundaries holds codes that no commune in force has.", where=str(path),
            why=f"{len(unknown)} of {len(codes)} codes, for example {', '.join(unknown[:3])}",
            remedy="Give the communes in force since 1 July 2025: many of them have the code of an older, "
            "smaller commune, so an older file would be drawn wrong. Or name another property in boundaries_code.",
            code="boundaries_codes",
        )  # fmt: skip


def _features(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    if path.suffix.lower() == ".shp":
        yield from _shapefile(path)
        return
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise InputError(
            "The file of boundaries is not JSON.", where=str(path), why=str(exc),
            remedy="Give GeoJSON, TopoJSON, or a shapefile (.shp).", code="boundaries_invalid",
        ) from exc  # fmt: skip
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "Topology":
        yield from _topology(path, content)
    elif kind == "FeatureCollection":
        for feature in content.get("features", ()):
            yield feature.get("properties") or {}, feature.get("geometry")
    else:
        raise InputError(
            "The file of boundaries is neither GeoJSON nor TopoJSON.", where=str(path),
            why=f"its type is {kind!r}; FeatureCollection or Topology is expected",
            remedy="Give GeoJSON, TopoJSON, or a shapefile (.shp).", code="boundaries_invalid",
        )  # fmt: skip


def _topology(
    path: Path, content: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Read TopoJSON: arcs, perhaps as whole-number steps, shared between neighbours."""
    scale, move = (1.0, 1.0), (0.0, 0.0)
    if "transform" in content:
        scale, move = content["transform"]["scale"], content["transform"]["translate"]
    arcs: list[list[tuple[float, float]]] = []
    for arc in content.get("arcs", ()):
        x, y, points = 0.0, 0.0, []
        for step in arc:
            x, y = (x + step[0], y + step[1]) if "transform" in content else (step[0], step[1])
            points.append((x * scale[0] + move[0], y * scale[1] + move[1]))
        arcs.append(points)

    def ring(numbers: Sequence[int]) -> list[tuple[float, float]]:
        joined: list[tuple[float, float]] = []
        for number in numbers:
            points = arcs[number] if number >= 0 else arcs[~number][::-1]
            joined += points[1:] if joined else points
        return joined

    layers = content.get("objects", {})
    if len(layers) != 1:
        raise InputError(
            "The TopoJSON file has not exactly one layer.", where=str(path),
            why=f"layers: {', '.join(sorted(layers)) or 'none'}",
            remedy="Give a file with the layer of communes alone.", code="boundaries_invalid",
        )  # fmt: skip
    for item in next(iter(layers.values())).get("geometries", ()):
        kind, given = item.get("type"), item.get("arcs", ())
        if kind == "Polygon":
            coordinates: Any = [ring(r) for r in given]
        elif kind == "MultiPolygon":
            coordinates = [[ring(r) for r in polygon] for polygon in given]
        else:
            coordinates = []
        yield item.get("properties") or {}, {"type": kind, "coordinates": coordinates}


def _shapefile(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    import struct

    import shapefile

    try:
        with shapefile.Reader(str(path), encoding="utf-8", encodingErrors="replace") as reader:
            for record in reader.iterShapeRecords():
                yield record.record.as_dict(), record.shape.__geo_interface__
    except (shapefile.ShapefileException, struct.error, ValueError, OSError) as exc:
        raise InputError(
            "The shapefile cannot be read.", where=str(path), why=str(exc),
            remedy="Keep the .shp, .shx and .dbf files of one name together, or give GeoJSON.",
            code="boundaries_invalid",
        ) from exc  # fmt: skip
