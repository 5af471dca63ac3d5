"""Numbers as Vietnamese senders write them: what is read, what is refused, what is said."""

from __future__ import annotations

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.number_units import parse_unit, unit_of_heading
from htx_pipeline.ingest.numbers import parse_numbers, typed_numbers
from htx_pipeline.ingest.value_notes import NOTE_CODES, NOTE_SCHEMA


def codes(cell: str, **how: object) -> list[str]:
    return parse_numbers(pl.Series([cell]), **how).notes["code"].to_list()


def money(cells: list[str | None], **how: object) -> list[int | None]:
    result = parse_numbers(
        pl.Series(cells, dtype=pl.String), unit="VND", target_unit="VND", as_integer=True, **how
    )
    return result.values.to_list()


@pytest.mark.parametrize(
    "cell",
    ["abc", "12a4", "1O0", "1.234.5", "1.2.3", "12 5", "15/12/2023", "(5", "5)", "(-5)", "--5",
     "1,234.567,8", "1.23.456", "1 tỷ 2", "10³", "5 6", "NaNa", "0.123.456", "1..5", "1,,5", "e5"],
)  # fmt: skip
def test_what_is_no_number_is_null_and_said_to_be_an_error(cell: str) -> None:
    result = parse_numbers(pl.Series([cell]))
    assert result.values.to_list() == [None]
    assert [NOTE_CODES[c].severity for c in result.notes["code"]] == ["error"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("10-20", "range_not_number"),
        ("10 – 20", "range_not_number"),
        ("từ 10 đến 20 triệu", "range_not_number"),
        ("1.000-2.000", "range_not_number"),
        ("#REF!", "excel_error"),
        ("#DIV/0!", "excel_error"),
        ("=SUM(A1:A9)", "formula_text"),
        ("100 USD", "foreign_currency"),
        ("$100", "foreign_currency"),
        ("5 sào", "local_unit"),
        ("12 tháng", "unknown_unit"),
        ("4,5 ha", "unit_mismatch"),
        ("9999999999999 tỷ", "too_large"),
    ],
)
def test_a_refused_cell_says_why(cell: str, code: str) -> None:
    result = parse_numbers(pl.Series([cell]), unit="VND", target_unit="VND", as_integer=True)
    assert result.values.to_list() == [None]
    assert code in result.notes["code"].to_list()


@pytest.mark.parametrize(
    ("cell", "code"),
    [("-", "empty_mark"), ("—", "empty_mark"), ("…", "empty_mark"), ("...", "empty_mark"),
     ("N/A", "empty_mark"), ("không", "said_none"), ("Chưa có số liệu", "said_none")],
)  # fmt: skip
def test_marks_for_empty_are_null_but_not_errors(cell: str, code: str) -> None:
    assert codes(cell) == [code]
    assert NOTE_CODES[code].severity == "info"


def test_an_empty_cell_says_nothing_and_a_zero_is_a_zero() -> None:
    result = parse_numbers(pl.Series(["", "  ", None, "\u00a0", "0"]))
    assert result.values.to_list() == [None, None, None, None, 0.0]
    assert result.notes.is_empty()


@pytest.mark.parametrize(
    ("cell", "dong"),
    [
        ("2,5 tỷ", 2_500_000_000),
        ("850 triệu", 850_000_000),
        ("1,2 tỷ đồng", 1_200_000_000),
        ("350 nghìn", 350_000),
        ("350 ngàn đồng", 350_000),
        ("24 tỷ đ", 24_000_000_000),
        ("24tỷ", 24_000_000_000),
        ("500tr", 500_000_000),
        ("1.234.567đ", 1_234_567),
        ("1.234.567 VNĐ", 1_234_567),
        ("1.234.567 ₫", 1_234_567),
        ("1 tỷ 200 triệu", 1_200_000_000),
        ("15 triệu 500 nghìn đồng", 15_500_000),
        ("1.2E+10", 12_000_000_000),
        ("35 triệu đồng/năm", 35_000_000),
        ("0,000000001 tỷ", 1),
        ("123456789012345678", 123_456_789_012_345_678),
    ],
)
def test_money_in_words_is_exact_to_the_dong(cell: str, dong: int) -> None:
    assert money([cell]) == [dong]


def test_decomposed_and_upper_case_words_are_the_same_words() -> None:
    assert money(["2,5 TY\u0309 \u0110O\u0302\u0300NG", "２，５ tỉ"]) == [2_500_000_000] * 2


@pytest.mark.parametrize("cell", ["(1.234.000)", "-1.234.000", "−1.234.000", "âm 1.234.000"])
def test_negatives_in_every_spelling(cell: str) -> None:
    assert money([cell]) == [-1_234_000]


def test_a_negative_in_parentheses_is_noted() -> None:
    assert codes("(5)") == ["negative_in_parentheses"]


