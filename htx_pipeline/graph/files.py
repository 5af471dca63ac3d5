"""Saved graphs: a folder of plain arrays and Arrow tables, memory-mapped when opened.

What belongs here: the layout of the folder, writing it whole, mapping it.
What does not: what the arrays mean (`htx_pipeline.graph.csr`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from htx_pipeline.errors import InputError
from htx_pipeline.graph.rows import Rows

if TYPE_CHECKING:
    from htx_pipeline.graph.csr import CSRGraph

_FORMAT: Final = 1


def save(graph: CSRGraph, path: Path | str) -> None:
    """See `CSRGraph.save`."""
    graph.need_tables()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        _write_table(graph.node_table, draft / "nodes.arrow")
        _write_table(graph.link_table, draft / "links.arrow")
        for name, array in _arrays(graph).items():
            np.save(draft / f"{name}.npy", array)
        draft.chmod(0o755)
        about = {"format": _FORMAT, "directed": graph.is_directed(), "weight": graph.weight}
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


def _arrays(graph: CSRGraph) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "indptr": graph.out.indptr,
        "indices": graph.out.indices,
        "edge_source": graph.edge_source,
        "edge_target": graph.edge_target,
    }
    if graph.out.edge is not None:
        arrays["slot_edge"] = graph.out.edge
    if graph._link_ptr is not None:
        arrays["link_ptr"] = graph._link_ptr
    return arrays


def open_graph(path: Path | str) -> CSRGraph:
    """See `CSRGraph.open`."""
    from htx_pipeline.graph.csr import CSRGraph

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

    def array(name: str) -> Any:
        file = path / f"{name}.npy"
        return np.load(file, mmap_mode="r") if file.exists() else None

    return CSRGraph(
        node_table=_map_table(path / "nodes.arrow"),
        link_table=_map_table(path / "links.arrow"),
        rows=Rows(array("indptr"), array("indices"), array("slot_edge")),
        edge_source=array("edge_source"),
        edge_target=array("edge_target"),
        link_ptr=array("link_ptr"),
        directed=about["directed"],
        weight=about["weight"],
    )


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
