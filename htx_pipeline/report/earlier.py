"""What earlier public editions printed, for the edition of today.

What belongs here: reading it from the data folder as a frame. What does not: what follows from it
(`cells`); the core rows of earlier years (`origins.earlier`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from htx_pipeline.report.cells import PUBLISHED
from htx_pipeline.report.shelf import POINTER, edition_folder
from htx_pipeline.report.trace import TRACE_FILE


def published_before(data_dir: Path, years: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Return the figures that the public editions in force of some years printed.

    Returns
    -------
    dict
        Under `cells.PUBLISHED`: year, figure_id, value. No row for a year without a public edition.
    """
    printed = [pl.DataFrame(schema={"year": pl.String, "figure_id": pl.String, "value": pl.String})]
    for year in sorted(set(years)):
        out = edition_folder(data_dir, "public", year)
        if not (out / POINTER).is_file():
            continue
        folder = out / str(json.loads((out / POINTER).read_bytes())["edition"])
        if (folder / TRACE_FILE).is_file():
            trace = pl.read_parquet(
                folder / TRACE_FILE, columns=["figure_id", "value", "is_hidden"]
            )
            printed.append(
                trace.filter(~pl.col("is_hidden")).select(pl.lit(year).alias("year"), "figure_id", "value")
            )  # fmt: skip
    return {PUBLISHED: pl.concat(printed)}
