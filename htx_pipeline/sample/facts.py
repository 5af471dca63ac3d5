"""What the sample province is fitted to: places, product chains, published margins, with sources.

What belongs here: facts and assumptions, each marked. What does not: drawing random numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

SYNTHETIC_LABEL: Final = "SỐ LIỆU GIẢ ĐỊNH / SYNTHETIC DATA"
"""First line of every file of the sample, and part of everything made from it."""

MAPPINGS_DIR: Final = Path(__file__).parent / "mappings"
"""Source mappings for the files `write_sample` writes."""

KNOWN_PERIODS: Final = ("2023", "2024", "2025")
"""Reporting years for which the sample knows a form and prices."""

OLD_ADMIN_VERSION: Final = "2024"
"""Version of the list of units before 1 July 2025 (`htx_pipeline.reference.admin_units`)."""

NEW_ADMIN_VERSION: Final = "2025-07-01"
"""Version of the list of units from 1 July 2025."""


@dataclass(frozen=True, slots=True)
class Place:
    """One commune before 1 July 2025, and the one it became part of."""

    district_code: str
    district: str
    new_code: str
    new_name: str
    old_code: str
    old_name: str


@cache
def places() -> tuple[Place, ...]:
    """Return the 102 former communes of former Kon Tum with the 40 they became.

    Source: the statistics office's conversion table of 1 July 2025 (facts).

    Examples
    --------
    >>> len(places()), len({p.new_code for p in places()}), len({p.district for p in places()})
    (102, 40, 10)
    """
    path = Path(__file__).parent / "data" / "communes.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(Place(**row) for row in csv.DictReader(file))


DISTRICT_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "608": 0.28,  # Thành phố Kon Tum
        "610": 0.06,  # Huyện Đắk Glei
        "611": 0.09,  # Huyện Ngọc Hồi
        "612": 0.06,  # Huyện Đắk Tô
        "613": 0.11,  # Huyện Kon Plông
        "614": 0.05,  # Huyện Kon Rẫy
        "615": 0.18,  # Huyện Đăk Hà
        "616": 0.09,  # Huyện Sa Thầy
        "617": 0.06,  # Huyện Tu Mơ Rông
        "618": 0.02,  # Huyện Ia H'Drai
    }
)
"""Share of organisations by district: an assumption; no split of the 240 was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One of the nine linkage chains of former Kon Tum, and what a tonne of it is.

    ``area_ha`` and ``districts`` are published (skhcn.kontum.gov.vn, item 2036); arabica and robusta
    yields too (2024: 13.4, 2016: 27.7 quintal/ha). Other yields, all prices, hectares per household and
    losses are assumptions for plausible magnitudes only.
    """

    code: str
    label_vi: str
    written: str
    area_ha: float
    districts: tuple[str, ...]
    yield_t_ha: float
    price_vnd_kg: Mapping[str, int]
    ha_per_household: float
    is_perennial: bool
    weight: float
    conversion: float
    vsic: str
    noun: str


def _prices(a: int, b: int, c: int) -> Mapping[str, int]:
    return MappingProxyType({"2023": a, "2024": b, "2025": c})


CHAINS: Final = (
    Chain(code="safe_vegetables", label_vi="Rau, hoa, quả an toàn", written="Rau an toàn", area_ha=50,
          districts=("608", "613", "615"), yield_t_ha=22, price_vnd_kg=_prices(10_500, 11_000, 11_500),
          ha_per_household=0.12, is_perennial=False, weight=0.09, conversion=0.92, vsic="0118", noun="Rau xanh"),
    Chain(code="coffee_arabica", label_vi="Cà phê chè", written="Cà phê chè", area_ha=300,
          districts=("610",), yield_t_ha=1.34, price_vnd_kg=_prices(72_000, 112_000, 138_000),
          ha_per_household=0.45, is_perennial=True, weight=0.09, conversion=0.84, vsic="0126", noun="Cà phê xứ lạnh"),
    Chain(code="coffee_robusta", label_vi="Cà phê vối", written="Cà phê vối", area_ha=1_000,
          districts=("608", "611", "616", "615"), yield_t_ha=2.77, price_vnd_kg=_prices(58_000, 104_000, 112_000),
          ha_per_household=0.7, is_perennial=True, weight=0.24, conversion=0.84, vsic="0126", noun="Cà phê"),
    Chain(code="sugarcane", label_vi="Mía", written="Mía đường", area_ha=500,
          districts=("608", "616", "612"), yield_t_ha=57, price_vnd_kg=_prices(1_100, 1_180, 1_150),
          ha_per_household=0.8, is_perennial=False, weight=0.06, conversion=0.11, vsic="0114", noun="Mía"),
    Chain(code="red_rice", label_vi="Lúa gạo đỏ", written="Gạo đỏ", area_ha=100,
          districts=("613",), yield_t_ha=2.8, price_vnd_kg=_prices(14_000, 15_000, 15_500),
          ha_per_household=0.3, is_perennial=False, weight=0.06, conversion=0.65, vsic="0111", noun="Gạo đỏ"),
    Chain(code="maize_fodder", label_vi="Ngô sinh khối", written="Ngô sinh khối", area_ha=200,
          districts=("608", "615", "614", "613"), yield_t_ha=38, price_vnd_kg=_prices(950, 1_000, 1_020),
          ha_per_household=0.4, is_perennial=False, weight=0.08, conversion=0.95, vsic="0112", noun="Ngô"),
    Chain(code="herbs", label_vi="Dược liệu", written="Dược liệu", area_ha=300,
          districts=("613", "617", "610", "618", "608"), yield_t_ha=3.2, price_vnd_kg=_prices(62_000, 65_000, 66_000),
          ha_per_household=0.25, is_perennial=True, weight=0.14, conversion=0.35, vsic="0128", noun="Dược liệu"),
    Chain(code="passion_fruit", label_vi="Chanh dây", written="Chanh dây", area_ha=200,
          districts=("616", "612", "611", "614", "615", "608"), yield_t_ha=24, price_vnd_kg=_prices(11_000, 12_000, 12_500),
          ha_per_household=0.4, is_perennial=True, weight=0.09, conversion=0.45, vsic="0121", noun="Chanh dây"),
    Chain(code="cassava", label_vi="Sắn", written="Sắn (mì)", area_ha=3_500,
          districts=("608", "616", "612", "611", "614", "618"), yield_t_ha=16, price_vnd_kg=_prices(2_650, 2_300, 1_900),
          ha_per_household=0.9, is_perennial=False, weight=0.15, conversion=0.28, vsic="0113", noun="Sắn"),
)  # fmt: skip
"""The nine chains "theo tiêu chí cánh đồng lớn"; areas add up to 6,150 ha."""

CHAIN: Final = MappingProxyType({c.code: c for c in CHAINS})
"""The chains by product code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A published figure that the sample is fitted to, with the tolerance the fit must keep.

    ``low`` and ``high`` bound the sample's figure for the default province (seed 20, and every other
    seed tested); ``published`` is what the source says.
    """

    key: str
    period: str
    published: str
    low: float
    high: float
    source: str
    note: str = ""


_VCA = "VCA, end 2024 (S6)"
_BOOK = "GSO White Book on cooperatives, 2018 (S12)"

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "S5": "https://en.baoninhbinh.org.vn/orientation-for-sustainable-collective-economic-development-for-the-20262030-pe-260107145621090.html",
        "S6": "http://lmhtx.dongnai.gov.vn/khu-vuc-kinh-te-tap-the-hop-tac-xa-ngay-cang-dong-gop-tich-cuc-vao-gdp-cua-ca-nuoc",
        "S7": "https://nongnghiep.vn/khoang-25-hop-tac-xa-nong-nghiep-dam-nhan-bao-tieu-nong-san-d413809.html",
        "S9": "https://lawnet.vn/en/laws/how-to-build-at-least-300-model-agricultural-cooperatives-operating-efficiently-with-many-members-pa-167133.html",
        "S12": "https://tuyengiao.vn/ca-nuoc-co-61-6-hop-tac-xa-quy-mo-nho-duoi-10-lao-dong-133071",
        "S13": "https://www.vietnam.vn/en/phat-trien-kinh-te-tap-the-hop-tac-xa-theo-mo-hinh-xanh-so-tuan-hoan (Notice 678/TB-VPCP, 9/12/2025)",
        "S19": "https://amp.vtcnews.vn/tang-suc-manh-nong-san-viet-bang-lien-ket-chuoi-gia-tri-xanh-ar986601.html",
        "S19c": "https://vneconomy.vn/lien-ket-chuoi-gia-tri-la-chia-khoa-the-che-cho-nong-nghiep-hien-dai.htm",
        "S30": "https://kontumtv.vn/tin-tuc/kinh-te/tang-so-luong-hop-tac-xa-hoat-dong-trong-linh-vuc-nong-nghiep",
        "S30b": "https://vovworld.vn/en-US/village-life/cooperatives-in-kon-tum-weather-covid19-impacts-1004507.vov",
        "S31": "https://kontumtv.vn/tin-tuc/tin-trong-nuoc/thanh-lap-moi-11-hop-tac-xa",
        "S33": "http://lmhtx.kontum.gov.vn/Tin-tức-Sự-kiện/Tin-hoạt-động/ItemID/753/View/Details.aspx",
        "S33c": "https://kontumtv.vn/tin-tuc/tin-trong-nuoc/kon-tum-91-htx-hoat-dong-theo-luat-hop-tac-xa-nam-2012",
        "S33e": "https://kontumtv.vn/tin-tuc/kinh-te/34-htx-tren-dia-ban-thanh-pho-kon-tum-hoat-dong-hieu-qua",
        "S70": "http://skhcn.kontum.gov.vn/Tin-t%E1%BB%A9c/Ph%E1%BB%95-bi%E1%BA%BFn-ki%E1%BA%BFn-th%E1%BB%A9c-KH-CN/ItemID/2036/View/Details.aspx",
        "S71": "https://vanban123.vn/Ke-hoach/Ke-hoach-2949-KH-UBND-nam-2022-ve-phat-trien-kinh-te-tap-the-hop-tac-xa-nam-2023-do-tinh-Binh-Thuan-ban-hanh-584936",
        "S82": "https://kontumtv.vn/tin-tuc/kinh-te/huy-dong-hon-50-ty-dong-thuc-hien-chuong-trinh-ocop",
    }
)
"""Where the published figures were read: key used in `MARGINS` -> address or title."""

MARGINS: Final = (
    Margin(key="cooperatives", period="2023", published="> 240", low=240, high=240, source="kontumtv.vn 2023 (S30)"),
    Margin(key="cooperatives_yearly_growth", period="2025", published="+5.1 % in 2024-25", low=0.03, high=0.07, source="MPI, MoF 768/BC-BTC (S7, S13)"),
    Margin(key="agricultural_share", period="2023", published="about 160 of 240; 66.5 % nationally", low=0.63, high=0.69, source="kontumtv.vn 2023 (S30)"),
    Margin(key="official_members_mean", period="2023", published="about 47 (9,700 in 206, 2022)", low=42, high=52, source="S31"),
    Margin(key="official_members_median", period="2023", published="about 12, σ about 1.6", low=11, high=13.5, source="inferred from S30, S31, S33",
           note="An inference, not a published figure."),
    Margin(key="active_share", period="2023", published="87 % (55 of 63, 2016) to 95 % (105 of 111, 2018-19); 61 % nationally (2018)", low=0.84, high=0.93, source="S33, S33c"),
    Margin(key="workers_below_10_share", period="2023", published="61.6 %", low=0.60, high=0.632, source=_BOOK),
    Margin(key="workers_10_49_share", period="2023", published="35.7 %", low=0.34, high=0.375, source=_BOOK),
    Margin(key="workers_50_99_share", period="2023", published="1.6 %", low=0.01, high=0.025, source=_BOOK),
    Margin(key="workers_100_up_share", period="2023", published="1.0 %", low=0.004, high=0.016, source=_BOOK,
           note="The national shape gives about 11 workers per cooperative; Kon Tum alone counted about 1,000 in 206."),
    Margin(key="revenue_mean_vnd", period="2023", published="1.2 to 2 bn per cooperative", low=1.2e9, high=2.0e9, source="kontumtv.vn 2023 (S30)"),
    Margin(key="revenue_mean_vnd", period="2024", published="2.839 bn (VCA), 3.55 bn (MPI) nationally", low=1.5e9, high=3.55e9, source="S6, S7"),
    Margin(key="charter_capital_mean_vnd", period="2024", published="2.027 bn", low=1.82e9, high=2.23e9, source=_VCA),
    Margin(key="total_capital_mean_vnd", period="2024", published="5.332 bn total assets", low=4.8e9, high=5.87e9, source=_VCA,
           note="Total capital is held against total assets."),
    Margin(key="profit_margin", period="2024", published="203.4 m of 2.839 bn = 7.2 % (VCA); 352 m of 3.55 bn = 9.9 % (MPI)", low=0.06, high=0.11, source="S6, S7"),
    Margin(key="worker_income_mean_vnd", period="2023", published="41 m (2021), 44 m (TP Kon Tum); 59 m nationally (2024)", low=41e6, high=59e6, source="S30b, S33e, S7"),
    Margin(key="managers_college_share", period="2024", published="24.7 %", low=0.20, high=0.29, source="MPI, end 2024 (S7)"),
    Margin(key="managers_intermediate_share", period="2024", published="46.6 %", low=0.42, high=0.51, source="MPI, end 2024 (S7)"),
    Margin(key="revenue_from_members_share", period="2023", published="60 % (Bình Thuận 2022)", low=0.45, high=0.70, source="S71"),
    Margin(key="good_or_fair_share", period="2024", published="≥ 60 % (target); 78.1 % nationally (2025)", low=0.55, high=0.80, source="S5, S9"),
    Margin(key="high_tech_share_of_agricultural", period="2023", published="about 20 %", low=0.16, high=0.24, source="S30"),
    Margin(key="high_tech_with_evidence_share", period="2025", published="7.4 % of all (2,600 of 35,041)", low=0.05, high=0.10, source="S13"),
    Margin(key="ocop_products_of_cooperatives", period="2023", published="about 150 products, 77 owners, 38.1 % of owners cooperatives", low=45, high=70, source="S82, S6"),
    Margin(key="off_take_share_of_agricultural", period="2024", published="about 25 % of agricultural cooperatives", low=0.23, high=0.27, source="MPI, end 2024 (S7)"),
    Margin(key="chain_share_of_all", period="2024", published="about 13 %", low=0.115, high=0.145, source=_VCA),
    Margin(key="projects_led_by_cooperatives_share", period="2024", published="79 %", low=0.74, high=0.84, source="conference of 11 Nov 2025 (S19)"),
    Margin(key="households_per_project_mean", period="2024", published="68 to 86", low=66, high=88, source="2,938 projects, > 200,000 households; 3,500 models, about 300,000 (S19, S19c)"),
    Margin(key="area_ha", period="2023", published="6,150 ha in nine chains", low=6_000, high=6_300, source="skhcn.kontum.gov.vn (S70)"),
)  # fmt: skip
"""Published margins and the tolerance of each; `docs/sample.md` shows them, a test holds them."""
