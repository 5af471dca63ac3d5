"""Where a file of the inbox belongs: which mapping reads it, for which year, under which path.

What belongs here: recognising a file by its template marker, its path or its headings, and choosing
the path below the input folder at which the mapping finds it. What does not: the fate of the file
(`ingest.inbox`), and the reading itself (`ingest.read`).

A file is recognised by the first of these that holds:

1. it was filled in on a template of ours: the marker names the table and the year;
2. its path below the inbox fits the ``files`` of a mapping: the sender kept the folders;
3. its headings are those that a mapping reads, and it has rows. The year is then the one named in the
   path, or after "năm" or "kỳ" in a title or a sheet's name; two different years are no year.

Nothing is guessed: a file that fits two paths, or states no year, is not placed.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.columns import cell_text, normal
from htx_pipeline.ingest.dates import reporting_year_expr
from htx_pipeline.ingest.guard import FileInfo
from htx_pipeline.ingest.mapping import Mapping as SourceMapping
from htx_pipeline.ingest.mapping import PeriodRule
from htx_pipeline.ingest.names import fold
from htx_pipeline.ingest.partial import about
from htx_pipeline.ingest.read import SOURCE_FILE_SCHEMA, read_sources
from htx_pipeline.ingest.template import recognise
from htx_pipeline.ingest.unicode_view import unicode_view
from htx_pipeline.ingest.workbook import Workbook
from htx_pipeline.settings import PERIODS

TEMPLATE_FOLDER: Final = "hop-thu"
"""Folder below the input folder for filled templates, which no mapping has to name."""

TITLE_ROWS: Final = 15
"""Rows at the top of a sheet in which a title may name the year."""

_YEAR: Final = re.compile(r"(?<!\d)(20\d{2})(?!\d)")
_CORRECTS: Final = re.compile(r"(?<!\bda )\b(dinh chinh|corrections?|corrigend(um|a))\b")
"""Words, without diacritics, by which a file says that it corrects another; "đã đính chính" is a whole report."""
_YEAR_IN_TITLE: Final = re.compile(r"(?:năm|kỳ)(?: báo cáo)?:? ?(20\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file belongs.

    Attributes
    ----------
    mapping_ids, table:
        The mappings that will read it there, and their table.
    periods:
        Reporting years of its rows, oldest first.
    path:
        Path below the input folder, with forward slashes.
    is_single:
        Whether the mapping reads only one file of this period, whatever its name.
    row_keys:
        A short hash of what each row is about, sorted; two files about the same things are versions
        of one report.
    is_correction:
        Whether file name, sheet name or title say that it corrects another report.
    """

    mapping_ids: tuple[str, ...]
    table: str
    periods: tuple[str, ...]
    path: str
    is_single: bool
    row_keys: tuple[str, ...]
    is_correction: bool = False


