"""The cells of a sheet by column: arrays of kinds and values instead of one Python object per cell.

What belongs here: holding cells compactly, rows as Python values on demand, whole columns as Polars
series. What does not: reading a file (`workbook`, `_cells_xlsx`) and what cells mean (`columns`).

Every reader ends in a `Grid`, so that a value is parsed in one way whichever way it was read.
Rows and columns are counted from 0 here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt
import polars as pl

Cell = int | float | str | bool | dt.date | dt.datetime | dt.time | dt.timedelta

EMPTY: Final = 0
NUMBER: Final = 1
TEXT: Final = 2
BOOL: Final = 3
DATE: Final = 4
DURATION: Final = 5
OTHER: Final = 6
"""Kinds of cells. The value of a TEXT is the place of its string, of a DATE or DURATION its serial
number, of an OTHER (a time, a very large integer, …) the place of its object."""

_EPOCH: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001  (a sheet has no time zone)
_EPOCH_DAYS: Final = (dt.date(1970, 1, 1) - _EPOCH.date()).days
_DAY_MS: Final = 86_400_000
_EXACT: Final = 2**53


def cell_text(value: Cell | None) -> str | None:  # noqa: PLR0911
    """Return the text of a typed cell, losing nothing; None for an empty cell.

    Examples
    --------
    >>> import datetime as dt
    >>> [cell_text(v) for v in (42.0, 0.1, 1e20, True, dt.date(2024, 1, 2), "")]
    ['42', '0.1', '100000000000000000000', 'TRUE', '2024-01-02', None]
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
            return value.date().isoformat()
        return value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    seconds = value.total_seconds()
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(round(seconds), 3600)
    return f"{sign}{hours}:{rest // 60:02d}:{rest % 60:02d}"


def number_text(value: float) -> str:
    """Return a number with the fewest digits that give it back, never with an exponent.

    Examples
    --------
    >>> number_text(3.0), number_text(1e-5)
    ('3', '0.00001')
    """
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def _from_serial(serial: float) -> dt.date | dt.datetime:
    """Return the date of a serial number from 61 on, as the cell reader does: to the millisecond."""
    moment = _EPOCH + dt.timedelta(milliseconds=round(serial * _DAY_MS))
    return moment.date() if serial == int(serial) else moment


