"""The network as GEXF and GraphML: for Gephi, yEd, Cytoscape.

What belongs here: from nodes and edges to the two files, and reading them back. What does not: asking
the network (`htx_pipeline.graph.query`).
"""

from __future__ import annotations

import io
from typing import Any, Final
from xml.etree import ElementTree

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.exports.base import (
    Exported,
    ExportOptions,
    Frames,
    flat,
    need,
    plain,
    read_back_wrong,
)
from htx_pipeline.graph.network import at_least

NEEDS: Final = ("graph/nodes", "graph/edges")

_GEXF: Final = "http://gexf.net/1.3"
_GRAPHML: Final = "http://graphml.graphdrawing.org/xmlns"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


def write_gexf(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``network.gexf``: the network for Gephi.

    Each product and evidence level is an edge of its own, and its ``kind``, so that Gephi keeps
    parallel edges apart. Whole numbers are ``long`` (money passes 32 bits). Empty attributes are left out;
    ``replaced_characters`` counts those XML forbids.

    Raises
    ------
    InputError
        A table is missing, two ids become one, or the file does not read back.
    """
    data, replaced = network_file(*(need(frames, k) for k in NEEDS), form="gexf", title=options.title_line)  # fmt: skip
    return Exported({"network.gexf": data}, {"replaced_characters": replaced})


def write_graphml(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``network.graphml``: the network for yEd and Cytoscape; otherwise as `write_gexf`."""
    data, replaced = network_file(*(need(frames, k) for k in NEEDS), form="graphml", title=options.title_line)  # fmt: skip
    return Exported({"network.graphml": data}, {"replaced_characters": replaced})


def network_file(
    nodes: pl.DataFrame,
    edges: pl.DataFrame,
    *,
    form: str,
    evidence: str = "planned",
    title: str = "",
) -> tuple[bytes, int]:
    """Return a network file and how many characters were replaced in it.

    Parameters
    ----------
    nodes, edges:
        Rows of `graph/nodes`, `graph/edges` of one period.
    form:
        ``gexf`` or ``graphml``.
    evidence:
        Weakest evidence level written.
    title:
        Written as the file's description.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"], "supplier_id": ["a"],
    ...     "buyer_id": ["b"], "product_code": ["rice"], "evidence": ["signed"]}))
    >>> edges = network.edges(links)
    >>> nodes = network.nodes(TABLES["organisations"].empty(), edges)
    >>> data, replaced = network_file(nodes, edges, form="gexf")
    >>> data.count(b"<edge "), replaced
    (1, 0)
    """
    import networkx as nx

    graph, replaced = _graph(nodes, at_least(edges, evidence=evidence))
    stream = io.BytesIO()
    if form == "gexf":
        nx.write_gexf(graph, stream, encoding="utf-8", version="1.3")
        data = _mend_gexf(stream.getvalue(), graph, title)
        found = nx.read_gexf(io.BytesIO(data), version="1.3")
    else:
        nx.write_graphml_xml(graph, stream, encoding="utf-8")
        data = _mend_graphml(stream.getvalue(), title)
        found = nx.read_graphml(io.BytesIO(data), force_multigraph=True)
    difference = _difference(graph, found)
    if difference:
        raise read_back_wrong(f"network.{form}", difference)
    return data, replaced


def _graph(nodes: pl.DataFrame, edges: pl.DataFrame) -> tuple[Any, int]:
    import networkx as nx

    graph = nx.MultiDiGraph()
    replaced = 0

    def attributes(row: dict[str, Any], *without: str) -> dict[str, Any]:
        nonlocal replaced
        made: dict[str, Any] = {}
        for name, value in row.items():
            cell = flat(value)
            if isinstance(cell, str):
                shown = plain(cell)
                replaced += shown.count("\N{REPLACEMENT CHARACTER}") - cell.count("\N{REPLACEMENT CHARACTER}")  # fmt: skip
                cell = shown.strip()
            if cell is not None and cell != "" and name not in without:
                made[name] = cell
        return made

    for row in nodes.sort("org_id").iter_rows(named=True):
        org_id = plain(row["org_id"])
        found = attributes(row, "org_id")
        graph.add_node(org_id, **{**found, "label": found.get("name", org_id)})
    keys = ["supplier_id", "buyer_id", "product_code", "evidence"]
    for number, row in enumerate(edges.sort(keys).iter_rows(named=True)):
        ends = plain(row["supplier_id"]), plain(row["buyer_id"])
        graph.add_edge(*ends, key=number, **attributes(row, "supplier_id", "buyer_id"))
    for node, held in graph.nodes(data=True):  # an organisation known only from a linkage
        held.setdefault("label", node)
    ids = pl.concat([nodes["org_id"], edges["supplier_id"], edges["buyer_id"]]).n_unique()
    if graph.number_of_nodes() != ids:
        raise InputError(
            "Two organisations have ids that differ only in characters XML cannot hold.",
            where="graph/nodes", remedy="Correct the ids.", code="export_ids",
        )  # fmt: skip
    return graph, replaced


def _mend_gexf(data: bytes, graph: Any, title: str) -> bytes:
    """Take the day of writing and NetworkX's own key out, put the title and each edge's kind in."""
    root = ElementTree.fromstring(data)  # noqa: S314 - written a moment ago, by ourselves
    for name in [a for a in root.attrib if a.endswith("schemaLocation")]:
        del root.attrib[name]  # in a namespace that is not XML Schema's
    meta = root.find(f"{{{_GEXF}}}meta")
    if meta is not None:
        meta.attrib.pop("lastmodifieddate", None)
        if title:
            ElementTree.SubElement(meta, f"{{{_GEXF}}}description").text = plain(title)
    for held in root.iter(f"{{{_GEXF}}}attributes"):
        own = [a for a in held if a.get("title") == "networkx_key"]
        for attribute in own:
            held.remove(attribute)
            _without_values(root, str(attribute.get("id")))
    of_key = {str(k): d for _, _, k, d in graph.edges(keys=True, data=True)}
    for edge in root.iter(f"{{{_GEXF}}}edge"):
        known = of_key[str(edge.get("id"))]
        edge.set("kind", f"{known.get('product_code', '')}/{known.get('evidence', '')}")
    return _xml(root, _GEXF)


def _without_values(root: ElementTree.Element, attribute: str) -> None:
    for edge in root.iter(f"{{{_GEXF}}}edge"):
        values = edge.find(f"{{{_GEXF}}}attvalues")
        if values is not None:
            for value in [v for v in values if v.get("for") == attribute]:
                values.remove(value)


def _mend_graphml(data: bytes, title: str) -> bytes:
    """Write booleans as XML Schema does, and the title."""
    root = ElementTree.fromstring(data)  # noqa: S314 - written a moment ago, by ourselves
    logical = {k.get("id") for k in root.iter(f"{{{_GRAPHML}}}key") if k.get("attr.type") == "boolean"}  # fmt: skip
    for value in root.iter(f"{{{_GRAPHML}}}data"):
        if value.get("key") in logical:
            value.text = str(value.text).lower()
    if title:
        description = ElementTree.Element(f"{{{_GRAPHML}}}desc")
        description.text = plain(title)
        root.insert(0, description)
    return _xml(root, _GRAPHML)


def _xml(root: ElementTree.Element, namespace: str) -> bytes:
    ElementTree.register_namespace("", namespace)
    ElementTree.register_namespace("xsi", _XSI)
    ElementTree.indent(root, " ")
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _difference(made: Any, read: Any) -> str:
    """Say the first way in which two graphs differ; empty when they do not."""
    if dict(made.nodes(data=True)) != dict(read.nodes(data=True)):
        wrong = [n for n, d in made.nodes(data=True) if n not in read or read.nodes[n] != d]
        return f"{len(wrong) or read.number_of_nodes()} nodes differ"
    ours, theirs = _edge_list(made), _edge_list(read)
    if ours == theirs:
        return ""
    return f"{sum(a != b for a, b in zip(ours, theirs, strict=False)) + abs(len(ours) - len(theirs))} edges differ"


def _edge_list(graph: Any) -> list[Any]:
    """Return edges in one order; NetworkX reads a graph without parallel edges as a simple one."""
    edges = (
        graph.edges(keys=True, data=True)
        if graph.is_multigraph()
        else ((u, v, 0, d) for u, v, d in graph.edges(data=True))
    )
    return sorted(
        (u, v, int(d.get("id", k)), sorted((a, x) for a, x in d.items() if a != "id"))
        for u, v, k, d in edges
    )
