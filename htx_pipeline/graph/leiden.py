"""Communities by Leiden: deterministic, seeded, on the undirected weighted projection.

What belongs here: the order of the passes, when to stop, numbering of communities, modularity.
What does not: the passes (`htx_pipeline.graph.kernels.community`); ids that follow from a community's
content and lineage over time (`htx_pipeline.clusters`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph

LARGE: Final = 200_000
"""From so many undirected edges on, a round must earn its cost."""

LARGE_GAIN: Final = 2e-3
"""In a large graph a further round is run while the last raised modularity by more than this share:
what is left then is less than a thousandth (measured against igraph at its convergence)."""

SMALL: Final = 5_000
"""Up to so many undirected edges the best of several searches is taken."""

MEDIUM_GAIN: Final = 2e-4
"""Between small and large the search ends once two rounds in a row raised modularity by no more than this
share: half the rounds until nothing improves, for less than a thousandth (measured against igraph at its
convergence on nine synthetic nations of 6,000 to 77,000 edges: 0.9992 of it or more)."""

STARTS: Final = 5
"""Searches in a small graph: the first looks at nodes in the order of their ids, the others in orders of
their own. One alone may settle a few thousandths below what another seed finds."""

_FIRST_VISITS: Final = 5
_FIRST_LEAST: Final = 1e-3
"""In a large graph the first round looks at each level's nodes so many times on average, and moves them
for so much gain per unit of strength: what it leaves, the way back down and the next round find for less.
With fewer visits weak communities are lost (measured on planted ones)."""

_LEAST: Final = 1e-12
_PATIENCE: Final = 2
"""A graph that is not large is done when so many rounds in a row, each with an order of its own, gained too
little."""

_ENDLESS: Final = 2**62
_STRETCH: Final = 64
_SHUFFLED: Final = 50_000


Level = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]
"""Rows of one level: indptr, indices, weights."""


class Communities(NamedTuple):
    """A partition of the nodes.

    ``membership`` numbers communities by (size descending, smallest node first); ``communities`` is
    how many there are; ``modularity`` is null (NaN) for a graph without weight; ``rounds`` were run.
    """

    membership: NDArray[np.int32]
    communities: int
    modularity: float
    rounds: int


def leiden(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    resolution: float = 1.0,
    seed: int = 0,
    max_rounds: int = 20,
    min_gain: float | None = None,
) -> Communities:
    """Return communities of high modularity (Leiden).

    Definition: maximise Σ_c [w(c)/W - resolution·(K(c)/2W)²] over partitions, by rounds of moving
    nodes, refining and aggregating up the levels, and moving the nodes of each level once more on the
    way back down. Every community is connected (by edges of positive weight).
    Ties: a node stays unless a move gains; of equal gains the community with the smaller number
    (that of its smallest node at that level) wins. The order in which nodes are looked at follows
    from ``seed`` alone, so the same graph gives the same communities, whatever the order of its rows
    was.
    Hazard: there may be very different partitions of nearly the same modularity; small communities
    merge in large graphs (resolution limit). Compare several seeds and resolutions.

    Parameters
    ----------
    graph:
        Directed graphs are projected: both directions add up, a self-loop counts once.
    weight:
        Attribute with weights ≥ 0; None: every undirected edge counts 1.
    resolution:
        Larger gives more, smaller communities.
    seed:
        Order in which nodes are looked at, except in the very first round, which follows their ids.
    max_rounds, min_gain:
        Stop after so many rounds, or when two rounds in a row raised modularity by no more than this
        share each. Default: 0 up to ``SMALL`` undirected edges, ``LARGE_GAIN`` from ``LARGE`` on,
        ``MEDIUM_GAIN`` between. From ``LARGE_GAIN`` on one such round is enough, and the first round is
        cut short.

    References
    ----------
    Traag, Waltman & van Eck (2019), doi:10.1038/s41598-019-41695-z; the way down is the multilevel
    refinement of Rotta & Noack (2011), doi:10.1145/1963190.1970376.

    Examples
    --------
    >>> source, target = np.array([0, 0, 1, 3, 3, 4, 2]), np.array([1, 2, 2, 4, 5, 5, 3])
    >>> found = leiden(CSRGraph.from_arrays(source, target))
    >>> found.membership
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    >>> round(found.modularity, 4)
    0.3571
    """
    if max_rounds < 1:
        raise InputError(f"max_rounds is {max_rounds}; it must be 1 or more.", code="leiden_rounds")
    level = _projection(graph, weight)
    if min_gain is None:
        edges = len(level[1]) // 2
        min_gain = 0.0 if edges <= SMALL else MEDIUM_GAIN if edges < LARGE else LARGE_GAIN
    return _leiden(level, resolution=resolution, seed=seed, rounds=max_rounds, gain=min_gain)


def modularity(
    graph: CSRGraph,
    membership: NDArray[Any],
    weight: str | None = WEIGHT,
    *,
    resolution: float = 1.0,
) -> float:
    """Return the modularity of a partition of the undirected projection; NaN without weight."""
    from htx_pipeline.graph.kernels import community

    level = _projection(graph, weight)
    label = np.unique(membership, return_inverse=True)[1].astype(np.int32)
    return community.quality(level, community.strengths(*level), label, float(resolution))


def _projection(graph: CSRGraph, weight: str | None) -> Level:
    indptr, indices, values = graph.undirected(weight)
    if len(values) and values.min() < 0:
        raise InputError(
            "Leiden needs weights of 0 or more.",
            where=f"weight: {weight}",
            code="leiden_negative_weight",
        )
    return indptr, indices, values


def _leiden(level: Level, *, resolution: float, seed: int, rounds: int, gain: float) -> Communities:
    from htx_pipeline.graph.kernels import community as passes

    n = len(level[0]) - 1
    strength = passes.strengths(*level)
    whole = float(strength.sum())
    if whole == 0.0:
        return Communities(np.arange(n, dtype=np.int32), n, float("nan"), 0)
    best = Communities(np.empty(0, dtype=np.int32), 0, -np.inf, 0)
    for start in range(STARTS if len(level[1]) <= 2 * SMALL else 1):
        found = _search(
            level,
            strength,
            resolution,
            seed=seed + start * rounds,
            by_id=start == 0,
            rounds=rounds,
            gain=gain,
        )
        if found.modularity > best.modularity:
            best = found
    membership, reached = best.membership, best.modularity
    # A node that left may have held others together; apart they are no worse.
    piece = np.full(n, -1, dtype=np.int32)
    passes.connected(*level, membership, piece, np.empty(n, dtype=np.int32))
    label, count = by_size(piece)
    if count > best.communities:
        reached = passes.quality(level, strength, label, float(resolution))
    return Communities(label, count, reached, best.rounds)


def _search(
    level: Level,
    strength: NDArray[np.float64],
    resolution: float,
    *,
    seed: int,
    by_id: bool,
    rounds: int,
    gain: float,
) -> Communities:
    """Run rounds until one gains too little."""
    from htx_pipeline.graph.kernels import community as passes

    membership = np.arange(len(strength), dtype=np.int32)
    scale = float(resolution) / float(strength.sum())
    is_quick = gain >= LARGE_GAIN
    patience = 1 if is_quick else _PATIENCE
    best = -np.inf
    done = idle = 0
    for done in range(1, rounds + 1):
        first = done == 1
        found = _round(
            level,
            strength,
            membership,
            scale,
            seed=seed + done,
            by_id=first and by_id,
            hasty=first and is_quick,
        )
        reached = passes.quality(level, strength, found, float(resolution))
        better = reached - best
        if better > 0:
            best, membership = reached, found
        idle = idle + 1 if better <= gain * abs(reached) else 0
        if idle == patience:
            break
    return Communities(membership, int(membership.max()) + 1, best, done)


def _round(
    level: Level,
    strength: NDArray[np.float64],
    start: NDArray[np.int32],
    scale: float,
    *,
    seed: int,
    by_id: bool,
    hasty: bool,
) -> NDArray[np.int32]:
    """Return the communities after one way up and down all levels, from a partition of the nodes."""
    from htx_pipeline.graph.kernels import community as passes

    community = start.copy()
    below: list[tuple[Level, NDArray[np.float64], NDArray[np.int32]]] = []

    def move(seed: int) -> NDArray[np.int32]:
        n = len(strength)
        order = np.arange(n, dtype=np.int32) if by_id else _order(n, seed)
        passes.move(
            level,
            strength,
            community,
            order,
            scale,
            visits=int(_FIRST_VISITS * n) if hasty else _ENDLESS,
            least=_FIRST_LEAST if hasty else _LEAST,
        )
        return order

    while True:
        n = len(strength)
        order = move(seed)
        count = passes.compact(community)
        if count == n:
            break
        part = passes.refine(level, strength, community, order, scale)
        parts = passes.compact(part)
        if parts == n:
            # Refinement holds everything apart: go on with the communities themselves.
            part, parts = community.copy(), count
        above = np.empty(parts, dtype=np.int32)
        above[part] = community
        below.append((level, strength, part))
        level = passes.aggregate(level, part, parts)
        strength = np.bincount(part, weights=strength, minlength=parts).astype(np.float64)
        community = above
    while below:
        level, strength, part = below.pop()
        community = community[part]
        move(seed + 1)
    passes.compact(community)
    return community


def _order(n: int, seed: int) -> NDArray[np.int32]:
    """Return 0..n-1 shuffled, in a large level by stretches: what is near in memory stays near."""
    from htx_pipeline.graph.kernels import community as passes

    if n < _SHUFFLED:
        return passes.shuffled(n, seed)
    first: NDArray[np.int32]
    first = passes.shuffled(-(-n // _STRETCH), seed) * np.int32(_STRETCH)
    order = (first[:, None] + np.arange(_STRETCH, dtype=np.int32)).ravel().astype(np.int32)
    return order[order < n]


def by_size(label: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Number groups by (size descending, smallest member first).

    Examples
    --------
    >>> by_size(np.array([7, 5, 5, 9]))
    (array([1, 0, 0, 2], dtype=int32), 3)
    """
    values, first, inverse, size = np.unique(
        label, return_index=True, return_inverse=True, return_counts=True
    )
    place = np.empty(len(values), dtype=np.int32)
    place[np.lexsort((first, -size))] = np.arange(len(values), dtype=np.int32)
    return place[inverse], len(values)
