"""Concentration and dependence: on few buyers, in few places, in few hands.

What belongs here: Herfindahl–Hirschman, largest share, effective number; Ellison–Glaeser; location
quotient; Theil. What does not: how much is linked at all (`linkage`), position in the network.

All functions take any engine Narwhals knows and return the same. Shares are rounded to twelve
decimals, so that the order in which an engine adds cannot show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals as nw

from htx_pipeline.errors import InputError
from htx_pipeline.metrics._tabular import Z_95, Native, enter, leave
from htx_pipeline.metrics.linkage import LEVELS

WEIGHTS: Final = ("paid_value_vnd", "contracted_value_vnd", "delivered_tonnes", "contracted_tonnes", "n_linkages")  # fmt: skip
"""Columns of `graph/edges` that shares can be computed on."""

_DIGITS: Final = 12


def _sum_where(condition: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(value).sum()


def concentration(
    edges: Native,
    *,
    by: Sequence[str] = ("period", "product_code"),
    of: str = "buyer",
    weight: str = "contracted_value_vnd",
    evidence: str = "signed",
) -> Native:
    """Measure how few buyers (or suppliers) a group of linkages has.

    With s_i the share of buyer i in the group's weight: ``hhi`` = Σ s_i² (1/n … 1),
    ``effective_number`` = 1 / HHI (as many equal buyers would be as concentrated),
    ``largest_share`` = max s_i. ``by=("period", "supplier_id")`` gives each seller's dependence.

    Hazards: an edge that states no weight is left out and counted; where many are,
    the figure is that of those who report. Self-loops are left out. With one buyer HHI is 1 whatever
    its size: read ``n``. Many buyers under one owner count as many.

    Parameters
    ----------
    edges:
        The table `graph/edges`.
    by:
        Columns that make a group.
    of:
        ``buyer`` or ``supplier``: whose shares.
    weight:
        One of `WEIGHTS`. Ratios do not change with the unit.
    evidence:
        Weakest level that counts.

    Returns
    -------
    frame
        ``by``, ``of``, ``weight``, ``n`` (buyers with a positive weight), ``n_edges``,
        ``n_edges_without_weight``, ``total``, ``hhi``, ``effective_number``, ``largest_id`` (of
        equals, the smaller id), ``largest_share``, ``is_defined``, ``reason`` (``weight_not_stated``,
        ``weight_zero``).

    References
    ----------
    Hirschman 1964, The paternity of an index, American Economic Review 54(5); effective number:
    Laakso, Taagepera 1979, doi:10.1177/001041407901200101.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"period": ["2024"] * 3, "product_code": ["coffee"] * 3, "supplier_id": ["a", "b", "c"],
    ...     "buyer_id": ["x", "x", "y"], "evidence": ["signed"] * 3, "contracted_value_vnd": [30, 20, 50]})
    >>> concentration(rows).select("n", "hhi", "effective_number", "largest_id").rows()
    [(2, 0.5, 2.0, 'x')]
    """
    if of not in ("buyer", "supplier") or weight not in WEIGHTS or evidence not in LEVELS:
        raise InputError(
            f"Unknown choice: of={of!r}, weight={weight!r}, evidence={evidence!r}.",
            remedy=f"of: buyer, supplier; weight: {', '.join(WEIGHTS)}; evidence: {', '.join(LEVELS)}.",
            code="unknown_choice",
        )
    by = list(by)
    levels = LEVELS[LEVELS.index(evidence) :]
    # A group column may be the very id whose shares are taken.
    rows = (
        enter(edges)
        .filter(nw.col("evidence").is_in(levels), nw.col("supplier_id") != nw.col("buyer_id"))
        .select(*by, nw.col(f"{of}_id").alias("_id"), nw.col(weight).cast(nw.Float64).alias("_w"))
    )
    counts = rows.group_by(by).agg(
        nw.len().cast(nw.Int64).alias("n_edges"),
        nw.col("_w").is_null().cast(nw.Int64).sum().cast(nw.Int64).alias("n_edges_without_weight"),
    )
    totals = rows.group_by(by).agg(nw.col("_w").sum().alias("_total"))
    shares = (
        rows.filter(nw.col("_w") > 0)
        .group_by(*by, "_id")
        .agg(nw.col("_w").sum())
        .join(totals, on=by, how="inner")
        .with_columns((nw.col("_w") / nw.col("_total")).alias("_raw"))
        .with_columns(nw.col("_raw").round(_DIGITS).alias("_share"))
    )
    made = shares.group_by(by).agg(
        nw.len().cast(nw.Int64).alias("n"),
        (nw.col("_raw") * nw.col("_raw")).sum().alias("hhi"),
        nw.col("_share").max().alias("largest_share"),
    )
    largest = (
        shares.join(made.select(*by, "largest_share"), on=by, how="inner")
        .filter(nw.col("_share") == nw.col("largest_share"))
        .group_by(by)
        .agg(nw.col("_id").min().alias("largest_id"))
    )
    joined = (
        counts.join(totals, on=by, how="left")
        .join(made, on=by, how="left")
        .join(largest, on=by, how="left")
    )
    reason = nw.when(nw.col("n_edges") == nw.col("n_edges_without_weight")).then(
        nw.lit("weight_not_stated")
    ).otherwise(nw.when(nw.col("hhi").is_null()).then(nw.lit("weight_zero")))  # fmt: skip
    result = joined.select(
        *by,
        nw.lit(of).alias("of"),
        nw.lit(weight).alias("weight"),
        nw.col("n").fill_null(0),
        "n_edges",
        "n_edges_without_weight",
        nw.when(nw.col("n_edges") > nw.col("n_edges_without_weight"))
        .then(nw.col("_total")).alias("total"),
        nw.col("hhi").round(_DIGITS),
        (1 / nw.col("hhi")).round(_DIGITS - 3).alias("effective_number"),
        "largest_id",
        "largest_share",
        (~nw.col("hhi").is_null()).alias("is_defined"),
        reason.alias("reason"),
    )  # fmt: skip
    return leave(result.sort(*by), like=edges)  # type: ignore[no-any-return]


def ellison_glaeser(
    plants: Native,
    *,
    industry: str = "product_code",
    area: str = "locality",
    size: str = "size",
    by: Sequence[str] = ("period",),
    min_plants: int = 3,
) -> Native:
    """Measure whether an industry clusters in space beyond what its few large plants would do.

    With s_i the area's share of the industry's size, x_i its share of all industries', z_j the
    share of plant j in the industry: G = Σ (s_i − x_i)², X = Σ x_i², H = Σ z_j²,
    γ = (G/(1 − X) − H) / (1 − H). γ = 0: as if thrown at random; > 0: clustered (above 0.05 highly, by
    the authors' reading of US manufacturing); < 0: spread out.

    Hazards: unstable with few plants; null under ``min_plants``, with one plant in effect (H = 1),
    or with one area in effect (X = 1). Depends on how finely areas are cut: compare periods on one
    set of areas only.

    Parameters
    ----------
    plants:
        One row per plant (cooperative, enterprise) and industry, with its size: members, revenue,
        area. Rows with no industry, no area, or a size that is null or not positive are left out.
    industry, area, size, by:
        Columns.
    min_plants:
        Fewest plants of an industry for a figure.

    Returns
    -------
    frame
        ``by``, ``industry``, ``n``, ``n_areas``, ``g``, ``h``, ``gamma``, ``is_defined``, ``reason``
        (``too_few``, ``one_plant``, ``one_area``).

    References
    ----------
    Ellison, Glaeser 1997, doi:10.1086/262098.

    Examples
    --------
    >>> import polars as pl
    >>> plants = pl.DataFrame({"period": ["2024"] * 8, "product_code": ["coffee"] * 4 + ["rice"] * 4,
    ...     "locality": ["X"] * 4 + ["Y"] * 4, "size": [1.0] * 8})
    >>> ellison_glaeser(plants).select("product_code", "gamma").rows()
    [('coffee', 1.0), ('rice', 1.0)]
    """
    by = list(by)
    rows = (
        enter(plants)
        .filter(~nw.col(industry).is_null(), ~nw.col(area).is_null(), nw.col(size) > 0)
        .select(*by, nw.col(industry).alias("_industry"), nw.col(area).alias("_area"),
                nw.col(size).cast(nw.Float64).alias("_size"))
    )  # fmt: skip
    whole = rows.group_by(by).agg(nw.col("_size").sum().alias("_all"))
    areas = rows.group_by(*by, "_area").agg(nw.col("_size").sum().alias("_in_area"))
    areas = areas.join(whole, on=by, how="inner").with_columns(
        (nw.col("_in_area") / nw.col("_all")).alias("_x")
    )
    xx = areas.group_by(by).agg((nw.col("_x") * nw.col("_x")).sum().alias("_xx"))
    key = [*by, "_industry"]
    firms = rows.group_by(key).agg(
        nw.len().cast(nw.Int64).alias("n"),
        nw.col("_area").n_unique().cast(nw.Int64).alias("n_areas"),
        nw.col("_size").sum().alias("_total"),
        (nw.col("_size") * nw.col("_size")).sum().alias("_squares"),
    )
    placed = (
        rows.group_by(*key, "_area")
        .agg(nw.col("_size").sum().alias("_here"))
        .join(firms.select(*key, "_total"), on=key, how="inner")
    )
    # G over all areas: those without the industry still add x_i².
    inside = (
        placed.join(areas.select(*by, "_area", "_x"), on=[*by, "_area"], how="inner")
        .with_columns((nw.col("_here") / nw.col("_total")).alias("_s"))
        .group_by(key)
        .agg(
            (nw.col("_s") * nw.col("_s") - 2 * nw.col("_s") * nw.col("_x")).sum().alias("_part"),
        )
    )
    made = firms.join(inside, on=key, how="inner").join(xx, on=by, how="inner")
    made = made.with_columns(
        (nw.col("_part") + nw.col("_xx")).round(_DIGITS).alias("g"),
        (nw.col("_squares") / (nw.col("_total") * nw.col("_total"))).round(_DIGITS).alias("h"),
        nw.col("_xx").round(_DIGITS).alias("_xx"),
    )
    reason = nw.when(nw.col("n") < min_plants).then(nw.lit("too_few")).otherwise(
        nw.when(nw.col("h") >= 1).then(nw.lit("one_plant")).otherwise(
            nw.when(nw.col("_xx") >= 1).then(nw.lit("one_area"))
        )
    )  # fmt: skip
    made = made.with_columns(reason.alias("reason"))
    gamma = (nw.col("g") / (1 - nw.col("_xx")) - nw.col("h")) / (1 - nw.col("h"))
    result = made.select(
        *by,
        nw.col("_industry").alias(industry),
        "n",
        "n_areas",
        "g",
        "h",
        nw.when(nw.col("reason").is_null()).then(gamma.round(_DIGITS)).alias("gamma"),
        nw.col("reason").is_null().alias("is_defined"),
        "reason",
    )
    return leave(result.sort(*by, industry), like=plants)  # type: ignore[no-any-return]


def location_quotient(
    counts: Native,
    *,
    industry: str = "product_code",
    area: str = "locality",
    count: str = "n",
    by: Sequence[str] = ("period",),
    min_count: int = 5,
) -> Native:
    """Compare an industry's share in an area with its share in the whole.

    LQ = (n_ia / n_a) / (n_i / n), of counts (cooperatives, members). Above 1: the area is
    specialised. The 95 % interval takes Wilson's interval of n_ia / n_a and holds the whole's share
    fixed; a specialisation is plain only when the interval lies above 1.

    Hazards: a small area reaches a high LQ with one cooperative: under ``min_count`` in the area
    (n_a) or expected there (n_a · n_i / n under 1) the value is withheld. LQ says nothing of size.

    Parameters
    ----------
    counts:
        One row per industry and area (repeated rows add up), with a count of things.
    industry, area, count, by:
        Columns.
    min_count:
        Fewest things in an area for a figure.

    Returns
    -------
    frame
        ``by``, ``industry``, ``area``, ``n_here``, ``n_area``, ``n_industry``, ``n_all``, ``value``,
        ``value_low``, ``value_high``, ``is_defined``, ``reason`` (``too_few``). Pairs without any
        thing are no rows.

    References
    ----------
    Florence 1939, Report on the location of industry; interval: Wilson 1927, doi:10.2307/2276774.

    Examples
    --------
    >>> import polars as pl
    >>> counts = pl.DataFrame({"period": ["2024"] * 4, "product_code": ["coffee", "rice"] * 2,
    ...     "locality": ["X", "X", "Y", "Y"], "n": [8, 2, 2, 8]})
    >>> location_quotient(counts).select("product_code", "locality", "value").rows()[:2]
    [('coffee', 'X', 1.6), ('coffee', 'Y', 0.4)]
    """
    by = list(by)
    rows = (
        enter(counts)
        .filter(nw.col(count) > 0, ~nw.col(industry).is_null(), ~nw.col(area).is_null())
        .select(*by, nw.col(industry).alias("_industry"), nw.col(area).alias("_area"), nw.col(count).alias("_n"))
    )  # fmt: skip

    def summed(keys: Sequence[str], name: str) -> nw.LazyFrame[Any]:
        return rows.group_by(*keys).agg(nw.col("_n").sum().cast(nw.Int64).alias(name))

    made = (
        summed([*by, "_industry", "_area"], "n_here")
        .join(summed([*by, "_area"], "n_area"), on=[*by, "_area"], how="inner")
        .join(summed([*by, "_industry"], "n_industry"), on=[*by, "_industry"], how="inner")
        .join(summed(by, "n_all"), on=by, how="inner")
    )
    n = nw.col("n_area").cast(nw.Float64)
    p = nw.col("n_here").cast(nw.Float64) / n
    base = nw.col("n_industry").cast(nw.Float64) / nw.col("n_all")
    z2 = Z_95 * Z_95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = ((p * (1 - p) / n + z2 / (4 * n * n)) ** 0.5) * Z_95 / (1 + z2 / n)
    is_enough = (nw.col("n_area") >= min_count) & (n * base >= 1)

    def shown(value: nw.Expr) -> nw.Expr:
        return nw.when(is_enough).then((value / base).round(_DIGITS))

    result = made.select(
        *by,
        nw.col("_industry").alias(industry),
        nw.col("_area").alias(area),
        "n_here", "n_area", "n_industry", "n_all",
        shown(p).alias("value"),
        shown(centre - half).alias("value_low"),
        shown(centre + half).alias("value_high"),
        is_enough.alias("is_defined"),
        nw.when(~is_enough).then(nw.lit("too_few")).alias("reason"),
    )  # fmt: skip
    return leave(result.sort(*by, industry, area), like=counts)  # type: ignore[no-any-return]


def theil(
    frame: Native,
    *,
    value: str = "revenue_vnd",
    group: str = "locality",
    by: Sequence[str] = ("period",),
) -> Native:
    """Measure inequality, and split it into that between groups and that within them.

    T = Σ (y_i/Y) ln(y_i/ȳ); 0 when all are equal, ln n when one has everything. It adds up:
    T = Σ_g s_g ln(s_g/(n_g/n)) (between) + Σ_g s_g T_g (within), with s_g the group's share of Y.

    Hazards: needs values ≥ 0: a value of 0 counts (its term is 0), null is left out and counted, and
    one negative value makes the figure undefined. Do not compare populations of very different n.

    Parameters
    ----------
    frame:
        One row per unit.
    value, group, by:
        Columns. A unit without a group forms part of the group ``unknown``.

    Returns
    -------
    frame
        ``by``, ``n``, ``n_not_stated``, ``theil``, ``between``, ``within``, ``between_share``,
        ``is_defined``, ``reason`` (``not_stated``, ``negative_values``, ``total_zero``).

    References
    ----------
    Theil 1967, Economics and information theory; decomposition: Shorrocks 1980,
    doi:10.2307/1913126.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"period": ["2024"] * 4, "locality": ["X", "X", "Y", "Y"], "revenue_vnd": [1, 1, 3, 3]})
    >>> theil(rows).select(pl.col("theil").round(6), "within", "between_share").rows()
    [(0.130812, 0.0, 1.0)]
    """
    by = list(by)
    rows = enter(frame).select(
        *by,
        nw.when(nw.col(group).is_null()).then(nw.lit("unknown")).otherwise(nw.col(group)).alias("_group"),
        nw.col(value).cast(nw.Float64).alias("_y"),
    )  # fmt: skip
    whole = rows.group_by(by).agg(
        nw.col("_y").count().cast(nw.Int64).alias("n"),
        nw.col("_y").is_null().cast(nw.Int64).sum().cast(nw.Int64).alias("n_not_stated"),
        nw.col("_y").sum().alias("_total"),
        nw.col("_y").min().alias("_least"),
    )
    parts = (
        rows.filter(~nw.col("_y").is_null())
        .group_by(*by, "_group")
        .agg(nw.len().cast(nw.Float64).alias("_n_group"), nw.col("_y").sum().alias("_y_group"))
    )
    stated = rows.filter(nw.col("_y") > 0).join(
        whole.filter(nw.col("_least") >= 0), on=by, how="inner"
    )
    share = nw.col("_y") / nw.col("_total")
    overall = stated.with_columns((share * (share * nw.col("n")).log()).alias("_term"))
    overall = overall.group_by(by).agg(nw.col("_term").sum().round(_DIGITS).alias("theil"))
    share_group = nw.col("_y_group") / nw.col("_total")
    between = (
        parts.filter(nw.col("_y_group") > 0)
        .join(whole.filter(nw.col("_least") >= 0), on=by, how="inner")
        .with_columns((share_group * (share_group / (nw.col("_n_group") / nw.col("n"))).log()).alias("_term"))
        .group_by(by)
        .agg(nw.col("_term").sum().round(_DIGITS).alias("between"))
    )  # fmt: skip
    made = whole.join(overall, on=by, how="left").join(between, on=by, how="left")
    reason = nw.when(nw.col("n") == 0).then(nw.lit("not_stated")).otherwise(
        nw.when(nw.col("_least") < 0).then(nw.lit("negative_values")).otherwise(
            nw.when(nw.col("_total") == 0).then(nw.lit("total_zero"))
        )
    )  # fmt: skip
    made = made.with_columns(
        (nw.col("theil") - nw.col("between")).round(_DIGITS).alias("within"), reason.alias("reason")
    )
    result = made.select(
        *by, "n", "n_not_stated", "theil", "between", "within",
        nw.when(nw.col("theil") > 0).then(nw.col("between") / nw.col("theil")).alias("between_share"),
        nw.col("reason").is_null().alias("is_defined"), "reason",
    )  # fmt: skip
    return leave(result.sort(*by), like=frame)  # type: ignore[no-any-return]
