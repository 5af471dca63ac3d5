"""Files of an edition: what is in them, that they are the same each time, that nothing gets out."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import textwrap
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pypdf
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.report import edition as editions
from htx_pipeline.report.edition import check_edition, current_edition, write_edition

EVIL = 'HTX #panic("x") $a_1$ *đậm* [liên kết](x) `mã` @ref <nhãn> \\ // {{ 7*7 }} </script><img src=x onerror=alert(1)> =1+1'


def pdf_text(path: Path) -> list[str]:
    pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    return [unicodedata.normalize("NFC", re.sub(r"[\s\u200b]+", " ", p)) for p in pages]


@pytest.fixture(scope="module")
def evil(hand, options, drawings, tmp_path_factory):
    """Return an edition in which a member, a buyer and a file bear a name full of markup."""
    frames = hand.province()
    first = frames["metrics/cluster_members"]["org_id"].min()
    named = pl.when(pl.col("org_id") == first).then(pl.lit(EVIL)).otherwise("name").alias("name")
    for key in ("metrics/cluster_members", "core/organisations"):
        frames[key] = frames[key].with_columns(named)
    frames["metrics/clusters"] = frames["metrics/clusters"].with_columns(
        pl.lit(EVIL).alias("largest_buyer_name"), pl.lit(EVIL).alias("cluster_name_vi")
    )
    return write_edition(
        frames,
        tmp_path_factory.mktemp("evil"),
        period="2024",
        options=options,
        products=hand.PRODUCTS,
        cache_dir=drawings,
    )


def test_a_file_in_place_of_the_folder_is_a_clear_error(hand, options, tmp_path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError, match="is a file, not a folder"):
        write_edition(
            hand.register_only(), tmp_path / "out", period="2024", options=options, products={}
        )


def test_no_edition_yet_is_a_clear_error(tmp_path) -> None:
    with pytest.raises(InputError, match="no report here yet"):
        current_edition(tmp_path)


def test_a_failed_write_leaves_the_old_edition_in_force(
    hand, options, tmp_path, monkeypatch
) -> None:
    made = write_edition(
        hand.register_only(), tmp_path, period="2024", options=options, products={}
    )

    def fail(path: Path, data: bytes) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(editions, "_write", fail)
    other = options.model_copy(update={"title": "Tỉnh khác"})
    with pytest.raises(OSError, match="disk full"):
        write_edition(hand.register_only(), tmp_path, period="2024", options=other, products={})
    assert current_edition(tmp_path) == made.folder
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_damaged_file_is_found_and_named(hand, options, tmp_path) -> None:
    made = write_edition(
        hand.register_only(), tmp_path, period="2024", options=options, products={}
    )
    made.paths["tong-quan.pdf"].write_bytes(b"x")
    assert check_edition(made.folder) == ["tong-quan.pdf"]
    with pytest.raises(InputError, match=r"tong-quan\.pdf is not what the manifest says"):
        current_edition(tmp_path)


def test_the_manifest_lists_every_file_with_its_hash(edition) -> None:
    on_disk = {
        p.relative_to(edition.folder).as_posix() for p in edition.folder.rglob("*") if p.is_file()
    }
    assert on_disk == {*edition.manifest["files"], "manifest.json"}
    assert check_edition(edition.folder) == []
    assert (
        json.loads((edition.folder.parent / "current.json").read_bytes())["edition"]
        == edition.folder.name
    )


def test_the_same_input_is_the_same_edition_and_another_becomes_current(
    hand, options, drawings, tmp_path
) -> None:
    common = {
        "period": "2024",
        "options": options,
        "products": hand.PRODUCTS,
        "cache_dir": drawings,
    }
    first = write_edition(hand.register_only(), tmp_path, **common)
    again = write_edition(hand.register_only(), tmp_path, **common)
    assert (again.folder, again.is_new) == (first.folder, False)
    fewer = {k: f.head(4) for k, f in hand.register_only().items()}
    other = write_edition(fewer, tmp_path, **common)
    assert other.is_new
    assert current_edition(tmp_path) == other.folder
    assert first.folder.is_dir(), "the old edition stays"


def test_shuffled_rows_and_another_hash_seed_give_the_same_bytes(edition, tmp_path) -> None:
    script = textwrap.dedent(
        f"""
        import importlib.util, json, sys
        from datetime import date
        from pathlib import Path
        spec = importlib.util.spec_from_file_location("hand", {str(Path(__file__).with_name("frames_by_hand.py"))!r})
        hand = importlib.util.module_from_spec(spec); spec.loader.exec_module(hand)
        from htx_pipeline.report.edition import write_edition
        from htx_pipeline.report.options import ReportOptions
        frames = {{k: f.sample(fraction=1, shuffle=True, seed=5) for k, f in hand.province().items()}}
        made = write_edition(frames, Path({str(tmp_path)!r}), period="2024", products=hand.PRODUCTS,
                             options=ReportOptions(title="Tỉnh mẫu", as_of=date(2024, 12, 15), is_synthetic=True))
        sys.stdout.write(json.dumps(made.manifest["files"]))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "77", "PATH": "", "HOME": str(tmp_path)}
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == edition.manifest["files"]


