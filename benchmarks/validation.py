"""Validation side by side: one million linkages, 15 columns, 25 rules, quarantine with reasons.

What belongs here: CPU time of this project's engine against hand-written Polars for the same rules
and the same output (accepted rows, rejected rows, one line per failing row and rule with its source
and its reason in both languages), and against the validation libraries people would otherwise use.
The others are given less to do where they cannot do it all; what, is said beside each.

Run it with ``python -m benchmarks.validation`` from the project root.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

ROWS = 1_000_000
GOAL_HAND_WRITTEN = 1.25
GOAL_GX_ON_PANDAS = 5.0
PRODUCTS = [f"P{i:03d}" for i in range(60)]
STATUSES = ["planned", "signed", "running", "done", "stopped"]


def linkages(rows: int = ROWS, *, seed: int = 7) -> pl.DataFrame:
    """Return a frame like the linkages table, with about a third of a finding per row."""
    rng = np.random.default_rng(seed)
    n_orgs = max(rows // 50, 10)
    signed = rng.integers(18_000, 20_000, rows)
    contracted = rng.integers(1, 5_000, rows) * 1_000_000
    frame = pl.DataFrame(
        {
            "source_file": np.where(np.arange(rows) < rows // 2, "a.xlsx", "b.xlsx"),
            "source_row": np.arange(rows) % (rows // 2 or 1) + 2,
            "linkage_id": np.arange(rows),
            "leader_id": rng.integers(0, n_orgs, rows),
            "partner_id": rng.integers(0, n_orgs, rows),
            "product": rng.choice(PRODUCTS, rows),
            "status": rng.choice(STATUSES, rows),
            "signed_on": signed,
            "ends_on": signed + rng.integers(1, 1_500, rows),
            "area_ha": rng.gamma(2.0, 3.0, rows).round(2),
            "households": rng.integers(1, 300, rows),
            "contracted_vnd": contracted,
            "paid_vnd": (contracted * rng.uniform(0.2, 1.0, rows)).astype(np.int64),
            "support_vnd": rng.integers(0, 100, rows) * 1_000_000,
            "form": rng.integers(1, 8, rows),
        }
    )

    def some(share: float, *, salt: int) -> pl.Expr:
        picks = np.random.default_rng(seed + salt).random(rows) < share
        return pl.lit(pl.Series(picks))

    def organisation(column: str) -> pl.Expr:
        return pl.format("ORG{}", pl.col(column).cast(pl.String).str.zfill(7))

    return frame.with_columns(
        pl.col("source_row").cast(pl.Int64),
        pl.when(some(0.01, salt=1))
        .then(pl.lit("LK000000001"))
        .otherwise(pl.format("LK{}", pl.col("linkage_id").cast(pl.String).str.zfill(9)))
        .alias("linkage_id"),
        pl.when(some(0.01, salt=2)).then(None).otherwise(organisation("leader_id")).alias("leader_id"),
        pl.when(some(0.02, salt=3))
        .then(pl.lit("ORG99999999"))
        .otherwise(organisation("partner_id"))
        .alias("partner_id"),
        pl.when(some(0.02, salt=4)).then(pl.lit("gỗ")).otherwise("product").alias("product"),
        pl.when(some(0.01, salt=5)).then(pl.lit("???")).otherwise("status").alias("status"),
        pl.col("signed_on").cast(pl.Int32).cast(pl.Date),
        pl.when(some(0.02, salt=6))
        .then(pl.col("signed_on") - 10)
        .otherwise("ends_on")
        .cast(pl.Int32)
        .cast(pl.Date)
        .alias("ends_on"),
        pl.when(some(0.02, salt=7)).then(-1.0).otherwise("area_ha").alias("area_ha"),
        pl.when(some(0.05, salt=8)).then(None).otherwise("households").alias("households"),
        pl.when(some(0.02, salt=9)).then(pl.col("contracted_vnd") * 3).otherwise("paid_vnd").alias("paid_vnd"),
        pl.when(some(0.01, salt=10)).then(9).otherwise("form").alias("form"),
    )  # fmt: skip


def organisations(rows: int = ROWS) -> pl.Series:
    """Return the known organisation ids."""
    n_orgs = max(rows // 50, 10)
    return pl.select(
        pl.format("ORG{}", pl.int_range(n_orgs).cast(pl.String).str.zfill(7))
    ).to_series()


def _comparison(column: str, operator: str, parameter: Any) -> dict[str, Any]:
    return {
        "type": "comparison",
        "column": {"name": column},
        "operator": operator,
        "parameter": parameter,
    }


def suite_document() -> dict[str, Any]:
    """Return the 25 rules as Great Expectations JSON."""
    values = "expect_column_values_to_"
    rules: list[tuple[str, str, dict[str, Any]]] = [
        *((f"{c}_given", f"{values}not_be_null", {"column": c}) for c in (
            "linkage_id", "leader_id", "partner_id", "product", "signed_on", "contracted_vnd")),
        ("linkage_id_unique", f"{values}be_unique", {"column": "linkage_id"}),
        ("linkage_key_unique", "expect_compound_columns_to_be_unique", {
            "column_list": ["leader_id", "partner_id", "product", "signed_on"]}),
        ("linkage_id_form", f"{values}match_regex", {"column": "linkage_id", "regex": r"^LK\d{9}$"}),
        ("leader_id_form", f"{values}match_regex", {"column": "leader_id", "regex": r"^ORG\d{7}$"}),
        ("partner_not_draft", f"{values}not_match_regex", {"column": "partner_id", "regex": "^TMP"}),
        ("leader_known", f"{values}exist_in_reference", {"column": "leader_id", "reference": "organisations"}),
        ("partner_known", f"{values}exist_in_reference", {"column": "partner_id", "reference": "organisations"}),
        ("product_known", f"{values}be_in_set", {"column": "product", "value_set": PRODUCTS}),
        ("status_known", f"{values}be_in_set", {"column": "status", "value_set": STATUSES}),
        ("form_range", f"{values}be_between", {"column": "form", "min_value": 1, "max_value": 7}),
        ("area_range", f"{values}be_between", {"column": "area_ha", "min_value": 0, "max_value": 5000}),
        ("households_range", f"{values}be_between", {"column": "households", "min_value": 1, "max_value": 5000}),
        ("signed_range", f"{values}be_between", {
            "column": "signed_on", "min_value": "2015-01-01", "max_value": "2026-12-14"}),
        ("paid_range", f"{values}be_between", {"column": "paid_vnd", "min_value": 0}),
        ("product_length", "expect_column_value_lengths_to_be_between", {
            "column": "product", "min_value": 2, "max_value": 40}),
        ("ends_after_signed", "expect_column_pair_values_a_to_be_greater_than_b", {
            "column_A": "ends_on", "column_B": "signed_on", "ignore_row_if": "either_value_is_missing"}),
        ("parties_differ", "expect_select_column_values_to_be_unique_within_record", {
            "column_list": ["leader_id", "partner_id"], "ignore_row_if": "any_value_is_missing"}),
        ("paid_within_contract", "expect_multicolumn_sums_to_compare", {
            "left": ["paid_vnd"], "operator": "<=", "right": ["contracted_vnd", "support_vnd"]}),
        ("done_has_households", f"{values}not_be_null", {
            "column": "households", "row_condition": _comparison("status", "==", "done")}),
    ]  # fmt: skip
    assert len(rules) == 25
    return {
        "name": "linkages",
        "expectations": [
            {
                "type": kind, "kwargs": kwargs, "severity": "warning",
                "meta": {
                    "rule_id": rule_id, "action": "reject",
                    "reason_vi": f"Không đạt quy tắc {rule_id}: giá trị “{{value}}”.",
                    "reason_en": f"Does not meet {rule_id}: value “{{value}}”.",
                    "remedy_vi": "Đề nghị kiểm tra lại và sửa.", "remedy_en": "Please check and correct.",
                },
            }
            for rule_id, kind, kwargs in rules
        ],
    }  # fmt: skip


# --- the contenders ---------------------------------------------------------------------------


def hand_written_rules(known: pl.Series) -> dict[str, tuple[list[str], pl.Expr]]:
    """Return the 25 rules as someone who knows Polars would write them: failing rows."""
    c = pl.col
    given = ("linkage_id", "leader_id", "partner_id", "product", "signed_on", "contracted_vnd")
    key = ["leader_id", "partner_id", "product", "signed_on"]
    date = pl.date
    return {
        **{f"{name}_given": ([name], c(name).is_null()) for name in given},
        "linkage_id_unique": (["linkage_id"], c("linkage_id").is_duplicated() & c("linkage_id").is_not_null()),
        "linkage_key_unique": (key, pl.struct(key).is_duplicated()),
        "linkage_id_form": (["linkage_id"], ~c("linkage_id").str.contains(r"^LK\d{9}$")),
        "leader_id_form": (["leader_id"], ~c("leader_id").str.contains(r"^ORG\d{7}$")),
        "partner_not_draft": (["partner_id"], c("partner_id").str.contains("^TMP")),
        "leader_known": (["leader_id"], ~c("leader_id").is_in(known.implode())),
        "partner_known": (["partner_id"], ~c("partner_id").is_in(known.implode())),
        "product_known": (["product"], ~c("product").is_in(PRODUCTS)),
        "status_known": (["status"], ~c("status").is_in(STATUSES)),
        "form_range": (["form"], ~c("form").is_between(1, 7)),
        "area_range": (["area_ha"], ~c("area_ha").is_between(0, 5000)),
        "households_range": (["households"], ~c("households").is_between(1, 5000)),
        "signed_range": (["signed_on"], ~c("signed_on").is_between(date(2015, 1, 1), date(2026, 12, 14))),
        "paid_range": (["paid_vnd"], c("paid_vnd") < 0),
        "product_length": (["product"], ~c("product").str.len_chars().is_between(2, 40)),
        "ends_after_signed": (["ends_on", "signed_on"], ~(c("ends_on") > c("signed_on"))),
        "parties_differ": (["leader_id", "partner_id"], c("leader_id") == c("partner_id")),
        "paid_within_contract": (
            ["paid_vnd", "contracted_vnd", "support_vnd"],
            c("paid_vnd") > c("contracted_vnd") + c("support_vnd"),
        ),
        "done_has_households": (["households"], (c("status") == "done") & c("households").is_null()),
    }  # fmt: skip


def hand_written(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """Same rules, same output, nothing else: accepted, rejected, and findings with reasons."""
    return _quarantine(frame, hand_written_rules(known))


def _quarantine(
    frame: pl.DataFrame, rules: dict[str, tuple[list[str], pl.Expr]]
) -> tuple[int, int, int]:
    masks = frame.lazy().select(
        failing.fill_null(False).alias(rule_id) for rule_id, (_, failing) in rules.items()
    ).collect()  # fmt: skip
    rejected = masks.select(pl.any_horizontal(pl.all())).to_series()
    parts = []
    for rule_id, (columns, _) in rules.items():
        rows = masks[rule_id].arg_true()
        if not len(rows):
            continue
        if len(columns) == 1:
            value = pl.col(columns[0]).cast(pl.String)
        else:
            value = pl.concat_str(
                [pl.format(f"{c}={{}}", pl.col(c).cast(pl.String).fill_null("")) for c in columns],
                separator="; ",
            )
        shown = value.fill_null("")
        parts.append(
            frame.select("source_file", "source_row", *columns)[rows].select(
                pl.lit(rule_id).alias("rule_id"),
                pl.lit("error").alias("severity"),
                pl.lit("linkages").alias("table"),
                pl.lit(None, dtype=pl.String).alias("source_id"),
                "source_file",
                pl.lit(None, dtype=pl.String).alias("source_sheet"),
                "source_row",
                pl.lit(None, dtype=pl.String).alias("source_cell"),
                pl.lit(", ".join(columns)).alias("column"),
                value.alias("raw_value"),
                pl.concat_str(pl.lit(f"Không đạt quy tắc {rule_id}: giá trị “"), shown, pl.lit("”."))
                .alias("reason_vi"),
                pl.concat_str(pl.lit(f"Does not meet {rule_id}: value “"), shown, pl.lit("”."))
                .alias("reason_en"),
                pl.lit("Đề nghị kiểm tra lại và sửa.").alias("remedy_vi"),
                pl.lit("Please check and correct.").alias("remedy_en"),
            )
        )  # fmt: skip
    findings = pl.concat(parts).sort(
        "source_file", "source_row", "column", "rule_id", "raw_value", maintain_order=True
    )
    return frame.filter(~rejected).height, frame.filter(rejected).height, findings.height


def ours(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """This project: the JSON suite through Great Expectations on the Polars engine."""
    from htx_pipeline.validation.run import validate
    from htx_pipeline.validation.suites import parse_suite

    result = validate(frame, parse_suite(suite_document()), references={"organisations": known})
    return result.accepted.height, result.rejected.height, result.findings.height


def tuned(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """Hand-written Polars with this project's duplicate test in place of ``is_duplicated``."""
    from htx_pipeline.validation.conditions import _duplicated

    key = ["leader_id", "partner_id", "product", "signed_on"]
    quick = {
        "linkage_id_unique": _duplicated(pl.col("linkage_id")) & pl.col("linkage_id").is_not_null(),
        "linkage_key_unique": _duplicated(pl.struct(key)),
    }
    rules = {
        rule_id: (columns, quick.get(rule_id, failing))
        for rule_id, (columns, failing) in hand_written_rules(known).items()
    }
    return _quarantine(frame, rules)


