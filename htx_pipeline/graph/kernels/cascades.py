"""Losses that spread: the cascade of Diem et al. (2022) from each of many organisations.

What belongs here: the way down (buyers lack inputs), the way up (suppliers lack sales), what all that is
lost weighs.
What does not: how shares, sectors, production functions and components are set up
(`htx_pipeline.graph.esri`).

The way up is linear. Who stands above the ring (the strong component) of the failing organisation buys
nothing that was lost, so what is lost there follows from what the ring loses, by weights that are worked
out once for all failures (`lift`): a cascade goes through its own ring only.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917
from __future__ import annotations

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
    f64,
    flag,
    helper,
    i64,
    kernel,
)

_SWEEPS: Final = 100_000
"""Sweeps over one component of sales at most."""
_ROUNDING: Final = 1e-15
"""A change of a share that is rounding."""
_CORRECTED: Final = 1_000
"""Sweeps that are followed by a correction."""
_LIFTED: Final = 1e-13
"""Relative error to which weights are lifted."""
_SMALL_RING: Final = 64
"""A ring of so many organisations is solved whatever the limit of steps."""


def _cascades(*args: Any) -> float:
    out_idx, sold, shocked, solves = args[1], args[14], args[21], args[23]
    # A ring is swept some twenty times.
    rings = 20.0 * len(sold) if solves else 0.0
    return float(len(shocked) * (2.0 * (len(out_idx) + 1) ** 0.75 + rings))


def lift(*given: Any) -> NDArray[np.float64]:
    """Add to each node's weight what is lost above its ring per unit that it loses, in place.

    Return what a node would lose suppliers, itself included, if a dong could come through it more than
    once: no less than what they lose by its failure. In a closed ring, all of the ring.

    Component c is ``order[first[c]:first[c + 1]]`` and sells only to itself and to components before it;
    ``sold``: share of its sales along each edge out; ``in_ptr, in_idx, up``: suppliers within the
    component and those shares; ``leak``: share sold out of the component; the weights come last.
    """
    through = np.zeros(len(given[-1]))
    _lift(*given, through)
    return through


@kernel(I64, I32, F64, I64, I64, I64, B, I64, I32, F64, F64, W_F64, W_F64)
def _lift(  # type: ignore[no-untyped-def]
    out_ptr,
    out_idx,
    sold,
    component,
    order,
    first,
    closed,
    in_ptr,
    in_idx,
    up,
    leak,
    lifted,
    through,
):
    for c in range(len(first) - 2, -1, -1):
        begin = first[c]
        end = first[c + 1]
        given = 0.0
        for k in range(begin, end):
            through[order[k]] = lifted[order[k]]
            given += lifted[order[k]]
        if closed[c]:
            for k in range(begin, end):
                through[order[k]] = given
            continue
        if given == 0.0:
            continue
        previous = np.inf
        for _ in range(_SWEEPS):
            change = 0.0
            largest = 0.0
            leaves = 0.0
            for k in range(begin, end):
                v = order[k]
                total = lifted[v]
                own = 0.0
                for s in range(in_ptr[v], in_ptr[v + 1]):
                    if in_idx[s] == v:
                        own += up[s]
                    else:
                        total += up[s] * through[in_idx[s]]
                total /= 1.0 - own
                change = max(change, abs(total - through[v]))
                largest = max(largest, total)
                through[v] = total
                leaves += total * leak[v]
            if end - begin == 1:
                break
            # All that enters a ring leaves it; what sweeps are slow at is how often it goes round.
            if leaves > 0.0:
                for k in range(begin, end):
                    through[order[k]] *= given / leaves
            rate = change / previous
            is_near = 0.0 < rate < 1.0 and change * rate <= _LIFTED * largest * (1.0 - rate)
            if change <= _ROUNDING * largest or is_near:
                break
            previous = change
        for k in range(begin, end):
            u = order[k]
            for e in range(out_ptr[u], out_ptr[u + 1]):
                if component[out_idx[e]] != c:
                    lifted[out_idx[e]] += through[u] * sold[e]


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
def descend(  # type: ignore[no-untyped-def]
    out_ptr,
    out_idx,
    down,
    group,
    offset,
    sector,
    sales,
    sector_sales,
    j,
    steps,
    tol,
    loss,
    grown,
    passed,
    pool,
    lost_sales,
    hit,
):
    """Let the loss of j run down to buyers; return (nodes hit, steps, whether it came to rest).

    The nodes are ``hit[:hits]``, their losses ``loss``; whatever else was written is zero again. Losses
    only grow, so that each step passes on what is new. A change of ``tol`` or less waits until it has
    grown.
    """
    hits = 1
    hit[0] = j
    loss[j] = 1.0
    grown[j] = 1.0
    lost_sales[sector[j]] += sales[j]
    step = 0
    rests = False
    while step != steps:
        moved = False
        known = hits
        for h in range(known):
            u = hit[h]
            if out_ptr[u] == out_ptr[u + 1]:
                continue
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
                g = group[offset + e]
                pool[g] += fresh * down[offset + e]
                if pool[g] > grown[v]:
                    if grown[v] == 0.0:
                        hit[hits] = v
                        hits += 1
                    grown[v] = min(pool[g], 1.0)
        if not moved:
            rests = True
            break
        step += 1
        for h in range(hits):
            u = hit[h]
            if grown[u] > loss[u]:
                lost_sales[sector[u]] += sales[u] * (grown[u] - loss[u])
                loss[u] = grown[u]
    for h in range(hits):
        u = hit[h]
        lost_sales[sector[u]] = 0.0
        grown[u] = 0.0
        passed[u] = 0.0
        for e in range(out_ptr[u], out_ptr[u + 1]):
            pool[group[offset + e]] = 0.0
    return hits, step, rests


def cascade(*given: Any) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return (figures, steps, rests) of the loss that follows from losing each shocked node alone.

    ``given`` are the arguments of the kernel `_cascade` from ``out_ptr`` to ``tol``.

    Production p is ``down[p·m + e]``, the loss passed on by edge e per unit of its supplier's effective
    loss, collected in input group ``group[p·m + e]`` of its buyer. Figure k weighs the losses under
    ``production[k]`` by ``weights[k·n + u]``, and those above the own ring by what is in ``lifted``
    besides (see `lift`). The figures of a node stand side by side.

    With a limit of steps (``steps`` not negative) the way down is cut short, and the figure too small. The
    way up, which is linear, is solved; without ``solves``, only in rings of a few organisations, and in
    others ``through`` (see `lift`) stands for it, which is too much. ``rests`` says where neither was so.

    Component c is ``order[first[c]:first[c + 1]]``; ``closed[c]``: it sells to itself alone; ``sell_ptr,
    sell_idx, sold``: sales within components; ``leak``, ``mass``: see `settle_ring`.
    """
    out_ptr, out_idx, down, _, groups, _, _, sector_sales = given[:8]
    production, shocked = given[17], given[21]
    n, productions = len(out_ptr) - 1, len(down) // max(len(out_idx), 1)
    found = np.zeros(len(shocked) * len(production))
    taken, rests = np.zeros(len(shocked), dtype=np.int64), np.ones(len(shocked), dtype=np.bool_)
    _cascade(
        *given,
        *(np.zeros(n) for _ in range(3)),
        np.zeros(groups),
        np.zeros(len(sector_sales)),
        np.empty(n, dtype=np.int32),
        np.zeros(productions * n),
        np.empty(productions * n, dtype=np.int32),
        np.zeros(productions, dtype=np.int64),
        found,
        taken,
        rests,
    )
    return found, taken, rests


