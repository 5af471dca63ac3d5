"""Vietnamese numbers, money and quantities: from the text of a column to exact values.

What belongs here: the decision how a whole column writes its numbers, the reading of each cell
(separators, units, words such as "tỷ" and "khoảng", negatives), and what to tell the sender.
What does not: dates (`dates`), headings other than their unit, rules about allowed values.

Money is carried as integer đồng, computed on digits and powers of ten and never through a float.

The convention of a column ("vi" 1.234.567,89; "en" 1,234,567.89; "plain" 1234567.89) is decided by
these rules, in this order:

1. cells that can be read one way only are evidence (1.234.567, 12,5, 3.25); the majority wins, a
   draw goes to "vi", and every cell of the minority is read by its own shape and flagged;
2. without evidence, in a column that counts whole things in its own unit (đồng, people), the
   separator before exactly three digits is the thousands separator;
3. without either, the same choice is made, and the column is reported as ambiguous with the other
   reading beside it. Both separators in such a column: "vi".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.names import ascii_lower
from htx_pipeline.ingest.value_notes import empty_notes, join_notes, note_rows, notes_where

CONVENTIONS: Final = ("auto", "vi", "en", "plain")


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
_COUNTED: Final = frozenset({"person", "household", "organisation", "contract", "product"})
_WHOLE: Final = _COUNTED | {"money", "day"}

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
_LOCAL_UNITS: Final = r"^(?:sao|cong|mau|thuoc)(?:\s.*)?$"
_FOREIGN: Final = (
    r"(?:^|[^a-z])(?:usd|do la|dola|us\$|\$|eur|euro|€|fcfa|cfa|gbp|£|kip|lak)(?:[^a-z]|$)"
)
_APPROX: Final = (
    r"khoang|uoc(?: (?:tinh|dat|khoang))?|tren|hon|gan|duoi|chung|xap xi|it nhat|toi thieu|"
    r"khong qua|toi da|about|over|under|nearly|approx\.?|more than|less than|>=|<=|[~≈><≥≤]"
)
_EMPTY_MARK: Final = r"^(?:[-−–—_.…/\\]+|x|n/?a|n\.a\.|null|nan|none)$"
_SAID_NONE: Final = r"^(?:khong|khong co|ko|k co|chua|chua co|chua co so lieu|trong|no)$"
_DIGITS: Final = r"[0-9](?:[0-9.,' ]*[0-9])?|[.,][0-9]+"

_STRICT_VI: Final = (
    r"^(?:[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}(?:,[0-9]+)?|[1-9][0-9]{0,2}\.[0-9]{3},[0-9]+"
    r"|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|(?:[0-9]{4,}|0[0-9]*),[0-9]{3}|,[0-9]+)$"
)
_STRICT_EN: Final = (
    r"^(?:[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}(?:\.[0-9]+)?|[1-9][0-9]{0,2},[0-9]{3}\.[0-9]+"
    r"|[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})|(?:[0-9]{4,}|0[0-9]*)\.[0-9]{3}|\.[0-9]+)$"
)
_AMBIGUOUS_COMMA: Final = r"^[1-9][0-9]{0,2},[0-9]{3}$"
_MAX_DIGITS: Final = 18


@dataclass(frozen=True)
class NumberResult:
    """A parsed column.

    Attributes
    ----------
    values:
        Int64 where whole numbers were asked for, else Float64; null where there is no number.
    notes:
        `value_notes.NOTE_SCHEMA`; at most one note of a code per cell.
    convention:
        "vi", "en" or "plain" as used.
    is_ambiguous:
        Whether another convention would change values and nothing in the column settles it.
    alternative:
        Values under the other convention when ambiguous, else None.
    reason_vi, reason_en:
        Why the convention was chosen, in one sentence.
    """

    values: pl.Series
    notes: pl.DataFrame
    convention: str
    is_ambiguous: bool
    alternative: pl.Series | None
    reason_vi: str
    reason_en: str


def parse_unit(name: str) -> Unit:
    """Read a unit name such as "million VND", "ha", "percent".

    Raises
    ------
    InputError
        The name is not known: a mapping with a misspelt unit must not pass as another scale.

    Examples
    --------
    >>> parse_unit("million VND")
    Unit(dimension='money', exponent=0, scale=6)
    """
    head, _, tail = name.strip().rpartition(" ")
    for scale, base in ((head, tail), ("", name.strip())):
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
def _tails() -> dict[str, tuple[str, int, int, bool]]:
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

    Looks in parentheses, then after "ĐVT:" or "Đơn vị tính:".

    Examples
    --------
    >>> unit_of_heading("Doanh thu (triệu đồng)")
    'million VND'
    >>> unit_of_heading("ĐVT: ha")
    'ha'
    >>> unit_of_heading("Tên hợp tác xã") is None
    True
    """
    folded = str(pl.select(ascii_lower(pl.lit(heading.replace("²", "2")))).item())
    pieces = re.findall(r"[(\[]([^()\[\]]*)[)\]]", folded)
    pieces += re.findall(r"(?:dvt|don vi tinh|don vi)\s*:\s*([^;)\n]+)", folded)
    for piece in pieces:
        text = re.sub(r"^(?:dvt|don vi tinh|don vi)\s*:?\s*", "", piece.strip())
        text = re.sub(r"\s+", " ", re.sub(r"\s*/\s*nam$", "", text)).strip(" .:")
        for scale_word, scale in _SCALE_WORDS.items():
            for word, base in _UNIT_WORDS.items():
                if text in (f"{scale_word} {word}".strip(), f"{scale_word}.{word}"):
                    return f"{scale} {base}".strip()
    return None


