"""Kernels: lazily compiled, with or without a cache, over read-only arrays; cheap to know about."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest

from htx_pipeline.graph.kernels.jit import I64, Kernel


def total(values):  # type: ignore[no-untyped-def]
    """Return the sum."""
    out = 0
    for value in values:
        out += value
    return out


def test_a_kernel_works_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def without_cache(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("cache"):
            raise RuntimeError("cannot cache function 'total': no locator available")
        return real(*args, **kwargs)

    monkeypatch.setattr(numba, "njit", without_cache)
    values = np.arange(4)
    values.flags.writeable = False
    assert Kernel(total, (I64,))(values) == 6


def test_other_errors_of_the_compiler_are_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="something else"):
        Kernel(total, (I64,))(np.arange(4))


def test_importing_networkx_loads_neither_numba_nor_scipy_nor_polars_for_us() -> None:
    program = (
        "import sys\n"
        "from htx_pipeline.graph.backend_info import get_info\n"
        "get_info()\n"
        "heavy = {'numba', 'scipy', 'igraph', 'polars', 'numpy', 'networkx'} & set(sys.modules)\n"
        "raise SystemExit(', '.join(sorted(heavy)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
