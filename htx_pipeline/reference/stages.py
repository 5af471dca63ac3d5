"""Stages of a value chain, and which stage an industry code names.

What belongs here: reading `data/stages.toml`. What does not: deciding the stage of an organisation
(`htx_pipeline.graph.network`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl

STAGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "code": pl.String(),
    "rank": pl.Int64(),
    "label_vi": pl.String(),
    "label_en": pl.String(),
    "is_named_by_decree": pl.Boolean(),
    "flag": pl.String(),
}
"""Columns of the list of stages; ``flag`` is the column of `linkages` that says a linkage covers it."""

STAGES: Final = ("inputs", "production", "collection", "processing", "consumption")
"""Codes of the stages, from the field to the table."""


@cache
def _raw() -> dict[str, Any]:
    text = resources.files("htx_pipeline.reference").joinpath("data/stages.toml").read_text("utf-8")
    return tomllib.loads(text)


def stages() -> pl.DataFrame:
    """Return the stages in order.

    Returns
    -------
    DataFrame
        ``code``, ``rank``, ``label_vi``, ``label_en``, ``is_named_by_decree`` (Decree 98/2018
        Art. 3–4; collection is not), ``flag`` (null for collection).

    Examples
    --------
    >>> stages()["code"].to_list()
    ['inputs', 'production', 'collection', 'processing', 'consumption']
    """
    frame = pl.DataFrame(_raw()["stages"], schema=STAGE_SCHEMA)
    return frame.with_columns(pl.col("flag").replace("", None)).sort("rank")


def decree_stages() -> tuple[str, ...]:
    """Return the stages that Decree 98/2018 names: those a chain can be said to lack.

    Examples
    --------
    >>> decree_stages()
    ('inputs', 'production', 'processing', 'consumption')
    """
    return tuple(stages().filter(pl.col("is_named_by_decree"))["code"])


def stage_labels(language: str = "vi") -> dict[str, str]:
    """Return code → label in Vietnamese ("vi") or English ("en").

    Examples
    --------
    >>> stage_labels()["collection"]
    'Thu gom'
    """
    return {s["code"]: s["label_vi" if language == "vi" else "label_en"] for s in _raw()["stages"]}


def vsic_stages() -> pl.DataFrame:
    """Return ``prefix``, ``stage`` (null: names no stage) and ``is_verified`` of industry codes.

    Examples
    --------
    >>> vsic_stages().filter(pl.col("prefix") == "10")["stage"].item()
    'processing'
    """
    rows = [
        {"prefix": r["prefix"], "stage": r["stage"] or None, "is_verified": r["verified"]}
        for r in _raw()["vsic"]
    ]
    schema = {"prefix": pl.String, "stage": pl.String, "is_verified": pl.Boolean}
    return pl.DataFrame(rows, schema=schema).sort("prefix")


def stage_of_vsic(codes: pl.Series) -> pl.Series:
    """Return the stage each industry code names: the longest prefix in the list wins.

    Examples
    --------
    >>> stage_of_vsic(pl.Series(["0126", "0163", "4620", "8411", None])).to_list()
    ['production', 'processing', 'collection', None, None]
    """
    known: dict[str, str | None] = dict(vsic_stages().select("prefix", "stage").rows())

    def stage(code: str) -> str | None:
        for length in range(len(code), 0, -1):
            if code[:length] in known:
                return known[code[:length]]
        return None

    distinct = codes.drop_nulls().unique().to_list()
    mapping = {code: stage(code.strip().replace(".", "")) for code in distinct}
    return codes.cast(pl.String).replace_strict(mapping, default=None, return_dtype=pl.String)
