"""Value along the chain: unknown costs first, then textbook tables and conservation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.metrics.chain import chain_flows
from htx_pipeline.metrics.input_output import leontief_inverse, multipliers
from htx_pipeline.metrics.value import accounts, mass_balance, price_shares
from htx_pipeline.schemas import TABLES

MILLER_BLAIR_Z = np.array([[150, 500], [200, 100]])
MILLER_BLAIR_X = np.array([1000, 2000])


def edges_of(links, **columns) -> pl.DataFrame:
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "executed", **columns}
    frame = pl.DataFrame(
        [(*link, *[None] * (4 - len(link))) for link in links],
        schema={"supplier_id": pl.String, "buyer_id": pl.String, "paid_value_vnd": pl.Int64, "delivered_tonnes": pl.Float64},
        orient="row",
    ).with_columns(**{k: pl.lit(v) for k, v in fixed.items()})  # fmt: skip
    return network.edges(TABLES["linkages"].conform(frame))


def nodes_of(**stages: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        [{"period": "2024", "org_id": o, "stage": s} for o, s in stages.items()],
        schema={"period": pl.String, "org_id": pl.String, "stage": pl.String},
    )


STAGES = {"farm": "production", "mill": "processing", "shop": "consumption"}


def row(frame: pl.DataFrame, value: str, column: str = "org_id") -> dict[str, object]:
    return frame.row(by_predicate=pl.col(column) == value, named=True)


def test_costs_nobody_records_are_not_costs_of_zero() -> None:
    made = accounts(edges_of([("farm", "mill", 60), ("mill", "shop", 100)]), nodes_of(**STAGES, idle=None))  # fmt: skip
    farm = row(made, "farm")
    assert (farm["sales_vnd"], farm["intermediate_inputs_vnd"], farm["value_added_vnd"]) == (60, None, None)  # fmt: skip
    assert farm["inputs_reason"] == "not_recorded"
    assert row(made, "idle")["value_added_reason"] == "no_linkage"
    assert row(made, "shop")["sales_reason"] == "not_recorded"
    assert set(made["net_benefit_reason"]) == {"profit_not_reported"}


def test_one_sale_of_unstated_value_leaves_value_added_undefined() -> None:
    links = [("farm", "mill", 60), ("mill", "shop", 100), ("mill", "shop2", None)]
    mill = row(accounts(edges_of(links), nodes_of(**STAGES)), "mill")
    assert (mill["sales_vnd"], mill["sales_reason"], mill["value_added_reason"]) == (None, "value_not_stated", "value_not_stated")  # fmt: skip
    assert mill["n_sales_edges_without_value"] == 1
    assert mill["intermediate_inputs_vnd"] == 60


def test_counts_of_linkages_are_never_shown_as_money() -> None:
    links = [("farm", "mill", None), ("mill", "shop", None)]
    made = accounts(edges_of(links), nodes_of(**STAGES))
    assert set(made["weight_basis"]) == {"links"}
    assert made["sales_vnd"].null_count() == made.height


def test_value_added_over_all_actors_is_final_sales_less_first_purchases() -> None:
    """A chain that records everything: value added telescopes."""
    links = [("input", "farm", 20), ("farm", "mill", 60), ("mill", "trader", 90), ("trader", "shop", 100)]  # fmt: skip
    made = accounts(edges_of(links), nodes_of(input=None, farm=None, mill=None, trader=None, shop=None))  # fmt: skip
    assert made["value_added_vnd"].sum() == 100 - 20
    assert made["value_added_vnd"].null_count() == 2


def test_cooperatives_report_their_own_benefit_and_revenue() -> None:
    reports = TABLES["cooperative_reports"].conform(
        pl.DataFrame(
            {
                "period": ["2024"],
                "org_id": ["farm"],
                "revenue_vnd": [80],
                "profit_before_tax_vnd": [-5],
            }
        )
    )
    farm = row(accounts(edges_of([("farm", "mill", 60)]), nodes_of(**STAGES), reports), "farm")
    assert (farm["net_benefit_vnd"], farm["net_benefit_reason"]) == (-5, None)
    assert farm["recorded_sales_share"] == 0.75


def test_leontief_inverse_of_miller_and_blair() -> None:
    inverse = leontief_inverse(MILLER_BLAIR_Z, MILLER_BLAIR_X)
    assert inverse == pytest.approx(np.array([[1.254, 0.330], [0.264, 1.122]]), abs=5e-4)
    # Their final demand of 350 and 1700 gives back the output; 600 and 1500 needs 1247.5 and 1841.6.
    assert inverse @ [350, 1700] == pytest.approx(MILLER_BLAIR_X)
    assert inverse @ [600, 1500] == pytest.approx([1247.5, 1841.6], abs=0.1)


def test_leontief_inverse_is_the_sum_of_rounds_and_has_no_unit() -> None:
    rng = np.random.default_rng(2)
    z = rng.integers(0, 50, (5, 5))
    x = z.sum(axis=0) + rng.integers(50, 100, 5)
    a, rounds = z / x, np.zeros((5, 5))
    power = np.eye(5)
    for _ in range(400):
        rounds, power = rounds + power, power @ a
    assert leontief_inverse(z, x) == pytest.approx(rounds, abs=1e-9)
    assert leontief_inverse(z * 1000, x * 1000) == pytest.approx(leontief_inverse(z, x), abs=1e-12)


@pytest.mark.parametrize(
    ("z", "x", "code"),
    [
        ([[2, 0], [0, 1]], [1, 2], "not_productive"),
        ([[0, 1], [1, 0]], [1, 1], "not_productive"),
        ([[0, 1], [1, 0]], [0, 1], "input_output_table"),
        ([[0, -1], [1, 0]], [5, 5], "input_output_table"),
        ([[0, 1]], [5, 5], "input_output_table"),
    ],
)
def test_tables_that_cannot_be_inverted_are_refused(z, x, code: str) -> None:
    with pytest.raises(InputError) as caught:
        leontief_inverse(np.array(z), np.array(x))
    assert caught.value.code == code


def flows_of(*rows: tuple[str, str, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [("2024", "province", "rice", "recorded", *r) for r in rows],
        schema={"period": pl.String, "scope": pl.String, "product_code": pl.String, "kind": pl.String, "from_stage": pl.String, "to_stage": pl.String, "value_vnd": pl.Int64},
        orient="row",
    )  # fmt: skip


def test_a_stage_that_buys_more_than_it_sells_has_no_multiplier_nor_has_who_draws_on_it() -> None:
    flows = flows_of(("production", "collection", 80), ("collection", "processing", 50), ("processing", "consumption", 90))  # fmt: skip
    made = dict(multipliers(flows).select("stage", "reason").rows())
    assert made == {"collection": "more_bought_than_sold", "processing": "depends_on_undefined", "production": None}  # fmt: skip


def test_a_stage_without_recorded_sales_or_value_says_so() -> None:
    made = dict(multipliers(flows_of(("production", "processing", 80))).select("stage", "reason").rows())  # fmt: skip
    assert made == {"processing": "sales_not_recorded", "production": None}
    made = multipliers(flows_of(("production", "processing", None)))
    assert set(made["reason"]) == {"value_not_stated"}
    assert made["output_vnd"].null_count() == made.height


def test_stages_that_sell_only_to_each_other_are_not_productive() -> None:
    made = multipliers(flows_of(("collection", "processing", 50), ("processing", "collection", 50)))
    assert set(made["reason"]) == {"not_productive"}


def test_multipliers_of_miller_and_blair_as_a_chain() -> None:
    z = MILLER_BLAIR_Z
    flows = flows_of(
        ("production", "production", 150), ("production", "processing", 500), ("production", "consumption", 350),
        ("processing", "production", 200), ("processing", "processing", 100), ("processing", "consumption", 1700),
    )  # fmt: skip
    made = multipliers(flows)
    assert row(made, "production", "stage")["output_multiplier"] == pytest.approx(1.254 + 0.264, abs=1e-3)  # fmt: skip
    assert row(made, "processing", "stage")["output_multiplier"] == pytest.approx(0.330 + 1.122, abs=1e-3)  # fmt: skip
    assert row(made, "processing", "stage")["production_requirement"] == pytest.approx(0.330, abs=1e-3)  # fmt: skip
    assert made["output_vnd"].sum() == z.sum() + 350 + 1700
    shuffled = flows.sample(fraction=1, shuffle=True, seed=3)
    assert multipliers(shuffled).equals(made)


def test_price_shares_need_a_conversion_and_both_value_and_tonnes() -> None:
    links = [("farm", "mill", 60, 5.0), ("farm2", "mill", 9, None), ("mill", "shop", 100, 1.0)]
    nodes = nodes_of(**STAGES, farm2="production")
    plain = row(price_shares(edges_of(links), nodes), "production", "stage")
    assert (plain["final_price_share"], plain["reason"]) == (None, "conversion_unknown")
    assert plain["n_linkages_without_price"] == 1
    given = price_shares(edges_of(links), nodes, conversions={("coffee", "production"): 5.0, ("coffee", "processing"): 1.0})  # fmt: skip
    assert dict(given.select("stage", "final_price_share").rows()) == {"production": 0.6, "processing": 1.0}  # fmt: skip
    no_end = price_shares(edges_of(links[:1]), nodes)
    assert no_end["reason"].to_list() == ["final_price_not_stated"]
    with pytest.raises(InputError, match="not positive"):
        price_shares(edges_of(links), nodes, conversions={("coffee", "production"): 0.0})


def test_mass_balances_at_every_stage_of_random_chains() -> None:
    rng = np.random.default_rng(3)
    stages = {f"o{i}": ("production", "collection", "processing", "consumption")[i % 4] for i in range(16)}  # fmt: skip
    links = [
        (f"o{u}", f"o{v}", int(rng.integers(1, 99)), float(rng.integers(1, 500)) / 10)
        for u, v in rng.integers(0, 16, (60, 2)).tolist()
    ]
    flows = chain_flows(edges_of(links), nodes_of(**stages))
    made = mass_balance(flows)
    assert made.height == 2
    for r in made.iter_rows(named=True):
        entering = r["tonnes_in"] + r["tonnes_from_unknown"]
        leaving = r["tonnes_out"] + r["tonnes_lost"] + r["tonnes_to_unknown"]
        assert entering == pytest.approx(leaving, abs=1e-5)
        assert r["loss_share"] == pytest.approx(r["tonnes_lost"] / entering, abs=1e-9)
    assert mass_balance(flows.sample(fraction=1, shuffle=True, seed=1)).equals(made)


def test_a_delivery_without_tonnes_is_not_a_loss() -> None:
    links = [("farm", "mill", 60, 5.0), ("mill", "shop", 50, 1.0), ("mill", "shop2", 100, None)]
    nodes = nodes_of(**STAGES, shop2="consumption")
    mill = row(mass_balance(chain_flows(edges_of(links), nodes)), "processing", "stage")
    assert (mill["loss_share"], mill["reason"]) == (None, "tonnes_not_stated")
    kept = row(mass_balance(chain_flows(edges_of(links[:1]), nodes)), "processing", "stage")
    assert (kept["tonnes_to_unknown"], kept["reason"]) == (5.0, "nothing_leaves")


def test_row_order_and_unit_do_not_show_in_accounts() -> None:
    links = [("farm", "mill", 60, 5.0), ("farm2", "mill", 9, 2.0), ("mill", "shop", 100, 1.0)]
    edges, nodes = edges_of(links), nodes_of(**STAGES, farm2="production")
    made = accounts(edges, nodes)
    mixed = [f.sample(fraction=1, shuffle=True, seed=3) for f in (edges, nodes)]
    assert accounts(*mixed).equals(made)
    thousand = accounts(edges.with_columns(pl.col("paid_value_vnd") * 1000), nodes)
    assert thousand["value_added_share"].equals(made["value_added_share"])
    assert row(thousand, "mill")["value_added_vnd"] == 31_000
