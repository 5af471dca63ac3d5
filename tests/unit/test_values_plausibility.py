"""Values that can be read and still cannot be right."""

from __future__ import annotations

import polars as pl
import pytest

from htx_pipeline.ingest.plausibility import (
    JUMP_SCHEMA,
    heading_notes,
    magnitude_jumps,
    mixes_members_and_workers,
    part_exceeds_whole,
)
from htx_pipeline.ingest.value_notes import NOTE_CODES, NOTE_SCHEMA


def panel(values: list[float | None], **more: list[object]) -> pl.DataFrame:
    n = len(values)
    base: dict[str, list[object]] = {
        "org": list("a" * n),
        "period": [str(2020 + i) for i in range(n)],
        "revenue_vnd": list(values),
    }
    return pl.DataFrame(base | more)


def jumps(frame: pl.DataFrame, **how: object) -> pl.DataFrame:
    return magnitude_jumps(frame, id="org", period="period", column="revenue_vnd", **how)


@pytest.mark.parametrize("growth", [0.05, 0.5, 1.0, 3.0, 20.0, 60.0])
def test_growth_is_no_unit_error(growth: float) -> None:
    assert jumps(panel([1.5e9, 1.5e9 * growth])).is_empty()


@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e6, 1e-6, 700.0, 1500.0])
def test_a_factor_of_a_thousand_against_last_year_is_a_unit_jump(factor: float) -> None:
    found = jumps(panel([1.5e9, 1.5e9 * factor]))
    assert found.select("index", "code", "reference_kind").rows() == [
        (1, "unit_jump", "last_period")
    ]
    assert found["ratio"][0] == pytest.approx(factor)
    assert found["reference"][0] == 1.5e9


def test_the_last_period_with_a_value_is_compared_whatever_the_row_order() -> None:
    frame = panel([1.5e9, None, 1.6e6, 0.0]).reverse()
    found = jumps(frame)
    assert found["index"].to_list() == [1]
    assert found["reference"].to_list() == [1.5e9]


def test_null_zero_and_other_organisations_are_left_alone() -> None:
    frame = panel([1.5e9, 1.5e6, 0.0, None], org=["a", "b", "a", "b"])
    assert jumps(frame).is_empty()


def test_losses_are_compared_by_size() -> None:
    assert jumps(panel([-2e6, -2e9]))["code"].to_list() == ["unit_jump"]
    assert jumps(panel([-2e6, 3e6])).is_empty()


def peers(last: float, n: int = 9) -> pl.DataFrame:
    usual = [1.2e9, 1.5e9, 1.8e9, 2.0e9, 1.3e9, 1.6e9, 1.7e9, 1.4e9, 1.9e9][:n]
    return pl.DataFrame(
        {
            "org": [f"o{i}" for i in range(n + 1)],
            "period": ["2021"] * (n + 1),
            "district": ["x"] * (n + 1),
            "revenue_vnd": [*usual, last],
        }
    )


def test_the_published_24_billion_stands_out_from_its_peers() -> None:
    """Conflict 2 of the official material: 24 billion per cooperative against 1.2 to 2 billion."""
    found = jumps(peers(24e9), peers=["district"])
    assert found.select("index", "code", "reference_kind").rows() == [(9, "peer_outlier", "peers")]
    assert found["ratio"][0] > 10


def test_a_thousandfold_peer_is_a_unit_jump_and_a_threefold_one_is_nothing() -> None:
    assert jumps(peers(1.6e12))["code"].to_list() == ["unit_jump"]
    assert jumps(peers(1.6e6))["code"].to_list() == ["unit_jump"]
    assert jumps(peers(5e9)).is_empty()


def test_too_few_peers_say_nothing() -> None:
    assert jumps(peers(24e9, n=4)).is_empty()


def test_a_group_that_is_wide_by_nature_is_not_full_of_outliers() -> None:
    wide = [10.0 ** (6 + i / 4) for i in range(20)]
    frame = panel(wide, org=[f"o{i}" for i in range(20)], period=["2021"] * 20)
    assert jumps(frame).is_empty()


def test_peers_are_of_one_period_and_group() -> None:
    mixed = pl.concat([peers(1.5e9), peers(1.5e9).with_columns(
        pl.col("revenue_vnd") / 1000, org=pl.format("p{}", "org"), district=pl.lit("y"))])  # fmt: skip
    assert jumps(mixed, peers=["district"]).is_empty()


def test_24_billion_is_more_than_the_province_total_allows() -> None:
    """34 cooperatives of the city, about 190 in the province at 2 billion at most."""
    case = pl.DataFrame({"p": [24e9, 5e9, None], "n": [34, 34, 34], "w": [2e9] * 3, "m": [190] * 3})
    notes = part_exceeds_whole(case, part_mean="p", part_count="n", whole_mean="w", whole_count="m")
    assert notes["index"].to_list() == [0]
    assert "11176470588" in notes["detail_vi"][0]
    assert dict(notes.schema) == NOTE_SCHEMA


def test_jumps_have_their_shape() -> None:
    found = jumps(panel([1.5e9, 1.5e6]))
    assert dict(found.schema) == JUMP_SCHEMA
    assert set(found["code"]) <= set(NOTE_CODES)
    assert found.null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize(
    ("heading", "mixed"),
    [
        ("Số thành viên", False),
        ("Thành viên chính thức", False),
        ("Lao động thường xuyên", False),
        ("Lao động là thành viên", False),
        ("Thành viên và người lao động", True),
        ("Số thành viên, lao động", True),
        ("THÀNH VIÊN & NGƯỜI LAO ĐỘNG", True),
        ("Người lao động và thành viên HTX", True),
        ("Xã viên/lao động", True),
        ("Members and workers", True),
        ("tha\u0300nh vie\u0302n va\u0300 lao \u0111o\u0323\u0302ng", True),
    ],
)
def test_a_heading_that_mixes_members_and_workers_is_flagged(heading: str, mixed: bool) -> None:
    """Conflict 7 of the official material."""
    assert mixes_members_and_workers(heading) is mixed
    notes = heading_notes(pl.Series(["STT", heading, None]))
    assert notes["index"].to_list() == ([1] if mixed else [])
