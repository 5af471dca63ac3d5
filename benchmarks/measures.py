"""What every measure costs, up to a nation of ten million linkages: ``python -m benchmarks.measures``.

What belongs here: the synthetic nation as stored tables, one measure per process, its CPU time and
peak memory. What does not: correctness (``tests``), peers of single algorithms (``benchmarks.graph``).

Each measure runs in a process of its own with a limit on memory and time, after a warm-up on a
province of a thousand linkages. Measures that any engine can run read the tables lazily, as an asset
annotated ``pl.LazyFrame`` does; those that work on a graph read them whole. ``peak_mb`` is that of the whole
process, tables and libraries included; the goal is six gigabytes. The unit beside it is what reading and
sorting the edges costs in the same run, so that machines can be compared. Ten million linkages only with
``--huge``; ``--keep`` a folder to make the tables once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

SIZES: Final = (10_000, 100_000, 1_000_000)
HUGE: Final = 10_000_000
UNIT: Final = "read and sort edges"
GOAL_MB: Final = 6 * 1024
"""What a process may take, at any size."""
MOST_MB: Final = 8 * 1024
"""A process that grows beyond this is ended and reported as failed."""
SECONDS: Final = 1_200
"""CPU seconds a measure may take at most."""


class Tables:
    """The stored tables of one size: whole, or lazily."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that `prepare` filled."""
        self.folder = folder

    def __call__(self, name: str) -> pl.DataFrame:
        """Read a table whole."""
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def scan(self, name: str) -> pl.LazyFrame:
        """Open a table without reading it."""
        return pl.scan_parquet(self.folder / f"{name}.parquet")


MEASURES: dict[str, Callable[[Tables], Any]] = {}


def measure(name: str) -> Callable[[Callable[[Tables], Any]], Callable[[Tables], Any]]:
    """Register a measure: from a reader of stored tables to its result."""

    def add(run: Callable[[Tables], Any]) -> Callable[[Tables], Any]:
        MEASURES[name] = run
        return run

    return add


def prepare(n_linkages: int, folder: Path) -> None:
    """Store the tables of a synthetic nation of two years, the second ``n_linkages`` large.

    The first year lacks a tenth of the linkages and has others instead; cooperatives have an
    industry code and a report. The frames with lists of source rows are left out: they are for
    tracing, not for measures, except where a cluster counts them.
    """
    # Each step in a process of its own, so that its memory is given back.
    for step in STEPS:
        subprocess.run(_again("--step", step, n_linkages, folder), check=True)


def _raw(n_linkages: int, folder: Path) -> None:
    """Store organisations, their reports and their linkages."""
    from htx_pipeline.sample.scale import scale
    from htx_pipeline.schemas import TABLES

    organisations, links = scale(n_linkages, seed=20)
    TABLES["linkages"].conform(links).write_parquet(folder / "linkages.parquet")
    del links
    rng = np.random.default_rng(20)
    n = organisations.height
    codes = pl.Series(["0111", "0118", "0126", "0127", "0141", "0210", "1077", "4620"])
    organisations = organisations.with_columns(codes.gather(rng.integers(0, 8, n)).alias("vsic_code"))  # fmt: skip
    is_told = rng.random(n) < 0.9
    reports = organisations.select(
        "period", "org_id",
        pl.Series("official_members", rng.integers(7, 400, n)),
        pl.Series("revenue_vnd", rng.integers(10, 9_000, n) * 1_000_000),
        pl.Series("member_income_vnd", rng.integers(20_000, 90_000, n) * 1_000),
        pl.Series("profit_before_tax_vnd", rng.integers(0, 900, n) * 1_000_000),
    ).filter(pl.Series(is_told) & (organisations["legal_type"] == "htx"))  # fmt: skip
    TABLES["organisations"].conform(organisations).write_parquet(folder / "organisations.parquet")
    TABLES["cooperative_reports"].conform(reports).write_parquet(folder / "reports.parquet")


def _network(_: int, folder: Path) -> None:
    """Store edges and nodes."""
    from htx_pipeline.graph import network

    known = pl.read_parquet(folder / "organisations.parquet")
    edges = network.edges(pl.scan_parquet(folder / "linkages.parquet"))
    edges.write_parquet(folder / "traced.parquet")
    edges = edges.drop("source_ids")
    edges.write_parquet(folder / "edges.parquet")
    network.nodes(known, edges).write_parquet(folder / "nodes.parquet")


