"""The public edition: the same pages, without what would give away the figures of few organisations.

What belongs here: which blocks, columns, sentences and pictures a public edition keeps, and the sums of
all its pages that are decided on together. What does not: the rules on sums (`suppression`), building
pages (`model`).

What cannot be shown to be safe is withheld: a figure of money, mass, area or people is published only
where it can be added up again from core rows and those sums pass. Organisations are named in lists of
names only; no figure stands beside a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.reference.thresholds import threshold
from htx_pipeline.report import text
from htx_pipeline.report.behind import Column
from htx_pipeline.report.blocks import (
    HIDDEN,
    Block,
    Facts,
    Field,
    Figure,
    Hidden,
    Page,
    Prose,
    Report,
    Table,
)
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.suppression import Rules, withheld_sums
from htx_pipeline.report.trace import Item, core_rows, figures_of

INTERNAL_BLOCKS: Final = frozenset(
    {
        "bi-mat",
        "chua-bao-cao",
        "ket-qua-kiem-tra",
        "danh-sach-thay-doi",
        "ben-mua",
        "doanh-nghiep",
        "viec-can-lam",
    }
)
"""Blocks that speak of single organisations or of work inside the office."""

NAME_COLUMNS: Final = frozenset({"name", "type", "place", "locality", "stage_label"})
"""What a list of organisations keeps: what the business register says, and the stage."""

COUNT_TABLES: Final = frozenset({"dong-vao-ra"})
"""Tables whose shares are all shares of rows."""

AMOUNT: Final = re.compile(r"\d[\d.,]*\s*(?:(?:nghìn |triệu |tỷ )?đồng|tấn|ha\b|hộ\b)")
PERCENT: Final = re.compile(r"\d[\d.,]*\s*%")


def rules_of(options: ReportOptions) -> Rules:
    """Return the rules in force: the number of units from *options*, the rest from the thresholds."""
    return Rules(
        min_contributors=options.min_disclosure_count,
        prior_share=threshold("own.disclosure.prior_share")["value"],
        protection_share=threshold("own.disclosure.protection_share")["value"],
    )


def protect(report: Report, *, is_secondary: bool = True) -> Report:
    """Return the public edition of a report.

    Parameters
    ----------
    report:
        All pages with nothing withheld, as `build_report` makes them; it carries its frames.
    is_secondary:
        False leaves out the search for what gives withheld sums away; for tests.
    """
    public = _Publisher(report, is_secondary=is_secondary)
    pages = {page.id: public.page(page) for page in report.pages}

    def own(kept: tuple[Page, ...]) -> tuple[Page, ...]:
        return tuple(pages[p.id] for p in kept)

    return replace(
        report, overview=pages[report.overview.id], clusters=own(report.clusters), localities=own(report.localities),
        departments=own(report.departments), translations=(), withheld_cells=len(public.hidden),
    )  # fmt: skip


class _Publisher:
    def __init__(self, report: Report, *, is_secondary: bool) -> None:
        self.frames = report.frames
        self.rules = rules_of(report.settings)
        self.rows = core_rows(report)
        self.is_secondary = is_secondary
        names = self.frames.frame("core/organisations", "name")["name"].drop_nulls().to_list()
        self.names = sorted({n for n in names if len(n) > 5})
        clusters = self.frames.frame("metrics/clusters", "cluster_name_vi")["cluster_name_vi"]
        self.clusters = sorted(clusters.drop_nulls().to_list(), key=lambda n: (-len(n), n))
        self.hidden: set[str] = set()
        self.shown: dict[str, set[str]] = {}
        """Per page, how its published figures are printed."""
        self._decide(report)

    # ------------------------------------------------------------------ figures

    def _decide(self, report: Report) -> None:
        """Choose the figures to withhold, over all pages at once, measure by measure."""
        measures: dict[str, tuple[Column, dict[bytes, list[Item]], dict[bytes, Any]]] = {}
        for page in report.pages:
            tables = {t.id: t for t in page.tables}
            for item in figures_of(page):
                column = item.column
                block = item.id.split("/")[1]
                table = tables.get(block)
                if column is None or column.is_public or item.kind not in ("fact", "cell"):
                    continue
                if block in INTERNAL_BLOCKS or (table is not None and table.row_key == "org_id"):
                    continue
                if not self._adds_up(item, column):
                    self.hidden.add(item.id)
                    continue
                measure = f"{column.table}.{column.column}.{column.weight or ''}"
                _, cells, masks = measures.setdefault(measure, (column, {}, {}))
                mask = self._mask(item, column)
                key = mask.tobytes()
                cells.setdefault(key, []).append(item)
                masks[key] = mask
        for _, (column, cells, masks) in sorted(measures.items()):
            values, units = self._values(column)
            order = sorted(cells, key=lambda k: (-int(masks[k].sum()), k))
            matrix = np.array([masks[k] for k in order])
            for i in withheld_sums(
                values, units, matrix, self.rules, is_secondary=self.is_secondary
            ):
                self.hidden |= {item.id for item in cells[order[i]]}
        for page in report.pages:
            # Headline figures only: among many cells one would look like a withheld figure by chance.
            self.shown[page.id] = {
                item.value.replace("\N{NO-BREAK SPACE}", " ")
                for item in figures_of(page)
                if item.kind == "fact" and item.column and item.id not in self.hidden
            }

    def _adds_up(self, item: Item, column: Column) -> bool:
        """Return whether the printed figure is what its rows add up to; else nothing is known of it."""
        found = column.value(self.rows.frame(item, column.table))
        if found is None:
            return False
        if item.line is None:
            return item.value in (text.money(found), text.share(found), f"{text.number(found, 1)} ha", text.number(found))  # fmt: skip
        printed = item.line.get(item.id.rsplit("/", 1)[-1])
        return isinstance(printed, int | float) and abs(printed - found) <= 1e-9 * max(
            1.0, abs(found)
        )

    def _mask(self, item: Item, column: Column) -> Any:
        frame = self.rows.table(column.table)
        expr = item.counted(column.table)
        mask = pl.lit(value=True) if expr is None else expr.fill_null(value=False)
        if column.how == "share" and column.part is not None:
            mask = mask & column.part
        wanted = frame.with_columns(_is=mask)["_is"].to_numpy()
        return wanted & (frame[column.column or ""].is_not_null()).to_numpy()

    def _values(self, column: Column) -> tuple[Any, list[Any]]:
        frame = self.rows.table(column.table)
        value = frame[column.column or ""].cast(pl.Float64).fill_null(0.0)
        if column.weight:
            value = value * frame[column.weight].cast(pl.Float64).fill_null(0.0)
        return value.to_numpy(), [
            frame[e].cast(pl.String).fill_null("").to_numpy() for e in column.entities
        ]

    # ------------------------------------------------------------------ pages

    def page(self, page: Page) -> Page:
        """Return one page of the public edition."""
        sections = []
        for section in page.sections:
            blocks = [b for block in section.blocks for b in self._block(page, block)]
            if blocks:
                sections.append(replace(section, blocks=tuple(blocks)))
        more = tuple(b for t in page.more for b in self._block(page, t) if isinstance(b, Table))
        summary = {k: v if not isinstance(v, str) or self.is_sayable(page, v) else text.HIDDEN_MARK for k, v in page.summary.items()}  # fmt: skip
        return replace(page, sections=tuple(sections), more=more, summary=summary, least_pages=1)

    def _block(self, page: Page, block: Block) -> Iterable[Block]:
        if block.id in INTERNAL_BLOCKS or getattr(block, "is_internal", False):
            return ()
        if isinstance(block, Facts):
            items = [
                replace(f, detail=f.detail if self.is_sayable(page, f.detail) else "", change="")
                for f in block.items
                if f"{page.id}/{block.id}/{f.name}" not in self.hidden
                and self.is_sayable(page, f.value)
            ]
            return (replace(block, items=tuple(items)),) if items else ()
        if isinstance(block, Prose):
            kept = [i for i, words in enumerate(block.paragraphs) if self.is_sayable(page, words)]
            if not kept:
                return ()
            return (
                replace(
                    block, paragraphs=tuple(block.paragraphs[i] for i in kept),
                    leads=tuple(block.leads[i] if i < len(block.leads) else "" for i in kept) if block.leads else (),
                    figures=tuple(block.figures[i] if i < len(block.figures) else () for i in kept) if block.figures else (),
                ),
            )  # fmt: skip
        if isinstance(block, Table):
            made = self._table(page, block)
            return (made,) if made.fields and made.rows else ()
        return self._figure(page, block)

    def _figure(self, page: Page, figure: Figure) -> Iterable[Block]:
        """Return a picture only where each of its numbers and words may be published; else its table."""
        data = self._table(page, figure.data)
        is_whole = data.rows == figure.data.rows and data.all_fields == figure.data.all_fields
        if is_whole and all(self.is_sayable(page, s) for s in (figure.alt, *_strings(figure.spec))):
            return (figure,)
        figures = [f.key for f in data.fields if f.is_number]
        is_empty = all(
            isinstance(r.get(k), Hidden) or r.get(k) is None for r in data.rows for k in figures
        )
        return () if is_empty or not data.rows else (data,)

    def _table(self, page: Page, table: Table) -> Table:
        if table.row_key == "org_id":
            return self._names_only(table)
        rows = [
            self._line(page, table, name, row)
            for name, row in zip(table.names, table.rows, strict=True)
        ]
        whole = self._line(page, table, "Cộng", table.total) if table.total else None
        notes = tuple(n for n in table.notes if self.is_sayable(page, n))
        return replace(table, rows=tuple(rows), total=whole, notes=notes)

    def _names_only(self, table: Table) -> Table:
        keep = tuple(f for f in table.all_fields if f.key in NAME_COLUMNS)
        rows = sorted(
            ({f.key: r.get(f.key) for f in keep} | {"org_id": r.get("org_id")} for r in table.rows),
            key=lambda r: (str(r.get("name")), str(r.get("org_id"))),
        )
        title = table.title.split(", xếp theo", maxsplit=1)[0]
        note = "Bản công bố xếp theo tên và không nêu số liệu của từng đơn vị"
        return replace(
            table, title=title, fields=keep, more=(), rows=tuple(rows), notes=(note,), total=None
        )

    def _line(self, page: Page, table: Table, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(row)
        own_unit = str(row.get("unit") or row.get("value_unit") or "")
        is_amount = bool(re.search(r"đồng|VND|tấn|tonne|\bha\b", own_unit))
        for field in table.all_fields:
            value = row.get(field.key)
            if value is None or value == "" or isinstance(value, Hidden):
                continue
            if f"{page.id}/{table.id}/{name}/{field.key}" in self.hidden or not self._may_print(
                page, table, field, row, value, is_amount=is_amount
            ):
                made[field.key] = HIDDEN
        return made

    def _may_print(
        self,
        page: Page,
        table: Table,
        field: Field,
        row: Mapping[str, Any],
        value: Any,
        *,
        is_amount: bool,
    ) -> bool:
        """Return whether a cell that no rule withholds may be printed."""
        from htx_pipeline.report.behind import column_of

        column = column_of(field.key, row)
        if column is not None:
            return True  # Decided with all the others.
        if field.kind in ("money", "tonnes", "ha"):
            return False
        if field.kind == "number" or field.key == "shown":
            return not is_amount
        if field.kind == "share":
            return page.kind != "cluster" and (table_share(field.key) or table.id in COUNT_TABLES)
        if isinstance(value, str):
            return field.key == "target" or self.is_sayable(page, value)
        return True

    def is_sayable(self, page: Page, words: str) -> bool:
        """Return whether words name no organisation and no amount that is not published on the page."""
        for name in self.clusters:
            words = words.replace(name, "")
        if any(name in words for name in self.names):
            return False
        said = words.replace("\N{NO-BREAK SPACE}", " ")
        amounts = [m.group(0) for m in AMOUNT.finditer(said)]
        if page.kind == "cluster":
            amounts += [m.group(0) for m in PERCENT.finditer(said)]
        return all(a in self.shown[page.id] for a in amounts)


def table_share(key: str) -> bool:
    """Return whether a share is one of units, not of money: those are published.

    Examples
    --------
    >>> table_share("linked_share"), table_share("largest_buyer_share"), table_share("inside_share")
    (True, False, False)
    """
    counted = {"linked_share", "missing_share", "reported_share", "progress_share", "progress", "of_all", "of_active",
               "planned", "signed", "active", "executed"}  # fmt: skip
    return key in counted or bool(re.fullmatch(r"s\d", key))


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


PUBLIC_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "core/organisations": ("period", "org_id", "legal_type", "name", "locality", "admin_code", "admin_version", "vsic_code", "status"),
    "graph/nodes": ("period", "org_id", "name", "legal_type", "locality", "admin_code", "admin_version", "stage"),
    "metrics/clusters": (
        "period", "cluster_id", "cluster_name_vi", "cluster_name_en", "n_organisations", "n_cooperatives", "n_unions", "n_cooperative_groups",
        "n_enterprises", "n_other",
        "localities", "n_localities", "main_locality", "products", "main_product", "stages_present", "stages_missing", "n_linkages",
    ),
    "metrics/cluster_members": ("period", "cluster_id", "org_id", "name", "legal_type", "stage", "locality"),
    "metrics/localities": (
        "period", "locality", "n_cooperatives", "n_active", "n_reported", "n_unions", "n_linked_planned", "n_linked_signed",
        "n_linked_active", "n_linked_executed", "linked_share", "linked_share_low", "linked_share_high", "n_linkages",
    ),
    "metrics/communes": (
        "period", "commune_code", "commune_name", "locality", "n_cooperatives", "n_active", "n_reported", "n_linked_planned",
        "n_linked_signed", "n_linked_active", "n_linked_executed", "n_linkages",
    ),
    "metrics/reporting_roster_localities": (
        "period", "locality", "n_expected", "n_on_time", "n_late", "n_undated", "n_partial", "n_missing", "reported_share",
    ),
}  # fmt: skip
"""Tables and columns that a public edition may hand out: register entries and counts, no amounts."""


def publishable(
    frames: Mapping[str, pl.DataFrame], options: ReportOptions
) -> dict[str, pl.DataFrame]:
    """Return the frames that an edition may hand out: all in an internal one.

    A public edition gets the tables and columns of `PUBLIC_COLUMNS` and nothing else: no linkage, no
    report of a cooperative, no amount.

    Examples
    --------
    >>> from datetime import date
    >>> options = ReportOptions(title="x", as_of=date(2025, 1, 1), kind="public")
    >>> frames = {"core/linkages": pl.DataFrame({"a": [1]}), "metrics/localities": pl.DataFrame({"locality": ["X"], "revenue_vnd": [9]})}
    >>> publishable(frames, options)["metrics/localities"].columns
    ['locality']
    """
    if not options.is_public:
        return dict(frames)
    return {
        key: frames[key].select(c for c in columns if c in frames[key].columns)
        for key, columns in PUBLIC_COLUMNS.items()
        if key in frames
    }
