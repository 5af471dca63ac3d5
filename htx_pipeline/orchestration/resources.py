"""What a run is given: settings and where tables lie, as Dagster resources.

What belongs here: adapters from `htx_pipeline.settings` to Dagster. What does not: new settings.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from pydantic import Field

from htx_pipeline.errors import InputError
from htx_pipeline.settings import PERIODS, Settings

PERIOD_PARTITIONS = dg.StaticPartitionsDefinition(list(PERIODS))
"""One partition a reporting year (15 December to 14 December), named by the year it ends in."""

WITH_PREVIOUS = dg.StaticPartitionMapping(
    {year: [y for y in (year, str(int(year) + 1)) if y in PERIODS] for year in PERIODS}
)
"""Upstream partition to downstream: a step reads its own period and the one before."""

WITH_EARLIER = dg.StaticPartitionMapping(
    {year: [later for later in PERIODS if later >= year] for year in PERIODS}
)
"""Upstream partition to downstream: a step reads its own period and all before it."""


class SettingsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings of a run: environment variables (``HTX_…``), overridden by `overrides`.

    Parameters
    ----------
    overrides:
        Setting name → value as text, as it would be written in the environment.
    """

    overrides: dict[str, str] = Field(default_factory=dict)

    def get(self) -> Settings:
        """Return the settings in force."""
        given: dict[str, Any] = dict(self.overrides)
        return Settings(**given)


def overrides_of(settings: Settings) -> dict[str, str]:
    """Return settings as text, each as it would be written in the environment.

    Examples
    --------
    >>> overrides_of(Settings(edition_kinds=("internal", "public")))["edition_kinds"]
    'internal,public'
    """
    return {
        k: ",".join(v) if isinstance(v, list) else str(v)
        for k, v in settings.model_dump(mode="json", exclude_none=True).items()
    }


def check_period(period: str) -> str:
    """Return *period* when the pipeline knows it.

    Raises
    ------
    InputError
        When it is not a year between the first and the last partition.
    """
    if period not in PERIODS:
        raise InputError(
            f"{period!r} is not a reporting year this pipeline knows.", where="period",
            why=f"known: {PERIODS[0]} to {PERIODS[-1]}",
            remedy="Name the year the reporting year ends in, for example 2024.",
            what_vi=f"Kỳ báo cáo {period!r} không hợp lệ.", remedy_vi=f"Chọn năm từ {PERIODS[0]} đến {PERIODS[-1]}.",
            code="period_out_of_range",
        )  # fmt: skip
    return period
