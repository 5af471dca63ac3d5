"""From what somebody wrote to a unit: (code, version), a status, and every candidate.

What belongs here: matching names and codes of places as of a date, and saying how sure that is.
What does not: the units (``tables``), values (``convert``), names of organisations.

The order of preference is fixed: a unit that fits the district, province and kind written beside the
name; then one of the version in force on the date; then the closer spelling. Equals are ``ambiguous``,
never picked from.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.reference.admin_units.names import (
    island_codes,
    named_units,
    read_names,
    spelling_index,
)
from htx_pipeline.reference.admin_units.tables import (
    LEVELS,
    VERSIONS,
    Level,
    _base_links,
    _old_communes,
    _units,
    admin_links,
    code_aliases,
    versions,
)

STATUSES: Final = (
    "exact_code",
    "exact_name",
    "folded_name",
    "ambiguous",
    "code_name_conflict",
    "name_of_other_version",
    "code_of_other_version",
    "unknown",
)
"""``place_status``: only the first three name a unit of the version in force; the two
``…_of_other_version`` name a unit of another version (see ``admin_version``) and list what it is now."""

NOTES: Final[dict[str, tuple[str, str]]] = {
    "code_reused": (
        "Mã này chỉ một đơn vị khác (khác tên hoặc địa giới) ở phiên bản khác.",
        "This code denotes another unit (name or territory) in another version.",
    ),
    "name_moved": (
        "Tên này thuộc về đơn vị mang mã khác ở phiên bản khác.",
        "In another version this name belongs to a unit with another code.",
    ),
    "one_to_many": (
        "Đơn vị này đã chia vào nhiều đơn vị mới; cần xác định phần nào.",
        "This unit was split among several; find out which part is meant.",
    ),
    "code_padded": (
        "Đã thêm số 0 ở đầu mã.",
        "Leading zeros of the code were restored.",
    ),
    "code_alias": (
        "Danh mục khác dùng mã này cho cùng đơn vị.",
        "Another official list uses this code for the same unit.",
    ),
    "code_abolished": (
        "Mã đã bị bãi bỏ trước 01/07/2025, chưa xác định được đơn vị kế tiếp.",
        "The code was abolished before 1 July 2025; its successor is not established.",
    ),
    "code_unknown": ("Không có mã này.", "There is no such code."),
    "alias_name": (
        "Tên được viết theo danh mục khác.",
        "The name is spelt as in another official list.",
    ),
    "kind_differs": (
        "Khác loại hình (xã, phường, thị trấn).",
        "The kind of unit (commune, ward, town) differs.",
    ),
    "district_unknown": ("Không nhận ra tên huyện.", "The district was not recognised."),
    "district_mismatch": (
        "Không có đơn vị này trong huyện đã ghi.",
        "No such unit in the district written.",
    ),
    "province_unknown": ("Không nhận ra tên tỉnh.", "The province was not recognised."),
    "province_mismatch": (
        "Không có đơn vị này trong tỉnh đã ghi.",
        "No such unit in the province written.",
    ),
    "province_of_other_version": (
        "Tên tỉnh thuộc thời kỳ khác với ngày của số liệu.",
        "The province is named as in another period than the date of the data.",
    ),
}
"""What each code in ``place_notes`` means, in Vietnamese and English."""

CANDIDATES: Final = pl.List(
    pl.Struct(
        {"code": pl.String, "version": pl.String, "weight": pl.Float64, "full_name": pl.String}
    )
)
"""Type of the column ``candidates``."""

_Row = dict[str, Any]


def resolve_places(
    frame: pl.DataFrame,
    *,
    name: str | None = None,
    code: str | None = None,
    district: str | None = None,
    province: str | None = None,
    as_of: date | str,
    level: Level = "commune",
) -> pl.DataFrame:
    """Find the administrative unit that each row means, as of a date.

    Parameters
    ----------
    frame:
        Any table.
    name, code:
        Columns with the unit's name as written (any of the usual prefixes, or none) and its code; at
        least one of them. Codes may have lost their leading zeros.
    district, province:
        Columns with the district's and province's name or code, to tell namesakes apart. A former
        district narrows new communes too.
    as_of:
        The day whose units are meant, or the name of a date column; a null there is treated as unknown
        and gives the status ``unknown``.
    level:
        Level of the units looked for.

    Returns
    -------
    pl.DataFrame
        *frame*, its rows in their order, with ``admin_code`` and ``admin_version`` (null unless one unit is
        meant), ``place_status`` (one of ``STATUSES``), ``candidates`` (list of ``code``, ``version``,
        ``weight``, ``full_name``, sorted by code; ``weight`` is the share of the unit's area, null where
        unknown; a unit that is certain has itself with weight 1) and ``place_notes`` (list of keys of
        ``NOTES``, sorted).

    Raises
    ------
    InputError
        A column is missing, codes are not text or whole numbers, or neither name nor code is given.

    Notes
    -----
    Where name and code contradict each other but both fit a unit of another version, that unit is
    returned with that version (``name_of_other_version``), and ``candidates`` are what it is in the version
    in force. Where they fit none, nothing is chosen (``code_name_conflict``).

    Examples
    --------
    >>> frame = pl.DataFrame({"xa": ["Xã Đăk Long"], "huyen": ["H. Đăk Hà"], "tinh": ["Kon Tum"]})
    >>> resolve_places(
    ...     frame, name="xa", district="huyen", province="tinh", as_of=date(2026, 8, 1)
    ... ).select("admin_code", "admin_version", "place_status").row(0)
    ('23504', '2024', 'name_of_other_version')
    """
    wanted = {"name": name, "code": code, "district": district, "province": province}
    queries = _queries(frame, wanted, as_of=as_of, level=level)
    unique = queries.unique(maintain_order=True).with_row_index("q")
    answers = _answer(unique, level)
    columns = ["admin_code", "admin_version", "place_status", "candidates", "place_notes"]
    clash = [c for c in columns if c in frame.columns]
    found = queries.join(
        unique.join(answers, on="q", how="left"),
        on=queries.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).select(columns)
    return frame.drop(clash).hstack(found)


def resolve_place(
    *,
    name: str | None = None,
    code: str | None = None,
    district: str | None = None,
    province: str | None = None,
    as_of: date,
    level: Level = "commune",
) -> dict[str, Any]:
    """Find one unit: ``resolve_places`` for a single row, as a dictionary.

    Examples
    --------
    >>> resolve_place(name="Xã Sa Loong", province="Kon Tum", as_of=date(2024, 12, 31))["admin_code"]
    '23398'
    """
    given = {"name": name, "code": code, "district": district, "province": province}
    frame = pl.DataFrame(
        {k: [v] for k, v in given.items() if v is not None},
        schema_overrides=dict.fromkeys((k for k, v in given.items() if v is not None), pl.String()),
    )
    columns = {k: k for k, v in given.items() if v is not None}
    row = resolve_places(frame, **columns, as_of=as_of, level=level).row(0, named=True)
    return {k: row[k] for k in row if k not in given}


def _queries(
    frame: pl.DataFrame, wanted: dict[str, str | None], *, as_of: date | str, level: str
) -> pl.DataFrame:
    """What each row asks: ``name``, ``code``, ``district``, ``province``, ``version``."""
    if wanted["name"] is None and wanted["code"] is None:
        raise InputError("Name or code: at least one column is needed.", code="no_place_column")
    if level not in LEVELS:
        raise InputError(f"There is no level {level!r}.", code="unknown_level")
    columns = dict(wanted)
    if isinstance(as_of, str):
        columns["day"] = as_of
    missing = sorted(c for c in columns.values() if c is not None and c not in frame.columns)
    if missing:
        raise InputError(
            f"The table lacks the columns {missing}.",
            where=f"columns {frame.columns}",
            code="no_column",
        )
    day = pl.col(as_of).cast(pl.Date) if isinstance(as_of, str) else pl.lit(as_of)
    if isinstance(as_of, str) and frame.schema[as_of] not in (pl.Date, pl.Datetime, pl.Null):
        raise InputError(f"{as_of!r} is not a column of dates.", code="not_a_date")
    starts = versions().filter(pl.col("valid_from").is_not_null())
    version = pl.when(day.is_not_null()).then(pl.lit(VERSIONS[0]))
    for start, label in starts.select("valid_from", "version").iter_rows():
        version = pl.when(day >= start).then(pl.lit(label)).otherwise(version)  # type: ignore[assignment]
    parts = []
    for key, column in wanted.items():
        if column is None:
            parts.append(pl.lit(None, pl.String).alias(key))
            continue
        dtype = frame.schema[column]
        is_text = dtype in (pl.String, pl.Null) or (key != "name" and dtype.is_integer())
        if not is_text:
            raise InputError(
                f"{column!r} is {dtype}, not text.",
                remedy="Read it as text.",
                code="place_not_text",
            )
        text = pl.col(column).cast(pl.String).str.strip_chars()
        parts.append(pl.when(text != "").then(text).alias(key))
    return frame.select(*parts, version.alias("version"))


def _answer(queries: pl.DataFrame, level: str) -> pl.DataFrame:
    """One row per q: the five result columns."""
    queries = _with_codes(queries, level)
    places, place_notes = _with_parents(queries)
    matches = _matches(queries, places, level)
    rows = _decide(queries, matches, places, level)
    notes = (
        pl.concat([place_notes, rows.select("q", note="_notes").explode("note")])
        .drop_nulls()
        .unique()
        .sort("q", "note")
        .group_by("q", maintain_order=True)
        .agg(place_notes="note")
    )
    return (
        rows.drop("_notes")
        .join(notes, on="q", how="left", maintain_order="left")
        .with_columns(pl.col("place_notes").fill_null(pl.lit([], pl.List(pl.String))))
    )


def _with_codes(queries: pl.DataFrame, level: str) -> pl.DataFrame:
    """Add ``unit_code`` (padded, alias replaced) and ``code_note``."""
    width = {"commune": 5, "district": 3, "province": 2}[level]
    digits = pl.col("code").str.replace(r"\.0$", "")
    length = digits.str.len_chars()
    is_number = digits.str.contains(r"^\d+$")
    island = (level == "commune") & (length == 3) & digits.is_in(island_codes())
    padded = pl.when(is_number & ~island).then(digits.str.zfill(width)).otherwise(digits)
    table = code_aliases()
    alias = dict(table.filter(pl.col("code").is_not_null()).select("alias", "code").iter_rows())
    gone = table.filter(pl.col("code").is_null())["alias"].to_list()
    if level != "commune":
        alias, gone = {}, []
    queries = queries.with_columns(unit_code=padded)
    return queries.with_columns(
        unit_code=pl.col("unit_code").replace(alias) if alias else pl.col("unit_code"),
        code_notes=pl.concat_list(
            pl.when(pl.col("unit_code") != digits).then(pl.lit("code_padded")),
            pl.when(pl.col("unit_code").is_in(sorted(alias))).then(pl.lit("code_alias")),
            pl.when(pl.col("unit_code").is_in(gone)).then(pl.lit("code_abolished")),
        ).list.drop_nulls(),
    )


def _with_parents(queries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(q, part, parent code) for the parents that were written, and notes on unknown ones."""
    found, notes = [], []
    for part in ("district", "province"):
        written = queries.filter(pl.col(part).is_not_null()).select("q", text=part)
        index = spelling_index(part).select("tier", "key", "unit").unique()
        hits = (
            read_names(written, part)
            .join(index, on=["tier", "key"])
            .select("q", "tier", parent="unit")
        )
        width = 3 if part == "district" else 2
        numbers = written.filter(pl.col("text").str.contains(r"^\d+$")).select(
            "q", tier=pl.lit(0, pl.Int8), parent=pl.col("text").str.zfill(width)
        )
        known = numbers.filter(pl.col("parent").is_in(index["unit"].unique().to_list()))
        hits = pl.concat([hits, known])
        hits = (
            hits.filter(pl.col("tier") == pl.col("tier").min().over("q"))
            .select("q", "parent")
            .unique()
        )
        found.append(hits.with_columns(part=pl.lit(part)))
        unknown = written.join(hits, on="q", how="anti")
        notes.append(unknown.select("q", note=pl.lit(f"{part}_unknown")))
    return pl.concat(found), pl.concat(notes)


