"""Writing a template: one table and one reporting year, as a workbook to fill in.

What belongs here: checking what is asked for, and putting the sheets together. What does not: the sheets
(`template_sheets`), and reading a filled template (`template`).
"""

from __future__ import annotations

import io
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.template_form import (
    DATA_SHEET,
    FIRST_ROW,
    HELP_SHEET,
    LIST_SHEET,
    MARKER_SHEET,
    ORGANISATION_SHEET,
    Money,
    check_period,
    deadline,
    reporting_year,
    table_of,
)
from htx_pipeline.ingest.template_sheets import (
    Form,
    data_sheet,
    help_sheet,
    list_sheet,
    marker_sheet,
    organisation_sheet,
)
from htx_pipeline.ingest.template_styles import Styles
from htx_pipeline.ingest.template_texts import title_of

if TYPE_CHECKING:
    import polars as pl

_MAX_ROWS: Final = 20_000


def write_template(
    template: str,
    path: Path,
    *,
    period: str,
    organisations: pl.DataFrame | None = None,
    rows: int = 300,
    money: Money = "million",
    days: int = 0,
) -> Path:
    """Write the template of one table and one reporting year.

    Parameters
    ----------
    template:
        One of `TEMPLATES`: ``registry``, ``cooperative-report``, ``linkages``, ``training``, ``plan``.
    path:
        The .xlsx to write.
    period:
        Reporting year.
    organisations:
        Offered as a list to choose names from (columns ``name``, and where there ``tax_code``,
        ``register_number``, ``place_name``, ``legal_type``), for example ``core/organisations`` of the
        year before. No row is filled in beforehand: a row nobody filled must not pass for a report.
    rows:
        Rows to fill in, 1 to 20,000.
    money:
        Money in million đồng or in đồng.
    days:
        Days added to the deadline, 15 December of the period.

    Raises
    ------
    InputError
        No such template or reporting year; too many rows; the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from htx_pipeline.ingest.template import mapping_of_template
    >>> made = write_template("training", Path(tempfile.mkdtemp()) / "a.xlsx", period="2025")
    >>> mapping_of_template(made).table
    'trainings'
    """
    content = template_bytes(
        template, period=period, organisations=organisations, rows=rows, money=money, days=days
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        raise InputError(
            "The template could not be written.",
            where=str(path),
            why=str(exc),
            remedy="Choose another place.",
            code="write_failed",
        ) from exc
    return path


def template_bytes(
    template: str,
    *,
    period: str,
    organisations: pl.DataFrame | None = None,
    rows: int = 300,
    money: Money = "million",
    days: int = 0,
) -> bytes:
    """Return what `write_template` writes. Same arguments, same bytes."""
    import xlsxwriter

    table = table_of(template)
    check_period(period)
    if not 1 <= rows <= _MAX_ROWS:
        raise InputError(
            f"{rows} rows are not possible.",
            where="rows",
            remedy=f"Use 1 to {_MAX_ROWS:,} rows.",
            code="template_rows",
        )
    sheet = Form(table, template, period, money, FIRST_ROW + rows - 1, deadline(period, days=days))
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    start = reporting_year(period)[0]
    book.set_properties(
        {
            "title": f"{title_of(table.name)[0]} – {period}", "subject": f"Biểu mẫu {template}", "author": "htx_pipeline",
            "created": datetime(start.year, start.month, start.day),  # noqa: DTZ001
        }
    )  # fmt: skip
    book.set_size(2400, 1400)
    style = Styles(book)
    data = book.add_worksheet(DATA_SHEET)
    guide = book.add_worksheet(HELP_SHEET)
    names = (
        organisation_sheet(book.add_worksheet(ORGANISATION_SHEET), style, organisations)
        if organisations is not None
        else 0
    )
    lists = book.add_worksheet(LIST_SHEET)
    marker = book.add_worksheet(MARKER_SHEET)
    ranges = list_sheet(lists, sheet)
    data_sheet(data, sheet, style, ranges, names)
    help_sheet(guide, sheet, style)
    marker_sheet(marker, sheet)
    lists.very_hidden()
    marker.very_hidden()
    data.activate()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        book.close()
    return buffer.getvalue()
