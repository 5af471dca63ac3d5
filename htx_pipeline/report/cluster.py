"""One cluster on two or three pages: what it is, whether it grows, what it lacks, who should do what.

What belongs here: the order of the page, its headline figures and the facts about its data. What does
not: tables (`cluster_tables`), sentences of judgement (`conclusions`), what is missing (`gaps`), the
list of clusters (`overview`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Block,
    Fact,
    Facts,
    Figure,
    Page,
    Prose,
    Section,
    Source,
)
from htx_pipeline.report.cluster_tables import ClusterTables
from htx_pipeline.report.cluster_view import ClusterView, change_of
from htx_pipeline.report.conclusions import DOUBLE, conclusions, why_no_change
from htx_pipeline.report.frames import Row
from htx_pipeline.report.gaps import gaps
from htx_pipeline.report.trends import Trend, TrendKind

YEARS: Final = 3
"""Years that the small charts show."""

MAP_IN: Final = 2.2
"""Height of the map: as much as the first sheet has room for."""

TRENDS: Final = 3
"""Small charts side by side."""


class ClusterPages(ClusterTables):
    """Builds the report of a cluster in the language of the builder."""

    def cluster_page(self, c: Row) -> Page:
        """Return the report of one cluster; a part without data is left out."""
        view, w = self.view(c), self.w
        told = self.open_view(view) if self.o.is_public else view
        name = self.cluster_name(c)
        title = (
            name if name.startswith("Cụm") or self.lang == "en" else w("cluster.title", name=name)
        )
        parts: list[tuple[str, str, Sequence[Block | None]]] = [
            ("nhan-dinh", "summary", (*self._summary(view, told), self._map(view))),
            ("chuoi", "chain", (self._chain(view),)),
            (
                "ai",
                "who",
                (self.kinds_table(view),)
                if self.o.is_public
                else (self.members_table(view), self.buyers_table(view)),
            ),
            ("viec", "what", self._what(told)),
            ("dien-bien", "trend", (self._trend(told),)),
            ("so-lieu", "trust", (self.quality_table(told), self._about_data(view))),
        ]
        sections = [
            Section(id=key, title=w(f"cluster.{said}"), blocks=tuple(b for b in blocks if b is not None))
            for key, said, blocks in parts
        ]  # fmt: skip
        return Page(
            id=view.page,
            title=title,
            subtitle=w(
                "cluster.subtitle",
                title=(self.lang == "en" and self.o.title_en) or self.o.title,
                period=self.f.period,
            ),
            scope=c["cluster_id"],
            sections=tuple(s for s in sections if s.blocks),
            kind="cluster",
            lang=self.lang,
            cluster_id=c["cluster_id"],
            more=self.workbook_tables(view),
            has_one_source_line=True,
            least_pages=2,
            most_pages=3,
            summary={
                "name": name,
                "product": self.product(c["main_product"]),
                "n_organisations": w.number(c["n_organisations"]),
                "n_cooperatives": w.number(c["n_cooperatives"]),
                "value": w.money(c["paid_value_vnd"]),
                "localities": w.listing(c["localities"] or (), most=4, of="place"),
            },
        )

    def cluster_name(self, c: Row) -> str:
        """Return the name of a cluster in the language of the builder."""
        own = c["cluster_name_en"] if self.lang == "en" else c["cluster_name_vi"]
        return str(own or c["cluster_name_vi"] or c["cluster_id"])

    # ------------------------------------------------------------------ first page

    def _summary(self, view: ClusterView, told: ClusterView) -> tuple[Block, ...]:
        w = self.w
        source = self.source(
            ("linkages", "organisations", "cooperative_reports"), w("cluster.source_inside"), only=view.only,
            through=("graph/edges", "metrics/clusters"),
        )  # fmt: skip
        said = conclusions(told, w, product=self.product(view.c["main_product"]))
        notes = (w("change.note", year=view.last_year),) if view.before else ()
        return (
            Prose(
                id="la-gi", paragraphs=(self._what_it_is(view),), source=None,
                figures=((f"{view.page}/so-chinh/organisations",),),
            ),
            Facts(id="so-chinh", items=tuple(self._facts(view)), source=source, notes=notes),
            Prose(
                id="ket-luan", is_list=True, source=source,
                paragraphs=tuple(c.paragraph for c in said), leads=tuple(c.lead for c in said),
                figures=tuple(c.figures for c in said),
            ),
        )  # fmt: skip

    def _what_it_is(self, view: ClusterView) -> str:
        w, c = self.w, view.c
        parts = w.listing(w.count(kind, n) for kind, n in view.kinds)
        places, products = "", ""
        localities = list(c["localities"] or ())
        if len(localities) == 1:
            places = w("cluster.places_one", place=self._within(localities[0]))
        elif len(localities) > 3 and c["main_locality"]:
            places = w(
                "cluster.places_many",
                n=w.count("place", len(localities)),
                main=self._within(c["main_locality"]),
            )
        elif localities:
            places = w(
                "cluster.places_some", places=w.listing(map(self._within, localities), of="place")
            )
        if c["main_product"] is not None:
            main = self.product(c["main_product"])
            products = w("cluster.product_main", product=text.lower_first(main))
            others = sorted(
                text.lower_first(self.product(p))
                for p in c["products"] or ()
                if p != c["main_product"]
            )
            if others:
                products += w(
                    "cluster.product_others", products=w.listing(others, most=3, of="product")
                )
        return w("cluster.is", n=w.count("organisation", c["n_organisations"]), parts=parts, places=places, products=products)  # fmt: skip

    def _within(self, place: str) -> str:
        """Return a place as a sentence names it; a translation leaves names as they are."""
        return text.within(place) if self.lang == "vi" else place

    def _facts(self, view: ClusterView) -> list[Fact]:
        w, c = self.w, view.c
        parts = ", ".join(f"{w.number(n)} {w(f'legal.{kind}')}" for kind, n in view.kinds)
        links = w.count("linkage", c["n_linkages"])

        def fact(
            key: str, value: str, detail: str, of: str | None = None, kind: str = "relative"
        ) -> Fact:
            change = self._change(view, of, kind) if of else ""
            return Fact(key=key, label=w(f"facts.{key}"), value=value, detail=detail, change=change)

        facts = [
            fact("organisations", w.number(c["n_organisations"]), parts, "n_organisations", "count")
        ]
        for key, column in (("contracted", "contracted_value_vnd"), ("paid", "paid_value_vnd")):
            if c[column] is not None:
                n_paid = (
                    w.count("linkage", c["n_paid_value"]) if c["n_paid_value"] is not None else ""
                )
                detail = links if key == "contracted" else n_paid
                facts.append(fact(key, w.money(c[column]), detail, column))
        if not view.has_value:
            facts.append(
                fact(
                    "linkages",
                    w.number(c["n_linkages"]),
                    w("facts.no_value"),
                    "n_linkages",
                    "count",
                )
            )
        if c["executed_share"] is not None:
            basis = w(
                f"basis.{'links' if c['executed_share_basis'] == 'links' else 'contracted_value'}"
            )
            facts.append(
                fact("executed", w.share(c["executed_share"]), w("facts.executed_of", basis=basis), "executed_share", "points")
            )  # fmt: skip
        if view.buyers:
            n = w.count("buyer", len(view.buyers))
            basis = w(f"basis.{c['weight_basis'] or 'links'}")
            detail = f"{w('facts.buyer_of', basis=basis)}; {n}"
            facts.append(
                Fact(key="buyer", label=w("facts.buyer"), value=w.share(view.buyers[0]["share"]), detail=detail)
            )  # fmt: skip
        now = view.history.get(self.f.period)
        if now is not None and now["member_income_vnd"] is not None:
            detail = w("facts.income_of", n=w.number(now["n_member_income"]))
            facts.append(
                fact("income", w.money(now["member_income_vnd"]), detail, "member_income_vnd")
            )
        elif c["area_ha"] is not None or c["households"] is not None:
            area = f"{w.number(c['area_ha'], 1)} ha" if c["area_ha"] is not None else text.NULL_MARK
            facts.append(
                fact(
                    "area",
                    area,
                    w.count("household", c["households"]) if c["households"] is not None else "",
                )
            )
        return facts  # fmt: skip

    def _change(self, view: ClusterView, column: str, kind: str) -> str:
        """Return how a figure differs from last year's, or why that cannot be said."""
        w, year = self.w, view.last_year
        if not view.history:
            return ""
        reason = why_no_change(view, column)
        then = view.before
        if reason is not None or then is None:
            return w("change.none", year=year, reason=w(f"change.reason.{reason or 'no_year'}"))
        now = (
            view.history[self.f.period][column] if column == "member_income_vnd" else view.c[column]
        )
        if kind == "count":
            change, shown = now - then[column], w.number(abs(now - then[column]))
        elif kind == "points":
            change = now - then[column]
            shown = w.number(abs(change) * 100, 1)
        else:
            change = change_of(now, then[column]) or 0.0
            shown = w.share(abs(change))
        if shown in (w.number(0), w.number(0.0, 1), w.share(0.0)):
            return w("change.same", year=year)
        if kind not in ("count", "points") and change >= DOUBLE:
            return w("change.times", year=year, times=w.number(1 + change, 1))
        key = ("up" if change > 0 else "down") + {"count": "_n", "points": "_points"}.get(kind, "")
        return w(f"change.{key}", year=year, n=shown, share=shown)

    # ------------------------------------------------------------------ pictures

    def _map(self, view: ClusterView) -> Figure | None:
        return self.map_figure(view.c["cluster_id"], view.page, tallest_in=MAP_IN)

    def _chain(self, view: ClusterView) -> Figure | None:
        stages = {s: sum(m["stage"] == s for m in view.members) for s in text.STAGES}
        return self.chain_figure(
            view.c["cluster_id"], view.page, stages, by_linkage=view.c["stages_present"] or ()
        )

    def _trend(self, view: ClusterView) -> Figure | None:
        """Return the last years side by side; None before there are two."""
        years = sorted(view.history)[-YEARS:]
        if len(years) < 2:
            return None
        w = self.w
        by_number: tuple[tuple[str, str, TrendKind], ...] = (
            ("linkages", "n_linkages", "count"), ("organisations", "n_organisations", "count"),
            ("cooperatives", "n_cooperatives", "count"),
        )  # fmt: skip
        by_value: tuple[tuple[str, str, TrendKind], ...] = (
            ("contracted", "contracted_value_vnd", "money"), ("paid", "paid_value_vnd", "money"),
            ("executed", "executed_share", "share"), ("linkages", "n_linkages", "count"),
            ("income", "member_income_vnd", "money"),
        )  # fmt: skip
        trends = []
        for key, column, kind in by_number if view.is_open else by_value:
            points = tuple((year, view.history[year][column]) for year in years)
            if sum(value is not None for _, value in points) >= 2:
                trends.append(Trend(label=w(f"trend.{key}"), kind=kind, points=points, key=key))
        source = self.source(
            ("linkages", "cooperative_reports"), w("trend.note"), only=view.only,
            through=("metrics/cluster_history",),
        )  # fmt: skip
        return self.trend_figure(view.page, trends[:TRENDS], source=source) if trends else None

    # ------------------------------------------------------------------ actions, data

    def _what(self, view: ClusterView) -> tuple[Block | None, ...]:
        w = self.w
        found = gaps(view, w, product=self.product(view.c["main_product"]), today=self.o.as_of)
        if not found:
            return (Prose(id="khong-thieu", paragraphs=(w("gaps.none"),)),)
        return (self.gaps_table(view, found),)

    def _about_data(self, view: ClusterView) -> Prose:
        """Say what is estimated and what is undefined."""
        w, c = self.w, view.c
        notes = set(c["notes"] or ())
        estimated: list[str] = []
        undefined: list[str] = []
        conflicts = self.of_cluster("metrics/cluster_members", c["cluster_id"], "is_stage_conflict")
        n_conflicts = sum(bool(r["is_stage_conflict"]) for r in conflicts)
        if n_conflicts:
            estimated.append(w("quality.stage_conflict", n=w.count("organisation", n_conflicts)))
        if c["executed_share_basis"] == "links":
            estimated.append(w("quality.execution_links"))
        if "values_partly_stated" in notes:
            estimated.append(w("quality.values_partly"))
        if "no_values" in notes or not view.has_value:
            undefined.append(w("quality.no_values"))
        if c["executed_share"] is None:
            undefined.append(w("quality.execution_not_stated"))
        unknown = sum(m["stage"] is None for m in view.members)
        if unknown:
            undefined.append(w("quality.stage_unknown", n=w.count("organisation", unknown)))
        now = view.history.get(self.f.period)
        if now is not None and now["member_income_vnd"] is None:
            undefined.append(w("quality.no_income"))
        n_tests = sum(r["is_passed"] is None for r in view.criteria)
        if n_tests:
            undefined.append(w("quality.tests_undefined", n=w.count("criterion", n_tests)))
        said = []
        leads = []
        for key, found in (("estimated", estimated), ("undefined", undefined)):
            if found:
                leads.append(f"{w(f'quality.{key}')}:")
                said.append(text_line(leads[-1], found))
        last = [w("quality.is_group")]
        if c["n_linkages_outside"]:
            last.insert(0, w("quality.outside", n=w.count("linkage", c["n_linkages_outside"])))
        said.append(text.sentence("; ".join(last)))
        leads.append("")
        return Prose(
            id="do-tin-cay",
            paragraphs=tuple(said),
            leads=tuple(leads),
            is_list=True,
            is_small=True,
            source=self._whole_source(view),
        )

    def _whole_source(self, view: ClusterView) -> Source:
        """Return the files behind the whole report."""
        return self.source(
            ("linkages", "organisations", "cooperative_reports", "plan_tasks"), self.w("quality.source"), only=view.only
        )  # fmt: skip


def text_line(lead: str, found: Sequence[str]) -> str:
    """Return a lead with what follows it, as one sentence."""
    return text.sentence(f"{lead} {'; '.join(found)}")
