"""Which sums must be withheld so that no few units' figures can be worked out from those published.

What belongs here: the rules on one sum, and the choice of sums that can be published together, on arrays.
What does not: which cells a report prints (`cells`), thresholds and size classes (`reference/data`).

An attacker is taken to know which rows stand behind every sum, to see all published sums exactly, and to
know that no value is negative. The rows are cut into the parts that no sum cuts. Of each part that is of
few units by itself, and of each unit's parts together, two sets of figures are kept at hand that fit all
that is published: one in which it is larger, one in which it is smaller than the truth, by at least the
protection asked for. A sum is published only where such figures can still be found for every part; a sum
that could be published besides is never left out. Finding them is a linear program (Fischetti and Salazar
2000, doi:10.1023/A:1008992423105); a class of size in place of a sum is an inequality in it (Fischetti and
Salazar 2003, doi:10.1023/A:1021980930504).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TOLERANCE = 1e-7


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


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the sums: numbers of those withheld, and the size class of those that have one."""

    hidden: frozenset[int]
    bands: Mapping[int, tuple[float, float]] = field(default_factory=dict)


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
    values: Any,
    units: Sequence[Any],
    cells: Any,
    rules: Rules,
    *,
    is_secondary: bool = True,
    classes: Mapping[int, Sequence[float]] | None = None,
    flagged: Collection[int] = (),
) -> Decision:
    """Return which sums to withhold: those of few units, and those that would give these away.

    Sums are tried in the order in which they are given, the most wanted first, and published where all
    parts stay protected.

    Parameters
    ----------
    values:
        What each row adds, none negative.
    units:
        See `is_sensitive`.
    cells:
        Boolean matrix: sums × rows, the most wanted first.
    is_secondary:
        False withholds only sums of few units; for tests.
    classes:
        Limits of size classes for the sums that may be published as one when withheld.
    flagged:
        Sums that must not be published, for another reason than their own rows.

    Examples
    --------
    A total and its two parts, one of a single unit: the other part is withheld as well.

    >>> cells = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 1]], dtype=bool)
    >>> sorted(withheld_sums(np.full(5, 4.0), [np.arange(5)], cells, Rules()).hidden)
    [1, 2]
    """
    few = set(flagged) | {
        i
        for i, cell in enumerate(cells)
        if is_sensitive(values[cell], [u[cell] for u in units], rules)
    }
    if not is_secondary or not len(cells):
        return Decision(frozenset(few))
    guard = Guard.of(values, units, cells, rules, also=few)
    guard.want([i for i in range(len(cells)) if i not in few])
    hidden = [i for i in range(len(cells)) if i in few or not guard.publish(i)]
    bands: dict[int, tuple[float, float]] = {}
    for i in hidden:
        limits = (classes or {}).get(i, ())
        low, high = class_of(float(guard.x[guard.in_cell[i]].sum()), limits) if limits else (0.0, np.inf)  # fmt: skip
        if (low > 0 or high < np.inf) and guard.publish(i, (low, high)):
            bands[i] = (low, high)
    return Decision(frozenset(hidden), bands)


def class_of(value: float, limits: Sequence[float]) -> tuple[float, float]:
    """Return the size class of a value: from its lower limit up to, not including, its upper one.

    Examples
    --------
    >>> class_of(7.0, [1.0, 5.0, 10.0]), class_of(10.0, [1.0, 5.0, 10.0])
    ((5.0, 10.0), (10.0, inf))
    """
    ends = (0.0, *sorted(limits), np.inf)
    at = int(np.searchsorted(ends, value, side="right"))
    return float(ends[at - 1]), float(ends[min(at, len(ends) - 1)])


