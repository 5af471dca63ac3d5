"""Row by row: what each expectation asks, as one Polars expression.

What belongs here: for every map metric of Great Expectations that this project uses, the expression
that is true where a row *fails*, and the expression of the rows it judges at all. What does not:
Great Expectations itself (`htx_pipeline.validation.polars_metrics` registers these under its metric names).

The meaning is that of Great Expectations' pandas engine, which is the oracle in the tests:

* NaN is a missing value, as null is.
* Column rules skip missing values; only the two null rules look at them.
* Pair and multi-column rules skip rows by ``ignore_row_if``; a comparison with a missing value that
  is not skipped fails.
* Uniqueness counts only rows that meet the row condition; every member of a duplicate group fails.

Two differences are wanted, and tested: a bound or set member written as an ISO date is understood
for Date and Datetime columns, and ``$`` in a regex does not forgive a line break at the end.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.validation.domain import COMPARISONS, Domain, Masks
from htx_pipeline.validation.literals import comparable, literal, search_values, set_members

_EVERY_ROW: Final = pl.repeat(True, pl.len(), dtype=pl.Boolean)


@dataclass(frozen=True)
class Bounds:
    """A lower and an upper bound; a strict one excludes itself."""

    low: Any = None
    high: Any = None
    strict_low: bool = False
    strict_high: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds that say nothing or nothing can meet."""
        if self.low is None and self.high is None:
            raise ValueError("min_value and max_value cannot both be None")
        if None not in (self.low, self.high) and comparable(self.low) > comparable(self.high):
            raise ValueError("min_value cannot be greater than max_value")

    @classmethod
    def of(cls, kwargs: Mapping[str, Any]) -> Bounds:
        """Read the arguments as Great Expectations names them."""
        return cls(
            kwargs.get("min_value"),
            kwargs.get("max_value"),
            bool(kwargs.get("strict_min")),
            bool(kwargs.get("strict_max")),
        )

    def hold(self, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """Return where *value*, a column of type *dtype*, is within them."""
        parts = []
        if self.low is not None:
            compare = COMPARISONS[">" if self.strict_low else ">="]
            parts.append(compare(value, literal(self.low, dtype)))
        if self.high is not None:
            compare = COMPARISONS["<" if self.strict_high else "<="]
            parts.append(compare(value, literal(self.high, dtype)))
        within: pl.Expr = functools.reduce(operator.and_, parts)
        return within


def both(*parts: pl.Expr | None) -> pl.Expr | None:
    """Return the conjunction of the parts that are given; None when there is none."""
    given = [part for part in parts if part is not None]
    return functools.reduce(operator.and_, given) if given else None


def _column_rule(domain: Domain, column: str, meets: pl.Expr) -> Masks:
    judged = both(~domain.missing(column), domain.scope)
    failing = meets.not_().fill_null(False)
    return Masks(failing if domain.scope is None else failing & domain.scope, judged)


def values_null(domain: Domain, column: str) -> Masks:
    """Fail where a value is given."""
    given = ~domain.missing(column)
    return Masks(given if domain.scope is None else given & domain.scope, domain.scope)


def values_nonnull(domain: Domain, column: str) -> Masks:
    """Fail where a value is missing."""
    missing = domain.missing(column)
    return Masks(missing if domain.scope is None else missing & domain.scope, domain.scope)


def values_unique(domain: Domain, column: str) -> Masks:
    """Fail every row of a value that occurs more than once."""
    value = domain.value(column)
    if domain.scope is not None:
        value = pl.when(domain.scope).then(value)
    judged = both(~domain.missing(column), domain.scope)
    assert judged is not None
    return Masks(_duplicated(value) & judged, judged)


def values_in_set(domain: Domain, column: str, value_set: Sequence[Any] | None) -> Masks:
    """Fail where the value is not a member; no set at all is met by every value."""
    if value_set is None:
        return _column_rule(domain, column, _EVERY_ROW)
    members = set_members(value_set, domain.dtype(column))
    return _column_rule(domain, column, domain.value(column).is_in(members))


def values_not_in_set(domain: Domain, column: str, value_set: Sequence[Any] | None) -> Masks:
    """Fail where the value is a member."""
    if value_set is None:
        return _column_rule(domain, column, _EVERY_ROW)
    members = set_members(value_set, domain.dtype(column))
    return _column_rule(domain, column, domain.value(column).is_in(members).not_())


def values_match_regex(domain: Domain, column: str, regex: str) -> Masks:
    """Fail where the pattern is found nowhere in the value."""
    return _column_rule(domain, column, _contains(domain, column, regex))


def values_not_match_regex(domain: Domain, column: str, regex: str) -> Masks:
    """Fail where the pattern is found somewhere in the value."""
    return _column_rule(domain, column, _contains(domain, column, regex).not_())


def values_between(domain: Domain, column: str, **bounds: Any) -> Masks:
    """Fail outside ``min_value`` and ``max_value`` (``strict_min``, ``strict_max`` exclude them)."""
    within = Bounds.of(bounds).hold(domain.value(column), domain.dtype(column))
    return _column_rule(domain, column, within)


def value_lengths_between(domain: Domain, column: str, **bounds: Any) -> Masks:
    """Fail where the number of characters is outside the bounds."""
    length = _text(domain, column).str.len_chars()
    return _column_rule(domain, column, Bounds.of(bounds).hold(length, pl.UInt32()))


def value_lengths_equal(domain: Domain, column: str, value: int) -> Masks:
    """Fail where the number of characters is another."""
    return _column_rule(domain, column, _text(domain, column).str.len_chars() == value)


def values_in_reference(
    domain: Domain, column: str, reference: str, reference_column: str | None = None
) -> Masks:
    """Fail where the value is not in the named reference."""
    known = _reference(domain, reference, [reference_column or column], single=True)
    series = known.to_series()
    if series.dtype != domain.dtype(column):
        series = series.cast(domain.dtype(column), strict=False).drop_nulls()
    return _column_rule(domain, column, domain.value(column).is_in(series.implode()))


def _judged(domain: Domain, columns: Sequence[str], ignore_row_if: str | None) -> pl.Expr | None:
    skipped: pl.Expr | None = None
    if ignore_row_if in {"both_values_are_missing", "all_values_are_missing"}:
        skipped = functools.reduce(operator.and_, [domain.missing(c) for c in columns])
    elif ignore_row_if in {"either_value_is_missing", "any_value_is_missing"}:
        skipped = functools.reduce(operator.or_, [domain.missing(c) for c in columns])
    elif ignore_row_if not in {"neither", "never", None}:
        raise ValueError(f"ignore_row_if is {ignore_row_if!r}")
    return both(domain.scope, None if skipped is None else ~skipped)


def _joint_rule(
    domain: Domain, columns: Sequence[str], ignore_row_if: str | None, meets: pl.Expr
) -> Masks:
    judged = _judged(domain, columns, ignore_row_if)
    failing = meets.fill_null(False).not_()
    return Masks(failing if judged is None else failing & judged, judged)


def pair_a_greater_than_b(
    domain: Domain,
    column_A: str,  # noqa: N803
    column_B: str,  # noqa: N803
    ignore_row_if: str | None = None,
    or_equal: bool | None = False,
) -> Masks:
    """Fail where A is not greater than B."""
    a, b = domain.value(column_A), domain.value(column_B)
    return _joint_rule(domain, [column_A, column_B], ignore_row_if, a >= b if or_equal else a > b)


def pair_equal(
    domain: Domain,
    column_A: str,  # noqa: N803
    column_B: str,  # noqa: N803
    ignore_row_if: str | None = None,
) -> Masks:
    """Fail where A is not B."""
    meets = domain.value(column_A) == domain.value(column_B)
    return _joint_rule(domain, [column_A, column_B], ignore_row_if, meets)


def pair_in_set(
    domain: Domain,
    column_A: str,  # noqa: N803
    column_B: str,  # noqa: N803
    ignore_row_if: str | None = None,
    value_pairs_set: Iterable[Sequence[Any]] | None = None,
) -> Masks:
    """Fail where (A, B) is not one of the pairs; None in a pair stands for a missing value."""
    columns = [column_A, column_B]
    if value_pairs_set is None:
        return _joint_rule(domain, columns, ignore_row_if, _EVERY_ROW)
    partners: dict[Any, list[Any]] = {}
    for a, b in value_pairs_set:
        partners.setdefault(a, []).append(b)
    alternatives = [
        _one_of(domain, column_A, [a]) & _one_of(domain, column_B, bs) for a, bs in partners.items()
    ]
    meets = pl.any_horizontal(alternatives) if alternatives else ~_EVERY_ROW
    return _joint_rule(domain, columns, ignore_row_if, meets)


def _one_of(domain: Domain, column: str, values: Sequence[Any]) -> pl.Expr:
    found = domain.value(column).is_in(set_members(values, domain.dtype(column))).fill_null(False)
    return found | domain.missing(column) if None in values else found


def compound_unique(
    domain: Domain, column_list: Sequence[str], ignore_row_if: str | None = None
) -> Masks:
    """Fail every row of a combination that occurs more than once; null equals null."""
    judged = _judged(domain, column_list, ignore_row_if)
    key = [domain.value(column).alias(f"key{i}") for i, column in enumerate(column_list)]
    if domain.scope is not None:
        key.append(domain.scope.alias("scope"))
    twice = _duplicated(pl.struct(key))
    return Masks(twice if judged is None else twice & judged, judged)


def compound_in_reference(
    domain: Domain,
    column_list: Sequence[str],
    ignore_row_if: str | None = None,
    reference: str = "",
    reference_columns: Sequence[str] | None = None,
) -> Masks:
    """Fail where the combination is not in the named reference."""
    known = _reference(domain, reference, list(reference_columns or column_list))
    known.columns = [f"key{i}" for i in range(known.width)]
    types = {f"key{i}": domain.dtype(column) for i, column in enumerate(column_list)}
    known = known.cast(dict(types), strict=False).unique(maintain_order=True)  # type: ignore[arg-type]
    key = pl.struct(domain.value(c).alias(f"key{i}") for i, c in enumerate(column_list))
    marked = known.with_columns(pl.lit(True).alias("known"))

    def is_known(keys: pl.Series) -> pl.Series:
        found = keys.struct.unnest().join(
            marked, on=list(types), how="left", nulls_equal=True, maintain_order="left"
        )
        return found["known"].fill_null(False)

    meets = key.map_batches(is_known, return_dtype=pl.Boolean)
    return _joint_rule(domain, column_list, ignore_row_if, meets)


def sum_equal(
    domain: Domain,
    column_list: Sequence[str],
    ignore_row_if: str | None = None,
    sum_total: float = 0,
) -> Masks:
    """Fail where the columns do not add up to *sum_total*."""
    meets = _sum(domain, column_list) == sum_total
    return _joint_rule(domain, column_list, ignore_row_if, meets)


def sums_compare(
    domain: Domain,
    column_list: Sequence[str],
    ignore_row_if: str | None = None,
    **comparison: Any,
) -> Masks:
    """Fail where the sum of ``left`` does not compare with that of ``right`` as ``operator`` says.

    ``tolerance`` (default 0) widens the comparison.
    """
    symbol, tolerance = comparison["operator"], comparison.get("tolerance") or 0
    if symbol not in COMPARISONS:
        raise ValueError(f"operator is {symbol!r}, but must be one of {', '.join(COMPARISONS)}")
    a, b = _sum(domain, comparison["left"]), _sum(domain, comparison["right"])
    if not tolerance:
        meets = COMPARISONS[symbol](a, b)
    elif symbol == "==":
        meets = (a - b).abs() <= tolerance
    else:
        meets = COMPARISONS[symbol](a, b + tolerance if symbol[0] == "<" else b - tolerance)
    return _joint_rule(domain, column_list, ignore_row_if, meets)


def unique_within_record(
    domain: Domain, column_list: Sequence[str], ignore_row_if: str | None = None
) -> Masks:
    """Fail where two of the columns hold the same value; null equals null."""
    same = [_same(domain, first, second) for first, second in combinations(column_list, 2)]
    return _joint_rule(domain, column_list, ignore_row_if, pl.any_horizontal(same).not_())


def _same(domain: Domain, first: str, second: str) -> pl.Expr:
    a, b = domain.dtype(first), domain.dtype(second)
    if a == b or (a.is_numeric() and b.is_numeric()) or (a.is_temporal() and b.is_temporal()):
        return domain.value(first).eq_missing(domain.value(second))
    return domain.missing(first) & domain.missing(second)


def _duplicated(value: pl.Expr) -> pl.Expr:
    """Return where a value occurs more than once; null equals null.

    Several times quicker than ``is_duplicated`` on text and structs, and exact: values are sorted
    out by their 64-bit hash, and only those that share a hash are compared.
    """
    return value.map_batches(_duplicated_values, return_dtype=pl.Boolean)


def _duplicated_values(values: pl.Series) -> pl.Series:
    hashes = values.hash()
    ordered = np.sort(hashes.to_numpy())
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    candidates = hashes.is_in(pl.Series(shared, dtype=pl.UInt64).implode())
    at = candidates.arg_true()
    twice = values.gather(at).is_duplicated()
    return candidates if twice.all() else candidates.scatter(at, twice)


def _sum(domain: Domain, columns: Sequence[str]) -> pl.Expr:
    if not columns:
        raise ValueError("a sum needs at least one column")
    return functools.reduce(operator.add, [domain.value(column) for column in columns])


def _text(domain: Domain, column: str) -> pl.Expr:
    value = domain.value(column)
    return value if domain.dtype(column) == pl.String else value.cast(pl.String)


def _contains(domain: Domain, column: str, regex: str) -> pl.Expr:
    text = _text(domain, column)
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.ComputeError:
        # Look-around and back-references: Python's engine, once per different value.
        return text.map_batches(functools.partial(search_values, re.compile(regex)), pl.Boolean)
    return text.str.contains(regex)


def _reference(
    domain: Domain, name: str, columns: list[str], *, single: bool = False
) -> pl.DataFrame:
    if name not in domain.references:
        given = ", ".join(sorted(domain.references)) or "none"
        raise LookupError(f"the reference {name!r} was not given; given: {given}")
    frame = domain.references[name]
    if single and frame.width == 1:
        return frame
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise LookupError(
            f"the reference {name!r} has no column {absent[0]!r}; it has: "
            + ", ".join(frame.columns)
        )
    return frame.select(columns)


RULES: Final[dict[str, Callable[..., Masks]]] = {
    "column_values.null": values_null,
    "column_values.nonnull": values_nonnull,
    "column_values.unique": values_unique,
    "column_values.in_set": values_in_set,
    "column_values.not_in_set": values_not_in_set,
    "column_values.match_regex": values_match_regex,
    "column_values.not_match_regex": values_not_match_regex,
    "column_values.between": values_between,
    "column_values.value_length.between": value_lengths_between,
    "column_values.value_length.equals": value_lengths_equal,
    "column_values.in_reference": values_in_reference,
    "column_pair_values.a_greater_than_b": pair_a_greater_than_b,
    "column_pair_values.equal": pair_equal,
    "column_pair_values.in_set": pair_in_set,
    "compound_columns.unique": compound_unique,
    "compound_columns.in_reference": compound_in_reference,
    "select_column_values.unique.within_record": unique_within_record,
    "multicolumn_sum.equal": sum_equal,
    "multicolumn_sums.compare": sums_compare,
}
"""Great Expectations' name of the map metric → the function that builds its masks."""
