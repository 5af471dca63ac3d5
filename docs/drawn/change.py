"""Pictures of `change.md`: from one year to the next."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars, grid, network, steps
from docs.drawn.register import percent, picture, short
from htx_pipeline.clusters.detect import communities
from htx_pipeline.metrics import change
from htx_pipeline.metrics.history import cluster_history, lineage, locality_history
from htx_pipeline.metrics.standing import standing_changes
from htx_pipeline.sample.small import Small, small
from htx_pipeline.schemas import TABLES


@picture(change.decomposition)
def decomposition() -> str:
    links = [("a", "v", 5), ("a", "x", 10), ("a", "y", None), ("a", "z", 9)], [("a", "v", 10), ("a", "x", 4), ("a", "y", 7), ("a", "w", 5)]  # fmt: skip
    made = change.decomposition(*(small(rows).edges for rows in links)).row(0, named=True)
    shown = [("before", 0, made["before"])]
    for part in ("exit", "less", "more", "entry", "reporting"):
        shown.append((part, shown[-1][2], shown[-1][2] + made[part]))
    assert shown[-1][2] == made["after"]
    return steps([*shown, ("after", 0, made["after"])], title="Decomposition of a change")


@picture(change.persistence)
def persistence() -> str:
    links = [("a", "v", 5), ("a", "x", 1), ("a", "y", 1), ("a", "z", 9)], [("a", "v", 5), ("a", "x", 1), ("a", "y", 1), ("a", "w", 5)]  # fmt: skip
    made = change.persistence(*(small(rows).edges for rows in links)).row(0, named=True)
    rows = [(f"a to {b}", [b in "vxyz", b in "vxyw"], r) for b, r in (("v", "kept"), ("x", "kept"), ("y", "kept"), ("z", "ended"), ("w", "new"))]  # fmt: skip
    title = f"Persistence {made['persistence_share']:g}, Jaccard {made['jaccard']:g}"
    return grid(["before", "after"], rows, title=title, width=440, left=90)


@picture(lineage)
def lineage_picture() -> str:
    def of(**groups: str) -> pl.DataFrame:
        rows = [(m, c) for c, names in groups.items() for m in names]
        return pl.DataFrame(rows, schema=["org_id", "cluster_id"], orient="row")

    made = {r["cluster_id"]: r for r in lineage(of(one="abcd", two="ef", three="gh"), of(now="abc", both="efgh", new="xyz")).iter_rows(named=True)}  # fmt: skip
    places = {"abcd": (70, 40), "ef": (210, 40), "gh": (350, 40), "abc": (70, 140), "efgh": (280, 140), "xyz": (460, 140)}  # fmt: skip
    links = [("abcd", "abc", short(made["now"]["jaccard"])), ("ef", "efgh", short(made["both"]["jaccard"])), ("gh", "efgh", short(made["both"]["jaccard"]))]  # fmt: skip
    below = {at: [made[name]["lineage"]] for at, name in (("abc", "now"), ("efgh", "both"), ("xyz", "new"))}  # fmt: skip
    return network(places, links, title="Clusters through the years", size=(520, 215), below=below)


@picture(locality_history)
def locality_history_picture() -> str:
    rows = [("2023", "X", 4, 2), ("2024", "X", 4, 3), ("2025", "X", 4, 4), ("2025", "Y", 5, 2)]
    names = ["period", "locality", "n_cooperatives", "n_reported"]
    none = {"n_linked_signed": 0, "n_linked_executed": 0, "contracted_value_vnd": None, "paid_value_vnd": None, "revenue_vnd": None}  # fmt: skip
    table = pl.DataFrame(rows, schema=names, orient="row").with_columns(**{n: pl.lit(v, dtype=pl.Int64) for n, v in none.items()})  # fmt: skip
    made = locality_history(table, period="2025")
    shares = {(r["locality"], r["year"]): r["reported_share"] for r in made.iter_rows(named=True)}
    years, places = sorted({y for _, y in shares}), sorted({p for p, _ in shares})
    shown = []
    for place in places:
        told = [shares[place, y] for y in years]
        said = ", ".join("null" if s is None else percent(s) for s in told)
        shown.append((f"place {place}", [None if s is None else True for s in told], said))
    return grid(years, shown, title="Reported share of localities through the years", width=500, left=90)  # fmt: skip


@picture(cluster_history)
def cluster_history_picture() -> str:
    years = {"2024": [("a", "b", 5)], "2025": [("a", "b", 7), ("c", "b", 2)]}
    worlds = [small(links, period=year) for year, links in years.items()]
    nodes, edges = (pl.concat([getattr(w, name) for w in worlds]) for name in ("nodes", "edges"))
    made = cluster_history(nodes, edges, communities(edges), TABLES["cooperative_reports"].empty(), period="2025")  # fmt: skip
    rows = [
        (f"{r['year']}: {r['n_organisations']} of the members", r["paid_value_vnd"], f"{r['paid_value_vnd']} paid{', ' + r['lineage'] if r['lineage'] else ''}")
        for r in made.iter_rows(named=True)
    ]  # fmt: skip
    return bars(rows, title="A cluster followed back", scale=12, kinds={len(rows) - 1: "hot"})


@picture(standing_changes)
def standing_changes_picture() -> str:
    def year(period: str, linked: dict[str, str]) -> Small:
        links = [(n, "mill", 9, {"evidence": level}) for n, level in linked.items() if level]
        return small(links, organisations={n: {"legal_type": "htx"} for n in linked}, period=period)

    then = year("2024", {"htx a": "signed", "htx b": "executed", "htx c": "active"})
    now = year("2025", {"htx a": "executed", "htx b": "signed", "htx d": "planned"})
    frames = {key: pl.concat([getattr(w, name) for w in (then, now)]) for key, name in (("core/organisations", "organisations"), ("graph/edges", "edges"))}  # fmt: skip
    made = standing_changes(frames, period="2025").filter(pl.col("subject") == "cooperative")
    level = ["none", "planned", "signed", "active", "executed"]
    rows = []
    for r in made.sort("label").iter_rows(named=True):
        steps_of = (
            ""
            if r["before"] is None
            else f": {level[int(r['before'])]} to {level[int(r['after'])]}"
        )
        rows.append((r["label"], [r["change"] != "new", r["change"] != "gone"], f"{r['change']}{steps_of}"))  # fmt: skip
    return grid(
        ["2024", "2025"], rows, title="What stands otherwise", width=500, left=90, right=210
    )
