"""What is known of one cluster, gathered once: members, linkages, buyers, history, data behind it.

What belongs here: choosing and counting rows of the stored tables for one cluster. What does not:
words (`cluster`, `conclusions`, `gaps`) and layout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import polars as pl

from htx_pipeline.reference.actions import limits
from htx_pipeline.reference.stages import decree_stages
from htx_pipeline.report.builder import total
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.illustrator import Illustrator
from htx_pipeline.report.labels import LEVELS

WEIGHTS: Final[Mapping[str, str]] = {
    "paid_value": "paid_value_vnd",
    "contracted_value": "contracted_value_vnd",
    "links": "n_linkages",
}
"""Basis of a cluster's shares → the column that is added."""

KINDS: Final = ("htx", "lhhtx", "tht", "enterprise", "household_business")
"""Legal types that are named; all else is another organisation."""

LINKAGE_COLUMNS: Final = (
    "linkage_id", "product_code", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes", "evidence", "ends_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sum:
    """Linkages, counted and added: ``value_vnd`` is contracted value, null where none states it."""

    n: int
    value_vnd: int | None

    @classmethod
    def of(cls, linkages: Sequence[Row]) -> Sum:
        """Count and add linkages."""
        return cls(len(linkages), total(linkages, "contracted_value_vnd"))

    def counted(self) -> Sum:
        """Return the number alone."""
        return Sum(self.n, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """One cluster of the period.

    ``linkages``: those with both ends inside, signed or stronger. ``buyers``: whoever buys inside,
    the largest first, with their share on the cluster's basis. ``history``: year → row of
    `metrics/cluster_history`, empty where there is none. ``rejected``: rejected linkages that name a
    member; its value leaves out the ``n_misvalued`` that were rejected for their value.
    """

    c: Row
    page: str
    members: Sequence[Row]
    linkages: Sequence[Row]
    only: Mapping[str, pl.Expr] | None
    buyers: Sequence[Row]
    hhi: float | None
    effective_buyers: float | None
    history: Mapping[str, Row]
    last_year: str
    criteria: Sequence[Row]
    main_stages: Sequence[Row]
    rejected: Sum
    n_misvalued: int
    all: Sum
    matched: Sum
    executed: Sum
    ended: Sum
    ending: Sum
    silent: Sequence[Row]
    n_expected: int
    strangers: Sequence[Row]
    bottleneck: Row | None = None
    cooperative_value: int | None = None
    reported_value: int | None = None
    is_open: bool = False
    """Made for whoever may read it: numbers of linkages in place of amounts, no names."""
    products: Sequence[str] = field(default_factory=tuple)

    @property
    def before(self) -> Row | None:
        """Return the same members' figures a year earlier; None where that year was not followed."""
        return self.history.get(self.last_year)

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """Return (legal type, members of it), cooperatives first."""
        counts = {k: sum(m["legal_type"] == k for m in self.members) for k in KINDS}
        known = [(k, n) for k, n in counts.items() if n]
        rest = len(self.members) - sum(counts.values())
        return [*known, ("other", rest)] if rest else known

    @property
    def has_value(self) -> bool:
        """Return whether any linkage states an amount."""
        return self.c["contracted_value_vnd"] is not None or self.c["paid_value_vnd"] is not None

    @property
    def missing_stages(self) -> list[str]:
        """Return the stages the decree names that the main product lacks, in order."""
        lacks = {r["stage"] for r in self.main_stages if r["is_present"] is False}
        return [
            s
            for s in decree_stages()
            if s in (lacks if self.main_stages else self.c["stages_missing"] or ())
        ]

    @property
    def matched_value_share(self) -> float | None:
        """Return the share of contracted value whose two parties are both in the register.

        Of a view for all readers, the share of linkages.
        """
        if self.is_open:
            return self.matched.n / self.all.n if self.all.n else None
        if not self.all.value_vnd or self.matched.value_vnd is None:
            return None if not self.all.value_vnd else 0.0
        return self.matched.value_vnd / self.all.value_vnd

    def stage_figure(self, stage: str) -> str:
        """Return the id of the figure that says whether the main product has a stage."""
        return f"{self.page}/cong-doan/{self.c['main_product']}:{stage}/n_organisations"

    def member_figures(self, org_id: str) -> Row:
        """Return strongest evidence and executed share of one member's linkages in the cluster."""
        own = [r for r in self.linkages if org_id in (r["supplier_id"], r["buyer_id"])]
        if not own:
            return {"evidence": None, "executed_share": None}
        signed = [r for r in own if r["contracted_value_vnd"]]
        whole = total(signed, "contracted_value_vnd")
        done = (
            total([r for r in signed if r["evidence"] == "executed"], "contracted_value_vnd") or 0
        )
        return {
            "evidence": max((r["evidence"] for r in own if r["evidence"] in LEVELS), key=LEVELS.index, default=None),
            "executed_share": done / whole if whole else None,
        }  # fmt: skip


class ClusterViews(Illustrator):
    """Makes the views; what all clusters share is counted once."""

    @cached_property
    def _home(self) -> Mapping[str, str]:
        rows = self.f.rows("metrics/cluster_members", *_MEMBER_COLUMNS)
        return {r["org_id"]: r["cluster_id"] for r in rows}

    @cached_property
    def _linkages(self) -> Mapping[str, list[Row]]:
        """Return cluster → its linkages, signed or stronger."""
        found: dict[str, list[Row]] = {}
        for r in self.f.rows("core/linkages", *LINKAGE_COLUMNS):
            home = self._home.get(r["supplier_id"])
            if (
                home is not None
                and home == self._home.get(r["buyer_id"])
                and r["evidence"] != "planned"
            ):
                found.setdefault(home, []).append(r)
        return found

    @cached_property
    def _rejected(self) -> Mapping[str, list[Row]]:
        """Return cluster → rejected linkages that name a member of it."""
        found: dict[str, list[Row]] = {}
        frame = self.f.frame(
            "core/linkages_rejected", "supplier_id", "buyer_id", "contracted_value_vnd", "source_id"
        )
        for r in (
            frame.select("supplier_id", "buyer_id", "contracted_value_vnd", "source_id")
            .sort("source_id")
            .to_dicts()
        ):
            homes = {self._home.get(r["supplier_id"] or ""), self._home.get(r["buyer_id"] or "")}
            for home in sorted(h for h in homes if h is not None):
                found.setdefault(home, []).append(r)
        return found  # fmt: skip

    @cached_property
    def _misvalued(self) -> frozenset[str]:
        """Return the source ids of linkages rejected because the value itself is wrong."""
        rows = self.f.frame("core/findings", "table", "severity", "column", "source_id").filter(
            (pl.col("table") == "linkages") & (pl.col("severity") == "error") & (pl.col("column") == "contracted_value_vnd")
        )  # fmt: skip
        return frozenset(v for v in rows["source_id"].to_list() if v)

    @cached_property
    def _registered(self) -> frozenset[str]:
        rows = self.f.rows("core/organisations", "is_registered")
        return frozenset(r["org_id"] for r in rows if r["is_registered"])

    @cached_property
    def _silent(self) -> Mapping[str, Row]:
        return {r["org_id"]: r for r in self.not_reported()}

    @cached_property
    def _expected(self) -> frozenset[str] | None:
        if not self.f.has("metrics/reporting_roster"):
            return None
        rows = self.f.rows("metrics/reporting_roster", "is_expected")
        return frozenset(r["org_id"] for r in rows if r["is_expected"])

    def of_cluster(self, key: str, cluster_id: str, *columns: str) -> list[Row]:
        """Return the rows of one cluster in a table."""
        return [
            r for r in self.f.rows(key, "cluster_id", *columns) if r["cluster_id"] == cluster_id
        ]

    def view(self, c: Row) -> ClusterView:
        """Gather what is known of one cluster."""
        cluster_id = c["cluster_id"]
        members = self.members_of(cluster_id)
        rejected = self._rejected.get(cluster_id, [])
        sound = [r for r in rejected if r["source_id"] not in self._misvalued]
        linkages = self._linkages.get(cluster_id, [])
        matched = [r for r in linkages if {r["supplier_id"], r["buyer_id"]} <= self._registered]
        today = self.o.as_of
        near = today + timedelta(days=int(limits()["ends_within_days"].value))
        dated = [r for r in linkages if isinstance(r["ends_on"], date)]
        cooperatives = [m for m in members if m["legal_type"] == "htx"]
        expected = [
            m for m in cooperatives if self._expected is None or m["org_id"] in self._expected
        ]
        silent = [m for m in expected if m["org_id"] in self._silent]
        quiet = {m["org_id"] for m in silent}
        told = [r for r in linkages if r["supplier_id"] in {m["org_id"] for m in expected}]
        buyers, hhi, effective = self._buyers(c, linkages, members)
        history = self.of_cluster(
            "metrics/cluster_history", cluster_id, "year", "n_organisations", "n_cooperatives", "n_linkages",
            "contracted_value_vnd", "paid_value_vnd", "executed_share", "executed_share_basis", "delivered_tonnes",
            "n_member_income", "member_income_vnd", "matched_cluster_id", "jaccard", "lineage",
        )  # fmt: skip
        criteria = self.of_cluster(
            "metrics/cluster_criteria", cluster_id, "criterion", "label_vi", "label_en", "value", "comparator",
            "threshold", "value_unit", "is_passed", "reason", "document", "article", "is_verified",
        )  # fmt: skip
        return ClusterView(
            c=c, page=self.cluster_page_id(cluster_id), members=members, linkages=linkages, only=self.inside(cluster_id),
            buyers=buyers, hhi=hhi, effective_buyers=effective,
            history={str(r["year"]): r for r in history}, last_year=_year_before(self.f.period),
            criteria=by(criteria, "document", "criterion"), main_stages=self._main_stages(c),
            rejected=Sum(len(rejected), Sum.of(sound).value_vnd), n_misvalued=len(rejected) - len(sound), all=Sum.of(linkages), matched=Sum.of(matched),
            executed=Sum.of([r for r in linkages if r["evidence"] == "executed"]),
            ended=Sum.of([r for r in dated if r["ends_on"] < today and r["evidence"] != "executed"]),
            ending=Sum.of([r for r in dated if today <= r["ends_on"] <= near]),
            silent=silent, n_expected=len(expected),
            strangers=[m for m in members if m["org_id"] not in self._registered],
            bottleneck=self._bottleneck(c["main_product"]),
            cooperative_value=total(told, "contracted_value_vnd"),
            reported_value=total([r for r in told if r["supplier_id"] not in quiet], "contracted_value_vnd"),
        )  # fmt: skip

    def open_view(self, view: ClusterView) -> ClusterView:
        """Return what may be said of a cluster to all readers: the same, by number of linkages."""
        from dataclasses import replace

        linkages = self._linkages.get(view.c["cluster_id"], [])
        c = {
            **view.c, "contracted_value_vnd": None, "paid_value_vnd": None, "area_ha": None, "households": None,
            "weight_basis": "links", "executed_share_basis": "links",
            "executed_share": view.executed.n / view.all.n if view.all.n and view.c["executed_share"] is not None else None,
        }  # fmt: skip
        nothing = dict.fromkeys(
            ("contracted_value_vnd", "paid_value_vnd", "executed_share", "member_income_vnd", "delivered_tonnes")
        )  # fmt: skip
        buyers, hhi, effective = self._buyers(c, linkages, view.members)
        history = {year: {**row, **nothing} for year, row in view.history.items()}
        return replace(
            view, c=c, buyers=buyers, hhi=hhi, effective_buyers=effective, is_open=True, history=history,
            cooperative_value=None, reported_value=None, rejected=view.rejected.counted(), all=view.all.counted(),
            matched=view.matched.counted(), executed=view.executed.counted(), ended=view.ended.counted(), ending=view.ending.counted(),
        )  # fmt: skip

    def cluster_page_id(self, cluster_id: str) -> str:
        """Return the id of a cluster's page in the language of the builder."""
        return f"cum-{cluster_id}" + ("-en" if self.lang == "en" else "")

    def _main_stages(self, c: Row) -> list[Row]:
        rows = self.of_cluster(
            "metrics/cluster_stages", c["cluster_id"], "stage", "product_code", "n_organisations",
            "is_present", "presence_basis",
        )  # fmt: skip
        return [r for r in rows if r["product_code"] == c["main_product"]]

    def _bottleneck(self, product: str | None) -> Row | None:
        """Return the narrowest place of the product's chain in the province, where it holds goods back."""
        for r in self.f.rows(
            "metrics/bottlenecks", "product_code", "quantity", "supply", "demand", "from_stage", "to_stage",
            "cut_flow", "is_defined",
        ):  # fmt: skip
            if r["product_code"] == product and product is not None and r["is_defined"]:
                held = r["cut_flow"] is not None and r["supply"] and r["cut_flow"] < r["supply"]
                return r if held and r["from_stage"] and r["to_stage"] else None
        return None

    def _bought(self, c: Row, linkages: Sequence[Row]) -> list[Row]:
        """Return the linkages of a cluster with their weight on its basis."""
        weight = WEIGHTS.get(c["weight_basis"] or "", "n_linkages")
        return [
            {
                "cluster_id": c["cluster_id"], "supplier_id": r["supplier_id"], "buyer_id": r["buyer_id"],
                "evidence": r["evidence"], "_weight": 1 if weight == "n_linkages" else r[weight],
            }
            for r in linkages
        ]  # fmt: skip

    @cached_property
    def _concentrations(self) -> Mapping[str, Row]:
        """Return how concentrated the buyers of each cluster are, on its basis: measured for all at once."""
        from htx_pipeline.metrics.concentration import concentration

        rows = [
            r for c in self.clusters for r in self._bought(c, self._linkages.get(c["cluster_id"], []))
        ]  # fmt: skip
        # Shares do not change with the unit, so that one column serves every basis.
        frame = pl.DataFrame(rows, infer_schema_length=None).rename({"_weight": "n_linkages"})
        made = concentration(frame, by=("cluster_id",), of="buyer", weight="n_linkages")
        return {r["cluster_id"]: r for r in made.iter_rows(named=True)}

    def _buyers(
        self, c: Row, linkages: Sequence[Row], members: Sequence[Row]
    ) -> tuple[list[Row], float | None, float | None]:
        """Return the buyers of a cluster, and how concentrated they are, on the cluster's basis."""
        weight = WEIGHTS.get(c["weight_basis"] or "", "n_linkages")
        rows = [r for r in self._bought(c, linkages) if r["supplier_id"] != r["buyer_id"]]
        stated = [r for r in rows if r["_weight"]]
        if not stated:
            return [], None, None
        measured = self._concentrations[c["cluster_id"]]
        info = {m["org_id"]: m for m in members}
        whole = math.fsum(r["_weight"] for r in stated)
        sold: dict[str, set[str]] = {}
        for r in stated:
            sold.setdefault(r["supplier_id"], set()).add(r["buyer_id"])
        buyers = []
        for buyer in sorted({r["buyer_id"] for r in stated}):
            own = [r for r in stated if r["buyer_id"] == buyer]
            amount = sum(r["_weight"] for r in own)
            sellers = {r["supplier_id"] for r in own}
            buyers.append(
                {
                    "org_id": buyer,
                    "name": info.get(buyer, {}).get("name") or buyer,
                    "locality": info.get(buyer, {}).get("locality"),
                    "n_sellers": len(sellers),
                    "n_captive": sum(sold[s] == {buyer} for s in sellers),
                    "n_linkages": sum(r["buyer_id"] == buyer for r in rows),
                    "value_vnd": amount if weight != "n_linkages" else None,
                    "share": amount / whole,
                }
            )
        ranked = by(buyers, "share", "org_id", descending=("share",))
        return ranked, measured["hhi"], measured["effective_number"]


_MEMBER_COLUMNS: Final = (
    "name", "legal_type", "stage", "locality", "n_linkages", "value_in_vnd", "value_out_vnd", "official_members",
)  # fmt: skip
"""The columns `Builder.members_of` reads, so that the rows are read once."""


def _year_before(period: str) -> str:
    return str(int(period) - 1) if period.isdigit() else ""


def change_of(now: Any, then: Any) -> float | None:
    """Return the relative change from *then* to *now*; null where either is, or *then* is 0.

    Examples
    --------
    >>> change_of(110, 100), change_of(1, 0), change_of(None, 3)
    (0.1, None, None)
    """
    if now is None or not then:
        return None
    return float(round((now - then) / then, 12))
