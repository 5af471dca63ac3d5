"""Resources and executor: settings from the environment, Parquet storage, one process."""

import dagster as dg

from htx_pipeline.orchestration.io_manager import ParquetIOManager
from htx_pipeline.orchestration.resources import SettingsResource


@dg.definitions
def resources() -> dg.Definitions:
    """Return what every asset is given."""
    return dg.Definitions(
        resources={"settings": SettingsResource(), "io_manager": ParquetIOManager()},
        executor=dg.in_process_executor,
    )
