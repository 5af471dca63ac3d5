"""Members: whether members of linked cooperatives earn more than those of comparable unlinked ones.

What belongs here: the comparison of member income, plain and matched, with its interval. What does
not: how many are linked (`linkage`), what members would lose if a buyer failed (`risk`). Only means of
cooperatives enter; no person appears.

The cooperatives may lie in any engine Narwhals knows: counts, means and squares of each stratum are
worked out there. The few strata are then compared in Polars, as Student's t is no expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import narwhals as nw
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.metrics._tabular import Native, count_where, enter, pin, stack
from htx_pipeline.metrics.linkage import LEVELS, UNKNOWN, participation

WHOLE: Final = "province"
"""Locality of a comparison over the whole area."""

LINKED_AS: Final = {
    "any": "level",
    "chain": "chain_level",
    "offtake": "offtake_level",
    "enterprise": "enterprise_level",
}
"""Senses of "linked", and the column of `linkage.participation` behind each."""

SIZE_BREAKS: Final = (15, 50, 200)
"""Official members at which a size class begins: our choice, from how cooperatives are spread."""

MEMBER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "locality": pl.String(),
    "linked_as": pl.String(),
    "evidence": pl.String(),
    "method": pl.String(),
    "n_linked": pl.Int64(),
    "n_unlinked": pl.Int64(),
    "n_linked_left_out": pl.Int64(),
    "n_without_income": pl.Int64(),
    "n_strata": pl.Int64(),
    "linked_income_vnd": pl.Float64(),
    "unlinked_income_vnd": pl.Float64(),
    "difference_vnd": pl.Float64(),
    "difference_low_vnd": pl.Float64(),
    "difference_high_vnd": pl.Float64(),
    "is_defined": pl.Boolean(),
    "reason": pl.String(),
    "interval_reason": pl.String(),
    "note_vi": pl.String(),
    "note_en": pl.String(),
}
"""Columns of `metrics/members_income`."""

_NOTES: Final = {
    "too_small": (
        "Số hợp tác xã quá ít, không đủ cơ sở để so sánh và không công bố số liệu.",
        "Too few cooperatives: no comparison can be made, and no figure is published.",
    ),
    "no_match": (
        "Không có hợp tác xã chưa liên kết tương đồng về quy mô, ngành hàng và địa bàn.",
        "No unlinked cooperative is alike in size, product and place.",
    ),
    "few": (
        "Số hợp tác xã ít; chỉ dùng để tham khảo.",
        "Few cooperatives: read it as a hint only.",
    ),
    "crosses_zero": (
        "Chưa đủ cơ sở khẳng định có chênh lệch (khoảng tin cậy 95 % chứa số 0).",
        "No difference is established (the 95 % interval includes 0).",
    ),
    "differs": (
        "Có chênh lệch; chưa khẳng định được nguyên nhân là do liên kết.",
        "There is a difference; that linkage is its cause is not established.",
    ),
}


def members_income(
    organisations: Native,
    reports: Native,
    edges: Native,
    *,
    linked_as: str = "chain",
    evidence: str = "signed",
    match_on: Sequence[str] = ("size_class", "product_group", "locality"),
    size_breaks: Sequence[int] = SIZE_BREAKS,
    vsic_digits: int = 3,
    min_disclosure_count: int = 3,
    few: int = 10,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Compare the mean member income of linked and unlinked cooperatives, plain and matched.

    ``method`` ``plain``: the difference of the two means. ``matched``: coarsened exact matching; linked
    cooperatives are compared with unlinked ones of the same size class (official members), product
    group (first ``vsic_digits`` digits of the VSIC code) and locality, and the differences within
    strata are weighted by linked cooperatives:
    Δ = Σ_s (n_1s / n_1) (ȳ_1s − ȳ_0s). A linked cooperative without a counterpart is left out and
    counted. The unit is the cooperative; a large one counts as much as a small one.

    Interval: Welch's t on variances pooled within strata, for each side apart:
    var Δ = v_1/n_1 + v_0·Σ_s (n_1s/n_1)²/n_0s, degrees of freedom after Welch–Satterthwaite. Null
    where a side has no two cooperatives in one stratum (``interval_reason`` ``no_repetition``).

    Undefined: a side with fewer than ``min_disclosure_count`` cooperatives (``too_small``; also with
    fewer than two); no stratum with both (``no_match``). Under ``few`` on a side the note says so.

    Hazards: matched on what is recorded only. Better managed cooperatives get contracts *and* pay
    better; the difference is not the effect of linkage. Member income is self-reported.

    Parameters
    ----------
    organisations, reports, edges:
        The tables `core/organisations`, `core/cooperative_reports`, `graph/edges`, of one engine.
    linked_as:
        One of `LINKED_AS`: any linkage; one with consumption; as a seller; as a seller to an
        enterprise.
    evidence:
        Weakest evidence level that counts as linked.
    match_on:
        What must be equal: ``size_class``, ``product_group``, ``locality``, or a further column of
        ``organisations``. A cooperative with one of them unknown is left out of the matched
        comparison.
    size_breaks, vsic_digits:
        How size and product are coarsened.
    min_disclosure_count:
        Fewest cooperatives behind a published mean.
    few, confidence:
        When the note warns, and how wide the interval is.

    Returns
    -------
    DataFrame
        `MEMBER_SCHEMA`: two rows (``plain``, ``matched``) for each period and locality, and for
        ``province``. Incomes in VND per member and year. ``n_without_income`` counts cooperatives that
        report no member income; they are left out.

    References
    ----------
    Iacus, King & Porro 2012, doi:10.1093/pan/mpr013 (coarsened exact matching); Welch 1947,
    doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> from htx_pipeline.graph.network import edges
    >>> from htx_pipeline.schemas import TABLES
    >>> ids = ["a", "b", "c", "d", "e", "f"]
    >>> organisations = TABLES["organisations"].conform(pl.DataFrame({"period": ["2024"] * 6, "org_id": ids,
    ...     "legal_type": ["htx"] * 6, "locality": ["X"] * 6, "vsic_code": ["0126"] * 6}))
    >>> reports = TABLES["cooperative_reports"].conform(pl.DataFrame({"period": ["2024"] * 6, "org_id": ids,
    ...     "official_members": [20] * 6, "member_income_vnd": [50, 60, 70, 30, 40, 50]}))
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 3, "supplier_id": ["a", "b", "c"],
    ...     "buyer_id": ["mill"] * 3, "product_code": ["coffee"] * 3, "evidence": ["signed"] * 3}))
    >>> made = members_income(organisations, reports, edges(links)).filter(pl.col("method") == "matched")
    >>> made.select("locality", "n_linked", "difference_vnd", pl.col("difference_low_vnd").round(2)).rows()
    [('X', 3, 20.0, -2.67), ('province', 3, 20.0, -2.67)]
    """
    if linked_as not in LINKED_AS or evidence not in LEVELS or not 0 < confidence < 1:
        raise InputError(
            f"Unknown choice: linked_as={linked_as!r}, evidence={evidence!r}, confidence={confidence!r}.",
            remedy=f"linked_as: {', '.join(LINKED_AS)}; evidence: {', '.join(LEVELS)}; confidence between 0 and 1.",
            code="unknown_choice",
        )
    key = ["period", "org_id"]
    rank = LEVELS.index(evidence) + 1
    register = enter(organisations)
    absent = [
        name
        for name in match_on
        if name not in ("size_class", "product_group")
        and name not in register.collect_schema().names()
    ]
    if absent:
        raise InputError(
            f"Cannot match on {', '.join(absent)}: no such column.",
            remedy="Use size_class, product_group, locality or a column of organisations.",
            code="unknown_choice",
        )
    linked = enter(participation(organisations, edges)).select(
        *key, (nw.col(LINKED_AS[linked_as]) >= rank).alias("is_linked")
    )
    told = enter(reports).select(*key, "official_members", "member_income_vnd")
    # Adding keeps unknown size unknown.
    steps = [(nw.col("official_members") >= limit).cast(nw.Int64) for limit in size_breaks]
    units = (
        register.filter(nw.col("legal_type") == "htx")
        .join(linked, on=key, how="inner")
        .join(told, on=key, how="inner")
        .with_columns(
            sum(steps, nw.col("official_members") * 0).alias("size_class"),
            nw.col("vsic_code").str.slice(0, vsic_digits).alias("product_group"),
            nw.col("member_income_vnd").cast(nw.Float64).alias("_income"),
        )
    )
    # What is matched on keeps its null; a locality that is not stated is a place of its own in the list.
    names = {name: f"_match_{place}" for place, name in enumerate(match_on)}
    columns = [
        nw.col("is_linked"), nw.col("_income"),
        *(nw.col(name).alias(alias) for name, alias in names.items()),
    ]  # fmt: skip
    units = pin(units)
    scopes = stack(
        [
            units.select("period", nw.col("locality").fill_null(UNKNOWN).alias("_scope"), *columns),
            units.select("period", nw.lit(WHOLE).alias("_scope"), *columns),
        ]
    )
    cells = (
        scopes.group_by("period", "_scope")
        .agg(
            nw.len().cast(nw.Int64).alias("n"),
            count_where(~nw.col("_income").is_null()).alias("n_told"),
            count_where(~nw.col("_income").is_null() & nw.col("is_linked")).alias("n_linked"),
        )
        .collect("polars")
        .to_polars()
    )
    sides = {
        "plain": _strata(scopes, []),
        "matched": _strata(scopes, list(names.values())),
    }
    rows = []
    for cell in cells.sort("period", "_scope").iter_rows(named=True):
        for method, table in sides.items():
            part = table.filter(
                pl.col("period") == cell["period"], pl.col("_scope") == cell["_scope"]
            )
            found = _compare(
                part, is_matched=method == "matched", n_linked=cell["n_linked"], n_told=cell["n_told"],
                minimum=max(min_disclosure_count, 2), confidence=confidence,
            )  # fmt: skip
            rows.append(
                {
                    "period": cell["period"],
                    "locality": cell["_scope"],
                    "linked_as": linked_as,
                    "evidence": evidence,
                    "method": method,
                    "n_without_income": cell["n"] - cell["n_told"],
                    **found,
                    **_note(found, few=few),
                }
            )
    return pl.DataFrame(rows, schema=MEMBER_SCHEMA).sort("period", "locality", "method")


