"""Great Expectations on Polars: an execution engine, a data source, and three expectations.

What belongs here: everything that touches Great Expectations' own machinery. Importing this module
imports Great Expectations (seconds), so only code that runs suites imports it, inside functions.
What does not: what a rule means (`conditions`), reading suites (`suites`), what follows from a
failure (`run`).

How it fits in. Great Expectations looks metrics up by name and engine class in a registry. Each
provider registered here is one small class without dependencies, so a whole suite resolves in one
wave; :meth:`PolarsExecutionEngine.resolve_metrics` sees the wave, collects every row condition in
it, and evaluates them in **one** lazy select, where Polars shares common parts. What remains are bit
masks, one bit a row, from which counts, values and indexes are read. The registry is semi-private:
``great-expectations>=1.24,<1.25``, and the tests pin what is used of it.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import os
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.validation.conditions import RULES, Domain, Masks, row_condition

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # other people's import-time warnings
    import great_expectations as gx
    from great_expectations.compatibility import pydantic
    from great_expectations.core.batch import BatchData, BatchMarkers, LegacyBatchDefinition
    from great_expectations.core.batch_spec import RuntimeDataBatchSpec
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.core.id_dict import IDDict
    from great_expectations.core.metric_function_types import MetricFunctionTypes
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )
    from great_expectations.datasource.fluent.batch_request import BatchRequest
    from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource
    from great_expectations.exceptions.exceptions import InvalidBatchRequestError
    from great_expectations.execution_engine.execution_engine import ExecutionEngine
    from great_expectations.expectations import registry
    from great_expectations.expectations.core import (
        expect_column_values_to_be_in_type_list,
        expect_column_values_to_be_of_type,
    )
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        Expectation,
        MulticolumnMapExpectation,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metrics.metric_provider import MetricProvider
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.v1_validator import Validator

__all__ = [
    "ExpectColumnValuesToExistInReference",
    "ExpectCompoundColumnsToExistInReference",
    "ExpectMulticolumnSumsToCompare",
    "PolarsBatchData",
    "PolarsDatasource",
    "PolarsExecutionEngine",
    "PolarsFrameAsset",
    "RowCounts",
    "build_site",
    "build_suite",
    "ephemeral_context",
    "run_suite",
]


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


_NO_TIME: Final = "19700101T000000.000000Z"
"""Great Expectations wants a load time; a constant keeps results reproducible."""


# --- the batch and the engine ----------------------------------------------------------------


class PolarsBatchData(BatchData):
    """One frame, the references its rules may name, and the masks computed so far."""

    def __init__(
        self,
        execution_engine: PolarsExecutionEngine,
        dataframe: pl.DataFrame,
        references: Mapping[str, pl.DataFrame] | None = None,
    ) -> None:
        super().__init__(execution_engine)
        self.dataframe = dataframe
        self.schema = dict(dataframe.schema)
        self.references = dict(references or {})
        self.masks: dict[str, _Evaluated] = {}


@dataclass
class _Evaluated:
    """The outcome of one condition: masks, or why there are none."""

    failing: pl.Series | None = None
    judged: pl.Series | None = None
    error: Exception | None = None


class PolarsExecutionEngine(ExecutionEngine[pl.Expr]):
    """Great Expectations' execution engine for Polars frames."""

    def get_batch_data_and_markers(
        self, batch_spec: RuntimeDataBatchSpec
    ) -> tuple[PolarsBatchData, BatchMarkers]:
        """Wrap the frame of *batch_spec*; see :class:`PolarsFrameAsset`."""
        data = batch_spec.batch_data
        if isinstance(data, pl.LazyFrame):
            data = data.collect()
        if not isinstance(data, pl.DataFrame):
            raise TypeError(f"a Polars frame is needed, not {type(data).__name__}")
        references = batch_spec.pop("references", None)
        batch_spec.batch_data = "PolarsDataFrame"
        return PolarsBatchData(self, data, references), BatchMarkers(ge_load_time=_NO_TIME)

    def batch(self, domain_kwargs: Mapping[str, Any]) -> PolarsBatchData:
        """Return the loaded batch the domain is about."""
        batch_id = domain_kwargs.get("batch_id") or self.batch_manager.active_batch_data_id
        data = self.batch_manager.batch_data_cache.get(batch_id or "")
        if not isinstance(data, PolarsBatchData):
            raise LookupError(f"no Polars batch is loaded as {batch_id!r}")
        return data

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pl.DataFrame:
        """Return the rows that meet the row condition."""
        data = self.batch(domain_kwargs)
        scope = row_condition(domain_kwargs.get("row_condition"), data.schema)
        return data.dataframe if scope is None else data.dataframe.filter(scope)

    def get_compute_domain(
        self,
        domain_kwargs: dict[str, Any],
        domain_type: Any,
        accessor_keys: Iterable[str] | None = None,
    ) -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any]]:
        """Return the rows that meet the row condition, and how to reach the columns meant."""
        split = self._partition_domain_kwargs(domain_kwargs, domain_type, accessor_keys)
        return self.get_domain_records(domain_kwargs), split.compute, split.accessor

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Evaluate every row condition of this wave in one select, then answer each metric."""
        wave = list(metrics_to_resolve)
        self._evaluate(
            (base, metric.metric_domain_kwargs, metric.metric_value_kwargs)
            for metric in wave
            if (base := _base_of(metric.metric_name)) is not None
        )
        resolved: dict[Any, Any] = super().resolve_metrics(wave, metrics, runtime_configuration)
        return resolved

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> dict[Any, Any]:
        """Return nothing: no metric here is bundled in Great Expectations' sense."""
        return {}

    def mask(
        self, base: str, domain_kwargs: Mapping[str, Any], value_kwargs: Mapping[str, Any]
    ) -> _Evaluated:
        """Return the masks of one condition, evaluating it when no wave has yet."""
        key = _key(base, domain_kwargs, value_kwargs)
        data = self.batch(domain_kwargs)
        if key not in data.masks:
            self._evaluate([(base, domain_kwargs, value_kwargs)])
        evaluated = data.masks[key]
        if evaluated.error is not None:
            raise evaluated.error
        return evaluated

    def _evaluate(
        self, conditions: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]
    ) -> None:
        wanted: dict[int, tuple[PolarsBatchData, dict[str, Masks]]] = {}
        for base, domain_kwargs, value_kwargs in conditions:
            data = self.batch(domain_kwargs)
            key = _key(base, domain_kwargs, value_kwargs)
            _, todo = wanted.setdefault(id(data), (data, {}))
            if key in data.masks or key in todo:
                continue
            try:
                todo[key] = _masks(data, base, domain_kwargs, value_kwargs)
            except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
                data.masks[key] = _Evaluated(error=error)
        for data, todo in wanted.values():
            if not todo:
                continue
            try:
                data.masks.update(_select(data.dataframe, todo))
            except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError):
                for key, masks in todo.items():
                    try:
                        data.masks.update(_select(data.dataframe, {key: masks}))
                    except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
                        data.masks[key] = _Evaluated(error=error)

    # Great Expectations' hooks for condition objects; this engine reads them all in one place.
    def _filter_clause(self, condition: Any) -> pl.Expr:
        schema = self.batch({}).schema if self.batch_manager.active_batch_data_id else {}
        clause = row_condition(condition, schema)
        assert clause is not None
        return clause

    _comparison_condition_to_filter_clause = _filter_clause
    _nullity_condition_to_filter_clause = _filter_clause
    _and_condition_to_filter_clause = _filter_clause
    _or_condition_to_filter_clause = _filter_clause


