"""The sheets that list what to mend.

What belongs here: the first sheet «LỖI CẦN SỬA» (counts, deadline, how to send again, the list), the
sheet «DANH SÁCH LỖI» with every cell of groups that were summed up, and «THAY ĐỔI». What does not:
the sender's own sheets (`feedback.marked`).

Named rule: more than 50 cells of one column of one sheet with the same rule and severity are one line
with the first three cells; all of them stand in «DANH SÁCH LỖI».
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import polars as pl

from htx_pipeline.feedback.look import (
    CHANGES_NAME,
    FACE,
    FULL_NAME,
    LIST_NAME,
    LOOKS,
    clean,
    dress,
    fill_of,
    fit_to_width,
    link,
    put,
    resubmit_lines,
)
from htx_pipeline.feedback.places import ORDER, Remark

GROUP_ABOVE: Final = 50
SHOWN_OF_GROUP: Final = 3
_MAX_LINKS: Final = 60_000
_HEADINGS: Final = (
    "STT",
    "Mức độ",
    "Trang tính",
    "Ô",
    "Cột",
    "Giá trị đã ghi",
    "Sai ở đâu",
    "Cách sửa",
)
_WIDTHS: Final = (6, 14, 18, 10, 26, 26, 58, 48)


@dataclass(frozen=True)
class Group:
    """Remarks told in one line: one of them, or all cells of a column with the same rule."""

    remarks: tuple[Remark, ...]

    @property
    def first(self) -> Remark:
        """The remark that speaks for the group."""
        return self.remarks[0]

    @property
    def is_summed_up(self) -> bool:
        """Whether it stands for more cells than are told one by one."""
        return len(self.remarks) > GROUP_ABOVE


@dataclass(frozen=True)
class Told:
    """Where the sender's rows are told of: (sheet, row) → row of the first sheet."""

    line_of: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Letter:
    """What the first sheet says beside the list."""

    file: str
    period: str
    due: dt.date
    is_copy: bool
    why_copy: str = ""
    changes: int | None = None


def group(remarks: Sequence[Remark]) -> list[Group]:
    """Return the lines of the list, in order.

    Examples
    --------
    >>> many = [Remark("error", "r", "Sai", "Sửa", "x", "Tên", "S", i, 2) for i in range(1, 52)]
    >>> [len(g.remarks) for g in group([*many, Remark("info", "q", "a", "b", "", "")])]
    [51, 1]
    """
    cells: dict[tuple[object, ...], list[Remark]] = {}
    for r in remarks:
        cells.setdefault(
            (r.severity, r.sheet, r.rule_id, r.col if r.row is not None else None), []
        ).append(r)
    lines: list[Group] = []
    done: set[tuple[object, ...]] = set()
    for r in remarks:
        key = (r.severity, r.sheet, r.rule_id, r.col if r.row is not None else None)
        if len(cells[key]) <= GROUP_ABOVE:
            lines.append(Group((r,)))
        elif key not in done:
            done.add(key)
            lines.append(Group(tuple(cells[key])))
    return lines


@cache
def _font(**given: Any) -> Any:
    from openpyxl.styles import Font

    return Font(name=FACE, **{"size": 10, **given})


