"""Hostile files: each is refused with its own code, or made harmless with a note."""

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from htx_pipeline.errors import InputError
from htx_pipeline.findings import FINDING_SCHEMA
from htx_pipeline.ingest.formula_text import safe_text
from htx_pipeline.ingest.guard import Limits, check_bytes, check_file
from htx_pipeline.ingest.notes import notes_to_findings
from htx_pipeline.ingest.refusals import REFUSAL_CODES, refuse
from htx_pipeline.ingest.workbook import open_bytes, open_workbook

pytestmark = pytest.mark.usefixtures("either_way_of_reading_xlsx")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def sheet_xml(rows: str, *, dimension: str = "") -> str:
    stated = f'<dimension ref="{dimension}"/>' if dimension else ""
    return f'<worksheet xmlns="{MAIN}">{stated}<sheetData>{rows}</sheetData></worksheet>'


def container(parts: dict[str, str | bytes], **options: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def parts(sheet: str | bytes, **more: str | bytes) -> dict[str, str | bytes]:
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="rId1" '
        f'Type="{DOC}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{DOC}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="rId1" '
        f'Type="{DOC}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
        **more,
    }


GOOD_ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>STT</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>Tên</t></is></c></row>'
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>HTX</t></is></c></row>'
)


def refused(content: bytes, name: str = "a.xlsx", limits: Limits | None = None) -> InputError:
    def read() -> list[object]:
        book = open_bytes(content, name=name, limits=limits or Limits())
        return [sheet.cells for sheet in book.sheets]

    with pytest.raises(InputError) as caught:
        read()
    return caught.value


def test_the_container_these_tests_build_on_is_a_sound_workbook():
    book = open_bytes(container(parts(sheet_xml(GOOD_ROWS, dimension="A1:B2"))), name="a.xlsx")
    assert book.sheets[0].cells == [["STT", "Tên"], [1.0, "HTX"]]


@pytest.mark.parametrize("code", REFUSAL_CODES)
def test_every_refusal_says_what_and_what_to_do_in_both_languages(code):
    error = refuse(code, where="a.xlsx")
    assert error.code == code
    assert error.what
    assert error.remedy
    assert error.what_vi
    assert error.remedy_vi


# --- what is not a workbook -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"%PDF-1.7 ...", "unsupported_kind"),
        (b"<html><body><p>1", "unsupported_kind"),
        (b"\xef\xbb\xbf<!DOCTYPE html><ul>", "unsupported_kind"),
        (b'<?xml version="1.0"?><Workbook/>', "unsupported_kind"),
        (b"\x89PNG\r\n\x1a\n", "unsupported_kind"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and nothing", "damaged"),
        (bytes(range(256)) * 20, "not_text"),
        (container({"word/document.xml": "<a/>"}), "unsupported_kind"),
        (container({"readme.txt": "x"}), "unsupported_kind"),
        (container({"xl/workbook.bin": "x", "xl/workbook.xml": "x"}), "damaged"),
        (container({"xl/workbook.xml": "<workbook/>"}), "damaged"),
        (
            container(
                {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}
            ),
            "unsupported_kind",
        ),
    ],
)
def test_what_is_no_workbook_is_refused_whatever_its_name(content, code):
    error = refused(content)
    assert error.code == code
    assert "a.xlsx" in error.where


def test_a_missing_file_a_folder_and_a_name_with_nul_are_refused(tmp_path):
    for path, code in (
        (tmp_path / "none.xlsx", "not_found"),
        (tmp_path, "not_a_file"),
        (tmp_path / "a\0.xlsx", "not_found"),
    ):
        with pytest.raises(InputError) as caught:
            check_file(path)
        assert caught.value.code == code


