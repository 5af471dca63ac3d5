"""Which sums must be withheld so that no few units' figures can be worked out from those published.

What belongs here: the rules on one sum, and the search for what else must be withheld, on arrays. What
does not: which cells a report prints (`publish`), thresholds (`reference/data/thresholds.toml`).

An attacker is taken to know which rows stand behind every sum, to see all published sums exactly, and to
know that no value is negative. What can then be said of a withheld sum is a linear program over the
parts that no published or withheld sum cuts (Fischetti and Salazar 2000, doi:10.1023/A:1008992423105).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds of disclosure control.

    Parameters
    ----------
    min_contributors:
        Fewest units behind a published sum.
    prior_share:
        p of the p% rule: the second largest must not be able to guess the largest closer than this.
    protection_share:
        How far, as a share of a withheld sum, its bounds must lie from it on both sides.
    """

    min_contributors: int = 3
    prior_share: float = 0.1
    protection_share: float = 0.1


def is_sensitive(values: Any, units: Sequence[Any], rules: Rules) -> bool:
    """Return whether a sum of *values* gives a unit's figure away by itself.

    Parameters
    ----------
    values:
        What each row adds, none negative.
    units:
        One or more arrays that name whose figure each row is (seller and buyer of a linkage).

    Examples
    --------
    >>> is_sensitive(np.array([5.0, 5.0, 5.0]), [np.array([1, 2, 3])], Rules())
    False
    >>> is_sensitive(np.array([99.0, 1.0, 0.5]), [np.array([1, 2, 3])], Rules())
    True
    """
    if not len(values):
        return False
    for names in units:
        _, codes = np.unique(names, return_inverse=True)
        sums = np.sort(np.bincount(codes, weights=values))[::-1]
        if len(sums) < rules.min_contributors:
            return True
        if sums[2:].sum() < rules.prior_share * sums[0]:
            return True
    return False


def withheld_sums(
    values: Any, units: Sequence[Any], cells: Any, rules: Rules, *, is_secondary: bool = True
) -> frozenset[int]:
    """Return which sums to withhold: those of few units, then what would give these away.

    While the bounds of a withheld sum, or of what is left between sums when it is of few units, lie
    closer than ``protection_share``, the smallest published sum that binds them is withheld too; of
    equal ones the first.

    Parameters
    ----------
    values:
        What each row adds, none negative.
    units:
        See `is_sensitive`.
    cells:
        Boolean matrix: sums × rows.
    is_secondary:
        False withholds only sums of few units; for tests.

    Examples
    --------
    A total and its two parts, one of a single unit: the other part is withheld as well.

    >>> cells = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 1]], dtype=bool)
    >>> sorted(withheld_sums(np.full(5, 4.0), [np.arange(5)], cells, Rules()))
    [1, 2]
    """
    hidden = {
        i
        for i, cell in enumerate(cells)
        if is_sensitive(values[cell], [u[cell] for u in units], rules)
    }
    if not is_secondary or not len(cells):
        return frozenset(hidden)
    signatures, at = np.unique(cells, axis=1, return_inverse=True)
    at = at.reshape(-1)
    atoms = np.bincount(at, weights=values, minlength=signatures.shape[1])
    in_cell = signatures.astype(bool)
    left = [
        np.arange(len(atoms)) == j
        for j in range(len(atoms))
        if is_sensitive(values[at == j], [u[at == j] for u in units], rules)
    ]
    audit = _Audit(atoms, in_cell, rules)
    safe: set[tuple[int, ...]] = set()
    while True:
        before = len(hidden)
        for target in (*left, *(in_cell[i] for i in sorted(hidden))):
            key = tuple(int(i) for i in np.flatnonzero(target))
            while key not in safe:
                binding = audit.binding(target, hidden)
                if binding is None:
                    safe.add(key)  # Withholding more never makes it less safe.
                    break
                hidden.add(min(binding, key=lambda i: (audit.sums[i], i)))
        if len(hidden) == before:
            return frozenset(hidden)


class _Audit:
    """What can be said of a part, given the sums that are published."""

    def __init__(self, atoms: Any, in_cell: Any, rules: Rules) -> None:
        self.scale = max(float(atoms.max(initial=0.0)), 1.0)
        self.atoms = atoms / self.scale
        self.in_cell = in_cell
        self.sums = in_cell @ atoms
        self.rules = rules

    def binding(self, target: Any, hidden: set[int]) -> list[int] | None:
        """Return the published sums that hold *target* too tightly; None when it is safe."""
        shown = [i for i in range(len(self.in_cell)) if i not in hidden]
        value = float(self.atoms[target].sum())
        need = self.rules.protection_share * value
        if value <= 0 or not shown:
            return None
        published = self.in_cell[shown]
        if self._has_slack(target, published, need):
            return None
        for sign in (1.0, -1.0):
            bound, marginals = bound_of(target, published, published @ self.atoms, sign=sign)
            if bound is not None and abs(bound - value) < need - 1e-9:
                held = [shown[k] for k in np.flatnonzero(np.abs(marginals) > 1e-9)]
                return held or [i for i in shown if (self.in_cell[i] & target).any()] or shown
        return None

    def _has_slack(self, target: Any, published: Any, need: float) -> bool:
        """Return whether value can move between parts that no published sum tells apart."""
        _, kinds = np.unique(published, axis=1, return_inverse=True)
        kinds = kinds.reshape(-1)
        n = int(kinds.max()) + 1
        own = np.bincount(kinds, weights=self.atoms * target, minlength=n)
        every = np.bincount(kinds, weights=self.atoms, minlength=n)
        is_part = np.bincount(kinds, weights=~target, minlength=n) > 0
        down = own[is_part].sum()
        up = (every - own)[is_part & (np.bincount(kinds, weights=target, minlength=n) > 0)].sum()
        return bool(down >= need and up >= need)


def bound_of(target: Any, published: Any, sums: Any, *, sign: float) -> tuple[float | None, Any]:
    """Return the largest (*sign* 1) or smallest (-1) value of a part, and what holds it.

    Parameters
    ----------
    target:
        Which atoms make the part.
    published, sums:
        Published sums: which atoms, and their values.

    Returns
    -------
    tuple
        The bound, None where there is none; and how much each published sum holds it.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    found = linprog(
        -sign * target.astype(float), A_eq=csr_matrix(published.astype(float)), b_eq=sums,
        bounds=(0, None), method="highs",
    )  # fmt: skip
    if found.status != 0:
        return None, np.zeros(len(sums))
    return -sign * float(found.fun), found.eqlin.marginals
