"""Make the shipped tables from the base source and the decisions.

What belongs here: reading PyPI ``vietnamadminunits`` 1.0.4 (MIT licence, facts only), applying
``data/decisions.csv``, ``data/area_corrections.csv`` and ``data/split_notes.csv``, and writing the CSV
files of ``data/``. What does not: the changes of 30 April 2026, which ``tables`` applies on loading from
``data/amendments.csv``, and anything needed at run time.

Run ``python -m htx_pipeline.reference.admin_units.build`` where that package is installed; the files
written are the same byte for byte.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from pathlib import Path
from typing import Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.reference.admin_units.audit import BaseTables, clean

DATA: Final = Path(__file__).parent / "data"
BASE_DISTRIBUTION: Final = "vietnamadminunits"


def base_folder() -> Path | None:
    """Return the data folder of the installed base package, or None; nothing is imported."""
    spec = importlib.util.find_spec(BASE_DISTRIBUTION)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "data"


def read_base(folder: Path) -> BaseTables:
    """Read the base package's database and its conversion keys.

    Parameters
    ----------
    folder:
        The package's ``data`` folder, with ``dataset.db`` and ``converter_2025.json``.

    Raises
    ------
    KeyError
        A conversion key of the package names no unit of the package.
    """
    connection = sqlite3.connect(folder / "dataset.db")
    try:
        legacy = pl.read_database(
            "select provinceCode, province, districtCode, district, wardCode, ward, "
            "provinceKey, districtKey, wardKey from admin_units_legacy",
            connection,
            infer_schema_length=None,
        )
        new = pl.read_database(
            "select provinceCode, province, wardCode, ward, wardAreaKm2, wardShort, provinceKey, wardKey "
            "from admin_units",
            connection,
            infer_schema_length=None,
        )
    finally:
        connection.close()

    old_code = {
        f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}": row["wardCode"]
        or row["districtCode"]
        for row in legacy.iter_rows(named=True)
    }
    new_code = {
        (p, w): code for p, w, code in new.select("provinceKey", "wardKey", "wardCode").iter_rows()
    }
    keys = json.loads((folder / "converter_2025.json").read_text(encoding="utf-8"))
    links: set[tuple[str, str]] = set()
    for province, targets in keys["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for target, sources in targets.items():
            links.update((old_code[source], new_code[province, target]) for source in sources)
    for province, sources in keys["DICT_PROVINCE_WARD_DIVIDED"].items():
        for source, targets in sources.items():
            links.update((old_code[source], new_code[province, t["newWardKey"]]) for t in targets)

    def names(frame: pl.DataFrame, **columns: str) -> pl.DataFrame:
        picked = frame.select(**columns).unique()
        return (
            picked.filter(pl.col("code").is_not_null())
            .with_columns(clean("full_name"))
            .sort("code")
        )

    return BaseTables(
        provinces_2024=names(legacy, code="provinceCode", full_name="province"),
        provinces_2025=names(new, code="provinceCode", full_name="province"),
        districts_2024=names(
            legacy, code="districtCode", province_code="provinceCode", full_name="district"
        ),
        communes_2024=names(
            legacy, code="wardCode", district_code="districtCode", full_name="ward"
        ),
        communes_2025=names(
            new,
            code="wardCode",
            province_code="provinceCode",
            full_name="ward",
            area_km2="wardAreaKm2",
        ),
        links=pl.DataFrame(sorted(links), schema=["from_code", "to_code"], orient="row"),
    )


def build(base: BaseTables, *, data: Path = DATA) -> dict[str, pl.DataFrame]:
    """Return the shipped tables by file name: the base with every decision applied.

    Raises
    ------
    InputError
        A decision no longer fits the base (it names a unit that is not there).
    """
    decisions = _read(data / "decisions.csv")

    def decided_names(topics: list[str]) -> dict[str, str]:
        rows = decisions.filter(
            pl.col("topic").is_in(topics), pl.col("decided") != pl.col("base_value")
        )
        return {r["code"]: r["decided"] for r in rows.iter_rows(named=True)}

    def renamed(frame: pl.DataFrame, topics: list[str]) -> pl.DataFrame:
        names = decided_names(topics)
        missing = set(names) - set(frame["code"])
        if missing:
            raise InputError(
                "A decision names a unit that the base source does not have.",
                where=f"decisions.csv: {sorted(missing)}",
                remedy="Run the audit again and decide anew.",
                code="stale_decision",
            )
        return frame.with_columns(
            full_name=pl.col("code").replace_strict(names, default=pl.col("full_name"))
        )

    links = {(f, t) for f, t in base.links.iter_rows()}
    for row in decisions.filter(pl.col("topic") == "link").iter_rows(named=True):
        pair = (row["code"], row["code_to"])
        (links.add if row["decided"] == "yes" else links.discard)(pair)
    notes = {
        (r["from_code"], r["to_code"]): (r["area_moves"], r["population_moves"])
        for r in _read(data / "split_notes.csv").iter_rows(named=True)
    }
    unknown = set(notes) - links
    if unknown:
        raise InputError(
            "A split note names a link that is not there.",
            where=f"split_notes.csv: {sorted(unknown)}",
            code="stale_decision",
        )
    targets: dict[str, int] = {}
    for old, _ in links:
        targets[old] = targets.get(old, 0) + 1
    link_rows = [
        (
            old,
            new,
            *(notes.get((old, new), ("some", "some")) if targets[old] > 1 else ("all", "all")),
        )
        for old, new in sorted(links)
    ]

    communes_2025 = _with_areas(
        renamed(base.communes_2025, ["commune_2025"]), _read(data / "area_corrections.csv")
    )
    aliases = _aliases(decisions)
    return {
        "provinces_2024.csv": renamed(base.provinces_2024, ["province_2024"]),
        "provinces_2025.csv": renamed(base.provinces_2025, ["province_2025"]),
        "districts_2024.csv": renamed(base.districts_2024, ["district_2024"]).select(
            "code", "province_code", "full_name"
        ),
        "communes_2024.csv": renamed(base.communes_2024, ["commune_2024"]).select(
            "code", "district_code", "full_name"
        ),
        "communes_2025.csv": communes_2025.select(
            "code", "province_code", "full_name", "area_km2", "area_source"
        ),
        "links.csv": pl.DataFrame(
            link_rows,
            schema=["from_code", "to_code", "area_moves", "population_moves"],
            orient="row",
        ),
        "aliases.csv": aliases,
    }


def _with_areas(communes: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """Keep an area only where it can be the unit's own.

    The base took areas by name: namesakes in different provinces have one figure. Such a figure belongs
    to one of them at most, so none of them keeps it unless another source states it.
    """
    short = pl.col("full_name").str.replace(r"^(Xã|Phường|Đặc khu) ", "").str.to_lowercase()
    rounded = pl.col("area_km2").round(1)
    is_own = (pl.len().over(short, rounded) == 1) & (pl.col("area_km2") > 0)
    stated = corrections.select(
        "code", stated=pl.col("area_km2").cast(pl.Float64), stated_by="area_source"
    )
    return communes.join(stated, on="code", how="left", maintain_order="left").with_columns(
        area_km2=pl.coalesce("stated", pl.when(is_own).then(pl.col("area_km2").round(4))),
        area_source=pl.coalesce("stated_by", pl.when(is_own).then(pl.lit("base"))),
    )


def _aliases(decisions: pl.DataFrame) -> pl.DataFrame:
    """Every published spelling that was not chosen, once per unit."""
    versions = {
        "commune_2024": "2024",
        "name": "2024",
        "district_2024": "2024",
        "commune_2025": "2025-07-01",
    }
    rows = set()
    chosen = {
        (r["topic"], r["code"]): r["decided"]
        for r in decisions.filter(pl.col("source") == "conversion_table").iter_rows(named=True)
    }
    for row in decisions.iter_rows(named=True):
        version = versions.get(row["topic"])
        if version is None or row["reason"] in ("code_misprint", "renamed_before_2025_07"):
            continue
        topic = "commune_2024" if row["topic"] == "name" else row["topic"]
        decided = chosen.get((topic, row["code"]), row["decided"])
        for name in (row["base_value"], row["source_value"]):
            if name and name != decided:
                source = "base" if name == row["base_value"] else row["source"]
                rows.add((row["code"], version, name, source))
    return (
        pl.DataFrame(sorted(rows), schema=["code", "version", "full_name", "source"], orient="row")
        .unique(["code", "version", "full_name"], keep="first", maintain_order=True)
        .sort("version", "code", "full_name")
    )


def _read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).fill_null("")


def main() -> None:
    """Write the tables."""
    folder = base_folder()
    if folder is None:
        raise SystemExit(
            str(
                InputError(
                    f"The package {BASE_DISTRIBUTION} is not installed.",
                    remedy=f"Install {BASE_DISTRIBUTION}==1.0.4 in this environment, then run again.",
                    code="base_missing",
                )
            )
        )
    for name, frame in build(read_base(folder)).items():
        frame.write_csv(DATA / name)
        print(f"{name}: {frame.height} rows")


if __name__ == "__main__":
    main()
