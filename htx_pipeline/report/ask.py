"""What `htx trace` asks and prints: a figure of an edition, its rows, what was left out, the steps between.

What belongs here: finding an edition's figure by an id as people type it; text and tables for a
terminal, CSV and JSON. What does not: finding the rows (`trace`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from htx_pipeline.errors import InputError
from htx_pipeline.report import text
from htx_pipeline.report.origins.model import FORMULAS, REASONS, ROLES, words_of
from htx_pipeline.report.shelf import MANIFEST, POINTER, edition_folder
from htx_pipeline.report.trace import (
    REJECTED,
    TRACE_FILE,
    amount_text,
    equation,
    numbers,
    ranges,
    shorten,
)

if TYPE_CHECKING:
    from rich.table import Table

WITHHELD: Final = 3
"""Exit code of `htx trace` for a figure that the edition withholds."""

LONGEST: Final = 400
"""Characters of row ranges on a terminal; CSV, JSON and ``--rows`` have all."""

MOST: Final = 20
"""Ids named of what a sentence or an element of a picture rests on."""

ALMOST: Final = 85
"""Likeness, of 100, of an id that was merely misspelt."""

NO_ROW: Final = "Không có dòng nguồn nào / no source row."
WITHHELD_TEXT: Final = (
    "Số liệu này được giữ bí mật trong bản công bố vì có quá ít đơn vị đứng sau, hoặc vì có thể tính ngược ra một số như "
    "vậy; dòng nguồn của nó cũng không được nêu. Người có quyền xem thì tra ở bản nội bộ (--kind internal).\n"
    "This figure is withheld in the public edition: too few units stand behind it, or it would give such a figure away; "
    "nor are its rows named. Those entitled to see it ask the internal edition (--kind internal)."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An edition that is asked: its figures, and whether it is the ``internal`` or a ``public`` one."""

    trace: pl.DataFrame
    kind: str
    folder: Path

    @property
    def is_public(self) -> bool:
        """Return whether the edition may be handed out."""
        return self.kind == "public"


# --------------------------------------------------------------------------- finding


def open_edition(
    *, data_dir: Path | None, edition: Path | None, period: str | None = None, kind: str = "internal"
) -> Asked:  # fmt: skip
    """Return the edition named, or the current one of a kind and year (the latest when None).

    Only the file of sources is held against the manifest, so that one question does not read an
    edition whole.

    Raises
    ------
    InputError
        When there is no edition, it carries no sources, or they are not what its manifest says.
    """
    from htx_pipeline.settings import Settings
    from htx_pipeline.storage import read_frame

    if edition is None:
        data = Path(data_dir or Settings().data_dir)
        reports = edition_folder(data, kind, "0").parent
        periods = sorted(p.name.removeprefix("period=") for p in reports.glob("period=*"))
        if not periods or (period is not None and period not in periods):
            raise InputError(
                "There is no report here yet." if not periods else f"There is no report of {period}.",
                where=str(reports), why=f"periods there: {', '.join(periods) or 'none'}",
                remedy="Run the pipeline, or name an edition's folder with --edition.",
                what_vi="Chưa có báo cáo nào ở đây." if not periods else f"Không có báo cáo kỳ {period}.", code="no_edition",
            )  # fmt: skip
        edition = _current(reports / f"period={period or periods[-1]}")
    path = edition / TRACE_FILE
    if not path.is_file():
        raise InputError(
            "This edition does not carry the sources of its figures.", where=str(path),
            remedy="Run the pipeline again with this version.", code="trace_missing",
        )  # fmt: skip
    listed = edition / MANIFEST
    manifest = json.loads(listed.read_bytes()) if listed.is_file() else {"files": {}}
    stated = manifest["files"].get(TRACE_FILE, {}).get("sha256")
    if stated is not None and stated != hashlib.sha256(path.read_bytes()).hexdigest():
        raise InputError(
            f"The report is damaged: {TRACE_FILE} is not what the manifest says.", where=str(edition),
            remedy="Delete the folder and run the pipeline again.", code="damaged_edition",
        )  # fmt: skip
    trace = read_frame(path)
    if "formula" not in trace.columns:
        raise InputError(
            "This edition was written by an earlier version, which traced figures otherwise.", where=str(path),
            remedy="Run the pipeline again with this version.", code="trace_old",
        )  # fmt: skip
    return Asked(trace, manifest.get("kind", "internal"), edition)


