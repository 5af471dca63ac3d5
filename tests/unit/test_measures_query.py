"""Asking the network: wrong names and hostile ones first, then partners, ways, files."""

from __future__ import annotations

from xml.etree import ElementTree

import networkx as nx
import numpy as np
import polars as pl
import pytest

from htx_pipeline.cli import main
from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.graph.query import (
    MONEY,
    ego,
    ego_svg,
    ego_text,
    find_organisation,
    one_period,
    path,
)
from htx_pipeline.schemas import TABLES
from htx_pipeline.storage import table_path, write_table

NAMES = {
    "1": "HTX Nông nghiệp Sáu Nhung",
    "2": "Công ty TNHH Đắk Hà",
    "3": "Công ty Cổ phần Ngọc Linh",
    "4": '<script>alert("x")</script>&\x1b[31m=cmd()',
    "5": "Trùng tên",
    "6": "Trùng tên",
}


@pytest.fixture
def edges() -> pl.DataFrame:
    links = [("1", "2", 500_000_000), ("2", "3", 900_000_000), ("4", "2", None), ("1", "3", 5_000_000), ("5", "1", 1_000_000)]  # fmt: skip
    frame = pl.DataFrame(
        links,
        schema={"supplier_id": pl.String, "buyer_id": pl.String, "paid_value_vnd": pl.Int64},
        orient="row",
    )
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "executed"}
    return network.edges(
        TABLES["linkages"].conform(frame.with_columns(**{k: pl.lit(v) for k, v in fixed.items()}))
    )


@pytest.fixture
def nodes(edges: pl.DataFrame) -> pl.DataFrame:
    organisations = TABLES["organisations"].conform(
        pl.DataFrame(
            {
                "period": ["2024"] * 6,
                "org_id": list(NAMES),
                "name": list(NAMES.values()),
                "is_registered": [True] * 6,
            }
        )
    )
    return network.nodes(organisations, edges)


def test_an_unknown_name_gets_the_nearest_names(nodes: pl.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        find_organisation(nodes, "HTX Sau Nhug")
    assert caught.value.code == "organisation_unknown"
    assert "Sáu Nhung (1)" in caught.value.remedy
    assert "\x1b" not in str(caught.value)
    with pytest.raises(InputError) as nothing:
        find_organisation(nodes, "qqqqqqqqqq")
    assert "Did you mean" not in nothing.value.remedy


def test_a_name_of_two_organisations_is_refused_with_both_ids(nodes: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="2 organisations") as caught:
        find_organisation(nodes, "trùng tên")
    assert "5 Trùng tên; 6 Trùng tên" in caught.value.what


@pytest.mark.parametrize(
    ("text", "org_id"),
    [("2", "2"), ("hợp tác xã sáu nhung", "1"), ("Cong ty TNHH dak ha", "2"), ("NGỌC LINH", "3")],
)
def test_an_organisation_is_found_by_id_and_by_name(nodes, text: str, org_id: str) -> None:
    assert find_organisation(nodes, text) == org_id


def test_no_way_and_no_period_are_told_apart_from_errors_of_the_program(edges, nodes) -> None:
    with pytest.raises(InputError, match="No way") as caught:
        path(edges, nodes, "3", "1")
    assert "any-direction" in caught.value.remedy
    with pytest.raises(InputError, match="same organisation"):
        path(edges, nodes, "1", "1")
    with pytest.raises(InputError, match="No way"):
        path(edges, nodes, "1", "6", any_direction=True)
    with pytest.raises(InputError, match="period 1999"):
        one_period(nodes, "1999")
    with pytest.raises(InputError, match="no organisation"):
        ego(edges, nodes, "zzz")


def test_the_way_is_shortest_and_says_which_way_goods_flow(edges, nodes) -> None:
    assert path(edges, nodes, "1", "3")["to_id"].to_list() == ["3"]
    back = path(edges, nodes, "3", "4", any_direction=True)
    assert back.select("from_id", "to_id", "is_forward").rows() == [("3", "2", False), ("2", "4", False)]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_ways_agree_with_networkx_and_take_the_first_of_equals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(f"o{u:02}", f"o{v:02}") for u, v in rng.integers(0, 25, (50, 2)).tolist() if u != v]
    frame = pl.DataFrame(pairs, schema=["supplier_id", "buyer_id"], orient="row")
    fixed = {"period": "2024", "product_code": "coffee", "evidence": "signed"}
    made = network.edges(TABLES["linkages"].conform(frame.with_columns(**{k: pl.lit(v) for k, v in fixed.items()})))  # fmt: skip
    known = network.nodes(TABLES["organisations"].empty(), made)
    digraph = nx.DiGraph(pairs)
    for u, v in rng.choice(sorted(digraph), (30, 2)).tolist():
        if u == v:
            continue
        if not nx.has_path(digraph, u, v):
            with pytest.raises(InputError):
                path(made, known, u, v)
            continue
        mine = [u, *path(made, known, u, v)["to_id"].to_list()]
        assert mine == min(nx.all_shortest_paths(digraph, u, v))


