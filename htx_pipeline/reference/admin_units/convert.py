"""Issue a table of values on the units of another version, or on old districts, without losing a unit.

What belongs here: ``convert`` (one row per possible target, nothing summed) and ``aggregate_to`` (sums
whose total agrees with the total that went in). What does not: finding out which unit a row means.

Where a commune was split and no source says how, the values are not guessed: they stand in a row of
their own, without a unit, unless the caller names an allocation, and then they are labelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.reference.admin_units.tables import (
    LATEST,
    VERSIONS,
    Level,
    _old_communes,
    _units,
    admin_links,
    check_version,
)

Allocation = Literal["equal", "area", "population"]
ALLOCATIONS: Final = ("equal", "area", "population")


def convert(
    frame: pl.DataFrame,
    *,
    code: str,
    from_version: str,
    to_version: str,
    values: Sequence[str] = (),
) -> pl.DataFrame:
    """Join the units of another version: one row per possible target.

    Parameters
    ----------
    frame:
        Any table with a column of unit codes (communes or provinces, text).
    code:
        That column.
    from_version, to_version:
        Versions of the codes in *frame* and of the codes wanted.
    values:
        Columns to be multiplied by the weight: unchanged where all of the unit moves, null where the
        weight is not known.

    Returns
    -------
    pl.DataFrame
        The columns of *frame* and ``to_code``, ``to_version``, ``relation`` (whole, part), ``weight``,
        ``is_weight_known``, ``n_candidates`` (0: the code is not one of *from_version*, and ``to_code`` is
        null), ``source_row`` (0-based row of *frame*); in the order of *frame*, then ``to_code``.

    Raises
    ------
    InputError
        A column is missing or of the wrong type, a version is unknown.

    Examples
    --------
    >>> frame = pl.DataFrame({"code": ["23503"], "members": [40]})
    >>> convert(frame, code="code", from_version="2024", to_version="2026-04-30", values=["members"])[
    ...     "to_code"
    ... ].to_list()
    ['23504']
    """
    _check_columns(frame, code=code, values=values)
    links = admin_links(from_version=from_version, to_version=to_version)
    joined = (
        frame.with_row_index("source_row")
        .join(
            links.drop("population_weight"),
            left_on=code,
            right_on="from_code",
            how="left",
            maintain_order="left_right",
        )
        .with_columns(
            to_version=pl.lit(to_version),
            is_weight_known=pl.col("is_weight_known").fill_null(False),
            n_candidates=pl.col("n_targets").fill_null(0),
            **{
                name: pl.when(pl.col("weight") == 1)
                .then(pl.col(name))
                .when(pl.col("weight") == 0)
                .then(pl.col(name) * 0)
                for name in values
            },
        )
    )
    added = [
        "to_code",
        "to_version",
        "relation",
        "weight",
        "is_weight_known",
        "n_candidates",
        "source_row",
    ]
    return joined.select(*frame.columns, *added)


def aggregate_to(
    frame: pl.DataFrame,
    *,
    code: str,
    version: str,
    to: Level = "commune",
    to_version: str | None = None,
    sums: Sequence[str],
    by: Sequence[str] = (),
    allocation: Allocation | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Sum a table on the units of another version or level; totals agree with what went in.

    Parameters
    ----------
    frame:
        Any table with a column of commune codes (text) and columns to be summed.
    code:
        The column of codes.
    version:
        The version of those codes: one of ``VERSIONS``, or the name of a column that holds it per row.
    to, to_version:
        Level and version of the result; the version is the latest one if not given, and "2024" for
        districts, which exist there only.
    sums:
        Columns to be summed. Null stays out of a sum; a sum of nulls only is null.
    by:
        Further columns that keep sums apart, such as the period.
    allocation:
        What to do with a unit that lies in several targets by shares no source states. None: its values
        stand in a row without a unit. ``"equal"``: equal parts. ``"area"``: by area of the targets (new
        communes with a known area only). ``"population"``: to the target that received all the people,
        where the source says so. A frame with ``from_code``, ``to_code``, ``weight`` (sums to 1 per
        *from_code*): those weights.

    Returns
    -------
    pl.DataFrame
        *by*, ``admin_code``, ``admin_version``, ``admin_level``, ``admin_name``, *sums*,
        ``n_source_units``, ``is_allocated`` (some of the value was split by an assumption),
        ``allocation`` (which one), ``unplaced_reason`` (null; ``split``: lies in several units;
        ``unknown_code``: not a code of that version; both without ``admin_code``); sorted by *by* and
        ``admin_code``, rows without a unit last.

    Raises
    ------
    InputError
        A column is missing, a version, level or allocation is unknown, districts are asked for in a
        version that has none, or given weights do not sum to 1.

    Notes
    -----
    Whole numbers are split by the largest remainder (ties to the smaller code), so that the parts add up
    to the whole exactly. Decimals too; floating-point sums agree within rounding.

    Examples
    --------
    >>> frame = pl.DataFrame({"code": ["23503", "23504"], "members": [40, 2]})
    >>> result = aggregate_to(
    ...     frame, code="code", version="2024", to_version="2026-04-30", sums=["members"]
    ... )
    >>> result.select("admin_code", "admin_name", "members").row(0)
    ('23504', 'Xã Đăk Pxi', 42)
    """
    _check_columns(frame, code=code, values=[*sums, *by])
    target_version = _target_version(to, to_version)
    versioned = _with_version(frame, version)
    groups = [*by, "_version", code]
    units = (
        versioned.select(*by, "_version", code, *sums)
        .group_by(groups)
        .agg(*(pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(c) for c in sums))
        .sort(groups)
        .with_row_index("_unit")
    )
    targets = (
        pl.concat(
            _targets(v, to, target_version) for v in VERSIONS if v in units["_version"].to_list()
        )
        if units.height
        else _targets(VERSIONS[0], to, target_version)
    )
    joined = units.join(
        targets, left_on=["_version", code], right_on=["_version", "from_code"], how="left"
    ).with_columns(_n=pl.len().over("_unit"))
    joined = _weigh(joined, code=code, allocation=allocation)
    label = "given" if isinstance(allocation, pl.DataFrame) else allocation
    placed = joined.filter(pl.col("to_code").is_not_null(), pl.col("_w").is_not_null())
    split = (
        joined.filter(pl.col("to_code").is_not_null(), pl.col("_w").is_null())
        .unique("_unit", keep="first", maintain_order=True)
        .with_columns(to_code=pl.lit(None, pl.String), _reason=pl.lit("split"))
    )
    unknown = joined.filter(pl.col("to_code").is_null()).with_columns(
        _reason=pl.lit("unknown_code")
    )
    parts = _split_values(placed, sums).with_columns(_reason=pl.lit(None, pl.String))
    columns = [*by, "_unit", "to_code", "_allocated", "_reason", *sums]
    rows = pl.concat([part.select(columns) for part in (parts, split, unknown)])
    names = (
        _units().filter(pl.col("version") == target_version).select("code", "full_name", "level")
    )
    result = (
        rows.group_by([*by, "to_code", "_reason"])
        .agg(
            *(pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(c) for c in sums),
            n_source_units=pl.col("_unit").n_unique(),
            is_allocated=pl.col("_allocated").any(),
        )
        .join(names, left_on="to_code", right_on="code", how="left")
        .sort([*by, "to_code", "_reason"], nulls_last=True)
    )
    return result.select(
        *by,
        pl.col("to_code").alias("admin_code"),
        pl.lit(target_version).alias("admin_version"),
        pl.col("level").alias("admin_level"),
        pl.col("full_name").alias("admin_name"),
        *(
            pl.col(c).cast(frame.schema[c]) if frame.schema[c].is_decimal() else pl.col(c)
            for c in sums
        ),
        "n_source_units",
        "is_allocated",
        pl.when("is_allocated").then(pl.lit(label, pl.String)).alias("allocation"),
        pl.col("_reason").alias("unplaced_reason"),
    )


