"""Findings: everything the pipeline has to say about a row or a cell, as one table.

What belongs here: the shape of a finding and the few functions that make and join them. The reader
(cells it could not read), the resolver (duplicates), validation (rules) and plausibility checks all
speak in this shape, so that the error workbook, the rejects table and the report read one thing.
What does not: deciding what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import polars as pl

SEVERITIES: Final = ("critical", "error", "warning", "info")
"""critical: publish nothing; error: the row is rejected; warning: the row is kept, mend it;
info: the row is kept, for your information (a choice the reader made)."""

FINDING_SCHEMA: Final[dict[str, pl.DataType]] = {
    "rule_id": pl.String(),
    "severity": pl.String(),
    "table": pl.String(),
    "source_id": pl.String(),
    "source_file": pl.String(),
    "source_sheet": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "column": pl.String(),
    "raw_value": pl.String(),
    "reason_vi": pl.String(),
    "reason_en": pl.String(),
    "remedy_vi": pl.String(),
    "remedy_en": pl.String(),
}
"""Columns of a findings frame. ``source_row`` is the 1-based row of the sheet (or CSV record);
``source_cell`` is the A1 address when one cell is meant, else null."""

FINDING_ORDER: Final = (
    "source_file",
    "source_sheet",
    "source_row",
    "column",
    "rule_id",
    "raw_value",
)


def empty_findings() -> pl.DataFrame:
    """Return a findings frame with no rows.

    Examples
    --------
    >>> empty_findings().height
    0
    """
    return pl.DataFrame(schema=FINDING_SCHEMA)


def findings(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Build a findings frame; fields left out are null. Unknown fields are an error.

    Examples
    --------
    >>> findings([{"rule_id": "not_a_number", "severity": "warning", "source_row": 7}]).height
    1
    """
    rows = list(rows)
    for row in rows:
        unknown = set(row) - set(FINDING_SCHEMA)
        if unknown:
            raise KeyError(f"not columns of a finding: {sorted(unknown)}")
    return pl.DataFrame(
        [{k: row.get(k) for k in FINDING_SCHEMA} for row in rows], schema=FINDING_SCHEMA
    )


def findings_from_rows(
    rows: pl.DataFrame,
    *,
    table: str,
    rule_id: str,
    severity: str,
    reason_vi: str | pl.Expr,
    reason_en: str | pl.Expr,
    remedy_vi: str | pl.Expr,
    remedy_en: str | pl.Expr,
    column: str | None = None,
    raw_value: pl.Expr | None = None,
) -> pl.DataFrame:
    """Make one finding for each row of *rows*, which carries the provenance columns.

    Texts may be strings or expressions over the rows.

    Examples
    --------
    >>> rows = pl.DataFrame({"source_id": ["ab:S:2"], "source_file": ["a.xlsx"],
    ...                      "source_sheet": ["S"], "source_row": [2], "name": ["HTX A"]})
    >>> made = findings_from_rows(rows, table="organisations", rule_id="duplicate_row", severity="error",
    ...     reason_vi="Trùng", reason_en="Duplicate", remedy_vi="Xóa", remedy_en="Delete", raw_value=pl.col("name"))
    >>> made["raw_value"].to_list()
    ['HTX A']
    """

    def text(value: str | pl.Expr | None) -> pl.Expr:
        return (
            value.cast(pl.String) if isinstance(value, pl.Expr) else pl.lit(value, dtype=pl.String)
        )

    fields: dict[str, pl.Expr] = {
        "rule_id": text(rule_id),
        "severity": text(severity),
        "table": text(table),
        "source_id": pl.col("source_id"),
        "source_file": pl.col("source_file"),
        "source_sheet": pl.col("source_sheet"),
        "source_row": pl.col("source_row").cast(pl.Int64),
        "source_cell": text(None),
        "column": text(column),
        "raw_value": text(raw_value),
        "reason_vi": text(reason_vi),
        "reason_en": text(reason_en),
        "remedy_vi": text(remedy_vi),
        "remedy_en": text(remedy_en),
    }
    # Polars 2.1 panics in `format` on a frame whose first chunk is empty.
    return rows.rechunk().select(**fields)


def concat_findings(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Join findings frames in the canonical order (file, sheet, row, column, rule).

    Examples
    --------
    >>> concat_findings([empty_findings(), empty_findings()]).columns[0]
    'rule_id'
    """
    frames = [empty_findings(), *frames]
    return pl.concat(frames).sort(FINDING_ORDER, nulls_last=False, maintain_order=True)


def with_thousands(whole: pl.Expr, *, lang: Literal["vi", "en"]) -> pl.Expr:
    """Write whole numbers as a sentence has them: a point between thousands, in English a comma.

    Examples
    --------
    >>> frame = pl.DataFrame({"n": [1013, 12, -1234567, None]})
    >>> frame.select(n=with_thousands(pl.col("n"), lang="vi"))["n"].to_list()
    ['1.013', '12', '-1.234.567', None]
    """
    mark = {"vi": ".", "en": ","}[lang]
    groups = whole.abs().cast(pl.String).str.reverse().str.extract_all(r"\d{1,3}").list.join(mark)
    return (
        pl.when(whole < 0).then(pl.lit("-") + groups.str.reverse()).otherwise(groups.str.reverse())
    )
