"""What a cluster lacks, and who should do what about it.

What belongs here: reading gaps off a cluster's figures, setting beside each the action of the
reference data and the unit that the plan's tasks name. What does not: the actions and limits
themselves (`htx_pipeline.reference.actions`), layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from htx_pipeline.reference.actions import Action, actions, limits, task_for
from htx_pipeline.report import text
from htx_pipeline.report.cluster_view import ClusterView, Sum
from htx_pipeline.report.frames import Row
from htx_pipeline.report.words import Words

PLAN_TESTS: Final = ("has_processing", "has_path")
"""Tests from the plan's own words, which have gaps of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing missing or weak: what the figures say, and the id of the figure that says it."""

    action: Action
    evidence: str
    figure: str
    key: str


def gaps(view: ClusterView, w: Words, *, product: str, today: Any) -> list[Gap]:
    """Return the gaps of a cluster, the most pressing first.

    Parameters
    ----------
    view:
        The cluster.
    w:
        Words of the page's language.
    product:
        Name of the main product.
    today:
        Date of the data.
    """
    known = actions()
    made = [
        Gap(
            action=known[key.split(":")[0]],
            evidence=text.sentence(evidence),
            figure=figure,
            key=key,
        )
        for key, evidence, figure in _found(view, w, product[:1].lower() + product[1:], today)
    ]
    return sorted(made, key=lambda g: (g.action.rank, g.key))


def _found(view: ClusterView, w: Words, product: str, today: Any) -> Iterable[tuple[str, str, str]]:
    """Yield (gap, what the figures say, id of the figure)."""
    page = view.page
    for stage in view.missing_stages:
        said = w("gap.stage_missing", stage=w(f"stage.{stage}").lower(), product=product)
        yield f"stage_missing.{stage}", said, view.stage_figure(stage)
    yield from _execution(view, w, today)
    yield from _dependence(view, w)
    yield from _tests(view, w)
    if view.bottleneck:
        b = view.bottleneck
        said = w(
            "gap.bottleneck_open" if view.is_open else "gap.bottleneck", product=product, from_stage=w.code("stage_short", b["from_stage"]).lower(),
            to_stage=w.code("stage_short", b["to_stage"]).lower(), cut=w.number(b["cut_flow"]), supply=w.number(b["supply"]),
        )  # fmt: skip
        yield "bottleneck", said, ""
    if view.silent:
        names = w.listing(
            sorted(m["name"] or m["org_id"] for m in view.silent), most=3, of="cooperative"
        )
        silent = w.count("cooperative", len(view.silent))
        said = w("gap.not_reported_n", n=silent) if view.is_open else w("gap.not_reported", n=silent, names=names)  # fmt: skip
        yield "not_reported", said, f"{page}/chat-luong/reported/count"
    if view.strangers:
        n, share = w.count("organisation", len(view.strangers)), view.matched_value_share
        said = (
            w("gap.not_in_register_n", n=n)
            if share is None or view.is_open
            else w("gap.not_in_register", n=n, share=w.share(share))
        )
        yield "not_in_register", said, f"{page}/chat-luong/matched/value"


def _amount(key: str, w: Words, found: Sum, **more: object) -> str:
    """Say a number of linkages with their value where it is stated."""
    n = w.count("linkage", found.n)
    if found.value_vnd is None:
        return w(f"gap.{key}_n", n=n, **more)
    return w(f"gap.{key}", n=n, value=w.money(found.value_vnd), **more)


def _execution(view: ClusterView, w: Words, today: Any) -> Iterable[tuple[str, str, str]]:
    page, share = view.page, view.c["executed_share"]
    if view.ended.n:
        said = _amount("ended_without_delivery", w, view.ended, day=w.day(today))
        yield "ended_without_delivery", said, f"{page}/viec-can-lam/ended_without_delivery/n"
    if limits()["executed_share"].is_reached(share):
        by_value = view.c["executed_share_basis"] != "links"
        left = (view.all.value_vnd or 0) - (view.executed.value_vnd or 0) if by_value else None
        said = _amount(
            "low_execution", w, Sum(view.all.n - view.executed.n, left), share=w.share(share),
            basis=w(f"basis.{'contracted_value' if by_value else 'links'}"),
        )  # fmt: skip
        yield "low_execution", said, f"{page}/so-chinh/executed"
    if view.ending.n:
        days = int(limits()["ends_within_days"].value)
        yield (
            "ending_soon",
            _amount("ending_soon", w, view.ending, days=w.number(days)),
            f"{page}/viec-can-lam/ending_soon/n",
        )


