"""Running a kernel over many sources on several threads.

What belongs here: cutting the work into pieces whose size does not depend on the machine, so that
sums are taken in the same order everywhere.
What does not: kernels (they release the GIL themselves).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def cores() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pieces(
    run: Callable[[NDArray[Any]], T],
    items: NDArray[Any],
    *,
    piece: int,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[T]:
    """Yield ``run(part)`` for consecutive parts of ``piece`` items, in order.

    ``progress(done, total)`` is called from this thread after each part.
    """
    parts = [items[i : i + piece] for i in range(0, len(items), piece)]
    done = 0
    with ThreadPoolExecutor(max_workers=workers or cores()) as pool:
        for part, result in zip(parts, pool.map(run, parts), strict=True):
            done += len(part)
            yield result
            if progress is not None:
                progress(done, len(items))


def every(n: int) -> NDArray[np.int64]:
    """Return the numbers 0..n-1."""
    return np.arange(n, dtype=np.int64)
