"""Pieces of a Word document as XML: runs, fields, paragraphs, tables.

What belongs here: WordprocessingML for what a report needs, with all text escaped. What does not:
which pieces a page has (`docx`). Written as text because a table of a thousand cells is made a
hundred times faster than through an object for each cell.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

Align = Literal["left", "right", "center", "both"]

NAMESPACE: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TWIPS_PER_MM: Final = 1440 / 25.4
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(words: str) -> str:
    """Return *words* without the characters XML cannot hold.

    Examples
    --------
    >>> clean("A & B\\x0b <46")
    'A & B <46'
    """
    return _NOT_XML.sub("", words)


def twips(mm: float) -> int:
    """Return a length in twentieths of a point.

    Examples
    --------
    >>> twips(25.4)
    1440
    """
    return round(mm * TWIPS_PER_MM)


def kept(words: str) -> str:
    """Return a paragraph that stays with the next one.

    Examples
    --------
    >>> kept(paragraph(style="Caption"))
    '<w:p><w:pPr><w:pStyle w:val="Caption"/><w:keepNext/></w:pPr></w:p>'
    >>> kept(paragraph())
    '<w:p><w:pPr><w:keepNext/></w:pPr></w:p>'
    """
    if "<w:keepNext/>" in words:
        return words
    if not words.startswith("<w:p><w:pPr>"):
        return words.replace("<w:p>", "<w:p><w:pPr><w:keepNext/></w:pPr>", 1)
    return re.sub(r"^<w:p><w:pPr>(<w:pStyle [^>]*/>)?", r"<w:p><w:pPr>\1<w:keepNext/>", words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a run looks; what is None is left to the paragraph's style."""

    size: float | None = None
    bold: bool = False
    italic: bool = False
    color: str | None = None
    is_boxed: bool = False
    closer: float = 0.0
    """Points by which letters stand closer."""

    @property
    def xml(self) -> str:
        """Return the run's properties, in the order the schema asks for."""
        parts = [
            "<w:b/>" if self.bold else "",
            "<w:i/>" if self.italic else "",
            f'<w:color w:val="{self.color}"/>' if self.color else "",
            f'<w:spacing w:val="{-round(self.closer * 20)}"/>' if self.closer else "",
            f'<w:sz w:val="{round(self.size * 2)}"/>' if self.size else "",
            '<w:bdr w:val="single" w:sz="8" w:space="4" w:color="auto"/>' if self.is_boxed else "",
        ]
        return f"<w:rPr>{''.join(parts)}</w:rPr>" if any(parts) else ""


PLAIN: Final = Look()


def run(words: str, look: Look = PLAIN) -> str:
    """Return one run of text.

    Examples
    --------
    >>> run("NN&MT <46", Look(bold=True))
    '<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">NN&amp;MT &lt;46</w:t></w:r>'
    """
    return f'<w:r>{look.xml}<w:t xml:space="preserve">{escape(clean(words))}</w:t></w:r>'


def tab(look: Look = PLAIN) -> str:
    """Return a run with one tab."""
    return f"<w:r>{look.xml}<w:tab/></w:r>"


def code(instruction: str, shown: str, look: Look = PLAIN) -> str:
    """Return a field that Word computes, with what it shows until then."""
    mark = f'<w:r>{look.xml}<w:fldChar w:fldCharType="%s"/></w:r>'
    said = f'<w:r>{look.xml}<w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText></w:r>'
    return mark % "begin" + said + mark % "separate" + run(shown, look) + mark % "end"


def paragraph(
    *runs: str,
    style: str | None = None,
    align: Align | None = None,
    before: float | None = None,
    after: float | None = None,
    first_mm: float | None = None,
    is_kept: bool = False,
    rule_mm: float | None = None,
    center_mm: float | None = None,
    is_thin: bool = False,
) -> str:
    """Return a paragraph.

    ``before``, ``after``: space in points; ``first_mm``: indent of the first line; ``is_kept``: stays
    with the next paragraph; ``rule_mm``: an empty paragraph whose lower border is a line, set in from
    both sides by so much; ``center_mm``: a tab stop that centres what follows it;
    ``is_thin``: three points high.
    """
    space = ""
    if before is not None or after is not None or rule_mm is not None or is_thin:
        line = ' w:line="60" w:lineRule="exact"' if rule_mm is not None or is_thin else ""
        first = f' w:before="{round(before * 20)}"' if before is not None else ""
        last = f' w:after="{round(after * 20)}"' if after is not None else ""
        space = f"<w:spacing{first}{last}{line}/>"
    indent = ""
    if rule_mm is not None:
        indent = f'<w:ind w:left="{twips(rule_mm)}" w:right="{twips(rule_mm)}"/>'
    elif first_mm is not None:
        indent = f'<w:ind w:firstLine="{twips(first_mm)}"/>'
    border = '<w:pBdr><w:bottom w:val="single" w:sz="6" w:space="1" w:color="auto"/></w:pBdr>'
    parts = [
        f"<w:pStyle w:val={quoteattr(style)}/>" if style else "",
        "<w:keepNext/>" if is_kept else "",
        border if rule_mm is not None else "",
        f'<w:tabs><w:tab w:val="center" w:pos="{twips(center_mm)}"/></w:tabs>' if center_mm else "",
        space,
        indent,
        f'<w:jc w:val="{align}"/>' if align else "",
    ]
    shape = f"<w:pPr>{''.join(parts)}</w:pPr>" if any(parts) else ""
    return f"<w:p>{shape}{''.join(runs)}</w:p>"


