"""The way back: nothing of the sender's is lost or touched, and every mistake is found where it stands."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from htx_pipeline.errors import InputError
from htx_pipeline.feedback import (
    check_alone,
    feedback_of,
    losses_of,
    write_feedback,
    write_feedbacks,
)
from htx_pipeline.feedback.command import give_feedback
from htx_pipeline.feedback.deliver import feedback_name, remarks_of
from htx_pipeline.feedback.look import AUTHOR, FILLS, FULL_NAME, LIST_NAME, LOOKS
from htx_pipeline.findings import empty_findings, findings
from htx_pipeline.ingest import template as t
from htx_pipeline.ingest import template_form as form
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule, load_mappings
from htx_pipeline.ingest.read import list_sources, read_sources
from htx_pipeline.ingest.template_write import template_bytes, write_template
from htx_pipeline.ingest.workbook import open_bytes, open_workbook
from htx_pipeline.sample import MAPPINGS_DIR, write_sample

SHEET = "Biểu 01 'a' & <b>"


def _book(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(["BÁO CÁO HỢP TÁC XÃ"])
    sheet.append(["STT", "Tên HTX", "Doanh thu", "Ngày ký", "Tổng"])
    for n in range(1, 6):
        sheet.append([n, f"HTX số {n}", n * 1000, dt.date(2025, 1, n), f"=C{n + 2}*2"])
    sheet["C4"] = "hai tỷ"
    sheet["B5"].comment = Comment("chờ xác nhận", "Chị Lan")
    sheet["A1"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet.merge_cells("A1:E1")
    sheet.column_dimensions["B"].width = 33
    book.create_sheet("Phụ lục")["A1"] = "giữ nguyên"
    book.save(path)
    return path


def _finding(cell: str | None = "C4", **more: Any) -> dict[str, Any]:
    row = {
        "rule_id": "cooperative_reports.revenue_vnd.not_a_number", "severity": "error", "table": "cooperative_reports",
        "source_file": "a.xlsx", "source_sheet": SHEET, "source_row": int(cell[1:]) if cell else None, "source_cell": cell,
        "column": "revenue_vnd", "raw_value": "hai tỷ", "reason_vi": "Doanh thu: «hai tỷ» không phải là số.",
        "remedy_vi": "Nhập lại ô này bằng chữ số.",
    }  # fmt: skip
    return {**row, **more}


def _back(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content), rich_text=True)


def _make(path: Path, *rows: dict[str, Any], **options: Any) -> Any:
    return feedback_of(
        path.read_bytes(), findings(rows), name=path.name, **{"period": "2025", **options}
    )


# --- what must never happen -------------------------------------------------------------------


def test_the_senders_file_is_never_written_to(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InputError) as refusal:
        write_feedback(path, findings([_finding()]), path, period="2025")
    assert refusal.value.code == "feedback_overwrites"
    write_feedback(path, findings([_finding()]), tmp_path / "b.xlsx", period="2025")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    ("source", "sha"),
    [("../../etc/passwd", "00"), ("a/../../b.xlsx", "11"), ("C:\\x\\y.xls", "22"), ("con\x00\n.xlsx", "33"), ("..", "44"), ("đ" * 400 + ".xlsx", "55"), ("=cmd|x.csv", "66")],
)  # fmt: skip
def test_a_hostile_name_stays_inside_the_folder(tmp_path: Path, source: str, sha: str) -> None:
    name = feedback_name(source, sha)
    (tmp_path / name).write_bytes(b"")
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert len(name.encode()) < 255
    assert name.isprintable()
    assert name.endswith(".loi-can-sua.xlsx")


def test_text_that_looks_like_a_formula_goes_out_as_text(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    evil = "=cmd|'/C calc'!A0"
    row = _finding(raw_value=evil, reason_vi="@SUM(1)", remedy_vi="+1+cmd|x!A")
    made = feedback_of(path.read_bytes(), findings([row]), name="=evil.xlsx", period="2025")
    sheet = _back(made.content)[LIST_NAME]
    values = [c for row in sheet.iter_rows() for c in row if c.value is not None]
    assert "'" + evil in [c.value for c in values]
    assert {c.data_type for c in values} <= {"s", "n"}
    assert not any(isinstance(c.value, str) and c.value[0] in "=+@" for c in values)


def test_a_csv_with_formulas_comes_back_without_any(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Tên HTX,Doanh thu\n=cmd|'/C calc'!A0,1\n=,2\n\x07HTX\x0b,3\n", encoding="utf-8"
    )
    made = _make(path, _finding("A2", source_sheet="csv", column="name"))
    assert made.form == "rendering"
    book = _back(made.content)
    cells = [c for ws in book for row in ws.iter_rows() for c in row]
    assert "f" not in {c.data_type for c in cells}
    assert book["a"]["A2"].value == "'=cmd|'/C calc'!A0"
    assert book["a"]["A4"].value == "HTX"


def test_a_formula_that_starts_a_program_is_not_sent_back(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    book[SHEET]["G3"] = "=cmd|'/C calc'!A0"
    book[SHEET]["G4"] = '=WEBSERVICE("http://x")'
    book.save(path)
    made = _make(path, _finding())
    sheet = _back(made.content)[SHEET]
    assert [sheet[c].data_type for c in ("G3", "G4", "E3")] == ["s", "s", "f"]
    assert sheet["G3"].value.startswith("'=")


def _with_part(path: Path, name: str, part: bytes) -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, part)
    return path


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("xl/vbaProject.bin", "macro"), ("xl/charts/chart1.xml", "biểu đồ"), ("xl/media/image1.png", "hình ảnh"),
        ("xl/pivotTables/pivotTable1.xml", "Pivot"), ("xl/externalLinks/externalLink1.xml", "tệp khác"), ("xl/ctrlProps/p.xml", "nút lệnh"),
        ("xl/slicers/s.xml", "Slicer"), ("xl/threadedComments/t.xml", "trao đổi"), ("_xmlsignatures/sig1.xml", "chữ ký số"),
    ],
)  # fmt: skip
def test_parts_that_would_be_lost_are_named(tmp_path: Path, part: str, what: str) -> None:
    path = _with_part(_book(tmp_path / "a.xlsx"), part, b"<x/>")
    assert any(what in x for x in losses_of(path.read_bytes()))


def test_a_workbook_with_a_chart_is_rendered_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("S")
    sheet.write_column(0, 0, ["Doanh thu", 1, 2, 3])
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=S!$A$2:$A$4"})
    sheet.insert_chart("D2", chart)
    book.close()
    assert losses_of(path.read_bytes())
    made = _make(path, _finding("A2", source_sheet="S"))
    assert made.form == "rendering"
    assert "biểu đồ" in made.why
    back = _back(made.content)
    assert back["S"]["A3"].value == 2
    assert back["S"]["A2"].fill.fgColor.rgb == LOOKS["error"].fill
    assert any("biểu đồ" in str(c.value) for c in back[LIST_NAME]["A"])


def test_a_text_box_and_a_button_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("S")
    sheet.insert_textbox("B2", "xin chào")
    book.add_worksheet("T").insert_button("B2", {"caption": "Gửi"})
    book.close()
    assert {"hình vẽ, hộp văn bản hoặc biểu đồ", "nút lệnh, ô điều khiển"} <= set(
        losses_of(path.read_bytes())
    )


def test_sparklines_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("S").add_sparkline("A1", {"range": "S!B1:E1"})
    book.close()
    assert losses_of(path.read_bytes()) == ("biểu đồ trong ô",)


def test_plain_formatting_and_comments_are_no_loss(tmp_path: Path) -> None:
    assert losses_of(_book(tmp_path / "a.xlsx").read_bytes()) == ()
    assert losses_of(template_bytes("linkages", period="2025")) == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 cut off", b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 not really"],
)
def test_a_file_that_cannot_be_opened_gets_a_list_with_the_reason(content: bytes) -> None:
    made = feedback_of(content, empty_findings(), name="a.xlsx", period="2025")
    assert made.form == "list"
    assert made.counts["critical"] == 1
    assert "✗ LỖI" in [c.value for c in _back(made.content)[LIST_NAME]["B"]]


def _locked() -> bytes:
    """An .ods as LibreOffice writes it with a password: the manifest tells, the parts are no XML."""
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", bytes(range(256)))
        archive.writestr("META-INF/manifest.xml", manifest)
    return made.getvalue()


def test_a_file_with_a_password_is_told_so_before_its_year_is_asked_for(tmp_path: Path) -> None:
    path, output = tmp_path / "x.ods", tmp_path / "out.xlsx"
    path.write_bytes(_locked())
    with pytest.raises(InputError) as caught:
        give_feedback(path, output)
    assert caught.value.code == "encrypted"
    assert "bỏ mật khẩu" in caught.value.remedy_vi
    assert "--period" in caught.value.remedy_vi
    assert "--period" in caught.value.remedy
    assert not output.exists()
    give_feedback(path, output, period="2025")
    told = [str(c) for r in openpyxl.load_workbook(output).active.values for c in r if c]
    assert "Tệp được đặt mật khẩu." in told
    assert any("Đề nghị bỏ mật khẩu" in t for t in told)


def test_a_file_nobody_says_how_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        check_alone(_book(tmp_path / "a.xlsx"))
    assert refusal.value.code == "mapping_missing"


# --- the marked copy --------------------------------------------------------------------------


def test_cells_are_marked_by_colour_border_symbol_and_comment(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    made = _make(
        path, _finding(), _finding("C5", severity="warning"), _finding("C6", severity="info")
    )
    assert made.form == "marked"
    sheet = _back(made.content)[SHEET]
    for cell, severity in (("C4", "error"), ("C5", "warning"), ("C6", "info")):
        look = LOOKS[severity]
        assert sheet[cell].fill.fgColor.rgb == look.fill
        assert sheet[cell].border.left.style == look.border
        assert sheet[cell].comment.text.startswith(f"{look.symbol} {look.word}: Doanh thu")
        assert "Cách sửa: Nhập lại" in sheet[cell].comment.text
        assert sheet[f"G{cell[1:]}"].value == look.symbol, "the margin shows the symbol of the row"
    assert len({(x.symbol, x.border) for x in LOOKS.values()}) == 3, (
        "severities differ without colour"
    )
    assert sheet["C3"].fill.fgColor.rgb not in FILLS
    assert sheet["C3"].comment is None


def test_everything_else_of_the_sender_is_kept(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    made = _make(path, _finding(), _finding("B5"))
    then, now = openpyxl.load_workbook(path), _back(made.content)
    for name in then.sheetnames:
        for row in then[name].iter_rows():
            for cell in row:
                assert now[name][cell.coordinate].value == cell.value
                assert now[name][cell.coordinate].number_format == cell.number_format
    assert now[SHEET].merged_cells.ranges == then[SHEET].merged_cells.ranges
    assert now[SHEET].column_dimensions["B"].width == 33
    assert now[SHEET]["A1"].fill.fgColor.rgb == "FF00FF00"
    assert now[SHEET]["B5"].comment.text.endswith("chờ xác nhận"), (
        "the sender's own comment is kept below ours"
    )
    assert now.sheetnames == [LIST_NAME, SHEET, "Phụ lục"]
    assert now.active.title == LIST_NAME
    assert [ws.title for ws in now if ws.sheet_view.tabSelected] == [LIST_NAME], (
        "sheets grouped by mistake would be edited together"
    )


def test_rich_text_of_headings_is_kept(tmp_path: Path) -> None:
    path = write_template("training", tmp_path / "training.xlsx", period="2025")
    made = feedback_of(
        path.read_bytes(),
        findings([_finding("D9", source_sheet=form.DATA_SHEET)]),
        name="training.xlsx",
        period="2025",
    )
    heading = _back(made.content)[form.DATA_SHEET].cell(form.HEADING_ROW, 3).value
    assert type(heading).__name__ == "CellRichText"
    assert t.mapping_of_template(write_bytes(tmp_path / "back.xlsx", made.content)) is not None


def write_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_several_findings_of_a_cell_are_one_comment_of_a_readable_size(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    many = [
        _finding(
            rule_id=f"r{n}",
            reason_vi=f"Lý do {n}. " + "dài " * 40,
            severity="warning" if n else "error",
        )
        for n in range(9)
    ]
    made = _make(path, *many)
    comment = _back(made.content)[SHEET]["C4"].comment
    assert comment.author == AUTHOR
    assert comment.text.startswith("✗ LỖI: Lý do 0"), "the worst first"
    assert "… và 4 nội dung khác" in comment.text
    (width, height), (_, short) = _size(made.content), _size(_make(path, _finding()).content)
    assert 300 <= width <= 500
    assert 300 <= height <= 600
    assert 50 <= short < height


def _size(content: bytes) -> tuple[float, float]:
    """Width and height of the tallest comment's box, in pixels."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        drawing = next(archive.read(n).decode() for n in archive.namelist() if n.endswith(".vml"))
    found = (
        (re.search(rf"(?<![a-z-]){k}:([\d.]+)px", style) for k in ("width", "height"))
        for style in re.findall(r'style="([^"]*)"', drawing)
    )
    boxes = [(float(w[1]), float(h[1])) for w, h in found if w and h]
    return max(boxes, key=lambda box: box[1])


