"""The overview: what the province (or register) looks like in one period.

What belongs here: its sections and sentences. What does not: one cluster (`cluster`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    HIDDEN,
    Block,
    Fact,
    Facts,
    Field,
    Figure,
    Page,
    Prose,
    Section,
    Source,
    Table,
    money_field,
)
from htx_pipeline.report.builder import (
    Builder,
    defined,
    generic_reason,
    of_whole,
    ordered,
    ratio,
    total,
)
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import (
    BASIS_TEXT,
    DENOMINATORS,
    INDICATORS,
    LEVEL_TEXT,
    LEVELS,
    LINKED_INDICATORS,
    NEEDS,
    SEVERITY_TEXT,
    SHORT_LEVELS,
    WITHOUT_PLACE,
    gap_text,
    indicator_label,
    measure_text,
    together,
)
from htx_pipeline.schemas import TABLES


class OverviewPages(Builder):
    """Builds the overview."""

    def overview(self) -> Page:
        sections = [
            Section(id="nhan-dinh", title="Nhận định chính", blocks=self.highlights()),
            Section(id="muc-do", title="Mức độ liên kết", blocks=self.linked_levels()),
            Section(id="dia-ban", title=f"Theo {self.o.locality_label.lower()}", blocks=self.by_locality()),
            Section(id="san-pham", title="Theo chuỗi sản phẩm", blocks=self.by_product()),
            Section(id="cum", title="Các cụm liên kết", blocks=self.cluster_list()),
            Section(id="ke-hoach", title="Tiến độ so với chỉ tiêu kế hoạch", blocks=self.plan()),
            Section(id="chi-tieu", title="Các chỉ tiêu chung", blocks=self.indicators()),
            Section(id="chat-luong", title="Chất lượng số liệu", blocks=self.quality()),
            Section(id="chua-tinh", title="Những nội dung chưa tính được", blocks=self.not_computed()),
            Section(id="nguon", title="Nguồn số liệu", blocks=self.sources()),
        ]  # fmt: skip
        return Page(
            id="tong-quan",
            title="Liên kết giữa hợp tác xã và doanh nghiệp theo chuỗi giá trị"
            if self.has_linkages
            else "Tình hình hợp tác xã theo danh bạ và báo cáo",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope="province",
            sections=tuple(s for s in sections if s.blocks),
        )

    def headline(self) -> Row:
        """Return the counts that the first section speaks of."""
        reported = total(self.localities, "n_reported") if self.localities else None
        if reported is None and self.f.has("core/cooperative_reports"):
            reported = self.f.frame("core/cooperative_reports")["org_id"].n_unique()
        counts = self.table_counts()
        return {
            "count": self.cooperatives(),
            "unions": total(self.localities, "n_unions"),
            "reported": reported,
            **{level: total(self.localities, f"n_linked_{level}") for level in LEVELS},
            "contracted": self.value("contracted_value_vnd"),
            "paid": self.value("paid_value_vnd"),
            "linkages": self.f.frame("core/linkages").height,
            "members": total(self.localities, "official_members"),
            "rows_in": sum(r["rows_in"] for r in counts),
            "rejected": sum(r["rows_rejected"] for r in counts),
        }

    def highlights(self) -> tuple[Block, ...]:
        h = self.headline()
        source = self.source(
            ("organisations", "cooperative_reports", "linkages"),
            "số lượng và tổng giá trị trong kỳ",
        )
        said = (*self.say_cooperatives(h), *self.say_linkages(h), *self.say_rejected(h))
        return (
            Facts(id="so-chinh", items=self.headline_facts(h), source=source),
            Prose(
                id="cau-chinh",
                paragraphs=tuple(map(text.sentence, said)),
                is_list=True,
                source=source,
            ),
        )

    def say_cooperatives(self, h: Row) -> list[str]:
        if h["count"] is None:
            return []
        line = f"{self.o.whole_label} có {text.number(h['count'])} hợp tác xã"
        if h["unions"]:
            line += f" và {text.number(h['unions'])} liên hiệp hợp tác xã"
        if h["reported"]:
            line += f"; {of_whole(h['reported'], h['count'], 'hợp tác xã')} đã gửi báo cáo kỳ {self.f.period}"
        else:
            line += "; nguồn không có báo cáo năm của đơn vị nào"
        return [line]

    def say_rejected(self, h: Row) -> list[str]:
        if not h["rejected"]:
            return []
        return [
            f"Kiểm tra số liệu đã loại {text.number(h['rejected'])} trên {text.number(h['rows_in'])} dòng "
            f"({text.share(ratio(h['rejected'], h['rows_in']))}); lý do nêu ở mục Chất lượng số liệu"
        ]

    def say_linkages(self, h: Row) -> list[str]:
        if not self.has_linkages:
            return [
                "Nguồn này không có dữ liệu liên kết giữa hợp tác xã và doanh nghiệp; báo cáo chỉ nêu được "
                "số lượng, địa bàn và kết quả hoạt động của hợp tác xã"
            ]
        said = []
        if h["planned"] is not None and h["count"]:
            line = (
                f"{of_whole(h['planned'], h['count'], 'hợp tác xã')} có liên kết ở một mức bất kỳ; "
                f"{of_whole(h['active'], h['count'])} có liên kết đang thực hiện trở lên"
            )
            if h["executed"] is not None:
                line += f"; {of_whole(h['executed'], h['count'])} đã giao hàng hoặc thanh toán"
            else:
                line += "; nguồn không nêu việc giao hàng hoặc thanh toán nên chưa biết đã thực hiện đến đâu"
            said.append(line)
        if h["contracted"] or h["paid"]:
            said.append(
                f"Giá trị theo hợp đồng là {text.money(h['contracted'])}; giá trị đã thanh toán là "
                f"{text.money(h['paid'])}"
            )
        elif h["linkages"]:
            said.append(
                f"Nguồn nêu {text.number(h['linkages'])} liên kết nhưng không nêu giá trị; các tỷ trọng "
                "trong báo cáo tính theo số liên kết"
            )
        if self.clusters:
            largest = self.clusters[0]
            short = sum(bool(c["stages_missing"]) for c in self.clusters)
            said.append(
                f"Mạng lưới có {text.number(len(self.clusters))} cụm liên kết; đứng đầu là "
                f"{largest['cluster_name_vi'] or largest['cluster_id']}, gồm "
                f"{text.number(largest['n_organisations'])} tổ chức; "
                f"{text.number(short)} cụm còn thiếu ít nhất một công đoạn"
            )
        return said

    def headline_facts(self, h: Row) -> tuple[Fact, ...]:
        count = h["count"]
        facts = [Fact(label="Hợp tác xã", value=text.number(count))]
        if h["reported"]:
            share = f"{text.share(ratio(h['reported'], count))} số HTX"
            facts.append(
                Fact(label="Đã gửi báo cáo", value=text.number(h["reported"]), detail=share)
            )
        if not self.has_linkages:
            if h["members"] is not None:
                facts.append(Fact(label="Thành viên chính thức", value=text.number(h["members"])))
            return tuple(facts)
        if h["active"] is not None:
            share = f"{text.share(ratio(h['active'], count))}, từ mức đang thực hiện"
            facts.append(
                Fact(label="Có liên kết", value=f"{text.number(h['active'])} HTX", detail=share)
            )
        if h["paid"]:
            signed = f"hợp đồng: {text.money(h['contracted'])}"
            facts.append(Fact(label="Đã thanh toán", value=text.money(h["paid"]), detail=signed))
        else:
            facts.append(Fact(label="Số liên kết", value=text.number(h["linkages"])))
        facts.append(Fact(label="Cụm liên kết", value=text.number(len(self.clusters))))
        return tuple(facts)

    def value(self, column: str) -> int | None:
        """Return the exact sum of a money column of the linkages; null when nobody states it."""
        stated: int | None = total(self.signed_linkages(), column)
        return stated

    def linked_levels(self) -> tuple[Block, ...]:
        if not self.has_linkages:
            return ()
        rows = [
            r
            for r in self.province_indicators()
            if r["evidence"] in LEVELS and r["indicator"] in LINKED_INDICATORS
        ]
        source = self.source(("linkages", "organisations"), "HTX có liên kết, theo mức bằng chứng")
        if rows:
            return (self.level_table(rows, source),)
        if not self.localities:
            return ()
        count, active = self.cooperatives(), total(self.localities, "n_active")
        levels = [
            {
                "evidence": LEVEL_TEXT[level],
                "n": (n := total(self.localities, f"n_linked_{level}")),
                "of_all": ratio(n, count),
                "of_active": ratio(n, active),
            }
            for level in LEVELS
        ]
        return (
            Table(
                id="muc-do-lien-ket",
                title="Hợp tác xã có liên kết, theo mức bằng chứng",
                sheet="Mức độ liên kết",
                fields=(
                    Field(key="evidence", label="Mức bằng chứng", width=3.0),
                    Field(key="n", label="Số HTX", kind="count"),
                    Field(key="of_all", label=f"So với {text.number(count)} HTX", kind="share", width=1.4),
                    Field(key="of_active", label=f"So với {text.number(active)} HTX đang hoạt động", kind="share", width=1.8),
                ),
                rows=tuple(levels),
                source=source,
                notes=("Các mức cộng dồn: một HTX đã thực hiện cũng được tính ở các mức thấp hơn",),
            ),
        )  # fmt: skip

    def level_table(self, rows: Sequence[Row], source: Source) -> Table:
        """Return the linked shares: one row for each sense and denominator, evidence levels across."""
        names, bases = list(LINKED_INDICATORS), list(DENOMINATORS)
        groups: dict[tuple[str, str], dict[str, Row]] = {}
        for r in rows:
            groups.setdefault((r["indicator"], r["denominator"] or "none"), {})[r["evidence"]] = r
        out = []
        for (indicator, base), cells in sorted(
            groups.items(), key=lambda g: (names.index(g[0][0]), bases.index(g[0][1]) if g[0][1] in bases else 99, g[0][1])
        ):  # fmt: skip
            if not any(defined(c) for c in cells.values()):
                continue
            if indicator == "chain_linked_good_fair_share" and not self.f.has(
                "core/cooperative_reports"
            ):
                continue
            row: Row = {
                "indicator": indicator_label(next(iter(cells.values()))),
                "denominator": text.label(DENOMINATORS, base),
                "size": next(iter(cells.values()))["denominator_value"],
            }
            for level in LEVELS:
                cell = cells.get(level)
                is_known = cell is not None and defined(cell)
                row |= {level: cell["value"] if cell and is_known else None}
                row |= {f"n_{level}": cell["numerator"] if cell and is_known else None}
            out.append(row)
        why = "nguồn không nêu việc giao hàng hoặc thanh toán"
        return Table(
            id="muc-do-lien-ket",
            title="Tỷ lệ hợp tác xã có liên kết, theo từng cách hiểu, mẫu số và mức bằng chứng",
            sheet="Mức độ liên kết",
            fields=(
                Field(key="indicator", label="Chỉ tiêu", width=3.0),
                Field(key="denominator", label="So với", width=1.5),
                Field(key="size", label="Số HTX", kind="count", width=0.8),
                *(
                    Field(
                        key=level, label=SHORT_LEVELS[level], kind="share", width=0.95, why_null=why
                    )
                    for level in LEVELS
                ),
            ),
            more=tuple(
                Field(
                    key=f"n_{level}",
                    label=f"Số HTX: {SHORT_LEVELS[level].lower()}",
                    kind="count",
                    why_null=why,
                )
                for level in LEVELS
            ),
            rows=tuple(out),
            source=source,
            notes=("Các mức cộng dồn: một HTX đã thực hiện cũng được tính ở các mức thấp hơn",),
        )

    def by_locality(self) -> tuple[Block, ...]:
        rows = self.localities
        if not rows:
            return ()
        where = self.o.locality_label
        fields = [
            Field(key="locality", label=where, width=2.2),
            Field(key="n_cooperatives", label="Số HTX", kind="count", width=0.8),
        ]
        if self.f.has("core/cooperative_reports"):
            fields.append(Field(key="n_reported", label="Đã báo cáo", kind="count", width=0.8))
        if self.has_linkages:
            fields += [
                Field(
                    key="n_linked_active", label="Liên kết đang thực hiện", kind="count", width=1.0
                ),
                Field(key="n_linked_executed", label="Đã thực hiện", kind="count", width=0.9),
                Field(key="linked_share", label="Tỷ lệ liên kết", kind="share", width=0.9),
            ]
            if any(isinstance(r["paid_value_vnd"], int) for r in rows):
                fields.append(
                    money_field(
                        "paid_value_vnd",
                        "Đã thanh toán",
                        rows,
                        why_null="không có hợp đồng nêu giá trị",
                    )
                )
        else:
            fields.append(
                Field(key="official_members", label="Thành viên", kind="count", width=1.0)
            )
        fields = [f for f in fields if any(r[f.key] is not None for r in rows)]
        reason = "không có HTX nêu số liệu"
        if any(r["revenue_vnd"] is not None for r in rows):
            fields.append(money_field("revenue_vnd", "Doanh thu", rows, why_null=reason))
        if any(r["member_income_vnd"] is not None for r in rows):
            fields.append(
                money_field("member_income_vnd", "Thu nhập thành viên", rows, why_null=reason)
            )
        summed = [
            f for f in fields if f.is_number and f.key not in ("linked_share", "member_income_vnd")
        ]
        sums: dict[str, Any] = {f.key: self.sums.get(f.key, total(rows, f.key)) for f in summed}
        sums["locality"] = "Cộng"
        source = self.source(
            ("organisations", "cooperative_reports", "linkages"), f"tổng hợp theo {where.lower()}"
        )
        table = Table(
            id="theo-dia-ban",
            title=f"Hợp tác xã và liên kết theo {where.lower()}",
            sheet="Theo địa bàn",
            fields=tuple(fields),
            rows=tuple(rows),
            total=sums,
            source=source,
            notes=self.money_notes(),
            page_rows=self.o.rows_printed,
        )  # fmt: skip
        figure = self.locality_figure(rows, source)
        return (table, figure) if figure else (table,)

    def locality_figure(self, rows: Sequence[Row], source: Source) -> Figure | None:
        levels = tuple(
            level for level in LEVELS if any(r[f"n_linked_{level}"] is not None for r in rows)
        )
        if not self.has_linkages:
            levels = ("reported",)
        if not levels:
            return None
        bars = []
        for r in rows[:18]:
            base = r["n_cooperatives"]
            if not base:
                continue
            if self.has_linkages:
                shares = [ratio(r[f"n_linked_{level}"], base) for level in levels]
                shown = r["n_linked_active"]
            else:
                shares = [ratio(r["n_reported"], base)]
                shown = r["n_reported"]
            if shares[-1] is None and shares[0] is None:
                continue
            main = ratio(shown, base)
            bars.append(
                {
                    "label": r["locality"],
                    "shares": shares,
                    "sort": -(main or 0.0),
                    "text": f"{text.share(main)}  ({text.number(shown)}/{text.number(base)})",
                }
            )
        if not bars or not any(s for b in bars for s in b["shares"]):
            return None
        bars.sort(key=lambda b: (b["sort"], b["label"]))
        left = len(rows) - 18
        what = "có liên kết" if self.has_linkages else "đã gửi báo cáo"
        names = [LEVEL_TEXT[x] for x in levels] if self.has_linkages else ["Đã gửi báo cáo"]
        return Figure(
            id="hinh-dia-ban",
            title=f"Tỷ lệ hợp tác xã {what}, theo {self.o.locality_label.lower()}",
            alt=f"Biểu đồ thanh ngang: tỷ lệ hợp tác xã {what}; cao nhất là "
            f"{bars[0]['label']}, {bars[0]['text']}.",
            spec={
                "kind": "bars",
                "bars": [{k: b[k] for k in ("label", "shares", "text")} for b in bars],
                "series": names,
                "levels": [LEVELS.index(x) for x in levels] if self.has_linkages else [2],
                "mark": self.mark(),
            },
            source=source,
            data=Table(
                id="hinh-dia-ban-so-lieu",
                title=f"Số liệu của hình: tỷ lệ hợp tác xã {what}",
                sheet="Hình theo địa bàn",
                fields=(
                    Field(key="label", label=self.o.locality_label, width=2.0),
                    *(Field(key=f"s{i}", label=n, kind="share") for i, n in enumerate(names)),
                ),
                rows=tuple(
                    {"label": b["label"], **{f"s{i}": s for i, s in enumerate(b["shares"])}}
                    for b in bars
                ),
                source=source,
            ),
            notes=(
                "Số bên phải mỗi thanh: mức đang thực hiện trở lên (số HTX có liên kết / tổng số HTX)"
                if self.has_linkages
                else "Số bên phải mỗi thanh: số HTX đã báo cáo / tổng số HTX",
                *(
                    (
                        f"Hình vẽ 18 địa bàn có nhiều HTX nhất, xếp theo tỷ lệ; {text.number(left)} địa bàn còn lại ở bảng",
                    )
                    if left > 0
                    else ()
                ),
            ),
        )

    def by_product(self) -> tuple[Block, ...]:
        if not self.has_linkages:
            return ()
        linkages = self.signed_linkages()
        groups: dict[str | None, list[Row]] = {}
        for r in linkages:
            groups.setdefault(r["product_code"], []).append(r)
        rows = [
            {
                "product": self.product(code),
                "n_linkages": len(group),
                "n_suppliers": len({r["supplier_id"] for r in group}),
                "n_buyers": len({r["buyer_id"] for r in group}),
                **{
                    k: total(group, k)
                    for k in (
                        "contracted_value_vnd",
                        "paid_value_vnd",
                        "delivered_tonnes",
                        "area_ha",
                    )
                },
            }
            for code, group in groups.items()
        ]
        rows = by(
            rows,
            "paid_value_vnd",
            "n_linkages",
            "product",
            descending=("paid_value_vnd", "n_linkages"),
        )
        fields = [
            Field(key="product", label="Chuỗi sản phẩm", width=2.0),
            Field(key="n_linkages", label="Số liên kết", kind="count", width=0.9),
            Field(key="n_suppliers", label="Bên bán", kind="count", width=0.8),
            Field(key="n_buyers", label="Bên mua", kind="count", width=0.8),
        ]
        why = "không có liên kết nào nêu số liệu này"
        for key, name in (
            ("contracted_value_vnd", "Theo hợp đồng"),
            ("paid_value_vnd", "Đã thanh toán"),
        ):
            if any(r[key] is not None for r in rows):
                fields.append(money_field(key, name, rows, why_null=why))
        for field in (
            Field(
                key="delivered_tonnes",
                label="Đã giao",
                kind="tonnes",
                unit="tấn",
                width=1.1,
                why_null=why,
            ),
            Field(key="area_ha", label="Diện tích", kind="ha", unit="ha", width=1.1, why_null=why),
        ):
            if any(r[field.key] is not None for r in rows):
                fields.append(field)
        source = self.source(
            ("linkages",),
            "cộng các liên kết từ mức đã ký trở lên",
            only={"linkages": pl.col("evidence") != "planned"},
        )
        sums: dict[str, Any] = {
            f.key: total(rows, f.key)
            for f in fields
            if f.is_number and f.key not in ("n_suppliers", "n_buyers")
        }
        sums |= {
            "product": "Cộng",
            "n_suppliers": len({r["supplier_id"] for r in linkages}),
            "n_buyers": len({r["buyer_id"] for r in linkages}),
        }
        table = Table(
            id="theo-san-pham",
            title="Liên kết theo chuỗi sản phẩm",
            sheet="Theo sản phẩm",
            fields=tuple(fields),
            rows=tuple(rows),
            total=sums,
            source=source,
            notes=(
                "Dòng cộng của bên bán, bên mua đếm mỗi tổ chức một lần",
                *self.money_notes(),
            ),
            page_rows=self.o.rows_printed,
        )  # fmt: skip
        blocks: list[Block] = [table] if rows else []
        nodes = self.f.rows("graph/nodes", "stage")
        stages = {s: sum(r["stage"] == s for r in nodes) for s in text.STAGES}
        figure = self.chain_figure("province", "tong-quan", stages)
        return (*blocks, figure) if figure else tuple(blocks)

    def cluster_list(self) -> tuple[Block, ...]:
        if not self.clusters:
            return ()
        rows = [
            {
                **c,
                "name": c["cluster_name_vi"] or c["cluster_id"],
                "product": self.product(c["main_product"]),
                "missing": ", ".join(text.label(text.SHORT_STAGES, s) for s in ordered(c["stages_missing"]))
                or "Đủ công đoạn",
            }
            for c in self.clusters
        ]  # fmt: skip
        fields = [
            Field(key="name", label="Cụm", width=2.6),
            Field(key="product", label="Sản phẩm chính", width=1.2),
            Field(key="n_organisations", label="Tổ chức", kind="count", width=0.75),
            Field(key="n_cooperatives", label="HTX", kind="count", width=0.6),
        ]
        if any(r["paid_value_vnd"] is not None for r in rows):
            fields.append(
                money_field(
                    "paid_value_vnd",
                    "Đã thanh toán",
                    rows,
                    why_null="không có hợp đồng nêu giá trị",
                )
            )
            fields.append(
                Field(
                    key="executed_share",
                    label="Đã thực hiện",
                    kind="share",
                    width=0.8,
                    why_null="không có hợp đồng nêu giá trị",
                )
            )
        else:
            fields.append(Field(key="n_linkages", label="Liên kết", kind="count", width=0.8))
        fields += [
            Field(key="largest_buyer_share", label="Bên mua lớn nhất", kind="share", width=0.8),
            Field(key="missing", label="Công đoạn còn thiếu", width=1.8),
        ]
        bases = list(
            dict.fromkeys(BASIS_TEXT.get(c["weight_basis"] or "", "") for c in self.clusters)
        )
        source = self.source(
            ("linkages",), "phát hiện cụm bằng thuật toán Leiden trên mạng lưới liên kết"
        )
        without = len(self.clusters) - len(self.reported_clusters())
        left_out = (f"{text.number(without)} cụm nhỏ không có báo cáo riêng",) if without else ()
        table = Table(
            id="danh-sach-cum",
            title="Các cụm liên kết, xếp theo giá trị đã thanh toán rồi theo số tổ chức",
            sheet="Cụm liên kết",
            fields=tuple(fields),
            rows=tuple(rows),
            source=source,
            notes=(
                f"Tỷ trọng của bên mua lớn nhất tính theo {text.listing(b for b in bases if b)}",
                "“Cụm” ở đây là nhóm tổ chức có liên kết chặt với nhau trong số liệu, không phải danh "
                "hiệu pháp lý",
                *self.money_notes(),
                *left_out,
            ),
            page_rows=self.o.rows_printed,
        )  # fmt: skip
        figure = self.concentration_figure(source)
        return (table, figure) if figure else (table,)

    def concentration_figure(self, source: Source) -> Figure | None:
        points = [
            {
                "label": c["cluster_name_vi"] or c["cluster_id"],
                "share": c["largest_buyer_share"],
                "product": c["main_product"],
                "product_label": self.product(c["main_product"]),
                "text": f"{text.share(c['largest_buyer_share'])}  {c['largest_buyer_name'] or ''}".strip(),
                "buyer": c["largest_buyer_name"],
            }
            for c in self.clusters[:12]
            if c["largest_buyer_share"] is not None
        ]
        if len(points) < 2:
            return None
        top = max(points, key=lambda p: p["share"])
        return Figure(
            id="hinh-tap-trung",
            title="Tỷ trọng của bên mua lớn nhất trong mỗi cụm",
            alt=f"Biểu đồ điểm: phụ thuộc nhiều nhất là {top['label']}, {top['text']}.",
            spec={
                "kind": "dots",
                "points": [
                    {k: p[k] for k in ("label", "share", "product", "product_label", "text")} for p in points
                ],
                "mark": self.mark(),
            },
            source=source,
            data=Table(
                id="hinh-tap-trung-so-lieu",
                title="Số liệu của hình: tỷ trọng của bên mua lớn nhất",
                sheet="Hình tập trung",
                fields=(
                    Field(key="label", label="Cụm", width=2.0),
                    Field(key="product_label", label="Sản phẩm chính"),
                    Field(key="buyer", label="Bên mua lớn nhất", width=2.0),
                    Field(key="share", label="Tỷ trọng", kind="share"),
                ),
                rows=tuple(points),
                source=source,
            ),
            notes=("Hình vẽ 12 cụm đứng đầu",) if len(self.clusters) > 12 else (),
        )  # fmt: skip

    def plan(self) -> tuple[Block, ...]:
        rows = self.f.rows(
            "metrics/plan_progress", "document", "denominator", "target_year", "comparator", "target_value",
            "actual_value", "gap", "value_unit", "is_comparable", "reason", "is_verified", "indicator_vi",
        )  # fmt: skip
        if not rows:
            return ()
        shown = [
            {
                "indicator": indicator_label(r),
                "denominator": text.label(DENOMINATORS, r["denominator"]),
                "document": r["document"],
                "target": together(f"{text.COMPARATORS.get(r['comparator'] or '', '')} {measure_text(r['target_value'], r['value_unit'])}"),
                "year": r["target_year"],
                "actual": together(measure_text(r["actual_value"], r["value_unit"])) if r["actual_value"] is not None else None,
                "gap": together(gap_text(r["gap"], r["value_unit"])) if r["is_comparable"] else None,
                "note": "; ".join(
                    note
                    for note, said in (
                        (text.label(text.REASONS, r["reason"]), not r["is_comparable"]),
                        ("chưa đối chiếu với văn bản gốc", not r["is_verified"]),
                    )
                    if said
                )
                or "so sánh được",
            }
            for r in by(rows, "document", "target_year", "indicator", "denominator")
        ]  # fmt: skip
        return (
            Table(
                id="tien-do-ke-hoach",
                title="Kết quả so với chỉ tiêu kế hoạch",
                sheet="Tiến độ kế hoạch",
                fields=(
                    Field(key="indicator", label="Chỉ tiêu", width=2.0),
                    Field(key="denominator", label="Mẫu số", width=1.2),
                    Field(key="document", label="Văn bản", width=1.3),
                    Field(key="year", label="Năm", kind="code", width=0.6),
                    Field(key="target", kind="words", label="Mục tiêu", width=1.1),
                    Field(key="actual", kind="words", label=f"Kỳ {self.f.period}", width=1.1, why_null="chưa tính hoặc chưa so sánh được, xem cột Ghi chú"),
                    Field(key="gap", kind="words", label="Chênh lệch", width=1.35, why_null="chưa tính hoặc chưa so sánh được, xem cột Ghi chú"),
                    Field(key="note", label="Ghi chú", width=1.6),
                ),
                rows=tuple(shown),
                source=self.source(("plan_targets", "linkages", "cooperative_reports", "organisations"), "chỉ so sánh khi cùng chỉ tiêu và cùng mẫu số"),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def indicators(self) -> tuple[Block, ...]:
        order = {code: i for i, code in enumerate(INDICATORS)}
        known = [
            r
            for r in self.province_indicators()
            if defined(r) and r["indicator"] not in LINKED_INDICATORS
        ]
        known.sort(
            key=lambda r: (
                order.get(r["indicator"], 99), r["indicator"], r["denominator"] or "",
                LEVELS.index(r["evidence"]) if r["evidence"] in LEVELS else -1,
            )
        )  # fmt: skip
        rows = []
        for r in known:
            shown: Any = together(measure_text(r["value"], r["value_unit"]))
            raw: Any = r["value"]
            sensitive = "income" in r["indicator"] or "revenue" in r["indicator"]
            if sensitive and r["n"] is not None and r["n"] < self.o.min_disclosure_count:
                shown = raw = HIDDEN
                self.withheld += 1
            name = indicator_label(r)
            if r["evidence"] in LEVELS:
                name += f", {SHORT_LEVELS[r['evidence']].lower()}"
            rows.append(
                {
                    "indicator": name,
                    "denominator": None
                    if r["denominator"] in (None, "none")
                    else text.label(DENOMINATORS, r["denominator"]),
                    "shown": shown,
                    "value": raw,
                    "unit": r["value_unit"],
                    "n": r["n"],
                }
            )
        if not rows:
            return ()
        return (
            Table(
                id="chi-tieu-chung",
                title=f"Các chỉ tiêu tính được cho {self.o.whole_label.lower()}",
                sheet="Chỉ tiêu chung",
                fields=(
                    Field(key="indicator", label="Chỉ tiêu", width=3.4),
                    Field(key="denominator", label="So với", width=2.0, why_null="số đếm, tổng hoặc bình quân, không có mẫu số"),
                    Field(key="n", label="Số đơn vị", kind="count", width=0.8),
                    Field(key="shown", label="Giá trị", kind="words", width=1.5),
                ),
                more=(Field(key="value", label="Giá trị (số)", kind="number"), Field(key="unit", label="Đơn vị tính", kind="code")),
                rows=tuple(rows),
                source=self.source(("cooperative_reports", "organisations", "linkages"), "mỗi chỉ tiêu kèm mẫu số của nó"),
                notes=self.money_notes(),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def ledger(self) -> list[Row]:
        """Return the rules of the ledger, of all tables."""
        keys = ["core/ledger"] if self.f.has("core/ledger") else self.f.keys_ending("_ledger")
        wanted = ("table", "rule_id", "action", "rows_in", "rows_failed", "rows_rejected_first")
        return [r for key in keys for r in self.f.rows(key, *wanted)]

    def table_counts(self) -> list[Row]:
        """Return rows in, kept, merged and rejected of each table read from sources."""
        ledger = self.ledger()
        counts = []
        for name, table in TABLES.items():
            kept = self.f.frame(f"core/{name}").height
            rejected = self.f.frame(f"core/{name}_rejected").height
            rules = [r for r in ledger if r["table"] == name]
            merged = sum(r["rows_rejected_first"] or 0 for r in rules if r["action"] == "merge")
            rows_in = max((r["rows_in"] or 0 for r in rules), default=kept + rejected)
            if rows_in or kept or rejected:
                counts.append(
                    {
                        "table": table.label_vi,
                        "rows_in": rows_in,
                        "rows_kept": kept,
                        "rows_merged": merged,
                        "rows_rejected": rejected,
                        "share": ratio(rejected, rows_in),
                    }
                )
        return counts

    def finding_keys(self) -> list[str]:
        """Return the frames of findings: the joint one, else one for each table."""
        if "core/findings" in self.f.keys_ending("findings"):
            return ["core/findings"]
        return [k for k in self.f.keys_ending("_findings") if k.startswith("core/")]

    def finding_counts(self) -> list[Row]:
        """Return the findings of all tables, one row for each rule and severity."""
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for key in self.finding_keys():
            for r in self.f.rows(
                key, "rule_id", "severity", "table", "source_file", "source_sheet", "source_row", "raw_value",
                "reason_vi", "remedy_vi",
            ):  # fmt: skip
                groups.setdefault(
                    (r["severity"] or "", r["table"] or "", r["rule_id"] or ""), []
                ).append(r)
        rank = {s: i for i, s in enumerate(SEVERITY_TEXT)}
        lost = {(r["table"], r["rule_id"]): r["rows_rejected_first"] for r in self.ledger()}
        rows = []
        for (severity, table, rule), found in groups.items():
            places = {(r["source_file"], r["source_sheet"], r["source_row"]) for r in found}
            first = min(
                found,
                key=lambda r: (
                    r["source_file"] or "",
                    r["source_sheet"] or "",
                    r["source_row"] or 0,
                    r["reason_vi"] or "",
                ),
            )
            at = f"{first['source_file'] or ''}"
            if first["source_row"] is not None:
                at += f", dòng {first['source_row']}"
            rows.append(
                {
                    "severity": text.label(SEVERITY_TEXT, severity or None),
                    "rank": rank.get(severity, 9),
                    "table": TABLES[table].label_vi if table in TABLES else table,
                    "rule": rule,
                    "reason": generic_reason(found),
                    "remedy": first["remedy_vi"],
                    "n": len(found),
                    "n_rows": len(places),
                    "n_rejected": lost.get((table, rule)),
                    "example": at,
                }
            )  # fmt: skip
        return sorted(rows, key=lambda r: (r["rank"], -r["n"], r["table"], r["rule"]))

    def roster(self) -> Table | None:
        """Return how the units that should report did, by locality."""
        rows = [
            {**r, "locality": WITHOUT_PLACE if r["locality"] in (None, "unknown") else r["locality"]}
            for r in self.f.rows(
                "metrics/reporting_roster_localities", "n_expected", "n_on_time", "n_late", "n_undated", "n_partial",
                "n_missing", "reported_share",
            )
        ]  # fmt: skip
        if not rows or not self.f.has("core/cooperative_reports"):
            return None
        counted = [
            Field(key="n_expected", label="Phải báo cáo", kind="count", width=0.9),
            Field(key="n_on_time", label="Đúng hạn", kind="count", width=0.8),
            Field(key="n_late", label="Nộp muộn", kind="count", width=0.8),
            Field(key="n_undated", label="Không ghi ngày", kind="count", width=0.8),
            Field(key="n_partial", label="Thiếu số liệu", kind="count", width=0.8),
            Field(key="n_missing", label="Chưa nộp", kind="count", width=0.8),
        ]
        counted = [f for f in counted if total(rows, f.key) or f.key in ("n_expected", "n_missing")]
        sums = {f.key: total(rows, f.key) for f in counted}
        sums["reported_share"] = ratio(
            (sums["n_expected"] or 0) - (sums["n_missing"] or 0), sums["n_expected"]
        )
        return Table(
            id="tinh-hinh-bao-cao",
            title=f"Tình hình gửi báo cáo kỳ {self.f.period}",
            sheet="Tình hình báo cáo",
            fields=(
                Field(key="locality", label=self.o.locality_label, width=2.0),
                *counted,
                Field(key="reported_share", label="Tỷ lệ đã nộp", kind="share", width=0.9, why_null="không có đơn vị phải báo cáo"),
            ),
            rows=tuple(by(rows, "n_expected", "locality", descending=("n_expected",))),
            total={"locality": "Cộng", **sums},
            source=self.source(("organisations", "cooperative_reports"), "hợp tác xã, liên hiệp hợp tác xã thuộc diện báo cáo"),
            page_rows=self.o.rows_printed,
        )  # fmt: skip

    def quality(self) -> tuple[Block, ...]:
        blocks: list[Block] = []
        counts = self.table_counts()
        tables = tuple(TABLES)
        if counts:
            sums = {
                k: total(counts, k)
                for k in ("rows_in", "rows_kept", "rows_merged", "rows_rejected")
            }
            blocks.append(
                Table(
                    id="dong-vao-ra",
                    title="Số dòng đọc vào, giữ lại, gộp và bị loại của từng bảng",
                    sheet="Dòng vào và ra",
                    fields=(
                        Field(key="table", label="Bảng", width=2.4),
                        Field(key="rows_in", label="Đọc vào", kind="count"),
                        Field(key="rows_kept", label="Giữ lại", kind="count"),
                        Field(key="rows_merged", label="Gộp trùng", kind="count"),
                        Field(key="rows_rejected", label="Bị loại", kind="count"),
                        Field(key="share", label="Tỷ lệ loại", kind="share"),
                    ),
                    rows=tuple(counts),
                    total={"table": "Cộng", **sums, "share": ratio(sums["rows_rejected"], sums["rows_in"])},
                    source=self.source(tables, "đọc vào = giữ lại + gộp trùng + bị loại"),
                )
            )  # fmt: skip
        found = self.finding_counts()
        if found:
            blocks.append(
                Table(
                    id="ket-qua-kiem-tra",
                    title="Kết quả kiểm tra số liệu theo quy tắc",
                    sheet="Kết quả kiểm tra",
                    fields=(
                        Field(key="severity", label="Xử lý", width=1.0),
                        Field(key="table", label="Bảng", width=1.2),
                        Field(key="reason", label="Nội dung", width=3.4),
                        Field(key="n_rows", label="Số dòng", kind="count", width=0.7),
                        Field(key="n_rejected", label="Bị loại", kind="count", width=0.7, why_null="việc đọc tệp, không phải quy tắc loại dòng"),
                        Field(key="example", label="Ví dụ", width=2.0),
                    ),
                    rows=tuple(found),
                    source=self.source(tables, "mỗi dòng bị loại tính một lần, ở quy tắc đầu tiên loại nó; cột Số dòng không cộng được"),
                    page_rows=self.o.rows_printed,
                )
            )  # fmt: skip
        elif self.finding_keys():
            blocks.append(
                Prose(id="khong-loi", paragraphs=("Các quy tắc kiểm tra không phát hiện lỗi nào.",))
            )
        roster = self.roster()
        if roster:
            blocks.append(roster)
        if self.f.has("core/cooperative_reports"):
            late = self.not_reported()
            if late:
                blocks.append(
                    Table(
                        id="chua-bao-cao",
                        title=f"Đơn vị chưa gửi báo cáo kỳ {self.f.period} ({text.number(len(late))} đơn vị)",
                        sheet="Chưa báo cáo",
                        fields=(
                            Field(key="locality", label=self.o.locality_label, width=1.5, why_null="chưa rõ địa bàn"),
                            Field(key="name", label="Tên đơn vị", width=3.0),
                            Field(key="org_id", label="Mã tổ chức", kind="code", width=1.3),
                            Field(key="state", label="Ghi chú", width=1.5, why_null="nguồn không nêu"),
                        ),
                        rows=tuple(late),
                        source=self.source(("organisations", "cooperative_reports"), "thuộc diện báo cáo, không có báo cáo trong kỳ"),
                        page_rows=self.o.rows_printed,
                    )
                )  # fmt: skip
        if self.withheld:
            blocks.append(
                Prose(
                    id="bi-mat",
                    paragraphs=(
                        f"Đã giữ bí mật {text.number(self.withheld)} ô số liệu về doanh thu, thu nhập vì có "
                        f"dưới {self.o.min_disclosure_count} hợp tác xã đứng sau, hoặc vì nếu công bố thì có "
                        "thể tính ngược ra ô đó.",
                    ),
                )
            )
        return tuple(blocks)

    def not_computed(self) -> tuple[Block, ...]:
        rows: list[Row] = []
        if not self.has_linkages:
            rows += [
                {"what": what, "reason": "Nguồn không có bảng liên kết giữa hợp tác xã và doanh nghiệp", "need": need}
                for what, need in (
                    ("Tỷ lệ hợp tác xã có liên kết với doanh nghiệp, theo mọi mức bằng chứng", "Bảng liên kết: bên bán, bên mua, sản phẩm"),
                    ("Cụm liên kết và các báo cáo cụm", "Bảng liên kết: bên bán, bên mua, sản phẩm"),
                    ("Giá trị theo hợp đồng, giá trị đã thanh toán, tỷ lệ đã thực hiện", "Giá trị và khối lượng của từng hợp đồng"),
                    ("Công đoạn có, công đoạn còn thiếu của chuỗi", "Nội dung liên kết theo bốn công đoạn của NĐ 98/2018/NĐ-CP"),
                    ("Mức độ phụ thuộc vào bên mua lớn nhất", "Bảng liên kết có giá trị hoặc số lượng"),
                )
            ]  # fmt: skip
        elif self.value("paid_value_vnd") is None and self.value("contracted_value_vnd") is None:
            rows.append(
                {
                    "what": "Giá trị đi qua cụm, tỷ lệ đã thực hiện theo giá trị",
                    "reason": "Nguồn không nêu giá trị của liên kết nào",
                    "need": "Giá trị theo hợp đồng và giá trị đã thanh toán",
                }
            )
        if not self.f.has("core/cooperative_reports"):
            rows.append(
                {
                    "what": "Tỷ lệ đã báo cáo, doanh thu, thu nhập, xếp loại",
                    "reason": "Nguồn không có báo cáo năm của hợp tác xã",
                    "need": "Báo cáo năm của từng hợp tác xã",
                }
            )
        groups: dict[str, dict[str, None]] = {}
        for r in self.province_indicators():
            if not defined(r) and (self.has_linkages or r["reason"] != "no_linkages"):
                groups.setdefault(text.label(text.REASONS, r["reason"]), {})[indicator_label(r)] = (
                    None
                )
        rows += [
            {"what": "; ".join(sorted(names)), "reason": text.sentence(reason)[:-1], "need": NEEDS.get(reason, "Bổ sung số liệu")}
            for reason, names in sorted(groups.items())
        ]  # fmt: skip
        if not rows:
            return ()
        return (
            Table(
                id="chua-tinh-duoc",
                title="Nội dung chưa tính được và lý do",
                sheet="Chưa tính được",
                fields=(
                    Field(key="what", label="Nội dung", width=3.4),
                    Field(key="reason", label="Lý do", width=2.2),
                    Field(key="need", label="Cần bổ sung", width=1.7),
                ),
                rows=tuple(rows),
                source=self.source(tuple(TABLES), "đối chiếu số liệu nhận được với số liệu mà mỗi chỉ tiêu cần"),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def sources(self) -> tuple[Block, ...]:
        files: dict[str, Row] = {}
        for name, table in TABLES.items():
            for key, column in ((f"core/{name}", "kept"), (f"core/{name}_rejected", "rejected")):
                for r in self.f.rows(key, "source_file", "source_id"):
                    if r["source_file"] is None:
                        continue
                    row = files.setdefault(
                        r["source_file"],
                        {"file": r["source_file"], "hashes": set(), "tables": set(), "kept": 0, "rejected": 0},
                    )  # fmt: skip
                    row[column] += 1
                    row["tables"].add(table.label_vi)
                    if r["source_id"]:
                        row["hashes"].add(str(r["source_id"]).split(":")[0])
        idle = 0
        for r in self.f.rows(
            "raw/source_files", "source_file", "sha256", "mapping_id", "is_usable", "reason_vi"
        ):
            if r["source_file"] in files:
                continue
            if r["is_usable"] is False:
                why = f"(không đọc được: {r['reason_vi'] or 'chưa rõ lý do'})"
            elif r["mapping_id"] is None:
                why = "(không có khai báo nguồn)"
            else:
                idle += 1
                continue
            files[r["source_file"]] = {
                "file": r["source_file"], "hashes": {r["sha256"][:16]} if r["sha256"] else set(),
                "tables": {why}, "kept": 0, "rejected": 0,
            }  # fmt: skip
        if not files:
            return ()
        rows = [
            {
                **r,
                "hash": ", ".join(sorted(r["hashes"])),
                "tables": text.listing(sorted(r["tables"])),
            }
            for _, r in sorted(files.items())
        ]
        return (
            Table(
                id="tep-nguon",
                title="Tệp nguồn, mã kiểm tra và số dòng",
                sheet="Tệp nguồn",
                fields=(
                    Field(key="file", label="Tệp", width=2.6),
                    Field(key="hash", label="Mã kiểm tra (SHA-256, 16 ký tự đầu)", kind="code", width=2.0),
                    Field(key="tables", label="Bảng", width=1.6),
                    Field(key="kept", label="Dòng giữ lại", kind="count", width=0.8),
                    Field(key="rejected", label="Dòng bị loại", kind="count", width=0.8),
                ),
                rows=tuple(rows),
                total={"file": f"Cộng {text.number(len(rows))} tệp", "hash": " ", "tables": " ", "kept": total(rows, "kept"), "rejected": total(rows, "rejected")},
                source=self.source(tuple(TABLES), "mỗi dòng số liệu giữ tên tệp, trang tính và số dòng gốc"),
                notes=(f"{text.number(idle)} tệp khác không có dòng nào của kỳ này",) if idle else (),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip
