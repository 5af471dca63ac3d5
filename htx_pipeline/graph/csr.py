"""The graph as compressed sparse rows over NumPy arrays and Polars tables.

What belongs here: `CSRGraph`, its views (outgoing, incoming, undirected), smaller graphs.
What does not: reading by id (`reading`), how rows are made (`rows`), the layout of saved graphs
(`files`), the objects of SciPy, igraph and NetworkX (`convert`), aggregation (`build`), algorithms
(`arrays`, `kernels`), dispatch (`backend`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph import convert, files
from htx_pipeline.graph.build import CanonicalEdges, canonical_edges, numbered_links
from htx_pipeline.graph.grouping import sums_over
from htx_pipeline.graph.numbering import NODE_ID
from htx_pipeline.graph.reading import ReadableGraph
from htx_pipeline.graph.rows import (
    Rows,
    rows_of,
    rows_unsorted,
    symmetric_rows,
    transpose,
    undirected_rows,
)

WEIGHT: Final = "weight"
"""Stands for the graph's own weight wherever an attribute is named; NetworkX's default name."""

IntArray = NDArray[np.integer[Any]]


class CSRGraph(ReadableGraph):
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
        nodes, links = numbered_links(source, target, n=n, weight=weight, directed=directed)
        name = None if weight is None else WEIGHT
        return cls._from_sorted(nodes, links, weight=name, directed=directed)

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
        values = sums_over(self.link_table[name], self._link_ptr)
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
    def sorted_out(self) -> Rows:
        """The outgoing view with every row sorted (the same as `out` unless made by NetworkX)."""
        if self._is_sorted and self._directed:
            return self.out
        return transpose(transpose(self.out))

    @cached_property
    def both_ways(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Every edge at both its ends: a row's targets, then its sources, self-loops and pairs twice."""
        if not self._directed:
            return self.out.indptr, self.out.indices
        rows = rows_unsorted(
            np.concatenate([self.edge_source, self.edge_target]),
            np.concatenate([self.edge_target, self.edge_source]),
            len(self),
        )
        return rows.indptr, rows.indices

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
        values = None if weight is None else self.weights(weight).astype(np.float64, copy=False)
        return undirected_rows(self.sorted_out, values, directed=self._directed, loops=loops)

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
        return convert.to_scipy(self.out, self.out.weights(self.weights(weight)))

    def to_igraph(self, weight: str | None = WEIGHT) -> Any:
        """Return an ``igraph.Graph`` with vertex attribute ``name`` and edge attribute ``weight``.

        Raises
        ------
        InputError
            igraph is not installed (code ``graph_igraph``).
        """
        weights = None if weight is None else self.weights(weight)
        return convert.to_igraph(
            self.labels,
            self.edge_source,
            self.edge_target,
            weights=weights,
            directed=self._directed,
        )

    def to_networkx(self, *, multigraph: bool = False) -> Any:
        """Return a NetworkX graph with every attribute; null attributes are left out.

        Edges carry their own attributes and, where the graph has a weight, ``weight``. With
        ``multigraph`` each link is an edge of its own.
        """
        edges = self.link_table if multigraph else self.edge_table
        if self.weight is not None and WEIGHT not in edges.columns:
            edges = edges.with_columns(pl.col(self.weight).alias(WEIGHT))
        return convert.to_networkx(
            self.labels,
            self.node_table.drop(NODE_ID, strict=False),
            edges,
            directed=self._directed,
            multigraph=multigraph,
            attributes=self.graph,
        )

    def save(self, path: Path | str) -> None:
        """Write the graph to a folder of plain arrays, replacing one that is there.

        The folder appears whole or not at all.
        """
        self.need_tables()
        arrays: dict[str, NDArray[Any] | None] = {
            "indptr": self.out.indptr,
            "indices": self.out.indices,
            "edge_source": self.edge_source,
            "edge_target": self.edge_target,
            "slot_edge": self.out.edge,
            "link_ptr": self._link_ptr,
        }
        held = {name: array for name, array in arrays.items() if array is not None}
        about = {"directed": self._directed, "weight": self.weight}
        files.save(path, files.Saved(self.node_table, self.link_table, held, about))

    @classmethod
    def open(cls, path: Path | str) -> CSRGraph:
        """Open a saved graph; its arrays are memory-mapped, so that processes share them.

        Raises
        ------
        InputError
            The folder is not a graph, or was written in another format.
        """
        nodes, links, arrays, about = files.mapped(path)
        return cls(
            node_table=nodes,
            link_table=links,
            rows=Rows(arrays["indptr"], arrays["indices"], arrays.get("slot_edge")),
            edge_source=arrays["edge_source"],
            edge_target=arrays["edge_target"],
            link_ptr=arrays.get("link_ptr"),
            directed=about["directed"],
            weight=about["weight"],
        )
