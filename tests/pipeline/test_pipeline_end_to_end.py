"""The whole asset graph in one process, on the sample province and on bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from htx_pipeline.definitions import defs
from htx_pipeline.errors import InputError
from htx_pipeline.orchestration.run import run_periods
from htx_pipeline.schemas import TABLES
from htx_pipeline.settings import Settings
from htx_pipeline.tables import list_tables, read_table

PERIOD = "2025"


def table(settings: Settings, key: str) -> pl.DataFrame:
    return read_table(key, period=PERIOD, data_dir=settings.data_dir)


def test_every_row_read_is_accepted_merged_or_rejected_by_a_named_rule(finished):
    for name in TABLES:
        ledger = table(finished, f"core/{name}_ledger")
        set_aside = int(ledger["rows_rejected_first"].sum())
        assert (
            table(finished, f"raw/{name}").height
            == table(finished, f"core/{name}").height + set_aside
        ), name
        assert ledger.filter(pl.col("rows_rejected_first") > 0)["rule_id"].null_count() == 0


def test_every_rejected_row_has_a_finding_with_file_row_reason_and_remedy_in_both_languages(
    finished,
):
    for name in TABLES:
        rejected = table(finished, f"core/{name}_rejected")
        errors = table(finished, f"core/{name}_findings").filter(pl.col("severity") == "error")
        unexplained = rejected.join(errors, on="source_id", how="anti")
        assert unexplained.is_empty(), (name, unexplained["source_id"].to_list())
        texts = errors.select(
            "source_file", "source_row", "reason_vi", "reason_en", "remedy_vi", "remedy_en"
        )
        assert texts.null_count().sum_horizontal().item() == 0, name


def test_every_canonical_row_leads_back_to_a_cell_of_its_source(finished):
    linkages = table(finished, "core/linkages")
    files = dict(table(finished, "raw/source_files").select("source_file", "sha256").iter_rows())
    for source_id, name, sheet, row in (
        linkages.select("source_id", "source_file", "source_sheet", "source_row")
        .head(50)
        .iter_rows()
    ):
        assert source_id == f"{files[name][:16]}:{sheet}:{row}"


def test_the_mess_the_sample_planted_is_found_where_it_was_planted(finished):
    mess = pl.read_csv(finished.input_dir / "mess.csv", infer_schema=False).filter(
        pl.col("period") == PERIOD
    )
    found = table(finished, "core/findings").select(
        "source_file", pl.col("source_row").cast(pl.String).alias("row"), "rule_id"
    )
    wanted = mess.filter(
        pl.col("expected_rule").is_not_null()
        & (pl.col("expected_rule") != "")
        & (pl.col("row") != "")
    )
    missed = wanted.join(
        found,
        left_on=["file", "row", "expected_rule"],
        right_on=["source_file", "row", "rule_id"],
        how="anti",
    )
    assert wanted.height > 20
    assert missed.is_empty(), missed.select("kind", "file", "cell", "expected_rule").rows()


def test_money_and_tonnes_of_the_graph_are_those_of_the_accepted_rows_by_product(finished):
    columns = ["contracted_value_vnd", "paid_value_vnd", "delivered_tonnes", "contracted_tonnes"]
    sums = [pl.col(c).sum().round(6) for c in columns]
    rows = table(finished, "core/linkages").group_by("product_code").agg(*sums).sort("product_code")
    edges = table(finished, "graph/edges").group_by("product_code").agg(*sums).sort("product_code")
    assert rows.equals(edges)


def test_clusters_partition_the_organisations_they_name(finished):
    members = table(finished, "metrics/cluster_members")
    assert members.height == members.select("org_id").n_unique()
    counted = members.group_by("cluster_id").len().sort("cluster_id")
    stated = (
        table(finished, "metrics/clusters")
        .select("cluster_id", pl.col("n_organisations").cast(pl.UInt32).alias("len"))
        .sort("cluster_id")
    )
    assert counted.equals(stated)


def test_localities_add_up_to_the_whole(finished):
    localities = table(finished, "metrics/localities")
    organisations = table(finished, "core/organisations")
    parts = localities.filter(pl.col("locality") != "province")
    assert (
        int(parts["n_cooperatives"].sum())
        == organisations.filter(pl.col("legal_type") == "htx").height
    )


def test_the_edition_is_complete_and_marked_synthetic(finished):
    from pypdf import PdfReader

    from htx_pipeline.report.edition import check_edition, current_edition

    folder = current_edition(finished.data_dir / "report" / f"period={PERIOD}")
    assert check_edition(folder) == []
    for path in folder.rglob("*.pdf"):
        for page in PdfReader(path).pages:
            assert "giả định" in page.extract_text(), path.name
    html = (folder / "index.html").read_text(encoding="utf-8")
    assert "giả định" in html
    assert 'src="http' not in html


def test_the_data_folder_lists_every_table_of_the_graph(finished):
    keys = {
        k.to_user_string() for k in defs().resolve_all_asset_keys() if k.path[0] not in {"report"}
    }  # type: ignore[operator]
    stored = set(list_tables(data_dir=finished.data_dir)["table"])
    assert {k for k in keys if not k.startswith("raw/inbox")} <= stored


def test_event_metadata_holds_no_record(finished):
    names = set(table(finished, "core/organisations")["name"].drop_nulls().to_list())
    job = defs().resolve_implicit_global_asset_job_def()  # type: ignore[operator]
    from htx_pipeline.orchestration.io_manager import ParquetIOManager
    from htx_pipeline.orchestration.resources import SettingsResource, overrides_of

    overrides = overrides_of(finished)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            partition_key=PERIOD,
            instance=instance,
            op_selection=["core_organisations"],
            resources={
                "settings": SettingsResource(overrides=overrides),
                "io_manager": ParquetIOManager(data_dir=str(finished.data_dir)),
            },
        )
        assert result.success
        logged = "\n".join(str(e.dagster_event) for e in instance.all_logs(result.run_id))
    assert not [n for n in names if n in logged]
    failed = [c for c in result.get_asset_check_evaluations() if not c.passed]
    assert failed
    for check in failed:
        assert str(check.metadata["see"].value).startswith("core/organisations_findings, rule_id ")


def rerun(settings: Settings, *selection: str):
    return run_periods(settings, [PERIOD], selection=selection)[0]


@pytest.fixture
def copied(finished, tmp_path) -> Settings:
    """A copy of the finished data that a test may break."""
    shutil.copytree(finished.data_dir, tmp_path / "data")
    return finished.model_copy(update={"data_dir": tmp_path / "data"})


def linkages_path(settings: Settings, group: str) -> Path:
    return settings.data_dir / group / "linkages" / f"period={PERIOD}" / "linkages.parquet"


def test_a_critical_failure_publishes_nothing_and_a_later_step_reads_the_old_table(copied):
    before = linkages_path(copied, "core").read_bytes()
    raw = pl.read_parquet(linkages_path(copied, "raw"))
    # Nearly every row loses its parties: more than the allowed share would be rejected.
    broken = raw.with_columns(
        supplier_name=pl.lit(None, dtype=pl.String), supplier_tax_code=pl.lit(None, dtype=pl.String)
    )
    broken.write_parquet(linkages_path(copied, "raw"))
    run = rerun(
        copied,
        "core/linkages",
        "core/linkages_findings",
        "core/linkages_rejected",
        "core/linkages_ledger",
    )
    assert not run.is_success
    assert "core/linkages is not published" in run.failures[0]
    assert linkages_path(copied, "core").read_bytes() == before
    rejected = pl.read_parquet(
        copied.data_dir
        / "core"
        / "linkages_rejected"
        / f"period={PERIOD}"
        / "linkages_rejected.parquet"
    )
    assert rejected.height == raw.height
    assert rerun(copied, "graph/edges").is_success


def test_a_table_that_never_passed_is_missing_for_the_next_step_with_a_clear_message(copied):
    linkages_path(copied, "core").unlink()
    run = rerun(copied, "graph/edges")
    assert not run.is_success
    assert "has not been made yet" in run.failures[0]


def test_a_truncated_table_is_named_with_its_remedy(copied):
    path = linkages_path(copied, "core")
    path.write_bytes(path.read_bytes()[:1000])
    run = rerun(copied, "graph/edges")
    assert not run.is_success
    assert "damaged" in run.failures[0]
    assert "materialize the asset again" in run.failures[0]


def test_a_missing_input_folder_fails_with_one_message(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", input_dir=tmp_path / "nowhere")
    run = run_periods(settings, [PERIOD])[0]
    assert not run.is_success
    assert "The folder of source files does not exist" in run.failures[0]


def test_a_period_out_of_range_is_refused_before_anything_runs(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", input_dir=tmp_path)
    with pytest.raises(InputError, match="1899"):
        run_periods(settings, ["1899"])
