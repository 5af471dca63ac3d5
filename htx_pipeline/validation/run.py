"""From a frame and its suite to accepted rows, rejected rows, findings, a ledger and checks.

What belongs here: what follows from a failed rule. A suite is run by Great Expectations on this
project's Polars engine; here its verdicts are joined to the rules by ``rule_id`` (they come back in
another order), and the failing rows become findings. What does not: what a rule means
(`conditions`), and anything about Dagster.

Named choices
-------------
* A row that fails a ``stop`` or a ``reject`` rule is in ``rejected``, once, whatever else it fails.
* ``mostly`` decides whether the rule as a whole passes, not which rows fail it: the failing rows of
  a tolerated rule are still findings and, for ``reject``, still left out. A tolerated ``stop`` rule
  leaves its failing rows out as errors and does not stop.
* A rule that could not be run (a missing column, a reference not given) has no verdict: nothing is
  published, whatever its severity.
* Rows keep the order of the input; findings have the canonical order and do not depend on it.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import FINDING_SCHEMA, concat_findings
from htx_pipeline.findings import findings as make_findings
from htx_pipeline.validation.failures import Failure, findings_of
from htx_pipeline.validation.suites import RuleSpec, SuiteSpec

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )

    from htx_pipeline.validation.gx_run import RowCounts

LEDGER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "table": pl.String(),
    "rule_id": pl.String(),
    "severity": pl.String(),
    "action": pl.String(),
    "rows_in": pl.Int64(),
    "rows_checked": pl.Int64(),
    "rows_failed": pl.Int64(),
    "rows_rejected_first": pl.Int64(),
    "is_errored": pl.Boolean(),
}
"""Columns of the ledger: one row per rule, in suite order, rules of earlier steps first.

