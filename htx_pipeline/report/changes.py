"""What changed since the report before: new, gone, improved, worse, newly flagged.

What belongs here: these sections, for the whole and for one locality. What does not: finding what
changed (`htx_pipeline.metrics.standing`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from htx_pipeline.metrics.standing import CHANGES, SUBJECTS
from htx_pipeline.reference.thresholds import threshold
from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Field, Prose, Table
from htx_pipeline.report.builder import ratio, total
from htx_pipeline.report.frames import Row
from htx_pipeline.report.illustrator import Illustrator
from htx_pipeline.report.labels import SHORT_LEVELS, measure_text
from htx_pipeline.report.trends import Trend

SUBJECT_TEXT: Final[dict[str, str]] = {
    "cooperative": "Hợp tác xã",
    "cluster": "Cụm liên kết",
    "locality": "Địa bàn",
    "indicator": "Chỉ tiêu kế hoạch",
    "task": "Nhiệm vụ",
}
CHANGE_TEXT: Final[dict[str, str]] = {
    "new": "Mới",
    "gone": "Không còn",
    "improved": "Cải thiện",
    "worse": "Giảm sút",
    "newly_flagged": "Cảnh báo mới",
}
MEASURE_TEXT: Final[dict[str, str]] = {
    "is_registered": "có tên trong danh bạ",
    "evidence_level": "mức liên kết cao nhất",
    "has_reported": "kỳ trước có báo cáo, kỳ này chưa gửi",
    "cluster": "xét theo thành viên chung giữa hai kỳ",
    "paid_value_vnd": "giá trị đã thanh toán",
    "contracted_value_vnd": "giá trị theo hợp đồng",
    "largest_buyer_share": "tỷ trọng của bên mua lớn nhất",
    "stages_missing": "số công đoạn còn thiếu",
    "linked_executed_share": "tỷ lệ HTX có liên kết đã thực hiện",
    "linked_active_share": "tỷ lệ HTX có liên kết đang thực hiện",
    "indicator": "mức đạt mục tiêu",
    "task": "trong kế hoạch của kỳ",
    "status_done": "đã hoàn thành",
    "status_late": "chậm tiến độ",
}
LEVEL_NAMES: Final = (
    "không liên kết",
    *(v.lower().removeprefix("từ ") for v in SHORT_LEVELS.values()),
)


def value_text(value: float | None, unit: str | None) -> str:
    """Return one side of a change in words.

    Examples
    --------
    >>> value_text(0.25, "share"), value_text(4.0, "evidence_level"), value_text(None, "VND")
    ('25,0%', 'đã thực hiện', '–')
    """
    if value is None or unit == "yes_no":
        return text.NULL_MARK
    if unit == "evidence_level":
        return LEVEL_NAMES[int(value)]
    if unit == "stage":
        return f"{text.number(value)} công đoạn"
    return measure_text(value, unit)


def how_text(r: Row) -> str:
    """Return on what a change is founded, with both values where they are numbers.

    Examples
    --------
    >>> how_text({"measure": "linked_executed_share", "before": 0.1, "after": 0.25, "unit": "share"})
    'tỷ lệ HTX có liên kết đã thực hiện: 10,0% → 25,0%'
    """
    words = text.label(MEASURE_TEXT, r["measure"])
    sides = [value_text(r[side], r["unit"]) for side in ("before", "after")]
    if text.NULL_MARK in sides:
        return words
    return f"{words}: {sides[0]} → {sides[1]}"


class ChangeSections(Illustrator):
    """Builds the sections on what changed."""

    def changed(self, keep: Callable[[Row], bool] = lambda _row: True) -> list[Row]:
        """Return the changes, the gravest subjects first, in the order of the table."""
        rows = self.f.rows(
            "metrics/standing_changes", "previous_period", "label", "locality", "measure", "before", "after", "unit"
        )  # fmt: skip
        rank = {
            s: i for i, s in enumerate(("indicator", "task", "locality", "cluster", "cooperative"))
        }
        grave = {c: i for i, c in enumerate(("newly_flagged", "worse", "gone", "improved", "new"))}
        return sorted(
            (r for r in rows if keep(r)),
            key=lambda r: (
                rank[r["subject"]], grave[r["change"]], r["locality"] or "", r["label"] or "", r["subject_id"], r["measure"]
            ),
        )  # fmt: skip

    def change_blocks(
        self, rows: list[Row], *, has_counts: bool, printed: int
    ) -> tuple[Block, ...]:
        """Return counts by subject and kind of change, and the list of what changed.

        Parameters
        ----------
        rows:
            Rows of `changed`.
        has_counts:
            Whether the table of counts is worth its place.
        printed:
            Lines of the list on a page; the workbook has all.
        """
        if not rows:
            return ()
        before = rows[0]["previous_period"]
        source = self.source(
            ("organisations", "linkages", "cooperative_reports", "plan_tasks"),
            f"so kỳ {self.f.period} với kỳ {before}",
            through=("metrics/standing_changes",),
        )
        share, value = (threshold(f"own.change.{k}")["value"] for k in ("share", "value"))
        blocks: list[Block] = []
        if has_counts:
            counts = [
                {
                    "subject": SUBJECT_TEXT[subject],
                    **{
                        c: sum(r["subject"] == subject and r["change"] == c for r in rows)
                        for c in CHANGES
                    },
                }
                for subject in SUBJECTS
                if any(r["subject"] == subject for r in rows)
            ]
            blocks.append(
                Table(
                    id="dem-thay-doi",
                    title=f"Số thay đổi so với kỳ {before}",
                    sheet="Số thay đổi",
                    row_key="subject",
                    fields=(
                        Field(key="subject", label="Đối tượng", width=2.0),
                        *(Field(key=c, label=CHANGE_TEXT[c], kind="count", width=1.0) for c in CHANGES),
                    ),
                    rows=tuple(counts),
                    source=source,
                )
            )  # fmt: skip
        shown = [
            {
                "id": "|".join((r["subject"], r["subject_id"], r["measure"])),
                "subject": SUBJECT_TEXT[r["subject"]],
                "label": r["label"]
                if r["subject"] in ("cooperative", "cluster", "locality")
                else f"{SUBJECT_TEXT[r['subject']]}: {r['label']}"
                + (f" ({r['locality']})" if r["locality"] else ""),
                "locality": r["locality"],
                "change": CHANGE_TEXT[r["change"]],
                "measure": how_text(r),
                "before": r["before"],
                "after": r["after"],
                "unit": r["unit"],
            }
            for r in rows
        ]
        blocks.append(
            Table(
                id="danh-sach-thay-doi",
                title=f"Những gì đã khác so với kỳ {before}",
                sheet="Thay đổi",
                row_key="id",
                fields=(
                    Field(key="change", label="Thay đổi", width=1.1),
                    Field(key="label", label="Tên", width=3.6),
                    Field(key="measure", label="Căn cứ và mức thay đổi", width=3.4),
                ),
                more=(
                    Field(key="subject", label="Đối tượng"),
                    Field(key="locality", label=self.o.locality_label),
                    Field(key="before", label="Trước (số)", kind="number"),
                    Field(key="after", label="Sau (số)", kind="number"),
                    Field(key="unit", label="Đơn vị tính", kind="code"),
                ),
                rows=tuple(shown),
                source=source,
                notes=(
                    f"Cải thiện, giảm sút: chênh từ {text.number(share * 100)} điểm % với tỷ lệ, từ {text.share(value, 0)} với "
                    "giá trị (ngưỡng do phần mềm đặt, không phải quy định)",
                ),
                page_rows=printed,
            )
        )  # fmt: skip
        return tuple(blocks)

    def history(self, *, locality: str | None, page: str) -> tuple[Block, ...]:
        """Return small multiples over the years, of one locality or of the whole; none for one year."""
        rows = [
            r
            for r in self.f.rows(
                "metrics/locality_history", "locality", "year", "n_cooperatives", "n_linked_signed", "n_linked_executed",
                "contracted_value_vnd", "paid_value_vnd", "n_reported",
            )
            if locality in (None, r["locality"])
        ]  # fmt: skip
        years = sorted({r["year"] for r in rows})
        if len(years) < 2:
            return ()

        def series(column: str) -> tuple[tuple[str, float | None], ...]:
            return tuple((y, total([r for r in rows if r["year"] == y], column)) for y in years)

        def shares(part: str) -> tuple[tuple[str, float | None], ...]:
            whole = dict(series("n_cooperatives"))
            return tuple((year, ratio(value, whole[year])) for year, value in series(part))

        trends = [
            Trend(key="n_cooperatives", label="Số hợp tác xã", kind="count", points=series("n_cooperatives")),
            Trend(key="linked_share", label="Có liên kết đã ký trở lên", kind="share", points=shares("n_linked_signed")),
            Trend(key="executed_share", label="Có liên kết đã thực hiện", kind="share", points=shares("n_linked_executed")),
            Trend(key="contracted_value_vnd", label="Giá trị theo hợp đồng", kind="money", points=series("contracted_value_vnd")),
            Trend(key="paid_value_vnd", label="Giá trị đã thanh toán", kind="money", points=series("paid_value_vnd")),
            Trend(key="reported_share", label="Đã gửi báo cáo", kind="share", points=shares("n_reported")),
        ]  # fmt: skip
        told = [t for t in trends if any(value is not None for _, value in t.points)]
        source = self.source(
            ("organisations", "linkages", "cooperative_reports"),
            f"các năm trước theo số liệu đã công bố của năm đó; dòng đếm ở đây của kỳ {self.f.period}",
            only=None if locality is None else self.at_place(locality),
            through=("metrics/localities", "metrics/locality_history"),
        )
        return (self.trend_figure(page, told, source=source),)

    def overview_changes(self) -> tuple[Block, ...]:
        """Return the section of the overview."""
        if not self.f.is_given("metrics/standing_changes"):
            return ()
        rows = self.changed()
        if not rows:
            return (
                Prose(id="khong-doi", paragraphs=("Chưa có kỳ trước để so sánh, hoặc không có gì khác kỳ trước.",)),
            )  # fmt: skip
        return (
            *self.history(locality=None, page="tong-quan"),
            *self.change_blocks(rows, has_counts=True, printed=14),
        )
