"""report: the tables of a period for other programs, for use inside the office."""

from pathlib import Path

import dagster as dg

from assets.report import INPUTS
from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, SettingsResource


@dg.asset(
    key=["report", "exports"], group_name="report", owners=OWNERS["report"], partitions_def=PERIOD_PARTITIONS,
    kinds={"csv", "parquet", "json"}, deps=[dg.AssetKey(k.split("/")) for k in INPUTS],
    description="Tệp xuất (nội bộ) / exports for use inside the office: CSV, Parquet with its dictionary, GEXF, GraphML, "
    "GeoJSON, JSON-LD, EPCIS, in an immutable folder with a manifest of hashes.",
)  # fmt: skip
def exports(context: dg.AssetExecutionContext, settings: SettingsResource) -> dg.MaterializeResult:
    """Write the exports of the period and make them current."""
    from htx_pipeline.exports.publish import options_for, read_frames, write_exports

    chosen = settings.get()
    period = context.partition_key
    with explained():
        frames = read_frames(period, data_dir=chosen.data_dir)
        made = write_exports(
            frames,
            Path(chosen.data_dir) / "report" / "exports" / f"period={period}",
            options_for(frames, chosen, period),
        )
    counts = {f"{f}_{k}": n for f, told in made.manifest["counts"].items() for k, n in told.items()}
    return dg.MaterializeResult(
        metadata={
            "folder": dg.MetadataValue.path(str(made.folder)),
            "files": len(made.manifest["files"]),
            "is_new": made.is_new,
            **counts,
        }
    )
