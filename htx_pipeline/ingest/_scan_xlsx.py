"""Safety scan and light XML reading of .xlsx and .xlsm parts.

What belongs here: streaming over the container's XML (entity declarations, how far the cells
reach), and the few facts the cell reader does not give (hidden rows and columns, formulas without
a stored value, error cells, fonts). What does not: cell values (`workbook` reads them).

A large sheet is unpacked once and read on the way (`_cells_xlsx`): when every cell of it is plainly
written, nothing is left to look for, and the cells are kept for the reader. A small clean sheet is
scanned by one regular expression that accepts only the way spreadsheet programs write cells; whatever
does not fit is scanned tag by tag.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from htx_pipeline.ingest import _scan
from htx_pipeline.ingest._scan import (
    MAX_LISTED,
    PROGRAM,
    SheetFacts,
    Unsafe,
    column_letters,
    column_number,
)

if TYPE_CHECKING:
    from htx_pipeline.ingest._cells_xlsx import Shared

_CHUNK: Final = 1 << 20
_MAX_ROW: Final = 1_048_576
_MAX_COL: Final = 16_384
_MAX_SMALL: Final = 32 << 20
_MAX_STRINGS: Final = 4_000_000
_STATED_COUNT: Final = re.compile(rb"[cC]ount\s*=\s*[\"']\s*\+?0*[1-9]\d{7}")
_LEGACY_FONT: Final = re.compile(r"^(\.vn|vni|\.vni|vn|vps|vnu|abc)", re.IGNORECASE)
_NAMESPACE: Final = re.compile(r"^\{[^}]*\}")


@dataclass
class Found:
    """What the scan learnt about the container."""

    sheets: list[SheetFacts] = field(default_factory=list)
    has_macros: bool = False
    is_macro_kind: bool = False
    external_links: int = 0
    dde_links: int = 0


def workbook_part(archive: zipfile.ZipFile) -> str | None:
    """Return the name of the workbook part whatever its case, or None."""
    for name in archive.namelist():
        if name.lower() == "xl/workbook.xml":
            return name
    return None


def scan(archive: zipfile.ZipFile, *, max_cells: int) -> Found:
    """Stream every XML part once; raise `Unsafe` at the first reason to refuse the file."""
    names = {name.lower(): name for name in archive.namelist()}
    book = names.get("xl/workbook.xml")
    rels = names.get("xl/_rels/workbook.xml.rels")
    if book is None or rels is None:
        raise Unsafe("damaged", why="The list of sheets is missing.")
    found = Found(
        has_macros=any(name.endswith("vbaproject.bin") for name in names),
        external_links=sum(
            name.startswith("xl/externallinks/") and name.endswith(".xml") for name in names
        ),
    )
    for name in (book, rels):
        stream_checked(archive, name)
    targets = relations(small_part(archive, rels))
    parts: dict[str, SheetFacts] = {}
    for title, relation, state in _sheets(small_part(archive, book)):
        target, kind = targets.get(relation, ("", ""))
        part = names.get(target.lower(), "")
        facts = SheetFacts(title, part=part, is_worksheet=kind.endswith("/worksheet"), state=state)
        if part and facts.is_worksheet:
            parts[part] = facts
        found.sheets.append(facts)
    referenced = {names[t.lower()] for t, _ in targets.values() if t.lower() in names}
    for name in archive.namelist():
        lower = name.lower()
        if name in parts or name in (book, rels):
            continue
        if name in referenced or lower.endswith((".xml", ".rels", ".vml")):
            stream_checked(archive, name, strings=lower.endswith("sharedstrings.xml"))
    types = names.get("[content_types].xml")
    if types is not None:
        found.is_macro_kind = b"macroEnabled" in small_part(archive, types)
    fonts = _fonts_by_style(archive, names)
    shared: Shared | None = None
    for facts in found.sheets:
        if not (facts.part and facts.is_worksheet):
            continue
        if archive.getinfo(facts.part).file_size < _scan.COMPILED_FROM:
            pieces = partial(_pieces, archive, facts.part)
            _scan_sheet(pieces, facts, max_cells=max_cells, fonts=fonts)
        else:
            from htx_pipeline.ingest._cells_xlsx import Shared

            shared = shared or Shared(archive)
            _scan_large(archive, shared, facts, max_cells=max_cells, fonts=fonts)
    found.dde_links = _dde_links(archive, names)
    return found


def _dde_links(archive: zipfile.ZipFile, names: dict[str, str]) -> int:
    return sum(
        b"ddeLink" in small_part(archive, name)
        for lower, name in names.items()
        if lower.startswith("xl/externallinks/") and lower.endswith(".xml")
    )


# --- streaming --------------------------------------------------------------------------------


Pieces = Callable[[], Iterator[bytes]]
"""A part of the container, from its beginning, piece by piece."""


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as stream:
        while piece := stream.read(_CHUNK):
            yield piece


def _chunks(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Yield a part in pieces cut before a tag, so that no tag is split."""
    carry = b""
    first = True
    for piece in pieces:
        if first:
            _check_utf8(piece, name)
            first = False
        whole = carry + piece
        cut = whole.rfind(b"<")
        if cut <= 0:
            carry = whole
            if len(carry) > 8 * _CHUNK:
                raise Unsafe("damaged", why=f"{name} holds an endless tag or text.")
            continue
        carry = whole[cut:]
        yield whole[:cut]
    if carry:
        yield carry


