"""Pages to self-contained HTML files that open from a disk, a USB stick or a mail.

What belongs here: a page of the report, and the index over all, as one file each with inline pictures,
fonts, style and script. What does not: words and numbers (`model`), tables as markup (`web_tables`),
what the page does when it is asked (`assets/report.js`). A page asks nothing of any network; its
content security policy forbids it, and lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import text
from htx_pipeline.report.blocks import (
    Facts,
    Field,
    Page,
    Report,
    Source,
    Table,
)
from htx_pipeline.report.figures import FONTS, Picture
from htx_pipeline.report.web_blocks import WebBlocks
from htx_pipeline.report.web_pack import packed, squeezed
from htx_pipeline.report.web_tables import Labels, fold, table_markup
from htx_pipeline.report.words import Words

HERE: Final = Path(__file__).parent

INDEX: Final = "index.html"
FORMATS: Final = ("pdf", "docx", "xlsx")

LARGEST: Final = 330_000
"""Bytes of a page that opens at once and can be mailed."""

MOST_ROWS: Final = (400, 150, 60, 25)
"""Lines of a table, in the order in which they are tried; the workbook has all."""

Sources = Callable[[Page], Mapping[str, Mapping[str, Any]]]
"""From a page to the rows behind its figures, by figure id, see `HtmlWriter`."""

SAID: Final = ("shown", "nothing", "more", "sort", "stage", "sources", "source_of", "file", "sheet", "rows", "n_rows",
               "rejected", "steps", "no_rows", "role", "made")  # fmt: skip
"""Words that the script says."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "cluster": ("product", "localities", "n_organisations", "n_cooperatives", "value"),
    "locality": ("n_cooperatives", "linked", "value"),
    "department": ("n_tasks", "n_done", "n_late"),
}
"""What the index tells of a report, by kind: keys of `Page.summary`."""


