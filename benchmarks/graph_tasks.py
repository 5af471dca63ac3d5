"""What is measured of the graph: a synthetic nation of links, and each task with its peers.

What belongs here: the nation, one function per task and peer, the peers' own ways to build and to call.
What does not: processes, clocks and goals (`benchmarks.graph`), correctness (``tests``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

STAGES = ("input", "cooperative", "collector", "processor", "off_taker")


def nation(links: int, *, seed: int = 1) -> pl.DataFrame:
    """Return a synthetic nation: ``supplier_id``, ``buyer_id``, ``product_code``, ``evidence``,
    ``paid_value_vnd``, ``delivered_tonnes``, ``supplier_stage``.

    One organisation per five links, in communes; most links lead to the next stage within the same or
    a near commune, and to few large buyers; three in a hundred lead back up the chain.
    """
    rng = np.random.default_rng(seed)
    n = max(links // 5, 50)
    stage = rng.choice(5, n, p=[0.06, 0.64, 0.15, 0.10, 0.05])
    commune = rng.random(n)
    order = np.lexsort((commune, stage))
    stage, commune = stage[order], commune[order]
    begin = np.searchsorted(stage, np.arange(6))
    size = np.exp(rng.normal(0, 1, n))
    sells = np.where(stage == 4, 0.0, size)
    source = rng.choice(n, links, p=sells / sells.sum())
    goal = np.minimum(stage[source] + 1 + (rng.random(links) < 0.15), 4)
    back = rng.random(links) < 0.03
    goal = np.where(back, np.maximum(stage[source] - 1, 0), goal)
    # Somewhere in the window around the own commune, nearer to its first (largest) member.
    width = rng.choice([0.002, 0.02, 0.2, 1.0], links, p=[0.5, 0.3, 0.15, 0.05])
    where = np.floor(commune[source] / width) * width + width * rng.random(links) ** 2.5
    target = np.empty(links, dtype=np.int64)
    for g in range(5):
        mine = goal == g
        found = begin[g] + np.searchsorted(commune[begin[g] : begin[g + 1]], where[mine])
        target[mine] = np.minimum(found, begin[g + 1] - 1)
    name = rng.permutation(n)
    ids = pl.Series([f"ORG-{i:08d}-{i * 7919 % 97:02d}" for i in name.tolist()])
    # Ids that follow place, as registration numbers do.
    by_place = np.empty(n, dtype=np.int64)
    by_place[np.argsort(commune, kind="stable")] = np.arange(n)
    ids = ids.sort().gather(by_place)
    return pl.DataFrame(
        {
            "supplier_id": ids.gather(source),
            "buyer_id": ids.gather(target),
            "product_code": pl.Series([f"P{i:02d}" for i in range(40)]).gather(
                rng.integers(0, 40, links)
            ),
            "evidence": pl.Series(["planned", "signed", "active", "executed"]).gather(
                rng.integers(0, 4, links)
            ),
            "paid_value_vnd": np.exp(rng.normal(18, 1.5, links)).astype(np.int64),
            "delivered_tonnes": np.round(np.exp(rng.normal(2, 1, links)), 3),
            "supplier_stage": stage[source],
        }
    )


# ---------------------------------------------------------------------- tasks

Task = Callable[[Path], tuple[Callable[[], Any], dict[str, Any]]]
TASKS: dict[tuple[str, str], Task] = {}


def task(bench: str, peer: str) -> Callable[[Task], Task]:
    """Register what prepares a measurement: path of the links → (function to time, remarks)."""

    def register(function: Task) -> Task:
        TASKS[bench, peer] = function
        return function

    return register


def _ours(path: Path) -> Any:
    from htx_pipeline.graph.csr import CSRGraph

    return CSRGraph.from_frame(
        pl.read_parquet(path), keys=(), sums=("paid_value_vnd",), weight="paid_value_vnd"
    )


def _cold(graph: Any) -> Any:
    """Return the graph without any view it has made so far."""
    from htx_pipeline.graph.csr import CSRGraph

    return CSRGraph(
        node_table=graph.node_table,
        link_table=graph.link_table,
        rows=graph.out,
        edge_source=graph.edge_source,
        edge_target=graph.edge_target,
        link_ptr=None,
        directed=True,
        weight=graph.weight,
    )


@task("build", "htx")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    return lambda: _ours(path), {}


@task("build", "read and sort")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    return lambda: pl.read_parquet(path).sort("supplier_id", "buyer_id"), {}


@task("build", "networkx")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    import networkx as nx

    def run() -> Any:
        frame = pl.read_parquet(path)
        graph = nx.DiGraph()
        for u, v, w in zip(
            frame["supplier_id"], frame["buyer_id"], frame["paid_value_vnd"], strict=True
        ):
            if graph.has_edge(u, v):
                graph[u][v]["weight"] += w
            else:
                graph.add_edge(u, v, weight=w)
        return graph

    return run, {}


@task("build", "igraph")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    import igraph

    def run() -> Any:
        frame = pl.read_parquet(path)
        rows = frame.select("supplier_id", "buyer_id", "paid_value_vnd").iter_rows()
        graph = igraph.Graph.TupleList(rows, directed=True, edge_attrs=["weight"])
        return graph.simplify(loops=False, combine_edges="sum")

    return run, {}


# The same with every attribute, parallel edges kept apart by product and evidence. NetworkX and igraph are
# fed in the way their documentation shows for a table.
ATTRIBUTES = ["product_code", "evidence", "paid_value_vnd", "delivered_tonnes"]
ENDS = ["supplier_id", "buyer_id"]


@task("build with attributes", "htx")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    from htx_pipeline.graph.csr import CSRGraph

    sums = ("paid_value_vnd", "delivered_tonnes")
    return lambda: CSRGraph.from_frame(
        pl.read_parquet(path), keys=("product_code", "evidence"), sums=sums, weight=sums[0]
    ), {}


@task("build with attributes", "read and sort")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    return lambda: pl.read_parquet(path).sort(*ENDS, *ATTRIBUTES[:2]), {}


@task("build with attributes", "networkx")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    import networkx as nx

    def run() -> Any:
        frame = pl.read_parquet(path).to_pandas()
        return nx.from_pandas_edgelist(
            frame, *ENDS, edge_attr=ATTRIBUTES, create_using=nx.MultiDiGraph
        )

    return run, {}


@task("build with attributes", "igraph")
def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    import igraph

    def run() -> Any:
        rows = pl.read_parquet(path).select(*ENDS, *ATTRIBUTES).iter_rows()
        return igraph.Graph.TupleList(rows, directed=True, edge_attrs=ATTRIBUTES)

    return run, {}


def _measured(bench: str, function: Callable[[Any], Any]) -> None:
    @task(bench, "htx")
    def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
        graph = _ours(path)
        graph.weights()
        return lambda: function(_cold(graph)), {}


def _htx_leiden(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
    from htx_pipeline.graph.leiden import leiden

    graph = _ours(path)
    remarks: dict[str, Any] = {}

    def run() -> None:
        remarks["modularity"] = leiden(_cold(graph)).modularity

    return run, remarks


TASKS["leiden", "htx"] = _htx_leiden


def _arrays() -> Any:
    from htx_pipeline.graph import arrays

    return arrays


def _upstreamness(graph: Any) -> Any:
    from htx_pipeline.graph.position import upstreamness

    return upstreamness(graph)


_measured("pagerank", lambda graph: _arrays().pagerank(graph))
_measured("weak components", lambda graph: _arrays().weak_components(graph))
_measured("articulation points", lambda graph: _arrays().articulation_points(graph))
_measured("upstreamness", _upstreamness)


def _peer(
    bench: str,
    peer: str,
    convert: Callable[[Any], Any],
    function: Callable[[Any], Any],
    *,
    partition: bool = False,
) -> None:
    """Register a peer; its graph is made before the clock starts."""

    @task(bench, peer)
    def _(path: Path) -> tuple[Callable[[], Any], dict[str, Any]]:
        graph = _ours(path)
        other = convert(graph)
        remarks: dict[str, Any] = {}

        def run() -> None:
            result = function(other)
            if partition:
                from htx_pipeline.graph.leiden import modularity

                begin = time.process_time()
                remarks["modularity"] = modularity(graph, np.asarray(result))
                remarks["aside"] = time.process_time() - begin

        return run, remarks


def _undirected(graph: Any) -> Any:
    indptr, indices, values = graph.undirected()
    source = np.repeat(np.arange(len(graph), dtype=np.int32), np.diff(indptr))
    once = source <= indices
    return source[once], indices[once], values[once]


def _networkx(graph: Any) -> Any:
    return graph.to_networkx()


def _networkx_undirected(graph: Any) -> Any:
    return graph.to_networkx().to_undirected()


def _igraph(graph: Any) -> Any:
    return graph.to_igraph()


def _igraph_undirected(graph: Any) -> Any:
    import igraph

    source, target, values = _undirected(graph)
    out = igraph.Graph(n=len(graph), edges=np.column_stack([source, target]))
    out.es["weight"] = values.tolist()
    return out


def _networkit(graph: Any) -> Any:
    import networkit

    networkit.setNumberOfThreads(1)
    return networkit.GraphFromCoo(
        (graph.weights().astype(float), (graph.edge_source, graph.edge_target)),
        n=len(graph),
        weighted=True,
        directed=True,
    )


def _networkit_undirected(graph: Any) -> Any:
    import networkit

    networkit.setNumberOfThreads(1)
    source, target, values = _undirected(graph)
    return networkit.GraphFromCoo(
        (values, (source, target)), n=len(graph), weighted=True, directed=False
    )


def _rustworkx(graph: Any, *, directed: bool = True) -> Any:
    import rustworkx

    out = rustworkx.PyDiGraph() if directed else rustworkx.PyGraph()
    out.add_nodes_from(range(len(graph)))
    out.add_edges_from(
        list(
            zip(
                graph.edge_source.tolist(),
                graph.edge_target.tolist(),
                graph.weights().tolist(),
                strict=True,
            )
        )
    )
    return out


def _sknetwork(graph: Any) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix(graph.to_scipy().astype(float))


def _sknetwork_undirected(graph: Any) -> Any:
    from scipy.sparse import csr_matrix

    indptr, indices, values = graph.undirected()
    return csr_matrix((values, indices, indptr.astype(np.int32)), shape=(len(graph),) * 2)


def _run_networkit(graph: Any, name: str) -> Any:
    import networkit

    if name == "leiden":
        algorithm = networkit.community.ParallelLeiden(graph, randomize=False)
    elif name == "pagerank":
        algorithm = networkit.centrality.PageRank(graph, 0.85, 1e-6)
    elif name == "components":
        algorithm = networkit.components.WeaklyConnectedComponents(graph)
    else:
        algorithm = networkit.components.BiconnectedComponents(graph)
    algorithm.run()
    return algorithm.getPartition().getVector() if name == "leiden" else algorithm


def _run_sknetwork(graph: Any, name: str) -> Any:
    if name == "leiden":
        from sknetwork.clustering import Leiden

        return Leiden(random_state=0).fit_predict(graph)
    if name == "pagerank":
        from sknetwork.ranking import PageRank

        return PageRank(solver="piteration", n_iter=100, tol=1e-6).fit_predict(graph)
    from sknetwork.topology import get_connected_components

    return get_connected_components(graph, connection="weak")


def _nx(name: str) -> Callable[[Any], Any]:
    def run(graph: Any) -> Any:
        import networkx as nx

        result = getattr(nx, name)(graph)
        return result if isinstance(result, dict) else list(result)

    return run


def _rx(name: str) -> Callable[[Any], Any]:
    def run(graph: Any) -> Any:
        import rustworkx

        return getattr(rustworkx, name)(graph)

    return run


def _leidenalg(graph: Any) -> Any:
    import leidenalg

    return leidenalg.find_partition(
        graph, leidenalg.ModularityVertexPartition, weights="weight", seed=1
    ).membership


def _upstreamness_networkx(graph: Any) -> Any:
    """Return the fixed point of U = 1 + P·U by plain iteration over the dicts."""
    total = {u: sum(d["weight"] for d in near.values()) for u, near in graph._adj.items()}
    value = dict.fromkeys(graph, 1.0)
    for _ in range(100):
        new = {
            u: 1.0 + sum(d["weight"] * value[v] for v, d in near.items()) / total[u]
            if total[u]
            else 1.0
            for u, near in graph._adj.items()
        }
        change = max(abs(new[u] - value[u]) for u in graph)
        value = new
        if change < 1e-9:
            break
    return value


def _upstreamness_scipy(matrix: Any) -> Any:
    from scipy.sparse import diags_array, eye_array
    from scipy.sparse.linalg import spsolve

    total = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros(len(total)), where=total > 0)
    left = (eye_array(len(total)) - diags_array(scale) @ matrix).tocsc()
    return spsolve(left, np.ones(len(total)))


_peer(
    "leiden",
    "igraph",
    _igraph_undirected,
    lambda g: (
        g.community_leiden(
            objective_function="modularity", weights="weight", n_iterations=2
        ).membership
    ),
    partition=True,
)
_peer(
    "leiden",
    "igraph converged",
    _igraph_undirected,
    lambda g: (
        g.community_leiden(
            objective_function="modularity", weights="weight", n_iterations=-1
        ).membership
    ),
    partition=True,
)
_peer("leiden", "leidenalg", _igraph_undirected, _leidenalg, partition=True)
_peer(
    "leiden",
    "networkit",
    _networkit_undirected,
    lambda g: _run_networkit(g, "leiden"),
    partition=True,
)
_peer(
    "leiden",
    "sknetwork",
    _sknetwork_undirected,
    lambda g: _run_sknetwork(g, "leiden"),
    partition=True,
)
_peer("pagerank", "networkx", _networkx, _nx("pagerank"))
_peer("pagerank", "igraph", _igraph, lambda g: g.pagerank(weights="weight"))
_peer("pagerank", "networkit", _networkit, lambda g: _run_networkit(g, "pagerank"))
_peer("pagerank", "sknetwork", _sknetwork, lambda g: _run_sknetwork(g, "pagerank"))
_peer("pagerank", "rustworkx", _rustworkx, _rx("pagerank"))
_peer("weak components", "networkx", _networkx, _nx("weakly_connected_components"))
_peer("weak components", "igraph", _igraph, lambda g: g.connected_components("weak").membership)
_peer("weak components", "networkit", _networkit, lambda g: _run_networkit(g, "components"))
_peer("weak components", "sknetwork", _sknetwork, lambda g: _run_sknetwork(g, "components"))
_peer("weak components", "rustworkx", _rustworkx, _rx("weakly_connected_components"))
_peer("articulation points", "networkx", _networkx_undirected, _nx("articulation_points"))
_peer("articulation points", "igraph", _igraph_undirected, lambda g: g.articulation_points())
_peer(
    "articulation points",
    "networkit",
    _networkit_undirected,
    lambda g: _run_networkit(g, "biconnected"),
)
_peer(
    "articulation points",
    "rustworkx",
    lambda g: _rustworkx(g, directed=False),
    _rx("articulation_points"),
)
_peer("upstreamness", "networkx", _networkx, _upstreamness_networkx)
_peer("upstreamness", "scipy spsolve", _sknetwork, _upstreamness_scipy)


def _largest(graph: Any) -> tuple[int, int]:
    """Return the largest seller and the largest buyer."""
    arrays = _arrays()
    seller = int(np.argmax(arrays.strength(graph)))
    bought = arrays.strength(graph, direction="in")
    bought[seller] = -1
    return seller, int(np.argmax(bought))


def _flow_value(graph: Any) -> Any:
    from htx_pipeline.graph.flow import maximum_flow

    return maximum_flow(graph, *_largest(graph)).value


_SOURCES = 64


def _sources(n: int) -> Any:
    return np.sort(np.random.default_rng(0).choice(n, min(_SOURCES, n), replace=False))


def _with_ends(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda graph: (convert(graph), *_largest(graph))


def _networkx_numbered(graph: Any) -> Any:
    import networkx as nx

    out = nx.DiGraph()
    ends = zip(graph.edge_source.tolist(), graph.edge_target.tolist(), strict=True)
    out.add_nodes_from(range(len(graph)))
    out.add_weighted_edges_from(
        (u, v, w) for (u, v), w in zip(ends, graph.weights().tolist(), strict=True)
    )
    return out


def _networkx_flow(given: Any) -> Any:
    import networkx as nx

    graph, s, t = given
    return nx.maximum_flow_value(graph, s, t, capacity="weight")


def _networkx_lengths(given: Any) -> Any:
    import networkx as nx

    return nx.single_source_dijkstra_path_length(given[0], given[1])


def _networkx_between(weight: str | None) -> Callable[[Any], Any]:
    def run(graph: Any) -> Any:
        import networkx as nx

        return nx.betweenness_centrality(graph, k=_SOURCES, seed=1, weight=weight)

    return run


def _networkit_lengths(given: Any) -> Any:
    import networkit

    return networkit.distance.Dijkstra(given[0], given[1], storePaths=False).run().getDistances()


def _networkit_between(graph: Any) -> Any:
    import networkit

    return networkit.centrality.EstimateBetweenness(graph, _SOURCES).run().scores()


def _networkit_hops(graph: Any) -> Any:
    import networkit

    networkit.setNumberOfThreads(1)
    return networkit.GraphFromCoo(
        (graph.edge_source, graph.edge_target), n=len(graph), weighted=False, directed=True
    )


def _scipy_lengths(given: Any) -> Any:
    from scipy.sparse.csgraph import dijkstra

    return dijkstra(given[0], indices=given[1])


_measured("maximum flow", _flow_value)
_peer("maximum flow", "networkx", _with_ends(_networkx_numbered), _networkx_flow)
_peer(
    "maximum flow",
    "igraph",
    _with_ends(_igraph),
    lambda given: given[0].maxflow_value(given[1], given[2], capacity="weight"),
)
_measured("shortest paths", lambda g: _arrays().shortest_paths(g, _largest(g)[0]).distance)
_peer("shortest paths", "networkx", _with_ends(_networkx_numbered), _networkx_lengths)
_peer(
    "shortest paths",
    "igraph",
    _with_ends(_igraph),
    lambda given: given[0].distances(source=[given[1]], weights="weight"),
)
_peer("shortest paths", "networkit", _with_ends(_networkit), _networkit_lengths)
_peer("shortest paths", "scipy", _with_ends(_sknetwork), _scipy_lengths)
_measured(
    "betweenness, 64 sources",
    lambda g: _arrays().betweenness(g, sources=_sources(len(g)), workers=1),
)
_peer("betweenness, 64 sources", "networkx", _networkx_numbered, _networkx_between(None))
_peer("betweenness, 64 sources", "networkit", _networkit_hops, _networkit_between)
_measured(
    "betweenness by weight, 64 sources",
    lambda g: _arrays().betweenness(g, weight="weight", sources=_sources(len(g)), workers=1),
)
_peer(
    "betweenness by weight, 64 sources",
    "networkx",
    _networkx_numbered,
    _networkx_between("weight"),
)
_peer("betweenness by weight, 64 sources", "networkit", _networkit, _networkit_between)


def _esri(path: Path, *, approximate: bool) -> tuple[Callable[[], Any], dict[str, Any]]:
    from htx_pipeline.graph.esri import esri, esri_approximate

    frame = pl.read_parquet(path)
    graph = _ours(path)
    sells = frame.group_by("supplier_id").agg(
        pl.col("product_code").mode().sort().first(), pl.col("supplier_stage").first()
    )
    sector = np.full(len(graph), 40 * 5, dtype=np.int64)
    rows = graph.indices_of(sells["supplier_id"]).to_numpy()
    product = sells["product_code"].str.slice(1).cast(pl.Int64).to_numpy()
    sector[rows] = sells["supplier_stage"].to_numpy() * 40 + product
    essential = np.random.default_rng(0).random((201, 201)) < 0.5
    remarks: dict[str, Any] = {}

    def run() -> None:
        begin = time.monotonic()
        if approximate:
            found = esri_approximate(graph, sector=sector, essential=essential)
            remarks["wall_s"] = time.monotonic() - begin
            spent = time.process_time()
            remarks.update(_held_against_exact(graph, found, sector, essential))
            remarks["aside"] = time.process_time() - spent
        else:
            remarks["steps"] = esri(graph, sector=sector, essential=essential).steps
            remarks["wall_s"] = time.monotonic() - begin

    return run, remarks


def _held_against_exact(graph: Any, found: Any, sector: Any, essential: Any) -> dict[str, float]:
    """Compare what was estimated with the full cascade for organisations drawn anew."""
    from htx_pipeline.graph.esri import esri

    guessed = np.flatnonzero(~found.is_exact)
    if not len(guessed):
        return {}
    drawn = np.sort(
        np.random.default_rng(7).choice(guessed, min(1_000, len(guessed)), replace=False)
    )
    exact = esri(graph, sector=sector, essential=essential, nodes=drawn).risk
    slack = 1e-6
    is_within = (exact >= found.low[drawn] - slack) & (exact <= found.high[drawn] + slack)
    error = np.abs(found.risk[drawn] - exact) / np.maximum(exact, 1e-300)
    width = (found.high[guessed] - found.low[guessed]) / np.maximum(found.low[guessed], 1e-300)
    return {
        "exact": int(found.is_exact.sum()),
        "checked": len(drawn),
        "within_bound_share": float(is_within.mean()),
        "median_relative_error": float(np.median(error)),
        "relative_error_95": float(np.quantile(error, 0.95)),
        "median_relative_width": float(np.median(width)),
    }


TASKS["esri", "htx"] = lambda path: _esri(path, approximate=False)
TASKS["esri approximate", "htx"] = lambda path: _esri(path, approximate=True)
