"""Tables on disk: one Parquet file per table and period, written atomically; folders of files likewise.

What belongs here: paths, the atomic writes, reading with errors that say what to do.
What does not: knowing which tables exist (`schemas`) or when to write (`orchestration`).

Layout: ``<data_dir>/<group>/<table>/period=<period>/<table>.parquet``; a table without periods has no
``period=`` folder. A writer that is killed leaves at most a hidden temporary file that no reader opens.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from htx_pipeline.errors import InputError

_KEY = re.compile(r"^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)+$")


@dataclass(frozen=True)
class Written:
    """What a write left on disk."""

    path: Path
    rows: int
    bytes: int
    sha256: str


def table_path(data_dir: Path, key: str, *, period: str | None = None) -> Path:
    """Return where the table *key* ("core/linkages") of *period* lies.

    Examples
    --------
    >>> table_path(Path("data"), "core/linkages", period="2024").as_posix()
    'data/core/linkages/period=2024/linkages.parquet'
    """
    if not _KEY.match(key):
        raise InputError(
            f"{key!r} is not the name of a table.", where="read_table",
            remedy="Use group/table, for example core/linkages.", code="table_name",
        )  # fmt: skip
    folder = data_dir.joinpath(*key.split("/"))
    if period is not None:
        folder /= f"period={period}"
    return folder / f"{key.rsplit('/', 1)[1]}.parquet"


def write_table(frame: pl.DataFrame | pl.LazyFrame, path: Path) -> Written:
    """Write *frame* to *path*: a temporary file beside it, flushed to disk, then one rename.

    Raises
    ------
    InputError
        When the folder cannot be written or the disk is full; the old file stays as it was.
    """
    with _replacing(path) as temporary:
        if isinstance(frame, pl.LazyFrame):
            frame.sink_parquet(temporary, compression="zstd", statistics=True, maintain_order=True)
        else:
            frame.write_parquet(temporary, compression="zstd", statistics=True)
        with temporary.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        rows = int(pl.scan_parquet(temporary).select(pl.len()).collect().item())
        size = temporary.stat().st_size
    return Written(path=path, rows=rows, bytes=size, sha256=digest)


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write *files* (relative name → content) as one new folder: all of them, or none.

    They are written into a hidden folder beside *folder* and flushed to disk; then one rename puts them in
    place. *folder* must not exist.

    Raises
    ------
    InputError
        When the folder cannot be written or the disk is full; nothing is left behind.
    """
    draft: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        for name in sorted(files):
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(files[name])
                file.flush()
                os.fsync(file.fileno())
        for inner in sorted({(draft / name).parent for name in files}):
            _sync_folder(inner)
        draft.chmod(0o755)
        draft.replace(folder)
        _sync_folder(folder.parent)
    except OSError as exc:
        raise InputError(
            "The files could not be written; nothing was left behind.", where=str(folder), why=str(exc),
            remedy="Free disk space or make the folder writable, then run the step again.", code="write_failed",
        ) from exc  # fmt: skip
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def write_file(data: bytes, path: Path) -> None:
    """Write *data* to *path*: a temporary file beside it, flushed to disk, then one rename.

    Raises
    ------
    InputError
        When it cannot be written; the old file stays as it was.
    """
    with _replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a hidden file beside *path* to write to; flush it to disk and rename it when that went well."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        _sync_folder(path.parent)
    except (OSError, pl.exceptions.ComputeError) as exc:
        raise InputError(
            "A file could not be written; the previous version is unchanged.", where=str(path), why=str(exc),
            remedy="Free disk space or make the folder writable, then run the step again.", code="write_failed",
        ) from exc  # fmt: skip
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def scan_table(path: Path) -> pl.LazyFrame:
    """Open a table lazily.

    Raises
    ------
    InputError
        When it does not exist yet or the file is damaged.
    """
    if not path.exists():
        raise InputError(
            "The table has not been made yet.", where=str(path), why="no file at this place",
            remedy="Materialize the asset (or run `htx run`) for this period first.", code="table_missing",
        )  # fmt: skip
    try:
        frame = pl.scan_parquet(path, hive_partitioning=False)
        frame.collect_schema()
    except (pl.exceptions.ComputeError, OSError) as exc:
        raise InputError(
            "The table's file is damaged.", where=str(path), why=str(exc).splitlines()[0],
            remedy="Delete the file and materialize the asset again; nothing in it is the only copy.", code="table_damaged",
        ) from exc  # fmt: skip
    return frame


def read_frame(path: Path) -> pl.DataFrame:
    """Read a whole table; errors as in `scan_table`."""
    frame = scan_table(path)
    try:
        return frame.collect()
    except (pl.exceptions.ComputeError, OSError) as exc:
        raise InputError(
            "The table's file is damaged.", where=str(path), why=str(exc).splitlines()[0],
            remedy="Delete the file and materialize the asset again; nothing in it is the only copy.", code="table_damaged",
        ) from exc  # fmt: skip
