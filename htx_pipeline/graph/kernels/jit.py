"""How kernels are compiled: for explicit types, on first use, cached, without the GIL.

What belongs here: the decorator and the names of the array types.
What does not: kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
from numba.core import types

# Read-only: memory-mapped arrays come so, and writable ones are accepted for it.
I8: Final = types.Array(types.int8, 1, "C", readonly=True)
I32: Final = types.Array(types.int32, 1, "C", readonly=True)
I64: Final = types.Array(types.int64, 1, "C", readonly=True)
F64: Final = types.Array(types.float64, 1, "C", readonly=True)
B: Final = types.Array(types.boolean, 1, "C", readonly=True)
W_I32: Final = types.Array(types.int32, 1, "C")
W_I64: Final = types.Array(types.int64, 1, "C")
W_F64: Final = types.Array(types.float64, 1, "C")
W_B: Final = types.Array(types.boolean, 1, "C")
i64: Final = types.int64
f64: Final = types.float64
flag: Final = types.boolean

KERNELS: Final[list[Kernel]] = []


class Kernel:
    """A function that is compiled for one signature when it is first called."""

    def __init__(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> None:
        """Keep the function; nothing is compiled yet."""
        self.function = function
        self.signature = signature
        self._compiled: Any = None
        self.__doc__ = function.__doc__
        KERNELS.append(self)

    def compile(self) -> None:
        """Compile, or load from the cache."""
        if self._compiled is not None:
            return
        try:
            self._compiled = numba.njit(self.signature, cache=True, nogil=True)(self.function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            # Neither the package nor the user's cache folder can be written.
            self._compiled = numba.njit(self.signature, nogil=True)(self.function)

    def __call__(self, *args: Any) -> Any:
        """Run the compiled function."""
        if self._compiled is None:
            self.compile()
        return self._compiled(*args)


def kernel(*signature: Any) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel with the types of its arguments."""
    return lambda function: Kernel(function, signature)
