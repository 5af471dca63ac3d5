"""Run the pipeline: `htx demo`, `htx run`, `htx sample`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from htx_pipeline.cli.shared import console
from htx_pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from htx_pipeline.orchestration.run import PeriodRun
    from htx_pipeline.settings import Settings


Seed = Annotated[int, Parameter(help="Another number gives another province.")]


def _run(settings: Settings, periods: Sequence[str]) -> list[PeriodRun]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from htx_pipeline.orchestration.run import run_periods

    screen = console()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[step]}"),
        console=screen, disable=not screen.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        tasks = {p: bar.add_task(p, total=None, step="") for p in periods}

        def show(period: str, step: str, done: int, total: int) -> None:
            bar.update(tasks[period], completed=done, total=total, step=step)

        return run_periods(settings, periods, progress=show)


def _summary(settings: Settings, runs: Sequence[PeriodRun]) -> None:
    """Print what was found, per period, and where the reports are."""
    import polars as pl
    from rich.table import Table as RichTable

    from htx_pipeline.tables import read_table

    screen = console()
    table = RichTable(title="Kết quả / What was found", title_justify="left")
    for heading in (
        "Kỳ",
        "Tổ chức",
        "HTX",
        "Liên kết",
        "Đã thực hiện",
        "Cụm",
        "Dòng bị loại",
        "Phát hiện",
        "",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    for run in runs:
        if not run.is_success:
            table.add_row(run.period, *["–"] * 7, "✗ không hoàn thành / failed")
            continue

        def get(key: str, period: str = run.period) -> pl.DataFrame:
            return read_table(key, period=period, data_dir=settings.data_dir)

        organisations, linkages, found, ledger = (
            get(f"core/{t}") for t in ("organisations", "linkages", "findings", "ledger")
        )
        rejected = int(ledger.filter(pl.col("action") != "merge")["rows_rejected_first"].sum())
        stopped = found.filter(pl.col("severity") == "critical").height
        table.add_row(
            run.period, str(organisations.height), str(organisations.filter(pl.col("legal_type") == "htx").height),
            str(linkages.height), str(linkages.filter(pl.col("evidence") == "executed").height),
            str(get("metrics/clusters").height), str(rejected), str(found.height),
            "✓" if not stopped else f"▲ {stopped} tệp không đọc được / files not read",
        )  # fmt: skip
    screen.print(table)
    for run in runs:
        for failure in run.failures:
            screen.print(f"✗ {run.period}: {failure}", style="red", markup=False)
        if run.is_success:
            _print_refused(screen, settings, run.period)
    for run in runs:
        if run.is_success:
            from htx_pipeline.report.edition import current_edition

            index = (
                current_edition(settings.data_dir / "report" / f"period={run.period}")
                / "index.html"
            )
            screen.print(f"Báo cáo / reports {run.period}: {index}", markup=False)


def _print_refused(screen: Console, settings: Settings, period: str) -> None:
    import polars as pl

    from htx_pipeline.tables import read_table

    found = read_table("core/findings", period=period, data_dir=settings.data_dir)
    for row in found.filter(pl.col("severity") == "critical").iter_rows(named=True):
        screen.print(
            f"▲ {row['source_file'] or row['table']}: {row['reason_en']} {row['remedy_en'] or ''}",
            markup=False,
        )


def _finish(runs: Sequence[PeriodRun]) -> int:
    return 0 if all(r.is_success for r in runs) else 1


def demo(
    *, out: Annotated[Path, Parameter(help="Folder to write to.")] = Path("demo"), seed: Seed = 20
) -> int:
    """Run the whole pipeline on a made-up province: start here, nothing else is needed."""
    from htx_pipeline.orchestration.run import discover_periods
    from htx_pipeline.sample import write_sample
    from htx_pipeline.settings import Settings

    screen = console()
    inputs = out / "input"
    screen.print(f"Số liệu giả định / synthetic data → {inputs}", markup=False)
    write_sample(inputs, seed=seed)
    settings = Settings(data_dir=out / "data", input_dir=inputs, seed=seed, province="Kon Tum")
    from htx_pipeline.ingest.mapping import load_mappings

    periods = discover_periods(load_mappings(settings.mappings), inputs)
    runs = _run(settings, periods)
    _summary(settings, runs)
    return _finish(runs)


def run(
    *,
    sources: Annotated[
        Path,
        Parameter(
            help="Folder of source mappings (.toml): which column is which; see `htx inspect --propose`."
        ),
    ],
    data: Annotated[Path, Parameter(help="Folder that holds the spreadsheets.")],
    out: Annotated[Path, Parameter(help="Folder to write to.")],
    period: Annotated[
        list[str] | None,
        Parameter(
            help="Reporting year; may be given again; every year that the sources speak of when left out."
        ),
    ] = None,
) -> int:
    """Run the whole pipeline on your own spreadsheets: read, check, link, report.

    Settings of the source, such as the title on reports, come from settings.toml in the folder of
    mappings, where there is one, and from HTX_ environment variables.
    """
    from htx_pipeline.ingest.mapping import load_mappings
    from htx_pipeline.orchestration.run import discover_periods
    from htx_pipeline.settings import load_settings

    settings = load_settings(sources, data_dir=out / "data", input_dir=data)
    periods = period or discover_periods(load_mappings(settings.mappings), data)
    if not periods:
        raise InputError(
            "No reporting year was found in the sources.", where=str(data),
            remedy="Name one with --period.", what_vi="Không tìm thấy kỳ báo cáo trong số liệu.", code="period_missing",
        )  # fmt: skip
    from htx_pipeline.orchestration.resources import check_period

    runs = _run(settings, [check_period(p) for p in periods])
    _summary(settings, runs)
    return _finish(runs)


def sample(
    *,
    out: Annotated[Path, Parameter(help="Folder to write to.")],
    seed: Seed = 20,
    scale: Annotated[
        int | None, Parameter(help="Write this many linkages as Parquet instead, for benchmarks.")
    ] = None,
) -> int:
    """Write the made-up province's spreadsheets only, as a province would receive them."""
    from htx_pipeline import sample as province

    if scale is not None:
        province.write_scale(out, scale, seed=seed)
    else:
        province.write_sample(out, seed=seed)
    console().print(f"{out}", markup=False)
    return 0
