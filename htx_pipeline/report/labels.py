"""Names of what the pages speak of: levels, denominators, indicators, and amounts in words.

What belongs here: wording that several pages share. What does not: formatting of bare numbers and
marks (`text`), sentences (`overview`, `cluster`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.schemas.plan_tasks import TASK_STATUSES

LEVELS: Final = ("planned", "signed", "active", "executed")
LEVEL_TEXT: Final[dict[str, str]] = {
    "planned": "Từ mức dự kiến trở lên",
    "signed": "Đã ký trở lên",
    "active": "Đang thực hiện trở lên",
    "executed": "Đã thực hiện (đã giao hàng hoặc thanh toán)",
}
SHORT_LEVELS: Final[dict[str, str]] = {
    "planned": "Từ dự kiến",
    "signed": "Từ đã ký",
    "active": "Từ đang thực hiện",
    "executed": "Đã thực hiện",
}
SEVERITY_TEXT: Final[dict[str, str]] = {
    "critical": "Dừng công bố",
    "error": "Loại dòng",
    "warning": "Giữ, cần sửa",
    "info": "Lưu ý",
}
PRESENCE: Final[dict[str, str]] = {"linkage": "Có, theo liên kết"}
BASIS_TEXT: Final[dict[str, str]] = {
    "paid_value": "giá trị đã thanh toán",
    "contracted_value": "giá trị theo hợp đồng",
    "links": "số liên kết",
}
TASK_LABELS: Final[dict[str, str]] = {c.code: c.label_vi for c in TASK_STATUSES}
WITHOUT_PLACE: Final = "Chưa rõ địa bàn"


DENOMINATORS: Final[dict[str, str]] = {
    "none": "không có",
    "all_htx": "tổng số HTX",
    "active_htx": "HTX đang hoạt động",
    "reporting_htx": "HTX đã báo cáo",
    "rated": "HTX đã xếp loại",
    "rated_good_fair": "HTX xếp loại tốt, khá",
    "agricultural_htx": "HTX nông nghiệp",
    "effective": "tổ chức hoạt động hiệu quả",
    "managers": "cán bộ quản lý",
    "population": "dân số",
    "agricultural_households": "hộ nông nghiệp",
    "agricultural_output_value": "giá trị sản phẩm nông nghiệp",
    "members_of_reporting_htx": "thành viên của HTX đã báo cáo",
    "revenue_of_reporting_htx": "doanh thu của HTX đã báo cáo",
    "area_of_all_linkages": "diện tích của mọi liên kết",
    "output_of_all_linkages": "sản lượng của mọi liên kết",
    "value_of_all_linkages": "giá trị của mọi liên kết",
    "signed_linkages": "liên kết đã ký",
    "signed_value": "giá trị đã ký",
    "contracted_value_of_linkages_stating_both": "giá trị hợp đồng của liên kết nêu cả hai",
    "contracted_tonnes_of_linkages_stating_both": "sản lượng hợp đồng của liên kết nêu cả hai",
}
"""Denominators by code."""

NEEDS: Final[dict[str, str]] = {
    text.REASONS[code]: need
    for code, need in {
        "no_linkages": "Bảng liên kết: bên bán, bên mua, sản phẩm",
        "execution_not_stated": "Khối lượng đã giao hoặc giá trị đã thanh toán của từng hợp đồng",
        "not_stated": "Cột số liệu tương ứng trong báo cáo hoặc hợp đồng",
        "denominator_not_stated": "Cột số liệu của mẫu số",
        "denominator_zero": "Số liệu xác định mẫu số: xếp loại, mã ngành, tình trạng",
        "withheld_few": "Không cần: giữ bí mật theo quy định",
    }.items()
}
"""What would have to be sent for a figure to be computed, by the words of its reason."""

LINKED_INDICATORS: Final[dict[str, str]] = {
    "linked_share": "Tỷ lệ HTX có liên kết",
    "chain_linked_share": "Tỷ lệ HTX tham gia liên kết theo chuỗi giá trị",
    "chain_linked_good_fair_share": "Tỷ lệ HTX xếp loại tốt, khá và tham gia liên kết theo chuỗi",
    "enterprise_linked_share": "Tỷ lệ HTX nông nghiệp bán sản phẩm cho doanh nghiệp theo liên kết",
    "offtake_share": "Tỷ lệ HTX nông nghiệp bán sản phẩm theo liên kết",
}
"""Shares of cooperatives that are linked: the three official senses, and linkage of any kind."""

INDICATORS: Final[dict[str, str]] = {
    **LINKED_INDICATORS,
    "n_cooperatives": "Số HTX",
    "n_active_cooperatives": "Số HTX đang hoạt động",
    "n_agricultural_cooperatives": "Số HTX nông nghiệp",
    "n_cooperative_groups": "Số tổ hợp tác",
    "n_unions": "Số liên hiệp HTX",
    "active_share": "Tỷ lệ HTX đang hoạt động",
    "reporting_share": "Tỷ lệ HTX đã báo cáo",
    "official_members": "Số thành viên chính thức",
    "members_per_cooperative": "Số thành viên bình quân một HTX",
    "revenue_vnd": "Doanh thu",
    "revenue_per_cooperative_vnd": "Doanh thu bình quân một HTX",
    "member_income_vnd": "Thu nhập bình quân của thành viên",
    "worker_income_vnd": "Thu nhập bình quân của lao động thường xuyên",
    "managers_college_share": "Tỷ lệ cán bộ quản lý có trình độ cao đẳng, đại học",
    "n_high_tech": "Số HTX công nghệ cao có căn cứ",
    "n_high_tech_claimed": "Số HTX tự nhận công nghệ cao",
    "high_tech_share": "Tỷ lệ HTX công nghệ cao có căn cứ",
    "contracted_value_vnd": "Giá trị theo hợp đồng",
    "paid_value_vnd": "Giá trị đã thanh toán",
    "delivered_tonnes": "Sản lượng đã giao",
    "n_linkages": "Số liên kết",
    "linked_members_share": "Tỷ lệ thành viên thuộc HTX có liên kết",
    "linked_revenue_share": "Tỷ lệ doanh thu của HTX có liên kết",
    "linked_area_share": "Tỷ lệ diện tích theo mức bằng chứng",
    "linked_output_share": "Tỷ lệ sản lượng theo mức bằng chứng",
    "linked_value_share": "Tỷ lệ giá trị theo mức bằng chứng",
    "linked_area_ha": "Diện tích liên kết",
    "linked_households": "Số hộ tham gia liên kết",
    "rated_good_fair_share": "Tỷ lệ HTX xếp loại tốt, khá",
    "executed_linkages_share": "Tỷ lệ liên kết đã thực hiện",
    "executed_value_share": "Tỷ lệ giá trị thuộc liên kết đã thực hiện",
    "paid_over_contracted": "Đã thanh toán so với hợp đồng",
    "delivered_over_contracted": "Đã giao so với hợp đồng",
}
"""Indicators by code, where the frame brings no label of its own."""


def indicator_label(row: Mapping[str, Any]) -> str:
    """Return the wording of an indicator: its own, else the list's, else the code."""
    own = row.get("label_vi") or row.get("indicator_vi")
    return str(own) if own else text.label(INDICATORS, row["indicator"])