def _current(out: Path) -> Path:
    pointer = out / POINTER
    if not pointer.is_file():
        raise InputError(
            "There is no report here yet.", where=str(pointer), remedy="Run the pipeline, which writes one.", code="no_edition",
        )  # fmt: skip
    return out / str(json.loads(pointer.read_bytes())["edition"])


def _plain(ident: str) -> str:
    return text.slug(ident.replace("/", " "))


def nearest(asked: str, known: Mapping[str, str] | Iterable[str], *, most: int = 8) -> list[str]:
    """Return the ids most like the one asked for, without regard to case, accents and order of words.

    Parameters
    ----------
    known:
        Ids, or id → what else names it (a label), which is searched too.

    Examples
    --------
    >>> nearest("tong-quan/theo-dia-ban/dak ha", ["tong-quan/theo-dia-ban/Đăk Hà/n", "cum-1/a"])
    ['tong-quan/theo-dia-ban/Đăk Hà/n']
    >>> nearest("đã thanh toán đăk hà", {"p/t/Đăk Hà/paid": "Đăk Hà: Đã thanh toán", "p/t/Đăk Hà/n": "Đăk Hà: Số HTX"}, most=1)
    ['p/t/Đăk Hà/paid']
    """
    from rapidfuzz import fuzz, process

    named = dict(known) if isinstance(known, Mapping) else dict.fromkeys(known, "")
    wanted = _plain(asked)
    if not wanted:
        return []
    plain = {k: _plain(k) for k in named}
    inside = sorted((k for k, p in plain.items() if wanted in p), key=lambda k: (len(k), k))
    like = process.extract(wanted, plain, scorer=fuzz.ratio, limit=most, score_cutoff=60)
    said: list[tuple[str, float, str]] = []
    if not like or like[0][1] < ALMOST:
        # No id is almost this one: the words may be those of a label.
        words = {k: f"{p} {text.slug(named[k])}".replace("-", " ") for k, p in plain.items()}
        said = process.extract(wanted.replace("-", " "), words, scorer=fuzz.token_set_ratio, limit=most, score_cutoff=75)  # fmt: skip
    best = sorted([*like, *said], key=lambda m: (-m[1], len(m[2]), m[2]))
    return list(dict.fromkeys([*inside, *(m[2] for m in best)]))[:most]


def find_figure(trace: pl.DataFrame, asked: str, *, is_public: bool = False) -> dict[str, Any]:
    """Return the row of one figure; an id without case and accents will do.

    Raises
    ------
    InputError
        When no figure has this id; the nearest are named.
    """
    found = trace.filter(pl.col("figure_id") == asked)
    if found.height:
        return found.row(0, named=True)
    known = trace["figure_id"].to_list()
    slug = _plain(asked)
    same = [i for i, k in enumerate(known) if _plain(k) == slug]
    if same:
        return trace.row(same[0], named=True)
    like = nearest(asked, dict(trace.select("figure_id", "label").iter_rows()))
    withheld = "; a public edition leaves out what it withholds" if is_public else ""
    raise InputError(
        f"No figure has the id {asked!r}.", why=f"nearest: {'; '.join(like) or 'none'}{withheld}",
        remedy="List the pages with `htx trace --list`, the figures of one with `htx trace --list PAGE`.",
        what_vi=f"Không có số liệu mang mã {asked!r}.", code="figure_unknown",
    )  # fmt: skip


def is_withheld(figure: Mapping[str, Any], asked: Asked) -> bool:
    """Return whether the edition refuses to say where a figure comes from."""
    return bool(figure["is_hidden"]) and asked.is_public


# --------------------------------------------------------------------------- printing


def _table(title: str, headings: Iterable[str], right: Iterable[str] = ()) -> Table:
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for heading in headings:
        made.add_column(
            heading, justify="right" if heading in set(right) else "left", overflow="fold"
        )
    return made


