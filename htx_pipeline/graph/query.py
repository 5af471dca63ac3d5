"""Asking the network: one organisation's partners, a way between two.

What belongs here: finding an organisation by what a person types, its surroundings as table, text and
picture, shortest ways. What does not: measures (`htx_pipeline.metrics`), reports, files for other
programs (`htx_pipeline.exports`).
"""

from __future__ import annotations

import re
from functools import cache, partial
from html import escape
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.graph import arrays
from htx_pipeline.graph.csr import CSRGraph
from htx_pipeline.graph.network import EVIDENCE, at_least
from htx_pipeline.ingest.names import fold, fold_org

_HINTS: Final = 3
_SHORTEST: Final = 3
ROOM: Final = 50
"""Small letters of a name that a picture has room for."""
# XML 1.0 and terminals alike: no control characters, no surrogates, no non-characters.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")  # fmt: skip
_VALUES: Final = ("paid_value_vnd", "contracted_value_vnd")


def clean(text: str | None) -> str:
    """Replace what a terminal or an XML file cannot show, such as control characters.

    Examples
    --------
    >>> clean("HTX \\x1b[31m A")
    'HTX \ufffd[31m A'
    """
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text or "")


def one_period(frame: pl.DataFrame, period: str | None = None) -> str:
    """Return the period asked for, or the latest there is.

    Raises
    ------
    InputError
        The table has no rows of that period, or none at all.
    """
    there = sorted(frame["period"].drop_nulls().unique().to_list())
    if period is None and there:
        return str(there[-1])
    if period is None or period not in there:
        raise InputError(
            f"There is no network for the period {period}." if period else "The network is empty.",
            remedy=f"Periods there are: {', '.join(there)}." if there else "Run the pipeline first.",
            what_vi="Không có số liệu mạng lưới của kỳ này.",
            code="period_missing",
        )  # fmt: skip
    return period


def find_organisation(nodes: pl.DataFrame, text: str) -> str:
    """Return the id of the organisation that a person means.

    Tried in this order, the first that fits exactly one organisation decides: its id; its name (case,
    spacing and place of tone marks aside); its name without legal form; its name without diacritics.

    Parameters
    ----------
    nodes:
        Rows of `graph/nodes` of one period.
    text:
        Id or name.

    Raises
    ------
    InputError
        No organisation fits (the nearest names are offered) or several do (their ids are listed).

    Examples
    --------
    >>> nodes = pl.DataFrame({"org_id": ["1", "2"], "name": ["HTX Sáu Nhung", "Công ty Đắk Hà"]})
    >>> find_organisation(nodes, "hợp tác xã sáu nhung"), find_organisation(nodes, "cong ty dak ha")
    ('1', '2')
    """
    known = nodes.select("org_id", "name").unique().sort("org_id", "name")
    if text in known["org_id"]:
        return text
    names, asked = known["name"], pl.Series([text])
    keys = (
        fold,
        fold_org,
        partial(fold, strip_diacritics=True),
        partial(fold_org, strip_diacritics=True),
    )
    for key in keys:
        wanted = key(asked).item()
        found = known.filter(key(names) == wanted) if wanted else known.clear()
        if found.height == 1:
            return str(found["org_id"].item())
        if found.height > 1:
            shown = "; ".join(f"{i} {clean(n)}" for i, n in found.head(5).rows())
            raise InputError(
                f"{found.height} organisations are called {clean(text)!r}: {shown}.",
                remedy="Use the id.",
                what_vi=f"Có {found.height} tổ chức cùng tên.",
                remedy_vi="Đề nghị dùng mã tổ chức.",
                code="organisation_ambiguous",
            )
    # "HTX" is in every name and says nothing about which one is meant.
    wanted = fold_org(pl.Series([text]), strip_diacritics=True).item() or ""
    short = fold_org(names, strip_diacritics=True).fill_null("")
    hints = _nearest(known, short, wanted, text)
    offered = "; ".join(f"{clean(n)} ({i})" for i, n in hints)
    holding = int(short.str.contains(wanted, literal=True).sum()) if wanted else 0
    is_part = holding > len(hints) > 0
    raise InputError(
        f"No organisation is called {clean(text)!r}.",
        why=f"It is part of {holding} names; give a whole one, or the id." if is_part else "",
        remedy=f"Did you mean: {offered}?" if hints else "Look the id up in graph/nodes.",
        what_vi=f"Không tìm thấy tổ chức này; {holding} tên có chứa cụm từ này." if is_part
        else "Không tìm thấy tổ chức này.",
        remedy_vi=f"Có phải: {offered}?" if hints else "Đề nghị tra mã tổ chức.",
        code="organisation_unknown",
    )  # fmt: skip


