"""The page of the documentation on costs: ``python -m benchmarks.document``.

What belongs here: `benchmarks/results.json` as ``docs/benchmarks.md``, and the picture of cost against size.
What does not: measuring. ``make bench`` writes the page when it is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PICTURE: Final = ROOT / "docs" / "pictures" / "scaling.svg"

GOAL_MB: Final = 6 * 1024
"""What a process may take on a network of ten million linkages."""

Row = Mapping[str, Any]

TITLES: Final = {
    "ingest": "Reading",
    "validation": "Validation",
    "report": "Reports",
    "graph": "Graph",
    "first_call": "First calls",
    "measures": "Measures",
}

INTRO: Final = """# Costs

Written by `python -m benchmarks.document` from `benchmarks/results.json`, which `make bench` fills. Every figure is
a ratio of CPU time between peers of one run, side by side on one machine, each in a process of its own; seconds
depend on the machine and are kept only to draw how cost grows. A ratio of 0.5 means half the peer's time.
"""

NOTES: Final = {
    "graph": """A synthetic nation of linkages ({sizes}), one organisation for five linkages. `htx` is this package. Peers
are given their graph before the clock starts, except for *build*, which begins with a Parquet file of text ids:

* *build*: one edge a pair, weights added up. NetworkX is a `DiGraph` filled pair by pair, igraph
  `Graph.TupleList` and `simplify`.
* *build with attributes*: every linkage with product, evidence, value and tonnes. NetworkX is
  `from_pandas_edgelist(..., create_using=MultiDiGraph)`, igraph `Graph.TupleList` with edge attributes.
* *igraph converged* is Leiden run until nothing improves (`n_iterations=-1`), *igraph* its two rounds by default.
""",
    "first_call": """CPU seconds of the first call of a process less those of the second, on 100,000 linkages that are loaded
already: with Numba's cache filled, as `make` and `python -m htx_pipeline.graph.kernels` fill it, and without, when
what is needed is compiled. Where no kernel was needed Numba is not started. Networks of a few thousand linkages
run in plain Python, without either.
""",
    "measures": """Every measure on a synthetic nation, in a process of its own. The ratio is to reading and sorting the
edges ({unit} CPU s at 1,000,000 linkages when last measured); peak memory is that of the whole process. Goal: six
gigabytes at 10,000,000 linkages. Where it says *not run* there was no time, not a failure.
""",
}

WHY: Final = {
    (
        "build",
        "networkx",
    ): "Twenty times less would be half the cost of reading and sorting the same frame. "
    "With the same content (every attribute, parallel edges kept) the goal is met from 100,000 linkages on.",
    (
        "build with attributes",
        "networkx",
    ): "At 10,000 linkages the fixed cost of some thirty calls of Polars and NumPy shows.",
    (
        "build",
        "read and sort",
    ): "At 10,000 linkages the fixed cost of some thirty calls of Polars and NumPy shows.",
    ("build with attributes", "read and sort"): "Four more columns are ranked, summed and checked.",
    (
        "build with attributes",
        "igraph",
    ): "igraph keeps the attributes as they are; here they are summed, checked and kept in a ledger.",
    (
        "articulation points",
        None,
    ): "About a millisecond at 10,000 linkages.",
    (
        "pagerank",
        None,
    ): "About a millisecond: weights are checked first.",
    ("weak components", None): "Less than a millisecond.",
    (
        "leiden",
        None,
    ): "Below 200,000 pairs the search ends after two rounds of little gain. igraph by default and networkit "
    "stop earlier, at a lower modularity; igraph at its convergence is up to 0.1 % higher.",
    ("upstreamness", None): "Weights are checked and the order of the chain is found first.",
}
"""Why a goal is missed, by bench and peer (None: any peer)."""


def text(rows: Sequence[Row]) -> str:
    """Return the page."""
    modules = dict.fromkeys(row["module"] for row in rows)
    parts = [INTRO, *(section(rows, module) for module in modules), _limits()]
    return "\n".join(parts)


def section(rows: Sequence[Row], module: str) -> str:
    """Return the tables of one module's benchmarks."""
    own = [row for row in rows if row["module"] == module]
    lines = [f"## {TITLES.get(module, module.capitalize())}\n"]
    if module in NOTES:
        sizes = sorted({row["size"] for row in own if isinstance(row["size"], int)})
        unit = next(
            (r["unit_cpu_s"] for r in own if r["size"] == 1_000_000 and "unit_cpu_s" in r), None
        )
        lines.append(NOTES[module].format(sizes=", ".join(f"{s:,}" for s in sizes), unit=unit))
    lines.append(_measures(own) if module == "measures" else _table(own))
    missed = [row for row in own if row.get("met") is False]
    if missed:
        lines.append("\n**Goals missed**\n")
        lines += [f"* {_named(row)}: {_shown(row)}. {_why(row)}".rstrip() for row in missed]
    if module == "graph":
        lines += [
            "\n![CPU time and memory against the number of linkages](pictures/scaling.svg)",
            _esri(own),
        ]
    return "\n".join(lines) + "\n"


def _named(row: Row) -> str:
    size = f"{row['size']:,}" if isinstance(row["size"], int) else row["size"]
    return f"{row['bench']}, {size}, {row['peer']}"


