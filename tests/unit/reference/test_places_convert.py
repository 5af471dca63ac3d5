"""A table issued on other units keeps its totals; nothing is guessed without saying so."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.errors import InputError
from htx_pipeline.reference.places import VERSIONS, admin_links, admin_units, aggregate_to, convert

OLD, NEW = "2024", "2026-04-30"
LINKS = admin_links(from_version=OLD, to_version=NEW)
COMMUNES = {v: admin_units(version=v, level="commune")["code"].to_list() for v in VERSIONS}
SPLIT = "00157"


def table(codes: list[str], values: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"code": codes, "members": values}, schema={"code": pl.String, "members": pl.Int64}
    )


# ---- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"code": "nope"}, "no_column"),
        ({"code": "members"}, "code_not_text"),
        ({"version": "2023"}, "unknown_admin_version"),
        ({"to": "hamlet"}, "unknown_level"),
        ({"to": "district", "to_version": NEW}, "no_districts"),
        ({"allocation": "guess"}, "unknown_allocation"),
        ({"sums": ["nope"]}, "no_column"),
        ({"allocation": pl.DataFrame({"from_code": ["1"]})}, "bad_weights"),
        (
            {
                "allocation": pl.DataFrame(
                    {"from_code": [SPLIT] * 2, "to_code": ["00160", "00166"], "weight": [0.5, 0.6]}
                )
            },
            "bad_weights",
        ),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: dict[str, object], code: str) -> None:
    call: dict[str, object] = {"code": "code", "version": OLD, "sums": ["members"], **arguments}
    with pytest.raises(InputError) as error:
        aggregate_to(table(["23530"], [1]), **call)  # type: ignore[arg-type]
    assert error.value.code == code


def test_an_unknown_code_keeps_its_value_in_a_row_without_a_unit() -> None:
    found = aggregate_to(
        table(["23530", "99999"], [1, 7]), code="code", version=OLD, sums=["members"]
    )
    assert found.select("admin_code", "members", "unplaced_reason").rows() == [
        ("23530", 1, None),
        (None, 7, "unknown_code"),
    ]
    row = convert(table(["99999"], [7]), code="code", from_version=OLD, to_version=NEW).row(
        0, named=True
    )
    assert (row["to_code"], row["n_candidates"], row["is_weight_known"]) == (None, 0, False)


def test_a_missing_code_keeps_its_value_too() -> None:
    frame = table([None, "23530"], [5, 1])  # type: ignore[list-item]
    found = aggregate_to(frame, code="code", version=OLD, sums=["members"])
    assert found.filter(pl.col("unplaced_reason") == "unknown_code")["members"].to_list() == [5]


def test_a_split_commune_is_not_guessed() -> None:
    found = aggregate_to(
        table([SPLIT], [10]), code="code", version=OLD, to_version=NEW, sums=["members"]
    )
    assert found.select("admin_code", "members", "is_allocated", "unplaced_reason").rows() == [
        (None, 10, False, "split")
    ]


def test_a_new_commune_is_not_pushed_back_without_an_allocation() -> None:
    found = aggregate_to(
        table(["23504"], [9]), code="code", version=NEW, to_version=OLD, sums=["members"]
    )
    assert found["unplaced_reason"].to_list() == ["split"]


# ---- allocation ------------------------------------------------------------------------------------


def test_equal_parts_are_labelled_and_add_up() -> None:
    found = aggregate_to(
        table(["23504"], [9]),
        code="code",
        version=NEW,
        to_version=OLD,
        sums=["members"],
        allocation="equal",
    )
    assert found.select("admin_code", "members", "is_allocated", "allocation").rows() == [
        ("23503", 5, True, "equal"),
        ("23504", 4, True, "equal"),
    ]


def test_given_weights_are_used() -> None:
    weights = pl.DataFrame(
        {"from_code": ["23504"] * 2, "to_code": ["23503", "23504"], "weight": [0.25, 0.75]}
    )
    found = aggregate_to(
        table(["23504"], [10]),
        code="code",
        version=NEW,
        to_version=OLD,
        sums=["members"],
        allocation=weights,
    )
    assert found["members"].to_list() == [3, 7]  # 2.5 and 7.5: the tie goes to the smaller code
    assert found["members"].sum() == 10
    assert found["allocation"].unique().to_list() == ["given"]


def test_people_follow_the_people_where_that_is_published() -> None:
    found = aggregate_to(
        table(["00556"], [10]),
        code="code",
        version=OLD,
        to_version=NEW,
        sums=["members"],
        allocation="population",
    )
    assert found.select("admin_code", "members", "allocation").rows() == [
        ("00562", 10, "population")
    ]


def test_by_area_needs_the_areas_of_the_targets() -> None:
    links = LINKS.filter(pl.col("n_targets") > 1)
    areas = admin_units(version=NEW, level="commune").select(to_code="code", area="area_km2")
    known = links.join(areas, on="to_code").group_by("from_code").agg(pl.col("area").null_count())
    for is_known, reason in ((0, None), (1, "split")):
        code = known.filter(pl.col("area") == is_known).sort("from_code")["from_code"][0]
        if code == "18796":
            continue
        found = aggregate_to(
            table([code], [1000]),
            code="code",
            version=OLD,
            to_version=NEW,
            sums=["members"],
            allocation="area",
        )
        assert set(found["unplaced_reason"]) == {reason}
        assert found["members"].sum() == 1000


def test_certain_units_are_never_called_allocated() -> None:
    found = aggregate_to(
        table(["23530", "23504"], [1, 9]),
        code="code",
        version=NEW,
        to_version=OLD,
        sums=["members"],
        allocation="equal",
    )
    assert found.filter(~pl.col("is_allocated"))["admin_code"].to_list() == ["23530"]


# ---- totals ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whole_numbers_agree_exactly_whatever_the_units(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    hard = LINKS.filter(pl.col("n_targets") > 1)["from_code"].unique().sort().to_list()
    pool = st.sampled_from([*COMMUNES[version], "99999"])
    if version == OLD:
        pool = st.one_of(pool, st.sampled_from(hard), st.sampled_from(["536", "471"]))
    rows = data.draw(
        st.lists(st.tuples(pool, st.integers(-(10**15), 10**15)), min_size=1, max_size=30)
    )
    frame = table([r[0] for r in rows], [r[1] for r in rows])
    to, to_version = data.draw(
        st.sampled_from(
            [
                *(("commune", v) for v in VERSIONS),
                ("district", None),
                ("province", OLD),
                ("province", NEW),
            ]
        )
    )
    found = aggregate_to(
        frame,
        code="code",
        version=version,
        to=to,  # type: ignore[arg-type]
        to_version=to_version,
        sums=["members"],
        allocation=data.draw(st.sampled_from([None, "equal", "area", "population"])),
    )
    assert found["members"].sum() == frame["members"].sum()
    assert not found["admin_code"].drop_nulls().is_duplicated().any()


def test_a_table_on_2024_and_on_2026_units_has_one_total() -> None:
    codes = COMMUNES[OLD]
    frame = table(codes, [(i * 7919) % 1000 for i in range(len(codes))])
    kon_tum = frame.filter(
        pl.col("code").is_in(
            admin_units(version=OLD, level="commune", province="62")["code"].implode()
        )
    )
    new = aggregate_to(kon_tum, code="code", version=OLD, to_version=NEW, sums=["members"])
    old = aggregate_to(kon_tum, code="code", version=OLD, to="district", sums=["members"])
    back = aggregate_to(new, code="admin_code", version=NEW, to="district", sums=["members"])
    assert (new.height, old.height) == (40, 10)
    assert new["members"].sum() == old["members"].sum() == kon_tum["members"].sum()
    assert old.select("admin_code", "members").equals(back.select("admin_code", "members"))
    assert not new["is_allocated"].any()
    country = aggregate_to(frame, code="code", version=OLD, to_version=NEW, sums=["members"])
    assert country["members"].sum() == frame["members"].sum()
    assert set(country["unplaced_reason"]) == {None, "split"}


def test_provinces_are_exact_in_every_direction_they_can_be() -> None:
    frame = table(COMMUNES[OLD], [1] * len(COMMUNES[OLD]))
    found = aggregate_to(
        frame, code="code", version=OLD, to="province", to_version=NEW, sums=["members"]
    )
    assert found["unplaced_reason"].null_count() == found.height == 34
    quang_ngai = found.filter(pl.col("admin_code") == "51")
    assert quang_ngai["members"].to_list() == [170 + 102]
    before = aggregate_to(
        frame, code="code", version=OLD, to="province", to_version=OLD, sums=["members"]
    )
    assert before.filter(pl.col("admin_code").is_in(["51", "62"]))["members"].to_list() == [
        170,
        102,
    ]


def test_versions_may_be_mixed_in_one_table() -> None:
    frame = table(["23504", "23504"], [1, 10]).with_columns(version=pl.Series([OLD, NEW]))
    found = aggregate_to(frame, code="code", version="version", to_version=NEW, sums=["members"])
    assert found.select("admin_code", "members").rows() == [("23504", 11)]
    back = aggregate_to(frame, code="code", version="version", to_version=OLD, sums=["members"])
    assert back.select("admin_code", "members", "unplaced_reason").rows() == [
        ("23504", 1, None),
        (None, 10, "split"),
    ]


def test_groups_are_kept_apart() -> None:
    frame = table(["23503", "23504", "23503"], [1, 2, 4]).with_columns(
        period=pl.Series([2023, 2023, 2024])
    )
    found = aggregate_to(
        frame, code="code", version=OLD, to_version=NEW, sums=["members"], by=["period"]
    )
    assert found.select("period", "admin_code", "members").rows() == [
        (2023, "23504", 3),
        (2024, "23504", 4),
    ]


def test_nothing_reported_stays_nothing_and_not_zero() -> None:
    frame = table(["23503", "23504", "23530"], [None, None, 0])
    found = aggregate_to(frame, code="code", version=OLD, to_version=NEW, sums=["members"])
    assert found.select("admin_code", "members").rows() == [("23504", None), ("23530", 0)]


def test_decimals_agree_exactly_and_floats_within_rounding() -> None:
    frame = pl.DataFrame(
        {
            "code": ["23446", "23293"],
            "revenue_vnd": [Decimal("100.01"), Decimal("-7.77")],
            "area_ha": [0.1, 0.7],
        },
        schema_overrides={"revenue_vnd": pl.Decimal(20, 2)},
    )
    found = aggregate_to(
        frame,
        code="code",
        version=NEW,
        to_version=OLD,
        sums=["revenue_vnd", "area_ha"],
        allocation="equal",
    )
    assert found.height == 10
    assert found["revenue_vnd"].sum() == Decimal("92.24")
    assert found["area_ha"].sum() == pytest.approx(0.8)


def test_the_order_of_rows_does_not_matter() -> None:
    codes = COMMUNES[OLD][::37]
    frame = table(codes, list(range(len(codes))))
    arguments = {"code": "code", "version": OLD, "sums": ["members"], "allocation": "equal"}
    found = aggregate_to(frame, **arguments)  # type: ignore[arg-type]
    for seed in (1, 2):
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
        assert aggregate_to(shuffled, **arguments).equals(found)  # type: ignore[arg-type]


def test_an_empty_table_gives_an_empty_table_with_the_same_columns() -> None:
    full = aggregate_to(table(["23530"], [1]), code="code", version=OLD, sums=["members"])
    empty = aggregate_to(table([], []), code="code", version=OLD, sums=["members"])
    assert empty.height == 0
    assert empty.schema == full.schema
    assert convert(table([], []), code="code", from_version=OLD, to_version=NEW).height == 0


def test_convert_keeps_the_order_of_rows_and_lists_every_target() -> None:
    frame = table(["23504", SPLIT, "23503"], [1, 2, 3])
    found = convert(frame, code="code", from_version=OLD, to_version=NEW, values=["members"])
    targets = LINKS.filter(pl.col("from_code") == SPLIT)["to_code"].to_list()
    assert found["to_code"].to_list() == ["23504", *targets, "23504"]
    assert found["source_row"].to_list() == [0, *[1] * len(targets), 2]
    assert found["members"].to_list() == [1, *[None] * len(targets), 3]
