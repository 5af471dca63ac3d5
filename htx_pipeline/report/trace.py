"""From a figure of a report to the rows of the source files behind it.

What belongs here: the ids of all figures of a report, the rows, rejected rows and steps of each, and
the table of them that an edition carries (``nguon/trace.parquet``). What does not: which rows a line or
column stands for (`behind`), printing on the terminal (`ask`), what may be published (`disclosure`).

A figure's id is ``<page>/<block>/<key>`` for a headline figure, ``<page>/<table>/<line>/<column>`` for a
cell, ``<page>/<figure>`` for a chart, ``<page>/<prose>/<number>`` for a sentence.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

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
from htx_pipeline.report.frames import Frames

TOTAL: Final = "Cộng"
"""Name of a table's line of totals in ids."""

TRACE_FILE: Final = "nguon/trace.parquet"
"""Where an edition keeps the sources of its figures."""

STEPS: Final[Mapping[str, str]] = {
    "raw": "đọc từng ô của tệp nguồn, giữ tên tệp, trang tính và số dòng",
    "core": "đổi về đơn vị chung, kiểm tra theo quy tắc, loại dòng sai",
    "graph/edges": "cộng các liên kết cùng bên bán, bên mua, sản phẩm và mức bằng chứng",
    "graph/nodes": "xếp mỗi tổ chức vào một công đoạn theo ngành nghề và liên kết",
    "graph/communities": "tìm nhóm tổ chức liên kết chặt (thuật toán Leiden)",
    "metrics/clusters": "cộng các liên kết có cả hai bên trong cụm",
    "metrics/cluster_members": "cộng theo từng thành viên của cụm",
    "metrics/cluster_stages": "cộng theo công đoạn và sản phẩm trong cụm",
    "metrics/chain_flows": "cộng theo dòng từ công đoạn sang công đoạn, bù phần chênh",
    "metrics/localities": "cộng theo địa bàn của hợp tác xã",
    "metrics/indicators": "tính chỉ tiêu, giữ tử số và mẫu số",
    "metrics/plan_progress": "so chỉ tiêu với mục tiêu cùng mẫu số",
    "metrics/reporting_roster": "đối chiếu đơn vị phải báo cáo với báo cáo đã nhận",
}
"""What each step does, in one line, by table."""

SOURCES: Final = pl.List(
    pl.Struct(
        {
            "table": pl.String,
            "rule": pl.String,
            "reason": pl.String,
            "file": pl.String,
            "sheet": pl.String,
            "file_id": pl.String,
            "rows": pl.String,
            "n": pl.Int64,
        }
    )
)

