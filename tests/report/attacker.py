"""An attacker who reads the files of a public edition and works out what they withhold.

It shares no code with the package: it opens the workbook and the table of figures that lie in the edition,
takes each published number as an equation over the contributions of all linkages and reports (which exist,
with whom and where it is taken to know; their amounts not), each class of size as an inequality, and asks a
linear program between which values a withheld figure, or a unit's own figure, must lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

MONEY = {"tỷ đồng": 1e9, "triệu đồng": 1e6, "đồng": 1.0}
LEVELS = ["planned", "signed", "active", "executed"]
FLOW_STAGES = ("input", "production", "collection", "processing", "consumption", "unknown")
COLUMNS = {
    "paid_value_vnd": ("linkages", "paid_value_vnd"),
    "contracted_value_vnd": ("linkages", "contracted_value_vnd"),
    "delivered_tonnes": ("linkages", "delivered_tonnes"),
    "contracted_tonnes": ("linkages", "contracted_tonnes"),
    "area_ha": ("linkages", "area_ha"),
    "households": ("linkages", "households"),
    "revenue_vnd": ("cooperative_reports", "revenue_vnd"),
    "official_members": ("cooperative_reports", "official_members"),
    "member_income_vnd": ("cooperative_reports", "income_of_members"),
    "paid": ("linkages", "paid_value_vnd"),
    "contracted": ("linkages", "contracted_value_vnd"),
    "income": ("cooperative_reports", "income_of_members"),
    "area": ("linkages", "area_ha"),
}
BASES = {
    "paid_value": {"value_vnd": "paid_value_vnd", "tonnes": "delivered_tonnes"},
    "contracted_value": {"value_vnd": "contracted_value_vnd", "tonnes": "contracted_tonnes"},
}
SHARES = {"executed_share", "executed"}
INDICATORS = {
    "Số thành viên chính thức": "official_members",
    "Doanh thu": "revenue_vnd",
    "Thu nhập bình quân của thành viên": "member_income_vnd",
    "Giá trị theo hợp đồng": "contracted_value_vnd",
    "Giá trị đã thanh toán": "paid_value_vnd",
    "Sản lượng đã giao": "delivered_tonnes",
    "Diện tích liên kết": "area_ha",
    "Số hộ tham gia liên kết": "households",
}
IN_WORDS = {
    "từ dự kiến": "planned",
    "từ đã ký": "signed",
    "từ đang thực hiện": "active",
    "đã thực hiện": "executed",
}


def number(words: str) -> float:
    """Return a number as Vietnamese write it: points between thousands, a comma before decimals."""
    return float(words.replace(".", "").replace(",", "."))


def interval(words: str) -> tuple[float, float] | None:
    """Return what a printed amount says: itself and half of its last digit, or its class of size."""
    said = words.replace("\N{NO-BREAK SPACE}", " ").strip()
    scale = next((s for unit, s in MONEY.items() if unit in said), 1.0)
    if said.startswith("(*)"):
        return 0.0, np.inf
    if m := re.match(r"dưới ([\d.,]+)", said):
        return 0.0, number(m[1]) * scale
    if m := re.match(r"≥ ([\d.,]+)", said):
        return number(m[1]) * scale, np.inf
    if m := re.match(r"([\d.,]+)–([\d.,]+)", said):
        return number(m[1]) * scale, number(m[2]) * scale
    m = re.match(r"-?[\d.,]*\d", said)
    if m is None:
        return None
    if "%" in said:
        scale = 0.01
    decimals = len(m[0].split(",")[1]) if "," in m[0] else 0
    half = 0.5 * 10.0**-decimals * scale
    return number(m[0]) * scale - half, number(m[0]) * scale + half


@dataclass
class Figure:
    """A figure as read: its id, between which values what is printed says it lies, whether it is withheld."""

    id: str
    low: float
    high: float
    is_withheld: bool


@dataclass
class Attack:
    """Everything published of one measure, over the rows of one core table."""

    values: np.ndarray
    units: list[np.ndarray]
    equal: list[tuple[np.ndarray, float]] = field(default_factory=list)
    between: list[tuple[np.ndarray, float, float]] = field(default_factory=list)
    asked: dict[str, np.ndarray] = field(default_factory=dict)
    ready: tuple | None = None

    def bounds(self, target: np.ndarray) -> tuple[float, float]:
        """Return between which values the sum of the rows of *target* lies.

        Rows that no published number tells apart are one unknown inside the target, one outside.
        """
        scale = max(float(self.values[target].sum()), 1.0)
        at, exact, loose, limits = self._published()
        inside, outside = np.unique(at[target]), np.unique(at[~target])
        columns = np.concatenate([inside, outside])
        cost = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(
                sign * cost, A_eq=exact[:, columns], b_eq=np.array([v for _, v in self.equal]) / scale,
                A_ub=loose[:, columns], b_ub=limits / scale, bounds=(0, None), method="highs",
            )  # fmt: skip
            if found.status == 2:
                raise AssertionError("what is printed does not fit together")
            ends.append(sign * found.fun * scale if found.status == 0 else sign * -np.inf)
        return ends[0], ends[1]

    def _published(self):
        if self.ready is None:
            n = len(self.values)
            rows = [m for m, _ in self.equal] + [m for m, _, _ in self.between]
            matrix = np.array([*rows, np.ones(n)])
            kinds, at = np.unique(matrix, axis=1, return_inverse=True)
            loose, limits = [], []
            for i, (_, low, high) in enumerate(self.between):
                row = kinds[len(self.equal) + i]
                for sign, limit in ((1.0, high), (-1.0, -low)):
                    if np.isfinite(limit):
                        loose.append(sign * row)
                        limits.append(limit)
            exact = csc_matrix(kinds[: len(self.equal)])
            loose = csc_matrix(np.array(loose).reshape(-1, kinds.shape[1]))
            self.ready = (at.reshape(-1), exact, loose, np.array(limits))
        return self.ready


def figures(edition: Path) -> dict[str, Figure]:
    """Return all figures of an edition by id: those of the workbook exactly, all others as printed."""
    found: dict[str, Figure] = {}
    trace = pl.read_parquet(edition / "nguon" / "trace.parquet")
    for row in trace.filter(pl.col("kind").is_in(["fact", "cell"])).iter_rows(named=True):
        said = interval(row["value"])
        if said is not None:
            found[row["figure_id"]] = Figure(row["figure_id"], *said, row["is_hidden"])
    book = openpyxl.load_workbook(edition / "so-lieu.xlsx", read_only=True)
    names = {}
    for r in book["Từ điển"].iter_rows(min_row=2, values_only=True):
        if r[0]:
            names[r[0][:31], r[1]] = names[r[0][:31], f"{r[1]} ({r[3]})"] = r[2]
    for sheet in book.sheetnames:
        rows = list(book[sheet].iter_rows(values_only=True))
        head = next((i for i, r in enumerate(rows) if "Mã dòng" in r), None)
        if head is None:
            continue
        at = rows[head].index("Mã dòng")
        for row in rows[head + 1 :]:
            if at >= len(row) or not row[at]:
                continue
            for heading, value in zip(rows[head], row, strict=False):
                key = names.get((sheet, heading))
                if key is None or isinstance(value, bool):
                    continue
                own = f"{row[at]}/{key}"
                unit = dict(zip(rows[head], row, strict=False)).get("Đơn vị")
                if isinstance(value, int | float):
                    amount = float(value) * MONEY.get(unit, 1.0)
                    found[own] = Figure(own, amount, amount, False)
                elif isinstance(value, str) and own in found and found[own].is_withheld:
                    said = interval(value)
                    if said is not None:
                        found[own] = Figure(own, *said, True)
    return found


class World:
    """What the attacker knows beside the files: who is linked with whom, and where everyone is."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self.frames = frames
        self.period = frames["core/linkages"]["period"].max()
        places = frames["core/organisations"].select("org_id", "legal_type", "locality")
        self.place = dict(zip(places["org_id"], places["locality"], strict=True))
        self.kind = dict(zip(places["org_id"], places["legal_type"], strict=True))
        self.commune = {}
        if "communes_of" in frames:
            self.commune = dict(frames["communes_of"].iter_rows())
        nodes = frames["graph/nodes"]
        self.stage = dict(zip(nodes["org_id"], nodes["stage"], strict=True))
        self.cluster: dict[str, str] = {}
        if "metrics/cluster_members" in frames:
            members = frames["metrics/cluster_members"]
            self.cluster = dict(zip(members["org_id"], members["cluster_id"], strict=True))
        reports = frames["core/cooperative_reports"].with_columns(
            income_of_members=pl.col("member_income_vnd") * pl.col("official_members")
        )
        self.tables = {"linkages": frames["core/linkages"], "cooperative_reports": reports}

    def home(self, row: Mapping[str, str]) -> str:
        """Return whose place a linkage has: its cooperative seller's, else its cooperative buyer's."""
        coop = {"htx", "lhhtx", "tht"}
        for side in ("supplier_id", "buyer_id"):
            if self.kind.get(row[side]) in coop:
                return row[side]
        return row["supplier_id"]

    def rows(self, table: str, **where: str | None) -> np.ndarray:
        """Return which rows of a table belong to a place, commune, cluster, product or flow."""
        keep = []
        for r in self.tables[table].iter_rows(named=True):
            own = self.home(r) if table == "linkages" else r["org_id"]
            is_in = True
            if table == "cooperative_reports" and "cluster" not in where:
                is_in = self.kind.get(own) == "htx"
            if "place" in where:
                is_in &= self.place.get(own) == where["place"]
            if "commune" in where:
                is_in &= self.commune.get(own) == where["commune"]
            if "cluster" in where:
                sides = [r["supplier_id"], r["buyer_id"]] if table == "linkages" else [own]
                is_in &= all(self.cluster.get(s) == where["cluster"] for s in sides)
                is_in &= table != "linkages" or r["evidence"] != "planned"
            if "product" in where:
                is_in &= (r.get("product_code") or "None") == where["product"]
            if "least" in where:
                is_in &= LEVELS.index(r["evidence"]) >= LEVELS.index(where["least"] or "planned")
            if "from_stage" in where:
                is_in &= (self.stage.get(r["supplier_id"]) or "unknown") == where["from_stage"]
                is_in &= (self.stage.get(r["buyer_id"]) or "unknown") == where["to_stage"]
            keep.append(bool(is_in))
        return np.array(keep)