def _masks(
    data: PolarsBatchData,
    base: str,
    domain_kwargs: Mapping[str, Any],
    value_kwargs: Mapping[str, Any],
) -> Masks:
    """Build the expressions of one condition. ``table`` is the row condition alone."""
    scope = row_condition(domain_kwargs.get("row_condition"), data.schema)
    if base == _TABLE:
        everything = pl.repeat(True, pl.len(), dtype=pl.Boolean)
        return Masks(everything if scope is None else scope, scope)
    arguments = {
        name: value
        for name, value in {**domain_kwargs, **value_kwargs}.items()
        if name not in _NOT_ARGUMENTS and value is not None
    }
    return RULES[base](Domain(data.schema, scope, data.references), **arguments)


def _select(frame: pl.DataFrame, todo: Mapping[str, Masks]) -> dict[str, _Evaluated]:
    """Evaluate many conditions at once; equal expressions are evaluated once by Polars."""
    exprs: list[pl.Expr] = []
    for i, masks in enumerate(todo.values()):
        exprs.append(masks.failing.alias(f"failing{i}"))
        if masks.judged is not None:
            exprs.append(masks.judged.alias(f"judged{i}"))
    table = frame.lazy().select(exprs).collect()
    return {
        key: _Evaluated(
            failing=table[f"failing{i}"],
            judged=None if masks.judged is None else table[f"judged{i}"],
        )
        for i, (key, masks) in enumerate(todo.items())
    }


