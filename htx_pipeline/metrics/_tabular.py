"""What the tabular measures share: any engine in, the same engine out.

What belongs here: entering and leaving Narwhals, exact sums, guarded ratios, intervals. What does
not: measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import narwhals as nw
import polars as pl

Native = TypeVar("Native")
"""A Polars eager or lazy frame, a DuckDB relation or a PySpark frame."""

AREA_SCALE: Final = 10_000
"""Areas are added up in whole square metres, so that the order of rows cannot show."""

MASS_SCALE: Final = 1_000_000
"""Masses are added up in whole grams."""

Z_95: Final = 1.959963984540054
"""Quantile of the standard normal for a 95 % interval."""


def wrap(frame: Any) -> Any:
    """Wrap a native frame as it is, eager or lazy."""
    return nw.from_native(frame)


def enter(frame: Any) -> nw.LazyFrame[Any]:
    """Wrap a native frame lazily, whatever engine it belongs to."""
    lazy: nw.LazyFrame[Any] = nw.from_native(frame).lazy()
    return lazy


def leave(result: nw.LazyFrame[Any], *, like: Any) -> Any:
    """Unwrap; a result computed from an eager Polars frame is eager."""
    native = result.to_native()
    return native.collect() if isinstance(like, pl.DataFrame) else native


def pin(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Work a frame out once where an engine would repeat it for each use of it.

    Spark plans a frame anew for each use, and plans of plans grow beyond what it can plan in minutes; a
    local checkpoint ends that. Polars misses common parts of large plans, so they are marked. DuckDB finds
    them.
    """
    if rows.implementation.is_polars():
        cached: nw.LazyFrame[Any] = nw.from_native(rows.to_native().cache())
        return cached
    if not rows.implementation.is_pyspark():
        return rows
    pinned: nw.LazyFrame[Any] = nw.from_native(rows.to_native().localCheckpoint())
    return pinned


def total(column: str | nw.Expr, *, scale: int | None = None) -> nw.Expr:
    """Add up exactly; null when nothing is stated. ``scale`` turns floats into whole small units."""
    expr = nw.col(column) if isinstance(column, str) else column
    if scale is None:
        summed = expr.sum().cast(nw.Int64)
    else:
        summed = (expr * scale).round(0).cast(nw.Int64).sum().cast(nw.Int64) / scale
    return nw.when(expr.count() > 0).then(summed)


def count_where(condition: nw.Expr) -> nw.Expr:
    """Count the rows where a condition holds; unknown does not hold."""
    return nw.when(condition).then(1).otherwise(0).sum().cast(nw.Int64)


def ratio(numerator: str, denominator: str) -> nw.Expr:
    """Divide; null when the denominator is null or zero, never inf."""
    den = nw.col(denominator).cast(nw.Float64)
    return nw.when(den != 0).then(nw.col(numerator).cast(nw.Float64) / den)


def wilson(successes: str, trials: str, *, upper: bool, z: float = Z_95) -> nw.Expr:
    """Return an end of Wilson's interval of a share of counts (doi:10.2307/2276774)."""
    n = nw.col(trials).cast(nw.Float64)
    p = nw.col(successes).cast(nw.Float64) / n
    centre = p + z * z / (2 * n)
    half = (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 * z
    edge = (centre + half if upper else centre - half) / (1 + z * z / n)
    # The ends are exact at 0 and 1; the formula leaves rounding noise there.
    at_end = nw.col(successes) == (nw.col(trials) if upper else 0)
    return nw.when(n > 0).then(nw.when(at_end).then(1.0 if upper else 0.0).otherwise(edge))


def stack(frames: Sequence[nw.LazyFrame[Any]]) -> nw.LazyFrame[Any]:
    """Concatenate frames with the same columns."""
    return nw.concat(list(frames), how="vertical")
