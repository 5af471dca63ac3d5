"""From a table of links to canonical edges: the only way a graph is made.

What belongs here: which columns tell links apart and add up, the canonical edges, and the ledger that
shows that every row and every unit of value went somewhere. The same links in another row
order give the same bytes.
What does not: how rows are numbered and added up (`htx_pipeline.graph.numbering`,
`htx_pipeline.graph.grouping`); arrays and algorithms (`htx_pipeline.graph.csr`,
`htx_pipeline.graph.kernels`); deciding which rows are good (validation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.grouping import (
    Groups,
    as_added_up,
    check_total,
    group_extreme,
    group_order,
    group_sum,
    sum_type,
)
from htx_pipeline.graph.numbering import (
    NO_CODE,
    NODE_ID,
    check_id_type,
    number_nodes,
    ranks_of,
)

LINKAGE_KEYS: Final = ("product_code", "evidence")
"""What tells parallel edges between the same two organisations apart."""

LINKAGE_SUMS: Final = (
    "contracted_tonnes",
    "delivered_tonnes",
    "contracted_value_vnd",
    "paid_value_vnd",
    "area_ha",
    "households",
)
"""Columns of `linkages` that add up over rows."""

LINKAGE_DATES: Final = ("signed_on", "starts_on", "ends_on")
"""Columns of `linkages` of which an edge keeps the first and the last."""


@dataclass(frozen=True)
class CanonicalEdges:
    """Aggregated, sorted edges over nodes 0..n-1.

    Attributes
    ----------
    nodes:
        ``node_id`` (sorted, unique) and the columns of the node table given, null where it had no
        row.
    edges:
        ``source``, ``target`` (Int32 row numbers of ``nodes``), the keys, the sums, ``n_links`` and
        ``first_<date>``, ``last_<date>``; sorted by (source, target, keys).
    ledger:
        One row per fate of a link: ``reason`` (``read``, ``kept``, ``null_source``,
        ``null_target``, ``null_both``), ``rows``, the total of each sum, and ``null_<sum>`` = rows
        where it was null. The fates add up to ``read``.
    unlisted:
        Number of nodes that occur in links but not in the node table given (0 when none was given).
    keys, sums:
        Names of the key and sum columns of ``edges``.
    groups:
        The links behind the edges: the row numbers of the links kept, edge after edge, and where each
        edge begins among them (`group_reduce` adds up more columns of the same links).
    """

    nodes: pl.DataFrame
    edges: pl.DataFrame
    ledger: pl.DataFrame
    unlisted: int
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    groups: Groups

    def labelled(self, *, source: str = "supplier_id", target: str = "buyer_id") -> pl.DataFrame:
        """Return the edges with ids in place of row numbers."""
        ids = self.nodes[NODE_ID]
        return self.edges.with_columns(
            ids.gather(self.edges["source"]).alias("source"),
            ids.gather(self.edges["target"]).alias("target"),
        ).rename({"source": source, "target": target})


def canonical_edges(
    links: pl.DataFrame | pl.LazyFrame,
    *,
    nodes: pl.DataFrame | None = None,
    source: str = "supplier_id",
    target: str = "buyer_id",
    node_id: str = "org_id",
    keys: Sequence[str] | None = None,
    sums: Sequence[str] | None = None,
    dates: Sequence[str] | None = None,
    directed: bool = True,
) -> CanonicalEdges:
    """Aggregate links to edges, sort them, and rename their ends to 0..n-1.

    Links with the same ends and the same keys become one edge. Integer sums are exact (an overflow
    of 64 bits is an `InputError`); float sums are taken in ascending order of the values, so that
    the row order does not show. The sum of nothing but nulls is null. A link without a source or a
    target cannot be an edge: it is left out and stands in the ledger.

    Parameters
    ----------
    links:
        One row per link; only the columns named are read.
    nodes:
        A table with one row per node: it adds isolated nodes and node attributes.
    source, target:
        Columns of ``links`` with the ids (String) of the two ends.
    node_id:
        Column of ``nodes`` with the id.
    keys, sums, dates:
        Columns of ``links`` that keep edges apart, that add up (integer or float), and of which the
        first and last are kept. Default: those of ``LINKAGE_KEYS``, ``LINKAGE_SUMS``,
        ``LINKAGE_DATES`` that the frame has.
    directed:
        When false, an edge's source is the smaller id.

    Raises
    ------
    InputError
        A column is missing or has the wrong type, a value is not finite, a total overflows, or the
        node table has an id twice or null.

    Examples
    --------
    >>> links = pl.DataFrame(
    ...     {
    ...         "supplier_id": ["b", "a", "b", None],
    ...         "buyer_id": ["c", "c", "c", "c"],
    ...         "product_code": ["coffee"] * 4,
    ...         "paid_value_vnd": [5, 7, 6, 1],
    ...     }
    ... )
    >>> canonical = canonical_edges(links)
    >>> canonical.labelled().select("supplier_id", "buyer_id", "paid_value_vnd").rows()
    [('a', 'c', 7), ('b', 'c', 11)]
    >>> canonical.ledger.select("reason", "rows", "paid_value_vnd").head(3).rows()
    [('read', 4, 19), ('kept', 3, 18), ('null_source', 1, 1)]
    """
    schema = links.collect_schema()
    keys = _chosen(keys, LINKAGE_KEYS, schema)
    sums = _chosen(sums, LINKAGE_SUMS, schema)
    dates = _chosen(dates, LINKAGE_DATES, schema)
    _check_columns(schema, source=source, target=target, keys=keys, sums=sums, dates=dates)
    wanted = list(dict.fromkeys((source, target, *keys, *sums, *dates)))
    if isinstance(links, pl.LazyFrame):
        links = links.select(wanted).collect()
    # Column by column: a query would take a millisecond, as long as all else for few links.
    frame = pl.DataFrame([links[name] for name in wanted])

    (tail, head), listed, ids, unlisted = number_nodes(
        [frame[source], frame[target]], nodes, node_id=node_id
    )
    no_tail, no_head = tail == NO_CODE, head == NO_CODE
    kept = ~(no_tail | no_head)
    ledger = _ledger(frame, sums, no_tail, no_head)
    if not kept.all():
        frame = frame.filter(pl.Series(kept))
        tail, head = tail[kept], head[kept]
    if not directed:
        tail, head = np.minimum(tail, head), np.maximum(tail, head)

    ranked = [ranks_of(frame[key]) for key in keys]
    order, starts = group_order(
        [tail, head, *(ranks for ranks, _ in ranked)],
        [len(ids), len(ids), *(len(values) for _, values in ranked)],
    )
    first_row = order[starts]
    columns: list[pl.Series] = [
        pl.Series("source", tail[first_row].astype(np.int32)),
        pl.Series("target", head[first_row].astype(np.int32)),
        *(values.gather(ranks[first_row]) for ranks, values in ranked),
        *(group_sum(frame[name], order, starts) for name in sums),
        pl.Series("n_links", np.diff(starts, append=len(order)).astype(np.int64)),
    ]
    for name in dates:
        columns.append(group_extreme(frame[name], order, starts, first=True))
        columns.append(group_extreme(frame[name], order, starts, first=False))
    return CanonicalEdges(
        nodes=listed,
        edges=pl.DataFrame(columns),
        ledger=ledger,
        unlisted=unlisted,
        keys=tuple(keys),
        sums=tuple(sums),
        groups=(order, starts),
    )


def numbered_links(
    source: NDArray[np.integer[Any]],
    target: NDArray[np.integer[Any]],
    *,
    n: int | None,
    weight: NDArray[Any] | None,
    directed: bool,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (nodes, edges) of links given by row numbers; ids are the numbers, padded to one width.

    ``edges`` has ``source``, ``target``, the sum ``weight`` where weights are given, and ``n_links``.

    Raises
    ------
    InputError
        A row number lies outside 0..n-1.
    """
    source, target = source.astype(np.int64), target.astype(np.int64)
    top = int(max(source.max(initial=-1), target.max(initial=-1)))
    n = top + 1 if n is None else n
    if top >= n or min(source.min(initial=0), target.min(initial=0)) < 0:
        raise InputError(f"A row number lies outside 0..{n - 1}.", code="graph_row_number")
    width = len(str(max(n - 1, 0)))
    ids = pl.Series(NODE_ID, np.arange(n)).cast(pl.String).str.zfill(width)
    if not directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    links = pl.DataFrame({"source": source.astype(np.int32), "target": target.astype(np.int32)})
    sums = []
    if weight is not None:
        links = links.with_columns(pl.Series("weight", weight))
        sums = [pl.col("weight").sum()]
    edges = (
        links.sort("source", "target", *links.columns[2:])
        .group_by("source", "target", maintain_order=True)
        .agg(*sums, pl.len().cast(pl.Int64).alias("n_links"))
    )
    return pl.DataFrame([ids]), edges


