"""What the figures of a report lead back to, counted by block, and made again from the rows alone.

A helper of tests and of whoever wants to see the table: ``python tests/report/census.py EDITION``.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.trace import TRACE_FILE, numbers

OWN_NAME = re.compile(r"(?:cum-c-\w+(?:-en)?|dia-ban-[\w-]+?|so-nganh-[\w-]+?|tong-quan)(?=-so-lieu|$)")  # fmt: skip

RANK = {"planned": 1, "signed": 2, "active": 3, "executed": 4}

NOT_RECOMPUTED: Mapping[str, str] = {
    "picture": "a whole picture or an element of it: each of its numbers has an id of its own",
    "words": "a sentence: each figure it states has an id of its own",
    "rank": "a rank among all lines of a table, by intervals",
    "model": "how many clusters there are, and which came or went, is found by the Leiden algorithm",
    "path": "a path or hub searched for on the network",
    "test": "an answer yes or no of a legal test",
    "changes": "how many things stand otherwise than a year ago",
    "withheld": "withheld, few stand behind it",
    "no_row": "a target of a plan that neither the province sent nor the reference list holds",
    "other_year": "a point of a year whose rows the edition was not given",
}
"""Why figures are not made again from rows: the whole list."""


def census(trace: pl.DataFrame) -> pl.DataFrame:
    """Return per sort of page, block, kind and column: figures, rows each leads to, how many are recomputed."""
    block = [OWN_NAME.sub("*", i.split("/")[1]) for i in trace["figure_id"].to_list()]
    column = pl.when(pl.col("kind").is_in(["fact", "cell"])).then(pl.col("figure_id").str.split("/").list.last())  # fmt: skip
    rows = pl.col("sources").list.eval(
        pl.element().struct["n"].filter(pl.element().struct["role"] != "rejected")
    )
    return (
        trace.with_columns(
            sort=pl.col("page").str.extract(r"^(tong-quan|cum|dia-ban-xa|dia-ban|so-nganh)"),
            block=pl.Series(block),
            column=column, rows=rows.list.sum(),
        )
        .group_by("sort", "block", "kind", "column")
        .agg(
            n=pl.len(), recomputed=(pl.col("formula") != "").sum(), why_not=pl.col("why_not").filter(pl.col("formula") == "").unique().sort().str.join(", "),
            least_rows=pl.col("rows").min(), middle_rows=pl.col("rows").median(), most_rows=pl.col("rows").max(),
        )
        .sort("sort", "block", "kind", "column")
    )  # fmt: skip


Cells = Callable[[str, str, list[str]], pl.DataFrame]
"""From a table, a column and source ids to the values of these rows, one each."""


def amount(part: Mapping[str, Any], ids: list[str], cells: Cells) -> float | None:
    """Return what a part adds up to, read row by row."""
    if part["how"] == "rows":
        return len(ids)
    frame = cells(part["table"], part["column"], ids)
    values = frame["value"]
    if part["how"] == "distinct":
        return values.drop_nulls().n_unique()
    if part["how"] == "max":
        return max(RANK[v] for v in values.to_list())
    if part["how"] == "product":
        values = values * cells(part["table"], part["weight"], ids)["value"]
    stated = values.drop_nulls().to_list()
    return math.fsum(stated) if stated else None


def recomputed(figure: Mapping[str, Any], cells: Cells) -> float | None:
    """Return a figure made again from the rows its trace names: nothing else of the trace is read."""
    sums: dict[str, list[float]] = {}
    for part in figure["parts"]:
        ids = [
            f"{e['file_id']}:{e['sheet']}:{n}" for e in figure["sources"] if e["part"] == part["part"] for n in numbers(e["rows"])
        ]  # fmt: skip
        found = amount(part, ids, cells)
        sums.setdefault(part["role"], [])
        if found is not None:
            sums[part["role"]].append(found)

    def added(*roles: str) -> float | None:
        found = [a for r in roles for a in sums.get(r, [])]
        return math.fsum(found) if found else None

    top, off = added("counted", "numerator"), added("taken_off")
    if figure["formula"].startswith("ratio"):
        bottom = added("denominator")
        top = None if not bottom else (top or 0) / bottom
    if figure["formula"] == "gap_in":
        return max(0.0, (top or 0) - (off or 0))
    return top - off if "difference" in figure["formula"] and top is not None and off is not None else top  # fmt: skip


def is_printed(value: float, figure: Mapping[str, Any], raw: Any) -> bool:
    """Return whether a value is what the page prints: exactly, or as its words put it."""
    if isinstance(raw, int | float):
        # A picture's numbers are in the unit of its axis.
        near = 1e-9 * max(1.0, abs(value))
        return any(abs(raw * unit - value) <= near * unit for unit in (1, 1e9, 1e6, 0.01))
    shown = figure["value"].replace("\N{NO-BREAK SPACE}", " ").removesuffix(" (a)")
    shown = re.sub(r"^(?:[≥≤>=~]|khoảng)\s*", "", shown)
    said = {
        s.replace("\N{NO-BREAK SPACE}", " ")
        for lang in ("vi", "en")
        for v in (value, abs(value))
        for s in (
            text.money(v, lang=lang), text.share(v, lang=lang), *(text.number(v, d, lang=lang) for d in range(4)),
            text.number(v * 100, 1, lang=lang),
        )
    }  # fmt: skip
    shown = shown.lstrip("+−-") if value < 0 or shown.startswith("+") else shown
    if any(shown == s or shown.startswith((f"{s} ", f"{s};")) for s in said):
        return True
    # A column has one unit for all its lines: "0,4 tỷ đồng" where money alone would be "436 triệu".
    stated = re.match(r"([\d.]*\d)(?:,(\d+))?\s*(.*)", shown)
    if stated is None:
        return False
    whole, decimals, unit = stated.groups(default="")
    number = float(f"{whole.replace('.', '')}.{decimals or 0}")
    scales = [s for word, s in (("tỷ đồng", 1e9), ("triệu đồng", 1e6)) if unit.startswith(word)]
    half = 0.5 * 10.0 ** -len(decimals) * (1 + 1e-6)
    return any(abs(abs(value) / s - number) <= half for s in scales or ([1e9, 1e6, 0.01] if not unit else []))  # fmt: skip


if __name__ == "__main__":
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, fmt_str_lengths=40):
        print(census(pl.read_parquet(Path(sys.argv[1]) / TRACE_FILE)))
