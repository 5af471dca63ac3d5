"""Pictures of `risk.md`: what falls when one leaves."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars, network
from docs.drawn.register import column_of, percent, picture, short
from htx_pipeline.metrics.risk import percolation, single_points, systemic_risk
from htx_pipeline.sample.small import small


@picture(systemic_risk)
def esri() -> str:
    mill = small([("htx 1", "mill", 30), ("htx 2", "mill", 10), ("mill", "shop", 60)], stages={"mill": "processing"})  # fmt: skip
    index = column_of(systemic_risk(mill.edges, mill.nodes), "esri_leontief")
    places = {"htx 1": (60, 40), "htx 2": (60, 150), "mill": (250, 90), "shop": (440, 90)}
    below = {n: [f"ESRI {short(index[n])}"] for n in places}
    kinds = {"htx 1": "htx", "htx 2": "htx", "mill": "hot"}
    links = [("htx 1", "mill", "30"), ("htx 2", "mill", "10"), ("mill", "shop", "60")]
    return network(places, links, title="Economic Systemic Risk Index", size=(520, 220), kinds=kinds, below=below)  # fmt: skip


@picture(systemic_risk)
def income_loss() -> str:
    sale = small([("htx 1", "mill", 30), ("mill", "shop", 60)])
    told = pl.DataFrame({"period": ["2024"], "org_id": ["htx 1"], "official_members": [20], "member_income_vnd": [50_000_000]})  # fmt: skip
    loss = column_of(systemic_risk(sale.edges, sale.nodes, told), "member_income_loss_vnd")
    places = {"htx 1": (80, 40), "mill": (270, 40), "shop": (460, 40)}
    below = {n: [f"{loss[n] / 1e9:g} bn VND hangs on it"] for n in places}
    below["htx 1"] = ["20 members × 50 m", *below["htx 1"]]
    return network(places, [("htx 1", "mill", "30"), ("mill", "shop", "60")], title="Loss to members' income", size=(560, 130), kinds={"htx 1": "htx", "mill": "hot"}, below=below)  # fmt: skip


@picture(single_points)
def single_points_picture() -> str:
    links = [("a", "hub", 10), ("b", "hub", 20), ("hub", "x", 30), ("x", "y", 40)]
    share = column_of(single_points(small(links).edges), "disconnected_share")
    places = {"a": (60, 40), "b": (60, 140), "hub": (210, 90), "x": (360, 90), "y": (510, 90)}
    below = {n: [percent(s)] for n, s in share.items()}
    return network(places, [(a, b, str(v)) for a, b, v in links], title="Single points of failure", size=(560, 200), kinds={"a": "htx", "b": "htx", "hub": "hot", "x": "hot"}, below=below)  # fmt: skip


@picture(percolation)
def percolation_picture() -> str:
    hub = small([(f"htx {i}", "hub", i) for i in range(1, 10)])
    made = percolation(hub.edges, strategies=["largest_trade", "random"], up_to=0.1, steps=1)
    share = {r["strategy"]: r for r in made.filter(pl.col("n_removed") == 1).iter_rows(named=True)}
    shown = [("nobody leaves", 1.0, "100 %")]
    shown += [(label, share[key]["giant_share"], percent(share[key]["giant_share"])) for label, key in (("one at random leaves", "random"), ("the hub leaves", "largest_trade"))]  # fmt: skip
    spread = share["random"]
    return bars(shown, title="Percolation: what still hangs together", scale=1.0, whiskers={1: (spread["giant_share_min"], spread["giant_share_max"])}, kinds={2: "hot"})  # fmt: skip
