"""Cells and frames: nothing lost, rows numbered as the sheet shows them, in every format."""

import contextlib
import datetime as dt
import io
import random
import struct
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableRowProperties
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.grid import cell_text
from htx_pipeline.ingest.guard import check_bytes
from htx_pipeline.ingest.workbook import open_bytes, text_series
from htx_pipeline.ingest.workbook_sheet import Sheet

pytestmark = pytest.mark.usefixtures("either_way_of_reading_xlsx")

MORNING = dt.datetime.combine(dt.date(2024, 12, 15), dt.time(7, 30))


def xlsx(write, **options) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    write(book, book.add_worksheet("Biểu 1"))
    book.close()
    return out.getvalue()


def sheet_of(write, **options) -> Sheet:
    return open_bytes(xlsx(write, **options), name="a.xlsx").sheets[0]


def test_values_keep_their_types_and_rows_their_numbers():
    def write(book, sheet):
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        clock = book.add_format({"num_format": "hh:mm"})
        span = book.add_format({"num_format": "[h]:mm"})
        sheet.write(2, 1, 42)
        sheet.write(2, 2, 0.1)
        sheet.write(2, 3, " có  khoảng trắng ")
        sheet.write(2, 4, True)
        sheet.write_datetime(2, 5, dt.date(2024, 12, 15), day)
        sheet.write_datetime(2, 6, MORNING, day)
        sheet.write_datetime(2, 7, dt.time(7, 30), clock)
        sheet.write_number(2, 8, 1.5, span)

    sheet = sheet_of(write)
    assert (sheet.n_rows, sheet.n_cols) == (3, 9)
    assert sheet.cells[:2] == [[""] * 9] * 2
    assert sheet.cell(3, 2) == 42
    assert sheet.text_frame(slice(3, 3)).row(0) == (
        3, None, "42", "0.1", " có  khoảng trắng ", "TRUE", "2024-12-15", "2024-12-15 07:30:00",
        "07:30:00", "36:00:00",
    )  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None)
def test_the_text_of_a_number_gives_the_same_number_back_without_an_exponent(number):
    text = cell_text(number)
    assert float(text) == number
    assert "e" not in text.lower()
    assert not text.endswith(".0")


@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(10**6), 10**6).map(float),
            st.sampled_from(["", "12", "HTX"]),
        ),
        min_size=40,
        max_size=80,
    )
)
@settings(deadline=None, max_examples=60)
def test_whole_columns_and_single_cells_agree_on_the_text(values):
    assert text_series("c", values).to_list() == [cell_text(v) for v in values]


def test_money_with_fourteen_digits_survives():
    sheet = sheet_of(lambda book, s: [s.write(r, 0, 98765432109876 + r) for r in range(60)])
    assert sheet.text_frame()["c1"].to_list() == [str(98765432109876 + r) for r in range(60)]


def test_dates_of_the_1904_calendar_are_right():
    def write(book, sheet):
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_datetime(0, 0, dt.date(2024, 2, 29), day)

    assert sheet_of(write, date_1904=True).cells == [[dt.date(2024, 2, 29)]]


def test_rows_may_be_chosen_by_slice_or_by_number():
    sheet = sheet_of(lambda book, s: [s.write(r, 0, r + 1) for r in range(10)])
    assert sheet.text_frame(slice(3, 5))["row"].to_list() == [3, 4, 5]
    assert sheet.text_frame(slice(8, None))["c1"].to_list() == ["8", "9", "10"]
    assert sheet.text_frame([9, 2, 99])["c1"].to_list() == ["9", "2"]
    assert sheet.text_frame([]).columns == ["row", "c1"]


def test_the_fast_path_gives_the_same_values_as_the_cells():
    def write(book, sheet):
        sheet.write_row(0, 0, ["Tên", "Vốn", "Có"])
        for r in range(1, 50):
            sheet.write_row(r, 0, [f"HTX {r}", r * 1.5, r % 2 == 0])

    sheet = sheet_of(write)
    frame = sheet.typed_frame(2)
    assert frame.columns == ["c1", "c2", "c3"]
    assert frame.dtypes == [pl.String, pl.Float64, pl.Boolean]
    assert frame.rows() == [tuple(r) for r in sheet.cells[1:]]
    assert sheet.typed_frame(2, 2, last_row=4).rows() == [tuple(r[:2]) for r in sheet.cells[1:4]]


def test_merged_ranges_hidden_rows_and_columns_are_reported():
    def write(book, sheet):
        sheet.merge_range(0, 0, 0, 2, "BÁO CÁO")
        sheet.write(4, 3, 1)
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_column(1, 2, None, None, {"hidden": True})

    sheet = sheet_of(write)
    assert sheet.merged == ((1, 1, 1, 3),)
    assert sheet.hidden_rows == {3}
    assert sheet.hidden_cols == {2, 3}


