"""What the pages say: numbers, absences, sources, what is withheld."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.report import text
from htx_pipeline.report.blocks import HIDDEN, Facts, Page, Prose, Report, Table
from htx_pipeline.report.disclosure import withheld
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions

PLAIN = ReportOptions(title="Co-operatives UK", as_of=date(2018, 1, 1), has_official_heading=False)


def build(frames, hand, options=PLAIN) -> Report:
    return build_report(frames, period="2024", options=options, products=hand.PRODUCTS)


def said(page: Page) -> str:
    return " ".join(
        p for s in page.sections for b in s.blocks if isinstance(b, Prose) for p in b.paragraphs
    )


def table(page: Page, table_id: str) -> Table:
    return next(t for t in page.tables if t.id == table_id)


def test_a_frame_without_the_column_it_stands_on_is_a_clear_error(hand) -> None:
    frames = hand.province()
    frames["metrics/clusters"] = frames["metrics/clusters"].drop("cluster_id")
    with pytest.raises(InputError, match="metrics/clusters has no column 'cluster_id'"):
        build(frames, hand)


def test_no_frames_at_all_still_say_what_is_missing(hand) -> None:
    report = build({}, hand)
    assert report.clusters == ()
    assert "không có dữ liệu liên kết" in said(report.overview)
    assert table(report.overview, "chua-tinh-duoc").rows


def test_a_register_without_linkages_says_what_cannot_be_computed_and_shows_no_zero(hand) -> None:
    report = build(hand.register_only(), hand)
    missing = " ".join(r["what"] for r in table(report.overview, "chua-tinh-duoc").rows)
    for wanted in (
        "Cụm liên kết",
        "Giá trị theo hợp đồng",
        "có liên kết với doanh nghiệp",
        "bên mua lớn nhất",
    ):
        assert wanted in missing
    assert report.clusters == ()
    assert not {"cum", "san-pham", "muc-do"} & {s.id for s in report.overview.sections}
    assert "có 9 hợp tác xã" in said(report.overview)
    assert "0,0%" not in said(report.overview)


def test_rows_of_another_period_are_not_counted(hand) -> None:
    frames = hand.province()
    key = "core/organisations"
    later = frames[key].with_columns(pl.lit("2025").alias("period"))
    alone = build(hand.register_only(), hand).overview
    doubled = build({key: pl.concat([hand.register_only()[key], later])}, hand).overview
    assert doubled == alone


def test_the_headline_says_the_known_numbers(hand, options) -> None:
    words = said(build(hand.province(), hand, options).overview)
    assert "Toàn tỉnh có 26 hợp tác xã; 21 hợp tác xã (80,8%) đã gửi báo cáo kỳ 2024." in words
    assert "18 hợp tác xã (69,2%) có liên kết đang thực hiện trở lên; " in words
    assert "; 13 (50,0%) đã giao hàng hoặc thanh toán." in words
    assert "đã loại 4 trên 95 dòng (4,2%)" in words


def test_planned_linkages_have_no_contracted_value(hand, options) -> None:
    frames = hand.province()
    wanted = (
        frames["core/linkages"]
        .filter(pl.col("evidence") != "planned")["contracted_value_vnd"]
        .sum()
    )
    overview = build(frames, hand, options).overview
    total = table(overview, "theo-san-pham").total
    assert total is not None
    assert total["contracted_value_vnd"] == wanted
    assert f"Giá trị theo hợp đồng là {text.money(wanted)}" in said(overview)


def test_both_denominators_stand_side_by_side(hand, options) -> None:
    levels = table(build(hand.province(), hand, options).overview, "muc-do-lien-ket")
    assert [(r["denominator"], r["size"], r["executed"]) for r in levels.rows] == [
        ("tổng số HTX", 26.0, 0.5),
        ("HTX đang hoạt động", 25.0, 13 / 25),
    ]
    assert [r["n_active"] for r in levels.rows] == [18.0, 18.0]


def test_a_level_nobody_speaks_of_is_null_not_zero(hand, options) -> None:
    frames = hand.province()
    silent = pl.col("evidence") == "executed"
    frames["metrics/indicators"] = frames["metrics/indicators"].with_columns(
        pl.when(silent).then(None).otherwise("value").alias("value"),
        pl.when(silent).then(0.0).otherwise("numerator").alias("numerator"),
        (pl.col("is_defined") & ~silent.fill_null(False)).alias("is_defined"),
        pl.when(silent).then(pl.lit("execution_not_stated")).otherwise("reason").alias("reason"),
    )
    frames["metrics/localities"] = frames["metrics/localities"].with_columns(
        pl.lit(None, dtype=pl.Int64).alias("n_linked_executed")
    )
    overview = build(frames, hand, options).overview
    row = table(overview, "muc-do-lien-ket").rows[0]
    assert (row["executed"], row["n_executed"]) == (None, None)
    assert "nguồn không nêu việc giao hàng hoặc thanh toán" in said(overview)
    assert "Đã thực hiện" not in [f.label for f in table(overview, "theo-dia-ban").fields]
    assert len(overview.figures[0].spec["series"]) == 3


def test_every_figure_table_and_headline_names_its_files_rows_and_period(hand, options) -> None:
    report = build(hand.province(), hand, options)
    for page in report.pages:
        for section in page.sections:
            for block in section.blocks:
                if isinstance(block, Prose) and not block.source:
                    continue
                assert block.source.line.startswith("Nguồn: "), (page.id, block.id)
                assert "kỳ 2024" in block.source.line
                assert "dòng)" in block.source.line


def test_the_source_line_of_a_cluster_counts_only_its_own_rows(hand, options) -> None:
    frames = hand.province()
    report = build(frames, hand, options)
    members = frames["metrics/cluster_members"]
    for page in report.clusters:
        ids = members.filter(pl.col("cluster_id") == page.cluster_id)["org_id"].implode()
        rows = frames["core/linkages"].filter(
            pl.col("supplier_id").is_in(ids),
            pl.col("buyer_id").is_in(ids),
            pl.col("evidence") != "planned",
        )
        stages = table(page, "cong-doan")
        assert f"lien_ket_2024.csv ({rows.height} dòng)" in stages.source.line


def test_many_files_are_counted_not_listed(hand) -> None:
    organisations = hand.register_only()["core/organisations"].with_row_index("i")
    many = organisations.with_columns(pl.format("huyen_{}.csv", "i").alias("source_file")).drop("i")
    words = table(build({"core/organisations": many}, hand).overview, "dong-vao-ra").source.line
    assert "6 tệp khác (6 dòng)" in words


def test_the_checks_show_rule_rows_and_an_example_place(hand, options) -> None:
    checks = table(build(hand.province(), hand, options).overview, "ket-qua-kiem-tra")
    first, second = checks.rows
    assert (first["severity"], first["n_rows"], first["reason"]) == (
        "Loại dòng",
        4,
        "«Bên mua» không có trong danh bạ.",
    )
    assert first["example"] == "lien_ket_2024.csv, dòng 200"
    assert second["severity"] == "Lưu ý"


def test_the_joint_findings_frame_is_not_counted_twice(hand, options) -> None:
    frames = hand.province()
    frames["core/linkages_findings"] = frames["core/findings"]
    frames["raw/linkages_findings"] = frames["core/findings"]
    checks = table(build(frames, hand, options).overview, "ket-qua-kiem-tra")
    assert checks.rows[0]["n"] == 4


def test_the_ledger_adds_up_with_merged_rows(hand, options) -> None:
    frames = hand.province()
    kept = frames["core/linkages"].height
    frames["core/ledger"] = pl.DataFrame(
        {"table": ["linkages"] * 2, "rule_id": ["linkages.merged", "linkages.buyer_id.reference"], "action": ["merge", "reject"],
         "rows_in": [kept + 7] * 2, "rows_failed": [3, 4], "rows_rejected_first": [3, 4]}
    )  # fmt: skip
    overview = build(frames, hand, options).overview
    row = next(r for r in table(overview, "dong-vao-ra").rows if r["table"] == "Liên kết")
    assert (row["rows_in"], row["rows_kept"], row["rows_merged"], row["rows_rejected"]) == (
        kept + 7,
        kept,
        3,
        4,
    )
    assert row["rows_in"] == row["rows_kept"] + row["rows_merged"] + row["rows_rejected"]
    assert table(overview, "ket-qua-kiem-tra").rows[0]["n_rejected"] == 4


def test_who_has_not_reported_is_named(hand, options) -> None:
    late = table(build(hand.province(), hand, options).overview, "chua-bao-cao")
    assert len(late.rows) == 5
    assert {r["org_id"] for r in late.rows} == {f"62{i:08d}" for i in range(0, 26, 6)}


def test_a_target_that_cannot_be_compared_says_why_and_has_no_gap(hand, options) -> None:
    plan = table(build(hand.province(), hand, options).overview, "tien-do-ke-hoach")
    comparable = next(r for r in plan.rows if r["gap"] is not None)
    other = next(r for r in plan.rows if r["gap"] is None)
    assert comparable["gap"].replace("\u00a0", " ") == "-8,0 điểm %"
    assert comparable["note"].endswith("(a)")
    assert any("chưa đối chiếu với văn bản gốc" in n for n in plan.notes)
    assert other["note"] == "Khác đơn vị tính"


def test_an_undefined_indicator_is_listed_with_its_reason(hand, options) -> None:
    overview = build(hand.province(), hand, options).overview
    row = next(r for r in table(overview, "chua-tinh-duoc").rows if "xếp loại tốt" in r["what"])
    assert row["reason"] == "Mẫu số bằng 0"
    assert all("xếp loại tốt" not in r["indicator"] for r in table(overview, "chi-tieu-chung").rows)


def test_null_is_a_dash_with_a_reason_and_never_zero(hand, options) -> None:
    localities = table(build(hand.province(), hand, options).overview, "theo-dia-ban")
    empty = next(r for r in localities.rows if r["locality"] == "Kon Plông")
    paid = next(f for f in localities.fields if f.key == "paid_value_vnd")
    assert paid.show(empty["paid_value_vnd"]) == "–"
    assert any("không có hợp đồng nêu giá trị" in n for n in localities.footnotes)


def test_a_cluster_without_values_says_so_and_uses_linkages(hand, options) -> None:
    frames = hand.province()
    none = [
        pl.lit(None, dtype=pl.Int64).alias(c) for c in ("paid_value_vnd", "contracted_value_vnd")
    ]
    frames["metrics/clusters"] = frames["metrics/clusters"].with_columns(
        *none,
        pl.lit(None, dtype=pl.Float64).alias("executed_share"),
        pl.lit("links").alias("weight_basis"),
    )
    frames["metrics/chain_flows"] = frames["metrics/chain_flows"].with_columns(
        pl.lit(None, dtype=pl.Int64).alias("value_vnd")
    )
    frames["core/linkages"] = frames["core/linkages"].with_columns(*none)
    report = build(frames, hand, options)
    assert (
        "không liên kết nào nêu giá trị, nên tỷ trọng tính theo số liên kết"
        in said(report.clusters[0]).lower()
    )
    assert "số liên kết" in report.clusters[0].figures[0].title
    facts = next(b for b in report.clusters[0].sections[0].blocks if isinstance(b, Facts))
    assert all("đồng" not in f.value for f in facts.items)
    assert any(
        "không nêu giá trị" in r["reason"] for r in table(report.overview, "chua-tinh-duoc").rows
    )


def test_a_synthetic_source_file_marks_the_report_whatever_the_options_say(hand) -> None:
    frames = hand.province()
    frames["raw/source_files"] = pl.DataFrame({"source_file": ["a.csv"], "is_synthetic": [True]})
    assert build(frames, hand).settings.is_synthetic


def test_a_file_that_no_mapping_reads_is_listed_as_such(hand, options) -> None:
    frames = hand.province()
    frames["raw/source_files"] = pl.DataFrame(
        {"source_file": ["la.xlsx", "hong.xlsx"], "sha256": ["ab" * 32, None], "mapping_id": [None, "m"],
         "is_usable": [True, False], "is_synthetic": [True, True], "reason_vi": [None, "Tệp bị hỏng."]}
    )  # fmt: skip
    files = {
        r["file"]: r["tables"]
        for r in table(build(frames, hand, options).overview, "tep-nguon").rows
    }
    assert "không có khai báo nguồn" in files["la.xlsx"]
    assert "Tệp bị hỏng" in files["hong.xlsx"]


def test_incomes_of_fewer_than_three_cooperatives_are_withheld_counted_and_explained(
    hand, options
) -> None:
    frames = hand.province()
    localities = frames["metrics/localities"].with_columns(
        pl.when(pl.col("locality") == "Ngọc Hồi")
        .then(2)
        .otherwise("n_revenue_stated")
        .alias("n_revenue_stated")
    )
    report = build({**frames, "metrics/localities": localities}, hand, options)
    cells = {r["locality"]: r["revenue_vnd"] for r in table(report.overview, "theo-dia-ban").rows}
    assert cells["Ngọc Hồi"] is HIDDEN
    assert sum(v is HIDDEN for v in cells.values()) >= 2, (
        "one withheld cell alone is total minus the others"
    )
    total = table(report.overview, "theo-dia-ban").total
    assert total is not None
    assert total["revenue_vnd"] == frames["metrics/localities"]["revenue_vnd"].sum()
    assert report.withheld_cells >= 2
    assert "giữ bí mật" in said(report.overview)


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 100)), st.integers(0, 6)), max_size=12),
    st.integers(1, 5),
)
def test_withheld_cells_cannot_be_had_from_the_total(cells, minimum) -> None:
    values, counts = [v for v, _ in cells], [n for _, n in cells]
    hidden = withheld(values, counts, minimum=minimum)
    shown = {i for i, v in enumerate(values) if v is not None} - hidden
    assert all(counts[i] >= minimum for i in shown)
    assert all(values[i] is not None for i in hidden)
    if hidden and shown:
        assert len(hidden) >= 2
        assert sum(counts[i] for i in hidden) >= minimum


@pytest.mark.parametrize(
    ("value", "decimals", "wanted"),
    [
        (1234567.8, 1, "1.234.567,8"), (0, 0, "0"), (None, 0, "–"), (float("nan"), 1, "–"), (2.5, 0, "3"),
        (-1234.5, 1, "-1.234,5"), (-0.01, 1, "0,0"), (1e-12, 1, "0,0"),
    ],
)  # fmt: skip
def test_numbers_are_written_the_vietnamese_way(value, decimals, wanted) -> None:
    assert text.number(value, decimals) == wanted


@given(st.integers(-(10**15), 10**15))
def test_a_written_whole_number_reads_back(value) -> None:
    assert int(text.number(value).replace(".", "")) == value


def test_long_tables_print_a_part_and_say_where_the_rest_is(hand, options) -> None:
    few = options.model_copy(update={"members_printed": 3})
    members = table(build(hand.province(), hand, few).clusters[0], "thanh-vien")
    assert len(members.printed) == 3
    assert any("so-lieu.xlsx" in n for n in members.footnotes)


def test_shuffled_rows_make_the_same_pages(hand, options) -> None:
    frames = hand.province()
    shuffled = {k: f.sample(fraction=1, shuffle=True, seed=11) for k, f in frames.items()}
    assert build(shuffled, hand, options) == build(frames, hand, options)


def test_small_clusters_are_listed_but_get_no_report(hand, options) -> None:
    few = options.model_copy(update={"min_cluster_size": 16})
    report = build(hand.province(), hand, few)
    listed = table(report.overview, "danh-sach-cum")
    assert (len(listed.rows), len(report.clusters)) == (2, 1)
    assert any("1 cụm nhỏ không có báo cáo riêng" in n for n in listed.footnotes)
