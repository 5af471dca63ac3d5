"""What the tabular measures of the network share: evidence levels, value bases, stages, on any engine.

What belongs here: expressions on `graph/edges` and `graph/nodes` in Narwhals. What does not: graphs
(`_trade`), measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals as nw

from htx_pipeline.errors import InputError
from htx_pipeline.graph.network import EVIDENCE
from htx_pipeline.metrics._tabular import pin

UNKNOWN_STAGE: Final = "unknown"
"""Stage of an organisation without one."""


def at_level(rows: nw.LazyFrame[Any], evidence: str) -> nw.LazyFrame[Any]:
    """Keep the rows at an evidence level or a stronger one (`htx_pipeline.graph.network.at_least`)."""
    if evidence not in EVIDENCE:
        raise InputError(
            f"{evidence!r} is not an evidence level.",
            remedy=f"Use one of: {', '.join(EVIDENCE)}.",
            code="unknown_evidence",
        )
    return rows.filter(nw.col("evidence").is_in(EVIDENCE[EVIDENCE.index(evidence) :]))


def with_basis(
    rows: nw.LazyFrame[Any], *, by: Sequence[str] = ("period",), min_stated_share: float = 0.5
) -> nw.LazyFrame[Any]:
    """Add ``weight_basis``, chosen group by group as `htx_pipeline.graph.network.value_bases` does."""
    by = list(by)
    executed = nw.col("evidence") == "executed"

    def added(value: nw.Expr) -> nw.Expr:
        return value.sum().cast(nw.Int64).fill_null(0)

    def of_executed(column: str) -> nw.Expr:
        return added(nw.when(executed).then(nw.col(column)).otherwise(0))

    sums = rows.group_by(by).agg(
        added(nw.col("n_linkages")).alias("_n"),
        of_executed("n_linkages").alias("_n_executed"),
        of_executed("n_paid_value").alias("_n_paid"),
        added(nw.col("n_contracted_value")).alias("_n_contracted"),
        added(nw.col("paid_value_vnd")).alias("_paid"),
        added(nw.col("contracted_value_vnd")).alias("_contracted"),
    )
    paid = (nw.col("_paid") > 0) & (nw.col("_n_paid") >= min_stated_share * nw.col("_n_executed"))
    contracted = (nw.col("_contracted") > 0) & (
        nw.col("_n_contracted") >= min_stated_share * nw.col("_n")
    )
    else_links = nw.when(contracted).then(nw.lit("contracted_value")).otherwise(nw.lit("links"))
    basis = nw.when(paid).then(nw.lit("paid_value")).otherwise(else_links)
    return pin(rows.join(sums.select(*by, basis.alias("weight_basis")), on=by, how="left"))


def value_on_basis() -> nw.Expr:
    """Return the value in VND of an edge on its ``weight_basis``; null on the basis ``links``."""
    basis = nw.col("weight_basis")
    contracted = nw.when(basis == "contracted_value").then(nw.col("contracted_value_vnd"))
    return nw.when(basis == "paid_value").then(nw.col("paid_value_vnd")).otherwise(contracted)


def on_paid_basis(paid: str, contracted: str) -> nw.Expr:
    """Return one column on the basis ``paid_value``, the other elsewhere."""
    is_paid = nw.col("weight_basis") == "paid_value"
    return nw.when(is_paid).then(nw.col(paid)).otherwise(nw.col(contracted))


def with_stages(
    rows: nw.LazyFrame[Any], nodes: nw.LazyFrame[Any], *, supplier: str, buyer: str
) -> nw.LazyFrame[Any]:
    """Add the stages of both ends as columns; null where a node or its stage is not known."""
    for end, name in (("supplier_id", supplier), ("buyer_id", buyer)):
        own = nodes.select("period", nw.col("org_id").alias(end), nw.col("stage").alias(name))
        rows = rows.join(own, on=["period", end], how="left")
    return rows


def chosen(
    *cases: tuple[nw.Expr, str | int | float], otherwise: str | int | None = None
) -> nw.Expr:
    """Return the value of the first case that holds, else ``otherwise``.

    Examples
    --------
    >>> import polars as pl
    >>> frame = nw.from_native(pl.DataFrame({"x": [1, 2, 3]}))
    >>> frame.select(chosen((nw.col("x") > 2, "many"), (nw.col("x") > 1, "two"), otherwise="few"))["literal"].to_list()
    ['few', 'two', 'many']
    """
    made: nw.Expr | None = None if otherwise is None else nw.lit(otherwise)
    for condition, value in reversed(cases):
        case = nw.when(condition).then(nw.lit(value))
        made = case if made is None else case.otherwise(made)
    return nw.lit(None, dtype=nw.String) if made is None else made


def rank_of(column: str, order: Sequence[str]) -> nw.Expr:
    """Return the place of a value in an order, to sort by."""
    cases = [(nw.col(column) == name, rank) for rank, name in enumerate(order)]
    return chosen(*cases, otherwise=len(order))


def typed(rows: nw.LazyFrame[Any], schema: dict[str, Any]) -> nw.LazyFrame[Any]:
    """Select a table's columns with its types, given as Polars types."""
    names: dict[str, Any] = {
        "String": nw.String,
        "Int64": nw.Int64,
        "Float64": nw.Float64,
        "Boolean": nw.Boolean,
    }
    return rows.select(nw.col(c).cast(names[str(t)]) for c, t in schema.items())
