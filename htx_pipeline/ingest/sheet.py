"""One sheet through one mapping: parse its columns, keep every row's place, say what was odd.

What belongs here: everything between an opened sheet and canonical rows. What does not: which files and
periods are read (`ingest.read`), where the columns stand (`ingest.sheet_columns`), parsing one column
(`ingest.columns`), or judging rows (`validation`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping as Counts
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import concat_findings, empty_findings, findings
from htx_pipeline.ingest._scan import column_letters
from htx_pipeline.ingest.charset_convert import convert
from htx_pipeline.ingest.columns import normal, parse_column, texts
from htx_pipeline.ingest.corrections import Corrections
from htx_pipeline.ingest.dates import reporting_year_expr
from htx_pipeline.ingest.dragged import dragged_runs
from htx_pipeline.ingest.encodings import to_unicode
from htx_pipeline.ingest.grid import Cells
from htx_pipeline.ingest.mapping import ColumnRule, Mapping
from htx_pipeline.ingest.notes import Note, notes_to_findings
from htx_pipeline.ingest.personal import personal_kind
from htx_pipeline.ingest.plausibility import heading_notes
from htx_pipeline.ingest.sheet_columns import mapped_layout, mapped_part
from htx_pipeline.ingest.totals import check_totals
from htx_pipeline.ingest.value_notes import NOTE_CODES
from htx_pipeline.ingest.workbook_sheet import Sheet
from htx_pipeline.schemas import Table


@dataclass(frozen=True)
class Place:
    """Where a sheet's rows come from; ``sheet`` is "csv" for a text file."""

    mapping: Mapping
    source_file: str
    sha256: str
    sheet: str

    @property
    def provenance(self) -> dict[str, str]:
        """Return the fields of a finding that say file and sheet."""
        return {"source_file": self.source_file, "source_sheet": self.sheet}


@dataclass(frozen=True)
class SheetRows:
    """Canonical rows of one sheet, the findings about its cells, and its account."""

    rows: pl.DataFrame
    findings: pl.DataFrame
    account: dict[str, Any]


