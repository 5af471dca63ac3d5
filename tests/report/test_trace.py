"""Every figure of a report leads back to rows of source files, and those rows make the figure."""

from __future__ import annotations

import io

import polars as pl
import pytest

from htx_pipeline.cli import main
from htx_pipeline.errors import InputError
from htx_pipeline.report import ask, trace
from htx_pipeline.report.blocks import Hidden
from htx_pipeline.report.model import build_report


@pytest.fixture(scope="module")
def report(hand, options):
    """Return the report of the province made by hand."""
    return build_report(hand.province(), period="2024", options=options, products=hand.PRODUCTS)


@pytest.fixture(scope="module")
def table(report) -> pl.DataFrame:
    """Return the sources of its figures, as an edition carries them."""
    return pl.read_parquet(io.BytesIO(trace.write_trace(report)))


def source_rows(sources: list[dict], core: pl.DataFrame) -> pl.DataFrame:
    """Return the core rows that traced entries name, found by ``source_id`` alone."""
    ids = [
        f"{e['file_id']}:{e['sheet']}:{n}"
        for e in sources
        if e["rule"] is None
        for n in trace.numbers(e["rows"])
    ]
    found = core.filter(pl.col("source_id").is_in(ids))
    assert found.height == len(ids), "each traced row is a row of the core table"
    return found


@pytest.mark.parametrize(
    ("column", "core", "value"),
    [
        ("n_linkages", "linkages", lambda f: f.height),
        ("n_buyers", "linkages", lambda f: f["buyer_id"].n_unique()),
        ("n_cooperatives", "organisations", lambda f: f.height),
        ("paid_value_vnd", "linkages", lambda f: f["paid_value_vnd"].sum()),
        ("contracted_value_vnd", "linkages", lambda f: f["contracted_value_vnd"].sum()),
        ("revenue_vnd", "cooperative_reports", lambda f: f["revenue_vnd"].sum()),
    ],
)  # fmt: skip
def test_the_traced_rows_add_up_to_the_printed_figure(
    column, core, value, report, table, hand
) -> None:
    frame = hand.province()[f"core/{core}"]
    sources = dict(table.select("figure_id", "sources").iter_rows())
    checked = 0
    for page in report.pages:
        for block in page.tables:
            if block.id in ("theo-dia-ban", "theo-san-pham", "san-pham"):
                for name, line in zip(block.names, block.rows, strict=True):
                    printed = line.get(column)
                    key = f"{page.id}/{block.id}/{name}/{column}"
                    if key in sources and printed is not None and not isinstance(printed, Hidden):
                        assert value(source_rows(sources[key], frame)) == pytest.approx(
                            printed, rel=1e-12
                        ), key
                        checked += 1
    assert checked >= 3


def test_a_share_is_made_of_its_traced_rows(report, table, hand) -> None:
    frames = hand.province()
    sources = dict(table.select("figure_id", "sources").iter_rows())
    block = next(t for t in report.overview.tables if t.id == "theo-dia-ban")
    lines = [
        (n, r)
        for n, r in zip(block.names, block.rows, strict=True)
        if r["linked_share"] is not None
    ]
    assert len(lines) >= 3
    for name, line in lines:
        entries = sources[f"tong-quan/theo-dia-ban/{name}/linked_share"]

        def rows(core: str, entries: list[dict] = entries) -> pl.DataFrame:
            return source_rows([e for e in entries if e["table"] == core], frames[f"core/{core}"])

        own = rows("organisations").filter(legal_type="htx")["org_id"]
        active = rows("linkages").filter(pl.col("evidence").is_in(["active", "executed"]))
        linked = own.is_in(pl.concat([active["supplier_id"], active["buyer_id"]]).implode()).sum()
        assert linked / len(own) == pytest.approx(line["linked_share"], rel=1e-12), name


def test_every_figure_has_an_id_of_its_own_and_a_source(report, table) -> None:
    items = [i.id for page in (*report.pages, *report.translations) for i in trace.figures_of(page)]
    assert len(items) == len(set(items)) == table.height
    assert table["steps"].list.len().min() > 0
    assert set(table["kind"]) == {"fact", "cell", "chart", "sentence"}


def test_the_rejected_rows_of_the_scope_are_named_with_their_rule(hand, options) -> None:
    frames = hand.province()
    bad = frames["core/linkages"].head(2).with_columns(source_id=pl.lit("feed:csv:") + pl.int_range(900, 902).cast(pl.String), source_row=pl.int_range(900, 902))  # fmt: skip
    found = pl.DataFrame(
        {"rule_id": ["linkages.price.impossible"], "severity": ["error"], "table": ["linkages"], "source_id": ["feed:csv:900"], "reason_vi": ["Đơn giá vô lý."]}
    )  # fmt: skip
    report = build_report(
        {**frames, "core/linkages_rejected": bad, "core/linkages_findings": found}, period="2024", options=options, products=hand.PRODUCTS,
    )  # fmt: skip
    item = trace.figure_ids(report)["tong-quan/theo-san-pham/Cộng/n_linkages"]
    (sources,) = trace.core_rows(report).sources([item])
    lost = {(e["rule"], e["rows"]) for e in sources if e["rule"] is not None}
    planned = bad.filter(pl.col("evidence") == "planned").height
    assert ("linkages.price.impossible", "900") in lost
    assert len(lost) == 2 - planned


def test_the_same_report_has_the_same_trace(report) -> None:
    assert trace.write_trace(report) == trace.write_trace(report)


def test_an_unknown_figure_names_the_nearest(table) -> None:
    with pytest.raises(InputError, match="theo-dia-ban/Đăk Hà"):
        ask.find_figure(table, "tong-quan/theo-dia-ban/dak ha")
    plain = ask.find_figure(table, "tong-quan/theo-dia-ban/dak ha/n_cooperatives")
    assert plain["figure_id"] == "tong-quan/theo-dia-ban/Đăk Hà/n_cooperatives"


def test_the_terminal_lists_files_sheets_and_rows(edition, capsys) -> None:
    figure = "tong-quan/theo-dia-ban/Đăk Hà/n_cooperatives"
    assert main(["trace", figure, "--edition", str(edition.folder), "--rows"]) == 0
    shown = capsys.readouterr().out
    assert "danh_ba_htx_2024.xlsx" in shown
    assert "core/organisations" in shown
    assert main(["trace", "--list", "tong-quan", "--edition", str(edition.folder)]) == 0
    assert "so-chinh" in capsys.readouterr().out
    assert main(["trace", "no/such", "--edition", str(edition.folder)]) == 2
    assert "nearest" in capsys.readouterr().err


def test_the_page_gets_rows_in_the_office_and_only_files_in_public(hand, options) -> None:
    common = {"period": "2024", "products": hand.PRODUCTS}
    inside = build_report(hand.province(), options=options, **common)
    outside = build_report(
        hand.province(), options=options.model_copy(update={"kind": "public"}), **common
    )
    key = "tong-quan/theo-dia-ban/Đăk Hà/n_cooperatives"
    assert trace.sources_json(inside, inside.overview)[key]["files"][0]["rows"] != ""
    files = trace.sources_json(outside, outside.overview)[key]["files"]
    assert [(f["file"], f["sheet"], f["rows"]) for f in files] == [
        ("danh_ba_htx_2024.xlsx", "", "")
    ]
    hidden = pl.read_parquet(io.BytesIO(trace.write_trace(outside))).filter("is_hidden")
    assert hidden.height > 0
    assert hidden["sources"].list.len().max() == 0
