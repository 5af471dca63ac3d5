"""Documents of an edition: made once, the same with any number of processes; trends and chains add up."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from htx_pipeline.graph import network
from htx_pipeline.metrics.chain import BALANCED, chain_flows
from htx_pipeline.report import chain_layout, documents, edition
from htx_pipeline.report.documents import Documents, Site, bare, write_documents
from htx_pipeline.report.edition import inputs_key, write_edition
from htx_pipeline.report.figures import render
from htx_pipeline.report.frames import Frames
from htx_pipeline.report.model import _Pages, build_report
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.trends import Trend
from htx_pipeline.schemas import TABLES


@pytest.fixture(scope="module")
def report(hand, options):
    return build_report(hand.province(), period="2024", options=options, products=hand.PRODUCTS)


# --------------------------------------------------------------------------- cache and processes


def test_a_second_run_with_the_same_inputs_builds_nothing(
    hand, options, tmp_path, monkeypatch
) -> None:
    common = {"period": "2024", "options": options, "products": hand.PRODUCTS}
    first = write_edition(hand.register_only(), tmp_path, **common)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the report was built again")

    monkeypatch.setattr(edition, "build_report", fail)
    again = write_edition(hand.register_only(), tmp_path, **common)
    assert (again.folder, again.is_new, again.manifest) == (first.folder, False, first.manifest)
    assert set(again.paths) == set(first.paths)
    other = options.model_copy(update={"title": "Tỉnh khác"})
    with pytest.raises(AssertionError, match="built again"):
        write_edition(hand.register_only(), tmp_path, **{**common, "options": other})


def test_a_damaged_edition_is_made_again(hand, options, tmp_path) -> None:
    common = {"period": "2024", "options": options, "products": {}}
    made = write_edition(hand.register_only(), tmp_path, **common)
    (made.folder / "so-lieu.xlsx").unlink()
    (made.folder / "manifest.json").unlink()
    for path in sorted(made.folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    made.folder.rmdir()
    again = write_edition(hand.register_only(), tmp_path, **common)
    assert again.folder == made.folder
    assert again.is_new
    assert edition.check_edition(again.folder) == []


def test_every_input_has_a_part_in_the_key(hand, options, tmp_path) -> None:
    frames = hand.register_only()
    shapes = tmp_path / "x.geojson"
    shapes.write_text("{}")
    drawn = options.model_copy(update={"boundaries_file": shapes})
    keys = [
        inputs_key(frames, period="2024", options=options),
        inputs_key(frames, period="2023", options=options),
        inputs_key(frames, period="2024", options=options, products={"coffee": "Cà phê"}),
        inputs_key({k: f.head(3) for k, f in frames.items()}, period="2024", options=options),
        inputs_key(dict(list(frames.items())[1:]), period="2024", options=options),
        inputs_key(frames, period="2024", options=drawn),
    ]
    shapes.write_text("{ }")
    keys.append(inputs_key(frames, period="2024", options=drawn))
    assert len(set(keys)) == len(keys)
    assert inputs_key(frames, period="2024", options=options) == keys[0]


def write(report, **more: Any) -> Documents:
    """Write a report's documents as an edition does."""
    pages = (*report.pages, *report.translations)
    named = {(p.id, suffix): f"{p.id}.{suffix}" for p in pages for suffix in documents.FORMATS}
    behind = more.pop(
        "sources",
        lambda page: {f"{page.id}/a/b": {"line": "x", "files": [], "n_rejected": 0, "steps": []}},
    )
    return write_documents(report, site=Site.of(report, named), sources=behind, **more)  # fmt: skip


def test_processes_and_one_process_write_the_same_bytes(report, tmp_path) -> None:
    more = tuple(replace(report.clusters[0], id=f"cum-{i}") for i in range(7))
    large = replace(report, clusters=more, localities=(), departments=())
    seen: list[tuple[int, int]] = []
    meanwhile: list[int] = []
    shared = write(
        large, cache_dir=tmp_path / "a", workers=2, progress=lambda *at: seen.append(at), meanwhile=lambda: meanwhile.append(1),
    )  # fmt: skip
    alone = write(large, cache_dir=tmp_path / "b", workers=1)
    assert shared == alone
    assert seen == [(i, 8) for i in range(1, 9)]
    assert meanwhile == [1]
    assert {suffix for _, suffix in shared.files} == {"pdf", "docx", "html"}


