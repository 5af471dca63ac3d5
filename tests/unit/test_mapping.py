"""Source mappings: a wrong one says which key and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.mapping import Mapping, load_mapping, load_mappings

GOOD = """
id = "reports"
table = "cooperative_reports"
files = ["*.csv"]
[period]
constant = "2024"
[columns.name]
source = "Tên HTX"
"""


def write(folder: Path, text: str, name: str = "a.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("cooperative_reports", "cooperative_report"), "nearest: 'cooperative_reports'"),
        (("columns.name", "columns.nmae"), "nearest: 'name'"),
        (('constant = "2024"', ""), "exactly one of"),
        (('constant = "2024"', 'constant = "2024"\ncolumn = "Năm"'), "exactly one of"),
        (('id = "reports"', 'id = "Báo cáo"'), "id"),
        (('files = ["*.csv"]', "files = []"), "files"),
        (('source = "Tên HTX"', 'source = "Tên HTX"\ncolour = "red"'), "colour"),
        (('source = "Tên HTX"', 'source = "Tên HTX"\nextract = "a(b)(c)"'), "exactly one group"),
    ],
)
def test_a_wrong_mapping_says_which_key_and_why(tmp_path, change, expected):
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(InputError) as caught:
        load_mapping(path)
    assert expected in str(caught.value)
    assert caught.value.where == str(path)


def test_a_code_that_the_column_does_not_allow_is_refused(tmp_path):
    text = GOOD + '[columns.rating]\nsource = "Xếp loại"\nvalues = { "A" = "excellent" }\n'
    with pytest.raises(InputError, match="excellent"):
        load_mapping(write(tmp_path, text))


def test_broken_toml_names_the_file(tmp_path):
    with pytest.raises(InputError) as caught:
        load_mapping(write(tmp_path, "id = "))
    assert caught.value.code == "mapping_syntax"


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.toml file"):
        load_mappings(tmp_path)


def test_two_mappings_with_one_id_are_refused(tmp_path):
    write(tmp_path, GOOD, "a.toml")
    write(tmp_path, GOOD, "b.toml")
    with pytest.raises(InputError, match=r"a\.toml.*b\.toml"):
        load_mappings(tmp_path)


def test_files_are_found_in_order_without_the_spreadsheet_programs_own(tmp_path):
    for name in ("b.csv", "a.csv", "~$a.csv", ".hidden.csv"):
        (tmp_path / name).write_text("x")
    mapping = Mapping.model_validate(
        {
            "id": "m",
            "table": "linkages",
            "files": ["*.csv", "a.*"],
            "period": {"constant": "2024"},
            "columns": {"supplier_name": {"source": "A"}},
        }
    )
    assert [p.name for p in mapping.matching_files(tmp_path)] == ["a.csv", "b.csv"]


@pytest.mark.parametrize("name", ["cocoa", "uk"])
def test_the_example_mappings_load(project_root, name):
    assert load_mappings(project_root / "examples" / name)
