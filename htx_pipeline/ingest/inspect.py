"""`htx inspect`: show what was understood of a file, and propose a mapping for it.

What belongs here: the picture of a sheet in the terminal, and the draft of a source mapping to
save and edit. What does not: understanding (`layout`) and reading (`read`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from htx_pipeline.errors import InputError
from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.grid import cell_text
from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.layout_model import Layout, RowKind
from htx_pipeline.ingest.layout_words import fold
from htx_pipeline.ingest.number_units import parse_unit
from htx_pipeline.ingest.personal import personal_kind
from htx_pipeline.ingest.totals import check_totals

if TYPE_CHECKING:
    from rich.console import Group

    from htx_pipeline.ingest.notes import Note
    from htx_pipeline.ingest.workbook import Workbook
    from htx_pipeline.ingest.workbook_sheet import Sheet

_LOOKS: Final[dict[RowKind, tuple[str, str, str]]] = {
    RowKind.BLANK: (" ", "dim", "trống"),
    RowKind.TITLE: ("·", "cyan", "tên biểu"),
    RowKind.UNIT_LINE: ("·", "cyan", "đơn vị tính"),
    RowKind.HEADING: ("▣", "bold blue", "tiêu đề"),
    RowKind.INDEX: ("▢", "blue", "số cột"),
    RowKind.DATA: ("✓", "green", "số liệu"),
    RowKind.SECTION: ("§", "magenta", "mục"),
    RowKind.SUBTOTAL: ("Σ", "yellow", "cộng nhóm"),
    RowKind.TOTAL: ("Σ", "bold yellow", "tổng cộng"),
    RowKind.NOTE: ("·", "dim", "ghi chú"),
    RowKind.SIGNATURE: ("·", "dim", "ký"),
    RowKind.HIDDEN: ("▲", "red", "bị ẩn"),
}
"""Kind of row -> mark, style, Vietnamese name. The mark says the same as the colour."""
_MARKS: Final = {"error": ("✗", "bold red"), "warning": ("▲", "yellow"), "info": ("·", "dim")}
_FOLD_ABOVE: Final = 6
_MAX_COLS: Final = 8


def _printable(text: str, width: int) -> str:
    """One line without control characters, cut to a width."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= width else plain[: width - 1] + "…"


def render_inspection(
    workbook: Workbook, *, expected_headings: Sequence[str] | None = None, width: int = 18
) -> Group:
    """Return a picture of a workbook for the terminal (a rich renderable).

    Parameters
    ----------
    workbook:
        An opened workbook.
    expected_headings:
        Passed on to `layout.understand`.
    width:
        Characters shown of each cell.

    Returns
    -------
    rich.console.Group
        For each sheet: its kinds of rows with counts, the rows with a mark for their kind (long
        runs of one kind folded to first, second and last), headings, units, and all notes.

    Examples
    --------
    >>> from rich.console import Console
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> console = Console(width=80, record=True, file=__import__("io").StringIO())
    >>> book = open_bytes("STT;Tên HTX\\n1;Sa Thầy\\n2;Đăk Hà\\n".encode(), name="a.csv")
    >>> console.print(render_inspection(book))
    >>> "✓ số liệu" in console.export_text()
    True
    """
    from rich.console import Group
    from rich.text import Text

    info = workbook.info
    parts: list[object] = [
        Text(f"{info.name} · {info.kind} · {info.size:,} B · sha256 {info.sha256[:12]}", "bold"),
        *(_note_line(note) for note in workbook.notes),
    ]
    for sheet in workbook.sheets:
        parts += _sheet_parts(sheet, understand(sheet, expected_headings=expected_headings), width)
    return Group(*parts)  # type: ignore[arg-type]


