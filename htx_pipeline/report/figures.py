"""Pictures: a plain description in, the same SVG and PNG bytes out, every time.

What belongs here: choosing who draws, fixing what could vary, keeping drawings by content. What does
not: ink (`charts`, `chain`, `trends`, `maps`), numbers, words and sources, which come ready in the
description (`pictures`, `map_spec`), sharing the work (`documents`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from htx_pipeline.report.cache import DRAFT
from htx_pipeline.report.chain import draw_chain
from htx_pipeline.report.charts import draw_bars, draw_dots
from htx_pipeline.report.drawing import Board
from htx_pipeline.report.lettering import FONTS, ink, with_words
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
    files = [here / f"{name}.py" for name in INKED_BY]
    files += sorted(FONTS.glob("BeVietnamPro-*.ttf"))
    code = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{code}:{version('matplotlib')}:"


INKED_BY: Final = (
    "figures",
    "charts",
    "chain",
    "chain_layout",
    "drawing",
    "lettering",
    "text",
    "trends",
    "maps",
    "labelling",
)
"""Modules that decide the bytes of a drawing."""

DPI: Final = 200
"""Dots an inch of a PNG."""

KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Board]]] = {
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
    board = board_of(spec)
    return Picture(svg_of(board), png_of(board))


def _settled() -> Any:
    """Return a context in which nothing that was set outside shows in a drawing."""
    import matplotlib as mpl

    return mpl.rc_context(
        {
            "svg.hashsalt": "htx", "svg.fonttype": "none", "path.simplify": False, "hatch.linewidth": 0.7,
            "text.usetex": False, "axes.unicode_minus": True,
        }
    )  # fmt: skip


def board_of(spec: Mapping[str, Any]) -> Board:
    """Return what is drawn, before it is written in any format."""
    with _settled():
        return KINDS[spec["kind"]](spec)


def svg_of(board: Board) -> bytes:
    """Return a drawing as SVG, its text as text."""
    with _settled():
        svg = io.StringIO()
        board.figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return with_words(svg.getvalue(), board.lines).encode()


def png_of(board: Board) -> bytes:
    """Return the picture as PNG of 256 colours, packed lightly: packing hard costs as much as drawing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    board.figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(board.figure)
    with _settled():
        canvas.draw()  # type: ignore[no-untyped-call]
    width, height = canvas.get_width_height()
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1)
    png = io.BytesIO()
    image = image.convert("RGB")
    ink(image, board.lines, DPI)
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours = few.getpalette() or []
    # The search for few colours leaves the ground a shade off white.
    ground = few.tobytes()[0]
    colours[3 * ground : 3 * ground + 3] = [255, 255, 255]
    few.putpalette(colours)
    few.save(png, format="png", compress_level=3, dpi=(DPI, DPI))
    return png.getvalue()


def render_all(
    specs: Mapping[str, Mapping[str, Any]], *, cache_dir: Path | None = None
) -> dict[str, Picture]:
    """Draw many descriptions in this process, each content once; those in *cache_dir* are not redrawn.

    Parameters
    ----------
    specs:
        Figure id → description.
    cache_dir:
        Folder of drawings by content key; a temporary one when None.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = cache_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        keys = {name: picture_key(spec) for name, spec in specs.items()}
        for name in sorted(specs):
            if not is_drawn(folder, keys[name]):
                store(folder, keys[name], render(specs[name]))
        return {name: load(folder, key) for name, key in keys.items()}


def is_drawn(folder: Path, key: str) -> bool:
    """Return whether a drawing is in the cache."""
    return (folder / f"{key}.svg").exists() and (folder / f"{key}.png").exists()


def load(folder: Path, key: str) -> Picture:
    """Return a drawing of the cache."""
    return Picture((folder / f"{key}.svg").read_bytes(), (folder / f"{key}.png").read_bytes())


def store(folder: Path, key: str, picture: Picture) -> None:
    """Put a drawing into the cache."""
    keep(folder, f"{key}.svg", picture.svg)
    keep(folder, f"{key}.png", picture.png)


def keep(folder: Path, name: str, data: bytes) -> None:
    """Write a file of the cache whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=folder, prefix=DRAFT)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(draft).replace(folder / name)
