"""Vietnamese syllables: telling a word that could be one from a word that could not.

What belongs here: onsets, rhymes, tones and where a tone mark stands, micro units and abbreviations. What
does not: charsets (`charset_detect`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

ONSET: Final = "ngh|ng|nh|gh|gi|kh|ch|ph|qu|th|tr|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x"
_OPEN: Final = (
    "oai|oay|uây|uyu|iêu|yêu|oao|oeo|ươi|ươu|uôi|uya|uêu"
    "|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|oa|oe|oi|ôi|ơi|oo|ua|uê|ui|uơ|uy|ưa|ưi|ưu"
    "|a|e|ê|i|o|ô|ơ|u|ư|y"
)
_CLOSED: Final = {
    "m": "uyê|iê|yê|uô|ươ|oa|oă|oe|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "n": "uyê|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "ng": "iê|yê|uô|ươ|oa|oă|uâ|oo|a|ă|â|e|o|ô|u|ư",
    "nh": "oa|uê|uy|a|ê|i|y",
    "p": "iê|yê|ươ|oa|oă|uâ|uy|a|ă|â|e|ê|i|o|ô|ơ|u",
    "t": "uyê|iê|yê|uô|ươ|oa|oă|oe|uâ|uê|uy|a|ă|â|e|ê|i|o|ô|ơ|u|ư",
    "c": "iê|yê|uô|ươ|oa|oă|oo|uâ|a|ă|â|e|o|ô|u|ư",
    "ch": "oa|uê|uy|a|ê|i|y",
    "k": "a|ă|e|ê|i|o|ô|u",  # Central Highlands names: Đăk, Ngọk, Pék
}
_SYLLABLE: Final = re.compile(
    rf"(?P<onset>{ONSET})?(?:(?P<open>{_OPEN})|"
    + "|".join(f"(?P<n_{coda}>{nuclei})(?P<{coda}>{coda})" for coda, nuclei in _CLOSED.items())
    + ")"
)
TONE_MARKS: Final = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
_STOPS: Final = ("p", "t", "c", "ch")
MICRO_UNITS: Final = frozenset({"µm", "µg", "µl", "µL", "µs", "µmol"})
LOWER_ABBREVIATIONS: Final = frozenset(
    {"kg", "km", "cm", "mm", "dm", "ml", "gr", "gs", "ts", "ths", "tp", "tr", "tx", "tt", "nn"}
    | {"ptnt", "vnd", "tnhh", "htx", "ubnd", "đ", "d", "m", "g", "h", "l", "t", "s", "x", "k", "p"}
)


@lru_cache(maxsize=1 << 16)
def is_syllable(word: str) -> bool:
    """Whether a word is spelt as a Vietnamese syllable.

    One tone at most, on a vowel that carries it in either style (hoà, hòa); a stop at the end takes
    sắc or nặng; all lower, all upper, or a capital first, as no font mixes them otherwise.

    Examples
    --------
    >>> [is_syllable(w) for w in ("phường", "phờng", "ViÖt", "xaõ", "Đăk", "Coopérative")]
    [True, False, False, False, True, False]
    """
    if not (word.islower() or word.isupper() or (word[:1].isupper() and word[1:].islower())):
        return False
    bare, tones = "", []
    for letter in unicodedata.normalize("NFC", word.lower()):
        marks = unicodedata.normalize("NFD", letter)
        tone = [c for c in marks if c in TONE_MARKS]
        tones += [(len(bare), c) for c in tone]
        bare += unicodedata.normalize("NFC", "".join(c for c in marks if c not in TONE_MARKS))
    match = _SYLLABLE.fullmatch(bare)
    if match is None or len(tones) > 1:
        return False
    coda = next((c for c in _CLOSED if match.group(c) is not None), "")
    if coda in _STOPS and (not tones or tones[0][1] not in ("\u0301", "\u0323")):
        return False
    if not tones:
        return True
    start = match.end("onset") if match.group("onset") else 0
    nucleus = match.group(f"n_{coda}") if coda else match.group("open")
    at = tones[0][0] - start
    return at < 0 or at in _tone_places(nucleus, is_closed=bool(coda))


def _tone_places(nucleus: str, *, is_closed: bool) -> tuple[int, ...]:
    """Positions in the vowels that may carry the tone."""
    marked = [i for i, c in enumerate(nucleus) if c in "ăâêôơư"]
    if marked:
        return (marked[-1],)
    if is_closed:
        return (len(nucleus) - 1,)
    if len(nucleus) == 3:
        return (1,)
    return (0, 1) if nucleus in ("oa", "oe", "uy") else (0,)
