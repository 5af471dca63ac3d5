"""A sheet as its sender sees it: text of an old Vietnamese charset in Unicode.

What belongs here: telling the charset of a whole sheet, and the view of it that headings, units, totals
and signatures are recognised in. What does not: converting the values of a column, with a note for each
doubtful cell (`encodings.to_unicode` does that from the cells as they stand).
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Final

import polars as pl

from htx_pipeline.ingest.charset_convert import LEGACY, convert
from htx_pipeline.ingest.charset_detect import font_charset
from htx_pipeline.ingest.encodings import detect
from htx_pipeline.reference.charsets import CHARSETS

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Grid
    from htx_pipeline.ingest.workbook_sheet import Sheet

_TOP, _BOTTOM = 100, 40
"""Rows at both ends of a sheet whose texts tell its charset: title, headings, notes, signatures."""
_NOT_ASCII: Final = re.compile("[^\\x00-\\x7f]")
_MARKS: Final = re.compile(r"[aeiouyd][\^(+`'?~.d]", re.IGNORECASE)


def sheet_charset(sheet: Sheet) -> str:
    """Return the old charset the texts of a sheet are in; "plain" where they are Unicode.

    Where too few words tell, the font of its text does (``.VnTime``).

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> sheet_charset(open_bytes("STT;Tªn hîp t¸c x·\\n1;HTX §oµn KÕt\\n".encode(), name="a.csv").sheets[0])
    'tcvn3'
    """
    rows, n = sheet.rows, len(sheet.rows)
    near = [*range(min(n, _TOP)), *range(max(_TOP, n - _BOTTOM), n)]
    texts = [v for r in near for v in rows[r] if isinstance(v, str) and v]
    if not any(_NOT_ASCII.search(t) or _MARKS.search(t) for t in texts):
        return "plain"
    found = detect(pl.Series(texts, dtype=pl.String)).charset
    if found in LEGACY:
        return found
    by_font: dict[str, int] = {}
    for counts in sheet.column_fonts.values():
        for font, count in counts.items():
            known = font_charset(font)
            charset = known[0] if known is not None else "plain"
            by_font[charset] = by_font.get(charset, 0) + count
    likely = min(by_font, key=lambda name: (-by_font[name], name), default="plain")
    return likely if likely in LEGACY else "plain"


def charset_label(charset: str) -> str:
    """Return what people call a charset.

    Examples
    --------
    >>> charset_label("tcvn3")
    'TCVN3 (ABC)'
    """
    return next(c.label for c in CHARSETS if c.name == charset)


def unicode_view(sheet: Sheet) -> Sheet:
    """Return the sheet with its text in Unicode; the sheet itself where it is.

    Cells that hold letters only Unicode has stay as they are. Kinds and places of cells do not change.

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> sheet = open_bytes("STT;Tªn hîp t¸c x·\\n1;HTX §oµn KÕt\\n".encode(), name="a.csv").sheets[0]
    >>> unicode_view(sheet).cells[0]
    ['STT', 'Tên hợp tác xã']
    """
    if sheet.charset == "plain":
        return sheet
    view = copy.copy(sheet)
    view.__dict__.update(grid=_converted(sheet.grid, sheet.charset), charset="plain")
    return view


def _converted(grid: Grid, charset: str) -> Grid:
    from htx_pipeline.ingest.grid import Grid

    strings = convert(grid.strings, charset=charset)
    return Grid(grid.kinds, grid.values, strings, grid.others)
