"""What the overview concludes: whether linkage grows, where the plan stands, whose tasks are overdue.

What belongs here: sentences over the whole province that compare, each with the figures that it rests on. What does
not: counts of the period (`overview`), the tables behind them (`changes`, `overview_plan`).
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from htx_pipeline.report import text
from htx_pipeline.report.builder import Builder, total
from htx_pipeline.report.conclusions import DOUBLE
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import indicator_label, measure_text

STEADY: float = 0.02
"""A change of value by no more counts as none in the lead of a sentence."""


class Said(NamedTuple):
    """A sentence with its lead and the figures of the overview that it rests on."""

    lead: str
    words: str
    figures: tuple[str, ...]


class OverviewSays(Builder):
    """Says what the overview concludes."""

    def before(self) -> Row | None:
        """Return the sums of the year before, None where there is none."""
        columns = ("n_cooperatives", "n_linked_executed", "contracted_value_vnd", "paid_value_vnd")
        rows = self.f.rows("metrics/locality_history", "locality", "year", *columns)
        years = sorted({r["year"] for r in rows if r["year"] < self.f.period})
        if not years:
            return None
        then = [r for r in rows if r["year"] == years[-1]]
        return {"year": years[-1], **{c: total(then, c) for c in columns}}

    def change_of_value(self, now: float | None, column: str) -> str:
        """Return how a sum of the province differs from last year's, as a headline figure has it."""
        then = self.before()
        if then is None or not then[column] or now is None:
            return ""
        change, year = now / then[column] - 1, then["year"]
        if change >= DOUBLE:
            return self.w("change.times", times=self.w.number(1 + change, 1), year=year)
        shown = self.w.share(abs(change))
        if shown == self.w.share(0.0):
            return self.w("change.same", year=year)
        return self.w(f"change.{'up' if change > 0 else 'down'}", share=shown, year=year)

    def say_change(self, h: Row) -> list[Said]:
        """Say whether value and execution grew."""
        then = self.before()
        column = "paid" if h["paid"] else "contracted"
        if then is None or not h[column] or not then[f"{column}_value_vnd"]:
            return []
        change = h[column] / then[f"{column}_value_vnd"] - 1
        turn = "không đổi" if abs(change) < STEADY else "tăng" if change > 0 else "giảm"
        what = "Giá trị đã thanh toán" if column == "paid" else "Giá trị theo hợp đồng"
        moved = (
            f"gấp {text.number(1 + change, 1)} lần"
            if change >= DOUBLE
            else f"{turn} {text.share(abs(change))} so với"
        )
        if turn == "không đổi":
            moved = "không đổi so với"
        words = f"{text.money(h[column])}, {moved} năm {then['year']} ({text.money(then[f'{column}_value_vnd'])})"
        words = f"Kỳ này là {words}"
        figures = [f"theo-san-pham/Cộng/{column}_value_vnd", "so-chinh/n_cooperatives"]
        if h["executed"] is not None and then["n_linked_executed"] is not None:
            words += (
                f"; số hợp tác xã đã giao hàng hoặc được thanh toán từ {text.number(then['n_linked_executed'])} "
                f"{'lên' if h['executed'] > then['n_linked_executed'] else 'xuống' if h['executed'] < then['n_linked_executed'] else 'vẫn'} "
                f"{text.number(h['executed'])}"
            )
        return [Said(f"{what} {turn}.", words, tuple(figures))]

    def say_plan(self) -> list[Said]:
        """Say how many targets of the year are met, and which are furthest from it."""
        rows = [
            r
            for r in self.f.rows(
                "metrics/plan_progress", "document", "indicator", "denominator", "target_year", "target_value", "actual_value", "gap",
                "value_unit", "is_comparable", "is_met", "indicator_vi", "scope",
            )
            if r["is_comparable"] and r["is_met"] is not None and str(r["target_year"]) == self.f.period
        ]  # fmt: skip
        if not rows:
            return []
        missed = [r for r in rows if not r["is_met"]]
        missed.sort(
            key=lambda r: (
                -abs((r["gap"] or 0) / r["target_value"]) if r["target_value"] else 0,
                r["document"],
                r["indicator"],
            )
        )
        lead = f"Đạt {text.number(len(rows) - len(missed))} trên {text.number(len(rows))} mục tiêu năm {self.f.period}."
        chosen = missed[:3]
        if not missed:
            return [Said(lead, "Các mục tiêu so sánh được với số liệu đều đạt", self._ids(rows))]
        named = [
            f"{text.lower_first(indicator_label(r))} ({measure_text(r['actual_value'], r['value_unit'])}, mục tiêu "
            f"{measure_text(r['target_value'], r['value_unit'])})"
            for r in chosen
        ]
        more = f" và {text.number(len(missed) - 3)} chỉ tiêu khác" if len(missed) > 3 else ""
        return [Said(lead, f"Còn xa mục tiêu nhất: {'; '.join(named)}{more}", self._ids(chosen))]

    def _ids(self, rows: list[Row]) -> tuple[str, ...]:
        keys = ("document", "indicator", "denominator", "target_year")
        return tuple(f"tien-do-ke-hoach/{'|'.join(str(r[k]) for k in keys)}/actual" for r in rows)

    def say_tasks(self) -> list[Said]:
        """Say how many tasks are overdue or late, and whose they are."""
        rows = by(self.f.rows("core/plan_tasks", "due_on", "status"), "department")
        late = [r for r in rows if r["status"] == "late" or self.is_overdue(r)]
        if not rows:
            return []
        done = sum(r["status"] == "done" for r in rows)
        lead = f"Xong {text.number(done)} trên {text.number(len(rows))} nhiệm vụ của kế hoạch."
        if not late:
            return [
                Said(lead, "Không nhiệm vụ nào quá hạn hoặc chậm tiến độ", ("nhiem-vu/Cộng/n",))
            ]
        counted = Counter(r["department"] for r in late)
        whose = text.listing(
            (f"{name} ({text.number(n)})" for name, n in sorted(counted.items(), key=lambda i: (-i[1], str(i[0])))),
            most=4, of="cơ quan",
        )  # fmt: skip
        words = f"{text.number(len(late))} nhiệm vụ quá hạn hoặc chậm tiến độ, thuộc {whose}"
        return [Said(lead, words, ("nhiem-vu/Cộng/n",))]
