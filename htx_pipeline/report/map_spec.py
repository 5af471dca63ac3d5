"""From organisations in communes to the description of a map.

What belongs here: which communes a map shows, their counts and classes, names, makers, its table and marks.
What does not: where organisations are (`geography`), land and insets (`map_ground`), ink (`maps`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from htx_pipeline.report.behind import by_org
from htx_pipeline.report.blocks import Field, Figure, Table
from htx_pipeline.report.builder import Builder
from htx_pipeline.report.drawing import OKABE_ITO
from htx_pipeline.report.frames import Row
from htx_pipeline.report.geography import COOPERATIVES, Geography
from htx_pipeline.report.map_ground import (
    PANEL_HEIGHTS,
    UNITS_PER_KM,
    View,
    bounds_of,
    ground_of,
    ints,
    is_inside,
    islands_of,
    locator_of,
    view_of,
)

PANEL_WIDTH: Final = 4.3
LOCATOR_WIDTH: Final = 1.45
"""What the inset of the province takes from the width of a low map, in inches."""
MOST_NAMES: Final = 16
"""Communes named on a map: those with most organisations."""
MOST_KINDS: Final = 2
"""Products told apart among the processors of one commune; the others share a mark."""


def map_figure(
    builder: Builder, scope: str, page: str, *, tallest_in: float = PANEL_HEIGHTS[1]
) -> Figure | None:
    """Return the map of a scope, or None where no organisation of it has a commune.

    ``scope``: "province", a cluster's id, or "locality:<name>"; ``tallest_in``: greatest height of the
    map in inches.
    """
    geography = builder.geography
    if geography is None:
        return None
    shown = _shown(builder, scope)
    if builder.o.is_public:
        shown = _unnamed(builder, geography, shown)
        if scope != "province" and not scope.startswith("locality:"):
            # The only processor of a commune would be known by its place.
            shown = [
                {**r, "stage": None if r["stage"] == "processing" else r["stage"]} for r in shown
            ]
    counts = Counter(geography.commune_of[r["org_id"]] for r in shown if r["org_id"] in geography.commune_of)  # fmt: skip
    if not counts:
        return None
    w = builder.w
    told = builder.f.shared("communes with data", lambda: _with_data(builder, geography))
    kind = "province" if scope == "province" else "cluster"
    if scope.startswith("locality:"):
        kind = "locality"
    makers = _makers(builder, geography, shown, is_told_apart=scope != "province")
    far = [c for c in geography.far if c in geography.communes]
    seen = _seen(geography, scope, counts, makers)
    view, size = view_of(seen, PANEL_WIDTH, tallest_in)
    locator = locator_of(geography, view)
    is_low = tallest_in < PANEL_HEIGHTS[0]
    if is_low and locator:
        # The inset stands between map and key, not above the key, so that the picture stays low.
        view, size = view_of(seen, PANEL_WIDTH - LOCATOR_WIDTH, tallest_in)
        locator = locator_of(geography, view)
    classes = _classes(counts.values())
    levels = {c: next(i for i, (_, top) in enumerate(classes) if n <= top) for c, n in counts.items()}  # fmt: skip
    states = {
        c: levels.get(c, -1 if c in geography.area and c not in told else None)
        for c in geography.communes
    }
    named = sorted((c for c in counts if c not in far), key=lambda c: (-counts[c], c))
    codes = geography.near
    spec = {
        "kind": "map",
        "view": ints(view),
        "size": [round(s, 3) for s in size],
        **ground_of(geography, codes, states, view),
        "names": [
            {
                "at": ints((geography.communes[c].x, geography.communes[c].y)),
                "words": f"{geography.communes[c].name} {w.number(counts[c])}",
                "is_free": geography.communes[c].shape is not None,
            }
            for c in named[:MOST_NAMES]
        ],
        "n_unnamed": len(named[MOST_NAMES:]),
        "makers": [m for m in makers if is_inside(m["at"], view)],
        "maker_key": _maker_key(builder, makers),
        "levels": [w("map.range", low=w.number(a), high=w.number(b)) if a < b else w.number(b) for a, b in classes],
        "locator": locator,
        "is_low": is_low,
        "islands": islands_of(geography, far, states),
        "words": {k: w(f"map.{k}", n="{n}") for k in ("none", "no_data", "makers", "km", "hull", "unnamed", "locator")}
        | {"level": w(f"map.level_{kind}")},
        "mark": builder.mark(),
        "marks": _marks(builder, geography, shown, states, kind),
    }  # fmt: skip
    return _figure(builder, geography, page, shown=shown, spec=spec, kind=kind)


# --------------------------------------------------------------------------- who is shown


def _shown(builder: Builder, scope: str) -> list[Row]:
    """Return the organisations that a map counts, with their stage."""
    if scope not in ("province",) and not scope.startswith("locality:"):
        return builder.members_of(scope)
    stages = {r["org_id"]: r["stage"] for r in builder.f.rows("metrics/cluster_members", "stage")}
    rows = builder.f.rows("core/organisations", "locality", "legal_type")
    linked = {r[side] for r in builder.signed_linkages() for side in ("supplier_id", "buyer_id")}
    geography = builder.geography
    if scope == "province":
        own = [r for r in rows if r["org_id"] in linked]
    else:
        place = scope.removeprefix("locality:")
        own = [
            r for r in rows
            if r["locality"] == place or _commune_name(geography, r["org_id"]) == place
        ]  # fmt: skip
    return [
        {**r, "stage": stages.get(r["org_id"]), "is_linked": r["org_id"] in linked} for r in own
    ]


def _unnamed(builder: Builder, geography: Geography, rows: Sequence[Row]) -> list[Row]:
    """Return the organisations of communes with too many to know one of them by its place."""
    home = geography.commune_of
    there = Counter(home.get(r["org_id"]) for r in builder.f.rows("core/organisations"))
    return [r for r in rows if there[home.get(r["org_id"])] >= builder.o.min_disclosure_count]


def _commune_name(geography: Geography | None, org_id: str) -> str | None:
    if geography is None or org_id not in geography.commune_of:
        return None
    return geography.communes[geography.commune_of[org_id]].full_name


def _with_data(builder: Builder, geography: Geography) -> set[str]:
    """Return the communes of which something is known: a cooperative that reported, or, where nobody
    reports, an organisation in the register."""
    sent = {r["org_id"] for r in builder.f.rows("core/cooperative_reports")}
    known: set[str] = set()
    silent: set[str] = set()
    for r in builder.f.rows("core/organisations"):
        code = geography.commune_of.get(r["org_id"])
        if code is None:
            continue
        if sent and r["legal_type"] in COOPERATIVES and r["org_id"] not in sent:
            silent.add(code)
        else:
            known.add(code)
    return known


def _makers(
    builder: Builder, geography: Geography, shown: Sequence[Row], *, is_told_apart: bool
) -> list[dict[str, Any]]:
    """Return the processors of a map: one mark for each place and product, with their number."""
    products = builder.f.shared("products of organisations", lambda: _products(builder))
    places: dict[tuple[int, ...], Counter[str]] = {}
    for r in shown:
        code = geography.commune_of.get(r["org_id"])
        if r["stage"] != "processing" or code is None or code in geography.far:
            continue
        own = products.get(r["org_id"], Counter())
        product = min(own, key=lambda p: (-own[p], p), default="") if is_told_apart else ""
        home = geography.communes[code]
        middle = (home.x, home.y)
        point = middle if builder.o.is_public else geography.points.get(r["org_id"], middle)
        at = tuple(ints(point))
        places.setdefault(at, Counter())[product] += 1
    styles = _styles(builder) if is_told_apart else {}
    found = []
    for at, counted in sorted(places.items()):
        ranked = sorted(counted, key=lambda p: (p not in styles, -counted[p], p))
        kept = [p for p in ranked if p in styles][: MOST_KINDS if len(ranked) > 1 else 1]
        found += [{"at": list(at), "style": styles[p], "n": counted[p], "product": p} for p in kept]
        rest = sum(n for p, n in counted.items() if p not in kept)
        if rest:
            found.append({"at": list(at), "style": len(OKABE_ITO), "n": rest, "product": ""})
    return found


def _products(builder: Builder) -> dict[str, Counter[str]]:
    """Return organisation → how many signed linkages it has in each product."""
    found: dict[str, Counter[str]] = {}
    for r in builder.signed_linkages():
        if r["product_code"]:
            for side in ("supplier_id", "buyer_id"):
                own = found.get(r[side])
                if own is None:
                    own = found[r[side]] = Counter()
                own[r["product_code"]] += 1
    return found


def _styles(builder: Builder) -> dict[str, int]:
    """Return product → its shape and colour, the same on every map of a report."""
    styles: dict[str, int] = builder.f.shared("products of maps", lambda: _ranked(builder))
    return styles


def _ranked(builder: Builder) -> dict[str, int]:
    counted = Counter(r["product_code"] for r in builder.signed_linkages() if r["product_code"])
    ranked = sorted(counted, key=lambda p: (-counted[p], p))
    return {p: i for i, p in enumerate(ranked[: len(OKABE_ITO)])}


def _maker_key(builder: Builder, makers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    w = builder.w
    if makers and all(m["style"] >= len(OKABE_ITO) for m in makers):
        return [{"style": len(OKABE_ITO), "label": w("map.any_product")}]
    names: dict[int, str] = {}
    for m in makers:
        is_other = m["style"] >= len(OKABE_ITO)
        names[m["style"]] = w("map.other") if is_other else builder.product(m["product"])
    return [{"style": s, "label": names[s]} for s in sorted(names)]


# --------------------------------------------------------------------------- what is seen


def _seen(
    geography: Geography,
    scope: str,
    counts: Mapping[str, int],
    makers: Sequence[Mapping[str, Any]],
) -> list[View]:
    """Return the bounds that the view must hold."""
    codes: Iterable[str] = geography.area if scope == "province" else counts
    own = [bounds_of(geography.communes[c]) for c in sorted(codes) if c not in geography.far]
    if not own:
        own = [bounds_of(geography.communes[c]) for c in sorted(geography.area) if c not in geography.far]  # fmt: skip
    own += [(x / UNITS_PER_KM, y / UNITS_PER_KM) * 2 for x, y in (m["at"] for m in makers)]
    return own


def _classes(counts: Iterable[int]) -> list[tuple[int, int]]:
    """Return at most four classes of whole numbers: each value its own, else quarters of the communes.

    Examples
    --------
    >>> _classes([1, 3, 3]), _classes([1, 1, 2, 2, 3, 4, 5, 28])
    ([(1, 1), (3, 3)], [(1, 1), (2, 2), (3, 4), (5, 28)])
    """
    values = sorted(counts)
    distinct = sorted(set(values))
    if len(distinct) <= 4:
        return [(v, v) for v in distinct]
    tops = sorted({values[(len(values) * k - 1) // 4] for k in (1, 2, 3)} | {values[-1]})
    lows = [values[0], *(t + 1 for t in tops[:-1])]
    return list(zip(lows, tops, strict=True))


# --------------------------------------------------------------------------- table, marks, words


def _rows_of(geography: Geography, shown: Sequence[Row]) -> list[Row]:
    rows: dict[str, Row] = {}
    for r in shown:
        code = geography.commune_of.get(r["org_id"])
        if code is None:
            continue
        one = geography.communes[code]
        row = rows.setdefault(code, {"code": code, "commune": one.full_name, "locality": one.locality, "n": 0, "n_cooperatives_and_groups": 0, "n_makers": 0, "n_linked": 0})  # fmt: skip
        row["n"] += 1
        row["n_cooperatives_and_groups"] += r["legal_type"] in COOPERATIVES
        row["n_makers"] += r["stage"] == "processing"
        row["n_linked"] += bool(r.get("is_linked", True))
    return sorted(rows.values(), key=lambda r: (-r["n"], r["code"]))


def _marks(
    builder: Builder,
    geography: Geography,
    shown: Sequence[Row],
    states: Mapping[str, int | None],
    kind: str,
) -> list[dict[str, Any]]:
    w = builder.w
    rows = {r["code"]: r for r in _rows_of(geography, shown)}
    marks = []
    for code, one in geography.communes.items():
        if code not in rows and code not in geography.area:
            continue
        if code in rows:
            r = rows[code]
            lines = [w(f"map.n_{kind}", n=w.number(r["n"]), coops=w.number(r["n_cooperatives_and_groups"]))]  # fmt: skip
            if kind == "locality":
                lines.append(w("map.n_linked", n=w.number(r["n_linked"])))
            if r["n_makers"]:
                lines.append(w("map.n_makers", n=w.number(r["n_makers"])))
        else:
            lines = [w("map.no_data" if states[code] == -1 else "map.none")]
        lines += [one.locality] if one.locality else []
        select = {"locality": one.locality} if one.locality else {}
        marks.append({"gid": f"commune-{code}", "title": one.full_name, "lines": lines, "select": select})  # fmt: skip
    return marks


def _figure(
    builder: Builder,
    geography: Geography,
    page: str,
    *,
    shown: Sequence[Row],
    spec: Mapping[str, Any],
    kind: str,
) -> Figure:
    w = builder.w
    rows = _rows_of(geography, shown)
    is_without_makers = builder.o.is_public and kind == "cluster"
    top = w.listing((f"{r['commune']} ({w.number(r['n'])})" for r in rows[:3]), of="place")
    makers = [r for r in rows if r["n_makers"]]
    alt = w(f"map.alt_{kind}", n=w.number(len(rows)), top=top)
    if makers:
        alt += w("map.alt_makers", places=w.listing((r["commune"] for r in makers), most=5, of="place"))  # fmt: skip
    notes = []
    lost = sum(r["org_id"] not in geography.commune_of for r in shown)
    if lost:
        notes.append(w("map.lost", n=w.number(lost)))
    split = sum(r["org_id"] in geography.split for r in shown)
    if split:
        notes.append(w("map.split", n=w.number(split)))
    if not geography.has_shapes:
        notes.append(w("map.pointwise"))
    source = builder.source(("organisations",), w("map.source"), only=_only(shown))
    fields = [
        Field(key="commune", label=w("map.commune"), width=2.0),
        Field(key="locality", label=builder.o.locality_label, width=1.6),
        Field(key="n", label=w(f"map.col_{kind}"), kind="count"),
        Field(key="n_cooperatives_and_groups", label=w("map.col_coops"), kind="count"),
        *([Field(key="n_linked", label=w("map.col_linked"), kind="count")] if kind == "locality" else []),
        # Where processors are not told by place, a column of zeros would be false.
        *([] if is_without_makers else [Field(key="n_makers", label=w("map.makers"), kind="count")]),
    ]  # fmt: skip
    return Figure(
        id=f"hinh-ban-do-{page}",
        title=w("map.title_members" if is_without_makers else f"map.title_{kind}"),
        alt=alt,
        spec=spec,
        source=source,
        data=Table(
            id=f"hinh-ban-do-{page}-so-lieu",
            title=w("map.data_title"),
            sheet=w("map.sheet"),
            fields=tuple(fields),
            rows=tuple(rows),
            row_key="code",
            row_rows=lambda r: by_org(
                *(o["org_id"] for o in shown if geography.commune_of.get(o["org_id"]) == r["code"])
            ),
            source=source,
        ),
        notes=tuple(notes),
    )


def _only(shown: Sequence[Row]) -> dict[str, Any]:
    import polars as pl

    return {"organisations": pl.col("org_id").is_in([r["org_id"] for r in shown])}
