"""Source mappings: how one kind of file becomes rows of one canonical table, written as TOML.

What belongs here: the model of a mapping file, loading it with errors that say which file, which key
and why, and choosing the files it applies to. What does not: reading the files (`ingest.read`).

A new form, or another country's register, comes in with a mapping and no code.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from htx_pipeline.errors import InputError
from htx_pipeline.schemas import TABLES
from htx_pipeline.settings import SETTINGS_FILE

__all__ = [
    "ColumnRule",
    "Mapping",
    "PeriodRule",
    "SheetRule",
    "UnitRule",
    "load_mapping",
    "load_mappings",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SheetRule(_Model):
    """Which sheets of a workbook the mapping reads."""

    name: Annotated[str | None, Field(description="The sheet with exactly this name.")] = None
    pattern: Annotated[
        str | None, Field(description="Every sheet whose name matches this regular expression.")
    ] = None
    columns: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z]{1,3}:[A-Z]{1,3}$",
            description='Only these columns, as "F:J", where tables stand side by side.',
        ),
    ] = None
    include_hidden: Annotated[
        bool, Field(description="Read hidden sheets too; they are named, not read, otherwise.")
    ] = False


class PeriodRule(_Model):
    """Where a row's reporting year comes from: exactly one of the four."""

    constant: Annotated[
        str | tuple[str, ...] | None,
        Field(
            description="The same year for every row; several years when a register serves them all."
        ),
    ] = None
    column: Annotated[
        str | None, Field(description="A column of the source that holds the year.")
    ] = None
    date_column: Annotated[
        str | None, Field(description="A canonical date column; 15 December begins the next year.")
    ] = None
    path_pattern: Annotated[
        str | None,
        Field(description="A regular expression on the file's path with one group: the year."),
    ] = None
    note: Annotated[
        str, Field(description="Why this year, when it is a choice; shown in reports.")
    ] = ""

    @property
    def constants(self) -> tuple[str, ...]:
        """Return the constant years; empty when the year comes from elsewhere."""
        if self.constant is None:
            return ()
        return (self.constant,) if isinstance(self.constant, str) else self.constant

    @model_validator(mode="after")
    def _one(self) -> PeriodRule:
        given = [
            x
            for x in (self.constant, self.column, self.date_column, self.path_pattern)
            if x is not None
        ]
        if len(given) != 1:
            raise ValueError("give exactly one of constant, column, date_column, path_pattern")
        wrong = [c for c in self.constants if not re.fullmatch(r"\d{4}", c)]
        if wrong:
            raise ValueError(f"not a reporting year: {wrong[0]!r}; write it like '2024'")
        return self


class UnitRule(_Model):
    """A unit this project does not know: its factor to the canonical unit, with the reason."""

    factor: Annotated[float, Field(gt=0, description="Canonical amount of one of these.")]
    unit: Annotated[str, Field(description="The canonical unit: VND, ha, tonnes, …")]
    note: Annotated[str, Field(description="Source of the factor; shown in reports.")]
    is_verified: Annotated[
        bool, Field(description="Whether the factor was checked against its source.")
    ] = False


