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
from typing import Any, Final

import numpy as np

TOLERANCE: Final = 1e-7
SLACK: Final = 1e-5
"""How far a published sum may be missed, as a share of the change that is looked for: what a solver rounds."""


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
        cls,
        values: Any,
        units: Sequence[Any],
        cells: Any,
        rules: Rules,
        *,
        also: Iterable[int] = (),
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
        hard, soft = _Programs(self.x, masks, exact), _Programs(self.x, [], [], masks)
        known = _Pool(self.x, 2 * len(self.targets))
        for t in range(len(self.targets)):
            for at in (0, 1):
                asked = (self.targets[t], self.need[t], self.share, at)
                new = known.scaled(self.targets[t], self.need[t], at)
                if new is None and at == 0:
                    new = self._swap(t, alike)
                if new is None:
                    new = hard.shift(*asked)
                if new is None:
                    new = soft.shift(*asked)
                else:
                    known.add(new)
                self.shifts[at][t] = new

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
        slack = SLACK * self.need
        masks, rooms = [*self.masks, mask], [*self.room, room]
        self.wanted.pop(cell, None)
        found: dict[tuple[int, int], Any] = {}
        programs: _Programs | None = None
        for at, shifts in enumerate(self.shifts):
            moved = shifts @ mask if len(self.need) else np.zeros(0)
            told = np.flatnonzero((moved > room[1] + slack) | (moved < room[0] - slack))
            for t in told.tolist():
                if (t, at) in found:
                    continue
                new = self._borrowed(t, at, mask, room)
                if new is not None:
                    found[t, at] = new
                    continue
                if programs is None:
                    programs = _Programs(self.x, masks, rooms, list(self.wanted.values()))
                new = programs.shift(self.targets[t], self.need[t], self.share, at)
                if new is None:
                    return False
                found[t, at] = new
                if at == 0 and self._fits(-new, masks, rooms, self.need[t]):
                    found[t, 1] = -new
        for (of, way), new in found.items():
            self.shifts[way][of] = new
        self.masks, self.room = masks, rooms
        return True

    def _borrowed(self, t: int, at: int, mask: Any, room: tuple[float, float]) -> Any:
        """Return what another part has at hand, made smaller, where it serves this one too."""
        pool = np.vstack(self.shifts)
        told = pool @ self.targets[t] * (1.0 if at == 0 else -1.0)
        enough = np.flatnonzero(told >= self.need[t])
        times = self.need[t] / told[enough]
        moved = (pool[enough] @ mask) * times
        slack = SLACK * self.need[t]
        fits = np.flatnonzero((moved <= room[1] + slack) & (moved >= room[0] - slack))
        if not len(fits):
            return None
        sizes = np.abs(pool[enough[fits]]).sum(axis=1) * times[fits]
        best = fits[np.argmin(sizes)]
        return pool[enough[best]] * times[best]

    def _fits(
        self, shift: Any, masks: Sequence[Any], rooms: Sequence[tuple[float, float]], need: float
    ) -> bool:
        if (self.x + shift < -TOLERANCE * np.maximum(self.x, 1.0)).any():
            return False
        if not masks:
            return True
        moved, ends = np.asarray(masks) @ shift, np.asarray(rooms)
        slack = SLACK * need
        return bool(((moved <= ends[:, 1] + slack) & (moved >= ends[:, 0] - slack)).all())


class _Pool:
    """Changes of the parts that touch none of the sums wanted, each of which serves many parts."""

    def __init__(self, x: Any, most: int) -> None:
        self.x = x
        self.changes = np.zeros((most, len(x)))
        self.size = np.zeros(most)
        self.farthest = np.zeros((2, most))
        """How many times a change may be made, forth and back, before a part would be negative."""
        self.n = 0

    def add(self, change: Any) -> None:
        """Keep a change."""
        self.changes[self.n] = change
        self.size[self.n] = np.abs(change).sum()
        for at, sign in enumerate((1.0, -1.0)):
            loss = -sign * change
            held = loss > TOLERANCE
            self.farthest[at, self.n] = (self.x[held] / loss[held]).min() if held.any() else np.inf
        self.n += 1

    def scaled(self, target: Any, need: float, at: int) -> Any:
        """Return the smallest known change, scaled, that makes *target* larger or smaller by *need*."""
        told = self.changes[: self.n] @ target
        with np.errstate(divide="ignore"):
            times = np.where(np.abs(told) > TOLERANCE, (need if at == 0 else -need) / told, np.inf)
        fits = np.where(times > 0, times <= self.farthest[0, : self.n], -times <= self.farthest[1, : self.n])  # fmt: skip
        found = np.flatnonzero(fits & np.isfinite(times))
        if not len(found):
            return None
        best = found[np.argmin(np.abs(times[found]) * self.size[found])]
        return self.changes[best] * times[best]


