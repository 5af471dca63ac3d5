"""The order of day, month and year in a column, decided from all its cells.

What belongs here: the evidence and the choice. What does not: reading a cell in that order (`date_values`).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from htx_pipeline.ingest.date_cells import YEARS, full_year


@dataclass(frozen=True)
class _Choice:
    convention: str
    is_ambiguous: bool
    reason_vi: str
    reason_en: str


def begins_with_year() -> pl.Expr:
    return pl.col("a_text").str.len_bytes() >= 3


def has_two_orders() -> pl.Expr:
    """Both orders of day and month give a date, and not the same one."""
    year = full_year(pl.col("c"), pl.col("c_text"))
    months = pl.col("a").is_between(1, 12) & pl.col("b").is_between(1, 12)
    return months & (pl.col("a") != pl.col("b")) & year.is_between(*YEARS).fill_null(value=False)


def decide_order(parts: pl.DataFrame, convention: str) -> _Choice:
    numeric = parts.filter((pl.col("form") == "numeric") & ~begins_with_year())
    if convention != "auto":
        return _Choice(
            convention,
            False,
            "Thứ tự ngày, tháng được khai báo trong tệp ánh xạ nguồn.",
            "The order of day and month is fixed by the source mapping.",
        )
    a, b, c = pl.col("a"), pl.col("b"), pl.col("c")
    short = pl.col("c_text").str.len_bytes() <= 2
    evidence = {
        "dmy": numeric.filter((a > 12) & (a <= 31) & (b <= 12)),
        "mdy": numeric.filter((b > 12) & (b <= 31) & (a <= 12)),
        "ymd": numeric.filter(short & (a > 31) & (b <= 12) & (c <= 31)),
    }
    count = {name: int(frame.get_column("n").sum()) for name, frame in evidence.items()}
    unsure = numeric.filter(has_two_orders())
    used = max(("dmy", "mdy", "ymd"), key=lambda name: count[name])
    if not count[used]:
        n_first = int(parts.filter(pl.col("form") == "numeric").get_column("n").sum())
        n_first -= int(numeric.get_column("n").sum())
        if not unsure.height:
            order = "ymd" if n_first and not numeric.height else "dmy"
            return _Choice(
                order,
                False,
                "Không ô nào có hai cách đọc.",
                "No cell has two readings.",
            )
        sample = str(unsure.get_column("text").min())
        return _Choice(
            "dmy",
            True,
            f"Không ô nào cho biết “{sample}” là ngày/tháng hay tháng/ngày; "
            "tạm đọc ngày/tháng/năm.",
            f"No cell settles the order in “{sample}”; read as day/month/year.",
        )
    total = sum(count.values())
    sample = str(evidence[used].get_column("text").min())
    vi = f"{count[used]} ô chỉ đọc được theo một thứ tự, ví dụ “{sample}”"
    en = f"{count[used]} cells can be read in one order only, such as “{sample}”"
    if total > count[used]:
        vi += f"; {total - count[used]} ô viết theo thứ tự khác"
        en += f"; {total - count[used]} cells are in another order"
    return _Choice(used, total > count[used] and unsure.height > 0, vi + ".", en + ".")
