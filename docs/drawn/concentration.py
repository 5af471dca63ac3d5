"""Pictures of `concentration.md`: few buyers, one place, one industry."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars, network, node, page, text
from docs.drawn.register import percent, picture, short
from htx_pipeline.metrics import concentration
from htx_pipeline.metrics.specialisation import inequality, spatial_clustering, specialisation
from htx_pipeline.sample.small import small


@picture(concentration.concentration)
def hhi() -> str:
    buyers = small([("a", "w", 30), ("b", "x", 30), ("c", "y", 20), ("d", "z", 20)])
    made = concentration.concentration(buyers.edges).row(0, named=True)
    rows = [(f"buyer {b}", v, f"{v} %") for b, v in (("w", 30), ("x", 30), ("y", 20), ("z", 20))]
    rows.append(("as equal buyers", 100 / made["effective_number"], f"{made['effective_number']:.2f} of them, HHI {made['hhi']:.2f}"))  # fmt: skip
    return bars(rows, title="Buyers' shares", width=640, scale=40, kinds={4: "hot"})


@picture(concentration.concentration)
def dependence() -> str:
    seller = small([("htx", "mill", 80), ("htx", "trader", 20)])
    made = concentration.concentration(seller.edges, by=("period", "supplier_id")).row(0, named=True)  # fmt: skip
    places = {"htx": (60, 90), "mill": (300, 40), "trader": (300, 140)}
    below = {"htx": [f"largest share {made['largest_share']:g}"], "mill": ["largest buyer"]}
    return network({n: (x + 20, y) for n, (x, y) in places.items()}, [("htx", "mill", "80"), ("htx", "trader", "20")], title="Dependence of a seller", size=(420, 200), kinds={"htx": "htx", "mill": "hot"}, below=below)  # fmt: skip


def _register(cells: list[tuple[str, str, int]]) -> pl.DataFrame:
    """Return a register of cells (place, VSIC code, cooperatives)."""
    rows = [("2024", f"{place} {code} {i}", "htx", place, code) for place, code, n in cells for i in range(n)]  # fmt: skip
    return pl.DataFrame(rows, schema=["period", "org_id", "legal_type", "locality", "vsic_code"], orient="row")  # fmt: skip


COFFEE, RICE, CASSAVA, OTHER = "0126", "0111", "0113", "0150"


@picture(concentration.ellison_glaeser, spatial_clustering)
def ellison_glaeser() -> str:
    register = _register([("X", COFFEE, 4), ("Y", RICE, 4)])
    told = register.select("period", "org_id", official_members=pl.lit(20))
    made = spatial_clustering(register, told, sizes=["official_members"])
    found = {r["vsic_group"]: r for r in made.iter_rows(named=True)}
    parts = []
    for box, (name, code, place) in enumerate((("coffee", COFFEE, "X"), ("rice", RICE, "Y"))):
        x = 20 + 230 * box
        parts.append(f'<rect x="{x}" y="14" width="210" height="96" rx="8" fill="none" stroke="#66717d"/>')  # fmt: skip
        parts += [node((x + 40 + 44 * i, 44), "", kind="htx") for i in range(found[code]["n"])]
        parts.append(text(x + 105, 98, f"place {place}: {name}, γ = {found[code]['gamma']:g}"))
    return page(480, 125, parts, title="Ellison–Glaeser")


@picture(concentration.location_quotient, specialisation)
def location_quotient() -> str:
    register = _register([("X", CASSAVA, 8), ("X", OTHER, 16), ("Y", CASSAVA, 44), ("Y", OTHER, 287)])  # fmt: skip
    made = list(specialisation(register).filter(vsic_group=CASSAVA).sort("locality").iter_rows(named=True))  # fmt: skip
    rows = [(f"cassava in {r['locality']}: {r['n_here']} of {r['n_area']}", r["value"], f"{short(r['value'], 1)} ({short(r['value_low'], 1)}–{short(r['value_high'], 1)})") for r in made]  # fmt: skip
    spread = {i: (r["value_low"], r["value_high"]) for i, r in enumerate(made)}
    return bars(rows, title="Location quotient with its interval", scale=4.0, whiskers=spread, line_at=(1.0, "as in the whole"))  # fmt: skip


@picture(concentration.theil, inequality)
def theil() -> str:
    register = _register([("X", RICE, 2), ("Y", RICE, 2)])
    told = register.select("period", "org_id", revenue_vnd=pl.Series([1, 1, 3, 3]))
    made = inequality(register, told, quantities=["revenue_vnd"]).row(0, named=True)
    rows = [(f"place {p}", v, str(v)) for p, v in zip(register["locality"], told["revenue_vnd"], strict=True)]  # fmt: skip
    said = f"T = {made['theil']:.3f}, between places {percent(made['between_share'])} of it"
    return bars(rows, title="Theil, between and within", scale=4, line_at=(told["revenue_vnd"].mean(), said))  # fmt: skip
