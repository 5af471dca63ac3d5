"""The catalogues: both languages say the same things, with the same places to fill."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pytest

from htx_pipeline.reference.actions import actions, limits, task_for
from htx_pipeline.report import publish
from htx_pipeline.report.blocks import Facts, Figure, Hidden, Page, Prose
from htx_pipeline.report.model import build_report
from htx_pipeline.report.words import Words, catalogue
from htx_pipeline.resolve.prices import split_impossible_prices


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_a_key_that_is_not_there_is_an_error_not_an_empty_sentence() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        Words("vi")("no.such.key")


def test_a_place_that_is_not_filled_is_an_error() -> None:
    with pytest.raises(KeyError, match="number"):
        Words("vi")("page.table")


def test_both_languages_have_the_same_keys_and_places() -> None:
    vi, en = catalogue("vi"), catalogue("en")
    assert sorted(vi) == sorted(en)
    different = {k: (places(vi[k]), places(en[k])) for k in vi if places(vi[k]) != places(en[k])}
    assert different == {}


def test_a_value_with_braces_is_printed_as_it_is() -> None:
    words = Words("vi")("gap.not_reported", n="2", names="{7*7} {x}")
    assert "{7*7} {x}" in words


def test_numbers_follow_the_language() -> None:
    assert [Words(lang).number(1234567.5, 1) for lang in ("vi", "en")] == ["1.234.567,5", "1,234,567.5"]  # fmt: skip
    assert [Words(lang).money(2.5e9) for lang in ("vi", "en")] == ["2,5 tỷ đồng", "2.5 billion VND"]
    assert [Words("en").count("linkage", n) for n in (1, 2)] == ["1 linkage", "2 linkages"]


def test_every_action_has_both_languages_a_dated_source_and_a_way_to_find_its_unit() -> None:
    for gap, action in actions().items():
        assert action.action_vi.strip(), gap
        assert action.action_en.strip(), gap
        assert action.valid_from.year >= 2018, gap
        assert action.task_indicators or action.task_keywords, gap
        assert not (action.is_own and action.is_verified), "our own suggestion is no verified rule"
    assert not any(limit.is_verified for limit in limits().values())


def test_a_task_for_another_place_never_fits() -> None:
    elsewhere = [{"task_number": "1", "task": "x", "department": "Sở A", "locality": "Huyện X", "indicator": "offtake_share"}]  # fmt: skip
    assert task_for(actions()["one_buyer"], elsewhere, locality="Huyện Y") is None


def test_a_task_fits_by_indicator_before_keyword_and_by_place_before_the_whole() -> None:
    def task(number: str, words: str, place: str, indicator: str | None, department: str | None = "Sở") -> dict:  # fmt: skip
        return {"task_number": number, "task": words, "department": department, "locality": place, "indicator": indicator}  # fmt: skip

    rows = [
        task("1", "Hỗ trợ tiêu thụ", "Toàn tỉnh", None),
        task("9", "x", "Toàn tỉnh", "offtake_share"),
        task("10", "x", "Huyện Y", "offtake_share"),
        task("0", "x", "Huyện Y", "offtake_share", None),
    ]
    action = actions()["one_buyer"]
    found = task_for(action, rows, locality="Huyện Y")
    assert found is not None
    assert found["task_number"] == "10"
    assert task_for(action, rows[::-1], locality="Huyện Y") == found, "the order of rows is nothing"
    whole = task_for(action, rows, locality="Huyện Z")
    assert whole is not None
    assert whole["task_number"] == "9"


def test_a_keyword_is_found_as_whole_words_only() -> None:
    rows = [{"task_number": "1", "task": "Phát triển giống mới", "department": "Sở A", "locality": None, "indicator": None}]  # fmt: skip
    assert task_for(actions()["stage_missing.inputs"], rows, locality=None) is not None
    rows[0]["task"] = "Tương giốngx"
    assert task_for(actions()["stage_missing.inputs"], rows, locality=None) is None


YEAR = re.compile(r"(19|20)\d\d")
UNBROKEN = re.compile(r"(?<![\d.,/\-])\d{4,}(?![\d/]|[.,]\d)")
"""Four digits and more without a mark between thousands, that are no date, year or code."""


def sentences(page: Page) -> Iterator[str]:
    """Yield everything a page says in words: sentences, headings, notes, labels, pictures' words."""
    for section in page.sections:
        yield section.title
        for block in section.blocks:
            if isinstance(block, Prose):
                yield from (*block.paragraphs, *block.leads)
            elif isinstance(block, Facts):
                yield from (s for f in block.items for s in (f.value, f.detail, f.change))
                yield from block.notes
            else:
                table = block.data if isinstance(block, Figure) else block
                yield from (
                    block.title,
                    *block.notes,
                    *table.notes,
                    *(f.label for f in table.all_fields),
                )
                yield block.source.line if block.source else ""
                if isinstance(block, Figure):
                    yield block.alt
                    yield from texts_in(block.spec)


def texts_in(spec: Any) -> Iterator[str]:
    """Yield the texts that are written in a picture: its labels and words, not the names of its parts."""
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if key not in ("id", "code", "gid", "marks", "path", "d"):
                yield from texts_in(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            yield from texts_in(value)
    elif isinstance(spec, str):
        yield spec


def test_no_number_in_running_text_lacks_its_mark_between_thousands(hand, options) -> None:
    frames = hand.province(coops=2400)
    report = build_report(frames, period="2024", options=options.model_copy(update={"has_english": True}))  # fmt: skip
    assert report.translations
    found, n = [], 0
    for page in (*report.pages, *report.translations):
        for words in sentences(page):
            n += bool(re.search(r"\d[.,]\d{3}(?!\d)", words))
            found += [(page.id, words) for m in UNBROKEN.finditer(words) if not YEAR.fullmatch(m[0])]  # fmt: skip
    assert n > 50, "numbers past a thousand are in the text"
    assert found == []


@pytest.mark.parametrize(
    ("price", "vi", "en"),
    [(101_300_000, "cao gấp 1.013 lần", "1,013 times above"), (90_000_000, "cao gấp 900 lần", "900 times above")],
)  # fmt: skip
def test_the_reason_of_a_rejected_price_is_written_as_a_sentence_has_it(price, vi, en) -> None:
    n = 9
    rows = pl.DataFrame(
        {"product_code": ["coffee"] * n, "contracted_tonnes": [1.0] * n, "contracted_value_vnd": [100_000] * (n - 1) + [price],
         "paid_value_vnd": [None] * n, "delivered_tonnes": [None] * n, "source_id": [f"x:{i}" for i in range(n)],
         "source_file": ["f"] * n, "source_sheet": ["s"] * n, "source_row": range(n)},
        schema_overrides={"paid_value_vnd": pl.Int64, "delivered_tonnes": pl.Float64},
    )  # fmt: skip
    (found,) = split_impossible_prices(rows)[2].iter_rows(named=True)
    assert vi in found["reason_vi"]
    assert en in found["reason_en"]


def test_the_lowest_class_of_size_has_no_lower_end() -> None:
    low, middle, high = Hidden(0, 5e8), Hidden(5e8, 1e9), Hidden(1e12)
    assert [h.words(scale=1e9) for h in (low, middle, high)] == [
        "dưới\xa00,5",
        "0,5–1",
        "≥\xa01.000",
    ]
    assert low.words(scale=1e9, lang="en") == "below\xa00.5"
    assert publish._class_words(low, "0,3 tỷ đồng") == "dưới\xa00,5 tỷ đồng"
