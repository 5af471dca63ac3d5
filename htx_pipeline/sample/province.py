"""The truth: a seeded synthetic province, as canonical tables over reporting years.

What belongs here: drawing organisations, linkages, reports and the rest so that they fit the margins
of `facts`. What does not: files, forms and mistakes (`write`, `mess`).

Every part draws from its own random stream, named, so that adding a draw to one part leaves the
others as they were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.sample.facts import (
    CHAIN,
    CHAINS,
    DISTRICT_WEIGHTS,
    KNOWN_PERIODS,
    NEW_ADMIN_VERSION,
    OLD_ADMIN_VERSION,
    Place,
    places,
)
from htx_pipeline.sample.names import LINE_OF_BUSINESS, brand_names, landscape_names, tax_codes
from htx_pipeline.schemas import PROVENANCE, TABLES

_MILLION: Final = 1_000_000
_AGRI_SHARE: Final = 0.66
_OFF_TAKE: Final = {"2023": 0.24, "2024": 0.25, "2025": 0.26}
_CHAIN_SHARE: Final = {"2023": 0.126, "2024": 0.13, "2025": 0.134}
_LINKED_SHARE: Final = 0.55
_NON_AGRI: Final = (
    ("4933", "Vận tải"),
    ("5510", "Du lịch cộng đồng"),
    ("4711", "Thương mại"),
    ("2392", "Vật liệu xây dựng"),
    ("1392", "Dệt thổ cẩm"),
    ("4101", "Xây dựng"),
    ("3600", "Nước sạch"),
)
_CERTIFICATES: Final = {
    "coffee_arabica": "4C", "coffee_robusta": "4C; UTZ", "safe_vegetables": "VietGAP", "herbs": "GACP-WHO",
    "red_rice": "Hữu cơ", "passion_fruit": "VietGAP", "sugarcane": "VietGAP",
    "maize_fodder": "VietGAP", "cassava": "VietGAP",
}  # fmt: skip
_PRICE_RULES: Final = ("market", "market_plus", "floor", "fixed")


@dataclass(frozen=True)
class SampleProvince:
    """The clean synthetic province: one frame per canonical table, each conforming to its schema.

    Attributes
    ----------
    seed, periods:
        What it was made from.
    organisations, cooperative_reports, linkages, trainings, commendations, plan_targets, plan_tasks, \
regional_accounts:
        The truth, before forms and mess. Ids of organisations without a tax code, and linkage ids,
        are the sample's own.
    """

    seed: int
    periods: tuple[str, ...]
    organisations: pl.DataFrame
    cooperative_reports: pl.DataFrame
    linkages: pl.DataFrame
    trainings: pl.DataFrame
    commendations: pl.DataFrame
    plan_targets: pl.DataFrame
    plan_tasks: pl.DataFrame
    regional_accounts: pl.DataFrame

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the frames by table name."""
        return {name: getattr(self, name) for name in TABLES}


@dataclass(slots=True)
class _Org:
    org_id: str
    tax_code: str | None
    legal_type: str
    name: str
    place: Place | None
    vsic: str | None
    registered_on: dt.date
    first: int
    role: str  # htx, tht, lhhtx, inputs, trader, processor, outlet
    products: tuple[str, ...] = ()
    z: float = 0.0
    weight: float = 1.0
    score: float = 0.0
    is_agri: bool = False
    status: list[str] = field(default_factory=list)  # one per period, "" = not in the register
    dissolved_on: dt.date | None = None


@dataclass(slots=True)
class _Contract:
    supplier: _Org
    buyer: _Org
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


def _rng(seed: int, part: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=6).hexdigest()


def _period_days(period: str) -> tuple[dt.date, dt.date]:
    year = int(period)
    return dt.date(year - 1, 12, 15), dt.date(year, 12, 14)


