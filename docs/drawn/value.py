"""Pictures of `value.md`: accounts, prices, multipliers, mass."""

from __future__ import annotations

from typing import Final

import numpy as np

from docs.drawing import network
from docs.drawn.register import percent, picture, short
from htx_pipeline.metrics import input_output
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.metrics.input_output import leontief_inverse
from htx_pipeline.metrics.value import accounts, mass_balance, price_shares
from htx_pipeline.sample.small import small

ROW3: Final = {"farm": (60, 50), "mill": (250, 50), "shop": (440, 50)}


@picture(accounts)
def accounts_picture() -> str:
    rice = small([("farm", "mill", 60), ("mill", "shop", 100)])
    made = {r["org_id"]: r for r in accounts(rice.edges, rice.nodes).iter_rows(named=True)}
    below = {n: [f"adds {made[n]['value_added_vnd']}" if made[n]["value_added_vnd"] is not None else f"? {made[n]['value_added_reason']}"] for n in ROW3}  # fmt: skip
    return network({n: (x + 30, y) for n, (x, y) in ROW3.items()}, [("farm", "mill", "60"), ("mill", "shop", "100")], title="Accounts per actor", size=(570, 120), kinds={"farm": "htx", "mill": "hot"}, below=below)  # fmt: skip


@picture(price_shares)
def price_share() -> str:
    coffee = small([("farm", "mill", 60, 5.0), ("mill", "shop", 100, 1.0)], product="coffee", stages={"mill": "processing"})  # fmt: skip
    made = price_shares(coffee.edges, coffee.nodes, conversions={("coffee", "production"): 5.0})
    farm = made.filter(stage="production").row(0, named=True)
    below = {"farm": [f"{farm['price_vnd_per_tonne']:g} a tonne", f"gets {percent(farm['final_price_share'])}"], "mill": [f"{farm['final_price_vnd_per_tonne']:g} a tonne"]}  # fmt: skip
    return network(ROW3, [("farm", "mill", "5 t for 60"), ("mill", "shop", "1 t for 100")], title="Share of the final price", size=(510, 140), kinds={"farm": "htx"}, below=below)  # fmt: skip


@picture(leontief_inverse, input_output.multipliers)
def multipliers() -> str:
    z, x = np.array([[150, 500], [200, 100]]), np.array([1000, 2000])
    column = leontief_inverse(z, x).sum(axis=0)
    places = {"sector 1": (90, 60), "sector 2": (330, 60)}
    below = {f"sector {i + 1}": [f"output {x[i]}", f"multiplier {short(column[i], 3)}"] for i in range(2)}  # fmt: skip
    links = [("sector 1", "sector 2", ""), ("sector 2", "sector 1", "")]
    rice = small([("farm", "mill", 60), ("mill", "shop", 100)], stages={"mill": "processing"})
    made = input_output.multipliers(chain_flows(rice.edges, rice.nodes))
    mill = made.filter(scope="province", stage="processing").row(0, named=True)
    places |= {"farm": (90, 190), "mill": (330, 190), "shop": (530, 190)}
    below["mill"] = [f"1 sold draws {short(mill['output_multiplier'])}", f"{short(mill['production_requirement'])} of it from farms"]  # fmt: skip
    links += [("farm", "mill", "60"), ("mill", "shop", "100")]
    notes = [(140, 30, f"1 sells 2: {z[0, 1]}"), (140, 96, f"2 sells 1: {z[1, 0]}")]
    return network(places, links, title="Multipliers after Miller and Blair, and of a chain", size=(600, 280), kinds={"farm": "htx"}, below=below, notes=notes)  # fmt: skip


@picture(chain_flows, mass_balance)
def mass_balance_picture() -> str:
    paddy = small([("farm", "mill", 1, 100.0), ("mill", "shop", 1, 65.0)], stages={"mill": "processing"})  # fmt: skip
    made = mass_balance(chain_flows(paddy.edges, paddy.nodes)).row(0, named=True)
    places = {**ROW3, "loss": (440, 140)}
    links = [("farm", "mill", f"{made['tonnes_in']:g} t"), ("mill", "shop", f"{made['tonnes_out']:g} t"), ("mill", "loss", f"{made['tonnes_lost']:g} t")]  # fmt: skip
    return network(places, links, title="Mass balance", size=(520, 200), kinds={"farm": "htx", "loss": "gone"}, below={"loss": [percent(made["loss_share"])]}, dashed=[("mill", "loss")])  # fmt: skip
