"""Figures of a cluster: its linkages, members, buyers, stages, flows, tests, and the quality of its data.

What belongs here: the rows behind each column that a cluster's report and the list of clusters print,
and behind the flows of a chain, a cluster's or the whole's. What does not: years before (`history`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from htx_pipeline.reference.actions import limits
from htx_pipeline.report.origins.model import How, Origin, Part, Role, amount_of, value
from htx_pipeline.report.origins.rows import NONE, Positions, RowSet, TableRows, Year

LEIDEN: Final = "graph/communities"
INSIDE: Final = ("graph/edges", LEIDEN, "metrics/clusters")
WEIGHTS: Final = {"paid_value": "paid_value_vnd", "contracted_value": "contracted_value_vnd"}
AMOUNTS: Final = ("contracted_value_vnd", "paid_value_vnd", "area_ha", "households", "delivered_tonnes")  # fmt: skip
WHOLE: Final = "province"


def row_of(year: Year, cluster: str) -> dict[str, Any]:
    """Return the row of `metrics/clusters`."""
    rows = year.keep("clusters", lambda: {r["cluster_id"]: r for r in year.frame("metrics/clusters", "cluster_id", "weight_basis", "main_product", "executed_share_basis").to_dicts()})  # fmt: skip
    return rows.get(cluster, {"weight_basis": None, "main_product": None, "executed_share_basis": None})  # type: ignore[no-any-return]  # fmt: skip


def linkages_of(year: Year, scope: str) -> Positions:
    """Return the linkages, signed or stronger, with both ends in a cluster; of the whole: all of them."""
    table = year.linkages
    if scope != WHOLE:
        return table.by("home", scope)
    return year.keep("signed", lambda: table.where(table.all, table.array("rank") >= 2))  # type: ignore[no-any-return]


def left_out(year: Year, cluster: str) -> tuple[RowSet, ...]:
    """Return the rejected linkages that name a member."""

    def find() -> tuple[RowSet, ...]:
        table = year.rejected("linkages")
        if cluster == WHOLE:
            return (table.set(table.all),) if table.height else ()
        ends = [table.by(f"{end}_cluster", cluster) for end in ("supplier", "buyer")]
        at = np.union1d(*ends).astype(np.int32)
        return (table.set(at),) if len(at) else ()

    return year.keep(("left out of", cluster), find)  # type: ignore[no-any-return]


def weight_column(year: Year, cluster: str) -> str:
    """Return the column that a cluster's shares add; empty where they count linkages."""
    return WEIGHTS.get(row_of(year, cluster)["weight_basis"] or "", "")


def weighed(table: TableRows, at: Positions, role: Role, column: str) -> Part:
    """Return rows that add a column, or are counted where it is empty."""
    return Part(role, table.set(at), "sum" if column else "rows", column)


KINDS: Final = {
    "n_organisations": "",
    "n_cooperatives": "htx",
    "n_unions": "lhhtx",
    "n_cooperative_groups": "tht",
    "n_enterprises": "enterprise",
}
"""Counts of members, by legal type; all of them where it is empty."""


def cluster(year: Year, ident: str, column: str) -> Origin | None:
    """Return what a column of `metrics/clusters` is made of."""
    table, own = year.linkages, linkages_of(year, ident)
    more: dict[str, Any] = {"through": INSIDE, "rejected": left_out(year, ident)}
    if column in KINDS:
        register = year.organisations
        members = register.by("cluster", ident)
        if KINDS[column]:
            members = register.where(members, register.eq("legal_type", KINDS[column]))
        return Origin((Part("counted", register.set(members), "rows"), Part("evidence", table.set(own))), "value", **more)  # fmt: skip
    if column == "n_linkages":
        return value(table, own, "rows", **more)
    if column in AMOUNTS:
        return value(table, table.where(own, table.stated(column)), "sum", column, **more)
    if column == "executed_share":
        by = "" if row_of(year, ident)["executed_share_basis"] == "links" else "contracted_value_vnd"  # fmt: skip
        return executed(year, own, by, **more)
    if column == "largest_buyer_share":
        return buyer(year, ident, None, "share")
    return member_income(year, ident) if column == "member_income_vnd" else None


