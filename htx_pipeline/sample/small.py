"""Networks of a few organisations, written in one line: for examples, pages and a first try.

What belongs here: from short tuples to the tables that measures read. What does not: anything larger
(`province`, `scale`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from htx_pipeline.graph import network
from htx_pipeline.schemas import TABLES


class Small(NamedTuple):
    """The tables of a small network: as `core/organisations`, `core/linkages`, `graph/edges`, `graph/nodes`."""

    organisations: pl.DataFrame
    linkages: pl.DataFrame
    edges: pl.DataFrame
    nodes: pl.DataFrame


def small(
    links: Sequence[tuple[Any, ...]],
    *,
    stages: Mapping[str, str] | None = None,
    organisations: Mapping[str, Mapping[str, Any]] | None = None,
    period: str = "2024",
    product: str = "rice",
    evidence: str = "executed",
) -> Small:
    """Build a network from links ``(supplier, buyer, value)`` or ``(supplier, buyer, value, tonnes)``.

    Parameters
    ----------
    links:
        Value in VND, contracted and, where ``evidence`` is ``executed``, paid; tonnes likewise. A last
        entry may be a mapping of further columns of `core/linkages`, such as ``{"evidence": "signed"}``.
    stages:
        Stage of an organisation, where its links should not decide.
    organisations:
        Columns of `core/organisations` of some of them (``legal_type``, ``locality``, …); all others
        are enterprises.
    period, product, evidence:
        Of every link that does not say otherwise.

    Examples
    --------
    >>> made = small([("farm", "mill", 60), ("mill", "shop", 100)], organisations={"farm": {"legal_type": "htx"}})
    >>> made.nodes.select("org_id", "legal_type", "stage").rows()
    [('farm', 'htx', 'production'), ('mill', 'enterprise', 'collection'), ('shop', 'enterprise', 'consumption')]
    """
    rows = []
    for link in links:
        further = dict(link[-1]) if isinstance(link[-1], Mapping) else {}
        plain = [*(link[:-1] if further else link), None, None][:4]
        supplier, buyer, value, tonnes = plain
        row = {
            "period": period, "supplier_id": supplier, "buyer_id": buyer, "product_code": product, "evidence": evidence,
            "contracted_value_vnd": value, "contracted_tonnes": tonnes, **further,
        }  # fmt: skip
        if row["evidence"] == "executed":
            row.setdefault("paid_value_vnd", row["contracted_value_vnd"])
            row.setdefault("delivered_tonnes", row["contracted_tonnes"])
        rows.append(row)
    table = TABLES["linkages"]
    names = dict.fromkeys(name for row in rows for name in row)
    types = {c.name: c.dtype for c in table.columns}
    frame = {n: pl.Series(n, [r.get(n) for r in rows], types[n], strict=False) for n in names}
    linkages = table.conform(pl.DataFrame(frame))
    told = organisations or {}
    ids = sorted({*linkages["supplier_id"], *linkages["buyer_id"], *told})
    periods = sorted(set(linkages["period"])) or [period]
    known = TABLES["organisations"].conform(
        pl.DataFrame(
            [
                {"period": p, "org_id": i, "name": i, "legal_type": "enterprise", **told.get(i, {})}
                for p in periods
                for i in ids
            ]
        )
    )
    edges = network.edges(linkages)
    nodes = network.nodes(known, edges)
    if stages:
        stage = pl.col("org_id").replace_strict(dict(stages), default=pl.col("stage"))
        nodes = nodes.with_columns(stage.alias("stage"))
    return Small(known, linkages, edges, nodes)
