"""The whole set: all of it in place, or nothing; the same input, the same name."""

from __future__ import annotations

import hashlib
import json
import os

import polars as pl
import pytest

from htx_pipeline import storage
from htx_pipeline.cli import main
from htx_pipeline.errors import InputError
from htx_pipeline.exports import publish
from htx_pipeline.exports.base import Exported
from htx_pipeline.exports.publish import FORMATS, export_files, options_for, write_exports
from htx_pipeline.report.handout import publishable
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.settings import Settings
from htx_pipeline.tables import list_tables


def listing(folder) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_public_files_are_not_made_without_disclosure_control(frames, options, tmp_path):
    public = options.model_copy(update={"kind": "public"})
    with pytest.raises(InputError) as caught:
        write_exports(frames, tmp_path, public)
    assert caught.value.code == "export_unmasked"
    assert listing(tmp_path) == []


def test_what_disclosure_control_takes_out_is_in_no_file(frames, options):
    public = options.model_copy(update={"kind": "public"})

    def mask(shown):
        hidden = pl.lit("ẩn danh")
        names = {"name", "supplier_name", "buyer_name"}
        return {k: f.with_columns(**dict.fromkeys(names & set(f.columns), hidden)) for k, f in shown.items()}  # fmt: skip

    files, _ = export_files(frames, public, mask=mask)
    text = [d for n, d in files.items() if not n.endswith(".parquet")]
    assert not [d for d in text if "Sáu Nhung".encode() in d]
    assert [d for d in text if "ẩn danh".encode() in d]
    plain, _ = export_files(frames, options)
    assert [d for d in plain.values() if "Sáu Nhung".encode() in d]


def test_formats_that_need_a_withheld_table_are_left_out_of_the_public_set(frames, options):
    public = options.model_copy(update={"kind": "public"})
    columns = ["period", "org_id", "name", "legal_type", "admin_code", "admin_version"]

    def mask(shown):
        kept = {k: shown[k] for k in ("metrics/clusters", "metrics/cluster_members")}
        return {**kept, "core/organisations": shown["core/organisations"].select(columns)}

    files, counts = export_files(frames, public, mask=mask)
    assert set(counts) == {"csv", "package", "geojson"}
    assert not [d for n, d in files.items() if b"0100109106" in d]
    assert "network.gexf" not in files[publish.GUIDE].decode()
    with pytest.raises(InputError, match="graph/nodes"):
        export_files(frames, public, formats=["gexf"], mask=mask)


def test_a_public_set_holds_no_amount_and_no_single_linkage(frames, options):
    public = options.model_copy(update={"kind": "public"})
    report = ReportOptions(title="x", as_of=options.as_of, kind="public")
    files, counts = export_files(frames, public, mask=lambda f: publishable(f, report))
    assert {"gexf", "graphml", "epcis"} & set(counts) == set()
    assert not [n for n in files if "linkages" in n or "cooperative_reports" in n]
    for name, data in files.items():
        if name.endswith(".parquet"):
            assert not [c for c in pl.read_parquet(data).columns if c.endswith("_vnd")], name
    inside, _ = export_files(frames, options)
    assert [n for n in inside if "linkages" in n]


def test_an_unknown_format_and_a_missing_table_are_named(frames, options):
    with pytest.raises(InputError, match="'shapefile' is not known"):
        export_files(frames, options, formats=["shapefile"])
    for name, form in FORMATS.items():
        for key in form.needs:
            with pytest.raises(InputError, match=key):
                export_files({k: f for k, f in frames.items() if k != key}, options, formats=[name])


def test_a_format_that_fails_leaves_nothing_and_the_old_set_in_force(
    frames, options, tmp_path, monkeypatch
):
    before = write_exports(frames, tmp_path, options)
    pointer = (tmp_path / "current.json").read_bytes()

    def fail(*_a) -> Exported:
        raise publish.InputError("broken", code="export_read_back")

    last = max(FORMATS)
    monkeypatch.setattr(publish, "FORMATS", {**FORMATS, last: publish.Format(write=fail, needs=(), files="", use_vi="", use_en="")})  # fmt: skip
    with pytest.raises(InputError, match="broken"):
        write_exports({**frames, "core/linkages": frames["core/linkages"].head(1)}, tmp_path, options)  # fmt: skip
    assert (tmp_path / "current.json").read_bytes() == pointer
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [before.folder.name]


