"""Income of members, linked against not linked: small numbers first, then known truths."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from htx_pipeline.errors import InputError
from htx_pipeline.graph import network
from htx_pipeline.metrics.members import members_income
from htx_pipeline.schemas import TABLES


def tables(rows: list[tuple[str, str | None, str | None, int | None, float | None, bool]]):
    """(id, locality, vsic, members, income, is linked) of each cooperative."""
    ids = [r[0] for r in rows]
    year = ["2024"] * len(rows)
    organisations = TABLES["organisations"].conform(
        pl.DataFrame(
            {"period": year, "org_id": ids, "legal_type": ["htx"] * len(rows), "locality": [r[1] for r in rows], "vsic_code": [r[2] for r in rows]},
            schema_overrides={"locality": pl.String, "vsic_code": pl.String},
        )
    )  # fmt: skip
    reports = TABLES["cooperative_reports"].conform(
        pl.DataFrame(
            {"period": year, "org_id": ids, "official_members": [r[3] for r in rows], "member_income_vnd": [None if r[4] is None else round(r[4]) for r in rows]},
            schema_overrides={"official_members": pl.Int64, "member_income_vnd": pl.Int64},
        )
    )  # fmt: skip
    sellers = [r[0] for r in rows if r[5]]
    links = pl.DataFrame(
        {"period": ["2024"] * len(sellers), "supplier_id": sellers, "buyer_id": ["mill"] * len(sellers), "product_code": ["coffee"] * len(sellers), "evidence": ["signed"] * len(sellers)},
        schema_overrides={"supplier_id": pl.String, "buyer_id": pl.String, "period": pl.String},
    )  # fmt: skip
    return organisations, reports, network.edges(TABLES["linkages"].conform(links))


def figure(made: pl.DataFrame, method: str, locality: str = "province") -> dict[str, object]:
    return made.row(
        by_predicate=(pl.col("method") == method) & (pl.col("locality") == locality), named=True
    )


def alike(incomes_linked, incomes_unlinked, **fixed):
    pairs = [(v, True) for v in incomes_linked] + [(v, False) for v in incomes_unlinked]
    return tables([(f"c{i:03}", fixed.get("place", "X"), "0126", 20, v, t) for i, (v, t) in enumerate(pairs)])  # fmt: skip


@pytest.mark.parametrize(("linked", "unlinked"), [([90, 95], [50] * 9), ([90] * 9, [50, 55]), ([], [5] * 5)])  # fmt: skip
def test_too_few_on_a_side_publishes_no_mean_and_says_so_in_words(linked, unlinked) -> None:
    made = members_income(*alike(linked, unlinked))
    plain = figure(made, "plain")
    assert (plain["is_defined"], plain["reason"]) == (False, "too_small")
    money = [c for c in made.columns if c.endswith("_vnd")]
    assert made.select(money).null_count().sum_horizontal().item() == len(money) * made.height
    assert "quá ít" in plain["note_vi"]
    assert (plain["n_linked"], plain["n_unlinked"]) == (len(linked), len(unlinked))


def test_nobody_alike_is_no_match_and_not_a_zero_difference() -> None:
    rows = [(f"a{i}", "X", "0126", 20, 90, True) for i in range(5)]
    rows += [(f"b{i}", "Y", "0126", 20, 50, False) for i in range(5)]
    made = members_income(*tables(rows))
    assert figure(made, "matched")["reason"] == "no_match"
    assert figure(made, "matched")["n_linked_left_out"] == 5
    assert figure(made, "plain")["difference_vnd"] == 40


def test_unknown_income_is_counted_and_unknown_size_is_not_matched() -> None:
    rows = [(f"a{i}", "X", "0126", 20, 90 + i, True) for i in range(4)]
    rows += [(f"b{i}", "X", "0126", 20, 50 + i, False) for i in range(4)]
    rows += [("c", "X", "0126", 20, None, True), ("d", "X", "0126", None, 1_000, True)]
    made = members_income(*tables(rows))
    matched = figure(made, "matched")
    assert matched["n_without_income"] == 1
    assert (matched["n_linked"], matched["n_linked_left_out"]) == (4, 1)
    assert matched["difference_vnd"] == 40


def test_a_side_without_repetition_has_a_difference_but_no_interval() -> None:
    rows = [(f"a{i}", f"X{i}", "0126", 20, 90, True) for i in range(4)]
    rows += [(f"b{i}", f"X{i}", "0126", 20, 50, False) for i in range(4)]
    matched = figure(members_income(*tables(rows)), "matched")
    assert matched["difference_vnd"] == 40
    assert (matched["difference_low_vnd"], matched["interval_reason"]) == (None, "no_repetition")


def test_an_unknown_sense_or_column_is_refused() -> None:
    with pytest.raises(InputError, match="Unknown choice"):
        members_income(*alike([1], [2]), linked_as="friends")
    with pytest.raises(InputError, match="no such column"):
        members_income(*alike([1], [2]), match_on=["religion"])


def test_plain_interval_is_welchs() -> None:
    linked, unlinked = [61, 70, 55, 64, 90], [40, 52, 47, 39, 50, 61, 44]
    plain = figure(members_income(*alike(linked, unlinked)), "plain")
    welch = stats.ttest_ind(linked, unlinked, equal_var=False).confidence_interval(0.95)
    assert plain["difference_low_vnd"] == pytest.approx(welch.low, abs=0.01)
    assert plain["difference_high_vnd"] == pytest.approx(welch.high, abs=0.01)


def test_matching_takes_out_what_place_explains() -> None:
    """Simpson's case: in each place linked earn 10 more; most linked are in the poor place."""
    rows = [(f"p{i}", "poor", "0126", 20, 40, True) for i in range(9)]
    rows += [(f"q{i}", "poor", "0126", 20, 30, False) for i in range(3)]
    rows += [(f"r{i}", "rich", "0126", 20, 90, True) for i in range(3)]
    rows += [(f"s{i}", "rich", "0126", 20, 80, False) for i in range(9)]
    made = members_income(*tables(rows))
    assert figure(made, "plain")["difference_vnd"] == -15
    assert figure(made, "matched")["difference_vnd"] == 10
    assert figure(made, "matched")["n_strata"] == 2


