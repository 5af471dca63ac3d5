"""The documents of an edition: each page's pictures drawn once, then its PDF, Word and HTML files.

What belongs here: naming what is made by what it is made of, keeping it, handing the rest out, telling how
far it is. What does not: what a document looks like (`pdf`, `docx`, `html`), the processes that write
(`crew`), names of files (`edition`).

A page is one piece of work: its drawings, then its documents. What a document is made of, the page, the
options and the code, names it in the cache; for HTML also what links to it and the rows behind its figures.
A page whose names are all there is not touched.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import figures
from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.cache import touch
from htx_pipeline.report.crew import Crew
from htx_pipeline.report.docx import DocxWriter
from htx_pipeline.report.figures import Picture, picture_key
from htx_pipeline.report.html import HtmlWriter
from htx_pipeline.report.pdf import PdfWriter
from htx_pipeline.report.web_tables import Labels

PRINTED: Final = ("pdf", "docx")
"""Suffixes of documents made of a page and its pictures alone."""
FORMATS: Final = (*PRINTED, "html")

LEAST_FOR_PROCESSES: Final = 4
"""Fewer pages are written in this process: a new one takes a second to start."""

CODE: Final = (".py", ".toml", ".csv", ".typ", ".j2", ".css", ".js", ".ttf", ".woff2")
LIBRARIES: Final = ("matplotlib", "shapely", "typst", "python-docx", "lxml", "xlsxwriter", "jinja2", "polars")  # fmt: skip

Behind = Mapping[str, Mapping[str, Any]]
"""The rows behind the figures of a page, as `html.HtmlWriter` asks for them."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What was written: by page id and suffix, the pictures by figure id, and what they are called in the cache."""

    files: Mapping[tuple[str, str], bytes]
    pictures: Mapping[str, Picture]
    cached: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Site:
    """What the pages of a report share: names, choices, and what they link to.

    ``outline`` is the report without what its pages say; ``files`` is where each document lies in the
    edition, by page id and suffix.
    """

    outline: Report
    labels: Labels
    files: Mapping[tuple[str, str], str]
    workbook: str | None = None

    @classmethod
    def of(
        cls, report: Report, files: Mapping[tuple[str, str], str], workbook: str | None = None
    ) -> Site:
        """Return what the pages of *report* share."""

        def bones(pages: Sequence[Page]) -> tuple[Page, ...]:
            # What is left is what other pages say of it when they link to it.
            return tuple(replace(p, subtitle="", sections=(), more=()) for p in pages)

        outline = replace(
            report, overview=bones([report.overview])[0], clusters=bones(report.clusters), frames=None,
            localities=bones(report.localities), departments=bones(report.departments),
            translations=bones(report.translations),
        )  # fmt: skip
        return cls(outline, Labels.of(report), dict(files), workbook)

    @cached_property
    def key(self) -> str:
        """Return a name for what is shared."""
        files = sorted(self.files.items())
        words = f"{self.outline!r}|{self.labels!r}|{files!r}|{self.workbook}"
        return hashlib.sha256(words.encode()).hexdigest()


@cache
def code_key() -> str:
    """Return a name for the code and libraries that decide the bytes of an edition."""
    from importlib.metadata import version

    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in CODE):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    digest.update("".join(f"{name}={version(name)};" for name in LIBRARIES).encode())
    return digest.hexdigest()