def _nearest(known: pl.DataFrame, keys: pl.Series, wanted: str, text: str) -> list[tuple[str, str]]:
    """Names (or ids) most like the text, best first; of equals, the smaller id."""
    from rapidfuzz import fuzz

    if len(text) < _SHORTEST:
        return []
    scored = [
        (-max(fuzz.WRatio(wanted, key), fuzz.ratio(text, org_id)), org_id, name or org_id)
        for (org_id, name), key in zip(known.rows(), keys.to_list(), strict=True)
    ]
    return [(org_id, name) for score, org_id, name in sorted(scored)[:_HINTS] if score <= -60]


def ego(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    org_id: str,
    *,
    radius: int = 1,
    evidence: str = "planned",
) -> pl.DataFrame:
    """List the linkages around an organisation, nearest and most valuable first.

    Parameters
    ----------
    edges, nodes:
        Rows of `graph/edges`, `graph/nodes` of one period.
    org_id:
        The organisation.
    radius:
        1: its own linkages; 2: also those of its partners; and so on.
    evidence:
        Weakest evidence level shown.

    Returns
    -------
    DataFrame
        ``distance`` (steps from the organisation to the nearer end), ``role`` (of the organisation:
        ``supplier``, ``buyer``, ``both`` for a linkage with itself, null for linkages of others),
        ``supplier_id``, ``supplier_name``, ``buyer_id``, ``buyer_name``, ``product_code``,
        ``evidence``, ``n_linkages``, ``paid_value_vnd``, ``contracted_value_vnd``,
        ``delivered_tonnes``.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["farm", "mill"],
    ...     "buyer_id": ["mill", "shop"], "product_code": ["rice"] * 2, "evidence": ["signed"] * 2}))
    >>> edges = network.edges(links)
    >>> nodes = network.nodes(TABLES["organisations"].empty(), edges)
    >>> ego(edges, nodes, "mill").select("role", "supplier_id", "buyer_id").rows()
    [('supplier', 'mill', 'shop'), ('buyer', 'farm', 'mill')]
    """
    if radius < 1:
        raise InputError(f"The radius is {radius}.", remedy="Use 1 or more.", code="graph_radius")
    if org_id not in nodes["org_id"]:
        raise InputError(f"There is no organisation {clean(org_id)}.", code="organisation_unknown")
    rows = at_least(edges, evidence=evidence)
    reached = pl.DataFrame({"org_id": [org_id], "hops": [0]}, schema_overrides={"hops": pl.Int64})
    for step in range(1, radius):
        last = reached.filter(pl.col("hops") == step - 1)["org_id"]
        beyond = pl.concat(
            [
                rows.filter(pl.col("supplier_id").is_in(last.implode()))["buyer_id"],
                rows.filter(pl.col("buyer_id").is_in(last.implode()))["supplier_id"],
            ]
        ).unique()
        new = pl.DataFrame({"org_id": beyond}).join(reached, on="org_id", how="anti")
        reached = pl.concat([reached, new.with_columns(pl.lit(step, pl.Int64).alias("hops"))])
    names = nodes.select("org_id", "name").unique("org_id", keep="any")
    for end in ("supplier", "buyer"):
        hops = reached.rename({"org_id": f"{end}_id", "hops": f"_{end}"})
        own = names.rename({"org_id": f"{end}_id", "name": f"{end}_name"})
        rows = rows.join(hops, on=f"{end}_id", how="left").join(own, on=f"{end}_id", how="left")
    sells, buys = pl.col("supplier_id") == org_id, pl.col("buyer_id") == org_id
    role = (
        pl.when(sells & buys).then(pl.lit("both"))
        .when(sells).then(pl.lit("supplier"))
        .when(buys).then(pl.lit("buyer"))
    )  # fmt: skip
    value = pl.coalesce(*_VALUES)
    return (
        rows.with_columns(
            pl.min_horizontal("_supplier", "_buyer").alias("distance"), role.alias("role")
        )
        .filter(pl.col("distance").is_not_null())
        .sort(
            "distance", "role", value, "supplier_id", "buyer_id", "product_code", "evidence",
            descending=[False, True, True, False, False, False, True], nulls_last=True,
        )
        .select(
            "distance", "role", "supplier_id", "supplier_name", "buyer_id", "buyer_name", "product_code",
            "evidence", "n_linkages", "paid_value_vnd", "contracted_value_vnd", "delivered_tonnes",
        )
    )  # fmt: skip


