"""What a public edition withholds cannot be worked out from what it prints.

The attacker here knows nothing of how cells are chosen: it opens the published workbook, sets up the sums
that its tables state, and asks a linear program how closely each withheld cell can be told.
"""

from __future__ import annotations

import io
import random
import re
from dataclasses import replace

import numpy as np
import openpyxl
import polars as pl
import pytest
from scipy.optimize import linprog

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.metrics.indicators import indicators
from htx_pipeline.metrics.localities import localities
from htx_pipeline.report.blocks import Hidden, Prose
from htx_pipeline.report.edition import edition_folder, publish
from htx_pipeline.report.figures import render_all
from htx_pipeline.report.html import HtmlWriter
from htx_pipeline.report.model import build_report
from htx_pipeline.report.publish import protect, publishable
from htx_pipeline.report.suppression import Rules, is_sensitive, withheld_sums
from htx_pipeline.report.workbook import write_workbook
from htx_pipeline.schemas import TABLES

CLOSE = 0.05
"""A cell is told when its bounds lie closer than this share of the upper one."""


def lines(book: openpyxl.Workbook, sheet: str) -> list[dict]:
    """Return the lines of a sheet by heading; the total, where there is one, has no id."""
    rows = list(book[sheet].iter_rows(values_only=True))
    head = next(i for i, r in enumerate(rows) if "Mã dòng" in r)
    return [
        dict(zip(rows[head], r, strict=True))
        for r in rows[head + 1 :]
        if any(v is not None for v in r)
    ]


