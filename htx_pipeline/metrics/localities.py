"""One row per locality: its cooperatives, how they are linked, and what they report.

What belongs here: the table `metrics/localities` and its columns. What does not: shares under other
denominators (`linkage`, in the long table of indicators), maps.
"""

from __future__ import annotations

from typing import Final

import narwhals as nw

from htx_pipeline.metrics._tabular import Native, enter, leave, ratio, wilson
from htx_pipeline.metrics.linkage import LEVELS, UNKNOWN, WHOLE, _totals

LOCALITY_COLUMNS: Final = (
    "period", "locality", "n_cooperatives", "n_active", "n_reported", "n_unions",
    "n_cooperative_groups", "n_enterprises", *(f"n_linked_{level}" for level in LEVELS),
    "linked_share", "linked_share_low", "linked_share_high", "official_members", "n_members_stated",
    "revenue_vnd", "n_revenue_stated", "member_income_vnd", "n_member_income", "n_linkages",
    "area_ha", "households", "paid_value_vnd", "contracted_value_vnd", "delivered_tonnes",
)  # fmt: skip
"""Columns of `metrics/localities`."""


def localities(
    organisations: Native, reports: Native, edges: Native, *, min_disclosure_count: int = 3
) -> Native:
    """Describe each locality in one row; the rows add up to the whole.

    * ``n_linked_<level>``: cooperatives (``legal_type`` ``htx``) with a linkage at that level or a
      stronger one; null in a period without linkages, and ``executed`` null where no linkage of the
      period says anything of deliveries or payments.
    * ``linked_share``: ``n_linked_active`` / ``n_cooperatives``, with Wilson's 95 % interval.
    * ``member_income_vnd``: VND per member and year, the cooperatives' means weighted by official
      members, over those that state both; null where fewer than ``min_disclosure_count`` do.
    * ``area_ha``, ``households``, ``contracted_value_vnd``: of linkages signed or stronger.
      ``paid_value_vnd``: of all. A linkage belongs to the place of its cooperative seller, else
      buyer, else of its seller.
    * Locality ``unknown`` holds what states no place, so that nothing is missing from the sum.

    Parameters
    ----------
    organisations, reports, edges:
        The tables `core/organisations`, `core/cooperative_reports`, `graph/edges`.
    min_disclosure_count:
        Fewest cooperatives behind a published mean of incomes.

    Returns
    -------
    frame
        `LOCALITY_COLUMNS`, sorted; one row per period and locality.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame(
    ...     {"period": ["2024"] * 2, "org_id": ["a", "b"], "legal_type": ["htx"] * 2, "locality": ["X", None]}))
    >>> made = localities(organisations, TABLES["cooperative_reports"].empty(), edges(TABLES["linkages"].empty()))
    >>> made.select("locality", "n_cooperatives", "n_linked_active").rows()
    [('X', 1, None), ('unknown', 1, None)]
    """
    rows = _totals(enter(organisations), enter(reports), enter(edges))
    rows = rows.filter(nw.col("locality") != WHOLE)
    has_links = nw.col("n_linkages_in_period") > 0
    told = nw.col("n_execution_stated_in_period") > 0

    def linked(level: str) -> nw.Expr:
        known = has_links & told if level == "executed" else has_links
        return nw.when(known).then(nw.col(f"n_linked_{level}")).alias(f"n_linked_{level}")

    is_enough = nw.col("n_member_income") >= min_disclosure_count
    made = rows.with_columns(
        *(linked(level) for level in LEVELS),
        nw.when(is_enough).then(nw.col("member_income_vnd")).alias("member_income_vnd"),
        nw.col("area_ha_signed").alias("area_ha"),
        nw.col("households_signed").alias("households"),
        nw.col("contracted_value_vnd_signed").alias("contracted_value_vnd"),
    ).with_columns(
        ratio("n_linked_active", "n_cooperatives").alias("linked_share"),
        wilson("n_linked_active", "n_cooperatives", upper=False).alias("linked_share_low"),
        wilson("n_linked_active", "n_cooperatives", upper=True).alias("linked_share_high"),
    )
    return leave(  # type: ignore[no-any-return]
        made.select(*LOCALITY_COLUMNS).sort("period", "locality"), like=organisations
    )


__all__ = ["LOCALITY_COLUMNS", "UNKNOWN", "localities"]
