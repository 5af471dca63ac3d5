"""Units of numbers: which there are, how they are written, and the one a heading states.

What belongs here: units, their scales, and the words for both. What does not: reading numbers
(`numbers`), and units only a mapping knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.names import ascii_lower


@dataclass(frozen=True)
class Unit:
    """A unit as dimension and power of ten: value × 10^(exponent + scale) in the base unit.

    Parameters
    ----------
    dimension:
        Only units of one dimension convert into each other.
    exponent:
        Power of ten of the unit proper against the base (kg against tonnes: -3).
    scale:
        Power of ten of a number word before it (million VND: 6).
    """

    dimension: str
    exponent: int = 0
    scale: int = 0

    @property
    def power(self) -> int:
        """Power of ten to the base unit of the dimension."""
        return self.exponent + self.scale


_BASES: Final[dict[str, tuple[str, int]]] = {
    "VND": ("money", 0),
    "VND/kg": ("price_by_mass", 0),
    "VND/tonne": ("price_by_mass", -3),
    "ha": ("area", 0),
    "m2": ("area", -4),
    "km2": ("area", 2),
    "tonnes": ("mass", 0),
    "quintal": ("mass", -1),
    "kg": ("mass", -3),
    "g": ("mass", -6),
    "share": ("ratio", 0),
    "percent": ("ratio", -2),
    "permille": ("ratio", -3),
    "person": ("person", 0),
    "household": ("household", 0),
    "organisation": ("organisation", 0),
    "contract": ("contract", 0),
    "product": ("product", 0),
    "point": ("point", 0),
    "day": ("day", 0),
    "degree": ("degree", 0),
}
_SCALES: Final = {"": 0, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
COUNTED: Final = frozenset({"person", "household", "organisation", "contract", "product"})
WHOLE: Final = COUNTED | {"money", "day"}

# Folded (ascii, lower case) words as written in cells and headings.
_SCALE_WORDS: Final = {
    "": "",
    "nghin": "thousand",
    "ngan": "thousand",
    "ngh": "thousand",
    "k": "thousand",
    "trieu": "million",
    "tr": "million",
    "ty": "billion",
    "ti": "billion",
    "nghin ty": "trillion",
    "ngan ty": "trillion",
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "bn": "billion",
}
_UNIT_WORDS: Final = {
    "dong": "VND",
    "d": "VND",
    "vnd": "VND",
    "vn d": "VND",
    "dong vn": "VND",
    "dong viet nam": "VND",
    "viet nam dong": "VND",
    "dong/kg": "VND/kg",
    "d/kg": "VND/kg",
    "vnd/kg": "VND/kg",
    "dong/tan": "VND/tonne",
    "d/tan": "VND/tonne",
    "ha": "ha",
    "hecta": "ha",
    "hec ta": "ha",
    "hec-ta": "ha",
    "m2": "m2",
    "met vuong": "m2",
    "km2": "km2",
    "tan": "tonnes",
    "tonnes": "tonnes",
    "tonne": "tonnes",
    "ta": "quintal",
    "kg": "kg",
    "ki-lo-gam": "kg",
    "kilogam": "kg",
    "g": "g",
    "gam": "g",
    "%": "percent",
    "phan tram": "percent",
    "percent": "percent",
    "‰": "permille",
    "nguoi": "person",
    "lao dong": "person",
    "thanh vien": "person",
    "xa vien": "person",
    "persons": "person",
    "people": "person",
    "ho": "household",
    "ho gia dinh": "household",
    "ho dan": "household",
    "nong ho": "household",
    "htx": "organisation",
    "hop tac xa": "organisation",
    "doanh nghiep": "organisation",
    "hop dong": "contract",
    "san pham": "product",
    "diem": "point",
    "ngay": "day",
}


_PER_HEAD: Final = r"\s*/\s*(?:(?:1|mot)\s+)?(?:nguoi|ho|thanh vien|xa vien|lao dong|tv|ld|htx)\b"
_PER_TIME: Final = r"\s*/\s*(?:(?:1|mot)\s+)?(?:nam|thang)\b"


def _folded(text: str) -> str:
    return str(pl.select(ascii_lower(pl.lit(text.replace("²", "2")))).item())


def is_monthly(text: str) -> bool:
    """Say whether a unit, or the unit in a heading, is of a month ("triệu đồng/người/tháng").

    Examples
    --------
    >>> is_monthly("Thu nhập (triệu đồng/người/tháng)"), is_monthly("triệu đồng/năm")
    (True, False)
    """
    return bool(re.search(r"/\s*(?:(?:1|mot)\s+)?thang\b", _folded(text)))


def _unit_in_words(text: str) -> str | None:
    """Return the name of a unit written in Vietnamese, without "per person", "per year"; None if unknown."""
    bare = re.sub(f"{_PER_HEAD}|{_PER_TIME}", "", text)
    bare = re.sub(r"\s+", " ", bare).strip(" .:")
    bare = re.sub(r"^1[. ]?000 ?(?=(?:d|dong|vnd)$)", "nghin ", bare)
    for scale_word, scale in _SCALE_WORDS.items():
        for word, base in _UNIT_WORDS.items():
            written = {
                f"{scale_word} {word}".strip(),
                f"{scale_word}.{word}",
                f"{scale_word}. {word}",
            }
            if bare in written or (scale_word and base == "VND" and bare == f"{scale_word}{word}"):
                return f"{scale} {base}".strip()
    return None


@cache
def parse_unit(name: str) -> Unit:
    """Read a unit name such as "million VND", "ha", "percent", or the Vietnamese words for it.

    Raises
    ------
    InputError
        The name is not known: a mapping with a misspelt unit must not pass as another scale.

    Examples
    --------
    >>> parse_unit("million VND")
    Unit(dimension='money', exponent=0, scale=6)
    >>> parse_unit("triệu đồng/người") == parse_unit("tr.đ") == parse_unit("million VND")
    True
    """
    words = _unit_in_words(_folded(name))
    known = name.strip() if words is None else words
    head, _, tail = known.rpartition(" ")
    for scale, base in ((head, tail), ("", known)):
        if base in _BASES and scale in _SCALES:
            dimension, exponent = _BASES[base]
            return Unit(dimension, exponent, _SCALES[scale])
    raise InputError(
        f"Unknown unit “{name}”.",
        remedy=f"Use one of {', '.join(_BASES)}; before it, if need be, "
        f"{', '.join(s for s in _SCALES if s)}.",
        what_vi=f"Không biết đơn vị “{name}”.",
        code="unknown_unit_name",
    )


@cache
def tails() -> dict[str, tuple[str, int, int, bool]]:
    """Return what may follow a number → (dimension, exponent, scale, has a unit word)."""
    table: dict[str, tuple[str, int, int, bool]] = {}
    for scale_word, scale in _SCALE_WORDS.items():
        power = _SCALES[scale]
        if scale_word:
            table[scale_word] = ("", 0, power, False)
        for word, base in _UNIT_WORDS.items():
            dimension, exponent = _BASES[base]
            key = f"{scale_word} {word}".strip()
            table[key] = (dimension, exponent, power, True)
            if scale_word:
                table.setdefault(f"{scale_word}.{word}", table[key])
                table.setdefault(f"{scale_word}{word}", table[key])
    return table


def unit_of_heading(heading: str) -> str | None:
    """Return the unit a column heading states, or None.

    Looks in parentheses and after "ĐVT:" or "Đơn vị tính:"; of several the last counts, as the lowest level
    of a merged heading stands last.

    Examples
    --------
    >>> unit_of_heading("Doanh thu (triệu đồng)")
    'million VND'
    >>> unit_of_heading("ĐVT: ha"), unit_of_heading("Kết quả (triệu đồng) / Thu nhập (đồng/người/tháng)")
    ('ha', 'VND')
    >>> unit_of_heading("Tên hợp tác xã") is None
    True
    """
    folded = _folded(heading)
    pieces = re.findall(r"[(\[]([^()\[\]]*)[)\]]", folded)
    pieces += re.findall(r"(?:dvt|don vi tinh|don vi)\s*:\s*([^;)\n]+)", folded)
    for piece in reversed(pieces):
        known = _unit_in_words(re.sub(r"^(?:dvt|don vi tinh|don vi)\s*:?\s*", "", piece.strip()))
        if known is not None:
            return known
    return None
