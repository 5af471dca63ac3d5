"""From frames to pages: what the overview and each cluster's report say.

What belongs here: choosing figures, putting them into sentences and tables, naming their source, and
saying what cannot be computed. Nothing is measured here that `metrics/` measures.
What does not: layout (`pdf`, `html`, `workbook`) and drawing (`figures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.cluster import ClusterPages
from htx_pipeline.report.departments import DepartmentPages
from htx_pipeline.report.frames import Frames
from htx_pipeline.report.localities import LocalityPages
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.overview import OverviewPages


class _Pages(OverviewPages, ClusterPages, LocalityPages, DepartmentPages):
    """Builds all pages of a report."""

    def cluster_pages(self) -> tuple[Page, ...]:
        return tuple(self.cluster_page(row) for row in self.reported_clusters())

    def report(self, translations: tuple[Page, ...]) -> Report:
        return Report(
            overview=self.overview(),
            clusters=self.cluster_pages(),
            localities=self.locality_pages(),
            departments=self.department_pages(),
            translations=translations,
            settings=self.o,
            period=self.f.period,
            withheld_cells=self.withheld,
            frames=self.f,
        )


def build_report(
    frames: Mapping[str, pl.DataFrame],
    *,
    period: str,
    options: ReportOptions,
    products: Mapping[str, str] | None = None,
) -> Report:
    """Return the pages of one period.

    Parameters
    ----------
    frames:
        Frames by key, as the asset graph stores them: ``core/<table>``, ``core/<table>_rejected``,
        ``core/<table>_findings``, ``raw/…findings``, ``metrics/…``. A frame that is absent or empty
        leaves its section out, or turns into a statement of what cannot be computed.
    period:
        The reporting year.
    options:
        Names, date and limits.
    products:
        Product code → label; the project's product list when None.

    Raises
    ------
    InputError
        When a frame lacks a column the report cannot do without.
    """
    if options.is_public:
        from htx_pipeline.report.handout import with_neutral_names

        frames = with_neutral_names(frames)
    read = Frames(frames, period=period)
    files = read.rows("raw/source_files", "is_synthetic")
    if any(r["is_synthetic"] for r in files) and not options.is_synthetic:
        options = options.model_copy(update={"is_synthetic": True})
    english = _Pages(read, options, products, lang="en") if options.has_english else None
    translations = english.cluster_pages() if english else ()
    report = _stamped(_Pages(read, options, products).report(translations), options)
    if options.is_public:
        from htx_pipeline.report.publish import protect

        return protect(report)
    return report


def _stamped(report: Report, options: ReportOptions) -> Report:
    """Say on every page which edition it belongs to."""

    def each(pages: tuple[Page, ...]) -> tuple[Page, ...]:
        return tuple(
            replace(p, subtitle=f"{p.subtitle} – {options.kind_label_in(p.lang)}") for p in pages
        )

    return replace(
        report, overview=each((report.overview,))[0], clusters=each(report.clusters), localities=each(report.localities),
        departments=each(report.departments), translations=each(report.translations),
    )  # fmt: skip
