"""Running suites with Great Expectations' own Validator, and its Data Docs site.

What belongs here: contexts, suite objects, one run over a frame with the rows that fail each rule, and
the site of its results. What does not: what a rule means (`conditions`), reading suites (`suites`), what
follows from a failure (`run`). Importing this module imports Great Expectations (seconds), so only code
that runs suites imports it, inside functions.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.validation import polars_datasource, polars_expectations  # noqa: F401  (registers them)
from htx_pipeline.validation._gx import (
    Expectation,
    ExpectationConfiguration,
    ExpectationSuiteIdentifier,
    ExpectationSuiteValidationResult,
    ProgressBarsConfig,
    RunIdentifier,
    ValidationResultIdentifier,
    Validator,
    gx,
    pydantic,
    registry,
)
from htx_pipeline.validation.conditions import RULES
from htx_pipeline.validation.polars_engine import TABLE, PolarsBatchData, condition_key
from htx_pipeline.validation.polars_metrics import count_rows

_MADE: ContextVar[dict[tuple[int, str], tuple[Any, Any]] | None] = ContextVar("made", default=None)


def _made_once(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let *make* answer once for each object while `_making_once` is on."""

    def answer(self: Any) -> Any:
        made = _MADE.get()
        if made is None:
            return make(self)
        key = (id(self), make.__name__)
        if key not in made:
            made[key] = (self, make(self))  # the object is kept, so that its id stays its own
        return made[key][1]

    return functools.wraps(make)(answer)


_configuration: Final = property(_made_once(vars(Expectation)["configuration"].fget))
setattr(Expectation, "configuration", _configuration)  # noqa: B010  (mypy takes it for a method)
_to_expectation: Final = _made_once(ExpectationConfiguration.to_domain_obj)
setattr(ExpectationConfiguration, "to_domain_obj", _to_expectation)  # noqa: B010


@contextmanager
def _making_once() -> Iterator[None]:
    """Turn an expectation into its configuration, and back, once while a suite runs.

    Great Expectations does it for every argument it looks up, about a hundred times a rule: three
    quarters of the time a suite takes over 100,000 rows. Nothing changes either during a run.
    """
    token = _MADE.set({})
    try:
        yield
    finally:
        _MADE.reset(token)


