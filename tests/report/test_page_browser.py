"""The pages in a real browser: headless Chromium opens them from the disk and uses them."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image, ImageChops, ImageStat

from htx_pipeline.report.blocks import (
    HIDDEN,
    Fact,
    Facts,
    Field,
    Figure,
    Page,
    Prose,
    Report,
    Section,
    Source,
    Table,
)
from htx_pipeline.report.figures import Picture, render_all
from htx_pipeline.report.html import LARGEST, HtmlWriter
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.trace import sources_json

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="No Chromium here: apt-get install chromium."
)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--font-render-hinting=none"]  # fmt: skip
WIDTHS = (360, 768, 1280)
REFERENCES = Path(__file__).with_name("screenshots")
TOLERANCE = 3.0
"""Mean difference of grey levels (0..255) of screenshots scaled to an eighth."""

SVG = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 200">
<g id="commune-1"><rect width="180" height="180" x="10" y="10" fill="#0072b2"/></g>
<g id="commune-2"><rect width="180" height="180" x="210" y="10" fill="#e69f00"/></g>
<g id="flow-production-processing-coffee"><rect width="180" height="180" x="410" y="10" fill="#009e73"/></g>
</svg>"""

PLACES = ("Đăk Hà", "Sa Thầy", "Ngọc Hồi")
PRODUCTS = (("coffee", "Cà phê"), ("cassava", "Sắn"))


def line(i: int) -> dict[str, Any]:
    code, name = PRODUCTS[i % 2]
    value = (None, HIDDEN, 2_500_000 * i)[0 if i == 3 else 1 if i == 4 else 2]
    return {"org_id": f"62{i:03d}", "name": f"HTX số {i}", "locality": PLACES[i % 3], "product_code": code, "product": name,
            "value": value, "due": date(2024, 1 + i % 12, 3), "said": f"{1 + i % 9},5 tỷ đồng" if i % 2 else "800 triệu đồng"}  # fmt: skip


