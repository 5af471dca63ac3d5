"""Great Expectations' metrics on Polars: counts, values and indexes, read from the masks of a batch.

What belongs here: the providers of metrics, and their registration under Great Expectations' names.
What does not: evaluating conditions (`polars_engine`). Importing this module registers them; the registry
is semi-private, and the tests pin what is used of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.validation._gx import (
    MetricFunctionTypes,
    MetricProvider,
    registry,
)
from htx_pipeline.validation.conditions import RULES
from htx_pipeline.validation.domain import Domain, row_condition
from htx_pipeline.validation.polars_engine import TABLE, PolarsExecutionEngine

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


def count_rows(mask: pl.Series | None, height: int) -> int:
    return height if mask is None else int(mask.sum())


def _row_count(engine: PolarsExecutionEngine, domain: Any, _: Any) -> int:
    if not domain.get("row_condition"):
        return engine.batch(domain).dataframe.height
    scope = {name: domain.get(name) for name in ("batch_id", "row_condition")}
    return count_rows(engine.mask(TABLE, scope, {}).failing, 0)


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
        return count_rows(engine.mask(base, domain, values).failing, 0)

    def judged(engine: PolarsExecutionEngine, domain: Any, values: Any) -> int:
        return count_rows(
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


_register_all()
