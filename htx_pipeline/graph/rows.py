"""Compressed sparse rows and how one view of them follows from another.

What belongs here: `Rows`, making them from the two ends of edges, turning them round.
What does not: ids, attributes, files (`htx_pipeline.graph.csr`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rows(NamedTuple):
    """One compressed sparse row view.

    Row ``u`` is ``indices[indptr[u]:indptr[u + 1]]``; ``edge`` maps each slot to the edge it shows.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    edge: NDArray[np.int64] | None

    def weights(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return per-edge values in the order of the slots (without a copy where it is the same)."""
        return values if self.edge is None else values[self.edge]


def _indptr(source: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=n), out=indptr[1:])
    return indptr


def rows_of(source: NDArray[np.int32], target: NDArray[np.int32], n: int) -> Rows:
    """Return the rows of edges that are sorted by source."""
    return Rows(_indptr(source, n), np.ascontiguousarray(target, dtype=np.int32), None)


def rows_unsorted(source: NDArray[np.int32], target: NDArray[np.int32], n: int) -> Rows:
    """Return the rows of edges in any order; within a row they keep that order."""
    from htx_pipeline.graph.kernels import structure

    indptr = _indptr(source, n)
    indices, edge = structure.place(indptr, source, target)
    return Rows(indptr, indices, edge)


def symmetric_rows(source: NDArray[np.int32], target: NDArray[np.int32], n: int) -> Rows:
    """Return rows in which every edge but a self-loop stands at both ends, sorted."""
    back = source != target
    edge = np.arange(len(source), dtype=np.int64)
    # The smaller ends come first in each row because the edges are sorted by (source, target).
    tail = np.concatenate([target[back], source])
    head = np.concatenate([source[back], target])
    rows = rows_unsorted(tail, head, n)
    if rows.edge is None:
        return rows
    return Rows(rows.indptr, rows.indices, np.concatenate([edge[back], edge])[rows.edge])


def transpose(rows: Rows) -> Rows:
    """Return the rows with ends exchanged; the rows of the result are sorted."""
    n = len(rows.indptr) - 1
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(rows.indptr))
    turned = rows_unsorted(rows.indices, source, n)
    if rows.edge is None or turned.edge is None:
        return turned
    return Rows(turned.indptr, turned.indices, rows.edge[turned.edge])


def undirected_rows(
    rows: Rows, values: NDArray[np.float64] | None, *, directed: bool, loops: bool
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the undirected projection (indptr, indices, weights) of sorted rows, sorted.

    ``values`` holds one number per edge; without it every undirected edge weighs 1. The weight between
    two nodes is the sum of both directions; a self-loop stands once with its own weight, or not at all.
    """
    from htx_pipeline.graph.kernels import structure

    out: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]
    slots = rows.weights(values) if values is not None else np.empty(0)
    if not directed:
        if values is None:
            slots = np.ones(len(rows.indices))
        if loops:
            return rows.indptr, rows.indices, slots
        out = structure.drop_loops(rows.indptr, rows.indices, slots)
        return out
    back = transpose(rows)
    back_slots = back.weights(values) if values is not None else slots
    out = structure.merge_rows(
        rows.indptr, rows.indices, slots, back.indptr, back.indices, back_slots, loops
    )
    return out
