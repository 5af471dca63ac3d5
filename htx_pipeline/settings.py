"""Settings of a run: where things are, and the named choices that change results.

What belongs here: frozen, described fields, each settable by an ``HTX_…`` environment variable.
What does not: legal thresholds and targets, which are dated data in `reference/`.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from htx_pipeline.errors import InputError

SETTINGS_FILE: Final = "settings.toml"
"""Beside the mappings of a source: settings that belong to it, such as the title on reports."""

PERIODS: Final = tuple(str(year) for year in range(2010, 2036))
"""Reporting years the pipeline knows: 15 December of the year before to 14 December."""


def _listed(value: Any) -> Any:
    """Read "internal,public" as two words."""
    return (
        tuple(w.strip() for w in value.split(",") if w.strip()) if isinstance(value, str) else value
    )


class Settings(BaseSettings):
    """Everything a run can be told; the defaults make `htx demo` work."""

    model_config = SettingsConfigDict(env_prefix="HTX_", frozen=True, extra="ignore")

    data_dir: Annotated[
        Path, Field(description="Folder of the Parquet tables and the reports.")
    ] = Path("data")
    input_dir: Annotated[Path, Field(description="Folder that holds the source files.")] = Path(
        "data/input"
    )
    inbox_dir: Annotated[
        Path | None,
        Field(
            description="Folder in which files arrive; watched by the sensor `inbox` when given."
        ),
    ] = None
    schedule_cron: Annotated[
        str, Field(description="When the schedule `nightly` looks for new input (cron).")
    ] = "0 2 * * *"
    timezone: Annotated[str, Field(description="Time zone of the schedule.")] = "Asia/Ho_Chi_Minh"
    mappings_dir: Annotated[
        Path | None,
        Field(description="Folder of source mappings; the sample province's when absent."),
    ] = None
    corrections_file: Annotated[
        Path | None, Field(description="Corrections to apply to source cells (CSV).")
    ] = None
    province: Annotated[
        str | None,
        Field(description="Name or code of the province, to tell communes of one name apart."),
    ] = None
    title_vi: Annotated[str, Field(description="Name of the province or programme on reports.")] = (
        "Tỉnh mẫu"
    )
    title_en: Annotated[str, Field(description="The same, in English.")] = "Sample province"
    has_english: Annotated[
        bool, Field(description="Write each cluster's report in English beside the Vietnamese one.")
    ] = False
    has_official_heading: Annotated[
        bool, Field(description="Print the national heading of Decree 30/2020 on reports.")
    ] = True
    currency_note: Annotated[
        str, Field(description="Printed under money, for example that amounts were converted.")
    ] = ""
    whole_label: Annotated[str, Field(description="What the whole is called on reports.")] = (
        "Toàn tỉnh"
    )
    locality_label: Annotated[str, Field(description="What a locality is called on reports.")] = (
        "Địa bàn"
    )
    boundaries_file: Annotated[
        Path | None,
        Field(
            description="Boundaries of communes for maps (GeoJSON, TopoJSON or .shp, WGS 84); points are drawn without."
        ),
    ] = None
    boundaries_code: Annotated[
        str, Field(description="Property of the boundaries that holds the commune's code.")
    ] = "code"
    workers: Annotated[
        int | None,
        Field(
            ge=1, description="Processes that draw and write reports; as many as cores when absent."
        ),
    ] = None
    cache_mb: Annotated[
        int,
        Field(
            ge=0,
            description="Megabytes of drawings and documents kept between runs; what editions in force use always stays.",
        ),
    ] = 1000
    report_date: Annotated[
        date | None,
        Field(description="Date printed on reports; the day after the period's end when absent."),
    ] = None
    seed: Annotated[int, Field(ge=0, description="Seed of every step that draws.")] = 20
    leiden_resolution: Annotated[
        float,
        Field(
            gt=0, description="Resolution of the community search; higher means smaller clusters."
        ),
    ] = 1.0
    min_cluster_size: Annotated[
        int, Field(ge=2, description="Communities smaller than this get no report.")
    ] = 3
    max_cluster_reports: Annotated[
        int, Field(ge=0, description="Cluster reports written, largest first.")
    ] = 40
    max_rejected_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="A table that loses a larger share of its rows is not published.",
        ),
    ] = 0.5
    edition_kinds: Annotated[
        tuple[Literal["internal", "public"], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(
            description="Editions written, with commas between: internal below report/, public below cong-bo/.",
            min_length=1,
        ),
    ] = ("internal",)
    min_disclosure_count: Annotated[
        int,
        Field(ge=1, description="Fewest cooperatives behind a published mean or sum of incomes."),
    ] = 3
    base_uri: Annotated[
        str,
        Field(
            description="Begins the identifiers in linked-data exports; an address you control, ending in /."
        ),
    ] = "https://htx.example.org/id/"
    licence_name: Annotated[
        str, Field(description="Licence of exported data, such as CC-BY-4.0; empty: none stated.")
    ] = ""
    licence_address: Annotated[str, Field(description="Where that licence can be read.")] = ""

    @property
    def mappings(self) -> Path:
        """Return the folder of source mappings in force."""
        if self.mappings_dir is not None:
            return self.mappings_dir
        return Path(__file__).parent / "sample" / "mappings"

    def date_of_report(self, period: str) -> date:
        """Return the date printed on the report of *period*; never the clock's."""
        return self.report_date or date(int(period), 12, 15)


def load_settings(sources: Path, **given: Any) -> Settings:
    """Return settings for a folder of mappings: its ``settings.toml``, the environment, then *given*.

    Raises
    ------
    InputError
        When ``settings.toml`` is not TOML, or names a setting that does not exist or has a wrong value.
    """
    path = sources / SETTINGS_FILE
    from_file: dict[str, Any] = {}
    if path.exists():
        try:
            from_file = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise InputError(
                "The settings file is not valid TOML.",
                where=str(path),
                why=str(exc),
                remedy="Correct the file at the place named.",
                code="settings_invalid",
            ) from exc
        unknown = sorted(set(from_file) - set(Settings.model_fields))
        if unknown:
            raise InputError(
                "The settings file names settings that do not exist.",
                where=str(path),
                why=", ".join(unknown),
                remedy=f"Use: {', '.join(sorted(Settings.model_fields))}.",
                code="settings_invalid",
            )
    environment = Settings().model_dump(exclude_unset=True)
    try:
        return Settings(**{**from_file, **environment, "mappings_dir": sources, **given})
    except ValidationError as exc:
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise InputError(
            "A setting has a value that cannot be used.",
            where=str(path),
            why=reasons,
            remedy="Correct the value.",
            code="settings_invalid",
        ) from exc
