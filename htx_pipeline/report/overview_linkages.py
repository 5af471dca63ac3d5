"""Sections of the overview about linkages: by level of evidence, by place, by product.

What belongs here: tables and pictures of who is linked. What does not: headline figures and the order of
the sections (`overview`), clusters and the plan (`overview_plan`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from htx_pipeline.reference.thresholds import threshold
from htx_pipeline.report import text
from htx_pipeline.report.behind import by_product
from htx_pipeline.report.blocks import (
    Block,
    Field,
    Figure,
    Source,
    Table,
    money_field,
)
from htx_pipeline.report.builder import area_field, defined, paid_field, ratio, total, value_fields
from htx_pipeline.report.frames import Row
from htx_pipeline.report.illustrator import Illustrator
from htx_pipeline.report.labels import (
    DENOMINATORS,
    LEVEL_TEXT,
    LEVELS,
    LINKED_INDICATORS,
    SHORT_LEVELS,
    WITHOUT_PLACE,
    indicator_label,
)


class LinkageSections(Illustrator):
    """Builds the sections of the overview that count linkages."""

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
        rank = Field(key="rank", label="Hạng", kind="words", width=0.8, why_null="không xếp hạng")
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
                    *([rank] if is_told_apart(rows) else []),
                    Field(key="missing_share", label="Thiếu báo cáo", kind="share", width=0.9),
                ]
                fields = [f for f in fields if f.key != "n_reported"]  # fmt: skip
            fields += paid_field(rows)
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
            more=(
                *(() if any(f.key == "n_reported" for f in fields) else (Field(key="n_reported", label="Đã báo cáo", kind="count"),)),
                *((rank,) if any(r["rank"] for r in rows) and not is_told_apart(rows) else ()),
            ),
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
        if not is_told_apart(rows):
            return (
                "Không in thứ hạng: các khoảng tin cậy 95% của tỷ lệ liên kết trùm lên nhau, chưa đủ căn cứ để xếp hạng địa bàn nào "
                "hơn địa bàn nào",
            )
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
        fields += value_fields(rows, why_null=why)
        if any(r["delivered_tonnes"] is not None for r in rows):
            fields.append(
                Field(
                    key="delivered_tonnes",
                    label="Đã giao",
                    kind="tonnes",
                    unit="tấn",
                    width=1.1,
                    why_null=why,
                )
            )
        fields += area_field(rows, width=1.1, why_null=why)
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


def is_told_apart(rows: Sequence[Row]) -> bool:
    """Return whether any place is told apart from another: not every rank may be anybody's.

    Examples
    --------
    >>> is_told_apart([{"rank": "1–2", "n_ranked": 2}] * 2), is_told_apart([{"rank": "1", "n_ranked": 2}])
    (False, True)
    """
    return any(r["rank"] not in (None, f"1–{r['n_ranked']}") for r in rows)
