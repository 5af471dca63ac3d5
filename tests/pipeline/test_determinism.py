"""Same input, same bytes: another hash seed, a second run, and shuffled rows."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.clusters import describe, detect
from htx_pipeline.graph import network
from htx_pipeline.metrics import chain
from htx_pipeline.metrics.indicators import indicators
from htx_pipeline.metrics.localities import localities
from htx_pipeline.storage import write_table
from htx_pipeline.tables import read_table

PERIOD = "2025"
RUN = """
import sys
from pathlib import Path
from htx_pipeline.orchestration.run import require_success, run_periods
from htx_pipeline.sample import write_sample
from htx_pipeline.settings import Settings
out = Path(sys.argv[1])
write_sample(out / "input", seed=20)
settings = Settings(data_dir=out / "data", input_dir=out / "input", province="Kon Tum", max_cluster_reports=3)
require_success(run_periods(settings, [sys.argv[2]]))
"""


def digests(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    folders = []
    for seed in ("0", "4242"):
        out = tmp_path_factory.mktemp(f"seed{seed}")
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(out), PERIOD],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        folders.append(out)
    return folders


@pytest.mark.parametrize("kind", ["xlsx", "csv", "parquet", "svg", "pdf", "html", "json"])
def test_two_runs_with_other_hash_seeds_give_the_same_bytes(two_runs, kind):
    first, second = (digests(folder) for folder in two_runs)
    mine = {k: v for k, v in first.items() if k.endswith("." + kind)}
    assert mine
    assert mine == {k: v for k, v in second.items() if k.endswith("." + kind)}


def test_shuffled_rows_give_the_same_bytes_in_every_step(two_runs, tmp_path):
    data = two_runs[0] / "data"

    def get(key: str, shuffled: bool) -> pl.DataFrame:
        frame = read_table(key, period=PERIOD, data_dir=data)
        return frame.sample(fraction=1, shuffle=True, seed=7) if shuffled else frame

    def build(shuffled: bool) -> dict[str, str]:
        organisations, reports, linkages = (
            get(f"core/{t}", shuffled) for t in ("organisations", "cooperative_reports", "linkages")
        )
        edges = network.edges(linkages)
        mixed = edges.sample(fraction=1, shuffle=True, seed=3) if shuffled else edges
        nodes = network.nodes(organisations, mixed)
        communities = detect.communities(mixed)
        made = {
            "edges": edges, "nodes": nodes, "communities": communities, "components": detect.components(mixed),
            "clusters": describe.clusters(nodes, mixed, communities, reports),
            "members": describe.cluster_members(nodes, mixed, communities, reports),
            "stages": describe.cluster_stages(nodes, mixed, communities),
            "flows": chain.chain_flows(mixed, nodes, communities),
            "localities": localities(organisations, reports, mixed),
            "indicators": indicators(organisations, reports, mixed),
        }  # fmt: skip
        return {
            name: write_table(frame, tmp_path / str(shuffled) / f"{name}.parquet").sha256
            for name, frame in made.items()
        }

    assert build(shuffled=False) == build(shuffled=True)
