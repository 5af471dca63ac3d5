"""The sums that all pages of an edition print, decided on together: printed, given as a class, withheld.

What belongs here: finding every printed sum as a set of core rows, the order in which sums are wanted,
what earlier editions gave away. What does not: the rules (`suppression`), taking cells off pages
(`publish`).

A figure of money, mass, area or people is published only where it can be added up again from core rows:
of another nothing can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.reference.size_classes import limits
from htx_pipeline.reference.thresholds import threshold
from htx_pipeline.report import text
from htx_pipeline.report.behind import COLUMNS, Column
from htx_pipeline.report.blocks import Facts, Page, Report
from htx_pipeline.report.frames import EARLIER
from htx_pipeline.report.items import Item, figures_of
from htx_pipeline.report.labels import LEVELS
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.suppression import Rules, withheld_sums
from htx_pipeline.report.trace import CoreRows, core_rows

INTERNAL_BLOCKS: Final = frozenset(
    {
        "bi-mat",
        "chua-bao-cao",
        "ket-qua-kiem-tra",
        "danh-sach-thay-doi",
        "ben-mua",
        "doanh-nghiep",
        "thanh-vien",
    }
)
"""Blocks that speak of single organisations or of work inside the office."""

WANTED: Final[Mapping[str, int]] = {"san-pham": 3, "xa-phuong": 2, "cong-doan": 5}
"""Which tables' sums are given up first where not all can be printed; all others count 1."""

INDICATORS: Final[Mapping[str, str]] = {
    "contracted_value_vnd": "contracted_value_vnd",
    "paid_value_vnd": "paid_value_vnd",
    "delivered_tonnes": "delivered_tonnes",
    "linked_area_ha": "area_ha",
    "executed_value_share": "executed_share",
    "linked_value_share": "contracted_value_vnd",
    "linked_area_share": "area_ha",
    "linked_output_share": "contracted_tonnes",
    "linked_households": "households",
    "linked_members_share": "official_members",
    "linked_revenue_share": "revenue_vnd",
    "revenue_vnd": "revenue_vnd",
    "official_members": "official_members",
    "members_per_cooperative": "official_members",
    "revenue_per_cooperative_vnd": "revenue_vnd",
    "member_income_vnd": "member_income_vnd",
}
"""Indicators that are sums of rows, means or shares of them, and the column that is added."""

PER_UNIT: Final = frozenset({"members_per_cooperative", "revenue_per_cooperative_vnd"})
"""Indicators that are a sum over the number of units that state it."""

AMOUNT_UNITS: Final = frozenset({"VND", "tonnes", "ha", "person", "household", "ratio"})
"""Units of indicators that are not counts on a public register."""

TREND_COLUMNS: Final[Mapping[str, str]] = {
    "contracted_value_vnd": "contracted_value_vnd",
    "paid_value_vnd": "paid_value_vnd",
}
"""Lines of the tables of years that are amounts; of the others nothing is withheld but by unit."""

PUBLISHED: Final = f"{EARLIER}published"
"""Key of the frame of what earlier public editions printed: year, figure_id, value."""

Measure = tuple[Column, dict[bytes, list[tuple[Item, int]]], dict[bytes, Any]]


def rules_of(options: ReportOptions) -> Rules:
    """Return the rules in force: the number of units from *options*, the rest from the thresholds."""
    return Rules(
        min_contributors=options.min_disclosure_count,
        prior_share=threshold("own.disclosure.prior_share")["value"],
        protection_share=threshold("own.disclosure.protection_share")["value"],
    )


