"""Targets of resolutions and plans that were found, as rows of the table `plan_targets` and more.

What belongs here: reading `data/targets.toml`. What does not: targets a province sends (they come in
through the template `plan`), and comparing targets with figures (`htx_pipeline.metrics.plan`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

import polars as pl

TARGET_SCHEMA: Final[dict[str, pl.DataType]] = {
    "authority": pl.String(),
    "document": pl.String(),
    "scope": pl.String(),
    "indicator": pl.String(),
    "indicator_vi": pl.String(),
    "denominator": pl.String(),
    "reading": pl.String(),
    "target_year": pl.Int64(),
    "comparator": pl.String(),
    "value": pl.Float64(),
    "value_unit": pl.String(),
    "is_verified": pl.Boolean(),
    "source_address": pl.String(),
}
"""Columns of the target list: those of `plan_targets`, with ``scope`` and ``reading``."""


def _text() -> str:
    return (
        resources.files("htx_pipeline.reference").joinpath("data/targets.toml").read_text("utf-8")
    )


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(_text())


def targets() -> pl.DataFrame:
    """Return the targets, sorted by year, indicator, denominator and document.

    ``scope`` says whose total a count is (``national``, ``province``). ``reading`` is ``nested`` or
    ``flat`` where the words allow both: 50 % of the organisations rated tốt/khá, or of all.

    Examples
    --------
    >>> fifty = targets().filter(pl.col("indicator") == "chain_linked_share", pl.col("target_year") == 2030)
    >>> sorted(set(fifty.select("denominator", "reading").rows()))
    [('all_htx', 'flat'), ('rated_good_fair', 'nested')]
    """
    return pl.DataFrame(_rows(), schema=TARGET_SCHEMA).sort(
        "target_year", "indicator", "denominator", "document"
    )


def target_lines() -> pl.DataFrame:
    """Return the targets in the order of their file, with the ``line`` at which each begins there.

    Examples
    --------
    >>> listed = target_lines()
    >>> listed.height == targets().height, listed["line"].is_sorted()
    (True, True)
    """
    lines = [i for i, words in enumerate(_text().splitlines(), start=1) if words.strip() == "[[targets]]"]  # fmt: skip
    return pl.DataFrame(_rows(), schema=TARGET_SCHEMA).with_columns(line=pl.Series(lines, dtype=pl.Int64))  # fmt: skip


def _rows() -> list[dict[str, Any]]:
    raw = _raw()
    rows = []
    for item in raw["targets"]:
        document = raw["documents"][item["document"]]
        rows.append(
            {
                **item,
                "authority": document["authority"],
                "document": document["document"],
                "scope": document["scope"],
                "reading": item.get("reading"),
                "value": float(item["value"]),
                "is_verified": item["verified"],
                "source_address": document["address"],
            }
        )
    return rows


def national_authorities() -> frozenset[str]:
    """Return the authorities whose totals are the nation's.

    Examples
    --------
    >>> "Chính phủ" in national_authorities()
    True
    """
    documents = _raw()["documents"].values()
    return frozenset(d["authority"] for d in documents if d["scope"] == "national")