def parse_numbers(
    raw: pl.Series,
    *,
    convention: str = "auto",
    unit: str | None = None,
    target_unit: str | None = None,
    as_integer: bool = False,
) -> NumberResult:
    """Parse a text column of numbers.

    Parameters
    ----------
    raw:
        String series (an all-null series is allowed).
    convention:
        "auto" decides from the whole column; "vi", "en", "plain" fix it (a source mapping does).
    unit:
        Unit the column is in ("million VND", "ha", "percent", …); None when it has none.
    target_unit:
        Unit wanted ("VND", "tonnes", "share", …); None keeps the base unit of `unit`'s own scale,
        that is, the numbers as written.
    as_integer:
        Int64, exact. A broken đồng is rounded half up and flagged; a broken person is an error.

    Notes
    -----
    A unit or a number word inside a cell ("2,5 tỷ", "4,5 ha") takes the place of the column's.

    Examples
    --------
    >>> cells = pl.Series(["2,5 tỷ", "850 triệu", "1.234.567", "(1.000)", "—", "khoảng 50"])
    >>> result = parse_numbers(cells, unit="VND", target_unit="VND", as_integer=True)
    >>> result.values.to_list()
    [2500000000, 850000000, 1234567, -1000, None, 50]
    >>> result.convention
    'vi'
    """
    if convention not in CONVENTIONS:
        raise InputError(
            f"Unknown number convention “{convention}”.",
            remedy=f"Use one of {', '.join(CONVENTIONS)}.",
            code="unknown_convention",
        )
    column_unit = parse_unit(unit) if unit is not None else None
    target = _target(column_unit, target_unit)
    if raw.dtype == pl.Null:
        raw = raw.cast(pl.String)
    if raw.dtype != pl.String:
        raise TypeError(f"parse_numbers reads text, not {raw.dtype}; use typed_numbers")

    bare_power = (column_unit.power if column_unit else 0) - (target.power if target else 0)
    fast = raw.cast(pl.Int64, strict=False)
    is_fast = fast.is_not_null() & ~raw.str.starts_with("+")
    is_rest = ~is_fast & raw.is_not_null()
    rest = pl.DataFrame(
        {"index": pl.arange(0, len(raw), eager=True, dtype=pl.UInt32), "text": raw}
    ).filter(is_rest)

    cells, notes = _cells(rest, column_unit=column_unit, target=target, bare_power=bare_power)
    whole_dimension = column_unit is not None and (
        column_unit.dimension in _WHOLE and column_unit.power == 0
    )
    chosen = _decide(cells, convention, counts_whole=as_integer and whole_dimension)

    def assemble(used: str) -> tuple[pl.Series, list[pl.DataFrame]]:
        read = _read(cells, used)
        slow, slow_notes = _slow_values(read, as_integer=as_integer, column_unit=column_unit)
        base, base_notes = _fast_values(
            fast, is_fast, bare_power, as_integer=as_integer, column_unit=column_unit
        )
        return _scatter(base, slow), slow_notes + base_notes

    values, value_notes = assemble(chosen.convention)
    notes += value_notes
    notes += _convention_notes(cells, chosen, convention)
    alternative = None
    if chosen.is_ambiguous:
        other = "en" if chosen.convention == "vi" else "vi"
        alternative = assemble(other)[0].alias(raw.name)
        notes.append(_ambiguity_note(cells, values, alternative))
    return NumberResult(
        values=values.alias(raw.name),
        notes=join_notes(notes),
        convention=chosen.convention,
        is_ambiguous=chosen.is_ambiguous,
        alternative=alternative,
        reason_vi=chosen.reason_vi,
        reason_en=chosen.reason_en,
    )


