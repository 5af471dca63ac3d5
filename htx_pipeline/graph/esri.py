"""The Economic Systemic Risk Index: what part of all output is lost if one organisation fails.

What belongs here: the set-up of Diem et al. (2022) from a graph, sectors and a matrix of essential
inputs; the exact index; a cheaper one with a stated error.
What does not: the cascade (`htx_pipeline.graph.kernels.cascades`), tables, members' income
(`htx_pipeline.metrics`).
"""

# ruff: noqa: PLR0917
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph
from htx_pipeline.graph.rows import rows_unsorted

Production = Literal["leontief", "linear"]
Progress = Callable[[int, int], None]

_PIECE: Final = 64
_PIECES: Final = 256
"""A pass is cut into so many pieces at most: each clears arrays as long as the graph."""
_NO_LIMIT: Final = -1
_MASS_STEPS: Final = 50


class Figure(NamedTuple):
    """What a cascade is measured by: how organisations produce, and what each one's loss weighs.

    ``importance``: weights w; output shares when None.
    """

    production: Production = "leontief"
    importance: NDArray[np.float64] | None = None


class Esri(NamedTuple):
    """The index per node and the largest number of steps a cascade took."""

    risk: NDArray[np.float64]
    steps: int


class ApproximateEsri(NamedTuple):
    """An index with bounds per node.

    Together ``low`` and ``high`` hold for each node with probability ``confidence`` at least (over the
    draw of the sample); for nodes with ``is_exact`` all three are the exact index.
    """

    risk: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_exact: NDArray[np.bool_]
    confidence: float


class _Rings(NamedTuple):
    """Sales within strong components; see `cascades.cascade`."""

    component: NDArray[np.int64]
    order: NDArray[np.int64]
    first: NDArray[np.int64]
    closed: NDArray[np.bool_]
    sell_ptr: NDArray[np.int64]
    sell_idx: NDArray[np.int32]
    sold: NDArray[np.float64]
    leak: NDArray[np.float64]
    mass: NDArray[np.float64]


class _Setup(NamedTuple):
    """All that cascades of a graph share; the first three are the arguments of `cascades.cascade`."""

    down: tuple[Any, ...]
    rings: _Rings
    figures: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    busy: NDArray[np.int64]
    alone: NDArray[np.float64]
    """Weight of each node (row) in each figure (column)."""


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
        within it (`cascades.settle_ring`).
    max_steps:
        Stop the way down after so many steps; the result is then a lower bound.
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
    return esri_figures(
        graph, weight, figures=[Figure(production, importance)], sector=sector, essential=essential, nodes=nodes,
        tolerance=tolerance, max_steps=max_steps, workers=workers, progress=progress,
    )[0]  # fmt: skip


def esri_figures(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    figures: Sequence[Figure],
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None = None,
    nodes: NDArray[np.int64] | None = None,
    tolerance: float = 1e-9,
    max_steps: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Esri]:
    """Return several indices from one pass of cascades; see `esri`.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(np.array([0, 1]), np.array([2, 2]), weight=np.array([3, 1]))
    >>> asked = [Figure(), Figure(importance=np.array([0.0, 7.0, 0.0]))]
    >>> [of.risk.tolist() for of in esri_figures(graph, figures=asked, sector=np.array([0, 0, 1]))]
    [[0.75, 0.25, 1.0], [0.0, 7.0, 7.0]]
    """
    setup = _set_up(graph, weight, sector, essential, figures)
    asked = np.arange(len(graph)) if nodes is None else np.asarray(nodes, dtype=np.int64)
    risk, steps, _ = _run(setup, asked, tolerance, max_steps, workers, progress)
    return [Esri(np.ascontiguousarray(column), steps) for column in risk.T]


