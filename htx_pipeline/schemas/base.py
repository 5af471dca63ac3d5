"""What a table is: columns with unit and labels in two languages, a key, and rules in plain words.

What belongs here: the small vocabulary (`Code`, `Column`, `Table`) that every module in `schemas/`
is written in, and what follows from it without judgement (Polars schema, structural rules).
What does not: business rules, which are hand-written in `expectations/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One allowed value of a coded column, with its labels."""

    code: str
    label_vi: str
    label_en: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a canonical table.

    Parameters
    ----------
    name:
        Column name; a unit is part of it (``revenue_vnd``, ``area_ha``).
    dtype:
        Polars type.
    label_vi, label_en:
        Heading in reports, templates and docs.
    description:
        What it means, in one sentence.
    unit:
        ``VND``, ``ha``, ``tonnes``, ``person``, ``organisation``, ``share``, ``point`` or None.
    required:
        A row without it is rejected.
    codes:
        The allowed values.
    references:
        ``table.column`` that must hold the value (same period), or ``reference:NAME`` for a code list.
    pattern, minimum, maximum, max_length:
        Structural limits; a row outside them is rejected, or flagged where ``limit_action`` is "flag".
    asked:
        Whether a template asks the sender for it (derived columns are not asked).
    aliases:
        Headings under which senders are known to write it.
    source:
        Law article or form the column comes from.
    meaning_vi, example:
        What a template says to the person who fills the column in, and what to write there; money in
        million đồng. Empty for what is not asked, an empty example where there is none to give.
    """

    name: str
    dtype: pl.DataType
    label_vi: str
    label_en: str
    description: str
    unit: str | None = None
    required: bool = False
    codes: tuple[Code, ...] = ()
    references: str | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    limit_action: str = "reject"
    asked: bool = True
    aliases: tuple[str, ...] = ()
    source: str = ""
    meaning_vi: str = ""
    example: str = ""

    def code_labels(self, language: str = "vi") -> dict[str, str]:
        """Return code → label in the given language ("vi" or "en")."""
        return {c.code: c.label_vi if language == "vi" else c.label_en for c in self.codes}


PERIOD: Final = Column(
    name="period",
    dtype=pl.String(),
    label_vi="Kỳ báo cáo",
    label_en="Reporting year",
    description="The reporting year: 15 December of the year before to 14 December of this year.",
    required=True,
    pattern=r"^\d{4}$",
    asked=False,
    source="Thông tư 09/2024/TT-BKHĐT",
)

PROVENANCE: Final = (
    Column(
        name="source_id",
        dtype=pl.String(),
        label_vi="Mã nguồn",
        label_en="Source id",
        description="First 16 hex digits of the file's SHA-256, the sheet and the row: hash:sheet:row.",
        required=True,
        asked=False,
    ),
    Column(
        name="source_file",
        dtype=pl.String(),
        label_vi="Tệp nguồn",
        label_en="Source file",
        description="Name of the file the row was read from.",
        required=True,
        asked=False,
    ),
    Column(
        name="source_sheet",
        dtype=pl.String(),
        label_vi="Trang tính nguồn",
        label_en="Source sheet",
        description="Sheet the row was read from; 'csv' for a text file.",
        required=True,
        asked=False,
    ),
    Column(
        name="source_row",
        dtype=pl.Int64(),
        label_vi="Dòng nguồn",
        label_en="Source row",
        description="Row number in the sheet as the sender sees it, counted from 1.",
        required=True,
        minimum=1,
        asked=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One canonical table.

    Parameters
    ----------
    name:
        Plural of its grain; also the asset name and the file name.
    label_vi, label_en, description:
        For readers.
    grain:
        What one row is.
    key:
        Columns that together are unique.
    columns:
        In order; ``period`` and the provenance columns are added to every table.
    warning:
        What not to do with the table.
    template:
        Name under which ``htx template`` issues it, or None.
    source:
        Law or form.
    """

    name: str
    label_vi: str
    label_en: str
    description: str
    grain: str
    key: tuple[str, ...]
    own_columns: tuple[Column, ...]
    warning: str = ""
    template: str | None = None
    source: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return period, the table's own columns, and the provenance columns."""
        return (PERIOD, *self.own_columns, *PROVENANCE)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return the Polars schema, in column order."""
        return {c.name: c.dtype for c in self.columns}

    def __getitem__(self, name: str) -> Column:
        """Return the column called *name*."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def __contains__(self, name: object) -> bool:
        """Return whether the table has a column called *name*."""
        return any(c.name == name for c in self.columns)

    def __iter__(self) -> Iterator[Column]:
        """Iterate over the columns."""
        return iter(self.columns)

    def empty(self) -> pl.DataFrame:
        """Return a frame with the table's schema and no rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Select the table's columns in order, cast them, add absent ones as null.

        Raises
        ------
        InputError
            When a column cannot be cast without loss.
        """
        exprs = [
            (pl.col(c.name) if c.name in frame.columns else pl.lit(None))
            .cast(c.dtype)
            .alias(c.name)
            for c in self.columns
        ]
        try:
            return frame.select(exprs)
        except pl.exceptions.InvalidOperationError as exc:
            raise InputError(
                f"A column of {self.name} has values that do not fit its type.",
                where=self.name,
                why=str(exc).splitlines()[0],
                remedy="Check the source mapping: unit, number convention, and which column it names.",
                code="column_type",
            ) from exc