def test_fonts_of_old_encodings_are_reported_per_column():
    def write(book, sheet):
        old = book.add_format({"font_name": ".VnTime"})
        caps = book.add_format({"font_name": ".VnTimeH"})
        sheet.write(0, 0, "Hîp t¸c x·", old)
        sheet.write(1, 0, "Céng hoµ", old)
        sheet.write(2, 0, "céng", caps)
        sheet.write(0, 1, "Unicode")
        sheet.write(1, 1, 5, old)

    fonts = sheet_of(write).column_fonts
    assert fonts[1] == {".VnTime": 2, ".VnTimeH": 1}
    assert set(fonts[2]) == {"Calibri"}


def test_sheets_are_found_by_name_and_hidden_ones_marked():
    def write(book, sheet):
        sheet.write(0, 0, 1)
        book.add_worksheet("Ẩn").hide()
        book.add_worksheet("Rất ẩn").very_hidden()
        book.add_chartsheet("Biểu đồ")

    book = open_bytes(xlsx(write), name="a.xlsx")
    assert [(s.name, s.visibility) for s in book.sheets] == [
        ("Biểu 1", "visible"), ("Ẩn", "hidden"), ("Rất ẩn", "very_hidden"),
    ]  # fmt: skip
    assert book.sheet(" biểu 1 ").cells == [[1]]
    with pytest.raises(KeyError):
        book.sheet("không có")


def test_a_workbook_written_by_openpyxl_reads_the_same():
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["STT", "Tên", "Ngày"])
    book.active.append([1, "HTX", dt.date(2024, 5, 6)])
    book.save(out)
    cells = open_bytes(out.getvalue(), name="a.xlsx").sheets[0].cells
    assert cells == [["STT", "Tên", "Ngày"], [1, "HTX", dt.date(2024, 5, 6)]]


def test_an_xlsm_is_read_and_known_as_such():
    content = xlsx(lambda book, s: s.write(0, 0, "x"))
    out = io.BytesIO()
    book = openpyxl.load_workbook(io.BytesIO(content), keep_vba=True)
    book.save(out)
    opened = open_bytes(out.getvalue(), name="a.xlsm")
    assert opened.info.kind == "xlsm"
    assert opened.sheets[0].cells == [["x"]]


# --- ods ---------------------------------------------------------------------------------------


def ods(rows, *, hidden=()) -> bytes:
    document = OpenDocumentSpreadsheet()
    style = Style(name="h", family="table-row")
    style.addElement(TableRowProperties())
    document.automaticstyles.addElement(style)
    table = Table(name="Biểu 1")
    for number, row in enumerate(rows, 1):
        options = {"visibility": "collapse"} if number in hidden else {}
        line = TableRow(stylename=style, **options)
        for value in row:
            if value is None:
                line.addElement(TableCell())
            elif isinstance(value, tuple):
                cell = TableCell(valuetype="string", numbercolumnsspanned=value[1])
                cell.addElement(P(text=value[0]))
                line.addElement(cell)
                for _ in range(value[1] - 1):
                    line.addElement(CoveredTableCell())
            elif isinstance(value, str):
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
                line.addElement(cell)
            else:
                line.addElement(TableCell(valuetype="float", value=str(value)))
        table.addElement(line)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def test_an_ods_reads_with_merged_cells_and_hidden_rows():
    rows = [[("BÁO CÁO", 3)], [None], ["STT", "Tên", "Vốn"], [1, "HTX", 2.5], [2, "B", 3]]
    book = open_bytes(ods(rows, hidden=[5]), name="a.ods")
    (sheet,) = book.sheets
    assert book.info.kind == "ods"
    assert sheet.cells[2:] == [["STT", "Tên", "Vốn"], [1, "HTX", 2.5], [2, "B", 3]]
    assert sheet.merged == ((1, 1, 1, 3),)
    assert sheet.hidden_rows == {5}


# --- xls ---------------------------------------------------------------------------------------


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def label(row: int, col: int, style: int, text: str) -> bytes:
    data = text.encode("utf-16-le")
    return record(0x0204, struct.pack("<HHHHB", row, col, style, len(text), 1) + data)


def number(row: int, col: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, col, 0, value))


def font(name: str) -> bytes:
    head = struct.pack("<HHHHHBBBB", 220, 0, 0x7FFF, 400, 0, 0, 0, 0, 0)
    return record(0x0031, head + bytes([len(name), 1]) + name.encode("utf-16-le"))


