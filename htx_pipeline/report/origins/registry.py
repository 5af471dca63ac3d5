"""Which rule answers for which figure of which page.

What belongs here: from the id of a block, a column and a line to the rules of `places`, `indicators`,
`clusters`, `history` and `quality`. What does not: finding rows, reading an edition (`trace`, `ask`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.geography import communes_of_today
from htx_pipeline.report.labels import LEVEL_TEXT, LEVELS, SEVERITY_TEXT, WITHOUT_PLACE
from htx_pipeline.report.origins import clusters, history, indicators, places, quality
from htx_pipeline.report.origins.model import Origin, Part
from htx_pipeline.report.origins.places import WHOLE, Scope, place_origin
from htx_pipeline.report.origins.rows import Year
from htx_pipeline.schemas import TABLES

TOTAL: Final = "Cộng"
"""Name of a table's line of totals in ids."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One figure, as its page knows it: column *key* of *line* in the block *block*."""

    page: Page
    block: str
    key: str
    line: Line = field(default_factory=dict)
    name: str = ""
    label: str = ""

    @property
    def is_total(self) -> bool:
        """Return whether the figure stands in a line of totals."""
        return self.name == TOTAL

    @property
    def scope(self) -> Scope:
        """Return the place of the page: a locality, a commune, else the whole."""
        kind, _, name = self.page.scope.partition(":")
        return Scope(kind, name) if kind in ("locality", "commune") else WHOLE  # type: ignore[arg-type]


