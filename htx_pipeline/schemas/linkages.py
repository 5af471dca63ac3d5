"""`linkages`: one linkage contract, project or plan between a supplier and a buyer."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Code, Column, Table

INSTRUMENTS: Final = (
    Code(code="contract", label_vi="Hợp đồng liên kết", label_en="Linkage contract"),
    Code(code="project", label_vi="Dự án liên kết", label_en="Linkage project"),
    Code(code="plan", label_vi="Kế hoạch đề nghị hỗ trợ liên kết", label_en="Linkage support plan"),
)

LINKAGE_STATUSES: Final = (
    Code(code="planned", label_vi="Dự kiến", label_en="Planned"),
    Code(code="signed", label_vi="Đã ký", label_en="Signed"),
    Code(code="active", label_vi="Đang thực hiện", label_en="In force"),
    Code(code="completed", label_vi="Đã hoàn thành", label_en="Completed"),
    Code(code="terminated", label_vi="Đã chấm dứt", label_en="Terminated"),
)

EVIDENCE_LEVELS: Final = (
    Code(code="planned", label_vi="Dự kiến", label_en="Planned"),
    Code(code="signed", label_vi="Đã ký", label_en="Signed"),
    Code(code="active", label_vi="Đang thực hiện", label_en="In force"),
    Code(code="executed", label_vi="Đã thực hiện", label_en="Executed"),
)
"""From weakest to strongest; executed = delivered or paid, not what was signed."""

PRICE_RULES: Final = (
    Code(code="fixed", label_vi="Giá cố định", label_en="Fixed price"),
    Code(code="floor", label_vi="Giá sàn", label_en="Floor price"),
    Code(code="market", label_vi="Giá thị trường", label_en="Market price"),
    Code(
        code="market_plus",
        label_vi="Giá thị trường cộng thưởng",
        label_en="Market price plus premium",
    ),
    Code(code="other", label_vi="Khác", label_en="Other"),
)

LEADERS: Final = (
    Code(code="supplier", label_vi="Bên bán", label_en="Supplier"),
    Code(code="buyer", label_vi="Bên mua", label_en="Buyer"),
)

LINKAGES: Final = Table(
    name="linkages",
    label_vi="Liên kết",
    label_en="Linkages",
    description="Linkage contracts, projects and plans between a supplier and a buyer.",
    grain="one linkage for one product in one reporting year",
    key=("period", "linkage_id"),
    template="linkages",
    warning="Signed is not executed: use `evidence`, and say which level a figure counts.",
    source="Nghị định 98/2018/NĐ-CP Điều 3, 4",
    own_columns=(
        Column(name="linkage_id", dtype=pl.String(), label_vi="Mã liên kết", label_en="Linkage id", required=True, asked=False,
               description="Hash of parties, product, instrument and contract number."),
        Column(name="instrument", dtype=pl.String(), label_vi="Hình thức văn bản", label_en="Instrument", codes=INSTRUMENTS,
               description="Contract, project or plan.", source="Nghị định 98/2018/NĐ-CP",
               meaning_vi="Hợp đồng, dự án hoặc kế hoạch liên kết.", example="Hợp đồng liên kết"),
        Column(name="contract_number", dtype=pl.String(), label_vi="Số hợp đồng", label_en="Contract number", max_length=100,
               description="Number as written.", aliases=("Số HĐ", "Hợp đồng số"),
               meaning_vi="Số, ký hiệu ghi trên văn bản.", example="05/2025/HĐLK"),
        Column(name="supplier_id", dtype=pl.String(), label_vi="Mã bên bán", label_en="Supplier id", required=True, asked=False,
               references="organisations.org_id", description="The organisation that delivers."),
        Column(name="supplier_tax_code", dtype=pl.String(), label_vi="Mã số bên bán", label_en="Supplier's tax code",
               description="As written.", aliases=("MST bên bán", "Mã số HTX"),
               meaning_vi="Mã số thuế của bên bán, nếu có.", example="6100123457"),
        Column(name="supplier_name", dtype=pl.String(), label_vi="Bên bán (HTX, THT)", label_en="Supplier", required=True, max_length=300,
               description="As written.", aliases=("Tên HTX", "Bên bán", "Hợp tác xã"),
               meaning_vi="Hợp tác xã, tổ hợp tác giao sản phẩm.", example="Hợp tác xã Nông nghiệp Sa Thầy"),
        Column(name="buyer_id", dtype=pl.String(), label_vi="Mã bên mua", label_en="Buyer id", required=True, asked=False,
               references="organisations.org_id", description="The organisation that takes delivery."),
        Column(name="buyer_tax_code", dtype=pl.String(), label_vi="Mã số bên mua", label_en="Buyer's tax code",
               description="As written.", aliases=("MST bên mua", "MST doanh nghiệp"),
               meaning_vi="Mã số thuế của bên mua, nếu có.", example="6100987655"),
        Column(name="buyer_name", dtype=pl.String(), label_vi="Bên mua (doanh nghiệp)", label_en="Buyer", required=True, max_length=300,
               description="As written.", aliases=("Doanh nghiệp", "Bên mua", "Đơn vị thu mua"),
               meaning_vi="Doanh nghiệp, tổ chức nhận sản phẩm.", example="Công ty TNHH Cà phê Đăk Hà"),
        Column(name="leader", dtype=pl.String(), label_vi="Bên chủ trì liên kết", label_en="Leader", codes=LEADERS,
               description="The party that leads the linkage.", aliases=("Chủ trì liên kết", "Chủ trì"), source="Nghị định 98/2018/NĐ-CP",
               meaning_vi="Bên đứng ra chủ trì liên kết.", example="Bên mua"),
        Column(name="product_code", dtype=pl.String(), label_vi="Mã sản phẩm", label_en="Product code", required=True, asked=False,
               references="reference:products", description="Product chain, from the project's product list."),
        Column(name="product_name", dtype=pl.String(), label_vi="Sản phẩm", label_en="Product", description="As written.",
               aliases=("Tên sản phẩm", "Nông sản", "Mặt hàng"),
               meaning_vi="Mỗi dòng một sản phẩm.", example="Cà phê"),
        Column(name="has_inputs", dtype=pl.Boolean(), label_vi="Có cung ứng vật tư, dịch vụ đầu vào", label_en="Covers inputs",
               description="Stage flag I.", source="Nghị định 98/2018/NĐ-CP Điều 4",
               meaning_vi="Liên kết có cung ứng giống, vật tư, dịch vụ đầu vào.", example="Có"),
        Column(name="has_production", dtype=pl.Boolean(), label_vi="Có tổ chức sản xuất, thu hoạch", label_en="Covers production and harvest",
               description="Stage flag P.", source="Nghị định 98/2018/NĐ-CP Điều 4",
               meaning_vi="Liên kết có tổ chức sản xuất, thu hoạch.", example="Có"),
        Column(name="has_processing", dtype=pl.Boolean(), label_vi="Có sơ chế hoặc chế biến", label_en="Covers preparation or processing",
               description="Stage flag X.", source="Nghị định 98/2018/NĐ-CP Điều 4",
               meaning_vi="Liên kết có sơ chế hoặc chế biến.", example="Không"),
        Column(name="has_consumption", dtype=pl.Boolean(), label_vi="Có tiêu thụ sản phẩm", label_en="Covers consumption",
               description="Stage flag C, present in every form of the decree.", source="Nghị định 98/2018/NĐ-CP Điều 4",
               meaning_vi="Liên kết có tiêu thụ sản phẩm.", example="Có"),
        Column(name="nd98_form", dtype=pl.Int64(), label_vi="Hình thức liên kết theo NĐ 98", label_en="Form of linkage (Decree 98)",
               minimum=1, maximum=7, asked=False, description="Form 1–7, derived from the stage flags; null when a flag is unknown or C is absent.",
               source="Nghị định 98/2018/NĐ-CP Điều 4"),
        Column(name="signed_on", dtype=pl.Date(), label_vi="Ngày ký", label_en="Signed on", description="Date of signature.",
               meaning_vi="Ngày ký văn bản.", example="02/01/2025"),
        Column(name="starts_on", dtype=pl.Date(), label_vi="Ngày bắt đầu", label_en="Starts on", description="Start of validity.",
               meaning_vi="Ngày bắt đầu có hiệu lực.", example="15/01/2025"),
        Column(name="ends_on", dtype=pl.Date(), label_vi="Ngày kết thúc", label_en="Ends on", description="End of validity.",
               aliases=("Thời hạn đến",),
               meaning_vi="Ngày hết hiệu lực; để trống nếu không xác định.", example="31/12/2027"),
        Column(name="area_ha", dtype=pl.Float64(), label_vi="Diện tích", label_en="Area", unit="ha", minimum=0, maximum=100_000,
               description="Area under the linkage.", aliases=("Diện tích liên kết",),
               meaning_vi="Diện tích tham gia liên kết trong kỳ.", example="35.5"),
        Column(name="households", dtype=pl.Int64(), label_vi="Số hộ tham gia", label_en="Households", unit="household", minimum=0,
               maximum=100_000, description="Households taking part.", aliases=("Số hộ",),
               meaning_vi="Số hộ tham gia liên kết trong kỳ.", example="62"),
        Column(name="contracted_tonnes", dtype=pl.Float64(), label_vi="Sản lượng theo hợp đồng", label_en="Contracted quantity",
               unit="tonnes", minimum=0, description="Quantity signed for in the period.", aliases=("Sản lượng hợp đồng",),
               meaning_vi="Sản lượng đã ký cho kỳ báo cáo.", example="120"),
        Column(name="delivered_tonnes", dtype=pl.Float64(), label_vi="Sản lượng đã giao", label_en="Delivered quantity", unit="tonnes",
               minimum=0, description="Quantity delivered in the period.", aliases=("Sản lượng thực hiện",),
               meaning_vi="Sản lượng thực tế đã giao trong kỳ.", example="112.4"),
        Column(name="contracted_value_vnd", dtype=pl.Int64(), label_vi="Giá trị theo hợp đồng", label_en="Contracted value", unit="VND",
               minimum=0, description="Value signed for in the period.", aliases=("Giá trị hợp đồng",),
               meaning_vi="Giá trị đã ký cho kỳ báo cáo.", example="5400"),
        Column(name="paid_value_vnd", dtype=pl.Int64(), label_vi="Giá trị đã thanh toán", label_en="Paid value", unit="VND", minimum=0,
               description="Value paid in the period.", aliases=("Giá trị thực hiện",),
               meaning_vi="Số tiền thực tế đã thanh toán trong kỳ.", example="5050"),
        Column(name="price_rule", dtype=pl.String(), label_vi="Cách xác định giá", label_en="Price rule", codes=PRICE_RULES,
               description="How the price is set.",
               meaning_vi="Cách xác định giá mua bán.", example="Giá thị trường cộng thưởng"),
        Column(name="support_decision", dtype=pl.String(), label_vi="Quyết định hỗ trợ", label_en="Support decision",
               description="Decision that grants support, if any.",
               meaning_vi="Số, ngày quyết định hỗ trợ liên kết, nếu có."),
        Column(name="status", dtype=pl.String(), label_vi="Tình trạng thực hiện", label_en="Status", codes=LINKAGE_STATUSES,
               description="As the sender states it.", aliases=("Tình trạng", "Trạng thái"),
               meaning_vi="Tình trạng vào ngày cuối kỳ báo cáo.", example="Đang thực hiện"),
        Column(name="evidence", dtype=pl.String(), label_vi="Mức độ bằng chứng", label_en="Evidence level", required=True, asked=False,
               codes=EVIDENCE_LEVELS, description="Strongest level shown: executed (delivered or paid), active, signed, planned."),
    ),
)  # fmt: skip
"""The linkages."""
