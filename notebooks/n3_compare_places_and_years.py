import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="3. Địa bàn và năm / Places and years")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline import explore
    from htx_pipeline.reference import places
    from htx_pipeline.report import text

    return explore, mo, pl, places, text


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # 3. So sánh địa bàn và các năm trên cùng một ranh giới

    Ngày 01/7/2025 bỏ cấp huyện và sắp xếp lại xã. Cùng một mã có thể là hai xã khác nhau: **mã 23504 là xã Đăk Long năm 2024
    và xã Đăk Pxi từ 01/7/2025**. Muốn so sánh các năm phải đưa về cùng một danh mục đơn vị; phần không xếp được vẫn hiện ra thành dòng riêng.

    *Districts were abolished and communes merged on 1 July 2025. One code may mean two communes, so years are compared on one list of
    units; what cannot be placed stands in a row of its own.*
    """)
    return


@app.cell
def _(explore):
    # HTX_DATA_DIR, hoặc tỉnh mẫu / or the sample province
    data = explore.open_data()
    return (data,)


@app.cell
def _(mo):
    unit_choice = mo.ui.radio(
        {"Xã, phường hiện nay / communes of today": "commune", "Huyện cũ (2024) / districts of 2024": "district"},
        value="Xã, phường hiện nay / communes of today", label="Ranh giới / geography",
    )
    unit_choice
    return (unit_choice,)


@app.cell
def _(unit_choice):
    level = unit_choice.value
    return (level,)


@app.cell
def _(data, pl):
    # Mỗi hợp tác xã một dòng, với nơi đóng trụ sở và các số sẽ cộng / one row a cooperative, with what will be added up
    organisations = data.read("core/organisations").filter(pl.col("legal_type") == "htx")
    edges = data.read("graph/edges")
    reports = data.read("core/cooperative_reports")

    def linked_from(*evidence: str) -> pl.DataFrame:
        rows = edges.filter(pl.col("evidence").is_in(list(evidence)))
        return pl.concat([rows.select("period", org_id=c) for c in ("supplier_id", "buyer_id")]).unique()

    cooperatives = (
        organisations.select("period", "org_id", "admin_code", "admin_version", "locality")
        .join(linked_from("signed", "active", "executed").with_columns(signed=pl.lit(1)), on=["period", "org_id"], how="left")
        .join(linked_from("executed").with_columns(executed=pl.lit(1)), on=["period", "org_id"], how="left")
        .join(reports.select("period", "org_id", "official_members"), on=["period", "org_id"], how="left")
        .with_columns(pl.col("signed", "executed").fill_null(0), cooperatives=pl.lit(1))
    )
    return (cooperatives,)


@app.cell
def _(cooperatives, level, pl, places):
    sums = ["cooperatives", "signed", "executed", "official_members"]
    placed = cooperatives.filter(pl.col("admin_code").is_not_null())
    parts = [
        # Xã mới đưa về huyện cũ phải qua danh mục 2024 / each year's codes are read in the list they belong to
        places.aggregate_to(
            rows, code="admin_code", version=str(version), to=level,
            to_version="2024" if level == "district" else places.LATEST, sums=sums, by=["period"],
        )
        for (version,), rows in placed.sort("admin_version").group_by("admin_version", maintain_order=True)
    ]
    by_unit = (
        pl.concat(parts)
        .group_by("period", "admin_code", "admin_name", "unplaced_reason")
        .agg(pl.col(sums).sum())
        .sort("period", "admin_code", nulls_last=True)
    )
    # Không hợp tác xã nào biến mất / no cooperative is lost
    assert by_unit["cooperatives"].sum() == placed.height
    unplaced = cooperatives.height - int(by_unit.filter(pl.col("admin_code").is_not_null())["cooperatives"].sum())
    return by_unit, unplaced


@app.cell
def _(by_unit, cooperatives, mo, text, unplaced):
    mo.callout(
        mo.md(
            f"**{text.number(unplaced)}** trên {text.number(cooperatives.height)} lượt hợp tác xã – năm không xếp được vào đơn vị nào "
            f"(không ghi xã, hoặc xã nằm trong nhiều đơn vị). *{unplaced} of {cooperatives.height} cooperative-years lie in no unit of this list.*"
        ),
        kind="warn" if unplaced else "success",
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Số hợp tác xã và tỷ lệ có liên kết, theo năm / By year
    """)
    return