def _strata(scopes: nw.LazyFrame[Any], match_on: list[str]) -> pl.DataFrame:
    """Return number, mean and sum of squares of either side, for each stratum that has both."""
    known = scopes.filter(~nw.col("_income").is_null())
    for name in match_on:
        known = known.filter(~nw.col(name).is_null())
    by = ["period", "_scope", *match_on]
    income, linked = nw.col("_income"), nw.col("is_linked")

    def mean(condition: nw.Expr, name: str) -> list[nw.Expr]:
        return [
            count_where(condition).alias(f"n{name}"),
            nw.when(condition).then(income).mean().alias(f"mean{name}"),
        ]

    means = known.group_by(by).agg(*mean(linked, "1"), *mean(~linked, "0"))
    own = nw.when(linked).then(nw.col("mean1")).otherwise(nw.col("mean0"))
    spread = known.join(means, on=by, how="inner").with_columns((income - own).alias("_off"))
    square = nw.col("_off") * nw.col("_off")
    squares = spread.group_by(by).agg(
        nw.when(linked).then(square).sum().alias("squares1"),
        nw.when(~linked).then(square).sum().alias("squares0"),
    )
    both = means.join(squares, on=by, how="inner")
    both = both.filter(nw.col("n1") > 0, nw.col("n0") > 0)
    return both.collect("polars").to_polars().sort(by)


