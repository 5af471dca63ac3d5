"""The catalogues: both languages say the same things, with the same places to fill."""

from __future__ import annotations

import string

import pytest

from htx_pipeline.reference.actions import actions, limits, task_for
from htx_pipeline.report.words import Words, catalogue


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
