"""`htx`: thin commands over the library and the asset graph.

What belongs here: reading arguments, showing progress and results. What does not: any logic that an
analyst would want to call; heavy imports happen inside the commands.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from htx_pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from htx_pipeline.orchestration.run import PeriodRun
    from htx_pipeline.settings import Settings

app = App(
    name="htx",
    help="From a province's spreadsheets: linkages of cooperatives and enterprises, clusters, progress against the plan.",
    version_flags=["--version"],
)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _run(settings: Settings, periods: Sequence[str]) -> list[PeriodRun]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from htx_pipeline.orchestration.run import run_periods

    console = _console()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[step]}"),
        console=console, disable=not console.is_terminal, transient=True,
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

    console = _console()
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
    console.print(table)
    for run in runs:
        for failure in run.failures:
            console.print(f"✗ {run.period}: {failure}", style="red", markup=False)
        if run.is_success:
            _print_refused(console, settings, run.period)
    for run in runs:
        if run.is_success:
            from htx_pipeline.report.edition import current_edition

            index = (
                current_edition(settings.data_dir / "report" / f"period={run.period}")
                / "index.html"
            )
            console.print(f"Báo cáo / reports {run.period}: {index}", markup=False)


def _print_refused(console: Console, settings: Settings, period: str) -> None:
    import polars as pl

    from htx_pipeline.tables import read_table

    found = read_table("core/findings", period=period, data_dir=settings.data_dir)
    for row in found.filter(pl.col("severity") == "critical").iter_rows(named=True):
        console.print(
            f"▲ {row['source_file'] or row['table']}: {row['reason_en']} {row['remedy_en'] or ''}",
            markup=False,
        )


def _finish(runs: Sequence[PeriodRun]) -> int:
    return 0 if all(r.is_success for r in runs) else 1


@app.command
def demo(
    *, out: Annotated[Path, Parameter(help="Folder to write to.")] = Path("demo"), seed: int = 20
) -> int:
    """Run the whole pipeline on the built-in synthetic province."""
    from htx_pipeline.orchestration.run import discover_periods
    from htx_pipeline.sample import write_sample
    from htx_pipeline.settings import Settings

    console = _console()
    inputs = out / "input"
    console.print(f"Số liệu giả định / synthetic data → {inputs}", markup=False)
    write_sample(inputs, seed=seed)
    settings = Settings(data_dir=out / "data", input_dir=inputs, seed=seed, province="Kon Tum")
    from htx_pipeline.ingest.mapping import load_mappings

    periods = discover_periods(load_mappings(settings.mappings), inputs)
    runs = _run(settings, periods)
    _summary(settings, runs)
    return _finish(runs)


@app.command
def run(
    *,
    sources: Annotated[Path, Parameter(help="Folder of source mappings (.toml).")],
    data: Annotated[Path, Parameter(help="Folder that holds the source files.")],
    out: Annotated[Path, Parameter(help="Folder to write to.")],
    period: Annotated[
        list[str] | None,
        Parameter(help="Reporting year; all that the sources speak of when left out."),
    ] = None,
) -> int:
    """Run the whole pipeline on your own sources.

    Settings of the source, such as the title on reports, come from ``settings.toml`` in the folder of
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


@app.command
def sample(
    *,
    out: Annotated[Path, Parameter(help="Folder to write to.")],
    seed: int = 20,
    scale: Annotated[
        int | None, Parameter(help="Write this many linkages as Parquet instead, for benchmarks.")
    ] = None,
) -> int:
    """Write the synthetic province as the workbooks a province would receive."""
    from htx_pipeline import sample as province

    if scale is not None:
        province.write_scale(out, scale, seed=seed)
    else:
        province.write_sample(out, seed=seed)
    _console().print(f"{out}", markup=False)
    return 0


@app.command
def tables(
    *,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
) -> int:
    """List the tables on disk."""
    from rich.table import Table as RichTable

    from htx_pipeline.tables import list_tables

    found = list_tables(data_dir=data)
    shown = RichTable()
    for name in found.columns:
        shown.add_column(name, justify="right" if name in {"rows", "bytes"} else "left")
    for row in found.iter_rows():
        shown.add_row(*("" if v is None else f"{v:,}" if isinstance(v, int) else v for v in row))
    _console().print(shown)
    return 0


