"""`plan_tasks`: who has to do what by when, and how far it has come."""

from __future__ import annotations

from typing import Final

import polars as pl

from htx_pipeline.schemas.base import Code, Column, Table

TASK_STATUSES: Final = (
    Code(code="not_started", label_vi="Chưa thực hiện", label_en="Not started"),
    Code(code="in_progress", label_vi="Đang thực hiện", label_en="In progress"),
    Code(code="done", label_vi="Đã hoàn thành", label_en="Done"),
    Code(code="late", label_vi="Chậm tiến độ", label_en="Late"),
)

PLAN_TASKS: Final = Table(
    name="plan_tasks",
    label_vi="Nhiệm vụ kế hoạch",
    label_en="Plan tasks",
    description="Tasks of the plan with the responsible department, locality, deadline and progress.",
    grain="one task for one locality in one reporting year",
    key=("period", "document", "task_number", "locality"),
    own_columns=(
        Column(name="document", dtype=pl.String(), label_vi="Văn bản", label_en="Document", required=True, description="The plan."),
        Column(name="task_number", dtype=pl.String(), label_vi="Số thứ tự nhiệm vụ", label_en="Task number", required=True, description="Number in the plan."),
        Column(name="task", dtype=pl.String(), label_vi="Nội dung nhiệm vụ", label_en="Task", required=True, description="As worded."),
        Column(name="department", dtype=pl.String(), label_vi="Cơ quan chủ trì", label_en="Responsible department", required=True, description="Who leads."),
        Column(name="locality", dtype=pl.String(), label_vi="Địa bàn", label_en="Locality", required=True, description="District, commune or 'toàn tỉnh'."),
        Column(name="due_on", dtype=pl.Date(), label_vi="Thời hạn", label_en="Due on", description="Deadline."),
        Column(name="indicator", dtype=pl.String(), label_vi="Chỉ tiêu", label_en="Indicator", description="Measure it serves, when one is named."),
        Column(name="status", dtype=pl.String(), label_vi="Tình trạng", label_en="Status", codes=TASK_STATUSES, description="As reported."),
        Column(name="progress_share", dtype=pl.Float64(), label_vi="Mức độ hoàn thành", label_en="Progress", unit="share", minimum=0, maximum=1,
               description="0..1, as reported."),
    ),
)  # fmt: skip
"""Tasks."""
