"""Who has reported for a period, who is late, and who is missing.

What belongs here: the roster of expected reporters against what arrived, and its sums by locality.
What does not: asking anybody for a report, or judging what a report says.

Expected is a cooperative or union of the register that, at the end of the reporting year, is not
dissolved and not suspended, and was registered before the year began. Circular 01/2020 does not rate
one that has existed for less than twelve months or stopped for more than three; the register says
only what it is at the end of the year, so a suspension counts whatever its length. One that is being
dissolved still exists and is expected. Cooperative groups (tổ hợp tác) report on a form of their own
(VII-1) that this pipeline has no table for; they are left out unless asked for.

The roster is a list of one province with the place of each row in its file: Polars. Its sums by
locality take any engine Narwhals knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import narwhals as nw
import polars as pl

from htx_pipeline.metrics._tables import typed
from htx_pipeline.metrics._tabular import Native, count_where, enter, leave, ratio
from htx_pipeline.metrics.linkage import UNKNOWN
from htx_pipeline.reference.deadlines import deadline_of
from htx_pipeline.schemas import Code

REPORTERS: Final = ("htx", "lhhtx")
"""Legal types that send the report of Form VII-2 or VII-3."""

REQUIRED_FIGURES: Final = (
    "official_members",
    "revenue_vnd",
    "profit_before_tax_vnd",
    "total_capital_vnd",
)
"""Without one of these a report is partial: members, business result and capital are the statutory
content (Decree 107/2017). The whole list of Form VII-2 was not reachable; unverified."""

STATUSES: Final = (
    Code(code="on_time", label_vi="Đúng hạn", label_en="On time"),
    Code(code="late", label_vi="Nộp muộn", label_en="Late"),
    Code(code="undated", label_vi="Đã nộp, không ghi ngày", label_en="Reported, no date"),
    Code(code="partial", label_vi="Thiếu số liệu", label_en="Figures missing"),
    Code(code="missing", label_vi="Chưa nộp", label_en="Not reported"),
    Code(code="not_expected", label_vi="Không thuộc diện báo cáo", label_en="Not expected"),
)
"""Partial comes before late: ``days_late`` still says how late a partial report is."""

REASONS: Final = (
    Code(code="dissolved", label_vi="Đã giải thể", label_en="Dissolved"),
    Code(code="suspended", label_vi="Tạm ngừng hoạt động", label_en="Suspended"),
    Code(code="younger_than_period", label_vi="Đăng ký trong hoặc sau kỳ báo cáo", label_en="Registered during or after the period"),
    Code(code="after_deadline", label_vi="Nộp sau thời hạn", label_en="Came after the deadline"),
    Code(code="figures_missing", label_vi="Thiếu chỉ tiêu bắt buộc", label_en="Required figures are missing"),
    Code(code="rejected", label_vi="Đã nộp nhưng dòng số liệu bị loại", label_en="Came, and was rejected by a rule"),
    Code(code="no_date", label_vi="Báo cáo không ghi ngày gửi", label_en="The report does not say when it was sent"),
    Code(code="no_report", label_vi="Có trong danh bạ, không có báo cáo trong kỳ", label_en="In the register, no report in the period"),
)  # fmt: skip
"""Why a unit has its status; null for one that is simply on time."""

ROSTER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "org_id": pl.String(),
    "name": pl.String(),
    "legal_type": pl.String(),
    "locality": pl.String(),
    "registered_on": pl.Date(),
    "registry_status": pl.String(),
    "is_expected": pl.Boolean(),
    "status": pl.String(),
    "reason": pl.String(),
    "reason_vi": pl.String(),
    "reason_en": pl.String(),
    "due_on": pl.Date(),
    "received_on": pl.Date(),
    "days_late": pl.Int64(),
    "missing_figures": pl.String(),
    "has_reported_before": pl.Boolean(),
    "source_file": pl.String(),
    "source_sheet": pl.String(),
    "source_row": pl.Int64(),
}
"""Columns of ``metrics/reporting_roster``. ``has_reported_before`` is null where no table of the
period before was given; ``missing_figures`` are column names separated by semicolons."""

LOCALITY_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "locality": pl.String(),
    "n_registered": pl.Int64(),
    "n_expected": pl.Int64(),
    **{f"n_{s.code}": pl.Int64() for s in STATUSES},
    "n_unexpected_reports": pl.Int64(),
    "n_missing_reported_before": pl.Int64(),
    "reported_share": pl.Float64(),
    "on_time_share": pl.Float64(),
}
"""Columns of ``metrics/reporting_roster_localities``; the rows add up to the roster."""


def reporting_roster(
    organisations: pl.DataFrame,
    reports: pl.DataFrame,
    previous: pl.DataFrame | None = None,
    *,
    rejected: pl.DataFrame | None = None,
    period: str,
    deadline: date | None = None,
    received: pl.DataFrame | None = None,
    required: Sequence[str] = REQUIRED_FIGURES,
    legal_types: Sequence[str] = REPORTERS,
) -> pl.DataFrame:
    """Hold the register against the reports that arrived.

    Parameters
    ----------
    organisations:
        ``core/organisations`` of the period.
    reports:
        ``core/cooperative_reports`` of the period: rows that were accepted.
    previous:
        The same of the period before; None or empty when there is none.
    rejected:
        ``core/cooperative_reports_rejected``: a unit of which only rejected rows arrived is partial.
    period:
        Reporting year, 15 December to 14 December.
    deadline:
        Day by which a report is on time; the legal one when None.
    received:
        ``source_file`` and ``received_on`` (date), used where a report does not state its date.
    required:
        Figures without which a report is partial.
    legal_types:
        Who reports.

    Returns
    -------
    polars.DataFrame
        `ROSTER_SCHEMA`, one row per registered unit of these legal types, by locality, name and id.
        A unit that is not expected but reported has the status of its report, with ``is_expected``
        false.

    Examples
    --------
    >>> from htx_pipeline.schemas import TABLES
    >>> known = TABLES["organisations"].conform(pl.DataFrame({
    ...     "period": ["2024"] * 3, "org_id": ["a", "b", "c"], "name": ["HTX A", "HTX B", "HTX C"],
    ...     "legal_type": ["htx"] * 3, "status": ["active", "active", "dissolved"], "is_registered": [True] * 3}))
    >>> sent = TABLES["cooperative_reports"].conform(pl.DataFrame({
    ...     "period": ["2024"], "org_id": ["a"], "reported_on": [date(2024, 12, 20)],
    ...     **{c: [1] for c in REQUIRED_FIGURES}}))
    >>> reporting_roster(known, sent, period="2024").select("org_id", "status", "days_late").rows()
    [('a', 'late', 5), ('b', 'missing', None), ('c', 'not_expected', None)]
    """
    due = deadline if deadline is not None else deadline_of(period).on(period)
    first, last = date(int(period) - 1, 12, 15), date(int(period), 12, 14)
    units = organisations.filter(
        pl.col("period") == period,
        pl.col("legal_type").is_in(list(legal_types)),
        pl.col("is_registered").fill_null(value=True),
    ).select(
        "org_id",
        "name",
        "legal_type",
        "locality",
        "registered_on",
        "dissolved_on",
        registry_status="status",
    )
    sent = _reports(reports, rejected, received, period=period, required=required)
    before = set(previous["org_id"]) if previous is not None and previous.height else None
    joined = units.join(sent, on="org_id", how="left").with_columns(
        pl.lit(period).alias("period"),
        pl.col("locality").fill_null(UNKNOWN),
        pl.lit(due).alias("due_on"),
        _excuse(first, last).alias("_excuse"),
        pl.col("_reported", "_rejected").fill_null(value=False),
        has_reported_before=pl.lit(None, dtype=pl.Boolean)
        if before is None
        else pl.col("org_id").is_in(sorted(before)),
    )
    late = (pl.col("received_on") > due).fill_null(value=False)
    partial = pl.col("missing_figures").is_not_null()
    reason = (
        pl.when(~pl.col("_reported"))
        .then(pl.coalesce("_excuse", pl.lit("no_report")))
        .when("_rejected")
        .then(pl.lit("rejected"))
        .when(partial)
        .then(pl.lit("figures_missing"))
        .when(pl.col("received_on").is_null())
        .then(pl.lit("no_date"))
        .when(late)
        .then(pl.lit("after_deadline"))
    )
    status = {
        "no_report": "missing", "figures_missing": "partial", "rejected": "partial", "no_date": "undated", "after_deadline": "late",
        "dissolved": "not_expected", "suspended": "not_expected", "younger_than_period": "not_expected",
    }  # fmt: skip
    told = joined.with_columns(reason=reason).with_columns(
        status=pl.col("reason").replace_strict(status, default="on_time", return_dtype=pl.String),
        is_expected=pl.col("_excuse").is_null(),
        days_late=pl.when(late).then((pl.col("received_on") - due).dt.total_days()),
        **{f"reason_{k}": pl.col("reason").replace_strict(
            {c.code: getattr(c, f"label_{k}") for c in REASONS}, default=None, return_dtype=pl.String
        ) for k in ("vi", "en")},
    )  # fmt: skip
    return told.select(pl.col(c).cast(t) for c, t in ROSTER_SCHEMA.items()).sort(
        "locality", "name", "org_id", nulls_last=True
    )


def arrival_days(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the day each accepted file of the inbox arrived, in Vietnam; a correction's, that of its report.

    Parameters
    ----------
    ledger:
        ``raw/inbox`` (`htx_pipeline.ingest.inbox_ledger.LEDGER_SCHEMA`).

    Returns
    -------
    polars.DataFrame
        ``source_file``, ``received_on`` (date), sorted; the first day where a file came in versions.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> ledger = pl.DataFrame({"fate": ["accepted"] * 2, "placed_at": ["2024/a.xlsx", "2024/a-sua.xlsx"],
    ...     "sha256": ["h1", "h2"], "corrects": [None, "h1"],
    ...     "seen_at": [datetime(2024, 12, 10, 20, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)]})
    >>> arrival_days(ledger)["received_on"].to_list()
    [datetime.date(2024, 12, 11), datetime.date(2024, 12, 11)]
    """
    day = pl.col("seen_at").dt.convert_time_zone("Asia/Ho_Chi_Minh").dt.date()
    taken = ledger.filter(
        pl.col("fate") == "accepted", pl.col("placed_at").is_not_null()
    ).with_columns(_day=day)
    first = taken.group_by(corrects="sha256").agg(_report_day=pl.col("_day").min())
    return (
        taken.join(first, on="corrects", how="left")
        .group_by(source_file="placed_at")
        .agg(received_on=pl.coalesce("_report_day", "_day").min())
        .sort("source_file")
    )


