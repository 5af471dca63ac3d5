"""A province with clusters, communes, chains and two earlier years, measured by the pipeline's own functions."""

from __future__ import annotations

import random
from types import ModuleType

import polars as pl

from htx_pipeline.clusters import describe
from htx_pipeline.graph import network
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.metrics.communes import communes, current_communes
from htx_pipeline.metrics.history import cluster_history, locality_history
from htx_pipeline.metrics.indicators import indicators
from htx_pipeline.metrics.localities import localities

COMMUNES = ("23293", "23332", "23317", "23302", "23500", "23365")
PRODUCTS = ("coffee_robusta", "cassava", "herbs")


def year_of(hand: ModuleType, year: str, *, seed: int, coops: int = 72) -> dict[str, pl.DataFrame]:
    """Return organisations, reports and linkages of one year: three clusters, one tiny district."""
    made = hand.province(coops=coops, seed=11)
    rng = random.Random(seed)
    organisations = made["core/organisations"]
    ids = organisations.filter(pl.col("legal_type") == "htx")["org_id"].to_list()
    places = {org: hand.LOCALITIES[i % 5] for i, org in enumerate(ids)}
    places |= dict.fromkeys(ids[:2], "Tu Mơ Rông")
    homes = {org: COMMUNES[hand.LOCALITIES.index(places[org])] for org in ids}
    homes |= dict.fromkeys(ids[2:9:5], "23536")
    organisations = organisations.with_columns(
        locality=pl.col("org_id").replace_strict(places, default=None, return_dtype=pl.String).fill_null("Đăk Hà"),
        admin_code=pl.col("org_id").replace_strict(homes, default="23293", return_dtype=pl.String),
        admin_version=pl.lit("2025-07-01"),
    )  # fmt: skip
    industries = ("4620", "1030", "4632", "1030", "4632", "1030", "4632", "4669")
    buyer = organisations.filter(pl.col("legal_type") == "enterprise").head(1)
    names = [f"98{i:08d}" for i in range(24)]
    buyers = pl.concat(
        [buyer.with_columns(org_id=pl.lit(b), name=pl.lit(f"Công ty TNHH Thu mua {b[-2:]}-{b[-4:]}")) for b in names]
    )  # fmt: skip
    organisations = pl.concat([organisations.filter(pl.col("legal_type") == "htx"), buyers]).with_columns(
        vsic_code=pl.col("org_id").replace_strict(
            {b: industries[i % 8] for i, b in enumerate(names)}, default="0126", return_dtype=pl.String
        ),
        vsic_version=pl.lit("2018"),
    )  # fmt: skip
    source = made["core/linkages"].row(0, named=True)
    rows = []
    for i, org in enumerate(ids):
        group = i % 3
        for j in range(1 + i % 3):
            paid = rng.choice((40, 120, 300, 650, 900)) * 1_000_000 + rng.randrange(99) * 1_000_000
            is_paid = (i + j) % 4 != 0
            rows.append(
                {
                    **source, "linkage_id": f"L{i:03d}{j}", "supplier_id": org, "buyer_id": names[8 * group + rng.randrange(8)],
                    "supplier_name": None, "buyer_name": None, "product_code": PRODUCTS[(group + (j == 2)) % 3], "period": year,
                    "contracted_value_vnd": paid + 50_000_000, "paid_value_vnd": paid if is_paid else None,
                    "contracted_tonnes": paid / 2e7, "delivered_tonnes": paid / 2.5e7 if is_paid else None, "area_ha": 2.0 + i % 9,
                    "households": 5 + i % 11, "evidence": "executed" if is_paid else ("active", "signed")[i % 2],
                    "source_row": len(rows) + 2, "source_id": f"{source['source_id'].split(':')[0]}:csv:{len(rows) + 2}",
                }
            )  # fmt: skip
    linkages = hand.TABLES["linkages"].conform(pl.DataFrame(rows, infer_schema_length=None))
    reports = made["core/cooperative_reports"].with_columns(period=pl.lit(year))
    return {
        "core/organisations": organisations.with_columns(period=pl.lit(year)),
        "core/cooperative_reports": reports,
        "core/linkages": linkages,
    }


def published_province(hand: ModuleType, *, year: str = "2024") -> dict[str, pl.DataFrame]:
    """Return all frames of a report of *year*, with the history of the year before."""
    years = {y: year_of(hand, y, seed=int(y)) for y in (str(int(year) - 1), year)}
    measured = {}
    for y, core in years.items():
        organisations, reports, linkages = (core[f"core/{t}"] for t in ("organisations", "cooperative_reports", "linkages"))  # fmt: skip
        edges = network.edges(linkages)
        nodes = network.nodes(organisations, edges)
        ids = organisations["org_id"].to_list()
        group = {
            org: (int(org[2:]) % 3 if org.startswith("62") else int(org[2:]) // 8) for org in ids
        }
        communities = pl.DataFrame(
            {"period": y, "org_id": ids, "cluster_id": [f"c-{group[org]}" for org in ids]}
        )
        measured[y] = {
            **core, "graph/edges": edges, "graph/nodes": nodes, "graph/communities": communities,
            "metrics/localities": localities(organisations, reports, edges),
        }  # fmt: skip
    now = measured[year]
    edges, nodes, communities = (now[f"graph/{t}"] for t in ("edges", "nodes", "communities"))
    organisations, reports = now["core/organisations"], now["core/cooperative_reports"]
    every = {
        k: pl.concat([measured[y][k] for y in sorted(measured)], how="diagonal_relaxed")
        for k in ("graph/nodes", "graph/edges", "graph/communities", "core/cooperative_reports", "metrics/localities")
    }  # fmt: skip
    return {
        **{k: v for k, v in now.items() if k != "graph/communities"},
        "metrics/clusters": describe.clusters(nodes, edges, communities, reports),
        "metrics/cluster_members": describe.cluster_members(nodes, edges, communities, reports),
        "metrics/cluster_stages": describe.cluster_stages(nodes, edges, communities),
        "metrics/chain_flows": chain_flows(edges, nodes, communities),
        "metrics/communes": communes(organisations, reports, edges),
        "metrics/indicators": indicators(organisations, reports, edges),
        "metrics/cluster_history": cluster_history(
            every["graph/nodes"], every["graph/edges"], every["graph/communities"], every["core/cooperative_reports"], period=year
        ),
        "metrics/locality_history": locality_history(every["metrics/localities"], period=year),
        "metrics/standing_changes": pl.DataFrame(
            {"period": year, "previous_period": str(int(year) - 1), "subject": "locality", "subject_id": "Đăk Hà", "label": "Đăk Hà",
             "locality": "Đăk Hà", "change": "improved", "measure": "linked_active_share", "before": 0.5, "after": 0.75, "unit": "share"}
        ),
        **{
            f"earlier/{int(year) - 1}/{k}": measured[str(int(year) - 1)][k]
            for k in ("core/linkages", "core/cooperative_reports", "core/organisations", "graph/nodes", "graph/communities")
        },
    }  # fmt: skip


def homes(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return organisation → commune of today, as everyone can look it up."""
    keyed = frames["core/organisations"].with_columns(
        pl.col("admin_code", "admin_version", "locality").cast(pl.String)
    )
    return current_communes(keyed).select("org_id", "commune_code")
