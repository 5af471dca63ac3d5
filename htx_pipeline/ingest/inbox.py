"""The inbox: every file that arrives has one fate, a reason, and a place where it is kept as it came.

What belongs here: deciding about the files of a folder (`scan_inbox`), keeping them by hash, the
append-only ledger, and the copies that mappings read (`take_in`). What does not: recognising what a
file is (`ingest.inbox_places`), watching the folder (`assets/inbox.py`).

Fates: **accepted** (the pipeline reads it), **quarantined** (kept, not read, somebody must act),
**ignored** (nothing to do). A file is known by its content, never by its name. The inbox itself is
only ever read.

``<data>/inbox/store/ab/abcd…/name.xlsx``
    The file as it came, read-only.
``<data>/inbox/ledger.parquet``
    One row per decision; rows are added, never changed.
``<input>/…``
    A copy of each accepted file that no newer version has replaced. This active set follows from the
    ledger alone, so a run that dies half way is finished by the next.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline import storage
from htx_pipeline.errors import InputError
from htx_pipeline.ingest.guard import check_bytes, read_bytes
from htx_pipeline.ingest.inbox_ledger import (
    LEDGER_SCHEMA,
    RETRIED,
    TEXTS,
    WAITING,
    ledger_path,
    read_ledger,
    replaced_by,
)
from htx_pipeline.ingest.inbox_places import Place, find_place
from htx_pipeline.ingest.inbox_store import alone, keep, reconcile, store_path
from htx_pipeline.ingest.inbox_versions import relate
from htx_pipeline.ingest.mapping import Mapping as SourceMapping
from htx_pipeline.ingest.refusals import refuse
from htx_pipeline.ingest.template_form import schema_hash
from htx_pipeline.ingest.workbook import open_bytes
from htx_pipeline.resolve.ids import content_hash
from htx_pipeline.schemas import TABLES

FATES: Final = ("accepted", "quarantined", "ignored")
QUIET_SECONDS: Final = 30.0
"""A file younger than this may still be being written."""
_UNFINISHED: Final = (".part", ".crdownload", ".tmp", ".partial", ".filepart", ".download", ".swp")
_LOCKS: Final = ("~$", ".~lock.", "~wrl")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file looked like when it was last looked at."""

    size: int
    mtime_ns: int
    sha256: str | None = None


@dataclass(frozen=True)
class Scan:
    """What a look at the inbox found.

    Attributes
    ----------
    decisions:
        `LEDGER_SCHEMA`, one row per file about which something new is to be said; ``entry`` goes on
        from the ledger's. Files that are still being written are among them.
    seen:
        Path → what it looked like, for the next scan.
    """

    decisions: pl.DataFrame
    seen: dict[str, Seen] = field(default_factory=dict)


def mappings_hash(mappings: Sequence[SourceMapping]) -> str:
    """Return a hash that changes when the mappings or the schemas do.

    Examples
    --------
    >>> mappings_hash([]) == mappings_hash([])
    True
    """
    forms = [m.model_dump_json() for m in sorted(mappings, key=lambda m: m.id)]
    return content_hash([*forms, *(schema_hash(t) for t in TABLES.values())])


def check_folders(inbox: Path, *, input_dir: Path, data_dir: Path) -> None:
    """Refuse an inbox that is missing, or that lies in, or around, the folders we write to.

    Raises
    ------
    InputError
        ``inbox_missing`` or ``inbox_overlaps``.
    """
    if not inbox.is_dir():
        raise InputError(
            "The inbox folder does not exist.", where=str(inbox), remedy="Make it, or correct HTX_INBOX_DIR.",
            what_vi="Không tìm thấy thư mục hộp thư.", remedy_vi="Tạo thư mục hoặc sửa cấu hình.", code="inbox_missing",
        )  # fmt: skip
    here = inbox.resolve()
    for other in (input_dir.resolve(), (data_dir / "inbox").resolve()):
        if here == other or here in other.parents or other in here.parents:
            raise InputError(
                "The inbox overlaps a folder that the pipeline writes to.", where=f"{inbox} and {other}",
                remedy="Use separate folders for the inbox, the input and the data.", code="inbox_overlaps",
            )  # fmt: skip


# --- looking ----------------------------------------------------------------------------------


