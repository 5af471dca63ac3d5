"""What a corrected file changed: nothing invented, nothing missed, whatever the order of the rows."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.feedback import CHANGE_SCHEMA, diff_submissions, replace_submission
from htx_pipeline.ingest.changes import natural_key
from htx_pipeline.schemas import TABLES


def _rows(*rows: tuple[str | None, int | None, str | None], sheet: str = "S") -> pl.DataFrame:
    return pl.DataFrame(
        [(*r, sheet, i) for i, r in enumerate(rows, 2)],
        schema={
            "name": pl.String,
            "n": pl.Int64,
            "place": pl.String,
            "source_sheet": pl.String,
            "source_row": pl.Int64,
        },
        orient="row",
    )


def _changes(old: pl.DataFrame, new: pl.DataFrame) -> list[tuple[object, ...]]:
    found = diff_submissions(old, new, key=["name"])
    return found.select("change", "key", "column", "old_value", "new_value").rows()


def test_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="key columns"):
        diff_submissions(_rows(), _rows(), key=["tax_code"])


def test_equal_submissions_have_no_changes() -> None:
    rows = _rows(("A", 1, "x"), ("A", 1, "x"), (None, None, None))
    found = diff_submissions(rows, rows, key=["name"])
    assert found.is_empty()
    assert dict(found.schema) == CHANGE_SCHEMA


def test_added_removed_and_changed_are_told_apart() -> None:
    old = _rows(("A", 1, "x"), ("B", 2, "y"), ("C", 3, "z"))
    new = _rows(("A", 1, "x"), ("C", 30, None), ("D", 4, "w"))
    assert _changes(old, new) == [
        ("removed", "B", None, None, None),
        ("added", "D", None, None, None),
        ("changed", "C", "n", "3", "30"),
        ("changed", "C", "place", "z", None),
    ]


def test_a_mended_name_is_a_changed_cell_not_a_new_row() -> None:
    assert _changes(_rows(("HTX Sa Thay", 1, "x")), _rows(("HTX Sa Thầy", 1, "x"))) == [
        ("changed", "HTX Sa Thầy", "name", "HTX Sa Thay", "HTX Sa Thầy")
    ]


def test_another_row_in_the_same_place_is_not_taken_for_a_mended_one() -> None:
    assert [c[0] for c in _changes(_rows(("A", 1, "x")), _rows(("B", 2, "y")))] == [
        "removed",
        "added",
    ]


def test_repeated_keys_are_paired_in_order() -> None:
    old = _rows(("A", 1, "x"), ("A", 2, "y"))
    assert _changes(old, _rows(("A", 1, "x"), ("A", 5, "y"))) == [("changed", "A", "n", "2", "5")]
    assert _changes(old, _rows(("A", 1, "x"))) == [("removed", "A", None, None, None)]


def test_cells_are_named_where_the_columns_are_known() -> None:
    old, new = _rows(("A", 1, "x")), _rows(("B", 9, "q"), ("A", 2, "x"))
    found = diff_submissions(
        old, new, key=["name"], old_places={("S", "n"): 3}, new_places={("S", "n"): 4}
    )
    changed = found.filter(pl.col("change") == "changed").row(0, named=True)
    assert (changed["old_cell"], changed["new_cell"]) == ("C2", "D3")
    assert found.filter(pl.col("change") == "added")["new_row"].to_list() == [2]


def test_values_are_written_as_a_person_reads_them() -> None:
    old, new = (
        pl.DataFrame(
            {
                "name": ["A"],
                "revenue_vnd": [n],
                "is_high_tech": [f],
                "self_score": [s],
                "source_sheet": ["S"],
                "source_row": [2],
            }
        )
        for n, f, s in ((1_250_500_000, True, 80.5), (None, False, 1234.25))
    )
    found = diff_submissions(old, new, key=["name"], table="cooperative_reports")
    assert found.select("label_vi", "old_value", "new_value").rows() == [
        ("Doanh thu (đồng)", "1.250.500.000", None),
        ("Ứng dụng công nghệ cao", "Có", "Không"),
        ("Điểm tự đánh giá", "80,5", "1.234,25"),
    ]


_row = st.tuples(
    st.sampled_from(["A", "B", "C", None]),
    st.integers(0, 3) | st.none(),
    st.sampled_from(["x", "y", None]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_row, max_size=6), st.lists(_row, max_size=6), st.randoms(use_true_random=False))
def test_every_row_is_accounted_for_and_order_does_not_matter(
    a: list, b: list, random: object
) -> None:  # type: ignore[type-arg]
    old, new = _rows(*a), _rows(*b)
    found = diff_submissions(old, new, key=["name"])
    removed, added = (found.filter(pl.col("change") == c) for c in ("removed", "added"))
    assert old.height - removed.height == new.height - added.height, (
        "what is paired is paired once on each side"
    )
    shuffled = diff_submissions(
        old[::-1], new.sample(fraction=1, shuffle=True, seed=3), key=["name"]
    )
    assert found.equals(shuffled)
    mirrored = diff_submissions(new, old, key=["name"])
    assert mirrored.filter(pl.col("change") == "added").height == removed.height


def test_a_new_version_replaces_its_own_rows_and_no_others() -> None:
    def rows(sha: str, file: str, values: list[int]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "source_id": [f"{sha[:16]}:S:{r}" for r in range(len(values))],
                "source_file": file,
                "source_sheet": "S",
                "source_row": range(len(values)),
                "n": values,
            },
            schema_overrides={"source_row": pl.Int64, "source_id": pl.String, "n": pl.Int64},
        )

    first, second, other = "a" * 64, "b" * 64, "a" * 15 + "c" * 49
    table = pl.concat([rows(first, "x.xlsx", [1, 2]), rows(other, "y.xlsx", [3])])
    out = replace_submission(table, rows(second, "x.xlsx", [7]), old_sha256=first)
    assert out.select("source_file", "n").rows() == [("x.xlsx", 7), ("y.xlsx", 3)]
    again = replace_submission(out, rows(second, "x.xlsx", [7]), old_sha256=second)
    assert again.equals(out), "sending the same version twice changes nothing"


def test_every_table_has_a_natural_key_of_its_own_columns() -> None:
    for table in TABLES.values():
        key = natural_key(table)
        assert key
        assert all(k in table for k in key)