class Cells:
    """What becomes of each figure of a report, by its id.

    Attributes
    ----------
    hidden:
        Figures that are withheld.
    bands:
        Of these, the class of size that is given instead.
    decided:
        Figures on which the rules have spoken; any other amount is withheld.
    """

    def __init__(self, report: Report, *, is_secondary: bool) -> None:
        self.frames = report.frames
        self.period = report.period
        self.rules = rules_of(report.settings)
        self.rows: CoreRows = core_rows(report)
        self.hidden: set[str] = set()
        self.bands: dict[str, tuple[float, float]] = {}
        self.decided: set[str] = set()
        types = self.frames.frame("core/organisations", "org_id", "legal_type")
        others = types.filter(pl.col("legal_type") != "htx")["org_id"].to_list()
        self.htx = ~pl.col("org_id").is_in(others)
        self.printed_before = self._printed_before()
        measures: dict[str, Measure] = {}
        for page in report.pages:
            for item, level in sums_of(page, self.period, linked=self._linked):
                self._add(measures, item, level)
        for _, (column, items, masks) in sorted(measures.items()):
            self._decide(column, items, masks, is_secondary=is_secondary)

    def _linked(self, level: str) -> list[str]:
        """Return the organisations with a linkage of a level or a stronger one."""
        frame = self.frames.frame("core/linkages", "supplier_id", "buyer_id", "evidence").filter(
            pl.col("evidence").is_in(LEVELS[LEVELS.index(level) :])
            & (pl.col("supplier_id") != pl.col("buyer_id"))
        )
        return sorted({*frame["supplier_id"].to_list(), *frame["buyer_id"].to_list()} - {None})

    def _printed_before(self) -> dict[tuple[str, str], str]:
        frame = self.frames.frame(PUBLISHED, "year", "figure_id", "value")
        return {
            (r["year"], r["figure_id"]): r["value"]
            for r in frame.select("year", "figure_id", "value").to_dicts()
        }

    def _add(self, measures: dict[str, Measure], item: Item, level: int) -> None:
        column = item.column
        if column is None:
            return
        if column.table == "cooperative_reports" and column.table not in item.source.only:
            # Without a place, sums of reports are of cooperatives; unions report apart.
            item = replace(item, scope=replace(item.source, only={**item.source.only, column.table: self.htx}))  # fmt: skip
        self.decided.add(item.id)
        if not self._adds_up(item, column):
            self.hidden.add(item.id)
            return
        measure = f"{column.table}.{column.column}.{column.weight or ''}"
        _, items, masks = measures.setdefault(measure, (column, {}, {}))
        mask = self._mask(item, column, self.rows.table(column.table))
        key = mask.tobytes()
        items.setdefault(key, []).append((item, level))
        masks[key] = mask

    def _decide(
        self,
        column: Column,
        items: Mapping[bytes, list[tuple[Item, int]]],
        masks: Mapping[bytes, Any],
        *,
        is_secondary: bool,
    ) -> None:
        frame = self.rows.table(column.table)
        values, units = _values(frame, column), _units(frame, column)
        order = sorted(
            items, key=lambda k: (min(level for _, level in items[k]), -int(masks[k].sum()), k)
        )
        added = [i for i, k in enumerate(order) if any(_is_sum(item) for item, _ in items[k])]
        classes = limits("money" if (column.column or "").endswith("_vnd") else "amount")
        matrix = np.array([masks[k] for k in order])
        found = withheld_sums(
            values, units, matrix, self.rules, is_secondary=is_secondary,
            classes=dict.fromkeys(added, classes) if is_secondary else None,
            flagged=[i for i, k in enumerate(order) if any(self._shows_a_newcomer(item, masks[k], values, units) for item, _ in items[k])],
        )  # fmt: skip
        for i in found.hidden:
            for item, _ in items[order[i]]:
                self.hidden.add(item.id)
                if i in found.bands and _is_sum(item):
                    self.bands[item.id] = found.bands[i]

    def _adds_up(self, item: Item, column: Column) -> bool:
        """Return whether the printed figure is what its rows add up to; else nothing is known of it."""
        rows = self.rows.frame(item, column.table)
        found = column.value(rows)
        if found is None:
            return False
        line = item.line
        if line is None:
            return item.value in (text.money(found), text.share(found), f"{text.number(found, 1)} ha", text.number(found))  # fmt: skip
        printed = line.get(item.id.rsplit("/", 1)[-1])
        if line.get("code") in PER_UNIT:
            found /= rows[column.column or ""].drop_nulls().len()
        return isinstance(printed, int | float) and abs(printed - found) <= 1e-9 * max(
            1.0, abs(found)
        )

    def _mask(self, item: Item, column: Column, frame: pl.DataFrame) -> Any:
        expr = item.counted(column.table)
        mask = pl.lit(value=True) if expr is None else expr.fill_null(value=False)
        if column.how == "share" and column.part is not None:
            mask = mask & column.part
        return (
            frame.with_columns(_is=mask)["_is"].to_numpy()
            & frame[column.column or ""].is_not_null().to_numpy()
        )

    # ------------------------------------------------------------------ earlier years

    def _shows_a_newcomer(self, item: Item, mask: Any, values: Any, units: list[Any]) -> bool:
        """Return whether a sum beside the one printed a year earlier tells the figure of who came or left.

        The units that stay are taken to change by no more than an outsider can foresee; what few that
        came (or left) hold then follows from the difference.
        """
        if not self.period.isdigit() or item.column is None:
            return False
        year = str(int(self.period) - 1)
        frame = self.frames.frame(f"{EARLIER}{year}/core/{item.column.table}")
        if (year, item.id) not in self.printed_before or not frame.height:
            return False
        column = item.column
        then = self._mask(item, column, frame)
        before, owners = _values(frame, column), _units(frame, column)
        for now_units, then_units in zip(units, owners, strict=True):
            now, old = now_units[mask], then_units[then]
            for own, other, amounts in ((now, old, values[mask]), (old, now, before[then])):
                is_new = ~np.isin(own, other)
                few = len(np.unique(own[is_new]))
                if not 0 < few < self.rules.min_contributors:
                    continue
                new, rest = amounts[is_new].sum(), amounts[~is_new].sum()
                steady = threshold("own.disclosure.yearly_change_share")["value"]
                if steady * rest < self.rules.protection_share * new:
                    return True
        return False

    def was_printed(self, figure_id: str, year: str, value: str) -> bool:
        """Return whether the public edition of *year* printed this figure as this value."""
        return self.printed_before.get((year, figure_id)) == value


