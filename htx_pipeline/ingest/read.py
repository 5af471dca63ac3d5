"""From source files to raw rows: apply the mappings, keep provenance, say what could not be read.

What belongs here: listing the files of the input folder, finding each mapped column, parsing it, and
putting the rows of one period together. What does not: understanding a sheet's layout
(`ingest.layout`), parsing one column (`ingest.columns`), or judging rows (`validation`).

A file that cannot be read becomes a finding and the other files go on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as FontCounts
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import concat_findings, empty_findings, findings
from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.columns import cell_text, normal, parse_column, texts
from htx_pipeline.ingest.corrections import Corrections, load_corrections
from htx_pipeline.ingest.dates import reporting_year_expr
from htx_pipeline.ingest.dragged import dragged_runs
from htx_pipeline.ingest.encodings import to_unicode
from htx_pipeline.ingest.guard import check_file, notes_to_findings
from htx_pipeline.ingest.layout import Layout, RowKind, check_totals, understand
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.plausibility import heading_notes
from htx_pipeline.ingest.template import FEEDBACK_SHEETS, Recognised, mapping_named, recognise
from htx_pipeline.ingest.value_notes import NOTE_CODES
from htx_pipeline.ingest.workbook import Sheet, Workbook, open_workbook
from htx_pipeline.schemas import TABLES, Table
from htx_pipeline.settings import PERIODS

SOURCE_FILE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "mapping_id": pl.String(),
    "table": pl.String(),
    "source_file": pl.String(),
    "sha256": pl.String(),
    "bytes": pl.Int64(),
    "kind": pl.String(),
    "is_synthetic": pl.Boolean(),
    "is_usable": pl.Boolean(),
    "code": pl.String(),
    "reason_vi": pl.String(),
    "reason_en": pl.String(),
    "remedy_vi": pl.String(),
    "remedy_en": pl.String(),
}
"""One row per file and mapping; ``mapping_id`` is null for a file that no mapping reads.
``source_file`` is the path below the input folder, with forward slashes."""

SHEET_SCHEMA: Final[dict[str, pl.DataType]] = {
    "mapping_id": pl.String(),
    "source_file": pl.String(),
    "sha256": pl.String(),
    "source_sheet": pl.String(),
    "period": pl.String(),
    "rows_in_sheet": pl.Int64(),
    "rows_data": pl.Int64(),
    "rows_this_period": pl.Int64(),
    "rows_other_period": pl.Int64(),
    "row_kinds": pl.String(),
    "is_synthetic": pl.Boolean(),
    "source_agency": pl.String(),
    "period_note": pl.String(),
}
"""One row per sheet read. ``row_kinds`` says how many rows are heading, total, note, blank and so on."""

RAW_EXTRA: Final[dict[str, pl.DataType]] = {
    "mapping_id": pl.String(),
    "source_priority": pl.Int64(),
    "is_party_list": pl.Boolean(),
}
"""Columns of a raw table beside the canonical ones."""


@dataclass(frozen=True)
class ReadResult:
    """Rows of one table and period, the findings about their cells, and the sheets they came from."""

    rows: pl.DataFrame
    findings: pl.DataFrame
    sheets: pl.DataFrame


@dataclass(frozen=True)
class _Place:
    """Where a sheet's rows come from."""

    mapping: Mapping
    source_file: str
    sha256: str
    sheet: str

    def source_ids(self, rows: pl.Series) -> pl.Series:
        frame = pl.DataFrame({"r": rows})
        return frame.select(pl.format(f"{self.sha256[:16]}:{self.sheet.replace('{', '(').replace('}', ')')}:{{}}", pl.col("r"))).to_series()


