"""raw: what the source files say, row by row, in canonical columns; nothing is judged yet."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from htx_pipeline.ingest.inbox_ledger import corrections_in_force, read_ledger
from htx_pipeline.ingest.mapping import load_mappings
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS, table_metadata
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource
from htx_pipeline.schemas import TABLES, Table


@dg.asset(
    key=["raw", "source_files"], deps=[dg.AssetKey(["raw", "inbox"])], group_name="raw", owners=OWNERS["raw"], kinds={"polars", "excel", "csv"},
    partitions_def=PERIOD_PARTITIONS,
    description="Tệp nguồn / source files: every file of the input folder, its hash, the mapping that reads it, "
    "and why it is not read when it is not.",
)  # fmt: skip
def source_files(context: dg.AssetExecutionContext, settings: SettingsResource) -> pl.DataFrame:
    """List the files of the input folder."""
    chosen = settings.get()
    with explained():
        frame = list_sources(
            load_mappings(chosen.mappings),
            chosen.input_dir,
            corrects=corrections_in_force(read_ledger(chosen.data_dir)),
        )
    context.add_output_metadata({"refused": int((~frame["is_usable"]).sum())})
    return frame


def _raw_table(table: Table) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"raw_{table.name}",
        group_name="raw",
        outs={
            "rows": dg.AssetOut(
                is_required=False, key=["raw", table.name], owners=OWNERS["raw"], kinds={"polars", "parquet"},
                description=f"{table.label_vi} / {table.label_en}: rows as read, not judged.",
                metadata=table_metadata(table),
            ),
            "findings": dg.AssetOut(
                is_required=False, key=["raw", f"{table.name}_findings"], owners=OWNERS["raw"], kinds={"polars", "parquet"},
                description=f"{table.label_vi}: ô không đọc được hoặc phải suy đoán / cells that could not be read or had to be interpreted.",
            ),
            "sheets": dg.AssetOut(
                is_required=False, key=["raw", f"{table.name}_sheets"], owners=OWNERS["raw"], kinds={"polars", "parquet"},
                description=f"{table.label_vi}: từng trang tính, số dòng theo loại / each sheet read, with its rows by kind.",
            ),
        },
        ins={"source_files": dg.AssetIn(key=["raw", "source_files"])},
        partitions_def=PERIOD_PARTITIONS,
        can_subset=True,
    )  # fmt: skip
    def read(
        context: dg.AssetExecutionContext, settings: SettingsResource, source_files: pl.DataFrame
    ) -> Iterator[dg.Output[pl.DataFrame]]:
        chosen = settings.get()
        with explained():
            result = read_sources(
                table.name, load_mappings(chosen.mappings), source_files,
                input_dir=chosen.input_dir, period=context.partition_key, corrections_file=chosen.corrections_file,
            )  # fmt: skip
        files = result.sheets["source_file"].n_unique()
        for name, frame in (
            ("rows", result.rows),
            ("findings", result.findings),
            ("sheets", result.sheets),
        ):
            if name in context.op_execution_context.selected_output_names:
                yield dg.Output(frame, name, metadata={"files": files})

    return read


raw_tables = [_raw_table(table) for table in TABLES.values()]
