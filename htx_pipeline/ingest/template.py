"""Templates we issue, filled in and sent back: recognised, and read without a mapping.

What belongs here: the marker that lets a filled template be read (`mapping_of_template`), and the message
when it is of another version. What does not: writing one (`template_write`), what both agree on
(`template_form`), and reading rows (`ingest.read`).

The marker only says which table, year and money unit a file is of; the mapping is built from today's
schemas. A file whose columns are not today's is refused with the differences, never read half.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from htx_pipeline.errors import InputError
from htx_pipeline.ingest import mapping as source_mapping
from htx_pipeline.ingest.template_form import (
    DATA_SHEET,
    FORMAT,
    HEADING_ROW,
    MARK,
    MARKER_SHEET,
    TEMPLATES,
    Money,
    asked_columns,
    check_period,
    described,
    entered_as,
    heading_of,
    schema_hash,
    table_of,
    unit_vi,
)
from htx_pipeline.ingest.template_texts import title_of
from htx_pipeline.schemas import TABLES, Table
from htx_pipeline.settings import PERIODS

if TYPE_CHECKING:
    from htx_pipeline.ingest.workbook import Workbook

_ID: Final = re.compile(r"^template_([a-z_]+)_(\d{4})_(million|dong)$")


def template_mapping(
    template: str, *, period: str, money: Money = "million"
) -> source_mapping.Mapping:
    """Return the mapping that reads a filled template; it depends on the three arguments alone.

    Examples
    --------
    >>> found = template_mapping("linkages", period="2025")
    >>> found.id, found.period.constants, found.columns["paid_value_vnd"].unit
    ('template_linkages_2025_million', ('2025',), 'million VND')
    """
    table = table_of(template)
    check_period(period)
    rules: dict[str, source_mapping.ColumnRule] = {}
    for c in asked_columns(table):
        unit = {"million": "million VND", "dong": "VND"}[money] if c.unit == "VND" else None
        unit_word = unit_vi(c, money)
        rules[c.name] = source_mapping.ColumnRule(
            source=f"{heading_of(c)} / ({unit_word})" if unit_word else heading_of(c),
            unit=unit,
            date="dmy" if entered_as(c) == "date" else "auto",
        )
    return source_mapping.Mapping(
        id=f"template_{template.replace('-', '_')}_{period}_{money}", table=table.name,
        label_vi=f"{title_of(table.name)[0].capitalize()} (biểu mẫu {period})", label_en=f"{title_of(table.name)[1]} (template {period})",
        files=("*.xlsx",), sheet=source_mapping.SheetRule(name=DATA_SHEET), header_rows=(HEADING_ROW, HEADING_ROW + 1),
        period=source_mapping.PeriodRule(constant=period), columns=rules,
    )  # fmt: skip


def mapping_named(
    mapping_id: str, mappings: Mapping[str, source_mapping.Mapping]
) -> source_mapping.Mapping:
    """Return the mapping of that id: one of the given, else the one of a template.

    Examples
    --------
    >>> mapping_named("template_plan_2024_dong", {}).table
    'plan_targets'
    """
    if mapping_id in mappings:
        return mappings[mapping_id]
    found = _ID.match(mapping_id)
    names = {t.replace("-", "_"): t for t in TEMPLATES}
    if found is None or found[1] not in names:
        raise KeyError(mapping_id)
    return template_mapping(
        names[found[1]], period=found[2], money="million" if found[3] == "million" else "dong"
    )


def mapping_of_template(path: Path) -> source_mapping.Mapping | None:
    """Return the mapping of a template we issued, or None for any other file.

    Raises
    ------
    InputError
        ``template_outdated``: its columns are not those of today's template (the differences are
        named); ``template_damaged``: the marker was altered. And what `open_workbook` raises.
    """
    from htx_pipeline.ingest.workbook import open_workbook

    return mapping_of_workbook(open_workbook(path))


def mapping_of_workbook(book: Workbook) -> source_mapping.Mapping | None:
    """Do what `mapping_of_template` does, on an open workbook."""
    found = recognise(book)
    if found is None:
        return None
    if found.error is not None:
        raise found.error
    return found.mapping


@dataclass(frozen=True)
class Recognised:
    """A filled template: the mapping it belongs to, and why it cannot be read when it cannot."""

    mapping: source_mapping.Mapping | None
    error: InputError | None = None


def recognise(book: Workbook) -> Recognised | None:
    """Return what an open workbook is as a template of ours; None when it is none.

    A template of another version still names its mapping, so that the refusal belongs to a table.
    """
    sheet = next(
        (s for s in book.sheets if s.name == MARKER_SHEET and s.visibility != "visible"), None
    )
    if sheet is None:
        return None
    cells = {str(row[0]): str(row[1]) for row in sheet.rows if len(row) > 1 and row[0] != ""}
    if cells.get("mark") != MARK:
        return None
    template, period = cells.get("template", ""), cells.get("period", "")
    money: Money = "dong" if cells.get("money") == "dong" else "million"
    if template not in TEMPLATES or period not in PERIODS:
        return Recognised(None, _damaged(book, f"template {template!r}, period {period!r}"))
    mapping = template_mapping(template, period=period, money=money)
    table = TABLES[mapping.table]
    if cells.get("format") == str(FORMAT) and cells.get("schema") == schema_hash(table):
        return Recognised(mapping)
    try:
        columns = json.loads(cells.get("columns", ""))
        vi, en = _differences(columns, table)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        return Recognised(
            mapping, _damaged(book, f"its list of columns cannot be read ({type(exc).__name__})")
        )
    return Recognised(
        mapping,
        InputError(
            "The file was filled in on a template of another version.", where=f"{book.info.name} (template {template}, {period})",
            why="; ".join(en) or "the layout of templates changed",
            remedy=f"Send today's template (htx template {template} --period {period}) and have the data copied into it.",
            what_vi=f"Tệp dùng biểu mẫu của phiên bản khác: {'; '.join(vi) or 'bố cục biểu mẫu đã thay đổi'}.",
            remedy_vi="Đề nghị chép số liệu sang biểu mẫu mới nhất rồi gửi lại.", code="template_outdated",
        ),
    )  # fmt: skip


def _damaged(book: Workbook, why: str) -> InputError:
    return InputError(
        "The hidden marker of the template was altered.", where=book.info.name, why=why,
        remedy="Copy the data into a fresh template, or read the file through a source mapping.",
        what_vi="Biểu mẫu đã bị thay đổi nên không nhận ra được.",
        remedy_vi="Đề nghị chép số liệu sang biểu mẫu mới được cấp rồi gửi lại.", code="template_damaged",
    )  # fmt: skip


def _differences(then: list[dict[str, Any]], table: Table) -> tuple[list[str], list[str]]:
    """Say what the template of a file asks for otherwise than today's, in Vietnamese and English."""
    old = {str(c["name"]): c for c in then}
    new = {str(c["name"]): c for c in described(table)}
    vi: list[str] = []
    en: list[str] = []
    for name in (n for n in new if n not in old):
        vi.append(f"thiếu cột «{new[name]['label']}»")
        en.append(f"column {name} is new")
    for name in (n for n in old if n not in new):
        vi.append(f"cột «{old[name].get('label', name)}» không còn dùng")
        en.append(f"column {name} is no longer asked for")
    words = {
        "label": ("tiêu đề", "heading"), "type": ("kiểu dữ liệu", "type"), "unit": ("đơn vị tính", "unit"),
        "required": ("tính bắt buộc", "being required"), "codes": ("danh mục", "code list"), "limits": ("giới hạn", "limits"),
    }  # fmt: skip
    for name in (n for n in new if n in old):
        changed = [k for k in words if old[name].get(k) != new[name][k]]
        if changed:
            vi.append(f"cột «{new[name]['label']}» đổi {', '.join(words[k][0] for k in changed)}")
            en.append(f"column {name} has another {', '.join(words[k][1] for k in changed)}")
    if not vi and list(old) != list(new):
        vi.append("thứ tự cột đã thay đổi")
        en.append("the order of columns changed")
    return vi, en
