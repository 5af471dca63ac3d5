"""Values of a suite as a column would hold them: bounds, set members, moments, patterns.

What belongs here: from the JSON of a rule's arguments to something Polars compares with a column. What
does not: which rows a rule looks at (`domain`) and what it asks of them (`conditions`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl


def search_values(pattern: re.Pattern[str], values: pl.Series) -> pl.Series:
    different = values.unique().drop_nulls()
    found = [pattern.search(value) is not None for value in different.to_list()]
    return values.replace_strict(different, pl.Series(found, dtype=pl.Boolean), default=None)


def comparable(bound: Any) -> Any:
    """Return a date as its first moment, so that it compares with moments."""
    if isinstance(bound, dt.date) and not isinstance(bound, dt.datetime):
        return dt.datetime.combine(bound, dt.time())
    return bound


def literal(value: Any, dtype: pl.DataType) -> pl.Expr:
    """Return *value* as something the column can be compared with; TypeError when it cannot."""
    if dtype.is_temporal() and isinstance(value, str):
        return pl.lit(_moment(value, dtype))
    if dtype.is_decimal() and isinstance(value, (int, float, str)):
        return pl.lit(Decimal(str(value)))
    is_text = dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum))
    if is_text != isinstance(value, str):
        raise TypeError(f"{value!r} cannot be compared with a column of type {dtype}")
    return pl.lit(value)


def _moment(value: str, dtype: pl.DataType) -> dt.date | dt.datetime | dt.time:
    if isinstance(dtype, pl.Time):
        return dt.time.fromisoformat(value)
    moment = dt.datetime.fromisoformat(value)
    if isinstance(dtype, pl.Datetime):
        zone = dt.UTC if dtype.time_zone else None
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    return moment.date() if moment.time() == dt.time() else moment


def set_members(values: Iterable[Any], dtype: pl.DataType) -> pl.Expr | pl.Series:
    """Return *values* as a set to look the column up in: what cannot occur in it is left out."""
    members = [m for m in (_member(value, dtype) for value in values) if m is not None]
    text = isinstance(dtype, (pl.Categorical, pl.Enum))
    return pl.Series(members, dtype=pl.String() if text else dtype, strict=False).implode()


def _member(value: Any, dtype: pl.DataType) -> Any:
    """Return *value* as the column would hold it; None when it cannot occur there."""
    try:
        if dtype.is_temporal():
            moment = _moment(value, dtype) if isinstance(value, str) else value
            fits = isinstance(dtype, pl.Datetime) == isinstance(moment, dt.datetime)
            return moment if fits else None
        if dtype.is_decimal():
            return Decimal(str(value))
        if dtype.is_numeric() or dtype == pl.Boolean:
            as_held: Any = float if dtype.is_float() else bool if dtype == pl.Boolean else int
            same = not isinstance(value, str) and as_held(value) == value
            return as_held(value) if same else None
    except (TypeError, ValueError, InvalidOperation, OverflowError):
        return None
    return value if isinstance(value, str) else None
