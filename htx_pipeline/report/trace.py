"""From a figure of a report to the rows of the source files behind it.

What belongs here: what each figure of a report is made of, the rejected rows and the steps, and the table
of them that an edition carries (``nguon/trace.parquet``). What does not: which figures there are (`items`),
which rows make which (`origins`), printing on the terminal (`ask`), what may be published (`disclosure`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.frames import Frames
from htx_pipeline.report.items import Item, figure_ids, figures_of, is_figure
from htx_pipeline.report.origins.model import (
    FORMULAS,
    REASONS,
    ROLES,
    ROLES_EN,
    Origin,
    Part,
    joined,
)
from htx_pipeline.report.origins.registry import TOTAL, Origins
from htx_pipeline.report.origins.rows import RowSet, numbers, ranges
from htx_pipeline.report.origins.steps import steps_of
from htx_pipeline.report.text import Lang

TRACE_FILE: Final = "nguon/trace.parquet"
"""Where an edition keeps the sources of its figures."""

REJECTED: Final = "rejected"
"""Role of rows of the same scope that a rule left out."""

SOURCES: Final = pl.List(
    pl.Struct(
        {
            "part": pl.Int64,
            "role": pl.String,
            "table": pl.String,
            "rule": pl.String,
            "reason": pl.String,
            "remedy": pl.String,
            "file": pl.String,
            "sheet": pl.String,
            "file_id": pl.String,
            "rows": pl.String,
            "n": pl.Int64,
        }
    )
)

PARTS: Final = pl.List(
    pl.Struct(
        {
            "part": pl.Int64,
            "role": pl.String,
            "table": pl.String,
            "how": pl.String,
            "column": pl.String,
            "weight": pl.String,
            "amount": pl.Float64,
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
    "formula": pl.String,
    "why_not": pl.String,
    "rests_on": pl.List(pl.String),
    "parts": PARTS,
    "steps": pl.List(pl.String),
    "sources": SOURCES,
}
"""Columns of ``nguon/trace.parquet``: one row per figure.

``formula``: how its parts make it ("ratio": numerator over denominator; see `origins.model.FORMULAS`), empty
where it is not made of rows alone, for the reason ``why_not`` (`origins.model.REASONS`). ``parts``: what is
counted or added in each part (``how``: see `origins.model.Part`), and what that gives. ``rests_on``: ids of the figures that a sentence or an
element of a picture states. ``sources``: one entry per ``part``, core table, file and sheet, and one per rule
for rows that were rejected (role ``rejected``, no part). ``rows`` holds ranges of row numbers ("2–5, 9"), ``n`` how
many. ``file_id``, sheet and row joined by ":" are a row's ``source_id``.
"""

# --------------------------------------------------------------------------- what they are made of


class Tracer:
    """What the figures of one report are made of; each is found once, whoever asks."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._origins = Origins(report)
        self._found: dict[str, Origin] = {}
        self._items: dict[str, Item] = {}
        self._walked: set[str] = set()

    @property
    def origins(self) -> Origins:
        """Return the rules, with the rows that they have laid out."""
        return self._origins

    def origins_of(self, items: Sequence[Item]) -> list[Origin]:
        """Return what each figure is made of; sentences and pictures from the figures that they state."""
        self._items |= {item.id: item for item in items}
        pages = {i.split("/")[0] for item in items for i in item.rests_on if i not in self._items}
        for page in (*self._report.pages, *self._report.translations):
            # A sentence may rest on a figure of another page: each page is walked once.
            if page.id in pages and page.id not in self._walked:
                self._walked.add(page.id)
                self._items = {item.id: item for item in figures_of(page)} | self._items
        return [self._origin(item) for item in items]

    def stated(self, item: Item) -> list[str]:
        """Return the ids of the figures that a figure rests on, of those that there are."""
        return [i for i in item.rests_on if i in self._items]

    def _origin(self, item: Item) -> Origin:
        if item.id not in self._found:
            self._found[item.id] = self._find(item)
        return self._found[item.id]

    def _find(self, item: Item) -> Origin:
        stated = [self._items[i] for i in self.stated(item) if i != item.id]
        if stated:
            why = "words" if item.kind == "sentence" else "picture"
            return joined((self._origin(s) for s in stated), why=why)
        made = self._origins.of(item.ask) if item.ask is not None else None
        if made is None:
            return self._scope(item)
        return made.withheld() if item.is_hidden else made

    def _scope(self, item: Item) -> Origin:
        """Return the rows of the whole block: all that is known of a figure without a rule."""
        source = item.source
        parts = []
        for name in source.tables:
            table = self._origins.now.table(name)
            at = table.all
            if name in source.only and table.height:
                mask = table.frame.select(_is=source.only[name].fill_null(value=False))["_is"]
                at = at[mask.to_numpy()]
            parts.append(Part("evidence", table.set(at)))
        return Origin(tuple(parts), why="words" if item.kind == "sentence" else "no_rule", through=source.through)  # fmt: skip


