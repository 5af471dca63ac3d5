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
