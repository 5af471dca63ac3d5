"""Official material contradicts itself in twelve known ways: each is caught, or shown with every value kept."""

from __future__ import annotations

import importlib
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.numbers import parse_numbers
from htx_pipeline.ingest.plausibility import (
    heading_notes,
    magnitude_jumps,
    mixes_members_and_workers,
    part_exceeds_whole,
)
from htx_pipeline.ingest.totals import check_totals
from htx_pipeline.ingest.workbook import open_bytes
from htx_pipeline.metrics.plan import plan_progress
from htx_pipeline.reference.places import resolve_place
from htx_pipeline.reference.targets import targets
from htx_pipeline.resolve.source_conflicts import (
    check_citation,
    conflicting_sources,
    document_key,
    same_document,
    wrong_dates,
)

PAGE = "docs/official-conflicts.md"
CHECKS = {
    1: (check_totals, "caught"),
    2: (part_exceeds_whole, "caught"),
    3: (conflicting_sources, "shown"),
    4: (conflicting_sources, "shown"),
    5: (part_exceeds_whole, "caught"),
    6: (parse_numbers, "caught"),
    7: (mixes_members_and_workers, "caught"),
    8: (conflicting_sources, "shown"),
    9: (check_citation, "caught"),
    10: (wrong_dates, "caught"),
    11: (plan_progress, "caught"),
    12: (resolve_place, "caught"),
}


def test_the_page_names_the_check_and_the_outcome_of_each_conflict(project_root: Path) -> None:
    text = (project_root / PAGE).read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d+) \| [^|]+ \| `([\w.]+)` \| (\w+) \| ([^|]+) \|$", text, flags=re.MULTILINE
    )
    assert [int(n) for n, *_ in rows] == list(CHECKS)
    for number, name, outcome, says in rows:
        module, _, function = name.rpartition(".")
        check, expected = CHECKS[int(number)]
        assert getattr(importlib.import_module(module), function) is check
        assert outcome == expected
        if outcome == "shown":
            assert re.search("[Uu]ndecidable|precedence", says), f"{number}: no reason is given"


ZONES = (
    ("Rau, Kon Plông", 190), ("Rau, TP Kon Tum", 50), ("Hoa, Kon Plông", 52),
    ("Cây ăn quả, TP Kon Tum", 300), ("Cây ăn quả, Đăk Tô", 300), ("Cây ăn quả, Đăk Hà", 300), ("Cây ăn quả, Ia H'Drai", 100),
    ("Cà phê, TP Kon Tum", 300), ("Cà phê, Đăk Glei", 358), ("Cà phê, Đăk Tô", 300), ("Cà phê, Đăk Hà", 1939), ("Dược liệu, Tu Mơ Rông", 2800),
)  # fmt: skip


def zones(total: int) -> list[str]:
    lines = [
        "STT;Vùng;Diện tích (ha)",
        *(f"{i};{n};{a}" for i, (n, a) in enumerate(ZONES, 1)),
        f";Tổng cộng;{total}",
    ]
    sheet = open_bytes("\n".join(lines).encode(), name="vung.csv").sheets[0]
    return [
        note.reason_en for note in check_totals(understand(sheet)) if note.code == "total_mismatch"
    ]


def test_conflict_1_the_zones_do_not_add_up_to_their_stated_total() -> None:
    assert zones(6989) == []
    (said,) = zones(6939)
    assert "6,939" in said.replace("6939", "6,939")
    assert "6,989" in said.replace("6989", "6,989")


@pytest.mark.parametrize(("city", "is_possible"), [(24e9, False), (2.4e9, True)])
def test_conflict_2_a_city_cannot_earn_more_than_the_province(
    city: float, is_possible: bool
) -> None:
    case = pl.DataFrame({"city": [city], "n": [34], "province": [2e9], "of": [190]})
    found = part_exceeds_whole(
        case, part_mean="city", part_count="n", whole_mean="province", whole_count="of"
    )
    assert found.is_empty() is is_possible


def test_conflict_2_among_the_means_of_localities_the_city_is_an_outlier() -> None:
    means = pl.DataFrame({"place": [f"p{i}" for i in range(9)] + ["city"], "year": ["2021"] * 10, "mean": [1.2e9, 1.3e9, 1.4e9, 1.5e9, 1.6e9, 1.7e9, 1.8e9, 1.9e9, 2e9, 24e9]})  # fmt: skip
    found = magnitude_jumps(means, id="place", period="year", column="mean")
    assert found["index"].to_list() == [9]


