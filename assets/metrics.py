"""metrics: clusters, chains, localities, indicators and progress against the plan."""

import dagster as dg
import polars as pl

from htx_pipeline.clusters import describe
from htx_pipeline.metrics import chain
from htx_pipeline.metrics import indicators as indicator_measures
from htx_pipeline.metrics import localities as locality_measures
from htx_pipeline.metrics import plan
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource

_COMMON = {"group_name": "metrics", "owners": OWNERS["metrics"], "partitions_def": PERIOD_PARTITIONS}
_ORGANISATIONS = dg.AssetIn(key=["core", "organisations"])
_REPORTS = dg.AssetIn(key=["core", "cooperative_reports"])
_EDGES = dg.AssetIn(key=["graph", "edges"])
_NODES = dg.AssetIn(key=["graph", "nodes"])
_COMMUNITIES = dg.AssetIn(key=["graph", "communities"])


@dg.asset(
    key=["metrics", "clusters"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES, "reports": _REPORTS},
    description="Cụm / clusters: one row each, with products, stages present and missing, value (VND), executed share (0..1), "
    "largest buyer's share (0..1), and which legal tests it passes.",
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def clusters(nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Describe each cluster in one row."""
    return describe.clusters(nodes, edges, communities, reports)


@dg.asset(
    key=["metrics", "cluster_members"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES, "reports": _REPORTS},
    description="Thành viên cụm / members of each cluster: stage, value in and out (VND), source rows.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def cluster_members(nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """List the organisations of each cluster."""
    return describe.cluster_members(nodes, edges, communities, reports)


@dg.asset(
    key=["metrics", "cluster_stages"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES},
    description="Khâu của cụm / stages of each cluster's chains, present or missing.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def cluster_stages(nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame) -> pl.DataFrame:
    """Say which stages of each product chain a cluster has."""
    return describe.cluster_stages(nodes, edges, communities)


@dg.asset(
    key=["metrics", "chain_flows"], ins={"edges": _EDGES, "nodes": _NODES, "communities": _COMMUNITIES},
    description="Dòng chảy giữa các khâu / flows between stages in VND and tonnes, with losses and unknowns named.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def chain_flows(edges: pl.DataFrame, nodes: pl.DataFrame, communities: pl.DataFrame) -> pl.DataFrame:
    """Add linkages up to flows between stages."""
    return chain.chain_flows(edges, nodes, communities)


@dg.asset(
    key=["metrics", "localities"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Địa bàn / localities: one row each; the rows add up to the whole.", kinds={"narwhals"}, **_COMMON,
)  # fmt: skip
def localities(settings: SettingsResource, organisations: pl.DataFrame, reports: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Describe each locality."""
    return locality_measures.localities(organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count)


@dg.asset(
    key=["metrics", "indicators"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Chỉ tiêu / indicators: every official rate under each of its denominators, undefined ones with their reason.",
    kinds={"narwhals"}, **_COMMON,
)  # fmt: skip
def indicators(settings: SettingsResource, organisations: pl.DataFrame, reports: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Compute the indicators of every locality and of the whole."""
    return indicator_measures.indicators(organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count)


@dg.asset(
    key=["metrics", "plan_progress"],
    ins={"targets": dg.AssetIn(key=["core", "plan_targets"]), "measured": dg.AssetIn(key=["metrics", "indicators"])},
    description="Tiến độ so với kế hoạch / progress against targets of the same indicator and denominator.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def plan_progress(targets: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Hold the province's figures against its targets."""
    return plan.plan_progress(targets, measured)