def _partners(around: pl.DataFrame, side: str) -> pl.DataFrame:
    """Partners on one side (``supplier`` = who sells to the organisation), most valuable first."""
    role = "buyer" if side == "supplier" else "supplier"
    value = pl.coalesce(*_VALUES)
    strength = pl.col("evidence").replace_strict({e: i for i, e in enumerate(EVIDENCE)}, return_dtype=pl.Int64)  # fmt: skip
    return (
        around.filter(pl.col("role") == role)
        .group_by(pl.col(f"{side}_id").alias("org_id"), pl.col(f"{side}_name").alias("name"))
        .agg(
            pl.when(value.count() > 0).then(value.sum()).alias("value_vnd"),
            pl.col("paid_value_vnd").count().alias("_paid"),
            value.count().alias("_stated"),
            pl.col("n_linkages").sum(),
            pl.col("product_code").drop_nulls().unique().sort().alias("products"),
            strength.max().alias("_strength"),
        )
        .with_columns(
            pl.col("_strength")
            .replace_strict(dict(enumerate(EVIDENCE)), return_dtype=pl.String)
            .alias("evidence")
        )
        .sort("value_vnd", "org_id", descending=[True, False], nulls_last=True)
    )


@cache
def _labels() -> dict[str, str]:
    """Code → Vietnamese label of stages, evidence levels, legal types and products."""
    from htx_pipeline.reference.products import product_labels
    from htx_pipeline.reference.stages import stages
    from htx_pipeline.schemas.linkages import EVIDENCE_LEVELS
    from htx_pipeline.schemas.organisations import LEGAL_TYPES

    coded = {c.code: c.label_vi for c in (*EVIDENCE_LEVELS, *LEGAL_TYPES)}
    return {**product_labels("vi"), **coded, **dict(stages().select("code", "label_vi").rows())}


def label(code: str | None) -> str:
    """Return the Vietnamese label of a stage, evidence level, legal type or product; else the code.

    Examples
    --------
    >>> label("executed"), label("processing"), label("something else")
    ('Đã thực hiện', 'Sơ chế, chế biến', 'something else')
    """
    return _labels().get(code or "", clean(code))


MONEY: Final = "tr.đ: triệu đồng đã trả; (HĐ): theo hợp đồng, chưa ghi số đã trả; (gồm HĐ): có cả hai; –: không ghi"
"""What the amounts of `worth` mean."""


def worth(value: int | None, *, paid: int, stated: int) -> str:
    """Return an amount in million đồng as planners write it, and how much of it is only contracted.

    Of ``stated`` edges that state an amount, ``paid`` state what was paid.

    Examples
    --------
    >>> worth(15_646_000_000, paid=2, stated=2), worth(7_000_000, paid=0, stated=1), worth(None, paid=0, stated=0)
    ('15.646 tr.đ', '7 tr.đ (HĐ)', '–')
    """
    if value is None:
        return "–"
    mark = "" if paid == stated else " (gồm HĐ)" if paid else " (HĐ)"
    return f"{value / 1e6:,.0f} tr.đ".replace(",", ".") + mark


def _worth(row: dict[str, Any]) -> str:
    return worth(row["value_vnd"], paid=row["_paid"], stated=row["_stated"])


def _title(nodes: pl.DataFrame, org_id: str) -> tuple[str, str]:
    row = nodes.filter(pl.col("org_id") == org_id).row(0, named=True)
    facts = [row["org_id"], *(label(row.get(c)) for c in ("legal_type", "stage", "locality"))]
    facts.append(f"kỳ {row['period']}" if row.get("period") else "")
    return clean(row["name"] or org_id), " · ".join(clean(f) for f in facts if f)


