"""Reading workbooks side by side: 100,000 rows x 15 columns, clean and messy.

What belongs here: CPU time of the guarded readers against the libraries alone, in repeated pairs
(median of the ratios), and the memory the reading takes. A clean table goes through
`Sheet.typed_frame`, and once more through a mapping and the suite to a validated frame, and is held
against ``polars.read_excel``; a messy one goes through the layout and `Sheet.text_frame` and is held against calamine alone. Opening always includes every safety
check of `htx_pipeline.ingest.guard`.

Run it with ``python -m benchmarks.ingest`` from the project root.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS = 100_000
GOAL_CLEAN = 1.5
GOAL_MESSY = 3.0
_PRODUCTS = ["Lúa", "Cà phê", "Sắn", "Cao su", "Mắc ca", "Sâm Ngọc Linh"]


def clean_workbook(rows: int = ROWS, *, seed: int = 1) -> bytes:
    """One heading row, then plain typed columns."""
    return _workbook(rows, seed=seed, messy=False)


def messy_workbook(rows: int = ROWS, *, seed: int = 1) -> bytes:
    """Title, two-level heading, index row, sections, subtotals, text numbers, notes, signatures."""
    return _workbook(rows, seed=seed, messy=True)


def _workbook(rows: int, *, seed: int, messy: bool) -> bytes:
    import xlsxwriter

    rng = random.Random(seed)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": not messy, "in_memory": True})
    sheet = book.add_worksheet("Biểu 1")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    headings = ["STT", "Tên HTX", "Mã số thuế", "Ngày đăng ký"] + [
        f"Chỉ tiêu {i}" for i in range(11)
    ]
    at = 0
    if messy:
        sheet.merge_range(0, 0, 0, 14, "BÁO CÁO TỔNG HỢP NĂM 2025")
        sheet.write(2, 13, "ĐVT: triệu đồng")
        sheet.merge_range(3, 4, 3, 14, "Kết quả")
        for c in range(4):
            sheet.merge_range(3, c, 4, c, headings[c])
        sheet.write_row(4, 4, headings[4:])
        sheet.write_row(5, 0, list(range(1, 16)))
        at = 6
    else:
        sheet.write_row(0, 0, headings)
        at = 1
    first = dt.date(2010, 1, 1)
    for r in range(rows):
        if messy and r % 500 == 0:
            sheet.write_row(at, 0, ["I", f"Xã {r // 500}"])
            at += 1
        sheet.write_row(at, 0, [r + 1, f"HTX nông nghiệp {r}", f"{6100000000 + r}"])
        sheet.write_datetime(at, 3, first + dt.timedelta(days=r % 5000), day)
        for c in range(4, 14):
            value = rng.randint(0, 10**7)
            if messy and rng.random() < 0.1:
                sheet.write_string(at, c, f"{value:,}".replace(",", "."))
            elif not (messy and rng.random() < 0.1):
                sheet.write_number(at, c, value if c % 2 else value / 100)
        sheet.write_string(at, 14, rng.choice(_PRODUCTS))
        at += 1
        if messy and r % 500 == 499:
            sheet.write_row(at, 1, ["Cộng"])
            at += 1
    if messy:
        sheet.write(at + 1, 0, "Ghi chú: số liệu tạm tính")
        sheet.write(at + 2, 1, "NGƯỜI LẬP BIỂU")
        sheet.write(at + 2, 8, "THỦ TRƯỞNG ĐƠN VỊ")
    book.close()
    return out.getvalue()


def mapped_workbook(rows: int = ROWS, *, seed: int = 1) -> bytes:
    """A clean report of cooperatives whose values fit their columns."""
    import xlsxwriter

    rng = random.Random(seed)
    names = list(range(rows))
    rng.shuffle(names)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Biểu 1")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, [heading for _, heading in _MAPPED])
    first = dt.date(2025, 1, 1)
    for r in range(rows):
        values = [f"HTX nông nghiệp {names[r]}", f"{6100000000 + r}"]
        sheet.write_row(r + 1, 0, values)
        sheet.write_datetime(r + 1, 2, first + dt.timedelta(days=r % 300), day)
        for c in range(3, 14):
            sheet.write_number(r + 1, c, rng.randint(0, 300) if c < 7 else rng.randint(0, 10**7))
        sheet.write_string(r + 1, 14, rng.choice(["Ngọk Réo", "Đăk Hà", "Sa Thầy"]))
    book.close()
    return out.getvalue()


_MAPPED = [
    ("name", "Tên HTX"), ("tax_code", "Mã số thuế"), ("reported_on", "Ngày gửi báo cáo"),
    ("official_members", "Thành viên chính thức"), ("regular_workers", "Lao động thường xuyên"),
    ("seasonal_workers", "Lao động thời vụ"), ("ocop_products", "Sản phẩm OCOP"),
    ("charter_capital_vnd", "Vốn điều lệ"), ("total_capital_vnd", "Tổng nguồn vốn"),
    ("undivided_assets_vnd", "Tài sản chung"), ("debt_vnd", "Nợ phải trả"),
    ("revenue_vnd", "Doanh thu"), ("profit_before_tax_vnd", "Lợi nhuận"),
    ("funds_set_aside_vnd", "Trích quỹ"), ("place_name", "Xã"),
]  # fmt: skip


# --- what is compared -------------------------------------------------------------------------


def ours_clean(path: str) -> Any:
    """Guard, then the typed fast path."""
    from htx_pipeline.ingest import guard
    from htx_pipeline.ingest.workbook import open_workbook

    guard.forget_passed()
    return open_workbook(path).sheets[0].typed_frame(2)


def ours_mapped(path: str) -> Any:
    """From the folder to a validated frame: listed, checked, read by a mapping, judged by the suite."""
    import polars as pl

    from htx_pipeline.ingest import guard
    from htx_pipeline.ingest.mapping import ColumnRule, Mapping, PeriodRule
    from htx_pipeline.ingest.read import list_sources, read_sources
    from htx_pipeline.validation.run import validate
    from htx_pipeline.validation.suites import load_suite

    guard.forget_passed()
    folder = Path(path).parent
    mapping = Mapping(
        id="bench", table="cooperative_reports", files=(Path(path).name,),
        period=PeriodRule(constant="2025"),
        columns={column: ColumnRule(source=heading) for column, heading in _MAPPED},
    )  # fmt: skip
    files = list_sources([mapping], folder)
    read = read_sources(mapping.table, [mapping], files, input_dir=folder, period="2025")
    rows = read.rows.with_columns(org_id=pl.col("tax_code"))
    suite = load_suite(Path(__file__).parents[1] / "expectations" / "cooperative_reports.json")
    known = {"organisations.org_id": rows["org_id"]}
    return validate(rows, suite, references=known, prior_findings=read.findings)


def peer_clean(path: str) -> Any:
    """``polars.read_excel`` as it comes."""
    import polars as pl

    return pl.read_excel(path)


def ours_messy(path: str) -> Any:
    """Guard, cells, layout with totals, and the text of every data row."""
    from htx_pipeline.ingest import guard
    from htx_pipeline.ingest.layout import understand
    from htx_pipeline.ingest.totals import check_totals
    from htx_pipeline.ingest.workbook import open_workbook

    guard.forget_passed()
    sheet = open_workbook(path).sheets[0]
    layout = understand(sheet)
    check_totals(layout)
    return sheet.text_frame(list(layout.data_rows))


def peer_messy(path: str) -> Any:
    """Calamine alone, to Python values."""
    import python_calamine

    return python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()


def _times(call: Callable[[str], Any], path: str) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call(path)
    return time.process_time() - cpu, time.perf_counter() - wall


def _peak_mb(name: str, path: str) -> float:
    """Peak memory of one call in a process of its own."""
    code = (
        "import resource, sys; sys.path.insert(0, '.'); from benchmarks import ingest;"
        f"ingest.{name}(sys.argv[1]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    return round(float(done.stdout), 0)


def bench(*, rows: int = ROWS, pairs: int = 5) -> list[dict[str, Any]]:
    """Return one row per comparison: bench, size, peer, cpu_ratio, wall_ratio, goal, met, peak_mb.

    The goal is held against CPU time: wall time also tells how many processors were free.
    """
    cases = [
        ("clean workbook to typed frame", clean_workbook, ours_clean, peer_clean,
         "polars.read_excel", GOAL_CLEAN),
        ("clean workbook through a mapping to a validated frame", mapped_workbook, ours_mapped,
         peer_clean, "polars.read_excel", GOAL_CLEAN),
        ("messy workbook to understood text", messy_workbook, ours_messy, peer_messy,
         "python-calamine alone", GOAL_MESSY),
    ]  # fmt: skip
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make, ours, peer, label, goal in cases:
            path = Path(folder) / ours.__name__ / "report.xlsx"
            path.parent.mkdir()
            path.write_bytes(make(rows))
            _times(ours, str(path)), _times(peer, str(path))
            both = [(_times(ours, str(path)), _times(peer, str(path))) for _ in range(pairs)]
            ratio, wall_ratio = (
                round(statistics.median(mine[i] / other[i] for mine, other in both), 2)
                for i in (0, 1)
            )
            results.append(
                {
                    "bench": name,
                    "size": f"{rows:,} x 15",
                    "peer": label,
                    "cpu_ratio": ratio,
                    "wall_ratio": wall_ratio,
                    "goal": goal,
                    "met": ratio <= goal,
                    "peak_mb": _peak_mb(ours.__name__, str(path)),
                }
            )
    return results


if __name__ == "__main__":
    for line in bench():
        print(line)
