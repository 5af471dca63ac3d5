"""Canonical edges: nothing is lost, nothing depends on the order of rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.graph.build import canonical_edges
from htx_pipeline.graph.numbering import NODE_ID

LINKS = pl.DataFrame(
    {
        "supplier_id": ["b", "a", "b", None, "b", None],
        "buyer_id": ["c", "c", "c", "c", None, None],
        "product_code": ["coffee", "rice", "coffee", "rice", "rice", None],
        "evidence": ["signed", "signed", "signed", "planned", "active", None],
        "paid_value_vnd": [5, None, 6, 100, 1_000, 10_000],
        "delivered_tonnes": [0.1, 0.2, None, 0.4, 0.5, 0.6],
        "signed_on": [dt.date(2025, 3, 1), None, dt.date(2025, 1, 1), None, None, None],
    }
)


def links() -> st.SearchStrategy[pl.DataFrame]:
    """Rows over few ids, so that duplicates, self-links, ties and nulls are common."""
    ids = st.one_of(st.none(), st.sampled_from(["x", "a", "é", "Đ", "b10", "b9", ""]))
    row = st.fixed_dictionaries(
        {
            "supplier_id": ids,
            "buyer_id": ids,
            "product_code": st.one_of(st.none(), st.sampled_from(["rice", "coffee"])),
            "evidence": st.sampled_from(["planned", "signed", "active", "executed"]),
            "paid_value_vnd": st.one_of(st.none(), st.integers(0, 10**15)),
            "delivered_tonnes": st.one_of(
                st.none(), st.floats(0, 1e12, allow_nan=False), st.just(0.1)
            ),
            "signed_on": st.one_of(st.none(), st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1))),
        }
    )
    schema = LINKS.schema
    return st.lists(row, max_size=40).map(lambda rows: pl.DataFrame(rows, schema=schema))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="buyer_id") as caught:
        canonical_edges(LINKS.drop("buyer_id"))
    assert caught.value.code == "graph_missing_column"


def test_numbers_are_not_taken_for_ids() -> None:
    with pytest.raises(InputError) as caught:
        canonical_edges(LINKS.with_columns(supplier_id=1))
    assert caught.value.code == "graph_id_type"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InputError) as caught:
        canonical_edges(LINKS.with_columns(delivered_tonnes=pl.lit(value)))
    assert caught.value.code == "graph_not_finite"


def test_a_total_beyond_64_bits_is_refused_instead_of_wrapping_round() -> None:
    frame = pl.DataFrame(
        {"supplier_id": ["a", "a"], "buyer_id": ["b", "b"], "paid_value_vnd": [2**62, 2**62]}
    )
    with pytest.raises(InputError) as caught:
        canonical_edges(frame)
    assert caught.value.code == "graph_overflow"


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_a_node_table_with_repeated_or_null_ids_is_refused(ids: list[str | None]) -> None:
    with pytest.raises(InputError) as caught:
        canonical_edges(LINKS, nodes=pl.DataFrame({"org_id": ids}))
    assert caught.value.code == "graph_node_key"


def test_duplicates_add_up_and_links_without_an_end_stand_in_the_ledger() -> None:
    canonical = canonical_edges(LINKS)
    assert canonical.nodes[NODE_ID].to_list() == ["a", "b", "c"]
    assert canonical.labelled().rows(named=True) == [
        {
            "supplier_id": "a",
            "buyer_id": "c",
            "product_code": "rice",
            "evidence": "signed",
            "delivered_tonnes": 0.2,
            "paid_value_vnd": None,
            "n_links": 1,
            "first_signed_on": None,
            "last_signed_on": None,
        },
        {
            "supplier_id": "b",
            "buyer_id": "c",
            "product_code": "coffee",
            "evidence": "signed",
            "delivered_tonnes": 0.1,
            "paid_value_vnd": 11,
            "n_links": 2,
            "first_signed_on": dt.date(2025, 1, 1),
            "last_signed_on": dt.date(2025, 3, 1),
        },
    ]
    fates = canonical.ledger.select("reason", "rows", "paid_value_vnd", "null_paid_value_vnd")
    assert fates.rows() == [
        ("read", 6, 11_111, 1),
        ("kept", 3, 11, 1),
        ("null_source", 1, 100, 0),
        ("null_target", 1, 1_000, 0),
        ("null_both", 1, 10_000, 0),
    ]


def test_nodes_without_links_stay_and_unlisted_ones_are_counted() -> None:
    nodes = pl.DataFrame({"org_id": ["z", "a", "c"], "admin_code": ["01", "02", "03"]})
    canonical = canonical_edges(LINKS, nodes=nodes)
    assert canonical.nodes.rows() == [("a", "02"), ("b", None), ("c", "03"), ("z", "01")]
    assert canonical.unlisted == 1


def test_an_undirected_edge_is_one_whichever_way_it_was_written() -> None:
    frame = pl.DataFrame(
        {"supplier_id": ["b", "a"], "buyer_id": ["a", "b"], "paid_value_vnd": [1, 2]}
    )
    assert canonical_edges(frame, directed=False).edges["paid_value_vnd"].to_list() == [3]


def test_no_links_give_a_graph_of_the_node_table() -> None:
    canonical = canonical_edges(LINKS.clear(), nodes=pl.DataFrame({"org_id": ["a"]}))
    assert (canonical.nodes.height, canonical.edges.height) == (1, 0)
    assert canonical.edges.schema == canonical_edges(LINKS).edges.schema


def test_lazy_links_give_the_same_edges() -> None:
    assert canonical_edges(LINKS.lazy()).edges.equals(canonical_edges(LINKS).edges)


@settings(max_examples=60, deadline=None)
@given(frame=links(), seed=st.integers(0, 100))
def test_row_order_does_not_show(frame: pl.DataFrame, seed: int) -> None:
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    one, other = canonical_edges(frame), canonical_edges(shuffled)
    assert one.edges.equals(other.edges)
    assert one.nodes.equals(other.nodes)
    assert one.ledger.equals(other.ledger)


@settings(max_examples=60, deadline=None)
@given(frame=links())
def test_edges_are_polars_own_groups_and_value_is_conserved(frame: pl.DataFrame) -> None:
    canonical = canonical_edges(frame)
    keys = ["supplier_id", "buyer_id", "product_code", "evidence"]
    expected = (
        frame.drop_nulls(["supplier_id", "buyer_id"])
        .group_by(keys)
        .agg(
            pl.when(pl.col("paid_value_vnd").count() > 0)
            .then(pl.col("paid_value_vnd").sum())
            .alias("paid_value_vnd"),
            pl.len().cast(pl.Int64).alias("n_links"),
            pl.col("signed_on").min().alias("first_signed_on"),
            pl.col("signed_on").max().alias("last_signed_on"),
        )
        .sort(keys)
    )
    assert canonical.labelled().select(expected.columns).equals(expected)
    for name in ("paid_value_vnd", "n_links"):
        kept = canonical.ledger.filter(reason="kept")
        total = kept["rows"] if name == "n_links" else kept[name]
        assert canonical.edges[name].sum() == total.item()
    fates = canonical.ledger.filter(pl.col("reason") != "read")
    read = canonical.ledger.filter(reason="read")
    assert fates["rows"].sum() == read["rows"].item() == frame.height
    assert fates["paid_value_vnd"].sum() == read["paid_value_vnd"].item()
    assert canonical.edges["delivered_tonnes"].sum() == pytest.approx(
        canonical.ledger.filter(reason="kept")["delivered_tonnes"].item(), rel=1e-12
    )


def test_many_keys_that_do_not_fit_one_number_are_sorted_all_the_same() -> None:
    names = [f"k{i}" for i in range(12)]
    rows = pl.DataFrame(
        {"supplier_id": ["a"] * 100, "buyer_id": ["b"] * 100}
        | {name: [f"{(i * (j + 3)) % 97}" for i in range(100)] for j, name in enumerate(names)}
    )
    canonical = canonical_edges(rows, keys=names)
    assert canonical.labelled().select(names).equals(rows.select(names).unique().sort(names))
