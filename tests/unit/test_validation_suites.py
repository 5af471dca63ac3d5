"""Suites are read without Great Expectations, and a malformed one says what is wrong with it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.validation.suites import load_suite, load_suites, parse_suite

TEXTS = {
    "reason_vi": "Diện tích “{value}” ở cột {column} không hợp lệ.",
    "reason_en": "The area “{value}” is not valid.",
    "remedy_vi": "Đề nghị kiểm tra lại diện tích.",
    "remedy_en": "Please check the area.",
}


def document(**changes):
    """Return a well-formed suite of one rule, with parts of the rule changed."""
    rule = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "area_ha", "min_value": 0},
        "severity": "warning",
        "meta": {"rule_id": "area_range", "action": "reject", **TEXTS},
    }
    meta = changes.pop("meta", {})
    rule["meta"].update(meta)
    rule.update(changes)
    return {"name": "linkages", "expectations": [rule]}


@pytest.mark.parametrize(
    ("doc", "named"),
    [
        ([], "the file"),
        ({"expectations": []}, "name"),
        ({"name": "linkages"}, "expectations"),
        ({"name": "linkages", "expectations": ["x"]}, "expectation"),
        (document(type="expect_miracles"), "type"),
        (document(type=["a"]), "type"),
        (document(kwargs={"min_value": 0}), "kwargs.column"),
        (document(kwargs={"column": "area_ha"}), "max_value or min_value"),
        (document(kwargs={"column": "area_ha", "min_vlaue": 0}), "kwargs.min_vlaue"),
        (document(kwargs={"column": "area_ha", "min_value": 0, "mostly": 95}), "kwargs.mostly"),
        (document(kwargs={"column": 7, "min_value": 0}), "kwargs"),
        (document(severity="error"), "severity"),
        (document(severity="critical"), "severity"),
        (document(meta={"action": "drop"}), "meta.action"),
        (document(meta={"rule_id": ""}), "meta.rule_id"),
        (document(meta={"reason_vi": " "}), "meta.reason_vi"),
        (document(meta={"remedy_en": None}), "meta.remedy_en"),
        (document(meta={"reason_en": "{row} is wrong"}), "meta.reason_en"),
        (document(meta={"generated": "yes"}), "meta.generated"),
        (
            document(kwargs={"column": "a", "min_value": 0, "row_condition": "status = = 1"}),
            "kwargs.row_condition",
        ),
        (
            document(kwargs={"column": "a", "min_value": 0, "row_condition": {"type": "maybe"}}),
            "kwargs.row_condition",
        ),
        (
            document(type="expect_table_row_count_to_equal", kwargs={"value": 3}),
            "meta.action",
        ),
        (
            # Great Expectations would ignore the condition without a word.
            document(
                type="expect_column_pair_values_to_be_in_set",
                kwargs={
                    "column_A": "a",
                    "column_B": "b",
                    "value_pairs_set": [],
                    "row_condition": "a > 0",
                },
            ),
            "kwargs.row_condition",
        ),
    ],
)
def test_a_malformed_suite_is_refused_and_the_field_named(doc, named):
    with pytest.raises(InputError) as caught:
        parse_suite(doc, where="linkages.json")
    assert named in caught.value.what
    assert caught.value.where.startswith("linkages.json")


def test_the_message_names_the_expectation_by_position_and_rule():
    doc = document()
    doc["expectations"].append(copy.deepcopy(doc["expectations"][0]))
    doc["expectations"][1]["meta"].update(rule_id="second", action="drop")
    with pytest.raises(InputError) as caught:
        parse_suite(doc)
    assert caught.value.where == "suite, expectation 2 (second)"


def test_a_rule_id_used_twice_is_refused():
    doc = document()
    doc["expectations"] *= 2
    with pytest.raises(InputError, match="used twice"):
        parse_suite(doc)


def test_broken_json_names_line_and_column(tmp_path):
    path = tmp_path / "linkages.json"
    path.write_text('{"name": "linkages",\n  oops', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_suite(path)
    assert "line 2, column 3" in caught.value.where


def test_a_missing_file_and_a_file_that_is_not_utf8_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_suite(tmp_path / "nothing.json")
    path = tmp_path / "old.json"
    path.write_bytes("Hợp tác xã".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8"):
        load_suite(path)


def test_a_suite_under_another_tables_file_name_is_refused(tmp_path):
    (tmp_path / "trainings.json").write_text(json.dumps(document()), encoding="utf-8")
    with pytest.raises(InputError, match="linkages"):
        load_suites(tmp_path)


def test_a_suite_reads_as_written_and_cannot_be_written_to(tmp_path):
    condition = {
        "type": "and",
        "conditions": [
            {"type": "nullity", "column": {"name": "status"}, "is_null": False},
            {
                "type": "comparison",
                "column": {"name": "form"},
                "operator": "IN",
                "parameter": [1, 2],
            },
        ],
    }
    doc = document(
        kwargs={"column": "area_ha", "min_value": 0, "row_condition": condition},
        meta={"source": "Nghị định 98/2018/NĐ-CP, Điều 7", "generated": True},
    )
    (tmp_path / "linkages.json").write_text(json.dumps(doc), encoding="utf-8")
    suite = load_suites(tmp_path)["linkages"]
    rule = suite.rule("area_range")
    assert rule.columns == ("area_ha",)
    assert rule.condition_columns == ("status", "form")
    assert (rule.severity, rule.action, rule.finding_severity) == ("warning", "reject", "error")
    assert rule.source.startswith("Nghị định")
    assert rule.generated
    assert rule.is_row_rule
    with pytest.raises(TypeError):
        rule.kwargs["column"] = "other"
    with pytest.raises(AttributeError):
        rule.kwargs["row_condition"]["conditions"].append({})


def test_the_columns_of_an_sql_condition_are_known():
    doc = document(
        kwargs={"column": "a", "min_value": 0, "row_condition": "b > c AND kind IS NOT NULL"}
    )
    assert parse_suite(doc).rules[0].condition_columns == ("b", "c", "kind")


def test_both_sides_of_a_comparison_are_columns_of_the_rule():
    doc = document(
        type="expect_multicolumn_sums_to_compare",
        kwargs={"left": ["paid_vnd"], "operator": "<=", "right": ["contract_vnd", "paid_vnd"]},
    )
    assert parse_suite(doc).rules[0].columns == ("paid_vnd", "contract_vnd")


def test_reading_suites_does_not_import_great_expectations():
    code = (
        "import sys, htx_pipeline.validation.suites, htx_pipeline.validation.run\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "{'great_expectations', 'dagster', 'pandas'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
