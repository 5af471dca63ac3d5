"""Value: who earns what along the chain, prices, multipliers, and where mass is lost.

What belongs here: accounts per actor, prices by stage, multipliers from a chain's input–output table,
mass balance. What does not: the flows themselves (`chain`), concentration of value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.network import at_least, value_bases
from htx_pipeline.metrics._trade import DIGITS, trades
from htx_pipeline.metrics.chain import BALANCED, LOSS, UNKNOWN
from htx_pipeline.reference.stages import STAGES

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

MULTIPLIER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "scope": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "output_vnd": pl.Int64(),
    "intermediate_inputs_vnd": pl.Int64(),
    "final_sales_vnd": pl.Int64(),
    "output_multiplier": pl.Float64(),
    "production_requirement": pl.Float64(),
    "is_defined": pl.Boolean(),
    "reason": pl.String(),
}
"""Columns of `multipliers`."""

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
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    reports: pl.DataFrame | None = None,
    *,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
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
    DataFrame
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
    sides: dict[str, list[pl.DataFrame]] = {"sales": [], "purchase": []}
    bases = [pl.DataFrame(schema={"period": pl.String, "weight_basis": pl.String})]
    for trade in trades(edges, evidence=evidence, min_stated_share=min_stated_share):
        has_money = trade.basis != "links"
        bases.append(pl.DataFrame({"period": [trade.period], "weight_basis": [trade.basis]}))
        for name, column in (("sales", "supplier_id"), ("purchase", "buyer_id")):
            stated = pl.col("is_stated") & has_money
            sides[name].append(
                trade.rows.group_by("period", pl.col(column).alias("org_id")).agg(
                    pl.len().cast(pl.Int64).alias(f"n_{name}_edges"),
                    (~stated).sum().cast(pl.Int64).alias(f"n_{name}_edges_without_value"),
                    pl.when(stated.all()).then(pl.col("trade").sum()).alias(f"_{name}"),
                )
            )
    frame = nodes.select(*key, "stage").unique().join(pl.concat(bases), on="period", how="left")
    for name, parts in sides.items():
        empty = {"period": pl.String, "org_id": pl.String, f"n_{name}_edges": pl.Int64, f"n_{name}_edges_without_value": pl.Int64, f"_{name}": pl.Int64}  # fmt: skip
        frame = frame.join(
            pl.concat([pl.DataFrame(schema=empty), *parts]), on=key, how="left", validate="1:1"
        )
    if reports is None:
        told = pl.DataFrame(
            schema={
                "period": pl.String,
                "org_id": pl.String,
                "revenue_vnd": pl.Int64,
                "profit_before_tax_vnd": pl.Int64,
            }
        )
    else:
        told = reports.select(*key, "revenue_vnd", "profit_before_tax_vnd")
    frame = frame.join(told, on=key, how="left", validate="1:1").with_columns(
        pl.col("^n_.*_edges.*$").fill_null(0)
    )

    def why(name: str) -> pl.Expr:
        return (
            pl.when(pl.col(f"n_{name}_edges") == 0)
            .then(pl.lit("not_recorded"))
            .when(pl.col(f"_{name}").is_null())
            .then(pl.lit("value_not_stated"))
        )

    sales, inputs = pl.col("_sales"), pl.col("_purchase")
    added = sales - inputs
    no_sales = pl.col("n_sales_edges") == 0
    no_inputs = pl.col("n_purchase_edges") == 0
    return (
        frame.with_columns(
            sales.alias("sales_vnd"),
            why("sales").alias("sales_reason"),
            inputs.alias("intermediate_inputs_vnd"),
            why("purchase").alias("inputs_reason"),
            added.alias("value_added_vnd"),
            pl.when(sales > 0).then((added / sales).round(DIGITS)).alias("value_added_share"),
            pl.when(no_sales & no_inputs)
            .then(pl.lit("no_linkage"))
            .when(no_sales)
            .then(pl.lit("sales_not_recorded"))
            .when(no_inputs)
            .then(pl.lit("inputs_not_recorded"))
            .when(added.is_null())
            .then(pl.lit("value_not_stated"))
            .alias("value_added_reason"),
            pl.col("revenue_vnd").alias("reported_revenue_vnd"),
            pl.when(pl.col("revenue_vnd") > 0)
            .then((sales / pl.col("revenue_vnd")).round(DIGITS))
            .alias("recorded_sales_share"),
            pl.col("profit_before_tax_vnd").alias("net_benefit_vnd"),
            pl.when(pl.col("profit_before_tax_vnd").is_null())
            .then(pl.lit("profit_not_reported"))
            .alias("net_benefit_reason"),
        )
        .select(pl.col(c).cast(t) for c, t in ACCOUNT_SCHEMA.items())
        .sort(key)
    )


def price_shares(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    *,
    conversions: Mapping[tuple[str, str], float] | None = None,
    evidence: str = "signed",
    min_stated_share: float = 0.5,
) -> pl.DataFrame:
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
    DataFrame
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
    rows = at_least(edges, evidence=evidence).filter(pl.col("supplier_id") != pl.col("buyer_id"))
    rows = rows.join(value_bases(rows, min_stated_share=min_stated_share), on="period")
    stage = nodes.select("period", "org_id", pl.col("stage").fill_null(UNKNOWN))
    for end, name in (("supplier_id", "stage"), ("buyer_id", "to_stage")):
        own = stage.rename({"org_id": end, "stage": name})
        rows = rows.join(own, on=["period", end], how="left")
    is_paid = pl.col("weight_basis") == "paid_value"

    def chosen(paid: str, contracted: str) -> pl.Expr:
        return pl.when(is_paid).then(pl.col(paid)).otherwise(pl.col(contracted))

    rows = rows.with_columns(
        pl.col("stage", "to_stage").fill_null(UNKNOWN),
        chosen("paid_value_vnd", "contracted_value_vnd").alias("_value"),
        chosen("delivered_tonnes", "contracted_tonnes").alias("_tonnes"),
        (
            (chosen("n_paid_value", "n_contracted_value") == pl.col("n_linkages"))
            & (chosen("n_delivered_tonnes", "n_contracted_tonnes") == pl.col("n_linkages"))
        ).alias("_has_both"),
    ).with_columns(
        (pl.col("_has_both") & (pl.col("_tonnes") > 0)).fill_null(False).alias("_counts")
    )
    counts = pl.col("_counts")
    sums = [
        pl.col("n_linkages").sum(),
        pl.col("n_linkages").filter(~counts).sum().alias("n_linkages_without_price"),
        pl.when(counts.any()).then(pl.col("_value").filter(counts).sum()).alias("value_vnd"),
        pl.when(counts.any())
        .then(pl.col("_tonnes").filter(counts).sort().sum())
        .alias("tonnes"),
    ]  # fmt: skip
    price = pl.col("value_vnd") / pl.col("tonnes")
    cell = ["period", "product_code"]
    final = (
        rows.filter(pl.col("to_stage") == "consumption")
        .group_by(cell)
        .agg(*sums)
        .select(*cell, price.alias("_final"))
    )
    factors = pl.DataFrame(
        [(p, s, float(v)) for (p, s), v in sorted((conversions or {}).items())],
        schema={
            "product_code": pl.String,
            "stage": pl.String,
            "tonnes_per_final_tonne": pl.Float64,
        },
        orient="row",
    )
    factor = pl.col("tonnes_per_final_tonne")
    return (
        rows.group_by(*cell, "stage", "weight_basis")
        .agg(*sums)
        .join(final, on=cell, how="left")
        .join(factors, on=["product_code", "stage"], how="left")
        .with_columns(
            price.round(6).alias("price_vnd_per_tonne"),
            pl.col("_final").round(6).alias("final_price_vnd_per_tonne"),
            pl.when(pl.col("_final") > 0)
            .then((price * factor / pl.col("_final")).round(DIGITS))
            .alias("final_price_share"),
            pl.when(price.is_null())
            .then(pl.lit("price_not_stated"))
            .when(pl.col("_final").is_null() | (pl.col("_final") <= 0))
            .then(pl.lit("final_price_not_stated"))
            .when(factor.is_null())
            .then(pl.lit("conversion_unknown"))
            .alias("reason"),
        )
        .select(pl.col(c).cast(t) for c, t in PRICE_SCHEMA.items())
        .sort(*cell, "stage")
    )


def leontief_inverse(flows: NDArray[Any], output: NDArray[Any]) -> NDArray[np.float64]:
    """Return L = (I − A)⁻¹, A = Z·diag(x)⁻¹: output of i that one unit of final sales of j draws.

    Parameters
    ----------
    flows:
        Z, sales of row i to column j.
    output:
        x, total output of each sector, all above 0.

    Raises
    ------
    InputError
        An output is not above 0, a number is negative or not finite, or the table is not productive
        (the largest eigenvalue of A is 1 or more: more goes in than comes out).

    References
    ----------
    Miller & Blair 2022, Input–Output Analysis, 3rd ed., chapter 2, doi:10.1017/9781108676212.

    Examples
    --------
    >>> leontief_inverse(np.array([[150, 500], [200, 100]]), np.array([1000, 2000])).round(3).tolist()
    [[1.254, 0.33], [0.264, 1.122]]
    """
    z = np.asarray(flows, dtype=np.float64)
    x = np.asarray(output, dtype=np.float64)
    n = len(x)
    if z.shape != (n, n) or not np.isfinite(z).all() or (z < 0).any():
        raise InputError(
            f"The flows must be {n} by {n} numbers of 0 or more.", code="input_output_table"
        )
    if not (np.isfinite(x) & (x > 0)).all():
        raise InputError(
            "Every output must be above 0.",
            remedy="Leave sectors without output out.",
            code="input_output_table",
        )
    a = z / x
    if n and np.abs(np.linalg.eigvals(a)).max() >= 1 - 1e-12:
        raise InputError(
            "The table is not productive: sectors take in more than they put out.",
            code="not_productive",
        )
    return np.asarray(np.linalg.solve(np.eye(n) - a, np.eye(n)))


def multipliers(flows: pl.DataFrame) -> pl.DataFrame:
    """Compute output multipliers of a chain from its flows between stages.

    Sectors are the stages before consumption; output x is what a stage sells, to consumption and to
    organisations of unknown stage being final sales; Z is what stages sell each other.
    ``output_multiplier`` of stage j = Σ_i L(i,j): đồng sold along the whole chain for one đồng of
    final sales of j. ``production_requirement`` = L(production, j): what of it producers sell.

    Undefined: a stage that buys and sells nothing recorded (``sales_not_recorded``), or buys for more
    than it sells (``more_bought_than_sold``: sales are missing); a stage that draws on such a stage
    (``depends_on_undefined``); no value stated (``value_not_stated``).
    Hazards: value outside the recorded chain is no part of it; one year's prices.

    Parameters
    ----------
    flows:
        The table `metrics/chain_flows`; its rows of kind ``recorded`` are read.

    Returns
    -------
    DataFrame
        `MULTIPLIER_SCHEMA`, one row per period, scope, product and stage that trades.

    References
    ----------
    Miller & Blair 2022, chapters 2 and 6, doi:10.1017/9781108676212.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"] * 2, "scope": ["province"] * 2, "product_code": ["rice"] * 2, "kind": ["recorded"] * 2,
    ...     "from_stage": ["production", "processing"], "to_stage": ["processing", "consumption"], "value_vnd": [60, 100]})
    >>> multipliers(flows).select("stage", "output_multiplier", "production_requirement").rows()
    [('processing', 1.6, 0.6), ('production', 1.0, 1.0)]
    """
    rows: list[dict[str, Any]] = []
    recorded = flows.filter(pl.col("kind") == "recorded").sort(*_CELL, "from_stage", "to_stage")
    sectors = [s for s in STAGES if s != "consumption"]
    for cell, part in recorded.group_by(_CELL, maintain_order=True):
        rows.extend(
            {**dict(zip(_CELL, cell, strict=True)), **row} for row in _multipliers_of(part, sectors)
        )
    return pl.DataFrame(rows, schema=MULTIPLIER_SCHEMA).sort(*_CELL, "stage")


def _multipliers_of(part: pl.DataFrame, sectors: list[str]) -> list[dict[str, Any]]:
    n = len(sectors)
    place = {name: i for i, name in enumerate(sectors)}
    z = np.zeros((n, n), dtype=np.int64)
    final = np.zeros(n, dtype=np.int64)
    trades_at = np.zeros(n, dtype=bool)
    has_value = np.zeros(n, dtype=bool)
    for source, target, value in part.select("from_stage", "to_stage", "value_vnd").iter_rows():
        i, j = place.get(source), place.get(target)
        for end in (i, j):
            if end is not None:
                trades_at[end] = True
                has_value[end] |= value is not None
        if i is None or value is None:
            continue
        if j is None:
            final[i] += value
        else:
            z[i, j] += value
    output = z.sum(axis=1) + final
    bought = z.sum(axis=0)
    reasons = _multiplier_reasons(z, output, trades_at=trades_at, has_value=has_value)
    sound = [j for j in range(n) if trades_at[j] and j not in reasons]
    inverse = np.zeros((n, n))
    if sound:
        try:
            inverse[np.ix_(sound, sound)] = leontief_inverse(z[np.ix_(sound, sound)], output[sound])
        except InputError:
            # Stages that sell only to each other: nothing reaches a final buyer.
            reasons.update(dict.fromkeys(sound, "not_productive"))
    rows: list[dict[str, Any]] = []
    for j in np.flatnonzero(trades_at).tolist():
        is_defined = j not in reasons
        rows.append(
            {
                "stage": sectors[j],
                "output_vnd": int(output[j]) if has_value[j] else None,
                "intermediate_inputs_vnd": int(bought[j]) if has_value[j] else None,
                "final_sales_vnd": int(final[j]) if has_value[j] else None,
                "output_multiplier": round(float(inverse[:, j].sum()), 9) if is_defined else None,
                "production_requirement": round(float(inverse[place["production"], j]), 9)
                if is_defined
                else None,
                "is_defined": is_defined,
                "reason": reasons.get(j),
            }
        )
    return rows


def _multiplier_reasons(
    z: NDArray[np.int64],
    output: NDArray[np.int64],
    *,
    trades_at: NDArray[np.bool_],
    has_value: NDArray[np.bool_],
) -> dict[int, str]:
    bought = z.sum(axis=0)
    reasons: dict[int, str] = {}
    for i in np.flatnonzero(trades_at).tolist():
        if not has_value[i]:
            reasons[i] = "value_not_stated"
        elif output[i] == 0:
            reasons[i] = "sales_not_recorded"
        elif bought[i] > output[i]:
            reasons[i] = "more_bought_than_sold"
    draws_on = _draws_on(z > 0)
    own = tuple(reasons)
    for j in np.flatnonzero(trades_at).tolist():
        if j not in reasons and any(draws_on[k, j] for k in own):
            reasons[j] = "depends_on_undefined"
    return reasons


def _draws_on(sells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which stage is drawn on by which, over any number of steps (Warshall)."""
    reach = sells.copy()
    for k in range(len(reach)):
        reach |= reach[:, [k]] & reach[[k], :]
    return reach


