"""Disclosure control: sums and means of few cooperatives are withheld, and so is what gives them away.

What belongs here: deciding which cells of one column to withhold.
What does not: the mark and the note (`text`, `model`), and the threshold (settings).
"""

from __future__ import annotations

from collections.abc import Sequence


def withheld(
    values: Sequence[float | None], contributors: Sequence[int | None], *, minimum: int
) -> frozenset[int]:
    """Return the positions of one column that must not be published beside its total.

    Primary: a value behind which stand fewer than *minimum* contributors (a value without a count of
    contributors counts as too few). Secondary: while the withheld cells together rest on fewer than
    *minimum* contributors, or a single cell is withheld, total minus published cells would give it
    away; the published cell with the fewest contributors (then the first) is withheld too.

    Parameters
    ----------
    values:
        The cells; null cells need no protection.
    contributors:
        Cooperatives behind each cell.
    minimum:
        Fewest contributors of a published cell.

    Examples
    --------
    >>> sorted(withheld([10.0, 20.0, 30.0, None], [2, 5, 9, 0], minimum=3))
    [0, 1]
    >>> sorted(withheld([10.0, 20.0], [4, 5], minimum=3))
    []
    """
    if len(values) != len(contributors):
        raise ValueError("one count of contributors for each value")
    counts = [n or 0 for n in contributors]
    shown = [i for i, value in enumerate(values) if value is not None]
    hidden = {i for i in shown if counts[i] < minimum}
    while hidden and (len(hidden) < 2 or sum(counts[i] for i in hidden) < minimum):
        rest = [i for i in shown if i not in hidden]
        if not rest:
            break
        hidden.add(min(rest, key=lambda i: (counts[i], i)))
    return frozenset(hidden)