_TABLE: Final = "table"
_NOT_ARGUMENTS: Final = frozenset(
    {"batch_id", "table", "row_condition", "condition_parser", "result_format"}
)
_NOT_IN_KEY: Final = frozenset({"batch_id", "table", "condition_parser", "result_format"})
_SUFFIXES: Final = (
    "condition",
    "unexpected_count",
    "unexpected_values",
    "unexpected_value_counts",
    "unexpected_index_list",
    "unexpected_index_query",
    "unexpected_rows",
    "filtered_row_count",
)


def _base_of(metric_name: str) -> str | None:
    """Return the map metric a metric belongs to; None for one that needs no masks.

    ``table.row_count`` needs the row condition's mask alone.
    """
    if metric_name == "table.row_count":
        return _TABLE
    base, _, suffix = metric_name.rpartition(".")
    return base if base in RULES and suffix in _SUFFIXES else None


def _key(base: str, *kwargs: Mapping[str, Any]) -> str:
    """Return the key of a condition within its batch: what it asks, of which rows."""
    merged = {name: value for part in kwargs for name, value in part.items()}
    asked = {k: v for k, v in merged.items() if v is not None and k not in _NOT_IN_KEY}
    return f"{base}|{IDDict(asked).to_id()}"


# --- metrics ---------------------------------------------------------------------------------

Provider = Callable[..., Any]


def _provider(answer: Callable[[PolarsExecutionEngine, Any, Any], Any]) -> Provider:
    """Adapt ``answer(engine, domain_kwargs, value_kwargs)`` to the call of a metric provider."""

    def metric(  # noqa: PLR0917 - Great Expectations' call
        cls: type[MetricProvider],
        execution_engine: PolarsExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None,
    ) -> Any:
        return answer(execution_engine, metric_domain_kwargs, metric_value_kwargs)

    return metric


def _count(mask: pl.Series | None, height: int) -> int:
    return height if mask is None else int(mask.sum())


def _row_count(engine: PolarsExecutionEngine, domain: Any, _: Any) -> int:
    if not domain.get("row_condition"):
        return engine.batch(domain).dataframe.height
    scope = {name: domain.get(name) for name in ("batch_id", "row_condition")}
    return _count(engine.mask(_TABLE, scope, {}).failing, 0)


def _limit(values: Mapping[str, Any]) -> int | None:
    wanted = values["result_format"]
    if wanted.get("exclude_unexpected_values"):
        return 0
    if wanted["result_format"] == "COMPLETE":
        return None
    return int(wanted["partial_unexpected_count"])