def executed(year: Year, own: Positions, column: str, **more: Any) -> Origin:
    """Return the share of linkages, or of a column of them, that was executed."""
    table = year.linkages
    if column:
        own = table.where(own, table.stated(column))
    done = table.where(own, table.array("rank") == 4)
    return Origin((weighed(table, done, "numerator", column), weighed(table, own, "denominator", column)), "ratio", **more)  # fmt: skip


def member_income(year: Year, ident: str, ids: Any = None) -> Origin:
    """Return the mean income of the members of a cluster's cooperatives."""
    table = year.reports
    own = table.by("cluster", ident) if ids is None else table.having("org_id", ids)
    own = table.where(own, table.stated("member_income_vnd"), table.numbers("official_members") > 0)
    rows = table.set(own)
    parts = (Part("numerator", rows, "product", "member_income_vnd", "official_members"), Part("denominator", rows, "sum", "official_members"))  # fmt: skip
    return Origin(parts, "ratio", through=(LEIDEN, "metrics/cluster_history"))


def kind(year: Year, ident: str, stage: str | None, column: str) -> Origin | None:
    """Return the members of a kind at a stage; "*" stands for every stage, "unknown" for none."""
    if not column.startswith("n"):
        return None
    table = year.organisations
    stages = year.keep("stage of members", lambda: dict(year.frame("metrics/cluster_members", "org_id", "stage").select("org_id", "stage").iter_rows()))  # fmt: skip
    own = table.by("cluster", ident)
    if stage != "*":
        wanted = None if stage == "unknown" else stage
        own = own[[stages.get(o) == wanted for o in table.array("org_id")[own].tolist()]] if len(own) else own  # fmt: skip
    if column != "n":
        own = table.where(own, table.eq("legal_type", column.removeprefix("n_")))
    return value(table, own, "rows", through=(LEIDEN, "graph/nodes", "metrics/cluster_members"))


def member(year: Year, ident: str, org: str, column: str) -> Origin | None:
    """Return what a column of a member's line is made of."""
    table, own = year.linkages, linkages_of(year, ident)
    more: dict[str, Any] = {"through": (*INSIDE, "metrics/cluster_members"), "rejected": left_out(year, ident)}  # fmt: skip
    sells = table.where(table.by("supplier_id", org), _is_home(year, ident))
    buys = table.where(table.by("buyer_id", org), _is_home(year, ident))
    both = np.union1d(sells, buys).astype(np.int32)
    weight = weight_column(year, ident)
    if column == "n_linkages":
        return value(table, both, "rows", **more)
    if column == "executed_share":
        signed = table.where(both, table.numbers("contracted_value_vnd") > 0)
        return executed(year, signed, "contracted_value_vnd", **more)
    sides = {"value_in_vnd": (buys,), "value_out_vnd": (sells,), "traded_vnd": (buys, sells)}
    if column in sides and weight:
        parts = (weighed(table, table.where(s, table.stated(weight)), "counted", weight) for s in sides[column])  # fmt: skip
        return Origin(tuple(p for p in parts if len(p.rows)), "value", **more)
    if column == "official_members":
        told = year.reports
        return value(told, told.by("org_id", org), "sum", column, **more)
    if column == "rank":
        return Origin((Part("evidence", table.set(both)), Part("denominator", table.set(own))), why="rank", **more)  # fmt: skip
    return None


def _is_home(year: Year, ident: str) -> Any:
    return year.keep(("home", ident), lambda: _mask(year.linkages, linkages_of(year, ident)))


def _mask(table: TableRows, at: Positions) -> Any:
    mask = np.zeros(table.height, dtype=bool)
    mask[at] = True
    return mask


def _stated(year: Year, ident: str) -> tuple[Positions, str]:
    """Return the linkages between two members that state what the cluster's shares add."""
    table, weight = year.linkages, weight_column(year, ident)
    own = table.where(linkages_of(year, ident), table.array("is_between"))
    return (table.where(own, table.numbers(weight) > 0) if weight else own), weight


