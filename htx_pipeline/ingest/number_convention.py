"""How a whole column writes its numbers: the decision between 1.234,5 and 1,234.5, and its reasons.

What belongs here: evidence, choice, and what is told of both. The rules are in `numbers`. What does not:
reading the cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from htx_pipeline.ingest.value_notes import note_rows


@dataclass(frozen=True)
class _Choice:
    convention: str
    is_ambiguous: bool
    reason_vi: str
    reason_en: str


def decide(cells: pl.DataFrame, convention: str, *, counts_whole: bool) -> _Choice:
    """Decide how the column writes its numbers; see `numbers` for the rules."""
    shape = cells.get_column("shape")
    n = {name: int((shape == name).sum()) for name in ("vi", "en", "dot", "comma")}
    example = {name: _first(cells, name) for name in n}
    if convention != "auto":
        return _Choice(
            convention,
            False,
            "Quy ước được khai báo trong tệp ánh xạ nguồn.",
            "The convention is fixed by the source mapping.",
        )
    n_ambiguous = n["dot"] + n["comma"]
    if n["vi"] or n["en"]:
        used = "en" if n["en"] > n["vi"] else "vi"
        is_conflict = bool(n["vi"] and n["en"])
        reason_vi = f"{n[used]} ô chỉ đọc được theo một cách, ví dụ “{example[used]}”"
        reason_en = f"{n[used]} cells can be read one way only, such as “{example[used]}”"
        if is_conflict:
            other = "vi" if used == "en" else "en"
            reason_vi += f"; nhưng {n[other]} ô viết ngược lại, ví dụ “{example[other]}”"
            reason_en += f"; but {n[other]} cells are the other way, such as “{example[other]}”"
        return _Choice(used, is_conflict and n_ambiguous > 0, reason_vi + ".", reason_en + ".")
    if not n_ambiguous:
        return _Choice("plain", False, "Không có dấu phân cách.", "There are no separators.")
    used = "vi" if n["dot"] else "en"
    sample = example["dot" if used == "vi" else "comma"]
    mixed = bool(n["dot"] and n["comma"])
    broken = cells.filter(
        pl.col("shape").is_in(["dot", "comma"]) & ~pl.col("core").str.ends_with("000")
    )
    if counts_whole and not mixed and broken.height:
        whole = str(broken.get_column("core").min())
        return _Choice(
            used,
            False,
            f"Cột đếm số nguyên nên dấu trong “{whole}” là dấu hàng nghìn.",
            f"The column counts whole units, so the separator in “{whole}” marks thousands.",
        )
    return _Choice(
        used,
        True,
        f"Không ô nào cho biết “{sample}” là hàng nghìn hay số lẻ; tạm đọc là hàng nghìn"
        + (" (cột có cả dấu chấm và dấu phẩy)." if mixed else "."),
        f"No cell settles whether “{sample}” has thousands or decimals; read as thousands"
        + (" (the column has both points and commas)." if mixed else "."),
    )


def _first(cells: pl.DataFrame, shape: str) -> str:
    found = cells.filter(pl.col("shape") == shape).get_column("core")
    return str(found.min()) if len(found) else ""


def convention_notes(cells: pl.DataFrame, chosen: _Choice, asked: str) -> list[pl.DataFrame]:
    """Return a note for each cell that is not written as its column is."""
    used = chosen.convention
    against = {"vi": ["en"], "en": ["vi"], "plain": ["vi"]}[used]
    if used == "plain" and asked == "plain":
        conflict = cells.filter(
            pl.col("shape").is_in(against)
            | ((pl.col("shape") == "en") & pl.col("core").str.contains(",", literal=True))
        )
        refused = cells.filter(pl.col("shape") == "comma")
    else:
        conflict = cells.filter(pl.col("shape").is_in(against))
        refused = cells.clear()
    return [
        note_rows(
            conflict,
            code="convention_conflict",
            detail_vi=pl.format(
                "“{}” viết khác quy ước của cột; đã đọc theo cách duy nhất có thể.", "core"
            ),
            detail_en=pl.format(
                "“{}” is not in the column's convention; it was read the only way possible.", "core"
            ),
        ),
        note_rows(
            refused,
            code="not_a_number",
            detail_vi=pl.format("“{}”: cột này không dùng dấu phẩy.", "core"),
            detail_en=pl.format("“{}”: this column has no commas.", "core"),
        ),
    ]


def ambiguity_note(cells: pl.DataFrame, values: pl.Series, other: pl.Series) -> pl.DataFrame:
    """One note for the column, at its first ambiguous cell, with both readings."""
    unsure = cells.filter(pl.col("shape").is_in(["dot", "comma"]))
    first = unsure.head(1)
    at = int(first.get_column("index")[0])
    core = first.get_column("core")[0]
    one, two = _plain_text(values[at]), _plain_text(other[at])
    return note_rows(
        first,
        code="ambiguous_convention",
        detail_vi=f"“{core}” đọc là {one}; cũng có thể là {two} "
        f"({unsure.height} ô như vậy trong cột).",
        detail_en=f"“{core}” was read as {one}; it may be {two} "
        f"({unsure.height} such cells in the column).",
    )


def _plain_text(value: float | int | None) -> str:
    if value is None:
        return "—"
    return str(value) if isinstance(value, int) else f"{value:.12g}"
