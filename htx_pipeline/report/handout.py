"""The tables that a public edition hands out, and what they may say of small places and of clusters.

What belongs here: the tables and columns of public files (`PUBLIC_COLUMNS`), communes of which nothing
but the register may be told, names of clusters that name no organisation. What does not: pages
(`publish`), formats of files (`htx_pipeline.exports`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import polars as pl

from htx_pipeline.report.options import ReportOptions

ATTRIBUTES: Final = frozenset(
    {"n_active", "n_reported", "n_linked", "n_linked_planned", "n_linked_signed", "n_linked_active", "n_linked_executed",
     "n_linkages", "linked_share", "linked_share_low", "linked_share_high", "missing_share", "reported_share",
     "n_on_time", "n_late", "n_undated", "n_partial", "n_missing"}
)  # fmt: skip
"""Counts and their shares that say something of a cooperative once its place has no other."""

PUBLIC_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "core/organisations": ("period", "org_id", "legal_type", "name", "locality", "admin_code", "admin_version", "vsic_code", "status"),
    "metrics/clusters": (
        "period", "cluster_id", "cluster_name_vi", "cluster_name_en", "n_organisations", "n_cooperatives", "n_unions", "n_cooperative_groups",
        "n_enterprises", "n_other",
        "localities", "n_localities", "main_locality", "products", "main_product", "stages_present", "stages_missing", "n_linkages",
    ),
    "metrics/localities": (
        "period", "locality", "n_cooperatives", "n_active", "n_reported", "n_unions", "n_linked_planned", "n_linked_signed",
        "n_linked_active", "n_linked_executed", "linked_share", "linked_share_low", "linked_share_high", "n_linkages",
    ),
    "metrics/communes": (
        "period", "commune_code", "commune_name", "locality", "n_cooperatives", "n_active", "n_reported", "n_linked_planned",
        "n_linked_signed", "n_linked_active", "n_linked_executed", "n_linkages",
    ),
    "metrics/reporting_roster_localities": (
        "period", "locality", "n_expected", "n_on_time", "n_late", "n_undated", "n_partial", "n_missing", "reported_share",
    ),
}  # fmt: skip
"""Tables and columns that a public edition may hand out: register entries and counts, no amounts.