def tracer(report: Report) -> Tracer:
    """Return what finds the rows behind a report, laid out once for all who ask."""
    if report.frames is None:
        raise ValueError("a report made by build_report carries its frames")
    kept: Tracer = report.frames.shared(f"tracer {report.settings.kind}", lambda: Tracer(report))
    return kept


class CoreRows:
    """Core rows asked for by condition, as disclosure control adds them up."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._kept: dict[str, pl.DataFrame] = {}

    def table(self, table: str) -> pl.DataFrame:
        """Return a core table in the order in which rows are asked for."""
        if table not in self._kept:
            order = ("source_file", "source_sheet", "source_row", "source_id")
            frame = self._frames.frame(f"core/{table}", *order)
            self._kept[table] = frame.sort(*order, nulls_last=True) if frame.height else frame
        return self._kept[table]

    def frame(self, item: Item, table: str) -> pl.DataFrame:
        """Return the rows of a core table behind one figure."""
        frame = self.table(table)
        expr = item.counted(table)
        return frame if expr is None or not frame.height else frame.filter(expr)


def core_rows(report: Report) -> CoreRows:
    """Return the rows behind a report, read once for all who ask."""
    if report.frames is None:
        raise ValueError("a report made by build_report carries its frames")
    kept: CoreRows = report.frames.shared("core rows", lambda: CoreRows(report.frames))
    return kept


# --------------------------------------------------------------------------- the table of an edition


def traced(report: Report, items: Sequence[Item], *, is_public: bool) -> pl.DataFrame:
    """Return figures with their sources; in a public edition files and counts only.

    Returns
    -------
    DataFrame
        `TRACE_SCHEMA`. Public: no sheet, no row, no rejected row, no amount of a part, and nothing for
        withheld figures.
    """
    finder = tracer(report)
    origins = finder.origins_of(items)
    steps = [steps_of(finder.origins.now, o, i.source if o.why == "no_rule" else None) for i, o in zip(items, origins, strict=True)]  # fmt: skip
    figures = pl.DataFrame(
        {
            "figure_id": [i.id for i in items],
            "page": [i.page for i in items],
            "kind": [i.kind for i in items],
            "label": [i.label for i in items],
            "value": [i.value for i in items],
            "is_hidden": [i.is_hidden for i in items],
            "line": [i.said for i in items],
            "formula": [o.formula for o in origins],
            "why_not": ["" if o.formula else o.why for o in origins],
            "rests_on": [finder.stated(i) if i.kind in ("sentence", "mark") else [] for i in items],
        },
        schema={k: TRACE_SCHEMA[k] for k in ("figure_id", "page", "kind", "label", "value", "is_hidden", "line", "formula", "why_not", "rests_on")},
    )  # fmt: skip
    return (
        figures.with_row_index("_figure")
        .join(_parts(items, origins, is_public=is_public), on="_figure", how="left")
        .with_columns(steps=_listed(steps))
        .join(_sources(items, origins, is_public=is_public), on="_figure", how="left")
        .sort("_figure")
        .with_columns(
            pl.col("parts").fill_null(pl.lit([], dtype=PARTS)),
            pl.col("sources").fill_null(pl.lit([], dtype=SOURCES)),
        )
        .select(pl.col(c).cast(t) for c, t in TRACE_SCHEMA.items())
    )


def _listed(steps: Sequence[tuple[str, ...]]) -> pl.Series:
    """Return lists of steps; few differ, so that each is written out once."""
    known: dict[tuple[str, ...], int] = {}
    at = [known.setdefault(s, len(known)) for s in steps]
    lists = pl.Series([list(s) for s in known], dtype=pl.List(pl.String))
    return lists.gather(at) if at else pl.Series([], dtype=pl.List(pl.String))


def _fields(listed: Any) -> dict[str, Any]:
    return {f.name: f.dtype for f in listed.inner.fields}


def _parts(items: Sequence[Item], origins: Sequence[Origin], *, is_public: bool) -> pl.DataFrame:
    kinds = _fields(PARTS)
    rows: list[tuple[Any, ...]] = []
    for at, (item, origin) in enumerate(zip(items, origins, strict=True)):
        if is_public and item.is_hidden:
            continue
        for number, p in enumerate(origin.parts):
            if p.how:
                told = (None, None) if is_public else (p.amount, len(p.rows))
                rows.append((at, number, p.role, p.table, p.how, p.column, p.weight, *told))
    columns = zip(*rows, strict=True) if rows else [[] for _ in range(len(kinds) + 1)]
    schema = {"_figure": pl.UInt32, **kinds}
    frame = pl.DataFrame(
        [
            pl.Series(name, list(values), dtype=kind, strict=False)
            for (name, kind), values in zip(schema.items(), columns, strict=True)
        ]
    )
    return frame.group_by("_figure", maintain_order=True).agg(parts=pl.struct(*kinds))


def _sources(items: Sequence[Item], origins: Sequence[Origin], *, is_public: bool) -> pl.DataFrame:
    """Return the entries of each figure; each set of rows is written out once and then joined."""
    sets: dict[int, int] = {}
    listed: list[RowSet] = []
    asked: list[tuple[int, int | None, str, int]] = []
    for at, (item, origin) in enumerate(zip(items, origins, strict=True)):
        if is_public and item.is_hidden:
            continue
        wanted: list[tuple[int | None, str, RowSet]] = [(i, p.role, p.rows) for i, p in enumerate(origin.parts)]  # fmt: skip
        if not is_public:
            wanted += [(None, REJECTED, r) for r in origin.rejected]
        for part, role, rows in wanted:
            if id(rows) not in sets:
                sets[id(rows)] = len(listed)
                listed.append(rows)
            asked.append((at, part, role, sets[id(rows)]))
    kinds = {f: k for f, k in _fields(SOURCES).items() if f not in ("part", "role")}
    flat: dict[str, list[Any]] = {"_set": [], **{f: [] for f in kinds}}
    for number, rows in enumerate(listed):
        for entry in rows.entries:
            flat["_set"].append(number)
            for f in kinds:
                flat[f].append(entry[f])
    entries = pl.DataFrame(flat, schema={"_set": pl.UInt32, **kinds})
    found = pl.DataFrame(
        asked, schema={"_figure": pl.UInt32, "part": pl.Int64, "role": pl.String, "_set": pl.UInt32}, orient="row"
    ).join(entries, on="_set", how="inner", maintain_order="left_right")  # fmt: skip
    if is_public:
        found = coarse(found)
    fields = pl.struct(*_fields(SOURCES))
    return found.group_by("_figure", maintain_order=True).agg(sources=fields)


def coarse(entries: pl.DataFrame) -> pl.DataFrame:
    """Return what a public edition says of a figure's sources: the table, the file and how many rows.

    No role: how many rows of a numerator there are is a figure of its own.
    """
    rows = entries.filter(pl.col("rule").is_null()).group_by("_figure", "table", "file", maintain_order=True).agg(pl.col("n").max())  # fmt: skip
    nothing = ("rule", "reason", "remedy", "sheet", "file_id")
    return rows.with_columns(
        part=pl.lit(None, dtype=pl.Int64), role=pl.lit("counted"), rows=pl.lit(""), **{c: pl.lit(None, dtype=pl.String) for c in nothing}
    )  # fmt: skip


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
    parts = [
        traced(report, list({i.id: i for i in figures_of(page)}.values()), is_public=report.settings.is_public)
        for page in (*report.pages, *report.translations)
    ]  # fmt: skip
    buffer = io.BytesIO()
    pl.concat(parts).write_parquet(
        buffer, compression="zstd", compression_level=9, statistics=False
    )
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
        Figure id → ``line``, ``files`` (each ``file``, ``sheet``, ``rows``, ``n``, ``role``: in words, empty
        where there is one role only), ``made`` ("97 ÷ 267", empty where it says nothing), ``n_rejected``,
        ``steps``. In a public edition rows and sheets are empty, and withheld figures are left out.
    """
    items = list({item.id: item for item in figures_of(page)}.values())
    is_public = report.settings.is_public
    if is_public:
        return _public_json(traced(report, items, is_public=True))
    finder = tracer(report)
    out = {}
    for item, origin in zip(items, finder.origins_of(items), strict=True):
        order = list(ROLES)
        rows = sorted(dict.fromkeys((p.role, p.rows) for p in origin.parts), key=lambda r: order.index(r[0]))  # fmt: skip
        roles = {} if len({r for r, _ in rows}) < 2 else ROLES_EN if page.lang == "en" else ROLES
        files = [
            {"file": e["file"] or "", "sheet": e["sheet"] or "", "rows": shorten(e["rows"], longest), "n": e["n"], "role": roles.get(role, "")}
            for role, one in rows
            for e in one.entries
        ]  # fmt: skip
        out[item.id] = {
            "line": item.said,
            "files": files,
            "made": made_of(origin, lang=page.lang),
            "n_rejected": sum(len(r) for r in origin.rejected),
            "steps": list(steps_of(finder.origins.now, origin, item.source if origin.why == "no_rule" else None)),
        }  # fmt: skip
    return out