def test_the_overview_pdf_says_the_known_numbers(edition) -> None:
    words = " ".join(pdf_text(edition.paths["tong-quan.pdf"]))
    for wanted in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "DỰ THẢO", "Số liệu đến ngày 15/12/2024",
        "Toàn tỉnh có 26 hợp tác xã", "21 hợp tác xã (80,8%)", "I. NHẬN ĐỊNH CHÍNH", "Nguồn: lien_ket_2024.csv (39 dòng)",
        "chưa đối chiếu với văn bản gốc",
    ):  # fmt: skip
        assert wanted in words, wanted


def test_each_cluster_has_a_pdf_with_its_members(edition, hand) -> None:
    frames = hand.province()
    for row in frames["metrics/clusters"].iter_rows(named=True):
        words = " ".join(pdf_text(edition.paths[f"cum/cum-{row['cluster_id']}.pdf"]))
        assert row["cluster_name_vi"] in words
        members = frames["metrics/cluster_members"].filter(
            pl.col("cluster_id") == row["cluster_id"]
        )
        assert f"({members.height} tổ chức)" in words
        traded = pl.sum_horizontal("value_in_vnd", "value_out_vnd", ignore_nulls=True)
        for name in members.sort(traded, descending=True)["name"].head(5):
            assert name in words


def test_every_page_of_synthetic_data_is_marked_and_pages_are_numbered_from_two(edition) -> None:
    for name in edition.paths:
        if not name.endswith(".pdf"):
            continue
        for number, words in enumerate(pdf_text(edition.paths[name]), start=1):
            assert "Số liệu giả định / synthetic data" in words, (name, number)
            # Decree 30/2020: the number stands at the top of the page, from the second on.
            assert words.startswith(f"{number} Số liệu giả định") == (number > 1)


def test_real_data_is_not_marked_synthetic_and_a_foreign_report_has_no_national_heading(
    hand, options, tmp_path
) -> None:
    plain = options.model_copy(update={"is_synthetic": False, "has_official_heading": False})
    made = write_edition(hand.register_only(), tmp_path, period="2024", options=plain, products={})
    words = " ".join(pdf_text(made.paths["tong-quan.pdf"])) + made.paths[
        "tong-quan.html"
    ].read_text("utf-8")
    assert "synthetic" not in words
    assert "CỘNG HÒA" not in words
    assert "không có dữ liệu liên kết" in words


def test_pdfs_are_a4_tagged_archivable_accessible_and_dated_by_the_data(edition) -> None:
    for name, path in edition.paths.items():
        if not name.endswith(".pdf"):
            continue
        reader = pypdf.PdfReader(path)
        box = reader.pages[0].mediabox
        assert (round(float(box.width)), round(float(box.height))) == (595, 842)
        catalog = reader.trailer["/Root"]
        assert catalog["/MarkInfo"]["/Marked"] is True or catalog["/MarkInfo"]["/Marked"] == True  # noqa: E712
        assert catalog["/Lang"].startswith("vi")
        xmp = catalog["/Metadata"].get_data().decode()
        assert re.search(r"pdfaid:part[^0-9]*2", xmp)
        assert re.search(r"pdfaid:conformance[^A-Z]*A", xmp)
        assert re.search(r"pdfuaid:part[^0-9]*1", xmp)
        assert reader.metadata is not None
        assert str(reader.metadata.get("/CreationDate")).startswith("D:20241215")
        fonts = {
            str(f["/BaseFont"])
            for page in reader.pages
            for f in (r.get_object() for r in page["/Resources"]["/Font"].values())
        }
        assert any("Tinos" in f for f in fonts)
        assert all("Tinos" in f or "BeVietnamPro" in f for f in fonts), fonts


def test_names_full_of_markup_are_printed_and_never_run(evil) -> None:
    wanted = re.sub(r"\s+", "", EVIL)
    cluster = next(p for n, p in evil.paths.items() if n.startswith("cum/") and n.endswith(".pdf"))
    assert wanted in re.sub(r"\s+", "", " ".join(pdf_text(cluster)))
    for name in (
        "index.html",
        "tong-quan.html",
        next(n for n in evil.paths if n.startswith("cum/") and n.endswith(".html")),
    ):
        page = evil.paths[name].read_text("utf-8")
        assert "<img src=x" not in page
        assert "</script><img" not in page
        assert "{{ 7*7 }}" in page


