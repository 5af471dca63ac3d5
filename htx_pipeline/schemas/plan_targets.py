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
        Column(name="authority", dtype=pl.String(), label_vi="Cơ quan ban hành", label_en="Authority", required=True, description="Who set it.",
               meaning_vi="Cơ quan ban hành văn bản.", example="Ủy ban nhân dân tỉnh"),
        Column(name="document", dtype=pl.String(), label_vi="Văn bản", label_en="Document", required=True,
               description="Number and date: a number alone is not unique.",
               meaning_vi="Số, ký hiệu và ngày: chỉ ghi số thì không phân biệt được.", example="Kế hoạch 2105/KH-UBND ngày 12/6/2023"),
        Column(name="indicator", dtype=pl.String(), label_vi="Chỉ tiêu", label_en="Indicator", required=True, description="Code of the measure it is held against.",
               meaning_vi="Mã của chỉ số dùng để đối chiếu.", example="active_cooperatives"),
        Column(name="indicator_vi", dtype=pl.String(), label_vi="Tên chỉ tiêu", label_en="Indicator's wording", description="As the document words it.",
               meaning_vi="Ghi nguyên văn trong văn bản.", example="Số hợp tác xã hoạt động hiệu quả"),
        Column(name="denominator", dtype=pl.String(), label_vi="Mẫu số", label_en="Denominator", required=True, description="What a share is a share of; 'none' for a count.",
               meaning_vi="Tỷ lệ tính trên tổng thể nào; ghi «none» nếu là số đếm.", example="none"),
        Column(name="target_year", dtype=pl.Int64(), label_vi="Năm", label_en="Year", required=True, minimum=2000, maximum=2060, description="Year to be met by.",
               meaning_vi="Năm phải đạt chỉ tiêu.", example="2025"),
        Column(name="comparator", dtype=pl.String(), label_vi="So sánh", label_en="Comparator", pattern=r"^(>=|>|=|<=|~)$", description="How value is meant.",
               meaning_vi="Dấu so sánh: tối thiểu (>=), lớn hơn (>), bằng (=), tối đa (<=), khoảng (~).", example=">="),
        Column(name="value", dtype=pl.Float64(), label_vi="Giá trị", label_en="Value", required=True, description="In the unit of the next column.",
               meaning_vi="Giá trị theo đơn vị ở cột bên cạnh; tỷ lệ ghi từ 0 đến 1.", example="240"),
        Column(name="value_unit", dtype=pl.String(), label_vi="Đơn vị tính", label_en="Unit", required=True, description="share (0..1), organisation, person, ha, VND.",
               meaning_vi="share (0..1), organisation, person, ha hoặc VND.", example="organisation"),
        Column(name="is_verified", dtype=pl.Boolean(), label_vi="Đã đối chiếu văn bản", label_en="Verified", description="Whether it was checked against the document itself.",
               meaning_vi="Đã đối chiếu với bản gốc của văn bản hay chưa.", example="Có"),
        Column(name="source_address", dtype=pl.String(), label_vi="Địa chỉ nguồn", label_en="Source address", description="Where it was read.",
               meaning_vi="Nơi đọc được văn bản."),
    ),
)  # fmt: skip
"""Targets."""
