"""From row numbers to labels, and NetworkX's decorators with types."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar, cast

import networkx as nx
import numpy as np
from networkx.utils import not_implemented_for, py_random_state
from numpy.typing import NDArray

from htx_pipeline.graph.csr import CSRGraph

Label = Hashable
F = TypeVar("F", bound=Callable[..., Any])


def labels_of(graph: CSRGraph, rows: NDArray[Any]) -> list[Any]:
    names = graph.labels
    return [names[row] for row in rows.tolist()]


def by_node(graph: CSRGraph, values: NDArray[Any]) -> dict[Any, Any]:
    return dict(zip(graph.labels, values.tolist(), strict=True))


def groups(graph: CSRGraph, label: NDArray[Any], count: int) -> Iterator[set[Any]]:
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label, minlength=count))[:-1]
    for rows in np.split(order, ends) if count else ():
        yield set(labels_of(graph, rows))


def row_of(graph: CSRGraph, label: Label, *, what: str = "Source") -> int:
    if label not in graph:
        raise nx.NodeNotFound(f"{what} {label} is not in G")
    return graph.index(label)


def numbers(graph: CSRGraph, weight: str | None, values: NDArray[Any]) -> list[Any]:
    """Return distances as whole numbers where the weights are whole."""
    if graph.weights(weight).dtype.kind == "i":
        return list(map(int, values.tolist()))
    return list(values.tolist())


def undirected_only(function: F) -> F:
    return cast(F, not_implemented_for("directed")(function))


def directed_only(function: F) -> F:
    return cast(F, not_implemented_for("undirected")(function))


def seeded(function: F) -> F:
    return cast(F, py_random_state("seed")(function))