def _domain_columns(domain: Mapping[str, Any]) -> list[str]:
    if domain.get("column") is not None:
        return [domain["column"]]
    if domain.get("column_A") is not None:
        return [domain["column_A"], domain["column_B"]]
    return list(domain.get("column_list") or [])


def _failing_rows(
    base: str, engine: PolarsExecutionEngine, domain: Any, values: Any, columns: Sequence[str]
) -> pl.DataFrame:
    failing = engine.mask(base, domain, values).failing
    assert failing is not None
    rows = failing.arg_true()
    limit = _limit(values)
    return engine.batch(domain).dataframe.select(columns)[rows if limit is None else rows[:limit]]


def _map_metrics(base: str) -> dict[str, Provider]:
    """Return the providers of one map metric, by suffix."""

    def condition(engine: PolarsExecutionEngine, domain: Any, values: Any) -> Any:
        return engine.mask(base, domain, values).failing, dict(domain), {}

    def count(engine: PolarsExecutionEngine, domain: Any, values: Any) -> int:
        return _count(engine.mask(base, domain, values).failing, 0)

    def judged(engine: PolarsExecutionEngine, domain: Any, values: Any) -> int:
        return _count(
            engine.mask(base, domain, values).judged, engine.batch(domain).dataframe.height
        )

    def unexpected(engine: PolarsExecutionEngine, domain: Any, values: Any) -> list[Any]:
        rows = _failing_rows(base, engine, domain, values, _domain_columns(domain))
        if domain.get("column_A") is not None:
            return rows.rows()
        return rows.to_dicts() if domain.get("column_list") else rows.to_series().to_list()

    def value_counts(engine: PolarsExecutionEngine, domain: Any, values: Any) -> pl.DataFrame:
        rows = _failing_rows(base, engine, domain, values, _domain_columns(domain))
        return rows.to_series().value_counts(sort=True)

    def rows(engine: PolarsExecutionEngine, domain: Any, values: Any) -> list[dict[str, Any]]:
        names = engine.batch(domain).dataframe.columns
        return _failing_rows(base, engine, domain, values, names).to_dicts()

    def index_list(engine: PolarsExecutionEngine, domain: Any, values: Any) -> list[Any]:
        names = values["result_format"].get("unexpected_index_column_names")
        if names:
            names = [names] if isinstance(names, str) else list(names)
            wanted = list(dict.fromkeys([*_domain_columns(domain), *names]))
            return _failing_rows(base, engine, domain, values, wanted).to_dicts()
        failing = engine.mask(base, domain, values).failing
        assert failing is not None
        places: list[int] = failing.arg_true().to_list()
        if values["result_format"]["result_format"] == "COMPLETE":
            return places
        return places[: values["result_format"]["partial_unexpected_count"]]

    def index_query(engine: PolarsExecutionEngine, domain: Any, values: Any) -> str | None:
        if not values["result_format"].get("return_unexpected_index_query", True):
            return None
        failing = engine.mask(base, domain, values).failing
        assert failing is not None
        return f"frame.filter(pl.row_index().is_in({failing.arg_true().to_list()}))"

    return {
        "condition": _provider(condition),
        "unexpected_count": _provider(count),
        "unexpected_values": _provider(unexpected),
        "unexpected_value_counts": _provider(value_counts),
        "unexpected_index_list": _provider(index_list),
        "unexpected_index_query": _provider(index_query),
        "unexpected_rows": _provider(rows),
        "filtered_row_count": _provider(judged),
    }


def _values(engine: PolarsExecutionEngine, domain: Any) -> pl.Series:
    """Return the values of the column that are given, in the rows the condition admits."""
    data = engine.batch(domain)
    scope = row_condition(domain.get("row_condition"), data.schema)
    column = Domain(data.schema, scope, {}).value(domain["column"])
    if scope is not None:
        column = column.filter(scope)
    return data.dataframe.lazy().select(column.drop_nulls()).collect().to_series()


def _share_of_rows(engine: PolarsExecutionEngine, domain: Any, _: Any) -> float:
    rows = _row_count(engine, domain, {})
    return len(_values(engine, domain)) / rows if rows else 0


