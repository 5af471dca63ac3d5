"""What a reader should take away from a cluster's report: three or four sentences, each from figures.

What belongs here: choosing what is said first, and saying it with the ids of the figures it rests on.
What does not: computing figures (`cluster_view`, `metrics`), what to do about them (`gaps`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from htx_pipeline.reference.actions import limits
from htx_pipeline.report import text
from htx_pipeline.report.cluster_view import ClusterView, change_of
from htx_pipeline.report.words import Words

AMOUNTS = ("paid", "contracted")
DOUBLE = 1.0
"""Growth, as a share of last year's figure, from which on it is told as a multiple."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """A lead in a few words, the sentence, and the figures of the page that it is drawn from.

    ``weight``: the more a reader must act on it, the higher.
    """

    lead: str
    sentence: str
    figures: tuple[str, ...]
    weight: int

    @property
    def paragraph(self) -> str:
        """Return lead and sentence."""
        return f"{self.lead} {self.sentence}"


def conclusions(view: ClusterView, w: Words, *, product: str, most: int = 4) -> list[Conclusion]:
    """Return what is concluded of a cluster, the most important first.

    Whether it grows and whether the figures can be trusted are always said; of execution, buyers and
    chain, those that weigh most, up to *most* in all. Trust comes last.

    Parameters
    ----------
    view:
        The cluster.
    w:
        Words of the page's language.
    product:
        Name of the main product.
    most:
        Number of conclusions.
    """
    others = [c for c in (_execution(view, w), _buyers(view, w), _chain(view, w, product)) if c]
    others.sort(key=lambda c: -c.weight)
    chosen = [_trajectory(view, w), *others[: most - 2]]
    chosen.sort(key=lambda c: -c.weight)
    return [*chosen, _trust(view, w)]


def why_no_change(view: ClusterView, key: str) -> str | None:
    """Return why a figure cannot be compared with last year's, as a code; None where it can."""
    then = view.before
    if then is None:
        return "no_year" if view.history else "not_followed"
    is_stated = then[key] is not None and view.c.get(key) is not None
    same_basis = then["executed_share_basis"] == view.c["executed_share_basis"]
    if key == "executed_share" and is_stated and not same_basis:
        return "other_basis"
    now = (view.history.get(_year(view)) or {}).get(key)
    if now is None:
        return "few" if key == "member_income_vnd" else "not_now"
    if then[key] is None:
        return "few" if key == "member_income_vnd" else "not_then"
    if not then[key] and key != "executed_share":
        return "zero_then"
    return None


def _year(view: ClusterView) -> str:
    return str(int(view.last_year) + 1) if view.last_year.isdigit() else ""


def _id(view: ClusterView, fact: str) -> str:
    return f"{view.page}/so-chinh/{fact}"


def _moved(w: Words, change: float) -> str:
    """Return "tăng 12,3%", "giảm 4,0%" or "không đổi"."""
    shown = w.share(abs(change))
    if shown == w.share(0.0):
        return w("say.trajectory.same")
    return w(f"say.trajectory.{'up' if change > 0 else 'down'}", share=shown)


def _trajectory(view: ClusterView, w: Words) -> Conclusion:
    then, year = view.before, view.last_year
    comparable = [k for k in AMOUNTS if why_no_change(view, f"{k}_value_vnd") is None]
    if then is None or not (comparable or then["n_linkages"]):
        first = "paid" if view.c["paid_value_vnd"] is not None else "contracted"
        reason = why_no_change(view, f"{first}_value_vnd") or "not_then"
        said = w("say.trajectory.unknown", year=year, reason=w(f"change.reason.{reason}"))
        return Conclusion(
            lead=w("say.trajectory.lead_unknown"), sentence=text.sentence(said), weight=30,
            figures=(_id(view, "organisations"),),
        )  # fmt: skip
    changes: list[float] = []
    said, figures = "", []
    for key in comparable:
        now_value, then_value = view.c[f"{key}_value_vnd"], then[f"{key}_value_vnd"]
        change = change_of(now_value, then_value)
        if change is None:
            continue
        name = w(f"say.trajectory.{key}")
        # From double on a multiple is what is said aloud.
        many = "_times" if change >= DOUBLE else ""
        told = {"change": _moved(w, change), "times": w.number(1 + change, 1)}
        if not said:
            said = w(
                f"say.trajectory.measure{many}", name=name, now=w.money(now_value), year=year, then=w.money(then_value), **told
            )  # fmt: skip
        else:
            said += w(f"say.trajectory.second{many}", name=name[:1].lower() + name[1:], **told)
        changes.append(change)
        figures.append(_id(view, key))
    links_now, links_then = view.c["n_linkages"], then["n_linkages"]
    if links_then:
        turn = "up" if links_now > links_then else "down" if links_now < links_then else "same"
        links = w(
            f"say.trajectory.links_{turn}", then=w.number(links_then), now=w.number(links_now)
        )
        said = said + links if said else links.removeprefix("; ")
        changes = changes or [(links_now - links_then) / links_then]
        figures.append(_id(view, "linkages" if not comparable else comparable[-1]))
    steady = limits()["steady_change"]
    moves = [0 if steady.is_reached(abs(c)) else 1 if c > 0 else -1 for c in changes]
    if moves[0] != 0 and -moves[0] in moves:
        lead, weight = "mixed", 70
    else:
        main = moves[0] or next((m for m in moves if m), 0)
        lead, weight = {1: ("up", 72), 0: ("steady", 50), -1: ("down", 90)}[main]
    return Conclusion(
        lead=w(f"say.trajectory.lead_{lead}"), sentence=text.sentence(said), weight=weight,
        figures=tuple(dict.fromkeys(figures)),
    )  # fmt: skip


