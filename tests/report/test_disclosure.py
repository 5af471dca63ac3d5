"""What a public edition withholds cannot be worked out from what its files say.

The attacker (`attacker`) knows nothing of how cells are chosen: it opens the files of an edition, sets up
what they state of each measure, and asks a linear program how closely each withheld figure, and each unit's
own, can be told.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pypdf
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.exports.base import ExportOptions
from htx_pipeline.exports.publish import write_exports
from htx_pipeline.report import publish as publishing
from htx_pipeline.report.blocks import Hidden, Prose
from htx_pipeline.report.cells import PUBLISHED, Cells
from htx_pipeline.report.earlier import published_before
from htx_pipeline.report.edition import publish, write_edition
from htx_pipeline.report.handout import publishable, small_communes
from htx_pipeline.report.model import build_report
from htx_pipeline.report.publish import protect
from htx_pipeline.report.shelf import edition_folder
from htx_pipeline.report.suppression import Rules, class_of, is_sensitive, withheld_sums
from htx_pipeline.report.trace import write_trace
from htx_pipeline.report.workbook import write_workbook
from htx_pipeline.schemas import TABLES

PROTECTION = 0.0999
"""How far, as a share, a protected figure's bounds must at least lie from it (0.1, less rounding)."""

PINNED = 0.02
"""Width of the bounds, as a share, under which a figure withheld for another's sake counts as told."""

MEASURES = (
    "paid_value_vnd", "contracted_value_vnd", "delivered_tonnes", "area_ha", "households", "revenue_vnd",
    "official_members", "income_of_members",
)  # fmt: skip

AMOUNT = re.compile(
    r"(?:≥ )?(?<![\d.,])\d[\d.,–]{0,24}\s(?:(?:nghìn |triệu |tỷ )?đồng|tấn|ha\b|hộ\b(?! kinh doanh))"
)


def load(name: str):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[name] = module  # Dataclasses look their module up.
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def attacker():
    """Return the attacker's module."""
    return load("attacker")


@pytest.fixture(scope="module")
def frames(hand) -> dict[str, pl.DataFrame]:
    """Return a province with clusters, communes, chains, an earlier year, and a district of two cooperatives."""
    return load("published_by_hand").published_province(hand)


@pytest.fixture(scope="module")
def known(frames) -> dict[str, pl.DataFrame]:
    """Return what the attacker knows beside the files: the rows, and who is in which commune."""
    return {**frames, "communes_of": load("published_by_hand").homes(frames)}


@pytest.fixture(scope="module")
def public_options(options):
    return options.model_copy(update={"kind": "public"})


@pytest.fixture(scope="module")
def edition(frames, public_options, drawings, tmp_path_factory) -> Path:
    """Return the folder of its public edition, with all files."""
    made = write_edition(
        frames, tmp_path_factory.mktemp("public"), period="2024", options=public_options, cache_dir=drawings
    )  # fmt: skip
    return made.folder


@pytest.fixture(scope="module")
def inside(frames, options):
    """Return its report with nothing withheld, as the office has it."""
    return build_report(frames, period="2024", options=options)


@pytest.fixture(scope="module")
def public(frames, public_options):
    """Return the pages of its public edition."""
    return build_report(frames, period="2024", options=public_options)


@pytest.fixture(scope="module")
def attacks(attacker, edition, known):
    return attacker.attacks(edition, known)


# --------------------------------------------------------------------------- the attack


@pytest.mark.parametrize("measure", MEASURES)
def test_no_figure_of_few_units_can_be_worked_out_from_the_published_files(
    attacks, attacker, measure
) -> None:
    attack = attacks[measure]
    few = [(n, t) for n, t in attack.asked.items() if attacker.is_few(attack, t)]
    assert attack.equal, "something is published"
    assert attacker.told(attack, few, within=PROTECTION) == []
    assert attacker.told(attack, attacker.units_of(attack), within=PROTECTION) == []


