"""Who is who: one row per organisation and period, from every source that names it.

What belongs here: ids, places and merging of organisations, and finding the organisation that a
report or a linkage names. What does not: guessing. A name that matches no organisation, or more than
one, stays unresolved and is rejected by a rule, with the nearest name as a hint.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

import polars as pl

from htx_pipeline.findings import concat_findings, findings_from_rows
from htx_pipeline.ingest.names import fold, fold_org
from htx_pipeline.resolve.duplicates import SOURCE_ORDER, split_duplicates
from htx_pipeline.resolve.ids import content_ids
from htx_pipeline.resolve.tax_codes import parse_tax_codes
from htx_pipeline.schemas import TABLES

UNRESOLVED: Final = "?"
"""First character of an id that names no organisation; the written name follows."""

AS_WRITTEN: Final = "as_written"
"""`admin_version` of a source whose places are not Vietnamese administrative units."""

_ROLE_OF_TYPE: Final = {
    "htx": "cooperative",
    "lhhtx": "cooperative",
    "tht": "farmer",
    "household_business": "individual",
    "enterprise": "enterprise",
    "other": "other",
}


@dataclass(frozen=True)
class Resolved:
    """Rows ready for validation, rows set aside, what was found, and rows merged by rule."""

    rows: pl.DataFrame
    rejected: pl.DataFrame
    findings: pl.DataFrame
    merged: int = 0


def nd98_role(legal_type: pl.Expr) -> pl.Expr:
    """Return the decree's actor group of a legal type (NĐ 98/2018 Art. 2: THT counts as farmers).

    Examples
    --------
    >>> pl.select(nd98_role(pl.lit("tht"))).item()
    'farmer'
    """
    return legal_type.replace_strict(_ROLE_OF_TYPE, default=None, return_dtype=pl.String)


def organisation_ids(frame: pl.DataFrame) -> pl.Series:
    """Return the id of each row: the tax code where it is valid, else a hash of folded name and locality.

    Expects ``valid_tax_code``, ``name`` and ``locality``.
    """
    named = frame.select(
        _name=fold(frame["name"]).fill_null(""),
        _place=fold(frame["locality"]).fill_null(""),
    )
    hashed = content_ids(named, ["_name", "_place"], prefix="n")
    return frame["valid_tax_code"].zip_with(frame["valid_tax_code"].is_not_null(), hashed)


def _merge_sources(frame: pl.DataFrame, content: list[str]) -> tuple[pl.DataFrame, int]:
    """Fold rows of one id into one: the highest priority first, its nulls filled from the others."""
    ordered = frame.sort(
        ["org_id", "is_party_list", "source_priority", *SOURCE_ORDER],
        descending=[False, False, True, False, False, False, False],
        nulls_last=True,
    )
    first = [c for c in ordered.columns if c not in content and c != "org_id"]
    merged = ordered.group_by("org_id", maintain_order=True).agg(
        *(pl.col(c).drop_nulls().first() for c in content),
        *(pl.col(c).first() for c in first),
    )
    return merged.select(frame.columns), frame.height - merged.height


def resolve_organisations(rows: pl.DataFrame) -> Resolved:
    """Give organisations ids and roles, set duplicates aside, and merge the sources.

    Parameters
    ----------
    rows:
        ``raw/organisations`` after `resolve.places.with_places`: the table's columns,
        ``mapping_id``, ``source_priority`` and ``is_party_list``.

    Returns
    -------
    Resolved
        One row per organisation. Rows of a register that repeat a key of the same register are
        rejected; rows of a party list that name a known organisation again are merged and counted.
    """
    table = TABLES["organisations"]
    tax = parse_tax_codes(rows["tax_code"])
    rows = rows.with_columns(
        tax_code=tax.values,
        valid_tax_code=tax.values.zip_with(tax.is_valid, pl.Series([None], dtype=pl.String)),
        nd98_role=nd98_role(pl.col("legal_type")),
        is_registered=~pl.col("is_party_list"),
    )
    rows = rows.with_columns(org_id=organisation_ids(rows))
    content = [
        c.name for c in table.own_columns if c.name not in {"org_id", "is_registered"}
    ]
    unnamed = rows.filter(pl.col("name").is_null())
    named = rows.filter(pl.col("name").is_not_null())
    kept, rejected, found = [], [], []
    for _, group in named.sort("mapping_id").group_by("mapping_id", maintain_order=True):
        if group["is_party_list"][0]:
            kept.append(group)
            continue
        good, doubled, doubts = split_duplicates(
            group, table="organisations", key=["org_id"], content=content
        )
        kept.append(good)
        rejected.append(doubled)
        found.append(doubts)
    stacked = pl.concat(kept) if kept else named
    merged, n_merged = _merge_sources(stacked, content)
    return Resolved(
        rows=pl.concat([merged, unnamed]).drop("valid_tax_code"),
        rejected=pl.concat(rejected).drop("valid_tax_code") if rejected else rows.clear().drop("valid_tax_code"),
        findings=concat_findings([*found, tax_findings(rows, tax.notes, column="tax_code", table="organisations")]),
        merged=n_merged,
    )  # fmt: skip


def tax_findings(rows: pl.DataFrame, notes: pl.DataFrame, *, column: str, table: str) -> pl.DataFrame:
    """Turn the notes of `parse_tax_codes` into findings of *table*."""
    from htx_pipeline.ingest.value_notes import NOTE_CODES

    if notes.is_empty():
        return concat_findings([])
    at = rows.with_row_index("index").join(notes, on="index", how="inner")
    parts = []
    for (code,), group in at.sort("code", "index").group_by("code", maintain_order=True):
        known = NOTE_CODES[str(code)]
        parts.append(
            findings_from_rows(
                group, table=table, rule_id=f"{table}.{column}.{code}",
                severity="warning" if known.severity == "error" else known.severity, column=column,
                reason_vi=pl.col("detail_vi"), reason_en=pl.col("detail_en"),
                remedy_vi=known.remedy_vi, remedy_en=known.remedy_en, raw_value=pl.col(column),
            )
        )  # fmt: skip
    return concat_findings(parts)


@dataclass(frozen=True)
class _Directory:
    """Organisations by tax code and by folded names; a name of several organisations is absent."""

    by_tax: dict[str, str]
    by_name: dict[str, str]
    by_core: dict[str, str]
    ambiguous: frozenset[str]
    names: tuple[str, ...]


def _unique(keys: pl.Series, ids: pl.Series) -> tuple[dict[str, str], set[str]]:
    pairs = pl.DataFrame({"key": keys, "id": ids}).drop_nulls().filter(pl.col("key") != "").unique().sort("key", "id")
    counted = pairs.group_by("key", maintain_order=True).agg(pl.col("id").first(), n=pl.len())
    single = counted.filter(pl.col("n") == 1)
    return dict(zip(single["key"], single["id"], strict=True)), set(counted.filter(pl.col("n") > 1)["key"])


def _directory(organisations: pl.DataFrame) -> _Directory:
    ids = organisations["org_id"]
    by_tax, _ = _unique(organisations["tax_code"], ids)
    names = pl.concat([organisations["name"], organisations["short_name"]])
    twice = pl.concat([ids, ids])
    by_name, many = _unique(fold(names), twice)
    by_core, many_core = _unique(fold_org(names), twice)
    return _Directory(by_tax, by_name, by_core, frozenset(many | many_core), tuple(sorted(set(organisations["name"].drop_nulls()))))


def find_organisations(
    rows: pl.DataFrame, organisations: pl.DataFrame, *, tax_code: str, name: str, into: str, table: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill column *into* with the id of the organisation that each row names.

    The tax code decides where it is valid and known; then the full folded name; then the name without
    its legal form. A name that fits none or several gets ``?`` and the name as written, which no
    organisation has, so that the reference rule rejects the row.

    Returns
    -------
    rows, findings
        Findings name the nearest organisation, or say that the name fits several.
    """
    if rows.is_empty():
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias(into)), concat_findings([])
    book = _directory(organisations)
    tax = parse_tax_codes(rows[tax_code])
    keyed = rows.with_columns(
        _tax=tax.values.replace_strict(book.by_tax, default=None, return_dtype=pl.String),
        _full=fold(rows[name]),
        _core=fold_org(rows[name]),
    ).with_columns(
        _by_name=pl.col("_full").replace_strict(book.by_name, default=None, return_dtype=pl.String),
        _by_core=pl.col("_core").replace_strict(book.by_core, default=None, return_dtype=pl.String),
    )
    found = keyed.with_columns(pl.coalesce("_tax", "_by_name", "_by_core", pl.lit(UNRESOLVED) + pl.col(name)).alias(into))
    unknown = found.filter(pl.col(into).str.starts_with(UNRESOLVED))
    several = unknown.filter(pl.col("_full").is_in(book.ambiguous) | pl.col("_core").is_in(book.ambiguous))
    nearest = _nearest_names(unknown, several, book, name)
    drop = ["_tax", "_full", "_core", "_by_name", "_by_core"]
    by_core_only = found.filter(pl.col("_tax").is_null() & pl.col("_by_name").is_null() & pl.col("_by_core").is_not_null())
    label = TABLES[table][name].label_vi
    findings = concat_findings(
        [
            tax_findings(rows, tax.notes, column=tax_code, table=table),
            findings_from_rows(
                several, table=table, rule_id=f"{table}.{name}.several_organisations", severity="error", column=name,
                reason_vi=pl.format("«{}» trùng với nhiều tổ chức trong danh bạ.", pl.col(name)),
                reason_en=pl.format("“{}” fits several organisations.", pl.col(name)),
                remedy_vi="Ghi mã số thuế để xác định đúng tổ chức.", remedy_en="Give the tax code.",
                raw_value=pl.col(name),
            ),
            findings_from_rows(
                nearest, table=table, rule_id=f"{table}.{name}.unknown_organisation", severity="error", column=name,
                reason_vi=pl.format("{} «{}» không có trong danh bạ.", pl.lit(label), pl.col(name)),
                reason_en=pl.format("“{}” is not a known organisation.", pl.col(name)),
                remedy_vi=pl.col("_hint_vi"), remedy_en=pl.col("_hint_en"), raw_value=pl.col(name),
            ),
            findings_from_rows(
                by_core_only, table=table, rule_id=f"{table}.{name}.matched_without_legal_form", severity="info", column=name,
                reason_vi=pl.format("Nhận ra «{}» khi bỏ qua loại hình pháp lý trong tên.", pl.col(name)),
                reason_en=pl.format("“{}” was matched without the legal form in its name.", pl.col(name)),
                remedy_vi="Ghi mã số thuế hoặc đúng tên đăng ký.", remedy_en="Give the tax code or the registered name.",
                raw_value=pl.col(name),
            ),
        ]
    )  # fmt: skip
    return found.drop(drop), findings


def _nearest_names(unknown: pl.DataFrame, several: pl.DataFrame, book: _Directory, name: str) -> pl.DataFrame:
    """Add a hint with the nearest known name to each unknown row (null names get a plain hint)."""
    rest = unknown.join(several.select("source_id"), on="source_id", how="anti", maintain_order="left")
    hints: dict[str, tuple[str, str]] = {}
    for written in sorted(set(rest[name].drop_nulls())):
        close = difflib.get_close_matches(written, book.names, n=1, cutoff=0.75)
        hints[written] = (
            (f"Gần nhất trong danh bạ: «{close[0]}». Sửa tên hoặc ghi mã số thuế.", f"Nearest known: “{close[0]}”. Correct the name or give the tax code.")
            if close
            else ("Bổ sung tổ chức vào danh bạ, hoặc ghi mã số thuế.", "Add the organisation to the register, or give the tax code.")
        )  # fmt: skip
    vi = {k: v[0] for k, v in hints.items()}
    en = {k: v[1] for k, v in hints.items()}
    return rest.with_columns(
        _hint_vi=pl.col(name).replace_strict(vi, default=None, return_dtype=pl.String),
        _hint_en=pl.col(name).replace_strict(en, default=None, return_dtype=pl.String),
    )
