"""Prices that cannot be: a linkage whose value and quantity disagree by a unit.

What belongs here: setting aside linkages whose implied price is a thousand times off, before their
value drowns every sum. What does not: judging whether a price is good.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.findings import concat_findings, findings_from_rows, with_thousands
from htx_pipeline.reference.thresholds import own_choice

_PAIRS: Final = (
    ("contracted_value_vnd", "contracted_tonnes"),
    ("paid_value_vnd", "delivered_tonnes"),
)


def split_impossible_prices(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Set aside linkages whose VND per tonne is off the product's median by a slip of units.

    The factor is ``own.price_factor`` of `reference.thresholds`, the fewest prices a median is taken of
    ``own.least_prices``. Prices of one product within a year differ by less than ten times, a slip of units is at least a
    thousand: a price so far off is a wrong unit, not a market.

    Parameters
    ----------
    rows:
        Linkages of one period with ``product_code``, values in VND, quantities in tonnes, provenance.

    Returns
    -------
    kept, rejected, findings
        A linkage without value or without quantity is kept: nothing can be said of it.

    Examples
    --------
    >>> rows = pl.DataFrame({"product_code": ["coffee"] * 9, "contracted_tonnes": [1.0] * 9,
    ...     "contracted_value_vnd": [100] * 8 + [100_000], "paid_value_vnd": [None] * 9,
    ...     "delivered_tonnes": [None] * 9, "source_id": [f"x:{i}" for i in range(9)],
    ...     "source_file": ["f"] * 9, "source_sheet": ["s"] * 9, "source_row": range(9)},
    ...     schema_overrides={"paid_value_vnd": pl.Int64, "delivered_tonnes": pl.Float64})
    >>> kept, rejected, found = split_impossible_prices(rows)
    >>> kept.height, rejected["source_row"].to_list()
    (8, [8])
    """
    factor, least = own_choice("price_factor"), own_choice("least_prices")
    flagged = rows.with_columns(_bad=pl.lit(value=False), _ratio=pl.lit(None, dtype=pl.Float64))
    for value, quantity in _PAIRS:
        price = pl.when((pl.col(value) > 0) & (pl.col(quantity) > 0)).then(
            pl.col(value) / pl.col(quantity)
        )
        median, count = price.median().over("product_code"), price.count().over("product_code")
        ratio = pl.when(count >= least).then(price / median)
        bad = ((ratio >= factor) | (ratio <= 1 / factor)).fill_null(value=False)
        flagged = flagged.with_columns(
            _bad=pl.col("_bad") | bad, _ratio=pl.coalesce("_ratio", pl.when(bad).then(ratio))
        )
    rejected = flagged.filter("_bad")
    times = (
        pl.when(pl.col("_ratio") >= 1)
        .then(pl.col("_ratio"))
        .otherwise(1 / pl.col("_ratio"))
        .round(0)
        .cast(pl.Int64)
    )
    way_vi = pl.when(pl.col("_ratio") >= 1).then(pl.lit("cao")).otherwise(pl.lit("thấp"))
    way_en = pl.when(pl.col("_ratio") >= 1).then(pl.lit("above")).otherwise(pl.lit("below"))
    found = findings_from_rows(
        rejected, table="linkages", rule_id="linkages.unit_price.impossible", severity="error", column="contracted_value_vnd",
        reason_vi=pl.format("Đơn giá suy ra {} gấp {} lần so với mức trung vị của cùng sản phẩm: sai đơn vị tính của giá trị hoặc sản lượng.", way_vi, with_thousands(times, lang="vi")),
        reason_en=pl.format("The implied price is {} times {} the product's median: the value or the quantity is in a wrong unit.", with_thousands(times, lang="en"), way_en),
        remedy_vi="Kiểm tra đơn vị tính (đồng, triệu đồng; kg, tấn) và gửi lại dòng này.",
        remedy_en="Check the units (VND, million VND; kg, tonnes) and send the row again.",
        raw_value=pl.format("{}", pl.coalesce("contracted_value_vnd", "paid_value_vnd")),
    )  # fmt: skip
    return (
        flagged.filter(~pl.col("_bad")).drop("_bad", "_ratio"),
        rejected.drop("_bad", "_ratio"),
        concat_findings([found]),
    )
