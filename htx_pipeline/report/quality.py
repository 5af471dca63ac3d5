"""How far the data can be trusted: rows in and out, findings, who reported, what cannot be computed.

What belongs here: these sections, for the overview and for parts of it. What does not: results.
"""

from __future__ import annotations

from htx_pipeline.report import text
from htx_pipeline.report.blocks import Block, Field, Prose, Table
from htx_pipeline.report.builder import Builder, defined, generic_reason, ratio, total
from htx_pipeline.report.frames import Row, by
from htx_pipeline.report.labels import NEEDS, SEVERITY_TEXT, WITHOUT_PLACE, indicator_label
from htx_pipeline.schemas import TABLES


class QualitySections(Builder):
    """Builds the sections on the quality of the data."""

    def ledger(self) -> list[Row]:
        """Return the rules of the ledger, of all tables."""
        keys = ["core/ledger"] if self.f.has("core/ledger") else self.f.keys_ending("_ledger")
        wanted = ("table", "rule_id", "action", "rows_in", "rows_failed", "rows_rejected_first")
        return [r for key in keys for r in self.f.rows(key, *wanted)]

    def table_counts(self) -> list[Row]:
        """Return rows in, kept, merged and rejected of each table read from sources."""
        ledger = self.ledger()
        counts = []
        for name, table in TABLES.items():
            kept = self.f.frame(f"core/{name}").height
            rejected = self.f.frame(f"core/{name}_rejected").height
            rules = [r for r in ledger if r["table"] == name]
            merged = sum(r["rows_rejected_first"] or 0 for r in rules if r["action"] == "merge")
            rows_in = max((r["rows_in"] or 0 for r in rules), default=kept + rejected)
            if rows_in or kept or rejected:
                counts.append(
                    {
                        "table": table.label_vi,
                        "rows_in": rows_in,
                        "rows_kept": kept,
                        "rows_merged": merged,
                        "rows_rejected": rejected,
                        "share": ratio(rejected, rows_in),
                    }
                )
        return counts

    def finding_keys(self) -> list[str]:
        """Return the frames of findings: the joint one, else one for each table."""
        if "core/findings" in self.f.keys_ending("findings"):
            return ["core/findings"]
        return [k for k in self.f.keys_ending("_findings") if k.startswith("core/")]

    def finding_counts(self) -> list[Row]:
        """Return the findings of all tables, one row for each rule and severity."""
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for key in self.finding_keys():
            for r in self.f.rows(
                key, "rule_id", "severity", "table", "source_file", "source_sheet", "source_row", "raw_value",
                "reason_vi", "remedy_vi",
            ):  # fmt: skip
                groups.setdefault(
                    (r["severity"] or "", r["table"] or "", r["rule_id"] or ""), []
                ).append(r)
        rank = {s: i for i, s in enumerate(SEVERITY_TEXT)}
        lost = {(r["table"], r["rule_id"]): r["rows_rejected_first"] for r in self.ledger()}
        rows = []
        for (severity, table, rule), found in groups.items():
            places = {(r["source_file"], r["source_sheet"], r["source_row"]) for r in found}
            first = min(
                found,
                key=lambda r: (
                    r["source_file"] or "",
                    r["source_sheet"] or "",
                    r["source_row"] or 0,
                    r["reason_vi"] or "",
                ),
            )
            at = f"{first['source_file'] or ''}"
            if first["source_row"] is not None:
                at += f", dòng {first['source_row']}"
            rows.append(
                {
                    "severity": text.label(SEVERITY_TEXT, severity or None),
                    "rank": rank.get(severity, 9),
                    "table": TABLES[table].label_vi if table in TABLES else table,
                    "rule": rule,
                    "reason": generic_reason(found),
                    "remedy": first["remedy_vi"],
                    "n": len(found),
                    "n_rows": len(places),
                    "n_rejected": lost.get((table, rule)),
                    "example": at,
                }
            )  # fmt: skip
        return sorted(rows, key=lambda r: (r["rank"], -r["n"], r["table"], r["rule"]))

    def roster(self) -> Table | None:
        """Return how the units that should report did, by locality."""
        rows = [
            {**r, "locality": WITHOUT_PLACE if r["locality"] in (None, "unknown") else r["locality"]}
            for r in self.f.rows(
                "metrics/reporting_roster_localities", "n_expected", "n_on_time", "n_late", "n_undated", "n_partial",
                "n_missing", "n_unexpected_reports", "reported_share",
            )
        ]  # fmt: skip
        if not rows or not self.f.has("core/cooperative_reports"):
            return None
        counted = [
            Field(key="n_expected", label="Phải báo cáo", kind="count", width=0.9),
            Field(key="n_on_time", label="Đúng hạn", kind="count", width=0.8),
            Field(key="n_late", label="Nộp muộn", kind="count", width=0.8),
            Field(key="n_undated", label="Không ghi ngày", kind="count", width=0.8),
            Field(key="n_partial", label="Thiếu số liệu", kind="count", width=0.8),
            Field(key="n_missing", label="Chưa nộp", kind="count", width=0.8),
        ]
        counted = [f for f in counted if total(rows, f.key) or f.key in ("n_expected", "n_missing")]
        sums = {f.key: total(rows, f.key) for f in counted}
        sums["reported_share"] = ratio(
            (sums["n_expected"] or 0) - (sums["n_missing"] or 0), sums["n_expected"]
        )
        more = total(rows, "n_unexpected_reports")
        notes = (f"Các cột nộp gồm cả {text.number(more)} đơn vị không phải báo cáo mà vẫn gửi",) if more else ()  # fmt: skip
        return Table(
            id="tinh-hinh-bao-cao",
            notes=notes,
            title=f"Tình hình gửi báo cáo kỳ {self.f.period}",
            sheet="Tình hình báo cáo",
            fields=(
                Field(key="locality", label=self.o.locality_label, width=2.0),
                *counted,
                Field(key="reported_share", label="Tỷ lệ đã nộp", kind="share", width=0.9, why_null="không có đơn vị phải báo cáo"),
            ),
            rows=tuple(by(rows, "n_expected", "locality", descending=("n_expected",))),
            total={"locality": "Cộng", **sums},
            source=self.source(("organisations", "cooperative_reports"), "hợp tác xã, liên hiệp hợp tác xã thuộc diện báo cáo"),
            page_rows=self.o.rows_printed,
        )  # fmt: skip

    def quality(self) -> tuple[Block, ...]:
        blocks: list[Block] = []
        counts = self.table_counts()
        tables = tuple(TABLES)
        if counts:
            sums = {
                k: total(counts, k)
                for k in ("rows_in", "rows_kept", "rows_merged", "rows_rejected")
            }
            blocks.append(
                Table(
                    id="dong-vao-ra",
                    title="Số dòng đọc vào, giữ lại, gộp và bị loại của từng bảng",
                    sheet="Dòng vào và ra",
                    fields=(
                        Field(key="table", label="Bảng", width=2.4),
                        Field(key="rows_in", label="Đọc vào", kind="count"),
                        Field(key="rows_kept", label="Giữ lại", kind="count"),
                        Field(key="rows_merged", label="Gộp trùng", kind="count"),
                        Field(key="rows_rejected", label="Bị loại", kind="count"),
                        Field(key="share", label="Tỷ lệ loại", kind="share"),
                    ),
                    rows=tuple(counts),
                    total={"table": "Cộng", **sums, "share": ratio(sums["rows_rejected"], sums["rows_in"])},
                    source=self.source(tables, "đọc vào = giữ lại + gộp trùng + bị loại"),
                )
            )  # fmt: skip
        found = self.finding_counts()
        if found:
            blocks.append(
                Table(
                    id="ket-qua-kiem-tra",
                    title="Kết quả kiểm tra số liệu theo quy tắc",
                    sheet="Kết quả kiểm tra",
                    fields=(
                        Field(key="severity", label="Xử lý", width=1.0),
                        Field(key="table", label="Bảng", width=1.2),
                        Field(key="reason", label="Nội dung", width=3.4),
                        Field(key="n_rows", label="Số dòng", kind="count", width=0.7),
                        Field(key="n_rejected", label="Bị loại", kind="count", width=0.7, why_null="việc đọc tệp, không phải quy tắc loại dòng"),
                        Field(key="example", label="Ví dụ", width=2.0),
                    ),
                    rows=tuple(found),
                    source=self.source(tables, "mỗi dòng bị loại tính một lần, ở quy tắc đầu tiên loại nó; cột Số dòng không cộng được"),
                    page_rows=min(12, self.o.rows_printed),
                )
            )  # fmt: skip
        elif self.finding_keys():
            blocks.append(
                Prose(id="khong-loi", paragraphs=("Các quy tắc kiểm tra không phát hiện lỗi nào.",))
            )
        roster = self.roster()
        if roster:
            blocks.append(roster)
        if self.f.has("core/cooperative_reports"):
            late = self.not_reported()
            if late:
                blocks.append(
                    Table(
                        id="chua-bao-cao",
                        title=f"Đơn vị chưa gửi báo cáo kỳ {self.f.period} ({text.number(len(late))} đơn vị)",
                        sheet="Chưa báo cáo",
                        fields=(
                            Field(key="locality", label=self.o.locality_label, width=1.5, why_null="chưa rõ địa bàn"),
                            Field(key="name", label="Tên đơn vị", width=3.0),
                            Field(key="org_id", label="Mã tổ chức", kind="code", width=1.3),
                            Field(key="state", label="Ghi chú", width=1.5, why_null="nguồn không nêu"),
                        ),
                        rows=tuple(late),
                        source=self.source(("organisations", "cooperative_reports"), "thuộc diện báo cáo, không có báo cáo trong kỳ"),
                        page_rows=min(15, self.o.rows_printed),
                    )
                )  # fmt: skip
        if self.withheld:
            blocks.append(
                Prose(
                    id="bi-mat",
                    paragraphs=(
                        f"Đã giữ bí mật {text.number(self.withheld)} ô số liệu về doanh thu, thu nhập vì có "
                        f"dưới {self.o.min_disclosure_count} hợp tác xã đứng sau, hoặc vì nếu công bố thì có "
                        "thể tính ngược ra ô đó.",
                    ),
                )
            )
        return tuple(blocks)

    def not_computed(self) -> tuple[Block, ...]:
        rows: list[Row] = []
        if not self.has_linkages:
            rows += [
                {"what": what, "reason": "Nguồn không có bảng liên kết giữa hợp tác xã và doanh nghiệp", "need": need}
                for what, need in (
                    ("Tỷ lệ hợp tác xã có liên kết với doanh nghiệp, theo mọi mức bằng chứng", "Bảng liên kết: bên bán, bên mua, sản phẩm"),
                    ("Cụm liên kết và các báo cáo cụm", "Bảng liên kết: bên bán, bên mua, sản phẩm"),
                    ("Giá trị theo hợp đồng, giá trị đã thanh toán, tỷ lệ đã thực hiện", "Giá trị và khối lượng của từng hợp đồng"),
                    ("Công đoạn có, công đoạn còn thiếu của chuỗi", "Nội dung liên kết theo bốn công đoạn của NĐ 98/2018/NĐ-CP"),
                    ("Mức độ phụ thuộc vào bên mua lớn nhất", "Bảng liên kết có giá trị hoặc số lượng"),
                )
            ]  # fmt: skip
        elif self.value("paid_value_vnd") is None and self.value("contracted_value_vnd") is None:
            rows.append(
                {
                    "what": "Giá trị đi qua cụm, tỷ lệ đã thực hiện theo giá trị",
                    "reason": "Nguồn không nêu giá trị của liên kết nào",
                    "need": "Giá trị theo hợp đồng và giá trị đã thanh toán",
                }
            )
        if not self.f.has("core/cooperative_reports"):
            rows.append(
                {
                    "what": "Tỷ lệ đã báo cáo, doanh thu, thu nhập, xếp loại",
                    "reason": "Nguồn không có báo cáo năm của hợp tác xã",
                    "need": "Báo cáo năm của từng hợp tác xã",
                }
            )
        groups: dict[str, dict[str, None]] = {}
        for r in self.province_indicators():
            if not defined(r) and (self.has_linkages or r["reason"] != "no_linkages"):
                groups.setdefault(text.label(text.REASONS, r["reason"]), {})[indicator_label(r)] = (
                    None
                )
        rows += [
            {"what": "; ".join(sorted(names)), "reason": text.sentence(reason)[:-1], "need": NEEDS.get(reason, "Bổ sung số liệu")}
            for reason, names in sorted(groups.items())
        ]  # fmt: skip
        if not rows:
            return ()
        return (
            Table(
                id="chua-tinh-duoc",
                title="Nội dung chưa tính được và lý do",
                sheet="Chưa tính được",
                fields=(
                    Field(key="what", label="Nội dung", width=3.4),
                    Field(key="reason", label="Lý do", width=2.2),
                    Field(key="need", label="Cần bổ sung", width=1.7),
                ),
                rows=tuple(rows),
                source=self.source(tuple(TABLES), "đối chiếu số liệu nhận được với số liệu mà mỗi chỉ tiêu cần"),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip

    def sources(self) -> tuple[Block, ...]:
        files: dict[str, Row] = {}
        for name, table in TABLES.items():
            for key, column in ((f"core/{name}", "kept"), (f"core/{name}_rejected", "rejected")):
                for r in self.f.rows(key, "source_file", "source_id"):
                    if r["source_file"] is None:
                        continue
                    row = files.setdefault(
                        r["source_file"],
                        {"file": r["source_file"], "hashes": set(), "tables": set(), "kept": 0, "rejected": 0},
                    )  # fmt: skip
                    row[column] += 1
                    row["tables"].add(table.label_vi)
                    if r["source_id"]:
                        row["hashes"].add(str(r["source_id"]).split(":")[0])
        idle = 0
        for r in self.f.rows(
            "raw/source_files", "source_file", "sha256", "mapping_id", "is_usable", "reason_vi"
        ):
            if r["source_file"] in files:
                continue
            if r["is_usable"] is False:
                why = f"(không đọc được: {r['reason_vi'] or 'chưa rõ lý do'})"
            elif r["mapping_id"] is None:
                why = "(không có khai báo nguồn)"
            else:
                idle += 1
                continue
            files[r["source_file"]] = {
                "file": r["source_file"], "hashes": {r["sha256"][:16]} if r["sha256"] else set(),
                "tables": {why}, "kept": 0, "rejected": 0,
            }  # fmt: skip
        if not files:
            return ()
        rows = [
            {
                **r,
                "hash": ", ".join(sorted(r["hashes"])),
                "tables": text.listing(sorted(r["tables"])),
            }
            for _, r in sorted(files.items())
        ]
        return (
            Table(
                id="tep-nguon",
                title="Tệp nguồn, mã kiểm tra và số dòng",
                sheet="Tệp nguồn",
                fields=(
                    Field(key="file", label="Tệp", width=2.6),
                    Field(key="hash", label="Mã kiểm tra (SHA-256, 16 ký tự đầu)", kind="code", width=2.0),
                    Field(key="tables", label="Bảng", width=1.6),
                    Field(key="kept", label="Dòng giữ lại", kind="count", width=0.8),
                    Field(key="rejected", label="Dòng bị loại", kind="count", width=0.8),
                ),
                rows=tuple(rows),
                total={"file": f"Cộng {text.number(len(rows))} tệp", "hash": " ", "tables": " ", "kept": total(rows, "kept"), "rejected": total(rows, "rejected")},
                source=self.source(tuple(TABLES), "mỗi dòng số liệu giữ tên tệp, trang tính và số dòng gốc"),
                notes=(f"{text.number(idle)} tệp khác không có dòng nào của kỳ này",) if idle else (),
                page_rows=self.o.rows_printed,
            ),
        )  # fmt: skip
