"""The rows of core tables, found by number: what they say is laid out once, then every figure asks.

What belongs here: a table as arrays (`TableRows`), sets of its rows (`RowSet`), and what is derived once
for all rows of a year: places, evidence, clusters, stages (`Year`). What does not: which rows make a
figure (`places`, `indicators`, `clusters`, `quality`).

A row is its position in the table sorted by file, sheet and row; a set of rows is an array of positions
in ascending order. Sets that are equal are one object, so that what is said of a set is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.metrics.communes import current_communes
from htx_pipeline.metrics.linkage import LEVELS, participation
from htx_pipeline.report.frames import EARLIER, Frames

Positions = np.ndarray[Any, np.dtype[np.int32]]

NONE: Final[Positions] = np.empty(0, dtype=np.int32)
COOPERATIVES: Final = ("htx", "lhhtx", "tht")

_EDGE: Final = ["period", "supplier_id", "buyer_id", "product_code", "evidence"]


class RowSet:
    """Rows of one table: their positions, and the places in source files where they stand."""

    __slots__ = ("_entries", "at", "number", "table")

    def __init__(self, table: TableRows, at: Positions, number: int) -> None:
        self.table = table
        self.at = at
        self.number = number
        self._entries: list[dict[str, Any]] | None = None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.at)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return one entry for each file and sheet (and rule, where rows are rejected ones)."""
        if self._entries is None:
            self._entries = self.table.entries(self.at)
        return self._entries