def buyer(year: Year, ident: str, org: str | None, column: str) -> Origin | None:
    """Return what a column of a buyer's line is made of; of the largest buyer where *org* is None."""
    table = year.linkages
    stated, weight = _stated(year, ident)
    org = org if org is not None else _largest(table, stated, weight)
    is_stated = year.keep(("stated in", ident), lambda: _mask(table, stated))
    own = table.where(table.by("buyer_id", org), is_stated)
    more: dict[str, Any] = {"through": INSIDE, "rejected": left_out(year, ident)}
    if column == "share":
        parts = (weighed(table, own, "numerator", weight), weighed(table, stated, "denominator", weight))  # fmt: skip
        return Origin(parts, "ratio", **more) if len(stated) else None
    if column == "n_captive":
        elsewhere = set(table.array("supplier_id")[np.setdiff1d(stated, own)].tolist())
        alone = np.array([s not in elsewhere for s in table.array("supplier_id")[own].tolist()], dtype=bool)  # fmt: skip
        return Origin((Part("counted", table.set(own[alone]), "distinct", "supplier_id"), Part("evidence", table.set(stated))), "value", **more)  # fmt: skip
    inside = table.where(table.by("buyer_id", org), _is_home(year, ident), table.array("is_between"))  # fmt: skip
    columns: dict[str, tuple[Positions, How, str]] = {
        "n_sellers": (own, "distinct", "supplier_id"),
        "n_linkages": (inside, "rows", ""),
        "value_vnd": (own, "sum", weight),
    }
    if column not in columns or (column == "value_vnd" and not weight):
        return None
    return value(table, *columns[column], **more)


def _largest(table: TableRows, stated: Positions, weight: str) -> str | None:
    """Return who buys most; of equals the one with the smaller id."""
    sums: dict[str, float] = {}
    amounts = table.numbers(weight)[stated] if weight else np.ones(len(stated))
    buyers = table.array("buyer_id")[stated]
    for who, amount in zip(buyers.tolist(), amounts.tolist(), strict=True):
        sums[who] = sums.get(who, 0) + amount
    return min(sums, key=lambda o: (-sums[o], o), default=None)


def firm(year: Year, ident: str, org: str, column: str) -> Origin | None:
    """Return what a column of an enterprise's line is made of: bought and sold."""
    table, weight = year.linkages, weight_column(year, ident)
    inside = table.where(linkages_of(year, ident), table.array("is_between"))
    both = np.union1d(table.by("supplier_id", org), table.by("buyer_id", org)).astype(np.int32)
    own = table.where(both, _is_home(year, ident), table.array("is_between"))
    more: dict[str, Any] = {"through": INSIDE, "rejected": left_out(year, ident)}
    if column == "n_linkages":
        return value(table, own, "rows", **more)
    if column == "value_vnd" and weight:
        return value(table, table.where(own, table.stated(weight)), "sum", weight, **more)
    if column == "share":
        stated = table.stated(weight) if weight else table.array("is_between")
        top, bottom = table.where(own, stated), table.where(inside, stated)
        return Origin((weighed(table, top, "numerator", weight), weighed(table, bottom, "denominator", weight)), "ratio", **more)  # fmt: skip
    return None


FLAGS: Final = {"inputs": "has_inputs", "production": "has_production", "processing": "has_processing", "consumption": "has_consumption"}  # fmt: skip