def test_a_finding_inside_a_merged_cell_marks_its_first_cell(tmp_path: Path) -> None:
    made = _make(_book(tmp_path / "a.xlsx"), _finding("D1"))
    assert _back(made.content)[SHEET]["A1"].comment is not None


def test_links_lead_to_the_cell_and_back(tmp_path: Path) -> None:
    made = _make(_book(tmp_path / "a.xlsx"), _finding())
    book = _back(made.content)
    there = [
        c.hyperlink.location for row in book[LIST_NAME].iter_rows() for c in row if c.hyperlink
    ]
    quoted = SHEET.replace("'", "''")
    assert there == [f"'{quoted}'!C4"]
    back = book[SHEET]["G4"].hyperlink.location
    sheet, _, cell = back.rpartition("!")
    assert sheet == f"'{LIST_NAME}'"
    assert book[LIST_NAME].cell(int(cell[1:]), 4).value == "C4"


def test_findings_without_a_cell_stand_at_the_row_the_heading_or_on_top(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    mapping = Mapping(
        id="m", table="cooperative_reports", files=("a.xlsx",), period=PeriodRule(constant="2025"),
        columns={"name": ColumnRule(source="Tên HTX"), "revenue_vnd": ColumnRule(source="Doanh thu")},
    )  # fmt: skip
    rows = [
        _finding(None, source_row=5),
        _finding(None, source_row=6, column="org_id"),
        _finding(None, source_row=7, column="rating"),
        _finding(None, column="name", severity="info"),
        _finding(None, source_sheet=None, column=None, severity="warning", reason_vi="Cả tệp"),
    ]
    placed = remarks_of(path, findings(rows), [mapping])
    assert [(r.severity, r.cell) for r in placed] == [
        ("warning", ""),
        ("error", "C5"),
        ("error", "B6"),
        ("error", "A7"),
        ("info", "B2"),
    ]
    without = remarks_of(path, findings(rows[:1]))
    assert [r.cell for r in without] == ["A5"], "without a mapping the row is marked"


def test_each_severity_has_a_heading_of_its_own(tmp_path: Path) -> None:
    told = (
        _finding(c, severity=s) for c, s in (("A5", "critical"), ("B5", "error"), ("C5", "info"))
    )
    sheet = _back(_make(_book(tmp_path / "a.xlsx"), *told).content)[LIST_NAME]
    headings = [str(c.value) for c in sheet["A"] if " – TRANG «" in str(c.value)]
    assert [h.partition(" – ")[0] for h in headings] == ["✗ LỖI NGHIÊM TRỌNG", "✗ LỖI", "○ LƯU Ý"]


def test_counts_deadline_and_order_are_on_the_first_sheet(tmp_path: Path) -> None:
    made = _make(_book(tmp_path / "a.xlsx"), _finding("C5", severity="warning"), _finding(), days=7)
    sheet = _back(made.content)[LIST_NAME]
    text = [str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None]
    assert "Hạn gửi lại: trước ngày 22/12/2025" in text
    assert any("kỳ báo cáo năm 2025" in x for x in text)
    errors, warnings = (
        next(i for i, x in enumerate(text) if x.startswith(s))
        for s in ("✗ LỖI – TRANG", "▲ CẢNH BÁO – TRANG")
    )
    assert errors < warnings
    assert made.counts == {"critical": 0, "error": 1, "warning": 1, "info": 0}


def test_nothing_wrong_is_said_plainly(tmp_path: Path) -> None:
    made = _make(_book(tmp_path / "a.xlsx"))
    assert any("Không có lỗi nào" in str(c.value) for c in _back(made.content)[LIST_NAME]["A"])


def test_the_same_input_gives_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    rows = [
        _finding(f"C{n}", severity=s, rule_id=f"r{n % 2}")
        for n, s in zip(range(3, 8), ("info", "error", "warning", "error", "info"), strict=True)
    ]
    assert _make(path, *rows).content == _make(path, *rows[::-1]).content
    with zipfile.ZipFile(io.BytesIO(_make(path, *rows).content)) as archive:
        assert {e.date_time for e in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_workbook_without_properties_has_the_same_bytes_too(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    bare = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                continue
            if name in ("[Content_Types].xml", "_rels/.rels"):
                part = re.sub(rb"<(?:Override|Relationship)[^>]*core[^>]*/>", b"", part)
            new.writestr(name, part)
    core = zipfile.ZipFile(io.BytesIO(_make(bare, _finding()).content)).read("docProps/core.xml")
    assert core.count(b"2000-01-01T00:00:00Z") == 2


def test_ten_thousand_findings_stay_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("S")
    for r in range(2502):
        sheet.write_row(r, 0, [f"ô {r}"] * 4)
    book.close()
    rows = [
        _finding(f"{c}{r}", source_sheet="S", rule_id=f"rule_{c}")
        for c in "ABCD"
        for r in range(2, 2502)
    ]
    made = feedback_of(path.read_bytes(), findings(rows), name="a.xlsx", period="2025")
    assert made.counts["error"] == 10_000
    back = openpyxl.load_workbook(io.BytesIO(made.content))
    assert back[LIST_NAME].max_row < 60, "one line for each column, with examples"
    assert [c.value for c in back[LIST_NAME]["D"]].count("2500 ô") == 4
    full = back[FULL_NAME]
    assert full.max_row == 10_003
    assert full["D4"].hyperlink.location == "'S'!A2"
    assert back["S"]["D2501"].comment is not None
    assert len(made.content) < 5_000_000


def test_fifty_cells_are_told_one_by_one_and_fifty_one_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["Doanh thu", *map(str, range(60))]))
    for count, has_full in ((50, False), (51, True)):
        made = _make(path, *(_finding(f"A{r}", source_sheet="csv") for r in range(2, 2 + count)))
        assert (FULL_NAME in _back(made.content).sheetnames) is has_full


# --- sent again -------------------------------------------------------------------------------


def test_a_returned_workbook_reads_as_the_original_did(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    path = _book(tmp_path / "one" / "a.xlsx")
    mapping = Mapping(
        id="m", table="cooperative_reports", files=("*.xlsx",), period=PeriodRule(constant="2025"),
        columns={"name": ColumnRule(source="Tên HTX"), "revenue_vnd": ColumnRule(source="Doanh thu"), "reported_on": ColumnRule(source="Ngày ký")},
    )  # fmt: skip
    made = _make(
        path,
        _finding(),
        *(_finding(f"B{n}", severity="warning") for n in range(3, 8)),
        mappings=[mapping],
    )
    (tmp_path / "two" / "a.xlsx").write_bytes(made.content)

    def rows(folder: str) -> Any:
        files = list_sources([mapping], tmp_path / folder)
        read = read_sources(
            "cooperative_reports", [mapping], files, input_dir=tmp_path / folder, period="2025"
        )
        return read.rows.drop("source_id"), read.findings.drop("source_id")

    assert rows("one")[0].equals(rows("two")[0])
    assert rows("one")[1].equals(rows("two")[1])


def test_marks_of_an_earlier_return_are_taken_off(tmp_path: Path) -> None:
    path = _book(tmp_path / "a.xlsx")
    first = write_bytes(tmp_path / "b.xlsx", _make(path, _finding(), _finding("B5")).content)
    again = _back(_make(first, _finding("C6")).content)
    sheet = again[SHEET]
    assert again.sheetnames == [LIST_NAME, SHEET, "Phụ lục"]
    assert sheet["C4"].comment is None
    assert sheet["C4"].fill.fgColor.rgb not in FILLS
    assert sheet["B5"].comment.text == "chờ xác nhận"
    assert [sheet[f"G{n}"].value for n in (4, 5, 6)] == [None, None, LOOKS["error"].symbol]


def test_a_filled_template_is_checked_by_itself_and_sent_back(tmp_path: Path) -> None:
    path = write_template("training", tmp_path / "training.xlsx", period="2025")
    book = openpyxl.load_workbook(path)
    sheet = book[form.DATA_SHEET]
    for at, value in enumerate(
        [1, "0100109106", "HTX Sa Thầy", None, dt.date(2025, 5, 20), 5, "hai người", 6, 24], 1
    ):
        sheet.cell(form.FIRST_ROW, at, value)
    book.save(path)
    made = give_feedback(path, tmp_path / "back.xlsx", period=None)
    assert made.form == "marked"
    back = _back(made.content)[form.DATA_SHEET]
    marked = {c.coordinate for row in back.iter_rows() for c in row if c.comment is not None}
    assert {"D9", "G9"} <= marked, "the missing course and the words in the number cell"
    assert "Tên lớp" in back["D9"].comment.text


def test_one_mistake_of_the_sender_is_one_line(tmp_path: Path) -> None:
    path = write_template("training", tmp_path / "training.xlsx", period="2025")
    book = openpyxl.load_workbook(path)
    sheet = book[form.DATA_SHEET]
    rows = [
        [1, "0100109106", None, "Kế toán", "tháng 13/2025", 5, 2, 6, 24],
        [2, None, None, "Kế toán", None, 5, 2, 6, 24],
    ]
    for r, row in enumerate(rows):
        for at, value in enumerate(row, 1):
            sheet.cell(form.FIRST_ROW + r, at, value)
    book.save(path)
    made = give_feedback(path, tmp_path / "back.xlsx", period=None)
    listed = [
        (row[3], row[4])
        for row in _back(made.content)[LIST_NAME].iter_rows(values_only=True)
        if row[1] == "✗ LỖI"
    ]
    assert listed == [
        ("C9", "Tên hợp tác xã"), ("E9", "Ngày khai giảng"), ("C10", "Tên hợp tác xã"), ("E10", "Ngày khai giảng"),
    ]  # fmt: skip
    assert made.counts["error"] == len(listed)


def test_what_changed_is_listed_with_links(tmp_path: Path) -> None:
    path = write_template("training", tmp_path / "training.xlsx", period="2025")
    versions = []
    for number, cost in ((1, 24), (2, 30)):
        book = openpyxl.load_workbook(path)
        for row in range(2):
            for at, value in enumerate(
                [
                    row,
                    "0100109106",
                    f"HTX {row}",
                    "Lớp A",
                    dt.date(2025, 5, 20),
                    5,
                    2,
                    6,
                    cost if row else 1,
                ],
                1,
            ):
                book[form.DATA_SHEET].cell(form.FIRST_ROW + row, at, value)
        versions.append(tmp_path / f"v{number}.xlsx")
        book.save(versions[-1])
    made = give_feedback(versions[1], tmp_path / "back.xlsx", previous=versions[0])
    sheet = _back(made.content)["THAY ĐỔI"]
    assert [sheet.cell(4, c).value for c in range(2, 9)] == [
        "→ sửa ô",
        "HTX 1 · Lớp A · 20/05/2025",
        "Kinh phí (đồng)",
        "24.000.000",
        "I10",
        "30.000.000",
        "I10",
    ]
    assert sheet["H4"].hyperlink.location == f"'{form.DATA_SHEET}'!I10"
    assert sheet.max_row == 4


# --- whole folders ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write_sample(tmp_path_factory.mktemp("province"))


def test_the_mess_of_the_sample_province_comes_back_marked(province: Any) -> None:
    mappings = {m.id: m for m in load_mappings(Path(str(MAPPINGS_DIR)))}
    files = list_sources(list(mappings.values()), province.out)
    expected = 0
    for name in (
        "2023/bao-cao-htx/kon-tum.xlsx",
        "2023/lien-ket.xlsx",
        "2024/lien-ket.csv",
        "2025/dao-tao.xlsx",
    ):
        period = name[:4]
        path = province.out / name
        mine = [mappings[i] for i in files.filter(pl.col("source_file") == name)["mapping_id"]]
        alone = check_alone(path, mappings=mine, period=period)
        made = feedback_of(
            path.read_bytes(), alone.findings, name=name, period=period, mappings=alone.mappings
        )
        assert made.form == ("rendering" if name.endswith("csv") else "marked")
        sheet = _back(made.content).worksheets[-1]
        marked = {c.coordinate for row in sheet.iter_rows() for c in row if c.comment is not None}
        mess = province.mess.filter(
            (pl.col("file") == name)
            & pl.col("cell").is_not_null()
            & pl.col("expected_rule").is_not_null()
        )
        for row, cell, rule in mess.select("row", "cell", "expected_rule").iter_rows():
            told = alone.findings.filter(
                (pl.col("rule_id") == rule) & (pl.col("source_row") == row)
            )
            if told["column"].drop_nulls().len():
                expected += 1
                assert cell in marked, (name, cell, rule)
            elif told.height:
                assert any(re.sub(r"[A-Z]+", "", c) == str(row) for c in marked), (name, row, rule)
    assert expected >= 20


def test_a_folder_of_senders_is_answered(province: Any, tmp_path: Path) -> None:
    rows = [
        _finding(
            None,
            source_file="2024/lien-ket.csv",
            source_sheet="csv",
            table="linkages",
            column=None,
            source_row=5,
        ),
        _finding(
            None, source_file="2023/dao-tao.xlsx", source_sheet=None, column=None, severity="info"
        ),
        _finding(
            None,
            source_file="2023/khen-thuong.xlsx",
            source_sheet=None,
            column=None,
            severity="warning",
        ),
        _finding(None, source_file="gone.xlsx", source_sheet=None, column=None),
    ]
    mappings = load_mappings(Path(str(MAPPINGS_DIR)))
    files = list_sources(mappings, province.out)
    (tmp_path / "old.loi-can-sua.xlsx").write_bytes(b"of an earlier run")
    (tmp_path / "other.xlsx").write_bytes(b"not ours")
    told = write_feedbacks(
        findings(rows),
        files,
        input_dir=province.out,
        out_dir=tmp_path,
        period="2024",
        mappings=mappings,
    )
    assert told.select("source_file", "form").rows() == [
        ("2023/dao-tao.xlsx", "not_needed"), ("2023/khen-thuong.xlsx", "marked"), ("2024/lien-ket.csv", "rendering"), ("gone.xlsx", "list"),
    ]  # fmt: skip
    assert {p.name for p in tmp_path.iterdir()} == {
        *told["feedback_file"].drop_nulls(),
        "other.xlsx",
    }
    assert told["due_on"].unique().to_list() == [dt.date(2024, 12, 25)]


def test_a_refused_file_is_answered_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _book(tmp_path / "in" / "a.xlsx")
    (tmp_path / "in" / "bad.xlsx").write_bytes(b"PK\x03\x04")
    mapping = Mapping(
        id="m",
        table="cooperative_reports",
        files=("*.xlsx",),
        period=PeriodRule(constant="2025"),
        columns={"name": ColumnRule(source="Tên HTX")},
    )
    files = list_sources([mapping], tmp_path / "in")
    told = write_feedbacks(
        empty_findings(), files, input_dir=tmp_path / "in", out_dir=tmp_path / "out", period="2025"
    )
    assert told.select("source_file", "form", "critical").rows() == [("bad.xlsx", "list", 1)]


def test_real_forms_come_back_as_they_were(shared_data: Path) -> None:
    paths = sorted((shared_data / "workbooks").glob("*.xlsx"))
    assert paths
    for path in paths:
        sheet = open_workbook(path).sheets[0].name
        made = feedback_of(
            path.read_bytes(),
            findings([_finding("B3", source_sheet=sheet, source_file=path.name)]),
            name=path.name,
            period="2025",
        )
        then, now = (
            open_bytes(path.read_bytes(), name="a.xlsx"),
            open_bytes(made.content, name="a.xlsx"),
        )
        for old in then.sheets if made.form == "marked" else then.sheets[:1]:
            new = next(s for s in now.sheets if s.name == old.name)
            width = old.n_cols
            assert [row[:width] for row in new.cells[: old.n_rows]] == old.cells
        assert made.form == ("rendering" if losses_of(path.read_bytes()) else "marked")
