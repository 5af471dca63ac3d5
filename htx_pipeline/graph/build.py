"""From a table of links to canonical edges: the only way a graph is made.

What belongs here: adding up duplicates, sorting, renaming organisations to 0..n-1, and the ledger
that shows that every row and every unit of value went somewhere. The same links in another row
order give the same bytes.
What does not: arrays and algorithms (`htx_pipeline.graph.csr`, `htx_pipeline.graph.kernels`);
deciding which rows are good (validation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError

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

NODE_ID: Final = "node_id"
"""The column of a node table that holds the sorted ids; its row number is the node's index."""

Groups = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(row order, starts): rows group after group, and the place in it where each group begins."""

_NO_CODE: Final = np.uint32(0xFFFFFFFF)
_INT64_LIMIT: Final = float(2**63)


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
    frame = links.lazy().select(wanted).collect()

    (tail, head), listed, ids, unlisted = _number_nodes(
        [frame[source], frame[target]], nodes, node_id=node_id
    )
    no_tail, no_head = tail == _NO_CODE, head == _NO_CODE
    kept = ~(no_tail | no_head)
    ledger = _ledger(frame, sums, no_tail, no_head)
    if not kept.all():
        frame = frame.filter(pl.Series(kept))
        tail, head = tail[kept], head[kept]
    if not directed:
        tail, head = np.minimum(tail, head), np.maximum(tail, head)

    ranked = [_ranks(frame[key]) for key in keys]
    order, starts = _group_order(
        [tail, head, *(ranks for ranks, _ in ranked)],
        [len(ids), len(ids), *(len(values) for _, values in ranked)],
    )
    first_row = order[starts]
    columns: list[pl.Series] = [
        pl.Series("source", tail[first_row].astype(np.int32)),
        pl.Series("target", head[first_row].astype(np.int32)),
        *(values.gather(ranks[first_row]) for ranks, values in ranked),
        *(_sum(frame[name], order, starts) for name in sums),
        pl.Series("n_links", np.diff(starts, append=len(order)).astype(np.int64)),
    ]
    for name in dates:
        columns.append(_extreme(frame[name], order, starts, first=True))
        columns.append(_extreme(frame[name], order, starts, first=False))
    return CanonicalEdges(
        nodes=listed,
        edges=pl.DataFrame(columns),
        ledger=ledger,
        unlisted=unlisted,
        keys=tuple(keys),
        sums=tuple(sums),
        groups=(order, starts),
    )


def group_reduce(values: NDArray[Any], groups: Groups, *, by: np.ufunc = np.add) -> NDArray[Any]:
    """Add up (or reduce by another ufunc) one value per row within each group.

    Examples
    --------
    >>> group_reduce(np.array([5, 1, 2]), (np.array([1, 2, 0]), np.array([0, 2]))).tolist()
    [3, 5]
    """
    order, starts = groups
    if len(starts) == 0:
        return values[:0]
    reduced: NDArray[Any] = by.reduceat(values[order], starts)
    return reduced


def group_lists(column: pl.Series, groups: Groups) -> pl.Series:
    """Return the sorted distinct values of each group as a list, nulls left out.

    Examples
    --------
    >>> group_lists(pl.Series("x", ["b", "c", "b", None]), (np.array([0, 1, 2, 3]), np.array([0, 3]))).to_list()
    [['b', 'c'], []]
    """
    order, starts = groups
    n = len(starts)
    size = np.diff(starts, append=len(order))
    group = np.repeat(np.arange(n, dtype=np.uint32), size)
    shared = size[group] > 1 if n else np.empty(0, dtype=bool)
    name = column.name
    if n and not shared.any() and not column.null_count():
        return column.gather(order).reshape((n, 1)).arr.to_list()
    rows = pl.DataFrame([pl.Series("_group", group), column.gather(order)])
    some = rows.filter(pl.Series(shared)).unique().sort("_group", name)
    rows = pl.concat([rows.filter(pl.Series(~shared)), some]).drop_nulls(name)
    # Stable, so that the lists stay sorted.
    rows = rows.sort("_group", maintain_order=True)
    held = rows["_group"].to_numpy()
    lists = rows.group_by("_group", maintain_order=True).agg(pl.col(name))[name]
    has_any = np.zeros(n, dtype=bool)
    has_any[held] = True
    if has_any.all():
        return lists
    place = pl.Series(np.where(has_any, np.cumsum(has_any) - 1, -1)).replace(-1, None)
    return lists.gather(place).fill_null(pl.lit([], dtype=lists.dtype))


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
        _check_id_type(name, schema[name])
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


def _check_id_type(name: str, dtype: pl.DataType) -> None:
    if dtype.base_type() not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise InputError(
            f"{name} must hold ids as text; it is {dtype}.",
            remedy=f'Cast it: pl.col("{name}").cast(pl.String).',
            code="graph_id_type",
        )


def _number_nodes(
    ends: Sequence[pl.Series], nodes: pl.DataFrame | None, *, node_id: str
) -> tuple[list[NDArray[np.uint32]], pl.DataFrame, pl.Series, int]:
    """Return the ends' row numbers in the sorted node table, the table, its ids, the unlisted."""
    # A private category set hashes every string once, whichever column it stands in. It lives only
    # as long as a column that uses it.
    categories = pl.Categories.random()
    keeper = pl.Series([], dtype=pl.Categorical(categories))
    codes = [_codes(column, keeper.dtype) for column in ends]
    known = None
    if nodes is not None:
        if node_id not in nodes.columns:
            raise InputError(
                f"The node table lacks the column {node_id}.",
                where=f"columns: {', '.join(nodes.columns)}",
                remedy="Name it with node_id=.",
                code="graph_missing_column",
            )
        _check_id_type(node_id, nodes.schema[node_id])
        column = nodes[node_id]
        if column.null_count() or column.n_unique() != len(column):
            raise InputError(
                f"{node_id} of the node table is null or repeated.",
                why=f"{column.null_count()} null, {len(column) - column.n_unique()} repeated.",
                remedy="Give one row per organisation (resolve duplicates first).",
                code="graph_node_key",
            )
        known = _codes(column, keeper.dtype)
    texts = _texts(categories, codes if known is None else [*codes, known]).alias(NODE_ID)
    rank = texts.arg_sort().to_numpy()
    place = np.empty(len(texts), dtype=np.uint32)
    place[rank] = np.arange(len(texts), dtype=np.uint32)
    numbered = []
    for code in codes:
        if len(texts) == 0:
            numbered.append(np.full(len(code), _NO_CODE, dtype=np.uint32))
            continue
        absent = code == _NO_CODE
        numbers = place[np.where(absent, 0, code)] if absent.any() else place[code]
        numbers[absent] = _NO_CODE
        numbered.append(numbers)
    ids = texts.gather(rank)
    table = pl.DataFrame([ids])
    unlisted = 0
    if nodes is not None and known is not None:
        row = np.full(len(ids), -1, dtype=np.int64)
        row[place[known]] = np.arange(nodes.height)
        unlisted = int((row < 0).sum())
        picked = pl.Series(row).replace(-1, None) if unlisted else pl.Series(row)
        rest = nodes.drop(node_id)
        if NODE_ID in rest.columns:
            raise InputError(
                f"The node table has a column {NODE_ID} besides {node_id}.",
                remedy=f"Rename or drop {NODE_ID}.",
                code="graph_column_clash",
            )
        table = table.hstack([rest[name].gather(picked) for name in rest.columns])
    return numbered, table, ids, unlisted