@app.cell
def _(by_unit, explore, pl):
    compared = (
        by_unit.with_columns(
            unit=pl.when(pl.col("admin_code").is_null()).then(pl.lit("(không xếp được / not placed)")).otherwise("admin_name"),
            executed_share=pl.when(pl.col("cooperatives") > 0).then((pl.col("executed") / pl.col("cooperatives")).round(3)),
        )
        .group_by("period", "unit", maintain_order=True)
        .agg(pl.col("cooperatives", "executed").sum(), pl.col("executed_share").first())
        .pivot("period", index="unit", values=["cooperatives", "executed_share"], sort_columns=True)
        .sort("unit")
    )
    headings = {c: c.replace("cooperatives_", "Số HTX ").replace("executed_share_", "Tỷ lệ đã thực hiện ").replace("unit", "Đơn vị") for c in compared.columns}
    explore.listing(compared.rename(headings), rows=15, label="Trống: năm đó không có hợp tác xã / empty: none that year")
    return (compared,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Tỷ lệ có liên kết của năm gần nhất / Linked shares, latest year

    Nhạt: đã ký trở lên; đậm: đã thực hiện. Đơn vị có ít hơn 3 hợp tác xã không được vẽ: một hợp tác xã làm đổi cả tỷ lệ.

    *Pale: signed or stronger; dark: executed. Units of fewer than 3 cooperatives are left out: one of them would turn the share.*
    """)
    return


@app.cell
def _(by_unit, explore, pl, text):
    latest = by_unit["period"].max()
    drawn = (
        by_unit.filter(pl.col("period") == latest, pl.col("admin_code").is_not_null(), pl.col("cooperatives") >= 3)
        .with_columns(share=pl.col("executed") / pl.col("cooperatives"))
        .sort("share", "admin_name", descending=[True, False])
    )
    bars = explore.share_bars(
        [
            (row["admin_name"], [row["signed"] / row["cooperatives"], row["share"]], f"{text.share(row['share'], 0)} của {row['cooperatives']}")
            for row in drawn.iter_rows(named=True)
        ],
        series=["đã ký trở lên", "đã thực hiện"], levels=[1, 3],
    )
    explore.drawing(bars, alt=f"Tỷ lệ hợp tác xã có liên kết theo đơn vị, năm {latest}", otherwise="Không đơn vị nào có từ 3 hợp tác xã. *No unit has 3 cooperatives.*")
    return bars, drawn


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Đơn vị nào gộp thành đơn vị nào? / What became of each unit

    Mở rộng để xem; cách dùng trong `docs/places.md`.
    """)
    return


@app.cell
def _(cooperatives, explore, mo, pl, places):
    old = places.admin_units(version="2024", level="commune").select(from_code="code", old_name="full_name")
    new = places.admin_units(version=places.LATEST, level="commune").select(to_code="code", new_name="full_name")
    here = cooperatives.filter(pl.col("admin_version") == "2024")["admin_code"].unique()
    became = (
        places.admin_links(from_version="2024", to_version=places.LATEST)
        .filter(pl.col("from_code").is_in(here.implode()))
        .join(old, on="from_code").join(new, on="to_code")
        .select("from_code", "old_name", "to_code", "new_name", "relation").sort("to_code", "from_code")
    )
    mo.accordion({f"{became.height} dòng / rows": explore.listing(became)})
    return (became,)


if __name__ == "__main__":
    app.run()
