"""The report has words for everything the measures can say, and reads what they write."""

from __future__ import annotations

import polars as pl

from htx_pipeline.graph import network
from htx_pipeline.metrics import reporting
from htx_pipeline.metrics.indicators import all_measures, indicators
from htx_pipeline.metrics.localities import localities
from htx_pipeline.metrics.plan import plan_progress
from htx_pipeline.reference.stages import stages
from htx_pipeline.reference.targets import targets
from htx_pipeline.report import labels, text
from htx_pipeline.report.blocks import Prose
from htx_pipeline.report.model import build_report


def measured(hand) -> dict[str, pl.DataFrame]:
    """Return the frames made by hand, with the measures the pipeline computes from their core tables."""
    frames = hand.province()
    core = {k: f for k, f in frames.items() if k.startswith("core/")}
    organisations, reports = core["core/organisations"], core["core/cooperative_reports"]
    edges = network.edges(core["core/linkages"])
    figures = indicators(organisations, reports, edges)
    roster = reporting.reporting_roster(organisations, reports, period="2024")
    return {
        **core,
        "metrics/localities": localities(organisations, reports, edges),
        "metrics/indicators": figures,
        "metrics/plan_progress": plan_progress(targets(), figures),
        "metrics/reporting_roster": roster,
        "metrics/reporting_roster_localities": reporting.roster_localities(roster),
    }


def test_every_measure_and_denominator_has_a_vietnamese_name() -> None:
    assert {m.indicator for m in all_measures()} - set(labels.INDICATORS) == set()
    assert {m.denominator for m in all_measures()} - set(labels.DENOMINATORS) == set()


def test_stages_are_named_as_the_reference_names_them() -> None:
    assert dict(stages().select("code", "label_vi").iter_rows()) == text.STAGES


def test_every_reason_that_occurs_has_words(hand) -> None:
    frames = measured(hand)
    no_links = indicators(
        frames["core/organisations"],
        frames["core/cooperative_reports"].clear(),
        network.edges(frames["core/linkages"].clear()),
    )
    reasons = {
        r
        for frame in (frames["metrics/indicators"], frames["metrics/plan_progress"], no_links)
        for r in frame["reason"].drop_nulls()
    }
    assert "no_linkages" in reasons
    assert reasons - set(text.REASONS) == set()


def test_the_report_says_what_the_measures_found(hand, options) -> None:
    report = build_report(measured(hand), period="2024", options=options, products=hand.PRODUCTS)
    words = " ".join(
        p
        for s in report.overview.sections
        for b in s.blocks
        if isinstance(b, Prose)
        for p in b.paragraphs
    )
    assert "Toàn tỉnh có 26 hợp tác xã; 21 hợp tác xã (80,8%) đã gửi báo cáo kỳ 2024." in words
    assert "18 hợp tác xã (69,2%) có liên kết đang thực hiện trở lên" in words
    tables = {t.id: t for t in report.overview.tables}
    late = tables["chua-bao-cao"]
    assert {r["org_id"] for r in late.rows} == {f"62{i:08d}" for i in range(0, 26, 6)}
    total = tables["tinh-hinh-bao-cao"].total
    assert total is not None
    assert (total["n_expected"], total["n_missing"]) == (26, 5)
    assert all("_" not in r["indicator"] for r in tables["chi-tieu-chung"].rows), (
        "a code was printed in place of a name"
    )