def _dependence(view: ClusterView, w: Words) -> Iterable[tuple[str, str, str]]:
    if not view.buyers or not limits()["largest_buyer_share"].is_reached(view.buyers[0]["share"]):
        return
    top = view.buyers[0]
    if view.is_open:
        yield "one_buyer", w("gap.one_buyer_open"), f"{view.page}/so-chinh/organisations"
        return
    said = w(
        "gap.one_buyer", name=top["name"], share=w.share(top["share"]), captive=w.count("seller", top["n_captive"]),
        basis=w(f"basis.{view.c['weight_basis'] or 'links'}"),
    )  # fmt: skip
    yield "one_buyer", said, f"{view.page}/ben-mua/{top['org_id']}/share"


def _tests(view: ClusterView, w: Words) -> Iterable[tuple[str, str, str]]:
    failed = [r for r in view.criteria if r["is_passed"] is False]
    legal = [r for r in failed if r["criterion"] not in PLAN_TESTS]
    if any(r["criterion"] == "has_path" for r in failed) and not view.missing_stages:
        said = w("gap.no_path", n=w.count("linkage", view.c["n_linkages"]))
        yield "no_path", said, f"{view.page}/tieu-chi/has_path/value"
    if legal:
        name = test_name if view.is_open else test_words
        tests = "; ".join(name(r, w) for r in legal)
        yield "criterion_failed", w("gap.criterion_failed", tests=tests), f"{view.page}/tieu-chi/{legal[0]['criterion']}/value"  # fmt: skip


def test_name(r: Row, w: Words) -> str:
    """Return a test by its name, which names its threshold."""
    return str(r["label_vi" if w.lang == "vi" else "label_en"] or r["criterion"])


def test_words(r: Row, w: Words) -> str:
    """Return a test with its value and threshold in words."""
    label = r["label_vi" if w.lang == "vi" else "label_en"] or r["criterion"]
    number = measure(r["threshold"], None, w)
    # A label that names its threshold need not be followed by it.
    is_said = re.search(rf"(?<!\d){re.escape(number)}(?!\d)", label) is not None
    said = w(
        "gap.criterion_short" if is_said else "gap.criterion", label=label, value=measure(r["value"], None, w),
        comparator=text.COMPARATORS.get(r["comparator"] or "", r["comparator"]),
        threshold=measure(r["threshold"], r["value_unit"], w),
    )  # fmt: skip
    return said if r["is_verified"] is not False else f"{said[:-1]}; {w('criteria.unverified')})"


def measure(value: float | None, unit: str | None, w: Words) -> str:
    """Return a value with its unit."""
    if value is None:
        return text.NULL_MARK
    if unit == "yes_no":
        return w("unit.yes" if value else "unit.no")
    if unit == "share":
        return w.share(value)
    number = w.number(value, 0 if float(value).is_integer() else 1)
    return f"{number} {w.code('unit', unit)}".strip() if unit else number


def gap_rows(
    found: Sequence[Gap],
    tasks: Sequence[Mapping[str, Any]],
    w: Words,
    *,
    locality: str | None,
    counts: Mapping[str, int],
) -> list[Row]:
    """Return the lines of the table: gap, action, unit from the plan's tasks, basis.

    ``counts``: linkages that a gap counts, by gap.
    """
    rows = []
    for g in found:
        task = task_for(g.action, tasks, locality=locality)
        own = g.action.source_vi if w.lang == "vi" else g.action.source_en
        basis = own if g.action.is_verified or g.action.is_own else w("gaps.unverified", source=own)
        rows.append(
            {
                "key": g.key,
                "gap": g.evidence,
                "action": text.sentence(
                    g.action.action_vi if w.lang == "vi" else g.action.action_en
                ),
                "unit": _unit(task, w) if task else w("gaps.no_task" if tasks else "gaps.no_plan"),
                "basis": basis,
                "figure": g.figure or None,
                "n": counts.get(g.key),
                "task": task["task"] if task else None,
                "document": task["document"] if task else None,
            }
        )
    return rows


def _unit(task: Mapping[str, Any], w: Words) -> str:
    department, number = str(task["department"]), str(task.get("task_number") or text.NULL_MARK)
    if not task.get("status"):
        return w("gaps.task_plain", department=department, number=number)
    status = w.code("status", str(task["status"]))
    if task.get("progress_share") is not None and task["status"] != "done":
        status = w("gaps.progress", status=status, share=w.share(task["progress_share"], 0))
    return w("gaps.task", department=department, number=number, status=status)