DRAWING: Final = "http://schemas.openxmlformats.org/drawingml/2006"
EMU_PER_MM: Final = 36_000


def picture(png: bytes, number: int, *, width_mm: float, title: str, description: str) -> str:
    """Return a centred paragraph with the PNG that a document holds under "rIdPicture<number>".

    Examples
    --------
    >>> png = bytes(16) + (200).to_bytes(4, "big") + (100).to_bytes(4, "big")
    >>> re.search(r"<wp:extent [^>]*>", picture(png, 1, width_mm=10, title="a", description="b"))[0]
    '<wp:extent cx="360000" cy="180000"/>'
    """
    wide, tall = struct.unpack(">II", png[16:24])
    cx = round(width_mm * EMU_PER_MM)
    cy = round(cx * tall / wide)
    alternative = f"descr={quoteattr(clean(description))} title={quoteattr(clean(title))}"
    drawing = (
        f'<w:drawing><wp:inline xmlns:wp="{DRAWING}/wordprocessingDrawing" distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{cx}" cy="{cy}"/><wp:docPr id="{number}" name="Picture {number}" {alternative}/>'
        f'<wp:cNvGraphicFramePr><a:graphicFrameLocks xmlns:a="{DRAWING}/main" noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        f'<a:graphic xmlns:a="{DRAWING}/main"><a:graphicData uri="{DRAWING}/picture">'
        f'<pic:pic xmlns:pic="{DRAWING}/picture"><pic:nvPicPr><pic:cNvPr id="{number}" name="image{number}.png"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip xmlns:r="{RELATIONS}" r:embed="rIdPicture{number}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr>'
        "</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    return paragraph(f"<w:r>{drawing}</w:r>", align="center", after=2)


def table(
    rows: Sequence[Sequence[str]],
    widths_mm: Sequence[float],
    *,
    title: str = "",
    description: str = "",
    header_rows: int = 0,
    fills: Sequence[Sequence[str | None]] | None = None,
    rules: tuple[str, str] | None = None,
    gaps: str | None = None,
    margin_mm: tuple[float, float] = (1.0, 0.25),
    is_kept: bool = False,
) -> str:
    """Return a table whose cells hold paragraphs.

    Parameters
    ----------
    rows:
        Cells: XML of paragraphs.
    widths_mm:
        Widths of the columns.
    title, description:
        Alternative text of the table.
    header_rows:
        Rows repeated at the head of each page, and announced as headings.
    fills:
        Colour behind each cell.
    rules:
        Colours of the lines above and below, and of those between rows; no lines where None.
    gaps:
        Colour of lines between all cells, for tiles on a coloured ground.
    margin_mm:
        Space inside a cell: left and right, above and below.
    is_kept:
        Keep all rows on one page (the cells' paragraphs carry it).
    """
    side, above = (twips(m) for m in margin_mm)
    borders = ""
    if rules:
        outer, inner = rules
        borders = (
            f'<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="{outer}"/>'
            f'<w:bottom w:val="single" w:sz="8" w:space="0" w:color="{outer}"/>'
            f'<w:insideH w:val="single" w:sz="4" w:space="0" w:color="{inner}"/></w:tblBorders>'
        )
    elif gaps:
        borders = (
            f'<w:tblBorders><w:insideH w:val="single" w:sz="12" w:space="0" w:color="{gaps}"/>'
            f'<w:insideV w:val="single" w:sz="12" w:space="0" w:color="{gaps}"/></w:tblBorders>'
        )
    alternative = ""
    if title:
        alternative = (
            f"<w:tblCaption w:val={quoteattr(clean(title))}/>"
            f"<w:tblDescription w:val={quoteattr(clean(description))}/>"
        )
    look = '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
    head = (
        f'<w:tblPr><w:tblW w:w="{sum(twips(m) for m in widths_mm)}" w:type="dxa"/><w:jc w:val="center"/>{borders}'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="{above}" w:type="dxa"/><w:left w:w="{side}" w:type="dxa"/>'
        f'<w:bottom w:w="{above}" w:type="dxa"/><w:right w:w="{side}" w:type="dxa"/></w:tblCellMar>'
        f"{look if header_rows else ''}{alternative}</w:tblPr>"
    )
    grid = "".join(f'<w:gridCol w:w="{twips(m)}"/>' for m in widths_mm)
    made = []
    for i, cells in enumerate(rows):
        repeated = "<w:tblHeader/>" if i < header_rows else ""
        filled = fills[i] if fills else [None] * len(cells)
        body = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{twips(m)}" w:type="dxa"/>'
            + (f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else "")
            + f'<w:vAlign w:val="{"top" if gaps or not rules else "center"}"/></w:tcPr>{cell}</w:tc>'
            for cell, m, fill in zip(cells, widths_mm, filled, strict=True)
        )
        made.append(f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{body}</w:tr>")
    words = f"<w:tbl>{head}<w:tblGrid>{grid}</w:tblGrid>{''.join(made)}</w:tbl>"
    return words.replace("<w:pPr>", "<w:pPr><w:keepNext/>") if is_kept else words
