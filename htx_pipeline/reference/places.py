"""Places through time: the one module to import for administrative units.

What belongs here: the public names. What does not: their bodies, which live side by side with the data
in ``htx_pipeline.reference.admin_units`` (``tables``, ``convert``, ``resolve``).

The key of a unit is (``code``, ``version``). All forty new communes of the former Kon Tum carry the code
of an old commune, thirty-six of them for a larger area: a join by code alone across 1 July 2025 is
silently wrong.
"""

from __future__ import annotations

from htx_pipeline.reference.admin_units.convert import aggregate_to, convert
from htx_pipeline.reference.admin_units.resolve import (
    NOTES,
    STATUSES,
    resolve_place,
    resolve_places,
)
from htx_pipeline.reference.admin_units.tables import (
    LATEST,
    VERSIONS,
    OldDistrict,
    admin_links,
    admin_units,
    decided,
    old_district_of,
    old_districts,
    version_for,
    versions,
)

__all__ = [
    "LATEST",
    "NOTES",
    "STATUSES",
    "VERSIONS",
    "OldDistrict",
    "admin_links",
    "admin_units",
    "aggregate_to",
    "convert",
    "decided",
    "old_district_of",
    "old_districts",
    "resolve_place",
    "resolve_places",
    "version_for",
    "versions",
]
