"""The ledger of the inbox: one entry per decision, and what follows from the entries.

What belongs here: the ledger's columns, the sentences of every fate, and which reports, corrections and
quarantined files are in force. What does not: deciding (`inbox`) and keeping files (`inbox_store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from htx_pipeline import storage

LEDGER_SCHEMA: Final[dict[str, pl.DataType]] = {
    "entry": pl.Int64(),
    "seen_at": pl.Datetime("ms", "UTC"),
    "file": pl.String(),
    "sha256": pl.String(),
    "bytes": pl.Int64(),
    "kind": pl.String(),
    "fate": pl.String(),
    "code": pl.String(),
    "reason_vi": pl.String(),
    "reason_en": pl.String(),
    "remedy_vi": pl.String(),
    "remedy_en": pl.String(),
    "mapping_ids": pl.String(),
    "table": pl.String(),
    "periods": pl.String(),
    "placed_at": pl.String(),
    "supersedes": pl.String(),
    "corrects": pl.String(),
    "stored_at": pl.String(),
    "mappings_hash": pl.String(),
    "row_keys": pl.List(pl.String()),
}
"""Columns of the ledger. ``file`` is the path below the inbox, ``placed_at`` below the input folder,
``stored_at`` below the data folder; ``supersedes`` is the SHA-256 of the version replaced, or of each report replaced, ``corrects`` that of
the report of which a file holds only corrected rows;
``mapping_ids``, ``periods`` and ``supersedes`` are separated by ``; ``. ``sha256`` is null for what was never read."""

TEXTS: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "new_report": ("accepted", "Tiếp nhận.", "Taken in.", "", ""),
    "newer_version": (
        "accepted", "Tiếp nhận, thay cho bản gửi trước «{0}».", "Taken in; it replaces “{0}”, sent before.", "", "",
    ),
    "partial_correction": (
        "accepted", "Tiếp nhận {1} dòng đính chính cho «{0}»; các dòng khác giữ nguyên.",
        "Taken in: {1} corrected rows of “{0}”; its other rows stay as they were.", "", "",
    ),
    "fuller_version": (
        "accepted", "Tiếp nhận: có đủ các dòng của {0} gửi trước và thêm {1} dòng, nên thay cho tệp đó.",
        "Taken in: it holds every row of {0}, sent before, and {1} more, and takes its place.",
        "Nếu tệp gửi trước là bản đính chính, gửi lại tệp đó với chữ «Đính chính» ở tiêu đề.",
        "If what was sent before corrects this report, send it again with “Đính chính” in its title.",
    ),
    "correction_early": (
        "quarantined", "Là bản đính chính {0} dòng, nhưng chưa nhận được báo cáo năm {1} có các dòng đó qua hộp thư.",
        "It says it is a correction, of {0} rows, but no report for {1} that holds any of them has come through the inbox yet.",
        "Gửi báo cáo qua hộp thư: bản đính chính sẽ tự được tiếp nhận. Nếu đây chính là báo cáo, bỏ chữ «Đính chính» ở tên tệp, tên trang tính và tiêu đề rồi gửi lại.",
        "Send the report through the inbox: the correction is then taken in by itself. If this is the report, take “Đính chính” out of file name, sheet name and title and send it again.",
    ),
    "correction_of_several": (
        "quarantined", "Có {0} dòng đính chính, nhưng các dòng đó nằm trong nhiều báo cáo: {1}.",
        "It holds {0} corrected rows, and several reports hold them: {1}.",
        "Gửi riêng bản đính chính cho từng báo cáo, từng năm.", "Send the corrections of each report and year in a file of their own.",
    ),
    "correction_without_room": (
        "quarantined", "Chỉ có {1} trong {2} dòng của «{0}», mà nguồn này chỉ đọc một tệp: nếu thay thì các dòng còn lại sẽ mất.",
        "It holds only {1} of the {2} rows of “{0}”, and only one file is read here: the other rows would be lost.",
        "Gửi lại toàn bộ báo cáo đã sửa.", "Send the whole corrected report.",
    ),
    "being_written": (
        "ignored", "Tệp đang được ghi hoặc đang mở; sẽ xem lại lần sau.", "The file is still being written or is open; it is looked at again next time.",
        "Chờ tệp gửi xong, hoặc đóng tệp.", "Wait until it is complete, or close it.",
    ),
    "duplicate": ("ignored", "Trùng nội dung với «{0}» đã nhận.", "The same content as “{0}”, which was seen before.", "", ""),
    "renamed_duplicate": (
        "ignored", "Cùng nội dung với «{0}», chỉ khác tên.", "The same content as “{0}” under another name.", "", "",
    ),
    "older_version": (
        "ignored", "Là bản cũ, đã được thay bằng «{0}».", "An older version, already replaced by “{0}”.",
        "Nếu muốn dùng lại bản cũ, gửi lại tệp đã chỉnh sửa.", "To go back to it, send it with the change made.",
    ),
    "overlapping_report": (
        "quarantined", "Có {1} dòng trùng đối tượng với «{0}» và {2} dòng không có trong báo cáo đó: không phải bản thay thế, cũng không phải bản đính chính.",
        "{1} of its rows are about what “{0}” reports and {2} are not: it is neither a new version nor a correction of it.",
        "Gửi lại toàn bộ báo cáo, hoặc chỉ gửi các dòng cần đính chính.", "Send the whole report again, or only the rows to correct.",
    ),
    "place_taken": (
        "quarantined", "Thư mục nguồn đã có một tệp khác tại «{0}», không do hộp thư đưa vào.",
        "The input folder already holds another file at “{0}” that did not come through the inbox.",
        "Chuyển tệp đó đi hoặc gửi nó qua hộp thư.", "Move that file away, or send it through the inbox.",
    ),
    "already_there": (
        "ignored", "Tệp này đã có sẵn trong thư mục nguồn tại «{0}».", "The same file already lies in the input folder at “{0}”.", "", "",
    ),
}  # fmt: skip
RETRIED: Final = frozenset(
    {"unknown_kind", "period_unknown", "several_mappings", "no_place", "template_outdated"}
)
"""Quarantined for a reason that a change of the mappings or of the schemas may lift."""
WAITING: Final = frozenset(
    {"overlapping_report", "place_taken", "correction_without_room"}
    | {"correction_of_several", "correction_early"}
)
"""Quarantined because of other files: looked at again at every scan, told of once."""


def empty_ledger() -> pl.DataFrame:
    """Return a ledger without entries.

    Examples
    --------
    >>> empty_ledger().height
    0
    """
    return pl.DataFrame(schema=LEDGER_SCHEMA)


def ledger_path(data_dir: Path) -> Path:
    """Return where the ledger lies."""
    return data_dir / "inbox" / "ledger.parquet"


def read_ledger(data_dir: Path) -> pl.DataFrame:
    """Return the ledger; empty when nothing has arrived yet.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    path = ledger_path(data_dir)
    if not path.exists():
        return empty_ledger()
    ledger = storage.read_frame(path)
    later = [pl.lit(None, t).alias(c) for c, t in LEDGER_SCHEMA.items() if c not in ledger.columns]
    return ledger.with_columns(later).select(*LEDGER_SCHEMA)


