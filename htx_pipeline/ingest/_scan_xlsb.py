"""Safety scan of .xlsb: the records of a binary workbook in its zip container.

What belongs here: how far the cells reach, hidden rows and columns, merged ranges, formulas and error
cells, links. What does not: cell values (`workbook` reads them, after a trial in a process of its own),
and what a formula says: its tokens are not taken apart, only its stored value is read.

Source: Microsoft Open Specification [MS-XLSB].
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from typing import Final

from htx_pipeline.ingest._scan import MAX_LISTED, Range, SheetFacts, Unsafe
from htx_pipeline.ingest._scan_xls import ERRORS
from htx_pipeline.ingest._scan_xlsx import Found, relations, small_part, stream_checked

_MAX_ROW: Final = 1_048_576
_MAX_COL: Final = 16_384
_ROW, _BLANK, _ERROR, _FORMULA_ERROR = 0, 1, 3, 11
_FORMULAS: Final = frozenset({8, 9, 10, 11})
_VALUES: Final = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 62})
"""Records of cells that hold something; a blank one has a format alone."""
_SHEET, _STRINGS, _COLUMNS, _MERGED, _LINK = 156, 159, 60, 176, 360
_STATES: Final = ("visible", "hidden", "veryHidden")
_DDE: Final = 1


def scan(archive: zipfile.ZipFile, *, max_cells: int) -> Found:
    """Go through every record once; raise `Unsafe` at the first reason to refuse the file."""
    names = {name.lower(): name for name in archive.namelist()}
    rels = names.get("xl/_rels/workbook.bin.rels")
    if rels is None or "xl/workbook.xml" in names:
        raise Unsafe("damaged", why="The list of sheets is missing, or there are two.")
    links = [n for n in names if n.startswith("xl/externallinks/") and n.endswith(".bin")]
    found = Found(
        has_macros=any(name.endswith("vbaproject.bin") for name in names),
        external_links=len(links),
    )
    for lower, name in names.items():
        if lower.endswith((".xml", ".rels", ".vml")):
            stream_checked(archive, name)
    targets = relations(small_part(archive, rels))
    try:
        _check_strings(archive, names.get("xl/sharedstrings.bin"))
        for title, relation, state in _sheets(small_part(archive, names["xl/workbook.bin"])):
            target, kind = targets.get(relation, ("", ""))
            facts = SheetFacts(title, is_worksheet=kind.endswith("/worksheet"), state=state)
            found.sheets.append(facts)
            part = names.get(target.lower())
            if part is not None and facts.is_worksheet:
                _scan_sheet(archive.read(part), facts, max_cells=max_cells)
        found.dde_links = sum(_is_dde(small_part(archive, names[link])) for link in links)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise Unsafe("damaged", why=f"{error}") from None
    return found


def _records(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and end of each record; a record that reaches beyond the part is damage."""
    at, end = 0, len(content)
    while at < end:
        kind = content[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | ((content[at] & 0x7F) << 7)
            at += 1
        size = shift = 0
        while True:
            byte = content[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift > 21:
                break
        if at + size > end:
            raise Unsafe("damaged", why="A record reaches beyond its part.")
        if size < _LEAST.get(kind, 0):
            raise Unsafe("damaged", why="A record is cut off.")
        yield kind, at, at + size
        at += size


_LEAST: Final = dict.fromkeys(_VALUES, 8) | {
    _ROW: 4, _ERROR: 9, _FORMULA_ERROR: 9, _COLUMNS: 18, _MERGED: 16, _SHEET: 16, _STRINGS: 8, _LINK: 2,
}  # fmt: skip
"""Bytes a record holds at least, of the kinds that are looked into."""


def _text(content: bytes, at: int, end: int) -> tuple[str, int]:
    """Return a counted text and where it ends."""
    (count,) = struct.unpack_from("<I", content, at)
    stop = at + 4 + 2 * count
    if stop > end:
        raise Unsafe("damaged", why="A text reaches beyond its record.")
    return content[at + 4 : stop].decode("utf-16-le"), stop


def _sheets(content: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield name, relation id and state of every sheet."""
    for kind, start, end in _records(content):
        if kind == _SHEET:
            (state,) = struct.unpack_from("<I", content, start)
            relation, at = _text(content, start + 8, end)
            title, _ = _text(content, at, end)
            yield title, relation, _STATES[min(state, 2)]


def _check_strings(archive: zipfile.ZipFile, part: str | None) -> None:
    if part is None:
        return
    content = archive.read(part)
    for kind, start, _ in _records(content):
        if kind == _STRINGS and struct.unpack_from("<I", content, start + 4)[0] > len(content):
            # The cell reader sets memory aside for as many as the part says it holds.
            raise Unsafe("damaged", why="It says that it holds more texts than it could.")
        break


def _is_dde(content: bytes) -> bool:
    return any(
        kind == _LINK and struct.unpack_from("<H", content, start)[0] == _DDE
        for kind, start, _ in _records(content)
    )


def _scan_sheet(content: bytes, facts: SheetFacts, *, max_cells: int) -> None:
    row = 0
    hidden_rows: set[int] = set()
    hidden_cols: set[int] = set()
    merged: list[Range] = []
    for kind, start, end in _records(content):
        if kind in _VALUES:
            (col,) = struct.unpack_from("<I", content, start)
            facts.rows, facts.cols = max(facts.rows, row), max(facts.cols, col + 1)
            if row > _MAX_ROW or col >= _MAX_COL or facts.rows * facts.cols > max_cells:
                raise Unsafe(
                    "sheet_too_large",
                    where=facts.name,
                    why=f"{facts.rows:,} rows x {facts.cols:,} columns; the limit is {max_cells:,} cells.",
                )
            facts.has_formulas = facts.has_formulas or kind in _FORMULAS
            if kind in (_ERROR, _FORMULA_ERROR) and len(facts.errors) < MAX_LISTED:
                facts.errors[row, col + 1] = ERRORS.get(content[start + 8], "#ERROR")
        elif kind == _ROW:
            row = struct.unpack_from("<I", content, start)[0] + 1
            if end - start > 11 and content[start + 11] & 0x10:
                hidden_rows.add(row)
        elif kind == _COLUMNS:
            first, last = struct.unpack_from("<II", content, start)
            if content[start + 16] & 1:
                hidden_cols.update(range(first + 1, min(last + 1, _MAX_COL) + 1))
        elif kind == _MERGED:
            top, bottom, left, right = struct.unpack_from("<IIII", content, start)
            merged.append((top + 1, left + 1, bottom + 1, right + 1))
    facts.hidden_rows, facts.hidden_cols = frozenset(hidden_rows), frozenset(hidden_cols)
    facts.merged = tuple(merged)