def _sheet_parts(sheet: Sheet, layout: Layout, width: int) -> list[object]:
    from rich.text import Text

    sheet = layout.sheet

    hidden = "" if sheet.visibility == "visible" else " (trang ẩn)"
    counts = ", ".join(
        f"{_LOOKS[RowKind(kind)][2]} {count}" for kind, count in layout.counts.items()
    )
    parts: list[object] = [
        Text(""),
        Text(
            f"Trang «{_printable(sheet.name, 60)}»{hidden}: {sheet.n_rows} dòng × "
            f"{sheet.n_cols} cột",
            "bold underline",
        ),
        Text(f"  {counts or 'trống'}"),
    ]
    if sheet.n_rows:
        parts.append(_grid(sheet, layout, width))
    for number, table in enumerate(layout.tables, 1):
        parts.append(
            Text(
                f"  Bảng {number}: tiêu đề dòng {_spell(table.header_rows) or '—'}, số liệu "
                f"{len(table.data_rows)} dòng"
                + (f" ({table.first_row}–{table.last_row})" if table.data_rows else "")
                + (f", đơn vị tính: {table.unit}" if table.unit else "")
            )
        )
        for column, heading in table.headings.items():
            kind = personal_kind(heading)
            mark = f"  (dữ liệu cá nhân: {kind[0]}; không đọc)" if kind is not None else ""
            parts.append(Text(f"    {column_letters(column):>3}  {_printable(heading, 90)}{mark}"))
    parts += [_note_line(note) for note in (*layout.notes, *check_totals(layout))]
    return parts


def _grid(sheet: Sheet, layout: Layout, width: int) -> object:
    from rich.table import Table as Grid
    from rich.text import Text

    columns = min(sheet.n_cols, _MAX_COLS)
    grid = Grid(box=None, padding=(0, 1), show_edge=False, header_style="dim")
    grid.add_column("", justify="right", style="dim", no_wrap=True)
    grid.add_column("", no_wrap=True)
    for n in range(1, columns + 1):
        # Cells give way to row numbers and kinds: rich narrows the columns that could wrap.
        grid.add_column(column_letters(n), max_width=width)
    if sheet.n_cols > columns:
        grid.add_column(f"…{column_letters(sheet.n_cols)}", no_wrap=True)

    def one_line(text: str, style: str) -> Text:
        return Text(text, style, no_wrap=True, overflow="ellipsis")

    def line(row: int) -> None:
        kind = layout.kinds[row - 1]
        mark, style, name = _LOOKS[kind]
        shown = [_printable(cell_text(v) or "", width) for v in sheet.rows[row - 1][:columns]]
        grid.add_row(str(row), Text(f"{mark} {name}", style), *(one_line(s, style) for s in shown))

    row = 1
    for kind, run in groupby(layout.kinds):
        length = len(list(run))
        if length > _FOLD_ABOVE:
            line(row)
            line(row + 1)
            mark, style, name = _LOOKS[kind]
            grid.add_row("⋮", Text(f"{mark} {name} × {length - 3}", style))
            line(row + length - 1)
        else:
            for at in range(row, row + length):
                line(at)
        row += length
    return grid


def _note_line(note: Note) -> object:
    from rich.text import Text

    mark, style = _MARKS[note.severity]
    where = note.cell or (f"dòng {note.row}" if note.row else "")
    place = f" [{where}]" if where else ""
    return Text(f"  {mark}{place} {note.reason_vi} — {note.reason_en}", style)


def _spell(rows: Sequence[int]) -> str:
    return f"{rows[0]}–{rows[-1]}" if len(rows) > 1 else str(rows[0]) if rows else ""


# --- proposing a mapping ----------------------------------------------------------------------