def test_conflict_3_two_member_totals_are_shown_and_neither_is_chosen() -> None:
    said = pl.DataFrame(
        {
            "indicator": ["members"] * 2,
            "year": [2020] * 2,
            "agency": ["MPI", "VNA"],
            "value": [6.1e6, 8.1e6],
        }
    )
    found = conflicting_sources(said, keys=["indicator", "year"], value="value", agency="agency")
    assert found.select("code", "low", "high", "chosen_value", "is_decided").rows() == [
        ("conflicting_values", 6.1e6, 8.1e6, None, False)
    ]
    assert found["ratio"][0] == pytest.approx(8.1 / 6.1)
    assert found["statements"][0] == "MPI: 6100000; VNA: 8100000"


AGENCIES = pl.DataFrame(
    {
        "indicator": ["revenue_per_htx", "revenue_per_htx", "n_htx", "n_htx"],
        "year": [2024] * 4,
        "agency": ["VCA", "MPI"] * 2,
        "value": [2.839e9, 3.55e9, 33_557, 33_335],
    }
)


def test_conflict_4_only_a_named_precedence_decides_between_agencies() -> None:
    keys = ["indicator", "year"]
    opened = conflicting_sources(AGENCIES, keys=keys, value="value", agency="agency")
    assert opened["is_decided"].to_list() == [False, False]
    by_ministry = conflicting_sources(
        AGENCIES, keys=keys, value="value", agency="agency", precedence=["MPI", "VCA"]
    )
    assert by_ministry["chosen_value"].to_list() == [33_335.0, 3.55e9]
    by_alliance = conflicting_sources(
        AGENCIES, keys=keys, value="value", agency="agency", precedence=["VCA"]
    )
    assert by_alliance["chosen_value"].to_list() == [33_557.0, 2.839e9]


def test_sources_that_round_one_figure_differently_do_not_conflict() -> None:
    said = pl.DataFrame({"year": [2024] * 2, "agency": ["a", "b"], "value": [5.935e6, 5.94e6]})
    assert conflicting_sources(said, keys=["year"], value="value", agency="agency").is_empty()


def test_conflicts_do_not_depend_on_the_order_of_statements() -> None:
    how = {
        "keys": ["indicator", "year"],
        "value": "value",
        "agency": "agency",
        "precedence": ["MPI"],
    }
    once = conflicting_sources(AGENCIES, **how)
    assert once.equals(conflicting_sources(AGENCIES.reverse(), **how))
    assert once.equals(conflicting_sources(pl.concat([AGENCIES, AGENCIES]), **how))


@pytest.mark.parametrize(
    ("members", "of", "is_possible"),
    [(1_000_000, 35_041, False), (1_000, 35_041, True), (1_000_000, 6_000_000, True)],
)
def test_conflict_5_unions_have_cooperatives_as_members_and_there_are_not_a_million(
    members: int, of: int, is_possible: bool
) -> None:
    case = pl.DataFrame({"per_union": [members / 164], "unions": [164], "one": [1], "all": [of]})
    found = part_exceeds_whole(
        case, part_mean="per_union", part_count="unions", whole_mean="one", whole_count="all"
    )
    assert found.is_empty() is is_possible


def test_conflict_6_words_after_an_area_stop_the_reading() -> None:
    read = parse_numbers(pl.Series(["81.00ha cao su", "81.00ha"]), unit="ha", target_unit="ha")
    assert read.values.to_list() == [None, 81.0]
    assert read.notes.filter(pl.col("index") == 0)["code"].to_list() == ["unknown_unit"]


def test_conflict_7_a_heading_that_mixes_members_and_workers_is_named() -> None:
    assert mixes_members_and_workers("Thành viên và người lao động")
    assert not mixes_members_and_workers("Thành viên")
    assert heading_notes(pl.Series(["Thành viên", "Thành viên và người lao động"]))[
        "code"
    ].to_list() == ["mixed_definition"]


def test_conflict_8_projects_and_models_are_not_compared() -> None:
    said = pl.DataFrame(
        {
            "of": ["linkages", "linkages", "households", "households"], "agency": ["A", "B"] * 2,
            "value": [2_938, 3_500, 200_000, 300_000], "counted": ["dự án", "mô hình", "hộ", "hộ"],
        }
    )  # fmt: skip
    found = conflicting_sources(said, keys=["of"], value="value", agency="agency", unit="counted")
    assert found.select("of", "code", "ratio", "is_decided").rows() == [
        ("households", "conflicting_values", 1.5, False),
        ("linkages", "different_unit_of_count", None, False),
    ]
    assert found["statements"][1] == "A: 2938 dự án; B: 3500 mô hình"


KNOWN = (
    "Thông tư 07/2019/TT-BKHĐT",
    "Chương trình số 41-CTr/TU ngày 07 tháng 10 năm 2022",
    "Chương trình 41-CTr/TU ngày 27/10/2022",
    "Nghị quyết 09/NQ-CP ngày 02/02/2023",
    "Kế hoạch 4205/KH-UBND ngày 01/12/2023",
)