class ColumnRule(_Model):
    """How one canonical column is filled."""

    source: Annotated[
        str | tuple[str, ...], Field(description="Heading, or several in order of preference.")
    ]
    unit: Annotated[
        str | None, Field(description="Unit the source writes in, e.g. 'million VND'.")
    ] = None
    number: Annotated[
        Literal["auto", "vi", "en", "plain"], Field(description="Number convention of the column.")
    ] = "auto"
    date: Annotated[
        Literal["auto", "dmy", "mdy", "ymd"], Field(description="Date order of the column.")
    ] = "auto"
    charset: Annotated[
        str | None, Field(description="Legacy charset of the column; 'auto' to detect.")
    ] = None
    values: Annotated[
        dict[str, str], Field(description="Source value → canonical code (compared without case).")
    ] = {}
    other: Annotated[
        str | None, Field(description="Canonical code for values not listed in `values`.")
    ] = None
    extract: Annotated[
        str | None, Field(description="Regular expression with one group applied to the text.")
    ] = None
    fill_down: Annotated[
        bool, Field(description="An empty cell takes the value above (merged cells).")
    ] = False
    is_optional: Annotated[bool, Field(description="No error when the heading is absent.")] = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Return the headings in order of preference."""
        return (self.source,) if isinstance(self.source, str) else self.source


class Mapping(_Model):
    """One kind of source file, mapped onto one canonical table."""

    version: Annotated[Literal[1], Field(description="Version of the mapping format.")] = 1
    id: Annotated[
        str,
        Field(pattern=r"^[a-z0-9_]+$", description="Unique name; part of findings and metadata."),
    ]
    table: Annotated[str, Field(description="Canonical table the rows belong to.")]
    label_vi: Annotated[str, Field(description="Name of the source for readers.")] = ""
    label_en: Annotated[str, Field(description="Name of the source for readers.")] = ""
    source_agency: Annotated[str, Field(description="Who issues the source.")] = ""
    licence: Annotated[str, Field(description="Licence or standing of the source.")] = ""
    is_synthetic: Annotated[
        bool, Field(description="Marks everything made from it as synthetic.")
    ] = False
    is_party_list: Annotated[
        bool,
        Field(
            description="Rows name parties of linkages: repeated organisations are merged, not duplicates."
        ),
    ] = False
    priority: Annotated[
        int, Field(description="Where two sources name the same key, the higher number wins.")
    ] = 0
    files: Annotated[
        tuple[str, ...], Field(min_length=1, description="Globs below the data folder.")
    ]
    encoding: Annotated[
        str | None, Field(description="Encoding of text files; detected when absent.")
    ] = None
    separator: Annotated[
        str | None, Field(description="Separator of text files; detected when absent.")
    ] = None
    sheet: Annotated[SheetRule, Field(description="Which sheets.")] = SheetRule()
    header_rows: Annotated[
        Literal["auto"] | tuple[int, ...],
        Field(description="Rows of the headings, counted from 1, or 'auto'."),
    ] = "auto"
    period: Annotated[PeriodRule, Field(description="Where the reporting year comes from.")]
    columns: Annotated[
        dict[str, ColumnRule], Field(min_length=1, description="Canonical column → rule.")
    ]
    constants: Annotated[
        dict[str, str | int | float | bool], Field(description="Canonical column → value.")
    ] = {}
    units: Annotated[dict[str, UnitRule], Field(description="Units that are not built in.")] = {}

    @model_validator(mode="after")
    def _fits_the_table(self) -> Mapping:
        if self.table not in TABLES:
            raise ValueError(f"unknown table {self.table!r}{_nearest(self.table, TABLES)}")
        table = TABLES[self.table]
        names = [c.name for c in table.columns]
        for name in (*self.columns, *self.constants):
            if name not in names:
                raise ValueError(f"{self.table} has no column {name!r}{_nearest(name, names)}")
        both = set(self.columns) & set(self.constants)
        if both:
            raise ValueError(f"columns given both a source and a constant: {sorted(both)}")
        for name, rule in self.columns.items():
            allowed = {c.code for c in table[name].codes}
            wrong = (
                sorted({*rule.values.values(), *([rule.other] if rule.other else [])} - allowed)
                if allowed
                else []
            )
            if wrong:
                raise ValueError(
                    f"columns.{name}.values: not codes of {self.table}.{name}: {wrong}; allowed: {sorted(allowed)}"
                )
            if rule.extract is not None and re.compile(rule.extract).groups != 1:
                raise ValueError(f"columns.{name}.extract needs exactly one group")
        for pattern in (self.sheet.pattern, self.period.path_pattern):
            if pattern is not None:
                re.compile(pattern)
        return self

    def matching_files(self, data_dir: Path) -> list[Path]:
        """Return the files below *data_dir* that the mapping applies to, sorted by path.

        Temporary files of spreadsheet programs (``~$…``, ``.~lock…``) are passed over.
        """
        found = {
            p
            for pattern in self.files
            for p in data_dir.glob(pattern)
            if p.is_file() and not p.name.startswith(("~$", ".~lock", "."))
        }
        return sorted(found, key=lambda p: p.relative_to(data_dir).as_posix())


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; nearest: {close[0]!r}" if close else ""


def _describe(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        place = ".".join(str(x) for x in item["loc"]) or "the whole mapping"
        parts.append(f"{place}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)


def load_mapping(path: Path) -> Mapping:
    """Read one mapping file.

    Raises
    ------
    InputError
        When the file is missing, is not TOML, or does not describe a mapping: which key and why.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError(
            "The mapping file does not exist.",
            where=str(path),
            remedy="Check the path.",
            code="mapping_missing",
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InputError(
            "The mapping file is not valid TOML.",
            where=str(path),
            why=str(exc),
            remedy="Correct the file at the place named.",
            code="mapping_syntax",
        ) from exc
    try:
        return Mapping.model_validate(content)
    except ValidationError as exc:
        raise InputError(
            "The mapping file does not describe a source.", where=str(path), why=_describe(exc),
            remedy="See docs/mappings.md for the keys of a mapping.", code="mapping_invalid",
        ) from exc  # fmt: skip
    except re.error as exc:
        raise InputError(
            "A regular expression of the mapping is not valid.",
            where=str(path),
            why=str(exc),
            remedy="Correct the expression.",
            code="mapping_invalid",
        ) from exc


def load_mappings(folder: Path) -> list[Mapping]:
    """Read every ``*.toml`` of a folder, sorted by id.

    Raises
    ------
    InputError
        When the folder is missing or holds no mapping, or two mappings share an id.
    """
    paths = (
        sorted(p for p in folder.glob("*.toml") if p.name != SETTINGS_FILE)
        if folder.is_dir()
        else []
    )
    if not paths:
        raise InputError(
            "No source mappings found.", where=str(folder),
            why="the folder does not exist" if not folder.is_dir() else "it holds no .toml file",
            remedy="Name a folder that holds one mapping (.toml) per kind of source.", code="mappings_missing",
        )  # fmt: skip
    mappings = [load_mapping(p) for p in paths]
    seen: dict[str, Path] = {}
    for mapping, path in zip(mappings, paths, strict=True):
        if mapping.id in seen:
            raise InputError(
                "Two mappings have the same id.",
                where=f"{seen[mapping.id]} and {path}",
                remedy=f"Rename one of the two '{mapping.id}'.",
                code="mapping_duplicate",
            )
        seen[mapping.id] = path
    return sorted(mappings, key=lambda m: m.id)
