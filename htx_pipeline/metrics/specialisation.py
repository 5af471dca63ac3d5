"""Which place does what: location quotients, clustering in space and inequality of the register.

What belongs here: the measures of `concentration` put on the cooperatives of `core/organisations` and
their reports, as tables. What does not: the formulas (`concentration`), clusters of the network.

An industry is the first digits of the registered VSIC code: the one statement of what a cooperative
does that does not hang on its having a linkage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals as nw

from htx_pipeline.metrics._tabular import Native, enter, leave, pin, stack
from htx_pipeline.metrics.concentration import ellison_glaeser, location_quotient, theil

SIZES: Final = ("official_members", "revenue_vnd")
"""Sizes of a cooperative that clustering is weighed by."""

QUANTITIES: Final = ("revenue_vnd", "member_income_vnd", "official_members")
"""What inequality is measured of."""


def _cooperatives(organisations: Native, *, digits: int) -> nw.LazyFrame[Any]:
    code = nw.col("vsic_code")
    return (
        enter(organisations)
        .filter(nw.col("legal_type") == "htx")
        .select(
            "period",
            "org_id",
            "locality",
            nw.when(~code.is_null()).then(code.str.slice(0, digits)).alias("vsic_group"),
        )
    )


def specialisation(organisations: Native, *, digits: int = 4, min_count: int = 5) -> Native:
    """Compare each industry's share of a locality's cooperatives with its share in the whole.

    Formula, interval and hazards: `htx_pipeline.metrics.concentration.location_quotient`, on counts
    of cooperatives. Those without a code or a locality are in no row.

    Parameters
    ----------
    organisations:
        The table `core/organisations`.
    digits:
        Digits of the VSIC code that make an industry.
    min_count:
        Fewest cooperatives in a locality for a figure.

    Returns
    -------
    frame
        ``period``, ``vsic_group``, ``locality``, ``n_here``, ``n_area``, ``n_industry``, ``n_all``,
        ``value`` (1: as in the whole), ``value_low``, ``value_high`` (95 %), ``is_defined``,
        ``reason`` (``too_few``).

    Examples
    --------
    >>> import polars as pl
    >>> rows = [("2024", f"{place}{i}", "htx", place, code) for place, codes in (("X", "aaaaaaaabb"), ("Y", "aabbbbbbbb"))
    ...     for i, code in enumerate(codes)]
    >>> register = pl.DataFrame(rows, schema=["period", "org_id", "legal_type", "locality", "vsic_code"], orient="row")
    >>> specialisation(register).select("vsic_group", "locality", "value").rows()[:2]
    [('a', 'X', 1.6), ('a', 'Y', 0.4)]
    """
    counts = _cooperatives(organisations, digits=digits).with_columns(nw.lit(1).alias("n"))
    made = location_quotient(counts.to_native(), industry="vsic_group", min_count=min_count)
    return leave(enter(made), like=organisations)  # type: ignore[no-any-return]


def spatial_clustering(
    organisations: Native,
    reports: Native,
    *,
    digits: int = 4,
    sizes: Sequence[str] = SIZES,
    min_plants: int = 3,
) -> Native:
    """Say whether an industry's cooperatives sit together beyond what its few large ones would do.

    Formula and hazards: `htx_pipeline.metrics.concentration.ellison_glaeser`, once for each size.

    Parameters
    ----------
    organisations, reports:
        The tables `core/organisations`, `core/cooperative_reports`.
    digits:
        Digits of the VSIC code that make an industry.
    sizes:
        Columns of ``reports``. A cooperative that does not state the size is left out of its rows.
    min_plants:
        Fewest cooperatives of an industry for a figure.

    Returns
    -------
    frame
        ``period``, ``size`` (the column), ``vsic_group``, ``n``, ``n_areas``, ``g``, ``h``, ``gamma``,
        ``is_defined``, ``reason``.

    Examples
    --------
    >>> import polars as pl
    >>> rows = [("2024", f"{code}{i}", "htx", place, code) for place, code in (("X", "a"), ("Y", "b")) for i in range(4)]
    >>> register = pl.DataFrame(rows, schema=["period", "org_id", "legal_type", "locality", "vsic_code"], orient="row")
    >>> told = register.select("period", "org_id", official_members=pl.lit(20))
    >>> spatial_clustering(register, told, sizes=["official_members"]).select("vsic_group", "gamma").rows()
    [('a', 1.0), ('b', 1.0)]
    """
    own = pin(_cooperatives(organisations, digits=digits))
    parts = []
    for size in sizes:
        told = enter(reports).select("period", "org_id", nw.col(size).alias("size"))
        plants = own.join(told, on=["period", "org_id"], how="inner")
        found = ellison_glaeser(
            pin(plants).to_native(), industry="vsic_group", min_plants=min_plants
        )
        made = enter(found)
        names = [n for n in made.collect_schema().names() if n != "period"]
        parts.append(made.select("period", nw.lit(size).alias("size"), *names))
    made = stack(parts).sort("period", "size", "vsic_group")
    return leave(made, like=organisations)  # type: ignore[no-any-return]


def inequality(
    organisations: Native, reports: Native, *, quantities: Sequence[str] = QUANTITIES
) -> Native:
    """Split the inequality of cooperatives into that between localities and that within them.

    Formula and hazards: `htx_pipeline.metrics.concentration.theil`, once for each quantity.
    ``member_income_vnd`` compares cooperatives' means, not members.

    Parameters
    ----------
    organisations, reports:
        The tables `core/organisations`, `core/cooperative_reports`.
    quantities:
        Columns of ``reports``.

    Returns
    -------
    frame
        ``period``, ``quantity``, ``n``, ``n_not_stated`` (cooperatives that report and leave it out),
        ``theil``, ``between``, ``within``, ``between_share``, ``is_defined``, ``reason``.

    Examples
    --------
    >>> import polars as pl
    >>> register = pl.DataFrame({"period": ["2024"] * 4, "org_id": list("abcd"), "legal_type": ["htx"] * 4,
    ...     "locality": ["X", "X", "Y", "Y"], "vsic_code": [None] * 4}, schema_overrides={"vsic_code": pl.String})
    >>> told = register.select("period", "org_id", revenue_vnd=pl.Series([1, 1, 3, 3]))
    >>> inequality(register, told, quantities=["revenue_vnd"]).select(pl.col("theil").round(6), "between_share").rows()
    [(0.130812, 1.0)]
    """
    own = pin(_cooperatives(organisations, digits=4))
    parts = []
    for quantity in quantities:
        told = enter(reports).select("period", "org_id", nw.col(quantity).alias("_value"))
        units = own.join(told, on=["period", "org_id"], how="inner")
        made = enter(theil(pin(units).to_native(), value="_value"))
        names = [n for n in made.collect_schema().names() if n != "period"]
        parts.append(made.select("period", nw.lit(quantity).alias("quantity"), *names))
    return leave(stack(parts).sort("period", "quantity"), like=organisations)  # type: ignore[no-any-return]
