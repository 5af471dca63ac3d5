"""Pictures of `linkage.md`: forms, evidence, the rates."""

from __future__ import annotations

from datetime import date

import polars as pl

from docs.drawing import arrow, bars, grid, node, page, text
from docs.drawn.register import percent, picture
from htx_pipeline.metrics import linkage, rates
from htx_pipeline.metrics.communes import communes
from htx_pipeline.metrics.localities import localities as localities_table
from htx_pipeline.metrics.ranking import careful_ranks
from htx_pipeline.reference.admin_units.tables import VERSIONS
from htx_pipeline.sample.small import Small, small
from htx_pipeline.schemas import TABLES


def _linked() -> Small:
    register = {f"htx {i}": {"legal_type": "htx"} for i in range(1, 5)}
    return small([("htx 1", "mill", 9), ("htx 2", "mill", 9, {"evidence": "signed"}), ("htx 3", "mill", 9, {"evidence": "planned"})], organisations=register)  # fmt: skip


@picture(linkage.nd98_form)
def forms() -> str:
    flags = [(i, p, x, True) for i in (True, False) for p in (True, False) for x in (True, False)]
    names = ["has_inputs", "has_production", "has_processing", "has_consumption"]
    made = linkage.nd98_form(pl.DataFrame(flags, schema=names, orient="row"))
    told = made.sort("nd98_form", nulls_last=True).rows()
    rows = [(f"form {r[4]}" if r[4] is not None else "none", list(r[:4]), "" if r[4] is not None else "no form") for r in told]  # fmt: skip
    return grid(["inputs", "production", "processing", "consumption"], rows, title="Forms of linkage", width=640, left=90)  # fmt: skip


@picture(linkage.evidence)
def evidence_picture() -> str:
    day = {"signed_on": date(2022, 1, 5)}
    told = {
        "a plan": {"status": "planned"},
        "signed, term over": {**day, "ends_on": date(2023, 6, 30)},
        "signed, in force": {**day, "ends_on": date(2025, 6, 30)},
        "delivered": {**day, "ends_on": date(2025, 6, 30), "delivered_tonnes": 2.0},
    }
    rows = small([(name, "mill", 1, facts) for name, facts in told.items()], evidence="planned")
    made = linkage.evidence(rows.linkages, period="2024")
    level = dict(made.select("supplier_id", "evidence").iter_rows())
    shown = []
    for name, facts in told.items():
        is_in_force = "ends_on" in facts and facts["ends_on"] >= date(2024, 1, 1)
        shown.append((name, ["signed_on" in facts, is_in_force, "delivered_tonnes" in facts], level[name]))  # fmt: skip
    return grid(["signed", "in force in 2024", "delivered or paid"], shown, title="Evidence levels", width=700, left=150)  # fmt: skip


@picture(linkage.totals, rates.coverage)
def linked_share() -> str:
    world = _linked()
    totals = linkage.totals(world.organisations, TABLES["cooperative_reports"].empty(), world.edges)
    made = rates.coverage(totals).filter(locality="province", indicator="linked_share", denominator="all_htx")  # fmt: skip
    share = {r["evidence"]: r for r in made.iter_rows(named=True)}
    levels = ("planned", "signed", "executed")
    rows = [(f"{level} or stronger", share[level]["value"], percent(share[level]["value"])) for level in levels]  # fmt: skip
    spread = {i: (share[x]["value_low"], share[x]["value_high"]) for i, x in enumerate(levels)}
    return bars(rows, title="Linked share of four cooperatives", scale=1.0, whiskers=spread)


@picture(linkage.totals, rates.official_rates)
def official_rates() -> str:
    names = [f"htx {i:02}" for i in range(20)]
    rated = [("2024", n, "tot" if i < 12 else "yeu") for i, n in enumerate(names)]
    reports = TABLES["cooperative_reports"].conform(pl.DataFrame(rated, schema=["period", "org_id", "rating"], orient="row"))  # fmt: skip
    links = [(n, "mill", 1) for n in [*names[:6], names[19]]]
    world = small(links, organisations={n: {"legal_type": "htx"} for n in names})
    made = rates.official_rates(linkage.totals(world.organisations, reports, world.edges))
    by = {r["denominator"]: r for r in made.filter(locality="province", indicator="chain_linked_share", evidence="active").iter_rows(named=True)}  # fmt: skip
    rows = []
    for label, linked, key in (("all cooperatives", "of these linked: flat", "all_htx"), ("rated tốt/khá", "of these linked: nested", "rated_good_fair")):  # fmt: skip
        part, whole, rate = (by[key][c] for c in ("numerator", "denominator_value", "value"))
        rows += [(label, whole, f"{whole:g}"), (linked, part, f"{part:g} of {whole:g} = {percent(rate)}")]  # fmt: skip
    return bars(rows, title="Nested and flat rates", width=640, scale=26, kinds={1: "hot", 3: "hot"})  # fmt: skip


