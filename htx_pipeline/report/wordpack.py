"""The package of a Word file: made once by python-docx, then filled for each document.

What belongs here: page, styles, language, headers and footers, the parts that a document fills in, and
what would make two runs differ. What does not: what is filled in (`docx`), the XML of it (`wordml`).

python-docx writes one package for each language, with marks where a document has words of its own. To
fill the marks takes a tenth of the time that opening, changing and saving the package takes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape

from htx_pipeline.report.wordml import NAMESPACE, clean, paragraph, run

FONT: Final = "Times New Roman"
"""The font Decree 30/2020 asks for; every office has it, or one with its measures."""

LANGUAGES: Final[Mapping[str, str]] = {"vi": "vi-VN", "en": "en-GB"}
TEXT_MM: Final = 165.0
"""Width of the text: A4 less the left margin of 30 mm and the right one of 15 mm."""
INK: Final = "1A1A1A"
PLACES: Final = ("header", "first_page_header", "footer", "first_page_footer")
"""Headers and footers of a section."""
MARK: Final = re.compile(
    f"(?:<w:p[^>]*><w:r[^>]*><w:t[^>]*>)?@({'|'.join(('body', 'title', 'subject', *PLACES))})@(?:</w:t></w:r></w:p>)?"
)
"""Where a document has words of its own, with the paragraph that holds the mark."""
CONTENTS: Final = "[Content_Types].xml"
IMAGE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"


class Package:
    """A Word file without its words.

    Parameters
    ----------
    lang:
        Language of the document.
    author:
        Who is named as its author.
    moment:
        When it says that it was made; no clock is read.
    """

    def __init__(self, lang: str, *, author: str, moment: Any) -> None:
        self._stamp = (max(moment.year, 1980), moment.month, moment.day, 0, 0, 0)
        with zipfile.ZipFile(io.BytesIO(_blank(lang, author, moment))) as made:
            self._parts = {name: made.read(name) for name in made.namelist()}
        self._marked = {
            name: MARK.split(data.decode()) for name, data in self._parts.items() if b"@" in data
        }

    def filled(
        self,
        *,
        body: str,
        places: Mapping[str, str],
        title: str,
        subject: str,
        images: Sequence[bytes] = (),
    ) -> bytes:
        """Return a document.

        Parameters
        ----------
        body:
            XML of the paragraphs and tables; pictures are named "rIdPicture1" and so on.
        places:
            XML of the paragraphs of each of `PLACES`.
        title, subject:
            What the file says it is.
        images:
            PNG files.
        """
        own = {
            "body": body,
            **places,
            "title": escape(clean(title)),
            "subject": escape(clean(subject)),
        }
        parts = dict(self._parts)
        for name, pieces in self._marked.items():
            parts[name] = "".join(own[p] if i % 2 else p for i, p in enumerate(pieces)).encode()
        if images:
            rels = "word/_rels/document.xml.rels"
            links = "".join(
                f'<Relationship Id="rIdPicture{i}" Type="{IMAGE}" Target="media/image{i}.png"/>'
                for i in range(1, len(images) + 1)
            )
            kind = b'<Default Extension="png" ContentType="image/png"/></Types>'
            parts[rels] = parts[rels].replace(
                b"</Relationships>", links.encode() + b"</Relationships>"
            )
            parts[CONTENTS] = parts[CONTENTS].replace(b"</Types>", kind)
            parts |= {f"word/media/image{i}.png": png for i, png in enumerate(images, start=1)}
        return self._packed(parts)

    def _packed(self, parts: Mapping[str, bytes]) -> bytes:
        """Return a package whose entries all bear the report's date, so that two runs give the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
            for name in sorted(parts, key=lambda n: (n != CONTENTS, n)):
                entry = zipfile.ZipInfo(name, date_time=self._stamp)
                is_picture = name.endswith(".png")
                entry.compress_type = zipfile.ZIP_STORED if is_picture else zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = 0o644 << 16
                package.writestr(entry, parts[name])
        return buffer.getvalue()


