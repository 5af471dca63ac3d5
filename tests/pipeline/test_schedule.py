"""The nightly schedule asks for the reporting years whose input changed, and for no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from htx_pipeline.definitions import defs
from htx_pipeline.orchestration.due import fingerprints
from htx_pipeline.orchestration.resources import SettingsResource
from htx_pipeline.settings import Settings

MAPPING = """
version = 1
id = "reports"
table = "cooperative_reports"
files = ["20[0-9][0-9]/*.csv"]
[period]
path_pattern = '(20\\d{2})/'
[columns.tax_code]
source = "Mã số"
[columns.name]
source = "Tên HTX"
[columns.revenue_vnd]
source = "Doanh thu"
"""


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "reports.toml").write_text(MAPPING)
    for year in ("2023", "2024", "2025"):
        put(tmp_path / "input", year, "10")
    return Settings(data_dir=tmp_path / "data", input_dir=tmp_path / "input", mappings_dir=mappings)


def put(folder: Path, year: str, revenue: str) -> None:
    path = folder / year / "bc.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"Mã số;Tên HTX;Doanh thu\n0101234567;HTX Một;{revenue}\n")


def tick(instance: dg.DagsterInstance, chosen: Settings) -> Any:
    repository = defs().get_repository_def()  # type: ignore[operator]
    overrides = {
        "data_dir": str(chosen.data_dir), "input_dir": str(chosen.input_dir), "mappings_dir": str(chosen.mappings),
    }  # fmt: skip
    # Left open, the context gives its instance back when it is collected: in the middle of a later test.
    with dg.build_schedule_context(
        instance=instance,
        resources={"settings": SettingsResource(overrides=overrides)},
        repository_def=repository,
    ) as context:
        return repository.get_schedule_def("nightly").evaluate_tick(context)


def end(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
    tags = {**request.tags, "dagster/partition": request.partition_key or ""}
    instance.add_run(dg.DagsterRun(job_name="nightly", tags=tags, status=status))


def test_the_first_night_runs_every_year_oldest_first_and_the_second_night_none(chosen):
    with dg.instance_for_test() as instance:
        first = tick(instance, chosen)
        assert [r.partition_key for r in first.run_requests] == ["2023", "2024", "2025"]
        for request in first.run_requests:
            end(instance, request, dg.DagsterRunStatus.SUCCESS)
        second = tick(instance, chosen)
    assert not second.run_requests
    assert "2023, 2024, 2025" in second.skip_message


def test_a_changed_file_runs_its_year_and_the_later_ones_that_look_back_on_it(chosen):
    with dg.instance_for_test() as instance:
        for request in tick(instance, chosen).run_requests:
            end(instance, request, dg.DagsterRunStatus.SUCCESS)
        put(chosen.input_dir, "2024", "11")
        assert [r.partition_key for r in tick(instance, chosen).run_requests] == ["2024", "2025"]


def test_a_failed_year_is_asked_for_again_and_one_under_way_is_not(chosen):
    with dg.instance_for_test() as instance:
        old, middle, new = tick(instance, chosen).run_requests
        end(instance, old, dg.DagsterRunStatus.FAILURE)
        end(instance, middle, dg.DagsterRunStatus.STARTED)
        end(instance, new, dg.DagsterRunStatus.SUCCESS)
        assert [r.partition_key for r in tick(instance, chosen).run_requests] == ["2023"]


def test_a_changed_mapping_runs_every_year(chosen):
    before = fingerprints(chosen)
    path = chosen.mappings / "reports.toml"
    path.write_text(path.read_text().replace('"Doanh thu"', '["Doanh thu", "DT"]'))
    after = fingerprints(chosen)
    assert before.keys() == after.keys()
    assert all(before[year] != after[year] for year in before)


def test_when_and_how_fast_it_runs_changes_nothing_but_a_missing_corrections_file_is_no_crash(
    chosen, tmp_path
):
    before = fingerprints(chosen)
    moved = chosen.model_copy(
        update={"schedule_cron": "0 5 * * *", "timezone": "UTC", "workers": 1}
    )
    assert fingerprints(moved) == before
    gone = chosen.model_copy(update={"corrections_file": tmp_path / "none.csv"})
    assert all(fingerprints(gone)[year] != mark for year, mark in before.items())


def test_a_missing_input_folder_is_said_not_raised(chosen, tmp_path):
    gone = chosen.model_copy(update={"input_dir": tmp_path / "none"})
    with dg.instance_for_test() as instance:
        done = tick(instance, gone)
    assert not done.run_requests
    assert "does not exist" in done.skip_message
