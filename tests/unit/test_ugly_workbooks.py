"""Five ugly workbooks, as offices send them: looked at, mapped from the proposal, read, settled, sent back.

In each the truth is known cell by cell, rows in are rows out and rejected, and what was guessed is said.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from htx_pipeline.feedback.command import give_feedback
from htx_pipeline.feedback.look import LIST_NAME
from htx_pipeline.ingest.columns import parse_column
from htx_pipeline.ingest.inspect import propose_mapping, render_inspection
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule, SheetRule, load_mapping
from htx_pipeline.ingest.read import ReadResult, list_sources, read_sources
from htx_pipeline.ingest.workbook import open_bytes, open_workbook
from htx_pipeline.resolve.tables import resolve_table
from htx_pipeline.schemas import TABLES
from htx_pipeline.validation.publish import Settled, settle
from htx_pipeline.validation.suites import load_suite

SUITES = Path(__file__).parents[2] / "expectations"
CODES = ["6100000011", "6100000029", "6100000036", "6100000043", "6100000050", "6100000068"]
NAMES = ["HTX Sao Mai", "HTX Cà phê Đăk Hà", "HTX Măng Ri", "HTX Bình Minh", "HTX Rau sạch", "HTX Tu Mơ Rông"]  # fmt: skip
Write = Callable[[xlsxwriter.Workbook], None]


def made(path: Path, write: Write) -> Path:
    with xlsxwriter.Workbook(path) as book:
        write(book)
    return path


def put(sheet: xlsxwriter.worksheet.Worksheet, row: int, col: int, *values: object) -> None:
    sheet.write_row(row - 1, col, values)


def proposed(path: Path, table: str) -> Mapping:
    """Return the proposal with its year filled in, through the file a person would save."""
    names = {
        c.name: [c.label_vi, c.label_en, *c.aliases] for c in TABLES[table].own_columns if c.asked
    }
    text = propose_mapping(open_workbook(path), table=table, table_columns=names)
    toml = path.with_suffix(".toml")
    toml.write_text(text.replace('# constant = "2025" ', 'constant = "2025" '))
    return load_mapping(toml)


def read(path: Path, mapping: Mapping) -> ReadResult:
    sources = list_sources([mapping], path.parent)
    return read_sources(mapping.table, [mapping], sources, input_dir=path.parent, period="2025")


def rules(result: ReadResult) -> set[str]:
    return {r.rsplit(".", 1)[-1] for r in result.findings["rule_id"]}


def settled(result: ReadResult, table: str) -> Settled:
    """Settle rows whose organisations are those the file names."""
    resolved = resolve_table(table, result.rows, period="2025")
    suite = load_suite(SUITES / f"{table}.json")
    return settle(
        resolved, suite, rows_read=result.rows.height, reader_findings=result.findings, references={}, max_rejected_share=1.0,
    )  # fmt: skip


def looked_at(path: Path) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=160).print(render_inspection(open_workbook(path)))
    return out.getvalue()


# --- two tables side by side, the total first, footnotes, a hidden column ----------------------


def side_by_side(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("Tổng hợp")
    sheet.merge_range(0, 0, 0, 5, "TỔNG HỢP KẾT QUẢ HOẠT ĐỘNG NĂM 2025")
    sheet.merge_range(0, 7, 0, 10, "DANH SÁCH TẬP HUẤN NĂM 2025")
    put(sheet, 2, 4, "ĐVT: tr.đ")
    put(sheet, 4, 0, "STT", "Tên hợp tác xã", "Mã số thuế", "Tổng số thành viên", "Doanh thu", "Lợi nhuận trước thuế")  # fmt: skip
    put(sheet, 4, 7, "TT", "Lớp", "Đơn vị", "Số người")
    put(sheet, 5, 1, "Tổng cộng", "", 306, 4200.5, 177)
    rows = [(47, 1200.5, 100), (33, 850, -20), ("120 (1)", 640, 35), ("85*", 410, 12), (21, "1.100 (2)", 50)]  # fmt: skip
    for i, row in enumerate(rows):
        put(sheet, 6 + i, 0, i + 1, NAMES[i], CODES[i], *row)
        put(sheet, 5 + i, 7, i + 1, f"Lớp {i}", NAMES[i], 10 + i)
    put(sheet, 12, 0, "(1) Gồm cả thành viên liên kết; (2) Số ước tính. * Chưa kiểm toán.")
    sheet.set_column(5, 5, None, None, {"hidden": True})


def test_of_two_tables_side_by_side_the_one_that_is_mapped_is_read_alone(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", side_by_side)
    result = read(path, proposed(path, "cooperative_reports"))
    read_as = result.rows.select("source_row", "official_members", "revenue_vnd", "profit_before_tax_vnd")  # fmt: skip
    assert read_as.rows() == [
        (6, 47, 1_200_500_000, 100_000_000), (7, 33, 850_000_000, -20_000_000), (8, 120, 640_000_000, 35_000_000),
        (9, 85, 410_000_000, 12_000_000), (10, 21, 1_100_000_000, 50_000_000),
    ]  # fmt: skip
    # The stated total in the first row adds up: nothing is said about it.
    assert rules(result) == {"hidden_columns", "one_table_of_several", "footnote_mark", "ambiguous_convention"}  # fmt: skip
    told = result.findings.filter(pl.col("rule_id").str.ends_with("footnote_mark"))
    assert told["raw_value"].to_list() == ["120 (1)", "85*", "1.100 (2)"]
    (alone,) = result.findings.filter(pl.col("rule_id") == "one_table_of_several")["reason_vi"]
    assert "A:F" in alone


def test_a_stated_total_in_the_first_row_is_held_against_its_parts(tmp_path: Path) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        side_by_side(book)
        put(book.get_worksheet_by_name("Tổng hợp"), 5, 1, "Tổng cộng", "", 316)

    path = made(tmp_path / "a.xlsx", write)
    result = read(path, proposed(path, "cooperative_reports"))
    assert "total_mismatch" in rules(result)
    assert result.rows.height == 5


def test_where_both_tables_have_the_headings_they_are_read_as_one_and_said_to_be(
    tmp_path: Path,
) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("S")
        for col in (0, 4):
            put(sheet, 1, col, "STT", "Tên HTX", "Doanh thu (đồng)")
            for i in range(3):
                put(sheet, 2 + i, col, i + 1, NAMES[i], 5)

    path = made(tmp_path / "a.xlsx", write)
    mapping = _mapping(name="Tên HTX", revenue_vnd="Doanh thu")
    result = read(path, mapping)
    assert "tables_side_by_side" in rules(result)
    assert "one_table_of_several" not in rules(result)


# --- a sheet for each district, with other heading rows and units ------------------------------

DISTRICTS = ["Đăk Hà", "Đăk Tô", "Ngọc Hồi", "Sa Thầy", "Kon Rẫy", "Kon Plông", "Tu Mơ Rông", "Đăk Glei"]  # fmt: skip
UNITS = ["(triệu đồng)", "(tr.đ)", "\n(ĐVT: tr.đồng)", "(1.000 đồng)"]


def by_district(book: xlsxwriter.Workbook) -> None:
    for d, district in enumerate(DISTRICTS):
        sheet, row, unit = book.add_worksheet(district), 3 + d % 4, UNITS[d % 4]
        put(sheet, 1, 0, f"BÁO CÁO HTX HUYỆN {district.upper()} NĂM 2025")
        put(sheet, row, 0, "STT", "Tên HTX", "MST", f"Doanh thu {unit}", "Ngày gửi báo cáo")
        if d % 2:
            put(sheet, row + 1, 0, 1, 2, 3, 4, 5)
            row += 1
        money = ["1 234,5", "2\xa0500", "3.750,25", 4100]
        if "1.000" in unit:
            money = ["1 234 500", "2\xa0500\xa0000", "3.750.250", 4_100_000]
        dates = ["31.12.2025", "15/12/2025", "10-12-2025", "tháng 12 năm 2025"]
        for k in range(4):
            put(sheet, row + 1 + k, 0, k + 1, f"HTX {district} {k}", "", money[k], dates[k])
        put(sheet, row + 5, 1, "Cộng", "", 11584.75 * (1000 if "1.000" in unit else 1))
        put(sheet, row + 7, 3, f"{district}, ngày 15 tháng 12 năm 2025")
        put(sheet, row + 8, 3, "TM. ỦY BAN NHÂN DÂN")


def test_the_proposal_reads_every_sheet_in_its_own_unit_and_from_its_own_heading_row(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "a.xlsx", by_district)
    mapping = proposed(path, "cooperative_reports")
    assert mapping.sheet.pattern is not None
    result = read(path, mapping)
    assert result.rows.height == 32
    expected = [1_234_500_000, 2_500_000_000, 3_750_250_000, 4_100_000_000]
    for (district,), part in result.rows.group_by("source_sheet"):
        assert part.sort("source_row")["revenue_vnd"].to_list() == expected, district
        days = part.sort("source_row")["reported_on"].to_list()
        assert [d.isoformat() for d in days] == ["2025-12-31", "2025-12-15", "2025-12-10", "2025-12-01"]  # fmt: skip
    assert rules(result) == {"month_only"}


def test_sheets_that_hold_the_same_headings_and_are_not_read_are_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", by_district)
    result = read(path, _mapping(name="Tên HTX", revenue_vnd="Doanh thu"))
    assert result.rows["source_sheet"].unique().to_list() == ["Đăk Hà"]
    (told,) = result.findings.filter(pl.col("rule_id").str.ends_with("sheets_not_read")).rows(named=True)  # fmt: skip
    assert told["severity"] == "error"
    assert told["reason_vi"].startswith("7 trang tính khác")
    assert "«Sa Thầy»" in told["reason_vi"]
    every = _mapping(name="Tên HTX", revenue_vnd="Doanh thu").model_copy(update={"sheet": SheetRule(pattern=".")})  # fmt: skip
    assert read(path, every).rows.height == 32


# --- headings merged over three rows, units at every level --------------------------------------


def merged_headings(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("Biểu 02")
    sheet.merge_range(0, 0, 0, 8, "BIỂU TỔNG HỢP HỢP TÁC XÃ NĂM 2025")
    for col, text in ((0, "Số TT"), (1, "Tên hợp tác xã"), (2, "Mã số HTX"), (8, "Thu nhập bình quân của thành viên (triệu đồng/người/tháng)")):  # fmt: skip
        sheet.merge_range(3, col, 5, col, text)
    sheet.merge_range(3, 3, 3, 4, "Thành viên, lao động (người)")
    sheet.merge_range(4, 3, 5, 3, "Tổng số thành viên")
    sheet.merge_range(4, 4, 5, 4, "Lao động thường xuyên")
    sheet.merge_range(3, 5, 3, 6, "Kết quả (triệu đồng)")
    sheet.merge_range(4, 5, 5, 5, "Tổng doanh thu")
    sheet.merge_range(4, 6, 5, 6, "Lợi nhuận trước thuế (nghìn đồng)")
    sheet.merge_range(3, 7, 4, 7, "Vốn điều lệ")
    put(sheet, 6, 7, "(tr.đ)")
    put(sheet, 7, 0, "A", "B", "C", 1, 2, 3, 4, 5, 6)
    put(sheet, 8, 0, "I", "Huyện Đăk Hà")
    for k in range(3):
        put(sheet, 9 + k, 0, k + 1, NAMES[k], CODES[k], 20 + k, 5, 1000 + k, 50_000, "1.500,5", 4.5)
    put(sheet, 13, 1, "TỔNG CỘNG", "", 63, 15, 3003, 150_000, 4501.5)


def test_units_of_merged_headings_count_by_their_lowest_level_and_months_make_a_year(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "a.xlsx", merged_headings)
    result = read(path, proposed(path, "cooperative_reports"))
    columns = ("official_members", "regular_workers", "revenue_vnd", "profit_before_tax_vnd", "charter_capital_vnd", "member_income_vnd")  # fmt: skip
    assert result.rows.select(columns).row(0) == (20, 5, 1_000_000_000, 50_000_000, 1_500_500_000, 54_000_000)  # fmt: skip
    # A group's heading above a column that says what it counts mixes nothing.
    assert rules(result) == {"monthly_to_yearly"}


def test_a_column_whose_last_level_is_only_a_unit_is_found_by_its_name(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", merged_headings)
    result = read(path, _mapping(name="Tên hợp tác xã", charter_capital_vnd="Vốn điều lệ"))
    assert result.rows["charter_capital_vnd"].to_list() == [1_500_500_000] * 3


# --- a register with personal data --------------------------------------------------------------


def register(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("Danh bạ")
    put(sheet, 1, 0, "DANH BẠ HỢP TÁC XÃ")
    put(sheet, 3, 0, "TT", "Tên HTX", "MST", "Loại hình", "Địa chỉ", "Họ tên Giám đốc", "Số CCCD", "Số điện thoại", "Email", "Ngày đăng ký")  # fmt: skip
    for k in range(6):
        name = f"{NAMES[k]} (ĐT: 0905 123 45{k})" if k < 2 else NAMES[k]
        day = ["31.12.2020", "Quý II/2025", "2018", "05/2017", "12/03/2016", ""][k]
        put(sheet, 4 + k, 0, k + 1, name, CODES[k], "HTX", f"Thôn {k}, xã Đăk Mar", "Nguyễn Văn A", f"06209000{k:04d}", f"090512340{k}", f"a{k}@example.com", day)  # fmt: skip


def test_personal_data_are_neither_proposed_nor_read_nor_told_and_that_is_said(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "a.xlsx", register)
    shown = looked_at(path)
    assert shown.count("dữ liệu cá nhân") == 4
    mapping = proposed(path, "organisations")
    text = path.with_suffix(".toml").read_text()
    assert "# Personal data, never proposed and not read:" in text
    assert '# I: "Email" (e-mail address)' in text
    result = read(path, mapping)
    done = settled(result, "organisations")
    assert done.accepted.height + done.rejected.height == 6 == result.rows.height
    assert result.rows["name"].to_list()[:3] == NAMES[:3]
    dropped = result.findings.filter(pl.col("rule_id").str.ends_with("personal_column"))
    cells = sorted(dropped.select("source_cell", "severity").rows())
    assert cells == [(f"{c}3", "info") for c in "FGHI"]
    removed = result.findings.filter(pl.col("rule_id").str.ends_with("personal_data_removed"))
    assert removed["source_row"].to_list() == [4, 5]
    everything = "".join(f.write_json() for f in (result.rows, result.findings, done.accepted, done.findings))  # fmt: skip
    assert not re.search(r"0905|06209000|example\.com|Nguyễn Văn A", everything)
    # Tax codes are of organisations, and stay.
    assert result.rows["tax_code"].to_list() == CODES


def test_personal_numbers_that_count_up_are_not_told_as_dragged(tmp_path: Path) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("S")
        put(sheet, 1, 0, "STT", "Tên HTX", "Số điện thoại", "Doanh thu (đồng)")
        for i in range(12):
            put(sheet, 2 + i, 0, i + 1, f"HTX số {i}", f"Ô. A {905123400 + i}", 5)

    path = made(tmp_path / "a.xlsx", write)
    result = read(path, _mapping(name="Tên HTX", revenue_vnd="Doanh thu"))
    assert "905123" not in result.findings.write_json()


def test_a_mapping_that_reads_a_personal_column_is_warned_of(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", register)
    mapping = Mapping(
        id="m", table="organisations", files=("a.xlsx",), period=PeriodRule(constant="2025"),
        columns={"name": ColumnRule(source="Tên HTX"), "register_number": ColumnRule(source="Số CCCD")},
    )  # fmt: skip
    told = read(path, mapping).findings.filter(pl.col("rule_id").str.ends_with("personal_column"))
    assert told.filter(pl.col("severity") == "warning")["column"].to_list() == ["register_number"]


# --- linkages: a unit in short above the table, the total first, percent and shares mixed -------


def linkages(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("Liên kết")
    put(sheet, 1, 0, "BIỂU 3: LIÊN KẾT TIÊU THỤ SẢN PHẨM NĂM 2025")
    put(sheet, 2, 6, "ĐVT: tr.đ")
    put(sheet, 4, 0, "STT", "Bên bán", "Bên mua", "Sản phẩm", "Sản lượng đã giao (tấn)", "Giá trị đã thanh toán", "Số hợp đồng", "Ngày ký")  # fmt: skip
    put(sheet, 5, 0, "Tổng số", "", "", "", 660, 4260.5)
    rows = [("120 (1)", "1 234,5", "01/HĐ", "13.02.2025"), ("200*", "1\xa0026", "02/HĐ", "Quý I/2025"), (340, "2.000", "03/HĐ", "15/12/2025")]  # fmt: skip
    for i, row in enumerate(rows):
        put(sheet, 6 + i, 0, i + 1, NAMES[i], "Công ty CP B", "Cà phê nhân", *row)
    put(sheet, 10, 0, "(1) Có 20 tấn giao bổ sung.")
    put(sheet, 11, 0, "* Số ước")


def test_a_unit_in_short_above_the_table_counts_and_the_total_in_the_first_row_adds_up(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "a.xlsx", linkages)
    result = read(path, proposed(path, "linkages"))
    assert result.rows["paid_value_vnd"].to_list() == [1_234_500_000, 1_026_000_000, 2_000_000_000]
    assert result.rows["delivered_tonnes"].to_list() == [120, 200, 340]
    assert rules(result) == {"footnote_mark", "quarter_only"}


def test_money_without_any_unit_is_said_to_be_read_as_dong(tmp_path: Path) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        linkages(book)
        put(book.get_worksheet_by_name("Liên kết"), 2, 6, "ĐVT: lượng")

    path = made(tmp_path / "a.xlsx", write)
    result = read(path, proposed(path, "linkages"))
    (told,) = result.findings.filter(pl.col("rule_id").str.ends_with("unit_not_stated"))[
        "reason_vi"
    ]
    assert "tạm đọc là đồng" in told


def test_percents_that_may_be_shares_are_told() -> None:
    column = TABLES["plan_tasks"]["progress_share"]
    parsed = parse_column([0.85, 85, "70%", None], column, ColumnRule(source="x"), units={}, heading="Tiến độ (%)")  # fmt: skip
    assert parsed.values.to_list() == [0.0085, 0.85, 0.7, None]
    assert parsed.notes.select("index", "code").rows()[0] == (0, "percent_or_share")
    assert parsed.notes.filter(pl.col("code") == "percent_or_share").height == 1


# --- the way back, for each ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "table"),
    [
        (side_by_side, "cooperative_reports"), (by_district, "cooperative_reports"), (merged_headings, "cooperative_reports"),
        (register, "organisations"), (linkages, "linkages"),
    ],
)  # fmt: skip
def test_each_goes_back_to_its_sender_with_what_was_found(
    tmp_path: Path, write: Write, table: str
) -> None:
    path = made(tmp_path / "a.xlsx", write)
    proposed(path, table)
    output = tmp_path / "out.xlsx"
    give_feedback(path, output, mapping_files=[path.with_suffix(".toml")], period="2025")
    book = openpyxl.load_workbook(output)
    assert book.sheetnames[0] == LIST_NAME
    assert set(open_workbook(path).sheets[0].name.split()) <= set(" ".join(book.sheetnames).split())
    text = " ".join(str(c) for row in book[LIST_NAME].values for c in row if c)
    assert "nghiêm trọng – cả tệp" not in text.lower()


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("Doanh thu (1.000 đồng)", 10**3), ("Doanh thu (1000đ)", 10**3), ("Doanh thu (trđ)", 10**6), ("Doanh thu (Tr. đồng)", 10**6),
        ("Doanh thu (tỷ đồng/năm)", 10**9), ("Doanh thu (đồng)", 1),
    ],
)  # fmt: skip
def test_units_as_offices_shorten_them(heading: str, unit: int) -> None:
    column = TABLES["cooperative_reports"]["revenue_vnd"]
    parsed = parse_column([2], column, ColumnRule(source="x"), units={}, heading=heading)
    assert parsed.values.to_list() == [2 * unit]


def test_a_mapping_may_state_its_unit_in_vietnamese() -> None:
    column = TABLES["cooperative_reports"]["revenue_vnd"]
    for unit in ("triệu đồng", "million VND", "tr.đ"):
        rule = ColumnRule(source="x", unit=unit)
        assert parse_column([2], column, rule, units={}, heading="x").values.to_list() == [
            2_000_000
        ]


def test_a_figure_in_brackets_is_no_footnote_mark() -> None:
    text = "Tên;Doanh thu (đồng)\nA;(5)\nB;47 (12)\nC;120(1)\n"
    sheet = open_bytes(text.encode(), name="a.csv").sheets[0]
    column = TABLES["cooperative_reports"]["profit_before_tax_vnd"]
    cells = [row[1] for row in sheet.rows[1:]]
    parsed = parse_column(cells, column, ColumnRule(source="x", unit="VND"), units={}, heading="x")
    assert parsed.values.to_list() == [-5, None, 120]


def _mapping(**columns: str) -> Mapping:
    return Mapping(
        id="m", table="cooperative_reports", files=("a.xlsx",), period=PeriodRule(constant="2025"),
        columns={k: ColumnRule(source=v) for k, v in columns.items()},
    )  # fmt: skip
