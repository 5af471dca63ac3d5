"""Maximum flow in residual capacities.

What belongs here: augmenting along shortest paths until none is left.
What does not: how arcs follow from edges (`htx_pipeline.graph.flow`).
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917
from __future__ import annotations

import math
from typing import Any

import numpy as np

from htx_pipeline.graph.kernels.jit import I32, I64, W_F64, W_I32, W_I64, i64, kernel


def _phases(indptr: Any, indices: Any, *_: Any) -> float:
    return 10.0 * (len(indptr) + len(indices) * math.log2(len(indices) + 2))


@kernel(I64, I32, I64, W_F64, i64, i64, W_I32, W_I64, W_I32, W_I64, W_F64, work=_phases)
def augment(indptr, indices, arc, free, source, target, level, cursor, queue, path, sent):  # type: ignore[no-untyped-def]
    """Return the value of a maximum flow by blocking flows over shortest paths (Dinic 1970).

    ``arc[slot]`` numbers the arc in a slot, and the arc against it is ``arc ^ 1``; ``free`` holds the
    capacities left, before and after; ``sent`` collects what edge ``arc // 2`` carries. In the end ``level`` is -1 where the source no longer leads.
    """
    n = len(indptr) - 1
    value = 0.0
    while True:
        for u in range(n):
            level[u] = -1
            cursor[u] = indptr[u]
        level[source] = 0
        queue[0] = source
        head = 0
        tail = 1
        while head < tail:
            u = queue[head]
            head += 1
            for slot in range(indptr[u], indptr[u + 1]):
                v = indices[slot]
                if level[v] < 0 and free[arc[slot]] > 0.0:
                    level[v] = level[u] + 1
                    queue[tail] = v
                    tail += 1
        if level[target] < 0:
            return value
        # Walk along the levels; ``path`` holds the slots from the source to u.
        u = source
        length = 0
        while True:
            if u == target:
                least = np.inf
                for i in range(length):
                    least = min(least, free[arc[path[i]]])
                first = length
                for i in range(length - 1, -1, -1):
                    a = arc[path[i]]
                    free[a] -= least
                    free[a ^ 1] += least
                    if a & 1:
                        sent[a >> 1] -= least
                    else:
                        sent[a >> 1] += least
                    if free[a] <= 0.0:
                        first = i
                value += least
                # Go on from the tail of the first arc that is full.
                length = first
                u = indices[path[length - 1]] if length > 0 else source
                continue
            found = False
            while cursor[u] < indptr[u + 1]:
                slot = cursor[u]
                v = indices[slot]
                if level[v] == level[u] + 1 and free[arc[slot]] > 0.0:
                    found = True
                    path[length] = slot
                    length += 1
                    u = v
                    break
                cursor[u] += 1
            if found:
                continue
            if length == 0:
                break
            # A dead end: no arc leads here again in this phase.
            level[u] = -1
            length -= 1
            u = indices[path[length - 1]] if length > 0 else source
            cursor[u] += 1
