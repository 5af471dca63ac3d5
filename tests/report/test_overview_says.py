"""What the overview concludes: growth, plan and tasks, each sentence from the rows given here."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from htx_pipeline.report.frames import Frames
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.overview_linkages import is_told_apart
from htx_pipeline.report.overview_says import OverviewSays

NOW = date(2025, 12, 15)


def says(**frames: pl.DataFrame) -> OverviewSays:
    keyed = {k.replace("__", "/"): f for k, f in frames.items()}
    return OverviewSays(
        Frames(keyed, period="2025"), ReportOptions(title="Tỉnh mẫu", as_of=NOW), None
    )


def history(paid: int | None, *, executed: int = 4) -> pl.DataFrame:
    """Return two localities of the year before and one of this year, which is not read."""
    rows = [
        ("2025", "X", "2024", 20, executed - 1, 7, paid),
        ("2025", "Y", "2024", 20, 1, 3, None),
        ("2025", "X", "2025", 99, 99, 99, 99),
    ]
    names = [
        "period",
        "locality",
        "year",
        "n_cooperatives",
        "n_linked_executed",
        "contracted_value_vnd",
        "paid_value_vnd",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


H = {"paid": 5_000_000_000, "contracted": 9_000_000_000, "executed": 6}


@pytest.mark.parametrize(
    ("before", "lead", "words"),
    [
        (10_000_000_000, "Giá trị đã thanh toán giảm.", "là 5,0 tỷ đồng, giảm 50,0% so với năm 2024 (10,0 tỷ đồng)"),
        (4_000_000_000, "Giá trị đã thanh toán tăng.", "tăng 25,0% so với năm 2024 (4,0 tỷ đồng)"),
        (2_000_000_000, "Giá trị đã thanh toán tăng.", "gấp 2,5 lần năm 2024 (2,0 tỷ đồng)"),
        (5_050_000_000, "Giá trị đã thanh toán không đổi.", "không đổi so với năm 2024 (5,1 tỷ đồng)"),
    ],
)  # fmt: skip
def test_growth_is_told_against_last_year_and_from_double_on_as_a_multiple(
    before, lead, words
) -> None:
    (told,) = says(metrics__locality_history=history(before)).say_change(H)
    assert told.lead == lead
    assert words in told.words
    assert "từ 4 lên 6" in told.words


@pytest.mark.parametrize("frames", [{}, {"metrics__locality_history": history(None)}])
def test_without_a_year_or_an_amount_before_nothing_is_said_of_growth(frames) -> None:
    assert says(**frames).say_change(H) == []
    assert says(**frames).change_of_value(5, "paid_value_vnd") == ""


def progress(*rows: tuple[str, float, float, bool | None, int]) -> pl.DataFrame:
    made = [
        {"period": "2025", "document": "KH", "indicator": code, "denominator": "none", "target_year": year, "target_value": goal, "actual_value": now,
         "gap": now - goal, "value_unit": "tổ chức", "is_comparable": met is not None, "is_met": met, "indicator_vi": f"Chỉ tiêu {code}", "scope": None}
        for code, goal, now, met, year in rows
    ]  # fmt: skip
    return pl.DataFrame(made, infer_schema_length=None)


def test_targets_of_the_year_are_counted_and_the_furthest_missed_come_first() -> None:
    rows = progress(("a", 10, 12, True, 2025), ("b", 100, 90, False, 2025), ("c", 10, 5, False, 2025), ("d", 9, 1, False, 2030), ("e", 9, 1, None, 2025))  # fmt: skip
    (told,) = says(metrics__plan_progress=rows).say_plan()
    assert told.lead == "Đạt 1 trên 3 mục tiêu năm 2025."
    assert told.words.index("chỉ tiêu c (5") < told.words.index("chỉ tiêu b (90")
    assert "chỉ tiêu d" not in told.words
    assert told.figures == (
        "tien-do-ke-hoach/KH|c|none|2025/actual",
        "tien-do-ke-hoach/KH|b|none|2025/actual",
    )


def test_met_targets_and_no_targets_are_different_things() -> None:
    (told,) = says(metrics__plan_progress=progress(("a", 10, 12, True, 2025))).say_plan()
    assert told.lead == "Đạt 1 trên 1 mục tiêu năm 2025."
    assert says().say_plan() == []
    assert says(metrics__plan_progress=progress(("a", 10, 12, True, 2030))).say_plan() == []


def tasks(*rows: tuple[str, str, date | None]) -> pl.DataFrame:
    made = [{"period": "2025", "document": "KH", "task_number": str(i), "task": f"Việc {i}", "department": d, "locality": "X", "status": s, "due_on": due}
            for i, (d, s, due) in enumerate(rows)]  # fmt: skip
    return pl.DataFrame(made, infer_schema_length=None)


def test_overdue_and_late_tasks_are_told_by_department_the_most_first() -> None:
    early, later = date(2025, 11, 30), date(2026, 1, 1)
    rows = tasks(("Sở A", "late", None), ("Sở B", "in_progress", early), ("Sở B", "not_started", early), ("Sở B", "in_progress", later), ("Sở A", "done", early))  # fmt: skip
    (told,) = says(core__plan_tasks=rows).say_tasks()
    assert told.lead == "Xong 1 trên 5 nhiệm vụ của kế hoạch."
    assert told.words == "3 nhiệm vụ quá hạn hoặc chậm tiến độ, thuộc Sở B (2) và Sở A (1)"
    (calm,) = says(core__plan_tasks=tasks(("Sở A", "done", early))).say_tasks()
    assert "Không nhiệm vụ nào" in calm.words
    assert says().say_tasks() == []


def test_a_rank_is_printed_only_where_one_place_is_told_apart_from_another() -> None:
    assert not is_told_apart([{"rank": "1–3", "n_ranked": 3}, {"rank": None, "n_ranked": 3}])
    assert is_told_apart([{"rank": "1–2", "n_ranked": 3}, {"rank": "1–3", "n_ranked": 3}])