@lru_cache(maxsize=4)
def _parents(level: str) -> pl.DataFrame:
    """(version, unit, part, parent, is_own): the districts and provinces a unit may be written with."""
    old = VERSIONS[0]
    units = named_units(level)
    own = [
        units.select(
            "version", unit="code", part=pl.lit(part), parent=f"{part}_code", is_own=pl.lit(True)
        )
        for part in ("district", "province")
    ]
    links = _base_links()
    other = []
    if level == "commune":
        back = links.join(_old_communes(), left_on="from_code", right_on="code").select(
            "from_code", "to_code", "district_code", "province_code"
        )
        for version in VERSIONS[1:]:
            for part in ("district", "province"):
                other.append(
                    back.select(
                        version=pl.lit(version),
                        unit="to_code",
                        part=pl.lit(part),
                        parent=f"{part}_code",
                        is_own=pl.lit(part == "district"),
                    )
                )
    moved = links.filter(pl.col("from_code").str.len_chars() == 2).select(
        province_code="from_code", parent="to_code"
    )
    other.append(
        units.filter(pl.col("version") == old)
        .join(moved, on="province_code")
        .select(
            "version", unit="code", part=pl.lit("province"), parent="parent", is_own=pl.lit(False)
        )
    )
    return (
        pl.concat([*own, *other])
        .drop_nulls()
        .group_by("version", "unit", "part", "parent")
        .agg(pl.col("is_own").any())
    )