@pytest.fixture
def written(monkeypatch) -> list[tuple[str, str]]:
    """Return the documents written so far in this process: page id and suffix."""
    seen: list[tuple[str, str]] = []
    own = documents.Work._written

    def watched(work: Any, suffix: str, *rest: Any) -> bytes:
        seen.append((work.page.id, suffix))
        return own(work, suffix, *rest)

    monkeypatch.setattr(documents.Work, "_written", watched)
    return seen


def test_only_what_changed_is_written_again(report, tmp_path, written) -> None:
    first = write(report, cache_dir=tmp_path, workers=1)
    assert sorted(written) == sorted(first.files)
    written.clear()
    assert write(report, cache_dir=tmp_path, workers=1) == first
    assert written == []
    other = replace(report.clusters[0], subtitle="khác")
    changed = replace(report, clusters=(other, *report.clusters[1:]))
    write(changed, cache_dir=tmp_path, workers=1)
    assert written == [(other.id, suffix) for suffix in ("pdf", "docx", "html")]


def test_a_page_in_a_browser_is_written_again_when_its_sources_or_what_links_to_it_change(
    report, tmp_path, written
) -> None:
    write(report, cache_dir=tmp_path, workers=1)
    written.clear()
    write(report, cache_dir=tmp_path, workers=1, sources=lambda _: {})
    assert {suffix for _, suffix in written} == {"html"}
    assert len(written) == len(report.pages)
    written.clear()
    fewer = replace(report, clusters=report.clusters[1:])
    write(fewer, cache_dir=tmp_path, workers=1)
    assert {suffix for _, suffix in written} == {"html"}
    assert len(written) == len(fewer.pages)


def test_a_process_that_fails_says_why(report, tmp_path) -> None:
    broken = replace(report.clusters[0].figures[0], spec={"kind": "none"})
    section = replace(report.clusters[0].sections[0], blocks=(broken,))
    pages = tuple(replace(report.clusters[0], id=f"cum-{i}", sections=(section,)) for i in range(8))
    with pytest.raises(RuntimeError, match=r"failed:[\s\S]*KeyError: 'none'"):
        write(replace(report, clusters=pages), cache_dir=tmp_path, workers=2)


def test_a_failure_of_this_process_ends_the_others(report, tmp_path) -> None:
    pages = tuple(replace(report.clusters[0], id=f"cum-{i}") for i in range(8))

    def fail() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write(replace(report, clusters=pages), cache_dir=tmp_path, workers=2, meanwhile=fail)
    assert [t.name for t in threading.enumerate() if "_give" in t.name or "_listen" in t.name] == []


def test_a_bare_page_has_the_same_words_and_no_way_back_to_rows(report) -> None:
    page = bare(report.clusters[0])
    assert all(not t.source.only and t.row_rows is None for t in page.tables)
    assert [t.rows for t in page.tables] == [t.rows for t in report.clusters[0].tables]
    assert "0x" not in repr(page), "an address would make each run's key another"


# --------------------------------------------------------------------------- trends


def builder(frames: dict, lang: str = "vi") -> _Pages:
    options = ReportOptions(title="Tỉnh mẫu", as_of=date(2025, 12, 15))
    return _Pages(Frames(frames, period="2025"), options, None, lang=lang)


