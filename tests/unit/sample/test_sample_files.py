"""The files of the sample: the same bytes, readable, labelled, and with every mistake where the ledger says."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tomllib
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import python_calamine

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.mapping import load_mappings
from htx_pipeline.sample import (
    MAPPINGS_DIR,
    MESS_KINDS,
    MESS_SCHEMA,
    SYNTHETIC_LABEL,
    SampleManifest,
    write_sample,
)
from htx_pipeline.sample.legacy import to_cp1258, to_tcvn3
from htx_pipeline.schemas import TABLES

PERSONAL = (
    "họ và tên", "họ tên", "ngày sinh", "giới tính", "dân tộc", "cccd", "cmnd", "căn cước", "điện thoại",
    "email", "giám đốc", "người đại diện", "birth", "phone",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleManifest:
    return write_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> SampleManifest:
    return write_sample(tmp_path_factory.mktemp("clean"), mess_share=0)


Grid = list[list[object]]


def _grids(made: SampleManifest) -> dict[tuple[str, str], Grid]:
    """Return (file, sheet) -> rows of cells, read without the project's reader."""
    encodings = {m.files[0]: m.encoding for m in load_mappings(MAPPINGS_DIR) if m.encoding}
    out: dict[tuple[str, str], Grid] = {}
    for name in made.files["file"]:
        path = made.out / name
        if path.suffix == ".csv":
            encoding = encodings.get(name) or "utf-8-sig"
            lines = unicodedata.normalize("NFC", path.read_bytes().decode(encoding)).splitlines()
            out[name, "csv"] = [line.split(";") for line in lines]
            continue
        book = python_calamine.CalamineWorkbook.from_path(path)
        for sheet in book.sheet_names:
            out[name, sheet] = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return out


@pytest.fixture(scope="module")
def grids(made: SampleManifest) -> dict[tuple[str, str], Grid]:
    return _grids(made)


@pytest.mark.parametrize("share", [-0.1, 0.6])
def test_a_share_of_mistakes_out_of_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(InputError) as caught:
        write_sample(tmp_path, mess_share=share)
    assert caught.value.code == "sample_mess_share"
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.write_text("mine")
    with pytest.raises(InputError) as caught:
        write_sample(path)
    assert caught.value.code == "sample_out"
    assert path.read_text() == "mine"


