"""What a report can be told: names on its head, its date, its limits.

What belongs here: frozen, described fields. What does not: where things lie (`htx_pipeline.settings`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ReportOptions(BaseModel):
    """Named choices of one edition; the defaults suit a Vietnamese province."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(description="Province, programme or register the report is about.")]
    as_of: Annotated[
        date,
        Field(description="Date of the data, and the date inside each PDF; never the clock's."),
    ]
    is_synthetic: Annotated[
        bool, Field(description="Mark every page, sheet and picture as synthetic.")
    ] = False
    kind: Annotated[
        Literal["internal", "public"],
        Field(description="Edition for the office, or one that may be handed out."),
    ] = "internal"
    has_official_heading: Annotated[
        bool,
        Field(
            description="Print the national heading, number and signature blanks of Decree 30/2020."
        ),
    ] = True
    has_english: Annotated[
        bool, Field(description="Write each cluster's report in English beside the Vietnamese one.")
    ] = False
    title_en: Annotated[
        str, Field(description="The title in English; the Vietnamese one where empty.")
    ] = ""
    authority_parent: Annotated[
        str, Field(description="Authority above the issuing one, upper left.")
    ] = "ỦY BAN NHÂN DÂN TỈNH"
    authority: Annotated[str, Field(description="Issuing authority, upper left.")] = (
        "SỞ NÔNG NGHIỆP VÀ MÔI TRƯỜNG"
    )
    whole_label: Annotated[str, Field(description="What the whole is called in sentences.")] = (
        "Toàn tỉnh"
    )
    locality_label: Annotated[str, Field(description="Heading of the column of localities.")] = (
        "Địa bàn"
    )
    locality_label_en: Annotated[str, Field(description="The same heading on English pages.")] = (
        "Place"
    )
    currency_note: Annotated[
        str, Field(description="Printed under money, for example that amounts were converted.")
    ] = ""
    min_disclosure_count: Annotated[
        int,
        Field(ge=1, description="Fewest cooperatives behind a published mean or sum of incomes."),
    ] = 3
    min_cluster_size: Annotated[
        int,
        Field(ge=1, description="Clusters of fewer organisations are listed but get no report."),
    ] = 3
    max_cluster_reports: Annotated[
        int,
        Field(ge=0, description="Cluster reports written, in the order of the list of clusters."),
    ] = 40
    max_locality_reports: Annotated[
        int,
        Field(
            ge=0, description="Sheets of localities written, those with most cooperatives first."
        ),
    ] = 40
    max_commune_reports: Annotated[
        int,
        Field(ge=0, description="Sheets of communes written, those with most cooperatives first."),
    ] = 120
    members_printed: Annotated[
        int, Field(ge=1, description="Members printed in a cluster's PDF; the workbook has all.")
    ] = 40
    rows_printed: Annotated[
        int, Field(ge=1, description="Rows printed of any other long table; the workbook has all.")
    ] = 30

    boundaries_file: Annotated[
        Path | None,
        Field(
            description="Boundaries of communes (GeoJSON, TopoJSON, shapefile; WGS 84); points are drawn without."
        ),
    ] = None
    boundaries_code: Annotated[
        str, Field(description="Property of the boundaries that holds the commune's code.")
    ] = "code"

    @property
    def is_public(self) -> bool:
        """Return whether this is the edition that may be handed out."""
        return self.kind == "public"

    @property
    def kind_label(self) -> str:
        """Return what is printed on every file: which edition it is."""
        return "BẢN CÔNG BỐ" if self.is_public else "BẢN NỘI BỘ"

    def kind_label_in(self, lang: str) -> str:
        """Return the same in a language of the reports."""
        if lang == "vi":
            return self.kind_label
        return "PUBLIC EDITION" if self.is_public else "INTERNAL EDITION"

    @property
    def timestamp(self) -> datetime:
        """Return the moment written into files: midnight UTC of `as_of`."""
        return datetime(self.as_of.year, self.as_of.month, self.as_of.day, tzinfo=UTC)
