"""What the templates say to the person who fills them in: titles, meanings, examples, guidance.

What belongs here: Vietnamese text for every column a template asks for, by canonical table and column.
What does not: labels, units, codes and limits, which come from `schemas/`, and writing workbooks
(`ingest.template`).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Help(NamedTuple):
    """Meaning of a column and an example of what to enter."""

    meaning: str
    example: str


TITLES: Final[dict[str, tuple[str, str]]] = {
    "organisations": (
        "DANH BẠ HỢP TÁC XÃ, TỔ HỢP TÁC VÀ DOANH NGHIỆP LIÊN KẾT",
        "Register of cooperatives and linked enterprises",
    ),
    "cooperative_reports": (
        "BÁO CÁO TÌNH HÌNH HOẠT ĐỘNG CỦA HỢP TÁC XÃ",
        "Yearly report of cooperatives",
    ),
    "linkages": (
        "TỔNG HỢP LIÊN KẾT SẢN XUẤT VÀ TIÊU THỤ SẢN PHẨM",
        "Linkages in production and consumption",
    ),
    "trainings": (
        "KẾT QUẢ ĐÀO TẠO, BỒI DƯỠNG NHÂN LỰC HỢP TÁC XÃ",
        "Training of cooperatives' staff and members",
    ),
    "plan_targets": (
        "CHỈ TIÊU PHÁT TRIỂN KINH TẾ TẬP THỂ",
        "Targets for the collective economy",
    ),
}
"""Canonical table → title of its template (vi, en)."""

UNITS_VI: Final[dict[str, str]] = {
    "VND": "đồng",
    "million VND": "triệu đồng",
    "ha": "ha",
    "tonnes": "tấn",
    "person": "người",
    "household": "hộ",
    "organisation": "tổ chức",
    "product": "sản phẩm",
    "point": "điểm",
    "day": "ngày",
    "share": "từ 0 đến 1",
    "degree": "độ",
}
"""Unit of a column → how the template writes it."""

_TAX = Help(
    "Mã số thuế, đồng thời là mã số hợp tác xã: 10 chữ số, hoặc 13 chữ số đối với đơn vị phụ thuộc.",
    "6100123457",
)
_NAME = Help("Tên đầy đủ ghi trên Giấy chứng nhận đăng ký.", "Hợp tác xã Nông nghiệp Sa Thầy")
_PLACE = Help("Xã, phường, thị trấn nơi đặt trụ sở.", "Xã Sa Thầy")
_DISTRICT = Help(
    "Huyện, thành phố trước ngày 01/7/2025; để trống nếu không còn áp dụng.", "Huyện Sa Thầy"
)
_REGISTER = Help(
    "Số Giấy chứng nhận đăng ký; dùng khi tổ chức không có mã số thuế.", "380701000012"
)

HELP: Final[dict[str, dict[str, Help]]] = {
    "organisations": {
        "tax_code": _TAX,
        "legal_type": Help("Loại hình theo Luật Hợp tác xã hoặc Luật Doanh nghiệp.", "Hợp tác xã"),
        "name": _NAME,
        "register_number": _REGISTER,
        "short_name": Help("Tên viết tắt, nếu có.", "HTX Sa Thầy"),
        "place_name": _PLACE,
        "district_name": _DISTRICT,
        "vsic_code": Help("Mã ngành chính đã đăng ký, 4 chữ số.", "0127"),
        "registered_on": Help("Ngày đăng ký lần đầu.", "15/06/2018"),
        "dissolved_on": Help("Ngày giải thể; để trống nếu đang hoạt động.", ""),
        "status": Help("Tình trạng vào ngày cuối kỳ báo cáo.", "Đang hoạt động"),
    },
    "cooperative_reports": {
        "tax_code": _TAX,
        "register_number": _REGISTER,
        "name": _NAME,
        "place_name": _PLACE,
        "district_name": _DISTRICT,
        "reported_on": Help("Ngày hợp tác xã ký báo cáo.", "10/12/2025"),
        "official_members": Help(
            "Thành viên có góp vốn và sử dụng dịch vụ hoặc làm việc, tính đến cuối kỳ.", "47"
        ),
        "associate_members_with_capital": Help("Thành viên liên kết chỉ góp vốn.", "3"),
        "associate_members_without_capital": Help(
            "Thành viên liên kết sử dụng dịch vụ hoặc làm việc, không góp vốn.", "12"
        ),
        "regular_workers": Help(
            "Người lao động làm việc quanh năm; không gộp với thành viên.", "8"
        ),
        "seasonal_workers": Help("Người lao động làm việc một phần của năm.", "25"),
        "managers": Help("Hội đồng quản trị, giám đốc, ban kiểm soát, kế toán.", "5"),
        "managers_college": Help("Trong tổng số cán bộ quản lý.", "2"),
        "managers_intermediate": Help("Trong tổng số cán bộ quản lý.", "2"),
        "charter_capital_vnd": Help("Vốn điều lệ đã đăng ký.", "1200"),
        "total_capital_vnd": Help("Tổng nguồn vốn cuối kỳ (tiêu chí phân loại quy mô).", "3500"),
        "undivided_assets_vnd": Help("Tài sản không chia cho thành viên.", "450"),
        "debt_vnd": Help("Nợ phải trả cuối kỳ.", "800"),
        "revenue_vnd": Help("Tổng doanh thu trong kỳ.", "4250.5"),
        "revenue_from_members_vnd": Help(
            "Doanh thu từ dịch vụ và bán hàng cho thành viên; là một phần của tổng doanh thu.",
            "2100",
        ),
        "profit_before_tax_vnd": Help("Nếu lỗ thì ghi số âm.", "310"),
        "funds_set_aside_vnd": Help("Quỹ đầu tư phát triển, quỹ dự phòng và các quỹ khác.", "60"),
        "member_income_vnd": Help(
            "Bình quân một thành viên trong một năm; khác thu nhập của lao động.", "52"
        ),
        "worker_income_vnd": Help(
            "Bình quân một lao động thường xuyên trong một năm; khác thu nhập của thành viên.",
            "66",
        ),
        "self_score": Help("Tổng điểm tự đánh giá, thang điểm 100.", "82"),
        "rating": Help("Xếp loại tương ứng với điểm tự đánh giá.", "Tốt"),
        "is_high_tech": Help("Có ứng dụng công nghệ cao trong sản xuất hay không.", "Có"),
        "high_tech_evidence": Help(
            "Quyết định, giấy chứng nhận hoặc tên công nghệ; chỉ tính khi có căn cứ.",
            "Nhà màng, tưới nhỏ giọt",
        ),
        "certificates": Help(
            "Các chứng nhận còn hiệu lực, cách nhau bằng dấu chấm phẩy.", "VietGAP; 4C"
        ),
        "ocop_products": Help("Số sản phẩm OCOP từ 3 sao trở lên.", "1"),
    },
    "linkages": {
        "instrument": Help("Hợp đồng, dự án hoặc kế hoạch liên kết.", "Hợp đồng liên kết"),
        "contract_number": Help("Số, ký hiệu ghi trên văn bản.", "05/2025/HĐLK"),
        "supplier_tax_code": Help("Mã số thuế của bên bán, nếu có.", "6100123457"),
        "supplier_name": Help(
            "Hợp tác xã, tổ hợp tác giao sản phẩm.", "Hợp tác xã Nông nghiệp Sa Thầy"
        ),
        "buyer_tax_code": Help("Mã số thuế của bên mua, nếu có.", "6100987655"),
        "buyer_name": Help("Doanh nghiệp, tổ chức nhận sản phẩm.", "Công ty TNHH Cà phê Đăk Hà"),
        "leader": Help("Bên đứng ra chủ trì liên kết.", "Bên mua"),
        "product_name": Help("Mỗi dòng một sản phẩm.", "Cà phê"),
        "has_inputs": Help("Liên kết có cung ứng giống, vật tư, dịch vụ đầu vào.", "Có"),
        "has_production": Help("Liên kết có tổ chức sản xuất, thu hoạch.", "Có"),
        "has_processing": Help("Liên kết có sơ chế hoặc chế biến.", "Không"),
        "has_consumption": Help("Liên kết có tiêu thụ sản phẩm.", "Có"),
        "signed_on": Help("Ngày ký văn bản.", "02/01/2025"),
        "starts_on": Help("Ngày bắt đầu có hiệu lực.", "15/01/2025"),
        "ends_on": Help("Ngày hết hiệu lực; để trống nếu không xác định.", "31/12/2027"),
        "area_ha": Help("Diện tích tham gia liên kết trong kỳ.", "35.5"),
        "households": Help("Số hộ tham gia liên kết trong kỳ.", "62"),
        "contracted_tonnes": Help("Sản lượng đã ký cho kỳ báo cáo.", "120"),
        "delivered_tonnes": Help("Sản lượng thực tế đã giao trong kỳ.", "112.4"),
        "contracted_value_vnd": Help("Giá trị đã ký cho kỳ báo cáo.", "5400"),
        "paid_value_vnd": Help("Số tiền thực tế đã thanh toán trong kỳ.", "5050"),
        "price_rule": Help("Cách xác định giá mua bán.", "Giá thị trường cộng thưởng"),
        "support_decision": Help("Số, ngày quyết định hỗ trợ liên kết, nếu có.", ""),
        "status": Help("Tình trạng vào ngày cuối kỳ báo cáo.", "Đang thực hiện"),
    },
    "trainings": {
        "tax_code": _TAX,
        "name": _NAME,
        "course": Help("Tên lớp như trong quyết định mở lớp.", "Quản trị hợp tác xã nông nghiệp"),
        "starts_on": Help("Ngày đầu tiên của lớp.", "20/05/2025"),
        "days": Help("Số ngày của lớp.", "5"),
        "managers_trained": Help("Lượt cán bộ quản lý của tổ chức tham gia lớp.", "2"),
        "members_trained": Help("Lượt thành viên, người lao động tham gia lớp.", "6"),
        "cost_vnd": Help("Kinh phí từ ngân sách cho số người nêu trên.", "24"),
    },
    "plan_targets": {
        "authority": Help("Cơ quan ban hành văn bản.", "Ủy ban nhân dân tỉnh"),
        "document": Help(
            "Số, ký hiệu và ngày: chỉ ghi số thì không phân biệt được.",
            "Kế hoạch 2105/KH-UBND ngày 12/6/2023",
        ),
        "indicator": Help("Mã của chỉ số dùng để đối chiếu.", "active_cooperatives"),
        "indicator_vi": Help("Ghi nguyên văn trong văn bản.", "Số hợp tác xã hoạt động hiệu quả"),
        "denominator": Help("Tỷ lệ tính trên tổng thể nào; ghi «none» nếu là số đếm.", "none"),
        "target_year": Help("Năm phải đạt chỉ tiêu.", "2025"),
        "comparator": Help(
            "Dấu so sánh: tối thiểu (>=), lớn hơn (>), bằng (=), tối đa (<=), khoảng (~).", ">="
        ),
        "value": Help("Giá trị theo đơn vị ở cột bên cạnh; tỷ lệ ghi từ 0 đến 1.", "240"),
        "value_unit": Help("share (0..1), organisation, person, ha hoặc VND.", "organisation"),
        "is_verified": Help("Đã đối chiếu với bản gốc của văn bản hay chưa.", "Có"),
        "source_address": Help("Nơi đọc được văn bản.", ""),
    },
}
"""Canonical table → column → meaning and example. Money examples are in million đồng."""

GUIDANCE: Final[tuple[str, ...]] = (
    "Nhập số liệu vào trang «{sheet}», bắt đầu từ dòng {first_row}; mỗi dòng là {grain}.",
    "Cột có dấu (*) là bắt buộc: dòng thiếu cột này sẽ bị loại. Ô còn thiếu hiện nền màu hồng.",
    "Nhập đúng đơn vị tính ghi dưới tiêu đề cột. Không ghi đơn vị vào ô số («2,5 tỷ», «khoảng 50»).",
    "Ngày ghi theo dạng ngày/tháng/năm. Ô có mũi tên thì chọn trong danh sách.",
    "Ô chưa có số liệu thì để trống; chỉ ghi 0 khi thực sự bằng không.",
    "Không đổi tiêu đề, không thêm, xóa hoặc đổi chỗ cột; không ghi dòng cộng, tổng hợp.",
    "Có thể dán số liệu từ tệp khác bằng «Dán đặc biệt – Giá trị» (Paste Special – Values).",
    "Lưu tệp dạng .xlsx và gửi trước ngày {deadline}. Tệp được đọc tự động, không phải nhập lại.",
)
"""Numbered lines of the instruction sheet."""

GRAINS: Final[dict[str, str]] = {
    "organisations": "một tổ chức",
    "cooperative_reports": "một hợp tác xã",
    "linkages": "một liên kết cho một sản phẩm",
    "trainings": "một tổ chức tham gia một lớp",
    "plan_targets": "một chỉ tiêu của một năm trong một văn bản",
}
"""Canonical table → what one row is."""
