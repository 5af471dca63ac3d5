"""CSV for Excel: a byte-order mark, headings people read, and no cell that Excel would run.

What belongs here: one CSV per table. What does not: the workbook of a report's numbers
(`htx_pipeline.report.workbook`), Parquet for programs (`package`).
"""

from __future__ import annotations

import io
import re
from typing import Final

import polars as pl

from htx_pipeline.exports.base import (
    Exported,
    ExportOptions,
    Frames,
    flat,
    need,
    nfc,
    read_back_wrong,
)
from htx_pipeline.exports.dictionary import file_name, readable, table_keys
from htx_pipeline.ingest.formula_text import safe_text

NEEDS: Final = ("core/organisations",)

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def write_csv(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``csv/<group>-<table>.csv`` for every table of the period.

    Synthetic tables say ``-gia-dinh`` in their name. UTF-8 with a byte-order mark, lines ending in CR LF. Headings are labels with their unit (or column
    names, see `ExportOptions.csv_headings`), coded values their labels; lists are joined with ``;``. A text
    that a spreadsheet would take for a formula begins with an apostrophe; control characters are taken
    out; both are counted. Codes with leading zeros keep them in the file; Excel drops them when a CSV is
    opened by double click: use Data → From Text, or the report's workbook.

    Raises
    ------
    InputError
        A file does not read back.
    """
    need(frames, NEEDS[0])
    files: dict[str, bytes] = {}
    mark = "-gia-dinh" if options.is_synthetic else ""
    disarmed = dropped = 0
    for key in table_keys(frames):
        shown, n_disarmed, n_dropped = _shown(key, frames[key], options)
        disarmed, dropped = disarmed + n_disarmed, dropped + n_dropped
        name = f"csv/{file_name(key)}{mark}.csv"
        files[name] = _csv(shown, options, name)
    counts = {"tables": len(files), "disarmed_cells": disarmed, "dropped_characters": dropped}
    return Exported(files, counts)


def _shown(key: str, frame: pl.DataFrame, options: ExportOptions) -> tuple[pl.DataFrame, int, int]:
    """Return a table as people read it, the number of cells disarmed and of characters dropped."""
    language = options.csv_headings
    words = frame if language == "columns" else readable(frame, key, language=language)
    columns: list[pl.Series] = []
    disarmed = dropped = 0
    for name, dtype in words.schema.items():
        column = words[name]
        if dtype.is_nested():
            column = pl.Series(name, [flat(v) for v in column.to_list()], dtype=pl.String)
        if column.dtype == pl.String:
            text = column.to_list()
            kept = [None if v is None else _CONTROL.sub("", nfc(v)) for v in text]
            dropped += sum(len(_CONTROL.findall(v)) for v in text if v)
            safe = safe_text(pl.Series(name, kept, dtype=pl.String))
            disarmed += int((safe != pl.Series(kept, dtype=pl.String)).sum())
            column = safe
        columns.append(column)
    return pl.DataFrame(columns), disarmed, dropped


def _csv(frame: pl.DataFrame, options: ExportOptions, name: str) -> bytes:
    comma = options.csv_decimal == "comma"
    separator = ";" if comma else ","
    stream = io.BytesIO()
    frame.write_csv(
        stream, include_bom=True, separator=separator, decimal_comma=comma, line_terminator="\r\n",
        quote_style="non_numeric" if comma else "necessary",
    )  # fmt: skip
    data = stream.getvalue()
    read = pl.read_csv(
        io.BytesIO(data[3:]), separator=separator, decimal_comma=comma, schema=frame.schema,
    ) if frame.height else frame  # fmt: skip
    if not read.equals(frame):
        raise read_back_wrong(name, "the cells differ")
    return data