def _share_distinct(engine: PolarsExecutionEngine, domain: Any, _: Any) -> float:
    values = _values(engine, domain)
    return values.n_unique() / len(values) if len(values) else 0


_AGGREGATES: Final[dict[str, Callable[[PolarsExecutionEngine, Any, Any], Any]]] = {
    "table.row_count": _row_count,
    "table.columns": lambda engine, domain, _: engine.batch(domain).dataframe.columns,
    "table.column_count": lambda engine, domain, _: engine.batch(domain).dataframe.width,
    "table.column_types": lambda engine, domain, _: [
        {"name": name, "type": dtype} for name, dtype in engine.batch(domain).schema.items()
    ],
    "column.max": lambda engine, domain, _: _values(engine, domain).max(),
    "column.min": lambda engine, domain, _: _values(engine, domain).min(),
    "column.sum": lambda engine, domain, _: _values(engine, domain).sum(),
    "column.mean": lambda engine, domain, _: _values(engine, domain).mean(),
    "column.median": lambda engine, domain, _: _values(engine, domain).median(),
    "column.standard_deviation": lambda engine, domain, _: _values(engine, domain).std(),
    "column.distinct_values": lambda engine, domain, _: set(_values(engine, domain).to_list()),
    "column.distinct_values.count": lambda engine, domain, _: _values(engine, domain).n_unique(),
    "column.unique_proportion": _share_distinct,
    "column.non_null_proportion": _share_of_rows,
}

_COLUMN: Final = ("batch_id", "table", "column", "row_condition", "condition_parser")
_COLUMNS: Final = (
    "batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if"
)  # fmt: skip
_OWN_MAP_METRICS: Final = {
    "column_values.in_reference": (_COLUMN, ("reference", "reference_column")),
    "compound_columns.in_reference": (_COLUMNS, ("reference", "reference_columns")),
    "multicolumn_sums.compare": (_COLUMNS, ("left", "operator", "right", "tolerance")),
}


def _register(name: str, provider: Provider, keys: tuple[Any, Any] | None = None) -> None:
    """Register one metric for this engine, under the keys of the pandas provider."""
    if keys is None:
        known = registry._get_metric_definition(name)
        keys = (known["metric_domain_keys"], known["metric_value_keys"])
        defaults = known["default_kwarg_values"]
    else:
        defaults = {}
    metric_class = type(
        "Polars" + "".join(part.title() for part in name.replace("_", ".").split(".")),
        (_Metric,),
        {
            "__module__": __name__,
            "domain_keys": keys[0],
            "value_keys": keys[1],
            "default_kwarg_values": defaults,
        },
    )
    registry.register_metric(
        metric_name=name,
        metric_domain_keys=keys[0],
        metric_value_keys=keys[1],
        execution_engine=PolarsExecutionEngine,
        metric_class=metric_class,
        metric_provider=provider,
        metric_fn_type=MetricFunctionTypes.VALUE,
    )


class _Metric(MetricProvider):
    """A metric that depends on no other: masks are shared by the engine, not by the graph."""

    @classmethod
    def _get_evaluation_dependencies(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}


def _register_all() -> None:
    registry.register_core_metrics()
    for base in RULES:
        own = _OWN_MAP_METRICS.get(base)
        for suffix, provider in _map_metrics(base).items():
            name = f"{base}.{suffix}"
            if own is None:
                if name not in registry._registered_metrics:
                    continue  # column rules have no filtered_row_count, joint rules no value counts
                _register(name, provider)
                continue
            with_format = suffix not in {"condition", "unexpected_count"}
            _register(name, provider, (own[0], own[1] + ("result_format",) * with_format))
    for name, answer in _AGGREGATES.items():
        _register(name, _provider(answer))


# --- expectations Great Expectations does not have --------------------------------------------