def propose_mapping(
    workbook: Workbook,
    table_columns: Mapping[str, Sequence[str]],
    *,
    table: str,
    mapping_id: str | None = None,
    sheet: str | None = None,
) -> str:
    """Draft a source mapping as TOML text, to save and edit.

    Parameters
    ----------
    workbook:
        An opened workbook.
    table_columns:
        Canonical column -> names it may go by (its labels in Vietnamese and English); the
        canonical name itself is always tried too.
    table:
        Canonical table the rows belong to.
    mapping_id:
        Id of the mapping; from the file's name when left out.
    sheet:
        Sheet to read; the visible sheet with most data rows when left out.

    Returns
    -------
    str
        Matched headings as ``[columns.<name>]``; columns without a match and headings without a
        use as comments. The reporting period is left for the editor: four lines to choose from.

    Raises
    ------
    KeyError
        The workbook has no sheet of that name.

    Notes
    -----
    Headings and names are compared folded (no tone marks, case, units in brackets). Pairs are
    taken best first, each heading and column once; ties go to the column further left, then to the
    column named first. Below a similarity of 0.72 nothing is proposed.

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> book = open_bytes("STT;Tên HTX;Vốn (triệu đồng)\\n1;A;5\\n".encode(), name="vốn.csv")
    >>> text = propose_mapping(book, {"name": ["Tên HTX"], "capital_vnd": ["Vốn"]}, table="t")
    >>> print(text[text.index("[columns.name]"):])  # doctest: +NORMALIZE_WHITESPACE
    [columns.name]
    source = "Tên HTX"
    <BLANKLINE>
    [columns.capital_vnd]
    source = "Vốn (triệu đồng)"
    unit = "triệu đồng"
    number = "auto"
    <BLANKLINE>
    # Headings without a use:
    # A: "STT"
    <BLANKLINE>
    """
    chosen = workbook.sheet(sheet) if sheet is not None else _best_sheet(workbook)
    names = [name for labels in table_columns.values() for name in labels]
    layout = understand(chosen, expected_headings=names)
    pairs = _match(_not_personal(layout.headings), table_columns)
    alike = [
        s.name
        for s in workbook.sheets
        if s.visibility == "visible"
        and s is not chosen
        and _match(
            _not_personal(understand(s, expected_headings=names).headings), table_columns
        ).keys()
        == pairs.keys()
    ]
    stem = workbook.info.name.rsplit(".", 1)[0]
    name = mapping_id or re.sub(r"[^a-z0-9]+", "_", fold(stem)).strip("_") or "source"
    missing = [column for column in table_columns if column not in pairs]
    return _emit(
        workbook.info.name, layout, pairs, missing=missing, table=table, name=name,
        alike=alike if sheet is None and pairs else [],
    )  # fmt: skip


def _not_personal(headings: Mapping[int, str]) -> dict[int, str]:
    return {c: text for c, text in headings.items() if personal_kind(text) is None}


def _best_sheet(workbook: Workbook) -> Sheet:
    visible = [s for s in workbook.sheets if s.visibility == "visible"] or workbook.sheets
    return max(visible, key=lambda s: len(understand(s).data_rows))


_UNIT_AT_END: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_PUNCTUATION: Final = re.compile(r"[\W_]+")


def _key(text: str) -> str:
    return " ".join(_PUNCTUATION.sub(" ", fold(_BRACKETS.sub(" ", text))).split())


def _similarity(heading: str, name: str) -> float:
    """Likeness of a heading and a name, 0 to 1: letters and shared words count half each."""
    goal = _key(name)
    best = 0.0
    for candidate in {heading, heading.rsplit(" / ", 1)[-1]}:
        key = _key(candidate)
        if not key or not goal:
            continue
        if key == goal:
            return 1.0
        letters = difflib.SequenceMatcher(None, key, goal, autojunk=False).ratio()
        ours, theirs = set(key.split()), set(goal.split())
        words = 2 * len(ours & theirs) / (len(ours) + len(theirs))
        best = max(best, 0.5 * letters + 0.5 * words)
    return best


