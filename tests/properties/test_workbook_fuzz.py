"""Whatever the bytes, reading ends in a workbook or in an `InputError`, and soon.

The mutations are seeded; cases that once broke something are kept below by name.
"""

import io
import random
import zipfile

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.guard import Limits
from htx_pipeline.ingest.inspect import render_inspection
from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.layout_model import RowKind
from htx_pipeline.ingest.totals import check_totals
from htx_pipeline.ingest.workbook import open_bytes

pytestmark = pytest.mark.usefixtures("either_way_of_reading_xlsx")

SMALL = Limits(max_cells=200_000)
QUIET = settings(
    deadline=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)


def read(content: bytes, name: str) -> str:
    """Read everything; return "ok" or the refusal's code. Any other exception fails the test."""
    refusal: InputError | None = None
    try:
        book = open_bytes(content, name=name, limits=SMALL)
        for sheet in book.sheets:
            layout = understand(sheet)
            assert len(layout.kinds) == sheet.n_rows
            check_totals(layout)
            frame = sheet.text_frame()
            assert frame.height == sheet.n_rows
            sheet.formula_like_notes()
        render_inspection(book)
    except InputError as error:
        refusal = error
    if refusal is None:
        return "ok"
    assert refusal.code != "input_error"
    assert refusal.what_vi
    return refusal.code


def seed_xlsx() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Biểu 1")
    old = book.add_format({"font_name": ".VnTime", "num_format": "dd/mm/yyyy"})
    sheet.merge_range(0, 0, 0, 3, "BÁO CÁO")
    sheet.write_row(2, 0, ["STT", "Tên", "Ngày", "Vốn"])
    for r in range(3, 12):
        sheet.write_row(r, 0, [r - 2, f"HTX {r}"])
        sheet.write_number(r, 2, 45000 + r, old)
        sheet.write_formula(r, 3, f"=A{r}*2", None, r * 2)
    sheet.write_row(12, 0, ["", "Tổng cộng", "", 126])
    sheet.set_row(5, None, None, {"hidden": True})
    sheet.write_formula(13, 0, "=1/0", None, "#DIV/0!")
    book.add_worksheet("Ẩn").hide()
    book.close()
    return out.getvalue()


def seed_ods() -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="S")
    for r in range(6):
        line = TableRow(numberrowsrepeated=2)
        cell = TableCell(valuetype="string", numbercolumnsrepeated=2)
        cell.addElement(P(text=f"Tên {r}"))
        line.addElement(cell)
        line.addElement(TableCell(valuetype="float", value=str(r)))
        table.addElement(line)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


SEEDS = {"xlsx": seed_xlsx(), "ods": seed_ods()}


