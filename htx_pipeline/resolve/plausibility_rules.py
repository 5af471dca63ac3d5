"""Plausibility in the pipeline: which columns are compared with what, and what is said of them.

What belongs here: the choice of columns and references for `ingest.plausibility`, checks that put two
sources or two documents side by side, and their findings. What does not: changing any value, or
rejecting a row for being unusual; the most any of these says is "look again".

Which reference speaks about which column:

* every amount and count, against the same organisation's period before: a jump by 10^3 or 10^6;
* amounts that no working cooperative has at a thousandth of its peers' (capital, revenue), against
  the median of the period: a jump by 10^3 or 10^6. Debt, funds and profit may be as small as they
  like, and members range from five to a thousand, so these are not held against peers;
* the same amounts, ten times the median *and* ten times the organisation's own period before;
* incomes per head, against the median of the period: ten times off, as means vary little.

A value that agrees with the organisation's own period before is not held against its peers: a
large cooperative is not a mistake. Where the *earlier* figure was the odd one, the finding says so
and is for information.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from htx_pipeline.findings import concat_findings, empty_findings, findings_from_rows
from htx_pipeline.ingest.plausibility import HALF_DECADE, magnitude_jumps
from htx_pipeline.ingest.value_notes import NOTE_CODES
from htx_pipeline.schemas import TABLES
from htx_pipeline.schemas.base import Column

HISTORY_UNITS: Final = ("VND", "person")
"""Units of the columns that are compared with the period before."""

SIZE_COLUMNS: Final = ("charter_capital_vnd", "total_capital_vnd", "revenue_vnd")
"""Amounts compared with peers for a wrong unit."""

PER_HEAD_COLUMNS: Final = ("member_income_vnd", "worker_income_vnd")
"""Means per head, compared with peers for anything ten times off."""


def report_plausibility(
    reports: pl.DataFrame, previous: pl.DataFrame, *, period: str
) -> pl.DataFrame:
    """Find figures of the yearly reports that are off by a unit.

    Parameters
    ----------
    reports:
        ``core/cooperative_reports`` of the period.
    previous:
        The same table of the period before; may be empty.
    period:
        Reporting year; rows of others in *reports* are left out.

    Returns
    -------
    polars.DataFrame
        Findings, at most one per row and column: ``cooperative_reports.<column>.unit_jump``
        (warning), ``.peer_outlier`` (warning, incomes only) and ``.earlier_unit_jump`` (info: the
        figure of the period before is the odd one).

    Examples
    --------
    >>> rows = {"org_id": ["a"], "source_id": ["f:S:9"], "source_file": ["f.xlsx"], "source_sheet": ["S"], "source_row": [9]}
    >>> table = TABLES["cooperative_reports"]
    >>> now = table.conform(pl.DataFrame({**rows, "period": ["2024"], "revenue_vnd": [24_000_000_000_000]}))
    >>> before = table.conform(pl.DataFrame({**rows, "period": ["2023"], "revenue_vnd": [20_000_000_000]}))
    >>> report_plausibility(now, before, period="2024").select("rule_id", "source_row").row(0)
    ('cooperative_reports.revenue_vnd.unit_jump', 9)
    """
    table = TABLES["cooperative_reports"]
    now = reports.filter(pl.col("period") == period)
    both = pl.concat(
        [now, previous.filter(pl.col("period") < period).select(now.columns)]
    ).rechunk()
    if now.is_empty():
        return empty_findings()
    parts = []
    for column in table.own_columns:
        if column.unit not in HISTORY_UNITS:
            continue
        notes = magnitude_jumps(
            both, id="org_id", period="period", column=column.name,
            label_vi=column.label_vi, label_en=column.label_en,
        )  # fmt: skip
        parts.append(_about(both, notes, column, n_now=now.height))
    return concat_findings(parts)


def _about(both: pl.DataFrame, notes: pl.DataFrame, column: Column, *, n_now: int) -> pl.DataFrame:
    """Choose what to say of one column; at most one finding a row."""
    if notes.is_empty():
        return empty_findings()
    name = column.name
    change = _decades_since(both, name, n_now)
    org = both["org_id"]
    by_peers = {
        n["index"]: n
        for n in notes.filter(pl.col("reference_kind") == "peers").iter_rows(named=True)
    }
    odd_before = {org[i] for i, n in by_peers.items() if i >= n_now and n["code"] == "unit_jump"}
    said: dict[int, tuple[str, dict[str, Any]]] = {}
    for note in notes.filter(
        pl.col("reference_kind") == "last_period", pl.col("index") < n_now
    ).iter_rows(named=True):
        at = note["index"]
        is_odd = at in by_peers and by_peers[at]["code"] == "unit_jump"
        said[at] = (
            "earlier_unit_jump" if org[at] in odd_before and not is_odd else "unit_jump",
            note,
        )
    for at, note in by_peers.items():
        moved = change.get(at)
        if at >= n_now or at in said or (moved is not None and abs(moved) <= HALF_DECADE):
            continue
        is_unit = note["code"] == "unit_jump" and name in SIZE_COLUMNS
        is_leap = name in SIZE_COLUMNS and moved is not None and abs(moved) >= 1
        if is_unit or is_leap or name in PER_HEAD_COLUMNS:
            said[at] = (note["code"], note)
    if not said:
        return empty_findings()
    places = sorted(said)
    told = [_texts(column, *said[i]) for i in places]
    rows = both[places].with_columns(
        pl.Series("_code", [said[i][0] for i in places], dtype=pl.String),
        pl.Series("_vi", [t[0] for t in told], dtype=pl.String),
        pl.Series("_en", [t[1] for t in told], dtype=pl.String),
    )
    parts = []
    for code, severity in (
        ("unit_jump", "warning"),
        ("peer_outlier", "warning"),
        ("earlier_unit_jump", "info"),
    ):
        is_earlier = code == "earlier_unit_jump"
        remedy = NOTE_CODES["unit_jump" if is_earlier else code]
        parts.append(
            findings_from_rows(
                rows.filter(pl.col("_code") == code).rechunk(), table="cooperative_reports", rule_id=f"cooperative_reports.{name}.{code}",
                severity=severity, column=name, raw_value=pl.col(name), reason_vi=pl.col("_vi"), reason_en=pl.col("_en"),
                remedy_vi="Đính chính số liệu của kỳ trước nếu sai." if is_earlier else remedy.remedy_vi,
                remedy_en="Correct the figure of the period before if it is wrong." if is_earlier else remedy.remedy_en,
            )
        )  # fmt: skip
    return concat_findings(parts)


def _decades_since(both: pl.DataFrame, column: str, n_now: int) -> dict[int, float]:
    """Powers of ten between a row's value and the same organisation's period before, where both are known."""
    sized = both.select(
        "org_id", size=pl.col(column).cast(pl.Float64).abs().log10()
    ).with_row_index("index")
    sized = sized.filter(pl.col("size").is_finite())
    before = (
        sized.filter(pl.col("index") >= n_now)
        .group_by("org_id")
        .agg(before=pl.col("size").median())
    )
    now = sized.filter(pl.col("index") < n_now).join(before, on="org_id")
    return dict(zip(now["index"], now["size"] - now["before"], strict=True))


def _texts(column: Column, code: str, note: dict[str, Any]) -> tuple[str, str]:
    """Say what was compared, with figures a reader can check."""
    times = note["ratio"] if note["ratio"] >= 1 else 1 / note["ratio"]
    vi, en = ("lớn hơn", "larger") if note["ratio"] >= 1 else ("nhỏ hơn", "smaller")
    size = f"{float(f'{times:.2g}'):,.0f}"
    value, reference = f"{note['value']:,.0f}", f"{note['reference']:,.0f}"
    is_history = note["reference_kind"] == "last_period"
    what_vi = "kỳ trước" if is_history else "trung vị các đơn vị cùng kỳ"
    what_en = "the period before" if is_history else "the median of the period"
    end_vi, end_en = {
        "unit_jump": ("có thể sai đơn vị tính", "the unit may be wrong"),
        "peer_outlier": ("đề nghị kiểm tra", "please check"),
        "earlier_unit_jump": (
            "số của kỳ trước lệch xa mặt bằng chung",
            "the figure of the period before is the odd one",
        ),
    }[code]
    return (
        f"{column.label_vi}: {vi} {what_vi} khoảng {_vn(size)} lần ({_vn(value)} so với {_vn(reference)}); {end_vi}.",
        f"{column.label_en}: about {size} times {en} than {what_en} ({value} against {reference}); {end_en}.",
    )


def _vn(figure: str) -> str:
    return figure.replace(",", ".")
