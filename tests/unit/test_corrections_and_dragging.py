"""Corrections as data, and cells somebody dragged."""

from __future__ import annotations

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.corrections import COLUMNS, load_corrections
from htx_pipeline.ingest.dragged import dragged_runs
from htx_pipeline.ingest.grid import Grid
from htx_pipeline.reference.thresholds import own_choice

LINE = "bao-cao.xlsx,Sheet1,C2,24000,2400,Nguyễn Thị A,2025-01-10,Nhầm dấu phẩy,active"


def corrections(tmp_path, *lines):
    path = tmp_path / "corrections.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]), encoding="utf-8")
    return load_corrections(path)


def test_a_correction_fails_loudly_once_the_source_has_mended_itself(tmp_path):
    grid = Grid.from_rows([["Tên", "x", "Doanh thu"], ["HTX A", "", 2400]], 3)
    with pytest.raises(InputError) as caught:
        corrections(tmp_path, LINE).apply(grid, source_file="bao-cao.xlsx", sheet="Sheet1")
    assert caught.value.code == "correction_outdated"
    assert "C2" in caught.value.where
    assert "retired" in caught.value.remedy


def test_a_correction_changes_its_cell_and_says_who_and_why(tmp_path):
    grid = Grid.from_rows([["Tên", "x", "Doanh thu"], ["HTX A", "", 24000]], 3)
    found = corrections(tmp_path, LINE).apply(grid, source_file="bao-cao.xlsx", sheet="Sheet1")
    assert grid.rows[1][2] == "2400"
    assert grid.column(2).text.to_list() == ["Doanh thu", "2400"]
    assert "Nguyễn Thị A" in found["reason_vi"][0]
    assert found["raw_value"].to_list() == ["24000"]


def test_a_retired_correction_does_nothing(tmp_path):
    grid = Grid.from_rows([["", "", ""], ["", "", 24000]], 3)
    done = corrections(tmp_path, LINE.replace(",active", ",retired")).apply(
        grid, source_file="bao-cao.xlsx", sheet="Sheet1"
    )
    assert done.is_empty()
    assert grid.rows[1][2] == 24000


def test_another_file_is_left_alone(tmp_path):
    grid = Grid.from_rows([["", "", ""], ["", "", 24000]], 3)
    assert (
        corrections(tmp_path, LINE).apply(grid, source_file="other.xlsx", sheet="Sheet1").is_empty()
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("Nguyễn Thị A", ""), "who"),
        (("C2", "hàng 2"), "address"),
        ((",active", ",maybe"), "maybe"),
        (("Nhầm dấu phẩy", ""), "why"),
    ],
)
def test_a_correction_without_cell_author_or_reason_is_refused(tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        corrections(tmp_path, LINE.replace(*change))


def test_a_missing_corrections_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_corrections(tmp_path / "nope.csv")


def test_an_index_column_is_no_dragging():
    assert dragged_runs([str(i) for i in range(500)]) == []
    assert dragged_runs([f"STT {i}" for i in range(int(own_choice("dragged_run")) - 1)]) == []


def test_different_words_are_no_dragging():
    assert dragged_runs([f"HTX số {i}{'a' * i}" for i in range(40)]) == []


def test_dragging_is_found_with_its_first_and_last_number():
    runs = dragged_runs(
        ["x", *[f"Báo cáo năm {2021 + i}" for i in range(30)], None, "Báo cáo năm 2021"]
    )
    assert [(r.start, r.stop, r.first, r.last) for r in runs] == [(1, 30, 2021, 2050)]
