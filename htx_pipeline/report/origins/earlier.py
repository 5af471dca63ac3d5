"""The core rows of earlier years, which points of trends and changes lead back to.

What belongs here: reading them under keys of their own. What does not: what they say (`rows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from htx_pipeline.report.frames import EARLIER

EARLIER_TABLES: Final = (
    "core/organisations", "core/cooperative_reports", "core/linkages", "core/plan_tasks", "core/plan_targets", "graph/communities", "graph/nodes",
    "metrics/clusters",
)  # fmt: skip
"""Tables that a figure of an earlier year may be made of."""


def earlier_frames(
    frames: Mapping[str, pl.DataFrame], *, period: str, data_dir: Path | str
) -> dict[str, pl.DataFrame]:
    """Return the frames of the years that the history tables speak of, by key ("earlier/2024/core/linkages").

    A table that a year does not have is left out: its figures then say that the rows of that year are
    not at hand.

    Parameters
    ----------
    frames:
        With `metrics/locality_history` and `metrics/cluster_history`, where they exist.
    period:
        The year of the report.
    """
    from htx_pipeline.storage import table_path
    from htx_pipeline.tables import read_table

    keys = ("metrics/locality_history", "metrics/cluster_history")
    told = [frames[k]["year"].cast(pl.String) for k in keys if k in frames and frames[k].height]
    years = sorted({y for column in told for y in column.to_list() if y < period})
    return {
        f"{EARLIER}{year}/{key}": read_table(key, period=year, data_dir=data_dir)
        for year in years
        for key in EARLIER_TABLES
        if table_path(Path(data_dir), key, period=year).is_file()
    }
