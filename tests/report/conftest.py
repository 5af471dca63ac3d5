"""One edition of the province made by hand, for all tests of the report."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from htx_pipeline.report.edition import Edition, write_edition
from htx_pipeline.report.options import ReportOptions


def _load(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def hand() -> ModuleType:
    """Return the module that makes frames."""
    return _load("frames_by_hand")


@pytest.fixture(scope="session")
def options() -> ReportOptions:
    """Return the options of the sample province."""
    return ReportOptions(title="Tỉnh mẫu", as_of=date(2024, 12, 15), is_synthetic=True)


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of drawings shared by the tests that do not test drawing."""
    return tmp_path_factory.mktemp("drawings")


@pytest.fixture(scope="session")
def edition(
    hand: ModuleType,
    options: ReportOptions,
    drawings: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Edition:
    """Return an edition of the whole province."""
    return write_edition(
        hand.province(),
        tmp_path_factory.mktemp("reports"),
        period="2024",
        options=options,
        products=hand.PRODUCTS,
        cache_dir=drawings,
    )


@pytest.fixture(scope="session")
def cluster_hand() -> ModuleType:
    """Return the module that makes one cluster of any size."""
    return _load("cluster_by_hand")


@pytest.fixture(scope="session")
def census() -> ModuleType:
    """Return the module that counts figures and makes them again from rows."""
    return _load("census")


@pytest.fixture(scope="session")
def two_years() -> dict[str, pl.DataFrame]:
    """Return the frames of a very small province whose measures the pipeline computed."""
    frames: dict[str, pl.DataFrame] = _load("two_years").frames()
    return frames
