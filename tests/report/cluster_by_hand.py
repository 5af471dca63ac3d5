"""One made-up cluster of any size over two years, as the frames its report reads, with known numbers.

The tables are made by the library from linkages written here, so that they agree with each other.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from htx_pipeline.clusters.criteria import cluster_criteria
from htx_pipeline.clusters.describe import cluster_members, cluster_stages, clusters
from htx_pipeline.graph import network
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.metrics.history import cluster_history
from htx_pipeline.schemas import TABLES

CLUSTER = "c-1234567890"
PERIOD, BEFORE = "2025", "2024"
PLACES = ("Huyện Đăk Hà", "Thành phố Kon Tum", "Huyện Tu Mơ Rông", "Huyện Ia H'Drai")
COMMUNES = (
    "23284",
    "23293",
    "23320",
    "23344",
    "23356",
    "23368",
    "23374",
    "23377",
    "23383",
    "23392",
    "23401",
    "23410",
)
EVIDENCE = ("executed", "executed", "active", "executed", "signed")
FILES = {"organisations": "danh_ba.xlsx", "linkages": "lien_ket.xlsx", "cooperative_reports": "bao_cao.xlsx", "plan_tasks": "nhiem_vu.xlsx"}  # fmt: skip


def frame(table: str, rows: list[dict]) -> pl.DataFrame:
    """Return rows as a core table, each with a source row."""
    source = FILES[table]
    rows = [
        {
            "period": PERIOD,
            "source_id": f"{r.get('period', PERIOD)}:{table}:{i}",
            "source_file": f"{r.get('period', PERIOD)}/{source}",
            "source_sheet": "Bảng",
            "source_row": i,
            **r,
        }
        for i, r in enumerate(rows, start=2)
    ]
    return TABLES[table].conform(pl.DataFrame(rows, infer_schema_length=None))


def organisations(n: int, *, long_names: bool = False) -> list[dict]:
    """Return *n* organisations: a tenth processors, one off-taker, the others cooperatives."""
    rows = []
    n_processors = max(1, n // 10)
    for i in range(n):
        is_coop = i >= n_processors + 1
        kind = "htx" if is_coop else "enterprise"
        name = f"Hợp tác xã Nông nghiệp Số {i}" if is_coop else f"Công ty TNHH Chế biến Số {i}"
        if i == n_processors:
            name = "Công ty Cổ phần Phân phối Miền Trung"
        if long_names:
            name += " và Dịch vụ Tổng hợp Thương mại Xuất nhập khẩu Tây Nguyên & Bắc Âu <46>"
        vsic = "0126" if is_coop else "4632" if i == n_processors else "1077"
        rows.append(
            {
                "org_id": f"o{i:04d}", "legal_type": kind, "name": name, "locality": PLACES[i % len(PLACES)],
                "status": "active", "is_registered": True,
                "admin_code": COMMUNES[(i * i) % len(COMMUNES)], "admin_version": "2025-07-01", "vsic_code": vsic, "vsic_version": "2018",
            }
        )  # fmt: skip
    return rows


def linkages(n: int, *, period: str = PERIOD, scale: int = 10) -> list[dict]:
    """Return linkages: each cooperative sells to a processor, each processor to the off-taker."""
    n_processors = max(1, n // 10)
    rows = []
    pairs = [(i, (i * i) % n_processors) for i in range(n_processors + 1, n)]
    pairs += [(i, n_processors) for i in range(n_processors)]
    for k, (seller, buyer) in enumerate(pairs):
        evidence = EVIDENCE[k % len(EVIDENCE)]
        value = (100 + 10 * (k % 7)) * 1_000_000 * scale
        done = evidence == "executed"
        rows.append(
            {
                "period": period, "linkage_id": f"l{k:04d}", "supplier_id": f"o{seller:04d}", "buyer_id": f"o{buyer:04d}",
                "supplier_name": f"o{seller}", "buyer_name": f"o{buyer}", "product_code": "coffee_robusta",
                "has_production": True, "has_consumption": True, "has_processing": False, "has_inputs": False,
                "contracted_value_vnd": value, "paid_value_vnd": value * 8 // 10 if done else None,
                "delivered_tonnes": 12.5 if done else None, "area_ha": 8.0, "households": 12, "evidence": evidence,
                "signed_on": date(int(period), 2, 1), "ends_on": date(int(period), 11, 30) if k % 10 == 2 else date(int(period) + 1, 3 if k % 4 == 0 else 12, 1),
            }
        )  # fmt: skip
    return rows


def tasks() -> list[dict]:
    """Return the plan's tasks: a unit for sales, one for processing, none for reports."""
    return [
        {"document": "Kế hoạch số 1", "task_number": "2", "task": "Hỗ trợ ký hợp đồng tiêu thụ", "department": "Sở Nông nghiệp",
         "locality": "Toàn tỉnh", "indicator": "offtake_share", "status": "in_progress", "progress_share": 0.68},
        {"document": "Kế hoạch số 1", "task_number": "5", "task": "Hạ tầng, chế biến", "department": "Sở Tài chính",
         "locality": "Toàn tỉnh", "indicator": None, "status": "not_started", "progress_share": 0.0},
    ]  # fmt: skip


def frames_of(n: int, *, has_history: bool = True, long_names: bool = False, silent: int = 2) -> dict[str, pl.DataFrame]:  # fmt: skip
    """Return the frames of a cluster of *n* organisations; the last *silent* cooperatives did not report."""
    people = organisations(n, long_names=long_names)
    both = [{**o, "period": p} for p in (BEFORE, PERIOD) for o in people]
    core = frame("organisations", both)
    rows = [*linkages(n, period=BEFORE, scale=8), *linkages(n)] if has_history else linkages(n)
    links = frame("linkages", rows)
    coops = [o for o in people if o["legal_type"] == "htx"]
    told = coops[: max(0, len(coops) - silent)]
    reports = frame(
        "cooperative_reports",
        [
            {"period": p, "org_id": o["org_id"], "name": o["name"], "official_members": 20, "revenue_vnd": 900_000_000,
             "member_income_vnd": 40_000_000 if p == BEFORE else 44_000_000}
            for p in (BEFORE, PERIOD) for o in told
        ],
    )  # fmt: skip
    edges = network.edges(links)
    nodes = network.nodes(core, edges)
    home = nodes.select("period", "org_id", pl.lit(CLUSTER).alias("cluster_id"))
    this = pl.col("period") == PERIOD
    made = {
        "core/organisations": core,
        "core/cooperative_reports": reports,
        "core/linkages": links,
        "core/plan_tasks": frame("plan_tasks", tasks()),
        "graph/nodes": nodes,
        "graph/edges": edges,
        "metrics/clusters": clusters(nodes, edges, home, reports),
        "metrics/cluster_members": cluster_members(nodes, edges, home, reports),
        "metrics/cluster_stages": cluster_stages(nodes, edges, home),
        "metrics/cluster_criteria": cluster_criteria(nodes, edges, home),
        "metrics/chain_flows": chain_flows(edges, nodes, home),
    }
    made = {k: f.filter(this) for k, f in made.items()}
    if has_history:
        made["metrics/cluster_history"] = cluster_history(
            nodes, edges, home, reports, period=PERIOD
        )
    return made
