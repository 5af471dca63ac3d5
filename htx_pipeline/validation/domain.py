"""The rows a rule looks at, and the masks it answers with.

What belongs here: the domain of a rule, its row condition as one Polars expression, and the masks. What
does not: what a rule asks of these rows (`conditions`).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from htx_pipeline.validation.literals import literal, set_members

COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Masks:
    """Two expressions over the whole frame, never null: rows that fail, rows that are judged.

    ``judged`` is None when every row is judged.
    """

    failing: pl.Expr
    judged: pl.Expr | None


@dataclass(frozen=True)
class Domain:
    """The part of a table a rule looks at."""

    schema: Mapping[str, pl.DataType]
    scope: pl.Expr | None
    references: Mapping[str, pl.DataFrame]

    def dtype(self, column: str) -> pl.DataType:
        """Return the type of *column*; LookupError names the columns there are."""
        try:
            return self.schema[column]
        except KeyError:
            raise LookupError(
                f"the column {column!r} does not exist; the table has: {', '.join(self.schema)}"
            ) from None

    def value(self, column: str) -> pl.Expr:
        """Return *column* with NaN as null."""
        expr = pl.col(column)
        return expr.fill_nan(None) if self.dtype(column).is_float() else expr

    def missing(self, column: str) -> pl.Expr:
        """Return where *column* is null or NaN."""
        expr = pl.col(column).is_null()
        if self.dtype(column).is_float():
            expr = expr | pl.col(column).is_nan().fill_null(False)
        return expr


def row_condition(condition: Any, schema: Mapping[str, pl.DataType]) -> pl.Expr | None:
    """Return the expression of a ``row_condition``, never null.

    Parameters
    ----------
    condition:
        None; a Great Expectations condition as an object or as its JSON (comparison, nullity, and,
        or); or an SQL expression, as text or as ``{"type": "pass_through",
        "pass_through_filter": …}``. In a condition object ``!=`` and ``NOT_IN`` hold for a missing
        value, as in Great Expectations' pandas engine; in SQL they do not.
    schema:
        Column types; ISO text compared with a date column is read as a date.

    Examples
    --------
    >>> frame = pl.DataFrame({"kind": ["a", None, "b"]})
    >>> not_a = {"type": "comparison", "column": {"name": "kind"}, "operator": "!=",
    ...          "parameter": "a"}
    >>> frame.select(row_condition(not_a, frame.schema)).to_series().to_list()
    [False, True, True]
    >>> frame.select(row_condition("kind != 'a'", frame.schema)).to_series().to_list()
    [False, False, True]
    """
    if condition is None or condition == "":
        return None
    if isinstance(condition, str):
        return pl.sql_expr(condition).fill_null(False)
    parts = condition if isinstance(condition, Mapping) else condition.dict()
    kind = parts.get("type")
    if kind == "pass_through":
        return pl.sql_expr(parts["pass_through_filter"]).fill_null(False)
    if kind in {"and", "or"}:
        inner = [row_condition(part, schema) for part in parts["conditions"]]
        join = operator.and_ if kind == "and" else operator.or_
        return functools.reduce(join, [part for part in inner if part is not None])
    domain, column = Domain(schema, None, {}), parts["column"]["name"]
    if kind == "nullity":
        missing = domain.missing(column)
        return missing if parts["is_null"] else ~missing
    return _comparison(domain, column, str(parts["operator"]), parts["parameter"])


def _comparison(domain: Domain, column: str, symbol: str, parameter: Any) -> pl.Expr:
    value, dtype = domain.value(column), domain.dtype(column)
    if symbol in {"IN", "NOT_IN"}:
        holds = value.is_in(set_members(parameter, dtype))
    elif symbol == "!=":
        holds = value == literal(parameter, dtype)
    else:
        holds = COMPARISONS[symbol](value, literal(parameter, dtype))
    holds = holds.fill_null(False)
    return ~holds if symbol in {"NOT_IN", "!="} else holds
