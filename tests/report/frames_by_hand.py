"""A small made-up province as the frames a report reads, with known numbers."""

from __future__ import annotations

import hashlib
import random
from datetime import date

import polars as pl

from htx_pipeline.findings import findings
from htx_pipeline.schemas import TABLES

PERIOD = "2024"
PRODUCTS = {"coffee": "Cà phê", "cassava": "Sắn", "ginseng": "Sâm Ngọc Linh", "rubber": "Cao su"}
LOCALITIES = ["Đăk Hà", "Đăk Tô", "Kon Plông", "Ngọc Hồi", "Sa Thầy", "Tu Mơ Rông"]
NAMES = ["Sáu Nhung", "Đăk Mar", "Công Bằng Pô Kô", "Măng Đen Xanh", "Rau Hoa Xứ Lạnh", "Dược liệu Ngọc Linh",
         "Đoàn Kết", "Thắng Lợi", "Hòa Bình", "Tân Tiến", "Minh Phát", "Bờ Y"]  # fmt: skip
BUYERS = ["Công ty TNHH Cà phê Đăk Hà", "Công ty CP Sâm Ngọc Linh Kon Tum", "Công ty CP Tinh bột sắn Đăk Tô",
          "Công ty TNHH MTV Cao su Kon Tum", "Công ty TNHH Chế biến nông sản Tây Nguyên & Bắc Âu"]  # fmt: skip
FILES = {
    "organisations": "danh_ba_htx_2024.xlsx",
    "linkages": "lien_ket_2024.csv",
    "cooperative_reports": "bao_cao_htx_2024.xlsx",
}


def source(table: str, row: int) -> dict:
    file = FILES.get(table, f"{table}.csv")
    return {
        "source_id": f"{hashlib.sha256(file.encode()).hexdigest()[:16]}:csv:{row}",
        "source_file": file,
        "source_sheet": "csv",
        "source_row": row,
    }


def frame(table: str, rows: list[dict]) -> pl.DataFrame:
    rows = [{"period": PERIOD, **source(table, i), **r} for i, r in enumerate(rows, start=2)]
    return TABLES[table].conform(pl.DataFrame(rows, infer_schema_length=None))


