"""The province's network: edges and nodes as tables, the stage of each node, slices in time.

What belongs here: from `core` tables to the two tables every measure reads (`graph/edges`,
`graph/nodes`), and which linkages were in force on a day. What does not: arrays and algorithms
(`htx_pipeline.graph.csr`), communities (`htx_pipeline.clusters`), measures (`htx_pipeline.metrics`).
"""

from __future__ import annotations

from datetime import date
from typing import Final, TypeVar

import numpy as np
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.graph.build import canonical_edges
from htx_pipeline.graph.grouping import group_lists, group_reduce
from htx_pipeline.ingest.dates import reporting_period, reporting_year
from htx_pipeline.reference.stages import stage_of_vsic

EVIDENCE: Final = ("planned", "signed", "active", "executed")
"""Evidence levels, weakest first."""

FLAGS: Final = ("has_inputs", "has_production", "has_processing", "has_consumption")
"""Stage flags of a linkage: I, P, X, C of Decree 98/2018."""

VALUE_BASES: Final = ("paid_value", "contracted_value", "links")
"""What shares of a network are computed on, best first."""

COOPERATIVE_TYPES: Final = ("htx", "lhhtx", "tht")
"""Legal types of the Law on Cooperatives."""

EDGE_KEY: Final = ("period", "supplier_id", "buyer_id", "product_code", "evidence")

EDGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "supplier_id": pl.String(),
    "buyer_id": pl.String(),
    "product_code": pl.String(),
    "evidence": pl.String(),
    "n_linkages": pl.Int64(),
    "contracted_value_vnd": pl.Int64(),
    "paid_value_vnd": pl.Int64(),
    "contracted_tonnes": pl.Float64(),
    "delivered_tonnes": pl.Float64(),
    "area_ha": pl.Float64(),
    "households": pl.Int64(),
    "n_contracted_value": pl.Int64(),
    "n_paid_value": pl.Int64(),
    "n_contracted_tonnes": pl.Int64(),
    "n_delivered_tonnes": pl.Int64(),
    "first_signed_on": pl.Date(),
    "last_ends_on": pl.Date(),
    "has_inputs": pl.Boolean(),
    "has_production": pl.Boolean(),
    "has_processing": pl.Boolean(),
    "has_consumption": pl.Boolean(),
    "is_self_loop": pl.Boolean(),
    "source_ids": pl.List(pl.String()),
}
"""Columns of `graph/edges`. ``n_contracted_value`` and its like count the linkages that state it."""

NODE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "name": pl.String(),
    "legal_type": pl.String(),
    "nd98_role": pl.String(),
    "locality": pl.String(),
    "admin_code": pl.String(),
    "admin_version": pl.String(),
    "stage": pl.String(),
    "stage_basis": pl.String(),
    "stage_from_vsic": pl.String(),
    "stage_from_links": pl.String(),
    "is_stage_conflict": pl.Boolean(),
    "n_suppliers": pl.Int64(),
    "n_buyers": pl.Int64(),
    "value_in_vnd": pl.Int64(),
    "value_out_vnd": pl.Int64(),
    "value_basis": pl.String(),
    "is_registered": pl.Boolean(),
    "source_id": pl.String(),
}
"""Columns of `graph/nodes`."""

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
"""A frame, eager or lazy; what is made of it is of the same kind."""

_STATED: Final = {
    "contracted_value_vnd": "n_contracted_value",
    "paid_value_vnd": "n_paid_value",
    "contracted_tonnes": "n_contracted_tonnes",
    "delivered_tonnes": "n_delivered_tonnes",
}