@dataclass(frozen=True)
class Cells:
    """One column: parallel arrays of kinds and values, and what text and objects they point to."""

    kinds: npt.NDArray[np.int8]
    values: npt.NDArray[np.float64]
    strings: pl.Series = field(repr=False)
    others: Sequence[Any] = field(repr=False, default=())

    def __len__(self) -> int:
        """Cells in the column."""
        return len(self.kinds)

    @staticmethod
    def of(values: Sequence[Any] | pl.Series | Cells) -> Cells:
        """Return a column of typed Python cells, or of a String series.

        Examples
        --------
        >>> Cells.of([1, "x", None, ""]).kinds.tolist()
        [1, 2, 0, 0]
        """
        if isinstance(values, Cells):
            return values
        if isinstance(values, pl.Series):
            filled = (values.is_not_null() & (values != "")).fill_null(value=False).to_numpy()
            return Cells(
                np.where(filled, TEXT, EMPTY).astype(np.int8),
                np.arange(len(values), dtype=np.float64),
                values.fill_null(""),
            )
        return Grid.from_rows([[v] for v in values], 1).column(0)

    def take(self, rows: npt.NDArray[np.int64]) -> Cells:
        """Return the cells at these places.

        Examples
        --------
        >>> Cells.of(["a", "b"]).take(np.array([1, 1])).text.to_list()
        ['b', 'b']
        """
        return Cells(self.kinds[rows], self.values[rows], self.strings, self.others)

    def joined(self, more: Cells) -> Cells:
        """Return these cells and then *more*; only empty cells may come before others of a sheet.

        Examples
        --------
        >>> Cells.of([None]).joined(Cells.of(["a"])).text.to_list()
        [None, 'a']
        """
        if (self.kinds != EMPTY).any():
            raise ValueError("the cells in front must be empty")
        return Cells(
            np.concatenate([self.kinds, more.kinds]),
            np.concatenate([self.values, more.values]),
            more.strings,
            more.others,
        )

    def _series(self, kind: int, values: npt.NDArray[Any], dtype: Any) -> pl.Series:
        hit = self.kinds == kind
        series = pl.Series("cells", values, dtype=dtype)
        return series if hit.all() else series.set(pl.Series(~hit), None)

    @cached_property
    def numbers(self) -> pl.Series:
        """The cells that are numbers, Float64; the others null."""
        hit = self.kinds == NUMBER
        if hit.all():
            return pl.Series("cells", self.values)
        series = pl.Series("cells", np.where(hit, self.values, np.nan))
        series = series.set(pl.Series(~hit), None)
        large = [
            (i, float(self.others[int(self.values[i])]))
            for i in np.flatnonzero(self.kinds == OTHER).tolist()
            if isinstance(self.others[int(self.values[i])], (int, Decimal))
        ]
        return series.scatter([i for i, _ in large], [v for _, v in large]) if large else series

    @cached_property
    def words(self) -> pl.Series:
        """The cells that are text, as they stand; the others null."""
        hit = self.kinds == TEXT
        if not hit.any():
            return pl.Series("cells", [None], dtype=pl.String).new_from_index(0, len(self))
        where = np.where(hit, self.values, 0).astype(np.uint32)
        series = self.strings.gather(pl.Series(where)).alias("cells")
        return series if hit.all() else series.set(pl.Series(~hit), None)

    @cached_property
    def dates(self) -> pl.Series:
        """The cells that are dates, with or without a time of day, as Date; the others null."""
        hit = self.kinds == DATE
        days = np.where(hit, self.values, 0).astype(np.int32) - np.int32(_EPOCH_DAYS)
        series = pl.Series("cells", days).cast(pl.Date)
        series = series if hit.all() else series.set(pl.Series(~hit), None)
        more = {
            i: v.date() if isinstance(v, dt.datetime) else v
            for i in np.flatnonzero(self.kinds == OTHER).tolist()
            if isinstance(v := self.others[int(self.values[i])], dt.date)
        }
        return series.scatter(list(more), list(more.values())) if more else series

    @cached_property
    def flags(self) -> pl.Series:
        """The cells that are TRUE or FALSE, Boolean; the others null."""
        return self._series(BOOL, self.values != 0, pl.Boolean)

    @cached_property
    def not_numbers(self) -> pl.Series:
        """Every cell but the numbers as `cell_text` writes it; numbers and empty cells are null."""
        text = self.words
        is_date = (self.kinds == DATE) & (self.values == np.floor(self.values))
        if is_date.any():
            text = text.zip_with(pl.Series(~is_date), self.dates.cast(pl.String))
        rest = np.flatnonzero((self.kinds >= BOOL) & (self.kinds <= OTHER) & ~is_date)
        if len(rest):
            text = text.scatter(rest, [cell_text(self[int(i)]) for i in rest])
        return text.alias("cells")

    @cached_property
    def full_text(self) -> pl.Series:
        """Every cell as `cell_text` writes it; an empty cell is null."""
        is_number = self.kinds == NUMBER
        if not is_number.any():
            return self.not_numbers
        numbers = _number_texts(self.numbers)
        if is_number.all():
            return numbers
        return self.not_numbers.zip_with(pl.Series(~is_number), numbers)

    @cached_property
    def text(self) -> pl.Series:
        """`full_text` without blanks around it; blanks alone are null."""
        return _stripped(self.full_text)

    @cached_property
    def text_not_numbers(self) -> pl.Series:
        """`not_numbers` without blanks around it; blanks alone are null."""
        return _stripped(self.not_numbers)

    def __getitem__(self, at: int) -> Cell:
        """Return one cell as a Python value; ``""`` where it is empty."""
        return _python(int(self.kinds[at]), float(self.values[at]), self.strings, self.others)


def _stripped(text: pl.Series) -> pl.Series:
    if text.null_count() == len(text):
        return text
    text = text.str.strip_chars()
    return text.set((text == "").fill_null(value=False), None)


def _python(kind: int, value: float, strings: pl.Series, others: Sequence[Any]) -> Cell:  # noqa: PLR0911
    match kind:
        case 0:
            return ""
        case 1:
            return value
        case 2:
            text: str = strings[int(value)]
            return text
        case 3:
            return value != 0
        case 4:
            return _from_serial(value)
        case 5:
            return dt.timedelta(milliseconds=round(value * _DAY_MS))
        case _:
            cell: Cell = others[int(value)]
            return cell


