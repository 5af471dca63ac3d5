"""What holds the graph together: articulation points, bridges, blocks.

What belongs here: the depth-first numbering of an undirected graph and what follows from it
(Hopcroft & Tarjan 1973, doi:10.1145/362248.362272).
What does not: flows and minimum cuts (`residual`).
"""

# ruff: noqa: PLR0915
from __future__ import annotations

import math
from typing import Any

import numpy as np

from htx_pipeline.graph.kernels.jit import I32, I64, W_I64, kernel


@kernel(I64, I32)
def depth_first(indptr, indices):  # type: ignore[no-untyped-def]
    """Return (order, number, parent, low) of a depth-first search over rows without self-loops.

    ``low`` is the smallest number reached from a row's subtree by at most one back edge.
    """
    n = len(indptr) - 1
    order = np.empty(n, dtype=np.int32)
    number = np.full(n, -1, dtype=np.int32)
    low = np.empty(n, dtype=np.int32)
    parent = np.full(n, -1, dtype=np.int32)
    cursor = indptr[:-1].copy()
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
    return order, number, parent, low


@kernel(I32, I32, I32, I32)
def articulation(order, number, parent, low):  # type: ignore[no-untyped-def]
    """Return a mask of the rows whose removal splits their component."""
    n = len(order)
    mask = np.zeros(n, dtype=np.bool_)
    children = np.zeros(n, dtype=np.int32)
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
    return mask


@kernel(I32, I32, I32, I32)
def blocks(order, number, parent, low):  # type: ignore[no-untyped-def]
    """Return (block, count): the block of the tree edge above each row (-1 above a root)."""
    n = len(order)
    block = np.full(n, -1, dtype=np.int64)
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
    return block, count


@kernel(I64, I32)
def strong(indptr, indices):  # type: ignore[no-untyped-def]
    """Return (component, count) of the strong components in the order in which Tarjan closes them.

    A component is numbered after every component it leads to (Tarjan 1972, doi:10.1137/0201010).
    """
    n = len(indptr) - 1
    number = np.full(n, -1, dtype=np.int32)
    low = np.empty(n, dtype=np.int32)
    parent = np.full(n, -1, dtype=np.int32)
    component = np.full(n, -1, dtype=np.int32)
    stack = np.empty(n, dtype=np.int32)
    cursor = indptr[:-1].copy()
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
    return component, count


@kernel(I64, I32, W_I64)
def peel(indptr, indices, degree):  # type: ignore[no-untyped-def]
    """Turn degrees into core numbers, in place (Batagelj & Zaversnik 2003)."""
    n = len(indptr) - 1
    top = 0
    for u in range(n):
        top = max(top, degree[u])
    start = np.zeros(top + 2, dtype=np.int64)
    for u in range(n):
        start[degree[u] + 1] += 1
    for d in range(top + 1):
        start[d + 1] += start[d]
    order = np.empty(n, dtype=np.int64)
    place = np.empty(n, dtype=np.int64)
    fill = start.copy()
    for u in range(n):
        place[u] = fill[degree[u]]
        order[place[u]] = u
        fill[degree[u]] += 1
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


def _corners(indptr: Any, indices: Any) -> float:
    return len(indptr) + len(indices) * math.sqrt(len(indices))


@kernel(I64, I32, work=_corners)
def triangles(indptr, indices):  # type: ignore[no-untyped-def]
    """Return the number of triangles at each row; rows sorted, without self-loops."""
    n = len(indptr) - 1
    # Each edge points from the smaller (degree, row) to the larger: few outgoing edges everywhere.
    ahead_ptr = np.zeros(n + 1, dtype=np.int64)
    ahead = np.empty(len(indices) // 2, dtype=np.int32)
    k = 0
    for u in range(n):
        du = indptr[u + 1] - indptr[u]
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            dv = indptr[v + 1] - indptr[v]
            if du < dv or (du == dv and u < v):
                ahead[k] = v
                k += 1
        ahead_ptr[u + 1] = k
    count = np.zeros(n, dtype=np.int64)
    mark = np.full(n, -1, dtype=np.int32)
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
    return count