def stage(year: Year, ident: str, product: str | None, name: str, column: str) -> Origin | None:
    """Return what a column of a stage is made of, for one product of a cluster."""
    table, weight = year.linkages, weight_column(year, ident)
    own = table.where(linkages_of(year, ident), table.eq("product_code", product))
    more: dict[str, Any] = {"through": (*INSIDE, "graph/nodes", "metrics/cluster_stages"), "rejected": left_out(year, ident)}  # fmt: skip
    into = table.where(own, table.eq("buyer_stage", name))
    out = table.where(own, table.eq("supplier_stage", name))
    if column == "n_organisations":
        ids = [*table.array("supplier_id")[out].tolist(), *table.array("buyer_id")[into].tolist()]
        who = year.organisations.set(year.of_organisations(ids))
        parts = [Part("counted", who, "rows"), Part("evidence", table.set(np.union1d(into, out).astype(np.int32)))]  # fmt: skip
        if not len(who) and name in FLAGS:
            # Nobody stands at the stage: linkages that say they cover it are all that speaks for it.
            covers = table.where(own, table.array(FLAGS[name]) == True)  # noqa: E712
            parts.append(Part("estimated", table.set(covers)))
        return Origin(tuple(parts), "value", **more)
    columns = {"value_in_vnd": (into, weight), "value_out_vnd": (out, weight), "delivered_tonnes": (out, "delivered_tonnes")}  # fmt: skip
    at, added = columns.get(column, (NONE, ""))
    return value(table, table.where(at, table.stated(added)), "sum", added, **more) if added else None  # fmt: skip


# --------------------------------------------------------------------------- the chain

LOSSES: Final = ("unknown", "loss")


def flow(year: Year, scope: str, line: dict[str, Any], column: str) -> Origin | None:
    """Return what a column of a flow from stage to stage is made of.

    A recorded flow is its linkages. A balance is what enters a stage less what leaves it, or the other
    way round: an estimate.
    """
    table = year.linkages
    own = table.where(linkages_of(year, scope), table.eq("product_code", line["product_code"]))
    is_paid = line.get("weight_basis") == "paid_value"
    columns: dict[str, tuple[How, str]] = {
        "n_linkages": ("rows", ""),
        "signed_value_vnd": ("sum", "contracted_value_vnd"),
        "executed_value_vnd": ("sum", "contracted_value_vnd"),
        "value_vnd": ("sum", WEIGHTS.get(line.get("weight_basis") or "", "")),
        "tonnes": ("sum", "delivered_tonnes" if is_paid else "contracted_tonnes"),
    }
    if column not in columns:
        return None
    how, added = columns[column]
    more: dict[str, Any] = {"through": ("graph/edges", "graph/nodes", "metrics/chain_flows"), "rejected": left_out(year, scope)}  # fmt: skip
    if line.get("kind") == "balance":
        return _balance(year, own, line, (how, added), more)
    rows = table.where(own, _at(year, "supplier", line["from_stage"]), _at(year, "buyer", line["to_stage"]))  # fmt: skip
    if column != "executed_value_vnd":
        rows = table.where(rows, table.stated(added)) if added else rows
        return value(table, rows, how, added, **more)
    signed = table.set(table.where(rows, table.stated(added)))
    done = table.set(table.where(rows, table.array("rank") == 4, table.stated(added)))
    if len(done):
        return Origin((Part("counted", done, how, added), Part("evidence", signed)), "value", **more)  # fmt: skip
    # None of what is signed was executed: 0, counted over no row.
    return Origin((Part("counted", done, "rows"), Part("evidence", signed)), "value", **more)


def _at(year: Year, end: str, stage: str | None) -> Any:
    key = ("at", end, stage or "unknown")
    return year.keep(key, lambda: _stage_known(year, end) == (stage or "unknown"))


def _stage_known(year: Year, end: str) -> Any:
    return year.keep(("stages", end), lambda: np.array([s or "unknown" for s in year.linkages.array(f"{end}_stage").tolist()], dtype=object))  # fmt: skip


def _balance(
    year: Year, own: Positions, line: dict[str, Any], made: tuple[How, str], more: dict[str, Any]
) -> Origin:
    table, (how, added) = year.linkages, made
    comes_in = line["from_stage"] in LOSSES or line["from_stage"] is None
    stage = line["to_stage"] if comes_in else line["from_stage"]
    into, out = (table.where(own, _at(year, end, stage)) for end in ("buyer", "supplier"))
    if how == "rows":
        rows = table.set(np.union1d(into, out).astype(np.int32))
        return Origin((Part("counted", table.set(NONE), "rows"), Part("estimated", rows)), "value", **more)  # fmt: skip
    # More out than in comes from outside; more in than out goes there.
    first, second = (out, into) if comes_in else (into, out)
    sums = [table.set(table.where(at, table.stated(added))) for at in (first, second)]
    parts = (Part("counted", sums[0], how, added), Part("taken_off", sums[1], how, added))
    return Origin(parts, "gap_in", **more)