def _target_version(to: str, to_version: str | None) -> str:
    if to not in ("commune", "district", "province"):
        raise InputError(f"There is no level {to!r}.", code="unknown_level")
    if to == "district":
        if to_version not in (None, VERSIONS[0]):
            raise InputError(
                f"Version {to_version} has no districts.",
                why="Districts were abolished on 1 July 2025; they continue here as aggregations.",
                remedy=f'Leave to_version out, or give "{VERSIONS[0]}".',
                code="no_districts",
            )
        return VERSIONS[0]
    return check_version(to_version or LATEST)


def _with_version(frame: pl.DataFrame, version: str) -> pl.DataFrame:
    if version in VERSIONS:
        return frame.with_columns(_version=pl.lit(version))
    if version in frame.columns:
        for value in frame[version].unique().drop_nulls():
            check_version(value)
        return frame.with_columns(_version=pl.col(version))
    check_version(version)
    raise AssertionError(version)


def _targets(version: str, to: str, to_version: str) -> pl.DataFrame:
    """(_version, from_code) → to_code with the share known (weight) or not (null)."""
    old = VERSIONS[0]
    if to == "commune":
        links = admin_links(from_version=version, to_version=to_version).filter(
            pl.col("from_code").str.len_chars() != 2
        )
        if version == to_version:
            own = _units().filter(pl.col("version") == version, pl.col("level") == "commune")
            codes = {*own["code"], *_old_communes()["code"]} if version == old else {*own["code"]}
            links = links.filter(pl.col("from_code").is_in(sorted(codes)))
        frame = links.select("from_code", "to_code", "weight", "population_weight")
    elif to == "province" and to_version != old:
        own = _units().filter(pl.col("version") != old, pl.col("level") == "commune")
        parents = own.select(to_code="code", parent="province_code").unique()
        links = admin_links(from_version=version, to_version=to_version)
        frame = _through(links.join(parents, on="to_code"))
    else:
        column = "district_code" if to == "district" else "province_code"
        parents = _old_communes().select(to_code="code", parent=column)
        frame = _through(
            admin_links(from_version=version, to_version=old).join(parents, on="to_code")
        )
    return frame.with_columns(_version=pl.lit(version))


