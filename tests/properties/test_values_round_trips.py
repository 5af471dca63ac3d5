"""Whatever is written in a convention is read back exactly; what is read does not depend on order."""

from __future__ import annotations

import datetime as dt
import string
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from htx_pipeline.ingest.charset_convert import LEGACY, convert
from htx_pipeline.ingest.dates import parse_dates, reporting_period, reporting_year
from htx_pipeline.ingest.encodings import to_unicode
from htx_pipeline.ingest.names import fold, fold_org
from htx_pipeline.ingest.numbers import parse_numbers
from htx_pipeline.ingest.value_notes import NOTE_CODES
from htx_pipeline.reference import charsets

quick = settings(max_examples=60, deadline=None, derandomize=True)
MARKS = {"vi": (".", ","), "en": (",", "."), "plain": ("", ".")}


def write(value: Decimal, convention: str) -> str:
    thousands, decimal = MARKS[convention]
    whole, _, fraction = f"{abs(value):f}".partition(".")
    groups: list[str] = []
    while whole:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    sign = "-" if value < 0 else ""
    return sign + thousands.join(groups) + (decimal + fraction if fraction else "")


decimals = st.decimals(
    min_value=-(10**12), max_value=10**12, places=2, allow_nan=False, allow_infinity=False
)


@quick
@given(
    values=st.lists(decimals, min_size=1, max_size=12),
    convention=st.sampled_from(["vi", "en", "plain"]),
)
def test_numbers_written_in_a_convention_are_read_back_exactly(
    values: list[Decimal], convention: str
) -> None:
    cells = pl.Series([write(v, convention) for v in values])
    for asked in (convention, "auto"):
        result = parse_numbers(cells, convention=asked)
        assert result.values.to_list() == [float(v) for v in values]
        assert not result.is_ambiguous


@quick
@given(
    values=st.lists(st.integers(-(10**17), 10**17), min_size=1, max_size=12),
    convention=st.sampled_from(["vi", "en", "plain"]),
)
def test_money_is_exact_in_every_convention(values: list[int], convention: str) -> None:
    cells = pl.Series([write(Decimal(v), convention) for v in values])
    result = parse_numbers(
        cells, convention=convention, unit="VND", target_unit="VND", as_integer=True
    )
    assert result.values.to_list() == values


@quick
@given(
    thousandths=st.integers(0, 10**9),
    word=st.sampled_from([("nghìn", 3), ("triệu", 6), ("tỷ", 9), ("tỉ đồng", 9), ("tr.đ", 6)]),
)
def test_money_in_words_is_exact(thousandths: int, word: tuple[str, int]) -> None:
    value = Decimal(thousandths) / 1000
    cell = f"{write(value.normalize() + 0, 'vi')} {word[0]}"
    result = parse_numbers(
        pl.Series([cell]), convention="vi", unit="VND", target_unit="VND", as_integer=True
    )
    assert result.values.to_list() == [int(value * 10 ** word[1])]


@quick
@given(
    cells=st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=12),
            st.text(alphabet="0123456789.,-()% tỷđ", max_size=10),
        ),
        max_size=10,
    )
)
def test_no_text_breaks_a_parser_and_every_lost_cell_is_accounted_for(
    cells: list[str | None],
) -> None:
    raw = pl.Series(cells, dtype=pl.String)
    for result in (parse_numbers(raw, unit="VND", as_integer=True), parse_dates(raw)):
        assert len(result.values) == len(raw)
        said = set(result.notes.filter(pl.col("code").is_in(
            [c for c, n in NOTE_CODES.items() if not n.keeps_value]))["index"])  # fmt: skip
        for i, cell in enumerate(cells):
            if result.values[i] is not None:
                assert i not in said
            elif (
                cell is not None and cell.strip() and any(c.isalnum() and c.isascii() for c in cell)
            ):
                assert i in said


@quick
@given(
    days=st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), min_size=1, max_size=10),
    order=st.sampled_from(["dmy", "mdy", "ymd"]),
)
def test_dates_written_in_an_order_are_read_back(days: list[dt.date], order: str) -> None:
    forms = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y", "ymd": "%Y-%m-%d"}
    cells = pl.Series([day.strftime(forms[order]) for day in days])
    assert parse_dates(cells, convention=order).values.to_list() == days
    guessed = parse_dates(cells)
    if not guessed.is_ambiguous:
        assert guessed.values.to_list() == days
    else:
        assert guessed.alternative is not None
        assert days in (guessed.values.to_list(), guessed.alternative.to_list())


@quick
@given(day=st.dates(dt.date(1950, 1, 1), dt.date(2090, 1, 1)))
def test_a_day_lies_in_its_reporting_period(day: dt.date) -> None:
    first, last = reporting_period(reporting_year(day))
    assert first <= day <= last


LETTERS = charsets.VIETNAMESE_LETTERS + string.ascii_letters + " "


@quick
@given(
    text=st.text(alphabet=LETTERS, max_size=30),
    charset=st.sampled_from(["tcvn3", "utf8_as_cp1252"]),
)
def test_prefix_free_charsets_decode_what_they_encode(text: str, charset: str) -> None:
    inverse = {letter: seen for seen, letter in reversed(charsets.table(charset).items())}
    # In TCVN3 a capital with tone is capital + small letter, which "A" + "à" would imitate.
    seen = "\u2063".join(inverse.get(c, c) for c in text)
    got = convert(pl.Series([seen]), charset=charset).to_list()
    assert got[0] is not None
    assert got[0].replace("\u2063", "") == text


@quick
@given(texts=st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=8))
def test_unicode_text_is_never_broken(texts: list[str | None]) -> None:
    raw = pl.Series(texts, dtype=pl.String)
    result = to_unicode(raw)
    assert len(result.values) == len(raw)
    assert result.values.is_null().to_list() == [t is None for t in texts]
    if result.detection.charset == "plain":
        kept = [t is None or "Ð" in t or "ð" in t or got == t for t, got in zip(
            raw.str.normalize("NFC"), result.values, strict=True)]  # fmt: skip
        assert all(kept)
    assert result.detection.charset in {"plain", "decomposed", *LEGACY}


@quick
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=8), data=st.data())
def test_a_key_depends_on_its_name_alone(texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(texts))))
    raw = pl.Series(texts)
    for key in (fold, fold_org):
        together = key(raw).to_list()
        shuffled = key(raw.gather(order)).to_list()
        assert [together[i] for i in order] == shuffled
        assert together == [key(pl.Series([t]))[0] for t in texts]