def _number_texts(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    # Outside this range Polars writes an exponent.
    odd = ((size >= 1e15) | ((size < 1e-4) & (size > 0)) | ~numbers.is_finite()).fill_null(
        value=False
    )
    whole = (numbers == numbers.round(0)).fill_null(value=False)
    text = numbers.set(~whole | odd, None).cast(pl.Int64).cast(pl.String)
    if not whole.all():
        text = text.zip_with(whole, numbers.cast(pl.String))
    if odd.any():
        at = odd.arg_true()
        text = text.scatter(at, [number_text(v) for v in numbers.gather(at)])
    return text


class Grid:
    """All cells of a sheet.

    Attributes
    ----------
    n_rows, n_cols:
        As far as the content reaches.
    kinds, values:
        Arrays of shape (columns, rows).
    rows:
        The rows as lists of Python values, made when they are asked for.
    """

    def __init__(
        self,
        kinds: npt.NDArray[np.int8],
        values: npt.NDArray[np.float64],
        strings: pl.Series,
        others: Sequence[Any] = (),
        *,
        rows: list[list[Any]] | None = None,
    ) -> None:
        self.n_cols: int = kinds.shape[0]
        self.n_rows: int = kinds.shape[1]
        self.kinds = kinds
        self.values = values
        self.strings = strings
        self.others = others
        self.rows: Sequence[list[Any]] = rows if rows is not None else _Rows(self)

    @staticmethod
    def from_rows(rows: list[list[Any]], n_cols: int) -> Grid:
        """Return the grid of typed Python cells; ``""`` and None are empty.

        Examples
        --------
        >>> grid = Grid.from_rows([["STT", 1.5], ["", True]], 2)
        >>> grid.kinds.tolist(), grid.column(1)[0]
        ([[2, 0], [1, 3]], 1.5)
        """
        kinds = np.zeros((n_cols, len(rows)), dtype=np.int8)
        values = np.zeros((n_cols, len(rows)), dtype=np.float64)
        strings: list[str] = []
        others: list[Any] = []
        for c, column in enumerate(zip(*rows, strict=True) if rows else ()):
            _fill(column, kinds[c], values[c], strings, others)
        return Grid(
            kinds, values, pl.Series("strings", strings, dtype=pl.String), others, rows=rows
        )

    def column(self, col: int) -> Cells:
        """Return one column."""
        return Cells(self.kinds[col], self.values[col], self.strings, self.others)

    @cached_property
    def fill(self) -> list[int]:
        """For each row, how many cells are not empty."""
        counts: list[int] = np.count_nonzero(self.kinds, axis=0).tolist()
        return counts

    def set_text(self, row: int, col: int, text: str) -> None:
        """Put a text, or with ``""`` nothing, in a cell."""
        self.rows[row][col] = text
        self.kinds[col, row] = TEXT if text else EMPTY
        self.values[col, row] = len(self.strings)
        self.strings = pl.concat([self.strings, pl.Series([text], dtype=pl.String)])
        self.__dict__.pop("fill", None)

    def texts_at(self, which: pl.Series) -> list[tuple[int, int, str]]:
        """Return (row, column, text), row by row, of the text cells whose string is marked in *which*."""
        if not which.any():
            return []
        marked = which.to_numpy()
        hit = self.kinds == TEXT
        places = np.where(hit, self.values, 0).astype(np.int64)
        cols, rows = np.nonzero(hit & marked[places])
        order = np.lexsort((cols, rows))
        return [
            (int(rows[i]), int(cols[i]), self.strings[int(places[cols[i], rows[i]])]) for i in order
        ]


def _fill(
    column: Sequence[Any],
    kinds: npt.NDArray[np.int8],
    values: npt.NDArray[np.float64],
    strings: list[str],
    others: list[Any],
) -> None:
    for r, value in enumerate(column):
        kind = type(value)
        if kind is str:
            if value:
                kinds[r] = TEXT
                values[r] = len(strings)
                strings.append(value)
        elif kind is float:
            kinds[r] = NUMBER
            values[r] = value
        elif value is None:
            continue
        elif kind is bool:
            kinds[r] = BOOL
            values[r] = value
        elif kind is int and -_EXACT <= value <= _EXACT:
            kinds[r] = NUMBER
            values[r] = value
        elif kind is dt.date and value >= dt.date(1900, 3, 1):
            kinds[r] = DATE
            values[r] = (value - _EPOCH.date()).days
        else:
            kinds[r] = OTHER
            values[r] = len(others)
            others.append(value)


class _Rows(Sequence[list[Any]]):
    """The rows of a grid, made and kept when they are asked for."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._made: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return int(self._grid.n_rows)

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[Any]]: ...
    def __getitem__(self, at: int | slice) -> list[Any] | list[list[Any]]:
        if isinstance(at, slice):
            return [self[r] for r in range(*at.indices(len(self)))]
        if at < 0:
            at += len(self)
        made = self._made.get(at)
        if made is None:
            if not 0 <= at < len(self):
                raise IndexError(at)
            grid = self._grid
            made = [
                _python(kind, value, grid.strings, grid.others)
                for kind, value in zip(
                    grid.kinds[:, at].tolist(), grid.values[:, at].tolist(), strict=True
                )
            ]
            self._made[at] = made
        return made


__all__ = ["Cell", "Cells", "Grid", "cell_text", "number_text"]
