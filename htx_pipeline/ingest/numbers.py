"""Vietnamese numbers, money and quantities: from the text of a column to exact values.

What belongs here: the way through a column: its cells taken apart (`number_cells`), the decision how it
writes its numbers (`number_convention`), exact values (`number_values`) in its unit (`number_units`).
What does not: dates (`dates`), rules about allowed values.

Money is carried as integer đồng, computed on digits and powers of ten and never through a float.

The convention of a column ("vi" 1.234.567,89; "en" 1,234,567.89; "plain" 1234567.89) is decided by
these rules, in this order:

1. cells that can be read one way only are evidence (1.234.567, 12,5, 3.25); the majority wins, a
   draw goes to "vi", and every cell of the minority is read by its own shape and flagged;
2. without evidence, in a column that counts whole things in its own unit (đồng, people), the
   separator before exactly three digits is the thousands separator;
3. without either, the same choice is made, and the column is reported as ambiguous with the other
   reading beside it. Both separators in such a column: "vi".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.number_cells import cells_of
from htx_pipeline.ingest.number_convention import ambiguity_note, convention_notes, decide
from htx_pipeline.ingest.number_units import WHOLE, Unit, parse_unit
from htx_pipeline.ingest.number_values import fast_values, read_as, scattered, slow_values
from htx_pipeline.ingest.value_notes import join_notes

CONVENTIONS: Final = ("auto", "vi", "en", "plain")


@dataclass(frozen=True)
class NumberResult:
    """A parsed column.

    Attributes
    ----------
    values:
        Int64 where whole numbers were asked for, else Float64; null where there is no number.
    notes:
        `value_notes.NOTE_SCHEMA`; at most one note of a code per cell.
    convention:
        "vi", "en" or "plain" as used.
    is_ambiguous:
        Whether another convention would change values and nothing in the column settles it.
    alternative:
        Values under the other convention when ambiguous, else None.
    reason_vi, reason_en:
        Why the convention was chosen, in one sentence.
    """

    values: pl.Series
    notes: pl.DataFrame
    convention: str
    is_ambiguous: bool
    alternative: pl.Series | None
    reason_vi: str
    reason_en: str


def parse_numbers(
    raw: pl.Series,
    *,
    convention: str = "auto",
    unit: str | None = None,
    target_unit: str | None = None,
    as_integer: bool = False,
) -> NumberResult:
    """Parse a text column of numbers.

    Parameters
    ----------
    raw:
        String series (an all-null series is allowed).
    convention:
        "auto" decides from the whole column; "vi", "en", "plain" fix it (a source mapping does).
    unit:
        Unit the column is in ("million VND", "ha", "percent", …); None when it has none.
    target_unit:
        Unit wanted ("VND", "tonnes", "share", …); None keeps the base unit of `unit`'s own scale,
        that is, the numbers as written.
    as_integer:
        Int64, exact. A broken đồng is rounded half up and flagged; a broken person is an error.

    Notes
    -----
    A unit or a number word inside a cell ("2,5 tỷ", "4,5 ha") takes the place of the column's.

    Examples
    --------
    >>> cells = pl.Series(["2,5 tỷ", "850 triệu", "1.234.567", "(1.000)", "—", "khoảng 50"])
    >>> result = parse_numbers(cells, unit="VND", target_unit="VND", as_integer=True)
    >>> result.values.to_list()
    [2500000000, 850000000, 1234567, -1000, None, 50]
    >>> result.convention
    'vi'
    """
    if convention not in CONVENTIONS:
        raise InputError(
            f"Unknown number convention “{convention}”.",
            remedy=f"Use one of {', '.join(CONVENTIONS)}.",
            code="unknown_convention",
        )
    column_unit = parse_unit(unit) if unit is not None else None
    target = _target(column_unit, target_unit)
    if raw.dtype == pl.Null:
        raw = raw.cast(pl.String)
    if raw.dtype != pl.String:
        raise TypeError(f"parse_numbers reads text, not {raw.dtype}; use typed_numbers")

    bare_power = (column_unit.power if column_unit else 0) - (target.power if target else 0)
    fast = raw.cast(pl.Int64, strict=False)
    is_fast = fast.is_not_null() & ~raw.str.starts_with("+")
    is_rest = ~is_fast & raw.is_not_null()
    rest = pl.DataFrame(
        {"index": pl.arange(0, len(raw), eager=True, dtype=pl.UInt32), "text": raw}
    ).filter(is_rest)

    cells, notes = cells_of(rest, column_unit=column_unit, target=target, bare_power=bare_power)
    whole_dimension = column_unit is not None and (
        column_unit.dimension in WHOLE and column_unit.power == 0
    )
    chosen = decide(cells, convention, counts_whole=as_integer and whole_dimension)

    def assemble(used: str) -> tuple[pl.Series, list[pl.DataFrame]]:
        read = read_as(cells, used)
        slow, slow_notes = slow_values(read, as_integer=as_integer, column_unit=column_unit)
        base, base_notes = fast_values(
            fast, is_fast, bare_power, as_integer=as_integer, column_unit=column_unit
        )
        return scattered(base, slow), slow_notes + base_notes

    values, value_notes = assemble(chosen.convention)
    notes += value_notes
    notes += convention_notes(cells, chosen, convention)
    alternative = None
    if chosen.is_ambiguous:
        other = "en" if chosen.convention == "vi" else "vi"
        alternative = assemble(other)[0].alias(raw.name)
        notes.append(ambiguity_note(cells, values, alternative))
    return NumberResult(
        values=values.alias(raw.name),
        notes=join_notes(notes),
        convention=chosen.convention,
        is_ambiguous=chosen.is_ambiguous,
        alternative=alternative,
        reason_vi=chosen.reason_vi,
        reason_en=chosen.reason_en,
    )


def typed_numbers(
    values: pl.Series,
    *,
    unit: str | None = None,
    target_unit: str | None = None,
    as_integer: bool = False,
) -> NumberResult:
    """Convert numbers that the workbook already holds as numbers (2.5 in a column of tỷ đồng).

    The shortest decimal that stands for the float is taken as what was typed, so 1234.5678 million
    is 1234567800 đồng exactly.

    Examples
    --------
    >>> cells = pl.Series([1234.5678, None])
    >>> result = typed_numbers(cells, unit="million VND", target_unit="VND", as_integer=True)
    >>> result.values.to_list()
    [1234567800, None]
    """
    column_unit = parse_unit(unit) if unit is not None else None
    target = _target(column_unit, target_unit)
    power = (column_unit.power if column_unit else 0) - (target.power if target else 0)
    floats = values.cast(pl.Float64)
    floats = floats.set(floats.is_nan() | floats.is_infinite(), None)
    # Digits matter only where a fraction is shifted or an integer is wanted.
    needs_digits = as_integer or power != 0
    is_whole = ((floats == floats.round()) & (floats.abs() < 2.0**53)).fill_null(value=False)
    is_done = is_whole if needs_digits else floats.is_not_null()
    if needs_digits:
        done, notes = fast_values(
            floats.set(~is_whole, None).cast(pl.Int64),
            is_whole,
            power,
            as_integer=as_integer,
            column_unit=column_unit,
        )
    else:
        done, notes = floats + 0.0, []
    broken = floats.set(is_done, None)
    if broken.null_count() < len(broken):
        result = parse_numbers(
            broken.cast(pl.String),
            convention="plain",
            unit=unit,
            target_unit=target_unit,
            as_integer=as_integer,
        )
        done = done.zip_with(is_done, result.values)
        notes = [*notes, result.notes.filter(pl.col("code") != "scientific")]
    return NumberResult(
        values=done.alias(values.name),
        notes=join_notes(notes),
        convention="plain",
        is_ambiguous=False,
        alternative=None,
        reason_vi="Ô đã là số trong bảng tính.",
        reason_en="The cells are numbers in the workbook.",
    )


def _target(column_unit: Unit | None, target_unit: str | None) -> Unit | None:
    if target_unit is None:
        return column_unit
    target = parse_unit(target_unit)
    if column_unit is not None and column_unit.dimension != target.dimension:
        raise InputError(
            f"A column of {column_unit.dimension} cannot be converted to {target_unit}.",
            remedy="Correct the unit of this column in the source mapping.",
            what_vi=f"Không thể quy đổi cột này sang {target_unit}.",
            code="unit_conversion",
        )
    return target


# --- cells -----------------------------------------------------------------------------------

# --- the convention of the column ------------------------------------------------------------


# --- values ----------------------------------------------------------------------------------
