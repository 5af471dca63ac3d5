"""What a builder of pages that have pictures knows: to ask for a map, a chain, small charts.

What belongs here: the pictures as methods. What does not: which numbers a picture shows (`pictures`, `map_spec`),
what all builders know (`builder`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from htx_pipeline.report.blocks import Figure, Source
from htx_pipeline.report.builder import Builder
from htx_pipeline.report.map_spec import map_figure
from htx_pipeline.report.pictures import chain_figure, trend_figure
from htx_pipeline.report.trends import Trend


class Illustrator(Builder):
    """A builder that draws."""

    def chain_figure(
        self, scope: str, page: str, stages: Mapping[str, int], *, by_linkage: Iterable[str] = ()
    ) -> Figure | None:
        """Return the chain by stage of one scope, see `pictures.chain_figure`."""
        return chain_figure(self, scope, page, stages, by_linkage=by_linkage)

    def map_figure(self, scope: str, page: str, *, tallest_in: float = 3.3) -> Figure | None:
        """Return the map of "province", a cluster's id or "locality:<name>", see `map_spec.map_figure`."""
        return map_figure(self, scope, page, tallest_in=tallest_in)

    def trend_figure(
        self, page: str, trends: Sequence[Trend], *, source: Source | None = None
    ) -> Figure:
        """Return small multiples over the years, see `pictures.trend_figure`."""
        return trend_figure(self, page, trends, source=source)
