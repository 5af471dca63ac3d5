"""Networks written in one line: what is left out, what is overridden."""

from __future__ import annotations

import polars as pl

from htx_pipeline.sample.small import small


def test_a_signed_link_is_contracted_and_not_paid() -> None:
    made = small([("a", "b", 5, 2.0), ("a", "c", 7, {"evidence": "signed"})])
    columns = ["buyer_id", "contracted_value_vnd", "paid_value_vnd", "delivered_tonnes"]
    assert made.edges.sort("buyer_id").select(columns).rows() == [("b", 5, 5, 2.0), ("c", 7, None, None)]  # fmt: skip


def test_an_unstated_value_stays_unknown_and_a_column_may_be_overridden() -> None:
    made = small([("a", "b", None), ("a", "b", 9, {"paid_value_vnd": 4})])
    row = made.edges.row(0, named=True)
    assert (row["n_linkages"], row["contracted_value_vnd"], row["paid_value_vnd"]) == (2, 9, 4)


def test_organisations_without_a_link_are_there_and_a_stage_may_be_given() -> None:
    made = small([("a", "b", 1)], organisations={"z": {"legal_type": "htx"}}, stages={"b": "processing"})  # fmt: skip
    assert made.nodes.select("org_id", "stage").rows() == [("a", "production"), ("b", "processing"), ("z", None)]  # fmt: skip
    assert made.organisations.filter(pl.col("org_id") == "z")["legal_type"].item() == "htx"
