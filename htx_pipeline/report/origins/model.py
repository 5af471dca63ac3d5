"""What a figure is made of: sets of rows, the part that each plays, and how the parts make the figure.

What belongs here: parts, formulas, their values. What does not: which rows (`rows`), which figure
(`places`, `indicators`, `clusters`, `quality`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from htx_pipeline.report.origins.rows import Positions, RowSet, TableRows

Role = Literal["counted", "numerator", "denominator", "taken_off", "evidence", "estimated"]
How = Literal["rows", "distinct", "sum", "product", "max", ""]
Formula = Literal["value", "ratio", "difference", "ratio_difference", "gap_in", ""]

ROLES: Final[dict[Role, str]] = {
    "counted": "được tính",
    "numerator": "tử số",
    "denominator": "mẫu số",
    "taken_off": "trừ đi",
    "evidence": "căn cứ",
    "estimated": "ước tính từ",
}
"""What rows do in a figure, as it is printed."""

ROLES_EN: Final[dict[Role, str]] = {
    "counted": "counted",
    "numerator": "numerator",
    "denominator": "denominator",
    "taken_off": "taken off",
    "evidence": "evidence",
    "estimated": "estimated from",
}

FORMULAS: Final[dict[Formula, str]] = {
    "value": "bằng phần được tính",
    "ratio": "tử số ÷ mẫu số",
    "difference": "phần được tính − phần trừ đi",
    "ratio_difference": "tử số ÷ mẫu số − phần trừ đi",
    "gap_in": "chênh giữa phần được tính và phần trừ đi, lấy phần dương",
}
"""How parts make a figure, as it is printed."""

REASONS: Final[dict[str, str]] = {
    "model": "do thuật toán tìm cụm (Leiden) chia, không phải phép cộng các dòng",
    "rank": "là thứ hạng trong cả bảng, không phải phép cộng các dòng",
    "path": "là kết quả tìm đường đi trên mạng lưới liên kết",
    "test": "là kết quả có hay không của một phép thử trên các dòng",
    "picture": "là cả hình; từng số của hình có mã riêng",
    "words": "là câu nêu các số liệu khác; mỗi số liệu có mã riêng",
    "other_year": "các dòng của năm trước không có trong ấn bản này",
    "withheld": "được giữ bí mật",
    "changes": "đếm những gì đã khác so với kỳ trước",
    "no_row": "không dòng nào nêu số liệu này",
}
"""Why a figure is not added up again from rows."""


@dataclass(frozen=True, slots=True)
class Part:
    """A set of rows and what is done with it.

    ``how``: ``rows`` counts them; ``distinct`` counts the values of ``column``; ``sum`` adds it;
    ``product`` adds ``column`` times ``weight``; ``max`` takes the largest; empty where the rows only
    bear witness.
    """

    role: Role
    rows: RowSet
    how: How = ""
    column: str = ""
    weight: str = ""

    @property
    def table(self) -> str:
        """Return the table of the rows."""
        return self.rows.table.key

    @property
    def amount(self) -> float | None:
        """Return what the rows add up to; None where nothing is stated."""
        return amount_of(self.rows.table, self.rows.at, self.how, self.column, self.weight)


def words_of(how: str, table: str, column: str = "", weight: str = "") -> str:
    """Return what is done with the rows of a part, in words.

    Examples
    --------
    >>> words_of("sum", "linkages", "paid_value_vnd")
    'cộng paid_value_vnd của linkages'
    """
    said = {
        "rows": f"đếm dòng {table}",
        "distinct": f"đếm {column} khác nhau của {table}",
        "sum": f"cộng {column} của {table}",
        "product": f"cộng {column} × {weight} của {table}",
        "max": f"lấy {column} lớn nhất của {table}",
    }
    return said.get(how, "")


def amount_of(
    table: TableRows, at: Positions, how: str, column: str = "", weight: str = ""
) -> float | None:
    """Return what rows add up to. Whole numbers exactly, others whatever their order."""
    if how == "rows":
        return len(at)
    if how == "distinct":
        return len({v for v in table.array(column)[at].tolist() if v is not None})
    if not how:
        return None
    is_stated = table.stated(column)
    if weight:
        is_stated = is_stated & table.stated(weight)
    at = at[is_stated[at]]
    if not len(at):
        return None
    values = table.numbers(column)[at]
    if weight:
        values = values * table.numbers(weight)[at]
    if how == "max":
        return float(values.max())
    return int(values.sum()) if values.dtype.kind in "iu" else math.fsum(values.tolist())


@dataclass(frozen=True, slots=True)
class Origin:
    """What a figure is made of.

    ``why``: a key of `REASONS` where there is no formula. ``through``: what was done between the core
    tables and the figure, step by step. ``rejected``: rows of the same scope that were left out.
    """

    parts: tuple[Part, ...] = ()
    formula: Formula = ""
    why: str = ""
    through: tuple[str, ...] = ()
    rejected: tuple[RowSet, ...] = ()

    def value(self) -> float | None:
        """Return the figure made again from its rows; None where it is not defined."""
        if not self.formula:
            return None
        top = _added(self.parts, "counted", "numerator")
        off = _added(self.parts, "taken_off")
        if self.formula.startswith("ratio"):
            bottom = _added(self.parts, "denominator")
            is_nothing = not any(len(p.rows) for p in self.parts if p.role == "numerator")
            top = 0 if top is None and is_nothing else top
            top = None if top is None or not bottom else top / bottom
        if self.formula == "gap_in":
            return max(0.0, (top or 0) - (off or 0)) or None
        if self.formula in ("difference", "ratio_difference"):
            return None if top is None or off is None else top - off
        return top

    def withheld(self) -> Origin:
        """Return the same rows with nothing said of what they add up to."""
        rows = dict.fromkeys(p.rows for p in self.parts)
        return replace(self, parts=tuple(Part("evidence", r) for r in rows), formula="", why="withheld")  # fmt: skip


def _added(parts: Iterable[Part], *roles: str) -> float | None:
    found = [a for p in parts if p.role in roles and (a := p.amount) is not None]
    if not found:
        return None
    return sum(found) if all(isinstance(a, int) for a in found) else math.fsum(found)


def joined(origins: Iterable[Origin], *, why: str) -> Origin:
    """Return what several figures rest on together: each table's rows once, as witnesses."""
    by_table: dict[int, tuple[TableRows, dict[int, RowSet]]] = {}
    through: dict[str, None] = {}
    rejected: dict[int, RowSet] = {}
    for origin in origins:
        for part in origin.parts:
            sets = by_table.setdefault(id(part.rows.table), (part.rows.table, {}))[1]
            sets[part.rows.number] = part.rows
        through |= dict.fromkeys(origin.through)
        rejected |= {id(r): r for r in origin.rejected}
    parts = tuple(
        Part("evidence", table.union(list(found.values()))) for table, found in by_table.values()
    )
    return Origin(parts, why=why, through=tuple(through), rejected=tuple(rejected.values()))


def value(table: TableRows, at: Positions, how: How, column: str = "", **more: Any) -> Origin:
    """Return a figure that one set of rows makes."""
    return Origin((Part("counted", table.set(at), how, column),), "value", **more)
