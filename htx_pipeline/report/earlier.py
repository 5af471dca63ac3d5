"""What earlier public editions printed, and the core rows of those years, for the edition of today.

What belongs here: reading them from the data folder as frames. What does not: what follows from them
(`cells`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import polars as pl

from htx_pipeline.report.cells import EARLIER, PUBLISHED
from htx_pipeline.report.edition import POINTER, edition_folder
from htx_pipeline.report.trace import TRACE_FILE

TABLES: Final = ("linkages", "cooperative_reports")


def earlier_frames(data_dir: Path, period: str) -> dict[str, pl.DataFrame]:
    """Return frames of the years before *period* of which there is a public edition; empty ones where none.

    Returns
    -------
    dict
        ``earlier/published``: year, figure_id, value of each figure that the edition in force of that
        year printed; ``earlier/core/…``: the linkages and reports of those years.
    """
    from htx_pipeline.tables import list_tables, read_table

    printed = [pl.DataFrame(schema={"year": pl.String, "figure_id": pl.String, "value": pl.String})]
    rows: dict[str, list[pl.DataFrame]] = {t: [] for t in TABLES}
    there = list_tables(data_dir=data_dir)
    years = sorted(y for y in there["period"].drop_nulls().unique().to_list() if y < period)
    for year in years:
        trace = _trace(edition_folder(data_dir, "public", year))
        if trace is None:
            continue
        printed.append(
            trace.filter(~pl.col("is_hidden")).select(pl.lit(year).alias("year"), "figure_id", "value")
        )  # fmt: skip
        for table in TABLES:
            if there.filter(pl.col("table") == f"core/{table}", pl.col("period") == year).height:
                rows[table].append(read_table(f"core/{table}", period=year, data_dir=data_dir))
    found = {PUBLISHED: pl.concat(printed)}
    for table, frames in rows.items():
        if frames:
            found[f"{EARLIER}core/{table}"] = pl.concat(frames, how="diagonal_relaxed")
    return found


def _trace(out: Path) -> pl.DataFrame | None:
    pointer = out / POINTER
    if not pointer.is_file():
        return None
    path = out / str(json.loads(pointer.read_bytes())["edition"]) / TRACE_FILE
    return pl.read_parquet(path) if path.is_file() else None
