"""Draw the pictures of `docs/metrics`: ``python -m docs.pictures`` (``--check``: are they current?).

What belongs here: files. What does not: what a picture shows (`drawn`), shapes (`drawing`).
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Final

import docs.drawn
from docs.drawn.register import PICTURES, Picture

FOLDER: Final = Path(__file__).parent / "metrics" / "img"


def pictures() -> dict[str, Picture]:
    """Return every picture by name."""
    for module in pkgutil.iter_modules(docs.drawn.__path__):
        importlib.import_module(f"docs.drawn.{module.name}")
    return dict(sorted(PICTURES.items()))


def files() -> dict[Path, str]:
    """Return path → text of every picture."""
    return {FOLDER / f"{name}.svg": made.draw() for name, made in pictures().items()}


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures, or with ``--check`` name those that are not current (exit 1)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    made = files()
    stale = [
        p
        for p, t in made.items()
        if not p.exists() or p.read_text("utf-8").replace("\r\n", "\n") != t
    ]
    for path in stale:
        if "--check" in arguments:
            print(f"not current: {path.name}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8", newline="\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main())
