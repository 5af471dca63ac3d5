"""How soon a page of a large province is there in a browser, beside an empty page opened in turn with it.

What belongs here: opening pages in headless Chromium and reading the browser's own clock. What does not:
making the edition (`benchmarks.report`), what a page looks like (tests/report/test_page_browser.py).

Ready is the end of the page's load event: everything can be read, searched and clicked. Pages and the
empty page take turns in one browser, so that what else the machine does falls on both; medians count. On
a busy machine times grow and the processor time of the page's thread does not: it is printed beside them.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

READY_S = 0.3
ROUNDS = 9
MEASURE = "performance.getEntriesByType('navigation')[0].loadEventEnd"
EMPTY = "<!doctype html><html lang='vi'><title>Trống</title><p>Trống.</p></html>"


def write_pages(folder: Path) -> dict[str, Path]:
    """Write the overview, the largest cluster's page and the index of a hundred clusters."""
    from benchmarks.report import CLUSTERS, PERIOD, province
    from htx_pipeline.report.figures import render_all
    from htx_pipeline.report.html import HtmlWriter
    from htx_pipeline.report.model import build_report
    from htx_pipeline.report.options import ReportOptions
    from htx_pipeline.report.trace import sources_json

    options = ReportOptions(
        title="Tỉnh mẫu", as_of=date(2025, 12, 15), is_synthetic=True, max_cluster_reports=CLUSTERS
    )
    report = build_report(province(), period=PERIOD, options=options)
    largest = max(report.clusters, key=lambda p: sum(len(t.rows) for t in p.tables))
    wanted = (report.overview, largest)
    pictures = render_all({f.id: f.spec for page in wanted for f in page.figures})
    files = {(page.id, "html"): f"{page.id}.html" for page in report.pages}
    writer = HtmlWriter(report, pictures, files, sources=lambda page: sources_json(report, page))
    made = {
        "overview": writer.page(report.overview), "largest cluster": writer.page(largest),
        f"index of {len(report.clusters)} clusters": writer.index(), "empty": EMPTY.encode(),
    }  # fmt: skip
    paths = {name: folder / f"{i}.html" for i, name in enumerate(made)}
    for name, path in paths.items():
        path.write_bytes(made[name])
    return paths


def opened(paths: dict[str, Path], *, rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Return for each page its median milliseconds until ready and of processor time."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(rounds + 1):
            for name, path in paths.items():
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                session = page.context.new_cdp_session(page)
                session.send("Performance.enable", {"timeDomain": "threadTicks"})
                page.goto(path.as_uri())
                metrics = session.send("Performance.getMetrics")["metrics"]
                cpu = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
                found[name].append((page.evaluate(MEASURE), 1000 * cpu))
                page.close()
        browser.close()
    # The first round warms the browser up.
    return {
        name: {
            "ready_ms": statistics.median(r for r, _ in told[1:]),
            "least_ms": min(r for r, _ in told[1:]),
            "cpu_ms": statistics.median(c for _, c in told[1:]),
            "kb": paths[name].stat().st_size / 1000,
        }
        for name, told in found.items()
    }


def _run(folder: Path) -> None:
    found = opened(write_pages(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"pages": found, "peak_mb": peak}))


def bench() -> list[dict[str, Any]]:
    """Return one row per page: its median time until ready, as a share of the 0.3 s it may take."""
    if shutil.which("chromium") is None:
        print("page: Chromium is not installed; nothing is measured")
        return []
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.page", folder], capture_output=True, text=True, check=True
        )  # fmt: skip
    told = json.loads(done.stdout)
    for name, m in told["pages"].items():
        print(
            f"page: {name}, {m['kb']:.0f} kB: ready in {m['ready_ms']:.0f} ms (least {m['least_ms']:.0f}), "
            f"{m['cpu_ms']:.0f} ms of processor time"
        )
    empty = told["pages"].pop("empty")
    return [
        {
            "bench": "page ready, of 0.3 s", "size": name, "peer": f"an empty page: {empty['ready_ms'] / 1000 / READY_S:.2f}",
            "cpu_ratio": m["ready_ms"] / 1000 / READY_S, "goal": 1.0, "met": m["ready_ms"] / 1000 <= READY_S, "peak_mb": told["peak_mb"],
        }
        for name, m in told["pages"].items()
    ]  # fmt: skip


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