def codes(citation: str, *, beside: tuple[str, ...] = ()) -> list[str]:
    return [n.code for n in check_citation(citation, known=KNOWN, beside=beside)]


def test_conflict_9_a_circular_cited_under_another_number_is_unknown_and_the_nearest_is_named() -> (
    None
):
    (note,) = check_citation("Thông tư 09/2019/TT-BKHĐT", known=KNOWN)
    assert (note.code, note.nearest) == ("unknown_document", KNOWN[0])
    assert codes("Thông tư 07/2019/TT-BKHĐT") == []


def test_conflict_9_one_number_of_two_provinces_needs_its_date() -> None:
    assert codes("41-CTr/TU") == ["number_without_date", "several_documents"]
    assert codes("Chương trình 41-CTr/TU ngày 7/10/2022") == []
    kon_tum, lam_dong = (document_key(KNOWN[i]) for i in (1, 2))
    assert kon_tum is not None
    assert lam_dong is not None
    assert kon_tum.number == lam_dong.number == "41-CTr/TU"
    assert same_document(kon_tum, lam_dong) is False


def test_conflict_9_a_plan_with_the_number_of_a_resolution_beside_it_is_doubted() -> None:
    found = codes("Kế hoạch số 09/KH-UBND", beside=("Nghị quyết 09/NQ-CP ngày 02/02/2023",))
    assert found == ["number_without_date", "unknown_document", "number_borrowed"]
    assert codes("Kế hoạch 4205/KH-UBND ngày 01/12/2023", beside=("Nghị quyết 09/NQ-CP",)) == []


@pytest.mark.parametrize(
    ("citation", "number", "dated"),
    [
        ("41-CTr/TU ngày 07/10/2022", "41-CTr/TU", date(2022, 10, 7)),
        ("Nghị định số 98/2018/NĐ-CP ngày 05 tháng 7 năm 2018", "98/2018/NĐ-CP", date(2018, 7, 5)),
        ("Quyết định 781/QĐ-UBND ngày 31/02/2022", "781/QĐ-UBND", None),
        ("ban hành ngày 07/10/2022", None, None),
        ("diện tích 12/15 ha", None, None),
    ],
)
def test_a_citation_is_read_by_number_and_date(
    citation: str, number: str | None, dated: date | None
) -> None:
    key = document_key(citation)
    assert (None if key is None else key.number) == number
    assert (None if key is None else key.dated) == dated


def test_conflict_10_an_old_date_of_the_deforestation_regulation_is_not_in_force() -> None:
    in_force = {"large and medium": date(2026, 12, 30), "micro and small": date(2027, 6, 30)}
    paper = pl.DataFrame(
        {
            "who": ["large and medium", "large and medium", "micro and small"],
            "day": [date(2026, 6, 30), date(2026, 12, 30), date(2027, 6, 30)],
        }
    )
    found = wrong_dates(paper, subject="who", day="day", in_force=in_force)
    assert found.select("day", "code").rows() == [(date(2026, 6, 30), "date_not_in_force")]


def test_conflict_11_a_share_of_all_does_not_meet_the_share_of_those_rated_good_or_fair() -> None:
    fifty = targets().filter(
        pl.col("indicator") == "chain_linked_share", pl.col("target_year") == 2030
    )
    assert set(fifty["denominator"]) == {"all_htx", "rated_good_fair"}
    flat = pl.DataFrame(
        {
            "period": ["2025"], "locality": ["province"], "indicator": ["chain_linked_share"], "evidence": [None], "denominator": ["all_htx"],
            "value": [0.6], "value_low": [None], "value_high": [None], "value_unit": ["share"], "n": [240], "is_defined": [True], "reason": [None],
        },
        schema_overrides={"evidence": pl.String, "value_low": pl.Float64, "value_high": pl.Float64, "reason": pl.String},
    )  # fmt: skip
    held = plan_progress(fifty, flat)
    met = {(r["denominator"], r["is_comparable"], r["is_met"]) for r in held.iter_rows(named=True)}
    assert met == {("all_htx", True, True), ("rated_good_fair", False, None)}


def test_conflict_12_a_code_means_nothing_without_its_version() -> None:
    then, now = date(2024, 12, 14), date(2026, 6, 1)
    old = resolve_place(code="23356", name="Xã Đăk Choong", as_of=then)
    new = resolve_place(code="23356", name="Xã Xốp", as_of=now)
    assert (old["place_status"], new["place_status"]) == ("exact_code", "exact_code")
    assert old["admin_code"] == new["admin_code"]
    assert old["admin_version"] != new["admin_version"]
    late = resolve_place(code="23356", name="Xã Đăk Choong", as_of=now)
    assert late["place_status"] == "name_of_other_version"
    assert late["admin_version"] == old["admin_version"]
