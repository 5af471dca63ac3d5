"""The canonical tables, one module each; `TABLES` is the registry everything else is generated from.

What belongs here: table definitions. What does not: reading, checking or computing.
"""

from __future__ import annotations

from typing import Final

from htx_pipeline.schemas.base import PERIOD, PROVENANCE, Code, Column, Table, structural_rules
from htx_pipeline.schemas.commendations import COMMENDATIONS
from htx_pipeline.schemas.cooperative_reports import COOPERATIVE_REPORTS
from htx_pipeline.schemas.linkages import LINKAGES
from htx_pipeline.schemas.organisations import ORGANISATIONS
from htx_pipeline.schemas.plan_targets import PLAN_TARGETS
from htx_pipeline.schemas.plan_tasks import PLAN_TASKS
from htx_pipeline.schemas.regional_accounts import REGIONAL_ACCOUNTS
from htx_pipeline.schemas.trainings import TRAININGS

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        ORGANISATIONS,
        COOPERATIVE_REPORTS,
        LINKAGES,
        TRAININGS,
        COMMENDATIONS,
        PLAN_TARGETS,
        PLAN_TASKS,
        REGIONAL_ACCOUNTS,
    )
}
"""Tables read from sources, in the order they are validated (a table after those it refers to)."""

__all__ = ["PERIOD", "PROVENANCE", "TABLES", "Code", "Column", "Table", "structural_rules"]