def _codes(column: pl.Series, dtype: pl.DataType) -> NDArray[np.uint32]:
    text = column if column.dtype == pl.String else column.cast(pl.String)
    physical = text.cast(dtype).to_physical()
    if physical.null_count():
        physical = physical.fill_null(int(_NO_CODE))
    return physical.to_numpy().astype(np.uint32, copy=False)


def _texts(categories: pl.Categories, codes: Sequence[NDArray[np.uint32]]) -> pl.Series:
    """Return the distinct texts of a category set that only these codes use, in code order."""
    used = [code[code != _NO_CODE] for code in codes]
    count = 1 + max((int(code.max()) for code in used if len(code)), default=-1)
    numbers = pl.Series(np.arange(count, dtype=np.uint32))
    return numbers.cat.to(pl.Categorical(categories)).cast(pl.String)


def _ranks(column: pl.Series) -> tuple[NDArray[np.uint32], pl.Series]:
    """Return dense ranks, null ranking 0, and the value of each rank."""
    if column.dtype != pl.String:
        ranks = column.rank("dense").fill_null(0).to_numpy().astype(np.uint32)
        absent = pl.Series(column.name, [None], dtype=column.dtype)
        return ranks, pl.concat([absent, column.drop_nulls().unique().sort()])
    categories = pl.Categories.random()
    keeper = pl.Series([], dtype=pl.Categorical(categories))
    codes = _codes(column, keeper.dtype)
    texts = _texts(categories, [codes])
    place = np.zeros(len(texts) + 1, dtype=np.uint32)
    place[texts.arg_sort().to_numpy()] = np.arange(1, len(texts) + 1, dtype=np.uint32)
    values = pl.concat([pl.Series([None], dtype=pl.String), texts.sort()])
    return place[np.minimum(codes, np.uint32(len(texts)))], values.alias(column.name)


