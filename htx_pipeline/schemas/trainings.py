"""`trainings`: places taken on a course by an organisation; counts, never persons."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Column, Table

TRAININGS: Final = Table(
    name="trainings",
    label_vi="Đào tạo, bồi dưỡng",
    label_en="Trainings",
    description="How many managers and members of an organisation took a course.",
    grain="one organisation on one course in one reporting year",
    key=("period", "org_id", "course", "starts_on"),
    template="training",
    warning="Counts of places, not of persons: one person on two courses counts twice.",
    own_columns=(
        Column(name="org_id", dtype=pl.String(), label_vi="Mã tổ chức", label_en="Organisation id", required=True, asked=False,
               references="organisations.org_id", description="The organisation trained."),
        Column(name="tax_code", dtype=pl.String(), label_vi="Mã số thuế / mã số HTX", label_en="Tax code", description="As written."),
        Column(name="name", dtype=pl.String(), label_vi="Tên hợp tác xã", label_en="Name of the cooperative", required=True,
               description="As written.", aliases=("Tên HTX", "Đơn vị")),
        Column(name="course", dtype=pl.String(), label_vi="Tên lớp đào tạo, bồi dưỡng", label_en="Course", required=True, max_length=300,
               description="Name of the course.", aliases=("Khóa học", "Lớp")),
        Column(name="starts_on", dtype=pl.Date(), label_vi="Ngày khai giảng", label_en="Starts on", required=True, description="First day."),
        Column(name="days", dtype=pl.Float64(), label_vi="Số ngày", label_en="Days", unit="day", minimum=0, maximum=366, description="Length."),
        Column(name="managers_trained", dtype=pl.Int64(), label_vi="Số cán bộ quản lý được đào tạo", label_en="Managers trained",
               unit="person", minimum=0, maximum=10_000, description="Places taken by managers."),
        Column(name="members_trained", dtype=pl.Int64(), label_vi="Số người học khác ngoài cán bộ quản lý", label_en="Others trained",
               unit="person", minimum=0, maximum=100_000, description="Places taken by members and workers, counted together because courses do not tell them apart.",
               aliases=("Số thành viên, người lao động được đào tạo",)),
        Column(name="cost_vnd", dtype=pl.Int64(), label_vi="Kinh phí", label_en="Cost", unit="VND", minimum=0, description="Public cost of the places."),
    ),
)  # fmt: skip
"""Training places."""
