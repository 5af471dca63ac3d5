"""A write that does not fit leaves the old table and says what to do."""

import subprocess
import sys

import polars as pl

from htx_pipeline import storage

WRITER = """
import resource, signal, sys
from pathlib import Path
import polars as pl
from htx_pipeline.errors import InputError
from htx_pipeline.storage import write_table
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
frame = pl.DataFrame({"n": range(500_000)}).with_columns(s=pl.col("n").hash(1).cast(pl.String))
try:
    write_table(frame, Path(sys.argv[1]))
except InputError as error:
    print(error.code, "|", error.remedy)
"""


def test_a_table_that_does_not_fit_on_the_disk_leaves_the_old_one(tmp_path):
    path = tmp_path / "t.parquet"
    storage.write_table(pl.DataFrame({"n": [1]}), path)
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.startswith("write_failed | Free disk space"), done.stderr[-2000:]
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]
