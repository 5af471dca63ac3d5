"""From frames to pages: what the overview and each cluster's report say.

What belongs here: choosing figures, putting them into sentences and tables, naming their source, and
saying what cannot be computed. Nothing is measured here that `metrics/` measures.
What does not: layout (`pdf`, `html`, `workbook`) and drawing (`figures`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

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
    Report,
    Section,
    Table,
    money_field,
)
from htx_pipeline.report.disclosure import withheld
from htx_pipeline.report.frames import Frames, Row, by, source_line
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.schemas import TABLES

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
BASIS_TEXT: Final[dict[str, str]] = {
    "paid_value": "giá trị đã thanh toán",
    "contracted_value": "giá trị theo hợp đồng",
    "links": "số liên kết",
}
WITHOUT_PLACE: Final = "Chưa rõ địa bàn"


def build_report(
    frames: Mapping[str, pl.DataFrame],
    *,
    period: str,
    options: ReportOptions,
    products: Mapping[str, str] | None = None,
) -> Report:
    """Return the pages of one period.

    Parameters
    ----------
    frames:
        Frames by key, as the asset graph stores them: ``core/<table>``, ``core/<table>_rejected``,
        ``core/<table>_findings``, ``raw/…findings``, ``metrics/…``. A frame that is absent or empty
        leaves its section out, or turns into a statement of what cannot be computed.
    period:
        The reporting year.
    options:
        Names, date and limits.
    products:
        Product code → label; the project's product list when None.

    Raises
    ------
    InputError
        When a frame lacks a column the report cannot do without.
    """
    read = Frames(frames, period=period)
    files = read.rows("raw/source_files", "is_synthetic")
    if any(r["is_synthetic"] for r in files) and not options.is_synthetic:
        options = options.model_copy(update={"is_synthetic": True})
    return _Builder(read, options, products).report()


class _Builder:
    """Holds what every section needs: the frames, the options, and the counts made once."""

    def __init__(
        self, frames: Frames, options: ReportOptions, products: Mapping[str, str] | None
    ) -> None:
        self.f = frames
        self.o = options
        self.products = dict(products) if products is not None else _product_labels()
        self.withheld = 0
        self.has_linkages = frames.has("core/linkages") or frames.has("graph/edges")
        self.clusters = self._ranked_clusters()
        self.localities = self._localities()

    # ------------------------------------------------------------------ shared

    def source(
        self, tables: Iterable[str], measure: str, *, only: Mapping[str, pl.Expr] | None = None
    ) -> str:
        return source_line(self.f, tables, measure=measure, only=only)

    def product(self, code: str | None) -> str:
        return text.label(self.products, code)

    def money_notes(self) -> tuple[str, ...]:
        return (self.o.currency_note,) if self.o.currency_note else ()

    def mark(self) -> str:
        return text.SYNTHETIC_MARK if self.o.is_synthetic else ""

    def _ranked_clusters(self) -> list[Row]:
        rows = self.f.rows(
            "metrics/clusters", "cluster_name_vi", "n_organisations", "n_cooperatives", "n_enterprises",
            "n_other", "localities", "official_members", "products", "main_product", "stages_present",
            "stages_missing", "n_linkages", "contracted_value_vnd", "paid_value_vnd", "executed_share",
            "weight_basis", "largest_buyer_name", "largest_buyer_share", "top_enterprises", "area_ha",
            "households", "executed_share_basis", "notes", "n_linkages_outside", "inside_share",
        )  # fmt: skip
        return by(
            rows, "paid_value_vnd", "contracted_value_vnd", "n_organisations", "cluster_id",
            descending=("paid_value_vnd", "contracted_value_vnd", "n_organisations"),
        )  # fmt: skip

    def _localities(self) -> list[Row]:
        rows = [
            {**r, "locality": WITHOUT_PLACE if r["locality"] in (None, "unknown") else r["locality"]}
            for r in self.f.rows(
                "metrics/localities", "n_cooperatives", "n_active", "n_reported", "n_unions",
                *(f"n_linked_{level}" for level in LEVELS), "linked_share", "official_members",
                "revenue_vnd", "n_revenue_stated", "member_income_vnd", "n_member_income", "area_ha",
                "paid_value_vnd", "contracted_value_vnd",
            )
            if r["locality"] != "province"
        ]  # fmt: skip
        self.sums: dict[str, Any] = {}
        self._withhold(rows, "revenue_vnd", "n_revenue_stated")
        self._withhold(rows, "member_income_vnd", "n_member_income")
        return by(rows, "n_cooperatives", "locality", descending=("n_cooperatives",))

    def _withhold(self, rows: Sequence[Row], value: str, count: str) -> None:
        """Put the mark of disclosure control into the cells of one column, and keep its total."""
        least = self.o.min_disclosure_count
        known = [row[value] for row in rows]
        counts = [row[count] or 0 for row in rows]
        # A measure that is already null because few stand behind it is withheld like the others.
        cells = [0 if v is None and n > 0 else v for v, n in zip(known, counts, strict=True)]
        hide = withheld(cells, counts, minimum=least)
        lost = any(known[i] is None for i in hide)
        self.sums[value] = HIDDEN if lost or 0 < sum(counts) < least else total(rows, value)
        for i in hide:
            rows[i][value] = HIDDEN
            self.withheld += 1

    def cooperatives(self) -> int | None:
        """Return the number of cooperatives (unions are counted apart)."""
        if self.localities:
            return int(total(self.localities, "n_cooperatives") or 0)
        if self.f.has("core/organisations"):
            frame = self.f.frame("core/organisations")
            return frame.filter(pl.col("legal_type") == "htx").height
        return None

    def not_reported(self) -> list[Row]:
        """Return cooperatives without a report, by locality and name."""
        status = TABLES["organisations"]["status"].code_labels()
        rows = [
            {**r, "state": status.get(r["status"] or "")}
            for r in self.f.rows("core/organisations", "locality", "status")
        ]
        sent = {r["org_id"] for r in self.f.rows("core/cooperative_reports")}
        return by(
            [r for r in rows if r["legal_type"] == "htx" and r["org_id"] not in sent],
            "locality",
            "name",
            "org_id",
        )

    def report(self) -> Report:
        clusters = tuple(self.cluster_page(row) for row in self.clusters)
        return Report(
            overview=self.overview(),
            clusters=clusters,
            settings=self.o,
            period=self.f.period,
            withheld_cells=self.withheld,
        )

    # ---------------------------------------------------------------- overview

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
                f"Mạng lưới có {text.number(len(self.clusters))} cụm liên kết; cụm đứng đầu là "
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

    def signed_linkages(self) -> list[Row]:
        """Return the linkages that are signed or stronger; a planned one has no value yet."""
        rows = self.f.rows(
            "core/linkages", "product_code", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes",
            "area_ha", "households", "evidence",
        )  # fmt: skip
        return [r for r in rows if r["evidence"] != "planned"]

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
            return tuple(
                self.level_table(
                    indicator, [r for r in rows if r["indicator"] == indicator], source
                )
                for indicator in LINKED_INDICATORS
                if any(r["indicator"] == indicator and defined(r) for r in rows)
            )
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

    def level_table(self, indicator: str, rows: Sequence[Row], source: str) -> Table:
        """Return one linked share: evidence levels down, each denominator across."""
        rank = {code: i for i, code in enumerate(DENOMINATORS)}
        bases = sorted(
            {r["denominator"] or "none" for r in rows}, key=lambda d: (rank.get(d, 99), d)
        )
        cells = {(r["evidence"], r["denominator"] or "none"): r for r in rows}
        fields = [Field(key="evidence", label="Mức bằng chứng", width=2.4)]
        why = "chưa tính được, xem mục Những nội dung chưa tính được"
        for i, base in enumerate(bases):
            sizes = {r["denominator_value"] for r in rows if (r["denominator"] or "none") == base}
            of = f" ({text.number(sizes.pop())})" if len(sizes) == 1 and None not in sizes else ""
            name = text.label(DENOMINATORS, base)
            fields += [
                Field(key=f"n{i}", label="Số HTX", kind="count", width=0.8, why_null=why),
                Field(
                    key=f"v{i}", label=f"So với {name}{of}", kind="share", width=1.5, why_null=why
                ),
            ]
        out = []
        for level in LEVELS:
            row: Row = {"evidence": LEVEL_TEXT[level]}
            for i, base in enumerate(bases):
                cell = cells.get((level, base), {})
                row |= {f"n{i}": cell.get("numerator"), f"v{i}": cell.get("value")}
            out.append(row)
        return Table(
            id=f"muc-do-lien-ket-{indicator}",
            title=f"{indicator_label(rows[0])}, theo mức bằng chứng và từng mẫu số",
            sheet="Mức độ liên kết",
            fields=tuple(fields),
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
            Field(key="n_reported", label="Đã báo cáo", kind="count", width=0.8),
        ]
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
        return (figure, table) if figure else (table,)

    def locality_figure(self, rows: Sequence[Row], source: str) -> Figure | None:
        levels = LEVELS if self.has_linkages else ("reported",)
        bars = []
        for r in rows:
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
        left = len(bars) - 18
        what = "có liên kết" if self.has_linkages else "đã gửi báo cáo"
        names = [LEVEL_TEXT[x] for x in levels] if self.has_linkages else ["Đã gửi báo cáo"]
        return Figure(
            id="hinh-dia-ban",
            title=f"Tỷ lệ hợp tác xã {what}, theo {self.o.locality_label.lower()}",
            alt=f"Biểu đồ thanh ngang: tỷ lệ hợp tác xã {what}; cao nhất là "
            f"{bars[0]['label']}, {bars[0]['text']}.",
            spec={
                "kind": "bars",
                "bars": [{k: b[k] for k in ("label", "shares", "text")} for b in bars[:18]],
                "series": names,
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
                    (f"Hình vẽ 18 địa bàn đứng đầu; {text.number(left)} địa bàn còn lại ở bảng",)
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
        source = self.source(("linkages",), "cộng các liên kết từ mức đã ký trở lên")
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
        return (figure, *blocks) if figure else tuple(blocks)

    def chain_figure(self, scope: str, page: str, stages: Mapping[str, int]) -> Figure | None:
        """Return the chain by stage of one scope, or None where there are no flows."""
        flows = [
            r
            for r in self.f.rows(
                "metrics/chain_flows",
                "product_code",
                "n_linkages",
                "value_vnd",
                "tonnes",
                "n_value",
                "n_tonnes",
                "weight_basis",
                "kind",
            )
            if r["scope"] == scope
        ]
        if not flows:
            return None
        if any(r["value_vnd"] for r in flows):
            measure, unit = "value_vnd", BASIS_TEXT.get(flows[0]["weight_basis"] or "", "giá trị")
        elif any(r["tonnes"] for r in flows):
            measure, unit = "tonnes", "khối lượng"
        else:
            measure, unit = "n_linkages", "số liên kết"

        def show(amount: float) -> str:
            if measure == "value_vnd":
                return text.money(amount)
            return (
                f"{text.number(amount, 1)} tấn"
                if measure == "tonnes"
                else f"{text.number(amount)} liên kết"
            )

        order = {s: i for i, s in enumerate((*text.STAGES, *text.FLOW_ENDS))}
        names = {**text.STAGES, **text.FLOW_ENDS}
        rows = sorted(
            (r for r in flows),
            key=lambda r: (
                self.product(r["product_code"]), order.get(r["from_stage"], 9), order.get(r["to_stage"], 9),
            ),
        )  # fmt: skip
        sums: dict[str, float] = {}
        for r in rows:
            sums[r["product_code"]] = sums.get(r["product_code"], 0) + (r[measure] or 0)
        ranked = sorted(sums, key=lambda c: (-sums[c], self.product(c)))
        stated = {"value_vnd": "n_value", "tonnes": "n_tonnes"}.get(measure)
        unstated = sum(
            max(0, (r["n_linkages"] or 0) - (r[stated] or 0)) if r.get(stated) is not None
            else (0 if r[measure] else r["n_linkages"] or 0)
            for r in rows
        ) if stated else 0  # fmt: skip
        spec = {
            "kind": "chain",
            "stages": [
                {"id": s, "label": text.STAGES[s], "n": stages.get(s, 0)} for s in text.STAGES
            ],
            "ends": dict(text.FLOW_ENDS),
            "products": [{"code": c, "label": self.product(c)} for c in ranked],
            "flows": [
                {
                    "from": r["from_stage"] or "unknown",
                    "to": r["to_stage"] or "unknown",
                    "product": r["product_code"],
                    "amount": r[measure] or 0,
                }
                for r in rows
            ],
            "scale": 1e9 if measure == "value_vnd" and max(sums.values()) >= 1e10 else 1e6 if measure == "value_vnd" else 1,
            "unit": ("tỷ đồng" if max(sums.values()) >= 1e10 else "triệu đồng")
            if measure == "value_vnd"
            else ("tấn" if measure == "tonnes" else "liên kết"),
            "mark": self.mark(),
        }  # fmt: skip
        notes = []
        if unstated:
            notes.append(
                f"{text.number(unstated)} liên kết không nêu {unit}, không vẽ được thành dải"
            )
        if any(r["kind"] == "balance" for r in rows):
            notes.append(
                "“Chưa rõ” là phần chênh giữa vào và ra của một công đoạn mà số liệu không nêu đi đâu hoặc từ đâu"
            )
        top = max(rows, key=lambda r: r[measure] or 0)
        source = self.source(
            ("linkages",), f"dòng sản phẩm qua các công đoạn, theo {unit}", only=self.inside(scope)
        )
        return Figure(
            id=f"hinh-chuoi-{page}",
            title=f"Dòng sản phẩm qua các công đoạn của chuỗi, theo {unit}",
            alt="Sơ đồ dòng sản phẩm qua các công đoạn; dòng lớn nhất: "
            f"{self.product(top['product_code'])}, từ {text.label(names, top['from_stage'])} đến "
            f"{text.label(names, top['to_stage'])}, {show(top[measure] or 0)}.",
            spec=spec,
            source=source,
            data=Table(
                id=f"hinh-chuoi-{page}-so-lieu",
                title="Số liệu của hình: dòng sản phẩm qua các công đoạn",
                sheet="Dòng theo công đoạn",
                fields=(
                    Field(key="product", label="Sản phẩm", width=1.5),
                    Field(key="from", label="Từ công đoạn", width=2.0),
                    Field(key="to", label="Đến công đoạn", width=2.0),
                    Field(key="n_linkages", label="Số liên kết", kind="count"),
                    money_field("value_vnd", "Giá trị", rows, why_null="liên kết không nêu số liệu này"),
                    Field(key="tonnes", label="Khối lượng", kind="tonnes", unit="tấn", why_null="liên kết không nêu số liệu này"),
                ),
                rows=tuple(
                    {
                        **r,
                        "product": self.product(r["product_code"]),
                        "from": text.label(names, r["from_stage"] or "unknown"),
                        "to": text.label(names, r["to_stage"] or "unknown"),
                    }
                    for r in rows
                ),
                source=source,
            ),
            notes=(*notes, *self.money_notes()),
        )  # fmt: skip

    def members_of(self, cluster_id: str) -> list[Row]:
        return [
            r
            for r in self.f.rows(
                "metrics/cluster_members", "name", "legal_type", "stage", "locality", "n_linkages",
                "value_in_vnd", "value_out_vnd", "official_members",
            )
            if r["cluster_id"] == cluster_id
        ]  # fmt: skip

    def inside(self, scope: str) -> dict[str, pl.Expr] | None:
        """Return which core rows belong to a cluster: both ends inside it."""
        if scope == "province":
            return None
        ids = [r["org_id"] for r in self.members_of(scope)]
        return {
            "linkages": pl.col("supplier_id").is_in(ids)
            & pl.col("buyer_id").is_in(ids)
            & (pl.col("evidence") != "planned"),
            "organisations": pl.col("org_id").is_in(ids),
            "cooperative_reports": pl.col("org_id").is_in(ids),
        }

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
            ),
            page_rows=self.o.rows_printed,
        )  # fmt: skip
        figure = self.concentration_figure(source)
        return (table, figure) if figure else (table,)

    def concentration_figure(self, source: str) -> Figure | None:
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
                    Field(key="target", label="Mục tiêu", width=1.1),
                    Field(key="actual", label=f"Kỳ {self.f.period}", width=1.1, why_null="chưa tính hoặc chưa so sánh được, xem cột Ghi chú"),
                    Field(key="gap", label="Chênh lệch", width=1.35, why_null="chưa tính hoặc chưa so sánh được, xem cột Ghi chú"),
                    Field(key="note", label="Ghi chú", width=1.6),
                ),
                rows=tuple(shown),
                source=self.source(("plan_targets", "linkages", "cooperative_reports", "organisations"), "chỉ so sánh khi cùng chỉ tiêu và cùng mẫu số"),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def province_indicators(self) -> list[Row]:
        rows = self.f.rows(
            "metrics/indicators", "locality", "evidence", "denominator", "numerator", "denominator_value",
            "value", "value_unit", "n", "is_defined", "reason", "label_vi",
        )  # fmt: skip
        return [r for r in rows if r["locality"] in (None, "province")]

    def indicators(self) -> tuple[Block, ...]:
        rows = []
        for r in by(self.province_indicators(), "indicator", "denominator", "evidence"):
            if r["indicator"] in LINKED_INDICATORS or not defined(r):
                continue
            value: Any = together(measure_text(r["value"], r["value_unit"]))
            sensitive = "income" in r["indicator"] or "revenue" in r["indicator"]
            if sensitive and r["n"] is not None and r["n"] < self.o.min_disclosure_count:
                value = HIDDEN
                self.withheld += 1
            rows.append(
                {
                    "indicator": indicator_label(r),
                    "evidence": SHORT_LEVELS.get(r["evidence"] or "", "Không phân mức"),
                    "denominator": text.label(DENOMINATORS, r["denominator"] or "none"),
                    "value": value,
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
                    Field(key="indicator", label="Chỉ tiêu", width=2.6),
                    Field(key="evidence", label="Mức bằng chứng", width=1.5),
                    Field(key="denominator", label="Mẫu số", width=1.8),
                    Field(key="n", label="Số đơn vị", kind="count", width=0.8),
                    Field(key="value", label="Giá trị", width=1.3),
                ),
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
        if self.f.has("core/cooperative_reports"):
            late = self.not_reported()
            if late:
                blocks.append(
                    Table(
                        id="chua-bao-cao",
                        title=f"Hợp tác xã chưa gửi báo cáo kỳ {self.f.period} ({text.number(len(late))} đơn vị)",
                        sheet="Chưa báo cáo",
                        fields=(
                            Field(key="locality", label=self.o.locality_label, width=1.5, why_null="chưa rõ địa bàn"),
                            Field(key="name", label="Tên hợp tác xã", width=3.0),
                            Field(key="org_id", label="Mã tổ chức", kind="code", width=1.3),
                            Field(key="state", label="Tình trạng", width=1.5, why_null="nguồn không nêu"),
                        ),
                        rows=tuple(late),
                        source=self.source(("organisations", "cooperative_reports"), "có trong danh bạ, không có báo cáo trong kỳ"),
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
        groups: dict[tuple[str, str], int] = {}
        indicators = self.f.rows(
            "metrics/indicators", "locality", "evidence", "denominator", "value", "value_unit", "is_defined", "reason", "label_vi",
        )  # fmt: skip
        for r in indicators:
            if not defined(r):
                key = (indicator_label(r), text.label(text.REASONS, r["reason"]))
                groups[key] = groups.get(key, 0) + 1
        rows += [
            {"what": what, "reason": text.sentence(reason)[:-1], "need": f"{text.number(n)} ô chưa tính được"}
            for (what, reason), n in sorted(groups.items())
        ]  # fmt: skip
        if not rows:
            return ()
        return (
            Table(
                id="chua-tinh-duoc",
                title="Nội dung chưa tính được và lý do",
                sheet="Chưa tính được",
                fields=(
                    Field(key="what", label="Nội dung", width=2.6),
                    Field(key="reason", label="Lý do", width=2.2),
                    Field(key="need", label="Cần bổ sung, phạm vi", width=2.0),
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
        for r in self.f.rows(
            "raw/source_files", "source_file", "sha256", "mapping_id", "is_usable", "reason_vi"
        ):
            if r["source_file"] not in files:
                why = (
                    "không đọc được"
                    if not r["is_usable"]
                    else "không có khai báo nguồn"
                    if r["mapping_id"] is None
                    else "không có dòng nào của kỳ"
                )
                if r["reason_vi"] and not r["is_usable"]:
                    why += f": {r['reason_vi']}"
                files[r["source_file"]] = {
                    "file": r["source_file"],
                    "hashes": {r["sha256"][:16]} if r["sha256"] else set(),
                    "tables": {f"({why})"},
                    "kept": 0,
                    "rejected": 0,
                }
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
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    # ----------------------------------------------------------------- cluster

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
            title=f"Cụm liên kết {name}",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope=cluster_id,
            sections=tuple(s for s in sections if s.blocks),
            cluster_id=cluster_id,
            summary={
                "name": name,
                "product": self.product(c["main_product"]),
                "n_organisations": text.number(c["n_organisations"]),
                "n_cooperatives": text.number(c["n_cooperatives"]),
                "value": text.money(c["paid_value_vnd"]),
                "localities": text.listing(c["localities"] or (), most=4),
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
                f" tại {text.number(len(c['localities']))} địa bàn: {text.listing(c['localities'])}"
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
                "delivered_tonnes", "is_present",
            )
            if r["cluster_id"] == c["cluster_id"]
        ]  # fmt: skip
        members = self.members_of(c["cluster_id"])
        stages = {s: sum(m["stage"] == s for m in members) for s in text.STAGES}
        for s in c["stages_present"] or ():
            stages[s] = max(stages.get(s, 0), 1)
        order = {s: i for i, s in enumerate(text.STAGES)}
        shown = [
            {
                **r,
                "product": self.product(r["product_code"]),
                "label": text.label(text.STAGES, r["stage"]),
                "state": "Có" if r["is_present"] else "Chưa có",
            }
            for r in rows
            if r["stage"] in order
        ]
        shown.sort(key=lambda r: (r["product"], order[r["stage"]]))
        blocks: list[Block] = []
        figure = self.chain_figure(c["cluster_id"], f"cum-{c['cluster_id']}", stages)
        if figure:
            blocks.append(figure)
        if shown:
            why = "không có liên kết nào nêu số liệu này"
            fields = [
                Field(key="product", label="Sản phẩm", width=1.4),
                Field(key="label", label="Công đoạn", width=2.0),
                Field(key="state", label="Có trong cụm", width=0.9),
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
        fields = [Field(key="name", label="Tổ chức", width=3.0)]
        if any(e["n_linkages"] is not None for e in top):
            fields.append(Field(key="n_linkages", label="Số liên kết", kind="count"))
        if any(e["value_vnd"] is not None for e in top):
            fields.append(money_field("value_vnd", "Giá trị", top, why_null="không nêu giá trị"))
        fields.append(
            Field(key="share", label="Tỷ trọng", kind="share", why_null="không tính được tỷ trọng")
        )
        data = Table(
            id="doanh-nghiep",
            title="Doanh nghiệp đầu mối",
            sheet="Doanh nghiệp đầu mối",
            fields=tuple(fields),
            rows=tuple(top),
            source=source,
            notes=self.money_notes(),
        )  # fmt: skip
        shares = [e for e in top if e["share"] is not None]
        if len(shares) < 2:
            return (data,)
        rest = 1 - math.fsum(e["share"] for e in shares)
        bars = [
            {"label": e["name"], "shares": [e["share"]], "text": text.share(e["share"])}
            for e in shares[:8]
        ]
        if rest > 0.0005 and len(shares) <= 8:
            bars.append({"label": "Các bên mua khác", "shares": [rest], "text": text.share(rest)})
        return (
            Figure(
                id=f"hinh-ben-mua-cum-{c['cluster_id']}",
                title=f"Tỷ trọng của các bên mua, theo {basis}",
                alt=f"Biểu đồ thanh ngang: đứng đầu là {shares[0]['name']}, {text.share(shares[0]['share'])}.",
                spec={"kind": "bars", "bars": bars, "series": [f"Tỷ trọng theo {basis}"], "mark": self.mark()},
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
            Field(key="name", label="Tên tổ chức", width=3.5),
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


def together(words: str) -> str:
    """Return *words* with spaces that do not break a line."""
    return words.strip().replace(" ", "\u00a0")


def defined(row: Mapping[str, Any]) -> bool:
    """Return whether an indicator has a value."""
    return row["value"] is not None and row["is_defined"] is not False


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


def generic_reason(found: Sequence[Row]) -> str:
    """Return what a rule says about all its rows: the reason without the value of one row."""
    reasons = set()
    for r in found:
        reason, raw = r["reason_vi"] or r["rule_id"] or "", r["raw_value"]
        if raw and reason.endswith(f": {raw}."):
            reason = f"{reason[: -len(raw) - 3]}."
        reasons.add(reason)
    first = min(reasons)
    return (
        first
        if len(reasons) == 1
        else f"{first} (và {text.number(len(reasons) - 1)} trường hợp tương tự)"
    )


def ordered(stages: Iterable[str] | None) -> list[str]:
    """Return stage codes in the order of the chain, unknown codes last."""
    rank = {s: i for i, s in enumerate(text.STAGES)}
    return sorted(stages or (), key=lambda s: (rank.get(s, 99), s))


def of_whole(part: int, whole: int, word: str = "") -> str:
    """Return a part with its share of the whole.

    Examples
    --------
    >>> of_whole(3, 4, "hợp tác xã"), of_whole(1, 4)
    ('3 hợp tác xã (75,0%)', '1 (25,0%)')
    """
    return f"{text.number(part)} {word}".strip() + f" ({text.share(ratio(part, whole))})"


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return part / whole; null when either is missing or the whole is 0.

    Examples
    --------
    >>> ratio(1, 4), ratio(1, 0), ratio(None, 4)
    (0.25, None, None)
    """
    return None if part is None or not whole else part / whole


def total(rows: Iterable[Mapping[str, Any]], key: str) -> Any:
    """Return the sum of what is stated; null when nothing is.

    Whole numbers are added exactly; others with `math.fsum`, so the order of rows does not matter.

    Examples
    --------
    >>> total([{"a": 1}, {"a": None}], "a"), total([{"a": None}], "a")
    (1, None)
    """
    numbers = [v for r in rows if isinstance(v := r.get(key), int | float)]
    if not numbers:
        return None
    return sum(numbers) if all(isinstance(v, int) for v in numbers) else math.fsum(numbers)


def _product_labels() -> dict[str, str]:
    """Return product code → Vietnamese label from the project's product list."""
    from htx_pipeline.reference.products import product_labels

    return dict(product_labels("vi"))