def write_list(  # noqa: PLR0912, PLR0915
    ws: Any, remarks: Sequence[Remark], letter: Letter, *, titles: dict[str, str], full: Any | None
) -> Told:
    """Write the first sheet, and the full list where a group is summed up.

    Parameters
    ----------
    ws, full:
        The sheets to write on; *full* is None when no group is summed up.
    remarks:
        In order (`places.place`).
    letter:
        File, period, deadline.
    titles:
        Sheet of the file → its title in this workbook; links go only to sheets named here.
    """
    from openpyxl.styles import Alignment, Border, PatternFill, Side

    wrap = Alignment(wrap_text=True, vertical="top")
    centre = Alignment(horizontal="center", vertical="top", wrap_text=True)
    thin = Side(style="thin", color="FFC9D3DE")
    box = Border(left=thin, right=thin, top=thin, bottom=thin)
    head_fill = PatternFill("solid", fgColor="FFDCE6F1")
    for at, width in enumerate(_WIDTHS, 1):
        ws.column_dimensions[ws.cell(1, at).column_letter].width = width
    row = _write_letter(ws, remarks, letter, box)
    ws.freeze_panes = None
    for at, text in enumerate(_HEADINGS, 1):
        put(
            ws,
            row,
            at,
            text,
            font=_font(bold=True),
            fill=head_fill,
            border=box,
            alignment=Alignment(horizontal="center", vertical="center"),
        )
    ws.row_dimensions[row].height = 20
    ws.print_title_rows = f"{row}:{row}"
    line_of: dict[tuple[str, int], int] = {}
    full_rows = _write_full(full, remarks, titles, head_fill, box) if full is not None else {}
    links = 0
    last: tuple[str, str | None] | None = None
    lines = group(remarks)
    counts: dict[tuple[str, str | None], int] = {}
    for r in remarks:
        counts[r.severity, r.sheet] = counts.get((r.severity, r.sheet), 0) + 1
    for number, one in enumerate(lines, 1):
        r = one.first
        look = LOOKS[r.severity]
        if (r.severity, r.sheet) != last:
            last = (r.severity, r.sheet)
            row += 1
            where = "CẢ TỆP" if r.sheet is None else f"TRANG «{_sheet_name(r.sheet)}»"
            put(
                ws,
                row,
                1,
                f"{look.symbol} {look.plural.partition(':')[0].upper()} – {where} ({counts[last]})",
                font=_font(bold=True),
                fill=fill_of(r.severity),
            )
            for at in range(2, len(_HEADINGS) + 1):
                dress(ws.cell(row, at), fill=fill_of(r.severity))
        row += 1
        is_linked = r.sheet in titles and bool(r.cell) and links < _MAX_LINKS
        shown = (
            f"{len(one.remarks)} ô"
            if one.is_summed_up
            else r.cell or (f"dòng {r.row}" if r.row else "")
        )
        value = "(xem danh sách đầy đủ)" if one.is_summed_up else clean(r.value, 200)
        texts: tuple[int | str, ...] = (
            number,
            f"{look.symbol} {look.word}",
            _sheet_name(r.sheet),
            shown,
            clean(r.column, 120),
            value,
            r.reason,
            r.remedy,
        )
        for at, entry in enumerate(texts, 1):
            put(
                ws,
                row,
                at,
                entry,
                font=_font(),
                border=box,
                alignment=centre if at in (1, 2, 4) else wrap,
            )
        ws.row_dimensions[row].height = _height(r.column, str(value), r.reason, r.remedy)
        if one.is_summed_up and full is not None:
            link(ws, row, 4, FULL_NAME, f"A{full_rows[r]}")
            dress(ws.cell(row, 4), font=_font(color="FF1F4E9E", underline="single", bold=True))
            links += 1
        elif is_linked and r.sheet is not None:
            link(ws, row, 4, titles[r.sheet], r.cell)
            dress(ws.cell(row, 4), font=_font(color="FF1F4E9E", underline="single"))
            links += 1
        for x in one.remarks:
            if x.sheet is not None and x.row is not None:
                line_of.setdefault((x.sheet, x.row), row)
        for x in one.remarks[:SHOWN_OF_GROUP] if one.is_summed_up else ():
            row += 1
            for at, example in enumerate(
                ("", "", "", x.cell, "ví dụ", clean(x.value, 200), x.reason, ""), 1
            ):
                put(
                    ws,
                    row,
                    at,
                    example,
                    font=_font(size=9, italic=True, color="FF5A6675"),
                    alignment=centre if at == 4 else wrap,
                )
            ws.row_dimensions[row].height = _height("", clean(x.value, 200), x.reason, "")
            if x.sheet in titles and x.cell and x.sheet is not None:
                link(ws, row, 4, titles[x.sheet], x.cell)
                links += 1
    _page(ws)
    return Told(line_of)


def _sheet_name(sheet: str | None) -> str:
    return "" if sheet is None else "tệp văn bản" if sheet == "csv" else clean(sheet, 60)


