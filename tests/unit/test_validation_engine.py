"""The engine as Great Expectations sees it, and what this project relies on in its registry."""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from decimal import Decimal

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.validation import gx_run, polars_metrics
from htx_pipeline.validation.conditions import RULES
from htx_pipeline.validation.domain import row_condition
from htx_pipeline.validation.suites import EXPECTATIONS

from great_expectations.expectations import registry  # isort: skip
import great_expectations as gx  # isort: skip


@pytest.fixture(scope="module")
def definition():
    source = gx_run.ephemeral_context().data_sources.add_polars("frames")
    return source.add_frame_asset("t").add_batch_definition("whole")


def run(definition, frame, *expectations, result_format="COMPLETE", references=None):
    """Return the results, by position, of running expectations given as (type, kwargs)."""
    from great_expectations.validator.v1_validator import Validator

    suite = gx.ExpectationSuite(
        name="t",
        expectations=[
            {"type": kind, "kwargs": kwargs, "meta": {"n": n}}
            for n, (kind, kwargs) in enumerate(expectations)
        ],
    )
    validator = Validator(
        definition,
        result_format=result_format,
        batch_parameters={"dataframe": frame, "references": references or {}},
    )
    results = validator.validate_expectation_suite(suite).results
    return sorted(results, key=lambda one: one.expectation_config.meta["n"])


FRAME = pl.DataFrame(
    {
        "i": [1, 1, None, 4],
        "s": ["x", "y", None, "zz"],
        "f": [1.0, float("nan"), None, 2.0],
        "d": [dt.date(2024, 1, 1), dt.date(2024, 1, 2), None, dt.date(2025, 1, 1)],
        "m": [Decimal("1.50"), Decimal("2.50"), None, Decimal("9.99")],
        "when": [
            dt.datetime.fromisoformat("2024-01-01T12:00"),
            None,
            None,
            dt.datetime.fromisoformat("2024-06-01"),
        ],
    }
)


# --- what is relied on in Great Expectations 1.24 ---------------------------------------------


def test_the_registry_holds_the_keys_of_the_pandas_metrics():
    known = registry._get_metric_definition("column_values.between.unexpected_count")
    assert known["metric_domain_keys"] == (
        "batch_id", "table", "column", "row_condition", "condition_parser"
    )  # fmt: skip
    assert known["metric_value_keys"] == ("min_value", "max_value", "strict_min", "strict_max")
    assert {"PandasExecutionEngine", "PolarsExecutionEngine"} <= set(known["providers"])


def test_every_map_metric_of_the_suites_has_a_provider_and_the_pandas_one_is_untouched():
    for base in RULES:
        for suffix in ("condition", "unexpected_count", "unexpected_index_list"):
            providers = registry._get_metric_definition(f"{base}.{suffix}")["providers"]
            assert providers["PolarsExecutionEngine"][0].__module__ == polars_metrics.__name__
            if "PandasExecutionEngine" in providers:
                assert providers["PandasExecutionEngine"][0].__module__ != gx_run.__name__


@pytest.mark.parametrize("kind", sorted(EXPECTATIONS))
def test_the_arguments_a_suite_may_give_are_those_of_great_expectations(kind):
    model = registry.get_expectation_impl(kind)
    shape = EXPECTATIONS[kind]
    assert shape.required | shape.optional | shape.one_of <= set(model.__fields__)
    assert (getattr(model, "map_metric", None) in RULES) == shape.is_row_rule
    needed = {name for name, field in model.__fields__.items() if field.required}
    assert needed - {"column_list"} <= shape.required


def test_great_expectations_ignores_a_row_condition_on_pairs_in_a_set():
    known = registry._get_metric_definition("column_pair_values.in_set.unexpected_count")
    assert "row_condition" not in known["metric_domain_keys"]


def test_importing_the_engine_leaves_warnings_and_logging_as_they_were():
    assert warnings.showwarning.__module__ != "logging"
    assert logging.getLogger("great_expectations.expectations.registry").level == logging.NOTSET


RULES_OF_EVERY_KIND = [
    ("expect_column_values_to_be_between", {"column": "i", "min_value": 2}),
    ("expect_column_values_to_be_in_set", {"column": "s", "value_set": ["x"], "mostly": 0.5}),
    ("expect_column_values_to_be_unique", {"column": "i"}),
    ("expect_column_max_to_be_between", {"column": "f", "max_value": 1}),
]


def test_results_are_the_same_whether_or_not_configurations_are_made_once(definition):
    plain = run(definition, FRAME, *RULES_OF_EVERY_KIND)
    with gx_run._making_once():
        once = run(definition, FRAME, *RULES_OF_EVERY_KIND)
    assert [one.to_json_dict() for one in once] == [one.to_json_dict() for one in plain]
    assert not all(one.success for one in plain)


