"""A workbook that breaks the cell reader is refused in two languages, and the other files are read."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import trial
from htx_pipeline.ingest.guard import MIB, FileInfo
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule
from htx_pipeline.ingest.notes import Note
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.ingest.trial import TrialLimits, is_tried, try_reading
from htx_pipeline.ingest.workbook import open_bytes

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="limits of a process are of POSIX systems"
)

STUB = '''
"""A cell reader that does what the comment of the container says."""
import os, time

class PanicException(BaseException):
    pass

class CalamineWorkbook:
    sheets_metadata = ()

    @classmethod
    def from_filelike(cls, stream):
        content = stream.read()
        if b"do:panic" in content:
            raise PanicException("index out of bounds")
        if b"do:abort" in content:
            os.abort()
        if b"do:memory" in content:
            hog = []
            while True:
                hog.append(bytearray(16 << 20))
        if b"do:sleep" in content:
            time.sleep(600)
        if b"do:spin" in content:
            while True:
                pass
        if b"do:exit" in content:
            os._exit(7)
        if b"do:lie" in content:
            print("[]", flush=True)
            os._exit(0)
        return cls()
'''


def ods(do: str = "", *, name: str = "HTX Sao Mai") -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table = Table(name="Biểu")
    for values in (("Mã số", "Tên HTX"), ("6100000001", name)):
        line = TableRow()
        for value in values:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = f"do:{do}".encode() if do else b""
    return out.getvalue()


@pytest.fixture(autouse=True)
def fresh() -> None:
    trial.forget_outcomes()


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "python_calamine.py").write_text(STUB)
    monkeypatch.setattr(trial, "reader_folder", lambda: folder)


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("do", "limits", "code", "why"),
    [
        ("panic", TrialLimits(), "damaged", "index out of bounds"),
        ("abort", TrialLimits(), "reader_failed", "SIGABRT"),
        ("memory", TrialLimits(memory_bytes=256 * MIB), "reader_failed", "memory"),
        ("sleep", TrialLimits(wall_seconds=0.5), "reader_failed", "0.5 seconds"),
        ("spin", TrialLimits(cpu_seconds=1), "reader_failed", "SIGXCPU|SIGKILL"),
        ("exit", TrialLimits(), "reader_failed", "status 7"),
        ("lie", TrialLimits(), "reader_failed", "status 0"),
    ],
)
def test_however_the_reader_ends_the_file_is_refused_in_both_languages(
    do: str, limits: TrialLimits, code: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as told:
        try_reading(ods(do), name="a.ods", limits=limits)
    assert told.value.code == code
    assert told.value.where == "a.ods"
    assert told.value.what_vi
    assert told.value.remedy_vi


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize("do", ["panic", "abort"])
def test_a_hostile_file_does_not_keep_the_others_from_being_read(tmp_path: Path, do: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.ods").write_bytes(ods(do))
    (source / "b.ods").write_bytes(ods(name="HTX Bình Minh"))
    (source / "c.csv").write_text("Mã số;Tên HTX\n6100000003;HTX Nắng\n")
    mapping = Mapping(
        id="reports", table="cooperative_reports", files=("*.ods", "*.csv"), period=PeriodRule(constant="2024"),
        columns={"tax_code": ColumnRule(source="Mã số"), "name": ColumnRule(source="Tên HTX")},
    )  # fmt: skip
    result = read_sources(
        "cooperative_reports", [mapping], list_sources([mapping], source), input_dir=source, period="2024",
    )  # fmt: skip
    assert result.rows.select("source_file", "name").rows() == [
        ("b.ods", "HTX Bình Minh"),
        ("c.csv", "HTX Nắng"),
    ]
    (refused,) = [r for r in result.findings.iter_rows(named=True) if r["severity"] == "critical"]
    assert refused["source_file"] == "a.ods"
    assert refused["rule_id"].rsplit(".", 1)[-1] == (
        "damaged" if do == "panic" else "reader_failed"
    )
    assert refused["reason_vi"]
    assert refused["remedy_vi"]


def test_with_the_real_reader_an_honest_workbook_passes_and_reads_the_same() -> None:
    content = ods()
    try_reading(content, name="a.ods")
    book = open_bytes(content, name="a.ods")
    assert book.sheets[0].cells == [["Mã số", "Tên HTX"], ["6100000001", "HTX Sao Mai"]]


def test_with_the_real_reader_a_damaged_workbook_is_refused_as_damaged() -> None:
    with pytest.raises(InputError) as told:
        try_reading(b"PK\x03\x04 no workbook", name="a.ods")
    assert told.value.code == "damaged"


def test_a_content_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    content = ods()
    try_reading(content, name="a.ods")
    monkeypatch.setattr(trial, "_outcome", lambda *_: pytest.fail("tried again"))
    try_reading(content, name="under another name.ods")


@pytest.mark.parametrize(
    ("kind", "notes", "expected"),
    [
        ("xls", (), True),
        ("ods", (), True),
        ("xlsm", (), True),
        ("xlsx", (), False),
        ("xlsx", ("formula_without_value",), False),
        ("xlsx", ("external_links",), True),
        ("xlsx", ("wrong_extension",), True),
        ("csv", ("wrong_extension",), False),
    ],
)
def test_only_unusual_workbooks_are_tried(
    kind: Literal["xls", "ods", "xlsm", "xlsx", "csv"], notes: tuple[str, ...], expected: bool
) -> None:
    made = tuple(Note(code, "info", "x", "x") for code in notes)
    info = FileInfo(name="a", sha256="", size=1, kind=kind, notes=made)
    assert is_tried(info) is expected