def _height(column: str, value: str, reason: str, remedy: str) -> float:
    pairs = ((column, 24), (value, 24), (reason, 56), (remedy, 46))
    lines = max(
        sum(-(-max(len(part), 1) // width) for part in text.split("\n")) for text, width in pairs
    )
    return min(13.5 * lines + 3, 200)


def _write_letter(ws: Any, remarks: Sequence[Remark], letter: Letter, box: Any) -> int:
    """Write what stands above the list; return the row of its heading."""
    from openpyxl.styles import Alignment

    put(ws, 1, 1, LIST_NAME, font=_font(size=16, bold=True, color="FF9C2A10"))
    ws.row_dimensions[1].height = 26
    put(
        ws,
        2,
        1,
        f"Tệp: {clean(letter.file, 150)} – kỳ báo cáo năm {letter.period}",
        font=_font(bold=True),
    )
    put(
        ws,
        3,
        1,
        f"Hạn gửi lại: trước ngày {letter.due:%d/%m/%Y}",
        font=_font(bold=True, size=11, color="FF9C2A10"),
    )
    row = 4
    if letter.is_copy:
        put(
            ws,
            row,
            1,
            letter.why_copy,
            font=_font(bold=True),
            alignment=Alignment(wrap_text=True, vertical="top"),
        )
        ws.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(_HEADINGS))
        ws.row_dimensions[row].height = 14 * (1 + len(letter.why_copy) // 160) + 4
        row += 1
    row += 1
    shown = [s for s in ORDER if any(r.severity == s for r in remarks) or s in {"error", "warning"}]
    for severity in shown:
        look = LOOKS[severity]
        put(
            ws,
            row,
            1,
            look.symbol,
            font=_font(bold=True),
            fill=fill_of(severity),
            border=box,
            alignment=Alignment(horizontal="center"),
        )
        put(
            ws,
            row,
            2,
            sum(r.severity == severity for r in remarks),
            font=_font(bold=True),
            border=box,
            number_format="#,##0",
            alignment=Alignment(horizontal="center"),
        )
        put(ws, row, 3, look.plural, font=_font())
        row += 1
    if not remarks:
        put(ws, row, 1, "✓ Không có lỗi nào cần sửa.", font=_font(bold=True, color="FF1E6B34"))
        row += 1
    if letter.changes is not None:
        text = (
            f"So với bản gửi trước: {letter.changes} thay đổi, xem trang «{CHANGES_NAME}»."
            if letter.changes
            else "So với bản gửi trước: không có thay đổi."
        )
        put(ws, row, 1, text, font=_font(color="FF1F4E9E"))
        if letter.changes:
            link(ws, row, 1, CHANGES_NAME, "A1")
        row += 1
    row += 1
    put(ws, row, 1, "CÁCH SỬA VÀ GỬI LẠI", font=_font(bold=True, color="FF1F3864"))
    for number, line in enumerate(resubmit_lines(letter.due, is_copy=letter.is_copy), 1):
        put(ws, row + number, 1, f"{number}. {line}", font=_font())
    return row + 5


def _write_full(
    ws: Any, remarks: Sequence[Remark], titles: dict[str, str], fill: Any, box: Any
) -> dict[Remark, int]:
    """Write every remark of the groups that were summed up; return remark → row."""
    from openpyxl.styles import Alignment

    put(ws, 1, 1, FULL_NAME, font=_font(size=14, bold=True, color="FF9C2A10"))
    put(
        ws,
        2,
        1,
        "Đầy đủ các ô đã gộp thành một dòng ở trang «LỖI CẦN SỬA».",
        font=_font(italic=True, color="FF5A6675"),
    )
    put(ws, 2, 7, "↩ Về trang «LỖI CẦN SỬA»", font=_font(color="FF1F4E9E", underline="single"))
    link(ws, 2, 7, LIST_NAME, "A1")
    for at, (text, width) in enumerate(zip(_HEADINGS, _WIDTHS, strict=True), 1):
        put(
            ws,
            3,
            at,
            text,
            font=_font(bold=True),
            fill=fill,
            border=box,
            alignment=Alignment(horizontal="center"),
        )
        ws.column_dimensions[ws.cell(3, at).column_letter].width = width
    ws.freeze_panes = "A4"
    rows: dict[Remark, int] = {}
    row = 3
    plain, linked = _font(), _font(color="FF1F4E9E", underline="single")
    for one in group(remarks):
        for r in one.remarks if one.is_summed_up else ():
            row += 1
            rows[r] = row
            look = LOOKS[r.severity]
            entries: tuple[int | str, ...] = (
                row - 3, f"{look.symbol} {look.word}", _sheet_name(r.sheet), r.cell, clean(r.column, 120), clean(r.value, 200), r.reason, r.remedy,
            )  # fmt: skip
            for at, entry in enumerate(entries, 1):
                put(ws, row, at, entry, font=plain)
            if r.sheet in titles and r.cell and r.sheet is not None and row < _MAX_LINKS:
                link(ws, row, 4, titles[r.sheet], r.cell)
                dress(ws.cell(row, 4), font=linked)
    ws.auto_filter.ref = f"A3:H{max(row, 4)}"
    _page(ws)
    return rows


_CHANGE_WORDS: Final = {"added": "＋ thêm dòng", "removed": "－ bỏ dòng", "changed": "→ sửa ô"}


def write_changes(ws: Any, changes: pl.DataFrame, *, titles: dict[str, str], previous: str) -> None:
    """Write the sheet of what a new version changed (`changes.CHANGE_SCHEMA`)."""
    from openpyxl.styles import Alignment, PatternFill

    put(
        ws,
        1,
        1,
        f"{CHANGES_NAME} SO VỚI BẢN GỬI TRƯỚC",
        font=_font(size=14, bold=True, color="FF1F3864"),
    )
    counts = {k: changes.filter(pl.col("change") == k).height for k in _CHANGE_WORDS}
    put(
        ws,
        2,
        1,
        f"Bản trước: {clean(previous, 120)}. Thêm {counts['added']} dòng, bỏ {counts['removed']} dòng, sửa {counts['changed']} ô.",
        font=_font(bold=True),
    )
    put(ws, 2, 8, "↩ Về trang «LỖI CẦN SỬA»", font=_font(color="FF1F4E9E", underline="single"))
    link(ws, 2, 8, LIST_NAME, "A1")
    headings = (
        "STT",
        "Thay đổi",
        "Dòng",
        "Cột",
        "Giá trị trước",
        "Ô trước",
        "Giá trị mới",
        "Ô mới",
    )
    for at, (text, width) in enumerate(
        zip(headings, (6, 14, 44, 30, 26, 12, 26, 12), strict=True), 1
    ):
        put(
            ws,
            3,
            at,
            text,
            font=_font(bold=True),
            fill=PatternFill("solid", fgColor="FFDCE6F1"),
            alignment=Alignment(horizontal="center"),
        )
        ws.column_dimensions[ws.cell(3, at).column_letter].width = width
    ws.freeze_panes = "A4"
    wrapped, plain = Alignment(wrap_text=True, vertical="top"), Alignment(vertical="top")
    for row, c in enumerate(changes.iter_rows(named=True), 4):
        old_place = c["old_cell"] or (f"dòng {c['old_row']}" if c["old_row"] is not None else "")
        new_place = c["new_cell"] or (f"dòng {c['new_row']}" if c["new_row"] is not None else "")
        values = (
            row - 3,
            _CHANGE_WORDS[c["change"]],
            c["key"],
            c["label_vi"] or "",
            c["old_value"] or "",
            old_place,
            c["new_value"] or "",
            new_place,
        )
        for at, value in enumerate(values, 1):
            put(
                ws,
                row,
                at,
                clean(value, 300) if isinstance(value, str) else value,
                font=_font(),
                alignment=wrapped if at in (3, 4, 5, 7) else plain,
            )
        if c["new_cell"] and c["new_sheet"] in titles and row < _MAX_LINKS:
            link(ws, row, 8, titles[c["new_sheet"]], c["new_cell"])
            dress(ws.cell(row, 8), font=_font(color="FF1F4E9E", underline="single"))
    _page(ws)


def _page(ws: Any) -> None:
    fit_to_width(ws)
    ws.sheet_view.showGridLines = False
    ws.page_margins.left = ws.page_margins.right = 0.4
    ws.page_margins.top = ws.page_margins.bottom = 0.5
