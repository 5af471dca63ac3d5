"""The overview: what the province (or register) looks like in one period.

What belongs here: its sections and sentences. What does not: one cluster (`cluster`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.reference.thresholds import threshold
from htx_pipeline.report import text
from htx_pipeline.report.behind import by_product
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
    defined,
    mean,
    of_whole,
    ordered,
    ratio,
    total,
)
from htx_pipeline.report.changes import ChangeSections
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import (
    BASIS_TEXT,
    DENOMINATORS,
    INDICATORS,
    LEVEL_TEXT,
    LEVELS,
    LINKED_INDICATORS,
    SHORT_LEVELS,
    TASK_LABELS,
    WITHOUT_PLACE,
    gap_text,
    indicator_label,
    measure_text,
    together,
)
from htx_pipeline.report.quality import QualitySections

VALUES: Final = ("contracted_value_vnd", "paid_value_vnd")


class OverviewPages(ChangeSections, QualitySections):
    """Builds the overview."""

    def overview(self) -> Page:
        sections = [
            Section(id="nhan-dinh", title="Nhận định chính", blocks=self.highlights()),
            Section(id="thay-doi", title="Thay đổi so với kỳ trước", blocks=self.overview_changes()),
            Section(id="ke-hoach", title="Tiến độ so với kế hoạch", blocks=(*self.plan(), *self.tasks())),
            Section(id="muc-do", title="Mức độ liên kết", blocks=self.linked_levels()),
            Section(id="dia-ban", title=f"Theo {self.o.locality_label.lower()}", blocks=self.by_locality()),
            Section(id="san-pham", title="Theo chuỗi sản phẩm", blocks=self.by_product()),
            Section(id="cum", title="Các cụm liên kết", blocks=self.cluster_list()),
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
        said = (
            *((words, ("so-chinh/n_cooperatives", "so-chinh/n_reported")) for words in self.say_cooperatives(h)),
            *self.say_linkages(h),
            *((words, ("dong-vao-ra/Cộng/rows_rejected", "dong-vao-ra/Cộng/rows_in")) for words in self.say_rejected(h)),
        )  # fmt: skip
        return (
            Facts(id="so-chinh", items=self.headline_facts(h), source=source),
            Prose(
                id="cau-chinh", paragraphs=tuple(text.sentence(words) for words, _ in said), is_list=True, source=source,
                figures=tuple(tuple(f"tong-quan/{f}" for f in rests) for _, rests in said),
            ),
        )  # fmt: skip

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

    def say_linkages(self, h: Row) -> list[tuple[str, tuple[str, ...]]]:
        """Return what is said of linkages, each with the figures of the page that it rests on."""
        if not self.has_linkages:
            words = (
                "Nguồn này không có dữ liệu liên kết giữa hợp tác xã và doanh nghiệp; báo cáo chỉ nêu được "
                "số lượng, địa bàn và kết quả hoạt động của hợp tác xã"
            )
            return [(words, ("so-chinh/n_cooperatives",))]
        said: list[tuple[str, tuple[str, ...]]] = []
        if h["planned"] is not None and h["count"]:
            line = (
                f"{of_whole(h['planned'], h['count'], 'hợp tác xã')} có liên kết ở một mức bất kỳ; "
                f"{of_whole(h['active'], h['count'])} có liên kết đang thực hiện trở lên"
            )
            if h["executed"] is not None:
                line += f"; {of_whole(h['executed'], h['count'])} đã giao hàng hoặc thanh toán"
            else:
                line += "; nguồn không nêu việc giao hàng hoặc thanh toán nên chưa biết đã thực hiện đến đâu"
            said.append((line, (*self.level_figures(), "so-chinh/n_linked_active")))
        if h["contracted"] or h["paid"]:
            said.append(
                (
                    f"Giá trị theo hợp đồng là {text.money(h['contracted'])}; giá trị đã thanh toán là "
                    f"{text.money(h['paid'])}",
                    (
                        "theo-san-pham/Cộng/contracted_value_vnd",
                        "theo-san-pham/Cộng/paid_value_vnd",
                    ),
                )
            )
        elif h["linkages"]:
            said.append(
                (
                    f"Nguồn nêu {text.number(h['linkages'])} liên kết nhưng không nêu giá trị; các tỷ trọng "
                    "trong báo cáo tính theo số liên kết",
                    ("so-chinh/n_linkages",),
                )
            )
        if self.clusters:
            largest = self.clusters[0]
            short = sum(bool(c["stages_missing"]) for c in self.clusters)
            said.append(
                (
                    f"Mạng lưới có {text.number(len(self.clusters))} cụm liên kết; đứng đầu là "
                    f"{text.lower_first(largest['cluster_name_vi'] or largest['cluster_id'])}, gồm "
                    f"{text.number(largest['n_organisations'])} tổ chức; "
                    f"{text.number(short)} cụm còn thiếu ít nhất một công đoạn",
                    (
                        "so-chinh/n_clusters",
                        f"danh-sach-cum/{largest['cluster_id']}/n_organisations",
                    ),
                )
            )
        return said

    def level_figures(self) -> tuple[str, ...]:
        """Return the ids, after the page's, of the numbers of linked cooperatives by level."""
        table = next((b for b in self.linked_levels() if isinstance(b, Table)), None)
        named = zip(table.names, table.rows, strict=True) if table else ()
        line = next((name for name, r in named if r.get("measure") == "linked_share|all_htx"), None)
        return () if line is None else tuple(f"muc-do-lien-ket/{line}/n_{level}" for level in LEVELS)  # fmt: skip

    def headline_facts(self, h: Row) -> tuple[Fact, ...]:
        count = h["count"]
        facts = [Fact(key="n_cooperatives", label="Hợp tác xã", value=text.number(count))]
        if h["reported"]:
            share = f"{text.share(ratio(h['reported'], count))} số HTX"
            facts.append(
                Fact(
                    key="n_reported",
                    label="Đã gửi báo cáo",
                    value=text.number(h["reported"]),
                    detail=share,
                )
            )
        if not self.has_linkages:
            if h["members"] is not None:
                facts.append(
                    Fact(
                        key="official_members",
                        label="Thành viên chính thức",
                        value=text.number(h["members"]),
                    )
                )
            return tuple(facts)
        if h["active"] is not None:
            share = f"{text.share(ratio(h['active'], count))}, từ mức đang thực hiện"
            facts.append(
                Fact(
                    key="n_linked_active",
                    label="Có liên kết",
                    value=f"{text.number(h['active'])} HTX",
                    detail=share,
                )
            )
        if h["paid"]:
            signed = f"hợp đồng: {text.money(h['contracted'])}"
            facts.append(
                Fact(
                    key="paid_value_vnd",
                    label="Đã thanh toán",
                    value=text.money(h["paid"]),
                    detail=signed,
                )
            )
        else:
            facts.append(
                Fact(key="n_linkages", label="Số liên kết", value=text.number(h["linkages"]))
            )
        facts.append(
            Fact(key="n_clusters", label="Cụm liên kết", value=text.number(len(self.clusters)))
        )
        return tuple(facts)

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
                "measure": f"{indicator}|{base}",
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
                Field(key="n_linked_active", label="Đang thực hiện", kind="count", width=0.9),
                Field(key="n_linked_executed", label="Đã thực hiện", kind="count", width=0.9),
                Field(key="linked_share", label="Tỷ lệ liên kết", kind="share", width=0.9),
            ]
            if any(r["rank"] for r in rows):
                fields += [
                    Field(
                        key="rank", label="Hạng", kind="words", width=0.8, why_null="không xếp hạng"
                    ),
                    Field(key="missing_share", label="Thiếu báo cáo", kind="share", width=0.9),
                ]
                fields = [f for f in fields if f.key != "n_reported"]  # fmt: skip
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
            f
            for f in fields
            if f.is_number and f.key not in ("linked_share", "member_income_vnd", "missing_share")
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
            notes=(*self.rank_notes(rows), *self.money_notes()),
            page_rows=self.o.rows_printed,
            more=() if any(f.key == "n_reported" for f in fields) else (Field(key="n_reported", label="Đã báo cáo", kind="count"),),
            row_key="locality",
            row_rows=lambda r: self.at_place(None if r["locality"] == WITHOUT_PLACE else r["locality"]),
        )  # fmt: skip
        pictures = (self.map_figure("province", "tong-quan"), self.locality_figure(rows, source))
        return (table, *(p for p in pictures if p is not None))

    def rank_notes(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """Return what a rank means here, where there is one."""
        if not any(r["rank"] for r in rows):
            return ()
        limit = text.share(threshold("own.ranking.missing_share")["value"], 0)
        return (
            "Hạng theo tỷ lệ liên kết: “2–5” nghĩa là với khoảng tin cậy 95% chỉ biết địa bàn đứng trong khoảng ấy; "
            f"địa bàn thiếu trên {limit} báo cáo không xếp hạng",
        )

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
                row_key="label",
                row_rows=lambda r: self.at_place(
                    None if r["label"] == WITHOUT_PLACE else r["label"]
                ),
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
        rows = self.product_rows(linkages)
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
                fields.append(money_field(key, name, rows, why_null=why, beside=VALUES))
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
            row_key="product_code",
            row_rows=lambda r: by_product(r["product_code"]),
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
        fields += [] if self.o.is_public else [
            Field(key="largest_buyer_share", label="Bên mua lớn nhất", kind="share", width=0.8),
        ]
        fields.append(Field(key="missing", label="Công đoạn còn thiếu", width=1.8))
        bases = list(
            dict.fromkeys(BASIS_TEXT.get(c["weight_basis"] or "", "") for c in self.clusters)
        )
        source = self.source(
            ("linkages", "organisations"), "phát hiện cụm bằng thuật toán Leiden trên mạng lưới liên kết",
            only={"linkages": pl.col("evidence") != "planned"}, through=("graph/edges", "graph/communities", "metrics/clusters"),
        )  # fmt: skip
        without = len(self.clusters) - len(self.reported_clusters())
        left_out = (f"{text.number(without)} cụm nhỏ không có báo cáo riêng",) if without else ()
        table = Table(
            id="danh-sach-cum",
            title="Các cụm liên kết, xếp theo số tổ chức" if self.o.is_public
            else "Các cụm liên kết, xếp theo giá trị đã thanh toán rồi theo số tổ chức",
            sheet="Cụm liên kết",
            row_key="cluster_id",
            row_rows=lambda r: self.inside(r["cluster_id"]) or {},
            fields=tuple(fields),
            rows=tuple(rows),
            source=source,
            notes=(
                *([] if self.o.is_public else [f"Tỷ trọng của bên mua lớn nhất tính theo {text.listing(b for b in bases if b)}"]),
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
                "cluster_id": c["cluster_id"],
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
                    {k: p[k] for k in ("share", "product", "product_label", "text")}
                    # The mark tells the product; what is left of the name fits in.
                    | {"label": str(p["label"]).partition(" – ")[2] or p["label"]}
                    for p in points
                ],
                "mark": self.mark(),
            },
            source=source,
            data=Table(
                id="hinh-tap-trung-so-lieu",
                title="Số liệu của hình: tỷ trọng của bên mua lớn nhất",
                sheet="Hình tập trung",
                row_key="cluster_id",
                row_rows=lambda r: self.inside(r["cluster_id"]) or {},
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
            "actual_value", "gap", "value_unit", "is_comparable", "is_met", "reason", "is_verified", "indicator_vi",
            "scope",
        )  # fmt: skip
        if not rows:
            return ()

        def note(r: Row) -> str:
            if r["is_comparable"]:
                said = {True: "Đạt", False: "Chưa đạt"}.get(r["is_met"], "So sánh được")
            else:
                said = text.sentence(text.label(text.REASONS, r["reason"]))[:-1]
            return said if r["is_verified"] else f"{said} (a)"

        def order(r: Row) -> tuple[object, ...]:
            # Targets of the year first, then later ones, then those whose year has passed.
            year = r["target_year"] or 0
            now = int(self.f.period)
            age = 0 if year == now else 1 if year > now else 2
            return (not r["is_comparable"], age, year if age < 2 else -year)

        shown = [
            {
                "id": "|".join(str(r[k]) for k in ("document", "indicator", "denominator", "target_year")),
                "indicator": indicator_label(r) + (
                    f" (so với {text.label(DENOMINATORS, r['denominator'])})" if r["denominator"] not in (None, "none") else ""
                ),
                "denominator": text.label(DENOMINATORS, r["denominator"]),
                "document": r["document"],
                "target": together(f"{text.COMPARATORS.get(r['comparator'] or '', '')} {measure_text(r['target_value'], r['value_unit'])}"),
                "year": r["target_year"],
                "actual": together(measure_text(r["actual_value"], r["value_unit"])) if r["actual_value"] is not None else None,
                "gap": together(gap_text(r["gap"], r["value_unit"])) if r["is_comparable"] else None,
                "note": note(r),
                "is_printed": r["is_comparable"] and (r["target_year"] or 0) >= int(self.f.period),
                "order": order(r),
            }
            for r in by(rows, "document", "target_year", "indicator", "denominator")
        ]  # fmt: skip
        shown.sort(key=lambda r: (not r["is_printed"], r["order"]))
        printed = sum(r["is_printed"] for r in shown)
        why = "chưa tính hoặc chưa so sánh được, xem cột Đánh giá"
        return (
            Table(
                id="tien-do-ke-hoach",
                title="Kết quả so với mục tiêu còn hiệu lực, cùng chỉ tiêu và cùng mẫu số",
                sheet="Tiến độ kế hoạch",
                row_key="id",
                fields=(
                    Field(key="indicator", label="Chỉ tiêu", width=3.3),
                    Field(key="document", label="Văn bản", width=1.8),
                    Field(key="year", label="Năm", kind="code", width=0.6),
                    Field(key="target", kind="words", label="Mục tiêu", width=1.15),
                    Field(key="actual", kind="words", label=f"Kỳ {self.f.period}", width=1.15, why_null=why),
                    Field(key="gap", kind="words", label="Chênh lệch", width=1.35, why_null=why),
                    Field(key="note", label="Đánh giá", width=1.25),
                ),
                more=(Field(key="denominator", label="Mẫu số"),),
                rows=tuple(shown),
                source=self.source(
                    ("plan_targets", "linkages", "cooperative_reports", "organisations"), "chỉ so sánh khi cùng chỉ tiêu và cùng mẫu số",
                    through=("metrics/indicators", "metrics/plan_progress"),
                ),
                notes=("(a): chỉ tiêu chưa đối chiếu với văn bản gốc",) if any("(a)" in r["note"] for r in shown) else (),
                page_rows=min(self.o.rows_printed, printed or len(shown)),
            ),
        )  # fmt: skip

    def tasks(self) -> tuple[Block, ...]:
        """Return how far the plan's tasks are, by department."""
        rows = self.f.rows(
            "core/plan_tasks",
            "document",
            "task_number",
            "locality",
            "due_on",
            "status",
            "progress_share",
        )
        if not rows:
            return ()
        groups: dict[str, list[Row]] = {}
        for r in rows:
            groups.setdefault(r["department"], []).append(r)
        counts = [
            {
                "department": department,
                "n": len(group),
                **{status: sum(r["status"] == status for r in group) for status in TASK_LABELS},
                "progress": mean([r["progress_share"] for r in group]),
            }
            for department, group in sorted(groups.items())
        ]
        fields = [Field(key="n", label="Nhiệm vụ", kind="count", width=0.9)]
        fields += [
            Field(key=k, label=v, kind="count", width=0.95) for k, v in TASK_LABELS.items() if total(counts, k)
        ]  # fmt: skip
        return (
            Table(
                id="nhiem-vu",
                title="Nhiệm vụ của kế hoạch theo cơ quan chủ trì",
                sheet="Nhiệm vụ theo cơ quan",
                row_key="department",
                row_rows=lambda r: {"plan_tasks": pl.col("department") == r["department"]},
                fields=(
                    Field(key="department", label="Cơ quan chủ trì", width=2.6),
                    *fields,
                    Field(key="progress", label="Mức hoàn thành bình quân", kind="share", width=1.2, why_null="không nhiệm vụ nào nêu mức hoàn thành"),
                ),
                rows=tuple(counts),
                total={"department": "Cộng", **{f.key: total(counts, f.key) for f in fields}, "progress": mean([r["progress_share"] for r in rows])},
                source=self.source(("plan_tasks",), "mỗi dòng là một nhiệm vụ tại một địa bàn; mức hoàn thành theo báo cáo của cơ quan"),
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
                    "measure": f"{r['indicator']}|{r['denominator']}|{r['evidence'] or ''}",
                    "indicator": name,
                    "denominator": None
                    if r["denominator"] in (None, "none")
                    else text.label(DENOMINATORS, r["denominator"]),
                    "shown": shown,
                    "value": raw,
                    "unit": r["value_unit"],
                    "n": r["n"],
                    "code": r["indicator"],
                    "evidence": r["evidence"],
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
                page_rows=min(18, self.o.rows_printed),
            ),
        )  # fmt: skip
