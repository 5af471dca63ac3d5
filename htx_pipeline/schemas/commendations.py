"""`commendations`: honours given to organisations."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Code, Column, Table

LEVELS: Final = (
    Code(code="state", label_vi="Nhà nước", label_en="State"),
    Code(code="ministry", label_vi="Bộ, ngành trung ương", label_en="Ministry"),
    Code(code="province", label_vi="Tỉnh", label_en="Province"),
    Code(code="district", label_vi="Huyện", label_en="District"),
    Code(code="commune", label_vi="Xã", label_en="Commune"),
)

COMMENDATIONS: Final = Table(
    name="commendations",
    label_vi="Khen thưởng",
    label_en="Commendations",
    description="Honours given to organisations, with the decision that gives them.",
    grain="one decision for one organisation",
    key=("period", "org_id", "decision"),
    own_columns=(
        Column(name="org_id", dtype=pl.String(), label_vi="Mã tổ chức", label_en="Organisation id", required=True, asked=False,
               references="organisations.org_id", description="The organisation honoured."),
        Column(name="tax_code", dtype=pl.String(), label_vi="Mã số thuế / mã số HTX", label_en="Tax code", description="As written."),
        Column(name="name", dtype=pl.String(), label_vi="Tên hợp tác xã", label_en="Name of the cooperative", required=True, description="As written."),
        Column(name="decision", dtype=pl.String(), label_vi="Số quyết định", label_en="Decision", required=True, description="Number of the decision."),
        Column(name="decided_on", dtype=pl.Date(), label_vi="Ngày quyết định", label_en="Decided on", description="Date of the decision."),
        Column(name="level", dtype=pl.String(), label_vi="Cấp khen thưởng", label_en="Level", codes=LEVELS, description="Who honours."),
        Column(name="title", dtype=pl.String(), label_vi="Hình thức khen thưởng", label_en="Title", description="Title or certificate."),
    ),
)  # fmt: skip
"""Honours."""
