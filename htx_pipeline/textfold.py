"""Vietnamese text without its marks: the one step that every comparison and every file name begins with.

What belongs here: dropping marks. What does not: keys that keep tones (`ingest.names.fold`,
`reference.admin_units.names`, `reference.products`), case, blanks and punctuation, which differ by what
is compared and stay with those who compare.
"""

from __future__ import annotations

import unicodedata

_D_BAR = str.maketrans("đĐ", "dD")


def without_marks(text: str) -> str:
    """Return *text* without tones and letter marks; đ becomes d, case and blanks stay.

    Decomposed and composed text give the same. Letters that decompose into no plain letter (ß, ð)
    stay as they are.

    Examples
    --------
    >>> without_marks("Đắk Hoà, Ngọk Tụ")
    'Dak Hoa, Ngok Tu'
    """
    letters = unicodedata.normalize("NFD", text.translate(_D_BAR))
    return "".join(c for c in letters if not unicodedata.combining(c))
