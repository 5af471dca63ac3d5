"""What the sample province signs, delivers and pays: contracts by chain, carried from year to year.

What belongs here: drawing linkages so that they fit the margins of `facts`. What does not: who the
parties are (`actors`).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from htx_pipeline.sample.actors import Actor
from htx_pipeline.sample.draws import (
    content_hash,
    day_between,
    million,
    period_days,
    pick_weighted,
    stream,
    years_later,
)
from htx_pipeline.sample.facts import (
    CHAIN,
    CHAINS,
)

_OFF_TAKE: Final = {"2023": 0.24, "2024": 0.25, "2025": 0.26}
_CHAIN_SHARE: Final = {"2023": 0.126, "2024": 0.13, "2025": 0.134}
_LINKED_SHARE: Final = 0.55
_PRICE_RULES: Final = ("market", "market_plus", "floor", "fixed")


@dataclass(slots=True)
class _Contract:
    supplier: Actor
    buyer: Actor
    product: str
    tier: str  # grow, inputs, collect, process
    instrument: str
    number: str
    leader: str
    flags: list[bool]
    signed_on: dt.date
    starts_on: dt.date
    ends_on: dt.date
    households: int | None
    area_weight: float
    noise: float
    price_rule: str
    support: str | None
    made_in: int
    plan_only: bool
    is_stopped: bool = False


def _executors(orgs: list[Actor], k: int, period: str) -> tuple[list[Actor], set[str], set[str]]:
    """Return the cooperatives that have linkages, those that deliver, and those in a chain.

    The larger a cooperative, the likelier (``score``); who delivers this year delivers next year.
    """
    registered = [o for o in orgs if o.role == "htx" and o.status[k]]
    agri = [o for o in registered if o.is_agri]
    ranked = sorted(
        (o for o in agri if o.status[k] == "active"), key=lambda o: (-o.score, o.org_id)
    )
    linked = ranked[: round(_LINKED_SHARE * len(agri))]
    deliver = {o.org_id for o in ranked[: round(_OFF_TAKE[period] * len(agri))]}
    chain = {o.org_id for o in ranked[: round(_CHAIN_SHARE[period] * len(registered))]}
    return linked, deliver, chain & deliver


def _buyer(rng: np.random.Generator, supplier: Actor, candidates: list[Actor]) -> Actor:
    """Pick a buyer: a few are large (heavy tail), and a neighbour is four times as likely."""
    home = supplier.place.district_code if supplier.place else ""
    weights = [
        o.weight * (4.0 if o.place is not None and o.place.district_code == home else 1.0)
        for o in candidates
    ]
    return candidates[pick_weighted(rng, weights)]


class _Market:
    """Who can sell what to whom in one year."""

    def __init__(self, orgs: list[Actor], k: int, period: str) -> None:
        self.linked, self.deliver, self.chain = _executors(orgs, k, period)
        self.groups = [o for o in orgs if o.role == "tht" and o.score < 0.7]
        self.by_role: dict[tuple[str, str], list[Actor]] = {}
        for o in orgs:
            if o.role in ("trader", "processor", "outlet", "inputs", "lhhtx"):
                for product in o.products:
                    self.by_role.setdefault((o.role, product), []).append(o)
        for o in self.linked:
            if o.org_id in self.deliver:
                self.by_role.setdefault(("htx", o.products[0]), []).append(o)

    def of(self, role: str, product: str, *, but: Actor) -> list[Actor]:
        return [o for o in self.by_role.get((role, product), []) if o is not but]


def _grow_weights(growers: list[Actor]) -> list[float]:
    return [math.exp(0.55 * o.z) * (1.0 if o.role == "htx" else 0.9) for o in growers]


class _Drawer:
    """Draws new contracts, numbering them within the year they are signed in."""

    def __init__(self, rng: np.random.Generator, periods: tuple[str, ...]) -> None:
        self.rng = rng
        self.periods = periods
        self.numbers: dict[int, int] = {}
        self.projects = 0

    def draw(self, market: _Market, k: int, tier: str, supplier: Actor | None) -> _Contract:
        rng = self.rng
        may_begin_later = supplier is None and tier == "grow"
        if tier in ("grow", "inputs"):
            if supplier is None:
                pool = market.linked if tier == "inputs" or rng.random() < 0.66 else market.groups
                supplier = pool[pick_weighted(rng, _grow_weights(pool))]
            second = len(supplier.products) > 1 and rng.random() < 0.25
            product = supplier.products[1 if second else 0]
            grower = supplier
            roles = (("processor", 0.60), ("trader", 0.33), ("lhhtx", 0.07))
            if supplier.role == "tht":
                roles = (("htx", 0.30), ("trader", 0.42), ("processor", 0.28))
            if tier == "inputs":
                supplier = self._one(market, ("inputs",), product, but=grower)
                buyer = grower
            else:
                role = roles[pick_weighted(rng, [w for _, w in roles])][0]
                buyer = self._one(
                    market, (role, "processor", "trader"), product, but=grower, near=grower
                )
        else:
            product = CHAINS[pick_weighted(rng, [c.weight for c in CHAINS])].code
            sources, targets = {
                "collect": (("trader", "lhhtx"), ("processor",)),
                "process": (("processor",), ("outlet",)),
            }[tier]
            pool = [o for r in sources for o in market.by_role.get((r, product), [])]
            supplier = pool[pick_weighted(rng, [o.weight for o in pool])]
            buyer = self._one(market, targets, product, but=supplier, near=supplier)
        contract = self._terms(market, k, tier, (supplier, buyer), product)
        end = period_days(self.periods[k])[1]
        if may_begin_later and not contract.plan_only and rng.random() < 0.12:
            years = contract.ends_on.year - contract.starts_on.year
            contract.signed_on = day_between(rng, end - dt.timedelta(days=60), end)
            contract.starts_on = end + dt.timedelta(days=int(rng.integers(1, 45)))
            contract.ends_on = years_later(contract.starts_on, years)
        return contract

    def _one(
        self,
        market: _Market,
        roles: tuple[str, ...],
        product: str,
        *,
        but: Actor,
        near: Actor | None = None,
    ) -> Actor:
        for role in roles:
            candidates = market.of(role, product, but=but)
            if candidates:
                return _buyer(self.rng, near or but, candidates)
        raise AssertionError(f"no {roles} for {product}")

    def _terms(
        self, market: _Market, k: int, tier: str, parties: tuple[Actor, Actor], product: str
    ) -> _Contract:
        rng = self.rng
        supplier, buyer = parties
        chain = CHAIN[product]
        instrument = "contract"
        if tier == "grow" and supplier.role == "htx":
            instrument = ("project", "plan", "contract")[pick_weighted(rng, (0.10, 0.10, 0.80))]
        is_long = instrument != "contract" or (tier == "grow" and rng.random() < 0.7)
        years = (5 if chain.is_perennial else 3) if is_long else 1
        start, end = period_days(self.periods[k])
        if k == 0 and is_long:
            start = dt.date(start.year - years + 1, 12, 15)
        signed = day_between(rng, start, end - dt.timedelta(days=45))
        starts = signed + dt.timedelta(days=int(rng.integers(0, 30)))
        ends = years_later(starts, years)
        number = self.numbers[signed.year] = self.numbers.get(signed.year, 0) + 1
        suffix = {"contract": "HĐLK", "project": "DALK", "plan": "KHLK"}[instrument]
        leader = "buyer" if rng.random() < 0.7 else "supplier"
        support = None
        households = None
        if instrument == "project":
            leader = "supplier" if (self.projects * 79) % 100 < 79 else "buyer"
            self.projects += 1
            households = max(5, round(77 * math.exp(rng.normal(-0.08, 0.4))))
            support = f"{int(rng.integers(100, 990))}/QĐ-UBND"
        elif tier == "grow":
            households = max(1, round(9 * math.exp(0.25 * supplier.z + rng.normal(-0.1, 0.6))))
        flags = [False, False, True, True]
        if tier == "inputs":
            flags = [True, False, False, True]
        elif tier == "grow":
            flags = [
                bool(rng.random() < 0.45),
                bool(rng.random() < 0.85),
                bool(rng.random() < 0.4),
                True,
            ]
            if supplier.role == "htx" and supplier.org_id in market.deliver:
                flags[2] = supplier.org_id in market.chain and bool(rng.random() < 0.6)
            if not any(flags[:3]):
                flags[1] = True
        return _Contract(
            supplier, buyer, product, tier, instrument, f"{number:04d}/{signed.year}/{suffix}", leader, flags,
            signed, starts, ends, households,
            0.0 if households is None else households * chain.ha_per_household * math.exp(rng.normal(-0.1, 0.45)),
            float(np.exp(rng.normal(0, 0.12))), _PRICE_RULES[pick_weighted(rng, (0.4, 0.25, 0.2, 0.15))], support, k,
            instrument == "plan",
        )  # fmt: skip


def draw_linkages(
    seed: int, periods: tuple[str, ...], orgs: list[Actor], n: int
) -> list[dict[str, Any]]:
    """Contracts signed, kept, cut and renewed year by year, with what each delivered and paid."""
    rng = stream(seed, "contracts")
    drawer = _Drawer(rng, periods)
    book: list[_Contract] = []
    rows: list[dict[str, Any]] = []
    for k, period in enumerate(periods):
        start, _ = period_days(period)
        market = _Market(orgs, k, period)
        linked = {o.org_id for o in market.linked}
        live = []
        for c in book:
            stays = (
                c.ends_on >= start
                and rng.random() > 0.05
                and not c.is_stopped
                and not (c.plan_only and c.made_in < k - 1)
            )
            for party in (c.supplier, c.buyer):
                stays = stays and (party.org_id in linked if party.role == "htx" else True)
            if stays:
                live.append(c)
        have = {
            c.supplier.org_id
            for c in live
            if c.tier == "grow" and not c.plan_only and c.starts_on <= start
        }
        forced = [o for o in market.linked if o.org_id not in have]
        for o in forced:
            contract = drawer.draw(market, k, "grow", o)
            contract.plan_only = False
            if contract.instrument == "plan":
                contract.instrument, contract.number = (
                    "contract",
                    contract.number.replace("KHLK", "HĐLK"),
                )
            live.append(contract)
        quota = {"grow": 0.66, "inputs": 0.04, "collect": 0.17, "process": 0.13}
        for tier, share in quota.items():
            missing = round(share * n) - sum(c.tier == tier for c in live)
            live += [drawer.draw(market, k, tier, None) for _ in range(max(0, missing))]
        live = _cut(live, n, k)
        while len(live) < n:
            live.append(drawer.draw(market, k, "grow", None))
        _force_chain(live, market, period_days(period)[1])
        book = live
        rows += _Year(rng, period, live, market).rows()
    return rows


def _cut(live: list[_Contract], n: int, k: int) -> list[_Contract]:
    """Keep *n*: the newest contracts of those who have several go first."""
    if len(live) <= n:
        return live
    seen: dict[str, int] = {}
    order = []
    for i, c in enumerate(live):
        seen[c.supplier.org_id] = seen.get(c.supplier.org_id, 0) + 1
        order.append((seen[c.supplier.org_id], c.made_in == k, i))
    keep = sorted(i for _, _, i in sorted(order)[:n])
    return [live[i] for i in keep]


def _force_chain(live: list[_Contract], market: _Market, end: dt.date) -> None:
    """Every cooperative of the chain group has one contract that covers processing."""
    own: dict[str, list[_Contract]] = {}
    for c in live:
        if c.tier == "grow" and c.supplier.org_id in market.deliver:
            own.setdefault(c.supplier.org_id, []).append(c)
    for org_id in sorted(own):
        real = [c for c in own[org_id] if not c.plan_only]
        if org_id in market.chain:
            if real and not any(c.flags[2] for c in real):
                begun = [c for c in real if c.starts_on <= end]
                (begun or real)[0].flags[2] = True
        else:
            for c in own[org_id]:
                c.flags[2] = False
                if not any(c.flags[:3]):
                    c.flags[1] = True


@dataclass(frozen=True, slots=True)
class _Volume:
    area: float | None
    tonnes: float | None
    value: float
    delivered_share: float


class _Year:
    """One year of the contracts: what was signed for, and what was delivered and paid.

    Growers come first and outlets last, so that nobody passes on more than came in.
    """

    def __init__(
        self, rng: np.random.Generator, period: str, live: list[_Contract], market: _Market
    ) -> None:
        self.rng = rng
        self.period = period
        self.live = live
        self.market = market
        self.growth = 1.02 ** (int(period) - 2023)
        self.area_weight: dict[str, float] = {}
        self.outs: dict[tuple[str, str], float] = {}
        self.inflow: dict[tuple[str, str], list[float]] = {}
        self.certain: set[str] = set()
        for c in live:
            key = (c.supplier.org_id, c.product)
            if c.tier == "grow" and not c.plan_only:
                self.area_weight[c.product] = self.area_weight.get(c.product, 0.0) + c.area_weight
            elif c.tier in ("collect", "process"):
                self.outs[key] = self.outs.get(key, 0.0) + c.noise

    def rows(self) -> list[dict[str, Any]]:
        tiers = ("grow", "inputs", "collect", "process")
        return [self._row(c) for c in sorted(self.live, key=lambda c: tiers.index(c.tier))]

    def _level(self, c: _Contract) -> str:
        """How far the contract got: a cooperative that delivers has at least one executed contract."""
        party = c.buyer if c.tier == "inputs" else c.supplier
        if c.plan_only:
            return "planned"
        if c.starts_on > period_days(self.period)[1]:
            return "signed"
        if party.role == "htx":
            first = c.tier == "grow" and party.org_id not in self.certain
            if c.tier == "grow":
                self.certain.add(party.org_id)
            sure = first or (party.org_id in self.market.chain and c.flags[2])
            is_done = party.org_id in self.market.deliver and (sure or self.rng.random() < 0.8)
        elif party.role == "tht":
            is_done = party.score < 0.3 and self.rng.random() < 0.85
        else:
            is_done = c.tier == "inputs" or self._got(c)[1] > 0
            is_done = is_done and self.rng.random() < 0.85
        if not is_done and self.rng.random() < 0.15:
            c.is_stopped = True
            return "signed"
        return "executed" if is_done else "active"

    def _got(self, c: _Contract) -> list[float]:
        return self.inflow.get((c.supplier.org_id, c.product), [0.0, 0.0])

    def _volume(self, c: _Contract) -> _Volume:
        chain = CHAIN[c.product]
        price = chain.price_vnd_kg[self.period] * 1000.0 * math.exp(self.rng.normal(0, 0.05))
        if c.tier == "grow":
            total = max(self.area_weight.get(c.product, 0.0), c.area_weight)
            area = max(0.05, round(c.area_weight / total * chain.area_ha * self.growth, 2))
            tonnes = area * chain.yield_t_ha * c.noise
            return _Volume(area, tonnes, tonnes * price, float(self.rng.beta(8, 2)))
        if c.tier == "inputs":
            value = 60e6 * math.exp(0.5 * c.buyer.z + self.rng.normal(0, 0.7))
            return _Volume(None, None, value, float(self.rng.beta(9, 1)))
        signed, delivered = self._got(c)
        split = c.noise / self.outs[c.supplier.org_id, c.product]
        factor, markup = (
            (chain.conversion, 1.35 / chain.conversion) if c.tier == "process" else (0.97, 1.08)
        )
        tonnes = signed * split * factor * 0.9 if signed > 0 else 1.5 * c.noise * chain.yield_t_ha
        share = min(1.0, delivered / signed) if signed > 0 else 0.0
        return _Volume(None, tonnes, tonnes * price * markup, share)

    def _row(self, c: _Contract) -> dict[str, Any]:
        level = self._level(c)
        volume = self._volume(c)
        tonnes = None if volume.tonnes is None else max(0.1, round(volume.tonnes, 1))
        value = million(volume.value)
        delivered = paid = None
        if level == "executed":
            share = volume.delivered_share
            if tonnes is not None:
                delivered = max(0.1, math.floor(10 * tonnes * share) / 10)
            paid = min(value, million(volume.value * share * self.rng.uniform(0.88, 1.0)))
        if tonnes is not None and level != "planned":
            total = self.inflow.setdefault((c.buyer.org_id, c.product), [0.0, 0.0])
            total[0] += tonnes
            total[1] += delivered or 0.0
        status = level
        if level == "executed":
            ends_now = c.ends_on <= period_days(self.period)[1]
            c.is_stopped = not ends_now and self.rng.random() < 0.02
            status = "completed" if ends_now else "terminated" if c.is_stopped else "active"
        elif c.is_stopped:
            status = "terminated"
        return {
            "period": self.period,
            "linkage_id": "l-" + content_hash(c.supplier.org_id, c.buyer.org_id, c.product, c.instrument, c.number),
            "instrument": c.instrument, "contract_number": c.number,
            "supplier_id": c.supplier.org_id, "supplier_tax_code": c.supplier.tax_code, "supplier_name": c.supplier.name,
            "buyer_id": c.buyer.org_id, "buyer_tax_code": c.buyer.tax_code, "buyer_name": c.buyer.name,
            "leader": c.leader, "product_code": c.product, "product_name": CHAIN[c.product].written,
            "has_inputs": c.flags[0], "has_production": c.flags[1], "has_processing": c.flags[2], "has_consumption": c.flags[3],
            "nd98_form": FORM[c.flags[0], c.flags[1], c.flags[2]],
            "signed_on": None if level == "planned" else c.signed_on, "starts_on": c.starts_on, "ends_on": c.ends_on,
            "area_ha": volume.area, "households": c.households, "contracted_tonnes": tonnes, "delivered_tonnes": delivered,
            "contracted_value_vnd": value, "paid_value_vnd": paid, "price_rule": c.price_rule,
            "support_decision": c.support, "status": status, "evidence": level,
        }  # fmt: skip


FORM: Final = {
    (True, True, True): 1, (True, False, False): 2, (False, True, False): 3, (True, True, False): 4,
    (False, True, True): 5, (True, False, True): 6, (False, False, True): 7,
}  # fmt: skip
"""Form of linkage by stage flags I, P, X (Decree 98/2018, Article 4)."""
