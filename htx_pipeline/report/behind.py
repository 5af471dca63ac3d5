"""Which core rows stand behind a line or a column of a table.

What belongs here: for each column that pages print, the core table it is made from, the rows of it that
count and how they become one figure (`COLUMNS`); for each sort of line, its rows (`by_org`,
`by_product`, `by_flow`; places are the builder's `at_place`). What does not: finding the source files (`trace`), deciding
what may be published (`disclosure`).

A figure of a table is its column's rule applied to the rows behind its line. Both `trace` and disclosure
control read this, and a test adds the rows up again and compares with what is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

Rows = Mapping[str, pl.Expr]
"""Per core table, which of its rows count."""

How = Literal["rows", "distinct", "sum", "mean", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How the figures of one column are made.

    Parameters
    ----------
    table:
        The core table whose rows are counted or added.
    how:
        ``rows`` counts rows; ``distinct`` counts values of ``column``; ``sum`` adds ``column``;
        ``mean`` weighs it by ``weight``; ``share`` is the part of ``column`` for which ``part`` holds.
    column, weight, part:
        See ``how``.
    only:
        Rows that count, given the line of the table.
    entities:
        Columns that name whose figure a row is; a figure of few of them is theirs.
    is_public:
        The figure may be published whoever stands behind it: counts of units on a public register.
    """

    table: str
    how: How
    column: str | None = None
    weight: str | None = None
    part: pl.Expr | None = None
    only: Callable[[Mapping[str, Any]], pl.Expr] | None = None
    entities: tuple[str, ...] = ("org_id",)
    is_public: bool = False

    def rows(self, line: Mapping[str, Any]) -> pl.Expr | None:
        """Return which rows of the core table count for one line; None for all."""
        parts = [self.only(line)] if self.only else []
        if self.how in ("sum", "mean", "share") and self.column:
            parts.append(pl.col(self.column).is_not_null())
        if self.weight:
            parts.append(pl.col(self.weight).is_not_null())
        return pl.all_horizontal(parts) if parts else None

    def value(self, rows: pl.DataFrame) -> float | None:
        """Return the figure that *rows* add up to; None where nothing is stated.

        Examples
        --------
        >>> paid = COLUMNS["paid_value_vnd"]
        >>> paid.value(pl.DataFrame({"paid_value_vnd": [2, None, 5]}))
        7
        """
        if self.how == "rows":
            return rows.height
        if self.how == "distinct":
            return int(rows[self.column or ""].drop_nulls().n_unique())
        stated = rows.drop_nulls([c for c in (self.column, self.weight) if c])
        if stated.height == 0:
            return None
        if self.how == "sum":
            added: float = exact_sum(stated[self.column or ""])
            return added
        if self.how == "mean":
            weights = stated[self.weight or ""]
            whole = exact_sum(weights)
            return exact_sum(stated[self.column or ""] * weights) / whole if whole else None
        whole = exact_sum(stated[self.column or ""])
        part = (
            exact_sum(stated.filter(self.part)[self.column or ""]) if self.part is not None else 0
        )
        return part / whole if whole else None


def exact_sum(values: pl.Series) -> Any:
    """Return the sum of a column; whole numbers exactly, others without regard to their order."""
    import math

    return int(values.sum()) if values.dtype.is_integer() else math.fsum(values.to_list())


def _legal(*types: str) -> Callable[[Mapping[str, Any]], pl.Expr]:
    return lambda _: pl.col("legal_type").is_in(list(types))


def _signed(_: Mapping[str, Any]) -> pl.Expr:
    """Return the linkages that are signed or stronger; a planned one has no value yet."""
    return pl.col("evidence") != "planned"


_BOTH: Final = ("supplier_id", "buyer_id")


def _links(column: str, **more: Any) -> Column:
    return Column(table="linkages", how="sum", column=column, entities=_BOTH, **more)


def _told(column: str, **more: Any) -> Column:
    return Column(table="cooperative_reports", how="sum", column=column, **more)


def _side(end: str) -> Callable[[Mapping[str, Any]], pl.Expr]:
    """Return the linkages that a line's organisation enters at one end; all where it names none."""
    return lambda line: (
        pl.lit(value=True) if not line.get("org_id") else pl.col(end) == line["org_id"]
    )


COLUMNS: Final[Mapping[str, Column]] = {
    "n_cooperatives": Column(table="organisations", how="rows", only=_legal("htx"), is_public=True),
    "n_cooperatives_and_groups": Column(table="organisations", how="rows", only=_legal("htx", "lhhtx", "tht"), is_public=True),
    "n_cooperative_groups": Column(table="organisations", how="rows", only=_legal("tht"), is_public=True),
    "n_unions": Column(table="organisations", how="rows", only=_legal("lhhtx"), is_public=True),
    "n_enterprises": Column(table="organisations", how="rows", only=_legal("enterprise"), is_public=True),
    "n_organisations": Column(table="organisations", how="rows", is_public=True),
    "n_reported": Column(table="cooperative_reports", how="rows", is_public=True),
    "n_linkages": Column(table="linkages", how="rows", entities=_BOTH, is_public=True),
    "n_suppliers": Column(table="linkages", how="distinct", column="supplier_id", entities=_BOTH, is_public=True),
    "n_buyers": Column(table="linkages", how="distinct", column="buyer_id", entities=_BOTH, is_public=True),
    "contracted_value_vnd": _links("contracted_value_vnd", only=_signed),
    "paid_value_vnd": _links("paid_value_vnd"),
    "contracted_tonnes": _links("contracted_tonnes"),
    "delivered_tonnes": _links("delivered_tonnes"),
    "area_ha": _links("area_ha"),
    "households": _links("households"),
    "executed_share": Column(
        table="linkages", how="share", column="contracted_value_vnd", part=pl.col("evidence") == "executed", entities=_BOTH,
    ),
    "official_members": _told("official_members"),
    "revenue_vnd": _told("revenue_vnd"),
    "member_income_vnd": Column(
        table="cooperative_reports", how="mean", column="member_income_vnd", weight="official_members",
    ),
}  # fmt: skip
"""Columns by key, whichever table they stand in."""


