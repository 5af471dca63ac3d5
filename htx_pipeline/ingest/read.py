"""From source files to raw rows: apply the mappings, keep provenance, say what could not be read.

What belongs here: listing the files of the input folder, finding each mapped column, parsing it, and
putting the rows of one period together. What does not: understanding a sheet's layout
(`ingest.layout`), parsing one column (`ingest.columns`), or judging rows (`validation`).

A file that cannot be read becomes a finding and the other files go on.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import concat_findings, empty_findings, findings
from htx_pipeline.ingest.columns import normal
from htx_pipeline.ingest.corrections import Corrections, load_corrections
from htx_pipeline.ingest.guard import check_file
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.notes import notes_to_findings
from htx_pipeline.ingest.partial import ROW_CHANGE_SCHEMA, Correction, replace_rows
from htx_pipeline.ingest.sheet import Place, SheetRows, period_of_path, read_sheet
from htx_pipeline.ingest.sheet_columns import has_columns
from htx_pipeline.ingest.template import Recognised, mapping_named, recognise
from htx_pipeline.ingest.template_form import FEEDBACK_SHEETS
from htx_pipeline.ingest.workbook import Workbook, open_workbook
from htx_pipeline.ingest.workbook_sheet import Sheet
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
    "corrects": pl.String(),
    "arrival": pl.Int64(),
    "code": pl.String(),
    "reason_vi": pl.String(),
    "reason_en": pl.String(),
    "remedy_vi": pl.String(),
    "remedy_en": pl.String(),
}
"""One row per file and mapping; ``mapping_id`` is null for a file that no mapping reads.
``source_file`` is the path below the input folder, with forward slashes. ``corrects`` is the SHA-256 of
the report of which this file holds only corrected rows, ``arrival`` the order in which such files came."""

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
    "rows_replaced": pl.Int64(),
    "row_kinds": pl.String(),
    "is_synthetic": pl.Boolean(),
    "source_agency": pl.String(),
    "period_note": pl.String(),
}
"""One row per sheet read. ``row_kinds`` says how many rows are heading, total, note, blank and so on;
``rows_replaced`` how many of the period's rows a later file corrected."""

RAW_EXTRA: Final[dict[str, pl.DataType]] = {
    "mapping_id": pl.String(),
    "source_priority": pl.Int64(),
    "is_party_list": pl.Boolean(),
}
"""Columns of a raw table beside the canonical ones."""


@dataclass(frozen=True)
class ReadResult:
    """Rows of one table and period, the findings about their cells, and the sheets they came from.

    ``changes`` lists what files with corrected rows changed (`ingest.partial.ROW_CHANGE_SCHEMA`).
    """

    rows: pl.DataFrame
    findings: pl.DataFrame
    sheets: pl.DataFrame
    changes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ROW_CHANGE_SCHEMA))