class Guard:
    """The parts to be protected, and for each two sets of figures that fit all that is published.

    Parameters
    ----------
    x:
        Values of the parts that no sum cuts.
    targets:
        Boolean matrix: what is protected × parts.
    in_cell:
        Boolean matrix: sums × parts.
    rules:
        How far the figures must differ from the truth.
    """

    def __init__(self, x: Any, targets: Any, in_cell: Any, rules: Rules) -> None:
        self.x = x
        self.in_cell = in_cell
        self.share = rules.protection_share
        kept = targets[(targets @ x) > 0] if len(targets) else targets
        self.targets = np.unique(kept, axis=0) if len(kept) else kept
        self.need = (self.targets @ x) * self.share if len(kept) else np.zeros(0)
        self.shifts = [self.targets * x * sign * self.share for sign in (1.0, -1.0)]
        """For what is protected, how the parts change: the larger figures, then the smaller ones."""
        self.masks: list[Any] = []
        self.room: list[tuple[float, float]] = []
        self.wanted: dict[int, Any] = {}

    @classmethod
    def of(
        cls, values: Any, units: Sequence[Any], cells: Any, rules: Rules, *, also: Iterable[int] = ()
    ) -> Guard:
        """Cut rows into parts, and protect those of few units, those of one unit, and the sums *also*."""
        signatures, at = np.unique(cells, axis=1, return_inverse=True)
        at = at.reshape(-1)
        n = signatures.shape[1]
        used = signatures.any(axis=0)
        owners: list[dict[Any, list[int]]] = [{} for _ in units]
        parts = []
        for j in range(n):
            rows = np.flatnonzero(at == j)
            if is_sensitive(values[rows], [u[rows] for u in units], rules):
                parts.append(np.arange(n) == j)
            for owner, names in zip(owners, units, strict=True):
                own = np.unique(names[rows])
                if len(own) == 1:
                    owner.setdefault(own[0], []).append(j)
        for owner in owners:
            parts += [np.isin(np.arange(n), own) for own in owner.values() if len(own) > 1]
        parts += [signatures[i].astype(bool) for i in sorted(also)]
        matrix = np.array(parts, dtype=bool).reshape(-1, n)[:, used]
        x = np.bincount(at, weights=values, minlength=n)[used]
        return cls(x, matrix, signatures.astype(bool)[:, used], rules)

    def want(self, cells: Sequence[int]) -> None:
        """Say which sums are to be published if they can: figures are looked for that fit all of them."""
        self.wanted = {i: self.in_cell[i] for i in cells}
        masks = list(self.wanted.values())
        exact = [(0.0, 0.0)] * len(masks)
        alike = np.zeros(len(self.x), dtype=int)
        if masks:
            alike = np.unique(np.asarray(masks), axis=1, return_inverse=True)[1].reshape(-1)
        for t in range(len(self.targets)):
            swap = self._swap(t, alike)
            if swap is not None:
                self.shifts[0][t], self.shifts[1][t] = swap, -swap
                continue
            for at in (0, 1):
                if at == 1 and self._fits(-self.shifts[0][t], masks, exact):
                    self.shifts[1][t] = -self.shifts[0][t]
                    continue
                new = self._shift(t, at, masks, exact)
                self.shifts[at][t] = self._shift(t, at, [], [], masks) if new is None else new

    def _swap(self, t: int, alike: Any) -> Any:
        """Return a change between parts that no wanted sum tells apart; None where they hold too little."""
        target, need = self.targets[t], self.need[t]
        own = np.bincount(alike, weights=self.x * target)
        rest = np.bincount(alike, weights=self.x * ~target)
        where = np.flatnonzero((own >= need) & (rest >= need))
        if not len(where):
            return None
        here = alike == where[0]
        parts = np.where(target, self.x / own[where[0]], -self.x / rest[where[0]])
        return np.where(here, parts * need, 0.0)

    def publish(self, cell: int, limits: tuple[float, float] | None = None) -> bool:
        """Publish a sum, or its size class, where every part stays protected; return whether it is.

        Where the figures at hand fit it, there is nothing to look for.
        """
        mask = self.in_cell[cell]
        value = float(self.x[mask].sum())
        room = (0.0, 0.0) if limits is None else (limits[0] - value, limits[1] - value)
        slack = TOLERANCE * max(value, 1.0)
        masks, rooms = [*self.masks, mask], [*self.room, room]
        self.wanted.pop(cell, None)
        found: dict[tuple[int, int], Any] = {}
        for at, shifts in enumerate(self.shifts):
            moved = shifts @ mask if len(self.need) else np.zeros(0)
            for t in np.flatnonzero((moved > room[1] + slack) | (moved < room[0] - slack)):
                if (t, at) in found:
                    continue
                new = self._shift(int(t), at, masks, rooms, list(self.wanted.values()))
                if new is None:
                    return False
                found[int(t), at] = new
                if at == 0 and self._fits(-new, masks, rooms):
                    found[int(t), 1] = -new
        for (t, at), new in found.items():
            self.shifts[at][t] = new
        self.masks, self.room = masks, rooms
        return True

    def _fits(self, shift: Any, masks: Sequence[Any], rooms: Sequence[tuple[float, float]]) -> bool:
        if (self.x + shift < -TOLERANCE * np.maximum(self.x, 1.0)).any():
            return False
        if not masks:
            return True
        sums = np.asarray(masks) @ self.x
        moved, ends = np.asarray(masks) @ shift, np.asarray(rooms)
        slack = TOLERANCE * np.maximum(sums, 1.0)
        return bool(((moved <= ends[:, 1] + slack) & (moved >= ends[:, 0] - slack)).all())

    def _shift(
        self, t: int, at: int, masks: Sequence[Any], rooms: Sequence[tuple[float, float]], wanted: Sequence[Any] = ()
    ) -> Any:
        """Return a small change of the parts that fits what is published; None where there is none.

        It touches as few of the *wanted* sums as it can, the first ones least.
        """
        from scipy.optimize import linprog
        from scipy.sparse import bmat, csr_matrix, hstack, identity, vstack

        target, scale = self.targets[t], self.need[t] / self.share
        x, n, m = self.x / scale, len(self.x), len(wanted)
        ends = np.asarray(rooms, dtype=float).reshape(-1, 2) / scale
        published = np.asarray(masks, dtype=float).reshape(-1, n)
        is_exact = (ends == 0.0).all(axis=1)
        equal = csr_matrix(np.vstack([published[is_exact], target[None, :].astype(float)]))
        right = np.zeros(equal.shape[0] + m)
        right[equal.shape[0] - 1] = self.share if at == 0 else -self.share
        equal = hstack([equal, -equal])
        if m:  # What a wanted sum changes by is made up by two columns that cost.
            soft = csr_matrix(np.asarray(wanted, dtype=float))
            equal = bmat([[equal, None, None], [hstack([soft, -soft]), identity(m), -identity(m)]])
        rows, most = [], []
        for sign, limit in ((1.0, ends[~is_exact, 1]), (-1.0, -ends[~is_exact, 0])):
            held = np.flatnonzero(np.isfinite(limit))
            part = csr_matrix(sign * published[~is_exact][held])
            rows.append(hstack([part, -part, csr_matrix((len(held), 2 * m))]))
            most.append(limit[held])
        cost = np.concatenate([np.ones(2 * n), *[np.linspace(1000.0, 100.0, m)] * 2])
        top = np.concatenate([np.full(n, 2.0), np.minimum(x, 2.0), np.full(2 * m, np.inf)])
        found = linprog(
            cost, A_eq=equal.tocsr(), b_eq=right, A_ub=vstack(rows), b_ub=np.concatenate(most),
            bounds=np.column_stack([np.zeros_like(top), top]), method="highs",
        )  # fmt: skip
        return None if found.status != 0 else (found.x[:n] - found.x[n : 2 * n]) * scale
