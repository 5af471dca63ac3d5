"""Great Expectations' execution engine for Polars frames: batches, and masks of rows.

What belongs here: the batch with its masks, and evaluating the row conditions of a whole wave of metrics
in **one** lazy select, where Polars shares common parts. What remains are bit masks, one bit a row. What
does not: what a rule means (`conditions`), and what is read from masks (`polars_metrics`).

How it fits in. Great Expectations looks metrics up by name and engine class in a registry. Each
provider is one small class without dependencies, so a whole suite resolves in one wave, which
:meth:`PolarsExecutionEngine.resolve_metrics` sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from htx_pipeline.validation._gx import (
    BatchData,
    BatchMarkers,
    ExecutionEngine,
    IDDict,
    MetricConfiguration,
    RuntimeDataBatchSpec,
)
from htx_pipeline.validation.conditions import RULES
from htx_pipeline.validation.domain import Domain, Masks, row_condition

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
        self.masks: dict[str, Evaluated] = {}


@dataclass
class Evaluated:
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
    ) -> Evaluated:
        """Return the masks of one condition, evaluating it when no wave has yet."""
        key = condition_key(base, domain_kwargs, value_kwargs)
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
            key = condition_key(base, domain_kwargs, value_kwargs)
            _, todo = wanted.setdefault(id(data), (data, {}))
            if key in data.masks or key in todo:
                continue
            try:
                todo[key] = _masks(data, base, domain_kwargs, value_kwargs)
            except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
                data.masks[key] = Evaluated(error=error)
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
                        data.masks[key] = Evaluated(error=error)

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
    if base == TABLE:
        everything = pl.repeat(True, pl.len(), dtype=pl.Boolean)
        return Masks(everything if scope is None else scope, scope)
    arguments = {
        name: value
        for name, value in {**domain_kwargs, **value_kwargs}.items()
        if name not in _NOT_ARGUMENTS and value is not None
    }
    return RULES[base](Domain(data.schema, scope, data.references), **arguments)


def _select(frame: pl.DataFrame, todo: Mapping[str, Masks]) -> dict[str, Evaluated]:
    """Evaluate many conditions at once; equal expressions are evaluated once by Polars."""
    exprs: list[pl.Expr] = []
    for i, masks in enumerate(todo.values()):
        exprs.append(masks.failing.alias(f"failing{i}"))
        if masks.judged is not None:
            exprs.append(masks.judged.alias(f"judged{i}"))
    table = frame.lazy().select(exprs).collect()
    return {
        key: Evaluated(
            failing=table[f"failing{i}"],
            judged=None if masks.judged is None else table[f"judged{i}"],
        )
        for i, (key, masks) in enumerate(todo.items())
    }


TABLE: Final = "table"
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
        return TABLE
    base, _, suffix = metric_name.rpartition(".")
    return base if base in RULES and suffix in _SUFFIXES else None


def condition_key(base: str, *kwargs: Mapping[str, Any]) -> str:
    """Return the key of a condition within its batch: what it asks, of which rows."""
    merged = {name: value for part in kwargs for name, value in part.items()}
    asked = {k: v for k, v in merged.items() if v is not None and k not in _NOT_IN_KEY}
    return f"{base}|{IDDict(asked).to_id()}"
