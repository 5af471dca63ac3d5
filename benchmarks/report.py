"""A hundred cluster reports in every format, beside matplotlib drawing the same pictures alone.

What belongs here: a made-up province of a hundred clusters and the measurement. What does not: what a
report looks like.

The baseline is the same pictures drawn in one process as anyone would: `savefig` to SVG, then to PNG,
one figure after another. Two numbers are held against its CPU time: the wall time of the edition on
this machine's cores (on a busy machine it waits), and its CPU time shared by two cores.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

PERIOD = "2025"
CLUSTERS = 100
GOAL = 1.06
"""40 s of wall time on two cores, idle, where matplotlib alone needs 37.7 s of CPU time for the pictures."""
SECOND_RUN_S = 3.0
HTML_KB = 400
EVERY = 5
"""Of so many pages one is taken apart."""
PRODUCTS = ("coffee_robusta", "cassava", "herbs", "passion_fruit", "sugarcane", "safe_vegetables")
FIRST = ("Đăk", "Ngọc", "Măng", "Kon", "Ia", "Sa")
LAST = ("Hà", "Linh", "Đen", "Plông", "Chim", "Thầy", "Réo", "Mar", "Ui")


def province(*, clusters: int = CLUSTERS, seed: int = 20) -> dict[str, pl.DataFrame]:
    """Return the frames of a province with *clusters* clusters of 5 to 60 organisations."""
    from htx_pipeline.clusters import describe
    from htx_pipeline.graph import network
    from htx_pipeline.metrics import chain, localities
    from htx_pipeline.reference.places import LATEST, admin_units, old_districts
    from htx_pipeline.schemas import TABLES

    rng = random.Random(seed)
    communes = admin_units(version=LATEST, level="commune", province_2024="62")["code"].to_list()
    district = {r["code"]: r["district_full_name"] for r in old_districts().iter_rows(named=True)}
    organisations: list[dict[str, Any]] = []
    linkages: list[dict[str, Any]] = []
    members: list[dict[str, Any]] = []

    def organisation(cluster: int, kind: str, vsic: str) -> str:
        number = len(organisations)
        code = communes[min(len(communes) - 1, int(abs(rng.gauss(cluster % 40, 5))))]
        word = f"{FIRST[number % 6]} {LAST[number % 9]} {number}"
        org_id = f"61{number:08d}"
        organisations.append(
            {"period": PERIOD, "org_id": org_id, "legal_type": kind, "status": "active", "is_registered": True,
             "name": ("Hợp tác xã Nông nghiệp " if kind == "htx" else "Công ty TNHH Chế biến ") + word,
             "admin_code": code, "admin_version": LATEST, "locality": district[code], "vsic_code": vsic, "vsic_version": "2018",
             "source_id": f"a:csv:{number}", "source_file": "danh_ba.csv", "source_sheet": "csv", "source_row": number + 2}
        )  # fmt: skip
        members.append({"period": PERIOD, "org_id": org_id, "cluster_id": f"c-{cluster:010x}"})
        return org_id

    def link(supplier: str, buyer: str, product: str, size: float) -> None:
        number = len(linkages)
        signed = int(size * 1e6) * 100
        evidence = rng.choices(("executed", "active", "signed"), (6, 2, 2))[0]
        linkages.append(
            {"period": PERIOD, "linkage_id": f"L{number:06d}", "supplier_id": supplier, "buyer_id": buyer, "product_code": product,
             "supplier_name": supplier, "buyer_name": buyer, "evidence": evidence, "contracted_value_vnd": signed,
             "paid_value_vnd": signed * 9 // 10 if evidence == "executed" else None, "contracted_tonnes": size, "signed_on": date(2025, 3, 1),
             "delivered_tonnes": size * 0.9 if evidence == "executed" else None, "area_ha": size / 3, "households": 12,
             "source_id": f"b:csv:{number}", "source_file": "lien_ket.csv", "source_sheet": "csv", "source_row": number + 2}
        )  # fmt: skip

    for cluster in range(clusters):
        wanted = rng.sample(PRODUCTS, rng.randint(1, 4))
        mills = [organisation(cluster, "enterprise", "1079") for _ in range(rng.randint(1, 5))]
        shop = organisation(cluster, "enterprise", "4632")
        trader = organisation(cluster, "enterprise", "4620")
        for _ in range(rng.choice((3, 8, 15, 25, 50))):
            grower = organisation(cluster, "htx", "0126")
            product = wanted[0] if rng.random() < 0.7 else rng.choice(wanted)
            link(grower, rng.choice(mills), product, rng.lognormvariate(3, 1))
            if rng.random() < 0.3:
                link(grower, trader, product, rng.lognormvariate(2, 1))
        for mill in mills:
            for product in wanted:
                link(trader, mill, product, rng.lognormvariate(3, 1))
                link(mill, shop, product, rng.lognormvariate(4, 1))
    core = {
        "organisations": TABLES["organisations"].conform(pl.DataFrame(organisations, infer_schema_length=None)),
        "linkages": TABLES["linkages"].conform(pl.DataFrame(linkages, infer_schema_length=None)),
        "cooperative_reports": TABLES["cooperative_reports"].empty(),
    }  # fmt: skip
    edges = network.edges(core["linkages"])
    nodes = network.nodes(core["organisations"], edges)
    own, reports = pl.DataFrame(members), core["cooperative_reports"]
    found = {
        "clusters": describe.clusters(nodes, edges, own, reports),
        "cluster_members": describe.cluster_members(nodes, edges, own, reports),
        "cluster_stages": describe.cluster_stages(nodes, edges, own),
        "chain_flows": chain.chain_flows(edges, nodes, own),
        "localities": localities.localities(core["organisations"], reports, edges),
    }
    return (
        {f"core/{k}": v for k, v in core.items()}
        | {f"metrics/{k}": v for k, v in found.items()}
        | {"graph/edges": edges, "graph/nodes": nodes}
    )


def boundaries(path: Path) -> Path:
    """Write made-up boundaries around the communes' points: as many corners as a real, simplified file."""
    import numpy as np
    import shapely

    from htx_pipeline.reference.admin_units.points import commune_points
    from htx_pipeline.reference.places import LATEST, admin_units

    codes = admin_units(version=LATEST, level="commune", province="51")["code"].to_list()
    points = [shapely.Point(*commune_points()[c]) for c in codes]
    land = shapely.MultiPoint(points).convex_hull.buffer(0.05)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=land))

    def bend(xy: Any) -> Any:
        # Depends on the place alone, so that neighbours keep one border.
        return xy + 0.012 * np.sin(xy[:, ::-1] * 90) + 0.005 * np.sin(xy[:, ::-1] * 410)

    features = []
    for code, point in zip(codes, points, strict=True):
        cell = next(c for c in cells if c.contains(point))
        bent = shapely.transform(shapely.segmentize(cell.intersection(land), 0.006), bend)
        features.append(
            {"type": "Feature", "properties": {"code": code}, "geometry": shapely.geometry.mapping(shapely.make_valid(bent))}
        )  # fmt: skip
    features = [f for f in features if f["geometry"]["type"] in ("Polygon", "MultiPolygon")]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def _options(folder: Path) -> Any:
    from htx_pipeline.report.options import ReportOptions

    return ReportOptions(
        title="Tỉnh mẫu", as_of=date(2025, 12, 15), is_synthetic=True, max_cluster_reports=CLUSTERS,
        boundaries_file=boundaries(folder / "communes.geojson"),
    )  # fmt: skip


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _baseline(specs: Mapping[str, Any]) -> float:
    """Return the CPU seconds of drawing all pictures with matplotlib alone, in this process."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    from htx_pipeline.report.figures import KINDS, render
    from htx_pipeline.report.lettering import FILES, FONTS

    render(next(iter(specs.values())))
    start = time.process_time()
    with mpl.rc_context({"svg.fonttype": "none", "path.simplify": False}):
        for spec in specs.values():
            board = KINDS[spec["kind"]](spec)
            for one in board.lines:
                font = FontProperties(size=one.font.size, fname=str(FONTS / FILES[one.font.weight]))
                board.figure.text(one.x, one.y, one.words, transform=board.transData, fontproperties=font,
                                  color=one.color, ha=one.align, parse_math=False)  # fmt: skip
            board.figure.savefig(io.BytesIO(), format="svg")
            board.figure.savefig(io.BytesIO(), format="png", dpi=200)
    return time.process_time() - start


def _phases(report: Any) -> dict[str, float]:
    """Return about how many CPU seconds each step takes: those of every fifth page, five times."""
    import htx_pipeline.report.edition as editions
    from htx_pipeline.report import documents, figures
    from htx_pipeline.report.docx import DocxWriter
    from htx_pipeline.report.html import HtmlWriter
    from htx_pipeline.report.pdf import PdfWriter

    spent: dict[str, float] = {}

    def timed(name: str, do: Callable[[], Any], times: int = 1) -> Any:
        start = time.process_time()
        made = do()
        spent[name] = spent.get(name, 0.0) + (time.process_time() - start) * times
        return made

    pages = report.pages[::EVERY]
    named = {(p.id, s): editions._name_of(p, s) for p in report.pages for s in documents.FORMATS}
    site = timed("site", lambda: documents.Site.of(report, named, editions.WORKBOOK))
    sources = timed("rows behind figures", lambda: {p.id: editions.sources_json(report, p) for p in report.pages})  # fmt: skip
    timed("workbook", lambda: editions.write_workbook(report))
    timed("trace", lambda: editions.write_trace(report))
    bare = timed("names of the cache", lambda: [documents.bare(p) for p in report.pages])
    timed("names of the cache", lambda: [documents.Work.of(p, site, sources[p.id]) for p in bare])
    figures.render(pages[0].figures[0].spec)
    drawn = {}
    for figure in (f for p in pages for f in p.figures):
        board = timed("drawing", partial(figures.board_of, figure.spec), EVERY)
        svg = timed("SVG", partial(figures.svg_of, board), EVERY)
        drawn[figure.id] = figures.Picture(svg, timed("PNG", partial(figures.png_of, board), EVERY))
    alone = replace(site.outline, overview=pages[0], clusters=())
    pdf, docx = PdfWriter(alone, drawn), DocxWriter(alone, drawn)
    html = HtmlWriter(site.outline, drawn, named, workbook=site.workbook, sources=lambda p: sources[p.id], labels=site.labels)  # fmt: skip
    for write in (pdf.compile, docx.write, html.page):
        write(pages[0])
    for page in pages:
        timed("PDF", partial(pdf.compile, page), EVERY)
        timed("DOCX", partial(docx.write, page), EVERY)
        timed("HTML", partial(html.page, page), EVERY)
    return spent


def _run(folder: Path) -> None:
    """Measure in this process, which ends afterwards, and print the numbers as JSON."""
    from htx_pipeline.report.edition import write_edition
    from htx_pipeline.report.model import build_report

    frames, options = province(), _options(folder)
    common = {"period": PERIOD, "options": options, "cache_dir": folder / "cache"}
    began, cpu = time.perf_counter(), _cpu()
    made = write_edition(frames, folder / "out", **common)
    wall, cpu = time.perf_counter() - began, _cpu() - cpu
    began = time.perf_counter()
    again = write_edition(frames, folder / "out", **common)
    second = time.perf_counter() - began
    start = time.process_time()
    report = build_report(frames, period=PERIOD, options=options)
    built = time.process_time() - start
    specs = {f.id: f.spec for page in report.clusters for f in page.figures}
    peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    pages = [p.stat().st_size for n, p in made.paths.items() if n.endswith(".html")]
    found = {
        "wall": wall, "cpu": cpu, "second": second, "is_new": again.is_new, "figures": len(specs), "baseline": _baseline(specs),
        "phases": {"pages": built, **_phases(report)},
        "reports": len(report.clusters), "html_kb": max(pages) / 1000, "peak_mb": peak / 1024, "files": len(made.paths),
    }  # fmt: skip
    sys.stdout.write(json.dumps(found))


def bench() -> list[dict[str, Any]]:
    """Return one row per number held against the baseline, and print what they are made of."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.report", folder], capture_output=True, text=True, check=True
        )  # fmt: skip
    m = json.loads(done.stdout)
    assert not m["is_new"], "the second run wrote an edition although nothing had changed"
    print(
        f"reports: {m['reports']} reports, {m['files']} files, {m['wall']:.1f} s wall on {os.cpu_count()} cores, "
        f"{m['cpu']:.1f} s CPU; {m['figures']} pictures with matplotlib alone {m['baseline']:.1f} s CPU; "
        f"second run {m['second']:.2f} s; largest page {m['html_kb']:.0f} kB"
    )
    print(
        "  of it: "
        + ", ".join(f"{k} {v:.1f}" for k, v in sorted(m["phases"].items(), key=lambda kv: -kv[1]))
    )
    size, peer = m["reports"], f"{m['figures']} figures alone"

    def row(bench: str, ratio: float, goal: float) -> dict[str, Any]:
        return {
            "bench": bench, "size": size, "peer": peer, "cpu_ratio": ratio, "goal": goal,
            "met": ratio <= goal, "peak_mb": m["peak_mb"],
        }  # fmt: skip

    return [
        row("reports: wall / drawing alone", m["wall"] / m["baseline"], GOAL),
        row("reports: CPU of two cores / drawing alone", m["cpu"] / 2 / m["baseline"], GOAL),
        row("reports again, of 3 s", m["second"] / SECOND_RUN_S, 1.0),
        row("largest HTML page, of 400 kB", m["html_kb"] / HTML_KB, 1.0),
    ]


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