def _check_utf8(start: bytes, name: str) -> None:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:4]:
        raise Unsafe("damaged", why=f"{name} is not written in UTF-8.")


def _check_declarations(chunk: bytes, name: str) -> None:
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise Unsafe("xml_dtd", why=f"In {name}.")


def stream_checked(archive: zipfile.ZipFile, name: str, *, strings: bool = False) -> None:
    """Refuse a part of XML that declares entities or states an impossible count."""
    count = 0
    for chunk in _chunks(_pieces(archive, name), name):
        _check_declarations(chunk, name)
        if match := _STATED_COUNT.search(chunk):
            # The cell reader sets memory aside for as many as a part says it holds.
            raise Unsafe("damaged", why=f"{name} says {match[0][:40]!r}.")
        if strings:
            count += chunk.count(b"<si")
            if count > _MAX_STRINGS:
                raise Unsafe("sheet_too_large", why=f"More than {_MAX_STRINGS:,} texts.")


def small_part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a part that is never large; refuse one that is."""
    if archive.getinfo(name).file_size > _MAX_SMALL:
        raise Unsafe("zip_bomb", why=f"{name} is unusually large.")
    return archive.read(name)


def _parse(content: bytes) -> ET.Element:
    """Parse a small part already known to declare no entities."""
    try:
        return ET.fromstring(content, ET.XMLParser(encoding="utf-8"))  # noqa: S314
    except ET.ParseError as error:
        raise Unsafe("damaged", why=f"XML: {error}") from None


def _local(tag: str) -> str:
    return _NAMESPACE.sub("", tag)


def relations(content: bytes) -> dict[str, tuple[str, str]]:
    """Return id → part and type of the relations that stay within the container."""
    found = {}
    for element in _parse(content):
        target = element.get("Target", "")
        if element.get("TargetMode") == "External":
            continue
        path = target[1:] if target.startswith("/") else posixpath.join("xl", target)
        found[element.get("Id", "")] = (posixpath.normpath(path), element.get("Type", ""))
    return found


def _sheets(content: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield name, relation id and state of every sheet."""
    for element in _parse(content).iter():
        if _local(element.tag) == "sheet":
            relation = next((v for k, v in element.attrib.items() if _local(k) == "id"), "")
            yield element.get("name", ""), relation, element.get("state", "visible")


def _fonts_by_style(archive: zipfile.ZipFile, names: dict[str, str]) -> list[str]:
    """Return the font of every cell style, or nothing where no font is of an old encoding."""
    name = names.get("xl/styles.xml")
    if name is None:
        return []
    content = small_part(archive, name)
    if not re.search(rb'="\.?[Vv][Nn]|="VPS|="ABC', content):
        return []
    fonts: list[str] = []
    styles: list[str] = []
    for element in _parse(content):
        if _local(element.tag) == "fonts":
            for font in element:
                named = (e.get("val", "") for e in font if _local(e.tag) == "name")
                fonts.append(next(named, ""))
        elif _local(element.tag) == "cellXfs":
            for style in element:
                number = style.get("fontId", "0")
                index = int(number) if number.isdigit() else 0
                styles.append(fonts[index] if index < len(fonts) else "")
    return styles if any(_LEGACY_FONT.match(font) for font in styles) else []


