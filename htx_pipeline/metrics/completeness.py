"""Completeness of a chain: stages present and missing, capacity against output, the bottleneck.

What belongs here: what a product's chain lacks in a locality and where its flow is tightest. What
does not: the stages of clusters (`htx_pipeline.clusters.describe`), flows for pictures (`chain`).

`chain_stages` and `processing_capacity` take any engine Narwhals knows; the minimum cut is work on a
graph and takes Polars.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.graph.build import CanonicalEdges, canonical_edges
from htx_pipeline.graph.network import at_least
from htx_pipeline.graph.numbering import NODE_ID
from htx_pipeline.metrics._tables import at_level, chosen, typed, with_stages
from htx_pipeline.metrics._tabular import MASS_SCALE, Native, enter, leave, pin, ratio, stack, total
from htx_pipeline.metrics.linkage import UNKNOWN, WHOLE
from htx_pipeline.reference.stages import stages

CHAIN_STAGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "locality": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "n_organisations": pl.Int64(),
    "n_linkages": pl.Int64(),
    "is_present": pl.Boolean(),
    "presence_basis": pl.String(),
    "is_served_from_outside": pl.Boolean(),
    "is_named_by_decree": pl.Boolean(),
}
"""Columns of `chain_stages`."""

BOTTLENECK_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "product_code": pl.String(),
    "quantity": pl.String(),
    "max_flow": pl.Float64(),
    "supply": pl.Float64(),
    "demand": pl.Float64(),
    "from_stage": pl.String(),
    "to_stage": pl.String(),
    "cut_flow": pl.Float64(),
    "n_cut_edges": pl.Int64(),
    "n_edges": pl.Int64(),
    "n_edges_without_quantity": pl.Int64(),
    "is_defined": pl.Boolean(),
    "reason": pl.String(),
}
"""Columns of `bottlenecks`."""


def chain_stages(edges: Native, nodes: Native, *, evidence: str = "signed") -> Native:
    """Say, for each product and locality, which stages of the chain are present.

    A stage is present in a locality when an organisation of that place and stage handles the product,
    or a linkage of an organisation of that place covers the stage (its flag). A stage that is missing
    there but held by a direct partner elsewhere ``is_served_from_outside``: the chain goes on, its
    value added does not stay.

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    evidence:
        Weakest level that counts.

    Returns
    -------
    frame
        `CHAIN_STAGE_SCHEMA`, five rows (one a stage) for each period, locality (and ``province``) and
        product. ``n_linkages``: linkages whose flag covers the stage.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"], "supplier_id": ["a"], "buyer_id": ["b"],
    ...     "product_code": ["coffee"], "evidence": ["active"]}))
    >>> edges = network.edges(links)
    >>> made = chain_stages(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> made.filter(pl.col("locality") == "province", "is_present")["stage"].to_list()
    ['production', 'consumption']
    """
    rows = at_level(enter(edges), evidence)
    place = enter(nodes).select("period", "org_id", nw.col("locality").fill_null(UNKNOWN), "stage")
    flags = stages().drop_nulls("flag").select("code", "flag").rows()
    cell = ["period", "locality", "product_code"]
    ends = ("supplier", "buyer")
    # Who handles what, and then linkages by the places and stages of their ends: few rows from here on.
    handled = stack(
        [rows.select("period", "product_code", nw.col(f"{e}_id").alias("org_id")) for e in ends]
    ).unique()
    handled = handled.join(place, on=["period", "org_id"], how="left").with_columns(
        nw.col("locality").fill_null(UNKNOWN)
    )
    held = handled.group_by(*cell, "stage").agg(nw.len().cast(nw.Int64).alias("n_organisations"))
    for end in ends:
        own = place.rename({"org_id": f"{end}_id", "locality": f"_{end}", "stage": f"_{end}_stage"})
        rows = rows.join(own, on=["period", f"{end}_id"], how="left")
        rows = rows.with_columns(nw.col(f"_{end}").fill_null(UNKNOWN))
    between = pin(
        rows.group_by("period", "product_code", "_supplier", "_buyer", "_supplier_stage", "_buyer_stage").agg(
            *(nw.when(nw.col(f)).then(nw.col("n_linkages")).otherwise(0).sum().cast(nw.Int64).alias(f) for _, f in flags)
        )
    )  # fmt: skip
    whole, names = nw.lit(WHOLE).alias("locality"), [f for _, f in flags]
    held = pin(held)
    held = stack([held, held.with_columns(whole)]).group_by(*cell, "stage").agg(
        nw.col("n_organisations").sum().cast(nw.Int64)
    )  # fmt: skip
    grid_cells = held.select(cell).unique()
    held = held.filter(~nw.col("stage").is_null())
    grid = stack(
        [
            grid_cells.with_columns(
                nw.lit(code).alias("stage"), nw.lit(rank).alias("_rank"), nw.lit(named).alias("is_named_by_decree")
            )
            for code, rank, named in stages().select("code", "rank", "is_named_by_decree").iter_rows()
        ]
    )  # fmt: skip
    # A linkage within one place covers a stage there once.
    apart = between.filter(nw.col("_supplier") != nw.col("_buyer"))
    counted = stack(
        [
            between.select("period", nw.col("_supplier").alias("locality"), "product_code", *names),
            apart.select("period", nw.col("_buyer").alias("locality"), "product_code", *names),
            between.select("period", whole, "product_code", *names),
        ]
    )
    counted = pin(counted.group_by(cell).agg(*(nw.col(f).sum().cast(nw.Int64) for f in names)))
    covered = stack(
        [
            counted.select(*cell, nw.lit(code).alias("stage"), nw.col(flag).alias("n_linkages"))
            for code, flag in flags
        ]
    )
    partners = stack(
        [
            between.select("period", nw.col(f"_{own}").alias("locality"), "product_code", nw.col(f"_{other}_stage").alias("stage"))
            for own, other in (ends, ends[::-1])
        ]
    )  # fmt: skip
    partners = stack([partners, partners.with_columns(whole)])
    outside = partners.filter(~nw.col("stage").is_null()).unique()
    frame = (
        grid.join(held, on=[*cell, "stage"], how="left")
        .join(covered, on=[*cell, "stage"], how="left")
        .join(outside.with_columns(nw.lit(True).alias("_partner")), on=[*cell, "stage"], how="left")
        .with_columns(
            nw.col("n_organisations", "n_linkages").fill_null(0),
            nw.col("_partner").fill_null(False),
        )
    )
    by_node, by_flag = nw.col("n_organisations") > 0, nw.col("n_linkages") > 0
    made = frame.with_columns(
        (by_node | by_flag).alias("is_present"),
        chosen((by_node & by_flag, "both"), (by_node, "organisation"), (by_flag, "linkage")).alias(
            "presence_basis"
        ),
        (~by_node & nw.col("_partner")).alias("is_served_from_outside"),
    ).sort(*cell, "_rank")
    return leave(typed(made, CHAIN_STAGE_SCHEMA), like=edges)  # type: ignore[no-any-return]


def processing_capacity(
    edges: Native,
    nodes: Native,
    capacities: Native | None = None,
    *,
    evidence: str = "signed",
) -> Native:
    """Hold the capacity of the processors of a product against what producers have contracted.

    ``capacity_share`` = capacity / output: under 1, part of the output cannot be processed here.
    Output is the contracted mass sold by organisations of the stage production to others than
    producers, so that no tonne counts twice.

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    capacities:
        ``period``, ``org_id``, ``product_code``, ``capacity_tonnes`` (raw material a year). The
        canonical tables do not hold it: without it the share is null, ``capacity_not_collected``.
    evidence:
        Weakest level that counts.

    Returns
    -------
    frame
        ``period``, ``product_code``, ``output_tonnes``, ``n_processors``, ``n_capacity_stated``,
        ``capacity_tonnes``, ``capacity_share``, ``is_defined``, ``reason`` (``no_processor``,
        ``capacity_not_collected``, ``output_not_stated``, ``output_zero``).

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"], "supplier_id": ["a"], "buyer_id": ["b"],
    ...     "product_code": ["cassava"], "evidence": ["signed"], "has_processing": [True], "contracted_tonnes": [50.0]}))
    >>> edges = network.edges(links)
    >>> nodes = network.nodes(TABLES["organisations"].empty(), edges)
    >>> processing_capacity(edges, nodes)["reason"].item()
    'capacity_not_collected'
    """
    rows = at_level(enter(edges), evidence).filter(~nw.col("is_self_loop"))
    rows = pin(with_stages(rows, enter(nodes), supplier="_from", buyer="_to"))
    key = ["period", "product_code"]
    to_others = (nw.col("_to") != "production") | nw.col("_to").is_null()
    output = rows.filter(nw.col("_from") == "production", to_others).group_by(key).agg(
        total("contracted_tonnes", scale=MASS_SCALE).alias("output_tonnes")
    )  # fmt: skip
    handled = stack(
        [
            rows.filter(nw.col("_from") == "processing").select(*key, nw.col("supplier_id").alias("org_id")),
            rows.filter(nw.col("_to") == "processing").select(*key, nw.col("buyer_id").alias("org_id")),
        ]
    ).unique()  # fmt: skip
    if capacities is None:
        handled = handled.with_columns(nw.lit(None, dtype=nw.Float64).alias("capacity_tonnes"))
    else:
        stated = enter(capacities).select(
            *key, "org_id", nw.col("capacity_tonnes").cast(nw.Float64)
        )
        handled = handled.join(stated, on=[*key, "org_id"], how="left")
    processors = handled.group_by(key).agg(
        nw.len().cast(nw.Int64).alias("n_processors"),
        nw.col("capacity_tonnes").count().cast(nw.Int64).alias("n_capacity_stated"),
        total("capacity_tonnes", scale=MASS_SCALE).alias("capacity_tonnes"),
    )
    made = (
        rows.select(key)
        .unique()
        .join(output, on=key, how="left")
        .join(processors, on=key, how="left")
    )
    made = made.with_columns(nw.col("n_processors", "n_capacity_stated").fill_null(0))
    made = made.with_columns(
        chosen(
            (nw.col("n_processors") == 0, "no_processor"),
            (nw.col("n_capacity_stated") == 0, "capacity_not_collected"),
            (nw.col("output_tonnes").is_null(), "output_not_stated"),
            (nw.col("output_tonnes") == 0, "output_zero"),
        ).alias("reason")
    ).with_columns(nw.col("reason").is_null().alias("is_defined"))
    result = made.select(
        *key, "output_tonnes", "n_processors", "n_capacity_stated", "capacity_tonnes",
        nw.when(nw.col("is_defined")).then(ratio("capacity_tonnes", "output_tonnes")).alias("capacity_share"),
        "is_defined", "reason",
    ).sort(*key)  # fmt: skip
    return leave(result, like=edges)  # type: ignore[no-any-return]


def minimum_cut(
    arcs: list[tuple[str, str, int]], *, source: str, sink: str
) -> tuple[int, list[tuple[str, str]]]:
    """Return the greatest flow from source to sink, and the arcs of the minimum cut nearest the source.

    Parameters
    ----------
    arcs:
        (tail, head, capacity) with whole, non-negative capacities; parallel arcs add up.

    References
    ----------
    Ford, Fulkerson 1956, doi:10.4153/CJM-1956-045-5.

    Examples
    --------
    >>> minimum_cut([("s", "a", 3), ("a", "t", 2)], source="s", sink="t")
    (2, [('a', 't')])
    """
    names = sorted({source, sink, *(end for tail, head, _ in arcs for end in (tail, head))})
    number = {name: row for row, name in enumerate(names)}
    tail = np.array([number[u] for u, _, _ in arcs], dtype=np.int32)
    head = np.array([number[v] for _, v, _ in arcs], dtype=np.int32)
    width = np.array([room for _, _, room in arcs], dtype=np.int64)
    value, (cut_tail, cut_head, _) = _cut(
        tail, head, width, n=len(names), source=number[source], sink=number[sink]
    )
    pairs = zip(cut_tail.tolist(), cut_head.tolist(), strict=True)
    return value, sorted((names[u], names[v]) for u, v in pairs)


def _cut(
    tail: NDArray[Any],
    head: NDArray[Any],
    width: NDArray[np.int64],
    *,
    n: int,
    source: int,
    sink: int,
) -> tuple[int, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Return the greatest flow, and tail, head and width of the arcs of the cut nearest the source."""
    from htx_pipeline.graph.csr import CSRGraph
    from htx_pipeline.graph.flow import maximum_flow

    graph = CSRGraph.from_arrays(tail, head, n=n, weight=width)
    flow = maximum_flow(graph, source, sink)
    u, v, room = graph.edge_source, graph.edge_target, graph.weights()
    is_cut = flow.side[u] & ~flow.side[v] & (room > 0)
    return round(flow.value), (u[is_cut], v[is_cut], room[is_cut])