@lru_cache(maxsize=8)
def package_of(lang: str, author: str, moment: Any) -> Package:
    """Return the package for a language, an author and a date, made once."""
    return Package(lang, author=author, moment=moment)


def _blank(lang: str, author: str, moment: Any) -> bytes:
    """Return a document with the page, styles and language of the reports, and marks for its words."""
    from docx import Document
    from docx.oxml.ns import qn
    from docx.shared import Mm

    doc = Document()
    section = doc.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance = section.footer_distance = Mm(7)
    section.different_first_page_header_footer = True
    for element in doc.styles.element.iter(qn("w:lang")):
        for name in ("val", "eastAsia"):
            element.set(qn(f"w:{name}"), LANGUAGES[lang])
    _style(doc)
    _dash_lists(doc)
    # The template's preview picture would show another document.
    rels = doc.part.package.rels
    for key in [k for k, r in rels.items() if r.reltype.endswith("/thumbnail")]:
        del rels[key]
    core = doc.core_properties
    core.title, core.subject = "@title@", "@subject@"
    core.author = core.last_modified_by = clean(author)
    core.created = core.modified = moment.replace(tzinfo=None)
    core.language = LANGUAGES[lang]
    core.comments = core.keywords = ""
    core.revision = 1
    doc.element.body.insert(0, _parsed(paragraph(run("@body@"))))
    for place in PLACES:
        element = getattr(section, place)._element
        for old in list(element):
            element.remove(old)
        element.append(_parsed(paragraph(run(f"@{place}@"))))
    buffer = io.BytesIO()
    doc.save(buffer)
    return buffer.getvalue()


def _parsed(words: str) -> Any:
    """Return a piece of XML as python-docx holds it."""
    from docx.oxml import parse_xml

    return parse_xml(words.replace(">", f' xmlns:w="{NAMESPACE}">', 1))


def _style(doc: Any) -> None:
    """Give the styles of a report the font and sizes of Decree 30/2020."""
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    looks: tuple[tuple[str, float, bool, float, float], ...] = (
        ("Normal", 13, False, 0, 3), ("Title", 14, True, 0, 4), ("Heading 1", 13, True, 8, 3),
        ("Caption", 11, True, 6, 3), ("List Bullet", 13, False, 0, 3), ("Footer", 9, False, 0, 0),
    )  # fmt: skip
    for name, size, bold, before, after in looks:
        style: Any = doc.styles[name]
        style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
        style.font.color.rgb = RGBColor.from_string(INK)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in [a for a in fonts.attrib if str(a).endswith("Theme")]:
            del fonts.attrib[attribute]
        for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{kind}"), FONT)
        shape = style.paragraph_format
        shape.space_before, shape.space_after, shape.line_spacing = Pt(before), Pt(after), 1.0
        shape.keep_with_next = name in ("Heading 1", "Caption")
        if name == "Title":
            shape.alignment = 1
            for border in list(style.element.iter(qn("w:pBdr"))):
                border.getparent().remove(border)
            for spacing in list(style.element.rPr.iter(qn("w:spacing"))):
                spacing.getparent().remove(spacing)
        if name == "Footer":
            for tabs in list(style.element.iter(qn("w:tabs"))):
                tabs.getparent().remove(tabs)
            shape.tab_stops.add_tab_stop(Mm(TEXT_MM), 2)


def _dash_lists(doc: Any) -> None:
    """Mark lists with the dash of office papers."""
    from docx.oxml.ns import qn

    for level in doc.part.numbering_part.element.iter(qn("w:lvl")):
        mark, form = level.find(qn("w:lvlText")), level.find(qn("w:numFmt"))
        if mark is not None and form is not None and form.get(qn("w:val")) == "bullet":
            mark.set(qn("w:val"), "–")
            for fonts in level.iter(qn("w:rFonts")):
                for kind in ("ascii", "hAnsi", "cs"):
                    fonts.set(qn(f"w:{kind}"), FONT)
