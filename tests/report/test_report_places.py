"""Sheets of localities, communes and departments, and what changed since the report before."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from htx_pipeline.graph import network
from htx_pipeline.metrics.communes import communes
from htx_pipeline.metrics.indicators import indicators
from htx_pipeline.metrics.localities import localities
from htx_pipeline.metrics.plan import plan_progress
from htx_pipeline.metrics.standing import STANDING_SCHEMA
from htx_pipeline.report.blocks import Facts, Page, Prose, Report, Table
from htx_pipeline.report.model import build_report


def task(
    number: str,
    words: str,
    department: str,
    locality: str,
    status: str,
    due: date,
    indicator: str | None = None,
) -> dict:
    return {
        "period": "2024", "document": "KH 1", "task_number": number, "task": words, "department": department,
        "locality": locality, "due_on": due, "indicator": indicator, "status": status, "progress_share": 0.5,
        "source_id": f"x:{number}", "source_file": "nhiem-vu.xlsx", "source_sheet": "NV", "source_row": 4,
    }  # fmt: skip


def change(subject: str, subject_id: str, what: str, **more) -> dict:
    row = dict.fromkeys(STANDING_SCHEMA) | {
        "period": "2024", "previous_period": "2023", "subject": subject, "subject_id": subject_id, "label": subject_id,
        "change": what, "measure": "is_registered", "unit": "yes_no",
    }  # fmt: skip
    return row | more


@pytest.fixture(scope="module")
def frames(hand) -> dict[str, pl.DataFrame]:
    """Return the frames made by hand, with measures, tasks and changes."""
    made = hand.province()
    core = {k: f for k, f in made.items() if k.startswith("core/")}
    organisations, reports = core["core/organisations"], core["core/cooperative_reports"]
    edges = network.edges(core["core/linkages"])
    figures = indicators(organisations, reports, edges)
    place = "Đăk Hà"
    targets = pl.DataFrame(
        [{"period": "2024", "authority": "UBND tỉnh", "document": "KH 1", "scope": "province", "indicator": "reporting_share",
          "indicator_vi": "Tỷ lệ HTX đã báo cáo", "denominator": "all_htx", "target_year": 2025, "comparator": ">=",
          "value": 2.0, "value_unit": "share", "is_verified": True}]
    )  # fmt: skip
    tasks = [
        task("10", "Đào tạo", "Liên minh HTX", place, "in_progress", date(2024, 11, 30)),
        task(
            "2", "Củng cố", "Sở Nông nghiệp", place, "done", date(2024, 11, 30), "reporting_share"
        ),
        task("1", "Hỗ trợ", "Sở Nông nghiệp", "Toàn tỉnh", "in_progress", date(2026, 1, 1)),
    ]
    changes = [
        change("cooperative", "HTX Mới", "new", locality=place),
        change("task", "t", "newly_flagged", label="Củng cố", locality=place, measure="status_late", before=0.7, after=0.3, unit="share"),
        change("cluster", "k", "worse", label="Cụm K", measure="paid_value_vnd", before=2e9, after=1e9, unit="VND"),
    ]  # fmt: skip
    return {
        **core,
        "core/plan_tasks": pl.DataFrame(tasks),
        "metrics/localities": localities(organisations, reports, edges),
        "metrics/communes": communes(organisations, reports, edges),
        "metrics/indicators": figures,
        "metrics/plan_progress": plan_progress(targets, figures),
        "metrics/standing_changes": pl.DataFrame(changes, schema=STANDING_SCHEMA),
    }


@pytest.fixture(scope="module")
def report(frames, options, hand) -> Report:
    return build_report(frames, period="2024", options=options, products=hand.PRODUCTS)


def words(page: Page) -> str:
    """Return all sentences of a page."""
    blocks = [b for s in page.sections for b in s.blocks]
    return " ".join(p for b in blocks if isinstance(b, Prose) for p in b.paragraphs)


def facts(page: Page) -> dict[str, str]:
    blocks = [b for s in page.sections for b in s.blocks]
    return {f.key: f.value for b in blocks if isinstance(b, Facts) for f in b.items}


def table(page: Page, name: str) -> Table:
    return next(t for t in page.tables if t.id == name)


def test_every_locality_with_cooperatives_has_one_sheet_whose_counts_add_up(report, frames) -> None:
    sheets = [p for p in report.localities if p.scope.startswith("locality:")]
    places = frames["metrics/localities"].filter(
        pl.col("n_cooperatives") > 0, pl.col("locality") != "unknown"
    )
    assert {p.scope.removeprefix("locality:") for p in sheets} == set(places["locality"])
    counted = sum(int(facts(p)["n_cooperatives"]) for p in sheets)
    assert counted == places["n_cooperatives"].sum()
    assert len({p.id for p in report.pages}) == len(report.pages)


def test_the_linkages_behind_a_sheet_are_those_its_locality_counts(report, frames) -> None:
    """The rows a sheet's source names are as many as `metrics/localities` counted."""
    counts = dict(frames["metrics/localities"].select("locality", "n_linkages").iter_rows())
    for page in (p for p in report.localities if p.scope.startswith("locality:")):
        block = next(b for s in page.sections for b in s.blocks if isinstance(b, Facts))
        rows = frames["core/linkages"].filter(block.source.only["linkages"])
        assert rows.height == counts[page.scope.removeprefix("locality:")], page.id


def test_cooperatives_without_linkage_are_listed_last_and_counted(report) -> None:
    page = next(p for p in report.localities if p.scope.startswith("locality:"))
    ranks = [r["rank"] for r in table(page, "hop-tac-xa").rows]
    assert ranks == sorted(ranks, reverse=True)


