"""What the sources say differently about administrative units, found mechanically.

What belongs here: the comparison of four published sources, as one table of disagreements, in an
order and with keys that ``data/decisions.csv`` mirrors line by line. What does not: deciding
(``data/decisions.csv`` names a reason for each line, ``data/reasons.csv`` explains it) and reading
the sources' files.

Text is compared after Unicode NFC and collapsing of spaces; every other difference counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

DISAGREEMENT_KEY: Final = ("topic", "code", "code_to", "source", "base_value", "source_value")
"""Columns that identify a disagreement: two listings agree when these are equal as sets."""


@dataclass(frozen=True)
class BaseTables:
    """The base source (PyPI ``vietnamadminunits``) as plain frames of text.

    Attributes
    ----------
    provinces_2024, provinces_2025:
        ``code``, ``full_name``.
    districts_2024:
        ``code``, ``province_code``, ``full_name``.
    communes_2024:
        ``code``, ``district_code``, ``full_name``.
    communes_2025:
        ``code``, ``province_code``, ``full_name``, ``area_km2``.
    links:
        ``from_code`` (commune, or a district without communes), ``to_code``.
    """

    provinces_2024: pl.DataFrame
    provinces_2025: pl.DataFrame
    districts_2024: pl.DataFrame
    communes_2024: pl.DataFrame
    communes_2025: pl.DataFrame
    links: pl.DataFrame


def clean(column: str) -> pl.Expr:
    """Return *column* as NFC text without stray spaces; empty text is null."""
    text = pl.col(column).str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def disagreements(
    base: BaseTables,
    *,
    conversion_table: pl.DataFrame,
    communes_2025_01: pl.DataFrame,
    communes_2026: pl.DataFrame,
    provinces_2026: pl.DataFrame,
) -> pl.DataFrame:
    """List everything in which a published source differs from the base tables.

    Parameters
    ----------
    base:
        The base tables.
    conversion_table:
        The official old → new table: ``new_province_code``, ``new_province``, ``new_commune_code``,
        ``new_commune``, ``old_commune_code``, ``old_commune``, ``note``, ``old_district_code``,
        ``old_district``, ``old_province_code``, ``old_province``.
    communes_2025_01:
        The statistics office's list of 4 January 2025: ``Mã QH``, ``Mã PX``, ``Phường Xã``.
    communes_2026:
        The list in force since 30 April 2026: ``commune_code``, ``full_name``, ``province_code``.
    provinces_2026:
        The same for provinces: ``province_code``, ``full_name``.

    Returns
    -------
    pl.DataFrame
        ``topic`` (link, commune_2024, parent_2024, district_2024, province_2024, commune_2025,
        province_2025, uncoded_part, code, name, name_2026, code_2026, province_2026),
        ``code``, ``code_to``, ``source`` (conversion_table, list_2025_01, list_2026),
        ``base_value``, ``source_value``; sorted, unique.
    """
    table = conversion_table.select(clean(c) for c in conversion_table.columns)
    coded = table.filter(pl.col("old_commune_code").is_not_null())
    january = (
        communes_2025_01.select(clean(c) for c in ("Mã QH", "Mã PX", "Phường Xã"))
        .rename({"Mã QH": "district_code", "Mã PX": "code", "Phường Xã": "full_name"})
        .filter(pl.col("code").is_not_null())
    )
    current = communes_2026.select(clean(c) for c in ("commune_code", "full_name", "province_code"))
    current_provinces = provinces_2026.select(clean(c) for c in ("province_code", "full_name"))

    official, listed, now = "conversion_table", "list_2025_01", "list_2026"
    rows: list[tuple[str, ...]] = [
        *(
            ("link", old, new, official, *values)
            for old, new, *values in _link_differences(base, table)
        ),
        *_uncoded_parts(table),
    ]
    names = [
        (
            "commune_2024",
            "commune_2024",
            official,
            base.communes_2024,
            coded,
            "old_commune_code",
            "old_commune",
        ),
        (
            "district_2024",
            "district_2024",
            official,
            base.districts_2024,
            table,
            "old_district_code",
            "old_district",
        ),
        (
            "province_2024",
            "province_2024",
            official,
            base.provinces_2024,
            table,
            "old_province_code",
            "old_province",
        ),
        (
            "commune_2025",
            "commune_2025",
            official,
            base.communes_2025,
            table,
            "new_commune_code",
            "new_commune",
        ),
        (
            "province_2025",
            "province_2025",
            official,
            base.provinces_2025,
            table,
            "new_province_code",
            "new_province",
        ),
        ("name", "code", listed, base.communes_2024, january, "code", "full_name"),
        ("name_2026", "code_2026", now, base.communes_2025, current, "commune_code", "full_name"),
        (
            "province_2026",
            "province_2026",
            now,
            base.provinces_2025,
            current_provinces,
            "province_code",
            "full_name",
        ),
    ]
    for topic, code_topic, source, ours, theirs, code, name in names:
        for unit, our_name, their_name in _name_differences(
            ours, theirs.select(code=code, full_name=name)
        ):
            kind = topic if our_name and their_name else code_topic
            rows.append((kind, unit, "", source, our_name, their_name))

    place = pl.concat_str("province_code", "district_code", separator="/")
    old = base.communes_2024.join(
        base.districts_2024.select("province_code", district_code="code"), on="district_code"
    )
    written = coded.select(
        code="old_commune_code",
        district_code="old_district_code",
        province_code="old_province_code",
    )
    parents = [
        (
            "parent_2024",
            official,
            old.select("code", parent=place),
            written.select("code", parent=place),
        ),
        (
            "parent_2024",
            listed,
            old.select("code", parent="district_code"),
            january.select("code", parent="district_code"),
        ),
        (
            "parent_2025",
            official,
            base.communes_2025.select("code", parent="province_code"),
            table.select(code="new_commune_code", parent="new_province_code"),
        ),
        (
            "parent_2026",
            now,
            base.communes_2025.select("code", parent="province_code"),
            current.select(code="commune_code", parent="province_code"),
        ),
    ]
    for topic, source, ours, theirs in parents:
        both = ours.join(theirs.unique(), on="code", suffix="_there").filter(
            pl.col("parent") != pl.col("parent_there")
        )
        rows.extend(
            (topic, unit, "", source, here, there) for unit, here, there in both.iter_rows()
        )

    return pl.DataFrame(
        sorted(set(rows)), schema=dict.fromkeys(DISAGREEMENT_KEY, pl.String()), orient="row"
    )


def _link_differences(base: BaseTables, table: pl.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """Yield (from, to, yes or no here, yes or no there) for links only one of the two has."""
    ours = set(base.links.select("from_code", "to_code").iter_rows())
    empty_districts = {code for code, _ in ours} - set(base.communes_2024["code"])
    theirs = set()
    pairs = table.select("old_commune_code", "new_commune_code", "old_district_code")
    for old, new, district in pairs.iter_rows():
        if old is not None:
            theirs.add((old, new))
        elif district in empty_districts:
            theirs.add((district, new))
    for old, new in ours ^ theirs:
        yield old, new, *(("yes", "no") if (old, new) in ours else ("no", "yes"))


def _uncoded_parts(table: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    uncoded = table.filter(pl.col("old_commune_code").is_null())
    for row in uncoded.iter_rows(named=True):
        name = row["old_commune"] or row["old_district"]
        yield (
            "uncoded_part",
            row["old_district_code"],
            row["new_commune_code"],
            "conversion_table",
            "",
            name,
        )


def _name_differences(ours: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield (code, our name, their name); a name is empty where the code is missing there."""
    our_names = dict(ours.select("code", clean("full_name")).iter_rows())
    their_names: dict[str, set[str]] = defaultdict(set)
    for code, name in theirs.select("code", "full_name").iter_rows():
        their_names[code].add(name or "")
    for code in our_names.keys() | their_names.keys():
        names = their_names.get(code, {""})
        for name in names:
            if name != our_names.get(code, ""):
                yield code, our_names.get(code, ""), name
