"""Placing, merging and cleaning rows.

What belongs here: linear passes that turn one set of rows into another.
What does not: algorithms on the rows.
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph.kernels.jit import (
    F64,
    I32,
    I64,
    W_F64,
    W_I32,
    W_I64,
    Ids,
    Ptr,
    flag,
    kernel,
)

Values = NDArray[np.float64]


def _paths_of_two(out_ptr: Any, *_: Any) -> float:
    return float((np.diff(out_ptr).astype(np.float64) ** 2).sum())


def place(indptr: Ptr, source: Ids, target: Ids) -> tuple[Ids, NDArray[np.int64]]:
    """Return (indices, edge): edges sorted by source, in their own order within a row."""
    indices, edge = np.empty(len(source), dtype=np.int32), np.empty(len(source), dtype=np.int64)
    _place(source, target, indices, edge, indptr[:-1].copy())
    return indices, edge


def _place_by_sorting(source: Ids, target: Ids, indices: Ids, edge: Ptr, cursor: Ptr) -> None:
    edge[:] = np.argsort(source, kind="stable")
    indices[:] = target[edge]
    cursor += np.bincount(source, minlength=len(cursor))


@kernel(I32, I32, W_I32, W_I64, W_I64, stand_in=_place_by_sorting)
def _place(source, target, indices, edge, cursor):  # type: ignore[no-untyped-def]
    for e in range(len(source)):
        u = source[e]
        slot = cursor[u]
        indices[slot] = target[e]
        edge[slot] = e
        cursor[u] = slot + 1


def merge_rows(
    a_ptr: Ptr, a_idx: Ids, a_val: Values, b_ptr: Ptr, b_idx: Ids, b_val: Values, loops: bool
) -> tuple[Ptr, Ids, Values]:
    """Return the union of two sorted sets of rows; weights add, a self-loop counts once.

    Empty value arrays stand for weights that are all 1 after the union.
    """
    room = len(a_idx) + len(b_idx)
    weighted = len(a_val) == len(a_idx) and len(a_idx) > 0
    indptr = np.zeros(len(a_ptr), dtype=np.int64)
    indices = np.empty(room, dtype=np.int32)
    values = np.empty(room, dtype=np.float64) if weighted else np.ones(room)
    k = _merge_rows(
        a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, loops, weighted, indptr, indices, values
    )
    return indptr, indices[:k], values[:k]


def _merge_by_sorting(
    a_ptr: Ptr,
    a_idx: Ids,
    a_val: Values,
    b_ptr: Ptr,
    b_idx: Ids,
    b_val: Values,
    loops: bool,
    weighted: bool,
    indptr: Ptr,
    indices: Ids,
    values: Values,
) -> int:
    n = len(a_ptr) - 1
    rows = np.arange(n, dtype=np.int64)
    a_row, b_row = np.repeat(rows, np.diff(a_ptr)), np.repeat(rows, np.diff(b_ptr))
    # Where both have the pair, the first stands for it, and the second's weight is added.
    a_key, b_key = a_row * n + a_idx, b_row * n + b_idx
    at = np.searchsorted(a_key, b_key)
    is_in_a = np.zeros(len(b_key), dtype=bool)
    inside = at < len(a_key)
    is_in_a[inside] = a_key[at[inside]] == b_key[inside]
    fresh = ~is_in_a
    key = np.concatenate([a_key, b_key[fresh]])
    order = np.argsort(key, kind="stable")
    if not loops:
        is_loop = np.concatenate([a_row == a_idx, (b_row == b_idx)[fresh]])
        order = order[~is_loop[order]]
    k = len(order)
    row, column = np.divmod(key[order], max(n, 1))
    np.cumsum(np.bincount(row, minlength=n), out=indptr[1:])
    indices[:k] = column
    if weighted:
        a_total = 0.0 + a_val
        adds = is_in_a & (b_row != b_idx)
        a_total[at[adds]] += b_val[adds]
        b_total = np.where((b_row != b_idx)[fresh], b_val[fresh], 0.0)
        values[:k] = np.concatenate([a_total, b_total])[order]
    return k


@kernel(
    *(I64, I32, F64, I64, I32, F64, flag, flag, W_I64, W_I32, W_F64),
    stand_in=_merge_by_sorting,
)
def _merge_rows(  # type: ignore[no-untyped-def]
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, loops, weighted, indptr, indices, values
):
    n = len(a_ptr) - 1
    k = 0
    for u in range(n):
        i = a_ptr[u]
        j = b_ptr[u]
        i_end = a_ptr[u + 1]
        j_end = b_ptr[u + 1]
        while i < i_end or j < j_end:
            va = a_idx[i] if i < i_end else np.int32(2147483647)
            vb = b_idx[j] if j < j_end else np.int32(2147483647)
            v = min(va, vb)
            total = 0.0
            if va == v:
                if weighted:
                    total += a_val[i]
                i += 1
            if vb == v:
                if weighted and v != u:
                    total += b_val[j]
                j += 1
            if v == u and not loops:
                continue
            indices[k] = v
            if weighted:
                values[k] = total
            k += 1
        indptr[u + 1] = k
    return k


def drop_loops(indptr: Ptr, indices: Ids, values: Values) -> tuple[Ptr, Ids, Values]:
    """Return the rows without self-loops."""
    n = len(indptr) - 1
    kept = np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr)) != indices
    return kept_ptr(indptr, kept), indices[kept], values[kept]


def kept_ptr(indptr: Ptr, kept: NDArray[np.bool_]) -> Ptr:
    """Return where rows begin when only some of their slots are kept."""
    ahead = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(kept, out=ahead[1:])
    return ahead[indptr]


def closed_pairs(out_ptr: Ptr, out_idx: Ids, in_ptr: Ptr, in_idx: Ids) -> NDArray[np.int64]:
    """Return, for each row j, the number of pairs (i, k) with i to j, j to k and i to k."""
    n = len(out_ptr) - 1
    closed = np.zeros(n, dtype=np.int64)
    _closed_pairs(out_ptr, out_idx, in_ptr, in_idx, closed, np.full(n, -1, dtype=np.int32))
    return closed


@kernel(I64, I32, I64, I32, W_I64, W_I32, work=_paths_of_two)
def _closed_pairs(out_ptr, out_idx, in_ptr, in_idx, closed, mark):  # type: ignore[no-untyped-def]
    for j in range(len(closed)):
        if in_ptr[j] == in_ptr[j + 1] or out_ptr[j] == out_ptr[j + 1]:
            continue
        for slot in range(out_ptr[j], out_ptr[j + 1]):
            mark[out_idx[slot]] = j
        count = 0
        for slot in range(in_ptr[j], in_ptr[j + 1]):
            i = in_idx[slot]
            for other in range(out_ptr[i], out_ptr[i + 1]):
                if mark[out_idx[other]] == j:
                    count += 1
        closed[j] = count
