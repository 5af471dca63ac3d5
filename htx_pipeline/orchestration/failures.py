"""From a user's mistake to a failed step that says what to do, without a traceback of ours.

What belongs here: the one translation of `InputError` into `dagster.Failure`.
What does not: retrying, or swallowing anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from htx_pipeline.errors import InputError


@contextmanager
def explained() -> Iterator[None]:
    """Turn an `InputError` into a `dagster.Failure` with its text and no retries."""
    try:
        yield
    except InputError as exc:
        raise dg.Failure(
            description=str(exc),
            metadata={"code": exc.code, **({"where": exc.where} if exc.where else {})},
            allow_retries=False,
        ) from None
