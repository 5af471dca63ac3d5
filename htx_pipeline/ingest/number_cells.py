"""The cells of a column of numbers, taken apart: sign, digits, unit, and what else a cell says.

What belongs here: from text to a core of digits and separators with its power of ten, and the notes of
each cell. What does not: how the column's separators are read (`number_convention`) and what the
digits are worth (`number_values`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.ingest.names import ascii_lower
from htx_pipeline.ingest.number_units import Unit, tails
from htx_pipeline.ingest.value_notes import empty_notes, note_rows, notes_where

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
_FOOTNOTE: Final = r"([0-9%])\s?(?:\(?\*{1,3}\)?|\([1-9]\)|\[[0-9]{1,2}\])$"
"""A mark that leads to a note below the table: 120*, 120 (1), 120 [12]."""
_AMBIGUOUS_COMMA: Final = r"^[1-9][0-9]{0,2},[0-9]{3}$"
MAX_DIGITS: Final = 18


_CELL_SCHEMA: Final = {
    "index": pl.UInt32(),
    "core": pl.String(),
    "is_negative": pl.Boolean(),
    "power": pl.Int64(),
    "dimension": pl.String(),
    "shape": pl.String(),
}


def cells_of(
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
    as_written = pl.col("text").str.strip_chars()
    text = as_written.str.replace_all(r"(?i)m\s?²", "m2").str.replace(_FOOTNOTE, "$1")
    frame = cells.with_columns(
        folded=ascii_lower(text.str.replace_all(r"[⁰¹²³⁴-⁹]+", "").str.replace(r"^\s*'", ""))
        .str.replace_all(r"[−‐‑–—]", "-")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(),
        has_superscript=text.str.contains(r"[0-9]\s?[⁰¹²³⁴-⁹]"),
        has_mark=as_written.str.contains(_FOOTNOTE),
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
    table = tails()
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
        has_mark=pl.col("has_mark") | pl.col("has_superscript"),
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
        "has_mark",
        "Đã bỏ ký hiệu chú thích cạnh số liệu.",
        "A footnote mark beside the figure was left out.",
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