def scan_inbox(
    folder: Path,
    *,
    ledger: pl.DataFrame,
    mappings: Sequence[SourceMapping],
    input_dir: Path,
    now: dt.datetime,
    seen: Mapping[str, Seen] | None = None,
    quiet_seconds: float = QUIET_SECONDS,
    max_files: int | None = None,
) -> Scan:
    """Decide about the files of a folder. Nothing is written.

    Parameters
    ----------
    folder:
        The inbox, with its subfolders; links are not followed.
    ledger:
        Decisions so far.
    mappings:
        The mappings in force.
    input_dir:
        Where accepted files will be copied; looked at only for files that lie in the way.
    now:
        The time, with a time zone.
    seen:
        What an earlier scan returned. A file whose size or time has changed since is still being
        written; one that has not is not read again.
    quiet_seconds:
        A file changed less than this long ago is still being written.
    max_files:
        Read at most so many new files; the others wait for the next scan.

    Returns
    -------
    Scan
        Decisions in the order of the files' times, then paths: among versions that arrive together
        the newest counts. Files that wait for others are asked last, and again after each file taken in.
    """
    fingerprint = mappings_hash(mappings)
    state = _State(ledger, now, fingerprint)
    by_path = {
        m.id: {
            p.relative_to(folder).as_posix() for p in m.matching_files(folder) if not p.is_symlink()
        }
        for m in mappings
    }
    now_seen: dict[str, Seen] = {}
    waits: dict[str, int] = {}  # path → entries at its last asking; -1: not asked in this look
    read = 0

    def decide(relative: str, looked: Seen) -> None:
        sha256 = _decide(
            state, relative, looked, folder=folder, mappings=mappings, by_path=by_path, input_dir=input_dir,
        )  # fmt: skip
        now_seen[relative] = Seen(looked.size, looked.mtime_ns, sha256)
        if state.waits_for_others(sha256):
            waits[relative] = len(state.rows)
        else:
            waits.pop(relative, None)

    for path, relative in _arrivals(folder):
        status = path.lstat()
        if path.is_symlink():
            state.refused(relative, refuse("symlink", where=relative))
            continue
        looked = Seen(status.st_size, status.st_mtime_ns)
        earlier = (seen or {}).get(relative)
        if _is_unfinished(path, looked, earlier, now, quiet_seconds):
            state.say(relative, "being_written", bytes=looked.size)
            now_seen[relative] = looked
            continue
        known = (
            earlier.sha256
            if earlier is not None
            and (earlier.size, earlier.mtime_ns) == (looked.size, looked.mtime_ns)
            else None
        )
        if known is not None and (state.waits_for_others(known) or not state.is_open(known)):
            now_seen[relative] = Seen(looked.size, looked.mtime_ns, known)
            if state.waits_for_others(known):
                waits[relative] = -1
            continue
        if max_files is not None and read >= max_files:
            continue
        read += 1
        decide(relative, looked)
    while due := [r for r, asked_at in waits.items() if state.is_due(asked_at)]:
        for relative in due:
            decide(relative, now_seen[relative])
    return Scan(state.decisions(), now_seen)


def _arrivals(folder: Path) -> list[tuple[Path, str]]:
    """List files and links below the folder, oldest first, then by path."""
    found = []
    for base, folders, files in os.walk(folder, followlinks=False):
        linked = [d for d in folders if (Path(base) / d).is_symlink()]
        found += [Path(base) / name for name in (*files, *linked)]
    keyed = []
    for path in found:
        with suppress(FileNotFoundError):
            keyed.append((path.lstat().st_mtime_ns, path.relative_to(folder).as_posix(), path))
    return [
        (path, relative)
        for _, relative, path in sorted(keyed, key=lambda k: (k[0], k[1]))
        if not path.name.startswith(_LOCKS)
    ]


def _is_unfinished(
    path: Path, looked: Seen, earlier: Seen | None, now: dt.datetime, quiet_seconds: float
) -> bool:
    name = path.name
    if name.lower().endswith(_UNFINISHED):
        return True
    if (
        (path.parent / f".~lock.{name}#").exists()
        or (path.parent / f"~${name}").exists()
        or (path.parent / f"~${name[2:]}").exists()
    ):
        return True
    if (
        earlier is not None
        and earlier.sha256 is None
        and (earlier.size, earlier.mtime_ns) != (looked.size, looked.mtime_ns)
    ):
        return True
    age = now.timestamp() - looked.mtime_ns / 1e9
    return 0 <= age < quiet_seconds


