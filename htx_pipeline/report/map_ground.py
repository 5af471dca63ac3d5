"""The ground of a map: the piece of land that is seen, communes as rings or dots, insets.

What belongs here: shapes, views and their whole numbers. What does not: what is counted and said (`map_spec`), where
organisations are (`geography`), ink (`maps`).

Lengths are whole tens of metres, so that a description is small and the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from htx_pipeline.report.geography import Commune, Geography

UNITS_PER_KM: Final = 100
PANEL_HEIGHTS: Final = (2.5, 3.3)
LEAST_SPAN_KM: Final = 24.0
WHOLE_SHARE: Final = 0.6
"""A view that holds this share of the province's communes needs no inset."""

View = tuple[float, float, float, float]


def bounds_of(commune: Commune) -> View:
    if commune.shape is not None:
        west, south, east, north = commune.shape.bounds
        return west, south, east, north
    return commune.x - 6, commune.y - 6, commune.x + 6, commune.y + 6


def view_of(
    bounds: Sequence[View], wide: float, tallest_in: float
) -> tuple[View, tuple[float, float]]:
    """Return the piece of land to draw and its size in inches: of one scale, a little room around."""
    west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
    east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
    width = max(east - west, LEAST_SPAN_KM) * 1.06
    height = max(north - south, LEAST_SPAN_KM) * 1.06
    tall = min(max(wide * height / width, PANEL_HEIGHTS[0]), tallest_in)
    scale = max(width / wide, height / tall)
    x, y = (west + east) / 2, (south + north) / 2
    half_x, half_y = scale * wide / 2, scale * tall / 2
    return (x - half_x, y - half_y, x + half_x, y + half_y), (wide, tall)


def is_inside(at: Sequence[int], view: View) -> bool:
    x, y = (v / UNITS_PER_KM for v in at)
    return view[0] < x < view[2] and view[1] < y < view[3]


def ground_of(
    geography: Geography, codes: Sequence[str], states: Mapping[str, int | None], view: View
) -> dict[str, Any]:
    """Return shapes of communes in the view, dots for those without one, and the hull of the dots."""
    import shapely

    shapes = _simplified(geography, _tolerance((view[2] - view[0]) / 280))
    drawn = [c for c in codes if c in shapes]
    clipped = shapely.clip_by_rect([shapes[c] for c in drawn], *view)
    parts = dict(zip(drawn, _rings_of(clipped), strict=True))
    communes: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    for code in codes:
        one = geography.communes[code]
        rings = parts.get(code)
        entry: dict[str, Any] = {
            "gid": f"commune-{code}",
            "level": states[code],
            "is_own": code in geography.area,
        }
        if rings is not None:
            if rings:
                communes.append({**entry, "rings": rings})
        elif is_inside(ints((one.x, one.y)), view):
            dots.append({**entry, "at": ints((one.x, one.y))})
    members = [d["at"] for d in dots if d["level"] is not None and d["level"] >= 0]
    hull: list[list[int]] = []
    if len(members) > 2 and not communes:
        around = shapely.MultiPoint(members).convex_hull.buffer(2 * UNITS_PER_KM, quad_segs=4)
        hull = [[round(v) for xy in around.exterior.coords for v in xy]]
    return {"communes": communes, "dots": dots, "hull": hull}


def _tolerance(wanted_km: float) -> float:
    """Return a tolerance up to a fifth finer, out of few, so that maps of about one scale share shapes.

    Examples
    --------
    >>> round(_tolerance(0.35), 3), _tolerance(0.35) == _tolerance(0.4)
    (0.328, True)
    """
    tolerance: float = 1.25 ** math.floor(math.log(wanted_km, 1.25))
    return tolerance


@lru_cache(maxsize=32)
def _simplified(geography: Geography, tolerance_km: float) -> dict[str, Any]:
    """Return shapes with fewer corners; what two communes share stays shared."""
    import shapely

    codes = [c for c, one in geography.communes.items() if one.shape is not None]
    if not codes:
        return {}
    shapes = [geography.communes[c].shape for c in codes]
    made = shapely.coverage_simplify(shapes, tolerance_km)
    return dict(zip(codes, made, strict=True))


@lru_cache(maxsize=4)
def _outlines(geography: Geography) -> tuple[list[list[int]], list[list[int]]]:
    """Return the outline of the province and of its area, coarse."""
    import shapely

    shapes = _simplified(geography, 1.2)
    near = [c for c in geography.near if c in shapes]
    whole = shapely.union_all([shapes[c] for c in near])
    area = shapely.union_all([shapes[c] for c in near if c in geography.area])
    return _rings(whole, least_km2=4), _rings(area, least_km2=4)


def locator_of(geography: Geography, view: View) -> dict[str, Any] | None:
    """Return the province in small with the view on it; None where the view shows most of it."""
    bounds = [bounds_of(geography.communes[c]) for c in geography.near]
    whole = (min(b[0] for b in bounds), min(b[1] for b in bounds), max(b[2] for b in bounds), max(b[3] for b in bounds))  # fmt: skip
    points = [ints((geography.communes[c].x, geography.communes[c].y)) for c in geography.near]
    if sum(is_inside(p, view) for p in points) >= WHOLE_SHARE * len(points):
        return None
    outline, area = _outlines(geography) if geography.has_shapes else ([], [])
    dots = [] if geography.has_shapes else points
    return {"bounds": ints(whole), "outline": outline, "area": area, "dots": dots, "view": ints(view)}  # fmt: skip


def islands_of(
    geography: Geography, far: Sequence[str], states: Mapping[str, int | None]
) -> list[dict[str, Any]]:
    """Return what lies far out at sea, each by itself: never left out of a province's map."""
    found = []
    for code in far:
        one = geography.communes[code]
        shapes = _simplified(geography, 0.5)
        rings = _rings(shapes[code]) if code in shapes else []
        found.append(
            {
                "gid": f"commune-{code}",
                "label": one.full_name,
                "level": states[code],
                "rings": rings,
                "at": ints((one.x, one.y)),
            }
        )
    return found


def ints(values: Iterable[float]) -> list[int]:
    return [round(v * UNITS_PER_KM) for v in values]


def _rings(shape: Any, *, least_km2: float = 0.0) -> list[list[int]]:
    """Return outer and inner rings as flat lists of whole numbers."""
    return _rings_of([shape], least_km2=least_km2)[0]


def _rings_of(shapes: Sequence[Any], *, least_km2: float = 0.0) -> list[list[list[int]]]:
    """Return the rings of each shape, see `_rings`; all at once, which is ten times faster."""
    import numpy as np
    import shapely

    parts, shape_of = shapely.get_parts(np.array(shapes, dtype=object), return_index=True)
    is_drawn = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)  # fmt: skip
    is_drawn &= shapely.area(parts) >= least_km2
    rings, part_of = shapely.get_rings(parts[is_drawn], return_index=True)
    corners, ring_of = shapely.get_coordinates(rings, return_index=True)
    units = (corners * UNITS_PER_KM).round().astype(int)
    found: list[list[list[int]]] = [[] for _ in shapes]
    if not len(rings):
        return found
    starts = np.searchsorted(ring_of, np.arange(1, len(rings)))
    for at, ring in zip(shape_of[is_drawn][part_of], np.split(units, starts), strict=True):
        found[at].append(ring.ravel().tolist())
    return found
