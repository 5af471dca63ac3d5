"""Binary workbooks (.xlsb): their values are read, what they hide is found, hostile ones are refused.

No library writes them, so the records are put together here ([MS-XLSB]); LibreOffice opens the result.
"""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zipfile

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.feedback import feedback_of
from htx_pipeline.findings import findings
from htx_pipeline.ingest.guard import Limits, check_bytes
from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.trial import is_tried
from htx_pipeline.ingest.workbook import open_bytes

DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def record(kind: int, body: bytes = b"", *, size: int | None = None) -> bytes:
    out = bytearray([kind] if kind < 128 else [kind & 0x7F | 0x80, kind >> 7])
    left = len(body) if size is None else size
    while True:
        out.append(left & 0x7F | (0x80 if left > 0x7F else 0))
        left >>= 7
        if not left:
            return bytes(out) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def cell(col: int, value) -> bytes:
    head = struct.pack("<II", col, 0)
    if isinstance(value, str):
        return record(6, head + wide(value))
    if isinstance(value, bool):
        return record(4, head + bytes([value]))
    if isinstance(value, bytes):  # an error's code
        return record(3, head + value)
    if value is None:
        return record(1, head)
    return record(5, head + struct.pack("<d", value))


def row_head(number: int, *, is_hidden: bool = False) -> bytes:
    return record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0x10 * is_hidden, 0, 0))


def xlsb(rows, *, at=0, hidden=(), extra=b"", columns=b"", state=0, parts=None) -> bytes:
    body = b"".join(
        row_head(r + at, is_hidden=r in hidden) + b"".join(cell(c, v) for c, v in enumerate(row))
        for r, row in enumerate(rows)
    )
    size = struct.pack("<IIII", at, at + len(rows) - 1, 0, max(map(len, rows)) - 1)
    sheet = (
        record(129) + record(148, size) + columns + record(145) + body + extra
        + record(146) + record(130)
    )  # fmt: skip
    named = struct.pack("<II", state, 1) + wide("rId1") + wide("Biểu 1")
    book = record(131) + record(143) + record(156, named) + record(144) + record(132)
    binary = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    every = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Default Extension="bin" ContentType="{binary}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{DOC}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship '
        f'Id="rId1" Type="{DOC}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        "xl/worksheets/sheet1.bin": sheet,
        **(parts or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in every.items():
            archive.writestr(name, content)
    return out.getvalue()


ROWS = [["STT", "Tên HTX", "Doanh thu"], [1, "HTX Đoàn Kết", 12.5], [2, "Sa Thầy", True]]


def refused(content: bytes, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        check_bytes(content, name="a.xlsb", limits=Limits(**limits))
    return caught.value


def test_values_come_in_as_in_any_other_workbook():
    book = open_bytes(xlsb(ROWS), name="a.xlsb")
    assert (book.info.kind, book.notes) == ("xlsb", ())
    assert book.sheets[0].name == "Biểu 1"
    assert book.sheets[0].cells == ROWS
    assert understand(book.sheets[0]).headings == {1: "STT", 2: "Tên HTX", 3: "Doanh thu"}
    assert is_tried(book.info)


def test_hidden_rows_columns_and_sheets_and_merged_cells_are_known():
    columns = record(390) + record(60, struct.pack("<IIIIH", 1, 2, 2000, 0, 1)) + record(391)
    merged = record(177) + record(176, struct.pack("<IIII", 0, 1, 0, 2)) + record(178)
    content = xlsb(ROWS, hidden=[1], columns=columns, extra=record(146) + merged, state=2)
    sheet = open_bytes(content, name="a.xlsb").sheets[0]
    assert sheet.hidden_rows == frozenset({2})
    assert sheet.hidden_cols == frozenset({2, 3})
    assert sheet.visibility == "very_hidden"
    assert sheet.merged == ((1, 1, 2, 3),)
    assert understand(sheet).counts["hidden"] == 1


def test_errors_formulas_links_and_macros_are_noted():
    formula = record(9, struct.pack("<IIdHII", 0, 0, 7.0, 0, 0, 0))
    content = xlsb(
        [["STT", "Vốn"], [1, b"\x07"]],
        extra=row_head(2) + formula,
        parts={
            "xl/vbaProject.bin": b"x",
            "xl/externalLinks/externalLink1.bin": record(360, struct.pack("<H", 1)),
        },
    )
    info = check_bytes(content, name="a.xlsb")
    assert {n.code for n in info.notes} == {
        "error_value", "formulas_unseen", "external_links", "formula_starts_program", "macros_not_run",
    }  # fmt: skip
    assert next(n for n in info.notes if n.code == "error_value").raw == "#DIV/0!"
    assert open_bytes(content, name="a.xlsb").sheets[0].cell(3, 1) == 7


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (xlsb([[1.0]], at=1_048_576), "sheet_too_large"),
        (xlsb([[1.0]], extra=row_head(1_048_575) + cell(16_383, 1.0)), "sheet_too_large"),
        (xlsb([[1.0]], extra=cell(16_384, 1.0)), "sheet_too_large"),
        (xlsb([[1.0]], extra=record(5, b"", size=2_000_000)), "damaged"),
        (xlsb([[1.0]], extra=record(5, b"\0")), "damaged"),
        (xlsb(ROWS, parts={"xl/workbook.xml": "<workbook/>"}), "damaged"),
        (xlsb(ROWS, parts={"xl/workbook.bin": record(156, bytes(8) + b"\xff" * 8)}), "damaged"),
        (
            xlsb(ROWS, parts={"xl/sharedStrings.bin": record(159, struct.pack("<II", 1, 1 << 31))}),
            "damaged",
        ),
        (xlsb(ROWS, parts={"docProps/core.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"}), "xml_dtd"),
    ],
)
def test_hostile_binary_workbooks_are_refused(content, code):
    error = refused(content)
    assert error.code == code
    assert error.remedy_vi


def test_empty_formatted_cells_do_not_count_and_the_limit_of_cells_does():
    content = xlsb(ROWS, extra=row_head(1_048_575) + cell(16_383, None))
    assert open_bytes(content, name="a.xlsb").sheets[0].n_rows == 3
    assert refused(xlsb(ROWS), max_cells=8).code == "sheet_too_large"


@pytest.mark.parametrize("seed", range(25))
def test_changed_binary_workbooks_are_read_or_refused(seed):
    rng = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(xlsb(ROWS))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(["xl/workbook.bin", "xl/worksheets/sheet1.bin"])
    changed = bytearray(parts[name])
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, content in {**parts, name: bytes(changed)}.items():
            archive.writestr(part, content)
    with contextlib.suppress(InputError):
        for sheet in open_bytes(out.getvalue(), name="a.xlsb").sheets:
            understand(sheet)


def test_it_comes_back_as_a_list_with_its_values_since_it_cannot_be_written():
    wrong = findings(
        [
            {"rule_id": "t.c.not_a_number", "severity": "error", "table": "t", "source_file": "a.xlsb",
             "source_sheet": "Biểu 1", "source_row": 3, "source_cell": "C3", "reason_vi": "Không phải là số."}
        ]
    )  # fmt: skip
    made = feedback_of(xlsb(ROWS), wrong, name="a.xlsb", period="2025")
    assert (made.form, made.counts["error"]) == ("rendering", 1)
    assert ".xlsb" in made.why
