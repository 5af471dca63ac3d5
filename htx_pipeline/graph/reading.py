"""Reading a graph by the ids of its nodes, in the words of NetworkX.

What belongs here: counting and listing nodes, edges and neighbours, and the way from ids to row numbers.
What does not: weights, views, other graphs (`htx_pipeline.graph.csr`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.graph.numbering import NODE_ID
from htx_pipeline.graph.rows import Rows, rows_unsorted


class ReadableGraph:
    """Nodes with ids, and edges between them, over arrays that are never changed."""

    node_table: pl.DataFrame
    out: Rows
    edge_source: NDArray[np.int32]
    edge_target: NDArray[np.int32]
    _directed: bool
    _labels: Sequence[Hashable] | None

    @cached_property
    def into(self) -> Rows:
        """The incoming view: row ``v`` holds the sources of the edges into ``v``."""
        if not self._directed:
            return self.out
        return rows_unsorted(self.edge_target, self.edge_source, len(self))

    def is_directed(self) -> bool:
        """Return whether edges have a direction."""
        return self._directed

    def is_multigraph(self) -> bool:
        """Return False: algorithms see one edge per pair; parallel links are in `link_table`."""
        return False

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.out.indptr) - 1

    def number_of_nodes(self) -> int:
        """Return the number of nodes."""
        return len(self)

    order = number_of_nodes

    def number_of_edges(self) -> int:
        """Return the number of distinct pairs of ends."""
        return len(self.edge_source)

    size = number_of_edges

    def __iter__(self) -> Iterator[Hashable]:
        """Iterate over the nodes' ids in row order."""
        return iter(self.labels)

    def __contains__(self, label: Hashable) -> bool:
        """Return whether a node has this id."""
        try:
            return label in self._place
        except TypeError:
            return False

    has_node = __contains__

    @property
    def nodes(self) -> Sequence[Hashable]:
        """The nodes' ids in row order (attributes are in `node_table`)."""
        return self.labels

    @property
    def edges(self) -> Iterator[tuple[Hashable, Hashable]]:
        """The pairs of ids of the edges (attributes are in `edge_table`)."""
        labels = self.labels
        pairs = zip(self.edge_source.tolist(), self.edge_target.tolist(), strict=True)
        return ((labels[u], labels[v]) for u, v in pairs)

    def has_edge(self, source: Hashable, target: Hashable) -> bool:
        """Return whether an edge leads from one id to the other."""
        if source not in self or target not in self:
            return False
        return bool((self._row(self.index(source)) == self.index(target)).any())

    def successors(self, label: Hashable) -> list[Hashable]:
        """Return the ids that a node's edges lead to."""
        return [self.labels[v] for v in self._row(self.index(label)).tolist()]

    neighbors = successors

    def predecessors(self, label: Hashable) -> list[Hashable]:
        """Return the ids whose edges lead to a node."""
        rows, u = self.into, self.index(label)
        return [self.labels[v] for v in rows.indices[rows.indptr[u] : rows.indptr[u + 1]].tolist()]

    def _row(self, u: int) -> NDArray[np.int32]:
        return self.out.indices[self.out.indptr[u] : self.out.indptr[u + 1]]

    # ------------------------------------------------------------------ ids

    @property
    def ids(self) -> pl.Series:
        """The nodes' ids as a String column, sorted."""
        return self.node_table[NODE_ID]

    @property
    def labels(self) -> Sequence[Any]:
        """The nodes' ids as Python objects, in row order."""
        if self._labels is None:
            self._labels = self.ids.to_list()
        return self._labels

    @cached_property
    def _place(self) -> dict[Hashable, int]:
        return {label: row for row, label in enumerate(self.labels)}

    def index(self, label: Hashable) -> int:
        """Return the row number of an id.

        Raises
        ------
        KeyError
            No node has this id.
        """
        return self._place[label]

    def indices_of(self, ids: pl.Series) -> pl.Series:
        """Return the row number of each id, null where no node has it (Int64)."""
        table = pl.DataFrame([self.ids, pl.Series("row", np.arange(len(self)), dtype=pl.Int64)])
        asked = ids.cast(pl.String).alias(NODE_ID).to_frame()
        return asked.join(table, on=NODE_ID, how="left", maintain_order="left")["row"]
