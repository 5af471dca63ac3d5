"""Risk: what is lost when an organisation fails, and whose failure splits the network.

What belongs here: the Economic Systemic Risk Index as a table, loss to members' income, single points
of failure, percolation. What does not: the cascade itself (`htx_pipeline.graph.esri`), positions
without loss (`position`).

Work on a graph: the edges become CSR arrays (`htx_pipeline.graph`), so these functions take Polars, not
any engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.esri import Figure, esri_figures, esri_figures_approximate
from htx_pipeline.metrics._trade import DIGITS, Trade, tidy, trades
from htx_pipeline.metrics.position import subtree_sizes

ESSENTIAL: Final = frozenset({("production", "processing"), ("collection", "processing")})
"""(stage of the seller, stage of the buyer): the buyer cannot work without. Our choice: a processor
stands still without raw material; traders, shops and growers do less."""

RISK_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "weight_basis": pl.String(),
    "sector": pl.String(),
    "output_share": pl.Float64(),
    "esri_leontief": pl.Float64(),
    "esri_leontief_low": pl.Float64(),
    "esri_leontief_high": pl.Float64(),
    "esri_linear": pl.Float64(),
    "esri_rank": pl.Int64(),
    "is_exact": pl.Boolean(),
    "member_income_loss_vnd": pl.Int64(),
    "member_income_loss_share": pl.Float64(),
    "income_reason": pl.String(),
    "reason": pl.String(),
}
"""Columns of `metrics/risk`."""

POINT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "weight_basis": pl.String(),
    "n_component": pl.Int64(),
    "n_parts": pl.Int64(),
    "n_cut_off": pl.Int64(),
    "own_trade": pl.Int64(),
    "cut_off_trade": pl.Int64(),
    "disconnected_share": pl.Float64(),
}
"""Columns of `single_points`."""

PERCOLATION_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "strategy": pl.String(),
    "removed_share": pl.Float64(),
    "n_removed": pl.Int64(),
    "n_draws": pl.Int64(),
    "giant_share": pl.Float64(),
    "giant_share_min": pl.Float64(),
    "giant_share_max": pl.Float64(),
    "giant_trade_share": pl.Float64(),
    "giant_trade_share_min": pl.Float64(),
    "giant_trade_share_max": pl.Float64(),
    "weight_basis": pl.String(),
}
"""Columns of `percolation`."""

STRATEGIES: Final = ("largest_trade", "most_partners", "random")


def systemic_risk(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    reports: pl.DataFrame | None = None,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
    essential: Collection[tuple[str, str]] = ESSENTIAL,
    exact_up_to: int = 20_000,
    seed: int = 20,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Say of each organisation what share of all output is lost if it alone stops.

    The Economic Systemic Risk Index: the loss runs down to buyers and up to suppliers until nothing
    changes (see `htx_pipeline.graph.esri.esri` for the equations). ``esri_leontief``: generalised
    Leontief production, where inputs named in ``essential`` limit a buyer's output;
    ``esri_linear``: none does, a lower figure. A sector is a stage and the product mostly sold (bought,
    by who sells nothing): within it suppliers can replace each other in proportion to their sales.
    0..1; the organisation's own output (``output_share``) is part of it.

    ``member_income_loss_vnd`` = Σ_i h(i)·income(i)·members(i) over cooperatives i, h(i) the share of
    i's trade lost in the cascade (1 for the failing organisation itself): the income of members, in
    VND a year, that hangs on it. It takes members' whole income to move with their cooperative's
    recorded trade: an upper bound. ``member_income_loss_share``: of all cooperatives that trade and
    state income and members.

    Undefined: no linkage (``no_linkage``); linkages whose value nobody states (``value_not_stated``);
    no cooperative of the period states income and members (``income_not_stated``).
    Hazards: the short run, without stocks, new contracts or trade outside the network; a processor of
    two products stops, under Leontief, when it loses one.

    Parameters
    ----------
    edges, nodes, reports:
        The tables `graph/edges`, `graph/nodes`, `core/cooperative_reports`.
    evidence, min_stated_share:
        See `positions`.
    essential:
        Pairs of stages (seller, buyer).
    exact_up_to:
        Linked organisations above which the index is estimated with bounds (``is_exact`` false, drawn
        with ``seed``; see `esri_approximate`); the income loss and the linear index are then the
        estimates.
    workers, progress:
        Threads (all processors when None), and a function of (cascades done, cascades of this pass), for
        networks of a million linkages, which take minutes.

    Returns
    -------
    DataFrame
        `RISK_SCHEMA`, one row per organisation of ``nodes``; ``esri_rank`` 1 is the riskiest (of
        equals, the smaller id first).

    References
    ----------
    Diem, Borsos, Reisch, Kertész & Thurner 2022, doi:10.1038/s41598-022-11522-z.

    Examples
    --------
    Two farms sell equally to a mill, which sells to a shop.

    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 3, "supplier_id": ["farm1", "farm2", "mill"],
    ...     "buyer_id": ["mill", "mill", "shop"], "product_code": ["rice"] * 3, "evidence": ["executed"] * 3,
    ...     "paid_value_vnd": [1, 1, 2], "has_processing": [True, True, False]}))
    >>> edges = network.edges(links)
    >>> made = systemic_risk(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> made.select("org_id", "output_share", "esri_leontief", "reason").rows()
    [('farm1', 0.25, 0.5, None), ('farm2', 0.25, 0.5, None), ('mill', 0.5, 1.0, None), ('shop', 0.0, 1.0, None)]
    """
    parts = [
        _risk_of(
            trade, nodes, reports, essential, exact_up_to=exact_up_to, seed=seed, workers=workers, progress=progress
        )
        for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share)
    ]  # fmt: skip
    made = pl.concat([pl.DataFrame(schema=RISK_SCHEMA), *parts], how="diagonal")
    return (
        nodes.select("period", "org_id")
        .unique()
        .join(made, on=["period", "org_id"], how="left")
        .with_columns(
            pl.when(pl.col("weight_basis").is_null())
            .then(pl.lit("no_linkage"))
            .otherwise(pl.col("reason"))
            .alias("reason")
        )
        .select(pl.col(c).cast(t) for c, t in RISK_SCHEMA.items())
        .sort("period", "org_id")
    )


