"""What the commands share: the output, options that many have, groups of the help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from rich.console import Console

DataFolder = Annotated[
    Path | None, Parameter(help="Data folder of a run; HTX_DATA_DIR when left out.")
]
Year = Annotated[str | None, Parameter(help="Reporting year; the latest when left out.")]

RUN: Final = Group("Run / chạy", sort_key=1)
ARRIVE: Final = Group("Files that arrive / tệp gửi đến", sort_key=2)
ASK: Final = Group("What was made / kết quả", sort_key=3)


def console() -> Console:
    """Return the output: words are coloured only where a command asks for it."""
    from rich.console import Console

    return Console(highlight=False)
