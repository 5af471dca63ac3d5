"""Compiled loops over the XML of a large .xlsx sheet: cells to arrays, without a Python object per cell.

What belongs here: walking `sheetData` and the shared strings as spreadsheet programs write them. What
does not: deciding what the arrays mean (`_cells_xlsx`), or mending XML: a sheet written in any other way
than the plain one is not read here at all (the kernels return where they stopped), but by calamine.
"""

# ruff: noqa: PLR0911, PLR0917, PLR0912, PLR0915, PLR1714  (one loop over bytes; numba does not inline helpers of ours)
from __future__ import annotations

from typing import Any, Final

from htx_pipeline.graph.kernels.jit import F64, I64, W_F64, W_I64, Type, always, i64, kernel

_U8: Final = Type("uint8", is_array=True)
_W_U8: Final = Type("uint8", is_array=True, is_writable=True)
_W_I8: Final = Type("int8", is_array=True, is_writable=True)
_I8: Final = Type("int8", is_array=True)

EMPTY: Final = 0
NUMBER: Final = 1
TEXT: Final = 2
BOOL: Final = 3
DATE: Final = 4
DURATION: Final = 5
OTHER: Final = 6
HARD: Final = 7
"""A number whose digits need more than a double's exact arithmetic; its text is a piece."""

FORMULA: Final = 1
ERROR: Final = 2
HIDDEN: Final = 4
"""What `read_cells` may meet: formulas, error cells, rows with an attribute that may hide them."""