def _add(table: Table, *cells: Any) -> None:
    from rich.text import Text

    table.add_row(*(Text("" if c is None else str(c)) for c in cells))


def _role(role: str) -> str:
    return ROLES.get(role, role)  # type: ignore[call-overload,no-any-return]


def figure_text(figure: Mapping[str, Any], *, has_rows: bool = False) -> list[Any]:
    """Return what is printed for one figure: lines of text and tables.

    Parameters
    ----------
    figure:
        A row of ``nguon/trace.parquet``.
    has_rows:
        One line for each source row, with its ``source_id``, instead of ranges.
    """
    parts: list[Any] = [figure["figure_id"], f"{figure['label']}: {figure['value']}", *_made(figure)]  # fmt: skip
    order = list(ROLES)
    kept = sorted((e for e in figure["sources"] if e["role"] in ROLES), key=lambda e: order.index(e["role"]))  # fmt: skip
    lost = [e for e in figure["sources"] if e["role"] == REJECTED]
    if not kept:
        parts.append(NO_ROW)
    elif has_rows:
        parts.append(_rows_table(kept))
    else:
        parts += [_title(kept), *_places(kept)]
    if lost:
        parts += _rejected(lost)
    if figure["rests_on"]:
        parts.append("Dựa trên / rests on:")
        parts += [f"  {i}" for i in figure["rests_on"][:MOST]]
        more = len(figure["rests_on"]) - MOST
        parts += [f"  … và {text.number(more)} số liệu khác (--format json)"] if more > 0 else []
    parts.append("Các bước / steps:")
    parts += [f"  {i}. {step}" for i, step in enumerate(figure["steps"], start=1)]
    return [*parts, figure["line"]]