def slug(words: str) -> str:
    """Return a name as the edition's ids write it."""
    import unicodedata

    plain = unicodedata.normalize("NFD", words.replace("Đ", "D").replace("đ", "d"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def where_of(figure: str, world: World) -> tuple[str, dict[str, str | None]] | None:
    """Return the column of a figure's id and which rows it adds; None where it is no such sum."""
    page, table, *rest = figure.split("/")
    where: dict[str, str | None] = {}
    if page.startswith("cum-"):
        where["cluster"] = page.removeprefix("cum-")
    elif page.startswith("dia-ban-xa-") and page.removeprefix("dia-ban-xa-").isdigit():
        where["commune"] = page.removeprefix("dia-ban-xa-")
    elif page.startswith("dia-ban-"):
        named = {slug(p): p for p in set(world.place.values()) if p}
        if page.removeprefix("dia-ban-") not in named:
            return None
        where["place"] = named[page.removeprefix("dia-ban-")]
    if table == "so-chinh":
        return rest[0], where
    if table == "chi-tieu-chung" and rest[-1] == "value":
        name = "/".join(rest[:-1])
        key = next(
            (k for said, k in INDICATORS.items() if re.match(rf"{said}(,| –|$)", name)), None
        )
        level = next((v for k, v in IN_WORDS.items() if re.search(f", {k}( –|$)", name)), None)
        return None if key is None else (key, {"least": level} if level else {})
    line, key = "/".join(rest[:-1]), rest[-1]
    if table.startswith("hinh-dien-bien-"):
        return (line, where) if line in COLUMNS and key == world.period else None
    if line == "Cộng":
        if table in ("theo-san-pham",):
            where["least"] = "signed"
        return key, where
    if table in ("theo-san-pham", "san-pham"):
        return key, {**where, "product": line, "least": "signed"}
    if table == "theo-dia-ban":
        return key, {"place": None if line == "Chưa rõ địa bàn" else line}
    if table == "danh-sach-cum":
        return key, {"cluster": line}
    if table == "xa-phuong":
        return key, {"commune": line}
    if table.startswith("hinh-chuoi-"):
        m = re.fullmatch(
            rf"({'|'.join(FLOW_STAGES)})-({'|'.join(FLOW_STAGES)})-(.+)-recorded", line
        )
        if m:
            return key, {**where, "from_stage": m[1], "to_stage": m[2], "product": m[3]}
    return None


GEOJSON = {
    "localities": "theo-dia-ban",
    "commune_measures": "xa-phuong",
    "clusters": "danh-sach-cum",
}


def figures_of_maps(folder: Path) -> list[Figure]:
    """Return the numbers of the features of GeoJSON files, named as the tables of the overview name them."""
    found = []
    for name, table in GEOJSON.items():
        for feature in json.loads((folder / f"{name}.geojson").read_text("utf-8"))["features"]:
            line = feature["id"] if feature["id"] != "unknown" else "Chưa rõ địa bàn"
            for key, value in feature["properties"].items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    own = f"tong-quan/{table}/{line}/{key}"
                    found.append(Figure(own, float(value), float(value), False))
    return found


def attacks(
    edition: Path, frames: Mapping[str, pl.DataFrame], *, maps: Path | None = None
) -> dict[str, Attack]:
    """Set up, for each measure, all that an edition publishes of it."""
    world = World(frames)
    made: dict[str, Attack] = {}
    for name, (table, column) in COLUMNS.items():
        if column in made or column not in world.tables[table].columns:
            continue
        rows = world.tables[table]
        sides = ["supplier_id", "buyer_id"] if table == "linkages" else ["org_id"]
        made[column] = Attack(
            rows[column].cast(pl.Float64).fill_null(0.0).to_numpy(),
            [rows[s].to_numpy().astype(str) for s in sides],
        )
        del name
    bases = {}
    if "metrics/chain_flows" in frames:
        for r in frames["metrics/chain_flows"].iter_rows(named=True):
            bases[r["scope"]] = r["weight_basis"]
    known = [*figures(edition).values(), *(figures_of_maps(maps) if maps is not None else ())]
    for one in known:
        asked = where_of(one.id, world)
        if asked is None:
            continue
        key, where = asked
        page = one.id.split("/")[0]
        scope = page.removeprefix("cum-") if page.startswith("cum-") else "province"
        key = BASES.get(bases.get(scope) or "", {}).get(key, key)
        is_share = key in SHARES
        if key not in COLUMNS and not is_share:
            continue
        if is_share and not (page.startswith("cum-") or "/danh-sach-cum/" in one.id):
            continue
        table, column = COLUMNS["contracted"] if is_share else COLUMNS[key]
        if column not in made:
            continue
        attack = made[column]
        rows = world.rows(table, **where)
        if key.startswith("contracted") and table == "linkages":
            rows &= (world.tables[table]["evidence"] != "planned").to_numpy()
        stated = world.tables[table][column].is_not_null().to_numpy()
        rows &= stated
        is_mean = column == "income_of_members"
        weights = float(world.tables[table]["official_members"].fill_null(0).to_numpy()[rows].sum()) if is_mean else 1.0  # fmt: skip
        if one.is_withheld:
            part = rows & (world.tables[table]["evidence"] == "executed").to_numpy() if is_share else rows  # fmt: skip
            attack.asked[one.id] = part
            if not is_share and not is_mean and (one.low > 0 or np.isfinite(one.high)):
                attack.between.append((rows.astype(float), one.low, one.high))
        elif is_share:
            executed = (world.tables[table]["evidence"] == "executed").to_numpy()
            for share, sign in ((one.low * (1 - 1e-9), 1.0), (one.high * (1 + 1e-9), -1.0)):
                # low ≤ executed / whole ≤ high, as inequalities that hold for any whole.
                row = sign * (executed.astype(float) - share) * rows
                attack.between.append((row, 0.0, np.inf))
        elif one.low == one.high:
            attack.equal.append((rows.astype(float), one.low * weights))
        else:
            attack.between.append((rows.astype(float), one.low * weights, one.high * weights))
    for attack in made.values():
        attack.between = list({(m.tobytes(), lo, hi): (m, lo, hi) for m, lo, hi in attack.between}.values())  # fmt: skip
        attack.equal = list({m.tobytes(): (m, v) for m, v in attack.equal}.values())
    return made


def is_few(attack: Attack, target: np.ndarray, *, least: int = 3, p: float = 0.1) -> bool:
    """Return whether a sum is of few units, or one that the second largest tells of the largest."""
    for names in attack.units:
        sums: dict[str, float] = {}
        for name, value in zip(names[target], attack.values[target], strict=True):
            sums[name] = sums.get(name, 0.0) + value
        ranked = sorted(sums.values(), reverse=True)
        if len(ranked) < least or sum(ranked[2:]) < p * ranked[0]:
            return True
    return False


def told(attack: Attack, targets: Iterable[tuple[str, np.ndarray]], *, within: float) -> list[str]:
    """Return the targets whose bounds lie closer to the truth than *within* on some side."""
    found = []
    for name, target in targets:
        value = float(attack.values[target].sum())
        if value <= 0:
            continue
        low, high = attack.bounds(target)
        assert low <= value * (1 + 1e-6), f"{name}: the bounds miss the truth"
        assert high >= value * (1 - 1e-6), f"{name}: the bounds miss the truth"
        if low > value * (1 - within) or high < value * (1 + within):
            found.append(f"{name}: {value:.6g} in [{low:.6g}, {high:.6g}]")
    return found


def pinned(
    attack: Attack, targets: Iterable[tuple[str, np.ndarray]], *, within: float
) -> list[str]:
    """Return the targets whose bounds lie closer to each other than a share of the truth."""
    found = []
    for name, target in targets:
        value = float(attack.values[target].sum())
        if value > 0:
            low, high = attack.bounds(target)
            if high - low < within * value:
                found.append(f"{name}: {value:.6g} in [{low:.6g}, {high:.6g}]")
    return found


def units_of(attack: Attack) -> list[tuple[str, np.ndarray]]:
    """Return each unit's own rows, on each side."""
    return [
        (f"side {side}: {name}", names == name)
        for side, names in enumerate(attack.units)
        for name in sorted(set(names))
    ]
