"""A file with only the corrected rows takes the place of those rows, and of no others."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline import storage
from htx_pipeline.ingest.inbox import Seen, intake
from htx_pipeline.ingest.inbox_ledger import (
    LEDGER_SCHEMA,
    active,
    corrections_in_force,
    ledger_path,
    read_ledger,
    waiting,
)
from htx_pipeline.ingest.inbox_places import row_keys
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule
from htx_pipeline.ingest.partial import Correction, about, diff_partial, replace_rows
from htx_pipeline.ingest.read import ReadResult, list_sources, read_sources

NOW = dt.datetime(2025, 1, 10, 8, tzinfo=dt.UTC)
YEAR = PeriodRule(path_pattern=r"(20\d{2})/")
MAPPINGS = [
    Mapping(
        id=name, table=table, files=(files,), period=YEAR, columns={k: ColumnRule(source=v) for k, v in columns.items()},
    )
    for name, table, files, columns in (
        ("reports", "cooperative_reports", "20[0-9][0-9]/bao-cao/*.csv", {"tax_code": "Mã số", "name": "Tên HTX", "revenue_vnd": "Doanh thu"}),
        ("courses", "trainings", "20[0-9][0-9]/dao-tao.csv", {"course": "Lớp", "name": "Đơn vị", "managers_trained": "Số người"}),
    )
]  # fmt: skip
A, B, C, D, E = (
    (f"610000000{i}", name, 10 * i)
    for i, name in enumerate(("HTX Sao Mai", "HTX Bình Minh", "HTX Đất Đỏ", "HTX Nắng", "HTX Suối Reo"), 1)
)  # fmt: skip


def report(*rows: tuple[str, str, int], heading: str = "Báo cáo năm 2024") -> str:
    lines = [f"{heading};;", "Mã số;Tên HTX;Doanh thu", *(";".join(map(str, r)) for r in rows)]
    return "\n".join(lines) + "\n"


WHOLE = report(A, B, C, D, E)


class Box:
    """An inbox that is looked at again and again, an hour after each file was saved."""

    def __init__(self, base: Path) -> None:
        self.folder, self.data, self.input = base / "inbox", base / "data", base / "input"
        self.folder.mkdir()

    def put(self, name: str, content: str, *, age: float = 3600) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, (NOW.timestamp() - age,) * 2)

    def take(self, mappings: Sequence[Mapping] = MAPPINGS) -> dict[str, tuple[str, str]]:
        scan, _ = intake(
            self.folder, data_dir=self.data, input_dir=self.input, mappings=mappings, now=NOW
        )
        return {r["file"]: (r["fate"], r["code"]) for r in scan.decisions.iter_rows(named=True)}

    def look(self, *, max_files: int, seen: dict[str, Seen] | None = None) -> dict[str, Seen]:
        scan, _ = intake(
            self.folder, data_dir=self.data, input_dir=self.input, mappings=MAPPINGS, now=NOW, max_files=max_files, seen=seen,
        )  # fmt: skip
        return scan.seen

    @property
    def ledger(self) -> pl.DataFrame:
        return read_ledger(self.data)

    def inputs(self) -> dict[str, bytes]:
        found = (p for p in sorted(self.input.rglob("*")) if p.is_file())
        return {p.relative_to(self.input).as_posix(): p.read_bytes() for p in found}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path)
    made.put("2024.csv", WHOLE)
    made.take()
    return made


def corrected(*rows: tuple[str, str, int]) -> str:
    return report(*rows, heading="Đính chính báo cáo năm 2024")


def read(box: Box, *, period: str = "2024") -> ReadResult:
    sources = list_sources(MAPPINGS, box.input, corrects=corrections_in_force(box.ledger))
    return read_sources(
        "cooperative_reports", MAPPINGS, sources, input_dir=box.input, period=period
    )


def revenues(result: ReadResult) -> dict[str, list[int]]:
    """Tax code → revenues, so that a row counted twice shows."""
    grouped = result.rows.sort("tax_code").group_by("tax_code", maintain_order=True)
    return {str(k[0]): part["revenue_vnd"].to_list() for k, part in grouped}


def test_exactly_the_rows_sent_again_are_replaced_and_the_others_keep_their_provenance(
    box: Box,
) -> None:
    before = read(box).rows
    box.put("sua.csv", corrected((*B[:2], 21)))
    assert box.take() == {"sua.csv": ("accepted", "partial_correction")}
    after = read(box)
    assert revenues(after) == {A[0]: [10], B[0]: [21], C[0]: [30], D[0]: [40], E[0]: [50]}
    others = pl.col("tax_code") != B[0]
    assert after.rows.filter(others).sort("tax_code").equals(before.filter(others).sort("tax_code"))
    (new,) = after.rows.filter(~others).iter_rows(named=True)
    assert new["source_file"] == "2024/bao-cao/sua.csv"
    assert new["source_id"].startswith(box.ledger["sha256"][1][:16])
    assert new["source_row"] == 3
    assert box.inputs()["2024/bao-cao/2024.csv"] == WHOLE.encode()


def test_what_changed_is_listed_with_both_values_and_where_they_stand(box: Box) -> None:
    box.put("sua.csv", corrected((*B[:2], 21)))
    box.take()
    result = read(box)
    (change,) = result.changes.iter_rows(named=True)
    assert (change["change"], change["key"], change["column"]) == (
        "changed",
        B[1],
        "revenue_vnd",
    )
    assert (change["old_value"], change["new_value"]) == ("20", "21")
    assert (change["corrects_file"], change["old_row"]) == ("2024/bao-cao/2024.csv", 4)
    assert (change["source_file"], change["new_row"]) == ("2024/bao-cao/sua.csv", 3)
    told = result.findings.filter(pl.col("rule_id").str.ends_with(".row_corrected"))
    assert told.select("severity", "column", "raw_value", "source_row").rows() == [
        ("info", "revenue_vnd", "21", 3)
    ]
    assert "«20»" in told["reason_vi"][0]


def test_what_was_wrong_with_a_replaced_row_is_not_told_any_more(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.put("2024.csv", WHOLE.replace(";20", ";hai chục").replace(";30", ";ba chục"))
    box.take()
    unread = pl.col("rule_id").str.contains("not_a_number")
    assert read(box).findings.filter(unread)["source_row"].to_list() == [4, 5]
    box.put("sua.csv", corrected((*B[:2], 21)))
    box.take()
    after = read(box)
    assert after.findings.filter(unread)["source_row"].to_list() == [5]
    assert revenues(after)[B[0]] == [21]


def test_the_sheets_account_for_the_rows_that_were_replaced(box: Box) -> None:
    box.put("sua.csv", corrected((*A[:2], 11), (*B[:2], 21)))
    box.take()
    result = read(box)
    account = dict(result.sheets.select("source_file", "rows_replaced").iter_rows())
    assert account == {"2024/bao-cao/2024.csv": 2, "2024/bao-cao/sua.csv": 0}
    left = result.sheets.select(pl.col("rows_this_period") - pl.col("rows_replaced")).to_series()
    assert sum(left) == result.rows.height


def test_a_second_correction_counts_over_the_first_and_leaves_its_other_rows(box: Box) -> None:
    box.put("sua 1.csv", corrected((*A[:2], 11), (*B[:2], 21)))
    box.take()
    box.put("sua 2.csv", corrected((*B[:2], 22)))
    assert box.take() == {"sua 2.csv": ("accepted", "partial_correction")}
    result = read(box)
    assert revenues(result) == {A[0]: [11], B[0]: [22], C[0]: [30], D[0]: [40], E[0]: [50]}
    assert result.changes.filter(pl.col("key") == B[1])["old_value"].to_list() == ["20", "21"]


@pytest.mark.parametrize("names", [("a.csv", "z.csv"), ("z.csv", "a.csv")])
def test_of_corrections_that_arrive_together_the_one_saved_later_counts(
    box: Box, names: tuple[str, str]
) -> None:
    box.put(names[0], corrected((*B[:2], 21)), age=900)
    box.put(names[1], corrected((*B[:2], 22)), age=800)
    assert set(box.take().values()) == {("accepted", "partial_correction")}
    assert revenues(read(box))[B[0]] == [22]


def test_the_same_correction_sent_twice_is_ignored(box: Box) -> None:
    box.put("sua.csv", corrected((*B[:2], 21)))
    box.take()
    once = read(box).rows
    box.put("sua lan nua.csv", corrected((*B[:2], 21)))
    assert box.take() == {"sua lan nua.csv": ("ignored", "renamed_duplicate")}
    assert read(box).rows.equals(once)


def test_a_row_that_the_report_does_not_hold_is_quarantined_with_the_counts(box: Box) -> None:
    stranger = ("6100000009", "HTX Lạ", 90)
    box.put("sua.csv", corrected((*B[:2], 21), stranger))
    assert box.take() == {"sua.csv": ("quarantined", "overlapping_report")}
    (row,) = box.ledger.filter(pl.col("fate") == "quarantined").iter_rows(named=True)
    assert "Có 1 dòng" in row["reason_vi"]
    assert "1 dòng không có" in row["reason_vi"]
    assert "only the rows to correct" in row["remedy_en"]
    assert revenues(read(box))[B[0]] == [20]


def test_a_correction_of_rows_of_two_reports_waits_for_a_person(box: Box) -> None:
    others = [(f"62{i:08d}", f"HTX số {i}", i) for i in range(5)]
    box.put("2 2024.csv", report(*others))
    box.take()
    box.put("sua.csv", corrected((*B[:2], 21), (*others[0][:2], 1)))
    assert box.take() == {"sua.csv": ("quarantined", "overlapping_report")}


def test_a_correction_that_fits_the_reports_of_two_years_waits_for_a_person(tmp_path: Path) -> None:
    by_row = MAPPINGS[0].model_copy(
        update={"files": ("bao-cao/*.csv",), "period": PeriodRule(column="Năm")}
    )
    box = Box(tmp_path)

    def rows(*years: int, of: Sequence[tuple[str, str, int]]) -> str:
        lines = (f"{code};{name};{value};{y}" for y in years for code, name, value in of)
        return "\n".join(["Mã số;Tên HTX;Doanh thu;Năm", *lines]) + "\n"

    for year in (2023, 2024):
        box.put(f"bao-cao/{year}.csv", rows(year, of=(A, B, C, D, E)))
        assert list(box.take([by_row]).values()) == [("accepted", "new_report")]
    box.put("bao-cao/sua.csv", rows(2023, 2024, of=(B,)))
    assert box.take([by_row]) == {"bao-cao/sua.csv": ("quarantined", "correction_of_several")}
    assert "«bao-cao/2023.csv»; «bao-cao/2024.csv»" in box.ledger["reason_vi"].to_list()[-1]
    box.put("bao-cao/sua 2024.csv", rows(2024, of=(B,)))
    assert box.take([by_row]) == {"bao-cao/sua 2024.csv": ("accepted", "partial_correction")}
    assert box.ledger["corrects"].to_list()[-1] == box.ledger["sha256"].to_list()[1]


def test_a_correction_of_another_year_is_a_report_of_its_own(box: Box) -> None:
    box.put("sua.csv", report((*B[:2], 21), heading="Báo cáo năm 2023"))
    assert box.take() == {"sua.csv": ("accepted", "new_report")}
    assert revenues(read(box))[B[0]] == [20]


EARLY = [
    ("sua.csv", corrected((*B[:2], 21))),
    ("Đính chính.csv", report((*B[:2], 21))),
    ("2024/bao-cao/dinh_chinh-lan-1.csv", report((*B[:2], 21), heading="Báo cáo")),
]


@pytest.mark.parametrize(("name", "content"), EARLY)
def test_a_correction_that_comes_before_its_report_waits_and_is_taken_in_by_itself(
    tmp_path: Path, name: str, content: str
) -> None:
    box = Box(tmp_path)
    box.put(name, content)
    assert box.take() == {name: ("quarantined", "correction_early")}
    assert box.take() == {}
    assert box.inputs() == {}
    assert waiting(box.ledger)["file"].to_list() == [name]
    (row,) = box.ledger.iter_rows(named=True)
    assert "1 dòng" in row["reason_vi"]
    assert "năm 2024" in row["reason_vi"]
    assert "tự được tiếp nhận" in row["remedy_vi"]
    assert "taken in by itself" in row["remedy_en"]
    box.put("2024.csv", WHOLE, age=7200)
    assert box.take() == {
        "2024.csv": ("accepted", "new_report"), name: ("accepted", "partial_correction"),
    }  # fmt: skip
    assert revenues(read(box)) == {A[0]: [10], B[0]: [21], C[0]: [30], D[0]: [40], E[0]: [50]}
    assert waiting(box.ledger).is_empty()
    assert box.take() == {}


@pytest.mark.parametrize("ages", [(7200, 3600), (3600, 7200)])
def test_a_correction_and_its_report_that_arrive_together_are_both_taken_in_whichever_is_older(
    tmp_path: Path, ages: tuple[float, float]
) -> None:
    box = Box(tmp_path)
    box.put("sua.csv", corrected((*B[:2], 21)), age=ages[0])
    box.put("2024.csv", WHOLE, age=ages[1])
    assert box.take() == {
        "2024.csv": ("accepted", "new_report"), "sua.csv": ("accepted", "partial_correction"),
    }  # fmt: skip
    assert revenues(read(box))[B[0]] == [21]


def test_a_correction_waits_for_the_report_of_its_year_and_form_only(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.put("sua.csv", corrected((*B[:2], 21)))
    box.put("2023.csv", report(A, B, C, D, E, heading="Báo cáo năm 2023"))
    box.put("khac.csv", report(("6200000001", "HTX Khác", 1)))
    assert box.take()["sua.csv"] == ("quarantined", "correction_early")
    assert waiting(box.ledger)["file"].to_list() == ["sua.csv"]


def test_what_stands_in_the_table_itself_makes_no_correction_of_a_report(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.put("2024.csv", report(A, ("6100000002", "HTX Đính chính", 20)))
    box.put("2023.csv", report(A, heading="Báo cáo năm 2023 (đã đính chính)"))
    assert set(box.take().values()) == {("accepted", "new_report")}


def test_a_file_that_says_it_is_a_correction_never_takes_rows_out_that_it_does_not_restate(
    box: Box,
) -> None:
    rows = [(code, name, value + 1) for code, name, value in (A, B, C)]
    box.put("sua.csv", corrected(*rows))
    assert box.take() == {"sua.csv": ("accepted", "partial_correction")}
    assert revenues(read(box)) == {A[0]: [11], B[0]: [21], C[0]: [31], D[0]: [40], E[0]: [50]}


def test_a_few_rows_that_do_not_say_so_are_a_report_and_the_fuller_one_takes_its_place(
    tmp_path: Path,
) -> None:
    box = Box(tmp_path)
    box.put("mot phan.csv", report((*B[:2], 21)))
    box.put("hai.csv", report((*C[:2], 31)))
    assert set(box.take().values()) == {("accepted", "new_report")}
    box.put("2024.csv", WHOLE)
    assert box.take() == {"2024.csv": ("accepted", "fuller_version")}
    assert list(box.inputs()) == ["2024/bao-cao/2024.csv"]
    assert active(box.ledger)["file"].to_list() == ["2024.csv"]
    assert revenues(read(box)) == {A[0]: [10], B[0]: [20], C[0]: [30], D[0]: [40], E[0]: [50]}
    row = box.ledger.row(-1, named=True)
    assert "«hai.csv»; «mot phan.csv»" in row["reason_vi"]
    assert "thêm 3 dòng" in row["reason_vi"]
    # What the remedy says works.
    assert "“Đính chính” in its title" in row["remedy_en"]
    box.put("gui lai.csv", corrected((*B[:2], 21)))
    assert box.take() == {"gui lai.csv": ("accepted", "partial_correction")}
    assert revenues(read(box))[B[0]] == [21]
    box.put("mot phan nua.csv", report((*B[:2], 21)))
    assert box.take() == {"mot phan nua.csv": ("ignored", "older_version")}


def test_a_report_of_one_year_leaves_the_other_year_of_a_report_of_two(tmp_path: Path) -> None:
    by_row = MAPPINGS[0].model_copy(
        update={"files": ("bao-cao/*.csv",), "period": PeriodRule(column="Năm")}
    )
    box = Box(tmp_path)
    head = "Mã số;Tên HTX;Doanh thu;Năm"
    both = [f"{c};{n};{v};{y}" for y in (2023, 2024) for c, n, v in (A, B, C)]
    one = [f"{c};{n};{v + 1};2024" for c, n, v in (A, B, C)]
    box.put("bao-cao/hai nam.csv", "\n".join([head, *both]) + "\n")
    assert list(box.take([by_row]).values()) == [("accepted", "new_report")]
    box.put("bao-cao/mot nam.csv", "\n".join([head, *one]) + "\n")
    assert list(box.take([by_row]).values()) == [("accepted", "partial_correction")]
    assert sorted(box.inputs()) == ["bao-cao/hai nam.csv", "bao-cao/mot nam.csv"]


def test_files_that_wait_do_not_keep_new_ones_from_being_looked_at(tmp_path: Path) -> None:
    box = Box(tmp_path)
    for i in range(3):
        box.put(f"sua {i}.csv", corrected((f"63{i:08d}", f"HTX số {i}", i)))
    seen = box.look(max_files=3)
    box.put("2024.csv", WHOLE)
    seen = box.look(max_files=1, seen=seen)
    assert active(box.ledger)["file"].to_list() == ["2024.csv"]
    assert sorted(seen) == ["2024.csv", "sua 0.csv", "sua 1.csv", "sua 2.csv"]


def test_a_whole_report_sent_later_takes_the_place_of_the_report_and_its_corrections(
    box: Box,
) -> None:
    box.put("sua.csv", corrected((*B[:2], 21)))
    box.take()
    box.put("moi.csv", report(A, (*B[:2], 23), C, D, E))
    assert box.take() == {"moi.csv": ("accepted", "newer_version")}
    assert active(box.ledger)["file"].to_list() == ["moi.csv"]
    assert list(box.inputs()) == ["2024/bao-cao/moi.csv"]
    assert revenues(read(box))[B[0]] == [23]
    assert read(box).changes.is_empty()
    box.put("sua lai.csv", corrected((*B[:2], 21)))
    assert box.take() == {"sua lai.csv": ("ignored", "older_version")}


def test_where_one_file_is_read_a_few_rows_of_it_do_not_displace_the_others(
    tmp_path: Path,
) -> None:
    box = Box(tmp_path)
    heading = "Lớp;Đơn vị;Số người\n"
    rows = [f"Quản trị;HTX {c};3\n" for c in "ABCDE"]
    box.put("2024/lop.csv", heading + "".join(rows))
    box.take()
    box.put("2024/lop sua.csv", heading + rows[1].replace("3", "4"))
    assert box.take() == {"2024/lop sua.csv": ("quarantined", "correction_without_room")}
    assert box.take() == {}
    assert box.inputs() == {"2024/dao-tao.csv": (heading + "".join(rows)).encode()}


def test_a_ledger_written_before_corrections_existed_is_still_read(box: Box) -> None:
    storage.write_table(box.ledger.drop("corrects"), ledger_path(box.data))
    assert dict(box.ledger.schema) == LEDGER_SCHEMA
    box.put("sua.csv", corrected((*B[:2], 21)))
    assert box.take() == {"sua.csv": ("accepted", "partial_correction")}


# --- rows -------------------------------------------------------------------------------------


def frame(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "name": n, "revenue_vnd": v, "source_id": f"{sha}:S:{i}", "source_file": sha, "source_sheet": "S", "source_row": i,
            }
            for i, (n, v, sha) in enumerate(rows, 1)
        ]
    )  # fmt: skip


def test_another_number_of_rows_about_one_thing_is_replaced_whole_and_said() -> None:
    rows = frame(("HTX A", 1, "aa"), ("HTX A", 2, "aa"), ("HTX B", 3, "aa"), ("HTX A", 4, "bb"))
    done = replace_rows("cooperative_reports", rows, [Correction("bb", "bb", "aa")])
    assert done.rows.select("name", "revenue_vnd").rows() == [("HTX B", 3), ("HTX A", 4)]
    assert done.replaced_ids == ("aa:S:1", "aa:S:2")
    assert "cooperative_reports.correction_changes_row_count" in done.findings["rule_id"].to_list()


def test_a_corrected_row_that_fits_nothing_stays_and_is_told_of() -> None:
    rows = frame(("HTX A", 1, "aa"), ("HTX Z", 9, "bb"))
    done = replace_rows("cooperative_reports", rows, [Correction("bb", "bb", "aa")])
    assert done.rows.equals(rows)
    assert done.findings["rule_id"].to_list() == ["cooperative_reports.correction_unmatched"]


def test_rows_of_other_reports_about_the_same_thing_are_left_alone() -> None:
    rows = frame(("HTX A", 1, "aa"), ("HTX A", 7, "cc"), ("HTX A", 2, "bb"))
    done = replace_rows("cooperative_reports", rows, [Correction("bb", "bb", "aa")])
    assert done.rows["source_file"].to_list() == ["cc", "bb"]


def test_without_corrections_nothing_changes() -> None:
    rows = frame(("HTX A", 1, "aa"), ("HTX A", 2, "bb"))
    assert replace_rows("cooperative_reports", rows, []).rows.equals(rows)


def test_what_a_row_is_about_is_told_the_same_row_by_row_as_for_the_file() -> None:
    rows = frame(("HTX Hòa", 1, "aa"), ("HTX Hoà", 1, "aa"), ("", 1, "aa"))
    told = about("cooperative_reports", rows)
    assert told[0] == told[1]
    assert told[2] is None
    assert row_keys("cooperative_reports", rows) == (told[0],)


def test_the_list_of_changes_of_a_correction_names_no_row_it_leaves_out_as_removed() -> None:
    old = frame(*((f"HTX {c}", i, "aa") for i, c in enumerate("ABCDE")))
    told = diff_partial("cooperative_reports", old, frame(("HTX D", 9, "bb")))
    assert told is not None
    assert told.select("change", "key", "old_value", "new_value").rows() == [
        ("changed", "HTX D", "3", "9")
    ]


@pytest.mark.parametrize(
    "names", [("HTX A", "HTX Z"), ("HTX A", "HTX B", "HTX C"), ()], ids=["stranger", "most", "none"]
)
def test_what_is_no_correction_is_compared_as_a_whole_report(names: tuple[str, ...]) -> None:
    old = frame(*((f"HTX {c}", i, "aa") for i, c in enumerate("ABCDE")))
    new = frame(*((n, 9, "bb") for n in names)) if names else old.clear()
    assert diff_partial("cooperative_reports", old, new) is None
