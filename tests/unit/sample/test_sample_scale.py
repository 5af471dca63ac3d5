"""Large networks: conforming, heavy-tailed, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from stdnum.vn import mst

from htx_pipeline.errors import InputError
from htx_pipeline.sample import SYNTHETIC_LABEL, scale, write_scale
from htx_pipeline.schemas import TABLES


@pytest.mark.parametrize(("links", "orgs"), [(0, None), (100, 5), (100, 3_000_000)])
def test_sizes_that_cannot_be_made_are_refused(links: int, orgs: int | None) -> None:
    with pytest.raises(InputError) as caught:
        scale(links, seed=1, n_orgs=orgs)
    assert caught.value.code == "sample_size"


def test_the_frames_fit_the_canonical_tables() -> None:
    organisations, linkages = scale(5_000, seed=3)
    for name, frame in (("organisations", organisations), ("linkages", linkages)):
        table = TABLES[name]
        for column, dtype in frame.schema.items():
            assert table[column].dtype == dtype, (name, column)
            codes = {c.code for c in table[column].codes}
            if codes:
                assert set(frame[column].drop_nulls()) <= codes
        for column in table.columns:
            if column.required:
                assert frame[column.name].null_count() == 0, (name, column.name)
        assert table.conform(frame).height == frame.height
    assert organisations["org_id"].is_unique().all()
    assert linkages["linkage_id"].is_unique().all()


def test_every_party_is_an_organisation_and_nobody_his_own_buyer() -> None:
    organisations, linkages = scale(20_000, seed=3)
    known = organisations.select("org_id")
    for column in ("supplier_id", "buyer_id"):
        assert linkages.select(org_id=column).join(known, on="org_id", how="anti").is_empty()
    assert linkages.filter(pl.col("supplier_id") == pl.col("buyer_id")).is_empty()


def test_the_tax_codes_made_in_bulk_are_valid() -> None:
    codes = scale(2_000_00, seed=3, n_orgs=120_000)[0]["org_id"]
    assert codes.is_unique().all()
    assert all(mst.is_valid(c) for c in codes.sample(2_000, seed=1))
    assert (codes.str.slice(2, 2) == "99").all()


def test_the_largest_hundredth_of_the_buyers_takes_more_than_a_third() -> None:
    _, linkages = scale(100_000, seed=3)
    bought = linkages.group_by("buyer_id").len().sort("len", descending=True)["len"]
    assert bought.head(max(1, len(bought) // 100)).sum() > linkages.height / 3


def test_only_executed_linkages_were_paid_and_not_above_the_contract() -> None:
    _, linkages = scale(20_000, seed=3)
    executed = pl.col("evidence") == "executed"
    assert linkages.filter(executed)["paid_value_vnd"].null_count() == 0
    assert linkages.filter(~executed)["paid_value_vnd"].drop_nulls().is_empty()
    assert linkages.filter(pl.col("paid_value_vnd") > pl.col("contracted_value_vnd")).is_empty()
    assert linkages.filter(pl.col("nd98_form").is_between(1, 7)).height == linkages.height


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    first, again, other = scale(5_000, seed=3), scale(5_000, seed=3), scale(5_000, seed=4)
    assert first[0].equals(again[0])
    assert first[1].equals(again[1])
    assert not first[1].equals(other[1])


def test_the_files_say_that_they_are_synthetic(tmp_path: Path) -> None:
    paths = write_scale(tmp_path, 1_000, seed=3)
    for path in paths.values():
        assert pl.read_parquet_metadata(path)["synthetic"] == SYNTHETIC_LABEL
    assert pl.read_parquet(paths["linkages"]).equals(scale(1_000, seed=3)[1])
