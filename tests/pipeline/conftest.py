"""One finished run of the sample province, shared by every test that looks at what the pipeline made."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from htx_pipeline.settings import Settings

PERIOD = "2025"
BEFORE = "2024"


def _run(out: Path) -> None:
    from htx_pipeline.definitions import defs
    from htx_pipeline.orchestration.run import require_success, run_periods
    from htx_pipeline.sample import write_sample

    write_sample(out / "input", seed=20)
    settings = _settings(out)
    tables = [k.to_user_string() for k in defs().resolve_all_asset_keys() if k.path[0] != "report"]  # type: ignore[operator]
    require_success(run_periods(settings, [BEFORE], selection=sorted(tables)))
    require_success(run_periods(settings, [PERIOD]))


def _settings(out: Path) -> Settings:
    return Settings(
        data_dir=out / "data", input_dir=out / "input", province="Kon Tum", max_cluster_reports=2
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Settings:
    """Return the settings of a finished run: the tables of 2024, then 2025 with its reports.

    Where tests run in several processes, the first to ask runs it and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if hasattr(request.config, "workerinput") else base) / "finished-province"
    with (out.parent / "finished-province.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "done").exists():
            _run(out)
            (out / "done").touch()
    return _settings(out)
