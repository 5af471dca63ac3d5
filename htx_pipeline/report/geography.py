"""Where the organisations of a report are: communes of today, shapes, distances.

What belongs here: putting each organisation into a commune, the province around them, kilometres,
what lies far out at sea. What does not: what a map shows of it (`map_spec`), ink (`maps`).

Kilometres are east and north of a point in the middle of the province on a plane that touches there:
within one province lengths are true to better than 1 %.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.reference.admin_units.points import commune_points
from htx_pipeline.reference.places import LATEST, admin_links, admin_units, old_districts
from htx_pipeline.report.frames import Frames

FAR_KM: Final = 90.0
"""What lies farther than this from the rest of its province is drawn in a box of its own."""

KM_PER_DEGREE: Final = 111.32
COOPERATIVES: Final = ("htx", "lhhtx", "tht")


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune in force: its point in kilometres and, where a file gives it, its shape."""

    code: str
    name: str
    full_name: str
    locality: str
    former_province: str | None
    x: float
    y: float
    shape: Any = None


@dataclass(frozen=True, eq=False)
class Geography:
    """The province of a report.

    ``commune_of``: organisation → code of its commune of today; ``split``: organisations whose old
    commune went to several, put where most of its area went. ``near`` are the communes drawn together,
    ``far`` those out at sea. ``area`` are the communes of the parts of the province that have
    cooperatives.
    """

    communes: Mapping[str, Commune]
    commune_of: Mapping[str, str]
    split: frozenset[str]
    area: frozenset[str]
    far: tuple[str, ...]
    origin: tuple[float, float]
    has_shapes: bool
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def near(self) -> list[str]:
        """Return the codes of what is drawn together, in order."""
        return [c for c in self.communes if c not in self.far]


def geography_of(frames: Frames, shapes: Mapping[str, Any] | None = None) -> Geography | None:
    """Return where the organisations of *frames* are, or None where no cooperative states a commune.

    Parameters
    ----------
    frames:
        With `core/organisations`: ``admin_code``, ``admin_version``, ``longitude``, ``latitude``.
    shapes:
        Code → polygon in degrees, see `boundaries.read_boundaries`.

    Raises
    ------
    InputError
        When *shapes* has none of the communes of the province.
    """
    rows = frames.rows("core/organisations", "admin_code", "admin_version", "longitude", "latitude")
    placed, split = communes_of_today(rows)
    units = {
        r["code"]: r for r in admin_units(version=LATEST, level="commune").iter_rows(named=True)
    }
    counted = Counter(
        units[placed[r["org_id"]]]["province_code"]
        for r in rows
        if r["legal_type"] in COOPERATIVES and r["org_id"] in placed
    )
    if not counted:
        return None
    province = min(counted, key=lambda code: (-counted[code], code))
    own = [code for code, u in units.items() if u["province_code"] == province]
    if shapes is not None and not set(own) & set(shapes):
        raise InputError(
            "The file of boundaries has no commune of the province of the report.",
            where="boundaries_file", why=f"the province has the code {province}",
            remedy="Give the boundaries of that province, or of the country.", code="boundaries_province",
        )  # fmt: skip
    points = commune_points()
    far = _far(own, {c: points[c] for c in own})
    origin = _middle([points[c] for c in own if c not in far])
    districts = _districts()
    names = Counter(units[c]["name"] for c in own)
    communes = {
        code: _commune(
            units[code],
            districts.get(code, ""),
            is_namesake=names[units[code]["name"]] > 1,
            origin=origin,
            shape=None if shapes is None else shapes.get(code),
        )
        for code in sorted(own)
    }
    home = {
        communes[placed[r["org_id"]]].former_province
        for r in rows
        if r["legal_type"] in COOPERATIVES and placed.get(r["org_id"]) in communes
    } - {None}
    area = frozenset(c for c, one in communes.items() if one.former_province in home)
    area |= {placed[r["org_id"]] for r in rows if placed.get(r["org_id"]) in communes}
    return Geography(
        communes=communes,
        commune_of={o: c for o, c in placed.items() if c in communes},
        split=frozenset(split),
        area=area,
        far=far,
        origin=origin,
        has_shapes=shapes is not None,
        points={
            r["org_id"]: project((r["longitude"], r["latitude"]), origin)
            for r in rows
            if r["longitude"] is not None and r["latitude"] is not None
        },
    )


