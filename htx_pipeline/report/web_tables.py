"""Tables of a report as a browser needs them: keys to sort and filter by, links, all lines.

What belongs here: from a table to the cells, sort keys and filter keys of its markup; search keys.
What does not: the markup itself (`templates/parts.html.j2`), sorting and filtering (`assets/report.js`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Field, Hidden, Report, Table
from htx_pipeline.report.trace import TOTAL
from htx_pipeline.report.words import Words
from htx_pipeline.textfold import without_marks

PLACE_KEYS: Final = ("locality", "localities", "main_locality")
PRODUCT_KEYS: Final = ("product_code", "products", "main_product", "product")
STAGE_KEYS: Final = ("stage", "stages_present", "stages", "from", "to")
UNITS: Final = {"tỷ": 1e9, "billion": 1e9, "triệu": 1e6, "million": 1e6}


def fold(words: str) -> str:
    """Return *words* in lower case without diacritics, as the page's search compares them.

    Examples
    --------
    >>> fold("Đăk  Hà")
    'dak ha'
    """
    return " ".join(without_marks(words.lower()).split())


def amount(words: str, *, lang: text.Lang = "vi") -> float | None:
    """Return the number that *words* begin with, in one unit, to sort by; None where there is none.

    Examples
    --------
    >>> amount("1.234,5 tỷ đồng"), amount("≥ 50,0%"), amount("–"), amount("−8,0 điểm %")
    (1234500000000.0, 50.0, None, -8.0)
    >>> amount("1,234.5 million VND", lang="en")
    1234500000.0
    """
    found = re.search(r"([-−]?)\s?(\d[\d.,]*)\s*(\w*)", words)
    if not found:
        return None
    thousands, point = (",", ".") if lang == "en" else (".", ",")
    digits = found[2].rstrip(".,").replace(thousands, "").replace(point, ".")
    value = float(digits) * UNITS.get(found[3], 1)
    return -value if found[1] else value


@dataclass(frozen=True, slots=True)
class Labels:
    """Products and stages by code and by any name that a table gives them."""

    products: Mapping[str, str]
    stages: Mapping[str, str]

    @classmethod
    def of(cls, report: Report) -> Labels:
        """Read what the tables of *report* call their products."""
        products: dict[str, str] = {}
        for page in (*report.pages, *report.translations):
            for table in page.tables:
                for row in table.rows:
                    code = row.get("product_code") or row.get("main_product")
                    name = row.get("product")
                    if isinstance(code, str) and isinstance(name, str):
                        products.setdefault(code, fold(name)) if page.lang == "vi" else None
        for page in report.translations:
            for table in page.tables:
                for row in table.rows:
                    code, name = (
                        row.get("product_code") or row.get("main_product"),
                        row.get("product"),
                    )
                    if isinstance(code, str) and isinstance(name, str) and code in products:
                        products.setdefault(fold(name), products[code])
        stages: dict[str, str] = {}
        for w in (Words("vi"), Words("en")):
            for stage in text.STAGES:
                for group in ("stage", "stage_short"):
                    stages[fold(w.code(group, stage))] = stage
        return cls(products, stages)

    def product(self, word: str) -> str:
        """Return the filter key of a product, named by code or by name."""
        return self.products.get(word, self.products.get(fold(word), fold(word)))

    def stage(self, word: str) -> str:
        """Return the code of a stage, named by code or by name."""
        return self.stages.get(fold(word), word)

    def select(self, chosen: Mapping[str, Any]) -> dict[str, str]:
        """Return the filter keys that a mark of a picture stands for."""
        keys: dict[str, tuple[str, Callable[[str], str]]] = {
            "locality": ("l", fold), "product": ("p", self.product), "stage": ("s", self.stage),
        }  # fmt: skip
        return {
            keys[k][0]: keys[k][1](str(v)) for k, v in sorted(chosen.items()) if k in keys and v
        }

    def keys_of(self, row: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Return what a line can be filtered by: "l", "p", "s" → key → label."""
        places = {fold(v): v for v in _values(row, PLACE_KEYS)}
        products = {self.product(v): str(v) for v in _values(row, PRODUCT_KEYS)}
        name = row.get("product")
        if isinstance(name, str):
            products[self.product(name)] = name
        stages = {k: k for v in _values(row, STAGE_KEYS) if (k := self.stage(v)) in text.STAGES}
        return {"l": places, "p": products, "s": stages}


def _values(row: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = row.get(key)
        if isinstance(value, str) and value and value != text.NULL_MARK:
            yield value
        elif isinstance(value, list | tuple):
            yield from (v for v in value if isinstance(v, str))


def sort_key(field: Field, value: Any) -> str | None:
    """Return what a cell is sorted by: "" where it has no value, None for its own words.

    Examples
    --------
    >>> sort_key(Field(key="v", label="", kind="share"), 0.5), sort_key(Field(key="v", label=""), "a")
    ('0.5', None)
    >>> sort_key(Field(key="v", label="", kind="count"), None)
    ''
    """
    if value is None or value in ("", text.NULL_MARK) or isinstance(value, Hidden):
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if field.kind == "words":
        found = amount(str(value), lang=field.lang)
        return "" if found is None else f"{found:.12g}"
    return f"{value:.12g}" if field.is_number and isinstance(value, int | float) else None


def table_markup(
    table: Table,
    number: int,
    *,
    page_id: str,
    labels: Labels,
    link: Callable[[Field, Mapping[str, Any]], str] | None,
    most_rows: int,
) -> dict[str, Any]:
    """Return a table as the template reads it.

    Parameters
    ----------
    table:
        The table; the browser gets up to *most_rows* of its lines, whatever a printed page has.
    number:
        Its number on the page; 0 prints none.
    page_id:
        The first part of its figures' ids.
    labels:
        Names of products and stages.
    link:
        From a cell to the address of a report, or "".
    most_rows:
        Lines; the table says how many are left out.
    """
    table = replace(table, page_rows=most_rows if len(table.rows) > most_rows else None)
    head = next((i for i, f in enumerate(table.fields) if not f.is_right), None)
    facets: dict[str, dict[str, str]] = {"l": {}, "p": {}}
    rows = []
    for name, row in zip(table.names, table.printed, strict=False):
        keys = labels.keys_of(row)
        for key, found in facets.items():
            found.update(keys[key])
        attributes = [("r", name)] + [(k, "|".join(sorted(v))) for k, v in keys.items() if v]
        cells = [
            {
                "text": f.show(row.get(f.key)),
                "value": sort_key(f, row.get(f.key)),
                "number": f.is_right,
                "is_head": i == head,
                "href": link(f, row) if link else "",
                "files": (),
            }
            for i, f in enumerate(table.fields)
        ]
        rows.append({"attributes": attributes, "cells": cells})
    total = [
        f.show(v) if table.total and (v := table.total.get(f.key)) is not None else ""
        for f in table.fields
    ]
    return {
        "kind": "table",
        "id": table.id,
        "figure": f"{page_id}/{table.id}",
        "number": number,
        "title": table.title,
        "columns": [{"label": f.heading, "number": f.is_right, "key": f.key} for f in table.fields],
        "rows": rows,
        "total": total if table.total else [],
        "total_name": TOTAL,
        "notes": list(table.footnotes),
        "source": table.source.line,
        "facets": facets,
    }
