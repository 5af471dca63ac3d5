"""The schedule: at night, run the reporting years whose input has changed."""

import dagster as dg

from htx_pipeline.errors import InputError
from htx_pipeline.orchestration.due import fingerprints
from htx_pipeline.orchestration.resources import SettingsResource
from htx_pipeline.settings import Settings

INPUT_TAG = "htx/input"
"""Tag of a run: the fingerprint of what it was asked to read."""

_WORKING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
]
_CHOSEN = Settings()


@dg.schedule(
    name="nightly", target=dg.AssetSelection.all(), cron_schedule=_CHOSEN.schedule_cron, execution_timezone=_CHOSEN.timezone,
    description="Runs each reporting year whose files, mappings, corrections or settings changed since its last good run, "
    "oldest first. A year whose run failed is asked for again the next night.",
)  # fmt: skip
def nightly(
    context: dg.ScheduleEvaluationContext, settings: SettingsResource
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for the years that no good or waiting run has read as they are."""
    try:
        found = fingerprints(settings.get())
    except InputError as exc:
        return dg.SkipReason(str(exc))
    due = {
        period: mark
        for period, mark in found.items()
        if not context.instance.get_runs(
            dg.RunsFilter(tags={INPUT_TAG: mark, "dagster/partition": period}, statuses=_WORKING),
            limit=1,
        )
    }
    if not due:
        return dg.SkipReason(f"Nothing changed in {', '.join(found) or 'any reporting year'}.")
    return [
        dg.RunRequest(run_key=f"{period}-{mark}", partition_key=period, tags={INPUT_TAG: mark})
        for period, mark in sorted(due.items())
    ]
