"""Thresholds of laws and circulars, dated: scale, rating, cluster and zone tests, minimum terms.

What belongs here: reading `data/thresholds.toml` and choosing the rows in force on a date. What does
not: applying them (`htx_pipeline.clusters.criteria`, `htx_pipeline.metrics`).
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl

THRESHOLD_SCHEMA: Final[dict[str, pl.DataType]] = {
    "threshold_id": pl.String(),
    "document": pl.String(),
    "article": pl.String(),
    "subject": pl.String(),
    "quantity": pl.String(),
    "comparator": pl.String(),
    "value": pl.Float64(),
    "value_unit": pl.String(),
    "is_verified": pl.Boolean(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "label_vi": pl.String(),
    "label_en": pl.String(),
    "source_address": pl.String(),
}
"""Columns of the threshold list; ``valid_to`` is the first day it no longer holds (null: open)."""


@cache
def _raw() -> dict[str, Any]:
    path = resources.files("htx_pipeline.reference").joinpath("data/thresholds.toml")
    return tomllib.loads(path.read_text("utf-8"))


def thresholds(*, on: date | None = None) -> pl.DataFrame:
    """Return the thresholds, all of them or those in force on a day.

    Examples
    --------
    >>> in_2023 = thresholds(on=date(2023, 12, 14))
    >>> in_2023.filter(pl.col("subject").str.starts_with("scale."))  .height
    0
    >>> thresholds(on=date(2025, 12, 14)).filter(pl.col("subject") == "scale.agriculture.large")["value"].to_list()
    [300.0, 50000000000.0, 10000000000.0]
    """
    raw = _raw()
    rows = []
    for item in raw["thresholds"]:
        document = raw["documents"][item["document"]]
        rows.append(
            {
                **item,
                "document": document["document"],
                "value": float(item["value"]),
                "is_verified": item["verified"],
                "valid_from": document["valid_from"],
                "valid_to": document.get("valid_to"),
                "source_address": document["address"],
            }
        )
    frame = pl.DataFrame(rows, schema=THRESHOLD_SCHEMA)
    if on is None:
        return frame
    open_ended = pl.col("valid_to").is_null() | (pl.col("valid_to") > on)
    return frame.filter((pl.col("valid_from") <= on) & open_ended)


def threshold(threshold_id: str) -> dict[str, Any]:
    """Return one threshold as a dict.

    Raises
    ------
    KeyError
        When there is no such threshold.

    Examples
    --------
    >>> threshold("nd80.cluster.n_enterprises")["value"]
    10.0
    """
    found = thresholds().filter(pl.col("threshold_id") == threshold_id)
    if found.is_empty():
        raise KeyError(f"no threshold {threshold_id!r}")
    return found.row(0, named=True)


@cache
def own_choice(name: str) -> float:
    """Return a limit this project chose itself; none of them stands in a document.

    Raises
    ------
    KeyError
        When there is no such choice.

    Examples
    --------
    >>> own_choice("dragged_run")
    12.0
    """
    return float(threshold(f"own.{name}")["value"])
