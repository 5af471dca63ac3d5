"""Published answers: karate club, Florentine families, the CLRS network, Miller & Blair."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.flow import maximum_flow
from htx_pipeline.graph.leiden import leiden, modularity
from htx_pipeline.graph.networkx_api.conversion import convert_from_nx
from htx_pipeline.graph.position import downstreamness, upstreamness


def from_rows(rows: list[tuple[str, str, float]]) -> CSRGraph:
    frame = pl.DataFrame(rows, schema=["supplier_id", "buyer_id", "value"], orient="row")
    return CSRGraph.from_frame(frame, keys=(), sums=("value",), weight="value")


@pytest.mark.parametrize("seed", range(5))
def test_karate_club_reaches_the_proven_optimum_of_modularity(seed: int) -> None:
    """0.4198 with four communities: Brandes et al. (2008), doi:10.1109/TKDE.2007.190689."""
    found = leiden(convert_from_nx(nx.karate_club_graph()), None, seed=seed)
    assert round(found.modularity, 4) == 0.4198
    assert found.communities == 4


def test_the_two_factions_of_the_karate_club_have_the_published_modularity() -> None:
    """The split that happened; Q by its definition: (L_c/m - (d_c/2m)²) summed, 0.3582."""
    club = nx.karate_club_graph()
    side = np.array([club.nodes[v]["club"] == "Officer" for v in club])
    assert round(modularity(convert_from_nx(club), side, None), 4) == 0.3582


def test_florentine_families_have_the_published_betweenness() -> None:
    """Medici 0.522, Guadagni 0.255, Albizzi 0.212: Wasserman & Faust (1994), normalised."""
    graph = convert_from_nx(nx.florentine_families_graph())
    centrality = nx.betweenness_centrality(graph)
    rounded = {k: round(v, 3) for k, v in centrality.items()}
    assert rounded["Medici"] == 0.522
    assert rounded["Guadagni"] == 0.255
    assert rounded["Albizzi"] == 0.212
    assert rounded["Strozzi"] == 0.103
    assert rounded["Pazzi"] == 0


def test_the_clrs_network_carries_23() -> None:
    """Cormen et al., Introduction to Algorithms, figure 26.1 and its minimum cut."""
    graph = from_rows(
        [
            ("s", "v1", 16),
            ("s", "v2", 13),
            ("v1", "v3", 12),
            ("v2", "v1", 4),
            ("v2", "v4", 14),
            ("v3", "v2", 9),
            ("v3", "t", 20),
            ("v4", "v3", 7),
            ("v4", "t", 4),
        ]
    )
    flow = maximum_flow(graph, graph.index("s"), graph.index("t"))
    assert flow.value == 23
    side = {label for label, inside in zip(graph.labels, flow.side, strict=True) if inside}
    assert side == {"s", "v1", "v2", "v4"}


def test_a_flow_beyond_32_bits_is_the_same_network_in_dong() -> None:
    """Scaled by 10**9 the network leaves SciPy's range; whole numbers stay exact."""
    rows = [("s", "a", 3), ("s", "b", 2), ("a", "t", 2), ("b", "t", 3), ("a", "b", 5)]
    graph = from_rows([(u, v, w * 10**9) for u, v, w in rows])
    assert nx.maximum_flow_value(graph, "s", "t", capacity="value") == 5 * 10**9


def test_positions_equal_the_row_sums_of_the_ghosh_and_leontief_inverses() -> None:
    """Miller & Blair (2009), section 2.3: Z = [[150, 500], [200, 100]], f = (350, 1700).

    Upstreamness is the row sum of the Ghosh inverse and downstreamness the column sum of the Leontief
    inverse (Miller & Temurshoev 2017): (I - A)⁻¹ = [[1.2541, 0.3300], [0.2640, 1.1221]].
    """
    flows, final = np.array([[150, 500], [200, 100]]), np.array([350, 1700])
    output = flows.sum(axis=1) + final
    assert output.tolist() == [1000, 2000]
    added = output - flows.sum(axis=0)
    tail, head = np.indices((2, 2)).reshape(2, -1)
    graph = CSRGraph.from_arrays(tail, head, weight=flows.ravel())
    leontief = np.array([[1.2541, 0.3300], [0.2640, 1.1221]])
    ghosh = np.linalg.inv(np.eye(2) - flows / output[:, None])
    assert downstreamness(graph, primary_inputs=added) == pytest.approx(
        leontief.sum(axis=0), abs=2e-4
    )
    assert upstreamness(graph, final_demand=final) == pytest.approx(ghosh.sum(axis=1))