def _through(links: pl.DataFrame) -> pl.DataFrame:
    """Parents of the targets: certain where there is one only."""
    pairs = links.select("from_code", to_code="parent").unique()
    known = pl.when(pl.len().over("from_code") == 1).then(1.0)
    return pairs.with_columns(weight=known, population_weight=known)


def _weigh(
    joined: pl.DataFrame, *, code: str, allocation: Allocation | pl.DataFrame | None
) -> pl.DataFrame:
    """Add ``_w`` (share used, null: not placed) and ``_allocated`` (an assumption was used)."""
    stated = pl.col("weight").is_not_null().all().over("_unit")
    joined = joined.with_columns(_stated=stated, _w=pl.when(stated).then(pl.col("weight")))
    extra: pl.Expr
    if isinstance(allocation, pl.DataFrame):
        _check_weights(allocation)
        given = allocation.select(
            pl.col("from_code").alias(code),
            "to_code",
            pl.col("weight").cast(pl.Float64).alias("_given"),
        )
        joined = joined.join(given, on=[code, "to_code"], how="left")
        covered = pl.col("_given").fill_null(0.0).sum().over("_unit")
        extra = pl.when((covered - 1).abs() < 1e-9).then(pl.col("_given").fill_null(0.0) / covered)
    elif allocation == "equal":
        extra = 1 / pl.col("_n")
    elif allocation == "population":
        known = pl.col("population_weight").is_not_null().all().over("_unit")
        extra = pl.when(known).then(pl.col("population_weight"))
    elif allocation == "area":
        areas = (
            _units()
            .filter(pl.col("version") == LATEST, pl.col("level") == "commune")
            .select(to_code="code", _area="area_km2")
        )
        joined = joined.join(areas, on="to_code", how="left")
        known = pl.col("_area").is_not_null().all().over("_unit")
        extra = pl.when(known).then(pl.col("_area") / pl.col("_area").sum().over("_unit"))
    elif allocation is None:
        extra = pl.lit(None, pl.Float64)
    else:
        raise InputError(
            f"There is no allocation {allocation!r}.",
            why=f"Allocations: {', '.join(ALLOCATIONS)}, or a frame of weights.",
            code="unknown_allocation",
        )
    return joined.with_columns(
        _w=pl.when("_stated").then(pl.col("_w")).otherwise(extra),
        _allocated=(~pl.col("_stated") & extra.is_not_null()).fill_null(False),
    ).sort("_unit", "to_code")