# --------------------------------------------------------------------------- tests, data, tasks


def criterion(year: Year, ident: str, name: str) -> Origin | None:
    """Return what the value of a legal test is made of."""
    table, own = year.linkages, linkages_of(year, ident)
    register = year.organisations
    members = register.by("cluster", ident)
    more: dict[str, Any] = {"through": (*INSIDE, "metrics/cluster_criteria"), "rejected": left_out(year, ident)}  # fmt: skip
    witness = Part("evidence", table.set(own))
    if name == "area":
        products = set(table.array("product_code")[own].tolist())
        fields = {p: table.where(own, table.eq("product_code", p), table.stated("area_ha")) for p in products}  # fmt: skip
        areas = {p: amount_of(table, at, "sum", "area_ha") or 0.0 for p, at in fields.items()}
        main = min(products, key=lambda p: (-areas[p], -int(table.eq("product_code", p)[own].sum()), p))  # fmt: skip
        return value(table, fields[main], "sum", "area_ha", **more)
    if name == "n_enterprises":
        firms = register.where(members, register.array("legal_type") == "enterprise")
        return Origin((Part("counted", register.set(firms), "rows"), witness), "value", **more)
    if name == "has_support_org":
        others = register.where(members, register.array("legal_type") == "other")
        return Origin((Part("counted", register.set(others), "rows"), witness), "value", **more)
    # Paths and hubs are searched for on the network; the others are answers yes or no.
    why = "path" if name in ("has_path", "hub_present") else "test"
    return Origin((Part("evidence", register.set(members)), witness), why=why, **more)


def ends(year: Year, ident: str, key: str, today: date) -> Origin | None:
    """Return the linkages of a cluster that ended undelivered, or end soon."""
    table, own = year.linkages, linkages_of(year, ident)
    days = int(limits()["ends_within_days"].value)
    day = table.array("ends_on").tolist()
    if key == "ended_without_delivery":
        is_it = year.keep(("ended", today), lambda: np.array([isinstance(d, date) and d < today for d in day], dtype=bool))  # fmt: skip
        own = table.where(own, is_it, table.array("rank") != 4)
    elif key == "ending_soon":
        near = today + timedelta(days=days)
        is_it = year.keep(("ending", today), lambda: np.array([isinstance(d, date) and today <= d <= near for d in day], dtype=bool))  # fmt: skip
        own = table.where(own, is_it)
    else:
        return None
    return value(table, own, "rows", through=INSIDE, rejected=left_out(year, ident))


def quality(year: Year, ident: str, key: str, column: str) -> Origin | None:
    """Return what a line of the box on a cluster's data is made of, by number or by ``value``."""
    table, own = year.linkages, linkages_of(year, ident)
    money = "contracted_value_vnd"
    more: dict[str, Any] = {"through": INSIDE, "rejected": left_out(year, ident)}
    if key == "rejected":
        return _rejected(year, ident, column, more)
    if key == "reported":
        return _reported(year, ident, column, more)
    tests: dict[str, tuple[Any, ...]] = {
        "used": (), "stated": (table.stated(money),), "matched": (_both_registered(year),), "executed": (table.array("rank") == 4,),
    }  # fmt: skip
    if key not in tests:
        return None
    at = table.where(own, *tests[key])
    if column == "count":
        return value(table, at, "rows", **more)
    at = table.where(at, table.stated(money))
    return value(table, at, "sum", money, **more) if len(at) else value(table, at, "rows", **more)