def bare(value: Any) -> Any:
    """Return a page without what leads back to its rows: it can travel, and its `repr` is its content."""
    if isinstance(value, tuple):
        return tuple(bare(v) for v in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed: dict[str, Any] = {}
    for one in fields(value):
        own = getattr(value, one.name)
        if one.name == "only":
            changed[one.name] = {}
        elif one.name == "row_rows":
            changed[one.name] = None
        else:
            changed[one.name] = bare(own)
    return dataclasses.replace(value, **changed)


def write_documents(
    report: Report,
    *,
    site: Site,
    sources: Callable[[Page], Behind],
    cache_dir: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Documents:
    """Draw the pictures of all pages and write their documents.

    Parameters
    ----------
    report:
        The pages; its translations are written too.
    site:
        What they share.
    sources:
        From a page to the rows behind its figures; asked of this process.
    cache_dir:
        Folder of drawings and documents by content; a temporary one when None.
    workers:
        Processes; as many as there are cores when None. The bytes do not depend on it.
    progress:
        Called with (pages done, pages) from this thread; pages found in the cache are done at once.
    meanwhile:
        Called once, from this thread, while others write.

    Returns
    -------
    Documents
        Every page in every format of `FORMATS`.
    """
    pages = (*report.pages, *report.translations)
    done = 0

    def tell(n: int) -> None:
        nonlocal done
        for _ in range(n):
            done += 1
            if progress:
                progress(done, len(pages))

    with tempfile.TemporaryDirectory() as scratch:
        folder = cache_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        works: list[Work] = []
        waiting: list[Work] = []
        crew = Crew(workers or os.cpu_count() or 1, (folder, site))
        with crew:
            for page in pages:
                work = Work.of(bare(page), site, sources(page))
                works.append(work)
                touch(folder, work.cached)
                if work.is_done(folder):
                    tell(1)
                elif crew.is_busy:
                    crew.give(work)
                else:
                    waiting.append(work)
                    if len(waiting) >= LEAST_FOR_PROCESSES and crew.size > 1:
                        for one in waiting:
                            crew.give(one)
                        waiting.clear()
                tell(crew.done())
            if meanwhile:
                meanwhile()
            for one in waiting:
                one.do(folder, site)
                tell(1)
            for n in crew.finish():
                tell(n)
        files = {
            (w.page.id, suffix): (folder / name).read_bytes()
            for w in works
            for suffix, name in w.names.items()
        }
        pictures = {
            figure.id: figures.load(folder, w.drawings[figure.id])
            for w in works
            for figure in w.page.figures
        }
    return Documents(files, pictures, frozenset(name for w in works for name in w.cached))


@dataclass(frozen=True, slots=True)
class Work:
    """One page with the names of what is made of it: drawings by figure id, documents by suffix."""

    page: Page
    sources: Behind = field(repr=False)
    drawings: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, page: Page, site: Site, sources: Behind) -> Work:
        """Name what is made of *page*, which is bare."""
        words = f"{code_key()}|{site.outline.settings!r}|{site.outline.period}|{page!r}"
        key = hashlib.sha256(words.encode()).hexdigest()
        drawings = {figure.id: picture_key(figure.spec) for figure in page.figures}
        names = {suffix: f"{key[:24]}.{suffix}" for suffix in PRINTED}
        behind = json.dumps(sources, ensure_ascii=False, sort_keys=True)
        linked = hashlib.sha256(f"{key}|{site.key}|{behind}".encode()).hexdigest()
        return cls(page, sources, drawings, {**names, "html": f"{linked[:24]}.html"})

    @property
    def cached(self) -> tuple[str, ...]:
        """Return the names of all that is made of the page, in the cache."""
        drawn = (f"{key}.{suffix}" for key in self.drawings.values() for suffix in ("svg", "png"))
        return (*self.names.values(), *drawn)

    def is_done(self, folder: Path) -> bool:
        """Return whether everything is in the cache."""
        return all((folder / n).exists() for n in self.names.values()) and all(
            figures.is_drawn(folder, key) for key in self.drawings.values()
        )

    def do(self, folder: Path, site: Site) -> None:
        """Make what is missing."""
        pictures: dict[str, Picture] = {}
        for figure in self.page.figures:
            key = self.drawings[figure.id]
            if not figures.is_drawn(folder, key):
                figures.store(folder, key, figures.render(figure.spec))
            pictures[figure.id] = figures.load(folder, key)
        for suffix, name in self.names.items():
            if not (folder / name).exists():
                figures.keep(folder, name, self._written(suffix, site, pictures))

    def _written(self, suffix: str, site: Site, pictures: Mapping[str, Picture]) -> bytes:
        if suffix == "html":
            return HtmlWriter(
                site.outline, pictures, site.files, workbook=site.workbook, sources=lambda _: self.sources, labels=site.labels,
            ).page(self.page)  # fmt: skip
        # A printed document knows its own page alone.
        alone = replace(site.outline, overview=self.page, clusters=())
        if suffix == "pdf":
            return PdfWriter(alone, pictures).compile(self.page)
        return DocxWriter(alone, pictures).write(self.page)
