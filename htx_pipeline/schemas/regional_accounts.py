"""`regional_accounts`: GRDP and the collective economy's part in it."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Column, Table

REGIONAL_ACCOUNTS: Final = Table(
    name="regional_accounts",
    label_vi="Tài khoản vùng",
    label_en="Regional accounts",
    description="GRDP and population of a province by calendar year, with the agency that published it.",
    grain="one province, year and source agency",
    key=("period", "province", "year", "source_agency"),
    warning="Direct share only: never add the 'indirect' share of member households.",
    own_columns=(
        Column(name="province", dtype=pl.String(), label_vi="Tỉnh", label_en="Province", required=True, description="Name and version of the province."),
        Column(name="year", dtype=pl.Int64(), label_vi="Năm", label_en="Year", required=True, minimum=1990, maximum=2060, description="Calendar year."),
        Column(name="grdp_vnd", dtype=pl.Int64(), label_vi="GRDP (giá hiện hành)", label_en="GRDP (current prices)", unit="VND", minimum=0, description="Gross regional domestic product."),
        Column(name="collective_value_added_vnd", dtype=pl.Int64(), label_vi="Giá trị tăng thêm khu vực kinh tế tập thể", label_en="Value added of the collective economy",
               unit="VND", minimum=0, description="Direct only."),
        Column(name="population", dtype=pl.Int64(), label_vi="Dân số", label_en="Population", unit="person", minimum=0, description="Mid-year."),
        Column(name="source_agency", dtype=pl.String(), label_vi="Cơ quan công bố", label_en="Source agency", required=True, description="Who published it."),
    ),
)  # fmt: skip
"""Accounts."""
