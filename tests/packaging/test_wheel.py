"""A wheel built from the project works from an unrelated directory."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest


def run(arguments, cwd):
    return subprocess.run(
        arguments, cwd=cwd, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.fixture(scope="module")
def wheel(project_root, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    done = run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--no-build-isolation",
            "--quiet",
            "--wheel-dir",
            str(out),
            str(project_root),
        ],
        out,
    )
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_data_it_needs_and_nothing_of_the_workplace(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "htx_pipeline/pyproject.toml", "htx_pipeline/py.typed", "expectations/linkages.json", "assets/core.py",
        "htx_pipeline/reference/data/products.toml", "htx_pipeline/sample/mappings/sample_plan_targets.toml",
    ):  # fmt: skip
        assert wanted in names
    assert any(n.endswith(".ttf") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "docs/", "benchmarks/", ".venv"))]


def test_the_installed_command_runs_from_an_unrelated_directory(wheel, tmp_path):
    target = tmp_path / "site"
    done = run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--quiet",
            "--target",
            str(target),
            str(wheel),
        ],
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r});"
        "import htx_pipeline, assets; assert htx_pipeline.__file__.startswith(sys.path[0]), htx_pipeline.__file__;"
        "assert assets.__file__.startswith(sys.path[0]), assets.__file__;"
        "from htx_pipeline.definitions import defs; print(len(defs().resolve_all_asset_keys()));"
        "from htx_pipeline.cli import main; raise SystemExit(main(['tables', '--data', 'nowhere']))"
    )
    done = run([sys.executable, "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 50
