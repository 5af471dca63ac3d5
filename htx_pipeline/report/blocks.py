"""What a report page is made of: plain data that each renderer draws in its own way.

What belongs here: page, section, facts, prose, table, figure; and the text of one cell.
What does not: reading frames (`model`) or laying out (`pdf`, `html`, `workbook`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, Literal

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.text import Lang
from htx_pipeline.report.words import Words

Kind = Literal["text", "words", "count", "money", "share", "ha", "tonnes", "number", "date", "code"]

DECIMALS: Final[Mapping[str, int]] = {"count": 0, "ha": 1, "tonnes": 1, "number": 2, "money": 1}


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value withheld by disclosure control; with its class of size where that may be told.

    ``low`` up to, not including, ``high``, in the unit of the frames.
    """

    low: float = 0.0
    high: float = math.inf

    @property
    def has_class(self) -> bool:
        """Return whether the class of size is told."""
        return self.low > 0 or self.high < math.inf

    def __repr__(self) -> str:
        """Return the mark that is printed where no class is told."""
        return text.HIDDEN_MARK

    def words(self, *, scale: float = 1.0, lang: Lang = "vi") -> str:
        """Return what is printed.

        Examples
        --------
        >>> Hidden().words(), Hidden(5e8, 1e9).words(scale=1e9), Hidden(5e11).words(scale=1e9)
        ('(*)', '0,5–1', '≥\\xa0500')
        >>> Hidden(0, 5e8).words(scale=1e9), Hidden(0, 5e8).words(scale=1e9, lang="en")
        ('dưới\\xa00,5', 'below\\xa00.5')
        """
        if not self.has_class:
            return text.HIDDEN_MARK

        def end(value: float) -> str:
            shown = value / scale
            return text.number(shown, 0 if float(shown).is_integer() else 1, lang=lang)

        if self.high == math.inf:
            return f"≥\N{NO-BREAK SPACE}{end(self.low)}"
        if self.low <= 0:
            return f"{BELOW[lang]}\N{NO-BREAK SPACE}{end(self.high)}"
        return f"{end(self.low)}–{end(self.high)}"


