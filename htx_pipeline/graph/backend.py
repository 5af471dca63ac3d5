"""The NetworkX backend: ``nx.pagerank(csr_graph)`` on arrays, everything else by conversion.

What belongs here: which calls run on arrays, and the object NetworkX dispatches to.
What does not: NetworkX's functions (`htx_pipeline.graph.networkx_api`), algorithms.

A function named in `backend_info.FUNCTIONS` runs on the arrays of a `CSRGraph`, or of a NetworkX graph
converted because ``backend="htx"`` or ``nx.config.backend_priority`` asks for it. Any other NetworkX
function called with a `CSRGraph` runs in NetworkX on a converted, frozen copy (kept with the graph);
one that would change its input is refused, because a `CSRGraph` does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import networkx as nx

from htx_pipeline.graph.arrays import UnsupportedError
from htx_pipeline.graph.backend_info import FUNCTIONS
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.networkx_api import centrality, paths, structure
from htx_pipeline.graph.networkx_api.conversion import (
    convert_from_nx,
    convert_to_nx,
    frozen_copy,
)

_SUMMED_MULTIGRAPHS = frozenset({"leiden_communities", "pagerank"})
"""Functions for which parallel edges are as good as one edge with the sum of their weights."""

_ONLY_DEFAULTS: dict[str, dict[str, tuple[int, Any]]] = {
    "bridges": {"root": (1, None)},
    "closeness_centrality": {"distance": (2, None)},
    "harmonic_centrality": {"nbunch": (1, None), "distance": (2, None), "sources": (3, None)},
    "has_bridges": {"root": (1, None)},
    "maximum_flow": {"flow_func": (4, None)},
    "maximum_flow_value": {"flow_func": (4, None)},
    "minimum_cut": {"flow_func": (4, None)},
    "minimum_cut_value": {"flow_func": (4, None)},
    "reciprocity": {"nodes": (1, None)},
    "shortest_path_length": {"method": (4, "dijkstra")},
}
"""Arguments for which only the default runs on arrays: name → (position, default)."""


def _arguments(args: Iterable[Any], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _native(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
    """Return whether a call runs on arrays, or why not."""
    if name not in FUNCTIONS:
        return f"{name} is not among the functions that run on arrays"
    for argument, (position, default) in _ONLY_DEFAULTS.get(name, {}).items():
        given = args[position] if len(args) > position else kwargs.get(argument, default)
        if given is not default and given != default:
            return f"{argument} is not {default!r}"
    weight = kwargs.get("weight")
    if callable(weight) or any(callable(value) for value in args[1:]):
        return "the weight is a function"
    if name.startswith(("maximum_flow", "minimum_cut")):
        unknown = set(kwargs) - {"flowG", "_s", "_t", "capacity", "flow_func"}
        if unknown:
            return f"unknown arguments {sorted(unknown)}"
    graph = args[0] if args else next(iter(kwargs.values()), None)
    if (
        graph is not None
        and hasattr(graph, "is_multigraph")
        and graph.is_multigraph()
        and name not in _SUMMED_MULTIGRAPHS
    ):
        return "the graph is a multigraph"
    return True


class BackendInterface:
    """What NetworkX loads from the entry point ``networkx.backends``.

    Every NetworkX function is an attribute: those in `FUNCTIONS` run on arrays, the others convert.
    """

    convert_from_nx = staticmethod(convert_from_nx)
    convert_to_nx = staticmethod(convert_to_nx)

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Return whether this backend takes a call, or why not.

        It takes NetworkX's graphs only for what runs on arrays, and a `CSRGraph` for everything
        that does not change its input.
        """
        native = _native(name, args, kwargs)
        if native is True:
            return True
        if not any(isinstance(value, CSRGraph) for value in _arguments(args, kwargs)):
            return native
        function = _dispatchable(name)
        assert function is not None
        if function._will_call_mutate_input(args, kwargs):
            return "a CSRGraph does not change; convert it with to_networkx()"
        if "networkx" not in function.backends:
            return native
        return True

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool | str:
        """Return whether converting a NetworkX graph pays: not for what only reads degrees."""
        if name in ("degree_centrality", "in_degree_centrality", "out_degree_centrality"):
            return "counting degrees costs less than converting"
        return True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the implementation of a NetworkX function."""
        function = None if name.endswith("__new__") else _dispatchable(name)
        if function is None:
            raise AttributeError(name)
        on_arrays = _ON_ARRAYS.get(name)

        def run(*args: Any, **kwargs: Any) -> Any:
            if on_arrays is not None and _native(name, args, kwargs) is True:
                try:
                    return on_arrays(*args, **kwargs)
                except UnsupportedError:
                    if "networkx" not in function.backends:
                        raise
            return function.orig_func(
                *(_converted(value) for value in args),
                **{key: _converted(value) for key, value in kwargs.items()},
            )

        return run


def _dispatchable(name: str) -> Any:
    """Return NetworkX's dispatchable of this name, without the decorators around it."""
    function = nx.utils.backends._registered_algorithms.get(name)
    while not isinstance(function, nx.utils.backends._dispatchable | None):
        function = function.__wrapped__
    return function


def _converted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(frozen_copy(item) for item in value) if _has_graph(value) else value
    return frozen_copy(value)


def _has_graph(values: Iterable[Any]) -> bool:
    return any(isinstance(item, CSRGraph) for item in values)


_ON_ARRAYS: dict[str, Callable[..., Any]] = {
    name: getattr(module, name)
    for module in (structure, centrality, paths)
    for name in FUNCTIONS
    if hasattr(module, name)
}

backend_interface = BackendInterface()
