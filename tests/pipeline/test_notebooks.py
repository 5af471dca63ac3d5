"""The notebooks on what the pipeline made: their numbers, their choices, their Jupyter form."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from htx_pipeline import explore
from htx_pipeline.errors import InputError
from htx_pipeline.exports.dictionary import described, table_about, table_keys
from htx_pipeline.exports.publish import read_frames

pytest.importorskip("marimo", reason="notebooks are an optional extra")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("n*.py"))


def load(start: str) -> ModuleType:
    (path,) = [p for p in NOTEBOOKS if p.name.startswith(start)]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def at(finished) -> str:
    return str(finished.data_dir)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A place without data, and no data named."""
    monkeypatch.delenv("HTX_DATA_DIR", raising=False)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    return tmp_path / "in"


def run(start: str, at: str, **defs: Any) -> dict[str, Any]:
    _, made = load(start).app.run(defs={"data": explore.open_data(at), **defs})
    return dict(made)


def test_without_data_a_notebook_says_what_to_run(nowhere):
    with pytest.raises(InputError) as caught:
        explore.open_data(make=False)
    assert "make demo" in caught.value.remedy
    assert "Chưa có số liệu" in caught.value.what_vi


def test_a_named_folder_without_tables_is_never_filled_with_made_up_data(nowhere, monkeypatch):
    monkeypatch.setenv("HTX_DATA_DIR", str(nowhere / "empty"))
    with pytest.raises(InputError, match="no tables"):
        explore.open_data()
    with pytest.raises(InputError, match="no tables"):
        explore.open_data(nowhere / "other")
    assert list(nowhere.iterdir()) == []


def test_data_are_found_here_above_and_by_name_and_made_where_there_are_none(
    nowhere, at, monkeypatch
):
    made: list[Path] = []
    monkeypatch.setattr(explore, "make_sample", lambda out: made.append(out) or out / "data")
    assert explore.open_data().folder == Path("demo/data")
    assert made == [Path("demo")]
    (nowhere.parent / "demo").mkdir()
    (nowhere.parent / "demo" / "data").symlink_to(at)
    assert explore.open_data().folder.resolve() == Path(at).resolve()
    monkeypatch.setenv("HTX_DATA_DIR", at)
    assert str(explore.open_data().folder) == at


def test_a_sample_that_was_not_finished_is_not_taken_for_one(nowhere, monkeypatch):
    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("htx_pipeline.orchestration.run.run_periods", stop)
    with pytest.raises(KeyboardInterrupt):
        explore.open_data()
    assert list((nowhere / "demo").iterdir()) == []


def test_a_year_that_was_never_run_is_named(at):
    with pytest.raises(InputError, match="2021"):
        explore.open_data(at).year("2021")


