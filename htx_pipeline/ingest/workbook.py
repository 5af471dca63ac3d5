"""One way to any workbook: .xlsx, .xlsm, .xlsb, .xls, .ods, text tables, tables of web pages.

What belongs here: opening a file that `guard` has passed, and listing its sheets. What does not: the cells of
a sheet (`workbook_sheet`), text tables (`workbook_text`), what the rows mean (`layout`), and how text becomes
numbers, dates or Unicode (the mapping reader).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from htx_pipeline.ingest import csv_text
from htx_pipeline.ingest._scan import SheetFacts
from htx_pipeline.ingest.guard import DEFAULT_LIMITS, FileInfo, Limits, check_bytes, read_bytes
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.refusals import refuse
from htx_pipeline.ingest.trial import is_tried
from htx_pipeline.ingest.workbook_sheet import Sheet, Source, Visibility
from htx_pipeline.ingest.workbook_text import csv_notes, csv_sheet, html_sheet

if TYPE_CHECKING:
    import polars as pl

    from htx_pipeline.ingest.grid import Cell


def open_workbook(
    path: str | os.PathLike[str],
    *,
    limits: Limits = DEFAULT_LIMITS,
    encoding: str | None = None,
    separator: str | None = None,
) -> Workbook:
    """Open a workbook or a text table after checking that this is safe.

    Parameters
    ----------
    path:
        The file; never written to.
    limits:
        How much the file may cost.
    encoding, separator:
        For text tables, where the mapping fixes them; otherwise found out.

    Returns
    -------
    Workbook
        With ``info`` and ``sheets`` (a text table is a workbook with one sheet).

    Raises
    ------
    InputError
        The file is unsafe, protected, damaged or no table (codes in `refusals.REFUSAL_CODES`,
        ``undecodable``, ``unknown_encoding``).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("STT;Tên HTX\\n1;Sa Thầy\\n", encoding="utf-8")
    >>> book = open_workbook(path)
    >>> book.sheets[0].cells
    [['STT', 'Tên HTX'], ['1', 'Sa Thầy']]
    """
    content = read_bytes(path, limits=limits)
    return open_bytes(
        content, name=Path(path).name, limits=limits, encoding=encoding, separator=separator
    )


def open_bytes(
    content: bytes,
    *,
    name: str,
    limits: Limits = DEFAULT_LIMITS,
    encoding: str | None = None,
    separator: str | None = None,
) -> Workbook:
    """Do what `open_workbook` does, on bytes already read.

    Examples
    --------
    >>> open_bytes(b"a,b\\n1,2\\n", name="a.csv").sheets[0].n_rows
    2
    """
    info = check_bytes(content, name=name, limits=limits)
    if info.kind == "csv":
        table = csv_text.read_table(
            content, name=name, encoding=encoding, separator=separator, max_cells=limits.max_cells
        )
        return Workbook(info, [csv_sheet(table, Path(name).stem)], csv_notes(table))
    if info.kind == "html":
        return Workbook(info, [html_sheet(content, name, encoding, limits.max_cells)], ())
    source = Source(content, name, limits.max_cells, is_tried_first=is_tried(info))
    by_name = {facts.name: facts for facts in info.sheets}
    sheets: list[Sheet] = []
    for title, visibility in _sheet_list(info, source):
        facts = by_name.get(title) or SheetFacts(title)
        sheets.append(Sheet(title, visibility, facts, source))
    if not sheets:
        raise refuse("damaged", where=name, why="It holds no worksheet.")
    return Workbook(info, sheets, ())


def _sheet_list(info: FileInfo, source: Source) -> list[tuple[str, Visibility]]:
    """Return name and visibility of every worksheet.

    For .xlsx the scan knows them, so that the cell reader need not open the file before cells are
    asked for.
    """
    states: dict[str, Visibility] = {
        "visible": "visible",
        "hidden": "hidden",
        "veryhidden": "very_hidden",
    }
    if info.kind in ("xlsx", "xlsm"):
        return [
            (facts.name, states.get(facts.state.lower(), "visible"))
            for facts in info.sheets
            if facts.is_worksheet
        ]
    return [
        (meta.name, states[str(meta.visible).rsplit(".", 1)[-1].lower()])
        for meta in source.book.sheets_metadata
        if str(meta.typ).endswith("WorkSheet")
    ]


class Workbook:
    """An opened workbook.

    Attributes
    ----------
    info:
        What `guard.check_file` found.
    sheets:
        All worksheets in workbook order, hidden ones too (see ``Sheet.visibility``).
    notes:
        Everything noted about the file so far, the guard's notes first.
    """

    def __init__(self, info: FileInfo, sheets: list[Sheet], notes: Sequence[Note]) -> None:
        self.info = info
        self.sheets = sheets
        self.notes: tuple[Note, ...] = (*info.notes, *notes)

    def sheet(self, name: str) -> Sheet:
        """Return the sheet of this name (surrounding blanks and case do not matter).

        Raises
        ------
        KeyError
            There is none.
        """
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        for sheet in self.sheets:
            if sheet.name.strip().casefold() == name.strip().casefold():
                return sheet
        raise KeyError(name)

    def __repr__(self) -> str:
        """Name, kind and sheets."""
        return f"Workbook({self.info.name!r}, {self.info.kind}, {[s.name for s in self.sheets]})"


def text_series(name: str, values: Sequence[Cell]) -> pl.Series:
    """Return typed cells as a String series (see `Sheet.text_frame`).

    Examples
    --------
    >>> text_series("c1", [1.0, "", "x"]).to_list()
    ['1', None, 'x']
    """
    from htx_pipeline.ingest.grid import Cells

    return Cells.of(list(values)).full_text.alias(name)
