"""From the bytes of a text table to rows of text, whatever its encoding and separator.

What belongs here: deciding the encoding (with a stated confidence) and the separator, splitting
records, and saying what was irregular. What does not: turning legacy Vietnamese code points into
Unicode (the encodings module does it on the strings produced here).

A byte encoding that merely *carries* another one (TCVN3 or VNI typed through a Western code page)
is decoded so that every byte keeps its own character: ``latin-1`` where the bytes need it, else
``cp1252``. The converter then sees exactly what the font showed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from htx_pipeline.errors import InputError

SEPARATORS: Final = (",", ";", "\t", "|")
_MAX_COLUMNS: Final = 16_384


@dataclass(frozen=True)
class Decoded:
    """Text and how it was read.

    ``encoding`` is a Python codec name; ``confidence`` is 1.0 for a byte order mark or valid
    UTF-8 with non-ASCII text, lower for a guess among one-byte encodings. ``legacy`` names the
    Vietnamese font encoding the characters seem to be in (``tcvn3``, ``vni``), or is empty.
    """

    text: str
    encoding: str
    confidence: float
    legacy: str = ""


@dataclass(frozen=True)
class TextTable:
    """Records of a text table.

    ``rows`` hold text as written (empty string for an empty field); ``lines`` is the physical
    line each record starts on. ``ragged`` lists records whose number of fields differs from the
    most common one, as (record, fields).
    """

    rows: list[list[str]]
    lines: list[int]
    decoded: Decoded
    separator: str
    n_cols: int
    ragged: list[tuple[int, int]]
    n_ragged: int
    nul_bytes: int = 0
    unclosed_quote_line: int | None = None


# Words so common in Vietnamese tables that one of them settles the encoding.
_VIETNAMESE: Final = frozenset(
    "ăâđêôơưĂÂĐÊÔƠƯàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
)
# Bytes of TCVN3 letters that no ordinary Western text uses between ASCII letters.
_TCVN3_BYTES: Final = frozenset(
    b"\xa8\xa9\xaa\xab\xac\xad\xae\xb5\xb6\xb7\xb8\xb9\xbb\xbc\xbd\xbe\xc6\xc7"
)
_VNI_PAIR: Final = re.compile(r"[aeouyAEOUY][\u00c0-\u00d6\u00d8-\u00dd\u00e0-\u00f6\u00f8-\u00fd]")


def decode(content: bytes, *, name: str = "", encoding: str | None = None) -> Decoded:
    """Decode bytes, saying which encoding and how sure.

    Parameters
    ----------
    content:
        The whole file.
    name:
        For messages.
    encoding:
        Decode strictly with this one; a byte that does not fit raises `InputError` with its
        offset and line.

    Returns
    -------
    Decoded
        Never fails without *encoding*: every byte has a character in the last resort.

    Examples
    --------
    >>> decode("Hợp tác xã".encode("utf-8")).encoding
    'utf-8'
    >>> decode("Hợp tác xã".encode("utf-16")).encoding
    'utf-16'
    >>> decode(b"C\\xe9ng ho\\xb5").legacy
    'tcvn3'
    """
    if encoding is not None:
        return Decoded(_strict(content, encoding, name), encoding, 1.0)
    for mark, codec in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return Decoded(_strict(content, codec, name), codec, 1.0)
    sample = content[:4000]
    if len(content) >= 4 and len(content) % 2 == 0:
        for codec, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
            if zeros.count(0) > 0.4 * len(zeros):
                return Decoded(_strict(content, codec, name), codec, 0.9)
    try:
        text = content.decode("utf-8")
        return Decoded(text, "utf-8", 1.0 if not text.isascii() else 0.99)
    except UnicodeDecodeError as error:
        if error.start > 0.999 * len(content) - 4 and not content[: error.start].isascii():
            raise _undecodable(content, "utf-8", name, error.start) from None
        utf8_share = _utf8_share(content)
    if utf8_share > 0.9:
        raise _undecodable(content, "utf-8", name, error_start(content))
    return _one_byte(content)


def error_start(content: bytes) -> int:
    """Return the offset of the first byte that is not UTF-8, or -1.

    Examples
    --------
    >>> error_start(b"abc\\xff")
    3
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1


