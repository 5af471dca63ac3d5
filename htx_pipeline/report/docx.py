"""Pages to Word files an office can edit: the layout of Decree 30/2020 in real styles.

What belongs here: laying a page out with headings, captions, lists, tables with repeated header rows,
pictures with alternative texts, and fixing what would make two runs differ. What does not: words and
numbers, which come ready in the page (`model`); the XML of the pieces (`wordml`). Text is put in as
text, so a name that looks like markup stays a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Facts, Figure, Page, Prose, Report, Table
from htx_pipeline.report.figures import Picture
from htx_pipeline.report.word_fit import fit_of
from htx_pipeline.report.wordml import (
    Align,
    Look,
    code,
    kept,
    paragraph,
    picture,
    run,
    tab,
    table,
)
from htx_pipeline.report.wordpack import INK, TEXT_MM, package_of
from htx_pipeline.report.words import Words

ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
MUTED, ACCENT, WARN = "4B5563", "0B4F80", "9B1C1C"
TINT, LINE, WHITE = "EEF3F7", "9AA3AD", "FFFFFF"
SMALL: Final = Look(size=9, color=MUTED)
SPACER: Final = paragraph(after=0, is_thin=True)
"""Room below a table: Word joins two tables that touch."""
WHOLE: Final = 5
"""A table of no more lines than these stays in one piece."""


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

    def write(self, page: Page) -> bytes:
        """Return the document of *page*; the same page gives the same bytes."""
        o = self.report.settings
        author = o.authority if o.has_official_heading else o.title
        document = _Document(page, o, self.pictures)
        document.lay_out()
        return package_of(page.lang, author, o.timestamp).filled(
            body="".join(document.parts),
            places=document.places(),
            title=page.title,
            subject=page.subtitle,
            images=[self.pictures[f.id].png for f in document.figures],
        )


class _Document:
    """One document while it is being laid out."""

    def __init__(self, page: Page, options: Any, pictures: Mapping[str, Picture]) -> None:
        self.page, self.o, self.pictures = page, options, pictures
        self.w = Words(page.lang)
        self.fit = fit_of(page, pictures, is_official=options.has_official_heading)
        self.numbers = {"table": 0, "figure": 0}
        self.parts: list[str] = []
        self.figures: list[Figure] = []

    def lay_out(self) -> None:
        """Fill ``parts`` with the XML of the page and ``figures`` with its pictures."""
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

    def places(self) -> dict[str, str]:
        """Return the XML of the headers and footers."""
        mark = run(text.SYNTHETIC_MARK, Look(size=9, bold=True, color=WARN))
        number = paragraph(code("PAGE", "2"), align="center", after=0)
        marked = paragraph(mark, align="center", after=0) if self.o.is_synthetic else ""
        foot = paragraph(
            run(self.page.title, SMALL), tab(SMALL), code("PAGE", "1", SMALL), run(" / ", SMALL),
            code("NUMPAGES", "3", SMALL), style="Footer",
        )  # fmt: skip
        return {
            "header": number + marked,
            "first_page_header": marked or paragraph(),
            "footer": foot,
            "first_page_footer": foot,
        }

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
        self.parts[-1] = kept(self.parts[-1])
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
        data = self.fit.cut(data)
        self._caption("table", data.title)
        fields = data.fields
        size = self.fit.size_of(data)
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
        if len(rows) <= WHOLE + 1:
            rows = [[kept(cell) for cell in row] for row in rows[:-1]] + rows[-1:]
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
        self._caption("figure", figure.title)
        self.figures.append(figure)
        png = self.pictures[figure.id].png
        self.parts.append(
            picture(
                png,
                len(self.figures),
                width_mm=self.fit.picture_mm,
                title=figure.title,
                description=figure.alt,
            )
        )
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
