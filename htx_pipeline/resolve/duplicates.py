"""Rows that say the same thing twice, or two different things under one key.

What belongs here: splitting rows into those kept and those rejected, deterministically.
What does not: deciding that two differently written names are one organisation.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from htx_pipeline.findings import concat_findings, findings_from_rows

SOURCE_ORDER = ("source_file", "source_sheet", "source_row", "source_id")


def split_duplicates(
    frame: pl.DataFrame,
    *,
    table: str,
    key: Sequence[str],
    content: Sequence[str],
    first: Sequence[pl.Expr] = (),
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Keep one row per key; reject the others by one of two named rules.

    ``duplicate_row``: the same key and the same content. ``duplicate_key``: the same key, other
    content. The row kept is the first in source order (file, sheet, row), after the *first* expressions.
    Rows with a null in the key are kept: the required-column rules speak about them.

    Parameters
    ----------
    frame:
        Rows with the provenance columns.
    table:
        Name for the findings.
    key, content:
        Columns that must be unique; columns compared between duplicates.
    first:
        Sort expressions that come before source order.

    Returns
    -------
    kept, rejected, findings

    Examples
    --------
    >>> rows = pl.DataFrame({"k": ["a", "a", "b"], "v": [1, 1, 2], "source_id": ["x:1", "x:2", "x:3"],
    ...     "source_file": ["f"] * 3, "source_sheet": ["s"] * 3, "source_row": [1, 2, 3]})
    >>> kept, rejected, found = split_duplicates(rows, table="t", key=["k"], content=["v"])
    >>> kept["source_row"].to_list(), found["rule_id"].to_list()
    ([1, 3], ['t.duplicate_row'])
    """
    if frame.is_empty():
        return frame, frame, concat_findings([])
    whole = pl.all_horizontal(pl.col(k).is_not_null() for k in key)
    ordered = frame.sort([*first, *SOURCE_ORDER], nulls_last=True).with_columns(
        _nth=pl.when(whole).then(pl.int_range(pl.len()).over(list(key))).otherwise(0),
        _first_row=pl.col("source_row").first().over(list(key)),
        _first_file=pl.col("source_file").first().over(list(key)),
        _same=pl.all_horizontal(
            [
                pl.lit(True),
                *(pl.col(c).eq_missing(pl.col(c).first().over(list(key))) for c in content),
            ]
        ),
    )
    extra = ["_nth", "_first_row", "_first_file", "_same"]
    kept = ordered.filter(pl.col("_nth") == 0).drop(extra)
    doubled = ordered.filter(pl.col("_nth") > 0)
    place = pl.format("{}, dòng {}", pl.col("_first_file"), pl.col("_first_row"))
    place_en = pl.format("{}, row {}", pl.col("_first_file"), pl.col("_first_row"))
    found = concat_findings(
        [
            findings_from_rows(
                doubled.filter(pl.col("_same")),
                table=table, rule_id=f"{table}.duplicate_row", severity="error",
                reason_vi=pl.format("Dòng này trùng hoàn toàn với {}.", place),
                reason_en=pl.format("This row repeats {}.", place_en),
                remedy_vi="Xóa dòng trùng.", remedy_en="Delete the repeated row.",
            ),
            findings_from_rows(
                doubled.filter(~pl.col("_same")),
                table=table, rule_id=f"{table}.duplicate_key", severity="error",
                reason_vi=pl.format("Cùng một đối tượng với {} nhưng số liệu khác nhau.", place),
                reason_en=pl.format("The same key as {}, with other figures.", place_en),
                remedy_vi="Giữ lại một dòng đúng, xóa dòng kia.", remedy_en="Keep the row that is right and delete the other.",
            ),
        ]
    )  # fmt: skip
    return kept, doubled.drop(extra), found
