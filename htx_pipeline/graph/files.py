"""Saved graphs: a folder of plain arrays and Arrow tables, memory-mapped when opened.

What belongs here: the layout of the folder, writing it whole, mapping it.
What does not: what the arrays mean (`htx_pipeline.graph.csr`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError

_FORMAT: Final = 1


class Saved(NamedTuple):
    """What a folder holds: tables of nodes and links, arrays by name, and what else is to be known."""

    nodes: pl.DataFrame
    links: pl.DataFrame
    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def save(path: Path | str, parts: Saved) -> None:
    """Write a folder, replacing one that is there; it appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        _write_table(parts.nodes, draft / "nodes.arrow")
        _write_table(parts.links, draft / "links.arrow")
        for name, array in parts.arrays.items():
            np.save(draft / f"{name}.npy", array)
        draft.chmod(0o755)
        about = {"format": _FORMAT, **parts.about}
        (draft / "graph.json").write_text(json.dumps(about, sort_keys=True) + "\n")
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            path.replace(old / "old")
            draft.replace(path)
            shutil.rmtree(old)
        else:
            draft.replace(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def mapped(path: Path | str) -> Saved:
    """Return what a folder holds, memory-mapped.

    Raises
    ------
    InputError
        The folder is not a graph, or was written in another format.
    """
    path = Path(path)
    try:
        about = json.loads((path / "graph.json").read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError) as error:
        raise InputError(
            "This is not a saved graph.", where=str(path), why=str(error), code="graph_file"
        ) from error
    if about.get("format") != _FORMAT:
        raise InputError(
            f"The graph was saved in format {about.get('format')}; this program reads {_FORMAT}.",
            where=str(path),
            remedy="Build and save it again.",
            code="graph_file",
        )
    arrays = {file.stem: np.load(file, mmap_mode="r") for file in sorted(path.glob("*.npy"))}
    return Saved(_map_table(path / "nodes.arrow"), _map_table(path / "links.arrow"), arrays, about)


def _write_table(table: pl.DataFrame, path: Path) -> None:
    # One record batch, so that each column is one stretch of the file.
    table.rechunk().write_ipc(
        path, compression="uncompressed", record_batch_size=max(table.height, 1)
    )


def _map_table(path: Path) -> pl.DataFrame:
    import pyarrow as pa

    # Polars' own reader copies; Arrow's maps the file.
    frame = pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(path))).read_all(), rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame
