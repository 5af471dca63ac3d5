"""Quantities that run along the chain: PageRank, positions (linear equations) and cascades of losses.

What belongs here: passing on by shares until it settles, the sweep that solves x = 1 + P·x component
by component, and the cascade of Diem et al. from each of many organisations.
What does not: how shares, sectors and production functions are set up (`htx_pipeline.graph.position`,
`htx_pipeline.graph.esri`).
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917
from __future__ import annotations

import math
from typing import Any, Final

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
    B,
    Ids,
    f64,
    helper,
    i64,
    kernel,
)

Values = NDArray[np.float64]

_SWEEPS: Final = 100_000
"""Sweeps over one component of sales at most."""
_ROUNDING: Final = 1e-15
"""A change of a share that is rounding."""
_CORRECTED: Final = 1_000
"""Sweeps that are followed by a correction."""


def _steps_of_pagerank(*args: Any) -> float:
    tail, x = args[0], args[8]
    return 20.0 * (len(tail) + 3 * len(x))


def _sweeps(indptr: Any, indices: Any, *_: Any) -> float:
    return 3.0 * (len(indptr) + len(indices))


def _cascades(*args: Any) -> float:
    out_idx, shocked = args[1], args[21]
    return 10.0 * len(shocked) * math.sqrt(len(out_idx) + 1)


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


@helper
def settle_ring(sell_ptr, sell_idx, sold, order, begin, end, leak, mass, held, x, tol):  # type: ignore[no-untyped-def]
    """Solve x[u] = Σ sold·x[v] in place for one component; return the sweeps.

    ``x[held]`` is given, where it belongs to the component (else ``held`` is -1).

    Gauss–Seidel alone needs as many sweeps as a dong takes to leave the ring. What it is slow at is
    one number, how much of everything is lost; after each sweep that number is set so that the
    residuals, weighted by ``mass``, cancel.
    """
    previous = np.inf
    for done in range(_SWEEPS):
        change = 0.0
        for i in range(begin, end):
            u = order[i]
            if u == held:
                continue
            total = 0.0
            own = 0.0
            for e in range(sell_ptr[u], sell_ptr[u + 1]):
                if sell_idx[e] == u:
                    own += sold[e]
                else:
                    total += sold[e] * x[sell_idx[e]]
            total /= 1.0 - own
            change = max(change, abs(total - x[u]))
            x[u] = total
        rate = change / previous
        is_near = done > 0 and rate < 1.0 and change * rate <= tol * (1.0 - rate)
        if change <= _ROUNDING or is_near:
            return done + 1
        previous = change
        if done >= _CORRECTED:
            continue
        residual = 0.0
        leaves = 0.0
        for i in range(begin, end):
            u = order[i]
            if u == held:
                continue
            short = -x[u]
            away = leak[u]
            for e in range(sell_ptr[u], sell_ptr[u + 1]):
                short += sold[e] * x[sell_idx[e]]
                if sell_idx[e] == held:
                    away += sold[e]
            residual += mass[u] * short
            leaves += mass[u] * away
        if leaves > 0.0:
            for i in range(begin, end):
                if order[i] != held:
                    x[order[i]] += residual / leaves
    return _SWEEPS


@helper
def sort_up(values, size):  # type: ignore[no-untyped-def]
    """Sort the first ``size`` numbers, ascending, in place (Shell 1959)."""
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, size):
            held = values[i]
            j = i
            while j >= gap and values[j - gap] > held:
                values[j] = values[j - gap]
                j -= gap
            values[j] = held
        gap //= 3


def cascade(*given: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (index, steps) of the loss that follows from losing each shocked node alone.

    ``given`` are the arguments of the kernel `_cascade` from ``out_ptr`` to ``tol``.
    """
    out_ptr, groups, sector_sales = given[0], given[4], given[10]
    first, shocked = given[17], given[21]
    n = len(out_ptr) - 1
    index, taken = np.empty(len(shocked)), np.empty(len(shocked), dtype=np.int64)
    _cascade(
        *given,
        *(np.zeros(n) for _ in range(4)),
        np.zeros(groups),
        np.zeros(len(sector_sales)),
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.zeros(len(first), dtype=np.bool_),
        np.empty(len(first), dtype=np.int64),
        index,
        taken,
    )
    return index, taken