def _rule(
    table: Table,
    kind: str,
    column: str,
    expectation: str,
    kwargs: Mapping[str, Any],
    *,
    action: str,
    texts: tuple[str, str, str, str],
    source: str = "",
) -> dict[str, Any]:
    severity = {"stop": "critical", "reject": "warning", "flag": "info"}[action]
    reason_vi, reason_en, remedy_vi, remedy_en = texts
    return {
        "type": expectation,
        "kwargs": dict(kwargs),
        "severity": severity,
        "meta": {
            "rule_id": f"{table.name}.{column}.{kind}",
            "action": action,
            "generated": True,
            "reason_vi": reason_vi,
            "reason_en": reason_en,
            "remedy_vi": remedy_vi,
            "remedy_en": remedy_en,
            "source": source,
        },
    }


def structural_rules(table: Table) -> list[dict[str, Any]]:
    """Return the rules that follow from the schema, as Great Expectations JSON objects.

    Required columns, code lists, patterns, limits, references (rows rejected or flagged), and the
    unique key (critical: a table with a broken key is not published). Rows that lack a part of their key
    are rejected for that and cannot break it.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> rules = structural_rules(TABLES["linkages"])
    >>> rules[0]["meta"]["rule_id"]
    'linkages.key.unique'
    """
    key_vi = ", ".join(table[k].label_vi for k in table.key)
    key_en = ", ".join(table[k].label_en for k in table.key)
    rules = [
        _rule(
            table,
            "unique",
            "key",
            "expect_compound_columns_to_be_unique",
            {
                "column_list": list(table.key) if len(table.key) > 1 else [*table.key, "period"],
                "ignore_row_if": "any_value_is_missing",
            },
            action="stop",
            texts=(
                f"Trùng khóa ({key_vi}) sau khi đã xử lý trùng lặp.",
                f"Duplicate key ({key_en}) after duplicates were resolved.",
                "Báo người quản trị hệ thống: bước xử lý trùng lặp có lỗi.",
                "Tell the maintainer: duplicate resolution failed.",
            ),
        )
    ]
    for c in table.columns:
        vi, en = c.label_vi, c.label_en
        if c.required:
            rules.append(
                _rule(
                    table, "required", c.name, "expect_column_values_to_not_be_null", {"column": c.name},
                    action="reject",
                    texts=(
                        f"Thiếu «{vi}» hoặc không đọc được giá trị.",
                        f"{en} is missing or could not be read.",
                        f"Điền «{vi}» vào ô để trống rồi gửi lại.",
                        f"Fill in {en} and send the file again.",
                    ),
                    source=c.source,
                )
            )  # fmt: skip
        if c.codes:
            allowed_vi = ", ".join(x.label_vi for x in c.codes)
            allowed_en = ", ".join(x.code for x in c.codes)
            rules.append(
                _rule(
                    table, "code", c.name, "expect_column_values_to_be_in_set",
                    {"column": c.name, "value_set": [x.code for x in c.codes]},
                    action="reject",
                    texts=(
                        f"«{vi}» không thuộc danh mục: {{value}}.",
                        f"{en} is not an allowed code: {{value}}.",
                        f"Chọn một trong: {allowed_vi}.",
                        f"Use one of: {allowed_en}.",
                    ),
                    source=c.source,
                )
            )  # fmt: skip
        if c.pattern:
            rules.append(
                _rule(
                    table, "pattern", c.name, "expect_column_values_to_match_regex",
                    {"column": c.name, "regex": c.pattern},
                    action=c.limit_action,
                    texts=(
                        f"«{vi}» không đúng định dạng: {{value}}.",
                        f"{en} does not have the required form: {{value}}.",
                        f"Sửa «{vi}» theo đúng định dạng.",
                        f"Correct {en}.",
                    ),
                    source=c.source,
                )
            )  # fmt: skip
        if c.max_length is not None:
            rules.append(
                _rule(
                    table, "length", c.name, "expect_column_value_lengths_to_be_between",
                    {"column": c.name, "min_value": 1, "max_value": c.max_length},
                    action=c.limit_action,
                    texts=(
                        f"«{vi}» quá dài (tối đa {c.max_length} ký tự).",
                        f"{en} is too long (at most {c.max_length} characters).",
                        f"Rút gọn «{vi}».",
                        f"Shorten {en}.",
                    ),
                )
            )  # fmt: skip
        if c.minimum is not None or c.maximum is not None:
            limits = {"column": c.name, "min_value": c.minimum, "max_value": c.maximum}
            low = "" if c.minimum is None else f"{c.minimum:g}"
            high = "" if c.maximum is None else f"{c.maximum:g}"
            span_vi = (
                f"từ {low} đến {high}"
                if low and high
                else (f"từ {low} trở lên" if low else f"không quá {high}")
            )
            span_en = (
                f"from {low} to {high}"
                if low and high
                else (f"at least {low}" if low else f"at most {high}")
            )
            rules.append(
                _rule(
                    table, "range", c.name, "expect_column_values_to_be_between",
                    {k: v for k, v in limits.items() if v is not None},
                    action=c.limit_action,
                    texts=(
                        f"«{vi}» ngoài giới hạn ({span_vi}): {{value}}.",
                        f"{en} is out of range ({span_en}): {{value}}.",
                        f"Kiểm tra số liệu và đơn vị tính của «{vi}».",
                        f"Check the number and the unit of {en}.",
                    ),
                    source=c.source,
                )
            )  # fmt: skip
        if c.references:
            rules.append(
                _rule(
                    table, "reference", c.name, "expect_column_values_to_exist_in_reference",
                    {"column": c.name, "reference": c.references},
                    action="reject",
                    texts=(
                        f"«{vi}» không có trong danh mục ({c.references}): {{value}}.",
                        f"{en} is not known in {c.references}: {{value}}.",
                        f"Kiểm tra lại «{vi}», hoặc bổ sung vào danh mục trước khi gửi lại.",
                        f"Check {en}, or add it to {c.references} first.",
                    ),
                    source=c.source,
                )
            )  # fmt: skip
    return rules
