"""The graph as compressed sparse rows over NumPy arrays and Polars tables.

What belongs here: `CSRGraph`, its views (outgoing, incoming, undirected), smaller graphs.
What does not: how rows are made (`rows`), storage in memory-mapped files (`files`), conversion to SciPy,
igraph and NetworkX (`convert`), aggregation (`htx_pipeline.graph.build`), algorithms (`htx_pipeline.graph.kernels`),
dispatch (`htx_pipeline.graph.backend`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph import convert, files
from htx_pipeline.graph.build import NODE_ID, CanonicalEdges, canonical_edges
from htx_pipeline.graph.rows import Rows, rows_of, rows_unsorted, symmetric_rows, transpose

WEIGHT: Final = "weight"
"""Stands for the graph's own weight wherever an attribute is named; NetworkX's default name."""

IntArray = NDArray[np.integer[Any]]


class CSRGraph:
    """A directed or undirected graph: simple edges for algorithms, parallel edges underneath.

    Nodes are the rows of `node_table`, which is sorted by id. The rows of `link_table` are the
    parallel edges (one per product and evidence level, say), sorted by (source, target, keys); the
    *edges* of the graph are their distinct pairs of ends, and an edge's attribute is the sum over
    its links. A graph is never changed once made.

    Make one with `from_frame`, `from_canonical` or `open`; ``nx.pagerank(graph)`` and the like then
    run on its arrays (see `htx_pipeline.graph.backend`).

    Examples
    --------
    >>> links = pl.DataFrame(
    ...     {
    ...         "supplier_id": ["htx1", "htx1", "htx2", "mill"],
    ...         "buyer_id": ["mill", "mill", "mill", "port"],
    ...         "evidence": ["signed", "executed", "signed", "executed"],
    ...         "paid_value_vnd": [3, 4, 5, 20],
    ...     }
    ... )
    >>> graph = CSRGraph.from_frame(links, weight="paid_value_vnd")
    >>> graph
    CSRGraph(directed, 4 nodes, 3 edges, 4 links, weight='paid_value_vnd')
    >>> graph.labels
    ['htx1', 'htx2', 'mill', 'port']
    >>> graph.attribute("paid_value_vnd").tolist()
    [7, 5, 20]
    >>> graph.where(pl.col("evidence") == "executed").number_of_edges()
    2
    """

    __networkx_backend__ = "htx"

    def __init__(
        self,
        *,
        node_table: pl.DataFrame,
        link_table: pl.DataFrame,
        rows: Rows,
        edge_source: NDArray[np.int32],
        edge_target: NDArray[np.int32],
        link_ptr: NDArray[np.int64] | None,
        directed: bool,
        weight: str | None,
        labels: Sequence[Hashable] | None = None,
        attributes: Mapping[str, NDArray[Any]] | None = None,
        graph: Mapping[str, Any] | None = None,
        is_sorted: bool = True,
    ) -> None:
        """Take the parts as they are; use `from_frame`, which checks them."""
        self.node_table = node_table
        self.link_table = link_table
        self.out = rows
        self.edge_source = edge_source
        self.edge_target = edge_target
        self.weight = weight
        self.graph = dict(graph or {})
        self._link_ptr = link_ptr
        self._directed = directed
        self._labels = labels
        self._attributes: dict[str, NDArray[Any]] = dict(attributes or {})
        self._is_sorted = is_sorted

    # ------------------------------------------------------------------ making

    @classmethod
    def from_frame(
        cls,
        links: pl.DataFrame | pl.LazyFrame,
        nodes: pl.DataFrame | None = None,
        *,
        source: str = "supplier_id",
        target: str = "buyer_id",
        node_id: str = "org_id",
        weight: str | None = None,
        keys: Sequence[str] | None = None,
        sums: Sequence[str] | None = None,
        dates: Sequence[str] | None = None,
        directed: bool = True,
    ) -> CSRGraph:
        """Build a graph from a table of links; see `canonical_edges` for the arguments.

        ``weight`` names the sum that algorithms use by default; without it every edge weighs 1.
        """
        if weight is not None and sums is not None and weight not in sums:
            sums = (*sums, weight)
        canonical = canonical_edges(
            links,
            nodes=nodes,
            source=source,
            target=target,
            node_id=node_id,
            keys=keys,
            sums=sums,
            dates=dates,
            directed=directed,
        )
        return cls.from_canonical(canonical, weight=weight, directed=directed)

    @classmethod
    def from_canonical(
        cls, canonical: CanonicalEdges, *, weight: str | None = None, directed: bool = True
    ) -> CSRGraph:
        """Build a graph from canonical edges, without copying them."""
        return cls._from_sorted(canonical.nodes, canonical.edges, weight=weight, directed=directed)

    @classmethod
    def from_arrays(
        cls,
        source: IntArray,
        target: IntArray,
        *,
        n: int | None = None,
        weight: NDArray[Any] | None = None,
        directed: bool = True,
    ) -> CSRGraph:
        """Build a graph from arrays of row numbers; the ids are the numbers, padded to one width.

        Examples
        --------
        >>> graph = CSRGraph.from_arrays(np.array([0, 2]), np.array([1, 1]), n=4)
        >>> graph.labels, graph.number_of_edges()
        (['0', '1', '2', '3'], 2)
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
            links = links.with_columns(pl.Series(WEIGHT, weight))
            sums = [pl.col(WEIGHT).sum()]
        links = (
            links.sort("source", "target", *links.columns[2:])
            .group_by("source", "target", maintain_order=True)
            .agg(*sums, pl.len().cast(pl.Int64).alias("n_links"))
        )
        return cls._from_sorted(
            pl.DataFrame([ids]),
            links,
            weight=None if weight is None else WEIGHT,
            directed=directed,
        )

    @classmethod
    def _from_sorted(
        cls, nodes: pl.DataFrame, links: pl.DataFrame, *, weight: str | None, directed: bool
    ) -> CSRGraph:
        if weight is not None and weight not in links.columns:
            raise InputError(
                f"The weight {weight} is not a column of the edges.",
                where=f"columns: {', '.join(links.columns)}",
                remedy="Name it in sums= too.",
                code="graph_missing_column",
            )
        source = links["source"].to_numpy()
        target = links["target"].to_numpy()
        change = np.ones(len(source), dtype=bool)
        change[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
        link_ptr = None
        if not change.all():
            starts = np.flatnonzero(change)
            link_ptr = np.append(starts, len(source)).astype(np.int64)
            source, target = source[starts], target[starts]
        n = nodes.height
        rows = rows_of(source, target, n) if directed else symmetric_rows(source, target, n)
        return cls(
            node_table=nodes,
            link_table=links,
            rows=rows,
            edge_source=source,
            edge_target=target,
            link_ptr=link_ptr,
            directed=directed,
            weight=weight,
        )

    # ------------------------------------------------------------------ describing

    def __repr__(self) -> str:
        """Return kind, size and weight."""
        kind = "directed" if self._directed else "undirected"
        return (
            f"CSRGraph({kind}, {len(self)} nodes, {self.number_of_edges()} edges, "
            f"{self.link_table.height} links, weight={self.weight!r})"
        )

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

    # ------------------------------------------------------------------ attributes and views

    @property
    def attribute_names(self) -> list[str]:
        """Names that `attribute` answers to, besides ``weight``."""
        numeric = [
            name
            for name, dtype in self.link_table.schema.items()
            if dtype.is_numeric() and name not in ("source", "target")
        ]
        return list(dict.fromkeys([*self._attributes, *numeric]))

    def attribute(self, name: str | None = WEIGHT) -> NDArray[Any]:
        """Return one value per edge: the sum over its links; NaN where all of them are null.

        ``"weight"`` means the graph's own weight; without one, and for ``None``, every edge has 1.
        Int64 or Float64; without parallel links the array is the column itself, not a copy.

        Raises
        ------
        InputError
            The links have no such numeric column.
        """
        if name is None:
            return np.ones(self.number_of_edges(), dtype=np.int64)
        if name in self._attributes:
            return self._attributes[name]
        if name == WEIGHT and WEIGHT not in self.link_table.columns:
            return self.attribute(self.weight)
        if name not in self.attribute_names:
            raise InputError(
                f"The links have no numeric column {name}.",
                where=f"columns: {', '.join(self.link_table.columns)}",
                code="graph_missing_column",
            )
        column = self.link_table[name]
        values = column.to_numpy()
        if values.dtype.kind == "i":
            values = values.astype(np.int64, copy=False)
        else:
            values = values.astype(np.float64, copy=False)
        if self._link_ptr is not None:
            starts = self._link_ptr[:-1]
            if column.null_count():
                absent = column.is_null().to_numpy()
                total = np.add.reduceat(np.where(absent, 0.0, values), starts)
                known = np.add.reduceat((~absent).astype(np.int64), starts)
                total[known == 0] = np.nan
            else:
                total = np.add.reduceat(values, starts) if len(starts) else values
            values = total
        self._attributes[name] = values
        return values

    def weights(self, name: str | None = WEIGHT) -> NDArray[Any]:
        """Return `attribute`, refusing edges whose value is unknown.

        Raises
        ------
        InputError
            Some edge's value is null.
        """
        values = self.attribute(name)
        if values.dtype.kind == "f":
            unknown = int(np.isnan(values).sum())
            if unknown:
                raise InputError(
                    f"{unknown} edges have no known {name or self.weight}.",
                    remedy="Choose a weight every edge has, or drop those edges with where().",
                    code="graph_unknown_weight",
                )
        return values

    @property
    def edge_table(self) -> pl.DataFrame:
        """One row per edge: ``source``, ``target`` (row numbers), every attribute (null unknown)."""
        columns = [
            pl.Series("source", self.edge_source),
            pl.Series("target", self.edge_target),
        ]
        for name in self.attribute_names:
            column = pl.Series(name, self.attribute(name))
            columns.append(column.fill_nan(None) if column.dtype.is_float() else column)
        return pl.DataFrame(columns)

    def links_of(self, source: Hashable, target: Hashable) -> pl.DataFrame:
        """Return the parallel links from one id to another."""
        u, v = self.index(source), self.index(target)
        if not self._directed:
            u, v = min(u, v), max(u, v)
        return self.link_table.filter((pl.col("source") == u) & (pl.col("target") == v))

    @cached_property
    def into(self) -> Rows:
        """The incoming view: row ``v`` holds the sources of the edges into ``v``."""
        if not self._directed:
            return self.out
        return rows_unsorted(self.edge_target, self.edge_source, len(self))

    @cached_property
    def sorted_out(self) -> Rows:
        """The outgoing view with every row sorted (the same as `out` unless made by NetworkX)."""
        if self._is_sorted and self._directed:
            return self.out
        return transpose(transpose(self.out))

    @cached_property
    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The undirected structure: each row's distinct neighbours, sorted, without the node itself."""
        indptr, indices, _ = self.undirected(weight=None, loops=False)
        return indptr, indices

    def undirected(
        self, weight: str | None = WEIGHT, *, loops: bool = True
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Return the undirected projection (indptr, indices, weights), rows sorted.

        The weight between two nodes is the sum of both directions; a self-loop stands once with its
        own weight. ``weight=None`` gives every undirected edge the weight 1.
        """
        from htx_pipeline.graph.kernels import structure

        out: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]
        rows = self.sorted_out
        if weight is None:
            values = np.empty(0)
        else:
            values = rows.weights(self.weights(weight)).astype(np.float64, copy=False)
        if not self._directed:
            if weight is None:
                values = np.ones(len(rows.indices))
            if loops:
                return rows.indptr, rows.indices, values
            out = structure.drop_loops(rows.indptr, rows.indices, values)
            return out
        back = transpose(rows)
        back_values = values
        if weight is not None:
            back_values = back.weights(self.weights(weight)).astype(np.float64, copy=False)
        out = structure.merge_rows(
            rows.indptr, rows.indices, values, back.indptr, back.indices, back_values, loops
        )
        return out

    # ------------------------------------------------------------------ smaller graphs

    def where(self, predicate: pl.Expr, *, drop_isolated: bool = False) -> CSRGraph:
        """Return the graph of the links that satisfy a predicate on `link_table`.

        All nodes stay, so row numbers keep their meaning, unless ``drop_isolated``.
        """
        self.need_tables()
        part = CSRGraph._from_sorted(
            self.node_table,
            self.link_table.filter(predicate),
            weight=self.weight,
            directed=self._directed,
        )
        if not drop_isolated:
            return part
        used = np.zeros(len(self), dtype=bool)
        used[part.edge_source] = True
        used[part.edge_target] = True
        return part.subgraph(used)

    def subgraph(self, nodes: NDArray[np.bool_] | Iterable[Hashable]) -> CSRGraph:
        """Return the graph among some nodes, given as a mask over rows or as ids."""
        self.need_tables()
        if isinstance(nodes, np.ndarray) and nodes.dtype == np.bool_:
            mask = nodes
        else:
            mask = np.zeros(len(self), dtype=bool)
            mask[[self.index(label) for label in nodes]] = True
        row = np.cumsum(mask).astype(np.int32) - np.int32(1)
        source = self.link_table["source"].to_numpy()
        target = self.link_table["target"].to_numpy()
        kept = mask[source] & mask[target]
        links = self.link_table.filter(pl.Series(kept)).with_columns(
            pl.Series("source", row[source[kept]]), pl.Series("target", row[target[kept]])
        )
        return CSRGraph._from_sorted(
            self.node_table.filter(pl.Series(mask)),
            links,
            weight=self.weight,
            directed=self._directed,
        )

    def reversed(self) -> CSRGraph:
        """Return the graph with every edge turned round."""
        self.need_tables()
        if not self._directed:
            return self
        links = self.link_table.rename({"source": "target", "target": "source"})
        names = self.link_table.columns
        links = links.select(names).sort("source", "target", maintain_order=True)
        return CSRGraph._from_sorted(self.node_table, links, weight=self.weight, directed=True)

    def need_tables(self) -> None:
        """Refuse what needs tables of nodes and links."""
        if NODE_ID not in self.node_table.columns:
            raise NotImplementedError("a graph converted from NetworkX has no tables to filter")

    # ------------------------------------------------------------------ other libraries and files

    def to_scipy(self, weight: str | None = WEIGHT) -> Any:
        """Return a ``scipy.sparse.csr_array``; column numbers and weights are not copied.

        Its arrays are read-only (they are the graph's); copy it for what writes in place.
        """
        return convert.to_scipy(self, weight)

    def to_igraph(self, weight: str | None = WEIGHT) -> Any:
        """Return an ``igraph.Graph`` with vertex attribute ``name`` and edge attribute ``weight``.

        Raises
        ------
        InputError
            igraph is not installed (code ``graph_igraph``).
        """
        return convert.to_igraph(self, weight)

    def to_networkx(self, *, multigraph: bool = False) -> Any:
        """Return a NetworkX graph with every attribute; null attributes are left out.

        Edges carry their own attributes and, where the graph has a weight, ``weight``. With
        ``multigraph`` each link is an edge of its own.
        """
        return convert.to_networkx(self, multigraph=multigraph)

    def save(self, path: Path | str) -> None:
        """Write the graph to a folder of plain arrays, replacing one that is there.

        The folder appears whole or not at all.
        """
        files.save(self, path)

    @classmethod
    def open(cls, path: Path | str) -> CSRGraph:
        """Open a saved graph; its arrays are memory-mapped, so that processes share them.

        Raises
        ------
        InputError
            The folder is not a graph, or was written in another format.
        """
        return files.open_graph(path)