def test_ego_lists_own_linkages_then_those_of_partners(edges, nodes) -> None:
    own = ego(edges, nodes, "2")
    assert own.select("role", "supplier_id", "buyer_id").rows() == [
        ("supplier", "2", "3"), ("buyer", "1", "2"), ("buyer", "4", "2"),
    ]  # fmt: skip
    assert ego(edges, nodes, "2", radius=2)["distance"].to_list() == [0, 0, 0, 1, 1]
    shuffled = edges.sample(fraction=1, shuffle=True, seed=2)
    assert ego(shuffled, nodes, "2", radius=2).equals(ego(edges, nodes, "2", radius=2))


def test_text_and_picture_show_hostile_names_as_text(edges, nodes) -> None:
    text = ego_text(edges, nodes, "2")
    assert "\x1b" not in text
    assert "500 tr.đ" in text
    assert "(4)  –" in text
    svg = ego_svg(edges, nodes, "2")
    root = ElementTree.fromstring(svg)
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert len([e for e in root.iter() if e.tag.endswith("line")]) == 3
    assert svg == ego_svg(edges.sample(fraction=1, shuffle=True, seed=1), nodes, "2")


def test_amounts_that_are_only_contracted_are_marked(edges, nodes) -> None:
    contracted = edges.with_columns(
        pl.when(pl.col("supplier_id") == "1").then(None).otherwise("paid_value_vnd").alias("paid_value_vnd"),
        pl.when(pl.col("supplier_id") == "1").then(pl.lit(7_000_000, pl.Int64)).alias("contracted_value_vnd"),
    )  # fmt: skip
    text = ego_text(contracted, nodes, "2")
    assert "Sáu Nhung (1)  7 tr.đ (HĐ)" in text
    assert "Ngọc Linh (3)  900 tr.đ  " in text
    both = pl.concat([contracted, edges])
    assert "Sáu Nhung (1)  507 tr.đ (gồm HĐ)" in ego_text(both, nodes, "2")
    for shown in (text, ego_svg(contracted, nodes, "2")):
        assert MONEY in shown


def test_a_picture_says_of_what_period_it_is(edges, nodes) -> None:
    assert "kỳ 2024" in ego_svg(edges, nodes, "2")


def test_part_of_many_names_is_said_to_be_that_and_a_letter_is_no_hint(nodes: pl.DataFrame) -> None:
    many = pl.DataFrame(
        {"org_id": [f"{i}" for i in range(9)], "name": [f"HTX Cà phê Số {i}" for i in range(9)]}
    )
    with pytest.raises(InputError) as caught:
        find_organisation(many, "ca phe")
    assert "9 names" in caught.value.why
    with pytest.raises(InputError) as caught:
        find_organisation(many, "c")
    assert "Did you mean" not in caught.value.remedy


def test_a_picture_of_many_partners_counts_those_it_leaves_out(edges, nodes) -> None:
    svg = ego_svg(edges, nodes, "2", most=1)
    assert "+ 1 tổ chức khác" in svg


def test_the_commands_speak_text_and_never_a_traceback(edges, nodes, tmp_path, capsys) -> None:
    data = tmp_path / "data"
    for name, frame in (("edges", edges), ("nodes", nodes)):
        write_table(frame, table_path(data, f"graph/{name}", period="2024"))
    at = ["--data", str(data)]
    assert main(["graph", "show", "Đắk Hà", "--picture", str(tmp_path / "a.svg"), *at]) == 0
    assert "Sáu Nhung" in capsys.readouterr().out
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert main(["graph", "path", "5", "Ngọc Linh", *at]) == 0
    assert "1. Trùng tên (5) ──▶" in capsys.readouterr().out
    assert main(["graph", "show", "nobody at all", *at]) == 2
    assert "✗ No organisation" in capsys.readouterr().err
    capsys.readouterr()
    assert main(["graph", "show", "1", "--data", str(tmp_path / "empty")]) == 2
    assert str(tmp_path / "empty") in capsys.readouterr().err


def test_a_name_in_capitals_is_cut_before_it_leaves_the_picture() -> None:
    from fontTools.ttLib import TTFont

    from htx_pipeline.graph import query
    from htx_pipeline.report.lettering import FONTS

    font = TTFont(next(p for p in sorted(FONTS.glob("*.ttf")) if "Regular" in p.name))
    glyphs, widths = font.getBestCmap(), font["hmtx"]
    for name in ("SOCIETE COOPERATIVE AGRICOLE DE MARIEKRO (SOCAMA)", "Hợp tác xã Sản xuất Nông nghiệp và Dịch vụ Tổng hợp Mường Hoong"):  # fmt: skip
        shown = query._short(name, query.ROOM)
        assert shown.endswith("…")
        units = sum(widths[glyphs[ord(letter)]][0] for letter in shown)
        assert units / font["head"].unitsPerEm * 13 < 373
