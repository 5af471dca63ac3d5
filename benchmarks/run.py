"""Run every benchmark, print one table, write `benchmarks/results.json`.

What belongs here: collecting and printing. What does not: measuring, which each module of this folder
does by itself: ``bench() -> list[dict]`` with bench, size, peer, cpu_ratio, goal, met, peak_mb (reading also
with wall_ratio).

Speeds are ratios of CPU time between peers of one run on one machine; seconds are kept only to draw how
cost grows. The page of the documentation is written from the results (`benchmarks.document`).
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import document

MODULES = ("ingest", "validation", "report", "page", "notebook", "graph", "first_call", "measures")
PACKAGES = (
    "polars", "great-expectations", "pandera", "dataframely", "networkx", "igraph", "numba", "scipy", "leidenalg",
    "rustworkx", "scikit-network", "networkit", "python-calamine", "fastexcel",
)  # fmt: skip
RESULTS = Path(__file__).with_name("results.json")


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the named modules, all by default; rows of modules not run are kept from the last time."""
    wanted = (sys.argv[1:] if arguments is None else arguments) or list(MODULES)
    unknown = sorted(set(wanted) - set(MODULES))
    if unknown:
        print(
            f"no such benchmark: {', '.join(unknown)}; there are {', '.join(MODULES)}",
            file=sys.stderr,
        )
        return 2
    before: list[dict[str, Any]] = (
        json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else []
    )
    rows = [r for r in before if r["module"] not in wanted]
    for name in wanted:
        made = importlib.import_module(f"benchmarks.{name}").bench()
        rows += [{"module": name, **row} for row in made]
    rows.sort(
        key=lambda r: (
            MODULES.index(r["module"]),
            str(r["bench"]),
            str(r["size"]).rjust(14),
            str(r["peer"]),
        )
    )
    print(
        f"{'bench':<34} {'size':>14} {'peer':<28} {'cpu ratio':>9} {'goal':>10} {'met':>4} {'peak MB':>8}"
    )
    for r in rows:
        met = "" if r.get("met") is None else "yes" if r["met"] else "NO"
        ratio = "" if r.get("cpu_ratio") is None else f"{r['cpu_ratio']:.2f}"
        peak = "" if r.get("peak_mb") is None else f"{r['peak_mb']:.0f}"
        size = f"{r['size']:,}" if isinstance(r["size"], int) else str(r["size"])
        print(
            f"{r['bench']:<34} {size:>14} {r['peer']:<28} {ratio:>9} {r.get('goal') or ''!s:>10} {met:>4} {peak:>8}"
        )
    machine = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }
    RESULTS.write_text(
        json.dumps(
            {"machine": machine, "versions": _versions(), "results": rows},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    document.main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