@kernel(
    I64, I32, F64, I64, i64, I32, F64, F64,
    I64, I64, I64, B, I64, I32, F64, F64, F64,
    I64, F64, F64, F64, I64, i64, flag, f64,
    W_F64, W_F64, W_F64, W_F64, W_F64, W_I32, W_F64, W_I32, W_I64, W_F64, W_I64, W_B, work=_cascades,
)  # fmt: skip
def _cascade(  # type: ignore[no-untyped-def]
    out_ptr,
    out_idx,
    down,
    group,
    groups,
    sector,
    sales,
    sector_sales,
    component,
    order,
    first,
    closed,
    sell_ptr,
    sell_idx,
    sold,
    leak,
    mass,
    production,
    weights,
    lifted,
    through,
    shocked,
    steps,
    solves,
    tol,
    loss,
    grown,
    passed,
    pool,
    lost_sales,
    hit,
    worst,
    reach,
    reached,
    found,
    taken,
    rests,
):
    n = len(out_ptr) - 1
    edges = len(out_idx)
    productions = len(reached)
    figures = len(production)
    for i in range(len(shocked)):
        j = shocked[i]
        for p in range(productions):
            hits, step, done = descend(
                out_ptr, out_idx, down, group, p * edges, sector, sales, sector_sales, j, steps, tol,
                loss, grown, passed, pool, lost_sales, hit,
            )  # fmt: skip
            taken[i] = max(taken[i], step)
            rests[i] = rests[i] and done
            reached[p] = hits
            for h in range(hits):
                u = hit[h]
                reach[p * n + h] = u
                worst[p * n + u] = loss[u]
                loss[u] = 0.0
        own = component[j]
        begin = first[own]
        end = first[own + 1]
        hits = 1
        hit[0] = j
        loss[j] = 1.0
        is_solved = True
        if end - begin > 1 and not closed[own]:
            is_solved = solves or end - begin <= _SMALL_RING
            rests[i] = rests[i] and is_solved
        if end - begin > 1 and not closed[own] and is_solved:
            for k in range(begin, end):
                u = order[k]
                if u != j:
                    hit[hits] = u
                    hits += 1
            step = settle_ring(
                sell_ptr, sell_idx, sold, order, begin, end, leak, mass, j, loss, tol
            )
            taken[i] = max(taken[i], step)
            for h in range(hits):
                loss[hit[h]] = min(max(loss[hit[h]], 0.0), 1.0)
        if closed[own]:
            rests[i] = True
        for k in range(figures):
            p = production[k]
            total = 0.0
            if closed[own]:
                # All of the ring is lost, and it sells nothing outside.
                total = through[k * n + j]
            else:
                for h in range(hits):
                    u = hit[h]
                    if loss[u] > 0.0:
                        weight = weights[k * n + u]
                        total += weight * max(worst[p * n + u], loss[u])
                        total += (lifted[k * n + u] - weight) * loss[u]
                for h in range(reached[p]):
                    u = reach[p * n + h]
                    if loss[u] == 0.0:
                        total += weights[k * n + u] * worst[p * n + u]
                if not is_solved:
                    total += through[k * n + j] - lifted[k * n + j]
            found[i * figures + k] = total
        for h in range(hits):
            loss[hit[h]] = 0.0
        for p in range(productions):
            for h in range(reached[p]):
                worst[p * n + reach[p * n + h]] = 0.0
