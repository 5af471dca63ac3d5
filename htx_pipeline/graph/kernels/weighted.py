"""Shortest ways by weight: from one row, and the betweenness that follows from many.

What belongs here: best-first searches over rows.
What does not: searches by hops (`traverse`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph.kernels.jit import (
    F64,
    I32,
    I64,
    W_B,
    W_F64,
    W_I32,
    W_I64,
    Ids,
    Ptr,
    f64,
    flag,
    helper,
    i64,
    kernel,
)

Values = NDArray[np.float64]


def _heap(indptr: Any, indices: Any, *_: Any) -> float:
    return 2.0 * (len(indptr) + len(indices)) * math.log2(len(indices) + 2)


def _heaps(indptr: Any, indices: Any, weight: Any, sources: Any, *_: Any) -> float:
    return len(sources) * _heap(indptr, indices)


@helper
def push(keys, counts, nodes, size, key, count, node):  # type: ignore[no-untyped-def]
    """Put an entry into a heap of ``size`` entries; of equal keys the smaller count comes first."""
    i = size
    while i > 0:
        up = (i - 1) // 2
        if keys[up] < key or (keys[up] == key and counts[up] < count):
            break
        keys[i] = keys[up]
        counts[i] = counts[up]
        nodes[i] = nodes[up]
        i = up
    keys[i] = key
    counts[i] = count
    nodes[i] = node
    return size + 1


@helper
def pop(keys, counts, nodes, size):  # type: ignore[no-untyped-def]
    """Take the first entry out of a heap of ``size`` entries."""
    size -= 1
    key = keys[size]
    count = counts[size]
    node = nodes[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            keys[right] < keys[child]
            or (keys[right] == keys[child] and counts[right] < counts[child])
        ):
            child = right
        if keys[child] > key or (keys[child] == key and counts[child] > count):
            break
        keys[i] = keys[child]
        counts[i] = counts[child]
        nodes[i] = nodes[child]
        i = child
    keys[i] = key
    counts[i] = count
    nodes[i] = node
    return size


def dijkstra(
    indptr: Ptr, indices: Ids, weight: Values, source: int, target: int, cutoff: float
) -> tuple[Ptr, Values, Ptr]:
    """Return (order, distance, parent) from a source; inf and -1 where it does not lead.

    Ties are broken as NetworkX does: the first to be pushed is the first to be popped, and a parent
    is replaced only by a strictly shorter way. A negative weight empties ``order``.
    """
    n = len(indptr) - 1
    distance, parent = np.full(n, np.inf), np.full(n, -1, dtype=np.int64)
    order = np.empty(n, dtype=np.int64)
    settled = _dijkstra(
        indptr,
        indices,
        weight,
        source,
        target,
        cutoff,
        distance,
        parent,
        np.zeros(n, dtype=np.bool_),
        order,
        *_empty_heap(indices),
    )
    return order[:settled].copy(), distance, parent


def _empty_heap(indices: Ids) -> tuple[Values, Ptr, Ptr]:
    """Return room for keys, counts and entries: an edge is pushed at most once."""
    room = len(indices) + 1
    return np.empty(room), np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)


@kernel(
    *(I64, I32, F64, i64, i64, f64, W_F64, W_I64, W_B, W_I64, W_F64, W_I64, W_I64),
    work=_heap,
)
def _dijkstra(  # type: ignore[no-untyped-def]
    indptr,
    indices,
    weight,
    source,
    target,
    cutoff,
    distance,
    parent,
    done,
    order,
    keys,
    counts,
    nodes,
):
    distance[source] = 0.0
    size = push(keys, counts, nodes, 0, 0.0, 0, source)
    pushed = 1
    settled = 0
    while size > 0:
        u = nodes[0]
        size = pop(keys, counts, nodes, size)
        if done[u]:
            continue
        done[u] = True
        order[settled] = u
        settled += 1
        if u == target:
            break
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            w = weight[slot]
            if w < 0.0:
                return 0
            way = distance[u] + w
            if way > cutoff or done[v] or way >= distance[v]:
                continue
            distance[v] = way
            parent[v] = u
            size = push(keys, counts, nodes, size, way, pushed, v)
            pushed += 1
    return settled


def betweenness(indptr: Ptr, indices: Ids, weight: Values, sources: Ptr, endpoints: bool) -> Values:
    """Return each row's dependency summed over the sources, by weights of 0 or more, unscaled.

    Ties, also those that weights of 0 bring, are treated as NetworkX 3.6 does.
    """
    n = len(indptr) - 1
    total = np.zeros(n)
    _betweenness(
        indptr,
        indices,
        weight,
        sources,
        endpoints,
        total,
        np.full(n, np.inf),
        np.zeros(n, dtype=np.bool_),
        np.zeros(n),
        np.zeros(n),
        np.empty(n, dtype=np.int32),
        np.full(n, -1, dtype=np.int64),
        np.empty(len(indices), dtype=np.int64),
        np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr)),
        *_empty_heap(indices),
    )
    return total


@kernel(
    *(I64, I32, F64, I64, flag, W_F64, W_F64, W_B, W_F64, W_F64, W_I32),
    *(W_I64, W_I64, W_I32, W_F64, W_I64, W_I64),
    work=_heaps,
)
def _betweenness(  # type: ignore[no-untyped-def]
    indptr,
    indices,
    weight,
    sources,
    endpoints,
    total,
    distance,
    done,
    paths,
    dependency,
    order,
    last,
    before,
    tail,
    keys,
    counts,
    nodes,
):
    # The ways into a row are a list of slots from ``last`` on; ``tail`` is the row a slot stands in.
    for s in sources:
        distance[s] = 0.0
        paths[s] = 1.0
        size = push(keys, counts, nodes, 0, 0.0, 0, -1)
        pushed = 1
        settled = 0
        while size > 0:
            came = nodes[0]
            size = pop(keys, counts, nodes, size)
            u = s if came < 0 else indices[came]
            if done[u]:
                continue
            done[u] = True
            paths[u] += paths[s] if came < 0 else paths[tail[came]]
            order[settled] = u
            settled += 1
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                way = distance[u] + weight[slot]
                if not done[v] and way < distance[v]:
                    distance[v] = way
                    size = push(keys, counts, nodes, size, way, pushed, slot)
                    pushed += 1
                    paths[v] = 0.0
                    last[v] = slot
                    before[slot] = -1
                elif way == distance[v]:
                    paths[v] += paths[u]
                    before[slot] = last[v]
                    last[v] = slot
        if endpoints:
            total[s] += settled - 1
        for i in range(settled - 1, -1, -1):
            u = order[i]
            share = (1.0 + dependency[u]) / paths[u]
            slot = last[u]
            while slot >= 0:
                v = tail[slot]
                dependency[v] += paths[v] * share
                slot = before[slot]
            if u != s:
                total[u] += dependency[u]
                if endpoints:
                    total[u] += 1.0
        for i in range(settled):
            u = order[i]
            distance[u] = np.inf
            done[u] = False
            paths[u] = 0.0
            dependency[u] = 0.0
            last[u] = -1
