"""Where editions lie, and how the one in force is found: known without loading what writes them.

What belongs here: names of folders and of the files that lead to an edition. What does not: writing and
checking editions (`edition`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

MANIFEST: Final = "manifest.json"
"""In an edition: its files and their hashes."""

POINTER: Final = "current.json"
"""Beside the editions of a year: which one is in force."""


def edition_folder(data_dir: Path, kind: str, period: str) -> Path:
    """Return where the editions of a period lie: the public ones in a tree of their own.

    Examples
    --------
    >>> edition_folder(Path("data"), "public", "2025").as_posix()
    'data/cong-bo/period=2025'
    """
    return data_dir / ("cong-bo" if kind == "public" else "report") / f"period={period}"
