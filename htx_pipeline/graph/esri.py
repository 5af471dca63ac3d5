"""The Economic Systemic Risk Index: what part of all output is lost if one organisation fails.

What belongs here: the set-up of Diem et al. (2022) from a graph, sectors and a matrix of essential
inputs; the exact index; a cheaper one with a stated error.
What does not: the cascade (`htx_pipeline.graph.kernels.flows`), tables, members' income
(`htx_pipeline.metrics`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph

Production = Literal["leontief", "linear"]
Progress = Callable[[int, int], None]

_PIECE: Final = 64
_NO_LIMIT: Final = -1
_MASS_STEPS: Final = 50


class Esri(NamedTuple):
    """The index per node and the largest number of steps a cascade took."""

    risk: NDArray[np.float64]
    steps: int


class ApproximateEsri(NamedTuple):
    """An index with bounds per node.

    ``low`` holds for certain; ``high`` holds for each node with probability ``confidence`` at least
    (over the draw of the sample); for nodes with ``is_exact`` all three are the exact index.
    """

    risk: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_exact: NDArray[np.bool_]
    confidence: float


class _Setup(NamedTuple):
    arguments: tuple[Any, ...]
    busy: NDArray[np.int64]
    alone: NDArray[np.float64]


def esri(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None = None,
    production: Production = "leontief",
    importance: NDArray[np.float64] | None = None,
    nodes: NDArray[np.int64] | None = None,
    tolerance: float = 1e-9,
    max_steps: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Esri:
    """Return the share of all output lost when each organisation alone fails.

    Definition: organisation j stops. Downstream, a buyer l loses
    D(l) = max( max over essential sectors k of Σ_{i in k} σ(i)·D(i)·z(i,l)/z(k,l),
    Σ_{i not essential} σ(i)·D(i)·z(i,l)/z(·,l) ), where z(k,l) is what l buys from sector k and
    σ(i) = min(1, s(i)/Σ_{m in i's sector} s(m)·(1-D(m))) is how hard i is to replace, s being sales.
    Upstream, a supplier i loses U(i) = Σ_l z(i,l)/s(i)·U(l). Both start from D(j) = U(j) = 1 and are
    repeated until nothing changes by more than ``tolerance``; ESRI(j) = Σ_i w(i)·max(D(i), U(i)),
    w = s/Σs.

    Parameters
    ----------
    graph, weight:
        Value sold by supplier to buyer (≥ 0).
    sector:
        Sector number 0..K-1 of each node: what it sells.
    essential:
        ``essential[k, q]``: organisations of sector q cannot produce without inputs from sector k.
        Default: all inputs are essential.
    production:
        ``leontief``: generalised Leontief, as above. ``linear``: no input is essential.
    importance:
        Weights w in place of output shares (members' income, say); taken as they are.
    nodes:
        Rows to fail, one at a time; default all.
    tolerance:
        Downstream, a change of this size or less is not passed on; upstream, losses are solved for to
        within it (`flows.settle_ring`).
    max_steps:
        Stop each cascade after so many steps; the result is then a lower bound.
    workers, progress:
        Threads (default: all processors), and a function of (done, total).

    Hazards: suppliers outside the graph, stocks and new contracts are left out, so it is the loss in
    the short run; sectors that are too fine make suppliers look irreplaceable.

    References
    ----------
    Diem, Borsos, Reisch, Kertész & Thurner (2022), doi:10.1038/s41598-022-11522-z.

    Examples
    --------
    Two farms sell equally to a mill; the mill cannot work without paddy.

    >>> graph = CSRGraph.from_arrays(
    ...     np.array([0, 1, 2]), np.array([2, 2, 3]), weight=np.array([1, 1, 2])
    ... )
    >>> esri(graph, sector=np.array([0, 0, 1, 2])).risk
    array([0.5, 0.5, 1. , 1. ])
    """
    setup = _set_up(graph, weight, sector, essential, production, importance)
    asked = np.arange(len(graph)) if nodes is None else np.asarray(nodes, dtype=np.int64)
    return _run(setup, asked, tolerance, max_steps, workers, progress)


def esri_approximate(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None = None,
    production: Production = "leontief",
    importance: NDArray[np.float64] | None = None,
    sample: int = 2_000,
    largest: int = 500,
    steps: int = 2,
    confidence: float = 0.95,
    tolerance: float = 1e-6,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ApproximateEsri:
    """Return the index from short cascades everywhere and full ones for a sample.

    Every organisation gets a cascade of ``steps`` steps, a lower bound. Full cascades are run for the
    ``largest`` lower bounds and for a random ``sample`` of the rest; the sample's ratios of full to
    short give the estimate (their median) and the bound (split conformal prediction: the
    ⌈(m+1)·confidence⌉-th smallest of m ratios). The bound therefore needs no model: a further
    organisation exceeds it with probability 1 - confidence at most.

    See `esri` for the other parameters. The ``risk`` of an organisation that was not run in full is
    its lower bound times the median ratio.

    References
    ----------
    Lei et al. (2018), doi:10.1080/01621459.2017.1307116 (split conformal prediction).
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}, not between 0 and 1.", code="esri_argument")
    setup = _set_up(graph, weight, sector, essential, production, importance)
    n = len(graph)
    everyone = np.arange(n)
    low = _run(setup, everyone, tolerance, steps, workers, progress).risk
    index, high = low.copy(), low.copy()
    exact = np.ones(n, dtype=bool)
    exact[setup.busy] = False
    ranked = setup.busy[np.lexsort((setup.busy, -low[setup.busy]))]
    top, rest = ranked[:largest], ranked[largest:]
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = np.sort(rng.choice(np.sort(rest), size=min(sample, len(rest)), replace=False))
    full = np.concatenate([top, drawn])
    index[full] = _run(setup, full, tolerance, None, workers, progress).risk
    high[full] = low[full] = index[full]
    exact[full] = True
    others = np.flatnonzero(~exact)
    if len(others):
        short = _run(setup, drawn, tolerance, steps, workers, None).risk
        ratio = np.sort(np.divide(index[drawn], short, out=np.ones(len(drawn)), where=short > 0))
        place = int(np.ceil((len(ratio) + 1) * confidence))
        limit = ratio[place - 1] if place <= len(ratio) else np.inf
        index[others] = np.minimum(low[others] * np.median(ratio), setup.alone.sum())
        high[others] = np.minimum(low[others] * limit, setup.alone.sum())
    return ApproximateEsri(index, low, high, exact, confidence)


def _run(
    setup: _Setup,
    asked: NDArray[np.int64],
    tolerance: float,
    max_steps: int | None,
    workers: int | None,
    progress: Progress | None,
) -> Esri:
    from htx_pipeline.graph.kernels import flows, parallel

    index = setup.alone[asked].copy()
    is_busy = np.zeros(len(setup.alone), dtype=bool)
    is_busy[setup.busy] = True
    places = np.flatnonzero(is_busy[asked])
    limit = _NO_LIMIT if max_steps is None else max_steps
    done = steps = 0
    for found, taken in parallel.pieces(
        lambda some: flows.cascade(*setup.arguments, some, limit, tolerance),
        asked[places],
        piece=_PIECE,
        workers=workers,
        progress=progress,
    ):
        index[places[done : done + len(found)]] = found
        done += len(found)
        steps = max(steps, int(taken.max(initial=0)))
    return Esri(index, steps)


def _set_up(
    graph: CSRGraph,
    weight: str | None,
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None,
    production: Production,
    importance: NDArray[np.float64] | None,
) -> _Setup:
    n = len(graph)
    sector = np.asarray(sector)
    if sector.shape != (n,) or (n and sector.min() < 0):
        raise InputError(
            f"sector must be {n} numbers of 0 or more, one per node.", code="esri_argument"
        )
    sectors = int(sector.max(initial=-1)) + 1
    if essential is None:
        essential = np.ones((sectors, sectors), dtype=bool)
    if min(essential.shape) < sectors:
        raise InputError(
            f"essential has shape {essential.shape}; there are {sectors} sectors.",
            code="esri_argument",
        )
    if production not in ("leontief", "linear"):
        raise InputError(
            f"production is {production!r}; choose leontief or linear.", code="esri_argument"
        )
    if not graph.is_directed():
        raise InputError("ESRI needs a directed graph.", code="esri_argument")
    value = graph.weights(weight).astype(np.float64, copy=False)
    if len(value) and (value.min() < 0 or not np.isfinite(value).all()):
        raise InputError("A value is negative or infinite.", code="esri_argument")
    tail, head = graph.edge_source, graph.edge_target
    sales = np.bincount(tail, weights=value, minlength=n).astype(np.float64)
    inputs = np.bincount(head, weights=value, minlength=n).astype(np.float64)
    bound = essential[sector[tail], sector[head]]
    if production == "linear":
        bound = np.zeros(len(tail), dtype=bool)
    # An input group is a buyer's purchases from one essential sector, or all its other purchases.
    kind = np.where(bound, sector[tail] + 1, 0).astype(np.int64)
    names, group = np.unique(head.astype(np.int64) * (sectors + 1) + kind, return_inverse=True)
    size = np.bincount(group, weights=value, minlength=len(names))
    base = np.where(bound, size[group], inputs[head])
    down = np.divide(value, base, out=np.zeros(len(value)), where=base > 0)
    up = np.divide(value, sales[tail], out=np.zeros(len(value)), where=sales[tail] > 0)
    if importance is None:
        total = sales.sum()
        importance = sales / total if total > 0 else np.zeros(n)
    importance = np.ascontiguousarray(importance, dtype=np.float64)
    if importance.shape != (n,):
        raise InputError(f"importance must be {n} numbers, one per node.", code="esri_argument")
    rows = graph.into
    arguments = (
        graph.out.indptr,
        graph.out.indices,
        down,
        group.astype(np.int64),
        len(names),
        rows.indptr,
        rows.indices,
        rows.weights(up),
        sector.astype(np.int32),
        sales,
        np.bincount(sector, weights=sales, minlength=sectors).astype(np.float64),
        importance,
        *_rings(graph, up),
    )
    linked = np.zeros(n, dtype=bool)
    linked[tail] = True
    linked[head] = True
    return _Setup(arguments, np.flatnonzero(linked), importance)


def _rings(graph: CSRGraph, up: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    """Return the sales without zeros, their components, which of them are closed, and their weights.

    The weights are where a dong that goes round a component is found (the left eigenvector of its
    shares, by power iteration); they decide how fast `flows.settle_ring` is, not what it finds.
    """
    from htx_pipeline.graph.kernels import cuts

    n = len(graph)
    kept = up > 0
    tail, head, sold = graph.edge_source[kept], graph.edge_target[kept], up[kept]
    sell_ptr = np.concatenate([[0], np.cumsum(kept)])[graph.out.indptr].astype(np.int64)
    sell_idx = graph.out.indices[kept]
    component, count = cuts.strong(sell_ptr, sell_idx)
    component = component.astype(np.int64)
    order = np.argsort(component, kind="stable").astype(np.int64)
    first = np.searchsorted(component[order], np.arange(count + 1)).astype(np.int64)
    inside = component[tail] == component[head]
    leak = np.bincount(tail[~inside], weights=sold[~inside], minlength=n).astype(np.float64)
    sells = np.bincount(tail, minlength=n) > 0
    # One that sells to nobody is an end, not a ring.
    open_nodes = (leak > 0) | ~sells
    closed = np.bincount(component[open_nodes], minlength=count) == 0
    within, to, by = tail[inside], head[inside], sold[inside]
    mass = np.ones(n)
    for _ in range(_MASS_STEPS if len(within) else 0):
        mass = mass + np.bincount(to, weights=mass[within] * by, minlength=n)
        mass /= np.bincount(component, weights=mass, minlength=count)[component]
    return sell_ptr, sell_idx, sold, component, order, first, closed, leak, mass