def _chosen(
    names: Sequence[str] | None, defaults: Sequence[str], schema: pl.Schema
) -> tuple[str, ...]:
    if names is None:
        return tuple(name for name in defaults if name in schema)
    return tuple(names)


def _check_columns(
    schema: pl.Schema,
    *,
    source: str,
    target: str,
    keys: Sequence[str],
    sums: Sequence[str],
    dates: Sequence[str],
) -> None:
    missing = [c for c in (source, target, *keys, *sums, *dates) if c not in schema]
    if missing:
        raise InputError(
            f"The table of links lacks the columns {missing}.",
            where=f"columns: {', '.join(schema.names())}",
            remedy="Name the columns with source=, target=, keys=, sums=, dates=.",
            code="graph_missing_column",
        )
    for name in (source, target):
        check_id_type(name, schema[name])
    for name in sums:
        if not (schema[name].is_integer() or schema[name].is_float()):
            raise InputError(
                f"{name} cannot be added up: it is {schema[name]}.",
                remedy="Cast money to Int64 (VND) and quantities to Float64.",
                code="graph_sum_type",
            )
    for name in dates:
        if schema[name].base_type() not in (pl.Date, pl.Datetime):
            raise InputError(
                f"{name} is {schema[name]}, not a date.",
                remedy="Parse the column to Date first.",
                code="graph_date_type",
            )
    made = ["source", "target", *keys, *sums, "n_links"]
    twice = sorted({name for name in made if made.count(name) > 1})
    if twice:
        raise InputError(
            f"The edge table would have the columns {twice} twice.",
            remedy="Rename those columns of the table of links.",
            code="graph_column_clash",
        )


