"""Flows along the chain: the layered table that Sankey pictures and stage tables draw from.

What belongs here: what goes from stage to stage for each product, and the balance of each stage with
what is lost or unknown as named ends. What does not: drawing; which stages a chain lacks
(`completeness`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.graph.network import at_least, basis_value, value_bases
from htx_pipeline.reference.stages import STAGES

LOSS: Final = "loss"
"""End of a flow: mass that a stage took in and did not pass on."""

UNKNOWN: Final = "unknown"
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
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    communities: pl.DataFrame | None = None,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
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
    DataFrame
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
    rows = at_least(edges, evidence=evidence)
    scopes = [rows.with_columns(pl.lit(WHOLE).alias("scope"))]
    if communities is not None:
        own = communities.select("period", "org_id", "cluster_id")
        inside = rows.join(
            own.rename({"org_id": "supplier_id", "cluster_id": "scope"}),
            on=["period", "supplier_id"],
        ).join(
            own.rename({"org_id": "buyer_id", "cluster_id": "scope"}),
            on=["period", "buyer_id", "scope"],
        )
        scopes.append(inside)
    rows = pl.concat(scopes, how="diagonal")
    bases = value_bases(rows, by=("period", "scope"), min_stated_share=min_stated_share)
    stage = nodes.select("period", "org_id", pl.col("stage").fill_null(UNKNOWN))
    paid = pl.col("weight_basis") == "paid_value"
    executed = pl.col("evidence") == "executed"
    rows = (
        rows.join(bases, on=["period", "scope"], how="left")
        .join(
            stage.rename({"org_id": "supplier_id", "stage": "from_stage"}),
            on=["period", "supplier_id"],
            how="left",
        )
        .join(
            stage.rename({"org_id": "buyer_id", "stage": "to_stage"}),
            on=["period", "buyer_id"],
            how="left",
        )
        .with_columns(
            pl.col("from_stage", "to_stage").fill_null(UNKNOWN),
            basis_value(pl.col("weight_basis")).alias("value_vnd"),
            pl.when(pl.col("weight_basis") == "links").then(0)
            .when(paid).then(pl.col("n_paid_value"))
            .otherwise(pl.col("n_contracted_value")).alias("n_value"),
            pl.when(paid).then(pl.col("delivered_tonnes")).otherwise(pl.col("contracted_tonnes")).alias("tonnes"),
            pl.when(paid).then(pl.col("n_delivered_tonnes")).otherwise(pl.col("n_contracted_tonnes")).alias("n_tonnes"),
        )
    )  # fmt: skip
    recorded = rows.group_by(*_CELL, "from_stage", "to_stage", "weight_basis").agg(
        pl.col("n_linkages", "n_value", "n_tonnes").sum(),
        pl.when(pl.col("value_vnd").count() > 0).then(pl.col("value_vnd").sum()).alias("value_vnd"),
        pl.when(pl.col("tonnes").count() > 0).then(pl.col("tonnes").sort().sum()).alias("tonnes"),
        *(
            pl.when(pl.col("contracted_value_vnd").count() > 0)
            .then(pl.col("contracted_value_vnd").filter(which).sum())
            .alias(name)
            for name, which in (
                ("signed_value_vnd", pl.lit(True)),
                ("executed_value_vnd", executed),
            )
        ),
        pl.col("n_contracted_value").sum().alias("n_signed_value"),
        pl.col("n_linkages").filter(executed).sum().alias("n_executed"),
    )
    recorded = recorded.with_columns(pl.lit("recorded").alias("kind"))
    frame = pl.concat([recorded, _balances(recorded)], how="diagonal")
    order = {name: rank for rank, name in enumerate((*STAGES, UNKNOWN, LOSS))}
    return (
        frame.with_columns(pl.col("^n_.*$").fill_null(0))
        .sort(
            *_CELL,
            pl.col("kind").replace_strict({"recorded": 0, "balance": 1}, return_dtype=pl.Int8),
            pl.col("from_stage").replace_strict(order, return_dtype=pl.Int8),
            pl.col("to_stage").replace_strict(order, return_dtype=pl.Int8),
        )
        .select(pl.col(c).cast(t) for c, t in FLOW_SCHEMA.items())
    )


def stage_balance(flows: pl.DataFrame) -> pl.DataFrame:
    """Add up what enters and leaves each stage, and whether it balances.

    Returns
    -------
    DataFrame
        ``period``, ``scope``, ``product_code``, ``stage``, ``value_in_vnd``, ``value_out_vnd``,
        ``tonnes_in``, ``tonnes_out`` (0 where nothing is stated), over recorded and balance rows.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"], "scope": ["province"], "product_code": ["x"],
    ...     "from_stage": ["production"], "to_stage": ["processing"], "value_vnd": [5], "tonnes": [1.0]})
    >>> stage_balance(flows).filter(pl.col("stage") == "processing")["value_in_vnd"].item()
    5
    """

    def side(stage: str, value: str, mass: str) -> pl.DataFrame:
        return flows.group_by(*_CELL, pl.col(stage).alias("stage")).agg(
            pl.col("value_vnd").sum().alias(value), pl.col("tonnes").sort().sum().alias(mass)
        )

    into = side("to_stage", "value_in_vnd", "tonnes_in")
    out = side("from_stage", "value_out_vnd", "tonnes_out")
    joined = into.join(out, on=[*_CELL, "stage"], how="full", coalesce=True)
    return joined.with_columns(
        pl.col("value_in_vnd", "value_out_vnd").fill_null(0),
        pl.col("tonnes_in", "tonnes_out").fill_null(0.0),
    ).sort(*_CELL, "stage")


def _balances(recorded: pl.DataFrame) -> pl.DataFrame:
    signed = recorded.with_columns(
        pl.col("signed_value_vnd").alias("value_vnd"), pl.lit(None, pl.Float64).alias("tonnes")
    )
    found = [
        _balance(recorded),
        _balance(signed).rename({"value_vnd": "signed_value_vnd"}),
    ]
    joined = (
        pl.concat(found, how="diagonal")
        .group_by(*_CELL, "from_stage", "to_stage", "weight_basis")
        .agg(pl.col("value_vnd", "signed_value_vnd", "tonnes").max())
    )
    return joined.with_columns(pl.lit("balance").alias("kind"))


def _balance(recorded: pl.DataFrame) -> pl.DataFrame:
    bases = recorded.select(*_CELL, "weight_basis").unique()
    sums = stage_balance(recorded).filter(pl.col("stage").is_in(BALANCED)).join(bases, on=_CELL)
    value = pl.col("value_out_vnd") - pl.col("value_in_vnd")
    # Grams: what is left of adding floats is not a flow.
    mass = ((pl.col("tonnes_out") - pl.col("tonnes_in")) * 1e6).round() / 1e6
    delivers = pl.col("tonnes_out") > 0
    parts = [
        (value > 0, UNKNOWN, None, value, None),
        (value < 0, None, UNKNOWN, -value, None),
        (mass > 0, UNKNOWN, None, None, mass),
        ((mass < 0) & delivers, None, LOSS, None, -mass),
        ((mass < 0) & ~delivers, None, UNKNOWN, None, -mass),
    ]
    made = [
        sums.filter(condition).select(
            *_CELL,
            (pl.col("stage") if source is None else pl.lit(source)).alias("from_stage"),
            (pl.col("stage") if target is None else pl.lit(target)).alias("to_stage"),
            "weight_basis",
            pl.lit(None, pl.Int64).alias("value_vnd")
            if amount is None
            else amount.alias("value_vnd"),
            pl.lit(None, pl.Float64).alias("tonnes") if tonnes is None else tonnes.alias("tonnes"),
        )
        for condition, source, target, amount, tonnes in parts
    ]
    return pl.concat(made)
