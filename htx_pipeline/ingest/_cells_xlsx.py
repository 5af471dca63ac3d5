"""A large .xlsx sheet straight into arrays, or not at all.

What belongs here: preparing the parts of the container for the compiled loops (`_cells_kernel`), and
turning what they return into a `Grid`. What does not: deciding whether the file is safe (`guard`, whose
scan asks for the cells first: what it must know about a sheet falls out of the same pass), and every
other way to write a sheet (calamine reads those).

Which styles are dates is not decided here: calamine is asked, with a workbook of one row in which each
style stands once. So both ways agree; tests hold them against each other cell by cell.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import polars as pl

from htx_pipeline.ingest._scan import Range, a1, column_number
from htx_pipeline.ingest.grid import DATE, DURATION, EMPTY, NUMBER, TEXT, Grid

PADDING: Final = b"\0" * 64
"""What the loops need behind the XML, so that they can look ahead."""
_PIECE: Final = 1 << 20
_POWERS: Final = np.array([10.0**n for n in range(23)])
_STYLE_LIMIT: Final = 16_000
_HARD: Final = 7
_FORMULA, _ERROR, _HIDDEN = 1, 2, 4
_MAX_ROW: Final = 1_048_576
_MAX_COL: Final = 16_384
_LEAST_CELL: Final = 8
"""Fewer bytes than a cell with a value takes: a sheet that claims more cells is mostly empty."""
_DIMENSION: Final = re.compile(rb'<dimension ref="(?:[A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})"')
_OTHER_ENCODING: Final = re.compile(rb"^[^>]*encoding=[\"'](?![uU][tT][fF]-?8[\"'])")


@dataclass(frozen=True)
class Reading:
    """The cells of a sheet and what the same pass learnt about it.

    ``rows`` and ``cols`` say how far the cells reach.
    """

    grid: Grid
    merged: tuple[Range, ...]
    rows: int
    cols: int
    has_formulas: bool
    has_errors: bool
    has_hidden: bool


class Shared:
    """What the sheets of a workbook share, each made once and only when a sheet is read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.lower(): name for name in archive.namelist()}

    @cached_property
    def is_1904(self) -> bool:
        """Whether days may be counted from 1904; also where nothing says how."""
        book = self._names.get("xl/workbook.xml")
        return book is None or b"date1904" in self._archive.read(book)

    @cached_property
    def strings(self) -> pl.Series | None:
        """The shared strings; None where they are not plainly written."""
        return _shared_strings(self._archive, self._names.get("xl/sharedstrings.xml"))

    @cached_property
    def styles(self) -> npt.NDArray[np.int8] | None:
        """For each cell style whether its numbers are numbers, dates or durations."""
        return _styles(self._archive, self._names.get("xl/styles.xml"))


def padded(archive: zipfile.ZipFile, part: str) -> bytes:
    """Return a part of the container with `PADDING` behind it."""
    pieces = []
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
    return b"".join([*pieces, PADDING])