# --- one sheet --------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _strange(rows: int, cols: int) -> str:
    """Match a cell tag that is not plainly written or lies beyond rows x cols (rounded up)."""
    letters, digits = column_letters(cols), str(rows)
    more = len(letters) - 1
    far = [f"[A-Z]{{{len(letters) + 1}}}", rf"[A-Z]{{1,3}}\d{{{len(digits) + 1}}}"]
    if letters[0] < "Z":
        far.append(f"[{chr(ord(letters[0]) + 1)}-Z][A-Z]{{{more}}}")
    if digits[0] < "9":
        far.append(rf"[A-Z]{{1,3}}[{int(digits[0]) + 1}-9]\d{{{len(digits) - 1}}}")
    odd = [
        r":c[ \t\r\n>]",
        r"<c[\t\r\n>]",
        r"<c [^r]",
        r"<c r[^=]",
        r'<c r=[^"]',
        r'<c r="[^A-Z]',
    ]
    return "|".join([*odd, f'<c r="(?:{"|".join(far)})'])


_FLAGS: Final = {"e": 't="e"', "f": "</f>", "h": 'hidden="'}
_DIMENSION: Final = re.compile(rb'<dimension ref="(?:[A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})"')
_TAG: Final = re.compile(
    rb"<(?:[\w.\-]+:)?(row|c)(?=[\s/>])((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>(</|<(?:[\w.\-]+:)?is\s*/)?"
)
_REFERENCE: Final = re.compile(rb"(?:^|\s)r\s*=\s*[\"']([^\"']*)[\"']")
_CELL_REFERENCE: Final = re.compile(rb"([A-Za-z]{1,3})(\d{1,7})")


def _scan_large(
    archive: zipfile.ZipFile,
    shared: Shared,
    facts: SheetFacts,
    *,
    max_cells: int,
    fonts: list[str],
) -> None:
    """Learn what there is to know from the reading itself; scan as ever where it declines."""
    from htx_pipeline.ingest._cells_xlsx import PADDING, padded, read_cells

    content = padded(archive, facts.part)
    _check_utf8(content[:4], facts.part)
    _check_declarations(content[: max(content.find(b"<sheetData"), _CHUNK)], facts.part)
    reading = read_cells(content, shared, max_cells=max_cells)
    if reading is None:
        end = len(content) - len(PADDING)

        def pieces() -> Iterator[bytes]:
            return (content[at : min(at + _CHUNK, end)] for at in range(0, end, _CHUNK))

        _scan_sheet(pieces, facts, max_cells=max_cells, fonts=fonts)
        return
    facts.grid, facts.merged = reading.grid, reading.merged
    facts.rows, facts.cols = reading.rows, reading.cols
    facts.has_formulas = reading.has_formulas
    flags = "e" * reading.has_errors + "f" * reading.has_formulas + "h" * reading.has_hidden
    if flags or fonts:
        _details(content, facts, flags, fonts)


def _scan_sheet(pieces: Pieces, facts: SheetFacts, *, max_cells: int, fonts: list[str]) -> None:
    extent, flags = _fast_extent(pieces, facts.part)
    if extent is None or extent[0] * extent[1] > max_cells:
        extent = _exact_extent(pieces, facts.part, facts.name, max_cells)
    facts.rows, facts.cols = extent
    if extent[0] * extent[1] > max_cells:
        raise Unsafe(
            "sheet_too_large",
            where=facts.name,
            why=f"{extent[0]:,} rows x {extent[1]:,} columns; the limit is {max_cells:,} cells.",
        )
    facts.has_formulas = "f" in flags
    if flags or fonts:
        _details(b"".join(pieces()), facts, flags, fonts)


def _fast_extent(pieces: Pieces, part: str) -> tuple[tuple[int, int] | None, str]:
    """Check the stated dimension in one cheap pass; None when the sheet is written unusually.

    Returns the extent and flags: ``e`` error cells, ``f`` formulas, ``h`` something hidden.
    """
    flags = ""
    extent: tuple[int, int] | None = None
    trusted = True
    for number, batch in enumerate(_batches(_chunks(pieces(), part))):
        if number == 0:
            _check_declarations(batch[0], part)
            match = _DIMENSION.search(batch[0][:4096])
            if match:
                extent = int(match[2]), column_number(match[1].decode())
            trusted = extent is not None and 0 < extent[0] <= _MAX_ROW and extent[1] <= _MAX_COL
        strange = _strange(*extent) if trusted and extent else ""
        wanted = [text for flag, text in _FLAGS.items() if flag not in flags]
        if not wanted and not strange:
            break
        if not _contains(batch, "|".join([*wanted, *([strange] if strange else [])])):
            continue
        for flag, text in _FLAGS.items():
            if flag not in flags and any(text.encode() in chunk for chunk in batch):
                flags += flag
        if strange and _contains(batch, strange):
            trusted = False
    return (extent if trusted else None), flags


