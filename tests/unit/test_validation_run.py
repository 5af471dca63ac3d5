"""What follows from a failed rule: rejected rows, findings, the ledger, and whether to publish."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.findings import FINDING_SCHEMA, concat_findings, findings
from htx_pipeline.validation.docs import build_data_docs
from htx_pipeline.validation.run import LEDGER_SCHEMA, validate
from htx_pipeline.validation.suites import parse_suite

VALUES = "expect_column_values_to_"


def rule(rule_id, kind, kwargs, action="reject", **meta):
    severity = {"stop": "critical", "reject": "warning", "flag": "info"}[action]
    texts = {
        "reason_vi": f"{rule_id}: “{{value}}” ở cột {{column}} không hợp lệ.",
        "reason_en": f"{rule_id}: “{{value}}” in {{column}} is not valid.",
        "remedy_vi": "Đề nghị kiểm tra lại.",
        "remedy_en": "Please check.",
    }
    return {
        "type": kind,
        "kwargs": kwargs,
        "severity": severity,
        "meta": {"rule_id": rule_id, "action": action, **texts, **meta},
    }


def suite(*rules):
    return parse_suite({"name": "linkages", "expectations": list(rules)})


FRAME = pl.DataFrame(
    {
        "source_id": ["h1", "h2", "h3", "h4", "h5"],
        "source_file": ["a.xlsx", "a.xlsx", "b.xlsx", "b.xlsx", "b.xlsx"],
        "source_sheet": ["Biểu 1", "Biểu 1", None, None, None],
        "source_row": [12, 3, 7, 8, 9],
        "linkage_id": ["L1", "L2", "L2", None, "L5"],
        "area_ha": [1.0, -2.0, 3.0, None, 5000.0],
        "partner": ["A", "A", "?", "?", "B"],
    },
    schema_overrides={"source_row": pl.Int64},
)
GIVEN = rule("given", f"{VALUES}not_be_null", {"column": "linkage_id"})
UNIQUE = rule("unique", f"{VALUES}be_unique", {"column": "linkage_id"})
AREA = rule("area", f"{VALUES}be_between", {"column": "area_ha", "min_value": 0})
KNOWN = rule(
    "partner_known", f"{VALUES}exist_in_reference", {"column": "partner", "reference": "orgs"}
)
ORGS = {"orgs": pl.Series(["A", "B"])}


def conserves(result, rows):
    return (
        result.accepted.height + result.rejected.height == rows
        and result.rejected.height == result.ledger["rows_rejected_first"].sum()
    )


def test_a_missing_column_is_an_error_of_its_rule_and_stops_publication():
    flag = rule("odd", f"{VALUES}not_be_null", {"column": "no_such"}, action="flag")
    result = validate(FRAME, suite(flag, AREA))
    check = result.check("odd")
    assert check.is_errored
    assert not check.passed
    assert check.severity == "critical"
    assert "no_such" in check.description_en
    assert not result.is_publishable
    assert result.ledger["is_errored"].to_list() == [True, False]
    finding = result.findings.filter(pl.col("rule_id") == "odd").row(0, named=True)
    assert finding["severity"] == "critical"
    assert finding["source_row"] is None
    assert finding["reason_vi"].startswith("Không kiểm tra được quy tắc odd")
    assert conserves(result, 5)


def test_a_reference_not_given_is_an_error_too():
    result = validate(FRAME, suite(KNOWN))
    assert result.check("partner_known").is_errored
    assert not result.is_publishable
    assert result.rejected.is_empty()


def test_an_error_tells_no_data_values():
    text_as_number = rule("text", f"{VALUES}be_between", {"column": "partner", "min_value": 3})
    result = validate(FRAME, suite(text_as_number))
    assert result.check("text").is_errored
    assert "A" not in result.check("text").description_en.replace("A column", "").split()


def test_a_failed_stop_rule_publishes_nothing_and_leaves_its_rows_out():
    result = validate(
        FRAME, suite({**GIVEN, **rule("given", GIVEN["type"], GIVEN["kwargs"], "stop")})
    )
    assert not result.is_publishable
    assert result.rejected["source_id"].to_list() == ["h4"]
    assert result.findings["severity"].to_list() == ["critical"]


def test_a_stop_rule_within_its_tolerance_leaves_rows_out_and_publishes():
    tolerant = rule("given", GIVEN["type"], {"column": "linkage_id", "mostly": 0.8}, "stop")
    result = validate(FRAME, suite(tolerant))
    assert result.is_publishable
    assert result.check("given").passed
    assert result.findings["severity"].to_list() == ["error"]
    assert result.rejected.height == 1


def test_a_flagged_row_is_kept():
    result = validate(FRAME, suite(rule("area", AREA["type"], AREA["kwargs"], "flag")))
    assert result.accepted.equals(FRAME)
    assert result.findings["severity"].to_list() == ["warning"]
    assert result.is_publishable


def test_a_failed_rule_about_the_table_is_one_finding_without_a_row():
    count = rule("enough", "expect_table_row_count_to_be_between", {"min_value": 9}, "stop")
    result = validate(FRAME, suite(count))
    assert not result.is_publishable
    assert result.rejected.is_empty()
    finding = result.findings.row(0, named=True)
    assert (finding["raw_value"], finding["source_row"], finding["column"]) == ("5", None, None)


def test_each_rejected_row_is_once_in_rejected_and_counted_at_its_first_rule():
    result = validate(FRAME, suite(UNIQUE, GIVEN, AREA, KNOWN), references=ORGS)
    assert result.accepted["source_id"].to_list() == ["h1", "h5"]
    assert result.rejected.columns == FRAME.columns
    assert result.rejected["source_id"].to_list() == ["h2", "h3", "h4"]
    assert dict(result.ledger.schema) == LEDGER_SCHEMA
    rows = result.ledger.select("rule_id", "rows_checked", "rows_failed", "rows_rejected_first")
    assert rows.rows() == [
        ("unique", 4, 2, 2),
        ("given", 5, 1, 1),
        ("area", 4, 1, 0),
        ("partner_known", 5, 2, 0),
    ]
    assert conserves(result, 5)


def test_findings_say_what_where_why_and_what_to_do_in_the_canonical_order():
    result = validate(FRAME, suite(UNIQUE, GIVEN, AREA, KNOWN), references=ORGS)
    assert dict(result.findings.schema) == FINDING_SCHEMA
    assert result.findings.equals(concat_findings([result.findings]))
    assert result.findings.select("source_id", "rule_id", "raw_value").rows() == [
        ("h2", "area", "-2.0"),
        ("h2", "unique", "L2"),
        ("h3", "unique", "L2"),
        ("h3", "partner_known", "?"),
        ("h4", "given", None),
        ("h4", "partner_known", "?"),
    ]
    first = result.findings.row(0, named=True)
    assert first["reason_vi"] == "area: “-2.0” ở cột area_ha không hợp lệ."
    assert first["remedy_en"] == "Please check."
    assert (first["source_file"], first["source_sheet"], first["source_row"]) == (
        "a.xlsx",
        "Biểu 1",
        3,
    )


def test_a_value_that_looks_like_a_placeholder_is_shown_as_it_is():
    frame = pl.DataFrame({"code": ["{column} $1 \\0"]})
    result = validate(
        frame, suite(rule("c", f"{VALUES}match_regex", {"column": "code", "regex": "^A"}))
    )
    assert result.findings["reason_en"].to_list() == ["c: “{column} $1 \\0” in code is not valid."]


def test_a_rule_about_several_columns_shows_them_all():
    pair = rule(
        "p", "expect_compound_columns_to_be_unique", {"column_list": ["partner", "area_ha"]}
    )
    frame = pl.concat([FRAME.slice(3, 1), FRAME.slice(3, 1)])
    result = validate(frame, suite(pair))
    assert result.findings["raw_value"].to_list() == ["partner=?; area_ha="] * 2
    assert result.findings["column"].to_list() == ["partner, area_ha"] * 2


def test_nulls_are_skipped_by_every_rule_but_those_about_nulls():
    frame = pl.DataFrame(
        {"a": [None, None], "b": [None, None]}, schema={"a": pl.Int64, "b": pl.Int64}
    )
    result = validate(
        frame,
        suite(
            rule("between", f"{VALUES}be_between", {"column": "a", "min_value": 0}),
            rule("unique", f"{VALUES}be_unique", {"column": "a"}),
            rule("set", f"{VALUES}be_in_set", {"column": "a", "value_set": [1]}),
            rule("pair", "expect_compound_columns_to_be_unique", {"column_list": ["a", "b"]}),
            rule("given", f"{VALUES}not_be_null", {"column": "a"}, "flag"),
        ),
    )
    assert result.ledger["rows_failed"].to_list() == [0, 0, 0, 0, 2]


def test_an_sql_condition_limits_a_rule_to_some_rows():
    limited = rule(
        "area",
        AREA["type"],
        {**AREA["kwargs"], "row_condition": "partner = 'A' AND source_row > 3"},
    )
    result = validate(FRAME, suite(limited))
    assert result.rejected.is_empty()
    assert result.check("area").n_checked == 1


def test_the_same_question_asked_twice_keeps_both_rule_ids():
    other = rule("area_again", AREA["type"], AREA["kwargs"], "flag")
    result = validate(FRAME, suite(AREA, other))
    assert result.ledger["rows_failed"].to_list() == [1, 1]
    assert result.findings["rule_id"].to_list() == ["area", "area_again"]
    assert result.findings["severity"].to_list() == ["error", "warning"]


def test_an_empty_frame_and_an_empty_suite_pass():
    result = validate(FRAME.clear(), suite(UNIQUE, GIVEN, AREA, KNOWN), references=ORGS)
    assert result.is_publishable
    assert result.findings.is_empty()
    assert validate(FRAME, suite()).accepted.equals(FRAME)


def test_metadata_of_checks_is_counts_only():
    result = validate(FRAME, suite(UNIQUE, AREA, KNOWN), references=ORGS)
    for check in result.checks:
        assert all(
            isinstance(v, (int, float)) or k in {"action", "expectation"}
            for k, v in check.metadata.items()
        )
        assert "“…”" in check.description_vi


# --- findings of earlier steps -----------------------------------------------------------------


def test_earlier_errors_reject_their_rows_first():
    prior = findings(
        [
            {"rule_id": "not_a_number", "severity": "error", "source_id": "h2"},
            {"rule_id": "bad_date", "severity": "error", "source_file": "b.xlsx", "source_row": 9},
            {"rule_id": "odd_unit", "severity": "warning", "source_id": "h1"},
            {
                "rule_id": "row_unread",
                "severity": "error",
                "source_file": "c.xlsx",
                "source_row": 1,
            },
        ]
    )
    result = validate(FRAME, suite(AREA, UNIQUE), prior_findings=prior)
    assert result.rejected["source_id"].to_list() == ["h2", "h3", "h5"]
    assert result.ledger.select("rule_id", "rows_rejected_first").rows() == [
        ("bad_date", 1),
        ("not_a_number", 1),
        ("odd_unit", 0),
        ("row_unread", 0),
        ("area", 0),
        ("unique", 1),
    ]
    assert conserves(result, 5)
    assert result.is_publishable
    assert result.findings.height == 4 + 3


def test_an_earlier_critical_finding_stops_publication():
    prior = findings([{"rule_id": "sheet_missing", "severity": "critical"}])
    assert not validate(FRAME, suite(AREA), prior_findings=prior).is_publishable


@pytest.mark.parametrize(("limit", "publishable"), [(0.19, False), (0.2, True), (1.0, True)])
def test_too_many_rejected_rows_stop_publication(limit, publishable):
    result = validate(FRAME, suite(AREA), max_rejected_share=limit)
    assert result.is_publishable == publishable
    assert result.check("rejected_share").passed == publishable
    critical = result.findings.filter(severity="critical")["rule_id"].to_list()
    assert critical == ([] if publishable else ["rejected_share"])


def test_a_share_in_percent_is_refused():
    with pytest.raises(InputError, match="share from 0 to 1"):
        validate(FRAME, suite(AREA), max_rejected_share=5)


# --- properties --------------------------------------------------------------------------------


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    ids=st.lists(st.one_of(st.none(), st.sampled_from("abc")), max_size=12),
    order=st.permutations(["given", "unique", "known", "flagged"]),
    limit=st.one_of(st.none(), st.floats(0, 1)),
)
def test_no_row_is_lost_and_none_is_counted_twice(ids, order, limit):
    rules = {
        "given": rule("given", f"{VALUES}not_be_null", {"column": "id"}, "stop"),
        "unique": rule("unique", f"{VALUES}be_unique", {"column": "id"}),
        "known": rule("known", f"{VALUES}exist_in_reference", {"column": "id", "reference": "ids"}),
        "flagged": rule(
            "flagged", f"{VALUES}be_in_set", {"column": "id", "value_set": ["a"]}, "flag"
        ),
    }
    frame = pl.DataFrame({"id": ids}, schema={"id": pl.String}).with_row_index("source_row")
    result = validate(
        frame,
        suite(*(rules[name] for name in order)),
        references={"ids": pl.Series(["a", "b"])},
        max_rejected_share=limit,
    )
    assert conserves(result, frame.height)
    expected = {
        n for n, v in enumerate(ids) if v is None or ids.count(v) > 1 or v not in {"a", "b"}
    }
    assert set(result.rejected["source_row"]) == expected
    assert (
        result.findings.filter(pl.col("source_row").is_not_null()).height
        == result.ledger["rows_failed"].sum()
    )


# --- data docs ---------------------------------------------------------------------------------


def test_data_docs_open_without_a_network_and_do_not_change(tmp_path):
    result = validate(FRAME, suite(UNIQUE, GIVEN, AREA, KNOWN), references=ORGS)
    moment = dt.datetime(2024, 12, 15, tzinfo=dt.UTC)
    pages = {}
    for name in ("one", "two"):
        index = build_data_docs([result], tmp_path / name, run_name="2024", run_time=moment)
        assert index == tmp_path / name / "index.html"
        found = sorted((tmp_path / name).rglob("*.html"))
        pages[name] = {p.relative_to(tmp_path / name).as_posix(): p.read_text() for p in found}
    assert pages["one"] == pages["two"]
    assert len(pages["one"]) == 3
    for html in pages["one"].values():
        assert "http://" not in html
        assert "https://" not in html
        assert "<script" not in html
        assert "L2" not in html  # counts, never records
    (page,) = [html for place, html in pages["one"].items() if place.startswith("validations")]
    assert "values must exist in the reference orgs" in page
    assert "2 unexpected values found" in page
