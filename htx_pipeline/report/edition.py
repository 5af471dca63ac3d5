"""One edition: all files of a report in a folder of their own, made current by one swap.

What belongs here: names of the files, their order of writing, the manifest, the pointer.
What does not: what is in them (`model`, `pdf`, `html`, `workbook`, `figures`).

An edition is written into a hidden folder beside its place, then moved there by one rename; it never
changes afterwards. ``current.json`` names the edition in force and is replaced in one step, so that a
reader sees the old edition or the new one, never a mixture.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.report.blocks import Page, Report
from htx_pipeline.report.cache import note_uses, prune
from htx_pipeline.report.documents import FORMATS, Site, code_key, write_documents
from htx_pipeline.report.html import HtmlWriter
from htx_pipeline.report.model import build_report
from htx_pipeline.report.options import ReportOptions
from htx_pipeline.report.shelf import MANIFEST, POINTER
from htx_pipeline.report.trace import TRACE_FILE, sources_json, write_trace
from htx_pipeline.report.workbook import write_workbook

OVERVIEW: Final = "tong-quan.pdf"
WORKBOOK: Final = "so-lieu.xlsx"
INDEX: Final = "index.html"
INPUTS: Final = "inputs.json"
"""Beside the pointer: what the edition in force was made of."""
FOLDERS: Final = {"cluster": "cum", "locality": "dia-ban", "department": "so-nganh"}
"""Folder of an edition for each kind of page but the overview."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Edition:
    """What was written.

    ``folder`` holds the files of ``paths`` (relative name → path); ``manifest`` is the content of
    ``manifest.json``; ``is_new`` is False when the same edition was there already.
    """

    folder: Path
    paths: Mapping[str, Path]
    manifest: Mapping[str, Any]
    is_new: bool

    @property
    def index(self) -> Path:
        """Return the page to open first."""
        return self.folder / INDEX


