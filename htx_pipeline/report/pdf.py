"""Pages to PDF with Typst: Decree 30/2020 layout, PDF/A-2a and PDF/UA-1 in one file.

What belongs here: turning a page into the JSON that the template reads, and compiling it.
What does not: layout itself, which is `templates/report.typ`. No text of a page ever becomes Typst
source: it travels as JSON, so a name that looks like markup is printed as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Facts, Figure, Page, Prose, Report, Table
from htx_pipeline.report.figures import FONTS, Picture
from htx_pipeline.report.words import Words

TEMPLATES: Final = Path(__file__).parent / "templates"
STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]
ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


LEAST_FILLED: Final = 0.4
"""How far down its last sheet a document with a limit should go."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to set a document.

    ``air`` scales the space between blocks; ``long_rows`` caps tables of more than eight lines,
    ``short_rows`` the others.
    """

    air: float
    long_rows: int
    short_rows: int = 8

    def rows(self, table: Table) -> int | None:
        """Return how many lines of *table* are printed."""
        if table.page_rows is None:
            return None
        return min(table.page_rows, self.long_rows if table.page_rows > 8 else self.short_rows)


FITS: Final = (
    Fit(1.0, 12), Fit(0.7, 10), Fit(0.4, 10), Fit(0.2, 8), Fit(0.2, 6), Fit(0.2, 5, 4), Fit(0.2, 3, 3), Fit(1.4, 15),
)  # fmt: skip
"""Ways to set a document, in the order in which they are tried."""

MANY_LINES: Final = 25
"""Lines of tables from which on a document with a limit of sheets begins tightly."""


@cache
def _compiler() -> Any:
    """Return the compiler with the template and the shipped fonts, which are read once."""
    import typst

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )
    return typst.Compiler(str(TEMPLATES / "report.typ"), root=str(TEMPLATES), font_paths=fonts)


class PdfWriter:
    """Compiles pages of one report.

    Parameters
    ----------
    report:
        The report whose names and date are printed.
    pictures:
        Figure id → drawing.

    Examples
    --------
    >>> PdfWriter.__name__
    'PdfWriter'
    """

    def __init__(self, report: Report, pictures: Mapping[str, Picture]) -> None:
        self.report = report
        self.pictures = pictures
        self._compiler = _compiler()

    def compile(self, page: Page) -> bytes:
        """Return the PDF of *page*; the same page gives the same bytes.

        A page with a limit of sheets is set more tightly, then with fewer rows, until it keeps to it
        and its last sheet is not nearly empty; where nothing does, the fullest last sheet within the
        limit is taken.
        """
        best: tuple[tuple[bool, bool, int, float], bytes] | None = None
        for fit in self._fits(page):
            made = self._set(page, fit)
            if page.most_pages is None:
                return made
            sheets, filled = self._ends()
            kept = page.least_pages <= sheets <= page.most_pages
            is_full = sheets == 1 or filled >= LEAST_FILLED
            rank = (kept, kept and is_full, -sheets, filled)
            if best is None or rank > best[0]:
                best = (rank, made)
            if rank[1]:
                break
        if best is None:
            raise ValueError("no setting was tried")
        return best[1]

    @staticmethod
    def _fits(page: Page) -> tuple[Fit, ...]:
        """Return the settings to try: a page with many lines is not tried with much air."""
        if page.most_pages is None:
            return FITS[:1]
        blocks = [b for s in page.sections for b in s.blocks]
        lines = sum(min(len(b.printed), FITS[0].long_rows) for b in blocks if isinstance(b, Table))
        return FITS if lines < MANY_LINES else FITS[1:]

    def _set(self, page: Page, fit: Fit) -> bytes:
        payload = json.dumps(self.payload(page, fit), ensure_ascii=False, sort_keys=True)
        made = self._compiler.compile(
            format="pdf",
            sys_inputs={"data": payload},
            pdf_standards=list(STANDARDS),
            timestamp=self.report.settings.timestamp,
        )
        if not isinstance(made, bytes):
            raise TypeError("Typst returned no PDF")
        return made

    def _ends(self) -> tuple[int, float]:
        """Return how many sheets the document just set has, and how far down its last one goes (0..1)."""
        found = json.loads(self._compiler.query("<end>", field="value", one=True))
        return int(found["sheets"]), float(found["filled"])

    def payload(self, page: Page, fit: Fit | None = None) -> dict[str, Any]:
        """Return what the template prints for *page*, as plain JSON values."""
        fit = fit or FITS[0]
        options = self.report.settings
        w = Words(page.lang)
        numbers = {"table": 0, "figure": 0}
        sections: list[dict[str, Any]] = []
        for i, section in enumerate(page.sections):
            sections.append(
                {
                    "title": f"{ROMAN[i]}. {section.title.upper()}",
                    "blocks": [self._block(b, numbers, fit) for b in section.blocks],
                }
            )
        if sections and sections[-1]["blocks"]:
            # The signature never stands alone on a page: the last lines before it come along.
            sections[-1]["blocks"][-1]["last"] = True
            if page.has_one_source_line:
                for block in [b for s in sections for b in s["blocks"]][:-1]:
                    block["source"] = ""
        head = ("draft", "report", "nation", "motto", "number", "number_code", "day", "month", "year", "receivers",
                "archive", "signer", "unsigned", "translation")  # fmt: skip
        return {
            "title": text.held_together(page.title),
            "subtitle": page.subtitle,
            "lang": page.lang,
            "region": "VN" if page.lang == "vi" else "GB",
            "author": options.authority if options.has_official_heading else options.title,
            "as_of": w("page.as_of", day=w.day(options.as_of)),
            "mark": text.SYNTHETIC_MARK if options.is_synthetic else "",
            "footer": page.title,
            "is_compact": page.most_pages is not None,
            "air": fit.air,
            # Decree 30/2020 asks for 13 points in Vietnamese; a translation may be set smaller.
            "body": 12 if page.lang == "en" and page.most_pages is not None else 13,
            "words": {
                **{key: w(f"page.{key}") for key in head},
                "table": w("page.table", number="").strip(),
                "figure": w("page.figure", number="").strip(),
            },
            "head": {
                "official": options.has_official_heading,
                "parent": options.authority_parent,
                "authority": options.authority,
            },
            "sections": sections,
        }

    def _block(self, block: Block, numbers: dict[str, int], fit: Fit) -> dict[str, Any]:
        match block:
            case Facts():
                items = [
                    {"label": f.label, "value": f.value, "detail": f.detail, "change": f.change}
                    for f in block.items
                ]
                notes = [text.sentence(n) for n in block.notes]
                return {"kind": "facts", "items": items, "notes": notes, "source": ""}
            case Prose():
                return {
                    "kind": "prose",
                    "paragraphs": [list(part) for part in block.parts],
                    "is_list": block.is_list,
                    "is_small": block.is_small,
                    "source": block.source.line if block.source else "",
                }
            case Table():
                numbers["table"] += 1
                block = replace(block, page_rows=fit.rows(block))
                payload = table_payload(block, numbers["table"])
                payload["rows"] = [[breakable(cell) for cell in row] for row in payload["rows"]]
                return payload
            case Figure():
                numbers["figure"] += 1
                return {
                    "kind": "figure",
                    "number": numbers["figure"],
                    "title": block.title,
                    "alt": block.alt,
                    "svg": self.pictures[block.id].svg.decode(),
                    "notes": [text.sentence(n) for n in block.notes],
                    "source": block.source.line,
                }


def breakable(cell: str) -> str:
    """Let a long word (a file name, an address) break after its marks.

    Examples
    --------
    >>> breakable("danh_ba_2024.xlsx"), breakable("bao_cao_hop_tac_xa_2024.xlsx").count("\u200b")
    ('danh_ba_2024.xlsx', 6)
    """
    words = cell.split(" ")
    return " ".join(
        re.sub(r"([_/.\\-])(?=\w)", "\\1\u200b", w) if len(w) > 18 else w for w in words
    )


def table_payload(table: Table, number: int) -> dict[str, Any]:
    """Return a table as the template reads it: formatted text, widths, alignment."""
    shown = [[f.show(r.get(f.key)) for f in table.fields] for r in table.printed]
    total = (
        [f.show(v) if (v := table.total.get(f.key)) is not None else "" for f in table.fields]
        if table.total
        else []
    )
    return {
        "kind": "table",
        "number": number,
        "title": table.title,
        "size": 11 if len(table.fields) <= 6 else 10 if len(table.fields) <= 8 else 9.5,
        "columns": [
            {"label": f.heading, "number": f.is_right, "width": f.width} for f in table.fields
        ],
        "rows": shown,
        "total": total,
        "notes": list(table.footnotes),
        "source": table.source.line,
    }
