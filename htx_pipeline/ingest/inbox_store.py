"""Keeping what arrived in the inbox: files by hash, read-only, and their copies in the input folder.

What belongs here: writing below the data and input folders so that a run that dies half way is finished by
the next. What does not: deciding what is kept (`inbox`) and the ledger (`inbox_ledger`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.guard import read_bytes
from htx_pipeline.ingest.inbox_ledger import active
from htx_pipeline.ingest.inbox_places import safe_name


def store_path(sha256: str, name: str) -> str:
    """Return where a file is kept below the data folder.

    Examples
    --------
    >>> store_path("ab12", "báo cáo.xlsx")
    'inbox/store/ab/ab12/báo cáo.xlsx'
    """
    return f"inbox/store/{sha256[:2]}/{sha256}/{safe_name(name)}"


def keep(source: Path, target: Path, sha256: str) -> bool:
    """Keep a file by its hash, read-only; False when its content is no longer what was looked at."""
    if target.exists():
        return True
    try:
        content = read_bytes(source)
    except InputError:
        return False
    if hashlib.sha256(content).hexdigest() != sha256:
        return False
    _write_read_only(target, content)
    return True


def _write_read_only(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".writing-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o444)
            Path(name).replace(target)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()
    except OSError as exc:
        raise InputError(
            "A file of the inbox could not be kept; nothing was entered.", where=str(target), why=str(exc),
            remedy="Free disk space or make the folder writable.", code="write_failed",
        ) from exc  # fmt: skip


def reconcile(ledger: pl.DataFrame, *, data_dir: Path, input_dir: Path) -> None:
    """Make the copies below the input folder what the ledger says: active files there, replaced ones gone.

    Only files that the inbox put there are touched: a copy somebody changed since is left alone.
    """
    accepted = ledger.filter(pl.col("fate") == "accepted").sort("entry")
    now = active(ledger)
    wanted = dict(zip(now["placed_at"], now.iter_rows(named=True), strict=True))
    ours = {
        p: set(accepted.filter(pl.col("placed_at") == p)["sha256"])
        for p in accepted["placed_at"].unique().sort()
    }
    for path, hashes in ours.items():
        target = input_dir / path
        there = hashlib.sha256(target.read_bytes()).hexdigest() if target.is_file() else None
        row = wanted.get(path)
        if row is None:
            if there in hashes:
                target.unlink()
        elif there is None or (there in hashes and there != row["sha256"]):
            kept = (data_dir / row["stored_at"]).read_bytes()
            if hashlib.sha256(kept).hexdigest() != row["sha256"]:
                raise InputError(
                    "A kept file of the inbox was altered.", where=row["stored_at"], why="its hash is not its name",
                    remedy="Restore it from a backup, or ask the sender for the file again.", code="store_altered",
                )  # fmt: skip
            _write_read_only(target, kept)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Hold the inbox for one process at a time."""
    path = data_dir / "inbox" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
