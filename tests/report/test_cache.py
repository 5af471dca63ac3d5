"""The cache of drawings and documents: held to a size, and never without what editions in force use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from htx_pipeline.report import cache, documents, figures
from htx_pipeline.report.cache import in_use, note_uses, prune, touch
from htx_pipeline.report.edition import write_edition
from htx_pipeline.settings import Settings

MB = 1_000_000
LONG_AGO = 1_700_000_000


def file(folder: Path, name: str, *, mb: float = 1.0, at: int = LONG_AGO) -> Path:
    path = folder / name
    path.write_bytes(b"x" * int(mb * MB))
    os.utime(path, (at, at))
    return path


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir() if not p.name.startswith(cache.USES)}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Return the folder of an edition in force."""
    out = tmp_path / "editions"
    out.mkdir()
    (out / "current.json").write_text("{}")
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cache"
    made.mkdir()
    return made


def test_what_an_edition_in_force_uses_stays_however_little_room_there_is(folder, shelf) -> None:
    for name in ("used.pdf", "old.pdf"):
        file(folder, name)
    note_uses(folder, shelf, ["used.pdf"])
    assert prune(folder, max_mb=0) == 1
    assert names(folder) == {"used.pdf"}


def test_what_is_used_by_nobody_goes_longest_unused_first_until_the_rest_fits(folder) -> None:
    for i in range(5):
        file(folder, f"{i}.pdf", at=LONG_AGO + i)
    touch(folder, ["0.pdf", "gone.pdf"])
    assert prune(folder, max_mb=3, quiet_s=0.0) == 2
    assert names(folder) == {"0.pdf", "3.pdf", "4.pdf"}


def test_within_its_size_nothing_goes_but_drafts_that_were_left_behind(folder) -> None:
    file(folder, "a.pdf")
    file(folder, ".draft-abc", mb=0.1)
    assert prune(folder, max_mb=100) == 1
    assert names(folder) == {"a.pdf"}


def test_what_another_run_may_be_about_to_read_or_is_writing_stays(folder) -> None:
    file(folder, "fresh.pdf")
    file(folder, ".draft-fresh")
    touch(folder, ["fresh.pdf", ".draft-fresh"])
    assert prune(folder, max_mb=0) == 0


def test_an_edition_that_is_gone_holds_nothing_back(folder, shelf) -> None:
    file(folder, "used.pdf")
    note_uses(folder, shelf, ["used.pdf"])
    shutil.rmtree(shelf)
    assert in_use(folder) == frozenset()
    assert prune(folder, max_mb=0) == 1
    assert list(folder.iterdir()) == []


def test_the_uses_of_several_editions_add_up_and_a_newer_one_replaces_its_own(
    folder, shelf, tmp_path
) -> None:
    other = tmp_path / "public"
    other.mkdir()
    (other / "current.json").write_text("{}")
    note_uses(folder, shelf, ["a", "b"])
    note_uses(folder, other, ["c"])
    note_uses(folder, shelf, ["b", "d"])
    assert in_use(folder) == {"b", "c", "d"}


def test_a_cache_that_moves_with_its_editions_still_knows_them(folder, shelf, tmp_path) -> None:
    note_uses(folder, shelf, ["a"])
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for place in (folder, shelf):
        shutil.move(place, moved / place.name)
    assert in_use(moved / folder.name) == {"a"}


def test_an_edition_written_over_a_full_cache_leaves_what_it_and_others_in_force_are_made_of(
    hand, options, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(cache, "QUIET_S", 0.0)
    monkeypatch.setattr(
        "htx_pipeline.report.edition.prune", lambda f, max_mb: prune(f, max_mb=max_mb, quiet_s=0.0)
    )
    folder = tmp_path / "cache"
    common = {
        "period": "2024",
        "options": options,
        "products": hand.PRODUCTS,
        "cache_dir": folder,
        "cache_mb": 0,
    }
    write_edition(hand.register_only(), tmp_path / "one", **common)
    first = names(folder)
    assert first, "what the edition is made of"
    fewer = {k: f.head(4) for k, f in hand.register_only().items()}
    write_edition(fewer, tmp_path / "two", **common)
    assert first <= names(folder), "another edition in force keeps its own"
    write_edition(fewer, tmp_path / "one", **common)
    assert names(folder) == in_use(folder)
    assert not first <= names(folder), "the first edition is no longer in force"


def test_an_edition_is_the_same_from_a_cache_and_without_one(
    hand, options, tmp_path, monkeypatch
) -> None:
    common = {"period": "2024", "options": options, "products": hand.PRODUCTS}
    kept = write_edition(
        hand.register_only(), tmp_path / "a", cache_dir=tmp_path / "c", cache_mb=0, **common
    )
    drawn = []
    monkeypatch.setattr(figures, "render", drawn.append)
    monkeypatch.setattr(documents.Work, "_written", lambda *_: drawn.append(1))
    again = write_edition(
        hand.register_only(), tmp_path / "b", cache_dir=tmp_path / "c", cache_mb=0, **common
    )
    assert drawn == [], "the edition in force kept its drawings and documents"
    assert again.folder.name == kept.folder.name


def test_the_size_is_a_setting(monkeypatch) -> None:
    assert Settings().cache_mb == 1000
    monkeypatch.setenv("HTX_CACHE_MB", "50")
    assert Settings().cache_mb == 50
