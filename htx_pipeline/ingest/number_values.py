"""From digits and separators to exact values.

What belongs here: the value of each cell in the convention decided, integers on digits and never through
a float, and what does not fit. What does not: taking cells apart (`number_cells`).
"""

from __future__ import annotations

import polars as pl

from htx_pipeline.ingest.number_cells import MAX_DIGITS
from htx_pipeline.ingest.number_units import COUNTED, Unit
from htx_pipeline.ingest.value_notes import note_rows


def read_as(cells: pl.DataFrame, convention: str) -> pl.DataFrame:
    """Add ``whole`` and ``fraction``: the digits before and after the decimal mark."""
    shape, core = pl.col("shape"), pl.col("core")
    unsure = shape.is_in(["dot", "comma"])
    comma_decimal = (shape == "vi") | (unsure & pl.lit(convention == "vi"))
    kept = cells.filter(pl.col("shape") != "comma") if convention == "plain" else cells
    canon = (
        pl.when(shape == "none")
        .then(core)
        .when(shape == "mantissa")
        .then(core.str.strip_suffix("e"))
        .when(comma_decimal)
        .then(core.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .otherwise(core.str.replace_all(",", "", literal=True))
    )
    return kept.with_columns(canon=canon)


def slow_values(
    read: pl.DataFrame, *, as_integer: bool, column_unit: Unit | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the value of each cell from its digits and power of ten, exact where whole ones are wanted."""
    sign = pl.when("is_negative").then(-1).otherwise(1)
    if not as_integer:
        value = pl.format("{}e{}", "canon", "power").cast(pl.Float64, strict=False)
        return read.select("index", value=sign.cast(pl.Float64) * value + 0.0), []
    split = read.with_columns(
        pl.col("canon").str.splitn(".", 2).struct.rename_fields(["whole", "fraction"]).alias("p")
    ).unnest("p")
    split = split.with_columns(
        whole=pl.col("whole").str.strip_chars_start("0"),
        fraction=pl.col("fraction").fill_null("").str.strip_chars_end("0"),
    )
    return _exact(split, column_unit)


def _exact(
    split: pl.DataFrame, column_unit: Unit | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Integer arithmetic on digits: (whole.fraction) × 10^power, rounded half up where broken."""
    whole, fraction, power = pl.col("whole"), pl.col("fraction"), pl.col("power")
    # Only the digits that survive the shift, and one more, decide the value and its rounding.
    split = split.with_columns(
        is_broken=(fraction.str.len_bytes().cast(pl.Int64) > power)
        & (
            (power >= 0)
            | (fraction != "")
            | (
                whole.str.len_bytes().cast(pl.Int64)
                - whole.str.strip_chars_end("0").str.len_bytes().cast(pl.Int64)
                < -power
            )
            & (whole != "")
        ),
        digits_out=whole.str.len_bytes().cast(pl.Int64) + power,
    )
    fits = pl.col("digits_out") <= MAX_DIGITS
    keep = pl.max_horizontal(power + 1, pl.lit(0))
    mantissa = (
        pl.concat_str(whole, fraction.str.slice(0, keep)).cast(pl.Int64, strict=False).fill_null(0)
    )
    shift = power - pl.min_horizontal(fraction.str.len_bytes().cast(pl.Int64), keep)
    up = pl.lit(10, dtype=pl.Int64).pow(shift.clip(0, MAX_DIGITS))
    down = pl.lit(10, dtype=pl.Int64).pow((-shift).clip(0, MAX_DIGITS))
    value = pl.when(shift >= 0).then(mantissa * up).otherwise((mantissa + down // 2) // down)
    out = split.with_columns(
        value=pl.when(fits).then(pl.when("is_negative").then(-value).otherwise(value)),
        fits=fits,
    )
    counted = pl.col("dimension").is_in(list(COUNTED)) | pl.col("dimension").is_null()
    no_fit = out.filter(~pl.col("fits"))
    broken = out.filter(pl.col("fits") & pl.col("is_broken") & counted)
    rounded = out.filter(pl.col("fits") & pl.col("is_broken") & ~counted)
    values = out.select(
        "index", value=pl.when(~(pl.col("is_broken") & counted)).then(pl.col("value"))
    )
    return values, [_too_large(no_fit), _not_whole(broken), _rounded(rounded)]


def _too_large(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="too_large",
        detail_vi="Số có quá 18 chữ số.",
        detail_en="The number has more than 18 digits.",
    )


def _not_whole(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="not_whole",
        detail_vi="Cột này chỉ nhận số nguyên.",
        detail_en="This column takes whole numbers only.",
    )


def _rounded(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="rounded",
        detail_vi="Phần lẻ đã được làm tròn.",
        detail_en="The fraction was rounded off.",
    )


def fast_values(
    fast: pl.Series,
    is_fast: pl.Series,
    power: int,
    *,
    as_integer: bool,
    column_unit: Unit | None,
) -> tuple[pl.Series, list[pl.DataFrame]]:
    """Values of the cells that are digits alone, shifted by the power of ten of the column."""
    base = fast.set(~is_fast, None)
    if not as_integer:
        floats = base.cast(pl.Float64)
        return (floats * 10.0**power if power >= 0 else floats / 10.0**-power), []
    if power == 0:
        return base, []
    frame = pl.DataFrame({"value": base}).with_row_index("index")
    if power > 0:
        limit = 10 ** (MAX_DIGITS - power) if power <= MAX_DIGITS else 0
        fits = pl.col("value").abs() < limit
        no_fit = frame.filter(~fits)
        out = frame.select(pl.when(fits).then(pl.col("value") * 10**power).alias("value"))
        return out.get_column("value"), [_too_large(no_fit)]
    down = 10**-power
    size = pl.col("value").abs()
    rounded = pl.when(pl.col("value") < 0).then(-1).otherwise(1) * ((size + down // 2) // down)
    broken = frame.filter(size % down != 0)
    counted = column_unit is None or column_unit.dimension in COUNTED
    if counted:
        out = frame.select(pl.when(size % down == 0).then(rounded).alias("value"))
        return out.get_column("value"), [_not_whole(broken)]
    return frame.select(rounded.alias("value")).get_column("value"), [_rounded(broken)]


def scattered(base: pl.Series, slow: pl.DataFrame) -> pl.Series:
    """Return the column with the values of *slow* in their places."""
    if not slow.height:
        return base
    return base.scatter(slow.get_column("index"), slow.get_column("value").cast(base.dtype))