def test_matched_difference_weighs_strata_by_linked_cooperatives() -> None:
    rows = [(f"a{i}", "X", "0126", 20, 100, True) for i in range(6)]
    rows += [(f"b{i}", "X", "0126", 20, 90, False) for i in range(2)]
    rows += [(f"c{i}", "Y", "0126", 20, 100, True) for i in range(2)]
    rows += [(f"d{i}", "Y", "0126", 20, 50, False) for i in range(6)]
    matched = figure(members_income(*tables(rows)), "matched")
    assert matched["difference_vnd"] == (6 * 10 + 2 * 50) / 8


def test_simulation_covers_the_truth_where_the_plain_difference_does_not() -> None:
    """Income depends on size and place, and so does linkage; the true effect is 4 million."""
    truth, hits, plain_hits, draws = 4_000_000, 0, 0, 60
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        rows = []
        for i in range(160):
            place, big = int(rng.integers(0, 3)), bool(rng.integers(0, 2))
            is_linked = bool(rng.random() < 0.2 + 0.25 * place + 0.2 * big)
            income = 3e7 + 8e6 * place + 6e6 * big + truth * is_linked + rng.normal(0, 5e6)
            rows.append((f"c{i:03}", f"X{place}", "0126", 100 if big else 10, income, is_linked))
        made = members_income(*tables(rows))
        for method in ("matched", "plain"):
            got = figure(made, method)
            is_hit = got["difference_low_vnd"] <= truth <= got["difference_high_vnd"]
            hits += is_hit and method == "matched"
            plain_hits += is_hit and method == "plain"
    assert hits >= 53  # binomial(60, 0.95): fewer with probability 0.01
    assert plain_hits <= 10


def test_row_order_does_not_show_and_the_unit_scales() -> None:
    rng = np.random.default_rng(1)
    rows = [(f"c{i:03}", f"X{i % 3}", "0126", 20, float(rng.integers(1e6, 9e6)), i % 2 == 0) for i in range(60)]  # fmt: skip
    frames = tables(rows)
    made = members_income(*frames)
    shuffled = [f.sample(fraction=1, shuffle=True, seed=4) for f in frames]
    assert members_income(*shuffled).equals(made)
    scaled = members_income(*tables([(*r[:4], r[4] * 1_000, r[5]) for r in rows]))
    for name in ("difference_vnd", "difference_low_vnd"):
        assert scaled[name].to_numpy() == pytest.approx(made[name].to_numpy() * 1_000, abs=10)