class _State:
    """The ledger as it grows during a scan."""

    def __init__(self, ledger: pl.DataFrame, now: dt.datetime, fingerprint: str) -> None:
        self.now, self.fingerprint = now, fingerprint
        self.rows: list[dict[str, Any]] = list(ledger.sort("entry").iter_rows(named=True))
        self.first_new = len(self.rows)
        self.next = 1 + max((r["entry"] for r in self.rows), default=0)

    def of(self, sha256: str) -> list[dict[str, Any]]:
        return [r for r in self.rows if r["sha256"] == sha256]

    def is_open(self, sha256: str) -> bool:
        """Return whether the content was quarantined for a reason that may have gone."""
        told = [r for r in self.of(sha256) if r["fate"] != "ignored"]
        if not told:
            return False
        code = told[-1]["code"]
        return code in WAITING or (
            code in RETRIED and told[-1]["mappings_hash"] != self.fingerprint
        )

    def waits_for_others(self, sha256: str | None) -> bool:
        """Return whether the content was last quarantined because of other files."""
        told = [r for r in self.of(sha256) if r["fate"] != "ignored"] if sha256 is not None else []
        return bool(told) and told[-1]["code"] in WAITING

    def is_due(self, asked_at: int) -> bool:
        """Return whether a file that waits is to be asked: a file was taken in since, or it never was."""
        return asked_at < 0 or any(r["fate"] == "accepted" for r in self.rows[asked_at:])

    def active(self) -> list[dict[str, Any]]:
        accepted = [r for r in self.rows if r["fate"] == "accepted"]
        replaced = {sha256 for r in accepted for sha256 in replaced_by(r)}
        return [r for r in accepted if not {r["sha256"], r["corrects"]} & replaced]

    def add(self, relative: str, **more: Any) -> None:
        row = dict.fromkeys(LEDGER_SCHEMA) | {
            "entry": self.next, "seen_at": self.now, "file": relative, "mappings_hash": self.fingerprint, **more,
        }  # fmt: skip
        self.rows.append(row)
        self.next += 1

    def say(self, relative: str, code: str, *parts: object, **more: Any) -> None:
        fate, vi, en, remedy_vi, remedy_en = TEXTS[code]
        reason_vi = vi.format(*parts)
        if code in WAITING and any(
            r["code"] == code and r["reason_vi"] == reason_vi for r in self.of(more["sha256"])
        ):
            return
        self.add(
            relative, fate=fate, code=code, reason_vi=reason_vi, reason_en=en.format(*parts),
            remedy_vi=remedy_vi or None, remedy_en=remedy_en or None, **more,
        )  # fmt: skip

    def refused(self, relative: str, error: InputError, **more: Any) -> None:
        """Quarantine; a link or a file that was never read is told of once."""
        fate = "ignored" if error.code == "symlink" else "quarantined"
        if more.get("sha256") is None and any(
            r["file"] == relative and r["code"] == error.code and r["bytes"] == more.get("bytes")
            for r in self.rows
        ):
            return
        self.add(
            relative, fate=fate, code=error.code, reason_vi=error.what_vi or error.what,
            reason_en=" ".join(x for x in (error.what, error.why) if x), remedy_vi=error.remedy_vi or None,
            remedy_en=error.remedy or None, **more,
        )  # fmt: skip

    def decisions(self) -> pl.DataFrame:
        return pl.DataFrame(self.rows[self.first_new :], schema=LEDGER_SCHEMA)


def _decide(
    state: _State, relative: str, looked: Seen, *, folder: Path, mappings: Sequence[SourceMapping],
    by_path: Mapping[str, set[str]], input_dir: Path,
) -> str | None:  # fmt: skip
    """Decide about one file that is complete; return its hash, or None when it was not read."""
    path = folder / relative
    try:
        content = read_bytes(path)
        after = path.lstat()
    except (InputError, FileNotFoundError) as exc:
        error = exc if isinstance(exc, InputError) else refuse("not_found", where=relative)
        state.refused(relative, error, bytes=looked.size)
        return None
    if (after.st_size, after.st_mtime_ns) != (looked.size, looked.mtime_ns) or len(
        content
    ) != looked.size:
        state.say(relative, "being_written", bytes=looked.size)
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    told = state.of(sha256)
    facts: dict[str, Any] = {"sha256": sha256, "bytes": len(content)}
    if told and not state.is_open(sha256):
        _known_content(state, relative, told, facts)
        return sha256
    try:
        info = check_bytes(content, name=path.name)
        facts |= {"kind": info.kind, "stored_at": store_path(sha256, path.name)}
        place = find_place(
            folder,
            relative,
            info=info,
            book=open_bytes(content, name=path.name),
            mappings=mappings,
            by_path=by_path,
        )
    except InputError as exc:
        # What the guard refused keeps no ending under which a program would open it.
        state.refused(
            relative, exc, **{"stored_at": store_path(sha256, f"{path.name}.refused"), **facts}
        )
        return sha256
    _place(state, relative, place, facts, input_dir)
    return sha256