@pytest.mark.parametrize(
    "cell", ["khoảng 50", "~50", "trên 50", ">50", "hơn 50", "gần 50", "dưới 50", "50 trở lên", "50+",
             "≥ 50", "ước đạt 50", "không quá 50"]
)  # fmt: skip
def test_an_approximate_figure_is_kept_and_flagged(cell: str) -> None:
    result = parse_numbers(pl.Series([cell]), unit="person", as_integer=True)
    assert result.values.to_list() == [50]
    assert result.notes["code"].to_list() == ["approximate_number"]


def test_odd_spaces_digits_and_footnotes() -> None:
    cells = [
        "1 234 567",
        "1\u00a0234\u00a0567",
        "1\u2009234\u202f567",
        "１２３４５６７",
        "1.234.567¹",
    ]
    result = parse_numbers(pl.Series(cells))
    assert result.values.to_list() == [1_234_567.0] * 5
    assert result.notes.rows()[0][:2] == (4, "footnote_mark")


def test_the_press_figure_81_00ha_is_eighty_one_hectares() -> None:
    """Conflict 6 of the official material."""
    result = parse_numbers(pl.Series(["81.00ha", "4,5 ha", "1.250,5"]), unit="ha")
    assert result.values.to_list() == [81.0, 4.5, 1250.5]
    said = dict(result.notes.select("index", "code").rows())
    assert result.convention == "vi"
    assert said[0] in {"convention_conflict", "unit_in_cell"}
    assert "convention_conflict" in result.notes.filter(pl.col("index") == 0)["code"].to_list()


def test_units_in_cells_convert_and_the_column_unit_gives_way() -> None:
    mass = parse_numbers(
        pl.Series(["1500 kg", "2 tấn", "5 tạ", "3"]), unit="tonnes", target_unit="tonnes"
    )
    assert mass.values.to_list() == [1.5, 2.0, 0.5, 3.0]
    area = parse_numbers(pl.Series(["5000 m²", "5.000 m2", "2"]), unit="ha", target_unit="ha")
    assert area.values.to_list() == [0.5, 0.5, 2.0]
    share = parse_numbers(pl.Series(["12,5%", "15"]), unit="percent", target_unit="share")
    assert share.values.to_list() == [0.125, 0.15]
    million = parse_numbers(
        pl.Series(["1.250,5", "2 tỷ", "850 triệu"]),
        unit="million VND",
        target_unit="VND",
        as_integer=True,
    )
    assert million.values.to_list() == [1_250_500_000, 2_000_000_000, 850_000_000]
    assert "unit_differs" in million.notes.filter(pl.col("index") == 1)["code"].to_list()
    assert "unit_differs" not in million.notes.filter(pl.col("index") == 2)["code"].to_list()


def test_half_a_person_is_an_error_and_half_a_dong_is_rounded() -> None:
    people = parse_numbers(pl.Series(["12,5"]), unit="person", as_integer=True)
    assert people.values.to_list() == [None]
    assert people.notes["code"].to_list() == ["not_whole"]
    dong = parse_numbers(pl.Series(["12,5", "-12,5", "12,49"]), unit="VND", as_integer=True)
    assert dong.values.to_list() == [13, -13, 12]
    assert set(dong.notes["code"]) == {"rounded"}
    down = parse_numbers(
        pl.Series(["1500", "-1500", "2000"]),
        unit="VND",
        target_unit="thousand VND",
        as_integer=True,
    )
    assert down.values.to_list() == [2, -2, 2]


@pytest.mark.parametrize(
    ("cells", "convention", "values"),
    [
        (["12.000", "1.234.567"], "vi", [12_000.0, 1_234_567.0]),
        (["12.000", "12,5"], "vi", [12_000.0, 12.5]),
        (["12.000", "3.25"], "en", [12.0, 3.25]),
        (["12,000", "1,234,567"], "en", [12_000.0, 1_234_567.0]),
        (["12,000", "3.25"], "en", [12_000.0, 3.25]),
        (["12,000", "12,5"], "vi", [12.0, 12.5]),
        (["12.000", "0.125"], "en", [12.0, 0.125]),
        (["12.000", "1234.567"], "en", [12.0, 1234.567]),
        (["5", "12000"], "plain", [5.0, 12_000.0]),
    ],
)
def test_peers_settle_an_ambiguous_cell(
    cells: list[str], convention: str, values: list[float]
) -> None:
    result = parse_numbers(pl.Series(cells), unit="ha")
    assert (result.convention, result.is_ambiguous) == (convention, False)
    assert result.values.to_list() == values
    assert result.alternative is None


def test_an_unsettled_column_gives_both_readings_and_the_reason() -> None:
    result = parse_numbers(pl.Series(["12.000", "7", "15.500"]), unit="ha")
    assert result.is_ambiguous
    assert result.values.to_list() == [12_000.0, 7.0, 15_500.0]
    assert result.alternative is not None
    assert result.alternative.to_list() == [12.0, 7.0, 15.5]
    assert "12.000" in result.reason_en
    assert "12.000" in result.reason_vi
    note = result.notes.row(0, named=True)
    assert (note["index"], note["code"]) == (0, "ambiguous_convention")
    assert "12000" in note["detail_vi"]
    assert "2 " in note["detail_en"]