def _ledger(
    frame: pl.DataFrame,
    sums: Sequence[str],
    no_tail: NDArray[np.bool_],
    no_head: NDArray[np.bool_],
) -> pl.DataFrame:
    fates = {
        "read": None,
        "kept": ~(no_tail | no_head),
        "null_source": no_tail & ~no_head,
        "null_target": no_head & ~no_tail,
        "null_both": no_tail & no_head,
    }
    empty = frame.clear()
    rows: list[dict[str, Any]] = []
    whole: dict[str, Any] = {}
    for reason, mask in fates.items():
        height = frame.height if mask is None else int(mask.sum())
        if reason == "kept" and height == frame.height:
            row = {**whole, "reason": reason}
        else:
            part = frame if mask is None else frame.filter(pl.Series(mask)) if height else empty
            row = {"reason": reason, "rows": height}
            for name in sums:
                row[name] = _total(part[name])
            for name in sums:
                row[f"null_{name}"] = part[name].null_count()
        rows.append(row)
        whole = whole or row
    schema: dict[str, pl.DataType] = {"reason": pl.String(), "rows": pl.Int64()}
    schema |= {name: sum_type(frame[name]) for name in sums}
    schema |= {f"null_{name}": pl.Int64() for name in sums}
    return pl.DataFrame(rows, schema=schema)


def _total(column: pl.Series) -> int | float:
    values = as_added_up(column.drop_nulls() if column.null_count() else column)
    check_total(column.name, values)
    if values.dtype == np.float64:
        return float(np.sort(values).sum())
    return int(values.sum())
