"""Kernels: lazily compiled, with or without a cache, over read-only arrays; cheap to know about."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numba
import numpy as np
import pytest

from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.esri import esri
from htx_pipeline.graph.flow import maximum_flow
from htx_pipeline.graph.kernels import jit
from htx_pipeline.graph.kernels.jit import I64, W_I64, Kernel, i64
from htx_pipeline.graph.leiden import leiden
from htx_pipeline.graph.position import upstreamness


def total(values):  # type: ignore[no-untyped-def]
    """Return the sum."""
    out = 0
    for value in values:
        out += value
    return out


def kernel_of_its_own() -> Kernel:
    """A kernel that is not among those of the package."""
    made = Kernel(total, (I64,))
    jit.KERNELS.remove(made)
    return made


def test_a_kernel_works_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def without_cache(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("cache"):
            raise RuntimeError("cannot cache function 'total': no locator available")
        return real(*args, **kwargs)

    monkeypatch.setattr(numba, "njit", without_cache)
    values = np.arange(4)
    values.flags.writeable = False
    summed = kernel_of_its_own()
    summed.compile()
    assert summed(values) == 6


def test_other_errors_of_the_compiler_are_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="something else"):
        kernel_of_its_own().compile()


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


def test_a_kernel_is_compiled_once_it_was_asked_for_more_than_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jit, "BUDGET", 10)
    monkeypatch.setitem(jit._state, "is_started", False)
    summed = kernel_of_its_own()
    compiled = []
    for _ in range(4):
        assert summed(np.arange(4)) == 6
        compiled.append(summed.is_compiled)
    assert compiled == [False, False, True, True]


def test_threads_that_call_a_kernel_for_the_first_time_together_get_one_compiled() -> None:
    summed = kernel_of_its_own()
    summed.is_cached()
    gate = Barrier(4)

    def first_call(_: int) -> int:
        gate.wait()
        summed.compile()
        return int(summed(np.arange(4)))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(first_call, range(4))) == [6] * 4


def test_only_what_a_kernel_reads_counts_as_its_work() -> None:
    moved = Kernel(total, (I64, W_I64, i64))
    jit.KERNELS.remove(moved)
    assert moved.work(np.arange(4), np.empty(9, dtype=np.int64), 7) == 4


def test_once_numba_runs_a_cheap_call_loads_a_kernel_that_is_cached_and_compiles_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(jit._state, "is_started", True)
    for cached in (False, True):
        monkeypatch.setattr(Kernel, "is_cached", lambda _, cached=cached: cached)
        summed = kernel_of_its_own()
        assert summed(np.arange(4)) == 6
        assert summed.is_compiled is cached


def test_a_kernel_knows_whether_a_process_before_has_cached_it(tmp_path: Path) -> None:
    program = (
        "from htx_pipeline.graph.kernels import traverse\n"
        "kernel = traverse._reach\n"
        "before = kernel.is_cached()\n"
        "kernel.compile()\n"
        "print(before)\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert told == ["False", "True"]


def test_a_province_is_partitioned_without_starting_the_compiler() -> None:
    program = (
        "import sys\n"
        "import numpy as np\n"
        "from htx_pipeline.graph import arrays\n"
        "from htx_pipeline.graph.csr import CSRGraph\n"
        "from htx_pipeline.graph.leiden import leiden\n"
        "rng = np.random.default_rng(0)\n"
        "farm = rng.integers(0, 700, 2000)\n"
        "g = CSRGraph.from_arrays(farm, farm // 20 * 20 + rng.integers(0, 23, 2000))\n"
        "assert leiden(g).communities > 1\n"
        "assert arrays.articulation_points(g).any()\n"
        "raise SystemExit(int('numba' in sys.modules))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def everything(graph: CSRGraph) -> None:
    """Call what runs on kernels."""
    arrays.weak_components(graph)
    arrays.strong_components(graph)
    arrays.articulation_points(graph)
    arrays.blocks(graph)
    arrays.core_numbers(graph)
    arrays.triangles(graph)
    arrays.distances(graph, 0, cutoff=2)
    arrays.shortest_paths(graph, 0)
    arrays.betweenness(graph, endpoints=True)
    arrays.betweenness(graph, weight="weight")
    arrays.distance_sums(graph)
    arrays.generations(graph)
    leiden(graph)
    arrays.pagerank(graph)
    if graph.is_directed():
        upstreamness(graph)
        esri(graph, sector=np.arange(len(graph)) % 3)
        maximum_flow(graph, 0, len(graph) - 1)
        arrays.closed_pairs(graph)
    order = np.arange(len(graph))[::-1].copy()
    counted = CSRGraph.from_arrays(graph.edge_source, graph.edge_target, n=len(graph))
    arrays.largest_parts(counted, order, np.array([0, 3, len(graph)]))


def test_plain_python_and_compiled_code_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def both(self: Kernel, *args: Any) -> Any:
        assert self.work(*args) >= 0
        self.compile()
        seen.add(self)
        others = [copied(args)] if self.stand_in is None else [copied(args), copied(args)]
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = [self.function(*others[0])]
        if self.stand_in is not None:
            plain.append(self.stand_in(*others[1]))
        result = self._compiled(*args)
        for given, returned in zip(others, plain, strict=True):
            assert returned == result, self.function.__name__
            for a, b in zip(args, given, strict=True):
                equal_nan = np.asarray(a).dtype.kind == "f"
                assert np.array_equal(a, b, equal_nan=equal_nan), self.function.__name__
        return result

    def copied(args: tuple[Any, ...]) -> list[Any]:
        return [np.array(a) if isinstance(a, np.ndarray) else a for a in args]

    monkeypatch.setattr(Kernel, "__call__", both)
    rng = np.random.default_rng(0)
    for links in (3, 30, 300):
        for directed in (True, False):
            ends = rng.integers(0, 40, (2, links))
            weight = np.round(rng.exponential(5, links), 2)
            everything(CSRGraph.from_arrays(*ends, n=40, weight=weight, directed=directed))
    own = [k for k in jit.KERNELS if k.function.__module__.startswith("htx_pipeline.graph.")]
    missing = [k.function.__name__ for k in own if k not in seen]
    assert missing == []