def test_the_same_seed_gives_the_same_bytes_also_with_another_hash_seed(
    made: SampleManifest, tmp_path: Path
) -> None:
    code = f"from pathlib import Path; from htx_pipeline.sample import write_sample; write_sample(Path({str(tmp_path)!r}))"
    env = {"PYTHONHASHSEED": "4242", "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    for name in (*made.files["file"], "manifest.csv", "mess.csv"):
        assert (tmp_path / name).read_bytes() == (made.out / name).read_bytes(), name


def test_another_seed_gives_other_files(made: SampleManifest, tmp_path: Path) -> None:
    other = write_sample(tmp_path, seed=21, periods=("2023",))
    same = set(other.files["sha256"]) & set(made.files.filter(pl.col("period") == "2023")["sha256"])
    assert {n for n, h in other.files.select("file", "sha256").iter_rows() if h in same} <= {
        "2023/ke-hoach.xlsx"
    }


def test_no_time_of_writing_is_kept_in_a_workbook(made: SampleManifest) -> None:
    for name in made.files.filter(pl.col("file").str.ends_with(".xlsx"))["file"]:
        with zipfile.ZipFile(made.out / name) as archive:
            assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert "2026-01-01T00:00:00Z" in archive.read("docProps/core.xml").decode()


def test_every_sheet_begins_with_the_synthetic_label(grids: dict[tuple[str, str], Grid]) -> None:
    for place, grid in grids.items():
        assert grid[0][0] == SYNTHETIC_LABEL, place


def test_openpyxl_and_calamine_see_the_same_sheets_and_cells(
    made: SampleManifest, grids: dict[tuple[str, str], Grid]
) -> None:
    """Linkage workbooks are left out for time; they are written by the same code."""
    for name in made.files.filter(pl.col("file").str.ends_with(".xlsx"))["file"]:
        if "lien-ket" in name:
            continue
        book = openpyxl.load_workbook(made.out / name, read_only=True)
        assert book.sheetnames == [s for f, s in grids if f == name]
        for sheet in book.worksheets:
            theirs = [[_plain(v) for v in row] for row in sheet.iter_rows(values_only=True)]
            ours = [[_plain(v) for v in row] for row in grids[name, sheet.title]]
            assert theirs == ours, (name, sheet.title)
        book.close()


def _plain(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date()
    return value


def test_different_years_have_different_forms(grids: dict[tuple[str, str], Grid]) -> None:
    files = {f for f, _ in grids}
    assert "2023/bao-cao-htx/dak-ha.xlsx" in files
    assert {s for f, s in grids if f == "2024/bao-cao-htx.xlsx"} >= {
        "Đăk Hà",
        "TP Kon Tum",
        "Ia H’Drai",
    }
    assert [s for f, s in grids if f == "2025/bao-cao-htx.xlsx"] == ["Tổng hợp"]
    text = " ".join(str(c) for c in grids["2023/bao-cao-htx/dak-ha.xlsx", "Biểu 01"][4])
    assert "ĐVT: triệu đồng" in text
    assert any(
        "tỷ đồng" in str(c) for row in grids["2025/bao-cao-htx.xlsx", "Tổng hợp"][:8] for c in row
    )


def test_no_column_asks_for_a_person(grids: dict[tuple[str, str], Grid]) -> None:
    for place, grid in grids.items():
        at = next(i for i, row in enumerate(grid) if row[0] in ("STT", "Tỉnh"))
        depth = 1 if place[1] == "csv" else 2
        headings = [str(c).casefold() for row in grid[at : at + depth] for c in row]
        assert len(headings) >= 6
        asked = [h for h in headings for word in PERSONAL if word in h]
        courses = "bồi dưỡng giám đốc hợp tác xã"  # a course in the first row of data
        assert [h for h in asked if h != courses] == [], place


def test_the_mappings_load_are_synthetic_and_read_every_file(made: SampleManifest) -> None:
    mappings = load_mappings(MAPPINGS_DIR)
    assert all(m.is_synthetic for m in mappings)
    read = {
        p.relative_to(made.out).as_posix() for m in mappings for p in m.matching_files(made.out)
    }
    assert read == set(made.files["file"])
    assert {m.table for m in mappings} == set(TABLES)


def test_mappings_are_plain_toml_with_one_file_per_id() -> None:
    for path in MAPPINGS_DIR.glob("*.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8"))["id"] == path.stem


# --- mess --------------------------------------------------------------------------------------------


def test_a_share_of_zero_writes_no_mistake(clean: SampleManifest) -> None:
    assert clean.mess.is_empty()
    assert dict(clean.mess.schema) == dict(MESS_SCHEMA)
    written = clean.files.group_by("table").agg(pl.col("n_rows").sum()).sort("table")
    truth = sorted((n, f.height) for n, f in clean.province.tables.items())
    assert written.rows() == truth


def test_every_kind_of_mistake_occurs_and_has_its_words(made: SampleManifest) -> None:
    assert set(made.mess["kind"]) == set(MESS_KINDS)
    assert made.mess["what_vi"].null_count() == 0
    assert made.mess["mess_id"].is_unique().all()


def test_about_three_rows_in_a_hundred_hold_a_mistake(made: SampleManifest) -> None:
    tables = ["organisations", "cooperative_reports", "linkages", "trainings", "commendations"]
    rows = made.files.filter(pl.col("table").is_in(tables))["n_rows"].sum()
    assert 0.028 <= made.mess.height / rows <= 0.036


def test_a_row_holds_at_most_one_mistake(made: SampleManifest) -> None:
    placed = made.mess.filter(pl.col("row").is_not_null(), pl.col("kind") != "total_not_sum")
    assert placed.select("file", "sheet", "row").is_unique().all()


def _cell(grid: Grid, cell: str) -> object:
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return grid[int(cell[len(letters) :]) - 1][column - 1]


def _as_text(value: object) -> str:
    """Return a cell as the ledger writes it, from either reader's types."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _number(text: str, *, is_csv: bool) -> float | None:
    try:
        return float(text.replace(".", "").replace(",", ".") if is_csv else text)
    except ValueError:
        return None


def test_each_mistake_is_in_the_file_at_the_cell_named(
    made: SampleManifest, grids: dict[tuple[str, str], Grid]
) -> None:
    checked = 0
    for entry in made.mess.filter(pl.col("cell").is_not_null()).iter_rows(named=True):
        found = _as_text(_cell(grids[entry["file"], entry["sheet"]], entry["cell"]))
        wanted = entry["written_value"] or ""
        is_csv = entry["sheet"] == "csv"
        if found != wanted:
            if len(wanted) == 10 and wanted[4] == "-" and is_csv:
                wanted = dt.date.fromisoformat(wanted).strftime("%d/%m/%Y")
            number = _number(found, is_csv=is_csv)
            same = found == wanted or (
                number is not None and number == _number(wanted, is_csv=False)
            )
            assert same, (entry, found)
        assert entry["written_value"] != entry["true_value"], entry
        checked += 1
    assert checked > 150


def test_each_repeated_row_repeats_another_row_of_its_sheet(
    made: SampleManifest, grids: dict[tuple[str, str], Grid]
) -> None:
    for entry in made.mess.filter(pl.col("kind") == "duplicate_row").iter_rows(named=True):
        grid = grids[entry["file"], entry["sheet"]]
        # Without the running number, and without the merged commune of 2025.
        first = 2 if entry["file"] == "2025/bao-cao-htx.xlsx" else 1
        same = [i for i, row in enumerate(grid, 1) if row[first:] == grid[entry["row"] - 1][first:]]
        assert len(same) == 2, entry


def test_a_missing_report_is_in_the_truth_and_not_in_the_file(
    made: SampleManifest, grids: dict[tuple[str, str], Grid]
) -> None:
    missing = made.mess.filter(pl.col("kind") == "missing_report")
    assert missing.height > 0
    for entry in missing.iter_rows(named=True):
        truth = made.province.cooperative_reports.filter(
            pl.col("period") == entry["period"], pl.col("name") == entry["true_value"]
        )
        assert truth.height == 1
        assert not any(entry["true_value"] in row for row in grids[entry["file"], entry["sheet"]])


def test_the_old_font_column_holds_tcvn3_and_says_its_font(made: SampleManifest) -> None:
    entry = made.mess.filter(pl.col("kind") == "legacy_charset_column").row(0, named=True)
    book = openpyxl.load_workbook(made.out / entry["file"])
    sheet = book[entry["sheet"]]
    column = next(c.column for c in sheet[3] if c.value == "Tên doanh nghiệp")
    cell = sheet.cell(row=10, column=column)
    assert cell.font.name == ".VnTime"
    known = made.province.organisations.filter(pl.col("period") == "2024")["name"]
    assert cell.value in {
        to_tcvn3(n) for n in known if n.startswith(("Công ty", "Doanh nghiệp", "Hộ kinh doanh"))
    }


def test_the_ledger_on_disk_is_the_ledger_returned(made: SampleManifest) -> None:
    disk = pl.read_csv(made.out / "mess.csv", schema=dict(MESS_SCHEMA))
    assert disk.equals(made.mess)


def test_text_that_looks_like_a_formula_is_stored_as_text(
    made: SampleManifest, grids: dict[tuple[str, str], Grid]
) -> None:
    entries = made.mess.filter(pl.col("kind") == "formula_like_text", pl.col("sheet") != "csv")
    assert entries.height > 0
    for entry in entries.iter_rows(named=True):
        assert str(_cell(grids[entry["file"], entry["sheet"]], entry["cell"])).startswith("=")
    for name in made.files.filter(pl.col("file").str.ends_with(".xlsx"))["file"]:
        with zipfile.ZipFile(made.out / name) as archive:
            sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
        assert not any(b"<f>" in s for s in sheets)


# --- the project's own reader ------------------------------------------------------------------------


def test_the_clean_files_read_back_as_the_truth(clean: SampleManifest) -> None:
    read = pytest.importorskip("htx_pipeline.ingest.read", reason="the reader is not there")
    mappings = load_mappings(MAPPINGS_DIR)
    sources = read.list_sources(mappings, clean.out)
    derived = {
        "product_code",
        "evidence",
        "nd98_form",
        "nd98_role",
        "admin_code",
        "admin_version",
        "locality",
    }
    for name, truth in clean.province.tables.items():
        for period in clean.province.periods:
            result = read.read_sources(name, mappings, sources, input_dir=clean.out, period=period)
            assert result.findings.filter(
                pl.col("severity").is_in(["critical", "error", "warning"])
            ).is_empty()
            columns = [
                c
                for c in truth.columns
                if c not in derived
                and not c.endswith("_id")
                and not c.startswith("source_")
                and c in result.rows.columns
            ]
            floats = [c for c in columns if truth[c].dtype == pl.Float64]
            mine = (
                truth.filter(pl.col("period") == period)
                .select(columns)
                .with_columns(pl.col(floats).round(6))
            )
            theirs = result.rows.select(columns).with_columns(pl.col(floats).round(6))
            assert mine.sort(columns).equals(theirs.sort(columns)), (name, period)


@pytest.fixture(scope="module")
def messy_findings(made: SampleManifest) -> pl.DataFrame:
    """Return what the reader says about two years of registers, reports and linkages."""
    read = pytest.importorskip("htx_pipeline.ingest.read", reason="the reader is not there")
    mappings = load_mappings(MAPPINGS_DIR)
    sources = read.list_sources(mappings, made.out)
    found = [
        read.read_sources(table, mappings, sources, input_dir=made.out, period=period).findings
        for table in ("organisations", "cooperative_reports", "linkages")
        for period in ("2023", "2025")
    ]
    return pl.concat(found)


READ_RULES = (
    "not_a_number",
    "impossible_date",
    "month_only",
    "formula_text",
    "unknown_unit",
    "unit_differs",
    "unit_in_cell",
)


def test_the_reader_finds_each_mistake_in_a_cell_that_the_ledger_expects(
    made: SampleManifest, messy_findings: pl.DataFrame
) -> None:
    expected = made.mess.filter(
        pl.col("period").is_in(["2023", "2025"]),
        pl.col("table").is_in(["organisations", "cooperative_reports", "linkages"]),
        pl.col("expected_rule").str.split(".").list.last().is_in(READ_RULES),
    ).select(
        "mess_id",
        "kind",
        source_file="file",
        source_cell="cell",
        source_sheet="sheet",
        rule_id="expected_rule",
    )
    assert expected["kind"].n_unique() >= 6
    keys = ["source_file", "source_sheet", "source_cell", "rule_id"]
    missed = expected.join(messy_findings, on=keys, how="anti")
    assert missed.is_empty(), missed


# --- old encodings -----------------------------------------------------------------------------------


def test_a_capital_with_a_tone_has_no_place_in_tcvn3() -> None:
    with pytest.raises(ValueError, match="no code"):
        to_tcvn3("Ấm")


@pytest.mark.parametrize(
    "text",
    ["Hợp tác xã Nông nghiệp Đăk Hà", "Ngọk Réo, Pờ Ê, Ya ly", "Thủy lợi, ưu đãi, ỹ, ặ, ợ, ễ"],
)
def test_code_page_1258_goes_there_and_back(text: str) -> None:
    assert unicodedata.normalize("NFC", to_cp1258(text).decode("cp1258")) == text
