"""Walking the graph: components, levels, distances, betweenness, topological order.

What belongs here: breadth-first searches over rows.
What does not: searches by weight (`weighted`), depth-first structure (`cuts`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph.kernels.jit import (
    I32,
    I64,
    W_B,
    W_F64,
    W_I32,
    W_I64,
    Ids,
    Ptr,
    flag,
    i64,
    kernel,
)


def _once(source: Any, target: Any, parent: Any, *_: Any) -> float:
    return float(len(source) + len(parent))


def _from_each(indptr: Any, indices: Any, sources: Any, *_: Any) -> float:
    return 2.0 * len(sources) * (len(indptr) + len(indices))


def components(n: int, source: Ids, target: Ids) -> tuple[Ids, int]:
    """Return (label, count) of the weak components, numbered by their smallest row.

    Union-find in which the smaller row is always the root.
    """
    label = np.empty(n, dtype=np.int32)
    return label, int(_components(source, target, np.arange(n, dtype=np.int32), label))


@kernel(I32, I32, W_I32, W_I32, work=_once)
def _components(source, target, parent, label):  # type: ignore[no-untyped-def]
    for e in range(len(source)):
        a = source[e]
        b = target[e]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    count = 0
    for u in range(len(parent)):
        root = parent[u]
        if root == u:
            label[u] = count
            count += 1
        else:
            # A root is smaller than its members, so its label is known; halve the path on the way.
            while parent[root] != root:
                root = parent[root]
            parent[u] = root
            label[u] = label[root]
    return count


def levels(indptr: Ptr, indices: Ids, sources: Ptr, cutoff: int) -> tuple[Ptr, Ptr]:
    """Return (order, distance): rows reached from the sources, and hops to each row (-1 if none)."""
    n = len(indptr) - 1
    order, distance = np.empty(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    reached = _levels(indptr, indices, sources, int(cutoff), order, distance)
    return order[:reached].copy(), distance


@kernel(I64, I32, I64, i64, W_I64, W_I64)
def _levels(indptr, indices, sources, cutoff, order, distance):  # type: ignore[no-untyped-def]
    tail = 0
    for s in sources:
        if distance[s] < 0:
            distance[s] = 0
            order[tail] = s
            tail += 1
    head = 0
    while head < tail:
        u = order[head]
        head += 1
        if distance[u] >= cutoff:
            break
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if distance[v] < 0:
                distance[v] = distance[u] + 1
                order[tail] = v
                tail += 1
    return tail


def betweenness(indptr: Ptr, indices: Ids, sources: Ptr, endpoints: bool) -> NDArray[np.float64]:
    """Return each row's dependency summed over the sources (Brandes 2001), unscaled."""
    n = len(indptr) - 1
    total, paths, dependency = (np.zeros(n, dtype=np.float64) for _ in range(3))
    distance, order = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32)
    _betweenness(indptr, indices, sources, endpoints, total, distance, paths, dependency, order)
    return total


@kernel(I64, I32, I64, flag, W_F64, W_I32, W_F64, W_F64, W_I32, work=_from_each)
def _betweenness(  # type: ignore[no-untyped-def]
    indptr, indices, sources, endpoints, total, distance, paths, dependency, order
):
    for s in sources:
        distance[s] = 0
        paths[s] = 1.0
        order[0] = s
        head = 0
        tail = 1
        while head < tail:
            u = order[head]
            head += 1
            du = distance[u]
            pu = paths[u]
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                dv = distance[v]
                if dv < 0:
                    dv = du + 1
                    distance[v] = dv
                    order[tail] = v
                    tail += 1
                if dv == du + 1:
                    paths[v] += pu
        if endpoints:
            total[s] += tail - 1
        for i in range(tail - 1, -1, -1):
            u = order[i]
            du = distance[u]
            share = 0.0
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                if distance[v] == du + 1:
                    share += (1.0 + dependency[v]) / paths[v]
            dependency[u] = paths[u] * share
            if u != s:
                total[u] += dependency[u]
                if endpoints:
                    total[u] += 1.0
        for i in range(tail):
            u = order[i]
            distance[u] = -1
            paths[u] = 0.0
            dependency[u] = 0.0


def distance_sums(indptr: Ptr, indices: Ids, sources: Ptr) -> tuple[Ptr, Ptr, NDArray[np.float64]]:
    """Return (reached, sum of hops, sum of 1/hops) from each source; reached counts the source."""
    n, k = len(indptr) - 1, len(sources)
    reached, hops = np.empty(k, dtype=np.int64), np.empty(k, dtype=np.int64)
    inverse = np.empty(k, dtype=np.float64)
    distance, order = np.full(n, -1, dtype=np.int32), np.empty(n, dtype=np.int32)
    _distance_sums(indptr, indices, sources, reached, hops, inverse, distance, order)
    return reached, hops, inverse