def project(point: tuple[float, float], origin: tuple[float, float]) -> tuple[float, float]:
    """Return kilometres east and north of *origin*; both in degrees.

    Examples
    --------
    >>> project((108.0, 15.0), (108.0, 14.0))
    (0.0, 111.32)
    """
    x = (point[0] - origin[0]) * KM_PER_DEGREE * math.cos(math.radians(origin[1]))
    return x, (point[1] - origin[1]) * KM_PER_DEGREE


def communes_of_today(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], set[str]]:
    """Return organisation → commune in force, and those of split old communes."""
    now = set(admin_units(version=LATEST, level="commune")["code"])
    best, several = _successors()
    placed: dict[str, str] = {}
    split: set[str] = set()
    for r in rows:
        code = r["admin_code"]
        if code is None:
            continue
        if r["admin_version"] == "2024":
            if code in several:
                split.add(r["org_id"])
            code = best.get(code)
        if code in now:
            placed[r["org_id"]] = code
    return placed, split


def _successors() -> tuple[dict[str, str], set[str]]:
    """Return old commune → the new one that took most of it, and the old ones that were split.

    Where no source states the parts, the lowest code stands for them.
    """
    links = admin_links(from_version="2024", to_version=LATEST).sort(
        "from_code", pl.col("weight").fill_null(0.0), "to_code", descending=[False, True, False]
    )
    best: dict[str, str] = {}
    several: set[str] = set()
    for old, new in links.select("from_code", "to_code").iter_rows():
        if old in best:
            several.add(old)
        best.setdefault(old, new)
    return best, several


def _districts() -> dict[str, str]:
    return {
        r["code"]: r["district_full_name"] or ""
        for r in old_districts(LATEST).iter_rows(named=True)
    }


def _commune(
    unit: Mapping[str, Any],
    locality: str,
    *,
    is_namesake: bool,
    origin: tuple[float, float],
    shape: Any,
) -> Commune:
    import shapely

    if shape is not None:
        shape = shapely.transform(shape, lambda xy: _project_all(xy, origin))
    code = unit["code"]
    x, y = project(commune_points()[code], origin)
    if shape is not None and not shape.contains(shapely.Point(x, y)):
        inside = shape.representative_point()
        x, y = inside.x, inside.y
    short = unit["full_name"] if is_namesake else unit["name"]
    return Commune(
        code, short, unit["full_name"], locality, unit["province_2024_code"], x, y, shape
    )  # fmt: skip


def _project_all(xy: Any, origin: tuple[float, float]) -> Any:
    import numpy as np

    east = KM_PER_DEGREE * math.cos(math.radians(origin[1]))
    return (xy - np.array(origin)) * np.array([east, KM_PER_DEGREE])


def _middle(points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    known = list(points)
    xs, ys = [p[0] for p in known], [p[1] for p in known]
    return round((min(xs) + max(xs)) / 2, 3), round((min(ys) + max(ys)) / 2, 3)


def _far(codes: Iterable[str], points: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """Return the communes that no chain of neighbours nearer than `FAR_KM` joins to the largest group."""
    left = sorted(codes)
    groups: list[list[str]] = []
    while left:
        group, edge = [left[0]], [left[0]]
        rest = left[1:]
        while edge:
            at = points[edge.pop()]
            near = [c for c in rest if math.hypot(*project(points[c], at)) <= FAR_KM]
            rest = [c for c in rest if c not in near]
            group += near
            edge += near
        groups.append(group)
        left = rest
    main = max(groups, key=len)
    return tuple(sorted(c for group in groups if group is not main for c in group))