HIDDEN: Final = Hidden()
WHOLE_FROM: Final = 1000
"""From so many units on the largest amount of a column makes it one without decimals."""
BELOW: Final[Mapping[Lang, str]] = {"vi": "dưới", "en": "below"}
"""How the lowest class of size is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a block's numbers come from: the line printed under it, and the rows behind it.

    ``only``: per core table, which of its rows count (all where absent). ``through``: tables between
    the core tables and the page, in order ("graph/edges", "metrics/clusters").
    """

    line: str
    tables: tuple[str, ...] = ()
    only: Mapping[str, pl.Expr] = field(default_factory=dict, compare=False)
    through: tuple[str, ...] = ()

    def narrowed(self, only: Mapping[str, pl.Expr]) -> Source:
        """Return the same source for fewer rows: those of one line of a table, or of one figure.

        Tables that this source does not name are not added.
        """
        both = {
            t: self.only[t] & only[t] if t in self.only else only[t]
            for t in self.tables
            if t in only
        }
        return replace(self, only={**self.only, **both})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table.

    ``scale`` divides money for the page (1e9 for tỷ đồng); the workbook keeps đồng. ``width`` is
    relative. ``why_null`` says in words why a cell may be empty.
    """

    key: str
    label: str
    kind: Kind = "text"
    width: float = 1.0
    unit: str = ""
    scale: float = 1.0
    why_null: str = ""
    lang: Lang = "vi"
    is_whole: bool = False
    """Money without decimals: in a column of large amounts in small units they say nothing."""

    @property
    def heading(self) -> str:
        """Return the heading on a page, with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def full_heading(self) -> str:
        """Return the heading in the workbook, where money is in đồng."""
        return f"{self.label} (đồng)" if self.kind == "money" else self.heading

    @property
    def is_number(self) -> bool:
        """Return whether cells hold numbers."""
        return self.kind not in ("text", "words", "code", "date")

    @property
    def is_right(self) -> bool:
        """Return whether cells are aligned right: numbers, and amounts written in words."""
        return self.is_number or self.kind == "words"

    def decimals_of(self, value: Any) -> int:
        """Return with how many decimals a number is printed: a whole one among others with none.

        Examples
        --------
        >>> mixed = Field(key="2025", label="2025", kind="number")
        >>> mixed.show(267), mixed.show(36.329)
        ('267', '36,33')
        """
        if self.kind == "money" and self.is_whole:
            return 0
        return 0 if self.kind == "number" and isinstance(value, int) else DECIMALS[self.kind]

    def show(self, value: Any) -> str:
        """Return *value* as the page prints it.

        Examples
        --------
        >>> Field(key="v", label="Giá trị", kind="money", unit="tỷ đồng", scale=1e9).show(2_500_000_000)
        '2,5'
        """
        if isinstance(value, Hidden):
            return value.words(scale=self.scale, lang=self.lang)
        if value is None or value == "":
            return text.NULL_MARK
        if self.kind == "share":
            return text.share(value, lang=self.lang)
        if self.kind == "date":
            return text.day(value, lang=self.lang) if isinstance(value, date) else str(value)
        if self.is_number:
            return text.number(
                value / self.scale if self.scale != 1 else value,
                self.decimals_of(value),
                lang=self.lang,
            )
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its source.

    ``sheet`` names the workbook sheet that holds it. ``row_key``: the column that names a line for
    good ("org_id"), so that each of its figures keeps its id. ``row_rows``: from a line to the core
    rows behind that line alone; where it is None, the table's own source stands for every line.
    """

    id: str
    title: str
    fields: tuple[Field, ...]
    rows: tuple[Mapping[str, Any], ...]
    source: Source
    sheet: str
    row_key: str | None = None
    row_rows: Callable[[Mapping[str, Any]], Mapping[str, pl.Expr]] | None = field(
        default=None, compare=False
    )
    total: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    more: tuple[Field, ...] = ()
    """Columns that only the workbook has."""
    page_rows: int | None = None
    """Rows printed on a page; the workbook has all. None prints all."""
    lang: Lang = "vi"
    is_internal: bool = False
    """Left out of the public edition."""

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Return the columns of page and workbook, each once."""
        return tuple({f.key: f for f in (*self.fields, *self.more)}.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Return a name for each line, different from line to line: the part of a figure's id.

        It is the value of ``row_key``; without one, the first text of the line, then all its texts;
        lines that are still alike are numbered.
        """
        texts = [f.key for f in self.fields if not f.is_number]
        tries = [[self.row_key]] if self.row_key else [texts[:1], texts]
        names: list[str] = []
        for keys in tries:
            names = [
                " – ".join(str(r[k]) for k in keys if r.get(k) not in (None, "")).replace("/", "-")
                or "(trống)"
                for r in self.rows
            ]
            if len(set(names)) == len(names):
                return tuple(names)
        seen: dict[str, int] = {}
        numbered = []
        for name in names:
            seen[name] = seen.get(name, 0) + 1
            numbered.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
        return tuple(numbered)

    def rows_behind(self, line: Mapping[str, Any]) -> Source:
        """Return the source of one line."""
        return self.source.narrowed(self.row_rows(line)) if self.row_rows else self.source

    @property
    def printed(self) -> tuple[Mapping[str, Any], ...]:
        """Return the rows that a page prints."""
        return self.rows if self.page_rows is None else self.rows[: self.page_rows]

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Return the notes, with what the marks in the printed rows mean."""
        w = Words(self.lang)
        rows = [*self.printed, *([self.total] if self.total else [])]
        notes = list(self.notes)
        left = len(self.rows) - len(self.printed)
        if left > 0:
            printed, total = w.number(len(self.printed)), w.number(len(self.rows))
            notes.append(w("table.cut", printed=printed, total=total, sheet=self.sheet))
        empty = [f for f in self.fields if any(r.get(f.key) in (None, "") for r in self.printed)]
        if empty:
            reasons = list(dict.fromkeys(f.why_null for f in empty if f.why_null))
            notes.append(f"“{text.NULL_MARK}”: {'; '.join(reasons) or w('table.not_stated')}")
        hidden = [v for r in rows for f in self.all_fields if isinstance(v := r.get(f.key), Hidden)]
        unsaid = sum(not v.has_class for v in hidden)
        if unsaid:
            notes.append(w("table.hidden", mark=text.HIDDEN_MARK))
        if len(hidden) > unsaid:
            notes.append(w("table.classes"))
        return tuple(text.sentence(n) for n in notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture drawn from *spec* by `figures.render`, the words that replace it, and its data.

    ``spec["marks"]``, where present, tells what parts of the picture can be asked: each has the
    ``gid`` of its SVG element, a ``title``, ``lines`` of text, and ``select``: filters it stands for.
    """

    id: str
    title: str
    alt: str
    spec: Mapping[str, Any]
    source: Source
    data: Table
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Paragraphs, or a list when ``is_list``."""

    id: str
    paragraphs: tuple[str, ...]
    is_list: bool = False
    source: Source | None = None
    is_small: bool = False
    leads: tuple[str, ...] = ()
    """The first words of each paragraph, set in bold; each is how its paragraph begins."""
    figures: tuple[tuple[str, ...], ...] = ()
    """For each paragraph the ids of the figures on the page that it rests on."""
    is_internal: bool = False
    """Left out of the public edition."""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Return each paragraph as (lead, rest).

        Examples
        --------
        >>> Prose(id="a", paragraphs=("Cụm tăng. Thêm 2%.",), leads=("Cụm tăng.",)).parts
        (('Cụm tăng.', ' Thêm 2%.'),)
        """
        leads = (*self.leads, *[""] * (len(self.paragraphs) - len(self.leads)))
        return tuple(
            (lead, words[len(lead) :]) if words.startswith(lead) else ("", words)
            for lead, words in zip(leads, self.paragraphs, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One headline figure.

    ``key`` names it for good among the facts of its block; ``source`` where it has one of its own.
    """

    label: str
    value: str
    detail: str = ""
    key: str = ""
    source: Source | None = None
    change: str = ""
    """How it differs from the year before, or why that cannot be said."""
    is_hidden: bool = False
    """Withheld; ``value`` is then a class of size."""

    @property
    def name(self) -> str:
        """Return the part of the figure's id: the key, else the label."""
        return self.key or self.label.replace("/", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Headline figures side by side, with one source line."""

    id: str
    items: tuple[Fact, ...]
    source: Source
    notes: tuple[str, ...] = ()


Block = Table | Figure | Prose | Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of a page."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One document: the overview, one cluster, one locality or one department."""

    id: str
    title: str
    subtitle: str
    scope: str
    sections: tuple[Section, ...]
    kind: Literal["overview", "cluster", "locality", "department"] = "overview"
    lang: Literal["vi", "en"] = "vi"
    cluster_id: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[Table, ...] = ()
    """Tables that only the workbook has."""
    has_one_source_line: bool = False
    """A printed document names its sources once, at its end; elsewhere each block names its own."""
    least_pages: int = 1
    most_pages: int | None = None
    """Pages within which a printed document is fitted; None: as many as it takes."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return all tables, those behind figures included, in order."""
        found: list[Table] = []
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    found.append(block)
                elif isinstance(block, Figure):
                    found.append(block.data)
        return (*found, *self.more)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return all figures, in order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Figure))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An overview and its clusters, localities and departments, with what is printed on all of them."""

    overview: Page
    clusters: tuple[Page, ...]
    settings: Any
    period: str
    withheld_cells: int = 0
    localities: tuple[Page, ...] = ()
    departments: tuple[Page, ...] = ()
    translations: tuple[Page, ...] = ()
    """The same documents in English; their numbers are those of `pages`, which the workbook has."""
    frames: Any = field(default=None, compare=False, repr=False)
    """The `frames.Frames` the pages were built from; `trace` asks them for rows."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """Return all pages in Vietnamese, the overview first."""
        return (self.overview, *self.clusters, *self.localities, *self.departments)


def money_field(
    key: str,
    label: str,
    rows: Any,
    *,
    width: float = 1.2,
    why_null: str = "",
    beside: Sequence[str] = (),
    lang: Lang = "vi",
) -> Field:
    """Return a money column whose unit fits the largest value of it and of the columns *beside* it.

    Examples
    --------
    >>> money_field("v", "Giá trị", [{"v": 3_000_000_000}]).unit
    'triệu đồng'
    >>> money_field("v", "Giá trị", [{"v": 3_000_000_000, "w": 30_000_000_000}], beside=["w"]).unit
    'tỷ đồng'
    """
    values = [r[k] for k in (key, *beside) for r in rows if isinstance(r.get(k), int | float)]
    top = max((abs(v) for v in values), default=0)
    large, middle, _ = text.UNITS[lang]
    unit, scale = (large, 1e9) if top >= 1e10 else (middle, 1e6)
    return Field(
        key=key, label=label, kind="money", width=width, unit=unit, scale=scale, why_null=why_null,
        lang=lang, is_whole=top >= WHOLE_FROM * scale,
    )  # fmt: skip
