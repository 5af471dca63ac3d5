"""Every file that arrives in the inbox has one fate and a reason, and is kept as it came."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from htx_pipeline import storage
from htx_pipeline.errors import InputError
from htx_pipeline.ingest import inbox as library
from htx_pipeline.ingest.inbox import Scan, Seen, intake, scan_inbox
from htx_pipeline.ingest.inbox_ledger import (
    LEDGER_SCHEMA,
    active,
    empty_ledger,
    read_ledger,
    waiting,
)
from htx_pipeline.ingest.inbox_places import fill_glob, row_keys, safe_name
from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule
from htx_pipeline.ingest.read import list_sources, read_sources

NOW = dt.datetime(2025, 1, 10, 8, tzinfo=dt.UTC)


def mapping(
    name: str,
    files: str,
    columns: dict[str, str],
    *,
    table: str = "cooperative_reports",
    **period: Any,
) -> Mapping:
    return Mapping(
        id=name, table=table, files=(files,), period=PeriodRule(**(period or {"path_pattern": r"(20\d{2})/"})),
        columns={k: ColumnRule(source=v) for k, v in columns.items()},
    )  # fmt: skip


REPORTS = mapping(
    "reports",
    "20[0-9][0-9]/bao-cao/*.csv",
    {"tax_code": "Mã số", "name": "Tên HTX", "revenue_vnd": "Doanh thu"},
)
COURSES = mapping(
    "courses",
    "20[0-9][0-9]/dao-tao.csv",
    {"course": "Lớp", "name": "Đơn vị", "managers_trained": "Số người"},
    table="trainings",
)
MAPPINGS = [REPORTS, COURSES]


class Box:
    """An inbox with its data and input folders, and a clock."""

    def __init__(self, base: Path) -> None:
        self.folder, self.data, self.input = base / "inbox", base / "data", base / "input"
        self.folder.mkdir()
        self.now = NOW
        self.mappings: Sequence[Mapping] = MAPPINGS
        self.seen: dict[str, Seen] = {}

    def put(self, name: str, content: str | bytes, *, age: float = 3600) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        when = self.now.timestamp() - age
        os.utime(path, (when, when))
        return path

    def look(self, **how: Any) -> Scan:
        return scan_inbox(
            self.folder,
            ledger=read_ledger(self.data),
            mappings=self.mappings,
            input_dir=self.input,
            now=self.now,
            seen=self.seen,
            **how,
        )

    def take(self, **how: Any) -> dict[str, tuple[str, str]]:
        scan, _ = intake(
            self.folder,
            data_dir=self.data,
            input_dir=self.input,
            mappings=self.mappings,
            now=self.now,
            seen=self.seen,
            **how,
        )
        self.seen = scan.seen
        self.now += dt.timedelta(minutes=5)
        return {r["file"]: (r["fate"], r["code"]) for r in scan.decisions.iter_rows(named=True)}

    @property
    def ledger(self) -> pl.DataFrame:
        return read_ledger(self.data)

    def inputs(self) -> dict[str, bytes]:
        return {
            p.relative_to(self.input).as_posix(): p.read_bytes()
            for p in sorted(self.input.rglob("*"))
            if p.is_file()
        }


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def report(*rows: tuple[str, str, int], heading: str = "Báo cáo năm 2024") -> str:
    return (
        "\n".join(
            [f"{heading};;", "Mã số;Tên HTX;Doanh thu", *(f"{t};{n};{r}" for t, n, r in rows)]
        )
        + "\n"
    )


A, B, C, D = (
    ("6100000001", "HTX Sao Mai", 10),
    ("6100000002", "HTX Bình Minh", 20),
    ("6100000003", "HTX Đất Đỏ", 30),
    ("6100000004", "HTX Nắng", 40),
)
COURSE = "Lớp;Đơn vị;Số người\nQuản trị;HTX Sao Mai;3\n"


def test_a_file_sent_again_under_its_name_no_longer_waits(box: Box) -> None:
    box.put("2024.csv", b"PK\x03\x04 cut off")
    box.put("la.csv", "Khác;Biểu\n1;2\n")
    assert {code for _, code in box.take().values()} == {"damaged", "unknown_kind"}
    assert waiting(box.ledger)["file"].sort().to_list() == ["2024.csv", "la.csv"]
    box.put("2024.csv", report(A, B))
    box.put("other.csv", report(C, D, heading="Báo cáo năm 2023"))
    box.take()
    assert waiting(box.ledger)["file"].to_list() == ["la.csv"]


# --- what is not taken in ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.crdownload", "a.TMP"])
def test_a_download_under_way_waits_and_is_not_entered(box: Box, name: str) -> None:
    box.put(name, report(A))
    assert box.take() == {name: ("ignored", "being_written")}
    assert box.ledger.is_empty()
    assert box.inputs() == {}


@pytest.mark.parametrize("lock", [".~lock.2024.csv#", "~$2024.csv"])
def test_a_file_that_somebody_has_open_waits_until_it_is_closed(box: Box, lock: str) -> None:
    box.put("2024.csv", report(A))
    held = box.put(lock, "somebody")
    assert box.take() == {"2024.csv": ("ignored", "being_written")}
    held.unlink()
    assert box.take() == {"2024.csv": ("accepted", "new_report")}


def test_a_file_just_written_or_still_growing_waits(box: Box) -> None:
    path = box.put("2024.csv", report(A), age=5)
    assert box.take() == {"2024.csv": ("ignored", "being_written")}
    path.write_text(report(A, B))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert box.take() == {"2024.csv": ("ignored", "being_written")}
    assert box.take() == {"2024.csv": ("accepted", "new_report")}


def test_a_clock_ahead_of_ours_does_not_hold_a_file_back_for_ever(box: Box) -> None:
    box.put("2024.csv", report(A), age=-86_400)
    assert box.take() == {"2024.csv": ("accepted", "new_report")}


def test_a_file_that_changes_while_it_is_read_waits(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.put("2024.csv", report(A))
    real = library.read_bytes

    def racing(target: Any) -> bytes:
        content = real(target)
        with path.open("a") as stream:
            stream.write("x")
        return content

    monkeypatch.setattr(library, "read_bytes", racing)
    assert box.take() == {"2024.csv": ("ignored", "being_written")}
    assert box.ledger.is_empty()


def test_a_link_is_never_followed_and_told_of_once(box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(report(A))
    (box.folder / "2024.csv").symlink_to(secret)
    (box.folder / "folder").symlink_to(tmp_path)
    assert box.take() == {"2024.csv": ("ignored", "symlink"), "folder": ("ignored", "symlink")}
    assert box.take() == {}
    assert box.inputs() == {}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7 ...", "unsupported_kind"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"", "empty_file"),
        (b"a;b\n1;2\n", "unknown_kind"),
        (report(A, heading="Tổng hợp").encode(), "period_unknown"),
        (report(A, heading="Báo cáo năm 2024, so với năm 2023").encode(), "period_unknown"),
    ],
)
def test_what_cannot_be_used_is_quarantined_with_a_reason_in_both_languages(
    box: Box, content: bytes, code: str
) -> None:
    box.put("x.csv", content)
    assert box.take() == {"x.csv": ("quarantined", code)}
    (row,) = box.ledger.iter_rows(named=True)
    assert row["reason_vi"]
    assert row["reason_en"]
    assert row["remedy_vi"]
    assert box.inputs() == {}
    assert box.take() == {}


def test_a_hostile_file_does_not_stop_the_others_and_is_kept_under_no_ending_that_opens(
    box: Box,
) -> None:
    box.put("2024.xlsx", b"PK\x03\x04" + b"\x00" * 400, age=7200)
    box.put("2024.csv", report(A))
    assert box.take() == {
        "2024.xlsx": ("quarantined", "damaged"),
        "2024.csv": ("accepted", "new_report"),
    }
    kept = box.ledger.filter(pl.col("code") == "damaged")["stored_at"][0]
    assert kept.endswith(".refused")
    assert (box.data / kept).read_bytes().startswith(b"PK")


def test_a_year_in_the_path_that_the_title_denies_is_no_year(box: Box) -> None:
    box.put("2023/x.csv", report(A))
    assert box.take() == {"2023/x.csv": ("quarantined", "period_unknown")}


def test_a_form_that_fits_two_paths_is_not_placed(box: Box) -> None:
    box.mappings = [REPORTS, mapping("other", "20[0-9][0-9]/khac/*.csv", {"name": "Tên HTX"})]
    box.put("2024.csv", report(A))
    assert box.take() == {"2024.csv": ("quarantined", "several_mappings")}


def test_a_known_form_of_a_year_that_no_mapping_reads_is_not_placed(box: Box) -> None:
    box.mappings = [REPORTS.model_copy(update={"files": ("2023/*.csv",)})]
    box.put("x.csv", report(A))
    assert box.take() == {"x.csv": ("quarantined", "no_place")}


# --- what is taken in -------------------------------------------------------------------------


def test_a_file_is_placed_where_its_mapping_reads_it_whatever_its_name(box: Box) -> None:
    box.put("Bản cuối (đã sửa).csv", report(A, B))
    box.put("gửi 2024/lớp học.csv", COURSE)
    assert box.take() == {
        "Bản cuối (đã sửa).csv": ("accepted", "new_report"),
        "gửi 2024/lớp học.csv": ("accepted", "new_report"),
    }
    assert list(box.inputs()) == ["2024/bao-cao/Bản cuối (đã sửa).csv", "2024/dao-tao.csv"]
    sources = list_sources(MAPPINGS, box.input)
    rows = read_sources(
        "cooperative_reports", MAPPINGS, sources, input_dir=box.input, period="2024"
    ).rows
    assert rows["revenue_vnd"].to_list() == [10, 20]


def test_a_path_that_a_mapping_names_is_kept(box: Box) -> None:
    box.put("2023/bao-cao/dak-ha.csv", report(A, heading=""))
    assert box.take() == {"2023/bao-cao/dak-ha.csv": ("accepted", "new_report")}
    assert list(box.inputs()) == ["2023/bao-cao/dak-ha.csv"]
    assert box.ledger["periods"].to_list() == ["2023"]


def test_a_filled_template_needs_no_mapping(box: Box) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from htx_pipeline.ingest.template_form import DATA_SHEET, FIRST_ROW, HEADING_ROW
    from htx_pipeline.ingest.template_write import write_template

    path = write_template("training", box.folder / "lop.xlsx", period="2024")
    book = openpyxl.load_workbook(path)
    sheet = book[DATA_SHEET]
    for cell in sheet[HEADING_ROW]:
        if cell.value and str(cell.value).startswith(("Lớp", "Tên lớp", "Khóa", "Nội dung")):
            sheet.cell(FIRST_ROW, cell.column).value = "Quản trị HTX"
    book.save(path)
    os.utime(path, (NOW.timestamp() - 99, NOW.timestamp() - 99))
    assert box.take() == {"lop.xlsx": ("accepted", "new_report")}
    (placed,) = box.inputs()
    assert placed.startswith("hop-thu/2024/trainings/")
    sources = list_sources(MAPPINGS, box.input)
    assert sources.select("table", "is_usable").rows() == [("trainings", True)]


def test_raw_files_are_kept_by_hash_read_only_and_the_inbox_is_left_alone(box: Box) -> None:
    path = box.put("2024.csv", report(A))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    box.take()
    (row,) = box.ledger.iter_rows(named=True)
    kept = box.data / row["stored_at"]
    assert kept.parent.name == row["sha256"]
    assert kept.read_bytes() == path.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    placed = box.input / row["placed_at"]
    assert placed.stat().st_ino != kept.stat().st_ino


def test_a_name_cannot_lead_out_of_the_folders(box: Box) -> None:
    box.put("2024/.. .csv", report(A))
    box.put("2024/...csv", report(B))
    box.take()
    assert all(".." not in Path(p).parts for p in box.inputs())
    for name in (
        "../../x.csv",
        "/etc/x.csv",
        "..\\x.csv",
        "C:\\x.csv",
        "a\x00b.csv",
        ".",
        "",
        "x" * 400 + ".csv",
    ):
        made = safe_name(name)
        assert made == Path(made).name
        assert made not in {"", ".", ".."}
        assert len(made) <= 100


# --- duplicates and versions ------------------------------------------------------------------


def test_the_same_content_is_read_once_whatever_its_name_or_folder(box: Box) -> None:
    box.put("2024.csv", report(A), age=9000)
    box.put("bản sao.csv", report(A), age=8000)
    box.put("copy/2024.csv", report(A), age=7000)
    assert box.take() == {
        "2024.csv": ("accepted", "new_report"), "bản sao.csv": ("ignored", "renamed_duplicate"), "copy/2024.csv": ("ignored", "duplicate"),
    }  # fmt: skip
    assert len(box.inputs()) == 1
    assert box.take() == {}
    box.seen = {}
    assert box.take() == {}


def test_a_newer_version_replaces_the_older_one_even_under_another_name(box: Box) -> None:
    box.put("2024.csv", report(A, B, C))
    box.take()
    mended = report(("6100000001", "HTX Sao Mai", 11), B, C)
    box.put("2024 da sua.csv", mended)
    assert box.take() == {"2024 da sua.csv": ("accepted", "newer_version")}
    assert box.inputs() == {"2024/bao-cao/2024 da sua.csv": mended.encode()}
    old = box.ledger["sha256"][0]
    assert box.ledger["supersedes"].to_list() == [None, old]
    assert (box.data / box.ledger["stored_at"][0]).exists()
    box.put("again.csv", report(A, B, C))
    assert box.take() == {"again.csv": ("ignored", "older_version")}
    assert active(box.ledger)["file"].to_list() == ["2024 da sua.csv"]


def test_the_same_name_with_other_content_is_a_version_too(box: Box) -> None:
    box.put("2024.csv", report(A, B))
    box.take()
    box.put("2024.csv", report(A, B, C))
    assert box.take() == {"2024.csv": ("accepted", "newer_version")}
    assert box.inputs() == {"2024/bao-cao/2024.csv": report(A, B, C).encode()}


def test_where_one_file_is_read_a_second_one_is_its_newer_version(box: Box) -> None:
    box.put("2024/lop.csv", COURSE)
    box.take()
    other = COURSE.replace("Quản trị;HTX Sao Mai", "Bán hàng;HTX Nắng")
    box.put("2024/lop moi.csv", other)
    assert box.take() == {"2024/lop moi.csv": ("accepted", "newer_version")}
    assert box.inputs() == {"2024/dao-tao.csv": other.encode()}


def test_reports_of_others_and_of_other_years_are_not_versions(box: Box) -> None:
    box.put("a.csv", report(A, B), age=9000)
    box.put("b.csv", report(C, D), age=8000)
    box.put("c.csv", report(A, B, heading="Báo cáo năm 2023"), age=7000)
    assert set(box.take().values()) == {("accepted", "new_report")}
    assert list(box.inputs()) == ["2023/bao-cao/c.csv", "2024/bao-cao/a.csv", "2024/bao-cao/b.csv"]


def test_two_reports_of_one_name_do_not_overwrite_each_other(box: Box) -> None:
    box.put("x/2024.csv", report(A), age=9000)
    box.put("y/2024.csv", report(B), age=8000)
    box.take()
    assert sorted(box.inputs().values()) == sorted([report(A).encode(), report(B).encode()])


def test_a_report_that_shares_a_few_rows_waits_for_a_person_and_is_told_of_once(box: Box) -> None:
    box.put("a.csv", report(A, B))
    box.take()
    box.put("b.csv", report(B, C, D))
    assert box.take() == {"b.csv": ("quarantined", "overlapping_report")}
    assert "1" in box.ledger["reason_en"][1]
    assert box.take() == {}
    assert list(box.inputs()) == ["2024/bao-cao/a.csv"]


def test_a_file_somebody_put_in_the_input_folder_is_never_overwritten(box: Box) -> None:
    there = box.input / "2024" / "dao-tao.csv"
    there.parent.mkdir(parents=True)
    there.write_text("của tôi")
    box.put("2024/lop.csv", COURSE)
    assert box.take() == {"2024/lop.csv": ("quarantined", "place_taken")}
    assert there.read_text() == "của tôi"
    there.unlink()
    assert box.take() == {"2024/lop.csv": ("accepted", "new_report")}


def test_a_file_that_already_lies_in_the_input_folder_is_not_entered_twice(box: Box) -> None:
    there = box.input / "2024" / "dao-tao.csv"
    there.parent.mkdir(parents=True)
    there.write_text(COURSE)
    box.put("2024/lop.csv", COURSE)
    assert box.take() == {"2024/lop.csv": ("ignored", "already_there")}


def test_a_file_of_unknown_kind_is_looked_at_again_when_a_mapping_is_added(box: Box) -> None:
    box.mappings = [COURSES]
    box.put("2024.csv", report(A))
    assert box.take() == {"2024.csv": ("quarantined", "unknown_kind")}
    assert box.take() == {}
    box.mappings = MAPPINGS
    assert box.take() == {"2024.csv": ("accepted", "new_report")}


# --- failing half way -------------------------------------------------------------------------


def test_a_run_that_dies_before_the_ledger_is_written_is_repeated(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put("2024.csv", report(A))

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_table", dies)
        with pytest.raises(KeyboardInterrupt):
            box.take()
    assert box.inputs() == {}
    assert box.take() == {"2024.csv": ("accepted", "new_report")}
    assert len(box.inputs()) == 1


def test_a_run_that_dies_after_the_ledger_is_written_is_finished_by_the_next(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put("a.csv", report(A, B, C))
    box.take()
    box.put("b.csv", report(A, B, D))

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(library, "reconcile", dies)
        with pytest.raises(KeyboardInterrupt):
            box.take()
    assert list(box.inputs()) == ["2024/bao-cao/a.csv"]
    box.take()
    assert list(box.inputs()) == ["2024/bao-cao/b.csv"]


def test_a_placed_copy_that_is_lost_comes_back_and_one_that_was_edited_is_left(box: Box) -> None:
    box.put("2024.csv", report(A))
    box.take()
    (placed,) = (p for p in box.input.rglob("*.csv"))
    placed.unlink()
    box.take()
    assert placed.read_bytes() == report(A).encode()
    placed.chmod(0o644)
    placed.write_text("edited")
    box.take()
    assert placed.read_text() == "edited"


def test_a_kept_file_that_was_altered_is_refused(box: Box) -> None:
    box.put("2024.csv", report(A))
    box.take()
    kept = box.data / box.ledger["stored_at"][0]
    kept.chmod(0o644)
    kept.write_text("altered")
    next(box.input.rglob("*.csv")).unlink()
    with pytest.raises(InputError) as told:
        box.take()
    assert told.value.code == "store_altered"


def test_the_ledger_only_grows(box: Box) -> None:
    past = empty_ledger()
    for name, content in (
        ("a.csv", report(A, B)),
        ("b.csv", report(A, B)),
        ("c.csv", report(A, B, C)),
        ("d.csv", "x;y\n1;2\n"),
    ):
        box.put(name, content)
        box.take()
        assert box.ledger.head(past.height).equals(past)
        past = box.ledger
    assert past["entry"].to_list() == [1, 2, 3, 4]
    assert dict(past.schema) == LEDGER_SCHEMA


# --- looking ----------------------------------------------------------------------------------


def test_looking_writes_nothing_and_gives_the_same_answer_twice(box: Box) -> None:
    box.put("2024.csv", report(A))
    one, two = box.look(), box.look()
    assert one.decisions.equals(two.decisions)
    assert not box.data.exists()
    assert not box.input.exists()


def test_no_more_files_are_read_than_asked_and_the_rest_comes_next(box: Box) -> None:
    for i, row in enumerate((A, B, C)):
        box.put(f"{i} 2024.csv", report(row), age=9000 - i)
    assert list(box.take(max_files=2)) == ["0 2024.csv", "1 2024.csv"]
    assert list(box.take(max_files=2)) == ["2 2024.csv"]


def test_a_file_seen_before_is_not_read_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("2024.csv", report(A))
    box.take()
    monkeypatch.setattr(library, "read_bytes", lambda _: pytest.fail("read again"))
    assert box.look().decisions.is_empty()


@pytest.mark.parametrize("inner", ["input", "data/inbox"])
def test_an_inbox_inside_the_folders_we_write_to_is_refused(tmp_path: Path, inner: str) -> None:
    folder = tmp_path / inner / "sub"
    folder.mkdir(parents=True)
    with pytest.raises(InputError) as told:
        intake(
            folder,
            data_dir=tmp_path / "data",
            input_dir=tmp_path / "input",
            mappings=MAPPINGS,
            now=NOW,
        )
    assert told.value.code == "inbox_overlaps"


def test_an_inbox_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        intake(tmp_path / "none", data_dir=tmp_path, input_dir=tmp_path, mappings=MAPPINGS, now=NOW)
    assert told.value.code == "inbox_missing"


@pytest.mark.parametrize(
    ("glob", "name", "path"),
    [
        ("2024/lien-ket.csv", "x.csv", "2024/lien-ket.csv"),
        ("2024/lien-ket.csv", "x.xlsx", None),
        ("20[0-9][0-9]/*.csv", "x.csv", "2024/x.csv"),
        ("**/bc-*.csv", "x.csv", "bc-x.csv"),
        ("registers/*", "x.csv", "registers/x.csv"),
        ("bc-20[0-9][0-9].csv", "x.csv", "bc-2024.csv"),
    ],
)
def test_a_glob_is_filled_only_by_a_path_that_fits_it(
    glob: str, name: str, path: str | None
) -> None:
    assert fill_glob(glob, period="2024", name=name) == path


def test_rows_are_about_the_same_thing_by_tax_code_first() -> None:
    rows = pl.DataFrame({"tax_code": ["1", None, None], "register_number": [None] * 3, "name": ["HTX A", "HTX Hòa", "HTX Hoà"]}, schema_overrides={"register_number": pl.String})  # fmt: skip
    renamed = rows.with_columns(name=pl.Series(["khác", "HTX Hòa", "HTX Hoà"]))
    assert row_keys("cooperative_reports", rows) == row_keys("cooperative_reports", renamed)
    assert len(row_keys("cooperative_reports", rows)) == 2