def safe_name(name: str, *, most: int = 100) -> str:
    """Return a file name that is harmless as a path: NFC, no separators, control or leading dots.

    Examples
    --------
    >>> safe_name("../../Báo cáo\\n2024.xlsx"), safe_name("~$a.xlsx"), safe_name("...")
    ('Báo cáo_2024.xlsx', '$a.xlsx', 'tep')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(
        "_" if unicodedata.category(c)[0] == "C" or c in '<>:"|?*{}' else c for c in last
    ).strip(" .~")
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > 8:
        return plain[:most] or "tep"
    return f"{stem[: most - len(suffix) - 1]}.{suffix}" if stem else f"tep.{suffix}"


def fill_glob(glob: str, *, period: str | None, name: str) -> str | None:
    """Return a path that fits the glob, for a file of that name and period; None when there is none.

    Examples
    --------
    >>> fill_glob("2023/bao-cao-htx/*.xlsx", period="2023", name="Đăk Hà.xlsx")
    '2023/bao-cao-htx/Đăk Hà.xlsx'
    >>> fill_glob("20[0-9][0-9]/dao-tao.xlsx", period="2024", name="x.xlsx")
    '2024/dao-tao.xlsx'
    >>> fill_glob("*.csv", period="2024", name="x.xlsx") is None
    True
    """
    segments = [s for s in PurePosixPath(glob).parts if s != "**"]
    if not segments:
        return None
    filled = []
    for i, segment in enumerate(segments):
        is_last = i == len(segments) - 1
        if not re.search(r"[*?\[]", segment):
            filled.append(segment)
            continue
        choices = [name, f"{period}-{name}", f"{name}"] if is_last else [period or "", "hop-thu"]
        if is_last and period is not None:
            suffix = PurePosixPath(name).suffix
            choices += [
                re.sub(r"(\[[^\]]*\]|\?|\d)+", period, segment, count=1).replace(
                    "*", PurePosixPath(name).stem
                ),
                f"{period}{suffix}",
            ]
        fitting = [c for c in choices if c and fnmatch.fnmatchcase(c, segment)]
        if not fitting:
            return None
        filled.append(fitting[0])
    path = "/".join(filled)
    suffixes = {PurePosixPath(path).suffix.lower(), PurePosixPath(name).suffix.lower()}
    return path if len(suffixes) == 1 else None


def find_place(
    folder: Path, relative: str, *, info: FileInfo, book: Workbook, mappings: Sequence[SourceMapping], by_path: Mapping[str, set[str]]
) -> Place:  # fmt: skip
    """Return where a file belongs.

    Parameters
    ----------
    folder, relative:
        The inbox, and the file's path below it.
    info, book:
        What the guard and the reader made of it.
    mappings:
        The mappings in force.
    by_path:
        Mapping id → paths below the inbox that fit its ``files``.

    Raises
    ------
    InputError
        ``unknown_kind``, ``period_unknown``, ``several_mappings``, ``no_place``, or what the marker of a
        template is refused with.
    """
    own = recognise(book)
    if own is not None:
        if own.error is not None or own.mapping is None:
            assert own.error is not None
            raise own.error
        period = own.mapping.period.constants[0]
        path = f"{TEMPLATE_FOLDER}/{period}/{own.mapping.table}/{info.sha256[:8]}/{safe_name(relative)}"
        rows = _probe(folder, relative, info, own.mapping)
        return Place(
            (own.mapping.id,),
            own.mapping.table,
            (period,),
            path,
            False,
            row_keys(own.mapping.table, rows),
            says_correction(relative, book, rows),
        )
    named = [m for m in mappings if relative in by_path[m.id]]
    if named:
        return _at_own_path(folder, relative, info, book, named)
    return _by_headings(folder, relative, info, book, mappings)


def _at_own_path(
    folder: Path, relative: str, info: FileInfo, book: Workbook, named: Sequence[SourceMapping]
) -> Place:
    """Keep the path that the sender gave the file."""
    probed = [(m, _probe(folder, relative, info, m)) for m in named]
    read = [(m, rows) for m, rows in probed if rows.height] or probed
    periods: set[str] = set()
    for m, rows in read:
        periods |= set(_periods(m, relative, rows, folder, info))
    if not periods:
        raise _period_unknown(relative, "neither the path nor the rows say it")
    keys = sorted({k for m, rows in read for k in row_keys(m.table, rows)})
    first = read[0][0]
    is_single = all(not re.search(r"[*?]", PurePosixPath(g).name) for m in named for g in m.files)
    return Place(
        tuple(m.id for m in named),
        first.table,
        tuple(sorted(periods)),
        relative,
        is_single,
        tuple(keys),
        says_correction(relative, book, *(rows for _, rows in read)),
    )


def _by_headings(
    folder: Path, relative: str, info: FileInfo, book: Workbook, mappings: Sequence[SourceMapping]
) -> Place:
    words = _words(book)
    fitting = []
    for m in mappings:
        if _may_fit(m, words):
            rows = _probe(folder, relative, info, m)
            if rows.height:
                fitting.append((m, rows))
    if not fitting:
        raise InputError(
            "No mapping reads this file: its headings are not those of any known form.", where=relative,
            why=f"{len(mappings)} mappings were tried", remedy="Write a mapping (htx inspect FILE --propose TABLE), or ask for the right form.",
            what_vi="Tệp không theo biểu mẫu nào đã khai báo.", remedy_vi="Gửi theo đúng biểu mẫu, hoặc khai báo tệp ánh xạ nguồn cho biểu này.",
            code="unknown_kind",
        )  # fmt: skip
    name = safe_name(relative)
    stated = stated_years(relative, book)
    found: dict[str, Place] = {}
    for m, rows in fitting:
        in_rows = m.period.path_pattern is None
        years = _periods(m, relative, rows, folder, info) if in_rows else stated
        if not years:
            continue
        for glob in m.files:
            path = fill_glob(glob, period=years[0], name=name)
            other = fill_glob(glob, period=years[0], name=f"khac-{name}")
            if path is None or (not in_rows and _year_of_path(m, path) != years[0]):
                continue
            before = found.get(path)
            ids = (*before.mapping_ids, m.id) if before else (m.id,)
            keys = {*(before.row_keys if before else ()), *row_keys(m.table, rows)}
            found[path] = Place(
                ids,
                m.table if before is None else before.table,
                tuple(years),
                path,
                path == other,
                tuple(sorted(keys)),
                says_correction(relative, book, *(rows for _, rows in fitting)),
            )
            break
    if len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(m.id for m, _ in fitting)
    if found:
        raise InputError(
            "The file fits several mappings.", where=relative, why=f"{names}: {', '.join(sorted(found))}",
            remedy="Put it under the path it is meant for, or make the mappings differ.",
            what_vi="Tệp khớp với nhiều khai báo nguồn.", remedy_vi="Đặt tệp vào đúng thư mục của biểu mẫu trong hộp thư.", code="several_mappings",
        )  # fmt: skip
    if not stated and all(m.period.path_pattern is not None for m, _ in fitting):
        raise _period_unknown(
            relative,
            f"it is read by {names}; no single year is named in its path, titles or sheet names",
        )
    raise InputError(
        "The file's form is known, but no mapping reads it for this year or file type.", where=relative,
        why=f"form of {names}; year {', '.join(stated) or 'in the rows'}; type {info.kind}",
        remedy="Add the year to the mapping, or put the file in the right folder.",
        what_vi="Nhận ra biểu mẫu nhưng chưa khai báo nguồn cho năm hoặc loại tệp này.",
        remedy_vi="Bổ sung khai báo nguồn cho năm báo cáo, hoặc đặt tệp vào đúng thư mục.", code="no_place",
    )  # fmt: skip


def _period_unknown(relative: str, why: str) -> InputError:
    return InputError(
        "The file does not say which reporting year it is for.", where=relative, why=why,
        remedy="Put it in a folder named by the year, or write the year in its name.",
        what_vi="Không xác định được kỳ báo cáo của tệp.", remedy_vi="Ghi năm báo cáo vào tên tệp hoặc đặt tệp vào thư mục của năm đó.",
        code="period_unknown",
    )  # fmt: skip


def stated_years(relative: str, book: Workbook) -> tuple[str, ...]:
    """Return the one reporting year that the path, the titles and the sheet names agree on, or none."""
    in_path = {y for y in _YEAR.findall(relative) if y in PERIODS}
    titles = [s.name for s in book.sheets if not s.is_text]
    for sheet in book.sheets:
        for row in sheet.rows[:TITLE_ROWS]:
            titles += [v for v in row if isinstance(v, str)]
    in_titles = {y for t in titles for y in _YEAR_IN_TITLE.findall(normal(t)) if y in PERIODS}
    if len(in_path) > 1 or (not in_path and len(in_titles) != 1):
        return ()
    if in_path and in_titles and not in_path & in_titles:
        return ()
    return tuple(in_path or in_titles)


def says_correction(relative: str, book: Workbook, *rows: pl.DataFrame) -> bool:
    """Return whether a file says that it corrects another: in its name, a sheet's name or a title.

    Parameters
    ----------
    relative, book:
        Its path below the inbox, and its sheets.
    rows:
        The rows read from it, with ``source_sheet`` and ``source_row``. A title is a row above the first
        of them with at most two different texts, so that no cell of the table itself counts.

    Examples
    --------
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> book = open_bytes("Đính chính báo cáo năm 2024;\\nTên;Ghi chú\\nHTX A;x\\n".encode(), name="a.csv")
    >>> says_correction("a.csv", book, pl.DataFrame({"source_sheet": ["csv"], "source_row": [3]}))
    True
    >>> says_correction("a.csv", book), says_correction("2024/Dinh-chinh lan 2.xlsx", book)
    (False, True)
    """
    texts = [PurePosixPath(relative).stem, *(s.name for s in book.sheets if not s.is_text)]
    first: dict[str, int] = {}
    for part in rows:
        for name, row in part.select("source_sheet", "source_row").iter_rows():
            first[name] = min(row, first.get(name, row))
    for sheet in book.sheets:
        above = first.get("csv" if sheet.is_text else sheet.name, 1) - 1
        for row in unicode_view(sheet).rows[: min(TITLE_ROWS, above)]:
            titles = {t for v in row if isinstance(v, str) and (t := cell_text(v)) is not None}
            texts += sorted(titles) if len(titles) <= 2 else []
    plain = fold(pl.Series(texts, dtype=pl.String), strip_diacritics=True)
    return any(_CORRECTS.search(re.sub(r"[\W_]+", " ", t)) for t in plain)


def _year_of_path(mapping: SourceMapping, path: str) -> str | None:
    pattern = mapping.period.path_pattern
    found = re.search(pattern, path) if pattern is not None else None
    return found.group(1) if found else None


def _periods(
    mapping: SourceMapping, relative: str, rows: pl.DataFrame, folder: Path, info: FileInfo
) -> tuple[str, ...]:
    """Return the reporting years of a file that a mapping reads."""
    rule = mapping.period
    if rule.constants:
        return tuple(sorted(rule.constants))
    if rule.path_pattern is not None:
        year = _year_of_path(mapping, relative)
        return (year,) if year in PERIODS else ()
    if rule.date_column is not None:
        years = set(
            rows.select(reporting_year_expr(pl.col(rule.date_column)).cast(pl.String))
            .to_series()
            .drop_nulls()
        )
        return tuple(sorted(years & set(PERIODS)))
    found = []
    for year in PERIODS:
        result = read_sources(
            mapping.table, [mapping], _entry(relative, info, mapping), input_dir=folder, period=year
        )
        if (result.rows["period"] == year).any():
            found.append(year)
    return tuple(found)


def _entry(relative: str, info: FileInfo, mapping: SourceMapping) -> pl.DataFrame:
    row = {
        "mapping_id": mapping.id, "table": mapping.table, "source_file": relative, "sha256": info.sha256, "bytes": info.size,
        "kind": info.kind, "is_synthetic": mapping.is_synthetic, "is_usable": True,
    }  # fmt: skip
    return pl.DataFrame([{k: row.get(k) for k in SOURCE_FILE_SCHEMA}], schema=SOURCE_FILE_SCHEMA)


def _probe(folder: Path, relative: str, info: FileInfo, mapping: SourceMapping) -> pl.DataFrame:
    """Read a file as a mapping would, all its rows under one year; no rows when it cannot."""
    at_will = mapping.model_copy(update={"period": PeriodRule(constant=PERIODS[-1])})
    result = read_sources(
        mapping.table,
        [at_will],
        _entry(relative, info, mapping),
        input_dir=folder,
        period=PERIODS[-1],
    )
    refused = result.findings.filter(pl.col("rule_id").str.starts_with(f"{mapping.table}.file."))
    return result.rows if refused.is_empty() else result.rows.clear()


def _words(book: Workbook) -> frozenset[str]:
    """Return the texts near the top of the sheets, for a quick look at which forms are possible."""
    return frozenset(
        _bare(text)
        for sheet in book.sheets
        for s in {id(v): v for v in (sheet, unicode_view(sheet))}.values()
        for row in s.rows[:60]
        for v in row
        if isinstance(v, str) and (text := cell_text(v)) is not None
    )


def _bare(heading: str) -> str:
    return normal(re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", normal(heading.rsplit(" / ", 1)[-1])))


def _may_fit(mapping: SourceMapping, words: Iterable[str]) -> bool:
    return all(
        any(_bare(h) in words for h in rule.headings)
        for rule in mapping.columns.values()
        if not rule.is_optional
    )


def row_keys(table: str, rows: pl.DataFrame) -> tuple[str, ...]:
    """Return a short hash of what each row is about, sorted, without repeats.

    Examples
    --------
    >>> a = pl.DataFrame({"tax_code": ["6101"], "register_number": [None], "name": ["HTX A"]})
    >>> row_keys("organisations", a) == row_keys("organisations", a.with_columns(name=pl.lit("Khác")))
    True
    """
    return tuple(sorted(set(about(table, rows).drop_nulls())))