def list_sources(
    mappings: Sequence[Mapping],
    input_dir: Path,
    *,
    corrects: AnyMapping[str, tuple[str, int]] | None = None,
) -> pl.DataFrame:
    """List every file of the input folder with the mappings that read it.

    A file that no mapping names but that was filled in on a template of ours is read by the template's
    own mapping (`ingest.template`).

    Parameters
    ----------
    mappings, input_dir:
        The mappings in force; the folder of source files.
    corrects:
        SHA-256 of a file with only corrected rows → SHA-256 of the report, and the order of arrival
        (`ingest.inbox_ledger.corrections_in_force`).

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
        p: []
        for p in sorted(input_dir.rglob("*"))
        if p.is_file() and not p.name.startswith((".", "~$"))
    }
    for mapping in mappings:
        for path in mapping.matching_files(input_dir):
            wanted.setdefault(path, []).append(mapping)
    templates = {
        p: found for p, users in wanted.items() if not users and (found := _template(p)) is not None
    }
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
            row["corrects"], row["arrival"] = (corrects or {}).get(info.sha256, (None, None))
        except InputError as exc:
            row |= {"is_usable": False, **_reasons(exc)}
        own = templates.get(path)
        if own is not None and own.error is not None:
            row |= {"is_usable": False, **_reasons(own.error)}
        readers = [own.mapping] if own is not None and own.mapping is not None else users
        if readers:
            rows += [
                {**row, "mapping_id": m.id, "table": m.table, "is_synthetic": m.is_synthetic}
                for m in readers
            ]
        else:
            rows.append({**row, "code": row.get("code") or "no_mapping"})
    frame = pl.DataFrame(
        [{k: r.get(k) for k in SOURCE_FILE_SCHEMA} for r in rows], schema=SOURCE_FILE_SCHEMA
    )
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
    corrections = (
        load_corrections(corrections_file) if corrections_file is not None else Corrections.none()
    )
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
        if period_of_path(mapping, entry["source_file"]) not in {None, period}:
            continue
        if mapping.period.constants and period not in mapping.period.constants:
            continue
        try:
            for part in _read_file(
                table, mapping, input_dir, entry, corrections=corrections, period=period
            ):
                mine = part.rows.filter(
                    pl.col("period").is_null()
                    | (pl.col("period") == period)
                    | ~pl.col("period").is_in(PERIODS)
                )
                kept_ids = mine["source_id"].implode()
                rows.append(mine)
                found.append(
                    part.findings.filter(
                        pl.col("source_row").is_null()
                        | pl.col("source_id").is_null()
                        | pl.col("source_id").is_in(kept_ids)
                    )
                )
                sheets.append(
                    {
                        **part.account,
                        "period": period,
                        "rows_this_period": mine.height,
                        "rows_other_period": part.rows.height - mine.height,
                    }
                )
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
    everything = pl.concat([pl.DataFrame(schema=schema), *rows])
    done = replace_rows(table.name, everything, _corrections_of(source_files, table_name))
    gone = pl.Series(done.replaced_ids, dtype=pl.String).implode()
    kept = [f.filter(~pl.col("source_id").is_in(gone).fill_null(value=False)) for f in found]
    taken_out = Counter(
        everything.filter(pl.col("source_id").is_in(gone))
        .select("mapping_id", "source_file", "source_sheet")
        .iter_rows()
    )
    for account in sheets:
        at = (account["mapping_id"], account["source_file"], account["source_sheet"])
        account["rows_replaced"] = taken_out[at]
    return ReadResult(
        rows=done.rows.sort("source_file", "source_sheet", "source_row", "mapping_id"),
        findings=concat_findings([*kept, done.findings]).unique(maintain_order=True),
        sheets=pl.DataFrame(
            [{k: s.get(k) for k in SHEET_SCHEMA} for s in sheets], schema=SHEET_SCHEMA
        ),
        changes=done.changes,
    )


def _corrections_of(source_files: pl.DataFrame, table_name: str) -> list[Correction]:
    """Return the files of a table that hold only corrected rows, in the order of arrival."""
    if "corrects" not in source_files.columns:
        return []
    chosen = (
        source_files.filter(
            (pl.col("table") == table_name) & pl.col("is_usable") & pl.col("corrects").is_not_null()
        )
        .unique("sha256", keep="first", maintain_order=True)
        .sort("arrival", "sha256")
    )
    return [Correction(*r) for r in chosen.select("sha256", "source_file", "corrects").iter_rows()]


def _file_finding(
    table: Table, name: str, code: str | None, texts_of: dict[str, Any]
) -> pl.DataFrame:
    return findings(
        [
            {
                "rule_id": f"{table.name}.file.{code or 'unreadable'}", "severity": "critical", "table": table.name, "source_file": name,
                **{k: texts_of.get(k) for k in ("reason_vi", "reason_en", "remedy_vi", "remedy_en")},
            }
        ]
    )  # fmt: skip


def _read_file(
    table: Table,
    mapping: Mapping,
    input_dir: Path,
    entry: dict[str, Any],
    *,
    corrections: Corrections,
    period: str,
) -> list[SheetRows]:
    name = entry["source_file"]
    book = open_workbook(input_dir / name, encoding=mapping.encoding, separator=mapping.separator)
    notes = notes_to_findings(book.notes, source_file=name, table=table.name)
    parts = []
    chosen = _chosen_sheets(book, mapping, name)
    notes = concat_findings([notes, _passed_over(table, mapping, book, chosen, name)])
    for sheet in chosen:
        place = Place(mapping, name, entry["sha256"], "csv" if sheet.is_text else sheet.name)
        parts.append(read_sheet(table, sheet, place, corrections=corrections, period=period))
    if parts and notes.height:
        parts[0] = SheetRows(
            parts[0].rows, concat_findings([notes, parts[0].findings]), parts[0].account
        )
    return parts


def _passed_over(
    table: Table, mapping: Mapping, book: Workbook, chosen: Sequence[Sheet], name: str
) -> pl.DataFrame:
    """Say which further sheets hold the headings that are wanted, where the mapping names no sheet."""
    if mapping.sheet.name is not None or mapping.sheet.pattern is not None:
        return empty_findings()
    others = [
        s.name
        for s in book.sheets
        if s.visibility == "visible"
        and s.name not in {*FEEDBACK_SHEETS, *(c.name for c in chosen)}
        and has_columns(s, mapping)
    ]
    if not others:
        return empty_findings()
    listed = ", ".join(f"«{o}»" for o in others[:10]) + (" …" if len(others) > 10 else "")
    return findings(
        [
            {
                "rule_id": f"{table.name}.sheets_not_read", "severity": "error", "table": table.name, "source_file": name,
                "reason_vi": f"{len(others)} trang tính khác có cùng tiêu đề nhưng không được đọc: {listed}.",
                "reason_en": f"{len(others)} other sheets hold the same headings and are not read: {listed}.",
                "remedy_vi": 'Khai báo trong tệp ánh xạ: sheet.pattern = "." để đọc mọi trang, hoặc sheet.name để chỉ đọc một trang.',
                "remedy_en": 'Say in the mapping: sheet.pattern = "." reads every sheet, sheet.name only one.',
            }
        ]
    )  # fmt: skip


def _chosen_sheets(book: Workbook, mapping: Mapping, name: str) -> list[Sheet]:
    """Return the sheets the mapping reads; those we added to a returned workbook hold no data."""
    rule = mapping.sheet
    sheets = [
        s
        for s in book.sheets
        if s.name not in FEEDBACK_SHEETS and (rule.include_hidden or s.visibility == "visible")
    ]
    if rule.name is not None:
        sheets = [s for s in sheets if normal(s.name) == normal(rule.name)]
    elif rule.pattern is not None:
        sheets = [s for s in sheets if re.search(rule.pattern, s.name)]
    else:
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
