"""Run the asset graph in this process, for one period after another, with progress.

What belongs here: what `htx run` and `htx demo` do. What does not: schedules and sensors (`assets/`).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.mapping import Mapping, load_mappings
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.ingest.template import mapping_named
from htx_pipeline.orchestration.progress import listening
from htx_pipeline.orchestration.resources import check_period
from htx_pipeline.settings import PERIODS, Settings


@dataclass(frozen=True)
class PeriodRun:
    """How the run of one period ended."""

    period: str
    is_success: bool
    failures: tuple[str, ...] = ()


def discover_periods(
    mappings: Sequence[Mapping], input_dir: Path, source_files: pl.DataFrame | None = None
) -> list[str]:
    """Return the reporting years the sources speak of, oldest first.

    Constants and years in paths are taken as they are; only when there are none are the files read
    for the years in their rows. ``source_files``: what `list_sources` found, where it is known already.
    """
    if source_files is None:
        source_files = list_sources(mappings, input_dir)
    rows = source_files.filter(pl.col("mapping_id").is_not_null()).iter_rows(named=True)
    years = {year for row in rows for year in years_of(row, mappings)}
    if not years:
        for period in PERIODS:
            for table in sorted({m.table for m in mappings}):
                if (
                    read_sources(table, mappings, source_files, input_dir=input_dir, period=period)
                    .rows.filter(pl.col("period") == period)
                    .height
                ):
                    years.add(period)
    return [check_period(y) for y in sorted(years)]


def years_of(source_file: dict[str, Any], mappings: Sequence[Mapping]) -> set[str]:
    """Return the reporting years a source file is of by its mapping or its path; none: its rows tell."""
    if source_file["mapping_id"] is None:
        return set()
    rule = mapping_named(source_file["mapping_id"], {m.id: m for m in mappings}).period
    years = set(rule.constants)
    if rule.path_pattern is not None:
        found = re.search(rule.path_pattern, source_file["source_file"])
        if found is not None:
            years.add(found.group(1))
    return years


def run_periods(
    settings: Settings,
    periods: Sequence[str],
    *,
    selection: Sequence[str] | None = None,
    progress: Callable[[str, str, int, int], None] | None = None,
) -> list[PeriodRun]:
    """Materialize the asset graph for each period.

    Parameters
    ----------
    settings:
        Settings of the run.
    periods:
        Reporting years, oldest first.
    selection:
        Asset keys ("core/linkages"); all when None.
    progress:
        Called with (period, step, steps done, steps in all) as steps end.
    """
    from htx_pipeline.definitions import defs
    from htx_pipeline.orchestration.io_manager import ParquetIOManager
    from htx_pipeline.orchestration.resources import SettingsResource, overrides_of

    load_mappings(settings.mappings)
    resources = {
        "settings": SettingsResource(overrides=overrides_of(settings)),
        "io_manager": ParquetIOManager(data_dir=str(settings.data_dir)),
    }
    job = _job(defs(), selection, resources)
    steps = len(job.nodes)

    def run(period: str) -> PeriodRun:
        run_id = str(uuid.uuid4())
        done = 0

        def say(what: str) -> None:
            if progress is not None:
                progress(period, what, done, steps)

        def listen(entry: Any) -> None:
            nonlocal done
            event = entry.dagster_event
            if event is not None and event.event_type_value in {
                "STEP_SUCCESS",
                "STEP_FAILURE",
                "STEP_SKIPPED",
            }:
                done += 1
                say(event.step_key or "")

        instance.add_event_listener(run_id, listen)
        with listening(lambda what, at, todo: say(f"{what} {at}/{todo}")):
            result = job.execute_in_process(
                partition_key=check_period(period), instance=instance, raise_on_error=False, run_id=run_id,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )  # fmt: skip
        return _outcome(period, result)

    with dg.DagsterInstance.ephemeral() as instance:
        return [run(period) for period in periods]


def _job(
    loaded: dg.Definitions, selection: Sequence[str] | None, resources: dict[str, Any]
) -> dg.JobDefinition:
    """Return a job over the selected assets that uses *resources*; a step makes all its assets.

    Checks that a step can do without are left out: their rules are judged all the same, stop what they stop and
    stand in the findings, and nobody sees the event log of such a run.

    The resources are given to new definitions: given to a run of the loaded job they are refused as soon as
    assets are selected.
    """
    chosen: dg.AssetSelection = dg.AssetSelection.all()
    if selection:
        wanted = {dg.AssetKey(key.split("/")) for key in selection}
        unknown = wanted - set(loaded.resolve_all_asset_keys())
        if unknown:
            raise InputError(
                f"There is no asset {min(k.to_user_string() for k in unknown)!r}.",
                where="selection",
                remedy="List them with `dg list defs`.",
                code="asset_unknown",
            )
        chosen = dg.AssetSelection.assets(*wanted).required_multi_asset_neighbors()
    inseparable = [
        check
        for made in loaded.assets or ()
        if isinstance(made, dg.AssetsDefinition) and not made.can_subset
        for check in made.check_keys
        if check.asset_key in chosen.resolve(loaded.resolve_asset_graph())
    ]
    chosen = chosen.without_checks() | dg.AssetSelection.checks(*inseparable)
    mine = dg.Definitions(
        assets=loaded.assets,
        asset_checks=loaded.asset_checks,
        resources=resources,
        executor=dg.in_process_executor,
        jobs=[dg.define_asset_job("periods", selection=chosen)],
    )
    return mine.resolve_job_def("periods")


def _outcome(period: str, result: Any) -> PeriodRun:
    failures = []
    for event in result.filter_events(lambda e: e.event_type_value == "STEP_FAILURE"):
        data = event.step_failure_data
        user = data.user_failure_data
        cause = data.error
        while cause is not None and cause.cause is not None:
            cause = cause.cause
        reason = cause.message.strip() if cause is not None else "failed"
        failures.append(
            user.description
            if user is not None and user.description
            else f"{event.step_key}: {reason}"
        )
    return PeriodRun(period, result.success, tuple(failures))


def require_success(runs: Sequence[PeriodRun]) -> None:
    """Raise an InputError that says which steps failed and why, when any did."""
    failed = [r for r in runs if not r.is_success]
    if failed:
        raise InputError(
            "The pipeline did not finish for: " + ", ".join(r.period for r in failed),
            why="\n".join(dict.fromkeys(f for r in failed for f in r.failures)),
            remedy="Mend what is named above and run again; tables that were published before are unchanged.",
            code="run_failed",
        )  # fmt: skip
