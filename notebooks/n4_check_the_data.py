import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="4. Kiểm tra số liệu / Check the data")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline import explore
    from htx_pipeline.report import text
    from htx_pipeline.schemas import TABLES

    return TABLES, explore, mo, pl, text


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # 4. Tin được đến đâu? Kiểm tra số liệu

    Dòng nào được nhận, dòng nào bị loại và vì sao; ai chưa báo cáo; con số nào đáng ngờ. Mỗi phát hiện có lý do, cách sửa và ô nguồn.

    *Which rows were accepted, which were not and why; who has not reported; which figures are doubtful. Every finding has its reason, its
    remedy and its cell.*
    """)
    return


@app.cell
def _(explore):
    # HTX_DATA_DIR, hoặc tỉnh mẫu / or the sample province
    data = explore.open_data()
    return (data,)


@app.cell
def _(data, mo):
    year_choice = mo.ui.dropdown(data.periods, value=data.periods[-1], label="Năm / year")
    year_choice
    return (year_choice,)


@app.cell
def _(year_choice):
    year = year_choice.value
    return (year,)


@app.cell
def _(data, year):
    frames = data.year(year)
    return (frames,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Sổ đối chiếu / The ledger

    Đọc được = nhận + bị loại + gộp. *Read = accepted + rejected + merged; the cell stops when a row is unaccounted for.*
    """)
    return


@app.cell
def _(TABLES, explore, frames, pl):
    ledger = frames["core/ledger"]
    taken_out = ledger.with_columns(merged=pl.col("action") == "merge").group_by("table").agg(
        rejected=pl.col("rows_rejected_first").filter(~pl.col("merged")).sum(),
        merged=pl.col("rows_rejected_first").filter(pl.col("merged")).sum(),
    )
    balance = (
        pl.DataFrame(
            [
                {"table": name, "label": table.label_vi, "read": frames[f"raw/{name}"].height, "accepted": frames[f"core/{name}"].height}
                for name, table in TABLES.items()
            ]
        )
        .join(taken_out, on="table", how="left")
        .with_columns(pl.col("rejected", "merged").fill_null(0))
        .with_columns(unaccounted=pl.col("read") - pl.col("accepted") - pl.col("rejected") - pl.col("merged"))
    )
    assert balance["unaccounted"].to_list() == [0] * balance.height
    headings = {"table": "Bảng", "label": "Tên", "read": "Đọc được", "accepted": "Được nhận", "rejected": "Bị loại", "merged": "Gộp", "unaccounted": "Không rõ"}
    explore.listing(balance.rename(headings), label="Số dòng / rows")
    return (balance,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Phát hiện / Findings
    """)
    return


@app.cell
def _(frames, mo, text):
    findings = frames["core/findings"]
    counts = dict(findings.group_by("severity").len().rows())
    labels = {"critical": "dừng", "error": "dòng bị loại", "warning": "cần xem lại", "info": "ghi chú"}
    mo.hstack(
        [mo.stat(text.number(counts.get(key, 0)), label=label, caption=key, bordered=True) for key, label in labels.items()], widths="equal"
    )
    return findings, labels


@app.cell
def _(explore, findings, labels, pl):
    by_rule = (
        findings.group_by("table", "rule_id", "severity")
        .agg(
            n=pl.len(),
            files=pl.col("source_file").n_unique(),
            reason_vi=pl.col("reason_vi").sort().first(),
            remedy_vi=pl.col("remedy_vi").sort().first(),
        )
        .sort("n", "rule_id", descending=[True, False])
    )
    brief = by_rule.select(pl.col("n").alias("Số"), pl.col("severity").replace(labels).alias("Mức"), pl.col("reason_vi").alias("Lý do (ví dụ)"), pl.col("remedy_vi").alias("Cách xử lý"), pl.col("rule_id").alias("Quy tắc"))
    explore.listing(brief, rows=8, wrapped=["Lý do (ví dụ)", "Cách xử lý"], label="Theo quy tắc / by rule")
    return (by_rule,)


@app.cell
def _(explore, findings, mo):
    listed = findings.sort("source_file", "source_sheet", "source_row", "rule_id", nulls_last=True).select(
        "source_file", "source_sheet", "source_row", "source_cell", "raw_value", "reason_vi", "remedy_vi", "reason_en"
    )
    mo.accordion({f"Tất cả {listed.height} phát hiện / all findings": explore.listing(listed, rows=15, wrapped=["reason_vi", "remedy_vi"])})
    return (listed,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Dòng bị loại / Rejected rows
    """)
    return


