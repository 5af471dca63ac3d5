import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="2. Một cụm liên kết / Explore a cluster")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline import explore
    from htx_pipeline.graph.query import ego_svg
    from htx_pipeline.graph.network import at_least
    from htx_pipeline.report import text

    return at_least, ego_svg, explore, mo, pl, text


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # 2. Một cụm liên kết

    Chọn năm, cụm và ngưỡng; mọi hình và bảng bên dưới tự tính lại.

    *Choose year, cluster and threshold; every picture and table below follows.*
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
    return (year_choice,)


@app.cell
def _(year_choice):
    year = year_choice.value
    return (year,)


@app.cell
def _(data, year):
    frames = data.year(year)
    return (frames,)


@app.cell
def _(frames, mo, pl):
    ranked = frames["metrics/clusters"].sort(
        pl.coalesce("paid_value_vnd", "contracted_value_vnd"), "cluster_id", descending=[True, False], nulls_last=True
    )
    names = {f"{row['cluster_name_vi']} ({row['cluster_id']})": row["cluster_id"] for row in ranked.iter_rows(named=True)}
    cluster_choice = mo.ui.dropdown(names, value=next(iter(names), None), label="Cụm / cluster")
    return (cluster_choice,)


@app.cell
def _(cluster_choice):
    cluster_id = cluster_choice.value
    return (cluster_id,)


@app.cell
def _(mo):
    evidence_choice = mo.ui.dropdown(
        {"dự kiến trở lên / planned": "planned", "đã ký trở lên / signed": "signed", "đang thực hiện trở lên / active": "active", "đã thực hiện / executed": "executed"},
        value="đã ký trở lên / signed", label="Bằng chứng / evidence",
    )
    value_choice = mo.ui.slider(0, 5000, step=50, value=0, label="Giá trị tối thiểu, triệu đồng / least value", show_value=True)
    return evidence_choice, value_choice


@app.cell
def _(evidence_choice, value_choice):
    evidence, least_million = evidence_choice.value, value_choice.value
    return evidence, least_million


@app.cell
def _(cluster_choice, evidence_choice, mo, value_choice, year_choice):
    mo.vstack([year_choice, cluster_choice, evidence_choice, value_choice])
    return


@app.cell
def _(at_least, cluster_id, evidence, frames, least_million, pl):
    members = frames["metrics/cluster_members"].filter(pl.col("cluster_id") == cluster_id)
    inside = members["org_id"].implode()
    value = pl.coalesce("paid_value_vnd", "contracted_value_vnd").fill_null(0)
    edges = at_least(frames["graph/edges"], evidence=evidence).filter(
        pl.col("supplier_id").is_in(inside), pl.col("buyer_id").is_in(inside), value >= least_million * 1_000_000
    )
    linked = pl.concat([edges["supplier_id"], edges["buyer_id"]]).unique()
    return edges, linked, members


@app.cell
def _(cluster_id, edges, frames, linked, members, mo, pl, text):
    cluster = frames["metrics/clusters"].filter(pl.col("cluster_id") == cluster_id).row(0, named=True)
    mo.vstack(
        [
            mo.md(f"## {cluster['cluster_name_vi']}\n*{cluster['cluster_name_en']}*"),
            mo.hstack(
                [
                    mo.stat(f"{text.number(len(linked))} / {text.number(members.height)}", label="thành viên trên ngưỡng", caption="members above the threshold", bordered=True),
                    mo.stat(text.number(edges["n_linkages"].sum()), label="liên kết trong cụm", caption="linkages inside", bordered=True),
                    mo.stat(text.money(edges["contracted_value_vnd"].sum()).removesuffix(" đồng"), label="giá trị hợp đồng, đồng", caption="contracted, VND", bordered=True),
                    mo.stat(text.money(edges["paid_value_vnd"].sum()).removesuffix(" đồng"), label="đã thanh toán, đồng", caption="paid, VND", bordered=True),
                    mo.stat(text.share(cluster["largest_buyer_share"]), label="bên mua lớn nhất", caption="largest buyer's share", bordered=True),
                ],
                widths="equal",
            ),
        ]
    )
    return (cluster,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Chuỗi theo công đoạn / The chain by stage

    Cả cụm, không theo ngưỡng: dòng sản phẩm từ công đoạn này sang công đoạn khác. *The whole cluster, whatever the threshold.*
    """)
    return


@app.cell
def _(cluster_id, explore, frames, year):
    chain = explore.chain_picture(frames, period=year, scope=cluster_id)
    explore.drawing(chain, alt="Dòng sản phẩm qua các công đoạn của cụm", otherwise="Không có dòng sản phẩm nào được ghi nhận. *No flow is recorded.*")
    return (chain,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Bản đồ / The map

    Thành viên và cơ sở chế biến theo xã hiện nay. *Members and processors by commune of today.*
    """)
    return


@app.cell
def _(cluster_id, explore, frames, year):
    map_picture = explore.map_picture(frames, period=year, scope=cluster_id)
    explore.drawing(map_picture, alt="Bản đồ thành viên và cơ sở chế biến của cụm theo xã", otherwise="Không thành viên nào ghi xã: không vẽ được bản đồ. *No member states its commune: no map.*")
    return (map_picture,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Thành viên / Members
    """)
    return


@app.cell
def _(explore, linked, members, pl):
    shown = members.filter(pl.col("org_id").is_in(linked.implode())).sort("value_out_vnd", "org_id", descending=[True, False], nulls_last=True)
    explore.listing(
        shown.select("org_id", "name", "legal_type", "stage", "locality", "n_linkages", "value_in_vnd", "value_out_vnd", "official_members"),
        "metrics/cluster_members", otherwise="Không thành viên nào có liên kết trên ngưỡng. *No member has a linkage above the threshold.*",
    )
    return (shown,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Quanh một tổ chức / Around one organisation

    Bên trái: bán cho tổ chức này; bên phải: mua của tổ chức này. *Left: its suppliers; right: its buyers.*
    """)
    return


@app.cell
def _(cluster, linked, members, mo, pl):
    known = members.filter(pl.col("org_id").is_in(linked.implode())).sort("name", "org_id")
    organisations = {f"{name} ({org_id})": org_id for name, org_id in known.select("name", "org_id").rows()}
    first = next((k for k, v in organisations.items() if v == cluster["largest_buyer_id"]), next(iter(organisations), None))
    org_choice = mo.ui.dropdown(organisations, value=first, label="Tổ chức / organisation", searchable=True)
    org_choice
    return (org_choice,)


@app.cell
def _(org_choice):
    org_id = org_choice.value
    return (org_id,)


@app.cell
def _(edges, ego_svg, explore, frames, org_id):
    ego = ego_svg(edges, frames["graph/nodes"], org_id, evidence="planned") if org_id else None
    explore.drawing(ego, alt="Bên bán và bên mua của tổ chức", otherwise="Không còn liên kết nào trên ngưỡng. *No linkage above the threshold.*")
    return (ego,)


if __name__ == "__main__":
    app.run()
