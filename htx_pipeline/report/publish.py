"""The public edition: the same pages, without what would give away the figures of few organisations.

What belongs here: which blocks, columns, sentences and pictures a public edition keeps. What does not:
which sums are withheld (`cells`, `suppression`), building pages (`model`), tables handed out (`handout`).

What cannot be shown to be safe is withheld. Organisations are named in lists of names of a place only,
as on the business register; no figure stands beside a name, and who belongs to a cluster is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from htx_pipeline.metrics.linkage import UNKNOWN
from htx_pipeline.report import text
from htx_pipeline.report.behind import column_of
from htx_pipeline.report.blocks import (
    HIDDEN,
    Block,
    Fact,
    Facts,
    Field,
    Figure,
    Hidden,
    Page,
    Prose,
    Report,
    Table,
)
from htx_pipeline.report.cells import AMOUNT_UNITS, INTERNAL_BLOCKS, TREND_COLUMNS, Cells
from htx_pipeline.report.handout import small_communes, small_localities
from htx_pipeline.report.items import figures_of
from htx_pipeline.report.labels import WITHOUT_PLACE
from htx_pipeline.report.words import Words

NAME_COLUMNS: Final = frozenset({"name", "type", "place", "locality", "stage_label"})
"""What a list of organisations keeps: what the business register says, and the stage."""

COUNT_TABLES: Final = frozenset({"dong-vao-ra"})
"""Tables whose shares are all shares of rows."""

COUNT_FACTS: Final = frozenset({"organisations", "linkages"})
"""Headline figures whose change since last year is one of counts."""

INTERNAL_FACTS: Final = frozenset({"buyer"})
"""Headline figures that are one organisation's own."""

FEW_LINKAGES: Final = frozenset({"san-pham"})
"""Tables from which lines of few linkages are left out."""