def _shown(row: Row) -> str:
    if row.get("failed"):
        return f"failed ({row['failed']})"
    goal = row.get("goal")
    return (
        f"{_number(row.get('cpu_ratio'))} (goal {goal if isinstance(goal, str) else _number(goal)})"
    )


def _why(row: Row) -> str:
    return WHY.get((row["bench"], row["peer"]), WHY.get((row["bench"], None), ""))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| bench | size | peer | ratio | goal | met | peak MB |",
        "|---|---:|---|---:|---:|---|---:|",
    ]
    for row in rows:
        size = f"{row['size']:,}" if isinstance(row["size"], int) else str(row["size"])
        goal = row.get("goal")
        met = "" if row.get("met") is None else "yes" if row["met"] else "**no**"
        peak = "" if row.get("peak_mb") is None else f"{row['peak_mb']:,.0f}"
        extra = (
            f" (modularity {row['modularity_ratio']:.4f})" if row.get("modularity_ratio") else ""
        )
        ratio = row.get("failed") or _number(row.get("cpu_ratio")) + extra
        goal_text = goal if isinstance(goal, str) else _number(goal)
        lines.append(
            f"| {row['bench']} | {size} | {row['peer']} | {ratio} | {goal_text} | {met} | {peak} |"
        )
    return "\n".join(lines)


def _measures(rows: Sequence[Row]) -> str:
    sizes = sorted({row["size"] for row in rows})
    found = {(row["bench"], row["size"]): row for row in rows}
    head = " | ".join(f"{size:,}" for size in sizes)
    lines = [
        f"| measure | {head} | CPU s at {sizes[-1]:,} | peak MB at {sizes[-1]:,} |",
        "|---" * (len(sizes) + 3) + "|",
    ]
    for name in dict.fromkeys(row["bench"] for row in rows):
        cells = []
        for size in sizes:
            row = found.get((name, size), {})
            cells.append(row.get("failed") or _number(row.get("cpu_ratio")) or "not run")
        largest = found.get((name, sizes[-1]), {})
        spent, peak = largest.get("cpu_s"), largest.get("peak_mb")
        cells += [_number(spent), "" if peak is None else f"{peak:,}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _esri(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        if row["bench"] == "esri" and "cpu_s" in row:
            lines.append(
                f"* ESRI of every organisation, exact, {row['size']:,} linkages: {_number(row['cpu_s'])} CPU s, "
                f"{row['steps']} steps at most."
            )
        if row["bench"] == "esri approximate" and "within_bound_share" in row:
            lines.append(
                f"* Approximate, {row['size']:,} linkages: {_number(row['cpu_s'])} CPU s. Of {row['checked']:,} organisations "
                f"drawn anew {row['within_bound_share']:.1%} lie within the stated bound (95 %); error of the estimate: median "
                f"{row['median_relative_error']:.2g}, 95th percentile {row['relative_error_95']:.2g} of the exact index."
            )
    return "\n" + "\n".join(lines)


def _limits() -> str:
    return """## Limits

* Betweenness is exact up to 5,000 linked organisations, above it is estimated from 1,024 sources with its standard
  error (`positions`). ESRI is exact for everyone up to 20,000 linked organisations, above for those outside large
  rings of suppliers; the others have bounds that hold with 95 % (`systemic_risk`). Both limits are reference data
  (`own.betweenness.exact_up_to`, `own.esri.exact_up_to`).
* graph-tool is not in the package index and was not measured.
"""


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw CPU time and peak memory of the graph and the measures against the number of linkages."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "htx"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
    marks = "osv^D<>Pph*X"
    ours = [r for r in rows if r["module"] == "graph" and r["peer"] == "htx" and "cpu_s" in r]
    measures = [r for r in rows if r["module"] == "measures" and "cpu_s" in r]
    for place, name in enumerate(dict.fromkeys(r["bench"] for r in ours)):
        style = {"marker": marks[place % len(marks)], "color": f"C{place % 10}", "label": name}
        _lines(left, right, [r for r in ours if r["bench"] == name], **style, zorder=3)
    for place, name in enumerate(dict.fromkeys(r["bench"] for r in measures)):
        label = {"label": "the measures"} if place == 0 else {}
        _lines(left, right, [r for r in measures if r["bench"] == name], color="0.75", **label)
    ends = np.array([1e4, 1e7])
    left.loglog(ends, 2e-6 * ends, color="0.3", linestyle="--", label="in proportion")
    left.set(xlabel="linkages", ylabel="CPU seconds")
    right.set(xlabel="linkages", ylabel="peak memory of the process, MB")
    right.axhline(GOAL_MB, color="0.3", linestyle=":")
    right.annotate("6 GB", (1e4, GOAL_MB), color="0.3", va="bottom")
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(which="major", color="0.93")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _lines(left: Any, right: Any, rows: Sequence[Row], **style: Any) -> None:
    rows = sorted(rows, key=lambda row: row["size"])
    for axes, value in ((left, "cpu_s"), (right, "peak_mb")):
        values = [max(row[value], 1e-3) for row in rows]
        axes.loglog([row["size"] for row in rows], values, linewidth=1, markersize=4, **style)


def main() -> None:
    """Write page and picture."""
    rows = json.loads(RESULTS.read_text())["results"]
    PAGE.write_text(text(rows))
    draw(rows, PICTURE)
    print(PAGE)


if __name__ == "__main__":
    main()
