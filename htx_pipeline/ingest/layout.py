"""What the rows of a sheet are: titles, headings, data, totals, notes, signatures.

What belongs here: finding the tables of a sheet, their headings (also merged over several rows),
and a kind for every row, so that nothing is taken for data that is not and nothing is dropped
unsaid. What does not: which column means what (the mapping), how text becomes numbers, dates or
Unicode, and whether stated totals add up (`ingest.totals`).

The rule in doubt: a row stays data, with a note. Row numbers are the sheet's own, from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.layout_heads import Head
from htx_pipeline.ingest.layout_model import Layout, RowKind, Table, layout_note
from htx_pipeline.ingest.layout_rows import RowSorter
from htx_pipeline.ingest.layout_words import (
    SIGNATURE,
    UNIT_LINE,
    fold,
    is_index_row,
    plain_words,
    states_unit,
)
from htx_pipeline.ingest.unicode_view import charset_label, unicode_view

if TYPE_CHECKING:
    from htx_pipeline.ingest.workbook_sheet import Sheet


class _Reader(RowSorter):
    """Classifies one sheet; rows are 0-based inside."""

    def run(self) -> Layout:
        start = 0
        if self.fixed and self.fixed[0] >= 0 and self.fixed[-1] < self.n:
            after = self.fixed[-1] + 1
            index = after if after < self.n and is_index_row(self.cells[after]) else None
            start = self.table(self.head(self.fixed, index), 0)
        while start < self.n and len(self.tables) < 50:
            head = self.find_head(start, self.n, strict=bool(self.tables))
            if head is None:
                break
            start = self.table(head, start)
        self.rest(start)
        return self.finish()

    def table(self, head: Head, start: int) -> int:
        """Classify one table from *start*; return the row the next search begins at."""
        for r in head.rows:
            self.kinds[r] = RowKind.HEADING
        if head.index_row is not None:
            self.kinds[head.index_row] = RowKind.INDEX
        title, unit = self.before(start, head.rows[0])
        body = max([*head.rows, head.index_row if head.index_row is not None else -1]) + 1
        number_col = self.row_number_col(head, body)
        stop = self.body(head, body, number_col)
        kinds = self.kinds
        self.note_side_by_side(head, body, stop)
        data = [r + 1 for r in range(body, stop) if kinds[r] is RowKind.DATA]
        if self.hidden:
            data = [r for r in data if r - 1 not in self.hidden]
        others = (
            range(body, stop) if len(data) < stop - body else ()  # all are data
        )
        sections = {
            r + 1: self.label_text(r)
            for r in others
            if kinds[r] is RowKind.SECTION
            or (kinds[r] is RowKind.SUBTOTAL and not self.is_total_text(r))
        }
        last = next(
            (
                r
                for r in range(stop - 1, body - 1, -1)
                if kinds[r] not in (RowKind.BLANK, RowKind.NOTE, RowKind.SIGNATURE)
            ),
            body - 1,
        )
        self.tables.append(
            Table(
                header_rows=tuple(r + 1 for r in head.rows),
                headings={c + 1: text for c, text in head.headings.items()},
                index_row=None if head.index_row is None else head.index_row + 1,
                first_row=body + 1,
                last_row=last + 1,
                data_rows=tuple(data),
                row_number_col=None if number_col is None else number_col + 1,
                unit=unit,
                title=title,
                sections=sections,
            )
        )
        return stop

    def note_side_by_side(self, head: Head, body: int, stop: int) -> None:
        """Say where an empty column parts the headings: perhaps two tables side by side."""
        columns = sorted(head.headings)
        kinds = self.sheet.grid.kinds
        for at in range(2, len(columns) - 1):
            left, right = columns[at - 1], columns[at]
            if right - left < 2 or kinds[left + 1 : right, head.rows[0] : stop].any():
                continue
            if not kinds[right:, body:stop].any():
                continue
            letters = [column_letters(c + 1) for c in (columns[0], left, right, columns[-1])]
            first, second = f"{letters[0]}:{letters[1]}", f"{letters[2]}:{letters[3]}"
            self.notes.append(
                layout_note(
                    self.sheet,
                    "tables_side_by_side",
                    "warning",
                    f"An empty column parts {first} from {second}: perhaps two tables side by side. "
                    "They are read as one.",
                    f"Một cột trống ngăn {first} với {second}: có thể là hai bảng đặt cạnh nhau. "
                    "Hệ thống đọc như một bảng.",
                    remedy_en=f'If they are two, give each a mapping with `sheet.columns` ("{second}").',
                    remedy_vi=f"Nếu là hai bảng, khai báo tệp ánh xạ riêng với sheet.columns ({second}), "
                    "hoặc đặt mỗi bảng ở một trang tính.",
                    row=head.rows[-1] + 1,
                    col=right + 1,
                    raw=head.headings[right],
                )
            )

    def before(self, start: int, stop: int) -> tuple[str, str | None]:
        """Classify the rows above a heading; return title and unit."""
        title: list[str] = []
        unit: str | None = None
        for r in range(start, stop):
            if self.kinds[r] is not None:
                continue
            cells = self.filled(r)
            texts = [str(v).strip() for _, v in cells]
            if not cells:
                self.kinds[r] = RowKind.BLANK
                continue
            found = next((m for t in texts if (m := UNIT_LINE.search(plain_words(t)))), None)
            if found and len(found[1]) < 60 and states_unit(found[1]):
                unit = unit or found[1].strip(" .)")
                if len(cells) <= 2:
                    self.kinds[r] = RowKind.UNIT_LINE
                    continue
            if self.tables and SIGNATURE.search(plain_words(texts[0])):
                self.kinds[r] = RowKind.SIGNATURE
                continue
            self.kinds[r] = RowKind.TITLE
            title += texts
            if any(not isinstance(v, str) for _, v in cells) and len(cells) > 2:
                self.note_rows(
                    "row_above_heading",
                    [r],
                    "A row with numbers stands above the heading; it is not read.",
                    "Có dòng số liệu nằm phía trên tiêu đề cột nên không được đọc.",
                )
        return " ".join(title), unit

    def body(self, head: Head, body: int, number_col: int | None) -> int:
        """Classify the rows below a heading; return where the table ends."""
        columns = sorted(head.headings)
        sparse_below = max(2, max(self.usual_width(body, self.n), 1) // 2)
        looked_at = self.needing_look(
            body, self.cells[head.rows[-1]][columns[0]] if columns else "", sparse_below
        )
        repeat = {
            c: v for r in head.rows for c, v in self.filled(r) if isinstance(v, str) and len(v) > 1
        }
        ended = False  # a signature or closing note was met
        unsure: list[int] = []
        empty_numbered: list[int] = []
        blanks = 0
        stop = self.n
        done = body
        for r in looked_at:
            if r > done:
                self.kinds[done:r] = [RowKind.DATA] * (r - done)
                blanks = 0
            done = r + 1
            count = self.fill[r]
            if count == 0 or self.is_blank(r):
                self.kinds[r] = RowKind.BLANK
                blanks += 1
                continue
            alone = blanks or ended or (r > body and self.fill[r - 1] == 1)
            if alone and self.starts_table(r, repeat):
                stop = self.rewind(r, body, unsure)
                break
            kind = self.kind_of(r, number_col, columns, repeat, ended)
            if kind is None:
                kind = RowKind.DATA
                unsure.append(r)
            if kind == RowKind.BLANK:
                empty_numbered.append(r)
            if kind == RowKind.SIGNATURE or (kind == RowKind.NOTE and blanks):
                ended = True
            elif kind == RowKind.DATA:
                ended = False
            blanks = 0
            self.kinds[r] = kind
        self.note_rows(
            "unsure_row_kept",
            unsure,
            "It is not certain that this is a record; it is kept as data.",
            "Chưa chắc chắn đây là dòng số liệu; hệ thống giữ lại như số liệu.",
            severity="warning",
        )
        self.note_rows(
            "numbered_empty_rows",
            empty_numbered,
            "Rows with a running number and nothing else count as blank.",
            "Dòng chỉ có số thứ tự, không có nội dung, được coi là dòng trống.",
        )
        return stop

    def rewind(self, r: int, body: int, unsure: list[int]) -> int:
        """Give lone texts directly above a further table back to it, as its title."""
        start = r
        while start - 1 > body:
            kind = self.kinds[start - 1]
            loose = kind == RowKind.DATA and start - 1 in unsure
            if not loose and kind not in (RowKind.BLANK, RowKind.SECTION, RowKind.NOTE):
                break
            start -= 1
            if loose:
                unsure.remove(start)
            if kind != RowKind.BLANK:
                self.kinds[start] = None
        return start if any(self.kinds[x] is None for x in range(start, r)) else r

    def rest(self, start: int) -> None:
        """Rows that belong to no table: blank, note, signature, or data without a heading."""
        loose: list[int] = []
        for r in range(start, self.n):
            if self.kinds[r] is not None:
                continue
            if self.is_blank(r):
                self.kinds[r] = RowKind.BLANK
            elif self.tables:
                words = " ".join(plain_words(str(v)) for _, v in self.filled(r))
                is_signature = SIGNATURE.search(words)
                self.kinds[r] = RowKind.SIGNATURE if is_signature else RowKind.NOTE
            else:
                loose.append(r)
        if not loose:
            return
        if max(self.fill[r] for r in loose) <= 1 or self.width <= 1:
            for r in loose:
                self.kinds[r] = RowKind.NOTE
            return
        for r in loose:
            self.kinds[r] = RowKind.DATA
        self.notes.append(
            layout_note(
                self.sheet,
                "no_heading_found",
                "warning",
                "No heading row was recognised; every filled row is kept as data.",
                "Không nhận ra dòng tiêu đề cột; mọi dòng có nội dung được giữ như số liệu.",
                remedy_en="Name the heading rows in the mapping (header_rows).",
                remedy_vi="Khai báo dòng tiêu đề trong tệp ánh xạ (header_rows).",
                row=loose[0] + 1,
            )
        )
        rows = [r for r in loose if r not in self.hidden]
        self.tables.append(
            Table(
                (),
                {c: column_letters(c) for c in range(1, self.width + 1)},
                None,
                loose[0] + 1,
                loose[-1] + 1,
                tuple(r + 1 for r in rows),
                None,
                None,
                "",
                {},
            )
        )

    def finish(self) -> Layout:
        hidden_kinds: dict[int, RowKind] = {}
        kinds = [kind or RowKind.BLANK for kind in self.kinds]
        for r in sorted(self.hidden):
            if r < self.n and kinds[r] != RowKind.BLANK:
                hidden_kinds[r + 1] = kinds[r]
                kinds[r] = RowKind.HIDDEN
        hidden_data = [r - 1 for r, k in hidden_kinds.items() if k == RowKind.DATA]
        self.note_rows(
            "hidden_rows_not_read",
            hidden_data,
            "Hidden rows that look like data are not read.",
            "Dòng bị ẩn có vẻ là số liệu nhưng không được đọc.",
            severity="warning",
            remedy=(
                "Show the rows if they are meant, delete them if not.",
                "Đề nghị bỏ ẩn nếu là số liệu cần báo cáo, hoặc xoá nếu không dùng.",
            ),
        )
        self.note_hidden_columns()
        if self.sheet.visibility != "visible" and any(k == RowKind.DATA for k in kinds):
            self.notes.append(
                layout_note(
                    self.sheet,
                    "hidden_sheet",
                    "info",
                    "The sheet is hidden; it is read only if the mapping names it.",
                    "Trang tính bị ẩn; chỉ được đọc khi tệp ánh xạ nêu tên.",
                )
            )
        main = max(
            range(len(self.tables)),
            key=lambda i: (self.matches(self.tables[i]), len(self.tables[i].data_rows), -i),
            default=0,
        )
        if self.fixed and self.tables:
            main = 0
        layout = Layout(
            self.sheet, tuple(kinds), tuple(self.tables), tuple(self.notes), hidden_kinds, main
        )
        read = set(layout.data_rows) if len(self.tables) > 1 else set()
        for table in self.tables if read else ():
            left = [r - 1 for r in table.data_rows if r not in read]
            self.note_rows(
                "table_not_read",
                left,
                "The sheet holds a further table with other headings; it is not read together "
                "with the main one.",
                "Trang tính có thêm bảng khác tiêu đề; bảng này không được đọc cùng bảng chính.",
                severity="warning",
                remedy=(
                    "Give it a mapping of its own (header_rows).",
                    "Khai báo tệp ánh xạ riêng cho bảng này (header_rows).",
                ),
            )
        return replace(layout, notes=tuple(self.notes))

    def note_hidden_columns(self) -> None:
        """Say which columns of a table a person does not see: they are read like the others."""
        headings = {c: h for t in self.tables for c, h in t.headings.items()}
        hidden = sorted(self.sheet.hidden_cols & set(headings))
        if hidden:
            listed = ", ".join(f"{column_letters(c)} «{headings[c]}»" for c in hidden[:10])
            self.notes.append(
                layout_note(
                    self.sheet,
                    "hidden_columns",
                    "info",
                    f"Columns that are hidden in the sheet are read like the others: {listed}.",
                    f"Cột bị ẩn trong trang tính vẫn được đọc như các cột khác: {listed}.",
                    count=len(hidden),
                )
            )

    def matches(self, table: Table) -> int:
        parts = {fold(p) for text in table.headings.values() for p in (text, *text.split(" / "))}
        return len(parts & self.expected)


def understand(
    sheet: Sheet,
    *,
    expected_headings: Sequence[str] | None = None,
    header_rows: Sequence[int] | None = None,
) -> Layout:
    """Say what every row of a sheet is and where its tables are.

    Parameters
    ----------
    sheet:
        An opened sheet.
    expected_headings:
        Headings the reader hopes for; a row that holds them is preferred as the heading.
    header_rows:
        Heading rows fixed by a mapping (1-based); found out when left out.

    Returns
    -------
    Layout
        A kind for every row; tables top to bottom; notes on every choice that may matter. Headings
        and units are in Unicode whatever the charset of the sheet, and so is ``Layout.sheet``.

    Notes
    -----
    Tables that stand side by side are read as one, with a note; `Sheet.narrowed` looks at one of them.
    A heading is looked for in the first 80 rows of
    the part of the sheet that is still unread.

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> text = "BÁO CÁO;;\\nSTT;Tên HTX;Vốn\\n1;Sa Thầy;12\\n2;Đăk Hà;30\\n;Tổng cộng;42\\n"
    >>> layout = understand(open_bytes(text.encode(), name="a.csv").sheets[0])
    >>> [kind.value for kind in layout.kinds]
    ['title', 'heading', 'data', 'data', 'total']
    >>> layout.tables[0].headings
    {1: 'STT', 2: 'Tên HTX', 3: 'Vốn'}
    """
    reader = _Reader(unicode_view(sheet), expected_headings or (), header_rows)
    if sheet.charset != "plain":
        label = charset_label(sheet.charset)
        reader.notes.append(
            layout_note(
                sheet,
                "sheet_charset",
                "info",
                f"The text is in {label}; headings and notes were read as Unicode.",
                f"Chữ trong trang theo bảng mã {label}; tiêu đề, ghi chú được đọc theo Unicode.",
                remedy_en="Save the file with a Unicode font (Times New Roman) next time.",
                remedy_vi="Lần sau đề nghị dùng phông Unicode (Times New Roman).",
            )
        )
    return reader.run()
