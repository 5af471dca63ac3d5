"""A copy of the sender's workbook with the cells marked, or a rendering where a copy would lose something.

What belongs here: opening the copy, colouring, comments, the mark in the margin, taking off the marks
of an earlier return, and saving so that the same input gives the same bytes. What does not: what the
list says (`feedback.listing`) and choosing between copy and rendering (`feedback.deliver`).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any, Final

from htx_pipeline.feedback.listing import Letter, Told, group, write_changes, write_list
from htx_pipeline.feedback.look import (
    AUTHOR,
    CHANGES_NAME,
    FACE,
    FILLS,
    FULL_NAME,
    LIST_NAME,
    LOOKS,
    border_of,
    clean,
    dress,
    fill_of,
    fit_to_width,
    link,
)
from htx_pipeline.feedback.places import Remark
from htx_pipeline.ingest._scan import PROGRAM
from htx_pipeline.ingest.workbook import Workbook

_SENDERS: Final = "\n\n— Ghi chú của đơn vị —\n"
_SHOWN_IN_COMMENT: Final = 5
_LAST_COLUMN: Final = 16_384
_RENDERED_CELLS: Final = 1_500_000
_MARGIN_MARK: Final = re.compile(f"[{''.join(sorted({x.symbol for x in LOOKS.values()}))} ]+")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)


def open_copy(content: bytes, book: Workbook) -> Any:
    """Open the sender's workbook for marking, without our earlier marks and without dangerous formulas."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
    for name in (LIST_NAME, FULL_NAME, CHANGES_NAME):
        if name in copy.sheetnames:
            del copy[name]
    ours = {
        i
        for i, fill in enumerate(copy._fills)
        if getattr(fill.fgColor, "rgb", None) in FILLS and fill.patternType == "solid"
    }
    risky = {s.name for s in book.info.sheets if s.programs}
    for ws in copy.worksheets:
        if ours or ws.legacy_drawing or ws.title in risky:
            _take_off_marks(ws, ours)
        if ws.title in risky:
            _disarm(ws)
    return copy


def _take_off_marks(ws: Any, ours: set[int]) -> None:
    """Remove the colours, comments and margin marks of an earlier return; keep the sender's own."""
    from openpyxl.comments import Comment
    from openpyxl.styles import Border, PatternFill

    for row in ws.iter_rows():
        for cell in row:
            if cell.has_style and cell._style.fillId in ours:
                if isinstance(cell.value, str) and _MARGIN_MARK.fullmatch(cell.value):
                    cell.hyperlink = None
                    cell.value = None
                cell.fill = PatternFill()
                cell.border = Border()
            comment = getattr(cell, "comment", None)
            if comment is not None and comment.author == AUTHOR:
                _, mark, theirs = comment.text.partition(_SENDERS)
                cell.comment = Comment(theirs, "") if mark else None


def _disarm(ws: Any) -> None:
    """Turn formulas that start programs or fetch data into text."""
    for row in ws.iter_rows():
        for cell in row:
            if cell.data_type == "f" and PROGRAM.search(
                str(getattr(cell.value, "text", cell.value))
            ):
                cell.value = clean(str(getattr(cell.value, "text", cell.value)))
                cell.data_type = "s"


def has_dangerous_names(copy: Any) -> bool:
    """Say whether a defined name of the workbook would start a program."""
    names = [
        *copy.defined_names.values(),
        *(n for ws in copy.worksheets for n in ws.defined_names.values()),
    ]
    return any(PROGRAM.search(n.attr_text or "") for n in names)


