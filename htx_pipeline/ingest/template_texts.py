"""What the templates say to the person who fills them in: titles and guidance.

What belongs here: Vietnamese text about a template as a whole. What does not: what is said about one
column, its meaning and example among it, which comes from `schemas/`, and writing workbooks
(`ingest.template_write`).
"""

from __future__ import annotations

from typing import Final

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