def read_cells(content: bytes, shared: Shared, *, max_cells: int) -> Reading | None:
    """Return the cells of a sheet, or None where it is not written as the loops expect.

    Parameters
    ----------
    content:
        The sheet's XML as `padded` returns it.
    shared:
        The strings and styles of its workbook.
    max_cells:
        No more room than for so many cells is taken.
    """
    begin = content.find(b"<sheetData>")
    head = content[: max(begin, 0)]
    if begin < 0 or b"\0" in head or b"<!" in head or _OTHER_ENCODING.match(head[:200]):
        return None
    if shared.is_1904 or shared.styles is None or shared.strings is None:
        return None
    most = min(max_cells, len(content) // _LEAST_CELL)
    start = begin + len(b"<sheetData>")
    xml = np.frombuffer(content, dtype=np.uint8)
    stated = _DIMENSION.search(head[:4096])
    found = None
    if stated:
        rows, cols = int(stated[2]), column_number(stated[1].decode())
        found = _fill(xml, start, (rows, cols), shared.styles, shared.strings, most=most)
    if found is None and (extent := _measured(xml, start, shared.styles, shared.strings)):
        found = _fill(xml, start, extent, shared.styles, shared.strings, most=most)
    if found is None:
        return None
    grid, met = found
    return Reading(
        grid=grid,
        merged=_merged(content),
        rows=grid.n_rows,
        cols=grid.n_cols,
        has_formulas=bool(met & _FORMULA),
        has_errors=bool(met & _ERROR),
        has_hidden=bool(met & _HIDDEN) or b'hidden="' in head,
    )


def _measured(
    xml: npt.NDArray[np.uint8], start: int, styles: npt.NDArray[np.int8], strings: pl.Series
) -> tuple[int, int] | None:
    """Return the last row and column with content; None when the sheet is not plainly written."""
    from htx_pipeline.ingest import _cells_kernel as kernel

    out = np.zeros(4, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    code = kernel.read_cells(
        xml, start, 0, 0, len(strings), styles, _POWERS, np.empty(0, dtype=np.int8),
        np.empty(0, dtype=np.float64), nothing, nothing.copy(), out,
    )  # fmt: skip
    return (int(out[1]), int(out[2])) if code == 0 else None


def _fill(
    xml: npt.NDArray[np.uint8],
    begin: int,
    extent: tuple[int, int],
    styles: npt.NDArray[np.int8],
    strings: pl.Series,
    *,
    most: int,
) -> tuple[Grid, int] | None:
    """Return the cells within *extent*, and what was met; None where one lies outside."""
    from htx_pipeline.ingest import _cells_kernel as kernel

    n_rows, n_cols = extent
    size = n_rows * n_cols
    if not 0 < size <= most or n_rows > _MAX_ROW or n_cols > _MAX_COL:
        return None
    kinds = np.zeros(size, dtype=np.int8)
    values = np.zeros(size, dtype=np.float64)
    out = np.zeros(4, dtype=np.int64)
    for room in (max(1024, size // 8), size):
        start, length = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        kinds[:] = EMPTY
        code = kernel.read_cells(
            xml, begin, n_rows, n_cols, len(strings), styles, _POWERS, kinds, values, start, length, out,
        )  # fmt: skip
        if code != -1:
            break
    if code != 0:
        return None
    pieces = _gathered(xml, start, length, int(out[0]))
    if pieces is None:
        return None
    hard = np.flatnonzero(kinds == _HARD)
    if len(hard):
        numbers = pieces.gather(values[hard].astype(np.int64)).cast(pl.Float64, strict=False)
        if numbers.null_count():
            return None
        kinds[hard] = NUMBER
        values[hard] = numbers.to_numpy()
    rows, cols = int(out[1]), int(out[2])
    shape = (n_cols, n_rows)
    grid_kinds = kinds.reshape(shape)[:cols, :rows]
    grid_values = values.reshape(shape)[:cols, :rows]
    every = pl.concat([strings, pieces]) if len(pieces) else strings
    blank = (every == "").arg_true().to_numpy()
    if len(blank):
        is_blank = (grid_kinds == TEXT) & np.isin(grid_values, blank)
        grid_kinds[is_blank] = EMPTY
    return Grid(grid_kinds, grid_values, every), int(out[3])


_MERGED: Final = re.compile(
    rb'<mergeCell\b[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)


def _merged(content: bytes) -> tuple[Range, ...]:
    """Return the merged ranges; they are listed after the cells."""
    return tuple(
        (int(r1), column_number(c1.decode()), int(r2), column_number(c2.decode()))
        for c1, r1, c2, r2 in _MERGED.findall(content, max(content.rfind(b"</sheetData>"), 0))
    )


def _gathered(
    xml: npt.NDArray[np.uint8],
    start: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64],
    count: int,
) -> pl.Series | None:
    """Return the texts at these places; None where one holds an unusual escape."""
    from htx_pipeline.ingest import _cells_kernel as kernel

    if not count:
        return pl.Series("strings", [], dtype=pl.String)
    buffer = np.empty(int(length[:count].sum()) + count, dtype=np.uint8)
    size = kernel.gather_pieces(xml, start, length, count, buffer)
    if size < 0:
        return None
    whole = pl.Series("strings", [buffer[: size - 1].tobytes()], dtype=pl.Binary)
    try:
        return whole.cast(pl.String).str.split("\0").explode()
    except pl.exceptions.PolarsError:  # not UTF-8
        return None


def _shared_strings(archive: zipfile.ZipFile, part: str | None) -> pl.Series | None:
    from htx_pipeline.ingest import _cells_kernel as kernel

    if part is None:
        return pl.Series("strings", [], dtype=pl.String)
    content = padded(archive, part)
    begin = content.find(b"<si>")
    if begin < 0:
        return None if b"<si" in content else pl.Series("strings", [], dtype=pl.String)
    xml = np.frombuffer(content, dtype=np.uint8)
    room = content.count(b"<si") + 1
    start, length = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    count = kernel.find_strings(xml, begin, start, length)
    if count < 0:
        return None
    rich = np.flatnonzero(length[:count] < 0)
    texts = []
    for at in rich:
        text = _rich_text(content[start[at] : start[at] - length[at]])
        if text is None:
            return None
        texts.append(text)
    length[rich] = 0
    strings = _gathered(xml, start, length, count)
    if strings is None or not len(rich):
        return strings
    return strings.scatter(rich, texts)


def _rich_text(item: bytes) -> str | None:
    """Return the text of a string in several fonts; None where calamine may see it differently."""
    if b"<rPh" in item or b"\r" in item or b"_x" in item or b"<r>" not in item:
        return None
    try:
        root = ET.fromstring(item)  # noqa: S314  (the guard refuses declarations)
    except ET.ParseError:
        return None
    text = "".join(t.text or "" for t in root.iter("t"))
    return text or None


def _styles(archive: zipfile.ZipFile, part: str | None) -> npt.NDArray[np.int8] | None:
    """Return for each cell style whether its numbers are numbers, dates or durations."""
    if part is None:
        return np.full(1, NUMBER, dtype=np.int8)
    content = archive.read(part)
    found = re.search(rb"<cellXfs\b[^>]*>(.*?)</cellXfs>", content, re.DOTALL)
    count = len(re.findall(rb"<xf\b", found[1])) if found else 0
    if not 0 < count <= _STYLE_LIMIT:
        return None
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(_one_row(content, count)))
        row: list[Any] = book.get_sheet_by_index(0).to_python()[0]
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001  (a panic of the Rust reader is no Exception)
        return None
    if len(row) != count:
        return None
    kinds = {"float": NUMBER, "date": DATE, "timedelta": DURATION}
    named = [kinds.get(type(value).__name__, EMPTY) for value in row]
    return np.array(named, dtype=np.int8) if EMPTY not in named else None


_ROOT: Final = "http://schemas.openxmlformats.org"
_MAIN: Final = f'xmlns="{_ROOT}/spreadsheetml/2006/main"'
_OFFICE: Final = f"{_ROOT}/officeDocument/2006/relationships"


def _one_row(styles: bytes, count: int) -> bytes:
    """Return a workbook whose first row has the number 45000 once in each style."""
    cells = "".join(f'<c r="{a1(1, n + 1)}" s="{n}"><v>45000</v></c>' for n in range(count))
    relation = '<Relationship Id="{0}" Type="{1}/{2}" Target="{3}"/>'
    package = f'<Relationships xmlns="{_ROOT}/package/2006/relationships">{{}}</Relationships>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_ROOT}/package/2006/content-types"/>',
        "_rels/.rels": package.format(
            relation.format("r1", _OFFICE, "officeDocument", "xl/workbook.xml")
        ),
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": package.format(
            relation.format("r1", _OFFICE, "worksheet", "worksheets/sheet1.xml")
            + relation.format("r2", _OFFICE, "styles", "styles.xml")
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet {_MAIN}><sheetData><row r="1">{cells}</row>'
        "</sheetData></worksheet>",
        posixpath.join("xl", "styles.xml"): styles,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()