@app.command
def trace(
    figure: Annotated[
        str | None,
        Parameter(
            help="Id of a figure, as the workbook and the page print it; with --list a page or block."
        ),
    ] = None,
    *,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    edition: Annotated[
        Path | None, Parameter(help="Folder of an edition; the current one when left out.")
    ] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year; the latest when left out.")
    ] = None,
    kind: Annotated[
        Literal["internal", "public"], Parameter(help="Which of the current editions is asked.")
    ] = "internal",
    listed: Annotated[
        bool,
        Parameter(
            name="--list",
            negative="",
            help="List the pages, or the figures of the page or block that is named.",
        ),
    ] = False,
    rows: Annotated[bool, Parameter(help="One line for each source row.", negative="")] = False,
    form: Annotated[
        Literal["table", "csv", "json"],
        Parameter(name="--format", help="For a reader, a spreadsheet, or a program."),
    ] = "table",
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="File to write instead of printing.")
    ] = None,
) -> int:
    """Show what a figure of a report is made of: source files, sheets and rows, what was left out, the steps.

    Exit code 0: found; 2: no such figure, page or edition; 3: the edition withholds the figure.
    """
    from htx_pipeline.report import ask

    asked = ask.open_edition(data_dir=data, edition=edition, period=period, kind=kind)
    if figure is None and not listed:
        raise InputError(
            "No figure was named.", remedy="Give a figure's id, or --list to see what there is.",
            what_vi="Chưa nêu mã số liệu.", code="figure_missing",
        )  # fmt: skip
    if listed:
        frame = ask.list_frame(asked.trace, figure)
        written = frame.write_csv() if form == "csv" else frame.write_json() + "\n"
        shown = ask.list_text(asked.trace, figure) if form == "table" else [written]
    else:
        found = ask.find_figure(asked.trace, figure or "", is_public=asked.is_public)
        if ask.is_withheld(found, asked):
            sys.stderr.write(f"✗ {found['figure_id']}\n{ask.WITHHELD_TEXT}\n")
            return ask.WITHHELD
        if form == "table":
            shown = ask.figure_text(found, has_rows=rows)
        else:
            write = ask.figure_csv if form == "csv" else ask.figure_json
            shown = [write(found, has_rows=rows)]
    _show(shown, form=form, output=output)
    return 0


def _show(parts: Sequence[object], *, form: str, output: Path | None) -> None:
    """Print lines and tables, or write them to a file; CSV in a file opens in Excel with its accents."""
    from rich.console import Console

    if output is None and form != "table":
        sys.stdout.write("".join(str(p) for p in parts))
        return
    if output is None:
        for part in parts:
            _console().print(part, markup=False, soft_wrap=isinstance(part, str))
        return
    if form != "table":
        content = "".join(str(p) for p in parts)
    else:
        console = Console(width=200, highlight=False, record=True, file=io.StringIO())
        for part in parts:
            console.print(part, markup=False, soft_wrap=isinstance(part, str))
        content = console.export_text()
    output.write_text(content, encoding="utf-8-sig" if form == "csv" else "utf-8")
    _console().print(f"{output}", markup=False)


@app.command
def inspect(
    file: Path,
    *,
    propose: Annotated[
        str | None, Parameter(help="Canonical table to propose a mapping for; written as TOML.")
    ] = None,
) -> int:
    """Show what is understood of a spreadsheet: which rows are heading, data, total, note."""
    from htx_pipeline.ingest.inspect import propose_mapping, render_inspection
    from htx_pipeline.ingest.workbook import open_workbook
    from htx_pipeline.schemas import TABLES

    book = open_workbook(file)
    if propose is not None:
        if propose not in TABLES:
            raise InputError(
                f"There is no table {propose!r}.",
                remedy=f"Use one of: {', '.join(TABLES)}.",
                code="table_name",
            )
        wanted = {
            c.name: (c.label_vi, c.label_en, *c.aliases) for c in TABLES[propose].columns if c.asked
        }
        sys.stdout.write(propose_mapping(book, wanted, table=propose))
        return 0
    _console().print(render_inspection(book))
    return 0


