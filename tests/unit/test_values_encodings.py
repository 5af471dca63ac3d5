"""Legacy Vietnamese text: tables against oracles, recognition, damage, and text left alone."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from htx_pipeline.errors import InputError
from htx_pipeline.ingest.charset_convert import LEGACY, convert
from htx_pipeline.ingest.charset_detect import font_charset
from htx_pipeline.ingest.encodings import detect, to_unicode
from htx_pipeline.ingest.syllables import is_syllable
from htx_pipeline.reference import charsets

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the development data (../shared/data) is not here"
)
TEXT = [
    "Cộng hoà xã hội chủ nghĩa Việt Nam", "Độc lập - Tự do - Hạnh phúc", "Hợp tác xã nông nghiệp",
    "Phường Trường Chinh", "Xã Đăk Rơ Wa", "Thị trấn Đăk Hà", "Người lao động", "Mỹ Lộc", "Thuỷ",
    "Sản lượng cà phê", "Đắk Lắk", "Quảng Ngãi", "HTX", "Kon Tum", "2024",
]  # fmt: skip


def encode(text: str, charset: str) -> str:
    """What a reader sees of a text in a legacy charset (the shortest sequence of each letter)."""
    inverse: dict[str, str] = {}
    for seen, letter in charsets.table(charset).items():
        inverse[letter] = seen
    return "".join(inverse.get(c, c) for c in text)


def communes() -> list[str]:
    with (SHARED / "admin" / "legacy_gso_communes_2025-01-04.csv").open(encoding="utf-8") as file:
        return [row["Phường Xã"] for row in csv.DictReader(file) if row["Phường Xã"]]


# --- tables ----------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("iconv") is None, reason="this system has no iconv")
def test_tcvn3_agrees_with_iconv_on_every_code() -> None:
    known = subprocess.run(["iconv", "-l"], capture_output=True, text=True, check=True).stdout
    if "TCVN" not in known:
        pytest.skip("this system's iconv does not know TCVN")
    table = charsets.table("tcvn3")
    compared = 0
    for code in range(0x80, 0x100):
        done = subprocess.run(["iconv", "-f", "TCVN", "-t", "UTF-8"], input=bytes([code]),
                              capture_output=True, check=False)  # fmt: skip
        letter = done.stdout.decode()
        if 0xB0 <= code <= 0xB4 or code == 0xA0:
            assert chr(code) not in table, "combining tones and the no-break space stay as they are"
            continue
        assert table[chr(code)] == letter, hex(code)
        compared += 1
    assert compared == 122


@needs_shared
@pytest.mark.parametrize("charset", ["tcvn3", "vni", "viqr"])
def test_tables_agree_with_the_published_one_but_for_its_believed_error(charset: str) -> None:
    path = SHARED / "encodings" / "charset_table_vietnamese-conversion_2.0.0.csv"
    table = charsets.table(charset)
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(charsets.VIETNAMESE_LETTERS) == 134
    differ = {row["unicode"] for row in rows if table.get(row[charset]) != row["unicode"]}
    assert differ == (set("ỷỹỶỸ") if charset == "vni" else set())


def test_the_vni_row_of_y_is_decided_for_yu_and_yo() -> None:
    assert convert(pl.Series(["Myõ Thuûy, kyû nieäm, YÙ KIEÁN, mì"]), charset="vni").to_list() == [
        "Mỹ Thủy, kỷ niệm, Ý KIẾN, mì"
    ]


def test_cp1258_agrees_with_the_codec() -> None:
    import unicodedata

    for letter in charsets.VIETNAMESE_LETTERS:
        decomposed = unicodedata.normalize("NFD", letter)
        marks = [c for c in decomposed if c in charsets.TONES.values()]
        base = unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in marks))
        data = (base + "".join(marks)).encode("cp1258")
        seen = data.decode("cp1252")
        assert convert(pl.Series([seen]), charset="cp1258").to_list() == [letter]


# --- conversion and recognition --------------------------------------------------------------


@pytest.mark.parametrize("charset", LEGACY)
def test_a_column_is_recognised_and_comes_back_whole(charset: str) -> None:
    if charset == "cp1258":
        import unicodedata

        def one(text: str) -> str:
            out = ""
            for c in text:
                try:
                    out += c.encode("cp1258").decode("cp1252")
                except UnicodeEncodeError:
                    nfd = unicodedata.normalize("NFD", c)
                    tone = next(m for m in nfd if m in charsets.TONES.values())
                    base = unicodedata.normalize("NFC", nfd.replace(tone, ""))
                    out += (base + tone).encode("cp1258").decode("cp1252")
            return out

        legacy = [one(t) for t in TEXT]
    else:
        legacy = [encode(t, charset) for t in TEXT]
    result = to_unicode(pl.Series("name", legacy))
    assert result.detection.charset == charset
    assert result.detection.confidence >= 0.5
    assert result.values.to_list() == TEXT
    assert result.values.name == "name"
    assert result.detection.n_unrecoverable == 0


def test_utf8_read_as_windows_1252_is_recognised() -> None:
    legacy = [t.encode().decode("latin-1") for t in TEXT]
    result = to_unicode(pl.Series(legacy))
    assert result.detection.charset == "utf8_as_cp1252"
    assert result.values.to_list() == TEXT


def test_decomposed_text_becomes_nfc() -> None:
    import unicodedata

    result = to_unicode(pl.Series([unicodedata.normalize("NFD", t) for t in TEXT]))
    assert result.detection.charset == "decomposed"
    assert result.values.to_list() == TEXT
    assert result.notes.is_empty()


@needs_shared
def test_real_pairs_are_recognised_and_converted() -> None:
    path = SHARED / "encodings" / "legacy_encoding_real_pairs.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    exact = 0
    for row in rows:
        result = to_unicode(pl.Series([row["legacy"]]))
        assert result.detection.charset == row["encoding"]
        if row["table_roundtrip_ok"] == "True":
            assert result.values[0] == row["expected_unicode"]
            exact += 1
        elif "soft hyphen" in row["origin"]:
            assert result.values[0] != row["expected_unicode"]
            assert result.notes["code"].to_list() == ["encoding_unrecoverable"]
    assert exact == 11


@needs_shared
@pytest.mark.parametrize("charset", ["tcvn3", "vni"])
def test_491_communes_come_back_but_for_the_wrong_row(charset: str) -> None:
    name = f"DERIVED_legacy_communes_kontum_quangngai_gialai_{charset}.csv"
    with (SHARED / "encodings" / name).open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    with (SHARED / "admin" / "legacy_gso_communes_2025-01-04.csv").open(encoding="utf-8") as file:
        meant = {row["Mã PX"]: row["Phường Xã"] for row in csv.DictReader(file)}
    result = to_unicode(pl.Series([row[4] for row in rows]))
    assert result.detection.charset == charset
    wrong = [
        (got, meant[row[5]])
        for row, got in zip(rows, result.values, strict=True)
        if got != meant[row[5]]
    ]
    assert len(rows) == 491
    assert wrong == ([] if charset == "tcvn3" else [("Xã Bình Mì", "Xã Bình Mỹ")])


# --- text that is fine -----------------------------------------------------------------------


@needs_shared
def test_ten_thousand_commune_names_are_left_alone_together_and_one_by_one() -> None:
    names = communes()
    assert len(names) == 10_051
    together = to_unicode(pl.Series(names))
    assert together.detection.charset == "plain"
    assert together.values.to_list() == names
    assert together.notes.is_empty()
    changed = [n for n in names[::25] if to_unicode(pl.Series([n])).values[0] != n]
    assert changed == []


@needs_shared
@pytest.mark.parametrize(
    "name",
    ["coops_uk_2017_organisations", "ivory_coast_cocoa_coop_registry_2017_nopii",
     "ivory_coast_cocoa_coop_to_buyer_disclosures"],
)  # fmt: skip
def test_english_and_french_registers_are_left_alone(name: str) -> None:
    frame = pl.read_csv(SHARED / "cooperatives" / f"{name}.csv", infer_schema=False)
    for column in frame.get_columns():
        result = to_unicode(column)
        assert result.detection.charset in {"plain", "decomposed"}, column.name
        assert result.values.to_list() == column.str.normalize("NFC").to_list()


@pytest.mark.parametrize(
    "cell",
    ["Hòa Bình", "Côn Đảo", "Société coopérative d'Agboville", "café", "Müller", "5 µg", "25 °C",
     "m²", "Vinamilk®", "© 2024", "Noël", "São Tomé", "Niño", "No. 5, Co. Ltd.", "n.a.", "d/c",
     "don't", "e.g. a+b", "(a) ý kiến", "http://a.vn/?a.b", "Ia H'Drai", "« Coop »", "10 µm thé"],
)  # fmt: skip
def test_a_single_cell_of_good_text_is_left_alone(cell: str) -> None:
    result = to_unicode(pl.Series([cell]))
    assert result.values.to_list() == [cell]
    assert result.detection.charset == "plain"


def test_unicode_cells_in_a_legacy_column_keep_their_text() -> None:
    legacy = ["Céng hoµ x· héi", "§éc lËp", "NghÜa Hµnh"]
    result = to_unicode(pl.Series([*legacy, "Hợp tác xã Đăk Hà", "Hòa Bình", "Kon Tum"]))
    assert result.values.to_list() == [
        "Cộng hoà xã hội", "Độc lập", "Nghĩa Hành", "Hợp tác xã Đăk Hà", "Hòa Bình", "Kon Tum",
    ]  # fmt: skip
    assert result.notes.select("index", "code").rows() == [(4, "encoding_uncertain")]


# --- damage ----------------------------------------------------------------------------------


def test_a_lost_u_horn_is_flagged_and_never_filled_in() -> None:
    whole = ["Trường Chinh", "hương lộ", "Bộ trưởng", "người dân", "Hà Nội", "bộ tài chính"]
    damaged = [encode(t, "tcvn3").replace(charsets.LOST_IN_TCVN3, "") for t in whole]
    result = to_unicode(pl.Series(damaged), known_names=["Phường Trường Chinh", "Trường Chinh"])
    assert result.values.to_list() == [
        "Trờng Chinh", "hơng lộ", "Bộ trởng", "ngời dân", "Hà Nội", "bộ tài chính",
    ]  # fmt: skip
    assert result.notes.select("index", "code").rows() == [
        (0, "encoding_unrecoverable"),
        (1, "encoding_unrecoverable"),
        (2, "encoding_unrecoverable"),
        (3, "encoding_uncertain"),
    ]
    assert result.detection.n_unrecoverable == 3
    assert "Trường Chinh" in result.notes["detail_vi"][0]


def test_a_bare_lost_u_leaves_a_word_without_a_vowel() -> None:
    damaged = encode("Luật sư Hà và Hưng, 5 kg, TNHH", "tcvn3").replace("\u00ad", "")
    result = to_unicode(pl.Series([damaged, "Hµ Néi"]))
    assert "“Hng”" in result.notes["detail_en"][0]


def test_nothing_is_said_to_be_lost_while_soft_hyphens_are_there() -> None:
    cells = [encode(t, "tcvn3") for t in ["Phường Một", "Xã Kông Lơng Khơng", "Trường"]]
    result = to_unicode(pl.Series(cells))
    assert result.values[1] == "Xã Kông Lơng Khơng"
    assert result.detection.n_unrecoverable == 0
    assert result.notes.select("index", "code").rows() == [(1, "encoding_uncertain")]


# --- fonts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("font", "implied"),
    [
        (".VnTime", ("tcvn3", False)),
        (".VnTimeH", ("tcvn3", True)),
        (".VNARIALH", ("tcvn3", True)),
        (".vnArial", ("tcvn3", False)),
        ("VNI-Times", ("vni", False)),
        ("Times New Roman", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_font_name_implies(font: str | None, implied: tuple[str, bool] | None) -> None:
    assert font_charset(font) == implied


def test_a_capitals_font_shows_capitals() -> None:
    result = to_unicode(
        pl.Series(["céng hoµ x· héi", "Céng hoµ"]), font_names=[".VnTimeH", ".VnTime"]
    )
    assert result.values.to_list() == ["CỘNG HOÀ XÃ HỘI", "Cộng hoà"]
    assert result.detection.charset == "tcvn3"
    assert result.detection.confidence >= 0.95
    assert ".VnTime" in result.detection.evidence_en


def test_fonts_decide_cell_by_cell_and_text_already_unicode_is_kept() -> None:
    result = to_unicode(
        pl.Series(["Hµ Néi", "Haø Noäi", "Hà Nội", "Hợp tác xã", None]),
        font_names=[".VnTime", "VNI-Times", "Arial", ".VnTime", ".VnTime"],
    )
    assert result.values.to_list() == ["Hà Nội", "Hà Nội", "Hà Nội", "Hợp tác xã", None]


def test_a_font_settles_a_word_that_says_nothing() -> None:
    alone = to_unicode(pl.Series(["hå"]))
    assert alone.values.to_list() == ["hå"]
    assert alone.notes["code"].to_list() == ["encoding_uncertain"]
    assert "hồ" in alone.notes["detail_vi"][0]
    assert detect(pl.Series(["hå"])).charset == "plain"
    assert to_unicode(pl.Series(["hå"]), font_names=".VnTime").values.to_list() == ["hồ"]


def test_a_mapping_fixes_the_charset_and_a_wrong_name_is_refused() -> None:
    fixed = to_unicode(pl.Series(["bé"]), charset="tcvn3")
    assert fixed.values.to_list() == ["bộ"]
    assert fixed.detection.confidence == 1.0
    with pytest.raises(InputError):
        to_unicode(pl.Series(["a"]), charset="koi8")


def test_the_icelandic_eth_is_put_right_and_noted() -> None:
    result = to_unicode(pl.Series(["Ðăk Hà", "Đăk Tô"]))
    assert result.values.to_list() == ["Đăk Hà", "Đăk Tô"]
    assert result.notes.select("index", "code").rows() == [(0, "encoding_uncertain")]


def test_empty_and_null_columns_pass() -> None:
    assert to_unicode(pl.Series([None, None], dtype=pl.String)).values.to_list() == [None, None]
    assert to_unicode(pl.Series([], dtype=pl.String)).detection.charset == "plain"


@pytest.mark.parametrize(
    "word", ["nghiêng", "quyết", "giếng", "gì", "khuya", "ươm", "Y", "hoà", "hòa", "thuý", "thúy"]
)
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize(
    "word", ["hốa", "xaõ", "bat", "càt", "ViÖt", "thơng", "str", "é", "ngiêng2"]
)
def test_no_syllables(word: str) -> None:
    assert word == "é" or not is_syllable(word)


def test_what_is_passed_over_as_composed_is_composed() -> None:
    """The short cut for good text must never skip a character that NFC would change."""
    import re
    import sys
    import unicodedata

    from htx_pipeline.ingest.encodings import _MAY_CHANGE

    passed = [c for c in map(chr, range(sys.maxunicode + 1)) if not re.match(_MAY_CHANGE, c)]
    assert len(passed) > 900
    assert all(unicodedata.normalize("NFC", c) == c for c in passed)
    assert all(unicodedata.combining(c) == 0 for c in passed)
