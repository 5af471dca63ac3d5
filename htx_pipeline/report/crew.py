"""Processes that write pages: each is given the next piece of work when it has done one.

What belongs here: starting them, handing work out evenly, hearing what is done, saying why one failed.
What does not: the work (`documents`).

They are fresh interpreters, ``python -m htx_pipeline.report.crew``: no fork after threads, no re-import of
the caller. On standard input comes what all work shares, then piece after piece; a line of output for each
piece done asks for another.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final, Protocol

AHEAD: Final = 2
"""Pieces of work that one process has at a time, so that it never waits for the next."""


class Work(Protocol):
    """A piece of work."""

    def do(self, *shared: Any) -> None:
        """Do it with what all work shares."""


class Crew:
    """Processes that share work; none is started before there is some.

    Parameters
    ----------
    size:
        How many.
    shared:
        What ``do`` of every piece of work is called with.
    """

    def __init__(self, size: int, shared: tuple[Any, ...]) -> None:
        self.size = size
        self._shared = shared
        self._work: queue.Queue[bytes | None] = queue.Queue()
        self._said: queue.Queue[bool] = queue.Queue()
        self._members: list[_Member] = []
        self._ended = 0

    @property
    def is_busy(self) -> bool:
        """Return whether processes have been started."""
        return bool(self._members)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        """End the processes; those that still write are stopped when something failed."""
        for member in self._members:
            if kind is not None:
                member.process.kill()
            self._work.put(None)
        for member in self._members:
            member.join()

    def give(self, work: Work) -> None:
        """Hand out a piece of work; the first one starts the processes."""
        if not self._members:
            shared = pickle.dumps(self._shared)
            self._members = [_Member(shared, self._work, self._said) for _ in range(self.size)]
        self._work.put(pickle.dumps(work))

    def done(self) -> int:
        """Return how many pieces were done since it was last asked."""
        done = 0
        while not self._said.empty():
            done += self._hear()
        return done

    def _hear(self) -> int:
        """Wait for word from any process: a piece done, or its end."""
        is_piece = self._said.get()
        self._ended += not is_piece
        return int(is_piece)

    def finish(self) -> Iterator[int]:
        """Wait for what is left, and yield how many pieces were done, again and again.

        Raises
        ------
        RuntimeError
            When a process failed; it says what the first one that failed said.
        """
        for _ in self._members:
            self._work.put(None)
        while self._ended < len(self._members):
            yield self._hear()
        for member in self._members:
            member.join()
        failed = [m.complaint for m in self._members if m.process.returncode]
        self._members = []
        if failed:
            raise RuntimeError(f"a process that writes documents failed:\n{failed[0]}")


class _Member:
    """One process, and the threads that talk with it."""

    def __init__(
        self, shared: bytes, work: queue.Queue[bytes | None], said: queue.Queue[bool]
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "htx_pipeline.report.crew"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.complaint = ""
        self._is_over = False
        self._room = threading.Semaphore(AHEAD)
        self._threads = [
            threading.Thread(target=self._give, args=(shared, work), daemon=True),
            threading.Thread(target=self._listen, args=(said,), daemon=True),
            threading.Thread(target=self._hear_complaints, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the end of the process."""
        for thread in self._threads:
            thread.join()
        self.process.wait()

    def _give(self, shared: bytes, work: queue.Queue[bytes | None]) -> None:
        try:
            with self.process.stdin as pipe:  # type: ignore[union-attr]
                pipe.write(shared)
                while True:
                    self._room.acquire()
                    piece = None if self._is_over else work.get()
                    if piece is None:
                        return
                    pipe.write(piece)
                    pipe.flush()
        except BrokenPipeError:
            return  # It failed; its exit status and words tell why.

    def _listen(self, said: queue.Queue[bool]) -> None:
        with self.process.stdout as pipe:  # type: ignore[union-attr]
            for _ in pipe:
                said.put(True)
                self._room.release()
        # It may still take what is written for a moment: no more is.
        self._is_over = True
        self._room.release()
        said.put(False)

    def _hear_complaints(self) -> None:
        with self.process.stderr as pipe:  # type: ignore[union-attr]
            self.complaint = pipe.read().decode(errors="replace")


def main() -> None:
    """Do the work that comes on standard input."""
    # It was pickled a moment ago by the process that started this one.
    shared = pickle.load(sys.stdin.buffer)  # noqa: S301
    while True:
        try:
            work: Work = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            return
        work.do(*shared)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
