"""Findings: everything the pipeline has to say about a row or a cell, as one table.

What belongs here: the shape of a finding and the few functions that make and join them. The reader
(cells it could not read), the resolver (duplicates), validation (rules) and plausibility checks all
speak in this shape, so that the error workbook, the rejects table and the report read one thing.
What does not: deciding what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

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


def concat_findings(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Join findings frames in the canonical order (file, sheet, row, column, rule).

    Examples
    --------
    >>> concat_findings([empty_findings(), empty_findings()]).columns[0]
    'rule_id'
    """
    frames = [empty_findings(), *frames]
    return pl.concat(frames).sort(FINDING_ORDER, nulls_last=False, maintain_order=True)
