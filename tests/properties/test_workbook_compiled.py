"""The compiled reading of .xlsx gives what calamine gives, or leaves the sheet to calamine."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import workbook
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule
from htx_pipeline.ingest.read import list_sources, read_sources

_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), max_codepoint=0x1EF9)
    | st.sampled_from("\n&<>\"'"),
    max_size=12,
)
_CELL = st.one_of(
    st.none(),
    st.integers(-(10**16), 10**16),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    _TEXT,
    st.sampled_from(["Tổng cộng", "1.234", "=1+1", "2,5 tỷ", " ", "_x000D_", "-", "15/12/2024"]),
    st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1)),  # noqa: DTZ001
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=3)),
)
_ROWS = st.lists(st.lists(_CELL, min_size=1, max_size=6), min_size=1, max_size=12)


def _by_xlsxwriter(rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    for kind, form in (
        (dt.datetime, "dd/mm/yyyy hh:mm"), (dt.date, "dd/mm/yyyy"), (dt.timedelta, "[h]:mm"),
    ):  # fmt: skip
        style = book.add_format({"num_format": form})
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if type(value) is kind:
                    sheet.write_datetime(r, c, value, style)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(r, c, value)
            elif isinstance(value, (bool, int, float)):
                sheet.write(r, c, value)
    book.close()
    return out.getvalue()


def _by_openpyxl(rows):
    book = Workbook()
    for r, row in enumerate(rows, 1):
        for c, value in enumerate(row, 1):
            book.active.cell(r, c).value = value
            if isinstance(value, str) and value:
                book.active.cell(r, c).data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cells(content, monkeypatch, limit):
    monkeypatch.setattr(workbook, "COMPILED_FROM", limit)
    sheet = workbook.open_bytes(content, name="a.xlsx").sheets[0]
    return sheet, [[(type(v).__name__, v) for v in row] for row in sheet.cells]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_ROWS, st.sampled_from([_by_xlsxwriter, _by_openpyxl]))
def test_both_ways_give_the_same_cells(monkeypatch, rows, write):
    content = write(rows)
    fast, fast_cells = _cells(content, monkeypatch, 0)
    slow, slow_cells = _cells(content, monkeypatch, 1 << 60)
    assert fast_cells == slow_cells
    assert (fast.n_rows, fast.n_cols) == (slow.n_rows, slow.n_cols)
    assert fast.text_frame().equals(slow.text_frame())
    assert fast.formula_like_notes() == slow.formula_like_notes()
    assert fast.merged == slow.merged


def test_plain_sheets_are_read_by_the_compiled_loops(monkeypatch):
    rows = [["STT", "Tên"], [1, "HTX"], [0.1 + 0.2, True], [dt.date(2024, 1, 2), "a&b"]]
    for write in (_by_xlsxwriter, _by_openpyxl):
        sheet, _ = _cells(write(rows), monkeypatch, 0)
        assert sheet._compiled is not None
        assert sheet.cells[2][0] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<v>7</v>", b"<v>7</v><v>8</v>"),
        (b"<v>7</v>", b"<v>seven</v>"),
        (b"<v>7</v>", b"<v><![CDATA[7]]></v>"),
        (b"<v>7</v>", b"<!-- x --><v>7</v>"),
        (b'<row r="1"', b'<row q="1"'),
        (b'r="A1"', b"r='A1'"),
        (b'r="A1"', b'r="A2"'),
        (b"</sheetData>", b""),
        (b"</row></sheetData>", b""),
    ],
)
def test_whatever_is_not_plainly_written_is_left_to_calamine(monkeypatch, old, new):
    content = _by_xlsxwriter([[7, "x"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old_zip, zipfile.ZipFile(out, "w") as new_zip:
        for item in old_zip.infolist():
            part = old_zip.read(item)
            if item.filename.endswith("sheet1.xml"):
                assert old in part
                part = part.replace(old, new)
            new_zip.writestr(item.filename, part)
    monkeypatch.setattr(workbook, "COMPILED_FROM", 0)
    with contextlib.suppress(InputError):  # the guard may refuse it before
        sheet = workbook.open_bytes(out.getvalue(), name="a.xlsx").sheets[0]
        assert sheet._compiled is None


def test_a_mapping_gives_the_same_rows_findings_and_places_either_way(monkeypatch, tmp_path):
    content = _by_xlsxwriter(
        [
            ["BÁO CÁO NĂM 2025", None, None, None],
            ["STT", "Tên HTX", "Doanh thu (triệu đồng)", "Ngày gửi"],
            *[
                [i, f"HTX số {i % 7}", v, d]
                for i, (v, d) in enumerate(
                    [
                        (1500.5, dt.date(2025, 3, 1)), ("2,5 tỷ", "15/12/2024"), ("abc", "31/02/2025"),
                        (None, None), ("1.234", dt.datetime(2025, 1, 2, 3, 4)), ("12.000", "2025"),  # noqa: DTZ001
                        (7, "x"), ("=1+1", None), (True, True), ("(5)", "tháng 6/2024"),
                    ]
                    * 4
                )
            ],
            [None, "Tổng cộng", 99, None],
            ["Ghi chú: tạm tính", None, None, None],
        ]
    )  # fmt: skip
    (tmp_path / "a.xlsx").write_bytes(content)
    mapping = Mapping(
        id="m", table="cooperative_reports", files=("a.xlsx",), period=PeriodRule(constant="2025"),
        columns={
            "name": ColumnRule(source="Tên HTX"), "revenue_vnd": ColumnRule(source="Doanh thu"),
            "reported_on": ColumnRule(source="Ngày gửi"),
        },
    )  # fmt: skip
    results = []
    for limit in (0, 1 << 60):
        monkeypatch.setattr(workbook, "COMPILED_FROM", limit)
        files = list_sources([mapping], tmp_path)
        results.append(
            read_sources("cooperative_reports", [mapping], files, input_dir=tmp_path, period="2025")
        )
    fast, slow = results
    assert fast.rows.height == 40
    assert fast.findings.height > 20
    assert fast.rows.equals(slow.rows)
    assert fast.findings.equals(slow.findings)
    assert fast.sheets.equals(slow.sheets)
