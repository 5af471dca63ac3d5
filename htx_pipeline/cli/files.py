"""Files that arrive: `htx inspect`, `htx template`, `htx feedback`, `htx inbox`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from htx_pipeline.cli.shared import DataFolder, console
from htx_pipeline.errors import InputError


def inspect(
    file: Annotated[Path, Parameter(help="The spreadsheet; it is only read.")],
    *,
    propose: Annotated[
        str | None,
        Parameter(
            help="Print a source mapping (TOML) that reads it as this table, to be corrected by hand, for example cooperative_reports."
        ),
    ] = None,
) -> int:
    """Show what is understood of a spreadsheet: which rows are headings, data, totals, notes."""
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
    console().print(render_inspection(book))
    return 0


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
    """Write a form to be filled in; it is read back without a source mapping."""
    from htx_pipeline.ingest.template_write import write_template
    from htx_pipeline.storage import read_frame

    organisations = read_frame(org_file) if org_file is not None else None
    made = write_template(
        name, output, period=period, organisations=organisations, rows=rows, money=money, days=days
    )
    console().print(f"✓ {made}", markup=False)
    return 0


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
    """Write a copy of a sender's workbook with its mistakes marked, to be sent back."""
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
    screen = console()
    screen.print(
        f"✗ {counts['critical'] + counts['error']}  ▲ {counts['warning']}  ○ {counts['info']} → {target}",
        markup=False,
    )
    if made.why:
        screen.print(made.why, markup=False)
    return 0


def inbox(
    *,
    inbox: Annotated[
        Path | None, Parameter(help="Folder in which files arrive; HTX_INBOX_DIR when left out.")
    ] = None,
    data: DataFolder = None,
    take: Annotated[
        bool, Parameter(help="Take the files in now, as the sensor would.", show_default=False)
    ] = False,
) -> int:
    """Show what arrived in the inbox, what became of each file and why; new files are looked at, not taken in."""
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
    screen = console()
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
    screen.print(table)
    counts = "; ".join(
        f"{fate}: {n}" for fate, n in rows.group_by("fate").len().sort("fate").iter_rows()
    )
    new = "" if take else "  (* mới, chưa tiếp nhận / new, not taken in: --take)"
    screen.print(
        f"✓ accepted  ✗ quarantined  – ignored   {counts or 'trống / empty'}{new if rows['is_new'].any() else ''}",
        markup=False,
    )
    return 0