def mass_balance(flows: pl.DataFrame) -> pl.DataFrame:
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
    DataFrame
        `MASS_SCHEMA`; sums are 0 where nothing flows.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"] * 3, "scope": ["province"] * 3, "product_code": ["rice"] * 3,
    ...     "kind": ["recorded", "recorded", "balance"], "from_stage": ["production", "processing", "processing"],
    ...     "to_stage": ["processing", "consumption", "loss"], "tonnes": [100.0, 65.0, 35.0], "n_linkages": [2, 1, 0], "n_tonnes": [2, 1, 0]})
    >>> mass_balance(flows).select("stage", "tonnes_in", "tonnes_out", "tonnes_lost", "loss_share").rows()
    [('processing', 100.0, 65.0, 35.0, 0.35)]
    """
    recorded = pl.col("kind") == "recorded"

    def mass(condition: pl.Expr, name: str) -> pl.Expr:
        return pl.col("tonnes").filter(condition).sort().sum().round(6).alias(name)

    silent = (
        pl.when(recorded)
        .then(pl.col("n_linkages") - pl.col("n_tonnes"))
        .otherwise(0)
        .sum()
        .alias("_silent")
    )

    def side(stage: str, *sums: pl.Expr) -> pl.DataFrame:
        return (
            flows.filter(pl.col(stage).is_in(BALANCED))
            .group_by(*_CELL, pl.col(stage).alias("stage"))
            .agg(*sums, silent)
        )

    into = side(
        "to_stage", mass(recorded, "tonnes_in"), mass(~recorded, "tonnes_from_unknown")
    ).rename({"_silent": "_silent_in"})
    out = side(
        "from_stage",
        mass(recorded, "tonnes_out"),
        mass(~recorded & (pl.col("to_stage") == LOSS), "tonnes_lost"),
        mass(~recorded & (pl.col("to_stage") == UNKNOWN), "tonnes_to_unknown"),
    ).rename({"_silent": "_silent_out"})
    joined = into.join(out, on=[*_CELL, "stage"], how="full", coalesce=True).with_columns(
        pl.col("^tonnes_.*$").fill_null(0.0), pl.col("^_silent_.*$").fill_null(0)
    )
    taken = pl.col("tonnes_in") + pl.col("tonnes_from_unknown")
    reason = (
        pl.when(pl.col("_silent_in") + pl.col("_silent_out") > 0)
        .then(pl.lit("tonnes_not_stated"))
        .when(taken <= 0)
        .then(pl.lit("nothing_enters"))
        .when(pl.col("tonnes_out") <= 0)
        .then(pl.lit("nothing_leaves"))
    )
    return (
        joined.with_columns(
            (pl.col("_silent_in") + pl.col("_silent_out")).alias("n_linkages_without_tonnes"),
            reason.alias("reason"),
        )
        .with_columns(
            pl.when(pl.col("reason").is_null())
            .then((pl.col("tonnes_lost") / taken).round(DIGITS))
            .alias("loss_share")
        )
        .select(pl.col(c).cast(t) for c, t in MASS_SCHEMA.items())
        .sort(*_CELL, "stage")
    )