@app.command
def template(
    name: Annotated[
        str, Parameter(help="registry, cooperative-report, linkages, training or plan.")
    ],
    *,
    period: Annotated[str, Parameter(help="Reporting year.")],
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The .xlsx to write.")],
    org_file: Annotated[
        Path | None,
        Parameter(
            help="Parquet table of organisations (core/organisations), offered as a list of names."
        ),
    ] = None,
    rows: Annotated[int, Parameter(help="Rows to fill in.")] = 300,
    money: Annotated[
        Literal["million", "dong"], Parameter(help="Money in million đồng or in đồng.")
    ] = "million",
    days: Annotated[
        int, Parameter(help="Days added to the deadline, 15 December of the period.")
    ] = 0,
) -> int:
    """Write a workbook to be filled in; it reads back without a mapping."""
    from htx_pipeline.ingest.template_write import write_template
    from htx_pipeline.storage import read_frame

    organisations = read_frame(org_file) if org_file is not None else None
    made = write_template(
        name, output, period=period, organisations=organisations, rows=rows, money=money, days=days
    )
    _console().print(f"✓ {made}", markup=False)
    return 0


@app.command
def feedback(
    file: Annotated[Path, Parameter(help="The sender's file; it is only read.")],
    *,
    findings: Annotated[
        Path | None, Parameter(help="Data folder of a run that read this file.")
    ] = None,
    mapping: Annotated[
        list[Path] | None,
        Parameter(help="Source mapping (.toml) that reads the file; not needed for our templates."),
    ] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year, where file, mapping or run do not say it.")
    ] = None,
    previous: Annotated[
        Path | None, Parameter(help="The version sent before; what changed is listed.")
    ] = None,
    output: Annotated[
        Path | None,
        Parameter(
            name=["--output", "-o"], help="The .xlsx to write; beside the file when left out."
        ),
    ] = None,
    days: Annotated[
        int, Parameter(help="Days after 15 December of the period to send it again.")
    ] = 10,
) -> int:
    """Write a copy of a sender's workbook with the mistakes marked, to be sent back."""
    from htx_pipeline.feedback.command import give_feedback

    target = output or file.with_name(f"{file.stem}.loi-can-sua.xlsx")
    made = give_feedback(
        file,
        target,
        data_dir=findings,
        mapping_files=mapping or [],
        period=period,
        previous=previous,
        days=days,
    )
    counts = made.counts
    console = _console()
    console.print(
        f"✗ {counts['critical'] + counts['error']}  ▲ {counts['warning']}  ○ {counts['info']} → {target}",
        markup=False,
    )
    if made.why:
        console.print(made.why, markup=False)
    return 0


@app.command
def inbox(
    *,
    inbox: Annotated[
        Path | None, Parameter(help="Folder in which files arrive; HTX_INBOX_DIR when left out.")
    ] = None,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    take: Annotated[
        bool, Parameter(help="Take the files in now, as the sensor would.", negative="")
    ] = False,
) -> int:
    """Show what arrived in the inbox, what became of each file, and why; look, without taking in, at what is new."""
    import re
    from datetime import UTC, datetime

    import polars as pl
    from rich.table import Table as RichTable
    from rich.text import Text

    from htx_pipeline.ingest.inbox import check_folders, intake, scan_inbox
    from htx_pipeline.ingest.inbox_ledger import read_ledger
    from htx_pipeline.ingest.mapping import load_mappings
    from htx_pipeline.settings import Settings

    given = {k: v for k, v in (("inbox_dir", inbox), ("data_dir", data)) if v is not None}
    settings = Settings(**given)  # type: ignore[arg-type]
    ledger = read_ledger(settings.data_dir)
    rows = ledger.with_columns(is_new=pl.lit(value=False))
    if settings.inbox_dir is not None:
        folder, source, now = settings.inbox_dir, settings.input_dir, datetime.now(UTC)
        mappings = load_mappings(settings.mappings)
        if take:
            scan, _ = intake(
                folder, data_dir=settings.data_dir, input_dir=source, mappings=mappings, now=now
            )
        else:
            check_folders(folder, input_dir=source, data_dir=settings.data_dir)
            scan = scan_inbox(folder, ledger=ledger, mappings=mappings, input_dir=source, now=now)
        rows = pl.concat([rows, scan.decisions.with_columns(is_new=pl.lit(value=True))])
    console = _console()
    table = RichTable(title="Hộp thư / inbox", title_justify="left")
    for heading in (
        "",
        "Tệp / file",
        "Kỳ",
        "Đặt tại / placed at",
        "Lý do / reason",
        "Cách xử lý / what to do",
    ):
        table.add_column(heading, overflow="fold")
    marks = {"accepted": "✓", "quarantined": "✗", "ignored": "–"}
    for row in rows.sort("entry").iter_rows(named=True):
        mark = f"{marks[row['fate']]}{' *' if row['is_new'] else ''}"
        reason = "\n".join(x for x in (row["reason_vi"], row["reason_en"]) if x)
        remedy = "\n".join(x for x in (row["remedy_vi"], row["remedy_en"]) if x)
        names = [
            re.sub(r"[\x00-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", row[c] or "")
            for c in ("file", "periods", "placed_at")
        ]
        table.add_row(*(Text(x) for x in (mark, *names, reason, remedy)))
    console.print(table)
    counts = "; ".join(
        f"{fate}: {n}" for fate, n in rows.group_by("fate").len().sort("fate").iter_rows()
    )
    new = "" if take else "  (* mới, chưa tiếp nhận / new, not taken in: --take)"
    console.print(
        f"✓ accepted  ✗ quarantined  – ignored   {counts or 'trống / empty'}{new if rows['is_new'].any() else ''}",
        markup=False,
    )
    return 0


