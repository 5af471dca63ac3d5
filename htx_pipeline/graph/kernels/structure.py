"""Placing, merging and cleaning rows.

What belongs here: linear passes that turn one set of rows into another.
What does not: algorithms on the rows.
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from typing import Any

import numpy as np

from htx_pipeline.graph.kernels.jit import F64, I32, I64, flag, kernel


def _paths_of_two(out_ptr: Any, *_: Any) -> float:
    return float((np.diff(out_ptr).astype(np.float64) ** 2).sum())


@kernel(I64, I32, I32)
def place(indptr, source, target):  # type: ignore[no-untyped-def]
    """Return (indices, edge): edges sorted by source, in their own order within a row."""
    m = len(source)
    indices = np.empty(m, dtype=np.int32)
    edge = np.empty(m, dtype=np.int64)
    cursor = indptr[:-1].copy()
    for e in range(m):
        u = source[e]
        slot = cursor[u]
        indices[slot] = target[e]
        edge[slot] = e
        cursor[u] = slot + 1
    return indices, edge


@kernel(I64, I32, F64, I64, I32, F64, flag)
def merge_rows(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, loops):  # type: ignore[no-untyped-def]
    """Return the union of two sorted sets of rows; weights add, a self-loop counts once.

    Empty value arrays stand for weights that are all 1 after the union.
    """
    n = len(a_ptr) - 1
    weighted = len(a_val) == len(a_idx) and len(a_idx) > 0
    indptr = np.zeros(n + 1, dtype=np.int64)
    indices = np.empty(len(a_idx) + len(b_idx), dtype=np.int32)
    values = np.empty(len(a_idx) + len(b_idx), dtype=np.float64)
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
            values[k] = total if weighted else 1.0
            k += 1
        indptr[u + 1] = k
    return indptr, indices[:k].copy(), values[:k].copy()


@kernel(I64, I32, F64)
def drop_loops(indptr, indices, values):  # type: ignore[no-untyped-def]
    """Return the rows without self-loops."""
    n = len(indptr) - 1
    out_ptr = np.zeros(n + 1, dtype=np.int64)
    out_idx = np.empty(len(indices), dtype=np.int32)
    out_val = np.empty(len(indices), dtype=np.float64)
    k = 0
    for u in range(n):
        for s in range(indptr[u], indptr[u + 1]):
            if indices[s] != u:
                out_idx[k] = indices[s]
                out_val[k] = values[s]
                k += 1
        out_ptr[u + 1] = k
    return out_ptr, out_idx[:k].copy(), out_val[:k].copy()


@kernel(I64, I32, I64, I32, work=_paths_of_two)
def closed_pairs(out_ptr, out_idx, in_ptr, in_idx):  # type: ignore[no-untyped-def]
    """Return, for each row j, the number of pairs (i, k) with i to j, j to k and i to k."""
    n = len(out_ptr) - 1
    closed = np.zeros(n, dtype=np.int64)
    mark = np.full(n, -1, dtype=np.int32)
    for j in range(n):
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
    return closed
