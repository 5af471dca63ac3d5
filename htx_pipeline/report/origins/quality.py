"""Figures on the data itself: rows in and out, findings, who reported, files.

What belongs here: the rows, kept or rejected, that each of these numbers counts. What does not: the
quality box of a cluster (`clusters`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.report.origins.model import Origin, Part
from htx_pipeline.report.origins.rows import Positions, RowSet, TableRows, Year
from htx_pipeline.schemas import TABLES

FINDINGS: Final = "findings"
STATUSES: Final = ("on_time", "late", "undated", "partial", "missing")


def by_label() -> dict[str, str]:
    """Return label → name of the core tables."""
    return {t.label_vi: name for name, t in TABLES.items()}


def findings(year: Year) -> TableRows:
    """Return the findings as a table: each row of a source is there once for each rule it broke."""

    def find() -> TableRows:
        wanted = ("rule_id", "severity", "table", "source_id", "source_file", "source_sheet", "source_row", "reason_vi", "remedy_vi")  # fmt: skip
        joint = year.frame("core/findings", *wanted)
        parts = [joint] if joint.height else [
            f for name in TABLES if (f := year.frame(f"core/{name}_findings", *wanted)).height
        ]  # fmt: skip
        if not parts:
            return TableRows(FINDINGS, pl.DataFrame({c: [] for c in wanted}))
        frame = pl.concat([p.select(pl.col(c) for c in wanted) for p in parts])
        place = ["table", "rule_id", "severity", "source_file", "source_sheet", "source_row"]
        frame = frame.sort(*place, "reason_vi", nulls_last=True).unique(place, keep="first", maintain_order=True)  # fmt: skip
        return TableRows(FINDINGS, frame.with_columns(rule="rule_id", reason="reason_vi", remedy="remedy_vi"))  # fmt: skip

    return year.keep(FINDINGS, find)  # type: ignore[no-any-return]


def merged(year: Year, name: str) -> TableRows:
    """Return the rows that were merged into others of a table, as findings name them."""
    rules = year.frame("core/ledger", "table", "rule_id", "action")
    merges = rules.filter((pl.col("table") == name) & (pl.col("action") == "merge"))["rule_id"].to_list() if rules.height else []  # fmt: skip

    def find() -> TableRows:
        table = findings(year)
        own = table.where(table.having("rule_id", merges), table.array("table") == name)
        return TableRows(f"{name}: gộp", table.frame[own.tolist()])

    return year.keep(("merged", name), find)  # type: ignore[no-any-return]


def in_and_out(year: Year, name: str, column: str) -> Origin | None:
    """Return what rows in, kept, merged and rejected of one table are made of."""
    kept, out, joined = year.table(name), year.rejected(name), merged(year, name)
    parts = {
        "rows_kept": (kept,),
        "rows_rejected": (out,),
        "rows_merged": (joined,),
        "rows_in": (kept, out, joined),
    }
    through = (f"core/{name}_ledger",)
    if column == "share":
        bottom = (Part("denominator", t.set(t.all), "rows") for t in (kept, out, joined) if t.height)  # fmt: skip
        return Origin((Part("numerator", out.set(out.all), "rows"), *bottom), "ratio", through=through)  # fmt: skip
    if column not in parts:
        return None
    return Origin(tuple(Part("counted", t.set(t.all), "rows") for t in parts[column]), "value", through=through)  # fmt: skip


def finding(year: Year, line: dict[str, Any], severities: dict[str, str], column: str) -> Origin | None:  # fmt: skip
    """Return the rows in which a rule found something, or those that it was the first to reject."""
    names = {v: k for k, v in by_label().items()}
    table = by_label().get(line["table"], line["table"])
    if column == "n_rejected":
        if table not in names:
            return None
        out = year.rejected(table)
        rows = out.set(out.by("rule", line["rule"]))
        return Origin((Part("counted", rows, "rows"),), "value", through=(f"core/{table}_ledger",))
    if column != "n_rows":
        return None
    found = findings(year)
    code = severities.get(line["severity"], line["severity"])
    at = found.where(found.by("rule_id", line["rule"]), found.eq("table", table or None), found.eq("severity", code or None))  # fmt: skip
    return Origin((Part("counted", found.set(at), "rows"),), "value", through=("core/findings",))


def roster(year: Year, locality: str | None, column: str) -> Origin | None:
    """Return the units that a line of the roster counts, and their reports; "*" is every locality."""
    register, told = year.organisations, year.reports
    units = year.keep("roster", lambda: year.frame("metrics/reporting_roster", "org_id", "locality", "status", "is_expected").to_dicts())  # fmt: skip
    own = [u for u in units if locality == "*" or u["locality"] == locality]
    through = ("metrics/reporting_roster",)

    def at(test: Any) -> RowSet:
        return register.set(year.of_organisations([u["org_id"] for u in own if test(u)]))

    def sent(test: Any) -> Part:
        return Part("evidence", told.set(told.having("org_id", [u["org_id"] for u in own if test(u)])))  # fmt: skip

    def is_due(u: dict[str, Any]) -> bool:
        return bool(u["is_expected"])

    if column == "n_expected":
        return Origin((Part("counted", at(is_due), "rows"),), "value", through=through)
    if column == "reported_share":
        came = at(lambda u: is_due(u) and u["status"] not in ("missing", "not_expected"))
        shares = (Part("numerator", came, "rows"), Part("denominator", at(is_due), "rows"), sent(is_due))  # fmt: skip
        return Origin(shares, "ratio", through=through)
    status = column.removeprefix("n_")
    if status not in STATUSES:
        return None
    parts = (Part("counted", at(lambda u: u["status"] == status), "rows"), sent(lambda u: u["status"] == status))  # fmt: skip
    return Origin(parts, "value", through=through)


def of_file(year: Year, file: str | None, column: str) -> Origin | None:
    """Return the rows of all core tables that a file gave, kept or rejected; of every file for None."""
    if column not in ("kept", "rejected"):
        return None
    parts = []
    for name in TABLES:
        table = year.table(name) if column == "kept" else year.rejected(name)
        at = table.where(table.all, table.stated("source_file")) if file is None else table.by("source_file", file)  # fmt: skip
        if len(at):
            parts.append(Part("counted", table.set(at), "rows"))
    if not parts:
        empty = year.table(next(iter(TABLES)))
        parts = [Part("counted", empty.set(empty.all[:0]), "rows")]
    return Origin(tuple(parts), "value", through=("core/ledger",))


def links_of(year: Year, org: str) -> Positions:
    """Return the linkages of an organisation with others."""
    table = year.linkages
    both = np.union1d(table.by("supplier_id", org), table.by("buyer_id", org)).astype(np.int32)
    return table.where(both, table.array("is_between"))


def partners(year: Year, org: str) -> Origin:
    """Return the linkages that name the partners of an organisation, buyers and sellers apart."""
    table = year.linkages
    sells = table.where(table.by("supplier_id", org), table.array("is_between"))
    buys = table.where(table.by("buyer_id", org), table.array("is_between"))
    # Whoever stands at both ends is one partner: what they sell is not counted again.
    others = set(table.array("buyer_id")[sells].tolist())
    new = np.array([s not in others for s in table.array("supplier_id")[buys].tolist()], dtype=bool)
    only = buys[new] if len(buys) else buys
    parts = (Part("counted", table.set(sells), "distinct", "buyer_id"), Part("counted", table.set(only), "distinct", "supplier_id"))  # fmt: skip
    return Origin(parts, "value", through=("graph/edges",))
