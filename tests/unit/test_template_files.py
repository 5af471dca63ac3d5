"""Templates we issue: what they refuse, what they ask for, and that filled ones read back as typed."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import template as t
from htx_pipeline.ingest import template_form as form
from htx_pipeline.ingest import template_texts
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.ingest.template_write import template_bytes, write_template
from htx_pipeline.orchestration.run import discover_periods
from htx_pipeline.schemas import TABLES

NAMES = sorted(form.TEMPLATES)


def _write(folder: Path, name: str, **options: Any) -> Path:
    return write_template(name, folder / f"{name}.xlsx", period="2025", **options)


def _fill(path: Path, rows: list[dict[str, Any]]) -> Path:
    book = openpyxl.load_workbook(path)
    sheet = book[form.DATA_SHEET]
    table = TABLES[form.TEMPLATES[path.stem]]
    for number, row in enumerate(rows):
        for at, column in enumerate(form.asked_columns(table), 2):
            if column.name in row:
                sheet.cell(form.FIRST_ROW + number, at, row[column.name])
    book.save(path)
    return path


def _remark(path: Path, key: str, value: str) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book[form.MARKER_SHEET]
    for row in sheet.iter_rows():
        if row[0].value == key:
            row[1].value = value
    book.save(path)


@pytest.mark.parametrize(
    ("name", "period", "code"),
    [
        ("nope", "2025", "template_name"),
        ("plan", "1999", "period_name"),
        ("plan", "../x", "period_name"),
    ],
)
def test_a_template_or_year_that_does_not_exist_is_refused(
    name: str, period: str, code: str
) -> None:
    with pytest.raises(InputError) as refusal:
        template_bytes(name, period=period)
    assert refusal.value.code == code
    assert refusal.value.what_vi


@pytest.mark.parametrize("rows", [0, -1, 20_001])
def test_an_impossible_number_of_rows_is_refused(rows: int) -> None:
    with pytest.raises(InputError, match="rows"):
        template_bytes("plan", period="2025", rows=rows)


def test_another_workbook_is_no_template(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = form.MARKER_SHEET
    book.active.append(["mark", "htx-template"])
    book.create_sheet("x")
    book.save(tmp_path / "a.xlsx")
    assert t.mapping_of_template(tmp_path / "a.xlsx") is None, (
        "a visible sheet of that name is somebody else's"
    )
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert t.mapping_of_template(tmp_path / "a.csv") is None


@pytest.mark.parametrize(
    ("key", "value"), [("template", "../../x"), ("period", "9999"), ("template", "")]
)
def test_an_altered_marker_is_refused_and_never_believed(
    tmp_path: Path, key: str, value: str
) -> None:
    path = _write(tmp_path, "plan")
    _remark(path, key, value)
    with pytest.raises(InputError) as refusal:
        t.mapping_of_template(path)
    assert refusal.value.code == "template_damaged"


def test_a_marker_whose_columns_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, "plan")
    _remark(path, "schema", "0")
    _remark(path, "columns", '{"not": "a list of columns"}')
    with pytest.raises(InputError) as refusal:
        t.mapping_of_template(path)
    assert refusal.value.code == "template_damaged"


def test_a_template_of_an_older_schema_says_what_differs(tmp_path: Path) -> None:
    path = _write(tmp_path, "training")
    book = openpyxl.load_workbook(path)
    cells = {r[0].value: r[1] for r in book[form.MARKER_SHEET].iter_rows()}
    old = (
        cells["columns"]
        .value.replace('"name": "days"', '"name": "hours"')
        .replace('"unit": "VND"', '"unit": "USD"')
    )
    cells["columns"].value, cells["schema"].value = old, "older"
    book.save(path)
    with pytest.raises(InputError) as refusal:
        t.mapping_of_template(path)
    assert refusal.value.code == "template_outdated"
    for said in (
        "thiếu cột «Số ngày»",
        "cột «Số ngày» không còn dùng",
        "cột «Kinh phí» đổi đơn vị tính",
    ):
        assert said in refusal.value.what_vi
    for said in (
        "column days is new",
        "column hours is no longer asked for",
        "column cost_vnd has another unit",
    ):
        assert said in refusal.value.why
    files = list_sources([], tmp_path)
    assert files.select("table", "is_usable", "code").rows() == [
        ("trainings", False, "template_outdated")
    ]
    found = read_sources("trainings", [], files, input_dir=tmp_path, period="2025").findings
    assert found["rule_id"].to_list() == ["trainings.file.template_outdated"]
    assert "Số ngày" in found["reason_vi"][0]


def test_every_column_that_is_asked_for_has_a_meaning_and_every_text_a_column() -> None:
    for name in form.TEMPLATES.values():
        said = [c.name for c in TABLES[name].columns if c.meaning_vi]
        assert said == [c.name for c in form.asked_columns(TABLES[name])]
    for table in TABLES.values():
        assert [c.name for c in table.columns if c.example and not c.meaning_vi] == []
    assert template_texts.tables() == set(form.TEMPLATES.values())
    assert all(template_texts.grain_of(t) for t in form.TEMPLATES.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_the_instructions_pass_their_own_rules(tmp_path: Path, name: str) -> None:
    table = TABLES[form.TEMPLATES[name]]
    row: dict[str, Any] = {}
    for column in form.asked_columns(table):
        if column.example:
            example = column.example
            row[column.name] = float(example) if column.dtype.is_numeric() else example
    path = _fill(_write(tmp_path, name), [row])
    read = read_sources(
        table.name, [], list_sources([], tmp_path), input_dir=path.parent, period="2025"
    )
    errors = read.findings.filter(pl.col("severity").is_in(["error", "critical"]))
    assert errors.is_empty(), errors["reason_en"].to_list()
    got = read.rows.row(0, named=True)
    for column in form.asked_columns(table):
        if column.name in row:
            assert got[column.name] is not None, column.name
        if column.codes and column.name in row:
            assert got[column.name] in {c.code for c in column.codes}


def _values(name: str) -> list[dict[str, Any]]:
    """Rows that use every kind of entry; the canonical values follow from the schema alone."""
    table = TABLES[form.TEMPLATES[name]]
    rows = []
    for n in range(4):
        row: dict[str, Any] = {}
        for column in form.asked_columns(table):
            if column.dtype == pl.Boolean:
                row[column.name] = ("Có", "Không")[n % 2]
            elif column.codes:
                row[column.name] = column.codes[n % len(column.codes)].label_vi
            elif column.name.endswith("tax_code"):
                row[column.name] = ("0100109106", "0100109106-001")[n % 2]
            elif column.dtype == pl.Date:
                row[column.name] = dt.date(2025, 1 + n, 28)
            elif column.name == "target_year":
                row[column.name] = 2025
            elif column.name == "comparator":
                row[column.name] = (">=", "<=", "~", ">")[n]
            elif column.dtype.is_numeric():
                row[column.name] = (
                    12 + n if column.unit != "VND" and column.dtype.is_integer() else 10.5 + n
                )
            else:
                row[column.name] = f"Hợp tác xã số {n} – {column.name}"
        rows.append(row)
    return rows


def _expected(name: str, money: int) -> list[dict[str, Any]]:
    table = TABLES[form.TEMPLATES[name]]
    out = []
    for row in _values(name):
        new = dict(row)
        for column in form.asked_columns(table):
            if column.dtype == pl.Boolean:
                new[column.name] = row[column.name] == "Có"
            elif column.codes:
                new[column.name] = next(
                    c.code for c in column.codes if c.label_vi == row[column.name]
                )
            elif column.unit == "VND":
                new[column.name] = int(row[column.name] * money)
        out.append(new)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_template_reads_back_without_a_mapping(tmp_path: Path, name: str) -> None:
    _fill(_write(tmp_path, name), _values(name))
    files = list_sources([], tmp_path)
    read = read_sources(form.TEMPLATES[name], [], files, input_dir=tmp_path, period="2025")
    columns = [c.name for c in form.asked_columns(TABLES[form.TEMPLATES[name]])]
    assert read.rows.select(columns).to_dicts() == _expected(name, 1_000_000)
    assert read.rows["period"].unique().to_list() == ["2025"]
    assert read.rows["source_row"].to_list() == [form.FIRST_ROW + n for n in range(4)]
    assert discover_periods([], tmp_path) == ["2025"]
    assert read_sources(
        form.TEMPLATES[name], [], files, input_dir=tmp_path, period="2024"
    ).rows.is_empty()


def test_money_in_dong_is_read_as_dong(tmp_path: Path) -> None:
    _fill(
        _write(tmp_path, "training", money="dong"),
        [{**r, "cost_vnd": 24_000_000} for r in _values("training")],
    )
    read = read_sources(
        "trainings", [], list_sources([], tmp_path), input_dir=tmp_path, period="2025"
    )
    assert read.rows["cost_vnd"].to_list() == [24_000_000] * 4


def test_a_row_with_one_cell_and_a_row_between_blanks_are_read(tmp_path: Path) -> None:
    _fill(
        _write(tmp_path, "cooperative-report"),
        [{"name": "Hợp tác xã Tổng hợp Sa Thầy"}, {}, {}, {"name": "HTX B", "managers": 3}],
    )
    read = read_sources(
        "cooperative_reports", [], list_sources([], tmp_path), input_dir=tmp_path, period="2025"
    )
    assert read.rows["name"].to_list() == ["Hợp tác xã Tổng hợp Sa Thầy", "HTX B"]


def test_an_empty_template_has_no_rows(tmp_path: Path) -> None:
    known = pl.DataFrame({"name": ["HTX A", "=cmd|'/C calc'!A0"], "tax_code": ["0100109106", None]})
    _write(tmp_path, "cooperative-report", organisations=known)
    read = read_sources(
        "cooperative_reports", [], list_sources([], tmp_path), input_dir=tmp_path, period="2025"
    )
    assert read.rows.is_empty(), "names that are offered must not pass for reports"


def test_the_list_of_organisations_holds_no_formula(tmp_path: Path) -> None:
    known = pl.DataFrame({"name": ["HTX A", "=cmd|'/C calc'!A0"]})
    sheet = openpyxl.load_workbook(_write(tmp_path, "linkages", organisations=known))[
        form.ORGANISATION_SHEET
    ]
    assert [sheet.cell(r, 1).value for r in (4, 5)] == ["'=cmd|'/C calc'!A0", "HTX A"]
    assert {c.data_type for row in sheet.iter_rows() for c in row} <= {"s", "n"}


def test_organisations_without_names_are_refused() -> None:
    with pytest.raises(InputError, match="name"):
        template_bytes("linkages", period="2025", organisations=pl.DataFrame({"x": [1]}))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_template_has_the_same_bytes_and_no_clock(name: str) -> None:
    first = template_bytes(name, period="2025")
    known = pl.DataFrame({"name": ["A", "B", "C"]})
    assert first == template_bytes(name, period="2025")
    assert template_bytes(name, period="2025", organisations=known) == template_bytes(
        name, period="2025", organisations=known[::-1]
    )
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {e.date_time[0] for e in archive.infolist()} == {1980}


@pytest.mark.parametrize("name", NAMES)
def test_headings_are_locked_and_frozen_and_entries_are_open(tmp_path: Path, name: str) -> None:
    book = openpyxl.load_workbook(_write(tmp_path, name, rows=7))
    sheet = book[form.DATA_SHEET]
    table = TABLES[form.TEMPLATES[name]]
    columns = form.asked_columns(table)
    assert sheet.protection.sheet
    assert not sheet.protection.password
    assert sheet.freeze_panes.endswith(str(form.FIRST_ROW))
    for at, column in enumerate(columns, 2):
        heading = sheet.cell(form.HEADING_ROW, at)
        assert heading.protection.locked
        assert column.label_vi in heading.value
        assert column.label_en in heading.value
        assert ("(*)" in heading.value) == column.required
        assert not sheet.cell(form.FIRST_ROW, at).protection.locked
        assert not sheet.cell(form.FIRST_ROW + 6, at).protection.locked
    assert book[form.MARKER_SHEET].sheet_state == book[form.LIST_SHEET].sheet_state == "veryHidden"
    assert "15/12/2025" in sheet["A4"].value


def test_entries_are_checked_as_the_structural_rules_say(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(_write(tmp_path, "linkages"))[form.DATA_SHEET]
    rules = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}
    names = [c.name for c in form.asked_columns(TABLES["linkages"])]

    def rule(name: str) -> Any:
        return rules[sheet.cell(form.FIRST_ROW, names.index(name) + 2).coordinate]

    area = rule("area_ha")
    assert (area.type, area.operator, area.formula1, area.formula2, area.errorStyle) == (
        "decimal",
        None,
        "0",
        "100000",
        None,
    )
    assert "đơn vị tính: ha" in area.error
    households = rule("households")
    assert households.type == "whole"
    assert (rule("status").type, rule("has_inputs").type) == ("list", "list")
    assert rule("supplier_tax_code").errorStyle == "warning", (
        "a doubtful tax code is flagged, not refused"
    )
    assert (rule("signed_on").type, rule("contract_number").formula1) == ("date", "100")
    assert all(v.error and v.errorTitle and len(v.error) <= 255 for v in rules.values())


def test_dropdowns_offer_the_labels_of_the_codes(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(_write(tmp_path, "registry"))
    lists = book[form.LIST_SHEET]
    shown = {c[0].value: [x.value for x in c[1:] if x.value] for c in lists.iter_cols()}
    table = TABLES["organisations"]
    assert shown["status"] == [c.label_vi for c in table["status"].codes]
    assert shown["flag"] == ["Có", "Không"]


def test_the_deadline_can_be_moved(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(_write(tmp_path, "plan", days=10))
    assert "25/12/2025" in book[form.DATA_SHEET]["A4"].value
    assert "25/12/2025" in book[form.HELP_SHEET]["A2"].value


def test_a_damaged_workbook_beside_templates_does_not_stop_them(tmp_path: Path) -> None:
    _fill(_write(tmp_path, "plan"), _values("plan"))
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 nothing")
    files = list_sources([], tmp_path)
    assert files.select("source_file", "is_usable").rows() == [
        ("bad.xlsx", False),
        ("plan.xlsx", True),
    ]


def test_a_hash_of_the_schema_changes_with_what_is_asked() -> None:
    import dataclasses

    table = TABLES["trainings"]
    renamed = dataclasses.replace(
        table,
        own_columns=tuple(
            dataclasses.replace(c, label_vi="Khác") if c.name == "days" else c
            for c in table.own_columns
        ),
    )
    described = dataclasses.replace(
        table,
        own_columns=tuple(
            dataclasses.replace(c, description="other words") if c.name == "days" else c
            for c in table.own_columns
        ),
    )
    assert form.schema_hash(renamed) != form.schema_hash(table) == form.schema_hash(described)
