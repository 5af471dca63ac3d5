"""report: the way back, one marked workbook for every sender whose file has to be mended."""

from pathlib import Path

import dagster as dg
import polars as pl

from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource


@dg.asset(
    key=["report", "feedback"], group_name="report", owners=OWNERS["report"], partitions_def=PERIOD_PARTITIONS,
    kinds={"excel", "parquet"},
    ins={"source_files": dg.AssetIn(key=["raw", "source_files"]), "findings": dg.AssetIn(key=["core", "findings"])},
    description="Phản hồi đơn vị gửi / feedback: each sender's own workbook with the cells to mend marked; one row per file with findings.",
)  # fmt: skip
def feedback(
    context: dg.AssetExecutionContext,
    settings: SettingsResource,
    source_files: pl.DataFrame,
    findings: pl.DataFrame,
) -> pl.DataFrame:
    """Write the feedback workbooks of the period."""
    from htx_pipeline.feedback import write_feedbacks
    from htx_pipeline.ingest.mapping import load_mappings

    chosen = settings.get()
    period = context.partition_key
    folder = Path(chosen.data_dir) / "report" / "feedback" / f"period={period}"
    with explained():
        told = write_feedbacks(
            findings,
            source_files,
            input_dir=chosen.input_dir,
            out_dir=folder,
            period=period,
            mappings=load_mappings(chosen.mappings),
        )
    context.add_output_metadata(
        {
            "folder": dg.MetadataValue.path(str(folder)),
            **{
                form: told.filter(pl.col("form") == form).height
                for form in ("marked", "rendering", "list", "not_needed")
            },
        }
    )
    return told