def replaced_by(entry: Mapping[str, Any]) -> set[str]:
    """Return the SHA-256 of what an entry takes the place of.

    Examples
    --------
    >>> replaced_by({"supersedes": None}), sorted(replaced_by({"supersedes": "ab; cd"}))
    (set(), ['ab', 'cd'])
    """
    return set((entry["supersedes"] or "").split("; ")) - {""}


def active(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the accepted entries that no later one replaces, in the order of entry.

    Corrections go with the report they correct: when a whole report replaces it, they are replaced too.

    Examples
    --------
    >>> active(empty_ledger()).height
    0
    """
    accepted = ledger.filter(pl.col("fate") == "accepted")
    replaced = accepted["supersedes"].drop_nulls().str.split("; ").explode().implode()
    current = ~pl.col("sha256").is_in(replaced) & ~pl.col("corrects").is_in(replaced).fill_null(
        value=False
    )
    return accepted.filter(current).sort("entry")


def waiting(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the entries of the files that wait in quarantine: somebody must act.

    A content waits until it is accepted, or until a later file of the same name is: that is how a sender
    mends a file that was cut off.

    Examples
    --------
    >>> waiting(empty_ledger()).height
    0
    """
    told = ledger.filter(pl.col("fate") != "ignored").sort("entry")
    last = told.group_by(pl.coalesce("sha256", "file").alias("_what"), maintain_order=True).last()
    mended = (
        told.filter(pl.col("fate") == "accepted")
        .group_by("file")
        .agg(pl.max("entry").alias("_mended"))
    )
    return (
        last.filter(pl.col("fate") == "quarantined")
        .join(mended, on="file", how="left", maintain_order="left")
        .filter((pl.col("_mended") > pl.col("entry")).fill_null(value=False).not_())
        .select(ledger.columns)
    )


def corrections_in_force(ledger: pl.DataFrame) -> dict[str, tuple[str, int]]:
    """Return, for each active file with only corrected rows, the report's hash and the order of arrival.

    Examples
    --------
    >>> corrections_in_force(empty_ledger())
    {}
    """
    rows = active(ledger).filter(pl.col("corrects").is_not_null())
    return {s: (c, e) for s, c, e in rows.select("sha256", "corrects", "entry").iter_rows()}