def _is_sum(item: Item) -> bool:
    line = item.line or {}
    is_share = line.get("unit") == "share" or line.get("code") in PER_UNIT
    return item.column is not None and item.column.how == "sum" and not is_share


def _values(frame: pl.DataFrame, column: Column) -> Any:
    value = frame[column.column or ""].cast(pl.Float64).fill_null(0.0)
    if column.weight:
        value = value * frame[column.weight].cast(pl.Float64).fill_null(0.0)
    return value.to_numpy()


def _units(frame: pl.DataFrame, column: Column) -> list[Any]:
    return [frame[e].cast(pl.String).fill_null("").to_numpy() for e in column.entities]


def sums_of(
    page: Page, period: str, *, linked: Callable[[str], list[str]]
) -> Iterable[tuple[Item, int]]:
    """Yield the figures of a page that are sums, means or shares of amounts, and how little they are wanted."""
    tables = {t.id: t for t in page.tables}
    whole = next((b.source for s in page.sections for b in s.blocks if isinstance(b, Facts)), None)
    for item in figures_of(page):
        block = item.id.split("/")[1]
        table = tables.get(block)
        if item.kind not in ("fact", "cell") or block in INTERNAL_BLOCKS:
            continue
        if table is not None and table.row_key == "org_id":
            continue
        if block == "chi-tieu-chung" and item.id.endswith("/value"):
            made = _indicator(item, linked)
            if made is not None:
                yield made, 0
        elif block.startswith("hinh-dien-bien-") and item.id.endswith(f"/{period}"):
            made = _trend(item, period)
            if made is not None and whole is not None:
                yield replace(made, scope=whole), 1
        elif item.column is not None and not item.column.is_public:
            yield item, _level(page, block, item)


def _level(page: Page, block: str, item: Item) -> int:
    if block.startswith("hinh-chuoi-"):
        return 4
    level = WANTED.get(block, 1)
    if page.scope.startswith("commune:"):
        return max(level, 2)
    return 0 if page.kind == "overview" and (item.kind == "fact" or item.id.split("/")[2] == "Cộng") else level  # fmt: skip


def _indicator(item: Item, linked: Callable[[str], list[str]]) -> Item | None:
    """Return an indicator as the sum that it is; None where it is none."""
    line = item.line or {}
    column = COLUMNS.get(INDICATORS.get(line.get("code") or "", ""))
    if column is None:
        return None
    at = LEVELS.index(line["evidence"]) if line.get("evidence") in LEVELS else None
    if line.get("code") == "executed_value_share":
        column = replace(column, only=lambda _: pl.col("evidence") != "planned")
    elif at is not None and line.get("unit") == "share":
        part = pl.col("evidence").is_in(LEVELS[at:])
        if column.table == "cooperative_reports":
            part = pl.col("org_id").is_in(linked(LEVELS[at]))
        column = replace(column, how="share", part=part, only=None)
    elif at is not None:
        column = replace(column, only=lambda _: pl.col("evidence").is_in(LEVELS[at:]))
    return replace(item, column=column, scope=replace(item.source, only={}))


def _trend(item: Item, period: str) -> Item | None:
    """Return the amount of this year in a table of years as the sum that it is."""
    line = item.line or {}
    column = COLUMNS.get(TREND_COLUMNS.get(str(line.get("key")), ""))
    scale = {text.UNITS["vi"][0]: 1e9, text.UNITS["vi"][1]: 1e6}.get(str(line.get("unit")), 1.0)
    if column is None:
        return None
    return replace(item, column=column, line={period: line[period] * scale})
