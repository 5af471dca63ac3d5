"""metrics: clusters, chains, localities, indicators and progress against the plan."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from htx_pipeline.clusters import criteria, describe
from htx_pipeline.metrics import (
    chain,
    change,
    completeness,
    history,
    members,
    plan,
    position,
    reporting,
    risk,
    standing,
    value,
)
from htx_pipeline.metrics import communes as commune_measures
from htx_pipeline.metrics import concentration as concentration_measures
from htx_pipeline.metrics import indicators as indicator_measures
from htx_pipeline.metrics import localities as locality_measures
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import (
    PERIOD_PARTITIONS,
    WITH_EARLIER,
    WITH_PREVIOUS,
    SettingsResource,
)
from htx_pipeline.reference.targets import targets as reference_targets

_COMMON = {
    "group_name": "metrics",
    "owners": OWNERS["metrics"],
    "partitions_def": PERIOD_PARTITIONS,
}
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
def clusters(
    nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame
) -> pl.DataFrame:
    """Describe each cluster in one row."""
    return describe.clusters(nodes, edges, communities, reports)


@dg.asset(
    key=["metrics", "cluster_criteria"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES},
    description="Tiêu chí pháp lý của cụm / legal tests of each cluster: value, threshold, document, whether it passes, whether verified.",
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def cluster_criteria(
    nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame
) -> pl.DataFrame:
    """Hold each cluster against each legal test in force."""
    return criteria.cluster_criteria(nodes, edges, communities)


@dg.asset(
    key=["metrics", "cluster_members"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES, "reports": _REPORTS},
    description="Thành viên cụm / members of each cluster: stage, value in and out (VND), source rows.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def cluster_members(
    nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame
) -> pl.DataFrame:
    """List the organisations of each cluster."""
    return describe.cluster_members(nodes, edges, communities, reports)


@dg.asset(
    key=["metrics", "cluster_stages"], ins={"nodes": _NODES, "edges": _EDGES, "communities": _COMMUNITIES},
    description="Khâu của cụm / stages of each cluster's chains, present or missing.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def cluster_stages(
    nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame
) -> pl.DataFrame:
    """Say which stages of each product chain a cluster has."""
    return describe.cluster_stages(nodes, edges, communities)


@dg.asset(
    key=["metrics", "chain_flows"], ins={"edges": _EDGES, "nodes": _NODES, "communities": _COMMUNITIES},
    description="Dòng chảy giữa các khâu / flows between stages in VND and tonnes, with losses and unknowns named.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def chain_flows(
    edges: pl.DataFrame, nodes: pl.DataFrame, communities: pl.DataFrame
) -> pl.DataFrame:
    """Add linkages up to flows between stages."""
    return chain.chain_flows(edges, nodes, communities)


@dg.asset(
    key=["metrics", "localities"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Địa bàn / localities: one row each; the rows add up to the whole.", kinds={"narwhals"}, **_COMMON,
)  # fmt: skip
def localities(
    settings: SettingsResource,
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    edges: pl.DataFrame,
) -> pl.DataFrame:
    """Describe each locality."""
    return locality_measures.localities(
        organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count
    )


@dg.asset(
    key=["metrics", "communes"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Xã, phường / communes on the newest administrative units: the measures of localities; the rows add up to the whole.",
    kinds={"narwhals"}, **_COMMON,
)  # fmt: skip
def communes(
    settings: SettingsResource,
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    edges: pl.DataFrame,
) -> dg.Output[pl.DataFrame]:
    """Describe each commune of today."""
    made = commune_measures.communes(
        organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count
    )
    return dg.Output(made, metadata=_undefined(made, "commune_code", "linked_share"))


@dg.asset(
    key=["metrics", "indicators"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Chỉ tiêu / indicators: every official rate under each of its denominators, undefined ones with their reason.",
    kinds={"narwhals"}, **_COMMON,
)  # fmt: skip
def indicators(
    settings: SettingsResource,
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    edges: pl.DataFrame,
) -> pl.DataFrame:
    """Compute the indicators of every locality and of the whole."""
    return indicator_measures.indicators(
        organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count
    )


@dg.asset(
    key=["metrics", "plan_progress"],
    ins={"targets": dg.AssetIn(key=["core", "plan_targets"]), "measured": dg.AssetIn(key=["metrics", "indicators"])},
    description="Tiến độ so với kế hoạch / progress against targets of the same indicator and denominator.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def plan_progress(targets: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Hold the province's figures against its targets."""
    return plan.plan_progress(pl.concat([targets, reference_targets()], how="diagonal"), measured)


