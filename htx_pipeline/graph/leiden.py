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

_STRETCH: Final = 64
_SHUFFLED: Final = 50_000


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
    nodes, refining and aggregating; every community is connected.
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
        Order in which nodes are looked at, except in the first round, which follows their ids.
    max_rounds, min_gain:
        Stop after so many rounds, or when a round raised modularity by no more than this share;
        default 0, and ``LARGE_GAIN`` for graphs of ``LARGE`` edges or more.

    References
    ----------
    Traag, Waltman & van Eck (2019), doi:10.1038/s41598-019-41695-z.

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
    indptr, indices, values = _projection(graph, weight)
    if min_gain is None:
        min_gain = LARGE_GAIN if len(indices) >= 2 * LARGE else 0.0
    return _leiden(
        indptr, indices, values, resolution=resolution, seed=seed, rounds=max_rounds, gain=min_gain
    )


def modularity(
    graph: CSRGraph,
    membership: NDArray[Any],
    weight: str | None = WEIGHT,
    *,
    resolution: float = 1.0,
) -> float:
    """Return the modularity of a partition of the undirected projection; NaN without weight."""
    from htx_pipeline.graph.kernels import community

    indptr, indices, values = _projection(graph, weight)
    label = np.unique(membership, return_inverse=True)[1].astype(np.int32)
    count = int(label.max(initial=-1)) + 1
    strength = community.strengths(indptr, indices, values)
    return float(
        community.quality(indptr, indices, values, strength, label, count, float(resolution))
    )


def _projection(
    graph: CSRGraph, weight: str | None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    indptr, indices, values = graph.undirected(weight)
    if len(values) and values.min() < 0:
        raise InputError(
            "Leiden needs weights of 0 or more.",
            where=f"weight: {weight}",
            code="leiden_negative_weight",
        )
    return indptr, indices, values


def _leiden(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    *,
    resolution: float,
    seed: int,
    rounds: int,
    gain: float,
) -> Communities:
    from htx_pipeline.graph.kernels import community as passes

    n = len(indptr) - 1
    strength = passes.strengths(indptr, indices, values)
    whole = float(strength.sum())
    membership = np.arange(n, dtype=np.int32)
    if whole == 0.0:
        return Communities(membership, n, float("nan"), 0)
    scale = float(resolution) / whole
    best = -np.inf
    done = 0
    for done in range(1, rounds + 1):
        rows = (indptr, indices, values)
        found = _round(rows, strength, membership, scale, seed=seed + done, first=done == 1)
        count = int(passes.compact(found))
        reached = float(
            passes.quality(indptr, indices, values, strength, found, count, float(resolution))
        )
        better = reached - best
        if better > 0:
            best, membership = reached, found
        if better <= gain * abs(reached):
            break
    label, count = by_size(membership)
    return Communities(label, count, best, done)


def _round(
    rows: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]],
    strength: NDArray[np.float64],
    start: NDArray[np.int32],
    scale: float,
    *,
    seed: int,
    first: bool,
) -> NDArray[np.int32]:
    """Return the communities after one run through all levels, from a partition of the nodes."""
    from htx_pipeline.graph.kernels import community as passes

    community = start.copy()
    node = np.arange(len(start), dtype=np.int32)
    while True:
        n = len(strength)
        order = np.arange(n, dtype=np.int32) if first else _order(n, seed)
        passes.move(*rows, strength, community, order, scale)
        count = int(passes.compact(community))
        if count == n:
            break
        part = passes.refine(*rows, strength, community, order, scale)
        parts = int(passes.compact(part))
        if parts == n:
            # Refinement holds everything apart: go on with the communities themselves.
            part, parts = community.copy(), count
        above = np.empty(parts, dtype=np.int32)
        above[part] = community
        rows = passes.aggregate(*rows, part, parts)
        strength = np.bincount(part, weights=strength, minlength=parts).astype(np.float64)
        node = part[node]
        community = above
    out: NDArray[np.int32] = community[node]
    return out


def _order(n: int, seed: int) -> NDArray[np.int32]:
    """Return 0..n-1 shuffled, in a large level by stretches: what is near in memory stays near."""
    from htx_pipeline.graph.kernels import community as passes

    order: NDArray[np.int32]
    if n < _SHUFFLED:
        order = passes.shuffled(n, seed)
        return order
    first = passes.shuffled(-(-n // _STRETCH), seed) * np.int32(_STRETCH)
    order = (first[:, None] + np.arange(_STRETCH, dtype=np.int32)).ravel()
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
