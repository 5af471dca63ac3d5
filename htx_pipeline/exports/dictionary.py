"""What every column of every table means, for files that leave the house.

What belongs here: the schemas' columns, and ``columns.toml`` for computed tables, as one lookup.
What does not: the definitions behind a measure (`docs/metrics/`), rules (`expectations/`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl

from htx_pipeline.exports.base import Frames
from htx_pipeline.schemas import TABLES, Code, Column

GROUPS: Final = ("core", "graph", "metrics")
"""Folders whose tables are exported; `raw` and what was rejected stay in the house."""

_UNITS_VI: Final = {"VND": "đồng", "tonnes": "tấn", "share": "0–1", "degree": "độ", "point": "điểm"}
_COUNTED: Final = frozenset({"person", "household", "organisation"})
"""Units that the label says already: "Số hộ tham gia"."""

_YES_NO: Final = {"vi": {True: "Có", False: "Không"}, "en": {True: "Yes", False: "No"}}

_ENDINGS: Final = {
    "_vnd": "VND", "_ha": "ha", "_tonnes": "tonnes", "_share": "share", "_km2": "km²",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is known of one column; empty texts where nothing is."""

    name: str
    title_vi: str = ""
    title_en: str = ""
    description: str = ""
    unit: str = ""
    source: str = ""
    codes: tuple[Code, ...] = ()
    references: str | None = None
    constraints: dict[str, Any]

    @property
    def is_known(self) -> bool:
        """Return whether the column is described at all."""
        return bool(self.title_vi and self.title_en)

    def heading(self, language: str) -> str:
        """Return the heading of a column, with its unit: ``Giá trị đã thanh toán (đồng)``."""
        title = (self.title_vi if language == "vi" else self.title_en) or self.name
        unit = "" if self.unit in _COUNTED else self.unit
        if language == "vi" or unit == "share":
            unit = _UNITS_VI.get(unit, unit)
        return f"{title} ({unit})" if unit and f"({unit})" not in title else title

    def labels(self, language: str) -> dict[str, str]:
        """Return code → label."""
        return {c.code: c.label_vi if language == "vi" else c.label_en for c in self.codes}


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutTable:
    """What is known of one table."""

    title_vi: str
    title_en: str
    description: str
    key: tuple[str, ...] = ()
    source: str = ""


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(
        resources.files("htx_pipeline.exports").joinpath("columns.toml").read_text("utf-8")
    )


def table_keys(frames: Frames) -> list[str]:
    """Return the keys of the tables that are exported, sorted; not what was rejected or found wrong."""
    inner = ("_rejected", "_findings", "_ledger", "_plausibility")
    hidden = {"core/findings", "core/ledger"}
    return sorted(
        k for k in frames if k.split("/")[0] in GROUPS and not k.endswith(inner) and k not in hidden
    )


def file_name(key: str) -> str:
    """Return the name of a table's file without its ending.

    Examples
    --------
    >>> file_name("core/linkages")
    'core-linkages'
    """
    return key.replace("/", "-")


def table_about(key: str) -> AboutTable:
    """Return what is known of a table.

    Examples
    --------
    >>> table_about("core/linkages").title_vi, table_about("metrics/risk").title_en
    ('Liên kết', 'Risk')
    """
    group, _, name = key.partition("/")
    if group == "core" and name in TABLES:
        table = TABLES[name]
        words = f"{table.label_en}: {table.description} One row: {table.grain}. {table.warning}"
        return AboutTable(title_vi=table.label_vi, title_en=table.label_en, description=words.strip(), key=table.key, source=table.source)  # fmt: skip
    known = _raw()["tables"].get(key)
    if known is None:
        return AboutTable(title_vi=name, title_en=name, description="")
    vi, en, words = known
    return AboutTable(title_vi=vi, title_en=en, description=f"{en}: {words}")


def described(key: str, name: str, dtype: pl.DataType) -> Described:
    """Return what is known of one column of one table.

    A column of a source table is described by its schema; one of a computed table by ``columns.toml``
    (``[special."group/table"]`` first), else by the column of the same name in a source table, without
    that one's limits.

    Examples
    --------
    >>> described("core/linkages", "area_ha", pl.Float64()).heading("vi")
    'Diện tích (ha)'
    >>> described("graph/nodes", "n_buyers", pl.Int64()).heading("en")
    'Buyers'
    """
    group, _, table = key.partition("/")
    if group == "core" and table in TABLES and name in TABLES[table]:
        return _of_schema(TABLES[table][name])
    raw = _raw()
    own = raw["special"].get(key, {}).get(name) or raw["columns"].get(name)
    unit = next((u for e, u in _ENDINGS.items() if name.endswith(e)), "")
    if own is not None:
        vi, en, *rest = own
        codes = _codes(name)
        return Described(name=name, title_vi=vi, title_en=en, description=f"{en}. {rest[0]}" if rest else en, unit=unit, codes=codes, constraints={})  # fmt: skip
    for other in TABLES.values():
        if name in other:
            same = _of_schema(other[name])
            return Described(name=name, title_vi=same.title_vi, title_en=same.title_en, description=same.description, unit=same.unit, codes=same.codes, constraints={})  # fmt: skip
    del dtype
    return Described(name=name, unit=unit, constraints={})


def readable(frame: pl.DataFrame, key: str, *, language: str = "vi") -> pl.DataFrame:
    """Return a table with headings and coded values as people read them.

    Parameters
    ----------
    frame:
        Some or all columns of a table.
    key:
        Which table they are of.
    language:
        ``vi`` or ``en``.

    Examples
    --------
    >>> readable(pl.DataFrame({"evidence": ["executed"], "area_ha": [2.5]}), "core/linkages").to_dicts()
    [{'Mức độ bằng chứng': 'Đã thực hiện', 'Diện tích (ha)': 2.5}]
    """
    columns: dict[str, pl.Series] = {}
    for name, dtype in frame.schema.items():
        about = described(key, name, dtype)
        heading = about.heading(language)
        if heading in columns:
            heading = f"{heading} [{name}]"
        columns[heading] = labelled(frame[name], about, language).alias(heading)
    return pl.DataFrame(list(columns.values()))


def labelled(column: pl.Series, about: Described, language: str) -> pl.Series:
    """Return a column with yes, no and codes in words; unknown codes stay."""
    if column.dtype == pl.Boolean:
        return column.replace_strict(_YES_NO[language], return_dtype=pl.String)
    labels = about.labels(language)
    if not labels or column.dtype != pl.String:
        return column
    return column.replace_strict(labels, default=column, return_dtype=pl.String)


@cache
def _codes(name: str) -> tuple[Code, ...]:
    """Return the code list of a coded column of computed tables."""
    from htx_pipeline.reference.stages import stages

    if name in {"stage", "from_stage", "to_stage"}:
        return tuple(Code(code=c, label_vi=v, label_en=e) for c, v, e in stages().select("code", "label_vi", "label_en").rows())  # fmt: skip
    return ()


def _of_schema(column: Column) -> Described:
    limits: dict[str, Any] = {"required": True} if column.required else {}
    if column.limit_action == "reject":
        for name, value in (("pattern", column.pattern), ("minimum", column.minimum), ("maximum", column.maximum), ("maxLength", column.max_length)):  # fmt: skip
            if value is not None:
                limits[name] = value
    if column.codes:
        limits["enum"] = [c.code for c in column.codes]
    return Described(
        name=column.name, title_vi=column.label_vi, title_en=column.label_en,
        description=f"{column.label_en}. {column.description}", unit=column.unit or "", source=column.source,
        codes=column.codes, references=column.references, constraints=limits,
    )  # fmt: skip
