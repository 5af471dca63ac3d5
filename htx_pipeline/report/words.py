"""The sentences of the pages, in Vietnamese and English, by key.

What belongs here: reading the catalogues in `words/` and writing numbers, amounts and dates in the
language of a page. What does not: which sentence is said (`cluster`, `gaps`), names of organisations
and places, which stay as they are.

A catalogue is TOML: tables are parts of a page, keys are sentences with named places ("{value}").
Both languages have the same keys and the same places; a test compares them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.text import Lang

FOLDER: Final = Path(__file__).parent / "words"


@cache
def catalogue(lang: Lang) -> Mapping[str, str]:
    """Return key ("facts.paid.label") → sentence of one language.

    Examples
    --------
    >>> sorted(catalogue("vi")) == sorted(catalogue("en"))
    True
    """
    found: dict[str, str] = {}

    def walk(prefix: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            name = f"{prefix}{key}"
            if isinstance(value, Mapping):
                walk(f"{name}.", value)
            elif name in found:
                raise ValueError(f"the key {name} stands twice in the catalogue {lang}")
            else:
                found[name] = str(value)

    for path in sorted(FOLDER.glob(f"*.{lang}.toml")):
        walk("", tomllib.loads(path.read_text("utf-8")))
    return found


class Words:
    """Says things in one language.

    Parameters
    ----------
    lang:
        "vi" or "en".

    Examples
    --------
    >>> Words("en").share(0.125), Words("vi").share(0.125)
    ('12.5%', '12,5%')
    >>> Words("en")("page.table", number=2)
    'Table 2'
    """

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._said = catalogue(lang)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the sentence *key* with *values* in its places."""
        return self._said[key].format(**values)

    def raw(self, key: str) -> str:
        """Return the sentence *key* with its places left open, for a script that fills them."""
        return self._said[key]

    def has(self, key: str) -> bool:
        """Return whether the catalogue has *key*."""
        return key in self._said

    def code(self, group: str, code: str | None) -> str:
        """Return the name of a code; the code itself where it has none, the null mark where null."""
        if code is None:
            return text.NULL_MARK
        return self._said.get(f"{group}.{code}", code)

    def count(self, key: str, n: int | None) -> str:
        """Return a number with its noun: "1 cooperative", "12 cooperatives", "12 hợp tác xã"."""
        noun = self._said[f"nouns.{key}.{'one' if n == 1 else 'many'}"]
        return f"{self.number(n)} {noun}"

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Return a number, see `text.number`."""
        return text.number(value, decimals, lang=self.lang)

    def share(self, value: float | None, decimals: int = 1) -> str:
        """Return a share as a percentage, see `text.share`."""
        return text.share(value, decimals, lang=self.lang)

    def money(self, value: float | None) -> str:
        """Return an amount, see `text.money`."""
        return text.money(value, lang=self.lang)

    def day(self, value: date | None) -> str:
        """Return a date, see `text.day`."""
        return text.day(value, lang=self.lang)

    def listing(self, items: Iterable[str], *, most: int = 6, of: str = "items") -> str:
        """Join names, see `text.listing`; *of* is a noun of the catalogue."""
        return text.listing(items, most=most, of=self._said[f"nouns.{of}.many"], lang=self.lang)
