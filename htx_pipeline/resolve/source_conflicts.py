"""Two sources, two documents, two dates: what official material says of one thing in two ways.

What belongs here: putting statements side by side and naming how they disagree, and telling documents
apart by number *and* date. What does not: deciding which statement is true. A precedence of sources
is the user's choice, given by name; without one a conflict stays open, with every value kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

AGREES_WITHIN: Final = 0.005
"""Two roundings of one figure (5.8 and 5.83 million) may differ by this share of the larger."""

CONFLICT_CODES: Final = ("conflicting_values", "different_unit_of_count")


def conflicting_sources(
    frame: pl.DataFrame,
    *,
    keys: Sequence[str],
    value: str,
    agency: str,
    unit: str | None = None,
    precedence: Sequence[str] = (),
    tolerance: float = AGREES_WITHIN,
) -> pl.DataFrame:
    """Find figures that two sources state differently for one and the same thing.

    Parameters
    ----------
    frame:
        One row per statement.
    keys:
        What makes two statements about the same thing (indicator, period, place).
    value, agency:
        The figure, and who states it. Rows with a null figure are left alone.
    unit:
        What is counted (project, model, household). Statements in different units are not compared:
        that they differ is the finding.
    precedence:
        Agencies, the one that counts first. A conflict between others stays undecided.
    tolerance:
        Share of the larger figure within which two figures agree.

    Returns
    -------
    polars.DataFrame
        The keys; ``code`` (`CONFLICT_CODES`); ``statements``, every one as ``agency: value unit``;
        ``low``, ``high``, ``ratio`` (null where the units differ); ``chosen_agency`` and
        ``chosen_value`` by precedence, else null; ``is_decided``. Sorted by key, then code.

    Examples
    --------
    >>> said = pl.DataFrame({"year": [2024, 2024], "agency": ["VCA", "MPI"], "htx": [33_557, 33_335]})
    >>> conflicting_sources(said, keys=["year"], value="htx", agency="agency", precedence=["MPI"]).select(
    ...     "code", "chosen_value").row(0)
    ('conflicting_values', 33335.0)
    """
    counted = pl.lit(None, dtype=pl.String) if unit is None else pl.col(unit).cast(pl.String)
    rank = {name: i for i, name in enumerate(precedence)}
    rows = (
        frame.select(
            *keys, _value=pl.col(value).cast(pl.Float64), _agency=pl.col(agency), _unit=counted
        )
        .filter(pl.col("_value").is_not_null())
        .with_columns(
            _rank=pl.col("_agency").replace_strict(rank, default=None, return_dtype=pl.Int64)
        )
        .unique()
        .sort(*keys, "_rank", "_agency", "_unit", "_value", nulls_last=True)
        .rechunk()
    )
    shown = pl.format(
        "{}: {}{}",
        pl.col("_agency").fill_null("?"),
        _plain(pl.col("_value")),
        (" " + pl.col("_unit")).fill_null(""),
    )
    found: list[pl.DataFrame] = []
    grouped = rows.with_columns(_shown=shown)
    if unit is not None:
        units = grouped.group_by(keys, maintain_order=True).agg(
            pl.col("_unit").n_unique().alias("_n_units"), statements=pl.col("_shown").str.join("; ")
        )
        found.append(
            _conflicts(units.filter(pl.col("_n_units") > 1), keys, "different_unit_of_count")
        )
    per = [*keys, "_unit"]
    same_unit = grouped.group_by(per, maintain_order=True).agg(
        statements=pl.col("_shown").str.join("; "), low=pl.col("_value").min(), high=pl.col("_value").max(),
        chosen_agency=pl.col("_agency").filter(pl.col("_rank").is_not_null()).first(),
        chosen_value=pl.col("_value").filter(pl.col("_rank").is_not_null()).first(),
    )  # fmt: skip
    gap = pl.col("high") - pl.col("low")
    apart = same_unit.filter(
        gap > tolerance * pl.max_horizontal(pl.col("high").abs(), pl.col("low").abs())
    )
    apart = apart.with_columns(
        ratio=pl.when(pl.col("low") > 0).then(pl.col("high") / pl.col("low"))
    )
    found.append(_conflicts(apart, keys, "conflicting_values"))
    return pl.concat(found).sort(*keys, "code", "statements")


def _conflicts(rows: pl.DataFrame, keys: Sequence[str], code: str) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "statements": pl.String, "low": pl.Float64, "high": pl.Float64, "ratio": pl.Float64,
        "chosen_agency": pl.String, "chosen_value": pl.Float64,
    }  # fmt: skip
    absent = [pl.lit(None, dtype=t).alias(c) for c, t in columns.items() if c not in rows.columns]
    return rows.with_columns(*absent, code=pl.lit(code)).select(
        *keys, "code", *columns, is_decided=pl.col("chosen_value").is_not_null()
    )


def _plain(number: pl.Expr) -> pl.Expr:
    whole = number.cast(pl.Int64, strict=False)
    return pl.when(number == whole).then(whole.cast(pl.String)).otherwise(number.cast(pl.String))


# --- documents --------------------------------------------------------------------------------

_NUMBER: Final = re.compile(
    r"(?<![\w/])(?P<ordinal>\d{1,5})(?:/(?P<year>(?:19|20)\d{2}))?(?P<mark>(?:/|-)[A-ZĐ][\wĐđ]*(?:[-/][A-ZĐ][\wĐđ]*)*)?(?![\w])"
)
_DATED: Final = re.compile(
    r"ngày\s+(\d{1,2})\s*(?:/|-|\.|\s+tháng\s+)\s*(\d{1,2})\s*(?:/|-|\.|\s+năm\s+)\s*((?:19|20)\d{2})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """What tells a document from others: ``41-CTr/TU`` alone is not unique, with its date it is.

    Attributes
    ----------
    number:
        As cited, without spaces: ``41-CTr/TU``, ``07/2019/TT-BKHĐT``, ``09/KH-UBND``.
    ordinal, mark:
        The running number, and the kind and issuer (``CTr/TU``, ``TT-BKHĐT``); the mark may be empty.
    year:
        In the number itself or of the date; None when neither says it.
    dated:
        The date, when cited.
    """

    number: str
    ordinal: int
    mark: str
    year: int | None
    dated: date | None

    @property
    def is_complete(self) -> bool:
        """Return whether number and date (or a year within the number) are both there."""
        return bool(self.mark) and (
            self.dated is not None or bool(re.search(r"/(?:19|20)\d{2}/", self.number))
        )


def document_key(citation: str) -> DocumentKey | None:
    """Read a citation; None when it holds no number of a document.

    Examples
    --------
    >>> document_key("Chương trình số 41-CTr/TU ngày 07 tháng 10 năm 2022")
    DocumentKey(number='41-CTr/TU', ordinal=41, mark='CTr/TU', year=2022, dated=datetime.date(2022, 10, 7))
    >>> document_key("Kế hoạch số 09/KH-UBND").is_complete
    False
    """
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", citation))
    when = _DATED.search(text)
    dated = None
    if when is not None:
        try:
            dated = date(int(when[3]), int(when[2]), int(when[1]))
        except ValueError:
            dated = None
    without_date = text if when is None else text[: when.start()] + text[when.end() :]
    hits = [m for m in _NUMBER.finditer(without_date) if m["mark"] or m["year"]]
    if not hits:
        return None
    hit = hits[0]
    year = int(hit["year"]) if hit["year"] else (dated.year if dated is not None else None)
    return DocumentKey(hit[0], int(hit["ordinal"]), (hit["mark"] or "").lstrip("/-"), year, dated)


def same_document(one: DocumentKey, other: DocumentKey) -> bool | None:
    """Say whether two citations are of one document; None when they do not say enough.

    Examples
    --------
    >>> a, b = document_key("41-CTr/TU ngày 07/10/2022"), document_key("41-CTr/TU ngày 27/10/2022")
    >>> same_document(a, b), same_document(a, document_key("41-CTr/TU"))
    (False, None)
    """
    if one.ordinal != other.ordinal or (
        one.mark and other.mark and one.mark.casefold() != other.mark.casefold()
    ):
        return False
    if one.year is not None and other.year is not None and one.year != other.year:
        return False
    if one.dated is not None and other.dated is not None:
        return one.dated == other.dated
    if not (one.mark and other.mark):
        return None
    has_year_inside = all(re.search(r"/(?:19|20)\d{2}/", k.number) for k in (one, other))
    return True if has_year_inside else None


@dataclass(frozen=True, slots=True)
class CitationNote:
    """What is wrong with a citation; ``nearest`` is a known document it may mean, never put in its place."""

    code: str
    citation: str
    nearest: str | None
    reason_vi: str
    reason_en: str


def check_citation(
    citation: str, *, known: Iterable[str], beside: Iterable[str] = ()
) -> list[CitationNote]:
    """Hold a citation against the documents that are known, and those cited beside it.

    Parameters
    ----------
    citation:
        As written.
    known:
        Citations of documents that exist, complete.
    beside:
        Other citations of the same text.

    Returns
    -------
    list of CitationNote
        ``no_document_number``; ``number_without_date`` (several documents may bear it);
        ``unknown_document`` (no known one has this number, kind and issuer; the nearest of the same kind,
        issuer and year is named); ``several_documents`` (two known ones bear the number);
        ``number_borrowed`` (another document beside it has the same number and another kind). Empty
        when exactly one known document is meant.

    Examples
    --------
    >>> [n.code for n in check_citation("Thông tư 09/2019/TT-BKHĐT", known=["07/2019/TT-BKHĐT"])]
    ['unknown_document']
    """
    key = document_key(citation)
    if key is None:
        return [_note("no_document_number", citation, None)]
    documents = [(k, d) for k in known if (d := document_key(k)) is not None]
    notes = []
    if not key.is_complete:
        notes.append(_note("number_without_date", citation, None))
    fitting = [k for k, d in documents if same_document(key, d) is not False]
    if not fitting:
        alike = sorted(
            k
            for k, d in documents
            if d.mark.casefold() == key.mark.casefold()
            and (key.year is None or d.year in {key.year, None})
        )
        notes.append(_note("unknown_document", citation, alike[0] if len(alike) == 1 else None))
    elif len(fitting) > 1:
        notes.append(_note("several_documents", citation, None))
    for other in beside:
        there = document_key(other)
        if (
            there is not None
            and there.ordinal == key.ordinal
            and there.mark.casefold() != key.mark.casefold()
        ):
            notes.append(_note("number_borrowed", citation, other))
    return notes


_CITATION_TEXTS: Final = {
    "no_document_number": ("không thấy số văn bản", "no document number was found"),
    "number_without_date": ("chỉ có số, thiếu ngày ban hành: có thể trùng với văn bản khác", "a number without its date may be that of several documents"),
    "unknown_document": ("không có trong danh mục văn bản đã biết", "no known document bears this number"),
    "several_documents": ("nhiều văn bản đã biết cùng mang số này", "several known documents bear this number"),
    "number_borrowed": ("trùng số với văn bản khác loại được viện dẫn bên cạnh; có thể chép nhầm số", "a document of another kind beside it has the same number; it may have been copied by mistake"),
}  # fmt: skip


def _note(code: str, citation: str, nearest: str | None) -> CitationNote:
    vi, en = _CITATION_TEXTS[code]
    hint_vi, hint_en = (f" («{nearest}»)", f" (“{nearest}”)") if nearest else ("", "")
    return CitationNote(
        code, citation, nearest, f"«{citation}»: {vi}{hint_vi}.", f"“{citation}”: {en}{hint_en}."
    )


# --- dates ------------------------------------------------------------------------------------


def wrong_dates(
    stated: pl.DataFrame, *, subject: str, day: str, in_force: Mapping[str, date]
) -> pl.DataFrame:
    """Find stated dates that differ from the date in force for the same subject.

    Parameters
    ----------
    stated:
        One row per statement; rows of subjects not in *in_force* are left alone.
    subject, day:
        Columns: what the date is of, and the date stated.
    in_force:
        Subject → the date by the instrument itself.

    Returns
    -------
    polars.DataFrame
        The rows, with ``in_force`` and ``code`` = ``date_not_in_force``.

    Examples
    --------
    >>> said = pl.DataFrame({"of": ["eudr"], "on": [date(2026, 6, 30)]})
    >>> wrong_dates(said, subject="of", day="on", in_force={"eudr": date(2026, 12, 30)})["code"].to_list()
    ['date_not_in_force']
    """
    known = pl.DataFrame(
        {subject: list(in_force), "in_force": list(in_force.values())},
        schema={subject: pl.String, "in_force": pl.Date},
    )
    return (
        stated.join(known, on=subject, how="inner", maintain_order="left")
        .filter(pl.col(day) != pl.col("in_force"))
        .with_columns(code=pl.lit("date_not_in_force"))
    )
