"""The documents of an edition: each page's pictures drawn once, then its PDF and Word file.

What belongs here: sharing pages between processes, keeping what was written by content, telling how far
it is. What does not: what a document looks like (`pdf`, `docx`), names of files (`edition`).

A page is one piece of work: its drawings, then its documents. What a document is made of, the page, the
options and the code, names it in the cache; a page whose name is there is not touched. Run as
``python -m htx_pipeline.report.documents FOLDER`` it does the work given on standard input, one line of
output for each page done: the processes of `write_documents` are such.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report import figures
from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.docx import DocxWriter
from htx_pipeline.report.figures import Picture, picture_key
from htx_pipeline.report.pdf import PdfWriter

Writer = Callable[[Report, Mapping[str, Picture]], Callable[[Page], bytes]]

WRITERS: Final[Mapping[str, Writer]] = {
    "pdf": lambda report, pictures: PdfWriter(report, pictures).compile,
    "docx": lambda report, pictures: DocxWriter(report, pictures).write,
}
"""Suffix → what makes a document of a page from that page and its pictures alone."""

LEAST_FOR_PROCESSES: Final = 8
"""Fewer pages are written in this process: a new one takes a second to start."""

CODE: Final = (".py", ".toml", ".csv", ".typ", ".j2", ".css", ".js", ".ttf", ".woff2")
LIBRARIES: Final = ("matplotlib", "shapely", "typst", "python-docx", "lxml", "xlsxwriter", "jinja2", "polars")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Documents:
    """What was written: by page id and suffix, and the pictures by figure id."""

    files: Mapping[tuple[str, str], bytes]
    pictures: Mapping[str, Picture]


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
    for field in fields(value):
        own = getattr(value, field.name)
        if field.name == "only":
            changed[field.name] = {}
        elif field.name == "row_rows":
            changed[field.name] = None
        else:
            changed[field.name] = bare(own)
    return dataclasses.replace(value, **changed)


def write_documents(
    report: Report,
    *,
    cache_dir: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Documents:
    """Draw the pictures of all pages and write their documents.

    Parameters
    ----------
    report:
        The pages; its translations are written too.
    cache_dir:
        Folder of drawings and documents by content; a temporary one when None.
    workers:
        Processes; as many as there are cores when None. The bytes do not depend on it.
    progress:
        Called with (pages done, pages to do) from this thread; not at all when nothing is to do.

    Returns
    -------
    Documents
        Every page in every format of `WRITERS`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = cache_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        work = [_Work.of(bare(page), report) for page in (*report.pages, *report.translations)]
        todo = [w for w in work if not w.is_done(folder)]
        count = min(workers or os.cpu_count() or 1, len(todo) // (LEAST_FOR_PROCESSES // 2))
        if count > 1:
            _in_processes(todo, folder, count, progress)
        else:
            for done, one in enumerate(todo, start=1):
                one.do(folder)
                if progress:
                    progress(done, len(todo))
        files = {
            (w.page.id, suffix): (folder / name).read_bytes()
            for w in work
            for suffix, name in w.names.items()
        }
        pictures = {
            figure.id: figures.load(folder, w.drawings[figure.id])
            for w in work
            for figure in w.page.figures
        }
    return Documents(files, pictures)


@dataclass(frozen=True, slots=True)
class _Work:
    """One page with the names of what is made of it: drawings by figure id, documents by suffix."""

    page: Page
    settings: Any
    period: str
    drawings: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, page: Page, report: Report) -> _Work:
        """Name what is made of *page*, which is bare."""
        words = f"{code_key()}|{report.settings!r}|{report.period}|{page!r}"
        key = hashlib.sha256(words.encode()).hexdigest()[:24]
        drawings = {figure.id: picture_key(figure.spec) for figure in page.figures}
        names = {suffix: f"{key}.{suffix}" for suffix in WRITERS}
        return cls(page, report.settings, report.period, drawings, names)

    def is_done(self, folder: Path) -> bool:
        """Return whether everything is in the cache."""
        return all((folder / n).exists() for n in self.names.values()) and all(
            figures.is_drawn(folder, key) for key in self.drawings.values()
        )

    def do(self, folder: Path) -> None:
        """Make what is missing."""
        pictures: dict[str, Picture] = {}
        for figure in self.page.figures:
            key = self.drawings[figure.id]
            if not figures.is_drawn(folder, key):
                figures.store(folder, key, figures.render(figure.spec))
            pictures[figure.id] = figures.load(folder, key)
        alone = Report(overview=self.page, clusters=(), settings=self.settings, period=self.period)
        for suffix, name in self.names.items():
            if not (folder / name).exists():
                data = WRITERS[suffix](alone, pictures)(self.page)
                figures.keep(folder, name, data)


def _in_processes(
    todo: Sequence[_Work],
    folder: Path,
    count: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Share the pages between fresh interpreters: no fork after threads, no re-import of the caller."""
    said: queue.Queue[str | None] = queue.Queue()
    running = []
    for i in range(count):
        process = subprocess.Popen(
            [sys.executable, "-m", "htx_pipeline.report.documents", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        errors: list[bytes] = []
        threads = [
            threading.Thread(target=_give, args=(process, pickle.dumps(list(todo[i::count])))),
            threading.Thread(target=_listen, args=(process, said)),
            threading.Thread(target=_complain, args=(process, errors)),
        ]
        for thread in threads:
            thread.start()
        running.append((process, errors, threads))
    ended = done = 0
    while ended < count:
        line = said.get()
        if line is None:
            ended += 1
            continue
        done += 1
        if progress:
            progress(done, len(todo))
    failed = []
    for process, errors, threads in running:
        for thread in threads:
            thread.join()
        if process.wait():
            failed.append(b"".join(errors).decode(errors="replace"))
    if failed:
        raise RuntimeError(f"a process that writes documents failed:\n{failed[0]}")


def _give(process: subprocess.Popen[bytes], work: bytes) -> None:
    with process.stdin as pipe:  # type: ignore[union-attr]
        try:
            pipe.write(work)
        except BrokenPipeError:
            return  # It failed before it read; its exit status and words tell why.


def _listen(process: subprocess.Popen[bytes], said: queue.Queue[str | None]) -> None:
    with process.stdout as pipe:  # type: ignore[union-attr]
        for line in pipe:
            said.put(line.decode())
    said.put(None)


def _complain(process: subprocess.Popen[bytes], errors: list[bytes]) -> None:
    with process.stderr as pipe:  # type: ignore[union-attr]
        errors.append(pipe.read())


def main() -> None:
    """Do the work on standard input into the folder named first."""
    folder = Path(sys.argv[1])
    # The work was pickled a moment ago by the process that started this one.
    for work in pickle.load(sys.stdin.buffer):  # noqa: S301
        work.do(folder)
        sys.stdout.write(f"{work.page.id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # Names are those of the importable module, not of __main__, as they were when pickled.
    from htx_pipeline.report.documents import main as run

    run()
