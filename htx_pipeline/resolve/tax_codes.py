"""Tax codes (mã số thuế), which are also the codes of cooperatives.

What belongs here: whether a code is valid, what a spreadsheet did to it, and synthetic codes for
the sample. What does not: deciding which organisation a code belongs to.

A code has ten digits, the tenth a check digit; a branch adds three ("-001"). Spreadsheets drop the
leading zero and turn codes into floats; both are undone only when the check digit agrees, and said.
Validity is decided by python-stdnum (``stdnum.vn.mst``).

Since 01/07/2025 household businesses may be given their owner's twelve-digit personal number as tax
code (Thông tư 86/2024/TT-BTC; from general knowledge, not checked against the document). Such a
number is personal data: it is refused, and never repeated in a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl
from stdnum.vn import mst

from htx_pipeline.ingest.value_notes import notes_where

_EMPTY: Final = r"^[-–—_.…/\\x]*$"
_SAID_NONE: Final = r"(?i)^(?:không|không có|chưa|chưa có|chưa cấp|ko|n/?a|null|none|nan)$"
SYNTHETIC_FROM: Final = 9_000_000
"""First serial of synthetic codes; real serials of a province are far below it."""


@dataclass(frozen=True)
class TaxCodeResult:
    """Parsed codes.

    Attributes
    ----------
    values:
        "6100123456" or "6100123456-001"; null where the cell is no code of 10 or 13 digits. A code
        whose check digit is wrong stays, as written, with ``is_valid`` false.
    is_valid:
        Whether the code is valid; null where the cell is empty.
    parents:
        The ten digits of the organisation itself.
    is_branch:
        Whether the code has 13 digits; null where there is no code.
    notes:
        `value_notes.NOTE_SCHEMA`.
    """

    values: pl.Series
    is_valid: pl.Series
    parents: pl.Series
    is_branch: pl.Series
    notes: pl.DataFrame


def _is_valid(code: str) -> bool:
    """`mst.is_valid` for text known to be digits."""
    if len(code) not in (10, 13) or code[2:9] == "0000000" or code[10:] == "000":
        return False
    return bool(code[9] == mst.calc_check_digit(code))


def _read(text: str) -> tuple[str | None, str]:
    """One distinct cell → (code or None, what happened)."""
    code = re.sub(r"[.\-]", "", text)
    if not (code.isascii() and code.isdigit()):
        return None, "tax_code_invalid"
    if len(code) == 12 and code.startswith("0"):
        return None, "tax_code_personal_id"
    if len(code) in (9, 12):
        if _is_valid("0" + code):
            return _formatted("0" + code), "tax_code_zero_restored"
        return None, "tax_code_personal_id" if len(code) == 12 else "tax_code_invalid"
    if len(code) not in (10, 13):
        return None, "tax_code_invalid"
    return _formatted(code), "" if _is_valid(code) else "tax_code_check_digit"


def _formatted(code: str) -> str:
    return code if len(code) == 10 else f"{code[:10]}-{code[10:]}"


def parse_tax_codes(raw: pl.Series) -> TaxCodeResult:
    """Parse a column of tax codes.

    Parameters
    ----------
    raw:
        String, integer or float series.

    Examples
    --------
    >>> cells = pl.Series(["0100233488", "100233488", "0314409058-002", "0100233488.0", "0100233480"])
    >>> result = parse_tax_codes(cells)
    >>> result.values.to_list()
    ['0100233488', '0100233488', '0314409058-002', '0100233488', '0100233480']
    >>> result.is_valid.to_list()
    [True, True, True, True, False]
    >>> result.notes["code"].to_list()
    ['tax_code_zero_restored', 'tax_code_branch', 'tax_code_from_number', 'tax_code_check_digit']
    """
    is_numeric = raw.dtype.is_numeric()
    if raw.dtype.is_float():
        whole = raw.set(raw != raw.round(), None).cast(pl.Int64, strict=False)
        raw = whole.cast(pl.String)
    text = raw.cast(pl.String)
    index = pl.arange(0, len(text), eager=True, dtype=pl.UInt32)
    cells = pl.DataFrame({"index": index, "text": text}).drop_nulls()
    clean = pl.col("text").str.normalize("NFKC").str.replace_all(r"[\s\u00a0'’]", "")
    distinct = cells.select("text").unique().sort("text").with_columns(clean=clean)
    as_float = distinct.get_column("clean").str.contains(r"^[0-9]{9,13}\.0+$")
    as_power = distinct.get_column("clean").str.contains(r"(?i)^[0-9]\.[0-9]{8,12}e\+?[0-9]{1,2}$")
    power = pl.col("clean").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    distinct = distinct.with_columns(
        number=pl.when(as_float)
        .then(pl.col("clean").str.replace(r"\.0+$", ""))
        .when(as_power)
        .then(power.cast(pl.String))
        .otherwise("clean"),
        from_number=as_float | as_power,
        is_empty=pl.col("clean").str.contains(_EMPTY),
        said_none=pl.col("text").str.strip_chars().str.contains(_SAID_NONE),
    )
    rows = [
        (None, "") if skip else _read(number)
        for number, skip in distinct.select(
            "number", pl.col("is_empty") | pl.col("said_none")
        ).rows()
    ]
    distinct = distinct.with_columns(
        value=pl.Series([r[0] for r in rows], dtype=pl.String),
        happened=pl.Series([r[1] for r in rows], dtype=pl.String),
    )
    read = cells.join(distinct, on="text", how="left", maintain_order="left")
    blank = pl.Series(raw.name, [None], dtype=pl.String).new_from_index(0, len(text))
    values = blank.scatter(read.get_column("index"), read.get_column("value"))
    valid = pl.col("value").is_not_null() & (pl.col("happened") != "tax_code_check_digit")
    stated = read.filter(~pl.col("is_empty") & ~pl.col("said_none")).select("index", valid=valid)
    unknown = pl.Series(raw.name, [None], dtype=pl.Boolean).new_from_index(0, len(text))
    return TaxCodeResult(
        values=values,
        is_valid=unknown.scatter(stated.get_column("index"), stated.get_column("valid")),
        parents=values.str.slice(0, 10),
        is_branch=values.str.len_bytes() > 10,
        notes=_notes(read, is_numeric=is_numeric),
    )


def _notes(read: pl.DataFrame, *, is_numeric: bool) -> pl.DataFrame:
    happened, got = pl.col("happened"), pl.col("value").is_not_null()
    wrote_empty = pl.col("is_empty") & (pl.col("clean") != "")
    table = (
        (
            "tax_code_invalid",
            happened == "tax_code_invalid",
            "Mã số thuế phải có 10 hoặc 13 chữ số.",
            "A tax code has 10 or 13 digits.",
        ),
        (
            "tax_code_check_digit",
            happened == "tax_code_check_digit",
            "Chữ số kiểm tra (chữ số thứ 10) không khớp: có thể gõ nhầm.",
            "The check digit (the tenth) does not agree: probably mistyped.",
        ),
        (
            "tax_code_personal_id",
            happened == "tax_code_personal_id",
            "Ô ghi 12 chữ số như số định danh cá nhân; không lưu số này.",
            "The cell holds twelve digits, like a personal number; it was not kept.",
        ),
        (
            "tax_code_zero_restored",
            got & (happened == "tax_code_zero_restored"),
            "Đã thêm lại số 0 ở đầu; chữ số kiểm tra khớp.",
            "The leading zero was put back; the check digit agrees.",
        ),
        (
            "tax_code_from_number",
            got & pl.col("from_number") & (not is_numeric),
            "Mã số thuế bị ghi thành số thập phân; đã khôi phục.",
            "The code was written as a decimal number; it was restored.",
        ),
        (
            "tax_code_branch",
            got & (pl.col("value").str.len_bytes() > 10),
            "Mã 13 số của đơn vị phụ thuộc.",
            "A 13-digit code of a branch.",
        ),
        ("empty_mark", wrote_empty, "Ô ghi dấu gạch: không có mã.", "A dash: no code."),
        ("said_none", pl.col("said_none"), "Ô ghi chưa có mã.", "The cell says there is no code."),
    )
    return notes_where(read, table)


def generate(n: int, *, prefix: str = "61", first: int = SYNTHETIC_FROM) -> list[str]:
    """Return `n` distinct valid ten-digit codes for synthetic organisations.

    Parameters
    ----------
    n:
        How many.
    prefix:
        Two digits of the province (61 was Kon Tum's).
    first:
        First serial (seven digits); the default lies where no code has been issued.

    Examples
    --------
    >>> codes = generate(3)
    >>> all(mst.is_valid(code) for code in codes), len(set(codes))
    (True, 3)
    """
    codes: list[str] = []
    serial = first
    while len(codes) < n:
        if serial > 9_999_999:
            raise ValueError(f"no {n} serials from {first} on")
        stem = f"{prefix}{serial:07d}"
        digit = mst.calc_check_digit(stem)
        if len(digit) == 1:
            codes.append(stem + digit)
        serial += 1
    return codes