def _utf8_share(content: bytes) -> float:
    """Share of the non-ASCII bytes that belong to valid UTF-8 characters."""
    valid = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]{1,3}", content[: 1 << 20]))
    bad = content[: 1 << 20].decode("utf-8", "replace").count("\ufffd")
    return valid / max(valid + bad, 1)


def _strict(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(content, encoding, name, error.start) from None
    except LookupError:
        raise InputError(
            f"There is no encoding named {encoding!r}.",
            where=name,
            remedy="Use utf-8, utf-16, cp1258, cp1252 or latin-1.",
            code="unknown_encoding",
        ) from None


def _undecodable(content: bytes, encoding: str, name: str, offset: int) -> InputError:
    line = content.count(b"\n", 0, offset) + 1
    return InputError(
        f"The text is not valid {encoding}.",
        where=f"{name}, line {line}, byte {offset}".lstrip(", "),
        why=f"Byte 0x{content[offset]:02X} cannot stand there."
        if offset < len(content)
        else "The text ends in the middle of a character.",
        remedy="Save the file as CSV UTF-8 and send it again, or name its encoding in the mapping.",
        what_vi=f"Văn bản không đúng bảng mã {encoding} (dòng {line}, byte {offset}).",
        remedy_vi="Đề nghị lưu tệp dạng CSV UTF-8 rồi gửi lại, hoặc khai báo bảng mã.",
        code="undecodable",
    )


def _one_byte(content: bytes) -> Decoded:
    """Choose among TCVN3, VNI, cp1258 and cp1252 by what the letters would be."""
    high = Counter(b for b in content[: 1 << 20] if b >= 0x80)
    total = sum(high.values())
    tcvn = sum(n for b, n in high.items() if b in _TCVN3_BYTES)
    western = content.decode("latin-1")
    try:
        western = content.decode("cp1252")
        codec = "cp1252"
    except UnicodeDecodeError:
        codec = "latin-1"
    sample = western[: 1 << 20]
    pairs = len(_VNI_PAIR.findall(sample)) + len(re.findall("[öôñÖÔÑ]", sample))
    tones = len(re.findall("[øõûùïØÕÛÙÏ]", sample))
    if tcvn > 0.25 * total:
        raw = content.decode("latin-1")
        return Decoded(raw, "latin-1", round(min(0.95, 0.5 + tcvn / total), 2), "tcvn3")
    if pairs > 0.7 * total and tones > 0.15 * total:
        return Decoded(western, codec, round(min(0.9, pairs / total), 2), "vni")
    try:
        vietnamese = content.decode("cp1258")
    except UnicodeDecodeError:
        return Decoded(western, codec, 0.5)
    marks = sum(vietnamese.count(c) for c in "\u0300\u0301\u0303\u0309\u0323")
    letters = sum(vietnamese.count(c) for c in "ăđơưĂĐƠƯ")
    if marks and letters and marks + letters > 0.2 * total:
        return Decoded(vietnamese, "cp1258", 0.9)
    return Decoded(western, codec, 0.6)


# --- records ----------------------------------------------------------------------------------


def _separator(text: str) -> str:
    """Choose the separator that splits most records into the same number (>1) of fields."""
    sample = text[:200_000]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        counts: Counter[int] = Counter()
        try:
            for record in islice(_reader(sample, separator), 300):
                if any(record):
                    counts[len(record)] += 1
        except csv.Error:  # a field longer than the reader takes: not this separator
            continue
        if not counts:
            continue
        width, times = max(counts.items(), key=lambda kv: (kv[1] if kv[0] > 1 else 0, kv[0]))
        if width < 2:
            continue
        score = (times / sum(counts.values()), width)
        if score > best_score:
            best, best_score = separator, score
    return best


def _reader(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def read_table(
    content: bytes,
    *,
    name: str = "",
    encoding: str | None = None,
    separator: str | None = None,
    max_cells: int = 12_000_000,
) -> TextTable:
    """Split a text table into records.

    Quoted line breaks stay inside their field; NUL bytes are dropped and counted; records of
    another length are kept whole and reported.

    Raises
    ------
    InputError
        ``undecodable``, ``unknown_encoding``, ``not_text`` or ``sheet_too_large``.

    Examples
    --------
    >>> table = read_table('tên;vốn\\n"HTX\\nA";1,5\\nB\\n'.encode())
    >>> table.separator, table.rows, table.ragged
    (';', [['tên', 'vốn'], ['HTX\\nA', '1,5'], ['B']], [(3, 1)])
    """
    decoded = decode(content, name=name, encoding=encoding)
    text = decoded.text
    nul = text.count("\0")
    controls = sum(text.count(chr(c)) for c in (*range(1, 9), *range(14, 27)))
    if controls + nul > 0.02 * len(text) + 2:
        raise InputError(
            "The file is neither a workbook nor readable text.",
            where=name,
            why=f"{controls + nul:,} control characters.",
            remedy="Open it in Excel or LibreOffice, save it as .xlsx and send that file.",
            what_vi="Tệp không phải là bảng tính, cũng không phải văn bản đọc được.",
            remedy_vi="Đề nghị mở bằng Excel hoặc LibreOffice, lưu dạng .xlsx rồi gửi lại.",
            code="not_text",
        )
    if nul:
        text = text.replace("\0", "")
    text = text.removeprefix("\ufeff")
    hint = re.match(r"sep=(.)\r?\n", text)
    if hint and separator is None and hint[1] in SEPARATORS:
        separator = hint[1]
    separator = separator or _separator(text)
    rows: list[list[str]] = []
    lines: list[int] = []
    cells = 0
    reader = _reader(text, separator)
    start = 1
    unclosed: int | None = None
    try:
        for record in reader:
            rows.append(record)
            lines.append(start)
            start = reader.line_num + 1
            cells += len(record)
            if cells > max_cells or len(record) > _MAX_COLUMNS:
                raise InputError(
                    "The text table is too large to read.",
                    where=f"{name}, line {start}",
                    why=f"More than {max_cells:,} cells or {_MAX_COLUMNS:,} columns.",
                    remedy="Split the file by locality and send it again.",
                    what_vi="Tệp văn bản quá lớn.",
                    remedy_vi="Đề nghị tách tệp theo địa bàn rồi gửi lại.",
                    code="sheet_too_large",
                )
        ended_open = reader.line_num > lines[-1] if lines else False
        ended_open = ended_open and _is_open(text, lines[-1], separator)
        start = lines[-1] if ended_open else start
    except csv.Error:
        ended_open = True  # a field longer than a field can be
    if ended_open:
        unclosed = start
        keep = sum(line < start for line in lines)
        rows[keep:], lines[keep:] = _without_quotes(text, start, separator)
    widths = Counter(len(row) for row in rows if any(row))
    usual = max(widths.items(), key=lambda kv: (kv[1], kv[0]))[0] if widths else 0
    ragged = [(n, len(row)) for n, row in enumerate(rows, 1) if any(row) and len(row) != usual]
    return TextTable(
        rows=rows,
        lines=lines,
        decoded=decoded,
        separator=separator,
        n_cols=max((len(row) for row in rows), default=0),
        ragged=ragged[:1000],
        n_ragged=len(ragged),
        nul_bytes=nul,
        unclosed_quote_line=unclosed,
    )


def _lines_from(text: str, start: int) -> list[str]:
    """Physical lines from a 1-based line on, as the record reader counts them."""
    return list(islice(io.StringIO(text, newline=""), start - 1, None))


def _is_open(text: str, start: int, separator: str) -> bool:
    """Say whether the record that begins on this line ends inside quotation marks."""
    try:
        for _ in csv.reader(_lines_from(text, start), delimiter=separator, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _without_quotes(text: str, start: int, separator: str) -> tuple[list[list[str]], list[int]]:
    rows = [line.rstrip("\r\n").split(separator) for line in _lines_from(text, start)]
    return rows, list(range(start, start + len(rows)))