def hand_made() -> tuple[Report, dict[str, Picture]]:
    """Return a report whose every word is known here."""
    source = Source(line="Nguồn: lien_ket_2024.csv (120 dòng).", tables=())
    members = Table(
        id="thanh-vien", title="Thành viên", row_key="org_id", sheet="Thành viên", source=source,
        fields=(Field(key="name", label="Tên"), Field(key="locality", label="Địa bàn"), Field(key="product", label="Sản phẩm"),
                Field(key="value", label="Giá trị", kind="money", unit="triệu đồng", scale=1e6, why_null="không nêu giá trị"),
                Field(key="due", label="Hạn", kind="date"), Field(key="said", label="Đã nói", kind="words")),
        rows=tuple(line(i) for i in range(1, 121)), total={"name": "Cộng", "value": 1_000_000_000}, page_rows=12,
    )  # fmt: skip
    few = Table(
        id="it", title="Không có địa bàn", sheet="Ít", source=source,
        fields=(Field(key="what", label="Việc"), Field(key="n", label="Số", kind="count")),
        rows=({"what": "Ăn", "n": 10}, {"what": "Bán", "n": 9}, {"what": "Đi", "n": 100}, {"what": "Áo", "n": None}),
    )  # fmt: skip
    marks = [
        {"gid": "commune-1", "title": "Xã Một", "lines": ["3 HTX"], "select": {"locality": "Đăk Hà"}},
        {"gid": "commune-2", "title": "Xã Hai", "lines": ["4 HTX"], "select": {"locality": "Sa Thầy"}},
        {"gid": "flow-production-processing-coffee", "title": "Cà phê: sản xuất → chế biến", "lines": ["9,5 tỷ đồng"],
         "select": {"product": "coffee", "stage": "production"}},
    ]  # fmt: skip
    figure = Figure(
        id="ban-do", title="Các xã có thành viên", alt="Bản đồ ba phần.", spec={"marks": marks}, source=source, data=members
    )  # fmt: skip
    facts = Facts(
        id="so-chinh", source=source,
        items=tuple(Fact(label=f"Chỉ tiêu {i}", value=f"{i}2,5 tỷ đồng", detail="theo hợp đồng", key=f"k{i}", change="tăng 3,2% so với 2023")
                    for i in range(1, 5)),
    )  # fmt: skip
    prose = Prose(id="ket-luan", paragraphs=("Cụm tăng. Thêm 2% so với năm trước.",), leads=("Cụm tăng.",), is_list=True, source=source)  # fmt: skip
    sections = (
        Section(id="nhan-dinh", title="Nhận định chính", blocks=(facts, prose)),
        Section(id="ban-do-muc", title="Ở đâu", blocks=(figure,)),
        Section(id="ai", title="Thành viên", blocks=(members, few)),
    )
    overview = Page(id="tong-quan", title="Liên kết theo chuỗi giá trị", subtitle="Tỉnh mẫu, kỳ báo cáo 2024", scope="province", sections=sections)  # fmt: skip

    def cluster(i: int, product: str, place: str, value: str) -> Page:
        summary = {"name": f"Cụm {product} {place}", "product": product, "localities": place, "n_organisations": str(20 + i),
                   "n_cooperatives": "9", "value": value}  # fmt: skip
        return Page(id=f"cum-{i}", title=f"Cụm liên kết {product} {place}", subtitle="Tỉnh mẫu, kỳ báo cáo 2024", scope=str(i), sections=sections,
                    kind="cluster", cluster_id=str(i), summary=summary)  # fmt: skip

    clusters = (cluster(1, "Cà phê", "Đăk Hà", "12,5 tỷ đồng"), cluster(2, "Sắn", "Sa Thầy", "900 triệu đồng"), cluster(3, "Cà phê", "Ngọc Hồi", "–"))  # fmt: skip
    english = Page(id="cum-1-en", title="Coffee cluster", subtitle="Sample", scope="1", sections=sections, kind="cluster", lang="en",
                   cluster_id="1", summary={"name": "Coffee"})  # fmt: skip
    settings = ReportOptions(title="Tỉnh mẫu", as_of=date(2024, 12, 15), is_synthetic=True)
    report = Report(overview=overview, clusters=clusters, settings=settings, period="2024", translations=(english,))  # fmt: skip
    return report, {"ban-do": Picture(SVG, b"")}


def sources(page: Page) -> dict[str, Any]:
    """Return what is behind a fact and one line of the table."""
    one = {"line": "Nguồn: lien_ket_2024.csv.", "files": [{"file": "lien_ket_2024.csv", "sheet": "csv", "rows": "2–5, 9", "n": 5}],
           "n_rejected": 2, "steps": ["đọc từng ô", "cộng các liên kết"]}  # fmt: skip
    share = {**one, "made": "3 ÷ 5", "files": [{**one["files"][0], "rows": rows, "n": n, "role": role} for role, rows, n in
                                               (("tử số", "2–4", 3), ("mẫu số", "2–5, 9", 5))]}  # fmt: skip
    return {f"{page.id}/so-chinh/k1": one, f"{page.id}/thanh-vien/62001/value": {**one, "n_rejected": 0}, f"{page.id}/thanh-vien/62001/said": share}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of the hand-made report."""
    report, pictures = hand_made()
    files: dict[tuple[str, str], str] = {}
    for page in (*report.pages, *report.translations):
        at = page.id if page.kind == "overview" else f"cum/{page.id}"
        files |= {(page.id, suffix): f"{at}.{suffix}" for suffix in ("html", "pdf", "docx")}
    out = tmp_path_factory.mktemp("pages")
    (out / "cum").mkdir()
    writer = HtmlWriter(report, pictures, files, workbook="so-lieu.xlsx", sources=sources)
    for page in (*report.pages, *report.translations):
        (out / files[page.id, "html"]).write_bytes(writer.page(page))
    (out / "index.html").write_bytes(writer.index())
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return the one Chromium of this file's tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


class Visit:
    """A page that is open, with everything it said and asked for."""

    def __init__(
        self, browser: Any, path: Path, *, width: int = 1280, scheme: str = "light"
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.errors.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]")

    def rows(self, table: str) -> list[str]:
        """Return the first cell of the rows that can be seen."""
        return self.page.locator(f"#{table} tbody tr:visible > :first-child").evaluate_all(
            "cells => cells.map((c) => c.firstChild.textContent.trim())"
        )


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Return what opens a page; the page must not have complained when the test ends."""
    opened: list[Visit] = []

    def go(path: Path, **how: Any) -> Visit:
        opened.append(Visit(browser, path, **how))
        return opened[-1]

    yield go
    for one in opened:
        one.context.close()
        assert one.errors == []


