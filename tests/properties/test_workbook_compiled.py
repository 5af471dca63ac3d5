"""The compiled reading of .xlsx gives what calamine gives, or leaves the sheet to calamine."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import tracemalloc
import zipfile

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import _scan, guard, workbook
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
    monkeypatch.setattr(_scan, "COMPILED_FROM", limit)
    guard.forget_passed()
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
    monkeypatch.setattr(_scan, "COMPILED_FROM", 0)
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
        monkeypatch.setattr(_scan, "COMPILED_FROM", limit)
        guard.forget_passed()
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


# --- what the guard learns on the way ---------------------------------------------------------


def _marked_workbook():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["STT", "Tên HTX", "Doanh thu"])
    for r in range(1, 12):
        sheet.write_row(r, 0, [r, f"HTX số {r}", r * 10])
    sheet.write_formula("D2", "=SUM(C2:C3)", None, 30)
    sheet.write_formula("D3", "=1/0", None, "#DIV/0!")
    sheet.write_formula("D4", "=cmd|' /C calc'!A0", None, 7)
    sheet.set_row(5, None, None, {"hidden": True})
    sheet.set_row(6, 30)
    sheet.set_column("B:B", None, book.add_format({"font_name": ".VnTime"}), {"hidden": True})
    sheet.merge_range("E1:F2", "gộp")
    book.close()
    return out.getvalue()


def _facts(content, monkeypatch, limit):
    monkeypatch.setattr(_scan, "COMPILED_FROM", limit)
    guard.forget_passed()
    info = guard.check_bytes(content, name="a.xlsx")
    facts = info.sheets[0]
    return (
        info.notes,
        facts.hidden_rows,
        facts.hidden_cols,
        facts.programs,
        facts.errors,
        facts.fonts,
    )


def test_the_guard_learns_the_same_from_the_compiled_pass(monkeypatch):
    content = _marked_workbook()
    fast, slow = (_facts(content, monkeypatch, limit) for limit in (0, 1 << 60))
    assert fast == slow
    notes, hidden_rows, hidden_cols, programs, errors, _ = fast
    assert {n.code for n in notes} == {"formula_starts_program", "error_value"}
    assert (hidden_rows, hidden_cols) == (frozenset({6}), frozenset({2}))
    assert (len(programs), list(errors)) == (1, [(3, 4)])


def _rewritten(content, change):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for item in old.infolist():
            part = old.read(item)
            new.writestr(item, change(part) if item.filename.endswith("sheet1.xml") else part)
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"<sheetData>", b"<!-- <sheetData></sheetData> --><sheetData>"),
        lambda xml: xml.replace(b'encoding="UTF-8"', b'encoding="windows-1258"'),
        lambda xml: xml.replace(b"<sheetData>", b"<sheetData >"),
    ],
)
def test_a_sheet_that_could_be_read_in_two_ways_is_left_to_calamine(monkeypatch, change):
    content = _rewritten(_by_xlsxwriter([["STT", "Tên"], [1, "HTX"]]), change)
    sheet, fast = _cells(content, monkeypatch, 0)
    assert sheet._compiled is None
    assert fast == _cells(content, monkeypatch, 1 << 60)[1]


@pytest.mark.parametrize("stated", [b"A1", b"A1:C1", b"B2:XFD1048576", b"A0:A0", b""])
def test_what_a_sheet_says_of_its_size_is_not_believed(monkeypatch, stated):
    rows = [["STT", "Tên"], [1, "HTX"], [2, "HTX hai"]]
    content = _rewritten(
        _by_xlsxwriter(rows),
        lambda xml: xml.replace(b'<dimension ref="A1:B3"/>', b'<dimension ref="%b"/>' % stated),
    )
    sheet, cells = _cells(content, monkeypatch, 0)
    assert sheet._compiled is not None
    assert [[v for _, v in row] for row in cells] == rows


def test_a_sheet_that_claims_many_cells_and_holds_few_takes_little_memory(monkeypatch):
    content = _rewritten(
        _by_xlsxwriter([["STT", "Tên"], [1, "HTX"]]),
        lambda xml: xml.replace(b'<dimension ref="A1:B2"/>', b'<dimension ref="A1:K1048576"/>'),
    )
    monkeypatch.setattr(_scan, "COMPILED_FROM", 0)
    guard.forget_passed()
    _cells(content, monkeypatch, 0)  # what is loaded once is not counted
    guard.forget_passed()
    tracemalloc.start()
    guard.check_bytes(content, name="a.xlsx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_two_who_open_a_file_do_not_see_each_others_changes(monkeypatch):
    content = _by_xlsxwriter([["STT", "Tên"], [1, "HTX"]])
    first, _ = _cells(content, monkeypatch, 0)
    first.grid.set_text(1, 1, "đã sửa")
    second = workbook.open_bytes(content, name="a.xlsx").sheets[0]
    assert (first.cell(2, 2), second.cell(2, 2)) == ("đã sửa", "HTX")


def test_cells_wait_for_their_reader_only_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(_scan, "COMPILED_FROM", 0)
    monkeypatch.setattr(guard, "MAX_KEPT_CELLS", 5)
    guard.forget_passed()
    infos = [
        guard.check_bytes(_by_xlsxwriter([["STT", "Tên"], [i, "HTX"]]), name="a.xlsx")
        for i in range(3)
    ]
    assert [info.sheets[0].grid is not None for info in infos] == [True, False, False]
    content = _by_xlsxwriter([["STT", "Tên"], [2, "HTX"]])
    assert workbook.open_bytes(content, name="a.xlsx").sheets[0].cell(2, 1) == 2
