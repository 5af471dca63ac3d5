"""Pictures: a plain description in, the same SVG and PNG bytes out, every time.

What belongs here: choosing who draws, fixing what could vary, keeping drawings by content, sharing the
work between processes. What does not: ink (`charts`, `chain`), numbers, words and sources, which come
ready in the description (`model`).

Run as ``python -m htx_pipeline.report.figures`` it draws the descriptions given on standard input
into a folder: the workers of `render_all` are such processes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report.chain import draw_chain
from htx_pipeline.report.charts import draw_bars, draw_dots
from htx_pipeline.report.drawing import FONTS
from htx_pipeline.report.maps import draw_map
from htx_pipeline.report.trends import draw_trends

__all__ = ["FONTS", "Picture", "picture_key", "render", "render_all"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn figure."""

    svg: bytes
    png: bytes


def picture_key(spec: Mapping[str, Any]) -> str:
    """Return the content key of a description: same key, same bytes.

    Examples
    --------
    >>> picture_key({"kind": "bars", "a": 1}) == picture_key({"a": 1, "kind": "bars"})
    True
    """
    words = json.dumps(spec, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((_salt() + words).encode()).hexdigest()[:24]


@cache
def _salt() -> str:
    """Return what else decides the bytes of a drawing: the code that draws, fonts, matplotlib."""
    from importlib.metadata import version

    here = Path(__file__).parent
    files = [
        here / f"{name}.py"
        for name in ("figures", "charts", "chain", "drawing", "text", "trends", "maps", "labelling")
    ]
    files += sorted(FONTS.glob("BeVietnamPro-*.ttf"))
    code = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{code}:{version('matplotlib')}:"


KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "bars": draw_bars,
    "dots": draw_dots,
    "chain": draw_chain,
    "trends": draw_trends,
    "map": draw_map,
}


def render(spec: Mapping[str, Any]) -> Picture:
    """Draw one description.

    Parameters
    ----------
    spec:
        ``kind`` (bars, dots, chain, trends, map) and what that kind needs, all of it plain JSON values.

    Returns
    -------
    Picture
        SVG with text kept as text in the shipped font, and PNG at 200 dots an inch.

    Examples
    --------
    >>> bar = {"label": "Huyện A", "shares": [0.5], "text": "50,0%"}
    >>> render({"kind": "bars", "bars": [bar], "series": ["Tỷ lệ"], "levels": [2]}).svg[:5]
    b'<?xml'
    """
    import matplotlib as mpl

    with mpl.rc_context(
        {
            "svg.hashsalt": "htx", "svg.fonttype": "none", "path.simplify": False, "hatch.linewidth": 0.7,
            "text.usetex": False, "axes.unicode_minus": True,
        }
    ):  # fmt: skip
        figure = KINDS[spec["kind"]](spec)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=200, metadata={"Software": None})
    return Picture(svg.getvalue(), png.getvalue())


def render_all(
    specs: Mapping[str, Mapping[str, Any]],
    *,
    cache_dir: Path | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Picture]:
    """Draw many descriptions, each content once; drawings found in *cache_dir* are not redrawn.

    Parameters
    ----------
    specs:
        Figure id → description.
    cache_dir:
        Folder of drawings by content key; a temporary one when None.
    workers:
        Processes; only used for a dozen drawings or more. The bytes do not depend on it.
    progress:
        Called with (drawn, to draw).
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = cache_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        keys = {name: picture_key(spec) for name, spec in specs.items()}
        wanted = {keys[n]: specs[n] for n in sorted(specs)}
        todo = [k for k in sorted(wanted) if not _cached(folder, k)]
        if len(todo) >= 12 and workers > 1:
            _in_processes({k: wanted[k] for k in todo}, folder, workers)
            if progress:
                progress(len(todo), len(todo))
        else:
            for done, key in enumerate(todo, start=1):
                _store(folder, key, render(wanted[key]))
                if progress:
                    progress(done, len(todo))
        drawn = {k: _load(folder, k) for k in wanted}
    return {name: drawn[key] for name, key in keys.items()}


def _cached(folder: Path, key: str) -> bool:
    return (folder / f"{key}.svg").exists() and (folder / f"{key}.png").exists()


def _load(folder: Path, key: str) -> Picture:
    return Picture((folder / f"{key}.svg").read_bytes(), (folder / f"{key}.png").read_bytes())


def _store(folder: Path, key: str, picture: Picture) -> None:
    for suffix, data in (("svg", picture.svg), ("png", picture.png)):
        handle, name = tempfile.mkstemp(dir=folder, prefix=".drawing-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(folder / f"{key}.{suffix}")


def _in_processes(specs: Mapping[str, Mapping[str, Any]], folder: Path, workers: int) -> None:
    """Draw in fresh interpreters: no fork after threads, no re-import of the caller's main module."""
    keys = sorted(specs)
    running = []
    for i in range(min(workers, len(keys))):
        work = json.dumps({k: specs[k] for k in keys[i::workers]}, ensure_ascii=False)
        process = subprocess.Popen(
            [sys.executable, "-m", "htx_pipeline.report.figures", str(folder)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        running.append((process, work.encode()))
    for process, words in running:
        if process.stdin:
            process.stdin.write(words)
            process.stdin.close()
            process.stdin = None
    for process, _ in running:
        _, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"a drawing process failed:\n{errors.decode(errors='replace')}")


def main() -> None:
    """Draw the descriptions on standard input (key → description) into the folder named first."""
    folder = Path(sys.argv[1])
    for key, spec in json.load(sys.stdin.buffer).items():
        _store(folder, key, render(spec))


if __name__ == "__main__":
    main()
