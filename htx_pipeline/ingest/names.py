"""Keys for matching Vietnamese names: never for display, never stored in place of a name.

What belongs here: the documented equivalences (tone-mark position, spelling variants of Central
Highlands names, case, punctuation, legal-form words) as pure functions on a series or expression.
What does not: deciding that two names are one organisation or place (`htx_pipeline.resolve`).
"""

from __future__ import annotations

import polars as pl


def ascii_lower(text: pl.Expr) -> pl.Expr:
    """Lower case, compatibility forms resolved, every diacritic dropped, đ as d, ₫ as d.

    Examples
    --------
    >>> pl.select(ascii_lower(pl.lit("2,5 TỶ Đồng"))).item()
    '2,5 ty dong'
    """
    return (
        text.str.normalize("NFKD")
        .str.replace_all(r"[\p{M}\p{Cf}]", "")
        .str.to_lowercase()
        .str.replace_all(r"[đ₫]", "d")
    )
