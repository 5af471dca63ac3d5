"""How the sheets of a template look: fonts, fills, borders, number formats.

What belongs here: the formats of one workbook. What does not: where they are used (`template_sheets`).
"""

from __future__ import annotations

from typing import Any


class Styles:
    """The formats of a template: one serif-free face, three quiet fills."""

    def __init__(self, book: Any) -> None:
        base = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}
        head = {
            **base,
            "bold": True,
            "text_wrap": True,
            "align": "center",
            "border": 1,
            "border_color": "#8EA4BC",
        }
        cell = {**base, "locked": False, "border": 1, "border_color": "#C9D3DE"}

        def add(**given: Any) -> Any:
            return book.add_format({**base, **given})

        self.title = add(bold=True, font_size=14, font_color="#1F3864")
        self.subtitle = add(font_size=10, font_color="#5A6675", italic=True)
        self.line = add()
        self.bold = add(bold=True)
        self.due = add(bold=True, font_color="#9C2A10")
        self.entry = add(locked=False, bottom=1, bottom_color="#8EA4BC", bg_color="#FFFDF2")
        self.label_run = book.add_format({**base, "bold": True})
        self.star_run = book.add_format({**base, "bold": True, "font_color": "#C00000"})
        self.english_run = book.add_format(
            {**base, "font_size": 8, "font_color": "#5A6675", "italic": True}
        )
        self.heading = book.add_format({**head, "bg_color": "#DCE6F1"})
        self.heading_required = book.add_format({**head, "bg_color": "#FBE5C8"})
        self.unit = book.add_format(
            {**head, "bold": False, "italic": True, "font_size": 9, "bg_color": "#EEF3F8"}
        )
        self.index = book.add_format(
            {**head, "bold": False, "font_size": 8, "font_color": "#5A6675", "bg_color": "#F6F8FB"}
        )
        self.missing = book.add_format({"bg_color": "#F8D3D3"})
        self.by_kind = {
            "text": book.add_format({**cell, "num_format": "@", "text_wrap": True}),
            "tax": book.add_format({**cell, "num_format": "@", "align": "center"}),
            "code": book.add_format({**cell, "num_format": "@"}),
            "flag": book.add_format({**cell, "num_format": "@", "align": "center"}),
            "date": book.add_format({**cell, "num_format": "dd/mm/yyyy", "align": "center"}),
            "whole": book.add_format({**cell, "num_format": "#,##0"}),
            "money": book.add_format({**cell, "num_format": "#,##0"}),
            "million": book.add_format({**cell, "num_format": "#,##0.0"}),
            "amount": book.add_format({**cell, "num_format": "#,##0.00"}),
            "number": book.add_format({**cell, "align": "center", "font_color": "#5A6675"}),
        }
        self.help_head = book.add_format({**head, "bg_color": "#DCE6F1"})
        help_cell = {
            **base,
            "text_wrap": True,
            "valign": "top",
            "border": 1,
            "border_color": "#C9D3DE",
        }
        self.help_cell = book.add_format(help_cell)
        self.help_center = book.add_format({**help_cell, "align": "center"})
        self.help_required = book.add_format(
            {**help_cell, "align": "center", "bold": True, "font_color": "#9C2A10"}
        )
        self.help_example = book.add_format({**help_cell, "font_color": "#1F4E9E"})
        self.help_small = book.add_format({**help_cell, "font_size": 8, "font_color": "#5A6675"})
        self.wrap = add(text_wrap=True, valign="top")