def _day(rng: np.random.Generator, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(days=int(rng.integers(0, (last - first).days + 1)))


def _years_later(date: dt.date, years: int) -> dt.date:
    return dt.date(date.year + years, date.month, min(date.day, 28))


def _stratified_normal(n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Normal quantiles at the middles of n equal parts, shuffled: a small sample with no sampling error."""
    normal = NormalDist()
    values = np.array([normal.inv_cdf((i + 0.5) / n) for i in range(n)])
    return values[rng.permutation(n)]


def _pick(rng: np.random.Generator, weights: Sequence[float]) -> int:
    w = np.asarray(weights, dtype=float)
    return int(
        np.searchsorted(np.cumsum(w), rng.random() * w.sum(), side="right").clip(0, len(w) - 1)
    )


def _check_arguments(periods: Sequence[str], sizes: Mapping[str, int]) -> None:
    if (
        not periods
        or sorted(set(periods)) != list(periods)
        or not set(periods) <= set(KNOWN_PERIODS)
    ):
        raise InputError(
            "The sample province is made for reporting years 2023, 2024 and 2025, in order.",
            where=f"periods={tuple(periods)!r}",
            remedy="Name some of 2023, 2024, 2025, each once, in order.",
            code="sample_periods",
        )
    for name, least in (("n_cooperatives", 40), ("n_enterprises", 40), ("n_linkages", 200)):
        if sizes[name] < least:
            raise InputError(
                "The sample province would be too small to hold its nine chains.",
                where=f"{name}={sizes[name]}",
                remedy=f"Use at least {least}.",
                code="sample_size",
            )


def generate(
    *,
    seed: int = 20,
    periods: Sequence[str] = KNOWN_PERIODS,
    n_cooperatives: int = 240,
    n_enterprises: int = 150,
    n_linkages: int = 1_500,
) -> SampleProvince:
    """Draw the province.

    Parameters
    ----------
    seed:
        Same seed, same frames.
    periods:
        Reporting years, some of 2023, 2024, 2025. The first two are written with the units before 1
        July 2025 (102 communes in 10 districts), 2025 with the 40 units after.
    n_cooperatives:
        Cooperatives registered in the first year; the register then grows by about 5 % a year net.
    n_enterprises:
        Enterprises and household businesses that trade in what the cooperatives grow.
    n_linkages:
        Linkages in each year.

    Returns
    -------
    SampleProvince
        One frame per canonical table (`htx_pipeline.schemas.TABLES`), sorted by its key.

    Raises
    ------
    InputError
        A year the sample has no form for, or too few organisations or linkages.

    Examples
    --------
    >>> province = generate(periods=("2023",))
    >>> province.linkages.height
    1500
    """
    periods = tuple(periods)
    _check_arguments(
        periods,
        {
            "n_cooperatives": n_cooperatives,
            "n_enterprises": n_enterprises,
            "n_linkages": n_linkages,
        },
    )
    growers = _growers(seed, periods, n_cooperatives)
    traders = _enterprises(seed, periods, n_enterprises)
    orgs = growers + traders
    linkage_rows = _linkages(seed, periods, orgs, n_linkages)
    report_rows = _reports(seed, periods, growers, linkage_rows)
    rows = {
        "organisations": _organisation_rows(periods, orgs),
        "cooperative_reports": report_rows,
        "linkages": linkage_rows,
        "trainings": _trainings(seed, periods, growers),
        "commendations": _commendations(seed, periods, growers),
        "plan_targets": _plan_targets(periods),
        "plan_tasks": _plan_tasks(seed, periods),
        "regional_accounts": _regional_accounts(periods, report_rows),
    }
    frames = {}
    for name, records in rows.items():
        table = TABLES[name]
        provenance = {c.name for c in PROVENANCE}
        schema = {k: v for k, v in table.schema.items() if k not in provenance}
        frame = pl.DataFrame([{k: r.get(k) for k in schema} for r in records], schema=schema)
        frame = frame.sort(table.key if "period" in table.key else ("period", *table.key))
        frame = frame.with_columns(
            source_file=pl.lit("sample"),
            source_sheet=pl.lit(name),
            source_row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            source_id=pl.format("sample:{}:{}", pl.lit(name), pl.int_range(1, pl.len() + 1)),
        )
        frames[name] = table.conform(frame)
    return SampleProvince(seed=seed, periods=periods, **frames)


# --- organisations ---------------------------------------------------------------------------------


def _place(rng: np.random.Generator, districts: Sequence[str] | None = None) -> Place:
    codes = [d for d in DISTRICT_WEIGHTS if districts is None or d in districts]
    district = codes[_pick(rng, [DISTRICT_WEIGHTS[d] for d in codes])]
    choices = [p for p in places() if p.district_code == district]
    return choices[int(rng.integers(len(choices)))]


def _growers(seed: int, periods: tuple[str, ...], n: int) -> list[_Org]:
    """Cooperatives, their unions, and cooperative groups."""
    rng = _rng(seed, "cooperatives")
    entries = [n] + [round(0.075 * n)] * (len(periods) - 1)
    total = sum(entries)
    first = np.repeat(np.arange(len(periods)), entries)
    z = np.concatenate(
        [
            _stratified_normal(n, rng),
            *([-0.6 + 0.5 * _stratified_normal(e, rng)] for e in entries[1:]),
        ],
        axis=None,
    )
    agri = np.zeros(total, dtype=bool)
    for k in range(len(periods)):
        index = np.flatnonzero(first == k)
        agri[rng.permutation(index)[: round(_AGRI_SHARE * len(index))]] = True
    names = landscape_names(2 * total, rng)
    codes = tax_codes(total, province="61")
    code_order = rng.permutation(total)
    age = z + rng.normal(0, 0.6, total)
    old = set(np.argsort(-np.where(first == 0, age, -9))[: round(0.26 * n)].tolist())
    orgs: list[_Org] = []
    for i in range(total):
        k = int(first[i])
        place = _place(rng)
        if agri[i]:
            fitting = [c for c in CHAINS if place.district_code in c.districts]
            main = fitting[_pick(rng, [c.weight for c in fitting])]
            products: tuple[str, ...] = (main.code,)
            if len(fitting) > 1 and rng.random() < 0.35:
                others = [c for c in fitting if c is not main]
                products += (others[_pick(rng, [c.weight for c in others])].code,)
            kind = ("Nông nghiệp", "Nông nghiệp và Dịch vụ", main.noun, "Nông nghiệp Xanh")[
                int(rng.integers(4))
            ]
            vsic = main.vsic
        else:
            products = ()
            vsic, kind = _NON_AGRI[int(rng.integers(len(_NON_AGRI)))]
        if k > 0:
            start, end = _period_days(periods[k])
            registered = _day(rng, start, end - dt.timedelta(days=20))
        elif i in old:
            registered = _day(rng, dt.date(1998, 1, 1), dt.date(2016, 8, 31))
        else:
            registered = _day(rng, dt.date(2016, 9, 1), dt.date(int(periods[0]) - 1, 11, 30))
        code = codes[code_order[i]]
        orgs.append(
            _Org(code, code, "htx", f"Hợp tác xã {kind} {names[i]}", place, vsic, registered, k, "htx",
                 products, float(z[i]), 1.0, float(0.9 * z[i] + rng.normal(0, 1)), bool(agri[i]))
        )  # fmt: skip
    _statuses(rng, periods, orgs)
    for i in range(max(2, n // 80)):
        place = _place(rng, ("608", "615", "613"))
        product = ("coffee_robusta", "safe_vegetables", "herbs", "cassava", "coffee_arabica")[i % 5]
        code = tax_codes(total + i + 1, province="61")[-1]
        orgs.append(
            _Org(code, code, "lhhtx", f"Liên hiệp Hợp tác xã {names[total + i]}", place, "4620",
                 _day(rng, dt.date(2018, 1, 1), dt.date(2022, 12, 1)), 0, "lhhtx", (product,), 2.0,
                 1.0, 0.0, False, ["active"] * len(periods))
        )  # fmt: skip
    group_names = landscape_names(round(0.8 * n) + 40, _rng(seed, "groups"))
    for i in range(round(0.8 * n)):
        place = _place(rng)
        fitting = [c for c in CHAINS if place.district_code in c.districts]
        chain = fitting[_pick(rng, [c.weight for c in fitting])]
        name = f"Tổ hợp tác {chain.noun} {group_names[i]}"
        orgs.append(
            _Org("tht-" + _hash(name, place.old_code), None, "tht", name, place, chain.vsic,
                 _day(rng, dt.date(2015, 1, 1), dt.date(int(periods[0]) - 1, 11, 30)), 0, "tht", (chain.code,),
                 float(rng.normal(-1.2, 0.5)), 1.0, float(rng.random()), True, ["active"] * len(periods))
        )  # fmt: skip
    return orgs


def _statuses(rng: np.random.Generator, periods: tuple[str, ...], orgs: list[_Org]) -> None:
    """Give every cooperative a status in every year: about 10 % sleep, and about 3 % a year leave."""
    sleepers = [o for o in orgs if o.first == 0]
    sleepers = sorted(sleepers, key=lambda o: (0.4 * o.score + rng.normal(0, 1.0), o.org_id))
    sleepers = sleepers[: round(0.10 * len(sleepers))]
    state = {o.org_id: "active" for o in orgs}
    for j, o in enumerate(sleepers):
        state[o.org_id] = "dissolving" if j % 5 == 0 else "suspended"
    gone: set[str] = set()
    for k, period in enumerate(periods):
        present = [o for o in orgs if o.first <= k and o.org_id not in gone]
        if k > 0:
            older = [o for o in present if o.first < k]
            leaving = sorted(older, key=lambda o: (state[o.org_id] == "active", o.score, o.org_id))
            for o in leaving[: round(0.028 * len(present))]:
                state[o.org_id] = "dissolved"
                o.dissolved_on = _day(rng, *_period_days(period))
            weak = [o for o in older if state[o.org_id] == "active"]
            weak.sort(key=lambda o: (o.score, o.org_id))
            for o in weak[: round(0.02 * len(present))]:
                state[o.org_id] = "suspended"
        for o in orgs:
            o.status.append(state[o.org_id] if o in present else "")
        gone |= {o.org_id for o in present if state[o.org_id] == "dissolved"}


def _enterprises(seed: int, periods: tuple[str, ...], n: int) -> list[_Org]:
    rng = _rng(seed, "enterprises")
    n_small = round(0.17 * n)
    counts = {"inputs": round(0.10 * n), "processor": round(0.34 * n), "outlet": round(0.20 * n)}
    counts["trader"] = n - sum(counts.values())
    names = brand_names(n, rng)
    local = iter(tax_codes(n, province="61", start=9_950_000))
    elsewhere = iter(tax_codes(n, province="03"))
    orgs: list[_Org] = []
    number = 0
    for role in ("trader", "processor", "outlet", "inputs"):
        for j in range(counts[role]):
            chain = (
                CHAINS[j % len(CHAINS)]
                if j < 2 * len(CHAINS)
                else CHAINS[_pick(rng, [c.weight for c in CHAINS])]
            )
            extra = {"trader": 2, "processor": 0, "outlet": 3, "inputs": 5}[role]
            if role == "processor" and rng.random() < 0.25:
                extra = 1
            others = [c.code for c in CHAINS if c is not chain]
            products = (chain.code, *[others[x] for x in rng.permutation(len(others))[:extra]])
            is_small = role == "trader" and j >= counts[role] - n_small
            is_outside = {"trader": 0.1, "processor": 0.15, "outlet": 0.6, "inputs": 0.3}[
                role
            ] > rng.random()
            outside = is_outside and not is_small
            place = None if outside else _place(rng, chain.districts)
            line = LINE_OF_BUSINESS[role][int(rng.integers(3))]
            brand = names[number]
            number += 1
            if is_small:
                assert place is not None
                name = f"Hộ kinh doanh Thu mua {chain.noun} {brand}"
                code, org_id = None, "hkd-" + _hash(name, place.old_code)
            else:
                form = (
                    "Công ty TNHH",
                    "Công ty Cổ phần",
                    "Công ty TNHH Một thành viên",
                    "Doanh nghiệp tư nhân",
                )
                name = f"{form[_pick(rng, (55, 25, 15, 5))]} {line} {brand}"
                code = next(elsewhere) if outside else next(local)
                org_id = code
            vsic = {"trader": "4620", "processor": {"0126": "1077", "0113": "1062", "0114": "1072", "0111": "1061"}.get(chain.vsic, "1030"),
                    "outlet": "4632", "inputs": "4669"}[role]  # fmt: skip
            orgs.append(
                _Org(org_id, code, "household_business" if is_small else "enterprise", name, place, vsic,
                     _day(rng, dt.date(2002, 1, 1), dt.date(2022, 6, 30)), 0, role, products,
                     0.0, 1.0, float(rng.random()), False, ["active"] * len(periods))
            )  # fmt: skip
        same = [o for o in orgs if o.role == role]
        ranks = rng.permutation(len(same))
        for o, r in zip(same, ranks, strict=True):
            o.weight = float((r + 1) ** -1.1)
    return orgs


# --- linkages --------------------------------------------------------------------------------------


def _executors(orgs: list[_Org], k: int, period: str) -> tuple[list[_Org], set[str], set[str]]:
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


def _buyer(rng: np.random.Generator, supplier: _Org, candidates: list[_Org]) -> _Org:
    """Pick a buyer: a few are large (heavy tail), and a neighbour is four times as likely."""
    home = supplier.place.district_code if supplier.place else ""
    weights = [
        o.weight * (4.0 if o.place is not None and o.place.district_code == home else 1.0)
        for o in candidates
    ]
    return candidates[_pick(rng, weights)]


class _Market:
    """Who can sell what to whom in one year."""

    def __init__(self, orgs: list[_Org], k: int, period: str) -> None:
        self.linked, self.deliver, self.chain = _executors(orgs, k, period)
        self.groups = [o for o in orgs if o.role == "tht" and o.score < 0.7]
        self.by_role: dict[tuple[str, str], list[_Org]] = {}
        for o in orgs:
            if o.role in ("trader", "processor", "outlet", "inputs", "lhhtx"):
                for product in o.products:
                    self.by_role.setdefault((o.role, product), []).append(o)
        for o in self.linked:
            if o.org_id in self.deliver:
                self.by_role.setdefault(("htx", o.products[0]), []).append(o)

    def of(self, role: str, product: str, *, but: _Org) -> list[_Org]:
        return [o for o in self.by_role.get((role, product), []) if o is not but]


def _grow_weights(growers: list[_Org]) -> list[float]:
    return [math.exp(0.55 * o.z) * (1.0 if o.role == "htx" else 0.9) for o in growers]


class _Drawer:
    """Draws new contracts, numbering them within the year they are signed in."""

    def __init__(self, rng: np.random.Generator, periods: tuple[str, ...]) -> None:
        self.rng = rng
        self.periods = periods
        self.numbers: dict[int, int] = {}
        self.projects = 0

    def draw(self, market: _Market, k: int, tier: str, supplier: _Org | None) -> _Contract:
        rng = self.rng
        may_begin_later = supplier is None and tier == "grow"
        if tier in ("grow", "inputs"):
            if supplier is None:
                pool = market.linked if tier == "inputs" or rng.random() < 0.66 else market.groups
                supplier = pool[_pick(rng, _grow_weights(pool))]
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
                role = roles[_pick(rng, [w for _, w in roles])][0]
                buyer = self._one(
                    market, (role, "processor", "trader"), product, but=grower, near=grower
                )
        else:
            product = CHAINS[_pick(rng, [c.weight for c in CHAINS])].code
            sources, targets = {
                "collect": (("trader", "lhhtx"), ("processor",)),
                "process": (("processor",), ("outlet",)),
            }[tier]
            pool = [o for r in sources for o in market.by_role.get((r, product), [])]
            supplier = pool[_pick(rng, [o.weight for o in pool])]
            buyer = self._one(market, targets, product, but=supplier, near=supplier)
        contract = self._terms(market, k, tier, (supplier, buyer), product)
        end = _period_days(self.periods[k])[1]
        if may_begin_later and not contract.plan_only and rng.random() < 0.12:
            years = contract.ends_on.year - contract.starts_on.year
            contract.signed_on = _day(rng, end - dt.timedelta(days=60), end)
            contract.starts_on = end + dt.timedelta(days=int(rng.integers(1, 45)))
            contract.ends_on = _years_later(contract.starts_on, years)
        return contract

    def _one(
        self,
        market: _Market,
        roles: tuple[str, ...],
        product: str,
        *,
        but: _Org,
        near: _Org | None = None,
    ) -> _Org:
        for role in roles:
            candidates = market.of(role, product, but=but)
            if candidates:
                return _buyer(self.rng, near or but, candidates)
        raise AssertionError(f"no {roles} for {product}")

    def _terms(
        self, market: _Market, k: int, tier: str, parties: tuple[_Org, _Org], product: str
    ) -> _Contract:
        rng = self.rng
        supplier, buyer = parties
        chain = CHAIN[product]
        instrument = "contract"
        if tier == "grow" and supplier.role == "htx":
            instrument = ("project", "plan", "contract")[_pick(rng, (0.10, 0.10, 0.80))]
        is_long = instrument != "contract" or (tier == "grow" and rng.random() < 0.7)
        years = (5 if chain.is_perennial else 3) if is_long else 1
        start, end = _period_days(self.periods[k])
        if k == 0 and is_long:
            start = dt.date(start.year - years + 1, 12, 15)
        signed = _day(rng, start, end - dt.timedelta(days=45))
        starts = signed + dt.timedelta(days=int(rng.integers(0, 30)))
        ends = _years_later(starts, years)
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
            float(np.exp(rng.normal(0, 0.12))), _PRICE_RULES[_pick(rng, (0.4, 0.25, 0.2, 0.15))], support, k,
            instrument == "plan",
        )  # fmt: skip


def _linkages(
    seed: int, periods: tuple[str, ...], orgs: list[_Org], n: int
) -> list[dict[str, Any]]:
    rng = _rng(seed, "contracts")
    drawer = _Drawer(rng, periods)
    book: list[_Contract] = []
    rows: list[dict[str, Any]] = []
    for k, period in enumerate(periods):
        start, _ = _period_days(period)
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
        _force_chain(live, market, _period_days(period)[1])
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


def _million(value: float) -> int:
    return max(1, round(value / _MILLION)) * _MILLION


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
        if c.starts_on > _period_days(self.period)[1]:
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
        value = _million(volume.value)
        delivered = paid = None
        if level == "executed":
            share = volume.delivered_share
            if tonnes is not None:
                delivered = max(0.1, math.floor(10 * tonnes * share) / 10)
            paid = min(value, _million(volume.value * share * self.rng.uniform(0.88, 1.0)))
        if tonnes is not None and level != "planned":
            total = self.inflow.setdefault((c.buyer.org_id, c.product), [0.0, 0.0])
            total[0] += tonnes
            total[1] += delivered or 0.0
        status = level
        if level == "executed":
            ends_now = c.ends_on <= _period_days(self.period)[1]
            c.is_stopped = not ends_now and self.rng.random() < 0.02
            status = "completed" if ends_now else "terminated" if c.is_stopped else "active"
        elif c.is_stopped:
            status = "terminated"
        return {
            "period": self.period,
            "linkage_id": "l-" + _hash(c.supplier.org_id, c.buyer.org_id, c.product, c.instrument, c.number),
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


# --- the other tables ------------------------------------------------------------------------------


def _is_new_geography(period: str) -> bool:
    return int(period) >= 2025


def _place_columns(place: Place | None, period: str) -> dict[str, Any]:
    if place is None:
        return {"district_name": "Ngoài tỉnh", "locality": "Ngoài tỉnh"}
    new = _is_new_geography(period)
    return {
        "place_name": place.new_name if new else place.old_name,
        "district_name": None if new else place.district,
        "admin_code": place.new_code if new else place.old_code,
        "admin_version": NEW_ADMIN_VERSION if new else OLD_ADMIN_VERSION,
        "locality": place.district,
    }


_ROLE_OF_TYPE: Final = {
    "htx": "cooperative", "lhhtx": "cooperative", "tht": "farmer", "enterprise": "enterprise",
    "household_business": "individual",
}  # fmt: skip


def _organisation_rows(periods: tuple[str, ...], orgs: list[_Org]) -> list[dict[str, Any]]:
    rows = []
    for k, period in enumerate(periods):
        for o in orgs:
            if not o.status[k]:
                continue
            dissolved = o.status[k] == "dissolved"
            rows.append(
                {
                    "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "legal_type": o.legal_type,
                    "nd98_role": _ROLE_OF_TYPE[o.legal_type], "name": o.name, "vsic_code": o.vsic, "vsic_version": "2018",
                    "registered_on": o.registered_on, "dissolved_on": o.dissolved_on if dissolved else None,
                    "status": o.status[k] if o.legal_type in ("htx", "lhhtx", "tht") else None, "is_registered": True, **_place_columns(o.place, period),
                }
            )  # fmt: skip
    return rows


def _spread(values: np.ndarray[Any, Any], mean: float) -> np.ndarray[Any, Any]:
    spread: np.ndarray[Any, Any] = values * (mean / values.mean())
    return spread


def _workers(order: list[int], rng: np.random.Generator) -> dict[int, int]:
    """Regular workers by rank: 61.6 % below 10, 35.7 % 10-49, 1.6 % 50-99, 1.0 % from 100."""
    n = len(order)
    top, high = max(1, round(0.010 * n)), max(1, round(0.016 * n))
    middle = round(0.357 * n)
    out = {}
    for rank, i in enumerate(order):
        if rank < top:
            out[i] = int(rng.integers(100, 180))
        elif rank < top + high:
            out[i] = int(rng.integers(50, 95))
        elif rank < top + high + middle:
            out[i] = min(49, 10 + int(rng.exponential(6)))
        else:
            out[i] = int(rng.integers(2, 10))
    return out


def _reports(
    seed: int, periods: tuple[str, ...], growers: list[_Org], linkages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """One report for every active cooperative and union; what it sold through linkages is in its revenue."""
    rows: list[dict[str, Any]] = []
    sold: dict[tuple[str, str], int] = {}
    for r in linkages:
        if r["paid_value_vnd"]:
            sold[r["period"], r["supplier_id"]] = (
                sold.get((r["period"], r["supplier_id"]), 0) + r["paid_value_vnd"]
            )
    people = [o for o in growers if o.role in ("htx", "lhhtx")]
    fixed = _rng(seed, "report traits")
    trait = {o.org_id: fixed.random(6) for o in people}
    shape = {o.org_id: fixed.normal(0, 1, 4) for o in people}
    tech = sorted(
        (o for o in people if o.is_agri),
        key=lambda o: (-(o.score + 1.5 * shape[o.org_id][0]), o.org_id),
    )
    high_tech = {o.org_id for o in tech[: round(0.21 * len(tech))]}
    evidence = {o.org_id for o in tech[: round(0.075 * len(tech) / _AGRI_SHARE)]}
    owners = sorted(
        (o for o in people if o.is_agri),
        key=lambda o: (-(o.score + 1.2 * shape[o.org_id][1]), o.org_id),
    )[:29]
    ocop = {o.org_id: 1 + int(trait[o.org_id][2] * 3) for o in owners}
    for k, period in enumerate(periods):
        rng = _rng(seed, f"reports {period}")
        active = [o for o in people if o.status[k] == "active"]
        n = len(active)
        z = np.array([o.z for o in active])
        noise = rng.normal(0, 0.12, n)
        members = np.maximum(7, np.round(12 * np.exp(1.6 * z + 0.15 * noise))).astype(int)
        order = np.argsort(
            -(z + np.array([0.8 * shape[o.org_id][2] for o in active])), kind="stable"
        ).tolist()
        workers = _workers(order, rng)
        years = int(period) - 2023
        charter = _spread(
            np.exp(0.55 * z + np.array([0.9 * shape[o.org_id][3] for o in active])), 2.03e9
        )
        total = _spread(
            charter * np.exp(0.8 + rng.normal(0, 0.25, n)), 5.33e9 * 1.03 ** (years - 1)
        )
        base = _spread(np.exp(0.5 * z + rng.normal(0, 0.8, n)), 0.70e9 * 1.08**years)
        own_sales = np.array([sold.get((period, o.org_id), 0) for o in active], dtype=float)
        revenue = base + own_sales * rng.uniform(1.0, 1.1, n)
        margin = np.where(
            rng.random(n) < 0.08, rng.uniform(-0.12, -0.01, n), rng.gamma(4, 0.023, n)
        )
        is_linked = own_sales > 0
        member_income = (
            (36 + 4 * years) * np.where(is_linked, 1.15, 1.0) * np.exp(rng.normal(-0.02, 0.2, n))
        )
        worker_income = (46 + 4 * years) * np.exp(rng.normal(-0.01, 0.16, n))
        score = 68.5 + years + 6 * np.tanh(z) + 7.5 * _stratified_normal(n, rng)
        end = _period_days(period)[1]
        for i, o in enumerate(active):
            profit = revenue[i] * min(0.35, margin[i])
            managers = int(np.clip(3 + rng.poisson(0.9), 3, 9)) if members[i] > 8 else 3
            college = int(rng.binomial(managers, 0.247))
            intermediate = int(rng.binomial(managers - college, 0.466 / 0.753))
            is_new = (end - o.registered_on).days < 365
            points = None if is_new else float(np.clip(round(score[i] * 2) / 2, 32, 97))
            rating = (
                "khong_xep_loai"
                if points is None
                else "tot"
                if points >= 80
                else "kha"
                if points >= 65
                else "trung_binh"
                if points >= 50
                else "yeu"
            )
            uses_tech = o.org_id in high_tech
            crop = o.products[0] if o.products else ""
            with_kinds = _is_after_new_law(period)
            member_count = int(members[i]) if o.role == "htx" else 4 + int(trait[o.org_id][0] * 8)
            rows.append(
                {
                    "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name,
                    **{c: v for c, v in _place_columns(o.place, period).items() if c in ("place_name", "district_name")},
                    "reported_on": end + dt.timedelta(days=1) if rng.random() < 0.35 else _day(rng, dt.date(end.year, 12, 1), dt.date(end.year, 12, 14)),
                    "official_members": member_count,
                    "associate_members_with_capital": int(rng.poisson(0.04 * member_count)) if with_kinds else None,
                    "associate_members_without_capital": int(rng.poisson(0.25 * member_count)) if with_kinds else None,
                    "regular_workers": workers[i],
                    "seasonal_workers": int(rng.poisson(1.5 + 0.6 * workers[i])),
                    "managers": managers, "managers_college": college, "managers_intermediate": intermediate,
                    "charter_capital_vnd": _million(charter[i]), "total_capital_vnd": _million(max(total[i], charter[i] * 1.05)),
                    "undivided_assets_vnd": _million(total[i] * 0.08 * (0.5 + trait[o.org_id][1])),
                    "debt_vnd": _million(total[i] * 0.35 * trait[o.org_id][3]),
                    "revenue_vnd": _million(revenue[i]),
                    "revenue_from_members_vnd": _million(revenue[i] * rng.beta(6, 4)),
                    "profit_before_tax_vnd": round(profit / _MILLION) * _MILLION,
                    "funds_set_aside_vnd": max(0, round(0.2 * profit / _MILLION)) * _MILLION,
                    "member_income_vnd": _million(member_income[i] * 1e6), "worker_income_vnd": _million(worker_income[i] * 1e6),
                    "self_score": points, "rating": rating, "is_high_tech": uses_tech,
                    "high_tech_evidence": ("Nhà màng, tưới tiết kiệm", "Quyết định công nhận vùng sản xuất", "Nhật ký điện tử, truy xuất nguồn gốc")[
                        int(trait[o.org_id][4] * 3)] if uses_tech and o.org_id in evidence else None,
                    "certificates": _CERTIFICATES.get(crop) if trait[o.org_id][5] < (0.5 if is_linked[i] else 0.12) else None,
                    "ocop_products": ocop.get(o.org_id, 0),
                }
            )  # fmt: skip
    return rows


def _is_after_new_law(period: str) -> bool:
    return int(period) >= 2024


def _trainings(seed: int, periods: tuple[str, ...], growers: list[_Org]) -> list[dict[str, Any]]:
    courses = (
        ("Bồi dưỡng giám đốc hợp tác xã", 5.0), ("Kế toán hợp tác xã", 3.0), ("Liên kết theo chuỗi giá trị", 2.0),
        ("Chuyển đổi số và truy xuất nguồn gốc", 2.0), ("Sản xuất theo VietGAP", 3.0),
    )  # fmt: skip
    rows = []
    for k, period in enumerate(periods):
        rng = _rng(seed, f"trainings {period}")
        active = [o for o in growers if o.role == "htx" and o.status[k] == "active"]
        start, end = _period_days(period)
        for course, days in courses:
            begins = _day(rng, start + dt.timedelta(days=60), end - dt.timedelta(days=30))
            for i in sorted(rng.permutation(len(active))[: max(4, len(active) // 14)].tolist()):
                o = active[i]
                managers, members = int(rng.integers(1, 4)), int(rng.integers(0, 6))
                rows.append(
                    {
                        "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name, "course": course,
                        "starts_on": begins, "days": days, "managers_trained": managers, "members_trained": members,
                        "cost_vnd": _million((managers + members) * days * 350_000),
                    }
                )  # fmt: skip
    return rows


def _commendations(
    seed: int, periods: tuple[str, ...], growers: list[_Org]
) -> list[dict[str, Any]]:
    titles = (
        ("province", "Bằng khen của Chủ tịch UBND tỉnh"),
        ("district", "Giấy khen của Chủ tịch UBND huyện"),
        ("ministry", "Bằng khen của Bộ"),
    )
    rows = []
    for k, period in enumerate(periods):
        rng = _rng(seed, f"commendations {period}")
        active = sorted(
            (o for o in growers if o.role == "htx" and o.status[k] == "active"),
            key=lambda o: (-o.score, o.org_id),
        )
        pool = active[: max(10, len(active) // 3)]
        for j, i in enumerate(
            sorted(rng.permutation(len(pool))[: max(6, len(active) // 10)].tolist())
        ):
            o = pool[i]
            level, title = titles[_pick(rng, (0.5, 0.4, 0.1))]
            if level == "district" and _is_new_geography(period):
                level, title = "commune", "Giấy khen của Chủ tịch UBND xã"
            start, end = _period_days(period)
            rows.append(
                {
                    "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name,
                    "decision": f"{200 + 7 * j}/QĐ-UBND", "decided_on": _day(rng, start, end), "level": level, "title": title,
                }
            )  # fmt: skip
    return rows


def _plan_targets(periods: tuple[str, ...]) -> list[dict[str, Any]]:
    """Invented targets of the province; the real national ones are `htx_pipeline.reference.targets`."""
    rows = []
    for period in periods:
        step = int(period) - 2023
        own = (
            ("n_cooperatives", "Số hợp tác xã", "none", 240.0 + 12 * step, "organisation"),
            ("offtake_share", "Tỷ lệ hợp tác xã nông nghiệp có liên kết tiêu thụ", "agricultural_htx", 0.40 + 0.05 * step, "share"),
            ("chain_linked_share", "Tỷ lệ hợp tác xã tham gia liên kết theo chuỗi giá trị", "all_htx", 0.25 + 0.05 * step, "share"),
            ("rated_good_fair_share", "Tỷ lệ hợp tác xã xếp loại tốt, khá", "rated", 0.60 + 0.02 * step, "share"),
            ("linked_area_ha", "Diện tích sản xuất có liên kết", "none", 6_150.0, "ha"),
            ("n_high_tech", "Số hợp tác xã ứng dụng công nghệ cao", "none", 15.0 + 5 * step, "organisation"),
            ("members_per_cooperative", "Số thành viên bình quân một hợp tác xã", "reporting_htx", 50.0, "person"),
            ("member_income_vnd", "Thu nhập bình quân của thành viên", "none", 40e6 + 4e6 * step, "VND"),
            ("revenue_per_cooperative_vnd", "Doanh thu bình quân một hợp tác xã", "none", 2e9 + 0.3e9 * step, "VND"),
        )  # fmt: skip
        rows += [
            {
                "period": period, "authority": "UBND tỉnh (giả định)", "document": f"Kế hoạch giả định năm {period}", "indicator": indicator,
                "indicator_vi": words, "denominator": denominator, "target_year": int(period), "comparator": ">=", "value": round(value, 4),
                "value_unit": unit, "is_verified": False, "source_address": "số liệu giả định / synthetic",
            }
            for indicator, words, denominator, value, unit in own
        ]  # fmt: skip
    return rows


def _plan_tasks(seed: int, periods: tuple[str, ...]) -> list[dict[str, Any]]:
    tasks = (
        (
            "1",
            "Củng cố hợp tác xã hoạt động yếu kém",
            "Liên minh Hợp tác xã tỉnh",
            "rated_good_fair_share",
        ),
        (
            "2",
            "Hỗ trợ hợp tác xã ký hợp đồng liên kết tiêu thụ",
            "Sở Nông nghiệp",
            "offtake_share",
        ),
        ("3", "Xây dựng cụm sản xuất gắn với chế biến", "Sở Nông nghiệp", "chain_linked_share"),
        (
            "4",
            "Bồi dưỡng cán bộ quản lý hợp tác xã",
            "Liên minh Hợp tác xã tỉnh",
            "managers_trained_share",
        ),
        ("5", "Hỗ trợ hạ tầng, chế biến theo Nghị định 98/2018/NĐ-CP", "Sở Tài chính", ""),
    )
    districts = sorted({p.district for p in places()})
    rows = []
    for period in periods:
        rng = _rng(seed, f"tasks {period}")
        for number, task, department, indicator in tasks:
            for locality in (
                ["Toàn tỉnh", *districts[:4]] if number in ("2", "3") else ["Toàn tỉnh"]
            ):
                status = ("done", "in_progress", "late", "not_started")[
                    _pick(rng, (0.4, 0.35, 0.15, 0.1))
                ]
                progress = {"done": 1.0, "not_started": 0.0}.get(
                    status, round(float(rng.uniform(0.2, 0.9)), 2)
                )
                rows.append(
                    {
                        "period": period, "document": f"Kế hoạch giả định năm {period}", "task_number": number, "task": task, "department": department,
                        "locality": locality, "due_on": dt.date(int(period), 11, 30), "indicator": indicator or None, "status": status,
                        "progress_share": progress,
                    }
                )  # fmt: skip
    return rows


def _regional_accounts(
    periods: tuple[str, ...], reports: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """GRDP grown from the published 26,698.59 bn of 2021 at an assumed 11 % a year, current prices."""
    rows = []
    for period in periods:
        revenue = sum(r["revenue_vnd"] for r in reports if r["period"] == period)
        years = int(period) - 2021
        rows.append(
            {
                "period": period, "province": "Tỉnh giả định (theo khu vực Kon Tum cũ)", "year": int(period),
                "grdp_vnd": round(26_698.59e9 * 1.11**years / 1e9) * 1_000_000_000,
                "collective_value_added_vnd": round(0.4 * revenue / 1e9) * 1_000_000_000,
                "population": round(568_780 * 1.012**years), "source_agency": "Cục Thống kê (giả định)",
            }
        )  # fmt: skip
    return rows
