"""The names of Great Expectations that are used, imported in silence and without telemetry.

What belongs here: every import of Great Expectations, so that what is relied on (parts of it are private,
hence ``great-expectations>=1.24,<1.25``) stands in one place. What does not: using them. Importing this
module takes seconds; only code that runs suites does.
"""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # other people's import-time warnings
    import great_expectations as gx
    from great_expectations.compatibility import pydantic
    from great_expectations.core.batch import BatchData, BatchMarkers, LegacyBatchDefinition
    from great_expectations.core.batch_spec import RuntimeDataBatchSpec
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.core.id_dict import IDDict
    from great_expectations.core.metric_function_types import MetricFunctionTypes
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )
    from great_expectations.datasource.fluent.batch_request import BatchRequest
    from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource
    from great_expectations.exceptions.exceptions import InvalidBatchRequestError
    from great_expectations.execution_engine.execution_engine import ExecutionEngine
    from great_expectations.expectations import registry
    from great_expectations.expectations.core import (
        expect_column_values_to_be_in_type_list,
        expect_column_values_to_be_of_type,
    )
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        Expectation,
        MulticolumnMapExpectation,
    )
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metrics.metric_provider import MetricProvider
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from great_expectations.validator.v1_validator import Validator

__all__ = [
    "Batch",
    "BatchData",
    "BatchMarkers",
    "BatchRequest",
    "ColumnMapExpectation",
    "DataAsset",
    "Datasource",
    "ExecutionEngine",
    "Expectation",
    "ExpectationConfiguration",
    "ExpectationSuiteIdentifier",
    "ExpectationSuiteValidationResult",
    "IDDict",
    "InvalidBatchRequestError",
    "LegacyBatchDefinition",
    "MetricConfiguration",
    "MetricFunctionTypes",
    "MetricProvider",
    "MulticolumnMapExpectation",
    "ProgressBarsConfig",
    "RunIdentifier",
    "RuntimeDataBatchSpec",
    "ValidationResultIdentifier",
    "Validator",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
    "gx",
    "pydantic",
    "registry",
]