def edges(linkages: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Add linkages up to edges: one row per period, supplier, buyer, product and evidence level.

    Nothing is dropped: the sum of every quantity over the edges is its sum over the linkages, per
    period and product. A linkage of an organisation with itself is kept and flagged.

    Parameters
    ----------
    linkages:
        The table `core/linkages`; of a lazy one only the columns needed are read.

    Returns
    -------
    DataFrame
        `EDGE_SCHEMA`. Money is exact Int64 VND, null where no linkage states it. A flag is true
        where any linkage says so, null where none says anything. ``source_ids`` is sorted.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> rows = pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a"] * 2, "buyer_id": ["b"] * 2,
    ...     "product_code": ["coffee"] * 2, "evidence": ["executed"] * 2, "paid_value_vnd": [3, None],
    ...     "source_id": ["f:s:3", "f:s:2"]})
    >>> made = edges(TABLES["linkages"].conform(rows))
    >>> made.select("n_linkages", "paid_value_vnd", "n_paid_value", "contracted_value_vnd").rows()
    [(2, 3, 1, None)]
    """
    sums = [
        "contracted_value_vnd", "paid_value_vnd", "contracted_tonnes", "delivered_tonnes",
        "area_ha", "households",
    ]  # fmt: skip
    dates = ["signed_on", "ends_on"]
    wanted = list(dict.fromkeys([*EDGE_KEY, *sums, *_STATED, *dates, *FLAGS, "source_id"]))
    rows = linkages.lazy().select(wanted).drop_nulls(["supplier_id", "buyer_id"]).collect()
    canonical = canonical_edges(
        rows, keys=("period", "product_code", "evidence"), sums=sums, dates=dates
    )
    groups = canonical.groups
    added = canonical.labelled().rename({"n_links": "n_linkages"})
    del canonical

    def stated(column: str) -> pl.Series:
        is_stated = rows[column].is_not_null().to_numpy().astype(np.int64)
        return pl.Series(_STATED[column], group_reduce(is_stated, groups))

    def flag(column: str) -> pl.Series:
        known = rows[column].cast(pl.Int8).fill_null(-1).to_numpy()
        found = pl.Series(column, group_reduce(known, groups, by=np.maximum))
        return (found == 1).set(found == -1, None)

    made = added.with_columns(
        *(stated(column) for column in _STATED),
        *(flag(column) for column in FLAGS),
        (pl.col("supplier_id") == pl.col("buyer_id")).alias("is_self_loop"),
        group_lists(rows["source_id"], groups).alias("source_ids"),
    )
    del added
    made = made.select(pl.col(c).cast(t) for c, t in EDGE_SCHEMA.items())
    # Sorted by supplier, buyer, period and so on already.
    return made.sort("period", maintain_order=True) if made["period"].n_unique() > 1 else made


def at_least(frame: Rows, *, evidence: str) -> Rows:
    """Keep the rows at an evidence level or a stronger one.

    Examples
    --------
    >>> at_least(pl.DataFrame({"evidence": ["planned", "executed"]}), evidence="signed").height
    1
    """
    if evidence not in EVIDENCE:
        raise InputError(
            f"{evidence!r} is not an evidence level.",
            remedy=f"Use one of: {', '.join(EVIDENCE)}.",
            code="unknown_evidence",
        )
    levels = EVIDENCE[EVIDENCE.index(evidence) :]
    return frame.filter(pl.col("evidence").is_in(levels))


def value_bases(
    edge_rows: Rows, *, by: tuple[str, ...] = ("period",), min_stated_share: float = 0.5
) -> Rows:
    """Decide, group by group, what shares are computed on: paid value, contracted value or links.

    Paid value where some is paid and at least ``min_stated_share`` of the executed linkages state
    it; else contracted value where at least that share of all linkages state one; else the number of
    linkages. A group never mixes bases.

    Returns
    -------
    frame
        ``by`` and ``weight_basis``.

    Examples
    --------
    >>> rows = pl.DataFrame({"period": ["2024"], "evidence": ["active"], "n_linkages": [2],
    ...     "paid_value_vnd": [None], "contracted_value_vnd": [5], "n_paid_value": [0], "n_contracted_value": [1]})
    >>> value_bases(rows)["weight_basis"].item()
    'contracted_value'
    """
    executed = pl.col("evidence") == "executed"
    grouped = edge_rows.group_by(by).agg(
        pl.col("n_linkages").sum().alias("_n"),
        pl.col("n_linkages").filter(executed).sum().alias("_n_executed"),
        pl.col("n_paid_value").filter(executed).sum().alias("_n_paid"),
        pl.col("n_contracted_value").sum().alias("_n_contracted"),
        pl.col("paid_value_vnd").sum().alias("_paid"),
        pl.col("contracted_value_vnd").sum().alias("_contracted"),
    )
    paid = (pl.col("_paid") > 0) & (pl.col("_n_paid") >= min_stated_share * pl.col("_n_executed"))
    contracted = (pl.col("_contracted") > 0) & (
        pl.col("_n_contracted") >= min_stated_share * pl.col("_n")
    )
    basis = (
        pl.when(paid)
        .then(pl.lit("paid_value"))
        .when(contracted)
        .then(pl.lit("contracted_value"))
        .otherwise(pl.lit("links"))
    )
    return grouped.select(*by, basis.alias("weight_basis")).sort(by)


def basis_value(basis: pl.Expr) -> pl.Expr:
    """Return the value in VND of an edge on a basis; null on the basis ``links``."""
    return (
        pl.when(basis == "paid_value")
        .then(pl.col("paid_value_vnd"))
        .when(basis == "contracted_value")
        .then(pl.col("contracted_value_vnd"))
    )


def basis_weight(basis: pl.Expr) -> pl.Expr:
    """Return the weight of an edge on a basis: VND, or the number of linkages."""
    return (
        pl.when(basis == "links")
        .then(pl.col("n_linkages"))
        .otherwise(basis_value(basis).fill_null(0))
    )


def nodes(organisations: pl.DataFrame, edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Describe every organisation as a node: its stage, its partners, value through it.

    The stage comes from the industry code, as long as the links allow it; an organisation whose
    links contradict its code gets the stage of its links (what it does, not what it registered
    for) and is flagged. Links alone say: who only delivers produces (an enterprise that only
    delivers inputs supplies inputs); who buys and delivers processes where a linkage into it covers
    processing, else collects; who only buys processes where a linkage covers it, else takes to
    consumption. Self-loops say nothing.

    Parameters
    ----------
    organisations:
        The table `core/organisations`.
    edge_rows:
        The table `graph/edges`; an organisation found only there becomes a node without a name.

    Returns
    -------
    DataFrame
        `NODE_SCHEMA`. ``stage_basis``: ``vsic``, ``links``, ``links_over_vsic`` or null (unknown).
        ``value_in_vnd``, ``value_out_vnd`` on the period's ``value_basis``; null where no edge
        states a value or the basis is ``links``.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"], "supplier_id": ["a"],
    ...     "buyer_id": ["b"], "product_code": ["coffee"], "evidence": ["active"], "has_processing": [True]}))
    >>> made = nodes(TABLES["organisations"].empty(), edges(links))
    >>> made.select("org_id", "stage", "stage_basis", "is_stage_conflict").rows()
    [('a', 'production', 'links', False), ('b', 'processing', 'links', False)]
    """
    key = ["period", "org_id"]
    named = pl.concat(
        [
            edge_rows.select("period", pl.col("supplier_id").alias("org_id")),
            edge_rows.select("period", pl.col("buyer_id").alias("org_id")),
        ]
    ).unique()
    known = organisations.select(
        *key, "name", "legal_type", "nd98_role", "locality", "admin_code", "admin_version",
        "is_registered", "source_id", "vsic_code",
    )  # fmt: skip
    unlisted = named.join(known, on=key, how="anti").with_columns(
        pl.lit(False).alias("is_registered")
    )
    frame = pl.concat([known, unlisted], how="diagonal")
    frame = frame.join(_positions(edge_rows), on=key, how="left", validate="1:1").join(
        value_bases(edge_rows).rename({"weight_basis": "value_basis"}), on="period", how="left"
    )
    frame = frame.with_columns(
        pl.col("n_suppliers", "n_buyers").fill_null(0),
        pl.col("value_basis").fill_null("links"),
        stage_of_vsic(frame["vsic_code"]).alias("stage_from_vsic"),
        *(pl.col(f"_in_{flag}").fill_null(False) for flag in FLAGS),
        *(pl.col(f"_out_{flag}").fill_null(False) for flag in FLAGS),
    )
    return (
        _with_stage(frame)
        .select(pl.col(c).cast(t) for c, t in NODE_SCHEMA.items())
        .sort("period", "org_id")
    )


