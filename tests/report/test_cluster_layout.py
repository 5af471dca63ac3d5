"""The printed report: two or three sheets at any size, nothing cut or alone, accessible and the same each time."""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import date
from pathlib import Path

import pikepdf
import polars as pl
import pypdf
import pytest

from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.figures import render_all
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.pdf import LEAST_FILLED, PdfWriter

OPTIONS = ReportOptions(
    title="Tỉnh mẫu", as_of=date(2025, 12, 15), is_synthetic=True, has_english=True
)
MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 30 * MM, (210 - 15) * MM, 297 * MM, 0.0
SIZES = [(5, False), (5, True), (40, False), (40, True), (300, False), (300, True)]


def made(frames: dict[str, pl.DataFrame], drawings: Path) -> tuple[Report, dict[str, bytes]]:
    report = build_report(frames, period="2025", options=OPTIONS)
    pages = (*report.clusters, *report.translations)
    pictures = render_all({f.id: f.spec for p in pages for f in p.figures}, cache_dir=drawings)
    writer = PdfWriter(report, pictures)
    return report, {p.id: writer.compile(p) for p in pages}


@pytest.fixture(
    scope="module", params=SIZES, ids=lambda s: f"{s[0]}{'-long-names' if s[1] else ''}"
)
def printed(request, cluster_hand, drawings) -> tuple[Report, dict[str, bytes]]:
    """Return the report of one cluster, printed in both languages."""
    n, long_names = request.param
    return made(cluster_hand.frames_of(n, long_names=long_names), drawings)


def runs(page: pypdf.PageObject) -> list[tuple[float, float, float, str]]:
    """Return (x, y, size, text) of each piece of text on a page."""
    found: list[tuple[float, float, float, str]] = []

    def visit(words: str, cm: list[float], tm: list[float], _font: object, size: float) -> None:
        if words.strip():
            a, b, c, d, e, f = cm
            x = tm[4] * a + tm[5] * c + e
            y = tm[4] * b + tm[5] * d + f
            scale = abs(tm[3] * d) or abs(tm[1] * c) or abs(tm[0] * a)
            found.append((x, y, size * scale, unicodedata.normalize("NFC", words.strip())))

    page.extract_text(visitor_text=visit)
    return found


def test_it_has_two_or_three_sheets_and_the_last_is_not_nearly_empty(printed) -> None:
    for data in printed[1].values():
        pages = pypdf.PdfReader(io.BytesIO(data)).pages
        assert 2 <= len(pages) <= 3
        body = [y for _, y, _, _ in runs(pages[-1]) if y > 20 * MM]
        assert (277 * MM - min(body)) / (257 * MM) >= LEAST_FILLED - 0.05


def test_no_sheet_before_the_last_is_two_thirds_empty(printed) -> None:
    for data in printed[1].values():
        for page in pypdf.PdfReader(io.BytesIO(data)).pages[:-1]:
            body = [y for _, y, _, _ in runs(page) if y > 20 * MM]
            assert (277 * MM - min(body)) / (257 * MM) > 1 / 3


def test_no_heading_or_caption_is_the_last_line_of_a_sheet(printed) -> None:
    for data in printed[1].values():
        for page in pypdf.PdfReader(io.BytesIO(data)).pages:
            body = [(y, words) for _, y, _, words in runs(page) if y > 20 * MM]
            lowest = min(y for y, _ in body)
            last = " ".join(words for y, words in body if y < lowest + 1)
            assert not re.match(r"(I|II|III|IV|V|VI)\. |Bảng \d+\.|Hình \d+\.|Table \d+\.|Figure \d+\.", last), last  # fmt: skip


def test_no_text_begins_outside_the_margins_or_is_smaller_than_nine_points(printed) -> None:
    for data in printed[1].values():
        for page in pypdf.PdfReader(io.BytesIO(data)).pages:
            for x, y, size, words in runs(page):
                assert LEFT - 1 <= x <= RIGHT, words
                assert BOTTOM < y < TOP, words
                assert size >= 8.95, (words, size)