def test_outside_a_run_an_expectation_says_what_it_is_now():
    expectation = gx.expectations.ExpectColumnValuesToBeBetween(column="i", min_value=1)
    with gx_run._making_once():
        assert expectation.configuration is expectation.configuration
    expectation.min_value = 5
    assert expectation.configuration.kwargs["min_value"] == 5
    with gx_run._making_once():
        assert expectation.configuration.to_domain_obj().min_value == 5


def test_an_expectation_that_breaks_does_not_take_the_others_with_it(definition):
    results = run(
        definition,
        FRAME,
        ("expect_column_values_to_be_between", {"column": "s", "min_value": 1}),
        ("expect_column_values_to_not_be_null", {"column": "nothing"}),
        ("expect_column_values_to_exist_in_reference", {"column": "s", "reference": "none"}),
        ("expect_column_values_to_be_unique", {"column": "i"}),
    )
    broken = [
        any(entry["raised_exception"] for entry in one.exception_info.values())
        for one in results[:3]
    ]
    assert broken == [True, True, True]
    assert results[3].result["unexpected_index_list"] == [0, 1]


# --- results ------------------------------------------------------------------------------------


def test_a_complete_result_holds_values_places_and_a_query(definition):
    (one,) = run(
        definition,
        FRAME,
        ("expect_column_values_to_be_in_set", {"column": "s", "value_set": ["x"]}),
    )
    assert one.result["unexpected_list"] == ["y", "zz"]
    assert one.result["unexpected_index_list"] == [1, 3]
    assert one.result["element_count"] == 4
    assert one.result["missing_count"] == 1
    query = one.result["unexpected_index_query"]
    assert eval(query, {"pl": pl, "frame": FRAME})["s"].to_list() == ["y", "zz"]


def test_places_can_be_given_as_columns_and_whole_rows(definition):
    (one,) = run(
        definition,
        FRAME,
        ("expect_column_values_to_be_unique", {"column": "i"}),
        result_format={
            "result_format": "SUMMARY",
            "unexpected_index_column_names": ["s"],
            "include_unexpected_rows": True,
        },
    )
    assert one.result["partial_unexpected_index_list"] == [{"i": 1, "s": "x"}, {"i": 1, "s": "y"}]
    assert [row["s"] for row in one.result["unexpected_rows"]] == ["x", "y"]


def test_types_are_those_of_polars(definition):
    results = run(
        definition,
        FRAME,
        ("expect_column_values_to_be_of_type", {"column": "i", "type_": "Int64"}),
        ("expect_column_values_to_be_of_type", {"column": "i", "type_": "Float64"}),
        ("expect_column_values_to_be_in_type_list", {"column": "m", "type_list": ["Decimal"]}),
        ("expect_column_values_to_be_in_type_list", {"column": "d", "type_list": ["String"]}),
    )
    assert [one.success for one in results] == [True, False, True, False]


def test_a_lazy_frame_is_taken_and_a_pandas_frame_is_not(definition):
    (one,) = run(definition, FRAME.lazy(), ("expect_column_values_to_be_null", {"column": "i"}))
    assert one.result["unexpected_count"] == 3
    with pytest.raises(Exception, match="not a Polars frame"):
        run(definition, FRAME.to_pandas(), ("expect_column_to_exist", {"column": "i"}))


@pytest.mark.parametrize(
    ("column", "low", "high", "failing"),
    [
        ("d", "2024-01-02", None, [0]),
        ("d", None, "2024-12-31", [3]),
        ("when", "2024-01-01T12:00:00", "2024-05-31", [3]),
        ("m", 1.5, 9.98, [3]),
        ("f", 1.5, None, [0]),
    ],
)
def test_bounds_work_on_dates_moments_and_decimals(definition, column, low, high, failing):
    kwargs = {"column": column, "min_value": low, "max_value": high}
    (one,) = run(definition, FRAME, ("expect_column_values_to_be_between", kwargs))
    assert one.result["unexpected_index_list"] == failing


def test_set_members_written_as_iso_dates_are_dates(definition):
    kwargs = {"column": "d", "value_set": ["2024-01-01", "2025-01-01"]}
    (one,) = run(definition, FRAME, ("expect_column_values_to_be_in_set", kwargs))
    assert one.result["unexpected_index_list"] == [1]


def test_the_latest_date_is_compared_with_dates(definition):
    kwargs = {"column": "d", "max_value": "2024-12-31"}
    (one,) = run(definition, FRAME, ("expect_column_max_to_be_between", kwargs))
    assert not one.success
    assert one.result["observed_value"] == dt.date(2025, 1, 1)


@pytest.mark.parametrize(
    ("regex", "failing"),
    [
        (r"^\d{3}$", [1, 2, 3]),  # a line break at the end is not forgiven
        (r"^(?!123).*", [0, 1]),  # look-around: Python's engine
        (r"^\w+", [3]),
    ],
)
def test_patterns(definition, regex, failing):
    frame = pl.DataFrame({"code": ["123", "123\n", "ấp", "", None]})
    (one,) = run(
        definition,
        frame,
        ("expect_column_values_to_match_regex", {"column": "code", "regex": regex}),
    )
    assert one.result["unexpected_index_list"] == failing


