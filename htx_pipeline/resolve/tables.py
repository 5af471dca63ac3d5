"""Raw rows to rows that can be validated: ids, places, products, derived columns, duplicates.

What belongs here: for each table, what has to be worked out before its rules can be checked.
What does not: the rules, or how any of it is worked out (`resolve.organisations`, `metrics.linkage`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from htx_pipeline.findings import concat_findings, findings_from_rows
from htx_pipeline.ingest.dates import reporting_period
from htx_pipeline.metrics.linkage import evidence, nd98_form
from htx_pipeline.reference.products import match as match_products
from htx_pipeline.resolve.duplicates import split_duplicates
from htx_pipeline.resolve.ids import content_ids
from htx_pipeline.resolve.organisations import Resolved, find_organisations, resolve_organisations
from htx_pipeline.resolve.places import with_places
from htx_pipeline.resolve.prices import split_impossible_prices
from htx_pipeline.schemas import TABLES


def _organisations(
    rows: pl.DataFrame, organisations: pl.DataFrame | None, period: str, province: str | None
) -> Resolved:
    placed, found = with_places(rows, as_of=reporting_period(int(period))[1], province=province)
    resolved = resolve_organisations(placed)
    return Resolved(
        resolved.rows,
        resolved.rejected,
        concat_findings([found, resolved.findings]),
        resolved.merged,
    )


def _by_organisation(
    name: str,
) -> Callable[[pl.DataFrame, pl.DataFrame | None, str, str | None], Resolved]:
    def resolve(
        rows: pl.DataFrame, organisations: pl.DataFrame | None, period: str, province: str | None
    ) -> Resolved:
        assert organisations is not None
        found, findings = find_organisations(
            rows, organisations, tax_code="tax_code", name="name", into="org_id", table=name
        )
        return _deduplicate(name, found, findings)

    return resolve


def _linkages(
    rows: pl.DataFrame, organisations: pl.DataFrame | None, period: str, province: str | None
) -> Resolved:
    assert organisations is not None
    rows, found_suppliers = find_organisations(
        rows,
        organisations,
        tax_code="supplier_tax_code",
        name="supplier_name",
        into="supplier_id",
        table="linkages",
    )
    rows, found_buyers = find_organisations(
        rows,
        organisations,
        tax_code="buyer_tax_code",
        name="buyer_name",
        into="buyer_id",
        table="linkages",
    )
    matched = match_products(rows["product_name"])
    doubts = _product_findings(rows, matched["match_note"])
    rows = rows.with_columns(product_code=pl.coalesce("product_code", matched["product_code"]))
    rows = evidence(nd98_form(rows), period=period)
    plain = ["supplier_id", "buyer_id", "product_code", "instrument", "contract_number"]
    unnumbered = [
        "signed_on",
        "starts_on",
        "ends_on",
        "contracted_tonnes",
        "contracted_value_vnd",
        "area_ha",
    ]
    keyed = rows.with_columns(
        [
            pl.when(pl.col("contract_number").is_null())
            .then(pl.col(c).cast(pl.String))
            .alias(f"_{c}")
            for c in unnumbered
        ]
    )
    rows = rows.with_columns(
        linkage_id=content_ids(keyed, [*plain, *(f"_{c}" for c in unnumbered)], prefix="l")
    )
    single = _deduplicate(
        "linkages", rows, concat_findings([found_suppliers, found_buyers, doubts])
    )
    kept, impossible, prices = split_impossible_prices(single.rows)
    return Resolved(
        kept,
        pl.concat([single.rejected, impossible]),
        concat_findings([single.findings, prices]),
        single.merged,
    )


_PRODUCT_DOUBTS: Final = {
    "unknown": (
        "warning", "Sản phẩm chưa có trong danh mục; tính vào nhóm «Khác».", "The product is not in the list; counted as other.",
        "Ghi tên sản phẩm theo danh mục.", "Write the product as in the list.",
    ),
    "several": (
        "warning", "Ghi nhiều sản phẩm trong một ô; chỉ tính sản phẩm ghi đầu tiên.", "Several products in one cell; the first one counts.",
        "Tách mỗi sản phẩm thành một dòng.", "Give each product its own row.",
    ),
    "missing": (
        "warning", "Không ghi sản phẩm; tính vào nhóm «Chưa rõ».", "No product is given; counted as unspecified.",
        "Bổ sung tên sản phẩm.", "Add the product.",
    ),
}  # fmt: skip


def _product_findings(rows: pl.DataFrame, notes: pl.Series) -> pl.DataFrame:
    noted = rows.with_columns(_note=notes).filter(pl.col("product_code").is_null())
    parts = []
    for note, (severity, reason_vi, reason_en, remedy_vi, remedy_en) in _PRODUCT_DOUBTS.items():
        parts.append(
            findings_from_rows(
                noted.filter(pl.col("_note") == note), table="linkages", rule_id=f"linkages.product_name.{note}_product",
                severity=severity, column="product_name", reason_vi=reason_vi, reason_en=reason_en,
                remedy_vi=remedy_vi, remedy_en=remedy_en, raw_value=pl.col("product_name"),
            )
        )  # fmt: skip
    return concat_findings(parts)


def _plain(name: str) -> Callable[[pl.DataFrame, pl.DataFrame | None, str, str | None], Resolved]:
    def resolve(
        rows: pl.DataFrame, organisations: pl.DataFrame | None, period: str, province: str | None
    ) -> Resolved:
        return _deduplicate(name, rows, concat_findings([]))

    return resolve


def _deduplicate(name: str, rows: pl.DataFrame, found: pl.DataFrame) -> Resolved:
    table = TABLES[name]
    content = [c.name for c in table.own_columns if c.name not in table.key]
    kept, rejected, doubled = split_duplicates(
        rows, table=name, key=list(table.key), content=content
    )
    return Resolved(kept, rejected, concat_findings([found, doubled]))


_RESOLVERS: Final[
    dict[str, Callable[[pl.DataFrame, pl.DataFrame | None, str, str | None], Resolved]]
] = {
    "organisations": _organisations,
    "cooperative_reports": _by_organisation("cooperative_reports"),
    "linkages": _linkages,
    "trainings": _by_organisation("trainings"),
    "commendations": _by_organisation("commendations"),
    "plan_targets": _plain("plan_targets"),
    "plan_tasks": _plain("plan_tasks"),
    "regional_accounts": _plain("regional_accounts"),
}


def resolve_table(
    name: str,
    rows: pl.DataFrame,
    *,
    period: str,
    organisations: pl.DataFrame | None = None,
    province: str | None = None,
) -> Resolved:
    """Prepare raw rows of one table for validation.

    Parameters
    ----------
    name:
        Canonical table.
    rows:
        ``raw/<name>`` of one period.
    period:
        Reporting year; rows without a period, or with an impossible one, keep theirs and are
        rejected by rule.
    organisations:
        ``core/organisations`` of the period, for tables that name organisations.
    province:
        Name or code of the province, to tell apart communes of the same name.

    Returns
    -------
    Resolved
        The table's columns only; rejected rows keep them too.
    """
    table = TABLES[name]
    resolved = _RESOLVERS[name](rows, organisations, period, province)
    return Resolved(
        table.conform(resolved.rows),
        table.conform(resolved.rejected),
        resolved.findings,
        resolved.merged,
    )
