"""Sections of the overview about clusters, the plan, its tasks, and the common indicators.

What belongs here: these tables and pictures. What does not: headline figures and the order of the
sections (`overview`), linkages by place and product (`overview_linkages`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    HIDDEN,
    Block,
    Field,
    Figure,
    Source,
    Table,
)
from htx_pipeline.report.builder import (
    NO_VALUE,
    Builder,
    defined,
    mean,
    ordered,
    paid_field,
    total,
)
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import (
    BASIS_TEXT,
    DENOMINATORS,
    INDICATORS,
    LEVELS,
    LINKED_INDICATORS,
    SHORT_LEVELS,
    TASK_LABELS,
    gap_text,
    indicator_label,
    measure_text,
    together,
)


class PlanSections(Builder):
    """Builds the sections of the overview that list clusters and measure the plan."""

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
            fields += paid_field(rows)
            fields.append(
                Field(
                    key="executed_share",
                    label="Đã thực hiện",
                    kind="share",
                    width=0.8,
                    why_null=NO_VALUE,
                )
            )
        else:
            fields.append(Field(key="n_linkages", label="Liên kết", kind="count", width=0.8))
        fields += (
            []
            if self.o.is_public
            else [
                Field(key="largest_buyer_share", label="Bên mua lớn nhất", kind="share", width=0.8),
            ]
        )
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