def _rejected(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rejected rows, rule by rule, each with what it found and how to mend it."""
    whole = text.number(sum(e["n"] for e in entries))
    lines = [f"{whole} dòng bị loại trong cùng phạm vi / rejected rows"]
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for e in entries:
        groups.setdefault((e["table"], e["file"], e["sheet"], e["rule"]), []).append(e)
    for (_, _, _, rule), found in groups.items():
        one = found[0]
        rows = ranges(n for e in found for n in numbers(e["rows"]))
        lines += _places([{**one, "rows": rows, "n": sum(e["n"] for e in found)}])
        lines.append(f"      quy tắc {rule}: {one['reason'] or ''}".rstrip(": "))
        lines += [f"      cách sửa: {one['remedy']}"] if one["remedy"] else []
        if len(found) > 1:
            lines.append(f"      (và {text.number(len(found) - 1)} trường hợp nữa của quy tắc này, xem --format csv)")  # fmt: skip
    return lines


def _places(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return lines that say where rows stand, one place after another."""
    lines = []
    for e in entries:
        sheet = f", trang {e['sheet']}" if e["sheet"] else ""
        role = "" if e["role"] == REJECTED else f"{_role(e['role'])}: "
        lines.append(f"  {role}{e['table']} – {e['file']}{sheet}, {text.number(e['n'])} dòng")
        if e["rows"]:
            lines.append(f"      dòng {shorten(e['rows'], LONGEST)}")
    return lines


def _made(figure: Mapping[str, Any]) -> list[str]:
    """Return how the figure is made of its parts, in words and in numbers."""
    if not figure["formula"]:
        why = REASONS.get(figure["why_not"], "")
        return [f"Không tính lại từ các dòng: {why}." if why else "Không tính lại từ các dòng."]
    lines = [
        f"  {_role(p['role'])}: {words_of(p['how'], p['table'], p['column'], p['weight'])}"
        + ("" if p["amount"] is None else f" = {amount_text(p['amount'])}")
        for p in figure["parts"]
    ]  # fmt: skip
    sums: dict[str, float] = {}
    for p in figure["parts"]:
        role = "numerator" if p["role"] == "counted" else p["role"]
        if p["amount"] is not None:
            sums[role] = sums.get(role, 0) + p["amount"]
    shown = equation(figure["formula"], sums) if len(sums) > 1 else ""
    return [f"Cách tính: {FORMULAS[figure['formula']]}" + (f": {shown}" if shown else ""), *lines]


def _title(entries: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for e in entries:
        counts[e["role"]] = counts.get(e["role"], 0) + e["n"]
    said = ", ".join(f"{_role(role)} {text.number(n)}" for role, n in counts.items())
    return f"Dòng nguồn / source rows: {said}"


def _rows_table(entries: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(_title(entries), ("Vai trò", "Bảng", "Tệp nguồn", "Trang tính", "Dòng", "source_id"), ("Dòng",))  # fmt: skip
    for row in source_rows(entries):
        _add(table, _role(row["role"]), *(row[k] for k in ("table", "file", "sheet", "row", "source_id")))  # fmt: skip
    return table


def source_rows(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entries with one dict for each source row.

    Examples
    --------
    >>> entry = {"role": "counted", "table": "linkages", "file": "a.xlsx", "sheet": "s", "file_id": "f", "rows": "2–3", "n": 2,
    ...          "rule": None, "reason": None, "remedy": None}
    >>> [r["source_id"] for r in source_rows([entry])]
    ['f:s:2', 'f:s:3']
    """
    kept = ("role", "table", "file", "sheet")
    why = ("rule", "reason", "remedy")
    return [
        {**{k: e[k] for k in kept}, "row": n, "source_id": f"{e['file_id']}:{e['sheet']}:{n}", **{k: e[k] for k in why}}
        for e in entries
        for n in numbers(e["rows"])
    ]  # fmt: skip


def figure_csv(figure: Mapping[str, Any], *, has_rows: bool) -> str:
    """Return the sources of one figure as CSV: a line for each place, or for each row."""
    entries = figure["sources"]
    if has_rows:
        columns = ("role", "table", "file", "sheet", "row", "source_id", "rule", "reason", "remedy")
        rows = source_rows(entries)
    else:
        columns = ("role", "table", "file", "sheet", "rows", "n", "rule", "reason", "remedy")
        rows = [{k: e[k] for k in columns} for e in entries]
    frame = pl.DataFrame(rows, schema={c: pl.Int64 if c in ("row", "n") else pl.String for c in columns})  # fmt: skip
    return frame.select(pl.lit(figure["figure_id"]).alias("figure_id"), pl.all()).write_csv()


def figure_json(figure: Mapping[str, Any], *, has_rows: bool) -> str:
    """Return one figure as JSON: all that the edition knows of it."""
    made = dict(figure)
    if has_rows:
        made["source_rows"] = source_rows(figure["sources"])
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def list_frame(trace: pl.DataFrame, page: str | None) -> pl.DataFrame:
    """Return the pages of an edition with how many figures each has, or the figures of one page or block.

    Raises
    ------
    InputError
        When there is no such page; the nearest are named.
    """
    if page is None:
        return trace.group_by("page", maintain_order=True).agg(
            figures=pl.len(), recomputed=(pl.col("formula") != "").sum()
        )
    start = page.rstrip("/")
    found = trace.filter(
        (pl.col("page") == start) | pl.col("figure_id").str.starts_with(f"{start}/")
    )
    if not found.height:
        pages = trace["page"].unique(maintain_order=True).to_list()
        raise InputError(
            f"There is no page {page!r}.", why=f"nearest: {'; '.join(nearest(page, pages)) or ', '.join(pages[:8])}",
            remedy="Use one of the names given, or `htx trace --list` for all.", what_vi=f"Không có trang {page!r}.", code="page_unknown",
        )  # fmt: skip
    return found.select("figure_id", "label", "value")


def list_text(trace: pl.DataFrame, page: str | None) -> list[Any]:
    """Return `list_frame` for a terminal."""
    found = list_frame(trace, page)
    if page is None:
        table = _table(f"{found.height} trang / pages", ("Trang / page", "Số liệu / figures", "Tính lại được / recomputed"), ("Số liệu / figures", "Tính lại được / recomputed"))  # fmt: skip
    else:
        table = _table(
            f"{page}: {text.number(found.height)} số liệu / figures",
            ("Mã / id", "Nội dung", "Giá trị"),
        )
    for row in found.iter_rows():
        _add(table, *row)
    return [table]
