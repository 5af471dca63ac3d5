"""What `htx feedback` does: findings from a run or from the file by itself, then the workbook.

What belongs here: putting together the parts of this package for one file named by a person. What does
not: reading arguments (`cli`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.feedback.alone import Alone, check_alone
from htx_pipeline.feedback.deliver import DAYS, Feedback, write_feedback
from htx_pipeline.findings import empty_findings
from htx_pipeline.ingest.changes import CHANGE_SCHEMA, diff_submissions, natural_key
from htx_pipeline.ingest.guard import read_bytes
from htx_pipeline.ingest.mapping import Mapping, load_mapping
from htx_pipeline.ingest.partial import diff_partial
from htx_pipeline.schemas import TABLES


def give_feedback(
    file: Path,
    output: Path,
    *,
    data_dir: Path | None = None,
    mapping_files: Sequence[Path] = (),
    period: str | None = None,
    previous: Path | None = None,
    days: int = DAYS,
) -> Feedback:
    """Write the feedback of one file.

    Parameters
    ----------
    file, output:
        The sender's file, only read; the workbook to write.
    data_dir:
        Data folder of a run that read the file: its findings are told. The file is known by its
        content, whatever it is called now. Without it the file is checked by itself.
    mapping_files:
        Mappings that read the file; not needed for our templates.
    period:
        Reporting year.
    previous:
        The version sent before.
    days:
        Days after 15 December of the period.

    Raises
    ------
    InputError
        The run did not read the file; nothing says how to read it; *output* is the file itself.
    """
    mappings = [load_mapping(p) for p in mapping_files]
    organisations: pl.DataFrame | None = None
    told: pl.DataFrame | None = None
    if data_dir is not None:
        period, told, organisations = _findings_of_run(file, data_dir, period)
    is_alone_needed = told is None or previous is not None
    alone = _alone(file, mappings, period, organisations, is_needed=is_alone_needed)
    year = alone.period or period
    if not year:
        raise _unreadable(file, alone.findings.row(0, named=True))
    found = told if told is not None else alone.findings
    changes: pl.DataFrame | None = None
    if previous is not None:
        before = check_alone(previous, mappings=mappings, period=year, organisations=organisations)
        changes = changes_between(before, alone)
    return write_feedback(
        file, found, output, period=year, mappings=alone.mappings or mappings, days=days, changes=changes,
        previous=previous.name if previous is not None else "",
    )  # fmt: skip


def _alone(
    file: Path,
    mappings: Sequence[Mapping],
    period: str | None,
    organisations: pl.DataFrame | None,
    *,
    is_needed: bool,
) -> Alone:
    if is_needed:
        return check_alone(file, mappings=mappings, period=period, organisations=organisations)
    return Alone(period or "", empty_findings(), mappings=tuple(mappings))


def changes_between(before: Alone, after: Alone) -> pl.DataFrame:
    """Return what *after* changed against *before*, table by table (`CHANGE_SCHEMA`).

    Where *after* holds only corrected rows, the rows it leaves out are not removed (`diff_partial`).
    """
    parts = [pl.DataFrame(schema=CHANGE_SCHEMA)]
    for name in (t for t in TABLES if t in before.rows and t in after.rows):
        old, new = before.rows[name], after.rows[name]
        found = diff_partial(name, old, new, old_places=before.places, new_places=after.places)
        if found is None:
            found = diff_submissions(
                old, new, key=natural_key(TABLES[name]), table=name, old_places=before.places, new_places=after.places,
            )  # fmt: skip
        parts.append(found)
    return pl.concat(parts)


def _findings_of_run(
    file: Path, data_dir: Path, period: str | None
) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """Return the period, the findings and the organisations of the run that read this content."""
    from htx_pipeline.tables import list_tables, read_table

    digest = hashlib.sha256(read_bytes(file)).hexdigest()
    known = (
        list_tables(data_dir=data_dir)
        .filter(pl.col("table") == "core/findings")["period"]
        .drop_nulls()
        .to_list()
    )
    years = [period] if period is not None else sorted(known, reverse=True)
    for year in years:
        files = read_table("raw/source_files", period=year, data_dir=data_dir).filter(
            pl.col("sha256") == digest
        )
        if not files.height:
            continue
        names = files["source_file"].unique().implode()
        found = read_table("core/findings", period=year, data_dir=data_dir).filter(
            pl.col("source_file").is_in(names)
        )
        if found.height or period is not None:
            return year, found, read_table("core/organisations", period=year, data_dir=data_dir)
    raise InputError(
        "The run did not find anything in a file with this content.", where=f"{file.name} ({digest[:16]}…), {data_dir}",
        why=f"periods looked at: {', '.join(years) or 'none'}",
        remedy="Run the pipeline on this version of the file, or leave out --findings to check the file by itself.",
        what_vi="Lần chạy này chưa đọc tệp có nội dung như vậy, hoặc không có gì phải sửa.", remedy_vi="Chạy lại với tệp này, hoặc kiểm tra riêng tệp.",
        code="feedback_unknown_file",
    )  # fmt: skip


def _unreadable(file: Path, told: dict[str, Any]) -> InputError:
    """Return the error of a file that cannot be opened, for which no year was given either."""
    return InputError(
        told["reason_en"], where=file.name,
        remedy=f"{told['remedy_en']} To write this to the sender as a list with a deadline, name the reporting year (--period).",
        what_vi=told["reason_vi"], remedy_vi=f"{told['remedy_vi']} Muốn lập danh sách gửi lại đơn vị: nhập kỳ báo cáo bằng --period.",
        code=told["rule_id"].removeprefix("file."),
    )  # fmt: skip