class _Programs:
    """Linear programs over the parts, all with the same published and wanted sums.

    Parts that none of these sums tells apart are one column.
    """

    def __init__(
        self,
        x: Any,
        masks: Sequence[Any],
        rooms: Sequence[tuple[float, float]],
        wanted: Sequence[Any] = (),
    ) -> None:
        from scipy.sparse import csc_matrix

        self.x = x
        n, m = len(x), len(wanted)
        ends = np.asarray(rooms, dtype=float).reshape(-1, 2)
        published = np.asarray(masks, dtype=bool).reshape(-1, n)
        is_exact = (ends == 0.0).all(axis=1)
        high, low = ends[~is_exact, 1], ends[~is_exact, 0]
        soft = np.asarray(wanted, dtype=bool).reshape(-1, n)
        kinds, at = np.unique(np.vstack([published, soft, np.ones((1, n), bool)]), axis=1, return_inverse=True)  # fmt: skip
        self.kind = at.reshape(-1)
        self.n_kinds, self.n_wanted = kinds.shape[1], m
        sums = kinds[: len(published)].astype(float)
        between = sums[~is_exact]
        self.exact = csc_matrix(np.vstack([sums[is_exact], kinds[len(published) : -1]]))
        held = [np.isfinite(high), np.isfinite(low)]
        self.between = csc_matrix(np.vstack([between[held[0]], -between[held[1]]]))
        self.most = np.concatenate([high[held[0]], -low[held[1]]])

    def shift(self, target: Any, need: float, share: float, at: int) -> Any:
        """Return a small change of the parts that fits what is published; None where there is none.

        The *target* becomes larger (*at* 0) or smaller (1) by *need*. As few of the wanted sums are
        touched as can be, the first ones least.
        """
        from scipy.optimize import linprog
        from scipy.sparse import csc_matrix, hstack, vstack

        scale = need / share
        held = [np.bincount(self.kind[part], weights=self.x[part], minlength=self.n_kinds) for part in (target, ~target)]  # fmt: skip
        there = [np.bincount(self.kind[part], minlength=self.n_kinds) > 0 for part in (target, ~target)]  # fmt: skip
        kinds = np.concatenate([np.flatnonzero(t) for t in there])
        amounts = np.concatenate([h[t] for h, t in zip(held, there, strict=True)]) / scale
        is_own = np.zeros(len(kinds))
        is_own[: int(there[0].sum())] = 1.0
        n, m = len(kinds), self.n_wanted
        exact = self.exact[:, kinds]
        columns = [exact, -exact]
        own = [csc_matrix(is_own), csc_matrix(-is_own)]
        bound = [self.between[:, kinds], -self.between[:, kinds]]
        if m:  # What a wanted sum changes by is made up by two columns that cost.
            unit = csc_matrix((np.ones(m), (np.arange(exact.shape[0] - m, exact.shape[0]), np.arange(m))), shape=(exact.shape[0], m))  # fmt: skip
            columns += [unit, -unit]
            own.append(csc_matrix((1, 2 * m)))
            bound.append(csc_matrix((self.between.shape[0], 2 * m)))
        right = np.zeros(exact.shape[0] + 1)
        right[-1] = share if at == 0 else -share
        top = np.concatenate([np.full(n, 2.0), np.minimum(amounts, 2.0), np.full(2 * m, np.inf)])
        found = linprog(
            np.concatenate([np.ones(2 * n), *[np.linspace(1000.0, 100.0, m)] * 2]),
            A_eq=vstack([hstack(columns), hstack(own)], format="csc"), b_eq=right,
            A_ub=hstack(bound, format="csc"), b_ub=self.most / scale,
            bounds=np.column_stack([np.zeros_like(top), top]), method="highs",
        )  # fmt: skip
        if found.status != 0:
            return None
        made = np.zeros(len(self.x))
        change = (found.x[:n] - found.x[n : 2 * n]) * scale
        for part, columns_of in ((target, slice(0, int(there[0].sum()))), (~target, slice(int(there[0].sum()), n))):  # fmt: skip
            total, moved = np.zeros(self.n_kinds), np.zeros(self.n_kinds)
            moved[kinds[columns_of]] = change[columns_of]
            total[kinds[columns_of]] = amounts[columns_of] * scale
            rows = np.flatnonzero(part)
            of = self.kind[rows]
            counts = np.bincount(of, minlength=self.n_kinds)
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = np.where(total[of] > 0, self.x[rows] / total[of], 1.0 / counts[of])
            made[rows] = moved[of] * weight
        return made
