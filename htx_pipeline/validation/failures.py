"""Failing rows as findings: one row per (row, rule), in the canonical order, cheaply.

What belongs here: turning row positions into the long findings table. Hundreds of thousands of
findings are an ordinary case (one wrong column in a large table), so the work is a few gathers and
one integer sort. What does not: deciding which rows fail (`run`), the shape of a finding
(`htx_pipeline.findings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from htx_pipeline.findings import FINDING_SCHEMA, empty_findings
from htx_pipeline.validation.suites import RuleSpec

PROVENANCE: Final = ("source_id", "source_file", "source_sheet", "source_row")
_TEXTS: Final = ("reason_vi", "reason_en", "remedy_vi", "remedy_en")


@dataclass(frozen=True)
class Failure:
    """A rule and the rows that fail it; ``rows`` is None when the table as a whole fails it.

    ``value`` is then what was observed of it. ``texts`` (reason_vi, reason_en, remedy_vi,
    remedy_en) stand in for the rule's own.
    """

    rule: RuleSpec
    severity: str
    rows: pl.Series | None = None
    value: str | None = None
    texts: tuple[str, str, str, str] | None = None


def findings_of(frame: pl.DataFrame, table: str, failures: Sequence[Failure]) -> pl.DataFrame:
    """Return the findings of *failures*, ordered by file, sheet, row, column, rule and value.

    The order and the content do not depend on the order of the rows of *frame*.
    """
    failures = sorted(failures, key=lambda f: (_column(f.rule) or "", f.rule.rule_id))
    parts = [
        _part(frame, table, number, failure)
        for number, failure in enumerate(failures)
        if failure.rows is None or len(failure.rows)
    ]
    if not parts:
        return empty_findings()
    long = pl.concat(parts)
    places, at = _places(frame, long["row"].to_numpy())
    order = places["place"].to_numpy()[at].astype(np.uint64) * len(failures) + long["rule"]
    if places["place"].n_unique() == places.height:
        by = np.argsort(order, kind="stable")
    else:
        # Rows that share their place (or have none): the value decides, then the source id.
        ties = pl.DataFrame(
            {"order": order, "raw_value": long["raw_value"], "id": places["source_id"][at]}
        )
        by = ties.select(pl.arg_sort_by(ties.columns, nulls_last=False)).to_series().to_numpy()
    sources = places.select(PROVENANCE)[at[by]]
    return long[by].hstack(sources).select(list(FINDING_SCHEMA))


def _part(frame: pl.DataFrame, table: str, number: int, failure: Failure) -> pl.DataFrame:
    """Return the findings of one rule, without the source of the rows."""
    rule = failure.rule
    if failure.rows is None:
        raw = pl.DataFrame({"raw_value": [failure.value]}, schema={"raw_value": pl.String})
        rows = pl.Series([frame.height], dtype=pl.UInt32)
    else:
        rows = failure.rows.cast(pl.UInt32)
        raw = frame.select(rule.columns)[rows].select(_raw_value(frame, rule.columns))
    column = _column(rule)
    texts = failure.texts or tuple(getattr(rule, name) for name in _TEXTS)
    return raw.select(
        rows.alias("row"),
        pl.lit(number, dtype=pl.UInt32).alias("rule"),
        pl.lit(rule.rule_id).alias("rule_id"),
        pl.lit(failure.severity).alias("severity"),
        pl.lit(table).alias("table"),
        pl.lit(None, dtype=pl.String).alias("source_cell"),
        pl.lit(column, dtype=pl.String).alias("column"),
        pl.col("raw_value"),
        *(
            _filled(text, column or "").alias(name)
            for name, text in zip(_TEXTS, texts, strict=True)
        ),
    )


def _column(rule: RuleSpec) -> str | None:
    return ", ".join(rule.columns) or None


def _raw_value(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    """Return the value as text; of several columns ``a=1; b=``."""
    shown = [
        pl.lit("(…)") if frame.schema[name].is_nested() else pl.col(name).cast(pl.String)
        for name in columns
    ]
    if len(columns) == 1:
        return shown[0].alias("raw_value")
    named = [
        pl.concat_str(pl.lit(f"{name}="), value.fill_null(""))
        for name, value in zip(columns, shown, strict=True)
    ]
    return pl.concat_str(named, separator="; ").alias("raw_value")


def _filled(text: str, column: str) -> pl.Expr:
    """Return *text* with its placeholders filled in."""
    pieces = text.replace("{column}", column).split("{value}")
    if len(pieces) == 1:
        return pl.lit(pieces[0])
    value = pl.col("raw_value").fill_null("")
    joined: list[pl.Expr] = []
    for piece in pieces:
        joined += [pl.lit(piece), value]
    return pl.concat_str(joined[:-1])


def _places(frame: pl.DataFrame, rows: np.ndarray) -> tuple[pl.DataFrame, np.ndarray]:
    """Return where the rows came from, each once with the rank of its place, and where to look.

    The position past the last row stands for the table as a whole, which has no place. Equal
    (file, sheet, row) have an equal rank; nulls come first.
    """
    is_needed = np.zeros(frame.height + 1, dtype=bool)
    is_needed[rows] = True
    needed = np.flatnonzero(is_needed)
    at = (np.cumsum(is_needed, dtype=np.uint32) - 1)[rows]
    has_table = bool(is_needed[-1])
    inside = needed[:-1] if has_table else needed
    sources = frame.with_columns(
        (pl.col(name) if name in frame.columns else pl.lit(None))
        .cast(FINDING_SCHEMA[name])
        .alias(name)
        for name in PROVENANCE
    ).select(PROVENANCE)
    sources = sources[inside]
    if has_table:
        sources = pl.concat(
            [
                sources,
                pl.DataFrame({n: [None] for n in PROVENANCE}).cast(
                    {n: FINDING_SCHEMA[n] for n in PROVENANCE}
                ),
            ]
        )
    keys = sources.select(
        _codes(sources["source_file"]), _codes(sources["source_sheet"]), "source_row"
    )
    order = keys.select(pl.arg_sort_by(keys.columns, nulls_last=False)).to_series()
    ordered = keys[order]
    steps = ordered.select(
        pl.any_horizontal(pl.all().ne_missing(pl.all().shift())).cast(pl.UInt32).cum_sum()
    ).to_series()
    place = np.empty(sources.height, dtype=np.uint32)
    place[order.to_numpy()] = steps.to_numpy()
    return sources.with_columns(pl.Series("place", place)), at


def _codes(names: pl.Series) -> pl.Series:
    """Return small integers that sort as the names do."""
    different = names.unique().drop_nulls().sort()
    if different.is_empty():
        return names.cast(pl.UInt32)
    return names.cast(pl.Enum(different)).to_physical()