def _year_before(_: int, folder: Path) -> None:
    """Store the edges of the year before: a tenth is lacking, and there are others instead."""
    from htx_pipeline.graph import network

    later = pl.read_parquet(folder / "edges.parquet")
    rng = np.random.default_rng(20)
    stays = pl.Series(rng.random(later.height) < 0.9)
    # Who left sold to the buyer of another edge the year before.
    gone = later.filter(~stays)
    gone = gone.with_columns(gone["buyer_id"].gather(rng.permutation(gone.height)))
    gone = gone.unique(network.EDGE_KEY, keep="first", maintain_order=True)
    stayed = later.filter(stays)
    gone = gone.join(stayed, on=network.EDGE_KEY, how="anti", maintain_order="left")
    before = pl.concat([stayed, gone]).with_columns(pl.lit("2024").alias("period"))
    before.write_parquet(folder / "before.parquet")


def _derived(_: int, folder: Path) -> None:
    """Store communities, flows and totals."""
    from htx_pipeline.clusters.detect import communities
    from htx_pipeline.metrics.chain import chain_flows
    from htx_pipeline.metrics.linkage import totals

    t = Tables(folder)
    communities(t.scan("edges")).write_parquet(folder / "communities.parquet")
    flows = chain_flows(t.scan("edges"), t.scan("nodes"), t.scan("communities"))
    flows.collect().write_parquet(folder / "flows.parquet")
    summed = totals(t.scan("organisations"), t.scan("reports"), t.scan("edges"))
    summed.collect().write_parquet(folder / "totals.parquet")


STEPS: Final = {"raw": _raw, "network": _network, "before": _year_before, "derived": _derived}


def _again(*arguments: object) -> list[str]:
    """Return the command that runs this module with other arguments."""
    return [sys.executable, "-m", "benchmarks.measures", *map(str, arguments)]


@measure(UNIT)
def _(t: Tables) -> Any:
    return t("edges").sort("supplier_id", "buyer_id")


@measure("linkage.totals")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.linkage import totals

    return totals(t.scan("organisations"), t.scan("reports"), t.scan("edges"))


@measure("linkage.participation")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.linkage import participation

    return participation(t.scan("organisations"), t.scan("edges"))


@measure("indicators")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.indicators import from_totals

    return from_totals(t.scan("totals"))


@measure("localities")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.localities import localities

    return localities(t.scan("organisations"), t.scan("reports"), t.scan("edges"))


@measure("concentration.buyers")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.concentration import concentration

    return concentration(t.scan("edges"))


@measure("concentration.dependence")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.concentration import concentration

    return concentration(t.scan("edges"), by=("period", "supplier_id"))


@measure("specialisation")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.specialisation import specialisation

    return specialisation(t.scan("organisations"))


@measure("spatial_clustering")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.specialisation import spatial_clustering

    return spatial_clustering(t("organisations"), t("reports"))


@measure("inequality")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.specialisation import inequality

    return inequality(t.scan("organisations"), t.scan("reports"))


@measure("position.positions")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.position import positions

    return positions(t("edges"), t("nodes"))


@measure("position.bridges")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.position import bridges

    return bridges(t("edges"))


@measure("completeness.chain_stages")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.completeness import chain_stages

    return chain_stages(t.scan("edges"), t.scan("nodes"))


@measure("completeness.processing_capacity")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.completeness import processing_capacity

    return processing_capacity(t.scan("edges"), t.scan("nodes"))


@measure("completeness.bottlenecks")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.completeness import bottlenecks

    return bottlenecks(t("edges"), t("nodes"))


@measure("chain_flows")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.chain import chain_flows

    return chain_flows(t.scan("edges"), t.scan("nodes"), t.scan("communities"))


@measure("risk.systemic_risk")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.risk import systemic_risk

    return systemic_risk(t("edges"), t("nodes"), t("reports"), workers=2)


@measure("risk.single_points")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.risk import single_points

    return single_points(t("edges"))


@measure("risk.percolation")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.risk import percolation

    return percolation(t("edges"))


@measure("value.accounts")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.value import accounts

    return accounts(t.scan("edges"), t.scan("nodes"), t.scan("reports"))


@measure("value.price_shares")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.value import price_shares

    return price_shares(t.scan("edges"), t.scan("nodes"))


@measure("value.mass_balance")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.value import mass_balance

    return mass_balance(t.scan("flows"))


@measure("input_output.multipliers")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.input_output import multipliers

    return multipliers(t("flows"))


@measure("members.members_income")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.members import members_income

    return members_income(t("organisations"), t("reports"), t("edges"))


@measure("reporting.roster")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.reporting import reporting_roster, roster_localities

    return roster_localities(
        reporting_roster(t("organisations"), t("reports"), t("reports"), period="2025")
    )


@measure("change.decomposition")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.change import decomposition

    return decomposition(t.scan("before"), t.scan("edges"), by=("product_code",))


@measure("change.persistence")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.change import persistence

    return persistence(t.scan("before"), t.scan("edges"), by=("product_code",))


