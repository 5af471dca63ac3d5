"""The IO manager: one Parquet file per asset and period, written atomically.

What belongs here: turning an asset key and partition into a path, and choosing eager or lazy Polars
by type annotation. What does not: the write itself (`htx_pipeline.storage`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from htx_pipeline import storage
from htx_pipeline.errors import InputError
from htx_pipeline.orchestration.metadata import frame_metadata
from htx_pipeline.settings import Settings


class ParquetIOManager(dg.ConfigurableIOManager):
    """Stores Polars frames below ``data_dir`` (the ``HTX_DATA_DIR`` setting when empty)."""

    data_dir: str = ""

    def _base(self) -> Path:
        return Path(self.data_dir) if self.data_dir else Settings().data_dir

    def _path(self, key: dg.AssetKey, period: str | None) -> Path:
        return storage.table_path(self._base(), key.to_user_string(), period=period)

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Write one frame and record rows, bytes and checksum; never a record."""
        if not isinstance(obj, pl.DataFrame | pl.LazyFrame):
            raise dg.Failure(
                description=f"{context.asset_key.to_user_string()} returned {type(obj).__name__}; this IO manager "
                "stores Polars frames. Return a DataFrame or LazyFrame, or give the asset another io_manager_key."
            )
        period = context.partition_key if context.has_asset_partitions else None
        try:
            written = storage.write_table(obj, self._path(context.asset_key, period))
        except InputError as exc:
            raise dg.Failure(description=str(exc)) from exc
        context.add_output_metadata(
            {
                "dagster/row_count": written.rows,
                "bytes": written.bytes,
                "sha256": written.sha256,
                "path": dg.MetadataValue.path(str(written.path)),
                **frame_metadata(obj),
            }
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame | pl.LazyFrame:
        """Read the frame of the same period, or of all periods of the mapping, stacked."""
        keys = list(context.asset_partition_keys) if context.has_asset_partitions else [None]
        paths = [self._path(context.asset_key, key) for key in keys]
        if len(paths) > 1:
            paths = [p for p in paths if p.exists()]
        lazy = context.dagster_type.typing_type is pl.LazyFrame
        try:
            if not paths:
                raise InputError(
                    "The table has not been made for any period yet.", where=context.asset_key.to_user_string(),
                    remedy="Materialize it first.", code="table_missing",
                )  # fmt: skip
            if lazy:
                return pl.concat([storage.scan_table(p) for p in paths], how="diagonal")
            return pl.concat([storage.read_frame(p) for p in paths], how="diagonal")
        except InputError as exc:
            raise dg.Failure(description=str(exc)) from exc