@pytest.mark.parametrize("measure", MEASURES)
def test_no_figure_withheld_for_anothers_sake_can_be_pinned_down(
    attacks, attacker, measure
) -> None:
    attack = attacks[measure]
    assert attacker.pinned(attack, attack.asked.items(), within=PINNED) == []


def test_the_attack_is_made_on_withheld_figures_of_every_kind_of_page(attacks) -> None:
    asked = [name for attack in attacks.values() for name in attack.asked]
    kinds = {name.split("/")[1].split("-c-")[0] for name in asked}
    assert {"theo-dia-ban", "san-pham", "xa-phuong", "danh-sach-cum"} & kinds
    assert any(k.startswith("hinh-chuoi-") for k in kinds)
    assert sum(len(a.equal) for a in attacks.values()) > 50
    assert sum(len(a.between) for a in attacks.values()) > 20


def test_the_attack_succeeds_where_only_sums_of_few_are_withheld(
    frames, known, public_options, attacker, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(publishing, "protect", lambda r: protect(r, is_secondary=False))
    weak = build_report(frames, period="2024", options=public_options)
    (tmp_path / "nguon").mkdir()
    (tmp_path / "so-lieu.xlsx").write_bytes(write_workbook(weak))
    (tmp_path / "nguon" / "trace.parquet").write_bytes(write_trace(weak))
    found = []
    for attack in attacker.attacks(tmp_path, known).values():
        if attack.equal:
            few = [(n, t) for n, t in attack.asked.items() if attacker.is_few(attack, t)]
            found += attacker.told(attack, few, within=PROTECTION)
    assert len(found) >= 3, "a district of two is the rest of the province"


def test_every_published_number_is_what_its_rows_add_up_to(attacks) -> None:
    """The attacker's own sums agree with the edition, so that what it concludes counts."""
    for attack in attacks.values():
        for rows, value in attack.equal:
            assert rows @ attack.values == pytest.approx(value, rel=1e-6)
        for rows, low, high in attack.between:
            assert low - 1e-6 * max(abs(low), 1) <= rows @ attack.values <= high * (1 + 1e-9) + 1e-6


def maps_of(frames, out: Path, *, mask) -> Path:
    """Write the GeoJSON files of a public set of exports; return their folder."""
    plain = {k: v for k, v in frames.items() if not k.startswith("earlier/")}
    options = ExportOptions(period="2024", as_of=date(2025, 1, 15), title="Tỉnh mẫu", kind="public")
    return write_exports(plain, out, options, formats=["geojson"], mask=mask).folder


def test_no_figure_can_be_worked_out_from_the_maps_that_are_handed_out_beside_the_edition(
    frames, known, public, edition, attacks, attacker, tmp_path
) -> None:
    maps = maps_of(frames, tmp_path, mask=lambda f: publishable(f, public.settings))
    numbers = attacker.figures_of_maps(maps)
    assert len(numbers) > 50, "the maps do tell counts"
    together = attacker.attacks(edition, known, maps=maps)
    for measure, attack in together.items():
        assert len(attack.equal) == len(attacks[measure].equal), "no amount more than the edition's"
        few = [(n, t) for n, t in attack.asked.items() if attacker.is_few(attack, t)]
        assert attacker.told(attack, few, within=PROTECTION) == []


def test_the_attack_succeeds_where_maps_are_made_of_tables_nobody_masked(
    frames, known, edition, attacker, tmp_path
) -> None:
    maps = maps_of(frames, tmp_path, mask=lambda f: f)
    found = []
    for attack in attacker.attacks(edition, known, maps=maps).values():
        few = [(n, t) for n, t in attack.asked.items() if attacker.is_few(attack, t)]
        found += attacker.told(attack, few, within=PROTECTION)
    assert found


def test_what_the_maps_withhold_of_small_communes_is_not_the_rest_of_their_district(
    frames, public, tmp_path
) -> None:
    """District less published communes leaves at least three cooperatives, and neither none nor all of them."""
    maps = maps_of(frames, tmp_path, mask=lambda f: publishable(f, public.settings))
    tables = {
        name: [f["properties"] for f in json.loads((maps / f"{name}.geojson").read_text("utf-8"))["features"]]
        for name in ("localities", "commune_measures")
    }  # fmt: skip
    withheld_places = [r["locality"] for r in tables["localities"] if r["n_reported"] is None]
    groups = {"the province": (withheld_places, "localities", "locality")}
    for row in tables["commune_measures"]:
        district = re.sub(
            r"^(Huyện|Thành phố) ", "", row["locality"]
        )  # as the hand-made localities are named
        own = [r["n_reported"] for r in tables["commune_measures"] if r["locality"] == row["locality"]]  # fmt: skip
        is_cut = any(n is not None for n in own)
        if row["n_reported"] is None and is_cut and district not in withheld_places:
            groups.setdefault(district, ([], "communes", "commune_code"))[0].append(row["commune_code"])  # fmt: skip
    assert withheld_places
    for place, (withheld, table, key) in groups.items():
        true = frames[f"metrics/{table}"].filter(pl.col(key).is_in(withheld))
        n = true["n_cooperatives"].sum()
        assert n >= 3, place
        for count in ("n_reported", "n_linked_active", "n_linked_executed"):
            every = frames["metrics/localities"][count].sum()
            is_told_anyway = every in (0, frames["metrics/localities"]["n_cooperatives"].sum())
            assert is_told_anyway or 0 < true[count].sum() < n, (place, count)


def test_the_maps_of_clusters_do_not_say_where_their_members_are(frames, public, tmp_path) -> None:
    """Members who change places inside their localities change nothing."""

    def clusters(shown) -> bytes:
        folder = maps_of(shown, tmp_path / str(len(list(tmp_path.iterdir()))), mask=lambda f: publishable(f, public.settings))  # fmt: skip
        return (folder / "clusters.geojson").read_bytes()

    members = frames["metrics/cluster_members"]
    moved = members.with_columns(org_id=pl.col("org_id").reverse())
    assert clusters(frames) == clusters({**frames, "metrics/cluster_members": moved})


# --------------------------------------------------------------------------- words and bytes


def texts(folder: Path) -> dict[str, str]:
    """Return the text of every file: of packages their parts, of PDF its words."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        data = path.read_bytes()
        if path.suffix in (".xlsx", ".docx"):
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                parts = [package.read(n).decode("utf-8", "ignore") for n in package.namelist()]
            found[name] = "\n".join(re.sub(r"</w:t>.*?<w:t[^>]*>", "", p) for p in parts)
        elif path.suffix == ".pdf":
            pages = pypdf.PdfReader(io.BytesIO(data)).pages
            found[name] = " ".join(" ".join(p.extract_text().split()) for p in pages)
        elif path.suffix == ".parquet":
            found[name] = json.dumps(
                pl.read_parquet(path).to_dicts(), ensure_ascii=False, default=str
            )
        elif path.suffix != ".png":
            found[name] = data.decode("utf-8", "ignore")
    return found


@pytest.fixture(scope="module")
def written(edition) -> dict[str, str]:
    return texts(edition)


def test_every_amount_written_anywhere_is_one_that_is_published(written, edition) -> None:
    """Sentences, labels of pictures, titles, Word and PDF name no amount that the table of figures withholds."""
    trace = pl.read_parquet(edition / "nguon" / "trace.parquet")
    plain = {
        " ".join(v.split())
        for v in trace.filter(pl.col("kind").is_in(["fact", "cell"]))["value"].to_list()
        if v
    }
    allowed = {m for v in plain for m in AMOUNT.findall(v)}
    from_sheet = set()
    for digits in re.findall(r"<v>(\d+(?:\.\d+)?)</v>", written["so-lieu.xlsx"]):
        # Money stands in đồng, in the tables of years in the unit of its line.
        for value, unit in (
            (float(digits) / 1e9, "tỷ đồng"),
            (float(digits) / 1e6, "triệu đồng"),
            (float(digits), "tỷ đồng"),
        ):
            shown = f"{value:,.1f}".replace(",", "\0").replace(".", ",").replace("\0", ".")
            from_sheet.add(f"{shown} {unit}")
    assert allowed
    for name, words in written.items():
        if name.endswith((".html", ".svg", ".pdf", ".docx")):
            said = {" ".join(m.split()) for m in AMOUNT.findall(" ".join(words.split()))}
            unknown = said - allowed - from_sheet
            assert unknown == set(), name


def test_no_withheld_amount_stands_anywhere_in_full(written, attacks) -> None:
    published = {round(v) for a in attacks.values() for _, v in a.equal}
    for measure in ("paid_value_vnd", "contracted_value_vnd", "revenue_vnd"):
        attack = attacks[measure]
        for name, target in attack.asked.items():
            value = round(float(attack.values[target].sum()))
            if value in published or value < 1e6:
                continue
            for file, words in written.items():
                assert str(value) not in words, (name, file)
                assert f"{value:,}".replace(",", ".") not in words, (name, file)


def test_no_organisation_is_named_but_in_the_lists_of_cooperatives_of_a_place(
    written, frames
) -> None:
    organisations = frames["core/organisations"]
    buyers = organisations.filter(pl.col("legal_type") != "htx")["name"].to_list()
    assert buyers
    for file, words in written.items():
        assert [n for n in buyers if n in words] == [], file
    coops = organisations.filter(pl.col("legal_type") == "htx")["name"].to_list()
    named = {f for f, words in written.items() if any(n in words for n in coops)}
    assert named
    assert {f for f in named if not f.startswith("dia-ban/")} <= {"so-lieu.xlsx"}


def test_no_source_row_no_sheet_and_no_personal_mark_is_in_any_file(
    written, edition, frames
) -> None:
    trace = pl.read_parquet(edition / "nguon" / "trace.parquet")
    sources = trace.explode("sources")["sources"].drop_nulls().struct.unnest()
    assert sources.height
    assert sources["rows"].unique().to_list() == [""]
    assert sources["sheet"].null_count() == sources.height
    assert trace.explode("parts")["parts"].drop_nulls().struct.field("amount").null_count() > 0
    assert (
        trace.explode("parts")["parts"].drop_nulls().struct.field("amount").drop_nulls().len() == 0
    )
    hidden = trace.filter("is_hidden")
    assert hidden.height
    assert hidden["sources"].list.len().sum() == 0
    ids = frames["core/linkages"]["linkage_id"].to_list()
    for file, words in written.items():
        assert [i for i in ids if i in words and re.search(rf"\b{i}\b", words)] == [], file
        if file.endswith((".pdf", ".docx", ".xlsx")):
            assert (
                re.search(r"\b0\d{9}\b|\b0\d{11}\b|[\w.]{1,40}@[\w.]{1,40}\.vn\b", words) is None
            ), file


def test_no_figure_stands_beside_the_name_of_an_organisation(public, frames) -> None:
    names = set(frames["core/organisations"]["name"])
    for page in public.pages:
        for section in page.sections:
            for block in section.blocks:
                if isinstance(block, Prose):
                    assert not [n for n in names for p in block.paragraphs if n in p]
        for table in page.tables:
            for row in table.rows:
                if names & {str(v) for v in row.values()}:
                    assert [f.key for f in table.all_fields if f.is_number] == []


def test_lines_are_in_no_order_that_tells_between_which_values_a_withheld_one_lies(public) -> None:
    tables = {t.id: t for t in public.overview.tables}
    for table, count in (("danh-sach-cum", "n_organisations"), ("theo-san-pham", "n_linkages")):
        counts = [r[count] for r in tables[table].rows]
        assert counts == sorted(counts, reverse=True)
        assert "giá trị" not in tables[table].title
    assert [p.cluster_id for p in public.clusters] == [
        r["cluster_id"] for r in tables["danh-sach-cum"].rows
    ]


# --------------------------------------------------------------------------- what is left


def test_a_public_edition_still_says_something(public, inside) -> None:
    def money(report):
        return [
            r.get(f.key) for p in report.pages for t in p.tables for f in t.all_fields if f.kind in ("money", "tonnes", "ha")
            for r in t.rows if r.get(f.key) is not None and t.row_key != "org_id"
        ]  # fmt: skip

    cells = money(public)
    shown = [v for v in cells if isinstance(v, int | float)]
    told = [v for v in cells if isinstance(v, Hidden) and v.has_class]
    assert len(shown) > len(cells) / 2
    assert len(shown) + len(told) > 0.8 * len(cells)


def test_a_public_report_of_a_cluster_answers_what_it_is_whether_it_grows_and_what_it_lacks(
    public,
) -> None:
    page = public.clusters[0]
    blocks = {b.id: b for s in page.sections for b in s.blocks}
    assert "la-gi" in blocks
    assert len(blocks["ket-luan"].paragraphs) >= 3
    assert any(b.startswith("hinh-chuoi-") and hasattr(blocks[b], "spec") for b in blocks)
    assert "thanh-vien-theo-loai" in blocks
    assert blocks["thanh-vien-theo-loai"].total["n"] == 32
    years = next(b for i, b in blocks.items() if i.startswith("hinh-dien-bien-"))
    assert next(p["label"] for p in years.spec["panels"]) == "Số liên kết"


def test_a_mark_and_a_class_are_explained_where_they_are_printed(public) -> None:
    tables = [t for p in public.pages for t in p.tables]
    for table in tables:
        cells = [r.get(f.key) for r in table.printed for f in table.all_fields]
        held = [v for v in cells if isinstance(v, Hidden)]
        notes = " ".join(table.footnotes)
        assert any(not v.has_class for v in held) <= ("“(*)”: không công bố" in notes)
        assert any(v.has_class for v in held) <= ("nghĩa là từ 1 đến dưới 5" in notes)


# --------------------------------------------------------------------------- years


def test_an_amount_of_an_earlier_year_is_printed_only_as_that_years_edition_printed_it(
    frames, public_options
) -> None:
    table = "tong-quan/hinh-dien-bien-tong-quan-so-lieu"
    before = build_report(frames, period="2024", options=public_options)
    rows = {t.id: t for t in before.overview.tables}["hinh-dien-bien-tong-quan-so-lieu"].rows
    line = next(r for r in rows if r["key"] == "paid_value_vnd")
    assert isinstance(line["2023"], Hidden)
    inside = build_report(
        frames, period="2024", options=public_options.model_copy(update={"kind": "internal"})
    )
    true = next(
        r
        for t in inside.overview.tables
        if t.id == "hinh-dien-bien-tong-quan-so-lieu"
        for r in t.rows
        if r["key"] == "paid_value_vnd"
    )
    field = next(
        f
        for t in inside.overview.tables
        if t.id == "hinh-dien-bien-tong-quan-so-lieu"
        for f in t.all_fields
        if f.key == "2023"
    )
    said = f"{field.show(true['2023'])} {field.unit}".strip()

    def told(value: str):
        printed = pl.DataFrame(
            {"year": ["2023"], "figure_id": [f"{table}/paid_value_vnd/2023"], "value": [value]}
        )
        made = build_report({**frames, PUBLISHED: printed}, period="2024", options=public_options)
        rows = next(
            t for t in made.overview.tables if t.id == "hinh-dien-bien-tong-quan-so-lieu"
        ).rows
        return next(r for r in rows if r["key"] == "paid_value_vnd")["2023"]

    assert told(said) == true["2023"]
    assert isinstance(told("999,99"), Hidden), "a revised amount would tell what was revised"


def test_what_an_earlier_edition_printed_is_read_from_its_own_files(edition, tmp_path) -> None:
    out = edition_folder(tmp_path, "public", "2024")
    out.mkdir(parents=True)
    (out / edition.name / "nguon").mkdir(parents=True)
    trace = (edition / "nguon" / "trace.parquet").read_bytes()
    (out / edition.name / "nguon" / "trace.parquet").write_bytes(trace)
    (out / "current.json").write_text(json.dumps({"edition": edition.name}))
    found = published_before(tmp_path, ["2022", "2024"])[PUBLISHED]
    every = pl.read_parquet(edition / "nguon" / "trace.parquet")
    assert found["year"].unique().to_list() == ["2024"]
    assert set(found["figure_id"]) == set(every.filter(~pl.col("is_hidden"))["figure_id"])


def test_a_sum_is_withheld_where_last_years_tells_what_the_one_newcomer_adds(
    frames, inside, options
) -> None:
    """Four sellers as last year and a fifth that holds most: the difference is the fifth's figure."""
    place = "tong-quan/theo-dia-ban/Đăk Hà/paid_value_vnd"
    linkages = frames["core/linkages"]
    here = frames["core/organisations"].filter(pl.col("locality") == "Đăk Hà")["org_id"].to_list()
    own = linkages.filter(
        pl.col("supplier_id").is_in(here) & pl.col("paid_value_vnd").is_not_null()
    )
    newcomer = (
        own.group_by("supplier_id")
        .agg(pl.col("paid_value_vnd").sum())
        .sort("paid_value_vnd", "supplier_id")["supplier_id"][-1]
    )
    printed = pl.DataFrame({"year": ["2023"], "figure_id": [place], "value": ["1,0 tỷ đồng"]})

    def is_flagged(paid: int, before: pl.DataFrame) -> bool:
        grown = linkages.with_columns(
            paid_value_vnd=pl.when(
                (pl.col("supplier_id") == newcomer) & pl.col("paid_value_vnd").is_not_null()
            )
            .then(paid)
            .otherwise("paid_value_vnd")
        )
        made = {
            **frames,
            "core/linkages": grown,
            PUBLISHED: printed,
            "earlier/2023/core/linkages": before,
        }
        made["metrics/localities"] = made["metrics/localities"]
        report = build_report(made, period="2024", options=options)
        cells = Cells(
            replace(report, settings=report.settings.model_copy(update={"kind": "public"})),
            is_secondary=False,
        )
        item = next(i for p in [report.overview] for i in publishing.figures_of(p) if i.id == place)
        column = item.column
        table = cells.rows.table("linkages")
        values = table["paid_value_vnd"].cast(pl.Float64).fill_null(0.0).to_numpy()
        units = [table["supplier_id"].to_numpy(), np.full(table.height, "x")]
        return cells._shows_a_newcomer(
            item,
            cells._mask(item, column, table),
            values,
            [*units[:1], table["buyer_id"].to_numpy()],
        )

    without = linkages.filter(pl.col("supplier_id") != newcomer)
    assert is_flagged(900_000_000_000, without), "the newcomer holds nearly all"
    assert not is_flagged(1_000_000, without), "a small newcomer is lost in how the others change"
    assert not is_flagged(900_000_000_000, linkages), "nobody came and nobody left"


# --------------------------------------------------------------------------- small places, names, files


def test_of_a_commune_with_few_cooperatives_only_their_number_is_told(public, frames) -> None:
    small = small_communes(frames["metrics/communes"], 3)
    assert small
    assert not [p for p in public.localities if p.scope.removeprefix("commune:") in small]
    for page in public.localities:
        for table in page.tables:
            for row in table.rows:
                if row.get("commune_code") in small:
                    assert isinstance(row["n_cooperatives"], int)
                    assert isinstance(row["n_reported"], Hidden)


def test_a_district_with_one_small_commune_withholds_a_second_one() -> None:
    frame = pl.DataFrame(
        {"commune_code": ["a", "b", "c", "d"], "locality": ["X", "X", "X", "Y"], "n_cooperatives": [1, 5, 9, 7],
         "n_reported": [1, 4, 9, 7], "n_linked_active": [1, 0, 3, 2]}
    )  # fmt: skip
    assert small_communes(frame, 3) == {"a", "b"}
    assert small_communes(frame, 1) == frozenset()


def test_clusters_named_alike_are_numbered_not_named_after_their_buyer(public, frames) -> None:
    names = [p.title for p in public.clusters]
    assert len(set(names)) == len(names)
    buyers = (
        frames["core/organisations"].filter(pl.col("legal_type") == "enterprise")["name"].to_list()
    )
    assert not [b for n in names for b in buyers if b in n]


def test_the_same_frames_withhold_the_same_cells_in_any_order(
    frames, public, public_options
) -> None:
    mixed = {k: f.sample(fraction=1, shuffle=True, seed=3) for k, f in frames.items()}
    again = build_report(mixed, period="2024", options=public_options)
    assert write_workbook(again) == write_workbook(public)


def test_no_table_has_a_column_for_a_person() -> None:
    personal = re.compile(
        r"birth|gender|sex|ethnic|identity|citizen|phone|email|home_address|person_name|cccd|member_name"
    )
    assert [c.name for t in TABLES.values() for c in t.columns if personal.search(c.name)] == []


def test_the_public_edition_lies_apart_and_says_what_it_is(public, inside, tmp_path) -> None:
    assert edition_folder(tmp_path, "public", "2024") != edition_folder(
        tmp_path, "internal", "2024"
    )
    made = publish({"index.html": b"x"}, tmp_path / "a", report=public)
    assert made.folder.name.startswith("2024-cong-bo-")
    assert made.manifest["kind"] == "public"
    assert all("BẢN CÔNG BỐ" in p.subtitle for p in public.pages)
    assert all("BẢN NỘI BỘ" in p.subtitle for p in inside.pages)
    with pytest.raises(InputError, match="public editions"):
        publish({"index.html": b"x"}, tmp_path / "a", report=inside)


def test_what_may_be_handed_out_has_no_amounts_no_linkages_and_no_members_of_clusters(
    frames, public
) -> None:
    out = publishable(frames, public.settings)
    assert set(out) == {
        "core/organisations",
        "metrics/clusters",
        "metrics/localities",
        "metrics/communes",
    }
    assert [
        c
        for f in out.values()
        for c in f.columns
        if re.search(r"_vnd|tonnes|_ha|members|households|tax_code|longitude|place_name", c)
    ] == []
    small = small_communes(frames["metrics/communes"], 3)
    held = out["metrics/communes"].filter(pl.col("commune_code").is_in(sorted(small)))
    assert held["n_cooperatives"].null_count() == 0
    assert held["n_linked_active"].null_count() == held.height > 0
    internal = public.settings.model_copy(update={"kind": "internal"})
    assert publishable(frames, internal).keys() == frames.keys()


def test_files_handed_out_name_no_member_of_a_cluster_and_no_household_business(
    frames, public, tmp_path
) -> None:
    person = frames["core/organisations"].head(1).with_columns(
        org_id=pl.lit("97"), name=pl.lit("Hộ kinh doanh Nguyễn Thị Giả"), legal_type=pl.lit("household_business")
    )  # fmt: skip
    more = {**frames, "core/organisations": pl.concat([frames["core/organisations"], person])}
    plain = {k: v for k, v in more.items() if not k.startswith("earlier/")}
    options = ExportOptions(
        period="2024", as_of=public.settings.as_of, title="Tỉnh mẫu", kind="public"
    )
    made = write_exports(
        plain, tmp_path / "out", options, mask=lambda f: publishable(f, public.settings)
    )
    found = texts(made.folder)
    assert found
    for file, words in found.items():
        assert "Nguyễn Thị Giả" not in words, file
        assert "cluster_members" not in file


# --------------------------------------------------------------------------- the rules


def test_a_sum_of_few_or_of_one_giant_is_sensitive() -> None:
    units = [np.array(list("abcd"))]
    even, giant = np.array([5.0, 5, 5, 5]), np.array([100.0, 5, 4, 1])
    assert not is_sensitive(even, units, Rules(min_contributors=4))
    assert is_sensitive(even, units, Rules(min_contributors=5))
    assert is_sensitive(giant, units, Rules())
    assert is_sensitive(even, [*units, np.array(list("xxxx"))], Rules()), (
        "one buyer behind them all"
    )


def test_overlapping_sums_are_decided_on_together() -> None:
    values = np.full(8, 10.0)
    units = [np.arange(8)]
    whole, left, right = np.ones(8, bool), np.arange(8) < 2, np.arange(8) >= 2
    middle = (np.arange(8) >= 1) & (np.arange(8) < 6)

    def hidden(*cells, **more):
        return withheld_sums(values, units, np.array(cells), Rules(), **more).hidden

    assert hidden(whole, left) == {1}
    assert hidden(whole, left, right) == {1, 2}
    assert hidden(right, left, whole) == {1, 2}, "the first sum is the most wanted"
    assert hidden(whole, middle) == frozenset()
    assert hidden(whole, left, is_secondary=False) == {1}


def test_one_units_parts_are_protected_together() -> None:
    """Neither part of the unit "a" is told, but their sum would be: what the others leave of the whole."""
    values = np.array([6.0, 4.0, 5.0, 5.0, 5.0, 5.0])
    units = [np.array(list("aabcde"))]
    whole = np.ones(6, bool)
    product = np.array([1, 0, 1, 1, 0, 0], bool)
    others = np.array([0, 0, 1, 1, 1, 1], bool)
    found = withheld_sums(values, units, np.array([whole, product, others]), Rules())
    assert found.hidden == {2}


def test_nothing_is_withheld_that_could_be_published_besides() -> None:
    rng = np.random.default_rng(5)
    values = rng.integers(1, 90, 60).astype(float)
    units = [rng.integers(0, 25, 60), rng.integers(0, 9, 60)]
    row, column = rng.integers(0, 5, 60), rng.integers(0, 5, 60)
    cells = [np.ones(60, bool), *(row == i for i in range(5)), *(column == j for j in range(5))]
    cells += [(row == i) & (column == j) for i in range(5) for j in range(5)]
    matrix = np.array(cells)
    found = withheld_sums(values, units, matrix, Rules())
    few = withheld_sums(values, units, matrix, Rules(), is_secondary=False).hidden
    assert few < found.hidden
    order = [i for i in range(len(cells)) if i not in found.hidden]
    for i in sorted(found.hidden - few):
        again = withheld_sums(values, units, matrix[[*order, i]], Rules())
        assert again.hidden, f"sum {i} could have been published"


def test_a_class_is_told_only_where_it_leaves_room_around_the_truth() -> None:
    units = [np.arange(4)]
    whole, alone = np.ones(4, bool), np.arange(4) == 0
    cells = np.array([whole, alone])
    limits = {1: [1.0, 5.0, 10.0]}

    def band(value: float):
        values = np.array([value, 9.0, 9.0, 9.0])
        return withheld_sums(values, units, cells, Rules(), classes=limits).bands.get(1)

    assert band(3.0) == (1.0, 5.0)
    assert band(5.2) is None, "4.7 would be outside the class"
    assert band(4.9) is None
    assert class_of(0.5, [1.0]) == (0.0, 1.0)
