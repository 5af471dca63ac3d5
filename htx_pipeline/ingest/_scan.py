"""What the safety scans of the three workbook formats have in common.

What belongs here: the facts a scan collects about a sheet, the signal that a file is unsafe, cell
addresses. What does not: any format's details (`_scan_xlsx`, `_scan_xls`, `_scan_ods`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Grid


class Unsafe(Exception):  # noqa: N818
    """A scan's reason to refuse a file; `guard` turns it into an `InputError`."""

    def __init__(self, code: str, *, why: str = "", where: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.why = why
        self.where = where


Range = tuple[int, int, int, int]
"""First row, first column, last row, last column; all 1-based and inclusive."""

MAX_LISTED: Final = 1_000
"""Cells listed one by one; above, they are only counted."""

COMPILED_FROM = 2 << 20
"""Bytes of a sheet's XML from which compiled loops gain more than loading them costs."""

PROGRAM: Final = re.compile(
    r"\|[^!|]{0,400}!|\bDDE(?:AUTO)?\s*\(|\b(?:WEBSERVICE|CALL|REGISTER(?:\.ID)?|EXEC)\s*\(",
    re.IGNORECASE,
)
"""A formula that would start a program, use DDE or fetch something."""


@dataclass
class SheetFacts:
    """What a scan learnt about one sheet (rows and columns are 1-based).

    ``grid`` holds its cells where the scan read them on the way.
    """

    name: str
    rows: int = 0
    cols: int = 0
    hidden_rows: frozenset[int] = frozenset()
    hidden_cols: frozenset[int] = frozenset()
    merged: tuple[Range, ...] | None = None
    fonts: dict[int, dict[str, int]] = field(default_factory=dict)
    has_formulas: bool = False
    formulas_without_value: list[tuple[int, int]] = field(default_factory=list)
    n_formulas_without_value: int = 0
    programs: list[tuple[int, int, str]] = field(default_factory=list)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    part: str = ""
    is_worksheet: bool = True
    state: str = "visible"
    grid: Grid | None = field(default=None, repr=False, compare=False)

    def take_grid(self) -> Grid | None:
        """Return the cells the scan read on the way, once: whoever takes them may change them."""
        grid, self.grid = self.grid, None
        return grid


def column_letters(col: int) -> str:
    """Return the letters of a 1-based column.

    Examples
    --------
    >>> column_letters(1), column_letters(28)
    ('A', 'AB')
    """
    letters = ""
    while col > 0:
        col, rest = divmod(col - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def a1(row: int, col: int) -> str:
    """Return the A1 address of a 1-based cell.

    Examples
    --------
    >>> a1(7, 3)
    'C7'
    """
    return f"{column_letters(col)}{row}"


def column_number(letters: str) -> int:
    """Return the 1-based number of column letters.

    Examples
    --------
    >>> column_number("AB")
    28
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
