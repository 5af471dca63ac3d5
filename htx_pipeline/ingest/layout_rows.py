"""What one row below a heading is: data, section, subtotal, total, note, signature, or not certain.

What belongs here: judging a row by its own cells and by what the rows before it were. What does not: where
tables begin and end, and what is said about them (`layout`), finding headings (`layout_heads`), and the
words themselves (`layout_words`).

The rule in doubt: a row stays data, with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from htx_pipeline.ingest.grid import TEXT
from htx_pipeline.ingest.layout_heads import Head, HeadFinder
from htx_pipeline.ingest.layout_model import RowKind, layout_note
from htx_pipeline.ingest.layout_words import (
    ARABIC,
    CLOSE,
    GRAND,
    NOTE,
    NUMBERED,
    OF_WHICH,
    PLACE,
    ROMAN,
    ROW_NUMBER_HEADING,
    SIGNATURE,
    SUBTOTAL,
    TOTAL,
    TOTAL_START,
    UNIT_LINE,
    fold,
    is_index_row,
    is_number,
    is_of_which,
    plain_words,
)

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Cell


class RowSorter(HeadFinder):
    """Judges rows of one sheet; rows are 0-based inside."""

    def needing_look(self, body: int, first_text: Cell, sparse: int) -> list[int]:
        """Return the rows from *body* on that may be something else than data.

        Rows near both ends, sparse rows, and dense rows that begin with a total's word or repeat the
        heading.
        """
        import numpy as np

        grid = self.sheet.grid
        fill = np.asarray(self.fill)
        look = fill <= sparse
        look[: body + CLOSE] = True
        look[max(self.n - CLOSE, 0) :] = True
        starts = grid.strings.str.contains(TOTAL_START)
        if isinstance(first_text, str) and first_text:
            starts |= grid.strings == first_text
        if len(starts):
            marked = starts.to_numpy()
            for col in range(min(4, grid.n_cols)):
                cells = grid.column(col)
                is_text = cells.kinds == TEXT
                places = np.where(is_text, cells.values, 0).astype(np.int64)
                look |= is_text & marked[places]
        rows: list[int] = (np.flatnonzero(look[body:]) + body).tolist()
        return rows

    def starts_table(self, r: int, repeat: dict[int, str]) -> bool:
        """Say whether another table's heading begins at this row."""
        if r in self.hidden:
            return False
        cells = self.filled(r)
        texts = [v for _, v in cells if isinstance(v, str)]
        if len(texts) < 3 or len(texts) < len(cells):
            return False
        if sum(repeat.get(c) == v for c, v in cells) >= 0.6 * len(cells):
            return False
        return any(fold(t) in ROW_NUMBER_HEADING for t in texts[:2]) or any(
            is_index_row(self.cells[x]) for x in range(r + 1, min(r + 4, self.n))
        )

    def kind_of(  # noqa: PLR0911, PLR0912
        self,
        r: int,
        number_col: int | None,
        columns: list[int],
        repeat: dict[int, str],
        ended: bool,
    ) -> RowKind | None:
        """Return the kind of a filled body row; None for data that might be something else."""
        cells = self.filled(r)
        texts = [(c, v.strip()) for c, v in cells if isinstance(v, str)]
        numbers = [c for c, v in cells if is_number(v)]
        if len(cells) >= 2 and sum(repeat.get(c) == v for c, v in cells) >= 0.6 * len(cells):
            return RowKind.HEADING
        if is_index_row(self.cells[r]) and len(cells) >= 0.6 * len(columns) and len(columns) > 3:
            follows = r > 0 and self.kinds[r - 1] == RowKind.HEADING
            if follows:
                return RowKind.INDEX
        number = self.cells[r][number_col] if number_col is not None else ""
        number_text = f"{number:g}" if isinstance(number, float) else str(number).strip()
        is_numbered = bool(number_col is not None and ARABIC.match(number_text))
        outside = all(c not in columns for c, _ in cells)
        if is_numbered:
            return RowKind.BLANK if len(cells) == 1 else RowKind.DATA
        label = next(((c, t) for c, t in texts if c != number_col or not ROMAN.match(t)), None)
        values = [c for c in numbers if c != number_col and (label is None or c > label[0])]
        if label is not None:
            words = plain_words(label[1])
            early = label[0] <= columns[min(3, len(columns) - 1)] if columns else True
            if early and TOTAL.match(words):
                # Several texts beside the word: a record that happens to begin with it.
                others = [t for c, t in texts if c > label[0] and len(t) > 2 and not is_number(t)]
                return self.total_kind(r, words) if len(others) < 2 else None
            if early and OF_WHICH.match(words):
                return RowKind.SUBTOTAL if values else RowKind.SECTION
            texts_only = not values and all(not is_number(v) for _, v in cells)
            sparse = len(cells) <= 4 or len(cells) <= 0.3 * len(columns)
            near_end = texts_only or ended or r >= self.n - 40
            signs = [bool(SIGNATURE.search(plain_words(t))) for _, t in texts]
            # A row that fills the columns is a record, though a word of it signs elsewhere.
            is_record = len(cells) >= 0.7 * len(columns) and not all(signs)
            if sparse and near_end and any(signs) and not is_record:
                return RowKind.SIGNATURE
            if len(cells) <= 2 and texts_only and NOTE.search(words):
                return RowKind.NOTE
            if len(cells) == 1 and texts_only and len(label[1]) > 150:
                return RowKind.NOTE
            if ended and texts_only and len(cells) <= 4:
                return RowKind.SIGNATURE if self.after_signature(r) else RowKind.NOTE
        if number_col is not None and ROMAN.match(number_text):
            if values:
                return RowKind.SUBTOTAL
            return RowKind.SECTION
        if outside:
            return RowKind.NOTE
        if label is not None and len(texts) == len(cells) == 1 and len(columns) > 2:
            return self.lone_text(r, label[0], label[1], columns, number_col)
        if (
            not texts
            and number_col is None
            and len(columns) > 3
            and len(numbers) >= 0.5 * len(columns)
        ):
            return None if all(c in numbers for c, _ in cells) else RowKind.DATA
        return RowKind.DATA

    def lone_text(
        self, r: int, c: int, text: str, columns: list[int], number_col: int | None
    ) -> RowKind | None:
        """Decide on a row with one text and nothing else."""
        words = plain_words(text)
        if NOTE.search(words):
            return RowKind.NOTE
        first_two = columns[:2] if number_col is None else columns[:3]
        if c not in first_two:
            return None
        followed = any(
            self.fill[x] >= 2 for x in range(r + 1, min(r + 4, self.n)) if x not in self.hidden
        )
        marked = (
            self.across(r, c) > 1
            or (text.isupper() and len(text) > 2)
            or bool(NUMBERED.match(text))
            or bool(PLACE.match(words))
            or text.endswith(":")
        )
        if marked and followed:
            return RowKind.SECTION
        if marked and UNIT_LINE.search(words):
            return RowKind.UNIT_LINE
        return None

    def after_signature(self, r: int) -> bool:
        for x in range(r - 1, max(r - 12, -1), -1):
            if self.kinds[x] == RowKind.SIGNATURE:
                return True
            if self.kinds[x] in (RowKind.DATA, RowKind.TOTAL):
                return False
        return False

    def total_kind(self, r: int, words: str) -> RowKind:
        if SUBTOTAL.search(words):
            return RowKind.SUBTOTAL
        return RowKind.TOTAL if GRAND.search(words) else RowKind.SUBTOTAL

    def is_total_text(self, r: int) -> bool:
        return any(
            TOTAL.match(plain_words(v)) or is_of_which(v)
            for _, v in self.filled(r)
            if isinstance(v, str)
        )

    def label_text(self, r: int) -> str:
        texts = [" ".join(v.split()) for _, v in self.filled(r) if isinstance(v, str)]
        return (
            ". ".join(texts[:2]) if texts and ROMAN.match(texts[0]) else texts[0] if texts else ""
        )

    def row_number_col(self, head: Head, body: int) -> int | None:
        for c in sorted(head.headings)[:3]:
            if fold(head.headings[c]).split(" / ")[-1] in ROW_NUMBER_HEADING or fold(
                head.headings[c]
            ).split(" / ")[0] in ("stt", "tt"):
                return c
        return None

    def note_rows(
        self,
        code: str,
        rows: list[int],
        reason_en: str,
        reason_vi: str,
        *,
        severity: str = "info",
        remedy: tuple[str, str] = ("", ""),
    ) -> None:
        """One note for a set of rows, naming the first ones."""
        if not rows:
            return
        listed = ", ".join(str(r + 1) for r in rows[:10]) + ("…" if len(rows) > 10 else "")
        self.notes.append(
            layout_note(
                self.sheet,
                code,
                severity,
                f"{reason_en} Rows: {listed} ({len(rows)}).",
                f"{reason_vi} Dòng: {listed} ({len(rows)}).",
                remedy_en=remedy[0],
                remedy_vi=remedy[1],
                row=rows[0] + 1,
                count=len(rows),
            )
        )