def _compare(
    table: pl.DataFrame,
    *,
    is_matched: bool,
    n_linked: int,
    n_told: int,
    minimum: int,
    confidence: float,
) -> dict[str, Any]:
    """Compare within strata; the plain comparison has one."""
    n1, n0 = int(table["n1"].sum()), int(table["n0"].sum())
    found: dict[str, Any] = {
        "n_linked": n1,
        "n_unlinked": n0,
        "n_linked_left_out": n_linked - n1,
        "n_strata": table.height,
        "is_defined": False,
    }
    if not is_matched and table.is_empty():
        found["n_linked"] = n_linked
        found["n_unlinked"] = n_told - n_linked
        found["n_linked_left_out"] = 0
        return {**found, "n_strata": 1, "reason": "too_small"}
    if table.is_empty():
        return {**found, "reason": "no_match"}
    if min(n1, n0) < minimum:
        return {**found, "reason": "too_small"}
    share = table["n1"] / n1
    mean1 = float((share * table["mean1"]).sum())
    mean0 = float((share * table["mean0"]).sum())
    found.update(
        is_defined=True,
        linked_income_vnd=round(mean1, 2),
        unlinked_income_vnd=round(mean0, 2),
        difference_vnd=round(mean1 - mean0, 2),
    )
    free1, free0 = n1 - table.height, n0 - table.height
    if min(free1, free0) < 1:
        return {**found, "interval_reason": "no_repetition"}
    part1 = float(table["squares1"].sum()) / free1 / n1
    part0 = float(table["squares0"].sum()) / free0 * float((share**2 / table["n0"]).sum())
    variance = part1 + part0
    half = 0.0
    if variance > 0:
        from scipy.special import stdtrit

        freedom = variance**2 / (part1**2 / free1 + part0**2 / free0)
        half = float(stdtrit(freedom, (1 + confidence) / 2)) * variance**0.5
    found.update(
        difference_low_vnd=round(mean1 - mean0 - half, 2),
        difference_high_vnd=round(mean1 - mean0 + half, 2),
    )
    return found


def _note(found: dict[str, Any], *, few: int) -> dict[str, str | None]:
    codes: list[str] = []
    if not found["is_defined"]:
        codes = [found["reason"]]
    else:
        if min(found["n_linked"], found["n_unlinked"]) < few:
            codes.append("few")
        low, high = found.get("difference_low_vnd"), found.get("difference_high_vnd")
        if low is not None and high is not None:
            codes.append("crosses_zero" if low <= 0 <= high else "differs")
    texts = [_NOTES[code] for code in codes]
    return {
        "note_vi": " ".join(vi for vi, _ in texts) or None,
        "note_en": " ".join(en for _, en in texts) or None,
    }