def province(*, coops: int = 26, seed: int = 3) -> dict[str, pl.DataFrame]:
    """Return frames of a province with *coops* cooperatives in two clusters."""
    rng = random.Random(seed)
    organisations, reports = [], []
    for i in range(coops):
        organisations.append(
            {
                "org_id": f"62{i:08d}",
                "legal_type": "htx",
                "name": f"HTX Nông nghiệp {NAMES[i % len(NAMES)]}"
                + (f" {i // len(NAMES) + 1}" if i >= len(NAMES) else ""),
                "locality": LOCALITIES[(i * i) % len(LOCALITIES)],
                "status": "active",
                "is_registered": True,
            }
        )
        if i % 6:
            reports.append(
                {
                    "org_id": f"62{i:08d}",
                    "name": organisations[-1]["name"],
                    "official_members": 20 + 7 * i,
                    "revenue_vnd": 900_000_000 + 55_000_000 * i,
                    "member_income_vnd": 41_000_000 + 1_000_000 * (i % 9),
                }
            )
    for i, name in enumerate(BUYERS):
        organisations.append(
            {
                "org_id": f"99{i:08d}",
                "legal_type": "enterprise",
                "name": name,
                "locality": LOCALITIES[i],
                "status": "active",
                "is_registered": True,
            }
        )
    codes = list(PRODUCTS)
    linkages = []
    for i in range(coops):
        for j in range(1 + i % 2):
            cluster = i % 2
            buyer = (0, 2, 4)[(i // 2 + j) % 3] if cluster == 0 else (1, 3)[(i // 2 + j) % 2]
            signed = 400_000_000 + rng.randrange(1, 60) * 100_000_000
            evidence = ("executed", "executed", "active", "signed", "planned")[(i + j) % 5]
            linkages.append(
                {
                    "linkage_id": f"L{i:03d}{j}",
                    "supplier_id": f"62{i:08d}",
                    "buyer_id": f"99{buyer:08d}",
                    "supplier_name": organisations[i]["name"],
                    "buyer_name": BUYERS[buyer],
                    "product_code": codes[(0, 2, 1, 3, 0)[buyer]],
                    "contracted_value_vnd": signed if i % 7 else None,
                    "paid_value_vnd": signed * 7 // 10 if evidence == "executed" and i % 7 else None,
                    "delivered_tonnes": 12.5 + i if evidence == "executed" else None,
                    "area_ha": 10.0 + i / 2,
                    "households": 15 + i,
                    "evidence": evidence,
                    "signed_on": date(2024, 1, 1 + i % 28),
                }
            )  # fmt: skip
    rank = {"planned": 0, "signed": 1, "active": 2, "executed": 3}
    best = {}
    for r in linkages:
        best[r["supplier_id"]] = max(best.get(r["supplier_id"], 0), rank[r["evidence"]])
    stage_of = {**{f"62{i:08d}": "production" for i in range(coops)}, "9900000000": "processing",
                "9900000001": "processing", "9900000002": "processing", "9900000003": "consumption", "9900000004": "collection"}  # fmt: skip
    nodes = [
        {
            "period": PERIOD,
            "org_id": o["org_id"],
            "name": o["name"],
            "legal_type": o["legal_type"],
            "stage": stage_of[o["org_id"]],
        }
        for o in organisations
    ]

    localities = []
    sent = {r["org_id"]: r for r in reports}
    for place in LOCALITIES:
        here = [
            o for o in organisations if o["locality"] == place and o["legal_type"] != "enterprise"
        ]
        ids = {o["org_id"] for o in here}
        stated = [sent[i] for i in sorted(ids) if i in sent]
        own = [r for r in linkages if r["supplier_id"] in ids]
        counts = {
            f"n_linked_{lv}": sum(best.get(i, -1) >= k for i in ids) for lv, k in rank.items()
        }
        localities.append(
            {
                "period": PERIOD, "locality": place, "n_cooperatives": len(ids), "n_active": len(ids), "n_reported": len(stated), **counts,
                "linked_share": counts["n_linked_active"] / len(ids) if ids else None,
                "official_members": sum(r["official_members"] for r in stated) or None,
                "revenue_vnd": sum(r["revenue_vnd"] for r in stated) or None,
                "n_revenue_stated": len(stated), "n_member_income": len(stated), "n_unions": 0,
                "member_income_vnd": sum(r["member_income_vnd"] for r in stated) / len(stated) if len(stated) > 2 else None,
                "area_ha": sum(r["area_ha"] for r in own) or None,
                "paid_value_vnd": sum(r["paid_value_vnd"] or 0 for r in own) or None,
                "contracted_value_vnd": sum(r["contracted_value_vnd"] or 0 for r in own) or None,
            }
        )  # fmt: skip

    clusters, members, stages, flows = [], [], [], []
    for k, (cid, name) in enumerate(
        (
            ("c-0a1b2c3d4e", "Cà phê và sắn Đăk Hà – Đăk Tô"),
            ("c-f00ba40001", "Dược liệu và cao su Kon Plông"),
        )
    ):
        own = [r for r in linkages if int(r["supplier_id"][2:]) % 2 == k]
        ids = sorted({r["supplier_id"] for r in own} | {r["buyer_id"] for r in own})
        paid = {}
        for r in own:
            paid[r["buyer_name"]] = paid.get(r["buyer_name"], 0) + (r["paid_value_vnd"] or 0)
        total = sum(paid.values())
        ranked = sorted(paid, key=lambda n: (-paid[n], n))
        here = [o for o in organisations if o["org_id"] in ids]
        present = [
            s
            for s in ("inputs", "production", "collection", "processing", "consumption")
            if any(stage_of[i] == s for i in ids)
        ]
        missing = [
            s
            for s in ("inputs", "production", "collection", "processing", "consumption")
            if s not in present
        ]
        signed = sum(r["contracted_value_vnd"] or 0 for r in own)
        executed = sum((r["contracted_value_vnd"] or 0) for r in own if r["evidence"] == "executed")
        clusters.append(
            {
                "period": PERIOD, "cluster_id": cid, "cluster_name_vi": name, "cluster_name_en": name, "n_organisations": len(ids),
                "n_cooperatives": sum(o["legal_type"] == "htx" for o in here), "n_unions": sum(o["legal_type"] == "lhhtx" for o in here),
                "n_cooperative_groups": sum(o["legal_type"] == "tht" for o in here), "n_enterprises": sum(o["legal_type"] == "enterprise" for o in here), "n_other": 0,
                "localities": sorted({o["locality"] for o in here}), "n_localities": len({o["locality"] for o in here}), "official_members": 900,
                "products": sorted({r["product_code"] for r in own}), "main_product": "coffee" if k == 0 else "ginseng",
                "stages_present": present, "stages_missing": missing, "n_linkages": len(own), "contracted_value_vnd": signed, "paid_value_vnd": total,
                "executed_share": executed / signed, "weight_basis": "paid_value", "largest_buyer_id": "x", "largest_buyer_name": ranked[0],
                "largest_buyer_share": paid[ranked[0]] / total,
                "top_enterprises": [{"org_id": n, "name": n, "value_vnd": paid[n], "share": paid[n] / total, "n_linkages": sum(r["buyer_name"] == n for r in own)} for n in ranked],
                "area_ha": sum(r["area_ha"] for r in own), "households": sum(r["households"] for r in own),
            }
        )  # fmt: skip
        for o in here:
            out = [
                r["paid_value_vnd"]
                for r in own
                if r["supplier_id"] == o["org_id"] and r["paid_value_vnd"]
            ]
            into = [
                r["paid_value_vnd"]
                for r in own
                if r["buyer_id"] == o["org_id"] and r["paid_value_vnd"]
            ]
            members.append(
                {
                    "period": PERIOD, "cluster_id": cid, "org_id": o["org_id"], "name": o["name"], "legal_type": o["legal_type"], "stage": stage_of[o["org_id"]],
                    "locality": o["locality"], "n_linkages": sum(o["org_id"] in (r["supplier_id"], r["buyer_id"]) for r in own),
                    "value_in_vnd": sum(into) if into else None, "value_out_vnd": sum(out) if out else None,
                    "official_members": sent.get(o["org_id"], {}).get("official_members"),
                }
            )  # fmt: skip
        for scope in (cid, "province"):
            for code in sorted({r["product_code"] for r in own}):
                mine = [r for r in own if r["product_code"] == code]
                by_stage: dict[tuple[str, str], list[dict]] = {}
                for r in mine:
                    by_stage.setdefault(("production", stage_of[r["buyer_id"]]), []).append(r)
                for (a, b), rs in sorted(by_stage.items()):
                    value = sum(r["paid_value_vnd"] or 0 for r in rs)
                    flows.append(
                        {
                            "period": PERIOD,
                            "scope": scope,
                            "product_code": code,
                            "from_stage": a,
                            "to_stage": b,
                            "n_linkages": len(rs),
                            "value_vnd": value,
                            "tonnes": None,
                        }
                    )
                    if b == "processing":
                        flows.append(
                            {
                                "period": PERIOD,
                                "scope": scope,
                                "product_code": code,
                                "from_stage": "processing",
                                "to_stage": "consumption",
                                "n_linkages": 0,
                                "value_vnd": value * 6 // 10,
                                "tonnes": None,
                            }
                        )
                        flows.append(
                            {
                                "period": PERIOD,
                                "scope": scope,
                                "product_code": code,
                                "from_stage": "processing",
                                "to_stage": "unknown",
                                "n_linkages": 0,
                                "value_vnd": value * 3 // 10,
                                "tonnes": None,
                            }
                        )
                        flows.append(
                            {
                                "period": PERIOD,
                                "scope": scope,
                                "product_code": code,
                                "from_stage": "processing",
                                "to_stage": "loss",
                                "n_linkages": 0,
                                "value_vnd": value - value * 6 // 10 - value * 3 // 10,
                                "tonnes": None,
                            }
                        )
                if scope == cid:
                    touched = {x for pair in by_stage for x in pair}
                    for st in ("inputs", "production", "collection", "processing", "consumption"):
                        into = [
                            r["paid_value_vnd"]
                            for (_, b), rs in by_stage.items()
                            if b == st
                            for r in rs
                            if r["paid_value_vnd"]
                        ]
                        out = [
                            r["paid_value_vnd"]
                            for (a, _), rs in by_stage.items()
                            if a == st
                            for r in rs
                            if r["paid_value_vnd"]
                        ]
                        n = len(
                            {
                                i
                                for r in mine
                                for i in (r["supplier_id"], r["buyer_id"])
                                if stage_of[i] == st
                            }
                        )
                        stages.append({"period": PERIOD, "cluster_id": cid, "product_code": code, "stage": st, "n_organisations": n, "value_in_vnd": sum(into) if into else None,
                                       "value_out_vnd": sum(out) if out else None, "delivered_tonnes": None, "is_present": st in touched})  # fmt: skip
    merged: dict[tuple, dict] = {}
    for f in flows:
        key = (f["scope"], f["product_code"], f["from_stage"], f["to_stage"])
        if key in merged:
            merged[key]["n_linkages"] += f["n_linkages"]
            merged[key]["value_vnd"] += f["value_vnd"]
        else:
            merged[key] = dict(f)

    linked = {lv: sum(v >= k for v in best.values()) for lv, k in rank.items()}
    indicators = [
        {"period": PERIOD, "locality": "province", "indicator": "linked_share", "evidence": lv, "denominator": d, "numerator": float(n), "denominator_value": float(base),
         "value": min(n, base) / base, "value_unit": "share", "n": base, "is_defined": True, "reason": None}
        for lv, n in linked.items() for d, base in (("all_htx", coops), ("active_htx", coops - 1))
    ] + [
        {"period": PERIOD, "locality": "province", "indicator": "member_income_vnd", "evidence": None, "denominator": "none", "numerator": None, "denominator_value": None,
         "value": 44_100_000.0, "value_unit": "VND", "n": len(reports), "is_defined": True, "reason": None},
        {"period": PERIOD, "locality": "province", "indicator": "rated_good_fair_share", "evidence": None, "denominator": "rated", "numerator": None, "denominator_value": None,
         "value": None, "value_unit": "share", "n": None, "is_defined": False, "reason": "denominator_zero"},
    ]  # fmt: skip
    plan = [
        {"period": PERIOD, "document": "NQ 09/NQ-CP ngày 02/02/2023", "indicator": "linked_share", "denominator": "all_htx", "target_year": 2030, "comparator": ">=",
         "target_value": 0.5, "actual_value": 0.42, "gap": -0.08, "value_unit": "share", "is_comparable": True, "reason": None, "is_verified": False},
        {"period": PERIOD, "document": "NQ 09/NQ-CP ngày 02/02/2023", "indicator": "reporting_share", "denominator": "all_htx", "target_year": 2030, "comparator": ">=",
         "target_value": 0.8, "actual_value": None, "gap": None, "value_unit": "share", "is_comparable": False, "reason": "unit_differs", "is_verified": True},
    ]  # fmt: skip
    rejected = TABLES["linkages"].conform(
        pl.DataFrame(
            [
                {"period": PERIOD, **source("linkages", 200 + i), "linkage_id": f"R{i}"}
                for i in range(4)
            ]
        )
    )
    found = findings(
        [
            {"rule_id": "linkages.buyer_id.reference", "severity": "error", "table": "linkages", "source_file": FILES["linkages"], "source_sheet": "csv", "source_row": 200 + i,
             "column": "buyer_id", "raw_value": f"x{i}", "reason_vi": f"«Bên mua» không có trong danh bạ: x{i}.", "remedy_vi": "Bổ sung vào danh bạ."}
            for i in range(4)
        ]
        + [{"rule_id": "blank_row", "severity": "info", "table": "organisations", "source_file": FILES["organisations"], "source_row": 17, "reason_vi": "Dòng trống, đã bỏ qua."}]
    )  # fmt: skip
    return {
        "core/organisations": frame("organisations", organisations),
        "core/cooperative_reports": frame("cooperative_reports", reports),
        "core/linkages": frame("linkages", linkages),
        "core/linkages_rejected": rejected,
        "core/findings": found,
        "graph/nodes": pl.DataFrame(nodes),
        "metrics/localities": pl.DataFrame(localities, infer_schema_length=None),
        "metrics/clusters": pl.DataFrame(clusters, infer_schema_length=None),
        "metrics/cluster_members": pl.DataFrame(members, infer_schema_length=None),
        "metrics/cluster_stages": pl.DataFrame(stages, infer_schema_length=None),
        "metrics/chain_flows": pl.DataFrame(list(merged.values()), infer_schema_length=None),
        "metrics/indicators": pl.DataFrame(indicators, infer_schema_length=None),
        "metrics/plan_progress": pl.DataFrame(plan, infer_schema_length=None),
    }  # fmt: skip


def register_only() -> dict[str, pl.DataFrame]:
    """Return frames of a foreign register that knows no linkages."""
    frames = province(coops=9)
    keep = ("core/organisations",)
    organisations = frames["core/organisations"].filter(pl.col("legal_type") != "enterprise")
    return dict.fromkeys(keep, organisations)
