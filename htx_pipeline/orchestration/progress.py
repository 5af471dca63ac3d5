"""How far a long step is, told to whoever runs it on a terminal.

What belongs here: the way from inside a step to the bar of `htx`. What does not: the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def tell(what: str, done: int, todo: int) -> None:
    """Tell how far a step is; nothing happens where nobody listens.

    Examples
    --------
    >>> heard = []
    >>> with listening(lambda *said: heard.append(said)):
    ...     tell("báo cáo", 3, 40)
    >>> heard
    [('báo cáo', 3, 40)]
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener(what, done, todo)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what steps of this process tell while the block runs."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
