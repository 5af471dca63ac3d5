"""Tables on disk: written whole or not at all, and read with errors that say what to do."""

from __future__ import annotations

import polars as pl
import pytest

from htx_pipeline import storage
from htx_pipeline.errors import InputError
from htx_pipeline.tables import list_tables, read_table

FRAME = pl.DataFrame({"period": ["2024", "2024"], "n": [1, 2]})


def test_a_table_that_was_never_made_says_which_there_are(tmp_path):
    storage.write_table(FRAME, storage.table_path(tmp_path, "core/linkages", period="2024"))
    with pytest.raises(InputError) as caught:
        read_table("core/linkage", data_dir=tmp_path)
    assert "core/linkages" in caught.value.why


def test_a_period_that_was_never_made_says_which_there_are(tmp_path):
    storage.write_table(FRAME, storage.table_path(tmp_path, "core/linkages", period="2024"))
    with pytest.raises(InputError) as caught:
        read_table("core/linkages", period="1999", data_dir=tmp_path)
    assert "2024" in caught.value.why


@pytest.mark.parametrize(
    "key", ["linkages", "../core/linkages", "core/../../etc", "core/Linkages", ""]
)
def test_a_key_that_is_no_table_name_is_refused(tmp_path, key):
    with pytest.raises(InputError):
        storage.table_path(tmp_path, key)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_called_damaged_with_a_remedy(tmp_path, kept):
    path = storage.table_path(tmp_path, "core/linkages", period="2024")
    storage.write_table(FRAME, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError) as caught:
        storage.read_frame(path)
    assert caught.value.code == "table_damaged"
    assert "materialize" in caught.value.remedy


def test_periods_stack_and_extra_columns_of_later_years_are_null_before(tmp_path):
    storage.write_table(FRAME, storage.table_path(tmp_path, "core/linkages", period="2024"))
    later = pl.DataFrame({"period": ["2025"], "n": [3], "new": ["x"]})
    storage.write_table(later, storage.table_path(tmp_path, "core/linkages", period="2025"))
    both = read_table("core/linkages", data_dir=tmp_path)
    assert both["n"].to_list() == [1, 2, 3]
    assert both["new"].to_list() == [None, None, "x"]


def test_eager_and_lazy_frames_are_written_alike(tmp_path):
    eager = storage.write_table(FRAME, tmp_path / "a" / "t.parquet")
    lazy = storage.write_table(FRAME.lazy(), tmp_path / "b" / "t.parquet")
    assert storage.read_frame(eager.path).equals(storage.read_frame(lazy.path))


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first = storage.write_table(FRAME, tmp_path / "t.parquet")
    second = storage.write_table(FRAME, tmp_path / "t.parquet")
    assert first.sha256 == second.sha256


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "t.parquet"
    storage.write_table(FRAME, path)
    before = path.read_bytes()
    broken = pl.LazyFrame({"n": ["x"]}).select(pl.col("n").cast(pl.Int64))
    with pytest.raises((InputError, pl.exceptions.PolarsError)):
        storage.write_table(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_listing_names_rows_and_periods(tmp_path):
    storage.write_table(FRAME, storage.table_path(tmp_path, "core/linkages", period="2024"))
    assert list_tables(data_dir=tmp_path).select("table", "period", "rows").rows() == [
        ("core/linkages", "2024", 2)
    ]
