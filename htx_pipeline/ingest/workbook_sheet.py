"""One sheet of an opened workbook: typed cells, frames of text, fonts, merged cells, what is hidden.

What belongs here: everything asked of one sheet. What does not: opening files (`workbook`) and what the
rows mean (`layout`). Rows and columns are numbered from 1 as the sheet shows them.
"""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from htx_pipeline.ingest import _scan
from htx_pipeline.ingest._scan import Range, SheetFacts, a1
from htx_pipeline.ingest.formula_text import FORMULA_LIKE, is_formula_like
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.refusals import refuse
from htx_pipeline.ingest.trial import try_reading

if TYPE_CHECKING:
    import polars as pl

    from htx_pipeline.ingest.grid import Cell, Cells, Grid

Visibility = Literal["visible", "hidden", "very_hidden"]


def _guarded(what: str, name: str, call: Any) -> Any:
    """Call into the cell reader; whatever goes wrong there means the file is damaged."""
    try:
        return call()
    except MemoryError:
        raise refuse("sheet_too_large", where=name) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  (a panic of the Rust reader is no Exception)
        if type(error).__name__ == "PasswordError":
            raise refuse("encrypted", where=name) from None
        raise refuse("damaged", where=name, why=f"{what}: {str(error)[:300]}") from None


@dataclass
class Source:
    """The bytes all sheets of a workbook share, and the cell reader once it is needed."""

    content: bytes
    name: str
    max_cells: int
    is_tried_first: bool = False

    @cached_property
    def book(self) -> Any:
        import python_calamine

        if self.is_tried_first:
            try_reading(self.content, name=self.name)
        return _guarded(
            "workbook",
            self.name,
            lambda: python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(self.content)),
        )


