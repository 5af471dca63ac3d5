"""The modules of the reports: none imports one that imports it, none is long."""

from __future__ import annotations

import ast
from pathlib import Path

import networkx as nx

from htx_pipeline import report

ROOT = Path(report.__file__).parent
PACKAGE = "htx_pipeline.report"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([PACKAGE, *(p for p in parts if p != "__init__")])


def test_no_module_of_the_reports_imports_one_that_imports_it_not_even_for_types() -> None:
    modules = {module_of(p): p for p in ROOT.rglob("*.py")}
    graph = nx.DiGraph()
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                graph.add_edge(name, node.module)
                graph.add_edges_from(
                    (name, m) for a in node.names if (m := f"{node.module}.{a.name}") in modules
                )
    assert graph.number_of_edges() > 200
    assert [sorted(c) for c in nx.strongly_connected_components(graph) if len(c) > 1] == []


def test_no_module_of_the_reports_is_longer_than_five_hundred_lines() -> None:
    long = {
        module_of(p): n
        for p in ROOT.rglob("*.py")
        if (n := len(p.read_text("utf-8").splitlines())) > 500
    }
    assert long == {}