@measure("clusters.describe")
def _(t: Tables) -> Any:
    from htx_pipeline.clusters.describe import clusters

    return clusters(t("nodes"), t.scan("traced"), t("communities"), t("reports"))


@measure("clusters.criteria")
def _(t: Tables) -> Any:
    from htx_pipeline.clusters.criteria import cluster_criteria

    return cluster_criteria(t("nodes"), t.scan("edges"), t("communities"))


@measure("history.cluster_history")
def _(t: Tables) -> Any:
    from htx_pipeline.metrics.history import cluster_history

    year = pl.lit("2024").alias("period")
    own = t.scan("traced")
    both = [own, own.with_columns(year)]
    nodes, found, told = t("nodes"), t("communities"), t("reports")
    return cluster_history(
        pl.concat([nodes, nodes.with_columns(year)]), pl.concat(both),
        pl.concat([found, found.with_columns(year)]), pl.concat([told, told.with_columns(year)]), period="2025",
    )  # fmt: skip


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _watch() -> None:
    """End this process when it takes too much memory: the machine belongs to others, too."""
    while _peak_mb() < MOST_MB:
        time.sleep(0.1)
    print(f"more than {MOST_MB:,} MB", file=sys.stderr, flush=True)
    os._exit(1)


def run(name: str, folder: Path, warm: Path) -> dict[str, Any]:
    """Measure in this process; only the second of two calls is counted."""
    threading.Thread(target=_watch, daemon=True).start()

    def done(where: Path) -> pl.DataFrame:
        made = MEASURES[name](Tables(where))
        return made.collect() if isinstance(made, pl.LazyFrame) else made

    done(warm)
    started = time.process_time()
    made = done(folder)
    spent = time.process_time() - started
    peak = _peak_mb()
    row = {"cpu_s": round(spent, 3), "peak_mb": round(peak), "rows": made.height}
    return {**row, "fits": peak <= GOAL_MB}


def _apart(name: str, folder: Path, warm: Path) -> dict[str, Any]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))

    command = _again("--measure", name, folder, warm)
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    last = (done.stderr.strip().splitlines() or [f"ended by signal {-done.returncode}"])[-1]
    return {"failed": last[:200]}


def tables_of(size: int, parent: Path) -> Path:
    """Return the folder of a size's tables, making them unless they are there."""
    folder = parent / str(size)
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    # In a process of its own, so that its memory is given back.
    subprocess.run(_again("--prepare", size, folder), check=True)
    (folder / "done").touch()
    return folder


def bench(
    sizes: Sequence[int] = SIZES,
    *,
    names: Sequence[str] | None = None,
    keep: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure and return one row per measure and size.

    ``cpu_ratio`` = CPU time / that of reading and sorting the edges in the same run; the goal is of
    memory: ``met`` says whether the process fits.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        parent = keep or Path(made)
        warm = tables_of(1_000, parent)
        for size in sizes:
            folder = tables_of(size, parent)
            unit = _apart(UNIT, folder, warm)
            for name in MEASURES:
                if name == UNIT or (names is not None and name not in names):
                    continue
                found = _apart(name, folder, warm)
                ratio = found["cpu_s"] / unit["cpu_s"] if "cpu_s" in found else None
                row = {
                    "bench": name,
                    "size": size,
                    "peer": UNIT,
                    "cpu_ratio": ratio,
                    "goal": "6 GB",
                }
                row |= {"met": bool(found.pop("fits", False)), **found}
                if "cpu_s" in unit:
                    row["unit_cpu_s"] = unit["cpu_s"]
                print(row, file=sys.stderr, flush=True)
                rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", action="append", help="only this measure (may be repeated)")
    parser.add_argument("--huge", action="store_true", help="10 million linkages, too")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument(
        "--keep", type=Path, help="keep the tables here, and use those that are there"
    )
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--prepare", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        name, folder, warm = chosen.measure
        print(json.dumps(run(name, Path(folder), Path(warm))))
        return
    if chosen.prepare:
        prepare(int(chosen.prepare[0]), Path(chosen.prepare[1]))
        return
    if chosen.step:
        step, size, folder = chosen.step
        STEPS[step](int(size), Path(folder))
        return
    rows = bench(
        [*chosen.sizes, *([HUGE] if chosen.huge else [])], names=chosen.only, keep=chosen.keep
    )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        line = f"{row['bench']:<36} {row['size']:>10,}"
        if "failed" in row:
            print(f"{line} failed: {row['failed']}")
        else:
            print(f"{line} {row['cpu_s']:9.2f} s {row['peak_mb']:7,} MB {row['rows']:>10,} rows  ratio {row['cpu_ratio']:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