``rows_rejected_first`` counts a rejected row at the first rule that rejected it, so that
``rows_in = rows out + sum(rows_rejected_first)``."""


@dataclass(frozen=True)
class Check:
    """The verdict of one rule: counts only, never records.

    ``severity`` is that of its findings (critical, error, warning); critical when it is errored.
    """

    rule_id: str
    passed: bool
    severity: str
    n_failed: int
    n_checked: int
    description_vi: str
    description_en: str
    is_errored: bool = False
    columns: tuple[str, ...] = ()
    metadata: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class ValidationResult:
    """What :func:`validate` returns; see the module for the choices behind it."""

    table: str
    accepted: pl.DataFrame
    rejected: pl.DataFrame
    findings: pl.DataFrame
    ledger: pl.DataFrame
    checks: tuple[Check, ...]
    is_publishable: bool
    suite: SuiteSpec = field(repr=False)
    gx_result: ExpectationSuiteValidationResult | None = field(default=None, repr=False)

    def check(self, rule_id: str) -> Check:
        """Return the check of that rule; KeyError when there is none."""
        for check in self.checks:
            if check.rule_id == rule_id:
                return check
        raise KeyError(rule_id)


@dataclass(frozen=True)
class _Verdict:
    """What came back for one rule."""

    rule: RuleSpec
    passed: bool
    n_checked: int = 0
    n_failed: int = 0
    failing: pl.Series | None = None
    observed: str | None = None
    error: str | None = None

    @property
    def severity(self) -> str:
        if self.error is not None:
            return "critical"
        tolerated = self.rule.action == "stop" and self.passed
        return "error" if tolerated else self.rule.finding_severity


def validate(
    frame: pl.DataFrame | pl.LazyFrame,
    suite: SuiteSpec,
    *,
    references: Mapping[str, pl.Series | pl.DataFrame] | None = None,
    prior_findings: pl.DataFrame | None = None,
    max_rejected_share: float | None = None,
) -> ValidationResult:
    """Run a suite over a frame.

    Parameters
    ----------
    frame:
        The table. ``source_id``, ``source_file``, ``source_sheet`` and ``source_row``, where it has
        them, say in the findings where a row came from.
    suite:
        Its rules, from :func:`htx_pipeline.validation.suites.load_suite`.
    references:
        Name → values, for the rules that name a reference. A Series is a reference of one column.
    prior_findings:
        Findings of earlier steps about the same rows. Those of severity error reject their row
        (found by ``source_id``, else by file, sheet and row), before any rule of the suite; a
        critical one means not publishable. They are part of ``findings`` and of the ledger.
    max_rejected_share:
        0..1. When more of the rows than that are rejected, nothing is publishable.

    Returns
    -------
    ValidationResult
        ``findings`` has the columns of :data:`htx_pipeline.findings.FINDING_SCHEMA`, ``ledger``
        those of :data:`LEDGER_SCHEMA`.

    Examples
    --------
    >>> from htx_pipeline.validation.suites import parse_suite
    >>> suite = parse_suite({"name": "linkages", "expectations": [{
    ...     "type": "expect_column_values_to_not_be_null", "kwargs": {"column": "linkage_id"},
    ...     "severity": "warning", "meta": {"rule_id": "linkage_id_given", "action": "reject",
    ...     "reason_vi": "Thiếu mã liên kết.", "reason_en": "The linkage has no id.",
    ...     "remedy_vi": "Bổ sung mã.", "remedy_en": "Add the id."}}]})
    >>> result = validate(pl.DataFrame({"linkage_id": ["L1", None]}), suite)
    >>> result.accepted.height, result.rejected.height, result.findings["reason_en"].to_list()
    (1, 1, ['The linkage has no id.'])
    """
    if max_rejected_share is not None and not 0 <= max_rejected_share <= 1:
        raise InputError(
            f"max_rejected_share is {max_rejected_share}, but must be a share from 0 to 1.",
            remedy="Give a share, such as 0.05 for five percent.",
        )
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    tables = {name: _as_frame(name, values) for name, values in (references or {}).items()}
    gx_result, verdicts = _run(frame, suite, tables) if suite.rules else (None, [])

    ledger, rejected = _prior_ledger(frame, suite.table, prior_findings)
    is_publishable = all(v.error is None for v in verdicts)
    for verdict in verdicts:
        first = 0
        if verdict.failing is not None and verdict.rule.action != "flag" and verdict.n_failed:
            before = 0 if rejected is None else int(rejected.sum())
            rejected = verdict.failing if rejected is None else rejected | verdict.failing
            first = int(rejected.sum()) - before
        if verdict.rule.action == "stop" and not verdict.passed:
            is_publishable = False
        ledger.append(
            {
                "table": suite.table,
                "rule_id": verdict.rule.rule_id,
                "severity": verdict.severity,
                "action": verdict.rule.action,
                "rows_in": frame.height,
                "rows_checked": verdict.n_checked,
                "rows_failed": verdict.n_failed if verdict.failing is not None else 0,
                "rows_rejected_first": first,
                "is_errored": verdict.error is not None,
            }
        )

    findings = _findings(frame, suite.table, verdicts)
    checks = [_check(verdict, frame.height) for verdict in verdicts]
    n_rejected = 0 if rejected is None else int(rejected.sum())
    if prior_findings is not None and prior_findings.height:
        findings = concat_findings([prior_findings.select(list(FINDING_SCHEMA)), findings])
        if (prior_findings["severity"] == "critical").any():
            is_publishable = False
    if max_rejected_share is not None:
        check, extra = _share_check(suite.table, frame.height, n_rejected, max_rejected_share)
        checks.append(check)
        if not check.passed:
            is_publishable = False
            findings = concat_findings([findings, extra])
    return ValidationResult(
        table=suite.table,
        accepted=frame if rejected is None or not n_rejected else frame.filter(~rejected),
        rejected=frame.clear() if rejected is None else frame.filter(rejected),
        findings=findings,
        ledger=pl.DataFrame(ledger, schema=LEDGER_SCHEMA),
        checks=tuple(checks),
        is_publishable=is_publishable,
        suite=suite,
        gx_result=gx_result,
    )


def _as_frame(name: str, values: pl.Series | pl.DataFrame) -> pl.DataFrame:
    if isinstance(values, pl.DataFrame):
        return values
    return values.alias(values.name or name).to_frame()


# --- running Great Expectations ----------------------------------------------------------------

_LOCK: Final = threading.Lock()


@functools.cache
def _datasource() -> Any:
    from htx_pipeline.validation.gx_run import ephemeral_context

    context = ephemeral_context()
    return context.data_sources.add_polars("polars")


def _batch_definition(table: str) -> Any:
    with _LOCK:
        source = _datasource()
        if table not in {asset.name for asset in source.assets}:
            source.add_frame_asset(table).add_batch_definition("whole table")
        return source.get_asset(table).get_batch_definition("whole table")


def gx_suite(suite: SuiteSpec) -> Any:
    """Return the suite as Great Expectations' own object (imports Great Expectations).

    Raises
    ------
    InputError
        Great Expectations does not accept the arguments of a rule; the message names the rule.
    """
    from htx_pipeline.validation.gx_run import build_suite

    return build_suite(
        suite.table,
        [
            {
                "rule_id": rule.rule_id,
                "type": rule.expectation_type,
                "kwargs": _gx_kwargs(rule),
                "severity": rule.severity,
                "notes": [rule.reason_vi, rule.reason_en],
            }
            for rule in suite.rules
        ],
    )


def _gx_kwargs(rule: RuleSpec) -> dict[str, Any]:
    kwargs: dict[str, Any] = _thawed(rule.kwargs)
    if isinstance(kwargs.get("row_condition"), str):
        kwargs["row_condition"] = {
            "type": "pass_through",
            "pass_through_filter": kwargs["row_condition"],
        }
    return kwargs


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    return value


def _run(
    frame: pl.DataFrame, suite: SuiteSpec, references: Mapping[str, pl.DataFrame]
) -> tuple[Any, list[_Verdict]]:
    from htx_pipeline.validation.gx_run import run_suite

    gx_result, counts = run_suite(
        _batch_definition(suite.table),
        gx_suite(suite),
        frame=frame,
        references=references,
    )
    by_rule: dict[str, Any] = {}
    for one in gx_result.results:
        by_rule.setdefault(one.expectation_config.meta["rule_id"], one)
    return gx_result, [
        _verdict(rule, by_rule.get(rule.rule_id), counts.get(rule.rule_id), frame.height)
        for rule in suite.rules
    ]


def _verdict(rule: RuleSpec, one: Any, counts: RowCounts | None, height: int) -> _Verdict:
    if one is None:
        return _Verdict(rule, False, error="Great Expectations returned no result for it")
    error = _error(one.exception_info)
    if error is not None:
        return _Verdict(rule, False, error=error)
    if not rule.is_row_rule:
        observed = (one.result or {}).get("observed_value")
        return _Verdict(
            rule,
            bool(one.success),
            n_checked=height,
            n_failed=0 if one.success else 1,
            observed=None if observed is None else str(observed),
        )
    if counts is None:
        return _Verdict(rule, False, error="no rows came back for it")
    return _Verdict(
        rule,
        bool(one.success),
        n_checked=counts.n_judged,
        n_failed=int(counts.failing.sum()),
        failing=counts.failing,
    )


def _error(info: Mapping[str, Any] | None) -> str | None:
    """Return why an expectation could not be run; None when it was. No data values in it."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry["raised_exception"]:
            return re.split(r"[\n\[]", str(entry["exception_message"]))[0].strip()[:300]
    return None


