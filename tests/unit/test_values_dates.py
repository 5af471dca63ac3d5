"""Dates as senders write them, their precision, and the reporting year."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.date_values import excel_serial_to_date
from htx_pipeline.ingest.dates import (
    parse_dates,
    reporting_period,
    reporting_year,
    reporting_year_expr,
)
from htx_pipeline.ingest.value_notes import NOTE_CODES, NOTE_SCHEMA


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("29/02/2023", "impossible_date"),
        ("31/04/2024", "impossible_date"),
        ("29/02/1900", "impossible_date"),
        ("15/13/2023", "impossible_date"),
        ("0/1/2024", "impossible_date"),
        ("1/2/203", "impossible_date"),
        ("tháng 13/2024", "impossible_date"),
        ("99999999", "impossible_date"),
        ("quý 2/2024", "quarter_only"),
        ("abc", "not_a_date"),
        ("45", "not_a_date"),
        ("15 Foo 2023", "not_a_date"),
        ("1.250.000", "not_a_date"),
        ("1/2/3", "impossible_date"),
        ("15/12", "not_a_date"),
    ],
)
def test_what_is_no_date_is_null_and_an_error(cell: str, code: str) -> None:
    result = parse_dates(pl.Series([cell]))
    assert result.values.to_list() == [None]
    assert result.precision.to_list() == [None]
    assert result.notes["code"].to_list() == [code]
    assert NOTE_CODES[code].severity == "error"


@pytest.mark.parametrize(
    "cell",
    ["15/12/2023", "15-12-2023", "15.12.2023", "15 / 12 / 2023", "2023-12-15", "2023/12/15",
     "2023-12-15 00:00:00", "2023-12-15T14:30:00Z", "15/12/2023 14:30", "ngày 15 tháng 12 năm 2023",
     "Ngày 15 tháng 12 năm 2023", "15 tháng 12, năm 2023", "Kon Tum, ngày 15 tháng 12 năm 2023",
     "15 Dec 2023", "December 15, 2023", "15-Dec-2023", "１５/１２/２０２３", "'15/12/2023",
     "nga\u0300y 15 tha\u0301ng 12 na\u0306m 2023"],
)  # fmt: skip
def test_a_day_in_every_spelling(cell: str) -> None:
    result = parse_dates(pl.Series([cell]))
    assert result.values.to_list() == [dt.date(2023, 12, 15)]
    assert result.precision.to_list() == ["day"]
    assert result.notes.is_empty()


@pytest.mark.parametrize(
    ("cell", "value", "precision", "code"),
    [
        ("tháng 6/2024", dt.date(2024, 6, 1), "month", "month_only"),
        ("6/2024", dt.date(2024, 6, 1), "month", "month_only"),
        ("T6/2024", dt.date(2024, 6, 1), "month", "month_only"),
        ("2024-06", dt.date(2024, 6, 1), "month", "month_only"),
        ("tháng 6 năm 2024", dt.date(2024, 6, 1), "month", "month_only"),
        ("2019", dt.date(2019, 1, 1), "year", "year_only"),
        ("năm 2019", dt.date(2019, 1, 1), "year", "year_only"),
        ("45275", dt.date(2023, 12, 15), "day", "excel_serial"),
        ("45275.75", dt.date(2023, 12, 15), "day", "excel_serial"),
        ("15-12-23", dt.date(2023, 12, 15), "day", "two_digit_year"),
        ("15/6/87", dt.date(1987, 6, 15), "day", "two_digit_year"),
        ("15122023", dt.date(2023, 12, 15), "day", "undelimited_date"),
        ("20231215", dt.date(2023, 12, 15), "day", "undelimited_date"),
    ],
)
def test_a_less_certain_date_is_read_and_noted(
    cell: str, value: dt.date, precision: str, code: str
) -> None:
    result = parse_dates(pl.Series([cell]))
    assert result.values.to_list() == [value]
    assert result.precision.to_list() == [precision]
    assert result.notes["code"].to_list() == [code]


def test_a_bare_december_is_said_to_lie_in_two_reporting_years() -> None:
    notes = parse_dates(pl.Series(["tháng 12/2024", "tháng 11/2024"])).notes
    assert ["two reporting years" in d for d in notes["detail_en"]] == [True, False]


def test_words_for_no_date_are_not_errors() -> None:
    result = parse_dates(pl.Series(["-", "không", "đến nay", "", None, "vô thời hạn"]))
    assert result.values.null_count() == 6
    assert result.notes.select("index", "code").rows() == [
        (0, "empty_mark"),
        (1, "empty_mark"),
        (2, "open_ended"),
        (5, "open_ended"),
    ]


def test_evidence_in_the_column_decides_the_order_of_day_and_month() -> None:
    american = parse_dates(pl.Series(["12/25/2023", "1/2/2024"]))
    assert american.convention == "mdy"
    assert american.values.to_list() == [dt.date(2023, 12, 25), dt.date(2024, 1, 2)]
    assert not american.is_ambiguous
    vietnamese = parse_dates(pl.Series(["25/12/2023", "1/2/2024"]))
    assert vietnamese.values.to_list() == [dt.date(2023, 12, 25), dt.date(2024, 2, 1)]
    assert not vietnamese.is_ambiguous


def test_an_unsettled_column_is_read_day_first_with_the_other_reading_beside() -> None:
    result = parse_dates(pl.Series(["5/5/2024", "1/2/2024", "3/4/2024"]))
    assert result.convention == "dmy"
    assert result.is_ambiguous
    assert result.values.to_list()[1:] == [dt.date(2024, 2, 1), dt.date(2024, 4, 3)]
    assert result.alternative is not None
    assert result.alternative.to_list() == [
        dt.date(2024, 5, 5),
        dt.date(2024, 1, 2),
        dt.date(2024, 3, 4),
    ]
    note = result.notes.row(0, named=True)
    assert (note["index"], note["code"]) == (1, "ambiguous_date_order")
    assert "01/02/2024" in note["detail_vi"]
    assert "02/01/2024" in note["detail_vi"]


def test_a_mapping_settles_the_order() -> None:
    cells = pl.Series(["1/2/2024"])
    assert parse_dates(cells, convention="mdy").values.to_list() == [dt.date(2024, 1, 2)]
    assert parse_dates(cells, convention="dmy").is_ambiguous is False
    two_digits = parse_dates(pl.Series(["01-02-03"]), convention="ymd")
    assert two_digits.values.to_list() == [dt.date(2001, 2, 3)]
    with pytest.raises(InputError):
        parse_dates(cells, convention="ydm")


def test_a_cell_against_the_order_of_its_column_is_flagged() -> None:
    result = parse_dates(pl.Series(["25/12/2023", "26/12/2023", "12/27/2023"]))
    assert result.values.to_list()[2] == dt.date(2023, 12, 27)
    assert result.notes.select("index", "code").rows() == [(2, "date_order_conflict")]


def test_excel_serials_with_the_leap_day_that_never_was() -> None:
    serials = pl.Series([1, 59, 60, 61, 45275, 0, -5, 2_958_465, 2_958_466, None])
    assert excel_serial_to_date(serials).to_list() == [
        dt.date(1900, 1, 1),
        dt.date(1900, 2, 28),
        None,
        dt.date(1900, 3, 1),
        dt.date(2023, 12, 15),
        None,
        None,
        dt.date(9999, 12, 31),
        None,
        None,
    ]


def test_the_1904_system_is_four_years_and_a_day_further_on() -> None:
    early = excel_serial_to_date(pl.Series([45275]))[0]
    late = excel_serial_to_date(pl.Series([45275]), excel_1904=True)[0]
    assert (late - early).days == 1462
    assert excel_serial_to_date(pl.Series([0]), excel_1904=True)[0] == dt.date(1904, 1, 1)


def test_every_day_of_two_centuries_reads_back() -> None:
    days = pl.date_range(dt.date(1863, 8, 11), dt.date(2063, 8, 11), eager=True)
    for form in ("%d/%m/%Y", "%Y-%m-%d", "ngày %d tháng %m năm %Y"):
        result = parse_dates(days.dt.strftime(form))
        assert result.values.to_list() == days.to_list()


def test_the_reporting_year_turns_on_15_december() -> None:
    assert reporting_year(dt.date(2024, 12, 14)) == 2024
    assert reporting_year(dt.date(2024, 12, 15)) == 2025
    assert reporting_year(dt.date(2025, 1, 1)) == 2025
    days = pl.date_range(dt.date(2023, 1, 1), dt.date(2025, 12, 31), eager=True)
    by_expr = pl.DataFrame({"d": days}).select(reporting_year_expr(pl.col("d"))).to_series()
    assert by_expr.to_list() == [reporting_year(d) for d in days]
    for day in days:
        first, last = reporting_period(reporting_year(day))
        assert first <= day <= last


def test_notes_have_their_shape_and_registered_codes() -> None:
    notes = parse_dates(pl.Series(["abc", "31/04/2024", "6/2024", "1/2/2024", "15-12-23"])).notes
    assert dict(notes.schema) == NOTE_SCHEMA
    assert set(notes["code"]) <= set(NOTE_CODES)
    assert notes.null_count().sum_horizontal().item() == 0