class Origins:
    """What the figures of one report are made of; rows are laid out once for all who ask."""

    def __init__(self, report: Report) -> None:
        self._frames = report.frames
        self._options = report.settings
        self._years: dict[str, Year] = {}
        self.now = self.year(report.period)
        self._kept: dict[str, Origin | None] = {}

    def year(self, period: str) -> Year:
        """Return the core rows of a year."""
        if period not in self._years:
            self._years[period] = Year(self._frames, period)
        return self._years[period]

    def of(self, ask: Ask) -> Origin | None:
        """Return what a figure is made of; None where no rule answers for it."""
        block = ask.block
        for start in ("hinh-ban-do-", "hinh-chuoi-", "hinh-dien-bien-", "chi-tieu-"):
            if block.startswith(start) and block not in RULES:
                block = start
        rule = RULES.get(block)
        return rule(self, ask) if rule else None

    # ------------------------------------------------------------------ headline figures

    def _facts(self, ask: Ask) -> Origin | None:
        if ask.page.kind == "department":
            return self._department(ask)
        if ask.page.kind == "cluster":
            return self._cluster_fact(ask)
        signed = clusters.linkages_of(self.now, clusters.WHOLE)
        if ask.page.kind == "overview" and ask.key in ("paid_value_vnd", "contracted_value_vnd"):
            return clusters.product(self.now, signed, "*", ask.key, rejected=clusters.left_out(self.now, clusters.WHOLE))  # fmt: skip
        if ask.key == "n_clusters":
            table = self.now.organisations
            members = table.where(table.all, _is_known(table.array("cluster")))
            parts = (Part("evidence", table.set(members)), Part("evidence", self.now.linkages.set(signed)))  # fmt: skip
            return Origin(parts, why="model", through=clusters.INSIDE)
        return place_origin(self.now, ask.scope, ask.key)

    def _cluster_fact(self, ask: Ask) -> Origin | None:
        columns = {
            "organisations": "n_organisations", "contracted": "contracted_value_vnd", "paid": "paid_value_vnd", "linkages": "n_linkages",
            "executed": "executed_share", "buyer": "largest_buyer_share", "income": "member_income_vnd", "area": "area_ha",
        }  # fmt: skip
        return clusters.cluster(self.now, ask.page.scope, columns.get(ask.key, ask.key))

    def _department(self, ask: Ask) -> Origin | None:
        name = ask.page.scope.partition(":")[2]
        mine = indicators.task_tests(self.now, department=name)
        if ask.key == "n_overdue":
            mine = (*mine, indicators.overdue(self.now, self._options.as_of))
        status = {"n_done": "done", "n_late": "late"}.get(ask.key)
        if status:
            mine = (*mine, *indicators.task_tests(self.now, status=status))
        return indicators.tasks(self.now, ask.key, *mine)

    # ------------------------------------------------------------------ places, products

    def _places(self, ask: Ask) -> Origin | None:
        return place_origin(self.now, WHOLE if ask.is_total else _locality(ask.line.get("locality")), ask.key)  # fmt: skip

    def _communes(self, ask: Ask) -> Origin | None:
        if not ask.is_total:
            return place_origin(self.now, Scope("commune", ask.line.get("commune_code")), ask.key)
        # The total adds the lines of the table: communes that have a cooperative.
        return self._sum_of_lines(ask)

    def _sum_of_lines(self, ask: Ask) -> Origin | None:
        table = next((t for t in ask.page.tables if t.id == ask.block), None)
        if table is None:
            return None
        found = [
            self.of(Ask(ask.page, ask.block, ask.key, line, name, ask.label))
            for name, line in zip(table.names, table.rows, strict=True)
            if line.get(ask.key) is not None
        ]
        parts = tuple(p for o in found if o is not None for p in o.parts if p.rows.at.size)
        first = next((o for o in found if o is not None), None)
        if first is None:
            return None
        return Origin(parts or first.parts, "value", through=first.through, rejected=places.left_out(self.now, ask.scope, *places.TABLES))  # fmt: skip

    def _shares(self, ask: Ask) -> Origin | None:
        """Answer for the bars of localities: shares of cooperatives by level, or of those that reported."""
        level = {v: k for k, v in LEVEL_TEXT.items()}.get(ask.label)
        part = f"n_linked_{level}" if level in LEVELS else "n_reported"
        scope = _locality(ask.line.get("label"))
        parts = (
            *places.total_parts(self.now, scope, part, "numerator"),
            *places.total_parts(self.now, scope, "n_cooperatives", "denominator"),
        )
        return Origin(parts, "ratio", through=("metrics/localities",), rejected=places.left_out(self.now, scope, *places.TABLES))  # fmt: skip

    def _products(self, ask: Ask) -> Origin | None:
        own = clusters.linkages_of(self.now, clusters.WHOLE)
        if ask.page.kind == "locality":
            table = self.now.linkages
            own = table.where(ask.scope.rows(table), table.array("rank") >= 2)
        code = "*" if ask.is_total else ask.line.get("product_code")
        rejected = places.left_out(self.now, ask.scope, "linkages")
        return clusters.product(self.now, own, code, ask.key, through=("core/linkages",), rejected=rejected)  # fmt: skip

    def _cooperatives(self, ask: Ask) -> Origin | None:
        org, table = ask.line["org_id"], self.now.linkages
        if ask.key == "buyers":
            return quality.partners(self.now, org)
        signed = table.where(
            quality.links_of(self.now, org), table.array("rank") >= 2, table.stated(ask.key)
        )
        return Origin((Part("counted", table.set(signed), "sum", ask.key),), "value", through=("core/linkages",))  # fmt: skip

    def _map(self, ask: Ask) -> Origin | None:
        table = self.now.organisations
        shown = self._shown(ask.page.scope)
        at = table.where(table.by("commune on a map", ask.line["code"]), shown)
        tests = {
            "n": (),
            "n_cooperatives_and_groups": (table.array("is_coop"),),
            "n_makers": (table.eq("stage on a map", "processing"),),
            "n_linked": (self._is_linked(),),
        }
        if ask.key not in tests:
            return None
        rows = table.set(table.where(at, *tests[ask.key]))
        return Origin((Part("counted", rows, "rows"),), "value", through=("graph/nodes",), rejected=places.left_out(self.now, WHOLE, "organisations"))  # fmt: skip

    def _shown(self, scope: str) -> Any:
        """Return which organisations a map counts, as `map_spec` chooses them."""
        return self.now.keep(("shown", scope), lambda: self._find_shown(scope))

    def _find_shown(self, scope: str) -> Any:
        table = self.now.organisations
        if "commune on a map" not in table.derived:
            rows = self._frames.rows("core/organisations", "admin_code", "admin_version")
            at, _ = communes_of_today(rows)
            table.put("commune on a map", _looked_up(table.array("org_id"), at))
            stages = dict(self.now.frame("metrics/cluster_members", "org_id", "stage").select("org_id", "stage").iter_rows())  # fmt: skip
            table.put("stage on a map", _looked_up(table.array("org_id"), stages))
        if scope == clusters.WHOLE:
            return self._is_linked()
        if not scope.startswith("locality:"):
            return table.eq("cluster", scope)
        place = scope.removeprefix("locality:")
        return table.eq("locality", place) | table.eq("commune on a map", _commune_named(place))

    def _is_linked(self) -> Any:
        def find() -> Any:
            table, linkages = self.now.organisations, self.now.linkages
            signed = clusters.linkages_of(self.now, clusters.WHOLE)
            ends = {i for e in ("supplier_id", "buyer_id") for i in linkages.array(e)[signed].tolist()}  # fmt: skip
            return _looked_up(table.array("org_id"), dict.fromkeys(ends, True)) == True  # noqa: E712

        return self.now.keep("is linked", find)

    # ------------------------------------------------------------------ indicators, plan

    def _levels(self, ask: Ask) -> Origin | None:
        if "measure" not in ask.line:
            level = {v: k for k, v in LEVEL_TEXT.items()}.get(str(ask.line.get("evidence")))
            part = places.total_parts(self.now, WHOLE, f"n_linked_{level}", "counted" if ask.key == "n" else "numerator")  # fmt: skip
            if ask.key == "n":
                return Origin(part, "value", through=("metrics/localities",))
            whole = {"of_all": "n_cooperatives", "of_active": "n_active"}[ask.key]
            return Origin((*part, *places.total_parts(self.now, WHOLE, whole, "denominator")), "ratio", through=("metrics/localities",))  # fmt: skip
        code, denominator = str(ask.line["measure"]).split("|")
        level = ask.key.removeprefix("n_")
        if ask.key == "size":
            return indicators.indicator(self.now, WHOLE, code, denominator, LEVELS[0], what="denominator")  # fmt: skip
        what = "numerator" if ask.key.startswith("n_") else "value"
        return indicators.indicator(self.now, WHOLE, code, denominator, level, what=what)

    def _indicators(self, ask: Ask) -> Origin | None:
        code, denominator, evidence = str(ask.line.get("measure", "||")).split("|")
        what = "n" if ask.key == "n" else "value"
        return indicators.indicator(self.now, WHOLE, code, denominator, evidence or None, what=what)

    def _progress(self, ask: Ask) -> Origin | None:
        return indicators.progress(self.now, ask.line["id"], ask.key)

    def _tasks(self, ask: Ask) -> Origin | None:
        """Answer for the plan's tasks: by department in the overview, one by one elsewhere."""
        if ask.page.kind == "overview":
            mine = () if ask.is_total else indicators.task_tests(self.now, department=ask.line["department"])  # fmt: skip
            if ask.key not in ("n", "progress"):
                mine = (*mine, *indicators.task_tests(self.now, status=ask.key))
            return indicators.tasks(self.now, ask.key, *mine)
        own = {k: ask.line[k] for k in ("document", "task_number", "locality")}
        if ask.key == "progress_share":
            return indicators.tasks(self.now, ask.key, *indicators.task_tests(self.now, **own))
        return self._target_figure(ask.line["indicator"], ask.line["locality"], "value") if ask.key == "actual" else None  # fmt: skip

    def _target_figure(self, code: str | None, locality: str, what: str) -> Origin | None:
        """Return an indicator in a locality, under the denominator of the target it is held against."""
        goal = self._target(code)
        rows = self._frames.rows("metrics/indicators", "denominator", "evidence", "locality", "is_defined")  # fmt: skip
        whole = self._options.whole_label.lower()
        scope = "province" if locality.lower() == whole else locality
        found = next(
            (
                r for r in rows
                if r["indicator"] == code and r["locality"] == scope and r["is_defined"] is not False and r["evidence"] in (None, "active")
                and (goal is None or r["denominator"] == goal["denominator"])
            ),
            None,
        )  # fmt: skip
        if found is None:
            return None
        return indicators.indicator(
            self.now, indicators.scope_of(scope), str(code), found["denominator"], found["evidence"], what=what
        )  # fmt: skip

    def _target(self, code: str | None) -> dict[str, Any] | None:
        from htx_pipeline.report.departments import nearest_target

        return nearest_target(self._frames, code)

    def _by_target(self, ask: Ask) -> Origin | None:
        code = next((c for c in self._codes() if text.slug(c) == ask.block.removeprefix("chi-tieu-")), None)  # fmt: skip
        locality = ask.line["locality"]
        made = self._target_figure(code, locality, "n" if ask.key == "n" else "value")
        if ask.key != "gap_text":
            return made
        goal = self._target(code)
        if goal is None:
            return None
        part = indicators.target(self.now, goal["document"], str(code), goal["denominator"], goal["target_year"])  # fmt: skip
        return indicators.against(made, part)

    def _codes(self) -> list[str]:
        return sorted({c for c, _, _ in indicators.measures()})

    # ------------------------------------------------------------------ clusters, chain, years

    def _list(self, ask: Ask) -> Origin | None:
        key = "largest_buyer_share" if ask.key == "share" else ask.key
        return clusters.cluster(self.now, ask.line["cluster_id"], key)

    def _member(self, ask: Ask) -> Origin | None:
        return clusters.member(self.now, ask.page.scope, ask.line["org_id"], ask.key)

    def _kind(self, ask: Ask) -> Origin | None:
        stage = "*" if ask.is_total else ask.line["stage"]
        return clusters.kind(self.now, ask.page.scope, stage, ask.key)

    def _buyer(self, ask: Ask) -> Origin | None:
        return clusters.buyer(self.now, ask.page.scope, ask.line["org_id"], ask.key)

    def _firm(self, ask: Ask) -> Origin | None:
        return clusters.firm(self.now, ask.page.scope, ask.line["org_id"], ask.key)

    def _stage(self, ask: Ask) -> Origin | None:
        return clusters.stage(self.now, ask.page.scope, ask.line["product_code"], ask.line["stage"], ask.key)  # fmt: skip

    def _criterion(self, ask: Ask) -> Origin | None:
        return clusters.criterion(self.now, ask.page.scope, ask.line["criterion"])

    def _to_do(self, ask: Ask) -> Origin | None:
        return clusters.ends(self.now, ask.page.scope, ask.line["key"], self._options.as_of)

    def _box(self, ask: Ask) -> Origin | None:
        return clusters.quality(self.now, ask.page.scope, ask.line["key"], ask.key)

    def _flow(self, ask: Ask) -> Origin | None:
        return clusters.flow(self.now, ask.page.scope, dict(ask.line), ask.key)

    def _point(self, ask: Ask) -> Origin | None:
        year = self.year(ask.key)
        if ask.page.kind == "cluster":
            return history.cluster_point(year, self.now, ask.page.scope, ask.line["key"])
        return history.place_point(year, ask.scope, ask.line["key"])

    def _change(self, ask: Ask) -> Origin | None:
        row = history.changes(self.now).get(ask.line["id"])
        return None if row is None else history.change(self.year, self.now, row, ask.key)

    def _changed(self, ask: Ask) -> Origin | None:
        from htx_pipeline.report.changes import SUBJECT_TEXT

        subject = {v: k for k, v in SUBJECT_TEXT.items()}[ask.line["subject"]]
        return history.changed(self.now, subject, ask.key)

    # ------------------------------------------------------------------ data

    def _in_and_out(self, ask: Ask) -> Origin | None:
        if not ask.is_total:
            name = quality.by_label().get(ask.line["table"])
            return quality.in_and_out(self.now, name, ask.key) if name else None
        found = [o for name in TABLES if (o := quality.in_and_out(self.now, name, ask.key))]
        parts = tuple(p for o in found for p in o.parts if len(p.rows))
        return Origin(parts or found[0].parts, found[0].formula, through=("core/ledger",)) if found else None  # fmt: skip

    def _finding(self, ask: Ask) -> Origin | None:
        codes = {v: k for k, v in SEVERITY_TEXT.items()}
        return quality.finding(self.now, dict(ask.line), codes, ask.key)

    def _roster(self, ask: Ask) -> Origin | None:
        place = "*" if ask.is_total else ask.line.get("locality")
        return quality.roster(self.now, "unknown" if place == WITHOUT_PLACE else place, ask.key)

    def _file(self, ask: Ask) -> Origin | None:
        return quality.of_file(self.now, None if ask.is_total else ask.line["file"], ask.key)


