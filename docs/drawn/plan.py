"""Pictures of `plan.md`: figures against targets."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars
from docs.drawn.register import percent, picture
from htx_pipeline.metrics.plan import plan_progress


@picture(plan_progress)
def gap() -> str:
    readings = {"all_htx": 0.36, "rated_good_fair": 0.48}
    targets = pl.DataFrame(
        [("UBND tỉnh", "KH 1", "chain_linked_share", d, 2025, ">=", 0.5, "share") for d in readings], orient="row",
        schema=["authority", "document", "indicator", "denominator", "target_year", "comparator", "value", "value_unit"],
    )  # fmt: skip
    figures = pl.DataFrame(
        [("2025", "province", "chain_linked_share", "active", d, v, None, None, "share", 40, True, None) for d, v in readings.items()], orient="row",
        schema=["period", "locality", "indicator", "evidence", "denominator", "value", "value_low", "value_high", "value_unit", "n", "is_defined", "reason"],
    )  # fmt: skip
    made = {r["denominator"]: r for r in plan_progress(targets, figures).iter_rows(named=True)}
    rows = []
    for key, label in (
        ("all_htx", "of all (flat)"),
        ("rated_good_fair", "of those rated (nested)"),
    ):
        actual, below = made[key]["actual_value"], -made[key]["gap"]
        rows.append((label, actual, f"{percent(actual)}: −{round(below * 100)} points"))
    goal = made["all_htx"]["target_value"]
    return bars(rows, title="Gap to a target", width=600, scale=0.7, line_at=(goal, f"target {percent(goal)}"))  # fmt: skip
