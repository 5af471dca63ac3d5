"""Bytes: the sample's workbooks and text files, the same for the same seed.

What belongs here: rendering laid-out sheets and listing what was written. What does not: layout
(`forms`) and mistakes (`mess`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.sample.facts import KNOWN_PERIODS, SYNTHETIC_LABEL
from htx_pipeline.sample.forms import Cell, Field, Sheet, sheets
from htx_pipeline.sample.legacy import to_cp1258, to_tcvn3
from htx_pipeline.sample.mess import ledger, spoil
from htx_pipeline.sample.province import SampleProvince, generate

FILE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "file": pl.String(),
    "period": pl.String(),
    "table": pl.String(),
    "n_sheets": pl.Int64(),
    "n_rows": pl.Int64(),
    "bytes": pl.Int64(),
    "sha256": pl.String(),
    "is_synthetic": pl.Boolean(),
}
"""Columns of the list of files written."""

_CREATED: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
_GROUPED: Final = frozenset({"money", "mass"})


@dataclass(frozen=True)
class SampleManifest:
    """What `write_sample` wrote.

    Attributes
    ----------
    out:
        The folder.
    files:
        One row per file (`FILE_SCHEMA`), also written as ``manifest.csv``.
    mess:
        The ledger of deliberate mistakes (`htx_pipeline.sample.MESS_SCHEMA`), also ``mess.csv``.
    province:
        The truth.
    """

    out: Path
    files: pl.DataFrame
    mess: pl.DataFrame
    province: SampleProvince


def write_sample(
    out: Path,
    *,
    seed: int = 20,
    periods: Sequence[str] = KNOWN_PERIODS,
    n_cooperatives: int = 240,
    n_enterprises: int = 150,
    n_linkages: int = 1_500,
    mess_share: float = 0.03,
) -> SampleManifest:
    """Write what the synthetic province would send: one folder per year, and the ledger of mess.

    Parameters
    ----------
    out:
        Folder to write into; made where it is missing. Files of the same name are replaced.
    seed, periods, n_cooperatives, n_enterprises, n_linkages:
        As in `generate`.
    mess_share:
        Share of the rows of registers, reports, linkages, trainings and commendations that hold a
        deliberate mistake; 0 writes the truth.

    Raises
    ------
    InputError
        *out* is a file, a share outside 0..0.5, or an argument `generate` refuses.

    Examples
    --------
    >>> import tempfile
    >>> made = write_sample(Path(tempfile.mkdtemp()), periods=("2023",))
    >>> made.files["file"][-1], made.mess.is_empty()
    ('2023/nhiem-vu.xlsx', False)
    """
    if not 0 <= mess_share <= 0.5:
        raise InputError(
            "The share of rows with mistakes is out of range.", where=f"mess_share={mess_share}",
            remedy="Use a share from 0 to 0.5, for example 0.03.", code="sample_mess_share",
        )  # fmt: skip
    if out.exists() and not out.is_dir():
        raise InputError(
            "The sample cannot be written: the path is a file.", where=str(out),
            remedy="Name a folder.", code="sample_out",
        )  # fmt: skip
    province = generate(
        seed=seed,
        periods=periods,
        n_cooperatives=n_cooperatives,
        n_enterprises=n_enterprises,
        n_linkages=n_linkages,
    )
    laid_out = sheets(province)
    for sheet in laid_out:
        sheet.compute_totals()
        if mess_share == 0:
            sheet.fonts = {}
    entries = spoil(laid_out, seed=seed, share=mess_share)
    by_file: dict[str, list[Sheet]] = {}
    for sheet in laid_out:
        by_file.setdefault(sheet.file, []).append(sheet)
    records = []
    for name, parts in sorted(by_file.items()):
        content = _workbook(parts) if parts[0].encoding == "xlsx" else _text(parts[0])
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        records.append(
            {
                "file": name, "period": parts[0].period, "table": parts[0].table, "n_sheets": len(parts),
                "n_rows": sum(len(s.rows) for s in parts), "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(), "is_synthetic": True,
            }
        )  # fmt: skip
    files = pl.DataFrame(records, schema=FILE_SCHEMA)
    mess = ledger(entries)
    (out / "manifest.csv").write_bytes(files.write_csv().encode())
    (out / "mess.csv").write_bytes(mess.write_csv(include_bom=True).encode())
    return SampleManifest(out=out, files=files, mess=mess, province=province)


# --- workbooks -------------------------------------------------------------------------------------


class _Formats:
    """The cell formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def get(self, **what: Any) -> Any:
        key = tuple(sorted(what.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format(what)
        return self.made[key]


def _workbook(parts: list[Sheet]) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties(
        {"title": SYNTHETIC_LABEL, "author": "htx_pipeline sample", "created": _CREATED}
    )
    formats = _Formats(book)
    for sheet in parts:
        _sheet(book.add_worksheet(sheet.name), sheet, formats)
    book.close()
    return buffer.getvalue()


def _number_format(field: Field) -> str:
    if field.kind in _GROUPED or field.kind == "int":
        return "#,##0.###" if field.divisor >= 1_000_000_000 else "#,##0"
    return "General"


def _put(
    page: Any, at: tuple[int, int], value: Cell, field: Field, formats: _Formats, **style: Any
) -> None:
    """Write one cell (0-based); text is always text, also when it looks like a formula."""
    if value is None:
        page.write_blank(*at, None, formats.get(border=1, **style))
    elif isinstance(value, str):
        page.write_string(*at, value, formats.get(border=1, **style))
    elif isinstance(value, dt.date):
        page.write_datetime(*at, value, formats.get(border=1, num_format="dd/mm/yyyy", **style))
    else:
        page.write_number(
            *at, value, formats.get(border=1, num_format=_number_format(field), **style)
        )


def _sheet(page: Any, sheet: Sheet, formats: _Formats) -> None:
    last = len(sheet.fields) - 1
    page.write_string(0, 0, SYNTHETIC_LABEL, formats.get(bold=True, font_color="#B00000"))
    for i, title in enumerate(sheet.titles, 1):
        page.merge_range(i, 0, i, last, title, formats.get(bold=True, align="center"))
    if sheet.unit_line:
        page.write_string(
            sheet.header_row - 2, max(0, last - 3), sheet.unit_line, formats.get(italic=True)
        )
    _headings(page, sheet, formats)
    for col, field in enumerate(sheet.fields):
        page.set_column(col, col, field.width)
    first = sheet.first_data_row - 1
    _data(page, sheet, first, formats)
    if sheet.merge_key is not None:
        _merged(page, sheet, first, formats)
    end = first + len(sheet.rows)
    if sheet.has_total:
        page.write_string(end, 1, "Tổng cộng", formats.get(border=1, bold=True))
        for col, field in enumerate(sheet.fields):
            if field.key in sheet.totals:
                _put(page, (end, col), sheet.totals[field.key], field, formats, bold=True)
        end += 1
    for i, line in enumerate(sheet.closing):
        page.write_string(end + 1 + i, 1, line, formats.get(italic=True))
    page.freeze_panes(first, 2)


def _data(page: Any, sheet: Sheet, first: int, formats: _Formats) -> None:
    for i, row in enumerate(sheet.rows):
        for col, field in enumerate(sheet.fields):
            value = row.cells.get(field.key)
            font = sheet.fonts.get(field.key)
            if field.key == sheet.merge_key:
                continue
            if font is not None and isinstance(value, str):
                _put(page, (first + i, col), to_tcvn3(value), field, formats, font_name=font)
            else:
                _put(page, (first + i, col), value, field, formats)


def _headings(page: Any, sheet: Sheet, formats: _Formats) -> None:
    style = formats.get(border=1, bold=True, align="center", valign="vcenter", text_wrap=True)
    top, depth = sheet.header_row - 1, sheet.depth
    col = 0
    while col < len(sheet.fields):
        heading = sheet.fields[col].heading
        if len(heading) == 1:
            if depth > 1:
                page.merge_range(top, col, top + depth - 1, col, heading[0], style)
            else:
                page.write_string(top, col, heading[0], style)
            col += 1
            continue
        end = col
        while (
            end + 1 < len(sheet.fields)
            and len(sheet.fields[end + 1].heading) > 1
            and sheet.fields[end + 1].heading[0] == heading[0]
        ):
            end += 1
        if end > col:
            page.merge_range(top, col, top, end, heading[0], style)
        else:
            page.write_string(top, col, heading[0], style)
        for c in range(col, end + 1):
            page.write_string(top + 1, c, sheet.fields[c].heading[1], style)
        col = end + 1
    if sheet.has_index_row:
        for c in range(len(sheet.fields)):
            page.write_string(top + depth, c, f"({c + 1})", style)


def _merged(page: Any, sheet: Sheet, first: int, formats: _Formats) -> None:
    """Write the column of the merge key, one merged cell per run of equal values."""
    key = sheet.merge_key
    assert key is not None
    col = sheet.column_of(key) - 1
    field = sheet.fields[col]
    start = 0
    for i in range(1, len(sheet.rows) + 1):
        value = sheet.rows[start].cells.get(key)
        if i < len(sheet.rows) and sheet.rows[i].cells.get(key) == value:
            continue
        if i - start > 1:
            page.merge_range(
                first + start,
                col,
                first + i - 1,
                col,
                value,
                formats.get(border=1, valign="vcenter"),
            )
        else:
            _put(page, (first + start, col), value, field, formats)
        start = i


# --- text files ------------------------------------------------------------------------------------


def _text_cell(value: Cell, field: Field) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, int) and field.kind in _GROUPED:
        return f"{value:,}".replace(",", ".")
    if isinstance(value, float):
        text = f"{value:,.6f}".rstrip("0").rstrip(".") if field.kind in _GROUPED else repr(value)
        return text.translate(str.maketrans(",.", ".,"))
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ';"\n') else text


def _text(sheet: Sheet) -> bytes:
    lines = [SYNTHETIC_LABEL + ";" * (len(sheet.fields) - 1)]
    lines.append(";".join(f.heading[-1] for f in sheet.fields))
    lines += [";".join(_text_cell(r.cells.get(f.key), f) for f in sheet.fields) for r in sheet.rows]
    if sheet.has_total:
        cells = [_text_cell(sheet.totals.get(f.key), f) for f in sheet.fields]
        lines.append(";".join(["", "Tổng cộng", *cells[2:]]))
    text = "\r\n".join(lines) + "\r\n"
    return to_cp1258(text) if sheet.encoding == "cp1258" else text.encode(sheet.encoding)