@kernel(
    I64, I32, F64, I64, i64, I64, I32, F64, I32, F64, F64, F64,
    I64, I32, F64, I64, I64, I64, B, F64, F64, I64, i64, f64,
    W_F64, W_F64, W_F64, W_F64, W_F64, W_F64, W_I32, W_I32, W_B, W_I64, W_F64, W_I64, work=_cascades,
)  # fmt: skip
def _cascade(  # type: ignore[no-untyped-def]
    out_ptr,
    out_idx,
    down,
    group,
    groups,
    in_ptr,
    in_idx,
    up,
    sector,
    sales,
    sector_sales,
    importance,
    sell_ptr,
    sell_idx,
    sold,
    component,
    order,
    first,
    closed,
    leak,
    mass,
    shocked,
    steps,
    tol,
    loss,
    grown,
    passed,
    worst,
    pool,
    lost_sales,
    hit,
    reach,
    is_above,
    above,
    index,
    taken,
):
    """Write the loss that follows from losing each shocked node alone into ``index``.

    ``down[e]`` is the loss passed on by edge e per unit of its supplier's effective loss, collected in
    input group ``group[e]`` of its buyer; ``up[s]`` is the loss passed on to the supplier in slot s
    per unit of its buyer's loss. Losses only grow, so that each step passes on what is new. A change
    of ``tol`` or less waits until it has grown.

    Without a limit of steps (``steps`` negative) the way up, which is linear, is solved instead:
    component c of the sales ``sell_ptr, sell_idx, sold`` (no zeros) is ``order[first[c]:first[c + 1]]``
    and sells only to itself and to components before it; ``closed[c]``: to itself alone;
    ``leak[u]``: the share that u sells out of its component; ``mass``: see `settle_ring`.
    """
    for i in range(len(shocked)):
        j = shocked[i]
        # Downstream: buyers of the lost node lack inputs.
        hits = 1
        hit[0] = j
        loss[j] = 1.0
        grown[j] = 1.0
        lost_sales[sector[j]] += sales[j]
        step = 0
        while step != steps:
            moved = False
            known = hits
            for h in range(known):
                u = hit[h]
                left = sector_sales[sector[u]] - lost_sales[sector[u]]
                # The share of the market decides how hard a supplier is to replace.
                share = 1.0 if left <= sales[u] else sales[u] / left
                fresh = share * loss[u] - passed[u]
                if fresh <= tol:
                    continue
                moved = True
                passed[u] += fresh
                for e in range(out_ptr[u], out_ptr[u + 1]):
                    v = out_idx[e]
                    g = group[e]
                    pool[g] += fresh * down[e]
                    if pool[g] > grown[v]:
                        if grown[v] == 0.0:
                            hit[hits] = v
                            hits += 1
                        grown[v] = min(pool[g], 1.0)
            if not moved:
                break
            step += 1
            for h in range(hits):
                u = hit[h]
                if grown[u] > loss[u]:
                    lost_sales[sector[u]] += sales[u] * (grown[u] - loss[u])
                    loss[u] = grown[u]
        total_steps = step
        reached = 0
        for h in range(hits):
            u = hit[h]
            worst[u] = loss[u]
            reach[reached] = u
            reached += 1
            lost_sales[sector[u]] = 0.0
            for e in range(out_ptr[u], out_ptr[u + 1]):
                pool[group[e]] = 0.0
        for h in range(hits):
            u = hit[h]
            loss[u] = 0.0
            grown[u] = 0.0
            passed[u] = 0.0
        # Upstream: suppliers of the lost node lack sales.
        hits = 1
        hit[0] = j
        grown[j] = 1.0
        loss[j] = 1.0
        step = 0
        if steps < 0:
            # Who reaches the lost node, does so with its whole component.
            own = component[j]
            is_above[own] = True
            above[0] = own
            found = 1
            at = 0
            while at < found:
                c = above[at]
                at += 1
                for k in range(first[c], first[c + 1]):
                    u = order[k]
                    for s in range(in_ptr[u], in_ptr[u + 1]):
                        far = component[in_idx[s]]
                        if up[s] > 0.0 and not is_above[far]:
                            is_above[far] = True
                            above[found] = far
                            found += 1
            sort_up(above, found)
            for at in range(found):
                c = above[at]
                is_above[c] = False
                begin = first[c]
                end = first[c + 1]
                for k in range(begin, end):
                    if order[k] != j:
                        hit[hits] = order[k]
                        hits += 1
                if c == own and closed[c]:
                    for k in range(begin, end):
                        loss[order[k]] = 1.0
                elif c != own or end - begin > 1:
                    held = j if c == own else -1
                    swept = settle_ring(
                        sell_ptr, sell_idx, sold, order, begin, end, leak, mass, held, loss, tol
                    )
                    step = max(step, swept)
            for h in range(hits):
                loss[hit[h]] = min(max(loss[hit[h]], 0.0), 1.0)
        while step < steps:
            moved = False
            known = hits
            for h in range(known):
                u = hit[h]
                fresh = loss[u] - passed[u]
                if fresh <= tol:
                    continue
                moved = True
                passed[u] += fresh
                for s in range(in_ptr[u], in_ptr[u + 1]):
                    v = in_idx[s]
                    more = fresh * up[s]
                    if v == j or more == 0.0:
                        continue
                    if grown[v] == 0.0:
                        hit[hits] = v
                        hits += 1
                    grown[v] += more
            if not moved:
                break
            step += 1
            for h in range(hits):
                u = hit[h]
                loss[u] = min(grown[u], 1.0)
        taken[i] = max(total_steps, step)
        for h in range(hits):
            u = hit[h]
            if worst[u] == 0.0:
                reach[reached] = u
                reached += 1
            worst[u] = max(worst[u], loss[u])
            loss[u] = 0.0
            grown[u] = 0.0
            passed[u] = 0.0
        total = 0.0
        for h in range(reached):
            u = reach[h]
            total += importance[u] * worst[u]
            worst[u] = 0.0
        index[i] = total