TRACE_SCHEMA: Final[dict[str, Any]] = {
    "figure_id": pl.String,
    "page": pl.String,
    "kind": pl.String,
    "label": pl.String,
    "value": pl.String,
    "is_hidden": pl.Boolean,
    "line": pl.String,
    "steps": pl.List(pl.String),
    "sources": SOURCES,
}
"""Columns of ``nguon/trace.parquet``: one row per figure.

``sources``: one entry per core table, file and sheet of the rows that count (``rule`` null), and one per
rule for those that were rejected. ``rows`` holds ranges of row numbers ("2–5, 9"), ``n`` how many.
``file_id``, sheet and row joined by ":" are a row's ``source_id``.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One figure: what it is called, what is printed, and the source of its rows."""

    id: str
    page: str
    kind: Literal["fact", "cell", "chart", "sentence"]
    label: str
    value: str
    source: Source
    is_hidden: bool = False
    column: Column | None = None
    line: Mapping[str, Any] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the core tables whose rows count: the column's own where it has one."""
        return (self.column.table,) if self.column else self.source.tables

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
    numbers, and sentences. Empty cells are not figures; withheld ones are, and are marked.
    """
    seen: set[str] = set()
    yield from _figures_of_sections(page, seen)
    for table in page.more:
        if table.id not in seen:
            seen.add(table.id)
            yield from _cells(page, table)


def _figures_of_sections(page: Page, seen: set[str]) -> Iterator[Item]:
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Facts):
                yield from _facts(page, block)
            elif isinstance(block, Prose):
                yield from _sentences(page, block)
            else:
                table = block.data if isinstance(block, Figure) else block
                if isinstance(block, Figure):
                    yield Item(
                        id=f"{page.id}/{block.id}", page=page.id, kind="chart", label=block.title, value=block.alt, source=block.source,
                    )  # fmt: skip
                if table.id not in seen:
                    seen.add(table.id)
                    yield from _cells(page, table)


def _facts(page: Page, block: Facts) -> Iterator[Item]:
    for fact in block.items:
        source = fact.source or block.source
        column = fact_column(fact.key)
        yield Item(
            id=f"{page.id}/{block.id}/{fact.name}", page=page.id, kind="fact", label=fact.label, value=fact.value, source=source,
            column=column if column and column.table in source.tables else None,
            is_hidden=fact.value == text.HIDDEN_MARK,
        )  # fmt: skip


def _sentences(page: Page, block: Prose) -> Iterator[Item]:
    if block.source is None:
        return
    for n, words in enumerate(block.paragraphs, start=1):
        yield Item(
            id=f"{page.id}/{block.id}/{n}", page=page.id, kind="sentence", label=f"Câu {n}", value=words, source=block.source,
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
        source = table.source if line is table.total else table.rows_behind(line)
        for field in fields:
            value = line.get(field.key)
            if value is None or value == "":
                continue
            column = column_of(field.key, line)
            yield Item(
                id=f"{page.id}/{table.id}/{name}/{field.key}", page=page.id, kind="cell",
                label=f"{name}: {field.label}", value=f"{field.show(value)} {field.unit}".strip(), source=source,
                column=column if column and column.table in source.tables else None, line=line,
                is_hidden=isinstance(value, Hidden),
            )  # fmt: skip


def figure_ids(report: Report) -> dict[str, Item]:
    """Return all figures of a report by id, page by page."""
    return {
        item.id: item for page in (*report.pages, *report.translations) for item in figures_of(page)
    }


def ranges(numbers: Iterable[int]) -> str:
    """Return row numbers as ranges.

    Examples
    --------
    >>> ranges([9, 2, 3, 4, 5])
    '2–5, 9'
    """
    parts: list[list[int]] = []
    for n in sorted(set(numbers)):
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in parts)


def numbers(shown: str) -> list[int]:
    """Return the row numbers of ranges, the reverse of `ranges`.

    Examples
    --------
    >>> numbers("2–4, 9")
    [2, 3, 4, 9]
    """
    found: list[int] = []
    for part in filter(None, shown.split(", ")):
        first, _, last = part.partition("–")
        found.extend(range(int(first), int(last or first) + 1))
    return found


class CoreRows:
    """The core rows of one period and the rejected ones, asked by condition; answers are kept."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._kept: dict[str, pl.DataFrame] = {}
        self._places: dict[str, tuple[list[dict[str, Any]], Any, Any]] = {}
        self._answers: dict[tuple[str, bool, bytes], list[dict[str, Any]]] = {}

    def sources(self, items: Sequence[Item]) -> list[list[dict[str, Any]]]:
        """Return the entries of ``sources`` (see `TRACE_SCHEMA`) for each figure."""
        asked: list[list[tuple[str, bool, bytes]]] = []
        todo: dict[tuple[str, bool], dict[bytes, pl.Expr]] = {}
        known: dict[int, bytes] = {}
        for item in items:
            keys = []
            for table in item.tables:
                # What is left out is named for the whole scope, whatever the column.
                scope = item.source.only.get(table)
                for is_rejected, expr in ((False, item.counted(table)), (True, scope)):
                    used = pl.lit(value=True) if expr is None else expr
                    # Sources of one line share their expression: write it out once.
                    mark = known.get(id(expr)) if expr is scope else None
                    if mark is None:
                        mark = used.meta.serialize()
                        if expr is scope:
                            known[id(expr)] = mark
                    key = (table, is_rejected, mark)
                    if key not in self._answers:
                        todo.setdefault(key[:2], {})[mark] = used
                    keys.append(key)
            asked.append(keys)
        for (table, is_rejected), exprs in todo.items():
            self._answer(table, exprs, is_rejected=is_rejected)
        return [[entry for key in keys for entry in self._answers[key]] for keys in asked]

    def _table(self, table: str, *, is_rejected: bool) -> pl.DataFrame:
        key = f"core/{table}_rejected" if is_rejected else f"core/{table}"
        if key not in self._kept:
            frame = self._frames.frame(
                key, "source_id", "source_file", "source_sheet", "source_row"
            )
            if frame.height:
                frame = frame.with_columns(
                    file_id=pl.col("source_id").cast(pl.String).str.split(":").list.first()
                )
                if is_rejected:
                    frame = frame.join(self._rules(table), on="source_id", how="left")
                frame = frame.sort(
                    "source_file", "source_sheet", "source_row", "source_id", nulls_last=True
                )
            self._kept[key] = frame
        return self._kept[key]

    def _rules(self, table: str) -> pl.DataFrame:
        """Return the rule that rejected each row and why: the first error found in it, by rule."""
        parts = [
            frame.filter((pl.col("table") == table) & pl.col("severity").is_in(["error", "critical"]))
            .select(pl.col("source_id").cast(pl.String), rule=pl.col("rule_id"), reason=pl.col("reason_vi"))
            for key in ("core/findings", f"core/{table}_findings")
            if (frame := self._frames.frame(key, "table", "severity", "source_id", "rule_id", "reason_vi")).height
        ]  # fmt: skip
        if not parts:
            return pl.DataFrame(
                schema={"source_id": pl.String, "rule": pl.String, "reason": pl.String}
            )
        return pl.concat(parts).sort("rule", "reason").unique("source_id", keep="first")

    def _answer(self, table: str, exprs: Mapping[bytes, pl.Expr], *, is_rejected: bool) -> None:
        frame = self._table(table, is_rejected=is_rejected)
        key = f"core/{table}_rejected" if is_rejected else f"core/{table}"
        marks = list(exprs)
        for at in range(0, len(marks), 256):
            part = marks[at : at + 256]
            if frame.height == 0:
                for mark in part:
                    self._answers[table, is_rejected, mark] = []
                continue
            masks = frame.select(
                (exprs[mark].fill_null(value=False) & pl.lit(value=True)).alias(str(i))
                if not exprs[mark].meta.is_literal()
                else pl.repeat(value=True, n=pl.len(), dtype=pl.Boolean).alias(str(i))
                for i, mark in enumerate(part)
            )
            for i, mark in enumerate(part):
                self._answers[table, is_rejected, mark] = self._entries(key, masks[str(i)])

    def _entries(self, key: str, mask: pl.Series) -> list[dict[str, Any]]:
        """Return the entries of the rows that a mask leaves, one for each place."""
        import numpy as np

        if key not in self._places:
            frame = self._kept[key]
            by = [
                "source_file",
                "source_sheet",
                "file_id",
                *(["rule", "reason"] if "rule" in frame.columns else []),
            ]
            places = frame.select(by).unique(maintain_order=True).with_row_index("at")
            codes = frame.select(by).join(
                places, on=by, how="left", nulls_equal=True, maintain_order="left"
            )
            numbers_of = frame["source_row"].cast(pl.Int64).fill_null(-1).to_numpy()
            self._places[key] = (places.to_dicts(), codes["at"].to_numpy(), numbers_of)
        listed, place_of, row_numbers = self._places[key]
        chosen = np.flatnonzero(mask.to_numpy())
        found = []
        for at in np.unique(place_of[chosen]):
            rows = row_numbers[chosen[place_of[chosen] == at]]
            place = listed[at]
            found.append(
                {
                    "table": key.removeprefix("core/").removesuffix("_rejected"),
                    "rule": (place["rule"] or "unknown") if "rule" in place else None,
                    "reason": place.get("reason"),
                    "file": place["source_file"],
                    "sheet": place["source_sheet"],
                    "file_id": place["file_id"],
                    "rows": ranges(rows[rows >= 0].tolist()),
                    "n": len(rows),
                }
            )
        return found

    def table(self, table: str) -> pl.DataFrame:
        """Return a core table in the order in which rows are asked for."""
        return self._table(table, is_rejected=False)

    def frame(self, item: Item, table: str) -> pl.DataFrame:
        """Return the rows of a core table behind one figure."""
        frame = self._table(table, is_rejected=False)
        expr = item.counted(table)
        return frame if expr is None or not frame.height else frame.filter(expr)