def bottlenecks(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    *,
    quantity: str = "contracted_tonnes",
    capacities: pl.DataFrame | None = None,
    evidence: str = "signed",
) -> pl.DataFrame:
    """Find where the flow of each product from producers to consumption is tightest.

    Producers feed the network as much as they have sold, consumption takes all it can; each linkage
    carries at most its quantity, and a processor at most its capacity, where one is stated. The
    greatest flow equals the smallest set of linkages (or capacities) that would stop it: the cut
    (max-flow min-cut). ``from_stage`` → ``to_stage`` is the pair of stages with the largest part of
    the cut nearest the producers, ``cut_flow`` that part.

    Hazards: mass shrinks in processing (five of cherries make one of green coffee), so in tonnes the
    step after processing looks tight by nature: compare chains of one product, or use value. Edges
    that state no quantity carry nothing and are counted.

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    quantity:
        ``contracted_tonnes``, ``delivered_tonnes``, ``contracted_value_vnd`` or ``paid_value_vnd``.
    capacities:
        As for `processing_capacity`; in tonnes, so only with a quantity in tonnes.
    evidence:
        Weakest level that counts.

    Returns
    -------
    DataFrame
        `BOTTLENECK_SCHEMA`, one row per period and product. ``supply``: sold by producers;
        ``demand``: bought at consumption. ``reason``: ``quantity_not_stated``, ``no_production``,
        ``no_consumption``, ``not_connected``.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a", "b"],
    ...     "buyer_id": ["b", "c"], "product_code": ["rice"] * 2, "evidence": ["signed"] * 2, "contracted_tonnes": [9.0, 4.0]}))
    >>> edges = network.edges(links)
    >>> made = bottlenecks(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> made.select("max_flow", "supply", "from_stage", "to_stage").rows()
    [(4.0, 9.0, 'collection', 'consumption')]
    """
    scale = 1 if quantity.endswith("_vnd") else 1_000_000
    if capacities is not None and scale == 1:
        raise ValueError("capacities are in tonnes: choose a quantity in tonnes")
    rows = at_least(edges.lazy(), evidence=evidence).filter(~pl.col("is_self_loop"))
    cells = rows.select("period", "product_code").unique().collect().sort("period", "product_code")
    made = []
    for period, product in cells.iter_rows():
        part = rows.filter(
            pl.col("period") == period, pl.col("product_code").eq_missing(pl.lit(product))
        )
        own = None
        if capacities is not None:
            own = capacities.filter(
                pl.col("period") == period, pl.col("product_code").eq_missing(pl.lit(product))
            ).drop_nulls("capacity_tonnes")
        pairs = canonical_edges(
            part.select("supplier_id", "buyer_id", quantity).collect(),
            keys=(),
            sums=(quantity,),
            dates=(),
        )
        found = _bottleneck(
            pairs, nodes.filter(pl.col("period") == period), own, quantity=quantity, scale=scale
        )
        for name in ("max_flow", "supply", "demand", "cut_flow"):
            if found.get(name) is not None:
                found[name] = found[name] / scale
        made.append(
            {
                "period": period,
                "product_code": product,
                "quantity": quantity,
                "n_edges": pairs.edges.height,
                "n_edges_without_quantity": pairs.edges[quantity].null_count(),
                "is_defined": found["reason"] is None,
                **found,
            }
        )
    return pl.DataFrame(
        [{k: row.get(k) for k in BOTTLENECK_SCHEMA} for row in made], schema=BOTTLENECK_SCHEMA
    ).sort("period", "product_code")


