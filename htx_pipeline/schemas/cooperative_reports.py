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
               description="As written in the report.", aliases=("Mã số HTX", "MST"),
               meaning_vi="Mã số thuế, đồng thời là mã số hợp tác xã: 10 chữ số, hoặc 13 chữ số đối với đơn vị phụ thuộc.", example="6100123457"),
        Column(name="register_number", dtype=pl.String(), label_vi="Số đăng ký trong danh bạ", label_en="Number in the register",
               description="As written; identifies the cooperative where there is no tax code.",
               meaning_vi="Số Giấy chứng nhận đăng ký; dùng khi tổ chức không có mã số thuế.", example="380701000012"),
        Column(name="name", dtype=pl.String(), label_vi="Tên hợp tác xã", label_en="Name of the cooperative", required=True,
               max_length=300, description="As written in the report.", aliases=("Tên HTX",),
               meaning_vi="Tên đầy đủ ghi trên Giấy chứng nhận đăng ký.", example="Hợp tác xã Nông nghiệp Sa Thầy"),
        Column(name="place_name", dtype=pl.String(), label_vi="Xã, phường, thị trấn", label_en="Commune as written",
               description="As written in the report.",
               meaning_vi="Xã, phường, thị trấn nơi đặt trụ sở.", example="Xã Sa Thầy"),
        Column(name="district_name", dtype=pl.String(), label_vi="Huyện, thành phố", label_en="District as written",
               description="As written in the report.",
               meaning_vi="Huyện, thành phố trước ngày 01/7/2025; để trống nếu không còn áp dụng.", example="Huyện Sa Thầy"),
        Column(name="reported_on", dtype=pl.Date(), label_vi="Ngày gửi báo cáo", label_en="Reported on",
               description="Date on the report.",
               meaning_vi="Ngày hợp tác xã ký báo cáo.", example="10/12/2025"),
        _count("official_members", "Số thành viên chính thức", "Official members",
               "Members with capital who use services or work (Law 17/2023, Art. 30).", aliases=("Thành viên chính thức", "Tổng số thành viên"),
               source="Luật 17/2023/QH15 Điều 4",
               meaning_vi="Thành viên có góp vốn và sử dụng dịch vụ hoặc làm việc, tính đến cuối kỳ.", example="47"),
        _count("associate_members_with_capital", "Số thành viên liên kết góp vốn", "Associate members with capital",
               "Associate members who only contribute capital.", source="Luật 17/2023/QH15 Điều 4",
               meaning_vi="Thành viên liên kết chỉ góp vốn.", example="3"),
        _count("associate_members_without_capital", "Số thành viên liên kết không góp vốn", "Associate members without capital",
               "Associate members who use services or work without capital.", source="Luật 17/2023/QH15 Điều 4",
               meaning_vi="Thành viên liên kết sử dụng dịch vụ hoặc làm việc, không góp vốn.", example="12"),
        _count("regular_workers", "Số lao động thường xuyên", "Regular workers", "Workers employed all year; not members.",
               aliases=("Lao động thường xuyên",),
               meaning_vi="Người lao động làm việc quanh năm; không gộp với thành viên.", example="8"),
        _count("seasonal_workers", "Số lao động thời vụ", "Seasonal workers", "Workers employed for part of the year.",
               meaning_vi="Người lao động làm việc một phần của năm.", example="25"),
        _count("managers", "Số cán bộ quản lý", "Managers", "Board, director, controllers.", aliases=("Cán bộ quản lý",),
               meaning_vi="Hội đồng quản trị, giám đốc, ban kiểm soát, kế toán.", example="5"),
        _count("managers_college", "Cán bộ quản lý có trình độ cao đẳng, đại học trở lên", "Managers with college or university",
               "Of the managers.", aliases=("Trình độ cao đẳng, đại học",),
               meaning_vi="Trong tổng số cán bộ quản lý.", example="2"),
        _count("managers_intermediate", "Cán bộ quản lý có trình độ sơ cấp, trung cấp", "Managers with primary or intermediate training",
               "Of the managers.", aliases=("Trình độ sơ cấp, trung cấp",),
               meaning_vi="Trong tổng số cán bộ quản lý.", example="2"),
        _money("charter_capital_vnd", "Vốn điều lệ", "Charter capital", "Registered charter capital.",
               meaning_vi="Vốn điều lệ đã đăng ký.", example="1200"),
        _money("total_capital_vnd", "Tổng nguồn vốn", "Total capital", "Total capital, the scale test of Decree 113/2024.",
               source="Nghị định 113/2024/NĐ-CP Điều 5",
               meaning_vi="Tổng nguồn vốn cuối kỳ (tiêu chí phân loại quy mô).", example="3500"),
        _money("undivided_assets_vnd", "Tài sản chung không chia", "Undivided assets", "Assets that members cannot divide.",
               meaning_vi="Tài sản không chia cho thành viên.", example="450"),
        _money("debt_vnd", "Nợ phải trả", "Debt", "Liabilities at the end of the period.",
               meaning_vi="Nợ phải trả cuối kỳ.", example="800"),
        _money("revenue_vnd", "Doanh thu", "Revenue", "Total revenue of the period.", aliases=("Tổng doanh thu",),
               meaning_vi="Tổng doanh thu trong kỳ.", example="4250.5"),
        _money("revenue_from_members_vnd", "Doanh thu từ thành viên", "Revenue from members",
               "Revenue from services and sales to members.", aliases=("Doanh thu cung ứng cho thành viên",),
               meaning_vi="Doanh thu từ dịch vụ và bán hàng cho thành viên; là một phần của tổng doanh thu.", example="2100"),
        _money("profit_before_tax_vnd", "Lợi nhuận trước thuế", "Profit before tax", "May be negative.", signed=True, aliases=("Lãi", "Lợi nhuận"),
               meaning_vi="Nếu lỗ thì ghi số âm.", example="310"),
        _money("funds_set_aside_vnd", "Trích lập các quỹ", "Funds set aside", "Investment, reserve and other funds.",
               meaning_vi="Quỹ đầu tư phát triển, quỹ dự phòng và các quỹ khác.", example="60"),
        _money("member_income_vnd", "Thu nhập bình quân của thành viên", "Average income of a member",
               "VND per member per year; not the worker income.", aliases=("Thu nhập thành viên",),
               meaning_vi="Bình quân một thành viên trong một năm; khác thu nhập của lao động.", example="52"),
        _money("worker_income_vnd", "Thu nhập bình quân của lao động thường xuyên", "Average income of a regular worker",
               "VND per regular worker per year; not the member income.", aliases=("Thu nhập lao động",),
               meaning_vi="Bình quân một lao động thường xuyên trong một năm; khác thu nhập của thành viên.", example="66"),
        Column(name="self_score", dtype=pl.Float64(), label_vi="Điểm tự đánh giá", label_en="Self-assessed score", unit="point",
               minimum=0, maximum=100, description="Self-assessed, 15 criteria, 100 points.", source="Thông tư 01/2020/TT-BKHĐT",
               meaning_vi="Tổng điểm tự đánh giá, thang điểm 100.", example="82"),
        Column(name="rating", dtype=pl.String(), label_vi="Xếp loại", label_en="Rating", codes=RATINGS,
               description="Rating that follows from the score.", source="Thông tư 01/2020/TT-BKHĐT",
               meaning_vi="Xếp loại tương ứng với điểm tự đánh giá.", example="Tốt"),
        Column(name="is_high_tech", dtype=pl.Boolean(), label_vi="Ứng dụng công nghệ cao", label_en="Applies high technology",
               description="As stated; counts only with evidence, as no legal test for a cooperative was found.",
               meaning_vi="Có ứng dụng công nghệ cao trong sản xuất hay không.", example="Có"),
        Column(name="high_tech_evidence", dtype=pl.String(), label_vi="Căn cứ công nghệ cao", label_en="Evidence of high technology",
               description="Decision, certificate or technology named.",
               meaning_vi="Quyết định, giấy chứng nhận hoặc tên công nghệ; chỉ tính khi có căn cứ.", example="Nhà màng, tưới nhỏ giọt"),
        Column(name="certificates", dtype=pl.String(), label_vi="Chứng nhận (VietGAP, hữu cơ, 4C…)", label_en="Certificates",
               description="Certificates held, separated by semicolons.", aliases=("Chứng nhận",),
               meaning_vi="Các chứng nhận còn hiệu lực, cách nhau bằng dấu chấm phẩy.", example="VietGAP; 4C"),
        Column(name="ocop_products", dtype=pl.Int64(), label_vi="Số sản phẩm OCOP", label_en="OCOP products", unit="product", minimum=0,
               description="Number of products with at least three OCOP stars.",
               meaning_vi="Số sản phẩm OCOP từ 3 sao trở lên.", example="1"),
    ),
)  # fmt: skip
"""The yearly reports."""
