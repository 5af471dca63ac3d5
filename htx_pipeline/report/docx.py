"""Pages to Word files an office can edit: the layout of Decree 30/2020 in real styles.

What belongs here: laying a page out with headings, captions, lists, tables with repeated header rows,
pictures with alternative texts, and fixing what would make two runs differ. What does not: words and
numbers, which come ready in the page (`model`); the XML of the pieces (`wordml`). Text is put in as
text, so a name that looks like markup stays a name.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Facts, Figure, Page, Prose, Report, Table
from htx_pipeline.report.figures import Picture
from htx_pipeline.report.wordml import (
    NAMESPACE,
    Align,
    Look,
    clean,
    code,
    kept,
    paragraph,
    run,
    tab,
    table,
)
from htx_pipeline.report.words import Words

FONT: Final = "Times New Roman"
"""The font Decree 30/2020 asks for; every office has it, or one with its measures."""

ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
LANGUAGES: Final[Mapping[str, str]] = {"vi": "vi-VN", "en": "en-GB"}
TEXT_MM: Final = 165.0
"""Width of the text: A4 less the left margin of 30 mm and the right one of 15 mm."""
INK, MUTED, ACCENT, WARN = "1A1A1A", "4B5563", "0B4F80", "9B1C1C"
TINT, LINE, WHITE = "EEF3F7", "9AA3AD", "FFFFFF"
SMALL: Final = Look(size=9, color=MUTED)
SPACER: Final = paragraph(after=0, is_thin=True)
"""Room below a table: Word joins two tables that touch."""
PICTURE_MM: Final = 155.0
MOST_ROWS: Final = 10
"""Lines of a long table in a document that is to stay short."""


class DocxWriter:
    """Writes pages of one report as Word documents.

    Parameters
    ----------
    report:
        The report whose names and date are printed.
    pictures:
        Figure id → drawing.

    Examples
    --------
    >>> DocxWriter.__name__
    'DocxWriter'
    """

    def __init__(self, report: Report, pictures: Mapping[str, Picture]) -> None:
        self.report = report
        self.pictures = pictures
        self._blank: dict[str, bytes] = {}

    def write(self, page: Page) -> bytes:
        """Return the document of *page*; the same page gives the same bytes."""
        if page.lang not in self._blank:
            self._blank[page.lang] = _blank(page.lang)
        options = self.report.settings
        made = _Document(page, options, self.pictures, self._blank[page.lang])
        return _repacked(made.finish(), options.timestamp)


class _Document:
    """One document while it is being laid out."""

    def __init__(
        self, page: Page, options: Any, pictures: Mapping[str, Picture], blank: bytes
    ) -> None:
        from docx import Document

        self.page, self.o, self.pictures = page, options, pictures
        self.w = Words(page.lang)
        self.numbers = {"table": 0, "figure": 0}
        self.doc = Document(io.BytesIO(blank))
        self.parts: list[str | Any] = []

    def finish(self) -> bytes:
        """Lay the page out and return the package."""
        self._properties()
        self._header_and_footer()
        self._head()
        blocks = [b for s in self.page.sections for b in s.blocks]
        for i, section in enumerate(self.page.sections):
            self.parts.append(
                paragraph(run(f"{ROMAN[i]}. {section.title.upper()}"), style="Heading1")
            )
            for block in section.blocks:
                is_last = block is blocks[-1]
                self._block(block, shows_source=is_last or not self.page.has_one_source_line)
        if self.o.has_official_heading:
            self._signature()
        body = self.doc.element.body
        for part in self.parts:
            body.insert(len(body) - 1, _parsed(part) if isinstance(part, str) else part)
        buffer = io.BytesIO()
        self.doc.save(buffer)
        return buffer.getvalue()

    def _properties(self) -> None:
        core = self.doc.core_properties
        core.title, core.subject = clean(self.page.title), clean(self.page.subtitle)
        author = self.o.authority if self.o.has_official_heading else self.o.title
        core.author = core.last_modified_by = clean(author)
        core.created = core.modified = self.o.timestamp.replace(tzinfo=None)
        core.language = LANGUAGES[self.page.lang]
        core.comments = core.keywords = ""
        core.revision = 1

    def _header_and_footer(self) -> None:
        section = self.doc.sections[0]
        mark = run(text.SYNTHETIC_MARK, Look(size=9, bold=True, color=WARN))
        number = paragraph(code("PAGE", "2"), align="center", after=0)
        marked = [paragraph(mark, align="center", after=0)] if self.o.is_synthetic else []
        foot = paragraph(
            run(self.page.title, SMALL), tab(SMALL), code("PAGE", "1", SMALL), run(" / ", SMALL),
            code("NUMPAGES", "3", SMALL), style="Footer",
        )  # fmt: skip
        for place, words in (
            (section.header, [number, *marked]),
            (section.first_page_header, marked or [paragraph()]),
            (section.footer, [foot]),
            (section.first_page_footer, [foot]),
        ):
            element = place._element
            for old in list(element):
                element.remove(old)
            for part in words:
                element.append(_parsed(part))

    # ------------------------------------------------------------------ head and foot

    def _head(self) -> None:
        w = self.w
        if self.o.has_official_heading:
            thin, strong = Look(size=12, closer=0.2), Look(size=12, bold=True, closer=0.35)
            left = [
                _centred(run(self.o.authority_parent.upper(), thin)),
                _centred(run(self.o.authority.upper(), strong)),
                paragraph(rule_mm=26, after=4),
                _centred(run(f"{w('page.number')}          {w('page.number_code')}          ")),
            ]
            day = f"....................{w('page.day')}       {w('page.month')}       {w('page.year')}          "
            right = [
                _centred(run(w("page.nation"), strong)),
                _centred(run(w("page.motto"), Look(size=13, bold=True))),
                paragraph(rule_mm=20, after=4),
                _centred(run(day, Look(italic=True))),
            ]
            self.parts.append(
                table([["".join(left), "".join(right)]], [74.0, 91.0], margin_mm=(0, 0))
            )
        report = (
            [tab(), run(w("page.report"), Look(size=14, bold=True))]
            if self.o.has_official_heading
            else []
        )
        draft = run(w("page.draft"), Look(size=11, bold=True, is_boxed=True))
        self.parts.append(
            paragraph(draft, *report, before=6, after=2, is_kept=True, center_mm=TEXT_MM / 2)
        )
        self.parts.append(paragraph(run(text.held_together(self.page.title)), style="Title"))
        as_of = w("page.as_of", day=w.day(self.o.as_of))
        lines = [
            [run(f"{self.page.subtitle} – ", Look(size=12)), run(as_of, Look(size=12, italic=True))]
        ]
        if w("page.translation"):
            lines.append([run(w("page.translation"), Look(size=10, italic=True, color=MUTED))])
        self.parts += [_centred(*runs) for runs in lines]
        self.parts.append(paragraph(rule_mm=60, after=2))

    def _signature(self) -> None:
        w = self.w
        left = [
            paragraph(run(w("page.receivers"), Look(size=12, bold=True, italic=True)), after=0),
            paragraph(run("- ................................;", Look(size=11)), after=0),
            paragraph(run(f"- {w('page.archive')} .............", Look(size=11)), after=0),
        ]
        right = [
            _centred(run(w("page.signer"), Look(size=12, bold=True))),
            _centred(),
            _centred(run(w("page.unsigned"), Look(size=12, italic=True))),
        ]  # fmt: skip
        last = [i for i, part in enumerate(self.parts) if isinstance(part, str)][-1]
        self.parts[last] = kept(str(self.parts[last]))
        self.parts.append(kept(SPACER))
        self.parts.append(table([["".join(left), "".join(right)]], [77.0, 88.0], margin_mm=(0, 0)))
        self.parts.append(SPACER)

    # ------------------------------------------------------------------ blocks

    def _block(self, block: Block, *, shows_source: bool) -> None:
        match block:
            case Facts():
                self._facts(block)
            case Prose():
                self._prose(block)
            case Table():
                self._data(block)
            case Figure():
                self._figure(block)
        if shows_source and block.source:
            self._small(block.source.line, italic=True)

    def _facts(self, facts: Facts) -> None:
        n = len(facts.items)
        columns = 3 if n > 4 else max(1, n)
        tiles = []
        for fact in facts.items:
            lines = [(fact.label, SMALL), (fact.value, Look(size=14, bold=True, color=ACCENT))]
            lines += [(fact.change, Look(size=9, bold=True))] if fact.change else []
            lines += [(fact.detail, SMALL)] if fact.detail else []
            tiles.append("".join(paragraph(run(words, look), after=0) for words, look in lines))
        tiles += [paragraph(after=0)] * (-n % columns)
        fills = [TINT if i < n else None for i in range(len(tiles))]
        self.parts.append(
            table(
                _rows(tiles, columns), [TEXT_MM / columns] * columns, fills=_rows(fills, columns), gaps=WHITE,
                margin_mm=(2.0, 1.0), title=self.page.title,
                description="; ".join(f"{f.label}: {f.value}" for f in facts.items),
            )
        )  # fmt: skip
        for note in facts.notes:
            self._small(text.sentence(note))
        if not facts.notes:
            self.parts.append(SPACER)

    def _prose(self, prose: Prose) -> None:
        size = 11.0 if prose.is_small else None
        for lead, words in prose.parts:
            runs = [run(lead, Look(size=size, bold=True))] if lead else []
            runs.append(run(words, Look(size=size)))
            if prose.is_list:
                self.parts.append(paragraph(*runs, style="ListBullet", align="both"))
            else:
                self.parts.append(paragraph(*runs, align="both", first_mm=10))

    def _data(self, data: Table) -> None:
        if self.page.most_pages is not None and data.page_rows is not None:
            data = replace(data, page_rows=min(data.page_rows, MOST_ROWS))
        self._caption("table", data.title)
        fields = data.fields
        size = 10.0 if len(fields) <= 6 else 9.5
        strong, plain = Look(size=size, bold=True), Look(size=size)
        aligns: list[Align] = ["right" if f.is_right else "left" for f in fields]
        rows = [
            [
                paragraph(run(f.heading, strong), align="center", after=0, is_kept=True)
                for f in fields
            ]
        ]
        for r in data.printed:
            rows.append(
                [paragraph(run(f.show(r.get(f.key)), plain), align=a, after=0) for f, a in zip(fields, aligns, strict=True)]
            )  # fmt: skip
        if data.total:
            shown = [f.show(v) if (v := data.total.get(f.key)) is not None else "" for f in fields]
            rows.append(
                [
                    paragraph(run(s, strong), align=a, after=0)
                    for s, a in zip(shown, aligns, strict=True)
                ]
            )
        whole = sum(f.width for f in fields)
        fills: list[list[str | None]] = [
            [TINT if i == 0 else None] * len(fields) for i in range(len(rows))
        ]
        self.parts.append(
            table(
                rows, [TEXT_MM * f.width / whole for f in fields], header_rows=1, fills=fills, rules=(INK, LINE),
                title=data.title, description=" | ".join(f.heading for f in fields),
            )
        )  # fmt: skip
        if data.footnotes:
            self._small(" ".join(data.footnotes))
        else:
            self.parts.append(SPACER)

    def _figure(self, figure: Figure) -> None:
        from docx.shared import Mm

        self._caption("figure", figure.title)
        inline = self.doc.part.new_pic_inline(
            io.BytesIO(self.pictures[figure.id].png), Mm(PICTURE_MM)
        )
        inline.docPr.set("id", str(self.numbers["figure"]))
        inline.docPr.set("descr", clean(figure.alt))
        inline.docPr.set("title", clean(figure.title))
        holder = _parsed(paragraph("<w:r><w:drawing/></w:r>", align="center", after=2))
        holder[-1][0].append(inline)
        self.parts.append(holder)
        if figure.notes:
            self._small(" ".join(text.sentence(n) for n in figure.notes))

    def _caption(self, kind: str, words: str) -> None:
        self.numbers[kind] += 1
        label = self.w(f"page.{kind}", number="").strip()
        number = code(f"SEQ {label} \\* ARABIC", str(self.numbers[kind]))
        self.parts.append(paragraph(run(f"{label} "), number, run(f". {words}"), style="Caption"))

    def _small(self, words: str, *, italic: bool = False) -> None:
        look = replace(SMALL, italic=italic)
        self.parts.append(paragraph(run(words, look), after=2))


def _centred(*runs: str) -> str:
    return paragraph(*runs, align="center", after=0)


def _rows(cells: Sequence[Any], columns: int) -> list[list[Any]]:
    return [list(cells[i : i + columns]) for i in range(0, len(cells), columns)]


def _parsed(words: str) -> Any:
    from docx.oxml import parse_xml

    end = words.index(">") if words[words.index(">") - 1] != "/" else words.index("/>")
    return parse_xml(f'{words[:end]} xmlns:w="{NAMESPACE}"{words[end:]}')


def _blank(lang: str) -> bytes:
    """Return an empty document with the page, styles and language of the reports."""
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
    buffer = io.BytesIO()
    doc.save(buffer)
    return buffer.getvalue()


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


def _repacked(data: bytes, moment: Any) -> bytes:
    """Return the same package with every entry dated *moment*, so that two runs give the same bytes."""
    stamp = (max(moment.year, 1980), moment.month, moment.day, 0, 0, 0)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as new,
    ):
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            entry = zipfile.ZipInfo(name, date_time=stamp)
            is_picture = name.endswith(".png")
            entry.compress_type = zipfile.ZIP_STORED if is_picture else zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            new.writestr(entry, old.read(name))
    return buffer.getvalue()
