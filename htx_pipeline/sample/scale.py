"""Large synthetic networks for benchmarks, made in seconds.

What belongs here: millions of linkages with a heavy tail, as canonical columns. What does not: the
sample province, which is fitted to published figures; this is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.sample.contracts import FORM
from htx_pipeline.sample.facts import CHAINS, NEW_ADMIN_VERSION, SYNTHETIC_LABEL, places

SCALE_ORGANISATION_COLUMNS: Final = (
    "period", "org_id", "tax_code", "legal_type", "nd98_role", "name", "admin_code", "admin_version", "locality",
    "status", "is_registered", "source_id", "source_file", "source_sheet", "source_row",
)  # fmt: skip
"""Columns of the organisations frame; each as in the canonical table."""

SCALE_LINKAGE_COLUMNS: Final = (
    "period", "linkage_id", "instrument", "supplier_id", "supplier_name", "buyer_id", "buyer_name", "product_code",
    "has_inputs", "has_production", "has_processing", "has_consumption", "nd98_form", "signed_on", "area_ha", "households",
    "contracted_tonnes", "delivered_tonnes", "contracted_value_vnd", "paid_value_vnd", "evidence",
    "source_id", "source_file", "source_sheet", "source_row",
)  # fmt: skip
"""Columns of the linkages frame; each as in the canonical table."""

_WEIGHTS: Final = np.array([31, 29, 23, 19, 17, 13, 7, 5, 3], dtype=np.int64)
_SHARE_GROWERS: Final = 0.80
_EVIDENCE: Final = ("planned", "signed", "active", "executed")


def _codes(n: int) -> tuple[pl.Series, NDArray[Any]]:
    """Return *n* valid ten-digit codes, sorted; see `names.tax_codes` (provinces 61, 62, … in turn)."""
    if n > 2_800_000:
        raise InputError(
            "Too many organisations for the synthetic tax codes.", where=f"n_orgs={n}",
            remedy="Use at most 2,800,000.", code="sample_size",
        )  # fmt: skip
    per_province = 99_999
    found: list[NDArray[Any]] = []
    have, province = 0, 61
    while have < n:
        base = province * 10_000_000 + 9_900_001 + np.arange(per_province - 1, dtype=np.int64)
        digits = (base[:, None] // 10 ** np.arange(8, -1, -1)) % 10
        check = 10 - (digits @ _WEIGHTS) % 11
        good = base[check < 10] * 10 + check[check < 10]
        found.append(good)
        have += len(good)
        province += 1
    numbers = np.concatenate(found)[:n]
    return pl.Series("org_id", numbers).cast(pl.String), numbers


def _zipf_index(rng: np.random.Generator, n: int, size: int, exponent: float) -> NDArray[np.int64]:
    """Draw *size* indices 0..n-1 with weight (i + 1)^-exponent, by inverting the continuous law."""
    u = rng.random(size)
    a = 1.0 - exponent
    top = (n + 1.0) ** a
    drawn = np.floor((1.0 + u * (top - 1.0)) ** (1.0 / a)).astype(np.int64) - 1
    index: NDArray[np.int64] = np.clip(drawn, 0, n - 1)
    return index


def scale(
    n_linkages: int, *, seed: int, n_orgs: int | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make a large synthetic network.

    Parameters
    ----------
    n_linkages:
        Rows of the linkages frame.
    seed:
        Same seed, same frames.
    n_orgs:
        Organisations; a tenth of the linkages when left out (at least 20). Four fifths are
        cooperatives and groups, the rest enterprises; a few of these buy most (Zipf).

    Returns
    -------
    organisations, linkages
        `SCALE_ORGANISATION_COLUMNS` and `SCALE_LINKAGE_COLUMNS`, dtypes as in the canonical tables;
        one period, 2025. Sorted by ``org_id`` and by ``linkage_id``. Ids are text.

    Raises
    ------
    InputError
        No linkages, fewer than 20 organisations, or more than there are synthetic tax codes.

    Examples
    --------
    >>> organisations, linkages = scale(1_000, seed=20)
    >>> organisations.height, linkages.height, linkages["buyer_id"].dtype
    (100, 1000, String)
    """
    n = max(20, n_linkages // 10) if n_orgs is None else n_orgs
    if n_linkages < 1 or n < 20:
        raise InputError(
            "A network needs at least one linkage and 20 organisations.", where=f"n_linkages={n_linkages}, n_orgs={n}",
            remedy="Use larger numbers.", code="sample_size",
        )  # fmt: skip
    rng = np.random.default_rng([seed, n_linkages, n])
    ids, _ = _codes(n)
    growers = round(_SHARE_GROWERS * n)
    order = rng.permutation(n)
    grower_at, buyer_at = order[:growers], order[growers:]
    communes = pl.DataFrame(
        {"admin_code": [p.new_code for p in places()], "locality": [p.district for p in places()]}
    )
    is_grower = np.zeros(n, dtype=bool)
    is_grower[grower_at] = True
    commune = rng.integers(0, communes.height, n)
    provenance = (
        pl.lit(f"sample-scale:{seed}").alias("source_file"),
        pl.lit("scale").alias("source_sheet"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("source_row"),
        pl.format("sample-scale:{}", pl.int_range(1, pl.len() + 1)).alias("source_id"),
    )
    grower = pl.col("_is_grower")
    organisations = pl.DataFrame(
        {
            "org_id": ids, "_is_grower": is_grower, "admin_code": communes["admin_code"].gather(commune),
            "locality": communes["locality"].gather(commune),
        }
    ).with_columns(
        pl.lit("2025").alias("period"), pl.col("org_id").alias("tax_code"),
        pl.when(grower).then(pl.lit("htx")).otherwise(pl.lit("enterprise")).alias("legal_type"),
        pl.when(grower).then(pl.lit("cooperative")).otherwise(pl.lit("enterprise")).alias("nd98_role"),
        pl.format("{} {}", pl.when(grower).then(pl.lit("Hợp tác xã giả định")).otherwise(pl.lit("Doanh nghiệp giả định")), "org_id").alias("name"),
        pl.lit(NEW_ADMIN_VERSION).alias("admin_version"), pl.lit("active").alias("status"), pl.lit(value=True).alias("is_registered"),
        *provenance,
    ).select(SCALE_ORGANISATION_COLUMNS)  # fmt: skip

    # Three links in four run from growers to buyers, the rest from buyer to larger buyer.
    m = n_linkages
    buyers = len(buyer_at)
    down = rng.random(m) < 0.75
    supplier = np.where(
        down,
        grower_at[_zipf_index(rng, growers, m, 0.6)],
        buyer_at[_zipf_index(rng, buyers, m, 0.5)],
    )
    buyer = buyer_at[_zipf_index(rng, buyers, m, 1.25)]
    same = supplier == buyer
    buyer = np.where(same, buyer_at[(_position(buyer_at, n)[buyer] + 1) % buyers], buyer)
    product = np.searchsorted(
        np.cumsum([c.weight for c in CHAINS]),
        rng.random(m) * sum(c.weight for c in CHAINS),
        side="right",
    )
    product = np.minimum(product, len(CHAINS) - 1)
    flags = rng.random((3, m)) < np.array([[0.35], [0.7], [0.5]])
    flags[1] |= ~flags.any(axis=0)
    form_table = np.zeros(8, dtype=np.int64)
    for (i, p, x), code in FORM.items():
        form_table[4 * i + 2 * p + x] = code
    form = form_table[4 * flags[0] + 2 * flags[1] + flags[2]]
    level = np.minimum(
        np.searchsorted(np.cumsum([0.05, 0.25, 0.25]), rng.random(m), side="right"), 3
    )
    area = np.maximum(0.05, np.round(np.exp(rng.normal(1.0, 1.0, m)), 2))
    yields = np.array([c.yield_t_ha for c in CHAINS])[product]
    price = np.array([c.price_vnd_kg["2025"] for c in CHAINS], dtype=float)[product] * 1000
    tonnes = np.maximum(0.1, np.round(area * yields, 1))
    value = np.maximum(1, np.round(tonnes * price / 1e6)).astype(np.int64) * 1_000_000
    share = rng.beta(8, 2, m)
    executed = pl.col("evidence") == "executed"
    codes = pl.Series([c.code for c in CHAINS], dtype=pl.String)
    names = organisations["name"]
    linkages = pl.DataFrame(
        {
            "supplier_id": ids.gather(supplier), "supplier_name": names.gather(supplier),
            "buyer_id": ids.gather(buyer), "buyer_name": names.gather(buyer),
            "product_code": codes.gather(product), "has_inputs": flags[0], "has_production": flags[1], "has_processing": flags[2],
            "nd98_form": form, "_day": rng.integers(0, 1_400, m), "area_ha": area, "households": np.maximum(1, np.round(area / 0.5)).astype(np.int64),
            "contracted_tonnes": tonnes, "_delivered": np.floor(tonnes * share * 10) / 10, "contracted_value_vnd": value,
            "_paid": (value * share).astype(np.int64), "evidence": pl.Series(_EVIDENCE, dtype=pl.String).gather(level),
        }
    ).with_columns(
        pl.lit("2025").alias("period"), pl.format("l-{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(9)).alias("linkage_id"),
        pl.lit("contract").alias("instrument"), pl.lit(value=True).alias("has_consumption"),
        (pl.lit(20_150).cast(pl.Int32) - pl.col("_day").cast(pl.Int32)).cast(pl.Date).alias("signed_on"),
        pl.when(executed).then("_delivered").alias("delivered_tonnes"), pl.when(executed).then("_paid").alias("paid_value_vnd"),
        *provenance,
    ).select(SCALE_LINKAGE_COLUMNS)  # fmt: skip
    return organisations, linkages


def _position(values: NDArray[Any], n: int) -> NDArray[np.int64]:
    at = np.zeros(n, dtype=np.int64)
    at[values] = np.arange(len(values))
    return at


def write_scale(
    out: Path, n_linkages: int, *, seed: int = 20, n_orgs: int | None = None
) -> dict[str, Path]:
    """Write a large network as ``organisations.parquet`` and ``linkages.parquet``.

    The files' metadata carry the synthetic label.

    Returns
    -------
    dict
        Table name -> path.

    Examples
    --------
    >>> import tempfile
    >>> sorted(write_scale(Path(tempfile.mkdtemp()), 1_000))
    ['linkages', 'organisations']
    """
    out.mkdir(parents=True, exist_ok=True)
    organisations, linkages = scale(n_linkages, seed=seed, n_orgs=n_orgs)
    paths = {}
    for name, frame in (("organisations", organisations), ("linkages", linkages)):
        paths[name] = out / f"{name}.parquet"
        frame.write_parquet(
            paths[name], compression="zstd", metadata={"synthetic": SYNTHETIC_LABEL}
        )
    return paths