def write_edition(
    frames: Mapping[str, pl.DataFrame],
    out: Path,
    *,
    period: str,
    options: ReportOptions,
    products: Mapping[str, str] | None = None,
    cache_dir: Path | None = None,
    cache_mb: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Edition:
    """Build the report of *period*, write all its files, and make them the current edition of *out*.

    Parameters
    ----------
    frames:
        Frames by key, see `model.build_report`.
    out:
        Folder of the editions; made when absent.
    period:
        The reporting year.
    options:
        Names, date and limits of the report.
    products:
        Product code → label; the project's list when None.
    cache_dir:
        Folder of drawings and documents kept between runs.
    cache_mb:
        Megabytes that the folder may hold; what editions in force are made of stays. No limit when None.
    workers:
        Processes that draw and write; as many as there are cores when None.
    progress:
        Called with what is being written, how many are done, how many there are.

    Returns
    -------
    Edition
        Folder named ``<period>-<12 hex digits of the manifest>``; the same input gives the same name
        and bytes.

    Raises
    ------
    InputError
        When a frame lacks a column the report needs, or *out* is not a folder.
    """
    key = inputs_key(frames, period=period, options=options, products=products)
    known = _known_edition(out, key)
    if known is not None:
        return known
    report = build_report(frames, period=period, options=options, products=products)
    tell = progress or (lambda _what, _done, _todo: None)
    pages = {page.id: page for page in (*report.pages, *report.translations)}
    named = {(i, suffix): _name_of(page, suffix) for i, page in pages.items() for suffix in FORMATS}
    files: dict[str, bytes] = {}

    def whole() -> None:
        files[WORKBOOK] = write_workbook(report)
        files[TRACE_FILE] = write_trace(report)

    def sources(page: Page) -> Mapping[str, Mapping[str, Any]]:
        return sources_json(report, page)

    documents = write_documents(
        report,
        site=Site.of(report, named, WORKBOOK),
        sources=sources,
        cache_dir=cache_dir,
        workers=workers,
        progress=lambda done, todo: tell("báo cáo", done, todo),
        meanwhile=whole,
    )
    files |= {named[key]: data for key, data in documents.files.items()}
    writer = HtmlWriter(report, documents.pictures, named, workbook=WORKBOOK, sources=sources)
    files[INDEX] = writer.index()
    for name, picture in documents.pictures.items():
        files[f"hinh/{name}.svg"] = picture.svg
        files[f"hinh/{name}.png"] = picture.png
    made = publish(files, out, report=report)
    _remember(out, key, made.folder.name)
    if cache_dir is not None:
        note_uses(cache_dir, out, documents.cached)
        if cache_mb is not None:
            prune(cache_dir, max_mb=cache_mb)
    return made


def inputs_key(
    frames: Mapping[str, pl.DataFrame],
    *,
    period: str,
    options: ReportOptions,
    products: Mapping[str, str] | None = None,
) -> str:
    """Return a name for everything that decides an edition: frames, choices, boundaries, code.

    Rows in another order have another name, and are then found to make the same edition.
    """
    digest = hashlib.sha256(f"{code_key()}|{period}|{options!r}|{products!r}".encode())
    if options.boundaries_file is not None and options.boundaries_file.is_file():
        digest.update(options.boundaries_file.read_bytes())
    for name in sorted(frames):
        content = io.BytesIO()
        frames[name].rechunk().write_ipc(content)
        digest.update(name.encode() + b"\0" + hashlib.sha256(content.getbuffer()).digest())
    return digest.hexdigest()


def _known_edition(out: Path, key: str) -> Edition | None:
    """Return the edition that was made of the same inputs, if it is there and whole."""
    path = out / INPUTS
    if not path.is_file():
        return None
    told = json.loads(path.read_bytes())
    folder = out / str(told["edition"])
    if told["inputs"] != key or check_edition(folder):
        return None
    listed = (folder / MANIFEST).read_bytes()
    manifest = json.loads(listed)
    point_to(out, folder.name, hashlib.sha256(listed).hexdigest())
    return Edition(folder, {r: folder / r for r in (*manifest["files"], MANIFEST)}, manifest, False)


def _remember(out: Path, key: str, edition: str) -> None:
    _replace(out / INPUTS, {"edition": edition, "inputs": key})


def _name_of(page: Page, suffix: str) -> str:
    """Return where a document of a page lies in the edition."""
    if page.kind == "overview":
        return f"{OVERVIEW.removesuffix('.pdf') if page.lang == 'vi' else page.id}.{suffix}"
    return f"{FOLDERS[page.kind]}/{page.id}.{suffix}"


def _check_kind(out: Path, kind: str) -> None:
    """Refuse to put a public edition where internal ones lie, or the other way round."""
    pointer = out / POINTER
    if not pointer.is_file():
        return
    listed = out / str(json.loads(pointer.read_bytes())["edition"]) / MANIFEST
    there = json.loads(listed.read_bytes()).get("kind", "internal") if listed.is_file() else kind
    if there != kind:
        raise InputError(
            f"The folder holds {there} editions; a {kind} one does not go there.", where=str(out),
            why="Someone who opens the folder must not pick up the wrong one.", remedy="Choose another folder.",
            code="edition_kind",
        )  # fmt: skip


def publish(files: Mapping[str, bytes], out: Path, *, report: Report) -> Edition:
    """Write *files* as one edition under *out* and point ``current.json`` at it."""
    if out.exists() and not out.is_dir():
        raise InputError(
            "The place for the reports is a file, not a folder.", where=str(out),
            remedy="Choose another folder.", code="not_a_folder",
        )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    _check_kind(out, report.settings.kind)
    manifest = {
        "title": report.overview.title,
        "subtitle": report.overview.subtitle,
        "period": report.period,
        "kind": report.settings.kind,
        "as_of": report.settings.as_of.isoformat(),
        "is_synthetic": report.settings.is_synthetic,
        "clusters": len(report.clusters),
        "withheld_cells": report.withheld_cells,
        "files": {
            name: {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
            for name in sorted(files)
        },
    }
    listed = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    kind = "cong-bo-" if report.settings.is_public else ""
    name = f"{report.period}-{kind}{hashlib.sha256(listed).hexdigest()[:12]}"
    folder = out / name
    is_new = not folder.exists()
    if is_new:
        draft = Path(tempfile.mkdtemp(dir=out, prefix=f".{name}-"))
        try:
            for relative in sorted(files):
                path = draft / relative
                path.parent.mkdir(exist_ok=True)
                _write(path, files[relative])
            _write(draft / MANIFEST, listed)
            draft.chmod(0o755)
            draft.replace(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    point_to(out, name, hashlib.sha256(listed).hexdigest())
    return Edition(folder, {r: folder / r for r in (*sorted(files), MANIFEST)}, manifest, is_new)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def point_to(out: Path, name: str, manifest_sha256: str) -> None:
    """Make *name* the current edition of *out*, in one step."""
    _replace(
        out / POINTER,
        {"edition": name, "index": f"{name}/{INDEX}", "manifest_sha256": manifest_sha256},
    )


def _replace(path: Path, content: Mapping[str, str]) -> None:
    """Write a small JSON file in one step."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "wb") as file:
        file.write((json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
    Path(draft).chmod(0o644)
    Path(draft).replace(path)


def current_edition(out: Path) -> Path:
    """Return the folder of the edition in force.

    Raises
    ------
    InputError
        When there is none, or a file of it is not what its manifest says.
    """
    pointer = out / POINTER
    if not pointer.is_file():
        raise InputError(
            "There is no report here yet.", where=str(pointer),
            remedy="Run the pipeline, which writes one.", code="no_edition",
        )  # fmt: skip
    folder = out / str(json.loads(pointer.read_bytes())["edition"])
    wrong = check_edition(folder)
    if wrong:
        raise InputError(
            f"The report is damaged: {wrong[0]} is not what the manifest says.", where=str(folder),
            remedy="Delete the folder and run the pipeline again.", code="damaged_edition",
        )  # fmt: skip
    return folder


def check_edition(folder: Path) -> list[str]:
    """Return the files of an edition that are missing or not what the manifest says."""
    path = folder / MANIFEST
    if not path.is_file():
        return [MANIFEST]
    files = json.loads(path.read_bytes())["files"]
    return [
        name
        for name, stated in sorted(files.items())
        if not (folder / name).is_file()
        or hashlib.sha256((folder / name).read_bytes()).hexdigest() != stated["sha256"]
    ]
