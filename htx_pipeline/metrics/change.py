"""Change between two periods: what came, what went, what grew; which linkages lasted.

What belongs here: comparisons of two periods on the same ids. What does not: making both sides
comparable (ids are stable by `htx_pipeline.resolve`; places must be on one geography first), or what
became of clusters (`history`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals as nw

from htx_pipeline.metrics._tabular import Native, count_where, enter, leave
from htx_pipeline.metrics.linkage import LEVELS

LINK: Final = ("supplier_id", "buyer_id", "product_code")
"""What makes two rows of different periods the same link."""


def decomposition(
    before: Native,
    after: Native,
    *,
    value: str = "contracted_value_vnd",
    unit: Sequence[str] = LINK,
    by: Sequence[str] = (),
    evidence: str = "signed",
) -> Native:
    """Split the change of a total into entry, exit, and more or less from the same.

    For units (links; or sellers, with ``unit=("supplier_id",)``): entry = value of those only in
    ``after``; exit = −value of those only in ``before``; more and less = gains and losses of those in
    both that state a value both times; reporting = what appears or vanishes because a unit that is in
    both states its value only once. entry + exit + more + less + reporting = after − before, exactly
    for money.

    Parameters
    ----------
    before, after:
        Edges (`graph/edges`) of one period each.
    value:
        Column to split.
    unit:
        Columns that identify a unit in both periods; must hold ``by``.
    by:
        Split separately for each value of these columns.
    evidence:
        Weakest level that counts, in both periods.

    Returns
    -------
    frame
        ``by`` and ``before``, ``entry``, ``exit``, ``more``, ``less``, ``reporting``, ``after``,
        ``change`` (in the unit of ``value``), ``n_entry``, ``n_exit``, ``n_same``, ``n_reporting``.
        Without ``by`` one row; with it, none where there is no unit.

    References
    ----------
    Margins of trade: Bernard, Jensen, Redding, Schott 2009, doi:10.1257/aer.99.2.487.

    Examples
    --------
    >>> import polars as pl
    >>> def year(buyers, values):
    ...     return pl.DataFrame({"supplier_id": ["a"] * len(buyers), "buyer_id": buyers, "product_code": ["p"] * len(buyers),
    ...         "evidence": ["signed"] * len(buyers), "contracted_value_vnd": values})
    >>> made = decomposition(year(["x", "y"], [10, 5]), year(["x", "z"], [12, 7]))
    >>> made.select("before", "entry", "exit", "more", "less", "after").rows()
    [(15, 7, -5, 2, 0, 19)]
    """
    unit, by = list(unit), list(by)
    if not set(by) <= set(unit):
        raise ValueError(f"by {by} must be among the columns of the unit {unit}")
    levels = LEVELS[LEVELS.index(evidence) :]
    dtype = enter(before).collect_schema()[value]
    kind = nw.Float64 if dtype.is_float() else nw.Int64

    def side(frame: Native, name: str) -> nw.LazyFrame[Any]:
        rows = enter(frame).filter(nw.col("evidence").is_in(levels))
        return rows.group_by(unit).agg(
            nw.col(value).sum().cast(kind).alias(f"_{name}"),
            nw.col(value).count().cast(nw.Int64).alias(f"_n_{name}"),
            nw.len().cast(nw.Int64).alias(f"_is_{name}"),
        )

    old, new = side(before, "before"), side(after, "after")
    both = old.join(new, on=unit, how="full", suffix="_new")
    both = both.with_columns(
        *(nw.coalesce(nw.col(c), nw.col(f"{c}_new")).alias(c) for c in unit),
        *(nw.col(c).fill_null(0) for c in ("_before", "_after", "_n_before", "_n_after")),
    )
    was, is_ = ~nw.col("_is_before").is_null(), ~nw.col("_is_after").is_null()
    told = (nw.col("_n_before") > 0) & (nw.col("_n_after") > 0)
    told_once = was & is_ & ((nw.col("_n_before") > 0) != (nw.col("_n_after") > 0))
    gain = nw.col("_after") - nw.col("_before")
    zero = nw.lit(0).cast(kind)

    def summed(condition: nw.Expr, amount: nw.Expr) -> nw.Expr:
        return nw.when(condition).then(amount).otherwise(zero).sum().cast(kind)

    same = was & is_ & told
    sums = [
        nw.col("_before").sum().cast(kind).alias("before"),
        summed(~was, nw.col("_after")).alias("entry"),
        summed(~is_, -nw.col("_before")).alias("exit"),
        summed(same & (gain > 0), gain).alias("more"),
        summed(same & (gain < 0), gain).alias("less"),
        summed(told_once, gain).alias("reporting"),
        nw.col("_after").sum().cast(kind).alias("after"),
        gain.sum().cast(kind).alias("change"),
        count_where(~was).alias("n_entry"),
        count_where(~is_).alias("n_exit"),
        count_where(was & is_).alias("n_same"),
        count_where(told_once).alias("n_reporting"),
    ]
    if by:
        return leave(both.group_by(by).agg(*sums).sort(*by), like=before)  # type: ignore[no-any-return]
    whole = both.with_columns(nw.lit("all").alias("_all")).group_by("_all").agg(*sums).drop("_all")
    return leave(whole, like=before)  # type: ignore[no-any-return]


def persistence(
    before: Native,
    after: Native,
    *,
    unit: Sequence[str] = LINK,
    by: Sequence[str] = (),
    evidence: str = "signed",
) -> Native:
    """Count which units of one period are still there in the next.

    ``persistence_share`` = kept / before; ``new_share`` = new / after; ``jaccard`` = kept / (before +
    after − kept).

    Parameters
    ----------
    before, after, unit, by, evidence:
        As for `decomposition`.

    Returns
    -------
    frame
        ``by`` and ``n_before``, ``n_after``, ``n_kept``, ``persistence_share``, ``new_share``,
        ``jaccard``; a share of nothing is null.

    Examples
    --------
    >>> import polars as pl
    >>> def year(buyers):
    ...     return pl.DataFrame({"supplier_id": "a", "buyer_id": buyers, "product_code": "p", "evidence": "signed"})
    >>> persistence(year(["x", "y"]), year(["x", "z", "w"])).rows()
    [(2, 3, 1, 0.5, 0.6666666666666666, 0.25)]
    """
    unit, by = list(unit), list(by)
    levels = LEVELS[LEVELS.index(evidence) :]

    def side(frame: Native, name: str) -> nw.LazyFrame[Any]:
        rows = enter(frame).filter(nw.col("evidence").is_in(levels))
        return rows.group_by(unit).agg(nw.len().cast(nw.Int64).alias(name))

    both = side(before, "_b").join(side(after, "_a"), on=unit, how="full", suffix="_new")
    both = both.with_columns(
        *(nw.coalesce(nw.col(c), nw.col(f"{c}_new")).alias(c) for c in unit),
        nw.lit("all").alias("_all"),
    )
    was, is_ = ~nw.col("_b").is_null(), ~nw.col("_a").is_null()
    keys = by or ["_all"]
    made = both.group_by(keys).agg(
        count_where(was).alias("n_before"),
        count_where(is_).alias("n_after"),
        count_where(was & is_).alias("n_kept"),
    )

    def over(top: nw.Expr, bottom: nw.Expr) -> nw.Expr:
        return nw.when(bottom > 0).then(top.cast(nw.Float64) / bottom.cast(nw.Float64))

    kept = nw.col("n_kept")
    made = made.with_columns(
        over(kept, nw.col("n_before")).alias("persistence_share"),
        over(nw.col("n_after") - kept, nw.col("n_after")).alias("new_share"),
        over(kept, nw.col("n_before") + nw.col("n_after") - kept).alias("jaccard"),
    )
    names = ["n_before", "n_after", "n_kept", "persistence_share", "new_share", "jaccard"]
    result = made.select(*by, *names)
    return leave(result.sort(*by) if by else result, like=before)  # type: ignore[no-any-return]
