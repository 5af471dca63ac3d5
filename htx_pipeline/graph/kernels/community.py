"""The three passes of Leiden: move, refine, aggregate.

What belongs here: passes over one level's rows, for modularity with a resolution.
What does not: the order of passes, stopping, labels (`htx_pipeline.graph.leiden`).

A row lists each neighbour once and may list the node itself once; ``strength`` is the sum of a row's
weights with the self-loop counted twice, and ``whole`` is the sum of all strengths. Arrays are made
outside the kernels, which halves the time to compile them.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917
from __future__ import annotations

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
    f64,
    i64,
    kernel,
)

Level = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


def _walk(indptr: Any, indices: Any, *_: Any) -> float:
    return 4.0 * (len(indptr) + len(indices))


def shuffled(n: int, seed: int) -> NDArray[np.int32]:
    """Return 0..n-1 in an order that depends on the seed alone (sorted by SplitMix64 of the number)."""
    with np.errstate(over="ignore"):
        start = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
        key = start + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
    # No two keys are equal, so that every way of sorting gives the same order.
    return np.argsort(key).astype(np.int32)


def compact(label: NDArray[np.int32]) -> int:
    """Renumber labels 0.. in order of first appearance, in place; return how many there are."""
    n = len(label)
    first = np.full(int(label.max(initial=-1)) + 1, n, dtype=np.int32)
    # Of several values given to one place the last stays.
    first[label[::-1]] = np.arange(n - 1, -1, -1, dtype=np.int32)
    opens = np.zeros(n + 1, dtype=np.int32)
    opens[first] = 1
    name = np.cumsum(opens[:n], dtype=np.int32) - np.int32(1)
    label[:] = name[first[label]]
    return int(name[-1]) + 1 if n else 0


def strengths(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each row's strength, self-loops twice."""
    strength = np.empty(len(indptr) - 1)
    _strengths(indptr, indices, weight, strength)
    return strength


@kernel(I64, I32, F64, W_F64)
def _strengths(indptr, indices, weight, strength):  # type: ignore[no-untyped-def]
    for u in range(len(strength)):
        total = 0.0
        for slot in range(indptr[u], indptr[u + 1]):
            total += weight[slot]
            if indices[slot] == u:
                total += weight[slot]
        strength[u] = total


def move(
    rows: Level,
    strength: NDArray[np.float64],
    community: NDArray[np.int32],
    order: NDArray[np.int32],
    scale: float,
    *,
    visits: int,
    least: float,
) -> int:
    """Move nodes to the community of the largest gain, in place; return the moves.

    The gain of node u in community c is w(u, c) - scale·k(u)·K(c), scale = resolution / whole. A node
    stays where it is unless another place is better by ``least``·k(u); of equals the smaller number
    wins. Nodes wait in a queue that starts with ``order``; it ends when no node waits, or after so many
    visits.
    """
    n = len(strength)
    size = np.bincount(community, minlength=n).astype(np.int32)
    free = np.flatnonzero(size == 0)[::-1].astype(np.int32)
    empty = np.empty(n + 1, dtype=np.int32)
    empty[: len(free)] = free
    moves: int = _move(
        *rows,
        strength,
        community,
        order.copy(),
        np.ones(n, dtype=np.bool_),
        np.bincount(community, weights=strength, minlength=n),
        size,
        empty,
        len(free),
        np.zeros(n, dtype=np.float64),
        np.empty(n, dtype=np.int32),
        float(scale),
        int(visits),
        float(least),
    )
    return moves


@kernel(
    *(I64, I32, F64, F64, W_I32, W_I32, W_B, W_F64, W_I32, W_I32, i64, W_F64, W_I32, f64, i64, f64),
    work=_walk,
)
def _move(  # type: ignore[no-untyped-def]
    indptr,
    indices,
    weight,
    strength,
    community,
    queue,
    waits,
    total,
    size,
    empty,
    empties,
    toward,
    near,
    scale,
    visits,
    least,
):
    n = len(indptr) - 1
    head = 0
    waiting = n
    moves = 0
    while waiting > 0 and visits > 0:
        visits -= 1
        u = queue[head]
        head += 1
        if head == n:
            head = 0
        waiting -= 1
        waits[u] = False
        own = community[u]
        nears = 0
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if v != u:
                c = community[v]
                if toward[c] == 0.0:
                    near[nears] = c
                    nears += 1
                toward[c] += weight[slot]
        pull = scale * strength[u]
        stay = toward[own] - pull * (total[own] - strength[u])
        best = stay + least * strength[u]
        goal = own
        for i in range(nears):
            c = near[i]
            if c != own:
                gain = toward[c] - pull * total[c]
                if gain > best or (gain == best and goal != own and c < goal):
                    best = gain
                    goal = c
            toward[c] = 0.0
        if best < 0.0 and size[own] > 1 and empties > 0:
            empties -= 1
            goal = empty[empties]
        if goal == own:
            continue
        total[own] -= strength[u]
        size[own] -= 1
        if size[own] == 0:
            total[own] = 0.0
            empty[empties] = own
            empties += 1
        total[goal] += strength[u]
        size[goal] += 1
        community[u] = goal
        moves += 1
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if community[v] != goal and not waits[v]:
                waits[v] = True
                tail = head + waiting
                if tail >= n:
                    tail -= n
                queue[tail] = v
                waiting += 1
    return moves


