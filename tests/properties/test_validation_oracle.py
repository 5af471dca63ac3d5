"""Great Expectations' pandas engine is the oracle: same suite, same failing rows.

The frames are small and mean: nulls, NaN, ties, dates, Vietnamese text in both normal forms.
"""

from __future__ import annotations

import datetime as dt
import functools
import warnings

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from htx_pipeline.validation.conditions import _duplicated_values
from htx_pipeline.validation.run import validate
from htx_pipeline.validation.suites import parse_suite

TEXTS = {
    "reason_vi": "Sai: {value}",
    "reason_en": "Wrong: {value}",
    "remedy_vi": "Sửa.",
    "remedy_en": "Fix.",
}
KNOWN = ["cà phê", "sầu riêng", "a"]


def compare(column, operator, parameter):
    return {
        "type": "comparison",
        "column": {"name": column},
        "operator": operator,
        "parameter": parameter,
    }


def null(column, is_null):
    return {"type": "nullity", "column": {"name": column}, "is_null": is_null}


VALUES = "expect_column_values_to_"
SOME = {"type": "and", "conditions": [compare("i", ">=", 0), null("s", False)]}
ANY = {"type": "or", "conditions": [compare("s", "!=", "a"), compare("i", "IN", [1, 2])]}
RULES = {
    "null": (f"{VALUES}be_null", {"column": "f"}),
    "null_where": (f"{VALUES}be_null", {"column": "s", "row_condition": compare("i", ">", 0)}),
    "given": (f"{VALUES}not_be_null", {"column": "f"}),
    "given_where": (f"{VALUES}not_be_null", {"column": "f", "row_condition": ANY}),
    "given_mostly": (f"{VALUES}not_be_null", {"column": "s", "mostly": 0.6}),
    "unique_int": (f"{VALUES}be_unique", {"column": "i"}),
    "unique_float": (f"{VALUES}be_unique", {"column": "f"}),
    "unique_text": (f"{VALUES}be_unique", {"column": "s"}),
    "unique_where": (f"{VALUES}be_unique", {"column": "s", "row_condition": compare("i", "<", 2)}),
    "unique_mostly": (f"{VALUES}be_unique", {"column": "s", "mostly": 0.5}),
    "in_set_text": (f"{VALUES}be_in_set", {"column": "s", "value_set": KNOWN}),
    "in_set_int": (f"{VALUES}be_in_set", {"column": "i", "value_set": [0, 1.0, 1.5, "x", None]}),
    "in_set_where": (
        f"{VALUES}be_in_set",
        {"column": "i", "value_set": [0, 1], "row_condition": compare("s", "NOT_IN", KNOWN)},
    ),
    "not_in_set": (f"{VALUES}not_be_in_set", {"column": "s", "value_set": KNOWN}),
    "regex": (f"{VALUES}match_regex", {"column": "s", "regex": "^[ac]"}),
    "not_regex": (f"{VALUES}not_match_regex", {"column": "s", "regex": "ê|\\.$"}),
    "regex_where": (f"{VALUES}match_regex", {"column": "s", "regex": "a", "row_condition": SOME}),
    "between_int": (f"{VALUES}be_between", {"column": "i", "min_value": 0, "max_value": 2}),
    "between_float": (
        f"{VALUES}be_between",
        {"column": "f", "min_value": 0.5, "max_value": 2, "strict_min": True},
    ),
    "between_strict": (
        f"{VALUES}be_between",
        {"column": "i", "min_value": 0, "max_value": 2, "strict_min": True, "strict_max": True},
    ),
    "between_date": (
        f"{VALUES}be_between",
        {"column": "d", "min_value": "2024-01-02T00:00:00", "max_value": "2024-01-04T00:00:00"},
    ),
    "between_max_only": (
        f"{VALUES}be_between",
        {
            "column": "d",
            "max_value": "2024-01-03T00:00:00",
            "strict_max": True,
            "row_condition": SOME,
        },
    ),
    "length": (
        "expect_column_value_lengths_to_be_between",
        {"column": "s", "min_value": 2, "max_value": 6, "strict_max": True},
    ),
    "length_equal": ("expect_column_value_lengths_to_equal", {"column": "s", "value": 6}),
    "a_over_b": (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "i", "column_B": "j"},
    ),
    "a_over_b_or_equal": (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "d", "column_B": "e", "or_equal": True, "row_condition": SOME},
    ),
    "a_over_b_neither": (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "i", "column_B": "f", "ignore_row_if": "neither"},
    ),
    "a_equals_b": ("expect_column_pair_values_to_be_equal", {"column_A": "i", "column_B": "f"}),
    "a_equals_b_given": (
        "expect_column_pair_values_to_be_equal",
        {"column_A": "s", "column_B": "t", "ignore_row_if": "either_value_is_missing"},
    ),
    "a_equals_b_never": (
        "expect_column_pair_values_to_be_equal",
        {"column_A": "s", "column_B": "t", "ignore_row_if": "neither"},
    ),
    "pair_in_set": (
        "expect_column_pair_values_to_be_in_set",
        {"column_A": "s", "column_B": "t", "value_pairs_set": [["a", "b"], ["a", None]]},
    ),
    "compound": ("expect_compound_columns_to_be_unique", {"column_list": ["i", "s"]}),
    "compound_never": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["f", "s"], "ignore_row_if": "never"},
    ),
    "compound_where": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["f", "s"], "ignore_row_if": "never", "row_condition": SOME},
    ),
    "compound_any": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["i", "j", "s"], "ignore_row_if": "any_value_is_missing", "mostly": 0.7},
    ),
    "within_record": (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["i", "j", "f"]},
    ),
    "within_record_text": (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["s", "t"], "ignore_row_if": "never", "row_condition": ANY},
    ),
    "sum": ("expect_multicolumn_sum_to_equal", {"column_list": ["i", "j"], "sum_total": 2}),
    "sum_any": (
        "expect_multicolumn_sum_to_equal",
        {"column_list": ["i", "f"], "sum_total": 2, "ignore_row_if": "any_value_is_missing"},
    ),
    "known": (
        f"{VALUES}exist_in_reference",
        {"column": "s", "reference": "products", "row_condition": SOME},
    ),
}
TABLE_RULES = {
    "rows": ("expect_table_row_count_to_be_between", {"min_value": 4, "max_value": 9}),
    "rows_where": ("expect_table_row_count_to_equal", {"value": 2, "row_condition": SOME}),
    "exists": ("expect_column_to_exist", {"column": "i"}),
    "absent": ("expect_column_to_exist", {"column": "nothing"}),
    "columns": (
        "expect_table_columns_to_match_ordered_list",
        {"column_list": ["i", "j", "f", "s", "t", "d", "e"]},
    ),
    "columns_other": (
        "expect_table_columns_to_match_ordered_list",
        {"column_list": ["j", "i", "f", "s", "t", "d", "e"]},
    ),
    "column_set": (
        "expect_table_columns_to_match_set",
        {"column_set": ["i", "j", "f"], "exact_match": False},
    ),
    "column_set_exact": ("expect_table_columns_to_match_set", {"column_set": ["i", "j", "f"]}),
    **{
        f"{name}_{column}": (
            f"expect_column_{name}_to_be_between",
            {"column": column, "min_value": low, "max_value": high},
        )
        for name, low, high in (
            ("min", 0, 1),
            ("max", 1, 2),
            ("mean", 0.5, 1.5),
            ("median", 0.5, 1.5),
            ("sum", 1, 6),
            ("unique_value_count", 2, 3),
            ("proportion_of_unique_values", 0.4, 0.9),
            ("proportion_of_non_null_values", 0.4, 0.9),
        )
        for column in ("i", "f")
    },
    "stdev_i": ("expect_column_stdev_to_be_between", {"column": "i", "min_value": 0.5}),
    "sum_where": (
        "expect_column_sum_to_be_between",
        {"column": "i", "min_value": 1, "max_value": 4, "row_condition": SOME},
    ),
}


