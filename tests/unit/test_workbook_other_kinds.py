"""Kinds of files that are no .xlsx: read where that is safe, else refused with what to do."""

from __future__ import annotations

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.guard import Limits
from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.workbook import open_bytes

PAGE = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>
<meta http-equiv="Content-Type" content="text/html; charset={charset}"><style>td {{x: y}}</style></head>
<body><script>document.write("<td>bad</td>")</script>
<table border=1><tr><th rowspan=2>STT<th rowspan=2>Tên HTX<th colspan=2>Kết quả</tr>
<tr><th>Doanh thu<th>Lãi</th></tr>
<tr><td>1</td><td>HTX Sa&nbsp;Thầy &amp; bạn</td><td>1.500</td><td>20</td></tr>
<tr><td>2<td>HTX Đăk Hà<td>2.500<td><b>30</b></table>
<table><tr><td>Người lập biểu</td></tr></table></body></html>"""


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig"])
def test_a_web_page_saved_as_xls_is_read_as_its_tables(charset):
    book = open_bytes(PAGE.format(charset="utf-8").encode(charset), name="bao-cao.xls")
    assert book.info.kind == "html"
    assert {"wrong_extension", "web_page_read"} <= {n.code for n in book.notes}
    layout = understand(book.sheets[0])
    assert [h.split(" / ")[-1] for h in layout.headings.values()][2:] == ["Doanh thu", "Lãi"]
    assert [book.sheets[0].cell(r, 3) for r in layout.data_rows] == ["1.500", "2.500"]
    assert "bad" not in str(book.sheets[0].cells)


def test_a_page_with_a_huge_span_or_endless_nesting_costs_little():
    page = b"<table><tr><td colspan=999999999 rowspan=999999999>a</td></tr></table>"
    assert open_bytes(page, name="a.xls").sheets[0].n_cols == 1000
    deep = b"<table><tr><td>" * 50_000 + b"x"
    assert open_bytes(deep, name="a.xls").sheets[0].n_rows == 1
    with pytest.raises(InputError) as caught:
        open_bytes(b"<table><tr>" + b"<td>a" * 500, name="a.xls", limits=Limits(max_cells=100))
    assert caught.value.code == "sheet_too_large"


def test_a_page_without_a_table_is_refused():
    with pytest.raises(InputError, match="without a table"):
        open_bytes(b"<html><body>x</body></html>", name="a.xls")


XML_2003 = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Báo cáo"><Table><Row><Cell>
<Data ss:Type="Number">12.5</Data></Cell></Row></Table></Worksheet></Workbook>"""
FLAT_ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"></office:document>"""


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (XML_2003.encode(), "xml_workbook", "XML Spreadsheet 2003"),
        (XML_2003.encode("utf-16"), "xml_workbook", "XML Spreadsheet 2003"),
        (b"\xfe\xff" + XML_2003.encode("utf-16-be"), "xml_workbook", "XML Spreadsheet 2003"),
        (XML_2003.partition("?>")[2].partition("?>")[2].encode(), "xml_workbook", "2003"),
        (FLAT_ODS.encode(), "xml_workbook", ".fods"),
        (b"\x09\x08\x10\x00" + bytes(100), "old_workbook", "Excel 5.0/95"),
        (b"\x09\x04\x06\x00" + bytes(100), "old_workbook", "Excel 5.0/95"),
    ],
)
def test_workbooks_that_are_not_read_are_named_with_what_to_do(content, code, word):
    with pytest.raises(InputError) as caught:
        open_bytes(content, name="a.xls")
    assert caught.value.code == code
    assert word in caught.value.what_vi
    assert ".xlsx" in caught.value.remedy
    assert ".xlsx" in caught.value.remedy_vi


def test_a_page_in_utf_16_is_read_as_a_page():
    page = "<html><table><tr><td>Tên hợp tác xã<td>Mã số</table></html>".encode("utf-16")
    book = open_bytes(page, name="a.xls")
    assert book.info.kind == "html"
    assert book.sheets[0].rows == [["Tên hợp tác xã", "Mã số"]]


def test_bare_xml_of_another_kind_is_still_told_apart():
    with pytest.raises(InputError, match="bare XML") as caught:
        open_bytes(b'<?xml version="1.0"?><a/>', name="a.xml")
    assert caught.value.code == "unsupported_kind"