def axe(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context={"exclude": [[".picture svg"]]}).response["violations"]
    return [
        f"{v['id']}: {n['target']} {n['failureSummary']}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]


def test_a_page_asks_for_nothing_but_itself_and_may_not(folder, visit) -> None:
    for name in ("index.html", "tong-quan.html", "cum/cum-1.html"):
        opened = visit(folder / name)
        assert [r for r in opened.requests if not r.startswith("data:")] == [
            (folder / name).as_uri()
        ]
    refused = opened.page.evaluate("fetch('https://example.org').then(() => 'sent', (e) => e.name)")
    assert refused == "TypeError"
    assert any("Content Security Policy" in e for e in opened.errors)
    opened.errors.clear()


def test_a_script_that_is_not_the_pages_own_never_runs(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    opened.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')"
    )
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("window.ran") is None
    assert opened.errors
    opened.errors.clear()


def test_search_finds_without_diacritics_and_says_how_many(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    opened.page.fill("#find", "dak ha")
    assert opened.rows("thanh-vien") == [f"HTX số {i}" for i in range(3, 121, 3)]
    assert opened.rows("it") == []
    assert opened.page.inner_text("#status") == "Hiện 40 trên 124 dòng"
    opened.page.fill("#find", "không có gì như thế")
    assert opened.rows("thanh-vien") == []
    assert "Không có dòng nào khớp." in opened.page.inner_text(".tablebox:has(#thanh-vien) .below")
    opened.page.click("#clear")
    assert len(opened.rows("thanh-vien")) == 50
    assert len(opened.rows("it")) == 4


def test_filters_by_place_and_product_leave_other_tables_alone(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    opened.page.select_option("#by-l", label="Sa Thầy")
    opened.page.select_option("#by-p", label="Cà phê")
    assert opened.rows("thanh-vien") == [f"HTX số {i}" for i in range(1, 121) if i % 3 == 1 and i % 2 == 0]  # fmt: skip
    assert len(opened.rows("it")) == 4
    assert opened.page.locator("#thanh-vien tfoot").is_hidden(), (
        "a total of all lines is not one of these"
    )


def test_a_long_table_shows_fifty_rows_and_then_all(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    assert len(opened.rows("thanh-vien")) == 50
    opened.page.get_by_role("button", name="Hiện thêm 70 dòng").click()
    assert len(opened.rows("thanh-vien")) == 120


def test_numbers_sort_by_value_with_what_is_missing_last(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    button = opened.page.locator("#it thead button")
    button.nth(1).click()
    assert opened.rows("it") == ["Đi", "Ăn", "Bán", "Áo"], "a number's first click: largest first"
    button.nth(1).click()
    assert opened.rows("it") == ["Bán", "Ăn", "Đi", "Áo"]
    assert opened.page.locator("#it th").nth(1).get_attribute("aria-sort") == "ascending"
    opened.page.locator("#thanh-vien thead button").nth(3).click()
    opened.page.get_by_role("button", name="Hiện thêm").click()
    assert opened.rows("thanh-vien")[:2] == ["HTX số 120", "HTX số 119"]
    assert set(opened.rows("thanh-vien")[-2:]) == {"HTX số 3", "HTX số 4"}, "null and withheld"


def test_words_sort_as_in_vietnamese_and_amounts_in_words_by_amount(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    opened.page.locator("#it thead button").nth(0).click()
    assert opened.rows("it") == ["Áo", "Ăn", "Bán", "Đi"]
    opened.page.locator("#thanh-vien thead button").nth(5).click()
    shown = opened.page.locator("#thanh-vien tbody tr:visible td:last-child").all_text_contents()
    assert shown[0] == "9,5 tỷ đồng"
    opened.page.locator("#thanh-vien thead button").nth(5).click()
    shown = opened.page.locator("#thanh-vien tbody tr:visible td:last-child").all_text_contents()
    assert shown[0] == "800 triệu đồng"


def test_a_click_on_a_commune_tells_it_and_filters_the_tables(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    opened.page.click("#ban-do-commune-2")
    assert opened.page.locator(".said").inner_text().split() == ["Xã", "Hai", "4", "HTX"]
    assert opened.rows("thanh-vien")[:2] == ["HTX số 1", "HTX số 4"]
    assert opened.page.input_value("#by-l") == "sa thay"
    opened.page.click("#ban-do-flow-production-processing-coffee")
    assert opened.page.input_value("#by-l") == ""
    assert opened.rows("thanh-vien")[:2] == ["HTX số 2", "HTX số 4"]
    assert "Sản xuất" in opened.page.inner_text("#chips")
    opened.page.click("#ban-do-flow-production-processing-coffee")
    assert opened.rows("thanh-vien")[:2] == ["HTX số 1", "HTX số 2"], "a second click lets go"
    assert opened.page.locator(".chosen").count() == 0


def test_everything_can_be_done_from_the_keyboard(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("select[data-parts]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "Xã Một" in page.locator(".said").inner_text()
    assert opened.rows("thanh-vien")[0] == "HTX số 3"
    page.locator("#clear").focus()
    page.keyboard.press("Enter")
    page.locator("#it thead button").first.focus()
    page.keyboard.press("Enter")
    assert opened.rows("it")[0] == "Áo"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus can be seen"
    asked = page.locator(".facts .why").first
    asked.focus()
    page.keyboard.press("Enter")
    assert page.locator("#panel").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.className") == "why", "the focus comes back"


def test_a_figure_can_be_asked_for_its_rows(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    page = opened.page
    assert page.locator(".facts .why").count() == 1, (
        "only figures whose rows are known can be asked"
    )
    page.locator(".facts .why").click()
    words = page.inner_text("#panel")
    for wanted in (
        "Chỉ tiêu 1",
        "lien_ket_2024.csv",
        "2–5, 9",
        "2 dòng bị loại",
        "cộng các liên kết",
    ):
        assert wanted in words
    page.click("#panel-close")
    page.locator("#thanh-vien td.asks").first.click()
    assert page.locator("#panel-body h3").all_text_contents() == ["Giá trị (triệu đồng)"]
    assert "bị loại" not in page.inner_text("#panel")
    page.click("#panel-close")
    page.locator("#thanh-vien .why").click()
    assert page.locator("#panel-body h3").all_text_contents() == ["Giá trị (triệu đồng)", "Đã nói"]
    assert "Cách tính: 3 ÷ 5" in page.inner_text("#panel")
    roles = page.locator("#panel-body table").last.locator("tbody td:first-child")
    assert roles.all_text_contents() == ["tử số", "mẫu số"]


def test_the_index_finds_sorts_and_leads_to_every_report(folder, visit) -> None:
    opened = visit(folder / "index.html")
    page = opened.page
    page.fill("#find", "san sa thay")
    assert opened.rows("ds-cluster") == ["Cụm Sắn Sa Thầy"]
    page.click("#clear")
    page.select_option("#by-p", label="Cà phê")
    assert opened.rows("ds-cluster") == ["Cụm Cà phê Đăk Hà", "Cụm Cà phê Ngọc Hồi"]
    page.click("#clear")
    page.get_by_role("button", name="Đã thanh toán").click()
    page.get_by_role("button", name="Đã thanh toán").click()
    assert opened.rows("ds-cluster") == ["Cụm Sắn Sa Thầy", "Cụm Cà phê Đăk Hà", "Cụm Cà phê Ngọc Hồi"]  # fmt: skip
    page.click("text=Cụm Sắn Sa Thầy")
    page.wait_for_selector("html[data-ready=yes]")
    assert page.url.endswith("/cum/cum-2.html")
    page.locator("a[rel=next]").click()
    assert page.url.endswith("/cum/cum-3.html")
    page.locator(".bar >> text=Trang đầu").click()
    assert page.url.endswith("/index.html")


def test_an_english_page_speaks_english_and_leads_to_the_vietnamese_one(folder, visit) -> None:
    opened = visit(folder / "cum" / "cum-1-en.html")
    page = opened.page
    assert page.get_attribute("html", "lang") == "en"
    page.fill("#find", "dak ha")
    assert page.inner_text("#status") == "40 of 124 rows shown"
    page.get_by_role("link", name="Tiếng Việt").click()
    assert page.url.endswith("/cum/cum-1.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "tong-quan.html"])
def test_axe_finds_no_serious_fault_contrast_included(name, scheme, folder, visit) -> None:
    opened = visit(folder / name, scheme=scheme)
    assert axe(opened.page) == []
    if name == "tong-quan.html":
        opened.page.click("#ban-do-commune-1")
        opened.page.locator(".facts .why").click()
        assert axe(opened.page) == []


def test_axe_would_find_a_fault(folder, visit) -> None:
    opened = visit(folder / "index.html")
    opened.page.add_style_tag(content="body { --muted: #ddd; }")
    assert any(v.startswith("color-contrast") for v in axe(opened.page))


def test_pages_of_a_real_edition_have_no_fault_and_fit_a_phone(edition, visit) -> None:
    pages = [n for n in edition.paths if n.endswith(".html")]
    for name in ("tong-quan.html", next(n for n in pages if n.startswith("cum/"))):
        opened = visit(edition.paths[name], width=360)
        assert axe(opened.page) == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_at_any_width(width, folder, visit) -> None:
    for name in ("index.html", "tong-quan.html"):
        opened = visit(folder / name, width=width)
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        small = opened.page.evaluate(
            "[...document.querySelectorAll('main button, main select, main input')].filter(e => e.offsetParent && !e.closest('thead') && e.getBoundingClientRect().height < 24).length"
        )
        assert small == 0, "targets are large enough for a finger"


def test_the_head_of_a_long_table_stays_in_sight(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    box = opened.page.locator(".table:has(#thanh-vien)")
    box.evaluate("e => { e.scrollTop = 400; }")
    head = opened.page.locator("#thanh-vien thead th").first
    gap = head.evaluate("e => e.getBoundingClientRect().top - e.closest('.table').getBoundingClientRect().top")  # fmt: skip
    assert box.evaluate("e => e.scrollTop") > 100
    assert abs(gap) < 2


def test_the_reader_chooses_light_or_dark_and_pictures_stay_on_white(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html", scheme="dark")
    page = opened.page

    def colour(of: str) -> str:
        return page.evaluate(f"getComputedStyle(document.querySelector('{of}')).backgroundColor")

    assert colour("body") == "rgb(18, 23, 26)"
    assert colour(".picture") == "rgb(255, 255, 255)"
    page.click("#theme")
    assert colour("body") == "rgb(251, 250, 247)"
    page.click("#theme")
    assert colour("body") == "rgb(18, 23, 26)"


def test_print_shows_all_rows_on_white_without_buttons(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html", scheme="dark")
    made = pypdf.PdfReader(io.BytesIO(opened.page.pdf(format="A4", prefer_css_page_size=True)))
    words = " ".join(" ".join(p.extract_text().split()) for p in made.pages)
    assert "HTX số 120" in words
    assert "Nguồn: lien_ket_2024.csv" in words
    for unwanted in ("Bỏ lọc", "Mục lục", "Hiện thêm", "Tải về"):
        assert unwanted not in words
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"  # fmt: skip


def test_without_script_everything_can_still_be_read(folder, browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "tong-quan.html").as_uri())
    assert page.locator("#thanh-vien tbody tr:visible").count() == 120
    assert page.locator("#filters").is_hidden(), "what cannot work is not shown"
    context.close()


def test_what_lies_far_below_is_found_where_a_link_leads(folder, visit) -> None:
    opened = visit(folder / "tong-quan.html")
    page = opened.page
    laid = "[...document.querySelectorAll('section, .tablebox')].every(e => getComputedStyle(e).contentVisibility === 'visible')"
    assert page.evaluate(laid), "once the page is there, all of it has its true height"
    page.click(".contents a[href='#muc-ai']")
    page.wait_for_function("document.querySelector('#muc-ai').getBoundingClientRect().top < 60")


def test_print_shows_all_before_the_script_has_done_its_work(folder, browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "tong-quan.html").as_uri())
    page.emulate_media(media="print")
    hidden = "[...document.querySelectorAll('section, .tablebox')].filter(e => getComputedStyle(e).contentVisibility !== 'visible').length"
    assert page.evaluate(hidden) == 0
    made = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert "HTX số 120" in " ".join(" ".join(p.extract_text().split()) for p in made.pages)
    context.close()


# ------------------------------------------------------------------ how it looks


def seen(page: Any) -> Image.Image:
    """Return the page in grey at an eighth of its size, where one machine's text looks like another's."""
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L")
    return shot.resize((shot.width // 8, shot.height // 8), Image.Resampling.BOX)


def difference(a: Image.Image, b: Image.Image) -> float:
    """Return the mean difference of grey levels; heights may differ by a line."""
    if abs(a.height - b.height) > 4 or a.width != b.width:
        return 255.0
    box = (0, 0, a.width, min(a.height, b.height))
    return float(ImageStat.Stat(ImageChops.difference(a.crop(box), b.crop(box))).mean[0])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", "tong-quan"])
def test_a_page_looks_as_it_did(name, width, folder, visit) -> None:
    """`HTX_NEW_SCREENSHOTS=1` replaces the references: look at them before they are committed."""
    opened = visit(folder / f"{name}.html", width=width)
    now, path = seen(opened.page), REFERENCES / f"{name}-{width}.png"
    if os.environ.get("HTX_NEW_SCREENSHOTS"):
        path.parent.mkdir(exist_ok=True)
        now.save(path, optimize=True)
    kept = Image.open(path)
    assert difference(now, kept) <= TOLERANCE
    opened.page.add_style_tag(content=".facts > div, tr, .filters { margin: 0; transform: translateX(24px); }")  # fmt: skip
    assert difference(seen(opened.page), kept) > TOLERANCE, (
        "the comparison sees a part out of place"
    )


# ------------------------------------------------------------------ the writer alone


def test_a_page_that_grows_too_large_gives_up_lines_and_says_so() -> None:
    report, pictures = hand_made()
    table = report.overview.sections[2].blocks[0]
    assert isinstance(table, Table)
    many = tuple({**line(i), "name": f"HTX số {i} " + "dài " * 40} for i in range(1, 4000))
    long = replace(table, rows=many)
    page = replace(report.overview, sections=(Section(id="ai", title="Ai", blocks=(long,)),))
    made = HtmlWriter(report, pictures, {("tong-quan", "html"): "tong-quan.html"}).page(page)
    assert len(made) <= LARGEST < 400_000
    assert "trên 3.999 dòng" in made.decode()
    assert made == HtmlWriter(report, pictures, {("tong-quan", "html"): "tong-quan.html"}).page(
        page
    )


def test_a_cluster_of_three_hundred_keeps_every_line_on_a_page_that_can_be_mailed(
    cluster_hand, options
) -> None:
    report = build_report(cluster_hand.frames_of(300), period=cluster_hand.PERIOD, options=options)
    page = report.clusters[0]
    pictures = render_all({f.id: f.spec for f in page.figures})
    files = {(p.id, "html"): f"{p.id}.html" for p in report.pages}
    writer = HtmlWriter(report, pictures, files, sources=lambda p: sources_json(report, p))
    made = writer.page(page)
    assert len(made) <= LARGEST
    members = re.search(r'<table id="thanh-vien".*?</table>', made.decode(), re.DOTALL)
    assert members is not None
    assert len(re.findall(r"<tr data-r=", members[0])) >= 300
