"""How well the sample fits the published figures: one row per margin, with its tolerance.

What belongs here: measuring the sample by its own plain definitions. What does not: the product's
metrics (`htx_pipeline.metrics`), which must not be what the sample is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from htx_pipeline.sample.facts import MARGINS
from htx_pipeline.sample.province import SampleProvince

FIT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "margin": pl.String(),
    "period": pl.String(),
    "published": pl.String(),
    "sample": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "is_within": pl.Boolean(),
    "source": pl.String(),
    "note": pl.String(),
}
"""Columns of `fit`."""


class _Year:
    """The frames of one year, and what the margins are made of."""

    def __init__(self, province: SampleProvince, period: str) -> None:
        def of(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.filter(pl.col("period") == period)

        self.organisations = of(province.organisations)
        self.htx = self.organisations.filter(pl.col("legal_type") == "htx")
        self.agri = self.htx.filter(pl.col("vsic_code").str.starts_with("01"))
        self.reports = of(province.cooperative_reports).join(
            self.htx.select("org_id"), on="org_id", how="semi"
        )
        self.linkages = of(province.linkages)
        self.sold = self.linkages.filter(pl.col("evidence") == "executed", "has_consumption")

    def share_of(self, rows: pl.DataFrame, ids: pl.DataFrame) -> float:
        return rows.join(ids, on="org_id", how="semi").height / rows.height

    def mean(self, column: str) -> float:
        return float(self.reports.select(pl.col(column).mean()).item())

    def ratio(self, top: str, bottom: str) -> float:
        return float(self.reports.select(pl.col(top).sum() / pl.col(bottom).sum()).item())

    def share(self, condition: pl.Expr) -> float:
        return float(self.reports.select(condition.mean()).item())


def _growth(province: SampleProvince, period: str) -> float:
    before = str(int(period) - 1)
    counts = province.organisations.filter(pl.col("legal_type") == "htx").group_by("period").len()
    by_period = dict(counts.iter_rows())
    return float(by_period[period] / by_period[before] - 1)


def _sellers(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(org_id="supplier_id").unique()


def _workers(low: int, high: int) -> Callable[[_Year], float]:
    return lambda y: y.share(pl.col("regular_workers").is_between(low, high))


def _led(y: _Year) -> float:
    projects = y.linkages.filter(pl.col("instrument") == "project")
    return float(projects.select((pl.col("leader") == "supplier").mean()).item())


_MEASURES: Final[Mapping[str, Callable[[_Year], float]]] = MappingProxyType(
    {
        "cooperatives": lambda y: float(y.htx.height),
        "agricultural_share": lambda y: y.agri.height / y.htx.height,
        "official_members_mean": lambda y: y.mean("official_members"),
        "official_members_median": lambda y: float(
            y.reports.select(pl.col("official_members").median()).item()
        ),
        "active_share": lambda y: y.htx.filter(pl.col("status") == "active").height / y.htx.height,
        "workers_below_10_share": _workers(0, 9),
        "workers_10_49_share": _workers(10, 49),
        "workers_50_99_share": _workers(50, 99),
        "workers_100_up_share": _workers(100, 1_000_000),
        "revenue_mean_vnd": lambda y: y.mean("revenue_vnd"),
        "charter_capital_mean_vnd": lambda y: y.mean("charter_capital_vnd"),
        "total_capital_mean_vnd": lambda y: y.mean("total_capital_vnd"),
        "profit_margin": lambda y: y.ratio("profit_before_tax_vnd", "revenue_vnd"),
        "worker_income_mean_vnd": lambda y: y.mean("worker_income_vnd"),
        "managers_college_share": lambda y: y.ratio("managers_college", "managers"),
        "managers_intermediate_share": lambda y: y.ratio("managers_intermediate", "managers"),
        "revenue_from_members_share": lambda y: y.ratio("revenue_from_members_vnd", "revenue_vnd"),
        "good_or_fair_share": lambda y: y.share(pl.col("self_score") >= 65),
        "high_tech_share_of_agricultural": lambda y: y.share_of(
            y.agri, y.reports.filter("is_high_tech")
        ),
        "high_tech_with_evidence_share": lambda y: y.share_of(
            y.htx, y.reports.filter(pl.col("high_tech_evidence").is_not_null())
        ),
        "ocop_products_of_cooperatives": lambda y: float(y.reports["ocop_products"].sum()),
        "off_take_share_of_agricultural": lambda y: y.share_of(y.agri, _sellers(y.sold)),
        "chain_share_of_all": lambda y: y.share_of(
            y.htx, _sellers(y.sold.filter("has_processing"))
        ),
        "projects_led_by_cooperatives_share": _led,
        "households_per_project_mean": lambda y: float(
            y.linkages.filter(pl.col("instrument") == "project")
            .select(pl.col("households").mean())
            .item()
        ),
        "area_ha": lambda y: float(
            y.linkages.filter(pl.col("evidence") != "planned")["area_ha"].sum()
        ),
    }
)
"""How each margin is measured in the sample.

A cooperative is in a chain here when it sells under an executed linkage that covers preparation or
processing; the alliance that publishes the 13 % does not give its test.
"""


def fit(province: SampleProvince) -> pl.DataFrame:
    """Hold the sample against the published margins.

    Returns
    -------
    pl.DataFrame
        `FIT_SCHEMA`, one row per margin of `htx_pipeline.sample.facts.MARGINS` whose year the
        province has. Counts (``cooperatives``, ``ocop_products…``, ``area_ha``) fit the default
        sizes only.

    Examples
    --------
    >>> from htx_pipeline.sample import generate
    >>> fit(generate(periods=("2023",)))["is_within"].all()
    True
    """
    years = {period: _Year(province, period) for period in province.periods}
    rows = []
    for m in MARGINS:
        if m.period not in years:
            continue
        if m.key == "cooperatives_yearly_growth":
            if str(int(m.period) - 1) not in years:
                continue
            value = _growth(province, m.period)
        else:
            value = _MEASURES[m.key](years[m.period])
        rows.append((m.key, m.period, m.published, value, m.low, m.high, m.low <= value <= m.high, m.source, m.note))  # fmt: skip
    return pl.DataFrame(rows, schema=FIT_SCHEMA, orient="row")
