"""Great Expectations' Data Docs, made to open from disk without a network.

What belongs here: building the pages with Great Expectations' own site builder from results that are
already there, and taking out everything it would fetch from elsewhere. What does not: running
suites (`run`), the reports of this project.
"""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from htx_pipeline.validation.run import ValidationResult, gx_suite

_REMOTE: Final = (
    re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<link\b[^>]*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<img\b[^>]*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE),
)
_ADDRESS: Final = re.compile(r'\s(?:href|src)="(?:https?:)?//[^"]*"')
_STYLE_ADDRESS: Final = re.compile(r"url\(['\"]?(?:https?:)?//[^)]*\)")
_RANDOM_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEAD_END: Final = re.compile(r"</head>", re.IGNORECASE)

_STYLE: Final = """<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:15px/1.5 "Be Vietnam Pro",system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:0}
.container-fluid,.container{max-width:78rem;margin:0 auto;padding:1rem}
h1,h2,h3,h4,h5{line-height:1.25;margin:1.2em 0 .4em}
a{color:#0b5a8a}
table{border-collapse:collapse;margin:.5rem 0;max-width:100%}
th,td{border:1px solid #c8ccd0;padding:.35rem .6rem;text-align:left;vertical-align:top}
th{background:#eef1f4}
ul{padding-left:1.2rem}
.navbar,.nav{list-style:none;padding:0}
.navbar ul,.breadcrumb{list-style:none;padding:0;display:flex;gap:.8rem;flex-wrap:wrap}
.badge{border:1px solid #8a9096;border-radius:.3rem;padding:0 .35rem;font-size:.85em}
.text-success,.fa-check-circle{color:#006b4f}
.text-danger,.fa-times{color:#a3300d}
.fa-check-circle::before{content:"\\2713"}
.fa-times::before{content:"\\2717"}
.fa-exclamation-triangle::before{content:"\\25B2"}
.d-none,.modal,[hidden],button,form,#ge-cta-footer,.navbar-brand{display:none}
@media print{a{color:inherit;text-decoration:none}}
</style>
"""

_INDEX: Final = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Kết quả kiểm tra dữ liệu / Data Docs</title>
{style}</head><body><div class="container">
<h1>Kết quả kiểm tra dữ liệu <small lang="en">/ Data Docs</small></h1>
<p>{run} · {time}</p>
<table><thead><tr><th>Bảng / Table</th><th>Quy tắc / Rules</th><th>Không đạt / Failed</th>
<th>Số dòng / Rows</th><th>Dòng bị loại / Rejected</th><th>Kết luận / Verdict</th></tr></thead>
<tbody>
{rows}</tbody></table>
</div></body></html>
"""


def build_data_docs(
    results: Iterable[ValidationResult],
    out_dir: Path | str,
    *,
    run_name: str = "validation",
    run_time: dt.datetime | None = None,
) -> Path:
    """Write Great Expectations' Data Docs of *results*.

    The pages hold counts, never records, and need neither network nor JavaScript.

    Parameters
    ----------
    results:
        From :func:`htx_pipeline.validation.run.validate`; those of an empty suite are left out.
    out_dir:
        Where ``index.html`` goes; made when it is not there.
    run_name, run_time:
        What the pages call the run. Give the time (with its zone) for reproducible pages; it is
        the present moment otherwise.

    Returns
    -------
    Path
        The index page.
    """
    from htx_pipeline.validation.gx_run import build_site

    run_time = run_time or dt.datetime.now(tz=dt.UTC)
    shown = sorted((r for r in results if r.gx_result is not None), key=lambda r: r.table)
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        build_site(
            [(gx_suite(r.suite), r.gx_result) for r in shown],
            Path(scratch),
            run_name=run_name,
            run_time=run_time,
        )
        for page in sorted(Path(scratch).rglob("*.html")):
            place = page.relative_to(scratch)
            if place.name == "index.html":
                continue  # Great Expectations fills its own in by script
            target = out / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_offline(page.read_text(encoding="utf-8")), encoding="utf-8")
        for result in shown:
            (page,) = sorted(Path(scratch, "validations", result.table).rglob("*.html"))
            rows.append(_index_row(result, page.relative_to(scratch).as_posix()))
    index = out / "index.html"
    index.write_text(
        _INDEX.format(
            style=_STYLE, run=escape(run_name), time=run_time.isoformat(), rows="".join(rows)
        ),
        encoding="utf-8",
    )
    return index


def _index_row(result: ValidationResult, page: str) -> str:
    failed = sum(not check.passed for check in result.checks)
    mark, text = ("✓", "Công bố được") if result.is_publishable else ("✗", "Chưa công bố được")
    table = escape(result.table)
    cells = (
        f'<a href="{escape(page)}">{table}</a>',
        f'<a href="expectations/{table}.html">{len(result.suite.rules)}</a>',
        str(failed),
        f"{result.accepted.height + result.rejected.height}",
        f"{result.rejected.height}",
        f"{mark} {text}",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _offline(html: str) -> str:
    """Take out scripts, styles and images, and every address outside; put in a small style."""
    for pattern in _REMOTE:
        html = pattern.sub("", html)
    html = _STYLE_ADDRESS.sub("none", _ADDRESS.sub("", html))
    numbers: dict[str, str] = {}
    html = _RANDOM_ID.sub(lambda m: numbers.setdefault(m[0], str(len(numbers))), html)
    return _HEAD_END.sub(lambda _: _STYLE + "</head>", html, count=1)
