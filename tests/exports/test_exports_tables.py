"""CSV for Excel and the data package: cells no program runs, a dictionary that says what is there."""

from __future__ import annotations

import csv
import io
import json
import re

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.exports import package, sheets
from htx_pipeline.exports.dictionary import GROUPS, described, table_keys
from htx_pipeline.schemas import TABLES


def rows(data: bytes, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=separator))


def test_a_csv_that_reads_back_otherwise_is_not_returned(frames, options, monkeypatch):
    read = sheets.pl.read_csv
    monkeypatch.setattr(sheets.pl, "read_csv", lambda *a, **k: read(*a, **k).head(1))
    with pytest.raises(InputError, match="cells differ"):
        sheets.write_csv(frames, options)


def test_no_cell_begins_as_a_formula_and_each_disarmed_one_is_counted(frames, options):
    made = sheets.write_csv(frames, options)
    cells = [c for d in made.files.values() for line in rows(d)[1:] for c in line]
    assert not [c for c in cells if re.match(r"[=@\t\r]|[+-](?![\d.,]*$)", c)]
    # name of organisation 4: in organisations, in nodes, and as the buyer of l4
    assert made.counts["disarmed_cells"] == cells.count("'=cmd|' /C calc'!A0") == 3


def test_a_line_break_stays_inside_its_cell_and_control_characters_go(frames, options):
    made = sheets.write_csv(frames, options)
    table = rows(made.files["csv/core-organisations.csv"])
    assert len(table) == 1 + frames["core/organisations"].height
    assert {len(line) for line in table} == {len(TABLES["organisations"].columns)}
    names = {line[1]: line[table[0].index("Tên tổ chức")] for line in table[1:]}
    assert names["5"] == "Hai\ndòng\tvà[31m"
    assert names["6"] == "HTX Đắk Tô"
    assert made.counts["dropped_characters"] >= 3


def test_excel_finds_a_mark_vietnamese_headings_units_and_labels(frames, options):
    data = sheets.write_csv(frames, options).files["csv/core-linkages.csv"]
    assert data.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in data
    heading, first, *_ = rows(data)
    cell = dict(zip(heading, first, strict=True))
    assert cell["Giá trị đã thanh toán (đồng)"] == "500000000000"
    assert cell["Giá trị theo hợp đồng (đồng)"] == ""
    assert cell["Sản lượng đã giao (tấn)"] == "12.5"
    assert cell["Mức độ bằng chứng"] == "Đã thực hiện"
    assert len(set(heading)) == len(heading)


def test_a_decimal_comma_comes_with_semicolons(frames, options):
    comma = options.model_copy(update={"csv_decimal": "comma"})
    data = sheets.write_csv(frames, comma).files["csv/core-linkages.csv"]
    heading, first, *_ = rows(data, ";")
    assert dict(zip(heading, first, strict=True))["Sản lượng đã giao (tấn)"] == "12,5"


def test_with_column_names_every_table_comes_back_as_it_was(frames, options):
    plain = options.model_copy(update={"csv_headings": "columns"})
    files = sheets.write_csv(frames, plain).files
    frame = frames["core/linkages"]
    read = pl.read_csv(files["csv/core-linkages.csv"], schema=frame.schema)
    kept = [c for c in frame.columns if not c.endswith("_name")]
    assert read.select(kept).equals(frame.select(kept))


@pytest.mark.parametrize("write", [sheets.write_csv, package.write_package])
def test_empty_tables_are_files_with_headings(empty, options, write):
    made = write(empty, options)
    assert made.counts["tables"] == len(empty)
    assert all(made.files.values())


@pytest.mark.parametrize("write", [sheets.write_csv, package.write_package])
def test_the_same_tables_give_the_same_bytes(frames, options, write):
    assert write(frames, options).files == write(dict(reversed(frames.items())), options).files


