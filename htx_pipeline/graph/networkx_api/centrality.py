"""PageRank, betweenness, closeness; communities."""

# ruff: noqa: N803, PLR0917
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from htx_pipeline.graph import arrays, leiden
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.networkx_api.labels import (
    Label,
    by_node,
    seeded,
    undirected_only,
)


def pagerank(
    G: CSRGraph,
    alpha: float = 0.85,
    personalization: Mapping[Any, float] | None = None,
    max_iter: int = 100,
    tol: float = 1e-6,
    nstart: Mapping[Any, float] | None = None,
    weight: str | None = "weight",
    dangling: Mapping[Any, float] | None = None,
) -> dict[Any, float]:
    if len(G) == 0:
        return {}

    def shares(given: Mapping[Any, float] | None) -> NDArray[np.float64] | None:
        if given is None:
            return None
        values = np.array([given.get(label, 0) for label in G.labels], dtype=np.float64)
        total = values.sum()
        if total == 0 and given is personalization:
            raise ZeroDivisionError
        return np.asarray(values / total)

    ranks = arrays.pagerank(
        G,
        weight,
        alpha=alpha,
        personalization=shares(personalization),
        start=shares(nstart),
        dangling=shares(dangling),
        max_iter=max_iter,
        tol=tol,
    )
    if ranks is None:
        raise nx.PowerIterationFailedConvergence(max_iter)
    return by_node(G, ranks)


@seeded
def betweenness_centrality(
    G: CSRGraph,
    k: int | None = None,
    normalized: bool = True,
    weight: str | None = None,
    endpoints: bool = False,
    seed: Any = None,
) -> dict[Any, float]:
    n = len(G)
    sampled = None
    if k is not None and k != n:
        sampled = np.array(seed.sample(range(n), k), dtype=np.int64)
    total = arrays.betweenness(G, weight=weight, sources=sampled, endpoints=endpoints)
    return by_node(G, _rescaled(total, G.is_directed(), normalized, endpoints, sampled))


def _rescaled(
    total: NDArray[np.float64],
    directed: bool,
    normalized: bool,
    endpoints: bool,
    sampled: NDArray[np.int64] | None,
) -> NDArray[np.float64]:
    """Scale raw betweenness as NetworkX 3.6 does."""
    pairs = len(total) if endpoints else len(total) - 1
    if pairs < 2:
        return total
    sources = pairs if sampled is None else len(sampled)
    half = 1 if directed else 2

    def scale(count: int) -> float:
        return 1 / (count * (pairs - 1)) if normalized else pairs / (count * half)

    scaled = total * scale(sources)
    if sampled is not None and not endpoints:
        # A sampled source is a source in one draw fewer than the others.
        scaled[sampled] = total[sampled] * (scale(sources - 1) if sources > 1 else math.nan)
    return scaled


def closeness_centrality(
    G: CSRGraph,
    u: Label = None,
    distance: str | None = None,
    wf_improved: bool = True,
) -> Any:
    n = len(G)
    if u is not None and u not in G:
        raise nx.NodeNotFound(f"Source {u} is not in G")
    rows = None if u is None else np.array([G.index(u)], dtype=np.int64)
    reached, hops, _ = arrays.distance_sums(G, sources=rows, direction="in")
    others = (reached - 1).astype(np.float64)
    defined = (hops > 0) & (n > 1)
    closeness = np.divide(others, hops, out=np.zeros(len(hops)), where=defined)
    if wf_improved and n > 1:
        closeness *= others / (n - 1)
    return by_node(G, closeness) if u is None else float(closeness[0])


def harmonic_centrality(
    G: CSRGraph,
    nbunch: Any = None,
    distance: str | None = None,
    sources: Any = None,
) -> dict[Any, float]:
    return by_node(G, arrays.distance_sums(G, direction="in").inverse)


@undirected_only
@seeded
def leiden_communities(
    G: CSRGraph,
    weight: str | None = "weight",
    resolution: float = 1,
    max_level: int | None = None,
    seed: Any = None,
) -> list[set[Any]]:
    """Return communities as NetworkX does; ``max_level`` limits the rounds.

    NetworkX has no Leiden of its own: this is what ``nx.community.leiden_communities`` runs.
    """
    if max_level is not None and max_level <= 0:
        raise ValueError("max_level argument must be a positive integer or None")
    found = leiden.leiden(
        G,
        weight,
        resolution=resolution,
        seed=seed.getrandbits(32),
        max_rounds=20 if max_level is None else max_level,
    )
    return _sets(G.labels, found)


def _sets(labels: Iterable[Any], found: leiden.Communities) -> list[set[Any]]:
    sets: list[set[Any]] = [set() for _ in range(found.communities)]
    for label, number in zip(labels, found.membership.tolist(), strict=True):
        sets[number].add(label)
    return sets
