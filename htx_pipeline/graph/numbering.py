"""From texts to numbers: organisations to 0..n-1 in the order of their ids, keys to ranks.

What belongs here: numbering that does not depend on the order of rows.
What does not: adding rows up (`htx_pipeline.graph.grouping`), which columns are what
(`htx_pipeline.graph.build`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError

NODE_ID: Final = "node_id"
"""The column of a node table that holds the sorted ids; its row number is the node's index."""

NO_CODE: Final = np.uint32(0xFFFFFFFF)
"""Stands for an id that is null."""


def check_id_type(name: str, dtype: pl.DataType) -> None:
    if dtype.base_type() not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise InputError(
            f"{name} must hold ids as text; it is {dtype}.",
            remedy=f'Cast it: pl.col("{name}").cast(pl.String).',
            code="graph_id_type",
        )


def number_nodes(
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
        check_id_type(node_id, nodes.schema[node_id])
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
            numbered.append(np.full(len(code), NO_CODE, dtype=np.uint32))
            continue
        absent = code == NO_CODE
        numbers = place[np.where(absent, 0, code)] if absent.any() else place[code]
        numbers[absent] = NO_CODE
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
        physical = physical.fill_null(int(NO_CODE))
    return physical.to_numpy().astype(np.uint32, copy=False)


def _texts(categories: pl.Categories, codes: Sequence[NDArray[np.uint32]]) -> pl.Series:
    """Return the distinct texts of a category set that only these codes use, in code order."""
    used = [code[code != NO_CODE] for code in codes]
    count = 1 + max((int(code.max()) for code in used if len(code)), default=-1)
    numbers = pl.Series(np.arange(count, dtype=np.uint32))
    return numbers.cat.to(pl.Categorical(categories)).cast(pl.String)


def ranks_of(column: pl.Series) -> tuple[NDArray[np.uint32], pl.Series]:
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
