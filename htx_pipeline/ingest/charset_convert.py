"""Text of an old Vietnamese charset into Unicode, by the tables of `htx_pipeline.reference.charsets`.

What belongs here: converting every text of a column from a charset that is known. What does not: telling
which it is (`charset_detect`), or which cells to leave alone (`encodings`).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.reference import charsets

LEGACY: Final = ("tcvn3", "vni", "cp1258", "utf8_as_cp1252", "viqr")
"""Charsets that are converted by table, in the order in which ties are decided."""

UNICODE_VIETNAMESE: Final = "[ĂăĐđĨĩŨũƠơƯư\u1ea0-\u1ef9]"


@cache
def _patterns(charset: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    table = charsets.table(charset)
    return tuple(table), tuple(table.values())


def convert(series: pl.Series, *, charset: str) -> pl.Series:
    """Convert every cell from a charset to Unicode NFC, without judging whether it should be.

    Cells that hold Vietnamese letters no legacy text can hold (ă as U+0103, ệ, …) are already
    Unicode and are only normalised.

    Examples
    --------
    >>> convert(pl.Series(["Céng hoµ x· héi", "Hợp tác xã"]), charset="tcvn3").to_list()
    ['Cộng hoà xã hội', 'Hợp tác xã']
    """
    known_charset(charset)
    frame = pl.DataFrame({"text": series.cast(pl.String)})
    text = pl.col("text")
    converted = text
    if charset in LEGACY:
        seen, letters = _patterns(charset)
        table = text.str.replace_many(list(seen), list(letters), leftmost=True)
        converted = pl.when(text.str.contains(UNICODE_VIETNAMESE)).then(text).otherwise(table)
    nfc = converted.str.normalize("NFC")
    return frame.select(nfc.alias(series.name)).to_series()


def known_charset(charset: str) -> None:
    names = [c.name for c in charsets.CHARSETS]
    if charset not in names:
        raise InputError(
            f"Unknown charset “{charset}”.",
            remedy=f"Use one of {', '.join(names)}, or auto.",
            code="unknown_charset",
        )
