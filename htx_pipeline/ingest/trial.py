"""Reading a workbook once in a process of its own, before it is read in ours.

What belongs here: which workbooks are tried, how much memory and time the trial may take, and what its
end means. What does not: what the trial does (`ingest._trial_child`), or finding what is wrong with a
container (`ingest.guard`).

The cell reader is compiled code: on a file made to harm it, it may abort or take all memory, which no
``except`` of ours would catch. A process that dies takes only itself along. Starting one costs about 12 ms of CPU,
reading twice as much again, so that ordinary .xlsx files, whose every cell the guard has seen, are not tried.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.guard import MIB, FileInfo
from htx_pipeline.ingest.refusals import refuse

TRIED_KINDS: Final = frozenset({"xls", "xlsb", "ods", "xlsm"})
SUSPICIOUS_NOTES: Final = frozenset({"wrong_extension", "external_links", "formula_starts_program"})
"""An .xlsx of which the guard noted one of these is tried too."""


@dataclass(frozen=True)
class TrialLimits:
    """What one trial may take.

    Attributes
    ----------
    memory_bytes:
        Address space. The largest sheet the guard lets pass takes about 0.5 GiB.
    cpu_seconds, wall_seconds:
        Time of the processor, and of the clock.
    """

    memory_bytes: int = 2048 * MIB
    cpu_seconds: int = 120
    wall_seconds: float = 240.0


DEFAULT_TRIAL: Final = TrialLimits()

_CHILD: Final = Path(__file__).with_name("_trial_child.py")
_REMEMBERED: Final = 64
_OUTCOMES: Final[dict[tuple[str, TrialLimits], tuple[str, str]]] = {}
"""(hash, limits) → code of the refusal ("" when the trial went well) and why."""


def is_tried(info: FileInfo) -> bool:
    """Return whether a workbook is tried before it is read.

    Examples
    --------
    >>> is_tried(FileInfo(name="a.ods", sha256="", size=1, kind="ods", notes=()))
    True
    """
    return info.kind in TRIED_KINDS or (
        info.kind == "xlsx" and any(n.code in SUSPICIOUS_NOTES for n in info.notes)
    )


def try_reading(content: bytes, *, name: str, limits: TrialLimits = DEFAULT_TRIAL) -> None:
    """Read every cell of a workbook in a process of its own; return when that went well.

    Raises
    ------
    InputError
        ``encrypted`` or ``damaged``: the reader said so, or panicked. ``reader_failed``: it was killed,
        took more memory or time than *limits*, or could not be started.
    """
    key = (hashlib.sha256(content).hexdigest(), limits)
    if key not in _OUTCOMES:
        while len(_OUTCOMES) >= _REMEMBERED:
            _OUTCOMES.pop(next(iter(_OUTCOMES)), None)
        _OUTCOMES[key] = _outcome(content, limits)
    code, why = _OUTCOMES[key]
    if code:
        raise refuse(code, where=name, why=why)


def forget_outcomes() -> None:
    """Try every workbook anew from here on."""
    _OUTCOMES.clear()


def reader_folder() -> Path:
    """Return the folder from which the trial imports the cell reader."""
    spec = find_spec("python_calamine")
    if spec is None or spec.origin is None:
        raise InputError(
            "The cell reader is not installed.", where="python-calamine", remedy="Install the package again.", code="reader_missing",
        )  # fmt: skip
    return Path(spec.origin).parent.parent


def _outcome(content: bytes, limits: TrialLimits) -> tuple[str, str]:
    command = [
        sys.executable, "-I", "-S", str(_CHILD), str(reader_folder()), str(limits.memory_bytes), str(limits.cpu_seconds),
    ]  # fmt: skip
    try:
        ended = subprocess.run(
            command, input=content, capture_output=True, timeout=limits.wall_seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return "reader_failed", f"it took more than {limits.wall_seconds:g} seconds"
    except OSError as exc:
        return "reader_failed", f"the reader could not be started: {exc.strerror}"
    if ended.returncode < 0:
        by = signal.Signals(-ended.returncode).name
        return "reader_failed", f"the reader was ended by {by}"
    try:
        told = json.loads(ended.stdout)
        return str(told["code"]), str(told["why"])[:300]
    except (ValueError, KeyError, TypeError):
        return "reader_failed", f"the reader ended with status {ended.returncode}"
