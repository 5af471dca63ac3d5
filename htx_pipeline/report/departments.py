"""One sheet per department the plan names: its tasks, where they stand, what the figures say of them.

What belongs here: these sheets. What does not: the plan's progress as a whole (`overview`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Block,
    Fact,
    Facts,
    Field,
    Figure,
    Page,
    Prose,
    Section,
    Table,
)
from htx_pipeline.report.builder import mean
from htx_pipeline.report.changes import ChangeSections
from htx_pipeline.report.frames import Frames, Row, by
from htx_pipeline.report.labels import (
    DENOMINATORS,
    TASK_LABELS,
    WITHOUT_PLACE,
    gap_text,
    indicator_label,
    measure_text,
    together,
)

EVIDENCE = "active"
"""Level at which a figure is held against a task, as `metrics/plan_progress` does."""


class DepartmentPages(ChangeSections):
    """Builds the sheets of departments."""

    def department_pages(self) -> tuple[Page, ...]:
        """Return one sheet for each department that leads a task, by name."""
        names = sorted({r["department"] for r in self.tasks_of(None) if r["department"]})
        return tuple(self.department_page(name) for name in names)

    def tasks_of(self, department: str | None) -> list[Row]:
        """Return the tasks of one department, or all, in the order of the plan."""
        rows = self.f.rows(
            "core/plan_tasks", "document", "task_number", "locality", "due_on", "indicator", "status", "progress_share"
        )  # fmt: skip
        mine = [
            {**r, "id": "|".join(str(r[k]) for k in ("document", "task_number", "locality"))}
            for r in rows
            if department in (None, r["department"])
        ]
        return sorted(
            mine,
            key=lambda r: (r["document"] or "", _number(r["task_number"]), r["locality"] or ""),
        )

    def department_page(self, name: str) -> Page:
        """Return the sheet of one department."""
        tasks = self.tasks_of(name)
        localities = {r["locality"] for r in tasks}
        labels = {r["task"] for r in tasks}
        changed = self.changed(
            lambda r: (
                r["subject"] == "task" and r["label"] in labels and r["locality"] in localities
            )
        )
        sections = [
            Section(id="nhan-dinh", title="Nhận định chính", blocks=self.department_summary(name, tasks)),
            Section(id="nhiem-vu", title="Nhiệm vụ chủ trì", blocks=self.task_table(name, tasks)),
            Section(id="chi-tieu", title="Chỉ tiêu mà nhiệm vụ hướng tới", blocks=self.task_indicators(tasks)),
            Section(id="thay-doi", title="Thay đổi so với kỳ trước", blocks=self.change_blocks(changed, has_counts=False, printed=10)),
        ]  # fmt: skip
        return Page(
            id=f"so-nganh-{text.slug(name)}",
            title=f"Nhiệm vụ kinh tế tập thể do {name} chủ trì",
            subtitle=f"{self.o.title}, kỳ báo cáo {self.f.period}",
            scope=f"department:{name}",
            sections=tuple(s for s in sections if s.blocks),
            kind="department",
            summary={
                "name": name,
                "n_tasks": text.number(len(tasks)),
                "n_done": text.number(sum(r["status"] == "done" for r in tasks)),
                "n_late": text.number(
                    sum(r["status"] == "late" or self.is_overdue(r) for r in tasks)
                ),
            },
        )

    def department_summary(self, name: str, tasks: Sequence[Row]) -> tuple[Block, ...]:
        """Return the headline figures and sentences of a department."""
        done = [r for r in tasks if r["status"] == "done"]
        late = [r for r in tasks if r["status"] == "late"]
        overdue = [r for r in tasks if self.is_overdue(r)]
        share = mean([r["progress_share"] for r in tasks])
        only = {"plan_tasks": pl.col("department") == name}
        source = self.source(("plan_tasks",), "theo báo cáo của cơ quan chủ trì", only=only)
        facts = [
            Fact(key="n_tasks", label="Nhiệm vụ chủ trì", value=text.number(len(tasks)),
                 detail=f"{text.number(len({r['locality'] for r in tasks}))} địa bàn"),
            Fact(key="n_done", label="Đã hoàn thành", value=text.number(len(done))),
            Fact(key="n_late", label="Chậm tiến độ", value=text.number(len(late)), detail="theo cơ quan báo"),
            Fact(key="n_overdue", label="Quá hạn, chưa xong", value=text.number(len(overdue)),
                 detail=f"tính đến {text.day(self.o.as_of)}"),
            Fact(key="progress_share", label="Hoàn thành bình quân", value=text.share(share)),
        ]  # fmt: skip
        page = f"so-nganh-{text.slug(name)}"
        said: list[str] = []
        rests: list[tuple[str, ...]] = []
        for key, words, rows in (("n_late", "Cơ quan báo chậm", late), ("n_overdue", "Đã quá hạn mà chưa hoàn thành", overdue)):  # fmt: skip
            if rows:
                rests.append((f"{page}/so-chinh/{key}",))
                named = (f"“{r['task']}” ({text.within(r['locality'])})" for r in rows)
                said.append(f"{words}: {text.listing(named, most=4, of='nhiệm vụ')}")
        doubtful = self.say_doubtful(done)
        said += doubtful
        rests += [(f"{page}/so-chinh/n_done", *(f"{page}/nhiem-vu/{r['id'].replace('/', '-')}/actual" for r in done)) for _ in doubtful]  # fmt: skip
        if not said:
            said.append("Không có nhiệm vụ nào chậm hoặc quá hạn")
            rests.append((f"{page}/so-chinh/n_late", f"{page}/so-chinh/n_overdue"))
        return (
            Facts(id="so-chinh", items=tuple(facts), source=source),
            Prose(id="cau-chinh", paragraphs=tuple(map(text.sentence, said)), is_list=True, source=source, figures=tuple(rests)),
        )  # fmt: skip

    def say_doubtful(self, done: Sequence[Row]) -> list[str]:
        """Say which tasks are reported done while the figure they serve is short of its target."""
        doubtful = []
        for r in done:
            target = self.target_of(r["indicator"])
            actual = self.figure_of(
                r["indicator"], r["locality"], target["denominator"] if target else None
            )
            if (
                target
                and actual is not None
                and target["comparator"] in (">=", ">")
                and actual < target["target_value"]
            ):
                doubtful.append((r, actual, target))
        if not doubtful:
            return []
        named = (
            f"“{r['task']}” tại {text.within(r['locality'])} ({measure_text(actual, target['value_unit'])}, mục tiêu "
            f"{measure_text(target['target_value'], target['value_unit'])})"
            for r, actual, target in doubtful
        )
        return [
            f"Báo hoàn thành nhưng số liệu chưa đạt mục tiêu: {text.listing(named, most=3, of='nhiệm vụ')}"
        ]

    def task_table(self, name: str, tasks: Sequence[Row]) -> tuple[Block, ...]:
        """Return the tasks with status, deadline and the figure they serve."""
        rows = []
        for r in tasks:
            target = self.target_of(r["indicator"])
            actual = self.figure_of(
                r["indicator"], r["locality"], target["denominator"] if target else None
            )
            unit = target["value_unit"] if target else "share"
            rows.append(
                {
                    **r,
                    "task_text": f"{r['task_number']}. {r['task']}",
                    "status_text": text.label(TASK_LABELS, r["status"]) + (" (quá hạn)" if self.is_overdue(r) else ""),
                    "actual": together(measure_text(actual, unit)) if actual is not None else None,
                }
            )  # fmt: skip
        why = "nhiệm vụ không gắn chỉ tiêu, hoặc chỉ tiêu chưa tính được"
        return (
            Table(
                id="nhiem-vu",
                title="Nhiệm vụ, tình trạng và số liệu tương ứng",
                sheet="Nhiệm vụ của cơ quan",
                row_key="id",
                row_rows=lambda r: {
                    "plan_tasks": (pl.col("document") == r["document"]) & (pl.col("task_number") == r["task_number"])
                    & (pl.col("locality") == r["locality"])
                },
                fields=(
                    Field(key="task_text", label="Nhiệm vụ", width=2.9),
                    Field(key="locality", label=self.o.locality_label, width=1.5),
                    Field(key="due_on", label="Thời hạn", kind="date", width=1.0, why_null="kế hoạch không nêu"),
                    Field(key="status_text", label="Tình trạng", width=1.2),
                    Field(key="progress_share", label="Hoàn thành", kind="share", width=0.95, why_null="không nêu"),
                    Field(key="actual", label="Chỉ tiêu hiện có", kind="words", width=1.0, why_null=why),
                ),
                more=(Field(key="document", label="Văn bản"), Field(key="indicator", label="Mã chỉ tiêu", kind="code", why_null=why)),
                rows=tuple(rows),
                source=self.source(("plan_tasks",), "tình trạng theo cơ quan báo; chỉ tiêu tính từ số liệu", only={"plan_tasks": pl.col("department") == name}),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def task_indicators(self, tasks: Sequence[Row]) -> tuple[Block, ...]:
        """Return, for each indicator a task serves, the figure of every locality against the target."""
        blocks: list[Block] = []
        for code in dict.fromkeys(r["indicator"] for r in tasks if r["indicator"]):
            target = self.target_of(code)
            rows = self.figures_by_locality(code, target["denominator"] if target else None)
            if target is None or len(rows) < 2:
                continue
            label = indicator_label({"indicator": code, "indicator_vi": target["indicator_vi"]})
            base = text.label(DENOMINATORS, target["denominator"])
            unit = target["value_unit"]
            shown = [
                {
                    **r,
                    "gap_text": together(gap_text(r["value"] - target["target_value"], unit)),
                    "value_text": together(measure_text(r["value"], unit)),
                    "met": "Đạt" if r["value"] >= target["target_value"] else "Chưa đạt",
                }
                for r in rows
            ]
            source = self.source(
                ("organisations", "linkages", "cooperative_reports", "plan_targets"),
                f"mức {text.EVIDENCE[EVIDENCE].lower()} trở lên, so với {base}",
                through=("metrics/indicators", "metrics/plan_progress"),
            )  # fmt: skip
            goal = measure_text(target["target_value"], unit)
            table = Table(
                id=f"chi-tieu-{text.slug(code)}",
                title=f"{label} theo {self.o.locality_label.lower()}; mục tiêu {goal} ({target['document']})",
                sheet="Chỉ tiêu theo địa bàn",
                row_key="locality",
                row_rows=lambda r: self.at_place(None if r["locality"] == WITHOUT_PLACE else r["locality"]),
                fields=(
                    Field(key="locality", label=self.o.locality_label, width=2.0),
                    Field(key="value_text", label=f"Kỳ {self.f.period}", kind="words", width=1.0),
                    Field(key="gap_text", label="Chênh so với mục tiêu", kind="words", width=1.2),
                    Field(key="met", label="Đánh giá", width=0.9),
                ),
                more=(Field(key="value", label="Giá trị (số)", kind="number"), Field(key="n", label="Số đơn vị", kind="count")),
                rows=tuple(shown),
                source=source,
                page_rows=15,
            )  # fmt: skip
            if unit == "share" and any(r["value"] for r in rows):
                blocks.append(self.indicator_figure(code, label, shown, goal, table))
            else:
                blocks.append(table)
        return tuple(blocks)

    def indicator_figure(
        self, code: str, label: str, rows: Sequence[Row], goal: str, table: Table
    ) -> Figure:
        """Return the bars of one indicator by locality."""
        bars = [
            {"label": r["locality"], "shares": [r["value"]], "text": r["value_text"]}
            for r in rows[:15]
        ]
        return Figure(
            id=f"hinh-{text.slug(code)}",
            title=f"{label}, theo {self.o.locality_label.lower()} (mục tiêu {goal})",
            alt=f"Biểu đồ thanh ngang: {label.lower()}; cao nhất là {rows[0]['locality']}, {rows[0]['value_text']}; mục tiêu {goal}.",
            spec={"kind": "bars", "bars": bars, "series": [label], "levels": [2], "mark": self.mark()},
            source=table.source,
            data=table,
        )  # fmt: skip

    # ------------------------------------------------------------------ figures

    def target_of(self, code: str | None) -> Row | None:
        """Return the nearest target of an indicator still to be met, the province's own first."""
        return nearest_target(self.f, code)

    def figure_of(self, code: str | None, locality: str, denominator: str | None) -> float | None:
        """Return an indicator's value in a locality, or in the whole for a task of the whole."""
        scope = "province" if locality.lower() == self.o.whole_label.lower() else locality
        found = [
            r["value"] for r in self.indicator_rows(code, denominator) if r["locality"] == scope
        ]
        return found[0] if found else None

    def figures_by_locality(self, code: str, denominator: str | None) -> list[Row]:
        """Return an indicator's value in each locality, the highest first."""
        rows = [
            {"locality": r["locality"], "value": r["value"], "n": r["n"]}
            for r in self.indicator_rows(code, denominator)
            if r["locality"] not in ("province", "unknown", None) and r["value"] is not None
        ]
        return by(rows, "value", "locality", descending=("value",))

    def indicator_rows(self, code: str | None, denominator: str | None) -> list[dict[str, Any]]:
        """Return the rows of an indicator under one denominator, at the level tasks are held to."""
        return [
            r
            for r in self.f.rows(
                "metrics/indicators", "locality", "evidence", "denominator", "numerator", "denominator_value", "value",
                "value_unit", "n", "is_defined", "reason", "label_vi",
            )
            if r["indicator"] == code and r["is_defined"] is not False
            and (denominator is None or r["denominator"] == denominator) and r["evidence"] in (None, EVIDENCE)
        ]  # fmt: skip


def _number(written: str | None) -> tuple[int, str]:
    """Sort "2" before "10", and "2a" after "2"."""
    digits = "".join(c for c in (written or "") if c.isdigit())
    return (int(digits) if digits else 0, written or "")


def nearest_target(frames: Frames, code: str | None) -> Row | None:
    """Return the nearest target of an indicator still to be met, the province's own first."""
    rows = [
        r
        for r in frames.rows(
            "metrics/plan_progress", "document", "denominator", "target_year", "comparator", "target_value", "value_unit",
            "indicator_vi", "is_comparable", "scope",
        )
        if r["indicator"] == code and r["is_comparable"] and (r["target_year"] or 0) >= int(frames.period)
    ]  # fmt: skip
    return min(
        rows,
        key=lambda r: (
            r["scope"] != "province",
            r["target_year"],
            r["document"],
            r["denominator"] or "",
        ),
        default=None,
    )
