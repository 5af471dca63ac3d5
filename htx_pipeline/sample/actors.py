"""Who is in the sample province: growers, enterprises, and their rows in the register.

What belongs here: organisations, where they are, since when, in what state. What does not: what they
sign (`contracts`) and report (`yearbook`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from htx_pipeline.sample.draws import (
    content_hash,
    day_between,
    is_new_geography,
    period_days,
    pick_weighted,
    stratified_normal,
    stream,
)
from htx_pipeline.sample.facts import (
    CHAINS,
    DISTRICT_WEIGHTS,
    NEW_ADMIN_VERSION,
    OLD_ADMIN_VERSION,
    Place,
    places,
)
from htx_pipeline.sample.names import LINE_OF_BUSINESS, brand_names, landscape_names, tax_codes

AGRI_SHARE: Final = 0.66
_NON_AGRI: Final = (
    ("4933", "Vận tải"),
    ("5510", "Du lịch cộng đồng"),
    ("4711", "Thương mại"),
    ("2392", "Vật liệu xây dựng"),
    ("1392", "Dệt thổ cẩm"),
    ("4101", "Xây dựng"),
    ("3600", "Nước sạch"),
)


@dataclass(slots=True)
class Actor:
    """An organisation of the province, with what its contracts and reports are drawn from."""

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


def _place(rng: np.random.Generator, districts: Sequence[str] | None = None) -> Place:
    codes = [d for d in DISTRICT_WEIGHTS if districts is None or d in districts]
    district = codes[pick_weighted(rng, [DISTRICT_WEIGHTS[d] for d in codes])]
    choices = [p for p in places() if p.district_code == district]
    return choices[int(rng.integers(len(choices)))]


def draw_growers(seed: int, periods: tuple[str, ...], n: int) -> list[Actor]:
    """Cooperatives, their unions, and cooperative groups."""
    rng = stream(seed, "cooperatives")
    entries = [n] + [round(0.075 * n)] * (len(periods) - 1)
    total = sum(entries)
    first = np.repeat(np.arange(len(periods)), entries)
    z = np.concatenate(
        [
            stratified_normal(n, rng),
            *([-0.6 + 0.5 * stratified_normal(e, rng)] for e in entries[1:]),
        ],
        axis=None,
    )
    agri = np.zeros(total, dtype=bool)
    for k in range(len(periods)):
        index = np.flatnonzero(first == k)
        agri[rng.permutation(index)[: round(AGRI_SHARE * len(index))]] = True
    names = landscape_names(2 * total, rng)
    codes = tax_codes(total, province="61")
    code_order = rng.permutation(total)
    age = z + rng.normal(0, 0.6, total)
    old = set(np.argsort(-np.where(first == 0, age, -9))[: round(0.26 * n)].tolist())
    orgs: list[Actor] = []
    for i in range(total):
        k = int(first[i])
        place = _place(rng)
        if agri[i]:
            fitting = [c for c in CHAINS if place.district_code in c.districts]
            main = fitting[pick_weighted(rng, [c.weight for c in fitting])]
            products: tuple[str, ...] = (main.code,)
            if len(fitting) > 1 and rng.random() < 0.35:
                others = [c for c in fitting if c is not main]
                products += (others[pick_weighted(rng, [c.weight for c in others])].code,)
            kind = ("Nông nghiệp", "Nông nghiệp và Dịch vụ", main.noun, "Nông nghiệp Xanh")[
                int(rng.integers(4))
            ]
            vsic = main.vsic
        else:
            products = ()
            vsic, kind = _NON_AGRI[int(rng.integers(len(_NON_AGRI)))]
        if k > 0:
            start, end = period_days(periods[k])
            registered = day_between(rng, start, end - dt.timedelta(days=20))
        elif i in old:
            registered = day_between(rng, dt.date(1998, 1, 1), dt.date(2016, 8, 31))
        else:
            registered = day_between(rng, dt.date(2016, 9, 1), dt.date(int(periods[0]) - 1, 11, 30))
        code = codes[code_order[i]]
        orgs.append(
            Actor(code, code, "htx", f"Hợp tác xã {kind} {names[i]}", place, vsic, registered, k, "htx",
                 products, float(z[i]), 1.0, float(0.9 * z[i] + rng.normal(0, 1)), bool(agri[i]))
        )  # fmt: skip
    _statuses(rng, periods, orgs)
    for i in range(max(2, n // 80)):
        place = _place(rng, ("608", "615", "613"))
        product = ("coffee_robusta", "safe_vegetables", "herbs", "cassava", "coffee_arabica")[i % 5]
        code = tax_codes(total + i + 1, province="61")[-1]
        orgs.append(
            Actor(code, code, "lhhtx", f"Liên hiệp Hợp tác xã {names[total + i]}", place, "4620",
                 day_between(rng, dt.date(2018, 1, 1), dt.date(2022, 12, 1)), 0, "lhhtx", (product,), 2.0,
                 1.0, 0.0, False, ["active"] * len(periods))
        )  # fmt: skip
    group_names = landscape_names(round(0.8 * n) + 40, stream(seed, "groups"))
    for i in range(round(0.8 * n)):
        place = _place(rng)
        fitting = [c for c in CHAINS if place.district_code in c.districts]
        chain = fitting[pick_weighted(rng, [c.weight for c in fitting])]
        name = f"Tổ hợp tác {chain.noun} {group_names[i]}"
        orgs.append(
            Actor("tht-" + content_hash(name, place.old_code), None, "tht", name, place, chain.vsic,
                 day_between(rng, dt.date(2015, 1, 1), dt.date(int(periods[0]) - 1, 11, 30)), 0, "tht", (chain.code,),
                 float(rng.normal(-1.2, 0.5)), 1.0, float(rng.random()), True, ["active"] * len(periods))
        )  # fmt: skip
    return orgs


def _statuses(rng: np.random.Generator, periods: tuple[str, ...], orgs: list[Actor]) -> None:
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
                o.dissolved_on = day_between(rng, *period_days(period))
            weak = [o for o in older if state[o.org_id] == "active"]
            weak.sort(key=lambda o: (o.score, o.org_id))
            for o in weak[: round(0.02 * len(present))]:
                state[o.org_id] = "suspended"
        for o in orgs:
            o.status.append(state[o.org_id] if o in present else "")
        gone |= {o.org_id for o in present if state[o.org_id] == "dissolved"}


def draw_enterprises(seed: int, periods: tuple[str, ...], n: int) -> list[Actor]:
    """Input suppliers, traders, processors and outlets, some of them outside the province."""
    rng = stream(seed, "enterprises")
    n_small = round(0.17 * n)
    counts = {"inputs": round(0.10 * n), "processor": round(0.34 * n), "outlet": round(0.20 * n)}
    counts["trader"] = n - sum(counts.values())
    names = brand_names(n, rng)
    local = iter(tax_codes(n, province="61", start=9_950_000))
    elsewhere = iter(tax_codes(n, province="03"))
    orgs: list[Actor] = []
    number = 0
    for role in ("trader", "processor", "outlet", "inputs"):
        for j in range(counts[role]):
            chain = (
                CHAINS[j % len(CHAINS)]
                if j < 2 * len(CHAINS)
                else CHAINS[pick_weighted(rng, [c.weight for c in CHAINS])]
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
                code, org_id = None, "hkd-" + content_hash(name, place.old_code)
            else:
                form = (
                    "Công ty TNHH",
                    "Công ty Cổ phần",
                    "Công ty TNHH Một thành viên",
                    "Doanh nghiệp tư nhân",
                )
                name = f"{form[pick_weighted(rng, (55, 25, 15, 5))]} {line} {brand}"
                code = next(elsewhere) if outside else next(local)
                org_id = code
            vsic = {"trader": "4620", "processor": {"0126": "1077", "0113": "1062", "0114": "1072", "0111": "1061"}.get(chain.vsic, "1030"),
                    "outlet": "4632", "inputs": "4669"}[role]  # fmt: skip
            orgs.append(
                Actor(org_id, code, "household_business" if is_small else "enterprise", name, place, vsic,
                     day_between(rng, dt.date(2002, 1, 1), dt.date(2022, 6, 30)), 0, role, products,
                     0.0, 1.0, float(rng.random()), False, ["active"] * len(periods))
            )  # fmt: skip
        same = [o for o in orgs if o.role == role]
        ranks = rng.permutation(len(same))
        for o, r in zip(same, ranks, strict=True):
            o.weight = float((r + 1) ** -1.1)
    return orgs


def place_columns(place: Place | None, period: str) -> dict[str, Any]:
    """The place as the forms of *period* write it."""
    if place is None:
        return {"district_name": "Ngoài tỉnh", "locality": "Ngoài tỉnh"}
    new = is_new_geography(period)
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


def organisation_rows(periods: tuple[str, ...], orgs: list[Actor]) -> list[dict[str, Any]]:
    """One register row for each organisation and year it stands in the register."""
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
                    "status": o.status[k] if o.legal_type in ("htx", "lhhtx", "tht") else None, "is_registered": True, **place_columns(o.place, period),
                }
            )  # fmt: skip
    return rows
