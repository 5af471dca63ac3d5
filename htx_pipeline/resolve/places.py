"""Where organisations are: the commune as written to (code, version), and the locality figures are issued for.

What belongs here: filling the place columns of organisations, and saying what was unclear. What does
not: the list of units or the matching of names (`reference.places`).
"""

from __future__ import annotations

from datetime import date
from functools import partial

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.findings import concat_findings, findings_from_rows
from htx_pipeline.reference.places import (
    admin_units,
    convert,
    old_districts,
    resolve_places,
    version_for,
)

AS_WRITTEN = "as_written"
"""`admin_version` of a source whose places are not Vietnamese administrative units."""

_UNCLEAR = ("ambiguous", "code_name_conflict", "unknown")


def province_as_of(province: str, day: date) -> str:
    """Return the name of the province that *province* (name or code of 2024) belongs to on a day.

    Raises
    ------
    InputError
        When no province of 2024 or of that day is called so.

    Examples
    --------
    >>> province_as_of("Kon Tum", date(2024, 12, 14)), province_as_of("62", date(2025, 12, 14))
    ('Kon Tum', 'Quảng Ngãi')
    """
    version = version_for(day)
    wanted = (
        (pl.col("name") == province)
        | (pl.col("code") == province)
        | (pl.col("full_name") == province)
    )
    now = admin_units(version=version, level="province")
    old = admin_units(version="2024", level="province").filter(wanted)
    if version != "2024" and not old.is_empty():
        moved = convert(old.select("code"), code="code", from_version="2024", to_version=version)
        return str(now.filter(pl.col("code") == moved["to_code"][0])["name"][0])
    here = now.filter(wanted)
    if here.is_empty():
        raise InputError(
            f"There is no province {province!r}.", where="setting `province`",
            remedy="Give its name without 'Tỉnh' or its two-digit code.", code="province_unknown",
        )  # fmt: skip
    return str(here["name"][0])


def with_places(
    rows: pl.DataFrame, *, as_of: date, province: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill ``admin_code``, ``admin_version`` and ``locality`` of organisations.

    Parameters
    ----------
    rows:
        With ``place_name``, ``district_name``, ``admin_version``, ``locality`` and provenance.
    as_of:
        The day whose units are meant, usually the last of the reporting year.
    province:
        Name or code of the province the rows belong to; None when they may be anywhere.

    Returns
    -------
    rows, findings
        ``locality`` is the district of 2024, kept as an aggregation after 1 July 2025, where the
        commune lies in exactly one; else the district as written. A place that is unknown, or could be
        several, stays null and is a finding with the candidates.
    """
    foreign = rows.filter(pl.col("admin_version").eq_missing(AS_WRITTEN)).with_columns(
        locality=pl.coalesce("locality", "district_name", "place_name")
    )
    ours = rows.filter(~pl.col("admin_version").eq_missing(AS_WRITTEN))
    if ours.is_empty():
        return foreign.select(rows.columns), concat_findings([])
    named = ours.with_columns(
        _province=pl.lit(
            None if province is None else province_as_of(province, as_of), dtype=pl.String
        )
    )
    found = resolve_places(
        named.drop("admin_code", "admin_version"), name="place_name", district="district_name",
        province=None if province is None else "_province", as_of=as_of,
    )  # fmt: skip
    districts = pl.concat(
        [old_districts(v) for v in sorted(set(found["admin_version"].drop_nulls()))]
        or [old_districts("2024").clear()]
    ).select(admin_code="code", admin_version="version", _district="district_full_name")
    placed = found.join(
        districts, on=["admin_code", "admin_version"], how="left", maintain_order="left"
    ).with_columns(locality=pl.coalesce("locality", "_district", "district_name"))
    return pl.concat([placed.select(rows.columns), foreign.select(rows.columns)]), _findings(placed)


def _findings(placed: pl.DataFrame) -> pl.DataFrame:
    written = placed.filter(pl.col("place_name").is_not_null())
    names = (
        pl.col("candidates")
        .list.eval(pl.element().struct.field("full_name"))
        .list.head(5)
        .list.join(", ")
    )
    many = pl.col("candidates").list.len()
    unclear = written.filter(
        pl.col("place_status").is_in(_UNCLEAR) | pl.col("admin_code").is_null()
    )
    several = unclear.filter(many > 0)
    unknown = unclear.filter(many == 0)
    other = written.filter(
        pl.col("place_status").is_in(["name_of_other_version", "code_of_other_version"])
        & pl.col("admin_code").is_not_null()
    )
    found = partial(
        findings_from_rows,
        table="organisations",
        column="place_name",
        raw_value=pl.col("place_name"),
    )
    return concat_findings(
        [
            found(
                several, rule_id="organisations.place_name.several_places", severity="warning",
                reason_vi=pl.format("«{}» có thể là nhiều đơn vị: {}.", "place_name", names),
                reason_en=pl.format("“{}” may be one of several units: {}.", "place_name", names),
                remedy_vi="Ghi thêm tên huyện cũ hoặc mã đơn vị hành chính.", remedy_en="Add the former district or the unit's code.",
            ),
            found(
                unknown, rule_id="organisations.place_name.unknown_place", severity="warning",
                reason_vi=pl.format("Không có đơn vị hành chính «{}» trong danh mục.", "place_name"),
                reason_en=pl.format("There is no administrative unit “{}” in the list.", "place_name"),
                remedy_vi="Ghi đúng tên xã, phường theo danh mục đang có hiệu lực.", remedy_en="Write the commune as in the list in force.",
            ),
            found(
                other, rule_id="organisations.place_name.of_other_version", severity="info",
                reason_vi=pl.format("«{}» là tên theo danh mục khác với kỳ báo cáo (mã {}).", "place_name", "admin_code"),
                reason_en=pl.format("“{}” is a name of another list than the period's (code {}).", "place_name", "admin_code"),
                remedy_vi="Ghi tên xã, phường theo danh mục của kỳ báo cáo.", remedy_en="Write the commune as in the period's list.",
            ),
        ]
    )  # fmt: skip