FACT_COLUMNS: Final[Mapping[str, str]] = {
    "organisations": "n_organisations",
    "linkages": "n_linkages",
    "contracted": "contracted_value_vnd",
    "paid": "paid_value_vnd",
    "executed": "executed_share",
    "income": "member_income_vnd",
    "area": "area_ha",
}
"""Columns of the headline figures whose key is another."""


BASES: Final[Mapping[str, Mapping[str, str]]] = {
    "paid_value": {"value_vnd": "paid_value_vnd", "tonnes": "delivered_tonnes"},
    "contracted_value": {"value_vnd": "contracted_value_vnd", "tonnes": "contracted_tonnes"},
}
"""What a value or a mass is, by the basis that its line states."""


def column_of(key: str, line: Mapping[str, Any] | None = None) -> Column | None:
    """Return the rule of a column; None where there is none.

    Examples
    --------
    >>> column_of("value_vnd", {"weight_basis": "paid_value"}).column, column_of("name")
    ('paid_value_vnd', None)
    """
    line = line or {}
    if line.get("kind") == "balance" or "presence_basis" in line:
        return None  # What balances a stage, or passes through it, is no sum of rows.
    basis = line.get("weight_basis")
    return COLUMNS.get(BASES.get(basis or "", {}).get(key, key))


def fact_column(key: str) -> Column | None:
    """Return the rule of a headline figure; None where there is none.

    Examples
    --------
    >>> fact_column("paid").column
    'paid_value_vnd'
    """
    return COLUMNS.get(FACT_COLUMNS.get(key, key))


def by_org(*org_ids: str) -> Rows:
    """Return the rows of organisations: their register entry, report, and linkages at either end.

    Examples
    --------
    >>> frame = pl.DataFrame({"supplier_id": ["a", "b"], "buyer_id": ["c", "a"]})
    >>> frame.filter(by_org("b")["linkages"]).rows()
    [('b', 'a')]
    """
    ids = list(org_ids)
    own = pl.col("org_id").is_in(ids)
    return {
        "organisations": own,
        "cooperative_reports": own,
        "trainings": own,
        "commendations": own,
        "linkages": pl.col("supplier_id").is_in(ids) | pl.col("buyer_id").is_in(ids),
    }


def by_product(code: str | None) -> Rows:
    """Return the linkages of one product; those that state none where *code* is None.

    Examples
    --------
    >>> pl.DataFrame({"product_code": ["x", None]}).filter(by_product(None)["linkages"]).height
    1
    """
    return {"linkages": pl.col("product_code").eq_missing(pl.lit(code, dtype=pl.String))}


def by_flow(stages: Mapping[str, str | None], line: Mapping[str, Any]) -> Rows:
    """Return the linkages of one flow from stage to stage; of a balance, all that touch its stage.

    Parameters
    ----------
    stages:
        Organisation → stage, of `graph/nodes`.
    line:
        A row of `metrics/chain_flows`.

    Examples
    --------
    >>> frame = pl.DataFrame({"supplier_id": ["a", "b"], "buyer_id": ["b", "c"], "product_code": ["x", "x"]})
    >>> line = {"product_code": "x", "from_stage": "production", "to_stage": "processing", "kind": "recorded"}
    >>> frame.filter(by_flow({"a": "production", "b": "processing", "c": None}, line)["linkages"]).rows()
    [('a', 'b', 'x')]
    """

    def at(end: str, stage: str | None) -> pl.Expr:
        here = sorted(
            org for org, own in stages.items() if (own or "unknown") == (stage or "unknown")
        )
        return pl.col(end).is_in(here)

    product = by_product(line["product_code"])["linkages"]
    if line.get("kind") == "balance":
        ends = (line["from_stage"], line["to_stage"])
        stage = next((s for s in ends if s not in ("unknown", "loss", None)), None)
        return {"linkages": product & (at("supplier_id", stage) | at("buyer_id", stage))}
    return {
        "linkages": product
        & at("supplier_id", line["from_stage"])
        & at("buyer_id", line["to_stage"])
    }


def by_stage(stages: Mapping[str, str | None], line: Mapping[str, Any]) -> Rows:
    """Return the linkages of one product that enter or leave a stage."""
    here = sorted(org for org, own in stages.items() if own == line["stage"])
    touches = pl.col("supplier_id").is_in(here) | pl.col("buyer_id").is_in(here)
    return {"linkages": by_product(line["product_code"])["linkages"] & touches}