graph_app = App(
    name="graph", help="Ask the network: partners of one organisation, a way between two, export."
)
app.command(graph_app)


def _network(data: Path | None, period: str | None) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """Return edges and nodes of the period asked for, or the latest."""
    import polars as pl

    from htx_pipeline.graph.query import one_period
    from htx_pipeline.settings import Settings
    from htx_pipeline.tables import list_tables, read_table

    if period is None:
        there = list_tables(data_dir=data).filter(pl.col("table") == "graph/nodes")
        if there.is_empty():
            raise InputError(
                "There is no network here.", where=str(data or Settings().data_dir), code="network_missing",
                remedy="Run the pipeline first (htx demo makes a sample), or name its data folder with --data.",
                what_vi="Chưa có số liệu mạng lưới ở thư mục này.",
                remedy_vi="Đề nghị chạy quy trình trước, hoặc chỉ ra thư mục số liệu bằng --data.",
            )  # fmt: skip
        period = one_period(there)
    edges, nodes = (
        read_table(f"graph/{name}", period=period, data_dir=data) for name in ("edges", "nodes")
    )
    return edges, nodes, period


@graph_app.command
def show(
    org: Annotated[str, Parameter(help="Id or name of the organisation.")],
    *,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year; the latest when left out.")
    ] = None,
    picture: Annotated[Path | None, Parameter(help="Also draw it to this .svg.")] = None,
    table: Annotated[
        Path | None, Parameter(help="Also write its linkages to this .parquet.")
    ] = None,
    radius: Annotated[int, Parameter(help="Steps from the organisation in the table.")] = 1,
) -> int:
    """Show an organisation between its suppliers and its buyers."""
    from htx_pipeline.graph import query

    edges, nodes, period = _network(data, period)
    org_id = query.find_organisation(nodes, org)
    console = _console()
    console.print(f"Kỳ / period {period}", markup=False)
    console.print(query.ego_text(edges, nodes, org_id), markup=False, end="", soft_wrap=True)
    if table is not None:
        query.ego(edges, nodes, org_id, radius=radius).write_parquet(table)
        console.print(f"✓ {table}", markup=False)
    if picture is not None:
        picture.write_text(query.ego_svg(edges, nodes, org_id), encoding="utf-8", newline="\n")
        console.print(f"✓ {picture}", markup=False)
    return 0


def _step_worth(row: Mapping[str, int | None]) -> str:
    """Return what was paid along a step of a way, else what was contracted."""
    from htx_pipeline.graph.query import worth

    paid, contracted = row["paid_value_vnd"], row["contracted_value_vnd"]
    if paid is not None:
        return worth(paid, paid=1, stated=1)
    return worth(contracted, paid=0, stated=1)


@graph_app.command
def path(
    start: Annotated[str, Parameter(help="Id or name of the organisation that goods come from.")],
    end: Annotated[str, Parameter(help="Id or name of the organisation that they reach.")],
    *,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year; the latest when left out.")
    ] = None,
    any_direction: Annotated[
        bool, Parameter(help="Also walk from a buyer to its supplier.", negative="")
    ] = False,
) -> int:
    """Show the shortest way of linkages from one organisation to another."""
    from htx_pipeline.graph import query

    edges, nodes, period = _network(data, period)
    ends = [query.find_organisation(nodes, text) for text in (start, end)]
    found = query.path(edges, nodes, ends[0], ends[1], any_direction=any_direction)
    console = _console()
    console.print(f"Kỳ / period {period}", markup=False)
    for row in found.iter_rows(named=True):
        arrow = "──▶" if row["is_forward"] else "◀──"
        one, other = (
            query.clean(f"{row[f'{e}_name'] or row[f'{e}_id']} ({row[f'{e}_id']})")
            for e in ("from", "to")
        )
        console.print(
            f"{row['step']}. {one} {arrow} {other}  {_step_worth(row)}  {', '.join(map(query.label, row['products']))}  [{query.label(row['evidence'])}]",
            markup=False,
            soft_wrap=True,
        )
    console.print(query.MONEY, markup=False)
    return 0


