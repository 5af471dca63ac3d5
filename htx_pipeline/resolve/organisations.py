"""Who is who: one row per organisation and period, from every source that names it.

What belongs here: ids, places and merging of organisations, and finding the organisation that a
report or a linkage names. What does not: guessing. A name that matches no organisation, or more than
one, stays unresolved and is rejected by a rule, with the nearest name as a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl
from rapidfuzz import fuzz, process

from htx_pipeline.findings import concat_findings, findings_from_rows
from htx_pipeline.ingest.names import fold, fold_org
from htx_pipeline.reference.thresholds import own_choice
from htx_pipeline.resolve.duplicates import SOURCE_ORDER, split_duplicates
from htx_pipeline.resolve.ids import content_ids
from htx_pipeline.resolve.tax_codes import parse_tax_codes
from htx_pipeline.schemas import TABLES

UNRESOLVED: Final = "?"
"""First character of an id that names no organisation; the written name follows."""

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
    """Return the id of each row.

    The tax code where it is valid; else a hash of the register number; else of the folded name and
    locality, or, for a party of a linkage, of the folded name alone, as that is all a linkage gives.
    Expects ``valid_tax_code``, ``register_number``, ``name``, ``locality`` and ``is_party_list``.
    """
    named = frame.select(
        _name=fold(frame["name"]).fill_null(""),
        _place=pl.when("is_party_list")
        .then(pl.lit(""))
        .otherwise(fold(frame["locality"]).fill_null("")),
    )
    by_name = content_ids(named, ["_name", "_place"], prefix="n")
    by_number = content_ids(frame, ["register_number"], prefix="r").set(
        frame["register_number"].is_null(), None
    )
    keyed = pl.DataFrame({"tax": frame["valid_tax_code"], "number": by_number, "name": by_name})
    return keyed.select(pl.coalesce("tax", "number", "name")).to_series()


def _merge_sources(frame: pl.DataFrame, content: list[str]) -> tuple[pl.DataFrame, int]:
    """Fold rows of one id into one: the highest priority first, its nulls filled from the others."""
    ordered = frame.sort(
        ["org_id", "is_party_list", "source_priority", *SOURCE_ORDER],
        descending=[False, False, True, False, False, False, False],
        nulls_last=True,
    )
    first = [c for c in ordered.columns if c not in content and c != "org_id"]
    names = (
        pl.concat(
            [ordered.select("org_id", written=c) for c in ("name", "short_name", "other_names")]
        )
        .drop_nulls()
        .unique()
        .sort("org_id", "written")
    )
    merged = ordered.group_by("org_id", maintain_order=True).agg(
        *(pl.col(c).drop_nulls().first() for c in content),
        *(pl.col(c).first() for c in first),
    )
    others = (
        names.join(
            merged.select("org_id", "name", "short_name"), on="org_id", maintain_order="left"
        )
        .filter(
            ~pl.col("written").eq_missing(pl.col("name"))
            & ~pl.col("written").eq_missing(pl.col("short_name"))
        )
        .group_by("org_id", maintain_order=True)
        .agg(other_names=pl.col("written").str.join("; "))
    )
    merged = merged.drop("other_names").join(others, on="org_id", how="left", maintain_order="left")
    return merged.select(frame.columns), frame.height - merged.height


def _match_parties(
    parties: pl.DataFrame, register: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give a party the id of the one registered organisation that bears its name or short name."""
    if parties.is_empty() or register.is_empty():
        return parties, concat_findings([])
    book = _directory(register)
    short = parties["short_name"].set(
        (parties["short_name"].str.len_chars() < own_choice("short_name")).fill_null(value=True),
        None,
    )

    def looked_up(keys: pl.Series, table: dict[str, str]) -> pl.Series:
        return keys.replace_strict(table, default=None, return_dtype=pl.String)

    hits = parties.with_columns(
        _hit=pl.DataFrame(
            {
                "name": looked_up(fold(parties["name"]), book.by_name),
                "short": looked_up(fold(short), book.by_name),
                "core": looked_up(fold_org(parties["name"]), book.by_core),
                "short_core": looked_up(fold_org(short), book.by_core),
            }
        ).select(pl.coalesce(pl.all())).to_series()
    )  # fmt: skip
    hits = hits.with_columns(_hit=pl.when(pl.col("valid_tax_code").is_null()).then("_hit"))
    matched = hits.filter(pl.col("_hit").is_not_null() & (pl.col("_hit") != pl.col("org_id")))
    found = findings_from_rows(
        matched.unique("org_id", keep="first", maintain_order=True),
        table="organisations", rule_id="organisations.name.matched_to_register", severity="info", column="name",
        reason_vi=pl.format("«{}» được nhận là tổ chức có trong danh bạ theo tên hoặc tên viết tắt.", pl.col("name")),
        reason_en=pl.format("“{}” was taken for a registered organisation by its name or short name.", pl.col("name")),
        remedy_vi="Ghi mã số thuế để xác định chắc chắn.", remedy_en="Give the tax code to be certain.",
        raw_value=pl.col("name"),
    )  # fmt: skip
    return hits.with_columns(org_id=pl.coalesce("_hit", "org_id")).drop("_hit"), found


