"""Rule suites as read-only data: one JSON file per table, in Great Expectations' own shape.

What belongs here: reading ``expectations/<table>.json`` into :class:`SuiteSpec`, and saying exactly
what is wrong with a file that does not fit. Dagster definitions, the docs and the error workbook
need the rules without the three seconds that importing Great Expectations costs, so nothing here
imports it. What does not: running a suite (`htx_pipeline.validation.run`).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError

ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"stop": "critical", "reject": "error", "flag": "warning"}
)
"""What a rule does when a row fails it → severity of the finding.

stop: publish nothing; reject: the row is left out; flag: the row is kept, mend it."""

GX_SEVERITIES: Final = ("critical", "warning", "info")

_Wrong = Callable[[str, str], InputError]
_ROW: Final = frozenset({"mostly", "row_condition"})
_PAIR: Final = _ROW | {"ignore_row_if"}
_BETWEEN: Final = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
_AGGREGATE: Final = _BETWEEN | {"row_condition"}


@dataclass(frozen=True)
class _Shape:
    """Which arguments an expectation takes, and whether it judges rows or the whole table."""

    required: frozenset[str]
    optional: frozenset[str]
    is_row_rule: bool
    one_of: frozenset[str] = frozenset()


def _rows(*required: str, optional: frozenset[str] = _ROW, one_of: str = "") -> _Shape:
    return _Shape(frozenset(required), optional, True, frozenset(one_of.split()))


def _whole(*required: str, optional: frozenset[str] = frozenset(), one_of: str = "") -> _Shape:
    return _Shape(frozenset(required), optional, False, frozenset(one_of.split()))


_BOUNDS: Final = "min_value max_value"

EXPECTATIONS: Final[Mapping[str, _Shape]] = MappingProxyType(
    {
        "expect_column_values_to_be_null": _rows("column"),
        "expect_column_values_to_not_be_null": _rows("column"),
        "expect_column_values_to_be_unique": _rows("column"),
        "expect_column_values_to_be_in_set": _rows("column", "value_set"),
        "expect_column_values_to_not_be_in_set": _rows("column", "value_set"),
        "expect_column_values_to_match_regex": _rows("column", "regex"),
        "expect_column_values_to_not_match_regex": _rows("column", "regex"),
        "expect_column_values_to_be_between": _rows(
            "column", optional=_ROW | _BETWEEN, one_of=_BOUNDS
        ),
        "expect_column_value_lengths_to_be_between": _rows(
            "column", optional=_ROW | _BETWEEN, one_of=_BOUNDS
        ),
        "expect_column_value_lengths_to_equal": _rows("column", "value"),
        "expect_column_values_to_exist_in_reference": _rows(
            "column", "reference", optional=_ROW | {"reference_column"}
        ),
        "expect_column_pair_values_a_to_be_greater_than_b": _rows(
            "column_A", "column_B", optional=_PAIR | {"or_equal"}
        ),
        "expect_column_pair_values_to_be_equal": _rows("column_A", "column_B", optional=_PAIR),
        # Great Expectations leaves row_condition out of this metric's domain and ignores it
        # without a word, so it is not accepted here.
        "expect_column_pair_values_to_be_in_set": _rows(
            "column_A", "column_B", "value_pairs_set", optional=_PAIR - {"row_condition"}
        ),
        "expect_compound_columns_to_be_unique": _rows("column_list", optional=_PAIR),
        "expect_compound_columns_to_exist_in_reference": _rows(
            "column_list", "reference", optional=_PAIR | {"reference_columns"}
        ),
        "expect_select_column_values_to_be_unique_within_record": _rows(
            "column_list", optional=_PAIR
        ),
        "expect_multicolumn_sum_to_equal": _rows("column_list", "sum_total", optional=_PAIR),
        "expect_multicolumn_sums_to_compare": _rows(
            "left", "operator", "right", optional=_PAIR | {"tolerance", "column_list"}
        ),
        "expect_column_to_exist": _whole("column", optional=frozenset({"column_index"})),
        "expect_column_values_to_be_of_type": _whole("column", "type_"),
        "expect_column_values_to_be_in_type_list": _whole("column", "type_list"),
        "expect_table_columns_to_match_set": _whole(
            "column_set", optional=frozenset({"exact_match"})
        ),
        "expect_table_columns_to_match_ordered_list": _whole("column_list"),
        "expect_table_row_count_to_be_between": _whole(
            optional=_AGGREGATE, one_of=_BOUNDS
        ),
        "expect_table_row_count_to_equal": _whole("value", optional=frozenset({"row_condition"})),
        **{
            f"expect_column_{name}_to_be_between": _whole(
                "column", optional=_AGGREGATE, one_of=_BOUNDS
            )
            for name in (
                "max", "min", "mean", "median", "stdev", "sum", "unique_value_count",
                "proportion_of_unique_values", "proportion_of_non_null_values",
            )
        },
    }
)  # fmt: skip
"""The expectations this project runs. A test ties the arguments to Great Expectations' models."""