@kernel(_U8, i64, i64, i64, i64, _I8, F64, _W_I8, W_F64, W_I64, W_I64, W_I64, work=always)
def read_cells(
    xml: Any,
    i: Any,
    n_rows: Any,
    n_cols: Any,
    n_strings: Any,
    styles: Any,
    powers: Any,
    kinds: Any,
    values: Any,
    piece_start: Any,
    piece_length: Any,
    out: Any,
) -> Any:
    """Fill *kinds* and *values* (column by column) from the byte after ``<sheetData>`` on.

    *xml* must end with 64 zero bytes. *out* becomes: pieces, last row, last column, what was met (sum of
    `FORMULA`, `ERROR`, `HIDDEN`). Returns 0; -1 when there are more pieces than room; else the position of
    the first byte that is not plainly written. With no *kinds*, nothing is filled: *out* alone is wanted.
    """
    is_measured = kinds.size == 0
    met = 0
    pieces = 0
    max_row = 0
    max_col = 0
    row = 0
    while True:
        while xml[i] == 32 or xml[i] == 10 or xml[i] == 13 or xml[i] == 9:
            i += 1
        if xml[i] != 60:  # <
            return i
        if xml[i + 1] == 47:  # </sheetData>
            if xml[i + 2] != 115 or xml[i + 7] != 68 or xml[i + 11] != 62:
                return i
            break
        if xml[i + 1] != 114 or xml[i + 2] != 111 or xml[i + 3] != 119 or xml[i + 4] != 32:
            return i
        i += 4
        number = 0
        while xml[i] != 62:
            byte = xml[i]
            if byte == 32 and xml[i + 1] == 114 and xml[i + 2] == 61 and xml[i + 3] == 34:
                i += 4
                while 48 <= xml[i] <= 57 and number < 10_000_000:
                    number = number * 10 + (xml[i] - 48)
                    i += 1
                if xml[i] != 34:
                    return i
            elif byte == 34:
                i += 1
                while xml[i] != 34:
                    if xml[i] == 0 or xml[i] == 60:
                        return i
                    i += 1
            elif (
                byte == 32 and xml[i + 1] == 104 and xml[i + 2] == 105 and xml[i + 3] == 100
            ):  # hid
                met |= 4
            elif byte == 0 or byte == 39 or byte == 60:
                return i
            i += 1
        if number <= row:
            return i
        row = number
        is_closed = xml[i - 1] == 47
        i += 1
        if is_closed:
            continue
        last = 0
        while True:
            while xml[i] == 32 or xml[i] == 10 or xml[i] == 13 or xml[i] == 9:
                i += 1
            if xml[i] != 60:
                return i
            if xml[i + 1] == 47:  # </row>
                if xml[i + 2] != 114 or xml[i + 4] != 119 or xml[i + 5] != 62:
                    return i
                i += 6
                break
            if xml[i + 1] != 99 or xml[i + 2] != 32:  # <c
                return i
            at = i
            i += 2
            col = 0
            style = 0
            kind = 0  # 0 number, 1 shared, 2 formula text, 3 inline, 4 yes or no, 5 error
            while xml[i] == 32:
                i += 1
                name = xml[i]
                if name == 114 and xml[i + 1] == 61 and xml[i + 2] == 34:  # r="
                    i += 3
                    col = 0
                    while 65 <= xml[i] <= 90 and col < 100_000:
                        col = col * 26 + (xml[i] - 64)
                        i += 1
                    number = 0
                    while 48 <= xml[i] <= 57 and number < 10_000_000:
                        number = number * 10 + (xml[i] - 48)
                        i += 1
                    if number != row or xml[i] != 34:
                        return at
                    i += 1
                elif name == 115 and xml[i + 1] == 61 and xml[i + 2] == 34:  # s="
                    i += 3
                    style = 0
                    while 48 <= xml[i] <= 57 and style < 10_000_000:
                        style = style * 10 + (xml[i] - 48)
                        i += 1
                    if xml[i] != 34:
                        return at
                    i += 1
                elif name == 116 and xml[i + 1] == 61 and xml[i + 2] == 34:  # t="
                    i += 3
                    first = xml[i]
                    if first == 115 and xml[i + 1] == 34:
                        kind = 1
                        i += 1
                    elif first == 110 and xml[i + 1] == 34:
                        kind = 0
                        i += 1
                    elif first == 98 and xml[i + 1] == 34:
                        kind = 4
                        i += 1
                    elif first == 101 and xml[i + 1] == 34:
                        kind = 5
                        met |= 2
                        i += 1
                    elif first == 115 and xml[i + 1] == 116 and xml[i + 2] == 114:
                        kind = 2
                        i += 3
                    elif first == 105 and xml[i + 1] == 110 and xml[i + 6] == 83:
                        kind = 3
                        i += 9
                    else:
                        return at
                    if xml[i] != 34:
                        return at
                    i += 1
                else:
                    while xml[i] != 34:
                        if xml[i] == 0 or xml[i] == 39 or xml[i] == 60 or xml[i] == 62:
                            return at
                        i += 1
                    i += 1
                    while xml[i] != 34:
                        if xml[i] == 0 or xml[i] == 60:
                            return at
                        i += 1
                    i += 1
            if col <= last:
                return at
            last = col
            if xml[i] == 47 and xml[i + 1] == 62:
                i += 2
                continue
            if xml[i] != 62:
                return at
            i += 1
            start = -1
            stop = -1
            while True:
                if xml[i] != 60:
                    return at
                if xml[i + 1] == 118 and xml[i + 2] == 62:  # <v>
                    if start >= 0 or kind == 3:
                        return at
                    i += 3
                    start = i
                    while xml[i] != 60 and xml[i] != 0:
                        i += 1
                    stop = i
                    if xml[i + 1] != 47 or xml[i + 2] != 118 or xml[i + 3] != 62:
                        return at
                    i += 4
                elif xml[i + 1] == 102 and (
                    xml[i + 2] == 62 or xml[i + 2] == 32 or xml[i + 2] == 47
                ):
                    met |= 1
                    i += 2
                    while xml[i] != 62:
                        if xml[i] == 34:
                            i += 1
                            while xml[i] != 34:
                                if xml[i] == 0:
                                    return at
                                i += 1
                        elif xml[i] == 0 or xml[i] == 39 or xml[i] == 60:
                            return at
                        i += 1
                    i += 1
                    if xml[i - 2] != 47:
                        while xml[i] != 60 and xml[i] != 0:
                            i += 1
                        if xml[i + 1] != 47 or xml[i + 2] != 102 or xml[i + 3] != 62:
                            return at
                        i += 4
                elif xml[i + 1] == 105 and xml[i + 2] == 115 and xml[i + 3] == 62:  # <is><t…>
                    if start >= 0 or kind != 3 or xml[i + 4] != 60 or xml[i + 5] != 116:
                        return at
                    i += 6
                    while xml[i] != 62:
                        if xml[i] == 0 or xml[i] == 39 or xml[i] == 47 or xml[i] == 60:
                            return at
                        i += 1
                    i += 1
                    start = i
                    while xml[i] != 60 and xml[i] != 0:
                        i += 1
                    stop = i
                    if (
                        xml[i + 1] != 47
                        or xml[i + 2] != 116
                        or xml[i + 3] != 62
                        or xml[i + 4] != 60
                        or xml[i + 5] != 47
                        or xml[i + 6] != 105
                        or xml[i + 7] != 115
                        or xml[i + 8] != 62
                    ):
                        return at
                    i += 9
                elif xml[i + 1] == 47 and xml[i + 2] == 99 and xml[i + 3] == 62:  # </c>
                    i += 4
                    break
                else:
                    return at
            if start < 0:
                continue
            if stop == start:
                return at
            max_row = max(max_row, row)
            max_col = max(max_col, col)
            if is_measured:
                continue
            if row > n_rows or col > n_cols:
                return at
            cell = (col - 1) * n_rows + row - 1
            if kind == 0:
                if style >= styles.size:
                    return at
                j = start
                is_negative = xml[j] == 45
                if is_negative:
                    j += 1
                mantissa = 0
                digits = 0
                scale = 0
                seen = 0
                while j < stop and digits < 19 and 48 <= xml[j] <= 57:
                    mantissa = mantissa * 10 + (xml[j] - 48)
                    digits += mantissa > 0
                    seen += 1
                    j += 1
                if j < stop and xml[j] == 46:
                    j += 1
                    while j < stop and digits < 19 and 48 <= xml[j] <= 57:
                        mantissa = mantissa * 10 + (xml[j] - 48)
                        digits += mantissa > 0
                        scale += 1
                        seen += 1
                        j += 1
                if (
                    j == stop
                    and seen > 0
                    and digits < 19
                    and mantissa < 9007199254740992
                    and scale <= 22
                ):
                    value = mantissa / powers[scale]
                    if is_negative:
                        value = -value
                    kinds[cell] = styles[style]
                    values[cell] = value
                    if styles[style] == 4 and (value < 61.0 or value >= 2958466.0):
                        return at
                else:
                    if styles[style] != 1:
                        # A date with all its digits is a time of day: rare, and exact elsewhere.
                        return at
                    if pieces >= piece_start.size:
                        return -1
                    kinds[cell] = 7
                    values[cell] = pieces
                    piece_start[pieces] = start
                    piece_length[pieces] = stop - start
                    pieces += 1
            elif kind == 1:
                index = 0
                j = start
                while j < stop and 48 <= xml[j] <= 57 and index < 100_000_000:
                    index = index * 10 + (xml[j] - 48)
                    j += 1
                if j != stop or index >= n_strings:
                    return at
                kinds[cell] = 2
                values[cell] = index
            elif kind == 4:
                if stop != start + 1 or (xml[start] != 48 and xml[start] != 49):
                    return at
                kinds[cell] = 3
                values[cell] = xml[start] - 48
            else:
                if pieces >= piece_start.size:
                    return -1
                kinds[cell] = 2
                values[cell] = n_strings + pieces
                piece_start[pieces] = start
                piece_length[pieces] = stop - start
                pieces += 1
    out[0] = pieces
    out[1] = max_row
    out[2] = max_col
    out[3] = met
    return 0


