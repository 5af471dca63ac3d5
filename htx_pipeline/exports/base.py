"""What all exports share: their options, clean text, and the refusal of a file that reads back wrong.

What belongs here: `ExportOptions`, `Exported`, `need`, `plain`, `flat`, `read_back_wrong`. What does not:
formats (one module each), and where files go (`publish`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from htx_pipeline.errors import InputError
from htx_pipeline.graph.query import clean

Frames = Mapping[str, pl.DataFrame]
"""Frames of one period by table key, such as ``core/organisations``."""

TIME_ZONE: Final = "+07:00"
"""Việt Nam has one time zone and no summer time."""

_BREAKS: Final = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")


class ExportOptions(BaseModel):
    """Named choices of one set of exports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    period: Annotated[str, Field(pattern=r"^\d{4}$", description="Reporting year.")]
    as_of: Annotated[date, Field(description="Date of the data, written into files.")]
    title: Annotated[str, Field(description="Province, programme or register.")] = ""
    kind: Annotated[
        Literal["internal", "public"],
        Field(description="Public files may only hold what disclosure control lets through."),
    ] = "internal"
    is_synthetic: Annotated[bool, Field(description="Say in each file that it is made up.")] = False
    base_uri: Annotated[
        str,
        Field(
            pattern=r"^https?://[^\s<>\"{}|\\^`]+/$",
            description="Begins every identifier in JSON-LD and EPCIS files; an address you control.",
        ),
    ] = "https://htx.example.org/id/"
    licence_name: Annotated[
        str, Field(description="Licence of the data, such as CC-BY-4.0; empty: none stated.")
    ] = ""
    licence_address: Annotated[str, Field(description="Where the licence can be read.")] = ""
    boundaries_file: Annotated[
        Path | None,
        Field(description="Boundaries of communes (GeoJSON, TopoJSON, .shp; WGS 84)."),
    ] = None
    boundaries_code: Annotated[
        str, Field(description="Property of the boundaries that holds the commune's code.")
    ] = "code"
    csv_headings: Annotated[
        Literal["vi", "en", "columns"],
        Field(description="Headings of CSV files: Vietnamese, English, or the columns' names."),
    ] = "vi"
    csv_decimal: Annotated[
        Literal["point", "comma"],
        Field(
            description="With a comma, cells are separated by semicolons, as such an Excel expects."
        ),
    ] = "point"

    @property
    def timestamp(self) -> str:
        """Return the moment written into files: midnight of `as_of` in Việt Nam; never the clock's."""
        return f"{self.as_of.isoformat()}T00:00:00{TIME_ZONE}"

    @property
    def title_line(self) -> str:
        """Return what a file is called inside, marked where the data are made up."""
        mark = " (SỐ LIỆU GIẢ ĐỊNH / synthetic data)" if self.is_synthetic else ""
        return f"{self.title or 'HTX'} {self.period}{mark}"


@dataclass(frozen=True, slots=True)
class Exported:
    """Files of one format by relative name, and what had to be counted while they were made."""

    files: Mapping[str, bytes]
    counts: Mapping[str, int] = field(default_factory=dict)


def need(frames: Frames, key: str) -> pl.DataFrame:
    """Return the frame of *key*.

    Raises
    ------
    InputError
        It is not there.
    """
    if key not in frames:
        raise InputError(
            f"The export needs the table {key}.", where="export",
            remedy="Run the pipeline for this period first.", code="table_missing",
        )  # fmt: skip
    return frames[key]


def plain(text: str) -> str:
    """Return text on one line, in Unicode NFC, without what XML forbids (replaced by U+FFFD).

    Examples
    --------
    >>> plain("HTX\\n Đắk\\x00"), plain("Đa\u0306\u0301k") == "Đắk"
    ('HTX Đắk\ufffd', True)
    """
    return clean(unicodedata.normalize("NFC", _BREAKS.sub(" ", text).replace("  ", " ")))


def nfc(value: Any) -> Any:
    """Return *value* with every text in it in Unicode NFC."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {k: nfc(v) for k, v in value.items()}
    return [nfc(v) for v in value] if isinstance(value, list) else value


def json_value(value: Any) -> Any:
    """Return a cell as JSON holds it: dates as ISO text.

    Examples
    --------
    >>> json_value([date(2024, 1, 2), {"a": None}])
    ['2024-01-02', {'a': None}]
    """
    if isinstance(value, list):
        return [json_value(v) for v in value]
    if isinstance(value, dict):
        return {k: json_value(v) for k, v in value.items()}
    return value.isoformat() if isinstance(value, date) else nfc(value)


def flat(value: Any) -> Any:
    """Return a cell for formats without lists: lists of texts joined with ``;``, records as JSON.

    Examples
    --------
    >>> flat(["a", "b"]), flat([{"x": 1}]), flat(2.5)
    ('a;b', '[{"x": 1}]', 2.5)
    """
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ";".join(value)
    if isinstance(value, list | dict):
        return json.dumps(json_value(value), ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else value


def json_bytes(content: Any, *, name: str) -> bytes:
    """Return *content* as JSON (UTF-8, one line a level), after it reads back equal."""
    data = (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    if json.loads(data) != content:
        raise read_back_wrong(name, "the JSON values differ")
    return data


def read_back_wrong(name: str, why: str) -> InputError:
    """Return the error that keeps a file from being published."""
    return InputError(
        f"{name} does not read back as what was written, and is not published.", where=name, why=why,
        remedy="Tell the maintainer; the other formats can be written without this one.",
        code="export_read_back",
    )  # fmt: skip


def rows_by_id(frame: pl.DataFrame, *keys: str) -> Iterable[dict[str, Any]]:
    """Iterate over the rows of *frame* sorted by *keys*, then by everything that can be compared."""
    rest = [c for c, t in frame.schema.items() if not t.is_nested() and c not in keys]
    return frame.sort([*keys, *rest], nulls_last=True).iter_rows(named=True)
