"""What NetworkX is told about the ``htx`` backend when it is imported.

What belongs here: the names the backend answers to, as plain data. NetworkX calls `get_info` on
every ``import networkx``, so nothing heavier than the standard library may be imported here.
What does not: the algorithms (`htx_pipeline.graph.backend`).
"""

from __future__ import annotations

from typing import Any, Final

FUNCTIONS: Final[dict[str, str]] = {}
"""Dispatch name → what differs from NetworkX, in one sentence (empty when nothing does)."""


def get_info() -> dict[str, Any]:
    """Return the metadata of the entry point ``networkx.backend_info``.

    Examples
    --------
    >>> get_info()["backend_name"]
    'htx'
    """
    return {
        "backend_name": "htx",
        "project": "htx_pipeline",
        "package": "htx_pipeline",
        "short_summary": "Compressed sparse row arrays, built straight from a Polars frame.",
        "functions": {
            name: {"additional_docs": note} if note else {} for name, note in FUNCTIONS.items()
        },
    }