def list_sources(mappings: Sequence[Mapping], input_dir: Path) -> pl.DataFrame:
    """List every file of the input folder with the mappings that read it.

    A file that no mapping names but that was filled in on a template of ours is read by the template's
    own mapping (`ingest.template`).

    Returns
    -------
    DataFrame
        `SOURCE_FILE_SCHEMA`, sorted by file and mapping. A file that is refused (damaged, encrypted,
        a bomb, too large) has ``is_usable`` false and says why; a file no mapping names has a null
        ``mapping_id``.

    Raises
    ------
    InputError
        When the folder does not exist, or no mapping finds any file in it.
    """
    if not input_dir.is_dir():
        raise InputError(
            "The folder of source files does not exist.", where=str(input_dir),
            remedy="Name the folder that holds the spreadsheets (HTX_INPUT_DIR, or --data).",
            what_vi="Không tìm thấy thư mục chứa tệp nguồn.", remedy_vi="Kiểm tra lại đường dẫn thư mục.", code="input_missing",
        )  # fmt: skip
    wanted: dict[Path, list[Mapping]] = {
        p: [] for p in sorted(input_dir.rglob("*")) if p.is_file() and not p.name.startswith((".", "~$"))
    }
    for mapping in mappings:
        for path in mapping.matching_files(input_dir):
            wanted.setdefault(path, []).append(mapping)
    templates = {p: found for p, users in wanted.items() if not users and (found := _template(p)) is not None}
    if not any(wanted.values()) and not templates:
        raise InputError(
            "No source file fits any mapping.", where=str(input_dir),
            why=f"the mappings look for: {', '.join(sorted({g for m in mappings for g in m.files}))}",
            remedy="Check the folder, or the `files` globs of the mappings.",
            what_vi="Không có tệp nào khớp với khai báo nguồn.", remedy_vi="Kiểm tra thư mục và tên tệp.", code="source_missing",
        )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for path, users in sorted(wanted.items()):
        name = path.relative_to(input_dir).as_posix()
        row: dict[str, Any] = {"source_file": name, "is_usable": True, "is_synthetic": False}
        try:
            info = check_file(path)
            row |= {"sha256": info.sha256, "bytes": info.size, "kind": info.kind}
        except InputError as exc:
            row |= {"is_usable": False, **_reasons(exc)}
        own = templates.get(path)
        if own is not None and own.error is not None:
            row |= {"is_usable": False, **_reasons(own.error)}
        readers = [own.mapping] if own is not None and own.mapping is not None else users
        if readers:
            rows += [{**row, "mapping_id": m.id, "table": m.table, "is_synthetic": m.is_synthetic} for m in readers]
        else:
            rows.append({**row, "code": row.get("code") or "no_mapping"})
    frame = pl.DataFrame([{k: r.get(k) for k in SOURCE_FILE_SCHEMA} for r in rows], schema=SOURCE_FILE_SCHEMA)
    return frame.sort("source_file", "mapping_id", nulls_last=True)


def _template(path: Path) -> Recognised | None:
    """Return what the file is as a filled template; None when it is none or cannot be opened."""
    try:
        return recognise(open_workbook(path))
    except InputError:
        return None


def _reasons(exc: InputError) -> dict[str, str]:
    return {
        "code": exc.code, "reason_vi": exc.what_vi or exc.what, "reason_en": " ".join(x for x in (exc.what, exc.why) if x),
        "remedy_vi": exc.remedy_vi, "remedy_en": exc.remedy,
    }  # fmt: skip