def typed_numbers(
    values: pl.Series,
    *,
    unit: str | None = None,
    target_unit: str | None = None,
    as_integer: bool = False,
) -> NumberResult:
    """Convert numbers that the workbook already holds as numbers (2.5 in a column of tỷ đồng).

    The shortest decimal that stands for the float is taken as what was typed, so 1234.5678 million
    is 1234567800 đồng exactly.

    Examples
    --------
    >>> cells = pl.Series([1234.5678, None])
    >>> result = typed_numbers(cells, unit="million VND", target_unit="VND", as_integer=True)
    >>> result.values.to_list()
    [1234567800, None]
    """
    column_unit = parse_unit(unit) if unit is not None else None
    target = _target(column_unit, target_unit)
    power = (column_unit.power if column_unit else 0) - (target.power if target else 0)
    floats = values.cast(pl.Float64)
    floats = floats.set(floats.is_nan() | floats.is_infinite(), None)
    # Digits matter only where a fraction is shifted or an integer is wanted.
    needs_digits = as_integer or power != 0
    is_whole = ((floats == floats.round()) & (floats.abs() < 2.0**53)).fill_null(value=False)
    is_done = is_whole if needs_digits else floats.is_not_null()
    if needs_digits:
        done, notes = _fast_values(
            floats.set(~is_whole, None).cast(pl.Int64),
            is_whole,
            power,
            as_integer=as_integer,
            column_unit=column_unit,
        )
    else:
        done, notes = floats + 0.0, []
    broken = floats.set(is_done, None)
    if broken.null_count() < len(broken):
        result = parse_numbers(
            broken.cast(pl.String),
            convention="plain",
            unit=unit,
            target_unit=target_unit,
            as_integer=as_integer,
        )
        done = done.zip_with(is_done, result.values)
        notes = [*notes, result.notes.filter(pl.col("code") != "scientific")]
    return NumberResult(
        values=done.alias(values.name),
        notes=join_notes(notes),
        convention="plain",
        is_ambiguous=False,
        alternative=None,
        reason_vi="Ô đã là số trong bảng tính.",
        reason_en="The cells are numbers in the workbook.",
    )


def _target(column_unit: Unit | None, target_unit: str | None) -> Unit | None:
    if target_unit is None:
        return column_unit
    target = parse_unit(target_unit)
    if column_unit is not None and column_unit.dimension != target.dimension:
        raise InputError(
            f"A column of {column_unit.dimension} cannot be converted to {target_unit}.",
            remedy="Correct the unit of this column in the source mapping.",
            what_vi=f"Không thể quy đổi cột này sang {target_unit}.",
            code="unit_conversion",
        )
    return target


# --- cells -----------------------------------------------------------------------------------

_CELL_SCHEMA: Final = {
    "index": pl.UInt32(),
    "core": pl.String(),
    "is_negative": pl.Boolean(),
    "power": pl.Int64(),
    "dimension": pl.String(),
    "shape": pl.String(),
}


