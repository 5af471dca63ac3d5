"""Two years of a very small province whose every measure is computed by the pipeline's own functions.

The core rows are written here, with gaps, planned linkages, a loop, rejected rows and tasks; what follows
from them is not: so a figure of the report can be held against the core rows alone.
"""

from __future__ import annotations

import random
from datetime import date

import polars as pl

from htx_pipeline.clusters import criteria, describe
from htx_pipeline.clusters.detect import communities
from htx_pipeline.graph import network
from htx_pipeline.metrics import chain, completeness, history, indicators, plan, reporting, standing
from htx_pipeline.metrics import communes as by_commune
from htx_pipeline.metrics import localities as by_locality
from htx_pipeline.reference.places import LATEST, admin_units
from htx_pipeline.reference.targets import targets
from htx_pipeline.report.origins.earlier import EARLIER_TABLES
from htx_pipeline.schemas import TABLES

NOW, BEFORE = "2025", "2024"
PLACES = ("Huyện A", "Huyện B", "Huyện C")
PRODUCTS = ("coffee_robusta", "cassava", "herbs")
EVIDENCE = ("executed", "executed", "active", "signed", "planned")


def _source(table: str, year: str, row: int) -> dict:
    return {"source_file": f"{year}/{table}.xlsx", "source_sheet": "Trang 1", "source_row": row, "source_id": f"{table}{year}:Trang 1:{row}"}  # fmt: skip


def _frame(table: str, year: str, rows: list[dict], *, first: int = 6) -> pl.DataFrame:
    made = [{"period": year, **_source(table, year, i), **r} for i, r in enumerate(rows, start=first)]  # fmt: skip
    return TABLES[table].conform(pl.DataFrame(made, infer_schema_length=None)) if made else TABLES[table].empty()  # fmt: skip


def core(year: str, *, coops: int) -> dict[str, pl.DataFrame]:
    """Return the core tables of one year, rejected rows and findings included."""
    rng = random.Random(int(year))
    codes = admin_units(version=LATEST, level="commune", province_2024="62")["code"].to_list()
    organisations, reports, linkages = [], [], []
    for i in range(coops):
        organisations.append(
            {"org_id": f"62{i:08d}", "name": f"Hợp tác xã Số {i}", "legal_type": "htx" if i % 9 else "lhhtx", "locality": (*PLACES, None)[i % 4],
             "status": ("active", "active", "suspended", None)[i % 4], "vsic_code": ("0126", "0119", "4620", None)[i % 4], "is_registered": True,
             "admin_code": codes[i % 5] if i % 3 else None, "admin_version": LATEST if i % 3 else None, "registered_on": date(2015, 1, 1)}
        )  # fmt: skip
        if i % 5:
            reports.append(
                {"org_id": f"62{i:08d}", "name": f"Hợp tác xã Số {i}", "official_members": 15 + 3 * i if i % 7 else None, "revenue_vnd": 10**9 + i * 10**7 if i % 6 else None,
                 "member_income_vnd": 40_000_000 + i * 10**6 if i % 4 else None, "regular_workers": 5 + i, "worker_income_vnd": 60_000_000 + i * 10**6,
                 "managers": 4, "managers_college": i % 4, "rating": ("tot", "kha", "trung_binh", None)[i % 4], "is_high_tech": i % 8 == 1,
                 "high_tech_evidence": "quyết định" if i == 1 else None, "total_capital_vnd": 10**9, "profit_before_tax_vnd": 10**8,
                 "reported_on": date(int(year), 12, 10 + i % 9) if i % 4 else None}
            )  # fmt: skip
    for i in range(7):
        organisations.append(
            {"org_id": f"99{i:08d}", "name": f"Công ty Số {i}", "legal_type": "enterprise" if i < 6 else "household_business", "locality": (*PLACES, None)[i % 4],
             "status": "active", "vsic_code": ("1079", "4632", "1062")[i % 3], "is_registered": i != 3, "admin_code": codes[i % 4], "admin_version": LATEST}
        )  # fmt: skip
    for i in range(coops * 2):
        signed = rng.randrange(1, 90) * 10**8
        evidence = EVIDENCE[rng.randrange(5)]
        seller, buyer = f"62{i % (coops - 2):08d}", f"99{(i % 3) + (0 if i % 2 else 3):08d}"
        if i == 7:
            buyer = seller
        linkages.append(
            {"linkage_id": f"L{i:03d}", "supplier_id": seller, "buyer_id": buyer, "supplier_name": seller, "buyer_name": buyer, "product_code": PRODUCTS[i % 3],
             "evidence": evidence, "contracted_value_vnd": signed if i % 7 else None, "contracted_tonnes": 20.5 + i if i % 4 else None,
             "paid_value_vnd": signed * 7 // 10 if evidence == "executed" and i % 6 else None, "delivered_tonnes": 11.25 + i if evidence == "executed" else None,
             "area_ha": 3.5 + i / 2 if i % 3 else None, "households": 4 + i, "has_consumption": (True, None, False)[i % 3], "has_processing": i % 4 == 0,
             "has_inputs": i % 5 == 0, "has_production": True, "signed_on": date(int(year), 2, 1 + i % 28), "ends_on": date(int(year) + i % 2, 11, 30)}
        )  # fmt: skip
    for i in range(4):
        linkages.append(
            {"linkage_id": f"M{i}", "supplier_id": f"99{i:08d}", "buyer_id": f"99{i + 2:08d}", "supplier_name": "a", "buyer_name": "b", "product_code": PRODUCTS[i % 3],
             "evidence": "executed", "contracted_value_vnd": 5 * 10**9, "paid_value_vnd": 4 * 10**9, "delivered_tonnes": 6.5, "signed_on": date(int(year), 3, 1)}
        )  # fmt: skip
    tasks = [
        {"document": "KH 1", "task_number": str(i), "task": f"Nhiệm vụ {i}", "department": ("Sở X", "Sở Y")[i % 2], "locality": (*PLACES, "Toàn tỉnh")[i % 4],
         "due_on": date(int(year), 6, 30) if i % 2 else None, "indicator": ("linked_share", "chain_linked_share", None)[i % 3],
         "status": ("done", "late", "in_progress", "not_started")[(i + int(year)) % 4], "progress_share": (1.0, 0.4, None)[i % 3]}
        for i in range(9)
    ]  # fmt: skip
    goals = [
        {"authority": "UBND tỉnh", "document": "KH 1", "indicator": code, "indicator_vi": code, "denominator": base, "target_year": int(year), "comparator": ">=",
         "value": goal, "value_unit": unit, "is_verified": False}
        for code, base, goal, unit in (
            ("linked_share", "all_htx", 0.4, "share"), ("chain_linked_share", "all_htx", 0.5, "share"), ("linked_area_ha", "none", 900.0, "ha"),
            ("member_income_vnd", "none", 5e7, "VND"),
        )
    ]  # fmt: skip
    frames = {
        "core/organisations": _frame("organisations", year, organisations), "core/cooperative_reports": _frame("cooperative_reports", year, reports),
        "core/linkages": _frame("linkages", year, linkages), "core/plan_tasks": _frame("plan_tasks", year, tasks), "core/plan_targets": _frame("plan_targets", year, goals),
    }  # fmt: skip
    lost = _frame("linkages", year, [{**linkages[0], "linkage_id": "X1"}, {**linkages[3], "linkage_id": "X2", "contracted_value_vnd": 9 * 10**14}], first=900)  # fmt: skip
    findings = pl.DataFrame(
        {"rule_id": ["linkages.duplicate_row", "linkages.unit_price.impossible", "linkages.unit_price.impossible"], "severity": ["error"] * 3, "table": ["linkages"] * 3,
         "column": ["", "contracted_value_vnd", "contracted_value_vnd"], "source_file": [f"{year}/linkages.xlsx"] * 3, "source_sheet": ["Trang 1"] * 3, "source_row": [900, 901, 901],
         "source_id": [f"linkages{year}:Trang 1:{n}" for n in (900, 901, 901)], "raw_value": [None, "9", "9"], "reason_vi": ["Trùng.", "Đơn giá vô lý.", "Đơn giá vô lý."],
         "remedy_vi": ["Xóa.", "Sửa đơn vị.", "Sửa đơn vị."]}
    )  # fmt: skip
    ledger = pl.DataFrame(
        {"table": ["linkages"] * 2, "rule_id": ["linkages.duplicate_row", "linkages.unit_price.impossible"], "action": ["reject"] * 2,
         "rows_in": [frames["core/linkages"].height + 2] * 2, "rows_failed": [1, 1], "rows_rejected_first": [1, 1]}
    )  # fmt: skip
    return frames | {"core/linkages_rejected": lost, "core/findings": findings, "core/ledger": ledger}  # fmt: skip