Who belongs to a cluster, and the stage found for an organisation, follow from its contracts: neither is
on a public register.
"""

PERSONAL_TYPES: Final = ("household_business",)
"""Legal types whose name is mostly that of a person."""


def publishable(
    frames: Mapping[str, pl.DataFrame], options: ReportOptions
) -> dict[str, pl.DataFrame]:
    """Return the frames that an edition may hand out: all in an internal one.

    A public edition gets the tables and columns of `PUBLIC_COLUMNS` and nothing else: no linkage, no
    report of a cooperative, no amount; of a commune with few cooperatives only how many there are; no
    household business; clusters under names that name no organisation.

    Examples
    --------
    >>> from datetime import date
    >>> options = ReportOptions(title="x", as_of=date(2025, 1, 1), kind="public")
    >>> frames = {"core/linkages": pl.DataFrame({"a": [1]}), "metrics/localities": pl.DataFrame({"locality": ["X"], "revenue_vnd": [9]})}
    >>> publishable(frames, options)["metrics/localities"].columns
    ['locality']
    """
    if not options.is_public:
        return dict(frames)
    named = with_neutral_names(frames)
    out = {
        key: named[key].select(c for c in columns if c in named[key].columns)
        for key, columns in PUBLIC_COLUMNS.items()
        if key in named
    }
    if "core/organisations" in out and "legal_type" in out["core/organisations"].columns:
        out["core/organisations"] = out["core/organisations"].filter(
            ~pl.col("legal_type").is_in(PERSONAL_TYPES)
        )
    least = options.min_disclosure_count
    places = small_localities(out.get("metrics/localities", pl.DataFrame()), least)
    communes = small_communes(out.get("metrics/communes", pl.DataFrame()), least, localities=places)
    for key, column, small in (
        ("metrics/communes", "commune_code", communes),
        ("metrics/localities", "locality", places),
        ("metrics/reporting_roster_localities", "locality", places),
    ):
        if key in out and column in out[key].columns:
            out[key] = _withheld(out[key], column, small)
    return out


def _withheld(frame: pl.DataFrame, place: str, small: frozenset[str]) -> pl.DataFrame:
    """Return a table of places with nothing told of the small ones but how many cooperatives they have."""
    return frame.with_columns(
        pl.when(~pl.col(place).fill_null("").is_in(sorted(small))).then(pl.col(c)).alias(c)
        for c in frame.columns
        if c in ATTRIBUTES
    )


def small_localities(localities: pl.DataFrame, minimum: int) -> frozenset[str]:
    """Return the localities of which only the number of cooperatives is told; as `small_communes` of a province.

    Examples
    --------
    >>> frame = pl.DataFrame({"locality": ["X", "Y", "Z"], "n_cooperatives": [2, 4, 9], "n_reported": [1, 3, 7]})
    >>> sorted(small_localities(frame, 3))
    ['X', 'Y']
    """
    if "n_cooperatives" not in localities.columns:
        return frozenset()
    named = localities.with_columns(commune_code="locality").with_columns(locality=pl.lit("all"))
    return small_communes(named, minimum)


def small_communes(
    communes: pl.DataFrame, minimum: int, *, localities: Collection[str] = ()
) -> frozenset[str]:
    """Return the communes of which only the number of cooperatives is told.

    Those of *localities* of which no more is told either, which they would add up to. Those with fewer
    cooperatives than *minimum*; then, since the district's figure is told, the next
    smallest of the district until those left out have *minimum* together and none of their counts is
    nought or all, unless the district's own is. "" stands for cooperatives without a commune.

    Parameters
    ----------
    communes:
        Rows of `metrics/communes`.

    Examples
    --------
    >>> frame = pl.DataFrame({"commune_code": ["a", "b", "c"], "locality": "X", "n_cooperatives": [1, 4, 9], "n_reported": [1, 3, 7]})
    >>> sorted(small_communes(frame, 3))
    ['a', 'b']
    """
    counts = ATTRIBUTES - {"n_linkages"}
    told = [c for c in communes.columns if c in counts and communes[c].dtype.is_integer()]
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in communes.to_dicts():
        if row.get("n_cooperatives"):
            groups.setdefault(row.get("locality"), []).append(row)
    found: set[str] = set()
    for rows in groups.values():
        rows.sort(key=lambda r: (r["n_cooperatives"], r["commune_code"] or ""))
        n = sum(r["n_cooperatives"] < minimum for r in rows)
        every = sum(r["n_cooperatives"] for r in rows)
        open_counts = [c for c in told if 0 < sum(r[c] or 0 for r in rows) < every]
        while 0 < n < len(rows):
            hidden = rows[:n]
            whole = sum(r["n_cooperatives"] for r in hidden)
            sums = [sum(r[c] or 0 for r in hidden) for c in open_counts]
            if whole >= minimum and not any(s in (0, whole) for s in sums):
                break
            n += 1
        if rows[0].get("locality") in localities:
            n = len(rows)
        found |= {r["commune_code"] or "" for r in rows[:n]}
    return frozenset(found)


def with_neutral_names(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the frames with clusters named by product and place only, alike ones numbered.

    Examples
    --------
    >>> clusters = pl.DataFrame({"cluster_id": ["b", "a", "c"], "n_organisations": [3, 9, 5],
    ...     "largest_buyer_name": ["Công ty A", "HTX B", "Công ty A"],
    ...     "cluster_name_vi": ["Cụm sắn – X (Công ty A)", "Cụm sắn – X (HTX B)", "Cụm mía – Y"]})
    >>> with_neutral_names({"metrics/clusters": clusters})["metrics/clusters"]["cluster_name_vi"].to_list()
    ['Cụm sắn – X, cụm 2', 'Cụm sắn – X, cụm 1', 'Cụm mía – Y']
    """
    out = dict(frames)
    clusters = frames.get("metrics/clusters")
    if clusters is None or not clusters.height:
        return out
    size = pl.col("n_organisations") if "n_organisations" in clusters.columns else pl.lit(0)
    order = (
        clusters.with_row_index("_at")
        .with_columns(_size=size)
        .sort("_size", "cluster_id", descending=[True, False], nulls_last=True)["_at"]
    )
    buyers = clusters["largest_buyer_name"].to_list() if "largest_buyer_name" in clusters.columns else [None] * clusters.height  # fmt: skip
    for column, word in (("cluster_name_vi", "cụm"), ("cluster_name_en", "cluster")):
        if column not in clusters.columns:
            continue
        names = [
            name.split(f" ({buyer})")[0] if name and buyer else name
            for name, buyer in zip(clusters[column].to_list(), buyers, strict=True)
        ]
        seen: dict[str | None, int] = {}
        made = list(names)
        for i in order.to_list():
            seen[names[i]] = seen.get(names[i], 0) + 1
            if names[i] is not None and names.count(names[i]) > 1:
                made[i] = f"{names[i]}, {word} {seen[names[i]]}"
        out["metrics/clusters"] = out["metrics/clusters"].with_columns(
            pl.Series(column, made, dtype=pl.String)
        )
    return out