@pytest.mark.parametrize("at", [0, 3, 9])
def test_a_disk_that_fails_in_the_middle_leaves_nothing(
    frames, options, tmp_path, monkeypatch, at: int
):
    flush = os.fsync
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > at:
            raise OSError(28, "No space left on device")
        flush(handle)

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(InputError, match="could not be written"):
        write_exports(frames, tmp_path / "out", options)
    assert listing(tmp_path / "out") == []


def test_the_manifest_lists_every_file_with_its_hash_and_what_was_counted(
    frames, options, tmp_path
):
    made = write_exports(frames, tmp_path, options)
    manifest = json.loads((made.folder / "manifest.json").read_bytes())
    assert sorted([*manifest["files"], "manifest.json"]) == listing(made.folder)
    for name, stated in manifest["files"].items():
        data = (made.folder / name).read_bytes()
        assert data, name
        assert hashlib.sha256(data).hexdigest() == stated["sha256"]
    assert set(manifest["counts"]) == set(FORMATS)
    assert json.loads((tmp_path / "current.json").read_bytes())["exports"] == made.folder.name


def test_the_same_tables_are_the_same_set_and_other_ones_another(frames, options, tmp_path):
    first = write_exports(frames, tmp_path / "a", options)
    again = write_exports(frames, tmp_path / "a", options)
    assert (first.is_new, again.is_new) == (True, False)
    shuffled = {k: frames[k] for k in sorted(frames, reverse=True)}
    assert write_exports(shuffled, tmp_path / "b", options).folder.name == first.folder.name
    fewer = {**frames, "core/linkages": frames["core/linkages"].head(2)}
    assert write_exports(fewer, tmp_path / "a", options).folder != first.folder


def test_an_empty_period_can_be_exported(empty, options, tmp_path):
    made = write_exports(empty, tmp_path, options)
    assert all((made.folder / n).stat().st_size for n in made.manifest["files"])


def test_a_wrong_address_in_the_settings_is_told(frames):
    with pytest.raises(InputError, match="value that cannot be used") as caught:
        options_for(frames, Settings(base_uri="not an address"), "2025")
    assert "base_uri" in caught.value.why


def test_synthetic_data_say_so_in_every_set(frames):
    files = pl.DataFrame({"mapping_id": ["m"], "is_synthetic": [True]})
    options = options_for({**frames, "raw/source_files": files}, Settings(), "2025")
    assert options.is_synthetic
    made, _ = export_files(frames, options)
    for name in ("network.gexf", "network.graphml", "organisations.geojson", "organisations.jsonld", "deliveries.epcis.jsonld", "package/datapackage.json", "DOC-TRUOC.txt"):  # fmt: skip
        assert "GIẢ ĐỊNH".encode() in made[name], name
    assert all("gia-dinh" in n for n in made if n.endswith(".csv"))


@pytest.fixture
def data(frames, tmp_path):
    for key, frame in frames.items():
        storage.write_table(frame, storage.table_path(tmp_path / "data", key, period="2025"))
    return tmp_path / "data"


def test_the_command_writes_what_is_asked_for_and_says_what_it_counted(data, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", "--format", "gexf", "--format", "epcis", "-o", str(out), "--data", str(data)]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "events 2" in said
    (folder,) = [p for p in out.iterdir() if p.is_dir()]
    assert listing(folder) == ["DOC-TRUOC.txt", "deliveries.epcis.jsonld", "manifest.json", "network.gexf"]  # fmt: skip


def test_the_command_speaks_text_when_there_is_nothing(data, tmp_path, capsys):
    assert main(["export", "--period", "1999", "--data", str(data), "-o", str(tmp_path / "o")]) == 2
    assert "no tables of the period 1999" in capsys.readouterr().err
    assert main(["export", "--data", str(tmp_path / "nowhere"), "-o", str(tmp_path / "o")]) == 2
    assert not (tmp_path / "o").exists()


def test_one_network_file_is_written_whole_and_other_endings_are_refused(data, tmp_path, capsys):
    out = tmp_path / "x.gexf"
    assert main(["graph", "export", str(out), "--data", str(data)]) == 0
    assert "characters replaced" in capsys.readouterr().out
    assert out.read_bytes().endswith(b"</gexf>\n")
    assert main(["graph", "export", str(tmp_path / "x.docx"), "--data", str(data)]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "x.gexf"]


def test_exported_parquet_is_not_taken_for_a_table(data, frames, options):
    before = list_tables(data_dir=data)
    write_exports(frames, data / "report" / "exports" / "period=2025", options)
    assert list_tables(data_dir=data).equals(before)
