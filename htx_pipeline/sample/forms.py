"""The forms a province fills in, by year: files, sheets, headings, units, date styles.

What belongs here: how the truth is laid out on sheets, before any mistake. What does not: drawing
the truth (`province`), mistakes (`mess`), bytes (`write`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl

from htx_pipeline.sample.province import SampleProvince
from htx_pipeline.schemas import TABLES
from htx_pipeline.textfold import without_marks

Cell = str | int | float | dt.date | None

TYPES_VI: Final[Mapping[str, str]] = {
    "htx": "Hợp tác xã", "lhhtx": "Liên hiệp hợp tác xã", "tht": "Tổ hợp tác",
    "enterprise": "Doanh nghiệp", "household_business": "Hộ kinh doanh",
}  # fmt: skip
TYPES_SHORT: Final[Mapping[str, str]] = {
    "htx": "HTX", "lhhtx": "LHHTX", "tht": "THT", "enterprise": "DN", "household_business": "HKD"
}  # fmt: skip


def _labels(table: str, column: str) -> dict[str, str]:
    return TABLES[table][column].code_labels("vi")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a form.

    Parameters
    ----------
    key:
        Canonical column, or ``stt`` for the running number.
    heading:
        Heading texts from the top row down; a shared first text is a merged group.
    kind:
        ``text``, ``code``, ``int``, ``number``, ``money``, ``mass``, ``percent``, ``date`` (a date cell), ``date_text``
        (dd/mm/yyyy), ``mark`` (x or empty), ``yes_no``.
    divisor:
        Canonical amount of one unit of the form.
    words:
        Code → word on the form.
    is_totalled:
        Whether the total row adds it up.
    """

    key: str
    heading: tuple[str, ...]
    kind: str = "text"
    divisor: int = 1
    words: Mapping[str, str] = field(default_factory=dict)
    is_totalled: bool = False
    width: int = 14

    def encode(self, value: Any) -> Cell:
        """Return the cell that stands for a canonical value."""
        if self.kind == "mark":
            return "x" if value else None
        return None if value is None else _ENCODERS.get(self.kind, _as_it_is)(self, value)


def _as_it_is(_: Field, value: Any) -> Cell:
    cell: Cell = value
    return cell


def _money(field: Field, value: Any) -> Cell:
    whole, rest = divmod(int(value), field.divisor)
    return whole if rest == 0 else round(int(value) / field.divisor, 6)


_ENCODERS: Final[Mapping[str, Callable[[Field, Any], Cell]]] = {
    "yes_no": lambda _, value: "Có" if value else "Không",
    "code": lambda field, value: field.words.get(str(value), str(value)),
    "date_text": lambda _, value: f"{value:%d/%m/%Y}",
    "money": _money,
    "mass": lambda _, value: round(float(value) * 1000),
    "percent": lambda _, value: round(float(value) * 100, 4),
    "number": lambda _, value: round(float(value), 6),
}


@dataclass(slots=True)
class Row:
    """One data row: cells by field key, and the canonical row they come from."""

    cells: dict[str, Cell]
    truth: Mapping[str, Any]


