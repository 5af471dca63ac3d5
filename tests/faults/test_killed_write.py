"""A process killed while it writes never leaves a half file that a later step reads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import polars as pl

from htx_pipeline import storage

WRITER = """
import sys
from pathlib import Path
import polars as pl
from htx_pipeline.storage import write_table
path = Path(sys.argv[1])
frame = pl.DataFrame({"n": range(3_000_000)}).with_columns(s=pl.col("n").hash(1).cast(pl.String))
print("ready", flush=True)
for _ in range(1000):
    write_table(frame, path)
"""


def test_a_killed_writer_leaves_the_table_whole(tmp_path):
    path = tmp_path / "t.parquet"
    storage.write_table(pl.DataFrame({"n": [1], "s": ["old"]}), path)
    heights = set()
    for delay in (0.02, 0.11, 0.23, 0.37, 0.52):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        heights.add(storage.read_frame(path).height)
    assert heights <= {1, 3_000_000}


def test_what_a_killed_writer_left_is_not_taken_for_a_table(tmp_path):
    from htx_pipeline.tables import list_tables

    path = storage.table_path(tmp_path, "core/linkages", period="2024")
    storage.write_table(pl.DataFrame({"n": [1]}), path)
    (path.parent / ".writing-dead.parquet").write_bytes(b"PAR1 half")
    assert list_tables(data_dir=tmp_path)["rows"].to_list() == [1]


def test_a_killed_writer_of_a_folder_leaves_no_folder_and_the_next_one_writes_it(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from htx_pipeline import storage; flush, done = os.fsync, []\n"
        "def die(handle):\n"
        "    done.append(handle); os._exit(9) if len(done) == 2 else flush(handle)\n"
        "storage.os.fsync = die\n"
        "storage.write_folder({'a/1.txt': b'x', 'b.txt': b'y'}, Path(sys.argv[1]) / 'set')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == 9
    left = [p.name for p in tmp_path.iterdir()]
    assert left
    assert all(name.startswith(".") for name in left)
    storage.write_folder({"a/1.txt": b"x", "b.txt": b"y"}, tmp_path / "set")
    assert (tmp_path / "set" / "a" / "1.txt").read_bytes() == b"x"