def _public_json(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    return {
        row["figure_id"]: {
            "line": row["line"], "made": "", "n_rejected": 0, "steps": row["steps"],
            "files": [{"file": e["file"] or "", "sheet": "", "rows": "", "n": e["n"], "role": ""} for e in row["sources"]],
        }
        for row in frame.iter_rows(named=True)
        if not row["is_hidden"]
    }  # fmt: skip


SIGNS: Final = {"ratio": "÷", "difference": "−", "ratio_difference": "÷", "gap_in": "−"}


def made_of(origin: Origin, *, lang: Lang = "vi") -> str:
    """Return how the amounts of a figure's parts make it: "97 ÷ 267"; empty where one part is the figure."""
    if origin.formula not in SIGNS:
        return ""
    sums: dict[str, float] = {}
    for part in origin.parts:
        amount = part.amount
        role = "numerator" if part.role == "counted" else part.role
        if amount is not None:
            sums[role] = sums.get(role, 0) + amount
    return equation(origin.formula, sums, lang=lang)


def equation(formula: str, sums: Mapping[str, float], *, lang: Lang = "vi") -> str:
    """Return amounts by role as a sum to read.

    Examples
    --------
    >>> equation("ratio", {"numerator": 97, "denominator": 267})
    '97 ÷ 267'
    >>> equation("ratio_difference", {"numerator": 97, "denominator": 267, "taken_off": 0.35})
    '97 ÷ 267 − 0,35'
    """
    shown = [sums[r] for r in ("numerator", "denominator") if r in sums]
    words = " ÷ ".join(amount_text(a, lang=lang) for a in shown)
    if formula.startswith("ratio") and len(shown) < 2:
        return ""
    return (
        f"{words} − {amount_text(sums['taken_off'], lang=lang)}" if "taken_off" in sums else words
    )


def amount_text(amount: float, *, lang: Lang = "vi") -> str:
    """Return an amount with as many decimals as it needs, at most four.

    Examples
    --------
    >>> amount_text(1234.0), amount_text(0.35)
    ('1.234', '0,35')
    """
    for decimals in range(4):
        if abs(amount - round(amount, decimals)) < 1e-9 * max(1.0, abs(amount)):
            return text.number(amount, decimals, lang=lang)
    return text.number(amount, 4, lang=lang)


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


def line_rows(report: Report, items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return the entries of the rows that figures are made of together, rejected ones left out."""
    entries = joined(tracer(report).origins_of(list(items)), why="").parts
    return [e for part in entries for e in part.rows.entries if e["rule"] is None]


__all__ = [
    "FORMULAS", "REASONS", "TOTAL", "TRACE_FILE", "TRACE_SCHEMA", "Item", "core_rows", "figure_ids", "figures_of", "is_figure", "numbers",
    "ranges", "sources_json", "traced", "tracer", "write_trace",
]  # fmt: skip