def _group_order(
    columns: Sequence[NDArray[np.uint32]], sizes: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row order by the columns, rows of one group in input order, and group starts."""
    rows = len(columns[0])
    if rows == 0:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty
    bits = [max(1, (size - 1).bit_length()) for size in sizes]
    row_bits = max(1, (rows - 1).bit_length())
    if sum(bits) > 64:
        order = np.lexsort(tuple(reversed(columns)))
        change = np.zeros(rows, dtype=bool)
        for column in columns:
            placed = column[order]
            change[1:] |= placed[1:] != placed[:-1]
    else:
        packed = columns[0].astype(np.uint64)
        for column, width in zip(columns[1:], bits[1:], strict=True):
            packed <<= np.uint64(width)
            packed |= column
        if sum(bits) + row_bits <= 64:
            # Sorting (key, row) as one number is several times cheaper than an argsort.
            packed <<= np.uint64(row_bits)
            packed |= np.arange(rows, dtype=np.uint64)
            packed.sort()
            order = (packed & np.uint64((1 << row_bits) - 1)).astype(np.int64)
            packed >>= np.uint64(row_bits)
        else:
            order = np.argsort(packed, kind="stable")
            packed = packed[order]
        change = np.zeros(rows, dtype=bool)
        np.not_equal(packed[1:], packed[:-1], out=change[1:])
    change[0] = True
    return order.astype(np.int64, copy=False), np.flatnonzero(change)


def _sum(column: pl.Series, order: NDArray[np.int64], starts: NDArray[np.int64]) -> pl.Series:
    """Add up a column within groups; null where a group has no value."""
    if len(starts) == 0:
        return pl.Series(column.name, [], dtype=_sum_type(column))
    valid = ~column.is_null().to_numpy() if column.null_count() else None
    values = _numbers(column.fill_null(0) if valid is not None else column)
    _check_total(column.name, values)
    placed = values[order]
    if placed.dtype == np.float64 and len(starts) < len(order):
        _sort_within_groups(placed, starts)
    totals = np.add.reduceat(placed, starts)
    out = pl.Series(column.name, totals)
    if valid is None:
        return out
    known = np.add.reduceat(valid[order].astype(np.int64), starts)
    return out.set(pl.Series(known == 0), None)


def _numbers(column: pl.Series) -> NDArray[Any]:
    """Return a column without nulls as it is added up."""
    return column.cast(_sum_type(column)).to_numpy()


def _sum_type(column: pl.Series) -> pl.DataType:
    return pl.Float64() if column.dtype.is_float() else pl.Int64()


def _check_total(name: str, values: NDArray[Any]) -> None:
    if values.dtype == np.float64:
        if not np.isfinite(values).all():
            raise InputError(
                f"{name} holds NaN or infinity.",
                remedy="Set what is unknown to null before building the graph.",
                code="graph_not_finite",
            )
    elif np.abs(values.astype(np.float64)).sum() >= _INT64_LIMIT:
        raise InputError(
            f"The total of {name} does not fit in 64 bits.",
            remedy="Use a larger unit, for example million VND.",
            code="graph_overflow",
        )


def _sort_within_groups(placed: NDArray[Any], starts: NDArray[np.int64]) -> None:
    """Sort the values of each group of two or more, in place."""
    sizes = np.diff(starts, append=len(placed))
    shared = np.repeat(sizes > 1, sizes)
    group = np.repeat(np.arange(len(starts)), sizes)[shared]
    values = placed[shared]
    placed[shared] = values[np.lexsort((values, group))]


def _extreme(
    column: pl.Series, order: NDArray[np.int64], starts: NDArray[np.int64], *, first: bool
) -> pl.Series:
    name = f"{'first' if first else 'last'}_{column.name}"
    if len(starts) == 0:
        return pl.Series(name, [], dtype=column.dtype)
    limits = np.iinfo(np.int64)
    absent = limits.max if first else limits.min
    values = column.to_physical().cast(pl.Int64).fill_null(absent).to_numpy()
    pick = np.minimum if first else np.maximum
    found = pick.reduceat(values[order], starts)
    out = pl.Series(name, found).set(pl.Series(found == absent), None)
    return out.cast(column.to_physical().dtype).cast(column.dtype)


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
    schema |= {name: _sum_type(frame[name]) for name in sums}
    schema |= {f"null_{name}": pl.Int64() for name in sums}
    return pl.DataFrame(rows, schema=schema)


def _total(column: pl.Series) -> int | float:
    values = _numbers(column.drop_nulls() if column.null_count() else column)
    _check_total(column.name, values)
    if values.dtype == np.float64:
        return float(np.sort(values).sum())
    return int(values.sum())
