"""Ranking localities with care: a range of ranks, and none where too much is missing.

What belongs here: turning values with intervals into ranges of ranks. What does not: the values.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.reference.thresholds import threshold

RANK_COLUMNS: Final = ("rank_best", "rank_worst", "missing_share", "rank_reason")


def careful_ranks(
    frame: pl.DataFrame,
    *,
    low: str,
    high: str,
    n: str,
    n_known: str,
    max_missing_share: float | None = None,
) -> pl.DataFrame:
    """Add the ranks each row may have, best first, given the interval of its value.

    ``rank_best`` = 1 + rows whose whole interval lies above this one's; ``rank_worst`` = ranked rows
    − those whose whole interval lies below. Two rows whose intervals overlap are not told apart, so
    that a locality of five cooperatives does not lead by luck.

    Parameters
    ----------
    frame:
        One row per unit to rank.
    low, high:
        Ends of the interval of the value (Wilson's, for a share of counts).
    n, n_known:
        Units a row should speak of, and those it has data of (cooperatives; cooperatives that
        reported): ``missing_share`` = 1 − n_known / n.
    max_missing_share:
        A row that misses more is not ranked; the project's own choice when None.

    Returns
    -------
    DataFrame
        *frame* and ``rank_best``, ``rank_worst`` (null where not ranked), ``missing_share`` (0..1, null
        where ``n`` is 0), ``rank_reason`` (null; ``too_much_missing``; ``not_defined``).

    References
    ----------
    Goldstein and Spiegelhalter 1996, doi:10.2307/2983325, on league tables and their uncertainty.

    Examples
    --------
    >>> rows = pl.DataFrame({"place": ["A", "B", "C"], "low": [0.6, 0.3, 0.1], "high": [0.9, 0.7, 0.2],
    ...     "n": [20, 20, 20], "n_known": [20, 19, 4]})
    >>> careful_ranks(rows, low="low", high="high", n="n", n_known="n_known").select(
    ...     "place", "rank_best", "rank_worst", "rank_reason").rows()
    [('A', 1, 2, None), ('B', 1, 2, None), ('C', None, None, 'too_much_missing')]
    """
    limit = (
        threshold("own.ranking.missing_share")["value"]
        if max_missing_share is None
        else max_missing_share
    )
    missing = pl.when(pl.col(n) > 0).then(1 - pl.col(n_known) / pl.col(n))
    marked = frame.with_columns(missing.alias("missing_share")).with_columns(
        rank_reason=pl.when(
            pl.col(low).is_null() | pl.col(high).is_null() | pl.col("missing_share").is_null()
        )
        .then(pl.lit("not_defined"))
        .when(pl.col("missing_share") > limit)
        .then(pl.lit("too_much_missing"))
    )
    ranked = marked.filter(pl.col("rank_reason").is_null())
    lows, highs = ranked[low].sort(), ranked[high].sort()
    count = ranked.height
    is_ranked = pl.col("rank_reason").is_null()
    above = count - lows.search_sorted(marked[high].fill_null(0.0), side="right").cast(pl.Int64)
    below = highs.search_sorted(marked[low].fill_null(0.0), side="left").cast(pl.Int64)
    return marked.with_columns(
        rank_best=pl.when(is_ranked).then(pl.Series(above) + 1),
        rank_worst=pl.when(is_ranked).then(count - pl.Series(below)),
    ).select(*frame.columns, *RANK_COLUMNS)