def ego_text(
    edges: pl.DataFrame, nodes: pl.DataFrame, org_id: str, *, most: int = 12, evidence: str = "planned"
) -> str:  # fmt: skip
    """Draw an organisation between its suppliers and its buyers, as text.

    Money is paid value where stated, else contracted, in million đồng; `MONEY`, the last line, says so.
    """
    around = ego(edges, nodes, org_id, evidence=evidence)
    name, facts = _title(nodes, org_id)
    lines = []
    for side, arrow, heading in (("supplier", "──▶ ●", "Bán cho tổ chức này / sells to it"), ("buyer", "● ──▶", "Mua của tổ chức này / buys from it")):  # fmt: skip
        partners = _partners(around, side)
        lines.append(f"{heading}: {partners.height}")
        for row in partners.head(most).iter_rows(named=True):
            lines.append(
                f"  {arrow} {clean(row['name'] or row['org_id'])} ({clean(row['org_id'])})  "
                f"{_worth(row)}  {', '.join(map(label, row['products']))}  [{label(row['evidence'])}]"
            )
        if partners.height > most:
            lines.append(f"  … + {partners.height - most} tổ chức khác / others")
    return "\n".join([f"● {name}", f"  {facts}", *lines, MONEY]) + "\n"


def ego_svg(
    edges: pl.DataFrame, nodes: pl.DataFrame, org_id: str, *, most: int = 12, evidence: str = "planned"
) -> str:  # fmt: skip
    """Draw an organisation between its suppliers (left) and its buyers (right), as SVG.

    The width of a line grows with the square root of the value; a dashed line states none; the picture says
    so at its foot. Everything written in it is escaped. Same input, same bytes.
    """
    around = ego(edges, nodes, org_id, evidence=evidence)
    name, facts = _title(nodes, org_id)
    sides = {side: _partners(around, side) for side in ("supplier", "buyer")}
    top = max([v for p in sides.values() for v in p["value_vnd"].drop_nulls().to_list()] or [1]) or 1  # fmt: skip
    rows = max(1, *(min(p.height, most) + (p.height > most) for p in sides.values()))
    width, gap, head = 1120, 34, 96
    height = head + rows * gap + 34
    middle = head + (rows - 1) * gap / 2
    marks = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(name)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{width / 2:g}" y="26" text-anchor="middle" font-size="16" font-weight="bold">{escape(_short(name, 60))}</text>',
        f'<text x="{width / 2:g}" y="46" text-anchor="middle" fill="#555555">{escape(_short(facts, 100))}</text>',
    ]
    for side, x, anchor, inner, heading in (
        ("supplier", 380, "end", 14, "Bán cho tổ chức này / sell to it"),
        ("buyer", 740, "start", -14, "Mua của tổ chức này / buy from it"),
    ):
        partners = sides[side]
        count = min(partners.height, most) + (partners.height > most)
        start = middle - (count - 1) * gap / 2
        marks.append(
            f'<text x="{x - inner / 2:g}" y="{head - 26}" text-anchor="{anchor}" fill="#2f6f57" font-weight="bold">{heading}: {partners.height}</text>'
        )
        for i, row in enumerate(partners.head(most).iter_rows(named=True)):
            y = start + i * gap
            value = row["value_vnd"]
            stroke = 1 + 7 * (value / top) ** 0.5 if value else 1
            dash = "" if value is not None else ' stroke-dasharray="4 4"'
            shown = clean(row["name"] or row["org_id"])
            marks += [
                f'<line x1="{x + inner / 2:g}" y1="{y:g}" x2="{width / 2:g}" y2="{middle:g}" stroke="#7a9a8c" stroke-width="{stroke:.1f}"{dash}/>',
                f'<circle cx="{x + inner / 2:g}" cy="{y:g}" r="6" fill="#2f6f57"/>',
                f'<text x="{x - inner / 2:g}" y="{y:g}" text-anchor="{anchor}"><title>{escape(shown)}</title>{escape(_short(shown, ROOM))}</text>',
                f'<text x="{x - inner / 2:g}" y="{y + 13:g}" text-anchor="{anchor}" font-size="10" fill="#555555">{escape(_worth(row))} · {escape(label(row["evidence"]))}</text>',
            ]
        if partners.height > most:
            y = start + most * gap
            marks.append(
                f'<text x="{x - inner / 2:g}" y="{y:g}" text-anchor="{anchor}" fill="#555555">+ {partners.height - most} tổ chức khác / others</text>'
            )
    marks += [
        f'<circle cx="{width / 2:g}" cy="{middle:g}" r="14" fill="#b5542b"/>',
        f'<text x="{width / 2:g}" y="{height - 8}" font-size="10" fill="#555555" text-anchor="middle">'
        f"Nét càng to, giá trị càng lớn; nét đứt: không ghi giá trị. {escape(MONEY)}.</text>",
        "</svg>\n",
    ]
    return "\n".join(marks)


def _short(text: str, length: int) -> str:
    """Cut a text to the room of so many small letters; capitals are about a third wider."""
    room = np.cumsum([4 / 3 if letter.isupper() else 1.0 for letter in text])
    if not len(room) or room[-1] <= length:
        return text
    return text[: int((room <= length - 1).sum())].rstrip() + "…"