SILENT = "no_reporter_of_the_period_before_is_missing"


@dg.asset(
    key=["metrics", "reporting_roster"],
    ins={
        "organisations": _ORGANISATIONS,
        "reports": dg.AssetIn(key=["core", "cooperative_reports"], partition_mapping=WITH_PREVIOUS),
        "rejected": dg.AssetIn(key=["core", "cooperative_reports_rejected"]),
        "arrivals": dg.AssetIn(key=["raw", "inbox"]),
    },
    description="Tình hình nộp báo cáo / the roster: every unit that should report, on time, late, partial, missing or not expected, and why.",
    check_specs=[
        dg.AssetCheckSpec(
            name=SILENT, asset=dg.AssetKey(["metrics", "reporting_roster"]),
            description="Đơn vị đã báo cáo kỳ trước không được thiếu kỳ này / no unit that reported for the period before is missing now",
        )
    ],
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def reporting_roster(
    context: dg.AssetExecutionContext, organisations: pl.DataFrame, reports: pl.DataFrame, rejected: pl.DataFrame, arrivals: pl.DataFrame
) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:  # fmt: skip
    """Hold the register against the reports."""
    period = context.partition_key
    previous = reports.filter(pl.col("period") < period)
    roster = reporting.reporting_roster(
        organisations, reports, previous, rejected=rejected, period=period,
        received=reporting.arrival_days(arrivals),
    )  # fmt: skip
    silent = reporting.missing_that_reported_before(roster)
    by_place = dict(silent.group_by("locality").len().sort("locality").iter_rows())
    yield dg.Output(
        roster, metadata=dict(roster.group_by("status").len().sort("status").iter_rows())
    )
    yield dg.AssetCheckResult(
        check_name=SILENT, passed=silent.is_empty(), severity=dg.AssetCheckSeverity.WARN,
        metadata={"missing": silent.height, "by_locality": by_place, "has_previous": not previous.is_empty()},
    )  # fmt: skip


@dg.asset(
    key=["metrics", "reporting_roster_localities"], ins={"roster": dg.AssetIn(key=["metrics", "reporting_roster"])},
    description="Nộp báo cáo theo địa bàn / the roster by locality; the rows add up to it.", kinds={"polars"}, **_COMMON,
)  # fmt: skip
def reporting_roster_localities(roster: pl.DataFrame) -> pl.DataFrame:
    """Add the roster up by locality."""
    return reporting.roster_localities(roster)


@dg.asset(
    key=["metrics", "positions"], ins={"edges": _EDGES, "nodes": _NODES},
    description="Vị trí trong chuỗi / position of each organisation: distance to final use, longest chain, betweenness, cut points, brokers, "
    "complete paths from producer to off-taker; null with a reason where undefined.",
    kinds={"polars", "numba"}, **_COMMON,
)  # fmt: skip
def positions(
    settings: SettingsResource, edges: pl.DataFrame, nodes: pl.DataFrame
) -> dg.Output[pl.DataFrame]:
    """Say where each organisation stands, and how many have no position."""
    made = position.positions(edges, nodes, seed=settings.get().seed)
    return dg.Output(
        made, metadata=_undefined(made, "upstreamness", "downstreamness", "is_on_full_chain")
    )


def _undefined(made: pl.DataFrame, *columns: str) -> dict[str, int]:
    """Count what is null, per column, for the run's page."""
    return {f"{column}_undefined": made[column].null_count() for column in columns}


@dg.asset(
    key=["metrics", "members_income"], ins={"organisations": _ORGANISATIONS, "reports": _REPORTS, "edges": _EDGES},
    description="Thu nhập thành viên / member income (VND) of linked against unlinked cooperatives, plain and matched on size, product and "
    "place, with 95 % intervals; null where cooperatives are too few.",
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def members_income(
    settings: SettingsResource,
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    edges: pl.DataFrame,
) -> dg.Output[pl.DataFrame]:
    """Compare the income of members of linked and unlinked cooperatives."""
    made = members.members_income(
        organisations, reports, edges, min_disclosure_count=settings.get().min_disclosure_count
    )
    return dg.Output(made, metadata=_undefined(made, "difference_vnd", "difference_low_vnd"))


@dg.asset(
    key=["metrics", "risk"], ins={"edges": _EDGES, "nodes": _NODES, "reports": _REPORTS},
    description="Rủi ro hệ thống / systemic risk: share of output (0..1) and members' income (VND) lost if an organisation stops; "
    "Leontief and linear production.",
    kinds={"polars", "numba"}, **_COMMON,
)  # fmt: skip
def systemic_risk(
    settings: SettingsResource, edges: pl.DataFrame, nodes: pl.DataFrame, reports: pl.DataFrame
) -> dg.Output[pl.DataFrame]:
    """Say what hangs on each organisation."""
    made = risk.systemic_risk(edges, nodes, reports, seed=settings.get().seed)
    return dg.Output(made, metadata=_undefined(made, "esri_leontief", "member_income_loss_vnd"))


@dg.asset(
    key=["metrics", "value_accounts"], ins={"edges": _EDGES, "nodes": _NODES, "reports": _REPORTS},
    description="Tài khoản giá trị / account of each actor (VND): sales, intermediate inputs, value added, net benefit; null with a reason "
    "where a cost or a sale is not recorded.",
    kinds={"polars"}, **_COMMON,
)  # fmt: skip
def value_accounts(
    edges: pl.DataFrame, nodes: pl.DataFrame, reports: pl.DataFrame
) -> dg.Output[pl.DataFrame]:
    """Draw up the accounts of the chain's actors."""
    made = value.accounts(edges, nodes, reports)
    return dg.Output(made, metadata=_undefined(made, "value_added_vnd", "net_benefit_vnd"))


@dg.asset(
    key=["metrics", "concentration"], ins={"edges": _EDGES}, kinds={"narwhals"},
    description="Mức độ tập trung bên mua, bên bán / concentration of buyers and of suppliers (column of) by product: HHI, largest share "
    "(0..1), effective number.",
    **_COMMON,
)  # fmt: skip
def concentration(edges: pl.DataFrame) -> pl.DataFrame:
    """Measure how concentrated the buyers and the suppliers of each product are."""
    sides = [concentration_measures.concentration(edges, of=of) for of in ("buyer", "supplier")]
    return pl.concat(sides)


@dg.asset(
    key=["metrics", "chain_stages"], ins={"edges": _EDGES, "nodes": _NODES}, kinds={"polars"},
    description="Khâu có và còn thiếu theo sản phẩm, địa bàn / stages present and missing, by product and locality.",
    **_COMMON,
)  # fmt: skip
def chain_stages(edges: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Say which stages of each chain are present in each locality."""
    return completeness.chain_stages(edges, nodes)


@dg.asset(
    key=["metrics", "bottlenecks"], ins={"edges": _EDGES, "nodes": _NODES}, kinds={"networkx"},
    description="Điểm nghẽn / bottlenecks: the smallest set of links whose loss cuts a chain, in tonnes.", **_COMMON,
)  # fmt: skip
def bottlenecks(edges: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Find where each product chain is thinnest."""
    return completeness.bottlenecks(edges, nodes)


@dg.asset(
    key=["metrics", "changes"], kinds={"narwhals"},
    ins={"edges": dg.AssetIn(key=["graph", "edges"], partition_mapping=WITH_PREVIOUS)},
    description="Thay đổi so với kỳ trước / change against the period before in VND: entry, exit, more from the same; they add up.",
    **_COMMON,
)  # fmt: skip
def changes(context: dg.AssetExecutionContext, edges: pl.DataFrame) -> pl.DataFrame:
    """Take the change of contracted value between two periods apart."""
    period = context.partition_key
    before, after = (
        edges.filter(pl.col("period") < period),
        edges.filter(pl.col("period") == period),
    )
    made = change.decomposition(before, after, by=("product_code",)).select(
        pl.lit(period).alias("period"), pl.all()
    )
    context.add_output_metadata({"has_previous": not before.is_empty()})
    return made.clear() if before.is_empty() else made


@dg.asset(
    key=["metrics", "standing_changes"], kinds={"polars"},
    ins={
        key.rsplit("/", 1)[1]: dg.AssetIn(key=key.split("/"), partition_mapping=WITH_PREVIOUS) for key in standing.INPUTS
    },
    description="Mới, mất, tốt lên, kém đi, mới cảnh báo so với kỳ trước / what stands otherwise than in the period before.",
    **_COMMON,
)  # fmt: skip
def standing_changes(
    context: dg.AssetExecutionContext,
    organisations: pl.DataFrame,
    plan_tasks: pl.DataFrame,
    edges: pl.DataFrame,
    communities: pl.DataFrame,
    clusters: pl.DataFrame,
    localities: pl.DataFrame,
    plan_progress: pl.DataFrame,
    reporting_roster: pl.DataFrame,
) -> dg.Output[pl.DataFrame]:
    """Say what is new, gone, improved, worse or newly flagged."""
    tables = (
        organisations, plan_tasks, edges, communities, clusters, localities, plan_progress, reporting_roster,
    )  # fmt: skip
    made = standing.standing_changes(
        dict(zip(standing.INPUTS, tables, strict=True)), period=context.partition_key
    )
    return dg.Output(made, metadata=dict(made.group_by("change").len().sort("change").iter_rows()))


def _earlier(*key: str) -> dg.AssetIn:
    return dg.AssetIn(key=list(key), partition_mapping=WITH_EARLIER)


@dg.asset(
    key=["metrics", "cluster_history"], kinds={"polars"},
    ins={"nodes": _earlier("graph", "nodes"), "edges": _earlier("graph", "edges"),
         "communities": _earlier("graph", "communities"), "reports": _earlier("core", "cooperative_reports")},
    description="Cụm qua các năm / clusters through the years: the members of each cluster of the period measured in each earlier year, and "
    "whether it continued, merged, split or was born, by Jaccard (0..1) of members; money in VND.",
    **_COMMON,
)  # fmt: skip
def cluster_history(
    context: dg.AssetExecutionContext, settings: SettingsResource,
    nodes: pl.DataFrame, edges: pl.DataFrame, communities: pl.DataFrame, reports: pl.DataFrame,
) -> dg.Output[pl.DataFrame]:  # fmt: skip
    """Follow the clusters of the period back through the years."""
    made = history.cluster_history(
        nodes, edges, communities, reports, period=context.partition_key,
        min_disclosure_count=settings.get().min_disclosure_count,
    )  # fmt: skip
    counts = made.group_by("lineage").len().drop_nulls().sort("lineage").iter_rows()
    return dg.Output(made, metadata={**dict(counts), **_undefined(made, "member_income_vnd")})


@dg.asset(
    key=["metrics", "locality_history"], ins={"localities": _earlier("metrics", "localities")}, kinds={"polars"},
    description="Địa bàn qua các năm / localities through the years: cooperatives, linked ones, value (VND), share that reported (0..1).",
    **_COMMON,
)  # fmt: skip
def locality_history(context: dg.AssetExecutionContext, localities: pl.DataFrame) -> pl.DataFrame:
    """Set the localities of each year side by side."""
    return history.locality_history(localities, period=context.partition_key)
