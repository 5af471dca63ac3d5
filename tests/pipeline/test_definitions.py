"""The Dagster project: what is in it, and what loading it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from htx_pipeline.definitions import defs
from htx_pipeline.schemas import TABLES

GROUPS = ["raw", "core", "graph", "metrics", "report"]


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    return defs()  # type: ignore[operator, no-any-return]


def specs(loaded):
    return [spec for asset in loaded.assets or [] for spec in getattr(asset, "specs", [])]


def test_asset_and_suite_folders_are_this_projects_own(project_root):
    import assets
    import expectations

    for package in (assets, expectations):
        assert Path(package.__file__).parent.parent == project_root, (
            f"{package.__name__} is shadowed"
        )


def test_the_key_prefix_is_the_group_of_every_asset(loaded):
    for spec in loaded.resolve_all_asset_specs():
        assert spec.key.path[0] == spec.group_name
        assert spec.group_name in GROUPS


def test_every_asset_has_an_owner_a_kind_and_a_description(loaded):
    for spec in loaded.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.description, name
        assert spec.partitions_def is not None, name


def test_every_table_shows_its_column_schema_and_units(loaded):
    by_key = {s.key.to_user_string(): s for s in loaded.resolve_all_asset_specs()}
    for table in TABLES.values():
        metadata = by_key[f"core/{table.name}"].metadata
        shown = metadata["dagster/column_schema"]
        assert [c.name for c in shown.columns] == [c.name for c in table.columns]
        assert "units" in metadata


def test_every_rule_of_every_suite_is_an_asset_check(loaded, project_root):
    from htx_pipeline.orchestration.checks import check_name
    from htx_pipeline.validation.suites import load_suite

    graph = loaded.resolve_asset_graph()
    names = {(k.asset_key.to_user_string(), k.name) for k in graph.asset_check_keys}
    for table in TABLES:
        for rule in load_suite(project_root / "expectations" / f"{table}.json").rules:
            assert (f"core/{table}", check_name(rule.rule_id)) in names


def test_no_check_shows_the_place_of_a_value_in_its_description(loaded):
    told = [c.description or "" for a in loaded.assets or [] if isinstance(a, dg.AssetsDefinition) for c in a.check_specs]  # fmt: skip
    assert len(told) > 200
    assert [t for t in told if not t or "{" in t] == []


def test_data_flows_from_raw_to_report_and_never_back(loaded):
    graph = loaded.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        for parent in graph.get(key).parent_keys:
            assert GROUPS.index(parent.path[0]) <= GROUPS.index(key.path[0]), (
                f"{parent} feeds {key}"
            )


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loading_the_definitions_imports_neither_great_expectations_nor_pyplot():
    code = (
        "import sys; from htx_pipeline.definitions import defs; defs();"
        "print([m for m in ('great_expectations', 'matplotlib.pyplot', 'numba', 'pyspark') if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


def test_importing_the_library_reads_and_writes_no_file_of_its_own():
    code = """
import builtins, importlib, io, pkgutil, sys
from pathlib import Path
import polars, pydantic_settings, numpy, scipy.sparse, networkx, igraph, narwhals, openpyxl, cyclopts, rapidfuzz, stdnum.vn.mst
import htx_pipeline
root = Path(htx_pipeline.__file__).parent
opened = []
real = io.open
def spy(file, *a, **k):
    if str(file).startswith(str(root)) and not str(file).endswith(('.py', '.pyc')):
        opened.append(str(file))
    return real(file, *a, **k)
builtins.open = io.open = spy
for name in ('schemas', 'ingest.read', 'resolve.tables', 'clusters.describe', 'metrics.linkage', 'reference.places', 'tables', 'settings'):
    importlib.import_module('htx_pipeline.' + name)
print(opened)
"""
    assert run_python(code).strip() == "[]"
