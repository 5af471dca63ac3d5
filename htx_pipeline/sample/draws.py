"""How the sample province draws: one named random stream a part, days, weights, rounding.

What belongs here: draws that know nothing of organisations. What does not: who is drawn (`actors`,
`contracts`, `yearbook`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

import numpy as np

MILLION: Final = 1_000_000


def stream(seed: int, part: str) -> np.random.Generator:
    """Return the random stream of one named part: a draw more in one part leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


def content_hash(*parts: str) -> str:
    """Return 12 hexadecimal digits made of *parts*."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=6).hexdigest()


def period_days(period: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a reporting year: 15 December to 14 December."""
    year = int(period)
    return dt.date(year - 1, 12, 15), dt.date(year, 12, 14)


def day_between(rng: np.random.Generator, first: dt.date, last: dt.date) -> dt.date:
    """Draw a day, both ends included."""
    return first + dt.timedelta(days=int(rng.integers(0, (last - first).days + 1)))


def years_later(date: dt.date, years: int) -> dt.date:
    """Return the same day *years* later; never 29 February."""
    return dt.date(date.year + years, date.month, min(date.day, 28))


def stratified_normal(n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Normal quantiles at the middles of n equal parts, shuffled: a small sample with no sampling error."""
    normal = NormalDist()
    values = np.array([normal.inv_cdf((i + 0.5) / n) for i in range(n)])
    return values[rng.permutation(n)]


def pick_weighted(rng: np.random.Generator, weights: Sequence[float]) -> int:
    """Draw an index with probability in proportion to *weights*."""
    w = np.asarray(weights, dtype=float)
    return int(
        np.searchsorted(np.cumsum(w), rng.random() * w.sum(), side="right").clip(0, len(w) - 1)
    )


def million(value: float) -> int:
    """Round to whole millions of VND, at least one."""
    return max(1, round(value / MILLION)) * MILLION


def is_new_geography(period: str) -> bool:
    """Tell whether the forms of *period* name the communes made on 1 July 2025."""
    return int(period) >= 2025


def spread(values: np.ndarray[Any, Any], mean: float) -> np.ndarray[Any, Any]:
    """Scale *values* so that their mean is *mean*."""
    scaled: np.ndarray[Any, Any] = values * (mean / values.mean())
    return scaled