def _known_content(
    state: _State, relative: str, told: list[dict[str, Any]], facts: dict[str, Any]
) -> None:
    if any(r["file"] == relative for r in told):
        return
    first = told[0]
    facts = {**facts, "kind": first["kind"]}
    gone = {facts["sha256"], *(r["corrects"] for r in told if r["corrects"])}
    newer = [r for r in state.rows if r["fate"] == "accepted" and replaced_by(r) & gone]
    if newer:
        state.say(relative, "older_version", newer[-1]["file"], **facts)
        return
    same_name = Path(first["file"]).name == Path(relative).name
    state.say(relative, "duplicate" if same_name else "renamed_duplicate", first["file"], **facts)


def _place(
    state: _State, relative: str, place: Place, facts: dict[str, Any], input_dir: Path
) -> None:
    """Enter what the file is to the reports in force, and where it goes."""
    facts = facts | {
        "mapping_ids": "; ".join(place.mapping_ids), "table": place.table, "periods": "; ".join(place.periods), "row_keys": list(place.row_keys),
    }  # fmt: skip
    active = state.active()
    found = relate(place, active)
    if TEXTS[found.code][0] != "accepted":
        state.say(relative, found.code, *found.parts, **facts)
        return
    path = place.path
    taken = {r["placed_at"]: r for r in active}
    if path in taken and taken[path] not in found.replaces:
        stem, dot, suffix = path.rpartition(".")
        path = f"{stem}-{facts['sha256'][:8]}{dot}{suffix}"
    there = input_dir / path
    if there.exists() and path not in taken and not any(r["placed_at"] == path for r in state.rows):
        with suppress(InputError):
            if hashlib.sha256(read_bytes(there)).hexdigest() == facts["sha256"]:
                state.say(relative, "already_there", path, **facts)
                return
        state.say(relative, "place_taken", path, **facts)
        return
    state.say(
        relative,
        found.code,
        *found.parts,
        placed_at=path,
        supersedes="; ".join(r["sha256"] for r in found.replaces) or None,
        corrects=found.corrects["sha256"] if found.corrects is not None else None,
        **facts,
    )


# --- keeping ----------------------------------------------------------------------------------


def take_in(scan: Scan, folder: Path, *, data_dir: Path, input_dir: Path) -> pl.DataFrame:
    """Keep the files of a scan, write the ledger, and bring the active copies up to date.

    A file that changed between the scan and now is left for the next scan. Decisions about files
    still being written are not entered.

    Returns
    -------
    polars.DataFrame
        The ledger.
    """
    ledger = read_ledger(data_dir)
    last = int(ledger["entry"].max() or 0) if ledger.height else 0  # type: ignore[arg-type]
    kept: list[dict[str, Any]] = []
    for row in (
        scan.decisions.filter(pl.col("code") != "being_written").sort("entry").iter_rows(named=True)
    ):
        if row["stored_at"] is not None and not keep(
            folder / row["file"], data_dir / row["stored_at"], row["sha256"]
        ):
            break  # later decisions may rest on this one
        last += 1
        kept.append({**row, "entry": last})
    if kept:
        ledger = pl.concat([ledger, pl.DataFrame(kept, schema=LEDGER_SCHEMA)])
        storage.write_table(ledger, ledger_path(data_dir))
    reconcile(ledger, data_dir=data_dir, input_dir=input_dir)
    return ledger


def intake(
    folder: Path,
    *,
    data_dir: Path,
    input_dir: Path,
    mappings: Sequence[SourceMapping],
    now: dt.datetime,
    seen: Mapping[str, Seen] | None = None,
    quiet_seconds: float = QUIET_SECONDS,
    max_files: int | None = None,
) -> tuple[Scan, pl.DataFrame]:
    """Look at the inbox and take in what it holds; one process at a time.

    Returns
    -------
    Scan, polars.DataFrame
        What was found, and the ledger after it. Arguments as in `scan_inbox` and `take_in`.

    Raises
    ------
    InputError
        When the folders overlap, are missing, or cannot be written.
    """
    check_folders(folder, input_dir=input_dir, data_dir=data_dir)
    with alone(data_dir):
        scan = scan_inbox(
            folder, ledger=read_ledger(data_dir), mappings=mappings, input_dir=input_dir, now=now,
            seen=seen, quiet_seconds=quiet_seconds, max_files=max_files,
        )  # fmt: skip
        return scan, take_in(scan, folder, data_dir=data_dir, input_dir=input_dir)
