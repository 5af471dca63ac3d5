"""One row per commune of today: the measures of localities on the newest administrative units.

What belongs here: the table `metrics/communes`. What does not: the measures themselves (`localities`)
and how old communes become new ones (`htx_pipeline.reference.admin_units`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.metrics.linkage import UNKNOWN
from htx_pipeline.metrics.localities import LOCALITY_COLUMNS, localities
from htx_pipeline.reference.admin_units.convert import convert
from htx_pipeline.reference.admin_units.tables import (
    LATEST,
    VERSIONS,
    admin_units,
    old_districts,
)

COMMUNE_COLUMNS: Final = (
    "period", "commune_code", "commune_version", "commune_name", "locality",
    *(c for c in LOCALITY_COLUMNS if c not in ("period", "locality")),
)  # fmt: skip
"""Columns of `metrics/communes`; ``locality`` is the district of 2024 that the commune lies in."""


def current_communes(organisations: pl.DataFrame, *, version: str = LATEST) -> pl.DataFrame:
    """Return ``org_id`` with the commune of *version* it lies in, as ``commune_code``.

    Null where the place is unknown, or where the old commune was split and nothing says into which
    part the organisation fell.

    Examples
    --------
    >>> rows = pl.DataFrame({"period": ["2024"], "org_id": ["a"], "admin_code": ["23503"], "admin_version": ["2024"]})
    >>> current_communes(rows).rows()
    [('2024', 'a', '23504')]
    """
    key = ["period", "org_id"]
    placed = organisations.select(*key, "admin_code", "admin_version")
    known = placed.filter(pl.col("admin_code").is_not_null())
    found = [
        known.filter(pl.col("admin_version") == version).select(*key, commune_code="admin_code")
    ]
    for own in (v for v in VERSIONS if v != version):
        moved = convert(
            known.filter(pl.col("admin_version") == own), code="admin_code", from_version=own, to_version=version
        )  # fmt: skip
        found.append(moved.filter(pl.col("n_candidates") == 1).select(*key, commune_code="to_code"))
    return placed.select(key).join(pl.concat(found), on=key, how="left").sort(key)


def communes(
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    edges: pl.DataFrame,
    *,
    min_disclosure_count: int = 3,
    version: str = LATEST,
) -> pl.DataFrame:
    """Describe each commune of *version* in one row; the rows add up to the whole.

    Parameters
    ----------
    organisations, reports, edges:
        The tables `core/organisations`, `core/cooperative_reports`, `graph/edges`.
    min_disclosure_count:
        Fewest cooperatives behind a published mean of incomes.
    version:
        Administrative units the rows are issued on.

    Returns
    -------
    DataFrame
        `COMMUNE_COLUMNS`, sorted; measures and units as in `localities.localities`. The row without a
        ``commune_code`` holds what lies in no known commune, or in one of several.

    Examples
    --------
    >>> from htx_pipeline.graph.network import edges
    >>> from htx_pipeline.schemas import TABLES
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame({
    ...     "period": ["2024"] * 2, "org_id": ["a", "b"], "legal_type": ["htx"] * 2,
    ...     "admin_code": ["23503", "23504"], "admin_version": ["2024"] * 2}))
    >>> made = communes(organisations, TABLES["cooperative_reports"].empty(), edges(TABLES["linkages"].empty()))
    >>> made.select("commune_code", "commune_name", "locality", "n_cooperatives").rows()
    [('23504', 'Xã Đăk Pxi', 'Huyện Đăk Hà', 2)]
    """
    at = current_communes(organisations, version=version)
    moved = (
        organisations.drop("locality")
        .join(at, on=["period", "org_id"], how="left")
        .rename({"commune_code": "locality"})
    )
    rows = localities(moved, reports, edges, min_disclosure_count=min_disclosure_count)
    names = admin_units(level="commune", version=version).select("code", commune_name="full_name")
    districts = old_districts(version).select("code", locality="district_full_name")
    return (
        rows.rename({"locality": "code"})
        .join(names, on="code", how="left")
        .join(districts, on="code", how="left")
        .with_columns(
            commune_code=pl.when(pl.col("code") != UNKNOWN).then(pl.col("code")),
            commune_version=pl.lit(version),
        )
        .select(*COMMUNE_COLUMNS)
        .sort("period", "commune_code", nulls_last=True)
    )
