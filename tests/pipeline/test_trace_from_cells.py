"""Figures of the finished sample province, made again from the cells of the workbooks that it received."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import polars as pl

from htx_pipeline.report.ask import open_edition
from htx_pipeline.report.trace import numbers
from htx_pipeline.settings import Settings
from htx_pipeline.tables import read_table

PLAIN = {
    ("linkages", "contracted_value_vnd"): ("Giá trị hợp đồng", 1e6),
    ("linkages", "paid_value_vnd"): ("Đã thanh toán", 1e6),
    ("linkages", "contracted_tonnes"): ("Theo hợp đồng", 1e-3),
    ("linkages", "delivered_tonnes"): ("Đã giao", 1e-3),
    ("linkages", "area_ha"): ("Diện tích (ha)", 1.0),
    ("linkages", "households"): ("Số hộ", 1.0),
    ("cooperative_reports", "official_members"): ("Chính thức", 1.0),
    ("cooperative_reports", "revenue_vnd"): ("Doanh thu (tỷ đồng)", 1e9),
    ("cooperative_reports", "member_income_vnd"): ("Thành viên (triệu đồng)", 1e6),
    ("cooperative_reports", "worker_income_vnd"): ("Người lao động (triệu đồng)", 1e6),
    ("cooperative_reports", "regular_workers"): ("Thường xuyên", 1.0),
    ("cooperative_reports", "managers"): ("Tổng số", 1.0),
    ("cooperative_reports", "managers_college"): ("Cao đẳng, đại học", 1.0),
    ("plan_tasks", "progress_share"): ("Mức độ hoàn thành (%)", 0.01),
    ("plan_targets", "value"): ("Giá trị", 1.0),
}
"""Columns that a cell states as a number: its heading in the workbook, and what one unit of it is."""

HEADINGS = 8
"""Lines of a sheet among which the heading stands."""


def load_census() -> Any:
    path = Path(__file__).parents[1] / "report" / "census.py"
    spec = importlib.util.spec_from_file_location("census", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Workbooks:
    """The sheets of the workbooks of a folder, by name, as lists of lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_plain = self.n_other = 0
        self.read: dict[tuple[str, str], list[tuple[Any, ...]]] = {}

    def lines(self, file: str, sheet: str) -> list[tuple[Any, ...]]:
        if (file, sheet) not in self.read:
            from openpyxl import load_workbook

            book = load_workbook(self.folder / file, read_only=True, data_only=True)
            self.read[file, sheet] = list(book[sheet].iter_rows(values_only=True))
        return self.read[file, sheet]

    def column(self, file: str, sheet: str, heading: str) -> int:
        return next(line.index(heading) for line in self.lines(file, sheet)[:HEADINGS] if heading in line)  # fmt: skip

    def number(self, file: str, sheet: str, row: int, heading: str) -> float | None:
        value = self.lines(file, sheet)[row - 1][self.column(file, sheet, heading)]
        return float(value) if isinstance(value, int | float) else None


def made_again(settings: Settings, period: str) -> tuple[list[tuple[str, str, float | None]], int, Workbooks]:  # fmt: skip
    """Return figures that the cells do not make, how many were tried, and how many cells were read."""
    census, books = load_census(), Workbooks(Path(settings.input_dir))
    files = dict(read_table("raw/source_files", period=period, data_dir=settings.data_dir).select(pl.col("sha256").str.slice(0, 16), "source_file").iter_rows())  # fmt: skip
    asked = open_edition(data_dir=Path(settings.data_dir), edition=None, period=period)
    core: dict[str, pl.DataFrame] = {}

    def cells(table: str, column: str, ids: list[str]) -> pl.DataFrame:
        if table not in core:
            core[table] = read_table(f"core/{table}", period=period, data_dir=settings.data_dir)
        heading, unit = PLAIN[table, column]
        values = []
        known = dict(core[table].select("source_id", column).iter_rows())
        for ident in ids:
            file_id, sheet, row = ident.split(":")
            found = books.number(files[file_id], sheet, int(row), heading)
            # A cell that holds its number as text is read as the pipeline read it.
            books.n_plain += found is not None
            books.n_other += found is None and known[ident] is not None
            values.append(found * unit if found is not None else known[ident])
        return pl.DataFrame({"source_id": ids, "value": values}, schema={"source_id": pl.String, "value": pl.Float64})  # fmt: skip

    wrong, tried = [], 0
    for figure in asked.trace.filter(pl.col("formula") != "").iter_rows(named=True):
        added = [p for p in figure["parts"] if p["how"] != "rows"]
        if not added or any((p["table"], c) not in PLAIN for p in added for c in (p["column"], p["weight"]) if c):  # fmt: skip
            continue
        tried += 1
        found = census.recomputed(figure, cells)
        if found is None or not census.is_printed(found, figure, None):
            wrong.append((figure["figure_id"], figure["value"], found))
    return wrong, tried, books


def test_sums_shares_and_means_are_made_again_from_the_cells_of_the_workbooks(finished) -> None:
    wrong, tried, books = made_again(finished, "2025")
    assert not wrong, (len(wrong), wrong[:10])
    assert tried > 500
    assert books.n_other < 0.02 * books.n_plain, "nearly all cells are plain numbers"


def test_a_row_that_a_trace_names_names_the_parties_of_the_linkage(finished) -> None:
    books = Workbooks(Path(finished.input_dir))
    asked = open_edition(data_dir=Path(finished.data_dir), edition=None, period="2025")
    figure = asked.trace.filter(pl.col("figure_id").str.contains(r"^cum-.*/ben-mua/.*/share$")).row(0, named=True)  # fmt: skip
    buyer = figure["label"].split(":")[0]
    register = read_table("core/organisations", period="2025", data_dir=finished.data_dir)
    name = register.filter(pl.col("org_id") == buyer)["name"].item()
    named = {
        books.lines(e["file"], e["sheet"])[n - 1][books.column(e["file"], e["sheet"], "Tên bên mua")]
        for e in figure["sources"] if e["role"] == "numerator" for n in numbers(e["rows"])
    }  # fmt: skip
    assert any(n.split()[-1] in name for n in named)
    assert len(named) < 4, "one buyer, however it was spelt"
