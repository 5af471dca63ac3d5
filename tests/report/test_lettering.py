"""Words of pictures: the same in SVG and PNG, where they were asked for, whatever the order of drawing."""

from __future__ import annotations

import io
import re
import unicodedata

import numpy as np
import pytest
from PIL import Image

from htx_pipeline.report.drawing import canvas, font_of, put, write, write_lines
from htx_pipeline.report.figures import DPI, png_of, svg_of
from htx_pipeline.report.lettering import Font, ink, line_at, width_of, with_words

WORDS = "Hợp tác xã Ngọc Réo"


def inked(board) -> tuple[float, float, float, float]:
    """Return the box of what is dark in the PNG, in inches: left, top, right, bottom."""
    grey = np.asarray(Image.open(io.BytesIO(png_of(board))).convert("L"))
    down, across = np.nonzero(grey < 128)
    return tuple(v / DPI for v in (across.min(), down.min(), across.max() + 1, down.max() + 1))


@pytest.mark.parametrize("words", ["=1", "$a_1$", "a < b & c", 'nói "vâng"', "100 %"])
def test_words_are_written_literally(words: str) -> None:
    board = canvas(1.0)
    write(board, 1, 0.5, words, font_of(9))
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    assert f">{escaped}</text>" in svg_of(board).decode()


def test_no_words_leave_no_trace() -> None:
    board = canvas(0.5)
    assert "<text" not in svg_of(board).decode()
    write(board, 1, 0.2, "", font_of(9))
    assert Image.open(io.BytesIO(png_of(board))).convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize(("align", "share"), [("left", 0.0), ("center", 0.5), ("right", 1.0)])
def test_ink_stands_where_the_svg_anchors_it(align, share: float) -> None:
    board = canvas(1.0)
    write(board, 3.0, 0.5, WORDS, font_of(9), ha=align)
    left, _, right, _ = inked(board)
    wide = width_of(WORDS, font_of(9))
    assert left == pytest.approx(3.0 - share * wide, abs=0.03)
    assert right == pytest.approx(3.0 + (1 - share) * wide, abs=0.03)
    anchor = {"left": "start", "center": "middle", "right": "end"}[align]
    assert re.search(rf'text-anchor: {anchor}; [^>]*x="216" y="36">', svg_of(board).decode())


@pytest.mark.parametrize("stand", ["baseline", "center_baseline", "top", "bottom"])
def test_the_base_line_is_the_same_in_both(stand) -> None:
    board = canvas(1.0)
    write(board, 1.0, 0.5, "HEI", font_of(20), va=stand)
    _, _, _, bottom = inked(board)
    base = float(re.search(r'<text [^>]* y="([\d.]+)"', svg_of(board).decode())[1]) / 72
    assert bottom == pytest.approx(base, abs=2 / DPI)


def test_letters_of_one_line_share_a_base_line() -> None:
    # Words are inked one by one: one with a hook above or a tail below must not stand higher.
    bottoms = set()
    for word in ("xin", "Ấxin", "ếx", "1x"):
        board = canvas(1.0)
        write(board, 1.0, 0.5, word, Font(20))
        bottoms.add(round(inked(board)[3] * DPI))
    assert len(bottoms) == 1


def test_composed_and_decomposed_letters_are_the_same_picture() -> None:
    made = []
    for form in ("NFC", "NFD"):
        board = canvas(1.0)
        write(board, 1.0, 0.5, unicodedata.normalize(form, WORDS), font_of(9))
        made.append((svg_of(board), png_of(board)))
    assert made[0] == made[1]


def test_a_width_grows_with_the_words_the_size_and_the_weight() -> None:
    assert width_of("", Font(9)) == 0
    assert width_of("a b", Font(9)) > width_of("ab", Font(9)) > width_of("a", Font(9))
    assert width_of(WORDS, Font(18)) == pytest.approx(2 * width_of(WORDS, Font(9)))
    assert width_of(WORDS, Font(9, 600)) > width_of(WORDS, Font(9))


def test_a_width_is_that_of_the_whole_string_as_matplotlib_lays_it_out() -> None:
    from matplotlib.ft2font import FT2Font, LoadFlags

    from htx_pipeline.report.lettering import FAMILY, FILES, FONTS

    face = FT2Font(str(FONTS / FILES[FAMILY, 400]))
    face.set_size(100, 72)
    for words in (WORDS, "AVA To, 12.345,6 tỷ đồng", "Công ty TNHH (Kon Tum)"):
        face.set_text(words, 0.0, flags=LoadFlags.NO_HINTING)
        whole = face.get_width_height()[0] / 64 / 72
        assert width_of(words, Font(100)) == pytest.approx(whole, rel=0.02)


def test_words_lie_on_top_and_take_no_click() -> None:
    from matplotlib.patches import Rectangle

    board = canvas(1.0)
    write(board, 0.5, 0.5, "Trên", font_of(9))
    put(board, Rectangle((0, 0), 6, 1, facecolor="#cccccc", edgecolor="none", gid="nen"))
    svg = svg_of(board).decode()
    assert svg.index('id="nen"') < svg.index("<text")
    assert 'pointer-events="none"' in svg
    assert inked(board)[0] == pytest.approx(0.5, abs=0.03)


def test_a_ground_covers_what_is_under_the_words_and_no_more_than_they_need() -> None:
    from matplotlib.patches import Rectangle

    def light(ground: float | None) -> int:
        board = canvas(1.0)
        put(board, Rectangle((0.1, 0.1), 6.1, 0.8, facecolor="black", edgecolor="none"))
        write_lines(board, (3, 0.5), ["một", "hai"], font_of(9), "center", ground=ground)
        grey = np.asarray(Image.open(io.BytesIO(png_of(board))).convert("L"))
        return int((grey > 200).sum())

    covered = light(0.9) - light(None)
    assert 0.1 * 0.2 * DPI**2 < covered < 0.45 * 0.45 * DPI**2


def test_drawing_other_words_first_changes_nothing() -> None:
    def bytes_of(before: str) -> bytes:
        image = Image.new("RGB", (600, 100), "white")
        ink(Image.new("RGB", (600, 100)), [line_at(0, 0.2, before, Font(30, 600), color="red", align="left", stand="top")], 90)  # fmt: skip
        ink(image, [line_at(0.1, 0.2, WORDS, Font(9), color="#1a1a1a", align="left", stand="top")], DPI)  # fmt: skip
        return image.tobytes()

    assert bytes_of("a") == bytes_of("Hợp Réo 123")


def test_what_xml_cannot_hold_is_left_out() -> None:
    line = line_at(0, 0, "a\x0bb", Font(9), color="#000000", align="left", stand="baseline")
    assert ">ab</text>" in with_words("<svg></svg>", [line])
