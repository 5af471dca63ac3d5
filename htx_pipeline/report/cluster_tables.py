"""The tables of a cluster's report.

What belongs here: members, buyers, what is missing, data quality, and the tables that only the
workbook has. What does not: sentences (`conclusions`, `gaps`) and the order of the page (`cluster`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.behind import by_stage
from htx_pipeline.report.blocks import Field, Table, money_field
from htx_pipeline.report.builder import ratio
from htx_pipeline.report.cluster_view import ClusterView, ClusterViews, Sum
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.gaps import Gap, gap_rows, measure
from htx_pipeline.report.labels import short_place

MEMBERS_PRINTED: Final = 15
BUYERS_PRINTED: Final = 5
GAPS_PRINTED: Final = 6


class ClusterTables(ClusterViews):
    """Builds the tables of one cluster, in the language of the builder."""

    def field(self, key: str, label: str, **more: Any) -> Field:
        """Return a column in the language of the builder; *label* is a key of the catalogue."""
        return Field(key=key, label=self.w(label), lang=self.lang, **more)

    @property
    def locality_label(self) -> str:
        """Return the heading of the column of places in the language of the builder."""
        return self.o.locality_label_en if self.lang == "en" else self.o.locality_label

    def _table(self, view: ClusterView, **parts: Any) -> Table:
        return Table(lang=self.lang, **parts)

    def _place(self) -> Field:
        return Field(key="locality", label=self.locality_label, lang=self.lang)

    def members_table(self, view: ClusterView) -> Table:
        """Rank the members by what they trade in the cluster, with their evidence."""
        w = self.w
        rows = []
        for m in view.members:
            amounts = [v for v in (m["value_in_vnd"], m["value_out_vnd"]) if v is not None]
            figures = view.member_figures(m["org_id"])
            rows.append(
                {
                    **m,
                    "place": short_place(m["locality"]),
                    "type": w.code("legal", m["legal_type"]),
                    "stage_label": w.code("stage_short", m["stage"]) if m["stage"] else None,
                    "traded_vnd": sum(amounts) if amounts else None,
                    "evidence": w.code("evidence", figures["evidence"]) if figures["evidence"] else None,
                    "executed_share": figures["executed_share"],
                }
            )  # fmt: skip
        rows = by(
            rows, "traded_vnd", "n_linkages", "name", "org_id", descending=("traded_vnd", "n_linkages")
        )  # fmt: skip
        for i, r in enumerate(rows, start=1):
            r["rank"] = i
        has_value = any(r["traded_vnd"] is not None for r in rows)
        why = w("members.not_stated")
        field = self.field
        money = partial(money_field, rows=rows, why_null=why, lang=self.lang)
        fields = [
            field("rank", "members.rank", kind="count", width=0.4),
            field("name", "members.name", width=3.2),
            Field(key="place", label=self.locality_label, width=1.45, why_null=why, lang=self.lang),
            field("stage_label", "members.stage", width=1.02, why_null=why),
            *([money("traded_vnd", w("members.value"), width=1.12)] if has_value else []),
            field("n_linkages", "members.links", kind="count", width=0.62),
            field("evidence", "members.evidence", width=1.3, why_null=why),
            *([field("executed_share", "members.executed", kind="share", width=0.95, why_null=why)] if has_value else []),
        ]  # fmt: skip
        more = [field("type", "members.type"), self._place(), money("value_in_vnd", w("members.value_in")), money("value_out_vnd", w("members.value_out")),
                field("official_members", "members.members", kind="count")]  # fmt: skip
        return self._table(
            view, id="thanh-vien", row_key="org_id", sheet=w("members.sheet"), fields=tuple(fields), more=tuple(more),
            title=w("members.title" if has_value else "members.title_links", n=w.count("organisation", len(rows))),
            rows=tuple(rows), page_rows=min(MEMBERS_PRINTED, self.o.members_printed),
            source=self.source(("organisations", "linkages", "cooperative_reports"), w("members.source"), only=view.only,
                               through=("graph/edges", "metrics/cluster_members")),
            row_rows=member_rows, notes=(w("members.note"), *self.money_notes()),
        )  # fmt: skip

    def kinds_table(self, view: ClusterView) -> Table:
        """Count the members by stage and kind: what all readers may know of who takes part."""
        w, field = self.w, self.field
        stages = [*text.STAGES, None]
        rows = []
        for stage in stages:
            here = [m for m in view.members if m["stage"] == stage]
            if here:
                counts = {f"n_{k}": sum(m["legal_type"] == k for m in here) for k, _ in view.kinds}
                known = sum(counts.values())
                label = w.code("stage", stage) if stage else w("members.no_stage")
                rows.append({"stage": stage or "unknown", "label": label, **counts, "n_other": len(here) - known, "n": len(here)})  # fmt: skip
        kinds = [k for k, _ in view.kinds]
        return self._table(
            view, id="thanh-vien-theo-loai", row_key="stage", sheet=w("members.sheet_kinds"), title=w("members.title_kinds"),
            fields=(
                field("label", "members.stage", width=2.4),
                *(Field(key=f"n_{k}", label=w(f"legal.{k}"), kind="count", lang=self.lang) for k in kinds),
                field("n", "members.all", kind="count"),
            ),
            rows=tuple(rows),
            total={"label": w("members.total"), **{k: sum(r[k] for r in rows) for k in (*(f"n_{x}" for x in kinds), "n")}},
            source=self.source(("organisations",), w("members.source"), only=view.only, through=("metrics/cluster_members",)),
            notes=(w("members.note_kinds"),),
        )  # fmt: skip

    def buyers_table(self, view: ClusterView) -> Table | None:
        """Rank the buyers, with how many sell to each alone."""
        if not view.buyers:
            return None
        w, field = self.w, self.field
        basis = w(f"basis.{view.c['weight_basis'] or 'links'}")
        why = w("members.not_stated")
        has_value = any(b["value_vnd"] is not None for b in view.buyers)
        notes = []
        if view.effective_buyers is not None:
            notes.append(
                w("buyers.note", n=w.number(len(view.buyers)), hhi=w.number(view.hhi, 3), effective=w.number(view.effective_buyers, 1))
            )  # fmt: skip
        return self._table(
            view, id="ben-mua", row_key="org_id", sheet=w("buyers.sheet"), title=w("buyers.title", basis=basis),
            fields=(
                field("name", "buyers.name", width=3.1),
                Field(key="place", label=self.locality_label, width=1.45, why_null=why, lang=self.lang),
                field("n_sellers", "buyers.sellers", kind="count", width=0.8),
                field("n_captive", "buyers.captive", kind="count", width=1.25),
                *([money_field("value_vnd", w("buyers.value"), view.buyers, width=1.1, lang=self.lang)] if has_value
                  else [field("n_linkages", "buyers.links", kind="count", width=0.8)]),
                field("share", "buyers.share", kind="share", width=0.85),
            ),
            rows=tuple({**b, "place": short_place(b["locality"])} for b in view.buyers), page_rows=BUYERS_PRINTED, more=(self._place(),),
            source=self.source(("linkages",), w("buyers.source", basis=basis), only=view.only, through=("graph/edges",)),
            row_rows=buyer_rows, notes=(*notes, *self.money_notes()),
        )  # fmt: skip

    def gaps_table(self, view: ClusterView, found: list[Gap]) -> Table | None:
        """Set gap, action, unit and basis side by side."""
        if not found:
            return None
        w, field = self.w, self.field
        tasks = self.f.rows(
            "core/plan_tasks", "document", "task_number", "task", "department", "locality", "indicator", "status", "progress_share",
        )  # fmt: skip
        counts = {"ended_without_delivery": view.ended.n, "ending_soon": view.ending.n}
        rows = gap_rows(found, tasks, w, locality=view.c["main_locality"], counts=counts)
        documents = sorted({str(r["document"]) for r in rows if r["document"]})
        note = (
            w("gaps.note", documents=w.listing(documents)) if documents else w("gaps.note_no_plan")
        )
        # A column that would say "suggestion" in each line is not worth its room.
        has_basis = any(not g.action.is_own for g in found)
        if has_basis:
            note = w("gaps.note_basis", note=note)
        return self._table(
            view, id="viec-can-lam", row_key="key", sheet=w("gaps.sheet"), title=w("gaps.title"), rows=tuple(rows),
            fields=(
                field("gap", "gaps.gap", width=3.2),
                field("action", "gaps.action", width=2.9),
                field("unit", "gaps.unit", width=2.1),
                *([field("basis", "gaps.basis", width=1.3)] if has_basis else []),
            ),
            more=(field("basis", "gaps.basis"), field("n", "facts.linkages", kind="count"), field("figure", "gaps.figure", kind="code")), page_rows=GAPS_PRINTED, notes=(note,),
            source=self.source(("linkages", "plan_tasks"), w("gaps.source"), only=view.only,
                               through=("metrics/clusters", "metrics/cluster_stages", "metrics/cluster_criteria")),
        )  # fmt: skip

    def quality_table(self, view: ClusterView) -> Table:
        """Say what the figures rest on, by number and by value."""
        w, field = self.w, self.field

        def line(key: str, part: Sum) -> Row:
            is_whole = key in ("used", "rejected")
            count = (
                w.number(part.n) if is_whole else self._part(w.number(part.n), part.n, view.all.n)
            )
            if is_whole or view.all.value_vnd is None:
                value = w.money(part.value_vnd) if part.value_vnd is not None else None
            else:
                value = self._part(
                    w.money(part.value_vnd or 0), part.value_vnd or 0, view.all.value_vnd
                )
            return {"key": key, "what": w(f"quality.{key}"), "count": count, "value": value}

        stated = [r for r in view.linkages if r["contracted_value_vnd"] is not None]
        rows = [
            line("used", view.all),
            line("stated", Sum.of(stated)),
            line("matched", view.matched),
        ]
        if view.c["executed_share"] is not None:
            rows.append(line("executed", view.executed))
        rows.append(line("rejected", view.rejected))
        if not view.rejected.n:
            rows[-1]["value"] = w.number(0)
        if view.n_misvalued and not view.is_open:
            known = f"{rows[-1]['value']}; " if view.rejected.value_vnd is not None else ""
            rows[-1]["value"] = known + w("quality.misvalued", n=w.count("row", view.n_misvalued))
        if view.n_expected:
            told = view.n_expected - len(view.silent)
            rows.append(
                {
                    "key": "reported", "what": w("quality.reported"), "count": self._of(told, view.n_expected),
                    "value": None if view.cooperative_value is None or view.is_open
                    else self._part(w.money(view.reported_value or 0), view.reported_value or 0, view.cooperative_value),
                }
            )  # fmt: skip
        return self._table(
            view, id="chat-luong", row_key="key", sheet=w("quality.sheet"), title=w("quality.title"), rows=tuple(rows),
            fields=(
                field("what", "quality.what", width=3.2),
                field("count", "quality.count", kind="words", width=1.3),
                *([] if view.is_open else [field("value", "quality.value", kind="words", width=1.6, why_null=w("members.not_stated"))]),
            ),
            source=self.source(("linkages", "organisations", "cooperative_reports"), w("quality.source"), only=view.only),
        )  # fmt: skip

    def _of(self, part: int, whole: int) -> str:
        w = self.w
        return w("quality.of", part=w.number(part), whole=w.number(whole), share=w.share(ratio(part, whole)))  # fmt: skip

    def _part(self, words: str, part: float, whole: float) -> str:
        return f"{words} ({self.w.share(ratio(part, whole))})"

    def workbook_tables(self, view: ClusterView) -> tuple[Table, ...]:
        """Return the tables of a cluster that only the workbook has."""
        made = (self._stages_table(view), self._criteria_table(view), self._hubs_table(view))
        return tuple(t for t in made if t is not None)

    def _stages_table(self, view: ClusterView) -> Table | None:
        w, field = self.w, self.field
        rows = self.of_cluster(
            "metrics/cluster_stages", view.c["cluster_id"], "stage", "product_code", "n_organisations", "value_in_vnd",
            "value_out_vnd", "delivered_tonnes", "is_present", "presence_basis",
        )  # fmt: skip
        order = {s: i for i, s in enumerate(text.STAGES)}
        shown = [
            {
                **r,
                "key": f"{r['product_code']}:{r['stage']}",
                "product": self.product(r["product_code"]),
                "label": w.code("stage", r["stage"]),
                "state": w("stages.no") if not r["is_present"]
                else w("stages.by_linkage" if r["presence_basis"] == "linkage" else "stages.yes"),
            }
            for r in rows
            if r["stage"] in order
        ]  # fmt: skip
        if not shown:
            return None
        main = view.c["main_product"]
        shown.sort(key=lambda r: (r["product_code"] != main, r["product"], order[r["stage"]]))
        why = w("stages.not_stated")
        money = partial(money_field, rows=shown, why_null=why, lang=self.lang)
        return self._table(
            view, id="cong-doan", row_key="key", sheet=w("stages.sheet"), title=w("stages.title"), rows=tuple(shown),
            fields=(
                field("product", "stages.product"), field("label", "stages.stage"), field("state", "stages.state"),
                field("n_organisations", "stages.organisations", kind="count"),
                money("value_in_vnd", w("stages.value_in")), money("value_out_vnd", w("stages.value_out")),
                field("delivered_tonnes", "stages.delivered", kind="tonnes", unit="tấn" if self.lang == "vi" else "t", why_null=why),
            ),
            source=self.source(("linkages",), w("stages.source"), only=view.only, through=("graph/edges", "metrics/cluster_stages")),
            row_rows=partial(by_stage, {m["org_id"]: m["stage"] for m in view.members}),
            notes=self.money_notes(),
        )  # fmt: skip

    def _criteria_table(self, view: ClusterView) -> Table | None:
        if not view.criteria:
            return None
        w, field = self.w, self.field
        rows = []
        for r in view.criteria:
            state = {True: "passed", False: "failed"}.get(r["is_passed"], "undefined")
            threshold = f"{text.COMPARATORS.get(r['comparator'] or '', '')} {measure(r['threshold'], r['value_unit'], w)}"
            if r["is_verified"] is False:
                threshold += f" ({w('criteria.unverified')})"
            rows.append(
                {
                    "criterion": r["criterion"], "label": r["label_vi" if self.lang == "vi" else "label_en"],
                    "value": r["value"], "threshold": threshold.strip(),
                    "state": w(f"criteria.{state}"),
                    "document": ", ".join(str(v) for v in (r["document"], r["article"]) if v),
                }
            )  # fmt: skip
        return self._table(
            view, id="tieu-chi", row_key="criterion", sheet=w("criteria.sheet"), title=w("criteria.title"), rows=tuple(rows),
            fields=tuple(
                field(k, f"criteria.{k}", kind="number" if k == "value" else "text")
                for k in ("label", "value", "threshold", "state", "document")
            ),
            source=self.source(("linkages", "organisations"), w("criteria.source"), only=view.only,
                               through=("graph/edges", "metrics/cluster_criteria")),
        )  # fmt: skip

    def _hubs_table(self, view: ClusterView) -> Table | None:
        w, field = self.w, self.field
        top = [dict(e) for e in view.c["top_enterprises"] or ()]
        if not top:
            return None
        top = by(top, "share", "value_vnd", "n_linkages", "name", descending=("share", "value_vnd", "n_linkages"))  # fmt: skip
        basis = w(f"basis.{view.c['weight_basis'] or 'links'}")
        return self._table(
            view, id="doanh-nghiep", row_key="org_id", sheet=w("hubs.sheet"), title=w("hubs.title"), rows=tuple(top),
            fields=(
                field("name", "hubs.name", width=3.0), field("n_linkages", "buyers.links", kind="count"),
                money_field("value_vnd", w("hubs.value"), top, why_null=w("members.not_stated"), lang=self.lang),
                field("share", "buyers.share", kind="share"),
            ),
            source=self.source(("linkages",), w("buyers.source", basis=basis), only=view.only, through=("graph/edges", "metrics/clusters")),
            row_rows=member_rows, notes=(w("hubs.note"), *self.money_notes()),
        )  # fmt: skip


def member_rows(row: Mapping[str, Any]) -> Mapping[str, pl.Expr]:
    """Return the core rows behind one member's line."""
    own = pl.col("org_id") == row["org_id"]
    return {
        "linkages": (pl.col("supplier_id") == row["org_id"]) | (pl.col("buyer_id") == row["org_id"]),
        "organisations": own,
        "cooperative_reports": own,
    }  # fmt: skip


def buyer_rows(row: Mapping[str, Any]) -> Mapping[str, pl.Expr]:
    """Return the core rows behind one buyer's line."""
    return {"linkages": pl.col("buyer_id") == row["org_id"]}
