"""A file with only the corrected rows: which rows of the report it takes the place of, and what changed.

What belongs here: telling what one row is about (`about`), and putting corrected rows in the place of
the rows they correct (`replace_rows`). What does not: deciding whether a file is such a correction
(`ingest.inbox`), comparing two whole submissions (`ingest.changes`), or changes that we make to a
cell ourselves (`ingest.corrections`).

A row is corrected by restating it: every row of the report that is about the same thing goes, the rows
of the correction come, each with its own provenance. Later corrections count over earlier ones. Raw
files stay as they were sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from htx_pipeline.findings import concat_findings, empty_findings, findings
from htx_pipeline.ingest.changes import CHANGE_SCHEMA, Places, diff_submissions, natural_key
from htx_pipeline.ingest.names import fold
from htx_pipeline.resolve.ids import content_hash
from htx_pipeline.schemas import TABLES

IDENTITY: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "organisations": (("tax_code", "register_number", "name"),),
    "cooperative_reports": (("tax_code", "register_number", "name"),),
    "linkages": (
        ("supplier_tax_code", "supplier_name"), ("buyer_tax_code", "buyer_name"), ("product_name", "product_code"), ("contract_number",),
    ),
    "trainings": (("course",), ("tax_code", "name"), ("starts_on",)),
    "commendations": (("tax_code", "name"), ("decision",)),
    "plan_targets": (("document",), ("indicator", "indicator_vi"), ("denominator",), ("target_year",)),
}  # fmt: skip
"""Table → what one row is about, as groups of columns of which the first that is filled counts; the
whole row where the table is not named."""

PARTIAL_BELOW: Final = 0.5
"""A file is a correction when it restates less than this share of a report; else it is a new version."""

ROW_CHANGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "source_file": pl.String(),
    "corrects_file": pl.String(),
    **CHANGE_SCHEMA,
}
"""`ingest.changes.CHANGE_SCHEMA`, with the correcting file and the file whose row was replaced."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One file that corrects rows of another.

    Attributes
    ----------
    sha256, source_file:
        The correcting file.
    corrects:
        SHA-256 of the report.
    """

    sha256: str
    source_file: str
    corrects: str


@dataclass(frozen=True)
class Replaced:
    """The rows after the corrections, what changed, the findings, and the ids of the rows taken out."""

    rows: pl.DataFrame
    changes: pl.DataFrame
    findings: pl.DataFrame
    replaced_ids: tuple[str, ...]


def about(table: str, rows: pl.DataFrame) -> pl.Series:
    """Return a short hash of what each row is about; null where nothing says it.

    Examples
    --------
    >>> rows = pl.DataFrame({"tax_code": ["6101", "6101", None], "name": ["HTX A", "khác", None]})
    >>> found = about("organisations", rows)
    >>> found[0] == found[1], found[2]
    (True, None)
    """
    own = [c.name for c in TABLES[table].own_columns if c.name in rows.columns]
    texts = []
    for i, group in enumerate(IDENTITY.get(table) or tuple((c,) for c in own)):
        there = [c for c in group if c in rows.columns]
        if there:
            firsts = rows.select(pl.coalesce(pl.col(c).cast(pl.String) for c in there)).to_series()
            texts.append(fold(firsts).fill_null("").alias(str(i)))
    if rows.is_empty() or not texts:
        return pl.Series("about", [None] * rows.height, dtype=pl.String)
    keyed = pl.DataFrame(texts)
    distinct = keyed.filter(pl.any_horizontal(pl.all() != "")).unique(maintain_order=True)
    hashes = pl.Series("about", [content_hash(r) for r in distinct.iter_rows()], dtype=pl.String)
    return keyed.join(
        distinct.with_columns(hashes), on=keyed.columns, how="left", maintain_order="left"
    )["about"]


def replace_rows(table: str, rows: pl.DataFrame, corrections: Sequence[Correction]) -> Replaced:
    """Put the rows of correcting files in the place of the rows they correct.

    Parameters
    ----------
    table:
        Canonical table.
    rows:
        Raw rows of one period, of all files, the correcting ones among them; `PROVENANCE` columns.
    corrections:
        Oldest first: a later correction of the same row counts.

    Returns
    -------
    Replaced
        ``rows`` in the order of *rows*. A row of a correction that is about nothing the report holds
        stays, with the finding ``correction_unmatched``; where a correction states another number of
        rows about one thing than there were, ``correction_changes_row_count``. Each changed cell is an
        ``info`` finding ``row_corrected`` and a line of ``changes`` (`ROW_CHANGE_SCHEMA`).

    Examples
    --------
    >>> rows = pl.DataFrame({
    ...     "name": ["HTX A", "HTX B", "HTX B"], "revenue_vnd": [1, 2, 5], "source_id": ["aa:S:2", "aa:S:3", "bb:S:2"],
    ...     "source_file": ["a", "a", "b"], "source_sheet": ["S"] * 3, "source_row": [2, 3, 2],
    ... })
    >>> done = replace_rows("cooperative_reports", rows, [Correction("bb", "b", corrects="aa")])
    >>> done.rows["source_id"].to_list(), done.changes.select("old_value", "new_value").rows()
    (['aa:S:2', 'bb:S:2'], [('2', '5')])
    """
    if not corrections:
        return Replaced(rows, pl.DataFrame(schema=ROW_CHANGE_SCHEMA), empty_findings(), ())
    told: list[pl.DataFrame] = []
    changes = [pl.DataFrame(schema=ROW_CHANGE_SCHEMA)]
    gone: list[str] = []
    keyed = rows.with_row_index("_order").with_columns(about(table, rows).alias("_about"))
    is_correction = pl.any_horizontal(*(_from(c.sha256) for c in corrections))
    current = keyed.filter(~is_correction)
    family: dict[str, list[str]] = {}
    for c in corrections:
        new = keyed.filter(_from(c.sha256))
        mine = family.setdefault(c.corrects, [c.corrects])
        held = current.filter(pl.any_horizontal(*(_from(sha) for sha in mine)))
        old = held.join(new.select("_about").drop_nulls().unique(), on="_about", how="semi")
        unmatched = new.join(old.select("_about"), on="_about", how="anti")
        told.append(_unmatched(table, unmatched))
        told.append(_other_count(table, old, new))
        changed = _changes(table, old, new.join(old.select("_about"), on="_about", how="semi"), c)
        changes.append(changed)
        told.append(_changed_findings(table, changed, new))
        gone += old["source_id"].to_list()
        current = pl.concat([current.join(old.select("_order"), on="_order", how="anti"), new])
        mine.append(c.sha256)
    return Replaced(
        current.sort("_order").select(rows.columns),
        pl.concat(changes),
        concat_findings(told),
        tuple(sorted(gone)),
    )


def diff_partial(
    table: str,
    old_rows: pl.DataFrame,
    new_rows: pl.DataFrame,
    *,
    old_places: Places | None = None,
    new_places: Places | None = None,
) -> pl.DataFrame | None:
    """List what a file with only corrected rows changes; None when *new_rows* are no such correction.

    They are one when everything they are about stands in *old_rows* and is less than half of it; the
    rows of *old_rows* that they do not restate are then not removed. Other arguments and the result as
    in `ingest.changes.diff_submissions`.

    Examples
    --------
    >>> old = pl.DataFrame({"name": ["A", "B", "C"], "n": [1, 2, 3], "source_sheet": ["S"] * 3, "source_row": [2, 3, 4]})
    >>> new = pl.DataFrame({"name": ["C"], "n": [5], "source_sheet": ["S"], "source_row": [2]})
    >>> diff_partial("organisations", old, new).select("change", "key", "old_value", "new_value").rows()
    [('changed', 'C', '3', '5')]
    >>> diff_partial("organisations", old, new.with_columns(name=pl.lit("D"))) is None
    True
    """
    old, new = (f.with_columns(about(table, f).alias("_about")) for f in (old_rows, new_rows))
    held, restated = (set(f["_about"].drop_nulls()) for f in (old, new))
    if not restated or not restated <= held or len(restated) >= PARTIAL_BELOW * len(held):
        return None
    return diff_submissions(
        old.join(new.select("_about").unique(), on="_about", how="semi"), new, key=["_about"], table=table,
        old_places=old_places, new_places=new_places, shown=_shown(table, new), is_paired_by_place=False,
    )  # fmt: skip


def _shown(table: str, rows: pl.DataFrame) -> list[str]:
    return [k for k in natural_key(TABLES[table]) if k in rows.columns]


def _from(sha256: str) -> pl.Expr:
    return pl.col("source_id").str.starts_with(f"{sha256[:16]}:")


def _changes(table: str, old: pl.DataFrame, new: pl.DataFrame, c: Correction) -> pl.DataFrame:
    shown = _shown(table, new)
    parts = [pl.DataFrame(schema=ROW_CHANGE_SCHEMA)]
    for (file,), part in sorted(
        old.drop("_order").partition_by("source_file", as_dict=True).items(),
        key=lambda item: str(item[0]),
    ):
        theirs = new.drop("_order").join(part.select("_about"), on="_about", how="semi")
        found = diff_submissions(
            part, theirs, key=["_about"], table=table, shown=shown, is_paired_by_place=False
        )
        parts.append(
            found.select(
                pl.lit(c.source_file).alias("source_file"),
                pl.lit(str(file)).alias("corrects_file"),
                pl.all(),
            )
        )
    return pl.concat(parts)


def _changed_findings(table: str, changes: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    ids = {(r["source_sheet"], r["source_row"]): r["source_id"] for r in new.iter_rows(named=True)}
    return findings(
        _finding(
            table,
            "row_corrected",
            "info",
            {
                "source_id": ids[(r["new_sheet"], r["new_row"])], "source_file": r["source_file"],
                "source_sheet": r["new_sheet"], "source_row": r["new_row"], "column": r["column"], "raw_value": r["new_value"],
            },
            f"Đính chính «{r['label_vi'] or r['column']}»: trước là «{r['old_value'] or 'trống'}» (tệp {r['corrects_file']}, dòng {r['old_row']}), nay là «{r['new_value'] or 'trống'}».",
            f"Corrected {r['column']}: “{r['old_value'] or 'empty'}” before ({r['corrects_file']}, row {r['old_row']}), now “{r['new_value'] or 'empty'}”.",
        )
        for r in changes.filter(pl.col("change") == "changed").iter_rows(named=True)
    )  # fmt: skip


def _unmatched(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    return findings(
        _finding(
            table,
            "correction_unmatched",
            "warning",
            r,
            "Dòng đính chính không khớp với dòng nào của báo cáo đã gửi trong kỳ này; được giữ như một dòng mới.",
            "A corrected row fits no row of the report for this period; it is kept as a new row.",
            "Kiểm tra mã số và tên; nếu là dòng mới, gửi lại toàn bộ báo cáo.",
            "Check the code and the name; if it is a new row, send the whole report again.",
        )
        for r in rows.iter_rows(named=True)
    )


def _other_count(table: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    before, after = (dict(f.group_by("_about").len().iter_rows()) for f in (old, new))
    first = new.unique("_about", keep="first", maintain_order=True)
    return findings(
        _finding(
            table,
            "correction_changes_row_count",
            "warning",
            r,
            f"Bản đính chính có {after[r['_about']]} dòng cho đối tượng này, trước có {before[r['_about']]}; tất cả các dòng cũ được thay.",
            f"The correction states {after[r['_about']]} rows about this, before there were {before[r['_about']]}; all the earlier ones were replaced.",
            "Gửi đủ các dòng của đối tượng này nếu còn thiếu.",
            "Send all rows about it if any is missing.",
        )
        for r in first.iter_rows(named=True)
        if r["_about"] in before and before[r["_about"]] != after[r["_about"]]
    )


def _finding(  # noqa: PLR0917  (texts in the order a finding has them)
    table: str, rule: str, severity: str, at: dict[str, Any], vi: str, en: str, remedy_vi: str | None = None, remedy_en: str | None = None
) -> dict[str, Any]:  # fmt: skip
    place = ("source_id", "source_file", "source_sheet", "source_row", "column", "raw_value")
    return {
        "rule_id": f"{table}.{rule}", "severity": severity, "table": table,
        **{k: at[k] for k in place if k in at},
        "reason_vi": vi, "reason_en": en, "remedy_vi": remedy_vi, "remedy_en": remedy_en,
    }  # fmt: skip
