"""What the first notebook costs on a clean checkout: writing the sample province, its tables, and the notebook itself.

What belongs here: that one run, beside importing Great Expectations, which every run has to. What does not: the
pipeline at other sizes (`benchmarks.ingest`, `benchmarks.validation`, `benchmarks.measures`).

Wall time, as that is what the reader waits for; so it is for a quiet machine only.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "n1_start_here.py"
SECONDS = 20.0
"""What it may take, on a quiet machine of two cores."""


def _seconds(*command: str, folder: Path) -> float:
    """Return how long a process of its own takes that finds no data."""
    env = {k: v for k, v in os.environ.items() if k != "HTX_DATA_DIR"}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], cwd=folder, check=True, capture_output=True, env={**env, "PYTHONPATH": str(ROOT)}
    )  # fmt: skip
    return time.perf_counter() - begin


def bench() -> list[dict[str, Any]]:
    """Return one row: the first notebook from nothing, as a share of `SECONDS`; kernels are compiled before."""
    subprocess.run(
        [sys.executable, "-m", "htx_pipeline.graph.kernels"], cwd=ROOT, check=True, capture_output=True
    )  # fmt: skip
    imports, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(2):
            place = Path(folder) / str(i)
            place.mkdir()
            imports.append(_seconds("-c", "import great_expectations", folder=place))
            whole.append(_seconds(str(NOTEBOOK), folder=place))
    share = min(whole) / SECONDS
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        {
            "bench": "first notebook on a clean checkout, of 20 s", "size": "3 years",
            "peer": f"importing great_expectations: {min(imports) / SECONDS:.2f}",
            "cpu_ratio": share, "goal": 1.0, "met": share <= 1.0, "peak_mb": peak,
        }
    ]  # fmt: skip


if __name__ == "__main__":
    print(bench())
