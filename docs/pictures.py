"""Draw the pictures of `docs/metrics`: ``python -m docs.pictures`` (``--check``: are they current?).

What belongs here: one function a picture; every number in it comes from the measure it stands beside.
What does not: shapes (`drawing`).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import networkx as nx
import numpy as np
import polars as pl

from docs.drawing import arrow, bars, grid, network, node, page, steps, text
from htx_pipeline.clusters.describe import clusters
from htx_pipeline.clusters.detect import communities, components
from htx_pipeline.metrics import change, completeness, concentration, linkage
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.metrics.history import lineage
from htx_pipeline.metrics.input_output import leontief_inverse
from htx_pipeline.metrics.position import bridges, positions
from htx_pipeline.metrics.risk import percolation, single_points, systemic_risk
from htx_pipeline.metrics.value import accounts, mass_balance, price_shares
from htx_pipeline.sample.small import Small, small
from htx_pipeline.schemas import TABLES

FOLDER: Final = Path(__file__).parent / "metrics" / "img"
PICTURES: dict[str, Callable[[], str]] = {}
ROW3: Final = {"farm": (60, 50), "mill": (250, 50), "shop": (440, 50)}


def picture(draw: Callable[[], str]) -> Callable[[], str]:
    """Register a picture under its function's name."""
    PICTURES[draw.__name__] = draw
    return draw


def _of(frame: pl.DataFrame, column: str, key: str = "org_id") -> dict[str, Any]:
    return dict(frame.select(key, column).iter_rows())


def _n(value: float, digits: int = 2) -> str:
    return f"{round(value, digits):g}"


def _percent(value: float) -> str:
    return f"{round(value * 100)} %"