def _excuse(first: date, last: date) -> pl.Expr:
    """Return why a unit need not report for the year, or null."""
    return (
        pl.when((pl.col("registry_status") == "dissolved") | (pl.col("dissolved_on") <= last))
        .then(pl.lit("dissolved"))
        .when(pl.col("registry_status") == "suspended")
        .then(pl.lit("suspended"))
        .when(pl.col("registered_on") > first)
        .then(pl.lit("younger_than_period"))
    )


def _reports(
    reports: pl.DataFrame, rejected: pl.DataFrame | None, received: pl.DataFrame | None, *, period: str, required: Sequence[str]
) -> pl.DataFrame:  # fmt: skip
    """Return one row per reporting unit: when it came, what it lacks, where it was read."""
    came = [reports.with_columns(_rejected=pl.lit(value=False))]
    if rejected is not None:
        came.append(rejected.select(reports.columns).with_columns(_rejected=pl.lit(value=True)))
    arrival = (
        pl.DataFrame(schema={"source_file": pl.String, "_arrived": pl.Date})
        if received is None
        else received.group_by("source_file").agg(_arrived=pl.col("received_on").min())
    )
    lacking = pl.concat_list(
        [pl.when(pl.col(c).is_null()).then(pl.lit(c)) for c in required]
        or [pl.lit(None, dtype=pl.String)]
    ).list.drop_nulls()
    return (
        pl.concat(came)
        .filter(pl.col("period") == period)
        .join(arrival, on="source_file", how="left")
        .with_columns(
            received_on=pl.coalesce("reported_on", "_arrived"),
            missing_figures=pl.when(lacking.list.len() > 0).then(lacking.list.join("; ")),
            _reported=pl.lit(value=True),
        )
        .sort("org_id", "_rejected", "source_file", "source_sheet", "source_row", nulls_last=True)
        .unique("org_id", keep="first", maintain_order=True)
        .select(
            "org_id",
            "received_on",
            "missing_figures",
            "_reported",
            "_rejected",
            "source_file",
            "source_sheet",
            "source_row",
        )
    )


