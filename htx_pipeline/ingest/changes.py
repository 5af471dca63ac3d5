"""What a corrected file changed against the version before it.

What belongs here: pairing the rows of two submissions and listing added rows, removed rows and changed
cells; taking the old rows out of a table and the new ones in. What does not: reading either file.

Named rules: rows are paired by key, the n-th of a repeated key with the n-th; what is left is paired by
sheet and row when at least half of the filled columns agree (a mended key); the rest is added or removed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest._scan import a1
from htx_pipeline.schemas import PERIOD, PROVENANCE, TABLES, Table

CHANGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "change": pl.String(),
    "key": pl.String(),
    "column": pl.String(),
    "label_vi": pl.String(),
    "old_value": pl.String(),
    "new_value": pl.String(),
    "old_sheet": pl.String(),
    "old_row": pl.Int64(),
    "old_cell": pl.String(),
    "new_sheet": pl.String(),
    "new_row": pl.Int64(),
    "new_cell": pl.String(),
}
"""``change`` is added, removed (whole rows; ``column`` null) or changed (one row per cell). Values as a
person reads them: dates dd/mm/yyyy, thousands with points, money in đồng."""

_NOT_COMPARED: Final = {
    PERIOD.name,
    *(c.name for c in PROVENANCE),
    "mapping_id",
    "source_priority",
    "is_party_list",
}

Places = Mapping[tuple[str, str], int]
"""(sheet, canonical column) → 1-based column of the sheet."""


def natural_key(table: Table) -> tuple[str, ...]:
    """Return the columns by which a sender's rows of a table are told apart.

    Examples
    --------
    >>> natural_key(TABLES["trainings"])
    ('name', 'course', 'starts_on')
    """
    stands_for = {
        "org_id": ("name",),
        "linkage_id": ("supplier_name", "buyer_name", "product_name", "contract_number"),
    }
    names = [n for k in table.key if k != "period" for n in stands_for.get(k, (k,))]
    return tuple(names)


def diff_submissions(
    old_rows: pl.DataFrame,
    new_rows: pl.DataFrame,
    *,
    key: Sequence[str],
    table: str | None = None,
    old_places: Places | None = None,
    new_places: Places | None = None,
    shown: Sequence[str] | None = None,
    is_paired_by_place: bool = True,
) -> pl.DataFrame:
    """List what the new rows change against the old.

    Parameters
    ----------
    old_rows, new_rows:
        Canonical rows with ``source_sheet`` and ``source_row`` (`read_sources`). Their order does not matter.
    key:
        Columns that tell rows apart; see `natural_key`.
    table:
        Canonical table, for labels.
    old_places, new_places:
        Where columns stand, for cell addresses; without them ``old_cell`` and ``new_cell`` are null.
    shown:
        Columns that name a row in the list; the key when left out.
    is_paired_by_place:
        Whether rows that no key pairs may be paired by sheet and row; not for a file that holds other
        rows than the old one at the same places.

    Returns
    -------
    DataFrame
        `CHANGE_SCHEMA`: removed, then added, then changed; each by sheet, row and column.

    Raises
    ------
    InputError
        When a key column is missing from either frame.

    Examples
    --------
    >>> old = pl.DataFrame({"name": ["A", "B"], "n": [1, 2], "source_sheet": ["S", "S"], "source_row": [2, 3]})
    >>> new = pl.DataFrame({"name": ["B", "A"], "n": [5, 1], "source_sheet": ["S", "S"], "source_row": [2, 3]})
    >>> diff_submissions(old, new, key=["name"]).select("change", "key", "column", "old_value", "new_value").rows()
    [('changed', 'B', 'n', '2', '5')]
    """
    for frame, which in ((old_rows, "old"), (new_rows, "new")):
        missing = [k for k in (*key, "source_sheet", "source_row") if k not in frame.columns]
        if missing:
            raise InputError(
                f"The {which} rows lack key columns.",
                where=", ".join(missing),
                remedy="Name columns that both submissions have.",
                code="key_missing",
            )
    old, new = (
        f.sort("source_sheet", "source_row", *key, nulls_last=True) for f in (old_rows, new_rows)
    )
    compared = [c for c in new.columns if c in old.columns and c not in _NOT_COMPARED]
    old_text, new_text = (
        [[_text(v) for v in f[c].to_list()] for c in compared] for f in (old, new)
    )
    named = key if shown is None else shown
    pairs = _pairs(old, new, key, old_text, new_text, is_by_place=is_paired_by_place)
    paired_old, paired_new = {i for i, _ in pairs}, {j for _, j in pairs}
    rows: list[dict[str, Any]] = []
    for i in (i for i in range(old.height) if i not in paired_old):
        rows.append({"change": "removed", "key": _key_text(old, i, named), **_at(old, i, "old")})
    for j in (j for j in range(new.height) if j not in paired_new):
        rows.append({"change": "added", "key": _key_text(new, j, named), **_at(new, j, "new")})
    labels = (
        {c.name: c.label_vi + (" (đồng)" if c.unit == "VND" else "") for c in TABLES[table].columns}
        if table is not None
        else {}
    )
    for i, j in sorted(pairs, key=lambda p: p[1]):
        for at, column in enumerate(compared):
            if old_text[at][i] != new_text[at][j]:
                rows.append(
                    {
                        "change": "changed", "key": _key_text(new, j, named), "column": column, "label_vi": labels.get(column),
                        "old_value": old_text[at][i], "new_value": new_text[at][j],
                        **_at(old, i, "old", column, old_places), **_at(new, j, "new", column, new_places),
                    }
                )  # fmt: skip
    return pl.DataFrame([{k: r.get(k) for k in CHANGE_SCHEMA} for r in rows], schema=CHANGE_SCHEMA)


def _pairs(
    old: pl.DataFrame,
    new: pl.DataFrame,
    key: Sequence[str],
    old_text: list[list[str | None]],
    new_text: list[list[str | None]],
    *,
    is_by_place: bool,
) -> list[tuple[int, int]]:
    waiting: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, values in enumerate(old.select(key).iter_rows()):
        waiting[values].append(i)
    pairs: list[tuple[int, int]] = []
    left: list[int] = []
    taken: dict[tuple[object, ...], int] = defaultdict(int)
    for j, values in enumerate(new.select(key).iter_rows()):
        n = taken[values]
        if n < len(waiting.get(values, ())):
            pairs.append((waiting[values][n], j))
            taken[values] = n + 1
        else:
            left.append(j)
    if not is_by_place:
        return pairs
    used = {i for i, _ in pairs}
    places = {
        p: i
        for i, p in enumerate(old.select("source_sheet", "source_row").iter_rows())
        if i not in used
    }
    at = new.select("source_sheet", "source_row").rows()
    for j in left:
        if at[j] not in places:
            continue
        i = places[at[j]]
        both = [
            (a[i], b[j])
            for a, b in zip(old_text, new_text, strict=True)
            if a[i] is not None or b[j] is not None
        ]
        if both and 2 * sum(a == b for a, b in both) >= len(both):
            pairs.append((i, j))
            del places[at[j]]
    return pairs


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, int):
        return f"{value:,}".replace(",", ".")
    if isinstance(value, float):
        whole, _, part = f"{value:,.6f}".rstrip("0").rstrip(".").partition(".")
        return whole.replace(",", ".") + (f",{part}" if part else "")
    return str(value)


def _key_text(frame: pl.DataFrame, row: int, key: Sequence[str]) -> str:
    return " · ".join(_text(frame[k][row]) or "–" for k in key)


def _at(
    frame: pl.DataFrame,
    row: int,
    which: str,
    column: str | None = None,
    places: Places | None = None,
) -> dict[str, Any]:
    sheet, number = frame["source_sheet"][row], frame["source_row"][row]
    col = places.get((sheet, column)) if places is not None and column is not None else None
    return {
        f"{which}_sheet": sheet,
        f"{which}_row": number,
        f"{which}_cell": a1(number, col) if col is not None else None,
    }


def replace_submission(
    rows: pl.DataFrame, new_rows: pl.DataFrame, *, old_sha256: str
) -> pl.DataFrame:
    """Take the rows of one file out of a table and put the rows of its new version in.

    Parameters
    ----------
    rows:
        Raw or canonical rows of several files.
    new_rows:
        Rows of the new version, the same columns.
    old_sha256:
        Hash of the version replaced; every other file's rows stay as they are.

    Examples
    --------
    >>> old = pl.DataFrame({"source_id": ["aa:S:2", "bb:S:2"], "source_file": ["a", "b"], "source_sheet": ["S", "S"], "source_row": [2, 2]})
    >>> new = old.head(1).with_columns(source_id=pl.lit("cc:S:2"))
    >>> replace_submission(old, new, old_sha256="aa")["source_id"].to_list()
    ['cc:S:2', 'bb:S:2']
    """
    kept = rows.filter(~pl.col("source_id").str.starts_with(f"{old_sha256[:16]}:"))
    return pl.concat([kept, new_rows.select(rows.columns)]).sort(
        "source_file", "source_sheet", "source_row", "source_id"
    )