@kernel(_U8, I64, I64, i64, _W_U8, work=always)
def gather_pieces(xml: Any, piece_start: Any, piece_length: Any, pieces: Any, buffer: Any) -> Any:
    """Copy the pieces into *buffer*, each followed by a zero byte; return its length or -1.

    The five named entities and decimal ones are resolved; any other escape, and a carriage return,
    give -1.
    """
    at = 0
    for k in range(pieces):
        i = piece_start[k]
        stop = i + piece_length[k]
        while i < stop:
            byte = xml[i]
            if byte == 0 or byte == 13:
                return -1
            if byte == 95 and i + 6 < stop and xml[i + 1] == 120 and xml[i + 6] == 95:  # _xHHHH_
                return -1
            if byte != 38:
                buffer[at] = byte
                i += 1
            elif xml[i + 1] == 97 and xml[i + 2] == 109 and xml[i + 3] == 112 and xml[i + 4] == 59:
                buffer[at] = 38
                i += 5
            elif xml[i + 1] == 108 and xml[i + 2] == 116 and xml[i + 3] == 59:
                buffer[at] = 60
                i += 4
            elif xml[i + 1] == 103 and xml[i + 2] == 116 and xml[i + 3] == 59:
                buffer[at] = 62
                i += 4
            elif xml[i + 1] == 113 and xml[i + 2] == 117 and xml[i + 5] == 59:
                buffer[at] = 34
                i += 6
            elif xml[i + 1] == 97 and xml[i + 2] == 112 and xml[i + 5] == 59:
                buffer[at] = 39
                i += 6
            elif xml[i + 1] == 35:  # &#234;
                i += 2
                point = 0
                while 48 <= xml[i] <= 57 and point < 10_000_000:
                    point = point * 10 + (xml[i] - 48)
                    i += 1
                if xml[i] != 59 or point < 32 or point > 65533 or 55296 <= point <= 57343:
                    return -1
                i += 1
                if point < 128:
                    buffer[at] = point
                elif point < 2048:
                    buffer[at] = 192 + point // 64
                    buffer[at + 1] = 128 + point % 64
                    at += 1
                else:
                    buffer[at] = 224 + point // 4096
                    buffer[at + 1] = 128 + point // 64 % 64
                    buffer[at + 2] = 128 + point % 64
                    at += 2
            else:
                return -1
            at += 1
        buffer[at] = 0
        at += 1
    return at


