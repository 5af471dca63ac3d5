"""Value: who earns what along the chain, at what price, and where mass is lost.

What belongs here: accounts per actor, prices by stage, mass balance. What does not: the flows
themselves (`chain`), multipliers (`input_output`), concentration of value.

All functions take any engine Narwhals knows (Polars eager and lazy, DuckDB, PySpark) and return the
same; all frames given to one call belong to one engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import narwhals as nw
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.metrics._tables import (
    UNKNOWN_STAGE,
    at_level,
    chosen,
    on_paid_basis,
    typed,
    value_on_basis,
    with_basis,
    with_stages,
)
from htx_pipeline.metrics._tabular import (
    MASS_SCALE,
    Native,
    count_where,
    enter,
    leave,
    ratio,
    stack,
    total,
)
from htx_pipeline.metrics._trade import DIGITS
from htx_pipeline.metrics.chain import BALANCED, LOSS, UNKNOWN

ACCOUNT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "stage": pl.String(),
    "weight_basis": pl.String(),
    "sales_vnd": pl.Int64(),
    "sales_reason": pl.String(),
    "n_sales_edges": pl.Int64(),
    "n_sales_edges_without_value": pl.Int64(),
    "intermediate_inputs_vnd": pl.Int64(),
    "inputs_reason": pl.String(),
    "n_purchase_edges": pl.Int64(),
    "n_purchase_edges_without_value": pl.Int64(),
    "value_added_vnd": pl.Int64(),
    "value_added_share": pl.Float64(),
    "value_added_reason": pl.String(),
    "reported_revenue_vnd": pl.Int64(),
    "recorded_sales_share": pl.Float64(),
    "net_benefit_vnd": pl.Int64(),
    "net_benefit_reason": pl.String(),
}
"""Columns of `metrics/value_accounts`."""

PRICE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "weight_basis": pl.String(),
    "n_linkages": pl.Int64(),
    "n_linkages_without_price": pl.Int64(),
    "value_vnd": pl.Int64(),
    "tonnes": pl.Float64(),
    "price_vnd_per_tonne": pl.Float64(),
    "final_price_vnd_per_tonne": pl.Float64(),
    "tonnes_per_final_tonne": pl.Float64(),
    "final_price_share": pl.Float64(),
    "reason": pl.String(),
}
"""Columns of `price_shares`."""

MASS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "scope": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "tonnes_in": pl.Float64(),
    "tonnes_from_unknown": pl.Float64(),
    "tonnes_out": pl.Float64(),
    "tonnes_lost": pl.Float64(),
    "tonnes_to_unknown": pl.Float64(),
    "n_linkages_without_tonnes": pl.Int64(),
    "loss_share": pl.Float64(),
    "reason": pl.String(),
}
"""Columns of `mass_balance`."""

_CELL: Final = ["period", "scope", "product_code"]


def accounts(
    edges: Native,
    nodes: Native,
    reports: Native | None = None,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> Native:
    """Draw up an account for each actor of the chain, as far as the linkages go.

    ``sales_vnd`` − ``intermediate_inputs_vnd`` (purchases) = ``value_added_vnd``; ``value_added_share``
    of sales. ``net_benefit_vnd`` is the cooperative's reported profit before tax: value added less
    wages, interest and depreciation, none of which the tables hold for others.

    Undefined, each with its reason:
    sales or purchases nobody records (``not_recorded``: a producer's fertiliser bought in a shop, an
    exporter's customer abroad) or states in part (``value_not_stated``); value added where either is
    undefined (``sales_not_recorded``, ``inputs_not_recorded``, ``value_not_stated``). A cost that is
    unknown is never taken for 0.
    Hazards: purchases outside the network (fuel, packing, services) are missing, so value added is an
    upper bound; a negative one means that sales are missing.

    Parameters
    ----------
    edges, nodes, reports:
        The tables `graph/edges`, `graph/nodes`, `core/cooperative_reports`.
    evidence, min_stated_share:
        See `positions`.

    Returns
    -------
    frame
        `ACCOUNT_SCHEMA`, one row per organisation of ``nodes``. ``recorded_sales_share``: recorded sales
        over reported revenue; above 1 one of the two is wrong.

    References
    ----------
    FAO 2014, Developing sustainable food value chains, ISBN 978-92-5-108481-6; Bellù 2013, Value
    chain analysis for policy making (FAO, EASYPol 129).

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["farm", "mill"],
    ...     "buyer_id": ["mill", "shop"], "product_code": ["rice"] * 2, "evidence": ["executed"] * 2, "paid_value_vnd": [60, 100]}))
    >>> edges = network.edges(links)
    >>> made = accounts(edges, network.nodes(TABLES["organisations"].empty(), edges))
    >>> made.select("org_id", "sales_vnd", "intermediate_inputs_vnd", "value_added_vnd", "value_added_reason").rows()
    [('farm', 60, None, None, 'inputs_not_recorded'), ('mill', 100, 60, 40, None), ('shop', None, 100, None, 'sales_not_recorded')]
    """
    key = ["period", "org_id"]
    rows = with_basis(at_level(enter(edges), evidence), min_stated_share=min_stated_share)
    rows = rows.filter(nw.col("supplier_id") != nw.col("buyer_id")).with_columns(
        value_on_basis().alias("_value")
    )
    frame = enter(nodes).select(*key, "stage").unique()
    frame = frame.join(rows.select("period", "weight_basis").unique(), on="period", how="left")
    for name, column in (("sales", "supplier_id"), ("purchase", "buyer_id")):
        silent = count_where(nw.col("_value").is_null())
        side = rows.group_by("period", column).agg(
            nw.len().cast(nw.Int64).alias(f"n_{name}_edges"),
            silent.alias(f"n_{name}_edges_without_value"),
            nw.when(silent == 0).then(nw.col("_value").sum().cast(nw.Int64)).alias(f"_{name}"),
        )
        side = side.rename({column: "org_id"})
        frame = frame.join(side, on=key, how="left").with_columns(
            nw.col(f"n_{name}_edges", f"n_{name}_edges_without_value").fill_null(0)
        )
    if reports is None:
        nothing = nw.lit(None, dtype=nw.Int64)
        frame = frame.with_columns(
            nothing.alias("revenue_vnd"), nothing.alias("profit_before_tax_vnd")
        )
    else:
        told = enter(reports).select(*key, "revenue_vnd", "profit_before_tax_vnd")
        frame = frame.join(told, on=key, how="left")
    sales, inputs = nw.col("_sales"), nw.col("_purchase")
    no_sales, no_inputs = nw.col("n_sales_edges") == 0, nw.col("n_purchase_edges") == 0
    frame = frame.with_columns(
        sales.alias("sales_vnd"),
        inputs.alias("intermediate_inputs_vnd"),
        chosen((no_sales, "not_recorded"), (sales.is_null(), "value_not_stated")).alias("sales_reason"),
        chosen((no_inputs, "not_recorded"), (inputs.is_null(), "value_not_stated")).alias("inputs_reason"),
        (sales - inputs).alias("value_added_vnd"),
        nw.col("revenue_vnd").alias("reported_revenue_vnd"),
        nw.col("profit_before_tax_vnd").alias("net_benefit_vnd"),
        chosen((nw.col("profit_before_tax_vnd").is_null(), "profit_not_reported")).alias("net_benefit_reason"),
    )  # fmt: skip
    added = nw.col("value_added_vnd")
    made = frame.with_columns(
        nw.when(sales > 0).then(ratio("value_added_vnd", "sales_vnd").round(DIGITS)).alias("value_added_share"),
        nw.when(nw.col("revenue_vnd") > 0).then(ratio("sales_vnd", "revenue_vnd").round(DIGITS)).alias("recorded_sales_share"),
        chosen(
            (no_sales & no_inputs, "no_linkage"),
            (no_sales, "sales_not_recorded"),
            (no_inputs, "inputs_not_recorded"),
            (added.is_null(), "value_not_stated"),
        ).alias("value_added_reason"),
    )  # fmt: skip
    return leave(typed(made, ACCOUNT_SCHEMA).sort(*key), like=edges)  # type: ignore[no-any-return]


def price_shares(
    edges: Native,
    nodes: Native,
    *,
    conversions: Mapping[tuple[str, str], float] | None = None,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> Native:
    """Compare the price each stage gets with the final price of the product.

    Price = value / tonnes over the linkages that state both. Final price: of what is sold to the stage
    consumption. ``final_price_share`` = price · (tonnes sold at this stage that one final tonne takes)
    / final price. That number of tonnes is in no table: give it in ``conversions``; without it the share
    is null (``conversion_unknown``).

    Parameters
    ----------
    edges, nodes:
        The tables `graph/edges`, `graph/nodes`.
    conversions:
        (product_code, stage of the seller) → tonnes per final tonne, such as
        ``{("coffee", "production"): 5.0}`` for cherries in a tonne of beans.
    evidence, min_stated_share:
        See `positions`.

    Returns
    -------
    frame
        `PRICE_SCHEMA`, one row per period, product and stage of the seller. Edges made of several
        linkages count when all of them state value and tonnes.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["farm", "mill"],
    ...     "buyer_id": ["mill", "shop"], "product_code": ["coffee"] * 2, "evidence": ["executed"] * 2,
    ...     "paid_value_vnd": [60, 100], "delivered_tonnes": [5.0, 1.0], "has_processing": [True, False]}))
    >>> edges = network.edges(links)
    >>> nodes = network.nodes(TABLES["organisations"].empty(), edges)
    >>> price_shares(edges, nodes, conversions={("coffee", "production"): 5.0}).select(
    ...     "stage", "price_vnd_per_tonne", "final_price_share", "reason").rows()
    [('processing', 100.0, None, 'conversion_unknown'), ('production', 12.0, 0.6, None)]
    """
    bad = [k for k, v in (conversions or {}).items() if not v > 0]
    if bad:
        raise InputError(
            f"A conversion is not positive: {bad}.",
            remedy="Tonnes sold at the stage for one final tonne.",
            code="conversion",
        )
    rows = at_level(enter(edges), evidence).filter(nw.col("supplier_id") != nw.col("buyer_id"))
    rows = with_basis(rows, min_stated_share=min_stated_share)
    rows = with_stages(rows, enter(nodes), supplier="stage", buyer="_to_stage")
    n = nw.col("n_linkages")
    rows = rows.with_columns(
        nw.col("stage", "_to_stage").fill_null(UNKNOWN_STAGE),
        on_paid_basis("paid_value_vnd", "contracted_value_vnd").alias("_value"),
        on_paid_basis("delivered_tonnes", "contracted_tonnes").alias("_tonnes"),
        (
            (on_paid_basis("n_paid_value", "n_contracted_value") == n)
            & (on_paid_basis("n_delivered_tonnes", "n_contracted_tonnes") == n)
        ).alias("_has_both"),
    )
    counts = nw.col("_has_both") & (nw.col("_tonnes") > 0)
    rows = rows.with_columns(
        nw.when(counts).then(nw.col("_value")).alias("_value"),
        nw.when(counts).then(nw.col("_tonnes")).alias("_tonnes"),
        nw.when(counts).then(0).otherwise(n).alias("_n_silent"),
    )
    cell = ["period", "product_code"]
    sums = [
        total("n_linkages").alias("n_linkages"),
        total("_n_silent").alias("n_linkages_without_price"),
        total("_value").alias("value_vnd"),
        total("_tonnes", scale=MASS_SCALE).alias("tonnes"),
    ]
    final = rows.filter(nw.col("_to_stage") == "consumption").group_by(cell).agg(*sums)
    final = final.select(*cell, ratio("value_vnd", "tonnes").alias("_final"))
    cases = [
        ((nw.col("product_code") == product) & (nw.col("stage") == stage), float(tonnes))
        for (product, stage), tonnes in sorted((conversions or {}).items())
    ]
    price, final_price = nw.col("_price"), nw.col("_final")
    factor = nw.col("tonnes_per_final_tonne")
    made = (
        rows.group_by(*cell, "stage", "weight_basis")
        .agg(*sums)
        .join(final, on=cell, how="left")
        .with_columns(
            ratio("value_vnd", "tonnes").alias("_price"),
            chosen(*cases).cast(nw.Float64).alias("tonnes_per_final_tonne"),
        )
    )
    made = made.with_columns(
        price.round(6).alias("price_vnd_per_tonne"),
        final_price.round(6).alias("final_price_vnd_per_tonne"),
        nw.when(final_price > 0)
        .then((price * factor / final_price).round(DIGITS))
        .alias("final_price_share"),
        chosen(
            (price.is_null(), "price_not_stated"),
            (final_price.is_null() | (final_price <= 0), "final_price_not_stated"),
            (factor.is_null(), "conversion_unknown"),
        ).alias("reason"),
    )
    return leave(typed(made, PRICE_SCHEMA).sort(*cell, "stage"), like=edges)  # type: ignore[no-any-return]


def mass_balance(flows: Native) -> Native:
    """Balance the mass that collection and processing take in with what leaves them.

    ``tonnes_in`` + ``tonnes_from_unknown`` = ``tonnes_out`` + ``tonnes_lost`` + ``tonnes_to_unknown``,
    per period, scope, product and stage. ``loss_share`` = lost / (in + from unknown).

    Undefined: a linkage of the stage states no tonnes (``tonnes_not_stated``: the loss would be that
    linkage); nothing enters (``nothing_enters``); nothing recorded leaves (``nothing_leaves``).
    Hazards: loss is whatever is not recorded as delivered: husk, peel and water by nature, waste, and
    sales nobody wrote down.

    Parameters
    ----------
    flows:
        The table `metrics/chain_flows`.

    Returns
    -------
    frame
        `MASS_SCHEMA`; sums are 0 where nothing flows.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"] * 3, "scope": ["province"] * 3, "product_code": ["rice"] * 3,
    ...     "kind": ["recorded", "recorded", "balance"], "from_stage": ["production", "processing", "processing"],
    ...     "to_stage": ["processing", "consumption", "loss"], "tonnes": [100.0, 65.0, 35.0], "n_linkages": [2, 1, 0], "n_tonnes": [2, 1, 0]})
    >>> mass_balance(flows).select("stage", "tonnes_in", "tonnes_out", "tonnes_lost", "loss_share").rows()
    [('processing', 100.0, 65.0, 35.0, 0.35)]
    """
    rows = enter(flows)
    recorded = nw.col("kind") == "recorded"
    silent = nw.when(recorded).then(nw.col("n_linkages") - nw.col("n_tonnes")).otherwise(0)
    is_lost, is_unknown = nw.col("to_stage") == LOSS, nw.col("to_stage") == UNKNOWN
    masses = {
        "from_stage": (("tonnes_out", recorded), ("tonnes_lost", ~recorded & is_lost),
                       ("tonnes_to_unknown", ~recorded & is_unknown)),
        "to_stage": (("tonnes_in", recorded), ("tonnes_from_unknown", ~recorded)),
    }  # fmt: skip
    names = [name for side in masses.values() for name, _ in side]
    sides = []
    for stage, side in masses.items():
        own = {name: nw.when(condition).then(nw.col("tonnes")) for name, condition in side}
        sides.append(
            rows.filter(nw.col(stage).is_in(BALANCED)).select(
                *_CELL, nw.col(stage).alias("stage"), silent.alias("_silent"),
                *(own.get(name, nw.lit(None, dtype=nw.Float64)).alias(name) for name in names),
            )
        )  # fmt: skip
    summed = stack(sides).group_by(*_CELL, "stage").agg(
        total("_silent").alias("n_linkages_without_tonnes"),
        *(total(name, scale=MASS_SCALE).alias(name) for name in names),
    )  # fmt: skip
    summed = summed.with_columns(*(nw.col(name).fill_null(0.0) for name in names)).with_columns(
        (nw.col("tonnes_in") + nw.col("tonnes_from_unknown")).alias("_taken")
    )
    made = summed.with_columns(
        chosen(
            (nw.col("n_linkages_without_tonnes") > 0, "tonnes_not_stated"),
            (nw.col("_taken") <= 0, "nothing_enters"),
            (nw.col("tonnes_out") <= 0, "nothing_leaves"),
        ).alias("reason")
    ).with_columns(
        nw.when(nw.col("reason").is_null())
        .then(ratio("tonnes_lost", "_taken").round(DIGITS))
        .alias("loss_share")
    )
    return leave(typed(made, MASS_SCHEMA).sort(*_CELL, "stage"), like=flows)  # type: ignore[no-any-return]