def _batches(chunks: Iterator[bytes], size: int = 8) -> Iterator[list[bytes]]:
    while batch := list(islice(chunks, size)):
        yield batch


def _contains(batch: list[bytes], pattern: str) -> bool:
    """Search with the linear-time engine of Polars; text that is not UTF-8 counts as a hit."""
    import polars as pl

    try:
        text = pl.Series(batch, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return True
    return bool(text.str.contains(pattern).any())


def _exact_extent(pieces: Pieces, part: str, title: str, max_cells: int) -> tuple[int, int]:
    """Follow every row and cell tag as the cell reader does; empty cells do not count."""
    rows = cols = 0
    row = col = 0
    for chunk in _chunks(pieces(), part):
        for tag in _TAG.finditer(chunk):
            kind, attributes, closing = tag.groups()
            reference = _REFERENCE.search(attributes)
            if kind == b"row":
                row = int(reference[1]) if reference and reference[1].isdigit() else row + 1
                col = 0
                continue
            if reference:
                match = _CELL_REFERENCE.fullmatch(reference[1])
                if match is None:
                    raise Unsafe("damaged", where=title, why=f"A cell is named {reference[1]!r}.")
                col = column_number(match[1].decode().upper())
                at = int(match[2])
            else:
                col, at = col + 1, row
            if attributes.endswith(b"/") or closing:
                continue
            rows, cols = max(rows, at), max(cols, col)
            if rows > _MAX_ROW or cols > _MAX_COL or rows * cols > max_cells:
                raise Unsafe(
                    "sheet_too_large",
                    where=title,
                    why=f"Its cells reach to {column_letters(cols)}{rows}.",
                )
    return rows, cols


_ROW: Final = re.compile(rb"<row ([^>]*)>")
_COL: Final = re.compile(rb"<col ([^>]*?)/?>")
_NUMBER: Final = re.compile(rb'(?:^|\s)(r|min|max|hidden)="([^"]*)"')
_FORMULA: Final = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*><f(?:[^>]*/>|[^>]*>([^<]*)</f>)(<v>[^<])?'
)
_ERROR: Final = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*?t="e"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]*)</v>'
)
_STYLED_TEXT: Final = re.compile(
    rb'<c r="([A-Z]{1,3})\d{1,7}"(?: s="(\d{1,6})")? t="(?:s|str|inlineStr)"'
)


def _details(  # noqa: PLR0912
    xml: bytes, facts: SheetFacts, flags: str, fonts: list[str]
) -> None:
    if "h" in flags:
        rows = set()
        for match in _ROW.finditer(xml):
            values = dict(_NUMBER.findall(match[1]))
            if values.get(b"hidden") in (b"1", b"true") and values.get(b"r", b"").isdigit():
                rows.add(int(values[b"r"]))
        facts.hidden_rows = frozenset(rows)
        cols: set[int] = set()
        for match in _COL.finditer(xml[: max(xml.find(b"<sheetData"), 0)]):
            values = dict(_NUMBER.findall(match[1]))
            low, high = values.get(b"min", b""), values.get(b"max", b"")
            if values.get(b"hidden") in (b"1", b"true") and low.isdigit() and high.isdigit():
                cols.update(range(int(low), min(int(high), _MAX_COL) + 1))
        facts.hidden_cols = frozenset(cols)
    if "f" in flags:
        for match in _FORMULA.finditer(xml):
            row, col = int(match[2]), column_number(match[1].decode())
            if not match[4]:
                facts.n_formulas_without_value += 1
                if len(facts.formulas_without_value) < MAX_LISTED:
                    facts.formulas_without_value.append((row, col))
            if match[3] and len(facts.programs) < MAX_LISTED:
                text = match[3].decode("utf-8", "replace")
                if PROGRAM.search(text):
                    facts.programs.append((row, col, text))
    if "e" in flags:
        for match in _ERROR.finditer(xml):
            at = (int(match[2]), column_number(match[1].decode()))
            facts.errors[at] = match[3].decode("utf-8", "replace") or "#ERROR"
    if fonts:
        for match in _STYLED_TEXT.finditer(xml):
            style = int(match[2] or 0)
            if style < len(fonts):
                counts = facts.fonts.setdefault(column_number(match[1].decode()), {})
                counts[fonts[style]] = counts.get(fonts[style], 0) + 1
