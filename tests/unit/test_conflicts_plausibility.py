"""Reports held against the year before and against each other: wrong units are found, size is not a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from htx_pipeline.findings import FINDING_SCHEMA
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule, load_mappings
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.resolve.plausibility_rules import report_plausibility
from htx_pipeline.sample import MAPPINGS_DIR, write_sample
from htx_pipeline.schemas import TABLES

TABLE = TABLES["cooperative_reports"]
NONE = TABLE.empty()


def reports(period: str, **columns: list[Any]) -> pl.DataFrame:
    n = len(next(iter(columns.values())))
    base = {
        "period": [period] * n, "org_id": [f"o{i}" for i in range(n)], "source_id": [f"f:S:{i}" for i in range(n)],
        "source_file": ["f.xlsx"] * n, "source_sheet": ["S"] * n, "source_row": list(range(8, 8 + n)),
    }  # fmt: skip
    return TABLE.conform(pl.DataFrame({**base, **columns}, strict=False))


def rules(found: pl.DataFrame) -> list[tuple[str, int]]:
    return [
        (r.removeprefix("cooperative_reports."), row)
        for r, row in found.select("rule_id", "source_row").iter_rows()
    ]


PEERS = [400_000_000 + 100_000_000 * i for i in range(12)]


def test_ordinary_figures_are_left_alone() -> None:
    now, before = (
        reports("2024", revenue_vnd=PEERS),
        reports("2023", revenue_vnd=[v // 2 for v in PEERS]),
    )
    assert report_plausibility(now, before, period="2024").is_empty()


@pytest.mark.parametrize("members", [[5] * 11 + [1_200], [9] * 11 + [100]])
def test_a_large_cooperative_is_no_mistake(members: list[int]) -> None:
    assert report_plausibility(
        reports("2024", official_members=members), NONE, period="2024"
    ).is_empty()


@pytest.mark.parametrize("column", ["debt_vnd", "funds_set_aside_vnd", "profit_before_tax_vnd"])
def test_amounts_that_may_be_small_are_not_held_against_peers(column: str) -> None:
    assert report_plausibility(
        reports("2024", **{column: [*PEERS, 500_000]}), NONE, period="2024"
    ).is_empty()


def test_a_thousand_times_the_peers_is_found_without_a_year_before() -> None:
    found = report_plausibility(
        reports("2024", revenue_vnd=[*PEERS, 700_000_000_000]), NONE, period="2024"
    )
    assert rules(found) == [("revenue_vnd.unit_jump", 20)]


def test_a_figure_that_agrees_with_the_year_before_is_not_held_against_peers() -> None:
    now, before = (
        reports("2024", revenue_vnd=[*PEERS, 700_000_000_000]),
        reports("2023", revenue_vnd=[*PEERS, 650_000_000_000]),
    )
    assert report_plausibility(now, before, period="2024").is_empty()


@pytest.mark.parametrize("column", ["revenue_vnd", "debt_vnd", "official_members"])
def test_a_thousand_times_the_year_before_is_found_for_every_amount_and_count(column: str) -> None:
    found = report_plausibility(
        reports("2024", **{column: [12_000]}), reports("2023", **{column: [11]}), period="2024"
    )
    assert rules(found) == [(f"{column}.unit_jump", 8)]
    assert found["severity"].to_list() == ["warning"]
    assert found["raw_value"].to_list() == ["12000"]
    assert "12.000 so với 11" in found["reason_vi"][0]
    assert "12,000 against 11" in found["reason_en"][0]


def test_where_the_year_before_was_the_odd_one_it_is_for_information() -> None:
    now, before = (
        reports("2024", revenue_vnd=PEERS),
        reports("2023", revenue_vnd=[PEERS[0] * 1000, *PEERS[1:]]),
    )
    found = report_plausibility(now, before, period="2024")
    assert rules(found) == [("revenue_vnd.earlier_unit_jump", 8)]
    assert found["severity"].to_list() == ["info"]


def test_the_published_slip_is_an_outlier_that_grew_tenfold_too() -> None:
    now, before = (
        reports("2024", revenue_vnd=[*PEERS, 24_000_000_000]),
        reports("2023", revenue_vnd=[*PEERS, 1_600_000_000]),
    )
    assert rules(report_plausibility(now, before, period="2024")) == [
        ("revenue_vnd.peer_outlier", 20)
    ]
    assert report_plausibility(now, NONE, period="2024").is_empty()


def test_incomes_per_head_vary_little() -> None:
    incomes = [30_000_000 + 2_000_000 * i for i in range(12)]
    found = report_plausibility(
        reports("2024", member_income_vnd=[*incomes, 600_000_000]), NONE, period="2024"
    )
    assert rules(found) == [("member_income_vnd.peer_outlier", 20)]


def test_a_cell_is_told_of_once_and_nothing_depends_on_the_order_of_rows() -> None:
    now = reports("2024", revenue_vnd=[*PEERS, 900_000_000_000], total_capital_vnd=[*PEERS, 5_000])
    before = reports(
        "2023", revenue_vnd=[*PEERS, 900_000_000], total_capital_vnd=[*PEERS, 5_000_000_000]
    )
    found = report_plausibility(now, before, period="2024")
    assert sorted(rules(found)) == [
        ("revenue_vnd.unit_jump", 20),
        ("total_capital_vnd.unit_jump", 20),
    ]
    assert found.equals(
        report_plausibility(
            now.reverse(), before.sample(fraction=1, shuffle=True, seed=3), period="2024"
        )
    )
    assert dict(found.schema) == FINDING_SCHEMA


def test_frames_in_several_chunks_are_no_trouble() -> None:
    parts = [
        reports("2024", revenue_vnd=PEERS),
        reports("2024", revenue_vnd=[None, 700_000_000_000]),
    ]
    now = pl.concat(
        [p.with_columns(org_id=pl.col("org_id") + str(i)) for i, p in enumerate(parts)],
        rechunk=False,
    )
    assert len(report_plausibility(now, NONE, period="2024")) == 1


def test_a_heading_that_mixes_members_and_workers_reaches_the_findings_with_its_cell(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text(
        "Tên HTX;Thành viên và người lao động;Lao động, thành viên (khác)\nHTX A;12;1\nHTX B;20;2\n"
    )
    mapping = Mapping(
        id="m", table="cooperative_reports", files=("*.csv",), period=PeriodRule(constant="2024"),
        columns={"name": ColumnRule(source="Tên HTX"), "official_members": ColumnRule(source="Thành viên và người lao động")},
    )  # fmt: skip
    result = read_sources(
        "cooperative_reports",
        [mapping],
        list_sources([mapping], tmp_path),
        input_dir=tmp_path,
        period="2024",
    )
    mixed = result.findings.filter(pl.col("rule_id") == "cooperative_reports.mixed_definition")
    assert mixed.select("source_cell", "column", "severity").sort("source_cell").rows() == [
        ("B1", "official_members", "warning"), ("C1", None, "info"),
    ]  # fmt: skip


@pytest.mark.slow
def test_the_samples_planted_slips_are_found_and_nothing_else_is(tmp_path: Path) -> None:
    made = write_sample(tmp_path)
    mappings = load_mappings(MAPPINGS_DIR)
    mappings = [m for m in mappings if m.table == "cooperative_reports"]
    sources = list_sources(mappings, tmp_path)
    read = {
        p: read_sources("cooperative_reports", mappings, sources, input_dir=tmp_path, period=p)
        for p in ("2023", "2024", "2025")
    }
    frames = {
        p: r.rows.select(list(TABLE.schema)).with_columns(org_id=pl.coalesce("tax_code", "name"))
        for p, r in read.items()
    }
    warned: set[tuple[str, int, str]] = set()
    for period, before in (("2023", None), ("2024", "2023"), ("2025", "2024")):
        found = report_plausibility(
            frames[period], frames[before] if before else NONE, period=period
        )
        warned |= set(
            found.filter(pl.col("severity") == "warning")
            .select("source_file", "source_row", "column")
            .iter_rows()
        )
    mine = made.mess.filter(pl.col("table") == "cooperative_reports")
    planted = mine.filter(pl.col("kind").is_in(["wrong_unit_thousand", "wrong_unit_million"]))
    assert planted.height >= 2
    assert warned == set(planted.select("file", "row", "column").iter_rows())
    cells = (
        pl.concat([r.findings for r in read.values()])
        .select("source_file", "source_cell", "rule_id")
        .rows()
    )
    for slip in mine.filter(pl.col("kind") == "billion_text_slip").iter_rows(named=True):
        assert (slip["file"], slip["cell"], slip["expected_rule"]) in cells
