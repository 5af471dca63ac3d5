"""The tables of a place: its products, communes, tasks and cooperatives.

What belongs here: rows and columns of the sheets of old districts and communes. What does not: what is said of
a place, and its sheet as a whole (`localities`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import HIDDEN, Block, Field, Table, money_field
from htx_pipeline.report.builder import NO_VALUE, area_field, paid_field, total, value_fields
from htx_pipeline.report.changes import ChangeSections
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import LEVELS, TASK_LABELS

LEVEL_NAMES: Final = ("Chưa liên kết", "Dự kiến", "Đã ký", "Đang thực hiện", "Đã thực hiện")


class PlaceTables(ChangeSections):
    """Builds the tables of a place."""

    def local_linkages(self, only: Mapping[str, pl.Expr]) -> list[Row]:
        """Return the signed linkages of a place."""
        frame = self.f.frame("core/linkages", "evidence")
        if not frame.height:
            return []
        ids = set(frame.filter(only["linkages"])["linkage_id"].to_list())
        return [r for r in self.signed_linkages() if r["linkage_id"] in ids]

    def local_products(self, name: str, only: Mapping[str, pl.Expr]) -> tuple[Block, ...]:
        """Return the linkages of a place by product, and the stages its chains have."""
        rows = self.product_rows(self.local_linkages(only))
        if not rows:
            return ()
        present: dict[str, list[str]] = {}
        for r in self.f.rows("metrics/chain_stages", "is_present"):
            if r["locality"] == name and r["is_present"]:
                present.setdefault(r["product_code"], []).append(r["stage"])
        order = list(text.STAGES)
        for r in rows:
            stages = sorted(
                present.get(r["product_code"] or "", []),
                key=lambda s: order.index(s) if s in order else 9,
            )
            r["stages"] = ", ".join(text.label(text.SHORT_STAGES, s) for s in stages) or None
        why = "không có liên kết nào nêu số liệu này"
        fields = [
            Field(key="product", label="Sản phẩm", width=1.8),
            Field(key="n_linkages", label="Số liên kết", kind="count", width=0.8),
            Field(key="n_buyers", label="Bên mua", kind="count", width=0.7),
        ]
        fields += value_fields(rows, why_null=why)
        fields += area_field(rows, width=0.9, why_null=why)
        if any(r["stages"] for r in rows):
            fields.append(
                Field(
                    key="stages", label="Công đoạn có trên địa bàn", width=2.2, why_null="chưa rõ"
                )
            )
        signed = pl.col("evidence") != "planned"
        source = self.source(
            ("linkages",), "cộng các liên kết từ mức đã ký trở lên", only={"linkages": only["linkages"] & signed}
        )  # fmt: skip
        return (
            Table(
                id="san-pham",
                title="Liên kết theo sản phẩm",
                sheet="Sản phẩm theo địa bàn",
                row_key="product_code",
                row_rows=lambda r: {"linkages": pl.col("product_code").eq_missing(r["product_code"])},
                fields=tuple(fields),
                rows=tuple(rows),
                source=source,
                notes=self.money_notes(),
                page_rows=12,
            ),
        )  # fmt: skip

    def commune_table(
        self, rows: Sequence[Row], only: Mapping[str, pl.Expr] | None = None
    ) -> Table:
        """Return communes side by side."""
        fields = [
            Field(key="commune_name", label="Xã, phường (từ 01/7/2025)", width=2.2),
            Field(key="n_cooperatives", label="Số HTX", kind="count", width=0.8),
            Field(key="n_reported", label="Đã báo cáo", kind="count", width=0.9),
        ]
        if self.has_linkages:
            fields += [
                Field(key="n_linked_active", label="Có liên kết", kind="count", width=0.9),
                Field(key="n_linked_executed", label="Đã thực hiện", kind="count", width=0.9, why_null="nguồn không nêu việc giao hàng"),
            ]  # fmt: skip
            fields += paid_field(rows)
        counted = [f for f in fields if f.is_number]
        return Table(
            id="xa-phuong",
            title="Hợp tác xã và liên kết theo xã, phường",
            sheet="Theo xã phường",
            row_key="commune_code",
            row_rows=lambda r: self.at_place(None, commune=r["commune_code"]),
            fields=tuple(fields),
            more=(Field(key="commune_code", label="Mã xã, phường", kind="code"), Field(key="locality", label="Huyện (đến 30/6/2025)")),
            rows=tuple(rows),
            total={"commune_name": "Cộng", **{f.key: total(rows, f.key) for f in counted}},
            source=self.source(
                ("organisations", "cooperative_reports", "linkages"), "địa bàn theo đơn vị hành chính hiện nay",
                only=only, through=("graph/edges", "metrics/communes"),
            ),
            page_rows=self.o.rows_printed,
        )  # fmt: skip

    def local_tasks(self, name: str) -> tuple[Block, ...]:
        """Return the plan's tasks in one locality, then those of the whole province."""
        rows = [
            {
                **r,
                "status_text": text.label(TASK_LABELS, r["status"]),
                "id": "|".join((r["document"], r["task_number"], r["locality"])),
                "is_own": r["locality"] == name,
            }
            for r in self.f.rows("core/plan_tasks", "document", "task_number", "locality", "due_on", "status", "progress_share")
            if r["locality"] == name
        ]  # fmt: skip
        if not rows:
            return ()
        return (
            Table(
                id="nhiem-vu",
                title="Nhiệm vụ giao cho địa bàn",
                sheet="Nhiệm vụ theo địa bàn",
                row_key="id",
                row_rows=lambda r: {
                    "plan_tasks": (pl.col("document") == r["document"]) & (pl.col("task_number") == r["task_number"])
                    & (pl.col("locality") == r["locality"])
                },
                fields=(
                    Field(key="task", label="Nhiệm vụ", width=3.0),
                    Field(key="department", label="Cơ quan chủ trì", width=1.7),
                    Field(key="due_on", label="Thời hạn", kind="date", width=0.9, why_null="kế hoạch không nêu"),
                    Field(key="status_text", label="Tình trạng", width=1.1),
                    Field(key="progress_share", label="Hoàn thành", kind="share", width=0.8, why_null="không nêu"),
                ),
                rows=tuple(by(rows, "task_number", "task")),
                source=self.source(("plan_tasks",), "theo báo cáo của cơ quan chủ trì", only={"plan_tasks": pl.col("locality") == name}),
            ),
        )  # fmt: skip

    def local_cooperatives(self, only: Mapping[str, pl.Expr]) -> tuple[Block, ...]:
        """Return the cooperatives of a place with their strongest evidence, the unlinked last."""
        frame = self.f.frame("core/organisations", "name", "legal_type", "status", "org_id")
        if not frame.height:
            return ()
        here = frame.filter(only["organisations"], pl.col("legal_type") == "htx")
        reported = {r["org_id"] for r in self.f.rows("core/cooperative_reports")}
        levels, sums, buyers = self.strongest()
        rows = [
            {
                "org_id": r["org_id"],
                "name": r["name"],
                "level": LEVEL_NAMES[levels.get(r["org_id"], 0)],
                "rank": levels.get(r["org_id"], 0),
                "buyers": len(buyers.get(r["org_id"], ())),
                "contracted_value_vnd": HIDDEN if self.o.is_public else sums.get(r["org_id"]),
                "reported": "Có" if r["org_id"] in reported else "Chưa",
            }
            for r in here.select("org_id", "name").to_dicts()
        ]
        if not rows:
            return ()
        order = ("rank",) if self.o.is_public else ("rank", "contracted_value_vnd")
        rows = by(rows, *order, "name", "org_id", descending=order)
        fields = [Field(key="name", label="Hợp tác xã", width=3.4)]
        if self.has_linkages:
            fields += [
                Field(key="level", label="Mức liên kết cao nhất", width=1.4),
                Field(key="buyers", label="Số đối tác", kind="count", width=0.7),
                money_field(
                    "contracted_value_vnd",
                    "Theo hợp đồng",
                    rows,
                    why_null=NO_VALUE,
                ),
            ]
        if reported:
            fields.append(Field(key="reported", label="Báo cáo", width=0.7))
        return (
            Table(
                id="hop-tac-xa",
                title=f"Hợp tác xã và mức liên kết ({text.number(len(rows))} đơn vị)",
                sheet="HTX theo địa bàn",
                row_key="org_id",
                row_rows=lambda r: self.of_organisation(r["org_id"]),
                fields=tuple(fields),
                more=(Field(key="org_id", label="Mã tổ chức", kind="code"),),
                rows=tuple(rows),
                source=self.source(("organisations", "linkages", "cooperative_reports"), "mức bằng chứng cao nhất trong các liên kết của đơn vị",
                    only={"organisations": only["organisations"], "cooperative_reports": only["cooperative_reports"],
                          "linkages": pl.col("supplier_id").is_in([r["org_id"] for r in rows]) | pl.col("buyer_id").is_in([r["org_id"] for r in rows])}),
                page_rows=15,
            ),
        )  # fmt: skip

    def of_organisation(self, org_id: str) -> dict[str, pl.Expr]:
        """Return the core rows that speak of one organisation."""
        return {
            "organisations": pl.col("org_id") == org_id,
            "cooperative_reports": pl.col("org_id") == org_id,
            "linkages": ((pl.col("supplier_id") == org_id) | (pl.col("buyer_id") == org_id))
            & (pl.col("supplier_id") != pl.col("buyer_id")),
        }

    def strongest(self) -> tuple[dict[str, int], dict[str, int], dict[str, set[str]]]:
        """Return per organisation its strongest evidence, its contracted value and its partners."""
        if self._strongest is None:
            levels: dict[str, int] = {}
            sums: dict[str, int] = {}
            partners: dict[str, set[str]] = {}
            for r in self.f.rows("core/linkages", "evidence", "contracted_value_vnd"):
                rank = LEVELS.index(r["evidence"]) + 1 if r["evidence"] in LEVELS else 0
                for own, other in (
                    (r["supplier_id"], r["buyer_id"]),
                    (r["buyer_id"], r["supplier_id"]),
                ):
                    if own == other:
                        continue
                    levels[own] = max(levels.get(own, 0), rank)
                    partners.setdefault(own, set()).add(other)
                    if rank > 1 and r["contracted_value_vnd"] is not None:
                        sums[own] = sums.get(own, 0) + r["contracted_value_vnd"]
            self._strongest = (levels, sums, partners)
        return self._strongest
