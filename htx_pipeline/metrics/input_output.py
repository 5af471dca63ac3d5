"""Multipliers of a chain from its input–output table.

What belongs here: the Leontief inverse and output multipliers of `metrics/chain_flows`. What does not:
the flows (`chain`), accounts and prices (`value`).

Matrices of a few stages: NumPy arrays, not one of the measures written for every engine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.reference.stages import STAGES

MULTIPLIER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "period": pl.String(),
    "scope": pl.String(),
    "product_code": pl.String(),
    "stage": pl.String(),
    "output_vnd": pl.Int64(),
    "intermediate_inputs_vnd": pl.Int64(),
    "final_sales_vnd": pl.Int64(),
    "output_multiplier": pl.Float64(),
    "production_requirement": pl.Float64(),
    "is_defined": pl.Boolean(),
    "reason": pl.String(),
}
"""Columns of `multipliers`."""

_CELL: Final = ["period", "scope", "product_code"]


def leontief_inverse(flows: NDArray[Any], output: NDArray[Any]) -> NDArray[np.float64]:
    """Return L = (I − A)⁻¹, A = Z·diag(x)⁻¹: output of i that one unit of final sales of j draws.

    Parameters
    ----------
    flows:
        Z, sales of row i to column j.
    output:
        x, total output of each sector, all above 0.

    Raises
    ------
    InputError
        An output is not above 0, a number is negative or not finite, or the table is not productive
        (the largest eigenvalue of A is 1 or more: more goes in than comes out).

    References
    ----------
    Miller & Blair 2022, Input–Output Analysis, 3rd ed., chapter 2, doi:10.1017/9781108676212.

    Examples
    --------
    >>> leontief_inverse(np.array([[150, 500], [200, 100]]), np.array([1000, 2000])).round(3).tolist()
    [[1.254, 0.33], [0.264, 1.122]]
    """
    z = np.asarray(flows, dtype=np.float64)
    x = np.asarray(output, dtype=np.float64)
    n = len(x)
    if z.shape != (n, n) or not np.isfinite(z).all() or (z < 0).any():
        raise InputError(
            f"The flows must be {n} by {n} numbers of 0 or more.", code="input_output_table"
        )
    if not (np.isfinite(x) & (x > 0)).all():
        raise InputError(
            "Every output must be above 0.",
            remedy="Leave sectors without output out.",
            code="input_output_table",
        )
    a = z / x
    if n and np.abs(np.linalg.eigvals(a)).max() >= 1 - 1e-12:
        raise InputError(
            "The table is not productive: sectors take in more than they put out.",
            code="not_productive",
        )
    return np.asarray(np.linalg.solve(np.eye(n) - a, np.eye(n)))


def multipliers(flows: pl.DataFrame) -> pl.DataFrame:
    """Compute output multipliers of a chain from its flows between stages.

    Sectors are the stages before consumption; output x is what a stage sells, to consumption and to
    organisations of unknown stage being final sales; Z is what stages sell each other.
    ``output_multiplier`` of stage j = Σ_i L(i,j): đồng sold along the whole chain for one đồng of
    final sales of j. ``production_requirement`` = L(production, j): what of it producers sell.

    Undefined: a stage that buys and sells nothing recorded (``sales_not_recorded``), or buys for more
    than it sells (``more_bought_than_sold``: sales are missing); a stage that draws on such a stage
    (``depends_on_undefined``); no value stated (``value_not_stated``).
    Hazards: value outside the recorded chain is no part of it; one year's prices.

    Parameters
    ----------
    flows:
        The table `metrics/chain_flows`; its rows of kind ``recorded`` are read.

    Returns
    -------
    DataFrame
        `MULTIPLIER_SCHEMA`, one row per period, scope, product and stage that trades.

    References
    ----------
    Miller & Blair 2022, chapters 2 and 6, doi:10.1017/9781108676212.

    Examples
    --------
    >>> flows = pl.DataFrame({"period": ["2024"] * 2, "scope": ["province"] * 2, "product_code": ["rice"] * 2, "kind": ["recorded"] * 2,
    ...     "from_stage": ["production", "processing"], "to_stage": ["processing", "consumption"], "value_vnd": [60, 100]})
    >>> multipliers(flows).select("stage", "output_multiplier", "production_requirement").rows()
    [('processing', 1.6, 0.6), ('production', 1.0, 1.0)]
    """
    rows: list[dict[str, Any]] = []
    recorded = flows.filter(pl.col("kind") == "recorded").sort(*_CELL, "from_stage", "to_stage")
    sectors = [s for s in STAGES if s != "consumption"]
    for cell, part in recorded.group_by(_CELL, maintain_order=True):
        rows.extend(
            {**dict(zip(_CELL, cell, strict=True)), **row} for row in _multipliers_of(part, sectors)
        )
    return pl.DataFrame(rows, schema=MULTIPLIER_SCHEMA).sort(*_CELL, "stage")


def _multipliers_of(part: pl.DataFrame, sectors: list[str]) -> list[dict[str, Any]]:
    n = len(sectors)
    place = {name: i for i, name in enumerate(sectors)}
    z = np.zeros((n, n), dtype=np.int64)
    final = np.zeros(n, dtype=np.int64)
    trades_at = np.zeros(n, dtype=bool)
    has_value = np.zeros(n, dtype=bool)
    for source, target, value in part.select("from_stage", "to_stage", "value_vnd").iter_rows():
        i, j = place.get(source), place.get(target)
        for end in (i, j):
            if end is not None:
                trades_at[end] = True
                has_value[end] |= value is not None
        if i is None or value is None:
            continue
        if j is None:
            final[i] += value
        else:
            z[i, j] += value
    output = z.sum(axis=1) + final
    bought = z.sum(axis=0)
    reasons = _multiplier_reasons(z, output, trades_at=trades_at, has_value=has_value)
    sound = [j for j in range(n) if trades_at[j] and j not in reasons]
    inverse = np.zeros((n, n))
    if sound:
        try:
            inverse[np.ix_(sound, sound)] = leontief_inverse(z[np.ix_(sound, sound)], output[sound])
        except InputError:
            # Stages that sell only to each other: nothing reaches a final buyer.
            reasons.update(dict.fromkeys(sound, "not_productive"))
    rows: list[dict[str, Any]] = []
    for j in np.flatnonzero(trades_at).tolist():
        is_defined = j not in reasons
        rows.append(
            {
                "stage": sectors[j],
                "output_vnd": int(output[j]) if has_value[j] else None,
                "intermediate_inputs_vnd": int(bought[j]) if has_value[j] else None,
                "final_sales_vnd": int(final[j]) if has_value[j] else None,
                "output_multiplier": round(float(inverse[:, j].sum()), 9) if is_defined else None,
                "production_requirement": round(float(inverse[place["production"], j]), 9)
                if is_defined
                else None,
                "is_defined": is_defined,
                "reason": reasons.get(j),
            }
        )
    return rows


def _multiplier_reasons(
    z: NDArray[np.int64],
    output: NDArray[np.int64],
    *,
    trades_at: NDArray[np.bool_],
    has_value: NDArray[np.bool_],
) -> dict[int, str]:
    bought = z.sum(axis=0)
    reasons: dict[int, str] = {}
    for i in np.flatnonzero(trades_at).tolist():
        if not has_value[i]:
            reasons[i] = "value_not_stated"
        elif output[i] == 0:
            reasons[i] = "sales_not_recorded"
        elif bought[i] > output[i]:
            reasons[i] = "more_bought_than_sold"
    draws_on = _draws_on(z > 0)
    own = tuple(reasons)
    for j in np.flatnonzero(trades_at).tolist():
        if j not in reasons and any(draws_on[k, j] for k in own):
            reasons[j] = "depends_on_undefined"
    return reasons


def _draws_on(sells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which stage is drawn on by which, over any number of steps (Warshall)."""
    reach = sells.copy()
    for k in range(len(reach)):
        reach |= reach[:, [k]] & reach[[k], :]
    return reach
