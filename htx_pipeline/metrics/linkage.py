"""Linkage: the decree's forms, evidence levels, who is linked, and what it adds up to.

What belongs here: how much of the cooperative sector is linked, at which level of evidence, in numbers
of organisations, VND, tonnes and hectares. What does not: shares of it under a denominator (`rates`), how
concentrated linkages are (`concentration`), what a chain lacks (`completeness`).

All functions take any engine Narwhals knows (Polars eager and lazy, DuckDB, PySpark) and return the
same; all frames given to one call belong to one engine.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from htx_pipeline.ingest.dates import reporting_period
from htx_pipeline.metrics._tabular import (
    AREA_SCALE,
    MASS_SCALE,
    Native,
    count_where,
    enter,
    leave,
    pin,
    ratio,
    stack,
    total,
    wrap,
)

LEVELS: Final = ("planned", "signed", "active", "executed")
"""Evidence levels, weakest first; a figure at a level counts that level or a stronger one."""

WHOLE: Final = "province"
"""Locality of a figure for the whole area."""

UNKNOWN: Final = "unknown"
"""Locality of organisations that state none."""


def nd98_form(frame: Native) -> Native:
    """Derive the form of linkage (1–7) from the four stage flags.

    The forms are the seven non-empty subsets of inputs (I), production (P) and processing (X), each
    with consumption (C): 1 = IPX, 2 = I, 3 = P, 4 = IP, 5 = PX, 6 = IX, 7 = X. Null when a flag is
    unknown, when C is absent (then it is no linkage under the decree), or when I, P and X all are.

    Parameters
    ----------
    frame:
        With Boolean ``has_inputs``, ``has_production``, ``has_processing``, ``has_consumption``.

    Returns
    -------
    frame
        With ``nd98_form`` (Int64) set.

    References
    ----------
    Nghị định 98/2018/NĐ-CP, Điều 4.

    Examples
    --------
    >>> import polars as pl
    >>> flags = {"has_inputs": [True, False, True], "has_production": [True, True, True],
    ...          "has_processing": [True, False, False], "has_consumption": [True, True, False]}
    >>> nd98_form(pl.DataFrame(flags))["nd98_form"].to_list()
    [1, 3, None]
    """
    i, p, x = nw.col("has_inputs"), nw.col("has_production"), nw.col("has_processing")
    c = nw.col("has_consumption")
    forms = {
        1: i & p & x, 2: i & ~p & ~x, 3: ~i & p & ~x, 4: i & p & ~x,
        5: ~i & p & x, 6: i & ~p & x, 7: ~i & ~p & x,
    }  # fmt: skip
    form: nw.Expr = nw.lit(None, dtype=nw.Int64)
    for number, condition in forms.items():
        form = nw.when(c & condition).then(nw.lit(number, dtype=nw.Int64)).otherwise(form)
    return wrap(frame).with_columns(form.alias("nd98_form")).to_native()  # type: ignore[no-any-return]


def evidence(frame: Native, *, period: str) -> Native:
    """Derive the strongest level of evidence that each linkage shows for a reporting year.

    * ``executed``: something was delivered or paid in the year, whatever the status says.
    * ``active``: the status is active, or the term is known to cover a day of the year (it begins by
      the year's end and ends on or after its first day; or begins in the year, with no end stated).
      Terminated and planned linkages are never active by their dates.
    * ``signed``: a date of signature, or the status signed, active, completed or terminated. A
      terminated linkage was signed; filter on ``status`` to leave it out.
    * ``planned``: nothing of that.

    Parameters
    ----------
    frame:
        With ``status``, ``signed_on``, ``starts_on``, ``ends_on``, ``delivered_tonnes``,
        ``paid_value_vnd``.
    period:
        Reporting year, 15 December to 14 December.

    Returns
    -------
    frame
        With ``evidence`` (String) set; never null.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> rows = pl.DataFrame({"status": ["signed", "signed", None], "signed_on": [None, None, None],
    ...     "starts_on": [date(2024, 1, 1), date(2024, 1, 1), None], "ends_on": [date(2026, 1, 1), None, None],
    ...     "delivered_tonnes": [12.5, None, None], "paid_value_vnd": [None, None, None]},
    ...     schema_overrides={"signed_on": pl.Date, "paid_value_vnd": pl.Int64})
    >>> evidence(rows, period="2024")["evidence"].to_list()
    ['executed', 'active', 'planned']
    """
    first, last = reporting_period(int(period))
    status, ends = nw.col("status"), nw.col("ends_on")
    begins = nw.coalesce(nw.col("starts_on"), nw.col("signed_on"))

    def holds(condition: nw.Expr) -> nw.Expr:
        return nw.when(condition).then(nw.lit(True)).otherwise(nw.lit(False))

    is_executed = holds(nw.col("delivered_tonnes") > 0) | holds(nw.col("paid_value_vnd") > 0)
    covers = holds((begins <= last) & (ends >= first)) | holds(
        (begins >= first) & (begins <= last) & ends.is_null()
    )
    is_active = holds(status == "active") | (
        covers & ~holds(status.is_in(["planned", "terminated"]))
    )
    was_signed = holds(~nw.col("signed_on").is_null()) | holds(
        status.is_in(["signed", "active", "completed", "terminated"])
    )
    level = (
        nw.when(is_executed)
        .then(nw.lit("executed"))
        .otherwise(
            nw.when(is_active)
            .then(nw.lit("active"))
            .otherwise(nw.when(was_signed).then(nw.lit("signed")).otherwise(nw.lit("planned")))
        )
    )
    return wrap(frame).with_columns(level.alias("evidence")).to_native()  # type: ignore[no-any-return]


def _rank() -> nw.Expr:
    rank: nw.Expr = nw.lit(0)
    for number, level in enumerate(LEVELS, start=1):
        rank = nw.when(nw.col("evidence") == level).then(nw.lit(number)).otherwise(rank)
    return rank


def participation(organisations: Native, edges: Native) -> Native:
    """Say of each organisation how strongly it is linked, in the three senses official rates use.

    Self-loops are no linkage between two parties and do not count; nor, in the three senses, do
    linkages known to lack consumption, which the decree does not call linkages.

    Returns
    -------
    frame
        One row per ``period``, ``org_id`` of ``organisations``: ``locality`` (``unknown`` when not
        stated), ``legal_type``, ``status``, ``is_agricultural`` (VSIC section A or salt; null
        without a code) and levels 0 (none), 1 planned … 4 executed: ``level`` (any linkage),
        ``chain_level`` (any role, with consumption), ``offtake_level`` (sells, with consumption),
        ``enterprise_level`` (sells to an enterprise, with consumption).

    Examples
    --------
    >>> import polars as pl
    >>> organisations = pl.DataFrame({"period": ["2024"] * 2, "org_id": ["a", "b"], "locality": ["X", None],
    ...     "legal_type": ["htx", "enterprise"], "status": ["active"] * 2, "vsic_code": ["0126", None]})
    >>> edges = pl.DataFrame({"period": ["2024"], "supplier_id": ["a"], "buyer_id": ["b"],
    ...     "evidence": ["active"], "has_consumption": [None]}, schema_overrides={"has_consumption": pl.Boolean})
    >>> participation(organisations, edges).select("org_id", "level", "enterprise_level").rows()
    [('a', 3, 3), ('b', 3, 0)]
    """
    return leave(  # type: ignore[no-any-return]
        _participation(enter(organisations), enter(edges)).sort("period", "org_id"),
        like=organisations,
    )


def _participation(organisations: nw.LazyFrame[Any], edges: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    key = ["period", "org_id"]
    code = nw.col("vsic_code")
    is_agricultural = nw.when(~code.is_null()).then(
        code.str.slice(0, 2).is_in(["01", "02", "03"]) | code.str.starts_with("0893")
    )
    known = organisations.select(
        *key,
        nw.when(nw.col("locality").is_null()).then(nw.lit(UNKNOWN)).otherwise(nw.col("locality")).alias("locality"),
        nw.col("legal_type"),
        nw.col("status"),
        is_agricultural.alias("is_agricultural"),
    )  # fmt: skip
    types = organisations.select(
        "period", nw.col("org_id").alias("_other"), nw.col("legal_type").alias("_other_type")
    )
    links = edges.filter(nw.col("supplier_id") != nw.col("buyer_id")).with_columns(
        _rank().alias("_rank"),
        nw.when(nw.col("has_consumption")).then(nw.lit(True))
        .otherwise(nw.col("has_consumption").is_null()).alias("_consumes"),
    )  # fmt: skip

    def side(own: str, other: str, *, sells: bool) -> nw.LazyFrame[Any]:
        return links.select(
            "period", nw.col(own).alias("org_id"), nw.col(other).alias("_other"),
            nw.lit(sells).alias("_sells"), nw.col("_rank"), nw.col("_consumes"),
        )  # fmt: skip

    both = stack(
        [side("supplier_id", "buyer_id", sells=True), side("buyer_id", "supplier_id", sells=False)]
    ).join(types, on=["period", "_other"], how="left")
    to_enterprise = nw.when(nw.col("_other_type") == "enterprise").then(True).otherwise(False)

    def strongest(condition: nw.Expr) -> nw.Expr:
        return nw.when(condition).then(nw.col("_rank")).otherwise(nw.lit(0)).max()

    levels = both.group_by(key).agg(
        nw.col("_rank").max().alias("level"),
        strongest(nw.col("_consumes")).alias("chain_level"),
        strongest(nw.col("_consumes") & nw.col("_sells")).alias("offtake_level"),
        strongest(nw.col("_consumes") & nw.col("_sells") & to_enterprise).alias("enterprise_level"),
    )
    names = ("level", "chain_level", "offtake_level", "enterprise_level")
    return known.join(levels, on=key, how="left").with_columns(
        *(nw.col(name).fill_null(0).cast(nw.Int64) for name in names)
    )


def totals(organisations: Native, reports: Native, edges: Native) -> Native:
    """Add up, for each locality and for the whole, everything the shares are made of.

    One row per ``period`` and ``locality``, with the row ``province`` for the whole: each column of
    the parts adds up to the whole. Cooperatives are ``legal_type`` ``htx``; a linkage belongs to the
    locality of its cooperative seller, else of its cooperative buyer, else of its seller.

    Returns
    -------
    frame
        Counts of cooperatives (``n_cooperatives``, ``n_active``, ``n_reported``, ``n_agricultural``,
        ``n_vsic``, ``n_rated``, ``n_good_fair``, ``n_high_tech``, ``n_linked_<level>``, …), sums over
        their reports (``official_members``, ``revenue_vnd``, …) and over linkages
        (``contracted_value_vnd_<level>``, ``paid_value_vnd``, ``area_ha_<level>``, …); ``n_linkages``
        at any level. Sums are null where nobody states a value, ``n_active`` where no status is known.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph.network import edges
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame(
    ...     {"period": ["2024"] * 2, "org_id": ["a", "b"], "legal_type": ["htx"] * 2, "locality": ["X", "Y"]}))
    >>> made = totals(organisations, TABLES["cooperative_reports"].empty(), edges(TABLES["linkages"].empty()))
    >>> made.select("locality", "n_cooperatives", "n_linkages", "revenue_vnd").rows()
    [('X', 1, 0, None), ('Y', 1, 0, None), ('province', 2, 0, None)]
    """
    made = _totals(enter(organisations), enter(reports), enter(edges))
    return leave(made.sort("period", "locality"), like=organisations)  # type: ignore[no-any-return]


def _twice(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows under their locality, and once more under the whole."""
    return stack([frame, frame.with_columns(nw.lit(WHOLE).alias("locality"))])