@app.cell
def _(TABLES, frames, mo):
    table_choice = mo.ui.dropdown(
        {f"{t.label_vi} ({frames[f'core/{n}_rejected'].height})": n for n, t in TABLES.items()},
        value=next(f"{t.label_vi} ({frames[f'core/{n}_rejected'].height})" for n, t in TABLES.items() if n == "linkages"), label="Bảng / table",
    )
    table_choice
    return (table_choice,)


@app.cell
def _(table_choice):
    table = table_choice.value
    return (table,)


@app.cell
def _(explore, frames, table):
    rejected = frames[f"core/{table}_rejected"]
    first = ["source_file", "source_sheet", "source_row"]
    ordered = rejected.select(*first, *(c for c in rejected.columns if c not in {*first, "source_id", "period"}))
    explore.listing(ordered, f"core/{table}", rows=8, otherwise="Không dòng nào bị loại. *No row was rejected.*")
    return (rejected,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Ai chưa báo cáo? / Who has not reported?

    Đậm: đúng hạn; nhạt: đã báo cáo (kể cả chậm). *Dark: on time; pale: reported at all.*
    """)
    return


@app.cell
def _(explore, frames, mo, pl, text):
    roster = frames["metrics/reporting_roster_localities"].filter(pl.col("n_expected") > 0, pl.col("locality").is_not_null())
    reporting = explore.share_bars(
        [
            (text.label({"unknown": "(không rõ địa bàn)"}, row["locality"]), [row["reported_share"], row["on_time_share"]], f"thiếu {row['n_missing']} của {row['n_expected']}")
            for row in roster.sort("reported_share", "locality").iter_rows(named=True)
        ],
        series=["đã báo cáo", "đúng hạn"], levels=[1, 3],
    )
    missing = frames["metrics/reporting_roster"].filter(pl.col("status") == "missing").sort("locality", "name").select("locality", "name", "org_id", "reason_vi", "has_reported_before")
    mo.vstack(
        [
            explore.drawing(reporting, alt="Tỷ lệ hợp tác xã đã báo cáo theo địa bàn", otherwise="Không có danh sách phải báo cáo. *Nobody is expected to report.*"),
            mo.accordion({f"{text.number(missing.height)} hợp tác xã chưa báo cáo / not reported": explore.listing(missing, "metrics/reporting_roster")}),
        ]
    )
    return missing, roster


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Con số đáng ngờ / Doubtful figures

    Tăng hay giảm như thể ghi nhầm đơn vị so với kỳ trước. Không sửa tự động: hỏi lại đơn vị gửi.

    *Figures that jump as if a unit had been mistaken. Nothing is corrected by itself: ask the sender.*
    """)
    return


@app.cell
def _(explore, frames, pl):
    doubtful = frames.get("core/cooperative_reports_plausibility", pl.DataFrame())
    listing = doubtful.select(c for c in ("source_file", "source_row", "column", "raw_value", "reason_vi", "remedy_vi") if c in doubtful.columns)
    named = {"source_file": "Tệp", "source_row": "Dòng", "column": "Cột", "raw_value": "Giá trị đã ghi", "reason_vi": "Lý do", "remedy_vi": "Cách xử lý"}
    explore.listing(listing.rename(named, strict=False), wrapped=["Lý do", "Cách xử lý"], otherwise="Không có con số nào đáng ngờ. *None.*")
    return (doubtful,)


if __name__ == "__main__":
    app.run()
