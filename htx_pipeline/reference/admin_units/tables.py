"""The shipped tables of administrative units, typed and cached.

What belongs here: reading ``data/*.csv`` once per process, applying the dated amendments, and the three
tables everything else asks: units, links between versions, spellings. What does not: names as people
write them (``resolve``) and tables of values (``convert``).

A *version* is a full snapshot of the units in force; the key of a unit is (``code``, ``version``), never
the code alone: 23504 is Xã Đăk Long in 2024 and Xã Đăk Pxi afterwards.
"""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import polars as pl

from htx_pipeline.errors import InputError

Level = Literal["province", "district", "commune"]

VERSIONS: Final = ("2024", "2025-07-01", "2026-04-30")
"""Known versions, oldest first; ``data/versions.csv`` has their dates and sources."""

LATEST: Final = VERSIONS[-1]
LEVELS: Final = ("province", "district", "commune")
KINDS: Final = (
    "thị trấn",
    "thị xã",
    "thành phố",
    "đặc khu",
    "phường",
    "huyện",
    "quận",
    "tỉnh",
    "xã",
)
DATA: Final = Path(__file__).parent / "data"

UNIT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "code": pl.String(),
    "version": pl.String(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "level": pl.String(),
    "kind": pl.String(),
    "name": pl.String(),
    "full_name": pl.String(),
    "district_code": pl.String(),
    "province_code": pl.String(),
    "district_2024_code": pl.String(),
    "province_2024_code": pl.String(),
    "area_km2": pl.Float64(),
}
"""Columns of a frame of units. ``district_code`` and ``province_code`` are the unit's own parents;
``district_2024_code`` and ``province_2024_code`` the former ones it lies in, null where it lies in
several. ``area_km2`` is null where no source is trusted."""

LINK_SCHEMA: Final[dict[str, pl.DataType]] = {
    "from_code": pl.String(),
    "to_code": pl.String(),
    "relation": pl.String(),
    "weight": pl.Float64(),
    "is_weight_known": pl.Boolean(),
    "population_weight": pl.Float64(),
    "n_targets": pl.UInt32(),
}
"""Columns of a frame of links. ``weight`` is the share of the *from* unit's area that lies in the *to*
unit (0..1), null where no source states it; ``population_weight`` the same for its people."""


def check_version(version: str) -> str:
    """Return *version* if it is a known one.

    Raises
    ------
    InputError
        Otherwise; the message lists the known versions.
    """
    if version not in VERSIONS:
        raise InputError(
            f"There is no version {version!r} of the administrative units.",
            why=f"Known versions: {', '.join(VERSIONS)}.",
            remedy="Use one of them, or version_for(date).",
            code="unknown_admin_version",
        )
    return version


def version_for(day: date) -> str:
    """Return the version of the administrative units in force on *day*.

    Every day up to 30 June 2025 has the version "2024" (units in force on that last day).

    Examples
    --------
    >>> version_for(date(2025, 6, 30)), version_for(date(2025, 7, 1)), version_for(date(2026, 8, 1))
    ('2024', '2025-07-01', '2026-04-30')
    """
    starts = versions().filter(pl.col("valid_from").is_null() | (pl.col("valid_from") <= day))
    return str(starts["version"][-1])


@lru_cache(maxsize=1)
def versions() -> pl.DataFrame:
    """Return the known versions: ``version``, ``valid_from``, ``valid_to`` (null: open), ``source``,
    ``note``; oldest first.

    Examples
    --------
    >>> versions()["version"].to_list()
    ['2024', '2025-07-01', '2026-04-30']
    """
    return _read("versions.csv").with_columns(
        pl.col("valid_from").str.to_date(), pl.col("valid_to").str.to_date()
    )


