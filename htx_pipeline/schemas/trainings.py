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
        Column(name="tax_code", dtype=pl.String(), label_vi="Mã số thuế / mã số HTX", label_en="Tax code", description="As written.",
               meaning_vi="Mã số thuế, đồng thời là mã số hợp tác xã: 10 chữ số, hoặc 13 chữ số đối với đơn vị phụ thuộc.", example="6100123457"),
        Column(name="name", dtype=pl.String(), label_vi="Tên hợp tác xã", label_en="Name of the cooperative", required=True,
               description="As written.", aliases=("Tên HTX", "Đơn vị"),
               meaning_vi="Tên đầy đủ ghi trên Giấy chứng nhận đăng ký.", example="Hợp tác xã Nông nghiệp Sa Thầy"),
        Column(name="course", dtype=pl.String(), label_vi="Tên lớp đào tạo, bồi dưỡng", label_en="Course", required=True, max_length=300,
               description="Name of the course.", aliases=("Khóa học", "Lớp"),
               meaning_vi="Tên lớp như trong quyết định mở lớp.", example="Quản trị hợp tác xã nông nghiệp"),
        Column(name="starts_on", dtype=pl.Date(), label_vi="Ngày khai giảng", label_en="Starts on", required=True, description="First day.",
               meaning_vi="Ngày đầu tiên của lớp.", example="20/05/2025"),
        Column(name="days", dtype=pl.Float64(), label_vi="Số ngày", label_en="Days", unit="day", minimum=0, maximum=366, description="Length.",
               meaning_vi="Số ngày của lớp.", example="5"),
        Column(name="managers_trained", dtype=pl.Int64(), label_vi="Số cán bộ quản lý được đào tạo", label_en="Managers trained",
               unit="person", minimum=0, maximum=10_000, description="Places taken by managers.",
               meaning_vi="Lượt cán bộ quản lý của tổ chức tham gia lớp.", example="2"),
        Column(name="members_trained", dtype=pl.Int64(), label_vi="Số người học khác ngoài cán bộ quản lý", label_en="Others trained",
               unit="person", minimum=0, maximum=100_000, description="Places taken by members and workers, counted together because courses do not tell them apart.",
               aliases=("Số thành viên, người lao động được đào tạo",),
               meaning_vi="Lượt thành viên, người lao động tham gia lớp.", example="6"),
        Column(name="cost_vnd", dtype=pl.Int64(), label_vi="Kinh phí", label_en="Cost", unit="VND", minimum=0, description="Public cost of the places.",
               meaning_vi="Kinh phí từ ngân sách cho số người nêu trên.", example="24"),
    ),
)  # fmt: skip
"""Training places."""