# --- findings and checks -----------------------------------------------------------------------


def _findings(frame: pl.DataFrame, table: str, verdicts: Iterable[_Verdict]) -> pl.DataFrame:
    """Return one finding per failing row and rule, one per failed table rule or errored rule."""
    failures = []
    for verdict in verdicts:
        rule = verdict.rule
        if verdict.error is not None:
            texts = (
                f"Không kiểm tra được quy tắc {rule.rule_id}: {verdict.error}",
                f"The rule {rule.rule_id} could not be checked: {verdict.error}",
                "Đề nghị người vận hành kiểm tra bộ quy tắc, các cột của bảng và danh mục đi kèm.",
                "Check the suite, the columns of the table and the references given.",
            )
            failures.append(Failure(rule, "critical", texts=texts))
        elif verdict.n_failed:
            rows = None if verdict.failing is None else verdict.failing.arg_true()
            failures.append(Failure(rule, verdict.severity, rows, verdict.observed))
    return findings_of(frame, table, failures)


def _check(verdict: _Verdict, height: int) -> Check:
    rule = verdict.rule
    shown = {"{column}": ", ".join(rule.columns), "{value}": "…"}
    reason_vi, reason_en = rule.reason_vi, rule.reason_en
    for placeholder, text in shown.items():
        reason_vi, reason_en = (
            reason_vi.replace(placeholder, text),
            reason_en.replace(placeholder, text),
        )
    if verdict.error is not None:
        reason_vi = f"Không kiểm tra được: {verdict.error}"
        reason_en = f"Could not be checked: {verdict.error}"
    metadata: dict[str, int | float | str] = {
        "rows": height,
        "rows_checked": verdict.n_checked,
        "rows_failed": verdict.n_failed if verdict.failing is not None else 0,
        "action": rule.action,
        "expectation": rule.expectation_type,
    }
    if "mostly" in rule.kwargs:
        metadata["mostly_share"] = float(rule.kwargs["mostly"])
    return Check(
        rule_id=rule.rule_id,
        passed=verdict.passed,
        severity="critical" if verdict.error is not None else rule.finding_severity,
        n_failed=verdict.n_failed,
        n_checked=verdict.n_checked,
        description_vi=reason_vi,
        description_en=reason_en,
        is_errored=verdict.error is not None,
        columns=rule.columns,
        metadata=metadata,
    )


