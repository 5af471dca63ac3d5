"""From numbers to descriptions of pictures: trends and the chain by stage.

What belongs here: which numbers a picture shows, their words, its table and its marks. What does not:
ink (`charts`, `chain`, `trends`), maps (`geography`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl

from htx_pipeline.report import text
from htx_pipeline.report.behind import by_flow
from htx_pipeline.report.blocks import Field, Figure, Source, Table, money_field
from htx_pipeline.report.builder import Builder
from htx_pipeline.report.frames import Row
from htx_pipeline.report.trends import Trend
from htx_pipeline.report.words import Words

UNITS: Final[Mapping[str, tuple[str, float, int]]] = {
    "count": ("", 1.0, 0),
    "share": ("%", 0.01, 1),
    "tonnes": ("chain.tonnes", 1.0, 1),
    "ha": ("ha", 1.0, 1),
    "number": ("", 1.0, 2),
}
"""Kind → unit, or its key among the words; what one unit is; decimals."""


def name_of(words: str) -> str:
    """Return a name that an SVG id can hold.

    Examples
    --------
    >>> name_of("coffee_robusta"), name_of("Đăk Hà 2")
    ('coffee_robusta', 'k-H-2')
    """
    return re.sub(r"[^0-9A-Za-z_]+", "-", words).strip("-")


def trend_figure(
    builder: Builder, page: str, trends: Sequence[Trend], *, source: Source | None = None
) -> Figure:
    """Return small multiples of *trends*: each with its unit, a year without a value as a gap."""
    w = builder.w
    panels: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for i, trend in enumerate(trends):
        unit, scale, decimals = _unit_of(trend, w)
        shown = [(year, None if value is None else value / scale) for year, value in trend.points]
        points = [
            {"year": year, "value": value, "text": _value_text(value, decimals, unit, w)}
            for year, value in shown
        ]
        gid = f"trend-{name_of(trend.key) or i + 1}"
        panels.append({"gid": gid, "label": trend.label, "unit": unit, "points": points})
        rows.append(
            {
                "key": trend.key or str(i + 1),
                "measure": trend.label,
                "unit": unit,
                **{y: round(v) if v is not None and decimals == 0 else v for y, v in shown},
            }
        )
    years = sorted({year for trend in trends for year, _ in trend.points})
    gap = w("trends.gap_mark")
    marks = [
        {
            "gid": p["gid"],
            "title": p["label"],
            "lines": [f"{q['year']}: {q['text'] or gap} {p['unit'] if q['text'] and p['unit'] != '%' else ''}".strip() for q in p["points"]],
            "select": {},
        }
        for p in panels
    ]  # fmt: skip
    said = "; ".join(
        w("trends.said", label=m["title"], values=", ".join(m["lines"])) for m in marks
    )
    source = source or builder.source(
        ("linkages", "organisations", "cooperative_reports"), w("trends.source")
    )
    return Figure(
        id=f"hinh-dien-bien-{page}",
        title=w("trends.title"),
        alt=w("trends.alt", said=said),
        spec={"kind": "trends", "panels": panels, "gap": gap, "mark": builder.mark(), "marks": marks},
        source=source,
        data=Table(
            id=f"hinh-dien-bien-{page}-so-lieu",
            title=w("trends.data_title"),
            sheet=w("trends.sheet"),
            fields=(
                Field(key="measure", label=w("trends.measure"), width=2.4),
                Field(key="unit", label=w("trends.unit"), width=1.2),
                *(Field(key=y, label=y, kind="number", why_null=gap) for y in years),
            ),
            rows=tuple(rows),
            row_key="key",
            source=source,
        ),
        notes=tuple(dict.fromkeys((*(t.note for t in trends if t.note), *(builder.money_notes() if any(t.kind == "money" for t in trends) else ())))),
    )  # fmt: skip


def _unit_of(trend: Trend, w: Words) -> tuple[str, float, int]:
    """Return unit, what one unit is, and decimals, one for all years of a trend."""
    if trend.kind != "money":
        unit, scale, decimals = UNITS[trend.kind]
        return trend.unit or (w(unit) if "." in unit else unit), scale, decimals
    top = max((abs(v) for _, v in trend.points if v is not None), default=0.0)
    unit, scale = _money_unit(top, w)
    return unit + (f"/{trend.unit}" if trend.unit else ""), scale, 1


def _money_unit(top: float, w: Words) -> tuple[str, float]:
    large, middle, _ = text.UNITS[w.lang]
    return (large, 1e9) if top >= 1e10 else (middle, 1e6)


def _value_text(value: float | None, decimals: int, unit: str, w: Words) -> str:
    if value is None:
        return ""
    return w.number(value, decimals) + ("%" if unit == "%" else "")


# --------------------------------------------------------------------------- the chain


def chain_figure(
    builder: Builder,
    scope: str,
    page: str,
    stages: Mapping[str, int],
    *,
    by_linkage: Iterable[str] = (),
) -> Figure | None:
    """Return the chain by stage of one scope, or None where there are no flows.

    Bands are drawn by signed value where half of the linkages state it, with the part under executed
    linkages solid; else by the value, tonnes or number of linkages that the scope has.

    ``stages``: organisations at each stage; ``by_linkage``: stages that only linkages cover.
    """
    rows = _flow_rows(builder, scope)
    if not rows:
        return None
    w = builder.w
    shown = _by_number(rows, w) if builder.o.is_public else _measure_of(rows, w)
    names = stage_names(w)
    sums: dict[str, float] = {}
    for r in rows:
        sums[r["product_code"]] = sums.get(r["product_code"], 0) + (r[shown.amount] or 0)
    ranked = sorted(sums, key=lambda c: (-sums[c], builder.product(c)))
    unit, scale = _money_unit(max(sums.values()), w) if shown.is_money else (shown.unit, 1.0)
    covered = {s for s in by_linkage if not stages.get(s)}
    flows = [
        {
            "from": r["from_stage"] or "unknown",
            "to": r["to_stage"] or "unknown",
            "product": r["product_code"],
            "amount": r[shown.amount] or 0,
            "executed": None if shown.executed is None or r["kind"] == "balance" else r[shown.executed] or 0,
        }
        for r in rows
    ]  # fmt: skip
    spec = {
        "kind": "chain",
        **({"is_open": True} if builder.o.is_public else {}),
        "stages": [
            {"id": s, "label": names[s], "n": stages.get(s, 0), "why": w("chain.by_linkage") if s in covered else ""}
            for s in text.STAGES
        ],
        "ends": {e: names[e] for e in text.FLOW_ENDS},
        "products": [{"code": c, "label": builder.product(c)} for c in ranked],
        "flows": flows,
        "scale": scale,
        "unit": unit,
        "decimals": 0 if shown.amount == "n_linkages" else 1,
        "words": {k: w(f"chain.{k}", amount="{amount}") for k in ("organisations", "absent", "other", "undrawn", "executed", "not_executed", "ends")},
        "lang": w.lang,
        "mark": builder.mark(),
        "marks": _chain_marks(builder, flows, stages, (unit, scale, 0 if shown.amount == "n_linkages" else 1)),
    }  # fmt: skip
    top = max(rows, key=lambda r: r[shown.amount] or 0)
    source = builder.source(
        ("linkages",),
        w("chain.source", unit=shown.words),
        only=builder.inside(scope) or {"linkages": pl.col("evidence") != "planned"},
    )
    return Figure(
        id=f"hinh-chuoi-{page}",
        title=w("chain.title", unit=shown.words),
        alt=w(
            "chain.alt",
            product=builder.product(top["product_code"]),
            source=text.label(names, top["from_stage"]),
            target=text.label(names, top["to_stage"]),
            amount=_amount(w, top[shown.amount] or 0, (unit, scale, 0 if shown.amount == "n_linkages" else 1)),
        ) + _executed_words(rows, shown, w),
        spec=spec,
        source=source,
        data=_chain_table(builder, page, rows, source),
        notes=(*_chain_notes(rows, shown, w), *builder.money_notes()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Measure:
    """What bands are drawn by: column, column of its executed part, column of what states it."""

    amount: str
    executed: str | None
    stated: str | None
    words: str
    unit: str = ""
    is_money: bool = False


def _flow_rows(builder: Builder, scope: str) -> list[Row]:
    order = {s: i for i, s in enumerate((*text.STAGES, *text.FLOW_ENDS))}
    rows = builder.f.rows(
        "metrics/chain_flows", "product_code", "n_linkages", "value_vnd", "tonnes", "n_value", "n_tonnes",
        "weight_basis", "kind", "signed_value_vnd", "executed_value_vnd", "n_signed_value", "n_executed",
    )  # fmt: skip
    kept = [r for r in rows if r["scope"] == scope]
    if builder.o.is_public:  # Drawn by number; a band of one or two linkages would be somebody's.
        few = builder.o.min_disclosure_count
        kept = [r for r in kept if r["kind"] != "balance" and (r["n_linkages"] or 0) >= few]
    return sorted(
        kept,
        key=lambda r: (
            builder.product(r["product_code"]),
            order.get(r["from_stage"], 9),
            order.get(r["to_stage"], 9),
        ),
    )


def _measure_of(rows: Sequence[Row], w: Words) -> _Measure:
    linkages = sum(r["n_linkages"] or 0 for r in rows)
    signed = sum(r["n_signed_value"] or 0 for r in rows)
    if signed and 2 * signed >= linkages and any(r["signed_value_vnd"] for r in rows):
        return _Measure("signed_value_vnd", "executed_value_vnd", "n_signed_value", w("chain.signed"), is_money=True)  # fmt: skip
    if any(r["value_vnd"] for r in rows):
        words = (
            w.code("basis", rows[0]["weight_basis"])
            if rows[0]["weight_basis"]
            else w("chain.value")
        )
        # What is paid is executed; a value on another basis does not say.
        paid = "value_vnd" if rows[0]["weight_basis"] == "paid_value" else None
        return _Measure("value_vnd", paid, "n_value", words, is_money=True)
    if any(r["tonnes"] for r in rows):
        return _Measure("tonnes", None, "n_tonnes", w("chain.mass"), unit=w("chain.tonnes"))
    return _by_number(rows, w)


def _by_number(rows: Sequence[Row], w: Words) -> _Measure:
    told = "n_executed" if any(r["n_executed"] for r in rows) else None
    return _Measure("n_linkages", told, None, w("chain.links"), unit=w("chain.linkages"))


def stage_names(w: Words) -> dict[str, str]:
    """Return the names of stages and of the ends of flows."""
    return {
        **{s: w.code("stage", s) for s in text.STAGES},
        **{e: w(f"chain.end_{e}") for e in text.FLOW_ENDS},
    }


def _amount(w: Words, value: float, unit: tuple[str, float, int]) -> str:
    name, scale, decimals = unit
    return f"{w.number(value / scale, decimals)} {name}"


def _executed_words(rows: Sequence[Row], shown: _Measure, w: Words) -> str:
    if shown.executed is None:
        return ""
    own = [r for r in rows if r["kind"] != "balance"]
    whole = sum(r[shown.amount] or 0 for r in own)
    share = sum(r[shown.executed] or 0 for r in own) / whole if whole else None
    return "" if share is None else w("chain.alt_executed", share=w.share(share))


def _chain_marks(
    builder: Builder,
    flows: Sequence[Mapping[str, Any]],
    stages: Mapping[str, int],
    unit: tuple[str, float, int],
) -> list[dict[str, Any]]:
    """Return what can be asked of the picture: each stage and each band."""
    from htx_pipeline.report.chain_layout import flow_gid

    w = builder.w
    names = stage_names(w)
    marks: list[dict[str, Any]] = []
    for s in text.STAGES:
        into = math.fsum(f["amount"] for f in flows if f["to"] == s)
        out = math.fsum(f["amount"] for f in flows if f["from"] == s)
        lines = [f"{w.number(stages.get(s, 0))} {w('chain.organisations')}"]
        lines += [f"{w('chain.into')}: {_amount(w, into, unit)}"] if into else []
        lines += [f"{w('chain.out')}: {_amount(w, out, unit)}"] if out else []
        marks.append(
            {"gid": f"node-{s}", "title": names[s], "lines": lines, "select": {"stage": s}}
        )
    sums: dict[str, dict[str, Any]] = {}
    for f in flows:
        is_end = f["from"] in text.FLOW_ENDS or f["to"] in text.FLOW_ENDS
        gid = flow_gid(f["from"], f["to"], "" if is_end else f["product"])
        one = sums.setdefault(gid, {**f, "amount": 0, "executed": None, "is_end": is_end})
        one["amount"] += f["amount"]
        if f["executed"] is not None:
            one["executed"] = (one["executed"] or 0) + f["executed"]
    for gid, f in sums.items():
        if not f["amount"]:
            continue
        way = f"{names[f['from']]} → {names[f['to']]}"
        lines = [_amount(w, f["amount"], unit)]
        if f["executed"] is not None:
            lines.append(f"{w('chain.executed')}: {w.share(f['executed'] / f['amount'])}")
        select = {"stage": f["from"] if f["from"] in text.STAGES else f["to"]}
        if f["is_end"]:
            marks.append({"gid": gid, "title": way, "lines": lines, "select": select})
        else:
            title = f"{builder.product(f['product'])}: {way}"
            marks.append({"gid": gid, "title": title, "lines": lines, "select": {"product": f["product"], **select}})  # fmt: skip
    return marks


def _chain_notes(rows: Sequence[Row], shown: _Measure, w: Words) -> list[str]:
    notes = []
    stated = shown.stated
    unstated = sum(
        max(0, (r["n_linkages"] or 0) - (r[stated] or 0)) if r.get(stated) is not None
        else (0 if r[shown.amount] else r["n_linkages"] or 0)
        for r in rows
    ) if stated else 0  # fmt: skip
    if unstated:
        notes.append(w("chain.unstated", n=w.number(unstated), unit=shown.words))
    if any(r["kind"] == "balance" and r[shown.amount] for r in rows):
        notes.append(w("chain.balance"))
    return notes


def _chain_table(builder: Builder, page: str, rows: Sequence[Row], source: Source) -> Table:
    w = builder.w
    names = stage_names(w)
    why = w("chain.why_null")
    fields = [
        Field(key="product", label=w("chain.product"), width=1.5),
        Field(key="from", label=w("chain.from"), width=2.0),
        Field(key="to", label=w("chain.to"), width=2.0),
        Field(key="n_linkages", label=w("chain.n_linkages"), kind="count"),
    ]
    if not builder.o.is_public and any(r["signed_value_vnd"] is not None for r in rows):
        fields.append(
            money_field("signed_value_vnd", w("chain.col_signed"), rows, why_null=why, lang=w.lang)
        )
        fields.append(money_field("executed_value_vnd", w("chain.col_executed"), rows, why_null=why, lang=w.lang))  # fmt: skip
    fields.append(money_field("value_vnd", w("chain.col_value"), rows, why_null=why, lang=w.lang))
    fields.append(Field(key="tonnes", label=w("chain.col_mass"), kind="tonnes", unit=w("chain.tonnes"), why_null=why))  # fmt: skip
    return Table(
        id=f"hinh-chuoi-{page}-so-lieu",
        title=w("chain.data_title"),
        sheet=w("chain.sheet"),
        fields=tuple(fields),
        rows=tuple(
            {
                **r,
                "key": flow_key(r),
                "product": builder.product(r["product_code"]),
                "from": text.label(names, r["from_stage"] or "unknown"),
                "to": text.label(names, r["to_stage"] or "unknown"),
            }
            for r in rows
        ),
        row_key="key",
        row_rows=partial(by_flow, {r["org_id"]: r["stage"] for r in builder.f.rows("graph/nodes", "org_id", "stage")}),
        source=source,
    )  # fmt: skip


def flow_key(row: Mapping[str, Any]) -> str:
    """Return the name of a flow for good: what goes from where to where, and of what kind."""
    parts = (row["from_stage"], row["to_stage"], row["product_code"], row["kind"])
    return "-".join(name_of(str(p)) for p in parts if p)
