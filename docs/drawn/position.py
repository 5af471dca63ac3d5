"""Pictures of `position.md`: places in the chain, brokers, cut points, cores."""

from __future__ import annotations

import itertools
from typing import Final

import networkx as nx

from docs.drawing import network
from docs.drawn.register import column_of, picture, short
from htx_pipeline.metrics.position import bridges, positions
from htx_pipeline.sample.small import small


@picture(positions)
def upstreamness() -> str:
    chain = small([("farm", "mill", 3), ("farm", "shop", 1), ("mill", "shop", 5)])
    made = positions(chain.edges, chain.nodes)
    up, down = column_of(made, "upstreamness"), column_of(made, "downstreamness")
    places = {"farm": (60, 110), "mill": (260, 40), "shop": (460, 110)}
    below = {n: [f"up {short(up[n])}, down {short(down[n])}"] for n in places}
    links = [("farm", "mill", "3"), ("mill", "shop", "5"), ("farm", "shop", "1")]
    return network(places, links, title="Upstreamness and downstreamness", size=(540, 190), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture(positions)
def depth() -> str:
    names = ["farm", "trader", "mill", "shop"]
    row = small([*zip(names, names[1:], [1, 1, 1], strict=False), ("farm", "shop", 90)])
    made = positions(row.edges, row.nodes)
    before, after = column_of(made, "steps_before"), column_of(made, "steps_after")
    places = {n: (60 + 150 * i, 50 + 50 * (i in (0, 3))) for i, n in enumerate(names)}
    below = {n: [f"{before[n]} before, {after[n]} after"] for n in names}
    links = [(a, b, "1") for a, b in itertools.pairwise(names)] + [("farm", "shop", "90")]
    return network(places, links, title="Depth and longest chain", size=(580, 180), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture(positions)
def betweenness() -> str:
    marriages = list(nx.florentine_families_graph().edges)
    both = small([(a, b, 1) for a, b in marriages] + [(b, a, 1) for a, b in marriages])
    share = column_of(positions(both.edges, both.nodes), "betweenness_share")
    places = {
        "Acciaiuoli": (70, 45), "Medici": (230, 110), "Albizzi": (230, 225), "Salviati": (70, 200), "Pazzi": (60, 330),
        "Ginori": (140, 330), "Guadagni": (330, 330), "Lamberteschi": (490, 360), "Tornabuoni": (400, 200), "Ridolfi": (400, 80),
        "Strozzi": (560, 90), "Castellani": (620, 225), "Peruzzi": (700, 90), "Bischeri": (560, 290), "Barbadori": (420, 15),
    }  # fmt: skip
    places = {n: (x, y + 10) for n, (x, y) in places.items()}
    below = {n: [short(share[n], 3)] for n in places}
    kinds = dict.fromkeys(places, "cold") | {"Medici": "hot"}
    links = [(a, b, "") for a, b in marriages]
    return network(places, links, title="Betweenness of Florentine families", size=(770, 440), kinds=kinds, below=below, is_plain=True)  # fmt: skip


@picture(positions)
def brokers() -> str:
    links = [("farm A", "collector", 1), ("farm B", "collector", 1), ("collector", "mill", 2), ("farm B", "mill", 1)]  # fmt: skip
    joined = small(links)
    pairs = column_of(positions(joined.edges, joined.nodes), "n_brokered_pairs")
    places = {"farm A": (60, 40), "farm B": (60, 150), "collector": (260, 70), "mill": (460, 130)}
    below = {"collector": [f"brokers {pairs['collector']} pair"]}
    kinds = {"farm A": "htx", "farm B": "htx", "collector": "hot"}
    return network(places, [(a, b, "") for a, b, _ in links], title="Brokers", size=(540, 210), kinds=kinds, below=below)  # fmt: skip


TWO_TRIANGLES: Final = [("A", "B"), ("B", "C"), ("A", "C"), ("C", "D"), ("D", "E"), ("E", "F"), ("D", "F")]  # fmt: skip


@picture(positions, bridges)
def bridges_picture() -> str:
    two = small([(a, b, 1) for a, b in TWO_TRIANGLES])
    cut = set(positions(two.edges, two.nodes).filter("is_articulation")["org_id"])
    bridge = bridges(two.edges).row(0, named=True)
    places = {"A": (60, 30), "B": (60, 160), "C": (180, 90), "D": (360, 90), "E": (480, 30), "F": (480, 160)}  # fmt: skip
    links = [(a, b, f"cuts off {bridge['n_cut_off']} of {bridge['n_component']}" if (a, b) == (bridge["supplier_id"], bridge["buyer_id"]) else "") for a, b in TWO_TRIANGLES]  # fmt: skip
    below = {n: ["cut point"] for n in cut}
    return network(places, links, title="Cut points and bridges", size=(540, 210), kinds=dict.fromkeys(cut, "hot"), below=below, is_plain=True)  # fmt: skip


@picture(positions)
def core() -> str:
    links = [("A", "B"), ("B", "C"), ("A", "C"), ("C", "D")]
    tail = small([(a, b, 1) for a, b in links])
    number = column_of(positions(tail.edges, tail.nodes), "core_number")
    places = {"A": (60, 40), "B": (60, 150), "C": (200, 90), "D": (380, 90)}
    below = {n: [f"core {number[n]}"] for n in places}
    kinds = {n: "hot" if number[n] == 2 else "cold" for n in places}
    return network(places, [(a, b, "") for a, b in links], title="Core number", size=(450, 220), kinds=kinds, below=below, is_plain=True)  # fmt: skip


@picture(positions)
def full_chain() -> str:
    stages = {"farm A": "production", "farm B": "production", "mill": "processing", "shop": "consumption", "shop 2": "consumption"}  # fmt: skip
    links = [("farm A", "mill"), ("mill", "shop"), ("farm B", "shop 2")]
    paths = small([(a, b, 1) for a, b in links], stages=stages)
    on = column_of(positions(paths.edges, paths.nodes), "is_on_full_chain")
    places = {"farm A": (60, 40), "mill": (250, 40), "shop": (440, 40), "farm B": (60, 140), "shop 2": (440, 140)}  # fmt: skip
    kinds = {n: "hot" if on[n] else "cold" for n in places}
    below = {n: [stages[n]] for n in places}
    return network(places, [(a, b, "") for a, b in links], title="Complete path", size=(520, 215), kinds=kinds, below=below)  # fmt: skip
