"""The pages of the measures: complete, their examples true, their pictures drawn from the measures."""

from __future__ import annotations

import dataclasses
import doctest
import functools
import importlib
import inspect
import math
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

import htx_pipeline.clusters
import htx_pipeline.metrics

PAGES = Path(__file__).parents[2] / "docs" / "metrics"
PARTS = ("Definition", "Example", "Use", "Caveat", "Source")
WITHOUT_PICTURE = {"Asking the network"}
"""A section on commands, not on a measure."""
SOURCE = re.compile(
    r"doi:10\.|ISBN|Nghị định \d|Nghị quyết \d|Thông tư \d|Quyết định \d|Luật \w|\b(1[89]|20)\d\d\b"
)
"""What a source names: a DOI, a book, a document of law, or a paper without a DOI by its year."""
PARTS_OF_MEASURES = {
    "stage_balance": "chain_flows", "current_communes": "communes", "minimum_cut": "bottlenecks",
    "min_match_jaccard": "lineage", "count_measures": "coverage", "all_measures": "indicators",
    "from_totals": "indicators", "indicators": "coverage", "participation": "coverage", "totals": "coverage",
    "measure_frame": "coverage", "measured": "coverage", "coverage_measures": "coverage",
    "official_measures": "official_rates", "execution_measures": "execution", "subtree_sizes": "bridges",
    "arrival_days": "reporting_roster", "missing_that_reported_before": "reporting_roster",
    "partition": "communities", "null_sum": "clusters", "part_of": "clusters", "with_clusters": "clusters", "inside_of": "clusters",
    "named": "clusters", "composition": "clusters", "sums": "clusters", "executed_share": "clusters",
    "is_execution_told": "clusters",
}  # fmt: skip
"""Public functions that are a step of a measure, not one: what they are a step of."""
WORDS = {
    w: n
    for n, w in enumerate(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=2
    )
}


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    root = str(PAGES.parents[1])
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module("docs.pictures")


def pages() -> list[Path]:
    return sorted(p for p in PAGES.glob("*.md") if p.name != "index.md")


def sections() -> dict[str, str]:
    """Return every section of every page by the picture it shows."""
    made = {}
    for page in pages():
        for section in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            for name in re.findall(r"\(img/(\w+)\.svg\)", section):
                made[name] = section
    return made


def measures() -> dict[str, Callable[..., Any]]:
    """Return every public function of the measures and of the clusters that is no step of another."""
    found = {}
    for package in (htx_pipeline.metrics, htx_pipeline.clusters):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.startswith("_"):
                continue
            name = f"{package.__name__}.{module.name}"
            for key, value in vars(importlib.import_module(name)).items():
                if inspect.isfunction(value) and value.__module__ == name and key[0] != "_":
                    found[key] = value
    return {k: v for k, v in found.items() if k not in PARTS_OF_MEASURES}


def numbers_in(value: Any) -> Iterator[float]:
    """Yield the numbers of what a measure was given or gave: cells, counts of rows, codes in names."""
    if isinstance(value, (pl.DataFrame, pl.LazyFrame)):
        frame = value.lazy().collect()
        yield frame.height
        for column in frame:
            yield from numbers_in(column.explode() if column.dtype == pl.List else column)
    elif isinstance(value, pl.Series):
        values = value.drop_nulls().unique()
        if value.dtype.is_numeric():
            yield from (float(v) for v in values)
            yield float(value.sum())
        else:
            yield values.len()
            for v in values:
                yield from numbers_in(v)
    elif isinstance(value, np.ndarray):
        yield from (float(v) for v in value.ravel())
        yield from (float(v) for v in value.sum(axis=0).ravel())
    elif isinstance(value, date):
        yield from (value.year, value.day)
    elif isinstance(value, str):
        yield from (float(n) for n in re.findall(r"\d+", value))
    elif isinstance(value, (bool, type(None))):
        return
    elif isinstance(value, (int, float)):
        yield float(value)
    elif isinstance(value, dict):
        for v in value.values():
            yield from numbers_in(v)
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from numbers_in(v)
    elif dataclasses.is_dataclass(value):
        yield from numbers_in(list(vars(value).values()))


def heard(made: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, set[str], set[float]]:
    """Draw a picture; return it, the measures that were called, and the numbers that went in and came out."""
    called: set[str] = set()
    numbers: set[float] = set()

    def listener(measure: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(measure)
        def call(*args: Any, **kwargs: Any) -> Any:
            called.add(measure.__name__)
            back = measure(*args, **kwargs)
            numbers.update(numbers_in([args, kwargs, back]))
            return back

        return call

    wrapped = {measure: listener(measure) for measure in made.measures}
    with monkeypatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith(("htx_pipeline.", "docs.drawn.")):
                for key, value in list(vars(module).items()):
                    if inspect.isfunction(value) and value in wrapped:
                        patch.setattr(module, key, wrapped[value])
        drawn = made.draw()
    return drawn, called, {abs(n) for n in numbers if math.isfinite(n)}


def strays(said: str, numbers: set[float]) -> list[str]:
    """Return the numbers of a text that are none of *numbers*: as such, rounded, a share in percent, millions."""
    words = [str(WORDS[w]) for w in re.findall(r"[a-z]+", said.lower()) if w in WORDS]
    shares = {n * 100 for n in numbers if n <= 1}
    large = {n * s for n in numbers if n >= 1e6 for s in (1e-6, 1e-9)}
    wrong = []
    for word in [*re.findall(r"\d+(?:\.\d+)?", said.replace(",", "")), *words]:
        decimals = len(word.partition(".")[2])
        rounded = {
            round(n, decimals) for n in (numbers | shares | large if decimals else shares | large)
        }
        if float(word) not in numbers | rounded:
            wrong.append(word)
    return wrong


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


def test_no_public_measure_is_without_a_picture_a_section_and_a_source(
    pictures: ModuleType,
) -> None:
    shown = {m: name for name, made in pictures.pictures().items() for m in made.measures}
    told = sections()
    known = measures()
    assert not [key for key, measure in known.items() if measure not in shown]
    for key, measure in known.items():
        section = told[shown[measure]]
        source = section.partition("**Source.**")[2]
        assert SOURCE.search(source), f"{key}: no source"
    for step, whole in PARTS_OF_MEASURES.items():
        assert whole in known or whole in PARTS_OF_MEASURES, step


def test_a_page_names_each_measure_it_shows(pictures: ModuleType) -> None:
    for name, made in pictures.pictures().items():
        page = next(p for p in pages() if f"img/{name}.svg" in p.read_text("utf-8"))
        for measure in made.measures:
            assert re.search(rf"\b{measure.__name__}\b", page.read_text("utf-8")), (name, measure.__name__)  # fmt: skip


def test_every_number_of_a_picture_and_of_its_caption_is_the_measures(
    pictures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {}
    for name, made in pictures.pictures().items():
        assert made.measures, name
        drawn, called, numbers = heard(made, monkeypatch)
        assert called >= {m.__name__ for m in made.measures}, name
        (caption,) = re.findall(
            rf"^!\[(.+)\]\(img/{name}\.svg\)$", sections()[name], flags=re.MULTILINE
        )
        texts = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn))
        if stray := strays(f"{texts} {caption}", numbers):
            wrong[name] = stray
    assert not wrong


def test_a_wrong_number_in_a_caption_is_noticed(
    pictures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, numbers = heard(pictures.pictures()["hhi"], monkeypatch)
    assert not strays("4 buyers with 30 and 20 percent: 0.26", numbers)
    assert strays("five buyers: 0.27", numbers) == ["0.27", "5"]
