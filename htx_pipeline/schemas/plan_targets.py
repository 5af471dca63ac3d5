"""`plan_targets`: what a document sets, with indicator, denominator and year."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Column, Table

PLAN_TARGETS: Final = Table(
    name="plan_targets",
    label_vi="Chỉ tiêu kế hoạch",
    label_en="Plan targets",
    description="Targets of resolutions and plans. The same words may carry different denominators: both are kept.",
    grain="one indicator with one denominator for one year in one document",
    key=("period", "document", "indicator", "denominator", "target_year"),
    template="plan",
    warning="Compare only with a measure of the same indicator and denominator ('nested' and 'flat' 50 % differ).",
    source="Nghị quyết 20-NQ/TW; Nghị quyết 09/NQ-CP; Nghị quyết 106/NQ-CP",
    own_columns=(
        Column(name="authority", dtype=pl.String(), label_vi="Cơ quan ban hành", label_en="Authority", required=True, description="Who set it."),
        Column(name="document", dtype=pl.String(), label_vi="Văn bản", label_en="Document", required=True,
               description="Number and date: a number alone is not unique."),
        Column(name="indicator", dtype=pl.String(), label_vi="Chỉ tiêu", label_en="Indicator", required=True, description="Code of the measure it is held against."),
        Column(name="indicator_vi", dtype=pl.String(), label_vi="Tên chỉ tiêu", label_en="Indicator's wording", description="As the document words it."),
        Column(name="denominator", dtype=pl.String(), label_vi="Mẫu số", label_en="Denominator", required=True, description="What a share is a share of; 'none' for a count."),
        Column(name="target_year", dtype=pl.Int64(), label_vi="Năm", label_en="Year", required=True, minimum=2000, maximum=2060, description="Year to be met by."),
        Column(name="comparator", dtype=pl.String(), label_vi="So sánh", label_en="Comparator", pattern=r"^(>=|>|=|<=|~)$", description="How value is meant."),
        Column(name="value", dtype=pl.Float64(), label_vi="Giá trị", label_en="Value", required=True, description="In the unit of the next column."),
        Column(name="value_unit", dtype=pl.String(), label_vi="Đơn vị tính", label_en="Unit", required=True, description="share (0..1), organisation, person, ha, VND."),
        Column(name="is_verified", dtype=pl.Boolean(), label_vi="Đã đối chiếu văn bản", label_en="Verified", description="Whether it was checked against the document itself."),
        Column(name="source_address", dtype=pl.String(), label_vi="Địa chỉ nguồn", label_en="Source address", description="Where it was read."),
    ),
)  # fmt: skip
"""Targets."""
