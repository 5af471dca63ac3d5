"""metrics: weak points of the network, value along the chain, concentration in few hands and places."""

import dagster as dg
import polars as pl

from htx_pipeline.metrics import (
    change,
    completeness,
    input_output,
    position,
    risk,
    specialisation,
    value,
)
from htx_pipeline.metrics import concentration as concentration_measures
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, WITH_PREVIOUS, SettingsResource

_COMMON = {
    "group_name": "metrics",
    "owners": OWNERS["metrics"],
    "partitions_def": PERIOD_PARTITIONS,
}
_ORGANISATIONS = dg.AssetIn(key=["core", "organisations"])
_REPORTS = dg.AssetIn(key=["core", "cooperative_reports"])
_EDGES = dg.AssetIn(key=["graph", "edges"])
_NODES = dg.AssetIn(key=["graph", "nodes"])
_FLOWS = dg.AssetIn(key=["metrics", "chain_flows"])


def _counted(made: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Count the rows whose figure is undefined, by reason, for the run's page."""
    reasons = made["reason"].drop_nulls().value_counts().sort("reason").iter_rows()
    return dg.Output(made, metadata={f"undefined_{reason}": n for reason, n in reasons})


@dg.asset(
    key=["metrics", "bridges"], ins={"edges": _EDGES}, kinds={"polars", "numba"},
    description="Liên kết cầu nối / bridges: linkages whose end would cut a part of the network off; trade in VND, or in linkages.",
    **_COMMON,
)  # fmt: skip
def bridges(edges: pl.DataFrame) -> pl.DataFrame:
    """List the linkages on which a part of the network hangs."""
    return position.bridges(edges)


@dg.asset(
    key=["metrics", "single_points"], ins={"edges": _EDGES}, kinds={"polars", "numba"},
    description="Điểm phụ thuộc duy nhất / single points of failure: organisations whose exit takes part of the network apart, and the share "
    "of trade (0..1) that goes with it.",
    **_COMMON,
)  # fmt: skip
def single_points(edges: pl.DataFrame) -> pl.DataFrame:
    """List the organisations on which a part of the network hangs."""
    return risk.single_points(edges)


@dg.asset(
    key=["metrics", "percolation"], ins={"edges": _EDGES}, kinds={"polars", "numba"},
    description="Sức chịu đựng của mạng lưới / percolation: share of organisations and of trade (0..1) that still hang together as the "
    "largest, the best connected or random ones leave.",
    **_COMMON,
)  # fmt: skip
def percolation(settings: SettingsResource, edges: pl.DataFrame) -> pl.DataFrame:
    """Take organisations out one share after another."""
    return risk.percolation(edges, seed=settings.get().seed)


@dg.asset(
    key=["metrics", "price_shares"], ins={"edges": _EDGES, "nodes": _NODES}, kinds={"narwhals"},
    description="Giá theo khâu / price by stage (VND per tonne) against the final price; the share is null where the tonnes that one final "
    "tonne takes are not known.",
    **_COMMON,
)  # fmt: skip
def price_shares(edges: pl.DataFrame, nodes: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Compare the price each stage gets with the final price."""
    return _counted(value.price_shares(edges, nodes))


@dg.asset(
    key=["metrics", "multipliers"], ins={"flows": _FLOWS}, kinds={"polars", "numpy"},
    description="Hệ số lan tỏa / output multipliers of each stage: VND sold along the chain, and by producers, for one VND of final sales.",
    **_COMMON,
)  # fmt: skip
def multipliers(flows: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Compute the multipliers of each chain."""
    return _counted(input_output.multipliers(flows))


@dg.asset(
    key=["metrics", "mass_balance"], ins={"flows": _FLOWS}, kinds={"narwhals"},
    description="Cân đối khối lượng / mass balance of collection and processing in tonnes, with losses and unknowns named; loss share 0..1.",
    **_COMMON,
)  # fmt: skip
def mass_balance(flows: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Balance the mass that stages take in with what leaves them."""
    return _counted(value.mass_balance(flows))


@dg.asset(
    key=["metrics", "processing_capacity"], ins={"edges": _EDGES, "nodes": _NODES}, kinds={"narwhals"},
    description="Năng lực chế biến so với sản lượng / processing capacity against contracted output, in tonnes; no form asks for capacity "
    "yet, so the share is null and says so.",
    **_COMMON,
)  # fmt: skip
def processing_capacity(edges: pl.DataFrame, nodes: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Hold capacity against output."""
    return _counted(completeness.processing_capacity(edges, nodes))


@dg.asset(
    key=["metrics", "dependence"], ins={"edges": _EDGES}, kinds={"narwhals"},
    description="Mức độ phụ thuộc của bên bán / each seller's dependence on its buyers: HHI, largest buyer's share (0..1), effective number.",
    **_COMMON,
)  # fmt: skip
def dependence(edges: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Measure how few buyers each seller has."""
    return _counted(concentration_measures.concentration(edges, by=("period", "supplier_id")))


@dg.asset(
    key=["metrics", "specialisation"], ins={"organisations": _ORGANISATIONS}, kinds={"narwhals"},
    description="Thương số vị trí / location quotient of each industry in each locality, with a 95 % interval; null where cooperatives are few.",
    **_COMMON,
)  # fmt: skip
def specialisations(organisations: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Compare what localities do."""
    return _counted(specialisation.specialisation(organisations))


@dg.asset(
    key=["metrics", "spatial_clustering"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS}, kinds={"narwhals"},
    description="Mức tập trung không gian (Ellison–Glaeser) / whether an industry's cooperatives sit together beyond chance.",
    **_COMMON,
)  # fmt: skip
def spatial_clustering(
    organisations: pl.DataFrame, reports: pl.DataFrame
) -> dg.Output[pl.DataFrame]:
    """Measure clustering in space."""
    return _counted(specialisation.spatial_clustering(organisations, reports))


@dg.asset(
    key=["metrics", "inequality"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS}, kinds={"narwhals"},
    description="Chênh lệch giữa và trong địa bàn (Theil) / inequality of revenue, member income and size, between and within localities.",
    **_COMMON,
)  # fmt: skip
def inequality(organisations: pl.DataFrame, reports: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Split inequality by locality."""
    return _counted(specialisation.inequality(organisations, reports))


@dg.asset(
    key=["metrics", "persistence"], kinds={"narwhals"},
    ins={"edges": dg.AssetIn(key=["graph", "edges"], partition_mapping=WITH_PREVIOUS)},
    description="Độ bền của liên kết / persistence: linkages of the period before that are still there, by product; shares 0..1. Empty "
    "without a period before.",
    **_COMMON,
)  # fmt: skip
def persistence(context: dg.AssetExecutionContext, edges: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Count which linkages lasted."""
    period = context.partition_key
    before, after = (
        edges.filter(pl.col("period") < period),
        edges.filter(pl.col("period") == period),
    )
    made = change.persistence(before, after, by=("product_code",)).select(
        pl.lit(period).alias("period"), pl.all()
    )
    has_previous = not before.is_empty()
    return dg.Output(
        made if has_previous else made.clear(), metadata={"has_previous": has_previous}
    )
