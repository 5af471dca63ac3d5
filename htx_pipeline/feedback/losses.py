"""What a workbook would lose if it were opened and saved again by openpyxl.

What belongs here: looking at the parts of the container for charts, shapes, pictures, pivot tables,
macros, links to other files and the like. What does not: marking cells (`feedback.marked`).

A part that is not known to survive counts as lost: an official's form is never returned with a piece
missing.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

_PARTS: Final[tuple[tuple[str, str], ...]] = (
    (r"xl/charts/|xl/chartsheets/|xl/chartex", "biểu đồ"),
    (r"xl/media/", "hình ảnh"),
    (r"xl/pivotTables/|xl/pivotCache/", "bảng tổng hợp Pivot"),
    (r"xl/vbaProject\.bin|xl/macrosheets/|xl/dialogsheets/", "macro"),
    (r"xl/externalLinks/", "liên kết tới tệp khác"),
    (r"xl/ctrlProps/|xl/activeX/", "nút lệnh, ô điều khiển"),
    (r"xl/embeddings/|xl/oleObjects/", "đối tượng nhúng"),
    (r"xl/slicers/|xl/slicerCaches/|xl/timelines/|xl/timelineCaches/", "bộ lọc Slicer"),
    (r"xl/threadedComments/|xl/persons/", "trao đổi dạng chuỗi"),
    (r"xl/diagrams/", "sơ đồ"),
    (r"xl/queryTables/|xl/connections\.xml|xl/model/|customXml/item\d", "kết nối dữ liệu"),
    (r"_xmlsignatures/", "chữ ký số"),
    (r"xl/richData/|xl/metadata\.xml", "kiểu dữ liệu mở rộng"),
)
_ANCHOR: Final = re.compile(rb"<(?:[a-z]+:)?(?:twoCellAnchor|oneCellAnchor|absoluteAnchor)\b")
_EXTENSIONS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"x14:dataValidation ", "danh sách chọn (dạng mở rộng)"),
    (b"x14:conditionalFormatting ", "định dạng có điều kiện (dạng mở rộng)"),
    (b"x14:conditionalFormatting>", "định dạng có điều kiện (dạng mở rộng)"),
    (b"sparklineGroup", "biểu đồ trong ô"),
)
_VML_CONTROL: Final = re.compile(rb'ObjectType="(?!Note")')


def losses_of(content: bytes) -> tuple[str, ...]:
    """Name, in Vietnamese, what an .xlsx container would lose; empty when nothing.

    Examples
    --------
    >>> import io, openpyxl
    >>> buffer = io.BytesIO(); openpyxl.Workbook().save(buffer)
    >>> losses_of(buffer.getvalue())
    ()
    """
    found: dict[str, None] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        for pattern, what in _PARTS:
            if any(re.match(pattern, n) for n in names):
                found[what] = None
        for name in names:
            if re.fullmatch(r"xl/drawings/[^/]+\.xml", name) and _ANCHOR.search(archive.read(name)):
                found.setdefault("hình vẽ, hộp văn bản hoặc biểu đồ")
            elif (
                name.startswith("xl/drawings/")
                and name.endswith(".vml")
                and _VML_CONTROL.search(archive.read(name))
            ):
                found.setdefault("nút lệnh, ô điều khiển")
            elif re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                part = archive.read(name)
                for mark, what in _EXTENSIONS:
                    if mark in part:
                        found.setdefault(what)
    return tuple(found)
