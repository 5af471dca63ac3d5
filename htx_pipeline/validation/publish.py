"""From resolved rows to what may be published: rows that passed, rows that did not, and the proof.

What belongs here: putting the reader's, the resolver's and the suite's findings together, and a
ledger in which every row that was read is accounted for. What does not: the rules themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from htx_pipeline.findings import concat_findings
from htx_pipeline.resolve.organisations import UNRESOLVED, Resolved
from htx_pipeline.validation.run import LEDGER_SCHEMA, Check, ValidationResult, validate
from htx_pipeline.validation.suites import SuiteSpec

_SETS_ASIDE = r"\.(duplicate_row|duplicate_key|impossible)$"
"""Rules by which the resolver sets rows aside before the suite sees them."""


@dataclass(frozen=True)
class Settled:
    """One table after validation.

    Attributes
    ----------
    accepted, rejected:
        Rows of the table; every rejected row once.
    findings:
        Everything found about the table's files, rows and cells, in source order.
    ledger:
        One row per rule; ``rows_read = accepted + sum(rows_rejected_first)`` with merged rows as a
        rule of their own.
    checks:
        The verdict of every rule of the suite.
    is_balanced, is_publishable:
        Whether the ledger adds up; whether the table may be published.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    findings: pl.DataFrame
    ledger: pl.DataFrame
    checks: tuple[Check, ...]
    rows_read: int
    is_balanced: bool
    is_publishable: bool
    validation: ValidationResult


def settle(
    resolved: Resolved,
    suite: SuiteSpec,
    *,
    rows_read: int,
    reader_findings: pl.DataFrame,
    references: Mapping[str, pl.Series | pl.DataFrame],
    max_rejected_share: float | None = None,
) -> Settled:
    """Validate resolved rows and account for every row read.

    Parameters
    ----------
    resolved:
        From `resolve.tables.resolve_table`.
    suite:
        The table's rules.
    rows_read:
        Rows of the raw table.
    reader_findings:
        Findings of the reader about the same table. A cell that could not be read does not reject
        its row by itself: the required-column rules decide.
    references:
        Reference name → values, for foreign keys and code lists.
    max_rejected_share:
        0..1; a table that loses more of its rows is not published.
    """
    result = validate(
        resolved.rows, suite, references=references, max_rejected_share=max_rejected_share
    )
    earlier = _ledger_before(suite.table, resolved, rows_read)
    ledger = pl.concat([earlier, result.ledger]).with_columns(
        rows_in=pl.lit(rows_read, dtype=pl.Int64)
    )
    accepted = result.accepted.sort("source_file", "source_sheet", "source_row", "source_id")
    rejected = pl.concat([resolved.rejected, result.rejected]).sort(
        "source_file", "source_sheet", "source_row", "source_id"
    )
    # The resolver has already said, with a hint, which organisation or place is unknown.
    told = (
        pl.col("rule_id").str.ends_with(".reference")
        & pl.col("raw_value").str.starts_with(UNRESOLVED).fill_null(False)
    ) | (pl.col("rule_id") == "organisations.admin_code.known")
    everything = concat_findings(
        [reader_findings, resolved.findings, result.findings.filter(~told)]
    )
    kept = accepted["source_id"].implode()
    everything = everything.with_columns(
        severity=pl.when(
            (pl.col("severity") == "error") & pl.col("source_id").is_in(kept).fill_null(False)
        )
        .then(pl.lit("warning"))
        .otherwise("severity")
    )
    out = accepted.height + int(ledger["rows_rejected_first"].sum())
    return Settled(
        accepted=accepted,
        rejected=rejected,
        findings=everything,
        ledger=ledger,
        checks=result.checks,
        rows_read=rows_read,
        is_balanced=out == rows_read,
        is_publishable=result.is_publishable and out == rows_read,
        validation=result,
    )


def _ledger_before(table: str, resolved: Resolved, rows_read: int) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    gone = resolved.rejected["source_id"].implode()
    why = resolved.findings.filter(
        (pl.col("severity") == "error") & pl.col("source_id").is_in(gone)
    )
    first = why.filter(pl.col("rule_id").str.contains(_SETS_ASIDE)).unique(
        "source_id", keep="first", maintain_order=True
    )
    for rule_id, count in first.group_by("rule_id").len().sort("rule_id").iter_rows():
        rows.append(
            {
                "rule_id": rule_id,
                "severity": "error",
                "action": "reject",
                "rows_failed": count,
                "rows_rejected_first": count,
            }
        )
    rows.append(
        {
            "rule_id": f"{table}.merged",
            "severity": "info",
            "action": "merge",
            "rows_failed": resolved.merged,
            "rows_rejected_first": resolved.merged,
        }
    )
    return pl.DataFrame(
        [
            {
                "table": table,
                "rows_in": rows_read,
                "rows_checked": rows_read,
                "is_errored": False,
                **r,
            }
            for r in rows
        ],
        schema=LEDGER_SCHEMA,
    )