def _positions(edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Partners, value and covered stages of each organisation, self-loops left out of all."""
    lazy = edge_rows.lazy()
    rows = (
        lazy.filter(~pl.col("is_self_loop"))
        .join(value_bases(lazy), on="period", how="left")
        .select(
            "period", "supplier_id", "buyer_id", *FLAGS,
            basis_value(pl.col("weight_basis")).alias("_value"),
        )
        .collect()
    )  # fmt: skip

    def side(own: str, other: str, name: str, partners: str) -> pl.DataFrame:
        stated = pl.col("_value").count() > 0
        return rows.group_by("period", pl.col(own).alias("org_id")).agg(
            pl.col(other).n_unique().cast(pl.Int64).alias(partners),
            pl.when(stated).then(pl.col("_value").sum()).alias(f"value_{name}_vnd"),
            *(pl.col(flag).any().alias(f"_{name}_{flag}") for flag in FLAGS),
        )

    delivers = side("supplier_id", "buyer_id", "out", "n_buyers")
    buys = side("buyer_id", "supplier_id", "in", "n_suppliers")
    return delivers.join(buys, on=["period", "org_id"], how="full", coalesce=True)


def _with_stage(frame: pl.DataFrame) -> pl.DataFrame:
    delivers, buys = pl.col("n_buyers") > 0, pl.col("n_suppliers") > 0
    is_cooperative = pl.col("legal_type").is_in(COOPERATIVE_TYPES).fill_null(False)
    is_input_supplier = (
        (pl.col("legal_type") == "enterprise").fill_null(False)
        & pl.col("_out_has_inputs")
        & ~pl.col("_out_has_production")
        & ~pl.col("_out_has_processing")
    )
    from_links = (
        pl.when(delivers & buys & pl.col("_in_has_processing"))
        .then(pl.lit("processing"))
        .when(delivers & buys)
        .then(pl.lit("collection"))
        .when(delivers & is_input_supplier)
        .then(pl.lit("inputs"))
        .when(delivers)
        .then(pl.lit("production"))
        .when(buys & pl.col("_in_has_processing"))
        .then(pl.lit("processing"))
        .when(buys)
        .then(pl.lit("consumption"))
    )
    code = pl.col("stage_from_vsic")
    is_allowed = (
        pl.when(delivers & buys)
        .then(
            code.is_in(["collection", "processing", "consumption"])
            | ((code == "production") & is_cooperative)
            | ((code == "inputs") & (pl.col("_in_has_inputs") | pl.col("_out_has_inputs")))
        )
        .when(delivers)
        .then(code != "consumption")
        .when(buys)
        .then(
            code.is_in(["collection", "processing", "consumption"])
            | ((code == "inputs") & pl.col("_in_has_inputs"))
        )
        .otherwise(True)
    )
    is_conflict = (code.is_not_null() & ~is_allowed).fill_null(False)
    return frame.with_columns(from_links.alias("stage_from_links")).with_columns(
        is_conflict.alias("is_stage_conflict"),
        pl.when(is_conflict | code.is_null())
        .then(pl.col("stage_from_links"))
        .otherwise(code)
        .alias("stage"),
        pl.when(is_conflict)
        .then(pl.lit("links_over_vsic"))
        .when(code.is_not_null())
        .then(pl.lit("vsic"))
        .when(pl.col("stage_from_links").is_not_null())
        .then(pl.lit("links"))
        .alias("stage_basis"),
    )


def in_force(linkages: pl.DataFrame, *, since: date, until: date) -> pl.DataFrame:
    """Keep the linkages whose term shares a day with an interval (both ends counted).

    The term begins with ``starts_on``, or ``signed_on`` where that is unknown. A linkage with no end
    has none; one with neither beginning is left out, as are planned and terminated ones whose end is
    unknown. Rows of one linkage that is reported in several years are all kept: choose a period too,
    or use `as_of`.

    Examples
    --------
    >>> rows = pl.DataFrame({"signed_on": [date(2023, 1, 1), None], "starts_on": [None, None],
    ...     "ends_on": [date(2024, 6, 30), None], "status": ["signed", None]}, schema_overrides={"starts_on": pl.Date})
    >>> in_force(rows, since=date(2024, 6, 30), until=date(2024, 12, 31)).height
    1
    """
    if since > until:
        raise InputError(
            f"The interval ends ({until}) before it begins ({since}).",
            remedy="Swap since and until.",
            code="empty_interval",
        )
    begins = pl.coalesce("starts_on", "signed_on")
    ends = pl.col("ends_on")
    is_planned = (pl.col("status") == "planned").fill_null(False)
    is_ended = (pl.col("status") == "terminated").fill_null(False) & ends.is_null()
    return linkages.filter(
        (begins <= until) & (ends.is_null() | (ends >= since)) & ~is_planned & ~is_ended
    )


def as_of(linkages: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Return the linkages in force on one day, fit for `edges`: the network as it stood.

    Rows are those of the reporting year that holds the day (15 December to 14 December). Their
    evidence is ``active``; what was delivered and paid is a total of the whole year, so it is kept
    (with evidence ``executed``) only on the year's last day, and null before.

    Examples
    --------
    >>> rows = pl.DataFrame({"period": ["2024", "2023"], "signed_on": [date(2023, 1, 1)] * 2, "starts_on": [None, None],
    ...     "ends_on": [None, None], "status": ["active"] * 2, "evidence": ["executed"] * 2,
    ...     "paid_value_vnd": [5, 6], "delivered_tonnes": [1.0, 1.0]}, schema_overrides={"starts_on": pl.Date, "ends_on": pl.Date})
    >>> as_of(rows, on=date(2024, 6, 1)).select("period", "evidence", "paid_value_vnd").rows()
    [('2024', 'active', None)]
    """
    year = reporting_year(on)
    rows = in_force(linkages.filter(pl.col("period") == str(year)), since=on, until=on)
    if on == reporting_period(year)[1]:
        stronger = pl.when(pl.col("evidence") == "executed").then(pl.lit("executed"))
        return rows.with_columns(stronger.otherwise(pl.lit("active")).alias("evidence"))
    return rows.with_columns(
        pl.lit("active").alias("evidence"),
        pl.lit(None, dtype=rows.schema["paid_value_vnd"]).alias("paid_value_vnd"),
        pl.lit(None, dtype=rows.schema["delivered_tonnes"]).alias("delivered_tonnes"),
    )