def test_a_link_is_not_followed_and_a_pipe_does_not_hang(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    link = tmp_path / "inbox.csv"
    link.symlink_to(secret)
    with pytest.raises(InputError) as caught:
        check_file(link)
    assert caught.value.code == "symlink"
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with pytest.raises(InputError) as caught:
        check_file(pipe)
    assert caught.value.code == "not_a_file"


def test_the_content_decides_not_the_extension(tmp_path):
    path = tmp_path / "report.xls"
    path.write_bytes(container(parts(sheet_xml(GOOD_ROWS))))
    info = check_file(path)
    assert info.kind == "xlsx"
    assert [n.code for n in info.notes] == ["wrong_extension"]


def test_a_file_above_the_size_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as stream:
        stream.truncate(300 * 2**20)
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        check_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "file_too_large"
    assert peak < 2**20


# --- zip ---------------------------------------------------------------------------------------


def test_a_deflate_bomb_is_refused_with_little_memory():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts(b"").items():
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            for _ in range(100):
                stream.write(b" " * 2**20)
    tracemalloc.start()
    error = refused(out.getvalue())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.code == "zip_bomb"
    assert peak < 8 * 2**20


def test_a_part_that_lies_about_its_unpacked_size_is_refused():
    content = container(parts(sheet_xml(GOOD_ROWS + " " * 100_000)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        real = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lie = content.replace(real.to_bytes(4, "little"), (200).to_bytes(4, "little"))
    assert lie != content
    assert refused(lie).code == "damaged"


def test_too_many_parts_overlapping_parts_and_double_names_are_refused():
    many = parts(sheet_xml(GOOD_ROWS), **{f"x/{i}.bin": b"" for i in range(5000)})
    assert refused(container(many)).code == "zip_bomb"
    doubled = io.BytesIO(container(parts(sheet_xml(GOOD_ROWS))))
    with zipfile.ZipFile(doubled, "a") as archive:
        archive.writestr("xl/WORKBOOK.xml", "<workbook/>")
    assert refused(doubled.getvalue()).code == "damaged"


def test_entries_that_share_one_packed_body_are_refused():
    body = container({"a.xml": b"x" * 3000})
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        directory = archive.start_dir
    record = body[directory : body.index(b"PK\x05\x06")]
    count = 30
    central = b"".join(
        record.replace(b"a.xml", bytes([97 + i // 26, 97 + i % 26]) + b"xml") for i in range(count)
    )
    central = record + b"".join(record.replace(b"a.xml", b"A.xml") for _ in range(count))
    end = b"PK\x05\x06" + bytes(4) + (count + 1).to_bytes(2, "little") * 2
    end += len(central).to_bytes(4, "little") + directory.to_bytes(4, "little") + bytes(2)
    assert refused(body[:directory] + central + end).code in ("zip_bomb", "damaged")


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "xl/../../x", "C:\\x.exe", "..\\..\\x"]
)
def test_a_part_named_to_leave_the_container_is_refused(name):
    assert refused(container(parts(sheet_xml(GOOD_ROWS), **{name: b"x"}))).code == "unsafe_zip_name"


def test_an_encrypted_zip_and_an_unknown_packing_are_refused():
    content = bytearray(container(parts(sheet_xml(GOOD_ROWS))))
    at = content.index(b"PK\x01\x02")
    locked = bytearray(content)
    locked[at + 8] |= 1
    assert refused(bytes(locked)).code == "encrypted"
    content[at + 10] = 99
    assert refused(bytes(content)).code == "damaged"


@pytest.mark.parametrize("keep", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(keep):
    content = container(parts(sheet_xml(GOOD_ROWS * 50)))
    assert refused(content[: int(len(content) * keep)]).code == "damaged"


def test_a_flipped_byte_in_a_sheet_is_noticed():
    content = bytearray(container(parts(sheet_xml(GOOD_ROWS * 50))))
    at = content.index(b"sheet1.xml") + 40
    content[at] ^= 0xFF
    assert refused(bytes(content)).code == "damaged"


# --- XML ---------------------------------------------------------------------------------------

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(
        f'<!ENTITY lol{i} "' + f"&lol{i - 1 if i > 1 else ''};" * 10 + '">' for i in range(1, 10)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "part",
    [
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/sharedStrings.xml",
        "xl/styles.xml",
        "docProps/app.xml",
    ],
)
def test_entity_declarations_are_refused_in_every_part(part):
    everything = parts(sheet_xml(GOOD_ROWS))
    everything[part] = LAUGHS + str(everything.get(part, "<sst/>"))
    assert refused(container(everything)).code == "xml_dtd"


def test_an_external_entity_in_ods_is_refused():
    content = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    assert refused(container({"mimetype": kind, "content.xml": content})).code == "xml_dtd"


def test_a_sheet_in_another_unicode_form_cannot_hide_declarations():
    sheet = (LAUGHS + sheet_xml(GOOD_ROWS)).encode("utf-16")
    assert refused(container(parts(sheet))).code == "damaged"


# --- size of a sheet ---------------------------------------------------------------------------

FAR = "XFD1048576"


@pytest.mark.parametrize(
    ("far", "dimension"),
    [
        (f'<c r="{FAR}"><v>1</v></c>', ""),
        (f'<c r="{FAR}"><v>1</v></c>', "A1:B2"),
        (f"<c r='{FAR}'><v>1</v></c>", "A1:B2"),
        (f'<c\nr="{FAR}"><v>1</v></c>', "A1:B2"),
        (f'<c s="0" r="{FAR}"><v>1</v></c>', "A1:B2"),
        (f'<c t=">" r="{FAR}"><v>1</v></c>', "A1:B2"),
        (f'<x:c xmlns:x="{MAIN}" r="{FAR}"><v>1</v></x:c>', "A1:B2"),
        (f'<c r = "{FAR}"><v>1</v></c>', "A1:B2"),
        ('<c r="xfd1048576"><v>1</v></c>', "A1:B2"),
        ('<c r="B9999999"><v>1</v></c>', "A1:B2"),
        ('<c r="ZZZ2"><v>1</v></c><c r="A1048576"><v>1</v></c>', "A1:B2"),
        (f'<c r="{FAR}"><v>1</v></c>', "A1:XFD1048576"),
        ('<c r="AAAAA1"><v>1</v></c>', "A1:B2"),
    ],
)
def test_one_cell_far_away_cannot_make_the_reader_build_a_giant_sheet(far, dimension):
    row = f'<row r="3">{far}</row>'
    error = refused(container(parts(sheet_xml(GOOD_ROWS + row, dimension=dimension))))
    assert error.code in ("sheet_too_large", "damaged")


def test_cells_without_an_address_are_counted_where_they_stand():
    row = "<row>" + "<c><v>1</v></c>" * 3 + "</row>"
    content = container(parts(sheet_xml(row * 4)))
    assert open_bytes(content, name="a.xlsx").sheets[0].n_cols == 3
    assert refused(content, limits=Limits(max_cells=11)).code == "sheet_too_large"


def test_a_sheet_of_200_megabytes_is_refused_without_unpacking_it():
    out = io.BytesIO()
    row = "".join(f'<c r="{c}1"><v>{i * 7919}</v></c>' for i, c in enumerate("ABCDEFGH")).encode()
    block = b"<row>" + row + b"</row>"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts(b"").items():
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as stream:
            piece = block * (2**20 // len(block))
            for _ in range(200 * 2**20 // len(piece)):
                stream.write(piece)
    content = out.getvalue()
    tracemalloc.start()
    error = refused(content, limits=Limits(max_ratio=1e9))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.code == "sheet_too_large"
    assert peak < len(content) + 4 * 2**20


def test_a_million_empty_formatted_rows_do_not_count(tmp_path):
    path = tmp_path / "a.xlsx"
    empties = "".join(f'<row r="{r}" s="1" customFormat="1"/>' for r in range(3, 1_048_577))
    sheet = sheet_xml(GOOD_ROWS + empties, dimension="A1:B1048576")
    path.write_bytes(container(parts(sheet)))
    book = open_workbook(path)
    assert book.sheets[0].n_rows == 2
    assert book.sheets[0].cells == [["STT", "Tên"], [1.0, "HTX"]]


def test_formatted_cells_out_to_the_last_column_do_not_count():
    row = f'<row r="3"><c r="{FAR}" s="1"/><c r="A3" s="1"></c></row>'
    content = container(parts(sheet_xml(GOOD_ROWS + row, dimension=f"A1:{FAR}")))
    assert open_bytes(content, name="a.xlsx").sheets[0].n_rows == 2


def test_repeated_cells_of_an_ods_are_bounded():
    ns = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    kind = "application/vnd.oasis.opendocument.spreadsheet"

    def ods(row: str) -> bytes:
        body = f'<table:table table:name="S">{row}</table:table>'
        return container(
            {
                "mimetype": kind,
                "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:'
                'opendocument:xmlns:manifest:1.0"/>',
                "content.xml": f"<office:document-content {ns}><office:body><office:spreadsheet>"
                f"{body}</office:spreadsheet></office:body></office:document-content>",
            }
        )

    cell = '<table:table-cell office:value-type="float" office:value="1"{}/>'
    bombs = [
        f'<table:table-row table:number-rows-repeated="1000000">{cell.format(" table:number-columns-repeated=" + chr(34) + "1000" + chr(34))}</table:table-row>',
        f"<table:table-row>{cell.format(' table:number-columns-repeated=' + chr(34) + '999999999' + chr(34))}</table:table-row>",
        '<table:table-row table:number-rows-repeated="999999999"><table:table-cell/></table:table-row>',
    ]
    for bomb in bombs:
        assert refused(ods(bomb), "a.ods").code == "sheet_too_large"
    assert (
        refused(ods('<table:table-row table:number-rows-repeated="-1"/>'), "a.ods").code
        == "damaged"
    )
    fine = f"<table:table-row>{cell.format('')}</table:table-row>"
    assert open_bytes(ods(fine), name="a.ods").sheets[0].cells == [[1.0]]


# --- made harmless -----------------------------------------------------------------------------


def test_macros_and_external_links_are_noted_and_never_followed():
    content = container(
        parts(
            sheet_xml(GOOD_ROWS),
            **{
                "xl/vbaProject.bin": b"\xd0\xcf",
                "xl/externalLinks/externalLink1.xml": "<externalLink><ddeLink/></externalLink>",
            },
        )
    )
    book = open_bytes(content, name="a.xlsm")
    assert book.info.kind == "xlsm"
    codes = {n.code for n in book.notes}
    assert codes == {"macros_not_run", "external_links", "formula_starts_program"}
    assert book.sheets[0].cells[1] == [1.0, "HTX"]


@pytest.mark.parametrize(
    "formula", ["cmd|' /C calc'!A0", 'DDE("cmd";"/C calc";"x")', 'WEBSERVICE("http://x")']
)
def test_a_formula_that_starts_a_program_is_noted_and_its_stored_value_read(formula):
    cell = f'<row r="3"><c r="A3"><f>{formula.replace(chr(34), "&quot;")}</f><v>7</v></c></row>'
    book = open_bytes(container(parts(sheet_xml(GOOD_ROWS + cell))), name="a.xlsx")
    note = next(n for n in book.notes if n.code == "formula_starts_program")
    assert (note.cell, note.severity) == ("A3", "error")
    assert book.sheets[0].cell(3, 1) == 7.0


def test_injected_text_stays_text_on_the_way_in_and_is_noted():
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = workbook.add_worksheet()
    sheet.write_string(0, 0, "=cmd|' /C calc'!A0")
    sheet.write_string(1, 0, "-5")
    workbook.close()
    opened = open_bytes(out.getvalue(), name="a.xlsx").sheets[0]
    assert opened.cell(1, 1) == "=cmd|' /C calc'!A0"
    assert [n.cell for n in opened.formula_like_notes()] == ["A1"]


def test_formulas_without_a_stored_value_and_error_cells_are_named():
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = "Tổng"
    book.active["B1"] = "=SUM(B2:B3)"
    book.active["B2"] = 3
    book.save(out)
    opened = open_bytes(out.getvalue(), name="a.xlsx")
    assert [(n.code, n.cell) for n in opened.notes] == [("formula_without_value", "B1")]

    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    workbook.add_worksheet().write_formula(0, 0, "=1/0", None, "#DIV/0!")
    workbook.close()
    opened = open_bytes(out.getvalue(), name="a.xlsx")
    assert [(n.code, n.cell, n.raw) for n in opened.notes] == [("error_value", "A1", "#DIV/0!")]
    assert opened.sheets[0].cells == [["#DIV/0!"]]


def test_notes_are_findings():
    content = container(parts(sheet_xml(GOOD_ROWS), **{"xl/vbaProject.bin": b"x"}))
    notes = check_bytes(content, name="a.xlsx").notes
    frame = notes_to_findings(notes, source_file="a.xlsx", table="organisations")
    assert frame.schema == pl.Schema(FINDING_SCHEMA)
    assert frame["rule_id"].to_list() == ["wrong_extension", "macros_not_run"]


# --- the way out -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|x!A1", "'+cmd|x!A1"),
        ("-2+3+cmd|x!A1", "'-2+3+cmd|x!A1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-12,5", "-12,5"),
        ("+84 262 123", "+84 262 123"),
        ("-", "-"),
        ("HTX =", "HTX ="),
        ("", ""),
    ],
)
def test_text_that_a_program_would_calculate_gets_an_apostrophe(text, safe):
    assert safe_text(text) == safe
    assert safe_text(safe) == safe
    assert safe_text(pl.Series("x", [text, None])).to_list() == [safe, None]
    assert pl.DataFrame({"x": [text]}).with_columns(safe_text(pl.col("x")))["x"].to_list() == [safe]


def test_a_whole_folder_goes_on_after_a_bad_file(tmp_path: Path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04broken")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    outcomes = []
    for path in sorted(tmp_path.iterdir()):
        try:
            outcomes.append(open_workbook(path).info.kind)
        except InputError as error:
            outcomes.append(error.code)
    assert outcomes == ["damaged", "csv"]
