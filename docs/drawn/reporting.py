"""Pictures of `reporting.md`: who reported, who is late, who is missing."""

from __future__ import annotations

from datetime import date

import polars as pl

from docs.drawing import grid
from docs.drawn.register import percent, picture
from htx_pipeline.metrics.reporting import REQUIRED_FIGURES, reporting_roster, roster_localities
from htx_pipeline.schemas import TABLES


def _roster() -> pl.DataFrame:
    status = {"a": "active", "b": "active", "c": "active", "d": "dissolved"}
    known = TABLES["organisations"].conform(
        pl.DataFrame(
            {"period": "2024", "org_id": list(status), "name": [f"htx {i}" for i in status], "legal_type": "htx",
             "locality": "X", "status": list(status.values()), "is_registered": True}
        )
    )  # fmt: skip
    sent = TABLES["cooperative_reports"].conform(
        pl.DataFrame(
            {"period": "2024", "org_id": ["a", "b"], "reported_on": [date(2024, 12, 10), date(2024, 12, 20)],
             **{c: [1, 1] for c in REQUIRED_FIGURES}}
        )
    )  # fmt: skip
    return reporting_roster(known, sent, period="2024")


@picture(reporting_roster)
def reporting_roster_picture() -> str:
    rows = []
    for r in _roster().iter_rows(named=True):
        late = f", {r['days_late']} days" if r["days_late"] else ""
        rows.append((r["name"], [r["is_expected"], r["received_on"] is not None], f"{r['status']}{late}"))  # fmt: skip
    return grid(["expected", "came"], rows, title="Roster of reports", width=440, left=90)


@picture(roster_localities)
def roster_localities_picture() -> str:
    made = roster_localities(_roster()).row(0, named=True)
    expected = made["n_expected"]
    rows = []
    for label, share in (("reported", made["reported_share"]), ("on time", made["on_time_share"])):
        n = round(share * expected)
        rows.append((label, [True] * n + [False] * (expected - n), f"{n} of {expected}: {percent(share)}"))  # fmt: skip
    return grid([""] * expected, rows, title="Reported and on time", width=440, left=90)
