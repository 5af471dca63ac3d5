"""How kernels run: as plain Python while there is little to do, else compiled, cached, without the GIL.

What belongs here: the decorator, the names of the array types, and when compiling pays.
What does not: kernels.

Numba takes most of a second to start and as long for each kernel that is not in its cache; a province
has a few thousand linkages, which plain Python runs through in less. So kernels are compiled once a process
has asked more of one than `BUDGET`, and loaded at first use once one of them came from the cache. Both ways
give the same bits: the same operations in the same order, without fast-math. ``python -m
htx_pipeline.graph.kernels`` fills the cache; what must be compiled all the same is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, NamedTuple

import numpy as np


class Type(NamedTuple):
    """The type of one argument: a number, or a contiguous array of one dimension."""

    name: str
    is_array: bool = False
    is_writable: bool = False

    def numba(self) -> Any:
        """Return what Numba calls it."""
        from numba.core import types

        scalar = getattr(types, self.name)
        if not self.is_array:
            return scalar
        return types.Array(scalar, 1, "C", readonly=not self.is_writable)


# Read-only: memory-mapped arrays come so, and writable ones are accepted for it.
I32: Final = Type("int32", is_array=True)
I64: Final = Type("int64", is_array=True)
F64: Final = Type("float64", is_array=True)
B: Final = Type("boolean", is_array=True)
W_I32: Final = Type("int32", is_array=True, is_writable=True)
W_I64: Final = Type("int64", is_array=True, is_writable=True)
W_F64: Final = Type("float64", is_array=True, is_writable=True)
W_B: Final = Type("boolean", is_array=True, is_writable=True)
i64: Final = Type("int64")
f64: Final = Type("float64")
flag: Final = Type("boolean")

BUDGET = 1_000_000
"""So many elements a kernel goes through in plain Python, all calls of a process together, before it is
compiled: about half a second."""

CALL = 150_000
"""A call that goes through more elements than this is the first of many, or of a graph that wants all
kernels: it is compiled at once."""

LOG: Final = logging.getLogger(__name__)

_state = {"is_cached": False, "is_told": False}
"""Whether a kernel came from the cache in this process, and whether compiling was announced."""

KERNELS: Final[list[Kernel]] = []

Work = Callable[..., float]


def elements(*args: Any) -> float:
    """Return the work of a kernel that goes through each of its arrays once."""
    return float(sum(len(value) for value in args if isinstance(value, np.ndarray)))


def always(*_args: Any) -> float:
    """Return more work than any budget: a kernel of bytes, whose arithmetic only the compiler knows."""
    return float("inf")


class Helper:
    """A function that kernels call: plain in plain Python, compiled within a compiled kernel."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Keep the function."""
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any) -> Any:
        """Run the function as it is."""
        return self.function(*args)


helper = Helper


class Kernel:
    """A function that is compiled for one signature when that pays."""

    def __init__(
        self,
        function: Callable[..., Any],
        signature: tuple[Type, ...],
        work: Work = elements,
    ) -> None:
        """Keep the function; nothing is compiled yet."""
        self.function = function
        self.signature = signature
        self.work = work
        self.spent = 0.0
        self._compiled: Any = None
        self.__doc__ = function.__doc__
        KERNELS.append(self)

    @property
    def is_compiled(self) -> bool:
        """Whether this process has compiled the kernel, or loaded it from the cache."""
        return self._compiled is not None

    def compile(self) -> None:
        """Compile, or load from the cache."""
        if self._compiled is not None:
            return
        import numba

        signature = tuple(of.numba() for of in self.signature)
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        function = self._with_compiled_helpers(options)
        try:
            self._compiled = numba.njit(signature, cache=True, **options)(function)
            if self._compiled.stats.cache_hits:
                _state["is_cached"] = True
            elif not _state["is_told"]:
                _state["is_told"] = True
                LOG.info(
                    "Kernels are compiled once on this machine, some seconds; "
                    "python -m htx_pipeline.graph.kernels does it beforehand."
                )
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            # Neither the package nor the user's cache folder can be written.
            self._compiled = numba.njit(signature, **options)(function)

    def _with_compiled_helpers(self, options: dict[str, Any]) -> Callable[..., Any]:
        """Return the function with the helpers that it calls compiled."""
        import numba

        names = self.function.__globals__
        used = {
            name: numba.njit(**options)(names[name].function)
            for name in self.function.__code__.co_names
            if isinstance(names.get(name), Helper)
        }
        if not used:
            return self.function
        copy = FunctionType(self.function.__code__, {**names, **used}, self.function.__name__)
        copy.__module__, copy.__qualname__ = self.function.__module__, self.function.__qualname__
        return copy

    def __call__(self, *args: Any) -> Any:
        """Run the function, compiled if that is done or pays by now."""
        if self._compiled is None:
            work = self.work(*args)
            self.spent += work
            if work <= CALL and self.spent <= BUDGET and not _state["is_cached"]:
                with np.errstate(divide="ignore", invalid="ignore"):
                    return self.function(*args)
            self.compile()
        return self._compiled(*args)


def kernel(*signature: Type, work: Work = elements) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel with the types of its arguments, and its work as a number of elements."""
    return lambda function: Kernel(function, signature, work)
