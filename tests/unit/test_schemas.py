"""The canonical tables, and what is generated from them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.schemas import TABLES
from htx_pipeline.schemas.generate import generated_files, suite_text
from htx_pipeline.validation.suites import load_suite

UNIT_OF_SUFFIX = {"vnd": "VND", "ha": "ha", "tonnes": "tonnes"}


@pytest.fixture(params=sorted(TABLES))
def table(request):
    return TABLES[request.param]


def test_a_frame_with_a_value_that_does_not_fit_is_refused_with_the_table_named():
    frame = pl.DataFrame({"revenue_vnd": ["a lot"]})
    with pytest.raises(InputError) as caught:
        TABLES["cooperative_reports"].conform(frame)
    assert caught.value.where == "cooperative_reports"


def test_conform_adds_absent_columns_as_null_in_the_schema_order(table):
    frame = table.conform(pl.DataFrame({"period": ["2024"]}))
    assert frame.schema == pl.Schema(table.schema)
    assert frame.height == 1


def test_every_column_is_labelled_in_both_languages_and_described(table):
    for column in table.columns:
        assert all((column.label_vi, column.label_en, column.description)), column.name


def test_the_key_columns_exist_and_are_required(table):
    for name in table.key:
        assert table[name].required, f"{table.name}.{name} is a key that may be missing"


def test_a_unit_in_a_column_name_is_the_unit_of_the_column(table):
    for column in table.columns:
        suffix = column.name.rsplit("_", 1)[-1]
        if suffix in UNIT_OF_SUFFIX:
            assert column.unit == UNIT_OF_SUFFIX[suffix], column.name


def test_money_is_whole_dong(table):
    for column in table.columns:
        if column.unit == "VND":
            assert column.dtype == pl.Int64, column.name


def test_references_point_to_columns_that_exist(table):
    for column in table.columns:
        if column.references and not column.references.startswith("reference:"):
            other, name = column.references.split(".")
            assert name in TABLES[other]


def test_no_column_asks_for_a_person():
    personal = (
        "birth",
        "ethnic",
        "sex",
        "gender",
        "home_address",
        "phone",
        "id_number",
        "member_name",
    )
    for table in TABLES.values():
        for column in table.columns:
            assert not any(word in column.name for word in personal), f"{table.name}.{column.name}"


def test_generated_files_are_current(project_root: Path):
    stale = [
        p.name
        for p, text in generated_files(project_root).items()
        if p.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run: python -m htx_pipeline.schemas.generate"


def test_regenerating_keeps_hand_written_rules(table, project_root: Path):
    current = (project_root / "expectations" / f"{table.name}.json").read_text(encoding="utf-8")
    by_hand = {
        "type": "x",
        "kwargs": {},
        "severity": "info",
        "meta": {"rule_id": f"{table.name}.mine", "generated": False},
    }
    changed = json.loads(current)
    changed["expectations"].append(by_hand)
    assert by_hand in json.loads(suite_text(table, json.dumps(changed)))["expectations"]


def test_every_rule_names_columns_of_its_table_and_speaks_both_languages(table, project_root: Path):
    suite = load_suite(project_root / "expectations" / f"{table.name}.json")
    for rule in suite.rules:
        assert rule.rule_id.startswith(f"{table.name}.")
        for name in (*rule.columns, *rule.condition_columns):
            assert name in table, f"{rule.rule_id} names {name}"
        assert rule.reason_vi
        assert rule.reason_en
        assert rule.remedy_vi
        assert rule.remedy_en


def test_every_required_column_and_every_key_is_covered_by_a_rule(table, project_root: Path):
    suite = load_suite(project_root / "expectations" / f"{table.name}.json")
    required = {
        r.columns[0]
        for r in suite.rules
        if r.expectation_type == "expect_column_values_to_not_be_null" and r.action == "reject"
    }
    assert {c.name for c in table.columns if c.required} <= required
    unique = [
        r for r in suite.rules if r.expectation_type == "expect_compound_columns_to_be_unique"
    ]
    assert any(set(table.key) <= set(r.columns) and r.action == "stop" for r in unique)


def test_rows_that_lack_a_part_of_their_key_are_rejected_without_stopping_the_table(
    table, project_root: Path
):
    """Two rows a sender left half empty must not hold back everybody else's."""
    from htx_pipeline.validation.run import validate

    suite = load_suite(project_root / "expectations" / f"{table.name}.json")
    empty = table.conform(pl.DataFrame({"period": ["2025", "2025"]}))
    references = {
        rule.kwargs["reference"]: pl.Series([], dtype=pl.String)
        for rule in suite.rules
        if "reference" in rule.kwargs
    }
    result = validate(empty, suite, references=references)
    assert result.check(f"{table.name}.key.unique").passed
    assert result.rejected.height == 2
    assert result.is_publishable