@pytest.mark.slow
def test_on_a_clean_checkout_a_notebook_makes_the_tables_that_the_demo_makes(nowhere, finished):
    made = subprocess.run(
        [sys.executable, str(ROOT / "notebooks" / "n1_start_here.py")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "making the sample province" in made.stderr
    data = explore.open_data()
    assert data.periods == ["2023", "2024", "2025"]
    mine = data.year("2025")
    theirs = explore.open_data(finished.data_dir).year("2025")
    assert [k for k in theirs if k.split("/")[0] in explore.READ and k not in mine] == []
    assert [f"metrics/{name}" for name in explore.MEASURES if f"metrics/{name}" not in mine] == []
    assert [key for key, frame in mine.items() if not frame.equals(theirs[key])] == []
    for path in NOTEBOOKS[1:]:
        load(path.stem).app.run(defs={"data": data})


def test_the_first_notebook_answers_its_question_and_agrees_with_the_pipeline(at):
    made = run("n1", at)
    shares = made["coverage"].select("planned_share", "signed_share", "active_share", "executed_share").row(-1)  # fmt: skip
    assert 0 < shares[3] < shares[0] < 1
    assert list(shares) == sorted(shares, reverse=True)
    assert made["checked"].height == len(made["data"].periods) == 2
    assert made["most_central"].height == 15
    assert made["behind"]["source_row"].null_count() == 0


def test_the_threshold_takes_linkages_out_and_members_with_them(at):
    plain = run("n2", at, evidence="signed", least_million=0)
    assert plain["linked"].len() == plain["members"].height
    strict = run("n2", at, evidence="executed", least_million=500)
    assert 0 < strict["edges"].height < plain["edges"].height
    assert strict["edges"]["evidence"].unique().to_list() == ["executed"]
    assert strict["linked"].len() < plain["linked"].len()
    nothing = run("n2", at, evidence="executed", least_million=10**9)
    assert nothing["edges"].is_empty()
    assert nothing["ego"] is None


def test_another_cluster_and_year_give_another_chain_and_members(at):
    frames = explore.open_data(at).year("2024")
    ids = (
        frames["metrics/clusters"].sort("n_organisations", descending=True)["cluster_id"].to_list()
    )
    one, other = (run("n2", at, year="2024", cluster_id=i) for i in (ids[0], ids[1]))
    for made, cluster_id in ((one, ids[0]), (other, ids[1])):
        wanted = frames["metrics/cluster_members"].filter(pl.col("cluster_id") == cluster_id)
        assert set(made["members"]["org_id"]) == set(wanted["org_id"])
    assert one["chain"].svg != other["chain"].svg
    assert one["map_picture"].svg != other["map_picture"].svg


def test_years_are_compared_on_one_list_of_units_without_losing_a_cooperative(at):
    whole = run("n3", at)["cooperatives"].height
    totals = set()
    for level in ("commune", "district"):
        made = run("n3", at, level=level)
        by_unit = made["by_unit"]
        totals.add(int(by_unit["cooperatives"].sum()))
        codes = by_unit.drop_nulls("admin_code").group_by("period").agg(pl.col("admin_code").n_unique())  # fmt: skip
        assert codes["admin_code"].max() == {"commune": 40, "district": 10}[level]
        assert int(by_unit.filter(pl.col("admin_code").is_null())["cooperatives"].sum()) <= made["unplaced"]  # fmt: skip
    assert len(totals) == 1
    assert 0 < totals.pop() <= whole


def test_every_row_is_accounted_for_and_every_table_s_rejects_can_be_seen(at):
    made = run("n4", at, table="organisations")
    assert made["balance"]["unaccounted"].to_list() == [0] * 8
    assert made["rejected"].height == int(made["balance"].filter(pl.col("table") == "organisations")["rejected"].item())  # fmt: skip
    assert made["by_rule"]["n"].sum() == made["findings"].height
    roster = made["roster"]
    assert made["missing"].height == roster["n_missing"].sum()


def test_a_buyers_exit_hits_exactly_its_suppliers_and_by_what_they_sell_it(at):
    made = run("n5", at)
    trade, buyer_id, hit = made["trade"], made["buyer_id"], made["hit"]
    own = trade.filter(pl.col("buyer_id") == buyer_id, pl.col("supplier_id") != buyer_id)
    assert set(hit["org_id"]) == set(own["supplier_id"])
    assert hit["lost_vnd"].sum() == own["value_vnd"].sum() > 0
    assert hit["lost_share"].drop_nulls().is_between(0, 1).all()
    alone = hit.filter(pl.col("other_buyers") == 0, pl.col("lost_vnd") > 0)
    assert set(alone["lost_share"]) <= {1.0}
    assert buyer_id not in made["others"].columns
    small = made["buyers"].filter(pl.col("suppliers") == 1)["org_id"].sort().item(0)
    assert run("n5", at, buyer_id=small)["hit"].height == 1


def test_every_column_that_leaves_the_house_is_described_in_both_languages(at):
    frames = read_frames("2025", data_dir=at)
    keys = table_keys(frames)
    unknown = [(k, n) for k in keys for n, t in frames[k].schema.items() if not described(k, n, t).is_known]  # fmt: skip
    assert unknown == [], "add them to htx_pipeline/exports/columns.toml"
    assert [k for k in keys if not table_about(k).description] == []


def test_the_exports_of_the_run_lie_beside_its_reports(finished):
    base = finished.data_dir / "report" / "exports" / "period=2025"
    pointer = json.loads((base / "current.json").read_bytes())
    manifest = json.loads((base / pointer["exports"] / "manifest.json").read_bytes())
    assert manifest["is_synthetic"]
    assert manifest["kind"] == "internal"
    assert manifest["counts"]["package"]["undescribed_columns"] == 0
    linkages = pl.read_parquet(base / pointer["exports"] / "package" / "core-linkages.parquet")
    delivered = linkages.filter(pl.col("delivered_tonnes") > 0).height
    assert manifest["counts"]["epcis"]["events"] == delivered > 0


def test_the_notebooks_are_as_marimo_writes_them():
    checked = subprocess.run(
        [sys.executable, "-m", "marimo", "check", "--strict", *map(str, NOTEBOOKS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_jupyter_form_runs_from_top_to_bottom(path: Path, at, tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    out = tmp_path / f"{path.stem}.ipynb"
    subprocess.run(
        [sys.executable, "-m", "marimo", "export", "ipynb", str(path), "--sort", "topological", "-o", str(out)],
        check=True, capture_output=True,
    )  # fmt: skip
    book = nbformat.read(out, as_version=4)
    environment = {**os.environ, "HTX_DATA_DIR": at, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)}  # fmt: skip
    client = nbclient.NotebookClient(book, timeout=120, kernel_name="python3")
    client.execute(env=environment)
    failed = [o for c in book.cells if c.cell_type == "code" for o in c.outputs if o.output_type == "error"]  # fmt: skip
    assert failed == []
    assert sum(bool(c.outputs) for c in book.cells if c.cell_type == "code") >= 5
