"""graph: the network of organisations and linkages, its components and its communities."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from htx_pipeline.clusters import detect
from htx_pipeline.graph import network
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource

_COMMON = {"group_name": "graph", "owners": OWNERS["graph"], "partitions_def": PERIOD_PARTITIONS}
CONSERVED = "value_and_tonnes_conserved"


@dg.asset(
    key=["graph", "edges"], ins={"linkages": dg.AssetIn(key=["core", "linkages"])}, kinds={"polars"},
    description="Cạnh / edges: linkages added up by supplier, buyer, product and evidence level. Money in VND, mass in tonnes, area in ha.",
    check_specs=[
        dg.AssetCheckSpec(
            name=CONSERVED, asset=dg.AssetKey(["graph", "edges"]), blocking=True,
            description="Giá trị và sản lượng trên cạnh bằng tổng của các liên kết / value and tonnes on the edges equal the linkages'.",
        )
    ],
    **_COMMON,
)  # fmt: skip
def edges(linkages: pl.DataFrame) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
    """Add linkages up to edges and check that nothing was gained or lost."""
    made = network.edges(linkages)
    money = ("contracted_value_vnd", "paid_value_vnd")
    is_conserved = all(int(made[c].sum()) == int(linkages[c].sum()) for c in money) and all(
        abs(float(made[c].sum()) - float(linkages[c].sum()))
        <= 1e-6 * max(1.0, abs(float(linkages[c].sum())))
        for c in ("contracted_tonnes", "delivered_tonnes")
    )
    is_conserved = is_conserved and int(made["n_linkages"].sum()) == linkages.height
    counts = {"linkages": linkages.height, "edges": made.height}
    yield dg.AssetCheckResult(check_name=CONSERVED, passed=is_conserved, metadata=counts)
    if not is_conserved:
        raise dg.Failure(
            "The edges do not add up to the linkages; nothing is published.",
            metadata=counts,
            allow_retries=False,
        )
    yield dg.Output(made)


@dg.asset(
    key=["graph", "nodes"],
    ins={"organisations": dg.AssetIn(key=["core", "organisations"]), "edge_rows": dg.AssetIn(key=["graph", "edges"])},
    description="Nút / nodes: every organisation with its stage in the chain, why, and value through it in VND.",
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def nodes(organisations: pl.DataFrame, edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Describe organisations as nodes."""
    return network.nodes(organisations, edge_rows)


@dg.asset(
    key=["graph", "components"], ins={"edge_rows": dg.AssetIn(key=["graph", "edges"])},
    description="Thành phần liên thông / weakly connected components, ids from content.", kinds={"scipy"}, **_COMMON,
)  # fmt: skip
def components(edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Find weakly connected components."""
    return detect.components(edge_rows)


@dg.asset(
    key=["graph", "communities"], ins={"edge_rows": dg.AssetIn(key=["graph", "edges"])},
    description="Cộng đồng (Leiden) / communities of the weighted network, ids from content.", kinds={"numba"}, **_COMMON,
)  # fmt: skip
def communities(settings: SettingsResource, edge_rows: pl.DataFrame) -> pl.DataFrame:
    """Find communities by the Leiden method."""
    chosen = settings.get()
    return detect.communities(edge_rows, resolution=chosen.leiden_resolution, seed=chosen.seed)
