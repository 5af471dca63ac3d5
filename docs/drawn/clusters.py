"""Pictures of `clusters.md`: parts, clusters, what they do and lack."""

from __future__ import annotations

from typing import Any

import polars as pl

from docs.drawing import bars, grid, network
from docs.drawn.register import column_of, percent, picture, short
from htx_pipeline.clusters.criteria import cluster_criteria
from htx_pipeline.clusters.describe import cluster_members, clusters
from htx_pipeline.clusters.detect import communities, components
from htx_pipeline.clusters.stages import cluster_stages
from htx_pipeline.sample.small import Small, small
from htx_pipeline.schemas import TABLES


@picture(components)
def components_picture() -> str:
    links = [("a", "x", 9), ("b", "x", 9), ("c", "y", 9), ("d", "y", 9)]
    found = column_of(components(small(links).edges), "component_id")
    places = {"a": (60, 40), "b": (60, 130), "x": (190, 85), "c": (330, 40), "d": (330, 130), "y": (460, 85)}  # fmt: skip
    kinds = {n: "htx" if n in "abcd" else "firm" for n in places}
    order = list(dict.fromkeys(found[n] for n in places))
    below = {n: [f"part {order.index(found[n]) + 1}"] for n in ("x", "y")}
    return network(places, [(a, b, "9") for a, b, _ in links], title="Components", size=(530, 190), kinds=kinds, below=below)  # fmt: skip


@picture(communities)
def clusters_picture() -> str:
    links = [("a", "x", 9), ("b", "x", 9), ("c", "y", 9), ("d", "y", 9), ("b", "y", 1)]
    found = column_of(communities(small(links).edges), "cluster_id")
    places = {"a": (60, 40), "b": (60, 140), "x": (180, 40), "c": (470, 40), "d": (470, 140), "y": (330, 120)}  # fmt: skip
    order = list(dict.fromkeys(found[n] for n in places))
    kinds = {n: ("htx", "hot")[order.index(found[n])] for n in places}
    return network(places, [(a, b, str(v)) for a, b, v in links], title="Clusters", size=(540, 200), kinds=kinds, dashed=[("b", "y")])  # fmt: skip


@picture(clusters)
def executed_share() -> str:
    one = small([("a", "x", 500), ("b", "y", 100), ("b", "x", 300, {"evidence": "signed"})])
    together = one.nodes.select("period", "org_id", cluster_id=pl.lit("c-1"))
    made = clusters(one.nodes, one.edges, together, TABLES["cooperative_reports"].empty()).row(0, named=True)  # fmt: skip
    done = round(made["executed_share"] * made["contracted_value_vnd"])
    rows = [("contracted", made["contracted_value_vnd"], str(made["contracted_value_vnd"])), ("of it executed", done, f"{done}: {short(made['executed_share'])}")]  # fmt: skip
    return bars(rows, title="Executed share", kinds={1: "hot"})


@picture(clusters)
def largest_buyer() -> str:
    one = small([("a", "x", 500), ("b", "y", 100), ("b", "x", 300, {"evidence": "signed"})])
    together = one.nodes.select("period", "org_id", cluster_id=pl.lit("c-1"))
    made = clusters(one.nodes, one.edges, together, TABLES["cooperative_reports"].empty()).row(0, named=True)  # fmt: skip
    places = {"a": (70, 40), "b": (70, 130), "x": (300, 40), "y": (300, 130)}
    below = {made["largest_buyer_id"]: [percent(made["largest_buyer_share"])]}
    links = [("a", "x", "500 paid"), ("b", "y", "100 paid"), ("b", "x", "signed")]
    return network(places, links, title="Largest buyer's share", size=(400, 190), kinds={"a": "htx", "b": "htx", "x": "hot"}, below=below, dashed=[("b", "x")])  # fmt: skip


@picture(cluster_criteria)
def legal_tests() -> str:
    path = small([("htx", "mill", 5), ("mill", "shop", 8)], stages={"mill": "processing"}, organisations={"htx": {"legal_type": "htx"}}, period="2025")  # fmt: skip
    made = cluster_criteria(path.nodes, path.edges, communities(path.edges))
    tests = {r["criterion"]: r for r in made.iter_rows(named=True)}
    rows = []
    for key, label in (("n_enterprises", "enterprises"), ("has_path", "producer to off-taker"), ("within_one_province", "one province")):  # fmt: skip
        row = tests[key]
        said = row["reason"] or f"{row['value']:g}, asked {row['threshold']:g}"
        rows.append((label, [row["is_verified"], row["is_passed"]], said))
    return grid(["rule read in the document", "passed"], rows, title="Legal tests", width=680, left=180)  # fmt: skip


def _chain() -> Small:
    return small([("farm", "mill", 60, 10.0), ("mill", "shop", 100, 6.0)], stages={"mill": "processing"}, organisations={"farm": {"legal_type": "htx"}})  # fmt: skip


@picture(cluster_members)
def cluster_members_picture() -> str:
    one = _chain()
    made = {r["org_id"]: r for r in cluster_members(one.nodes, one.edges, communities(one.edges), TABLES["cooperative_reports"].empty()).iter_rows(named=True)}  # fmt: skip

    def told(row: dict[str, Any]) -> list[str]:
        sides = (("buys for", row["value_in_vnd"]), ("sells for", row["value_out_vnd"]))
        return [f"{word} {value}" for word, value in sides if value is not None]

    places = {"farm": (70, 40), "mill": (260, 40), "shop": (450, 40)}
    links = [("farm", "mill", "60"), ("mill", "shop", "100")]
    return network(places, links, title="Members of a cluster", size=(520, 130), kinds={"farm": "htx"}, below={n: told(made[n]) for n in places})  # fmt: skip


@picture(cluster_stages)
def cluster_stages_picture() -> str:
    one = _chain()
    made = cluster_stages(one.nodes, one.edges, communities(one.edges))
    names = made["stage"].to_list()
    tonnes = {r["stage"]: r["delivered_tonnes"] for r in made.iter_rows(named=True)}
    said = ", ".join(f"{tonnes[s]:g} t" for s in names if tonnes[s] is not None)
    rows = [("has", made["is_present"].to_list(), f"delivered {said}"), ("in the decree", made["is_named_by_decree"].to_list(), "")]  # fmt: skip
    return grid(names, rows, title="Stages of a cluster", width=700, left=110)
