"""Classes of size in which a public edition gives a figure that it withholds: dated, sourced data.

What belongs here: reading `data/size_classes.toml`. What does not: choosing what is withheld
(`htx_pipeline.report.cells`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def limits(kind: str) -> tuple[float, ...]:
    """Return the limits between the classes of "money" (đồng) or of any other "amount".

    Examples
    --------
    >>> limits("money")[:3]
    (500000000.0, 1000000000.0, 5000000000.0)
    """
    path = resources.files("htx_pipeline.reference").joinpath("data/size_classes.toml")
    return tuple(float(v) for v in tomllib.loads(path.read_text("utf-8"))[kind]["limits"])
