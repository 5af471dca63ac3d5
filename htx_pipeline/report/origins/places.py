"""Figures of places and of the whole: counts, sums and shares of cooperatives, reports and linkages.

What belongs here: for each column of `htx_pipeline.metrics.linkage.totals` the rows it counts, in the
whole, a locality or a commune of today. What does not: which total an indicator divides by which
(`indicators`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from htx_pipeline.metrics.linkage import LEVELS
from htx_pipeline.report.origins.model import How, Origin, Part, Role
from htx_pipeline.report.origins.rows import Positions, RowSet, TableRows, Year

RANK: Final = {level: i for i, level in enumerate(LEVELS, start=1)}
TYPES: Final = {"n_cooperative_groups": "tht", "n_unions": "lhhtx", "n_enterprises": "enterprise"}
GOOD: Final = ("tot", "kha")
RATED: Final = (*GOOD, "trung_binh", "yeu")


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole, a locality as the register names it, or a commune of today; ``name`` None: unknown."""

    kind: Literal["province", "locality", "commune"] = "province"
    name: str | None = None

    def rows(self, table: TableRows) -> Positions:
        """Return the rows of a table that lie in the scope."""
        return table.all if self.kind == "province" else table.by(self.kind, self.name)


WHOLE: Final = Scope()


def left_out(year: Year, scope: Scope, *tables: str) -> tuple[RowSet, ...]:
    """Return the rejected rows of a scope."""
    found = []
    for name in dict.fromkeys(tables):
        table = year.rejected(name)
        at = scope.rows(table)
        if len(at):
            found.append(table.set(at))
    return tuple(found)


def total_parts(year: Year, scope: Scope, name: str, role: Role) -> tuple[Part, ...]:
    """Return the rows that one column of ``totals`` counts or adds up, and those that bear it out.

    Parameters
    ----------
    year, scope:
        Whose rows.
    name:
        A column of `htx_pipeline.metrics.linkage.totals` ("n_linked_active", "revenue_vnd").
    role:
        What the rows are to the figure.
    """
    key = (scope, name, role)
    return year.keep(key, lambda: _total_parts(year, scope, name, role))  # type: ignore[no-any-return]


def _total_parts(year: Year, scope: Scope, name: str, role: Role) -> tuple[Part, ...]:
    base, _, level = name.rpartition("_")
    asked = [(name, 0)] + ([(base, RANK[level])] if level in RANK else [])
    for wanted, rank in asked:
        for find in (_of_register, _of_reports, _of_linkages):
            made = find(year, scope, wanted, rank)
            if made is not None:
                table, at, how, column, witnesses = made
                part = Part(role, table.set(at), how, column)
                return (part, Part("evidence", witnesses)) if witnesses is not None else (part,)
    raise KeyError(name)


Found = tuple[TableRows, Positions, How, str, RowSet | None]


def _of_register(year: Year, scope: Scope, base: str, rank: int) -> Found | None:
    table = year.organisations
    here = scope.rows(table)
    if base in TYPES:
        return table, table.where(here, table.array("legal_type") == TYPES[base]), "rows", "", None
    own = table.where(here, table.array("is_htx"))
    tests: dict[str, tuple[Any, ...]] = {
        "n_cooperatives": (),
        "n_active": (table.array("status") == "active",),
        "n_vsic": (table.array("has_vsic"),),
        "n_agricultural": (table.array("agri"),),
    }
    if base in tests:
        return table, table.where(own, *tests[base]), "rows", "", None
    linked: dict[str, tuple[str, tuple[Any, ...]]] = {
        "n_linked": ("level", ()),
        "n_active_linked": ("level", tests["n_active"]),
        "n_chain": ("chain_level", ()),
        "n_agricultural_chain": ("chain_level", tests["n_agricultural"]),
        "n_offtake": ("offtake_level", tests["n_agricultural"]),
        "n_enterprise_linked": ("enterprise_level", tests["n_agricultural"]),
    }
    if base not in linked or not rank:
        return None
    sense, more = linked[base]
    own = table.where(own, *more, table.array(sense) >= rank)
    return table, own, "rows", "", links_of(year, own, sense, rank)


def _of_reports(year: Year, scope: Scope, base: str, rank: int) -> Found | None:
    table = year.reports
    own = table.where(scope.rows(table), table.array("is_htx"))
    rating = table.array("rating").astype(str)
    good, agri = np.isin(rating, GOOD), table.array("agri").astype(bool)
    high = table.array("is_high_tech") == True  # noqa: E712 -- an array with nulls
    counted: dict[str, tuple[Any, ...]] = {
        "n_reported": (),
        "n_members_stated": (table.stated("official_members"),),
        "n_revenue_stated": (table.stated("revenue_vnd"),),
        "n_rated": (np.isin(rating, RATED),),
        "n_good_fair": (good,),
        "n_agricultural_rated": (np.isin(rating, RATED), agri),
        "n_agricultural_good_fair": (good, agri),
        "n_high_tech_stated": (table.stated("is_high_tech"),),
        "n_high_tech_claimed": (high,),
        "n_high_tech": (high, table.stated("high_tech_evidence")),
        "n_member_income": (table.stated("member_income_vnd"), table.stated("official_members")),
        "n_worker_income": (table.stated("worker_income_vnd"), table.stated("regular_workers")),
    }
    if base in counted:
        return table, table.where(own, *counted[base]), "rows", "", None
    if base == "n_good_fair_chain" and rank:
        own = table.where(own, good, table.array("chain_level") >= rank)
        senders = _senders(year, own)
        return table, own, "rows", "", links_of(year, senders, "chain_level", rank)
    added = {
        "official_members": "official_members", "revenue_vnd": "revenue_vnd",
        "managers": "managers", "managers_college": "managers_college",
        "members_linked": "official_members", "revenue_linked": "revenue_vnd",
    }  # fmt: skip
    if base not in added:
        return None
    column = added[base]
    own = table.where(own, table.stated(column))
    if base == "managers":
        own = table.where(own, table.stated("managers_college"))
    if not base.endswith("_linked"):
        return table, own, "sum", column, None
    own = table.where(own, table.array("level") >= rank)
    return table, own, "sum", column, links_of(year, _senders(year, own), "level", rank)


