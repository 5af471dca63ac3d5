"""The stage of a node: what its code and its links say, and what happens when they disagree."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.reference.stages import stage_of_vsic
from htx_pipeline.schemas import TABLES


def _edges(*links: tuple[str, str], **columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"supplier_id": [u for u, _ in links], "buyer_id": [v for _, v in links]},
        schema={"supplier_id": pl.String, "buyer_id": pl.String},
    )
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "active", **columns}
    return network.edges(
        TABLES["linkages"].conform(frame.with_columns(**{k: pl.lit(v) for k, v in fixed.items()}))
    )


def _organisations(**vsic: tuple[str, str | None]) -> pl.DataFrame:
    rows = [
        {
            "period": "2024",
            "org_id": o,
            "name": o.upper(),
            "legal_type": t,
            "vsic_code": c,
            "is_registered": True,
        }
        for o, (t, c) in vsic.items()
    ]
    return TABLES["organisations"].conform(pl.DataFrame(rows, infer_schema_length=None))


def _stage(nodes: pl.DataFrame, org_id: str) -> tuple[object, ...]:
    return (
        nodes.filter(pl.col("org_id") == org_id)
        .select("stage", "stage_basis", "is_stage_conflict")
        .row(0)
    )


def test_a_registered_grower_that_only_buys_is_a_conflict_and_its_links_win() -> None:
    nodes = network.nodes(_organisations(b=("enterprise", "0126")), _edges(("a", "b")))
    assert _stage(nodes, "b") == ("consumption", "links_over_vsic", True)


def test_a_cooperative_that_grows_and_buys_keeps_its_code() -> None:
    nodes = network.nodes(_organisations(b=("htx", "0126")), _edges(("a", "b"), ("b", "c")))
    assert _stage(nodes, "b") == ("production", "vsic", False)


def test_an_enterprise_that_says_it_grows_but_trades_is_a_conflict() -> None:
    nodes = network.nodes(_organisations(b=("enterprise", "0126")), _edges(("a", "b"), ("b", "c")))
    assert _stage(nodes, "b") == ("collection", "links_over_vsic", True)


def test_without_codes_position_and_flags_decide() -> None:
    nodes = network.nodes(_organisations(), _edges(("a", "b"), ("b", "c"), has_processing=True))
    assert [_stage(nodes, o)[0] for o in "abc"] == ["production", "processing", "processing"]


def test_an_enterprise_that_only_delivers_inputs_supplies_inputs() -> None:
    organisations = _organisations(a=("enterprise", None), b=("htx", None))
    nodes = network.nodes(organisations, _edges(("a", "b"), has_inputs=True))
    assert _stage(nodes, "a") == ("inputs", "links", False)


def test_a_self_loop_is_kept_flagged_and_says_nothing_of_the_stage() -> None:
    edges = _edges(("a", "a"), paid_value_vnd=5)
    assert edges["is_self_loop"].to_list() == [True]
    assert edges["paid_value_vnd"].sum() == 5
    nodes = network.nodes(_organisations(), edges)
    assert _stage(nodes, "a") == (None, None, False)
    assert nodes.select("n_suppliers", "n_buyers").row(0) == (0, 0)


def test_an_organisation_without_links_or_code_has_no_stage() -> None:
    nodes = network.nodes(_organisations(z=("htx", None)), _edges())
    assert _stage(nodes, "z") == (None, None, False)


def test_an_organisation_known_only_from_a_link_is_a_node_that_is_not_registered() -> None:
    nodes = network.nodes(_organisations(a=("htx", "0126")), _edges(("a", "ghost")))
    ghost = nodes.filter(pl.col("org_id") == "ghost").row(0, named=True)
    assert ghost["is_registered"] is False
    assert ghost["name"] is None


@pytest.mark.parametrize(
    ("code", "stage"),
    [("0126", "production"), ("01", "production"), ("0161", "inputs"), ("0163", "processing"), ("1079", "processing"),
     ("1080", "inputs"), ("4620", "collection"), ("4632", "consumption"), ("4690", None), ("8560", None), ("", None)],
)  # fmt: skip
def test_the_longest_prefix_of_an_industry_code_names_the_stage(
    code: str, stage: str | None
) -> None:
    assert stage_of_vsic(pl.Series([code])).item() == stage


def _dated(**columns: object) -> pl.DataFrame:
    base = {"period": "2024", "supplier_id": "a", "buyer_id": "b", "product_code": "coffee", "evidence": "executed",
            "paid_value_vnd": 9, "contracted_value_vnd": 12, "status": "active"}  # fmt: skip
    return TABLES["linkages"].conform(pl.DataFrame([{**base, **columns}], infer_schema_length=None))


@pytest.mark.parametrize(
    ("columns", "on", "is_there"),
    [
        ({"starts_on": date(2024, 3, 1)}, date(2024, 2, 29), False),
        ({"starts_on": date(2024, 3, 1)}, date(2024, 3, 1), True),
        ({"starts_on": date(2024, 3, 1), "ends_on": date(2024, 5, 1)}, date(2024, 5, 1), True),
        ({"starts_on": date(2024, 3, 1), "ends_on": date(2024, 5, 1)}, date(2024, 5, 2), False),
        ({}, date(2024, 5, 2), False),
        ({"starts_on": date(2023, 1, 1), "status": "planned"}, date(2024, 5, 2), False),
        ({"starts_on": date(2023, 1, 1), "status": "terminated"}, date(2024, 5, 2), False),
        (
            {"signed_on": date(2023, 1, 1)},
            date(2023, 12, 14),
            False,
        ),  # the row speaks of the year 2024
        ({"signed_on": date(2023, 1, 1)}, date(2023, 12, 15), True),
    ],
)
def test_as_of_keeps_what_was_in_force_on_the_day(
    columns: dict[str, object], on: date, is_there: bool
) -> None:
    found = network.as_of(_dated(**columns), on=on)
    assert (found.height == 1) is is_there


def test_as_of_does_not_credit_a_day_in_june_with_the_years_deliveries() -> None:
    rows = _dated(starts_on=date(2023, 1, 1))
    june = network.edges(network.as_of(rows, on=date(2024, 6, 1)))
    assert june.select("evidence", "paid_value_vnd", "contracted_value_vnd").row(0) == (
        "active",
        None,
        12,
    )
    end = network.edges(network.as_of(rows, on=date(2024, 12, 14)))
    assert end.select("evidence", "paid_value_vnd").row(0) == ("executed", 9)


def test_a_wrong_level_or_interval_says_what_to_do() -> None:
    with pytest.raises(InputError, match="not an evidence level"):
        network.at_least(_edges(), evidence="certain")
    with pytest.raises(InputError, match="before it begins"):
        network.in_force(_dated(), since=date(2024, 2, 1), until=date(2024, 1, 1))


def test_a_few_stated_values_do_not_make_a_value_basis() -> None:
    edges = _edges(*[(f"s{i}", "b") for i in range(10)])
    assert network.value_bases(edges)["weight_basis"].item() == "links"
    few = edges.with_columns(
        contracted_value_vnd=pl.when(pl.col("supplier_id") == "s0").then(7),
        n_contracted_value=pl.lit(0),
    )
    assert network.value_bases(few)["weight_basis"].item() == "links"
