"""One file by itself: read, resolved and checked without the rest of the province.

What belongs here: findings and rows of a single file from a mapping or the template's marker. What does
not: what only the whole shows (an organisation of another register, last year's figures, who is missing).
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import concat_findings, empty_findings, findings
from htx_pipeline.ingest.guard import check_file
from htx_pipeline.ingest.mapping import Mapping, PeriodRule
from htx_pipeline.ingest.read import RAW_EXTRA, SOURCE_FILE_SCHEMA, read_sources
from htx_pipeline.ingest.sheet_columns import locate_columns
from htx_pipeline.ingest.template import recognise
from htx_pipeline.ingest.template_form import FEEDBACK_SHEETS
from htx_pipeline.ingest.workbook import Workbook, open_workbook
from htx_pipeline.reference.products import products
from htx_pipeline.schemas import TABLES

_PARTIES: Final = {
    "cooperative_reports": (("tax_code", "name"),), "trainings": (("tax_code", "name"),), "commendations": (("tax_code", "name"),),
    "linkages": (("supplier_tax_code", "supplier_name"), ("buyer_tax_code", "buyer_name")),
}  # fmt: skip


@dataclass(frozen=True)
class Alone:
    """A file checked by itself.

    Attributes
    ----------
    period:
        The reporting year it was read for.
    findings:
        `htx_pipeline.findings.FINDING_SCHEMA`.
    rows:
        Canonical table → rows as read.
    places:
        (sheet, canonical column) → column of the sheet.
    mappings:
        What read it.
    """

    period: str
    findings: pl.DataFrame
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    mappings: tuple[Mapping, ...] = ()


def check_alone(
    path: Path,
    *,
    mappings: Sequence[Mapping] = (),
    period: str | None = None,
    organisations: pl.DataFrame | None = None,
    province: str | None = None,
) -> Alone:
    """Read and check one file.

    Parameters
    ----------
    path:
        The file; only read.
    mappings:
        What reads it; not needed for a filled template of ours.
    period:
        Reporting year; not needed where template or mapping states one.
    organisations:
        ``core/organisations`` of the period. Without it, whether an organisation is registered is not
        judged.
    province:
        As in `resolve_table`.

    Raises
    ------
    InputError
        No mapping reads the file and it is no template of ours; no reporting year is known.
        A file that cannot be opened is no error: it has one critical finding.
    """
    try:
        info = check_file(path)
        book = open_workbook(path)
    except InputError as exc:
        return Alone(period or "", _refusal(path.name, exc))
    known = recognise(book)
    if known is not None and not mappings:
        if known.error is not None or known.mapping is None:
            error = known.error or InputError("The template is not known.", code="template_damaged")
            stated = known.mapping.period.constants[0] if known.mapping is not None else ""
            return Alone(period or stated, _refusal(path.name, error))
        mappings = [known.mapping]
    if not mappings:
        raise InputError(
            "Nothing says how to read this file.", where=path.name,
            why="it is no template of ours, and no mapping was given", remedy="Name a mapping (--mapping FILE.toml), or the data folder of a run that read it.",
            what_vi="Chưa có khai báo cách đọc tệp này.", remedy_vi="Chỉ ra tệp ánh xạ nguồn (--mapping).", code="mapping_missing",
        )  # fmt: skip
    mine = tuple(_for_one_file(m, path.name, period) for m in mappings)
    year = period or next(
        (m.period.constants[0] for m in mine if len(m.period.constants) == 1), None
    )
    if year is None:
        raise InputError(
            "The reporting year of the file is not known.", where=path.name, remedy="Name it with --period.",
            what_vi="Chưa biết kỳ báo cáo của tệp.", remedy_vi="Nhập kỳ báo cáo bằng --period.", code="period_missing",
        )  # fmt: skip
    source_files = pl.DataFrame(
        [
            {**dict.fromkeys(SOURCE_FILE_SCHEMA), "mapping_id": m.id, "table": m.table, "source_file": path.name, "sha256": info.sha256,
             "bytes": info.size, "kind": info.kind, "is_synthetic": m.is_synthetic, "is_usable": True}
            for m in mine
        ],
        schema=SOURCE_FILE_SCHEMA,
    )  # fmt: skip
    found: list[pl.DataFrame] = []
    rows: dict[str, pl.DataFrame] = {}
    for table in (t for t in TABLES if any(m.table == t for m in mine)):
        read = read_sources(table, mine, source_files, input_dir=path.parent, period=year)
        rows[table] = read.rows
        found.append(
            _settled(
                table,
                read.rows,
                read.findings,
                period=year,
                organisations=organisations,
                province=province,
            )
            if read.rows.height
            else read.findings
        )
    return Alone(
        year, concat_findings(found).unique(maintain_order=True), rows, _places(book, mine), mine
    )


def _refusal(name: str, exc: InputError) -> pl.DataFrame:
    return findings(
        [
            {
                "rule_id": f"file.{exc.code}", "severity": "critical", "source_file": name, "reason_vi": exc.what_vi or exc.what,
                "reason_en": " ".join(x for x in (exc.what, exc.why) if x), "remedy_vi": exc.remedy_vi or exc.remedy, "remedy_en": exc.remedy,
            }
        ]
    )  # fmt: skip


def _for_one_file(mapping: Mapping, name: str, period: str | None) -> Mapping:
    """Return the mapping for this file alone; a year in the folder's name is replaced by *period*."""
    by_path = mapping.period.path_pattern is not None
    if by_path and period is not None:
        return mapping.model_copy(update={"period": PeriodRule(constant=period), "files": (name,)})
    return mapping.model_copy(update={"files": (name,)})


