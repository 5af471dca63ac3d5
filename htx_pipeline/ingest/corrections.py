"""Corrections as data: who changed which source cell, from what, to what, why, and until when.

What belongs here: reading the corrections file and applying it to cells before they are parsed.
What does not: changing the source file, which stays as it was sent.

A correction names the value it expects to find. Once the source holds anything else (it was mended,
or replaced), the correction no longer applies and the run stops until somebody removes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import empty_findings, findings
from htx_pipeline.ingest._scan import column_number
from htx_pipeline.ingest.columns import cell_text
from htx_pipeline.ingest.grid import Grid

COLUMNS: Final = (
    "source_file",
    "source_sheet",
    "cell",
    "expect",
    "value",
    "who",
    "on",
    "why",
    "status",
)
"""Columns of a corrections file (CSV, UTF-8). ``status`` is ``active`` or ``retired``; an empty
``value`` empties the cell; ``source_sheet`` is ``csv`` for a text file."""

_CELL: Final = re.compile(r"^([A-Z]{1,3})([1-9]\d{0,6})$")


@dataclass(frozen=True)
class Corrections:
    """The active corrections, in the order of the file."""

    rows: tuple[dict[str, Any], ...]

    @staticmethod
    def none() -> Corrections:
        """Return no corrections."""
        return Corrections(())

    def apply(self, grid: Grid, *, source_file: str, sheet: str) -> pl.DataFrame:
        """Change the cells of one sheet in place and return one finding per change.

        Raises
        ------
        InputError
            ``correction_outdated``: the cell does not hold the expected value any more.
        """
        applied = []
        for row in self.rows:
            if row["source_file"] != source_file or row["source_sheet"] != sheet:
                continue
            letters, number = _CELL.match(row["cell"]).groups()  # type: ignore[union-attr]
            r, c = int(number) - 1, column_number(letters) - 1
            there = cell_text(grid.rows[r][c]) if r < grid.n_rows and c < grid.n_cols else None
            if there != row["expect"]:
                raise InputError(
                    "A correction no longer fits its source.", where=f"{source_file}, {sheet}, {row['cell']}",
                    why=f"it expects {row['expect']!r} and finds {there!r}",
                    remedy=f"The source has changed: set the correction's status to 'retired', or correct it (line {row['line']} of the corrections file).",
                    code="correction_outdated",
                )  # fmt: skip
            grid.set_text(r, c, row["value"] or "")
            applied.append(
                {
                    "rule_id": "correction_applied", "severity": "info", "source_file": source_file, "source_sheet": sheet,
                    "source_row": r + 1, "source_cell": row["cell"], "raw_value": row["expect"],
                    "reason_vi": f"Đã đính chính thành «{row['value'] or ''}» ({row['who']}, {row['on']}): {row['why']}",
                    "reason_en": f"Corrected to “{row['value'] or ''}” ({row['who']}, {row['on']}): {row['why']}",
                    "remedy_vi": "Sửa tại tệp gốc rồi bỏ đính chính.", "remedy_en": "Mend the source, then retire the correction.",
                }
            )  # fmt: skip
        return findings(applied) if applied else empty_findings()


def load_corrections(path: Path) -> Corrections:
    """Read a corrections file.

    Raises
    ------
    InputError
        When it is missing, lacks a column, or a line has no cell, no reason or no author.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError as exc:
        raise InputError(
            "The corrections file does not exist.",
            where=str(path),
            remedy="Check HTX_CORRECTIONS_FILE.",
            code="corrections_missing",
        ) from exc
    except pl.exceptions.PolarsError as exc:
        raise InputError(
            "The corrections file is not a CSV table.",
            where=str(path),
            why=str(exc).splitlines()[0],
            remedy=f"Use the columns {', '.join(COLUMNS)}.",
            code="corrections_invalid",
        ) from exc
    missing = [c for c in COLUMNS if c not in frame.columns]
    if missing:
        raise InputError(
            "The corrections file lacks columns.",
            where=str(path),
            why=", ".join(missing),
            remedy=f"Use the columns {', '.join(COLUMNS)}.",
            code="corrections_invalid",
        )
    rows = []
    for line, row in enumerate(frame.iter_rows(named=True), 2):
        for name in ("source_file", "source_sheet", "cell", "who", "on", "why"):
            if not row[name]:
                raise InputError(
                    f"A correction has no {name}.",
                    where=f"{path}, line {line}",
                    remedy="Say which cell, who changes it, when and why.",
                    code="corrections_invalid",
                )
        if not _CELL.match(row["cell"]):
            raise InputError(
                f"{row['cell']!r} is not the address of a cell.",
                where=f"{path}, line {line}",
                remedy="Write it like C12.",
                code="corrections_invalid",
            )
        if row["status"] not in {"active", "retired"}:
            raise InputError(
                f"Unknown status {row['status']!r}.",
                where=f"{path}, line {line}",
                remedy="Use active or retired.",
                code="corrections_invalid",
            )
        if row["status"] == "active":
            rows.append({**row, "line": line})
    return Corrections(tuple(rows))