def render(book: Workbook, remarks: Sequence[Remark]) -> tuple[Any, dict[str, str]]:
    """Return a new workbook with the values of the sheets that are spoken of, cell by cell in their places.

    Returns
    -------
    (workbook, titles)
        *titles* maps the file's sheets to sheets of the new workbook.
    """
    import openpyxl

    copy = openpyxl.Workbook()
    copy.remove(copy.active)
    titles: dict[str, str] = {}
    spoken = {r.sheet for r in remarks}
    for sheet in book.sheets:
        name = "csv" if sheet.is_text else sheet.name
        if name not in spoken:
            continue
        title = _title(sheet.name, set(titles.values()))
        titles[name] = title
        ws = copy.create_sheet(title)
        rows = sheet.rows
        wanted = range(1, len(rows) + 1)
        if sheet.n_rows * sheet.n_cols > _RENDERED_CELLS:
            wanted = sorted(
                {r.row for r in remarks if r.sheet == name and r.row is not None}
                | set(range(1, 21))
            )  # type: ignore[assignment]
        for number in wanted:
            for at, value in enumerate(rows[number - 1] if number <= len(rows) else (), 1):
                _put_value(ws, number, at, value)
        # A title that stands alone in its row may run over its neighbours.
        shared = [row for row in rows[:200] if sum(v != "" for v in row) > 1] or rows[:200]
        for at in range(1, min(sheet.n_cols, 60) + 1):
            longest = max((len(str(row[at - 1])) for row in shared), default=0)
            ws.column_dimensions[ws.cell(1, at).column_letter].width = min(max(longest + 2, 6), 40)
        fit_to_width(ws)
    return copy, titles


def _title(name: str, taken: set[str]) -> str:
    base = re.sub(r"[\[\]:*?/\\']", " ", clean(name)).strip() or "Trang"
    title = base[:31]
    number = 1
    while title.casefold() in {t.casefold() for t in taken} or title in {
        LIST_NAME,
        FULL_NAME,
        CHANGES_NAME,
    }:
        number += 1
        title = f"{base[:26]} ({number})"
    return title


def _put_value(ws: Any, row: int, col: int, value: Any) -> None:
    if value in ("", None):
        return
    cell = ws.cell(row, col)
    if isinstance(value, str):
        cell.value = clean(value)
        cell.data_type = "s"
        return
    cell.value = value
    if isinstance(value, dt.datetime):
        cell.number_format = "dd/mm/yyyy hh:mm" if value.time() != dt.time() else "dd/mm/yyyy"
    elif isinstance(value, dt.date):
        cell.number_format = "dd/mm/yyyy"


def mark(
    copy: Any,
    remarks: Sequence[Remark],
    letter: Letter,
    *,
    titles: dict[str, str],
    changes: Any = None,
    previous: str = "",
) -> None:
    """Write the lists in front of the workbook and mark the cells of the sender's sheets."""
    first = copy.create_sheet(LIST_NAME, 0)
    full = copy.create_sheet(FULL_NAME, 1) if any(g.is_summed_up for g in group(remarks)) else None
    told = write_list(first, remarks, letter, titles=titles, full=full)
    if changes is not None and changes.height:
        write_changes(
            copy.create_sheet(CHANGES_NAME, 2 if full is not None else 1),
            changes,
            titles=titles,
            previous=previous,
        )
    by_sheet: dict[str, dict[tuple[int, int], list[Remark]]] = {}
    for r in remarks:
        if r.sheet in titles and r.row is not None and r.col is not None:
            for col in dict.fromkeys((r.col, *r.also)):
                by_sheet.setdefault(titles[r.sheet], {}).setdefault((r.row, col), []).append(r)
    names = {title: name for name, title in titles.items()}
    for title, cells in by_sheet.items():
        _mark_sheet(copy[title], cells, told, names[title])
    for ws in copy.worksheets:
        ws.sheet_view.tabSelected = False
    copy.active = 0
    first.sheet_view.tabSelected = True
    first.sheet_properties.tabColor = "B00020"


