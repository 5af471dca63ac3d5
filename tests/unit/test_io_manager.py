"""The IO manager: paths and errors a person can act on; eager or lazy by annotation."""

import dagster as dg
import polars as pl
import pytest

from htx_pipeline.orchestration.io_manager import ParquetIOManager
from htx_pipeline.tables import read_table

YEARS = dg.StaticPartitionsDefinition(["2023", "2024"])


@dg.asset(key=["core", "things"], partitions_def=YEARS)
def things(context: dg.AssetExecutionContext) -> pl.LazyFrame:
    return pl.LazyFrame({"year": [context.partition_key], "name": ["HTX Bí Mật"]})


@dg.asset(
    key=["graph", "eager"], partitions_def=YEARS, ins={"things": dg.AssetIn(key=["core", "things"])}
)
def eager(things: pl.DataFrame) -> pl.DataFrame:
    assert isinstance(things, pl.DataFrame)
    return things


@dg.asset(
    key=["graph", "lazy"], partitions_def=YEARS, ins={"things": dg.AssetIn(key=["core", "things"])}
)
def lazy(things: pl.LazyFrame) -> pl.LazyFrame:
    assert isinstance(things, pl.LazyFrame)
    return things.with_columns(doubled=pl.col("year").cast(pl.Int64) * 2)


@dg.asset(key=["graph", "wrong"], partitions_def=YEARS)
def wrong() -> dict[str, int]:
    return {"a": 1}


def run(folder, *assets, period="2024", selection=None):
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            assets,
            partition_key=period,
            instance=instance,
            resources={"io_manager": ParquetIOManager(data_dir=str(folder))},
            raise_on_error=False,
            selection=selection,
        )


def failure(result):
    event = result.filter_events(lambda e: e.event_type_value == "STEP_FAILURE")[0]
    user = event.step_failure_data.user_failure_data
    return user.description if user is not None else event.step_failure_data.error.to_string()


def test_a_value_that_is_no_frame_is_refused_by_name(tmp_path):
    result = run(tmp_path, wrong)
    assert not result.success
    assert "graph/wrong returned dict" in failure(result)


def test_an_input_that_was_never_made_says_so_and_what_to_do(tmp_path):
    result = run(tmp_path, things, eager, selection=[eager])
    assert not result.success
    assert "has not been made yet" in failure(result)


def test_eager_and_lazy_follow_the_annotation_and_store_alike(tmp_path):
    assert run(tmp_path, things, eager, lazy).success
    assert read_table("graph/eager", period="2024", data_dir=tmp_path).columns == ["year", "name"]
    assert read_table("graph/lazy", period="2024", data_dir=tmp_path)["doubled"].to_list() == [4048]


def test_a_period_is_its_own_file(tmp_path):
    assert run(tmp_path, things, period="2023").success
    assert run(tmp_path, things, period="2024").success
    assert read_table("core/things", period="2023", data_dir=tmp_path)["year"].to_list() == ["2023"]


def test_metadata_holds_counts_types_and_checksum_and_no_record(tmp_path):
    result = run(tmp_path, things)
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["dagster/row_count"].value == 1
    assert len(metadata["sha256"].value) == 64
    assert [c.name for c in metadata["dagster/column_schema"].value.columns] == ["year", "name"]
    assert "Bí Mật" not in str(metadata)


@pytest.mark.parametrize("period", ["2023", "2024"])
def test_running_twice_gives_the_same_checksum(tmp_path, period):
    sums = set()
    for _ in range(2):
        (event,) = run(tmp_path, things, period=period).get_asset_materialization_events()
        sums.add(event.materialization.metadata["sha256"].value)
    assert len(sums) == 1