def admin_units(
    *,
    version: str | None = None,
    level: Level | None = None,
    province: str | None = None,
    province_2024: str | None = None,
) -> pl.DataFrame:
    """Return the administrative units of one version or of all.

    Parameters
    ----------
    version:
        One of ``VERSIONS``; None for all.
    level:
        ``"province"``, ``"district"`` (2024 only) or ``"commune"``; None for all.
    province:
        Code of the province as it is *in the unit's own version* ("51" is Quảng Ngãi alone in 2024, with
        the former Kon Tum afterwards).
    province_2024:
        Code of the province that the unit lay in up to 30 June 2025.

    Returns
    -------
    pl.DataFrame
        Columns of ``UNIT_SCHEMA``, sorted by version, level from province to commune, code.

    Raises
    ------
    InputError
        Unknown version, level, or province code.

    Examples
    --------
    >>> admin_units(version="2026-04-30", level="commune", province="51").height
    96
    >>> admin_units(version="2026-04-30", level="commune", province_2024="62").height
    40
    """
    frame = _units()
    if version is not None:
        frame = frame.filter(pl.col("version") == check_version(version))
    if level is not None:
        if level not in LEVELS:
            raise InputError(
                f"There is no level {level!r}.",
                why=f"Levels: {', '.join(LEVELS)}.",
                code="unknown_level",
            )
        frame = frame.filter(pl.col("level") == level)
    for column, code in (("province_code", province), ("province_2024_code", province_2024)):
        if code is not None:
            if code not in _units()[column].to_list():
                raise InputError(
                    f"There is no province with code {code!r}.",
                    remedy='Use the two-digit code as text, for example "51".',
                    code="unknown_province",
                )
            frame = frame.filter(pl.col(column) == code)
    return frame


def admin_links(*, from_version: str, to_version: str) -> pl.DataFrame:
    """Return how the communes and provinces of one version lie in those of another.

    Parameters
    ----------
    from_version, to_version:
        Two of ``VERSIONS``, in either direction, or the same twice.

    Returns
    -------
    pl.DataFrame
        Columns of ``LINK_SCHEMA``, sorted by ``from_code``, ``to_code``: ``relation`` is ``whole`` where
        all of the *from* unit lies in the *to* unit, else ``part``; ``n_targets`` how many *to* units the
        *from* unit has. Five island districts without communes stand for themselves ("536" → "21548").

    Notes
    -----
    No source gives the area of the parts of the split communes, so their ``weight`` is null unless a
    source says that all of the area, or none, moved. Backwards, a weight is known where the later unit
    has a single predecessor.

    Examples
    --------
    >>> links = admin_links(from_version="2024", to_version="2026-04-30")
    >>> links.filter(pl.col("from_code") == "23320").row(0)
    ('23320', '23317', 'whole', 1.0, True, 1.0, 1)
    """
    return _links(check_version(from_version), check_version(to_version))


@lru_cache(maxsize=16)
def _links(from_version: str, to_version: str) -> pl.DataFrame:
    old = VERSIONS[0]
    if old not in (from_version, to_version) or from_version == to_version:
        codes = _units().filter(pl.col("version") == from_version).select("code").unique()
        frame = codes.select(
            from_code="code",
            to_code="code",
            relation=pl.lit("whole"),
            weight=pl.lit(1.0),
            population_weight=pl.lit(1.0),
        )
    else:
        forward = _base_links()
        if from_version == old:
            frame = forward
        else:
            alone = pl.len().over("from_code") == 1
            known = pl.when(alone).then(1.0)
            frame = forward.select(from_code="to_code", to_code="from_code").with_columns(
                relation=pl.when(alone).then(pl.lit("whole")).otherwise(pl.lit("part")),
                weight=known,
                population_weight=known,
            )
    return (
        frame.with_columns(
            is_weight_known=pl.col("weight").is_not_null(), n_targets=pl.len().over("from_code")
        )
        .select(*LINK_SCHEMA)
        .cast(pl.Schema(LINK_SCHEMA))
        .sort("from_code", "to_code")
    )