def _locality(name: Any) -> Scope:
    return Scope("locality", None if name in (None, WITHOUT_PLACE) else str(name))


def _is_known(values: Any) -> Any:
    import numpy as np

    return np.array([v is not None for v in values.tolist()], dtype=bool)


def _looked_up(ids: Any, known: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.array([known.get(i) for i in ids.tolist()], dtype=object)


def _commune_named(name: str) -> str | None:
    from htx_pipeline.reference.admin_units.tables import LATEST, admin_units

    rows = admin_units(version=LATEST, level="commune").select("full_name", "code").iter_rows()
    return dict(rows).get(name)


Rule = Callable[[Origins, Ask], Origin | None]

RULES: Final[Mapping[str, Rule]] = {
    "so-chinh": Origins._facts,
    "theo-dia-ban": Origins._places,
    "hinh-dia-ban-so-lieu": Origins._shares,
    "xa-phuong": Origins._communes,
    "theo-san-pham": Origins._products,
    "san-pham": Origins._products,
    "hop-tac-xa": Origins._cooperatives,
    "hinh-ban-do-": Origins._map,
    "muc-do-lien-ket": Origins._levels,
    "chi-tieu-chung": Origins._indicators,
    "chi-tieu-": Origins._by_target,
    "tien-do-ke-hoach": Origins._progress,
    "nhiem-vu": Origins._tasks,
    "danh-sach-cum": Origins._list,
    "hinh-tap-trung-so-lieu": Origins._list,
    "thanh-vien": Origins._member,
    "thanh-vien-theo-loai": Origins._kind,
    "ben-mua": Origins._buyer,
    "doanh-nghiep": Origins._firm,
    "cong-doan": Origins._stage,
    "tieu-chi": Origins._criterion,
    "viec-can-lam": Origins._to_do,
    "chat-luong": Origins._box,
    "hinh-chuoi-": Origins._flow,
    "hinh-dien-bien-": Origins._point,
    "danh-sach-thay-doi": Origins._change,
    "dem-thay-doi": Origins._changed,
    "dong-vao-ra": Origins._in_and_out,
    "ket-qua-kiem-tra": Origins._finding,
    "tinh-hinh-bao-cao": Origins._roster,
    "tep-nguon": Origins._file,
}
"""Block → rule; an id that ends with "-" stands for all ids that begin so."""