class _Reader:
    """Reads one sheet; made for one use."""

    def __init__(self, table: Table, sheet: Sheet, place: Place) -> None:
        self.table = table
        self.sheet = sheet
        self.place = place
        self.mapping = place.mapping
        self.layout = mapped_layout(sheet, self.mapping)
        self.mapped = mapped_part(self.layout, self.mapping, sheet.charset)
        self.grid = sheet.grid
        self.row_numbers = pl.Series("source_row", self.mapped.data_rows, dtype=pl.Int64)
        prefix = f"{place.sha256[:16]}:{place.sheet}:"
        self.source_ids = pl.select(pl.lit(prefix) + self.row_numbers.cast(pl.String)).to_series()
        self.found: list[pl.DataFrame] = []

    def run(self, corrections: Corrections, period: str) -> SheetRows:
        self._need_rows()
        notes = [*self.layout.notes, *self.sheet.formula_like_notes(), *self._totals()]
        self.found = [
            corrections.apply(
                self.grid, source_file=self.place.source_file, sheet=self.place.sheet
            ),
            notes_to_findings(notes, source_file=self.place.source_file, table=self.table.name),
        ]
        columns: dict[str, pl.Series] = {}
        used: dict[int, str] = {}
        for name, rule in self.mapping.columns.items():
            at = self.mapped.column(rule.headings)
            if at is None and rule.is_optional:
                continue
            if at is None:
                raise self._column_missing(name, rule.headings)
            used[at] = name
            columns[name] = self._column(name, rule, at)
        personal = {
            at: kind
            for at, heading in self.mapped.headings.items()
            if (kind := personal_kind(heading)) is not None
        }
        for at, heading in self.mapped.headings.items():
            if at not in personal:
                self.found.append(self._dragged(self._cells(at), at, heading))
        self.found.append(self._personal(personal, used))
        self.found.append(self._mixed_headings(used))
        return SheetRows(
            self._assemble(columns, period), concat_findings(self.found), self._account()
        )

    def _totals(self) -> list[Note]:
        fixed = {
            at: rule.number
            for rule in self.mapping.columns.values()
            if (at := self.mapped.column(rule.headings)) is not None
        }
        return check_totals(self.layout, conventions=fixed)

    def _cells(self, at: int) -> Cells:
        return self.grid.column(at - 1).take(self._places)

    @cached_property
    def _places(self) -> npt.NDArray[np.int64]:
        return self.row_numbers.to_numpy() - 1

    def _account(self) -> dict[str, Any]:
        return {
            "mapping_id": self.mapping.id,
            "sha256": self.place.sha256,
            **self.place.provenance,
            "rows_in_sheet": self.sheet.n_rows,
            "rows_data": len(self.mapped.data_rows),
            "row_kinds": "; ".join(f"{k}: {v}" for k, v in sorted(self.layout.counts.items()) if v),
            "is_synthetic": self.mapping.is_synthetic,
            "source_agency": self.mapping.source_agency,
            "period_note": self.mapping.period.note,
        }

    def _need_rows(self) -> None:
        if self.sheet.n_rows and self.mapped.headings:
            return
        is_empty = self.sheet.n_rows == 0
        raise InputError(
            "The sheet is empty." if is_empty else "No heading row was found.",
            where=f"{self.place.source_file}, sheet {self.place.sheet}",
            remedy="Ask for the filled file, or name `header_rows` in the mapping.",
            what_vi=f"Trang {self.place.sheet} không có số liệu."
            if is_empty
            else f"Không tìm thấy dòng tiêu đề ở trang {self.place.sheet}.",
            remedy_vi="Gửi lại tệp đã nhập số liệu theo đúng mẫu.",
            code="sheet_empty",
        )

    def _column_missing(self, name: str, wanted: Sequence[str]) -> InputError:
        there = [t for t in self.mapped.headings.values() if t]
        close = difflib.get_close_matches(
            normal(wanted[0]), [normal(t) for t in there], n=1, cutoff=0.4
        )
        rows = ", ".join(map(str, self.mapped.header_rows))
        listed = ", ".join(f"“{t}”" for t in there[:30]) or "none"
        nearest_vi = f"; gần nhất: «{close[0]}»" if close else ""
        return InputError(
            f"The column “{wanted[0]}” is missing.",
            where=f"{self.place.source_file}, sheet {self.place.sheet}, heading rows {rows or 'not found'}",
            why=f"mapping {self.mapping.id} reads {name} from it; headings there are: {listed}"
            + (f"; nearest: “{close[0]}”" if close else ""),
            remedy=f"Correct the heading in the file, or columns.{name}.source in the mapping.",
            what_vi=f"Thiếu cột «{wanted[0]}» (trang {self.place.sheet}, dòng tiêu đề {rows or 'không thấy'}){nearest_vi}.",
            remedy_vi="Giữ nguyên tiêu đề cột của mẫu biểu rồi gửi lại.",
            code="column_missing",
        )

    def _column(self, name: str, rule: ColumnRule, at: int) -> pl.Series:
        column, raw = self.table[name], self._cells(at)
        cells = raw
        if column.dtype == pl.String or rule.charset is not None:
            font = _main_font(self.sheet.column_fonts.get(at))
            decoded = to_unicode(texts(raw), charset=rule.charset or "auto", font_names=font)
            if decoded.detection.charset != "plain":
                cells = Cells.of(decoded.values)
            self.found.append(self._cell_findings(name, decoded.notes, raw, at))
        elif self.mapped.charset != "plain":  # "2,5 tû ®ång" is a number too
            cells = replace(raw, strings=convert(raw.strings, charset=self.mapped.charset))
        heading = self.mapped.headings[at]
        parsed = parse_column(
            cells,
            column,
            rule,
            units=self.mapping.units,
            heading=heading,
            sheet_unit=self.mapped.unit,
        )
        self.found.append(self._cell_findings(name, parsed.notes, raw, at))
        self.found.append(self._column_remarks(name, heading, parsed.remarks))
        return parsed.values

    def _assemble(self, columns: dict[str, pl.Series], wanted_period: str) -> pl.DataFrame:
        rule = self.mapping.period
        constants = {
            k: pl.lit(v).cast(self.table[k].dtype) for k, v in self.mapping.constants.items()
        }
        frame = pl.DataFrame(
            {**columns, "source_row": self.row_numbers, "source_id": self.source_ids}
        )
        frame = frame.with_columns(
            **{k: pl.lit(v) for k, v in self.place.provenance.items()}, **constants
        )
        if rule.constants:
            period = pl.lit(wanted_period)
        elif rule.path_pattern is not None:
            period = pl.lit(period_of_path(self.mapping, self.place.source_file))
        elif rule.date_column is not None:
            period = reporting_year_expr(pl.col(rule.date_column)).cast(pl.String)
        else:
            wanted = (rule.column or "",)
            at = self.mapped.column(wanted)
            if at is None:
                raise self._column_missing("period", wanted)
            frame = frame.with_columns(_period=texts(self._cells(at)))
            period = pl.col("_period").str.extract(r"((?:19|20)\d{2})", 1)
        return self.table.conform(frame.with_columns(period=period)).with_columns(
            mapping_id=pl.lit(self.mapping.id),
            source_priority=pl.lit(self.mapping.priority, dtype=pl.Int64),
            is_party_list=pl.lit(self.mapping.is_party_list),
        )

    def _cell_findings(self, name: str, notes: pl.DataFrame, raw: Cells, at: int) -> pl.DataFrame:
        if notes.is_empty():
            return empty_findings()
        index = notes["index"].to_list()
        registered = [NOTE_CODES[c] for c in notes["code"]]
        column, letters = self.table[name], column_letters(at)
        rows = self.row_numbers.gather(index)

        def series(values: list[str | None]) -> pl.Series:
            return pl.Series(values, dtype=pl.String)

        return notes.select(
            rule_id=pl.lit(f"{self.table.name}.{name}.") + pl.col("code"),
            severity=series([n.severity for n in registered]),
            table=pl.lit(self.table.name),
            source_id=self.source_ids.gather(index),
            **{k: pl.lit(v) for k, v in self.place.provenance.items()},
            source_row=rows,
            source_cell=series([f"{letters}{r}" for r in rows]),
            column=pl.lit(name),
            raw_value=pl.when(pl.col("code") != "personal_data_removed").then(
                raw.text.gather(index)
            ),
            reason_vi=pl.lit(f"{column.label_vi}: ") + pl.col("detail_vi"),
            reason_en=pl.lit(f"{column.label_en}: ") + pl.col("detail_en"),
            remedy_vi=series([n.remedy_vi for n in registered]),
            remedy_en=series([n.remedy_en for n in registered]),
        )

    def _column_remarks(
        self, name: str, heading: str, remarks: Sequence[tuple[str, str, str]]
    ) -> pl.DataFrame:
        column = self.table[name]
        return findings(
            {
                "rule_id": f"{self.table.name}.{name}.{code}",
                "severity": "info",
                "table": self.table.name,
                **self.place.provenance,
                "column": name,
                "raw_value": heading,
                "reason_vi": f"{column.label_vi}: {vi}",
                "reason_en": f"{column.label_en}: {en}",
                "remedy_vi": "Nếu cách đọc này sai, khai báo lại trong tệp ánh xạ nguồn.",
                "remedy_en": "If this reading is wrong, fix it in the source mapping.",
            }
            for code, vi, en in remarks
        )

    def _mixed_headings(self, used: dict[int, str]) -> pl.DataFrame:
        """Say which headings mix two definitions; the columns that are read are named."""
        places = list(self.mapped.headings)
        written = pl.Series([self.mapped.headings[at] for at in places], dtype=pl.String)
        known = NOTE_CODES["mixed_definition"]
        row = max(self.mapped.header_rows) if self.mapped.header_rows else None
        return findings(
            {
                "rule_id": f"{self.table.name}.mixed_definition",
                "severity": known.severity if places[i] in used else "info",
                "table": self.table.name,
                **self.place.provenance,
                "source_row": row,
                "source_cell": None if row is None else f"{column_letters(places[i])}{row}",
                "column": used.get(places[i]),
                "raw_value": written[i],
                "reason_vi": vi,
                "reason_en": en,
                "remedy_vi": known.remedy_vi,
                "remedy_en": known.remedy_en,
            }
            for i, vi, en in heading_notes(written)
            .select("index", "detail_vi", "detail_en")
            .iter_rows()
        )

    def _personal(self, personal: dict[int, tuple[str, str]], used: dict[int, str]) -> pl.DataFrame:
        """Say which columns hold personal data: they are not read, unless the mapping names them."""
        row = max(self.mapped.header_rows) if self.mapped.header_rows else None
        return findings(
            {
                "rule_id": f"{self.table.name}.personal_column",
                "severity": "warning" if at in used else "info",
                "table": self.table.name,
                **self.place.provenance,
                "source_row": row,
                "source_cell": None if row is None else f"{column_letters(at)}{row}",
                "column": used.get(at),
                "raw_value": self.mapped.headings[at],
                "reason_vi": f"Cột có dữ liệu cá nhân ({vi}): "
                + ("tệp ánh xạ đang đọc cột này." if at in used else "không đọc, không đưa vào bảng nào."),
                "reason_en": f"The column holds personal data ({en}): "
                + ("the mapping reads it." if at in used else "it is not read and enters no table."),
                "remedy_vi": "Bỏ cột này khỏi tệp ánh xạ nguồn." if at in used else "Lần sau đề nghị không gửi cột này.",
                "remedy_en": "Take the column out of the mapping." if at in used else "Leave the column out next time.",
            }
            for at, (vi, en) in personal.items()
        )  # fmt: skip

    def _dragged(self, cells: Cells, at: int, heading: str) -> pl.DataFrame:
        rows, letters = self.mapped.data_rows, column_letters(at)
        return findings(
            {
                "rule_id": f"{self.table.name}.dragged_series",
                "severity": "warning",
                "table": self.table.name,
                **self.place.provenance,
                "source_row": rows[run.start],
                "source_cell": f"{letters}{rows[run.start]}",
                "raw_value": run.text,
                "reason_vi": f"Cột «{heading}»: số trong ô tăng dần từng dòng từ {run.first} đến {run.last} "
                f"(dòng {rows[run.start]}–{rows[run.stop]}): lỗi kéo ô trong bảng tính.",
                "reason_en": f"Column “{heading}”: the number in the text counts up row by row from {run.first} "
                f"to {run.last} (rows {rows[run.start]}–{rows[run.stop]}): cells were dragged in a spreadsheet.",
                "remedy_vi": "Nhập lại giá trị đúng cho cả cột; số này không được dùng làm năm.",
                "remedy_en": "Enter the right value again for the whole column; the number is not used as a year.",
            }
            for run in dragged_runs(cells)
        )


def _main_font(fonts: Counts[str, int] | None) -> str | None:
    """Return the font of most of a column's cells; ties go to the first name."""
    return min(fonts, key=lambda name: (-fonts[name], name)) if fonts else None


def read_sheet(
    table: Table, sheet: Sheet, place: Place, *, corrections: Corrections, period: str
) -> SheetRows:
    """Read one sheet through a mapping.

    Parameters
    ----------
    table:
        The canonical table.
    sheet, place:
        The opened sheet, and where it comes from with the mapping that reads it.
    corrections:
        Applied to the cells before they are parsed.
    period:
        The reporting year of the run; taken for every row where the mapping says a constant.

    Raises
    ------
    InputError
        When the sheet is empty, has no heading row, lacks a wanted column, or a correction no longer
        fits.
    """
    return _Reader(table, sheet, place).run(corrections, period)


def period_of_path(mapping: Mapping, name: str) -> str | None:
    """Return the year that a file's path says; None when the mapping takes it from elsewhere.

    Raises
    ------
    InputError
        When the mapping takes it from the path and the path does not say it.
    """
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