def suite():
    rows = [
        {
            "type": kind,
            "kwargs": kwargs,
            "severity": "warning",
            "meta": {"rule_id": rule_id, "action": "reject", **TEXTS},
        }
        for rule_id, (kind, kwargs) in RULES.items()
    ]
    table = [
        {
            "type": kind,
            "kwargs": kwargs,
            "severity": "info",
            "meta": {"rule_id": rule_id, "action": "flag", **TEXTS},
        }
        for rule_id, (kind, kwargs) in TABLE_RULES.items()
    ]
    return parse_suite({"name": "mean", "expectations": rows + table})


@functools.cache
def pandas_batch_definition():
    from htx_pipeline.validation.gx_run import ephemeral_context

    source = ephemeral_context().data_sources.add_pandas("pandas")
    return source.add_dataframe_asset("mean").add_batch_definition_whole_dataframe("whole")


def with_pandas(frame, spec):
    """Return rule id → (passed, failing rows or None) from Great Expectations on pandas."""
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    expectations = []
    for rule_id, (kind, kwargs) in spec.items():
        if kind.endswith("exist_in_reference"):
            kind = f"{VALUES}be_in_set"  # noqa: PLW2901
            kwargs = {**kwargs, "value_set": KNOWN}  # noqa: PLW2901
            del kwargs["reference"]
        expectations.append({"type": kind, "kwargs": kwargs, "meta": {"rule_id": rule_id}})
    data = frame.to_pandas()
    for column in ("d", "e"):
        data[column] = data[column].astype("datetime64[ns]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = Validator(
            pandas_batch_definition(),
            result_format="COMPLETE",
            batch_parameters={"dataframe": data},
        ).validate_expectation_suite(gx.ExpectationSuite(name="mean", expectations=expectations))
    found = {}
    for one in result.results:
        rule_id = one.expectation_config.meta["rule_id"]
        assert "raised_exception" in one.exception_info, (rule_id, one.exception_info)
        assert not one.exception_info["raised_exception"], (rule_id, one.exception_info)
        found[rule_id] = (bool(one.success), one.result.get("unexpected_index_list"))
    return found


MEAN = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # one example is a second: shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)


def column(values):
    return st.lists(st.one_of(st.none(), values), min_size=24, max_size=24)


