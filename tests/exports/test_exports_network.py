"""GEXF and GraphML: what must not happen first, then what Gephi reads."""

from __future__ import annotations

import os
import subprocess
import sys
from xml.etree import ElementTree

import networkx as nx
import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.exports import network
from htx_pipeline.exports.network import network_file

FORMS = ["gexf", "graphml"]
GEXF = "{http://gexf.net/1.3}"


def read(data: bytes, form: str, folder):
    path = folder / f"x.{form}"
    path.write_bytes(data)
    if form == "gexf":
        return nx.read_gexf(path, version="1.3")
    return nx.read_graphml(path, force_multigraph=True)


def made(frames, form: str, **more) -> bytes:
    return network_file(frames["graph/nodes"], frames["graph/edges"], form=form, **more)[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_loses_an_edge_is_not_returned(frames, monkeypatch, form: str):
    name = {"gexf": "_mend_gexf", "graphml": "_mend_graphml"}[form]
    mend = getattr(network, name)

    def lossy(*arguments) -> bytes:
        root = ElementTree.fromstring(mend(*arguments))
        for parent in root.iter():
            for edge in [e for e in parent if e.tag.endswith("}edge")][:1]:
                parent.remove(edge)
        return ElementTree.tostring(root)

    monkeypatch.setattr(network, name, lossy)
    with pytest.raises(InputError, match="edges differ") as caught:
        made(frames, form)
    assert caught.value.code == "export_read_back"


@pytest.mark.parametrize("form", FORMS)
def test_a_file_with_a_changed_accent_is_not_returned(frames, monkeypatch, form: str):
    name = {"gexf": "_mend_gexf", "graphml": "_mend_graphml"}[form]
    mend = getattr(network, name)
    monkeypatch.setattr(network, name, lambda *a: mend(*a).replace("Sáu".encode(), b"Sau"))
    with pytest.raises(InputError, match="1 nodes differ"):
        made(frames, form)


def test_ids_that_xml_makes_equal_are_refused(frames):
    nodes = frames["graph/nodes"]
    twice = pl.concat([nodes, nodes.head(2).with_columns(org_id=pl.Series(["x\x00", "x\x01"]))])
    with pytest.raises(InputError, match="differ only in characters") as caught:
        network_file(twice, frames["graph/edges"], form="gexf")
    assert caught.value.code == "export_ids"


@pytest.mark.parametrize("form", FORMS)
def test_names_come_back_as_text_with_their_accents_composed(frames, tmp_path, form: str):
    data = made(frames, form)
    graph = read(data, form, tmp_path)
    labels = {n: d["label"] for n, d in graph.nodes(data=True)}
    assert labels == {
        "1": "HTX Nông nghiệp Sáu Nhung", "2": "Công ty TNHH Đắk Hà", "3": "]]> <b>&amp; \"quoted\" 'name'",
        "4": "=cmd|' /C calc'!A0", "5": "Hai dòng và\ufffd\ufffd[31m\ufffd", "6": "HTX Đắk Tô", "7": "Có khoảng trắng",
    }  # fmt: skip
    assert "Đắk Hà".encode() in data  # as UTF-8, not as numbers of characters


@pytest.mark.parametrize("form", FORMS)
def test_replaced_characters_are_counted(frames, options, form: str):
    writer = {"gexf": network.write_gexf, "graphml": network.write_graphml}[form]
    # name of organisation 5 in one node: two controls and a non-character
    assert writer(frames, options).counts == {"replaced_characters": 3}


@pytest.mark.parametrize("form", FORMS)
def test_parallel_edges_stay_apart_with_their_values(frames, tmp_path, form: str):
    graph = read(made(frames, form), form, tmp_path)
    held = sorted(
        (d["product_code"], d["evidence"], d.get("paid_value_vnd")) for u, v, d in graph.edges(data=True) if (u, v) == ("1", "2")
    )  # fmt: skip
    assert held == [("coffee", "executed", 500_000_000_000), ("coffee", "signed", None), ("rice", "executed", 7)]  # fmt: skip
    assert graph.number_of_edges() == frames["graph/edges"].height == 5


def test_gephi_is_told_apart_parallel_edges_by_their_kind(frames):
    root = ElementTree.fromstring(made(frames, "gexf"))
    kinds = [e.get("kind") for e in root.iter(f"{GEXF}edge") if (e.get("source"), e.get("target")) == ("1", "2")]  # fmt: skip
    assert sorted(kinds) == ["coffee/executed", "coffee/signed", "rice/executed"]


def test_money_is_a_long_a_quantity_a_double_a_flag_a_boolean(frames):
    root = ElementTree.fromstring(made(frames, "gexf"))
    types = {a.get("title"): a.get("type") for a in root.iter(f"{GEXF}attribute")}
    wanted = {"paid_value_vnd": "long", "delivered_tonnes": "double", "is_self_loop": "boolean", "product_code": "string"}  # fmt: skip
    assert wanted.items() <= types.items()
    assert "networkx_key" not in types
    graphml = ElementTree.fromstring(made(frames, "graphml"))
    key = next(k.get("id") for k in graphml.iter() if k.get("attr.name") == "is_self_loop")
    said = {d.text for d in graphml.iter() if d.get("key") == key and d.tag.endswith("data")}
    assert said == {"false"}  # XML Schema knows no "False"


def test_an_edge_without_a_value_has_none_rather_than_zero(frames, tmp_path):
    graph = read(made(frames, "gexf"), "gexf", tmp_path)
    (signed,) = [d for _, _, d in graph.edges(data=True) if d["evidence"] == "signed"]
    assert "paid_value_vnd" not in signed


@pytest.mark.parametrize("form", FORMS)
def test_only_the_evidence_asked_for_is_written(frames, tmp_path, form: str):
    graph = read(made(frames, form, evidence="executed"), form, tmp_path)
    assert {d["evidence"] for _, _, d in graph.edges(data=True)} == {"executed"}


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_network_is_a_file_that_opens(empty, tmp_path, form: str):
    graph = read(made(empty, form), form, tmp_path)
    assert graph.number_of_nodes() == graph.number_of_edges() == 0


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_rows_does_not_show(frames, form: str):
    shuffled = {k: f.sample(fraction=1, shuffle=True, seed=3) for k, f in frames.items()}
    assert made(shuffled, form) == made(frames, form)


def test_neither_hash_seed_nor_day_shows(frames, tmp_path):
    for key in ("edges", "nodes"):
        frames[f"graph/{key}"].write_parquet(tmp_path / f"{key}.parquet")
    code = (
        "import sys, polars as pl; from pathlib import Path; from htx_pipeline.exports.network import network_file; d = Path(sys.argv[1]);"
        "sys.stdout.buffer.write(network_file(pl.read_parquet(d / 'nodes.parquet'), pl.read_parquet(d / 'edges.parquet'), form='gexf')[0])"
    )
    found = {
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {made(frames, "gexf")}
    assert b"lastmodified" not in found.pop()