_TEXTS: Final = ("reason_vi", "reason_en", "remedy_vi", "remedy_en")


@dataclass(frozen=True)
class RuleSpec:
    """One rule of a suite.

    ``columns`` are the columns it judges, ``condition_columns`` those its ``row_condition`` reads.
    The texts may hold ``{value}`` and ``{column}``.
    """

    rule_id: str
    expectation_type: str
    kwargs: Mapping[str, Any]
    severity: str
    action: str
    columns: tuple[str, ...]
    reason_vi: str
    reason_en: str
    remedy_vi: str
    remedy_en: str
    source: str = ""
    generated: bool = False
    condition_columns: tuple[str, ...] = field(default=())

    @property
    def is_row_rule(self) -> bool:
        """True when the rule judges each row, False when it judges the table as a whole."""
        return EXPECTATIONS[self.expectation_type].is_row_rule

    @property
    def finding_severity(self) -> str:
        """Severity of this rule's findings (see :data:`ACTIONS`)."""
        return ACTIONS[self.action]


@dataclass(frozen=True)
class SuiteSpec:
    """The rules of one table, in the order of the file."""

    table: str
    rules: tuple[RuleSpec, ...]

    def rule(self, rule_id: str) -> RuleSpec:
        """Return the rule of that id; KeyError when there is none."""
        for rule in self.rules:
            if rule.rule_id == rule_id:
                return rule
        raise KeyError(rule_id)


