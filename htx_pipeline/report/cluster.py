"""One cluster: who is in it, what flows through it, on whom it depends.

What belongs here: its sections and sentences. What does not: the list of clusters (`overview`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Block,
    Fact,
    Facts,
    Field,
    Figure,
    Page,
    Prose,
    Section,
    Table,
    money_field,
)
from htx_pipeline.report.builder import (
    Builder,
    ordered,
)
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import (
    BASIS_TEXT,
    LEVELS,
    PRESENCE,
)


class ClusterPages(Builder):
    """Builds the report of a cluster."""

    def cluster_page(self, c: Row) -> Page:
        cluster_id = c["cluster_id"]
        members = self.members_of(cluster_id)
        name = c["cluster_name_vi"] or cluster_id
        only = self.inside(cluster_id)
        sections = [
            Section(id="nhan-dinh", title="Nhận định chính", blocks=self.cluster_summary(c, only)),
            Section(id="cong-doan", title="Chuỗi theo công đoạn", blocks=self.cluster_stages(c, only)),
            Section(id="ben-mua", title="Doanh nghiệp đầu mối và mức độ tập trung", blocks=self.cluster_buyers(c, only)),
            Section(id="thanh-vien", title="Thành viên của cụm", blocks=self.cluster_members(c, members, only)),
            Section(id="so-lieu", title="Độ tin cậy của số liệu", blocks=self.cluster_quality(c, members, only)),
        ]  # fmt: skip
        return Page(
            id=f"cum-{cluster_id}",
            title=name if name.startswith("Cụm") else f"Cụm liên kết {name}",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope=cluster_id,
            sections=tuple(s for s in sections if s.blocks),
            kind="cluster",
            cluster_id=cluster_id,
            summary={
                "name": name,
                "product": self.product(c["main_product"]),
                "n_organisations": text.number(c["n_organisations"]),
                "n_cooperatives": text.number(c["n_cooperatives"]),
                "value": text.money(c["paid_value_vnd"]),
                "localities": text.listing(c["localities"] or (), most=4, of="địa bàn"),
            },
        )

    def cluster_summary(self, c: Row, only: Mapping[str, pl.Expr] | None) -> tuple[Block, ...]:
        basis = BASIS_TEXT.get(c["weight_basis"] or "", "số liên kết")
        parts = [
            f"{text.number(c[key])} {word}"
            for key, word in (("n_cooperatives", "hợp tác xã"), ("n_enterprises", "doanh nghiệp"), ("n_other", "tổ chức khác"))
            if c[key]
        ]  # fmt: skip
        executed_of = (
            "số liên kết" if c["executed_share_basis"] == "links" else "giá trị theo hợp đồng"
        )
        said = [f"Cụm gồm {text.number(c['n_organisations'])} tổ chức ({text.listing(parts)})"]
        if c["localities"]:
            said[0] += (
                f" tại {text.number(len(c['localities']))} địa bàn: {text.listing(c['localities'], of='địa bàn')}"
            )
        products = [self.product(p) for p in c["products"] or ()]
        if c["main_product"] is not None:
            main = self.product(c["main_product"])
            others = sorted(p for p in products if p != main)
            line = f"Sản phẩm chính là {main.lower()}"
            if others:
                line += f"; ngoài ra có {text.listing(p.lower() for p in others)}"
            said.append(line)
        if c["contracted_value_vnd"] is not None or c["paid_value_vnd"] is not None:
            line = (
                f"Giá trị theo hợp đồng là {text.money(c['contracted_value_vnd'])}, đã thanh toán "
                f"{text.money(c['paid_value_vnd'])}"
            )
            if c["executed_share"] is not None:
                line += (
                    f"; liên kết đã thực hiện chiếm {text.share(c['executed_share'])} {executed_of}"
                )
            said.append(line)
        else:
            said.append(
                f"Nguồn nêu {text.number(c['n_linkages'])} liên kết trong cụm nhưng không nêu giá trị, nên "
                "chưa tính được giá trị đi qua cụm và tỷ lệ đã thực hiện"
            )
        if c["largest_buyer_name"]:
            said.append(
                f"Bên mua lớn nhất là {c['largest_buyer_name']}, chiếm {text.share(c['largest_buyer_share'])} "
                f"{basis}"
            )
        missing = [text.label(text.STAGES, s).lower() for s in ordered(c["stages_missing"])]
        said.append(
            f"Trong cụm chưa thấy tổ chức đảm nhận công đoạn: {'; '.join(missing)}"
            if missing
            else "Trong cụm có tổ chức đảm nhận đủ các công đoạn của chuỗi"
        )
        value = (
            c["paid_value_vnd"] if c["paid_value_vnd"] is not None else c["contracted_value_vnd"]
        )
        facts = [
            Fact(label="Tổ chức", value=text.number(c["n_organisations"]), detail=text.listing(
                f"{text.number(c[key])} {word}" for key, word in (("n_cooperatives", "HTX"), ("n_enterprises", "DN"), ("n_other", "khác")) if c[key])),
            Fact(label="Đã thanh toán" if c["paid_value_vnd"] is not None else "Theo hợp đồng", value=text.money(value),
                 detail=f"{text.number(c['n_linkages'])} liên kết")
            if value is not None
            else Fact(label="Số liên kết", value=text.number(c["n_linkages"]), detail="nguồn không nêu giá trị"),
        ]  # fmt: skip
        if c["executed_share"] is not None:
            facts.append(
                Fact(
                    label="Đã thực hiện",
                    value=text.share(c["executed_share"]),
                    detail=f"theo {executed_of}",
                )
            )
        if c["largest_buyer_share"] is not None:
            facts.append(
                Fact(
                    label="Bên mua lớn nhất",
                    value=text.share(c["largest_buyer_share"]),
                    detail=f"theo {basis}",
                )
            )
        if c["area_ha"] is not None or c["households"] is not None:
            facts.append(
                Fact(
                    label="Diện tích liên kết",
                    value=f"{text.number(c['area_ha'], 1)} ha" if c["area_ha"] is not None else text.NULL_MARK,
                    detail=f"{text.number(c['households'])} hộ" if c["households"] is not None else "",
                )
            )  # fmt: skip
        source = self.source(
            ("linkages", "organisations"), "các liên kết có cả hai bên trong cụm", only=only
        )
        return (
            Facts(id="so-chinh", items=tuple(facts), source=source),
            Prose(id="cau-chinh", paragraphs=tuple(map(text.sentence, said)), is_list=True, source=source),
        )  # fmt: skip

    def cluster_stages(self, c: Row, only: Mapping[str, pl.Expr] | None) -> tuple[Block, ...]:
        rows = [
            r
            for r in self.f.rows(
                "metrics/cluster_stages", "product_code", "n_organisations", "value_in_vnd", "value_out_vnd",
                "delivered_tonnes", "is_present", "presence_basis",
            )
            if r["cluster_id"] == c["cluster_id"]
        ]  # fmt: skip
        members = self.members_of(c["cluster_id"])
        stages = {s: sum(m["stage"] == s for m in members) for s in text.STAGES}
        order = {s: i for i, s in enumerate(text.STAGES)}
        shown = [
            {
                **r,
                "product": self.product(r["product_code"]),
                "label": text.label(text.STAGES, r["stage"]),
                "state": PRESENCE.get(r["presence_basis"] or "", "Có")
                if r["is_present"]
                else "Chưa có",
            }
            for r in rows
            if r["stage"] in order
        ]
        main = c["main_product"]
        shown.sort(key=lambda r: (r["product_code"] != main, r["product"], order[r["stage"]]))
        blocks: list[Block] = []
        figure = self.chain_figure(
            c["cluster_id"], f"cum-{c['cluster_id']}", stages, by_linkage=c["stages_present"] or ()
        )
        if shown:
            why = "không có liên kết nào nêu số liệu này"
            fields = [
                Field(key="product", label="Sản phẩm", width=1.9),
                Field(key="label", label="Công đoạn", width=1.8),
                Field(key="state", label="Trong cụm", width=1.2),
                Field(key="n_organisations", label="Tổ chức", kind="count", width=0.8),
            ]
            if any(r["value_in_vnd"] is not None or r["value_out_vnd"] is not None for r in shown):
                fields += [
                    money_field("value_in_vnd", "Giá trị vào", shown, why_null=why),
                    money_field("value_out_vnd", "Giá trị ra", shown, why_null=why),
                ]
            if any(r["delivered_tonnes"] is not None for r in shown):
                fields.append(
                    Field(key="delivered_tonnes", label="Đã giao", kind="tonnes", unit="tấn", width=1.0, why_null=why)
                )  # fmt: skip
            blocks.append(
                Table(
                    id="cong-doan",
                    title="Công đoạn có và còn thiếu",
                    sheet="Công đoạn của cụm",
                    fields=tuple(fields),
                    rows=tuple(shown),
                    source=self.source(("linkages",), "công đoạn suy từ nội dung liên kết và ngành nghề", only=only),
                    notes=self.money_notes(),
                    page_rows=15,
                )
            )  # fmt: skip
        if figure:
            blocks.append(figure)
        return tuple(blocks)

    def cluster_buyers(self, c: Row, only: Mapping[str, pl.Expr] | None) -> tuple[Block, ...]:
        top = [
            {
                "name": e.get("name") or e.get("org_id"),
                "share": e.get("share"),
                "value_vnd": e.get("value_vnd"),
                "n_linkages": e.get("n_linkages"),
            }
            for e in c["top_enterprises"] or ()
        ]
        top = by(
            top,
            "share",
            "value_vnd",
            "n_linkages",
            "name",
            descending=("share", "value_vnd", "n_linkages"),
        )
        if not top:
            return ()
        basis = BASIS_TEXT.get(c["weight_basis"] or "", "số liên kết")
        source = self.source(("linkages",), f"tỷ trọng theo {basis}", only=only)
        fields = [Field(key="name", label="Doanh nghiệp", width=3.0)]
        if any(e["n_linkages"] is not None for e in top):
            fields.append(Field(key="n_linkages", label="Số liên kết", kind="count"))
        if any(e["value_vnd"] is not None for e in top):
            fields.append(money_field("value_vnd", "Giá trị", top, why_null="không nêu giá trị"))
        fields.append(
            Field(key="share", label="Tỷ trọng", kind="share", why_null="không tính được tỷ trọng")
        )
        share_note = (
            "Tỷ trọng là phần liên kết của cụm đi qua doanh nghiệp, cả mua vào và bán ra; một liên kết giữa hai "
            "doanh nghiệp tính cho cả hai nên các tỷ trọng không cộng được"
        )
        data = Table(
            id="doanh-nghiep",
            title="Doanh nghiệp đầu mối, cả mua vào và bán ra trong cụm",
            sheet="Doanh nghiệp đầu mối",
            fields=tuple(fields),
            rows=tuple(top),
            source=source,
            notes=(share_note, *self.money_notes()),
        )
        shares = [e for e in top if e["share"] is not None]
        if len(shares) < 2:
            return (data,)
        bars = [
            {"label": e["name"], "shares": [e["share"]], "text": text.share(e["share"])}
            for e in shares[:8]
        ]
        return (
            Figure(
                id=f"hinh-dau-moi-cum-{c['cluster_id']}",
                title=f"Phần liên kết của cụm đi qua từng doanh nghiệp, theo {basis}",
                alt=f"Biểu đồ thanh ngang: đứng đầu là {shares[0]['name']}, {text.share(shares[0]['share'])}.",
                spec={"kind": "bars", "bars": bars, "series": [f"Tỷ trọng theo {basis}"], "levels": [2], "mark": self.mark()},
                source=source,
                data=data,
            ),
            data,
        )  # fmt: skip

    def cluster_members(
        self, c: Row, members: Sequence[Row], only: Mapping[str, pl.Expr] | None
    ) -> tuple[Block, ...]:
        if not members:
            return ()
        rows = []
        for r in members:
            amounts = [v for v in (r["value_in_vnd"], r["value_out_vnd"]) if v is not None]
            rows.append(
                {
                    **r,
                    "type": text.label(text.LEGAL, r["legal_type"]),
                    "stage_label": text.label(text.SHORT_STAGES, r["stage"]),
                    "weight": sum(amounts) if amounts else None,
                }
            )
        rows = by(
            rows, "weight", "n_linkages", "name", "org_id", descending=("weight", "n_linkages")
        )
        for i, r in enumerate(rows, start=1):
            r["rank"] = i
            if r["stage"] is None:
                r["stage_label"] = None
        fields = [
            Field(key="rank", label="TT", kind="count", width=0.4),
            Field(key="name", label="Tên tổ chức", width=3.2),
            Field(key="type", label="Loại hình", width=0.9),
            Field(
                key="locality", label=self.o.locality_label, width=1.2, why_null="nguồn không nêu"
            ),
            Field(key="stage_label", label="Công đoạn", width=1.1, why_null="nguồn không nêu"),
            Field(key="n_linkages", label="Liên kết", kind="count", width=0.65),
        ]
        if any(r["value_in_vnd"] is not None or r["value_out_vnd"] is not None for r in rows):
            fields += [
                money_field("value_in_vnd", "Mua vào", rows, width=1.0, why_null="nguồn không nêu"),
                money_field("value_out_vnd", "Bán ra", rows, width=1.0, why_null="nguồn không nêu"),
            ]
        if any(r["official_members"] is not None for r in rows):
            fields.append(
                Field(
                    key="official_members",
                    label="Thành viên",
                    kind="count",
                    width=0.8,
                    why_null="nguồn không nêu",
                )
            )
        return (
            Table(
                id="thanh-vien",
                title=f"Thành viên của cụm ({text.number(len(rows))} tổ chức), xếp theo giá trị mua bán",
                sheet="Thành viên cụm",
                fields=tuple(fields),
                rows=tuple(rows),
                source=self.source(("organisations", "linkages", "cooperative_reports"), "thành viên cụm và giá trị mua bán trong cụm", only=only),
                notes=(text.LEGAL_NOTE, *self.money_notes()),
                page_rows=self.o.members_printed,
            ),
        )  # fmt: skip

    def cluster_quality(
        self, c: Row, members: Sequence[Row], only: Mapping[str, pl.Expr] | None
    ) -> tuple[Block, ...]:
        ids = {m["org_id"] for m in members}
        linkages = [
            r
            for r in self.f.rows(
                "core/linkages", "paid_value_vnd", "contracted_value_vnd", "evidence"
            )
            if r["supplier_id"] in ids and r["buyer_id"] in ids and r["evidence"] != "planned"
        ]
        said = []
        if linkages:
            without = sum(
                r["paid_value_vnd"] is None and r["contracted_value_vnd"] is None for r in linkages
            )
            levels = [
                f"{text.number(n)} {text.EVIDENCE[level].lower()}"
                for level in reversed(LEVELS)
                if (n := sum(r["evidence"] == level for r in linkages))
            ]
            line = f"Cụm dựa trên {text.number(len(linkages))} dòng liên kết từ mức đã ký trở lên"
            if levels:
                line += f" ({text.listing(levels)})"
            line += (
                f"; {text.number(without)} dòng không nêu giá trị"
                if without
                else "; dòng nào cũng nêu giá trị"
            )
            said.append(line)
        cooperatives = [m for m in members if m["legal_type"] == "htx"]
        if cooperatives and self.f.has("core/cooperative_reports"):
            sent = {r["org_id"] for r in self.f.rows("core/cooperative_reports")}
            silent = [m["name"] for m in cooperatives if m["org_id"] not in sent]
            line = (
                f"{text.number(len(cooperatives) - len(silent))} trên {text.number(len(cooperatives))} hợp tác xã "
                f"của cụm đã gửi báo cáo kỳ {self.f.period}"
            )
            if silent:
                line += f"; chưa gửi: {text.listing(sorted(silent), most=5)}"
            said.append(line)
        said += [text.label(text.NOTES, code) for code in sorted(c["notes"] or ())]
        if c["n_linkages_outside"]:
            said.append(
                f"{text.number(c['n_linkages_outside'])} liên kết của thành viên với tổ chức ngoài cụm "
                "không tính vào các con số của báo cáo này"
            )
        unknown = sum(m["stage"] is None for m in members)
        if unknown:
            said.append(f"{text.number(unknown)} tổ chức chưa rõ công đoạn")
        said.append(
            "“Cụm” ở đây là nhóm tổ chức có liên kết chặt với nhau trong số liệu, không phải danh hiệu pháp lý"
        )
        return (
            Prose(
                id="do-tin-cay",
                paragraphs=tuple(map(text.sentence, said)),
                is_list=True,
                source=self.source(("linkages", "organisations", "cooperative_reports"), "các dòng đứng sau báo cáo này", only=only),
            ),
        )  # fmt: skip