def esri_approximate(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None = None,
    production: Production = "leontief",
    importance: NDArray[np.float64] | None = None,
    sample: int = 1_000,
    largest: int = 500,
    steps: int = 2,
    confidence: float = 0.95,
    tolerance: float = 1e-6,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ApproximateEsri:
    """Return the index, exact where it is cheap and bounded, by a sample of full cascades, elsewhere.

    Every organisation gets a way down of ``steps`` steps; where it comes to rest within them, and the
    way up is known (who stands in no ring of suppliers, or a small one), that is the index. For the
    others it is a score, in which all that ever passes through an organisation counts as lost by its
    failure. Full cascades are run for the ``largest`` of these and for a random ``sample`` of the rest,
    whose ratios of full to score give the estimate (their median) and the bounds (split conformal
    prediction: of m ratios, ⌊(m+1)·(1-confidence)/2⌋ are left out at either end). The bounds therefore
    need no model: a further organisation lies outside with probability 1 - confidence at most.

    See `esri` for the other parameters.

    References
    ----------
    Lei et al. (2018), doi:10.1080/01621459.2017.1307116 (split conformal prediction).
    """
    return esri_figures_approximate(
        graph, weight, figures=[Figure(production, importance)], sector=sector, essential=essential,
        sample=sample, largest=largest, steps=steps, confidence=confidence, tolerance=tolerance, seed=seed,
        workers=workers, progress=progress,
    )[0]  # fmt: skip


def esri_figures_approximate(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    figures: Sequence[Figure],
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None = None,
    sample: int = 1_000,
    largest: int = 500,
    steps: int = 2,
    confidence: float = 0.95,
    tolerance: float = 1e-6,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[ApproximateEsri]:
    """Return several indices with bounds from the same cascades; see `esri_approximate`.

    The ``largest`` are those whose score is the largest part of the weights of any figure.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}, not between 0 and 1.", code="esri_argument")
    setup = _set_up(graph, weight, sector, essential, figures)
    whole = setup.alone.sum(axis=0)
    everyone = np.arange(len(graph))
    score, _, exact = _run(setup, everyone, tolerance, steps, workers, progress, solves=False)
    open_nodes = np.flatnonzero(~exact)
    part = np.divide(
        score[open_nodes], whole, out=np.zeros((len(open_nodes), len(whole))), where=whole > 0
    )
    ranked = open_nodes[np.lexsort((open_nodes, -part.max(axis=1, initial=0)))]
    top, rest = ranked[:largest], np.sort(ranked[largest:])
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = np.sort(rng.choice(rest, size=min(sample, len(rest)), replace=False))
    run = np.concatenate([top, drawn])
    guessed = score[drawn]
    score[run], _, _ = _run(setup, run, tolerance, None, workers, progress)
    exact[run] = True
    others = np.flatnonzero(~exact)
    made = []
    for k in range(len(figures)):
        index = np.ascontiguousarray(score[:, k])
        low, high = index.copy(), index.copy()
        if len(others):
            ratios = np.divide(
                score[drawn, k], guessed[:, k], out=np.ones(len(drawn)), where=guessed[:, k] > 0
            )
            least, likely, most = _limits(ratios, confidence)
            low[others] = np.maximum(index[others] * least, setup.alone[others, k])
            high[others] = np.minimum(index[others] * most, whole[k])
            index[others] = np.clip(index[others] * likely, low[others], high[others])
        made.append(ApproximateEsri(index, low, high, exact, confidence))
    return made


def _limits(ratios: NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    """Return the limits between which a further ratio lies with this probability, and the median.

    Examples
    --------
    >>> _limits(np.arange(1.0, 20.0), 0.9)
    (1.0, 10.0, 19.0)
    >>> _limits(np.ones(3), 0.9)
    (0.0, 1.0, inf)
    """
    ordered = np.sort(ratios)
    m = len(ordered)
    # So many of m + 1 gaps are left out at either end.
    cut = int((m + 1) * (1 - confidence) / 2 + 1e-9)
    likely = float(np.median(ordered)) if m else 1.0
    if cut == 0:
        return 0.0, likely, np.inf
    return float(ordered[cut - 1]), likely, float(ordered[m - cut])


def _run(
    setup: _Setup,
    asked: NDArray[np.int64],
    tolerance: float,
    max_steps: int | None,
    workers: int | None,
    progress: Progress | None,
    *,
    solves: bool = True,
) -> tuple[NDArray[np.float64], int, NDArray[np.bool_]]:
    """Return the figures of each node asked for (a row), the most steps, and who came to rest."""
    from htx_pipeline.graph.kernels import cascades, parallel

    index = setup.alone[asked]
    rests = np.ones(len(asked), dtype=bool)
    is_busy = np.zeros(len(setup.alone), dtype=bool)
    is_busy[setup.busy] = True
    places = np.flatnonzero(is_busy[asked])
    limit = _NO_LIMIT if max_steps is None else max_steps
    done = steps = 0
    for found, taken, rested in parallel.pieces(
        lambda some: cascades.cascade(
            *setup.down, *setup.rings, *setup.figures, some, limit, solves, tolerance
        ),
        asked[places],
        piece=max(_PIECE, len(places) // _PIECES),
        workers=workers,
        progress=progress,
    ):
        here = places[done : done + len(taken)]
        index[here] = found.reshape(len(taken), -1)
        rests[here] = rested
        done += len(taken)
        steps = max(steps, int(taken.max(initial=0)))
    return index, steps, rests


def _set_up(
    graph: CSRGraph,
    weight: str | None,
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None,
    figures: Sequence[Figure],
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
    productions = list(dict.fromkeys(figure.production for figure in figures))
    for production in productions:
        if production not in ("leontief", "linear"):
            raise InputError(
                f"production is {production!r}; choose leontief or linear.", code="esri_argument"
            )
    if not graph.is_directed():
        raise InputError("ESRI needs a directed graph.", code="esri_argument")
    value = graph.weights(weight).astype(np.float64, copy=False)
    if len(value) and (value.min() < 0 or not np.isfinite(value).all()):
        raise InputError("A value is negative or infinite.", code="esri_argument")
    tail = graph.edge_source
    sales = np.bincount(tail, weights=value, minlength=n).astype(np.float64)
    total = sales.sum()
    output = sales / total if total > 0 else np.zeros(n)
    weights = [
        output if f.importance is None else np.asarray(f.importance, np.float64) for f in figures
    ]
    if any(w.shape != (n,) for w in weights):
        raise InputError(f"importance must be {n} numbers, one per node.", code="esri_argument")
    needs = [
        _needs(graph, value, sector, essential if production == "leontief" else None)
        for production in productions
    ]
    begins = np.cumsum([0, *(groups for _, _, groups in needs)])
    down = (
        graph.out.indptr,
        graph.out.indices,
        np.concatenate([share for share, _, _ in needs]),
        np.concatenate(
            [group + begin for (_, group, _), begin in zip(needs, begins, strict=False)]
        ),
        int(begins[-1]),
        sector.astype(np.int32),
        sales,
        np.bincount(sector, weights=sales, minlength=sectors).astype(np.float64),
    )
    del needs
    sold = np.divide(value, sales[tail], out=np.zeros(len(value)), where=sales[tail] > 0)
    rings = _rings(graph, sold)
    asked = (
        np.array([productions.index(figure.production) for figure in figures], dtype=np.int64),
        np.concatenate(weights),
        *_lifted(graph, sold, rings, weights),
    )
    linked = np.zeros(n, dtype=bool)
    linked[tail] = True
    linked[graph.edge_target] = True
    return _Setup(down, rings, asked, np.flatnonzero(linked), np.column_stack(weights))


def _needs(
    graph: CSRGraph,
    value: NDArray[np.float64],
    sector: NDArray[Any],
    essential: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return the share of its input group that each edge is, its group, and how many groups there are.

    An input group is a buyer's purchases from one essential sector, or all its other purchases.
    """
    n = len(graph)
    tail, head = graph.edge_source, graph.edge_target
    inputs = np.bincount(head, weights=value, minlength=n).astype(np.float64)
    base = inputs[head]
    group, groups = head.astype(np.int64), n
    if essential is not None:
        bound = essential[sector[tail], sector[head]]
        kind = np.where(bound, sector[tail].astype(np.int64) + 1, 0)
        names, group = np.unique(
            group * (int(sector.max(initial=0)) + 2) + kind, return_inverse=True
        )
        groups = len(names)
        size = np.bincount(group, weights=value, minlength=groups)
        base = np.where(bound, size[group], base)
    share = np.divide(value, base, out=np.zeros(len(value)), where=base > 0)
    return share, group.astype(np.int64, copy=False), groups


def _rings(graph: CSRGraph, sold: NDArray[np.float64]) -> _Rings:
    """Return the strong components of the sales that are not zero, and the sales within them.

    ``mass`` is where a dong that goes round a component is found (the left eigenvector of its
    shares, by power iteration); it decides how fast `cascades.settle_ring` is, not what it finds.
    """
    from htx_pipeline.graph.kernels import cuts

    n = len(graph)
    kept = sold > 0
    sell_ptr = np.concatenate([[0], np.cumsum(kept)])[graph.out.indptr].astype(np.int64)
    found, count = cuts.strong(sell_ptr, graph.out.indices[kept])
    component = found.astype(np.int64)
    order = np.argsort(component, kind="stable").astype(np.int64)
    first = np.searchsorted(component[order], np.arange(count + 1)).astype(np.int64)
    tail, head = graph.edge_source, graph.edge_target
    is_inside = component[tail] == component[head]
    leak = np.bincount(
        tail[kept & ~is_inside], weights=sold[kept & ~is_inside], minlength=n
    ).astype(np.float64)
    sells = np.bincount(tail[kept], minlength=n) > 0
    # One that sells to nobody is an end, not a ring.
    open_nodes = (leak > 0) | ~sells
    closed = np.bincount(component[open_nodes], minlength=count) == 0
    inside = kept & is_inside
    within, to, by = tail[inside], head[inside], sold[inside]
    sell_ptr = np.concatenate([[0], np.cumsum(inside)])[graph.out.indptr].astype(np.int64)
    mass = np.ones(n)
    for _ in range(_MASS_STEPS if len(within) else 0):
        mass = mass + np.bincount(to, weights=mass[within] * by, minlength=n)
        mass /= np.bincount(component, weights=mass, minlength=count)[component]
    to = np.ascontiguousarray(to)
    return _Rings(component, order, first, closed, sell_ptr, to, by, leak, mass)


def _lifted(
    graph: CSRGraph,
    sold: NDArray[np.float64],
    rings: _Rings,
    weights: Sequence[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, weights after weights, what `cascades.lift` makes of each and writes beside it."""
    from htx_pipeline.graph.kernels import cascades

    tail, head = graph.edge_source, graph.edge_target
    inside = (sold > 0) & (rings.component[tail] == rings.component[head])
    buys = rows_unsorted(head[inside], tail[inside], len(graph))
    up = buys.weights(sold[inside])
    lifted = [np.array(own, dtype=np.float64) for own in weights]
    through = [np.zeros(len(own)) for own in lifted]
    for own, passing in zip(lifted, through, strict=True):
        cascades.lift(
            graph.out.indptr, graph.out.indices, sold, rings.component, rings.order, rings.first,
            rings.closed, buys.indptr, buys.indices, up, rings.leak, own, passing,
        )  # fmt: skip
    return np.concatenate(lifted), np.concatenate(through)
