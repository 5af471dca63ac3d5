"""What every page is built with: the frames, the options, counts made once, shared blocks.

What belongs here: what the overview and the clusters both need. What does not: either page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    HIDDEN,
    Field,
    Figure,
    Source,
    Table,
    money_field,
)
from htx_pipeline.report.disclosure import withheld
from htx_pipeline.report.frames import Frames, Row, by, source_of
from htx_pipeline.report.labels import (
    BASIS_TEXT,
    LEVELS,
    WITHOUT_PLACE,
)
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.text import Lang
from htx_pipeline.report.words import Words
from htx_pipeline.schemas import TABLES


class Builder:
    """Holds what every section needs: the frames, the options, and the counts made once."""

    def __init__(
        self,
        frames: Frames,
        options: ReportOptions,
        products: Mapping[str, str] | None,
        *,
        lang: Lang = "vi",
    ) -> None:
        self.f = frames
        self.o = options
        self.lang: Lang = lang
        self.w = Words(lang)
        self.products = dict(products) if products is not None else _product_labels(lang)
        self.withheld = 0
        self.has_linkages = frames.has("core/linkages") or frames.has("graph/edges")
        self.clusters = self._ranked_clusters()
        self.localities = self._localities()

    # ------------------------------------------------------------------ shared

    def source(
        self,
        tables: Iterable[str],
        measure: str,
        *,
        only: Mapping[str, pl.Expr] | None = None,
        through: Sequence[str] = (),
    ) -> Source:
        return source_of(self.f, tables, measure=measure, only=only, through=through, lang=self.lang)

    def product(self, code: str | None) -> str:
        return text.label(self.products, code)

    def money_notes(self) -> tuple[str, ...]:
        return (self.o.currency_note,) if self.o.currency_note else ()

    def mark(self) -> str:
        return text.SYNTHETIC_MARK if self.o.is_synthetic else ""

    def _ranked_clusters(self) -> list[Row]:
        rows = self.f.rows(
            "metrics/clusters", "cluster_name_vi", "cluster_name_en", "main_locality", "period", "n_organisations", "n_cooperatives", "n_enterprises",
            "n_other", "n_paid_value", "localities", "official_members", "products", "main_product", "stages_present",
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
        """Return cooperatives that should have reported and did not, by locality and name.

        The roster says who should; without one, every cooperative of the register should.
        """
        if self.f.has("metrics/reporting_roster"):
            roster = self.f.rows(
                "metrics/reporting_roster", "name", "locality", "status", "has_reported_before"
            )
            told = {True: "Kỳ trước có báo cáo", False: "Kỳ trước cũng chưa báo cáo"}
            missing = [
                {**r, "state": told.get(r["has_reported_before"])}
                for r in roster
                if r["status"] == "missing"
            ]
            return by(missing, "locality", "name", "org_id")
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

    def chain_figure(
        self, scope: str, page: str, stages: Mapping[str, int], *, by_linkage: Iterable[str] = ()
    ) -> Figure | None:
        """Return the chain by stage of one scope, or None where there are no flows.

        ``stages``: organisations at each stage; ``by_linkage``: stages that only linkages cover.
        """
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
        covered = {s for s in by_linkage if not stages.get(s)}
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
                {
                    "id": s,
                    "label": text.STAGES[s],
                    "n": stages.get(s, 0),
                    "why": "theo liên kết" if s in covered else "",
                }
                for s in text.STAGES
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

    def reported_clusters(self) -> list[Row]:
        """Return the clusters that get a report of their own."""
        large = [c for c in self.clusters if (c["n_organisations"] or 0) >= self.o.min_cluster_size]
        return large[: self.o.max_cluster_reports]

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

    def signed_linkages(self) -> list[Row]:
        """Return the linkages that are signed or stronger; a planned one has no value yet."""
        rows = self.f.rows(
            "core/linkages", "product_code", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes",
            "area_ha", "households", "evidence",
        )  # fmt: skip
        return [r for r in rows if r["evidence"] != "planned"]

    def province_indicators(self) -> list[Row]:
        rows = self.f.rows(
            "metrics/indicators", "locality", "evidence", "denominator", "numerator", "denominator_value",
            "value", "value_unit", "n", "is_defined", "reason", "label_vi",
        )  # fmt: skip
        return [r for r in rows if r["locality"] in (None, "province")]


def defined(row: Mapping[str, Any]) -> bool:
    """Return whether an indicator has a value."""
    return row["value"] is not None and row["is_defined"] is not False


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


def _product_labels(lang: Lang) -> dict[str, str]:
    """Return product code → label from the project's product list."""
    from htx_pipeline.reference.products import product_labels

    return dict(product_labels(lang))
