"""Files nobody here made: form workbooks, the official conversion table, foreign registers."""

from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.ingest.layout import understand
from htx_pipeline.ingest.layout_model import RowKind
from htx_pipeline.ingest.workbook import open_workbook

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not there")


def layout_of(name: str):
    return understand(open_workbook(SHARED / name).sheets[0])


def test_the_contact_report_form_has_its_heading_and_no_records_yet():
    layout = layout_of("workbooks/gdgroup_BaoCaoTiepXuc_template.xlsx")
    assert layout.header_rows == (6,)
    assert len(layout.headings) == 12
    assert layout.data_rows == ()
    assert layout.counts["signature"] == 2


def test_the_agency_form_has_an_index_row_and_a_note_beside_the_table():
    layout = layout_of("workbooks/gdgroup_DaiLy_template.xlsx")
    assert (layout.header_rows, layout.table.index_row) == ((4,), 5)
    assert list(layout.headings.values())[:3] == ["STT", "Tên đại lý", "Mã số Thuế"]
    assert [(n.code, n.cell) for n in layout.notes] == [("side_note", "P4")]


def test_the_customer_form_has_a_heading_of_two_levels():
    layout = layout_of("workbooks/gdgroup_ThongTinKhachHang_template.xlsx")
    assert (layout.header_rows, layout.table.index_row) == ((3, 4), 5)
    assert layout.headings[3] == "CƠ QUAN / Mã số Thuế"
    assert layout.headings[9] == "CÁN BỘ / Số điện thoại"
    assert layout.data_rows == (6,)


def test_the_official_conversion_table_reads_as_its_tidy_form():
    layout = layout_of("admin/official_conversion_table_2025-07-01_raw.csv")
    assert layout.header_rows == (1, 2)
    assert layout.headings[3] == "Đơn vị hành chính từ ngày 01/7/2025 / Mã Xã mới"
    assert layout.headings[5] == "Đơn vị hành chính trước ngày 01/7/2025 / Mã Xã cũ"
    assert layout.counts == {"heading": 2, "data": 10_571, "section": 34}
    tidy = pl.read_csv(
        SHARED / "admin/official_conversion_table_2025-07-01_tidy.csv", infer_schema=False
    )
    assert len(layout.data_rows) == tidy.height
    names = layout.sheet.text_frame(list(layout.data_rows))["c3"].drop_nulls().unique()
    assert names.len() == 3_321


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("cooperatives/ivory_coast_cocoa_coop_to_buyer_disclosures.csv", 515),
        ("cooperatives/coops_uk_2017_organisations.csv", 8_371),
        ("cooperatives/coops_uk_2016_economy.csv", 32_292),
        ("vietnam/ocop_press_facts_quangngai_gialai_kontum.csv", 47),
        ("encodings/DERIVED_legacy_communes_kontum_quangngai_gialai_tcvn3.csv", 491),
        ("encodings/DERIVED_legacy_communes_kontum_quangngai_gialai_vni.csv", 491),
    ],
)
def test_registers_and_lists_keep_every_record(name, rows):
    layout = layout_of(name)
    assert layout.header_rows == (1,)
    assert len(layout.data_rows) == rows


def test_blank_rows_of_the_cocoa_register_are_accounted_for():
    layout = layout_of("cooperatives/ivory_coast_cocoa_coop_registry_2017_nopii.csv")
    counts = layout.counts
    assert sum(counts.values()) == 3_133
    assert counts["blank"] == 148
    filled = [r for r, row in enumerate(layout.sheet.cells, 1) if any(str(v).strip() for v in row)]
    assert [r for r in filled if layout.kinds[r - 1] == RowKind.DATA] == filled[1:]
