"""Web pages saved under a workbook's name (.xls from many web systems): their tables as rows of text.

What belongs here: taking the cells of `<table>` apart, merged cells included, within limits. What does
not: decoding the bytes (`csv_text`), anything a browser would do: nothing is fetched or run, scripts and
styles are dropped, and there are no entities of a document's own in HTML.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_SPAN_LIMIT: Final = 1_000
_DROPPED: Final = frozenset({"script", "style", "title", "xml", "noscript", "template"})
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]{3,20})", re.IGNORECASE)


class TooManyCells(ValueError):  # noqa: N818
    """The tables hold more cells than allowed."""


def stated_charset(content: bytes) -> str | None:
    """Return the charset the page states near its beginning, or None.

    Examples
    --------
    >>> stated_charset(b'<meta charset="utf-8">')
    'utf-8'
    """
    found = _CHARSET.search(content[:4096])
    return found[1].decode().lower() if found else None


def table_rows(text: str, *, max_cells: int) -> list[list[str]]:
    """Return the rows of all tables of a page, an empty row between two tables.

    A cell merged over columns or rows has its text in its first place only, as in a workbook. A table
    inside a cell belongs to the cell's text.

    Raises
    ------
    TooManyCells
        Above *max_cells*.

    Examples
    --------
    >>> table_rows("<table><tr><th colspan=2>Kết quả</th></tr><tr><td>A<td>5</table>", max_cells=100)
    [['Kết quả', ''], ['A', '5']]
    """
    parser = _Tables(max_cells)
    parser.feed(text)
    parser.close()
    parser.end_table()
    width = max(map(len, parser.rows), default=0)
    return [[*row, *[""] * (width - len(row))] for row in parser.rows]


class _Tables(HTMLParser):
    def __init__(self, max_cells: int) -> None:
        super().__init__(convert_charrefs=True)
        self.max_cells = max_cells
        self.rows: list[list[str]] = []
        self._depth = 0
        self._dropped = 0
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._cell_span = (1, 1)
        self._below: dict[int, int] = {}
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1 and self.rows:
                self.rows.append([])
        elif self._depth == 1 and tag == "tr":
            self._end_row()
            self._row = []
        elif self._depth == 1 and tag in {"td", "th"}:
            self._end_cell()
            if self._row is None:
                self._row = []
            given = dict(attrs)
            self._cell = []
            self._cell_span = (_span(given.get("colspan")), _span(given.get("rowspan")))
        elif tag in {"br", "p", "div"} and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped = max(self._dropped - 1, 0)
        elif tag == "table" and self._depth:
            if self._depth == 1:
                self.end_table()
            self._depth -= 1
        elif self._depth == 1 and tag == "tr":
            self._end_row()
        elif self._depth == 1 and tag in {"td", "th"}:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._dropped:
            self._cell.append(data)

    def end_table(self) -> None:
        self._end_row()
        self._below = {}

    def _place(self, text: str) -> None:
        if self._row is None:
            raise ValueError("a cell outside a row")
        self._cells += 1
        if self._cells > self.max_cells:
            raise TooManyCells
        self._row.append(text)

    def _skip_merged(self) -> None:
        while self._row is not None and self._below.get(len(self._row), 0) > 0:
            self._below[len(self._row)] -= 1
            self._place("")

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        self._skip_merged()
        across, down = self._cell_span
        text = " ".join("".join(self._cell).split())
        for n in range(across):
            if down > 1:
                self._below[len(self._row)] = down - 1
            self._place(text if n == 0 else "")
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is not None:
            self._skip_merged()
            self.rows.append(self._row)
        self._row = None


def _span(text: str | None) -> int:
    found = re.match(r"\s*(\d{1,6})", text or "")
    return min(max(int(found[1]), 1), _SPAN_LIMIT) if found else 1
