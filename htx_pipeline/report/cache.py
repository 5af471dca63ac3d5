"""What is kept between runs of drawings and documents: found by content, held to a size.

What belongs here: which files the editions in force use, which of the others go. What does not: what names
a file (`documents`, `figures`).

The folder is a cache: whatever is lost from it is made again, to the same bytes. Here alone a clock is
read, to tell what was used last and what another run may be about to read.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from htx_pipeline.report.shelf import POINTER

USES: Final = "uses-"
"""Begins the name of a file that lists what an edition in force was made of; one for each folder of editions."""

DRAFT: Final = ".draft-"
"""Begins the name of a file that is being written."""

QUIET_S: Final = 3600.0
"""A file touched within so many seconds stays: another run may be about to read it."""


def touch(folder: Path, names: Iterable[str]) -> None:
    """Mark files as used now; those that are not there are left out."""
    for name in names:
        try:
            os.utime(folder / name)
        except FileNotFoundError:
            continue


def note_uses(folder: Path, out: Path, names: Iterable[str]) -> None:
    """Write down that the edition in force in *out* is made of these files."""
    place = os.path.relpath(out.resolve(), folder.resolve())  # they may be moved together
    key = hashlib.sha256(place.encode()).hexdigest()[:24]
    told = {"out": place, "names": sorted(set(names))}
    draft = folder / f"{DRAFT}{USES}{key}-{os.getpid()}"
    draft.write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(folder / f"{USES}{key}.json")


def in_use(folder: Path) -> frozenset[str]:
    """Return the files that editions in force are made of; lists of folders that are gone are removed."""
    found: set[str] = set()
    for path in sorted(folder.glob(f"{USES}*.json")):
        told = json.loads(path.read_text("utf-8"))
        if (folder / told["out"] / POINTER).is_file():
            found.update(told["names"])
        else:
            path.unlink(missing_ok=True)
    return frozenset(found)


def prune(folder: Path, *, max_mb: int, quiet_s: float = QUIET_S) -> int:
    """Remove what was used longest ago until the folder is within its size; return how many files went.

    What an edition in force uses stays, however large it is, and so does what was touched within *quiet_s*
    seconds.

    Parameters
    ----------
    folder:
        The cache.
    max_mb:
        Megabytes (10⁶ bytes) to be kept at most.
    quiet_s:
        Seconds within which a file counts as being used.
    """
    now, used = time.time(), in_use(folder)
    held: list[tuple[float, str, int]] = []
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False) and not entry.name.startswith(USES):
            about = entry.stat(follow_symlinks=False)
            held.append((about.st_mtime, entry.name, about.st_size))
    size, removed = sum(n for _, _, n in held), 0
    for touched, name, n in sorted(held):
        if name in used or now - touched < quiet_s:
            continue
        if size <= max_mb * 1_000_000 and not name.startswith(DRAFT):
            continue
        (folder / name).unlink(missing_ok=True)
        size, removed = size - n, removed + 1
    return removed
