"""Keys for matching names: what they join, and what they must keep apart."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest

from htx_pipeline.ingest.names import fold, fold_org


def same(one: str, two: str, **how: bool) -> bool:
    a, b = fold(pl.Series([one, two]), **how).to_list()
    return bool(a == b)


@pytest.mark.parametrize(
    ("one", "two"),
    [("Hòa", "Hóa"), ("Hoa", "Hòa"), ("Đak", "Đăk"), ("Da", "Đa"), ("Ngọc Linh", "Ngọc Lĩnh"),
     ("Đắk Hà", "Đắk Hạ"), ("Sơn Tây", "Sơn Tay"), ("Thu", "Thư"), ("Đắkto", "Đăk To"),
     ("Pờ Ê", "Bờ Ê"), ("Xã 1", "Xã 2"), ("Đăk Tô", "Đăk Tơ")],
)  # fmt: skip
def test_names_that_differ_keep_different_keys(one: str, two: str) -> None:
    assert not same(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [("Hoà Bình", "Hòa Bình"), ("Thuý", "Thúy"), ("THỦY", "thuỷ"), ("khoẻ", "khỏe"),
     ("Đắk Glei", "Đăk Glei"), ("Ngọk Bay", "Ngọc Bay"), ("Xã Pờ Y", "Xã Bờ Y"),
     ("Xã Ya ly", "Xã Ya Ly"), ("Ia H'Drai", "Ia H’Drai"), ("Ia H'Drai", "Ia HDrai"),
     ("Ðăk Hà", "Đăk Hà"), ("Đăk  Hà ", "Đăk Hà"), ("Đăk-Hà", "Đăk Hà"), ("Mỹ Lý", "Mĩ Lí"),
     ("ĐẮK HÀ.", "đăk hà")],
)  # fmt: skip
def test_spellings_of_one_name_have_one_key(one: str, two: str) -> None:
    assert same(one, two)
    assert same(unicodedata.normalize("NFD", one), two)


def test_stripping_joins_lists_written_without_diacritics() -> None:
    assert same("Đắk Hoà", "Dak Hoa", strip_diacritics=True)
    assert same("Đăk Rơ Wa", "DAK RO WA", strip_diacritics=True)
    assert not same("Đắk Hoà", "Dak Hoa")


def test_nulls_stay_and_folding_twice_changes_nothing() -> None:
    names = pl.Series("name", ["Đắk Hoà", None, "", "…", "Quý", "Giếng Nước"])
    once = fold(names)
    assert once.name == "name"
    assert once.to_list()[1] is None
    assert once.to_list()[2:4] == ["", ""]
    assert fold(once).to_list() == once.to_list()


@pytest.mark.parametrize(
    "names",
    [
        ["HTX Sáu Nhung", "Hợp tác xã Sáu Nhung", "HTX NN Sáu Nhung",
         "HTX Nông nghiệp dịch vụ tổng hợp Sáu Nhung", "HTX NN-DV Sáu Nhung", "HTX. SÁU NHUNG"],
        ["Công ty Cổ phần Cà phê Đắk Hà", "CTCP cà phê Đăk Hà", "Cty CP Cà phê Đăk Hà"],
        ["Công ty TNHH MTV Thuý Hằng", "Công ty TNHH Một thành viên Thúy Hằng",
         "Công ty trách nhiệm hữu hạn một thành viên Thúy Hằng", "DNTN Thúy Hằng"],
        ["KAVOKIVA COOP-CA", "Société coopérative KAVOKIVA", "SCOOPS KAVOKIVA"],
        ["Suma Wholefoods Limited", "Suma Wholefoods Ltd.", "suma wholefoods"],
        ["Nestlé S.A.", "Nestlé SA", "Nestlé"],
    ],
)  # fmt: skip
def test_the_legal_form_is_left_out_of_the_key_of_an_organisation(names: list[str]) -> None:
    assert fold_org(pl.Series(names)).n_unique() == 1
    assert fold_org(pl.Series(names), strip_diacritics=True).n_unique() == 1


def test_the_legal_form_stays_in_the_plain_key_and_inside_names() -> None:
    assert not same("HTX Sáu Nhung", "Công ty TNHH Sáu Nhung")
    keys = fold_org(pl.Series(["HTX Thanh niên", "HTX Thanh Hà", "Sagama", "Agnibilekrou", "Theo"]))
    assert keys.n_unique() == 5
    assert keys.to_list()[2:] == ["sagama", "agnibilekrou", "theo"]


def test_a_name_of_nothing_but_form_keeps_its_words() -> None:
    keys = fold_org(pl.Series(["HTX", "Hợp tác xã nông nghiệp", "Limited"]))
    assert all(key for key in keys)
