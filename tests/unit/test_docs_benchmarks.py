"""The page of costs says what the recorded results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

document = pytest.importorskip("benchmarks.document", reason="run from the repository")

ROWS = [
    {"module": "graph", "bench": "build", "size": 100_000, "peer": "networkx", "cpu_ratio": 0.1, "goal": 0.05,
     "met": False, "peak_mb": 100},
    {"module": "graph", "bench": "leiden", "size": 100_000, "peer": "igraph", "cpu_ratio": 0.5, "goal": 1.0,
     "met": True, "peak_mb": 100, "modularity_ratio": 1.0012},
    {"module": "measures", "bench": "chain_flows", "size": 10_000, "peer": "unit", "cpu_ratio": 2.0, "goal": "6 GB",
     "met": True, "peak_mb": 100},
    {"module": "measures", "bench": "chain_flows", "size": 10_000_000, "peer": "unit", "cpu_ratio": None,
     "goal": "6 GB", "met": False, "failed": "more than 8,192 MB"},
]  # fmt: skip


def test_a_goal_that_is_missed_is_listed_with_its_reason_and_one_that_is_met_is_not() -> None:
    made = document.section(ROWS, "graph")
    missed = made.split("**Goals missed**")[1]
    assert "build, 100,000, networkx: 0.1 (goal 0.05)" in missed
    assert "half the cost of reading and sorting" in missed
    assert "leiden" not in missed
    assert "0.5 (modularity 1.0012)" in made


def test_a_measure_that_does_not_fit_says_so_in_its_cell() -> None:
    made = document.section(ROWS, "measures")
    assert "| chain_flows | 2 | more than 8,192 MB |  |" in made
    assert "chain_flows, 10,000,000, unit: failed (more than 8,192 MB)" in made


@pytest.mark.parametrize("module", ["graph", "measures"])
def test_the_page_in_the_documentation_is_that_of_the_recorded_results(module: str) -> None:
    rows = json.loads(document.RESULTS.read_text(encoding="utf-8"))["results"]
    assert document.section(rows, module) in Path(document.PAGE).read_text(encoding="utf-8")


def test_a_peer_that_takes_longer_than_it_may_is_reported_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    graph = pytest.importorskip("benchmarks.graph", reason="run from the repository")
    path = tmp_path / "links.parquet"
    graph.nation(200_000).write_parquet(path)
    monkeypatch.setattr(graph, "SECONDS", 1)
    assert graph._apart("build", "networkx", path, path, 3) == {"failed": "not finished in 1 CPU s"}