def test_what_was_rejected_or_found_wrong_stays_in_the_house(frames, options):
    more = {
        **frames, **{k: pl.DataFrame({"secret": ["x"]}) for k in (
            "core/linkages_rejected", "core/linkages_findings", "core/findings", "core/linkages_ledger", "raw/linkages",
            "core/cooperative_reports_plausibility", "report/feedback")},
    }  # fmt: skip
    for write in (sheets.write_csv, package.write_package):
        assert set(write(more, options).files) == set(write(frames, options).files)


def descriptor(frames, options) -> tuple[dict, dict]:
    files = package.write_package(frames, options).files
    return json.loads(files["package/datapackage.json"]), files


def test_the_descriptor_is_valid_by_frictionless_own_rules(frames, options):
    frictionless = pytest.importorskip("frictionless")
    made, _ = descriptor(frames, options)
    assert not list(frictionless.Package.metadata_validate(made))
    broken = json.loads(json.dumps(made))
    broken["resources"][0]["schema"]["fields"][0]["constraints"] = {"minimum": 1, "required": "x"}
    assert list(frictionless.Package.metadata_validate(broken))


def test_every_parquet_is_what_its_schema_says(frames, options):
    made, files = descriptor(frames, options)
    assert [r["name"] for r in made["resources"]] == sorted(k.replace("/", "-") for k in frames)
    for resource in made["resources"]:
        frame = pl.read_parquet(io.BytesIO(files[f"package/{resource['path']}"]))
        assert frame.equals(frames[resource["name"].replace("-", "/", 1)])
        fields = {f["name"]: f["type"] for f in resource["schema"]["fields"]}
        assert list(fields) == frame.columns
        assert resource["htx:rows"] == frame.height
    types = {f["name"]: f["type"] for r in made["resources"] for f in r["schema"]["fields"]}
    wanted = {"paid_value_vnd": "integer", "delivered_tonnes": "number", "signed_on": "date", "has_inputs": "boolean", "source_ids": "array", "name": "string"}  # fmt: skip
    assert wanted.items() <= types.items()


def test_fields_say_title_unit_labels_limits_and_source(frames, options):
    made, _ = descriptor(frames, options)
    linkages = next(r for r in made["resources"] if r["name"] == "core-linkages")
    fields = {f["name"]: f for f in linkages["schema"]["fields"]}
    assert fields["area_ha"]["title"] == "Diện tích"
    assert fields["area_ha"]["htx:titleEn"] == "Area"
    assert fields["area_ha"]["htx:unit"] == "ha"
    assert fields["area_ha"]["constraints"] == {"minimum": 0, "maximum": 100_000}
    assert fields["evidence"]["constraints"]["enum"] == ["planned", "signed", "active", "executed"]
    assert fields["evidence"]["categories"][3]["label"] == "Đã thực hiện"
    assert "Nghị định 98" in fields["nd98_form"]["htx:source"]
    assert linkages["schema"]["primaryKey"] == ["period", "linkage_id"]
    references = [f["reference"]["resource"] for f in linkages["schema"]["foreignKeys"]]
    assert references == ["core-organisations"] * 2
    tax = described("core/organisations", "tax_code", pl.String())
    assert "pattern" not in tax.constraints  # such a row is flagged and kept


def test_a_licence_is_named_or_its_absence_is(frames, options):
    without, _ = descriptor(frames, options)
    assert "licenses" not in without
    assert "no licence stated" in without["htx:licence"]
    given = {"licence_name": "CC-BY-4.0", "licence_address": "https://creativecommons.org/licenses/by/4.0/"}  # fmt: skip
    stated, _ = descriptor(frames, options.model_copy(update=given))
    assert stated["licenses"] == [{"name": "CC-BY-4.0", "path": given["licence_address"]}]


def test_a_column_nobody_described_is_counted(frames, options):
    more = {**frames, "metrics/new": pl.DataFrame({"zzz": [1], "org_id": ["1"]})}
    assert package.write_package(frames, options).counts["undescribed_columns"] == 0
    assert package.write_package(more, options).counts["undescribed_columns"] == 1


def test_tables_of_every_group_are_exported(frames):
    assert {k.split("/")[0] for k in table_keys(frames)} == set(GROUPS)
