"""Text that a spreadsheet program might calculate: recognising it, and writing it so that none does.

What belongs here: the one rule of what looks like a formula, for what comes in and what goes out. What
does not: the writers that use it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, overload

if TYPE_CHECKING:
    import polars as pl


FORMULA_LIKE: Final = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""Regular expression (Rust syntax) of text that a spreadsheet program may take for a formula."""
_HARMLESS: Final = r"^(?:[+\-]?[0-9][0-9 .,]*%?|[\-]+)$"
_FORMULA_LIKE_PY: Final = re.compile("^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_HARMLESS_PY: Final = re.compile(_HARMLESS)


def is_formula_like(text: str) -> bool:
    """Say whether a spreadsheet program may take this text for a formula.

    Plain signed numbers and lone dashes are not formulas.

    Examples
    --------
    >>> [is_formula_like(t) for t in ("=1+1", "-5", "—", "-", "@SUM(A1)", "HTX")]
    [True, False, False, False, True, False]
    """
    return bool(_FORMULA_LIKE_PY.match(text)) and not _HARMLESS_PY.match(text)


@overload
def safe_text(value: str) -> str: ...
@overload
def safe_text(value: pl.Series) -> pl.Series: ...
@overload
def safe_text(value: pl.Expr) -> pl.Expr: ...
def safe_text(value: Any) -> Any:
    """Prefix text that would be read as a formula with an apostrophe; for every writer.

    Parameters
    ----------
    value:
        A string, or a Polars String series or expression (nulls stay null).

    Returns
    -------
    str, pl.Series or pl.Expr
        The same kind. Applying it twice changes nothing more.

    Notes
    -----
    Follows the OWASP advice on CSV injection (leading ``= + - @``, tab, return, and their
    full-width forms); signed plain numbers and lone dashes are left as they are.

    Examples
    --------
    >>> safe_text("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> safe_text("-12,5")
    '-12,5'
    >>> import polars as pl
    >>> safe_text(pl.Series(["@x", "HTX", None])).to_list()
    ["'@x", 'HTX', None]
    """
    if isinstance(value, str):
        return "'" + value if is_formula_like(value) else value
    import polars as pl

    if isinstance(value, pl.Series):
        return value.to_frame("v").select(safe_text(pl.col("v"))).to_series().alias(value.name)
    risky = value.str.contains(FORMULA_LIKE) & ~value.str.contains(_HARMLESS)
    return pl.when(~risky).then(value).otherwise(pl.lit("'") + value)
