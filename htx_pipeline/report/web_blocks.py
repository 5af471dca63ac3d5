"""The blocks of a page as the templates of its HTML print them.

What belongs here: facts, prose, tables and pictures of one page; which of its lines and marks were drawn, and
what they can be filtered by. What does not: the page around them (`html`), tables as markup (`web_tables`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Facts, Field, Figure, Page, Prose, Table
from htx_pipeline.report.figures import Picture
from htx_pipeline.report.web_svg import inline_svg
from htx_pipeline.report.web_tables import Labels, table_markup
from htx_pipeline.report.words import Words

Link = Callable[[Field, Mapping[str, Any]], str]
"""From a field and a line to the address that the cell leads to; empty for none."""


class WebBlocks:
    """Turns the blocks of one page into what the templates print; remembers marks and filters."""

    def __init__(
        self,
        page: Page,
        w: Words,
        *,
        pictures: Mapping[str, Picture],
        labels: Labels,
        link: Link,
        most_rows: int,
    ) -> None:
        self.page, self.w = page, w
        self.pictures, self.labels, self.link = pictures, labels, link
        self.most_rows = most_rows
        self.marks: dict[str, Any] = {}
        self.found: dict[str, dict[str, str]] = {"l": {}, "p": {}}
        self.has_filters = False
        self.told: set[str] = set()
        self.numbers = {"table": 0, "figure": 0}
        self.shown = {b.id for s in page.sections for b in s.blocks if isinstance(b, Table)}

    def asked(self, sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """Return the sources of what was drawn: facts, pictures, and lines of tables."""
        return {k: v for k, v in sources.items() if {k, k.rpartition("/")[0]} & self.told}

    def note(self, made: Mapping[str, Any]) -> None:
        """Remember what the lines of a table can be filtered by, and which lines there are."""
        names = [row["attributes"][0][1] for row in made["rows"]]
        self.told |= {f"{made['figure']}/{name}" for name in (*names, made["total_name"])}
        for key, found in self.found.items():
            found.update(made["facets"][key])
        self.has_filters |= len(made["rows"]) > 1

    def facets(self) -> list[dict[str, Any]]:
        """Return the choices of the filters; a filter with one choice is none."""
        names = {"l": ("web.by_locality", "web.all_localities"), "p": ("web.by_product", "web.all_products")}  # fmt: skip
        return [
            {
                "key": key,
                "label": self.w(names[key][0]),
                "all": self.w(names[key][1]),
                "values": [
                    {"key": k, "label": v} for k, v in sorted(found.items(), key=lambda kv: kv[0])
                ],
            }
            for key, found in self.found.items()
            if len(found) > 1
        ]

    def table(self, table: Table, number: int) -> dict[str, Any]:
        """Return a table for the template."""
        made = table_markup(
            table, number, page_id=self.page.id, labels=self.labels, most_rows=self.most_rows, link=self.link
        )  # fmt: skip
        self.note(made)
        return made

    def block(self, block: Block) -> dict[str, Any]:
        """Return a block for the template."""
        match block:
            case Facts():
                items = [
                    {"id": f"{self.page.id}/{block.id}/{f.name}", "label": f.label, "value": f.value, "detail": f.detail, "change": f.change}
                    for f in block.items
                ]  # fmt: skip
                self.told |= {item["id"] for item in items}
                notes = [text.sentence(n) for n in block.notes]
                return {
                    "kind": "facts",
                    "items": items,
                    "columns": _columns(len(items)),
                    "notes": notes,
                    "source": block.source.line,
                }
            case Prose():
                return {
                    "kind": "prose",
                    "parts": block.parts,
                    "is_list": block.is_list,
                    "is_small": block.is_small,
                    "source": block.source.line if block.source else "",
                }
            case Table():
                self.numbers["table"] += 1
                return self.table(block, self.numbers["table"])
            case Figure():
                return self._figure(block)

    def _figure(self, block: Figure) -> dict[str, Any]:
        self.numbers["figure"] += 1
        select = self.labels.select
        marks = [
            [mark["gid"], mark["title"], list(mark["lines"]), select(mark.get("select") or {})]
            for mark in block.spec.get("marks") or ()
        ]
        if marks:
            self.marks[block.id] = marks
        is_shown = block.data.id in self.shown
        self.told.add(f"{self.page.id}/{block.id}")
        return {
            "kind": "figure",
            "id": block.id,
            "figure": f"{self.page.id}/{block.id}",
            "number": self.numbers["figure"],
            "title": block.title,
            "alt": block.alt,
            "svg": inline_svg(
                self.pictures[block.id].svg,
                prefix=block.id,
                kept=frozenset(str(m[0]) for m in marks),
                classes=f"s{self.numbers['figure']}-",
            ),
            "has_marks": bool(marks),
            "notes": [text.sentence(n) for n in block.notes],
            "source": block.source.line,
            "described": block.data.id if is_shown else "",
            "data": self.table(block.data, 0),
            "data_shown": is_shown,
        }


def _columns(n: int) -> int:
    """Return into how many columns *n* headline figures go: no last row of one alone, if it can be.

    Examples
    --------
    >>> [_columns(n) for n in (4, 5, 6, 7, 8, 10)]
    [4, 5, 3, 4, 4, 5]
    """
    return n if n <= 5 else min((3, 4, 5), key=lambda c: ((-n) % c, -c))