def _split_values(placed: pl.DataFrame, sums: Sequence[str]) -> pl.DataFrame:
    """Split each value by ``_w`` so that the parts add up to it."""
    if placed.is_empty() or placed.filter(pl.col("_n") > 1).is_empty():
        return placed
    placed = placed.filter((pl.col("_w") > 0) | (pl.col("_n") == 1)).with_columns(
        _n=pl.len().over("_unit"), _last=pl.int_range(pl.len()).over("_unit")
    )
    placed = placed.with_columns(_last=pl.col("_last") == pl.col("_n") - 1)
    for name in sums:
        value, dtype = pl.col(name), placed.schema[name]
        if dtype.is_integer():
            share = value.cast(pl.Float64) * pl.col("_w")
            floor = share.floor().cast(pl.Int64)
            placed = placed.with_columns(_floor=floor, _rest=share - floor)
            missing = value.cast(pl.Int64) - pl.col("_floor").sum().over("_unit")
            rank = pl.col("_rest").rank("ordinal", descending=True).over("_unit").cast(pl.Int64) - 1
            count = pl.col("_n").cast(pl.Int64)
            extra = missing // count + (rank < missing % count).cast(pl.Int64)
            part = (pl.col("_floor") + extra).cast(dtype)
        else:
            rough = (value.cast(pl.Float64) * pl.col("_w")).cast(dtype)
            placed = placed.with_columns(_rough=rough)
            rest = pl.col("_rough").filter(~pl.col("_last")).sum().over("_unit")
            part = pl.when("_last").then(value - rest).otherwise(pl.col("_rough")).cast(dtype)
        placed = placed.with_columns(
            pl.when(pl.col("_n") == 1).then(value).otherwise(part).alias(name)
        )
    return placed


def _check_weights(weights: pl.DataFrame) -> None:
    missing = {"from_code", "to_code", "weight"} - set(weights.columns)
    if missing:
        raise InputError(f"The weights lack the columns {sorted(missing)}.", code="bad_weights")
    totals = weights.group_by("from_code").agg(pl.col("weight").sum(), low=pl.col("weight").min())
    bad = totals.filter(((pl.col("weight") - 1).abs() > 1e-9) | (pl.col("low") < 0)).sort(
        "from_code"
    )
    if bad.height:
        raise InputError(
            "Weights must be at least 0 and sum to 1 for each unit.",
            where=", ".join(bad["from_code"].head(5).to_list()),
            code="bad_weights",
        )


def _check_columns(frame: pl.DataFrame, *, code: str, values: Sequence[str]) -> None:
    missing = [c for c in (code, *values) if c not in frame.columns]
    if missing:
        raise InputError(
            f"The table lacks the columns {missing}.",
            where=f"columns {frame.columns}",
            code="no_column",
        )
    if frame.schema[code] != pl.String:
        raise InputError(
            f"Codes must be text: {code!r} is {frame.schema[code]}.",
            why="As numbers they lose their leading zeros.",
            remedy="Read the column as text.",
            code="code_not_text",
        )