def _bottleneck(
    pairs: CanonicalEdges,
    nodes: pl.DataFrame,
    capacities: pl.DataFrame | None,
    *,
    quantity: str,
    scale: int,
) -> dict[str, Any]:
    edges = pairs.edges.drop_nulls(quantity)
    if edges.is_empty():
        return {"reason": "quantity_not_stated"}
    u, v = edges["source"].to_numpy(), edges["target"].to_numpy()
    q = np.rint(edges[quantity].to_numpy() * scale).astype(np.int64)
    ids = pairs.nodes.select(pl.col(NODE_ID).alias("org_id"))
    n = ids.height
    stage = ids.join(
        nodes.select("org_id", "stage"), on="org_id", how="left", maintain_order="left"
    )
    trades = np.zeros(n, dtype=bool)
    trades[u] = trades[v] = True
    makes = (stage["stage"] == "production").fill_null(False).to_numpy() & trades
    takes = (stage["stage"] == "consumption").fill_null(False).to_numpy() & trades
    sums = {
        "supply": int(q[makes[u] & ~makes[v]].sum()),
        "demand": int(q[takes[v] & ~takes[u]].sum()),
    }
    if not makes.any():
        return {**sums, "reason": "no_production"}
    if not takes.any():
        return {**sums, "reason": "no_consumption"}
    # Each organisation is an arc from its entrance (0..n-1) to its exit (n..2n-1), as wide as its
    # capacity; without one, and at the two ends, wider than all it trades, so that it is never in the cut.
    sold, bought = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    np.add.at(sold, u, q)
    np.add.at(bought, v, q)
    ample = sold + bought + 1
    through = ample.copy()
    if capacities is not None:
        known = capacities.select("org_id", pl.col("capacity_tonnes").cast(pl.Float64))
        limit = ids.join(known, on="org_id", how="left", maintain_order="left")["capacity_tonnes"]
        stated = limit.is_not_null().to_numpy()
        through[stated] = np.rint(limit.drop_nulls().to_numpy() * scale).astype(np.int64)
    every, source, sink = np.arange(n), 2 * n, 2 * n + 1
    producers, takers = np.flatnonzero(makes), np.flatnonzero(takes)
    tail = np.concatenate([every, u + n, np.full(len(producers), source), takers + n])
    head = np.concatenate([every + n, v, producers, np.full(len(takers), sink)])
    width = np.concatenate([through, q, ample[producers], ample[takers]])
    flow, (cut_tail, cut_head, cut_width) = _cut(
        tail, head, width, n=2 * n + 2, source=source, sink=sink
    )
    if flow == 0:
        return {**sums, "max_flow": None, "reason": "not_connected"}
    named = stage["stage"].fill_null(UNKNOWN)
    cut = pl.DataFrame(
        {
            "from_stage": named.gather(cut_tail % n),
            "to_stage": named.gather(cut_head % n),
            "width": cut_width,
        }
    )
    tightest = (
        cut.group_by("from_stage", "to_stage")
        .agg(pl.col("width").sum(), pl.len().alias("n"))
        .sort("width", "from_stage", "to_stage", descending=[True, False, False])
        .row(0, named=True)
    )
    return {
        **sums,
        "max_flow": flow,
        "from_stage": tightest["from_stage"],
        "to_stage": tightest["to_stage"],
        "cut_flow": tightest["width"],
        "n_cut_edges": tightest["n"],
        "reason": None,
    }