def test_every_name_and_number_of_the_printed_tables_is_on_a_sheet_in_full(printed) -> None:
    report, files = printed
    page = report.clusters[0]
    reader = pypdf.PdfReader(io.BytesIO(files[page.id]))
    words = re.sub(r"[\s\u200b\u00ad]+", "", "".join(p.extract_text() for p in reader.pages))
    words = unicodedata.normalize("NFC", words)
    for table_id in ("ben-mua", "viec-can-lam", "chat-luong"):
        table = next((t for t in page.tables if t.id == table_id), None)
        cut = re.search(rf"Bảngin(\d+)trên\d+dòng;đủcácdòngởtrangtính«{re.sub(' ', '', table.sheet)}»", words) if table else None  # fmt: skip
        for row in table.rows[: int(cut[1]) if cut else None] if table else ():
            for field in table.fields if table else ():
                shown = unicodedata.normalize("NFC", field.show(row[field.key]))
                assert re.sub(r"\s+", "", shown) in words, shown


def test_the_same_page_gives_the_same_bytes(cluster_hand, drawings) -> None:
    _, first = made(cluster_hand.frames_of(5), drawings)
    _, again = made(cluster_hand.frames_of(5), drawings)
    assert first == again


def test_the_file_declares_what_archives_and_screen_readers_ask_for(printed) -> None:
    report, files = printed
    for page in (*report.clusters, *report.translations):
        with pikepdf.open(io.BytesIO(files[page.id])) as pdf:
            root = pdf.Root
            assert bool(root.MarkInfo.Marked)
            assert str(root.Lang) == {"vi": "vi-VN", "en": "en-GB"}[page.lang]
            assert bool(root.ViewerPreferences.DisplayDocTitle)
            with pdf.open_metadata() as meta:
                assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("2", "A")
                assert meta["pdfuaid:part"] == "1"
                assert meta["dc:title"].replace("\u00a0", " ") == page.title
            tags = list(elements(root.StructTreeRoot))
            kinds = [str(t.S) for t in tags]
            figures = [t for t in tags if str(t.S) == "/Figure"]
            assert len(figures) == len(page.figures)
            alts = {unicodedata.normalize("NFC", str(t.Alt)) for t in figures}
            assert alts == {unicodedata.normalize("NFC", f.alt) for f in page.figures}
            assert kinds.count("/Table") >= sum(1 for t in printed_tables(page))
            heads = sum(len(t.fields) for t in printed_tables(page))
            assert kinds.count("/TH") >= heads
            assert kinds.count("/H1") + kinds.count("/H2") >= len(page.sections)


def test_every_font_is_embedded(printed) -> None:
    for data in printed[1].values():
        with pikepdf.open(io.BytesIO(data)) as pdf:
            descriptors = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"]  # fmt: skip
            assert descriptors
            assert all("/FontFile2" in d or "/FontFile3" in d for d in descriptors)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_vietnamese_letters_are_all_there_in_either_normal_form(
    form, cluster_hand, drawings
) -> None:
    name = "Hợp tác xã Đăk Hà ẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ ăâđêôơư"
    frames = cluster_hand.frames_of(5)
    spelt = pl.lit(unicodedata.normalize(form, name)).alias("name")
    for key in ("core/organisations", "metrics/cluster_members"):
        frames[key] = frames[key].with_columns(pl.when(pl.col("org_id") == "o0004").then(spelt).otherwise("name").alias("name"))  # fmt: skip
    report, files = made(frames, drawings)
    reader = pypdf.PdfReader(io.BytesIO(files[report.clusters[0].id]))
    words = unicodedata.normalize("NFC", " ".join(p.extract_text() for p in reader.pages))
    squeezed = re.sub(r"\s+", "", words)
    assert re.sub(r"\s+", "", name) in squeezed
    assert "\ufffd" not in words


def elements(node: pikepdf.Object) -> list[pikepdf.Object]:
    """Return all structure elements below *node*, in order."""
    found: list[pikepdf.Object] = []
    kids = node.get("/K")
    kids = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    for kid in kids:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            found += [kid, *elements(kid)]
    return found


def printed_tables(page: Page) -> list:
    """Return the tables of a page that are printed."""
    from htx_pipeline.report.blocks import Table

    return [b for s in page.sections for b in s.blocks if isinstance(b, Table)]
