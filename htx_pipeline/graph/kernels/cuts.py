"""What holds the graph together: articulation points, bridges, blocks.

What belongs here: the depth-first numbering of an undirected graph and what follows from it
(Hopcroft & Tarjan 1973, doi:10.1145/362248.362272).
What does not: flows and minimum cuts (`residual`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph.kernels.jit import I32, I64, W_B, W_I32, W_I64, Ids, Ptr, kernel
from htx_pipeline.graph.kernels.structure import kept_ptr


def depth_first(indptr: Ptr, indices: Ids) -> tuple[Ids, Ids, Ids, Ids]:
    """Return (order, number, parent, low) of a depth-first search over symmetric rows.

    ``low`` is the smallest number reached from a row's subtree by at most one back edge; repeated
    neighbours and self-loops do not matter.
    """
    n = len(indptr) - 1
    order, low = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    number, parent = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    _depth_first(indptr, indices, order, number, parent, low, indptr[:-1].copy())
    return order, number, parent, low


@kernel(I64, I32, W_I32, W_I32, W_I32, W_I32, W_I64)
def _depth_first(indptr, indices, order, number, parent, low, cursor):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    count = 0
    for root in range(n):
        if number[root] >= 0:
            continue
        number[root] = count
        low[root] = count
        order[count] = root
        count += 1
        u = np.int32(root)
        while u >= 0:
            end = indptr[u + 1]
            c = cursor[u]
            best = low[u]
            up = parent[u]
            child = np.int32(-1)
            while c < end:
                v = indices[c]
                c += 1
                seen = number[v]
                if seen < 0:
                    child = v
                    break
                if v != up and seen < best:
                    best = seen
            cursor[u] = c
            low[u] = best
            if child >= 0:
                parent[child] = u
                number[child] = count
                low[child] = count
                order[count] = child
                count += 1
                u = child
            else:
                if up >= 0 and best < low[up]:
                    low[up] = best
                u = up


def articulation(order: Ids, number: Ids, parent: Ids, low: Ids) -> NDArray[np.bool_]:
    """Return a mask of the rows whose removal splits their component."""
    mask = np.zeros(len(order), dtype=np.bool_)
    _articulation(order, number, parent, low, mask, np.zeros(len(order), dtype=np.int32))
    return mask


@kernel(I32, I32, I32, I32, W_B, W_I32)
def _articulation(order, number, parent, low, mask, children):  # type: ignore[no-untyped-def]
    for v in order:
        p = parent[v]
        if p < 0:
            continue
        if parent[p] < 0:
            children[p] += 1
            if children[p] > 1:
                mask[p] = True
        elif low[v] >= number[p]:
            mask[p] = True


def blocks(order: Ids, number: Ids, parent: Ids, low: Ids) -> tuple[NDArray[np.int64], int]:
    """Return (block, count): the block of the tree edge above each row (-1 above a root)."""
    block = np.full(len(order), -1, dtype=np.int64)
    return block, int(_blocks(order, number, parent, low, block))


@kernel(I32, I32, I32, I32, W_I64)
def _blocks(order, number, parent, low, block):  # type: ignore[no-untyped-def]
    count = 0
    for v in order:
        p = parent[v]
        if p < 0:
            continue
        if low[v] >= number[p]:
            block[v] = count
            count += 1
        else:
            block[v] = block[p]
    return count


def strong(indptr: Ptr, indices: Ids) -> tuple[Ids, int]:
    """Return (component, count) of the strong components in the order in which Tarjan closes them.

    A component is numbered after every component it leads to (Tarjan 1972, doi:10.1137/0201010).
    """
    n = len(indptr) - 1
    number, parent, component = (np.full(n, -1, dtype=np.int32) for _ in range(3))
    low, stack = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    cursor = indptr[:-1].copy()
    count = _strong(indptr, indices, number, low, parent, component, stack, cursor)
    return component, int(count)


@kernel(I64, I32, W_I32, W_I32, W_I32, W_I32, W_I32, W_I64)
def _strong(indptr, indices, number, low, parent, component, stack, cursor):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    size = 0
    seen = 0
    count = 0
    for root in range(n):
        if number[root] >= 0:
            continue
        u = np.int32(root)
        number[u] = seen
        low[u] = seen
        seen += 1
        stack[size] = u
        size += 1
        while u >= 0:
            end = indptr[u + 1]
            c = cursor[u]
            best = low[u]
            child = np.int32(-1)
            while c < end:
                v = indices[c]
                c += 1
                if number[v] < 0:
                    child = v
                    break
                if component[v] < 0 and number[v] < best:
                    best = number[v]
            cursor[u] = c
            low[u] = best
            if child >= 0:
                parent[child] = u
                number[child] = seen
                low[child] = seen
                seen += 1
                stack[size] = child
                size += 1
                u = child
                continue
            if best == number[u]:
                while True:
                    size -= 1
                    v = stack[size]
                    component[v] = count
                    if v == u:
                        break
                count += 1
            up = parent[u]
            if up >= 0 and best < low[up]:
                low[up] = best
            u = up
    return count


def peel(indptr: Ptr, indices: Ids, degree: NDArray[np.int64]) -> None:
    """Turn degrees into core numbers, in place (Batagelj & Zaversnik 2003)."""
    order = np.argsort(degree, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    top = int(degree.max(initial=0))
    start = np.searchsorted(degree[order], np.arange(top + 2)).astype(np.int64)
    _peel(indptr, indices, degree, order, place, start)


@kernel(I64, I32, W_I64, W_I64, W_I64, W_I64)
def _peel(indptr, indices, degree, order, place, start):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    for i in range(n):
        u = order[i]
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if degree[v] > degree[u]:
                first = start[degree[v]]
                other = order[first]
                if other != v:
                    order[first] = v
                    order[place[v]] = other
                    place[other] = place[v]
                    place[v] = first
                start[degree[v]] += 1
                degree[v] -= 1


def _corners(ahead_ptr: Any, ahead: Any, *_: Any) -> float:
    return len(ahead_ptr) + 2.0 * len(ahead) * math.sqrt(len(ahead))


def triangles(indptr: Ptr, indices: Ids) -> NDArray[np.int64]:
    """Return the number of triangles at each row; rows sorted, without self-loops."""
    n = len(indptr) - 1
    degree = np.diff(indptr)
    tail = np.repeat(np.arange(n, dtype=np.int32), degree)
    # Each edge points from the smaller (degree, row) to the larger: few outgoing edges everywhere.
    mine, theirs = degree[tail], degree[indices]
    kept = (mine < theirs) | ((mine == theirs) & (tail < indices))
    ahead_ptr = kept_ptr(indptr, kept)
    count = np.zeros(n, dtype=np.int64)
    _triangles(ahead_ptr, indices[kept], count, np.full(n, -1, dtype=np.int32))
    return count


@kernel(I64, I32, W_I64, W_I32, work=_corners)
def _triangles(ahead_ptr, ahead, count, mark):  # type: ignore[no-untyped-def]
    n = len(ahead_ptr) - 1
    for u in range(n):
        for s in range(ahead_ptr[u], ahead_ptr[u + 1]):
            mark[ahead[s]] = u
        for s in range(ahead_ptr[u], ahead_ptr[u + 1]):
            v = ahead[s]
            for t in range(ahead_ptr[v], ahead_ptr[v + 1]):
                w = ahead[t]
                if mark[w] == u:
                    count[u] += 1
                    count[v] += 1
                    count[w] += 1