def test_a_year_without_a_value_is_a_gap_with_a_mark_and_never_joined_over() -> None:
    points = (("2023", 2e9), ("2024", None), ("2025", 4e9))
    figure = builder({}).trend_figure("p", [Trend(label="Giá trị", kind="money", points=points)])
    assert [p["value"] for p in figure.spec["panels"][0]["points"]] == [2000.0, None, 4000.0]
    assert figure.data.rows[0]["2024"] is None
    svg = render(figure.spec).svg.decode()
    assert "4.000,0" in svg
    assert "năm không có số liệu" in svg
    # The base line is the only line of two points: nothing joins 2023 to 2025.
    lines = re.findall(r'd="M [\d.]+ [\d.]+ \nL [\d.]+ [\d.]+ \n"', svg)
    whole = render(
        builder({})
        .trend_figure("p", [Trend(label="Giá trị", kind="money", points=(("2023", 2e9), ("2024", 3e9), ("2025", 4e9)))])
        .spec
    ).svg.decode()  # fmt: skip
    assert len(lines) == 1
    assert "năm không có số liệu" not in whole


def test_each_panel_has_its_own_unit() -> None:
    trends = [
        Trend(label="Giá trị", kind="money", points=(("2024", 3e10), ("2025", 4e10))),
        Trend(label="Tỷ lệ", kind="share", points=(("2024", 0.25), ("2025", 0.5))),
        Trend(label="Tổ chức", kind="count", points=(("2024", 1), ("2025", None)), unit="tổ chức"),
    ]
    vi, en = (builder({}, lang).trend_figure("p", trends).spec["panels"] for lang in ("vi", "en"))
    assert [(p["unit"], p["points"][0]["text"]) for p in vi] == [("tỷ đồng", "30,0"), ("%", "25,0%"), ("tổ chức", "1")]  # fmt: skip
    assert [(p["unit"], p["points"][0]["text"]) for p in en][:2] == [("billion VND", "30.0"), ("%", "25.0%")]  # fmt: skip


@pytest.mark.parametrize("values", [(None, None, None), (0, 0, 0), (-5, 3, -1), (1e12, None, 1)])
def test_any_three_values_make_a_picture(values: tuple) -> None:
    points = tuple(zip(("2023", "2024", "2025"), values, strict=True))
    figure = builder({}).trend_figure("p", [Trend(label="Chênh lệch", kind="money", points=points)] * 5)  # fmt: skip
    assert render(figure.spec) == render(figure.spec)


# --------------------------------------------------------------------------- the chain


def linkages(rows: list[tuple[str, str, str, int | None, int | None]]) -> pl.DataFrame:
    return TABLES["linkages"].conform(
        pl.DataFrame(
            [{"period": "2025", "supplier_id": a, "buyer_id": b, "product_code": "cassava", "evidence": e, "contracted_value_vnd": c, "paid_value_vnd": p} for a, b, e, c, p in rows],
            infer_schema_length=None,
        )
    )  # fmt: skip


STAGE = {"h1": "production", "h2": "production", "mill": "processing", "shop": "consumption"}
ROWS = [
    ("h1", "mill", "executed", 100, 90), ("h2", "mill", "signed", 60, None), ("h2", "mill", "active", None, None),
    ("mill", "shop", "executed", 150, 10), ("mill", "shop", "signed", 50, None),
]  # fmt: skip


@pytest.fixture
def flows() -> pl.DataFrame:
    edges = network.edges(linkages(ROWS))
    nodes = pl.DataFrame({"period": ["2025"] * 4, "org_id": list(STAGE), "stage": list(STAGE.values())})  # fmt: skip
    return chain_flows(edges, nodes)


def test_signed_and_executed_value_of_each_flow_are_those_of_its_linkages(flows) -> None:
    found = flows.filter(pl.col("kind") == "recorded").select(
        "from_stage", "signed_value_vnd", "executed_value_vnd", "n_signed_value", "n_executed"
    )
    assert found.rows() == [("production", 160, 100, 2, 1), ("processing", 200, 150, 2, 1)]


def test_what_enters_a_stage_leaves_it_by_signed_value_too(flows) -> None:
    for stage in BALANCED:
        into = flows.filter(pl.col("to_stage") == stage)["signed_value_vnd"].sum()
        out = flows.filter(pl.col("from_stage") == stage)["signed_value_vnd"].sum()
        assert into == out
    unknown = flows.filter(pl.col("from_stage") == "unknown")
    assert unknown.select("to_stage", "signed_value_vnd", "executed_value_vnd").rows() == [("processing", 40, None)]  # fmt: skip


