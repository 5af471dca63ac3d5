"""Where an organisation stands in the chain: upstreamness and downstreamness.

What belongs here: the two positions of Antràs & Chor on value shares, and where they are undefined.
What does not: tables, units, pages for readers (`htx_pipeline.metrics`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.csr import WEIGHT, CSRGraph
from htx_pipeline.graph.rows import Rows

_SWEEPS: Final = 200
_DIRECT: Final = 20_000
_TOLERANCE: Final = 1e-13


def upstreamness(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    final_demand: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return each organisation's average distance to final use: 1 = sells to final users only.

    Definition: U(i) = 1 + Σ_j z(i,j)/Y(i)·U(j), where z(i,j) is the value i sells to j and
    Y(i) = Σ_j z(i,j) + F(i) its output.
    Final demand: F(i) is ``final_demand[i]``, sales to buyers outside the graph in the unit of the
    weight. Without it, an organisation that sells to somebody in the graph sells nothing else, and
    one that sells to nobody sells to final users (U = 1).
    Undefined: NaN where some of the output runs into a ring of organisations that sell only to each
    other, and where ``final_demand`` is given and the output is 0.
    Hazard: trade that the graph does not show makes everyone look closer to final use.

    References
    ----------
    Antràs & Chor (2013), doi:10.3982/ECTA10813; Antràs et al. (2012), doi:10.1257/aer.102.3.412.

    Examples
    --------
    A farm sells 3/4 to a mill and 1/4 to a shop; the mill sells to the shop.

    >>> graph = CSRGraph.from_arrays(
    ...     np.array([0, 0, 1]), np.array([1, 2, 2]), weight=np.array([3, 1, 5])
    ... )
    >>> upstreamness(graph)
    array([2.75, 2.  , 1.  ])
    """
    return _position(graph, weight, graph.out, final_demand, "final_demand")


def downstreamness(
    graph: CSRGraph,
    weight: str | None = WEIGHT,
    *,
    primary_inputs: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return each organisation's average distance from primary inputs: 1 = buys from nobody.

    Definition: D(j) = 1 + Σ_i z(i,j)/X(j)·D(i), where X(j) = Σ_i z(i,j) + V(j) are its inputs and
    V(j) is ``primary_inputs[j]``: labour, land, capital and purchases from outside the graph, in the
    unit of the weight. Without it, an organisation that buys from somebody in the graph has no other
    inputs. Undefined (NaN) where inputs come from a ring that buys only from itself.

    References
    ----------
    Antràs & Chor (2018), "On the measurement of upstreamness and downstreamness in global value
    chains", doi:10.3386/w24185; Miller & Temurshoev (2017), doi:10.1111/jors.12318.

    Examples
    --------
    >>> graph = CSRGraph.from_arrays(
    ...     np.array([0, 0, 1]), np.array([1, 2, 2]), weight=np.array([3, 1, 3])
    ... )
    >>> downstreamness(graph)
    array([1.  , 2.  , 2.75])
    """
    return _position(graph, weight, graph.into, primary_inputs, "primary_inputs")


def _position(
    graph: CSRGraph,
    weight: str | None,
    rows: Rows,
    outside: NDArray[np.float64] | None,
    name: str,
) -> NDArray[np.float64]:
    from htx_pipeline.graph.kernels import cuts, flows, structure, traverse

    n = len(graph)
    values = rows.weights(graph.weights(weight)).astype(np.float64, copy=False)
    if len(values) and (values.min() < 0 or not np.isfinite(values).all()):
        raise InputError("A value is negative or infinite.", code="position_weight")
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(rows.indptr))
    total = np.bincount(source, weights=values, minlength=n).astype(np.float64)
    ends = total == 0
    whole = total
    unknown = np.zeros(n, dtype=bool)
    if outside is not None:
        outside = np.asarray(outside, dtype=np.float64)
        if outside.shape != (n,) or not (outside >= 0).all():
            raise InputError(
                f"{name} must be {n} numbers of 0 or more, one per node.", code="position_outside"
            )
        whole = total + outside
        unknown = whole == 0
        ends = outside > 0
    share = np.divide(values, whole[source], out=np.zeros(len(values)), where=whole[source] > 0)
    # A share of 0 leads nowhere.
    kept = share > 0
    indptr = structure.kept_ptr(rows.indptr, kept)
    indices, share = rows.indices[kept], share[kept]
    back_ptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(indices, minlength=n), out=back_ptr[1:])
    back, _ = structure.place(back_ptr, indices, source[kept])
    arrives = traverse.reach(back_ptr, back, ends)
    stuck = traverse.reach(back_ptr, back, ~arrives | unknown)

    component, count = cuts.strong(indptr, indices)
    order = np.argsort(component, kind="stable").astype(np.int64)
    first = np.searchsorted(component[order], np.arange(count + 1)).astype(np.int64)
    x = np.where(stuck, np.nan, 1.0)
    start = 0
    while True:
        start = flows.sweep(
            indptr, indices, share, order, first, start, stuck, x, _SWEEPS, _TOLERANCE
        )
        if start == count:
            return x
        _solve_component(indptr, indices, share, order[first[start] : first[start + 1]], x)
        start += 1


def _solve_component(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    share: NDArray[np.float64],
    nodes: NDArray[np.int64],
    x: NDArray[Any],
) -> None:
    """Solve one component that sweeps settle too slowly, in place."""
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import gmres, spsolve

    n = len(indptr) - 1
    matrix = csr_array((share, indices, indptr), shape=(n, n))[nodes]
    inside = matrix[:, nodes]
    mask = np.ones(n)
    mask[nodes] = 0
    right = 1.0 + matrix @ np.where(mask > 0, np.nan_to_num(x), 0.0)
    left = (eye_array(len(nodes)) - inside).tocsc()
    if len(nodes) <= _DIRECT:
        x[nodes] = spsolve(left, right)
        return
    solution, failed = gmres(left, right, x0=x[nodes], rtol=1e-10, maxiter=500)
    x[nodes] = np.nan if failed else solution