@lru_cache(maxsize=1)
def _base_links() -> pl.DataFrame:
    communes = _read("links.csv").with_columns(
        relation=pl.when((pl.col("area_moves") == "all") & (pl.col("population_moves") == "all"))
        .then(pl.lit("whole"))
        .otherwise(pl.lit("part")),
        weight=pl.col("area_moves").replace_strict(
            {"all": 1.0, "none": 0.0}, default=None, return_dtype=pl.Float64
        ),
        population_weight=pl.when(
            pl.col("population_moves").is_in(["all", "none"]).all().over("from_code")
            & ((pl.col("population_moves") == "all").sum().over("from_code") == 1)
        ).then((pl.col("population_moves") == "all").cast(pl.Float64)),
    )
    one = {"relation": pl.lit("whole"), "weight": pl.lit(1.0), "population_weight": pl.lit(1.0)}
    provinces = (
        communes.join(_old_communes(), left_on="from_code", right_on="code")
        .join(_read("communes_2025.csv"), left_on="to_code", right_on="code", suffix="_new")
        .select(from_code="province_code", to_code="province_code_new")
        .unique()
        .with_columns(**one)
    )
    columns = ["from_code", "to_code", *one]
    return pl.concat([communes.select(columns), provinces.select(columns)])


@lru_cache(maxsize=1)
def _old_communes() -> pl.DataFrame:
    """2024 communes, and districts that have none, with both parents."""
    districts = _read("districts_2024.csv").select(
        district_code="code", province_code="province_code"
    )
    communes = _read("communes_2024.csv").join(districts, on="district_code")
    empty = districts.join(communes, on="district_code", how="anti").with_columns(
        code="district_code"
    )
    return pl.concat(
        [communes.select("code", "district_code", "province_code"), empty], how="diagonal"
    )


@lru_cache(maxsize=1)
def _units() -> pl.DataFrame:
    former = (
        _read("links.csv")
        .join(_old_communes(), left_on="from_code", right_on="code")
        .group_by(code="to_code")
        .agg(
            *(
                pl.when(pl.col(c).n_unique() == 1)
                .then(pl.col(c).first())
                .alias(f"{short}_2024_code")
                for c, short in (("district_code", "district"), ("province_code", "province"))
            )
        )
    )
    old = [
        _read("provinces_2024.csv").with_columns(
            level=pl.lit("province"), province_code="code", province_2024_code="code"
        ),
        _read("districts_2024.csv").with_columns(
            level=pl.lit("district"),
            district_code="code",
            district_2024_code="code",
            province_2024_code="province_code",
        ),
        _read("communes_2024.csv")
        .join(
            _read("districts_2024.csv").select(district_code="code", province_code="province_code"),
            on="district_code",
        )
        .with_columns(
            level=pl.lit("commune"),
            district_2024_code="district_code",
            province_2024_code="province_code",
        ),
    ]
    frames = [f.with_columns(version=pl.lit(VERSIONS[0])) for f in old]
    alone = (
        _base_links()
        .filter(pl.col("from_code").str.len_chars() == 2)
        .group_by(code="to_code")
        .agg(province_2024_code=pl.when(pl.len() == 1).then(pl.col("from_code").first()))
    )
    amendments = _read("amendments.csv")
    for version in VERSIONS[1:]:
        names = dict(
            amendments.filter(pl.col("version") <= version)
            .sort("version")
            .select("code", "full_name_after")
            .iter_rows()
        )
        amended = pl.col("code").replace_strict(
            names, default=pl.col("full_name"), return_dtype=pl.String
        )
        for frame in (
            _read("provinces_2025.csv")
            .join(alone, on="code", how="left")
            .with_columns(level=pl.lit("province"), province_code="code"),
            _read("communes_2025.csv")
            .join(former, on="code", how="left")
            .with_columns(level=pl.lit("commune"), area_km2=pl.col("area_km2").cast(pl.Float64)),
        ):
            frames.append(frame.with_columns(version=pl.lit(version), full_name=amended))
    kinds = "|".join(KINDS)
    return (
        pl.concat(frames, how="diagonal")
        .join(versions().select("version", "valid_from", "valid_to"), on="version")
        .with_columns(kind=pl.col("full_name").str.to_lowercase().str.extract(rf"^({kinds}) "))
        .with_columns(
            name=pl.col("full_name").str.slice(pl.col("kind").str.len_chars() + 1),
            order=pl.col("level").replace_strict(dict(zip(LEVELS, range(3), strict=True))),
        )
        .sort("version", "order", "code")
        .select(*UNIT_SCHEMA)
        .cast(pl.Schema(UNIT_SCHEMA))
    )


