"""What a cluster's report says: each conclusion and gap from its figures, and silence where there are none."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

from htx_pipeline.report import trace
from htx_pipeline.report.blocks import Facts, Page, Prose, Report, Table
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions

OPTIONS = ReportOptions(title="Tỉnh mẫu", as_of=date(2025, 12, 15), has_english=True)


def build(frames: dict[str, pl.DataFrame], options: ReportOptions = OPTIONS) -> Report:
    return build_report(frames, period="2025", options=options)


def facts(page: Page) -> dict[str, tuple[str, str, str]]:
    block = next(b for s in page.sections for b in s.blocks if isinstance(b, Facts))
    return {f.key: (f.value, f.change, f.detail) for f in block.items}


def prose(page: Page, block_id: str) -> Prose:
    return next(b for s in page.sections for b in s.blocks if isinstance(b, Prose) and b.id == block_id)  # fmt: skip


def table(page: Page, table_id: str) -> Table:
    return next(t for t in page.tables if t.id == table_id)


def figure_ids(report: Report) -> set[str]:
    """Return the ids of every figure of a report, as `htx trace` knows them."""
    return set(trace.figure_ids(report))


@pytest.fixture(scope="module")
def middle(cluster_hand) -> Report:
    """Return the report of a cluster of forty."""
    return build(cluster_hand.frames_of(40))


@pytest.fixture(scope="module")
def page(middle) -> Page:
    return middle.clusters[0]


def gap_lines(frames: dict[str, pl.DataFrame]) -> dict[str, dict]:
    return {r["key"]: r for r in table(build(frames).clusters[0], "viec-can-lam").rows}


# ---------------------------------------------------------------- where there is nothing to say


def test_without_history_nothing_is_compared_and_no_chart_is_drawn(cluster_hand) -> None:
    first = build(cluster_hand.frames_of(12, has_history=False)).clusters[0]
    assert all(change == "" for _, change, _ in facts(first).values())
    assert "dien-bien" not in {s.id for s in first.sections}
    assert "Chưa nói được cụm tăng hay giảm." in prose(first, "ket-luan").leads


def test_a_year_that_does_not_state_a_figure_is_not_compared_and_the_reason_is_given(
    cluster_hand,
) -> None:
    frames = cluster_hand.frames_of(12)
    then = pl.col("year") == "2024"
    frames["metrics/cluster_history"] = frames["metrics/cluster_history"].with_columns(
        pl.when(then).then(None).otherwise("paid_value_vnd").alias("paid_value_vnd"),
        pl.when(then).then(0).otherwise("contracted_value_vnd").alias("contracted_value_vnd"),
        pl.when(then).then(pl.lit("links")).otherwise("executed_share_basis").alias("executed_share_basis"),
        pl.when(then).then(None).otherwise("member_income_vnd").alias("member_income_vnd"),
    )  # fmt: skip
    changes = {k: change for k, (_, change, _) in facts(build(frames).clusters[0]).items()}
    assert changes["paid"] == "không so được với 2024: năm đó không nêu"
    assert changes["contracted"] == "không so được với 2024: năm đó bằng 0"
    assert changes["executed"] == "không so được với 2024: cách tính khác nhau"
    assert changes["income"] == "không so được với 2024: quá ít đơn vị nêu"


def test_a_cluster_without_a_plan_names_no_unit(cluster_hand) -> None:
    frames = cluster_hand.frames_of(12)
    del frames["core/plan_tasks"]
    units = {r["unit"] for r in gap_lines(frames).values()}
    assert units == {"Chưa có kế hoạch giao nhiệm vụ; cần giao đơn vị"}


def test_an_action_that_no_task_covers_says_so(cluster_hand) -> None:
    unit = gap_lines(cluster_hand.frames_of(12))["not_reported"]["unit"]
    assert unit == "Kế hoạch chưa có nhiệm vụ khớp; cần giao đơn vị"


def test_where_nothing_is_beyond_a_limit_no_table_of_gaps_stands_empty(cluster_hand) -> None:
    frames = cluster_hand.frames_of(12, silent=0)
    frames["core/linkages"] = frames["core/linkages"].with_columns(
        pl.lit("executed").alias("evidence"), pl.lit(date(2029, 1, 1)).alias("ends_on")
    )
    frames["metrics/clusters"] = frames["metrics/clusters"].with_columns(
        pl.lit(1.0).alias("executed_share")
    )
    frames["metrics/cluster_stages"] = frames["metrics/cluster_stages"].with_columns(
        pl.lit(True).alias("is_present")
    )
    del frames["metrics/cluster_criteria"]
    # Two buyers of equal size: neither is half of more than half.
    frames["core/linkages"] = frames["core/linkages"].with_columns(
        ("o" + (pl.int_range(pl.len()) % 3).cast(pl.String).str.zfill(4)).alias("buyer_id"),
        pl.lit(10).alias("paid_value_vnd"),
    )
    made = build(frames).clusters[0]
    assert "viec-can-lam" not in {t.id for t in made.tables}
    assert "không cho thấy điểm nào vượt ngưỡng" in prose(made, "khong-thieu").paragraphs[0]


# ---------------------------------------------------------------- known answers


def test_the_headline_figures_are_those_of_the_linkages_with_their_change(
    page, cluster_hand
) -> None:
    rows = cluster_hand.linkages(40)
    signed = sum(r["contracted_value_vnd"] for r in rows)
    said = facts(page)
    assert said["organisations"] == ("40", "không đổi so với 2024", "35 HTX, 5 DN")
    assert said["contracted"][0] == f"{signed / 1e9:.1f}".replace(".", ",") + " tỷ đồng"
    # 8 then, 10 now: a quarter more of everything; the shares are the same.
    assert said["contracted"][1] == said["paid"][1] == "▲ 25,0% so với 2024"
    assert said["executed"][1] == "không đổi so với 2024"
    assert said["income"][:2] == ("44,0 triệu đồng", "▲ 10,0% so với 2024")


def test_each_conclusion_names_figures_that_are_on_the_page(middle) -> None:
    for p in (*middle.clusters, *middle.translations):
        known = figure_ids(middle)
        said = prose(p, "ket-luan")
        assert 3 <= len(said.paragraphs) <= 4
        assert len(said.figures) == len(said.leads) == len(said.paragraphs)
        for words, lead, ids in zip(said.paragraphs, said.leads, said.figures, strict=True):
            assert words.startswith(lead)
            assert ids
            assert set(ids) <= known, set(ids) - known


def test_each_gap_names_a_figure_that_is_on_the_page(middle) -> None:
    for p in (*middle.clusters, *middle.translations):
        named = {r["figure"] for r in table(p, "viec-can-lam").rows}
        assert named <= figure_ids(middle)


def test_the_numbers_of_the_conclusions_are_those_of_the_figures_they_name(page) -> None:
    said = prose(page, "ket-luan")
    by_lead = dict(zip(said.leads, said.paragraphs, strict=True))
    values = facts(page)
    assert values["paid"][0] in by_lead["Cụm đang tăng."]
    assert "tăng 25,0%" in by_lead["Cụm đang tăng."]
    execution = next(p for lead, p in by_lead.items() if "hợp đồng" in lead)
    assert values["executed"][0] in execution


def test_a_fall_is_called_a_fall_and_comes_first(cluster_hand) -> None:
    frames = cluster_hand.frames_of(40)
    now = pl.col("year") == "2025"
    half = [(pl.when(now).then(pl.col(c)).otherwise(pl.col(c) * 3)).alias(c) for c in ("paid_value_vnd", "contracted_value_vnd")]  # fmt: skip
    frames["metrics/cluster_history"] = frames["metrics/cluster_history"].with_columns(half)
    said = prose(build(frames).clusters[0], "ket-luan")
    assert said.leads[0] == "Cụm đang giảm."
    assert "giảm 58,3%" in said.paragraphs[0]


def test_the_largest_buyer_on_the_page_is_that_of_the_clusters_table(page, cluster_hand) -> None:
    row = cluster_hand.frames_of(40)["metrics/clusters"].row(0, named=True)
    buyers = table(page, "ben-mua").rows
    assert buyers[0]["org_id"] == row["largest_buyer_id"]
    assert buyers[0]["share"] == pytest.approx(row["largest_buyer_share"])
    assert sum(b["share"] for b in buyers) == pytest.approx(1.0)


def test_who_sells_to_one_buyer_only_is_counted(page, cluster_hand) -> None:
    paid = [r for r in cluster_hand.linkages(40) if r["paid_value_vnd"]]
    for buyer in table(page, "ben-mua").rows:
        sellers = {r["supplier_id"] for r in paid if r["buyer_id"] == buyer["org_id"]}
        others = {r["supplier_id"] for r in paid if r["buyer_id"] != buyer["org_id"]}
        assert (buyer["n_sellers"], buyer["n_captive"]) == (len(sellers), len(sellers - others))


def test_contracts_that_ended_without_delivery_are_counted_with_their_value(
    page, cluster_hand
) -> None:
    ended = [
        r for r in cluster_hand.linkages(40) if r["ends_on"] < date(2025, 12, 15) and r["evidence"] != "executed"
    ]  # fmt: skip
    value = sum(r["contracted_value_vnd"] for r in ended) / 1e9
    line = {r["key"]: r for r in table(page, "viec-can-lam").rows}["ended_without_delivery"]
    assert line["gap"].startswith(f"{len(ended)} liên kết, {value:.1f}".replace(".", ","))
    assert line["unit"] == "Sở Nông nghiệp (nhiệm vụ 2, đang làm 68%)"


def test_a_missing_stage_is_a_gap_with_its_action(cluster_hand) -> None:
    lines = gap_lines(cluster_hand.frames_of(40))
    assert "vật tư, dịch vụ đầu vào" in lines["stage_missing.inputs"]["gap"]
    assert lines["stage_missing.inputs"]["figure"].endswith(
        "/cong-doan/coffee_robusta:inputs/n_organisations"
    )


def test_a_test_of_law_that_fails_is_named_with_value_and_threshold_and_whether_it_was_verified(
    cluster_hand,
) -> None:
    gap = gap_lines(cluster_hand.frames_of(12))["criterion_failed"]["gap"]
    assert "từ 10 doanh nghiệp" in gap
    assert "chưa kiểm chứng" in gap


def test_members_that_did_not_report_are_named(cluster_hand) -> None:
    gap = gap_lines(cluster_hand.frames_of(12, silent=2))["not_reported"]["gap"]
    assert gap == "2 hợp tác xã chưa gửi báo cáo: Hợp tác xã Nông nghiệp Số 10 và Hợp tác xã Nông nghiệp Số 11."  # fmt: skip


def test_the_data_box_counts_and_adds_what_the_figures_rest_on(page, cluster_hand) -> None:
    rows = cluster_hand.linkages(40)
    done = [r for r in rows if r["evidence"] == "executed"]
    whole = sum(r["contracted_value_vnd"] for r in rows)
    part = sum(r["contracted_value_vnd"] for r in done)
    lines = {r["key"]: r for r in table(page, "chat-luong").rows}
    assert lines["used"]["count"] == str(len(rows))
    assert lines["executed"]["count"].startswith(f"{len(done)} (")
    assert lines["executed"]["value"].endswith(f"({part / whole:.1%})".replace(".", ","))
    assert lines["matched"]["count"].endswith("(100,0%)")
    assert lines["reported"]["count"] == "33 trên 35 (94,3%)"


def test_a_party_that_is_not_in_the_register_lowers_the_matched_value(cluster_hand) -> None:
    frames = cluster_hand.frames_of(12)
    frames["core/organisations"] = frames["core/organisations"].with_columns(
        (pl.col("org_id") != "o0002").alias("is_registered")
    )
    made = build(frames).clusters[0]
    lines = {r["key"]: r for r in table(made, "chat-luong").rows}
    rows = cluster_hand.linkages(12)
    known = [r for r in rows if "o0002" not in (r["supplier_id"], r["buyer_id"])]
    assert lines["matched"]["count"].startswith(f"{len(known)} (")
    share = sum(r["contracted_value_vnd"] for r in known) / sum(r["contracted_value_vnd"] for r in rows)  # fmt: skip
    assert lines["matched"]["value"].endswith(f"({share:.1%})".replace(".", ","))
    assert "not_in_register" in {r["key"] for r in table(made, "viec-can-lam").rows}


def test_a_value_that_was_rejected_as_wrong_is_not_added(cluster_hand) -> None:
    frames = cluster_hand.frames_of(12)
    bad = cluster_hand.frame("linkages", [{**cluster_hand.linkages(12)[0], "linkage_id": f"x{i}", "contracted_value_vnd": v} for i, v in enumerate((10**16, 3_000_000_000))])  # fmt: skip
    frames["core/linkages_rejected"] = bad
    frames["core/findings"] = pl.DataFrame(
        {"rule_id": ["linkages.unit_price.impossible"], "severity": ["error"], "table": ["linkages"], "column": ["contracted_value_vnd"],
         "source_id": [bad["source_id"][0]], "source_file": ["2025/lien_ket.xlsx"], "source_row": [2], "reason_vi": ["Giá vô lý."], "raw_value": ["1"]}
    )  # fmt: skip
    line = {r["key"]: r for r in table(build(frames).clusters[0], "chat-luong").rows}["rejected"]
    assert (line["count"], line["value"]) == ("2", "3,0 tỷ đồng; 1 dòng ghi sai giá trị")


def test_members_are_ranked_by_what_they_trade_and_carry_their_evidence(page) -> None:
    rows = table(page, "thanh-vien").rows
    traded = [r["traded_vnd"] for r in rows if r["traded_vnd"] is not None]
    assert traded == sorted(traded, reverse=True)
    assert [r["rank"] for r in rows] == list(range(1, 41))
    assert {r["evidence"] for r in rows} <= {"Đã ký", "Đang thực hiện", "Đã thực hiện"}
    assert all(r["executed_share"] is None or 0 <= r["executed_share"] <= 1 for r in rows)


def test_the_order_of_rows_does_not_matter(cluster_hand, middle) -> None:
    shuffled = {
        k: f.sample(fraction=1, shuffle=True, seed=7) for k, f in cluster_hand.frames_of(40).items()
    }
    assert build(shuffled).clusters == middle.clusters


def test_no_share_of_a_page_is_above_the_whole(middle) -> None:
    for p in (*middle.clusters, *middle.translations):
        words = " ".join(w for b in p.sections[0].blocks if isinstance(b, Prose) for w in b.paragraphs)  # fmt: skip
        shares = [float(s.replace(",", ".")) for s in re.findall(r"(\d+[.,]\d)%", words)]
        assert shares
        assert max(shares) <= 100


# ---------------------------------------------------------------- English


def test_the_english_page_has_the_same_numbers_and_no_vietnamese_sentence(middle) -> None:
    vi, en = middle.clusters[0], middle.translations[0]
    assert en.id == f"{vi.id}-en"
    assert (vi.lang, en.lang) == ("vi", "en")
    assert [s.id for s in en.sections] == [s.id for s in vi.sections]
    for a, b in zip(vi.tables, en.tables, strict=True):
        assert [f.key for f in a.fields] == [f.key for f in b.fields]
        numbers = [f.key for f in a.fields if f.is_number]
        assert [[r[k] for k in numbers] for r in a.rows] == [
            [r[k] for k in numbers] for r in b.rows
        ]
    said = " ".join(prose(en, "ket-luan").paragraphs)
    names = {str(r["name"]) for r in table(en, "thanh-vien").rows}
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "")
    assert not re.search(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", said), said


def test_english_is_written_only_when_asked_for(cluster_hand) -> None:
    plain = OPTIONS.model_copy(update={"has_english": False})
    assert build(cluster_hand.frames_of(12), plain).translations == ()
