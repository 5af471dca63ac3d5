"""The tabular measures say the same on Polars (eager, lazy, streaming), DuckDB and PySpark."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from htx_pipeline.clusters.detect import communities
from htx_pipeline.graph import network
from htx_pipeline.metrics import (
    chain,
    change,
    completeness,
    concentration,
    indicators,
    linkage,
    localities,
    members,
    rates,
    reporting,
    specialisation,
    value,
)
from htx_pipeline.sample.province import generate
from htx_pipeline.schemas import TABLES

Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    province = generate(periods=("2023", "2024"), n_linkages=300)
    edges = network.edges(province.linkages).drop("source_ids")
    organisations = province.organisations
    nodes = network.nodes(organisations, edges)
    clusters = communities(edges)
    sellers = province.linkages.select("period", "product_code", org_id="supplier_id").unique()
    plants = sellers.join(organisations, on=["period", "org_id"]).select(
        "period", "product_code", "locality", size=pl.lit(1.0) + pl.col("org_id").str.len_chars()
    )
    reports = province.cooperative_reports
    placed = reports.join(
        organisations.select("period", "org_id", "locality"), on=["period", "org_id"]
    )
    summed = linkage.totals(organisations, reports, edges)
    roster = reporting.reporting_roster(
        organisations, reports, reports.filter(pl.col("period") == "2023"), period="2024"
    )
    processors = nodes.filter(pl.col("stage") == "processing").select("period", "org_id")
    handled = edges.select("period", "product_code", org_id="buyer_id").unique()
    return {
        "nodes": nodes,
        "communities": clusters,
        "flows": chain.chain_flows(edges, nodes, clusters),
        "roster": roster,
        "capacities": processors.join(handled, on=["period", "org_id"]).with_columns(
            capacity_tonnes=pl.lit(7.5)
        ),
        "organisations": organisations,
        "reports": reports,
        "linkages": province.linkages.filter(pl.col("period") == "2024"),
        "edges": edges,
        "before": edges.filter(pl.col("period") == "2023"),
        "after": edges.filter(pl.col("period") == "2024"),
        "plants": plants,
        "counts": plants.with_columns(n=1),
        "placed": placed.select("period", "locality", "revenue_vnd"),
        "totals": summed,
    }


MEASURES: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "evidence": (("linkages",), lambda f: linkage.evidence(f, period="2024")),
    "nd98_form": (("linkages",), linkage.nd98_form),
    "participation": (("organisations", "edges"), linkage.participation),
    "totals": (("organisations", "reports", "edges"), linkage.totals),
    "localities": (("organisations", "reports", "edges"), localities.localities),
    "official_rates": (("totals",), rates.official_rates),
    "execution": (("totals",), rates.execution),
    "coverage": (("totals",), rates.coverage),
    "indicators": (("totals",), indicators.from_totals),
    "concentration": (("edges",), concentration.concentration),
    "dependence": (
        ("edges",),
        lambda f: concentration.concentration(f, by=("period", "supplier_id"), weight="n_linkages"),
    ),
    "ellison_glaeser": (("plants",), concentration.ellison_glaeser),
    "location_quotient": (("counts",), concentration.location_quotient),
    "theil": (("placed",), concentration.theil),
    "decomposition": (
        ("before", "after"),
        lambda b, a: change.decomposition(b, a, by=("product_code",)),
    ),
    "persistence": (
        ("before", "after"),
        lambda b, a: change.persistence(b, a, by=("product_code",)),
    ),
    "accounts": (("edges", "nodes", "reports"), value.accounts),
    "price_shares": (
        ("edges", "nodes"),
        lambda e, n: value.price_shares(e, n, conversions={("coffee_robusta", "production"): 4.5}),
    ),
    "mass_balance": (("flows",), value.mass_balance),
    "chain_flows": (("edges", "nodes", "communities"), chain.chain_flows),
    "stage_balance": (("flows",), chain.stage_balance),
    "chain_stages": (("edges", "nodes"), completeness.chain_stages),
    "processing_capacity": (("edges", "nodes", "capacities"), completeness.processing_capacity),
    "roster_localities": (("roster",), reporting.roster_localities),
    "specialisation": (("organisations",), specialisation.specialisation),
    "spatial_clustering": (("organisations", "reports"), specialisation.spatial_clustering),
    "inequality": (("organisations", "reports"), specialisation.inequality),
    "members_income": (("organisations", "reports", "edges"), members.members_income),
}
"""Measure → the frames it takes, and how it is called."""

FOR_SPARK = (
    "accounts", "chain_flows", "chain_stages", "concentration", "decomposition", "evidence", "mass_balance",
    "members_income", "participation", "price_shares", "theil",
)  # fmt: skip
"""Each kind of operation once: planning a Spark query costs seconds. What is left out is built of
these (rates and localities of counts and sums; inequality of theil)."""

SLOW_TO_PLAN = {"indicators"}
"""A union of over a hundred queries, for which DuckDB plans a minute; its parts are tested."""

ENDS_IN_POLARS = {"members_income"}
"""Measures that work out sums where the data lies and return Polars."""


def _native(made: Any) -> pl.DataFrame:
    """Fetch a result of Polars or DuckDB."""
    if isinstance(made, pl.DataFrame):
        return made
    found = (
        made.collect() if isinstance(made, pl.LazyFrame) else pl.from_arrow(made.to_arrow_table())
    )
    assert isinstance(found, pl.DataFrame)
    return found


def _same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    keys = [c for c, t in expected.schema.items() if t == pl.String]
    assert found.columns == expected.columns
    assert_frame_equal(
        found.sort(keys, nulls_last=True),
        expected.sort(keys, nulls_last=True),
        check_dtypes=False,
        rel_tol=1e-9,
        abs_tol=1e-12,
    )


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_lazy_and_streaming_polars_agree_with_eager(frames: Frames, name: str) -> None:
    inputs, measure = MEASURES[name]
    expected = measure(*(frames[i] for i in inputs))
    assert isinstance(expected, pl.DataFrame)
    lazy = measure(*(frames[i].lazy() for i in inputs))
    assert isinstance(lazy, pl.DataFrame if name in ENDS_IN_POLARS else pl.LazyFrame)
    _same(_native(lazy), expected)
    if isinstance(lazy, pl.LazyFrame):
        _same(lazy.collect(engine="streaming"), expected)


@pytest.mark.parametrize("name", sorted(set(MEASURES) - SLOW_TO_PLAN))
def test_duckdb_agrees_with_polars(frames: Frames, name: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    inputs, measure = MEASURES[name]
    with duckdb.connect() as connection:
        relations = [connection.from_arrow(frames[i].to_arrow()) for i in inputs]
        found = _native(measure(*relations))
    _same(found, measure(*(frames[i] for i in inputs)))


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_rows_in_another_order_give_the_same_bytes(frames: Frames, name: str) -> None:
    inputs, measure = MEASURES[name]
    expected = measure(*(frames[i] for i in inputs))
    shuffled = measure(*(frames[i].sample(fraction=1, shuffle=True, seed=7) for i in inputs))
    keys = [c for c, t in expected.schema.items() if t == pl.String]
    if name in ("evidence", "nd98_form"):  # row-wise: the rows keep the order they came in
        expected, shuffled = expected.sort(keys), shuffled.sort(keys)
    assert shuffled.equals(expected)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    pyspark = pytest.importorskip("pyspark.sql", reason="PySpark is an optional extra")
    if shutil.which("java") is None:
        pytest.skip("PySpark needs Java")
    builder = pyspark.SparkSession.builder.master("local[1]").appName("htx")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "false",
        # Compiling plans costs more than running them on a few hundred rows.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
    }
    for name, setting in settings.items():
        builder = builder.config(name, setting)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
@pytest.mark.parametrize("name", FOR_SPARK)
def test_pyspark_agrees_with_polars(spark: Any, frames: Frames, name: str, tmp_path: Any) -> None:
    inputs, measure = MEASURES[name]
    native = []
    for i in inputs:
        frames[i].write_parquet(tmp_path / f"{i}.parquet")
        native.append(spark.read.parquet(str(tmp_path / f"{i}.parquet")))
    made = measure(*native)
    if name not in ENDS_IN_POLARS:
        made.coalesce(1).write.parquet(str(tmp_path / "found"))
        made = pl.read_parquet(tmp_path / "found" / "*.parquet")
    _same(made, measure(*(frames[i] for i in inputs)))


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_no_linkages_at_all_is_no_error(frames: Frames, name: str) -> None:
    inputs, measure = MEASURES[name]
    emptied = {
        k: v.clear() if k not in ("organisations", "reports") else v for k, v in frames.items()
    }
    measure(*(emptied[i] for i in inputs))


def test_a_register_without_linkages_has_undefined_rates_with_the_reason(frames: Frames) -> None:
    none = network.edges(TABLES["linkages"].empty())
    made = indicators.indicators(frames["organisations"], frames["reports"], none)
    linked = made.filter(pl.col("indicator").str.contains("linked|offtake|executed"))
    assert linked.height > 0
    assert linked["value"].null_count() == linked.height
    assert set(linked["reason"]) == {"no_linkages"}
    counted = made.filter(pl.col("indicator") == "n_cooperatives", pl.col("locality") == "province")
    assert counted["is_defined"].all()