def refine(
    rows: Level,
    strength: NDArray[np.float64],
    community: NDArray[np.int32],
    order: NDArray[np.int32],
    scale: float,
) -> NDArray[np.int32]:
    """Return communities within communities: each grown node by node from well-joined singletons.

    Traag, Waltman & van Eck (2019), with the largest gain in place of a random one.
    """
    n = len(strength)
    part = np.arange(n, dtype=np.int32)
    _refine(
        *rows,
        strength,
        community,
        order,
        np.bincount(community, weights=strength, minlength=n),
        np.zeros(n, dtype=np.float64),
        part,
        strength.copy(),
        np.ones(n, dtype=np.bool_),
        np.zeros(n, dtype=np.float64),
        np.empty(n, dtype=np.int32),
        float(scale),
    )
    return part


@kernel(
    *(I64, I32, F64, F64, I32, I32, F64, W_F64, W_I32, W_F64, W_B, W_F64, W_I32, f64),
    work=_walk,
)
def _refine(  # type: ignore[no-untyped-def]
    indptr,
    indices,
    weight,
    strength,
    community,
    order,
    whole,
    cut,
    part,
    total,
    alone,
    toward,
    near,
    scale,
):
    n = len(indptr) - 1
    for u in range(n):
        c = community[u]
        out = 0.0
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if v != u and community[v] == c:
                out += weight[slot]
        cut[u] = out
    for u in order:
        if not alone[u]:
            continue
        all_of = whole[community[u]]
        pull = scale * strength[u]
        out = cut[u]
        if out < pull * (all_of - strength[u]):
            continue
        c = community[u]
        nears = 0
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if v != u and community[v] == c:
                p = part[v]
                if toward[p] == 0.0:
                    near[nears] = p
                    nears += 1
                toward[p] += weight[slot]
        best = 0.0
        goal = u
        joined = 0.0
        for i in range(nears):
            p = near[i]
            gain = toward[p] - pull * total[p]
            if (gain > best or (gain == best and goal != u and p < goal)) and cut[
                p
            ] >= scale * total[p] * (all_of - total[p]):
                best = gain
                goal = p
                joined = toward[p]
            toward[p] = 0.0
        if goal != u:
            # A part is named after its first node, which from now on has company.
            part[u] = goal
            alone[goal] = False
            alone[u] = False
            total[goal] += strength[u]
            cut[goal] += out - 2.0 * joined


def aggregate(rows: Level, part: NDArray[np.int32], parts: int) -> Level:
    """Return the rows among parts; what lies within a part becomes its self-loop."""
    room = len(rows[1]) + parts
    indptr = np.zeros(parts + 1, dtype=np.int64)
    indices, weight = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.float64)
    first = np.zeros(parts + 1, dtype=np.int64)
    np.cumsum(np.bincount(part, minlength=parts), out=first[1:])
    member = np.empty(len(part), dtype=np.int32)
    place = np.full(parts, -1, dtype=np.int64)
    used = _aggregate(*rows, part, first, first[:-1].copy(), member, place, indptr, indices, weight)
    return indptr, indices[:used].copy(), weight[:used].copy()


@kernel(I64, I32, F64, I32, I64, W_I64, W_I32, W_I64, W_I64, W_I32, W_F64, work=_walk)
def _aggregate(  # type: ignore[no-untyped-def]
    indptr, indices, weight, part, first, cursor, member, place, out_ptr, out_idx, out_val
):
    for u in range(len(part)):
        p = part[u]
        member[cursor[p]] = u
        cursor[p] += 1
    parts = len(first) - 1
    k = 0
    for p in range(parts):
        begin = k
        within = 0.0
        for i in range(first[p], first[p + 1]):
            u = member[i]
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                q = part[v]
                if q == p:
                    # An inner edge is met from both ends, a self-loop once.
                    within += 2.0 * weight[slot] if v == u else weight[slot]
                elif place[q] < begin:
                    place[q] = k
                    out_idx[k] = q
                    out_val[k] = weight[slot]
                    k += 1
                else:
                    out_val[place[q]] += weight[slot]
        if within > 0.0:
            out_idx[k] = p
            out_val[k] = 0.5 * within
            k += 1
        out_ptr[p + 1] = k
    return k


def quality(
    rows: Level,
    strength: NDArray[np.float64],
    community: NDArray[np.int32],
    resolution: float,
) -> float:
    """Return modularity (Newman & Girvan 2004) with a resolution; NaN without weight."""
    total = np.bincount(community, weights=strength)
    whole = float(strength.sum())
    if whole == 0.0:
        return float("nan")
    return float(_inside(*rows, community)) / whole - resolution * float(
        np.square(total / whole).sum()
    )


@kernel(I64, I32, F64, I32)
def _inside(indptr, indices, weight, community):  # type: ignore[no-untyped-def]
    """Return twice the weight that lies within communities."""
    inside = 0.0
    for u in range(len(indptr) - 1):
        c = community[u]
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if community[v] == c:
                inside += 2.0 * weight[slot] if v == u else weight[slot]
    return inside


@kernel(I64, I32, F64, I32, W_I32, W_I32)
def connected(indptr, indices, weight, community, piece, stack):  # type: ignore[no-untyped-def]
    """Write the connected pieces of communities into ``piece`` (-1 before); return how many.

    Pieces are numbered by their smallest node; edges of weight 0 do not connect.
    """
    count = 0
    for root in range(len(indptr) - 1):
        if piece[root] >= 0:
            continue
        piece[root] = count
        stack[0] = root
        size = 1
        c = community[root]
        while size > 0:
            size -= 1
            u = stack[size]
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                if piece[v] < 0 and community[v] == c and weight[slot] > 0.0:
                    piece[v] = count
                    stack[size] = v
                    size += 1
        count += 1
    return count
