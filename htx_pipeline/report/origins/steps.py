"""What was done between a source file and a figure, step by step, with the rules that were applied.

What belongs here: the words of the steps. What does not: rows (`rows`) and rules of figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from htx_pipeline.report.blocks import Source
from htx_pipeline.report.origins.model import Origin
from htx_pipeline.report.origins.rows import Year

STEPS: Final[Mapping[str, str]] = {
    "raw": "đọc từng ô của tệp nguồn, giữ tên tệp, trang tính và số dòng",
    "resolve": "nhận ra tổ chức theo mã số thuế, mã đăng ký, rồi tên và địa bàn; nhận ra địa danh",
    "core": "đổi về đơn vị chung, kiểm tra theo quy tắc",
    "core/findings": "ghi lại từng dòng và ô vi phạm một quy tắc",
    "core/ledger": "đếm dòng vào, giữ lại, gộp và bị loại của mỗi quy tắc",
    "graph/edges": "cộng các liên kết cùng bên bán, bên mua, sản phẩm và mức bằng chứng",
    "graph/nodes": "xếp mỗi tổ chức vào một công đoạn theo ngành nghề và liên kết (có thể là suy đoán)",
    "graph/communities": "mô hình: thuật toán Leiden chia mạng lưới thành nhóm liên kết chặt; ai thuộc cụm nào là kết quả của mô hình",
    "metrics/clusters": "cộng các liên kết có cả hai bên trong cụm",
    "metrics/cluster_members": "cộng theo từng thành viên của cụm",
    "metrics/cluster_stages": "cộng theo công đoạn và sản phẩm trong cụm",
    "metrics/cluster_criteria": "đối chiếu với điều kiện trong văn bản",
    "metrics/chain_flows": "cộng theo dòng từ công đoạn sang công đoạn, bù phần chênh",
    "metrics/localities": "cộng theo địa bàn của hợp tác xã",
    "metrics/communes": "chuyển về đơn vị hành chính hiện nay, cộng theo xã, phường",
    "metrics/indicators": "tính chỉ tiêu, giữ tử số và mẫu số",
    "metrics/plan_progress": "so chỉ tiêu với mục tiêu cùng mẫu số",
    "metrics/reporting_roster": "đối chiếu đơn vị phải báo cáo với báo cáo đã nhận",
    "metrics/standing_changes": "so với kỳ trước",
    "reference/targets": "mục tiêu chép từ văn bản vào danh mục đi kèm phần mềm, có địa chỉ nguồn",
}  # fmt: skip
"""What each step does, in one line, by table."""

LINKED: Final = ("linkages", "cooperative_reports", "organisations", "trainings", "commendations")


def steps_of(year: Year, origin: Origin, source: Source | None = None) -> tuple[str, ...]:
    """Return the steps between the source files and a figure, each with what was done there.

    Parameters
    ----------
    source:
        Of the block, where the figure has no rule.
    """
    keys = (*(p.table for p in origin.parts), *(source.tables if source else ()))
    tables = tuple(dict.fromkeys(k.split(" ")[0].split(":")[0] for k in keys))
    through = (*origin.through, *(source.through if source else ()))
    return year.keep(("steps", tables, through), lambda: _steps(year, tables, through))  # type: ignore[no-any-return]


def _steps(year: Year, tables: tuple[str, ...], through: tuple[str, ...]) -> tuple[str, ...]:
    core = [t for t in tables if "/" not in t and t != "findings"]
    steps = [f"{t}: {STEPS[t]}" for t in tables if t in STEPS]
    steps += [f"raw/{t}: {STEPS['raw']}" for t in core]
    if any(t in LINKED for t in core):
        steps.append(f"resolve: {STEPS['resolve']}")
    steps += [f"core/{t}: {STEPS['core']}{_rules(year, t)}" for t in core]
    known = [f"{t}: {STEPS[t]}" if t in STEPS else t for t in through]
    return tuple(dict.fromkeys((*steps, *known)))


def _rules(year: Year, table: str) -> str:
    """Return how many rules a table passed, and which of them left rows out."""
    ledger = year.frame("core/ledger", "table", "rule_id", "rows_rejected_first")
    if not ledger.height:
        ledger = year.frame(f"core/{table}_ledger", "table", "rule_id", "rows_rejected_first")
    own = ledger.filter(pl.col("table") == table) if ledger.height else ledger
    if not own.height:
        return ""
    lost = own.filter(pl.col("rows_rejected_first") > 0).select("rule_id", "rows_rejected_first")
    named = ", ".join(f"{rule} {n}" for rule, n in lost.sort("rule_id").iter_rows())
    return f" ({own.height} quy tắc" + (f"; loại: {named})" if named else ")")