@picture(linkage.totals, rates.execution)
def executed() -> str:
    register = {n: {"legal_type": "htx"} for n in ("htx 1", "htx 2")}
    paid = small([(n, "mill", 100, {"paid_value_vnd": 60}) for n in register], organisations=register)  # fmt: skip
    totals = linkage.totals(paid.organisations, TABLES["cooperative_reports"].empty(), paid.edges)
    made = {r["indicator"]: r for r in rates.execution(totals).filter(locality="province").iter_rows(named=True)}  # fmt: skip
    money, done = made["paid_over_contracted"], made["executed_value_share"]
    rows = [
        ("contracted", money["denominator_value"], f"{money['denominator_value']:g}"),
        ("under executed linkages", done["numerator"], f"{done['numerator']:g}: executed_value_share {done['value']:g}"),
        ("paid", money["numerator"], f"{money['numerator']:g}: paid_over_contracted {money['value']:g}"),
    ]  # fmt: skip
    return bars(rows, title="Executed over signed", width=680, scale=360, kinds={2: "hot"})


@picture(localities_table)
def localities() -> str:
    places = {"htx 1": {"legal_type": "htx", "locality": "X"}, "htx 2": {"legal_type": "htx", "locality": "X"}, "htx 3": {"legal_type": "htx"}, "mill": {"locality": "Y"}}  # fmt: skip
    world = small([("htx 1", "mill", 9)], organisations=places)
    made = {r["locality"]: r for r in localities_table(world.organisations, TABLES["cooperative_reports"].empty(), world.edges).iter_rows(named=True)}  # fmt: skip
    parts = []
    for box, (name, row) in enumerate(made.items()):
        x, share = 20 + 190 * box, row["linked_share"]
        parts.append(f'<rect x="{x}" y="14" width="170" height="124" rx="8" fill="none" stroke="#66717d"/>')  # fmt: skip
        said = "no cooperative: null" if share is None else f"{row['n_linked_active']} of {row['n_cooperatives']} linked: {percent(share)}"  # fmt: skip
        parts += [text(x + 85, 112, name, is_bold=True), text(x + 85, 128, said)]
    parts.append(arrow((150, 50), (295, 50), str(made["X"]["paid_value_vnd"])))
    parts += [node(at, n, kind=k) for n, at, k in (("htx 1", (150, 50), "hot"), ("htx 2", (60, 50), "htx"), ("mill", (295, 50), "firm"), ("htx 3", (485, 50), "htx"))]  # fmt: skip
    return page(590, 152, parts, title="Localities")


@picture(communes)
def communes_picture() -> str:
    units = {
        "htx 1": ("23503", "2024"),
        "htx 2": ("23504", "2024"),
        "htx 3": ("23504", VERSIONS[1]),
    }
    register = {n: {"legal_type": "htx", "admin_code": c, "admin_version": v} for n, (c, v) in units.items()}  # fmt: skip
    world = small([("htx 1", "mill", 9)], organisations=register)
    made = communes(world.organisations, TABLES["cooperative_reports"].empty(), world.edges)
    row = made.filter(pl.col("commune_code").is_not_null()).row(0, named=True)
    parts = ['<rect x="250" y="14" width="300" height="140" rx="8" fill="none" stroke="#66717d"/>']
    parts += [text(400, 36, f"{row['commune_name']} ({row['commune_code']})", is_bold=True)]
    parts += [
        text(400, 142, f"{row['n_cooperatives']} cooperatives, {row['n_linked_active']} linked")
    ]
    for i, (name, (code, version)) in enumerate(units.items()):
        y = 30 + 46 * i
        parts += [
            text(20, y + 6, f"{name}: {code} of {version}", anchor="start"),
            arrow((190, y), (270, y)),
        ]
        parts.append(node((310 + 80 * i, 70), name, kind="htx"))
    return page(570, 168, parts, title="Communes of today")


@picture(rates.coverage, careful_ranks)
def careful_ranks_picture() -> str:
    cells = {"A": (16, 20, 20), "B": (13, 20, 20), "C": (3, 20, 20), "D": (4, 20, 4)}
    places = {f"{place} {i}": {"legal_type": "htx", "locality": place} for place, (_, n, _) in cells.items() for i in range(n)}  # fmt: skip
    links = [(f"{place} {i}", "mill", 1) for place, (k, _, _) in cells.items() for i in range(k)]
    world = small(links, organisations=places)
    totals = linkage.totals(world.organisations, TABLES["cooperative_reports"].empty(), world.edges)
    shares = rates.coverage(totals).filter(pl.col("locality").is_in(list(cells)), indicator="linked_share", evidence="active", denominator="all_htx")  # fmt: skip
    known = pl.DataFrame([(place, n, k) for place, (_, n, k) in cells.items()], schema=["locality", "n_all", "n_reported"], orient="row")  # fmt: skip
    made = list(careful_ranks(shares.join(known, on="locality"), low="value_low", high="value_high", n="n_all", n_known="n_reported").sort("locality").iter_rows(named=True))  # fmt: skip
    rows = []
    for r in made:
        said = f"rank {r['rank_best']} to {r['rank_worst']}" if r["rank_reason"] is None else f"no rank: {percent(r['missing_share'])} missing"  # fmt: skip
        rows.append((f"{r['locality']}: {r['numerator']:g} of {r['denominator_value']:g} linked", r["value"], said))  # fmt: skip
    spread = {i: (r["value_low"], r["value_high"]) for i, r in enumerate(made)}
    return bars(rows, title="Ranks, and what they leave open", scale=1.1, width=600, whiskers=spread, kinds={3: "cold"})  # fmt: skip