class ExpectColumnValuesToExistInReference(ColumnMapExpectation):
    """Expect every value to be in a named reference (a foreign key, a code list).

    The reference is handed over beside the frame, by name: a large ``value_set`` would be
    serialised again and again by Great Expectations.
    """

    reference: str
    reference_column: str | None = None

    map_metric = "column_values.in_reference"
    success_keys = ("mostly", "reference", "reference_column")
    args_keys = ("column", "reference")

    def in_words(self) -> str:
        """Return what the pages say."""
        return f"values must exist in the reference {self.reference}."

    class Config:
        title = "Expect column values to exist in reference"


class ExpectCompoundColumnsToExistInReference(MulticolumnMapExpectation):
    """Expect every combination of values to be in a named reference (a composite foreign key)."""

    reference: str
    reference_columns: list[str] | None = None
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = (
        "any_value_is_missing"
    )

    map_metric = "compound_columns.in_reference"
    success_keys = ("mostly", "reference", "reference_columns")
    args_keys = ("column_list", "reference")

    def in_words(self) -> str:
        """Return what the pages say."""
        columns = ", ".join(self.column_list)
        return f"{columns}: combinations must exist in the reference {self.reference}."

    class Config:
        title = "Expect compound columns to exist in reference"


class ExpectMulticolumnSumsToCompare(MulticolumnMapExpectation):
    """Expect, row by row, the sum of some columns to compare with the sum of others.

    ``left operator right``: ``["a"] <= ["b", "c"]`` is a ≤ b + c. ``tolerance`` widens it.
    A row in which any of the columns is missing is skipped, unless ``ignore_row_if`` says otherwise.
    """

    left: list[str]
    operator: Literal["<", "<=", "==", ">=", ">"]
    right: list[str]
    tolerance: float = 0
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = (
        "any_value_is_missing"
    )

    map_metric = "multicolumn_sums.compare"
    success_keys = ("mostly", "left", "operator", "right", "tolerance")
    args_keys = ("left", "operator", "right")

    @pydantic.root_validator(pre=True)
    def _name_the_columns(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805
        """Derive ``column_list`` from the two sides."""
        sides = [*(values.get("left") or ()), *(values.get("right") or ())]
        values["column_list"] = list(dict.fromkeys(sides))
        return values

    def in_words(self) -> str:
        """Return what the pages say."""
        left, right = " + ".join(self.left), " + ".join(self.right)
        margin = f", within {self.tolerance:g}" if self.tolerance else ""
        return f"{left} must be {self.operator} {right}{margin}."

    class Config:
        title = "Expect multicolumn sums to compare"


def _type_result(
    metrics: Mapping[str, Any], column: str, accepted: Sequence[str]
) -> dict[str, Any]:
    types = {entry["name"]: entry["type"] for entry in metrics["table.column_types"]}
    if column not in types:
        raise LookupError(f"the column {column!r} does not exist")
    dtype = types[column]
    names = {str(dtype), type(dtype).__name__}
    return {"success": bool(names & set(accepted)), "result": {"observed_value": str(dtype)}}


_log = logging.getLogger("great_expectations.expectations.registry")
_level, _was = logging.ERROR, _log.level
_log.setLevel(_level)  # the next two replace their namesakes in the registry, on purpose


class ExpectColumnValuesToBeOfType(expect_column_values_to_be_of_type.ExpectColumnValuesToBeOfType):
    """Great Expectations' own, that also knows Polars' types (``Int64``, ``Date``, ``Decimal``)."""

    def _validate(
        self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return _type_result(metrics, self.column, [str(self.type_)])
        return super()._validate(metrics, runtime_configuration, execution_engine)


class ExpectColumnValuesToBeInTypeList(
    expect_column_values_to_be_in_type_list.ExpectColumnValuesToBeInTypeList
):
    """Great Expectations' own, that also knows Polars' types (``Int64``, ``Date``, ``Decimal``)."""

    def _validate(
        self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return _type_result(metrics, self.column, list(self.type_list or ()))
        return super()._validate(metrics, runtime_configuration, execution_engine)


_log.setLevel(_was)
_register_all()


# --- data source -----------------------------------------------------------------------------


_EngineClass = type[PolarsExecutionEngine]


class PolarsFrameAsset(DataAsset):  # type: ignore[type-arg]
    """A table handed over as a Polars frame with every batch.

    Batch parameters: ``dataframe`` (a DataFrame or LazyFrame) and, optionally, ``references``
    (name → DataFrame).
    """

    type: Literal["polars_frame"] = "polars_frame"

    class Config:
        extra = pydantic.Extra.forbid

    def test_connection(self) -> None:
        """Return: there is nothing to connect to."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Return the names of the batch parameters."""
        return ("dataframe",)

    def build_batch_request(
        self,
        options: Mapping[str, Any] | None = None,
        batch_slice: Any = None,
        partitioner: Any = None,
    ) -> BatchRequest[Any]:
        """Return a request for one batch, which holds the frame."""
        if not options or "dataframe" not in options or set(options) > {"dataframe", "references"}:
            raise InvalidBatchRequestError("give a dataframe, and optionally references")
        return BatchRequest(
            datasource_name=self.datasource.name, data_asset_name=self.name, options=dict(options)
        )

    def _validate_batch_request(self, batch_request: BatchRequest[Any]) -> None:
        if not isinstance(batch_request.options.get("dataframe"), (pl.DataFrame, pl.LazyFrame)):
            raise InvalidBatchRequestError("dataframe is not a Polars frame")

    def get_batch_identifiers_list(self, batch_request: BatchRequest[Any]) -> list[dict[str, Any]]:
        """Return the one batch there is."""
        return [IDDict()]

    def get_batch(self, batch_request: BatchRequest[Any]) -> Batch:
        """Return the batch, on an engine of its own: nothing of it outlives its use."""
        self._validate_batch_request(batch_request)
        spec = RuntimeDataBatchSpec(batch_data=batch_request.options["dataframe"])
        spec["references"] = batch_request.options.get("references")
        data, markers = PolarsExecutionEngine().get_batch_data_and_markers(spec)
        request = BatchRequest[Any](
            datasource_name=self.datasource.name, data_asset_name=self.name, options={}
        )
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=request,
            data=data,
            batch_markers=markers,
            batch_spec=spec,
            batch_definition=LegacyBatchDefinition(
                datasource_name=self.datasource.name,
                data_connector_name="fluent",
                data_asset_name=self.name,
                batch_identifiers=IDDict(),
            ),
        )


class PolarsDatasource(Datasource):  # type: ignore[type-arg]
    """Great Expectations' data source for Polars frames: ``context.data_sources.add_polars(…)``."""

    asset_types: ClassVar[Sequence[type[DataAsset[Any, Any]]]] = [PolarsFrameAsset]

    type: Literal["polars"] = "polars"
    assets: list[PolarsFrameAsset] = []  # noqa: RUF012 - pydantic copies it

    @property
    def execution_engine_type(self) -> _EngineClass:
        """Return the engine its batches run on."""
        return PolarsExecutionEngine

    def test_connection(self, test_assets: bool = True) -> None:
        """Return: there is nothing to connect to."""

    def add_frame_asset(self, name: str) -> PolarsFrameAsset:
        """Add a table under *name*."""
        asset: PolarsFrameAsset = self._add_asset(PolarsFrameAsset(name=name))
        return asset


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
    key = _key(base, {name: getattr(expectation, name, None) for name in names})
    found = data.masks.get(key)
    if found is None or found.failing is None:
        return None
    height = data.dataframe.height
    condition = getattr(expectation, "row_condition", None)
    scope = data.masks.get(_key(_TABLE, {"row_condition": condition})) if condition else None
    meant = height if scope is None else _count(scope.failing, height)
    return RowCounts(found.failing, meant, _count(found.judged, height))


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