def _matches(queries: pl.DataFrame, places: pl.DataFrame, level: str) -> pl.DataFrame:
    """Every unit of any version whose name fits, with how well it fits.

    Columns: ``q``, ``u_version``, ``unit``, ``tier``, ``is_alias``, ``kind_off``, ``district_off``,
    ``province_off``, ``province_far``, ``distance`` (versions between it and the one in force).
    """
    written = queries.filter(pl.col("name").is_not_null(), pl.col("version").is_not_null())
    hits = read_names(written.select("q", text="name"), level).join(
        spelling_index(level), on=["tier", "key"], suffix="_unit"
    )
    is_district = pl.col("kind").fill_null("") == "huyện"
    if level == "commune":
        hits = hits.filter(~is_district | (pl.col("kind_unit") == "huyện"))
    hits = hits.with_columns(
        kind_off=pl.col("kind").is_not_null() & (pl.col("kind") != pl.col("kind_unit"))
    )
    hits = (
        hits.sort("q", "version", "unit", "kind_off", "tier", "is_alias")
        .unique(["q", "version", "unit"], keep="first", maintain_order=True)
        .select("q", "unit", "tier", "is_alias", "kind_off", u_version="version")
    )
    return _placed(hits, queries, places, level)


def _placed(
    hits: pl.DataFrame, queries: pl.DataFrame, places: pl.DataFrame, level: str
) -> pl.DataFrame:
    """Add how each (q, u_version, unit) fits the district, province and version of its query."""
    parents = _parents(level)
    for part in ("district", "province"):
        asked = places.filter(pl.col("part") == part).select("q", "parent")
        fits = (
            hits.select("q", "u_version", "unit")
            .join(asked, on="q")
            .join(
                parents.filter(pl.col("part") == part).drop("part"),
                left_on=["u_version", "unit", "parent"],
                right_on=["version", "unit", "parent"],
            )
            .group_by("q", "u_version", "unit")
            .agg(is_own=pl.col("is_own").any())
        )
        hits = (
            hits.join(fits, on=["q", "u_version", "unit"], how="left")
            .join(asked.select("q", asked=pl.lit(True)).unique(), on="q", how="left")
            .with_columns(
                (pl.col("asked").fill_null(False) & pl.col("is_own").is_null()).alias(
                    f"{part}_off"
                ),
                (~pl.col("is_own").fill_null(True)).alias(f"{part}_far"),
            )
            .drop("is_own", "asked")
        )
    order = dict(zip(VERSIONS, range(len(VERSIONS)), strict=True))
    number = pl.col("version").replace_strict(order, return_dtype=pl.Int8)
    own = pl.col("u_version").replace_strict(order, return_dtype=pl.Int8)
    return (
        hits.join(queries.select("q", "version"), on="q")
        .with_columns(distance=(own - number).abs())
        .drop("version", "district_far")
    )


