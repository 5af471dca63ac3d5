"""How kernels run: as plain Python while there is little to do, else compiled, cached, without the GIL.

What belongs here: the decorator, the names of the array types, and when compiling pays.
What does not: kernels.

Numba takes most of a second to start and half a second or more for each kernel that is not in its cache
(one that is takes five milliseconds); a province has a few thousand linkages, which plain Python runs
through in less. So a kernel is compiled once a process has asked more of it than `BUDGET`, and loaded at
first use if it is in the cache and Numba runs already. All ways give the same bits: the same operations
in the same order, without fast-math. ``python -m htx_pipeline.graph.kernels`` fills the cache; what must
be compiled all the same is logged.

A kernel is handed every array it needs: one that makes its own takes twice as long to compile. The
function beside it that makes them is what others call.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import FunctionType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ptr = NDArray[np.int64]
"""Where rows begin; one more than there are rows."""

Ids = NDArray[np.int32]
"""Row numbers."""


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

CALL = 400_000
"""A call that goes through more elements than this would take about as long as Numba's start: it is
compiled at once."""

LOG: Final = logging.getLogger(__name__)

VECTORS: Final = 50
"""So many times faster than plain Python does a `stand_in` go through its elements."""

_state = {"is_started": False, "is_told": False}
"""Whether Numba runs in this process, and whether compiling was announced."""

KERNELS: Final[list[Kernel]] = []

_LOCK: Final = RLock()

Work = Callable[..., float]


def always(*_args: Any) -> float:
    """Return more work than any budget: a kernel of bytes, whose arithmetic only the compiler knows."""
    return float("inf")


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep the garbage collector from walking over the many objects of Numba's start again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
        work: Work | None = None,
        stand_in: Callable[..., Any] | None = None,
    ) -> None:
        """Keep the function; nothing is compiled yet."""
        self.function = function
        self.signature = signature
        self.work = work or self._elements
        self.stand_in = stand_in
        self.spent = 0.0
        self._compiled: Any = None
        self._ready: Any = None
        self._is_cached: bool | None = None
        self.__doc__ = function.__doc__
        KERNELS.append(self)

    def _elements(self, *args: Any) -> float:
        """Return the work of a kernel that goes once through each array it reads."""
        pairs = zip(self.signature, args, strict=True)
        return float(sum(len(v) for of, v in pairs if of.is_array and not of.is_writable))

    @property
    def is_compiled(self) -> bool:
        """Whether this process has compiled the kernel, or loaded it from the cache."""
        return self._compiled is not None

    def is_cached(self) -> bool:
        """Whether the kernel lies in the cache; starts Numba."""
        with _LOCK:
            if self._is_cached is not None:
                return self._is_cached
            path = self._dispatcher().stats.cache_path
            index = f"*.{self.function.__qualname__}-*.nbi"
            self._is_cached = path is not None and any(Path(path).glob(index))
        return self._is_cached

    def compile(self) -> None:
        """Compile, or load from the cache; of several threads one does it."""
        with _LOCK, _no_collecting():
            if self._compiled is not None:
                return
            compiled = self._dispatcher()
            compiled.compile(tuple(of.numba() for of in self.signature))
            compiled.disable_compile()
            self._compiled = compiled
        _state["is_started"] = True
        if not compiled.stats.cache_hits and not _state["is_told"]:
            _state["is_told"] = True
            LOG.info(
                "Kernels are compiled once on this machine, some seconds; "
                "python -m htx_pipeline.graph.kernels does it beforehand."
            )

    def _dispatcher(self) -> Any:
        """Return what Numba makes of the function before it compiles anything."""
        if self._ready is not None:
            return self._ready
        import numba

        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        function = self._with_compiled_helpers(options)
        try:
            self._ready = numba.njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            # Neither the package nor the user's cache folder can be written.
            self._ready = numba.njit(**options)(function)
        return self._ready

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
            if not self._pays(args):
                if self.stand_in is not None:
                    return self.stand_in(*args)
                with np.errstate(divide="ignore", invalid="ignore"):
                    return self.function(*args)
            self.compile()
        return self._compiled(*args)

    def _pays(self, args: tuple[Any, ...]) -> bool:
        """Whether to have machine code from this call on."""
        work = self.work(*args)
        if self.stand_in is not None:
            work /= VECTORS
        self.spent += work
        if work > CALL or self.spent > BUDGET:
            return True
        return _state["is_started"] and self.is_cached()


def kernel(
    *signature: Type, work: Work | None = None, stand_in: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel.

    Parameters
    ----------
    signature:
        The types of its arguments.
    work:
        How many elements a call goes through; default: those of the arrays that it reads.
    stand_in:
        A NumPy function of the same arguments, with the same result to the bit, that runs in place of
        plain Python.
    """
    return lambda function: Kernel(function, signature, work, stand_in)