def rebuilt(content: bytes, part: str, change) -> bytes:
    """The same container with one part changed and its checksum right again."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == part else data)
    return out.getvalue()


def mutated(data: bytes, rng: random.Random) -> bytes:
    piece = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(piece)) if piece else 0
        kind = rng.randrange(6)
        if kind == 0 and piece:
            piece[at] = rng.randrange(256)
        elif kind == 1:
            del piece[at : at + rng.randint(1, 40)]
        elif kind == 2:
            piece[at:at] = piece[at : at + rng.randint(1, 60)]
        elif kind == 3:
            piece[at:at] = rng.choice(
                [
                    b"<",
                    b">",
                    b'"',
                    b"&",
                    b"</c>",
                    b"<c/>",
                    b"]]>",
                    b"\xff",
                    b"<!--",
                    b"<row>",
                    b"A0",
                ]
            )
        elif kind == 4:
            digits = [i for i, b in enumerate(piece) if 48 <= b <= 57]
            if digits:
                spot = rng.choice(digits)
                piece[spot : spot + 1] = rng.choice([b"0", b"9", b"99999999", b"-1", b"4294967296"])
        else:
            other = rng.randrange(len(piece) + 1)
            piece[at : at + 20] = piece[other : other + 20]
    return bytes(piece)


@given(st.binary(max_size=3000))
@QUIET
def test_random_bytes(content):
    read(content, "a.xlsx")


@given(
    st.sampled_from(
        [
            b"PK\x03\x04",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"sep=;\n",
        ]
    ),
    st.binary(max_size=2000),
)
@QUIET
def test_random_bytes_behind_a_known_beginning(head, rest):
    read(head + rest, "a.xls")


@given(st.text(alphabet=st.sampled_from("ab1,;\t|\"\n\r'= Đăúộ\0"), max_size=300))
@QUIET
def test_random_text_tables(text):
    for encoding in ("utf-8", "utf-16"):
        read(text.encode(encoding), "a.csv")


@pytest.mark.parametrize("kind", sorted(SEEDS))
@pytest.mark.parametrize("seed", range(40))
def test_changed_containers(kind, seed):
    rng = random.Random(seed)
    for _ in range(5):
        read(mutated(SEEDS[kind], rng), f"a.{kind}")


PARTS = [
    (kind, name)
    for kind, content in sorted(SEEDS.items())
    for name in zipfile.ZipFile(io.BytesIO(content)).namelist()
    if name.endswith((".xml", ".rels"))
]


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_changed_parts_with_a_right_checksum(kind, part):
    rng = random.Random(part)
    rounds = 60 if "sheet" in part or part == "content.xml" else 12
    for _ in range(rounds):
        read(rebuilt(SEEDS[kind], part, lambda data: mutated(data, rng)), f"a.{kind}")


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.just(""),
                st.integers(-5, 3000),
                st.sampled_from(
                    ["STT", "Tên", "Tổng cộng", "Cộng", "I", "II", "1", "(1)", "Ghi chú:", "ĐVT: ha",
                     "Người lập biểu", "Huyện A", "12.000", "x", "Trong đó", "=1+1", "2024"]
                ),
            ),
            max_size=6,
        ),
        max_size=25,
    )
)  # fmt: skip
@settings(QUIET, max_examples=300)
def test_any_arrangement_of_rows_is_accounted_for(rows):
    content = "\n".join(";".join(map(str, row)) for row in rows).encode() or b"\n"
    book = open_bytes(content, name="a.csv")
    layout = understand(book.sheets[0])
    assert sum(layout.counts.values()) == book.sheets[0].n_rows
    data = [r for r, kind in enumerate(layout.kinds, 1) if kind == RowKind.DATA]
    assert sorted(r for t in layout.tables for r in t.data_rows) == data
    for number, kind in enumerate(layout.kinds, 1):
        filled = any(str(v).strip() for v in book.sheets[0].cells[number - 1])
        only_a_number = sum(bool(str(v).strip()) for v in book.sheets[0].cells[number - 1]) == 1
        assert filled == (kind != RowKind.BLANK) or only_a_number


# --- found cases, kept -------------------------------------------------------------------------


def with_sheet(old: bytes, new: bytes) -> bytes:
    return rebuilt(SEEDS["xlsx"], "xl/worksheets/sheet1.xml", lambda x: x.replace(old, new, 1))


FOUND = {
    "formula index beyond the table of shared formulas": with_sheet(
        b"<f>A3*2</f>", b'<f t="shared" ref="D4:D9" si="4294967295">A3*2</f>'
    ),
    "style number beyond the styles": with_sheet(b's="1"', b's="4294967295"'),
    "string number beyond the strings": with_sheet(b't="s"><v>1<', b't="s"><v>99999999<'),
    "date beyond the calendar": with_sheet(b"<v>45003<", b"<v>1e300<"),
    "row number zero": with_sheet(b'<row r="3"', b'<row r="0"'),
    "sheet that is not UTF-8": with_sheet(b"</row>", b"</row>\xff"),
    "cell in row zero": with_sheet(b'r="A3"', b'r="A0"'),
}


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'uniqueCount="', b'uniqueCount="42949600'), (b' count="', b" count = '\n99999999' x=\"")],
)
def test_a_stated_count_cannot_make_the_reader_set_memory_aside(old, new):
    """The cell reader reserves what ``uniqueCount`` says; a process died of it."""
    lie = rebuilt(SEEDS["xlsx"], "xl/sharedStrings.xml", lambda x: x.replace(old, new, 1))
    assert lie != SEEDS["xlsx"]
    assert read(lie, "a.xlsx") == "damaged"


@pytest.mark.parametrize("case", sorted(FOUND))
def test_found_cases_stay_harmless(case):
    read(FOUND[case], "a.xlsx")


def test_a_row_repeated_zero_times_does_not_shift_the_rows_below():
    lie = rebuilt(
        SEEDS["ods"], "content.xml", lambda x: x.replace(b'repeated="2"', b'repeated="0"', 1)
    )
    assert lie != SEEDS["ods"]
    assert read(lie, "a.ods") == "damaged"


@pytest.mark.parametrize(("kind", "part"), [("ods", "content.xml"), ("xlsx", "xl/workbook.xml")])
def test_an_encoding_that_does_not_exist_is_no_way_in(kind, part):
    changed = rebuilt(SEEDS[kind], part, lambda x: x.replace(b"UTF-8", b"A0UTF-8", 1))
    assert changed != SEEDS[kind]
    read(changed, f"a.{kind}")
