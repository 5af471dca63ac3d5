"""Pages to one self-contained HTML file that opens from a disk or a USB stick.

What belongs here: turning the overview into HTML with inline pictures, fonts, style and script.
What does not: words and numbers (`model`). The page asks nothing of any network; its content
security policy forbids it.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Facts, Figure, Page, Prose, Report, Table
from htx_pipeline.report.figures import FONTS, Picture
from htx_pipeline.report.pdf import table_payload

HERE: Final = Path(__file__).parent


def write_index(
    report: Report,
    pictures: Mapping[str, Picture],
    *,
    overview_pdf: str,
    workbook: str,
    cluster_files: Mapping[str, str],
) -> bytes:
    """Return the HTML of the overview with links to the other files.

    Parameters
    ----------
    report:
        The report; its overview is printed in full.
    pictures:
        Figure id → drawing.
    overview_pdf, workbook:
        Relative addresses.
    cluster_files:
        Page id of a cluster → relative address of its PDF.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    table_template = environment.get_template("table.html.j2")

    def table(payload: Mapping[str, Any]) -> Markup:
        # Markup from our own template, autoescaped when it was rendered.
        return Markup(table_template.render(t=payload))  # noqa: S704

    page = report.overview
    options = report.settings
    html = environment.get_template("index.html.j2").render(
        title=f"{page.title} – {page.subtitle}",
        page=page,
        mark=text.SYNTHETIC_MARK if options.is_synthetic else "",
        as_of=text.day(options.as_of),
        sections=_sections(page, pictures),
        clusters=[_cluster(c, cluster_files[c.id]) for c in report.clusters],
        overview_pdf=overview_pdf,
        workbook=workbook,
        table=table,
        fonts=_fonts(),
        css=Markup((HERE / "assets" / "report.css").read_text("utf-8")),  # noqa: S704
        js=Markup((HERE / "assets" / "report.js").read_text("utf-8")),  # noqa: S704
    )
    return html.encode()


def _fonts() -> list[dict[str, str]]:
    return [
        {
            "weight": weight,
            "data": base64.b64encode(
                (FONTS / "web" / f"BeVietnamPro-{name}.woff2").read_bytes()
            ).decode(),
        }
        for weight, name in (("400", "Regular"), ("600", "SemiBold"))
    ]


def _sections(page: Page, pictures: Mapping[str, Picture]) -> list[dict[str, Any]]:
    numbers = {"table": 0, "figure": 0}
    shown = {b.id for s in page.sections for b in s.blocks if isinstance(b, Table)}
    return [
        {
            "id": s.id,
            "title": s.title,
            "blocks": [_block(b, numbers, pictures, shown) for b in s.blocks],
        }
        for s in page.sections
    ]


def _block(
    block: Block, numbers: dict[str, int], pictures: Mapping[str, Picture], shown: set[str]
) -> dict[str, Any]:
    match block:
        case Facts():
            items = [{"label": f.label, "value": f.value, "detail": f.detail} for f in block.items]
            return {"kind": "facts", "items": items}
        case Prose():
            return {
                "kind": "prose",
                "paragraphs": block.paragraphs,
                "is_list": block.is_list,
                "source": block.source.line if block.source else "",
            }
        case Table():
            numbers["table"] += 1
            return {**table_payload(block, numbers["table"]), "id": block.id}
        case Figure():
            numbers["figure"] += 1
            return {
                "kind": "figure",
                "id": block.id,
                "number": numbers["figure"],
                "title": block.title,
                "alt": block.alt,
                "svg": inline_svg(pictures[block.id].svg, prefix=block.id),
                "notes": [text.sentence(n) for n in block.notes],
                "source": block.source.line,
                "data": {**table_payload(block.data, 0), "id": block.data.id},
                "data_shown": block.data.id in shown,
            }


def inline_svg(svg: bytes, *, prefix: str) -> Any:
    """Return an SVG as markup for an HTML page: no prologue, and ids that no other picture has.

    Examples
    --------
    >>> inline_svg(b'<?xml version="1.0"?><svg><g id="a"/><use href="#a"/></svg>', prefix="p")
    Markup('<svg aria-hidden="true" focusable="false"><g id="p-a"/><use href="#p-a"/></svg>')
    """
    from markupsafe import Markup

    markup = svg.decode()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
    for pattern in (r'(\bid=")([^"]+")', r'(href="#)([^"]+")', r"(url\(#)([^)]+\))"):
        markup = re.sub(pattern, rf"\g<1>{prefix}-\g<2>", markup)
    markup = markup.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    # matplotlib escapes text; what is left is its own markup.
    return Markup(markup.strip())  # noqa: S704


def fold(words: str) -> str:
    """Return *words* in lower case without diacritics, as the page's search compares them.

    Examples
    --------
    >>> fold("Đăk Hà")
    'dak ha'
    """
    plain = unicodedata.normalize("NFD", words.lower().replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def _cluster(page: Page, href: str) -> dict[str, Any]:
    words: Sequence[str] = [page.summary[k] for k in ("name", "product", "localities")]
    return {**page.summary, "href": href, "find": fold(" ".join(words))}