def test_a_band_is_solid_as_far_as_it_is_executed_and_keeps_its_width(flows) -> None:
    figure = builder({"metrics/chain_flows": flows}).chain_figure("province", "p", {"production": 2, "processing": 1, "consumption": 1})  # fmt: skip
    layout = chain_layout.connect(figure.spec)
    bands = {f.gid: (f.amount, f.executed) for f in layout.flows}
    assert bands == {
        "flow-production-processing-cassava": (160.0, 100.0),
        "flow-processing-consumption-cassava": (200.0, 150.0),
        "flow-unknown-processing-all": (40.0, None),
    }
    chain_layout.stand(layout, figure.spec, top=1.0, body=1.75)
    for name, slot in layout.nodes.items():
        into = sum(f.amount for f in layout.flows if f.target == name)
        out = sum(f.amount for f in layout.flows if f.source == name)
        assert slot.size == max(into, out)
        if name == "processing":
            assert into == out
    assert "đã thực hiện chiếm 69,4%" in figure.alt


def test_every_stage_and_band_can_be_asked_and_tells_its_numbers(flows) -> None:
    figure = builder({"metrics/chain_flows": flows}).chain_figure("province", "p", {"production": 2, "processing": 1, "consumption": 1})  # fmt: skip
    ids = re.findall(r'id="([^"]+)"', render(figure.spec).svg.decode())
    marks = {m["gid"]: m for m in figure.spec["marks"]}
    assert {i for i in ids if i.startswith("flow-")} == {g for g in marks if g.startswith("flow-")}
    assert {f"node-{s}" for s in ("production", "processing", "consumption")} <= set(ids)
    own = [i for i in ids if i.startswith(("flow-", "node-"))]
    assert len(own) == len(set(own))
    band = marks["flow-production-processing-cassava"]
    assert band["select"] == {"product": "cassava", "stage": "production"}
    assert any("62,5%" in line for line in band["lines"])


def test_without_contracted_values_what_is_paid_is_drawn_as_executed() -> None:
    edges = network.edges(linkages([("h1", "mill", "executed", None, 90)]))
    nodes = pl.DataFrame({"period": ["2025"] * 2, "org_id": ["h1", "mill"], "stage": ["production", "processing"]})  # fmt: skip
    figure = builder({"metrics/chain_flows": chain_flows(edges, nodes)}).chain_figure("province", "p", {"production": 1})  # fmt: skip
    assert [(f["amount"], f["executed"]) for f in figure.spec["flows"] if f["from"] == "production"] == [(90, 90)]  # fmt: skip


def test_names_above_the_stages_do_not_touch() -> None:
    from htx_pipeline.report.drawing import font_of, width_of

    b = builder({"metrics/chain_flows": chain_flows(network.edges(linkages(ROWS)), pl.DataFrame({"period": ["2025"] * 4, "org_id": list(STAGE), "stage": list(STAGE.values())}))})  # fmt: skip
    spec = b.chain_figure("province", "p", dict.fromkeys(STAGE.values(), 88_888)).spec
    layout = chain_layout.connect(spec)
    chain_layout.stand(layout, spec, top=1.0, body=1.75)
    heads = chain_layout.heads_of(layout, spec)
    spans = []
    for i, (names, under) in enumerate(heads):
        wide = max(width_of(w, font_of(9, 600)) for w in (*names, *under))
        x, last = layout.xs[i], len(heads) - 1
        left = x if i == 0 else x + chain_layout.NODE_WIDTH - wide if i == last else x + chain_layout.NODE_WIDTH / 2 - wide / 2  # fmt: skip
        spans.append((left, left + wide))
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))


def test_folder_of_the_cache_is_made(report, tmp_path: Path) -> None:
    made = write(replace(report, clusters=(), localities=(), departments=()), cache_dir=tmp_path / "new" / "cache", workers=1)  # fmt: skip
    assert len(made.files) == len(documents.FORMATS)
