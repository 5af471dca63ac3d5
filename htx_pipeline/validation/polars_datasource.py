"""Great Expectations' data source for Polars frames: ``context.data_sources.add_polars(…)``.

What belongs here: handing a frame and its references over as a batch. What does not: evaluating
anything on it (`polars_engine`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import polars as pl

from htx_pipeline.validation._gx import (
    Batch,
    BatchRequest,
    DataAsset,
    Datasource,
    IDDict,
    InvalidBatchRequestError,
    LegacyBatchDefinition,
    RuntimeDataBatchSpec,
    pydantic,
)
from htx_pipeline.validation.polars_engine import PolarsExecutionEngine

_EngineClass = type[PolarsExecutionEngine]


class PolarsFrameAsset(DataAsset):  # type: ignore[type-arg]
    """A table handed over as a Polars frame with every batch.

    Batch parameters: ``dataframe`` (a DataFrame or LazyFrame) and, optionally, ``references``
    (name → DataFrame).
    """

    type: Literal["polars_frame"] = "polars_frame"

    class Config:
        extra = pydantic.Extra.forbid

    def test_connection(self) -> None:
        """Return: there is nothing to connect to."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Return the names of the batch parameters."""
        return ("dataframe",)

    def build_batch_request(
        self,
        options: Mapping[str, Any] | None = None,
        batch_slice: Any = None,
        partitioner: Any = None,
    ) -> BatchRequest[Any]:
        """Return a request for one batch, which holds the frame."""
        if not options or "dataframe" not in options or set(options) > {"dataframe", "references"}:
            raise InvalidBatchRequestError("give a dataframe, and optionally references")
        return BatchRequest(
            datasource_name=self.datasource.name, data_asset_name=self.name, options=dict(options)
        )

    def _validate_batch_request(self, batch_request: BatchRequest[Any]) -> None:
        if not isinstance(batch_request.options.get("dataframe"), (pl.DataFrame, pl.LazyFrame)):
            raise InvalidBatchRequestError("dataframe is not a Polars frame")

    def get_batch_identifiers_list(self, batch_request: BatchRequest[Any]) -> list[dict[str, Any]]:
        """Return the one batch there is."""
        return [IDDict()]

    def get_batch(self, batch_request: BatchRequest[Any]) -> Batch:
        """Return the batch, on an engine of its own: nothing of it outlives its use."""
        self._validate_batch_request(batch_request)
        spec = RuntimeDataBatchSpec(batch_data=batch_request.options["dataframe"])
        spec["references"] = batch_request.options.get("references")
        data, markers = PolarsExecutionEngine().get_batch_data_and_markers(spec)
        request = BatchRequest[Any](
            datasource_name=self.datasource.name, data_asset_name=self.name, options={}
        )
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=request,
            data=data,
            batch_markers=markers,
            batch_spec=spec,
            batch_definition=LegacyBatchDefinition(
                datasource_name=self.datasource.name,
                data_connector_name="fluent",
                data_asset_name=self.name,
                batch_identifiers=IDDict(),
            ),
        )


class PolarsDatasource(Datasource):  # type: ignore[type-arg]
    """Great Expectations' data source for Polars frames: ``context.data_sources.add_polars(…)``."""

    asset_types: ClassVar[Sequence[type[DataAsset[Any, Any]]]] = [PolarsFrameAsset]

    type: Literal["polars"] = "polars"
    assets: list[PolarsFrameAsset] = []  # noqa: RUF012 - pydantic copies it

    @property
    def execution_engine_type(self) -> _EngineClass:
        """Return the engine its batches run on."""
        return PolarsExecutionEngine

    def test_connection(self, test_assets: bool = True) -> None:
        """Return: there is nothing to connect to."""

    def add_frame_asset(self, name: str) -> PolarsFrameAsset:
        """Add a table under *name*."""
        asset: PolarsFrameAsset = self._add_asset(PolarsFrameAsset(name=name))
        return asset