def test_a_department_sheet_orders_tasks_as_the_plan_numbers_them(report) -> None:
    page = next(p for p in report.departments if "Sở Nông nghiệp" in p.title)
    assert [r["task_number"] for r in table(page, "nhiem-vu").rows] == ["1", "2"]
    assert [p.summary["name"] for p in report.departments] == ["Liên minh HTX", "Sở Nông nghiệp"]


def test_a_task_reported_done_whose_figure_misses_its_target_is_named(report) -> None:
    page = next(p for p in report.departments if "Sở Nông nghiệp" in p.title)
    assert "Báo hoàn thành nhưng số liệu chưa đạt mục tiêu: “Củng cố”" in words(page)


def test_a_task_past_its_deadline_is_overdue_on_the_date_of_the_report_not_of_today(report) -> None:
    late = next(p for p in report.departments if "Liên minh" in p.title)
    other = next(p for p in report.departments if "Sở Nông nghiệp" in p.title)
    assert facts(late)["n_overdue"] == "1"
    assert facts(other)["n_overdue"] == "0"


def test_changes_are_told_gravest_first_with_both_values(report) -> None:
    rows = table(report.overview, "danh-sach-thay-doi").rows
    assert [r["change"] for r in rows] == ["Cảnh báo mới", "Giảm sút", "Mới"]
    assert rows[0]["measure"] == "chậm tiến độ: 70,0% → 30,0%"
    assert rows[1]["measure"] == "giá trị đã thanh toán: 2,0 tỷ đồng → 1,0 tỷ đồng"
    assert rows[2]["measure"] == "có tên trong danh bạ"


def test_without_an_earlier_period_the_overview_says_there_is_nothing_to_compare(
    frames, options, hand
) -> None:
    first = {**frames, "metrics/standing_changes": frames["metrics/standing_changes"].clear()}
    page = build_report(first, period="2024", options=options, products=hand.PRODUCTS).overview
    assert "Chưa có kỳ trước để so sánh" in words(page)


def test_a_locality_that_misses_most_reports_is_shown_without_a_rank_and_says_why(
    frames, options, hand
) -> None:
    silent = frames["core/cooperative_reports"].clear()
    organisations, edges = frames["core/organisations"], network.edges(frames["core/linkages"])
    made = {
        **frames,
        "core/cooperative_reports": silent,
        "metrics/localities": localities(organisations, silent, edges),
    }
    report = build_report(made, period="2024", options=options, products=hand.PRODUCTS)
    page = next(p for p in report.localities if p.scope.startswith("locality:"))
    assert "Không xếp hạng địa bàn này: 100,0% số hợp tác xã chưa gửi báo cáo" in words(page)
    assert all(r["rank"] is None for r in table(report.overview, "theo-dia-ban").rows)


def test_names_that_fold_alike_have_sheets_of_their_own(frames, options, hand) -> None:
    organisations = frames["core/organisations"]
    renamed = organisations.with_columns(
        pl.col("locality").replace({"Đăk Hà": "Huyện Đăk Tô", "Đăk Tô": "Huyện Đắk Tô"})
    )
    reports, edges = frames["core/cooperative_reports"], network.edges(frames["core/linkages"])
    made = {
        **frames,
        "core/organisations": renamed,
        "metrics/localities": localities(renamed, reports, edges),
    }
    report = build_report(made, period="2024", options=options, products=hand.PRODUCTS)
    ids = [p.id for p in report.localities if "dak-to" in p.id]
    assert len(set(ids)) == len(ids) == 2


def history(*rows: tuple[str, str, int, int, int | None]) -> pl.DataFrame:
    """Return `metrics/locality_history` from (locality, year, cooperatives, linked, paid value)."""
    return pl.DataFrame(
        [
            {"period": "2024", "locality": place, "year": year, "n_cooperatives": n, "n_linked_signed": linked,
             "n_linked_executed": None, "contracted_value_vnd": paid, "paid_value_vnd": paid, "n_reported": n}
            for place, year, n, linked, paid in rows
        ],
        schema_overrides={"n_linked_executed": pl.Int64, "paid_value_vnd": pl.Int64},
    )  # fmt: skip


def test_years_side_by_side_add_up_localities_and_leave_unknown_years_empty(
    frames, options, hand
) -> None:
    rows = history(
        ("Đăk Hà", "2023", 4, 1, None), ("Đăk Tô", "2023", 6, 1, None), ("Đăk Hà", "2024", 5, 2, 10), ("Đăk Tô", "2024", 5, 3, 20)
    )  # fmt: skip
    report = build_report(
        {**frames, "metrics/locality_history": rows},
        period="2024",
        options=options,
        products=hand.PRODUCTS,
    )
    figure = next(f for f in report.overview.figures if f.spec["kind"] == "trends")
    shown = {r["key"]: (r["2023"], r["2024"]) for r in figure.data.rows}
    assert shown["n_cooperatives"] == (10, 10)
    assert shown["linked_share"] == pytest.approx((20.0, 50.0))
    assert shown["paid_value_vnd"][0] is None
    assert "executed_share" not in shown
    own = next(p for p in report.localities if p.scope == "locality:Đăk Hà")
    figure = next(f for f in own.figures if f.spec["kind"] == "trends")
    assert {r["key"]: r["2024"] for r in figure.data.rows}["n_cooperatives"] == 5


def test_one_year_alone_is_no_trend(frames, options, hand) -> None:
    made = {**frames, "metrics/locality_history": history(("Đăk Hà", "2024", 5, 2, 10))}
    report = build_report(made, period="2024", options=options, products=hand.PRODUCTS)
    assert not [f for p in report.pages for f in p.figures if f.spec["kind"] == "trends"]
