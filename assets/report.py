"""report: one edition per period, PDF, HTML and workbook, made current by one pointer swap."""

from pathlib import Path

import dagster as dg
import polars as pl

from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS
from htx_pipeline.orchestration.progress import tell
from htx_pipeline.orchestration.resources import (
    PERIOD_PARTITIONS,
    WITH_EARLIER,
    SettingsResource,
)
from htx_pipeline.report.frames import EARLIER
from htx_pipeline.report.origins.earlier import EARLIER_TABLES
from htx_pipeline.schemas import TABLES

_CORE = [*TABLES, *(f"{t}_rejected" for t in TABLES), "findings", "ledger"]
_METRICS = [
    "clusters",
    "cluster_members",
    "cluster_stages",
    "chain_flows",
    "localities",
    "indicators",
    "plan_progress",
    "cluster_criteria",
    "reporting_roster",
    "reporting_roster_localities",
    "communes",
    "chain_stages",
    "standing_changes",
    "bottlenecks",
    "cluster_history",
    "locality_history",
]
INPUTS = [
    "raw/source_files", *(f"raw/{t}_sheets" for t in TABLES), *(f"core/{t}" for t in _CORE), "graph/nodes", "graph/edges",
    *(f"metrics/{t}" for t in _METRICS),
]  # fmt: skip


@dg.asset(
    key=["report", "editions"], group_name="report", owners=OWNERS["report"], partitions_def=PERIOD_PARTITIONS,
    kinds={"typst", "html", "excel"},
    deps=[
        *(dg.AssetDep(k.split("/")) for k in INPUTS if k not in EARLIER_TABLES),
        *(dg.AssetDep(k.split("/"), partition_mapping=WITH_EARLIER) for k in EARLIER_TABLES),
    ],
    description="Báo cáo / the edition of a period: one PDF per cluster, the provincial overview, an HTML index, a workbook "
    "of the numbers, and a manifest of hashes.",
)  # fmt: skip
def editions(context: dg.AssetExecutionContext, settings: SettingsResource) -> dg.MaterializeResult:
    """Write the edition of the period and make it current."""
    from htx_pipeline.report.earlier import published_before
    from htx_pipeline.report.edition import write_edition
    from htx_pipeline.report.options import ReportOptions
    from htx_pipeline.report.origins.earlier import earlier_frames
    from htx_pipeline.report.shelf import edition_folder
    from htx_pipeline.tables import read_table

    chosen = settings.get()
    period = context.partition_key
    with explained():
        frames: dict[str, pl.DataFrame] = {
            k: read_table(k, period=period, data_dir=chosen.data_dir) for k in INPUTS
        }
        frames |= earlier_frames(frames, period=period, data_dir=chosen.data_dir)
        mapped = frames["raw/source_files"].filter(pl.col("mapping_id").is_not_null())
        options = ReportOptions(
            title=chosen.title_vi, title_en=chosen.title_en, has_english=chosen.has_english,
            as_of=chosen.date_of_report(period), is_synthetic=bool(mapped["is_synthetic"].any()),
            has_official_heading=chosen.has_official_heading, min_disclosure_count=chosen.min_disclosure_count,
            currency_note=chosen.currency_note, whole_label=chosen.whole_label, locality_label=chosen.locality_label,
            min_cluster_size=chosen.min_cluster_size, max_cluster_reports=chosen.max_cluster_reports,
            boundaries_file=chosen.boundaries_file, boundaries_code=chosen.boundaries_code,
        )  # fmt: skip
        # What was handed out before stays known: a public edition is checked against it.
        years = {k.split("/")[1] for k in frames if k.startswith(EARLIER)}
        before = published_before(Path(chosen.data_dir), years)
        made = [
            write_edition(
                frames | before if kind == "public" else frames, edition_folder(Path(chosen.data_dir), kind, period), period=period,
                options=options.model_copy(update={"kind": kind}),
                cache_dir=Path(chosen.data_dir) / "report" / ".figures", cache_mb=chosen.cache_mb,
                workers=chosen.workers, progress=tell,
            )
            for kind in dict.fromkeys(chosen.edition_kinds)
        ]  # fmt: skip
    edition = made[0]
    return dg.MaterializeResult(
        metadata={
            "index": dg.MetadataValue.path(str(edition.folder / "index.html")),
            "files": len(edition.paths),
            "is_new": edition.is_new,
        }
    )
