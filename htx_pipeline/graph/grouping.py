"""Rows that belong together: their order, and what adds up within a group.

What belongs here: grouping rows by whole numbers; sums (exact, or of floats in ascending order), firsts
and lasts, lists of distinct values.
What does not: how ids become numbers (`htx_pipeline.graph.numbering`), which columns are what
(`htx_pipeline.graph.build`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError

Groups = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(row order, starts): rows group after group, and the place in it where each group begins."""

_INT64_LIMIT: Final = float(2**63)


def group_order(
    columns: Sequence[NDArray[np.uint32]], sizes: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row order by the columns, rows of one group in input order, and group starts."""
    rows = len(columns[0])
    if rows == 0:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty
    bits = [max(1, (size - 1).bit_length()) for size in sizes]
    row_bits = max(1, (rows - 1).bit_length())
    if sum(bits) > 64:
        order = np.lexsort(tuple(reversed(columns)))
        change = np.zeros(rows, dtype=bool)
        for column in columns:
            placed = column[order]
            change[1:] |= placed[1:] != placed[:-1]
    else:
        packed = columns[0].astype(np.uint64)
        for column, width in zip(columns[1:], bits[1:], strict=True):
            packed <<= np.uint64(width)
            packed |= column
        if sum(bits) + row_bits <= 64:
            # Sorting (key, row) as one number is several times cheaper than an argsort.
            packed <<= np.uint64(row_bits)
            packed |= np.arange(rows, dtype=np.uint64)
            packed.sort()
            order = (packed & np.uint64((1 << row_bits) - 1)).astype(np.int64)
            packed >>= np.uint64(row_bits)
        else:
            order = np.argsort(packed, kind="stable")
            packed = packed[order]
        change = np.zeros(rows, dtype=bool)
        np.not_equal(packed[1:], packed[:-1], out=change[1:])
    change[0] = True
    return order.astype(np.int64, copy=False), np.flatnonzero(change)


def group_reduce(values: NDArray[Any], groups: Groups, *, by: np.ufunc = np.add) -> NDArray[Any]:
    """Add up (or reduce by another ufunc) one value per row within each group.

    Examples
    --------
    >>> group_reduce(np.array([5, 1, 2]), (np.array([1, 2, 0]), np.array([0, 2]))).tolist()
    [3, 5]
    """
    order, starts = groups
    if len(starts) == 0:
        return values[:0]
    reduced: NDArray[Any] = by.reduceat(values[order], starts)
    return reduced


def group_lists(column: pl.Series, groups: Groups) -> pl.Series:
    """Return the sorted distinct values of each group as a list, nulls left out.

    Examples
    --------
    >>> group_lists(pl.Series("x", ["b", "c", "b", None]), (np.array([0, 1, 2, 3]), np.array([0, 3]))).to_list()
    [['b', 'c'], []]
    """
    order, starts = groups
    n = len(starts)
    size = np.diff(starts, append=len(order))
    group = np.repeat(np.arange(n, dtype=np.uint32), size)
    shared = size[group] > 1 if n else np.empty(0, dtype=bool)
    name = column.name
    if n and not shared.any() and not column.null_count():
        return column.gather(order).reshape((n, 1)).arr.to_list()
    rows = pl.DataFrame([pl.Series("_group", group), column.gather(order)])
    some = rows.filter(pl.Series(shared)).unique().sort("_group", name)
    rows = pl.concat([rows.filter(pl.Series(~shared)), some]).drop_nulls(name)
    # Stable, so that the lists stay sorted.
    rows = rows.sort("_group", maintain_order=True)
    held = rows["_group"].to_numpy()
    lists = rows.group_by("_group", maintain_order=True).agg(pl.col(name))[name]
    has_any = np.zeros(n, dtype=bool)
    has_any[held] = True
    if has_any.all():
        return lists
    place = pl.Series(np.where(has_any, np.cumsum(has_any) - 1, -1)).replace(-1, None)
    return lists.gather(place).fill_null(pl.lit([], dtype=lists.dtype))


def group_sum(column: pl.Series, order: NDArray[np.int64], starts: NDArray[np.int64]) -> pl.Series:
    """Add up a column within groups; null where a group has no value.

    The whole column must have passed `check_total`.
    """
    if len(starts) == 0:
        return pl.Series(column.name, [], dtype=sum_type(column))
    valid = ~column.is_null().to_numpy() if column.null_count() else None
    values = as_added_up(column.fill_null(0) if valid is not None else column)
    placed = values[order]
    if placed.dtype == np.float64 and len(starts) < len(order):
        _sort_within_groups(placed, starts)
    totals = np.add.reduceat(placed, starts)
    out = pl.Series(column.name, totals)
    if valid is None:
        return out
    known = np.add.reduceat(valid[order].astype(np.int64), starts)
    return out.set(pl.Series(known == 0), None)


def as_added_up(column: pl.Series) -> NDArray[Any]:
    """Return a column without nulls as it is added up."""
    return column.cast(sum_type(column)).to_numpy()


def sum_type(column: pl.Series) -> pl.DataType:
    """Return the type in which a column is added up."""
    return pl.Float64() if column.dtype.is_float() else pl.Int64()


def check_total(name: str, values: NDArray[Any]) -> None:
    """Refuse what is not finite, and whole numbers of which some sum may not fit in 64 bits."""
    if values.dtype == np.float64:
        if not np.isfinite(values).all():
            raise InputError(
                f"{name} holds NaN or infinity.",
                remedy="Set what is unknown to null before building the graph.",
                code="graph_not_finite",
            )
        return
    largest = max(float(values.max(initial=0)), -float(values.min(initial=0)))
    if largest * len(values) < _INT64_LIMIT:
        return
    if np.abs(values.astype(np.float64)).sum() >= _INT64_LIMIT:
        raise InputError(
            f"The total of {name} does not fit in 64 bits.",
            remedy="Use a larger unit, for example million VND.",
            code="graph_overflow",
        )


def _sort_within_groups(placed: NDArray[Any], starts: NDArray[np.int64]) -> None:
    """Sort the values of each group of two or more, in place."""
    sizes = np.diff(starts, append=len(placed))
    shared = np.repeat(sizes > 1, sizes)
    group = np.repeat(np.arange(len(starts)), sizes)[shared]
    values = placed[shared]
    placed[shared] = values[np.lexsort((values, group))]


def group_extreme(
    column: pl.Series, order: NDArray[np.int64], starts: NDArray[np.int64], *, first: bool
) -> pl.Series:
    name = f"{'first' if first else 'last'}_{column.name}"
    if len(starts) == 0:
        return pl.Series(name, [], dtype=column.dtype)
    limits = np.iinfo(np.int64)
    absent = limits.max if first else limits.min
    values = column.to_physical().cast(pl.Int64).fill_null(absent).to_numpy()
    pick = np.minimum if first else np.maximum
    found = pick.reduceat(values[order], starts)
    out = pl.Series(name, found).set(pl.Series(found == absent), None)
    return out.cast(column.to_physical().dtype).cast(column.dtype)


def sums_over(column: pl.Series, ptr: NDArray[np.int64] | None) -> NDArray[Any]:
    """Add up rows ``ptr[i]`` to ``ptr[i + 1]`` of a column, Int64 or Float64; NaN where all are null.

    Without ``ptr`` each row stands alone, and the array is the column itself where its type allows.

    Examples
    --------
    >>> sums_over(pl.Series([1, 2, None]), np.array([0, 2, 3])).tolist()
    [3.0, nan]
    """
    values = column.to_numpy()
    whole = values.dtype.kind == "i"
    values = values.astype(np.int64 if whole else np.float64, copy=False)
    if ptr is None or len(ptr) == 1:
        return values
    starts = ptr[:-1]
    if not column.null_count():
        return np.add.reduceat(values, starts)
    absent = column.is_null().to_numpy()
    total: NDArray[Any] = np.add.reduceat(np.where(absent, 0.0, values), starts)
    known = np.add.reduceat((~absent).astype(np.int64), starts)
    total[known == 0] = np.nan
    return total