@kernel(_U8, i64, W_I64, W_I64, work=always)
def find_strings(xml: Any, i: Any, piece_start: Any, piece_length: Any) -> Any:
    """List the shared strings from the first ``<si>`` on.

    A string of one plain ``<t>`` is listed by its text. Any other (runs of several fonts) is listed by
    its whole ``<si>`` with a negative length. Returns how many there are, -1 when the part is written in
    another way.
    """
    count = 0
    while True:
        while xml[i] == 32 or xml[i] == 10 or xml[i] == 13 or xml[i] == 9:
            i += 1
        if xml[i] != 60 or count >= piece_start.size:
            return -1
        if xml[i + 1] == 47:  # </sst>
            return count
        if xml[i + 1] != 115 or xml[i + 2] != 105 or xml[i + 3] != 62:  # <si>
            return -1
        whole = i
        i += 4
        is_plain = (
            xml[i] == 60 and xml[i + 1] == 116 and (xml[i + 2] == 62 or xml[i + 2] == 32)
        )  # <t
        if is_plain:
            while xml[i] != 62:
                if xml[i] == 0 or xml[i] == 39 or xml[i] == 47:
                    return -1
                i += 1
            i += 1
            piece_start[count] = i
            while xml[i] != 60 and xml[i] != 0:
                i += 1
            piece_length[count] = i - piece_start[count]
            if xml[i + 1] != 47 or xml[i + 2] != 116 or xml[i + 3] != 62:  # </t>
                return -1
            i += 4
            is_plain = xml[i] == 60 and xml[i + 1] == 47 and xml[i + 2] == 115 and xml[i + 4] == 62
        if is_plain:
            i += 5
        else:
            while not (
                xml[i] == 60 and xml[i + 1] == 47 and xml[i + 2] == 115 and xml[i + 4] == 62
            ):
                if xml[i] == 0:
                    return -1
                i += 1
            i += 5
            piece_start[count] = whole
            piece_length[count] = whole - i
        count += 1
