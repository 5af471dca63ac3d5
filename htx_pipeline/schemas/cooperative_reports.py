"""`cooperative_reports`: what a cooperative says of itself for one reporting year."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Code, Column, Table

RATINGS: Final = (
    Code(code="tot", label_vi="Tốt", label_en="Good", source="Thông tư 01/2020/TT-BKHĐT: 80–100"),
    Code(code="kha", label_vi="Khá", label_en="Fair", source="Thông tư 01/2020/TT-BKHĐT: 65–<80"),
    Code(
        code="trung_binh",
        label_vi="Trung bình",
        label_en="Average",
        source="Thông tư 01/2020/TT-BKHĐT: 50–<65",
    ),
    Code(code="yeu", label_vi="Yếu", label_en="Weak", source="Thông tư 01/2020/TT-BKHĐT: <50"),
    Code(code="khong_xep_loai", label_vi="Không xếp loại", label_en="Not rated"),
)


def _count(name: str, vi: str, en: str, description: str, **more: object) -> Column:
    return Column(name=name, dtype=pl.Int64(), label_vi=vi, label_en=en, description=description, unit="person",
                  minimum=0, **more)  # type: ignore[arg-type]  # fmt: skip


def _money(
    name: str, vi: str, en: str, description: str, *, signed: bool = False, **more: object
) -> Column:
    return Column(name=name, dtype=pl.Int64(), label_vi=vi, label_en=en, description=description, unit="VND",
                  minimum=None if signed else 0, **more)  # type: ignore[arg-type]  # fmt: skip


COOPERATIVE_REPORTS: Final = Table(
    name="cooperative_reports",
    label_vi="Báo cáo hợp tác xã",
    label_en="Cooperative reports",
    description="The yearly report and self-assessment of a cooperative or union.",
    grain="one cooperative in one reporting year",
    key=("period", "org_id"),
    template="cooperative-report",
    warning="Members and workers are never summed; member income and worker income are two official figures.",
    source="Thông tư 09/2024/TT-BKHĐT (Biểu VII-2); Thông tư 01/2020/TT-BKHĐT; field list partly unverified",
    own_columns=(
        Column(name="org_id", dtype=pl.String(), label_vi="Mã tổ chức", label_en="Organisation id", required=True, asked=False,
               references="organisations.org_id", description="The cooperative."),
        Column(name="tax_code", dtype=pl.String(), label_vi="Mã số thuế / mã số HTX", label_en="Tax code",
               description="As written in the report.", aliases=("Mã số HTX", "MST")),
        Column(name="register_number", dtype=pl.String(), label_vi="Số đăng ký trong danh bạ", label_en="Number in the register",
               description="As written; identifies the cooperative where there is no tax code."),
        Column(name="name", dtype=pl.String(), label_vi="Tên hợp tác xã", label_en="Name of the cooperative", required=True,
               max_length=300, description="As written in the report.", aliases=("Tên HTX",)),
        Column(name="place_name", dtype=pl.String(), label_vi="Xã, phường, thị trấn", label_en="Commune as written",
               description="As written in the report."),
        Column(name="district_name", dtype=pl.String(), label_vi="Huyện, thành phố", label_en="District as written",
               description="As written in the report."),
        Column(name="reported_on", dtype=pl.Date(), label_vi="Ngày gửi báo cáo", label_en="Reported on",
               description="Date on the report."),
        _count("official_members", "Số thành viên chính thức", "Official members",
               "Members with capital who use services or work (Law 17/2023, Art. 30).", aliases=("Thành viên chính thức", "Tổng số thành viên"),
               source="Luật 17/2023/QH15 Điều 4"),
        _count("associate_members_with_capital", "Số thành viên liên kết góp vốn", "Associate members with capital",
               "Associate members who only contribute capital.", source="Luật 17/2023/QH15 Điều 4"),
        _count("associate_members_without_capital", "Số thành viên liên kết không góp vốn", "Associate members without capital",
               "Associate members who use services or work without capital.", source="Luật 17/2023/QH15 Điều 4"),
        _count("regular_workers", "Số lao động thường xuyên", "Regular workers", "Workers employed all year; not members.",
               aliases=("Lao động thường xuyên",)),
        _count("seasonal_workers", "Số lao động thời vụ", "Seasonal workers", "Workers employed for part of the year."),
        _count("managers", "Số cán bộ quản lý", "Managers", "Board, director, controllers.", aliases=("Cán bộ quản lý",)),
        _count("managers_college", "Cán bộ quản lý có trình độ cao đẳng, đại học trở lên", "Managers with college or university",
               "Of the managers.", aliases=("Trình độ cao đẳng, đại học",)),
        _count("managers_intermediate", "Cán bộ quản lý có trình độ sơ cấp, trung cấp", "Managers with primary or intermediate training",
               "Of the managers.", aliases=("Trình độ sơ cấp, trung cấp",)),
        _money("charter_capital_vnd", "Vốn điều lệ", "Charter capital", "Registered charter capital."),
        _money("total_capital_vnd", "Tổng nguồn vốn", "Total capital", "Total capital, the scale test of Decree 113/2024.",
               source="Nghị định 113/2024/NĐ-CP Điều 5"),
        _money("undivided_assets_vnd", "Tài sản chung không chia", "Undivided assets", "Assets that members cannot divide."),
        _money("debt_vnd", "Nợ phải trả", "Debt", "Liabilities at the end of the period."),
        _money("revenue_vnd", "Doanh thu", "Revenue", "Total revenue of the period.", aliases=("Tổng doanh thu",)),
        _money("revenue_from_members_vnd", "Doanh thu từ thành viên", "Revenue from members",
               "Revenue from services and sales to members.", aliases=("Doanh thu cung ứng cho thành viên",)),
        _money("profit_before_tax_vnd", "Lợi nhuận trước thuế", "Profit before tax", "May be negative.", signed=True, aliases=("Lãi", "Lợi nhuận")),
        _money("funds_set_aside_vnd", "Trích lập các quỹ", "Funds set aside", "Investment, reserve and other funds."),
        _money("member_income_vnd", "Thu nhập bình quân của thành viên", "Average income of a member",
               "VND per member per year; not the worker income.", aliases=("Thu nhập thành viên",)),
        _money("worker_income_vnd", "Thu nhập bình quân của lao động thường xuyên", "Average income of a regular worker",
               "VND per regular worker per year; not the member income.", aliases=("Thu nhập lao động",)),
        Column(name="self_score", dtype=pl.Float64(), label_vi="Điểm tự đánh giá", label_en="Self-assessed score", unit="point",
               minimum=0, maximum=100, description="Self-assessed, 15 criteria, 100 points.", source="Thông tư 01/2020/TT-BKHĐT"),
        Column(name="rating", dtype=pl.String(), label_vi="Xếp loại", label_en="Rating", codes=RATINGS,
               description="Rating that follows from the score.", source="Thông tư 01/2020/TT-BKHĐT"),
        Column(name="is_high_tech", dtype=pl.Boolean(), label_vi="Ứng dụng công nghệ cao", label_en="Applies high technology",
               description="As stated; counts only with evidence, as no legal test for a cooperative was found."),
        Column(name="high_tech_evidence", dtype=pl.String(), label_vi="Căn cứ công nghệ cao", label_en="Evidence of high technology",
               description="Decision, certificate or technology named."),
        Column(name="certificates", dtype=pl.String(), label_vi="Chứng nhận (VietGAP, hữu cơ, 4C…)", label_en="Certificates",
               description="Certificates held, separated by semicolons.", aliases=("Chứng nhận",)),
        Column(name="ocop_products", dtype=pl.Int64(), label_vi="Số sản phẩm OCOP", label_en="OCOP products", unit="product", minimum=0,
               description="Number of products with at least three OCOP stars."),
    ),
)  # fmt: skip
"""The yearly reports."""
