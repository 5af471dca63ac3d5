"""Processes that share work: all of it is done, failures are told, nothing is left running."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from htx_pipeline.report.crew import Crew

WORK = """
    import os
    from pathlib import Path

    class Note:
        def __init__(self, name, fails=False):
            self.name, self.fails = name, fails

        def do(self, folder, word):
            if self.fails:
                raise ValueError(f"no {self.name}")
            Path(folder, self.name).write_text(f"{word} {os.getpid()}")
"""


@pytest.fixture
def note(tmp_path: Path, monkeypatch) -> Any:
    """Return a kind of work that the processes can import."""
    (tmp_path / "noted_work.py").write_text(textwrap.dedent(WORK))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ":".join(p for p in sys.path if p))
    from noted_work import Note

    yield Note
    sys.modules.pop("noted_work", None)


def test_all_work_is_done_and_counted_and_nobody_is_left(note, tmp_path: Path) -> None:
    with Crew(3, (str(tmp_path), "xong")) as crew:
        assert not crew.is_busy
        for i in range(20):
            crew.give(note(f"{i}.txt"))
        assert crew.is_busy
        done = crew.done() + sum(crew.finish())
    assert done == 20
    said = [p.read_text().split() for p in tmp_path.glob("*.txt")]
    assert len(said) == 20
    assert {word for word, _ in said} == {"xong"}
    assert len({pid for _, pid in said}) <= 3
    assert not crew.is_busy


def test_no_work_starts_no_process() -> None:
    with Crew(2, ()) as crew:
        assert list(crew.finish()) == []


def done_by(folder: Path, *works: Any) -> int:
    with Crew(2, (str(folder), "x")) as crew:
        for work in works:
            crew.give(work)
        return sum(crew.finish())


def test_a_failure_is_told_with_its_reason_and_the_rest_is_still_done(note, tmp_path: Path) -> None:
    rest = [note(f"{i}.txt") for i in range(6)]
    with pytest.raises(RuntimeError, match="ValueError: no kaputt"):
        done_by(tmp_path, note("kaputt", fails=True), *rest)
    # What the one that failed had been given already is lost with it.
    assert len(list(tmp_path.glob("*.txt"))) >= 4


def test_a_failure_seen_while_work_is_still_handed_out_is_told_at_the_end(note, tmp_path) -> None:
    crew = Crew(1, (str(tmp_path), "x"))
    with crew:
        crew.give(note("kaputt", fails=True))
        member = crew._members[0]
        member.process.wait()
        member._threads[1].join()  # Its end has been heard.
        assert crew.done() == 0
        crew.give(note("late.txt"))
        with pytest.raises(RuntimeError, match="ValueError: no kaputt"):
            list(crew.finish())


def test_all_failing_ends_as_well(note, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ValueError"):
        done_by(tmp_path, *(note(f"{i}", fails=True) for i in range(9)))


def test_leaving_early_stops_the_processes(note, tmp_path: Path) -> None:
    crew = Crew(2, (str(tmp_path), "x"))

    def interrupted() -> None:
        with crew:
            crew.give(note("a.txt"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(m.process.returncode is not None for m in crew._members)