def _places(book: Workbook, mappings: Sequence[Mapping]) -> dict[tuple[str, str], int]:
    places: dict[tuple[str, str], int] = {}
    for sheet in (s for s in book.sheets if s.name not in FEEDBACK_SHEETS):
        for mapping in mappings:
            for column, at in locate_columns(sheet, mapping).columns.items():
                places.setdefault(("csv" if sheet.is_text else sheet.name, column), at)
    return places


def _settled(
    table: str,
    rows: pl.DataFrame,
    reader_findings: pl.DataFrame,
    *,
    period: str,
    organisations: pl.DataFrame | None,
    province: str | None,
) -> pl.DataFrame:
    """Return the findings of one table's rows after resolving and validating them."""
    from htx_pipeline.resolve.tables import resolve_table
    from htx_pipeline.validation.publish import settle
    from htx_pipeline.validation.suites import load_suite

    is_register_known = organisations is not None
    if organisations is None and table in _PARTIES:
        organisations = _parties(table, rows, period, province)
    resolved = resolve_table(
        table, rows, period=period, organisations=organisations, province=province
    )
    suite = load_suite(_suites() / f"{table}.json")
    references: dict[str, pl.Series | pl.DataFrame] = {"reference:products": products()["code"]}
    if organisations is not None:
        references["organisations.org_id"] = organisations["org_id"]
    if not is_register_known:
        suite = dataclasses.replace(
            suite,
            rules=tuple(
                r for r in suite.rules if r.kwargs.get("reference") != "organisations.org_id"
            ),
        )
    done = settle(
        resolved,
        suite,
        rows_read=rows.height,
        reader_findings=reader_findings,
        references=references,
    )
    found = done.findings
    if not is_register_known:
        found = found.filter(~pl.col("rule_id").str.ends_with(".unknown_organisation"))
    return found if found.height else empty_findings()


def _parties(table: str, rows: pl.DataFrame, period: str, province: str | None) -> pl.DataFrame:
    """Return the organisations that a file names, as if they were its register."""
    from htx_pipeline.resolve.tables import resolve_table

    parts = [
        rows.select(
            "period", "source_id", "source_file", "source_sheet", "source_row", *RAW_EXTRA,
            pl.col(tax).alias("tax_code"), pl.col(name).alias("name"), pl.lit("other").alias("legal_type"),
        ).with_columns(is_party_list=pl.lit(value=True))
        for tax, name in _PARTIES[table]
    ]  # fmt: skip
    schema = {**TABLES["organisations"].schema, **RAW_EXTRA}
    named = pl.concat(parts).filter(pl.col("name").is_not_null())
    raw = named.select(
        [
            (pl.col(c) if c in named.columns else pl.lit(None)).cast(t).alias(c)
            for c, t in schema.items()
        ]
    )
    return resolve_table("organisations", raw, period=period, province=province).rows


def _suites() -> Path:
    spec = importlib.util.find_spec("expectations")
    if spec is None or spec.origin is None:
        raise InputError(
            "The rule suites are not installed.",
            where="expectations",
            remedy="Install the project again.",
            code="suite_missing",
        )
    return Path(spec.origin).parent
