"""What changed since the period before: new, gone, improved, worse, newly flagged.

What belongs here: the table `metrics/standing_changes`, one row for each thing that stands otherwise
than a period ago. What does not: totals taken apart (`change`), and the words of a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from htx_pipeline.metrics.history import lineage
from htx_pipeline.metrics.linkage import UNKNOWN, participation
from htx_pipeline.reference.thresholds import threshold

CHANGES: Final = ("new", "gone", "improved", "worse", "newly_flagged")
SUBJECTS: Final = ("cooperative", "cluster", "locality", "indicator", "task")
STANDING_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "previous_period": pl.String(),
    "subject": pl.String(),
    "subject_id": pl.String(),
    "label": pl.String(),
    "locality": pl.String(),
    "change": pl.String(),
    "measure": pl.String(),
    "before": pl.Float64(),
    "after": pl.Float64(),
    "unit": pl.String(),
}
"""Columns of `metrics/standing_changes`."""

INPUTS: Final = (
    "core/organisations", "core/plan_tasks", "graph/edges", "graph/communities", "metrics/clusters",
    "metrics/localities", "metrics/plan_progress", "metrics/reporting_roster",
)  # fmt: skip
"""Tables that `standing_changes` compares."""

LATE: Final = "late"
DONE: Final = "done"


def standing_changes(frames: Mapping[str, pl.DataFrame], *, period: str) -> pl.DataFrame:
    """Say what stands otherwise than in the period before.

    * cooperative: ``new`` and ``gone`` by the register; ``improved`` and ``worse`` by the strongest
      evidence of its linkages (``evidence_level``: 0 none, 1 planned, 2 signed, 3 active, 4 executed);
      ``newly_flagged`` when it reported for the period before and not for this one.
    * cluster: followed by its members (`history.lineage`); ``new`` and ``gone`` without a match in the
      other period; one that continued is ``improved`` or ``worse`` by the paid value, else the
      contracted one, and ``newly_flagged`` when its largest buyer's share passes the mark of
      dependence, or a stage went missing. One that merged or split is not compared.
    * locality: ``improved`` and ``worse`` by the share of cooperatives with an executed linkage, else
      with one in force.
    * indicator: a target newly met or no longer met.
    * task: newly done, newly late, new, gone; the same task is the same wording in the same locality.

    A share counts as changed from ``own.change.share``, a value from ``own.change.value`` of itself
    (`htx_pipeline.reference.thresholds`; the project's own choices).

    Parameters
    ----------
    frames:
        The tables of `INPUTS`, each with the rows of *period* and of the one before; a table that is
        absent is not compared.
    period:
        The later period. The earlier one is the latest before it with organisations; without one
        there is nothing to compare and no row.

    Returns
    -------
    DataFrame
        `STANDING_SCHEMA`, one row per subject, change and measure, sorted.

    Examples
    --------
    >>> organisations = pl.DataFrame({"period": ["2023", "2024", "2024"], "org_id": ["a", "a", "b"],
    ...     "name": ["HTX A", "HTX A", "HTX B"], "legal_type": ["htx"] * 3, "locality": ["X"] * 3})
    >>> standing_changes({"core/organisations": organisations}, period="2024").select(
    ...     "subject", "subject_id", "change").rows()
    [('cooperative', 'b', 'new')]
    """
    earlier = [p for p in frames["core/organisations"]["period"].unique() if p < period]
    empty = pl.DataFrame(schema=STANDING_SCHEMA)
    if not earlier:
        return empty
    before = max(earlier)

    def both(key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        frame = frames.get(key, pl.DataFrame(schema={"period": pl.String}))
        old = frame.filter(pl.col("period") == before)
        return old, frame.filter(pl.col("period") == period)

    parts = [
        _cooperatives(both("core/organisations"), both("graph/edges")),
        _silent(*both("metrics/reporting_roster")),
        _clusters(both("metrics/clusters"), both("graph/communities")),
        _localities(*both("metrics/localities")),
        _indicators(*both("metrics/plan_progress")),
        _tasks(*both("core/plan_tasks")),
    ]
    made = pl.concat([empty, *(p for p in parts if p is not None)], how="diagonal")
    order = {name: i for i, name in enumerate(SUBJECTS)}
    return (
        made.with_columns(period=pl.lit(period), previous_period=pl.lit(before))
        .select(*STANDING_SCHEMA)
        .sort(
            pl.col("subject").replace_strict(order, return_dtype=pl.Int64),
            "change",
            "measure",
            "locality",
            "label",
            "subject_id",
        )
    )


def _rows(
    frame: pl.DataFrame, subject: str, change: pl.Expr | str, measure: pl.Expr | str, unit: str
) -> pl.DataFrame:
    def text(value: pl.Expr | str) -> pl.Expr:
        return pl.lit(value) if isinstance(value, str) else value

    return frame.select(
        pl.lit(subject).alias("subject"),
        "subject_id",
        "label",
        "locality",
        text(change).alias("change"),
        text(measure).alias("measure"),
        pl.col("before").cast(pl.Float64),
        pl.col("after").cast(pl.Float64),
        pl.lit(unit, dtype=pl.String).alias("unit"),
    ).filter(pl.col("change").is_not_null())


def _direction(least: pl.Expr | float) -> pl.Expr:
    """Say whether a difference is an improvement, a worsening, or too small for either."""
    gain = pl.col("after") - pl.col("before")
    return (
        pl.when((gain >= least) & (gain > 0))
        .then(pl.lit("improved"))
        .when((-gain >= least) & (gain < 0))
        .then(pl.lit("worse"))
    )


def _cooperatives(
    organisations: tuple[pl.DataFrame, pl.DataFrame], edges: tuple[pl.DataFrame, pl.DataFrame]
) -> pl.DataFrame:
    old, new = (
        o.filter(pl.col("legal_type") == "htx").select(
            subject_id="org_id", label=pl.coalesce("name", "org_id"), locality="locality"
        )
        for o in organisations
    )
    nothing = pl.lit(None, dtype=pl.Float64)
    came = new.join(old, on="subject_id", how="anti").with_columns(before=nothing, after=nothing)
    went = old.join(new, on="subject_id", how="anti").with_columns(before=nothing, after=nothing)
    parts = [
        _rows(came, "cooperative", "new", "is_registered", "yes_no"),
        _rows(went, "cooperative", "gone", "is_registered", "yes_no"),
    ]
    if all(not e.is_empty() for e in edges):
        levels = [
            participation(o, e).select(subject_id="org_id", level="level")
            for o, e in zip(organisations, edges, strict=True)
        ]
        kept = new.join(levels[0].rename({"level": "before"}), on="subject_id").join(
            levels[1].rename({"level": "after"}), on="subject_id"
        )
        parts.append(_rows(kept, "cooperative", _direction(1), "evidence_level", "evidence_level"))
    return pl.concat(parts)


def _silent(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame | None:
    if new.is_empty():
        return None
    silent = new.filter((pl.col("status") == "missing") & pl.col("has_reported_before")).select(
        subject_id="org_id", label=pl.coalesce("name", "org_id"), locality="locality",
        before=pl.lit(1), after=pl.lit(0),
    )  # fmt: skip
    return _rows(silent, "cooperative", "newly_flagged", "has_reported", "yes_no")


def _clusters(
    clusters: tuple[pl.DataFrame, pl.DataFrame], communities: tuple[pl.DataFrame, pl.DataFrame]
) -> pl.DataFrame | None:
    if any(c.is_empty() for c in (*clusters, *communities)):
        return None
    old, new = clusters
    fates = lineage(*(c.select("org_id", "cluster_id") for c in communities))
    described = [
        c.select(
            subject_id="cluster_id", label=pl.coalesce("cluster_name_vi", "cluster_id"),
            locality=pl.lit(None, dtype=pl.String), paid="paid_value_vnd", signed="contracted_value_vnd",
            buyer="largest_buyer_share", missing=pl.col("stages_missing").list.len(),
        )
        for c in (old, new)
    ]  # fmt: skip
    was, now = described
    pairs = now.join(
        fates.filter(pl.col("lineage") == "continued").select(
            subject_id="cluster_id", match="matched_cluster_id"
        ),
        on="subject_id",
    ).join(was.drop("locality", "label").rename({"subject_id": "match"}), on="match", suffix="_old")
    nothing = {"before": pl.lit(None, dtype=pl.Float64), "after": pl.lit(None, dtype=pl.Float64)}

    def fated(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
        ids = fates.filter(pl.col("lineage").is_in(names))["cluster_id"].implode()
        return rows.filter(pl.col("subject_id").is_in(ids)).with_columns(**nothing)

    came, went = fated(now, "born", "regrouped"), fated(was, "gone")
    has_paid = pl.col("paid").is_not_null() & pl.col("paid_old").is_not_null()
    valued = pairs.with_columns(
        before=pl.when(has_paid).then("paid_old").otherwise("signed_old"),
        after=pl.when(has_paid).then("paid").otherwise("signed"),
        measure=pl.when(has_paid)
        .then(pl.lit("paid_value_vnd"))
        .otherwise(pl.lit("contracted_value_vnd")),
    )
    least = pl.col("before") * threshold("own.change.value")["value"]
    mark = threshold("own.dependence.largest_buyer")["value"]
    depends = pairs.filter((pl.col("buyer") >= mark) & (pl.col("buyer_old") < mark))
    lost = pairs.filter(pl.col("missing") > pl.col("missing_old"))
    return pl.concat(
        [
            _rows(came, "cluster", "new", "cluster", "yes_no"),
            _rows(went, "cluster", "gone", "cluster", "yes_no"),
            _rows(valued, "cluster", _direction(least), pl.col("measure"), "VND"),
            _rows(depends.with_columns(before="buyer_old", after="buyer"), "cluster", "newly_flagged", "largest_buyer_share", "share"),
            _rows(lost.with_columns(before="missing_old", after="missing"), "cluster", "newly_flagged", "stages_missing", "stage"),
        ]
    )  # fmt: skip


def _localities(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame | None:
    if old.is_empty() or new.is_empty():
        return None
    pairs = new.join(old, on="locality", suffix="_old").filter(pl.col("locality") != UNKNOWN)

    def share(level: str, side: str) -> pl.Expr:
        whole = pl.col(f"n_cooperatives{side}")
        return pl.when(whole > 0).then(pl.col(f"n_linked_{level}{side}") / whole)

    level = "executed" if pairs["n_linked_executed"].is_not_null().any() else "active"
    rows = pairs.select(
        "locality", subject_id="locality", label="locality", before=share(level, "_old"), after=share(level, "")
    )  # fmt: skip
    least = threshold("own.change.share")["value"]
    return _rows(rows, "locality", _direction(least), f"linked_{level}_share", "share")


def _indicators(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame | None:
    if old.is_empty() or new.is_empty():
        return None
    key = ["document", "indicator", "denominator", "target_year"]
    pairs = new.join(
        old.unique(key, keep="first", maintain_order=True), on=key, suffix="_old", nulls_equal=True
    )
    rows = pairs.select(
        subject_id=pl.concat_str(key, separator="|", ignore_nulls=True),
        label=pl.coalesce("indicator_vi", "indicator"), locality=pl.lit(None, dtype=pl.String),
        before="actual_value_old", after="actual_value", unit="value_unit",
        change=pl.when(pl.col("is_met") & ~pl.col("is_met_old")).then(pl.lit("improved"))
        .when(~pl.col("is_met") & pl.col("is_met_old")).then(pl.lit("worse")),
        measure="indicator",
    ).filter(pl.col("change").is_not_null())  # fmt: skip
    return rows.with_columns(
        pl.lit("indicator").alias("subject"), pl.col("before", "after").cast(pl.Float64)
    )


def _tasks(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame | None:
    if old.is_empty() or new.is_empty():
        return None
    key = ["task", "locality"]

    def side(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.sort("document", "task_number").unique(key, keep="first", maintain_order=True).select(
            *key, "status", "progress_share", subject_id=pl.concat_str(key, separator="|"), label="task"
        )  # fmt: skip

    was, now = side(old), side(new)
    nothing = {"before": pl.lit(None, dtype=pl.Float64), "after": pl.lit(None, dtype=pl.Float64)}
    pairs = now.join(
        was.select(*key, "status", "progress_share"), on=key, suffix="_old"
    ).with_columns(before="progress_share_old", after="progress_share")

    def became(status: str) -> pl.Expr:
        return (pl.col("status") == status) & (pl.col("status_old") != status)

    return pl.concat(
        [
            _rows(now.join(was, on=key, how="anti").with_columns(**nothing), "task", "new", "task", "yes_no"),
            _rows(was.join(now, on=key, how="anti").with_columns(**nothing), "task", "gone", "task", "yes_no"),
            _rows(pairs.filter(became(DONE)), "task", "improved", "status_done", "share"),
            _rows(pairs.filter(became(LATE)), "task", "newly_flagged", "status_late", "share"),
        ]
    )  # fmt: skip
