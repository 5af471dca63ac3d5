"""The sensor takes files in and asks for the runs they need; the roster sees last year."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from htx_pipeline import storage
from htx_pipeline.definitions import defs
from htx_pipeline.orchestration.resources import SettingsResource
from htx_pipeline.schemas import TABLES
from htx_pipeline.tables import read_table

MAPPING = """
version = 1
id = "reports"
table = "cooperative_reports"
files = ["20[0-9][0-9]/bc/*.csv"]
[period]
path_pattern = '(20\\d{2})/'
[columns.tax_code]
source = "Mã số"
[columns.name]
source = "Tên HTX"
[columns.revenue_vnd]
source = "Doanh thu"
"""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()  # type: ignore[operator]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = {"inbox_dir": tmp_path / "inbox", "mappings_dir": tmp_path / "mappings"}
    for folder in made.values():
        folder.mkdir()
    (made["mappings_dir"] / "reports.toml").write_text(MAPPING)
    return {**made, "data_dir": tmp_path / "data", "input_dir": tmp_path / "input"}


def put(folder: Path, name: str, *codes: str, year: int = 2024) -> None:
    path = folder / name
    rows = [f"{c};HTX {c};10" for c in codes]
    path.write_text("\n".join([f"Năm {year};;", "Mã số;Tên HTX;Doanh thu", *rows]) + "\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))


def tick(
    definitions: dg.Definitions, folders: dict[str, Path] | None, cursor: str | None = None
) -> Any:
    sensor = definitions.get_repository_def().get_sensor_def("inbox")
    overrides = {k: str(v) for k, v in (folders or {}).items()}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            resources={"settings": SettingsResource(overrides=overrides)},
        ) as context,
    ):
        return sensor(context)


def test_without_an_inbox_the_sensor_says_so(definitions: dg.Definitions) -> None:
    assert "HTX_INBOX_DIR" in tick(definitions, None).skip_message


def test_an_inbox_that_is_missing_is_a_skip_with_the_reason(
    definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    folders["inbox_dir"].rmdir()
    assert "does not exist" in tick(definitions, folders).skip_message


def test_one_run_per_year_keyed_by_content_and_none_for_what_is_known(
    definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1", "2")
    put(folders["inbox_dir"], "b.csv", "3", "4", year=2025)
    first = tick(definitions, folders)
    ledger = storage.read_frame(folders["data_dir"] / "inbox" / "ledger.parquet")
    assert [(r.partition_key, r.run_key) for r in first.run_requests] == list(
        ledger.select("periods", "sha256").iter_rows()
    )
    again = tick(definitions, folders, first.cursor)
    assert again.run_requests == []
    assert "Nothing new" in again.skip_reason.skip_message
    put(folders["inbox_dir"], "c.csv", "1", "2", "9")
    third = tick(definitions, folders, first.cursor)
    assert [r.partition_key for r in third.run_requests] == ["2024"]


def test_files_that_come_together_make_one_run_a_year(
    definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1")
    put(folders["inbox_dir"], "b.csv", "2")
    (request,) = tick(definitions, folders).run_requests
    assert request.tags["htx/files"] == "2"
    assert len(request.run_key) == 64


def test_what_a_failed_tick_took_in_is_run_by_the_next(
    definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1")
    lost = tick(definitions, folders)
    assert len(lost.run_requests) == 1
    (request,) = tick(definitions, folders, json.dumps({"entry": 0, "seen": {}})).run_requests
    assert request.run_key == lost.run_requests[0].run_key


def test_the_sensor_is_valid_for_the_daemon(
    definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1")
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("inbox")
    settings = SettingsResource(overrides={k: str(v) for k, v in folders.items()})
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance,
            repository_def=repository,
            sensor_name="inbox",
            resources={"settings": settings},
        ) as context,
    ):
        (request,) = sensor.evaluate_tick(context).run_requests
    assert request.tags["dagster/partition"] == "2024"


# --- the assets -------------------------------------------------------------------------------


def report(period: str, *orgs: str, revenue: int = 2_000_000_000) -> pl.DataFrame:
    rows = [
        {
            "period": period, "org_id": o, "name": o, "reported_on": date(int(period), 12, 10), "source_id": f"{o}:S:9", "source_file": "a.xlsx",
            "source_sheet": "S", "source_row": 9, "official_members": 9, "revenue_vnd": revenue, "profit_before_tax_vnd": 1, "total_capital_vnd": revenue,
        }
        for o in orgs
    ]  # fmt: skip
    return TABLES["cooperative_reports"].conform(pl.DataFrame(rows))


@pytest.fixture
def materialize(
    definitions: dg.Definitions, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Any:
    for name, folder in folders.items():
        monkeypatch.setenv(f"HTX_{name.upper()}", str(folder))
    job = definitions.resolve_implicit_global_asset_job_def()

    def run(period: str, *keys: str) -> dict[str, tuple[bool, dict[str, Any]]]:
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                partition_key=period, instance=instance, asset_selection=[dg.AssetKey(k.split("/")) for k in keys],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )  # fmt: skip
        checks = [
            e.asset_check_evaluation_data
            for e in result.filter_events(lambda e: e.event_type_value == "ASSET_CHECK_EVALUATION")
        ]
        return {
            c.check_name: (c.passed, {k: v.value for k, v in c.metadata.items()}) for c in checks
        }

    return run


def write(folders: dict[str, Path], key: str, period: str, frame: pl.DataFrame) -> None:
    storage.write_table(frame, storage.table_path(folders["data_dir"], key, period=period))


ROSTER = "no_reporter_of_the_period_before_is_missing"


def test_a_reporter_of_last_year_that_is_silent_fails_the_check(
    materialize: Any, folders: dict[str, Path]
) -> None:
    known = TABLES["organisations"].conform(
        pl.DataFrame(
            {
                "period": ["2024"] * 2,
                "org_id": ["a", "b"],
                "name": ["a", "b"],
                "legal_type": ["htx"] * 2,
                "is_registered": [True] * 2,
                "locality": ["Đăk Hà"] * 2,
            }
        )
    )
    write(folders, "core/organisations", "2024", known)
    write(
        folders, "core/cooperative_reports_rejected", "2024", TABLES["cooperative_reports"].empty()
    )
    write(folders, "core/cooperative_reports", "2024", report("2024", "a"))
    keys = ("raw/inbox", "metrics/reporting_roster", "metrics/reporting_roster_localities")
    assert materialize("2024", *keys)[ROSTER] == (
        True,
        {"missing": 0, "by_locality": {}, "has_previous": False},
    )
    write(folders, "core/cooperative_reports", "2023", report("2023", "a", "b"))
    assert materialize("2024", *keys)[ROSTER] == (
        False,
        {"missing": 1, "by_locality": {"Đăk Hà": 1}, "has_previous": True},
    )
    roster = read_table("metrics/reporting_roster", period="2024", data_dir=folders["data_dir"])
    assert roster.select("org_id", "status").rows() == [("a", "on_time"), ("b", "missing")]


def test_a_jump_against_last_year_reaches_the_findings_with_its_row(
    materialize: Any, folders: dict[str, Path]
) -> None:
    write(
        folders, "core/cooperative_reports", "2024", report("2024", "a", revenue=2_000_000_000_000)
    )
    write(folders, "core/cooperative_reports", "2023", report("2023", "a"))
    materialize("2024", "core/cooperative_reports_plausibility")
    found = read_table(
        "core/cooperative_reports_plausibility", period="2024", data_dir=folders["data_dir"]
    )
    assert found.select("rule_id", "severity", "source_file", "source_row").rows() == [
        ("cooperative_reports.revenue_vnd.unit_jump", "warning", "a.xlsx", 9),
        ("cooperative_reports.total_capital_vnd.unit_jump", "warning", "a.xlsx", 9),
    ]


def test_the_plausibility_of_a_first_year_is_no_failure(
    materialize: Any, folders: dict[str, Path]
) -> None:
    write(folders, "core/cooperative_reports", "2024", report("2024", "a"))
    materialize("2024", "core/cooperative_reports_plausibility")
    assert read_table(
        "core/cooperative_reports_plausibility", period="2024", data_dir=folders["data_dir"]
    ).is_empty()


def test_corrected_rows_reach_the_raw_table_in_the_place_of_the_old_ones(
    materialize: Any, definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1", "2", "3")
    first = tick(definitions, folders)
    put(folders["inbox_dir"], "b.csv", "2")
    corrected = folders["inbox_dir"] / "b.csv"
    corrected.write_text(corrected.read_text().replace(";10", ";11"))
    os.utime(corrected, (1_700_000_000, 1_700_000_000))
    (request,) = tick(definitions, folders, first.cursor).run_requests
    assert request.partition_key == "2024"
    tables = (f"raw/cooperative_reports{part}" for part in ("", "_findings", "_sheets"))
    materialize("2024", "raw/inbox", "raw/source_files", *tables)
    rows = read_table("raw/cooperative_reports", period="2024", data_dir=folders["data_dir"])
    assert rows.select("tax_code", "revenue_vnd", "source_file").sort("tax_code").rows() == [
        ("1", 10, "2024/bc/a.csv"),
        ("2", 11, "2024/bc/b.csv"),
        ("3", 10, "2024/bc/a.csv"),
    ]
    told = read_table(
        "raw/cooperative_reports_findings", period="2024", data_dir=folders["data_dir"]
    )
    assert "cooperative_reports.row_corrected" in told["rule_id"].to_list()


def test_what_waits_in_quarantine_is_seen_in_the_asset_graph(
    materialize: Any, definitions: dg.Definitions, folders: dict[str, Path]
) -> None:
    put(folders["inbox_dir"], "a.csv", "1")
    (folders["inbox_dir"] / "b.pdf").write_bytes(b"%PDF-1.7")
    os.utime(folders["inbox_dir"] / "b.pdf", (1_700_000_000, 1_700_000_000))
    tick(definitions, folders)
    assert materialize("2024", "raw/inbox")["nothing_waits_in_quarantine"] == (
        False,
        {"waiting": 1},
    )
    table = read_table("raw/inbox", period="2024", data_dir=folders["data_dir"])
    assert table.select("file", "fate").sort("file").rows() == [
        ("a.csv", "accepted"),
        ("b.pdf", "quarantined"),
    ]
    materialize("2023", "raw/inbox")
    other = read_table("raw/inbox", period="2023", data_dir=folders["data_dir"])
    assert other["file"].to_list() == ["b.pdf"]
