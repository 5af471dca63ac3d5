"""Positions and systemic risk against slow plain versions and answers worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.esri import Figure, _set_up, esri, esri_approximate, esri_figures
from htx_pipeline.graph.kernels import cascades
from htx_pipeline.graph.position import downstreamness, upstreamness


@st.composite
def chains(draw: st.DrawFn) -> tuple[CSRGraph, NDArray[np.int64], NDArray[np.bool_]]:
    """A graph of 2 to 8 nodes with loops and rings, sectors, and essential inputs."""
    n = draw(st.integers(2, 8))
    node = st.integers(0, n - 1)
    rows = draw(
        st.lists(
            st.tuples(node, node, st.sampled_from([0, 1, 1, 2, 3, 7])), min_size=1, max_size=20
        )
    )
    graph = CSRGraph.from_arrays(
        np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        n=n,
        weight=np.array([r[2] for r in rows]),
    )
    sector = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    essential = np.array(draw(st.lists(st.booleans(), min_size=9, max_size=9))).reshape(3, 3)
    return graph, sector, essential


def matrix(graph: CSRGraph) -> NDArray[np.float64]:
    """The values as a dense matrix."""
    dense: NDArray[np.float64] = graph.to_scipy().toarray().astype(float)
    return dense


# ---------------------------------------------------------------------- positions


def slow_position(values: NDArray[np.float64], outside: NDArray[np.float64] | None) -> list[float]:
    """Walk the chain of shares: expected steps until the outside, by dense linear algebra."""
    n = len(values)
    rest = np.zeros(n) if outside is None else outside
    whole = values.sum(axis=1) + rest
    share = np.divide(values, whole[:, None], out=np.zeros_like(values), where=whole[:, None] > 0)
    leaks = (share.sum(axis=1) < 1 - 1e-12) & ((whole > 0) | (outside is None))
    reach = np.eye(n, dtype=bool) | (share > 0)
    for _ in range(n):
        reach = reach | ((reach.astype(int) @ reach.astype(int)) > 0)
    good = (reach & leaks[None, :]).any(axis=1)
    defined = ~(reach & ~good[None, :]).any(axis=1)
    out = np.full(n, np.nan)
    if defined.any():
        part = share[np.ix_(defined, defined)]
        out[defined] = np.linalg.solve(np.eye(int(defined.sum())) - part, np.ones(defined.sum()))
    return list(out)


@settings(max_examples=150, deadline=None)
@given(chain=chains(), outside=st.none() | st.sampled_from([0.0, 0.5, 4.0]))
def test_positions_equal_a_dense_solve_and_are_undefined_at_the_same_nodes(
    chain: tuple[CSRGraph, NDArray[np.int64], NDArray[np.bool_]], outside: float | None
) -> None:
    graph = chain[0]
    rest = None if outside is None else np.full(len(graph), outside) * (np.arange(len(graph)) % 2)
    values = matrix(graph)
    assert upstreamness(graph, final_demand=rest) == pytest.approx(
        slow_position(values, rest), nan_ok=True, rel=1e-9
    )
    assert downstreamness(graph, primary_inputs=rest) == pytest.approx(
        slow_position(values.T, rest), nan_ok=True, rel=1e-9
    )


def test_a_ring_that_sells_only_to_itself_has_no_position_and_nor_has_who_feeds_it() -> None:
    graph = CSRGraph.from_arrays(np.array([0, 1, 2, 0]), np.array([1, 2, 1, 3]))
    assert upstreamness(graph) == pytest.approx([np.nan, np.nan, np.nan, 1.0], nan_ok=True)


def test_a_ring_with_a_thin_leak_is_solved_directly() -> None:
    """A ring of two that sells one part in a million outside: sweeps alone would need millions."""
    part = 1e-6
    graph = CSRGraph.from_arrays(
        np.array([0, 1, 1, 3]), np.array([1, 0, 2, 0]), weight=np.array([1, 1 - part, part, 1])
    )
    # U1 = 1 + (1-p)·U0 + p, U0 = 1 + U1  =>  U1 = 2/p, U0 = 2/p + 1, U3 = U0 + 1
    found = upstreamness(graph)
    assert found == pytest.approx([2 / part + 1, 2 / part, 1, 2 / part + 2], rel=1e-8)


def test_positions_do_not_depend_on_the_unit() -> None:
    rng = np.random.default_rng(0)
    tail, head, value = rng.integers(0, 30, 80), rng.integers(30, 60, 80), rng.integers(1, 9, 80)
    one = CSRGraph.from_arrays(tail, head, weight=value)
    other = CSRGraph.from_arrays(tail, head, weight=value * 1000)
    assert upstreamness(one) == pytest.approx(upstreamness(other), rel=1e-12)


# ---------------------------------------------------------------------- systemic risk


class NotSettledError(Exception):
    """The slow definition was stopped before it came to rest: it says nothing."""


def slow_esri(
    values: NDArray[np.float64],
    sector: NDArray[np.int64],
    essential: NDArray[np.bool_],
    *,
    linear: bool,
) -> Iterator[float]:
    """The definition of Diem et al., node by node, with plain loops."""
    n = len(values)
    sales, inputs = values.sum(axis=1), values.sum(axis=0)
    for failed in range(n):
        level = np.ones(n)
        level[failed] = 0
        for _ in range(3_000):
            new = level.copy()
            for buyer in range(n):
                if buyer == failed:
                    continue
                missing = np.zeros(n)
                for s in range(n):
                    peers = [m for m in range(n) if sector[m] == sector[s]]
                    left = sum(sales[m] * level[m] for m in peers)
                    share = min(1.0, sales[s] / left) if left > 1e-15 * sales[s] else 1.0
                    missing[s] = share * (1 - level[s]) * values[s, buyer]
                ways = [1.0]
                other = 0.0
                for k in range(3):
                    members = sector == k
                    bought = values[members, buyer].sum()
                    if bought == 0:
                        continue
                    if essential[k, sector[buyer]] and not linear:
                        ways.append(1 - missing[members].sum() / bought)
                    else:
                        other += missing[members].sum() / inputs[buyer]
                new[buyer] = min(*ways, 1 - other)
            done = np.abs(new - level).max() < 1e-13
            level = new
            if done:
                break
        else:
            raise NotSettledError
        # Rings that sell to themselves converge too slowly to wait for: solved, not repeated.
        share = np.divide(values, sales[:, None], out=np.zeros((n, n)), where=sales[:, None] > 0)
        above = np.arange(n) == failed
        for _ in range(n):
            above |= (share[:, above] > 0).any(axis=1)
        others = above & (np.arange(n) != failed)
        inside = np.eye(others.sum()) - share[np.ix_(others, others)]
        sold = np.ones(n)
        sold[failed] = 0
        sold[others] = 1 - np.linalg.solve(inside, share[others, failed])
        loss = 1 - np.minimum(level, sold)
        yield float(sales @ loss / sales.sum()) if sales.sum() else 0.0


@settings(max_examples=25, deadline=None)
@given(chain=chains(), linear=st.booleans())
def test_the_index_equals_the_slow_definition(
    chain: tuple[CSRGraph, NDArray[np.int64], NDArray[np.bool_]], linear: bool
) -> None:
    graph, sector, essential = chain
    found = esri(
        graph,
        sector=sector,
        essential=essential,
        production="linear" if linear else "leontief",
        tolerance=1e-14,
    )
    try:
        slow = list(slow_esri(matrix(graph), sector, essential, linear=linear))
    except NotSettledError:
        assume(False)
    assert found.risk == pytest.approx(slow, abs=2e-6)


def test_a_ring_of_many_small_steps_loses_all_that_it_cannot_sell_elsewhere() -> None:
    """0 and 1 sell to each other and a millionth to 2, which sells all to 0: nobody else buys.

    Whoever fails, in the end all sales are lost, after a million rounds. With 3 as a buyer of half a
    millionth, the failure of 2 costs 0 and 1 two thirds: 1e-6/(1e-6 + 0.5e-6).
    """
    tail, head = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 0])
    value = np.array([1e6, 1e6, 1.0, 1.0])
    closed = CSRGraph.from_arrays(tail, head, n=3, weight=value)
    none = np.zeros((1, 1), dtype=bool)
    one = np.zeros(3, dtype=int)
    assert esri(closed, sector=one, essential=none).risk == pytest.approx([1, 1, 1], abs=1e-9)
    leaking = CSRGraph.from_arrays(
        np.array([0, 1, 0, 0]), np.array([1, 0, 2, 3]), n=4, weight=np.array([1e6, 1e6, 1.0, 0.5])
    )
    found = esri(leaking, sector=np.zeros(4, dtype=int), essential=none).risk
    assert found[2] == pytest.approx(2 / 3, abs=1e-8)
    assert found[3] == pytest.approx(1 / 3, abs=1e-8)


@pytest.mark.parametrize(
    ("failed", "lost"),
    [(0, [1, 0.4, 0.2105931802516520, 1, 0.3888888888888890, 0.1213329439314020])],
)
def test_the_way_down_gives_what_the_reference_implementation_gives(
    failed: int, lost: list[float]
) -> None:
    """Six firms of three sectors, computed with fastcascade, the C++ code of Diem et al.

    Published as a test of ESRIcascade.jl (Devetak & Klimek 2026). Sector 0, 1 or 2 buys from itself
    what is essential, from the sector before it what is not, and nothing that matters from the third.
    """
    values = np.array([
        [0, 3, 2, 7, 5, 11], [4, 0, 9, 1, 8, 6], [10, 2, 0, 4, 3, 7],
        [6, 5, 1, 0, 9, 2], [8, 3, 6, 10, 0, 4], [2, 7, 5, 3, 11, 0],
    ], dtype=float)  # fmt: skip
    classes = np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])
    sector = np.array([0, 1, 2, 0, 1, 2])
    tail, head = np.nonzero(values)
    graph = CSRGraph.from_arrays(tail, head, n=6, weight=values[tail, head])
    for firm, share in enumerate(lost):
        weight = (np.arange(6) == firm).astype(float)
        setup = _set_up(graph, "weight", sector, classes == 2, [Figure(importance=weight)])
        down = list(setup.down)
        down[2] = down[2] * (classes[sector[tail], sector[head]] > 0)
        # Without the way up, nobody sells less: each stands alone.
        rings = setup.rings._replace(
            component=np.arange(6),
            order=np.arange(6),
            first=np.arange(7),
            closed=np.zeros(6, dtype=bool),
        )
        production, weights, _, _ = setup.figures
        found, _, _ = cascades.cascade(
            *down,
            *rings,
            production,
            weights,
            weights,
            weights,
            np.array([failed]),
            -1,
            True,
            1e-14,
        )
        assert found == pytest.approx([share], abs=1e-10)
    sales = values.sum(axis=1)
    assert sales @ np.array(lost) / sales.sum() == pytest.approx(0.50687988214742541, abs=1e-12)


def test_a_chain_of_three_worked_out_by_hand() -> None:
    """Farms 0 and 1 (sector 0) sell 30 and 10 to mill 2, which sells 60 to port 3; sales 100.

    Farm 0 fails: 10 of 40 are left of the sector, so nobody replaces it (σ = 1); the mill loses
    30/40 of an essential input, the port 3/4: losses 30 + 0.75·60 = 75. Farm 1 fails:
    σ = min(1, 10/30) = 1/3; the mill loses 1/3·10/40 = 1/12 of its input: 10 + 60/12 = 15.
    Mill fails: everybody sells or buys nothing: 100. Port fails: the mill and both farms lose all
    sales: 100.
    """
    graph = CSRGraph.from_arrays(
        np.array([0, 1, 2]), np.array([2, 2, 3]), weight=np.array([30, 10, 60])
    )
    found = esri(graph, sector=np.array([0, 0, 1, 2]))
    assert found.risk == pytest.approx([0.75, 0.15, 1.0, 1.0])


def test_what_is_not_essential_hurts_in_proportion_to_all_inputs() -> None:
    """A mill buys 90 paddy (sector 0) and 10 sacks (sector 1) and sells 100 to a port.

    The sack maker fails. Essential: the mill stops: 10 + 100 of 200. Not essential: it loses 10/100:
    10 + 0.1·100 of 200. With linear production everything counts so: the farm's failure costs
    90 + 0.9·100 instead of 90 + 100.
    """
    graph = CSRGraph.from_arrays(
        np.array([0, 1, 2]), np.array([2, 2, 3]), weight=np.array([90, 10, 100])
    )
    sector = np.array([0, 1, 2, 3])
    essential = np.ones((4, 4), dtype=bool)
    assert esri(graph, sector=sector, essential=essential).risk[1] == pytest.approx(110 / 200)
    essential[1, 2] = False
    assert esri(graph, sector=sector, essential=essential).risk[1] == pytest.approx(20 / 200)
    linear = esri(graph, sector=sector, production="linear").risk
    assert linear[:2] == pytest.approx([180 / 200, 20 / 200])


def test_the_index_weighs_what_it_is_told_to() -> None:
    graph = CSRGraph.from_arrays(np.array([0]), np.array([1]), n=3)
    income = np.array([1.0, 5.0, 2.0])
    found = esri(graph, sector=np.zeros(3, dtype=int), importance=income)
    assert found.risk.tolist() == [6.0, 6.0, 2.0]


def test_wrong_sectors_are_refused() -> None:
    graph = CSRGraph.from_arrays(np.array([0]), np.array([1]))
    with pytest.raises(InputError):
        esri(graph, sector=np.array([0]))
    with pytest.raises(InputError):
        esri(graph, sector=np.array([0, 1]), essential=np.ones((1, 1), dtype=bool))


def layered(n: int = 400, seed: int = 0) -> tuple[CSRGraph, NDArray[np.int64]]:
    """Five stages; links lead to the next, a few back."""
    rng = np.random.default_rng(seed)
    stage = np.sort(rng.integers(0, 5, n))
    tail = rng.integers(0, n, 4 * n)
    goal = np.where(rng.random(4 * n) < 0.05, stage[tail] - 1, stage[tail] + 1)
    kept = (goal >= 0) & (goal < 5)
    tail, goal = tail[kept], goal[kept]
    begin = np.searchsorted(stage, np.arange(6))
    head = begin[goal] + (rng.random(len(tail)) ** 2 * np.diff(begin)[goal]).astype(int)
    value = np.exp(rng.normal(0, 1, len(tail)))
    return CSRGraph.from_arrays(tail, head, n=n, weight=value), stage


def test_threads_and_pieces_do_not_change_the_index_and_progress_reaches_the_end() -> None:
    graph, sector = layered()
    seen: list[tuple[int, int]] = []
    one = esri(graph, sector=sector, workers=1, progress=lambda *at: seen.append(at))
    assert one.risk.tolist() == esri(graph, sector=sector, workers=3).risk.tolist()
    assert seen[-1][0] == seen[-1][1]
    some = np.array([7, 3])
    assert esri(graph, sector=sector, nodes=some).risk.tolist() == one.risk[some].tolist()


def test_the_approximation_keeps_its_bounds() -> None:
    graph, sector = layered(1_500)
    exact = esri(graph, sector=sector, tolerance=1e-9).risk
    found = esri_approximate(
        graph, sector=sector, sample=200, largest=50, confidence=0.9, tolerance=1e-9
    )
    assert (found.risk[found.is_exact] == exact[found.is_exact]).all()
    held = ((found.low - 1e-9 <= exact) & (exact <= found.high + 1e-9))[~found.is_exact]
    assert (~found.is_exact).sum() > 700
    assert found.is_exact.sum() > 250 + 100
    assert held.mean() >= 0.85
    again = esri_approximate(
        graph, sector=sector, sample=200, largest=50, confidence=0.9, tolerance=1e-9
    )
    assert again.risk.tolist() == found.risk.tolist()


def test_several_figures_of_one_pass_are_what_each_gives_alone() -> None:
    graph, sector = layered(300, seed=3)
    income = np.random.default_rng(3).random(len(graph))
    asked = [Figure(), Figure("linear"), Figure("leontief", income)]
    together = esri_figures(graph, figures=asked, sector=sector)
    for of, found in zip(asked, together, strict=True):
        alone = esri(graph, sector=sector, production=of.production, importance=of.importance)
        assert found.risk.tolist() == alone.risk.tolist()


def test_a_short_cascade_that_comes_to_rest_is_the_index() -> None:
    """Growers sell to mills and these to a port: no ring, two steps down, however many there are."""
    rng = np.random.default_rng(1)
    tail = np.concatenate([np.arange(400), np.arange(400, 420)])
    head = np.concatenate([rng.integers(400, 420, 400), np.full(20, 420)])
    graph = CSRGraph.from_arrays(tail, head, weight=rng.integers(1, 9, 420))
    # No mill replaces another.
    sector = np.concatenate([np.zeros(400, int), np.arange(1, 22)])
    found = esri_approximate(graph, sector=sector, sample=0, largest=0, steps=3, tolerance=1e-9)
    assert found.is_exact.all()
    assert found.risk.tolist() == esri(graph, sector=sector).risk.tolist()


def test_a_short_cascade_that_stops_short_says_so() -> None:
    """A row of five: two steps do not reach its end, and a large ring is not gone through."""
    row = CSRGraph.from_arrays(np.arange(4), np.arange(1, 5))
    found = esri_approximate(row, sector=np.arange(5), sample=0, largest=0)
    assert found.is_exact.tolist() == [False, False, False, True, True]
    assert (found.low[0], found.high[0]) == (0.25, 1.0)
    n = 200
    ring = CSRGraph.from_arrays(np.append(np.arange(n), 0), np.append((np.arange(n) + 1) % n, n))
    one = np.zeros(n + 1, dtype=int)
    found = esri_approximate(ring, sector=one, sample=0, largest=0)
    assert not found.is_exact[:n].any()
    assert (found.low[1], found.high[1]) == (pytest.approx(1 / (n + 1)), pytest.approx(1))