def _mark_sheet(ws: Any, cells: dict[tuple[int, int], list[Remark]], told: Told, name: str) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    inside = {(r, c): (m.min_row, m.min_col) for m in ws.merged_cells.ranges for r in range(m.min_row, m.max_row + 1) for c in range(m.min_col, m.max_col + 1)} if len(ws.merged_cells.ranges) < 20_000 else {}  # fmt: skip
    merged: dict[tuple[int, int], list[Remark]] = {}
    for at, remarks in cells.items():
        merged.setdefault(inside.get(at, at), []).extend(remarks)
    margin = _margin(ws)
    fills = {s: fill_of(s) for s in LOOKS}
    borders = {s: border_of(s) for s in LOOKS}
    symbols: dict[int, dict[str, str]] = {}
    for (row, col), remarks in sorted(merged.items()):
        cell = ws.cell(row, col)
        worst = remarks[0].severity
        dress(cell, fill=fills[worst], border=borders[worst])
        text, height = comment_text(remarks)
        if cell.comment is not None and cell.comment.text:
            text = f"{text}{_SENDERS}{cell.comment.text}"
            height = min(height + 18 * (2 + len(cell.comment.text) // 48), 560)
        cell.comment = Comment(text, AUTHOR, width=380, height=height)
        for r in remarks:
            symbols.setdefault(row, {})[LOOKS[r.severity].symbol] = min(
                r.severity, symbols.get(row, {}).get(LOOKS[r.severity].symbol, r.severity)
            )
    if margin > _LAST_COLUMN:
        return
    centre = Alignment(horizontal="center")
    letters = get_column_letter(margin)
    if letters not in ws.column_dimensions:
        ws.column_dimensions[letters].width = 7
    order = {look.symbol: i for i, look in enumerate(LOOKS.values())}
    font = Font(name=FACE, size=10, bold=True, color="FF7A1F1F")
    for row, found in symbols.items():
        cell = ws.cell(row, margin)
        cell.value = " ".join(sorted(found, key=order.__getitem__))
        dress(
            cell,
            font=font,
            fill=fills[min(found.values(), key=list(LOOKS).index)],
            alignment=centre,
        )
        line = told.line_of.get((name, row))
        if line is not None:
            link(ws, row, margin, LIST_NAME, f"A{line}")


def _margin(ws: Any) -> int:
    """Return the second column right of the last one with content."""
    last = max(
        (cell.column for row in ws.iter_rows() for cell in row if cell.value is not None), default=0
    )
    return last + 2


def comment_text(remarks: Sequence[Remark]) -> tuple[str, int]:
    """Return what the comment of a cell says and the height in pixels it needs.

    Examples
    --------
    >>> print(comment_text([Remark("error", "r", "Thiếu tên.", "Điền tên.", "", "Tên", "S", 1, 1)])[0])
    ✗ LỖI: Thiếu tên.
    Cách sửa: Điền tên.
    """
    parts = []
    for r in dict.fromkeys(remarks[:_SHOWN_IN_COMMENT]):
        look = LOOKS[r.severity]
        parts.append(
            f"{look.symbol} {look.word}: {clean(r.reason, 600)}"
            + (f"\nCách sửa: {clean(r.remedy, 400)}" if r.remedy else "")
        )
    if len(remarks) > _SHOWN_IN_COMMENT:
        parts.append(
            f"… và {len(remarks) - _SHOWN_IN_COMMENT} nội dung khác, xem trang «{LIST_NAME}»."
        )
    text = "\n\n".join(parts)
    lines = sum(-(-max(len(line), 1) // 52) for line in text.split("\n"))
    return text, min(max(17 * lines + 18, 60), 460)


def save(copy: Any, original: bytes = b"") -> bytes:
    """Return the workbook's bytes; its times are those of the original, else fixed."""
    buffer = io.BytesIO()
    copy.save(buffer)
    times = _times(original)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(buffer) as made,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as settled,
    ):
        for name in made.namelist():
            part = made.read(name)
            if name == "docProps/core.xml":
                for what, stamp in times.items():
                    part = re.sub(rb"(<dcterms:" + what + rb"[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            settled.writestr(entry, part)
    return out.getvalue()


def _times(original: bytes) -> dict[bytes, bytes]:
    core = b""
    if original.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(original)) as archive:
            core = (
                archive.read("docProps/core.xml")
                if "docProps/core.xml" in archive.namelist()
                else b""
            )
    times = {}
    for what in (b"created", b"modified"):
        found = re.search(
            rb"<dcterms:" + what + rb"[^>]*>\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", core
        )
        times[what] = found[1] if found else b"2000-01-01T00:00:00Z"
    return times
