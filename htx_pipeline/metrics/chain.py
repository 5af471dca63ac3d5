"""Flows along the chain: the layered table that Sankey pictures and stage tables draw from.

What belongs here: what goes from stage to stage for each product, and the balance of each stage with
what is lost or unknown as named ends. What does not: drawing; which stages a chain lacks
(`completeness`).

All functions take any engine Narwhals knows (Polars eager and lazy, DuckDB, PySpark) and return the
same; all frames given to one call belong to one engine.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw
import polars as pl

from htx_pipeline.metrics._tables import (
    UNKNOWN_STAGE,
    at_level,
    on_paid_basis,
    rank_of,
    typed,
    value_on_basis,
    with_basis,
)
from htx_pipeline.metrics._tabular import MASS_SCALE, Native, enter, leave, pin, stack, total
from htx_pipeline.reference.stages import STAGES

LOSS: Final = "loss"
"""End of a flow: mass that a stage took in and did not pass on."""

UNKNOWN: Final = UNKNOWN_STAGE
"""End of a flow whose other side is not recorded, and stage of an organisation without one."""

WHOLE: Final = "province"
"""Scope of the whole network."""

BALANCED: Final = ("collection", "processing")
"""Stages that pass on what they take in; inputs and production begin a chain, consumption ends it."""

FLOW_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "scope": pl.String(),
    "product_code": pl.String(),
    "from_stage": pl.String(),
    "to_stage": pl.String(),
    "kind": pl.String(),
    "n_linkages": pl.Int64(),
    "value_vnd": pl.Int64(),
    "tonnes": pl.Float64(),
    "n_value": pl.Int64(),
    "n_tonnes": pl.Int64(),
    "weight_basis": pl.String(),
    "signed_value_vnd": pl.Int64(),
    "executed_value_vnd": pl.Int64(),
    "n_signed_value": pl.Int64(),
    "n_executed": pl.Int64(),
}
"""Columns of `metrics/chain_flows`."""

_CELL: Final = ["period", "scope", "product_code"]


def chain_flows(
    edges: Native,
    nodes: Native,
    communities: Native | None = None,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> Native:
    """Add linkages up to flows between stages, and balance collection and processing.

    Rows of ``kind`` ``recorded`` hold the linkages: added up they give the network's value, tonnes
    and count, per product. Their direction may be within a stage or backward; nothing is dropped. An
    organisation of no known stage stands at ``unknown``.

    Rows of ``kind`` ``balance`` make what enters collection and processing equal what leaves, value
    and mass apart. More out than in comes from ``unknown`` (purchases not recorded; in value, also
    the value added there). More in than out goes, in mass, to ``loss`` when the stage delivers
    anything (peel, husk, water, waste and unrecorded sales are not told apart), else to ``unknown``;
    in value to ``unknown``. Inputs and production begin the chain and consumption ends it: they are
    not balanced.

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    communities:
        The table `graph/communities`; with it, each cluster is a scope too (linkages with both ends
        in it).
    evidence:
        Weakest evidence level that counts.
    min_stated_share:
        See `network.value_bases`; the basis is chosen per period and scope.

    Returns
    -------
    frame
        `FLOW_SCHEMA`. ``scope``: ``province`` or a cluster's id. ``value_vnd`` on the scope's
        ``weight_basis``; ``tonnes`` delivered on the basis ``paid_value``, else contracted. Null
        where no linkage states it; ``n_value``, ``n_tonnes`` count those that do. ``signed_value_vnd``
        is the contracted value whatever the basis, balanced like the value (``n_signed_value``
        linkages state it); ``executed_value_vnd`` the part of it under linkages that were executed,
        0..``signed_value_vnd``, null on balance rows; ``n_executed`` counts those linkages.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> from htx_pipeline.graph import network
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["a", "b"],
    ...     "buyer_id": ["b", "c"], "product_code": ["coffee"] * 2, "evidence": ["executed"] * 2,
    ...     "delivered_tonnes": [100.0, 20.0], "paid_value_vnd": [50, 80], "has_processing": [True, False]}))
    >>> edges = network.edges(links)
    >>> flows = chain_flows(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> flows.select("from_stage", "to_stage", "kind", "value_vnd", "tonnes").rows()
    [('production', 'processing', 'recorded', 50, 100.0), ('processing', 'consumption', 'recorded', 80, 20.0), ('processing', 'loss', 'balance', None, 80.0), ('unknown', 'processing', 'balance', 30, None)]
    """
    # One pass over the edges: the few cells that are left are then added up to scopes, and only then is
    # a basis chosen.
    cells = pin(_cells(enter(edges), enter(nodes), communities, evidence))
    rows = _added_up(cells.with_columns(nw.lit(WHOLE).alias("scope")))
    if communities is not None:
        rows = stack([rows, cells.filter(~nw.col("scope").is_null())])
    rows = pin(rows)
    rows = with_basis(rows, by=("period", "scope"), min_stated_share=min_stated_share).with_columns(
        value_on_basis().alias("_value"),
        on_paid_basis("n_paid_value", "n_contracted_value").alias("_n_value"),
        on_paid_basis("delivered_tonnes", "contracted_tonnes").alias("_tonnes"),
        on_paid_basis("n_delivered_tonnes", "n_contracted_tonnes").alias("_n_tonnes"),
    )
    has_money = nw.col("weight_basis") != "links"
    rows = rows.with_columns(
        nw.when(has_money).then(nw.col("_n_value")).otherwise(0).alias("_n_value")
    )
    is_executed = nw.col("evidence") == "executed"
    recorded = rows.group_by(*_CELL, "from_stage", "to_stage", "weight_basis").agg(
        total("n_linkages").alias("n_linkages"),
        total("_value").alias("value_vnd"),
        total("_tonnes", scale=MASS_SCALE).alias("tonnes"),
        total("_n_value").alias("n_value"),
        total("_n_tonnes").alias("n_tonnes"),
        total("contracted_value_vnd").alias("signed_value_vnd"),
        nw.when(nw.col("contracted_value_vnd").count() > 0)
        .then(nw.when(is_executed).then(nw.col("contracted_value_vnd")).otherwise(0).sum())
        .alias("executed_value_vnd"),
        total("n_contracted_value").alias("n_signed_value"),
        nw.when(is_executed).then(nw.col("n_linkages")).otherwise(0).sum().alias("n_executed"),
    )
    recorded = pin(recorded)
    made = stack(
        [
            typed(recorded.with_columns(nw.lit("recorded").alias("kind")), FLOW_SCHEMA),
            typed(_balances(recorded), FLOW_SCHEMA),
        ]
    )
    order = (*STAGES, UNKNOWN, LOSS)
    made = made.with_columns(
        (nw.col("kind") != "recorded").alias("_kind"),
        rank_of("from_stage", order).alias("_from"),
        rank_of("to_stage", order).alias("_to"),
    ).sort(*_CELL, "_kind", "_from", "_to")
    return leave(made.drop("_kind", "_from", "_to"), like=edges)  # type: ignore[no-any-return]


_WHOLE_SUMS: Final = (
    "n_linkages", "contracted_value_vnd", "paid_value_vnd", "n_contracted_value", "n_paid_value",
    "n_contracted_tonnes", "n_delivered_tonnes",
)  # fmt: skip
_MASSES: Final = ("contracted_tonnes", "delivered_tonnes")


def _cells(
    edges: nw.LazyFrame[Any], nodes: nw.LazyFrame[Any], communities: Any, evidence: str
) -> nw.LazyFrame[Any]:
    """Add edges up by the stages of their ends and the cluster that holds both (null: none does)."""
    who = nodes.select(
        "period", "org_id", "stage", nw.lit(None, dtype=nw.String).alias("cluster_id")
    )
    if communities is not None:
        own = enter(communities).select(
            "period", "org_id", nw.lit(None, dtype=nw.String).alias("stage"), "cluster_id"
        )
        who = (
            stack([who, own]).group_by("period", "org_id").agg(nw.col("stage", "cluster_id").max())
        )
    who = pin(who)
    rows = at_level(edges, evidence)
    for end in ("supplier", "buyer"):
        rows = rows.join(
            who.rename({"org_id": f"{end}_id", "stage": f"_{end}_stage", "cluster_id": f"_{end}_cluster"}),
            on=["period", f"{end}_id"], how="left",
        )  # fmt: skip
    is_inside = nw.col("_supplier_cluster") == nw.col("_buyer_cluster")
    rows = rows.with_columns(
        nw.col("_supplier_stage").fill_null(UNKNOWN).alias("from_stage"),
        nw.col("_buyer_stage").fill_null(UNKNOWN).alias("to_stage"),
        nw.when(is_inside).then(nw.col("_supplier_cluster")).alias("scope"),
    )
    return _added_up(rows)


def _added_up(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add up by scope, product, stages and evidence; null where nothing is stated."""
    keys = [*_CELL, "from_stage", "to_stage", "evidence"]
    sums = rows.group_by(keys).agg(
        *(total(c).alias(c) for c in _WHOLE_SUMS),
        *(total(c, scale=MASS_SCALE).alias(c) for c in _MASSES),
    )
    return sums.select(*keys, *_WHOLE_SUMS, *_MASSES)


def stage_balance(flows: Native) -> Native:
    """Add up what enters and leaves each stage, and whether it balances.

    Returns
    -------
    frame
        ``period``, ``scope``, ``product_code``, ``stage``, ``value_in_vnd``, ``value_out_vnd``,
        ``tonnes_in``, ``tonnes_out`` (0 where nothing is stated), over recorded and balance rows.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"], "scope": ["province"], "product_code": ["x"],
    ...     "from_stage": ["production"], "to_stage": ["processing"], "value_vnd": [5], "tonnes": [1.0]})
    >>> stage_balance(flows).filter(pl.col("stage") == "processing")["value_in_vnd"].item()
    5
    """

    return leave(_stage_balance(enter(flows)).sort(*_CELL, "stage"), like=flows)  # type: ignore[no-any-return]


def _stage_balance(flows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    value, mass = nw.col("value_vnd").cast(nw.Int64), nw.col("tonnes").cast(nw.Float64)
    no_value, no_mass = nw.lit(None, dtype=nw.Int64), nw.lit(None, dtype=nw.Float64)
    sides = stack(
        [
            flows.select(
                *_CELL, nw.col(stage).alias("stage"),
                (value if enters else no_value).alias("value_in_vnd"),
                (no_value if enters else value).alias("value_out_vnd"),
                (mass if enters else no_mass).alias("tonnes_in"),
                (no_mass if enters else mass).alias("tonnes_out"),
            )
            for stage, enters in (("to_stage", True), ("from_stage", False))
        ]
    )  # fmt: skip
    return sides.group_by(*_CELL, "stage").agg(
        *(total(c).fill_null(0).alias(c) for c in ("value_in_vnd", "value_out_vnd")),
        *(total(c, scale=MASS_SCALE).fill_null(0.0).alias(c) for c in ("tonnes_in", "tonnes_out")),
    )


def _balances(recorded: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    signed = recorded.with_columns(
        nw.col("signed_value_vnd").alias("value_vnd"),
        nw.lit(None, dtype=nw.Float64).alias("tonnes"),
    )
    no_value = nw.lit(None, dtype=nw.Int64)
    found = [
        _balance(recorded).with_columns(no_value.alias("signed_value_vnd")),
        _balance(signed).with_columns(
            nw.col("value_vnd").alias("signed_value_vnd"), no_value.alias("value_vnd")
        ),
    ]
    key = [*_CELL, "from_stage", "to_stage", "weight_basis"]
    made = ["value_vnd", "signed_value_vnd", "tonnes"]
    joined = (
        stack([f.select(*key, *made) for f in found])
        .group_by(*key)
        .agg(*(nw.col(c).max() for c in made))
    )
    return joined.with_columns(
        nw.lit("balance").alias("kind"),
        nw.lit(None, dtype=nw.Int64).alias("executed_value_vnd"),
        *(nw.lit(0).alias(c) for c in FLOW_SCHEMA if c.startswith("n_")),
    )


def _balance(recorded: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    bases = recorded.select(*_CELL, "weight_basis").unique()
    sums = _stage_balance(recorded).filter(nw.col("stage").is_in(BALANCED))
    # Grams: what is left of adding floats is not a flow.
    sums = pin(sums.join(bases, on=_CELL, how="inner")).with_columns(
        (nw.col("value_out_vnd") - nw.col("value_in_vnd")).alias("_value"),
        (nw.col("tonnes_out") - nw.col("tonnes_in")).round(6).alias("_mass"),
    )
    value, mass = nw.col("_value"), nw.col("_mass")
    delivers = nw.col("tonnes_out") > 0
    no_value, no_mass = nw.lit(None, dtype=nw.Int64), nw.lit(None, dtype=nw.Float64)
    parts = [
        (value > 0, UNKNOWN, None, value, no_mass),
        (value < 0, None, UNKNOWN, -value, no_mass),
        (mass > 0, UNKNOWN, None, no_value, mass),
        ((mass < 0) & delivers, None, LOSS, no_value, -mass),
        ((mass < 0) & ~delivers, None, UNKNOWN, no_value, -mass),
    ]
    made = [
        sums.filter(condition).select(
            *_CELL,
            (nw.col("stage") if source is None else nw.lit(source)).alias("from_stage"),
            (nw.col("stage") if target is None else nw.lit(target)).alias("to_stage"),
            "weight_basis",
            amount.alias("value_vnd"),
            tonnes.alias("tonnes"),
        )
        for condition, source, target, amount, tonnes in parts
    ]
    return stack(made)
