"""The overview: what the province (or register) looks like in one period.

What belongs here: its sections and sentences. What does not: one cluster (`cluster`).
"""

from __future__ import annotations

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Block,
    Fact,
    Facts,
    Page,
    Prose,
    Section,
    Table,
)
from htx_pipeline.report.builder import (
    of_whole,
    ratio,
    total,
)
from htx_pipeline.report.changes import ChangeSections
from htx_pipeline.report.frames import Row
from htx_pipeline.report.labels import (
    LEVELS,
)
from htx_pipeline.report.overview_linkages import LinkageSections
from htx_pipeline.report.overview_plan import PlanSections
from htx_pipeline.report.overview_says import OverviewSays, Said
from htx_pipeline.report.quality import QualitySections


class OverviewPages(ChangeSections, QualitySections, LinkageSections, PlanSections, OverviewSays):
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
            *(Said("Quy mô và báo cáo.", words, ("so-chinh/n_cooperatives", "so-chinh/n_reported")) for words in self.say_cooperatives(h)),
            *self.say_linkages(h),
            *(self.say_change(h) or self.say_value(h)),
            *self.say_plan(),
            *self.say_tasks(),
            *self.say_clusters(),
            *(Said("Số liệu.", words, ("dong-vao-ra/Cộng/rows_rejected", "dong-vao-ra/Cộng/rows_in")) for words in self.say_rejected(h)),
        )  # fmt: skip
        return (
            Facts(id="so-chinh", items=self.headline_facts(h), source=source),
            Prose(
                id="cau-chinh", paragraphs=tuple(f"{s.lead} {text.sentence(s.words)}" for s in said), is_list=True, source=source,
                leads=tuple(s.lead for s in said), figures=tuple(tuple(f"tong-quan/{f}" for f in s.figures) for s in said),
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

    def say_linkages(self, h: Row) -> list[Said]:
        """Return what is said of linkages in the period."""
        if not self.has_linkages:
            words = (
                "Nguồn này không có dữ liệu liên kết giữa hợp tác xã và doanh nghiệp; báo cáo chỉ nêu được "
                "số lượng, địa bàn và kết quả hoạt động của hợp tác xã"
            )
            return [Said("Chưa có số liệu liên kết.", words, ("so-chinh/n_cooperatives",))]
        said: list[Said] = []
        if h["planned"] is not None and h["count"]:
            line = f"{of_whole(h['active'], h['count'], 'hợp tác xã')} có liên kết đang thực hiện trở lên"
            if h["planned"] != h["active"]:
                line += f"; {of_whole(h['planned'], h['count'])} nếu kể cả mới dự kiến hoặc mới ký"
            if h["executed"] is not None:
                line += f"; {of_whole(h['executed'], h['count'])} đã giao hàng hoặc thanh toán"
            else:
                line += "; nguồn không nêu việc giao hàng hoặc thanh toán nên chưa biết đã thực hiện đến đâu"
            said.append(
                Said("Mức độ liên kết.", line, (*self.level_figures(), "so-chinh/n_linked_active"))
            )
        return said

    def say_value(self, h: Row) -> list[Said]:
        """Say what the linkages are worth."""
        if not self.has_linkages:
            return []
        if h["contracted"] or h["paid"]:
            words = f"Giá trị theo hợp đồng là {text.money(h['contracted'])}; giá trị đã thanh toán là {text.money(h['paid'])}"
            figures = tuple(f"theo-san-pham/Cộng/{k}_value_vnd" for k in ("contracted", "paid"))
            return [Said("Giá trị.", words, figures)]
        if h["linkages"]:
            words = (
                f"Nguồn nêu {text.number(h['linkages'])} liên kết nhưng không nêu giá trị; các tỷ trọng "
                "trong báo cáo tính theo số liên kết"
            )
            return [Said("Chưa có giá trị.", words, ("so-chinh/n_linkages",))]
        return []

    def say_clusters(self) -> list[Said]:
        """Say how many clusters there are, which is the largest, how many lack a stage."""
        said: list[Said] = []
        if self.clusters and self.has_linkages:
            largest = self.clusters[0]
            short = sum(bool(c["stages_missing"]) for c in self.clusters)
            said.append(
                Said(
                    "Cụm liên kết.",
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
                    change=self.change_of_value(h["paid"], "paid_value_vnd"),
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
