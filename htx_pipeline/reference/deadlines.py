"""When a yearly report is due, by the rule in force for its reporting year.

What belongs here: dated deadlines with their sources. What does not: who must report
(`metrics.reporting`), and the period itself (`ingest.dates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Deadline:
    """A rule: reports of the years ``first_period`` to ``last_period`` are due on a day and month."""

    document: str
    first_period: str
    last_period: str | None
    month: int
    day: int
    is_next_year: bool
    is_verified: bool
    source_address: str

    def on(self, period: str) -> date:
        """Return the day a report of *period* is due."""
        return date(int(period) + self.is_next_year, self.month, self.day)


DEADLINES: Final = (
    Deadline(
        document="Nghị định 107/2017/NĐ-CP", first_period="2010", last_period="2018", month=1, day=15, is_next_year=True,
        is_verified=False, source_address="https://lawnet.vn/thong-tin-phap-luat/chinh-sach-moi/quy-dinh-moi-bao-cao-tinh-hinh-hoat-dong-htx-vao-15-01-hang-nam-43767.html",
    ),
    Deadline(
        document="Thông tư 07/2019/TT-BKHĐT", first_period="2019", last_period="2023", month=12, day=15, is_next_year=False,
        is_verified=False, source_address="https://thuvienphapluat.vn/hoi-dap-phap-luat/4DEB4-hd-che-do-bao-cao-duoc-quy-dinh-nhu-the-nao-trong-huong-dan-phan-loai-va-danh-gia-hop-tac-xa.html",
    ),
    Deadline(
        document="Thông tư 09/2024/TT-BKHĐT", first_period="2024", last_period=None, month=12, day=15, is_next_year=False,
        is_verified=False, source_address="https://lawnet.vn/thong-tin-phap-luat/en/chinh-sach-moi/regulations-on-updating-of-information-by-artels-cooperatives-and-cooperative-unions-in-vietnam-as-of-july-1-2024-138568.html",
    ),
)  # fmt: skip
"""From the cooperative to the registrar. Read as excerpts, not against the documents. The first
rule is applied back to 2010, the earliest year known here."""


def deadline_of(period: str) -> Deadline:
    """Return the rule for a reporting year.

    Examples
    --------
    >>> deadline_of("2018").on("2018").isoformat(), deadline_of("2025").on("2025").isoformat()
    ('2019-01-15', '2025-12-15')
    """
    return next(
        d
        for d in reversed(DEADLINES)
        if d.first_period <= period and (d.last_period is None or period <= d.last_period)
    )
