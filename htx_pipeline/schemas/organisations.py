"""`organisations`: every cooperative, union, group, enterprise and household business, as of a period."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Code, Column, Table

LEGAL_TYPES: Final = (
    Code(code="htx", label_vi="Hợp tác xã", label_en="Cooperative", source="Luật 17/2023/QH15"),
    Code(
        code="lhhtx",
        label_vi="Liên hiệp hợp tác xã",
        label_en="Union of cooperatives",
        source="Luật 17/2023/QH15",
    ),
    Code(
        code="tht", label_vi="Tổ hợp tác", label_en="Cooperative group", source="Luật 17/2023/QH15"
    ),
    Code(code="enterprise", label_vi="Doanh nghiệp", label_en="Enterprise"),
    Code(code="household_business", label_vi="Hộ kinh doanh", label_en="Household business"),
    Code(code="other", label_vi="Tổ chức khác", label_en="Other organisation"),
)

ND98_ROLES: Final = (
    Code(
        code="farmer",
        label_vi="Nông dân (gồm tổ hợp tác)",
        label_en="Farmers (with cooperative groups)",
    ),
    Code(
        code="individual",
        label_vi="Cá nhân, hộ kinh doanh",
        label_en="Individuals, household businesses",
    ),
    Code(
        code="cooperative",
        label_vi="Hợp tác xã, liên hiệp hợp tác xã",
        label_en="Cooperatives and their unions",
    ),
    Code(code="enterprise", label_vi="Doanh nghiệp", label_en="Enterprises"),
    Code(code="other", label_vi="Tổ chức khác", label_en="Other organisations"),
)

STATUSES: Final = (
    Code(code="active", label_vi="Đang hoạt động", label_en="Active"),
    Code(code="suspended", label_vi="Tạm ngừng hoạt động", label_en="Suspended"),
    Code(code="dissolving", label_vi="Đang giải thể", label_en="Being dissolved"),
    Code(code="dissolved", label_vi="Đã giải thể", label_en="Dissolved"),
    Code(code="unknown", label_vi="Chưa rõ", label_en="Not stated"),
)

ORGANISATIONS: Final = Table(
    name="organisations",
    label_vi="Tổ chức",
    label_en="Organisations",
    description="Cooperatives, unions, groups, enterprises and household businesses known in a period.",
    grain="one organisation in one reporting year",
    key=("period", "org_id"),
    template="registry",
    warning="Count cooperatives with legal_type = 'htx', not with nd98_role: the decree's groups cut across the law's.",
    source="Luật Hợp tác xã 17/2023/QH15; Nghị định 98/2018/NĐ-CP Điều 2",
    own_columns=(
        Column(name="org_id", dtype=pl.String(), label_vi="Mã tổ chức", label_en="Organisation id", required=True,
               asked=False, description="The tax code where it is valid, else a hash of the folded name and place."),
        Column(name="tax_code", dtype=pl.String(), label_vi="Mã số thuế / mã số HTX", label_en="Tax code",
               description="10 digits, or 13 for a branch, with check digit; a cooperative's code is its tax code.",
               pattern=r"^\d{10}(-?\d{3})?$", limit_action="flag", aliases=("Mã số HTX", "MST", "Mã số thuế", "Mã số doanh nghiệp"),
               source="Thông tư 86/2024/TT-BTC (unverified)",
               meaning_vi="Mã số thuế, đồng thời là mã số hợp tác xã: 10 chữ số, hoặc 13 chữ số đối với đơn vị phụ thuộc.", example="6100123457"),
        Column(name="legal_type", dtype=pl.String(), label_vi="Loại hình", label_en="Legal type", required=True,
               codes=LEGAL_TYPES, description="Legal form under the Law on Cooperatives or the Law on Enterprises.",
               aliases=("Loại hình tổ chức", "Loại hình kinh tế"),
               meaning_vi="Loại hình theo Luật Hợp tác xã hoặc Luật Doanh nghiệp.", example="Hợp tác xã"),
        Column(name="nd98_role", dtype=pl.String(), label_vi="Nhóm chủ thể theo NĐ 98", label_en="Actor group (Decree 98)",
               codes=ND98_ROLES, asked=False, description="The decree's own grouping, derived from the legal type.",
               source="Nghị định 98/2018/NĐ-CP Điều 2"),
        Column(name="name", dtype=pl.String(), label_vi="Tên tổ chức", label_en="Name", required=True, max_length=300,
               description="Name as registered, normalised to Unicode NFC.",
               aliases=("Tên HTX", "Tên hợp tác xã", "Tên doanh nghiệp", "Tên đơn vị"),
               meaning_vi="Tên đầy đủ ghi trên Giấy chứng nhận đăng ký.", example="Hợp tác xã Nông nghiệp Sa Thầy"),
        Column(name="register_number", dtype=pl.String(), label_vi="Số đăng ký trong danh bạ", label_en="Number in the register",
               description="Number of the registration certificate or register; the identity where there is no tax code.",
               aliases=("Số giấy chứng nhận đăng ký", "Số GCN"), source="Thông tư 03/2014/TT-BKHĐT",
               meaning_vi="Số Giấy chứng nhận đăng ký; dùng khi tổ chức không có mã số thuế.", example="380701000012"),
        Column(name="short_name", dtype=pl.String(), label_vi="Tên viết tắt", label_en="Short name",
               description="Abbreviation, where the source gives one.",
               meaning_vi="Tên viết tắt, nếu có.", example="HTX Sa Thầy"),
        Column(name="other_names", dtype=pl.String(), label_vi="Tên khác đã ghi", label_en="Other names written", asked=False,
               description="Names under which other sources write the organisation, separated by semicolons."),
        Column(name="place_name", dtype=pl.String(), label_vi="Xã, phường, thị trấn", label_en="Commune as written",
               description="Commune as the sender wrote it.", aliases=("Xã/phường", "Địa chỉ", "Địa bàn"),
               meaning_vi="Xã, phường, thị trấn nơi đặt trụ sở.", example="Xã Sa Thầy"),
        Column(name="district_name", dtype=pl.String(), label_vi="Huyện, thành phố", label_en="District as written",
               description="District (before 1 July 2025) or region as the sender wrote it.", aliases=("Huyện/TP", "Huyện"),
               meaning_vi="Huyện, thành phố trước ngày 01/7/2025; để trống nếu không còn áp dụng.", example="Huyện Sa Thầy"),
        Column(name="admin_code", dtype=pl.String(), label_vi="Mã đơn vị hành chính", label_en="Commune code",
               description="Code of the statistics office; means nothing without admin_version.", asked=False),
        Column(name="admin_version", dtype=pl.String(), label_vi="Phiên bản danh mục hành chính", label_en="Version of the list of units",
               description="The list of administrative units that admin_code belongs to.", asked=False),
        Column(name="locality", dtype=pl.String(), label_vi="Địa bàn", label_en="Locality", asked=False,
               description="The district (kept as an aggregation after 1 July 2025) or region that figures are issued for."),
        Column(name="vsic_code", dtype=pl.String(), label_vi="Mã ngành kinh tế", label_en="Industry code (VSIC)",
               description="Registered main line, four digits.", aliases=("Mã ngành", "Ngành nghề chính"),
               meaning_vi="Mã ngành chính đã đăng ký, 4 chữ số.", example="0127"),
        Column(name="vsic_version", dtype=pl.String(), label_vi="Phiên bản mã ngành", label_en="VSIC version", asked=False,
               description="2018 (Decision 27/2018) or 2025 (Decision 36/2025, in force 15 November 2025)."),
        Column(name="registered_on", dtype=pl.Date(), label_vi="Ngày đăng ký", label_en="Registered on",
               description="Date of first registration.", aliases=("Ngày thành lập", "Năm thành lập", "Ngày cấp"),
               meaning_vi="Ngày đăng ký lần đầu.", example="15/06/2018"),
        Column(name="dissolved_on", dtype=pl.Date(), label_vi="Ngày giải thể", label_en="Dissolved on",
               description="Date of dissolution, when dissolved.",
               meaning_vi="Ngày giải thể; để trống nếu đang hoạt động."),
        Column(name="status", dtype=pl.String(), label_vi="Tình trạng hoạt động", label_en="Status", codes=STATUSES,
               description="Status at the end of the period.", aliases=("Trạng thái", "Tình trạng"),
               meaning_vi="Tình trạng vào ngày cuối kỳ báo cáo.", example="Đang hoạt động"),
        Column(name="longitude", dtype=pl.Float64(), label_vi="Kinh độ", label_en="Longitude", unit="degree", minimum=-180, maximum=180,
               limit_action="flag", asked=False, description="WGS 84."),
        Column(name="latitude", dtype=pl.Float64(), label_vi="Vĩ độ", label_en="Latitude", unit="degree", minimum=-90, maximum=90,
               limit_action="flag", asked=False, description="WGS 84."),
        Column(name="is_registered", dtype=pl.Boolean(), label_vi="Có trong danh bạ", label_en="In a register", asked=False,
               description="False when the organisation is known only because a linkage names it."),
    ),
)  # fmt: skip
"""The registry of organisations."""