def resolve_organisations(rows: pl.DataFrame) -> Resolved:
    """Give organisations ids and roles, set duplicates aside, and merge the sources.

    Parameters
    ----------
    rows:
        ``raw/organisations`` with places filled in: the table's columns, ``mapping_id``,
        ``source_priority`` and ``is_party_list``.

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
        valid_tax_code=tax.values.set(~tax.is_valid.fill_null(value=False), None),
        nd98_role=nd98_role(pl.col("legal_type")),
        is_registered=~pl.col("is_party_list"),
    )
    rows = rows.with_columns(org_id=organisation_ids(rows))
    content = [c.name for c in table.own_columns if c.name not in {"org_id", "is_registered"}]
    unnamed = rows.filter(pl.col("name").is_null())
    named = rows.filter(pl.col("name").is_not_null())
    kept: list[pl.DataFrame] = [named.clear()]
    rejected: list[pl.DataFrame] = [named.clear()]
    found: list[pl.DataFrame] = []
    listed = named.filter(~pl.col("is_party_list")).sort("mapping_id")
    for _, group in listed.group_by("mapping_id", maintain_order=True):
        good, doubled, doubts = split_duplicates(
            group, table="organisations", key=["org_id"], content=content
        )
        kept.append(good)
        rejected.append(doubled)
        found.append(doubts)
    parties, matches = _match_parties(named.filter(pl.col("is_party_list")), pl.concat(kept))
    merged, n_merged = _merge_sources(pl.concat([*kept, parties]), content)
    return Resolved(
        rows=pl.concat([merged, unnamed]).drop("valid_tax_code"),
        rejected=pl.concat(rejected).drop("valid_tax_code"),
        findings=concat_findings([*found, matches, tax_findings(rows, tax.notes, column="tax_code", table="organisations")]),
        merged=n_merged,
    )  # fmt: skip


def tax_findings(
    rows: pl.DataFrame, notes: pl.DataFrame, *, column: str, table: str
) -> pl.DataFrame:
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
    by_number: dict[str, str]
    by_name: dict[str, str]
    by_core: dict[str, str]
    ambiguous: frozenset[str]
    names: tuple[str, ...]


def _unique(keys: pl.Series, ids: pl.Series) -> tuple[dict[str, str], set[str]]:
    pairs = (
        pl.DataFrame({"key": keys, "id": ids})
        .drop_nulls()
        .filter(pl.col("key") != "")
        .unique()
        .sort("key", "id")
    )
    counted = pairs.group_by("key", maintain_order=True).agg(pl.col("id").first(), n=pl.len())
    single = counted.filter(pl.col("n") == 1)
    return dict(zip(single["key"], single["id"], strict=True)), set(
        counted.filter(pl.col("n") > 1)["key"]
    )


def _directory(organisations: pl.DataFrame) -> _Directory:
    ids = organisations["org_id"]
    by_tax, _ = _unique(organisations["tax_code"], ids)
    by_number, _ = _unique(organisations["register_number"], ids)
    written = pl.concat(
        [
            organisations.select("org_id", "is_registered", written="name"),
            organisations.select("org_id", "is_registered", written="short_name"),
            organisations.select(
                "org_id", "is_registered", written=pl.col("other_names").str.split("; ")
            ).explode("written"),
        ]
    ).drop_nulls("written")
    by_name, many = _unique(fold(written["written"]), written["org_id"])
    by_core, many_core = _unique(fold_org(written["written"]), written["org_id"])
    # A name that several registered organisations share still means the party that was listed under it.
    parties = written.filter(~pl.col("is_registered"))
    party_names, _ = _unique(fold(parties["written"]), parties["org_id"])
    by_name |= {k: v for k, v in party_names.items() if k in many}
    return _Directory(
        by_tax, by_number, by_name, by_core, frozenset((many | many_core) - set(by_name)),
        tuple(sorted(set(organisations["name"].drop_nulls()))),
    )  # fmt: skip


def find_organisations(
    rows: pl.DataFrame,
    organisations: pl.DataFrame,
    *,
    tax_code: str,
    name: str,
    into: str,
    table: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill column *into* with the id of the organisation that each row names.

    The tax code decides where it is valid and known; then the number in the register; then the full
    folded name; then the name without its legal form. A name that fits none or several gets ``?`` and the name as written, which no
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
        _tax=pl.coalesce(
            tax.values.replace_strict(book.by_tax, default=None, return_dtype=pl.String),
            _register_numbers(rows).replace_strict(
                book.by_number, default=None, return_dtype=pl.String
            ),
        ),
        _full=fold(rows[name]),
        _core=fold_org(rows[name]),
    ).with_columns(
        _by_name=pl.col("_full").replace_strict(book.by_name, default=None, return_dtype=pl.String),
        _by_core=pl.col("_core").replace_strict(book.by_core, default=None, return_dtype=pl.String),
    )
    found = keyed.with_columns(
        pl.coalesce("_tax", "_by_name", "_by_core", pl.lit(UNRESOLVED) + pl.col(name)).alias(into)
    )
    unknown = found.filter(pl.col(into).str.starts_with(UNRESOLVED))
    several = unknown.filter(
        pl.col("_full").is_in(book.ambiguous) | pl.col("_core").is_in(book.ambiguous)
    )
    nearest = _nearest_names(unknown, several, book, name)
    drop = ["_tax", "_full", "_core", "_by_name", "_by_core"]
    by_core_only = found.filter(
        pl.col("_tax").is_null() & pl.col("_by_name").is_null() & pl.col("_by_core").is_not_null()
    )
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


def _register_numbers(rows: pl.DataFrame) -> pl.Series:
    if "register_number" in rows.columns:
        return rows["register_number"]
    return pl.Series([None] * rows.height, dtype=pl.String)


def _nearest_names(
    unknown: pl.DataFrame, several: pl.DataFrame, book: _Directory, name: str
) -> pl.DataFrame:
    """Add a hint with the nearest known name to each unknown row (null names get a plain hint)."""
    rest = unknown.join(
        several.select("source_id"), on="source_id", how="anti", maintain_order="left"
    )
    hints: dict[str, tuple[str, str]] = {}
    for written in sorted(set(rest[name].drop_nulls())):
        close = process.extractOne(
            written, book.names, scorer=fuzz.ratio, score_cutoff=own_choice("nearest_name")
        )
        hints[written] = (
            (f"Gần nhất trong danh bạ: «{close[0]}». Sửa tên hoặc ghi mã số thuế.", f"Nearest known: “{close[0]}”. Correct the name or give the tax code.")
            if close is not None
            else ("Bổ sung tổ chức vào danh bạ, hoặc ghi mã số thuế.", "Add the organisation to the register, or give the tax code.")
        )  # fmt: skip
    vi = {k: v[0] for k, v in hints.items()}
    en = {k: v[1] for k, v in hints.items()}
    return rest.with_columns(
        _hint_vi=pl.col(name).replace_strict(vi, default=None, return_dtype=pl.String),
        _hint_en=pl.col(name).replace_strict(en, default=None, return_dtype=pl.String),
    )