def _share_check(table: str, rows: int, rejected: int, limit: float) -> tuple[Check, pl.DataFrame]:
    """Return the check of ``max_rejected_share``, and its finding for when it fails."""
    share = rejected / rows if rows else 0.0
    vi = f"{rejected} trên {rows} dòng bị loại, vượt tỷ lệ cho phép {limit:.1%}."
    en = f"{rejected} of {rows} rows are rejected, more than the {limit:.1%} allowed."
    check = Check(
        rule_id="rejected_share",
        passed=share <= limit,
        severity="critical",
        n_failed=rejected,
        n_checked=rows,
        description_vi=f"Tỷ lệ dòng bị loại không vượt quá {limit:.1%}.",
        description_en=f"At most {limit:.1%} of the rows are rejected.",
        metadata={"rows": rows, "rows_rejected": rejected, "max_rejected_share": limit},
    )
    finding = {
        "rule_id": check.rule_id,
        "severity": "critical",
        "table": table,
        "raw_value": f"{share:.4f}",
        "reason_vi": vi,
        "reason_en": en,
        "remedy_vi": "Đề nghị xem các dòng bị loại và yêu cầu đơn vị gửi lại tệp đã sửa.",
        "remedy_en": "Look at the rejected rows and ask the sender for a corrected file.",
    }
    return check, make_findings([finding])


# --- findings of earlier steps -----------------------------------------------------------------


def _prior_ledger(
    frame: pl.DataFrame, table: str, prior: pl.DataFrame | None
) -> tuple[list[dict[str, Any]], pl.Series | None]:
    """Return the ledger rows of earlier findings, by rule, and the rows they reject."""
    if prior is None or prior.is_empty():
        return [], None
    ledger: list[dict[str, Any]] = []
    rejected = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    # Rules in the order of their names; of one rule, the rejecting findings before the others.
    groups = prior.group_by("rule_id", "severity").len().sort("rule_id", "severity")
    for rule_id, severity, count in groups.iter_rows():
        first = 0
        if severity == "error":
            mine = prior.filter(
                pl.col("rule_id").eq_missing(rule_id) & (pl.col("severity") == "error")
            )
            before = int(rejected.sum())
            rejected = rejected | _rows_of(frame, mine)
            first = int(rejected.sum()) - before
        ledger.append(
            {
                "table": table,
                "rule_id": rule_id,
                "severity": severity,
                "action": {"critical": "stop", "error": "reject"}.get(severity, "flag"),
                "rows_in": frame.height,
                "rows_checked": frame.height,
                "rows_failed": count,
                "rows_rejected_first": first,
                "is_errored": False,
            }
        )
    return ledger, rejected


def _rows_of(frame: pl.DataFrame, found: pl.DataFrame) -> pl.Series:
    """Return which rows of *frame* the findings are about."""
    rows = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    if "source_id" in frame.columns:
        known = found["source_id"].drop_nulls()
        rows = rows | frame["source_id"].is_in(known.implode()).fill_null(False)
        found = found.filter(pl.col("source_id").is_null())
    place = [
        name for name in ("source_file", "source_sheet", "source_row") if name in frame.columns
    ]
    found = found.filter(pl.col("source_row").is_not_null())
    if "source_row" not in place or found.is_empty():
        return rows
    keys = frame.select(pl.col(name).cast(FINDING_SCHEMA[name]) for name in place)
    marked = found.select(place).unique().with_columns(pl.lit(True).alias("found"))
    at = keys.join(marked, on=place, how="left", nulls_equal=True, maintain_order="left")
    return rows | at["found"].fill_null(False)
