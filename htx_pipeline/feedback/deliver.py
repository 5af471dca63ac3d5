"""From findings to the workbook that goes back: choosing its form, writing it, and doing so for a folder.

What belongs here: `feedback_of`, `write_feedback`, `write_feedbacks`. What does not: how it looks
(`feedback.look`), the list (`feedback.listing`), the marks (`feedback.marked`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.feedback import marked
from htx_pipeline.feedback.listing import Letter
from htx_pipeline.feedback.losses import losses_of
from htx_pipeline.feedback.places import ORDER, Remark, place
from htx_pipeline.findings import concat_findings
from htx_pipeline.findings import findings as make_findings
from htx_pipeline.ingest.guard import MIB, read_bytes
from htx_pipeline.ingest.mapping import Mapping
from htx_pipeline.ingest.template import mapping_named, recognise
from htx_pipeline.ingest.template_form import deadline
from htx_pipeline.ingest.workbook import Workbook, open_bytes

Form = Literal["marked", "rendering", "list"]

DAYS: Final = 10
"""Days after the deadline of the period by which a mended file is asked for."""

FEEDBACK_SCHEMA: Final[dict[str, pl.DataType]] = {
    "source_file": pl.String(),
    "sha256": pl.String(),
    "feedback_file": pl.String(),
    "form": pl.String(),
    "reason_vi": pl.String(),
    "critical": pl.Int64(),
    "error": pl.Int64(),
    "warning": pl.Int64(),
    "info": pl.Int64(),
    "due_on": pl.Date(),
}
"""One row per file with findings. ``form``: marked (a copy of the sender's workbook), rendering (its
values, because a copy would lose something), list (the file cannot be opened), or not_needed (only
remarks that ask for nothing; no file is written)."""

_LARGEST_COPY: Final = 60 * MIB


@dataclass(frozen=True)
class Feedback:
    """The workbook that goes back.

    Attributes
    ----------
    content:
        The .xlsx.
    form:
        marked, rendering or list.
    why:
        Why it is no marked copy, in Vietnamese; empty for a marked copy.
    counts:
        Severity → findings.
    due:
        By when the mended file is asked for.
    """

    content: bytes
    form: Form
    why: str
    counts: dict[str, int]
    due: dt.date


def feedback_of(
    content: bytes,
    findings: pl.DataFrame,
    *,
    name: str,
    period: str,
    mappings: Sequence[Mapping] = (),
    days: int = DAYS,
    changes: pl.DataFrame | None = None,
    previous: str = "",
) -> Feedback:
    """Make the workbook that goes back to the sender of one file.

    Parameters
    ----------
    content, name:
        The file as it was sent, and its name.
    findings:
        `htx_pipeline.findings.FINDING_SCHEMA`, of this file.
    period:
        Reporting year; the deadline follows from it.
    mappings:
        What read the file, to find the columns of findings that name no cell.
    days:
        Days after 15 December of the period.
    changes, previous:
        What the file changed against the version before (`diff_submissions`), and that version's name.

    Notes
    -----
    Marked copy, unless the file is no .xlsx, holds parts that would be lost, is very large or cannot be
    opened for marking; then a rendering of its values in the same cells.
    """
    due = deadline(period, days=days)
    try:
        book: Workbook | None = open_bytes(content, name=name)
    except InputError as exc:
        book = None
        if not findings.height:
            findings = make_findings(
                [
                    {
                        "rule_id": f"file.{exc.code}",
                        "severity": "critical",
                        "source_file": name,
                        "reason_vi": exc.what_vi or exc.what,
                        "remedy_vi": exc.remedy_vi,
                    }
                ]
            )
    template = recognise(book) if book is not None else None
    own = (
        [template.mapping]
        if template is not None and template.mapping is not None and not mappings
        else []
    )
    remarks = place(findings, book, [*mappings, *own])
    copy, why = _copy_of(content, book)
    titles: dict[str, str]
    form: Form = "marked"
    if copy is not None:
        titles = {ws.title: ws.title for ws in copy.worksheets}
    elif book is not None:
        copy, titles = marked.render(book, remarks)
        form = "rendering"
    else:
        import openpyxl

        copy, titles, form = openpyxl.Workbook(), {}, "list"
        copy.remove(copy.active)
    letter = Letter(
        name,
        period,
        due,
        is_copy=form != "marked",
        why_copy=why,
        changes=None if changes is None else changes.height,
    )
    marked.mark(copy, remarks, letter, titles=titles, changes=changes, previous=previous)
    counts = {s: sum(r.severity == s for r in remarks) for s in ORDER}
    return Feedback(marked.save(copy, content if form == "marked" else b""), form, why, counts, due)


def _copy_of(  # noqa: PLR0911
    content: bytes, book: Workbook | None
) -> tuple[Any, str]:
    """Return the workbook opened for marking, or None and why not."""
    if book is None:
        return None, "Tệp gốc không mở được nên chỉ có danh sách dưới đây."
    values = "Tệp này chỉ chép giá trị, đúng vị trí ô, để tra cứu; đề nghị sửa trong tệp gốc."
    kinds = {
        "csv": "tệp văn bản (CSV)",
        "html": "trang web (.html)",
        "xls": "tệp Excel kiểu cũ (.xls)",
        "ods": "tệp OpenDocument (.ods)",
        "xlsm": "tệp có macro (.xlsm)",
        "xlsb": "tệp Excel nhị phân (.xlsb)",
    }
    if book.info.kind in kinds:
        return (
            None,
            f"Tệp gốc là {kinds[book.info.kind]}, không ghi màu và ghi chú trực tiếp được. {values}",
        )
    lost = losses_of(content)
    if lost:
        return (
            None,
            f"Tệp gốc có {', '.join(lost)}; nếu đánh dấu trực tiếp thì các phần này sẽ bị mất. {values}",
        )
    with zipfile.ZipFile(BytesIO(content)) as archive:
        size = sum(e.file_size for e in archive.infolist() if e.filename.startswith("xl/"))
    if size > _LARGEST_COPY:
        return None, f"Tệp gốc quá lớn để đánh dấu trực tiếp. {values}"
    try:
        copy = marked.open_copy(content, book)
    except Exception as error:  # noqa: BLE001  (a workbook written by a program unknown to openpyxl)
        return None, f"Tệp gốc không mở được để đánh dấu ({type(error).__name__}). {values}"
    if marked.has_dangerous_names(copy):
        return (
            None,
            f"Tệp gốc có tên tham chiếu khởi chạy chương trình, không được chép lại. {values}",
        )
    return copy, ""


def write_feedback(path: Path, findings: pl.DataFrame, out: Path, **options: Any) -> Feedback:
    """Write the workbook that goes back for the file at *path*; options as in `feedback_of`.

    Raises
    ------
    InputError
        When *out* is the sender's file itself, or a file cannot be read or written.
    """
    if out.exists() and out.resolve() == path.resolve():
        raise InputError(
            "The sender's file is never written to.", where=str(out), remedy="Choose another name for the feedback.",
            what_vi="Không ghi đè lên tệp gốc của đơn vị.", remedy_vi="Chọn tên khác.", code="feedback_overwrites",
        )  # fmt: skip
    made = feedback_of(read_bytes(path), findings, name=path.name, **options)
    _write(out, made.content)
    return made


def _write(path: Path, content: bytes) -> None:
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=".xlsx", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as exc:
        raise InputError(
            "The feedback could not be written.",
            where=str(path),
            why=str(exc),
            remedy="Choose another folder.",
            code="write_failed",
        ) from exc
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def feedback_name(source_file: str, sha256: str) -> str:
    """Return a harmless name for the feedback of a file below the input folder.

    Examples
    --------
    >>> feedback_name("2024/báo cáo.xlsx", "ab12cd34ef")
    '2024__báo cáo.ab12cd34.loi-can-sua.xlsx'
    >>> feedback_name("../../etc/passwd", "00")
    'etc__passwd.00.loi-can-sua.xlsx'
    """
    text = unicodedata.normalize("NFC", source_file).replace("\\", "/")
    parts = [p for p in text.split("/") if p.strip(". ")]
    stem = re.sub(r"\.[A-Za-z]{2,4}$", "", "__".join(parts))
    stem = re.sub(r"[^\w\-. ()]", "_", stem).strip(". ") or "tep"
    return f"{stem.encode()[:150].decode(errors='ignore')}.{sha256[:8]}.loi-can-sua.xlsx"


def write_feedbacks(
    findings: pl.DataFrame,
    source_files: pl.DataFrame,
    *,
    input_dir: Path,
    out_dir: Path,
    period: str,
    mappings: Sequence[Mapping] = (),
    days: int = DAYS,
    progress: Callable[[str], None] | None = None,
) -> pl.DataFrame:
    """Write the feedback of every file that has to be mended.

    Parameters
    ----------
    findings:
        ``core/findings`` of the period.
    source_files:
        ``raw/source_files``; files that could not be opened are answered too.
    input_dir, out_dir:
        Folder of the sources, only read; folder of the feedbacks, whose earlier feedbacks are replaced.
    period, mappings, days:
        As in `feedback_of`.
    progress:
        Called with each file's name before it is answered.

    Returns
    -------
    DataFrame
        `FEEDBACK_SCHEMA`, sorted by file.
    """
    by_id = {m.id: m for m in mappings}
    refused = source_files.filter(
        ~pl.col("is_usable")
        & ~pl.col("source_file").is_in(findings["source_file"].drop_nulls().implode())
    )
    refusals = make_findings(
        {
            "rule_id": f"file.{r['code']}",
            "severity": "critical",
            "table": r["table"],
            **{
                k: r[k] for k in ("source_file", "reason_vi", "reason_en", "remedy_vi", "remedy_en")
            },
        }
        for r in refused.iter_rows(named=True)
    )
    everything = concat_findings(
        [findings.filter(pl.col("source_file").is_not_null()), refusals]
    ).unique(maintain_order=True)
    rows: list[dict[str, Any]] = []
    for (name,), mine in sorted(
        everything.partition_by("source_file", as_dict=True).items(), key=lambda x: str(x[0])
    ):
        source = str(name)
        entries = source_files.filter(pl.col("source_file") == source)
        sha = next((s for s in entries["sha256"].to_list() if s), None)
        row: dict[str, Any] = {
            "source_file": source,
            "sha256": sha,
            "due_on": deadline(period, days=days),
        }
        row |= {s: mine.filter(pl.col("severity") == s).height for s in ORDER}
        rows.append(row)
        if not any(row[s] for s in ("critical", "error", "warning")):
            row |= {"form": "not_needed", "reason_vi": "Chỉ có lưu ý, không phải sửa."}
            continue
        if progress is not None:
            progress(source)
        readers = [
            _reader(i, by_id) for i in sorted({i for i in entries["mapping_id"].to_list() if i})
        ]
        made = _answer(
            input_dir / source,
            mine,
            name=source,
            period=period,
            mappings=[m for m in readers if m is not None],
            days=days,
        )
        file = feedback_name(source, sha or hashlib.sha256(source.encode()).hexdigest())
        _write(out_dir / file, made.content)
        row |= {"feedback_file": file, "form": made.form, "reason_vi": made.why or None}
    written = {r["feedback_file"] for r in rows if r.get("feedback_file")}
    for stale in out_dir.glob("*.loi-can-sua.xlsx") if out_dir.is_dir() else ():
        if unicodedata.normalize("NFC", stale.name) not in written:
            stale.unlink()
    return pl.DataFrame(
        [{k: r.get(k) for k in FEEDBACK_SCHEMA} for r in rows], schema=FEEDBACK_SCHEMA
    )


def _reader(mapping_id: str, by_id: dict[str, Mapping]) -> Mapping | None:
    try:
        return mapping_named(mapping_id, by_id)
    except KeyError:
        return None


def _answer(path: Path, findings: pl.DataFrame, **options: Any) -> Feedback:
    """Answer one file; one that cannot be read any more gets the list alone."""
    try:
        content = read_bytes(path)
    except InputError:
        content = b""
    return feedback_of(content, findings, **options)


def remarks_of(
    path: Path, findings: pl.DataFrame, mappings: Sequence[Mapping] = ()
) -> list[Remark]:
    """Return where each finding of a file is shown (`places.place`)."""
    return place(findings, open_bytes(read_bytes(path), name=path.name), mappings)