def steps_of(item: Item) -> list[str]:
    """Return the tables between the source files and the figure, each with what was done there."""
    steps = [f"raw/{t}: {STEPS['raw']}" for t in item.tables]
    steps += [f"core/{t}: {STEPS['core']}" for t in item.tables]
    return steps + [f"{t}: {STEPS[t]}" if t in STEPS else t for t in item.source.through]


def core_rows(report: Report) -> CoreRows:
    """Return the rows behind a report, read once for all who ask."""
    if report.frames is None:
        raise ValueError("a report made by build_report carries its frames")
    kept: CoreRows = report.frames.shared("trace", lambda: CoreRows(report.frames))
    return kept


def traced(report: Report, items: Sequence[Item], *, is_public: bool) -> pl.DataFrame:
    """Return figures with their sources; in a public edition files and counts only.

    Returns
    -------
    DataFrame
        `TRACE_SCHEMA`. Public: no sheet, no row, no rejected row, and nothing for withheld figures.
    """
    found = core_rows(report).sources(items)
    rows = [
        {
            "figure_id": item.id, "page": item.page, "kind": item.kind, "label": item.label, "value": item.value,
            "is_hidden": item.is_hidden, "line": item.source.line, "steps": steps_of(item),
            "sources": coarse(entries, is_hidden=item.is_hidden) if is_public else entries,
        }
        for item, entries in zip(items, found, strict=True)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TRACE_SCHEMA)


