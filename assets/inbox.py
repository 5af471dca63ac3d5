"""raw/inbox: what arrived in the inbox and what became of it; the sensor that watches the folder."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.inbox import Seen, intake
from htx_pipeline.ingest.inbox_ledger import read_ledger, replaced_by, waiting
from htx_pipeline.ingest.mapping import load_mappings
from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource

QUARANTINE = "nothing_waits_in_quarantine"
FILES_PER_TICK = 20


@dg.asset(
    key=["raw", "inbox"], group_name="raw", owners=OWNERS["raw"], kinds={"polars", "excel"}, partitions_def=PERIOD_PARTITIONS,
    description="Hộp thư / the inbox: every file that arrived for the period, accepted, quarantined or ignored, and why. "
    "A file of unknown period is listed under every period.",
    check_specs=[
        dg.AssetCheckSpec(
            name=QUARANTINE, asset=dg.AssetKey(["raw", "inbox"]),
            description="Không có tệp nào bị giữ lại chờ xử lý / no file waits in quarantine",
        )
    ],
)  # fmt: skip
def inbox(
    context: dg.AssetExecutionContext, settings: SettingsResource
) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
    """List the ledger's entries of the period."""
    with explained():
        ledger = read_ledger(settings.get().data_dir)
    mine = ledger.drop("row_keys", "mappings_hash").filter(
        pl.col("periods").is_null()
        | pl.col("periods").str.split("; ").list.contains(context.partition_key)
    )
    mine = mine.with_columns(received_on=pl.col("seen_at").dt.date())
    n_waiting = waiting(ledger)["entry"].is_in(mine["entry"].implode()).sum()
    yield dg.Output(mine, metadata=dict(mine.group_by("fate").len().sort("fate").iter_rows()))
    yield dg.AssetCheckResult(
        check_name=QUARANTINE,
        passed=n_waiting == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"waiting": n_waiting},
    )


@dg.sensor(
    name="inbox", target=dg.AssetSelection.all(), minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes in what arrives in the inbox folder (HTX_INBOX_DIR) and runs the reporting years it is about.",
)  # fmt: skip
def inbox_sensor(
    context: dg.SensorEvaluationContext, settings: SettingsResource
) -> dg.SensorResult | dg.SkipReason:
    """Take in new files; ask for one run per reporting year, keyed by the content that arrived.

    The cursor holds what each file looked like, and the last entry of the ledger for which runs were
    asked: files taken in by a tick that then failed, or by `htx inbox --take`, are run by the next.
    """
    chosen = settings.get()
    if chosen.inbox_dir is None:
        return dg.SkipReason("No inbox is set (HTX_INBOX_DIR).")
    cursor = json.loads(context.cursor) if context.cursor else {"entry": 0, "seen": {}}
    try:
        scan, ledger = intake(
            chosen.inbox_dir, data_dir=chosen.data_dir, input_dir=chosen.input_dir, mappings=load_mappings(chosen.mappings),
            now=datetime.now(UTC), seen={k: Seen(*v) for k, v in cursor["seen"].items()}, max_files=FILES_PER_TICK,
        )  # fmt: skip
    except InputError as exc:
        return dg.SkipReason(str(exc))
    arrived = ledger.filter((pl.col("entry") > cursor["entry"]) & (pl.col("fate") == "accepted"))
    replacing = {
        old: row["sha256"] for row in arrived.iter_rows(named=True) for old in replaced_by(row)
    }
    replaced = ledger.filter(
        pl.col("sha256").is_in(list(replacing)) & (pl.col("fate") == "accepted")
    )
    by_period: dict[str, set[str]] = {}
    for row in arrived.iter_rows(named=True):
        for period in row["periods"].split("; "):
            by_period.setdefault(period, set()).add(row["sha256"])
    for row in replaced.iter_rows(named=True):
        for period in row["periods"].split("; "):
            by_period.setdefault(period, set()).add(replacing[row["sha256"]])
    requests = [
        dg.RunRequest(
            run_key=_run_key(hashes, period, by_period),
            partition_key=period,
            tags={"htx/files": str(len(hashes))},
        )
        for period, hashes in sorted(by_period.items())
    ]
    last = int(ledger["entry"].max() or 0) if ledger.height else 0
    told = {k: [v.size, v.mtime_ns, v.sha256] for k, v in sorted(scan.seen.items())}
    new_cursor = json.dumps({"entry": last, "seen": told}, ensure_ascii=False)
    waiting = scan.decisions.filter(pl.col("code") == "being_written").height
    reason = None if requests else f"Nothing new to read; {waiting} files are still being written."
    return dg.SensorResult(run_requests=requests, cursor=new_cursor, skip_reason=reason)


def _run_key(hashes: set[str], period: str, by_period: dict[str, set[str]]) -> str:
    """Return the content hash, of the file or of the files that arrived together, once per period."""
    key = (
        next(iter(hashes))
        if len(hashes) == 1
        else hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()
    )
    is_shared = sum(hashes == other for other in by_period.values()) > 1
    return f"{key}-{period}" if is_shared else key
