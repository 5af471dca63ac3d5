"""Tables for analysts: read what the pipeline made, without Dagster.

What belongs here: `read_table`, `scan_table`, `list_tables`. What does not: making tables.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from htx_pipeline import storage
from htx_pipeline.errors import InputError
from htx_pipeline.settings import Settings


def _data_dir(data_dir: Path | str | None) -> Path:
    return Path(data_dir) if data_dir is not None else Settings().data_dir


def list_tables(*, data_dir: Path | str | None = None) -> pl.DataFrame:
    """List the tables on disk.

    Returns
    -------
    DataFrame
        ``table`` (group/name), ``period`` (null for tables without periods), ``rows``, ``bytes``.

    Examples
    --------
    >>> list_tables(data_dir="nowhere").columns
    ['table', 'period', 'rows', 'bytes']
    """
    base = _data_dir(data_dir)
    rows = []
    for path in sorted(base.glob("*/*/**/[!.]*.parquet")):
        parts = path.relative_to(base).parts
        if parts[1].startswith("period="):
            continue  # A file of an edition, not a table.
        period = parts[2].removeprefix("period=") if parts[2].startswith("period=") else None
        count = int(storage.scan_table(path).select(pl.len()).collect().item())
        rows.append(
            {
                "table": f"{parts[0]}/{parts[1]}",
                "period": period,
                "rows": count,
                "bytes": path.stat().st_size,
            }
        )
    return pl.DataFrame(
        rows, schema={"table": pl.String, "period": pl.String, "rows": pl.Int64, "bytes": pl.Int64}
    )


def scan_table(
    key: str, *, period: str | None = None, data_dir: Path | str | None = None
) -> pl.LazyFrame:
    """Open a table lazily; all periods, stacked, when *period* is None.

    Raises
    ------
    InputError
        When the table does not exist (the nearest names are given) or a file is damaged.
    """
    base = _data_dir(data_dir)
    path = storage.table_path(base, key, period=period)
    if path.exists():
        return storage.scan_table(path)
    plain = storage.table_path(base, key)
    if plain.exists():
        return storage.scan_table(plain)
    every = sorted(plain.parent.glob("period=*/[!.]*.parquet"))
    if period is None and every:
        return pl.concat([storage.scan_table(p) for p in every], how="diagonal")
    known = sorted(
        {
            f"{p.parent.parent.parent.name}/{p.parent.parent.name}"
            for p in base.glob("*/*/period=*/*.parquet")
        }
    )
    periods = [p.parent.name.removeprefix("period=") for p in every]
    raise InputError(
        f"There is no table {key!r}" + (f" for period {period}." if period else "."), where=str(base),
        why=f"periods there are: {', '.join(periods)}" if periods else f"tables there are: {', '.join(known) or 'none'}",
        remedy="Check the name and HTX_DATA_DIR, or run the pipeline first.", code="table_missing",
    )  # fmt: skip


def read_table(
    key: str, *, period: str | None = None, data_dir: Path | str | None = None
) -> pl.DataFrame:
    """Read a table, for example ``read_table("core/linkages", period="2024")``.

    Parameters
    ----------
    key:
        ``group/table``.
    period:
        Reporting year; all, stacked, when None.
    data_dir:
        Where the tables lie; the ``HTX_DATA_DIR`` setting when None.

    Raises
    ------
    InputError
        When the table does not exist or a file is damaged.
    """
    return scan_table(key, period=period, data_dir=data_dir).collect()
