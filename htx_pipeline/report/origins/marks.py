"""What can be clicked in a picture, and the figures of its table that it shows.

What belongs here: from the name of a picture's element to the ids of cells. What does not: drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def cells_of_mark(
    gid: str, cells: Iterable[tuple[str, Mapping[str, Any] | None]]
) -> tuple[str, ...]:
    """Return the ids of the cells that an element shows: a commune, a stage, a band, a small chart.

    Parameters
    ----------
    gid:
        "commune-23500", "node-processing", "flow-production-processing-coffee", "trend-paid".
    cells:
        Ids of the cells of the picture's table, each with its line.
    """
    kind, _, name = gid.partition("-")
    match = {"commune": _commune, "node": _node, "flow": _flow, "trend": _trend}.get(kind)
    if match is None:
        return ()
    return tuple(own for own, line in cells if line is not None and match(name, line, own))


def _commune(name: str, line: Any, _: str) -> bool:
    return bool(line.get("code") == name)


def _trend(name: str, line: Any, _: str) -> bool:
    from htx_pipeline.report.pictures import name_of

    return name_of(str(line.get("key", ""))) == name


AMOUNTS = ("signed_value_vnd", "executed_value_vnd", "value_vnd", "tonnes", "n_linkages")


def _node(name: str, line: Any, ident: str) -> bool:
    return name in (line.get("from_stage"), line.get("to_stage")) and ident.endswith(AMOUNTS)


def _flow(name: str, line: Any, _: str) -> bool:
    from htx_pipeline.report import text
    from htx_pipeline.report.chain_layout import flow_gid

    source, target = line.get("from_stage") or "unknown", line.get("to_stage") or "unknown"
    is_end = source in text.FLOW_ENDS or target in text.FLOW_ENDS
    return flow_gid(source, target, "" if is_end else line["product_code"]) == f"flow-{name}"
