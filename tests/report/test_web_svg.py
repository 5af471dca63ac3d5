"""Drawings on a page: fewer bytes and elements, the same picture."""

from __future__ import annotations

import io
import math
import re
import shutil
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htx_pipeline.report.web_svg import as_circle, inline_svg, relative

HEAD = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 400 300">'
CIRCLE = "M 35 18 C 36.05 18 37.06 18.42 37.8 19.16 C 38.54 19.9 38.96 20.91 38.96 21.96 C 38.96 23.01 38.54 24.02 37.8 24.76 C 37.06 25.5 36.05 25.92 35 25.92 C 33.95 25.92 32.94 25.5 32.2 24.76 C 31.46 24.02 31.04 23.01 31.04 21.96 C 31.04 20.91 31.46 19.9 32.2 19.16 C 32.94 18.42 33.95 18 35 18 z"


def drawn(inside: str) -> bytes:
    return HEAD + inside.encode() + b"</svg>"


def ends(d: str) -> list[tuple[float, float]]:
    """Return the points a relative path goes through, worked out by the rules of SVG."""
    at = start = (0.0, 0.0)
    found = []
    for command, words in re.findall(r"([a-z])([^a-z]*)", d):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", words)]
        if command == "z":
            at = start
        elif command in "hv":
            for n in numbers:
                at = (at[0] + n, at[1]) if command == "h" else (at[0], at[1] + n)
                found.append(at)
        else:
            size = {"m": 2, "l": 2, "q": 4, "c": 6}[command]
            for i in range(0, len(numbers), size):
                at = (at[0] + numbers[i + size - 2], at[1] + numbers[i + size - 1])
                if command == "m" and i == 0:
                    start = at
                found.append(at)
    return found


numbers = st.floats(-2000, 2000, allow_nan=False).map(lambda v: round(v, 4))


@given(st.lists(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), min_size=1, max_size=4))  # fmt: skip
def test_no_point_of_a_path_moves_by_more_than_half_a_tenth(parts) -> None:
    d = " ".join(
        " ".join(f"{'L' if i else 'M'} {x} {y}" for i, (x, y) in enumerate(part)) + " z"
        for part in parts
    )
    for (x, y), (px, py) in zip(ends(relative(d)), [p for part in parts for p in part], strict=True):  # fmt: skip
        assert abs(x - px) <= 0.0501
        assert abs(y - py) <= 0.0501


def test_curves_end_where_they_ended() -> None:
    d = "M 10 10 C 20 0 30 0 40 10 Q 50 20 60 10 L 60 30 z M 5 5 L 6 6"
    for found, told in zip(ends(relative(d)), [(10, 10), (40, 10), (60, 10), (60, 30), (5, 5), (6, 6)], strict=True):  # fmt: skip
        assert found == pytest.approx(told)


def test_a_path_that_is_not_understood_stays_as_it_is() -> None:
    for d in ("M 0 0 A 5 5 0 0 1 10 10", "m 1 1 l 2 2", "M 0 0 H 4"):
        assert relative(d) == d


def test_only_a_circle_becomes_a_circle() -> None:
    assert as_circle(relative(CIRCLE)) == {"cx": "35", "cy": "22", "r": "4"}
    oval = re.sub(r"(\d+\.?\d*) (\d+\.?\d*)", lambda m: f"{m[1]} {float(m[2]) * 2}", CIRCLE)
    assert as_circle(relative(oval)) is None
    star = " ".join(
        f"C 0 0 0 0 {9 * math.cos(i) * (1 + i % 2)} {9 * math.sin(i)}" for i in range(8)
    )
    assert as_circle(relative(f"M 9 0 {star} z")) is None


def test_two_pictures_on_a_page_share_no_id_and_no_style() -> None:
    svg = drawn(
        '<defs><path id="m" d="M 0 0 L 1 1"/><clipPath id="c"><rect width="9" height="9"/></clipPath></defs>'
        '<g id="commune-1" clip-path="url(#c)"><use xlink:href="#m" style="fill: #fff"/>'
        '<use xlink:href="#m" style="fill: #fff"/></g><g id="axes_1"><g id="p"/></g>'
    )
    one = str(inline_svg(svg, prefix="a", kept=frozenset({"commune-1"}), classes="s1-"))
    two = str(inline_svg(svg, prefix="b", kept=frozenset({"commune-1"}), classes="s2-"))
    ids = [set(re.findall(r' id="([^"]+)"', m)) for m in (one, two)]
    assert ids[0] == {"a-m", "a-c", "a-commune-1"}
    assert not ids[0] & ids[1]
    assert set(re.findall(r"#([\w-]+)", one)) == {"a-m", "a-c", "fff"}
    styles = [set(re.findall(r"\.([\w-]+)\{", m)) for m in (one, two)]
    assert styles[0]
    assert not styles[0] & styles[1]


def test_words_stay_words_whatever_they_are() -> None:
    said = 'Đăk Hà <b>&amp; "46"'
    svg = drawn(f'<g id="text_1"><text x="1.23456" y="2" transform="rotate(-0 1.2 2)">{said.replace("<", "&lt;")}</text></g>')  # fmt: skip
    made = ET.fromstring(str(inline_svg(svg, prefix="p")))
    text = made.find("text")
    assert text is not None
    assert text.text == said.replace("&amp;", "&")
    assert text.attrib == {"x": "1.2", "y": "2"}


def test_a_turned_text_stays_turned() -> None:
    svg = drawn('<text transform="translate(4 5) rotate(-90)">a</text><text transform="rotate(-45 1 2)">b</text>')  # fmt: skip
    assert str(inline_svg(svg, prefix="p")).count("transform=") == 2


@pytest.mark.skipif(shutil.which("chromium") is None, reason="No Chromium here: apt-get install chromium.")  # fmt: skip
def test_every_kind_of_picture_looks_the_same_in_half_the_bytes(edition) -> None:
    from PIL import Image, ImageChops, ImageStat
    from playwright.sync_api import sync_playwright

    names = [n for n in sorted(edition.paths) if n.startswith("hinh/") and n.endswith(".svg")]
    kinds = {re.sub(r"-(cum|dia-ban|tong).*", "", n): n for n in names}
    assert len(kinds) >= 3
    style = "margin:0;background:#fff;stroke-linejoin:round;stroke-linecap:butt"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])  # fmt: skip
        page = browser.new_page(viewport={"width": 900, "height": 900})
        for name in kinds.values():
            svg = edition.paths[name].read_bytes()
            before = svg.decode()[svg.decode().index("<svg") :]
            brief = str(inline_svg(svg, prefix="p"))
            shots = []
            for markup in (before, brief):
                page.set_content(f'<!doctype html><body style="{style}">{markup}')
                shots.append(Image.open(io.BytesIO(page.screenshot())).convert("L"))
            assert shots[0].getextrema() != (255, 255), "there is something to see"
            assert ImageStat.Stat(ImageChops.difference(*shots)).mean[0] < 1, name
            assert len(brief) < 0.5 * len(svg), name
            assert brief.count("<") < before.count("<"), name
        browser.close()