def coarse(entries: Sequence[Mapping[str, Any]], *, is_hidden: bool) -> list[dict[str, Any]]:
    """Return what a public edition says of a figure's sources: the file and how many rows."""
    if is_hidden:
        return []
    return [
        {**e, "sheet": None, "file_id": None, "rows": "", "rule": None, "reason": None}
        for e in entries
        if e["rule"] is None
    ]


def write_trace(report: Report, frames: Any = None) -> bytes:
    """Return ``nguon/trace.parquet`` of an edition: every figure and the rows behind it.

    Parameters
    ----------
    report:
        The pages; their frames are read again.
    frames:
        Not needed: a report carries its frames.
    """
    del frames
    items = list(figure_ids(report).values())
    frame = traced(report, items, is_public=report.settings.is_public)
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=9, statistics=False)
    return buffer.getvalue()


def sources_json(report: Report, page: Page, *, longest: int = 160) -> dict[str, dict[str, Any]]:
    """Return the sources of a page's figures for a renderer that answers to a click.

    Parameters
    ----------
    longest:
        Characters of row ranges shown; the rest is counted. `htx trace` shows all.

    Returns
    -------
    dict
        Figure id → ``line``, ``files`` (each ``file``, ``sheet``, ``rows``, ``n``), ``n_rejected``,
        ``steps``. In a public edition rows and sheets are empty, and withheld figures are left out.
    """
    items = list({item.id: item for item in figures_of(page)}.values())
    frame = traced(report, items, is_public=report.settings.is_public)
    out = {}
    for row in frame.iter_rows(named=True):
        if report.settings.is_public and row["is_hidden"]:
            continue
        out[row["figure_id"]] = {
            "line": row["line"],
            "files": [
                {
                    "file": e["file"] or "",
                    "sheet": e["sheet"] or "",
                    "rows": shorten(e["rows"], longest),
                    "n": e["n"],
                }
                for e in row["sources"]
                if e["rule"] is None
            ],
            "n_rejected": sum(e["n"] for e in row["sources"] if e["rule"] is not None),
            "steps": row["steps"],
        }
    return out


def shorten(shown: str, longest: int) -> str:
    """Return row ranges cut to *longest* characters, with how many ranges are left.

    Examples
    --------
    >>> shorten("2–5, 9, 12", 6)
    '2–5, 9 … (+1)'
    """
    if len(shown) <= longest:
        return shown
    parts, used = shown.split(", "), 0
    for i, part in enumerate(parts):
        used += len(part) + (2 if i else 0)
        if used > longest:
            return f"{', '.join(parts[: max(i, 1)])} … (+{len(parts) - max(i, 1)})"
    return shown
