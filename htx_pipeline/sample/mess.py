"""Deliberate mistakes of named kinds, each in a ledger that says where it is and what should find it.

What belongs here: spoiling laid-out sheets, one row at most once, and the ledger. What does not: the
clean layout (`forms`) and bytes (`write`).
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.sample.facts import places
from htx_pipeline.sample.forms import Cell, Row, Sheet

MESS_SCHEMA: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "mess_id": pl.String(),
        "period": pl.String(),
        "table": pl.String(),
        "kind": pl.String(),
        "file": pl.String(),
        "sheet": pl.String(),
        "row": pl.Int64(),
        "cell": pl.String(),
        "column": pl.String(),
        "true_value": pl.String(),
        "written_value": pl.String(),
        "what_vi": pl.String(),
        "what_en": pl.String(),
        "expected_rule": pl.String(),
        "is_synthetic": pl.Boolean(),
    }
)
"""Columns of the ledger. ``row`` (1-based) and ``cell`` (A1) say where the mistake is; both are null
for a row that is absent, ``cell`` also for a row or column as a whole. ``expected_rule`` is the rule
that should speak, or null where the file alone does not give the mistake away."""


@dataclass(frozen=True, slots=True)
class MessKind:
    """What one kind of mistake is, in both languages."""

    vi: str
    en: str


MESS_KINDS: Final[Mapping[str, MessKind]] = MappingProxyType(
    {
        "missing_required_value": MessKind("bỏ trống ô bắt buộc", "a required cell is empty"),
        "text_in_number_cell": MessKind("ghi chữ vào ô số", "words in a number cell"),
        "wrong_unit_thousand": MessKind("sai đơn vị 1.000 lần", "1,000 times too large"),
        "wrong_unit_million": MessKind("sai đơn vị 1.000.000 lần", "a million times off"),
        "billion_text_slip": MessKind(
            "ghi «tỷ» trong ô và lệch một chữ số", "'tỷ' in the cell and one digit off"
        ),
        "duplicate_row": MessKind("lặp lại nguyên dòng", "a row twice"),
        "conflicting_duplicate": MessKind(
            "cùng khóa, số liệu khác", "the same key with other figures"
        ),
        "misspelt_enterprise": MessKind(
            "viết sai tên doanh nghiệp, thiếu mã số", "an enterprise misspelt, without its code"
        ),
        "name_variant": MessKind("viết tắt hoặc viết hoa tên", "a name abbreviated or in capitals"),
        "unknown_organisation": MessKind(
            "tổ chức không có trong danh bạ", "an organisation in no register"
        ),
        "unknown_commune": MessKind("xã không có trong danh mục", "a commune that does not exist"),
        "old_unit_in_new_year": MessKind(
            "ghi đơn vị hành chính cũ sau 01/7/2025", "a former unit after 1 July 2025"
        ),
        "spelling_variant": MessKind(
            "cách viết khác (Đăk/Đắk, vị trí dấu)",
            "another spelling (Đăk/Đắk, place of the tone mark)",
        ),
        "wrong_check_digit": MessKind(
            "sai số kiểm tra của mã số thuế", "a tax code with a wrong check digit"
        ),
        "lost_leading_zero": MessKind(
            "mất số 0 đầu của mã số thuế", "a tax code that lost its leading zero"
        ),
        "impossible_date": MessKind("ngày không có thật", "a date that does not exist"),
        "month_text_date": MessKind("chỉ ghi tháng", "a month in place of a date"),
        "total_not_sum": MessKind(
            "tổng không bằng các thành phần", "a total that is not the sum of its parts"
        ),
        "members_and_workers_mixed": MessKind(
            "gộp thành viên và người lao động", "members and workers in one figure"
        ),
        "delivered_ten_times": MessKind("đã giao gấp 10 lần", "delivered ten times what it was"),
        "no_consumption_stage": MessKind("thiếu khâu tiêu thụ", "a linkage without consumption"),
        "formula_like_text": MessKind("công thức dạng chữ", "a formula as text"),
        "late_report": MessKind("gửi báo cáo muộn", "a late report"),
        "missing_report": MessKind("không gửi báo cáo", "no report"),
        "legacy_charset_column": MessKind("cột dùng phông TCVN3", "a column in a TCVN3 font"),
    }
)
"""Every kind of mistake the sample makes."""


@dataclass(slots=True)
class _Entry:
    sheet: Sheet
    kind: str
    row: Row | None
    column: str | None
    true: Cell
    written: Cell
    rule: str | None
    is_total: bool = False
    has_cell: bool = True


_MONEY: Final = {
    "cooperative_reports": ("revenue_vnd", "total_capital_vnd", "charter_capital_vnd"),
    "linkages": ("contracted_value_vnd",),
}
_COUNTS: Final = {
    "cooperative_reports": ("regular_workers", "managers", "revenue_vnd"),
    "linkages": ("households", "area_ha", "contracted_tonnes"),
    "trainings": ("managers_trained", "cost_vnd"),
}
_DATES: Final = {
    "cooperative_reports": "reported_on", "organisations": "registered_on", "linkages": "signed_on",
    "trainings": "starts_on", "commendations": "decided_on",
}  # fmt: skip
_REQUIRED: Final = {
    "cooperative_reports": ("name",), "organisations": ("name", "legal_type"), "linkages": ("buyer_name", "supplier_name"),
    "trainings": ("course",), "commendations": ("decision",),
}  # fmt: skip


class _Spoiler:
    """One method per kind: spoil this row and say what was done, or None where it does not apply."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.absent = 0

    def _set(
        self, sheet: Sheet, row: Row, key: str, value: Cell, *, kind: str, rule: str | None = None
    ) -> _Entry:
        true = row.cells[key]
        row.cells[key] = value
        return _Entry(sheet, kind, row, key, true, value, rule)

    def _filled(self, row: Row, keys: tuple[str, ...]) -> str | None:
        have = [k for k in keys if row.cells.get(k) is not None]
        return have[int(self.rng.integers(len(have)))] if have else None

    def missing_required_value(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = self._filled(row, _REQUIRED[sheet.table])
        if key is None or (
            sheet.table == "linkages"
            and key == "supplier_name"
            and row.cells["supplier_tax_code"] is None
        ):
            return None
        return self._set(
            sheet,
            row,
            key,
            None,
            kind="missing_required_value",
            rule=f"{sheet.table}.{key}.required",
        )

    def text_in_number_cell(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = self._filled(row, _COUNTS[sheet.table])
        if key is None:
            return None
        words = ("đang tổng hợp", "theo hợp đồng", "nhiều")[int(self.rng.integers(3))]
        return self._set(
            sheet,
            row,
            key,
            words,
            kind="text_in_number_cell",
            rule=f"{sheet.table}.{key}.not_a_number",
        )

    def _money(self, sheet: Sheet, row: Row) -> tuple[str, int] | None:
        key = self._filled(row, _MONEY[sheet.table])
        value = None if key is None else row.truth[key]
        return None if key is None or not value or value < 50_000_000 else (key, int(value))

    def _unit_rule(self, sheet: Sheet, row: Row) -> str | None:
        """The implied price gives a linkage away; a report gives no quantity to hold against."""
        has_price = sheet.table == "linkages" and isinstance(
            row.cells["contracted_tonnes"], int | float
        )
        return "linkages.unit_price.impossible" if has_price else None

    def wrong_unit_thousand(self, sheet: Sheet, row: Row) -> _Entry | None:
        found = self._money(sheet, row)
        if found is None:
            return None
        wrong = sheet.field_of(found[0]).encode(found[1] * 1000)
        rule = self._unit_rule(sheet, row)
        return self._set(sheet, row, found[0], wrong, kind="wrong_unit_thousand", rule=rule)

    def wrong_unit_million(self, sheet: Sheet, row: Row) -> _Entry | None:
        found = self._money(sheet, row)
        if found is None:
            return None
        key, value = found
        wrong = value // 1_000_000 if sheet.field_of(key).divisor == 1 else value
        rule = self._unit_rule(sheet, row)
        return self._set(sheet, row, key, wrong, kind="wrong_unit_million", rule=rule)

    def billion_text_slip(self, sheet: Sheet, row: Row) -> _Entry | None:
        found = self._money(sheet, row)
        if found is None or found[1] < 500_000_000:
            return None
        words = f"{found[1] / 1e8:.0f} tỷ"
        code = (
            "unit_in_cell" if sheet.field_of(found[0]).divisor == 1_000_000_000 else "unit_differs"
        )
        return self._set(
            sheet,
            row,
            found[0],
            words,
            kind="billion_text_slip",
            rule=f"{sheet.table}.{found[0]}.{code}",
        )

    def _copy(self, sheet: Sheet, row: Row) -> Row:
        copy = Row(dict(row.cells), row.truth)
        at = next(i for i, r in enumerate(sheet.rows) if r is row)
        far = (
            at + 1
            if sheet.merge_key
            else int(self.rng.integers(at + 1, min(len(sheet.rows), at + 40) + 1))
        )
        sheet.rows.insert(far, copy)
        return copy

    def duplicate_row(self, sheet: Sheet, row: Row) -> _Entry | None:
        copy = self._copy(sheet, row)
        return _Entry(
            sheet,
            "duplicate_row",
            copy,
            None,
            None,
            None,
            f"{sheet.table}.duplicate_row",
            has_cell=False,
        )

    def conflicting_duplicate(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = {
            "cooperative_reports": "revenue_vnd",
            "linkages": "contracted_value_vnd",
            "organisations": "vsic_code",
        }[sheet.table]
        value = row.cells.get(key)
        if value is None:
            return None
        copy = self._copy(sheet, row)
        if isinstance(value, str):
            return self._set(
                sheet,
                copy,
                key,
                "0161" if value != "0161" else "0150",
                kind="conflicting_duplicate",
                rule=f"{sheet.table}.duplicate_key",
            )
        other = sheet.field_of(key).encode(round(int(row.truth[key]) * 1.2 / 1e6 + 1) * 1_000_000)
        return self._set(
            sheet,
            copy,
            key,
            other,
            kind="conflicting_duplicate",
            rule=f"{sheet.table}.duplicate_key",
        )

    def misspelt_enterprise(self, sheet: Sheet, row: Row) -> _Entry | None:
        name = row.cells["buyer_name"]
        if not isinstance(name, str) or row.cells["buyer_tax_code"] is None:
            return None
        row.cells["buyer_tax_code"] = None
        wrong = misspell(name, first=int(self.rng.integers(len(_SLIPS))))
        return self._set(
            sheet,
            row,
            "buyer_name",
            wrong,
            kind="misspelt_enterprise",
            rule="linkages.buyer_name.unknown_organisation",
        )

    def name_variant(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = "supplier_name" if sheet.table == "linkages" else "name"
        name = row.cells.get(key)
        if not isinstance(name, str) or not name.startswith("Hợp tác xã"):
            return None
        written = name.replace("Hợp tác xã", "HTX").replace("Nông nghiệp", "NN")
        if self.rng.random() < 0.4:
            written = name.upper()
        return self._set(sheet, row, key, written, kind="name_variant")

    def unknown_organisation(self, sheet: Sheet, row: Row) -> _Entry | None:
        self.absent += 1
        tail = ("Sa", "Khơi", "Lĩnh", "Phố", "Hải", "Kỳ")[self.absent % 6]
        key, name = ("buyer_name", f"Công ty TNHH Nông sản Viễn {tail} {self.absent}")
        code = "buyer_tax_code"
        if sheet.table != "linkages":
            key, code, name = "name", "tax_code", f"Hợp tác xã Viễn {tail} {self.absent}"
        rule = f"{sheet.table}.{key}.unknown_organisation"
        row.cells[code] = None
        return self._set(sheet, row, key, name, kind="unknown_organisation", rule=rule)

    def unknown_commune(self, sheet: Sheet, row: Row) -> _Entry | None:
        if row.cells.get("place_name") is None:
            return None
        name = ("Xã Đăk Viễn Sa", "Phường Bến Khơi", "Xã Ia Viễn")[int(self.rng.integers(3))]
        return self._set(
            sheet,
            row,
            "place_name",
            name,
            kind="unknown_commune",
            rule="organisations.place_name.unknown_place",
        )

    def old_unit_in_new_year(self, sheet: Sheet, row: Row) -> _Entry | None:
        place = row.cells.get("place_name")
        old = [p for p in places() if p.new_name == place]
        new_names = {p.new_name for p in places()}
        gone = [p.old_name for p in old if p.old_name not in new_names] + [
            p.district for p in old[:1]
        ]
        if sheet.period < "2025" or not gone:
            return None
        name = gone[int(self.rng.integers(len(gone)))]
        is_district = name == old[0].district
        code = "unknown_place" if is_district else "of_other_version"
        rule = f"organisations.place_name.{code}"
        return self._set(sheet, row, "place_name", name, kind="old_unit_in_new_year", rule=rule)

    def spelling_variant(self, sheet: Sheet, row: Row) -> _Entry | None:
        place = row.cells.get("place_name")
        if not isinstance(place, str) or sheet.merge_key:
            return None
        for a, b in (
            ("Đăk", "Đắk"),
            ("Ngọk", "Ngọc"),
            ("Hòa", "Hoà"),
            ("Plông", "Plong"),
            ("Sa Thầy", "Sa Thày"),
        ):
            if a in place:
                return self._set(
                    sheet, row, "place_name", place.replace(a, b, 1), kind="spelling_variant"
                )
        return None

    def _tax_key(self, sheet: Sheet) -> str:
        return "buyer_tax_code" if sheet.table == "linkages" else "tax_code"

    def wrong_check_digit(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = self._tax_key(sheet)
        code = row.cells.get(key)
        if not isinstance(code, str):
            return None
        wrong = code[:9] + str((int(code[9]) + 1 + int(self.rng.integers(8))) % 10)
        return self._set(
            sheet,
            row,
            key,
            wrong,
            kind="wrong_check_digit",
            rule=f"{sheet.table}.{key}.tax_code_check_digit",
        )

    def lost_leading_zero(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = self._tax_key(sheet)
        code = row.cells.get(key)
        if not isinstance(code, str) or not code.startswith("0"):
            return None
        wrong: Cell = int(code) if sheet.encoding == "xlsx" else code[1:]
        return self._set(
            sheet,
            row,
            key,
            wrong,
            kind="lost_leading_zero",
            rule=f"{sheet.table}.{key}.tax_code_zero_restored",
        )

    def impossible_date(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = _DATES[sheet.table]
        if row.cells.get(key) is None:
            return None
        year = row.truth[key].year
        wrong = (f"31/11/{year}", f"30/02/{year}", f"31/06/{year}")[int(self.rng.integers(3))]
        return self._set(
            sheet,
            row,
            key,
            wrong,
            kind="impossible_date",
            rule=f"{sheet.table}.{key}.impossible_date",
        )

    def month_text_date(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = _DATES[sheet.table]
        if row.cells.get(key) is None:
            return None
        date = row.truth[key]
        return self._set(
            sheet,
            row,
            key,
            f"tháng {date.month}/{date.year}",
            kind="month_text_date",
            rule=f"{sheet.table}.{key}.month_only",
        )

    def total_not_sum(self, sheet: Sheet, row: Row) -> _Entry | None:
        keys = [
            k
            for k in ("official_members", "revenue_vnd", "households", "area_ha")
            if isinstance(sheet.totals.get(k), int | float)
        ]
        if not keys:
            return None
        key = keys[int(self.rng.integers(len(keys)))]
        true = sheet.totals[key]
        assert isinstance(true, int | float)
        wrong: Cell = true + 50 if isinstance(true, int) else round(true + 50, 6)
        sheet.wrong_totals[key] = wrong
        return _Entry(
            sheet,
            "total_not_sum",
            None,
            key,
            true,
            wrong,
            "total_mismatch",
            is_total=True,
        )

    def members_and_workers_mixed(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = "official_members"
        both = int(row.truth[key]) + int(row.truth["regular_workers"])
        return self._set(
            sheet,
            row,
            key,
            f"{both} thành viên và người lao động",
            kind="members_and_workers_mixed",
            rule=f"{sheet.table}.{key}.unknown_unit",
        )

    def delivered_ten_times(self, sheet: Sheet, row: Row) -> _Entry | None:
        value = row.cells.get("delivered_tonnes")
        if not isinstance(value, int | float) or value <= 0:
            return None
        wrong = value * 10 if isinstance(value, int) else round(value * 10, 6)
        return self._set(
            sheet,
            row,
            "delivered_tonnes",
            wrong,
            kind="delivered_ten_times",
            rule="linkages.delivered.not_above_contracted",
        )

    def no_consumption_stage(self, sheet: Sheet, row: Row) -> _Entry | None:
        wrong = None if sheet.field_of("has_consumption").kind == "mark" else "Không"
        return self._set(
            sheet,
            row,
            "has_consumption",
            wrong,
            kind="no_consumption_stage",
            rule="linkages.has_consumption.required_by_decree",
        )

    def formula_like_text(self, sheet: Sheet, row: Row) -> _Entry | None:
        key = self._filled(row, _COUNTS[sheet.table])
        value = None if key is None else row.cells[key]
        if key is None or not isinstance(value, int | float):
            return None
        return self._set(
            sheet,
            row,
            key,
            f"={value}*1",
            kind="formula_like_text",
            rule=f"{sheet.table}.{key}.formula_text",
        )

    def late_report(self, sheet: Sheet, row: Row) -> _Entry | None:
        late = dt.date(int(sheet.period), 12, 16) + dt.timedelta(days=int(self.rng.integers(3, 60)))
        written = sheet.field_of("reported_on").encode(late)
        return self._set(sheet, row, "reported_on", written, kind="late_report")

    def missing_report(self, sheet: Sheet, row: Row) -> _Entry | None:
        if len(sheet.rows) < 3 or sheet.wrong_totals:
            return None
        sheet.rows[:] = [r for r in sheet.rows if r is not row]
        sheet.compute_totals()
        return _Entry(
            sheet, "missing_report", None, None, row.cells["name"], None, None, has_cell=False
        )


_SLIPS: Final = (
    ("\u0309", "\u0303"),
    ("\u0303", "\u0309"),
    ("\u0302", ""),
    ("\u0306", ""),
    ("\u0323", ""),
    ("D", "Đ"),
)
"""Hỏi for ngã and back, a hat, a breve or a nặng left out, Đ for D."""


def misspell(name: str, *, first: int) -> str:
    """Misspell the last two words of a name as people do, trying the slips from *first* on.

    Examples
    --------
    >>> misspell("Công ty TNHH Chế biến Cát Thảo", first=0)
    'Công ty TNHH Chế biến Cát Thão'
    """
    words = name.split(" ")
    head, tail = " ".join(words[:-2]), unicodedata.normalize("NFD", " ".join(words[-2:]))
    for k in range(len(_SLIPS)):
        old, new = _SLIPS[(first + k) % len(_SLIPS)]
        if old in tail:
            return unicodedata.normalize("NFC", f"{head} {tail.replace(old, new, 1)}")
    return name[:-1]


_KINDS: Final = {
    "cooperative_reports": (
        "missing_report", "late_report", "wrong_unit_thousand", "members_and_workers_mixed", "text_in_number_cell", "billion_text_slip",
        "total_not_sum", "missing_required_value", "impossible_date", "wrong_unit_million", "duplicate_row", "wrong_check_digit",
        "conflicting_duplicate", "formula_like_text", "spelling_variant", "name_variant", "late_report", "missing_report",
    ),
    "organisations": (
        "wrong_check_digit", "unknown_commune", "spelling_variant", "lost_leading_zero", "duplicate_row", "impossible_date",
        "missing_required_value", "old_unit_in_new_year", "month_text_date", "conflicting_duplicate",
    ),
    "linkages": (
        "misspelt_enterprise", "no_consumption_stage", "wrong_unit_thousand", "unknown_organisation", "delivered_ten_times", "month_text_date",
        "duplicate_row", "missing_required_value", "wrong_check_digit", "text_in_number_cell", "misspelt_enterprise", "impossible_date",
        "conflicting_duplicate", "lost_leading_zero", "name_variant", "wrong_unit_million", "formula_like_text", "total_not_sum",
    ),
    "trainings": ("unknown_organisation", "impossible_date", "text_in_number_cell", "missing_required_value"),
    "commendations": ("unknown_organisation", "impossible_date", "missing_required_value"),
}  # fmt: skip


def spoil(sheets: list[Sheet], *, seed: int, share: float) -> list[_Entry]:
    """Spoil about *share* of the rows in place, each row at most once; return what was done.

    The kinds of a table take turns, over all years, so that each of them occurs where the share
    leaves room. Nothing is spoilt where the share is 0.
    """
    entries: list[_Entry] = []
    turn: dict[str, int] = {}
    periods = sorted({s.period for s in sheets})
    for table, kinds in _KINDS.items():
        rng = np.random.default_rng([seed, zlib.crc32(f"mess {table}".encode())])
        spoiler = _Spoiler(rng)
        for period in periods:
            mine = [s for s in sheets if s.table == table and s.period == period]
            pool = [(s, r) for s in mine for r in s.rows]
            queue = [pool[i] for i in rng.permutation(len(pool))]
            totalled: set[int] = set()
            for _ in range(math.ceil(share * len(pool)) if share > 0 else 0):
                for _try in range(len(kinds)):
                    kind = kinds[turn.setdefault(table, 0) % len(kinds)]
                    turn[table] += 1
                    entry = _apply(getattr(spoiler, kind), queue, kind, totalled)
                    if entry is not None:
                        entries.append(entry)
                        break
        for s in (s for s in sheets if s.table == table):
            for i, row in enumerate(s.rows, 1):
                if "stt" in row.cells:
                    row.cells["stt"] = i
    for s in sheets:
        s.compute_totals()
        for key in s.fonts:
            entries.append(
                _Entry(
                    s, "legacy_charset_column", None, key, "Unicode", "TCVN3", None, has_cell=False
                )
            )
    return entries


def _apply(
    method: Callable[[Sheet, Row], _Entry | None],
    queue: list[tuple[Sheet, Row]],
    kind: str,
    totalled: set[int],
) -> _Entry | None:
    """Try the rows in turn until the kind fits one; that row is used up."""
    for i, (sheet, row) in enumerate(queue):
        if kind == "total_not_sum" and id(sheet) in totalled:
            continue
        entry = method(sheet, row)
        if entry is not None:
            if kind == "total_not_sum":
                totalled.add(id(sheet))
            else:
                del queue[i]
            return entry
    return None


def _shown(value: Cell) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def ledger(entries: list[_Entry]) -> pl.DataFrame:
    """Give the entries their final places, in the order of file, sheet, row, column.

    Returns
    -------
    pl.DataFrame
        `MESS_SCHEMA`.
    """
    records: list[dict[str, Any]] = []
    for e in entries:
        row = None
        if e.is_total:
            row = e.sheet.first_data_row + len(e.sheet.rows)
        elif e.row is not None:
            row = e.sheet.first_data_row + next(i for i, r in enumerate(e.sheet.rows) if r is e.row)
        cell = None
        if row is not None and e.column is not None and e.has_cell:
            cell = f"{_letters(e.sheet.column_of(e.column))}{row}"
        records.append(
            {
                "period": e.sheet.period, "table": e.sheet.table, "kind": e.kind, "file": e.sheet.file, "sheet": e.sheet.name,
                "row": row, "cell": cell, "column": e.column, "true_value": _shown(e.true), "written_value": _shown(e.written),
                "what_vi": MESS_KINDS[e.kind].vi, "what_en": MESS_KINDS[e.kind].en, "expected_rule": e.rule, "is_synthetic": True,
            }
        )  # fmt: skip
    records.sort(
        key=lambda r: (
            r["file"],
            r["sheet"],
            r["row"] or 0,
            r["column"] or "",
            r["kind"],
            r["true_value"] or "",
        )
    )
    for i, record in enumerate(records, 1):
        record["mess_id"] = f"m{i:04d}"
    return pl.DataFrame([{k: r[k] for k in MESS_SCHEMA} for r in records], schema=dict(MESS_SCHEMA))


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