def path(
    edges: pl.DataFrame,
    nodes: pl.DataFrame,
    start: str,
    end: str,
    *,
    any_direction: bool = False,
    evidence: str = "planned",
) -> pl.DataFrame:
    """Return the shortest way of linkages from one organisation to another.

    Of equally short ways, the one whose organisations come first by id, from the start on.

    Parameters
    ----------
    edges, nodes:
        Rows of `graph/edges`, `graph/nodes` of one period.
    start, end:
        Ids.
    any_direction:
        Also walk from a buyer to its supplier; else goods must flow from start to end.

    Returns
    -------
    DataFrame
        ``step``, ``from_id``, ``from_name``, ``to_id``, ``to_name``, ``is_forward`` (from sells to to),
        ``products``, ``evidence`` (the strongest), ``paid_value_vnd``, ``contracted_value_vnd``.

    Raises
    ------
    InputError
        No way leads there, or start and end are the same.

    Examples
    --------
    >>> from htx_pipeline.graph import network
    >>> from htx_pipeline.schemas import TABLES
    >>> links = TABLES["linkages"].conform(pl.DataFrame({"period": ["2024"] * 2, "supplier_id": ["farm", "mill"],
    ...     "buyer_id": ["mill", "shop"], "product_code": ["rice"] * 2, "evidence": ["signed"] * 2}))
    >>> edges = network.edges(links)
    >>> path(edges, network.nodes(TABLES["organisations"].empty(), edges), "farm", "shop").select("from_id", "to_id").rows()
    [('farm', 'mill'), ('mill', 'shop')]
    """
    if start == end:
        raise InputError("Start and end are the same organisation.", code="graph_same_ends")
    rows = at_least(edges, evidence=evidence)
    graph = CSRGraph.from_frame(rows, keys=(), sums=("n_linkages",), dates=())
    if not any_direction:
        walk = _walk(graph, start, end)
    else:
        both = CSRGraph.from_arrays(
            graph.edge_source, graph.edge_target, n=len(graph), directed=False
        )
        walk = _walk(both, start, end, labels=graph.labels)
    if walk is None:
        raise InputError(
            f"No way of linkages leads from {clean(start)} to {clean(end)}.",
            remedy="" if any_direction else "Ask for a way in any direction (--any-direction).",
            what_vi="Không có chuỗi liên kết nào nối hai tổ chức này.",
            code="graph_no_path",
        )
    names = dict(nodes.select("org_id", "name").rows())
    found = []
    for step, (u, v) in enumerate(pairwise(walk), start=1):
        forward = rows.filter(pl.col("supplier_id") == u, pl.col("buyer_id") == v)
        is_forward = forward.height > 0
        used = forward if is_forward else rows.filter(pl.col("supplier_id") == v, pl.col("buyer_id") == u)  # fmt: skip
        sums = {c: used[c].sum() if used[c].count() else None for c in _VALUES}
        strongest = max(used["evidence"].to_list(), key=EVIDENCE.index)
        products = used["product_code"].drop_nulls().unique().sort().to_list()
        found.append((step, u, names.get(u), v, names.get(v), is_forward, products, strongest, *sums.values()))  # fmt: skip
    return pl.DataFrame(
        found,
        schema={
            "step": pl.Int64, "from_id": pl.String, "from_name": pl.String, "to_id": pl.String, "to_name": pl.String,
            "is_forward": pl.Boolean, "products": pl.List(pl.String), "evidence": pl.String,
            "paid_value_vnd": pl.Int64, "contracted_value_vnd": pl.Int64,
        },
        orient="row",
    )  # fmt: skip


def _walk(graph: CSRGraph, start: str, end: str, *, labels: Any | None = None) -> list[str] | None:
    """The shortest walk, first by row number, which is the order of ids."""
    names = list(graph.labels if labels is None else labels)
    place = {name: i for i, name in enumerate(names)}
    if start not in place or end not in place:
        return None
    _, hops = arrays.distances(graph, place[end], direction="in")
    u = place[start]
    if hops[u] < 0:
        return None
    walk = [u]
    while hops[u] > 0:
        row = graph.out.indices[graph.out.indptr[u] : graph.out.indptr[u + 1]]
        u = int(np.min(row[hops[row] == hops[u] - 1]))
        walk.append(u)
    return [str(names[i]) for i in walk]
