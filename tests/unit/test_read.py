"""Reading source files through mappings: bad input first."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.read import list_sources, read_sources

COLUMNS = {
    "name": {"source": "Tên HTX"},
    "revenue_vnd": {"source": "Doanh thu", "unit": "million VND"},
    "official_members": {"source": "Số thành viên"},
    "reported_on": {"source": "Ngày báo cáo"},
}
HEADER = "Tên HTX;Doanh thu;Số thành viên;Ngày báo cáo\n"


def mapping(**changes):
    given = {
        "id": "reports", "table": "cooperative_reports", "files": ["*.csv", "*.xlsx"], "period": {"constant": "2024"}, "columns": COLUMNS,
    }  # fmt: skip
    return Mapping.model_validate({**given, **changes})


def read(folder: Path, *, year="2024", **changes):
    m = mapping(**changes)
    return read_sources(m.table, [m], list_sources([m], folder), input_dir=folder, period=year)


def csv(folder: Path, body: str, name="a.csv", encoding="utf-8"):
    (folder / name).write_bytes((HEADER + body).encode(encoding))


def only(frame: pl.DataFrame, rule: str) -> dict:
    rows = frame.filter(pl.col("rule_id") == rule)
    assert rows.height == 1, frame["rule_id"].to_list()
    return rows.row(0, named=True)


def test_a_missing_folder_is_one_clear_message(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        list_sources([mapping()], tmp_path / "nowhere")


def test_a_folder_without_any_wanted_file_says_what_is_wanted(tmp_path):
    (tmp_path / "letter.docx").write_text("x")
    with pytest.raises(InputError) as caught:
        list_sources([mapping()], tmp_path)
    assert "*.csv" in caught.value.why


def test_a_file_no_mapping_reads_is_listed(tmp_path):
    csv(tmp_path, "HTX A;1;2;1/6/2024\n")
    (tmp_path / "letter.txt").write_text("Kính gửi")
    listed = list_sources([mapping()], tmp_path)
    assert listed.filter(pl.col("mapping_id").is_null())["source_file"].to_list() == ["letter.txt"]


def test_a_missing_column_names_the_row_and_the_nearest_heading_and_others_go_on(tmp_path):
    csv(tmp_path, "HTX A;1;2;1/6/2024\n", name="good.csv")
    (tmp_path / "bad.csv").write_text(
        "Tên HTX;Doanh thu năm;Số thành viên;Ngày báo cáo\nHTX B;1;2;1/6/2024\n", encoding="utf-8"
    )
    result = read(tmp_path)
    assert result.rows["name"].to_list() == ["HTX A"]
    found = only(result.findings, "cooperative_reports.file.column_missing")
    assert found["source_file"] == "bad.csv"
    assert "heading rows 1" in found["reason_en"]
    assert "doanh thu năm" in found["reason_en"]
    assert "Doanh thu" in found["reason_vi"]


def test_an_empty_sheet_is_said_to_be_empty(tmp_path):
    workbook = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    workbook.add_worksheet("Trống")
    workbook.close()
    found = only(read(tmp_path).findings, "cooperative_reports.file.sheet_empty")
    assert "Trống" in found["reason_en"]


def test_a_sheet_that_is_not_there_names_the_sheets_there_are(tmp_path):
    workbook = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    workbook.add_worksheet("Biểu 1").write(0, 0, "x")
    workbook.close()
    found = only(
        read(tmp_path, sheet={"name": "Biểu 2"}).findings, "cooperative_reports.file.sheet_missing"
    )
    assert "Biểu 1" in found["reason_en"]


def test_a_csv_that_is_no_utf8_is_read_or_refused_but_never_a_traceback(tmp_path):
    csv(tmp_path, "HTX Đăk Hà;1;2;1/6/2024\n", encoding="utf-16")
    (tmp_path / "b.csv").write_bytes(HEADER.encode() + b"HTX \xff\xfe\x00\x81;1;2;1/6/2024\n")
    result = read(tmp_path)
    assert "HTX Đăk Hà" in result.rows["name"].to_list()


def test_a_damaged_workbook_becomes_a_finding_with_a_remedy(tmp_path):
    csv(tmp_path, "HTX A;1;2;1/6/2024\n")
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 not really")
    result = read(tmp_path)
    found = result.findings.filter(pl.col("source_file") == "b.xlsx").row(0, named=True)
    assert found["severity"] == "critical"
    assert found["remedy_vi"]
    assert found["remedy_en"]
    assert result.rows.height == 1


def test_a_number_where_a_name_should_be_stays_text_and_text_where_a_number_should_be_is_found_with_its_cell(
    tmp_path,
):
    csv(tmp_path, "12345;nhiều lắm;2;1/6/2024\n")
    result = read(tmp_path)
    assert result.rows["name"].to_list() == ["12345"]
    found = only(result.findings, "cooperative_reports.revenue_vnd.not_a_number")
    assert (found["source_cell"], found["raw_value"]) == ("B2", "nhiều lắm")
    assert result.rows["revenue_vnd"].to_list() == [None]


def test_rows_know_their_file_sheet_and_row(tmp_path):
    csv(tmp_path, "HTX A;1;2;1/6/2024\n\nHTX B;1,5;2;1/6/2024\n")
    rows = read(tmp_path).rows
    assert rows.select("source_file", "source_sheet", "source_row").rows() == [
        ("a.csv", "csv", 2),
        ("a.csv", "csv", 4),
    ]
    assert rows["revenue_vnd"].to_list() == [1_000_000, 1_500_000]
    assert rows["source_id"][0].endswith(":csv:2")


def test_every_row_of_a_sheet_is_accounted_for(tmp_path):
    csv(
        tmp_path,
        "HTX A;1;2;1/6/2024\nHTX B;2;3;1/6/2024\nTổng cộng;3;5;\nGhi chú: số liệu tạm tính;;;\n",
    )
    result = read(tmp_path)
    sheet = result.sheets.row(0, named=True)
    kinds = dict(part.split(": ") for part in sheet["row_kinds"].split("; "))
    assert sum(map(int, kinds.values())) == sheet["rows_in_sheet"] == 5
    assert (kinds["data"], kinds["total"], kinds["note"]) == ("2", "1", "1")
    assert result.rows.height == 2


def test_a_stated_total_that_is_not_the_sum_is_found_with_both_numbers(tmp_path):
    csv(tmp_path, "HTX A;10;2;1/6/2024\nHTX B;20;3;1/6/2024\nTổng cộng;35;5;\n")
    found = only(read(tmp_path).findings, "total_mismatch")
    assert "35" in found["reason_en"]
    assert "30" in found["reason_en"]


def test_rows_of_other_years_are_counted_not_lost(tmp_path):
    columns = {"name": {"source": "Tên HTX"}}
    (tmp_path / "a.csv").write_text(
        "Tên HTX,Năm\nA,2023\nB,2024\nC,\nD,năm ngoái\n", encoding="utf-8"
    )
    result = read(tmp_path, columns=columns, period={"column": "Năm"})
    assert result.rows.select("name", "period").rows() == [("B", "2024"), ("C", None), ("D", None)]
    assert result.sheets.select("rows_data", "rows_this_period", "rows_other_period").row(0) == (
        4,
        3,
        1,
    )


def test_a_date_decides_the_reporting_year_from_15_december(tmp_path):
    csv(tmp_path, "A;1;2;14/12/2024\nB;1;2;15/12/2024\n")
    assert read(tmp_path, period={"date_column": "reported_on"}).rows["name"].to_list() == ["A"]
    assert read(tmp_path, period={"date_column": "reported_on"}, year="2025").rows[
        "name"
    ].to_list() == ["B"]


def test_merged_cells_take_the_value_above_and_it_is_said(tmp_path):
    columns = {
        "name": {"source": "Tên HTX"},
        "district_name": {"source": "Huyện", "fill_down": True},
    }
    (tmp_path / "a.csv").write_text("Huyện,Tên HTX\nĐăk Hà,A\n,B\nSa Thầy,C\n", encoding="utf-8")
    result = read(tmp_path, columns=columns)
    assert result.rows["district_name"].to_list() == ["Đăk Hà", "Đăk Hà", "Sa Thầy"]
    assert (
        only(result.findings, "cooperative_reports.district_name.filled_down")["severity"] == "info"
    )


def test_a_unit_that_is_not_built_in_is_converted_and_shown_as_unverified(tmp_path):
    columns = {"name": {"source": "Tên HTX"}, "revenue_vnd": {"source": "Turnover", "unit": "GBP"}}
    (tmp_path / "a.csv").write_text("Tên HTX,Turnover\nA,100\n", encoding="utf-8")
    units = {"GBP": {"factor": 30000, "unit": "VND", "note": "a rate"}}
    result = read(tmp_path, columns=columns, units=units)
    assert result.rows["revenue_vnd"].to_list() == [3_000_000]
    assert (
        "unverified"
        in only(result.findings, "cooperative_reports.revenue_vnd.converted_unit")["reason_en"]
    )


def test_codes_are_recognised_by_label_in_either_language_and_by_the_mapping(tmp_path):
    columns = {
        "name": {"source": "Tên HTX"},
        "rating": {"source": "Xếp loại", "values": {"A": "tot"}},
    }
    (tmp_path / "a.csv").write_text(
        "Tên HTX,Xếp loại\nA,Khá\nB,Weak\nC,a\nD,xuất sắc\n", encoding="utf-8"
    )
    assert read(tmp_path, columns=columns).rows["rating"].to_list() == [
        "kha",
        "yeu",
        "tot",
        "xuất sắc",
    ]


def test_the_order_of_files_on_disk_does_not_matter(tmp_path):
    for folder, names in (("x", "abc"), ("y", "cba")):
        (tmp_path / folder).mkdir()
        for name in names:
            csv(tmp_path / folder, f"HTX {name};1;2;1/6/2024\n", name=f"{name}.csv")
    first, second = read(tmp_path / "x"), read(tmp_path / "y")
    assert first.rows.equals(second.rows)


def test_one_mapping_reads_one_sheet_per_district(tmp_path):
    workbook = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    for district in ("Đăk Hà", "Sa Thầy"):
        sheet = workbook.add_worksheet(district)
        for c, heading in enumerate(("Tên HTX", "Doanh thu", "Số thành viên", "Ngày báo cáo")):
            sheet.write(0, c, heading)
        sheet.write_row(1, 0, [f"HTX {district}", 5, 7, "1/6/2024"])
    workbook.close()
    rows = read(tmp_path, sheet={"pattern": ".*"}).rows
    assert rows["source_sheet"].to_list() == ["Sa Thầy", "Đăk Hà"]


def test_a_sheet_read_by_two_mappings_is_judged_once_in_the_findings(shared_data, project_root):
    from htx_pipeline.ingest.mapping import load_mappings

    folder = shared_data / "cooperatives"
    mappings = load_mappings(project_root / "examples" / "cocoa")
    result = read_sources(
        "organisations", mappings, list_sources(mappings, folder), input_dir=folder, period="2021"
    )
    dragged = result.findings.filter(pl.col("rule_id") == "organisations.dragged_series")
    assert dragged.height == dragged.unique().height > 0


def test_the_dragged_year_of_the_real_disclosures_is_found(shared_data, project_root):
    from htx_pipeline.ingest.mapping import load_mappings

    folder = shared_data / "cooperatives"
    mappings = load_mappings(project_root / "examples" / "cocoa")
    result = read_sources(
        "linkages", mappings, list_sources(mappings, folder), input_dir=folder, period="2021"
    )
    assert result.rows.height == 515
    assert "counts up row by row from 2021" in result.findings["reason_en"][0]


def test_a_mapping_can_read_one_of_two_tables_side_by_side(tmp_path):
    text = "STT;Tên HTX;Doanh thu;;STT;Tên HTX;Doanh thu\n1;A;5;;1;X;50\n2;B;6;;2;Y;60\n3;C;7;;;;\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = {}
    for columns in ("A:C", "E:G"):
        mapping = Mapping(
            id="m", table="cooperative_reports", files=("a.csv",), sheet={"columns": columns},
            period={"constant": "2025"},
            columns={"name": {"source": "Tên HTX"}, "revenue_vnd": {"source": "Doanh thu", "unit": "VND"}},
        )  # fmt: skip
        files = list_sources([mapping], tmp_path)
        rows = read_sources(
            "cooperative_reports", [mapping], files, input_dir=tmp_path, period="2025"
        ).rows
        found[columns] = rows.select("name", "revenue_vnd", "source_row").rows()
    assert found == {
        "A:C": [("A", 5, 2), ("B", 6, 3), ("C", 7, 4)],
        "E:G": [("X", 50, 2), ("Y", 60, 3)],
    }


OLD = "B¸o c¸o n¨m 2024;;\n;;§VT: triÖu ®ång\nTªn HTX;Sè thµnh viªn;Doanh thu\n"


@pytest.mark.parametrize("name", ["Tên HTX", "Tªn HTX"])
def test_a_form_in_an_old_charset_is_read_by_headings_in_either(tmp_path, name):
    body = OLD + "HTX §oµn KÕt;kho¶ng 12;1200\nHTX B×nh Minh;7;0,8 tû ®ång\nHTX S¬n Hµ;5;3\n"
    (tmp_path / "a.csv").write_text(body, encoding="utf-8")
    columns = {
        "name": {"source": name},
        "official_members": {"source": "Số thành viên"},
        "revenue_vnd": {"source": "Doanh thu"},
    }
    result = read(tmp_path, columns=columns)
    assert result.rows.select("name", "official_members", "revenue_vnd").rows() == [
        ("HTX Đoàn Kết", 12, 1_200_000_000),
        ("HTX Bình Minh", 7, 800_000_000),
        ("HTX Sơn Hà", 5, 3_000_000),
    ]
    assert (result.findings["severity"] == "error").sum() == 0