class HtmlWriter:
    """Writes the pages of one report for a browser.

    Parameters
    ----------
    report:
        The report; its pages link to each other.
    pictures:
        Figure id → drawing.
    files:
        (page id, suffix) → where a file lies in the edition ("cum/cum-1.pdf"); "html" among the
        suffixes. What is not named is not linked to.
    workbook:
        Where the workbook lies, or None.
    sources:
        From a page to figure id → ``line``, ``files`` (each ``file``, ``sheet``, ``rows``, ``n``),
        ``n_rejected`` and ``steps``, within what may be published. Without it figures cannot be asked
        for their rows.
    labels:
        What the tables of the whole report call their products; read from *report* when None.

    Examples
    --------
    >>> HtmlWriter.__name__
    'HtmlWriter'
    """

    def __init__(
        self,
        report: Report,
        pictures: Mapping[str, Picture],
        files: Mapping[tuple[str, str], str],
        *,
        workbook: str | None = None,
        sources: Sources | None = None,
        labels: Labels | None = None,
    ) -> None:
        self.report = report
        self.pictures = pictures
        self.files = files
        self.workbook = workbook
        self.sources = sources
        self._labels = labels or Labels.of(report)
        self._by_cluster = {p.cluster_id: p for p in report.clusters if p.cluster_id}
        self._by_place = {fold(str(p.summary.get("name", p.title))): p for p in report.localities}

    def page(self, page: Page) -> bytes:
        """Return the HTML of *page*; the same page gives the same bytes.

        A page that is larger than `LARGEST` is written with fewer lines in its long tables, which say so.
        """
        made, sources = b"", self.sources(page) if self.sources else {}
        for most_rows in MOST_ROWS:
            made = self._page(page, most_rows, sources)
            if len(made) <= LARGEST:
                break
        return made

    def _page(self, page: Page, most_rows: int, sources: Mapping[str, Mapping[str, Any]]) -> bytes:
        w = Words(page.lang)
        own = self.files[page.id, "html"]
        draw = self._blocks(page, w, own, most_rows)
        sections = [
            {
                "id": f"muc-{s.id}",
                "title": s.title,
                "blocks": _told_once([draw.block(b) for b in s.blocks]),
            }
            for s in page.sections
        ]
        return self._render(
            "page.html.j2",
            w,
            own,
            heading=page.title,
            lead=page.subtitle,
            crumbs=self._crumbs(page, w, own),
            other=self._other(page, own),
            downloads=self._downloads(page, w, own),
            sections=sections,
            has_filters=draw.has_filters,
            neighbours=self._neighbours(page, w, own),
            facets=draw.facets(),
            data=self._data(w, marks=draw.marks, sources=draw.asked(sources)),
        )

    def _blocks(self, page: Page, w: Words, own: str, most_rows: int) -> WebBlocks:
        return WebBlocks(
            page, w, pictures=self.pictures, labels=self._labels, most_rows=most_rows,
            link=lambda field, row: self.link(page, own, field, row),
        )  # fmt: skip

    def index(self) -> bytes:
        """Return the HTML of the page to open first: headline figures and the list of all reports."""
        w = Words("vi")
        overview = self.report.overview
        draw = self._blocks(overview, w, INDEX, MOST_ROWS[0])
        blocks = overview.sections[0].blocks if overview.sections else ()
        headline = [draw.block(b) for b in blocks if isinstance(b, Facts)][:1]
        kinds = (
            ("cluster", self.report.clusters),
            ("locality", self.report.localities),
            ("department", self.report.departments),
        )
        lists = [self._list(kind, pages, draw, w) for kind, pages in kinds if pages]
        sources = self.sources(overview) if self.sources else {}
        return self._render(
            "index.html.j2",
            w,
            INDEX,
            heading=overview.title,
            lead=overview.subtitle,
            crumbs=[{"label": w("web.home"), "href": ""}],
            other="",
            downloads=self._downloads(overview, w, INDEX),
            headline=headline,
            overview=self.files[overview.id, "html"],
            lists=lists,
            has_filters=draw.has_filters,
            facets=draw.facets(),
            data=self._data(w, marks={}, sources=draw.asked(sources)),
        )

    def href(self, page: Page | None, suffix: str, own: str) -> str:
        """Return the address of a page's file seen from the file *own*; "" where there is none."""
        target = self.files.get((page.id, suffix)) if page else None
        return posixpath.relpath(target, posixpath.dirname(own) or ".") if target else ""

    def link(self, page: Page, own: str, field: Field, row: Mapping[str, Any]) -> str:
        """Return the address of the report that a cell names; "" where it names none."""
        if page.lang != "vi":
            return ""
        target: Page | None = None
        if field.key == "name" and page.kind != "cluster":
            target = self._by_cluster.get(str(row.get("cluster_id")))
        elif field.key in ("locality", "commune"):
            target = self._by_place.get(fold(str(row.get(field.key) or "")))
        return self.href(target, "html", own) if target and target.id != page.id else ""

    def _render(self, template: str, w: Words, own: str, **values: Any) -> bytes:
        from markupsafe import Markup

        options = self.report.settings
        # Where the subtitle tells which edition it is, once is enough.
        kind = options.kind_label_in(w.lang)
        kind = "" if kind in values["lead"] else kind.capitalize()
        as_of = w("page.as_of", day=w.day(options.as_of))
        js = (HERE / "assets" / "report.js").read_text("utf-8")
        html: str = (
            _environment()
            .get_template(template)
            .render(
                w=w,
                lang=w.lang,
                title=f"{values['heading']} – {values['lead']}",
                mark=w("page.synthetic") if options.is_synthetic else "",
                kicker=" · ".join(k for k in (w("page.draft").capitalize(), as_of, kind) if k),
                as_of=as_of,
                fonts=_fonts(),
                css=Markup((HERE / "assets" / "report.css").read_text("utf-8")),  # noqa: S704
                js=Markup(js),  # noqa: S704
                js_hash=f"sha256-{base64.b64encode(hashlib.sha256(js.encode()).digest()).decode()}",
                **values,
            )
        )
        return html.lstrip().encode()

    def _crumbs(self, page: Page, w: Words, own: str) -> list[dict[str, str]]:
        crumbs = [
            {
                "label": w("web.home"),
                "href": posixpath.relpath(INDEX, posixpath.dirname(own) or "."),
            }
        ]
        if page.kind != "overview":
            overview = self.href(self.report.overview, "html", own)
            crumbs += [{"label": w("web.overview"), "href": overview}] if overview else []
            crumbs.append({"label": str(page.summary.get("name", page.title)), "href": ""})
        else:
            crumbs.append({"label": w("web.overview"), "href": ""})
        return crumbs

    def _other(self, page: Page, own: str) -> str:
        """Return the address of the same report in the other language."""
        wanted = page.id.removesuffix("-en") if page.lang == "en" else f"{page.id}-en"
        target = self.files.get((wanted, "html"))
        return posixpath.relpath(target, posixpath.dirname(own) or ".") if target else ""

    def _downloads(self, page: Page, w: Words, own: str) -> list[dict[str, str]]:
        found = [
            {"label": w("web.download", format=s.upper()), "href": href}
            for s in FORMATS
            if (href := self.href(page, s, own))
        ]
        if self.workbook:
            href = posixpath.relpath(self.workbook, posixpath.dirname(own) or ".")
            found.append({"label": f"{w('web.workbook')} (XLSX)", "href": href})
        return found

    def _neighbours(self, page: Page, w: Words, own: str) -> list[dict[str, str]]:
        """Return the reports before and after *page* among those of its kind."""
        report = self.report
        every = report.translations if page.lang == "en" else report.pages
        row = [p for p in every if p.kind == page.kind]
        here = next((i for i, p in enumerate(row) if p.id == page.id), None)
        if here is None:
            return []
        found = []
        for step, rel, key in ((-1, "prev", "web.previous"), (1, "next", "web.next")):
            i = here + step
            if 0 <= i < len(row) and (href := self.href(row[i], "html", own)):
                name = str(row[i].summary.get("name", row[i].title))
                found.append({"href": href, "rel": rel, "label": w(key), "name": name})
        return found

    def _list(self, kind: str, pages: Sequence[Page], draw: WebBlocks, w: Words) -> dict[str, Any]:
        """Return the reports of one kind as a table."""
        keys = tuple(k for k in COLUMNS[kind] if any(k in p.summary for p in pages))
        fields = [Field(key="name", label=w("web.name"))]
        for key in keys:
            label = w(f"web.by_{key.removesuffix('ies')}y" if key == "localities" else f"web.{key}")
            fields.append(
                Field(
                    key=key,
                    label=label,
                    kind="text" if key in ("product", "localities") else "words",
                )
            )
        rows = [{"name": p.title, **p.summary, "page": p} for p in pages]
        table = Table(
            id=f"ds-{kind}", title=f"{w(f'web.{kind}')} ({w.number(len(pages))})", fields=tuple(fields), rows=tuple(rows),
            source=Source(line=""), sheet="",
        )  # fmt: skip
        made = table_markup(
            table, 0, page_id="index", labels=self._labels, link=None, most_rows=len(rows)
        )
        draw.note(made)
        for row, page in zip(made["rows"], pages, strict=True):
            row["cells"][0]["href"] = self.href(page, "html", INDEX)
            files = [
                {
                    "href": href,
                    "short": s.upper(),
                    "label": f"{s.upper()}: {page.summary.get('name', page.title)}",
                }
                for s in FORMATS
                if (href := self.href(page, s, INDEX))
            ]
            row["cells"].append(
                {
                    "text": "",
                    "value": None,
                    "number": False,
                    "is_head": False,
                    "href": "",
                    "files": files,
                }
            )
        made["columns"].append({"label": w("web.downloads"), "number": False, "key": "files"})
        made["notes"] = []
        return made

    def _data(
        self, w: Words, *, marks: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]
    ) -> Any:
        """Return what the script reads, as JSON that cannot end its element.

        What is asked for by a click, *marks* of pictures and *sources* of figures, is packed apart.
        """
        from markupsafe import Markup

        raw = {
            "words": {key: w.raw(f"web.{key}") for key in SAID},
            "stages": {s: w.code("stage", s) for s in text.STAGES},
            "asked": squeezed({"marks": marks, "sources": packed(sources)})
            if marks or sources
            else "",
        }
        words = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for sign in "<>&":
            words = words.replace(sign, f"\\u{ord(sign):04x}")
        return Markup(words)  # noqa: S704


def _told_once(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the blocks of a section with a source line only where the next block has another.

    Examples
    --------
    >>> [b["source"] for b in _told_once([{"source": "a"}, {"source": "a"}, {"source": "b"}])]
    ['', 'a', 'b']
    """
    return [
        {**b, "source": ""} if after and b["source"] == after["source"] else b
        for b, after in zip(blocks, [*blocks[1:], None], strict=True)
    ]


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _fonts() -> tuple[dict[str, str], ...]:
    return tuple(
        {
            "weight": weight,
            "data": base64.b64encode(
                (FONTS / "web" / f"BeVietnamPro-{name}.woff2").read_bytes()
            ).decode(),
        }
        for weight, name in (("400", "Regular"), ("600", "SemiBold"))
    )