@picture
def upstreamness() -> str:
    chain = small([("farm", "mill", 3), ("farm", "shop", 1), ("mill", "shop", 5)])
    made = positions(chain.edges, chain.nodes)
    up, down = _of(made, "upstreamness"), _of(made, "downstreamness")
    places = {"farm": (60, 110), "mill": (260, 40), "shop": (460, 110)}
    below = {n: [f"up {_n(up[n])}, down {_n(down[n])}"] for n in places}
    links = [("farm", "mill", "3"), ("mill", "shop", "5"), ("farm", "shop", "1")]
    return network(places, links, title="Upstreamness and downstreamness", size=(540, 190), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture
def depth() -> str:
    names = ["farm", "trader", "mill", "shop"]
    row = small([*zip(names, names[1:], [1, 1, 1], strict=False), ("farm", "shop", 90)])
    made = positions(row.edges, row.nodes)
    before, after = _of(made, "steps_before"), _of(made, "steps_after")
    places = {n: (60 + 150 * i, 50 + 50 * (i in (0, 3))) for i, n in enumerate(names)}
    below = {n: [f"{before[n]} before, {after[n]} after"] for n in names}
    links = [(a, b, "1") for a, b in itertools.pairwise(names)] + [("farm", "shop", "90")]
    return network(places, links, title="Depth and longest chain", size=(580, 180), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture
def betweenness() -> str:
    marriages = list(nx.florentine_families_graph().edges)
    both = small([(a, b, 1) for a, b in marriages] + [(b, a, 1) for a, b in marriages])
    share = _of(positions(both.edges, both.nodes), "betweenness_share")
    places = {
        "Acciaiuoli": (70, 45), "Medici": (230, 110), "Albizzi": (230, 225), "Salviati": (70, 200), "Pazzi": (60, 330),
        "Ginori": (140, 330), "Guadagni": (330, 330), "Lamberteschi": (490, 360), "Tornabuoni": (400, 200), "Ridolfi": (400, 80),
        "Strozzi": (560, 90), "Castellani": (620, 225), "Peruzzi": (700, 90), "Bischeri": (560, 290), "Barbadori": (420, 15),
    }  # fmt: skip
    places = {n: (x, y + 10) for n, (x, y) in places.items()}
    below = {n: [_n(share[n], 3)] for n in places}
    kinds = dict.fromkeys(places, "cold") | {"Medici": "hot"}
    links = [(a, b, "") for a, b in marriages]
    return network(places, links, title="Betweenness of Florentine families", size=(770, 440), kinds=kinds, below=below, is_plain=True)  # fmt: skip


@picture
def brokers() -> str:
    links = [("farm A", "collector", 1), ("farm B", "collector", 1), ("collector", "mill", 2), ("farm B", "mill", 1)]  # fmt: skip
    joined = small(links)
    pairs = _of(positions(joined.edges, joined.nodes), "n_brokered_pairs")
    places = {"farm A": (60, 40), "farm B": (60, 150), "collector": (260, 70), "mill": (460, 130)}
    below = {"collector": [f"brokers {pairs['collector']} pair"]}
    kinds = {"farm A": "htx", "farm B": "htx", "collector": "hot"}
    return network(places, [(a, b, "") for a, b, _ in links], title="Brokers", size=(540, 210), kinds=kinds, below=below)  # fmt: skip


TWO_TRIANGLES: Final = [("A", "B"), ("B", "C"), ("A", "C"), ("C", "D"), ("D", "E"), ("E", "F"), ("D", "F")]  # fmt: skip


@picture
def bridges_picture() -> str:
    two = small([(a, b, 1) for a, b in TWO_TRIANGLES])
    cut = set(positions(two.edges, two.nodes).filter("is_articulation")["org_id"])
    bridge = bridges(two.edges).row(0, named=True)
    places = {"A": (60, 30), "B": (60, 160), "C": (180, 90), "D": (360, 90), "E": (480, 30), "F": (480, 160)}  # fmt: skip
    links = [(a, b, f"cuts off {bridge['n_cut_off']} of {bridge['n_component']}" if (a, b) == (bridge["supplier_id"], bridge["buyer_id"]) else "") for a, b in TWO_TRIANGLES]  # fmt: skip
    below = {n: ["cut point"] for n in cut}
    return network(places, links, title="Cut points and bridges", size=(540, 210), kinds=dict.fromkeys(cut, "hot"), below=below, is_plain=True)  # fmt: skip


@picture
def core() -> str:
    links = [("A", "B"), ("B", "C"), ("A", "C"), ("C", "D")]
    tail = small([(a, b, 1) for a, b in links])
    number = _of(positions(tail.edges, tail.nodes), "core_number")
    places = {"A": (60, 40), "B": (60, 150), "C": (200, 90), "D": (380, 90)}
    below = {n: [f"core {number[n]}"] for n in places}
    kinds = {n: "hot" if number[n] == 2 else "cold" for n in places}
    return network(places, [(a, b, "") for a, b in links], title="Core number", size=(450, 220), kinds=kinds, below=below, is_plain=True)  # fmt: skip


@picture
def full_chain() -> str:
    stages = {"farm A": "production", "farm B": "production", "mill": "processing", "shop": "consumption", "shop 2": "consumption"}  # fmt: skip
    links = [("farm A", "mill"), ("mill", "shop"), ("farm B", "shop 2")]
    paths = small([(a, b, 1) for a, b in links], stages=stages)
    on = _of(positions(paths.edges, paths.nodes), "is_on_full_chain")
    places = {"farm A": (60, 40), "mill": (250, 40), "shop": (440, 40), "farm B": (60, 140), "shop 2": (440, 140)}  # fmt: skip
    kinds = {n: "hot" if on[n] else "cold" for n in places}
    below = {n: [stages[n]] for n in places}
    return network(places, [(a, b, "") for a, b in links], title="Complete path", size=(520, 215), kinds=kinds, below=below)  # fmt: skip


@picture
def esri() -> str:
    mill = small([("htx 1", "mill", 30), ("htx 2", "mill", 10), ("mill", "shop", 60)], stages={"mill": "processing"})  # fmt: skip
    index = _of(systemic_risk(mill.edges, mill.nodes), "esri_leontief")
    places = {"htx 1": (60, 40), "htx 2": (60, 150), "mill": (250, 90), "shop": (440, 90)}
    below = {n: [f"ESRI {_n(index[n])}"] for n in places}
    kinds = {"htx 1": "htx", "htx 2": "htx", "mill": "hot"}
    links = [("htx 1", "mill", "30"), ("htx 2", "mill", "10"), ("mill", "shop", "60")]
    return network(places, links, title="Economic Systemic Risk Index", size=(520, 220), kinds=kinds, below=below)  # fmt: skip


@picture
def income_loss() -> str:
    sale = small([("htx 1", "mill", 30), ("mill", "shop", 60)])
    told = pl.DataFrame({"period": ["2024"], "org_id": ["htx 1"], "official_members": [20], "member_income_vnd": [50_000_000]})  # fmt: skip
    loss = _of(systemic_risk(sale.edges, sale.nodes, told), "member_income_loss_vnd")
    places = {"htx 1": (80, 40), "mill": (270, 40), "shop": (460, 40)}
    below = {n: [f"{loss[n] / 1e9:g} bn VND hangs on it"] for n in places}
    below["htx 1"] = ["20 members × 50 m", *below["htx 1"]]
    return network(places, [("htx 1", "mill", "30"), ("mill", "shop", "60")], title="Loss to members' income", size=(560, 130), kinds={"htx 1": "htx", "mill": "hot"}, below=below)  # fmt: skip


@picture
def single_points_picture() -> str:
    links = [("a", "hub", 10), ("b", "hub", 20), ("hub", "x", 30), ("x", "y", 40)]
    share = _of(single_points(small(links).edges), "disconnected_share")
    places = {"a": (60, 40), "b": (60, 140), "hub": (210, 90), "x": (360, 90), "y": (510, 90)}
    below = {n: [_percent(s)] for n, s in share.items()}
    return network(places, [(a, b, str(v)) for a, b, v in links], title="Single points of failure", size=(560, 200), kinds={"a": "htx", "b": "htx", "hub": "hot", "x": "hot"}, below=below)  # fmt: skip


@picture
def percolation_picture() -> str:
    hub = small([(f"htx {i}", "hub", i) for i in range(1, 10)])
    made = percolation(hub.edges, strategies=["largest_trade", "random"], up_to=0.1, steps=1)
    share = {r["strategy"]: r for r in made.filter(pl.col("n_removed") == 1).iter_rows(named=True)}
    shown = [("nobody leaves", 1.0, "100 %")]
    shown += [(label, share[key]["giant_share"], _percent(share[key]["giant_share"])) for label, key in (("one at random leaves", "random"), ("the hub leaves", "largest_trade"))]  # fmt: skip
    spread = share["random"]
    return bars(shown, title="Percolation: what still hangs together", scale=1.0, whiskers={1: (spread["giant_share_min"], spread["giant_share_max"])}, kinds={2: "hot"})  # fmt: skip


@picture
def accounts_picture() -> str:
    rice = small([("farm", "mill", 60), ("mill", "shop", 100)])
    made = {r["org_id"]: r for r in accounts(rice.edges, rice.nodes).iter_rows(named=True)}
    below = {n: [f"adds {made[n]['value_added_vnd']}" if made[n]["value_added_vnd"] is not None else f"? {made[n]['value_added_reason']}"] for n in ROW3}  # fmt: skip
    return network({n: (x + 30, y) for n, (x, y) in ROW3.items()}, [("farm", "mill", "60"), ("mill", "shop", "100")], title="Accounts per actor", size=(570, 120), kinds={"farm": "htx", "mill": "hot"}, below=below)  # fmt: skip


@picture
def price_share() -> str:
    coffee = small([("farm", "mill", 60, 5.0), ("mill", "shop", 100, 1.0)], product="coffee", stages={"mill": "processing"})  # fmt: skip
    made = price_shares(coffee.edges, coffee.nodes, conversions={("coffee", "production"): 5.0})
    farm = made.filter(stage="production").row(0, named=True)
    below = {"farm": [f"{farm['price_vnd_per_tonne']:g} a tonne", f"gets {_percent(farm['final_price_share'])}"], "mill": [f"{farm['final_price_vnd_per_tonne']:g} a tonne"]}  # fmt: skip
    return network(ROW3, [("farm", "mill", "5 t for 60"), ("mill", "shop", "1 t for 100")], title="Share of the final price", size=(510, 140), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture
def multipliers() -> str:
    z, x = np.array([[150, 500], [200, 100]]), np.array([1000, 2000])
    column = leontief_inverse(z, x).sum(axis=0)
    places = {"sector 1": (90, 60), "sector 2": (330, 60)}
    below = {f"sector {i + 1}": [f"output {x[i]}", f"multiplier {_n(column[i], 3)}"] for i in range(2)}  # fmt: skip
    notes = [(140, 30, f"1 sells 2: {z[0, 1]}"), (140, 96, f"2 sells 1: {z[1, 0]}")]
    return network(places, [("sector 1", "sector 2", ""), ("sector 2", "sector 1", "")], title="Multipliers after Miller and Blair", size=(430, 150), below=below, notes=notes)  # fmt: skip


@picture
def mass_balance_picture() -> str:
    paddy = small([("farm", "mill", 1, 100.0), ("mill", "shop", 1, 65.0)], stages={"mill": "processing"})  # fmt: skip
    made = mass_balance(chain_flows(paddy.edges, paddy.nodes)).row(0, named=True)
    places = {**ROW3, "loss": (440, 140)}
    links = [("farm", "mill", f"{made['tonnes_in']:g} t"), ("mill", "shop", f"{made['tonnes_out']:g} t"), ("mill", "loss", f"{made['tonnes_lost']:g} t")]  # fmt: skip
    return network(places, links, title="Mass balance", size=(520, 200), kinds={"farm": "htx", "loss": "gone"}, below={"loss": [_percent(made["loss_share"])]}, dashed=[("mill", "loss")])  # fmt: skip


@picture
def flows() -> str:
    coffee = small([("farm", "mill", 50, 100.0), ("mill", "shop", 80, 20.0)], stages={"mill": "processing"})  # fmt: skip
    places = {"production": (60, 50), "processing": (250, 50), "consumption": (440, 50), "loss": (440, 150), "unknown": (60, 150)}  # fmt: skip
    rows = chain_flows(coffee.edges, coffee.nodes).iter_rows(named=True)
    links = [
        (r["from_stage"], r["to_stage"], ", ".join([*([f"{r['tonnes']:g} t"] if r["tonnes"] is not None else []), *([f"{r['value_vnd']} VND"] if r["value_vnd"] is not None else [])]))
        for r in rows
    ]  # fmt: skip
    return network(places, links, title="Flows between stages", size=(560, 210), kinds={"production": "htx", "loss": "gone", "unknown": "gone"}, dashed=[("processing", "loss"), ("unknown", "processing")])  # fmt: skip


@picture
def stages() -> str:
    places = {"farm": {"locality": "X"}, "mill": {"locality": "Y"}, "shop": {"locality": "Y"}}
    apart = small([("farm", "mill", 5), ("mill", "shop", 8)], organisations=places, stages={"mill": "processing"})  # fmt: skip
    made = completeness.chain_stages(apart.edges, apart.nodes)
    names = made["stage"].unique(maintain_order=True).to_list()
    rows = []
    for place in ("X", "Y"):
        own = made.filter(locality=place)
        outside = own.filter("is_served_from_outside")["stage"].to_list()
        rows.append((place, own["is_present"].to_list(), f"outside: {', '.join(outside)}" if outside else ""))  # fmt: skip
    return grid(names, rows, title="Stages present and missing", width=640, left=50)


@picture
def capacity() -> str:
    cassava = small([("farm", "mill", 4, 40.0)], stages={"mill": "processing"})
    stated = pl.DataFrame({"period": ["2024"], "org_id": ["mill"], "product_code": ["rice"], "capacity_tonnes": [15.0]})  # fmt: skip
    made = completeness.processing_capacity(cassava.edges, cassava.nodes, stated).row(0, named=True)
    rows = [("output", made["output_tonnes"], f"{made['output_tonnes']:g} t"), ("capacity", made["capacity_tonnes"], f"{made['capacity_tonnes']:g} t: {made['capacity_share']:g}")]  # fmt: skip
    return bars(rows, title="Capacity against output", kinds={1: "hot"})


@picture
def bottleneck() -> str:
    narrow = small([("farm", "collector", 9, 9.0), ("collector", "shop", 4, 4.0)])
    made = completeness.bottlenecks(narrow.edges, narrow.nodes).row(0, named=True)
    places = {"farm": (60, 50), "collector": (250, 50), "shop": (440, 50)}
    notes = [(300, 110, f"cut: {made['max_flow']:g} t of {made['supply']:g} t")]
    return network(places, [("farm", "collector", "9 t"), ("collector", "shop", "4 t")], title="Bottleneck", size=(520, 125), kinds={"farm": "htx"}, dashed=[("collector", "shop")], notes=notes)  # fmt: skip


@picture
def hhi() -> str:
    buyers = small([("a", "w", 30), ("b", "x", 30), ("c", "y", 20), ("d", "z", 20)])
    made = concentration.concentration(buyers.edges).row(0, named=True)
    rows = [(f"buyer {b}", v, f"{v} %") for b, v in (("w", 30), ("x", 30), ("y", 20), ("z", 20))]
    rows.append(("as equal buyers", 100 / made["effective_number"], f"{made['effective_number']:.2f} of them, HHI {made['hhi']:.2f}"))  # fmt: skip
    return bars(rows, title="Buyers' shares", width=640, scale=40, kinds={4: "hot"})


@picture
def dependence() -> str:
    seller = small([("htx", "mill", 80), ("htx", "trader", 20)])
    made = concentration.concentration(seller.edges, by=("period", "supplier_id")).row(0, named=True)  # fmt: skip
    places = {"htx": (60, 90), "mill": (300, 40), "trader": (300, 140)}
    below = {"htx": [f"largest share {made['largest_share']:g}"], "mill": ["largest buyer"]}
    return network({n: (x + 20, y) for n, (x, y) in places.items()}, [("htx", "mill", "80"), ("htx", "trader", "20")], title="Dependence of a seller", size=(420, 200), kinds={"htx": "htx", "mill": "hot"}, below=below)  # fmt: skip


@picture
def ellison_glaeser() -> str:
    rows = [("2024", p, place, 1.0) for p, place in (("coffee", "X"), ("rice", "Y")) for _ in range(4)]  # fmt: skip
    plants = pl.DataFrame(rows, schema=["period", "product_code", "locality", "size"], orient="row")
    gamma = _of(concentration.ellison_glaeser(plants), "gamma", "product_code")
    parts = []
    for box, (name, place) in enumerate((("coffee", "X"), ("rice", "Y"))):
        x = 20 + 230 * box
        parts.append(f'<rect x="{x}" y="14" width="210" height="96" rx="8" fill="none" stroke="#66717d"/>')  # fmt: skip
        parts += [node((x + 40 + 44 * i, 44), "", kind="htx") for i in range(4)]
        parts.append(text(x + 105, 98, f"place {place}: {name}, γ = {gamma[name]:g}"))
    return page(480, 125, parts, title="Ellison–Glaeser")


@picture
def location_quotient() -> str:
    counts = pl.DataFrame({"period": ["2024"] * 4, "product_code": ["cassava", "other"] * 2, "locality": ["X", "X", "Y", "Y"], "n": [8, 16, 44, 287]})  # fmt: skip
    made = concentration.location_quotient(counts).filter(product_code="cassava").sort("locality")
    rows = [(f"cassava in {r['locality']}", r["value"], _n(r["value"], 1)) for r in made.iter_rows(named=True)]  # fmt: skip
    spread = {i: (r["value_low"], r["value_high"]) for i, r in enumerate(made.iter_rows(named=True))}  # fmt: skip
    return bars(rows, title="Location quotient with its interval", scale=4.0, whiskers=spread, line_at=(1.0, "as in the whole"))  # fmt: skip


@picture
def theil() -> str:
    values = [("X", 1), ("X", 1), ("Y", 3), ("Y", 3)]
    table = pl.DataFrame({"period": ["2024"] * 4, "locality": [p for p, _ in values], "revenue_vnd": [v for _, v in values]})  # fmt: skip
    made = concentration.theil(table).row(0, named=True)
    rows = [(f"place {p}", v, str(v)) for p, v in values]
    return bars(rows, title=f"Theil {made['theil']:.3f}, between places {_percent(made['between_share'])}", scale=4, line_at=(2.0, f"mean 2; T = {made['theil']:.3f}, all of it between"))  # fmt: skip


@picture
def members() -> str:
    cells = [("poor, linked (9)", 40), ("poor, others (3)", 30), ("rich, linked (3)", 90), ("rich, others (9)", 80)]  # fmt: skip
    plain = (9 * 40 + 3 * 90) / 12, (3 * 30 + 9 * 80) / 12
    rows = [(label, v, str(v)) for label, v in cells]
    rows += [("all linked", plain[0], f"{plain[0]:g}"), ("all others", plain[1], f"{plain[1]:g}")]
    return bars(rows, title="Members' income, plain and matched", kinds={0: "htx", 2: "htx", 4: "htx", 1: "cold", 3: "cold", 5: "cold"})  # fmt: skip


@picture
def too_small() -> str:
    rows = [("2 linked", [True, True], "null: too small"), ("3 linked", [True] * 3, "shown, with a warning"), ("10 linked", [True] * 10, "shown")]  # fmt: skip
    return grid([""] * 10, [(a, [*b, *[False] * (10 - len(b))], c) for a, b, c in rows], title="When the numbers are too small", left=90)  # fmt: skip


@picture
def decomposition() -> str:
    links = [("a", "v", 5), ("a", "x", 10), ("a", "y", None), ("a", "z", 9)], [("a", "v", 10), ("a", "x", 4), ("a", "y", 7), ("a", "w", 5)]  # fmt: skip
    made = change.decomposition(*(small(rows).edges for rows in links)).row(0, named=True)
    shown = [("before", 0, made["before"])]
    for part in ("exit", "less", "more", "entry", "reporting"):
        shown.append((part, shown[-1][2], shown[-1][2] + made[part]))
    assert shown[-1][2] == made["after"]
    return steps([*shown, ("after", 0, made["after"])], title="Decomposition of a change")


@picture
def persistence() -> str:
    links = [("a", "v", 5), ("a", "x", 1), ("a", "y", 1), ("a", "z", 9)], [("a", "v", 5), ("a", "x", 1), ("a", "y", 1), ("a", "w", 5)]  # fmt: skip
    made = change.persistence(*(small(rows).edges for rows in links)).row(0, named=True)
    rows = [(f"a to {b}", [b in "vxyz", b in "vxyw"], r) for b, r in (("v", "kept"), ("x", "kept"), ("y", "kept"), ("z", "ended"), ("w", "new"))]  # fmt: skip
    title = f"Persistence {made['persistence_share']:g}, Jaccard {made['jaccard']:g}"
    return grid(["before", "after"], rows, title=title, width=440, left=90)


@picture
def lineage_picture() -> str:
    def of(**groups: str) -> pl.DataFrame:
        rows = [(m, c) for c, names in groups.items() for m in names]
        return pl.DataFrame(rows, schema=["org_id", "cluster_id"], orient="row")

    made = {r["cluster_id"]: r for r in lineage(of(one="abcd", two="ef", three="gh"), of(now="abc", both="efgh", new="xyz")).iter_rows(named=True)}  # fmt: skip
    places = {"abcd": (70, 40), "ef": (210, 40), "gh": (350, 40), "abc": (70, 140), "efgh": (280, 140), "xyz": (460, 140)}  # fmt: skip
    links = [("abcd", "abc", _n(made["now"]["jaccard"])), ("ef", "efgh", _n(made["both"]["jaccard"])), ("gh", "efgh", _n(made["both"]["jaccard"]))]  # fmt: skip
    below = {at: [made[name]["lineage"]] for at, name in (("abc", "now"), ("efgh", "both"), ("xyz", "new"))}  # fmt: skip
    return network(places, links, title="Clusters through the years", size=(520, 215), below=below)


@picture
def locality_history() -> str:
    rows = [("place X", [True, True, True], "every year"), ("place Y", [None, None, True], "null, not 0")]  # fmt: skip
    return grid(["2023", "2024", "2025"], rows, title="Localities through the years", width=440, left=90)  # fmt: skip


def _linked() -> Small:
    register = {f"htx {i}": {"legal_type": "htx"} for i in range(1, 5)}
    return small([("htx 1", "mill", 9), ("htx 2", "mill", 9, {"evidence": "signed"}), ("htx 3", "mill", 9, {"evidence": "planned"})], organisations=register)  # fmt: skip


@picture
def forms() -> str:
    flags = [(i, p, x, True) for i in (True, False) for p in (True, False) for x in (True, False)]
    names = ["has_inputs", "has_production", "has_processing", "has_consumption"]
    made = linkage.nd98_form(pl.DataFrame(flags, schema=names, orient="row"))
    told = made.sort("nd98_form", nulls_last=True).rows()
    rows = [(f"form {r[4]}" if r[4] is not None else "none", list(r[:4]), "" if r[4] is not None else "no form") for r in told]  # fmt: skip
    return grid(["inputs", "production", "processing", "consumption"], rows, title="Forms of linkage", width=640, left=90)  # fmt: skip


@picture
def evidence() -> str:
    rows = [("planned", [False, False, False], ""), ("signed", [True, False, False], ""), ("active", [True, True, False], ""), ("executed", [True, True, True], "")]  # fmt: skip
    return grid(["signed", "in force", "delivered or paid"], rows, title="Evidence levels", width=640, left=90)  # fmt: skip


@picture
def linked_share() -> str:
    world = _linked()
    totals = linkage.totals(world.organisations, TABLES["cooperative_reports"].empty(), world.edges)
    made = linkage.coverage(totals).filter(locality="province", indicator="linked_share", denominator="all_htx")  # fmt: skip
    share = {r["evidence"]: r for r in made.iter_rows(named=True)}
    levels = ("planned", "signed", "executed")
    rows = [(f"{level} or stronger", share[level]["value"], _percent(share[level]["value"])) for level in levels]  # fmt: skip
    spread = {i: (share[x]["value_low"], share[x]["value_high"]) for i, x in enumerate(levels)}
    return bars(rows, title="Linked share of four cooperatives", scale=1.0, whiskers=spread)


@picture
def official_rates() -> str:
    rows = [("cooperatives", 20, "20"), ("rated tốt/khá", 12, "12"), ("of these linked", 6, "nested: 6 of 12 = 50 %"), ("all linked", 7, "flat: 7 of 20 = 35 %")]  # fmt: skip
    return bars(rows, title="Nested and flat rates", width=680, scale=26, kinds={2: "hot", 3: "hot"})  # fmt: skip


@picture
def executed() -> str:
    rows = [("contracted", 200, "2 × 100"), ("under executed linkages", 200, "executed_value_share 1"), ("paid", 120, "paid_over_contracted 0.6")]  # fmt: skip
    return bars(rows, title="Executed over signed", width=680, scale=300, kinds={2: "hot"})


@picture
def localities() -> str:
    parts = []
    for box, (name, said) in enumerate((("X", "1 of 2 linked"), ("Y", "no cooperative"), ("unknown", "0 of 1 linked"))):  # fmt: skip
        x = 20 + 190 * box
        parts.append(f'<rect x="{x}" y="14" width="170" height="120" rx="8" fill="none" stroke="#66717d"/>')  # fmt: skip
        parts.append(text(x + 85, 122, f"{name}: {said}"))
    parts.append(arrow((60, 50), (295, 50), "9"))
    parts += [node(at, n, kind=k) for n, at, k in (("htx 1", (60, 50), "hot"), ("htx 2", (150, 62), "htx"), ("mill", (295, 50), "firm"), ("htx 3", (485, 50), "htx"))]  # fmt: skip
    return page(590, 148, parts, title="Localities")


@picture
def components_picture() -> str:
    links = [("a", "x", 9), ("b", "x", 9), ("c", "y", 9), ("d", "y", 9)]
    found = _of(components(small(links).edges), "component_id")
    places = {"a": (60, 40), "b": (60, 130), "x": (190, 85), "c": (330, 40), "d": (330, 130), "y": (460, 85)}  # fmt: skip
    kinds = {n: "htx" if n in "abcd" else "firm" for n in places}
    order = list(dict.fromkeys(found[n] for n in places))
    below = {n: [f"part {order.index(found[n]) + 1}"] for n in ("x", "y")}
    return network(places, [(a, b, "9") for a, b, _ in links], title="Components", size=(530, 190), kinds=kinds, below=below)  # fmt: skip


@picture
def clusters_picture() -> str:
    links = [("a", "x", 9), ("b", "x", 9), ("c", "y", 9), ("d", "y", 9), ("b", "y", 1)]
    found = _of(communities(small(links).edges), "cluster_id")
    places = {"a": (60, 40), "b": (60, 140), "x": (180, 40), "c": (470, 40), "d": (470, 140), "y": (330, 120)}  # fmt: skip
    order = list(dict.fromkeys(found[n] for n in places))
    kinds = {n: ("htx", "hot")[order.index(found[n])] for n in places}
    return network(places, [(a, b, str(v)) for a, b, v in links], title="Clusters", size=(540, 200), kinds=kinds, dashed=[("b", "y")])  # fmt: skip


@picture
def executed_share() -> str:
    one = small([("a", "x", 500), ("b", "y", 100), ("b", "x", 300, {"evidence": "signed"})])
    together = one.nodes.select("period", "org_id", cluster_id=pl.lit("c-1"))
    made = clusters(one.nodes, one.edges, together, TABLES["cooperative_reports"].empty()).row(0, named=True)  # fmt: skip
    done = round(made["executed_share"] * made["contracted_value_vnd"])
    rows = [("contracted", made["contracted_value_vnd"], str(made["contracted_value_vnd"])), ("of it executed", done, f"{done}: {_n(made['executed_share'])}")]  # fmt: skip
    return bars(rows, title="Executed share", kinds={1: "hot"})


@picture
def largest_buyer() -> str:
    one = small([("a", "x", 500), ("b", "y", 100), ("b", "x", 300, {"evidence": "signed"})])
    together = one.nodes.select("period", "org_id", cluster_id=pl.lit("c-1"))
    made = clusters(one.nodes, one.edges, together, TABLES["cooperative_reports"].empty()).row(0, named=True)  # fmt: skip
    places = {"a": (70, 40), "b": (70, 130), "x": (300, 40), "y": (300, 130)}
    below = {made["largest_buyer_id"]: [_percent(made["largest_buyer_share"])]}
    links = [("a", "x", "500 paid"), ("b", "y", "100 paid"), ("b", "x", "signed")]
    return network(places, links, title="Largest buyer's share", size=(400, 190), kinds={"a": "htx", "b": "htx", "x": "hot"}, below=below, dashed=[("b", "x")])  # fmt: skip


@picture
def legal_tests() -> str:
    rows = [("10 enterprises", [True, False], "2: not passed"), ("300 ha", [False, True], "600 ha, unverified"), ("producer to off-taker", [True, True], "passed")]  # fmt: skip
    return grid(["read in the document", "passed"], rows, title="Legal tests", width=640, left=180)


@picture
def edges() -> str:
    pair = small([("grower", "mill", 3), ("grower", "mill", None)], product="coffee")
    made = pair.edges.row(0, named=True)
    parts = [arrow((70, 40), (300, 40), "paid 3"), arrow((70, 64), (300, 64)), text(185, 84, "paid ?")]  # fmt: skip
    parts += [node((70, 52), "grower", kind="htx"), node((300, 52), "mill")]
    parts += [text(360, 58, "→", is_bold=True), text(390, 48, f"one edge, {made['n_linkages']} linkages", anchor="start")]  # fmt: skip
    parts.append(text(390, 68, f"paid {made['paid_value_vnd']}, stated by {made['n_paid_value']}", anchor="start"))  # fmt: skip
    return page(560, 105, parts, title="Edges")


@picture
def stage() -> str:
    codes = {"firm": {"vsic_code": "0126"}, "mill": {"vsic_code": "1077"}}
    chain = small([("grower", "firm", 80), ("firm", "mill", 90)], organisations=codes)
    made = {r["org_id"]: r for r in chain.nodes.iter_rows(named=True)}
    places = {"grower": (70, 40), "firm": (260, 40), "mill": (450, 40)}
    below = {n: [made[n]["stage"], made[n]["stage_basis"]] for n in places}
    return network(places, [("grower", "firm", "80"), ("firm", "mill", "90")], title="Stage of a node", size=(530, 130), kinds={"grower": "htx", "firm": "hot"}, below=below)  # fmt: skip


@picture
def as_of() -> str:
    rows = [("a: no end", [True, True, True], "in force"), ("b: to May 2024", [True, True, False], "ended")]  # fmt: skip
    return grid(["2023", "early 2024", "1 June 2024"], rows, title="As of a day", width=560, left=130)  # fmt: skip


@picture
def gap() -> str:
    rows = [("of all (flat)", 0.36, "36 %: −14 points"), ("of those rated (nested)", 0.48, "48 %: −2 points")]  # fmt: skip
    return bars(rows, title="Gap to a target", width=600, scale=0.7, line_at=(0.5, "target 50 %"))


def files() -> dict[Path, str]:
    """Return path → text of every picture."""
    return {
        FOLDER / f"{name.removesuffix('_picture')}.svg": draw() for name, draw in PICTURES.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures, or with ``--check`` name those that are not current (exit 1)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    made = files()
    stale = [
        p
        for p, t in made.items()
        if not p.exists() or p.read_text("utf-8").replace("\r\n", "\n") != t
    ]
    for path in stale:
        if "--check" in arguments:
            print(f"not current: {path.name}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8", newline="\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main())
