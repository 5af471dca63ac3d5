"""Costs of the graph, side by side with other libraries: ``python -m benchmarks.graph``.

What belongs here: one measurement per process, and the table of ratios with the goals. What does not: the
tasks and the peers (`benchmarks.graph_tasks`), the page of the documentation (`benchmarks.page`).

Each measurement runs in a process of its own, which warms its code up on a small graph, takes the
CPU time of the task alone (``time.process_time``, best of the repeats) and reports the growth of its
peak memory. A peer that is not installed is left out (``pip install .[bench]``; graph-tool is not on the
package index).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.graph_tasks import TASKS, nation

GOALS = {
    ("build", "read and sort"): 1.5,
    ("build", "networkx"): 1 / 20,
    ("build", "igraph"): 1 / 3,
    ("build with attributes", "read and sort"): 1.5,
    ("build with attributes", "networkx"): 1 / 20,
    ("build with attributes", "igraph"): 1 / 3,
}
"""Largest allowed ratio of our CPU time to the peer's; 1 where nothing is said."""

LIMITS = {
    "networkx": 100_000,
    "scipy spsolve": 100_000,
    "rustworkx": 1_000_000,
    "leidenalg": 1_000_000,
    ("build", "igraph"): 1_000_000,
    ("build with attributes", "igraph"): 1_000_000,
}
"""A peer, or a peer in one bench, is not asked for more links than this: its graph is filled edge by edge in
Python, or its run takes more than `SECONDS`."""

SECONDS = 1_800
"""CPU seconds that a process may take, its graph included; what takes more is reported so."""

SHORTEST = 1e-4
"""CPU seconds of a peer below which a ratio would be chance."""

# ---------------------------------------------------------------------- measuring


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def measure(bench: str, peer: str, path: Path, warm: Path, repeats: int) -> dict[str, Any]:
    """Return CPU seconds (best of the repeats) and peak memory of one task, in this process."""
    from htx_pipeline.graph.kernels import jit

    # Compiled from the first call on: what is compared are running costs.
    jit.BUDGET = 0
    TASKS[bench, peer](warm)[0]()
    run, remarks = TASKS[bench, peer](path)
    before = _peak_mb()
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        run()
        best = min(best, time.process_time() - begin - remarks.get("aside", 0.0))
    remarks.pop("aside", None)
    peak = _peak_mb()
    return {"cpu_s": best, "peak_mb": peak, "grown_mb": peak - before, **remarks}


def _apart(bench: str, peer: str, path: Path, warm: Path, repeats: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.graph", "--measure", bench, peer]
    command += [str(path), str(warm), str(repeats)]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))

    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL) and not done.stderr:
        return {"failed": f"not finished in {SECONDS:,} CPU s"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr else "killed"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _installed(peer: str) -> bool:
    module = peer.split(maxsplit=1)[0]
    if module in ("htx", "read", "scipy"):
        return True
    return importlib.util.find_spec(module) is not None


def bench(
    sizes: Sequence[int] = (10_000, 100_000, 1_000_000, 10_000_000),
    *,
    benches: Sequence[str] | None = None,
    esri_limit: int = 100_000,
    repeats: int = 3,
) -> list[dict[str, Any]]:
    """Measure and return one row per (bench, size, peer).

    ``cpu_ratio`` = our CPU time / the peer's, ``goal`` the largest ratio allowed, ``met`` whether it
    is kept. Rows of our own carry ``cpu_s`` and a ratio of null.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.parquet"
        nation(1_000).write_parquet(warm)
        for size in sizes:
            path = Path(folder) / "links.parquet"
            nation(size).write_parquet(path)
            for name in dict.fromkeys(bench_name for bench_name, _ in TASKS):
                if benches is not None and name not in benches:
                    continue
                if name == "esri" and size > esri_limit:
                    continue
                rows += _one(name, size, path, warm, repeats if size < 10_000_000 else 1)
    return rows


def _one(name: str, size: int, path: Path, warm: Path, repeats: int) -> list[dict[str, Any]]:
    if name.startswith("esri") or ((name, "igraph converged") in TASKS and size >= 1_000_000):
        repeats = 1
    ours = _apart(name, "htx", path, warm, repeats)
    rows = [{"bench": name, "size": size, "peer": "htx", "cpu_ratio": None, **ours}]
    for other, peer in TASKS:
        if other != name or peer == "htx" or not _installed(peer):
            continue
        if size > min(LIMITS.get(peer, size), LIMITS.get((name, peer), size)):
            continue
        theirs = _apart(name, peer, path, warm, repeats)
        goal = GOALS.get((name, peer), 1.0)
        row: dict[str, Any] = {"bench": name, "size": size, "peer": peer, **theirs}
        if theirs.get("cpu_s", SHORTEST) < SHORTEST:
            row["failed"] = "too short to compare"
        elif "cpu_s" in ours and "cpu_s" in theirs:
            row["cpu_ratio"] = ours["cpu_s"] / max(theirs["cpu_s"], 1e-6)
            row["goal"] = goal
            row["met"] = row["cpu_ratio"] <= goal
        if "modularity" in ours and "modularity" in theirs:
            row["modularity_ratio"] = ours["modularity"] / theirs["modularity"]
        rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000]
    )
    parser.add_argument("--bench", action="append", help="only this one (may be repeated)")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        name, peer, path, warm, repeats = chosen.measure
        print(json.dumps(measure(name, peer, Path(path), Path(warm), int(repeats))))
        return
    rows = bench(chosen.sizes, benches=chosen.bench)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        line = f"{row['bench']:20} {row['size']:>10,} {row['peer']:18}"
        if "failed" in row:
            print(f"{line} failed: {row['failed']}")
            continue
        line += f" {row['cpu_s']:9.3f} s {row['peak_mb']:8.0f} MB"
        if row["cpu_ratio"] is not None:
            line += f"  ratio {row['cpu_ratio']:7.3f}  goal {row['goal']:5.3f}"
            line += "  met" if row["met"] else "  MISSED"
        usual = {
            "bench",
            "size",
            "peer",
            "cpu_ratio",
            "cpu_s",
            "peak_mb",
            "grown_mb",
            "goal",
            "met",
        }
        for extra in sorted(row.keys() - usual):
            line += f"  {extra} {row[extra]:.5g}"
        print(line)


if __name__ == "__main__":
    main()
