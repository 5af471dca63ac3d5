"""Pictures of `completeness.md`: flows, stages, capacity, the narrowest step."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars, grid, network
from docs.drawn.register import picture
from htx_pipeline.metrics import completeness
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.sample.small import small


@picture(chain_flows)
def flows() -> str:
    coffee = small([("farm", "mill", 50, 100.0), ("mill", "shop", 80, 20.0)], stages={"mill": "processing"})  # fmt: skip
    places = {"production": (60, 50), "processing": (250, 50), "consumption": (440, 50), "loss": (440, 150), "unknown": (60, 150)}  # fmt: skip
    rows = chain_flows(coffee.edges, coffee.nodes).iter_rows(named=True)
    links = [
        (r["from_stage"], r["to_stage"], ", ".join([*([f"{r['tonnes']:g} t"] if r["tonnes"] is not None else []), *([f"{r['value_vnd']} VND"] if r["value_vnd"] is not None else [])]))
        for r in rows
    ]  # fmt: skip
    return network(places, links, title="Flows between stages", size=(560, 210), kinds={"production": "htx", "loss": "gone", "unknown": "gone"}, dashed=[("processing", "loss"), ("unknown", "processing")])  # fmt: skip


@picture(completeness.chain_stages)
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


@picture(completeness.processing_capacity)
def capacity() -> str:
    cassava = small([("farm", "mill", 4, 40.0)], stages={"mill": "processing"})
    stated = pl.DataFrame({"period": ["2024"], "org_id": ["mill"], "product_code": ["rice"], "capacity_tonnes": [15.0]})  # fmt: skip
    made = completeness.processing_capacity(cassava.edges, cassava.nodes, stated).row(0, named=True)
    rows = [("output", made["output_tonnes"], f"{made['output_tonnes']:g} t"), ("capacity", made["capacity_tonnes"], f"{made['capacity_tonnes']:g} t: {made['capacity_share']:g}")]  # fmt: skip
    return bars(rows, title="Capacity against output", kinds={1: "hot"})


@picture(completeness.bottlenecks)
def bottleneck() -> str:
    narrow = small([("farm", "collector", 9, 9.0), ("collector", "shop", 4, 4.0)])
    made = completeness.bottlenecks(narrow.edges, narrow.nodes).row(0, named=True)
    places = {"farm": (60, 50), "collector": (250, 50), "shop": (440, 50)}
    notes = [(300, 110, f"cut: {made['max_flow']:g} t of {made['supply']:g} t")]
    return network(places, [("farm", "collector", "9 t"), ("collector", "shop", "4 t")], title="Bottleneck", size=(520, 125), kinds={"farm": "htx"}, dashed=[("collector", "shop")], notes=notes)  # fmt: skip