def test_the_mapping_has_the_last_word_on_the_convention() -> None:
    cells = pl.Series(["12.000", "15.500"])
    for convention, values in (
        ("vi", [12_000.0, 15_500.0]),
        ("en", [12.0, 15.5]),
        ("plain", [12.0, 15.5]),
    ):
        result = parse_numbers(cells, convention=convention)
        assert result.values.to_list() == values
        assert not result.is_ambiguous


def test_whole_things_have_no_three_decimals() -> None:
    counted = parse_numbers(pl.Series(["12.345", "7"]), unit="person", as_integer=True)
    assert counted.values.to_list() == [12_345, 7]
    assert not counted.is_ambiguous
    in_millions = parse_numbers(
        pl.Series(["12.345"]), unit="million VND", target_unit="VND", as_integer=True
    )
    assert in_millions.is_ambiguous


def test_conflicting_evidence_is_reported_cell_by_cell() -> None:
    result = parse_numbers(pl.Series(["12,5", "1.234.567", "3.25", "12.000"]), unit="ha")
    assert result.convention == "vi"
    assert result.is_ambiguous
    assert result.values.to_list() == [12.5, 1_234_567.0, 3.25, 12_000.0]
    conflict = result.notes.filter(pl.col("code") == "convention_conflict")
    assert conflict["index"].to_list() == [2]
    assert "3.25" in result.reason_en


def test_scientific_notation_is_no_evidence_for_a_convention() -> None:
    result = parse_numbers(pl.Series(["1.5E+9", "12,5"]), unit="ha")
    assert result.convention == "vi"
    assert result.values.to_list() == [1.5e9, 12.5]
    assert "convention_conflict" not in result.notes["code"].to_list()


def test_notes_have_their_shape_and_registered_codes() -> None:
    cells = ["abc", "2,5 tỷ", "(1.000)", "khoảng 5", "10-20", "-", "3.25", "1.5E3", "5¹"]
    notes = parse_numbers(pl.Series(cells), unit="VND").notes
    assert dict(notes.schema) == NOTE_SCHEMA
    assert set(notes["code"]) <= set(NOTE_CODES)
    assert notes["index"].is_sorted()
    assert notes.select("index", "code").is_duplicated().sum() == 0
    assert notes.null_count().sum_horizontal().item() == 0


def test_numbers_the_workbook_holds_as_numbers_convert_exactly() -> None:
    typed = typed_numbers(
        pl.Series([1234.5678, 0.1, 2.5, None, float("nan"), -1.005, 1e15]),
        unit="million VND",
        target_unit="VND",
        as_integer=True,
    )
    assert typed.values.to_list() == [
        1_234_567_800, 100_000, 2_500_000, None, None, -1_005_000, None,
    ]  # fmt: skip
    assert typed.notes["code"].to_list() == ["too_large"]


def test_a_misspelt_unit_is_the_mappings_mistake() -> None:
    with pytest.raises(InputError, match="milion"):
        parse_unit("milion VND")
    with pytest.raises(InputError):
        parse_numbers(pl.Series(["1"]), unit="ha", target_unit="VND")
    with pytest.raises(InputError):
        parse_numbers(pl.Series(["1"]), convention="fr")


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("Doanh thu (triệu đồng)", "million VND"),
        ("Doanh thu (tr.đồng)", "million VND"),
        ("Vốn điều lệ\n(ĐVT: Tỷ đồng)", "billion VND"),
        ("Diện tích (ha)", "ha"),
        ("Diện tích (m²)", "m2"),
        ("ĐVT: nghìn đồng", "thousand VND"),
        ("Thu nhập (triệu đồng/năm)", "million VND"),
        ("Tỷ lệ (%)", "percent"),
        ("Sản lượng (tấn)", "tonnes"),
        ("Doanh thu (năm 2024)", None),
        ("Tên hợp tác xã", None),
        ("", None),
    ],
)
def test_the_unit_of_a_heading(heading: str, unit: str | None) -> None:
    assert unit_of_heading(heading) == unit


def test_shuffled_rows_give_the_same_values_and_convention() -> None:
    cells = pl.Series(["12.000", "3,5", "abc", "2,5 tỷ", "1.250", "3.25", None, "khoảng 5"])
    once = parse_numbers(cells, unit="VND")
    order = pl.Series([5, 2, 7, 0, 3, 1, 6, 4])
    again = parse_numbers(cells.gather(order), unit="VND")
    assert again.values.equals(once.values.gather(order))
    assert (again.convention, again.reason_vi) == (once.convention, once.reason_vi)
