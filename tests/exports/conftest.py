"""A small network with every name that ever broke a file."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from htx_pipeline.exports.base import ExportOptions
from htx_pipeline.graph import network
from htx_pipeline.schemas import TABLES

NAMES = {
    "1": "HTX Nông nghiệp Sáu Nhung",
    "2": "Công ty TNHH Đắk Hà",
    "3": "]]> <b>&amp; \"quoted\" 'name'",
    "4": "=cmd|' /C calc'!A0",
    "5": "Hai\ndòng\tvà\x00\x1b[31m\ufffe",
    "6": "HTX \u0110a\u0306\u0301k Tô",  # decomposed
    "7": "  Có khoảng trắng  ",
}
TYPES = ["htx", "enterprise", "lhhtx", "tht", "household_business", "htx", "other"]


def organisations() -> pl.DataFrame:
    n = len(NAMES)
    return TABLES["organisations"].conform(
        pl.DataFrame(
            {
                "period": ["2025"] * n, "org_id": list(NAMES), "name": list(NAMES.values()), "legal_type": TYPES,
                "tax_code": ["0100109106", *[None] * (n - 1)], "place_name": ["Xã Đăk Pxi", *[None] * (n - 1)],
                "admin_code": ["23504", "23284", "23284", *[None] * (n - 3)],
                "admin_version": ["2025-07-01", "2025-07-01", "2025-07-01", *[None] * (n - 3)],
                "longitude": [108.0000004, None, 999.0, *[None] * (n - 3)], "latitude": [14.35, 14.0, 14.0, *[None] * (n - 3)],
                "registered_on": [date(2008, 10, 1), *[None] * (n - 1)], "vsic_code": ["0126", *[None] * (n - 1)],
                "vsic_version": ["2018", *[None] * (n - 1)], "is_registered": [True] * n, "source_id": ["s"] * n,
                "source_file": ["f.xlsx"] * n, "source_sheet": ["S"] * n, "source_row": list(range(1, n + 1)),
            }
        )
    )  # fmt: skip


def linkages() -> pl.DataFrame:
    rows = [
        ("l1", "1", "2", "coffee", "executed", 12.5, 500_000_000_000, date(2025, 11, 6)),
        ("l2", "1", "2", "rice", "executed", 3.0, 7, date(2027, 1, 1)),
        ("l3", "1", "2", "coffee", "signed", None, None, None),
        ("l4", "3", "4", "coffee", "executed", 0.0, None, date(2024, 12, 1)),
        ("l5", "5", "6", "cassava", "planned", None, None, None),
    ]
    schema = ["linkage_id", "supplier_id", "buyer_id", "product_code", "evidence", "delivered_tonnes", "paid_value_vnd", "ends_on"]  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit("2025").alias("period"), pl.lit("s").alias("source_id"), pl.lit("f.xlsx").alias("source_file"),
        pl.lit("S").alias("source_sheet"), pl.lit(1).alias("source_row"),
        pl.col("supplier_id").replace_strict(NAMES).alias("supplier_name"),
        pl.col("buyer_id").replace_strict(NAMES).alias("buyer_name"),
    )  # fmt: skip
    return TABLES["linkages"].conform(frame)


def frames_of(organisation_rows: pl.DataFrame, linkage_rows: pl.DataFrame) -> dict[str, pl.DataFrame]:  # fmt: skip
    reports = TABLES["cooperative_reports"].conform(
        pl.DataFrame({"period": ["2025"], "org_id": ["1"], "official_members": [40]})
    )
    edges = network.edges(linkage_rows)
    clusters = pl.DataFrame({"period": ["2025"], "cluster_id": ["c1"], "cluster_name_vi": ["Cụm cà phê"], "products": [["coffee", "rice"]]})  # fmt: skip
    members = pl.DataFrame({"period": ["2025"] * 2, "cluster_id": ["c1"] * 2, "org_id": ["1", "2"]})
    return {
        "core/organisations": organisation_rows,
        "core/linkages": linkage_rows,
        "core/cooperative_reports": reports.head(min(1, organisation_rows.height)),
        "graph/edges": edges,
        "graph/nodes": network.nodes(organisation_rows, edges),
        "metrics/clusters": clusters.head(min(1, organisation_rows.height)),
        "metrics/cluster_members": members.head(organisation_rows.height),
    }


@pytest.fixture
def frames() -> dict[str, pl.DataFrame]:
    """Return the frames of one period."""
    return frames_of(organisations(), linkages())


@pytest.fixture
def empty() -> dict[str, pl.DataFrame]:
    """Return the same tables without a row."""
    return frames_of(TABLES["organisations"].empty(), TABLES["linkages"].empty())


@pytest.fixture
def options() -> ExportOptions:
    """Return plain options."""
    return ExportOptions(period="2025", as_of=date(2025, 12, 15), title="Tỉnh mẫu")


@pytest.fixture
def names() -> dict[str, str]:
    """Return id → name."""
    return NAMES