def read_sources(
    table_name: str,
    mappings: Sequence[Mapping],
    source_files: pl.DataFrame,
    *,
    input_dir: Path,
    period: str,
    corrections_file: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReadResult:
    """Read the rows of one table and one period from all its files.

    Parameters
    ----------
    table_name:
        Canonical table.
    mappings, source_files:
        As `load_mappings` and `list_sources` return them.
    input_dir:
        Folder the file names are below.
    period:
        Reporting year. Rows whose period cannot be read belong to every period, so that a rule
        rejects them and nothing is lost; rows of other periods are counted in ``sheets``.
    corrections_file:
        Corrections to apply to cells before they are parsed.
    progress:
        Called with each file's name before it is read.
    """
    table = TABLES[table_name]
    corrections = load_corrections(corrections_file) if corrections_file is not None else Corrections.none()
    by_id = {m.id: m for m in mappings}
    rows: list[pl.DataFrame] = []
    found: list[pl.DataFrame] = []
    sheets: list[dict[str, Any]] = []
    for entry in source_files.filter(pl.col("table") == table_name).iter_rows(named=True):
        mapping = mapping_named(entry["mapping_id"], by_id)
        if not entry["is_usable"]:
            found.append(_file_finding(table, entry["source_file"], entry["code"], entry))
            continue
        if progress is not None:
            progress(entry["source_file"])
        if _period_of_path(mapping, entry["source_file"]) not in {None, period}:
            continue
        if mapping.period.constants and period not in mapping.period.constants:
            continue
        try:
            for part in _read_file(table, mapping, input_dir / entry["source_file"], entry, corrections, period):
                mine = part.rows.filter(pl.col("period").is_null() | (pl.col("period") == period) | ~pl.col("period").is_in(PERIODS))
                kept_ids = mine["source_id"].implode()
                rows.append(mine)
                found.append(part.findings.filter(pl.col("source_row").is_null() | pl.col("source_id").is_null() | pl.col("source_id").is_in(kept_ids)))
                sheets.append({**part.account, "period": period, "rows_this_period": mine.height, "rows_other_period": part.rows.height - mine.height})
        except InputError as exc:
            if exc.code == "correction_outdated":
                raise
            found.append(
                _file_finding(
                    table, entry["source_file"], exc.code,
                    {
                        "reason_vi": exc.what_vi or exc.what, "reason_en": "; ".join(x for x in (exc.what, exc.where, exc.why) if x),
                        "remedy_vi": exc.remedy_vi or exc.remedy, "remedy_en": exc.remedy, "sha256": entry["sha256"],
                    },
                )
            )  # fmt: skip
    schema = {**table.schema, **RAW_EXTRA}
    return ReadResult(
        rows=pl.concat([pl.DataFrame(schema=schema), *rows]).sort("source_file", "source_sheet", "source_row", "mapping_id"),
        findings=concat_findings(found).unique(maintain_order=True),
        sheets=pl.DataFrame([{k: s.get(k) for k in SHEET_SCHEMA} for s in sheets], schema=SHEET_SCHEMA),
    )


def _file_finding(table: Table, name: str, code: str | None, texts_of: dict[str, Any]) -> pl.DataFrame:
    return findings(
        [
            {
                "rule_id": f"{table.name}.file.{code or 'unreadable'}", "severity": "critical", "table": table.name, "source_file": name,
                **{k: texts_of.get(k) for k in ("reason_vi", "reason_en", "remedy_vi", "remedy_en")},
            }
        ]
    )  # fmt: skip


def _period_of_path(mapping: Mapping, name: str) -> str | None:
    if mapping.period.path_pattern is None:
        return None
    found = re.search(mapping.period.path_pattern, name)
    if found is None:
        raise InputError(
            "The path of a file does not say its reporting year.", where=name,
            why=f"{mapping.id}: period.path_pattern is {mapping.period.path_pattern!r}",
            remedy="Rename the file or correct the pattern.",
            what_vi="Đường dẫn tệp không cho biết kỳ báo cáo.", remedy_vi="Đặt lại tên thư mục theo năm báo cáo.", code="period_missing",
        )  # fmt: skip
    return found.group(1)


@dataclass(frozen=True)
class _SheetRead:
    rows: pl.DataFrame
    findings: pl.DataFrame
    account: dict[str, Any]


def _read_file(table: Table, mapping: Mapping, path: Path, entry: dict[str, Any], corrections: Corrections, period: str) -> list[_SheetRead]:
    book = open_workbook(path, encoding=mapping.encoding, separator=mapping.separator)
    name = entry["source_file"]
    notes = notes_to_findings(book.notes, source_file=name, table=table.name)
    parts = []
    for sheet in _chosen_sheets(book, mapping, name):
        place = _Place(mapping, name, entry["sha256"], "csv" if sheet.is_text else sheet.name)
        parts.append(_read_sheet(table, sheet, place, corrections, period))
    if parts and notes.height:
        parts[0] = _SheetRead(parts[0].rows, concat_findings([notes, parts[0].findings]), parts[0].account)
    return parts


def _chosen_sheets(book: Workbook, mapping: Mapping, name: str) -> list[Sheet]:
    """Return the sheets the mapping reads; those we added to a returned workbook hold no data."""
    rule = mapping.sheet
    sheets = [s for s in book.sheets if s.name not in FEEDBACK_SHEETS and (rule.include_hidden or s.visibility == "visible")]
    if rule.name is not None:
        sheets = [s for s in sheets if normal(s.name) == normal(rule.name)]
    elif rule.pattern is not None:
        sheets = [s for s in sheets if re.search(rule.pattern, s.name)]
    elif len(sheets) > 1:
        sheets = sheets[:1]
    if sheets:
        return sheets
    names = [s.name for s in book.sheets]
    close = difflib.get_close_matches(rule.name or "", names, n=1, cutoff=0.5)
    raise InputError(
        "The workbook has no sheet that the mapping reads.", where=f"{name} (mapping {mapping.id})",
        why=f"wanted: {rule.name or rule.pattern or 'a visible sheet'}; sheets there are: {', '.join(names) or 'none'}"
        + (f"; nearest: {close[0]}" if close else ""),
        remedy="Correct `sheet` in the mapping, or ask for the right workbook.",
        what_vi=f"Không tìm thấy trang tính cần đọc trong tệp {name}.", remedy_vi="Gửi đúng mẫu biểu, giữ nguyên tên trang tính.",
        code="sheet_missing",
    )  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """The part of a sheet that a mapping reads."""

    headings: dict[int, str]
    header_rows: tuple[int, ...]
    data_rows: list[int]
    unit: str | None


def _mapped_table(sheet: Sheet, layout: Layout, mapping: Mapping) -> _Table:
    """Return the tables of the sheet that have the wanted headings, as one; else the first."""
    if mapping.header_rows != "auto":
        below = max(mapping.header_rows)
        rows = [r for r in layout.rows(RowKind.DATA) if r > below]
        return _Table(_headings_of(sheet, mapping.header_rows), mapping.header_rows, rows, layout.unit)
    needed = [r.headings for r in mapping.columns.values() if not r.is_optional]
    fitting = [t for t in layout.tables if all(_find_column(t.headings, h) is not None for h in needed)]
    chosen = [t for t in fitting if t.headings == fitting[0].headings] or list(layout.tables[:1])
    if not chosen:
        return _Table({}, (), [], layout.unit)
    rows = [r for t in chosen for r in t.data_rows]
    return _Table(chosen[0].headings, chosen[0].header_rows, rows, chosen[0].unit or layout.unit)


@dataclass(frozen=True)
class Located:
    """Where the columns of a mapping stand in a sheet.

    Attributes
    ----------
    columns:
        Canonical column → 1-based column of the sheet; columns without a heading are left out.
    header_rows, data_rows:
        1-based rows of the headings and of the records.
    """

    columns: dict[str, int]
    header_rows: tuple[int, ...]
    data_rows: tuple[int, ...]


def locate_columns(sheet: Sheet, mapping: Mapping) -> Located:
    """Return where in *sheet* the reader takes the columns of *mapping* from.

    Examples
    --------
    >>> from htx_pipeline.ingest.mapping import ColumnRule, PeriodRule
    >>> from htx_pipeline.ingest.workbook import open_bytes
    >>> sheet = open_bytes("Tên HTX;Doanh thu\\nA;1\\nB;2\\n".encode(), name="a.csv").sheets[0]
    >>> mapping = Mapping(id="m", table="cooperative_reports", files=("a.csv",), period=PeriodRule(constant="2025"),
    ...                   columns={"revenue_vnd": ColumnRule(source="Doanh thu")})
    >>> locate_columns(sheet, mapping).columns
    {'revenue_vnd': 2}
    """
    layout = understand(sheet, expected_headings=[h for r in mapping.columns.values() for h in r.headings])
    mapped = _mapped_table(sheet, layout, mapping)
    found = {name: _find_column(mapped.headings, rule.headings) for name, rule in mapping.columns.items()}
    return Located({k: v for k, v in found.items() if v is not None}, tuple(mapped.header_rows), tuple(mapped.data_rows))


def _headings_of(sheet: Sheet, rows: tuple[int, ...]) -> dict[int, str]:
    """Return column → heading of the given rows, merged cells spread over the columns they span."""
    spread: dict[tuple[int, int], str] = {}
    for top, left, bottom, right in sheet.merged:
        text = cell_text(sheet.cell(top, left))
        if text is not None:
            spread |= {(r, c): text for r in range(top, bottom + 1) for c in range(left, right + 1)}
    headings: dict[int, str] = {}
    for c in range(1, sheet.n_cols + 1):
        parts = [spread.get((r, c)) or cell_text(sheet.cell(r, c)) for r in rows]
        levels = list(dict.fromkeys(p for p in parts if p))
        if levels:
            headings[c] = " / ".join(levels)
    return headings


def _find_column(headings: dict[int, str], wanted: Sequence[str]) -> int | None:
    keys = {n: normal(text) for n, text in headings.items()}
    for heading in wanted:
        target = normal(heading)
        tests: tuple[Callable[[str], bool], ...] = (
            lambda k, t=target: k == t,
            lambda k, t=target: normal(re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", k)) == t,
            lambda k, t=target: normal(k.rsplit(" / ", 1)[-1]) == t,
            lambda k, t=target: normal(re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", k.rsplit(" / ", 1)[-1])) == t,
        )
        for test in tests:
            hits = [n for n, key in keys.items() if key and test(key)]
            if len(hits) == 1:
                return hits[0]
            if hits:
                return min(hits)
    return None


def _column_missing(place: _Place, canonical: str, wanted: Sequence[str], headings: dict[int, str], rows: Sequence[int]) -> InputError:
    texts_there = [t for t in headings.values() if t]
    close = difflib.get_close_matches(normal(wanted[0]), [normal(t) for t in texts_there], n=1, cutoff=0.4)
    where = f"{place.source_file}, sheet {place.sheet}, heading rows {', '.join(map(str, rows)) or 'not found'}"
    nearest = f"; nearest: “{close[0]}”" if close else ""
    return InputError(
        f"The column “{wanted[0]}” is missing.", where=where,
        why=f"mapping {place.mapping.id} reads {canonical} from it; headings there are: {', '.join(f'“{t}”' for t in texts_there[:30]) or 'none'}{nearest}",
        remedy="Correct the heading in the file, or columns." + canonical + ".source in the mapping.",
        what_vi=f"Thiếu cột «{wanted[0]}» (trang {place.sheet}, dòng tiêu đề {', '.join(map(str, rows)) or 'không thấy'}){f'; gần nhất: «{close[0]}»' if close else ''}.",
        remedy_vi="Giữ nguyên tiêu đề cột của mẫu biểu rồi gửi lại.", code="column_missing",
    )  # fmt: skip


def _main_font(fonts: FontCounts[str, int] | None) -> str | None:
    """Return the font of most of a column's cells; ties go to the first name."""
    return min(fonts, key=lambda name: (-fonts[name], name)) if fonts else None


def _read_sheet(table: Table, sheet: Sheet, place: _Place, corrections: Corrections, wanted_period: str) -> _SheetRead:
    mapping = place.mapping
    grid = sheet.cells
    layout = understand(sheet, expected_headings=[h for r in mapping.columns.values() for h in r.headings])
    mapped = _mapped_table(sheet, layout, mapping)
    headings, data_rows = mapped.headings, mapped.data_rows
    account: dict[str, Any] = {
        "mapping_id": mapping.id, "source_file": place.source_file, "sha256": place.sha256, "source_sheet": place.sheet,
        "rows_in_sheet": sheet.n_rows, "rows_data": len(data_rows),
        "row_kinds": "; ".join(f"{k}: {v}" for k, v in sorted(layout.counts.items()) if v),
        "is_synthetic": mapping.is_synthetic, "source_agency": mapping.source_agency, "period_note": mapping.period.note,
    }  # fmt: skip
    if sheet.n_rows == 0 or not headings:
        raise InputError(
            "The sheet is empty." if sheet.n_rows == 0 else "No heading row was found.", where=f"{place.source_file}, sheet {place.sheet}",
            remedy="Ask for the filled file, or name `header_rows` in the mapping.",
            what_vi=f"Trang {place.sheet} không có số liệu." if sheet.n_rows == 0 else f"Không tìm thấy dòng tiêu đề ở trang {place.sheet}.",
            remedy_vi="Gửi lại tệp đã nhập số liệu theo đúng mẫu.", code="sheet_empty",
        )  # fmt: skip
    row_numbers = pl.Series("source_row", data_rows, dtype=pl.Int64)
    ids = place.source_ids(row_numbers)
    corrected = corrections.apply(grid, source_file=place.source_file, sheet=place.sheet)
    found: list[pl.DataFrame] = [corrected, notes_to_findings([*layout.notes, *sheet.formula_like_notes(), *check_totals(layout)], source_file=place.source_file, table=table.name)]
    columns: dict[str, pl.Series] = {}
    used: dict[str, int] = {}
    for canonical, rule in mapping.columns.items():
        at = _find_column(headings, rule.headings)
        if at is None:
            if rule.is_optional:
                continue
            raise _column_missing(place, canonical, rule.headings, headings, mapped.header_rows)
        used[canonical] = at
        cells: list[Any] = [grid[r - 1][at - 1] for r in data_rows]
        text_notes: pl.DataFrame | None = None
        column = table[canonical]
        if rule.charset is not None or (column.dtype == pl.String and sheet.column_fonts.get(at)):
            decoded = to_unicode(texts(cells), charset=rule.charset or "auto", font_names=_main_font(sheet.column_fonts.get(at)))
            raw_cells, cells = cells, decoded.values.to_list()
            text_notes = decoded.notes
        elif column.dtype == pl.String:
            decoded = to_unicode(texts(cells))
            raw_cells, text_notes = cells, decoded.notes
            cells = decoded.values.to_list() if decoded.detection.charset != "plain" else cells
        else:
            raw_cells = cells
        parsed = parse_column(cells, column, rule, units=mapping.units, heading=headings[at], sheet_unit=mapped.unit)
        columns[canonical] = parsed.values
        for notes in (parsed.notes, text_notes):
            if notes is not None and notes.height:
                found.append(_cell_findings(table, canonical, notes, raw_cells, row_numbers, ids, place, at))
        found += [_column_finding(table, canonical, place, headings[at], remark) for remark in parsed.remarks]
    for at, heading in headings.items():
        found.append(_dragged_findings(table, place, [grid[r - 1][at - 1] for r in data_rows], data_rows, at, heading))
    found.append(_heading_findings(table, place, headings, mapped.header_rows, {at: name for name, at in used.items()}))
    frame = _assemble(table, place, columns, row_numbers, ids, grid, headings, data_rows, mapped.header_rows, wanted_period)
    return _SheetRead(frame, concat_findings(found), account)


def _assemble(
    table: Table, place: _Place, columns: dict[str, pl.Series], row_numbers: pl.Series, ids: pl.Series,
    grid: list[list[Any]], headings: dict[int, str], data_rows: list[int], header_rows: Sequence[int],
    wanted_period: str,
) -> pl.DataFrame:  # fmt: skip
    mapping = place.mapping
    rule = mapping.period
    frame = pl.DataFrame({**columns, "source_row": row_numbers, "source_id": ids}).with_columns(
        source_file=pl.lit(place.source_file), source_sheet=pl.lit(place.sheet),
        **{k: pl.lit(v).cast(table[k].dtype) for k, v in mapping.constants.items()},
    )  # fmt: skip
    if rule.constants:
        period = pl.lit(wanted_period)
    elif rule.path_pattern is not None:
        period = pl.lit(_period_of_path(mapping, place.source_file))
    elif rule.date_column is not None:
        period = reporting_year_expr(pl.col(rule.date_column)).cast(pl.String)
    else:
        assert rule.column is not None
        at = _find_column(headings, (rule.column,))
        if at is None:
            raise _column_missing(place, "period", (rule.column,), headings, header_rows)
        written = [cell_text(grid[r - 1][at - 1]) for r in data_rows]
        frame = frame.with_columns(pl.Series("_period", written, dtype=pl.String))
        period = pl.col("_period").str.extract(r"((?:19|20)\d{2})", 1)
    return table.conform(frame.with_columns(period=period)).with_columns(
        mapping_id=pl.lit(mapping.id), source_priority=pl.lit(mapping.priority, dtype=pl.Int64), is_party_list=pl.lit(mapping.is_party_list)
    )  # fmt: skip


def _cell_findings(
    table: Table, column: str, notes: pl.DataFrame, cells: Sequence[Any], row_numbers: pl.Series, ids: pl.Series, place: _Place, at: int
) -> pl.DataFrame:  # fmt: skip
    index = notes["index"].to_list()
    letters = column_letters(at)
    registered = [NOTE_CODES[c] for c in notes["code"]]
    label = table[column]
    return notes.select(
        rule_id=pl.lit(f"{table.name}.{column}.") + pl.col("code"),
        severity=pl.Series([n.severity for n in registered], dtype=pl.String),
        table=pl.lit(table.name),
        source_id=pl.Series([ids[i] for i in index], dtype=pl.String),
        source_file=pl.lit(place.source_file),
        source_sheet=pl.lit(place.sheet),
        source_row=pl.Series([row_numbers[i] for i in index], dtype=pl.Int64),
        source_cell=pl.Series([f"{letters}{row_numbers[i]}" for i in index], dtype=pl.String),
        column=pl.lit(column),
        raw_value=pl.Series([cell_text(cells[i]) for i in index], dtype=pl.String),
        reason_vi=pl.lit(f"{label.label_vi}: ") + pl.col("detail_vi"),
        reason_en=pl.lit(f"{label.label_en}: ") + pl.col("detail_en"),
        remedy_vi=pl.Series([n.remedy_vi for n in registered], dtype=pl.String),
        remedy_en=pl.Series([n.remedy_en for n in registered], dtype=pl.String),
    )


def _column_finding(table: Table, column: str, place: _Place, heading: str, remark: tuple[str, str, str]) -> pl.DataFrame:
    code, vi, en = remark
    return findings(
        [
            {
                "rule_id": f"{table.name}.{column}.{code}", "severity": "info", "table": table.name, "source_file": place.source_file,
                "source_sheet": place.sheet, "column": column, "raw_value": heading,
                "reason_vi": f"{table[column].label_vi}: {vi}", "reason_en": f"{table[column].label_en}: {en}",
                "remedy_vi": "Nếu cách đọc này sai, khai báo lại trong tệp ánh xạ nguồn.",
                "remedy_en": "If this reading is wrong, fix it in the source mapping.",
            }
        ]
    )  # fmt: skip


def _heading_findings(
    table: Table, place: _Place, headings: dict[int, str], header_rows: Sequence[int], used: dict[int, str]
) -> pl.DataFrame:  # fmt: skip
    """Say which headings mix two definitions; the columns that are read are named."""
    places = list(headings)
    notes = heading_notes(pl.Series("headings", [headings[at] for at in places], dtype=pl.String))
    remedy = NOTE_CODES["mixed_definition"]
    row = max(header_rows) if header_rows else None
    return findings(
        {
            "rule_id": f"{table.name}.mixed_definition", "severity": remedy.severity if places[i] in used else "info",
            "table": table.name, "source_file": place.source_file, "source_sheet": place.sheet, "source_row": row,
            "source_cell": None if row is None else f"{column_letters(places[i])}{row}", "column": used.get(places[i]),
            "raw_value": headings[places[i]], "reason_vi": vi, "reason_en": en,
            "remedy_vi": remedy.remedy_vi, "remedy_en": remedy.remedy_en,
        }
        for i, vi, en in notes.select("index", "detail_vi", "detail_en").iter_rows()
    )  # fmt: skip


def _dragged_findings(table: Table, place: _Place, cells: Sequence[Any], data_rows: Sequence[int], at: int, heading: str) -> pl.DataFrame:
    runs = dragged_runs(cells)
    if not runs:
        return empty_findings()
    letters = column_letters(at)
    return findings(
        {
            "rule_id": f"{table.name}.dragged_series", "severity": "warning", "table": table.name, "source_file": place.source_file,
            "source_sheet": place.sheet, "source_row": data_rows[run.start], "source_cell": f"{letters}{data_rows[run.start]}",
            "raw_value": run.text,
            "reason_vi": f"Cột «{heading}»: số trong ô tăng dần từng dòng từ {run.first} đến {run.last} (dòng {data_rows[run.start]}–{data_rows[run.stop]}): lỗi kéo ô trong bảng tính.",
            "reason_en": f"Column “{heading}”: the number in the text counts up row by row from {run.first} to {run.last} (rows {data_rows[run.start]}–{data_rows[run.stop]}): cells were dragged in a spreadsheet.",
            "remedy_vi": "Nhập lại giá trị đúng cho cả cột; số này không được dùng làm năm.",
            "remedy_en": "Enter the right value again for the whole column; the number is not used as a year.",
        }
        for run in runs
    )  # fmt: skip