def test_the_pages_ask_nothing_of_any_network_and_their_links_lead_somewhere(edition, evil) -> None:
    for made in (edition, evil):
        pages = {n: p for n, p in made.paths.items() if n.endswith(".html")}
        assert len(pages) == 1 + len([n for n in made.paths if n.endswith(".pdf")])
        for name, path in pages.items():
            page = path.read_text("utf-8")
            outside = re.findall(
                r"""(?:src|href|action|poster|data)\s*=\s*["']\s*(?:https?:|//|ftp:)[^"']*""", page
            )
            assert outside == [], name
            assert not re.findall(r"url\(\s*['\"]?(?!data:|#)", page)
            assert "@import" not in page
            assert "default-src 'none'" in page
            links = re.findall(r'href="([^"#][^"]*)"', page)
            assert links
            for link in links:
                assert (path.parent / link).is_file(), (name, link)
            ids = re.findall(r'\bid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)[:5]
            for target in re.findall(r'(?:href="#|url\(#)([^")]+)', page):
                assert target in ids


def test_a_page_is_small_and_shows_each_picture_with_its_words_and_data(edition) -> None:
    for name, path in edition.paths.items():
        if name.endswith(".html"):
            assert path.stat().st_size < 400_000, name
    page = edition.paths["tong-quan.html"].read_text("utf-8")
    assert page.count("<figure") == page.count('role="img"') == 3
    assert page.count("Số liệu giả định") >= 2
    assert "80,8%" in page
    assert "Nguồn: " in page


def test_the_workbook_holds_numbers_as_numbers_and_text_as_text(evil) -> None:
    book = openpyxl.load_workbook(evil.paths["so-lieu.xlsx"])
    assert book.sheetnames[0] == "Cần bảng nào"
    assert {"Thành viên cụm", "Theo địa bàn", "Tệp nguồn", "Kết quả kiểm tra"} <= set(
        book.sheetnames
    )
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert [c.coordinate for c in cells if c.data_type == "f"] == []
    assert any(c.value == EVIL for c in cells)
    members = book["Thành viên cụm"]
    assert members.freeze_panes is not None
    assert any("Nguồn" in str(members.cell(r, 1).value) for r in range(1, 6))
    assert "Số liệu giả định" in " ".join(str(members.cell(r, 1).value) for r in range(1, 4))


@pytest.mark.parametrize("formula", ["=1+1", "+1+1", "-1", "@SUM(1)", '=HYPERLINK("x")', "\t=1"])
def test_no_text_becomes_a_formula(formula, hand, options, tmp_path) -> None:
    frames = {
        k: f.with_columns(pl.lit(formula).alias("source_file"))
        for k, f in hand.register_only().items()
    }
    made = write_edition(frames, tmp_path, period="2024", options=options, products={})
    book = openpyxl.load_workbook(made.paths["so-lieu.xlsx"])
    cells = [c for row in book["Tệp nguồn"].iter_rows() for c in row]
    assert any(str(c.value) == formula and c.data_type == "s" for c in cells)
    with zipfile.ZipFile(io.BytesIO(made.paths["so-lieu.xlsx"].read_bytes())) as archive:
        assert all(b"<f>" not in archive.read(n) for n in archive.namelist())


def test_a_value_in_the_workbook_is_the_exact_value(edition, hand) -> None:
    frames = hand.province()
    book = openpyxl.load_workbook(edition.paths["so-lieu.xlsx"])
    rows = list(book["Cụm liên kết"].iter_rows(values_only=True))
    head = next(i for i, r in enumerate(rows) if r[0] == "Cụm")
    paid = rows[head].index("Đã thanh toán (đồng)")
    values = {r[0]: r[paid] for r in rows[head + 1 :]}
    for row in frames["metrics/clusters"].iter_rows(named=True):
        assert values[row["cluster_name_vi"]] == row["paid_value_vnd"]


def test_progress_is_told(hand, options, tmp_path) -> None:
    seen: list[tuple[str, int, int]] = []
    write_edition(
        hand.province(), tmp_path, period="2024", options=options, products=hand.PRODUCTS, cache_dir=tmp_path / "drawings",
        progress=lambda what, done, todo: seen.append((what, done, todo)),
    )  # fmt: skip
    assert seen == [("báo cáo", i, 7) for i in range(1, 8)]


def test_reading_the_package_does_not_load_matplotlib_or_typst() -> None:
    script = "import sys, htx_pipeline.report.edition; sys.exit(bool({'matplotlib', 'typst', 'xlsxwriter', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
