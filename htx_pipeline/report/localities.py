"""One sheet per locality: where it stands, what it grows, which communes and cooperatives, what to mend.

What belongs here: the sheets of old districts and of communes of today. What does not: the table of
all localities (`overview`), the tables of a place (`place_tables`) and what is counted (`htx_pipeline.metrics.localities`, `communes`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Block,
    Fact,
    Facts,
    Page,
    Prose,
    Section,
)
from htx_pipeline.report.builder import of_whole, ratio
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import LEVELS, WITHOUT_PLACE
from htx_pipeline.report.place_tables import PlaceTables

WHOLE_PROVINCE: Final = "toàn tỉnh"
THROUGH: Final = ("graph/edges", "metrics/localities")


class LocalityPages(PlaceTables):
    """Builds the sheets of localities."""

    def locality_pages(self) -> tuple[Page, ...]:
        """Return a sheet for each old district (or locality as written), then for each commune."""
        named = [
            r for r in self.localities if r["locality"] != WITHOUT_PLACE and r["n_cooperatives"]
        ]
        pages = [self.locality_page(r) for r in named[: self.o.max_locality_reports]]
        communes = by(
            self.communes(), "n_cooperatives", "commune_code", descending=("n_cooperatives",)
        )
        pages += [self.commune_page(r) for r in communes[: self.o.max_commune_reports]]
        return tuple(pages)

    def communes(self, locality: str | None = None) -> list[Row]:
        """Return the communes of today that have a cooperative, of one district or of all."""
        rows = self.f.rows(
            "metrics/communes", "commune_name", "locality", "n_cooperatives", "n_active", "n_reported", "n_linkages",
            *(f"n_linked_{level}" for level in LEVELS), "paid_value_vnd", "contracted_value_vnd", "area_ha", "households",
            "official_members",
        )  # fmt: skip
        known = [r for r in rows if r["commune_code"] is not None and r["n_cooperatives"]]
        if locality is not None:
            known = [r for r in known if r["locality"] == locality]
        return by(
            known, "n_cooperatives", "commune_name", "commune_code", descending=("n_cooperatives",)
        )

    # ------------------------------------------------------------------ old district

    def locality_page(self, r: Row) -> Page:
        """Return the sheet of one locality."""
        name = r["locality"]
        only = self.at_place(name)
        sections = [
            Section(id="nhan-dinh", title="Nhận định chính", blocks=self.standing(r, only)),
            Section(id="thay-doi", title="Thay đổi so với kỳ trước", blocks=self.local_changes(name)),
            Section(id="san-pham", title="Sản phẩm và công đoạn", blocks=self.local_products(name, only)),
            Section(id="xa-phuong", title="Xã, phường", blocks=self.local_communes(name)),
            Section(id="nhiem-vu", title="Nhiệm vụ của kế hoạch", blocks=self.local_tasks(name)),
            Section(id="hop-tac-xa", title="Hợp tác xã trên địa bàn", blocks=self.local_cooperatives(only)),
            Section(id="so-lieu", title="Độ tin cậy của số liệu", blocks=self.local_quality(r, only)),
        ]  # fmt: skip
        return Page(
            id=f"dia-ban-{self.place_slug(name)}",
            title=f"Liên kết theo chuỗi giá trị tại {text.within(name)}",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope=f"locality:{name}",
            sections=tuple(s for s in sections if s.blocks),
            kind="locality",
            summary=self.place_summary(r, name),
        )

    def place_summary(self, r: Row, name: str) -> dict[str, str]:
        """Return what an index shows of a sheet."""
        return {
            "name": name,
            "n_cooperatives": text.number(r["n_cooperatives"]),
            "linked": text.number(r["n_linked_active"]),
            "value": text.money(r["paid_value_vnd"])
            if isinstance(r["paid_value_vnd"], int)
            else text.NULL_MARK,
            "localities": name,
        }

    def standing(self, r: Row, only: Mapping[str, pl.Expr]) -> tuple[Block, ...]:
        """Return the headline figures and sentences of a locality."""
        source = self.source(
            ("organisations", "cooperative_reports", "linkages"), f"số liệu của {text.within(r['locality'])}", only=only, through=THROUGH
        )  # fmt: skip
        page = f"dia-ban-{self.place_slug(r['locality'])}"
        ranked = f"tong-quan/theo-dia-ban/{r['locality']}"
        said = [
            (self.say_linked(r), self.linked_figures(page)),
            *((words, (f"{ranked}/rank", f"{ranked}/missing_share", f"{page}/so-chinh/n_reported")) for words in self.say_rank(r)),
            *((words, (f"{page}/so-chinh/n_linked_active",)) for words in self.say_missing_stages(r["locality"])),
        ]  # fmt: skip
        return (
            Facts(id="so-chinh", items=self.place_facts(r), source=source),
            Prose(
                id="cau-chinh", paragraphs=tuple(text.sentence(words) for words, _ in said), is_list=True, source=source,
                figures=tuple(rests for _, rests in said),
            ),
        )  # fmt: skip

    def linked_figures(self, page: str) -> tuple[str, ...]:
        """Return the ids of the figures that `say_linked` states."""
        return tuple(f"{page}/so-chinh/{k}" for k in ("n_cooperatives", "n_linked_active", "n_linked_executed"))  # fmt: skip

    def place_facts(self, r: Row) -> tuple[Fact, ...]:
        """Return the headline figures of a locality or commune."""
        count = r["n_cooperatives"]
        facts = [
            Fact(key="n_cooperatives", label="Hợp tác xã", value=text.number(count), detail=f"{text.number(r['n_active'])} đang hoạt động"),
            Fact(key="n_reported", label="Đã gửi báo cáo", value=text.number(r["n_reported"]), detail=text.share(ratio(r["n_reported"], count))),
        ]  # fmt: skip
        if self.has_linkages:
            facts.append(
                Fact(key="n_linked_active", label="Có liên kết", value=f"{text.number(r['n_linked_active'])} HTX",
                     detail=f"{text.share(ratio(r['n_linked_active'], count))}, từ mức đang thực hiện")
            )  # fmt: skip
            if r["n_linked_executed"] is not None:
                facts.append(
                    Fact(key="n_linked_executed", label="Đã thực hiện", value=f"{text.number(r['n_linked_executed'])} HTX",
                         detail=text.share(ratio(r["n_linked_executed"], count)))
                )  # fmt: skip
            if isinstance(r["paid_value_vnd"], int):
                facts.append(
                    Fact(key="paid_value_vnd", label="Đã thanh toán", value=text.money(r["paid_value_vnd"]),
                         detail=f"hợp đồng: {text.money(r['contracted_value_vnd'])}")
                )  # fmt: skip
        return tuple(facts)

    def say_linked(self, r: Row) -> str:
        """Say how many cooperatives are linked, and how many of these have delivered or been paid."""
        count = r["n_cooperatives"]
        if not self.has_linkages or r["n_linked_active"] is None:
            return f"Địa bàn có {text.number(count)} hợp tác xã; nguồn không có dữ liệu liên kết"
        line = f"{of_whole(r['n_linked_active'], count, 'hợp tác xã')} có liên kết đang thực hiện trở lên"
        if r["n_linked_executed"] is not None:
            line += f"; {of_whole(r['n_linked_executed'], count)} đã giao hàng hoặc thanh toán"
        rest = count - (r["n_linked_signed"] or 0)
        if rest > 0:
            line += f"; {text.number(rest)} hợp tác xã chưa có liên kết nào đã ký"
        return line

    def say_rank(self, r: Row) -> list[str]:
        """Say where the locality stands among the others, or why that cannot be said."""
        missing = text.share(r["missing_share"])
        if r["rank"] is None:
            if r["rank_reason"] == "too_much_missing":
                return [f"Không xếp hạng địa bàn này: {missing} số hợp tác xã chưa gửi báo cáo"]
            return []
        if r["rank"] == f"1–{r['n_ranked']}":
            return [
                "Tỷ lệ liên kết chưa đủ căn cứ để xếp thứ hạng giữa các địa bàn (các khoảng tin cậy 95% trùm lên nhau); "
                f"{missing} số hợp tác xã chưa gửi báo cáo"
            ]
        where = f"thứ {r['rank']}" if "–" not in r["rank"] else f"trong khoảng thứ {r['rank']}"
        return [
            f"Tỷ lệ liên kết đứng {where} trên {text.number(r['n_ranked'])} địa bàn được xếp hạng (khoảng tin cậy 95%); "
            f"{missing} số hợp tác xã chưa gửi báo cáo"
        ]

    def say_missing_stages(self, locality: str) -> list[str]:
        """Say which stages its products lack, and which of these are served from outside."""
        rows = [
            r
            for r in self.f.rows("metrics/chain_stages", "is_present", "is_served_from_outside", "is_named_by_decree")
            if r["locality"] == locality and r["is_present"] is False and r["is_named_by_decree"]
        ]  # fmt: skip
        if not rows:
            return []
        order = list(text.STAGES)
        groups: dict[str, list[str]] = {}
        for r in sorted(
            rows,
            key=lambda r: (
                order.index(r["stage"]) if r["stage"] in order else 9,
                r["product_code"],
            ),
        ):
            groups.setdefault(r["stage"], []).append(self.product(r["product_code"]).lower())
        parts = [
            f"{text.label(text.STAGES, stage).lower()} của {text.listing(names, most=4, of='sản phẩm')}"
            for stage, names in groups.items()
        ]
        return [f"Trên địa bàn chưa thấy tổ chức đảm nhận: {'; '.join(parts)}"]

    def local_changes(self, name: str) -> tuple[Block, ...]:
        """Return what changed in one locality."""
        rows = self.changed(lambda r: r["locality"] == name)
        return (
            *self.history(locality=name, page=f"dia-ban-{self.place_slug(name)}"),
            *self.change_blocks(rows, has_counts=False, printed=10),
        )

    def local_communes(self, name: str) -> tuple[Block, ...]:
        """Return the communes of a district, and its map."""
        blocks: list[Block] = []
        figure = self.map_figure(f"locality:{name}", f"dia-ban-{self.place_slug(name)}")
        if figure is not None:
            blocks.append(figure)
        rows = self.communes(name)
        if len(rows) > 1:
            blocks.append(self.commune_table(rows, self.at_place(name)))
        return tuple(blocks)

    def local_quality(self, r: Row, only: Mapping[str, pl.Expr]) -> tuple[Block, ...]:
        """Say how far the figures of a locality can be trusted."""
        name = r["locality"]
        late = [x for x in self.not_reported() if x["locality"] == name]
        frame = self.f.frame("core/linkages", "contracted_value_vnd", "evidence")
        here = frame.filter(only["linkages"]) if frame.height else frame
        page = f"dia-ban-{self.place_slug(name)}"
        told = (f"{page}/so-chinh/n_reported", f"{page}/so-chinh/n_cooperatives")
        rests: list[tuple[str, ...]] = [told]
        said = [
            f"{of_whole(r['n_reported'] or 0, r['n_cooperatives'], 'hợp tác xã')} đã gửi báo cáo kỳ {self.f.period}"
        ]
        if late:
            rests.append((f"tong-quan/theo-dia-ban/{name}/missing_share", *told))
            said.append(
                f"Chưa gửi báo cáo: {text.listing((x['name'] or x['org_id'] for x in late), most=8, of='đơn vị')}"
            )
        if here.height:
            signed = here.filter(pl.col("evidence") != "planned")
            valued = signed.filter(pl.col("contracted_value_vnd").is_not_null()).height
            said.append(
                f"{text.number(valued)} trên {text.number(signed.height)} liên kết đã ký của địa bàn có nêu giá trị hợp đồng; "
                "liên kết không nêu giá trị không được ước tính"
            )
        return (
            Prose(
                id="tin-cay", paragraphs=tuple(map(text.sentence, said)), is_list=True, figures=tuple(rests),
                source=self.source(("organisations", "cooperative_reports", "linkages"), "đếm dòng có nêu số liệu", only=only),
            ),
        )  # fmt: skip

    def place_slug(self, name: str) -> str:
        """Return the part of a locality's ids and file names; names that fold alike stay apart."""
        slug = text.slug(name)
        alike = [r["locality"] for r in self.localities if text.slug(r["locality"]) == slug]
        if slug and len(alike) < 2:
            return slug
        return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:4]}".lstrip("-")

    # ------------------------------------------------------------------ commune

    def commune_page(self, r: Row) -> Page:
        """Return the sheet of one commune of today."""
        name, code = r["commune_name"] or r["commune_code"], r["commune_code"]
        only = self.at_place(None, commune=code)
        source = self.source(
            ("organisations", "cooperative_reports", "linkages"), f"số liệu của {text.within(name)}", only=only,
            through=("graph/edges", "metrics/communes"),
        )  # fmt: skip
        where = f"; đến 30/6/2025 thuộc {r['locality']}" if r["locality"] else ""
        page = f"dia-ban-xa-{code}"
        said = [self.say_linked(r), f"{name} mang mã {code} theo đơn vị hành chính hiện nay{where}"]
        rests = (self.linked_figures(page), (f"{page}/so-chinh/n_cooperatives",))
        sections = [
            Section(
                id="nhan-dinh",
                title="Nhận định chính",
                blocks=(
                    Facts(id="so-chinh", items=self.place_facts(r), source=source),
                    Prose(id="cau-chinh", paragraphs=tuple(map(text.sentence, said)), is_list=True, source=source, figures=rests),
                ),
            ),
            Section(id="san-pham", title="Sản phẩm", blocks=self.local_products("", only)),
            Section(id="hop-tac-xa", title="Hợp tác xã trên địa bàn", blocks=self.local_cooperatives(only)),
        ]  # fmt: skip
        return Page(
            id=page,
            title=f"Liên kết theo chuỗi giá trị tại {text.within(name)}",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope=f"commune:{code}",
            sections=tuple(s for s in sections if s.blocks),
            kind="locality",
            most_pages=2,
            summary={**self.place_summary(r, name), "localities": r["locality"] or ""},
        )
