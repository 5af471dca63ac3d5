"""Forms as provinces fill them in: every row gets its kind, totals are held against their parts."""

import io
import random

import pytest
import xlsxwriter

from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.layout_model import Layout
from htx_pipeline.ingest.layout_words import fold
from htx_pipeline.ingest.totals import check_totals
from htx_pipeline.ingest.workbook import open_bytes

LETTERS = {
    "b": "blank", "t": "title", "u": "unit_line", "h": "heading", "i": "index", "d": "data",
    "s": "section", "c": "subtotal", "T": "total", "n": "note", "g": "signature", "x": "hidden",
}  # fmt: skip


def workbook(rows, merges=(), *, at=(0, 0), hidden=(), visible=True):
    """An .xlsx of these rows; merges are 1-based (r1, c1, r2, c2)."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    if not visible:
        book.add_worksheet("Bìa")
    sheet = book.add_worksheet("Biểu 1")
    if not visible:
        sheet.hide()
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value is not None:
                sheet.write(r + at[0], c + at[1], value)
    for r1, c1, r2, c2 in merges:
        value = rows[r1 - 1][c1 - 1]
        sheet.merge_range(r1 - 1 + at[0], c1 - 1 + at[1], r2 - 1 + at[0], c2 - 1 + at[1], value)
    for r in hidden:
        sheet.set_row(r - 1, None, None, {"hidden": True})
    book.close()
    return open_bytes(out.getvalue(), name="a.xlsx").sheets[-1]


def kinds(layout: Layout) -> str:
    codes = {name: letter for letter, name in LETTERS.items()}
    return "".join(codes[k.value] for k in layout.kinds)


N = None
FORM = [
    ["UBND HUYỆN SA THẦY", N, N, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["PHÒNG NN&PTNT", N, N, "Độc lập - Tự do - Hạnh phúc"],
    [],
    ["TỔNG HỢP LIÊN KẾT NĂM 2025"],
    ["(Kèm theo Công văn số 12/PNN ngày 10/12/2025)"],
    [N, N, N, N, N, "ĐVT: triệu đồng"],
    ["STT", "Tên HTX", "Diện tích\n(ha)", "Doanh thu", N, N, "Ghi chú"],
    [N, N, N, "Tổng số", "Trong đó"],
    [N, N, N, N, "Thành viên", "Khác"],
    ["(1)", "(2)", "(3)", "(4)=(5)+(6)", "(5)", "(6)", "(7)"],
    [N, "Tổng số", 60.5, 600, 360, 240],
    ["I", "Xã Sa Thầy", 30.5, 300, 180, 120],
    [1, "HTX Đoàn Kết", 10, 100, 60, 40],
    [2, "Tổng công ty Cà phê", 20.5, 200, 120, 80, "mới"],
    ["II", "Xã Rờ Kơi", 30, 300, 180, 120],
    [1, "HTX Cộng Hòa", 30, 300, 180, 120],
    [],
    ["Ghi chú: số liệu tạm tính đến 30/11/2025"],
    [N, N, N, N, "Sa Thầy, ngày 10 tháng 12 năm 2025"],
    [N, "NGƯỜI LẬP BIỂU", N, N, "THỦ TRƯỞNG ĐƠN VỊ"],
    [N, "(Ký, ghi rõ họ tên)", N, N, "(Ký tên, đóng dấu)"],
    [],
    [N, "Nguyễn Văn A", N, N, "Trần Thị B"],
    ["Nơi nhận:"],
    ["- Như trên;"],
    ["- Lưu: VT."],
]  # fmt: skip
FORM_MERGES = [
    (1, 4, 1, 7), (2, 4, 2, 7), (4, 1, 4, 7), (5, 1, 5, 7), (7, 1, 9, 1), (7, 2, 9, 2), (7, 3, 9, 3),
    (7, 4, 7, 6), (7, 7, 9, 7), (8, 4, 9, 4), (8, 5, 8, 6),
]  # fmt: skip


def test_a_provincial_form_is_understood_row_by_row():
    layout = understand(workbook(FORM, FORM_MERGES))
    assert kinds(layout) == "ttbttuhhhiTcddcdbngggbgggg"
    (table,) = layout.tables
    assert table.header_rows == (7, 8, 9)
    assert table.index_row == 10
    assert table.headings == {
        1: "STT",
        2: "Tên HTX",
        3: "Diện tích (ha)",
        4: "Doanh thu / Tổng số",
        5: "Doanh thu / Trong đó / Thành viên",
        6: "Doanh thu / Trong đó / Khác",
        7: "Ghi chú",
    }
    assert table.unit == "triệu đồng"
    assert table.row_number_col == 1
    assert layout.data_rows == (13, 14, 16)
    assert [table.section_of(r) for r in layout.data_rows] == [
        "I. Xã Sa Thầy", "I. Xã Sa Thầy", "II. Xã Rờ Kơi",
    ]  # fmt: skip
    assert "LIÊN KẾT" in table.title
    assert check_totals(layout) == []


def test_the_form_may_start_anywhere_on_the_sheet():
    layout = understand(workbook(FORM, FORM_MERGES, at=(5, 2)))
    assert kinds(layout) == "bbbbb" + "ttbttuhhhiTcddcdbngggbgggg"
    assert layout.headings[6] == "Doanh thu / Tổng số"
    assert layout.data_rows == (18, 19, 21)


@pytest.mark.parametrize("seed", range(8))
def test_kinds_do_not_depend_on_the_numbers(seed):
    rng = random.Random(seed)
    rows = [
        [rng.randint(1, 10**7) if isinstance(v, (int, float)) and c else v for c, v in enumerate(r)]
        for r in FORM
    ]
    assert kinds(understand(workbook(rows, FORM_MERGES))) == "ttbttuhhhiTcddcdbngggbgggg"


@pytest.mark.parametrize("cell", [(11, 4), (12, 5), (15, 3)])
def test_a_total_that_is_not_the_sum_of_its_parts_is_named_with_both_numbers(cell):
    row, col = cell
    rows = [list(r) for r in FORM]
    old = rows[row - 1][col - 1]
    rows[row - 1][col - 1] = old + 7
    notes = check_totals(understand(workbook(rows, FORM_MERGES)))
    note = next(n for n in notes if (n.row, n.cell) == (row, f"{' ABCDEFG'[col]}{row}"))
    assert note.code == "total_mismatch"
    assert f"{old + 7:g}" in note.reason_en
    assert f"{old:g}" in note.reason_en
    assert note.severity == "warning"


def test_a_total_over_subtotals_below_their_parts_agrees():
    rows = [
        ["STT", "Tên", "Vốn", "Tỷ lệ (%)"],
        [1, "A", 1.25, 50],
        [2, "B", 2.25, 50],
        [N, "Cộng nhóm 1", 3.5, 50],
        [3, "C", 4, 70],
        [N, "Cộng nhóm 2", 4, 70],
        [N, "Tổng cộng", 7.5, 60],
    ]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hddcdcT"
    assert check_totals(layout) == []


def test_rounded_parts_may_differ_from_the_total_by_their_rounding_only():
    rows = [["STT", "Tên", "Sản lượng"], [1, "A", 1.3], [2, "B", 1.3], [N, "Cộng", 2.7]]
    assert check_totals(understand(workbook(rows))) == []
    rows[-1][2] = 2.9
    assert [n.cell for n in check_totals(understand(workbook(rows)))] == ["C4"]


def test_whole_numbers_must_add_up_exactly():
    rows = [["STT", "Tên", "Thành viên"], [1, "A", 10], [2, "B", 20], [N, "Tổng cộng", 31]]
    assert [n.cell for n in check_totals(understand(workbook(rows)))] == ["C4"]


@pytest.mark.parametrize(
    "name",
    [
        "Tổng công ty Cao su", "Cộng đồng Ba Na", "Tổng đội TNXP", "Cộng Hòa", "Tổng hợp tác xã",
        "TỔNG CÔNG TY 15", "Cộng tác viên", "Toàn Thắng", "Total Energies", "Summit",
    ],
)  # fmt: skip
def test_names_that_begin_like_totals_stay_data(name):
    rows = [["Tên", "Xã", "Vốn"], ["A", "X", 1], [name, "Y", 2], ["B", "Z", 3]]
    assert kinds(understand(workbook(rows))) == "hddd"


@pytest.mark.parametrize(
    "label",
    [
        "Tổng cộng", "TỔNG CỘNG", "Tổng số:", "Cộng", "Cộng:", "Toàn tỉnh", "Tong cong", "TỔNG",
        "Total", "Grand total", "Tæng céng", "Toång coäng", "Tổng  cộng (A+B)",
    ],
)  # fmt: skip
def test_total_rows_are_found_under_their_usual_names(label):
    rows = [["STT", "Tên", "Vốn"], [1, "A", 1], [2, "B", 2], [N, label, 3]]
    assert kinds(understand(workbook(rows)))[-1] in "Tc"
    rows[-1] = [label, N, 3]
    assert kinds(understand(workbook(rows)))[-1] in "Tc"


def test_a_row_with_a_running_number_is_data_whatever_it_is_called():
    rows = [["STT", "Tên", "Vốn"], [1, "A", 1], [2, "Tổng cộng", 2], [3, "Ghi chú", 3]]
    assert kinds(understand(workbook(rows))) == "hddd"


def test_hidden_rows_are_accounted_for_and_not_read():
    rows = [["STT", "Tên", "Vốn"], [1, "A", 1], [2, "B", 2], [3, "C", 3]]
    layout = understand(workbook(rows, hidden=[3]))
    assert kinds(layout) == "hdxd"
    assert layout.data_rows == (2, 4)
    assert layout.hidden_kinds == {3: "data"}
    assert [n.code for n in layout.notes] == ["hidden_rows_not_read"]


def test_a_total_over_rows_hidden_later_is_no_mismatch():
    rows = [["STT", "Tên", "Vốn"], [1, "A", 1], [2, "B", 2], [3, "C", 3], [N, "Tổng cộng", 6]]
    layout = understand(workbook(rows, hidden=[3]))
    assert kinds(layout) == "hdxdT"
    assert check_totals(layout) == []
    rows[-1][2] = 7
    assert [n.cell for n in check_totals(understand(workbook(rows, hidden=[3])))] == ["C5"]


def test_a_hidden_sheet_is_marked():
    sheet = workbook([["STT", "Tên", "Vốn"], [1, "A", 1]], visible=False)
    assert sheet.visibility == "hidden"
    assert "hidden_sheet" in {n.code for n in understand(sheet).notes}


def test_section_rows_without_numbers_carry_their_text():
    rows = [
        ["STT", "Tên", "Vốn", "Năm"],
        ["A", "Lĩnh vực trồng trọt"],
        [1, "HTX 1", 5, 2020],
        ["B", "Lĩnh vực chăn nuôi"],
        [1, "HTX 2", 6, 2021],
    ]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hsdsd"
    assert layout.tables[0].section_of(5) == "B. Lĩnh vực chăn nuôi"


def test_a_text_merged_across_the_table_is_a_section():
    rows = [
        ["Tên", "Xã", "Vốn", "Năm"],
        ["Huyện Sa Thầy"],
        ["HTX 1", "X", 5, 2020],
        ["thị trấn nhỏ"],
        ["HTX 2", "Y", 6, 2021],
    ]
    assert kinds(understand(workbook(rows, [(2, 1, 2, 4), (4, 1, 4, 4)]))) == "hsdsd"


def test_a_lone_name_without_any_mark_of_a_section_is_kept_as_data_with_a_note():
    rows = [
        ["Tên", "Xã", "Vốn", "Năm"],
        ["Hoa Lan", "X", 5, 2020],
        ["Bình Minh"],
        ["C", "Y", 6, 2021],
    ]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hddd"
    assert [(n.code, n.row) for n in layout.notes] == [("unsure_row_kept", 3)]


def test_a_heading_repeated_on_each_printed_page_is_no_data():
    page = [["STT", "Tên HTX", "Vốn"], [1, "A", 1], [2, "B", 2]]
    layout = understand(workbook([*page, *page]))
    assert kinds(layout) == "hddhdd"


def test_rows_with_only_a_running_number_are_blank():
    rows = [["STT", "Tên", "Vốn"], [1, "A", 1], [2], [3]]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hdbb"
    assert [n.code for n in layout.notes] == ["numbered_empty_rows"]


def test_two_tables_on_one_sheet_are_told_apart():
    rows = [
        ["Bảng 1"],
        ["STT", "Tên HTX", "Vốn"],
        [1, "A", 1],
        [2, "B", 2],
        [],
        ["Bảng 2"],
        ["STT", "Tên doanh nghiệp", "Sản phẩm", "Giá"],
        [1, "C", "Sắn", 5],
    ]
    layout = understand(workbook(rows))
    assert kinds(layout) == "thddbthd"
    assert [t.headings[2] for t in layout.tables] == ["Tên HTX", "Tên doanh nghiệp"]
    assert layout.data_rows == (3, 4)
    assert "table_not_read" in {n.code for n in layout.notes}
    wanted = understand(workbook(rows), expected_headings=["Tên doanh nghiệp", "Sản phẩm"])
    assert wanted.data_rows == (8,)


def test_tables_with_the_same_headings_are_read_together():
    head = ["STT", "Tên HTX", "Vốn"]
    rows = [["Xã A"], head, [1, "A", 1], [], ["Xã B"], head, [1, "B", 2]]
    layout = understand(workbook(rows))
    assert layout.data_rows == (3, 7)


@pytest.mark.parametrize(
    "index",
    [
        [1, 2, 3, 4], ["(1)", "(2)", "(3)", "(4)"], ["A", "B", 1, 2], ["#", 1, 2, 3],
        ["1", "2", "3", "4=3/2"], ["A", "B", "C", "D"], ["[1]", "[2]", "[3]", "[4]"],
    ],
)  # fmt: skip
def test_rows_that_number_the_columns_are_no_data(index):
    rows = [["STT", "Tên HTX", "Xã", "Vốn"], index, [1, "A", "X", 5]]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hid"


def test_a_data_row_of_small_numbers_is_not_taken_for_column_numbers():
    rows = [["Năm", "Lúa", "Ngô", "Sắn"], [2020, 5, 9, 1], [2021, 1, 2, 3], [2022, 4, 4, 2]]
    assert kinds(understand(workbook(rows))) == "hddd"


def test_years_may_be_headings():
    rows = [["STT", "Chỉ tiêu", 2023, 2024], [1, "Số HTX", 200, 240], [2, "Thành viên", 9000, 9500]]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hdd"
    assert layout.headings == {1: "STT", 2: "Chỉ tiêu", 3: "2023", 4: "2024"}


def test_units_in_brackets_below_the_headings_belong_to_them():
    rows = [["STT", "Tên", "Diện tích", "Sản lượng"], [N, N, "(ha)", "(tấn)"], [1, "A", 2.5, 10]]
    layout = understand(workbook(rows))
    assert kinds(layout) == "hhd"
    assert layout.headings[3] == "Diện tích / (ha)"


def test_heading_rows_fixed_by_a_mapping_are_taken_as_they_are():
    rows = [["x", "y", "z"], ["p", "q", "r"], ["a", "b", "c"]]
    layout = understand(workbook(rows), header_rows=[2])
    assert kinds(layout) == "thd"
    assert layout.headings == {1: "p", 2: "q", 3: "r"}


def test_a_sheet_without_any_heading_keeps_all_rows_as_data_with_a_note():
    rows = [[1, 2.5, 3], [4, 5.5, 9], [7, 8.5, 9]]
    layout = understand(workbook(rows))
    assert kinds(layout) == "ddd"
    assert layout.headings == {}
    assert [n.code for n in layout.notes] == ["no_heading_found"]


def test_an_empty_sheet_has_no_rows_and_no_tables():
    layout = understand(workbook([]))
    assert layout.kinds == ()
    assert layout.tables == ()


def test_text_beside_the_table_is_no_heading():
    rows = [["STT", "Tên", "Vốn", N, N, "Lưu ý: cột Vốn bắt buộc"], [1, "A", 1], [2, "B", 2]]
    layout = understand(workbook(rows))
    assert set(layout.headings) == {1, 2, 3}
    assert [(n.code, n.cell) for n in layout.notes] == [("side_note", "F1")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["No.", "Name", "Turnover"], [1, "A", 5], [2, "B", 6], [N, "Total", 11],
          ["Source: registry"], ["Prepared by"]], "hddTng"),
        ([["N°", "Dénomination", "Capital"], [1, "SCOOP", 5], [2, "UNION", 6],
          [N, "Sous-total", 11], [N, "Total général", 11]], "hddcT"),
    ],
)  # fmt: skip
def test_english_and_french_files_are_understood_too(rows, expected):
    assert kinds(understand(workbook(rows))) == expected


def test_of_which_rows_are_no_further_data():
    rows = [["STT", "Chỉ tiêu", "Số lượng"], [1, "Thành viên", 100], [N, "Trong đó: nữ", 40],
            [2, "Lao động", 60]]  # fmt: skip
    layout = understand(workbook(rows))
    assert kinds(layout) == "hdcd"
    assert check_totals(layout) == []


def test_totals_far_from_both_ends_of_a_long_sheet_are_found():
    rows = [["STT", "Tên", "Vốn", "Năm"]]
    for block in range(3):
        rows += [[i + 1, f"HTX {block}-{i}", 2, 2020] for i in range(400)]
        rows.append([N, "Cộng", 800, N])
    layout = understand(workbook(rows))
    assert [r for r, k in enumerate(layout.kinds, 1) if k == "subtotal"] == [402, 803, 1204]
    assert check_totals(layout) == []
    assert len(layout.data_rows) == 1200


@pytest.mark.parametrize("seed", range(20))
def test_every_row_has_a_kind_and_every_numbered_record_is_read(seed):
    rng = random.Random(seed)
    rows, wanted = [["BÁO CÁO"], [], ["STT", "Tên HTX", "Xã", "Vốn"]], []
    number = 0
    for _ in range(rng.randint(5, 60)):
        pick = rng.random()
        if pick < 0.7:
            number += 1
            rows.append([number, f"HTX {number}", rng.choice(["X", N]), rng.choice([N, 5, "12"])])
            wanted.append(len(rows))
        elif pick < 0.8:
            rows.append([])
        elif pick < 0.9:
            rows.append([rng.choice(["I", "II", "A"]), "Huyện Đăk Hà"])
        else:
            rows.append([N, rng.choice(["Cộng", "Tổng cộng"]), N, rng.randint(1, 99)])
    layout = understand(workbook(rows))
    assert sum(layout.counts.values()) == len(layout.kinds) == layout.sheet.n_rows
    assert list(layout.data_rows) == wanted


def test_folding_ignores_marks_case_and_line_breaks():
    assert fold("Đăk  Hà\n(HUYỆN)") == fold("đắk hà (huyện)") == "dak ha (huyen)"


def _totals(*lines: str):
    text = "\n".join(["STT;Tên HTX;Sản lượng", *lines])
    return check_totals(understand(open_bytes(text.encode(), name="a.csv").sheets[0]))


def test_a_total_of_ambiguous_text_numbers_is_checked_in_the_convention_decided():
    assert _totals("1;Sa Thầy;12.000", "2;Đăk Hà;3.500", ";Tổng cộng;15.500") == []
    (note,) = _totals("1;Sa Thầy;12.000", "2;Đăk Hà;3.500", ";Tổng cộng;15.400")
    assert "15,400" in note.reason_en
    assert "15,500" in note.reason_en
    assert "15.500" in note.reason_vi


def test_evidence_elsewhere_in_the_column_decides_how_its_total_is_read():
    assert _totals("1;Sa Thầy;1.234.567", "2;Đăk Hà;12.000", ";Tổng cộng;1.246.567") == []


def test_a_total_that_only_fits_the_other_reading_says_so():
    heading = ["STT", "Tên HTX", "Sản lượng"]
    rows = [heading, [1, "Sa Thầy", "1.250"], [2, "Đăk Hà", "1.250"], ["", "Tổng cộng", 2.5]]
    (note,) = check_totals(understand(workbook(rows)))
    assert "read the other way" in note.reason_en
    assert "cách kia" in note.reason_vi


def test_a_dash_among_the_parts_counts_as_nothing_and_the_sum_is_still_checked():
    assert _totals("1;Sa Thầy;—", "2;Đăk Hà;1.250", ";Tổng cộng;1.250") == []
    assert len(_totals("1;Sa Thầy;—", "2;Đăk Hà;1.250", ";Tổng cộng;1.251")) == 1


def test_a_sum_with_a_part_that_is_no_number_is_not_checked():
    assert _totals("1;Sa Thầy;chưa rõ lắm", "2;Đăk Hà;3", ";Tổng cộng;9") == []


SIDE_BY_SIDE = [
    ["STT", "Tên HTX", "Vốn", "", "STT", "Tên doanh nghiệp", "Vốn"],
    [1, "HTX A", 5, "", 1, "Công ty X", 50],
    [2, "HTX B", 6, "", 2, "Công ty Y", 60],
    [3, "HTX C", 7, "", "", "", ""],
]


def test_tables_side_by_side_are_told_with_their_columns():
    notes = [n for n in understand(workbook(SIDE_BY_SIDE)).notes if n.code == "tables_side_by_side"]
    assert len(notes) == 1
    assert "E:G" in notes[0].remedy_en
    assert notes[0].cell == "E1"
    one_table = [[*row[:3], *row[4:]] for row in SIDE_BY_SIDE]
    assert not [n for n in understand(workbook(one_table)).notes if n.code == "tables_side_by_side"]


def test_a_narrowed_sheet_holds_one_of_them_and_keeps_its_places():
    layout = understand(workbook(SIDE_BY_SIDE).narrowed(5, 7))
    assert layout.headings == {5: "STT", 6: "Tên doanh nghiệp", 7: "Vốn"}
    assert layout.data_rows == (2, 3)


# --- old charsets -----------------------------------------------------------------------------

OLD_FORM = {
    "tcvn3": [
        ["B¸o c¸o tæng hîp n¨m 2019"],
        [None, None, "§VT: triÖu ®ång"],
        ["STT", "Tªn hîp t¸c x·", "Tæng doanh thu"],
        [1, "HTX n«ng nghiÖp §oµn KÕt", 1200],
        [2, "HTX dÞch vô Thanh niªn", "0,8 tû ®ång"],
        [None, "Tæng céng", 2000],
        [None, "Ng­êi lËp biÓu", "Thñ tr­ëng ®¬n vÞ"],
    ],
    "vni": [
        ["Baùo caùo toång hôïp naêm 2019"],
        [None, None, "ÑVT: trieäu ñoàng"],
        ["STT", "Teân hôïp taùc xaõ", "Toång doanh thu"],
        [1, "HTX noâng nghieäp Ñoaøn Keát", 1200],
        [2, "HTX dòch vuï Thanh nieân", "0,8 tyû ñoàng"],
        [None, "Toång coäng", 2000],
        [None, "Ngöôøi laäp bieåu", "Thuû tröôûng ñôn vò"],
    ],
}


@pytest.mark.parametrize("charset", sorted(OLD_FORM))
def test_a_form_in_an_old_charset_is_understood_as_one_in_unicode(charset):
    sheet = workbook(OLD_FORM[charset])
    layout = understand(sheet)
    assert sheet.charset == charset
    assert kinds(layout) == "tuhddTg"
    assert layout.headings == {1: "STT", 2: "Tên hợp tác xã", 3: "Tổng doanh thu"}
    assert layout.unit == "triệu đồng"
    assert [n.code for n in layout.notes] == ["sheet_charset"]
    assert check_totals(layout) == []
    assert sheet.cell(3, 2) == OLD_FORM[charset][2][1]


@pytest.mark.parametrize(
    "rows",
    [
        [["STT", "Dénomination sociale", "Région"], [1, "Société coopérative", "Île-de-France"]],
        [["STT", "Tên hợp tác xã", "Số"], [1, "HTX Đoàn Kết", "6 µm"], [2, "Sa Thầy", "50 £"]],
        [["id", "name", "e.mail"], [1, "A. Company (a+b)", "a.b@c.d"], [2, "d. e^x", "do? it"]],
    ],
)
def test_text_that_is_unicode_is_left_alone(rows):
    assert workbook(rows).charset == "plain"


def test_parts_in_a_larger_unit_are_added_in_the_unit_of_the_column():
    rows = [
        [None, None, "ĐVT: triệu đồng"],
        ["STT", "Tên HTX", "Vốn"], [1, "HTX A", 1200], [2, "HTX B", "0,8 tỷ"], [None, "Tổng cộng", 2000],
    ]  # fmt: skip
    assert check_totals(understand(workbook(rows))) == []
    rows[-1][2] = 2001
    assert [n.cell for n in check_totals(understand(workbook(rows)))] == ["C5"]
