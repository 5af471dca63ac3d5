"""Every figure of a report leads back to rows of source files, and those rows make the figure."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.cli import main
from htx_pipeline.errors import InputError
from htx_pipeline.reference.targets import target_lines
from htx_pipeline.report import ask, trace
from htx_pipeline.report.model import build_report
from htx_pipeline.report.origins.places import WHOLE, Scope, place_origin
from htx_pipeline.report.origins.rows import Year


@pytest.fixture(scope="module")
def frames(hand) -> dict[str, pl.DataFrame]:
    """Return the frames of the province made by hand."""
    return hand.province()


@pytest.fixture(scope="module")
def report(hand, frames, options):
    """Return its report."""
    return build_report(frames, period="2024", options=options, products=hand.PRODUCTS)


def written(report) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(trace.write_trace(report)))


@pytest.fixture(scope="module")
def table(report) -> pl.DataFrame:
    """Return the sources of its figures, as an edition carries them."""
    return written(report)


@pytest.fixture(scope="module")
def figures(table) -> dict[str, dict]:
    """Return them by id."""
    return {row["figure_id"]: row for row in table.iter_rows(named=True)}


def core_cells(frames: dict[str, pl.DataFrame]):
    """Return what reads the values of rows from the core tables, by ``source_id`` alone."""

    def cells(table: str, column: str, ids: list[str]) -> pl.DataFrame:
        if table == "reference/targets":
            known = target_lines().select(source_id=pl.format("{}:{}:{}", pl.lit("reference"), pl.lit("targets"), "line"), value="value")  # fmt: skip
            ids = [f"reference:targets:{i.rsplit(':', 1)[1]}" for i in ids]
        else:
            column = "evidence" if column == "rank" else column
            name, _, year = table.partition(" ")
            start = f"earlier/{year}/" if year else ""
            parts = [frames[k].select("source_id", value=column) for k in (f"{start}core/{name}", f"{start}core/{name}_rejected") if k in frames and column in frames[k].columns]  # fmt: skip
            known = pl.concat(parts).with_columns(pl.col("source_id").cast(pl.String))
        found = pl.DataFrame({"source_id": ids}, schema={"source_id": pl.String}).join(known, on="source_id", how="left", maintain_order="left")  # fmt: skip
        assert set(ids) <= set(known["source_id"]), "each traced row is a row of the core table"
        return found

    return cells


# --------------------------------------------------------------------------- what is made of rows


@pytest.fixture(scope="module")
def computed(two_years, options):
    """Return the report of two computed years, in both languages, and its trace by id."""
    own = options.model_copy(update={"as_of": date(2025, 12, 15), "has_english": True, "min_cluster_size": 3})  # fmt: skip
    report = build_report(two_years, period="2025", options=own)
    return report, {row["figure_id"]: row for row in written(report).iter_rows(named=True)}


def test_each_figure_with_a_rule_is_made_again_from_its_rows_alone(census, computed, two_years) -> None:  # fmt: skip
    report, figures = computed
    cells, wrong, done = core_cells(two_years), [], 0
    for page in (*report.pages, *report.translations):
        for item in trace.figures_of(page):
            figure = figures[item.id]
            if figure["formula"]:
                raw = item.line.get(item.ask.key) if item.line is not None else None
                found = census.recomputed(figure, cells)
                done += 1
                if found is None or not census.is_printed(found, figure, raw):
                    wrong.append((item.id, figure["value"], found))
    assert not wrong, (len(wrong), wrong[:10])
    assert done == sum(bool(f["formula"]) for f in figures.values()) > 1500


def test_every_block_of_figures_has_a_rule_or_says_why_not(census, computed) -> None:
    _, figures = computed
    table = pl.DataFrame(list(figures.values()), schema=trace.TRACE_SCHEMA)
    without = table.filter(pl.col("formula") == "")
    assert set(without["why_not"]) <= set(census.NOT_RECOMPUTED)
    told = census.census(table).filter(pl.col("kind").is_in(["fact", "cell"]))
    named = told.filter(pl.col("recomputed") < pl.col("n")).select("block", "column").unique()
    assert set(named.iter_rows()) <= WITHOUT_A_RULE, (
        "give it a rule in report/origins, or a reason here"
    )


def test_the_public_pages_print_no_figure_without_a_rule_either(census, two_years, options) -> None:
    own = options.model_copy(update={"as_of": date(2025, 12, 15), "min_cluster_size": 3, "kind": "public"})  # fmt: skip
    report = build_report(two_years, period="2025", options=own)
    told = written(report)
    assert set(told.filter(pl.col("formula") == "")["why_not"]) <= set(census.NOT_RECOMPUTED)
    finder = trace.tracer(report)
    items = [i for page in report.pages for i in trace.figures_of(page) if i.kind in ("fact", "cell") and not i.is_hidden]  # fmt: skip
    wrong = [
        (i.id, i.value, origin.value())
        for i, origin in zip(items, finder.origins_of(items), strict=True)
        if origin.formula and not census.is_printed(origin.value(), {"value": i.value}, i.line and i.line.get(i.ask.key))
    ]  # fmt: skip
    assert not wrong, wrong[:10]
    assert len(items) > 200


WITHOUT_A_RULE = {
    ("thanh-vien", "rank"), ("theo-dia-ban", "rank"), ("so-chinh", "n_clusters"), ("tieu-chi", "value"),
    *(("dem-thay-doi", c) for c in ("new", "gone", "improved", "worse", "newly_flagged")),
}  # fmt: skip
"""Columns of which some figure is not made again from rows: see the reasons in the census."""


def test_figures_without_a_rule_are_few_and_each_says_why(census, table) -> None:
    without = table.filter(pl.col("formula") == "")
    assert set(without["why_not"]) <= set(census.NOT_RECOMPUTED) <= set(trace.REASONS)
    counted = table.filter(pl.col("kind").is_in(["fact", "cell"]))
    few = counted.filter((pl.col("formula") == "") & (pl.col("why_not") != "withheld"))
    assert few.height < 0.12 * counted.height
    told = census.census(table)
    assert told["n"].sum() == table.height
    assert told["recomputed"].sum() == table.height - without.height


def test_every_figure_has_an_id_of_its_own_and_a_source(report, table) -> None:
    items = [i.id for page in (*report.pages, *report.translations) for i in trace.figures_of(page)]
    assert len(items) == len(set(items)) == table.height
    assert table["steps"].list.len().min() > 0
    assert set(table["kind"]) == {"fact", "cell", "chart", "mark", "sentence"}


def test_a_share_tells_its_numerator_from_its_denominator_and_shows_the_linkages(
    figures, frames
) -> None:
    figure = figures["tong-quan/theo-dia-ban/Đăk Hà/linked_share"]
    assert figure["formula"] == "ratio"
    rows = {
        role: {s for e in figure["sources"] if e["role"] == role for s in trace.numbers(e["rows"])}
        for role in ("numerator", "denominator", "evidence")
    }
    register = frames["core/organisations"]
    here = register.filter((pl.col("legal_type") == "htx") & (pl.col("locality") == "Đăk Hà"))
    assert rows["denominator"] == set(here["source_row"])
    assert rows["numerator"] < rows["denominator"]
    shown = frames["core/linkages"].filter(pl.col("source_row").is_in(sorted(rows["evidence"])))
    assert set(shown["evidence"]) <= {"active", "executed"}
    linked = register.filter(pl.col("source_row").is_in(sorted(rows["numerator"])))["org_id"]
    assert set(linked) == set(here["org_id"]) & {*shown["supplier_id"], *shown["buyer_id"]}


def test_a_sentence_and_an_element_of_a_picture_name_the_figures_they_state(
    figures, report
) -> None:
    told = [f for f in figures.values() if f["kind"] in ("sentence", "mark") and f["rests_on"]]
    assert {f["kind"] for f in told} == {"sentence", "mark"}
    for figure in told:
        assert set(figure["rests_on"]) <= figures.keys(), figure["figure_id"]
        for stated in figure["rests_on"]:
            rows = {(e["table"], n) for e in figures[stated]["sources"] if e["part"] is not None for n in trace.numbers(e["rows"])}  # fmt: skip
            own = {(e["table"], n) for e in figure["sources"] if e["part"] is not None for n in trace.numbers(e["rows"])}  # fmt: skip
            assert rows <= own


def test_what_an_algorithm_decides_is_said_in_the_steps(figures) -> None:
    cluster = next(f for i, f in figures.items() if i.endswith("so-chinh/n_clusters"))
    assert cluster["why_not"] == "model"
    assert any("Leiden" in step for step in cluster["steps"])


def test_a_target_leads_to_the_line_of_the_reference_list(computed, project_root: Path) -> None:
    _, figures = computed
    told = [
        (f, e) for f in figures.values() for e in f["sources"] if e["table"] == "reference/targets" and f["figure_id"].endswith("/target")
    ]  # fmt: skip
    assert len(told) > 5
    lines = (project_root / told[0][1]["file"]).read_text("utf-8").splitlines()
    for figure, entry in told:
        code = figure["figure_id"].split("|")[1]
        entry_lines = lines[int(entry["rows"]) - 1 :][:6]
        assert entry_lines[0] == "[[targets]]"
        assert f'indicator = "{code}"' in entry_lines


# --------------------------------------------------------------------------- invariances, negative cases


def test_rows_in_another_order_make_the_same_trace(hand, options, report) -> None:
    frames = {k: f.sample(fraction=1.0, shuffle=True, seed=7) for k, f in hand.province().items()}
    again = build_report(frames, period="2024", options=options, products=hand.PRODUCTS)
    assert trace.write_trace(again) == trace.write_trace(report)


def test_the_localities_share_out_the_rows_of_the_whole(frames, report) -> None:
    year = Year(report.frames, "2024")
    places = [Scope("locality", p) for p in frames["core/organisations"]["locality"].unique()]
    for column in ("n_cooperatives", "n_linkages", "revenue_vnd", "contracted_value_vnd", "n_linked_active"):  # fmt: skip
        whole = place_origin(year, WHOLE, column).parts[0].rows.at.tolist()
        parts = [n for p in places for n in place_origin(year, p, column).parts[0].rows.at.tolist()]
        assert sorted(parts) == whole, column


def test_a_row_that_is_left_out_of_the_core_table_leaves_the_figure(hand, options, figures) -> None:
    frames = hand.province()
    lost = frames["core/linkages"].filter(pl.col("evidence") == "executed").head(1)
    frames["core/linkages"] = frames["core/linkages"].join(lost, on="linkage_id", how="anti")
    report = build_report(frames, period="2024", options=options, products=hand.PRODUCTS)
    key = "tong-quan/theo-san-pham/Cộng/n_linkages"
    after = written(report).filter(pl.col("figure_id") == key).row(0, named=True)
    before = {n for e in figures[key]["sources"] for n in trace.numbers(e["rows"])}
    assert before - {n for e in after["sources"] for n in trace.numbers(e["rows"])} == {lost["source_row"].item()}  # fmt: skip


def test_the_rejected_rows_of_the_scope_are_named_with_their_rule_and_remedy(hand, options) -> None:
    frames = hand.province()
    bad = frames["core/linkages"].head(2).with_columns(source_id=pl.lit("feed:csv:") + pl.int_range(900, 902).cast(pl.String), source_row=pl.int_range(900, 902))  # fmt: skip
    found = pl.DataFrame(
        {"rule_id": ["linkages.price.impossible"], "severity": ["error"], "table": ["linkages"], "source_id": ["feed:csv:900"],
         "reason_vi": ["Đơn giá vô lý."], "remedy_vi": ["Kiểm tra đơn vị."]}
    )  # fmt: skip
    report = build_report(
        {**frames, "core/linkages_rejected": bad, "core/linkages_findings": found}, period="2024", options=options, products=hand.PRODUCTS,
    )  # fmt: skip
    item = trace.figure_ids(report)["tong-quan/theo-san-pham/Cộng/n_linkages"]
    (row,) = trace.traced(report, [item], is_public=False).iter_rows(named=True)
    lost = {(e["rule"], e["rows"], e["remedy"]) for e in row["sources"] if e["role"] == "rejected"}
    assert lost == {
        ("linkages.price.impossible", "900", "Kiểm tra đơn vị."),
        ("unknown", "901", None),
    }


def test_years_before_are_made_of_their_own_rows(hand, options, frames) -> None:
    history = pl.DataFrame(
        {"period": ["2024"] * 2, "locality": ["Đăk Hà"] * 2, "year": ["2023", "2024"], "n_cooperatives": [1, 9], "n_reported": [0, 1],
         "contracted_value_vnd": [None, 7], "paid_value_vnd": [None, 7], "n_linked_signed": [0, 1], "n_linked_executed": [0, 1]}
    )  # fmt: skip
    key = "dia-ban-dak-ha/hinh-dien-bien-dia-ban-dak-ha-so-lieu/n_cooperatives/2023"
    common = {"period": "2024", "options": options, "products": hand.PRODUCTS}
    without = written(build_report({**frames, "metrics/locality_history": history}, **common))
    assert without.filter(pl.col("figure_id") == key)["why_not"].item() == "other_year"
    then = frames["core/organisations"].filter(pl.col("locality") == "Đăk Hà").head(1).with_columns(period=pl.lit("2023"), source_file=pl.lit("danh_ba_2023.xlsx"))  # fmt: skip
    given = {**frames, "metrics/locality_history": history, "earlier/2023/core/organisations": then}
    row = written(build_report(given, **common)).filter(pl.col("figure_id") == key).row(0, named=True)  # fmt: skip
    assert [(e["table"], e["file"], e["n"]) for e in row["sources"]] == [("organisations 2023", "danh_ba_2023.xlsx", 1)]  # fmt: skip
    assert any("kỳ 2023" in step for step in row["steps"])


def test_the_same_report_has_the_same_trace(report) -> None:
    assert trace.write_trace(report) == trace.write_trace(report)


# --------------------------------------------------------------------------- asking


def test_an_unknown_figure_names_the_nearest(table) -> None:
    with pytest.raises(InputError, match="theo-dia-ban/Đăk Hà"):
        ask.find_figure(table, "tong-quan/theo-dia-ban/dak ha")
    with pytest.raises(InputError, match="theo-dia-ban/Đăk Hà/paid_value_vnd"):
        ask.find_figure(table, "tong-quan/theo-dia-bna/dak ha/paid_vlaue_vnd")
    with pytest.raises(InputError, match="theo-dia-ban/Đăk Hà/paid_value_vnd"):
        ask.find_figure(table, "đã thanh toán Đăk Hà")
    plain = ask.find_figure(table, "tong-quan/theo-dia-ban/dak ha/n_cooperatives")
    assert plain["figure_id"] == "tong-quan/theo-dia-ban/Đăk Hà/n_cooperatives"


def test_the_terminal_lists_files_sheets_and_rows(edition, capsys) -> None:
    figure, where = "tong-quan/theo-dia-ban/Đăk Hà/linked_share", ["--edition", str(edition.folder)]
    assert main(["trace", figure, *where]) == 0
    shown = capsys.readouterr().out
    assert "danh_ba_htx_2024.xlsx" in shown
    assert "tử số ÷ mẫu số" in shown
    assert "core/organisations" in shown
    assert main(["trace", figure, "--rows", *where]) == 0
    assert ":csv:" in capsys.readouterr().out
    assert main(["trace", "--list", *where]) == 0
    assert "tong-quan" in capsys.readouterr().out
    assert main(["trace", "--list", "tong-quan/theo-dia-ban", *where]) == 0
    assert "Đăk Hà" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such"], "nearest"),
        (["--list", "tong-qua"], "nearest: tong-quan"),
        ([], "No figure was named"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_exit_code_2(arguments, said, edition, capsys) -> None:
    assert main(["trace", *arguments, "--edition", str(edition.folder)]) == 2
    assert said in capsys.readouterr().err


def test_an_edition_that_is_not_there_or_damaged_is_named(tmp_path, edition, capsys) -> None:
    assert main(["trace", "x", "--data", str(tmp_path)]) == 2
    assert "no report here yet" in capsys.readouterr().err
    (tmp_path / "nguon").mkdir()
    (tmp_path / "manifest.json").write_bytes((edition.folder / "manifest.json").read_bytes())
    (tmp_path / trace.TRACE_FILE).write_bytes(b"not what it was")
    assert main(["trace", "x", "--edition", str(tmp_path)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_csv_and_json_hold_every_row_that_is_counted(edition, capsys, tmp_path) -> None:
    figure, where = "tong-quan/theo-san-pham/Cộng/n_linkages", ["--edition", str(edition.folder)]
    assert main(["trace", figure, "--format", "csv", "--rows", *where]) == 0
    rows = pl.read_csv(io.StringIO(capsys.readouterr().out))
    assert main(["trace", figure, "--format", "json", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert rows.height == sum(e["n"] for e in told["sources"])
    assert rows.filter(role="counted").height == told["parts"][0]["amount"]
    assert rows["source_id"].n_unique() == rows.height
    out = tmp_path / "nguon.csv"
    assert main(["trace", figure, "--format", "csv", "-o", str(out), *where]) == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf"), "a spreadsheet sees that it is UTF-8"


def test_a_figure_of_ten_thousand_rows_stays_readable() -> None:
    odd = {"part": 0, "role": "counted", "table": "linkages", "rule": None, "reason": None, "remedy": None, "file": "a.xlsx", "sheet": "s",
           "file_id": "f", "rows": trace.ranges(range(1, 20_001, 2)), "n": 10_000}  # fmt: skip
    figure = {
        "figure_id": "p/t/c", "label": "x", "value": "10.000", "line": "", "formula": "value", "why_not": "", "rests_on": [], "steps": [],
        "parts": [{"part": 0, "role": "counted", "table": "linkages", "how": "rows", "column": "", "weight": "", "amount": 1e4, "n": 10_000}],
        "sources": [odd, {**odd, "part": None, "role": "rejected", "rule": "r", "reason": "sai", "remedy": "sửa"}],
    }  # fmt: skip
    shown = [str(p) for p in ask.figure_text(figure)]
    assert sum(map(len, shown)) < 2500
    assert any("10.000 dòng" in line for line in shown)
    assert len(ask.source_rows(figure["sources"])) == 20_000


# --------------------------------------------------------------------------- what is published


@pytest.fixture(scope="module")
def public(hand, frames, options):
    """Return the public report of the province."""
    kind = options.model_copy(update={"kind": "public"})
    return build_report(frames, period="2024", options=kind, products=hand.PRODUCTS)


def test_the_page_gets_rows_in_the_office_and_only_files_in_public(report, public) -> None:
    key = "tong-quan/theo-dia-ban/Đăk Hà/linked_share"
    told = trace.sources_json(report, report.overview)[key]
    assert {f["role"] for f in told["files"]} == {"tử số", "mẫu số", "căn cứ"}
    assert all(f["rows"] for f in told["files"])
    assert re.fullmatch(r"\d+ ÷ \d+", told["made"])
    files = trace.sources_json(public, public.overview)[key]["files"]
    assert {(f["sheet"], f["rows"], f["role"]) for f in files} == {("", "", "")}
    assert {f["file"] for f in files} <= {"danh_ba_htx_2024.xlsx", "lien_ket_2024.csv"}


def test_a_public_trace_holds_no_amount_no_row_and_nothing_of_what_is_withheld(public) -> None:
    told = written(public)
    entries = told["sources"].explode(empty_as_null=False).struct.unnest()
    assert set(entries["rows"]) == {""}
    assert entries.select("sheet", "file_id", "rule").null_count().row(0) == (entries.height,) * 3
    parts = told["parts"].explode(empty_as_null=False).struct.unnest()
    assert parts["amount"].null_count() == parts.height
    hidden = told.filter("is_hidden")
    assert hidden.height > 0
    assert hidden["sources"].list.len().max() == hidden["parts"].list.len().max() == 0


def test_a_withheld_figure_is_refused_in_both_languages_with_exit_code_3(public, tmp_path, capsys) -> None:  # fmt: skip
    path = tmp_path / trace.TRACE_FILE
    path.parent.mkdir()
    path.write_bytes(trace.write_trace(public))
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "public", "files": {}}))
    hidden = written(public).filter("is_hidden")["figure_id"][0]
    assert main(["trace", hidden, "--edition", str(tmp_path)]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "giữ bí mật" in told.err
    assert "withheld" in told.err
