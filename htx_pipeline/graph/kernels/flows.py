"""Positions along the chain: linear equations over its components.

What belongs here: the sweep that solves x = 1 + P·x component by component.
What does not: how shares are set up (`htx_pipeline.graph.position`), losses that spread (`cascades`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from typing import Any

import numpy as np

from htx_pipeline.graph.kernels.jit import F64, I32, I64, W_F64, B, f64, i64, kernel


def _sweeps(indptr: Any, indices: Any, *_: Any) -> float:
    return 10.0 * (len(indptr) + len(indices))


@kernel(I64, I32, F64, I64, I64, i64, B, W_F64, i64, f64, work=_sweeps)
def sweep(indptr, indices, share, order, first, start, skip, x, sweeps, tol):  # type: ignore[no-untyped-def]
    """Solve x[u] = 1 + Σ share·x[v] by Gauss–Seidel, one component after the other, in place.

    Component c is ``order[first[c]:first[c + 1]]`` and leads only to itself and to components before
    it. Components are settled from ``start`` on, to a relative error of ``tol`` (estimated from the
    rate at which the changes shrink); the first that is not settled within ``sweeps`` sweeps is
    returned, or their number.
    """
    components = len(first) - 1
    for c in range(start, components):
        begin = first[c]
        end = first[c + 1]
        if skip[order[begin]]:
            continue
        previous = np.inf
        settled = False
        for _ in range(sweeps):
            change = 0.0
            largest = 0.0
            for i in range(begin, end):
                u = order[i]
                total = 1.0
                own = 0.0
                for slot in range(indptr[u], indptr[u + 1]):
                    v = indices[slot]
                    if v == u:
                        own += share[slot]
                    else:
                        total += share[slot] * x[v]
                total /= 1.0 - own
                change = max(change, abs(total - x[u]))
                largest = max(largest, total)
                x[u] = total
            if end - begin == 1 or change == 0.0:
                settled = True
                break
            rate = change / previous
            if previous < np.inf and rate < 1.0 and change * rate / (1.0 - rate) <= tol * largest:
                settled = True
                break
            previous = change
        if not settled:
            return c
    return components
