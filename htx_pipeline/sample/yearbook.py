"""What the sample province reports beside its linkages: cooperatives' reports, training, honours, plan, GRDP.

What belongs here: drawing the rows of those tables. What does not: linkages (`contracts`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np

from htx_pipeline.sample.actors import AGRI_SHARE, Actor, place_columns
from htx_pipeline.sample.draws import (
    MILLION,
    day_between,
    is_new_geography,
    million,
    period_days,
    pick_weighted,
    spread,
    stratified_normal,
    stream,
)
from htx_pipeline.sample.facts import (
    places,
)

_CERTIFICATES: Final = {
    "coffee_arabica": "4C", "coffee_robusta": "4C; UTZ", "safe_vegetables": "VietGAP", "herbs": "GACP-WHO",
    "red_rice": "Hữu cơ", "passion_fruit": "VietGAP", "sugarcane": "VietGAP",
    "maize_fodder": "VietGAP", "cassava": "VietGAP",
}  # fmt: skip


def _workers(order: list[int], rng: np.random.Generator) -> dict[int, int]:
    """Regular workers by rank: 61.6 % below 10, 35.7 % 10-49, 1.6 % 50-99, 1.0 % from 100."""
    n = len(order)
    top, high = max(1, round(0.010 * n)), max(1, round(0.016 * n))
    middle = round(0.357 * n)
    out = {}
    for rank, i in enumerate(order):
        if rank < top:
            out[i] = int(rng.integers(100, 180))
        elif rank < top + high:
            out[i] = int(rng.integers(50, 95))
        elif rank < top + high + middle:
            out[i] = min(49, 10 + int(rng.exponential(6)))
        else:
            out[i] = int(rng.integers(2, 10))
    return out


def draw_reports(
    seed: int, periods: tuple[str, ...], growers: list[Actor], linkages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """One report for every active cooperative and union; what it sold through linkages is in its revenue."""
    rows: list[dict[str, Any]] = []
    sold: dict[tuple[str, str], int] = {}
    for r in linkages:
        if r["paid_value_vnd"]:
            sold[r["period"], r["supplier_id"]] = (
                sold.get((r["period"], r["supplier_id"]), 0) + r["paid_value_vnd"]
            )
    people = [o for o in growers if o.role in ("htx", "lhhtx")]
    fixed = stream(seed, "report traits")
    trait = {o.org_id: fixed.random(6) for o in people}
    shape = {o.org_id: fixed.normal(0, 1, 4) for o in people}
    tech = sorted(
        (o for o in people if o.is_agri),
        key=lambda o: (-(o.score + 1.5 * shape[o.org_id][0]), o.org_id),
    )
    high_tech = {o.org_id for o in tech[: round(0.21 * len(tech))]}
    evidence = {o.org_id for o in tech[: round(0.075 * len(tech) / AGRI_SHARE)]}
    owners = sorted(
        (o for o in people if o.is_agri),
        key=lambda o: (-(o.score + 1.2 * shape[o.org_id][1]), o.org_id),
    )[:29]
    ocop = {o.org_id: 1 + int(trait[o.org_id][2] * 3) for o in owners}
    for k, period in enumerate(periods):
        rng = stream(seed, f"reports {period}")
        active = [o for o in people if o.status[k] == "active"]
        n = len(active)
        z = np.array([o.z for o in active])
        noise = rng.normal(0, 0.12, n)
        members = np.maximum(7, np.round(12 * np.exp(1.6 * z + 0.15 * noise))).astype(int)
        order = np.argsort(
            -(z + np.array([0.8 * shape[o.org_id][2] for o in active])), kind="stable"
        ).tolist()
        workers = _workers(order, rng)
        years = int(period) - 2023
        charter = spread(
            np.exp(0.55 * z + np.array([0.9 * shape[o.org_id][3] for o in active])), 2.03e9
        )
        total = spread(charter * np.exp(0.8 + rng.normal(0, 0.25, n)), 5.33e9 * 1.03 ** (years - 1))
        base = spread(np.exp(0.5 * z + rng.normal(0, 0.8, n)), 0.70e9 * 1.08**years)
        own_sales = np.array([sold.get((period, o.org_id), 0) for o in active], dtype=float)
        revenue = base + own_sales * rng.uniform(1.0, 1.1, n)
        margin = np.where(
            rng.random(n) < 0.08, rng.uniform(-0.12, -0.01, n), rng.gamma(4, 0.023, n)
        )
        is_linked = own_sales > 0
        member_income = (
            (36 + 4 * years) * np.where(is_linked, 1.15, 1.0) * np.exp(rng.normal(-0.02, 0.2, n))
        )
        worker_income = (46 + 4 * years) * np.exp(rng.normal(-0.01, 0.16, n))
        score = 68.5 + years + 6 * np.tanh(z) + 7.5 * stratified_normal(n, rng)
        end = period_days(period)[1]
        for i, o in enumerate(active):
            profit = revenue[i] * min(0.35, margin[i])
            managers = int(np.clip(3 + rng.poisson(0.9), 3, 9)) if members[i] > 8 else 3
            college = int(rng.binomial(managers, 0.247))
            intermediate = int(rng.binomial(managers - college, 0.466 / 0.753))
            is_new = (end - o.registered_on).days < 365
            points = None if is_new else float(np.clip(round(score[i] * 2) / 2, 32, 97))
            rating = (
                "khong_xep_loai"
                if points is None
                else "tot"
                if points >= 80
                else "kha"
                if points >= 65
                else "trung_binh"
                if points >= 50
                else "yeu"
            )
            uses_tech = o.org_id in high_tech
            crop = o.products[0] if o.products else ""
            with_kinds = _is_after_new_law(period)
            member_count = int(members[i]) if o.role == "htx" else 4 + int(trait[o.org_id][0] * 8)
            rows.append(
                {
                    "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name,
                    **{c: v for c, v in place_columns(o.place, period).items() if c in ("place_name", "district_name")},
                    "reported_on": end + dt.timedelta(days=1) if rng.random() < 0.35 else day_between(rng, dt.date(end.year, 12, 1), dt.date(end.year, 12, 14)),
                    "official_members": member_count,
                    "associate_members_with_capital": int(rng.poisson(0.04 * member_count)) if with_kinds else None,
                    "associate_members_without_capital": int(rng.poisson(0.25 * member_count)) if with_kinds else None,
                    "regular_workers": workers[i],
                    "seasonal_workers": int(rng.poisson(1.5 + 0.6 * workers[i])),
                    "managers": managers, "managers_college": college, "managers_intermediate": intermediate,
                    "charter_capital_vnd": million(charter[i]), "total_capital_vnd": million(max(total[i], charter[i] * 1.05)),
                    "undivided_assets_vnd": million(total[i] * 0.08 * (0.5 + trait[o.org_id][1])),
                    "debt_vnd": million(total[i] * 0.35 * trait[o.org_id][3]),
                    "revenue_vnd": million(revenue[i]),
                    "revenue_from_members_vnd": million(revenue[i] * rng.beta(6, 4)),
                    "profit_before_tax_vnd": round(profit / MILLION) * MILLION,
                    "funds_set_aside_vnd": max(0, round(0.2 * profit / MILLION)) * MILLION,
                    "member_income_vnd": million(member_income[i] * 1e6), "worker_income_vnd": million(worker_income[i] * 1e6),
                    "self_score": points, "rating": rating, "is_high_tech": uses_tech,
                    "high_tech_evidence": ("Nhà màng, tưới tiết kiệm", "Quyết định công nhận vùng sản xuất", "Nhật ký điện tử, truy xuất nguồn gốc")[
                        int(trait[o.org_id][4] * 3)] if uses_tech and o.org_id in evidence else None,
                    "certificates": _CERTIFICATES.get(crop) if trait[o.org_id][5] < (0.5 if is_linked[i] else 0.12) else None,
                    "ocop_products": ocop.get(o.org_id, 0),
                }
            )  # fmt: skip
    return rows


def _is_after_new_law(period: str) -> bool:
    return int(period) >= 2024


def draw_trainings(
    seed: int, periods: tuple[str, ...], growers: list[Actor]
) -> list[dict[str, Any]]:
    """Courses for managers of cooperatives."""
    courses = (
        ("Bồi dưỡng giám đốc hợp tác xã", 5.0), ("Kế toán hợp tác xã", 3.0), ("Liên kết theo chuỗi giá trị", 2.0),
        ("Chuyển đổi số và truy xuất nguồn gốc", 2.0), ("Sản xuất theo VietGAP", 3.0),
    )  # fmt: skip
    rows = []
    for k, period in enumerate(periods):
        rng = stream(seed, f"trainings {period}")
        active = [o for o in growers if o.role == "htx" and o.status[k] == "active"]
        start, end = period_days(period)
        for course, days in courses:
            begins = day_between(rng, start + dt.timedelta(days=60), end - dt.timedelta(days=30))
            for i in sorted(rng.permutation(len(active))[: max(4, len(active) // 14)].tolist()):
                o = active[i]
                managers, members = int(rng.integers(1, 4)), int(rng.integers(0, 6))
                rows.append(
                    {
                        "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name, "course": course,
                        "starts_on": begins, "days": days, "managers_trained": managers, "members_trained": members,
                        "cost_vnd": million((managers + members) * days * 350_000),
                    }
                )  # fmt: skip
    return rows


def draw_commendations(
    seed: int, periods: tuple[str, ...], growers: list[Actor]
) -> list[dict[str, Any]]:
    """Honours, by level."""
    titles = (
        ("province", "Bằng khen của Chủ tịch UBND tỉnh"),
        ("district", "Giấy khen của Chủ tịch UBND huyện"),
        ("ministry", "Bằng khen của Bộ"),
    )
    rows = []
    for k, period in enumerate(periods):
        rng = stream(seed, f"commendations {period}")
        active = sorted(
            (o for o in growers if o.role == "htx" and o.status[k] == "active"),
            key=lambda o: (-o.score, o.org_id),
        )
        pool = active[: max(10, len(active) // 3)]
        for j, i in enumerate(
            sorted(rng.permutation(len(pool))[: max(6, len(active) // 10)].tolist())
        ):
            o = pool[i]
            level, title = titles[pick_weighted(rng, (0.5, 0.4, 0.1))]
            if level == "district" and is_new_geography(period):
                level, title = "commune", "Giấy khen của Chủ tịch UBND xã"
            start, end = period_days(period)
            rows.append(
                {
                    "period": period, "org_id": o.org_id, "tax_code": o.tax_code, "name": o.name,
                    "decision": f"{200 + 7 * j}/QĐ-UBND", "decided_on": day_between(rng, start, end), "level": level, "title": title,
                }
            )  # fmt: skip
    return rows


def draw_plan_targets(periods: tuple[str, ...]) -> list[dict[str, Any]]:
    """Invented targets of the province; the real national ones are `htx_pipeline.reference.targets`."""
    rows = []
    for period in periods:
        step = int(period) - 2023
        own = (
            ("n_cooperatives", "Số hợp tác xã", "none", 240.0 + 12 * step, "organisation"),
            ("offtake_share", "Tỷ lệ hợp tác xã nông nghiệp có liên kết tiêu thụ", "agricultural_htx", 0.40 + 0.05 * step, "share"),
            ("chain_linked_share", "Tỷ lệ hợp tác xã tham gia liên kết theo chuỗi giá trị", "all_htx", 0.25 + 0.05 * step, "share"),
            ("rated_good_fair_share", "Tỷ lệ hợp tác xã xếp loại tốt, khá", "rated", 0.60 + 0.02 * step, "share"),
            ("linked_area_ha", "Diện tích sản xuất có liên kết", "none", 6_150.0, "ha"),
            ("n_high_tech", "Số hợp tác xã ứng dụng công nghệ cao", "none", 15.0 + 5 * step, "organisation"),
            ("members_per_cooperative", "Số thành viên bình quân một hợp tác xã", "reporting_htx", 50.0, "person"),
            ("member_income_vnd", "Thu nhập bình quân của thành viên", "none", 40e6 + 4e6 * step, "VND"),
            ("revenue_per_cooperative_vnd", "Doanh thu bình quân một hợp tác xã", "none", 2e9 + 0.3e9 * step, "VND"),
        )  # fmt: skip
        rows += [
            {
                "period": period, "authority": "UBND tỉnh (giả định)", "document": f"Kế hoạch giả định năm {period}", "indicator": indicator,
                "indicator_vi": words, "denominator": denominator, "target_year": int(period), "comparator": ">=", "value": round(value, 4),
                "value_unit": unit, "is_verified": False, "source_address": "số liệu giả định / synthetic",
            }
            for indicator, words, denominator, value, unit in own
        ]  # fmt: skip
    return rows


def draw_plan_tasks(seed: int, periods: tuple[str, ...]) -> list[dict[str, Any]]:
    """Tasks of the plan with the unit in charge and how far it says it is."""
    tasks = (
        (
            "1",
            "Củng cố hợp tác xã hoạt động yếu kém",
            "Liên minh Hợp tác xã tỉnh",
            "rated_good_fair_share",
        ),
        (
            "2",
            "Hỗ trợ hợp tác xã ký hợp đồng liên kết tiêu thụ",
            "Sở Nông nghiệp",
            "offtake_share",
        ),
        ("3", "Xây dựng cụm sản xuất gắn với chế biến", "Sở Nông nghiệp", "chain_linked_share"),
        (
            "4",
            "Bồi dưỡng cán bộ quản lý hợp tác xã",
            "Liên minh Hợp tác xã tỉnh",
            "managers_trained_share",
        ),
        ("5", "Hỗ trợ hạ tầng, chế biến theo Nghị định 98/2018/NĐ-CP", "Sở Tài chính", ""),
    )
    districts = sorted({p.district for p in places()})
    rows = []
    for period in periods:
        rng = stream(seed, f"tasks {period}")
        for number, task, department, indicator in tasks:
            for locality in (
                ["Toàn tỉnh", *districts[:4]] if number in ("2", "3") else ["Toàn tỉnh"]
            ):
                status = ("done", "in_progress", "late", "not_started")[
                    pick_weighted(rng, (0.4, 0.35, 0.15, 0.1))
                ]
                progress = {"done": 1.0, "not_started": 0.0}.get(
                    status, round(float(rng.uniform(0.2, 0.9)), 2)
                )
                rows.append(
                    {
                        "period": period, "document": f"Kế hoạch giả định năm {period}", "task_number": number, "task": task, "department": department,
                        "locality": locality, "due_on": dt.date(int(period), 11, 30), "indicator": indicator or None, "status": status,
                        "progress_share": progress,
                    }
                )  # fmt: skip
    return rows


def draw_regional_accounts(
    periods: tuple[str, ...], reports: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """GRDP grown from the published 26,698.59 bn of 2021 at an assumed 11 % a year, current prices."""
    rows = []
    for period in periods:
        revenue = sum(r["revenue_vnd"] for r in reports if r["period"] == period)
        years = int(period) - 2021
        rows.append(
            {
                "period": period, "province": "Tỉnh giả định (theo khu vực Kon Tum cũ)", "year": int(period),
                "grdp_vnd": round(26_698.59e9 * 1.11**years / 1e9) * 1_000_000_000,
                "collective_value_added_vnd": round(0.4 * revenue / 1e9) * 1_000_000_000,
                "population": round(568_780 * 1.012**years), "source_agency": "Cục Thống kê (giả định)",
            }
        )  # fmt: skip
    return rows