def test_lengths_count_characters_not_bytes(definition):
    frame = pl.DataFrame({"name": ["Đắk Lắk", "Đắk Lắk!"]})
    kwargs = {"column": "name", "max_value": 7}
    (one,) = run(definition, frame, ("expect_column_value_lengths_to_be_between", kwargs))
    assert one.result["unexpected_index_list"] == [1]


# --- own expectations ---------------------------------------------------------------------------


def test_a_reference_is_a_foreign_key(definition):
    frame = pl.DataFrame({"org": ["A", "B", None, "C"]})
    (one,) = run(
        definition,
        frame,
        ("expect_column_values_to_exist_in_reference", {"column": "org", "reference": "orgs"}),
        references={"orgs": pl.DataFrame({"org": ["A", "C", "C"], "name": ["a", "c", "c"]})},
    )
    assert one.result["unexpected_index_list"] == [1]
    assert one.result["missing_count"] == 1


def test_a_reference_of_another_type_is_compared_by_value(definition):
    frame = pl.DataFrame({"code": ["1", "2", "x"]})
    kwargs = {"column": "code", "reference": "codes", "reference_column": "n"}
    (one,) = run(
        definition,
        frame,
        ("expect_column_values_to_exist_in_reference", kwargs),
        references={"codes": pl.DataFrame({"n": [1, 2], "m": [3, 4]})},
    )
    assert one.result["unexpected_index_list"] == [2]


def test_a_composite_reference_needs_the_whole_combination(definition):
    frame = pl.DataFrame({"code": ["01", "01", "02", None], "version": [2024, 2025, 2024, 2024]})
    (one,) = run(
        definition,
        frame,
        (
            "expect_compound_columns_to_exist_in_reference",
            {"column_list": ["code", "version"], "reference": "units"},
        ),
        references={"units": pl.DataFrame({"code": ["01", "02"], "version": [2024, 2025]})},
    )
    assert one.result["unexpected_index_list"] == [1, 2]


@pytest.mark.parametrize(
    ("operator", "tolerance", "failing"),
    [
        ("<=", 0, [2, 3]),
        ("<=", 1, [3]),
        ("<", 0, [1, 2, 3]),
        ("==", 0, [0, 2, 3]),
        ("==", 1, [0, 3]),
        (">=", 0, [0]),
        (">", 0, [0, 1]),
        (">=", 5, []),
    ],
)
def test_sums_are_compared_row_by_row(definition, operator, tolerance, failing):
    frame = pl.DataFrame(
        {"paid": [1, 5, 6, 9, None], "contract": [3, 3, 3, 3, 3], "support": [2, 2, 2, 2, 2]}
    )
    kwargs = {
        "left": ["paid"],
        "operator": operator,
        "right": ["contract", "support"],
        "tolerance": tolerance,
    }
    (one,) = run(definition, frame, ("expect_multicolumn_sums_to_compare", kwargs))
    assert one.result["unexpected_index_list"] == failing


def test_arguments_great_expectations_refuses_are_reported_with_the_rule():
    rule = {
        "rule_id": "odd",
        "type": "expect_compound_columns_to_be_unique",
        "kwargs": {"column_list": ["only_one"]},
        "severity": "warning",
        "notes": [],
    }
    with pytest.raises(InputError) as caught:
        gx_run.build_suite("linkages", [rule])
    assert "linkages, rule odd" in caught.value.where


# --- row conditions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("i = 1 AND s <> 'x'", [1]),
        ({"type": "pass_through", "pass_through_filter": "m > 2"}, [1, 3]),
        (gx.expectations.row_conditions.Column("s") != "x", [1, 2, 3]),
        (gx.expectations.row_conditions.Column("f").is_null(), [1, 2]),
        (
            (gx.expectations.row_conditions.Column("i") == 4)
            | (gx.expectations.row_conditions.Column("d") < "2024-01-02"),
            [0, 3],
        ),
        (gx.expectations.row_conditions.Column("d").is_in(["2025-01-01"]), [3]),
        (gx.expectations.row_conditions.Column("d").is_not_in(["2025-01-01"]), [0, 1, 2]),
    ],
)
def test_row_conditions(definition, condition, kept):
    expr = row_condition(condition, FRAME.schema)
    assert FRAME.select(expr).to_series().arg_true().to_list() == kept
    if not isinstance(condition, str):
        kwargs = {"column": "i", "value_set": [], "row_condition": condition}
        (one,) = run(definition, FRAME, ("expect_column_values_to_be_in_set", kwargs))
        assert one.result["element_count"] == len(kept)
        assert one.result["unexpected_index_list"] == [n for n in kept if FRAME["i"][n] is not None]


def test_a_condition_on_a_column_that_is_not_there_names_the_columns_there_are():
    with pytest.raises(LookupError, match=r"nothing.*i, s, f"):
        row_condition(gx.expectations.row_conditions.Column("nothing") == 1, FRAME.schema)
