"""What Dagster shows about a table: columns with type, unit and labels, owner, kinds.

What belongs here: the translation of `htx_pipeline.schemas` into Dagster metadata.
What does not: counts of one run (the asset adds them) or any record (never).
"""

from __future__ import annotations

from typing import Any, Final

import dagster as dg
import polars as pl

from htx_pipeline.schemas.base import Table

OWNERS: Final = {
    "raw": ["team:intake"],
    "core": ["team:intake"],
    "graph": ["team:analysis"],
    "metrics": ["team:analysis"],
    "report": ["team:planning"],
}


def frame_metadata(frame: pl.DataFrame | pl.LazyFrame) -> dict[str, Any]:
    """Return the column schema of a computed frame as run metadata: names and types, no records."""
    columns = [dg.TableColumn(name=n, type=str(t)) for n, t in frame.collect_schema().items()]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def table_metadata(table: Table) -> dict[str, Any]:
    """Return the column schema, units and labels of *table* as definition metadata."""
    columns = [
        dg.TableColumn(
            name=c.name,
            type=str(c.dtype),
            description=f"{c.label_vi} / {c.label_en}. {c.description}"
            + (f" Unit: {c.unit}." if c.unit else ""),
            constraints=dg.TableColumnConstraints(
                nullable=not c.required, unique=table.key == (c.name,)
            ),
        )
        for c in table.columns
    ]
    units = {c.name: c.unit for c in table.columns if c.unit}
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "units": dg.MetadataValue.json(units),
        "label_vi": table.label_vi,
        "grain": table.grain,
        "key": ", ".join(table.key),
        **({"take_care": table.warning} if table.warning else {}),
        **({"source": table.source} if table.source else {}),
    }