AMOUNT: Final = re.compile(
    r"\d[\d.,]*\s*(?:(?:nghìn |triệu |tỷ )?đồng|tấn|ha\b|hộ\b(?! kinh doanh))"
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
    kept = {
        page.id: public.page(page)
        for page in report.pages
        if page.scope.split(":", 1)[-1] not in public.small
    }

    def own(pages: tuple[Page, ...]) -> tuple[Page, ...]:
        return tuple(kept[p.id] for p in pages if p.id in kept)

    return replace(
        report, overview=kept[report.overview.id], clusters=own(report.clusters), localities=own(report.localities),
        departments=own(report.departments), translations=(), withheld_cells=len(public.cells.hidden),
    )  # fmt: skip


class _Cell(NamedTuple):
    """One cell of a table: its id, column, line and value."""

    id: str
    field: Field
    row: Mapping[str, Any]
    value: Any


class _Publisher:
    def __init__(self, report: Report, *, is_secondary: bool) -> None:
        self.frames = report.frames
        self.period = report.period
        self.least = report.settings.min_disclosure_count
        self.cells = Cells(report, is_secondary=is_secondary)
        self.places = small_localities(report.frames.frame("metrics/localities"), self.least)
        if UNKNOWN in self.places:
            self.places |= {WITHOUT_PLACE}
        self.small = self.places | small_communes(
            report.frames.frame("metrics/communes"), self.least, localities=self.places
        )
        names = self.frames.frame("core/organisations", "name")["name"].drop_nulls().to_list()
        self.names = sorted({n for n in names if len(n) > 5})
        self.known = frozenset(names)
        told = _indicators_told(report, self.cells)
        self.shown: dict[str, set[str]] = {}
        """Per page, how its published amounts are printed."""
        self.classes: dict[str, dict[str, str]] = {}
        """Per page, the class of size in words for an amount as printed."""
        for page in report.pages:
            self._collect(page, told if page.kind in ("overview", "department") else set())

    def _collect(self, page: Page, told: set[str]) -> None:
        """Note how the headline amounts of a page are written, and what is written in their place."""
        # Headline figures only: among many cells one would look like a withheld figure by chance.
        shown = self.shown[page.id] = set(told)
        classes = self.classes[page.id] = {}
        for item in figures_of(page):
            key = item.id.rsplit("/", 1)[-1]
            is_year = key == self.period and str((item.line or {}).get("key")) in TREND_COLUMNS
            if item.id not in self.cells.decided or not (item.kind == "fact" or is_year):
                continue
            printed = item.value.replace("\N{NO-BREAK SPACE}", " ")
            if is_year:
                line = item.line or {}
                printed = f"{text.number(line[key], 1)} {line['unit']}"
            if item.id not in self.cells.hidden:
                shown.add(printed)
            elif item.id in self.cells.bands:
                classes[printed] = _class_words(Hidden(*self.cells.bands[item.id]), printed)

    # ------------------------------------------------------------------ pages

    def page(self, page: Page) -> Page:
        """Return one page of the public edition."""
        sections = []
        for section in page.sections:
            blocks = [b for block in section.blocks for b in self._block(page, block)]
            if blocks:
                sections.append(replace(section, blocks=tuple(blocks)))
        more = tuple(b for t in page.more for b in self._block(page, t) if isinstance(b, Table))
        summary = {k: self._said(page, v) if isinstance(v, str) else v for k, v in page.summary.items()}  # fmt: skip
        return replace(page, sections=tuple(sections), more=more, summary=summary, least_pages=1)

    def _said(self, page: Page, words: str) -> str:
        own = self.classes[page.id].get(words.replace("\N{NO-BREAK SPACE}", " "))
        return own or (words if self.is_sayable(page, words) else text.HIDDEN_MARK)

    def _block(self, page: Page, block: Block) -> Iterable[Block]:
        if block.id in INTERNAL_BLOCKS or getattr(block, "is_internal", False):
            return ()
        if isinstance(block, Facts):
            items = [f for fact in block.items for f in self._fact(page, block, fact)]
            notes = tuple(n for n in block.notes if any(f.change for f in items))
            return (replace(block, items=tuple(items), notes=notes),) if items else ()
        if isinstance(block, Prose):
            return self._prose(page, block)
        if isinstance(block, Table):
            made = self._table(page, block)
            return (made,) if made.fields and made.rows else ()
        return self._figure(page, block)

    def _fact(self, page: Page, block: Facts, fact: Fact) -> Iterable[Fact]:
        key = f"{page.id}/{block.id}/{fact.name}"
        if fact.key in INTERNAL_FACTS:
            return ()
        detail = fact.detail if self.is_sayable(page, fact.detail) else ""
        change = fact.change if fact.key in COUNT_FACTS else ""
        if key in self.cells.bands:
            words = _class_words(Hidden(*self.cells.bands[key]), fact.value)
            return (replace(fact, value=words, detail=detail, change=change, is_hidden=True),)
        if key in self.cells.hidden or not self.is_sayable(page, fact.value):
            return ()
        return (replace(fact, detail=detail, change=change),)

    def _prose(self, page: Page, block: Prose) -> Iterable[Prose]:
        kept = [
            i for i, words in enumerate(block.paragraphs)
            if self.is_sayable(page, words) and (page.kind == "cluster" or not self._tells_of_few(words))
        ]  # fmt: skip
        if not kept:
            return ()
        return (
            replace(
                block, paragraphs=tuple(block.paragraphs[i] for i in kept),
                leads=tuple(block.leads[i] if i < len(block.leads) else "" for i in kept) if block.leads else (),
                figures=tuple(block.figures[i] if i < len(block.figures) else () for i in kept) if block.figures else (),
            ),
        )  # fmt: skip

    def _figure(self, page: Page, figure: Figure) -> Iterable[Block]:
        """Return a picture only where each of its numbers and words may be published; else its table."""
        data = self._table(page, figure.data)
        if figure.spec.get("kind") == "trends":
            figure = self._years(figure, data)
        is_whole = data.rows == figure.data.rows and data.all_fields == figure.data.all_fields
        is_open = figure.spec.get("is_open") or figure.spec.get("kind") == "trends"
        words = (figure.alt, *_strings(figure.spec))
        if (is_whole or is_open) and all(self.is_sayable(page, s) for s in words):
            return (replace(figure, data=data),)
        figures = [f.key for f in data.fields if f.is_number]
        is_empty = all(
            isinstance(r.get(k), Hidden) or r.get(k) is None for r in data.rows for k in figures
        )
        return () if is_empty or not data.rows else (data,)

    def _years(self, figure: Figure, data: Table) -> Figure:
        """Return the years of what is published; a line that withholds a year is not drawn."""
        w = Words(data.lang)
        years = [f.key for f in data.fields if f.is_number]
        whole = [not any(isinstance(r.get(y), Hidden) for y in years) for r in data.rows]
        panels, marks = (
            [p for p, is_kept in zip(figure.spec[k], whole, strict=True) if is_kept] for k in ("panels", "marks")
        )  # fmt: skip
        said = "; ".join(w("trends.said", label=m["title"], values=", ".join(m["lines"])) for m in marks)  # fmt: skip
        spec = {**figure.spec, "panels": panels, "marks": marks}
        return replace(figure, spec=spec, alt=w("trends.alt", said=said)) if panels else figure

    # ------------------------------------------------------------------ tables

    def _table(self, page: Page, table: Table) -> Table:
        if table.row_key == "org_id":
            return self._names_only(table)
        rows, has_few = [], False
        for name, row in zip(table.names, table.rows, strict=True):
            n = row.get("n_linkages")
            if table.id in FEW_LINKAGES and isinstance(n, int) and 0 < n < self.least:
                has_few = True
                continue
            rows.append(self._line(page, table, name, row))
        whole = self._line(page, table, "Cộng", table.total) if table.total else None
        fields, more = (
            tuple(f for f in group if not _is_blank(f, rows)) for group in (table.fields, table.more)
        )  # fmt: skip
        notes = [n for n in table.notes if self.is_sayable(page, n)]
        if has_few:
            notes.append(f"Không nêu những dòng có dưới {self.least} liên kết")
        return replace(
            table, rows=tuple(rows), total=whole, notes=tuple(notes), fields=fields, more=more
        )

    def _names_only(self, table: Table) -> Table:
        keep = tuple(f for f in table.all_fields if f.key in NAME_COLUMNS)
        rows = sorted(
            ({f.key: r.get(f.key) for f in keep} | {"org_id": r.get("org_id")} for r in table.rows),
            key=lambda r: (str(r.get("name")), str(r.get("org_id"))),
        )
        title = table.title.split(", xếp theo", maxsplit=1)[0].replace(" và mức liên kết", "")
        note = "Bản công bố xếp theo tên và không nêu số liệu của từng đơn vị"
        return replace(
            table, title=title, fields=keep, more=(), rows=tuple(rows), notes=(note,), total=None
        )

    def _line(self, page: Page, table: Table, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        printed = {f.key for f in table.all_fields}
        made = {k: v for k, v in row.items() if k in printed or not self._is_named(v)}
        for field in table.all_fields:
            value = row.get(field.key)
            if value is None or value == "" or isinstance(value, Hidden):
                continue
            own = f"{page.id}/{table.id}/{name}/{field.key}"
            if own in self.cells.hidden:
                made[field.key] = Hidden(*self.cells.bands.get(own, ()))
            elif own not in self.cells.decided and not self._may_print(page, table, _Cell(own, field, row, value)):  # fmt: skip
                made[field.key] = HIDDEN
        if table.id == "chi-tieu-chung" and isinstance(made.get("value"), Hidden):
            held: Hidden = made["value"]
            made["shown"] = _class_words(held, str(row["shown"])) if held.has_class else held
        return made

    def _is_named(self, value: Any) -> bool:
        """Return whether a value that is not printed names an organisation."""
        return isinstance(value, list | dict) or (isinstance(value, str) and value in self.known)

    def _may_print(self, page: Page, table: Table, cell: _Cell) -> bool:
        """Return whether a cell on which no rule has spoken may be printed."""
        field, row = cell.field, cell.row
        if (
            self._is_of_few(row)
            and field.key != "n_cooperatives"
            and (field.is_number or field.key == "rank")
        ):
            return False
        column = column_of(field.key, row)
        if column is not None and column.is_public:
            return True
        own = self._by_table(table, cell)
        if own is not None:
            return own
        if field.is_number:
            is_count = field.kind not in ("money", "tonnes", "ha", "share")
            return is_count or (field.kind == "share" and (table_share(field.key) or table.id in COUNT_TABLES))  # fmt: skip
        said = row["actual"] if field.key == "gap" and "actual" in row else cell.value
        return field.key == "target" or not isinstance(said, str) or self.is_sayable(page, said)

    def _tells_of_few(self, words: str) -> bool:
        """Return whether words say a number beside the name of such a place."""
        return bool(re.search(r"\d", words)) and any(p in words for p in self.places)

    def _is_of_few(self, row: Mapping[str, Any]) -> bool:
        """Return whether a line is of a place of which only the number of cooperatives is told."""
        if row.get("commune_code") is not None:
            return row["commune_code"] in self.small
        return row.get("locality") in self.places

    def _by_table(self, table: Table, cell: _Cell) -> bool | None:
        """Return what holds for a cell of certain tables; None where its column says enough."""
        key = cell.field.key
        if table.id == "chi-tieu-chung" and key in ("value", "shown"):
            is_decided = f"{cell.id.rsplit('/', 1)[0]}/value" in self.cells.decided
            return is_decided or cell.row.get("unit") not in AMOUNT_UNITS
        if table.id.startswith("hinh-dien-bien-") and cell.field.is_number:
            said = f"{cell.field.show(cell.value)} {cell.field.unit}".strip()
            is_amount = cell.row.get("key") in TREND_COLUMNS
            return not is_amount or self.cells.was_printed(cell.id, key, said)
        if table.id == "tieu-chi" and key == "value":
            return AMOUNT.search(str(cell.row.get("threshold"))) is None
        return None

    def is_sayable(self, page: Page, words: str) -> bool:
        """Return whether words name no organisation and no amount that is not published on the page."""
        if any(name in words for name in self.names):
            return False
        said = words.replace("\N{NO-BREAK SPACE}", " ")
        return all(m.group(0) in self.shown[page.id] for m in AMOUNT.finditer(said))


def _class_words(held: Hidden, printed: str) -> str:
    """Return a class of size in the unit in which the amount is printed.

    Examples
    --------
    >>> _class_words(Hidden(1e9, 5e9), "3,4 tỷ đồng"), _class_words(Hidden(10, 50), "12,0 ha")
    ('1–5 tỷ đồng', '10–50 ha')
    """
    if "đồng" in printed:
        return f"{held.words(scale=1e9)} tỷ đồng"
    unit = re.sub(r"^[\d.,\s]+", "", printed)
    return f"{held.words()} {unit}".strip()


def _is_blank(field: Field, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a column of figures tells nothing: all of it is withheld or not stated."""
    values = [r.get(field.key) for r in rows]
    held = [v for v in values if isinstance(v, Hidden)]
    return bool(held) and all(v is None or v == "" or (isinstance(v, Hidden) and not v.has_class) for v in values)  # fmt: skip


def _indicators_told(report: Report, cells: Cells) -> set[str]:
    """Return how the indicators that are published are written."""
    told = set()
    for table in report.overview.tables:
        if table.id == "chi-tieu-chung":
            for name, row in zip(table.names, table.rows, strict=True):
                own = f"{report.overview.id}/{table.id}/{name}/value"
                is_amount = row.get("unit") in AMOUNT_UNITS
                if own not in cells.hidden and (own in cells.decided or not is_amount):
                    told.add(str(row["shown"]).replace("\N{NO-BREAK SPACE}", " "))
    return told


def table_share(key: str) -> bool:
    """Return whether a share is one of units, not of money: those are published.

    Examples
    --------
    >>> table_share("linked_share"), table_share("largest_buyer_share"), table_share("inside_share")
    (True, False, False)
    """
    counted = {"linked_share", "missing_share", "reported_share", "progress_share", "progress", "of_all", "of_active",
               "planned", "signed", "active", "executed"}  # fmt: skip
    return key in counted or bool(re.fullmatch(r"s\d|value", key))


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)
