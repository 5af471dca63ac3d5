"""Pictures of `network.md`: edges, stages, a day."""

from __future__ import annotations

from datetime import date

from docs.drawing import arrow, grid, network, node, page, text
from docs.drawn.register import picture
from htx_pipeline.graph import network as network_of
from htx_pipeline.sample.small import small


@picture(network_of.edges)
def edges() -> str:
    pair = small([("grower", "mill", 3), ("grower", "mill", None)], product="coffee")
    made = pair.edges.row(0, named=True)
    parts = [arrow((70, 40), (300, 40), "paid 3"), arrow((70, 64), (300, 64)), text(185, 84, "paid ?")]  # fmt: skip
    parts += [node((70, 52), "grower", kind="htx"), node((300, 52), "mill")]
    parts += [text(360, 58, "→", is_bold=True), text(390, 48, f"one edge, {made['n_linkages']} linkages", anchor="start")]  # fmt: skip
    parts.append(text(390, 68, f"paid {made['paid_value_vnd']}, stated by {made['n_paid_value']}", anchor="start"))  # fmt: skip
    return page(560, 105, parts, title="Edges")


@picture(network_of.nodes)
def stage() -> str:
    codes = {"firm": {"vsic_code": "0126"}, "mill": {"vsic_code": "1077"}}
    chain = small([("grower", "firm", 80), ("firm", "mill", 90)], organisations=codes)
    made = {r["org_id"]: r for r in chain.nodes.iter_rows(named=True)}
    places = {"grower": (70, 40), "firm": (260, 40), "mill": (450, 40)}
    below = {n: [made[n]["stage"], made[n]["stage_basis"]] for n in places}
    return network(places, [("grower", "firm", "80"), ("firm", "mill", "90")], title="Stage of a node", size=(530, 130), kinds={"grower": "htx", "firm": "hot"}, below=below)  # fmt: skip


@picture(network_of.as_of)
def as_of() -> str:
    signed = {"signed_on": date(2023, 2, 1), "status": "active"}
    told = {"a: no end": signed, "b: to May 2024": {**signed, "ends_on": date(2024, 5, 31)}}
    rows = small([(name, "x", 5, facts) for name, facts in told.items()])
    days = (date(2024, 3, 1), date(2024, 5, 31), date(2024, 6, 1))
    there = [set(network_of.as_of(rows.linkages, on=day)["supplier_id"]) for day in days]
    shown = [(name, [name in found for found in there], "in force" if name in there[-1] else "ended") for name in told]  # fmt: skip
    return grid([f"{day:%-d %B %Y}" for day in days], shown, title="As of a day", width=620, left=130)  # fmt: skip
