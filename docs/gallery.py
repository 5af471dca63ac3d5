"""Make the pictures of `docs/gallery.md` from an edition: pages, workbook, Word file, web page.

What belongs here: choosing pages and turning them into small PNG files. What does not: making an edition
(`make demo`). Needs the development environment; LibreOffice for the workbook and the Word file, Chromium
for the web page. A program that is not there is named, and its pictures are left as they were.

    python docs/gallery.py demo/data/report/period=2025
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

HERE = Path(__file__).parent
OUT = HERE / "pictures"
COLOURS = 96
GAP = 12


def edition(folder: Path) -> Path:
    """Return the edition in force below *folder*, or the folder itself when it is one."""
    pointer = folder / "current.json"
    return folder / json.loads(pointer.read_text())["edition"] if pointer.is_file() else folder


def pages(pdf: Path, *, dpi: int, most: int) -> list[Image.Image]:
    """Return the first pages of a PDF as pictures."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    return [
        document[i].render(scale=dpi / 72).to_pil().convert("RGB")
        for i in range(min(most, len(document)))
    ]


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures in one row on grey."""
    height = max(p.height for p in pictures)
    width = sum(p.width for p in pictures) + GAP * (len(pictures) + 1)
    sheet = Image.new("RGB", (width, height + 2 * GAP), "#d7dce1")
    x = GAP
    for picture in pictures:
        sheet.paste(picture, (x, GAP))
        x += picture.width + GAP
    return sheet


def save(picture: Image.Image, name: str) -> None:
    """Write a picture with few colours, so that it stays small."""
    buffer = io.BytesIO()
    picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    (OUT / f"{name}.png").write_bytes(buffer.getvalue())
    print(f"{name}.png  {len(buffer.getvalue()) // 1024} kB")


def by_size(clusters: list[Path]) -> dict[str, Path]:
    """Return the reports of the smallest, the middle and the largest cluster: web pages list all members."""
    ranked = sorted(clusters, key=lambda p: (p.with_suffix(".html").stat().st_size, p.name))
    return {"small": ranked[0], "middle": ranked[len(ranked) // 2], "large": ranked[-1]}


def office_pages(path: Path, *, dpi: int, most: int) -> list[Image.Image]:
    """Return pages of a Word file or workbook as LibreOffice prints them."""
    program = shutil.which("soffice")
    if program is None:
        print(f"LibreOffice is not installed: {path.name} is left out")
        return []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf", "--outdir", folder, str(path)],
            check=True, capture_output=True,
        )  # fmt: skip
        return pages(Path(folder) / f"{path.stem}.pdf", dpi=dpi, most=most)


def web(path: Path) -> Iterator[tuple[str, Image.Image]]:
    """Yield a web page in three widths, light, and dark on the widest."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("Chromium is not installed: the web pages are left out")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, width, height, scheme in (
            ("phone", 390, 1400, "light"), ("tablet", 820, 1100, "light"), ("desk", 1280, 1100, "light"),
            ("desk-dark", 1280, 1100, "dark"),
        ):  # fmt: skip
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            )  # fmt: skip
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready=yes]")
            yield name, Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            page.close()
        browser.close()


def main(argv: list[str]) -> int:
    """Write all pictures."""
    if len(argv) != 2:
        print(__doc__)
        return 2
    folder = edition(Path(argv[1]))
    if not (folder / "manifest.json").is_file():
        print(
            f"{folder} is not an edition; run `make demo` first and name demo/data/report/period=2025"
        )
        return 1
    OUT.mkdir(exist_ok=True)
    ranked = by_size(sorted((folder / "cum").glob("cum-*[0-9a-f].pdf")))
    for size, pdf in ranked.items():
        save(side_by_side(pages(pdf, dpi=66, most=3)), f"cluster-{size}")
        word = pdf.with_suffix(".docx")
        if size == "middle" and word.is_file() and (shown := office_pages(word, dpi=60, most=3)):
            save(side_by_side(shown), "word")
    save(side_by_side(pages(folder / "tong-quan.pdf", dpi=60, most=4)), "overview")
    for name, pattern in (
        ("locality", "dia-ban/dia-ban-[!x]*.pdf"),
        ("department", "so-nganh/*.pdf"),
    ):
        found = sorted(folder.glob(pattern), key=lambda p: (-p.stat().st_size, p.name))
        if found:
            save(side_by_side(pages(found[0], dpi=60, most=3)), name)
    if shown := office_pages(folder / "so-lieu.xlsx", dpi=50, most=3):
        save(side_by_side(shown), "workbook")
    shots = dict(web(folder / "index.html"))
    for name in ("desk", "desk-dark"):
        if name in shots:
            save(ImageOps.contain(shots[name], (900, 800)), f"web-{name}")
    cluster = dict(web(ranked["large"].with_suffix(".html")))
    seen = [ImageOps.contain(cluster[n], (700, 800)) for n in ("desk", "phone") if n in cluster]
    if seen:
        save(side_by_side(seen), "web-cluster")
    small = [ImageOps.contain(shots[n], (700, 800)) for n in ("phone", "tablet") if n in shots]
    if small:
        save(side_by_side(small), "web-phone-tablet")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