def _senders(year: Year, reports: Positions) -> Positions:
    at = year.org_at(year.reports, "org_id")[reports]
    return np.unique(at[at >= 0]).astype(np.int32)


def _of_linkages(year: Year, scope: Scope, base: str, rank: int) -> Found | None:
    table = year.linkages
    own = scope.rows(table)
    if rank:
        own = table.where(own, table.array("rank") >= rank)
    if base == "n_linkages":
        return table, own, "rows", "", None
    amounts = ("contracted_value_vnd", "paid_value_vnd", "contracted_tonnes", "delivered_tonnes")
    for column in amounts:
        if base == f"{column.removesuffix('_vnd')}_of_both":
            both = "_both_values" if column.endswith("_vnd") else "_both_tonnes"
            return table, table.where(own, table.array(both)), "sum", column, None
    if base in (*amounts, "area_ha", "households"):
        return table, table.where(own, table.stated(base)), "sum", base, None
    return None


def links_of(year: Year, organisations: Positions, sense: str, rank: int) -> RowSet:
    """Return the linkages that show organisations to be linked, in one of the senses of ``participation``."""
    table = year.linkages
    is_own = np.zeros(year.organisations.height + 1, dtype=bool)
    is_own[organisations] = True
    sells = is_own[year.org_at(table, "supplier_id")]
    test = sells if sense in ("offtake_level", "enterprise_level") else sells | is_own[year.org_at(table, "buyer_id")]  # fmt: skip
    test = test & table.array("is_between") & (table.array("rank") >= rank)
    if sense != "level":
        test = test & table.array("consumes")
    if sense == "enterprise_level":
        test = test & table.array("to_enterprise")
    return table.set(np.flatnonzero(test).astype(np.int32))


def income(year: Year, scope: Scope, who: str = "member") -> tuple[Part, ...]:
    """Return the parts of a mean income: incomes times heads, over heads."""
    column, weight = f"{who}_income_vnd", {"member": "official_members", "worker": "regular_workers"}[who]  # fmt: skip
    table = year.reports
    own = table.where(scope.rows(table), table.array("is_htx"), table.stated(column), table.stated(weight))  # fmt: skip
    rows = table.set(own)
    return Part("numerator", rows, "product", column, weight), Part("denominator", rows, "sum", weight)  # fmt: skip


SHARES: Final = {"linked_share": ("n_linked_active", "n_cooperatives")}
AS: Final = {"contracted_value_vnd": "contracted_value_vnd_signed", "area_ha": "area_ha_signed", "households": "households_signed"}  # fmt: skip
"""Columns of `metrics/localities` that are a total under another name."""

TABLES: Final = ("organisations", "cooperative_reports", "linkages")


def place_origin(year: Year, scope: Scope, column: str) -> Origin | None:
    """Return what a column of `metrics/localities` or `metrics/communes` is made of; None: no such column.

    Examples
    --------
    >>> import polars as pl
    >>> from htx_pipeline.report.frames import Frames
    >>> frame = pl.DataFrame({"org_id": ["a", "b"], "name": ["A", "B"], "legal_type": ["htx", "enterprise"], "locality": ["X", "X"]})
    >>> year = Year(Frames({"core/organisations": frame}, period="2024"), "2024")
    >>> place_origin(year, Scope("locality", "X"), "n_cooperatives").value()
    1
    """
    through = ("metrics/localities" if scope.kind != "commune" else "metrics/communes",)
    if column == "rank":
        parts = (
            *total_parts(year, WHOLE, "n_linked_active", "numerator"),
            *total_parts(year, WHOLE, "n_cooperatives", "denominator"),
        )
        how = "khoảng tin cậy 95 % (Wilson) của từng địa bàn, rồi khoảng hạng"
        return Origin(parts, why="rank", through=(*through, how))
    if column in SHARES:
        part, whole = SHARES[column]
        parts = (
            *total_parts(year, scope, part, "numerator"),
            *total_parts(year, scope, whole, "denominator"),
        )
        how = f"{through[0]}: {column} = {part} ÷ {whole}"
        return Origin(parts, "ratio", through=(*through, how), rejected=left_out(year, scope, "organisations", "linkages"))  # fmt: skip
    if column == "missing_share":
        return Origin(
            (silent(year, scope), *total_parts(year, scope, "n_cooperatives", "denominator")), "ratio",
            through=through, rejected=left_out(year, scope, "organisations", "cooperative_reports"),
        )  # fmt: skip
    if column == "member_income_vnd":
        return Origin(income(year, scope), "ratio", through=through, rejected=left_out(year, scope, "cooperative_reports"))  # fmt: skip
    try:
        parts = total_parts(year, scope, AS.get(column, column), "counted")
    except KeyError:
        return None
    rejected = left_out(year, scope, *(p.table.split(" ")[0] for p in parts))
    return Origin(parts, "value", through=through, rejected=rejected)


def silent(year: Year, scope: Scope) -> Part:
    """Return the cooperatives of a place that sent no report, as a numerator."""
    table = year.organisations
    sent = np.zeros(table.height + 1, dtype=bool)
    sent[_senders(year, year.reports.all)] = True
    own = table.where(scope.rows(table), table.array("is_htx"), ~sent[:-1])
    return Part("numerator", table.set(own), "rows")