class TableRows:
    """One table as arrays, in the order of its sources.

    Parameters
    ----------
    key:
        What the table is called in a trace: "linkages", "linkages 2024", "reference/targets".
    frame:
        Its rows; those without a source have none in the trace.
    """

    def __init__(self, key: str, frame: pl.DataFrame) -> None:
        columns = ["source_file", "source_sheet", "source_row", "source_id"]
        missing = [pl.lit(None).alias(c) for c in columns if c not in frame.columns]
        frame = frame.with_columns(missing)
        self.key = key
        self.frame = frame.sort(*columns, nulls_last=True) if frame.height else frame
        self.height = frame.height
        self._groups: dict[str, dict[Any, Positions]] = {}
        self._arrays: dict[str, Any] = {}
        self._equal: dict[tuple[str, Any], Any] = {}
        self._sets: dict[bytes, RowSet] = {}

    # ------------------------------------------------------------------ what rows say

    def array(self, name: str) -> Any:
        """Return a column as an array; numbers as numbers, all else as objects."""
        if name not in self._arrays:
            series = self.frame[name] if name in self.frame.columns else pl.Series([None] * self.height)  # fmt: skip
            if series.dtype == pl.Null or not series.dtype.is_numeric():
                made = np.array(series.to_list(), dtype=object) if self.height else np.empty(0, object)  # fmt: skip
            else:
                made = series.to_numpy()
            self._arrays[name] = made
        return self._arrays[name]

    def put(self, name: str, values: Any) -> None:
        """Add what was derived for each row."""
        self._arrays[name] = values

    @property
    def derived(self) -> Mapping[str, Any]:
        """Return the arrays laid out so far."""
        return self._arrays

    def stated(self, name: str) -> Any:
        """Return whether a column has a value, row by row."""
        key = f"{name} is stated"
        if key not in self._arrays:
            if name in self.frame.columns:
                self._arrays[key] = self.frame[name].is_not_null().to_numpy()
            else:
                self._arrays[key] = np.full(self.height, name in self._arrays)
        return self._arrays[key]

    def numbers(self, name: str) -> Any:
        """Return a column of numbers with 0 where nothing is stated."""
        key = f"{name} or 0"
        if key not in self._arrays:
            if name in self.frame.columns:
                self._arrays[key] = self.frame[name].fill_null(0).to_numpy()
            else:
                self._arrays[key] = self._arrays.get(name, np.zeros(self.height))
        return self._arrays[key]

    # ------------------------------------------------------------------ finding rows

    @cached_property
    def all(self) -> Positions:
        """Return all rows."""
        return np.arange(self.height, dtype=np.int32)

    def by(self, name: str, value: Any) -> Positions:
        """Return the rows with one value in a column (or derived array)."""
        if name not in self._groups:
            self._groups[name] = _grouped(self.array(name))
        return self._groups[name].get(value, NONE)

    def eq(self, name: str, value: Any) -> Any:
        """Return which rows have one value in a column of few values."""
        key = (name, value)
        if key not in self._equal:
            mask = np.zeros(self.height, dtype=bool)
            mask[self.by(name, value)] = True
            self._equal[key] = mask
        return self._equal[key]

    def having(self, name: str, values: Any) -> Positions:
        """Return the rows with any of some values, in order."""
        found = [self.by(name, v) for v in dict.fromkeys(values)]
        found = [f for f in found if len(f)]
        if not found:
            return NONE
        return found[0] if len(found) == 1 else np.sort(np.concatenate(found))

    def where(self, at: Positions, *tests: Any) -> Positions:
        """Return those of *at* for which all arrays of truth values hold."""
        for test in tests:
            at = at[test[at]]
        return at

    def union(self, sets: Sequence[RowSet]) -> RowSet:
        """Return the rows of any of several sets."""
        if len(sets) == 1:
            return sets[0]
        mask = np.zeros(self.height, dtype=bool)
        for rows in sets:
            mask[rows.at] = True
        return self.set(np.flatnonzero(mask).astype(np.int32))

    def set(self, at: Positions) -> RowSet:
        """Return the one object for these rows."""
        key = at.tobytes()
        if key not in self._sets:
            self._sets[key] = RowSet(self, at, len(self._sets))
        return self._sets[key]

    # ------------------------------------------------------------------ where they stand

    @cached_property
    def _places(self) -> tuple[list[dict[str, Any]], Any, Any]:
        by = ["source_file", "source_sheet", "_file_id"]
        by += [c for c in ("rule", "reason", "remedy") if c in self.frame.columns]
        frame = self.frame.with_columns(
            _file_id=pl.col("source_id").cast(pl.String).str.split(":").list.first()
        )
        places = frame.select(by).unique(maintain_order=True).with_row_index("at")
        codes = frame.select(by).join(
            places, on=by, how="left", nulls_equal=True, maintain_order="left"
        )
        rows = frame["source_row"].cast(pl.Int64).fill_null(-1).to_numpy()
        return places.to_dicts(), codes["at"].to_numpy(), rows

    def entries(self, at: Positions) -> list[dict[str, Any]]:
        """Return the places of rows: file, sheet and ranges of row numbers."""
        if not len(at):
            return []
        listed, place_of, row_of = self._places
        places = place_of[at]
        order = np.argsort(places, kind="stable")
        places, at = places[order], at[order]
        cuts = np.flatnonzero(places[1:] != places[:-1]) + 1
        found = []
        for part in np.split(at, cuts):
            place = listed[place_of[part[0]]]
            rows = row_of[part]
            found.append(
                {
                    "table": self.key, "rule": place.get("rule"), "reason": place.get("reason"),
                    "remedy": place.get("remedy"), "file": place["source_file"], "sheet": place["source_sheet"],
                    "file_id": place["_file_id"], "rows": ranges(rows[rows >= 0]), "n": len(rows),
                }
            )  # fmt: skip
        return found


def _grouped(values: Any) -> dict[Any, Positions]:
    """Return value → positions, in one pass."""
    found: dict[Any, list[int]] = {}
    for at, value in enumerate(values.tolist()):
        found.setdefault(value, []).append(at)
    return {value: np.array(at, dtype=np.int32) for value, at in found.items()}


def ranges(numbers: Any) -> str:
    """Return row numbers as ranges.

    Examples
    --------
    >>> ranges([9, 2, 3, 4, 5])
    '2–5, 9'
    """
    found = np.unique(np.fromiter(numbers, dtype=np.int64))
    if not len(found):
        return ""
    cuts = np.flatnonzero(np.diff(found) > 1)
    starts = found[np.concatenate(([0], cuts + 1))].tolist()
    ends = found[np.concatenate((cuts, [len(found) - 1]))].tolist()
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True))