def roster_localities(roster: Native) -> Native:
    """Add the roster up by locality.

    ``n_<status>`` counts every registered unit once; ``n_expected`` are those that must report,
    ``n_unexpected_reports`` those that need not and did. ``reported_share`` = expected units whose
    report came (in whatever state) / ``n_expected``; ``on_time_share`` = expected units on time /
    ``n_expected``; null where nobody is expected.

    Returns
    -------
    frame
        `LOCALITY_SCHEMA`, by period and locality; ``unknown`` holds units without a place.

    Examples
    --------
    >>> roster_localities(pl.DataFrame(schema=ROSTER_SCHEMA)).columns[:2]
    ['period', 'locality']
    """
    expected = nw.col("is_expected")
    status = nw.col("status")
    came = ~status.is_in(["missing", "not_expected"])
    counted = enter(roster).group_by("period", "locality").agg(
        nw.len().cast(nw.Int64).alias("n_registered"),
        count_where(expected).alias("n_expected"),
        *(count_where(status == s.code).alias(f"n_{s.code}") for s in STATUSES),
        count_where(~expected & came).alias("n_unexpected_reports"),
        count_where((status == "missing") & nw.col("has_reported_before")).alias("n_missing_reported_before"),
        count_where(expected & came).alias("_came"),
        count_where(expected & (status == "on_time")).alias("_on_time"),
    )  # fmt: skip
    made = counted.with_columns(
        ratio("_came", "n_expected").alias("reported_share"),
        ratio("_on_time", "n_expected").alias("on_time_share"),
    )
    made = typed(made, LOCALITY_SCHEMA).sort("period", "locality")
    return leave(made, like=roster)  # type: ignore[no-any-return]


def missing_that_reported_before(roster: pl.DataFrame) -> pl.DataFrame:
    """Return the units that are missing now and reported for the period before.

    Examples
    --------
    >>> missing_that_reported_before(pl.DataFrame(schema=ROSTER_SCHEMA)).height
    0
    """
    return roster.filter((pl.col("status") == "missing") & pl.col("has_reported_before"))