SHORT_PLACES: Final = (
    ("Thành phố ", "TP. "), ("Thị xã ", "TX. "), ("Thị trấn ", "TT. "), ("Huyện ", "H. "), ("Phường ", "P. "), ("Xã ", "X. "),
)  # fmt: skip
"""Kinds of administrative units as offices abbreviate them."""


def short_place(name: str | None) -> str | None:
    """Return a place with its kind abbreviated, for a narrow column.

    Examples
    --------
    >>> short_place("Thành phố Kon Tum"), short_place("Ngoài tỉnh"), short_place(None)
    ('TP.\xa0Kon\xa0Tum', 'Ngoài\xa0tỉnh', None)
    """
    if name is None:
        return None
    for long, short in SHORT_PLACES:
        if name.startswith(long):
            name = short + name.removeprefix(long)
            break
    return name.replace(" ", "\u00a0")


def together(words: str) -> str:
    """Return *words* with spaces that do not break a line, when they are few enough for a column."""
    words = words.strip()
    return words.replace(" ", "\u00a0") if len(words) <= 11 else words


def measure_text(value: float | None, unit: str | None) -> str:
    """Return a value with its unit in words.

    Examples
    --------
    >>> measure_text(0.5, "share"), measure_text(2.5e9, "VND"), measure_text(12.0, "organisation")
    ('50,0%', '2,5 tỷ đồng', '12 tổ chức')
    """
    if value is None:
        return text.NULL_MARK
    if unit in ("share", "ratio"):
        return text.share(value)
    if unit == "VND":
        return text.money(value)
    words = {
        "organisation": "tổ chức",
        "person": "người",
        "ha": "ha",
        "tonnes": "tấn",
        "household": "hộ",
        "linkage": "liên kết",
    }
    decimals = 0 if float(value).is_integer() else 1
    return f"{text.number(value, decimals)} {words.get(unit or '', unit or '')}".strip()


def gap_text(gap: float | None, unit: str | None) -> str:
    """Return a gap with its sign; a gap between shares is in percentage points.

    Examples
    --------
    >>> gap_text(-0.125, "share"), gap_text(3.0, "organisation")
    ('-12,5 điểm %', '+3 tổ chức')
    """
    if gap is None:
        return text.NULL_MARK
    sign = "+" if gap > 0 else ""
    if unit == "share":
        return f"{sign}{text.number(gap * 100, 1)} điểm %"
    return f"{sign}{measure_text(gap, unit)}"