def with_dataframely(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """The hand-written expressions as dataframely rules; failures with rule names, no reasons."""
    import dataframely as dy

    schema = _dataframely_schema(dy, frame, known)
    good, failure = schema.filter(frame)
    return good.height, len(failure), sum(failure.counts().values())


def _dataframely_schema(dy: Any, frame: pl.DataFrame, known: pl.Series) -> Any:
    def rule(failing: pl.Expr) -> Any:
        return dy.rule()(lambda cls: ~failing.fill_null(False))

    columns = {name: dy.Any() for name in frame.columns}
    rules = {f"r_{name}": rule(failing) for name, (_, failing) in hand_written_rules(known).items()}
    return type("Linkages", (dy.Schema,), {**columns, **rules})


def with_pointblank(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """The hand-written expressions as pointblank steps; sundered rows, no reasons."""
    import pointblank as pb

    steps = pb.Validate(frame)
    for _, failing in hand_written_rules(known).values():
        steps = steps.col_vals_expr(expr=~failing.fill_null(False))
    done = steps.interrogate(collect_extracts=False)
    good, bad = done.get_sundered_data("pass"), done.get_sundered_data("fail")
    return good.height, bad.height, sum(done.n_failed().values())


def with_pandera(frame: pl.DataFrame, known: pl.Series) -> tuple[int, int, int]:
    """The hand-written expressions as pandera checks, lazily; its table of failure cases."""
    import pandera.polars as pa

    def check(rule_id: str, failing: pl.Expr) -> Any:
        return pa.Check(
            lambda data: data.lazyframe.select((~failing.fill_null(False)).alias(rule_id)),
            name=rule_id,
        )

    schema = pa.DataFrameSchema(
        checks=[check(name, failing) for name, (_, failing) in hand_written_rules(known).items()]
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        rejected = cases["index"].n_unique()
        return frame.height - rejected, rejected, cases.height
    return frame.height, 0, 0


def gx_on_pandas(frame: Any, known: list[str]) -> tuple[int, int, int]:
    """Great Expectations on pandas: 23 of the 25 rules from the same JSON; places, no reasons.

    It lacks the comparison of sums, and is spared the rule it evaluates row by row in Python, which
    alone takes most of a minute. *frame* is a pandas frame already; references are value sets.
    """
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    expectations = []
    for one in suite_document()["expectations"]:
        kind, kwargs = one["type"], dict(one["kwargs"])
        if kind in {
            "expect_multicolumn_sums_to_compare",
            "expect_select_column_values_to_be_unique_within_record",
        }:
            continue
        if kwargs.pop("reference", None):
            kind, kwargs["value_set"] = "expect_column_values_to_be_in_set", known
        for bound in ("min_value", "max_value"):
            if kwargs.get("column") == "signed_on" and bound in kwargs:
                kwargs[bound] += "T00:00:00"
        expectations.append({"type": kind, "kwargs": kwargs, "meta": one["meta"]})
    result = Validator(
        _pandas_definition(),
        result_format={
            "result_format": "COMPLETE",
            "exclude_unexpected_values": True,
            "return_unexpected_index_query": False,
        },
        batch_parameters={"dataframe": frame},
    ).validate_expectation_suite(gx.ExpectationSuite(name="linkages", expectations=expectations))
    places = [one.result["unexpected_index_list"] for one in result.results]
    rejected = set().union(*places)
    return len(frame) - len(rejected), len(rejected), sum(map(len, places))


@functools.cache
def _pandas_definition() -> Any:
    from htx_pipeline.validation.gx_run import ephemeral_context

    source = ephemeral_context().data_sources.add_pandas("pandas")
    return source.add_dataframe_asset("linkages").add_batch_definition_whole_dataframe("whole")


# --- measuring ---------------------------------------------------------------------------------

PEERS: dict[str, tuple[Callable[..., tuple[int, int, int]], int]] = {
    "this project": (ours, 7),
    "hand-written Polars, our duplicate test": (tuned, 7),
    "dataframely": (with_dataframely, 3),
    "pointblank": (with_pointblank, 3),
    "pandera": (with_pandera, 3),
    "Great Expectations on pandas": (gx_on_pandas, 1),
}
"""Contender → what to call, and how many pairs to run."""


def _prepared(peer: str, rows: int) -> tuple[Callable[..., tuple[int, int, int]], tuple[Any, Any]]:
    """Return the contender, warmed up, and its arguments."""
    frame, known = linkages(rows), organisations(rows)
    contender, _ = PEERS[peer]
    if contender is not gx_on_pandas:
        contender(linkages(100), organisations(100))
        return contender, (frame, known)
    _pandas_definition()
    data = frame.to_pandas()
    for column in ("signed_on", "ends_on"):
        data[column] = data[column].astype("datetime64[ns]")
    return contender, (data, known.to_list())


def _cpu(peer: str, rows: int) -> dict[str, Any]:
    """Run a contender and hand-written Polars in turn; return the median ratio of CPU time."""
    contender, arguments = _prepared(peer, rows)
    frame, known = linkages(rows), organisations(rows)
    base = hand_written(frame, known)
    ratios = []
    for _ in range(PEERS[peer][1]):
        start = time.process_time()
        found = contender(*arguments)
        middle = time.process_time()
        hand_written(frame, known)
        ratios.append((middle - start) / (time.process_time() - middle))
        if contender is not gx_on_pandas and found != base:
            raise AssertionError(f"{peer} found {found}, hand-written Polars {base}")
    return {"cpu_ratio": statistics.median(ratios)}


def _peak(peer: str, rows: int) -> dict[str, Any]:
    """Return what one run adds, at its peak, to a process that holds the data."""
    contender, arguments = _prepared(peer, rows)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    contender(*arguments)
    return {"peak_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def _elsewhere(measure: str, peer: str, rows: int) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.validation"]
    done = subprocess.run(
        [*command, measure, peer, str(rows)], capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def bench(rows: int = ROWS) -> list[dict[str, Any]]:
    """Measure every contender that is installed; ``cpu_ratio`` is against hand-written Polars.

    The goal of this project's row is a ratio of at most 1.25; that of Great Expectations on pandas
    is a ratio at least five times this project's.
    """
    lines: list[dict[str, Any]] = []
    own = 0.0
    for peer in PEERS:
        library = {"dataframely": "dataframely", "pointblank": "pointblank", "pandera": "pandera"}
        if peer in library and importlib.util.find_spec(library[peer]) is None:
            continue
        line = _elsewhere("cpu", peer, rows) | _elsewhere("peak", peer, rows)
        ratio = line["cpu_ratio"]
        goal, met = None, None
        if peer == "this project":
            own, goal, met = ratio, f"<= {GOAL_HAND_WRITTEN}", ratio <= GOAL_HAND_WRITTEN
        elif peer == "Great Expectations on pandas":
            goal, met = f">= {GOAL_GX_ON_PANDAS:g} x ours", ratio >= GOAL_GX_ON_PANDAS * own
        lines.append(
            {
                "bench": "validation, 25 rules, quarantine",
                "size": f"{rows} x 15",
                "peer": peer,
                "cpu_ratio": round(ratio, 2),
                "goal": goal,
                "met": met,
                "peak_mb": round(line["peak_mb"]),
            }
        )
    return lines


def main() -> None:
    """Print the table; with arguments, make one measurement for it."""
    if len(sys.argv) == 4:
        warnings.simplefilter("ignore")
        measure = {"cpu": _cpu, "peak": _peak}[sys.argv[1]]
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    print(f"{'CPU against hand-written Polars':<42}{'ratio':>7}{'peak MB':>9}  goal")
    for line in bench(int(sys.argv[1]) if len(sys.argv) == 2 else ROWS):
        goal = (
            "" if line["goal"] is None else f"{line['goal']} {'met' if line['met'] else 'MISSED'}"
        )
        print(f"{line['peer']:<42}{line['cpu_ratio']:>7.2f}{line['peak_mb']:>9}  {goal}")


if __name__ == "__main__":
    main()