def _both_registered(year: Year) -> Any:
    def find() -> Any:
        table = year.linkages
        known = [year.org_array("is_registered", year.org_at(table, f"{end}_id"), default=None) for end in ("supplier", "buyer")]  # fmt: skip
        return np.array([a is True and b is True for a, b in zip(*(k.tolist() for k in known), strict=True)], dtype=bool)  # fmt: skip

    return year.keep("both registered", find)


def _rejected(year: Year, ident: str, column: str, more: dict[str, Any]) -> Origin:
    rows = left_out(year, ident)
    table = year.rejected("linkages")
    at = rows[0].at if rows else NONE
    if column == "count":
        return value(table, at, "rows", through=more["through"])
    wrong = year.keep("misvalued", lambda: _misvalued(year, table))
    sound = table.where(at, ~wrong, table.stated("contracted_value_vnd"))
    if len(sound):
        return value(table, sound, "sum", "contracted_value_vnd", through=more["through"])
    # Where no sound value is stated, the box says how many rows state a wrong one.
    return value(table, table.where(at, wrong), "rows", through=more["through"])


def _misvalued(year: Year, table: TableRows) -> Any:
    import polars as pl

    found = year.frame("core/findings", "table", "severity", "column", "source_id").filter(
        (pl.col("table") == "linkages") & (pl.col("severity") == "error") & (pl.col("column") == "contracted_value_vnd")
    )  # fmt: skip
    ids = set(found["source_id"].to_list())
    return np.array([i in ids for i in table.array("source_id").tolist()], dtype=bool)


def silent(year: Year) -> tuple[frozenset[str], frozenset[str] | None]:
    """Return the cooperatives that should have reported and did not, and those that should (None: all)."""

    def find() -> tuple[frozenset[str], frozenset[str] | None]:
        roster = year.frame("metrics/reporting_roster", "org_id", "status", "is_expected")
        if roster.height:
            late = roster.filter(roster["status"] == "missing")["org_id"].to_list()
            due = roster.filter(roster["is_expected"])["org_id"].to_list()
            return frozenset(late), frozenset(due)
        sent = set(year.reports.array("org_id").tolist())
        table = year.organisations
        own = table.array("org_id")[table.by("is_htx", value=True)].tolist()
        return frozenset(o for o in own if o not in sent), None

    return year.keep("silent", find)  # type: ignore[no-any-return]


def _reported(year: Year, ident: str, column: str, more: dict[str, Any]) -> Origin:
    register, table = year.organisations, year.linkages
    late, due = silent(year)
    ids = register.array("org_id")
    own = register.where(register.by("cluster", ident), register.array("is_htx"))
    own = own[[due is None or i in due for i in ids[own].tolist()]] if len(own) else own
    told = own[[i not in late for i in ids[own].tolist()]] if len(own) else own
    if column == "count":
        return Origin((Part("counted", register.set(told), "rows"), Part("denominator", register.set(own), "rows")), "value", **more)  # fmt: skip
    money = "contracted_value_vnd"
    senders = set(ids[told].tolist())
    sells = table.where(linkages_of(year, ident), table.stated(money))
    sells = sells[[s in senders for s in table.array("supplier_id")[sells].tolist()]] if len(sells) else sells  # fmt: skip
    return value(table, sells, "sum", money, **more) if len(sells) else value(table, sells, "rows", **more)  # fmt: skip


def product(
    year: Year, own: Positions, code: str | None, column: str, **more: Any
) -> Origin | None:
    """Return what a column of a line of products is made of; of all products where *code* is "*"."""
    table = year.linkages
    if code != "*":
        own = table.where(own, table.eq("product_code", code))
    columns: dict[str, tuple[How, str]] = {
        "n_linkages": ("rows", ""), "n_suppliers": ("distinct", "supplier_id"), "n_buyers": ("distinct", "buyer_id"),
        **{c: ("sum", c) for c in AMOUNTS},
    }  # fmt: skip
    if column not in columns:
        return None
    how, added = columns[column]
    own = table.where(own, table.stated(added)) if how == "sum" else own
    return value(table, own, how, added, **more)