def _match(
    headings: Mapping[int, str], table_columns: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    order = {name: at for at, name in enumerate(table_columns)}
    scored = []
    for column, heading in headings.items():
        for name, labels in table_columns.items():
            score = max(_similarity(heading, label) for label in (name, *labels))
            if score >= 0.72:
                scored.append((-round(score, 6), column, order[name], name))
    pairs: dict[str, int] = {}
    used: set[int] = set()
    for _, column, _, name in sorted(scored):
        if name not in pairs and column not in used:
            pairs[name] = column
            used.add(column)
    return {name: pairs[name] for name in table_columns if name in pairs}


def _quoted(text: str) -> str:
    """A TOML basic string (JSON escapes are TOML's)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return _printable(text, 200)


def _emit(
    file_name: str,
    layout: Layout,
    pairs: Mapping[str, int],
    *,
    missing: Sequence[str],
    table: str,
    name: str,
    alike: Sequence[str] = (),
) -> str:
    """Write the draft; the only place that knows the TOML shape."""
    sheet = layout.sheet
    has_fixed_head = bool(layout.header_rows) and not alike
    lines = [
        "version = 1",
        f"id = {_quoted(name)}",
        f"table = {_quoted(table)}",
        f"files = [{_quoted('**/' + file_name)}]",
        f"header_rows = [{', '.join(map(str, layout.header_rows))}]"
        if has_fixed_head
        else 'header_rows = "auto"',
        "",
    ]
    if alike:
        pattern = "|".join(re.escape(n) for n in sorted({sheet.name, *alike}))
        lines += [
            f"# {1 + len(alike)} sheets have these columns.",
            "[sheet]",
            f"pattern = {_quoted(f'^({pattern})$')}",
            "",
        ]
    elif not sheet.is_text:
        lines += ["[sheet]", f"name = {_quoted(sheet.name)}", ""]
    lines += [
        "[period]",
        "# Which reporting year? Take the # off one line; without it the mapping is refused.",
        '# constant = "2025"            # the same year for every row',
        '# column = "Năm"               # the heading of the column that holds the year',
        '# date_column = "signed_on"    # one of the canonical date columns below',
        "# path_pattern = '(20\\d\\d)'  # the year in the path or name of the file",
        "",
    ]
    unit = layout.table.unit if layout.table else None
    for canonical, column in pairs.items():
        heading = layout.headings[column]
        values = [sheet.rows[r - 1][column - 1] for r in layout.data_rows[:200]]
        # Sheets that are alike may state other units: each is then read from its own heading.
        source = _UNIT_AT_END.sub("", heading) if alike else heading
        lines += [f"[columns.{canonical}]", f"source = {_quoted(source)}"]
        lines += [] if alike else _unit_lines(canonical, heading, unit)
        if canonical.endswith(("_vnd", "_ha", "_tonnes", "_share")) or _mostly_numbers(values):
            lines.append('number = "auto"')
        if canonical.endswith("_on"):
            lines.append('date = "dmy"')
        lines.append("")
    if missing:
        lines.append("# Columns without a heading found:")
        for canonical in missing:
            lines += [f"# [columns.{canonical}]", '# source = ""']
        lines.append("")
    personal = {c: kind for c, text in layout.headings.items() if (kind := personal_kind(text))}
    if personal:
        lines.append("# Personal data, never proposed and not read:")
        lines += [
            f'# {column_letters(c)}: "{_comment(layout.headings[c])}" ({kind[1]})'
            for c, kind in personal.items()
        ]
        lines.append("")
    unused = [c for c in layout.headings if c not in {*pairs.values(), *personal}]
    if unused:
        lines.append("# Headings without a use:")
        lines += [f'# {column_letters(c)}: "{_comment(layout.headings[c])}"' for c in unused]
        lines.append("")
    return "\n".join(lines)


_UNIT_HINT: Final = re.compile(
    r"dong|vnd|usd|\bha\b|m2|tan\b|\bkg\b|ta\b|nguoi|ho\b|%|con\b|lit|trieu|ty\b|nghin|tonnes?|hectares?"
)


def _looks_like_unit(text: str) -> bool:
    return len(text) <= 30 and bool(_UNIT_HINT.search(fold(text)))


def _unit_lines(canonical: str, heading: str, above: str | None) -> list[str]:
    """Propose the unit in the heading, else for quantities the one above the table."""
    stated = [m.strip() for m in _BRACKETS.findall(heading) if _looks_like_unit(m)]
    if stated and _is_unit(stated[-1]):
        return [f"unit = {_quoted(stated[-1])}"]
    if stated:
        return [f"# unit = {_quoted(stated[-1])}  # not a known unit: define it under [units]"]
    dimension = {"vnd": "money", "ha": "area", "tonnes": "mass"}.get(canonical.rsplit("_", 1)[-1])
    if above and _is_unit(above) and parse_unit(above).dimension == dimension:
        return [f"unit = {_quoted(above)}  # stated above the table"]
    return []


def _is_unit(text: str) -> bool:
    try:
        parse_unit(text)
    except InputError:
        return False
    return True


def _mostly_numbers(values: Sequence[object]) -> bool:
    filled = [v for v in values if v != ""]
    numbers = [v for v in filled if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return bool(filled) and len(numbers) > 0.5 * len(filled)
