"""What `htx trace` asks and prints: a figure of an edition, its rows, what was left out, the steps between.

What belongs here: finding an edition's figure by an id as people type it; text and tables for a
terminal. What does not: finding the rows (`trace`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.report import text
from htx_pipeline.report.trace import TRACE_FILE, numbers

if TYPE_CHECKING:
    from rich.table import Table


def _table(title: str, headings: Iterable[str], right: Iterable[str] = ()) -> Table:
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for heading in headings:
        made.add_column(
            heading, justify="right" if heading in set(right) else "left", overflow="fold"
        )
    return made


def _add(table: Table, *cells: Any) -> None:
    from rich.text import Text

    table.add_row(*(Text("" if c is None else str(c)) for c in cells))


def figure_text(figure: Mapping[str, Any], *, has_rows: bool = False) -> list[Any]:
    """Return what is printed for one figure: lines of text and tables.

    Parameters
    ----------
    figure:
        A row of ``nguon/trace.parquet``.
    has_rows:
        One line for each source row, with its ``source_id``, instead of ranges.
    """
    value = figure["value"]
    parts: list[Any] = [figure["figure_id"], f"{figure['label']}: {value}", figure["line"]]
    kept = [e for e in figure["sources"] if e["rule"] is None]
    lost = [e for e in figure["sources"] if e["rule"] is not None]
    whole = sum(e["n"] for e in kept)
    title = f"{text.number(whole)} dòng được tính / rows that count"
    if has_rows:
        table = _table(title, ("Bảng", "Tệp nguồn", "Trang tính", "Dòng", "source_id"), ("Dòng",))
        for e in kept:
            for n in numbers(e["rows"]):
                _add(
                    table, e["table"], e["file"], e["sheet"], n, f"{e['file_id']}:{e['sheet']}:{n}"
                )
    else:
        table = _table(title, ("Bảng", "Tệp nguồn", "Trang tính", "Số dòng", "Dòng"), ("Số dòng",))
        for e in kept:
            _add(table, e["table"], e["file"], e["sheet"], text.number(e["n"]), e["rows"])
    if kept:
        parts.append(table)
    else:
        parts.append(
            "(không công bố / withheld)"
            if figure["is_hidden"]
            else "Không có dòng nguồn nào / no source row."
        )
    if lost:
        table = _table(
            f"{text.number(sum(e['n'] for e in lost))} dòng bị loại trong cùng phạm vi / rejected rows",
            ("Bảng", "Tệp nguồn", "Dòng", "Quy tắc", "Lý do"),
        )
        for e in lost:
            _add(table, e["table"], e["file"], e["rows"], e["rule"], e["reason"])
        parts.append(table)
    parts.append("Các bước / steps:")
    parts += [f"  {i}. {step}" for i, step in enumerate(figure["steps"], start=1)]
    return parts


def list_text(trace: pl.DataFrame, page: str) -> list[Any]:
    """Return the figures of a page: id, label, value.

    Raises
    ------
    InputError
        When there is no such page; the nearest are named.
    """
    found = trace.filter(pl.col("page") == page)
    if not found.height:
        pages = trace["page"].unique(maintain_order=True).to_list()
        raise InputError(
            f"There is no page {page!r}.", why=f"nearest: {'; '.join(nearest(page, pages)) or ', '.join(pages[:8])}",
            remedy="Use one of the names given.", what_vi=f"Không có trang {page!r}.", code="page_unknown",
        )  # fmt: skip
    table = _table(
        f"{page}: {text.number(found.height)} số liệu / figures", ("Mã / id", "Nội dung", "Giá trị")
    )
    for row in found.iter_rows(named=True):
        _add(table, row["figure_id"], row["label"], row["value"])
    return [table]


def nearest(asked: str, known: Iterable[str], *, most: int = 8) -> list[str]:
    """Return the ids most like the one asked for, without regard to case and accents.

    Examples
    --------
    >>> nearest("tong-quan/theo-dia-ban/dak ha", ["tong-quan/theo-dia-ban/Đăk Hà/n", "cum-1/a"])
    ['tong-quan/theo-dia-ban/Đăk Hà/n']
    """
    import difflib

    plain = {text.slug(k.replace("/", " ")): k for k in known}
    wanted = text.slug(asked.replace("/", " "))
    inside = [plain[p] for p in plain if wanted and wanted in p]
    like = [plain[p] for p in difflib.get_close_matches(wanted, list(plain), n=most, cutoff=0.4)]
    return list(dict.fromkeys([*sorted(inside, key=len), *like]))[:most]


def read_trace(
    *, data_dir: Path | None, edition: Path | None, period: str | None = None
) -> pl.DataFrame:
    """Return the sources of all figures of an edition: the one named, or the current one.

    Raises
    ------
    InputError
        When there is no edition, or it carries no sources.
    """
    from htx_pipeline.report.edition import current_edition
    from htx_pipeline.settings import Settings
    from htx_pipeline.storage import read_frame

    if edition is None:
        reports = Path(data_dir or Settings().data_dir) / "report"
        periods = sorted(p.name.removeprefix("period=") for p in reports.glob("period=*"))
        if not periods or (period is not None and period not in periods):
            raise InputError(
                "There is no report here yet." if not periods else f"There is no report of {period}.",
                where=str(reports), why=f"periods there: {', '.join(periods) or 'none'}",
                remedy="Run the pipeline, or name an edition's folder with --edition.", code="no_edition",
            )  # fmt: skip
        edition = current_edition(reports / f"period={period or periods[-1]}")
    path = edition / TRACE_FILE
    if not path.is_file():
        raise InputError(
            "This edition does not carry the sources of its figures.", where=str(path),
            remedy="Run the pipeline again with this version.", code="trace_missing",
        )  # fmt: skip
    return read_frame(path)


def find_figure(trace: pl.DataFrame, asked: str) -> dict[str, Any]:
    """Return the row of one figure; an id without case and accents will do.

    Raises
    ------
    InputError
        When no figure has this id; the nearest are named.
    """
    known = trace["figure_id"].to_list()
    slug = text.slug(asked.replace("/", " "))
    same = [k for k in known if k == asked] or [
        k for k in known if text.slug(k.replace("/", " ")) == slug
    ]
    if not same:
        like = nearest(asked, known)
        raise InputError(
            f"No figure has the id {asked!r}.", why=f"nearest: {'; '.join(like) or 'none'}",
            remedy="List the figures of a page with `htx trace --list PAGE`.",
            what_vi=f"Không có số liệu mang mã {asked!r}.", code="figure_unknown",
        )  # fmt: skip
    return trace.row(known.index(same[0]), named=True)