def _cells(
    rest: pl.DataFrame, *, column_unit: Unit | None, target: Unit | None, bare_power: int
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Split every cell into digits with separators, sign and power of ten; the rest are notes."""
    if not rest.height:
        return pl.DataFrame(schema=_CELL_SCHEMA), []
    is_plain = rest.get_column("text").str.contains(r"^-?[0-9.,]*[0-9]$")
    plain = rest.filter(is_plain).select(
        "index",
        core=pl.col("text").str.strip_prefix("-"),
        is_negative=pl.col("text").str.starts_with("-"),
        power=pl.lit(bare_power, dtype=pl.Int64),
        dimension=pl.lit(column_unit.dimension if column_unit else None, dtype=pl.String),
    )
    messy = rest.filter(~is_plain)
    notes = empty_notes()
    if messy.height:
        distinct = messy.select("text").unique(maintain_order=True)
        parsed = _messy(distinct, column_unit=column_unit, target=target, bare_power=bare_power)
        joined = messy.join(parsed, on="text", how="left", maintain_order="left")
        notes = _messy_notes(joined)
        has_core = joined.filter(pl.col("core").is_not_null())
        plain = pl.concat([plain, has_core.select(plain.columns)]).sort("index")
    shaped = plain.with_columns(shape=_shape(pl.col("core")))
    is_bad = shaped.get_column("shape") == "bad"
    if not is_bad.any():
        return shaped, [notes]
    bad = shaped.filter(is_bad)
    said = note_rows(
        bad,
        code="not_a_number",
        detail_vi="Dấu phân cách không tạo thành một số.",
        detail_en="The separators do not make a number.",
    )
    # A cell with bad separators is said to be no number, and nothing else.
    return shaped.filter(~is_bad), [said, notes.join(bad, on="index", how="anti")]


def _shape(core: pl.Expr) -> pl.Expr:
    # Grouped by points throughout is what most cells are; its length tells one group from more.
    is_grouped = core.str.contains(r"^[1-9][0-9]{0,2}(?:\.[0-9]{3})+$")
    return (
        pl.when(is_grouped)
        .then(pl.when(core.str.len_bytes() <= 7).then(pl.lit("dot")).otherwise(pl.lit("vi")))
        .when(core.str.contains(_STRICT_VI))
        .then(pl.lit("vi"))
        .when(core.str.contains(_STRICT_EN))
        .then(pl.lit("en"))
        .when(core.str.contains(_AMBIGUOUS_COMMA))
        .then(pl.lit("comma"))
        .when(core.str.contains(r"^[0-9]+$"))
        .then(pl.lit("none"))
        .when(core.str.ends_with("e"))
        .then(pl.lit("mantissa"))
        .otherwise(pl.lit("bad"))
    )


def _messy(
    cells: pl.DataFrame, *, column_unit: Unit | None, target: Unit | None, bare_power: int
) -> pl.DataFrame:
    """Take distinct cells apart; one row per text: core, sign, power, and what was met."""
    text = pl.col("text").str.replace_all(r"(?i)m\s?²", "m2")
    frame = cells.with_columns(
        folded=ascii_lower(text.str.replace_all(r"[⁰¹²³⁴-⁹]+", "").str.replace(r"^\s*'", ""))
        .str.replace_all(r"[−‐‑–—]", "-")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(),
        has_superscript=text.str.contains(r"[0-9]\s?[⁰¹²³⁴-⁹]"),
    )
    folded = pl.col("folded")
    frame = frame.with_columns(
        kind=pl.when(folded == "")
        .then(pl.lit("blank"))
        .when(folded.str.contains(r"^#(?:ref|div/0|n/a|value|name|null|num)"))
        .then(pl.lit("excel_error"))
        .when(folded.str.starts_with("="))
        .then(pl.lit("formula_text"))
        .when(folded.str.contains(_EMPTY_MARK))
        .then(pl.lit("empty_mark"))
        .when(folded.str.contains(_SAID_NONE))
        .then(pl.lit("said_none"))
        .when(folded.str.contains(r"^(?:tu )?[0-9][0-9.,]*\s?[a-z%]*\s?(?:-|÷|den|to)\s?[0-9]"))
        .then(pl.lit("range_not_number"))
        .otherwise(pl.lit("number"))
    )
    compound = folded.str.extract_groups(
        r"^(?P<billions>[0-9]+) ?(?:ty|ti)(?: (?P<millions>[0-9]{1,3}) ?(?:trieu|tr))"
        r"(?: (?P<thousands>[0-9]{1,3}) ?(?:nghin|ngan))? ?(?:dong|d|vnd)?$"
    )
    compound_small = folded.str.extract_groups(
        r"^(?P<millions>[0-9]+) ?(?:trieu|tr)(?: (?P<thousands>[0-9]{1,3}) ?(?:nghin|ngan))"
        r" ?(?:dong|d|vnd)?$"
    )
    main = folded.str.extract_groups(
        rf"^(?P<approx>(?:{_APPROX})\s?)?(?:vnd |d )?(?P<open>\( ?)?(?P<sign>[-+] ?|am )?"
        rf"(?P<digits>{_DIGITS})(?P<exponent>e[+-]?[0-9]{{1,3}})?(?P<close> ?\))?"
        r"(?P<plus>\+|\?)? ?(?P<tail>[^0-9].*)?$"
    )
    frame = frame.with_columns(
        main.alias("main"), compound.alias("compound"), compound_small.alias("compound_small")
    )

    def part(struct: str, name: str) -> pl.Expr:
        return pl.col(struct).struct.field(name)

    def amount(struct: str, name: str) -> pl.Expr:
        return part(struct, name).cast(pl.Int64, strict=False).fill_null(0)

    whole_sum = (
        pl.when(part("compound", "billions").is_not_null())
        .then(
            amount("compound", "billions") * 10**9
            + amount("compound", "millions") * 10**6
            + amount("compound", "thousands") * 10**3
        )
        .when(part("compound_small", "millions").is_not_null())
        .then(
            amount("compound_small", "millions") * 10**6
            + amount("compound_small", "thousands") * 10**3
        )
    )
    tail = (
        part("main", "tail")
        .fill_null("")
        .str.replace(r"\s?/\s?nam$|\s(?:mot )?nam$", "")
        .str.replace(r"\s?/\s?", "/")
        .str.strip_chars(" .;")
    )
    suffix = r"\s?(?:tro len|tro xuong|\+)$"
    frame = frame.with_columns(
        whole_sum=whole_sum,
        has_suffix=tail.str.contains(suffix),
        tail=tail.str.replace(suffix, ""),
    )
    table = _tails()
    keys = list(table)
    tail_struct = pl.col("tail")
    frame = frame.with_columns(
        tail_dimension=tail_struct.replace_strict(
            keys, [table[k][0] for k in keys], default=None, return_dtype=pl.String
        ),
        tail_exponent=tail_struct.replace_strict(
            keys, [table[k][1] for k in keys], default=None, return_dtype=pl.Int64
        ),
        tail_scale=tail_struct.replace_strict(
            keys, [table[k][2] for k in keys], default=None, return_dtype=pl.Int64
        ),
        tail_has_unit=tail_struct.replace_strict(
            keys, [table[k][3] for k in keys], default=None, return_dtype=pl.Boolean
        ),
    )
    return _classify(frame, column_unit=column_unit, target=target, bare_power=bare_power)


def _classify(
    frame: pl.DataFrame, *, column_unit: Unit | None, target: Unit | None, bare_power: int
) -> pl.DataFrame:
    """Decide for each distinct cell: its core and power, or the code of why it has none."""

    def part(name: str) -> pl.Expr:
        return pl.col("main").struct.field(name)

    wanted = target.dimension if target else None
    column_dimension = column_unit.dimension if column_unit else wanted
    target_power = target.power if target else 0
    base_exponent = column_unit.exponent if column_unit else 0
    column_scale = column_unit.scale if column_unit else 0

    is_compound = pl.col("whole_sum").is_not_null()
    has_tail = pl.col("tail") != ""
    has_unit = pl.col("tail_has_unit").fill_null(value=False) | is_compound
    is_known = ~has_tail | pl.col("tail_scale").is_not_null() | is_compound
    cell_dimension = (
        pl.when(is_compound)
        .then(pl.lit("money"))
        .when(has_unit)
        .then(pl.col("tail_dimension"))
        .otherwise(pl.lit(column_dimension, dtype=pl.String))
    )
    cell_power = (
        pl.when(is_compound)
        .then(pl.lit(0 - target_power, dtype=pl.Int64))
        .when(~has_tail)
        .then(pl.lit(bare_power, dtype=pl.Int64))
        .when(has_unit)
        .then(pl.col("tail_exponent") + pl.col("tail_scale") - target_power)
        .otherwise(pl.col("tail_scale") + base_exponent - target_power)
    )
    spaced = part("digits").str.contains(r"^[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?$")
    digits = (
        pl.when(spaced).then(part("digits").str.replace_all(r"[ ']", "")).otherwise(part("digits"))
    )
    is_bracketed = part("open").is_not_null()
    unbalanced = is_bracketed != part("close").is_not_null()
    signed_bracket = is_bracketed & part("sign").is_not_null()
    exponent = part("exponent").str.slice(1).cast(pl.Int64, strict=False)
    bad_mantissa = exponent.is_not_null() & ~digits.str.contains(r"^[0-9]+(?:[.,][0-9]+)?$")
    is_number = is_compound | (
        part("digits").is_not_null()
        & ~unbalanced
        & ~signed_bracket
        & ~bad_mantissa
        & ~digits.str.contains(r"[ ']")
    )
    is_mismatch = (
        pl.lit(column_dimension, dtype=pl.String).is_not_null()
        & has_unit
        & (cell_dimension != pl.lit(column_dimension, dtype=pl.String))
    )
    is_ten_to = pl.col("has_superscript") & (part("digits") == "10")
    code = (
        pl.when(pl.col("kind") != "number")
        .then(pl.col("kind"))
        .when(pl.col("folded").str.contains(_FOREIGN))
        .then(pl.lit("foreign_currency"))
        .when(~is_number | is_ten_to | pl.col("tail").str.contains(r"^[/:]\s?[0-9]"))
        .then(pl.lit("not_a_number"))
        .when(pl.col("tail").str.contains(_LOCAL_UNITS))
        .then(pl.lit("local_unit"))
        .when(~is_known)
        .then(pl.lit("unknown_unit"))
        .when(is_mismatch)
        .then(pl.lit("unit_mismatch"))
    )
    # A mantissa has one separator, and it is the decimal mark.
    mantissa = pl.when(exponent.is_not_null()).then(
        digits.str.replace(",", ".", literal=True) + "e"
    )
    core = (
        pl.when(is_compound)
        .then(pl.col("whole_sum").cast(pl.String))
        .otherwise(pl.coalesce(mantissa, digits))
    )
    differs = (has_unit & ~is_compound & (pl.col("tail_exponent") != base_exponent)) | (
        pl.lit(bool(column_scale)) & (is_compound | (pl.col("tail_scale") != column_scale))
    )
    return frame.with_columns(code=code).select(
        "text",
        "code",
        "tail",
        core=pl.when(pl.col("code").is_null()).then(core),
        is_negative=part("sign").fill_null("").str.strip_chars().is_in(["-", "am"]) | is_bracketed,
        power=cell_power + exponent.fill_null(0),
        dimension=cell_dimension,
        is_bracketed=is_bracketed,
        is_approximate=part("approx").is_not_null()
        | pl.col("has_suffix")
        | part("plus").is_not_null(),
        has_superscript="has_superscript",
        is_scientific=exponent.is_not_null(),
        has_unit=pl.when(is_known & (has_tail | is_compound)).then(
            pl.when(differs & pl.lit(column_unit is not None))
            .then(pl.lit("differs"))
            .otherwise(pl.lit("same"))
        ),
    )


_WHY: Final = {
    "not_a_number": ("Ô không phải là một số.", "The cell is not a number."),
    "range_not_number": (
        "Ô ghi một khoảng giá trị, không phải một số.",
        "The cell gives a range, not one number.",
    ),
    "excel_error": ("Ô chứa lỗi công thức Excel.", "The cell holds an Excel error."),
    "formula_text": (
        "Ô chứa công thức dạng văn bản; công thức không được tính.",
        "The cell holds a formula as text; it is not evaluated.",
    ),
    "empty_mark": (
        "Ô ghi dấu gạch hoặc ký hiệu trống: hiểu là không có số liệu.",
        "The cell holds a dash or a mark for empty: read as no figure.",
    ),
    "said_none": (
        "Ô ghi “không” hoặc “chưa có”: hiểu là không có số liệu, không phải số 0.",
        "The cell says “none” or “not yet”: read as no figure, not as zero.",
    ),
    "foreign_currency": ("Ô ghi ngoại tệ.", "The cell is in a foreign currency."),
}


_WHY_UNIT: Final = {
    "unknown_unit": (
        "“{}”: phần chữ sau số không phải đơn vị đã biết.",
        "“{}”: the words after the number are no known unit.",
    ),
    "local_unit": (
        "“{}”: đơn vị này khác nhau giữa các địa phương.",
        "“{}”: this unit differs between regions.",
    ),
    "unit_mismatch": (
        "“{}”: đơn vị trong ô không thuộc cột này.",
        "“{}”: the unit in the cell does not belong to this column.",
    ),
}
_UNIT_USED: Final = {
    "unit_in_cell": (
        "same",
        "“{}”: ô có ghi đơn vị; đã đọc theo đơn vị đó.",
        "“{}”: the cell states its unit, which was used.",
    ),
    "unit_differs": (
        "differs",
        "“{}”: đơn vị trong ô khác với đơn vị của cột; đã quy đổi.",
        "“{}”: the unit in the cell is not the column's; it was converted.",
    ),
}
_MARKED: Final = {
    "approximate_number": (
        "is_approximate",
        "Số gần đúng, đã lấy con số ghi trong ô.",
        "An approximate figure; the number in the cell was taken.",
    ),
    "negative_in_parentheses": (
        "is_bracketed",
        "Số trong ngoặc đơn được đọc là số âm.",
        "A number in parentheses was read as negative.",
    ),
    "footnote_mark": (
        "has_superscript",
        "Đã bỏ chỉ số trên cạnh số liệu.",
        "A superscript beside the figure was left out.",
    ),
    "scientific": (
        "is_scientific",
        "Số ghi dạng khoa học; các chữ số cuối có thể đã mất.",
        "Scientific notation; the last digits may have been lost.",
    ),
}


def _messy_notes(joined: pl.DataFrame) -> pl.DataFrame:
    code, cell = pl.col("code"), pl.col("text").str.strip_chars()
    kept = pl.col("core").is_not_null()
    return notes_where(
        joined,
        [
            *((name, code == name, vi, en) for name, (vi, en) in _WHY.items()),
            *(
                (name, code == name, pl.format(vi, cell), pl.format(en, cell))
                for name, (vi, en) in _WHY_UNIT.items()
            ),
            *(
                (
                    name,
                    kept & (pl.col("has_unit") == which),
                    pl.format(vi, cell),
                    pl.format(en, cell),
                )
                for name, (which, vi, en) in _UNIT_USED.items()
            ),
            *((name, kept & pl.col(flag), vi, en) for name, (flag, vi, en) in _MARKED.items()),
        ],
    )


# --- the convention of the column ------------------------------------------------------------


@dataclass(frozen=True)
class _Choice:
    convention: str
    is_ambiguous: bool
    reason_vi: str
    reason_en: str


def _decide(cells: pl.DataFrame, convention: str, *, counts_whole: bool) -> _Choice:
    shape = cells.get_column("shape")
    n = {name: int((shape == name).sum()) for name in ("vi", "en", "dot", "comma")}
    example = {name: _first(cells, name) for name in n}
    if convention != "auto":
        return _Choice(
            convention,
            False,
            "Quy ước được khai báo trong tệp ánh xạ nguồn.",
            "The convention is fixed by the source mapping.",
        )
    n_ambiguous = n["dot"] + n["comma"]
    if n["vi"] or n["en"]:
        used = "en" if n["en"] > n["vi"] else "vi"
        is_conflict = bool(n["vi"] and n["en"])
        reason_vi = f"{n[used]} ô chỉ đọc được theo một cách, ví dụ “{example[used]}”"
        reason_en = f"{n[used]} cells can be read one way only, such as “{example[used]}”"
        if is_conflict:
            other = "vi" if used == "en" else "en"
            reason_vi += f"; nhưng {n[other]} ô viết ngược lại, ví dụ “{example[other]}”"
            reason_en += f"; but {n[other]} cells are the other way, such as “{example[other]}”"
        return _Choice(used, is_conflict and n_ambiguous > 0, reason_vi + ".", reason_en + ".")
    if not n_ambiguous:
        return _Choice("plain", False, "Không có dấu phân cách.", "There are no separators.")
    used = "vi" if n["dot"] else "en"
    sample = example["dot" if used == "vi" else "comma"]
    mixed = bool(n["dot"] and n["comma"])
    broken = cells.filter(
        pl.col("shape").is_in(["dot", "comma"]) & ~pl.col("core").str.ends_with("000")
    )
    if counts_whole and not mixed and broken.height:
        whole = str(broken.get_column("core").min())
        return _Choice(
            used,
            False,
            f"Cột đếm số nguyên nên dấu trong “{whole}” là dấu hàng nghìn.",
            f"The column counts whole units, so the separator in “{whole}” marks thousands.",
        )
    return _Choice(
        used,
        True,
        f"Không ô nào cho biết “{sample}” là hàng nghìn hay số lẻ; tạm đọc là hàng nghìn"
        + (" (cột có cả dấu chấm và dấu phẩy)." if mixed else "."),
        f"No cell settles whether “{sample}” has thousands or decimals; read as thousands"
        + (" (the column has both points and commas)." if mixed else "."),
    )


def _first(cells: pl.DataFrame, shape: str) -> str:
    found = cells.filter(pl.col("shape") == shape).get_column("core")
    return str(found.min()) if len(found) else ""


def _convention_notes(cells: pl.DataFrame, chosen: _Choice, asked: str) -> list[pl.DataFrame]:
    used = chosen.convention
    against = {"vi": ["en"], "en": ["vi"], "plain": ["vi"]}[used]
    if used == "plain" and asked == "plain":
        conflict = cells.filter(
            pl.col("shape").is_in(against)
            | ((pl.col("shape") == "en") & pl.col("core").str.contains(",", literal=True))
        )
        refused = cells.filter(pl.col("shape") == "comma")
    else:
        conflict = cells.filter(pl.col("shape").is_in(against))
        refused = cells.clear()
    return [
        note_rows(
            conflict,
            code="convention_conflict",
            detail_vi=pl.format(
                "“{}” viết khác quy ước của cột; đã đọc theo cách duy nhất có thể.", "core"
            ),
            detail_en=pl.format(
                "“{}” is not in the column's convention; it was read the only way possible.", "core"
            ),
        ),
        note_rows(
            refused,
            code="not_a_number",
            detail_vi=pl.format("“{}”: cột này không dùng dấu phẩy.", "core"),
            detail_en=pl.format("“{}”: this column has no commas.", "core"),
        ),
    ]


def _ambiguity_note(cells: pl.DataFrame, values: pl.Series, other: pl.Series) -> pl.DataFrame:
    """One note for the column, at its first ambiguous cell, with both readings."""
    unsure = cells.filter(pl.col("shape").is_in(["dot", "comma"]))
    first = unsure.head(1)
    at = int(first.get_column("index")[0])
    core = first.get_column("core")[0]
    one, two = _plain_text(values[at]), _plain_text(other[at])
    return note_rows(
        first,
        code="ambiguous_convention",
        detail_vi=f"“{core}” đọc là {one}; cũng có thể là {two} "
        f"({unsure.height} ô như vậy trong cột).",
        detail_en=f"“{core}” was read as {one}; it may be {two} "
        f"({unsure.height} such cells in the column).",
    )


def _plain_text(value: float | int | None) -> str:
    if value is None:
        return "—"
    return str(value) if isinstance(value, int) else f"{value:.12g}"


# --- values ----------------------------------------------------------------------------------


def _read(cells: pl.DataFrame, convention: str) -> pl.DataFrame:
    """Add ``whole`` and ``fraction``: the digits before and after the decimal mark."""
    shape, core = pl.col("shape"), pl.col("core")
    unsure = shape.is_in(["dot", "comma"])
    comma_decimal = (shape == "vi") | (unsure & pl.lit(convention == "vi"))
    kept = cells.filter(pl.col("shape") != "comma") if convention == "plain" else cells
    canon = (
        pl.when(shape == "none")
        .then(core)
        .when(shape == "mantissa")
        .then(core.str.strip_suffix("e"))
        .when(comma_decimal)
        .then(core.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .otherwise(core.str.replace_all(",", "", literal=True))
    )
    return kept.with_columns(canon=canon)


def _slow_values(
    read: pl.DataFrame, *, as_integer: bool, column_unit: Unit | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    sign = pl.when("is_negative").then(-1).otherwise(1)
    if not as_integer:
        value = pl.format("{}e{}", "canon", "power").cast(pl.Float64, strict=False)
        return read.select("index", value=sign.cast(pl.Float64) * value + 0.0), []
    split = read.with_columns(
        pl.col("canon").str.splitn(".", 2).struct.rename_fields(["whole", "fraction"]).alias("p")
    ).unnest("p")
    split = split.with_columns(
        whole=pl.col("whole").str.strip_chars_start("0"),
        fraction=pl.col("fraction").fill_null("").str.strip_chars_end("0"),
    )
    return _exact(split, column_unit)


def _exact(
    split: pl.DataFrame, column_unit: Unit | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Integer arithmetic on digits: (whole.fraction) × 10^power, rounded half up where broken."""
    whole, fraction, power = pl.col("whole"), pl.col("fraction"), pl.col("power")
    # Only the digits that survive the shift, and one more, decide the value and its rounding.
    split = split.with_columns(
        is_broken=(fraction.str.len_bytes().cast(pl.Int64) > power)
        & (
            (power >= 0)
            | (fraction != "")
            | (
                whole.str.len_bytes().cast(pl.Int64)
                - whole.str.strip_chars_end("0").str.len_bytes().cast(pl.Int64)
                < -power
            )
            & (whole != "")
        ),
        digits_out=whole.str.len_bytes().cast(pl.Int64) + power,
    )
    fits = pl.col("digits_out") <= _MAX_DIGITS
    keep = pl.max_horizontal(power + 1, pl.lit(0))
    mantissa = (
        pl.concat_str(whole, fraction.str.slice(0, keep)).cast(pl.Int64, strict=False).fill_null(0)
    )
    shift = power - pl.min_horizontal(fraction.str.len_bytes().cast(pl.Int64), keep)
    up = pl.lit(10, dtype=pl.Int64).pow(shift.clip(0, _MAX_DIGITS))
    down = pl.lit(10, dtype=pl.Int64).pow((-shift).clip(0, _MAX_DIGITS))
    value = pl.when(shift >= 0).then(mantissa * up).otherwise((mantissa + down // 2) // down)
    out = split.with_columns(
        value=pl.when(fits).then(pl.when("is_negative").then(-value).otherwise(value)),
        fits=fits,
    )
    counted = pl.col("dimension").is_in(list(_COUNTED)) | pl.col("dimension").is_null()
    no_fit = out.filter(~pl.col("fits"))
    broken = out.filter(pl.col("fits") & pl.col("is_broken") & counted)
    rounded = out.filter(pl.col("fits") & pl.col("is_broken") & ~counted)
    values = out.select(
        "index", value=pl.when(~(pl.col("is_broken") & counted)).then(pl.col("value"))
    )
    return values, [_too_large(no_fit), _not_whole(broken), _rounded(rounded)]


def _too_large(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="too_large",
        detail_vi="Số có quá 18 chữ số.",
        detail_en="The number has more than 18 digits.",
    )


def _not_whole(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="not_whole",
        detail_vi="Cột này chỉ nhận số nguyên.",
        detail_en="This column takes whole numbers only.",
    )


def _rounded(cells: pl.DataFrame) -> pl.DataFrame:
    return note_rows(
        cells,
        code="rounded",
        detail_vi="Phần lẻ đã được làm tròn.",
        detail_en="The fraction was rounded off.",
    )


def _fast_values(
    fast: pl.Series,
    is_fast: pl.Series,
    power: int,
    *,
    as_integer: bool,
    column_unit: Unit | None,
) -> tuple[pl.Series, list[pl.DataFrame]]:
    """Values of the cells that are digits alone, shifted by the power of ten of the column."""
    base = fast.set(~is_fast, None)
    if not as_integer:
        floats = base.cast(pl.Float64)
        return (floats * 10.0**power if power >= 0 else floats / 10.0**-power), []
    if power == 0:
        return base, []
    frame = pl.DataFrame({"value": base}).with_row_index("index")
    if power > 0:
        limit = 10 ** (_MAX_DIGITS - power) if power <= _MAX_DIGITS else 0
        fits = pl.col("value").abs() < limit
        no_fit = frame.filter(~fits)
        out = frame.select(pl.when(fits).then(pl.col("value") * 10**power).alias("value"))
        return out.get_column("value"), [_too_large(no_fit)]
    down = 10**-power
    size = pl.col("value").abs()
    rounded = pl.when(pl.col("value") < 0).then(-1).otherwise(1) * ((size + down // 2) // down)
    broken = frame.filter(size % down != 0)
    counted = column_unit is None or column_unit.dimension in _COUNTED
    if counted:
        out = frame.select(pl.when(size % down == 0).then(rounded).alias("value"))
        return out.get_column("value"), [_not_whole(broken)]
    return frame.select(rounded.alias("value")).get_column("value"), [_rounded(broken)]


def _scatter(base: pl.Series, slow: pl.DataFrame) -> pl.Series:
    if not slow.height:
        return base
    return base.scatter(slow.get_column("index"), slow.get_column("value").cast(base.dtype))


__all__ = [
    "CONVENTIONS",
    "NumberResult",
    "Unit",
    "parse_numbers",
    "parse_unit",
    "typed_numbers",
    "unit_of_heading",
]
