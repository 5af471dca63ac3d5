"""NetworkX's own tests, run through the backend for every module with an algorithm it claims."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest

from htx_pipeline.graph.backend_info import FUNCTIONS

MODULES = {
    "centrality.tests.test_betweenness_centrality": {"betweenness_centrality"},
    "centrality.tests.test_closeness_centrality": {"closeness_centrality"},
    "centrality.tests.test_degree_centrality": {
        "degree_centrality",
        "in_degree_centrality",
        "out_degree_centrality",
    },
    "centrality.tests.test_harmonic_centrality": {"harmonic_centrality"},
    "community.tests.test_leiden": {"leiden_communities"},
    "components.tests.test_biconnected": {
        "articulation_points",
        "biconnected_components",
        "is_biconnected",
    },
    "components.tests.test_connected": {
        "connected_components",
        "is_connected",
        "node_connected_component",
        "number_connected_components",
    },
    "components.tests.test_strongly_connected": {
        "is_strongly_connected",
        "number_strongly_connected_components",
        "strongly_connected_components",
    },
    "components.tests.test_weakly_connected": {
        "is_weakly_connected",
        "number_weakly_connected_components",
        "weakly_connected_components",
    },
    "flow.tests.test_maxflow": {
        "maximum_flow",
        "maximum_flow_value",
        "minimum_cut",
        "minimum_cut_value",
    },
    "link_analysis.tests.test_pagerank": {"pagerank"},
    "shortest_paths.tests.test_generic": {"has_path", "shortest_path_length"},
    "shortest_paths.tests.test_unweighted": {
        "single_source_shortest_path_length",
        "single_target_shortest_path_length",
    },
    "shortest_paths.tests.test_weighted": {
        "dijkstra_path",
        "dijkstra_path_length",
        "single_source_dijkstra",
        "single_source_dijkstra_path",
        "single_source_dijkstra_path_length",
    },
    "tests.test_bridges": {"bridges", "has_bridges"},
    "tests.test_cluster": {"triangles"},
    "tests.test_core": {"core_number"},
    "tests.test_dag": {
        "ancestors",
        "descendants",
        "is_directed_acyclic_graph",
        "topological_generations",
    },
    "tests.test_isolate": {"isolates", "number_of_isolates"},
    "tests.test_reciprocity": {"overall_reciprocity", "reciprocity"},
}
"""NetworkX's test module → the claimed functions it tests."""

# It changes the graph while iterating over the result; a backend works on a copy.
SNAPSHOT = "TestDAG::test_topological_sort6"


def test_every_claim_is_covered_by_a_module() -> None:
    assert set().union(*MODULES.values()) == set(FUNCTIONS)


@pytest.mark.slow
def test_networkx_own_tests_pass_through_the_backend() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", "-o", "addopts="]
    command += ["--pyargs", *(f"networkx.algorithms.{module}" for module in MODULES)]
    command += ["--deselect", f"algorithms/tests/test_dag.py::{SNAPSHOT}"]
    command += ["-k", f"not {SNAPSHOT.split('::')[1]}"]
    settings = {"NETWORKX_TEST_BACKEND": "htx", "NETWORKX_FALLBACK_TO_NX": "1"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(networkx.__file__).parent,
        env={**os.environ, **settings},
    )
    summary = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout[-3_000:]
    passed = re.search(r"(\d+) passed", summary)
    assert passed is not None, summary
    assert int(passed.group(1)) > 300, summary