class Attack:
    """The sums that a workbook states of one column, and what they tell of its withheld cells."""

    def __init__(self, content: bytes, heading: str) -> None:
        book = openpyxl.load_workbook(io.BytesIO(content))
        self.parts: dict[tuple[str, str], int] = {}
        self.sums: list[tuple[dict[int, float], float]] = []
        self.asked: dict[str, dict[int, float]] = {}
        self.products = [r["Chuỗi sản phẩm"] for r in lines(book, "Theo sản phẩm") if r["Mã dòng"]]
        self.places = [r["Địa bàn"] for r in lines(book, "Theo địa bàn") if r["Mã dòng"]]
        every = [self.part(a, b) for a in self.places for b in self.products]
        for sheet, column, sums_of in (
            ("Theo sản phẩm", "Chuỗi sản phẩm", self.of_product),
            ("Theo địa bàn", "Địa bàn", self.of_place),
        ):
            for r in lines(book, sheet):
                if heading in r:
                    whole = not r["Mã dòng"]
                    self.state(
                        f"{sheet}/{r[column]}", every if whole else sums_of(r[column]), r[heading]
                    )
        for r in lines(book, "Sản phẩm theo địa bàn"):
            if heading in r and r["Phạm vi"] in self.places:
                self.state(
                    f"{r['Phạm vi']}/{r['Sản phẩm']}",
                    [self.part(r["Phạm vi"], r["Sản phẩm"])],
                    r[heading],
                )

    def part(self, place: str, product: str) -> int:
        return self.parts.setdefault((place, product), len(self.parts))

    def of_product(self, product: str) -> list[int]:
        return [self.part(p, product) for p in self.places]

    def of_place(self, place: str) -> list[int]:
        return [self.part(place, p) for p in self.products]

    def state(self, name: str, parts: list[int], printed: object) -> None:
        if printed == "(*)":
            self.asked[name] = dict.fromkeys(parts, 1.0)
        elif isinstance(printed, int | float):
            self.sums.append((dict.fromkeys(parts, 1.0), float(printed)))
        elif printed in ("–", None):
            self.sums.append((dict.fromkeys(parts, 1.0), 0.0))

    def bounds(self, parts: dict[int, float]) -> tuple[float, float]:
        matrix = np.zeros((len(self.sums), len(self.parts)))
        for i, (known, _) in enumerate(self.sums):
            matrix[i, list(known)] = 1.0
        right = np.array([v for _, v in self.sums]) / 1e9
        cost = np.zeros(len(self.parts))
        cost[list(parts)] = 1.0
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(sign * cost, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
            assert found.status in (0, 3), "what is printed fits together"
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        return ends[0], ends[1]

    def told(self) -> list[str]:
        """Return the withheld cells that can be told closely."""
        found = []
        for name, parts in sorted(self.asked.items()):
            low, high = self.bounds(parts)
            if high > 1e-9 and high - low < CLOSE * high:
                found.append(name)
        return found


@pytest.fixture(scope="module")
def frames(hand) -> dict[str, pl.DataFrame]:
    """Return a province with many buyers and one place of two cooperatives, measured by the pipeline."""
    made = hand.province(coops=90, seed=11)
    rng = random.Random(4)
    organisations = made["core/organisations"]
    small = organisations.filter(pl.col("legal_type") == "htx")["org_id"].to_list()[:2]
    organisations = organisations.with_columns(
        locality=pl.when(pl.col("org_id").is_in(small)).then(pl.lit("Tu Mơ Rông"))
        .when(pl.col("locality") == "Tu Mơ Rông").then(pl.lit(hand.LOCALITIES[0])).otherwise("locality")
    )  # fmt: skip
    buyers = organisations.filter(pl.col("legal_type") == "enterprise").head(1)
    more = pl.concat(
        [
            buyers.with_columns(
                org_id=pl.lit(f"98{i:08d}"), name=pl.lit(f"Công ty TNHH Mua số {i}")
            )
            for i in range(20)
        ]
    )
    linkages = made["core/linkages"]
    n = linkages.height
    linkages = linkages.with_columns(
        buyer_id=pl.Series([f"98{rng.randrange(20):08d}" for _ in range(n)]),
        product_code=pl.Series([("coffee", "cassava", "ginseng")[i % 3] for i in range(n)]),
        evidence=pl.lit("executed"),
        contracted_value_vnd=pl.Series([rng.randrange(300, 900) * 1_000_000 for _ in range(n)]),
    ).with_columns(paid_value_vnd=pl.col("contracted_value_vnd") * 3 // 4)
    organisations = pl.concat([organisations, more])
    reports = made["core/cooperative_reports"]
    edges = network.edges(linkages)
    return {
        "core/organisations": organisations, "core/cooperative_reports": reports, "core/linkages": linkages,
        "graph/edges": edges, "graph/nodes": network.nodes(organisations, edges),
        "metrics/localities": localities(organisations, reports, edges),
        "metrics/indicators": indicators(organisations, reports, edges),
    }  # fmt: skip


@pytest.fixture(scope="module")
def inside(frames, options, hand):
    """Return its report with nothing withheld, as the public edition starts from."""
    return build_report(frames, period="2024", options=options, products=hand.PRODUCTS)


@pytest.fixture(scope="module")
def public(frames, options, hand):
    """Return its public edition."""
    return build_report(
        frames,
        period="2024",
        options=options.model_copy(update={"kind": "public"}),
        products=hand.PRODUCTS,
    )


@pytest.mark.parametrize("heading", ["Đã thanh toán (đồng)", "Theo hợp đồng (đồng)"])
def test_no_withheld_cell_can_be_told_from_the_published_workbook(heading, public) -> None:
    attack = Attack(write_workbook(public), heading)
    assert attack.asked, "something is withheld"
    assert attack.sums, "something is published"
    assert attack.told() == []


def test_the_attack_succeeds_where_only_small_cells_are_withheld(inside) -> None:
    settings = inside.settings.model_copy(update={"kind": "public"})
    weak = protect(replace(inside, settings=settings), is_secondary=False)
    told = [
        cell
        for heading in ("Đã thanh toán (đồng)", "Theo hợp đồng (đồng)")
        for cell in Attack(write_workbook(weak), heading).told()
    ]
    assert told


def test_the_bounds_found_hold_the_true_values(public, inside) -> None:
    attack = Attack(write_workbook(public), "Đã thanh toán (đồng)")
    table = next(t for t in inside.overview.tables if t.id == "theo-dia-ban")
    true = {f"Theo địa bàn/{r['locality']}": r["paid_value_vnd"] or 0 for r in table.rows}
    asked = [n for n in attack.asked if n in true]
    assert asked
    for name in asked:
        low, high = attack.bounds(attack.asked[name])
        assert low * 1e9 - 1 <= true[name] <= high * 1e9 + 1


def test_a_public_edition_still_says_something(public) -> None:
    cells = [
        r.get(f.key)
        for t in public.overview.tables
        for f in t.fields
        if f.kind == "money"
        for r in t.rows
    ]
    shown = [v for v in cells if isinstance(v, int | float)]
    assert len(shown) > len(cells) / 3


def test_no_figure_stands_beside_the_name_of_an_organisation(public, hand, options, frames) -> None:
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


def test_no_withheld_amount_is_written_anywhere_in_the_public_pages(
    public, inside, drawings
) -> None:
    """The exact amounts that the office's edition prints and the public one withholds occur in none of its texts."""
    amounts = set()
    open_pages = {p.id: p for p in inside.pages}
    for page in public.pages:
        for one, other in zip(page.tables, (t for t in open_pages[page.id].tables), strict=False):
            if one.id == other.id and one.row_key != "org_id":
                for a, b in zip(one.rows, other.rows, strict=True):
                    amounts |= {
                        b[k] for k in a if isinstance(a[k], Hidden) and isinstance(b.get(k), int)
                    }
    assert amounts
    files = {(p.id, "html"): f"{p.id}.html" for p in public.pages}
    pictures = render_all({f.id: f.spec for f in public.overview.figures}, cache_dir=drawings)
    page = (
        HtmlWriter(public, pictures, files, workbook="so-lieu.xlsx").page(public.overview).decode()
    )
    published = {r.get(f.key) for t in public.overview.tables for f in t.fields for r in t.rows}
    for amount in amounts - published:
        assert f"{amount:,}".replace(",", ".") not in page
        assert str(amount) not in page


def test_the_same_frames_withhold_the_same_cells_in_any_order(
    frames, public, hand, options
) -> None:
    mixed = {k: f.sample(fraction=1, shuffle=True, seed=3) for k, f in frames.items()}
    again = build_report(
        mixed,
        period="2024",
        options=options.model_copy(update={"kind": "public"}),
        products=hand.PRODUCTS,
    )
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


def test_what_may_be_handed_out_has_no_amounts_and_no_linkages(frames, public) -> None:
    out = publishable(frames, public.settings)
    assert set(out) == {"core/organisations", "graph/nodes", "metrics/localities"}
    assert [
        c
        for f in out.values()
        for c in f.columns
        if re.search(r"_vnd|tonnes|_ha|members|households|tax_code", c)
    ] == []
    assert (
        publishable(frames, public.settings.model_copy(update={"kind": "internal"})).keys()
        == frames.keys()
    )


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
    assert withheld_sums(values, units, np.array([whole, left]), Rules()) == {1}
    assert withheld_sums(values, units, np.array([whole, left, right]), Rules()) == {1, 2}
    assert withheld_sums(values, units, np.array([whole, middle]), Rules()) == frozenset()
    assert withheld_sums(values, units, np.array([whole, left]), Rules(), is_secondary=False) == {1}
