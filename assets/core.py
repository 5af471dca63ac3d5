"""core: rows that passed their rules, rows that did not, why, and a ledger that accounts for each."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

import expectations
from htx_pipeline.findings import concat_findings
from htx_pipeline.orchestration.checks import suite_check_specs
from htx_pipeline.orchestration.failures import explained
from htx_pipeline.orchestration.metadata import OWNERS, table_metadata
from htx_pipeline.orchestration.resources import PERIOD_PARTITIONS, WITH_PREVIOUS, SettingsResource
from htx_pipeline.reference.products import products
from htx_pipeline.schemas import TABLES, Table
from htx_pipeline.validation.suites import load_suite

SUITES = Path(expectations.__file__).parent


def _core_table(table: Table) -> dg.AssetsDefinition:
    key = dg.AssetKey(["core", table.name])
    suite = load_suite(SUITES / f"{table.name}.json")
    refers = any((c.references or "").startswith("organisations.") for c in table.columns)
    ins = {
        "rows": dg.AssetIn(key=["raw", table.name]),
        "reader_findings": dg.AssetIn(key=["raw", f"{table.name}_findings"]),
        **({"organisations": dg.AssetIn(key=["core", "organisations"])} if refers else {}),
    }
    label = f"{table.label_vi} / {table.label_en}"

    def settle_table(
        context: dg.AssetExecutionContext, settings: SettingsResource, rows: pl.DataFrame,
        reader_findings: pl.DataFrame, organisations: pl.DataFrame | None,
    ) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:  # fmt: skip
        from htx_pipeline.orchestration.settled import settled_events
        from htx_pipeline.resolve.tables import resolve_table
        from htx_pipeline.validation.publish import settle

        chosen = settings.get()
        references: dict[str, pl.Series | pl.DataFrame] = {"reference:products": products()["code"]}
        if organisations is not None:
            references["organisations.org_id"] = organisations["org_id"]
        with explained():
            resolved = resolve_table(
                table.name,
                rows,
                period=context.partition_key,
                organisations=organisations,
                province=chosen.province,
            )
            done = settle(
                resolved, suite, rows_read=rows.height, reader_findings=reader_findings,
                references=references, max_rejected_share=chosen.max_rejected_share,
            )  # fmt: skip
        yield from settled_events(context, key, done)

    options = {
        "name": f"core_{table.name}",
        "group_name": "core",
        "ins": ins,
        "partitions_def": PERIOD_PARTITIONS,
        "check_specs": suite_check_specs(suite, key),
        "can_subset": True,
        "outs": {
            "findings": dg.AssetOut(key=["core", f"{table.name}_findings"], is_required=False, owners=OWNERS["core"], kinds={"polars", "parquet"},
                                    description=f"{label}: lý do và cách sửa / what was found, why, and what to do."),
            "rejected": dg.AssetOut(key=["core", f"{table.name}_rejected"], is_required=False, owners=OWNERS["core"], kinds={"polars", "parquet"},
                                    description=f"{label}: các dòng bị loại / rows that were rejected."),
            "ledger": dg.AssetOut(key=["core", f"{table.name}_ledger"], is_required=False, owners=OWNERS["core"], kinds={"polars", "parquet"},
                                  description=f"{label}: sổ đối chiếu số dòng / rows in = rows out + rejected, by rule."),
            "accepted": dg.AssetOut(key=key, is_required=False, owners=OWNERS["core"], kinds={"polars", "parquet", "greatexpectations"},
                                    description=f"{label}. {table.description}", metadata=table_metadata(table)),
        },
    }  # fmt: skip
    if refers:

        @dg.multi_asset(**options)
        def with_organisations(
            context: dg.AssetExecutionContext, settings: SettingsResource, rows: pl.DataFrame,
            reader_findings: pl.DataFrame, organisations: pl.DataFrame,
        ) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:  # fmt: skip
            yield from settle_table(context, settings, rows, reader_findings, organisations)

        return with_organisations

    @dg.multi_asset(**options)
    def alone(
        context: dg.AssetExecutionContext,
        settings: SettingsResource,
        rows: pl.DataFrame,
        reader_findings: pl.DataFrame,
    ) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
        yield from settle_table(context, settings, rows, reader_findings, None)

    return alone


core_tables = [_core_table(table) for table in TABLES.values()]


PLAUSIBILITY = "cooperative_reports_plausibility"


@dg.asset(
    key=["core", PLAUSIBILITY], group_name="core", owners=OWNERS["core"], kinds={"polars", "parquet"}, partitions_def=PERIOD_PARTITIONS,
    ins={"reports": dg.AssetIn(key=["core", "cooperative_reports"], partition_mapping=WITH_PREVIOUS)},
    description="Số liệu bất thường / figures of the reports that jump by a unit against the same cooperative's period before or its peers.",
)  # fmt: skip
def plausibility(context: dg.AssetExecutionContext, reports: pl.DataFrame) -> pl.DataFrame:
    """Compare the reports with the period before and with each other."""
    from htx_pipeline.resolve.plausibility_rules import report_plausibility

    period = context.partition_key
    previous = reports.filter(pl.col("period") < period)
    found = report_plausibility(reports, previous, period=period)
    context.add_output_metadata(
        {
            "warnings": int((found["severity"] == "warning").sum()),
            "has_previous": not previous.is_empty(),
        }
    )
    return found


def _stacked(
    name: str, description: str, join: str, *, extra: tuple[str, ...] = ()
) -> dg.AssetsDefinition:
    sources = [*(f"{t}_{join}" for t in TABLES), *extra]

    @dg.asset(
        key=["core", name], group_name="core", owners=OWNERS["core"], kinds={"polars", "parquet"}, description=description,
        partitions_def=PERIOD_PARTITIONS, ins={s: dg.AssetIn(key=["core", s]) for s in sources},
    )  # fmt: skip
    def stacked(**frames: pl.DataFrame) -> pl.DataFrame:
        parts = [frames[s] for s in sources]
        return concat_findings(parts) if name == "findings" else pl.concat(parts)

    return stacked


all_findings = _stacked(
    "findings",
    "Mọi phát hiện, theo tệp và dòng / everything found, by file and row.",
    "findings",
    extra=(PLAUSIBILITY,),
)
ledger = _stacked("ledger", "Sổ đối chiếu của mọi bảng / the ledger of every table.", "ledger")
