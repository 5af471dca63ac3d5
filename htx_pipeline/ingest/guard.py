"""The door: what a file really is, and whether it is safe to open.

What belongs here: everything decided *before* a spreadsheet library sees the bytes (real type by
content, size, zip and XML bombs, encryption, links, odd names). What does not: the words of a refusal
(`refusals`) and of a note (`notes`), reading cells (`workbook`) and understanding them (`layout`).

Nothing is ever extracted to disk, followed, fetched, calculated or run. A file is read once into
memory through a descriptor that refuses links, and every later step works on those same bytes, so
nobody can swap the file between the check and the reading.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from htx_pipeline.ingest import _scan_ods, _scan_xls, _scan_xlsb, _scan_xlsx
from htx_pipeline.ingest._scan import SheetFacts, Unsafe
from htx_pipeline.ingest.notes import (
    DDE,
    FORMULAS_UNSEEN,
    LINKS,
    MACROS,
    WEB_PAGE,
    Note,
    content_notes,
)
from htx_pipeline.ingest.refusals import refuse

Kind = Literal["xlsx", "xlsm", "xlsb", "xls", "ods", "csv", "html"]

MIB: Final = 2**20


@dataclass(frozen=True)
class Limits:
    """How much one file may cost. Above a limit the file is refused, never half read.

    Parameters
    ----------
    max_file_bytes:
        Size on disk.
    max_part_bytes:
        One part of a zip container (one sheet's XML) after unpacking; about 250,000 rows x 15.
    max_unpacked_bytes:
        All parts together after unpacking.
    max_ratio:
        Unpacked over packed size of one part; looked at only for parts above 8 MiB unpacked.
        Ordinary sheets pack 5 to 30 times, a deflate bomb about 1,000 times.
    max_entries:
        Parts in the container.
    max_cells:
        Rows x columns of one sheet's used range: what the reader must hold in memory.
    max_sheets:
        Sheets in one workbook.
    """

    max_file_bytes: int = 96 * MIB
    max_part_bytes: int = 160 * MIB
    max_unpacked_bytes: int = 400 * MIB
    max_ratio: float = 250.0
    max_entries: int = 4_000
    max_cells: int = 12_000_000
    max_sheets: int = 400


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class FileInfo:
    """What a file is, decided from its bytes.

    ``sheets`` holds what the scan learnt about each sheet of a workbook, in workbook order; it is
    empty for CSV.
    """

    name: str
    sha256: str
    size: int
    kind: Kind
    notes: tuple[Note, ...] = ()
    sheets: tuple[SheetFacts, ...] = field(default=(), repr=False)


# --- reading the bytes ------------------------------------------------------------------------


def read_bytes(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read an ordinary file whole, refusing links, devices, pipes and oversize files.

    Examples
    --------
    >>> read_bytes("no such file")
    Traceback (most recent call last):
    ...
    htx_pipeline.errors.InputError: There is no such file.
      where: no such file
      do:    Check the path.
      vi:    Không tìm thấy tệp. Đề nghị kiểm tra lại đường dẫn.
    """
    where = Path(path).name
    if Path(path).is_symlink():
        raise refuse("symlink", where=where)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise refuse("not_found", where=str(path)) from None
        if error.errno == errno.ELOOP:
            raise refuse("symlink", where=where) from None
        code = "not_a_file" if Path(path).is_dir() else "not_readable"
        raise refuse(code, where=where, why=error.strerror or "") from None
    except ValueError as error:  # a NUL in the path
        raise refuse("not_found", where=repr(str(path)), why=str(error)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise refuse("not_a_file", where=where)
    with os.fdopen(descriptor, "rb") as stream:
        if status.st_size > limits.max_file_bytes:
            raise refuse(
                "file_too_large",
                where=where,
                why=f"{status.st_size:,} bytes; the limit is {limits.max_file_bytes:,}.",
            )
        content = stream.read(limits.max_file_bytes + 1)
    if len(content) > limits.max_file_bytes:
        raise refuse("file_too_large", where=where, why="It grew while it was read.")
    if not content:
        raise refuse("empty_file", where=where)
    return content


# --- what is it -------------------------------------------------------------------------------

_OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"{\\rtf", "an RTF document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
)
_EXTENSIONS: Final[dict[str, tuple[str, ...]]] = {
    "xlsx": (".xlsx", ".xltx"),
    "xlsm": (".xlsm", ".xltm"),
    "xlsb": (".xlsb",),
    "xls": (".xls", ".xlt"),
    "ods": (".ods", ".ots"),
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "html": (".html", ".htm"),
}


def check_file(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> FileInfo:
    """Say what a file is and refuse it if opening it would be unsafe.

    Parameters
    ----------
    path:
        The file. A symbolic link is refused, not followed.
    limits:
        How much the file may cost.

    Returns
    -------
    FileInfo
        Hash, size, real kind whatever the extension says, and notes (wrong extension, macros that
        are not run, external links that are not followed, formulas that start programs).

    Raises
    ------
    InputError
        With one of `refusals.REFUSAL_CODES` as its ``code``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "report.xlsx"
    >>> _ = path.write_text("a;b\\n1;2\\n")
    >>> info = check_file(path)
    >>> info.kind, [note.code for note in info.notes]
    ('csv', ['wrong_extension'])
    """
    return check_bytes(read_bytes(path, limits=limits), name=Path(path).name, limits=limits)


def check_bytes(content: bytes, *, name: str, limits: Limits = DEFAULT_LIMITS) -> FileInfo:
    """Do what `check_file` does, on bytes already read.

    Examples
    --------
    >>> check_bytes(b"a,b\\n1,2\\n", name="a.csv").kind
    'csv'
    """
    if not content:
        raise refuse("empty_file", where=name)
    sha256 = hashlib.sha256(content).hexdigest()
    known = _PASSED.get((sha256, limits))
    if known is None:
        try:
            known = _classify(content, name, limits)
        except Unsafe as unsafe:
            raise refuse(unsafe.code, where=unsafe.where or name, why=unsafe.why) from None
        _remember((sha256, limits), known)
    kind, sheets, notes = known
    info = FileInfo(
        name=name,
        sha256=sha256,
        size=len(content),
        kind=kind,
        notes=tuple(notes),
        sheets=tuple(sheets),
    )
    suffix = Path(name).suffix.lower()
    if suffix not in _EXTENSIONS[kind]:
        note = Note(
            "wrong_extension",
            "info",
            f"The name ends in {suffix or 'nothing'!r} but the content is {kind}; read as {kind}.",
            f"Phần mở rộng của tệp là {suffix or 'trống'!r} nhưng nội dung là {kind}; "
            f"đã đọc theo {kind}.",
            f"Save it with the ending {_EXTENSIONS[kind][0]} next time.",
            f"Lần sau đề nghị lưu tệp với phần mở rộng {_EXTENSIONS[kind][0]}.",
            raw=suffix,
        )
        info = replace(info, notes=(note, *info.notes))
    return info


_REMEMBERED: Final = 8
_PASSED: Final[dict[tuple[str, Limits], tuple[Kind, list[SheetFacts], list[Note]]]] = {}
"""The last contents that passed, by hash: listing a folder and then reading it checks each file once."""


MAX_KEPT_CELLS = 4_000_000
"""Cells that the scan read on the way and that wait for a reader, in all files together: about 40 MB.
Those of later files are dropped, and read again when they are wanted."""


def _remember(key: tuple[str, Limits], known: tuple[Kind, list[SheetFacts], list[Note]]) -> None:
    while len(_PASSED) >= _REMEMBERED:
        _PASSED.pop(next(iter(_PASSED)), None)
    kept = sum(
        sheet.rows * sheet.cols
        for _, sheets, _ in _PASSED.copy().values()
        for sheet in sheets
        if sheet.grid is not None
    )
    for sheet in known[1]:
        kept += sheet.rows * sheet.cols if sheet.grid is not None else 0
        if kept > MAX_KEPT_CELLS:
            sheet.take_grid()
    _PASSED[key] = known


def forget_passed() -> None:
    """Check every content anew from here on."""
    _PASSED.clear()


def _classify(
    content: bytes, name: str, limits: Limits
) -> tuple[Kind, list[SheetFacts], list[Note]]:
    head = content[:4096]
    if head.startswith(b"PK"):
        return _check_zip(content, name, limits)
    if head.startswith(_OLE_MAGIC):
        sheets = _scan_xls.scan(content, max_cells=limits.max_cells, name=name)
        if len(sheets) > limits.max_sheets:
            raise Unsafe("too_many_sheets", why=f"{len(sheets)} sheets.")
        return "xls", sheets, content_notes(sheets)
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise Unsafe("unsupported_kind", why=f"It is {what}.")
    if head[:4] in (
        b"\x09\x08\x10\x00",
        b"\x09\x00\x04\x00",
        b"\x09\x02\x06\x00",
        b"\x09\x04\x06\x00",
    ):
        raise Unsafe("old_workbook", why="It is an Excel file from before 1997.")
    return _classify_text(content)


_UTF_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_XML_WORKBOOKS: Final = (
    (b"urn:schemas-microsoft-com:office:spreadsheet", "an XML Spreadsheet 2003"),
    (b"opendocument.spreadsheet", "a flat OpenDocument spreadsheet"),
)


def _classify_text(content: bytes) -> tuple[Kind, list[SheetFacts], list[Note]]:
    """Tell web pages and bare XML from a text table, in UTF-8 and UTF-16."""
    utf_16 = _UTF_16.get(content[:2])
    head, table = content[:4096], b"<table"
    if utf_16 is not None:
        head = head.decode(utf_16, "replace").encode()
        table = table.decode().encode(utf_16)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table", b"<head")):
        if table in content.lower():
            return "html", [], [WEB_PAGE]
        raise Unsafe("unsupported_kind", why="It is a web page without a table.")
    if text.startswith(b"<?xml") or _XML_WORKBOOKS[0][0] in text:
        for mark, what in _XML_WORKBOOKS:
            if mark in text:
                raise Unsafe("xml_workbook", why=f"It is {what}.")
        raise Unsafe("unsupported_kind", why="It is a bare XML file.")
    return "csv", [], []


def _check_zip(
    content: bytes, name: str, limits: Limits
) -> tuple[Kind, list[SheetFacts], list[Note]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(archive, len(content), limits)
            names = {entry.filename for entry in archive.infolist()}
            if "xl/workbook.bin" in names:
                return _check_xlsb(archive, limits)
            if "xl/workbook.xml" in names or _scan_xlsx.workbook_part(archive) is not None:
                return _check_xlsx(archive, limits)
            if "content.xml" in names:
                return _check_ods(archive, names, limits)
            what = "a Word document" if "word/document.xml" in names else "a zip archive"
            raise Unsafe("unsupported_kind", why=f"It is {what}.")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise Unsafe("damaged", why=f"{error}") from None


def _check_entries(archive: zipfile.ZipFile, size: int, limits: Limits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.max_entries:
        raise Unsafe("zip_bomb", why=f"It holds {len(entries):,} parts.")
    seen: set[str] = set()
    packed = unpacked = 0
    for entry in entries:
        part = entry.filename
        clean = PurePosixPath(part.replace("\\", "/"))
        if clean.is_absolute() or ".." in clean.parts or re.match(r"[A-Za-z]:", part):
            raise Unsafe("unsafe_zip_name", why=f"A part is named {part!r}.")
        if part.lower() in seen:
            raise Unsafe("damaged", why=f"Two parts are named {part!r}.")
        seen.add(part.lower())
        if entry.flag_bits & 0x1:
            raise Unsafe("encrypted", why="The zip container is encrypted.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unsafe("damaged", why=f"Unknown packing method {entry.compress_type}.")
        packed += entry.compress_size
        unpacked += entry.file_size
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > 8 * MIB and ratio > limits.max_ratio:
            raise Unsafe(
                "zip_bomb",
                why=f"{part} unpacks {ratio:,.0f} times to {entry.file_size:,} bytes.",
            )
        if entry.file_size > limits.max_part_bytes:
            raise Unsafe(
                "sheet_too_large",
                why=f"{part} unpacks to {entry.file_size:,} bytes; "
                f"the limit is {limits.max_part_bytes:,}.",
            )
    if packed > size:
        raise Unsafe("zip_bomb", why="Parts of the container overlap.")
    if unpacked > limits.max_unpacked_bytes:
        raise Unsafe(
            "zip_bomb",
            why=f"It unpacks to {unpacked:,} bytes; the limit is {limits.max_unpacked_bytes:,}.",
        )


def _check_xlsx(
    archive: zipfile.ZipFile, limits: Limits
) -> tuple[Kind, list[SheetFacts], list[Note]]:
    found = _scan_xlsx.scan(archive, max_cells=limits.max_cells)
    kind: Kind = "xlsm" if found.has_macros or found.is_macro_kind else "xlsx"
    return kind, found.sheets, _book_notes(found, limits)


def _check_xlsb(
    archive: zipfile.ZipFile, limits: Limits
) -> tuple[Kind, list[SheetFacts], list[Note]]:
    found = _scan_xlsb.scan(archive, max_cells=limits.max_cells)
    notes = _book_notes(found, limits)
    if any(sheet.has_formulas for sheet in found.sheets):
        notes.append(FORMULAS_UNSEEN)
    return "xlsb", found.sheets, notes


def _book_notes(found: _scan_xlsx.Found, limits: Limits) -> list[Note]:
    if len(found.sheets) > limits.max_sheets:
        raise Unsafe("too_many_sheets", why=f"{len(found.sheets)} sheets.")
    notes = content_notes(found.sheets)
    if found.has_macros:
        notes.insert(0, MACROS)
    if found.dde_links:
        notes.insert(0, replace(DDE, count=found.dde_links))
    if found.external_links:
        notes.insert(0, replace(LINKS, count=found.external_links))
    return notes


def _check_ods(
    archive: zipfile.ZipFile, names: set[str], limits: Limits
) -> tuple[Kind, list[SheetFacts], list[Note]]:
    if "mimetype" in names:
        kind = archive.read("mimetype")[:200].decode("ascii", "replace").strip()
        if "spreadsheet" not in kind:
            raise Unsafe("unsupported_kind", why=f"Its content is {kind!r}.")
    sheets = _scan_ods.scan(archive, max_cells=limits.max_cells)
    if len(sheets) > limits.max_sheets:
        raise Unsafe("too_many_sheets", why=f"{len(sheets)} sheets.")
    notes = content_notes(sheets)
    if any(part.startswith(("Basic/", "Scripts/")) for part in names):
        notes.insert(0, MACROS)
    return "ods", sheets, notes