def _decide(
    queries: pl.DataFrame, matches: pl.DataFrame, places: pl.DataFrame, level: str
) -> pl.DataFrame:
    """One row per query: unit, status, candidates, notes of the decision."""
    coded = (
        queries.filter(pl.col("unit_code").is_not_null(), pl.col("version").is_not_null())
        .select("q", unit="unit_code")
        .join(named_units(level).select(unit="code", u_version="version"), on="unit")
    )
    by_name = _grouped(matches)
    by_code = _grouped(_placed(coded, queries, places, level))
    rows = [
        _decide_one(query, by_name.get(query["q"], []), by_code.get(query["q"], []))
        for query in queries.iter_rows(named=True)
    ]
    return pl.DataFrame(
        rows,
        schema={
            "q": queries.schema["q"],
            "admin_code": pl.String(),
            "admin_version": pl.String(),
            "place_status": pl.String(),
            "candidates": CANDIDATES,
            "_notes": pl.List(pl.String()),
        },
        orient="row",
    )


def _grouped(frame: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in frame.sort("q", "unit", "u_version").iter_rows(named=True):
        groups.setdefault(row["q"], []).append(row)
    return groups


def _decide_one(query: _Row, named: list[_Row], coded: list[_Row]) -> tuple[Any, ...]:
    """Apply the rules to one query: *named* are the units its name fits, *coded* those of its code."""
    notes: list[str] = list(query["code_notes"] or [])
    has_code, has_name = query["unit_code"] is not None, query["name"] is not None
    if has_code and not coded and "code_abolished" not in notes:
        notes.append("code_unknown")
    status: str = "unknown"
    unit: _Row | None = None
    candidates: list[_Row] = []
    if query["version"] is None or not (named or coded):
        pass
    elif has_code and has_name:
        status, unit, candidates = _by_both(query, named, coded, notes)
    elif has_code:
        status, unit, candidates = _by_code(query, coded, notes)
    else:
        status, unit, candidates = _by_name(query, named, notes)
    own = (None, None) if unit is None else (unit["unit"], unit["u_version"])
    return query["q"], *own, status, candidates, notes


_Decision = tuple[str, _Row | None, list[_Row]]


def _by_code(query: _Row, coded: list[_Row], notes: list[str]) -> _Decision:
    best = min(coded, key=lambda m: (_is_off(m), m["distance"], m["u_version"]))
    notes.extend(_misfits(best))
    if _is_off(best):
        return "code_name_conflict", None, _as_they_are([best])
    if best["unit"] in _reused():
        notes.append("code_reused")
    status = "exact_code" if best["distance"] == 0 else "code_of_other_version"
    return status, best, _in_force(best, query["version"], notes)


def _by_both(query: _Row, named: list[_Row], coded: list[_Row], notes: list[str]) -> _Decision:
    both = [m for m in named if m["unit"] == query["unit_code"]]
    if both:
        best = min(both, key=lambda m: (m["kind_off"], *_rank(m)))
        notes.extend(_misfits(best))
        status = "exact_code" if best["distance"] == 0 else "name_of_other_version"
        return status, best, _in_force(best, query["version"], notes)
    nearest = sorted(coded, key=lambda m: (m["distance"], m["u_version"]))[:1]
    return "code_name_conflict", None, _as_they_are(_best(named) + nearest)


def _by_name(query: _Row, named: list[_Row], notes: list[str]) -> _Decision:
    group = _best(named)
    best = group[0]
    if _is_off(best):
        notes.extend(_misfits(best))
        return "ambiguous", None, _as_they_are(group)
    fitting = [m for m in named if not (_is_off(m) or m["kind_off"]) and m["unit"] != best["unit"]]
    if best["province_far"]:
        group = group + [m for m in fitting if not m["province_far"]]
    if len({(m["unit"], m["u_version"]) for m in group}) > 1:
        return "ambiguous", None, _as_they_are(group)
    notes.extend(_misfits(best))
    if best["distance"] > 0:
        return "name_of_other_version", best, _in_force(best, query["version"], notes)
    if any(m["tier"] <= 1 for m in fitting):
        notes.append("name_moved")
    is_exact = best["tier"] == 0 and not best["is_alias"] and not best["kind_off"]
    status = "exact_name" if is_exact else "folded_name"
    return status, best, _in_force(best, query["version"], notes)


def _is_off(match: _Row) -> bool:
    return bool(match["district_off"] or match["province_off"])


def _rank(match: _Row) -> tuple[Any, ...]:
    keys = ("kind_off", "distance", "tier", "is_alias")
    return (_is_off(match), *(match[k] for k in keys))


def _best(named: list[_Row]) -> list[_Row]:
    """All matches that share the best rank."""
    if not named:
        return []
    best = min(_rank(m) for m in named)
    return [m for m in named if _rank(m) == best]


def _misfits(match: _Row) -> list[str]:
    flags = {
        "district_mismatch": match["district_off"],
        "province_mismatch": match["province_off"],
        "province_of_other_version": match["province_far"],
        "kind_differs": match.get("kind_off"),
        "alias_name": match.get("is_alias"),
    }
    return [note for note, is_set in flags.items() if is_set]


def _as_they_are(matches: list[_Row]) -> list[_Row]:
    units = sorted({(m["unit"], m["u_version"]) for m in matches})
    return [
        {"code": c, "version": v, "weight": None, "full_name": _full_names()[c, v]}
        for c, v in units
    ]


def _in_force(match: _Row, version: str, notes: list[str]) -> list[_Row]:
    """What the unit is in *version*: itself, or its successors or predecessors."""
    unit, own = match["unit"], match["u_version"]
    if own == version:
        return [
            {"code": unit, "version": own, "weight": 1.0, "full_name": _full_names()[unit, own]}
        ]
    targets = _targets_of(own, version).get(unit, [])
    if len(targets) > 1:
        notes.append("one_to_many")
    return [
        {"code": c, "version": version, "weight": w, "full_name": _full_names().get((c, version))}
        for c, w in targets
    ]


@lru_cache(maxsize=8)
def _targets_of(own: str, version: str) -> dict[str, list[tuple[str, float | None]]]:
    targets: dict[str, list[tuple[str, float | None]]] = {}
    links = admin_links(from_version=own, to_version=version)
    for unit, target, weight in links.select("from_code", "to_code", "weight").iter_rows():
        targets.setdefault(unit, []).append((target, weight))
    return targets


@lru_cache(maxsize=1)
def _full_names() -> dict[tuple[str, str], str]:
    return {(c, v): n for c, v, n in _units().select("code", "version", "full_name").iter_rows()}


@lru_cache(maxsize=1)
def _reused() -> frozenset[str]:
    """Codes that denote another name or territory on the other side of 1 July 2025."""
    old, new = VERSIONS[:2]
    same = (
        _base_links()
        .filter(pl.col("from_code") == pl.col("to_code"), pl.col("relation") == "whole")
        .join(_base_links().group_by("to_code").len(), on="to_code")
        .filter(pl.col("len") == 1)["from_code"]
    )
    pair = (
        _units()
        .filter(pl.col("version") == old)
        .join(_units().filter(pl.col("version") == new), on=["code", "level"], suffix="_new")
        .filter(
            (pl.col("full_name") != pl.col("full_name_new")) | ~pl.col("code").is_in(same.implode())
        )
    )
    return frozenset(pair["code"])
