"""Pictures of `members.md`: incomes, compared plainly and like with like."""

from __future__ import annotations

import polars as pl

from docs.drawing import bars, grid
from docs.drawn.register import picture
from htx_pipeline.metrics.members import members_income
from htx_pipeline.sample.small import small
from htx_pipeline.schemas import TABLES


def _world(
    cells: list[tuple[str, bool, int, int]],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return register, reports and edges of cells (place, linked, cooperatives, income of a member)."""
    units = [(f"{place} {linked} {i}", place, linked, income) for place, linked, n, income in cells for i in range(n)]  # fmt: skip
    register = {u: {"legal_type": "htx", "locality": place, "vsic_code": "0126"} for u, place, _, _ in units}  # fmt: skip
    told = [("2024", u, 20, income) for u, _, _, income in units]
    names = ["period", "org_id", "official_members", "member_income_vnd"]
    reports = TABLES["cooperative_reports"].conform(pl.DataFrame(told, schema=names, orient="row"))
    made = small([(u, "mill", 1) for u, _, linked, _ in units if linked], organisations=register)
    return made.organisations, reports, made.edges


@picture(members_income)
def members() -> str:
    cells = [("poor", True, 9, 40), ("poor", False, 3, 30), ("rich", True, 3, 90), ("rich", False, 9, 80)]  # fmt: skip
    made = members_income(*_world(cells))
    plain = {r["locality"]: r for r in made.filter(method="plain").iter_rows(named=True)}
    rows = []
    for place in ("poor", "rich", "province"):
        for side, label in (("linked", "linked"), ("unlinked", "others")):
            income, n = plain[place][f"{side}_income_vnd"], plain[place][f"n_{side}"]
            rows.append((f"{place}, {label} ({n})", income, f"{income:g}"))
    matched = made.filter(method="matched", locality="province").row(0, named=True)
    whole = plain["province"]["difference_vnd"]
    rows[4] = (*rows[4][:2], f"{rows[4][2]}: {whole:+g} plain, {matched['difference_vnd']:+g} matched".replace("-", "−"))  # fmt: skip
    colours = {i: ("htx", "cold")[i % 2] for i in range(len(rows))}
    return bars(rows, title="Members' income, plain and matched", scale=100, width=680, kinds=colours)  # fmt: skip


@picture(members_income)
def too_small() -> str:
    rows = []
    for n in (2, 3, 10):
        made = members_income(*_world([("X", True, n, 90), ("X", False, n, 80)]))
        told = made.filter(method="plain", locality="X").row(0, named=True)
        said = f"null: {told['reason']}" if told["difference_vnd"] is None else f"{told['difference_vnd']:+g}"  # fmt: skip
        is_hint = told["difference_vnd"] is not None and "hint only" in told["note_en"]
        rows.append((f"{n} linked", [True] * n + [False] * (10 - n), f"{said}, as a hint" if is_hint else said))  # fmt: skip
    return grid([""] * 10, rows, title="When the numbers are too small", left=90)
