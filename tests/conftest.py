"""Shared fixtures: where the real data lies, and small source folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run; `--hypothesis-profile=default` looks for new ones.
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not beside this checkout")
    return SHARED


@pytest.fixture(scope="module", params=["as small sheets", "as large sheets"])
def either_way_of_reading_xlsx(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a module twice: its .xlsx sheets go to calamine, and to the compiled loops."""
    from htx_pipeline.ingest import _scan, guard

    usual = _scan.COMPILED_FROM
    _scan.COMPILED_FROM = 0 if request.param == "as large sheets" else 1 << 60
    guard.forget_passed()
    yield
    _scan.COMPILED_FROM = usual
    guard.forget_passed()
