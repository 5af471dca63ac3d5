"""Safety scan of .xls: the OLE container and the BIFF8 record stream.

What belongs here: whether the container is sound, encrypted or not a workbook, how far the cells
reach, hidden rows and columns, fonts, error cells. What does not: cell values.

Sources: Microsoft Open Specifications [MS-CFB] and [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from htx_pipeline.ingest._scan import SheetFacts, Unsafe

_END: Final = 0xFFFFFFFE
_FREE: Final = 0xFFFFFFFF
ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_CELLS: Final = frozenset({0x0203, 0x00FD, 0x027E, 0x00BD, 0x0204, 0x0205, 0x0006, 0x00D6})
_TEXT_CELLS: Final = frozenset({0x00FD, 0x0204, 0x00D6})


def scan(content: bytes, *, max_cells: int, name: str) -> list[SheetFacts]:
    """Return the facts of every sheet; raise `Unsafe` at the first reason to refuse the file."""
    try:
        streams = _streams(content)
        if any(s.lower() == "encryptedpackage" for s in streams):
            raise Unsafe("encrypted")
        lower = {s.lower(): s for s in streams}
        if "workbook" not in lower:
            what = "a Word document" if "worddocument" in lower else "no Excel 97-2003 workbook"
            if "book" in lower:
                raise Unsafe("old_workbook")
            raise Unsafe("unsupported_kind", why=f"It is {what}.")
        return _sheets(_read(content, streams[lower["workbook"]]), max_cells)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise Unsafe("damaged", where=name, why=f"{error}") from None


# --- the container ----------------------------------------------------------------------------


def _sector_size(content: bytes) -> int:
    shift: int = struct.unpack_from("<H", content, 30)[0]
    if shift not in (9, 12):
        raise Unsafe("damaged", why="Impossible sector size.")
    return 1 << shift


def _sector(content: bytes, number: int, size: int) -> bytes:
    start = (number + 1) * size
    piece = content[start : start + size]
    if len(piece) == 0:
        raise Unsafe("damaged", why="It was cut off.")
    return piece


def _allocation(content: bytes) -> list[int]:
    size = _sector_size(content)
    count, first_difat = (
        struct.unpack_from("<I", content, 44)[0],
        struct.unpack_from("<I", content, 68)[0],
    )
    if count * size > len(content) + size:
        raise Unsafe("damaged", why="It was cut off.")
    sectors = [s for s in struct.unpack_from("<109I", content, 76) if s < _END - 2]
    seen: set[int] = set()
    while first_difat < _END - 2:
        if first_difat in seen:
            raise Unsafe("damaged", why="Its allocation table runs in a circle.")
        seen.add(first_difat)
        piece = _sector(content, first_difat, size)
        numbers = struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4])
        sectors += [s for s in numbers[:-1] if s < _END - 2]
        first_difat = numbers[-1]
    table: list[int] = []
    for number in sectors[:count]:
        piece = _sector(content, number, size)
        table += struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4])
    return table


def _chain(table: list[int], start: int) -> Iterator[int]:
    steps = 0
    while start < _END - 2:
        if start >= len(table) or steps > len(table):
            raise Unsafe("damaged", why="Its sectors run in a circle or out of the file.")
        yield start
        start = table[start]
        steps += 1


class _Stream:
    def __init__(self, start: int, size: int, *, mini: bool) -> None:
        self.start, self.size, self.mini = start, size, mini


def _streams(content: bytes) -> dict[str, _Stream]:
    size = _sector_size(content)
    table = _allocation(content)
    first = struct.unpack_from("<I", content, 48)[0]
    cutoff = struct.unpack_from("<I", content, 56)[0]
    directory = b"".join(_sector(content, s, size) for s in _chain(table, first))
    streams: dict[str, _Stream] = {}
    for at in range(0, len(directory) - 127, 128):
        entry = directory[at : at + 128]
        length, kind = struct.unpack_from("<HB", entry, 64)
        if kind not in (1, 2, 5) or not 2 <= length <= 64:
            continue
        title = entry[: length - 2].decode("utf-16-le", "replace")
        start, total = struct.unpack_from("<II", entry, 116)
        if kind == 2:
            if total > len(content) + size:
                raise Unsafe("damaged", why="It was cut off.")
            streams.setdefault(title, _Stream(start, total, mini=total < cutoff))
        elif kind == 5:
            streams["\0root"] = _Stream(start, total, mini=False)
    return streams


def _read(content: bytes, stream: _Stream) -> bytes:
    size = _sector_size(content)
    table = _allocation(content)
    if not stream.mini:
        data = b"".join(_sector(content, s, size) for s in _chain(table, stream.start))
    else:
        root = _streams(content).get("\0root")
        if root is None:
            raise Unsafe("damaged", why="Its root entry is missing.")
        whole = b"".join(_sector(content, s, size) for s in _chain(table, root.start))
        first = struct.unpack_from("<I", content, 60)[0]
        packed = b"".join(_sector(content, s, size) for s in _chain(table, first))
        numbers = list(struct.unpack(f"<{len(packed) // 4}I", packed[: len(packed) // 4 * 4]))
        data = b"".join(whole[s * 64 : s * 64 + 64] for s in _chain(numbers, stream.start))
    if len(data) < stream.size:
        raise Unsafe("damaged", why="It was cut off.")
    return data[: stream.size]


# --- the records ------------------------------------------------------------------------------


def _sheets(book: bytes, max_cells: int) -> list[SheetFacts]:
    sheets: list[SheetFacts] = []
    starts: list[int] = []
    fonts: list[str] = []
    styles: list[int] = []
    at = 0
    ended = False
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        body = book[at + 4 : at + 4 + length]
        if at == 0 and kind != 0x0809:
            raise Unsafe("damaged", why="Its first record is not a workbook's.")
        if kind == 0x002F:
            raise Unsafe("encrypted")
        if kind == 0x0085:
            starts.append(struct.unpack_from("<I", body)[0])
            is_sheet = body[5] == 0
            title = _text(body[6:])
            sheets.append(SheetFacts(title, is_worksheet=is_sheet))
        elif kind == 0x0031 and length > 16:
            fonts.append(_text(body[14:]))
        elif kind == 0x00E0 and length >= 4:
            styles.append(struct.unpack_from("<H", body)[0])
        elif kind == 0x000A:
            ended = True
            break
        at += 4 + length
    if not ended:
        raise Unsafe("damaged", why="It was cut off.")
    # Font number 4 does not exist in this format: numbers above it are one too high.
    by_style = [fonts[f - (f > 4)] if f - (f > 4) < len(fonts) else "" for f in styles]
    for facts, start in zip(sheets, starts, strict=True):
        _sheet(book, start, facts, by_style, max_cells)
    return sheets


def _text(body: bytes) -> str:
    """Decode a short string: length byte, option byte, characters."""
    length, wide = body[0], body[1] & 1
    if wide:
        return body[2 : 2 + 2 * length].decode("utf-16-le", "replace")
    return body[2 : 2 + length].decode("latin-1")


def _sheet(  # noqa: PLR0912
    book: bytes, at: int, facts: SheetFacts, by_style: list[str], max_cells: int
) -> None:
    hidden_rows: set[int] = set()
    hidden_cols: set[int] = set()
    depth = 0
    unpack = struct.unpack_from
    while True:
        if at + 4 > len(book):
            raise Unsafe("damaged", where=facts.name, why="It was cut off.")
        kind, length = unpack("<HH", book, at)
        body = at + 4
        if kind == 0x0809:
            depth += 1
        elif kind == 0x000A:
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1 and kind in _CELLS and length >= 6:
            row, col, style = unpack("<HHH", book, body)
            last = col
            if kind == 0x00BD:
                last = unpack("<H", book, body + length - 2)[0]
            elif kind == 0x0205 and length >= 8 and book[body + 7]:
                facts.errors[(row + 1, col + 1)] = ERRORS.get(book[body + 6], "#ERROR")
            elif kind == 0x0006:
                facts.has_formulas = True
                result = book[body + 6 : body + 14]
                if result[6:] == b"\xff\xff" and result[0] == 2:
                    facts.errors[(row + 1, col + 1)] = ERRORS.get(result[2], "#ERROR")
            facts.rows = max(facts.rows, row + 1)
            facts.cols = max(facts.cols, last + 1, col + 1)
            if facts.rows * facts.cols > max_cells or facts.cols > 256:
                raise Unsafe(
                    "sheet_too_large",
                    where=facts.name,
                    why=f"Its cells reach to row {facts.rows:,}, column {facts.cols:,}.",
                )
            if kind in _TEXT_CELLS and style < len(by_style):
                counts = facts.fonts.setdefault(col + 1, {})
                counts[by_style[style]] = counts.get(by_style[style], 0) + 1
        elif kind == 0x0208 and length >= 16:
            if unpack("<I", book, body + 12)[0] & 0x20:
                hidden_rows.add(unpack("<H", book, body)[0] + 1)
        elif kind == 0x007D and length >= 10:
            low, high, _, _, options = unpack("<HHHHH", book, body)
            if options & 1:
                hidden_cols.update(range(low + 1, min(high, 255) + 2))
        at = body + length
    facts.hidden_rows = frozenset(r for r in hidden_rows if r <= facts.rows)
    facts.hidden_cols = frozenset(c for c in hidden_cols if c <= facts.cols)
