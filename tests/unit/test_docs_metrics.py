"""The pages of the measures: complete, their examples true, their pictures drawn from the measures."""

from __future__ import annotations

import doctest
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "metrics"
PARTS = ("Definition", "Example", "Use", "Caveat", "Source")
WITHOUT_PICTURE = {"Asking the network"}
"""A section on commands, not on a measure."""


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    root = str(PAGES.parents[1])
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module("docs.pictures")


def pages() -> list[Path]:
    return sorted(p for p in PAGES.glob("*.md") if p.name != "index.md")


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.stem)
def test_every_measure_has_a_picture_and_five_parts_in_order(page: Path) -> None:
    sections = re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert sections
    for section in sections:
        name = section.splitlines()[0]
        if name in WITHOUT_PICTURE:
            continue
        assert re.findall(r"^\*\*(\w+)\.\*\*", section, flags=re.MULTILINE) == list(PARTS), name
        (picture,) = re.findall(r"^!\[.+\]\((img/\w+\.svg)\)$", section, flags=re.MULTILINE)
        assert (PAGES / picture).is_file(), name


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.stem)
def test_the_examples_of_a_page_are_true(page: Path) -> None:
    text = re.sub(r"^```.*$", "", page.read_text("utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    assert examples.examples
    told: list[str] = []
    doctest.DocTestRunner().run(examples, out=told.append)
    assert not told, "".join(told)


def test_the_pictures_are_what_the_measures_say_to_the_byte(pictures: ModuleType) -> None:
    made = pictures.files()
    assert {p.name for p in made} == {p.name for p in (PAGES / "img").iterdir()}
    for path, text in made.items():
        assert path.read_bytes().replace(b"\r\n", b"\n") == text.encode(), path.name
        assert len(text.encode()) < 20_000


def test_every_picture_is_shown_and_every_page_is_listed() -> None:
    shown = {n for p in pages() for n in re.findall(r"img/(\w+\.svg)", p.read_text("utf-8"))}
    assert shown == {p.name for p in (PAGES / "img").iterdir()}
    index = (PAGES / "index.md").read_text("utf-8")
    assert all(f"({p.name})" in index for p in pages())
