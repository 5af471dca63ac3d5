"""Tax codes: validity, what spreadsheets do to them, personal numbers, synthetic codes."""

from __future__ import annotations

import polars as pl
import pytest
from stdnum.vn import mst

from htx_pipeline.ingest.value_notes import NOTE_CODES, NOTE_SCHEMA
from htx_pipeline.resolve.tax_codes import generate, parse_tax_codes


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("12345", "tax_code_invalid"),
        ("abc", "tax_code_invalid"),
        ("01002334881", "tax_code_invalid"),
        ("6.1E+09", "tax_code_invalid"),
        ("200233488", "tax_code_invalid"),
        ("062123456789", "tax_code_personal_id"),
        ("900000000012", "tax_code_personal_id"),
    ],
)
def test_what_is_no_tax_code_is_null_and_an_error(cell: str, code: str) -> None:
    result = parse_tax_codes(pl.Series([cell]))
    assert result.values.to_list() == [None]
    assert result.is_valid.to_list() == [False]
    assert result.notes["code"].to_list() == [code]
    assert NOTE_CODES[code].severity == "error"


@pytest.mark.parametrize("cell", ["0100233480", "0314409059-002", "0100000000", "0314409058-000"])
def test_a_code_that_cannot_be_stays_as_written_and_is_not_valid(cell: str) -> None:
    result = parse_tax_codes(pl.Series([cell]))
    assert result.values.to_list() == [cell]
    assert result.is_valid.to_list() == [False]
    assert result.notes["code"].to_list()[-1] == "tax_code_check_digit"


def test_a_personal_number_is_never_repeated() -> None:
    result = parse_tax_codes(pl.Series(["062123456789"]))
    assert "062123456789" not in str(result.notes.rows())


def test_good_codes_in_every_form() -> None:
    cells = ["0100233488", " 01.00.233.488 ", "0100 233 488", "'0100233488", "０１００２３３４８８"]
    result = parse_tax_codes(pl.Series("tax_code", cells))
    assert result.values.to_list() == ["0100233488"] * 5
    assert result.is_valid.all()
    assert result.notes.is_empty()
    assert result.values.name == "tax_code"


def test_a_branch_names_its_parent() -> None:
    result = parse_tax_codes(pl.Series(["0314409058-002", "0314409058002", "314409058002"]))
    assert result.values.to_list() == ["0314409058-002"] * 3
    assert result.parents.to_list() == ["0314409058"] * 3
    assert result.is_branch.to_list() == [True] * 3
    assert result.notes.filter(pl.col("index") == 2)["code"].to_list() == [
        "tax_code_branch",
        "tax_code_zero_restored",
    ]


def test_a_lost_zero_comes_back_only_when_the_check_digit_agrees() -> None:
    result = parse_tax_codes(pl.Series(["100233488", "100233489"]))
    assert result.values.to_list() == ["0100233488", None]
    assert result.notes.select("index", "code").rows() == [
        (0, "tax_code_zero_restored"),
        (1, "tax_code_invalid"),
    ]


def test_codes_that_became_numbers() -> None:
    text = parse_tax_codes(pl.Series(["0100233488.0", "100233488.00", "3.14409058E8"]))
    assert text.values.to_list()[:2] == ["0100233488", "0100233488"]
    assert text.notes.filter(pl.col("index") < 2)["code"].to_list() == [
        "tax_code_from_number",
        "tax_code_from_number",
        "tax_code_zero_restored",
    ]
    for dtype in (pl.Int64, pl.Float64):
        typed = parse_tax_codes(pl.Series([100233488, None], dtype=dtype))
        assert typed.values.to_list() == ["0100233488", None]


def test_an_empty_cell_is_neither_valid_nor_invalid() -> None:
    result = parse_tax_codes(pl.Series(["", None, "-", "Chưa có"]))
    assert result.values.null_count() == 4
    assert result.is_valid.to_list() == [None] * 4
    assert result.notes.select("index", "code").rows() == [(2, "empty_mark"), (3, "said_none")]
    assert dict(result.notes.schema) == NOTE_SCHEMA


def test_validity_is_that_of_stdnum() -> None:
    cells = [f"{n:010d}" for n in range(6_100_000_000, 6_100_020_000, 7)]
    cells += [f"{n:010d}-{b:03d}" for n in range(4_300_000_000, 4_300_001_000, 3) for b in (0, 1)]
    result = parse_tax_codes(pl.Series(cells))
    assert result.is_valid.to_list() == [mst.is_valid(c) for c in cells]
    assert 0 < result.is_valid.sum() < len(cells)


def test_synthetic_codes_are_valid_distinct_and_repeatable() -> None:
    codes = generate(500)
    assert len(set(codes)) == 500
    assert all(mst.is_valid(code) and code.startswith("619") for code in codes)
    assert generate(500) == codes
    assert generate(100) == codes[:100]
    with pytest.raises(ValueError, match="serials"):
        generate(10, first=9_999_999)
