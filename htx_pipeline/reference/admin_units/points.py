"""Where communes lie: one point inside each, for maps drawn without a file of boundaries.

What belongs here: the points of ``data/points_2025.csv``. What does not: boundaries, which are given by
whoever draws (``htx_pipeline.report.boundaries``).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from htx_pipeline.reference.admin_units.tables import _read


class Point(NamedTuple):
    """Degrees, WGS 84; good to about a hundred metres."""

    longitude: float
    latitude: float


@cache
def commune_points() -> dict[str, Point]:
    """Return a point inside each commune in force since 1 July 2025, by code.

    Examples
    --------
    >>> commune_points()["23500"]
    Point(longitude=107.929, latitude=14.4634)
    """
    rows = _read("points_2025.csv").iter_rows(named=True)
    return {r["code"]: Point(float(r["longitude"]), float(r["latitude"])) for r in rows}
