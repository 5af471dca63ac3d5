"""What was made: `htx tables`, `htx trace`, `htx export`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from htx_pipeline.cli.shared import DataFolder, Year, console
from htx_pipeline.errors import InputError


def tables(
    *,
    data: DataFolder = None,
) -> int:
    """List the tables there are, with years, rows and size."""
    from rich.table import Table as RichTable

    from htx_pipeline.tables import list_tables

    found = list_tables(data_dir=data)
    shown = RichTable()
    for name in found.columns:
        shown.add_column(name, justify="right" if name in {"rows", "bytes"} else "left")
    for row in found.iter_rows():
        shown.add_row(*("" if v is None else f"{v:,}" if isinstance(v, int) else v for v in row))
    console().print(shown)
    return 0


def trace(
    figure: Annotated[
        str | None,
        Parameter(
            help="Id of a figure, as the workbook and the page print it; with --list a page or block."
        ),
    ] = None,
    *,
    data: DataFolder = None,
    edition: Annotated[
        Path | None, Parameter(help="Folder of an edition; the current one when left out.")
    ] = None,
    period: Year = None,
    kind: Annotated[
        Literal["internal", "public"], Parameter(help="Which of the current editions is asked.")
    ] = "internal",
    listed: Annotated[
        bool,
        Parameter(
            name="--list",
            show_default=False,
            help="List the pages, or the figures of the page or block that is named.",
        ),
    ] = False,
    rows: Annotated[
        bool, Parameter(help="One line for each source row.", show_default=False)
    ] = False,
    form: Annotated[
        Literal["table", "csv", "json"],
        Parameter(name="--format", help="For a reader, a spreadsheet, or a program."),
    ] = "table",
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="File to write instead of printing.")
    ] = None,
) -> int:
    """Show what a figure of a report is made of: source files, sheets, rows, what was left out, the steps.

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
            console().print(part, markup=False, soft_wrap=isinstance(part, str))
        return
    if form != "table":
        content = "".join(str(p) for p in parts)
    else:
        screen = Console(width=200, highlight=False, record=True, file=io.StringIO())
        for part in parts:
            screen.print(part, markup=False, soft_wrap=isinstance(part, str))
        content = screen.export_text()
    output.write_text(content, encoding="utf-8-sig" if form == "csv" else "utf-8")
    console().print(f"{output}", markup=False)


def export(
    *,
    form: Annotated[
        list[Literal["csv", "package", "gexf", "graphml", "geojson", "jsonld", "epcis"]] | None,
        Parameter(name="--format", help="Formats, one or more; all when left out."),
    ] = None,
    period: Year = None,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder that gets a folder of exports.")
    ] = Path("exports"),
    data: DataFolder = None,
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
    """Write the tables for other programs: Excel (CSV), Parquet, Gephi, QGIS, linked data, EPCIS.

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
    screen = console()
    screen.print(f"✓ {period} → {made.folder}", markup=False)
    for name, counts in made.manifest["counts"].items():
        told = ", ".join(f"{k} {v}" for k, v in counts.items() if v)
        screen.print(f"  {name}: {told or '✓'}", markup=False, soft_wrap=True)
    return 0
