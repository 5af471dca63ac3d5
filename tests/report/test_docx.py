"""The Word file: real styles, repeated headings, texts intact, the same bytes each time."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date

import docx
import polars as pl
import pypdf
import pytest
from docx.oxml.ns import qn

from htx_pipeline.report import word_fit
from htx_pipeline.report.blocks import Report, Table
from htx_pipeline.report.docx import DocxWriter
from htx_pipeline.report.figures import Picture, render_all
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions

OPTIONS = ReportOptions(
    title="Tỉnh mẫu", as_of=date(2025, 12, 15), is_synthetic=True, has_english=True
)
EVIL = 'HTX NN&MT <46 $a_1$ #panic {{ 7*7 }} «ngoặc» "nháy" ]]> <w:p/>'


@pytest.fixture(scope="module")
def made(cluster_hand, drawings) -> tuple[Report, dict[str, Picture]]:
    """Return a report in which a member bears a name full of markup, and its pictures."""
    frames = cluster_hand.frames_of(12)
    for key in ("core/organisations", "metrics/cluster_members"):
        frames[key] = frames[key].with_columns(
            pl.when(pl.col("org_id") == "o0000").then(pl.lit(EVIL)).otherwise("name").alias("name")
        )
    frames["metrics/clusters"] = frames["metrics/clusters"].with_columns(
        pl.lit(f"Cụm {EVIL}").alias("cluster_name_vi")
    )
    report = build_report(frames, period="2025", options=OPTIONS)
    pages = (*report.clusters, *report.translations)
    return report, render_all({f.id: f.spec for p in pages for f in p.figures}, cache_dir=drawings)


@pytest.fixture(scope="module")
def document(made):
    report, pictures = made
    return docx.Document(io.BytesIO(DocxWriter(report, pictures).write(report.clusters[0])))


def all_text(document) -> str:
    return "\n".join(t.text or "" for t in document.element.body.iter(qn("w:t")))


def test_control_characters_are_dropped_and_nothing_else(made) -> None:
    report, pictures = made
    page = report.clusters[0]
    dirty = Report(overview=report.overview, clusters=(page,), settings=OPTIONS, period="2025")
    from dataclasses import replace

    data = DocxWriter(dirty, pictures).write(replace(page, title="Cụm\x00 một\x0b hai"))
    assert docx.Document(io.BytesIO(data)).core_properties.title == "Cụm một hai"


def test_texts_that_look_like_markup_are_intact(document) -> None:
    assert EVIL in all_text(document)
    assert document.core_properties.title == f"Cụm {EVIL}"


def test_headings_captions_lists_and_title_are_real_styles(document, made) -> None:
    page = made[0].clusters[0]
    styles = [p.style.name for p in document.paragraphs]
    assert styles.count("Heading 1") == len(page.sections)
    assert styles.count("Title") == 1
    tables = [b for s in page.sections for b in s.blocks if isinstance(b, Table)]
    assert styles.count("Caption") == len(tables) + len(page.figures)
    assert styles.count("List Bullet") >= 4
    assert all(document.styles[n].font.name == "Times New Roman" for n in ("Normal", "Title", "Heading 1", "Caption"))  # fmt: skip


def test_each_table_repeats_its_heading_and_has_an_alternative_text(document, made) -> None:
    page = made[0].clusters[0]
    tables = [b for s in page.sections for b in s.blocks if isinstance(b, Table)]
    found = [t for t in document.element.body.iter(qn("w:tbl")) if next(t.iter(qn("w:tblHeader")), None) is not None]  # fmt: skip
    assert len(found) == len(tables)
    for element, table in zip(found, tables, strict=True):
        first = next(element.iter(qn("w:tr")))
        assert next(first.iter(qn("w:tblHeader")), None) is not None
        assert next(element.iter(qn("w:tblCaption"))).get(qn("w:val")) == table.title
        rows = list(element.iter(qn("w:tr")))
        fit = word_fit.fit_of(page, made[1], is_official=True)
        assert len(rows) == 1 + len(fit.cut(table).printed) + bool(table.total)


def test_each_picture_has_its_alternative_text(document, made) -> None:
    page = made[0].clusters[0]
    pictures = list(document.element.body.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"))  # fmt: skip
    assert [p.get("descr") for p in pictures] == [f.alt for f in page.figures]
    assert len({p.get("id") for p in pictures}) == len(pictures)


def test_the_sheet_is_that_of_decree_30(document) -> None:
    section = document.sections[0]
    assert [round(v.mm) for v in (section.page_width, section.page_height)] == [210, 297]
    margins = [round(v.mm) for v in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)]  # fmt: skip
    assert margins == [20, 20, 30, 15]
    assert section.different_first_page_header_footer
    header = section.header._element.xml
    assert "PAGE" in header
    assert 'w:val="center"' in header
    assert "PAGE" not in section.first_page_header._element.xml
    words = all_text(document)
    for wanted in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "DỰ THẢO",
        "Số liệu đến ngày 15/12/2025",
        "Nơi nhận:",
    ):
        assert wanted in words  # fmt: skip


def test_its_language_is_that_of_the_page(made) -> None:
    report, pictures = made
    writer = DocxWriter(report, pictures)
    for page, lang in ((report.clusters[0], "vi-VN"), (report.translations[0], "en-GB")):
        document = docx.Document(io.BytesIO(writer.write(page)))
        found = {e.get(qn("w:val")) for e in document.styles.element.iter(qn("w:lang"))}
        assert found == {lang}
        assert document.core_properties.language == lang


def test_two_runs_give_the_same_bytes_and_no_clock_is_read(made) -> None:
    report, pictures = made
    first, again = (DocxWriter(report, pictures).write(report.clusters[0]) for _ in range(2))
    assert first == again
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert package.testzip() is None
        assert {i.date_time for i in package.infolist()} == {(2025, 12, 15, 0, 0, 0)}
        core = package.read("docProps/core.xml").decode()
        assert not [n for n in package.namelist() if "thumbnail" in n]
    assert re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core) == ["2025-12-15T00:00:00Z"] * 2


def test_word_and_pdf_say_the_same_conclusions_and_figures(document, made) -> None:
    from htx_pipeline.report.blocks import Facts, Prose

    words = all_text(document).replace("\n", "")
    for section in made[0].clusters[0].sections:
        for block in section.blocks:
            if isinstance(block, Facts):
                assert all(f.value in words and f.change in words for f in block.items)
            if isinstance(block, Prose):
                assert all(p in words for p in block.paragraphs)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="No LibreOffice here: apt-get install libreoffice-writer.")  # fmt: skip
def test_a_clusters_word_file_keeps_to_three_sheets_at_any_size_with_names_of_any_length(
    cluster_hand, drawings, tmp_path
) -> None:
    for n, is_long in itertools.product((5, 40, 300), (False, True)):
        report = build_report(cluster_hand.frames_of(n, long_names=is_long), period="2025", options=OPTIONS)  # fmt: skip
        for page in (*report.clusters, *report.translations):
            pictures = render_all({f.id: f.spec for f in page.figures}, cache_dir=drawings)
            path = tmp_path / f"{n}-{is_long}-{page.lang}.docx"
            path.write_bytes(DocxWriter(report, pictures).write(page))
            sizes = re.findall(r'w:sz w:val="(\d+)"', xml_of(path.read_bytes()))
            assert min(map(int, sizes)) >= 18, "no letter below 9 points"
    files = sorted(tmp_path.glob("*.docx"))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), *map(str, files)],
        check=True, capture_output=True,
    )  # fmt: skip
    sheets = {f.stem: len(pypdf.PdfReader(f.with_suffix(".pdf")).pages) for f in files}
    assert len(sheets) == 12
    assert {name: n for name, n in sheets.items() if n > 3} == {}


def xml_of(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return package.read("word/document.xml").decode()


def test_longer_names_set_a_document_more_tightly_and_never_longer(cluster_hand, drawings) -> None:
    found = {}
    for is_long in (False, True):
        report = build_report(cluster_hand.frames_of(40, long_names=is_long), period="2025", options=OPTIONS)  # fmt: skip
        page = report.clusters[0]
        pictures = render_all({f.id: f.spec for f in page.figures}, cache_dir=drawings)
        lengths = [word_fit.sheets_of(page, pictures, fit, is_official=True) for fit in word_fit.SHORT]  # fmt: skip
        assert lengths == sorted(lengths, reverse=True), (
            "each setting is tighter than the one before"
        )
        found[is_long] = word_fit.SHORT.index(word_fit.fit_of(page, pictures, is_official=True))
        assert word_fit.fit_of(replace(page, most_pages=None), pictures, is_official=True) == word_fit.LONG  # fmt: skip
    assert found[False] < found[True]


def test_marks_of_the_template_in_a_name_stay_a_name(made) -> None:
    report, pictures = made
    title = "Cụm @body@ @title@ @header@ & <w:p>"
    page = replace(report.clusters[0], title=title, subtitle="@title@")
    document = docx.Document(io.BytesIO(DocxWriter(report, pictures).write(page)))
    assert document.core_properties.title == title
    assert document.core_properties.subject == "@title@"
    assert all_text(document).count("@body@") == 1
    whole = "".join(p.text for p in document.sections[0].footer.paragraphs)
    assert title in whole


def test_each_picture_is_in_the_package_with_the_proportions_of_its_file(document, made) -> None:
    from PIL import Image

    shapes = document.inline_shapes
    figures = made[0].clusters[0].figures
    assert len(shapes) == len(figures)
    for shape, figure in zip(shapes, figures, strict=True):
        png = document.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed]
        assert png.blob == made[1][figure.id].png
        wide, tall = Image.open(io.BytesIO(png.blob)).size
        assert shape.height / shape.width == pytest.approx(tall / wide, rel=1e-4)
        assert wide / shape.width.inches >= 200