def _measured(frames: dict[str, pl.DataFrame], year: str, sent_before: pl.DataFrame | None) -> dict[str, pl.DataFrame]:  # fmt: skip
    organisations, reports = frames["core/organisations"], frames["core/cooperative_reports"]
    edges = network.edges(frames["core/linkages"])
    nodes, groups = network.nodes(organisations, edges), communities(edges)
    figures = indicators.indicators(organisations, reports, edges)
    goals = pl.concat([frames["core/plan_targets"], targets()], how="diagonal_relaxed")
    roster = reporting.reporting_roster(organisations, reports, sent_before, period=year)
    return {
        "graph/edges": edges, "graph/nodes": nodes, "graph/communities": groups,
        "metrics/clusters": describe.clusters(nodes, edges, groups, reports),
        "metrics/cluster_members": describe.cluster_members(nodes, edges, groups, reports),
        "metrics/cluster_stages": describe.cluster_stages(nodes, edges, groups),
        "metrics/cluster_criteria": criteria.cluster_criteria(nodes, edges, groups),
        "metrics/chain_flows": chain.chain_flows(edges, nodes, groups),
        "metrics/chain_stages": completeness.chain_stages(edges, nodes),
        "metrics/localities": by_locality.localities(organisations, reports, edges),
        "metrics/communes": by_commune.communes(organisations, reports, edges),
        "metrics/indicators": figures,
        "metrics/plan_progress": plan.plan_progress(goals, figures),
        "metrics/reporting_roster": roster,
        "metrics/reporting_roster_localities": reporting.roster_localities(roster),
    }  # fmt: skip


def frames() -> dict[str, pl.DataFrame]:
    """Return all that a report of the later year reads, with the core rows of the year before."""
    old, new = core(BEFORE, coops=20), core(NOW, coops=24)
    old |= _measured(old, BEFORE, None)
    new |= _measured(new, NOW, old["core/cooperative_reports"])
    both = {k: pl.concat([old[k], new[k]], how="diagonal_relaxed") for k in new if k in old}
    new["metrics/cluster_history"] = history.cluster_history(
        both["graph/nodes"], both["graph/edges"], both["graph/communities"], both["core/cooperative_reports"], period=NOW
    )  # fmt: skip
    new["metrics/locality_history"] = history.locality_history(both["metrics/localities"], period=NOW)  # fmt: skip
    new["metrics/standing_changes"] = standing.standing_changes(both, period=NOW)
    return new | {f"earlier/{BEFORE}/{k}": old[k] for k in EARLIER_TABLES}