def biff(cells: bytes, *, extra: bytes = b"", name: str = "Biểu") -> bytes:
    """A BIFF8 workbook stream with one sheet; style 1 uses font 5, .VnTime."""
    bof = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0x41, 0x06)
    fonts = b"".join(font("Arial") for _ in range(4)) + font(".VnTime")
    styles = record(0x00E0, struct.pack("<HH", 0, 0) + bytes(16))
    styles += record(0x00E0, struct.pack("<HH", 5, 0) + bytes(16))
    title = name.encode("utf-16-le")

    def globals_(offset: int) -> bytes:
        bound = struct.pack("<IBBBB", offset, 0, 0, len(name), 1) + title
        return (
            record(0x0809, bof) + extra + record(0x0042, struct.pack("<H", 1200)) + fonts + styles
            + record(0x0085, bound) + record(0x000A)
        )  # fmt: skip

    head = globals_(len(globals_(0)))
    sheet = struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0x41, 0x06)
    return head + record(0x0809, sheet) + cells + record(0x000A)


def ole(stream: bytes, *, name: str = "Workbook") -> bytes:
    """A minimal OLE container with one stream of at least 4,096 bytes."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    fat_sectors = -(-(sectors + 3) // 128)
    table = [0xFFFFFFFD] * fat_sectors + [0xFFFFFFFE]
    first = len(table)
    table += [*range(first + 1, first + sectors), 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (fat_sectors * 128 - len(table))

    def entry(title: str, kind: int, start: int, size: int, child: int) -> bytes:
        text = title.encode("utf-16-le")
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBB", len(text) + 2, kind, 1)
            + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<III", start, size, 0)
        )

    directory = entry("Root Entry", 5, 0xFFFFFFFE, 0, 1) + entry(
        name, 2, first, len(stream), 0xFFFFFFFF
    )
    directory = directory.ljust(512, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack(
        "<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    header += struct.pack("<109I", *range(fat_sectors), *[0xFFFFFFFF] * (109 - fat_sectors))
    return header + struct.pack(f"<{len(table)}I", *table) + directory + stream


CELLS = (
    record(0x0208, struct.pack("<HHHHHHHHH", 2, 0, 3, 255, 0, 0, 0x20, 0, 0)[:16])
    + label(0, 0, 0, "STT") + label(0, 1, 0, "Tên") + label(1, 1, 1, "Céng hoµ")
    + number(1, 0, 1.0) + number(2, 0, 2.5) + label(2, 1, 1, "x·")
    + record(0x0205, struct.pack("<HHHBB", 3, 0, 0, 0x2A, 1))
)  # fmt: skip


def test_an_xls_reads_with_fonts_hidden_rows_and_error_cells():
    book = open_bytes(ole(biff(CELLS)), name="a.xls")
    (sheet,) = book.sheets
    assert book.info.kind == "xls"
    assert sheet.name == "Biểu"
    assert sheet.cells == [["STT", "Tên"], [1.0, "Céng hoµ"], [2.5, "x·"], ["#N/A", ""]]
    assert sheet.column_fonts == {1: {"Arial": 1}, 2: {"Arial": 1, ".VnTime": 2}}
    assert sheet.hidden_rows == {3}
    assert [n.code for n in book.notes] == ["error_value"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ole(biff(CELLS, extra=record(0x002F, bytes(6)))), "encrypted"),
        (ole(bytes(4096), name="EncryptedPackage"), "encrypted"),
        (ole(bytes(4096), name="WordDocument"), "unsupported_kind"),
        (ole(bytes(4096), name="Book"), "old_workbook"),
        (ole(biff(CELLS))[:3000], "damaged"),
        (ole(biff(CELLS + number(65535, 65535, 1.0))), "sheet_too_large"),
        (ole(biff(CELLS)[:-40]), "damaged"),
        (ole(bytes(4096)), "damaged"),
    ],
)
def test_protected_foreign_cut_or_oversize_xls_files_are_refused(content, code):
    with pytest.raises(InputError) as caught:
        open_bytes(content, name="a.xls")
    assert caught.value.code == code


def test_an_ole_container_whose_sectors_run_in_a_circle_is_refused():
    content = bytearray(ole(biff(CELLS)))
    content[512 + 4 * 5 : 512 + 4 * 6] = struct.pack("<I", 4)
    with pytest.raises(InputError) as caught:
        check_bytes(bytes(content), name="a.xls")
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("seed", range(30))
def test_changed_xls_files_are_read_or_refused(seed):
    rng = random.Random(seed)
    for _ in range(10):
        stream = bytearray(biff(CELLS))
        for _ in range(rng.randint(1, 5)):
            stream[rng.randrange(len(stream))] = rng.choice([0, 1, 5, 127, 255, rng.randrange(256)])
        content = bytearray(ole(bytes(stream)))
        if rng.random() < 0.3:
            content[rng.randrange(1536)] = rng.randrange(256)
        with contextlib.suppress(InputError):
            for sheet in open_bytes(bytes(content), name="a.xls").sheets:
                assert len(sheet.cells) == sheet.n_rows


def test_large_numbers_are_written_out_in_full():
    assert cell_text(1e22) == "10000000000000000000000"
    assert Decimal(cell_text(1.5e-7)) == Decimal("0.00000015")
