"""Quantities that run along the chain: PageRank and positions (linear equations over its components).

What belongs here: passing on by shares until it settles, and the sweep that solves x = 1 + P·x component
by component.
What does not: how shares are set up (`htx_pipeline.graph.position`), losses that spread (`cascades`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph.kernels.jit import F64, I32, I64, W_F64, B, Ids, f64, i64, kernel

Values = NDArray[np.float64]


def _steps_of_pagerank(*args: Any) -> float:
    tail, x = args[0], args[8]
    return 20.0 * (len(tail) + 3 * len(x))


def _sweeps(indptr: Any, indices: Any, *_: Any) -> float:
    return 3.0 * (len(indptr) + len(indices))


def _pagerank_in_bulk(
    tail: Ids,
    head: Ids,
    values: Values,
    sink: Values,
    home: Values,
    alpha: float,
    limit: float,
    steps: int,
    x: Values,
    y: Values,
    total: Values,
    share: Values,
) -> int:
    np.add.at(total, tail, values)
    share[:] = 0.0
    np.divide(alpha * values, total[tail], out=share, where=total[tail] != 0.0)
    is_end = total == 0.0
    for step in range(steps):
        stuck = _one_by_one(x[is_end])
        y[:] = alpha * stuck * sink + (1.0 - alpha) * home
        np.add.at(y, head, share * x[tail])
        change = _one_by_one(np.abs(y - x))
        x[:] = y
        if change < limit:
            return step + 1
    return 0


def _one_by_one(values: Values) -> float:
    """Return a sum taken from first to last, as a loop does."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0


@kernel(
    *(I32, I32, F64, F64, F64, f64, f64, i64, W_F64, W_F64, W_F64, W_F64),
    work=_steps_of_pagerank,
    stand_in=_pagerank_in_bulk,
)
def pagerank(tail, head, values, sink, home, alpha, limit, steps, x, y, total, share):  # type: ignore[no-untyped-def]
    """Turn x into PageRank; return the steps that took, 0 if ``steps`` were not enough.

    A row passes on alpha of its x by shares of its values (one without values by ``sink``), and the
    rest goes ``home``; the end is a step that changes less than ``limit`` in all. ``total`` is 0 before.
    """
    n = len(x)
    for e in range(len(tail)):
        total[tail[e]] += values[e]
    for e in range(len(tail)):
        whole = total[tail[e]]
        share[e] = alpha * values[e] / whole if whole != 0.0 else 0.0
    for step in range(steps):
        stuck = 0.0
        for u in range(n):
            if total[u] == 0.0:
                stuck += x[u]
        for u in range(n):
            y[u] = alpha * stuck * sink[u] + (1.0 - alpha) * home[u]
        for e in range(len(tail)):
            y[head[e]] += share[e] * x[tail[e]]
        change = 0.0
        for u in range(n):
            change += abs(y[u] - x[u])
            x[u] = y[u]
        if change < limit:
            return step + 1
    return 0


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