@graph_app.command(name="export")
def graph_export(
    out: Annotated[Path, Parameter(help="The .graphml or .gexf file to write.")],
    *,
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year; the latest when left out.")
    ] = None,
    evidence: Annotated[
        Literal["planned", "signed", "active", "executed"],
        Parameter(help="Weakest evidence level to write."),
    ] = "planned",
) -> int:
    """Write the network to one file, for Gephi (.gexf), yEd or Cytoscape (.graphml)."""
    from htx_pipeline.exports.network import network_file
    from htx_pipeline.storage import write_file

    form = out.suffix.lstrip(".").lower()
    if form not in {"gexf", "graphml"}:
        raise InputError(
            f"A network is not written as {form or 'a file without ending'!r}.", where=str(out),
            remedy="End the name in .gexf or .graphml; `htx export` writes tables and more.", code="graph_format",
        )  # fmt: skip
    edges, nodes, period = _network(data, period)
    made, replaced = network_file(nodes, edges, form=form, evidence=evidence, title=period)
    write_file(made, out)
    _console().print(f"✓ {period} → {out}", markup=False)
    if replaced:
        _console().print(
            f"  {replaced} ký tự không hợp lệ đã thay / characters replaced", markup=False
        )
    return 0


@app.command
def export(
    *,
    form: Annotated[
        list[Literal["csv", "package", "gexf", "graphml", "geojson", "jsonld", "epcis"]] | None,
        Parameter(name="--format", help="Formats; all when left out.", negative=""),
    ] = None,
    period: Annotated[
        str | None, Parameter(help="Reporting year; the latest when left out.")
    ] = None,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder that gets a folder of exports.")
    ] = Path("exports"),
    data: Annotated[Path | None, Parameter(help="Data folder; HTX_DATA_DIR when left out.")] = None,
    headings: Annotated[
        Literal["vi", "en", "columns"], Parameter(help="Headings of CSV files.")
    ] = "vi",
    decimal: Annotated[
        Literal["point", "comma"],
        Parameter(help="Decimal sign of CSV files; with a comma, cells are separated by ;"),
    ] = "point",
    kind: Annotated[
        Literal["internal", "public"],
        Parameter(help="Public files hold register entries and counts only."),
    ] = "internal",
) -> int:
    """Write the tables for other programs: CSV, Parquet with dictionary, Gephi, QGIS, linked data, EPCIS.

    Internal files are for use inside the office: names and figures of single organisations are in them.
    """
    from functools import partial

    from htx_pipeline.exports.publish import options_for, read_frames, write_exports
    from htx_pipeline.graph.query import one_period
    from htx_pipeline.settings import Settings
    from htx_pipeline.tables import list_tables

    if period is None:
        period = one_period(list_tables(data_dir=data))
    frames = read_frames(period, data_dir=data)
    settings = Settings()
    options = options_for(
        frames, settings, period, csv_headings=headings, csv_decimal=decimal, kind=kind
    )
    mask = None
    if kind == "public":
        from htx_pipeline.report.handout import publishable
        from htx_pipeline.report.options import ReportOptions

        public = ReportOptions(title=settings.title_vi, as_of=options.as_of, kind="public")
        mask = partial(publishable, options=public)
    made = write_exports(frames, output, options, formats=form, mask=mask)
    console = _console()
    console.print(f"✓ {period} → {made.folder}", markup=False)
    for name, counts in made.manifest["counts"].items():
        told = ", ".join(f"{k} {v}" for k, v in counts.items() if v)
        console.print(f"  {name}: {told or '✓'}", markup=False, soft_wrap=True)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a user's mistake is text on stderr and exit code 2, never a traceback."""
    try:
        result = app(arguments, result_action="return_value")
    except InputError as exc:
        sys.stderr.write(f"✗ {exc}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Dừng theo yêu cầu / stopped.\n")
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    raise SystemExit(main())
