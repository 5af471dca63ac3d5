"""What `htx inspect` shows, and the mapping it proposes."""

import io
import tomllib

from rich.console import Console

from htx_pipeline.ingest.inspect import propose_mapping, render_inspection
from htx_pipeline.ingest.workbook import open_bytes

TEXT = """BÁO CÁO NĂM 2025;;;
;;;ĐVT: triệu đồng
STT;Tên hợp tác xã;Diện tích (ha);Doanh thu
1;HTX Đoàn Kết;10;100
2;HTX Bình Minh;20;200
;Tổng cộng;30;301
Ghi chú: số liệu tạm tính;;;
"""
COLUMNS = {
    "name": ("Tên hợp tác xã", "Name"),
    "area_ha": ("Diện tích", "Area"),
    "revenue_vnd": ("Doanh thu", "Revenue"),
    "status": ("Tình trạng", "Status"),
}


def shown(content: bytes, name: str = "a.csv", *, width: int = 140) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(render_inspection(open_bytes(content, name=name)))
    return console.export_text()


def test_the_picture_names_every_kind_of_row_with_a_mark():
    text = shown(TEXT.encode())
    for expected in (
        "· tên biểu", "· đơn vị tính", "▣ tiêu đề", "✓ số liệu", "Σ tổng cộng", "· ghi chú",
        "đơn vị tính: triệu đồng", "tiêu đề dòng 3", "▲ [D6]", "301", "300",
    ):  # fmt: skip
        assert expected in text


def test_long_runs_are_folded_but_counted():
    rows = "STT;Tên;Vốn\n" + "".join(f"{i};HTX {i};{i}\n" for i in range(1, 501))
    text = shown(rows.encode())
    assert "✓ số liệu × 497" in text
    assert "HTX 250" not in text
    assert "HTX 500" in text
    assert len(text.splitlines()) < 30


def test_a_narrow_terminal_keeps_row_numbers_and_kinds():
    wide = [[f"Chỉ tiêu số {c} của năm báo cáo" for c in range(9)]]
    wide += [[f"{r}{c}" * 9 for c in range(9)] for r in range(12)]
    text = shown("\n".join(";".join(row) for row in wide).encode(), width=80)
    assert any(line.split()[:3] == ["1", "▣", "tiêu"] for line in text.splitlines())
    assert any(line.split()[:4] == ["13", "✓", "số", "liệu"] for line in text.splitlines())


def test_a_sheet_in_an_old_charset_is_shown_and_proposed_in_unicode():
    content = (
        "§VT: triÖu ®ång;;\nSTT;Tªn hîp t¸c x·;Doanh thu\n1;HTX §oµn KÕt;5\n2;HTX B×nh Minh;6\n"
    )
    text = shown(content.encode())
    assert "Tên hợp tác xã" in text
    assert "HTX Đoàn Kết" in text
    assert "TCVN3" in text
    book = open_bytes(content.encode(), name="a.csv")
    proposal = tomllib.loads(propose_mapping(book, COLUMNS, table="cooperative_reports"))
    assert proposal["columns"]["name"]["source"] == "Tên hợp tác xã"
    assert proposal["columns"]["revenue_vnd"]["unit"] == "triệu đồng"


def test_the_file_cannot_draw_on_the_terminal():
    text = shown("STT;Tên;Vốn\n1;\x1b[31mđỏ [bold]x[/bold]\u202e;2\n".encode())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]x" in text


def test_the_proposal_is_toml_with_the_matches_and_everything_left_over():
    book = open_bytes(TEXT.encode(), name="Báo cáo 2025.csv")
    text = propose_mapping(book, COLUMNS, table="cooperative_reports")
    draft = tomllib.loads(text)
    assert draft["id"] == "bao_cao_2025"
    assert draft["table"] == "cooperative_reports"
    assert draft["header_rows"] == [3]
    assert draft["columns"] == {
        "name": {"source": "Tên hợp tác xã"},
        "area_ha": {"source": "Diện tích (ha)", "unit": "ha", "number": "auto"},
        "revenue_vnd": {"source": "Doanh thu", "unit": "triệu đồng", "number": "auto"},
    }
    assert "# [columns.status]" in text
    assert '# A: "STT"' in text


def test_headings_are_matched_without_tone_marks_and_one_to_one():
    book = open_bytes(
        "TT;TEN HOP TAC XA;Tên hợp tác xã;Tỉnh thành\n1;a;b;c\n".encode(), name="a.csv"
    )
    draft = tomllib.loads(propose_mapping(book, COLUMNS, table="t"))
    assert draft["columns"] == {"name": {"source": "TEN HOP TAC XA"}}


def test_a_heading_with_quotes_and_line_breaks_stays_valid_toml():
    book = open_bytes('STT;"Tên ""hợp tác xã""\nđầy đủ\\x"\n1;A\n'.encode(), name='a"b.csv')
    draft = tomllib.loads(
        propose_mapping(book, {"name": ('Tên "hợp tác xã" đầy đủ\\x',)}, table="t")
    )
    assert draft["columns"]["name"]["source"] == 'Tên "hợp tác xã" đầy đủ\\x'


def test_the_proposal_is_the_same_each_time():
    book = open_bytes(TEXT.encode(), name="a.csv")
    assert len({propose_mapping(book, COLUMNS, table="t") for _ in range(3)}) == 1
