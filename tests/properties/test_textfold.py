"""Text without marks does not depend on how it was typed, and keeps everything that is no mark."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htx_pipeline.textfold import without_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ĐẮK HOÀ", "DAK HOA"),
        ("Ngọk Tụ, Ia H'Drai", "Ngok Tu, Ia H'Drai"),
        ("ưỡ ượ ơ Ê", "uo uo o E"),
        ("  hai  dấu ", "  hai  dau "),
        ("Straße ð", "Straße ð"),
        ("", ""),
    ],
)
def test_only_marks_go(text: str, expected: str) -> None:
    assert without_marks(text) == expected


@given(st.text())
def test_composed_and_decomposed_text_give_the_same_and_twice_is_once(text: str) -> None:
    once = without_marks(text)
    assert once == without_marks(unicodedata.normalize("NFD", text))
    assert once == without_marks(unicodedata.normalize("NFC", text))
    assert once == without_marks(once)
    assert not any(unicodedata.combining(c) for c in once)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert without_marks(text) == text