def ephemeral_context() -> Any:
    """Return a Great Expectations context in memory: no telemetry, no progress bars, no files."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def build_suite(table: str, rules: Sequence[Mapping[str, Any]]) -> Any:
    """Return Great Expectations' suite object.

    Parameters
    ----------
    table:
        Its name.
    rules:
        ``rule_id``, ``type``, ``kwargs``, ``severity`` and ``notes`` of each expectation.

    Raises
    ------
    InputError
        Great Expectations does not accept the arguments of a rule.
    """
    expectations = []
    for rule in rules:
        meta = {
            "rule_id": rule["rule_id"],
            "notes": {"format": "string", "content": list(rule["notes"])},
        }
        kind = registry.get_expectation_impl(rule["type"])
        try:
            expectation = kind(**rule["kwargs"], severity=rule["severity"], meta=meta)
            if hasattr(expectation, "in_words"):
                expectation.description = expectation.in_words()
            expectations.append(expectation)
        except (pydantic.ValidationError, TypeError, ValueError) as error:
            raise InputError(
                "Great Expectations does not accept the arguments of a rule.",
                where=f"{table}, rule {rule['rule_id']} ({rule['type']})",
                why=" ".join(str(error).split()),
                remedy="Correct the arguments in the suite.",
                code="suite_malformed",
            ) from None
    return gx.ExpectationSuite(name=table, expectations=expectations)


@dataclass(frozen=True)
class RowCounts:
    """What the masks of a rule about rows say: which fail, and how many were meant and judged.

    Rows that do not meet the row condition are not meant; rows with a missing value are not judged.
    """

    failing: pl.Series
    n_meant: int
    n_judged: int


def run_suite(
    batch_definition: Any,
    suite: Any,
    *,
    frame: pl.DataFrame,
    references: Mapping[str, pl.DataFrame],
) -> tuple[Any, dict[str, RowCounts]]:
    """Run a suite with Great Expectations' own Validator.

    Returns
    -------
    tuple
        Great Expectations' result, and for each ``meta.rule_id`` of a rule about rows the rows that
        fail it. A rule that could not be run has none. Rules about rows are asked for their verdict
        only, because each further metric costs Great Expectations more than it costs Polars; their
        counts are read from the masks and put into the result in its own words.
    """
    validator = Validator(
        batch_definition,
        result_format="BOOLEAN_ONLY",
        batch_parameters={"dataframe": frame, "references": references},
    )
    about_rows = [e for e in suite.expectations if getattr(e, "map_metric", None) in RULES]
    about_table = [e for e in suite.expectations if getattr(e, "map_metric", None) not in RULES]
    with _making_once():
        result = validator.validate_expectation_suite(_part_of(suite, about_rows))
        if about_table:
            validator.result_format = "BASIC"
            whole = validator.validate_expectation_suite(_part_of(suite, about_table))
    if about_table:
        result = ExpectationSuiteValidationResult(
            success=bool(result.success and whole.success),
            results=[*result.results, *whole.results],
            suite_name=suite.name,
            statistics=_statistics([*result.results, *whole.results]),
            meta=result.meta,
            batch_id=result.batch_id,
        )
    batch = validator._wrapped_validator.active_batch
    assert batch is not None
    data = batch.data
    assert isinstance(data, PolarsBatchData)
    counts = {
        e.meta["rule_id"]: found for e in about_rows if (found := _row_counts(e, data)) is not None
    }
    for one in result.results:
        assert one.expectation_config is not None
        found = counts.get(one.expectation_config.meta["rule_id"])
        if found is not None and not one.result:
            one.result = _count_words(found)
    return result, counts


def _part_of(suite: Any, expectations: list[Any]) -> Any:
    return gx.ExpectationSuite(name=suite.name, expectations=expectations)


def _statistics(results: Sequence[Any]) -> dict[str, Any]:
    passed = sum(bool(one.success) for one in results)
    return {
        "evaluated_expectations": len(results),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(results) - passed,
        "success_percent": 100 * passed / len(results) if results else None,
    }


def _row_counts(expectation: Any, data: PolarsBatchData) -> RowCounts | None:
    base = expectation.map_metric
    known = registry._get_metric_definition(f"{base}.unexpected_count")
    names = (*known["metric_domain_keys"], *known["metric_value_keys"])
    key = condition_key(base, {name: getattr(expectation, name, None) for name in names})
    found = data.masks.get(key)
    if found is None or found.failing is None:
        return None
    height = data.dataframe.height
    condition = getattr(expectation, "row_condition", None)
    scope = (
        data.masks.get(condition_key(TABLE, {"row_condition": condition})) if condition else None
    )
    meant = height if scope is None else count_rows(scope.failing, height)
    return RowCounts(found.failing, meant, count_rows(found.judged, height))


def _count_words(found: RowCounts) -> dict[str, Any]:
    """Return the counts as Great Expectations words a result of format BASIC."""
    failed = int(found.failing.sum())
    meant, missing = found.n_meant, found.n_meant - found.n_judged
    share = 100 * failed / found.n_judged if found.n_judged else None
    return {
        "element_count": meant,
        "unexpected_count": failed,
        "unexpected_percent": share,
        "missing_count": missing,
        "missing_percent": 100 * missing / meant if meant else None,
        "unexpected_percent_total": 100 * failed / meant if meant else None,
        "unexpected_percent_nonmissing": share,
    }


def build_site(
    suites_and_results: Sequence[tuple[Any, Any]],
    directory: Path,
    *,
    run_name: str,
    run_time: dt.datetime,
) -> None:
    """Write Great Expectations' Data Docs site of results, as it makes it, into *directory*."""
    context = ephemeral_context()
    context.add_data_docs_site(
        "site",
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(directory),
            },
            "site_index_builder": {
                "class_name": "DefaultSiteIndexBuilder",
                "show_cta_footer": False,
            },
        },
    )
    run_id = RunIdentifier(run_name=run_name, run_time=run_time)
    for suite, result in suites_and_results:
        for i, expectation in enumerate(suite.expectations):
            expectation.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{suite.name}/{i}"))
        context.suites.add(suite)
        key = ValidationResultIdentifier(
            expectation_suite_identifier=ExpectationSuiteIdentifier(name=suite.name),
            run_id=run_id,
            batch_identifier=suite.name,
        )
        dated = ExpectationSuiteValidationResult(
            success=result.success,
            results=result.results,
            suite_name=result.suite_name,
            statistics=result.statistics,
            meta={**result.meta, "run_id": run_id, "validation_time": run_time.isoformat()},
            batch_id=result.batch_id,
        )
        context.validation_results_store.set(key, dated)
    context.build_data_docs(site_names=["site"])