def load_suite(path: Path | str) -> SuiteSpec:
    """Read one suite file.

    Raises
    ------
    InputError
        The file is missing, is not JSON, or an expectation does not fit; the message names the
        file, the expectation (position and rule id) and the field.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "The rule suite does not exist.",
            where=str(path),
            remedy="Check the path, or generate the suite from the schemas.",
            code="suite_missing",
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            "The rule suite is not UTF-8 text.",
            where=f"{path}, byte {error.start}",
            remedy="Save the file as UTF-8.",
            code="suite_malformed",
        ) from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            "The rule suite is not valid JSON.",
            where=f"{path}, line {error.lineno}, column {error.colno}",
            why=error.msg,
            remedy="Correct the JSON at that place.",
            code="suite_malformed",
        ) from None
    return parse_suite(document, where=str(path))


def load_suites(directory: Path | str) -> dict[str, SuiteSpec]:
    """Read every ``*.json`` of a directory; the keys are the tables, sorted.

    Raises
    ------
    InputError
        A file is malformed, or its ``name`` is not its file name.
    """
    suites: dict[str, SuiteSpec] = {}
    for path in sorted(Path(directory).glob("*.json")):
        suite = load_suite(path)
        if suite.table != path.stem:
            raise _malformed(str(path), "name", f"is {suite.table!r}, but the file is {path.name}")
        suites[suite.table] = suite
    return suites


def parse_suite(document: Any, *, where: str = "suite") -> SuiteSpec:
    """Turn the JSON of a suite into a :class:`SuiteSpec`.

    Parameters
    ----------
    document:
        ``{"name": table, "expectations": [{"type", "kwargs", "severity", "meta"}, …]}`` with
        severity critical, warning or info, and in ``meta``: ``rule_id``, ``action`` (stop, reject
        or flag), ``reason_vi``, ``reason_en``, ``remedy_vi``, ``remedy_en``, and optionally
        ``source`` and ``generated``. severity is critical exactly where the action is stop.
    where:
        What an error message calls the suite.

    Examples
    --------
    >>> suite = parse_suite({"name": "linkages", "expectations": [{
    ...     "type": "expect_column_values_to_not_be_null", "kwargs": {"column": "linkage_id"},
    ...     "severity": "critical", "meta": {"rule_id": "linkage_id_given", "action": "stop",
    ...     "reason_vi": "Thiếu mã.", "reason_en": "No id.", "remedy_vi": "Bổ sung mã.",
    ...     "remedy_en": "Add the id."}}]})
    >>> suite.rules[0].columns, suite.rules[0].finding_severity
    (('linkage_id',), 'critical')
    """
    if not isinstance(document, Mapping):
        raise _malformed(where, "the file", "is not a JSON object")
    table = document.get("name")
    if not isinstance(table, str) or not table:
        raise _malformed(where, "name", "is missing or is not text")
    expectations = document.get("expectations")
    if not isinstance(expectations, list):
        raise _malformed(where, "expectations", "is missing or is not a list")
    rules = tuple(_rule(entry, where, i) for i, entry in enumerate(expectations, start=1))
    seen: set[str] = set()
    for i, rule in enumerate(rules, start=1):
        if rule.rule_id in seen:
            raise _malformed(where, "meta.rule_id", f"{rule.rule_id!r} is used twice", i)
        seen.add(rule.rule_id)
    return SuiteSpec(table=table, rules=rules)


def _rule(entry: Any, where: str, position: int) -> RuleSpec:
    if not isinstance(entry, Mapping):
        raise _malformed(where, "expectation", "is not a JSON object", position)
    meta = entry.get("meta")
    if not isinstance(meta, Mapping):
        raise _malformed(where, "meta", "is missing or is not an object", position)
    rule_id = meta.get("rule_id")
    if not isinstance(rule_id, str) or not rule_id:
        raise _malformed(where, "meta.rule_id", "is missing or is not text", position)

    def wrong(name: str, why: str) -> InputError:
        return _malformed(where, name, why, position, rule_id)

    shape, kwargs = _arguments(entry, wrong)
    severity, action = _severity(entry, shape, wrong)
    _check_texts(meta, wrong)
    columns = _columns(kwargs)
    if any(not isinstance(column, str) or not column for column in columns):
        raise wrong("kwargs", "names a column that is not text")
    return RuleSpec(
        rule_id=rule_id,
        expectation_type=entry["type"],
        kwargs=_frozen(kwargs),
        severity=severity,
        action=action,
        columns=columns,
        condition_columns=_condition_columns(kwargs.get("row_condition"), wrong),
        **{name: meta[name] for name in _TEXTS},
        source=meta.get("source", ""),
        generated=meta.get("generated", False),
    )


def _arguments(entry: Mapping[str, Any], wrong: _Wrong) -> tuple[_Shape, Mapping[str, Any]]:
    kind, kwargs = entry.get("type"), entry.get("kwargs")
    if not isinstance(kind, str) or kind not in EXPECTATIONS:
        raise wrong("type", f"{kind!r} is not an expectation this project runs")
    shape = EXPECTATIONS[kind]
    if not isinstance(kwargs, Mapping):
        raise wrong("kwargs", "is missing or is not an object")
    for name in sorted(shape.required - set(kwargs)):
        raise wrong(f"kwargs.{name}", f"is missing; {kind} needs it")
    for name in sorted(set(kwargs) - shape.required - shape.optional):
        raise wrong(f"kwargs.{name}", f"is not an argument of {kind}")
    if shape.one_of and all(kwargs.get(name) is None for name in shape.one_of):
        raise wrong("kwargs", f"needs {' or '.join(sorted(shape.one_of))}")
    mostly = kwargs.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, (int, float)) or not 0 <= mostly <= 1:
        raise wrong("kwargs.mostly", f"is {mostly!r}, but must be a share from 0 to 1")
    return shape, kwargs


def _severity(entry: Mapping[str, Any], shape: _Shape, wrong: _Wrong) -> tuple[str, str]:
    severity, action = entry.get("severity"), entry["meta"].get("action")
    if severity not in GX_SEVERITIES:
        raise wrong("severity", f"is {severity!r}, but must be one of {', '.join(GX_SEVERITIES)}")
    if action not in ACTIONS:
        raise wrong("meta.action", f"is {action!r}, but must be one of {', '.join(ACTIONS)}")
    if (severity == "critical") != (action == "stop"):
        raise wrong("severity", f"is {severity}, but the action is {action}: critical means stop")
    if action == "reject" and not shape.is_row_rule:
        raise wrong("meta.action", "is reject, but the rule judges the table: use stop or flag")
    return severity, action


def _check_texts(meta: Mapping[str, Any], wrong: _Wrong) -> None:
    for name in _TEXTS:
        text = meta.get(name)
        if not isinstance(text, str) or not text.strip():
            raise wrong(f"meta.{name}", "is missing or is empty")
        rest = text.replace("{value}", "").replace("{column}", "")
        if "{" in rest or "}" in rest:
            raise wrong(f"meta.{name}", "may hold only the placeholders {value} and {column}")
    if not isinstance(meta.get("source", ""), str):
        raise wrong("meta.source", "is not text")
    if not isinstance(meta.get("generated", False), bool):
        raise wrong("meta.generated", "is not true or false")


def _columns(kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    named: list[Any] = []
    for key in ("column", "column_A", "column_B"):
        if key in kwargs:
            named.append(kwargs[key])
    for key in ("column_list", "column_set", "left", "right"):
        value = kwargs.get(key) or ()
        named.extend(value if isinstance(value, (list, tuple)) else [value])
    return tuple(dict.fromkeys(named))


def _condition_columns(condition: Any, wrong: _Wrong) -> tuple[str, ...]:
    if condition is None:
        return ()
    if isinstance(condition, str):
        return _sql_columns(condition, wrong)
    if isinstance(condition, Mapping):
        kind = condition.get("type")
        if kind == "pass_through":
            return _sql_columns(str(condition.get("pass_through_filter", "")), wrong)
        if kind in {"and", "or"} and isinstance(condition.get("conditions"), list):
            parts = [_condition_columns(part, wrong) for part in condition["conditions"]]
            return tuple(dict.fromkeys(name for part in parts for name in part))
        column = condition.get("column")
        name = column.get("name") if isinstance(column, Mapping) else None
        if kind in {"comparison", "nullity"} and isinstance(name, str):
            return (name,)
    raise wrong(
        "kwargs.row_condition",
        "is neither an SQL expression nor a Great Expectations condition object",
    )


def _sql_columns(text: str, wrong: _Wrong) -> tuple[str, ...]:
    try:
        return tuple(sorted(set(pl.sql_expr(text).meta.root_names())))
    except pl.exceptions.PolarsError as error:
        raise wrong("kwargs.row_condition", f"cannot be read as SQL: {error}") from None


def _frozen(value: Any) -> Any:
    """Return a deep copy that cannot be written to."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return copy.deepcopy(value)


def _malformed(
    where: str, name: str, why: str, position: int | None = None, rule_id: str = ""
) -> InputError:
    place = where
    if position is not None:
        place += f", expectation {position}"
    if rule_id:
        place += f" ({rule_id})"
    return InputError(
        f"The rule suite is malformed: {name} {why}.",
        where=place,
        remedy=f"Correct {name} in the suite.",
        code="suite_malformed",
    )
