"""The figures of a page: their ids, what is printed, and where each stands.

What belongs here: walking a page. What does not: what the figures are made of (`trace`, `origins`).

A figure's id is ``<page>/<block>/<key>`` for a headline figure, ``<page>/<table>/<line>/<column>`` for a
cell, ``<page>/<figure>`` for a chart, ``<page>/<figure>/<element>`` for what can be clicked in it,
``<page>/<prose>/<number>`` for a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.behind import Column, column_of, fact_column
from htx_pipeline.report.blocks import (
    Facts,
    Field,
    Figure,
    Hidden,
    Page,
    Prose,
    Report,
    Source,
    Table,
)
from htx_pipeline.report.origins.marks import cells_of_mark
from htx_pipeline.report.origins.registry import TOTAL, Ask

Kind = Literal["fact", "cell", "chart", "mark", "sentence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One figure: what it is called, what is printed, and where it stands."""

    id: str
    page: str
    kind: Kind
    label: str
    value: str
    scope: Source | Table
    """Its block's source, or the table that knows the source of each line."""
    is_hidden: bool = False
    column: Column | None = None
    line: Mapping[str, Any] | None = None
    ask: Ask | None = None
    rests_on: tuple[str, ...] = ()

    @property
    def source(self) -> Source:
        """Return the source of the line, or of the block."""
        if isinstance(self.scope, Source):
            return self.scope
        if self.line is None or self.line is self.scope.total:
            return self.scope.source
        return self.scope.rows_behind(self.line)

    @property
    def said(self) -> str:
        """Return the line on sources printed under the block."""
        return self.scope.line if isinstance(self.scope, Source) else self.scope.source.line

    def counted(self, table: str) -> pl.Expr | None:
        """Return which rows of *table* count; None for all."""
        scope = self.source.only.get(table)
        own = self.column.rows(self.line or {}) if self.column else None
        if scope is None or own is None:
            return scope if own is None else own
        return scope & own


def figures_of(page: Page) -> Iterator[Item]:
    """Yield the figures of a page in order; ids are unique within a report.

    Facts, cells that hold a number or an amount in words (total lines included), charts with their
    numbers and what can be clicked in them, and sentences. Empty cells are not figures; withheld ones
    are, and are marked.
    """
    seen: set[str] = set()
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Facts):
                yield from _facts(page, block)
            elif isinstance(block, Prose):
                yield from _sentences(page, block)
            else:
                yield from _block(page, block, seen)
    for table in page.more:
        yield from _block(page, table, seen)


def _block(page: Page, block: Table | Figure, seen: set[str]) -> Iterator[Item]:
    table = block.data if isinstance(block, Figure) else block
    cells = tuple(_cells(page, table)) if isinstance(block, Figure) or table.id not in seen else ()
    if isinstance(block, Figure):
        yield Item(
            id=f"{page.id}/{block.id}", page=page.id, kind="chart", label=block.title, value=block.alt, scope=block.source,
            rests_on=tuple(c.id for c in cells),
        )  # fmt: skip
        yield from _marks(page, block, cells)
    if table.id not in seen:
        seen.add(table.id)
        yield from cells


def _marks(page: Page, figure: Figure, cells: Sequence[Item]) -> Iterator[Item]:
    for mark in figure.spec.get("marks", ()):
        stated = cells_of_mark(mark["gid"], ((c.id, c.line) for c in cells))
        if stated:
            yield Item(
                id=f"{page.id}/{figure.id}/{mark['gid']}", page=page.id, kind="mark", label=mark["title"], value="; ".join(mark["lines"]),
                scope=figure.source, rests_on=stated,
            )  # fmt: skip


def _facts(page: Page, block: Facts) -> Iterator[Item]:
    for fact in block.items:
        if fact.value == text.NULL_MARK:
            continue
        source = fact.source or block.source
        column = fact_column(fact.key)
        yield Item(
            id=f"{page.id}/{block.id}/{fact.name}", page=page.id, kind="fact", label=fact.label, value=fact.value, scope=source,
            column=column if column and column.table in source.tables else None,
            is_hidden=fact.is_hidden or fact.value == text.HIDDEN_MARK, ask=Ask(page, block.id, fact.key),
        )  # fmt: skip


def _sentences(page: Page, block: Prose) -> Iterator[Item]:
    if block.source is None:
        return
    for n, words in enumerate(block.paragraphs, start=1):
        figures = block.figures[n - 1] if n <= len(block.figures) else ()
        yield Item(
            id=f"{page.id}/{block.id}/{n}", page=page.id, kind="sentence", label=f"Câu {n}", value=words, scope=block.source,
            rests_on=figures,
        )  # fmt: skip


def is_figure(field: Field) -> bool:
    """Return whether cells of a column are figures."""
    return field.is_number or field.kind == "words"


def _cells(page: Page, table: Table) -> Iterator[Item]:
    fields = [f for f in table.all_fields if is_figure(f)]
    lines = list(zip(table.names, table.rows, strict=True))
    if table.total:
        lines.append((TOTAL, table.total))
    for name, line in lines:
        for field in fields:
            value = line.get(field.key)
            if value is None or value == "":
                continue
            column = column_of(field.key, line)
            yield Item(
                id=f"{page.id}/{table.id}/{name}/{field.key}", page=page.id, kind="cell",
                label=f"{name}: {field.label}", value=f"{field.show(value)} {field.unit}".strip(), scope=table,
                column=column if column and column.table in table.source.tables else None, line=line,
                is_hidden=isinstance(value, Hidden), ask=Ask(page, table.id, field.key, line, name, field.label),
            )  # fmt: skip


def figure_ids(report: Report) -> dict[str, Item]:
    """Return all figures of a report by id, page by page."""
    return {
        item.id: item for page in (*report.pages, *report.translations) for item in figures_of(page)
    }