def _totals(
    organisations: nw.LazyFrame[Any], reports: nw.LazyFrame[Any], edges: nw.LazyFrame[Any]
) -> nw.LazyFrame[Any]:
    key = ["period", "org_id"]
    part = ["period", "locality"]
    told = reports.select(
        *key, "official_members", "revenue_vnd", "total_capital_vnd", "regular_workers",
        "member_income_vnd", "worker_income_vnd", "managers", "managers_college", "rating",
        "is_high_tech", "high_tech_evidence", nw.lit(True).alias("_reported"),
    )  # fmt: skip
    rows = pin(_participation(organisations, edges).join(told, on=key, how="left"))
    good = nw.col("rating").is_in(["tot", "kha"])
    rated = good | nw.col("rating").is_in(["trung_binh", "yeu"])
    member_weight = nw.when(~nw.col("member_income_vnd").is_null()).then(nw.col("official_members"))
    worker_weight = nw.when(~nw.col("worker_income_vnd").is_null()).then(nw.col("regular_workers"))
    has_status = ~nw.col("status").is_null() & (nw.col("status") != "unknown")
    rows = rows.with_columns(
        nw.when(has_status).then((nw.col("status") == "active").cast(nw.Int64)).alias("_active"),
        good.alias("_good"), rated.alias("_rated"),
        member_weight.alias("_income_members"), worker_weight.alias("_income_workers"),
        (nw.col("member_income_vnd") * nw.col("official_members")).alias("_member_income"),
        (nw.col("worker_income_vnd") * nw.col("regular_workers")).alias("_worker_income"),
        nw.when(~nw.col("managers_college").is_null()).then(nw.col("managers")).alias("_managers"),
    )  # fmt: skip
    htx = nw.col("legal_type") == "htx"
    agri = nw.col("is_agricultural")
    others = _twice(rows.filter(nw.col("legal_type") != "htx")).group_by(part).agg(
        count_where(nw.col("legal_type") == "tht").alias("n_cooperative_groups"),
        count_where(nw.col("legal_type") == "lhhtx").alias("n_unions"),
        count_where(nw.col("legal_type") == "enterprise").alias("n_enterprises"),
    )  # fmt: skip
    measures = [
        nw.len().cast(nw.Int64).alias("n_cooperatives"),
        total("_active").alias("n_active"),
        count_where(~nw.col("_reported").is_null()).alias("n_reported"),
        count_where(~agri.is_null()).alias("n_vsic"),
        count_where(agri).alias("n_agricultural"),
        count_where(nw.col("_rated")).alias("n_rated"),
        count_where(nw.col("_good")).alias("n_good_fair"),
        count_where(nw.col("_rated") & agri).alias("n_agricultural_rated"),
        count_where(nw.col("_good") & agri).alias("n_agricultural_good_fair"),
        count_where(~nw.col("is_high_tech").is_null()).alias("n_high_tech_stated"),
        count_where(nw.col("is_high_tech")).alias("n_high_tech_claimed"),
        count_where(nw.col("is_high_tech") & ~nw.col("high_tech_evidence").is_null()).alias("n_high_tech"),
        total("official_members").alias("official_members"),
        nw.col("official_members").count().cast(nw.Int64).alias("n_members_stated"),
        total("regular_workers").alias("regular_workers"),
        total("revenue_vnd").alias("revenue_vnd"),
        nw.col("revenue_vnd").count().cast(nw.Int64).alias("n_revenue_stated"),
        total("total_capital_vnd").alias("total_capital_vnd"),
        total("_managers").alias("managers"),
        total("managers_college").alias("managers_college"),
        total("_member_income").alias("_member_income"),
        total("_income_members").alias("_income_members"),
        nw.col("_member_income").count().cast(nw.Int64).alias("n_member_income"),
        total("_worker_income").alias("_worker_income"),
        total("_income_workers").alias("_income_workers"),
        nw.col("_worker_income").count().cast(nw.Int64).alias("n_worker_income"),
    ]  # fmt: skip
    for rank, level in enumerate(LEVELS, start=1):
        linked = nw.col("level") >= rank
        chained = nw.col("chain_level") >= rank
        measures += [
            count_where(linked).alias(f"n_linked_{level}"),
            count_where(linked & (nw.col("status") == "active")).alias(f"n_active_linked_{level}"),
            total(nw.when(linked).then(nw.col("official_members"))).alias(f"members_linked_{level}"),
            total(nw.when(linked).then(nw.col("revenue_vnd"))).alias(f"revenue_linked_{level}"),
            count_where(chained).alias(f"n_chain_{level}"),
            count_where(chained & agri).alias(f"n_agricultural_chain_{level}"),
            count_where(chained & nw.col("_good")).alias(f"n_good_fair_chain_{level}"),
            count_where(agri & (nw.col("offtake_level") >= rank)).alias(f"n_offtake_{level}"),
            count_where(agri & (nw.col("enterprise_level") >= rank)).alias(f"n_enterprise_linked_{level}"),
        ]  # fmt: skip
    counted = _twice(rows.filter(htx)).group_by(part).agg(*measures)
    linked_sums = _linkage_totals(organisations, edges)
    places = stack(
        [
            _twice(rows.select("period", "locality")),
            linked_sums.select("period", "locality"),
        ]
    ).unique()
    periods = edges.group_by("period").agg(
        nw.col("n_linkages").sum().cast(nw.Int64).alias("n_linkages_in_period"),
        (nw.col("n_paid_value") + nw.col("n_delivered_tonnes"))
        .sum()
        .cast(nw.Int64)
        .alias("n_execution_stated_in_period"),
    )
    counted, linked_sums, places = pin(counted), pin(linked_sums), pin(places)
    made = (
        places.join(counted, on=part, how="left")
        .join(others, on=part, how="left")
        .join(linked_sums, on=part, how="left")
        .join(periods, on="period", how="left")
    )
    counts = [name for name in made.collect_schema().names() if name.startswith("n_")]
    return made.with_columns(
        *(nw.col(name).fill_null(0) for name in counts),
        ratio("_member_income", "_income_members").alias("member_income_vnd"),
        ratio("_worker_income", "_income_workers").alias("worker_income_vnd"),
    ).drop("_member_income", "_worker_income", "_income_workers", "_income_members")


