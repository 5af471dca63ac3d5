"""From numbers to descriptions of pictures: trends and the chain by stage.

What belongs here: which numbers a picture shows, their words, its table and its marks. What does not:
ink (`charts`, `chain`, `trends`), maps (`geography`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Field, Figure, Source, Table
from htx_pipeline.report.trends import Trend

if TYPE_CHECKING:
    from htx_pipeline.report.builder import Builder

UNITS: Final[Mapping[str, tuple[str, float, int]]] = {
    "count": ("", 1.0, 0),
    "share": ("%", 0.01, 1),
    "tonnes": ("tấn", 1.0, 1),
    "ha": ("ha", 1.0, 1),
    "number": ("", 1.0, 2),
}
"""Kind → unit, what one unit is, decimals."""


@cache
def _catalogue(lang: str) -> Mapping[str, Mapping[str, str]]:
    path = Path(__file__).parent / "words" / f"pictures.{lang}.toml"
    return tomllib.loads(path.read_text("utf-8"))


def say(key: str, /, *, lang: str = "vi", **values: object) -> str:
    """Return a sentence of pictures.

    Examples
    --------
    >>> say("trends.title")
    'Diễn biến các năm'
    """
    group, name = key.split(".")
    return _catalogue(lang)[group][name].format(**values)


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
    panels: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for i, trend in enumerate(trends):
        unit, scale, decimals = _unit_of(trend)
        shown = [
            (year, None if value is None else value / scale) for year, value in trend.points
        ]
        points = [
            {"year": year, "value": value, "text": _value_text(value, decimals, unit)}
            for year, value in shown
        ]
        gid = f"trend-{name_of(trend.key) or i + 1}"
        panels.append({"gid": gid, "label": trend.label, "unit": unit, "points": points})
        rows.append(
            {
                "key": trend.key or str(i + 1),
                "measure": trend.label,
                "unit": unit,
                **{year: value for year, value in shown},
            }
        )
    years = sorted({year for trend in trends for year, _ in trend.points})
    gap = say("trends.gap_mark")
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
        say("trends.said", label=m["title"], values=", ".join(m["lines"])) for m in marks
    )
    source = source or builder.source(
        ("linkages", "organisations", "cooperative_reports"), say("trends.source")
    )
    return Figure(
        id=f"hinh-dien-bien-{page}",
        title=say("trends.title"),
        alt=say("trends.alt", said=said),
        spec={"kind": "trends", "panels": panels, "gap": gap, "mark": builder.mark(), "marks": marks},
        source=source,
        data=Table(
            id=f"hinh-dien-bien-{page}-so-lieu",
            title=say("trends.data_title"),
            sheet=say("trends.sheet"),
            fields=(
                Field(key="measure", label=say("trends.measure"), width=2.4),
                Field(key="unit", label=say("trends.unit"), width=1.2),
                *(Field(key=y, label=y, kind="number", why_null=gap) for y in years),
            ),
            rows=tuple(rows),
            row_key="key",
            source=source,
        ),
        notes=tuple(dict.fromkeys((*(t.note for t in trends if t.note), *(builder.money_notes() if any(t.kind == "money" for t in trends) else ())))),
    )  # fmt: skip


def _unit_of(trend: Trend) -> tuple[str, float, int]:
    """Return unit, what one unit is, and decimals, one for all years of a trend."""
    if trend.kind != "money":
        unit, scale, decimals = UNITS[trend.kind]
        return trend.unit or unit, scale, decimals
    top = max((abs(v) for _, v in trend.points if v is not None), default=0.0)
    unit, scale = ("tỷ đồng", 1e9) if top >= 1e10 else ("triệu đồng", 1e6)
    return unit + (f"/{trend.unit}" if trend.unit else ""), scale, 1


def _value_text(value: float | None, decimals: int, unit: str) -> str:
    if value is None:
        return ""
    return text.number(value, decimals) + ("%" if unit == "%" else "")
