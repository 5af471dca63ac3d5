"""Invented names and tax codes: natural to read, nobody's, and recognisable as synthetic.

What belongs here: naming. No person's name is ever made. What does not: who has which name.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from stdnum.vn import mst

_NOUNS: Final = (
    "Suối", "Đồi", "Thác", "Mây", "Gió", "Nắng", "Rừng", "Sương", "Trăng", "Hồ", "Đá", "Lũng",
    "Nương", "Ruộng", "Vườn", "Cánh Đồng", "Hoa", "Lá", "Bến", "Ngàn", "Triền", "Khe", "Dốc", "Thung",
)  # fmt: skip
_QUALITIES: Final = (
    "Biếc", "Bạc", "Vàng", "Lam", "Xanh", "Tím", "Hồng", "Sớm", "Chiều", "Mai", "Thơm", "Ngọt",
    "Ấm", "Trong", "Sáng", "Mới", "Xa", "Cao", "Non", "Thắm",
)  # fmt: skip
_BRAND_FIRST: Final = (
    "Khang", "Thịnh", "Vĩnh", "Hưng", "Tân", "Thiên", "Bách", "Tường", "Nhật", "Đông", "Trúc", "Diên",
    "Cát", "Lâm", "Sơn",
)  # fmt: skip
_BRAND_SECOND: Final = (
    "Diệp", "Mộc", "Thảo", "Thổ", "Cốc", "Quả", "Thực", "Nguyên", "Mễ", "Hạt", "Khê", "Vị",
)  # fmt: skip

LINE_OF_BUSINESS: Final = {
    "inputs": ("Vật tư Nông nghiệp", "Phân bón", "Giống cây trồng"),
    "trader": ("Thương mại", "Nông sản", "Thu mua Nông sản"),
    "processor": ("Chế biến", "Sản xuất và Chế biến", "Chế biến Nông sản"),
    "outlet": ("Xuất nhập khẩu", "Thực phẩm", "Phân phối"),
}
"""Words for what an enterprise does."""


def _shuffled(
    first: tuple[str, ...], second: tuple[str, ...], rng: np.random.Generator
) -> list[str]:
    pairs = [f"{a} {b}" for a in first for b in second if a != b]
    return [pairs[i] for i in rng.permutation(len(pairs))]


def landscape_names(n: int, rng: np.random.Generator) -> list[str]:
    """Return *n* different invented place-like names ("Suối Biếc"); beyond 480 they are numbered.

    Examples
    --------
    >>> names = landscape_names(500, np.random.default_rng(1))
    >>> len(set(names))
    500
    """
    pairs = _shuffled(_NOUNS, _QUALITIES, rng)
    return [
        pairs[i % len(pairs)] + ("" if i < len(pairs) else f" {i // len(pairs) + 1}")
        for i in range(n)
    ]


def brand_names(n: int, rng: np.random.Generator) -> list[str]:
    """Return *n* different invented brand names ("Khang Diệp").

    Examples
    --------
    >>> len(set(brand_names(300, np.random.default_rng(1))))
    300
    """
    pairs = _shuffled(_BRAND_FIRST, _BRAND_SECOND, rng)
    return [
        pairs[i % len(pairs)] + ("" if i < len(pairs) else f" {i // len(pairs) + 1}")
        for i in range(n)
    ]


def tax_codes(n: int, *, province: str, start: int = 9_900_000) -> list[str]:
    """Return *n* valid tax codes that no tax office has issued.

    A tax code is two digits of province, seven of a running number, one check digit. The running
    numbers here begin at 9,900,000; the largest series in use stood below 2,000,000 in 2025 (own
    knowledge, not verified). So digits three and four are always 99.

    Examples
    --------
    >>> codes = tax_codes(3, province="61")
    >>> codes[0], all(mst.is_valid(c) for c in codes)
    ('6199000018', True)
    """
    found: list[str] = []
    number = start
    while len(found) < n:
        number += 1
        if number > 9_999_999:
            raise ValueError("out of synthetic tax codes for one province")
        digits = f"{province}{number:07d}"
        check = mst.calc_check_digit(digits)
        if len(check) == 1:
            found.append(digits + check)
    return found
