"""What every page is built with: the frames, the options, counts made once, shared blocks.

What belongs here: what the overview and the clusters both need. What does not: either page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Final

import polars as pl

from htx_pipeline.metrics.communes import current_communes
from htx_pipeline.metrics.ranking import careful_ranks
from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    HIDDEN,
    Field,
    Source,
    money_field,
)
from htx_pipeline.report.boundaries import read_boundaries
from htx_pipeline.report.disclosure import withheld
from htx_pipeline.report.frames import Frames, Row, by, source_of
from htx_pipeline.report.geography import Geography, geography_of
from htx_pipeline.report.labels import (
    LEVELS,
    WITHOUT_PLACE,
)
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.text import Lang
from htx_pipeline.report.words import Words
from htx_pipeline.schemas import TABLES

VALUE_LABELS: Final[Mapping[str, str]] = {
    "contracted_value_vnd": "Theo hợp đồng",
    "paid_value_vnd": "Đã thanh toán",
}
"""Columns of value as tables of products and places head them."""
NO_VALUE: Final = "không có hợp đồng nêu giá trị"
"""Why an amount of a place, a product or a cluster is absent."""


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
        self._placed: pl.DataFrame | None = None
        self._at: dict[tuple[str | None, str | None], dict[str, pl.Expr]] = {}
        self._inside: dict[str, dict[str, pl.Expr]] = {}
        self._strongest: tuple[dict[str, int], dict[str, int], dict[str, set[str]]] | None = None
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
        return source_of(
            self.f, tables, measure=measure, only=only, through=through, lang=self.lang
        )

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
        if (
            self.o.is_public
        ):  # An order by value would tell between which values a withheld one lies.
            return by(rows, "n_organisations", "cluster_id", descending=("n_organisations",))
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
                "paid_value_vnd", "contracted_value_vnd", "linked_share_low", "linked_share_high", "households",
                "n_linkages", "n_enterprises", "n_cooperative_groups",
            )
            if r["locality"] != "province"
        ]  # fmt: skip
        self.sums: dict[str, Any] = {}
        if not self.o.is_public:  # There, `publish` decides over all tables at once.
            self._withhold(rows, "revenue_vnd", "n_revenue_stated")
            self._withhold(rows, "member_income_vnd", "n_member_income")
        self._rank(rows)
        return by(rows, "n_cooperatives", "locality", descending=("n_cooperatives",))

    def _rank(self, rows: Sequence[Row]) -> None:
        """Put the range of ranks a locality may have, by linked share, into its row."""
        named = [r for r in rows if r["locality"] != WITHOUT_PLACE]
        kinds = {"low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "known": pl.Int64}
        keys = ("linked_share_low", "linked_share_high", "n_cooperatives", "n_reported")
        frame = pl.DataFrame(
            {k: [r[c] for r in named] for k, c in zip(kinds, keys, strict=True)}, schema=kinds
        )
        ranks = careful_ranks(frame, low="low", high="high", n="n", n_known="known").to_dicts()
        for row in rows:
            row |= {"rank": None, "missing_share": None, "rank_reason": None, "n_ranked": 0}
        count = sum(r["rank_best"] is not None for r in ranks)
        for row, rank in zip(named, ranks, strict=True):
            best, worst = rank["rank_best"], rank["rank_worst"]
            row |= {
                "rank": None if best is None else str(best) if best == worst else f"{best}–{worst}",
                "missing_share": rank["missing_share"],
                "rank_reason": rank["rank_reason"],
                "n_ranked": count,
            }

    def at_place(self, locality: str | None, *, commune: str | None = None) -> dict[str, pl.Expr]:
        """Return which core rows belong to a locality, or to a commune of today.

        A linkage belongs to the place of its cooperative seller, else of its cooperative buyer, else of
        its seller, as `metrics/localities` counts it.
        """
        asked = (locality, commune)
        if asked not in self._at:
            self._at[asked] = self._rows_at(locality, commune)
        return self._at[asked]

    def _rows_at(self, locality: str | None, commune: str | None) -> dict[str, pl.Expr]:
        places = self._places()
        column = "commune" if commune is not None else "locality"
        here = places.filter(
            pl.col(column).eq_missing(commune if commune is not None else locality)
        )
        ids = here["org_id"].to_list()
        farmers = here.filter("is_coop")["org_id"].to_list()
        told = here.filter("is_htx")["org_id"].to_list()
        every = places.filter("is_coop")["org_id"].to_list()
        seller, buyer = pl.col("supplier_id"), pl.col("buyer_id")
        linked = (
            pl.when(seller.is_in(every)).then(seller.is_in(farmers))
            .when(buyer.is_in(every)).then(buyer.is_in(farmers))
            .otherwise(seller.is_in(ids))
        )  # fmt: skip
        return {
            "organisations": pl.col("org_id").is_in(ids),
            "cooperative_reports": pl.col("org_id").is_in(told),
            "linkages": linked,
        }

    def _places(self) -> pl.DataFrame:
        """Return where each organisation is: locality, and commune of today."""
        if self._placed is None:
            frame = self.f.frame(
                "core/organisations",
                "org_id",
                "legal_type",
                "locality",
                "admin_code",
                "admin_version",
            )
            if "period" not in frame.columns:
                frame = frame.with_columns(period=pl.lit(self.f.period))
            frame = frame.with_columns(
                pl.col("admin_code", "admin_version", "locality").cast(pl.String)
            )
            at = current_communes(frame).select("org_id", commune="commune_code")
            self._placed = frame.select(
                "org_id", "locality", is_coop=pl.col("legal_type").is_in(["htx", "lhhtx", "tht"]),
                is_htx=pl.col("legal_type") == "htx",
            ).join(at, on="org_id", how="left").sort("org_id")  # fmt: skip
        return self._placed

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

    @cached_property
    def geography(self) -> Geography | None:
        """Return where the organisations are; None where no cooperative states a commune."""
        shapes = None
        if self.o.boundaries_file is not None:
            shapes = read_boundaries(self.o.boundaries_file, code_property=self.o.boundaries_code)
        return geography_of(self.f, shapes)

    def is_overdue(self, r: Row) -> bool:
        """Return whether a task is past its deadline on the report's date and not done."""
        due = r["due_on"]
        return isinstance(due, date) and due < self.o.as_of and r["status"] not in ("done", "late")

    def reported_clusters(self) -> list[Row]:
        """Return the clusters that get a report of their own."""
        large = [c for c in self.clusters if (c["n_organisations"] or 0) >= self.o.min_cluster_size]
        return large[: self.o.max_cluster_reports]

    def members_of(self, cluster_id: str) -> list[Row]:
        return self._members.get(cluster_id, [])

    @cached_property
    def _members(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for r in self.f.rows(
            "metrics/cluster_members", "name", "legal_type", "stage", "locality", "n_linkages",
            "value_in_vnd", "value_out_vnd", "official_members",
        ):  # fmt: skip
            found.setdefault(r["cluster_id"], []).append(r)
        return found

    def inside(self, scope: str) -> dict[str, pl.Expr] | None:
        """Return which core rows belong to a cluster: both ends inside it."""
        if scope == "province":
            return None
        if scope not in self._inside:
            self._inside[scope] = self._rows_inside(scope)
        return self._inside[scope]

    def _rows_inside(self, scope: str) -> dict[str, pl.Expr]:
        ids = [r["org_id"] for r in self.members_of(scope)]
        return {
            "linkages": pl.col("supplier_id").is_in(ids)
            & pl.col("buyer_id").is_in(ids)
            & (pl.col("evidence") != "planned"),
            "organisations": pl.col("org_id").is_in(ids),
            "cooperative_reports": pl.col("org_id").is_in(ids),
        }

    def product_rows(self, linkages: Sequence[Row]) -> list[Row]:
        """Return linkages added up by product, the largest first."""
        groups: dict[str | None, list[Row]] = {}
        for r in linkages:
            groups.setdefault(r["product_code"], []).append(r)
        rows = [
            {
                "product_code": code,
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
        order = ("n_linkages",) if self.o.is_public else ("paid_value_vnd", "n_linkages")
        return by(rows, *order, "product", descending=order)

    def signed_linkages(self) -> list[Row]:
        """Return the linkages that are signed or stronger; a planned one has no value yet.

        The list is shared between callers, which do not change it.
        """
        return self._signed_linkages

    @cached_property
    def _signed_linkages(self) -> list[Row]:
        rows = self.f.rows(
            "core/linkages", "linkage_id", "product_code", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes",
            "area_ha", "households", "evidence",
        )  # fmt: skip
        return [r for r in rows if r["evidence"] != "planned"]

    def value(self, column: str) -> int | None:
        """Return the exact sum of a money column of the linkages; null when nobody states it."""
        stated: int | None = total(self.signed_linkages(), column)
        return stated

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


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of what is stated; null when nothing is.

    Examples
    --------
    >>> mean([1.0, None, 0.0]), mean([None])
    (0.5, None)
    """
    stated = [v for v in values if v is not None]
    return math.fsum(stated) / len(stated) if stated else None


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


def value_fields(rows: Sequence[Row], *, why_null: str) -> list[Field]:
    """Return the columns of contracted and paid value, in one unit, where any line states one."""
    return [
        money_field(key, label, rows, why_null=why_null, beside=list(VALUE_LABELS))
        for key, label in VALUE_LABELS.items()
        if any(r[key] is not None for r in rows)
    ]


def paid_field(rows: Sequence[Row]) -> list[Field]:
    """Return the column of paid value alone, where any line states one."""
    if all(r["paid_value_vnd"] is None for r in rows):
        return []
    return [money_field("paid_value_vnd", VALUE_LABELS["paid_value_vnd"], rows, why_null=NO_VALUE)]


def area_field(rows: Sequence[Row], *, width: float, why_null: str) -> list[Field]:
    """Return the column of area, where any line states one."""
    if all(r["area_ha"] is None for r in rows):
        return []
    return [
        Field(
            key="area_ha", label="Diện tích", kind="ha", unit="ha", width=width, why_null=why_null
        )
    ]