def _execution(view: ClusterView, w: Words) -> Conclusion | None:
    share = view.c["executed_share"]
    if not view.all.n:
        return None
    if share is None:
        said = w("say.execution.unknown", n=w.count("linkage", view.c["n_linkages"]))
        return Conclusion(
            lead=w("say.execution.lead_unknown"), sentence=text.sentence(said), weight=80,
            figures=(_id(view, "linkages"),),
        )  # fmt: skip
    by_value = view.c["executed_share_basis"] != "links"
    said = w("say.execution.share", share=w.share(share), basis=w(f"basis.{'contracted_value' if by_value else 'links'}"))  # fmt: skip
    n_left = view.all.n - view.executed.n
    if n_left > 0:
        n = w.count("linkage", n_left)
        if by_value and view.all.value_vnd is not None:
            left = view.all.value_vnd - (view.executed.value_vnd or 0)
            said += w("say.execution.left", value=w.money(left), n=n)
        else:
            said += w("say.execution.left_n", n=n)
        if view.ended.n:
            said += w("say.execution.ended", n=w.count("linkage", view.ended.n))
    low = limits()["executed_share"].is_reached(share)
    return Conclusion(
        lead=w(f"say.execution.lead_{'low' if low else 'good'}"), sentence=text.sentence(said),
        weight=88 if low else 45, figures=(_id(view, "executed"),),
    )  # fmt: skip


def _buyers(view: ClusterView, w: Words) -> Conclusion | None:
    if not view.buyers:
        return None
    top: dict[str, Any] = view.buyers[0]
    basis = w(f"basis.{view.c['weight_basis'] or 'links'}")
    one = limits()["largest_buyer_share"].is_reached(top["share"])
    if view.is_open:
        said = w(f"say.buyers.open_{'one' if one else 'spread'}", buyers=w.count("buyer", len(view.buyers)))  # fmt: skip
        return Conclusion(
            lead=w(f"say.buyers.lead_{'one' if one else 'spread'}"), sentence=text.sentence(said),
            weight=86 if one else 40, figures=(_id(view, "organisations"),),
        )  # fmt: skip
    said = w("say.buyers.share", name=top["name"], share=w.share(top["share"]), basis=basis)
    if top["n_captive"] and (one or len(view.buyers) > 1):
        said += w("say.buyers.captive", n=w.count("seller", top["n_captive"]))
    return Conclusion(
        lead=w(f"say.buyers.lead_{'one' if one else 'spread'}"), sentence=text.sentence(said),
        weight=86 if one else 40, figures=(_id(view, "buyer"),),
    )  # fmt: skip


def _chain(view: ClusterView, w: Words, product: str) -> Conclusion | None:
    if view.c["main_product"] is None or not (view.main_stages or view.c["stages_present"]):
        return None
    missing = view.missing_stages
    path = {r["criterion"]: r["is_passed"] for r in view.criteria}.get("has_path")
    product = product[:1].lower() + product[1:]
    rests = tuple(view.stage_figure(r["stage"]) for r in view.main_stages)
    if missing:
        stages = w.listing((w(f"stage.{s}").lower() for s in missing), of="items")
        return Conclusion(
            lead=w("say.chain.lead_missing", stages=stages),
            sentence=text.sentence(w("say.chain.missing", product=product)), weight=84,
            figures=tuple(view.stage_figure(s) for s in missing),
        )  # fmt: skip
    said = w("say.chain.full", product=product)
    if path is not None:
        rests = (*rests, f"{view.page}/tieu-chi/has_path/value")
        said += w(f"say.chain.{'path' if path else 'no_path'}")
    return Conclusion(
        lead=w(f"say.chain.lead_{'no_path' if path is False else 'full'}"), sentence=text.sentence(said),
        weight=78 if path is False else 35, figures=rests,
    )  # fmt: skip


def _trust(view: ClusterView, w: Words) -> Conclusion:
    parts, is_weak, figures = [], False, []
    if view.n_expected:
        told = view.n_expected - len(view.silent)
        parts.append(
            w("say.trust.reported", told=w.number(told), n=w.count("cooperative", view.n_expected), period=view.c["period"])
        )  # fmt: skip
        is_weak = is_weak or bool(view.silent)
        figures.append(f"{view.page}/chat-luong/reported/count")
    share = view.matched_value_share
    if share is not None:
        parts.append(
            w(
                "say.trust.matched_links" if view.is_open else "say.trust.matched",
                share=w.share(share),
            )
        )
        is_weak = is_weak or limits()["matched_value_share"].is_reached(share)
        figures.append(f"{view.page}/chat-luong/matched/value")
    else:
        parts.append(w("say.trust.no_value"))
        is_weak = True
        figures.append(f"{view.page}/chat-luong/stated/count")
    if view.rejected.n:
        parts.append(w("say.trust.rejected", n=w.count("linkage", view.rejected.n)))
    else:
        parts.append(w("say.trust.rejected_none"))
    rejected = view.rejected.n / (view.rejected.n + view.all.n) if view.rejected.n else 0.0
    is_weak = is_weak or limits()["rejected_share"].is_reached(rejected)
    figures.append(f"{view.page}/chat-luong/rejected/count")
    return Conclusion(
        lead=w(f"say.trust.lead_{'weak' if is_weak else 'sound'}"),
        sentence=text.sentence("; ".join(parts)), weight=0, figures=tuple(figures),
    )  # fmt: skip
