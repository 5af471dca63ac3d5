"""Checks: one Dagster asset check per rule of a suite, from one registry.

What belongs here: names and specs of checks made from rules, and check results made from outcomes.
What does not: the rules (`expectations/`) or judging rows (`htx_pipeline.validation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import dagster as dg

from htx_pipeline.validation.suites import RuleSpec, SuiteSpec

BALANCE_CHECK = "ledger_balances"
SHARE_CHECK = "rejected_share_within_limit"


def check_name(rule_id: str) -> str:
    """Return the name of a rule's check: the rule id without its table, dots doubled to underscores.

    Examples
    --------
    >>> check_name("linkages.supplier_id.reference")
    'supplier_id__reference'
    """
    return rule_id.split(".", 1)[1].replace(".", "__")


def said_of_any(reason: str) -> str:
    """Return the reason of a rule as it is said of no row in particular.

    Examples
    --------
    >>> said_of_any("Area is out of range (at least 0): {value}."), said_of_any("Fewer members ({value}) than 5.")
    ('Area is out of range (at least 0).', 'Fewer members than 5.')
    """
    return re.sub(r": \{value\}| ?\(\{value\}\)", "", reason)


def _severity(rule: RuleSpec) -> str:
    return {"stop": "publishes nothing", "reject": "rejects the row", "flag": "marks the row"}[
        rule.action
    ]


def suite_check_specs(suite: SuiteSpec, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return one spec per rule, and the two checks of the ledger."""
    specs = [
        dg.AssetCheckSpec(
            name=check_name(rule.rule_id),
            asset=key,
            description=f"{said_of_any(rule.reason_vi)} / {said_of_any(rule.reason_en)} ({_severity(rule)})",
            metadata={"rule_id": rule.rule_id, "action": rule.action, "source": rule.source},
        )
        for rule in suite.rules
    ]
    specs.append(
        dg.AssetCheckSpec(
            name=BALANCE_CHECK, asset=key,
            description="Số dòng vào = số dòng ra + số dòng bị loại theo từng quy tắc / rows in = rows out + rejected by rule",
        )
    )  # fmt: skip
    specs.append(
        dg.AssetCheckSpec(
            name=SHARE_CHECK, asset=key,
            description="Tỷ lệ dòng bị loại trong giới hạn / the share of rejected rows is within the limit",
        )
    )  # fmt: skip
    return specs


def table_checks(key: dg.AssetKey, items: Iterable[tuple[str, str]]) -> Sequence[dg.AssetCheckSpec]:
    """Return specs from (name, description) pairs."""
    return [dg.AssetCheckSpec(name=name, asset=key, description=text) for name, text in items]
