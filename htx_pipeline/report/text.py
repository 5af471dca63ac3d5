"""Words and numbers as a Vietnamese office writes them.

What belongs here: formatting of one value, names of codes, and why a value is absent.
What does not: where values come from (`model`) and how they are laid out (`pdf`, `html`, `workbook`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import isnan
from typing import Final, Literal

from htx_pipeline.schemas.linkages import EVIDENCE_LEVELS
from htx_pipeline.schemas.organisations import LEGAL_TYPES
from htx_pipeline.textfold import without_marks

Lang = Literal["vi", "en"]
"""Languages of a page."""

NULL_MARK: Final = "–"
"""Printed where there is no value; never 0."""

HIDDEN_MARK: Final = "(*)"
"""Printed where disclosure control withholds a value."""

SYNTHETIC_MARK: Final = "Số liệu giả định / synthetic data"
"""Printed on every page and picture made from the synthetic province."""

STAGES: Final[dict[str, str]] = {
    "inputs": "Vật tư, dịch vụ đầu vào",
    "production": "Sản xuất, thu hoạch",
    "collection": "Thu gom",
    "processing": "Sơ chế, chế biến",
    "consumption": "Tiêu thụ",
}
"""Stages of a chain, in order."""

FLOW_ENDS: Final[dict[str, str]] = {"loss": "Hao hụt, chưa giao", "unknown": "Chưa rõ công đoạn"}
"""Ends of a flow that are not a stage."""

EVIDENCE: Final[dict[str, str]] = {c.code: c.label_vi for c in EVIDENCE_LEVELS}
LEGAL: Final[dict[str, str]] = {
    **{c.code: c.label_vi for c in LEGAL_TYPES},
    "htx": "HTX",
    "lhhtx": "LHHTX",
    "tht": "THT",
    "enterprise": "DN",
    "household_business": "HKD",
    "other": "Khác",
}
"""Legal types as tables abbreviate them; `LEGAL_NOTE` spells them out."""

LEGAL_NOTE: Final = "HTX: hợp tác xã; LHHTX: liên hiệp hợp tác xã; THT: tổ hợp tác; DN: doanh nghiệp; HKD: hộ kinh doanh"

SHORT_STAGES: Final[dict[str, str]] = {
    "inputs": "Đầu vào",
    "production": "Sản xuất",
    "collection": "Thu gom",
    "processing": "Chế biến",
    "consumption": "Tiêu thụ",
}
"""Stages as narrow columns name them."""

NOTES: Final[dict[str, str]] = {
    "no_values": "không liên kết nào của cụm nêu giá trị, nên tỷ trọng tính theo số liên kết",
    "values_partly_stated": "chỉ một phần liên kết của cụm nêu giá trị, nên giá trị là mức tối thiểu",
    "execution_not_stated": "không liên kết nào của cụm nêu việc giao hàng hoặc thanh toán, nên chưa biết đã thực hiện đến đâu",
    "stage_conflict": "có tổ chức mà ngành nghề đăng ký và nội dung liên kết chỉ ra hai công đoạn khác nhau",
    "no_cooperative": "cụm không có HTX, liên hiệp HTX hay tổ hợp tác",
    "no_enterprise": "cụm không có doanh nghiệp",
    "locality_unknown": "không tổ chức nào của cụm nêu địa bàn",
}
"""Notes on a cluster, by code."""

COMPARATORS: Final[dict[str, str]] = {
    ">=": "≥",
    "<=": "≤",
    ">": ">",
    "<": "<",
    "=": "=",
    "~": "khoảng",
}

REASONS: Final[dict[str, str]] = {
    "no_linkages": "nguồn không có dữ liệu liên kết",
    "execution_not_stated": "không liên kết nào nêu việc giao hàng hoặc thanh toán",
    "not_stated": "không đơn vị nào nêu số liệu này",
    "denominator_not_stated": "không đơn vị nào nêu số liệu của mẫu số",
    "denominator_zero": "mẫu số bằng 0",
    "withheld_few": "quá ít hợp tác xã, không công bố",
    "national_total": "mục tiêu chung của cả nước, không so với một tỉnh",
    "indicator_not_computed": "chưa có số liệu cho chỉ tiêu với mẫu số này",
    "unit_differs": "khác đơn vị tính",
}
"""Why a value is absent; a reason not listed is printed as its code."""


def label(names: Mapping[str, str], code: str | None) -> str:
    """Return the label of *code*; the code itself when it has none, the null mark when it is null.

    Examples
    --------
    >>> label(STAGES, "processing"), label(STAGES, "x"), label(STAGES, None)
    ('Sơ chế, chế biến', 'x', '–')
    """
    if code is None:
        return NULL_MARK
    return names.get(code, code)


def number(value: float | None, decimals: int = 0, *, lang: Lang = "vi") -> str:
    """Return *value* rounded half up: a point between thousands and a comma before decimals.

    In English the other way round.

    Examples
    --------
    >>> number(1234567.85, 1), number(-0.04, 1), number(None)
    ('1.234.567,9', '0,0', '–')
    >>> number(1234567.85, 1, lang="en")
    '1,234,567.9'
    """
    if value is None or isnan(value):
        return NULL_MARK
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_UP)
    if rounded == 0:
        rounded = abs(rounded)
    text = f"{rounded:,.{decimals}f}"
    return text if lang == "en" else text.translate(str.maketrans(",.", ".,"))


def share(value: float | None, decimals: int = 1, *, lang: Lang = "vi") -> str:
    """Return a 0..1 share as a percentage.

    Examples
    --------
    >>> share(0.125), share(0.125, lang="en"), share(None)
    ('12,5%', '12.5%', '–')
    """
    if value is None or isnan(value):
        return NULL_MARK
    return f"{number(value * 100, decimals, lang=lang)}%"


UNITS: Final[dict[Lang, tuple[str, str, str]]] = {
    "vi": ("tỷ đồng", "triệu đồng", "đồng"),
    "en": ("billion VND", "million VND", "VND"),
}
"""Units of money: a thousand million, a million, one."""


def money(value: float | None, *, lang: Lang = "vi") -> str:
    """Return an amount in đồng with the unit a reader would say aloud.

    Examples
    --------
    >>> money(1_234_500_000_000), money(56_700_000), money(950), money(None)
    ('1.234,5 tỷ đồng', '56,7 triệu đồng', '950 đồng', '–')
    >>> money(1_234_500_000_000, lang="en")
    '1,234.5 billion VND'
    """
    if value is None:
        return NULL_MARK
    large, middle, one = UNITS[lang]
    if abs(value) >= 1e9:
        return f"{number(value / 1e9, 1, lang=lang)} {large}"
    if abs(value) >= 1e6:
        return f"{number(value / 1e6, 1, lang=lang)} {middle}"
    return f"{number(value, lang=lang)} {one}"


MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                 "October", "November", "December")  # fmt: skip


def day(value: date | None, *, lang: Lang = "vi") -> str:
    """Return a date as dd/mm/yyyy; in English with the month's name.

    Examples
    --------
    >>> day(date(2024, 12, 5)), day(date(2024, 12, 5), lang="en")
    ('05/12/2024', '5 December 2024')
    """
    if value is None:
        return NULL_MARK
    if lang == "en":
        return f"{value.day} {MONTHS[value.month - 1]} {value.year}"
    return f"{value:%d/%m/%Y}"


def listing(items: Iterable[str], *, most: int = 6, of: str = "mục", lang: Lang = "vi") -> str:
    """Join names with commas and "và"; beyond *most* only how many more (*of* what) there are.

    Examples
    --------
    >>> listing(["cà phê", "sắn", "cao su"]), listing(["coffee", "cassava"], lang="en")
    ('cà phê, sắn và cao su', 'coffee and cassava')
    >>> listing(["a", "b", "c", "d"], most=2)
    'a, b và 2 mục khác'
    >>> listing(["a", "b", "c", "d"], most=2, of="places", lang="en")
    'a, b and 2 other places'
    """
    names = list(items)
    joint = "and" if lang == "en" else "và"
    if len(names) > most:
        left = number(len(names) - most, lang=lang)
        rest = f"{left} other {of}" if lang == "en" else f"{left} {of} khác"
        return f"{', '.join(names[:most])} {joint} {rest}"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def within(place: str) -> str:
    """Return the name of a place as it stands inside a sentence: its kind in lower case.

    Examples
    --------
    >>> within("Huyện Đăk Hà"), within("Xã Ia Chim"), within("Bristol"), within("Ngoài tỉnh")
    ('huyện Đăk Hà', 'xã Ia Chim', 'Bristol', 'ngoài tỉnh')
    """
    if place in ("Ngoài tỉnh", "Toàn tỉnh"):
        return place.lower()
    for kind in (
        "Huyện",
        "Thành phố",
        "Thị xã",
        "Thị trấn",
        "Quận",
        "Xã",
        "Phường",
        "Đặc khu",
        "Tỉnh",
    ):
        if place.startswith(f"{kind} "):
            return kind.lower() + place[len(kind) :]
    return place


def lower_first(words: str) -> str:
    """Return *words* with a small first letter, for the middle of a sentence.

    Examples
    --------
    >>> lower_first("Cụm liên kết sắn – Huyện Đăk Hà")
    'cụm liên kết sắn – Huyện Đăk Hà'
    """
    return words[:1].lower() + words[1:]


def slug(words: str) -> str:
    """Return *words* as part of a file name: no marks, lower case, hyphens.

    Examples
    --------
    >>> slug("Huyện Ia H'Drai"), slug("Thành phố Kon Tum")
    ('huyen-ia-h-drai', 'thanh-pho-kon-tum')
    """
    plain = without_marks(words.lower())
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in plain)
    return "-".join(kept.split())


def sentence(text: str) -> str:
    """Return *text* with a capital first letter and one full stop.

    Examples
    --------
    >>> sentence("đủ công đoạn")
    'Đủ công đoạn.'
    """
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def held_together(title: str) -> str:
    """Keep the last bracket of a title on one line, so that it breaks before it and not inside.

    Examples
    --------
    >>> held_together("Cụm sắn (Công ty A B)")
    'Cụm sắn (Công\xa0ty\xa0A\xa0B)'
    """
    start = title.rfind(" (")
    if start < 0 or not title.endswith(")") or len(title) - start > 60:
        return title
    return title[: start + 1] + title[start + 1 :].replace(" ", "\u00a0")