def numbers(shown: str) -> list[int]:
    """Return the row numbers of ranges, the reverse of `ranges`.

    Examples
    --------
    >>> numbers("2–4, 9")
    [2, 3, 4, 9]
    """
    found: list[int] = []
    for part in filter(None, shown.split(", ")):
        first, _, last = part.partition("–")
        found.extend(range(int(first), int(last or first) + 1))
    return found


class Year:
    """The core rows of one year, with what the measures derive of each row.

    Parameters
    ----------
    frames:
        The frames of the report.
    period:
        The year; an earlier one is read from the frames whose keys begin with `frames.EARLIER`.
    """

    def __init__(self, frames: Frames, period: str) -> None:
        self._frames = frames
        self.period = period
        self._prefix = "" if period == frames.period else f"{EARLIER}{period}/"
        self._suffix = "" if period == frames.period else f" {period}"
        self._tables: dict[str, TableRows] = {}
        self.kept: dict[Any, Any] = {}
        """What rules have made of this year, by what they asked."""

    def frame(self, key: str, *columns: str) -> pl.DataFrame:
        """Return a frame of this year with at least *columns*."""
        return self._frames.frame(f"{self._prefix}{key}", *columns)

    @property
    def has_rows(self) -> bool:
        """Return whether any core row of the year is at hand."""
        return self.frame("core/organisations").height > 0

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what *make* made the first time *key* was asked for."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def table(self, name: str, *, is_rejected: bool = False) -> TableRows:
        """Return a core table, or the rows of it that were rejected, with rule, reason and remedy."""
        key = f"{name}_rejected" if is_rejected else name
        if key not in self._tables:
            frame = self.frame(f"core/{key}", "source_id", "source_file", "source_sheet", "source_row")  # fmt: skip
            if is_rejected and frame.height:
                frame = frame.join(self.first_errors(name), on="source_id", how="left").with_columns(
                    pl.col("rule").fill_null("unknown")
                )  # fmt: skip
            self._tables[key] = TableRows(f"{name}{self._suffix}", frame)
        return self._tables[key]

    def put(self, key: str, frame: pl.DataFrame) -> TableRows:
        """Add a table that is not a core table: reference data, findings."""
        if key not in self._tables:
            self._tables[key] = TableRows(key, frame)
        return self._tables[key]

    def first_errors(self, table: str) -> pl.DataFrame:
        """Return the error that rejected each row: the first in the order of the ledger's rules."""
        wanted = ("table", "severity", "source_id", "rule_id", "reason_vi", "remedy_vi")
        keys = ("core/findings", f"core/{table}_findings")
        parts = [f for key in keys if (f := self.frame(key, *wanted)).height]
        if not parts:
            return pl.DataFrame(
                schema=dict.fromkeys(("source_id", "rule", "reason", "remedy"), pl.String)
            )
        ledger = self.frame("core/ledger", "table", "rule_id")
        order = {r: i for i, r in enumerate(ledger.filter(pl.col("table") == table)["rule_id"].to_list())} if ledger.height else {}  # fmt: skip
        found = pl.concat(
            [
                f.filter((pl.col("table") == table) & pl.col("severity").is_in(["error", "critical"])).select(
                    pl.col("source_id").cast(pl.String), rule="rule_id", reason="reason_vi", remedy="remedy_vi"
                )
                for f in parts
            ]
        )  # fmt: skip
        rank = pl.col("rule").replace_strict(order, default=len(order), return_dtype=pl.Int64)
        return found.sort(rank, "rule", "reason").unique(
            "source_id", keep="first", maintain_order=True
        )

    # ------------------------------------------------------------------ organisations

    @cached_property
    def organisations(self) -> TableRows:
        """Return the register, with ``is_htx``, ``commune``, ``agri``, levels, ``cluster``, ``stage``."""
        table = self.table("organisations")
        self._describe(table, is_rejected=False)
        levels = participation(
            self._register(table), self._edges()
        ).select("org_id", "is_agricultural", "level", "chain_level", "offtake_level", "enterprise_level")  # fmt: skip
        found = table.frame.select("org_id").join(
            levels, on="org_id", how="left", maintain_order="left"
        )
        table.put("agri", found["is_agricultural"].fill_null(value=False).to_numpy())
        table.put("has_vsic", found["is_agricultural"].is_not_null().to_numpy())
        for name in ("level", "chain_level", "offtake_level", "enterprise_level"):
            table.put(name, found[name].fill_null(0).to_numpy())
        table.put("cluster", _looked_up(table.array("org_id"), self.cluster_of))
        table.put("stage", _looked_up(table.array("org_id"), self.stage_of))
        return table

    def _describe(self, table: TableRows, *, is_rejected: bool) -> None:
        kind = table.array("legal_type")
        table.put("is_htx", kind == "htx")
        table.put("is_coop", np.isin(kind.astype(str), COOPERATIVES))
        if is_rejected:
            table.put("commune", np.full(table.height, None, dtype=object))
            return
        register = self._register(table)
        at = current_communes(register).select("org_id", commune="commune_code")
        at = register.select("org_id").join(at, on="org_id", how="left", maintain_order="left")
        table.put("commune", np.array(at["commune"].to_list(), dtype=object) if table.height else np.empty(0, object))  # fmt: skip

    def _register(self, table: TableRows) -> pl.DataFrame:
        wanted = ("org_id", "locality", "legal_type", "status", "vsic_code", "admin_code", "admin_version")  # fmt: skip
        return table.frame.select(
            pl.lit(self.period).alias("period"),
            *(
                (pl.col(c) if c in table.frame.columns else pl.lit(None)).cast(pl.String).alias(c)
                for c in wanted
            ),
        )

    def _edges(self) -> pl.DataFrame:
        frame = self._links_frame()
        return frame.select(
            pl.lit(self.period).alias("period"), "supplier_id", "buyer_id",
            pl.col("evidence").cast(pl.String), has_consumption="_consumes_stated",
        )  # fmt: skip

    def _links_frame(self) -> pl.DataFrame:
        """Return the linkages with what their edge says: a flag is true where any linkage of it is."""
        frame = self.table("linkages").frame
        for name, kind in (("has_consumption", pl.Boolean), ("supplier_id", pl.String), ("buyer_id", pl.String), ("product_code", pl.String), ("evidence", pl.String),
                           ("contracted_value_vnd", pl.Int64), ("paid_value_vnd", pl.Int64), ("contracted_tonnes", pl.Float64), ("delivered_tonnes", pl.Float64)):  # fmt: skip
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None, dtype=kind).alias(name))
        over = _EDGE[1:]
        return frame.with_columns(
            _consumes_stated=pl.col("has_consumption").max().over(over),
            _both_values=(pl.col("contracted_value_vnd").is_not_null() & pl.col("paid_value_vnd").is_not_null()).all().over(over),
            _both_tonnes=(pl.col("contracted_tonnes").is_not_null() & pl.col("delivered_tonnes").is_not_null()).all().over(over),
        )  # fmt: skip

    @cached_property
    def _org_at(self) -> Mapping[str, int]:
        return {o: i for i, o in enumerate(self.organisations.array("org_id").tolist())}

    def of_organisations(self, ids: Any) -> Positions:
        """Return the positions of organisations in the register."""
        return self.organisations.having("org_id", ids)

    def org_at(self, table: TableRows, column: str) -> Any:
        """Return the position in the register of organisations named in another table; −1 where it lacks one."""
        name = f"{column} in the register"
        if name not in table.derived:
            known = self._org_at
            found = [known.get(i, -1) for i in table.array(column).tolist()]
            table.put(name, np.array(found, dtype=np.int64))
        return table.array(name)

    def org_array(self, name: str, at: Any, *, default: Any) -> Any:
        """Return what the register derives of organisations at positions of `org_at`."""
        own = self.organisations.array(name)
        made = np.full(len(at) + 1, default, dtype=object if default is None else own.dtype)[:-1]
        made[at >= 0] = own[at[at >= 0]]
        return made

    @cached_property
    def cluster_of(self) -> Mapping[str, str]:
        """Return organisation → cluster."""
        key = "graph/communities" if self._prefix else "metrics/cluster_members"
        frame = self.frame(key, "org_id", "cluster_id")
        return dict(frame.select("org_id", "cluster_id").iter_rows())

    @cached_property
    def stage_of(self) -> Mapping[str, str | None]:
        """Return organisation → stage of the chain."""
        frame = self.frame("graph/nodes", "org_id", "stage")
        return dict(frame.select("org_id", "stage").iter_rows())

    # ------------------------------------------------------------------ reports, linkages

    @cached_property
    def reports(self) -> TableRows:
        """Return the annual reports, with ``is_htx`` and what the register derives of their sender."""
        table = self.table("cooperative_reports")
        at = self.org_at(table, "org_id")
        for name, default in (("is_htx", False), ("agri", False), ("level", 0), ("chain_level", 0)):
            table.put(name, self.org_array(name, at, default=default))
        for name in ("locality", "commune", "cluster"):
            table.put(name, self.org_array(name, at, default=None))
        return table

    @cached_property
    def linkages(self) -> TableRows:
        """Return the linkages: ``rank`` of evidence, ``locality``, ``commune``, ``home``, stages of the ends."""
        return self._linked(self.table("linkages"), is_rejected=False)

    def _linked(self, table: TableRows, *, is_rejected: bool) -> TableRows:
        rank = {level: i for i, level in enumerate(LEVELS, start=1)}
        evidence = table.array("evidence")
        table.put("rank", np.array([rank.get(e, 0) for e in evidence.tolist()], dtype=np.int8))
        ends = {end: table.array(f"{end}_id") for end in ("supplier", "buyer")}
        table.put("is_between", ends["supplier"] != ends["buyer"])
        at = {end: self.org_at(table, f"{end}_id") for end in ends}
        is_coop = {e: self.org_array("is_coop", a, default=False) for e, a in at.items()}
        is_buyers = is_coop["buyer"] & ~is_coop["supplier"]
        for name in ("locality", "commune"):
            place = {e: self.org_array(name, a, default=None) for e, a in at.items()}
            table.put(name, np.where(is_buyers, place["buyer"], place["supplier"]))
        for end, ids in ends.items():
            table.put(f"{end}_cluster", _looked_up(ids, self.cluster_of))
            table.put(f"{end}_stage", _looked_up(ids, self.stage_of))
        both = table.array("supplier_cluster")
        is_inside = (both == table.array("buyer_cluster")) & (table.array("rank") >= 2)
        table.put("home", np.where(is_inside, both, None))
        if not is_rejected:
            frame = self._links_frame()
            for name in ("_both_values", "_both_tonnes"):
                table.put(name, frame[name].to_numpy())
            table.put("consumes", frame["_consumes_stated"].fill_null(value=True).to_numpy())
            to_firm = self.org_array("legal_type", at["buyer"], default=None) == "enterprise"
            table.put("to_enterprise", to_firm)
        return table

    def rejected(self, name: str) -> TableRows:
        """Return the rejected rows of a table with the places and clusters that they can be given."""
        table = self.table(name, is_rejected=True)
        return self.keep(("rejected", name), lambda: self._rejected(name, table))  # type: ignore[no-any-return]

    def _rejected(self, name: str, table: TableRows) -> TableRows:
        if name == "linkages":
            return self._linked(table, is_rejected=True)
        if name == "organisations":
            self._describe(table, is_rejected=True)
            table.put("cluster", _looked_up(table.array("org_id"), self.cluster_of))
        if name == "cooperative_reports":
            at = self.org_at(table, "org_id")
            for column in ("locality", "commune", "cluster"):
                table.put(column, self.org_array(column, at, default=None))
        return table


def _looked_up(ids: Any, known: Mapping[str, Any]) -> Any:
    return np.array([known.get(i) for i in ids.tolist()], dtype=object)