class Sheet:
    """One sheet: cells as typed values or as a frame of text.

    Attributes
    ----------
    name, visibility:
        As in the workbook; a text table's sheet has the file's stem as its name.
    """

    def __init__(
        self,
        name: str,
        visibility: Visibility,
        facts: SheetFacts,
        source: Source,
        *,
        rows: list[list[str]] | None = None,
        width: int = 0,
    ) -> None:
        self.name = name
        self.visibility: Visibility = visibility
        self.facts = facts
        self.file_name = source.name
        self._source = source
        self._text_rows = rows
        self._text_width = width

    def __repr__(self) -> str:
        """Name and visibility."""
        return f"Sheet({self.name!r}, {self.visibility})"

    @property
    def is_text(self) -> bool:
        """Whether this is a text table, whose cells are all text."""
        return self._text_rows is not None

    @cached_property
    def _raw(self) -> Any:
        book = self._source.book
        raw = _guarded(
            f"sheet {self.name!r}", self.file_name, lambda: book.get_sheet_by_name(self.name)
        )
        if raw.end is not None and (raw.end[0] + 1) * (raw.end[1] + 1) > self._source.max_cells:
            raise refuse("sheet_too_large", where=f"{self.file_name}, {self.name}")
        return raw

    @cached_property
    def _compiled(self) -> Grid | None:
        """The cells of a large, plainly written .xlsx sheet; None where calamine must read it."""
        from htx_pipeline.ingest import _cells_xlsx

        if self._text_rows is not None or not self.facts.part:
            return None
        with zipfile.ZipFile(io.BytesIO(self._source.content)) as archive:
            if archive.getinfo(self.facts.part).file_size < _scan.COMPILED_FROM:
                return None
            if (grid := self.facts.take_grid()) is not None:
                return grid
            content = _cells_xlsx.padded(archive, self.facts.part)
            reading = _cells_xlsx.read_cells(
                content, _cells_xlsx.Shared(archive), max_cells=self._source.max_cells
            )
        if reading is None:
            return None
        self.facts.merged = reading.merged
        return reading.grid

    @cached_property
    def n_rows(self) -> int:
        """Rows down to the last one with content."""
        if self._text_rows is not None:
            return len(self._text_rows)
        if self._compiled is not None:
            return self._compiled.n_rows
        return int(self._raw.end[0]) + 1 if self._raw.end is not None else 0

    @cached_property
    def n_cols(self) -> int:
        """Columns up to the last one with content."""
        if self._text_rows is not None:
            return self._text_width
        if self._compiled is not None:
            return self._compiled.n_cols
        return int(self._raw.end[1]) + 1 if self._raw.end is not None else 0

    @cached_property
    def grid(self) -> Grid:
        """All cells by column, see `htx_pipeline.ingest.grid`; rows and columns count from 0 there."""
        from htx_pipeline.ingest.grid import Grid

        if self._compiled is not None:
            return self._compiled
        return Grid.from_rows(self._cell_rows(), self.n_cols)

    @cached_property
    def charset(self) -> str:
        """The old Vietnamese charset its texts are in, as `reference.charsets` names it, or "plain"."""
        from htx_pipeline.ingest.unicode_view import sheet_charset

        return sheet_charset(self)

    def narrowed(self, first_col: int, last_col: int) -> Sheet:
        """Return the sheet as if nothing stood outside these 1-based columns; places stay the same.

        Examples
        --------
        >>> from htx_pipeline.ingest.workbook import open_bytes
        >>> open_bytes(b"a,b,c\\n1,2,3\\n", name="a.csv").sheets[0].narrowed(2, 2).cells
        [['', 'b'], ['', '2']]
        """
        from htx_pipeline.ingest.grid import EMPTY, Grid

        grid = self.grid
        kinds = grid.kinds[:last_col].copy()
        kinds[: first_col - 1] = EMPTY
        part = copy.copy(self)
        part.__dict__.update(
            grid=Grid(kinds, grid.values[:last_col], grid.strings, grid.others),
            n_rows=grid.n_rows,
            n_cols=kinds.shape[0],
            merged=tuple(m for m in self.merged if first_col <= m[1] and m[3] <= last_col),
        )
        return part

    @property
    def rows(self) -> Sequence[list[Cell]]:
        """The rows as `cells` has them, from place 0 on; each is made when it is asked for."""
        return self.grid.rows

    @property
    def cells(self) -> list[list[Cell]]:
        """All cells as typed Python values, row by row from row 1; an empty cell is ``""``.

        Types: int (whole numbers), float, str, bool, date, datetime, time, timedelta. An Excel
        error is its text (``"#DIV/0!"``). Where a few rows will do, `rows` is quicker.
        """
        return list(self.grid.rows)

    def _cell_rows(self) -> list[list[Cell]]:
        if self._text_rows is not None:
            width = self._text_width
            return [[*row, *[""] * (width - len(row))] for row in self._text_rows]
        if self.n_rows == 0:
            return []
        rows: list[list[Any]] = _guarded(
            f"sheet {self.name!r}",
            self.file_name,
            lambda: self._raw.to_python(skip_empty_area=False),
        )
        if len(rows) != self.n_rows:
            why = f"{len(rows)} rows where {self.n_rows} were stated."
            raise refuse("damaged", where=f"{self.file_name}, {self.name}", why=why)
        for (row, col), text in self.facts.errors.items():
            if row <= len(rows) and col <= len(rows[row - 1]) and rows[row - 1][col - 1] == "":
                rows[row - 1][col - 1] = text
        return rows

    def cell(self, row: int, col: int) -> Cell:
        """Return one cell by its 1-based row and column; ``""`` outside the used range."""
        rows = self.rows
        if 1 <= row <= len(rows) and 1 <= col <= len(rows[row - 1]):
            return rows[row - 1][col - 1]
        return ""

    @cached_property
    def merged(self) -> tuple[Range, ...]:
        """Merged ranges as (first row, first column, last row, last column), in sheet order."""
        if self._text_rows is not None:
            return ()
        if self.facts.merged is not None or self._compiled is not None:
            return tuple(sorted(self.facts.merged or ()))
        ranges = self._raw.merged_cell_ranges or []
        return tuple(sorted((a + 1, b + 1, c + 1, d + 1) for (a, b), (c, d) in ranges))

    @property
    def hidden_rows(self) -> frozenset[int]:
        """Rows a person does not see (hidden or filtered out)."""
        return self.facts.hidden_rows

    @property
    def hidden_cols(self) -> frozenset[int]:
        """Columns a person does not see."""
        return self.facts.hidden_cols

    @property
    def column_fonts(self) -> Mapping[int, Mapping[str, int]]:
        """For each column, how many of its text cells are in which font.

        Filled for .xls always, for .xlsx where the styles name a font of an old Vietnamese
        encoding (``.VnTime``, ``VNI-Times`` …), never for .ods and text tables.
        """
        return self.facts.fonts

    # --- frames -------------------------------------------------------------------------------

    def text_frame(self, rows: slice | Sequence[int] | None = None) -> pl.DataFrame:
        """Return cells as text, in columns ``c1``, ``c2``, …; an empty cell is null.

        Parameters
        ----------
        rows:
            1-based row numbers: a sequence, or a slice with both ends included
            (``slice(3, 10)`` is rows 3 to 10). All rows when left out.

        Returns
        -------
        pl.DataFrame
            Column ``row`` (Int64, the sheet's row number), then ``c1`` … all String. Whole
            numbers without a decimal point (``42``), others with the fewest digits that give the
            same number back (``0.1``), never with an exponent; dates and times ISO 8601;
            durations as ``[h]:mm:ss``; booleans ``TRUE`` / ``FALSE``. Nothing is trimmed.

        Examples
        --------
        >>> from htx_pipeline.ingest.workbook import open_bytes
        >>> sheet = open_bytes(b"a,b\\n1,\\n", name="a.csv").sheets[0]
        >>> sheet.text_frame(slice(2, 2)).rows()
        [(2, '1', None)]
        """
        import numpy as np
        import polars as pl

        grid = self.grid
        if rows is None:
            numbers: Sequence[int] = range(1, grid.n_rows + 1)
        elif isinstance(rows, slice):
            stop = grid.n_rows if rows.stop is None else min(rows.stop, grid.n_rows)
            numbers = range(max(rows.start or 1, 1), stop + 1, rows.step or 1)
        else:
            numbers = [r for r in rows if 1 <= r <= grid.n_rows]
        places = np.asarray(numbers, dtype=np.int64) - 1
        return pl.DataFrame(
            [
                pl.Series("row", numbers, dtype=pl.Int64),
                *(
                    grid.column(c).take(places).full_text.alias(f"c{c + 1}")
                    for c in range(grid.n_cols)
                ),
            ]
        )

    def typed_frame(
        self, first_row: int, n_cols: int | None = None, *, last_row: int | None = None
    ) -> pl.DataFrame:
        """Return a clean table with the types the cells have; the fast path.

        Parameters
        ----------
        first_row:
            1-based row of the first data row.
        n_cols:
            Columns to read from the left; all when left out.
        last_row:
            1-based row of the last data row; the last row with content when left out.

        Returns
        -------
        pl.DataFrame
            Columns ``c1``, ``c2``, … as Float64, String, Boolean, Date, Datetime or Duration. A
            column that mixes types is String. No ``row`` column: row *i* of the frame is row
            ``first_row + i`` of the sheet.

        Examples
        --------
        >>> from htx_pipeline.ingest.workbook import open_bytes
        >>> sheet = open_bytes(b"a,b\\n1,x\\n", name="a.csv").sheets[0]
        >>> sheet.typed_frame(2).rows()
        [('1', 'x')]
        """
        import numpy as np
        import polars as pl

        grid = self.grid
        stop = grid.n_rows if last_row is None else min(last_row, grid.n_rows)
        places = np.arange(first_row - 1, max(stop, first_row - 1), dtype=np.int64)
        width = grid.n_cols if n_cols is None else min(n_cols, grid.n_cols)
        return pl.DataFrame(
            [_typed(grid.column(c).take(places)).alias(f"c{c + 1}") for c in range(width)]
        )

    # --- notes --------------------------------------------------------------------------------

    def formula_like_notes(self) -> list[Note]:
        """Note text cells that another program might take for formulas; they stay text."""
        grid = self.grid
        suspect = grid.strings.str.contains(FORMULA_LIKE)
        found = [
            (r + 1, c + 1, value)
            for r, c, value in grid.texts_at(suspect)
            if is_formula_like(value)
        ]
        return [
            Note(
                "formula_like_text",
                "warning",
                "The text begins like a formula. It is kept as text and written out so that no "
                "program calculates it.",
                "Nội dung bắt đầu giống công thức. Hệ thống giữ nguyên dạng chữ và khi xuất ra sẽ "
                "không để chương trình nào tính toán.",
                "Remove the sign at the beginning if it is not meant.",
                "Đề nghị bỏ ký tự ở đầu nếu không cần thiết.",
                sheet=self.name,
                row=r,
                cell=a1(r, c),
                raw=value[:200],
            )
            for r, c, value in found[:200]
        ]


def _typed(cells: Cells) -> pl.Series:
    """Return the column in the type that all its cells have, else as text."""
    import numpy as np
    import polars as pl

    from htx_pipeline.ingest.grid import BOOL, DATE, EMPTY, NUMBER

    kinds = set(np.unique(cells.kinds).tolist()) - {EMPTY}
    if kinds == {NUMBER}:
        return cells.numbers
    if kinds == {BOOL}:
        return cells.flags
    if kinds == {DATE} and (cells.values == np.floor(cells.values)).all():
        return cells.dates
    values = [v for i in range(len(cells)) if (v := cells[i]) != ""] if len(kinds) == 1 else []
    if values and len(types := {type(v) for v in values}) == 1 and str not in types:
        return pl.Series("cells", [None if (v := cells[i]) == "" else v for i in range(len(cells))])
    return cells.full_text