@kernel(I64, I32, I64, W_I64, W_I64, W_F64, W_I32, W_I32, work=_from_each)
def _distance_sums(  # type: ignore[no-untyped-def]
    indptr, indices, sources, reached, hops, inverse, distance, order
):
    for i in range(len(sources)):
        s = sources[i]
        distance[s] = 0
        order[0] = s
        head = 0
        tail = 1
        total = 0
        harmonic = 0.0
        while head < tail:
            u = order[head]
            head += 1
            du = distance[u]
            if du > 0:
                total += du
                harmonic += 1.0 / du
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                if distance[v] < 0:
                    distance[v] = du + 1
                    order[tail] = v
                    tail += 1
        reached[i] = tail
        hops[i] = total
        inverse[i] = harmonic
        for j in range(tail):
            distance[order[j]] = -1


def generations(indptr: Ptr, indices: Ids) -> tuple[Ptr, Ptr]:
    """Return (order, level): Kahn's order, shorter than n on a cycle, and longest way from a source.

    A row within or behind a cycle has level -1.
    """
    n = len(indptr) - 1
    waiting = np.bincount(indices, minlength=n).astype(np.int64)
    order, level = np.empty(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    reached = _generations(indptr, indices, waiting, order, level)
    return order[:reached].copy(), level


@kernel(I64, I32, W_I64, W_I64, W_I64)
def _generations(indptr, indices, waiting, order, level):  # type: ignore[no-untyped-def]
    n = len(indptr) - 1
    tail = 0
    for u in range(n):
        if waiting[u] == 0:
            level[u] = 0
            order[tail] = u
            tail += 1
    head = 0
    while head < tail:
        u = order[head]
        head += 1
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            waiting[v] -= 1
            if waiting[v] == 0:
                level[v] = level[u] + 1
                order[tail] = v
                tail += 1
    return tail


def reach(indptr: Ptr, indices: Ids, seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask of rows that can be reached from the seed rows, themselves included."""
    found = seed.copy()
    stack = np.empty(len(seed), dtype=np.int32)
    first = np.flatnonzero(seed)
    stack[: len(first)] = first
    _reach(indptr, indices, found, stack, len(first))
    return found


@kernel(I64, I32, W_B, W_I32, i64)
def _reach(indptr, indices, found, stack, size):  # type: ignore[no-untyped-def]
    while size > 0:
        size -= 1
        u = stack[size]
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if not found[v]:
                found[v] = True
                stack[size] = v
                size += 1


def giants(
    source: Ids, target: Ids, weight: Ptr, order: Ptr, ptr: Ptr, leaves: Ptr, steps: int
) -> tuple[Ptr, Ptr]:
    """Return (size, weight within) of the largest component at each step of an exit of rows.

    ``leaves[u]`` is the step from which row u is gone (``steps`` = never), and the edges in
    ``order[ptr[s] : ptr[s + 1]]`` are those that end with step s + 1; the last are never lost. Rows come
    back one step after another, so that each edge is joined once (Newman & Ziff 2001). Of components of
    one size the one with the smallest row counts.
    """
    n = len(leaves)
    sizes, weights = np.zeros(steps, dtype=np.int64), np.zeros(steps, dtype=np.int64)
    _giants(
        source,
        target,
        weight,
        order,
        ptr,
        leaves,
        np.arange(n, dtype=np.int32),
        np.ones(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        sizes,
        weights,
    )
    return sizes, weights


@kernel(I32, I32, I64, I64, I64, I64, W_I32, W_I64, W_I64, W_I64, W_I64)
def _giants(  # type: ignore[no-untyped-def]
    source, target, weight, order, ptr, leaves, parent, size, within, sizes, weights
):
    n = len(leaves)
    for step in range(len(sizes) - 1, -1, -1):
        for place in range(ptr[step], ptr[step + 1]):
            e = order[place]
            a = source[e]
            b = target[e]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a > b:
                a, b = b, a
            if a != b:
                parent[b] = a
                size[a] += size[b]
                within[a] += within[b]
            within[a] += weight[e]
        for u in range(n):
            if leaves[u] > step and parent[u] == u and size[u] > sizes[step]:
                sizes[step] = size[u]
                weights[step] = within[u]
