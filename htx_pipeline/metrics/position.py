"""Position: where an organisation stands in the chain, and what passes through it.

What belongs here: distance to final use and to primary inputs, length of chains, betweenness,
brokers, cut points and bridges, cores, complete paths from producer to off-taker. What does not: what
is lost when an organisation fails (`risk`), what a chain lacks (`completeness`).

Work on a graph: the edges become CSR arrays (`htx_pipeline.graph`), so these functions take Polars, not
any engine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.position import downstreamness, upstreamness
from htx_pipeline.graph.rows import rows_unsorted
from htx_pipeline.metrics._trade import Trade, tidy, trades
from htx_pipeline.reference.thresholds import threshold

POSITION_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "weight_basis": pl.String(),
    "n_edges": pl.Int64(),
    "n_edges_without_value": pl.Int64(),
    "upstreamness": pl.Float64(),
    "upstreamness_reason": pl.String(),
    "downstreamness": pl.Float64(),
    "downstreamness_reason": pl.String(),
    "steps_before": pl.Int64(),
    "steps_after": pl.Int64(),
    "longest_chain_steps": pl.Int64(),
    "is_in_ring": pl.Boolean(),
    "betweenness_share": pl.Float64(),
    "betweenness_error": pl.Float64(),
    "betweenness_reason": pl.String(),
    "is_articulation": pl.Boolean(),
    "core_number": pl.Int64(),
    "n_brokered_pairs": pl.Int64(),
    "is_broker": pl.Boolean(),
    "is_on_full_chain": pl.Boolean(),
    "full_chain_reason": pl.String(),
    "full_chain_products": pl.List(pl.String()),
    "reason": pl.String(),
}
"""Columns of `metrics/positions`."""

BRIDGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "supplier_id": pl.String(),
    "buyer_id": pl.String(),
    "weight_basis": pl.String(),
    "trade": pl.Int64(),
    "n_cut_off": pl.Int64(),
    "n_component": pl.Int64(),
}
"""Columns of `bridges`."""

_BATCHES: Final = 8


def positions(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
    betweenness_exact_up_to: int | None = None,
    betweenness_sources: int = 1_024,
    seed: int = 20,
) -> pl.DataFrame:
    """Describe where each organisation stands among its linkages.

    * ``upstreamness`` U(i) = 1 + Σ_j z(i,j)/Y(i)·U(j): average distance to final use, weighted by
      value sold; 1 = sells to nobody in the network. ``downstreamness`` is the mirror: average
      distance from primary inputs; 1 = buys from nobody.
    * ``steps_before``, ``steps_after``: most linkages in a row that lead to it and from it, a ring of
      organisations that supply each other counting as one place (``is_in_ring``);
      ``longest_chain_steps`` is their sum: the longest chain through it.
    * ``betweenness_share``: share of ordered pairs of the other organisations whose shortest way by
      linkages runs through it (of several shortest ways, the part that does); 0..1. Exact up to
      ``betweenness_exact_up_to`` linked organisations; above, from ``betweenness_sources`` sources
      drawn without replacement with ``seed``, with its standard error in ``betweenness_error`` (null
      when exact).
    * ``is_articulation``: without it its part of the network falls apart.
    * ``core_number``: largest k such that it belongs to a group in which everyone has k partners.
    * ``n_brokered_pairs``: pairs (supplier, buyer) it stands between that do not trade directly;
      ``is_broker`` when there is one.
    * ``is_on_full_chain``: it lies on a way of linkages of one product from an organisation of the
      stage production through one of processing to one of consumption; null with the reason
      ``stage_unknown`` when that hangs on organisations without a stage.

    Undefined: an organisation without linkages (``reason`` ``no_linkage``) has no position. Value that
    nobody states makes up- and downstreamness null, also where it lies further along
    (``value_not_stated``); so does a ring that trades only with itself (``closed_ring``).
    Hazards: sales outside the recorded network are not seen, so everyone looks closer to final use
    and cut points look more fatal than they are.

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    evidence:
        Weakest evidence level that counts.
    min_stated_share:
        See `network.value_bases`.
    betweenness_exact_up_to, betweenness_sources, seed:
        When and how betweenness is sampled; when: reference data if None.

    Returns
    -------
    DataFrame
        `POSITION_SCHEMA`, one row per organisation of ``nodes``.

    References
    ----------
    Antràs & Chor 2013, doi:10.3982/ECTA10813; Brandes 2001, doi:10.1080/0022250X.2001.9990249;
    Brandes & Pich 2007, doi:10.1142/S0218127407018403 (sampling); Hopcroft & Tarjan 1973,
    doi:10.1145/362248.362272; Seidman 1983, doi:10.1016/0378-8733(83)90028-X (cores); Gould &
    Fernandez 1989, doi:10.2307/270949 (brokers).

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 3, "supplier_id": ["farm", "farm", "mill"],
    ...     "buyer_id": ["mill", "shop", "shop"], "product_code": ["rice"] * 3, "evidence": ["executed"] * 3,
    ...     "paid_value_vnd": [3, 1, 5], "has_processing": [True, False, False]}))
    >>> edges = network.edges(links)
    >>> made = positions(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> made.select("org_id", "upstreamness", "downstreamness", "longest_chain_steps", "is_on_full_chain").rows()
    [('farm', 2.75, 1.0, 2, True), ('mill', 2.0, 2.0, 2, True), ('shop', 1.0, 2.833333333333, 2, True)]
    """
    if betweenness_sources < 2 * _BATCHES:
        raise InputError(
            f"betweenness_sources is {betweenness_sources}: too few to state an error.",
            remedy=f"Use {2 * _BATCHES} or more.",
            code="too_few_sources",
        )
    if betweenness_exact_up_to is None:
        betweenness_exact_up_to = int(threshold("own.betweenness.exact_up_to")["value"])
    parts = [
        _positions_of(
            trade, nodes, exact_up_to=betweenness_exact_up_to, k=betweenness_sources, seed=seed
        )
        for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share)
    ]
    made = pl.concat([pl.DataFrame(schema=POSITION_SCHEMA), *parts], how="diagonal")
    listed = nodes.select("period", "org_id").unique()
    return (
        listed.join(made, on=["period", "org_id"], how="left")
        .with_columns(
            pl.when(pl.col("n_edges").is_null()).then(pl.lit("no_linkage")).alias("reason"),
            pl.col("n_edges", "n_edges_without_value").fill_null(0),
        )
        .select(pl.col(c).cast(t) for c, t in POSITION_SCHEMA.items())
        .sort("period", "org_id")
    )


def _positions_of(
    trade: Trade, nodes: pl.DataFrame, *, exact_up_to: int, k: int, seed: int
) -> pl.DataFrame:
    graph = trade.graph
    n = len(graph)
    up, up_reason = _distance(graph, is_upstream=True)
    down, down_reason = _distance(graph, is_upstream=False)
    before, after, in_ring = _steps(graph)
    between, error = _betweenness(graph, exact_up_to=exact_up_to, k=k, seed=seed)
    brokered = _brokered_pairs(graph)
    on_chain, chain_products = _full_chains(trade, nodes)
    n_edges, n_stated = _edges_at(graph)
    few = n < 3
    return pl.DataFrame(
        {
            "period": [trade.period] * n,
            "org_id": graph.ids,
            "weight_basis": [trade.basis] * n,
            "n_edges": n_edges,
            "n_edges_without_value": n_edges - n_stated,
            "upstreamness": tidy(up),
            "upstreamness_reason": up_reason,
            "downstreamness": tidy(down),
            "downstreamness_reason": down_reason,
            "steps_before": before,
            "steps_after": after,
            "longest_chain_steps": before + after,
            "is_in_ring": in_ring,
            "betweenness_share": tidy(between),
            "betweenness_error": tidy(error),
            "betweenness_reason": ["too_few_organisations" if few else None] * n,
            "is_articulation": arrays.articulation_points(graph),
            "core_number": _core_numbers(graph),
            "n_brokered_pairs": brokered,
            "is_broker": brokered > 0,
            "is_on_full_chain": on_chain,
            "full_chain_reason": pl.select(
                pl.when(on_chain.is_null()).then(pl.lit("stage_unknown"))
            ).to_series(),
            "full_chain_products": chain_products,
        },
        schema_overrides={
            "upstreamness_reason": pl.String,
            "downstreamness_reason": pl.String,
            "betweenness_reason": pl.String,
            "full_chain_reason": pl.String,
        },
    )


def _edges_at(graph: CSRGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the edges at each node, by product and evidence, and those of them that state a value."""
    table = graph.link_table
    ends = [table[end].to_numpy() for end in ("source", "target")]

    def at(column: str) -> NDArray[np.int64]:
        counts = table[column].to_numpy()
        # As floats whole numbers below 2**53 stay exact.
        both = sum(np.bincount(end, weights=counts, minlength=len(graph)) for end in ends)
        return np.asarray(both, dtype=np.int64)

    return at("n_links"), at("n_stated")


def _distance(
    graph: CSRGraph, *, is_upstream: bool
) -> tuple[NDArray[np.float64], list[str | None]]:
    """Distance to an end of the chain, and why it is undefined where it is."""
    degree = arrays.out_degree(graph) if is_upstream else arrays.in_degree(graph)
    stated = arrays.strength(graph, direction="out" if is_upstream else "in")
    # One unit of final demand at the ends of the network only: who trades on without stating a value
    # is unknown, not an end.
    is_end = degree == 0
    is_silent = ~is_end & (stated == 0)

    def solve(ends: NDArray[np.bool_]) -> NDArray[np.float64]:
        outside = ends.astype(np.float64)
        if is_upstream:
            return upstreamness(graph, final_demand=outside)
        return downstreamness(graph, primary_inputs=outside)

    values = solve(is_end)
    # What stays undefined when the silent count as ends is a ring's doing.
    is_ring = np.isnan(solve(is_end | is_silent)) if is_silent.any() else np.isnan(values)
    reasons = [
        None if not absent else "closed_ring" if ring else "value_not_stated"
        for absent, ring in zip(np.isnan(values).tolist(), is_ring.tolist(), strict=True)
    ]
    return values, reasons


def _steps(
    graph: CSRGraph,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Longest ways to and from each node, every strong component counting as one place."""
    from htx_pipeline.graph.kernels import traverse

    component, count = arrays.strong_components(graph)
    source, target = component[graph.edge_source], component[graph.edge_target]
    between = source != target
    source, target = source[between], target[between]

    def longest(tail: NDArray[np.int32], head: NDArray[np.int32]) -> NDArray[np.int64]:
        rows = rows_unsorted(tail, head, count)
        level: NDArray[np.int64] = traverse.generations(rows.indptr, rows.indices)[1]
        return level

    before, after = longest(source, target), longest(target, source)
    in_ring = np.bincount(component, minlength=count)[component] > 1
    return before[component], after[component], in_ring


def _betweenness(
    graph: CSRGraph, *, exact_up_to: int, k: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = len(graph)
    nothing = np.full(n, np.nan)
    if n < 3:
        return nothing, nothing
    pairs = float((n - 1) * (n - 2))
    # A source that sells to nobody starts no way.
    sources = np.flatnonzero(arrays.out_degree(graph) > 0).astype(np.int64)
    if n <= exact_up_to or len(sources) <= k:
        return arrays.betweenness(graph, sources=sources) / pairs, nothing
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = rng.choice(sources, size=k, replace=False)
    batches = [np.sort(part) for part in np.array_split(drawn, _BATCHES)]
    sums = np.array([arrays.betweenness(graph, sources=part) for part in batches])
    means = sums / np.array([[len(part)] for part in batches])
    scale = len(sources) / pairs
    left = 1 - k / len(sources)
    error = np.sqrt(means.var(axis=0, ddof=1) / _BATCHES * left)
    return sums.sum(axis=0) / k * scale, error * scale


def _core_numbers(graph: CSRGraph) -> NDArray[np.int64]:
    """Core numbers by partners: one that both sells and buys counts once."""
    from htx_pipeline.graph.kernels import cuts

    indptr, indices = graph.neighbours
    core = np.diff(indptr)
    cuts.peel(indptr, indices, core)
    return core


def _brokered_pairs(graph: CSRGraph) -> NDArray[np.int64]:
    """Pairs i→j→k of each j, i ≠ k, without i→k (Gould & Fernandez)."""
    sold, bought = arrays.out_degree(graph), arrays.in_degree(graph)
    both_ways = sold + bought - np.diff(graph.neighbours[0])
    return np.asarray(sold * bought - both_ways - arrays.closed_pairs(graph), dtype=np.int64)


def _full_chains(trade: Trade, nodes: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Who lies on a way production → processing → consumption of one product, and of which."""
    graph = trade.graph
    n = len(graph)
    stage = np.array([s or "" for s in trade.known(nodes, "stage")], dtype=object)
    unknown = stage == ""
    sure = np.zeros(n, dtype=bool)
    possible = np.zeros(n, dtype=bool)
    found_by = [pl.DataFrame(schema={"row": pl.Int64, "code": pl.String})]
    for code in sorted(trade.rows["product_code"].drop_nulls().unique().to_list()):
        chain = graph.where(pl.col("product_code") == code)
        found = _on_way(chain, *(stage == s for s in ("production", "processing", "consumption")))
        sure |= found
        found_by.append(
            pl.DataFrame({"row": np.flatnonzero(found)}).with_columns(pl.lit(code).alias("code"))
        )
        if unknown.any():
            possible |= _on_way(
                chain,
                *((stage == s) | unknown for s in ("production", "processing", "consumption")),
            )
    is_unclear = pl.Series(possible & ~sure)
    is_on = pl.Series(sure).set(is_unclear, None)
    codes = pl.concat(found_by).sort("row", "code").group_by("row", maintain_order=True).agg("code")
    rows = pl.DataFrame({"row": np.arange(n, dtype=np.int64)})
    return is_on, rows.join(codes, on="row", how="left", maintain_order="left")["code"]


def _on_way(
    graph: CSRGraph, first: NDArray[Any], middle: NDArray[Any], last: NDArray[Any]
) -> NDArray[np.bool_]:
    """Nodes on a walk that meets a first, then another middle, then another last node, in order."""
    first, middle, last = (np.asarray(m, dtype=bool) for m in (first, middle, last))
    from_first = _reached(graph, first, "out")
    to_last = _reached(graph, last, "in")
    kept = middle & _after(graph, from_first, "out") & _after(graph, to_last, "in")
    upper = from_first & _reached(graph, kept, "in")
    lower = to_last & _reached(graph, kept, "out")
    return np.asarray(upper | lower)


def _reached(graph: CSRGraph, seeds: NDArray[np.bool_], direction: str) -> NDArray[np.bool_]:
    from htx_pipeline.graph.kernels import traverse

    rows = graph.out if direction == "out" else graph.into
    start = np.flatnonzero(seeds).astype(np.int64)
    _, hops = traverse.levels(rows.indptr, rows.indices, start, len(graph) + 1)
    return np.asarray(hops >= 0)


def _after(graph: CSRGraph, reached: NDArray[np.bool_], direction: str) -> NDArray[np.bool_]:
    """Nodes one step beyond a reached node."""
    ahead, behind = graph.edge_source, graph.edge_target
    if direction == "in":
        ahead, behind = behind, ahead
    mask = np.zeros(len(graph), dtype=bool)
    mask[behind[reached[ahead]]] = True
    return mask


def bridges(
    edges: pl.DataFrame, *, evidence: str = "signed", min_stated_share: float = 0.5
) -> pl.DataFrame:
    """List the linkages whose end would cut a part of the network off.

    Parameters
    ----------
    edges:
        The table `graph/edges`.
    evidence, min_stated_share:
        See `positions`.

    Returns
    -------
    DataFrame
        `BRIDGE_SCHEMA`, one row per pair of organisations and direction. ``trade``: what they trade
        (VND, or linkages on the basis ``links``); ``n_cut_off``: organisations on the smaller side;
        ``n_component``: organisations now together.

    References
    ----------
    Hopcroft & Tarjan 1973, doi:10.1145/362248.362272.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 4, "supplier_id": ["a", "a", "b", "c"],
    ...     "buyer_id": ["b", "c", "c", "d"], "product_code": ["rice"] * 4, "evidence": ["signed"] * 4}))
    >>> bridges(network.edges(links)).select("supplier_id", "buyer_id", "n_cut_off", "n_component").rows()
    [('c', 'd', 1, 4)]
    """
    parts = [pl.DataFrame(schema=BRIDGE_SCHEMA)]
    for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share):
        graph = trade.graph
        found = arrays.depth_first(graph)
        mask = arrays.bridges(graph)
        source, target = graph.edge_source[mask], graph.edge_target[mask]
        size = subtree_sizes(found)
        component, _ = arrays.weak_components(graph)
        whole = np.bincount(component)[component]
        child = np.where(found.number[source] > found.number[target], source, target)
        below = size[child]
        ids = graph.ids
        parts.append(
            pl.DataFrame(
                {
                    "period": [trade.period] * len(source),
                    "supplier_id": ids.gather(source),
                    "buyer_id": ids.gather(target),
                    "weight_basis": [trade.basis] * len(source),
                    "trade": graph.weights()[mask],
                    "n_cut_off": np.minimum(below, whole[child] - below),
                    "n_component": whole[child],
                },
                schema=BRIDGE_SCHEMA,
            )
        )
    return pl.concat(parts).sort("period", "supplier_id", "buyer_id")


def subtree_sizes(found: arrays.DepthFirst) -> NDArray[np.int64]:
    """Count the nodes of each node's subtree of a depth-first search, itself included."""
    size = np.ones(len(found.order), dtype=np.int64)
    parent = found.parent
    for v in found.order[::-1].tolist():
        if parent[v] >= 0:
            size[parent[v]] += size[v]
    return size
