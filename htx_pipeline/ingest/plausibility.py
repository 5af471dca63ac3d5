"""Values that can be read and still cannot be right: wrong by a power of ten, or another thing.

What belongs here: comparing a figure with the same organisation's last year, with its peers, with
the whole it is a part of; and headings that mix two definitions. What does not: limits of a single
column, which are rules in `expectations/`; changing any value.

Three rules, each with its own code:

* ``unit_jump``: the ratio to the last known period, or to the median of the peers, lies within half
  a decade of 10^3, 10^6 or their inverses: the mark of đồng against nghìn or triệu đồng.
* ``peer_outlier``: at least ten times off the median of at least five peers, and more than 3.5
  robust standard deviations on the logarithmic scale, the deviation taken as at least 0.3 decades.
* ``part_exceeds_whole``: a part's mean is more than the whole's total allows, whatever the others
  earn: part mean × part count > whole mean × whole count.

The published case: 24 billion đồng of revenue per cooperative in one city against 1.2 to 2 billion
in the province. As a peer of other localities' means it is an outlier; and its 34 cooperatives would
have earned more than all 190 of the province together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from htx_pipeline.ingest.names import ascii_lower
from htx_pipeline.ingest.value_notes import NOTE_SCHEMA, empty_notes, note_rows

UNIT_DECADES: Final = (3, 6, -3, -6)
"""Powers of ten by which a wrong unit is off."""
HALF_DECADE: Final = 0.5
OUTLIER_RATIO: Final = 10.0
OUTLIER_DEVIATIONS: Final = 3.5
"""Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers: modified z-score above 3.5."""
LEAST_DEVIATION: Final = 0.3
LEAST_PEERS: Final = 5

JUMP_SCHEMA: Final = NOTE_SCHEMA | {
    "reference_kind": pl.String(),
    "value": pl.Float64(),
    "reference": pl.Float64(),
    "ratio": pl.Float64(),
}
"""A note, and what it compared: ``reference_kind`` is "last_period" or "peers"."""


def magnitude_jumps(
    frame: pl.DataFrame,
    *,
    id: str,
    period: str,
    column: str,
    peers: Sequence[str] = (),
    label_vi: str | None = None,
    label_en: str | None = None,
) -> pl.DataFrame:
    """Find values of a column that are off by a unit or far from their peers.

    Parameters
    ----------
    frame:
        One row per organisation and period; ``index`` in the result is the row number here.
    id, period, column:
        Names of the columns. Periods are compared in their sort order.
    peers:
        Columns that make rows of one period comparable (sector, district); () compares all.
    label_vi, label_en:
        What the column is called in the text of the note.

    Returns
    -------
    polars.DataFrame
        `JUMP_SCHEMA`, by row, then rule. Null, zero and text-like values are left alone; signs are
        compared by size. A row gets one note per reference at most.

    Examples
    --------
    >>> reports = pl.DataFrame(
    ...     {"org": ["a", "a"], "period": ["2024", "2025"], "revenue_vnd": [1_500_000_000, 1_600_000]}
    ... )
    >>> found = magnitude_jumps(reports, id="org", period="period", column="revenue_vnd")
    >>> found.select("index", "code", "reference_kind").row(0)
    (1, 'unit_jump', 'last_period')
    """
    vi, en = label_vi or column, label_en or column
    rows = (
        frame.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("index"),
            pl.col(id).alias("_id"),
            pl.col(period).alias("_period"),
            pl.col(column).cast(pl.Float64).alias("value"),
            *(pl.col(p).alias(f"_peer_{i}") for i, p in enumerate(peers)),
        )
        .filter(
            pl.col("value").is_not_null() & (pl.col("value") != 0) & pl.col("value").is_finite()
        )
        .rechunk()  # pl.format of Polars 2.1 panics on a column that begins with an empty chunk
        .with_columns(size=pl.col("value").abs().log10())
    )
    found = [_against_last(rows, vi, en), _against_peers(rows, len(peers), vi, en)]
    return pl.concat(found).sort("index", "reference_kind", "code")


def _decade(log_ratio: pl.Expr) -> pl.Expr:
    """The power of ten of a wrong unit that a ratio is close to, or null."""
    return pl.coalesce(
        pl.when((log_ratio - power).abs() <= HALF_DECADE).then(power) for power in UNIT_DECADES
    )


def _finish(found: pl.DataFrame, kind: str) -> pl.DataFrame:
    return found.select(
        "index", "code", "detail_vi", "detail_en", pl.lit(kind).alias("reference_kind"),
        "value", "reference", "ratio",
    ).cast(pl.Schema(JUMP_SCHEMA))  # fmt: skip


def _against_last(rows: pl.DataFrame, vi: str, en: str) -> pl.DataFrame:
    """Compare with the last period before that has a value."""
    earlier = (
        rows.group_by("_id", "_period")
        .agg(size_before=pl.col("size").median(), reference=pl.col("value").median())
        .sort("_id", "_period")
        .with_columns(
            pl.col("size_before").shift(1).over("_id"), pl.col("reference").shift(1).over("_id")
        )
    )
    compared = rows.join(earlier, on=["_id", "_period"], how="left", maintain_order="left")
    log_ratio = pl.col("size") - pl.col("size_before")
    compared = compared.with_columns(
        power=_decade(log_ratio), ratio=pl.lit(10.0).pow(log_ratio), code=pl.lit("unit_jump")
    ).filter(pl.col("power").is_not_null())
    return _finish(
        compared.with_columns(
            detail_vi=_sentence(
                f"{vi}: gấp {{}} lần kỳ trước ({{}} so với {{}}); có thể sai đơn vị."
            ),
            detail_en=_sentence(
                f"{en}: {{}} times the period before ({{}} against {{}}); the unit may be wrong."
            ),
        ),
        "last_period",
    )


def _against_peers(rows: pl.DataFrame, n_peers: int, vi: str, en: str) -> pl.DataFrame:
    """Compare with the median of the others of the same period and group."""
    by = ["_period", *(f"_peer_{i}" for i in range(n_peers))]
    size = pl.col("size")
    compared = (
        rows.with_columns(n=pl.len().over(by), centre=size.median().over(by))
        .with_columns(deviation=(size - pl.col("centre")).abs().median().over(by) * 1.4826)
        .with_columns(
            log_ratio=size - pl.col("centre"),
            reference=pl.lit(10.0).pow(pl.col("centre")),
            deviations=(size - pl.col("centre")).abs()
            / pl.max_horizontal("deviation", pl.lit(LEAST_DEVIATION)),
        )
        .filter(
            (pl.col("n") > LEAST_PEERS)
            & (pl.col("deviations") > OUTLIER_DEVIATIONS)
            & (pl.col("log_ratio").abs() >= pl.lit(OUTLIER_RATIO).log10())
        )
        .with_columns(power=_decade(pl.col("log_ratio")), ratio=pl.lit(10.0).pow("log_ratio"))
        .with_columns(
            code=pl.when(pl.col("power").is_not_null())
            .then(pl.lit("unit_jump"))
            .otherwise(pl.lit("peer_outlier"))
        )
    )
    return _finish(
        compared.with_columns(
            detail_vi=_sentence(
                f"{vi}: gấp {{}} lần trung vị của nhóm ({{}} so với {{}}); đề nghị kiểm tra."
            ),
            detail_en=_sentence(
                f"{en}: {{}} times the median of its peers ({{}} against {{}}); please check."
            ),
        ),
        "peers",
    )


def _sentence(template: str) -> pl.Expr:
    def figure(name: str) -> pl.Expr:
        value = pl.col(name)
        digits = pl.lit(2) - value.abs().log10().floor()
        scale = pl.lit(10.0).pow(digits.clip(-15, 15))
        rounded = (value * scale).round() / scale
        whole = rounded.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(value.abs() >= 100).then(whole).otherwise(rounded.cast(pl.String))

    return pl.format(template, figure("ratio"), figure("value"), figure("reference"))


def part_exceeds_whole(
    frame: pl.DataFrame, *, part_mean: str, part_count: str, whole_mean: str, whole_count: str
) -> pl.DataFrame:
    """Find means of a part that the whole's total does not allow.

    For a quantity that is never negative, part mean × part count ≤ whole mean × whole count holds
    whatever the other members of the whole have. Give the upper end of a published range.

    Parameters
    ----------
    frame:
        One row per comparison.
    part_mean, part_count, whole_mean, whole_count:
        Names of the columns; rows with a null are left alone.

    Returns
    -------
    polars.DataFrame
        `value_notes.NOTE_SCHEMA`.

    Examples
    --------
    >>> case = pl.DataFrame({"city": [24e9], "n": [34], "province": [2e9], "of": [190]})
    >>> part_exceeds_whole(
    ...     case, part_mean="city", part_count="n", whole_mean="province", whole_count="of"
    ... )["code"].to_list()
    ['part_exceeds_whole']
    """
    part = pl.col(part_mean).cast(pl.Float64) * pl.col(part_count)
    whole = pl.col(whole_mean).cast(pl.Float64) * pl.col(whole_count)
    found = frame.with_row_index("index").filter(part > whole).rechunk()
    highest = (whole / pl.col(part_count)).round(0).cast(pl.Int64)
    stated = pl.col(part_mean).cast(pl.Int64)
    return note_rows(
        found,
        code="part_exceeds_whole",
        detail_vi=pl.format(
            "Bình quân {} vượt mức tối đa {} mà tổng của toàn tỉnh cho phép.", stated, highest
        ),
        detail_en=pl.format(
            "The mean of {} exceeds {}, the most that the total of the whole allows.",
            stated,
            highest,
        ),
    )


_MEMBERS: Final = r"(?:thanh vien|xa vien|members?)"
_WORKERS: Final = r"(?:(?:nguoi )?lao dong|cong nhan|workers?|employees?)"
_AND: Final = r"\s*(?:va|and|,|/|&|\+|;|-)\s*(?:so )?"
_MIXED: Final = re.compile(f"{_MEMBERS}{_AND}{_WORKERS}|{_WORKERS}{_AND}{_MEMBERS}")


def mixes_members_and_workers(heading: str) -> bool:
    """Whether a heading counts members and workers as one figure.

    They are different things in every form; "thành viên và người lao động" of one report cannot be
    compared with "thành viên" of the next. "Lao động là thành viên" (workers who are members) is
    one well-defined thing.

    Examples
    --------
    >>> mixes_members_and_workers("Số thành viên và người lao động")
    True
    >>> mixes_members_and_workers("Số thành viên"), mixes_members_and_workers("Lao động là thành viên")
    (False, False)

    A group's heading above a column that says which of the two it counts mixes nothing:

    >>> mixes_members_and_workers("Thành viên, lao động / Tổng số thành viên")
    False
    """
    folded = re.sub(r"\s+", " ", str(pl.select(ascii_lower(pl.lit(heading))).item()))
    levels = folded.split(" / ")
    mixing = [i for i, level in enumerate(levels) if _MIXED.search(level)]
    if not mixing:
        return bool(_MIXED.search(folded))
    return not any(re.search(f"{_MEMBERS}|{_WORKERS}", level) for level in levels[mixing[-1] + 1 :])


def heading_notes(headings: pl.Series) -> pl.DataFrame:
    """Notes on headings that mix definitions (``mixed_definition``); index is the heading's place.

    Examples
    --------
    >>> heading_notes(pl.Series(["Thành viên", "Thành viên, lao động"]))["index"].to_list()
    [1]
    """
    hits = [i for i, h in enumerate(headings) if h and mixes_members_and_workers(str(h))]
    if not hits:
        return empty_notes()
    return note_rows(
        pl.DataFrame({"index": hits}, schema={"index": pl.UInt32}),
        code="mixed_definition",
        detail_vi="Tiêu đề gộp thành viên với người lao động: hai khái niệm khác nhau.",
        detail_en="The heading counts members and workers together: two different things.",
    )