def _linkage_totals(
    organisations: nw.LazyFrame[Any], edges: nw.LazyFrame[Any]
) -> nw.LazyFrame[Any]:
    def end(name: str) -> nw.LazyFrame[Any]:
        return organisations.select(
            "period",
            nw.col("org_id").alias(f"{name}_id"),
            nw.col("locality").alias(f"_{name}_locality"),
            nw.col("legal_type").is_in(["htx", "lhhtx", "tht"]).alias(f"_{name}_coop"),
        )

    rows = edges.join(end("supplier"), on=["period", "supplier_id"], how="left").join(
        end("buyer"), on=["period", "buyer_id"], how="left"
    )
    is_buyers = (
        nw.when(nw.col("_supplier_coop")).then(nw.lit(False))
        .otherwise(nw.when(nw.col("_buyer_coop")).then(nw.lit(True)).otherwise(nw.lit(False)))
    )  # fmt: skip
    place = (
        nw.when(is_buyers).then(nw.col("_buyer_locality")).otherwise(nw.col("_supplier_locality"))
    )
    rows = rows.with_columns(place.alias("_place"), _rank().alias("_rank")).with_columns(
        nw.when(nw.col("_place").is_null()).then(nw.lit(UNKNOWN)).otherwise(nw.col("_place")).alias("locality")
    )  # fmt: skip
    both_values = (nw.col("n_contracted_value") == nw.col("n_linkages")) & (
        nw.col("n_paid_value") == nw.col("n_linkages")
    )
    both_tonnes = (nw.col("n_contracted_tonnes") == nw.col("n_linkages")) & (
        nw.col("n_delivered_tonnes") == nw.col("n_linkages")
    )
    columns = [
        "period", "locality", "_rank", "n_linkages", "contracted_value_vnd", "paid_value_vnd",
        "contracted_tonnes", "delivered_tonnes", "area_ha", "households",
    ]  # fmt: skip
    rows = rows.select(
        *columns,
        nw.when(both_values).then(nw.col("contracted_value_vnd")).alias("_contracted_of_both"),
        nw.when(both_values).then(nw.col("paid_value_vnd")).alias("_paid_of_both"),
        nw.when(both_tonnes).then(nw.col("contracted_tonnes")).alias("_signed_tonnes_of_both"),
        nw.when(both_tonnes).then(nw.col("delivered_tonnes")).alias("_delivered_tonnes_of_both"),
    )
    measures = [
        total("paid_value_vnd").alias("paid_value_vnd"),
        total("delivered_tonnes", scale=MASS_SCALE).alias("delivered_tonnes"),
        total("_contracted_of_both").alias("contracted_value_of_both"),
        total("_paid_of_both").alias("paid_value_of_both"),
        total("_signed_tonnes_of_both", scale=MASS_SCALE).alias("contracted_tonnes_of_both"),
        total("_delivered_tonnes_of_both", scale=MASS_SCALE).alias("delivered_tonnes_of_both"),
    ]
    for rank, level in enumerate(LEVELS, start=1):

        def at(column: str, rank: int = rank) -> nw.Expr:
            return nw.when(nw.col("_rank") >= rank).then(nw.col(column))

        measures += [
            nw.when(nw.col("_rank") >= rank).then(nw.col("n_linkages")).otherwise(0)
            .sum().cast(nw.Int64).alias(f"n_linkages_{level}"),
            total(at("contracted_value_vnd")).alias(f"contracted_value_vnd_{level}"),
            total(at("contracted_tonnes"), scale=MASS_SCALE).alias(f"contracted_tonnes_{level}"),
            total(at("area_ha"), scale=AREA_SCALE).alias(f"area_ha_{level}"),
            total(at("households")).alias(f"households_{level}"),
        ]  # fmt: skip
    return _twice(rows).group_by("period", "locality").agg(
        nw.col("n_linkages").sum().cast(nw.Int64).alias("n_linkages"), *measures
    )  # fmt: skip
