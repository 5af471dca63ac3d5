"""Text tables: any separator, any encoding, and never a traceback."""

import io

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.csv_text import decode, read_table
from htx_pipeline.ingest.workbook import open_bytes

TEXT = "STT;Tên hợp tác xã;Vốn\n1;Đoàn Kết;1.234,5\n2;Bình Minh;850\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_unicode_files_read_alike_in_every_separator_and_line_end(encoding, separator, newline):
    rows = [["STT", "Tên hợp tác xã"], ["1", "Đoàn Kết"], ["2", "Sa Thầy"]]
    text = "".join(separator.join(r) + newline for r in rows)
    table = read_table(text.encode(encoding))
    assert table.rows == rows
    assert table.separator == separator
    assert table.decoded.confidence >= 0.9


def test_windows_vietnamese_is_recognised():
    import unicodedata

    parts = []
    for char in TEXT:
        if char.lower() in "ăâđêôơư":
            parts.append(char)
            continue
        base = unicodedata.normalize("NFD", char)
        marks = [c for c in base[1:] if c in "\u0300\u0301\u0303\u0309\u0323"]
        rest = "".join(c for c in base if c not in marks)
        parts.append(unicodedata.normalize("NFC", rest) + "".join(marks))
    content = "".join(parts).encode("cp1258")
    decoded = decode(content)
    assert (decoded.encoding, decoded.legacy) == ("cp1258", "")
    assert unicodedata.normalize("NFC", decoded.text) == TEXT


def test_tcvn3_bytes_keep_one_character_each_so_that_they_can_be_converted():
    content = b"STT,T\xaan,X\xb7\n1,C\xe9ng ho\xb5 x\xb7 h\xe9i,Ph\xad\xeang L\xaa\n"
    decoded = decode(content)
    assert decoded.legacy == "tcvn3"
    assert decoded.text.encode("latin-1") == content
    notes = open_bytes(content, name="a.csv").notes
    assert [n.code for n in notes] == ["text_encoding"]


def test_vni_in_a_western_code_page_is_recognised():
    content = "STT,Teân hôïp taùc xaõ\n1,Phöôøng Leâ Hoàng Phong\n2,Quaän Ñoáng Ña\n".encode(
        "cp1252"
    )
    decoded = decode(content)
    assert decoded.legacy == "vni"
    assert "Teân" in decoded.text


def test_plain_western_text_is_not_taken_for_vietnamese():
    decoded = decode("Nom,Région\nSociété coopérative,Côte d'Ivoire\n".encode("cp1252"))
    assert (decoded.encoding, decoded.legacy) == ("cp1252", "")
    assert "Société coopérative" in decoded.text


def test_a_broken_utf8_file_names_line_and_byte():
    content = ("a,b\n" + "Đăk Hà,Sa Thầy\n" * 40).encode() + b"x,\xff\n" + "Đăk,Tô\n".encode() * 5
    with pytest.raises(InputError) as caught:
        read_table(content, name="a.csv")
    assert caught.value.code == "undecodable"
    assert f"line 42, byte {content.index(bytes([255]))}" in caught.value.where


def test_a_utf8_file_cut_in_the_middle_of_a_character_is_refused():
    content = ("a,b\n" + "Đăk Hà,Sa Thầy\n" * 400).encode() + "Đ".encode()[:1]
    with pytest.raises(InputError) as caught:
        read_table(content, name="a.csv")
    assert caught.value.code == "undecodable"


def test_a_fixed_encoding_is_taken_at_its_word():
    with pytest.raises(InputError) as caught:
        read_table(b"a,b\n1,\xe9\n", encoding="utf-8", name="a.csv")
    assert (caught.value.code, caught.value.where) == ("undecodable", "a.csv, line 2, byte 6")
    with pytest.raises(InputError) as caught:
        read_table(b"a", encoding="utf-99")
    assert caught.value.code == "unknown_encoding"
    assert read_table(b"a;b\n1;\xe9\n", encoding="cp1252").rows[1] == ["1", "é"]


def test_quoted_line_breaks_quotes_and_separators_stay_in_their_field():
    table = read_table(b'a,b\n"x\ny","say ""no"", please"\n1,2\n')
    assert table.rows == [["a", "b"], ["x\ny", 'say "no", please'], ["1", "2"]]
    assert table.lines == [1, 2, 4]


def test_commas_inside_numbers_do_not_hide_the_semicolon():
    table = read_table("STT;Vốn;Nợ\n1;1,5;2,5\n2;1,25;3,5\n3;7,5;8,5\n".encode())
    assert table.separator == ";"
    assert table.n_cols == 3


def test_ragged_records_are_kept_and_reported():
    book = open_bytes(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n\n1,2,3\n", name="a.csv")
    assert book.sheets[0].cells[2:4] == [["4", "5", "", ""], ["6", "7", "8", "9"]]
    (note,) = book.notes
    assert (note.code, note.row, note.count) == ("ragged_rows", 3, 2)


def test_nul_bytes_are_dropped_and_counted():
    content = b"a,b\n" + b"1,2\n" * 50 + b"3\0,4\n"
    book = open_bytes(content, name="a.csv")
    assert book.sheets[0].cells[-1] == ["3", "4"]
    assert [(n.code, n.count) for n in book.notes] == [("nul_bytes", 1)]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file():
    rows = "".join(f'{i},"x{i}"\n' for i in range(20))
    book = open_bytes((rows + '5,"open\n' + "6,y\n" * 30_000).encode(), name="a.csv")
    assert "unclosed_quote" in {n.code for n in book.notes}
    assert book.sheets[0].n_rows == 30_021
    assert book.sheets[0].cells[-1] == ["6", "y"]


def test_a_hint_of_excel_names_the_separator():
    assert read_table(b"sep=;\na,b;c\n1,2;3\n").rows[1:] == [["a,b", "c"], ["1,2", "3"]]


def test_one_column_and_empty_lines_are_no_trouble():
    assert read_table(b"a\n\nb\n").rows == [["a"], [], ["b"]]
    assert read_table(b"\n\n").rows == [[], []]
    assert open_bytes(b"\n", name="a.csv").sheets[0].cells == [[]]


def test_too_many_cells_or_columns_are_refused():
    with pytest.raises(InputError) as caught:
        read_table(b"1,2,3\n" * 1000, max_cells=2000)
    assert caught.value.code == "sheet_too_large"
    with pytest.raises(InputError) as caught:
        read_table(b"," * 20_000)
    assert caught.value.code == "sheet_too_large"


def test_text_tables_and_workbooks_share_one_interface():
    sheet = open_bytes(TEXT.encode(), name="báo cáo.csv").sheets[0]
    assert sheet.is_text
    assert (sheet.name, sheet.visibility, sheet.n_rows, sheet.n_cols) == (
        "báo cáo",
        "visible",
        3,
        3,
    )
    assert (sheet.merged, sheet.hidden_rows, dict(sheet.column_fonts)) == ((), frozenset(), {})
    assert sheet.text_frame(slice(2, 2)).rows() == [(2, "1", "Đoàn Kết", "1.234,5")]


def test_reading_leaves_the_bytes_alone():
    content = TEXT.encode()
    stream = io.BytesIO(content)
    open_bytes(stream.getvalue(), name="a.csv")
    assert stream.getvalue() == content


@pytest.mark.parametrize("text", ["x" * 200_000, '"' + "x" * 200_000 + '"'])
def test_a_file_of_one_endless_field_is_read_as_one_cell(text):
    (sheet,) = open_bytes(text.encode(), name="a.txt").sheets
    assert [len(v) for row in sheet.rows for v in row if v.strip('"')] == [len(text)]
