"""Expectations that Great Expectations does not have, and two of its own that learn Polars' types.

What belongs here: the classes that suites name. What does not: how they are decided on rows
(`conditions`, `polars_metrics`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from htx_pipeline.validation._gx import (
    ColumnMapExpectation,
    MulticolumnMapExpectation,
    expect_column_values_to_be_in_type_list,
    expect_column_values_to_be_of_type,
    pydantic,
)
from htx_pipeline.validation.polars_engine import PolarsExecutionEngine


class ExpectColumnValuesToExistInReference(ColumnMapExpectation):
    """Expect every value to be in a named reference (a foreign key, a code list).

    The reference is handed over beside the frame, by name: a large ``value_set`` would be
    serialised again and again by Great Expectations.
    """

    reference: str
    reference_column: str | None = None

    map_metric = "column_values.in_reference"
    success_keys = ("mostly", "reference", "reference_column")
    args_keys = ("column", "reference")

    def in_words(self) -> str:
        """Return what the pages say."""
        return f"values must exist in the reference {self.reference}."

    class Config:
        title = "Expect column values to exist in reference"


class ExpectCompoundColumnsToExistInReference(MulticolumnMapExpectation):
    """Expect every combination of values to be in a named reference (a composite foreign key)."""

    reference: str
    reference_columns: list[str] | None = None
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = (
        "any_value_is_missing"
    )

    map_metric = "compound_columns.in_reference"
    success_keys = ("mostly", "reference", "reference_columns")
    args_keys = ("column_list", "reference")

    def in_words(self) -> str:
        """Return what the pages say."""
        columns = ", ".join(self.column_list)
        return f"{columns}: combinations must exist in the reference {self.reference}."

    class Config:
        title = "Expect compound columns to exist in reference"


class ExpectMulticolumnSumsToCompare(MulticolumnMapExpectation):
    """Expect, row by row, the sum of some columns to compare with the sum of others.

    ``left operator right``: ``["a"] <= ["b", "c"]`` is a ≤ b + c. ``tolerance`` widens it.
    A row in which any of the columns is missing is skipped, unless ``ignore_row_if`` says otherwise.
    """

    left: list[str]
    operator: Literal["<", "<=", "==", ">=", ">"]
    right: list[str]
    tolerance: float = 0
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = (
        "any_value_is_missing"
    )

    map_metric = "multicolumn_sums.compare"
    success_keys = ("mostly", "left", "operator", "right", "tolerance")
    args_keys = ("left", "operator", "right")

    @pydantic.root_validator(pre=True)
    def _name_the_columns(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805
        """Derive ``column_list`` from the two sides."""
        sides = [*(values.get("left") or ()), *(values.get("right") or ())]
        values["column_list"] = list(dict.fromkeys(sides))
        return values

    def in_words(self) -> str:
        """Return what the pages say."""
        left, right = " + ".join(self.left), " + ".join(self.right)
        margin = f", within {self.tolerance:g}" if self.tolerance else ""
        return f"{left} must be {self.operator} {right}{margin}."

    class Config:
        title = "Expect multicolumn sums to compare"


def _type_result(
    metrics: Mapping[str, Any], column: str, accepted: Sequence[str]
) -> dict[str, Any]:
    types = {entry["name"]: entry["type"] for entry in metrics["table.column_types"]}
    if column not in types:
        raise LookupError(f"the column {column!r} does not exist")
    dtype = types[column]
    names = {str(dtype), type(dtype).__name__}
    return {"success": bool(names & set(accepted)), "result": {"observed_value": str(dtype)}}


_log = logging.getLogger("great_expectations.expectations.registry")
_level, _was = logging.ERROR, _log.level
_log.setLevel(_level)  # the next two replace their namesakes in the registry, on purpose


class ExpectColumnValuesToBeOfType(expect_column_values_to_be_of_type.ExpectColumnValuesToBeOfType):
    """Great Expectations' own, that also knows Polars' types (``Int64``, ``Date``, ``Decimal``)."""

    def _validate(
        self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return _type_result(metrics, self.column, [str(self.type_)])
        return super()._validate(metrics, runtime_configuration, execution_engine)


class ExpectColumnValuesToBeInTypeList(
    expect_column_values_to_be_in_type_list.ExpectColumnValuesToBeInTypeList
):
    """Great Expectations' own, that also knows Polars' types (``Int64``, ``Date``, ``Decimal``)."""

    def _validate(
        self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return _type_result(metrics, self.column, list(self.type_list or ()))
        return super()._validate(metrics, runtime_configuration, execution_engine)


_log.setLevel(_was)
