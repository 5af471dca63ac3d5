"""Safety scan of .ods: one streaming pass over ``content.xml``.

What belongs here: how far the cells reach once repeated rows and columns are unrolled, hidden rows
and columns, merged cells, formulas. What does not: cell values.
"""

from __future__ import annotations

import zipfile
from typing import Any, Final
from xml.parsers import expat

from htx_pipeline.ingest._scan import MAX_LISTED, PROGRAM, Range, SheetFacts, Unsafe, column_letters

_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_MAX_ROW: Final = 1_048_576
_MAX_COL: Final = 16_384
_CHUNK: Final = 1 << 20


def scan(archive: zipfile.ZipFile, *, max_cells: int) -> list[SheetFacts]:
    """Return the facts of every table; raise `Unsafe` at the first reason to refuse the file."""
    if "META-INF/manifest.xml" in archive.namelist():
        manifest = archive.read("META-INF/manifest.xml")[: 4 << 20]
        if b"encryption-data" in manifest:
            raise Unsafe("encrypted")
    for name in archive.namelist():
        if name.endswith(".xml") and name != "content.xml":
            with archive.open(name) as stream:
                head = stream.read(_CHUNK)
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                raise Unsafe("xml_dtd", why=f"In {name}.")
    reader = _Reader(max_cells)
    parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.doctype
    try:
        with archive.open("content.xml") as stream:
            while piece := stream.read(_CHUNK):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unsafe("damaged", why=f"XML: {error}") from None
    return reader.sheets


class _Reader:
    def __init__(self, max_cells: int) -> None:
        self.max_cells = max_cells
        self.sheets: list[SheetFacts] = []
        self.row = self.col = self.column = 0
        self.row_repeat = 1
        self.hidden_rows: set[int] = set()
        self.hidden_cols: set[int] = set()
        self.merged: list[Range] = []
        self.row_has_content = False
        self.depth = 0

    def doctype(self, *_: Any) -> None:
        raise Unsafe("xml_dtd", why="In content.xml.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not tag.startswith(_TABLE):
            return
        local = tag[len(_TABLE) :]
        if local == "table":
            self.depth += 1
            if self.depth == 1:
                self.sheets.append(SheetFacts(attributes.get(_TABLE + "name", "")))
                self.row = self.column = 0
                self.hidden_rows, self.hidden_cols, self.merged = set(), set(), []
        elif self.depth != 1:
            return
        elif local == "table-column":
            repeat = self._repeat(attributes, "number-columns-repeated")
            if attributes.get(_TABLE + "visibility") in ("collapse", "filter"):
                self.hidden_cols.update(
                    range(self.column + 1, min(self.column + repeat, _MAX_COL) + 1)
                )
            self.column += repeat
        elif local == "table-row":
            self.row_repeat = self._repeat(attributes, "number-rows-repeated")
            self.col = 0
            self.row_has_content = False
            if attributes.get(_TABLE + "visibility") in ("collapse", "filter"):
                self.hidden_rows.update(
                    range(self.row + 1, min(self.row + self.row_repeat, self.row + 100_000) + 1)
                )
            if self.row + self.row_repeat > _MAX_ROW + 1:
                self._too_large(self.row + self.row_repeat, 1)
        elif local in ("table-cell", "covered-table-cell"):
            self._cell(attributes)

    def _cell(self, attributes: dict[str, str]) -> None:
        repeat = self._repeat(attributes, "number-columns-repeated")
        sheet = self.sheets[-1]
        if self.col + repeat > _MAX_COL:
            self._too_large(self.row + 1, self.col + repeat)
        formula = attributes.get(_TABLE + "formula")
        if formula is not None:
            sheet.has_formulas = True
            if PROGRAM.search(formula) and len(sheet.programs) < MAX_LISTED:
                sheet.programs.append((self.row + 1, self.col + 1, formula))
            if _OFFICE + "value-type" not in attributes:
                sheet.n_formulas_without_value += 1
                if len(sheet.formulas_without_value) < MAX_LISTED:
                    sheet.formulas_without_value.append((self.row + 1, self.col + 1))
        across = self._repeat(attributes, "number-columns-spanned")
        down = self._repeat(attributes, "number-rows-spanned")
        if (across > 1 or down > 1) and len(self.merged) < 100_000:
            self.merged.append((self.row + 1, self.col + 1, self.row + down, self.col + across))
        if _OFFICE + "value-type" in attributes or formula is not None:
            self.row_has_content = True
            rows = max(sheet.rows, self.row + self.row_repeat)
            cols = max(sheet.cols, self.col + repeat)
            if rows * cols > self.max_cells:
                self._too_large(rows, cols)
            sheet.rows, sheet.cols = rows, cols
        self.col += repeat

    def end(self, tag: str) -> None:
        if tag == _TABLE + "table":
            self.depth -= 1
            if self.depth == 0:
                sheet = self.sheets[-1]
                sheet.hidden_rows = frozenset(r for r in self.hidden_rows if r <= sheet.rows)
                sheet.hidden_cols = frozenset(c for c in self.hidden_cols if c <= sheet.cols)
                sheet.merged = tuple(self.merged)
        elif tag == _TABLE + "table-row" and self.depth == 1:
            self.row += self.row_repeat

    def _repeat(self, attributes: dict[str, str], name: str) -> int:
        text = attributes.get(_TABLE + name, "1")
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
            raise Unsafe("damaged", why=f"{name} is {text[:40]!r}.")
        return int(text)

    def _too_large(self, rows: int, cols: int) -> None:
        raise Unsafe(
            "sheet_too_large",
            where=self.sheets[-1].name if self.sheets else "",
            why=f"Its cells reach to {column_letters(cols)}{rows}.",
        )