@dataclass(slots=True)
class Sheet:
    """One sheet (or text file) before it becomes bytes."""

    file: str
    name: str
    table: str
    period: str
    fields: tuple[Field, ...]
    rows: list[Row]
    titles: tuple[str, ...] = ()
    unit_line: str = ""
    has_index_row: bool = False
    has_total: bool = False
    closing: tuple[str, ...] = ()
    merge_key: str | None = None
    encoding: Literal["xlsx", "utf-8-sig", "cp1258"] = "xlsx"
    fonts: Mapping[str, str] = field(default_factory=dict)
    totals: dict[str, Cell] = field(default_factory=dict)
    wrong_totals: dict[str, Cell] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Number of heading rows."""
        return max(len(f.heading) for f in self.fields)

    @property
    def header_row(self) -> int:
        """First heading row, counted from 1; row 1 is the synthetic label."""
        return 2 + len(self.titles) + (1 if self.unit_line else 0)

    @property
    def first_data_row(self) -> int:
        """First row of data, counted from 1."""
        return self.header_row + self.depth + (1 if self.has_index_row else 0)

    def column_of(self, key: str) -> int:
        """Column number of a field, counted from 1."""
        return next(i for i, f in enumerate(self.fields, 1) if f.key == key)

    def field_of(self, key: str) -> Field:
        """Return the field with this key."""
        return next(f for f in self.fields if f.key == key)

    def has(self, key: str) -> bool:
        """Return whether the form has this field."""
        return any(f.key == key for f in self.fields)

    def compute_totals(self) -> None:
        """Add up the truth of the rows that are there, each once, as the sender did before the slips."""
        if self.has_total:
            truths = list({id(r.truth): r.truth for r in self.rows}.values())
            for f in self.fields:
                if f.is_totalled:
                    values = [v for t in truths if (v := t.get(f.key)) is not None]
                    self.totals[f.key] = f.encode(_sum(values))
            self.totals |= self.wrong_totals


def _sum(values: list[Any]) -> Any:
    total = sum(values)
    return round(total, 6) if isinstance(total, float) else total


_SIGNATURE: Final = (
    "Ghi chú: số liệu tính từ ngày 15/12 năm trước đến ngày 14/12 năm báo cáo.",
    "NGƯỜI LẬP BIỂU                                        THỦ TRƯỞNG ĐƠN VỊ",
    "(Ký, ghi rõ họ tên)                                   (Ký tên, đóng dấu)",
)


def _rows(fields: Iterable[Field], frame: pl.DataFrame) -> list[Row]:
    fields = tuple(fields)
    out = []
    for i, record in enumerate(frame.iter_rows(named=True), 1):
        cells = {f.key: i if f.key == "stt" else f.encode(record.get(f.key)) for f in fields}
        out.append(Row(cells, record))
    return out


def slug(name: str) -> str:
    """Return an ASCII file name for a Vietnamese name.

    Examples
    --------
    >>> slug("Huyện Ia H'Drai"), slug("Thành phố Kon Tum")
    ('ia-hdrai', 'kon-tum')
    """
    text = without_marks(name.replace("'", "")).lower()
    for word in ("huyen ", "thanh pho "):
        text = text.removeprefix(word)
    return text.replace(" ", "-")


STT: Final = Field("stt", ("STT",), "int", width=6)


def _registry(province: SampleProvince, period: str) -> Sheet:
    frame = province.organisations.filter(
        (pl.col("period") == period) & pl.col("legal_type").is_in(["htx", "lhhtx", "tht"])
    ).sort("admin_code", "registered_on", "org_id")
    status = _labels("organisations", "status")
    if period == "2023":
        fields: tuple[Field, ...] = (
            STT, Field("name", ("Tên HTX",), width=44), Field("tax_code", ("Mã số HTX",)),
            Field("legal_type", ("Loại hình",), "code", words=TYPES_SHORT), Field("place_name", ("Xã, phường, thị trấn",), width=20),
            Field("district_name", ("Huyện, thành phố",), width=20), Field("vsic_code", ("Mã ngành",)),
            Field("registered_on", ("Ngày cấp",), "date_text"), Field("status", ("Tình trạng",), "code", words=status, width=20),
            Field("dissolved_on", ("Ngày giải thể",), "date_text"),
        )  # fmt: skip
        return Sheet("2023/danh-ba-htx.xlsx", "Danh bạ HTX", "organisations", period, fields, _rows(fields, frame),
                     ("SỞ KẾ HOẠCH VÀ ĐẦU TƯ", "DANH BẠ HỢP TÁC XÃ, LIÊN HIỆP HỢP TÁC XÃ, TỔ HỢP TÁC ĐẾN 14/12/2023"), closing=_SIGNATURE)  # fmt: skip
    if period == "2024":
        fields = (
            STT, Field("tax_code", ("MST",)), Field("name", ("Tên tổ chức",)), Field("legal_type", ("Loại hình tổ chức",), "code", words=TYPES_VI),
            Field("place_name", ("Xã/phường",)), Field("district_name", ("Huyện/TP",)), Field("vsic_code", ("Mã ngành chính",)),
            Field("registered_on", ("Ngày thành lập",), "date_text"), Field("status", ("Trạng thái",), "code", words=status),
            Field("dissolved_on", ("Ngày giải thể",), "date_text"),
        )  # fmt: skip
        return Sheet(
            "2024/danh-ba-htx.csv",
            "csv",
            "organisations",
            period,
            fields,
            _rows(fields, frame),
            encoding="utf-8-sig",
        )
    fields = (
        STT, Field("name", ("Tên đơn vị",), width=44), Field("tax_code", ("Mã số thuế",)), Field("legal_type", ("Loại hình kinh tế",), "code", words=TYPES_VI, width=20),
        Field("place_name", ("Xã, phường (mới)",), width=20), Field("vsic_code", ("Mã ngành nghề chính",)),
        Field("registered_on", ("Ngày đăng ký",), "date"), Field("status", ("Tình trạng hoạt động",), "code", words=status, width=20),
        Field("dissolved_on", ("Ngày giải thể",), "date"),
    )  # fmt: skip
    return Sheet("2025/danh-ba-htx.xlsx", "Danh bạ", "organisations", period, fields, _rows(fields, frame),
                 ("SỞ TÀI CHÍNH", "DANH BẠ TỔ CHỨC KINH TẾ TẬP THỂ (ĐỊA BÀN CẤP XÃ SAU 01/7/2025)"), closing=_SIGNATURE)  # fmt: skip


def _enterprises(province: SampleProvince, period: str) -> Sheet:
    frame = province.organisations.filter(
        (pl.col("period") == period)
        & pl.col("legal_type").is_in(["enterprise", "household_business"])
    ).sort("registered_on", "org_id")
    fields: tuple[Field, ...] = (
        STT, Field("tax_code", ("Mã số doanh nghiệp",)), Field("name", ("Tên doanh nghiệp",), width=54),
        Field("legal_type", ("Loại hình",), "code", words=TYPES_VI, width=18), Field("place_name", ("Xã, phường",), width=20),
    )  # fmt: skip
    if period < "2025":
        fields += (Field("district_name", ("Huyện, thành phố",), width=20),)
    else:
        fields += (Field("district_name", ("Địa bàn",), width=20),)
    fields += (
        Field("vsic_code", ("Mã ngành",)),
        Field("registered_on", ("Ngày đăng ký",), "date" if period == "2025" else "date_text"),
    )
    fonts = {"name": ".VnTime"} if period == "2024" else {}
    return Sheet(f"{period}/danh-sach-doanh-nghiep.xlsx", "Doanh nghiệp", "organisations", period, fields, _rows(fields, frame),
                 ("DANH SÁCH DOANH NGHIỆP, HỘ KINH DOANH THU MUA, CHẾ BIẾN NÔNG SẢN",), fonts=fonts)  # fmt: skip


def _report_fields(period: str) -> tuple[Field, ...]:
    divisor, unit = {
        "2023": (1_000_000, ""),
        "2024": (1, ""),
        "2025": (1_000_000_000, " (tỷ đồng)"),
    }[period]
    income_divisor, income_unit = {
        "2023": (1_000_000, ""),
        "2024": (1, ""),
        "2025": (1_000_000, " (triệu đồng)"),
    }[period]
    date = {"2023": "date_text", "2024": "date_text", "2025": "date"}[period]
    rating = _labels("cooperative_reports", "rating")

    def money(key: str, *heading: str, total: bool = True) -> Field:
        return Field(key, (*heading[:-1], heading[-1] + unit), "money", divisor, is_totalled=total)

    def count(key: str, *heading: str) -> Field:
        return Field(key, heading, "int", is_totalled=True)

    fields: tuple[Field, ...] = (STT,)
    place = Field("place_name", ("Xã, phường",), width=20)
    name = Field("name", ("Tên hợp tác xã",), width=44)
    code = Field("tax_code", ("Mã số HTX",))
    fields += (place, name, code) if period == "2025" else (name, code, place)
    if period != "2025":
        fields += (Field("district_name", ("Huyện, thành phố",), width=20),)
    fields += (Field("reported_on", ("Ngày gửi báo cáo",), date),)
    fields += (count("official_members", "Thành viên", "Chính thức"),)
    if period != "2023":
        fields += (
            count("associate_members_with_capital", "Thành viên", "Liên kết góp vốn"),
            count("associate_members_without_capital", "Thành viên", "Liên kết không góp vốn"),
        )
    fields += (
        count("regular_workers", "Lao động", "Thường xuyên"), count("seasonal_workers", "Lao động", "Thời vụ"),
        count("managers", "Cán bộ quản lý", "Tổng số"), count("managers_college", "Cán bộ quản lý", "Cao đẳng, đại học"),
        count("managers_intermediate", "Cán bộ quản lý", "Sơ cấp, trung cấp"),
        money("charter_capital_vnd", "Vốn và tài sản", "Vốn điều lệ"), money("total_capital_vnd", "Vốn và tài sản", "Tổng nguồn vốn"),
        money("undivided_assets_vnd", "Vốn và tài sản", "Tài sản không chia"), money("debt_vnd", "Vốn và tài sản", "Nợ phải trả"),
        money("revenue_vnd", "Kết quả kinh doanh", "Doanh thu"), money("revenue_from_members_vnd", "Kết quả kinh doanh", "Doanh thu từ thành viên"),
        money("profit_before_tax_vnd", "Kết quả kinh doanh", "Lợi nhuận trước thuế"), money("funds_set_aside_vnd", "Kết quả kinh doanh", "Trích lập quỹ"),
        Field("member_income_vnd", ("Thu nhập bình quân", "Thành viên" + income_unit), "money", income_divisor),
        Field("worker_income_vnd", ("Thu nhập bình quân", "Người lao động" + income_unit), "money", income_divisor),
        Field("self_score", ("Tự đánh giá", "Điểm"), "number"), Field("rating", ("Tự đánh giá", "Xếp loại"), "code", words=rating),
        Field("is_high_tech", ("Công nghệ cao", "Có ứng dụng"), "mark" if period == "2023" else "yes_no"),
        Field("high_tech_evidence", ("Công nghệ cao", "Căn cứ"), width=30), Field("certificates", ("Chứng nhận",)),
        Field("ocop_products", ("Sản phẩm OCOP",), "int", is_totalled=True),
    )  # fmt: skip
    return fields


def _reports(province: SampleProvince, period: str) -> list[Sheet]:
    frame = province.cooperative_reports.filter(pl.col("period") == period)
    fields = _report_fields(period)
    span = f"(Từ ngày 15/12/{int(period) - 1} đến ngày 14/12/{period})"
    if period == "2025":
        frame = frame.sort("place_name", "name", "org_id")
        return [
            Sheet("2025/bao-cao-htx.xlsx", "Tổng hợp", "cooperative_reports", period, fields, _rows(fields, frame),
                  ("SỞ TÀI CHÍNH", "TỔNG HỢP BÁO CÁO HỢP TÁC XÃ THEO XÃ, PHƯỜNG NĂM 2025", span), "Đơn vị tính: ghi tại từng cột",
                  has_index_row=True, has_total=True, closing=_SIGNATURE, merge_key="place_name")
        ]  # fmt: skip
    sheets = []
    for district in sorted(frame["district_name"].unique().to_list(), key=slug):
        part = frame.filter(pl.col("district_name") == district).sort(
            "place_name", "name", "org_id"
        )
        if period == "2023":
            file, name, unit = (
                f"2023/bao-cao-htx/{slug(district)}.xlsx",
                "Biểu 01",
                "ĐVT: triệu đồng",
            )
        else:
            file, name, unit = (
                "2024/bao-cao-htx.xlsx",
                district.removeprefix("Huyện ").replace("Thành phố", "TP").replace("'", "’"),
                "Đơn vị tính: đồng",
            )
        sheets.append(
            Sheet(file, name, "cooperative_reports", period, fields, _rows(fields, part),
                  (f"UBND {district.upper()}", f"BÁO CÁO TÌNH HÌNH HOẠT ĐỘNG HỢP TÁC XÃ NĂM {period}", span), unit,
                  has_index_row=period == "2023", has_total=True, closing=_SIGNATURE)
        )  # fmt: skip
    return sheets


def _linkage_fields(period: str) -> tuple[Field, ...]:
    mark = "mark" if period == "2023" else "yes_no"
    date = "date" if period == "2025" else "date_text"
    divisor = 1 if period == "2024" else 1_000_000
    group = period != "2024"
    codes = {c: _labels("linkages", c) for c in ("instrument", "leader", "price_rule", "status")}

    def two(top: str, leaf: str, flat: str) -> tuple[str, ...]:
        return (top, leaf) if group else (flat,)

    mass = ("number", "(tấn)") if period != "2025" else ("mass", "(kg)")
    value_unit = "(đồng)" if period == "2024" else "(triệu đồng)"
    return (
        STT, Field("supplier_name", two("Bên bán", "Tên bên bán", "Bên bán"), width=44), Field("supplier_tax_code", two("Bên bán", "MST bên bán", "MST bên bán")),
        Field("buyer_name", two("Bên mua", "Tên bên mua", "Bên mua"), width=54), Field("buyer_tax_code", two("Bên mua", "MST bên mua", "MST bên mua")),
        Field("product_name", ("Sản phẩm",)), Field("instrument", ("Hình thức văn bản",), "code", words=codes["instrument"], width=22),
        Field("contract_number", ("Số hợp đồng",), width=18), Field("leader", ("Chủ trì liên kết",), "code", words=codes["leader"]),
        Field("has_inputs", two("Khâu liên kết", "Vật tư đầu vào", "Khâu đầu vào"), mark),
        Field("has_production", two("Khâu liên kết", "Sản xuất", "Khâu sản xuất"), mark),
        Field("has_processing", two("Khâu liên kết", "Chế biến", "Khâu chế biến"), mark),
        Field("has_consumption", two("Khâu liên kết", "Tiêu thụ", "Khâu tiêu thụ"), mark),
        Field("signed_on", ("Ngày ký",), date), Field("starts_on", ("Ngày bắt đầu",), date), Field("ends_on", ("Ngày kết thúc",), date),
        Field("area_ha", ("Diện tích (ha)",), "number", is_totalled=True), Field("households", ("Số hộ",), "int", is_totalled=True),
        Field("contracted_tonnes", two(f"Sản lượng {mass[1]}", "Theo hợp đồng", f"Sản lượng hợp đồng {mass[1]}"), mass[0], is_totalled=True),
        Field("delivered_tonnes", two(f"Sản lượng {mass[1]}", "Đã giao", f"Sản lượng đã giao {mass[1]}"), mass[0], is_totalled=True),
        Field("contracted_value_vnd", two(f"Giá trị {value_unit}", "Giá trị hợp đồng", f"Giá trị hợp đồng {value_unit}"), "money", divisor, is_totalled=True),
        Field("paid_value_vnd", two(f"Giá trị {value_unit}", "Đã thanh toán", f"Giá trị đã thanh toán {value_unit}"), "money", divisor, is_totalled=True),
        Field("price_rule", ("Cách xác định giá",), "code", words=codes["price_rule"], width=24),
        Field("support_decision", ("Quyết định hỗ trợ",), width=18), Field("status", ("Tình trạng thực hiện",), "code", words=codes["status"], width=18),
    )  # fmt: skip


def _linkages(province: SampleProvince, period: str) -> Sheet:
    frame = province.linkages.filter(pl.col("period") == period).sort(
        "product_code", "contract_number", "supplier_id", "linkage_id"
    )
    fields = _linkage_fields(period)
    rows = _rows(fields, frame)
    if period == "2024":
        return Sheet(
            "2024/lien-ket.csv", "csv", "linkages", period, fields, rows, encoding="cp1258"
        )
    return Sheet(
        f"{period}/lien-ket.xlsx", "Liên kết", "linkages", period, fields, rows,
        ("SỞ NÔNG NGHIỆP", f"DANH MỤC HỢP ĐỒNG, DỰ ÁN, KẾ HOẠCH LIÊN KẾT NĂM {period}"), has_index_row=period == "2023", has_total=True,
        closing=_SIGNATURE,
    )  # fmt: skip


def _small(
    province: SampleProvince,
    period: str,
    what: tuple[str, str, str, str],
    fields: tuple[Field, ...],
) -> Sheet:
    table, file, name, title = what
    frame = province.tables[table].filter(pl.col("period") == period)
    is_csv = file.endswith(".csv")
    return Sheet(f"{period}/{file}", "csv" if is_csv else name, table, period, fields, _rows(fields, frame),
                 () if is_csv else (f"{title} NĂM {period}",), encoding="utf-8-sig" if is_csv else "xlsx")  # fmt: skip


UNITS_VI: Final = {
    "share": "tỷ lệ (0-1)",
    "organisation": "tổ chức",
    "ha": "ha",
    "VND": "đồng",
    "person": "người",
}
"""Units of a target as the plan writes them."""


def sheets(province: SampleProvince) -> list[Sheet]:
    """Lay the truth out on the forms of each year; no mistakes yet.

    Examples
    --------
    >>> from htx_pipeline.sample import generate
    >>> made = sheets(generate(periods=("2023",)))
    >>> made[0].file, made[0].rows[0].cells["stt"]
    ('2023/danh-ba-htx.xlsx', 1)
    """
    level = _labels("commendations", "level")
    status = _labels("plan_tasks", "status")
    out: list[Sheet] = []
    for period in province.periods:
        out += [
            _registry(province, period),
            _enterprises(province, period),
            *_reports(province, period),
            _linkages(province, period),
        ]
        out += [
            _small(province, period, ("trainings", "dao-tao.xlsx", "Đào tạo", "KẾT QUẢ ĐÀO TẠO, BỒI DƯỠNG"), (
                STT, Field("name", ("Tên HTX",), width=44), Field("tax_code", ("Mã số HTX",)), Field("course", ("Tên lớp",), width=36),
                Field("starts_on", ("Ngày khai giảng",), "date_text"), Field("days", ("Số ngày",), "number"),
                Field("managers_trained", ("Cán bộ quản lý",), "int"), Field("members_trained", ("Học viên khác",), "int"),
                Field("cost_vnd", ("Kinh phí (nghìn đồng)",), "money", 1_000))),
            _small(province, period, ("commendations", "khen-thuong.xlsx", "Khen thưởng", "DANH SÁCH KHEN THƯỞNG TẬP THỂ"), (
                STT, Field("name", ("Tên HTX",), width=44), Field("tax_code", ("Mã số HTX",)), Field("decision", ("Số quyết định",)),
                Field("decided_on", ("Ngày quyết định",), "date_text"), Field("level", ("Cấp khen thưởng",), "code", words=level),
                Field("title", ("Hình thức khen thưởng",), width=36))),
            _small(province, period, ("plan_targets", "ke-hoach.xlsx", "Chỉ tiêu", "CHỈ TIÊU KẾ HOẠCH"), (
                STT, Field("authority", ("Cơ quan ban hành",), width=26), Field("document", ("Văn bản",), width=24), Field("indicator", ("Mã chỉ tiêu",), width=22),
                Field("indicator_vi", ("Tên chỉ tiêu",), width=50), Field("denominator", ("Mẫu số",)), Field("target_year", ("Năm",), "int"),
                Field("comparator", ("So sánh",)), Field("value", ("Giá trị",), "number"), Field("value_unit", ("Đơn vị tính",), "code", words=UNITS_VI),
                Field("is_verified", ("Đã đối chiếu",), "yes_no"), Field("source_address", ("Nguồn",), width=30))),
            _small(province, period, ("plan_tasks", "nhiem-vu.xlsx", "Nhiệm vụ", "TIẾN ĐỘ NHIỆM VỤ"), (
                STT, Field("document", ("Văn bản",), width=24), Field("task_number", ("Số nhiệm vụ",)), Field("task", ("Nội dung",), width=50),
                Field("department", ("Cơ quan chủ trì",), width=26), Field("locality", ("Địa bàn",), width=20), Field("due_on", ("Thời hạn",), "date"),
                Field("indicator", ("Mã chỉ tiêu",), width=22), Field("status", ("Tình trạng",), "code", words=status),
                Field("progress_share", ("Mức độ hoàn thành (%)",), "percent"))),
            _small(province, period, ("regional_accounts", "grdp.csv", "", ""), (
                Field("province", ("Tỉnh",)), Field("year", ("Năm",), "int"), Field("grdp_vnd", ("GRDP (tỷ đồng)",), "money", 1_000_000_000),
                Field("collective_value_added_vnd", ("Giá trị tăng thêm KTTT (tỷ đồng)",), "money", 1_000_000_000),
                Field("population", ("Dân số (người)",), "int"), Field("source_agency", ("Cơ quan công bố",)))),
        ]  # fmt: skip
    return out
