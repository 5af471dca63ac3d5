"""Finding the headings of a sheet, also when they are merged over several rows.

What belongs here: which rows are a heading, how well they look like one, and the text of each column.
What does not: the rows below (`layout`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htx_pipeline.ingest._scan import Range
from htx_pipeline.ingest.layout_model import RowKind, Table, layout_note
from htx_pipeline.ingest.layout_words import (
    HEADING_WORDS,
    ROW_NUMBER_HEADING,
    TITLE,
    TOTAL,
    UNIT_LINE,
    filled_cells,
    fold,
    is_index_row,
    is_number,
    is_year,
    plain_words,
)
from htx_pipeline.ingest.notes import Note

if TYPE_CHECKING:
    from htx_pipeline.ingest.grid import Cell
    from htx_pipeline.ingest.workbook_sheet import Sheet


@dataclass
class Head:
    """A heading: its rows, the row of column numbers under it, and the text of each column."""

    rows: list[int]
    index_row: int | None
    headings: dict[int, str]


class HeadFinder:
    """One sheet on its way to a `Layout`; rows are 0-based inside."""

    def __init__(
        self, sheet: Sheet, expected: Sequence[str], header_rows: Sequence[int] | None
    ) -> None:
        self.sheet = sheet
        self.cells = sheet.rows
        self.expected = {fold(e) for e in expected}
        self.n = len(self.cells)
        self.fixed = sorted(r - 1 for r in header_rows) if header_rows else []
        self.width = sheet.n_cols
        self.hidden = {r - 1 for r in sheet.hidden_rows}
        self.merged_at: dict[int, list[Range]] = {}
        for r1, c1, r2, c2 in sheet.merged:
            for r in range(r1 - 1, min(r2, r1 + 10)):
                self.merged_at.setdefault(r, []).append((r1 - 1, c1 - 1, r2 - 1, c2 - 1))
        self.fill = sheet.grid.fill
        self.kinds: list[RowKind | None] = [None] * self.n
        self.notes: list[Note] = []
        self.tables: list[Table] = []

    # Small facts about a row.

    def filled(self, r: int) -> list[tuple[int, Cell]]:
        return filled_cells(self.cells[r])

    def is_blank(self, r: int) -> bool:
        return self.fill[r] == 0 or not self.filled(r)

    def coverage(self, r: int) -> set[int]:
        """Columns filled, counting merged cells over their whole width and height."""
        columns = {c for c, _ in self.filled(r)}
        for r1, c1, _, c2 in self.merged_at.get(r, ()):
            if c1 < self.width and self.cells[r1][c1] != "":
                columns.update(range(c1, min(c2 + 1, self.width)))
        return columns

    def usual_width(self, start: int, stop: int) -> int:
        counts = sorted(f for f in self.fill[start : min(stop, start + 300)] if f > 1)
        return counts[int(0.8 * (len(counts) - 1))] if counts else 0

    def head_score(self, r: int, usual: int) -> float:  # noqa: PLR0911
        cells = self.filled(r)
        if not cells or r in self.hidden:
            return 0.0
        texts = [v for _, v in cells if isinstance(v, str) and not is_number(v)]
        others = [v for _, v in cells if not isinstance(v, str) or is_number(v)]
        if any(not is_year(v) for v in others) or not texts:
            return 0.0
        if len(cells) < 2 and not any(fold(t) in self.expected for t in texts):
            return 0.0
        if len(cells) <= 3 and any(TITLE.search(plain_words(t)) for t in texts):
            return 0.0
        if max(map(len, texts)) > 300 or TOTAL.match(plain_words(texts[0])):
            return 0.0
        folded = [fold(t) for t in texts]
        width = len(self.coverage(r))
        if width < 0.5 * usual and not any(f in self.expected for f in folded):
            return 0.0
        score = min(width / max(usual, 1), 1.0)
        score += 0.6 * sum(bool(HEADING_WORDS.match(f)) for f in folded) / len(folded)
        score += 2.0 * sum(f in self.expected for f in folded) / len(folded)
        score += 0.3 * len(set(folded)) / len(folded)
        score += 0.3 * any(f in ROW_NUMBER_HEADING for f in folded)
        score += 0.5 * self.contrast(r, [c for c, v in cells if isinstance(v, str)])
        return score - 0.5 * sum(len(t) > 80 for t in texts) / len(texts)

    def contrast(self, r: int, columns: list[int]) -> float:
        """Share of these columns whose cells further down are numbers, unlike this row's."""
        below = [row for row in self.cells[r + 1 : r + 12] if sum(v != "" for v in row) >= 2][:8]
        if not below or not columns:
            return 0.0
        hits = 0
        for c in columns:
            values = [row[c] for row in below if row[c] != ""]
            hits += bool(values) and sum(map(is_number, values)) > len(values) / 2
        return hits / len(columns)

    def find_head(self, start: int, stop: int, *, strict: bool = False) -> Head | None:
        """Find the heading of the next table between two rows."""
        window = range(start, min(stop, start + 80))
        usual = self.usual_width(start, stop)
        for r in window:
            if r not in self.hidden and self.fill[r] >= 3 and is_index_row(self.cells[r]):
                rows = self.extend_up(r - 1, start)
                if rows:
                    return self.head(rows, r)
        best, best_score = -1, 0.0
        first = -1
        for r in window:
            score = self.head_score(r, usual)
            if score <= 0:
                continue
            if first < 0:
                first = r
            score -= 0.05 * (r - first)
            if score > best_score + 1e-9:
                best, best_score = r, score
        if best < 0 or best_score < (1.3 if strict else 0.8):
            return None
        rows = self.extend_down(self.extend_up(best, start) or [best], stop)
        after = next((r for r in range(rows[-1] + 1, min(rows[-1] + 3, stop)) if self.fill[r]), -1)
        index = after if after >= 0 and is_index_row(self.cells[after]) else None
        return self.head(rows, index)

    def extend_up(self, bottom: int, start: int) -> list[int]:
        """Return the heading rows that end at *bottom*, going up while rows belong to it."""
        if bottom < start or self.is_blank(bottom):
            return []
        rows = [bottom]
        below = {c for c, _ in self.filled(bottom)}
        for r in range(bottom - 1, max(start, bottom - 5) - 1, -1):
            cells = self.filled(r)
            texts = [v for _, v in cells if isinstance(v, str)]
            numbers = [v for _, v in cells if not isinstance(v, str) or is_number(v)]
            if not cells or r in self.hidden or any(not is_year(v) for v in numbers):
                break
            words = [plain_words(t) for t in texts]
            if any(UNIT_LINE.search(w) for w in words):
                break
            down = any(r2 > r for _, _, r2, _ in self.spans(r))
            if len(cells) == 1:
                # A lone text is a title, unless it is merged over part of the columns below it
                # or tied to them by a cell merged downwards.
                column = cells[0][0]
                across = self.across(r, column)
                partial = column > min(below, default=0) and 1 < across < len(below)
                if not (partial or down):
                    break
            elif not self.fits_above(r, below) or (
                len(cells) <= 3 and any(TITLE.search(w) for w in words) and not down
            ):
                break
            rows.insert(0, r)
            below |= self.coverage(r)
        return rows

    def fits_above(self, r: int, below: set[int]) -> bool:
        """Say whether a row's cells stand over the columns of the rows below as groups do."""
        columns = [c for c, _ in self.filled(r)]
        return sum(c in below or self.across(r, c) > 1 for c in columns) >= 0.6 * len(
            columns
        ) or any(r2 > r for _, _, r2, _ in self.spans(r))

    def extend_down(self, rows: list[int], stop: int) -> list[int]:
        """Add rows below that hold the lower level of the headings, or units in brackets."""
        while rows[-1] + 1 < stop and len(rows) < 6:
            r = rows[-1] + 1
            cells = self.filled(r)
            if not cells or r in self.hidden or any(not isinstance(v, str) for _, v in cells):
                break
            texts = [str(v) for _, v in cells]
            tied = any(r2 >= r and r1 <= rows[-1] for r1, _, r2, _ in self.spans(rows[-1]))
            units = all(re.fullmatch(r"\(.{1,30}\)", t.strip()) for t in texts)
            if any(is_number(t) for t in texts) or is_index_row(self.cells[r]):
                break
            top = {c for c, _ in self.filled(rows[-1])}
            gaps = len(cells) >= 2 and all(
                c not in top or self.across(rows[-1], c) > 1 or self.open_right(rows[-1], c)
                for c, _ in cells
            )
            opened = len(top) < len(self.coverage(rows[-1]) | {c for c, _ in cells})
            if not (tied or units or (gaps and opened and cells[0][0] > min(top))):
                break
            rows.append(r)
        return rows

    def spans(self, r: int) -> list[Range]:
        return self.merged_at.get(r, [])

    def across(self, r: int, c: int) -> int:
        for r1, c1, _, c2 in self.spans(r):
            if r1 == r and c1 == c:
                return c2 - c1 + 1
        return 1

    def open_right(self, r: int, c: int) -> bool:
        return c + 1 < self.width and self.cells[r][c + 1] == ""

    def head(  # noqa: PLR0912
        self, rows: list[int], index: int | None
    ) -> Head:
        """Flatten the heading rows: levels joined by " / ", merged cells filled."""
        levels: list[dict[int, str]] = []
        for depth, r in enumerate(rows):
            level: dict[int, str] = {}
            for c, value in self.filled(r):
                text = f"{value:g}" if isinstance(value, float) else str(value)
                level[c] = " ".join(text.split())
            is_last = depth == len(rows) - 1
            ranges = [m for m in self.spans(r) if m[0] == r]
            for _, c1, _, c2 in ranges:
                if c1 in level:
                    for c in range(c1 + 1, min(c2 + 1, self.width)):
                        level.setdefault(c, level[c1])
            if not is_last and not any(c2 > c1 for _, c1, _, c2 in ranges):
                # Without merged cells a group's name stands over its first column only.
                lower = {c for x in rows[depth + 1 :] for c, _ in self.filled(x)}
                name = ""
                for c in range(self.width):
                    if c in level:
                        name = level[c] if c in lower else ""
                    elif name and c in lower:
                        level[c] = name
                    else:
                        name = ""
            levels.append(level)
        headings: dict[int, str] = {}
        for c in range(self.width):
            parts: list[str] = []
            for level in levels:
                if c in level and (not parts or fold(parts[-1]) != fold(level[c])):
                    parts.append(level[c])
            if parts:
                headings[c] = " / ".join(parts)
        return Head(rows, index, self.trim(headings, rows[-1]))

    def trim(self, headings: dict[int, str], last: int) -> dict[int, str]:
        """Leave out texts beside the table: after an empty column, with nothing underneath."""
        columns = sorted(headings)
        for at, c in enumerate(columns[1:], 1):
            if c - columns[at - 1] > 1:
                tail = columns[at:]
                used = any(row[t] != "" for row in self.cells[last + 1 : last + 200] for t in tail)
                if not used:
                    for t in tail:
                        self.notes.append(
                            layout_note(
                                self.sheet,
                                "side_note",
                                "info",
                                "Text beside the table is not taken for a heading.",
                                "Chữ nằm ngoài bảng, không được coi là tiêu đề cột.",
                                row=last + 1,
                                col=t + 1,
                                raw=headings[t],
                            )
                        )
                    return {c: headings[c] for c in columns[:at]}
        return headings
