"""From a settled table to Dagster events: findings first, then checks, the table last or not at all.

What belongs here: the order of write, audit and publish. What does not: judging rows
(`htx_pipeline.validation.publish`).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl

from htx_pipeline.orchestration.checks import BALANCE_CHECK, SHARE_CHECK, check_name
from htx_pipeline.validation.publish import Settled


def settled_events(
    context: dg.AssetExecutionContext, key: dg.AssetKey, done: Settled
) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
    """Yield the outputs and checks that this run selected; fail before the table when a rule stops it."""
    outputs = context.op_execution_context.selected_output_names
    checks = {c.name for c in context.selected_asset_check_keys}
    for name, frame in (
        ("findings", done.findings),
        ("rejected", done.rejected),
        ("ledger", done.ledger),
    ):
        if name in outputs:
            yield dg.Output(frame, name)
    for check in done.checks:
        name = SHARE_CHECK if check.rule_id == "rejected_share" else check_name(check.rule_id)
        stops = check.severity == "critical"
        if name in checks:
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=name,
                passed=check.passed,
                severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
                metadata={
                    "rows_checked": check.n_checked,
                    "rows_failed": check.n_failed,
                    **check.metadata,
                    **(
                        {}
                        if check.passed
                        else {"see": f"{key.to_user_string()}_findings, rule_id {check.rule_id}"}
                    ),
                },
            )
    set_aside = int(done.ledger["rows_rejected_first"].sum())
    counts = {"rows_read": done.rows_read, "accepted": done.accepted.height, "set_aside": set_aside}
    if BALANCE_CHECK in checks:
        yield dg.AssetCheckResult(
            asset_key=key, check_name=BALANCE_CHECK, passed=done.is_balanced, metadata=counts
        )
    if not done.is_publishable:
        name = key.to_user_string()
        failed = [c for c in done.checks if not c.passed and c.severity == "critical"]
        reasons = [f"{c.rule_id}: {c.description_en}" for c in failed]
        if not done.is_balanced:
            reasons.append(f"the ledger does not balance: {counts}")
        raise dg.Failure(
            description=f"{name} is not published: {'; '.join(reasons)}. "
            f"See {name}_findings for the rows and what to do.",
            allow_retries=False,
        )
    if "accepted" in outputs:
        found = {"findings": done.findings.height, "rejected": done.rejected.height}
        yield dg.Output(done.accepted, "accepted", metadata={**counts, **found})
