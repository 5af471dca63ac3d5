"""The three passes of Leiden: move, refine, aggregate.

What belongs here: passes over one level's rows, for modularity with a resolution.
What does not: the order of passes, stopping, labels (`htx_pipeline.graph.leiden`).

A row lists each neighbour once and may list the node itself once; ``strength`` is the sum of a row's
weights with the self-loop counted twice, and ``whole`` is the sum of all strengths.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917
from __future__ import annotations

import numpy as np

from htx_pipeline.graph.kernels.jit import F64, I32, I64, W_I32, f64, i64, kernel


@kernel(i64, i64)
def shuffled(n, seed):  # type: ignore[no-untyped-def]
    """Return 0..n-1 in an order that depends on the seed alone (Fisher–Yates on xorshift64*)."""
    order = np.arange(n).astype(np.int32)
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
    for i in range(n - 1, 0, -1):
        state ^= state >> np.uint64(12)
        state ^= state << np.uint64(25)
        state ^= state >> np.uint64(27)
        drawn = (state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)
        j = np.int64(drawn) % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order


@kernel(I64, I32, F64)
def strengths(indptr, indices, weight):  # type: ignore[no-untyped-def]
    """Return each row's strength, self-loops twice."""
    n = len(indptr) - 1
    strength = np.zeros(n, dtype=np.float64)
    for u in range(n):
        total = 0.0
        for slot in range(indptr[u], indptr[u + 1]):
            total += weight[slot]
            if indices[slot] == u:
                total += weight[slot]
        strength[u] = total
    return strength


@kernel(I64, I32, F64, F64, W_I32, I32, f64)
def move(indptr, indices, weight, strength, community, order, scale):  # type: ignore[no-untyped-def]
    """Move nodes to the community of the largest gain until none wants to; return the moves.

    The gain of node u in community c is w(u, c) - scale·k(u)·K(c), scale = resolution / whole. A node
    stays where it is unless another place is better; of equals the smaller number wins. Nodes wait in
    a queue that starts with ``order``.
    """
    n = len(indptr) - 1
    total = np.zeros(n, dtype=np.float64)
    size = np.zeros(n, dtype=np.int32)
    for u in range(n):
        total[community[u]] += strength[u]
        size[community[u]] += 1
    empty = np.empty(n + 1, dtype=np.int32)
    empties = 0
    for c in range(n - 1, -1, -1):
        if size[c] == 0:
            empty[empties] = c
            empties += 1
    toward = np.zeros(n, dtype=np.float64)
    near = np.empty(n, dtype=np.int32)
    queue = order.copy()
    waits = np.ones(n, dtype=np.bool_)
    head = 0
    waiting = n
    moves = 0
    while waiting > 0:
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
        best = stay + 1e-12 * strength[u]
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


@kernel(I64, I32, F64, F64, I32, I32, f64)
def refine(indptr, indices, weight, strength, community, order, scale):  # type: ignore[no-untyped-def]
    """Return communities within communities: each grown node by node from well-joined singletons.

    Traag, Waltman & van Eck (2019), with the largest gain in place of a random one.
    """
    n = len(indptr) - 1
    whole = np.zeros(n, dtype=np.float64)
    cut = np.zeros(n, dtype=np.float64)
    for u in range(n):
        c = community[u]
        whole[c] += strength[u]
        out = 0.0
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if v != u and community[v] == c:
                out += weight[slot]
        cut[u] = out
    part = np.arange(n).astype(np.int32)
    total = strength.copy()
    alone = np.ones(n, dtype=np.bool_)
    toward = np.zeros(n, dtype=np.float64)
    near = np.empty(n, dtype=np.int32)
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
    return part


@kernel(W_I32)
def compact(label):  # type: ignore[no-untyped-def]
    """Renumber labels 0.. in order of first appearance, in place; return how many there are."""
    n = len(label)
    name = np.full(n, -1, dtype=np.int32)
    count = 0
    for u in range(n):
        c = label[u]
        if name[c] < 0:
            name[c] = count
            count += 1
        label[u] = name[c]
    return count


@kernel(I64, I32, F64, I32, i64)
def aggregate(indptr, indices, weight, part, parts):  # type: ignore[no-untyped-def]
    """Return the rows among parts; what lies within a part becomes its self-loop."""
    n = len(indptr) - 1
    first = np.zeros(parts + 1, dtype=np.int64)
    for u in range(n):
        first[part[u] + 1] += 1
    for p in range(parts):
        first[p + 1] += first[p]
    member = np.empty(n, dtype=np.int32)
    cursor = first[:-1].copy()
    for u in range(n):
        p = part[u]
        member[cursor[p]] = u
        cursor[p] += 1
    out_ptr = np.zeros(parts + 1, dtype=np.int64)
    out_idx = np.empty(len(indices) + parts, dtype=np.int32)
    out_val = np.empty(len(indices) + parts, dtype=np.float64)
    place = np.full(parts, -1, dtype=np.int64)
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
    return out_ptr, out_idx[:k].copy(), out_val[:k].copy()


@kernel(I64, I32, F64, F64, I32, i64, f64)
def quality(indptr, indices, weight, strength, community, count, resolution):  # type: ignore[no-untyped-def]
    """Return modularity (Newman & Girvan 2004) with a resolution."""
    n = len(indptr) - 1
    total = np.zeros(count, dtype=np.float64)
    whole = 0.0
    inside = 0.0
    for u in range(n):
        c = community[u]
        total[c] += strength[u]
        whole += strength[u]
        for slot in range(indptr[u], indptr[u + 1]):
            v = indices[slot]
            if community[v] == c:
                inside += 2.0 * weight[slot] if v == u else weight[slot]
    if whole == 0.0:
        return np.nan
    chance = 0.0
    for c in range(count):
        chance += (total[c] / whole) ** 2
    return inside / whole - resolution * chance