def _risk_of(
    trade: Trade,
    nodes: pl.DataFrame,
    reports: pl.DataFrame | None,
    essential: Collection[tuple[str, str]],
    *,
    exact_up_to: int,
    seed: int,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> pl.DataFrame:
    graph = trade.graph
    n = len(graph)
    stage = [s or "unknown" for s in trade.known(nodes, "stage")]
    sector = [f"{s}/{p}" for s, p in zip(stage, _main_products(trade), strict=True)]
    names, number = np.unique(np.array(sector), return_inverse=True)
    of_sector = [str(name).split("/", 1)[0] for name in names]
    binding = np.array([[(a, b) in essential for b in of_sector] for a in of_sector], dtype=bool)
    income = _income(trade, reports)
    figures = [Figure(), Figure("linear")]
    if income is not None:
        figures.append(Figure(importance=income))
    common: dict[str, Any] = {
        "figures": figures, "sector": number, "essential": binding, "workers": workers, "progress": progress,
    }  # fmt: skip
    is_exact = np.ones(n, dtype=bool)
    bounds: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    if n <= exact_up_to:
        found = [of.risk for of in esri_figures(graph, **common)]
        bounds = [(risk, risk) for risk in found]
    else:
        made_of = esri_figures_approximate(graph, seed=seed, **common)
        found = [of.risk for of in made_of]
        bounds = [(of.low, of.high) for of in made_of]
        is_exact = made_of[0].is_exact
    leontief, linear = found[:2]
    low, high = bounds[0]
    loss = found[2] if income is not None else None
    sales = arrays.strength(graph)
    is_silent = (sales + arrays.strength(graph, direction="in")) == 0
    total = sales.sum()
    shares: dict[str, NDArray[np.float64]] = {
        "output_share": sales / total if total > 0 else np.full(n, np.nan),
        "esri_leontief": leontief,
        "esri_leontief_low": low,
        "esri_leontief_high": high,
        "esri_linear": linear,
    }
    shown = {
        k: tidy(np.where(is_silent | np.isinf(v), np.nan, v), digits=9) for k, v in shares.items()
    }
    made = pl.DataFrame(
        {
            "period": [trade.period] * n,
            "org_id": graph.ids,
            "weight_basis": [trade.basis] * n,
            "sector": sector,
            **shown,
            "is_exact": is_exact,
            "reason": pl.Series(np.where(is_silent, "value_not_stated", "")).replace("", None),
        }
    )
    if loss is None or income is None:
        made = made.with_columns(pl.lit("income_not_stated").alias("income_reason"))
    else:
        lost = np.where(is_silent, np.nan, loss)
        made = made.with_columns(
            tidy(lost, digits=0).cast(pl.Int64).alias("member_income_loss_vnd"),
            tidy(lost / income.sum(), digits=9).alias("member_income_loss_share"),
            pl.Series(np.where(is_silent, "value_not_stated", ""))
            .replace("", None)
            .alias("income_reason"),
        )
    ranked = made.sort("esri_leontief", "org_id", descending=[True, False], nulls_last=True)
    return ranked.with_columns(
        pl.when(pl.col("esri_leontief").is_not_null())
        .then(pl.int_range(1, pl.len() + 1))
        .alias("esri_rank")
    )


def _main_products(trade: Trade) -> list[str]:
    """Product mostly sold, else mostly bought, by trade; of equals, the smaller code."""
    sides = []
    for rank, column in enumerate(("supplier_id", "buyer_id")):
        sides.append(
            trade.rows.group_by(pl.col(column).alias("org_id"), "product_code")
            .agg(pl.col("trade").sum())
            .with_columns(pl.lit(rank).alias("side"))
        )
    best = (
        pl.concat(sides)
        .sort("org_id", "side", "trade", "product_code", descending=[False, False, True, False])
        .unique("org_id", keep="first", maintain_order=True)
    )
    ids = trade.graph.ids.alias("org_id").to_frame()
    found = ids.join(best, on="org_id", how="left", maintain_order="left")
    return found["product_code"].fill_null("unknown").to_list()


def _income(trade: Trade, reports: pl.DataFrame | None) -> NDArray[np.float64] | None:
    """Members' income (VND a year) behind each node; None when nobody in the network states any."""
    if reports is None:
        return None
    told = reports.with_columns(
        (pl.col("member_income_vnd") * pl.col("official_members")).alias("income")
    )
    values = np.array([v or 0 for v in trade.known(told, "income")], dtype=np.float64)
    return values if values.sum() > 0 else None


def single_points(
    edges: pl.DataFrame,
    *,
    min_share: float = 0.01,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
    """List the organisations whose exit takes a part of the network apart from the rest.

    Without it its part of the network falls into ``n_parts``; all but the largest by trade (of equals,
    the one with more organisations) are cut off. ``disconnected_share`` =
    (its own trade + trade within the parts cut off) / all trade of the period; listed from
    ``min_share`` on.

    Parameters
    ----------
    edges:
        The table `graph/edges`.
    min_share:
        Smallest share to list, 0..1.
    evidence, min_stated_share:
        See `positions`.

    Returns
    -------
    DataFrame
        `POINT_SCHEMA`, the gravest first. Trade in VND, or linkages on the basis ``links``.
        A period whose linkages state no value at all has no row.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 4, "supplier_id": ["a", "b", "hub", "x"],
    ...     "buyer_id": ["hub", "hub", "x", "y"], "product_code": ["rice"] * 4, "evidence": ["executed"] * 4,
    ...     "paid_value_vnd": [10, 20, 30, 40]}))
    >>> single_points(network.edges(links)).select("org_id", "n_parts", "n_cut_off", "own_trade", "cut_off_trade", "disconnected_share").rows()
    [('x', 2, 1, 70, 0, 0.7), ('hub', 3, 2, 60, 0, 0.6)]
    """
    if not 0 <= min_share <= 1:
        raise InputError(f"min_share is {min_share}, not between 0 and 1.", code="unknown_choice")
    parts = [pl.DataFrame(schema=POINT_SCHEMA)]
    for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share):
        rows = _points_of(trade.graph)
        total = int(trade.graph.weights().sum())
        if total == 0 or not rows:
            continue
        parts.append(
            pl.DataFrame(rows, schema=[c for c in POINT_SCHEMA if c not in ("period", "weight_basis", "disconnected_share")], orient="row")
            .with_columns(
                pl.lit(trade.period).alias("period"),
                pl.lit(trade.basis).alias("weight_basis"),
                ((pl.col("own_trade") + pl.col("cut_off_trade")) / total).round(DIGITS).alias("disconnected_share"),
            )
            .filter(pl.col("disconnected_share") >= min_share)
            .select(pl.col(c).cast(t) for c, t in POINT_SCHEMA.items())
        )  # fmt: skip
    return pl.concat(parts).sort(
        "period", "disconnected_share", "org_id", descending=[False, True, False]
    )


def _points_of(graph: CSRGraph) -> list[tuple[Any, ...]]:
    """One row per articulation organisation: what its parts hold, from one depth-first search.

    Every edge joins a node to one of its ancestors, so the trade inside the part below a child is the
    trade entered at the child's subtree less what leads to the node itself.
    """
    n = len(graph)
    mask = arrays.articulation_points(graph)
    if not mask.any():
        return []
    found = arrays.depth_first(graph)
    number, parent, low = (np.asarray(a, dtype=np.int64) for a in (found.number, found.parent, found.low))  # fmt: skip
    size = subtree_sizes(found)
    weight = graph.weights().astype(np.int64)
    source, target = graph.edge_source.astype(np.int64), graph.edge_target.astype(np.int64)
    is_down = number[source] < number[target]
    top, bottom = np.where(is_down, source, target), np.where(is_down, target, source)

    entered = np.zeros(n, dtype=np.int64)
    np.add.at(entered, number[bottom], weight)
    running = np.concatenate([[0], np.cumsum(entered)])
    inside = running[number + size] - running[number]
    own = np.zeros(n, dtype=np.int64)
    np.add.at(own, source, weight)
    np.add.at(own, target, weight)

    child = np.flatnonzero(parent >= 0)
    # The child of `top` above `bottom` is the last of its children numbered at or before it.
    key = parent[child] * n + number[child]
    sorting = np.argsort(key)
    child, key = child[sorting], key[sorting]
    branch = np.searchsorted(key, top * n + number[bottom], side="right") - 1
    to_top = np.zeros(len(child), dtype=np.int64)
    np.add.at(to_top, branch, weight)

    component, count = arrays.weak_components(graph)
    n_component = np.bincount(component, minlength=count)
    trade_component = np.zeros(count, dtype=np.int64)
    np.add.at(trade_component, component[source], weight)
    first_child = np.searchsorted(key, np.arange(n + 1) * n)

    rows = []
    labels = graph.labels
    for v in np.flatnonzero(mask).tolist():
        whole, whole_trade = int(n_component[component[v]]), int(trade_component[component[v]])
        pieces: list[tuple[int, int]] = []
        for place in range(int(first_child[v]), int(first_child[v + 1])):
            c = int(child[place])
            if parent[v] < 0 or low[c] >= number[v]:
                pieces.append((int(inside[c] - to_top[place]), int(size[c])))
        rest = whole - 1 - sum(p[1] for p in pieces)
        if rest > 0:
            rest_trade = whole_trade - int(own[v]) - sum(p[0] for p in pieces)
            pieces.append((rest_trade, rest))
        largest = max(pieces)
        rows.append(
            (
                labels[v],
                whole,
                len(pieces),
                whole - 1 - largest[1],
                int(own[v]),
                sum(p[0] for p in pieces) - largest[0],
            )
        )
    return rows


def percolation(
    edges: pl.DataFrame,
    *,
    strategies: Sequence[str] = STRATEGIES,
    up_to: float = 0.5,
    steps: int = 20,
    draws: int = 20,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
    seed: int = 20,
) -> pl.DataFrame:
    """Take organisations out, one share after another, and say how much still hangs together.

    ``largest_trade``: those that buy and sell most leave first; ``most_partners``: those with most
    partners (ranked once, in the whole network; of equals, the smaller id); ``random``: mean, least and
    most of ``draws`` orders drawn with ``seed``. A network that bears random exit but not targeted
    exit hangs on few.

    Returns
    -------
    DataFrame
        `PERCOLATION_SCHEMA`. ``giant_share``: organisations in the largest remaining part, of all
        linked ones; ``giant_trade_share``: trade within it, of all trade (null when nobody states a
        value). 0..1.

    References
    ----------
    Albert, Jeong & Barabási 2000, doi:10.1038/35019019; Newman & Ziff 2001,
    doi:10.1103/PhysRevE.64.016706 (organisations are put back in reverse, so that a draw costs one pass
    over the linkages).

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 3, "supplier_id": ["a", "b", "c"],
    ...     "buyer_id": ["hub"] * 3, "product_code": ["rice"] * 3, "evidence": ["executed"] * 3, "paid_value_vnd": [1, 2, 3]}))
    >>> made = percolation(network.edges(links), strategies=["largest_trade"], up_to=0.25, steps=1)
    >>> made.select("n_removed", "giant_share", "giant_trade_share").rows()
    [(0, 1.0, 1.0), (1, 0.25, 0.0)]
    """
    unknown = [s for s in strategies if s not in STRATEGIES]
    if unknown or not 0 < up_to <= 1 or steps < 1 or draws < 1:
        raise InputError(
            f"Unknown choice: strategies={list(strategies)!r}, up_to={up_to!r}, steps={steps!r}, draws={draws!r}.",
            remedy=f"strategies: {', '.join(STRATEGIES)}; up_to in 0..1; steps and draws 1 or more.",
            code="unknown_choice",
        )
    rows = []
    for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share):
        graph = trade.graph
        n = len(graph)
        total = int(graph.weights().sum())
        counts = np.unique([round(n * up_to * step / steps) for step in range(steps + 1)])
        for strategy in strategies:
            orders = _exit_orders(graph, strategy, draws=draws, seed=seed)
            parts = [arrays.largest_parts(graph, order, counts) for order in orders]
            giants = np.array([size for size, _ in parts]) / n
            values = np.array([within for _, within in parts]) / (total or np.nan)
            for place, k in enumerate(counts.tolist()):
                giant, value = giants[:, place], values[:, place]
                rows.append((
                    trade.period, strategy, round(k / n, DIGITS), k, len(orders),
                    *(round(float(f(part)), DIGITS) for part in (giant, value) for f in (np.mean, np.min, np.max)),
                    trade.basis,
                ))  # fmt: skip
    made = pl.DataFrame(rows, schema=PERCOLATION_SCHEMA, orient="row")
    return made.with_columns(pl.col(pl.Float64).fill_nan(None)).sort(
        "period", "strategy", "n_removed"
    )


def _exit_orders(
    graph: CSRGraph, strategy: str, *, draws: int, seed: int
) -> list[NDArray[np.int64]]:
    n = len(graph)
    if strategy == "random":
        rng = np.random.Generator(np.random.PCG64(seed))
        return [rng.permutation(n) for _ in range(draws)]
    if strategy == "largest_trade":
        score = arrays.strength(graph) + arrays.strength(graph, direction="in")
    else:
        score = np.diff(graph.neighbours[0]).astype(np.float64)
    return [np.lexsort((np.arange(n), -score))]