@lru_cache(maxsize=1)
def aliases() -> pl.DataFrame:
    """Return other published spellings: ``code``, ``version`` (first one it applies to),
    ``full_name``, ``source``."""
    return _read("aliases.csv")


@lru_cache(maxsize=1)
def code_aliases() -> pl.DataFrame:
    """Return codes that a published list uses for a unit known by another code, or that were abolished.

    Columns: ``alias``, ``code`` (null: abolished before 1 July 2025, successor not established),
    ``full_name`` as that list has it, ``source``.
    """
    decisions = decided()
    own = decisions.filter(
        pl.col("topic").is_in(["code", "code_2026"]) & pl.col("base_value").is_null()
    )
    return own.select(alias="code", code="decided", full_name="source_value", source="source")


def decided() -> pl.DataFrame:
    """Return the disagreements between the sources and how each was decided.

    Columns: ``topic``, ``code``, ``code_to``, ``source``, ``base_value``, ``source_value``,
    ``decided``, ``reason``, and of the reason ``explanation_en``, ``explanation_vi``,
    ``is_verified``, ``remove_when``.
    """
    reasons = _read("reasons.csv").select(
        "reason", "explanation_en", "explanation_vi", "is_verified", "remove_when"
    )
    return _read("decisions.csv").join(reasons, on="reason", how="left", maintain_order="left")


class OldDistrict(NamedTuple):
    """The 2024 district a unit lies in: ``code`` and ``full_name`` are null unless ``is_exact``;
    ``candidates`` are the codes of all districts it touches."""

    code: str | None
    full_name: str | None
    is_exact: bool
    candidates: tuple[str, ...]


@lru_cache(maxsize=4)
def old_districts(version: str = LATEST) -> pl.DataFrame:
    """Return for each commune of *version* the 2024 district that continues as an aggregation.

    Returns
    -------
    pl.DataFrame
        ``code``, ``version``, ``district_code`` and ``district_full_name`` (null unless exact),
        ``is_exact``, ``candidates`` (list of district codes, sorted); sorted by ``code``.

    Examples
    --------
    >>> old_districts("2026-04-30").filter(pl.col("code") == "23504").select("district_full_name").item()
    'Huyện Đăk Hà'
    """
    version = check_version(version)
    districts = _units().filter(pl.col("version") == VERSIONS[0], pl.col("level") == "district")
    names = districts.select(district_code="code", district_full_name="full_name")
    links = _links(version, VERSIONS[0]).filter(pl.col("from_code").str.len_chars() != 2)
    return (
        links.join(_old_communes(), left_on="to_code", right_on="code")
        .group_by(code="from_code")
        .agg(candidates=pl.col("district_code").unique().sort())
        .with_columns(is_exact=pl.col("candidates").list.len() == 1, version=pl.lit(version))
        .with_columns(district_code=pl.when("is_exact").then(pl.col("candidates").list.first()))
        .join(names, on="district_code", how="left")
        .select("code", "version", "district_code", "district_full_name", "is_exact", "candidates")
        .sort("code")
    )


def old_district_of(code: str, version: str = LATEST) -> OldDistrict:
    """Return the 2024 district of a commune; never one district where it lies in several.

    Raises
    ------
    InputError
        No commune has this code in this version.

    Examples
    --------
    >>> old_district_of("23504", "2026-04-30")
    OldDistrict(code='615', full_name='Huyện Đăk Hà', is_exact=True, candidates=('615',))
    """
    row = old_districts(version).filter(pl.col("code") == code)
    if row.is_empty():
        raise InputError(
            f"No commune has the code {code!r} in version {version}.",
            remedy="Check code and version; codes are text with five digits.",
            code="unknown_admin_code",
        )
    found = row.row(0, named=True)
    return OldDistrict(
        found["district_code"],
        found["district_full_name"],
        found["is_exact"],
        tuple(found["candidates"]),
    )


@cache
def _read(file: str) -> pl.DataFrame:
    return pl.read_csv(DATA / file, infer_schema=False).with_columns(pl.all().replace("", None))