TEXT = st.sampled_from(["a", "b", "cà phê", "cà phê", "sầu riêng", "Ấp 1.", "", "ab c"])
DATE = st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 6))
FRAMES = st.builds(
    lambda height, i, j, f, s, t, d, e: pl.DataFrame(
        {"i": i, "j": j, "f": f, "s": s, "t": t, "d": d, "e": e},
        schema={
            "i": pl.Int64,
            "j": pl.Int64,
            "f": pl.Float64,
            "s": pl.String,
            "t": pl.String,
            "d": pl.Date,
            "e": pl.Date,
        },
    ).head(height),
    st.integers(1, 24),
    column(st.integers(-1, 3)),
    column(st.integers(-1, 3)),
    column(st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, 2.5, float("nan")])),
    column(TEXT),
    column(TEXT),
    column(DATE),
    column(DATE),
)
SPARSE = pl.DataFrame(
    {c: [None, None] for c in "ijfstde"},
    schema={
        "i": pl.Int64,
        "j": pl.Int64,
        "f": pl.Float64,
        "s": pl.String,
        "t": pl.String,
        "d": pl.Date,
        "e": pl.Date,
    },
)


def assert_same_as_pandas(frame):
    result = validate(
        frame.with_row_index("source_row"), suite(), references={"products": pl.Series(KNOWN)}
    )
    ours = {}
    for rule_id in RULES:
        mine = result.findings.filter(pl.col("rule_id") == rule_id)
        ours[rule_id] = (result.check(rule_id).passed, sorted(mine["source_row"]))
    assert not [check for check in result.checks if check.is_errored]
    expected = with_pandas(frame, RULES)
    assert ours == {rule_id: (ok, sorted(rows)) for rule_id, (ok, rows) in expected.items()}


@settings(MEAN, max_examples=6)
@given(frame=FRAMES)
def test_every_rule_about_rows_fails_the_same_rows_as_pandas(frame):
    assert_same_as_pandas(frame)


def test_columns_without_a_single_value_agree_with_pandas():
    assert_same_as_pandas(SPARSE)


@settings(MEAN, max_examples=6)
@given(frame=FRAMES)
def test_every_rule_about_the_table_has_the_verdict_of_pandas(frame):
    result = validate(frame, suite(), references={"products": pl.Series(KNOWN)})
    ours = {rule_id: result.check(rule_id).passed for rule_id in TABLE_RULES}
    # pandas has the row number as no column of its own.
    expected = with_pandas(frame, TABLE_RULES)
    assert ours == {rule_id: passed for rule_id, (passed, _) in expected.items()}


SERIES = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-2, 2)), max_size=30),
    st.lists(st.one_of(st.none(), TEXT), max_size=30),
    st.lists(
        st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf")])),
        max_size=30,
    ),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=SERIES, other=SERIES)
def test_the_quick_duplicate_test_is_the_exact_one(values, other):
    single = pl.Series("a", values)
    if single.dtype != pl.Null:
        assert _duplicated_values(single).to_list() == single.is_duplicated().to_list()
    both = pl.DataFrame(
        {"a": single.head(len(other)), "b": pl.Series("b", other).head(len(values))}
    ).to_struct()
    if pl.Null not in [field.dtype for field in both.dtype.fields]:
        assert _duplicated_values(both).to_list() == both.is_duplicated().to_list()


def test_values_that_only_share_a_hash_are_not_duplicates(monkeypatch):
    monkeypatch.setattr(
        pl.Series,
        "hash",
        lambda self: self.len() * pl.Series([1], dtype=pl.UInt64).new_from_index(0, self.len()),
    )
    values = pl.Series(["a", "b", "a", "c"])
    assert _duplicated_values(values).to_list() == [True, False, True, False]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_rows_give_the_same_findings_ledger_and_verdicts(seed):
    frame = pl.DataFrame(
        {
            "source_file": ["b.xlsx", "a.xlsx", None, "a.xlsx"] * 6,
            "source_row": [9, 10, None, 2] * 6,
            "source_id": [f"id{n:02}" for n in range(24)],
            "i": [0, 1, None, 3, 1, 1] * 4,
            "j": [1, 1, 2, None] * 6,
            "f": [0.5, float("nan"), None] * 8,
            "s": ["a", "cà phê", None, "zz"] * 6,
            "t": ["b", None, "a", "zz"] * 6,
            "d": [dt.date(2024, 1, n % 6 + 1) for n in range(24)],
            "e": [dt.date(2024, 1, 3)] * 24,
        }
    )
    references = {"products": pl.Series(KNOWN)}
    first = validate(frame, suite(), references=references)
    again = validate(
        frame.sample(fraction=1, shuffle=True, seed=seed), suite(), references=references
    )
    assert again.findings.equals(first.findings)
    rules = [r for r in RULES if r != "columns"]
    assert again.ledger.filter(pl.col("rule_id").is_in(rules)).equals(
        first.ledger.filter(pl.col("rule_id").is_in(rules))
    )
    for part in ("accepted", "rejected"):
        assert getattr(again, part).sort("source_id").equals(getattr(first, part).sort("source_id"))
